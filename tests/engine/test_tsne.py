"""t-SNE as it is run: knobs turned on the way, odd data, questions, pictures, and what a class must see."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch

from engine.core.frame import Beat, Frame, Points, Segments
from engine.core.params import change
from engine.core.text import InputError
from engine.data.registry import Dataset, load
from engine.experiments.clusters import tsne
from engine.experiments.clusters.tsne import TsneExperiment, TsneParams
from engine.parts import knn


def make(data: Dataset | str, *, seed: int = 0, **params: Any) -> TsneExperiment:
    data = load(data, seed=seed) if isinstance(data, str) else data
    chosen = change(TsneParams(), params)
    return TsneExperiment(data, chosen, seed=seed, device=torch.device("cpu"))


def demo(name: str, seed: int = 0) -> TsneExperiment:
    found = {d.name: d for d in TsneExperiment.info.demos}[name]
    return make(found.dataset, seed=seed, **found.params)


def points(x: torch.Tensor, y: torch.Tensor | None = None) -> Dataset:
    columns = tuple(f"c{i}" for i in range(x.shape[1]))
    return Dataset("own", "points", x, y, ("a",) if y is not None else (), columns, len(x))


def cloud(n: int = 300, d: int = 5) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(0))


def frames(experiment: TsneExperiment, steps: int = 10_000) -> list[Frame]:
    """The present one and those of the next ``steps`` steps."""
    running = (f for f in experiment.run() if isinstance(f, Frame))
    return list(itertools.islice(running, steps + 1))


# ── a run ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_it_starts_finite_gets_better_and_ends() -> None:
    experiment = make(points(cloud()))
    found = frames(experiment)
    assert len(found) == tsne.STEPS + 1
    assert all(math.isfinite(v) for f in found for v in f.scalars.values())
    first, last = found[0].scalars, found[-1].scalars
    assert last["kl"] < 0.5 * first["kl"]
    assert last["kept"] > first["kept"]
    assert 0 <= last["kept"] <= last["trustworthiness"] <= 1
    assert "settled" in str(experiment.ended())


def test_a_knob_turned_at_the_end_wakes_it() -> None:
    experiment = make(points(cloud(60)), early=0)
    frames(experiment)
    assert len(frames(experiment)) == 1  # nothing new
    experiment.p = change(experiment.p, {"perplexity": 5})
    assert len(frames(experiment)) == tsne.MORE + 1
    experiment.p = change(experiment.p, {"early": 1000})
    assert frames(experiment)[-1].step == 1000 + tsne.MORE


def test_perplexity_turned_on_the_way_changes_the_affinities_and_nothing_else() -> None:
    experiment = make(points(cloud()), perplexity=10)
    running = experiment.run()
    list(itertools.islice(running, 40))
    experiment.tell = lambda _share: pytest.fail("only setup may say how far it is")
    before, y = experiment.tsne.affinities, experiment.tsne.y.clone()
    experiment.p = change(experiment.p, {"perplexity": 40})
    frame = next(f for f in running if isinstance(f, Frame))
    assert frame.step > 1
    assert len(experiment.tsne.affinities.p) > len(before.p)
    assert experiment.tsne.affinities.entropy > before.entropy
    assert float((experiment.tsne.y - y).norm()) < 0.5 * float(y.norm())  # no new start


def test_exaggeration_ends_by_itself_and_is_held_by_hand() -> None:
    experiment = make(points(cloud()), early=20, exaggeration=9)
    frames(experiment, 19)
    assert experiment._exaggeration() == 9
    frames(experiment, 2)
    assert experiment._exaggeration() == 1
    experiment.p = change(experiment.p, {"hold": True})
    assert experiment._exaggeration() == 9
    gathered = make(points(cloud()), hold=True)
    frames(gathered, 300)
    free = make(points(cloud()), early=100)
    frames(free, 300)
    assert float(gathered.tsne.y.std()) < 0.5 * float(free.tsne.y.std())


def test_same_seed_same_map_and_a_kept_state_goes_on() -> None:
    one, two = make(points(cloud())), make(points(cloud()))
    assert [f.scalars for f in frames(one, 25)] == [f.scalars for f in frames(two, 25)]
    kept = one.state()
    onwards = [f.scalars for f in frames(one, 15)]
    other = make(points(cloud()), seed=7)
    other.restore(kept)
    assert [f.scalars for f in frames(other, 15)] == onwards
    assert torch.equal(other.tsne.y, one.tsne.y)


def test_large_data_are_sampled_evenly_and_that_is_said() -> None:
    experiment = make("pen", most=700)
    view = frames(experiment, 1)[-1].views["map"]()
    assert len(view.xy) == 700
    assert view.total == 5000
    assert experiment.item(699).label == experiment.data.names[int(experiment.data.y[699])]
    assert len(experiment.neighbours(699)) == 6
    with pytest.raises(InputError):
        experiment.item(700)


# ── odd data ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "x",
    [
        torch.randn(4, 2, generator=torch.Generator().manual_seed(0)),
        torch.zeros(50, 3),
        torch.tensor([[0.0, 1.0], [5.0, 1.0]]).repeat(40, 1),
        torch.nn.functional.pad(cloud(80, 2), (0, 3), value=4.0),
        torch.linspace(0, 1, 90)[:, None],
        torch.cat([cloud(90), torch.full((1, 5), 1e7)]),
        1e-12 * cloud(90),
        1e12 + 1e8 * cloud(90),
    ],
    ids=["four", "one place", "two places", "constant columns", "one column", "a stray", "tiny",
         "far and wide"],
)  # fmt: skip
def test_odd_clouds_stay_finite_and_can_be_drawn(x: torch.Tensor) -> None:
    experiment = make(points(x, torch.zeros(len(x), dtype=torch.int64)), perplexity=200, early=20)
    found = frames(experiment, 60)
    assert all(math.isfinite(v) for f in found for v in f.scalars.values())
    for thunk in found[-1].views.values():
        assert np.isfinite(thunk().xy).all()
    assert found[-1].views["map"]().label is None  # one class is no colour


def test_a_perplexity_beyond_a_third_is_held_there_and_that_is_said() -> None:
    experiment = make(points(cloud(31)), perplexity=50)
    assert experiment.fitted == 10
    frames(experiment)
    assert "held at 10" in str(experiment.ended())


@pytest.mark.parametrize(
    ("x", "match"),
    [
        (torch.zeros(2, 2), "2 points are too few"),
        (torch.tensor([[0.0, 1], [1, float("nan")], [2, 3], [3, 1]]), "Item 1 has a value"),
    ],
)
def test_what_cannot_be_laid_out_is_said(x: torch.Tensor, match: str) -> None:
    with pytest.raises(InputError, match=match):
        make(points(x))


def test_painted_points_keep_the_others_where_they_are() -> None:
    x = cloud(200, 2)
    experiment = make(points(x))
    frames(experiment, 40)
    before, spread_before = experiment.tsne.y, float(experiment.tsne.y.std())
    with pytest.raises(InputError):
        experiment.take(points(x[:2]))
    experiment.take(points(torch.cat([x[50:], x[:1] + 0.01])))
    after = experiment.tsne.y
    torch.testing.assert_close(after[:-1], before[50:], atol=0.01 * spread_before, rtol=0)
    assert experiment.step == 40
    last = frames(experiment, 30)[-1]
    assert last.step == 70
    assert len(last.views["map"]().xy) == len(last.views["source"]().xy) == 151
    assert all(math.isfinite(v) for v in last.scalars.values())
    experiment.take(points(torch.ones(40, 2)))  # all in one place
    assert all(math.isfinite(v) for f in frames(experiment, 20) for v in f.scalars.values())


def test_points_painted_when_the_map_has_settled_wake_it() -> None:
    x = cloud(60, 2)
    experiment = make(points(x), early=10)
    step = frames(experiment)[-1].step
    experiment.take(points(x[:50]))
    assert frames(experiment)[-1].step == step + tsne.MORE


def test_progress_never_falls_back() -> None:
    told: list[float] = []
    x = torch.randn(400, 60, generator=torch.Generator().manual_seed(0))
    TsneExperiment(points(x), TsneParams(), seed=0, device=torch.device("cpu"), tell=told.append)
    assert told == sorted(told)
    assert len(told) > 4


def test_cancelling_the_preparation_is_let_through() -> None:
    class Cancelled(Exception):
        pass

    def tell(_share: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        TsneExperiment(points(cloud()), TsneParams(), seed=0, device=torch.device("cpu"), tell=tell)


# ── questions and pictures ──────────────────────────────────────────────────────────────────────────────────


def test_an_item_is_placed_where_it_lies() -> None:
    experiment = make("digits")
    frames(experiment, 30)
    found = experiment.encode(experiment.data.x[11].numpy())
    assert found.channel == "map"
    assert found.xy == pytest.approx(experiment.tsne.y[11].tolist(), rel=0.02, abs=1e-3)
    with pytest.raises(InputError, match="64 numbers"):
        experiment.encode(np.zeros(5, dtype=np.float32))


@pytest.mark.parametrize(
    ("dataset", "axes"), [("blobs", ("x", "y")), ("swiss_roll", ("", "")), ("pure_noise", ("PC1", "PC2"))]
)
def test_points_are_shown_as_they_are_as_well(dataset: str, axes: tuple[str, str]) -> None:
    experiment = make(dataset)
    frame = frames(experiment, 0)[0]
    assert set(frame.views) == {"map", "source"}
    source = frame.views["source"]()
    assert isinstance(source, Points)
    assert source.axes == axes
    if dataset == "blobs":
        np.testing.assert_array_equal(source.xy, experiment.data.x.numpy())


def test_a_payload_stays_as_it_was_handed_out() -> None:
    experiment = make("blobs")
    running = experiment.run()
    view = next(running).views["map"]()  # type: ignore[union-attr]
    kept = view.xy.copy()
    list(itertools.islice(running, 30))
    np.testing.assert_array_equal(view.xy, kept)


def test_slow_motion_shows_who_pulls_and_who_pushes() -> None:
    experiment = make("blobs")
    frames(experiment, 300)
    running = experiment.run()
    view = next(running).views["map"]  # type: ignore[union-attr]
    assert view().layers == ()
    pulls = []
    for _half in range(2):
        assert isinstance(next(running), Beat)
        (layer,) = view().layers
        assert isinstance(layer, Segments)
        assert len(layer.start) <= tsne.ARROWS
        assert np.isfinite(layer.end).all()
        pulls.append(layer.end - layer.start)
    across = (pulls[0] * pulls[1]).sum(1)  # the two forces mostly oppose each other
    assert (across < 0).mean() > 0.7


# ── what a class must see ───────────────────────────────────────────────────────────────────────────────────


def accuracy(y: torch.Tensor, labels: torch.Tensor) -> float:
    """How often the ten nearest in the map vote for the right class."""
    index, _distance = knn.nearest(y, 10)
    return float((labels[index].mode(1).values == labels).float().mean())


def spread(xy: torch.Tensor) -> float:
    return float((xy - xy.mean(0)).square().sum(1).mean().sqrt())


def evenness(y: torch.Tensor) -> float:
    """P. Clark, F. Evans, 1954: the mean distance to the nearest point, 1 where points fall at random, below
    where they clump, above where they keep apart.
    """
    from scipy.spatial import ConvexHull

    _index, distance = knn.nearest(y, 1)
    area = float(ConvexHull(y.numpy()).volume)
    return float(distance.mean()) / (0.5 * math.sqrt(area / len(y)))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_digits_part_without_labels(seed: int) -> None:
    experiment = demo("digits", seed)
    last = frames(experiment)[-1].scalars
    assert accuracy(experiment.tsne.y, experiment.data.y) > 0.97
    assert last["kept"] > 0.55
    assert last["trustworthiness"] > 0.98
    assert last["kl"] < 0.9


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_sizes_in_the_map_mean_nothing(seed: int) -> None:
    experiment = demo("sizes", seed)
    frames(experiment)
    wide = experiment.data.y == 0
    true = spread(experiment.data.x[wide]) / spread(experiment.data.x[~wide])
    shown = spread(experiment.tsne.y[wide]) / spread(experiment.tsne.y[~wide])
    assert true > 8
    assert 0.5 < shown < 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_distances_in_the_map_may_mean_nothing(seed: int) -> None:
    experiment = demo("distances", seed)
    frames(experiment)

    def ratio(xy: torch.Tensor) -> float:
        a, b, c = (xy[experiment.data.y == label].mean(0) for label in range(3))
        return float((c - b).norm() / (b - a).norm())

    assert ratio(experiment.data.x) > 4.5
    assert ratio(experiment.tsne.y) < 2.5


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_noise_looks_clumped_at_perplexity_2_and_not_at_30(seed: int) -> None:
    few, many = demo("noise", seed), make("pure_noise", seed=seed, perplexity=30)
    frames(few)
    frames(many)
    assert evenness(few.tsne.y) < 0.65
    assert evenness(many.tsne.y) > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_roll_is_opened_and_torn(seed: int) -> None:
    """Neighbours stay neighbours, so layers of the roll part; but no straight sheet comes out of it."""
    experiment = demo("roll", seed)
    last = frames(experiment)[-1].scalars
    along = experiment.data.factors[0].values
    index, _distance = knn.nearest(experiment.tsne.y, 10)
    apart = float((along[index] - along[:, None]).abs().mean()) / float(along.max() - along.min())
    straight = abs(float(np.corrcoef(along, (experiment.tsne.y @ _best(experiment.tsne.y, along)))[0, 1]))
    assert last["trustworthiness"] > 0.99
    assert apart < 0.05
    assert straight < 0.97


def _best(y: torch.Tensor, along: torch.Tensor) -> torch.Tensor:
    """The direction in the map that follows ``along`` best."""
    return torch.linalg.lstsq(y, (along - along.mean())[:, None]).solution[:, 0]
