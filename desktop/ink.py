"""Ink on paper as numbers: a soft brush, MNIST's way of centring, and the size that the data want."""

from __future__ import annotations

import functools
import math
import zlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Ink = NDArray[np.float32]
"""0 = paper, 1 = ink."""

SIDE = 28
"""A drawing is so many cells wide and high, as a picture of MNIST is."""
FINE = 10
"""While it is drawn, each cell has so many dots along each side; 280 are also 8 times 35."""
BOX = 20.0
"""MNIST fits a digit into a box of so many cells."""
FAINTEST = 0.002
"""Less than half a step of 8 bits is no ink."""
CORE, ERASER_CORE = 0.35, 0.7
"""Up to this share of its radius the brush is all ink; from there it fades."""
SPECK = 0.04
"""Nobody sees fainter ink that an eraser has left, and it should not count as part of the drawing."""


def paper() -> Ink:
    """Nothing drawn yet, (280, 280)."""
    return np.zeros((SIDE * FINE, SIDE * FINE), np.float32)


def packed(ink: Ink) -> bytes:
    """A whole sheet, to be kept: mostly paper, it takes little room."""
    return zlib.compress(ink.tobytes(), 1)


def unpacked(kept: bytes) -> Ink:
    """The very same sheet again."""
    return np.frombuffer(bytearray(zlib.decompress(kept)), np.float32).reshape(SIDE * FINE, SIDE * FINE)


def stroke(
    ink: Ink,
    start: tuple[float, float],
    end: tuple[float, float],
    radii: tuple[float, float],
    *,
    erase: bool = False,
) -> None:
    """Lead a soft brush in a straight line over ``ink``, in place.

    start, end: (x, y) in cells from the upper left. radii: of the brush there, in cells; in between it grows
    evenly. Ink never adds up: passing twice is no darker than once.
    """
    high, wide = ink.shape
    fine = wide / SIDE
    (x0, y0), (x1, y1) = ((x * fine, y * fine) for x, y in (start, end))
    r0, r1 = (max(r * fine, 0.5) for r in radii)
    reach = max(r0, r1) + 1
    left, right = max(0, math.floor(min(x0, x1) - reach)), min(wide, math.ceil(max(x0, x1) + reach))
    top, bottom = max(0, math.floor(min(y0, y1) - reach)), min(high, math.ceil(max(y0, y1) + reach))
    if left >= right or top >= bottom:
        return
    x = np.arange(left, right, dtype=np.float32)[None, :] + 0.5 - x0  # (1, W)
    y = np.arange(top, bottom, dtype=np.float32)[:, None] + 0.5 - y0  # (H, 1)
    dx, dy = x1 - x0, y1 - y0
    length = dx * dx + dy * dy
    t = np.clip((x * dx + y * dy) / length, 0, 1) if length > 1e-12 else np.float32(0)  # (H, W) how far along
    away = np.hypot(x - t * dx, y - t * dy) / (r0 + t * (r1 - r0))  # (H, W) in radii
    fade = np.clip((1 - away) / (1 - (ERASER_CORE if erase else CORE)), 0, 1)
    put = (fade * fade * (3 - 2 * fade)).astype(np.float32)
    here = ink[top:bottom, left:right]
    if erase:
        np.minimum(here, 1 - put, out=here)
        here[(put > 0) & (here < SPECK)] = 0
    else:
        np.maximum(here, put, out=here)


@functools.lru_cache(maxsize=128)
def _shares(cells: int, into: int) -> Ink:
    """(into, cells): how much of each cell lies in each of ``into`` equal parts of the line; rows add up to
    1.
    """
    edges = np.linspace(0, cells, into + 1)
    cell = np.arange(cells)
    overlap = np.minimum(edges[1:, None], cell + 1) - np.maximum(edges[:-1, None], cell)
    shares: Ink = (np.clip(overlap, 0, None) * (into / cells)).astype(np.float32)
    shares.flags.writeable = False
    return shares


def resized(ink: Ink, high: int, wide: int) -> Ink:
    """(H, W) -> (high, wide), every new pixel the mean of what it covers."""
    rows, columns = _shares(ink.shape[0], high), _shares(ink.shape[1], wide)
    return (rows @ ink @ columns.T).astype(np.float32, copy=False)


def centre_like_mnist(ink: Ink, box: float = BOX) -> Ink:
    """What is drawn, as MNIST would have it: (H, W) -> (28, 28).

    Scaled into a box of 20 × 20, keeping its proportions, and moved by whole pixels until its centre of mass
    lies in the middle; with a larger ``box``, no further than to the edge. Source: Y. LeCun, C. Cortes,
    C. Burges, "The MNIST database of handwritten digits", 1998.
    """
    there = ink > FAINTEST
    out = np.zeros((SIDE, SIDE), np.float32)
    if not there.any():
        return out
    rows, columns = np.flatnonzero(there.any(1)), np.flatnonzero(there.any(0))
    cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = min(box, SIDE) / max(cut.shape)
    high, wide = (max(1, round(length * scale)) for length in cut.shape)
    small = resized(cut, high, wide)
    top = _start(small.sum(1))
    left = _start(small.sum(0))
    out[top : top + high, left : left + wide] = small.clip(0, 1)
    return out


def _start(weight: Ink) -> int:
    """Where a line of (n,) pixels begins if its centre of mass is to lie in the middle of 28, which for MNIST
    is the middle of pixel 14.
    """
    middle = float((weight * (np.arange(len(weight)) + 0.5)).sum() / weight.sum())
    return min(max(round(SIDE / 2 + 0.5 - middle), 0), SIDE - len(weight))


def fit_to(drawing: Ink, shape: tuple[int, int, int]) -> Ink:
    """A square drawing as an item of a data set whose pictures are ``shape`` = (C, H, W).

    It fills the largest square in the middle; what is grey is alike in every colour.
    """
    colours, high, wide = shape
    side = min(high, wide)
    out = np.zeros(shape, np.float32)
    top, left = (high - side) // 2, (wide - side) // 2
    out[:colours, top : top + side, left : left + side] = resized(drawing, side, side).clip(0, 1)
    return out


def spread(picture: Ink) -> Ink:
    """A picture of a data set as a drawing on :func:`paper`: (H, W) or (H, W, 3) -> (280, 280), square by
    square, so that it comes out again as it was.
    """
    grey = np.nan_to_num(picture if picture.ndim == 2 else picture.mean(2)).clip(0, 1)
    side = max(grey.shape)
    square = np.zeros((side, side), np.float32)
    top, left = ((side - length) // 2 for length in grey.shape)
    square[top : top + grey.shape[0], left : left + grey.shape[1]] = grey
    return resized(square, SIDE * FINE, SIDE * FINE)


def usual_box(pictures: Iterable[Ink]) -> float:
    """The box that a data set fits its things into, in cells of 28, from some of its pictures.

    MNIST has 20. Where there is no empty paper around anything, MNIST's is as good as any other.
    """
    found = []
    for picture in pictures:
        grey = picture if picture.ndim == 2 else picture.mean(2)
        there = grey > FAINTEST
        if there.any() and not there.all():
            extent = max(np.ptp(np.flatnonzero(there.any(axis))) + 1 for axis in (0, 1))
            found.append(extent * SIDE / max(grey.shape))
    return float(np.median(found)) if found else BOX
