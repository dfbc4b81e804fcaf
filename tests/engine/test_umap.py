"""UMAP: its knobs, its end and what follows, umap-learn beside it, odd input, and what a class must see."""

from __future__ import annotations

import itertools
import threading
from typing import Any

import numpy as np
import pytest
import torch

from engine.core.frame import Beat, Frame, Points, Segments
from engine.core.params import change
from engine.core.text import CancelledError, InputError
from engine.data.registry import Dataset, load
from engine.experiments.clusters import umap as module
from engine.experiments.clusters.umap import UMAP, UmapParams
from engine.parts import knn, quality, umap, umap_learn


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def make(data: Dataset | str, *, seed: int = 0, tell: Any = lambda _share: None, **params: Any) -> UMAP:
    data = load(data) if isinstance(data, str) else data
    chosen = change(UmapParams(), {**UMAP.info.presets.get(data.name, {}), **params})
    return UMAP(data, chosen, seed=seed, device=torch.device("cpu"), tell=tell)


def points(x: Any, y: Any = None) -> Dataset:
    x = torch.as_tensor(x, dtype=torch.float32)
    return Dataset("own", "points", x, y, columns=tuple("abcdefgh"[: x.shape[1]]), total=len(x))


def few(n: int = 150) -> Dataset:
    digits = load("digits")
    assert digits.y is not None
    return Dataset("few", "images", digits.x[:n], digits.y[:n], names=digits.names, total=n)


def frames(experiment: UMAP, n: int = 10_000) -> list[Frame]:
    """The present state and ``n`` steps, or all there are."""
    return list(itertools.islice((f for f in experiment.run() if isinstance(f, Frame)), n + 1))


def turn(experiment: UMAP, **params: Any) -> None:
    experiment.p = change(experiment.p, params)


def accuracy(y: torch.Tensor, labels: torch.Tensor, k: int = 10) -> float:
    """How often the most frequent class among the ``k`` nearest on the map is the own one."""
    near = labels[knn.nearest(y, k)[0]]  # (N, k)
    return float((near.mode(1).values == labels).float().mean())


# ── the run ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_run_ends_after_its_epochs_with_a_sentence():
    experiment = make(few(), epochs=60)
    found = frames(experiment)
    assert [f.step for f in found] == list(range(61))
    assert "Turn a knob" in str(experiment.ended())
    assert frames(experiment)[-1].step == 60  # and stays at its end
    assert found[-1].scalars["cross_entropy"] < 0.6 * found[1].scalars["cross_entropy"]
    exact = quality.kept(experiment.index, experiment.layout.y, 10)
    assert found[-1].scalars["kept"] == exact > found[0].scalars["kept"] + 0.2


@pytest.mark.parametrize(
    "params", [{"min_dist": 0.9}, {"negatives": 20}, {"neighbours": 40}, {"epochs": 100}]
)
def test_a_knob_turned_at_the_end_lets_it_go_on_a_while(params):
    experiment = make(few(), epochs=50)
    before = frames(experiment)[-1]
    turn(experiment, **params)
    after = frames(experiment)
    assert after[0].step == before.step
    assert len(after) - 1 == 0.3 * experiment.p.epochs
    assert experiment.warmth == pytest.approx(0, abs=1e-6)


def test_a_knob_turned_early_does_not_prolong_the_run():
    experiment = make(few(), epochs=50)
    running = (f for f in experiment.run() if isinstance(f, Frame))
    list(itertools.islice(running, 11))
    turn(experiment, min_dist=0.5, lr=0.5)
    assert len(list(running)) == 40


def test_other_neighbours_are_another_graph_between_two_steps():
    experiment = make(few(), neighbours=5)
    running = (f for f in experiment.run() if isinstance(f, Frame))
    list(itertools.islice(running, 4))
    turn(experiment, neighbours=30)
    next(running)
    fresh = umap.fuzzy_graph(*knn.nearest(experiment.x, 29))
    assert torch.equal(experiment.layout.graph.head, fresh.head)
    torch.testing.assert_close(experiment.layout.graph.weight, fresh.weight)


