from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from scipy.linalg import eigh

from engine.core.events import RunSpec
from engine.core.runner import Runner, make_runner
from engine.core.text import InputError
from engine.data import registry
from engine.data.registry import Dataset
from engine.experiments.clusters import manifold
from engine.parts import knn, manifolds


def points(n: int, d: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def run(x: torch.Tensor | str, steps: int, seed: int = 0, **params: object) -> Runner:
    data = x if isinstance(x, str) else Dataset("own_table", "points", x)
    runner = (
        make_runner(RunSpec("manifold", data, params, seed))  # type: ignore[arg-type]
        if isinstance(data, str)
        else Runner(manifold.Manifold, data, params, seed=seed)  # type: ignore[arg-type]
    )
    for _step in range(steps + 1):
        assert runner.next_frame() is not None
    return runner


def along(runner: Runner, name: str, factor: int = 0) -> float:
    """How well one axis of a map follows what the data were made from: the better of the two, 0..1."""
    y = runner.experiment._maps()[name].numpy()  # type: ignore[attr-defined]
    truth = runner.data.factors[factor].values.numpy()
    return max(abs(float(np.corrcoef(y[:, axis], truth)[0, 1])) for axis in (0, 1))


# ── oracles ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_geodesics_are_scikit_learns_isomap() -> None:
    from sklearn.manifold import Isomap

    x = registry.load("swiss_roll").x[:400]
    index, _distance = knn.nearest(x, 10)
    paths = manifolds.geodesic(manifolds.distances(x), index)
    peer = Isomap(n_neighbors=10).fit(x.double().numpy())
    # ours has a few edges more: those of the minimum spanning tree
    assert float((paths <= torch.from_numpy(peer.dist_matrix_) + 1e-4).double().mean()) == 1
    assert np.corrcoef(paths.reshape(-1), peer.dist_matrix_.reshape(-1))[0, 1] > 0.999


def test_paths_join_what_is_in_pieces() -> None:
    x = torch.cat([points(20, 2), points(20, 2) + 100])
    index, _distance = knn.nearest(x, 3)
    paths = manifolds.geodesic(manifolds.distances(x), index)
    assert bool(torch.isfinite(paths).all())
    assert float(paths[:20, 20:].min()) > 100
    torch.testing.assert_close(paths, paths.T)


def test_double_centring_gives_inner_products() -> None:
    x = points(30, 4).double()
    x -= x.mean(0)
    torch.testing.assert_close(manifolds.double_centred(manifolds.distances(x)), x @ x.T)


def test_recipes_rebuild_the_points() -> None:
    x = torch.cat([points(60, 2), torch.zeros(60, 1)], 1)
    index, _distance = knn.nearest(x, 8)
    m = manifolds.reconstruction(x, index)
    values = torch.linalg.eigvalsh(m)
    assert float(values[0]) == pytest.approx(0, abs=1e-9)  # the constant vector
    assert float((m @ torch.ones(60, dtype=torch.float64)).abs().max()) < 1e-9
    cost = float(torch.trace(x.double().T @ m @ x.double()))
    assert cost < 0.02 * float((x**2).sum())


def test_turning_finds_the_eigenvectors() -> None:
    a = points(40, 40).double()
    a = a @ a.T
    v = manifold.orthonormal(points(40, 2).double())
    for _round in range(200):
        v = manifold.turned(a, v)
    _values, exact = eigh(a.numpy(), subset_by_index=[38, 39])
    assert np.abs(np.diag(exact[:, ::-1].T @ v.numpy())) == pytest.approx([1, 1], abs=1e-6)


def test_the_stress_of_mds_never_rises_and_a_flat_cloud_comes_out_whole() -> None:
    x = points(80, 2)
    distance = manifolds.distances(x).float()
    rounding = 1e-8 * float((distance**2).sum())
    y, before = points(80, 2, seed=1), float("inf")
    for _step in range(300):
        stress = float(((distance - torch.cdist(y, y)) ** 2).sum())
        assert stress <= before * (1 + 1e-5) + rounding
        y, before = manifold.guttman(distance, y), stress
    assert before < 1e-3 * float((distance**2).sum())


def test_lle_is_scikit_learns() -> None:
    from sklearn.manifold import LocallyLinearEmbedding

    runner = run("swiss_roll", 40)
    x = runner.experiment.x.double().numpy()  # type: ignore[attr-defined]
    peer = LocallyLinearEmbedding(n_neighbors=10, n_components=2, eigen_solver="dense").fit_transform(x)
    ours = runner.experiment._maps()["lle"].double().numpy()  # type: ignore[attr-defined]
    # the same plane of functions: one fits the other without a rest
    rest = peer - ours @ np.linalg.lstsq(ours, peer, rcond=None)[0]
    assert (rest**2).sum() < 0.02 * (peer**2).sum()


# ── the experiment ──────────────────────────────────────────────────────────────────────────────────────────


def test_all_maps_show_the_same_items() -> None:
    runner = run("digits", 2, most=300)
    assert len(runner.data.x) == 300
    views = {name: runner.view(name) for name in manifold.MAPS}
    assert {len(view.xy) for view in views.values()} == {300}  # type: ignore[union-attr]
    assert all(view.total == 1797 for view in views.values())  # type: ignore[union-attr]
    assert (views["pca"].label == views["umap"].label).all()  # type: ignore[union-attr]
    place = runner.ask("encode", runner.data.x[5].numpy())
    assert place.channel == "umap"
    lying = views["umap"].xy[5]  # type: ignore[union-attr]
    assert np.hypot(*(lying - place.xy)) < 0.05 * np.ptp(views["umap"].xy)  # type: ignore[union-attr]


def test_a_knob_turned_at_the_end_lets_it_go_on() -> None:
    runner = run(points(60, 3), manifold.STEPS)
    assert runner.next_frame() is None
    before = runner.experiment._maps()["isomap"]  # type: ignore[attr-defined]
    runner.set("neighbours", 4)
    runner.wake()
    assert runner.next_frame() is not None
    assert not torch.equal(before, runner.experiment._maps()["isomap"])  # type: ignore[attr-defined]
    for _step in range(manifold.MORE):
        runner.next_frame()
    assert runner.next_frame() is None


@pytest.mark.parametrize(
    "x",
    [
        torch.zeros(12, 3),
        torch.ones(5, 1),
        torch.cat([torch.zeros(30, 2), torch.ones(30, 2)]),
        points(4, 2),
        points(200, 1),
        torch.cat([points(40, 2), torch.full((40, 3), 7.0)], 1),
    ],
    ids=["one place", "five alike", "two places", "four points", "a line", "constant columns"],
)
def test_strange_data_give_finite_maps(x: torch.Tensor) -> None:
    runner = run(x, 25)
    for name in manifold.MAPS:
        xy = runner.view(name).xy  # type: ignore[union-attr]
        assert xy.shape == (len(x), 2), name
        assert np.isfinite(xy).all(), name


@pytest.mark.parametrize("x", [points(2, 3), points(1, 3), torch.full((20, 2), float("nan"))])
def test_data_that_cannot_be_laid_out_are_refused(x: torch.Tensor) -> None:
    with pytest.raises(InputError):
        run(x, 0)


def test_many_columns_are_seen_along_their_principal_axes() -> None:
    x = torch.cat([0.1 * points(200, 4), 5 * points(200, 2)], 1)  # the last two columns spread most
    seen = run(x, 0).view("source").xy  # type: ignore[union-attr]
    assert seen.std(0).min() > 3


def test_other_points_begin_other_maps() -> None:
    runner = run(points(50, 2), 3)
    runner.take(dataclasses.replace(runner.data, x=points(70, 2)))
    runner.wake()
    assert runner.next_frame() is not None
    assert len(runner.view("tsne").xy) == 70  # type: ignore[union-attr]


# ── what a class shall see ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_isomap_unrolls_what_pca_presses_flat(seed: int) -> None:
    runner = run("swiss_roll", 60, seed)
    assert along(runner, "isomap") > 0.99
    assert along(runner, "isomap", 1) > 0.95
    assert along(runner, "lle") > 0.95
    assert along(runner, "pca") < 0.6
    assert along(runner, "mds") < 0.6


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_with_too_many_neighbours_isomap_takes_short_cuts(seed: int) -> None:
    assert along(run("swiss_roll", 60, seed, neighbours=60), "isomap") < 0.6


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_tsne_and_umap_keep_the_neighbours_of_digits(seed: int) -> None:
    kept = run("digits", manifold.STEPS, seed).experiment.kept  # type: ignore[attr-defined]
    assert kept["tsne"] > 0.55
    assert kept["umap"] > 0.5
    assert max(kept["pca"], kept["mds"], kept["isomap"], kept["lle"]) < 0.35
