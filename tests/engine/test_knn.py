from __future__ import annotations

import pytest
import torch

from engine.parts import knn


@pytest.mark.parametrize(("n", "d", "k"), [(2, 1, 1), (50, 3, 49), (2500, 20, 7)])
def test_as_the_slow_formula_says(n: int, d: int, k: int) -> None:
    x = torch.randn(n, d, generator=torch.Generator().manual_seed(0)) + 100  # far from 0
    index, distance = knn.nearest(x, k)
    exact = torch.cdist(x.double(), x.double(), compute_mode="donot_use_mm_for_euclid_dist")
    own = exact.gather(1, index)
    expected = exact.fill_diagonal_(torch.inf).sort(1).values[:, :k]
    torch.testing.assert_close(own, expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(distance.double(), expected, rtol=1e-3, atol=1e-3)
    assert (index != torch.arange(n)[:, None]).all()


def test_among_others_and_with_progress() -> None:
    x, others = torch.randn(1500, 4), torch.randn(30, 4)
    told: list[float] = []
    index, _distance = knn.nearest(x, 3, among=others, tell=told.append)
    assert (index == torch.cdist(x, others).sort(1).indices[:, :3]).float().mean() > 0.999
    assert told == sorted(told)
    assert len(told) == -(-1500 // knn.ROWS)


def test_duplicates_are_each_others_neighbours() -> None:
    x = torch.ones(5, 2)
    index, distance = knn.nearest(x, 4)
    assert distance.max() == 0
    assert all(set(row.tolist()) == {0, 1, 2, 3, 4} - {i} for i, row in enumerate(index))