def test_more_neighbours_than_points():
    for n in (4, 12):
        experiment = make(few(n), neighbours=100)
        last = frames(experiment, 30)[-1]
        assert np.isfinite(list(last.scalars.values())).all()


def test_same_seed_same_map_and_another_seed_another():
    one, two, three = make(few()), make(few()), make(few(), seed=1)
    for experiment in (one, two, three):
        frames(experiment, 12)
    assert torch.equal(one.layout.y, two.layout.y)
    assert not torch.equal(one.layout.y, three.layout.y)


def test_a_kept_state_goes_on_as_if_never_left():
    experiment = make(few(), epochs=50)
    frames(experiment, 15)
    kept = experiment.state()
    onwards = [f.scalars for f in frames(experiment)]
    other = make(few(), seed=9, epochs=50)
    for _ in range(2):  # kept stays whole
        other.restore(kept)
        assert [f.scalars for f in frames(other)] == onwards


def test_of_too_many_points_some_are_laid_out(monkeypatch):
    monkeypatch.setattr(module, "MOST", 100)
    experiment = make(few(150))
    picture = frames(experiment, 1)[-1].views["map"]()
    assert len(picture.xy) == len(picture.label) == 100
    assert picture.total == 150


def test_progress_is_told_and_can_be_cancelled():
    shares: list[float] = []
    make("digits", tell=shares.append)
    assert shares == sorted(shares)
    assert 0 <= shares[0] < shares[-1] <= 1

    def cancel(_share: float) -> None:
        raise CancelledError

    with pytest.raises(CancelledError):
        make("digits", tell=cancel)


def test_painted_points_keep_the_others_where_they_are():
    data = load("moons")
    experiment = make(data, epochs=100)
    frames(experiment)
    before = experiment.layout.y
    with pytest.raises(InputError):
        experiment.take(points(data.x[:2]))
    added = torch.cat([data.x, data.x[:1] + 0.01])
    experiment.take(points(added))
    torch.testing.assert_close(experiment.layout.y[:-1], before, atol=0.01, rtol=0)
    assert float((experiment.layout.y[-1] - before[0]).norm()) < 0.5
    assert len(frames(experiment, 5)[-1].views["source"]().xy) == len(added)


# ── pictures and questions ──────────────────────────────────────────────────────────────────────────────────


def test_the_pictures():
    experiment = make("swiss_roll", edges=True)
    last = frames(experiment, 2)[-1]
    found, source = last.views["map"](), last.views["source"]()
    assert isinstance(found, Points)
    np.testing.assert_array_equal(found.xy, experiment.keel.of("map", experiment.layout.y).numpy())
    for picture in (found, source):
        (lines,) = picture.layers
        assert isinstance(lines, Segments)
        assert len(lines.start) <= module.LINES
    assert set(frames(make(few()), 1)[-1].views) == {"map"}
    turn(experiment, edges=False)
    assert frames(experiment, 1)[-1].views["map"]().layers == ()


def test_a_drawing_lands_among_its_like():
    experiment = make("digits", epochs=60)
    frames(experiment)
    for i in (3, 77):
        found = experiment.encode(experiment.data.x[i].numpy())
        np.testing.assert_allclose(found.xy, experiment.keel.of("map", experiment.layout.y)[i], atol=1e-2)
        assert found.text == f"nearest: {experiment.data.names[int(experiment.data.y[i])]}"
    with pytest.raises(InputError, match="has 64 numbers"):
        experiment.encode(np.zeros(3))
    assert "item" in make("swiss_roll").encode(np.zeros(3)).text or load("swiss_roll").y is not None


# ── odd input ───────────────────────────────────────────────────────────────────────────────────────────────


def test_too_few_points_and_values_that_are_no_numbers():
    with pytest.raises(InputError, match="2 points are too few"):
        make(points(torch.eye(2)))
    x = torch.randn(20, 3)
    x[4, 1] = float("nan")
    with pytest.raises(InputError, match="Item 4"):
        make(points(x))


