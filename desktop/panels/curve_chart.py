"""A chart with more in it than lines: bars, kernels, darts, flags, and knobs that a hand moves."""

from __future__ import annotations

import math
from typing import Any

from PySide6.QtCore import QEvent, QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QHideEvent, QKeyEvent, QMouseEvent, QPainter, QWheelEvent
from PySide6.QtWidgets import QWidget

from desktop.panels import extras, flags
from desktop.panels.extras import Extras
from desktop.panels.flags import Flag
from desktop.panels.handles import NUDGES, Handles
from desktop.panels.plotting import Chart
from desktop.panels.scales import title_font
from desktop.panels.strokes import Geometry, paint_area
from desktop.style.tokens import look


class CurveChart(Chart):
    """``extras`` stand with the lines; ``handles`` are its knobs."""

    tapped = Signal(float, float)
    """A plain click there."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self.extras = Extras()
        self.takes_clicks = False
        self._rows = 0  # of marks' names above the chart
        self._words: object = None  # that there is room for
        super().__init__(parent=parent)
        self.handles = Handles(self)

    # ── what the owner says ──

    def let_go(self) -> None:
        """A new run: nothing is in hand."""
        self.handles.let_go()
        self.viewport().unsetCursor()

    def lay_out(self) -> None:
        """Make room for all words."""
        geometry = self.geometry_now()
        placed = self._flags(geometry)
        rows = max((row + 1 for row, _box, _one in placed), default=0)
        if self.names[1] and not self.heading:
            rows = max(rows, flags.free_row(placed, geometry, self.names[1]) + 1)
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

    def _flags(self, geometry: Geometry) -> list[Flag]:
        return flags.placed(self._uprights, geometry, QSizeF(self.size()), len(self._heading_rows()))

    def mark_boxes(self) -> list[QRectF]:
        """Where the marks' names stand."""
        return [box for _row, box, _one in self._flags(self.geometry_now())]

    def _head_room(self) -> float:
        named = bool(self.names[1]) and not self.heading
        rows = max(self._rows if any(one.text for one in self._uprights) else 0, int(named))
        if not (self.heading or rows > 1):
            return super()._head_room()
        heading = len(self._heading_rows()) * title_font(0.92).height()
        return heading + rows * flags.row_high() + title_font(0.92).height() * 0.4

    def _paint_uprights(self, painter: QPainter, geometry: Geometry) -> None:
        flags.paint(painter, geometry, self._uprights, self._flags(geometry))

    def _paint_side_name(self, painter: QPainter, top: float) -> None:
        if self._rows > 1:
            geometry = self.geometry_now()
            row = flags.free_row(self._flags(geometry), geometry, self.names[1])
            top = flags.row_top(geometry, row)
        super()._paint_side_name(painter, top)

    # ── under and over the lines ──

    def _ends(self) -> list[tuple[str, QColor, float, int]]:
        bars = []
        if self.extras.bars and len(self.extras.heights):
            bars = [(self.extras.bars, look.colour("quiet"), float(self.extras.heights[-1]), 0)]
        return super()._ends() + bars

    def _paint_under(self, painter: QPainter, geometry: Geometry) -> None:
        extras.paint_bars(
            painter, geometry, self.extras, plain=not any(len(stroke.x) for stroke in self.strokes)
        )
        for stroke in self.strokes:
            if stroke.filled:
                paint_area(painter, geometry, stroke)
        colour = self.strokes[0].colour if self.strokes else QColor(look.curves[0])
        extras.paint_quiet(painter, geometry, self.extras, colour)

    def _paint_over(self, painter: QPainter, geometry: Geometry) -> None:
        extras.paint_segments(painter, geometry, self.extras)
        extras.paint_rug(painter, geometry, self.extras)
        extras.paint_dots(painter, geometry, self.extras)

    def _paint_front(self, painter: QPainter, geometry: Geometry) -> None:
        self.handles.paint(painter, geometry)

    # ── the mouse ──

    def _on_clicked(self, event: Any) -> None:
        super()._on_clicked(event)
        place = event.scenePos()
        if (
            self.takes_clicks and not event.double() and event.button() == Qt.MouseButton.LeftButton
            and self.plot_rect.contains(place)
        ):  # fmt: skip
            self.tapped.emit(*self.geometry_now().value(place))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        handles = self.handles
        handles.focused = -1
        left = event.button() == Qt.MouseButton.LeftButton
        if handles.held < 0 and left and handles.take(event.position()):
            self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)
            self.pointed.emit(math.nan)
            self.viewport().update()
        elif handles.held < 0:
            super().mousePressEvent(event)
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.handles.at(event.position()) >= 0:
            self.mousePressEvent(event)
        else:
            super().mouseDoubleClickEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if self.handles.held >= 0:
            self.handles.drag(at)
            event.accept()
            return
        super().mouseMoveEvent(event)
        hot = self.handles.at(at) if not event.buttons() else -1
        if hot != self.handles.hot:
            self.handles.hot = hot
            self.viewport().update()
        if hot >= 0:
            self.pointed.emit(math.nan)
        self._point_cursor(at)

    def _point_cursor(self, at: QPointF) -> None:
        shape = Qt.CursorShape.ArrowCursor
        if self.handles.hot >= 0:
            shape = Qt.CursorShape.OpenHandCursor
        elif self.takes_clicks and self.plot_rect.contains(at):
            shape = Qt.CursorShape.CrossCursor
        if self.viewport().cursor().shape() != shape:
            self.viewport().setCursor(shape)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.handles.held < 0:
            super().mouseReleaseEvent(event)
        elif event.button() == Qt.MouseButton.LeftButton:
            self.handles.release(event.position())
            self._point_cursor(event.position())
            self.viewport().update()
            event.accept()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.handles.held >= 0:
            event.accept()
        else:
            super().wheelEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        if self.handles.hot >= 0 and self.handles.held < 0:
            self.handles.hot = -1
            self.viewport().update()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.let_go()

    # ── the keyboard ──

    def focusNextPrevChild(self, forwards: bool) -> bool:
        """Tab goes from knob to knob before it leaves the chart."""
        found = self.handles.focus_next(forwards)
        self.viewport().update()
        done: bool = found or super().focusNextPrevChild(forwards)
        return done

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        ends = {Qt.FocusReason.TabFocusReason: 0, Qt.FocusReason.BacktabFocusReason: -1}
        if self.handles.knobs and event.reason() in ends:
            self.handles.focused = self.handles.knobs[ends[event.reason()]].index
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.handles.focused = -1
        self.viewport().update()

    def event(self, event: QEvent) -> bool:
        """Arrow keys belong to the knob that the keyboard has been brought to, not to the transport."""
        asked = event.type() == QEvent.Type.ShortcutOverride  # the others come before there are handles
        if asked and isinstance(event, QKeyEvent) and self.handles.focused >= 0:
            plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
            if plain and (event.key() in NUDGES or event.key() == Qt.Key.Key_Escape):
                event.accept()
                return True
        done: bool = super().event(event)
        return done

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.handles.press(event.key()):
            self.viewport().update()
        else:
            super().keyPressEvent(event)
