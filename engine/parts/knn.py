"""Exact nearest neighbours, some rows at a time."""

from __future__ import annotations

from collections.abc import Callable

import torch

ROWS = 1000
"""Rows compared with all others at a time: their distances stay near the cache."""


def nearest(
    x: torch.Tensor,
    k: int,
    *,
    among: torch.Tensor | None = None,
    tell: Callable[[float], None] = lambda _s: None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The ``k`` nearest rows of ``among`` to each row of ``x``, nearest first: index (N, k) int64 and
    distance (N, k) float32.

    x: (N, D) float32. among: (M, D), or None for ``x`` itself; a row is then no neighbour of its own.
    tell: called with the share done.

    ‖a − b‖² = ‖a‖² − 2 a·b + ‖b‖²: one product of matrices, then the smallest k of each row.
    """
    others = x if among is None else among
    middle = others.mean(0)  # near 0, where float32 loses nothing
    x, others = x - middle, others - middle
    norms = (others**2).sum(1)  # (M,)
    index = torch.empty(len(x), k, dtype=torch.int64)
    distance = torch.empty(len(x), k)
    for first in range(0, len(x), ROWS):
        tell(first / len(x))
        rows = x[first : first + ROWS]  # (R, D)
        squared = torch.addmm(norms, rows, others.T, alpha=-2)  # (R, M), less ‖a‖², the same for all of a row
        if among is None:
            at = torch.arange(len(rows))
            squared[at, at + first] = torch.inf
        found = squared.topk(k, dim=1, largest=False)  # (R, k), nearest first
        index[first : first + ROWS] = found.indices
        squares = found.values + (rows**2).sum(1, keepdim=True)
        distance[first : first + ROWS] = squares.clamp_(min=0).sqrt_()
    return index, distance
