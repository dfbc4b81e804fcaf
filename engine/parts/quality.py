"""How much of the neighbourhoods of the data a map in the plane keeps."""

from __future__ import annotations

import math

import torch

from engine.parts import knn

QUERIES, FEWEST = 1000, 200
"""Points asked, spread over all of them: at most and at least."""
PAIRS = 3_000_000
"""Distances found for them: more would take longer than many a step of what is judged."""
CELLS = 1_000_000
"""Distances held at a time."""


def kept(index: torch.Tensor, y: torch.Tensor, k: int = 10) -> float:
    """The mean share of the ``k`` nearest points in the data that are among the k nearest in the plane, 0..1.

    index: (N, ≥ k) int64 nearest in the data, nearest first. y: (N, 2).
    """
    n = len(y)
    k = min(k, n - 1, index.shape[1])
    some = _spread(n)  # (Q,)
    near = _nearest_in_plane(y, some, k)  # (Q, k)
    hits = (index[some, :k, None] == near[:, None, :]).any(2)  # (Q, k)
    return float(hits.float().mean())


def trustworthiness(x: torch.Tensor, y: torch.Tensor, k: int = 10) -> float:
    """1 − 2 / (N k (2N − 3k − 1)) Σ_i Σ_{j near i in the plane} max(0, r(i, j) − k): 1 where no point has got
    a false neighbour. r(i, j) is 1 where j is the nearest to i in the data, 2 for the next, and so on.

    x: (N, D) data, or (Q, N) int16 or int32 ranks from :func:`ranks`, which depend on the data alone.
    y: (N, 2). At most about a thousand points are asked, spread evenly.

    Source: J. Venna, S. Kaski, "Neighborhood preservation in nonlinear projection methods", 2001.
    """
    n = len(y)
    k = max(1, min(k, (n - 1) // 2))  # with more, the worst map would not be at 0
    rank = x if not x.is_floating_point() else ranks(x)  # (Q, N)
    some = _spread(n)  # (Q,)
    near = _nearest_in_plane(y, some, k)  # (Q, k)
    beyond = (rank.gather(1, near).long() - k).clamp_(min=0)  # (Q, k): max(0, r − k)
    worst = len(some) * k * (2 * n - 3 * k - 1) / 2
    return 1 - float(beyond.sum()) / worst if worst > 0 else 1.0


def ranks(x: torch.Tensor) -> torch.Tensor:
    """r(i, j), (Q, N) int16 or int32: how many points are as near to i as j is, for the points i that are
    asked. x: (N, D). Of i itself it is 0.
    """
    n = len(x)
    x = x - x.mean(0)
    some = _spread(n)
    norms = (x**2).sum(1)  # (N,)
    dtype = torch.int16 if n <= torch.iinfo(torch.int16).max else torch.int32
    found = torch.empty(len(some), n, dtype=dtype)
    place = torch.arange(n, dtype=dtype)[None]  # (1, N)
    rows = max(1, CELLS // n)
    for first in range(0, len(some), rows):
        part = some[first : first + rows]  # (R,)
        squared = torch.addmm(norms, x[part], x.T, alpha=-2)  # (R, N), less ‖x_i‖²
        squared[torch.arange(len(part)), part] = -torch.inf  # i comes first, whoever else is there
        order = torch.from_numpy(squared.numpy().argsort(1))  # (R, N); NumPy sorts faster than torch
        found[first : first + rows].scatter_(1, order, place.expand(len(part), n))
    return found


def _spread(n: int) -> torch.Tensor:
    """The points that are asked, (Q,) int64."""
    wanted = max(FEWEST, min(QUERIES, PAIRS // n))
    return torch.arange(0, n, math.ceil(n / wanted))


def _nearest_in_plane(y: torch.Tensor, some: torch.Tensor, k: int) -> torch.Tensor:
    """The ``k`` nearest of points ``some`` in the plane, (Q, k) int64."""
    index, _distance = knn.nearest(y[some], min(k + 1, len(y)), among=y)  # (Q, k + 1)
    # A point is no neighbour of its own; where others sit on it, it may not be found first, or not at all.
    own = index == some[:, None]  # (Q, k + 1)
    own[:, -1] |= ~own.any(1)
    return index[~own].reshape(len(some), k)
