"""Kernel density: against scipy, scikit-learn and slow formulas, odd input, the knob in a person's hands, and
what a class must see.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch

from engine.core.experiment import Demo
from engine.core.frame import Beat, Curve, Ellipses, Field, Frame, Points
from engine.core.params import change
from engine.core.text import InputError
from engine.data.registry import Dataset, load
from engine.experiments.clusters import kde
from engine.experiments.clusters.kde import KDE, SWEEP, SWEPT, KDEParams
from tests.engine.extremes import NOT_TO_BE_SQUARED, OUT_OF_RANGE

RNG = np.random.default_rng(0)
ROOTS = {"gaussian": 1.0, "box": 3**0.5, "triangle": 6**0.5, "epanechnikov": 5**0.5}
PEERS = {"gaussian": "gaussian", "box": "tophat", "triangle": "linear", "epanechnikov": "epanechnikov"}


def make(data: Dataset | str, *, seed: int = 0, **params: Any) -> KDE:
    data = load(data) if isinstance(data, str) else data
    chosen = change(KDEParams(), {**KDE.info.presets.get(data.name, {}), **params})
    return KDE(data, chosen, seed=seed, device=torch.device("cpu"))


def points(x: Any, **more: Any) -> Dataset:
    x = torch.as_tensor(np.asarray(x), dtype=torch.float32)
    return Dataset("own", "points", x, columns=tuple("abcdefgh"[: x.shape[1]]), total=len(x), **more)


def frames(experiment: KDE, n: int = 10_000) -> list[Frame]:
    found = (item for item in experiment.run() if isinstance(item, Frame))
    return list(itertools.islice(found, n))


def view(experiment: KDE, name: str) -> Any:
    return next(iter(experiment.run())).views[name]()


# ── the numbers ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kernel", list(kde.KERNELS))
def test_every_kernel_is_a_density_of_standard_deviation_one(kernel):
    u = torch.linspace(-10, 10, 200_001, dtype=torch.float64)
    k = kde.KERNELS[kernel](u)
    assert float(k.min()) >= 0
    assert float(torch.trapezoid(k, u)) == pytest.approx(1, abs=1e-4)
    assert float(torch.trapezoid(k * u**2, u)) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("kernel", list(kde.KERNELS))
@pytest.mark.parametrize("h", [0.03, 0.4, 2.0])
def test_the_density_on_a_line_is_that_of_scikit_learn(kernel, h):
    from sklearn.neighbors import KernelDensity

    x, at = RNG.normal(0, 1, 50), np.linspace(-3, 3, 200)
    found = kde.density(torch.from_numpy(at), torch.from_numpy(x), h, kernel)
    # There a bandwidth is the half width of a kernel that ends, here it is always the standard deviation.
    peer = KernelDensity(bandwidth=ROOTS[kernel] * h, kernel=PEERS[kernel], rtol=1e-12).fit(x[:, None])
    np.testing.assert_allclose(found.numpy(), np.exp(peer.score_samples(at[:, None])), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("h", [0.05, 0.5])
def test_the_log_density_is_that_of_scipy_and_of_scikit_learn(d, h):
    from scipy.stats import gaussian_kde
    from sklearn.neighbors import KernelDensity

    x, at = RNG.normal(0, 1, (40, d)), RNG.normal(0, 1, (300, d))
    found = kde.log_density(torch.from_numpy(at), torch.from_numpy(x), h).numpy()
    peer = KernelDensity(bandwidth=h, rtol=1e-12).fit(x)
    np.testing.assert_allclose(found, peer.score_samples(at), rtol=1e-6, atol=1e-6)
    white = np.linalg.solve(np.linalg.cholesky(np.atleast_2d(np.cov(x.T))), x.T)  # scipy's kernels are round
    places = np.linalg.solve(np.linalg.cholesky(np.atleast_2d(np.cov(x.T))), at.T)
    other = gaussian_kde(white, bw_method=h).logpdf(places)
    own = kde.log_density(torch.from_numpy(places.T.copy()), torch.from_numpy(white.T.copy()), h).numpy()
    np.testing.assert_allclose(own, other, rtol=1e-6, atol=1e-6)


def test_the_log_density_is_the_slow_formula_in_the_plane_and_with_every_kernel_its_map():
    x, at = torch.from_numpy(RNG.normal(0, 1, (30, 2))), torch.from_numpy(RNG.normal(0, 1, (7, 2)))
    h = 0.3
    slow = [sum(math.exp(-float(((a - p) ** 2).sum()) / (2 * h**2)) for p in x) / 30 for a in at]
    norm = 2 * math.pi * h**2
    found = kde.log_density(at, x, h).exp()
    np.testing.assert_allclose(found.numpy(), np.array(slow) / norm, rtol=1e-9)
    grid = kde.density_map(at[:, 0], at[:, 1], x, h, "gaussian")  # (rows, columns)
    np.testing.assert_allclose(grid.diagonal().numpy(), found.numpy(), rtol=1e-9)


def test_far_away_the_log_density_is_still_a_number():
    found = kde.log_density(torch.tensor([[1e4]]).double(), torch.zeros(3, 1).double(), 0.02)
    assert float(found) == pytest.approx(-0.5 * (1e4 / 0.02) ** 2 - math.log(0.02 * math.sqrt(2 * math.pi)))


def test_the_rules_of_thumb():
    from scipy.stats import gaussian_kde

    for d, n in itertools.product((1, 2), (30, 500)):
        assert kde.scott(n, d) == pytest.approx(gaussian_kde(RNG.normal(size=(d, n))).silverman_factor())
    x = RNG.normal(0, 1, 400)
    low, high = np.quantile(x, [0.25, 0.75])
    expected = 0.9 * min(x.std(ddof=1), (high - low) / 1.34) * 400**-0.2
    assert kde.silverman(torch.from_numpy(x)) == pytest.approx(expected)
    same = torch.tensor([1.0, 1, 1, 1, 1, 1, 1, 1, 2]).double()
    assert kde.silverman(same) == pytest.approx(0.9 * float(same.std()) * 9**-0.2)  # no IQR, yet a width


@pytest.mark.parametrize("dataset", ["bumps", "moons", "digits"])
def test_the_likelihoods_are_those_of_scikit_learn_in_units_of_the_data(dataset):
    from sklearn.neighbors import KernelDensity

    experiment = make(dataset, n=200, h=0.2)
    seen = (experiment.z * experiment.spread).numpy()
    peer = KernelDensity(bandwidth=0.2 * experiment.spread, rtol=1e-12).fit(seen[experiment.used])
    scalars = frames(experiment, 1)[0].scalars
    held = peer.score_samples(seen[experiment.held]).mean()
    known = peer.score_samples(seen[experiment.used]).mean()
    assert scalars["heldout_log_likelihood"] == pytest.approx(held, abs=1e-6)
    assert scalars["train_log_likelihood"] == pytest.approx(known, abs=1e-6)
    assert not set(experiment.used.tolist()) & set(experiment.held.tolist())


@pytest.mark.parametrize("kernel", list(kde.KERNELS))
@pytest.mark.parametrize(("dataset", "h"), [("bumps", 0.1), ("claw", 0.3), ("blobs", 0.2)])
def test_the_pictures_integrate_to_one(dataset, h, kernel):
    experiment = make(dataset, h=h, kernel=kernel)
    curve = view(experiment, "density")
    assert np.trapezoid(curve.lines["p(x)"], curve.x) == pytest.approx(1, abs=5e-3)
    if dataset == "blobs":
        layer = view(experiment, "map").layers[0]
        x0, x1, y0, y1 = layer.extent
        cell = (x1 - x0) / layer.value.shape[1] * (y1 - y0) / layer.value.shape[0]
        assert float(layer.value.sum()) * cell == pytest.approx(1, abs=5e-3)


@pytest.mark.parametrize("kernel", list(kde.KERNELS))
def test_the_curve_is_the_map_seen_from_one_side(kernel):
    experiment = make("moons", h=0.3, kernel=kernel)
    layer, curve = view(experiment, "map").layers[0], view(experiment, "density")
    x0, x1, y0, y1 = layer.extent
    side = layer.value.sum(0) * (y1 - y0) / len(layer.value)  # ∫ p(x, y) dy, (columns,)
    columns = x0 + (np.arange(len(side)) + 0.5) / len(side) * (x1 - x0)
    np.testing.assert_allclose(side, np.interp(columns, curve.x, curve.lines["p(x)"]), atol=4e-3)


def test_the_bumps_add_up_to_the_curve():
    experiment = make("bumps", n=kde.BUMPS, h=0.2)
    curve = view(experiment, "density")
    assert curve.quiet.shape == (kde.BUMPS, kde.LINE)
    np.testing.assert_allclose(curve.quiet.sum(0), curve.lines["p(x)"], atol=1e-5)
    assert len(curve.rug) == kde.BUMPS
    assert set(curve.filled) == {"p(x)"}


@pytest.mark.parametrize("dataset", ["bumps", "claw"])
def test_the_true_density_is_drawn(dataset):
    experiment = make(dataset)
    curve = view(experiment, "density")
    truth = curve.lines["true density"]
    known = np.isfinite(truth)
    assert known.mean() > 0.6
    assert np.trapezoid(truth[known], curve.x[known]) == pytest.approx(1, abs=0.01)
    assert "true density" not in view(make("moons"), "density").lines


# ── the sweep, and the knob ───────────────────────────────────────────────────────────────────────────────


def test_play_sweeps_from_spiky_to_flat_and_goes_back_to_the_best():
    experiment = make("bumps")
    found = frames(experiment)
    assert [f.step for f in found] == list(range(SWEPT + 2))
    assert found[0].scalars["h"] == 0.1
    assert [f.scalars["h"] for f in found[1:-1]] == list(SWEEP)
    best = max(found[1:-1], key=lambda f: f.scalars["heldout_log_likelihood"])
    assert found[-1].scalars["h"] == best.scalars["h"]
    assert "suits the held-out points best" in experiment.ended()
    assert len(frames(experiment)) == 1  # nothing more to learn


def test_the_curve_grows_with_the_sweep_and_says_what_was_found():
    experiment = make("bumps")
    found = []
    for frame in frames_as_they_come(experiment):
        found.append(frame.scalars)
        if len(found) == 11:
            break
    curve = view(experiment, "heldout")
    for name, key in (("held out", "heldout_log_likelihood"), ("training", "train_log_likelihood")):
        assert np.isfinite(curve.lines[name]).sum() == 10
        np.testing.assert_allclose(curve.lines[name][:10], [f[key] for f in found[1:]], rtol=1e-6)
    assert [str(mark.name) for mark in curve.marks] == ["h", "Silverman", "Scott"]
    frames(experiment)
    curve = view(experiment, "heldout")
    assert [str(mark.name) for mark in curve.marks] == ["best", "Silverman", "Scott"]
    best = curve.marks[0].x
    assert best == SWEEP[int(np.argmax(curve.lines["held out"]))]


def frames_as_they_come(experiment: KDE) -> Any:
    return (item for item in experiment.run() if isinstance(item, Frame))


def test_the_pictures_follow_the_knob_once_it_is_turned_while_the_sweep_goes_on():
    experiment = make("bumps")
    running = frames_as_they_come(experiment)
    for _step in range(6):
        frame = next(running)
    assert frame.scalars["h"] == SWEEP[4]
    experiment.p = change(experiment.p, {"h": 0.5})
    curve = frame.views["heldout"]()  # drawn again while it waits
    assert curve.marks[0].x == 0.5
    later = next(running)
    assert later.scalars["h"] == 0.5
    shown = later.views["heldout"]()
    assert shown.range[0] < later.scalars["heldout_log_likelihood"] < shown.range[1]
    assert len(experiment.heldout) == 6
    experiment.p = change(experiment.p, {"h": 0.1})  # where it stood at first: still in their hands
    assert next(running).scalars["h"] == 0.1
    last = list(running)[-1]
    assert last.scalars["h"] == 0.1
    other = make("bumps")
    frames(other)
    assert torch.equal(experiment.heldout, other.heldout)


def test_with_the_sweep_off_the_pictures_stay_at_the_knob():
    experiment = of("spiky")
    (only,) = frames(experiment)
    assert only.scalars["h"] == 0.02
    assert "sweep is off" in experiment.ended()
    experiment.p = change(experiment.p, {"h": 0.7})
    (again,) = frames(experiment)
    assert again.scalars["h"] == 0.7
    curve = again.views["heldout"]()
    at = int(np.flatnonzero(np.isfinite(curve.lines["held out"])).item())
    assert curve.x[at] == np.float32(0.7)
    assert curve.lines["held out"][at] == pytest.approx(again.scalars["heldout_log_likelihood"])
    experiment.p = change(experiment.p, {"sweep": True})  # now it sweeps, and the pictures with it
    assert [f.scalars["h"] for f in frames(experiment, 4)] == [0.7, *SWEEP[:3]]
    experiment.p = change(experiment.p, {"sweep": False})
    assert [f.scalars["h"] for f in frames(experiment)] == [0.7]
    assert np.isfinite(view(experiment, "heldout").lines["held out"]).sum() == 4


def test_the_kernel_is_turned_without_touching_the_likelihoods():
    experiment = make("bumps")
    frame = frames(experiment, 5)[-1]
    before, scale = frame.views["density"]().lines["p(x)"], frame.views["map"]().layers[0].value
    experiment.p = change(experiment.p, {"kernel": "box"})
    assert np.abs(frame.views["density"]().lines["p(x)"] - before).max() > 0.01
    assert not np.array_equal(frame.views["map"]().layers[0].value, scale)
    heldout = make("bumps")
    frames(heldout)
    frames(experiment)
    assert torch.equal(experiment.heldout, heldout.heldout)


def test_slow_motion_names_both_halves_of_a_step():
    said = [item.text for item in itertools.islice(make("bumps").run(), 4) if isinstance(item, Beat)]
    assert len(said) == 2


def test_a_kept_state_goes_on_as_if_never_left():
    experiment = make("moons")
    frames(experiment, 8)
    experiment.p = change(experiment.p, {"h": 0.3})
    running = frames_as_they_come(experiment)
    list(itertools.islice(running, 3))
    kept, params = experiment.state(), experiment.p
    onwards = [f.scalars for f in frames(experiment)]
    other = make("moons", seed=99)
    other.p = params
    other.restore(kept)
    assert [f.scalars for f in frames(other)] == onwards


def test_points_painted_in_the_middle_are_judged_again():
    experiment = make("moons")
    frames(experiment, 8)
    old = experiment.heldout.clone()
    more = torch.cat([experiment.data.x, torch.tensor([[8.0, 8.0]]).repeat(300, 1)])
    experiment.take(points(more))
    assert len(experiment.heldout) == len(old) == 7
    assert not torch.allclose(experiment.heldout, old)
    expected = [experiment._likelihoods(h)[0] for h in SWEEP[:7]]
    assert experiment.heldout.tolist() == expected
    assert frames(experiment)[-1].step == SWEPT + 1


def test_same_seed_same_split_and_another_seed_another_one():
    assert torch.equal(make("bumps", seed=1).used, make("bumps", seed=1).used)
    assert not torch.equal(make("bumps", seed=1).used, make("bumps", seed=2).used)


# ── odd input ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("x", "said"),
    [
        ([[1.0, 2.0]], "at least two points"),
        (np.full((40, 2), 0.1), "same place"),
        (np.full((40, 1), 1e9), "same place"),
        (np.full((40, 5), 0.3), "same place"),
        ([[0.0, 1.0], [float("nan"), 0.0]], "Item 1 has a value that is not a number"),
        ([[0.0], [1.0], [float("inf")]], "Item 2 has a value that is not a number"),
    ],
    ids=["one point", "one place", "one number", "one place in space", "nan", "inf"],
)
def test_what_has_no_density_is_refused_with_a_sentence(x, said):
    with pytest.raises(InputError, match=said):
        make(points(x))


@pytest.mark.parametrize(("x", "said"), NOT_TO_BE_SQUARED)
def test_numbers_that_float32_cannot_square_are_refused(x, said):
    with pytest.raises(InputError, match=said):
        make(points(x))


@pytest.mark.parametrize("far", OUT_OF_RANGE)
def test_an_input_out_of_range_is_refused(far):
    experiment = make(points(torch.randn(30, 5, generator=torch.Generator().manual_seed(0))))
    with pytest.raises(InputError, match="has 5 numbers"):
        experiment.encode(np.full(5, far))


@pytest.mark.parametrize("n", [1, 60, 2000])
@pytest.mark.parametrize(
    "x",
    [
        [[0.0], [1.0]],
        [[0.0, 1.0], [5.0, 1.0]],
        np.repeat([[0.0], [5.0]], 40, axis=0),
        np.concatenate([np.zeros((39, 1)), np.ones((1, 1))]),
        np.stack([np.linspace(0, 1, 40), np.full(40, 3.0)], 1),
        np.stack([np.full(40, 3.0), np.linspace(0, 1, 40)], 1),
        1e9 + 1e3 * RNG.normal(size=(60, 2)),
        1e-20 * RNG.normal(size=(60, 1)),
        1e15 * RNG.normal(size=(60, 3)),
        np.concatenate([RNG.normal(size=(60, 1)), [[1e12]]]),
    ],
    ids=["two", "two in a row", "two places", "one stranger", "flat", "upright", "far", "tiny", "huge",
         "outlier"],
)  # fmt: skip
def test_odd_clouds_are_swept_and_drawn(x, n):
    experiment = make(points(x), n=n)
    for frame in frames(experiment):
        assert all(math.isfinite(value) for value in frame.scalars.values())
    for name in KDE.channels:
        shown = view(experiment, name)
        if isinstance(shown, Points):
            assert np.isfinite(shown.xy).all()
            assert np.isfinite(shown.layers[0].value).all()
        else:
            assert all(not np.isinf(line).any() for line in shown.lines.values())
            assert shown.range is None or shown.range[0] < shown.range[1] < math.inf
            assert all(math.isfinite(mark.x) for mark in shown.marks)


def test_where_an_input_lies_and_how_dense_it_is_there():
    experiment = make("moons", h=0.2)
    layer = view(experiment, "map").layers[0]
    answer = experiment.encode(experiment.data.x[5].numpy())
    np.testing.assert_allclose(answer.xy, experiment.data.x[5].numpy(), atol=1e-5)
    x0, x1, y0, y1 = layer.extent
    column = int((answer.xy[0] - x0) / (x1 - x0) * kde.MAP)
    row = int((answer.xy[1] - y0) / (y1 - y0) * kde.MAP)
    assert float(str(answer.text).split("=")[1]) == pytest.approx(float(layer.value[row, column]), rel=0.1)
    with pytest.raises(InputError, match="has 2 numbers"):
        experiment.encode(np.zeros(3))


# ── pictures ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_map_of_a_plane():
    experiment = make("moons")
    shown = view(experiment, "map")
    assert [type(layer) for layer in shown.layers] == [Field, Ellipses]
    np.testing.assert_allclose(shown.xy, experiment.data.x.numpy(), atol=1e-5)
    assert (shown.label == 0).sum() == 400
    assert (shown.label == 1).sum() == 600
    np.testing.assert_allclose(shown.layers[1].axes[0], np.eye(2) * 0.15 * experiment.spread, rtol=1e-5)
    assert shown.classes is not None


def test_the_map_of_a_line_shows_every_bandwidth_at_once():
    experiment = make("bumps", h=0.5)
    shown = view(experiment, "map")
    value = shown.layers[0].value
    assert value.shape[0] == SWEPT
    arrow = shown.layers[1]
    np.testing.assert_allclose(
        [arrow.start[0, 1], arrow.end[0, 1]], np.log10([SWEEP[0], SWEEP[-1]]), atol=1e-6
    )
    np.testing.assert_allclose(value.max(1), 1, atol=1e-6)
    np.testing.assert_allclose(shown.xy[shown.label == 0, 1], math.log10(0.5), atol=1e-6)
    assert (shown.xy[shown.label != 0, 1] < math.log10(SWEEP[0])).all()
    peaks = ((value[:, 1:-1] > value[:, :-2]) & (value[:, 1:-1] >= value[:, 2:])).sum(1)
    assert peaks[0] > 15  # one for nearly each point
    assert peaks[-1] == 1


# ── what a class must see ─────────────────────────────────────────────────────────────────────────────────


def demo(name: str) -> Demo:
    return {d.name: d for d in KDE.info.demos}[name]


def of(name: str, seed: int | None = None, **more: Any) -> KDE:
    found = demo(name)
    return make(found.dataset, seed=found.seed if seed is None else seed, **{**found.params, **more})


def humps(experiment: KDE) -> int:
    """The peaks of the curve that stand at least a fiftieth of the tallest above the valleys beside them."""
    from scipy.signal import find_peaks

    line = view(experiment, "density").lines["p(x)"]
    return len(find_peaks(line, prominence=line.max() / 50)[0])


def missed(experiment: KDE) -> float:
    """∫ (p − true p)² dx."""
    curve = view(experiment, "density")
    gap = np.nan_to_num(curve.lines["p(x)"] - curve.lines["true density"])
    return float(np.trapezoid(gap**2, curve.x))


def test_the_demos_show_what_they_say():
    assert humps(of("spiky")) > 15
    assert humps(of("flat")) == 1
    spiky, flat, ordinary = (frames(of(n), 1)[0].scalars for n in ("spiky", "flat", "peak"))
    assert spiky["train_log_likelihood"] > ordinary["train_log_likelihood"] > flat["train_log_likelihood"]
    assert spiky["heldout_log_likelihood"] < ordinary["heldout_log_likelihood"] - 0.2
    assert flat["heldout_log_likelihood"] < ordinary["heldout_log_likelihood"] - 0.2


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", ["peak", "moons"])
def test_the_held_out_likelihood_peaks_in_between(name, seed):
    experiment = of(name, seed)
    frames(experiment)
    held, train = experiment.heldout, experiment.train
    assert 0 < int(held.argmax()) < SWEPT - 1
    assert float(held.max() - held[0]) > 0.2
    assert float(held.max() - held[-1]) > 0.2
    assert bool((train.diff() < 0).all())  # points it knows are always likelier with narrower bumps


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_best_bandwidth_shows_two_bumps(seed):
    experiment = of("peak", seed)
    frames(experiment)
    assert 2 <= humps(experiment) <= 5
    assert missed(experiment) < missed(of("spiky", seed)) / 2
    assert missed(experiment) < missed(of("flat", seed)) / 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_silvermans_rule_smooths_the_claw_away(seed):
    experiment = of("claw", seed, sweep=True)
    rule = next(m.x for m in view(experiment, "heldout").marks if m.name == "Silverman")
    smooth = of("claw", seed)
    assert smooth.p.h == pytest.approx(rule, rel=0.03)
    assert humps(smooth) < 5
    frames(experiment)
    assert experiment._best() < 0.6 * rule
    assert humps(experiment) >= 5
    assert missed(smooth) > 2 * missed(experiment)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_more_points_want_narrower_bumps(seed):
    few, many = make("bumps", seed=seed, n=20), make("bumps", seed=seed, n=800)
    frames(few)
    frames(many)
    assert many._best() < few._best()


def test_a_million_points_are_sampled():
    experiment = make(load("million", params={"n": 300_000}))
    assert len(experiment.used) == 2000
    assert len(experiment.held) == kde.MOST
    assert len(view(experiment, "map").xy) == 300_000
    assert isinstance(view(experiment, "density"), Curve)
