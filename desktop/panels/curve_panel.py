"""Named lines over one axis, and what may stand with them: marks, bars, kernels, darts, knobs to drag.

All of a payload is made clean when it arrives (other shapes left out, infinite numbers made nan, logarithms
taken), so that painting never meets anything it cannot draw.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from desktop.language import _, tr
from desktop.panels.panel import Panel
from desktop.panels.plotting import (
    Chart,
    Geometry,
    Reading,
    Scale,
    Stroke,
    Upright,
    coloured,
    mix,
    paint_area,
    polygon,
    runs,
    title_font,
    value_text,
)
from desktop.panels.trace import Trace, outline
from desktop.selection import Selection
from desktop.style.tokens import look
from engine.api import Curve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SEND_MS = 33
"""A held knob tells where it is at most every so many milliseconds."""
SETTLE_MS = 250
"""So long after it has been let go a knob stays there, whatever pictures of earlier moments say."""
NUDGE = 0.01
"""How far an arrow key moves a knob, in parts of what is seen."""
LARGEST = 1e300
NOTHING = np.empty((0, 2))
NUDGES = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, 1),
    Qt.Key.Key_Down: (0, -1),
}


# ── a payload made clean ───────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True, eq=False)
class _Extras:
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


def _clean(values: Any, log: bool = False) -> Floats:
    """Own float64 numbers, nan where there is nothing to draw; the power of ten on a logarithmic axis."""
    clean = np.array(() if values is None else values, np.float64)
    with np.errstate(all="ignore"):
        clean[~(np.abs(clean) < LARGEST)] = np.nan
        if log:
            clean = np.where(clean > 0, np.log10(clean), np.nan)
    return clean


def _extras(curve: Curve) -> _Extras:
    extras = _Extras()
    log_x, log_y = curve.log

    def places(values: Any) -> Floats:
        """(M, 2) places, the second as it is."""
        clean = _clean(values)
        if clean.ndim != 2 or clean.shape[1] != 2:
            return NOTHING
        clean[:, 0] = _clean(clean[:, 0], log_x)
        if log_y:
            clean[:, 1] = np.where(clean[:, 1] > 0, clean[:, 1], np.nan)
        return clean

    marks = [] if curve.mark is None else [(curve.mark, value_text(curve.mark))]
    for at, name in (*marks, *((mark.x, tr(mark.name)) for mark in curve.marks)):
        if math.isfinite(place := float(_clean(at, log_x))):
            extras.marks.append((place, name))
    if curve.histogram is not None:
        edges, heights = _clean(curve.histogram.edges, log_x), _clean(curve.histogram.heights)
        rising = edges.ndim == 1 and np.all(np.isfinite(edges)) and np.all(np.diff(edges) > 0)
        if rising and heights.shape == (len(edges) - 1,) and len(heights):
            extras.edges, extras.heights = edges, np.nan_to_num(heights)
            extras.bars = tr(curve.histogram.name)
    x, quiet = _clean(curve.x, log_x).ravel(), _clean(curve.quiet)
    if quiet.ndim == 2 and quiet.shape[1] == len(x) and quiet.size:
        order = _order(x)
        extras.quiet_x, extras.quiet = x[order], quiet[:, order]
    rug = _clean(curve.rug, log_x).ravel()
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


def _order(x: Floats) -> NDArray[np.intp]:
    """Which places to pass one after the other."""
    good = np.flatnonzero(np.isfinite(x))
    return good[np.argsort(x[good], kind="stable")]


def _smooth(y: Floats) -> bool:
    """Whether a line seldom turns, so that its outline says all about it."""
    up = np.sign(np.diff(y / 2))
    up = up[up != 0]  # nan stays, and is no turn
    return int(np.count_nonzero(up[1:] * up[:-1] < 0)) < max(8, len(y) // 8)


def _bounds(asked: tuple[float, float] | None, log: bool = False) -> tuple[float, float] | None:
    """A fixed span that can be shown, or None."""
    if asked is None:
        return None
    low, high = (float(end) for end in asked)
    good = math.isfinite(low) and math.isfinite(high) and high - low > 1e-12 * max(abs(low), abs(high))
    return (low, high) if good and max(abs(low), abs(high)) < LARGEST and not (log and low <= 0) else None


# ── the chart ──────────────────────────────────────────────────────────────────────────────────────────


def _stacked(poles: Sequence[float], boxes: Sequence[tuple[float, float]], near: float) -> list[int]:
    """The row of each pole's box, 0 the lowest: boxes in a row stay apart, and no pole goes through one.
    near: so close to its own pole a box has no words yet.
    """
    rows = [-1] * len(poles)
    row = 0
    while -1 in rows:
        waiting = [i for i, its in enumerate(rows) if its < 0]
        taken: list[tuple[float, float]] = []
        for i in waiting:
            left, right = boxes[i]
            others = (poles[k] for k in waiting if abs(poles[k] - poles[i]) >= near)
            through = any(left < other < right for other in others)
            if not through and not any(left < b and a < right for a, b in taken):
                rows[i] = row
                taken.append(boxes[i])
        if not taken:  # each stands in another's way
            rows[waiting[0]] = row
        row += 1
    return rows


@dataclass(frozen=True, slots=True)
class Knob:
    """A handle as it is drawn. index: in the payload. x in the view's units."""

    index: int
    x: float
    y: float
    text: str
    colour: QColor


