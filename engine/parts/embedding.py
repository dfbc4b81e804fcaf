"""What t-SNE, UMAP and their kin share: the points as they want them, their neighbours, a start, a place for
a newcomer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable

import numpy as np
import torch
from numpy.typing import NDArray

from engine.core.stages import Stages
from engine.core.text import InputError, _
from engine.data.registry import Dataset, nothing
from engine.parts import checks, knn

AXES = 50
"""Principal axes kept: distances along them are nearly those of the data, and quicker to find."""
SPARE, ROUNDS = 14, 4
"""Extra directions and power iterations with which the axes are looked for."""
LEAST = 4
"""Points below which there is nothing to lay out."""
FIRST = 20
"""Neighbours looked for at once: the search costs nearly the same for fewer."""

Tell = Callable[[float], None]
Projection = tuple[torch.Tensor, torch.Tensor | None]
"""The mean (D,), and the axes kept as columns (D, D'), or None for all columns as they are."""


def prepare(data: Dataset, stages: Stages, tell: Tell) -> torch.Tensor:
    """The points (N, D') float32 seen from their mean: their columns, or where there are more than fifty of
    them, fifty principal axes. tell: called with the share done.

    Raises:
        InputError: fewer than 4 points, or a value that is no number.
    """

    def make() -> torch.Tensor:
        x = data.flat
        mean, axes = _projection(data, stages, tell)
        return x - mean if axes is None else x @ axes - mean @ axes  # (N, D')

    check(data)
    return stages.get("embedding points", _key(data), make)


def neighbours(data: Dataset, stages: Stages, k: int, tell: Tell) -> tuple[torch.Tensor, torch.Tensor]:
    """The ``k`` nearest of each prepared point, at most all others: index (N, k) int64 and distance (N, k).

    The search is done once, and again only when more neighbours are wanted than ever before.
    """
    x = prepare(data, stages, tell)
    found: dict[str, tuple[torch.Tensor, torch.Tensor]] = stages.get("embedding neighbours", _key(data), dict)
    k = min(k, len(x) - 1)
    if "most" not in found or found["most"][0].shape[1] < k:
        found["most"] = knn.nearest(x, min(max(k, FIRST), len(x) - 1), tell=tell)
    index, distance = found["most"]
    return index[:, :k], distance[:, :k]


def project(data: Dataset, stages: Stages, x: NDArray[np.float32] | torch.Tensor) -> torch.Tensor:
    """One item of any shape with D numbers as a prepared point, (1, D').

    Raises:
        InputError: another number of numbers, or one that is none or out of range.
    """
    row = checks.row(x, data.flat.shape[1])  # (1, D)
    mean, axes = _projection(data, stages, nothing)
    return row - mean if axes is None else (row - mean) @ axes


def place(row: torch.Tensor, x: torch.Tensor, y: torch.Tensor, k: int = 10) -> tuple[float, float]:
    """Where a newcomer belongs in the plane: Σ_j w_j y_j / Σ_j w_j over its ``k`` nearest, w_j = 1 / d_j.

    row: (1, D') as from :func:`project`. x: (N, D'). y: (N, 2) their places. One that sits on a point of the
    data is put where that point lies.
    """
    index, distance = knn.nearest(row, min(k, len(x)), among=x)  # (1, k) each
    near, d = y[index[0]].double(), distance[0].double()  # (k, 2) (k,)
    # Of far points with one exactly on it, only that one counts; float32 leaves a little of such a distance.
    w = 1 / (d + 1e-6 * d.max() + 1e-12)  # (k,)
    across, up = (w @ near / w.sum()).tolist()
    return float(across), float(up)


def start(x: torch.Tensor, rng: torch.Generator, scale: float = 1e-4) -> torch.Tensor:
    """Where the points start in the plane, (N, 2): their two principal axes, shrunk until the first has the
    standard deviation ``scale``, and a hundredth of that at random, or points that are equal never part.

    x: (N, D') seen from their mean.
    """
    axes = _leading(x, min(2, *x.shape))  # (D', ≤ 2)
    y = x @ axes  # (N, ≤ 2)
    y = torch.nn.functional.pad(y, (0, 2 - y.shape[1]))
    spread = float(y[:, 0].std())
    y = y * (scale / spread) if spread > 0 else torch.zeros_like(y)
    return y + 0.01 * scale * torch.randn(len(x), 2, generator=rng)


def follow(rows: torch.Tensor, former: torch.Tensor, y: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Where other points go on in a map, (N, 2): where the one now nearest to each lay, which is its own
    place if it was there, and a hair aside, or points that are equal never part.

    rows: (N, D). former: (M, D) the points before, and y: (M, 2) where they lay.
    """
    nearest, _distance = knn.nearest(rows, 1, among=former)  # (N, 1)
    hair = 2e-4 * (float(y.std()) or 1.0)
    return y[nearest[:, 0]] + hair * torch.randn(len(rows), 2, generator=rng)


def in_plane(x: torch.Tensor) -> torch.Tensor:
    """Prepared points along their two principal axes, for looking. (N, D') -> (N, 2); of a single column, on
    a line.
    """
    y = x @ _leading(x, min(2, *x.shape))  # (N, ≤ 2)
    return torch.nn.functional.pad(y, (0, 2 - y.shape[1]))


def sample(data: Dataset, most: int) -> Dataset:
    """``data``, or ``most`` of its items spread evenly over it."""
    n = len(data.x)
    if n <= most:
        return data
    some = torch.arange(most) * n // most  # (most,)
    chosen = some.tolist()
    return dataclasses.replace(
        data,
        x=data.x[some],
        y=None if data.y is None else data.y[some],
        total=max(data.total, n),
        factors=tuple(dataclasses.replace(f, values=f.values[some]) for f in data.factors),
        captions={language: tuple(c[i] for i in chosen) for language, c in data.captions.items()},
    )


def check(data: Dataset) -> None:
    """Refuse data that cannot be laid out (InputError)."""
    if len(data.x) < LEAST:
        raise InputError(
            _(
                "{n} points are too few for a map; use at least {least}.",
                n=len(data.x),
                least=LEAST,
            )
        )
    if data.flat.shape[1] == 0:
        raise InputError(_("These items have no numbers; a map needs at least one column."))
    checks.numbers(
        data,
        lambda index: _(
            "Item {index} has a value that is not a number; a map needs numbers only.", index=index
        ),
    )


def _key(data: Dataset) -> Hashable:
    return data.name, tuple(data.x.shape)


def _projection(data: Dataset, stages: Stages, tell: Tell) -> Projection:
    def make() -> Projection:
        x = data.flat
        mean = x.mean(0)  # (D,)
        if x.shape[1] <= AXES:
            return mean, None
        return mean, _leading(x - mean, min(AXES, len(x)), tell)

    return stages.get("embedding axes", _key(data), make)


def _leading(x: torch.Tensor, count: int, tell: Tell = nothing) -> torch.Tensor:
    """The first ``count`` principal axes of centred rows ``x`` (N, D), as columns (D, count).

    Few random directions, turned towards the leading axes by multiplying with XᵀX again and again, span them
    well enough (N. Halko, P. Martinsson, J. Tropp, "Finding structure with randomness", 2011): pictures in
    colour have thousands of columns, and all their eigenvectors would take minutes.
    """
    n, d = x.shape
    wide = min(count + SPARE, d, n)
    q = torch.randn(d, wide, generator=torch.Generator().manual_seed(0))  # (D, W)
    for turn in range(ROUNDS):
        tell(turn / (ROUNDS + 1))
        q = torch.linalg.qr(x.T @ (x @ q)).Q  # (D, W): XᵀX stretches them along the leading axes
    tell(ROUNDS / (ROUNDS + 1))
    _u, _s, vt = torch.linalg.svd(torch.linalg.qr(x @ q).R, full_matrices=False)  # of (W, W)
    axes = q @ vt[:count].T  # (D, count)
    largest = axes.gather(0, axes.abs().argmax(0, keepdim=True))  # (1, count)
    # An axis may as well point the other way.
    return torch.where(largest < 0, -axes, axes)
