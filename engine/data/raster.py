"""What the makers of generated pictures share: pixel grids, smooth edges, distances to shapes, paint.

Distances are negative inside a shape and in the unit of the coordinates given, so that an edge can be drawn
smooth at any size: :func:`cover` turns a distance into how much of a pixel lies inside. Loads NumPy: makers
import this module when they draw, not before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
"""float32 where it goes into a picture."""
PER_BLOCK = 64
"""Pictures drawn at a time: few enough for the processor's cache."""


def grid(size: int) -> tuple[Array, Array]:
    """Where the pixels' centres are, from −1 (left, top) to 1 (right, bottom): (1, size, size), twice."""
    at = ((np.arange(size, dtype=np.float32) + 0.5) * (2 / size) - 1).astype(np.float32)
    return np.broadcast_to(at[None, None, :], (1, size, size)), np.broadcast_to(
        at[None, :, None], (1, size, size)
    )


def blocks(n: int, tell: Callable[[float], None]) -> Iterator[slice]:
    """0..n in slices of PER_BLOCK, telling how far that is."""
    for first in range(0, n, PER_BLOCK):
        tell(first / n)
        yield slice(first, min(first + PER_BLOCK, n))
    tell(1.0)


def each(values: NDArray[np.generic]) -> Array:
    """One number for every picture, (B,) -> (B, 1, 1), to go with a grid."""
    return values.astype(np.float32)[:, None, None]


def smooth(low: float, high: float, x: Array) -> Array:
    """0 below ``low``, 1 above ``high``, an S between."""
    t = np.clip((x - low) * np.float32(1 / (high - low)), 0, 1)
    s: Array = t * t * (3 - 2 * t)
    return s


def cover(distance: Array, pixel: float | Array) -> Array:
    """The share of a pixel of that size that lies where the distance is negative, 0..1."""
    size: Array = np.asarray(pixel, np.float32)
    share: Array = 0.5 - distance / size
    return np.clip(share, 0, 1, out=share)


def mix(a: Array | float, b: Array | float, share: Array | float) -> Array:
    """``a`` where the share is 0, ``b`` where it is 1."""
    mixed: Array = np.asarray(a + (b - a) * share)
    return mixed


def paint(canvas: Array, alpha: Array, colour: Array) -> None:
    """Lay ``colour`` over ``canvas`` (B, 3, H, W), in place. alpha: (B or 1, H, W); colour: (B, 3), (3,) or
    (B, 3, H, W). Where no picture is touched nothing is computed.
    """
    touched = alpha.max(axis=0) > 0  # (H, W)
    rows, columns = np.flatnonzero(touched.any(1)), np.flatnonzero(touched.any(0))
    if not len(rows):
        return
    box = (..., slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    colour = colour[box] if colour.ndim == 4 else colour.reshape(-1, 3, 1, 1)
    canvas[box] += alpha[box][:, None] * (colour - canvas[box])


def ramp(colours: Array, at: Array) -> Array:
    """Colours between a few given ones. colours: (K, 3), at: (B,) in 0..1 -> (B, 3)."""
    place = np.linspace(0, 1, len(colours))
    return np.stack([np.interp(at, place, colours[:, c]) for c in range(3)], axis=1).astype(np.float32)


def bytes_of(pictures: Array) -> NDArray[np.uint8]:
    """0..1 as 256 steps, as in any file of pictures."""
    return np.round(np.clip(pictures, 0, 1) * 255).astype(np.uint8)


def length(x: Array, y: Array) -> Array:
    """√(x² + y²), several times as fast as NumPy's careful hypot."""
    found: Array = np.sqrt(x * x + y * y)
    return found


# ── distances to shapes around the origin, in a plane x, y ─────────────────────────────────────────────────


def ellipse(x: Array, y: Array, a: float | Array, b: float | Array) -> Array:
    """To an ellipse of half axes a, b: exact on its edge, near enough around it."""
    p, q = x / a, y / b
    level = p * p + q * q
    slope = length(p / a, q / b) + np.float32(1e-6)
    distance: Array = (level - 1) / (2 * slope)  # f / |∇f| with f = (x/a)² + (y/b)² − 1
    return distance


def capsule(
    x: Array, y: Array, x0: Array | float, y0: Array | float, x1: Array | float, y1: Array | float
) -> Array:
    """To the stroke from (x0, y0) to (x1, y1), of no thickness."""
    dx, dy = x1 - x0, y1 - y0
    along = np.clip(((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy + 1e-9), 0, 1)
    return length(x - x0 - along * dx, y - y0 - along * dy)


def box(x: Array, y: Array, a: float | Array, b: float | Array) -> Array:
    """To a rectangle of half sides a, b."""
    p, q = np.abs(x) - a, np.abs(y) - b
    outside = length(np.maximum(p, 0), np.maximum(q, 0))
    distance: Array = outside + np.minimum(np.maximum(p, q), 0)
    return distance


def polygon(x: Array, y: Array, corners: Array) -> Array:
    """To a closed polygon with corners (K, 2) in order."""
    nearest = np.full(np.broadcast_shapes(x.shape, y.shape), np.inf, np.float32)
    inside = np.zeros(nearest.shape, bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        np.minimum(nearest, capsule(x, y, float(x0), float(y0), float(x1), float(y1)), out=nearest)
        crosses = (y < y0) != (y < y1)
        if y0 != y1:
            inside ^= crosses & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return np.where(inside, -nearest, nearest).astype(np.float32)


# ── curves ─────────────────────────────────────────────────────────────────────────────────────────────────


def curve(values: Array, height: int = 48, width: int = 96) -> Array:
    """A signal in −1..1, (T,), as a small picture of its curve: (height, width) in 0..1, ink on white."""
    columns = np.linspace(0, len(values) - 1, 4 * width)  # four strokes a column
    at = np.interp(columns, np.arange(len(values)), np.nan_to_num(values))
    y = (1 - np.clip(at, -1, 1)) / 2 * (height - 4) + 1.5  # (4 width,) row of each
    low, high = np.minimum(y[:-1], y[1:]), np.maximum(y[:-1], y[1:])
    rows = np.arange(height)[:, None]
    away = np.maximum(low - rows, rows - high).clip(0)  # (height, 4 width − 1) from row to stroke
    ink = np.clip(1.4 - away, 0, 1)
    ink = np.pad(ink, ((0, 0), (0, 1))).reshape(height, width, 4).max(2)
    picture: Array = (1 - 0.85 * ink).astype(np.float32)
    return picture
