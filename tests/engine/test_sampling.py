"""Sampling and Monte Carlo: against closed forms and slow sums, clicks, and what a class must see."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.core.frame import Beat, Frame
from engine.core.params import change
from engine.core.text import InputError
from engine.data.registry import load
from engine.experiments.clusters import sampling
from engine.experiments.clusters.sampling import DIMS, LARGEST, SCHEDULE, Sampling, SamplingParams

DENSITIES = ("bumps", "exponential", "uniform", "triangle", "spikes")


def make(seed: int = 0, **params: Any) -> Sampling:
    chosen = change(SamplingParams(), params)
    return Sampling(load(""), chosen, seed=seed, device=torch.device("cpu"))


def frames(experiment: Sampling, steps: int = len(SCHEDULE)) -> list[Frame]:
    only = (item for item in experiment.run() if isinstance(item, Frame))
    return list(itertools.islice(only, steps + 1))


def view(experiment: Sampling, name: str) -> Any:
    return next(iter(experiment.run())).views[name]()


def table(name: str) -> tuple[np.ndarray, np.ndarray]:
    x, p = sampling.shape(name)
    return x, sampling.distribution(x, p)


# ── draws in one dimension ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "exact"),
    [
        ("uniform", lambda u: u),
        ("triangle", np.sqrt),
        ("exponential", lambda u: -np.log1p(-u * (1 - math.exp(-7)))),  # cut at x = 7
    ],
)
def test_the_inverse_is_the_one_on_paper(name, exact):
    u = np.linspace(0.01, 0.99, 99)
    np.testing.assert_allclose(sampling.inverse(u, *table(name)), exact(u), atol=5e-3)


def test_bumps_are_the_mixture_that_scipy_knows():
    from scipy.stats import norm

    x, f = table("bumps")
    exact = 0.6 * norm.cdf(x, -1.4, 0.5) + 0.4 * norm.cdf(x, 1.6, 0.7)
    np.testing.assert_allclose(f, exact, atol=1e-3)


@given(u=st.floats(0, 1), name=st.sampled_from(DENSITIES))
def test_there_and_back(u, name):
    x, f = table(name)
    at = sampling.inverse(np.array([u]), x, f)
    assert x[0] <= at[0] <= x[-1]
    assert np.interp(at, x, f)[0] == pytest.approx(u, abs=1e-9)


@pytest.mark.parametrize("name", ["uniform", "triangle", "exponential"])
def test_no_dart_lands_where_there_is_no_density(name):
    x, p = sampling.shape(name)
    for u in (0.0, 1.0):
        at = float(sampling.inverse(np.array([u]), x, sampling.distribution(x, p))[0])
        assert np.interp(at, x, p) > 0 or np.interp([at - 0.01, at + 0.01], x, p).max() > 0


def test_the_largest_gap_is_that_of_scipy():
    from scipy.stats import kstest

    u = np.random.default_rng(3).random(500) ** 1.1
    assert sampling.kolmogorov(u) == pytest.approx(kstest(u, "uniform").statistic, abs=1e-12)
    assert sampling.kolmogorov(np.zeros(0)) == 1


# ── means in many dimensions ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("c", "d", "m"), [(3.0, 1, 7), (3.0, 2, 5), (2.0, 3, 4), (8.0, 4, 3), (3.0, 16, 1)])
def test_the_grid_is_the_slow_sum(c, d, m):
    middles = [(i + 0.5) / m for i in range(m)]
    values = [math.exp(c * sum(point) / math.sqrt(d)) for point in itertools.product(middles, repeat=d)]
    s = c / math.sqrt(d)
    exact = (math.expm1(s) / s) ** d
    assert sampling.grid_mean(c, d, m) == pytest.approx(sum(values) / len(values) / exact, rel=1e-12)


def test_the_grid_in_pieces_is_the_grid_at_once(monkeypatch):
    whole = sampling.grid_mean(3.0, 4, 9)
    monkeypatch.setattr(sampling, "CHUNK", 100)
    assert sampling.grid_mean(3.0, 4, 9) == pytest.approx(whole, rel=1e-12)


def test_the_midpoint_rule_is_of_second_order():
    coarse, fine = (abs(sampling.grid_mean(3.0, 2, m) - 1) for m in (20, 40))
    assert coarse / fine == pytest.approx(4, rel=0.01)


@given(n=st.integers(1, 10**12), d=st.integers(1, 16))
def test_a_grid_never_has_more_points_than_allowed(n, d):
    m = sampling.per_axis(n, d)
    assert m >= 1
    assert m**d <= n < (m + 1) ** d


def test_the_share_of_the_ball():
    assert [sampling.ball_share(d) for d in (1, 2, 3)] == pytest.approx([1, math.pi / 4, math.pi / 6])


def test_the_sums_are_those_of_the_same_draws_taken_slowly():
    experiment = make(repeats=3, c=2.0)
    state = experiment.rng.get_state()
    experiment._draw(50)
    experiment.rng.set_state(state)
    x = torch.rand(50, 3, 16, generator=experiment.rng).double().numpy()
    for i, d in enumerate(DIMS):
        s = 2.0 / math.sqrt(d)
        f = np.exp(s * x[:, :, :d].sum(2)) / (math.expm1(s) / s) ** d
        np.testing.assert_allclose(experiment.sums[i].numpy(), f.sum(0), rtol=1e-4)
    inside = [int((((2 * x[:, :, :d] - 1) ** 2).sum(2) <= 1).sum()) for d in range(1, 17)]
    assert experiment.inside.tolist() == inside


# ── the run ───────────────────────────────────────────────────────────────────────────────────────────────


def test_one_dart_at_a_time_then_more_and_then_an_end():
    assert SCHEDULE[:6] == [0, 1, 2, 3, 4, 5]
    assert SCHEDULE[-1] == LARGEST
    experiment = make(repeats=1)
    found = frames(experiment)
    assert [f.step for f in found] == list(range(len(SCHEDULE)))
    assert len(experiment.darts) == LARGEST
    assert experiment.inside[0] == LARGEST
    assert "draws" in experiment.ended()


def test_a_click_drops_a_dart_at_its_height():
    experiment = make(density="uniform")
    experiment.dart(0.9, 0.25)
    experiment.dart(-0.2, 1.05)
    np.testing.assert_allclose(experiment.darts.numpy(), [0.25, 1.0], atol=2e-3)
    cdf = view(experiment, "cdf")
    assert cdf.click == "dart"
    np.testing.assert_allclose(cdf.dots[0], [-0.25, 0.25], atol=2e-3)
    np.testing.assert_allclose(cdf.segments.end[2], [0.25, 0], atol=2e-3)
    assert view(experiment, "histogram").histogram.name == "2 draws"


@pytest.mark.parametrize("xy", [(0.0, 1.5), (0.0, math.nan), (math.nan, 0.5), (0.0, -3.0), (math.inf, 0.5)])
def test_a_dart_beside_the_axis_is_refused(xy):
    experiment = make()
    with pytest.raises(InputError, match="between 0 and 1"):
        experiment.dart(*xy)
    assert len(experiment.darts) == 0


def test_slow_motion_throws_then_runs_across_then_falls():
    experiment = make()
    running = experiment.run()
    views = next(running).views
    assert isinstance(next(running), Beat)
    thrown = views["cdf"]()
    assert len(thrown.dots) == 1
    assert thrown.segments is None
    next(running)
    across = views["cdf"]()
    assert len(across.segments.start) == 2
    assert across.dots[0, 1] == thrown.dots[0, 1]
    assert len(experiment.darts) == 0
    next(running)
    assert float(experiment.darts[0]) == pytest.approx(float(across.dots[1, 0]), abs=1e-6)


def test_the_histogram_has_area_one():
    experiment = make(density="spikes")
    frames(experiment, 30)
    bars = view(experiment, "histogram").histogram
    assert float((bars.heights * np.diff(bars.edges)).sum()) == pytest.approx(1, rel=1e-4)


def test_the_dots_of_the_error_are_those_of_the_chosen_dimension():
    experiment = make()
    last = frames(experiment, 20)[-1]
    experiment.p = change(experiment.p, {"d": "8"})
    dots = last.views["error"]().dots
    assert dots[:, 0].tolist() == [SCHEDULE[20]] * 2
    assert dots[:, 1] == pytest.approx([last.scalars["grid_error"], last.scalars["mc_error"]], rel=1e-5)


# ── what a class must see ─────────────────────────────────────────────────────────────────────────────────


def test_the_error_of_the_chosen_dimension_is_strong_and_that_of_the_others_faint():
    experiment = make(d="4")
    frames(experiment, 20)
    shown, at, n = view(experiment, "error"), DIMS.index(4), experiment.step
    assert [str(name) for name in shown.lines] == ["random points", "grid"]
    np.testing.assert_allclose(shown.lines["random points"], experiment.errors[at, 1 : n + 1], rtol=1e-6)
    np.testing.assert_allclose(shown.lines["grid"], experiment.grids[at, 1 : n + 1], rtol=1e-6)
    assert shown.x.tolist() == SCHEDULE[1 : n + 1]
    assert shown.span == (1, LARGEST)
    others = [i for i in range(len(DIMS)) if i != at]
    np.testing.assert_allclose(shown.quiet, experiment.errors[others, 1 : n + 1], rtol=1e-6)
    np.testing.assert_allclose(shown.segments.end, [[LARGEST, LARGEST**-0.5]])


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_error_falls_alike_in_any_dimension_and_the_grid_explodes(seed):
    experiment = make(seed)
    frames(experiment)
    n = np.array(SCHEDULE)
    far = n >= 8
    slopes = [np.polyfit(np.log(n[far]), np.log(row[far]), 1)[0] for row in experiment.errors.numpy()]
    assert slopes == pytest.approx([-0.5] * len(DIMS), abs=0.1)
    by_chance, by_grid = experiment.errors[:, -1], experiment.grids[:, -1]
    assert by_chance.max() < 2 * by_chance.min()  # whatever d
    assert (by_grid < by_chance).tolist() == [True, True, True, False, False]
    assert by_grid[-1] > 20 * by_chance[-1]


@pytest.mark.slow
@pytest.mark.parametrize("density", DENSITIES)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_darts_are_distributed_as_p(seed, density):
    experiment = make(seed, density=density, repeats=1)
    last = frames(experiment)[-1]
    assert last.scalars["ks"] < 1.63 / math.sqrt(LARGEST)  # what 99 % of honest samples stay below


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_ball_disappears(seed):
    experiment = make(seed)
    frames(experiment)
    share = experiment.inside.numpy() / (LARGEST * experiment.p.repeats)
    exact = np.array([sampling.ball_share(d) for d in range(1, 17)])
    np.testing.assert_allclose(share[:12], exact[:12], rtol=0.15)
    assert share[15] < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_rare_points_decide(seed):
    experiment = make(seed, c=8.0, d="16")
    last = frames(experiment)[-1]
    plain = frames(make(seed, d="16"))[-1]
    assert last.scalars["mc_error"] > 4 * plain.scalars["mc_error"]
