"""The lines of a chart, from values to pixels.

An antialiased pen of 3 pixels, which the last row of a lecture hall needs, costs pyqtgraph seconds on noisy
data (one long path crosses itself); in short pieces it costs milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from desktop.panels.colours import mix, with_alpha
from desktop.panels.scales import Scale
from desktop.style.tokens import look

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PIECE = 4
"""Vertices per painted piece: longer ones cost more on noise, shorter ones more on smooth lines."""
_FAR = 100.0
"""How many widths beside the plot a vertex may be painted."""


@dataclass(slots=True, eq=False)
class Stroke:
    """One line to paint. side: 0 = measured by the left scale, 1 = by the right one. label: at its end.
    smooth: it seldom turns, so that it may be painted in one piece. filled: down to 0.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    colour: QColor
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None
    side: int = 0
    width: float = 2.2
    label: str = ""
    dashed: bool = False
    dots: bool = False
    smooth: bool = False
    filled: bool = False


@dataclass(slots=True)
class Geometry:
    """Where a value lies in the widget's pixels; never further away than a painter can bear."""

    rect: QRectF
    x0: float
    x1: float
    scales: tuple[Scale, Scale] = field(default_factory=lambda: (Scale(), Scale()))

    def xs(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        unit = np.clip((values - self.x0) / ((self.x1 - self.x0) or 1), -_FAR, _FAR)
        return self.rect.left() + unit * self.rect.width()

    def ys(self, values: NDArray[np.float64], side: int) -> NDArray[np.float64]:
        unit = np.clip(self.scales[side].to_unit(values), -2, 3)
        return self.rect.bottom() - unit * self.rect.height()

    def x(self, value: float) -> float:
        return self.rect.left() + (value - self.x0) / ((self.x1 - self.x0) or 1) * self.rect.width()

    def y(self, value: float, side: int) -> float:
        return float(self.ys(np.array([value]), side)[0])

    def ground(self, side: int = 0) -> float:
        """The height of 0; where a logarithm has none, the bottom."""
        return self.rect.bottom() if self.scales[side].log else self.y(0.0, side)

    def value(self, place: QPointF) -> tuple[float, float]:
        """What lies at ``place``: x in the view's units, y by the left scale."""
        across = (place.x() - self.rect.left()) / (self.rect.width() or 1)
        up = (self.rect.bottom() - place.y()) / (self.rect.height() or 1)
        return self.x0 + across * (self.x1 - self.x0), self.scales[0].from_unit(up)


def paint_range(painter: QPainter, geometry: Geometry, stroke: Stroke) -> None:
    """A pale band from the smallest to the largest value behind each vertex."""
    if stroke.low is None or stroke.high is None:
        return
    xs = geometry.xs(stroke.x)
    low, high = geometry.ys(stroke.low, stroke.side), geometry.ys(stroke.high, stroke.side)
    low = np.where(np.isfinite(low), low, geometry.rect.bottom())
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(mix(stroke.colour, look.colour("surface"), 0.78))
    for start, stop in runs(np.isfinite(high)):
        there = zip(xs[start:stop].tolist(), high[start:stop].tolist(), strict=True)
        back = zip(xs[start:stop][::-1].tolist(), low[start:stop][::-1].tolist(), strict=True)
        painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in (*there, *back)]))


def paint_stroke(painter: QPainter, geometry: Geometry, stroke: Stroke) -> None:
    """The line itself, broken where a value is missing."""
    xs, ys = geometry.xs(stroke.x), geometry.ys(stroke.y, stroke.side)
    width = look.px(stroke.width)
    pen = QPen(stroke.colour, width)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    if stroke.dashed:
        pen.setDashPattern([2.5, 2.5])
    for start, stop in runs(np.isfinite(ys)):
        x, y = xs[start:stop], ys[start:stop]
        size = stop - start
        if size == 1 or (stroke.dots and (x[-1] - x[0]) / size > 4 * width):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(stroke.colour)
            radius = width * (1.3 if size == 1 else 1.4)
            for at in zip(x.tolist(), y.tolist(), strict=True):
                painter.drawEllipse(QPointF(*at), radius, radius)
        if size == 1:
            continue
        painter.setPen(pen)
        if stroke.dashed or stroke.smooth:
            painter.drawPolyline(polygon(x, y))
            continue
        points = [QPointF(*at) for at in zip(x.tolist(), y.tolist(), strict=True)]
        for first in range(0, size - 1, _PIECE):
            painter.drawPolyline(QPolygonF(points[first : first + _PIECE + 1]))


def paint_area(painter: QPainter, geometry: Geometry, stroke: Stroke) -> None:
    """The area between a line and 0, so pale that what lies under it is seen."""
    xs, ys = geometry.xs(stroke.x), geometry.ys(stroke.y, stroke.side)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(with_alpha(stroke.colour, 0.26 if look.dark else 0.18))
    ground = geometry.ground(stroke.side)
    for start, stop in runs(np.isfinite(ys)):
        x = np.concatenate((xs[start:stop], xs[stop - 1 : stop], xs[start : start + 1]))
        painter.drawPolygon(polygon(x, np.concatenate((ys[start:stop], [ground, ground]))))


def polygon(x: NDArray[np.float64], y: NDArray[np.float64]) -> QPolygonF:
    """Vertices in Qt's own memory, without a Python object for each."""
    made: QPolygonF = pg.functions.arrayToQPolygonF(x, y)
    return made


def runs(good: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Start and end of each unbroken stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], good, [False])).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
