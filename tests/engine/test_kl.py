"""KL divergence: against torch and scipy, dragging, the fit, and what a class must see."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Normal, kl_divergence

from engine.core.frame import Frame
from engine.core.params import change
from engine.core.text import InputError
from engine.data.registry import load
from engine.experiments.clusters import kl
from engine.experiments.clusters.kl import FRESH, KL, LARGEST, SCHEDULE, KLParams

MEANS, WIDTHS = st.floats(-50, 50), st.floats(0.01, 50)


def make(seed: int = 0, **params: Any) -> KL:
    return KL(load(""), change(KLParams(), params), seed=seed, device=torch.device("cpu"))


def frames(experiment: KL, steps: int = 10_000) -> list[Frame]:
    only = (item for item in experiment.run() if isinstance(item, Frame))
    return list(itertools.islice(only, steps + 1))


def view(experiment: KL, name: str) -> Any:
    return next(iter(experiment.run())).views[name]()


def scalars(experiment: KL) -> dict[str, float]:
    return dict(next(iter(experiment.run())).scalars)


# ── the numbers ───────────────────────────────────────────────────────────────────────────────────────────


@given(MEANS, WIDTHS, MEANS, WIDTHS)
def test_the_closed_form_is_that_of_torch(mu1, sigma1, mu2, sigma2):
    p, q = (
        Normal(torch.tensor(m, dtype=torch.float64), torch.tensor(s, dtype=torch.float64))
        for m, s in ((mu1, sigma1), (mu2, sigma2))
    )
    assert kl.closed_form(mu1, sigma1, mu2, sigma2) == pytest.approx(
        float(kl_divergence(p, q)), rel=1e-9, abs=1e-12
    )


@given(MEANS, WIDTHS, MEANS, WIDTHS)
def test_it_is_never_negative(mu1, sigma1, mu2, sigma2):
    assert kl.closed_form(mu1, sigma1, mu2, sigma2) >= -1e-12
    assert kl.closed_form(mu1, sigma1, mu1, sigma1) == pytest.approx(0, abs=1e-12)


@given(st.floats(-5, 5), st.floats(0.3, 3), st.floats(-5, 5), st.floats(0.3, 3))
def test_the_integral_is_the_closed_form(mu1, sigma1, mu2, sigma2):
    experiment = make()
    experiment.mu = torch.tensor([mu1, mu2], dtype=torch.float64)
    experiment.sigma = torch.tensor([sigma1, sigma2], dtype=torch.float64)
    log_p, log_q = experiment._log_p(experiment.places), experiment._log_q(experiment.places)
    exact = kl.closed_form(mu1, sigma1, mu2, sigma2)
    assert float(kl.integral(log_p, log_q, experiment.dx)) == pytest.approx(exact, rel=1e-6, abs=1e-9)


def test_two_bumps_are_integrated_as_scipy_does():
    from scipy.integrate import quad
    from scipy.stats import norm

    experiment = make(start="bumps")
    centre = float(experiment.mu[-1])

    def p(x: float) -> float:
        return float((norm.pdf(x, -2.4, 0.5) + norm.pdf(x, 2.4, 0.5)) / 2)

    def q(x: float) -> float:
        return float(norm.pdf(x, centre, 1.0))

    pq = quad(lambda x: p(x) * math.log(p(x) / q(x)), -8, 8, points=[-2.4, 2.4], limit=200)[0]
    qp = quad(lambda x: q(x) * math.log(q(x) / p(x)), -8, 8, points=[-2.4, 2.4], limit=200)[0]
    assert experiment._divergences() == pytest.approx((pq, qp), rel=1e-6)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.floats(-20, 20)), max_size=6), st.sampled_from(["both", "bumps"])
)
def test_no_drag_makes_it_negative_or_not_a_number(drags, start):
    experiment = make(start=start)
    for index, x in drags:
        if index < 2 * len(experiment.mu):
            experiment.drag(index, x, 0.1)
    found = scalars(experiment)
    assert min(found["kl_pq"], found["kl_qp"]) >= 0
    assert all(math.isfinite(value) for value in found.values())


def test_the_average_is_the_slow_one():
    experiment = make()
    state = experiment.rng.get_state()
    experiment._draw(40)
    experiment.rng.set_state(state)
    z = torch.randn(2, 40, generator=experiment.rng, dtype=torch.float64)
    p, q = Normal(-1.0, 0.8), Normal(1.0, 1.4)
    x, y = -1.0 + 0.8 * z[0], 1.0 + 1.4 * z[1]
    rows = torch.stack([p.log_prob(x) - q.log_prob(x), q.log_prob(y) - p.log_prob(y)])
    torch.testing.assert_close(experiment.means[:, -1], rows.mean(1), rtol=1e-6, atol=0)
    torch.testing.assert_close(experiment.errors[:, -1], rows.std(1) / math.sqrt(40), rtol=1e-6, atol=0)


# ── the run and the hand ──────────────────────────────────────────────────────────────────────────────────


def test_it_draws_until_it_is_enough():
    experiment = make()
    found = frames(experiment)
    assert [f.step for f in found] == list(range(len(SCHEDULE) + 1))
    assert experiment.n == LARGEST
    assert experiment.counts.tolist() == SCHEDULE
    assert "averaged" in experiment.ended()


def test_the_same_curve_twice_has_no_divergence():
    found = frames(make(start="same"))[-1].scalars
    assert set(found.values()) == {0.0}


@pytest.mark.parametrize(
    ("index", "x", "mu", "sigma"),
    [
        (0, 2.0, [2.0, 1.0], [0.8, 1.4]),
        (1, 1.0, [-1.0, 1.0], [2.0, 1.4]),
        (2, -9.0, [-1.0, -5.0], [0.8, 1.4]),
        (3, 1.01, [-1.0, 1.0], [0.8, 0.3]),
        (3, -1.0, [-1.0, 1.0], [0.8, 2.0]),  # across the mean: as wide as it is far
    ],
)
def test_dragging_moves_one_thing_and_starts_the_average_afresh(index, x, mu, sigma):
    experiment = make()
    frames(experiment, 5)
    experiment.drag(index, x, 0.2)
    assert experiment.mu.tolist() == pytest.approx(mu)
    assert experiment.sigma.tolist() == pytest.approx(sigma)
    assert experiment.n == 0
    assert view(experiment, "estimate").lines["D(p‖q)"].shape == (0,)
    assert frames(experiment, 1)[-1].scalars["estimate_pq"] != 0


@pytest.mark.parametrize("call", [(-1, 0.0, 0.0), (4, 0.0, 0.0), (0, math.nan, 0.0), (1, 0.0, math.inf)])
def test_impossible_drags_are_refused_and_change_nothing(call):
    experiment = make()
    frames(experiment, 2)
    with pytest.raises(InputError):
        experiment.drag(*call)
    assert experiment.n == SCHEDULE[1]
    assert experiment.mu.tolist() == [-1, 1]


@pytest.mark.parametrize("start", ["both", "bumps"])
def test_handles_sit_on_their_lines(start):
    curves = view(make(start=start), "curves")
    assert len(curves.handles) == (6 if start == "bumps" else 4)
    for handle in curves.handles:
        line = curves.lines[handle.line]
        assert np.interp(handle.x, curves.x, line) == pytest.approx(handle.y, abs=0.01)


def test_the_filled_area_is_the_divergence():
    experiment = make()
    areas = view(experiment, "integrand")
    found = [float(np.trapezoid(line, areas.x)) for line in areas.lines.values()]
    assert found == pytest.approx(experiment._divergences(), abs=2e-3)
    assert all(line.min() < 0 < line.max() for line in areas.lines.values())


def test_the_sentence_says_the_numbers_of_the_formula():
    text = view(make(), "formula").text
    assert "log(1.40/0.80) + (0.80² + 2.00²)/(2·1.40²) − ½ = 1.243" in text
    assert "no closed form" in view(make(start="bumps"), "formula").text


# ── the fit ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fit", ["pq", "qp"])
def test_the_slope_is_that_of_small_differences(fit):
    experiment = make(start="bumps", fit=fit)
    mu, sigma, h = experiment.mu.clone(), experiment.sigma.clone(), 1e-5
    way = 0 if fit == "pq" else 1
    slope = experiment._slope().tolist()

    def at(along_mu: float, along_sigma: float) -> float:
        experiment.mu, experiment.sigma = mu.clone(), sigma.clone()
        experiment.mu[-1] += along_mu
        experiment.sigma[-1] *= math.exp(along_sigma)
        return experiment._divergences()[way]

    plain = ((at(h, 0) - at(-h, 0)) / (2 * h), (at(0, h) - at(0, -h)) / (2 * h))
    assert slope == pytest.approx([plain[0] * float(sigma[-1]) ** 2, plain[1] / 2], rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("fit", ["pq", "qp"])
@pytest.mark.parametrize("start", ["both", "width", "apart"])
def test_with_one_bump_either_fit_finds_it(start, fit):
    experiment = make(start=start, fit=fit)
    last = frames(experiment)[-1]
    assert max(last.scalars["kl_pq"], last.scalars["kl_qp"]) < 1e-4
    assert "come to rest" in experiment.ended()


@pytest.mark.parametrize("fit", ["pq", "qp"])
def test_the_fit_goes_downhill(fit):
    experiment = make(start="bumps", fit=fit)
    found = [f.scalars[f"kl_{fit}"] for f in frames(experiment, 40)]
    assert all(b <= a + 1e-9 for a, b in itertools.pairwise(found))
    assert experiment.n >= FRESH


def test_covering_ends_at_the_mean_and_spread_of_p():
    experiment = make(start="bumps", fit="pq")
    frames(experiment)
    assert float(experiment.mu[-1]) == pytest.approx(0, abs=0.01)
    assert float(experiment.sigma[-1]) == pytest.approx(math.sqrt(0.5**2 + 2.4**2), rel=0.01)


def test_a_fit_switched_on_at_rest_wakes_it():
    experiment = make()
    frames(experiment)
    experiment.p = change(experiment.p, {"fit": "pq"})
    assert frames(experiment)[-1].scalars["kl_pq"] < 1e-4


# ── what a class must see ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
@pytest.mark.parametrize("start", ["both", "width", "apart", "bumps"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_estimate_meets_the_formula(seed, start):
    experiment = make(seed, start=start)
    last = frames(experiment)[-1].scalars
    for way, error in zip(("pq", "qp"), experiment.errors[:, -1].tolist(), strict=True):
        assert abs(last[f"estimate_{way}"] - last[f"kl_{way}"]) < 4 * error
        assert error < 0.01 * last[f"kl_{way}"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_order_matters(seed):
    found = frames(make(seed, start="width"))[-1].scalars
    assert found["kl_qp"] > 4 * found["kl_pq"]
    assert found["estimate_qp"] > 4 * found["estimate_pq"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_one_way_covers_both_bumps_and_the_other_picks_one(seed):
    covering, seeking = make(seed, start="bumps", fit="pq"), make(seed, start="bumps", fit="qp")
    frames(covering, 100)
    frames(seeking, 100)
    assert abs(float(covering.mu[-1])) < 0.05
    assert float(covering.sigma[-1]) > 2.2
    assert abs(float(seeking.mu[-1])) == pytest.approx(2.4, abs=0.02)
    assert float(seeking.sigma[-1]) == pytest.approx(0.5, abs=0.02)
    assert seeking._divergences()[1] == pytest.approx(math.log(2), abs=0.01)  # it holds half of p
