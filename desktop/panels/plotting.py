"""What all plots share: a chart with thick lines, words around it, a crosshair, mouse and zoom.

pyqtgraph does ranges, axes, wheel and drag. The lines are painted by ``desktop.panels.strokes``.

The view's vertical axis always runs from 0 to 1; each side of the chart has a ``Scale`` that says what that
means. So two scales, linear or logarithmic, are two axis labellings and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

from desktop.panels.colours import mix, with_alpha
from desktop.panels.scales import Scale, TickAxis, title_font
from desktop.panels.strokes import Geometry, Stroke, paint_range, paint_stroke
from desktop.style.tokens import look


@dataclass(frozen=True, slots=True)
class Upright:
    """A vertical line with a few words at its top."""

    x: float
    text: str
    colour: str
    dashed: bool = True


@dataclass(frozen=True, slots=True)
class Reading:
    """One line of what the crosshair says. y None: nothing to mark on the chart."""

    text: str
    colour: QColor
    y: float | None = None
    side: int = 0


def ghost_colour() -> QColor:
    """The grey of another run's lines."""
    return mix(look.colour("quiet"), look.colour("surface"), 0.55)


class Chart(pg.PlotWidget):  # type: ignore[misc]
    """Lines over one horizontal axis. Wheel and drag choose what is seen, a double click shows all again."""

    spanned = Signal()
    """The person has zoomed or moved: ``span`` is new."""
    pointed = Signal(float)
    """The mouse is at this x; nan = it has left."""
    clicked = Signal(float)
    menu_wanted = Signal(QPoint)
    """A right click that did nothing else."""

    _ready = False
    """False while pyqtgraph builds its part."""

    def __init__(self, *, whole: bool = False, parent: QWidget | None = None) -> None:
        self._bottom = TickAxis("bottom", whole=whole)
        self._sides = (TickAxis("left"), TickAxis("right"))
        self.strokes: list[Stroke] = []
        self._uprights: list[Upright] = []
        self.readout: Callable[[float], tuple[float, list[Reading]]] | None = None
        self.names = ("", "")
        self.heading: list[tuple[str, str, QColor]] = []
        self.ghosts: list[Stroke] = []
        self.ghost_words = ""
        self._ghost_corner = 0
        self._taken: list[QRectF] = []  # by words among the lines
        self.follows = True
        self.paints = 0
        self._scales: tuple[Scale, Scale | None] = (Scale(), None)
        self._asked_scales: object = None
        self._cross = math.nan
        self._widths = [0, 0]
        super().__init__(
            parent,
            axisItems={"bottom": self._bottom, "left": self._sides[0], "right": self._sides[1]},
            enableMenu=False,
        )
        self.setFrameShape(self.Shape.NoFrame)
        self.hideButtons()
        view = self.getViewBox()
        view.setMouseEnabled(x=True, y=False)
        view.setDefaultPadding(0)
        view.disableAutoRange()
        view.setRange(xRange=(0, 1), yRange=(0, 1), padding=0, disableAutoRange=True)
        view.sigRangeChangedManually.connect(self._on_manual)
        self.scene().sigMouseMoved.connect(self._on_moved)
        self.scene().sigMouseClicked.connect(self._on_clicked)
        self.setMinimumSize(1, 1)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)  # the right button zooms
        self._ready = True

    # ── what the owner says ────────────────────────────────────────────────────────────────────────────

    @property
    def span(self) -> tuple[float, float]:
        low, high = self.getViewBox().viewRange()[0]
        return float(low), float(high)

    @property
    def plot_rect(self) -> QRectF:
        """Where the lines are, in this widget's pixels."""
        rect: QRectF = self.getViewBox().sceneBoundingRect()
        return rect

    def columns(self) -> int:
        """How many vertices a line may have: one per three pixels."""
        return int(min(max(self.plot_rect.width() / 3, 60), 400))

    def set_span(self, x0: float, x1: float) -> None:
        """Show [x0, x1] unless the person is looking at a part of their choice."""
        if self.follows and math.isfinite(x0) and math.isfinite(x1):
            x1 = x1 if x1 > x0 else x0 + 1
            if (x0, x1) != self.span:
                self.getViewBox().setXRange(x0, x1, padding=0)

    @property
    def uprights(self) -> list[Upright]:
        return self._uprights

    def set_uprights(self, uprights: list[Upright]) -> None:
        """Vertical lines; the first row of their words stands above the chart."""
        worded = any(upright.text for upright in self._uprights)
        self._uprights = uprights
        if any(upright.text for upright in uprights) != worded:
            self._fit_axes()
        self.viewport().update()

    def set_scales(
        self, left: Scale, right: Scale | None = None, colours: tuple[QColor, QColor] | None = None
    ) -> None:
        """What height means on each side; colours: of the two axes' numbers, None = quiet."""
        asked = (left, right, colours)
        if asked == self._asked_scales:  # scales end on round numbers: most steps leave them as they are
            return
        self._asked_scales = asked
        self._scales = (left, right)
        self.showAxis("right", right is not None)
        for side, axis in enumerate(self._sides):
            axis.scaling = self._scales[side]
            axis.setTextPen(colours[side] if colours else look.colour("quiet"))
            axis.picture = None
        self._fit_axes()

    def show_all(self) -> None:
        """End the person's zoom."""
        if not self.follows:
            self.follows = True
            self.spanned.emit()

    def set_cross(self, x: float) -> None:
        """Where the crosshair stands; nan = nowhere."""
        if x != self._cross and not (math.isnan(x) and math.isnan(self._cross)):
            self._cross = x
            self.viewport().update()

    def forget_sizes(self) -> None:
        """A new run: the axes may become narrower again."""
        self._widths = [0, 0]

    def restyle(self) -> None:
        self.setBackground(look.colour("surface"))
        self._widths = [0, 0]
        self._asked_scales = None
        font = look.font(0.92, tabular=True)
        for axis in (self._bottom, *self._sides):
            axis.setStyle(
                tickFont=font, tickTextOffset=look.px(5), tickLength=0, hideOverlappingLabels=look.px(40)
            )
            axis.setPen(pg.mkPen(None))
            axis.setTextPen(look.colour("quiet"))
        self._bottom.setPen(pg.mkPen(look.colour("line"), width=look.px(1)))
        self._fit_axes()

    def align(self, widths: tuple[int, int]) -> None:
        """Stacked charts have their left and right ends in line."""
        self._widths = [max(old, new) for old, new in zip(self._widths, widths, strict=True)]
        self._fit_axes()

    @property
    def axis_widths(self) -> tuple[int, int]:
        return self._widths[0], self._widths[1]

    def set_heading(self, parts: list[tuple[str, str, QColor]]) -> None:
        """Above the chart: name, value, and colour of each line; the values only where there is room."""
        rows = len(self._heading_rows())
        self.heading = parts
        if len(self._heading_rows()) != rows:
            self._fit_axes()
        self.viewport().update()

    def set_bottom(self, *, whole: bool = False, log: bool = False) -> None:
        """whole: only whole numbers on the horizontal axis. log: the view counts in powers of ten there."""
        if (whole, log) != (self._bottom.whole, self._bottom.log):
            self._bottom.whole, self._bottom.log = whole, log
            self._bottom.picture = None
            self._bottom.update()

    def show_bottom(self, on: bool) -> None:
        """Whether the horizontal axis has numbers (the lowest of stacked charts only)."""
        if self._bottom.style["showValues"] != on:
            self._bottom.setStyle(showValues=on)
            self._fit_axes()

    # ── sizes ──────────────────────────────────────────────────────────────────────────────────────────

    def _fit_axes(self) -> None:
        font = title_font(0.92)
        gap = look.px(6)
        rect = self.plot_rect
        for side, axis in enumerate(self._sides):
            if axis.scaling is None:
                continue
            ticks = axis.ticks(0, 1, max(rect.height(), 1))
            needed = max((font.horizontalAdvance(text) for text in axis.texts(ticks)), default=0)
            self._widths[side] = max(self._widths[side], math.ceil(needed + 1.5 * gap))
            axis.setWidth(self._widths[side])
        shown = self._bottom.style["showValues"]
        named = font.height() if self.names[0] and shown and not self._name_beside() else 0
        self._bottom.setHeight(font.height() + gap + named if shown else font.height() / 2)
        top = self._head_room()
        right = max(self._label_room(), font.averageCharWidth() * 2 if self._scales[1] is None else 0)
        self.getPlotItem().layout.setContentsMargins(0, top, right, 0)
        self.getPlotItem().layout.activate()
        self.viewport().update()

    def _head_room(self) -> float:
        """Height above the chart for words."""
        rows = len(self._heading_rows())
        worded = bool(self.names[1]) or any(upright.text for upright in self._uprights)
        return title_font(0.92).height() * (rows + 0.3 if rows else 1.5 if worded else 0.5)

    def _ends(self) -> list[tuple[str, QColor, float, int]]:
        """What is named at the right: name, colour, and at which height of which side."""
        ends = []
        for stroke in self.strokes:
            finite = np.flatnonzero(np.isfinite(stroke.y))
            if stroke.label and len(finite):
                ends.append((stroke.label, stroke.colour, float(stroke.y[finite[-1]]), stroke.side))
        return ends

    def _label_room(self) -> float:
        """Room at the right for the lines' names; 0 when they would not fit."""
        font = title_font()
        names = [end[0] for end in self._ends()]
        if not names or self._scales[1] is not None:
            return 0
        widest = max(font.horizontalAdvance(name) for name in names) + look.px(10)
        fits = widest <= 0.4 * self.width() and len(names) * font.height() <= 0.75 * self.height()
        return widest if fits else 0

    def _name_beside(self) -> bool:
        """The horizontal axis' name has room at the end of its numbers, below the lines' names."""
        return title_font(0.92).horizontalAdvance(self.names[0]) + look.px(14) <= self._label_room()

    def _heading_rows(self) -> list[list[tuple[float, str, QColor]]]:
        """Place, text and colour of each word above the chart, in as many rows as it takes."""
        full = self._flow([(f"{name} {value}".strip(), colour) for name, value, colour in self.heading])
        bare = self._flow([(name, colour) for name, _value, colour in self.heading])
        return full if len(full) <= len(bare) else bare

    def _flow(self, words: list[tuple[str, QColor]]) -> list[list[tuple[float, str, QColor]]]:
        font = title_font(0.92)
        rows: list[list[tuple[float, str, QColor]]] = []
        left = math.inf
        for text, colour in words:
            width = font.horizontalAdvance(text)
            if left + width > self.width():
                rows.append([])
                left = self._widths[0]
            rows[-1].append((left, text, colour))
            left += width + font.height() * 0.7
        return rows

    @property
    def labels_fit(self) -> bool:
        """The lines' names stand at their ends."""
        return self._label_room() > 0

    # ── the mouse ──────────────────────────────────────────────────────────────────────────────────────

    def _on_manual(self, _mask: object = None) -> None:
        self.follows = False
        self.spanned.emit()

    def _on_moved(self, place: QPointF) -> None:
        self.pointed.emit(self._x_at(place) if self.plot_rect.contains(place) else math.nan)

    def _on_clicked(self, event: Any) -> None:
        if event.button() == Qt.MouseButton.RightButton:
            self.menu_wanted.emit(self.mapToGlobal(self.mapFromScene(event.scenePos())))
        elif event.double():
            self.show_all()
        elif event.button() == Qt.MouseButton.LeftButton and self.plot_rect.contains(event.scenePos()):
            self.clicked.emit(self._x_at(event.scenePos()))

    def _x_at(self, place: QPointF) -> float:
        rect, (x0, x1) = self.plot_rect, self.span
        return x0 + (place.x() - rect.left()) / (rect.width() or 1) * (x1 - x0)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.pointed.emit(math.nan)

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        if self._ready:
            self._fit_axes()
            self.spanned.emit()

    # ── painting ───────────────────────────────────────────────────────────────────────────────────────

    def drawForeground(self, painter: QPainter, _rect: object) -> None:
        """Everything inside the axes; the scene's units are this widget's pixels."""
        rect = self.plot_rect
        if rect.width() < 2 or rect.height() < 2:
            return
        self.paints += 1
        geometry = self.geometry_now()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_grid(painter, geometry)
        painter.save()
        edge = look.px(4)
        painter.setClipRect(rect.adjusted(-edge, -edge, edge, edge))
        self._paint_under(painter, geometry)
        for stroke in self.strokes:
            paint_range(painter, geometry, stroke)
        for stroke in (*self.ghosts, *self.strokes):
            paint_stroke(painter, geometry, stroke)
        self._paint_over(painter, geometry)
        painter.restore()
        self._taken = []
        self._paint_uprights(painter, geometry)
        self._paint_whose_ghost(painter, geometry)
        if self.labels_fit:
            self._paint_labels(painter, geometry)
        self._paint_names(painter, geometry)
        self._paint_front(painter, geometry)
        self._paint_cross(painter, geometry)
        painter.restore()

    def _paint_whose_ghost(self, painter: QPainter, geometry: Geometry) -> None:
        """Whose the grey lines are, in the corner where it hides least of the others."""
        if not (self.ghosts and self.ghost_words):
            return
        rect = geometry.rect
        metrics, line, pad = title_font(0.92), look.px(18), look.px(5)
        room = rect.width() - line - 3 * pad
        words = metrics.elidedText(self.ghost_words, Qt.TextElideMode.ElideRight, room)
        wide = metrics.horizontalAdvance(words) + line + 3 * pad
        high, right = metrics.height(), rect.right() - wide
        corners = [
            QRectF(x, y, wide, high)
            for x, y in (
                (right, rect.top() + 1),
                (right, rect.bottom() - high - 2),
                (rect.left() + 2, rect.bottom() - high - 2),
                (rect.left() + 2, rect.top() + 1),
            )
        ]
        hidden = [self._hides(corner, geometry) for corner in corners]
        if hidden[self._ghost_corner] > min(hidden):
            self._ghost_corner = hidden.index(min(hidden))
        box = corners[self._ghost_corner]
        painter.fillRect(box, with_alpha(look.colour("surface"), 0.85))
        painter.setFont(look.font(0.92))
        painter.setPen(look.colour("quiet"))
        painter.drawText(box.adjusted(0, 0, -pad, 0), Qt.AlignmentFlag.AlignRight, words)
        painter.setPen(QPen(self.ghosts[0].colour, look.px(self.ghosts[0].width)))
        left, y = box.left() + pad, box.center().y()
        painter.drawLine(QPointF(left, y), QPointF(left + line, y))

    def _hides(self, box: QRectF, geometry: Geometry) -> int:
        """How much lies in ``box``: words, upright lines, and pieces of the others."""
        across = np.linspace(box.left(), box.right(), 24)
        found = 100 * sum(box.intersects(taken) for taken in self._taken)
        found += sum(box.left() <= geometry.x(one.x) <= box.right() for one in self._uprights)
        for stroke in self.strokes:
            if len(stroke.x):
                xs, heights = geometry.xs(stroke.x), geometry.ys(stroke.y, stroke.side)
                ys = np.interp(across, xs, heights, np.nan, np.nan)
                found += int(np.count_nonzero((ys > box.top() - 2) & (ys < box.bottom() + 2)))
        return found

    def geometry_now(self) -> Geometry:
        """How values become pixels in the present view."""
        left, right = self._scales
        return Geometry(self.plot_rect, *self.span, (left, right or left))

    def _paint_under(self, painter: QPainter, geometry: Geometry) -> None:
        """For subclasses: what lies under the lines, kept inside the axes."""

    def _paint_over(self, painter: QPainter, geometry: Geometry) -> None:
        """For subclasses: what lies over the lines, kept inside the axes."""

    def _paint_front(self, painter: QPainter, geometry: Geometry) -> None:
        """For subclasses: what lies in front of all, uncut."""

    def _paint_grid(self, painter: QPainter, geometry: Geometry) -> None:
        painter.setPen(QPen(look.colour("grid"), look.px(1)))
        rect = geometry.rect
        for tick in self._sides[0].ticks(0, 1, rect.height()):
            y = round(geometry.y(tick, 0)) + 0.5
            if rect.top() - 1 <= y < rect.bottom() - 1:
                painter.drawLine(QPointF(rect.left(), y), QPointF(rect.right(), y))

    def _paint_labels(self, painter: QPainter, geometry: Geometry) -> None:
        """The name of each line where it ends, moved apart when they would touch."""
        painter.setFont(look.font())
        for box, text, colour in self.label_boxes(geometry):
            painter.setPen(colour)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, text)

    def label_boxes(self, geometry: Geometry) -> list[tuple[QRectF, str, QColor]]:
        """Where the lines' names stand, from top to bottom."""
        height = title_font().height()
        ends = []
        for text, colour, value, side in self._ends():
            y = geometry.y(value, side)
            ends.append((y if math.isfinite(y) else geometry.rect.bottom(), text, colour))
        ends.sort(key=lambda end: end[0])
        # Between the axis' name and the marks' names, if there is so much room.
        floor = geometry.rect.bottom() + look.px(5) if self.names[0] else float(self.height())
        ceiling = max(geometry.rect.top() - 0.4 * height, 0.0) if self._uprights else 0.0
        floor = max(floor, min(ceiling + len(ends) * height, self.height()))
        tops = [min(max(end[0] - height / 2, ceiling), floor - height) for end in ends]
        for index in range(1, len(tops)):
            tops[index] = max(tops[index], tops[index - 1] + height)
        over = tops[-1] + height - floor if tops else 0
        if over > 0:
            tops[-1] -= over
            for index in range(len(tops) - 2, -1, -1):
                tops[index] = min(tops[index], tops[index + 1] - height)
        left = geometry.rect.right() + look.px(8)
        boxes = [QRectF(left, top, self.width() - left, height) for top in tops]
        return [(box, text, colour) for box, (_y, text, colour) in zip(boxes, ends, strict=True)]

    def _paint_names(self, painter: QPainter, geometry: Geometry) -> None:
        painter.setFont(look.font(0.92))
        painter.setPen(look.colour("quiet"))
        metrics = painter.fontMetrics()
        if self.names[0] and self._bottom.style["showValues"]:
            beside = self._name_beside()
            width = self.width() if beside else geometry.rect.right()
            text = metrics.elidedText(self.names[0], Qt.TextElideMode.ElideRight, int(width))
            top = geometry.rect.bottom() + look.px(5) if beside else self.height() - metrics.height()
            painter.drawText(QRectF(0, top, width, metrics.height()), Qt.AlignmentFlag.AlignRight, text)
        if self.heading:
            for row, parts in enumerate(self._heading_rows()):
                for left, text, colour in parts:
                    line = QRectF(left, row * metrics.height(), self.width() - left, metrics.height())
                    text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, int(line.width()))
                    painter.setPen(colour)
                    painter.drawText(line, Qt.AlignmentFlag.AlignLeft, text)
        elif self.names[1]:
            self._paint_side_name(painter, 0.0)

    def _paint_side_name(self, painter: QPainter, top: float) -> None:
        """The name of the vertical axis above it."""
        metrics = painter.fontMetrics()
        text = metrics.elidedText(self.names[1], Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(QRectF(0, top, self.width(), metrics.height()), Qt.AlignmentFlag.AlignLeft, text)

    def _paint_uprights(self, painter: QPainter, geometry: Geometry) -> None:
        """Vertical lines; their words above the chart or at its top, in rows that keep them apart."""
        painter.setFont(look.font(0.92, tabular=True))
        metrics = painter.fontMetrics()
        rect, pad = geometry.rect, look.px(4)
        seen = [(geometry.x(one.x), one) for one in sorted(self._uprights, key=lambda one: one.x)]
        seen = [(x, one) for x, one in seen if rect.left() - 0.5 <= x <= rect.right() + 0.5]
        for place, upright in seen:
            pen = QPen(QColor(upright.colour), look.px(1.6))
            if upright.dashed:
                pen.setDashPattern([3, 3])
            painter.setPen(pen)
            painter.drawLine(QPointF(place, rect.top()), QPointF(place, rect.bottom()))
        line = metrics.height() + pad / 2
        top = rect.top() if self.heading else max(rect.top() - line, 0)
        most = max(1, int((0.6 * rect.bottom() - top) / line))
        rows: list[list[tuple[float, float]]] = [[]]
        if self.names[1] and not self.heading:
            rows[0].append((0, metrics.horizontalAdvance(self.names[1]) + pad))
        for place, upright in seen:
            if not upright.text:
                continue
            text = metrics.elidedText(upright.text, Qt.TextElideMode.ElideRight, int(rect.width() * 0.7))
            width = metrics.horizontalAdvance(text) + 2 * pad
            left = place - pad if place - pad + width <= self.width() else place + pad - width
            left = max(left, 0.0)
            fits = (i for i, taken in enumerate(rows) if all(left > b or left + width < a for a, b in taken))
            row = next(fits, len(rows))
            if row >= most:
                continue
            if row == len(rows):
                rows.append([])
            rows[row].append((left, left + width))
            shift = 1.5 * pad if row and left < place < left + width else 0.0
            box = QRectF(left + shift, top + row * line, width, metrics.height())
            if box.bottom() > rect.top():
                self._taken.append(box)
                painter.fillRect(box, with_alpha(look.colour("surface"), 0.85))
            painter.setPen(QColor(upright.colour))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_cross(self, painter: QPainter, geometry: Geometry) -> None:
        if math.isnan(self._cross) or self.readout is None:
            return
        x, readings = self.readout(self._cross)
        if not readings or not math.isfinite(x):
            return
        rect = geometry.rect
        place = geometry.x(x)
        painter.setPen(QPen(look.colour("quiet"), look.px(1)))
        painter.drawLine(QPointF(place, rect.top()), QPointF(place, rect.bottom()))
        radius = look.px(4)
        for reading in readings:
            if reading.y is not None and math.isfinite(y := geometry.y(reading.y, reading.side)):
                painter.setPen(QPen(look.colour("surface"), look.px(1.5)))
                painter.setBrush(reading.colour)
                painter.drawEllipse(QPointF(place, y), radius, radius)
        _paint_card(painter, rect, place, readings)


def _paint_card(painter: QPainter, rect: QRectF, place: float, readings: Sequence[Reading]) -> None:
    """The crosshair's numbers in a small box beside it, kept inside."""
    painter.setFont(look.font(0.95, tabular=True))
    metrics = painter.fontMetrics()
    pad = look.px(7)
    width = max(metrics.horizontalAdvance(reading.text) for reading in readings) + 2 * pad
    height = metrics.height() * len(readings) + 1.4 * pad
    left = place + 2 * pad if place + 2 * pad + width <= rect.right() else place - 2 * pad - width
    left = min(max(left, rect.left()), max(rect.right() - width, 0))
    box = QRectF(left, rect.top() + pad / 2, width, height)
    painter.setPen(QPen(look.colour("line"), 1))
    painter.setBrush(look.colour("surface"))
    painter.drawRoundedRect(box, pad * 0.7, pad * 0.7)
    for row, reading in enumerate(readings):
        painter.setPen(reading.colour)
        line = QRectF(left + pad, box.top() + 0.7 * pad + row * metrics.height(), width, metrics.height())
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, reading.text)


def coloured(text: str, colour: QColor) -> str:
    """Rich text for a label: ``text`` in ``colour``."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f'<span style="color:{colour.name()}">{safe}</span>'
