"""Distances in many dimensions: against naive sums, scipy and scikit-learn, and what a class must see."""

from __future__ import annotations

import itertools
import math
import tracemalloc
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from engine.core.frame import Beat, Frame
from engine.core.params import change
from engine.core.text import InputError
from engine.data.registry import nothing_at_all
from engine.experiments.clusters import distances
from engine.experiments.clusters.distances import LAST, LAWS, Distances, DistancesParams

KINDS = list(LAWS)


def make(*, seed: int = 0, **params: Any) -> Distances:
    torch.set_num_threads(1)
    chosen = change(DistancesParams(), params)
    return Distances(nothing_at_all(), chosen, seed=seed, device=torch.device("cpu"))


def frames(experiment: Distances, n: int = 1000) -> list[Frame]:
    return list(itertools.islice((f for f in experiment.run() if isinstance(f, Frame)), n))


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def points(kind: str, n: int, d: int, seed: int = 0) -> tuple[np.ndarray, list[np.ndarray]]:
    """The same points twice: whole, (n, d) one number for each coordinate, and as the blocks they came in."""
    found = list(distances.blocks(kind, n, d, rng(seed)))
    whole = np.concatenate(found, 1)
    if kind == "binary":
        bits = np.unpackbits(whole.view(np.uint8).reshape(n, -1), axis=1, bitorder="little")  # (n, 64 words)
        assert not bits[:, d:].any()  # nothing beyond the last dimension is ever counted
        whole = bits[:, :d]
    assert whole.shape == (n, d)
    return whole.astype(np.float64), found


def naive(x: np.ndarray) -> np.ndarray:
    """Squared distances of each row to each, the long way."""
    return np.array([[((a - b) ** 2).sum() for b in x] for a in x])