class CurveChart(Chart):
    """A chart with more in it than lines."""

    dragged = Signal(int, float, float)
    """A knob is here now: its index, x in the view's units, y."""
    tapped = Signal(float, float)
    """A plain click there."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self.extras = _Extras()
        self.segment_colours: list[QColor] = []
        self.knobs: list[Knob] = []
        self.takes_clicks = False
        self._rows = 0  # of marks' names above the chart
        self._words: object = None  # that there is room for
        self._held = -1  # payload's index of the knob in hand
        self._hot = -1  # under the mouse
        self._focused = -1  # that the arrow keys move
        self._offset = QPointF()  # from the mouse to the middle of the knob in hand
        self._moved = False
        self._own: dict[int, tuple[float, float]] = {}  # where the hand has put knobs, not the engine
        self._sent: tuple[float, float] | None = None
        self._late = False  # a picture has come since the knob was let go
        super().__init__(parent=parent)
        self._send_timer = QTimer(self, singleShot=True, interval=SEND_MS)
        self._send_timer.timeout.connect(self._send)
        self._settle_timer = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._settle_timer.timeout.connect(self._settle)
        self._sending = -1

    # ── what the owner says ──

    @property
    def dragging(self) -> bool:
        """A knob is in a hand: the axes shall stay where they are."""
        return self._held >= 0

    def set_knobs(self, knobs: list[Knob], *, fresh: bool) -> None:
        """The knobs as a picture has them; fresh: it has just come."""
        self.knobs = knobs
        known = {knob.index for knob in knobs}
        self._held, self._focused, self._hot = (
            index if index in known else -1 for index in (self._held, self._focused, self._hot)
        )
        if not self._settle_timer.isActive() and fresh:
            self._own = {index: at for index, at in self._own.items() if index == self._held}
        self._late |= fresh
        self._own = {index: at for index, at in self._own.items() if index in known}

    def let_go(self) -> None:
        """A new run: nothing is in hand."""
        self._send_timer.stop()
        self._settle_timer.stop()
        self._held = self._hot = self._focused = -1
        self._own.clear()
        self.viewport().unsetCursor()

    def lay_out(self) -> None:
        """Make room for all words."""
        geometry = self.geometry_now()
        placed = self._placed_marks(geometry)
        rows = max((row + 1 for row, _box, _one in placed), default=0)
        if self.names[1] and not self.heading:
            rows = max(rows, self._name_row(placed, geometry) + 1)
        self._rows = max(self._rows, rows)
        words = (self._rows, self.names, tuple(end[0] for end in self._ends()), self.heading)
        if words != self._words:
            self._words = words
            self._fit_axes()
        self.viewport().update()

    def forget_sizes(self) -> None:
        super().forget_sizes()
        self._rows = 0

    def restyle(self) -> None:
        self._rows, self._words = 0, None
        super().restyle()

    # ── words above ──

    def _line(self) -> float:
        return title_font(0.92).height() + look.px(2)

    def _head_room(self) -> float:
        named = bool(self.names[1]) and not self.heading
        rows = max(self._rows if any(one.text for one in self._uprights) else 0, int(named))
        if not (self.heading or rows > 1):
            return super()._head_room()
        heading = len(self._heading_rows()) * title_font(0.92).height()
        return heading + rows * self._line() + title_font(0.92).height() * 0.4

    def _row_top(self, geometry: Geometry, row: int) -> float:
        """Row 0 is next to the chart."""
        base = geometry.rect.top() - title_font(0.92).height() * 0.4 - self._line()
        return max(base - row * self._line(), 0.0)

    def _placed_marks(self, geometry: Geometry) -> list[tuple[int, QRectF, Upright]]:
        """Row, box and mark of each name, each like a flag at its pole: none touches another, and a pole ends
        below the names that stand over it.
        """
        font, pad, rect = title_font(0.92), look.px(4), geometry.rect
        poles = [
            (geometry.x(one.x), one) for one in sorted(self._uprights, key=lambda one: -one.x) if one.text
        ]
        poles = [(x, one) for x, one in poles if rect.left() - 0.5 <= x <= rect.right() + 0.5]
        end = float(self.width())
        flags = []
        for x, one in poles:
            width = min(font.horizontalAdvance(one.text) + 2 * pad, max(end, 1.0))
            right, left = min(x - pad, end - width), max(x + pad - width, 0.0)
            ways = [(right, right + width)] if right > x - 2 * pad else []
            ways += [(left, left + width)] if left < x + 2 * pad - width else []
            middle = min(max(x - width / 2, 0.0), end - width)
            flags.append((x, ways or [(middle, middle + width)]))
        few = len(flags) <= 5
        tries = product(*(ways for _x, ways in flags)) if few else [[ways[0] for _x, ways in flags]]
        xs = [x for x, _ways in flags]
        rows, boxes = min(
            ((_stacked(xs, boxes, pad), boxes) for boxes in tries), key=lambda way: max(way[0], default=0)
        )
        room = 0.5 * self.height() - title_font(0.92).height() * (len(self._heading_rows()) + 0.4)
        most = int(room / self._line())
        return [
            (row, QRectF(left, self._row_top(geometry, row), right - left, font.height()), one)
            for row, (left, right), (_x, one) in zip(rows, boxes, poles, strict=True)
            if row < most
        ]

    def _name_row(self, placed: list[tuple[int, QRectF, Upright]], geometry: Geometry) -> int:
        """The lowest row in which the vertical axis' name meets neither a name nor a pole."""
        end = title_font(0.92).horizontalAdvance(self.names[1]) + look.px(8)
        over = [row for row, box, one in placed if box.left() < end or geometry.x(one.x) < end]
        return max(over, default=-1) + 1

    def mark_boxes(self) -> list[QRectF]:
        """Where the marks' names stand."""
        return [box for _row, box, _one in self._placed_marks(self.geometry_now())]

    def _paint_uprights(self, painter: QPainter, geometry: Geometry) -> None:
        placed = self._placed_marks(geometry)
        tops = {id(one): box.top() for _row, box, one in placed}
        rect, pad = geometry.rect, look.px(4)
        for one in self._uprights:
            x = geometry.x(one.x)
            if rect.left() - 0.5 <= x <= rect.right() + 0.5:
                pen = QPen(QColor(one.colour), look.px(1.6))
                if one.dashed:
                    pen.setDashPattern([4, 3])
                painter.setPen(pen)
                painter.drawLine(QPointF(x, rect.bottom()), QPointF(x, tops.get(id(one), rect.top())))
        painter.setFont(look.font(0.92, tabular=True))
        metrics = painter.fontMetrics()
        for _row, box, one in placed:
            x = geometry.x(one.x)
            painter.setPen(QColor(one.colour))
            shift = pad if x < box.left() + 1.5 * pad else -pad if x > box.right() - 1.5 * pad else 0
            text = metrics.elidedText(one.text, Qt.TextElideMode.ElideRight, math.ceil(box.width() - pad))
            painter.drawText(box.translated(shift, 0), Qt.AlignmentFlag.AlignCenter, text)

    def _paint_side_name(self, painter: QPainter, top: float) -> None:
        if self._rows > 1:
            geometry = self.geometry_now()
            top = self._row_top(geometry, self._name_row(self._placed_marks(geometry), geometry))
        super()._paint_side_name(painter, top)

    # ── under and over the lines ──

    def _ends(self) -> list[tuple[str, QColor, float, int]]:
        bars = []
        if self.extras.bars and len(self.extras.heights):
            bars = [(self.extras.bars, look.colour("quiet"), float(self.extras.heights[-1]), 0)]
        return super()._ends() + bars

    def _paint_under(self, painter: QPainter, geometry: Geometry) -> None:
        if len(self.extras.heights):
            self._paint_bars(painter, geometry)
        for stroke in self.strokes:
            if stroke.filled:
                paint_area(painter, geometry, stroke)
        if len(self.extras.quiet):
            self._paint_quiet(painter, geometry)

    def _paint_bars(self, painter: QPainter, geometry: Geometry) -> None:
        """One silhouette, and lines of the ground's colour between the bars where they are wide enough."""
        extras, ground = self.extras, geometry.ground()
        xs, tops = geometry.xs(extras.edges), geometry.ys(extras.heights, 0)
        tops = np.where(np.isfinite(tops), tops, ground)
        x = np.repeat(xs, 2)  # (2 B + 2,)
        y = np.concatenate(([ground], np.repeat(tops, 2), [ground]))
        surface = look.colour("surface")
        plain = not any(len(stroke.x) for stroke in self.strokes)
        ink = QColor(look.curves[0]) if plain else look.colour("quiet")
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(mix(ink, surface, 0.4 if plain else 0.62))
        painter.drawPolygon(polygon(x, y))
        wide = float(np.median(np.diff(xs)))
        if wide >= 4:
            painter.setPen(QPen(surface, look.px(1) if wide >= look.px(6) else 1))
            low = np.minimum(tops, ground).min()
            painter.drawLines([QLineF(x, ground, x, low) for x in xs[1:-1].tolist()])

    def _paint_quiet(self, painter: QPainter, geometry: Geometry) -> None:
        extras, (x0, x1) = self.extras, self.span
        start = max(int(np.searchsorted(extras.quiet_x, x0)) - 1, 0)
        stop = int(np.searchsorted(extras.quiet_x, x1, "right")) + 1
        columns = int(max(geometry.rect.width() / look.px(2.6), 20))
        x, quiet = outline(extras.quiet_x[start:stop], extras.quiet[:, start:stop], columns)
        xs, ys = geometry.xs(x), geometry.ys(quiet, 0)
        if abs(geometry.ground() - geometry.rect.bottom()) < 1:  # what lies on the axis itself is not seen
            flat = np.abs(ys - geometry.ground()) < 0.35
            flat[:, 1:-1] &= flat[:, 2:] & flat[:, :-2]
            ys[flat] = np.nan
        colour = self.strokes[0].colour if self.strokes else QColor(look.curves[0])
        painter.setPen(QPen(mix(colour, look.colour("surface"), 0.5), look.px(1)))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for line in ys:
            for first, last in runs(np.isfinite(line)):
                painter.drawPolyline(polygon(xs[first:last], line[first:last]))

    def _paint_over(self, painter: QPainter, geometry: Geometry) -> None:
        extras, rect = self.extras, geometry.rect
        if len(extras.start):
            x0, y0 = geometry.xs(extras.start[:, 0]), geometry.ys(extras.start[:, 1], 0)
            x1, y1 = geometry.xs(extras.end[:, 0]), geometry.ys(extras.end[:, 1], 0)
            lines = [QLineF(*ends) for ends in np.stack((x0, y0, x1, y1), axis=1).tolist()]  # (M, 4)
            colours = self.segment_colours
            labels = np.zeros(len(lines), np.int64) if extras.label is None else extras.label % len(colours)
            for label in np.unique(labels).tolist():
                pen = QPen(colours[label], look.px(1.6))
                painter.setPen(pen)
                painter.drawLines([lines[i] for i in np.flatnonzero(labels == label).tolist()])
        if len(extras.rug):
            xs = geometry.xs(extras.rug)
            xs = xs[(xs >= rect.left() - 1) & (xs <= rect.right() + 1)]
            width = look.px(1.4)
            xs = np.unique(np.floor(xs)) + width % 2 / 2  # one in a pixel, and sharp
            ink = look.colour("text")
            ink.setAlphaF(0.75 if len(xs) < 80 else 0.45)
            painter.setPen(QPen(ink, width, c=Qt.PenCapStyle.FlatCap))
            top = rect.bottom() - look.px(9)
            painter.drawLines([QLineF(x, rect.bottom(), x, top) for x in xs.tolist()])
        if len(extras.dots):
            xs, ys = geometry.xs(extras.dots[:, 0]), geometry.ys(extras.dots[:, 1], 0)
            radius = float(look.px(4.2 if len(xs) <= 60 else 3))
            painter.setPen(QPen(look.colour("surface"), look.px(1)))
            painter.setBrush(look.colour("text"))
            for at in np.stack((xs, ys), axis=1).tolist():  # (M, 2)
                painter.drawEllipse(QPointF(*at), radius, radius)

    # ── knobs ──

    def _radius(self) -> float:
        return float(look.px(8))

    def place(self, knob: Knob, geometry: Geometry) -> QPointF:
        """Where a knob is seen: where the hand has put it, else where the picture has it."""
        x, y = self._own.get(knob.index, (knob.x, knob.y))
        height = geometry.y(y, 0)
        return QPointF(geometry.x(x), height if math.isfinite(height) else geometry.rect.bottom())

    def _knob(self, index: int) -> Knob | None:
        return next((knob for knob in self.knobs if knob.index == index), None)

    def _knob_at(self, at: QPointF) -> int:
        """The knob under the mouse, or -1."""
        best, found = max(self._radius() + look.px(3), 12.0), -1
        geometry = self.geometry_now()
        for knob in self.knobs:
            away = self.place(knob, geometry) - at
            if (distance := math.hypot(away.x(), away.y())) <= best:
                best, found = distance, knob.index
        return found

    def _paint_front(self, painter: QPainter, geometry: Geometry) -> None:
        """Knobs, each with its name where there is room beside it."""
        if not self.knobs:
            return
        radius, surface = self._radius(), look.colour("surface")
        places = [self.place(knob, geometry) for knob in self.knobs]
        area = geometry.rect.adjusted(-radius, -radius, radius, radius)
        painter.setFont(look.font(0.92, bold=True))
        for knob, box in self._knob_names(geometry, places):
            ground = QColor(surface)
            ground.setAlphaF(0.8)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(ground)
            painter.drawRoundedRect(box, look.px(3), look.px(3))
            painter.setPen(knob.colour)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, knob.text)
        for knob, at in zip(self.knobs, places, strict=True):
            if not area.contains(at):
                continue
            strong = knob.index in (self._held, self._hot)
            size = radius * (1.2 if strong else 1.0)
            if knob.index == self._focused and self.hasFocus():
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(look.colour("accent"), look.px(2)))
                painter.drawEllipse(at, size + look.px(4), size + look.px(4))
            painter.setPen(QPen(surface, look.px(2)))
            painter.setBrush(knob.colour)
            painter.drawEllipse(at, size, size)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(surface)
            painter.drawEllipse(at, size * 0.36, size * 0.36)

    def _knob_names(self, geometry: Geometry, places: Sequence[QPointF]) -> list[tuple[Knob, QRectF]]:
        """Beside its knob, above if possible, where the name touches nothing else and hides no line."""
        font, pad, radius = title_font(0.92), look.px(4), self._radius() * 1.2
        area = geometry.rect.adjusted(-radius, -self._line(), radius, radius)
        lines = [(geometry.xs(one.x), geometry.ys(one.y, one.side)) for one in self.strokes]

        def hides(box: QRectF) -> int:
            return sum(
                bool(np.any((x > box.left()) & (x < box.right()) & (y > box.top()) & (y < box.bottom())))
                for x, y in lines
            )

        taken = [QRectF(at.x() - radius, at.y() - radius, 2 * radius, 2 * radius) for at in places]
        named = []
        for own, (knob, at) in enumerate(zip(self.knobs, places, strict=True)):
            if not knob.text or not area.contains(at):
                continue
            width, height = font.horizontalAdvance(knob.text) * 1.06 + 2 * pad, font.height()
            far, near = radius + pad / 2, 0.7 * radius
            high = at.y() - near - height
            corners = (
                (at.x() - width / 2, at.y() - far - height), (at.x() + far, at.y() - height / 2),
                (at.x() - far - width, at.y() - height / 2), (at.x() + near, high),
                (at.x() - near - width, high), (at.x() - width / 2, at.y() + far),
            )  # fmt: skip
            boxes = [QRectF(*corner, width, height) for corner in corners]
            others = [box for i, box in enumerate(taken) if i != own]  # not its own knob
            free = [
                box for box in boxes
                if area.contains(box) and not any(box.intersects(other) for other in others)
            ]  # fmt: skip
            spare = boxes[1] if boxes[1].right() <= self.width() else boxes[2]
            box = min(free, key=hides, default=spare)
            taken.append(box)
            named.append((knob, box))
        return named

    # ── the hand ──

    def _on_clicked(self, event: Any) -> None:
        super()._on_clicked(event)
        place = event.scenePos()
        if (
            self.takes_clicks and not event.double() and event.button() == Qt.MouseButton.LeftButton
            and self.plot_rect.contains(place)
        ):  # fmt: skip
            self.tapped.emit(*self.geometry_now().value(place))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._focused = -1
        left = event.button() == Qt.MouseButton.LeftButton
        if self._held < 0 and left and (index := self._knob_at(event.position())) >= 0:
            knob = self._knob(index)
            assert knob is not None
            self._held, self._moved, self._sent = index, False, None
            self._offset = self.place(knob, self.geometry_now()) - event.position()
            self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)
            self.pointed.emit(math.nan)
            self.viewport().update()
        elif self._held < 0:
            super().mousePressEvent(event)
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._knob_at(event.position()) >= 0:
            self.mousePressEvent(event)
        else:
            super().mouseDoubleClickEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if self._held >= 0:
            self._moved = True
            self._put(self._held, at + self._offset)
            event.accept()
            return
        super().mouseMoveEvent(event)
        hot = self._knob_at(at) if not event.buttons() else -1
        if hot != self._hot:
            self._hot = hot
            self.viewport().update()
        if hot >= 0:
            self.pointed.emit(math.nan)
        self._point_cursor(at)

    def _point_cursor(self, at: QPointF) -> None:
        shape = Qt.CursorShape.ArrowCursor
        if self._hot >= 0:
            shape = Qt.CursorShape.OpenHandCursor
        elif self.takes_clicks and self.plot_rect.contains(at):
            shape = Qt.CursorShape.CrossCursor
        if self.viewport().cursor().shape() != shape:
            self.viewport().setCursor(shape)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._held < 0 or event.button() != Qt.MouseButton.LeftButton:
            if self._held < 0:
                super().mouseReleaseEvent(event)
            return
        index, self._held = self._held, -1
        self._hot = index
        if self._moved:
            self._put(index, event.position() + self._offset, last=True)
        else:  # taken by a click: the arrow keys move it now
            self._focused = index
        self._point_cursor(event.position())
        self.viewport().update()
        event.accept()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._held >= 0:
            event.accept()
        else:
            super().wheelEvent(event)

    def _put(self, index: int, at: QPointF, *, last: bool = False) -> None:
        """The hand has moved a knob there, or as near as the plot goes."""
        rect = self.plot_rect
        inside = QPointF(
            min(max(at.x(), rect.left()), rect.right()), min(max(at.y(), rect.top()), rect.bottom())
        )
        self._own[index] = self.geometry_now().value(inside)
        self._sending = index
        if last:
            self._late, self._sent = False, None
            self._settle_timer.start()
            self._send()
            self._send_timer.stop()
        elif not self._send_timer.isActive():
            self._send()
        self.viewport().update()

    def _send(self) -> None:
        at = self._own.get(self._sending)
        if at is not None and at != self._sent:
            self._sent = at
            self._send_timer.start()
            self.dragged.emit(self._sending, *at)

    def _settle(self) -> None:
        """From now on the pictures are right about where the knobs are."""
        if self._late:
            self._own = {index: at for index, at in self._own.items() if index == self._held}
            self.viewport().update()

    # ── the keyboard ──

    def focusNextPrevChild(self, forwards: bool) -> bool:
        """Tab goes from knob to knob before it leaves the chart."""
        order = [knob.index for knob in self.knobs]
        place = order.index(self._focused) if self._focused in order else -1 if forwards else len(order)
        place += 1 if forwards else -1
        if 0 <= place < len(order):
            self._focused = order[place]
            self.viewport().update()
            return True
        self._focused = -1
        self.viewport().update()
        done: bool = super().focusNextPrevChild(forwards)
        return done

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        ends = {Qt.FocusReason.TabFocusReason: 0, Qt.FocusReason.BacktabFocusReason: -1}
        if self.knobs and event.reason() in ends:
            self._focused = self.knobs[ends[event.reason()]].index
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._focused = -1
        self.viewport().update()

    def event(self, event: QEvent) -> bool:
        """Arrow keys belong to the knob that the keyboard has been brought to, not to the transport."""
        asked = self._ready and self._focused >= 0 and event.type() == QEvent.Type.ShortcutOverride
        if asked and isinstance(event, QKeyEvent):
            plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
            if plain and (event.key() in NUDGES or event.key() == Qt.Key.Key_Escape):
                event.accept()
                return True
        done: bool = super().event(event)
        return done

    def keyPressEvent(self, event: QKeyEvent) -> None:
        knob = self._knob(self._focused)
        if knob is not None and event.key() == Qt.Key.Key_Escape:
            self._focused = -1
            self.viewport().update()
        elif knob is not None and event.key() in NUDGES:
            right, up = NUDGES[Qt.Key(event.key())]
            step = QPointF(right * NUDGE * self.plot_rect.width(), -up * NUDGE * self.plot_rect.height())
            self._put(knob.index, self.place(knob, self.geometry_now()) + step, last=True)
        else:
            super().keyPressEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        if self._hot >= 0 and self._held < 0:
            self._hot = -1
            self.viewport().update()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.let_go()


