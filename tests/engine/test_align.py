"""Turning maps onto each other: the formula, and that it is used where it brings calm and nowhere else."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.linalg import orthogonal_procrustes
from scipy.spatial import procrustes as standardised

from engine.core.events import RunSpec
from engine.core.experiment import Beside
from engine.core.runner import make_run
from engine.core.timeline import Timeline
from engine.experiments.clusters import manifold
from engine.parts import align


def cloud(n: int = 50, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def turned_by(degrees: float, *, mirrored: bool = False) -> torch.Tensor:
    t = np.radians(degrees)
    rotation = torch.tensor([[np.cos(t), np.sin(t)], [-np.sin(t), np.cos(t)]], dtype=torch.float64)
    return torch.diag(torch.tensor([1.0, -1.0 if mirrored else 1.0], dtype=torch.float64)) @ rotation


def missed(turn: align.Turn, x: torch.Tensor, to: torch.Tensor) -> float:
    return float((turn.of(x) - to).square().sum())


# ── the formula ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", range(5))
def test_as_scipy_says(seed: int) -> None:
    x, to = cloud(seed=seed) + 3, cloud(seed=seed + 100) @ torch.diag(torch.tensor([3.0, 1.0]).double()) - 7
    turn = align.procrustes(x, to)
    q, total = orthogonal_procrustes((x - x.mean(0)).numpy(), (to - to.mean(0)).numpy())
    np.testing.assert_allclose(turn.q, q, atol=1e-12)
    assert float(((x - x.mean(0)) @ turn.q * (to - to.mean(0))).sum()) == pytest.approx(total)
    # scipy.spatial also makes both of one size: what is left then is 1 − s²
    _to, _x, disparity = standardised(to.numpy(), x.numpy())
    size = float((x - x.mean(0)).norm() * (to - to.mean(0)).norm())
    assert 1 - (total / size) ** 2 == pytest.approx(disparity)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("degrees", [0, 30, 90, 180, 271])
def test_what_was_turned_and_moved_comes_back(degrees: float, mirrored: bool) -> None:
    x, q = cloud(), turned_by(degrees, mirrored=mirrored)
    turn = align.procrustes(x @ q + torch.tensor([5.0, -2.0]), x)
    torch.testing.assert_close(turn.of(x @ q + torch.tensor([5.0, -2.0])), x)
    assert turn.mirrors is mirrored
    torch.testing.assert_close(turn.q @ turn.q.T, torch.eye(2, dtype=torch.float64))


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_best_of_one_kind_is_as_good_as_any_that_can_be_found(mirrored: bool) -> None:
    x, to = cloud(), cloud(seed=1)
    best = align.procrustes(x, to, mirrored=mirrored)
    assert best.mirrors is mirrored
    others = [align.Turn(turned_by(t, mirrored=mirrored), best.middle, best.to) for t in range(360)]
    least = min(missed(other, x, to) for other in others)
    assert least * (1 - 1e-3) <= missed(best, x, to) <= least
    free = align.procrustes(x, to)
    assert missed(free, x, to) == min(
        missed(align.procrustes(x, to, mirrored=m), x, to) for m in (False, True)
    )


def test_points_in_one_place_and_on_a_line() -> None:
    for x, to in itertools.product((torch.zeros(4, 2), torch.ones(4, 2), cloud(4).float()), repeat=2):
        for mirrored in (None, False, True):
            turn = align.procrustes(x, to, mirrored=mirrored)
            torch.testing.assert_close(turn.q @ turn.q.T, torch.eye(2))
            assert mirrored is None or turn.mirrors is mirrored
    assert align.procrustes(cloud().float(), cloud(seed=1).float()).q.dtype == torch.float32


# ── held upright ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_keel_turns_only_what_lies_much_amiss_and_then_exactly() -> None:
    to, little, over = cloud().float(), turned_by(20).float(), turned_by(20, mirrored=True).float()
    keel = align.Keel(to, ("a", "b"))
    keel.meet({"a": 7 * to @ little + 3, "b": 7 * to @ over + 3})
    assert torch.equal(keel.q["a"], torch.eye(2))
    assert not keel.mirrors("a")
    assert keel.mirrors("b")
    torch.testing.assert_close(keel.of("b", to @ over), to, rtol=0, atol=1e-5)
    other = align.Keel(to, ("a", "b"))
    other.load_state_dict(keel.state_dict())
    other.meet({"a": -to})
    assert torch.equal(keel.q["a"], torch.eye(2))  # what was kept stays usable
    assert float(other.q["a"][0, 0]) == pytest.approx(-1)
    other.fix(keel)
    other.meet({"a": -to})
    assert torch.equal(other.q["a"], torch.eye(2))


def test_a_keel_leaves_alone_what_lies_nohow() -> None:
    for to in (torch.zeros(5, 2), cloud(5).float()):
        keel = align.Keel(to)
        for y in (torch.zeros(5, 2), torch.full((5, 2), float("nan")), torch.ones(5, 2)):
            keel.meet({"map": y})
            assert torch.equal(keel.q["map"], torch.eye(2))


# ── where it is used, and where not ─────────────────────────────────────────────────────────────────────────


def alike(x: NDArray[Any], y: NDArray[Any]) -> float:
    """How far two maps lie alike, −1..1: the sum of products, each of size 1."""
    x, y = (z - z.mean(0) for z in (x.astype(float), y.astype(float)))
    return float((x * y).sum() / (np.linalg.norm(x) * np.linalg.norm(y)))


def best(x: NDArray[Any], y: NDArray[Any]) -> float:
    """The same after the best turn of ``x``."""
    turn = align.procrustes(torch.from_numpy(x), torch.from_numpy(y))
    return alike(turn.of(torch.from_numpy(x)).numpy(), y)


def xy(run: Any, channel: str) -> NDArray[Any]:
    """The picture of ``channel`` now."""
    found: NDArray[Any] = run.view(channel).xy
    return found


def film(run: Any, channel: str, steps: int) -> list[NDArray[Any]]:
    """The pictures that the timeline keeps of so many steps, or of all there are."""
    timeline, found = Timeline(), []
    for _step in range(steps + 1):
        frame = run.next_frame()
        if frame is None:
            break
        if timeline.must_keep(frame.step):
            timeline.keep(frame.step, {}, None)
            found.append(xy(run, channel))
    return found


@pytest.mark.parametrize(
    ("experiment", "dataset", "params", "channel"),
    [
        ("tsne", "digits", {"most": 600, "early": 100}, "map"),
        ("tsne", "swiss_roll", {"early": 100}, "map"),
        ("umap", "digits", {"epochs": 100}, "map"),
        ("umap", "swiss_roll", {"epochs": 100, "start": "pca"}, "map"),
        ("perplexity", "digits", {"most": 500}, "p15"),
        ("manifold", "digits", {"most": 600}, "tsne"),
        ("manifold", "digits", {"most": 300}, "umap"),
    ],
)
def test_from_picture_to_picture_there_is_nothing_to_turn_back(
    experiment: str, dataset: str, params: dict[str, Any], channel: str
) -> None:
    """Of what moves from one kept picture to the next, a turn would take away next to nothing; and nothing
    was turned after the start.
    """
    run = make_run(RunSpec(experiment, dataset, params))
    pictures = film(run, channel, 1)
    start = run.experiment.keel.q[channel].clone()  # type: ignore[union-attr]
    pictures += film(run, channel, 250)
    moved = spared = 0.0
    for before, after in itertools.pairwise(pictures):
        turn = align.procrustes(torch.from_numpy(after), torch.from_numpy(before))
        still = missed(turn, torch.from_numpy(after), torch.from_numpy(before)) / before.var()
        plain = float(((after - after.mean(0) - before + before.mean(0)) ** 2).sum()) / before.var()
        moved, spared = moved + plain, spared + plain - still
    assert spared < 0.02 * moved
    assert torch.equal(run.experiment.keel.q[channel], start)  # type: ignore[union-attr]


@pytest.mark.parametrize("ritz", [False, True])
def test_pca_has_axes_to_be_read_and_none_of_them_flips(ritz: bool) -> None:
    """What turns there is what is learned; signs, which are left open, stay as they were."""
    run = make_run(RunSpec("pca", "digits", {"k": 4, "ritz": ritz}))
    axes = []
    for _step in range(40):
        if run.next_frame() is not None:
            axes.append(run.experiment.axes[:, :4].clone())  # type: ignore[union-attr]
    assert all(bool(((a * b).sum(0) > 0).all()) for a, b in itertools.pairwise(axes))
    before = xy(run, "scatter")
    run.set("k", 30)
    assert np.array_equal(xy(run, "scatter"), before)


@pytest.mark.parametrize("dataset", ["swiss_roll", "digits"])
def test_six_maps_lie_as_the_exact_pca_does(dataset: str) -> None:
    run = make_run(RunSpec("manifold", dataset, {"most": 300}))
    film(run, "pca", 150)
    plane = run.experiment.plane.numpy()  # type: ignore[union-attr]
    raw = {name: y.numpy() for name, y in run.experiment._maps().items()}  # type: ignore[union-attr]
    for name in manifold.MAPS:
        assert alike(xy(run, name), plane) > best(raw[name], plane) - align.SLACK - 1e-4, name
    assert alike(xy(run, "pca"), plane) > 0.9999
    assert alike(xy(run, "mds"), plane) == pytest.approx(best(raw["mds"], plane), abs=1e-6)
    assert max(alike(xy(run, name), plane) - alike(raw[name], plane) for name in manifold.FREE) > 0.5


def test_a_map_that_passed_through_itself_lies_upright_afterwards() -> None:
    """With a perplexity too large for so few points, exaggeration makes the map a dot of 1e−8 for a while."""
    run = make_run(RunSpec("manifold", "digits", {"most": 300}))
    film(run, "tsne", 250)
    plane, raw = run.experiment.plane.numpy(), run.experiment.tsne.y.numpy()  # type: ignore[union-attr]
    assert alike(raw, plane) < 0.3
    assert alike(xy(run, "tsne"), plane) > best(raw, plane) - align.SLACK > 0.6


def test_pictures_are_the_same_whoever_has_looked_before_and_after_going_on() -> None:
    spec = RunSpec("manifold", "digits", {"most": 200})
    watched, alone = make_run(spec), make_run(spec)
    for step in range(20):
        watched.next_frame()
        alone.next_frame()
        watched.view("mds")
        if step == 5:
            kept = alone.state()
    assert np.array_equal(xy(watched, "mds"), xy(alone, "mds"))
    assert watched.frame is not None
    assert alone.frame is not None
    assert watched.frame.scalars == alone.frame.scalars
    again = make_run(dataclasses.replace(spec, seed=9))
    again.restore(kept)
    for _step in range(15):
        again.next_frame()
    assert np.array_equal(xy(again, "mds"), xy(alone, "mds"))


@pytest.mark.parametrize("first", ["tsne", "umap"])
def test_a_comparison_shows_both_maps_the_same_way_round(first: str) -> None:
    """Both lie as the principal axes do, so neither has to know of the other."""
    other = {"tsne": "umap", "umap": "tsne"}[first]
    params = {"tsne": {"early": 100}, "umap": {"epochs": 200}}
    run = make_run(RunSpec(first, "swiss_roll", params[first], beside=Beside(other, params[other])))
    for _step in range(200):
        run.next_frame()
    a, b = xy(run, "map"), xy(run, "b.map")
    both = {r.info.id: r.experiment for r in run._both}  # type: ignore[union-attr]
    spectral = both["umap"].layout.y.numpy()
    assert alike(spectral, both["tsne"].tsne.y.numpy()) < 0
    assert alike(b, a) > 0.9 * best(b, a) > 0.7


@pytest.mark.parametrize("experiment", ["tsne", "umap", "perplexity"])
def test_a_map_stays_as_it_lies_when_the_data_are_painted_over(experiment: str) -> None:
    run = make_run(RunSpec(experiment, "blobs", {"start": "spectral"} if experiment == "umap" else {}))
    for _step in range(6):
        run.next_frame()
    before, data = dict(run.experiment.keel.q), run.data  # type: ignore[union-attr]
    run.take(dataclasses.replace(data, x=data.x[::2].flip(1), y=None))
    run.wake()
    for _step in range(4):
        run.next_frame()
    again = make_run(RunSpec(experiment, "blobs"), data=run.data)
    again.restore(run.state())
    for each in (run, again):
        assert all(torch.equal(q, before[name]) for name, q in each.experiment.keel.q.items())  # type: ignore[union-attr]


@pytest.mark.parametrize("experiment", ["tsne", "umap", "perplexity"])
def test_a_drawing_lies_where_the_picture_shows_its_like(experiment: str) -> None:
    run = make_run(RunSpec(experiment, "digits", {"most": 300} if experiment == "perplexity" else {}))
    for _step in range(30):
        run.next_frame()
    mirror = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    keel = run.experiment.keel  # type: ignore[union-attr]
    keel.q = dict.fromkeys(keel.q, mirror)
    said = run.ask("encode", run.data.x[7].numpy())
    shown = xy(run, said.channel)
    assert np.hypot(*(shown[7] - said.xy)) < 0.03 * np.ptp(shown)


@pytest.mark.parametrize("experiment", ["tsne", "umap", "perplexity", "manifold"])
def test_runs_that_were_saved_before_maps_were_turned_can_be_gone_on_from(experiment: str) -> None:
    spec = RunSpec(experiment, "blobs")
    run = make_run(spec)
    run.next_frame()
    kept = run.state()
    del kept["experiment"]["keel"]
    again = make_run(spec)
    again.restore(kept)
    frame = again.next_frame()
    assert frame is not None
    assert run.frame is not None
    assert frame.scalars == run.frame.scalars
