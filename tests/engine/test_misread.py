"""The clouds that t-SNE is misread on: what is true of them, so that a map can be held against it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.data import misread
from engine.data.registry import load

NAMES = [source.name for source in misread.SOURCES]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("noise", [0.0, None])
def test_as_many_finite_points_as_asked_for(name: str, noise: float | None) -> None:
    params = {"n": 101} | ({} if noise is None else {"noise": noise})
    data = load(name, params=params)
    assert data.x.shape == (101, len(data.columns))
    assert data.y is not None
    assert int(data.y.max()) < len(data.names)
    assert bool(torch.isfinite(data.x).all())
    assert torch.equal(data.x, load(name, params=params).x)
    if noise is None:
        assert not torch.equal(data.x, load(name, seed=1, params=params).x)
    for factor in data.factors:
        assert factor.low <= float(factor.values.min()) <= float(factor.values.max()) <= factor.high


def centres(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return torch.stack([x[y == c].mean(0) for c in range(int(y.max()) + 1)])


@pytest.mark.parametrize(("name", "ratio"), [("two_sizes", 10), ("nested", 50)])
def test_one_cloud_is_so_many_times_as_wide(name: str, ratio: float) -> None:
    data = load(name, params={"n": 4000})
    wide, narrow = (float(data.x[data.y == c].std(0).mean()) for c in range(2))
    assert wide / narrow == pytest.approx(ratio, rel=0.1)


def test_the_third_cloud_is_five_times_as_far() -> None:
    data = load("three_distances", params={"n": 4000})
    a, b, c = centres(data.x, data.y)  # type: ignore[arg-type]
    assert float((c - b).norm() / (b - a).norm()) == pytest.approx(5, rel=0.05)


def test_there_is_nothing_to_find_in_the_noise() -> None:
    x = load("pure_noise", params={"n": 5000}).x
    values = np.linalg.eigvalsh(np.cov(x.numpy().T))
    assert values.max() / values.min() < 1.6  # alike in all directions, but for chance


def test_the_knot_never_touches_itself() -> None:
    data = load("trefoil", params={"n": 900, "noise": 0.0})
    angle = data.factors[0].values
    apart = (angle[:, None] - angle).abs()
    apart = torch.minimum(apart, 360 - apart)  # along the knot, in degrees
    assert float(torch.cdist(data.x, data.x)[apart > 40].min()) > 0.8
