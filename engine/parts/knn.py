"""Exact nearest neighbours, some rows at a time."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

ROWS = 100
"""Rows compared with all others at a time: their distances stay in the cache."""


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
    hand = max(1, int(math.sqrt(len(others) / k)))  # H numbers are dealt to each of S heaps
    heaps = -(-len(others) // hand)
    spare = heaps * hand - len(others)  # infinitely far rows fill up the last ones
    others = torch.nn.functional.pad(others, (0, 0, 0, spare))  # (S H, D)
    norms = torch.nn.functional.pad(norms, (0, spare), value=torch.inf)  # (S H,)
    index = torch.empty(len(x), k, dtype=torch.int64)
    distance = torch.empty(len(x), k)
    for first in range(0, len(x), ROWS):
        tell(first / len(x))
        rows = x[first : first + ROWS]  # (R, D)
        squared = torch.addmm(norms, rows, others.T, alpha=-2)  # (R, S H), less ‖a‖², the same in a row
        if among is None:
            at = torch.arange(len(rows))
            squared[at, at + first] = torch.inf
        values, index[first : first + ROWS] = smallest(squared, k, hand)
        squares = values + (rows**2).sum(1, keepdim=True)
        distance[first : first + ROWS] = squares.clamp_(min=0).sqrt_()
    return index, distance


def smallest(rows: torch.Tensor, k: int, hand: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The ``k`` smallest numbers of each row, smallest first, and where they are: (R, k) each, as ``topk``.

    rows: (R, S ``hand``). The numbers are dealt to S heaps, of which the k with the smallest minima hold k
    numbers that are no larger than any number in another heap; so only those k heaps have to be searched.
    """
    r, m = rows.shape
    if hand < 2 or m // hand < 2 * k:
        found = rows.topk(k, dim=1, largest=False)
        return found.values, found.indices
    heaps = m // hand  # S
    best = rows.view(r, hand, heaps).amin(1).topk(k, dim=1, largest=False, sorted=False).indices  # (R, k)
    places = (best[:, :, None] + heaps * torch.arange(hand)).reshape(r, k * hand)  # (R, k H)
    found = rows.gather(1, places).topk(k, dim=1, largest=False)
    return found.values, places.gather(1, found.indices)