@pytest.mark.parametrize("start", ["spectral", "pca"])
@pytest.mark.parametrize(
    "x",
    [
        torch.zeros(40, 2),
        torch.randn(20, 3, generator=torch.Generator().manual_seed(0)).repeat(5, 1),
        torch.linspace(0, 1, 40)[:, None],
        torch.cat([torch.randn(30, 1, generator=torch.Generator().manual_seed(0)), torch.ones(30, 3)], 1),
        torch.cat([torch.randn(30, 2), torch.randn(30, 2) + 1e6]),
        torch.eye(4),
    ],
    ids=["one place", "each five times", "one column", "constant columns", "two far pieces", "four points"],
)
def test_odd_clouds_are_laid_out(x, start):
    experiment = make(points(x), start=start, epochs=50)
    for frame in frames(experiment)[::7]:
        assert np.isfinite(list(frame.scalars.values())).all()
        for thunk in frame.views.values():
            assert np.isfinite(thunk().xy).all()
    assert experiment.ended()


# ── umap-learn ──────────────────────────────────────────────────────────────────────────────────────────────


def test_umap_learn_gives_a_map_a_step_and_agrees_with_itself():
    one, two = (make(few(), method="umap-learn", epochs=50) for _ in range(2))
    first, second = frames(one), frames(two)
    assert [f.step for f in first] == list(range(51))
    assert [f.scalars for f in first] == [f.scalars for f in second]
    assert torch.equal(one.layout.y, two.layout.y)
    assert first[-1].scalars["kept"] > first[0].scalars["kept"] + 0.1


def test_both_methods_begin_at_the_same_place():
    live, peer = make(few()), make(few(), method="umap-learn")
    assert torch.equal(live.layout.y, peer.layout.y)


def test_umap_learn_taken_up_again_goes_on_from_the_map_at_hand():
    experiment = make(few(), method="umap-learn", epochs=100)
    frames(experiment, 70)
    kept, at = experiment.state(), experiment.layout.y
    whole = frames(experiment)[-1]
    other = make(few(), seed=9, method="umap-learn", epochs=100)
    other.restore(kept)
    found = frames(other)
    assert torch.equal(kept["layout"]["y"], at)
    assert [f.step for f in found] == list(range(70, 101))
    assert found[-1].scalars["kept"] == pytest.approx(whole.scalars["kept"], abs=0.05)
    # It did not jump: no point has gone far from where it was.
    width = float((at.amax(0) - at.amin(0)).max())
    assert float((other.layout.y - at).norm(dim=1).median()) < 0.1 * width
    again = make(few(), seed=9, method="umap-learn", epochs=100)
    again.restore(kept)
    assert [f.scalars for f in frames(again)] == [f.scalars for f in found]


def test_a_knob_turned_under_umap_learn_begins_a_new_fit_from_here():
    experiment = make(few(), method="umap-learn", epochs=50)
    running = (f for f in experiment.run() if isinstance(f, Frame))
    list(itertools.islice(running, 21))
    fit = experiment.fit
    turn(experiment, min_dist=0.9)
    assert len(list(running)) == 30
    assert experiment.fit is not fit
    turn(experiment, neighbours=30)
    assert len(frames(experiment)) - 1 == 15


@pytest.mark.parametrize("epochs", [50, 55, 57, 61])
def test_a_knob_turned_at_the_end_of_umap_learn(epochs):
    experiment = make(few(60), method="umap-learn", epochs=50)
    frames(experiment)
    turn(experiment, epochs=epochs, negatives=7)
    assert len(frames(experiment)) - 1 == pytest.approx(0.3 * epochs, abs=0.51)