# ── points and their distances ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("d", [1, 2, 63, 64, 65, 128, 1000])
@pytest.mark.parametrize("kind", KINDS)
def test_distances_block_by_block_are_the_naive_ones(kind, d, monkeypatch):
    monkeypatch.setattr(distances, "BLOCK", 300)  # several blocks even here
    n = 130
    x, found = points(kind, n, d)
    assert len(found) > 1 or math.ceil(d / (64 if kind == "binary" else 1)) <= 2
    whole = naive(x)
    between, around = distances.pairs_and_others(found, n // 2)
    np.testing.assert_allclose(between, whole[np.arange(0, n, 2), np.arange(1, n, 2)], rtol=1e-4)
    np.testing.assert_allclose(around, whole[0, 1 : 1 + distances.OTHERS], rtol=1e-4)
    np.testing.assert_allclose(distances.all_pairs(found, n), whole, rtol=1e-4)


def test_no_dimension_at_all_is_no_distance():
    assert not distances.all_pairs(distances.blocks("binary", 9, 0, rng()), 9).any()


def test_every_bit_is_a_fair_coin_of_its_own():
    x, _found = points("binary", 4000, 200)
    assert set(np.unique(x)) == {0, 1}
    np.testing.assert_allclose(x.mean(0), 0.5, atol=4.5 * 0.5 / math.sqrt(4000))  # the sign bit too
    between = np.corrcoef(x.T) - np.eye(200)
    assert np.abs(between).max() < 5.5 / math.sqrt(4000)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_predicted_is_exact(kind):
    a, _found = points(kind, 4000, 250, seed=1)
    terms = (a[0::2] - a[1::2]) ** 2  # half a million of them
    law, n = LAWS[kind], terms.size
    assert terms.mean() == pytest.approx(law.mean, abs=4 * law.spread / math.sqrt(n))
    assert terms.std() == pytest.approx(law.spread, rel=0.01)
    if kind == "binary":
        assert law.sigma(1000 * 1000) == 1 / 2000  # as on the slide
    if law.grid:
        assert (terms % law.grid == 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_million_dimensions_take_little_memory(kind, monkeypatch):
    experiment = make(law=kind)
    experiment.d = LAST
    drawn, sizes = [], []

    def watched(*args: Any) -> Iterator[np.ndarray]:
        """tracemalloc does not see what torch holds: count the blocks that are still alive."""
        for block in made(*args):
            drawn.append(weakref.ref(block))
            sizes.append(block.nbytes)
            assert sum(ref() is not None for ref in drawn[-4:]) <= 2
            yield block

    made = distances.blocks
    monkeypatch.setattr(distances, "blocks", watched)
    tracemalloc.start()
    try:
        experiment._draw()
        experiment._measure()
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40e6
    assert max(sizes) <= 8 * distances.BLOCK < 5e6
    assert sum(sizes) > 100e6  # so much went through
    assert 2 * distances.pairs_at(kind, LAST) > distances.OTHERS


# ── against the Gaussian ──────────────────────────────────────────────────────────────────────────────────


def test_the_kolmogorov_smirnov_distance_is_scipys():
    from scipy.stats import kstest

    values = np.random.default_rng(0).normal(0.6, 1.2, 500)
    expected = kstest(values, "norm", args=(0.5, 1.0)).statistic
    assert distances.kolmogorov(values, 0.5, 1.0) == pytest.approx(expected, abs=1e-12)
    rounded = values.round(1)  # ties
    expected = kstest(rounded, "norm", args=(0.5, 1.0)).statistic
    assert distances.kolmogorov(rounded, 0.5, 1.0) == pytest.approx(expected, abs=1e-12)


def test_values_on_a_grid_are_compared_fairly():
    """A rounded Gaussian is as far from the rounded Gaussian as the Gaussian was from itself, or less."""
    values = np.random.default_rng(1).normal(0.5, 1.0, 20_000)
    exact = distances.kolmogorov(values, 0.5, 1.0)
    rounded = values.round()
    assert distances.kolmogorov(rounded, 0.5, 1.0) > 0.15  # unfairly: the height of a stair
    assert distances.kolmogorov(rounded, 0.5, 1.0, grid=1.0) <= exact + 1e-9
    assert distances.kolmogorov(rounded + 1, 0.5, 1.0, grid=1.0) > 0.3  # and a real difference is still seen


@pytest.mark.parametrize("d", [2, 3, 4, 16, 1000, 99_999])
@pytest.mark.parametrize("law", KINDS)
def test_the_histogram_holds_every_pair(law, d):
    experiment = make(law=law, d=d)
    frame = frames(experiment, 1)[0]
    histogram = frame.views["histogram"]().histogram
    width = np.diff(histogram.edges.astype(np.float64))
    assert float((width * histogram.heights).sum()) == pytest.approx(1, rel=1e-3)
    zoom = frame.views["zoom"]()
    assert float((np.diff(zoom.histogram.edges) * zoom.histogram.heights).sum()) == pytest.approx(1, rel=1e-3)
    assert len(histogram.heights) < 60
    if law == "binary":  # as many places of the grid in each bar: no teeth that are not there
        assert (np.round(width * d, 2) == np.round(width * d)).all() if d < 1000 else True
        assert np.ptp(np.round(width * d)) == 0
    line = next(iter(zoom.lines.values()))
    assert float(np.trapezoid(line, zoom.x)) == pytest.approx(1, abs=1e-3)


# ── k-means ───────────────────────────────────────────────────────────────────────────────────────────────


def cloud(d: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The points that k-means is given at dimension d, coordinate by coordinate, and their squared distances
    as the experiment has them.
    """
    plane, truth = distances.groups()
    coins, found = points("binary", len(truth), d - 2, seed)
    x = np.concatenate([plane, 2 * coins - 1], 1)
    apart = distances.all_pairs([plane], len(truth)) + 4 * distances.all_pairs(found, len(truth))
    return x, apart


@pytest.mark.parametrize("d", [3, 100, 3000])
def test_k_means_on_distances_is_k_means_on_the_points(d):
    from sklearn.cluster import KMeans

    x, apart = cloud(d)
    np.testing.assert_allclose(apart, naive(x), rtol=1e-9, atol=1e-9)
    start = [5, 40, 77]
    peer = KMeans(3, init=x[start], n_init=1, tol=0, max_iter=1000, algorithm="lloyd").fit(x)
    labels, inertia = distances.lloyd(apart, apart[start].argmin(0), 3)
    np.testing.assert_array_equal(labels, peer.labels_)
    assert inertia == pytest.approx(peer.inertia_, rel=1e-9)


def test_the_distance_to_a_mean_needs_only_distances():
    x, apart = cloud(50)
    labels = np.arange(len(x)) % 4
    means = np.stack([x[labels == j].mean(0) for j in range(4)])
    slow = ((x[:, None] - means[None]) ** 2).sum(2)
    np.testing.assert_allclose(distances.scores(apart, labels, 4), slow, rtol=1e-9)
    assert np.isinf(distances.scores(apart, labels, 5)[:, 4]).all()  # nobody joins an empty group


def inertia(apart: np.ndarray, labels: np.ndarray) -> float:
    return float(distances.scores(apart, labels, 3)[np.arange(len(labels)), labels].sum())


def test_few_coins_do_not_trouble_k_means():
    _plane, truth = distances.groups()
    _x, apart = cloud(32)
    found = distances.kmeans(apart, 3, distances.STARTS, rng())
    assert inertia(apart, found) <= inertia(apart, truth) + 1e-9
    assert distances.adjusted_rand(truth, found) > 0.9


def test_with_a_thousand_coins_k_means_stays_where_it_starts():
    _plane, truth = distances.groups()
    _x, apart = cloud(2000)
    anyhow = np.random.default_rng(0).integers(0, 3, len(truth))
    assert (distances.lloyd(apart, anyhow, 3)[0] != anyhow).mean() < 0.05
    assert inertia(apart, anyhow) == pytest.approx(inertia(apart, truth), rel=0.02)
    _x, apart = cloud(16)
    assert (distances.lloyd(apart, anyhow, 3)[0] != anyhow).mean() > 0.5


def test_with_very_many_coins_nonsense_has_a_lower_inertia_than_the_truth():
    _plane, truth = distances.groups()
    _x, apart = cloud(30_000)
    middle = np.eye(len(truth)) - 1 / len(truth)
    values, vectors = np.linalg.eigh(-middle @ apart @ middle / 2)  # classical scaling
    widest = vectors[:, -2:] * np.sqrt(values[-2:])
    start = distances.kmeans(naive(widest), 3, distances.STARTS, rng())
    nonsense, lowest = distances.lloyd(apart, start, 3)
    assert lowest < inertia(apart, truth)
    assert abs(distances.adjusted_rand(truth, nonsense)) < 0.1


def test_points_in_one_place_are_no_trouble():
    labels = distances.kmeans(np.zeros((7, 7)) + 1e-300, 3, 2, rng())
    assert labels.shape == (7,)


def test_the_adjusted_rand_index_is_scikit_learns():
    from sklearn.metrics import adjusted_rand_score

    g = np.random.default_rng(3)
    for _round in range(20):
        a, b = g.integers(0, 3, 60), g.integers(0, 4, 60)
        assert distances.adjusted_rand(a, b) == pytest.approx(adjusted_rand_score(a, b), abs=1e-12)
    one = np.zeros(60, np.int64)
    assert distances.adjusted_rand(one, one) == 1
    assert distances.adjusted_rand(a, one) == 0


def test_groups_keep_their_colours():
    truth = np.array([0, 0, 1, 1, 2, 2])
    np.testing.assert_array_equal(distances.named_as(truth, np.array([2, 2, 0, 0, 1, 1])), truth)
    np.testing.assert_array_equal(
        distances.named_as(truth, np.array([1, 1, 0, 1, 2, 2])), np.array([0, 0, 1, 0, 2, 2])
    )


# ── the run ───────────────────────────────────────────────────────────────────────────────────────────────


def test_play_doubles_the_dimension_up_to_a_million():
    experiment = make(d=300_000)
    seen = [(f.step, experiment.d) for f in (f for f in experiment.run() if isinstance(f, Frame))]
    assert seen == [(0, 300_000), (1, 600_000), (2, LAST)]
    assert "million" in experiment.ended()


def test_the_knob_goes_to_a_dimension_by_hand_and_play_goes_on_from_there():
    experiment = make()
    running = (f for f in experiment.run() if isinstance(f, Frame))
    next(running), next(running)
    for wanted, expected in ((1000, 1000), (1000, 2000), (3, 3), (3, 6)):
        experiment.p = change(experiment.p, {"d": wanted})
        frame = next(running)
        assert experiment.d == expected
        assert frame.scalars["predicted_spread"] == pytest.approx(0.5 / math.sqrt(expected))
    lost = frame.views["lost"]()
    assert lost.x.tolist() == [2, 3, 4, 6, 1000, 2000]
    assert lost.marks[0].x == 6


def test_with_the_sweep_off_each_step_draws_anew_where_the_knob_is():
    experiment = make(d=500, sweep=False)
    running = (f for f in experiment.run() if isinstance(f, Frame))
    first = [next(running).scalars["spread"] for _step in range(4)]
    assert len(set(first)) == 4
    assert experiment.d == 500
    experiment.p = change(experiment.p, {"d": 70})
    next(running)
    assert experiment.d == 70
    experiment.p = change(experiment.p, {"sweep": True})
    next(running)
    assert experiment.d == 140


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_demo_of_k_means_starts_where_it_is_lost(seed):
    params = next(d for d in Distances.info.demos if d.name == "kmeans").params
    lost, found = make(seed=seed, **params), make(seed=seed, **{**params, "d": 64})
    assert abs(frames(lost, 1)[0].scalars["kmeans_ari"]) < 0.2
    assert frames(found, 1)[0].scalars["kmeans_ari"] > 0.9


def test_the_knob_wakes_a_run_that_has_ended():
    experiment = make(d=LAST // 2)
    assert len(frames(experiment)) == 2
    assert len(frames(experiment)) == 1
    experiment.p = change(experiment.p, {"d": 500_001})
    assert [f.step for f in frames(experiment)] == [1, 2, 3]


def test_a_kept_state_goes_on_as_if_never_left():
    experiment = make()
    frames(experiment, 4)
    kept = experiment.state()
    onwards = [f.scalars for f in frames(experiment, 6)]
    other = make(seed=99, d=50)
    other.restore(kept)
    other.p = experiment.p
    assert [f.scalars for f in frames(other, 6)] == onwards


def test_left_in_the_middle_of_a_step_it_still_shows_one_dimension():
    experiment = make(d=8)
    running = experiment.run()
    next(running)
    beats = [next(running), next(running)]
    assert all(isinstance(beat, Beat) for beat in beats)
    other = make(d=8)
    other.restore(experiment.state())
    assert other.d == 16
    assert next(other.run()).scalars["predicted_spread"] == 0.125


def test_another_seed_other_coins_but_the_same_groups():
    a, b = make(seed=1, d=64), make(seed=2, d=64)
    assert not np.array_equal(a.distances, b.distances)
    assert not torch.equal(a.pixels, b.pixels)
    np.testing.assert_array_equal(a.xy, b.xy)


def test_neighbours_count_every_coordinate():
    low, high = make(d=2), make(d=100_000)
    index = 7
    plane = np.square(low.xy - low.xy[index]).sum(1)
    assert low.neighbours(index) == [int(i) for i in plane.argsort() if i != index][:6]
    assert {int(low.truth[i]) for i in low.neighbours(index)} == {int(low.truth[index])}
    right = [int(high.truth[i] == high.truth[j]) for j in range(120) for i in high.neighbours(j)]
    assert 0.2 < np.mean(right) < 0.5  # a third by chance
    with pytest.raises(InputError):
        low.neighbours(120)


@pytest.mark.parametrize("d", [1, 0, LAST + 1, 2.5, float("nan")])
def test_dimensions_that_there_are_not(d):
    with pytest.raises(InputError):
        make(d=d)


def test_pictures_are_new_at_each_step_and_all_alike_far_apart():
    experiment = make()
    running = (f for f in experiment.run() if isinstance(f, Frame))
    first = next(running).views["pictures"]()
    second = next(running).views["pictures"]()
    assert first.pixels.shape == (12, 32, 32, 3)
    assert not np.array_equal(first.pixels, second.pixels)
    flat = np.concatenate([first.pixels, second.pixels]).reshape(24, -1).astype(np.float64)
    apart = (naive(flat) / flat.shape[1])[np.triu_indices(24, 1)]
    law = LAWS["uniform"]
    np.testing.assert_allclose(apart, law.mean, atol=5 * law.sigma(flat.shape[1]))
    assert first.captions[1] == f"D = {((flat[0] - flat[1]) ** 2).mean():.3f}"
    # Nothing in them: a pixel says nothing about the one beside it.
    grey = first.pixels.mean(3)
    assert abs(float(np.corrcoef(grey[:, :, 1:].ravel(), grey[:, :, :-1].ravel())[0, 1])) < 0.04


# ── what a class must see ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_distances_concentrate_on_the_way_to_a_million(seed):
    experiment = make(seed=seed)
    found = {}
    for frame in (f for f in experiment.run() if isinstance(f, Frame)):
        found[experiment.d] = frame.scalars
    assert list(found) == [2**i for i in range(1, 20)] + [LAST]
    for d, scalars in found.items():
        assert scalars["predicted_spread"] == pytest.approx(1 / (2 * math.sqrt(d)))
        if d >= 16:
            assert scalars["spread"] == pytest.approx(scalars["predicted_spread"], rel=0.1)
        if d >= 256:  # Kolmogorov's bound at 1 in 1000, for that many independent pairs
            assert scalars["ks"] < 1.95 / math.sqrt(distances.PAIRS)
    assert found[2]["nearest_over_farthest"] < 0.5
    assert min(s["nearest_over_farthest"] for d, s in found.items() if d >= 10_000) > 0.9
    assert min(s["kmeans_ari"] for d, s in found.items() if d <= 128) > 0.9
    assert max(abs(s["kmeans_ari"]) for d, s in found.items() if d >= 4096) < 0.2


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("law", ["uniform", "gaussian"])
def test_other_points_concentrate_too(law, seed):
    experiment = make(seed=seed, law=law)
    first = None
    for frame in (f for f in experiment.run() if isinstance(f, Frame)):
        d, scalars, pairs = experiment.d, frame.scalars, len(experiment.distances)
        first = first or scalars
        if d >= 16:  # σ of σ is a share 1/√(2 n) for a Gaussian, somewhat more while there is a tail
            assert scalars["spread"] == pytest.approx(
                scalars["predicted_spread"], rel=4 / math.sqrt(2 * pairs)
            )
        if d >= 4096:  # before that the tail to the right still shows
            assert scalars["ks"] < 1.95 / math.sqrt(pairs)
    assert first is not None
    assert first["ks"] > 0.05  # in two dimensions it is no Gaussian at all
    assert first["nearest_over_farthest"] < 0.5
    assert scalars["nearest_over_farthest"] > 0.99
    assert scalars["kmeans_ari"] < 0.2