# ── the panel ──────────────────────────────────────────────────────────────────────────────────────────


class CurvePanel(Panel):
    """Lines named at their ends; ``mark`` stands upright with its value."""

    def __init__(self, title: str, selection: Selection, parent: QWidget | None = None) -> None:
        self._curve: Curve | None = None
        self._extras = _Extras()
        self._traces: dict[str, Trace] = {}
        self._smooth: dict[str, bool] = {}
        super().__init__(title, parent)
        self._selection = selection
        self._chart = CurveChart()
        self._chart.readout = self._read
        self._chart.pointed.connect(self._chart.set_cross)
        self._chart.spanned.connect(self._draw)
        self._chart.dragged.connect(self._on_dragged)
        self._chart.tapped.connect(self._on_tapped)
        self._drawing = self._fresh = False
        self._aside.setMinimumWidth(1)  # many names are no reason to make the panel wider
        self.set_body(self._chart)

    def show_payload(self, payload: Curve) -> None:
        self._curve = payload
        self._extras = extras = _extras(payload)
        x = _clean(payload.x, payload.log[0]).ravel()
        order = _order(x)
        whole = bool(len(order)) and bool(np.all(x[order] == np.round(x[order])))
        plain = not (payload.handles or payload.click or len(extras.edges) or len(extras.quiet))
        plain = plain and not (len(extras.rug) or len(extras.start) or len(extras.dots))
        self._chart.set_bottom(whole=whole and plain, log=payload.log[0])
        self._traces, self._smooth = {}, {}
        for name, line in payload.lines.items():
            y = _clean(line).ravel()
            if payload.log[1]:
                y[~(y > 0)] = np.nan
            passed = order[order < len(y)]
            self._traces[name] = trace = Trace()
            trace.fill(x[passed], y[passed])
            self._smooth[name] = _smooth(y[passed])
        self._fresh = True
        self._draw()

    def clear(self) -> None:
        self._curve = None
        self._extras = _Extras()
        self._traces = {}
        self._chart.let_go()
        self._chart.follows = True
        self._chart.forget_sizes()
        self._draw()

    def restyle(self) -> None:
        self._chart.restyle()
        if self._curve is not None:
            self._extras = _extras(self._curve)  # names in another language
        self._draw()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._draw()

    @property
    def _marked(self) -> int:
        """How many of the marks, the first ones, are the payload's ``mark``: 1 or none."""
        mark, log = (None, False) if self._curve is None else (self._curve.mark, self._curve.log[0])
        return int(mark is not None and math.isfinite(float(_clean(mark, log))))

    # ── acting ──

    def _data(self, x: float) -> float:
        """The number at a place of the view."""
        log = self._curve is not None and self._curve.log[0]
        return float(f"{10.0 ** min(max(x, -300.0), 300.0):.12g}") if log else x

    def _on_dragged(self, index: int, x: float, y: float) -> None:
        self.act.emit("drag", (index, self._data(x), y))

    def _on_tapped(self, x: float, y: float) -> None:
        if self._curve is not None and self._curve.click:
            self.act.emit(self._curve.click, (self._data(x), y))

    # ── drawing ──

    def _colour(self, index: int) -> QColor:
        return QColor(look.curves[index % len(look.curves)])

    def _draw(self) -> None:
        if self._drawing or not self.isVisible():
            return
        self._drawing = True
        try:
            self._draw_now()
        finally:
            self._drawing = False

    def _draw_now(self) -> None:
        chart, curve, extras = self._chart, self._curve, self._extras
        chart.names = ("", "") if curve is None else (tr(curve.axes[0]), tr(curve.axes[1]))
        chart.takes_clicks = curve is not None and bool(curve.click)
        if not chart.dragging:  # else the ground would move away under the hand
            chart.set_span(*self._span())
        rect = chart.plot_rect
        columns, fine = chart.columns(), int(min(max(rect.width() / 1.5, 60), 1200))
        reduced = {
            name: trace.outlined(*chart.span, fine) if self._smooth[name]
            else trace.reduced(*chart.span, columns)
            for name, trace in self._traces.items()
        }  # fmt: skip
        filled = set() if curve is None else set(curve.filled)
        chart.strokes = [
            Stroke(
                one.x, one.y, self._colour(i), one.low, one.high, label=tr(name), width=2.6, dots=True,
                dashed=i >= len(look.curves), smooth=self._smooth[name], filled=name in filled,
            )
            for i, (name, one) in enumerate(reduced.items())
        ]  # fmt: skip
        chart.extras = extras
        plain = extras.label is None
        chart.segment_colours = [QColor(name) for name in ((look.colours.quiet,) if plain else look.curves)]
        colours = {name: self._colour(i) for i, name in enumerate(self._traces)}
        chart.set_knobs(
            [
                Knob(index, x, y, text, colours.get(line, look.colour("accent")))
                for index, x, y, text, line in extras.handles
            ],
            fresh=self._fresh,
        )
        self._fresh = False
        chart.set_uprights(self._uprights())
        if not chart.dragging:
            chart.set_scales(self._scale(reduced.values(), filled))
        self._name_lines()
        chart.lay_out()

    def _span(self) -> tuple[float, float]:
        """What the horizontal axis shows while nobody has zoomed, in the view's units."""
        curve = self._curve
        log = curve is not None and curve.log[0]
        fixed = None if curve is None else _bounds(curve.span, log)
        if fixed is not None:
            return (math.log10(fixed[0]), math.log10(fixed[1])) if log else fixed
        known = [trace.steps[[0, -1]] for trace in self._traces.values() if len(trace)]
        every = np.concatenate([*known, *self._extras.xs()])
        every = every[np.isfinite(every)]
        if not len(every):
            return (0.0, 1.0)
        low, high = float(every.min()), float(every.max())
        if high - low <= 1e-12 * max(abs(low), abs(high)):
            return low, low + max(1.0, 1e-6 * abs(low))
        return low, high

    def _scale(self, lines: Any, filled: set[str]) -> Scale:
        curve, extras = self._curve, self._extras
        log = curve is not None and curve.log[1]
        fixed = None if curve is None else _bounds(curve.range, log)
        if fixed is not None:
            return Scale(*fixed, log=log)
        spans = [span for one in lines if (span := one.extremes()) is not None]
        every = [np.array(spans).ravel(), *extras.ys()]
        if extras.quiet.size:
            start, stop = np.searchsorted(extras.quiet_x, self._chart.span)
            quiet = extras.quiet[:, max(start - 1, 0) : stop + 1]
            every.append(np.array([np.fmin.reduce(quiet, axis=None), np.fmax.reduce(quiet, axis=None)]))
        if filled:
            every.append(np.zeros(1))
        values = np.concatenate(every)
        values = values[np.isfinite(values) & ((values > 0) | (not log))]
        if not len(values):
            return Scale(0.1, 1.0, log=True) if log else Scale()
        return Scale.fit(float(values.min()), float(values.max()), log=log)

    def _uprights(self) -> list[Upright]:
        """The mark in the colour of what is chosen now, the named ones in ink."""
        name, marks = self._chart.names[0], self._extras.marks
        uprights = []
        for x, value in marks[: self._marked]:
            text = f"{name} = {value}" if name else value
            if title_font(0.92).horizontalAdvance(text) > 0.35 * self._chart.width():
                text = value
            uprights.append(Upright(x, text, look.colours.accent, dashed=False))
        return uprights + [Upright(x, text, look.colours.text) for x, text in marks[self._marked :]]

    # ── words ──

    def _name_lines(self) -> None:
        """At their ends, else beside the title, else above the chart."""
        chart = self._chart
        names = [(tr(name), self._colour(i)) for i, name in enumerate(self._traces) if name]
        if self._extras.bars:
            names.append((self._extras.bars, look.colour("quiet")))
        aside = "" if chart.labels_fit else " · ".join(coloured(name, colour) for name, colour in names)
        heading: list[tuple[str, str, QColor]] = []
        if aside:
            words = " · ".join(name for name, _colour in names)
            bold, plain = title_font(1.04), title_font(0.92)
            room = self.width() - 4 * look.px(10) - plain.horizontalAdvance(tr(_("step {step}", step=10_000)))
            if bold.horizontalAdvance(self._title.text()) + plain.horizontalAdvance(words) > room:
                heading = [(name, "", colour) for name, colour in names]
                rows = len(chart._flow([(name, colour) for name, colour in names]))
                if rows * plain.height() > 0.4 * chart.height():
                    heading = []
        chart.set_heading(heading)
        self.set_aside("" if heading else aside)

    def _read(self, x: float) -> tuple[float, list[Reading]]:
        """What the crosshair says at ``x``."""
        if self._curve is None:
            return math.nan, []
        nearest = {name: near for name, trace in self._traces.items() if (near := trace.at(x)) is not None}
        bar = self._bar_at(x)
        if nearest:
            place = min((near[0] for near in nearest.values()), key=lambda one: abs(one - x))
        elif bar is not None:
            place = float(self._extras.edges[bar : bar + 2].mean())
        else:
            return math.nan, []
        head = " ".join(part for part in (tr(self._curve.axes[0]), value_text(self._data(place))) if part)
        readings = [Reading(head, look.colour("text"))]
        for index, name in enumerate(self._traces):
            if name in nearest and nearest[name][0] == place:
                value = nearest[name][1]
                readings.append(Reading(f"{tr(name)} {value_text(value)}", self._colour(index), value))
        if bar is not None:
            low, high = (value_text(self._data(float(edge))) for edge in self._extras.edges[bar : bar + 2])
            height = float(self._extras.heights[bar])
            text = f"{self._extras.bars} {low} … {high}: {value_text(height)}".strip()
            readings.append(Reading(text, look.colour("quiet"), height))
        reach = (
            look.px(5) / max(self._chart.plot_rect.width(), 1) * (self._chart.span[1] - self._chart.span[0])
        )
        for at, name in self._extras.marks[self._marked :]:
            if abs(at - x) <= reach and name:
                readings.append(Reading(f"{name} {value_text(self._data(at))}", look.colour("text")))
        return place, readings

    def _bar_at(self, x: float) -> int | None:
        """The bar that ``x`` falls into."""
        edges = self._extras.edges
        if not len(edges) or not edges[0] <= x <= edges[-1]:
            return None
        return min(int(np.searchsorted(edges, x, "right")) - 1, len(edges) - 2)
