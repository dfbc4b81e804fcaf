"""What a map keeps of the neighbourhoods, against slow formulas and scikit-learn."""

from __future__ import annotations

import math

import pytest
import torch

from engine.parts import knn, quality


def cloud(n: int, d: int = 6, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("k", [1, 5, 10])
def test_kept_is_the_slow_formula(k: int) -> None:
    x = cloud(200)
    y = x[:, :2] + 0.1 * cloud(200, 2, 1)
    index, _distance = knn.nearest(x, 15)
    near = torch.cdist(y.double(), y.double()).fill_diagonal_(torch.inf).argsort(1)[:, :k]
    slow = [len(set(index[i, :k].tolist()) & set(near[i].tolist())) / k for i in range(200)]
    assert quality.kept(index, y, k) == pytest.approx(sum(slow) / 200, abs=1e-6)


@pytest.mark.parametrize(("n", "k"), [(30, 5), (200, 10), (200, 1), (900, 10)])
def test_trustworthiness_is_that_of_scikit_learn(n: int, k: int) -> None:
    from sklearn.manifold import trustworthiness

    x = cloud(n)
    for y in (x[:, :2], cloud(n, 2, 1)):
        expected = trustworthiness(x.numpy(), y.numpy(), n_neighbors=k)
        assert quality.trustworthiness(x, y, k) == pytest.approx(expected, abs=1e-5)
        assert quality.trustworthiness(quality.ranks(x), y, k) == pytest.approx(expected, abs=1e-5)


def test_a_thousand_points_speak_for_all() -> None:
    from sklearn.manifold import trustworthiness

    x = cloud(4000, 3)
    y = x[:, :2]
    expected = trustworthiness(x.numpy(), y.numpy(), n_neighbors=10)
    assert quality.trustworthiness(x, y) == pytest.approx(expected, abs=0.005)
    assert len(quality.ranks(x)) <= quality.QUERIES
    index, _distance = knn.nearest(x, 10)
    near, _distance = knn.nearest(y, 10)
    whole = float((index[:, :, None] == near[:, None, :]).any(2).float().mean())
    assert quality.kept(index, y) == pytest.approx(whole, abs=0.02)


def test_ranks_count_who_is_nearer() -> None:
    x = cloud(50)
    distance = torch.cdist(x.double(), x.double())
    slow = (distance[:, None, :] < distance[:, :, None]).sum(2)
    assert torch.equal(quality.ranks(x).long(), slow)
    assert quality.ranks(x).dtype == torch.int16


def test_a_perfect_map_and_the_worst_one() -> None:
    y = cloud(300, 2)
    index, _distance = knn.nearest(y, 10)
    assert quality.kept(index, 3 * y) == 1
    assert quality.trustworthiness(y, 3 * y) == 1
    assert quality.kept(index, cloud(300, 2, 5)) < 0.15
    assert quality.trustworthiness(y, cloud(300, 2, 5)) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("n", [2, 3, 4, 9])
def test_few_points(n: int) -> None:
    y = cloud(n, 2)
    index, _distance = knn.nearest(y, n - 1)
    assert quality.kept(index, y) == 1
    assert quality.trustworthiness(y, y) == 1


def test_points_all_in_one_place() -> None:
    x = torch.zeros(60, 2)
    index, _distance = knn.nearest(x, 10)
    for y in (x, cloud(60, 2)):
        assert 0 <= quality.kept(index, y) <= 1
        assert math.isfinite(quality.trustworthiness(x, y))
        assert quality.trustworthiness(x, y) <= 1
