"""The knobs of a curve: where they are seen, how they look, what a hand or the arrow keys do with them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPen

from desktop.panels.colours import with_alpha
from desktop.panels.flags import row_high
from desktop.panels.plotting import Chart
from desktop.panels.scales import title_font
from desktop.panels.strokes import Geometry
from desktop.style.tokens import look

SEND_MS = 33
"""A held knob tells where it is at most every so many milliseconds."""
SETTLE_MS = 250
"""So long after it has been let go a knob stays there, whatever pictures of earlier moments say."""
NUDGE = 0.01
"""How far an arrow key moves a knob, in parts of what is seen."""
NUDGES = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, 1),
    Qt.Key.Key_Down: (0, -1),
}


@dataclass(frozen=True, slots=True)
class Knob:
    """A handle as it is drawn. index: in the payload. x in the view's units."""

    index: int
    x: float
    y: float
    text: str
    colour: QColor


class Handles(QObject):
    """The ``knobs`` on a chart. held, hot (under the mouse), focused (the arrow keys move it): the payload's
    index of a knob, or -1.
    """

    dragged = Signal(int, float, float)
    """A knob is here now: its index, x in the view's units, y."""

    def __init__(self, chart: Chart) -> None:
        super().__init__(chart)
        self._chart = chart
        self.knobs: list[Knob] = []
        self.held = self.hot = self.focused = -1
        self._offset = QPointF()  # from the mouse to the middle of the knob in hand
        self._moved = False
        self._own: dict[int, tuple[float, float]] = {}  # where the hand has put knobs, not the engine
        self._sending = -1
        self._sent: tuple[float, float] | None = None
        self._late = False  # a picture has come since the knob was let go
        self._send_timer = QTimer(self, singleShot=True, interval=SEND_MS)
        self._send_timer.timeout.connect(self._send)
        self._settle_timer = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._settle_timer.timeout.connect(self._settle)

    # ── what the owner says ──

    def show(self, knobs: list[Knob], *, fresh: bool) -> None:
        """The knobs as a picture has them; fresh: it has just come."""
        self.knobs = knobs
        known = {knob.index for knob in knobs}
        self.held, self.focused, self.hot = (
            index if index in known else -1 for index in (self.held, self.focused, self.hot)
        )
        if not self._settle_timer.isActive() and fresh:
            self._keep_held()
        self._late |= fresh
        self._own = {index: at for index, at in self._own.items() if index in known}

    def let_go(self) -> None:
        """A new run: nothing is in hand."""
        self._send_timer.stop()
        self._settle_timer.stop()
        self.held = self.hot = self.focused = -1
        self._own.clear()

    # ── where they are ──

    def place(self, knob: Knob, geometry: Geometry) -> QPointF:
        """Where a knob is seen: where the hand has put it, else where the picture has it."""
        x, y = self._own.get(knob.index, (knob.x, knob.y))
        height = geometry.y(y, 0)
        return QPointF(geometry.x(x), height if math.isfinite(height) else geometry.rect.bottom())

    def _knob(self, index: int) -> Knob | None:
        return next((knob for knob in self.knobs if knob.index == index), None)

    def at(self, at: QPointF) -> int:
        """The knob under the mouse, or -1."""
        best, found = max(_radius() + look.px(3), 12.0), -1
        geometry = self._chart.geometry_now()
        for knob in self.knobs:
            away = self.place(knob, geometry) - at
            if (distance := math.hypot(away.x(), away.y())) <= best:
                best, found = distance, knob.index
        return found

    # ── how they look ──

    def paint(self, painter: QPainter, geometry: Geometry) -> None:
        """Each with its name where there is room beside it."""
        if not self.knobs:
            return
        radius, surface = _radius(), look.colour("surface")
        places = [self.place(knob, geometry) for knob in self.knobs]
        area = geometry.rect.adjusted(-radius, -radius, radius, radius)
        painter.setFont(look.font(0.92, bold=True))
        for knob, box in self.names(geometry, places):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(with_alpha(surface, 0.8))
            painter.drawRoundedRect(box, look.px(3), look.px(3))
            painter.setPen(knob.colour)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, knob.text)
        for knob, at in zip(self.knobs, places, strict=True):
            if not area.contains(at):
                continue
            strong = knob.index in (self.held, self.hot)
            size = radius * (1.2 if strong else 1.0)
            if knob.index == self.focused and self._chart.hasFocus():
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(look.colour("accent"), look.px(2)))
                painter.drawEllipse(at, size + look.px(4), size + look.px(4))
            painter.setPen(QPen(surface, look.px(2)))
            painter.setBrush(knob.colour)
            painter.drawEllipse(at, size, size)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(surface)
            painter.drawEllipse(at, size * 0.36, size * 0.36)

    def names(self, geometry: Geometry, places: Sequence[QPointF]) -> list[tuple[Knob, QRectF]]:
        """Beside its knob, above if possible, where the name touches nothing else and hides no line."""
        font, pad, radius = title_font(0.92), look.px(4), _radius() * 1.2
        area = geometry.rect.adjusted(-radius, -row_high(), radius, radius)
        lines = [(geometry.xs(one.x), geometry.ys(one.y, one.side)) for one in self._chart.strokes]

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
            spare = boxes[1] if boxes[1].right() <= self._chart.width() else boxes[2]
            box = min(free, key=hides, default=spare)
            taken.append(box)
            named.append((knob, box))
        return named

    # ── the hand ──

    def take(self, at: QPointF) -> bool:
        """Whether there is a knob under the mouse to be dragged from now on."""
        knob = self._knob(self.at(at))
        if knob is None:
            return False
        self.held, self._moved, self._sent = knob.index, False, None
        self._offset = self.place(knob, self._chart.geometry_now()) - at
        return True

    def drag(self, at: QPointF) -> None:
        """The mouse has brought the held one there."""
        self._moved = True
        self._put(self.held, at + self._offset)

    def release(self, at: QPointF) -> None:
        """The held one stays there."""
        index, self.held = self.held, -1
        self.hot = index
        if self._moved:
            self._put(index, at + self._offset, last=True)
        else:  # taken by a click: the arrow keys move it now
            self.focused = index

    def _put(self, index: int, at: QPointF, *, last: bool = False) -> None:
        """The hand has moved a knob there, or as near as the plot goes."""
        rect = self._chart.plot_rect
        inside = QPointF(
            min(max(at.x(), rect.left()), rect.right()), min(max(at.y(), rect.top()), rect.bottom())
        )
        self._own[index] = self._chart.geometry_now().value(inside)
        self._sending = index
        if last:
            self._late, self._sent = False, None
            self._settle_timer.start()
            self._send()
            self._send_timer.stop()
        elif not self._send_timer.isActive():
            self._send()
        self._chart.viewport().update()

    def _send(self) -> None:
        at = self._own.get(self._sending)
        if at is not None and at != self._sent:
            self._sent = at
            self._send_timer.start()
            self.dragged.emit(self._sending, *at)

    def _settle(self) -> None:
        """From now on the pictures are right about where the knobs are."""
        if self._late:
            self._keep_held()
            self._chart.viewport().update()

    def _keep_held(self) -> None:
        """Only the knob in hand is where the hand has put it."""
        self._own = {index: at for index, at in self._own.items() if index == self.held}

    # ── the keyboard ──

    def focus_next(self, forwards: bool) -> bool:
        """Whether there is another knob to go to."""
        order = [knob.index for knob in self.knobs]
        place = order.index(self.focused) if self.focused in order else -1 if forwards else len(order)
        place += 1 if forwards else -1
        self.focused = order[place] if 0 <= place < len(order) else -1
        return self.focused >= 0

    def press(self, key: int) -> bool:
        """Move the focused one by an arrow key, or leave it by Esc; False where that is no matter of it."""
        knob = self._knob(self.focused)
        if knob is not None and key == Qt.Key.Key_Escape:
            self.focused = -1
            return True
        if knob is None or key not in NUDGES:
            return False
        rect, (right, up) = self._chart.plot_rect, NUDGES[Qt.Key(key)]
        step = QPointF(right * NUDGE * rect.width(), -up * NUDGE * rect.height())
        self._put(knob.index, self.place(knob, self._chart.geometry_now()) + step, last=True)
        return True


def _radius() -> float:
    return float(look.px(8))
