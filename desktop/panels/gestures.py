"""What the mouse does on a picture of points: look, pin, select, carry a centre, paint, move the view."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QObject, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPen, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QWidget

from desktop.panels import marks
from desktop.panels.cards import Cards
from desktop.panels.colours import with_alpha
from desktop.panels.paint import Painter
from desktop.panels.picture import Picture
from desktop.panels.scene import Scene
from desktop.panels.view import View
from desktop.selection import Selection
from desktop.style.tokens import look
from engine.api import Markers

HOVER_MS = 33


class Gestures(QObject):
    """One at a time. ``kind``: "", "wait" (a button is down), "lasso", "box", "pan", "mark" or "paint"."""

    act = Signal(str, tuple)

    def __init__(
        self,
        selection: Selection,
        scene: Scene,
        view: View,
        picture: Picture,
        cards: Cards,
        brush: Painter,
        widget: QWidget,
    ) -> None:
        super().__init__(widget)
        self._selection, self._scene, self._view = selection, scene, view
        self._picture, self._cards, self._brush, self._widget = picture, cards, brush, widget
        self.kind = ""
        self.mouse: QPointF | None = None
        self._pressed: QPointF | None = None
        self._track: list[QPointF] = []
        self._sent_at: tuple[float, float] | None = None
        self._moved = False
        self._hovered_at: QPointF | None = None
        self._hover_timer = QTimer(self, singleShot=True, interval=HOVER_MS)
        self._hover_timer.timeout.connect(self._on_hover_time)
        self._move_timer = QTimer(self, singleShot=True, interval=HOVER_MS)
        self._move_timer.timeout.connect(self._send_move)

    def _begin(self, kind: str) -> None:
        self.kind = kind
        self._view.steady = kind == "paint"

    def forget(self) -> None:
        """Another run: nothing is in hand."""
        self._begin("")
        self._track = []
        self._scene.drop()

    def hold_brush(self, on: bool) -> None:
        """The mouse paints, or does what it otherwise does."""
        if self.kind == "paint":
            self._begin("")
        self._selection.set_hover(-1)
        self._widget.setCursor(Qt.CursorShape.CrossCursor if on else Qt.CursorShape.ArrowCursor)
        self._widget.update()

    # ── the button goes down ──

    def press(self, event: QMouseEvent) -> None:
        at, button = event.position(), event.button()
        if self._scene.points is None or self.kind:
            return
        self._pressed, self._moved, self._track = at, False, [at]
        with_ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if button in (Qt.MouseButton.MiddleButton, Qt.MouseButton.RightButton) or with_ctrl:
            self._begin("pan")
        elif button == Qt.MouseButton.LeftButton and self._brush.on:
            if self._brush.ready and self._view.plane.rect.contains(at):
                self._begin("paint")
                self._brush.press(self._view.plane.to_data(at.x(), at.y()), self._view.plane.scale)
        elif button == Qt.MouseButton.LeftButton:
            self._scene.held = self.mark_at(at)
            if self._scene.held[0] >= 0:
                self._begin("mark")
                self._scene.halt()
                self._picture.stale = True
                self._widget.setCursor(Qt.CursorShape.ClosedHandCursor)
            else:
                self._begin("wait")
        self._widget.update()

    def mark_at(self, at: QPointF) -> tuple[int, int]:
        """(layer, index) of the movable centre under the mouse, or (-1, -1)."""
        best, found = math.inf, (-1, -1)
        for i, layer in enumerate(self._scene.layers(Markers)):
            if layer.movable and len(layer.xy):
                radius = marks.marker_radius(self._view.plane, len(layer.xy))
                within = max(radius + look.px(3), 12.0)
                away = self._view.plane.to_pixels(self._scene.marks_xy(i)) - (at.x(), at.y())
                distance = np.nan_to_num(np.hypot(away[:, 0], away[:, 1]), nan=np.inf)
                if distance.min() <= min(best, within):
                    best, found = float(distance.min()), (i, int(distance.argmin()))
        return found

    def press_twice(self, event: QMouseEvent) -> None:
        """Place a centre, or show everything again."""
        at = event.position()
        if self._brush.on:  # a second dab, soon after the first
            self.press(event)
            return
        if event.button() != Qt.MouseButton.LeftButton or self._scene.points is None:
            return
        if any(layer.movable for layer in self._scene.layers(Markers)):
            if self.mark_at(at)[0] < 0 and self._view.plane.rect.contains(at):
                self.act.emit("place", self._view.plane.to_data(at.x(), at.y()))
        elif self._picture.point_at(at) < 0:
            self._view.fit()

    # ── the mouse moves ──

    def move(self, event: QMouseEvent) -> None:
        at = event.position()
        self.mouse = at
        if self.kind == "wait" and (at - self._track[0]).manhattanLength() > 5:
            self._begin("box" if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else "lasso")
            self._selection.set_hover(-1)
        if self.kind in ("lasso", "box"):
            self._track.append(at)
            self._widget.update()
        elif self.kind == "pan" and self._pressed is not None:
            step, self._pressed = at - self._pressed, at
            if not step.isNull():
                self._moved = True
                self._view.pan(step.x(), step.y())
        elif self.kind == "mark":
            self._moved = True
            self._scene.held_at = self._view.plane.to_data(at.x(), at.y())
            if not self._move_timer.isActive():
                self._send_move()
            self._widget.update()
        elif self._brush.on:
            if self.kind == "paint":
                self._stroke_to(at)
            self._widget.update()
        elif not self.kind and not self._hover_timer.isActive():
            self._hover()

    def _stroke_to(self, at: QPointF) -> None:
        plane = self._view.plane
        self._brush.move(plane.to_data(*plane.in_sight(at)))

    def _hover(self) -> None:
        """Tell everybody which point is under the mouse, at most 30 times a second."""
        self._hover_timer.start()
        if self.mouse is None or self.kind:
            return
        on_mark = self.mark_at(self.mouse)[0] >= 0
        item = -1 if on_mark else self._picture.point_at(self.mouse)
        self._selection.set_hover(item)
        self._cards.want(item)
        shape = Qt.CursorShape.OpenHandCursor if on_mark else Qt.CursorShape.ArrowCursor
        if self._widget.cursor().shape() != shape:
            self._widget.setCursor(shape)
        self._hovered_at = self.mouse

    def _on_hover_time(self) -> None:
        elsewhere = self._brush.on or self._cards.near.over
        if self.mouse is not None and self.mouse != self._hovered_at and not elsewhere:
            self._hover()

    def _send_move(self) -> None:
        """The held centre is here now; at most 30 times a second."""
        at = self._scene.held_at
        if at is not None and self.kind == "mark" and at != self._sent_at:
            self._sent_at = at
            self._move_timer.start()
            self.act.emit("move", (self._scene.held[1], *at))

    def leave(self) -> None:
        self.mouse = None
        self._hover_timer.stop()
        self._selection.set_hover(-1)
        self._widget.update()

    def turn(self, event: QWheelEvent) -> None:
        """The wheel zooms."""
        turned = event.angleDelta().y()
        if self._scene.points is None or turned == 0:
            event.ignore()
            return
        at = event.position()
        self._view.zoom(at.x(), at.y(), 1.0015 ** max(-480, min(480, turned)))
        event.accept()

    # ── the button goes up ──

    def release(self, event: QMouseEvent) -> None:
        kind, at = self.kind, event.position()
        if kind == "paint":
            self._stroke_to(at)
            self._brush.release()
        elif kind == "mark":
            self._move_timer.stop()
            if self._moved:
                self._scene.held_at = self._view.plane.to_data(at.x(), at.y())
                self.act.emit("move", (self._scene.held[1], *self._scene.held_at))
            self._sent_at = None
            self._widget.setCursor(Qt.CursorShape.OpenHandCursor)
        elif kind in ("lasso", "box"):
            self._track.append(at)
            chosen = self._picture.enclosed(self._outline())
            self._begin("")
            self._selection.select(chosen)
        elif kind == "wait":
            item = self._picture.point_at(at)
            if item >= 0:
                self._cards.pin(item)
            elif self._selection.pin >= 0:
                self._selection.set_pin(-1)
        self._begin("")
        self._pressed, self._track = None, []
        self._widget.update()

    @property
    def stood_still(self) -> bool:
        """The view is in hand, and has not been moved."""
        return self.kind == "pan" and not self._moved

    def _outline(self) -> QPolygonF:
        """What the lasso or the box encloses."""
        if self.kind == "box":
            return QPolygonF(QRectF(self._track[0], self._track[-1]).normalized())
        return QPolygonF(self._track)

    def paint(self, painter: QPainter) -> None:
        """The brush, or what is being enclosed."""
        if self._brush.ready and self.mouse is not None:
            self._brush.paint_circle(painter, self.mouse)
        if self.kind not in ("lasso", "box") or len(self._track) < 2:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        accent = look.colour("accent")
        painter.setPen(QPen(accent, look.px(2), Qt.PenStyle.DashLine))
        painter.setBrush(with_alpha(accent, 0.10))
        painter.drawPolygon(self._outline())
