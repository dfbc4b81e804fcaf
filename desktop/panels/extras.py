"""What stands with the lines of a curve: marks, bars, quiet lines, a rug, segments, dots, knobs.

All is made clean when it arrives, so that painting never meets anything it cannot draw.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QLineF, QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from desktop.language import tr
from desktop.panels.colours import mix, with_alpha
from desktop.panels.scales import value_text
from desktop.panels.strokes import Geometry, polygon, runs
from desktop.panels.trace import outline
from desktop.style.tokens import look
from engine.api import Curve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LARGEST = 1e300
NOTHING = np.empty((0, 2))


@dataclass(slots=True, eq=False)
class Extras:
    """What stands with the lines; x in the view's units (powers of ten where the axis is logarithmic)."""

    marks: list[tuple[float, str]] = field(default_factory=list)
    edges: Floats = field(default_factory=lambda: np.empty(0))  # (B + 1,)
    heights: Floats = field(default_factory=lambda: np.empty(0))  # (B,)
    bars: str = ""
    quiet_x: Floats = field(default_factory=lambda: np.empty(0))  # (T,)
    quiet: Floats = field(default_factory=lambda: np.empty((0, 0)))  # (M, T)
    rug: Floats = field(default_factory=lambda: np.empty(0))
    start: Floats = field(default_factory=lambda: NOTHING)
    end: Floats = field(default_factory=lambda: NOTHING)
    label: NDArray[np.int64] | None = None
    dots: Floats = field(default_factory=lambda: NOTHING)
    handles: list[tuple[int, float, float, str, str]] = field(default_factory=list)
    """Index in the payload, x, y, name, name of the line."""

    def xs(self) -> list[Floats]:
        """All places that shall be seen."""
        marks, handles = [mark[0] for mark in self.marks], [handle[1] for handle in self.handles]
        return [
            self.edges, self.quiet_x, self.rug, self.start[:, 0], self.end[:, 0], self.dots[:, 0],
            np.array(marks), np.array(handles),
        ]  # fmt: skip

    def ys(self) -> list[Floats]:
        """All heights that shall be seen, but for the quiet lines'."""
        handles = [handle[2] for handle in self.handles]
        bars = np.append(self.heights, 0.0) if len(self.heights) else self.heights
        return [bars, self.start[:, 1], self.end[:, 1], self.dots[:, 1], np.array(handles)]


def clean(values: Any, log: bool = False) -> Floats:
    """Own float64 numbers, nan where there is nothing to draw; the power of ten on a logarithmic axis."""
    clean = np.array(() if values is None else values, np.float64)
    with np.errstate(all="ignore"):
        clean[~(np.abs(clean) < LARGEST)] = np.nan
        if log:
            clean = np.where(clean > 0, np.log10(clean), np.nan)
    return clean


def extras_of(curve: Curve) -> Extras:
    """Those of a payload: other shapes left out, infinite numbers made nan, logarithms taken."""
    extras = Extras()
    log_x, log_y = curve.log

    def places(values: Any) -> Floats:
        """(M, 2) places, the second as it is."""
        xy = clean(values)
        if xy.ndim != 2 or xy.shape[1] != 2:
            return NOTHING
        xy[:, 0] = clean(xy[:, 0], log_x)
        if log_y:
            xy[:, 1] = np.where(xy[:, 1] > 0, xy[:, 1], np.nan)
        return xy

    marks = [] if curve.mark is None else [(curve.mark, value_text(curve.mark))]
    for at, name in (*marks, *((mark.x, tr(mark.name)) for mark in curve.marks)):
        if math.isfinite(place := float(clean(at, log_x))):
            extras.marks.append((place, name))
    if curve.histogram is not None:
        edges, heights = clean(curve.histogram.edges, log_x), clean(curve.histogram.heights)
        rising = edges.ndim == 1 and np.all(np.isfinite(edges)) and np.all(np.diff(edges) > 0)
        if rising and heights.shape == (len(edges) - 1,) and len(heights):
            extras.edges, extras.heights = edges, np.nan_to_num(heights)
            extras.bars = tr(curve.histogram.name)
    x, quiet = clean(curve.x, log_x).ravel(), clean(curve.quiet)
    if quiet.ndim == 2 and quiet.shape[1] == len(x) and quiet.size:
        order = in_order(x)
        extras.quiet_x, extras.quiet = x[order], quiet[:, order]
    rug = clean(curve.rug, log_x).ravel()
    extras.rug = rug[np.isfinite(rug)]
    if curve.segments is not None:
        start, end = places(curve.segments.start), places(curve.segments.end)
        if start.shape == end.shape:
            good = np.isfinite(start).all(1) & np.isfinite(end).all(1)
            extras.start, extras.end = start[good], end[good]
            label = None if curve.segments.label is None else np.asarray(curve.segments.label)
            if label is not None and label.shape == good.shape:
                extras.label = label[good].astype(np.int64)
    dots = places(curve.dots)
    extras.dots = dots[np.isfinite(dots).all(1)]
    for index, handle in enumerate(curve.handles):
        place = places([(handle.x, handle.y)])[0]
        if np.isfinite(place).all():
            extras.handles.append((index, float(place[0]), float(place[1]), tr(handle.name), handle.line))
    return extras


