"""The part of the plane a panel shows, and where: data to pixels and back, zooming, nice ticks."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF

Extent = tuple[float, float, float, float]
"""x0, x1, y0, y1 in data units."""
SAMPLE = 2048
"""Points looked at to find where a cloud lies: enough for its quantiles, and done in 0.2 ms."""
SMALLEST, LARGEST = 1e-30, 1e30


@dataclass(frozen=True, slots=True)
class Plane:
    """``wish`` is what should be seen; left, top, width, height is where, in pixels. equal: same unit on
    both axes.
    """

    wish: Extent = (-1.0, 1.0, -1.0, 1.0)
    left: float = 0.0
    top: float = 0.0
    width: float = 1.0
    height: float = 1.0
    equal: bool = True

    @property
    def rect(self) -> QRectF:
        """Where it is seen."""
        return QRectF(self.left, self.top, self.width, self.height)

    @property
    def scale(self) -> tuple[float, float]:
        """Pixels per unit on each axis."""
        x0, x1, y0, y1 = self.wish
        sx, sy = max(self.width, 1.0) / (x1 - x0), max(self.height, 1.0) / (y1 - y0)
        return (min(sx, sy), min(sx, sy)) if self.equal else (sx, sy)

    @property
    def centre(self) -> tuple[float, float]:
        x0, x1, y0, y1 = self.wish
        return (x0 + x1) / 2, (y0 + y1) / 2

    @property
    def extent(self) -> Extent:
        """What is really seen: with equal units, more than wished along one axis."""
        (cx, cy), (sx, sy) = self.centre, self.scale
        return (
            cx - self.width / 2 / sx,
            cx + self.width / 2 / sx,
            cy - self.height / 2 / sy,
            cy + self.height / 2 / sy,
        )

    def to_pixel(self, x: float, y: float) -> tuple[float, float]:
        """Where (x, y) lies. Never NaN and never beyond what a painter can take."""
        (cx, cy), (sx, sy) = self.centre, self.scale
        px = self.left + self.width / 2 + (x - cx) * sx
        py = self.top + self.height / 2 - (y - cy) * sy
        return _tame(px), _tame(py)

    def to_pixels(self, xy: NDArray[np.floating]) -> NDArray[np.float64]:
        """(N, 2) data → (N, 2) pixels; NaN stays NaN."""
        (cx, cy), (sx, sy) = self.centre, self.scale
        middle = (self.left + self.width / 2, self.top + self.height / 2)
        with np.errstate(all="ignore"):
            pixels = (np.asarray(xy, np.float64) - (cx, cy)) * (sx, -sy) + middle
            return np.clip(pixels, -1e5, 1e5)

    def to_data(self, px: float, py: float) -> tuple[float, float]:
        (cx, cy), (sx, sy) = self.centre, self.scale
        return cx + (px - self.left - self.width / 2) / sx, cy - (py - self.top - self.height / 2) / sy

    def in_sight(self, at: QPointF) -> tuple[float, float]:
        """The nearest place to the pixel ``at`` where the plane is seen."""
        return (
            min(max(at.x(), self.left), self.left + self.width),
            min(max(at.y(), self.top), self.top + self.height),
        )

    def zoomed(self, px: float, py: float, by: float) -> Plane:
        """``by`` times larger, with the place under (px, py) standing still."""
        x, y = self.to_data(px, py)
        x0, x1, y0, y1 = self.wish
        wish = (x + (x0 - x) / by, x + (x1 - x) / by, y + (y0 - y) / by, y + (y1 - y) / by)
        span, far = min(wish[1] - wish[0], wish[3] - wish[2]), max(map(abs, wish))
        if not SMALLEST < span < LARGEST or span < 1e-6 * far or far > LARGEST:
            return self  # finer than float32 data can be, or beyond all of them
        return replace(self, wish=wish)

    def panned(self, dx: float, dy: float) -> Plane:
        """Dragged by (dx, dy) pixels."""
        sx, sy = self.scale
        x0, x1, y0, y1 = self.wish
        return replace(self, wish=(x0 - dx / sx, x1 - dx / sx, y0 + dy / sy, y1 + dy / sy))


def _tame(pixel: float) -> float:
    return min(max(pixel, -1e5), 1e5) if pixel == pixel else -1e5


def extent(xy: NDArray[np.floating]) -> Extent | None:
    """Where a cloud (N, 2) lies, not led astray by a few points far away; None when nothing is finite."""
    x, y = np.array(xy[:: max(1, len(xy) // SAMPLE)].T, np.float64)  # (M,) each
    with np.errstate(invalid="ignore"):
        real = (np.abs(x) < LARGEST) & (np.abs(y) < LARGEST)  # NaN and infinity are not
    return (*_span(x[real]), *_span(y[real])) if real.any() else None


def _span(values: NDArray[np.float64]) -> tuple[float, float]:
    """From where to where (M,) values go, without the strays."""
    low, high = float(values.min()), float(values.max())
    if len(values) < 50:
        return low, high
    one = len(values) // 100
    values.partition((one, len(values) - 1 - one))
    q1, q2 = float(values[one]), float(values[-1 - one])
    reach = 0.6 * (q2 - q1)
    return (max(low, q1 - reach), min(high, q2 + reach)) if reach > 0 else (low, high)


def roomy(box: Extent, margin: float = 0.06) -> Extent:
    """``box`` with a margin on every side, and some room along an axis where all points are in one place."""
    x0, x1, y0, y1 = box
    most = max(map(abs, box))
    wide = x1 - x0 if x1 - x0 > 1e-6 * max(abs(x0), abs(x1)) else 0.0
    high = y1 - y0 if y1 - y0 > 1e-6 * max(abs(y0), abs(y1)) else 0.0
    alone = max(0.1 * most, SMALLEST) if most else 2.0
    half_x = (wide or high or alone) * (0.5 + margin)
    half_y = (high or wide or alone) * (0.5 + margin)
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    return cx - half_x, cx + half_x, cy - half_y, cy + half_y


def union(a: Extent, b: Extent) -> Extent:
    """The box around both."""
    return min(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), max(a[3], b[3])


def reached(core: Extent | None, wider: Sequence[Extent], most: float) -> Extent | None:
    """``core`` with as much of the ``wider`` boxes as lies within ``most`` of its size beyond it: a huge one
    does not make it small. Without a core, all of them.
    """
    if core is None:
        return functools.reduce(union, wider) if wider else None
    x0, x1, y0, y1 = core
    more_x, more_y = most * (x1 - x0 or y1 - y0), most * (y1 - y0 or x1 - x0)
    for a, b, c, d in wider:
        core = union(
            core, (max(a, x0 - more_x), min(b, x1 + more_x), max(c, y0 - more_y), min(d, y1 + more_y))
        )
    return core


def ticks(low: float, high: float, count: int) -> tuple[list[float], float]:
    """About ``count`` round numbers between low and high, and the step between them."""
    span = high - low
    if not (span > 0 and math.isfinite(span)) or count < 1:
        return [], 1.0
    rough = span / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    if last - first > 100 or not math.isfinite(step) or step <= 0:
        return [], 1.0
    return [i * step for i in range(first, last + 1)], step
