"""Ways to do one step of Lloyd's algorithm on large sets without looking at every point each time.

``engine/experiments/clusters/kmeans.py`` has the readable formula; each class here gives the same sums and
counts. Facts they rest on, measured on two cores with AVX512: ``scores.min(0)`` on a (K, N) matrix takes a
sixth of ``argmin(0)``, and ``centres @ x.T`` beats ``x @ centres.T``: its long axis lies together in memory.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol

import torch


class Fast(Protocol):
    """``assign`` gives S_j = Σ x_i, (K, D), and n_j, (K,), float64, of the points nearest to each centre."""

    def assign(self, centres: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]: ...

    def state_dict(self) -> dict[str, torch.Tensor]: ...

    def load_state_dict(self, kept: Mapping[str, Any]) -> None: ...


def fast(x: torch.Tensor) -> Fast | None:
    """The fastest way for the points ``x`` (N, D) float32; None where they are so few that the formula is."""
    n, d = x.shape
    if d == 2 and n >= 50_000:
        return Grid(x)
    if d > 2 and n * d >= 2_000_000:
        return Bounds(x)
    return None


FAR = torch.finfo(torch.float32).max
"""Further than anything: a bound that never binds, and unlike infinity a session can hold it."""


class Bounds:
    """Many numbers per point: bounds on distances tell which points cannot have changed their centre.

    Sources: C. Elkan, "Using the triangle inequality to accelerate k-means", ICML 2003; G. Hamerly, "Making
    k-means even faster", SDM 2010. Here for all points at once, and the sums are corrected by the points that
    changed over instead of added up afresh.

    For each point: upper ≥ distance to its own centre, lower ≤ distance to each other one. When centres move,
    both are loosened by as much as they moved; only where upper > lower are distances computed again.
    """

    ROWS = 1024
    """Points measured at a time: their copy stays in the cache."""
    SLACK = 1e-4
    """Share by which bounds must be clear of each other: float32 distances are off by less."""

    def __init__(self, x: torch.Tensor) -> None:
        self.x = x
        self.norms = (x**2).sum(1)  # (N,) ‖x_i‖²
        self.state: dict[str, torch.Tensor] = {}

    def assign(self, centres: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """See :class:`Fast`."""
        k, (n, d) = len(centres), self.x.shape
        if not self.state or len(self.state["centres"]) != k:
            self.state = {
                "labels": torch.full((n,), -1),
                "upper": torch.full((n,), math.inf),  # (N,)
                "lower": torch.zeros(k, n),  # (K, N), FAR for a point's own centre
                "sums": torch.zeros(k, d, dtype=torch.float64),
                "counts": torch.zeros(k, dtype=torch.float64),
            }
            doubtful = torch.arange(n)
        else:
            doubtful = self._loosen(centres)
        self.state["centres"] = centres.clone()
        if (
            2 * len(doubtful) > n
        ):  # taking all points as they lie is then cheaper than picking out the doubtful ones
            doubtful = torch.arange(n)
        for first in range(0, len(doubtful), self.ROWS):
            self._measure(doubtful[first : first + self.ROWS], centres, whole=len(doubtful) == n)
        return self.state["sums"].clone(), self.state["counts"].clone()

    def _loosen(self, centres: torch.Tensor) -> torch.Tensor:
        """Let the bounds follow the centres; which points may now have another nearest centre, (M,)."""
        labels, upper, lower = self.state["labels"], self.state["upper"], self.state["lower"]
        shift = torch.linalg.vector_norm(centres - self.state["centres"], dim=1)  # (K,)
        upper += shift[labels]
        lower -= shift[:, None]
        # A point nearer to its centre than half-way to the next centre cannot leave it either.
        apart = torch.cdist(centres, centres, compute_mode="donot_use_mm_for_euclid_dist")  # (K, K)
        half = apart.fill_diagonal_(math.inf).min(1).values / 2  # (K,)
        clear = torch.maximum(lower.min(0).values, half[labels])  # (N,)
        return (upper * (1 + self.SLACK) >= clear).nonzero()[:, 0]

    def _measure(self, some: torch.Tensor, centres: torch.Tensor, *, whole: bool) -> None:
        """Distances of some points, (M,): new bounds, and sums corrected where the nearest centre changed."""
        s = self.state
        rows = self.x[int(some[0]) : int(some[-1]) + 1] if whole else self.x[some]  # (M, D)
        # ‖x − m‖² = ‖m‖² − 2 m·x + ‖x‖²
        score = torch.addmm((centres**2).sum(1, keepdim=True), centres, rows.T, alpha=-2)  # (K, M)
        distance = score.add_(self.norms[some]).clamp_(min=0).sqrt_()  # (K, M)
        upper, labels = distance.min(0)
        s["upper"][some] = upper
        s["lower"].index_copy_(1, some, distance.scatter_(0, labels[None], FAR))

        old = s["labels"][some]
        changed = (labels != old).nonzero()[:, 0]
        if len(changed):
            s["labels"][some] = labels
            old, labels = old[changed], labels[changed]
            k = len(centres)
            # +1 where a point comes, −1 where it leaves; row K is for points that had no label (-1) yet.
            sign = torch.zeros(k + 1, len(changed), dtype=torch.float64)  # (K + 1, M')
            sign.scatter_(0, labels[None], 1.0).scatter_(0, old.remainder(k + 1)[None], -1.0)
            sign = sign[:k]
            s["sums"] += sign @ rows[changed].double()  # S_j: what came, less what went
            s["counts"] += sign.sum(1)

    def state_dict(self) -> dict[str, torch.Tensor]:
        return self.state

    def load_state_dict(self, kept: Mapping[str, Any]) -> None:
        self.state = dict(kept)


class Grid:
    """Very many points in the plane: a cell whose four corners have one nearest centre belongs to it whole.

    That is exact, not an approximation: the places nearest to one centre form a convex region (Voronoi cell);
    what lies between four of them is in it too. Sums and counts of each cell are made once; a step looks at
    the corners, and only into those cells that a border cuts. It remembers nothing between steps.
    """

    def __init__(self, x: torch.Tensor) -> None:
        size = max(16, min(256, int(math.sqrt(len(x)) / 5)))  # about 25 points in a cell
        low, high = x.min(0).values, x.max(0).values
        width = ((high - low) / size).clamp(min=1e-30)  # (2,)
        column, row = ((x - low) / width).long().clamp_(max=size - 1).unbind(1)  # (N,) each
        cell = row * size + column
        self.size = size
        self.x = x[cell.argsort(stable=True)]  # the points of one cell lie together
        self.count = torch.bincount(cell, minlength=size * size)  # (size²,)
        self.first = self.count.cumsum(0) - self.count  # (size²,) where each cell begins in self.x
        self.sum = _sums(x, cell, size * size)  # (size², 2)
        edge = torch.arange(size + 1)
        # ((size + 1)², 2) y, x
        corners = torch.cartesian_prod(low[1] + edge * width[1], low[0] + edge * width[0])
        self.corners = corners.flip(1)

    def assign(self, centres: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """See :class:`Fast`."""
        k = len(centres)
        at = nearest(self.corners, centres).reshape(self.size + 1, self.size + 1)
        owner = at[:-1, :-1]  # (size, size)
        whole = (owner == at[1:, :-1]) & (owner == at[:-1, 1:]) & (owner == at[1:, 1:])
        owner = torch.where(whole, owner, k).reshape(-1)  # (size²,) number k collects the cells that are cut
        sums, counts = _sums(self.sum, owner, k + 1)[:k], torch.bincount(owner, self.count, k + 1)[:k]

        cut = (~whole.reshape(-1) & (self.count > 0)).nonzero()[:, 0]
        many = self.count[cut]
        # The points of the cut cells: first, first + 1, … of each, laid end to end.
        begin = self.first[cut] - (many.cumsum(0) - many)
        rows = self.x[begin.repeat_interleave(many) + torch.arange(int(many.sum()))]  # (M, 2)
        labels = nearest(rows, centres)
        return sums + _sums(rows, labels, k), counts + torch.bincount(labels, minlength=k)

    def state_dict(self) -> dict[str, torch.Tensor]:
        return {}

    def load_state_dict(self, kept: Mapping[str, Any]) -> None:
        pass


def groups(x: torch.Tensor, k: int, rounds: int) -> torch.Tensor:
    """A quick k-means: the group of each row of ``x`` (N, D), (N,) int64. No chance in it.

    It begins with rows far from each other: the row farthest from the mean, then again and again the one
    farthest from all taken so far.
    """
    some = x[:: max(1, len(x) // 5000)]  # where to begin and how to move can be seen on a few thousand rows
    centres = some[((some - some.mean(0)) ** 2).sum(1).argmax()][None]  # (1, D)
    while len(centres) < k:
        distance = torch.cdist(some, centres).min(1).values  # (M,)
        centres = torch.cat([centres, some[distance.argmax()][None]])
    for _round in range(rounds):
        labels = nearest(some, centres)
        count = torch.bincount(labels, minlength=k)[:, None]  # (K, 1)
        sums = torch.zeros_like(centres).index_add_(0, labels, some)  # (K, D)
        centres = torch.where(count > 0, sums / count.clamp(min=1), centres)
    return nearest(x, centres)


def nearest(x: torch.Tensor, centres: torch.Tensor) -> torch.Tensor:
    """The nearest centre of each point, (N,)."""
    score = torch.addmm((centres**2).sum(1, keepdim=True), centres, x.T, alpha=-2)  # (K, N)
    return score.min(0).indices


def _sums(x: torch.Tensor, labels: torch.Tensor, k: int) -> torch.Tensor:
    """Σ of the rows of each label, (k, 2) float64. bincount is several times faster here than index_add."""
    return torch.stack([torch.bincount(labels, column.double(), k) for column in x.T], 1)
