"""The arithmetic of t-SNE against slow formulas, and what data on their way to a map must be."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

from engine.core.stages import Stages
from engine.core.text import InputError
from engine.data.registry import Dataset, Factor, load
from engine.parts import embedding, knn, tsne


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def points(x: torch.Tensor) -> Dataset:
    return Dataset("own", "points", x, columns=tuple(f"c{i}" for i in range(x.shape[1])), total=len(x))


def quiet(_share: float) -> None:
    """Nobody looks."""


def dense(a: tsne.Affinities, n: int) -> torch.Tensor:
    p = torch.zeros(n, n, dtype=torch.float64)
    p[a.row.long(), a.column.long()] = a.p.double()
    return p


def cloud(n: int = 120, d: int = 5) -> torch.Tensor:
    return torch.randn(n, d, generator=seeded())


# ── affinities ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("perplexity", [2.0, 7.5, 30.0])
def test_each_row_has_the_perplexity_that_was_asked_for(perplexity: float) -> None:
    _index, distance = knn.nearest(cloud(), 90)
    p = tsne.conditional(distance, perplexity).double()
    torch.testing.assert_close(p.sum(1), torch.ones(120, dtype=torch.float64), rtol=1e-6, atol=0)
    entropy = -torch.special.xlogy(p, p).sum(1)
    torch.testing.assert_close(entropy.exp(), torch.full_like(entropy, perplexity), rtol=1e-3, atol=0)


def test_the_conditionals_are_gaussians() -> None:
    _index, distance = knn.nearest(cloud(), 40)
    p = tsne.conditional(distance, 10.0).double()
    squares = distance.double() ** 2
    # ln p is a straight line in d², with one slope for each point
    beta = -(p[:, 0] / p[:, 20]).log() / (squares[:, 0] - squares[:, 20])
    expected = torch.exp(-beta[:, None] * squares)
    torch.testing.assert_close(p, expected / expected.sum(1, keepdim=True), rtol=1e-3, atol=1e-7)


def test_affinities_are_those_of_scikit_learn() -> None:
    from scipy.spatial.distance import squareform
    from sklearn.manifold import _t_sne

    x = cloud(60)
    squares = torch.cdist(x, x).square().numpy().astype(np.float32)
    peer = squareform(_t_sne._joint_probabilities(squares, 12.0, 0))
    found = dense(tsne.affinities(*knn.nearest(x, 59), 12.0), 60)
    np.testing.assert_allclose(found.numpy(), peer, rtol=2e-3, atol=1e-8)
    torch.testing.assert_close(found, found.T)
    assert float(found.sum()) == pytest.approx(1, abs=1e-6)


def test_rows_begin_where_starts_says() -> None:
    a = tsne.affinities(*knn.nearest(cloud(), 9), 3.0)
    assert (a.row[a.starts].long() == torch.arange(120)).all()
    assert (a.row.diff() >= 0).all()


@pytest.mark.parametrize(
    "distance",
    [torch.zeros(6, 4), torch.ones(6, 4), torch.tensor([[0.0, 0, 0, 1e6]]).repeat(6, 1),
     torch.full((6, 4), 1e-20)],
    ids=["duplicates", "all as far", "one far away", "tiny"],
)  # fmt: skip
def test_equal_distances_count_alike(distance: torch.Tensor) -> None:
    p = tsne.conditional(distance, 2.0)
    assert bool(torch.isfinite(p).all())
    torch.testing.assert_close(p.sum(1), torch.ones(6))
    torch.testing.assert_close(p[:, 0], p[:, 1])


# ── forces ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("scale", [1e-4, 1.0, 20.0])
def test_forces_are_the_gradient_of_the_divergence(scale: float) -> None:
    """4 (attraction and repulsion) against automatic differentiation of KL(P ‖ Q), in the open."""
    x = cloud()
    a = tsne.affinities(*knn.nearest(x, 30), 10.0)
    p = dense(a, len(x))
    y = (torch.randn(len(x), 2, generator=seeded(1)) * scale).double().requires_grad_()
    w = 1 / (1 + (y[:, None] - y[None]).square().sum(2))
    w = w - torch.diag(torch.diag(w))
    q = w / w.sum()
    there = p > 0
    kl = (p[there] * (p[there] / q[there]).log()).sum()
    (gradient,) = torch.autograd.grad(kl, y)
    made = tsne.Tsne(a, y.detach())
    pull, push = made.forces()
    error = (-4 * (pull + push) - gradient).norm() / gradient.norm()
    assert float(error) < 1e-4
    assert made.kl() == pytest.approx(float(kl.detach()), rel=1e-5)


@pytest.mark.parametrize(
    ("scale", "close"), [(1e-6, 1e-4), (1e-4, 1e-5), (0.1, 1e-4), (3.0, 0.01), (20.0, 0.05)]
)
def test_the_grid_repels_as_all_pairs_do(scale: float, close: float) -> None:
    y = torch.randn(3000, 2, generator=seeded()) * scale + 5 * scale
    exact, z = tsne.repulsion_exact(y.double())
    found, z_found, kernels = tsne.repulsion_grid(y)
    assert float((found - exact).norm() / exact.norm()) < close
    assert z_found == pytest.approx(z, rel=5e-3)
    again, z_again, same = tsne.repulsion_grid(y, kernels)
    assert same is kernels  # nothing is made anew that is there
    torch.testing.assert_close(again, found)
    assert z_again == z_found


def test_no_force_on_the_whole() -> None:
    y = torch.randn(2000, 2, generator=seeded()) * 8
    force, _z, _kernels = tsne.repulsion_grid(y)
    assert float(force.sum(0).abs().max()) < 1e-4 * float(force.abs().sum())


@pytest.mark.parametrize("shape", ["line", "one place", "far apart", "stray"])
def test_odd_maps_have_finite_forces(shape: str) -> None:
    y = torch.zeros(600, 2)
    if shape == "line":
        y[:, 0] = torch.linspace(-30, 30, 600)
    elif shape == "far apart":
        y = torch.randn(600, 2, generator=seeded()) * 1e4
    elif shape == "stray":
        y[0] = 1e6
    force, z, kernels = tsne.repulsion_grid(y)
    assert bool(torch.isfinite(force).all())
    assert math.isfinite(z)
    assert z > 0
    assert kernels.size < 3 * tsne.MOST


def test_splines_sum_to_one_and_centre_on_their_place() -> None:
    t = torch.rand(100, 2, generator=seeded())
    weight = tsne._spline(t)
    torch.testing.assert_close(weight.sum(0), torch.ones(100, 2))
    nodes = torch.tensor([-1.0, 0, 1, 2])[:, None, None]
    torch.testing.assert_close((weight * nodes).sum(0), t)


def test_sizes_are_quick_and_large_enough() -> None:
    for least in (1, 16, 17, 130, 1000, 2999):
        size = tsne._quick(least)
        assert least <= size <= 1.3 * least + 16
        for prime in (2, 3, 5):
            while size % prime == 0:
                size //= prime
        assert size == 1


# ── steps ───────────────────────────────────────────────────────────────────────────────────────────────────


def made(n: int = 500, seed: int = 0) -> tsne.Tsne:
    x = cloud(n)
    return tsne.Tsne(tsne.affinities(*knn.nearest(x, 30), 10.0), embedding.start(x - x.mean(0), seeded(seed)))


def test_steps_make_the_divergence_small() -> None:
    map_ = made()
    values = [map_.kl()]
    for phase in range(6):
        for _step in range(50):
            map_.step(exaggeration=12 if phase == 0 else 1)
        values.append(map_.kl())
    assert values[-1] < 0.6 * values[0]
    assert values[3:] == sorted(values[3:], reverse=True)
    assert float(map_.y.mean(0).abs().max()) < 1e-3


def test_small_steps_never_raise_the_divergence() -> None:
    map_ = made(150)
    before = map_.kl()
    for _step in range(40):
        map_.step(rate=0.02, momentum=0.0)
        now = map_.kl()
        assert now <= before + 1e-6
        before = now


def test_the_map_does_not_turn_or_jump() -> None:
    """Between two late steps the best turn that lays one map on the next is next to none."""
    map_ = made()
    for step in range(300):
        map_.step(exaggeration=12 if step < 100 else 1)
    for _step in range(20):
        before = map_.y.clone()
        map_.step()
        a, b = torch.view_as_complex(before), torch.view_as_complex(map_.y)
        assert abs(float(torch.angle((a.conj() * b).sum()))) < 0.005
        assert float((a - b).abs().max()) < 0.1 * float(a.abs().max())


def test_whatever_the_knobs_all_stays_finite() -> None:
    map_ = made(450)
    for exaggeration, rate, momentum in ((40, 20, 0.95), (1, 20, 0.0), (1, 0.02, 0.95), (40, 20, 0.95)):
        for _step in range(60):
            map_.step(exaggeration=exaggeration, rate=rate, momentum=momentum)
        assert bool(torch.isfinite(map_.y).all())
        assert math.isfinite(map_.kl())


def test_a_kept_state_goes_on_as_if_never_left() -> None:
    one, other = made(), made(seed=9)
    for _step in range(10):
        one.step(exaggeration=12)
    kept = {name: value.clone() for name, value in one.state_dict().items()}
    for _step in range(5):
        one.step()
    other.load_state_dict(kept)
    for _step in range(5):
        other.step()
    assert torch.equal(one.y, other.y)


# ── on the way to a map ─────────────────────────────────────────────────────────────────────────────────────


def test_few_columns_are_only_centred() -> None:
    x = cloud() + 7
    torch.testing.assert_close(embedding.prepare(points(x), Stages(), quiet), x - x.mean(0))


def test_many_columns_become_their_principal_axes() -> None:
    from sklearn.decomposition import PCA

    data = load("digits")
    found = embedding.prepare(data, Stages(), quiet)
    peer = PCA(embedding.AXES, svd_solver="full").fit(data.flat.numpy().astype(np.float64))
    assert found.shape == (1797, embedding.AXES)
    assert float(found.double().var(0).sum()) == pytest.approx(peer.explained_variance_.sum(), rel=2e-3)
    leading = found[:, :10].double().var(0).numpy()
    np.testing.assert_allclose(leading, peer.explained_variance_[:10], rtol=2e-3)


def test_an_item_of_the_data_is_projected_onto_itself() -> None:
    for data in (load("digits"), points(cloud())):
        stages = Stages()
        x = embedding.prepare(data, stages, quiet)
        torch.testing.assert_close(embedding.project(data, stages, data.x[7]), x[7:8], rtol=1e-4, atol=1e-4)
        with pytest.raises(InputError, match=f"has {data.flat.shape[1]} numbers"):
            embedding.project(data, stages, torch.zeros(3))
        with pytest.raises(InputError, match="numbers"):
            embedding.project(data, stages, data.x[7] * float("nan"))


def test_neighbours_are_looked_for_once() -> None:
    data, stages = points(cloud(300)), Stages()
    told: list[float] = []
    index, distance = embedding.neighbours(data, stages, 5, told.append)
    slow = knn.nearest(data.x - data.x.mean(0), 5)
    assert torch.equal(index, slow[0])
    torch.testing.assert_close(distance, slow[1])
    searches = len(told)
    embedding.neighbours(data, stages, 20, told.append)
    assert len(told) == searches
    assert embedding.neighbours(data, stages, 80, told.append)[0].shape == (300, 80)
    assert len(told) > searches
    assert embedding.neighbours(data, stages, 9999, told.append)[0].shape == (300, 299)


def test_a_newcomer_lies_among_its_neighbours() -> None:
    x, y = cloud(), torch.randn(120, 2, generator=seeded(3))
    row = x[:1] + 0.01
    index, distance = knn.nearest(row, 10, among=x)
    w = 1 / distance[0].double()
    slow = (w[:, None] * y[index[0]]).sum(0) / w.sum()
    assert embedding.place(row, x, y) == pytest.approx(slow.tolist(), abs=1e-4)
    assert embedding.place(x[4:5], x, y) == pytest.approx(y[4].tolist(), abs=1e-2)
    assert embedding.place(x[4:5], x[:6], y[:6], k=50) == pytest.approx(y[4].tolist(), abs=1e-2)


def test_the_start_is_the_principal_plane_made_small() -> None:
    x = cloud(400) * torch.tensor([5.0, 3, 1, 1, 1])
    x = x - x.mean(0)
    y = embedding.start(x, seeded())
    assert float(y[:, 0].std()) == pytest.approx(1e-4, rel=1e-2)
    assert abs(float(np.corrcoef(y[:, 0], x[:, 0])[0, 1])) > 0.99
    assert abs(float(np.corrcoef(y[:, 1], x[:, 1])[0, 1])) > 0.99
    assert float(embedding.start(x, seeded(), scale=1.0)[:, 0].std()) == pytest.approx(1, rel=1e-2)
    one_column = embedding.start(torch.linspace(-1, 1, 9)[:, None], seeded())
    assert one_column.shape == (9, 2)
    alike = embedding.start(torch.zeros(9, 3), seeded())
    assert len(alike.unique(dim=0)) == 9  # points that are equal can still part


def test_a_sample_is_even_and_keeps_what_belongs_to_each() -> None:
    x = torch.arange(10.0)[:, None]
    data = dataclasses.replace(
        points(x),
        y=torch.arange(10),
        names=tuple("abcdefghij"),
        factors=(Factor("f", load("swiss_roll").factors[0].title, x[:, 0], 0, 9),),
        captions={"en": tuple("abcdefghij")},
    )
    some = embedding.sample(data, 4)
    assert some.x[:, 0].tolist() == some.factors[0].values.tolist() == [0, 2, 5, 7]
    assert some.captions["en"] == ("a", "c", "f", "h")
    assert some.item(2).label == "f"
    assert some.total == 10
    assert embedding.sample(data, 10) is data


@pytest.mark.parametrize(
    ("x", "match"),
    [
        (torch.zeros(3, 2), "3 points are too few"),
        (torch.zeros(0, 2), "0 points are too few"),
        (torch.tensor([[0.0, 1], [1, 1], [2, float("nan")], [3, 1]]), "Item 2 has a value"),
        (torch.tensor([[0.0, 1], [1, 1], [2, 1], [float("inf"), 1]]), "Item 3 has a value"),
        (torch.full((6, 2), 1e30), "larger than"),
        (torch.zeros(6, 0), "no numbers"),
        (1e-20 * torch.eye(6, 4), "multiply all of them"),
    ],
)
def test_what_cannot_be_laid_out_is_said(x: torch.Tensor, match: str) -> None:
    with pytest.raises(InputError, match=match):
        embedding.prepare(points(x), Stages(), quiet)