def in_order(x: Floats) -> NDArray[np.intp]:
    """Which places to pass one after the other."""
    good = np.flatnonzero(np.isfinite(x))
    return good[np.argsort(x[good], kind="stable")]


# ── painting ──


def paint_bars(painter: QPainter, geometry: Geometry, extras: Extras, *, plain: bool) -> None:
    """One silhouette, and lines of the ground's colour between the bars where they are wide enough.

    plain: there are no lines that want the strong colours.
    """
    if not len(extras.heights):
        return
    ground = geometry.ground()
    xs, tops = geometry.xs(extras.edges), geometry.ys(extras.heights, 0)
    tops = np.where(np.isfinite(tops), tops, ground)
    x = np.repeat(xs, 2)  # (2 B + 2,)
    y = np.concatenate(([ground], np.repeat(tops, 2), [ground]))
    surface = look.colour("surface")
    ink = QColor(look.curves[0]) if plain else look.colour("quiet")
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(mix(ink, surface, 0.4 if plain else 0.62))
    painter.drawPolygon(polygon(x, y))
    wide = float(np.median(np.diff(xs)))
    if wide >= 4:
        painter.setPen(QPen(surface, look.px(1) if wide >= look.px(6) else 1))
        low = np.minimum(tops, ground).min()
        painter.drawLines([QLineF(x, ground, x, low) for x in xs[1:-1].tolist()])


def paint_quiet(painter: QPainter, geometry: Geometry, extras: Extras, colour: QColor) -> None:
    """The quiet lines, paler than ``colour``."""
    if not len(extras.quiet):
        return
    x0, x1 = geometry.x0, geometry.x1
    start = max(int(np.searchsorted(extras.quiet_x, x0)) - 1, 0)
    stop = int(np.searchsorted(extras.quiet_x, x1, "right")) + 1
    columns = int(max(geometry.rect.width() / look.px(2.6), 20))
    x, quiet = outline(extras.quiet_x[start:stop], extras.quiet[:, start:stop], columns)
    xs, ys = geometry.xs(x), geometry.ys(quiet, 0)
    if abs(geometry.ground() - geometry.rect.bottom()) < 1:  # what lies on the axis itself is not seen
        flat = np.abs(ys - geometry.ground()) < 0.35
        flat[:, 1:-1] &= flat[:, 2:] & flat[:, :-2]
        ys[flat] = np.nan
    painter.setPen(QPen(mix(colour, look.colour("surface"), 0.5), look.px(1)))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for line in ys:
        for first, last in runs(np.isfinite(line)):
            painter.drawPolyline(polygon(xs[first:last], line[first:last]))


def paint_segments(painter: QPainter, geometry: Geometry, extras: Extras) -> None:
    """Each in the colour of its label, as a line would be."""
    if not len(extras.start):
        return
    x0, y0 = geometry.xs(extras.start[:, 0]), geometry.ys(extras.start[:, 1], 0)
    x1, y1 = geometry.xs(extras.end[:, 0]), geometry.ys(extras.end[:, 1], 0)
    lines = [QLineF(*ends) for ends in np.stack((x0, y0, x1, y1), axis=1).tolist()]  # (M, 4)
    colours = (look.colours.quiet,) if extras.label is None else look.curves
    labels = np.zeros(len(lines), np.int64) if extras.label is None else extras.label % len(colours)
    for label in np.unique(labels).tolist():
        painter.setPen(QPen(QColor(colours[label]), look.px(1.6)))
        painter.drawLines([lines[i] for i in np.flatnonzero(labels == label).tolist()])


def paint_rug(painter: QPainter, geometry: Geometry, extras: Extras) -> None:
    """Small strokes on the axis."""
    if not len(extras.rug):
        return
    rect = geometry.rect
    xs = geometry.xs(extras.rug)
    xs = xs[(xs >= rect.left() - 1) & (xs <= rect.right() + 1)]
    width = look.px(1.4)
    xs = np.unique(np.floor(xs)) + width % 2 / 2  # one in a pixel, and sharp
    ink = with_alpha(look.colour("text"), 0.75 if len(xs) < 80 else 0.45)
    painter.setPen(QPen(ink, width, c=Qt.PenCapStyle.FlatCap))
    top = rect.bottom() - look.px(9)
    painter.drawLines([QLineF(x, rect.bottom(), x, top) for x in xs.tolist()])


def paint_dots(painter: QPainter, geometry: Geometry, extras: Extras) -> None:
    """In ink, in front of the lines."""
    if not len(extras.dots):
        return
    xs, ys = geometry.xs(extras.dots[:, 0]), geometry.ys(extras.dots[:, 1], 0)
    radius = float(look.px(4.2 if len(xs) <= 60 else 3))
    painter.setPen(QPen(look.colour("surface"), look.px(1)))
    painter.setBrush(look.colour("text"))
    for at in np.stack((xs, ys), axis=1).tolist():  # (M, 2)
        painter.drawEllipse(QPointF(*at), radius, radius)