def test_waiting_for_umap_learn_does_not_hold_the_engine_up(monkeypatch):
    experiment = make(few(), method="umap-learn")
    monkeypatch.setattr(module, "PATIENCE", 0.001)
    with umap_learn.COMPUTING:  # somebody else is in there, so that it cannot begin
        running = experiment.run()
        assert isinstance(next(running), Frame)
        assert [type(next(running)) for _ in range(5)] == [Beat] * 5
    assert next(f for f in running if isinstance(f, Frame)).step == 1


def test_a_run_thrown_away_takes_its_thread_with_it():
    experiment = make(few(), method="umap-learn")
    frames(experiment, 2)
    assert experiment.fit is not None
    (thread,) = [t for t, talk in umap_learn._running.items() if talk is experiment.fit._talk]
    assert thread in threading.enumerate()
    del experiment
    thread.join(30)
    assert not thread.is_alive()


# ── what a class must see ───────────────────────────────────────────────────────────────────────────────────


def demo(name: str, seed: int, **params: Any) -> UMAP:
    found = {d.name: d for d in UMAP.info.demos}[name]
    return make(found.dataset, seed=seed, **{**found.params, **params})


def exactly_kept(experiment: UMAP) -> float:
    near = knn.nearest(experiment.layout.y, 10)[0]
    return float((experiment.index[:, :10, None] == near[:, None]).any(2).float().mean())


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_digits_fall_into_islands(seed):
    experiment = demo("islands", seed)
    last = frames(experiment)[-1]
    assert last.step == 300
    assert accuracy(experiment.layout.y, experiment.data.y) >= 0.93
    assert last.scalars["trustworthiness"] > 0.97


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_neighbours_are_kept_as_well_as_by_umap_learn(seed):
    ours, peer = demo("islands", seed), demo("reference", seed, epochs=500)
    frames(ours)
    frames(peer)
    assert exactly_kept(ours) >= exactly_kept(peer) - 0.01


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_small_minimum_distance_makes_dust(seed):
    gaps = {}
    for min_dist in (0.0, 0.9):
        experiment = demo("dust", seed, min_dist=min_dist)
        frames(experiment)
        y = experiment.layout.y
        gaps[min_dist] = float(knn.nearest(y, 1)[1].median() / y.std(0).norm())
    assert gaps[0.0] < 0.3 * gaps[0.9]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_roll_is_unrolled(seed):
    from scipy.stats import spearmanr

    experiment = demo("unroll", seed)
    frames(experiment)
    sheet = torch.stack([f.values for f in experiment.data.factors], 1)[::5]  # (M, 2) along and across
    pairs = torch.triu_indices(len(sheet), len(sheet), 1)
    along = torch.cdist(sheet, sheet)[pairs[0], pairs[1]]
    rolled = torch.cdist(experiment.x[::5], experiment.x[::5])[pairs[0], pairs[1]]
    y = experiment.layout.y
    flat = torch.cdist(y[::5], y[::5])[pairs[0], pairs[1]]
    assert spearmanr(along, flat)[0] > 0.8 > 0.6 > spearmanr(along, rolled)[0]
    # In one piece: no edge of the graph is torn wide open.
    graph = experiment.layout.graph
    length = (y[graph.head] - y[graph.tail]).norm(dim=1)
    assert float((length > 8 * length.median()).float().mean()) < 0.001


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_few_neighbours_break_islands_up(seed):
    """Pieces of the map, where points nearer than four times the usual gap hang together."""
    import scipy.sparse
    from scipy.sparse.csgraph import connected_components

    pieces = {}
    for k in (3, 15):
        experiment = demo("few", seed, neighbours=k)
        frames(experiment)
        y = experiment.layout.y
        index, distance = knn.nearest(y, 10)
        near = distance < 4 * distance[:, 4].median()
        i = torch.arange(len(y))[:, None].expand_as(index)[near]
        ties = scipy.sparse.coo_array((np.ones(len(i)), (i, index[near])), shape=(len(y),) * 2)
        sizes = np.bincount(connected_components(ties, directed=False)[1])
        pieces[k] = int((sizes >= 10).sum())
    assert pieces[3] > pieces[15]
