"""k-means: against scikit-learn and slow formulas, odd input, changes by hand, and what a class must see."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch

from engine.core.frame import Bars, Beat, Frame, Images, Markers, Points, Regions, Segments
from engine.core.params import change
from engine.core.text import InputError
from engine.data.registry import Dataset, load
from engine.experiments.clusters import kmeans
from engine.experiments.clusters.kmeans import KMeans, KMeansParams
from tests.engine.extremes import NOT_TO_BE_SQUARED, OUT_OF_RANGE


def make(data: Dataset | str, *, seed: int = 0, **params: Any) -> KMeans:
    data = load(data) if isinstance(data, str) else data
    chosen = change(KMeansParams(), {**KMeans.info.presets.get(data.name, {}), **params})
    return KMeans(data, chosen, seed=seed, device=torch.device("cpu"))


def points(x: Any, y: Any = None) -> Dataset:
    x = torch.as_tensor(x, dtype=torch.float32)
    columns = tuple("abcdefgh"[: x.shape[1]])
    return Dataset("own", "points", x, y, columns=columns, total=len(x))


def frames(experiment: KMeans, n: int = 10_000) -> list[Frame]:
    return [f for f in itertools.islice(experiment.run(), n) if isinstance(f, Frame)]


def final(experiment: KMeans) -> float:
    return frames(experiment)[-1].scalars["inertia"]


def view(experiment: KMeans, name: str) -> Any:
    return next(iter(experiment.run())).views[name]()


# ── the numbers ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("dataset", ["blobs", "anisotropic", "moons", "digits"])
def test_ends_where_scikit_learn_ends(dataset):
    from sklearn.cluster import KMeans as Peer

    experiment = make(dataset, init="random")
    start = experiment.centres + experiment.origin
    last = frames(experiment)[-1]
    x = experiment.data.flat.numpy()
    peer = Peer(len(start), init=start.numpy(), n_init=1, tol=0, max_iter=1000, algorithm="lloyd").fit(x)
    assert last.scalars["inertia"] == pytest.approx(peer.inertia_, rel=1e-5)
    np.testing.assert_allclose(
        (experiment.centres + experiment.origin).numpy(), peer.cluster_centers_, atol=1e-4
    )


@pytest.mark.parametrize("dataset", ["moons", "digits"])
def test_inertia_is_the_slow_formula(dataset):
    experiment = make(dataset)
    frame = frames(experiment, 1 + 3 * 4)[-1]  # a frame, then two beats and a frame for each step
    x, c = experiment.data.flat.double(), (experiment.centres + experiment.origin).double()
    slow = sum(min(float(((p - m) ** 2).sum()) for m in c) for p in x)
    assert frame.scalars["inertia"] == pytest.approx(slow, rel=1e-6)


@pytest.mark.parametrize("init", ["k-means++", "random", "hand"])
@pytest.mark.parametrize("dataset", ["blobs", "moons", "digits"])
def test_inertia_never_rises_and_comes_to_rest(dataset, init):
    experiment = make(dataset, init=init, seed=1)
    found = frames(experiment)
    values = [f.scalars["inertia"] for f in found]
    assert all(b <= a for a, b in itertools.pairwise(values))
    assert found[-1].scalars["moved"] == 0
    assert [f.step for f in found] == list(range(len(found)))
    assert "converged" in experiment.ended() or "no points" in experiment.ended()


def test_same_seed_same_numbers():
    assert [f.scalars for f in frames(make("digits"))] == [f.scalars for f in frames(make("digits"))]


def test_another_seed_another_start():
    assert not torch.equal(make("digits", seed=1).centres, make("digits", seed=2).centres)


def test_plus_plus_draws_in_proportion_to_squared_distance():
    x = torch.tensor([[0.0], [1.0], [3.0]])
    norms, nearest = (x**2).sum(1), torch.tensor([0.0, 1.0, 9.0])
    g = torch.Generator().manual_seed(0)
    drawn = [float(kmeans.plus_plus(x, norms, nearest, 1, g)) for _ in range(4000)]
    assert drawn.count(0.0) == 0
    assert drawn.count(3.0) / 4000 == pytest.approx(0.9, abs=0.02)


def test_coordinates_far_from_zero_keep_their_digits():
    near = load("blobs")
    far = points(near.x.double() + torch.tensor([1e5, -2e5]))
    a, b = make(near, seed=2), make(far, k=5, seed=2)
    assert final(b) == pytest.approx(final(a), rel=1e-2)
    assert view(b, "cloud").xy[:, 0].min() > 9e4


def test_a_kept_state_goes_on_as_if_never_left():
    experiment = make("digits")
    list(itertools.islice(experiment.run(), 1 + 3 * 4))
    kept = experiment.state()
    onwards = [f.scalars for f in frames(experiment)]
    other = make("digits", seed=99)
    other.restore(kept)
    assert [f.scalars for f in frames(other)] == onwards
    other.restore(kept)  # kept is still whole
    assert [f.scalars for f in frames(other)] == onwards


# ── odd input ─────────────────────────────────────────────────────────────────────────────────────────────


def test_more_centres_than_points():
    with pytest.raises(InputError, match="7 centres are more than the 3 points"):
        make(points(torch.eye(3, 2)), k=7)


def test_k_turned_above_the_number_of_points():
    experiment = make(points(torch.randn(6, 2)), k=2)
    running = experiment.run()
    next(running)
    experiment.p = change(experiment.p, {"k": 7})
    with pytest.raises(InputError, match="7 centres are more"):
        list(running)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_values_that_are_no_numbers(bad):
    x = torch.zeros(5, 2)
    x[3, 1] = bad
    with pytest.raises(InputError, match="Item 3 has a value that is not a number"):
        make(points(x), k=2)


@pytest.mark.parametrize(("x", "said"), NOT_TO_BE_SQUARED)
def test_numbers_that_float32_cannot_square_are_refused(x, said):
    with pytest.raises(InputError, match=said):
        make(points(x), k=1)


@pytest.mark.parametrize("far", OUT_OF_RANGE)
def test_an_input_out_of_range_is_refused(far):
    experiment = make(points(torch.randn(30, 5, generator=torch.Generator().manual_seed(0))), k=2)
    with pytest.raises(InputError, match="has 5 numbers"):
        experiment.encode(np.full(5, far))


@pytest.mark.parametrize("init", ["k-means++", "random", "hand"])
@pytest.mark.parametrize(
    "x",
    [
        torch.zeros(1, 2),
        torch.zeros(40, 2),
        torch.tensor([[0.0, 1.0], [5.0, 1.0]]).repeat(20, 1),
        torch.linspace(0, 1, 40)[:, None],
        torch.randn(40, 5, generator=torch.Generator().manual_seed(0)),
    ],
    ids=["one point", "one place", "two places", "one column", "five columns"],
)
def test_odd_clouds_come_to_rest_and_can_be_drawn(x, init):
    experiment = make(points(x), k=min(3, len(x)), init=init)
    found = frames(experiment, 500)
    assert len(found) < 100
    for thunk in found[-1].views.values():
        thunk()
    assert np.isfinite(view(experiment, "cloud").xy).all()


def test_a_centre_without_points_stays_and_is_named():
    experiment = make("blobs", k=3)
    for index in range(3):
        experiment.move(index, 100.0 * (index + 1), 0.0)
    frames(experiment)
    assert "2 have no points" in experiment.ended()
    cloud = view(experiment, "cloud")
    assert sorted(np.round(cloud.layers[-1].xy[:, 0]))[1:] == [200, 300]


# ── by hand ───────────────────────────────────────────────────────────────────────────────────────────────


def test_moving_a_centre_wakes_a_run_at_rest():
    experiment = make("blobs", k=3)
    frames(experiment)
    step = experiment.step
    experiment.move(0, -6.0, 5.0)
    np.testing.assert_allclose(view(experiment, "cloud").layers[-1].xy[0], (-6, 5), atol=1e-4)
    later = frames(experiment)
    assert later[0].step == step
    assert len(later) > 2
    assert later[-1].scalars["moved"] == 0


def test_moving_a_centre_in_the_middle_of_a_run():
    experiment = make("digits")
    running = experiment.run()
    steps = [f for f in itertools.islice(running, 20) if isinstance(f, Frame)]
    experiment.move(2, 1.5, 1.5)
    assert experiment.inertia > steps[-1].scalars["inertia"]
    rest = [f for f in running if isinstance(f, Frame)]
    assert rest[-1].scalars["moved"] == 0


def test_moving_keeps_what_the_plane_does_not_show():
    experiment = make("digits")
    before = experiment.centres.clone()
    experiment.move(4, 0.5, -0.25)
    np.testing.assert_allclose(view(experiment, "cloud").layers[-1].xy[4], (0.5, -0.25), atol=1e-5)
    difference = experiment.centres[4] - before[4]
    torch.testing.assert_close(
        difference @ experiment.axes @ experiment.axes.T, difference, atol=1e-5, rtol=0
    )


def test_placing_by_hand_takes_the_waiting_ones_in_turn():
    experiment = make("blobs", init="hand", k=3)
    waiting = view(experiment, "cloud")
    assert (waiting.layers[-1].xy[:, 1] < waiting.xy[:, 1].min()).all()
    for xy in ((-5, 2.6), (4.6, 3.4), (3.2, -3.4)):
        experiment.place(*xy)
    placed = view(experiment, "cloud").layers[-1].xy
    np.testing.assert_allclose(placed, [(-5, 2.6), (4.6, 3.4), (3.2, -3.4)], atol=1e-4)
    emptiest = int(experiment.counts.argmin())
    experiment.place(0.0, 0.0)
    np.testing.assert_allclose(view(experiment, "cloud").layers[-1].xy[emptiest], (0, 0), atol=1e-4)


def test_a_stuck_run_is_freed_by_placing_one_centre():
    experiment = make("blobs", init="random", seed=4)
    stuck = final(experiment)
    centres = torch.tensor([(-5.0, 2.6), (-2.2, 4.4), (4.6, 3.4), (3.2, -3.4), (-3.6, -3.2)])
    far = torch.cdist(centres, experiment.centres + experiment.origin).min(1).values
    experiment.place(*centres[int(far.argmax())].tolist())
    assert final(experiment) < 0.7 * stuck


@pytest.mark.parametrize(
    "call",
    [
        ("move", -1, 0.0, 0.0),
        ("move", 5, 0.0, 0.0),
        ("move", 0, float("nan"), 0.0),
        ("place", float("inf"), 0.0),
    ],
)
def test_impossible_hands_are_refused_and_change_nothing(call):
    experiment = make("blobs")
    before = experiment.centres.clone()
    with pytest.raises(InputError):
        getattr(experiment, call[0])(*call[1:])
    assert torch.equal(experiment.centres, before)


@pytest.mark.parametrize("dataset", ["blobs", "digits"])
def test_k_turned_while_it_runs(dataset):
    experiment = make(dataset, k=4)
    running = experiment.run()
    for wanted in (4, 12, 3, 30, 1):
        experiment.p = change(experiment.p, {"k": wanted})
        found = [f for f in itertools.islice(running, 4) if isinstance(f, Frame)]
        if not found:  # it had come to rest: wake it, as the engine does
            running = experiment.run()
            found = [f for f in itertools.islice(running, 1 + 3) if isinstance(f, Frame)]
        frame = found[-1]
        assert len(experiment.centres) == wanted
        assert len(frame.views["sizes"]().values) == wanted
        assert int(experiment.counts.sum()) == len(experiment.x)


def test_k_turned_when_all_is_at_rest():
    experiment = make("blobs", k=4)
    before = final(experiment)
    experiment.p = change(experiment.p, {"k": 5})
    assert final(experiment) < before


def test_which_centre_an_input_belongs_to():
    experiment = make("digits")
    frames(experiment)
    labels = view(experiment, "cloud").label
    for i in (0, 5, 100):
        assert experiment.encode(experiment.data.x[i].numpy()).text == f"cluster {labels[i] + 1}"
    with pytest.raises(InputError, match="has 64 numbers"):
        experiment.encode(np.zeros(3))


# ── pictures ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_cloud_of_points():
    experiment = make("blobs", lines=True)
    last = frames(experiment)[-1]
    assert set(last.views) == {"cloud", "sizes"}
    cloud = last.views["cloud"]()
    assert isinstance(cloud, Points)
    assert [type(layer) for layer in cloud.layers] == [Regions, Segments, Markers]
    regions, lines, marks = cloud.layers
    np.testing.assert_allclose(cloud.xy, experiment.data.x.numpy(), atol=1e-5)
    assert cloud.xy.dtype == np.float32
    assert cloud.label.dtype == np.int32
    assert len(lines.start) <= kmeans.LINES
    assert marks.movable
    assert marks.trail.shape[1:] == (5, 2)
    x0, x1, y0, y1 = regions.extent
    for (x, y), label in zip(cloud.xy[::50], cloud.label[::50], strict=True):
        column, row = int((x - x0) / (x1 - x0) * kmeans.MAP), int((y - y0) / (y1 - y0) * kmeans.MAP)
        near = regions.label[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
        assert label in near


def test_the_pictures_of_images():
    experiment = make("digits")
    last = frames(experiment)[-1]
    assert set(last.views) == {"cloud", "sizes", "centroids"}
    centroids, sizes, cloud = (last.views[n]() for n in ("centroids", "sizes", "cloud"))
    assert isinstance(centroids, Images)
    assert isinstance(sizes, Bars)
    assert centroids.pixels.shape == (10, 8, 8)
    assert len(centroids.captions) == 10
    assert [type(layer) for layer in cloud.layers] == [Markers]
    assert sizes.values.sum() == 1797
    labels = cloud.label
    np.testing.assert_allclose(
        centroids.pixels[3].ravel(), experiment.data.flat.numpy()[labels == 3].mean(0), atol=1e-4
    )


def test_a_payload_stays_as_it_was_handed_out():
    experiment = make("blobs", init="random")
    running = experiment.run()
    cloud = next(running).views["cloud"]()
    kept = [cloud.label.copy(), cloud.layers[-1].xy.copy(), cloud.xy.copy()]
    list(running)
    experiment.move(0, 1.0, 1.0)
    for now, then in zip((cloud.label, cloud.layers[-1].xy, cloud.xy), kept, strict=True):
        np.testing.assert_array_equal(now, then)


def test_slow_motion_shows_both_halves_of_a_step():
    experiment = make("anisotropic")
    running = experiment.run()
    cloud = next(running).views["cloud"]
    start = cloud()
    move = next(running)
    assert isinstance(move, Beat)
    assert Segments in [type(layer) for layer in cloud().layers]  # who belongs to whom
    np.testing.assert_array_equal(cloud().layers[-1].xy, start.layers[-1].xy)
    next(running)
    middle = cloud()
    assert not np.array_equal(middle.layers[-1].xy, start.layers[-1].xy)  # the centres have gone
    np.testing.assert_array_equal(middle.label, start.label)  # and the points still wear their colour
    next(running)
    assert not np.array_equal(cloud().label, start.label)


# ── what a class must see ─────────────────────────────────────────────────────────────────────────────────


def agreement(experiment: KMeans) -> float:
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(experiment.data.y.numpy(), view(experiment, "cloud").label))


def demo(name: str) -> KMeans:
    found = {d.name: d for d in KMeans.info.demos}[name]
    return make(found.dataset, seed=found.seed, **found.params)


def test_the_demos_show_what_they_say():
    stuck, careful, stripes = demo("stuck"), demo("careful"), demo("elongated")
    assert final(stuck) >= 1.5 * final(careful)
    frames(stripes)
    assert agreement(stripes) < 0.9


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_bad_start_gets_stuck_and_plus_plus_does_not(seed):
    bad, good = make("blobs", seed=seed, init="random"), make("blobs", seed=seed)
    assert final(bad) >= 1.5 * final(good)
    assert agreement(good) > 0.98


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_stripes_are_cut_wrongly(seed):
    experiment = make("anisotropic", seed=seed)
    frames(experiment)
    assert agreement(experiment) < 0.9


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_million_points_come_to_rest(seed):
    experiment = make("million", seed=seed)
    values = [f.scalars["inertia"] for f in frames(experiment, 900)]
    assert all(b <= a for a, b in itertools.pairwise(values))
