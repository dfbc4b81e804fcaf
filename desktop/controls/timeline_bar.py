"""The timeline: where the pictures stand between the first step and the newest, and what was changed when."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from desktop.language import _, language, number, tr
from desktop.style.tokens import look

SEEK_EVERY_MS = 16
SAME_DRAG = 2
"""Steps between two turns of one knob that are still one gesture."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something a person did, effective from ``step`` on."""

    step: int
    text: str
    key: str = ""


class TimelineBar(QWidget):
    """A track from the first to the newest step. Drag to go back; the chip at its end returns to now."""

    sought = Signal(int)
    went_live = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._first, self._last, self._shown, self._live = 0, 0, 0, True
        self._marks: list[Mark] = []
        self._keyframes: list[int] = []
        self._caption = ""
        self._beat = 0
        self._dragging = False
        self._asked: int | None = None
        self._pointer: float | None = None
        self._chip = QRectF()
        self._timer = QTimer(self, singleShot=True, interval=SEEK_EVERY_MS)
        self._timer.timeout.connect(self._on_tick)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        look.changed.connect(self._on_look)
        language.changed.connect(self._on_language)
        self._on_language()

    # ── from outside ────────────────────────────────────────────────────────────────────────────────────────

    def set_span(self, first: int, last: int) -> None:
        """The first step and the newest one."""
        if (first, last) != (self._first, self._last):
            self._first, self._last = first, max(first, last)
            if self._live and not self._dragging:
                self._shown = self._last
            self.update()

    def set_shown(self, step: int, live: bool) -> None:
        """The pictures show ``step``; live: that is the newest one."""
        if not self._dragging and (step, live) != (self._shown, self._live):
            self._shown, self._live = step, live
            self._describe()
            self.update()

    def set_keyframes(self, steps: list[int]) -> None:
        """Where whole pictures are kept."""
        self._keyframes = list(steps)
        self.update()

    def add_mark(self, step: int, text: str, key: str = "") -> None:
        """Something was changed at ``step``. key: what; another change of it within a step or two (one drag)
        takes the place of the last mark.
        """
        last = self._marks[-1] if self._marks else None
        if key and last is not None and last.key == key and 0 <= step - last.step <= SAME_DRAG:
            self._marks.pop()
        self._marks.append(Mark(step, text, key))
        self._marks.sort(key=lambda mark: mark.step)
        self.update()

    def set_caption(self, text: str) -> None:
        """The named moment of slow motion, large and numbered; "" hides it and starts counting afresh."""
        if text == self._caption:
            return
        was = bool(self._caption)
        self._caption = text
        self._beat = self._beat + 1 if text else 0
        if was != bool(text):
            self.updateGeometry()
        self.update()

    def clear(self) -> None:
        """A new run: no steps, no marks."""
        self._timer.stop()
        self._first = self._last = self._shown = 0
        self._live, self._dragging, self._asked = True, False, None
        self._marks, self._keyframes = [], []
        self.set_caption("")
        self._describe()
        self.update()

    @property
    def marks(self) -> tuple[Mark, ...]:
        return tuple(self._marks)

    # ── geometry ────────────────────────────────────────────────────────────────────────────────────────────

    def _on_look(self) -> None:
        self.setFont(look.font(0.92))
        self.updateGeometry()
        self.update()

    def _on_language(self) -> None:
        self.setFont(look.font(0.92))
        self.setAccessibleName(tr(_("Timeline")))
        self._describe()
        self.update()

    def _describe(self) -> None:
        self.setAccessibleDescription(
            tr(_("step {step} of {last}", step=number(self._shown), last=number(self._last)))
        )

    def _caption_height(self) -> int:
        return (
            math.ceil(QFontMetricsF(look.font(1.3, bold=True)).height()) + look.px(6) if self._caption else 0
        )

    def sizeHint(self) -> QSize:
        words = math.ceil(QFontMetricsF(look.font(0.92)).height())
        return QSize(look.px(300), max(words, self._caption_height()) + look.px(27))

    def minimumSizeHint(self) -> QSize:
        return QSize(look.px(140), self.sizeHint().height())

    def _track(self) -> tuple[float, float, float]:
        """Left end, right end, and height of the middle of the track."""
        radius = look.px(8)
        right = self.width() - radius - 1.0
        if not self._live:
            right -= self._chip_width() + look.px(8)
        return radius + 1.0, max(right, radius + 2.0), self.height() - look.px(14)

    def _chip_width(self) -> float:
        return QFontMetricsF(look.font(0.92, bold=True)).horizontalAdvance(tr(_("live"))) + look.px(18)

    def _x(self, step: float) -> float:
        left, right, _middle = self._track()
        span = self._last - self._first
        return right if span <= 0 else left + (right - left) * min(max((step - self._first) / span, 0.0), 1.0)

    def _step(self, x: float) -> int:
        left, right, _middle = self._track()
        share = min(max((x - left) / max(right - left, 1.0), 0.0), 1.0)
        return self._first + round(share * (self._last - self._first))

    # ── painting ────────────────────────────────────────────────────────────────────────────────────────────

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            if self._caption:
                self._paint_caption(painter)
            self._paint_track(painter)
            self._paint_marks(painter)
            self._paint_handle(painter)

    def _paint_track(self, painter: QPainter) -> None:
        c = look.colours
        left, right, middle = self._track()
        thick, x = look.px(4), self._x(self._shown)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(c.line))
        painter.drawRoundedRect(QRectF(left, middle - thick / 2, right - left, thick), thick / 2, thick / 2)
        if self._last > self._first:
            painter.setBrush(QColor(c.accent))
            painter.drawRoundedRect(QRectF(left, middle - thick / 2, x - left, thick), thick / 2, thick / 2)
        painter.setBrush(QColor(c.faded))
        dot, nearest, apart = look.px(2) / 2 + 0.4, -1e9, look.px(5)
        per_step = (right - left) / max(self._last - self._first, 1)
        for step in self._keyframes:  # hundreds, painted at every new step: no call of _x for each
            at = min(left + per_step * max(step - self._first, 0), right)
            if at - nearest >= apart:
                painter.drawEllipse(QPointF(at, middle + look.px(9)), dot, dot)
                nearest = at

    def _paint_marks(self, painter: QPainter) -> None:
        """Every mark as a tick; labels where they don't meet, newest first."""
        c = look.colours
        _left, _right, middle = self._track()
        font = look.font(0.92)
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        by_step: dict[int, list[str]] = {}
        for mark in self._marks:
            by_step.setdefault(mark.step, []).append(tr(mark.text))
        wide = look.px(2)
        for step in by_step:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(c.flag))
            painter.drawRoundedRect(
                QRectF(self._x(step) - wide / 2, middle - look.px(9), wide, look.px(18)), 1, 1
            )
        if self._caption:
            return  # its line is taken; the marks still speak on hover
        hovered = self._marks_at(self._pointer) if self._pointer is not None else []
        order = sorted(by_step, key=lambda step: (step in hovered, step), reverse=True)
        taken: list[tuple[float, float]] = []
        base = middle - look.px(13)
        for step in order:
            text = metrics.elidedText(", ".join(by_step[step]), Qt.TextElideMode.ElideRight, look.px(150))
            width = metrics.horizontalAdvance(text)
            start = min(max(self._x(step) - width / 2, 0.0), self.width() - width)
            if any(start < end + look.px(8) and begin < start + width + look.px(8) for begin, end in taken):
                continue
            taken.append((start, start + width))
            painter.setPen(QColor(c.text if step in hovered else c.quiet))
            painter.drawText(QPointF(start, base - metrics.descent() + 1), text)

    def _paint_handle(self, painter: QPainter) -> None:
        c = look.colours
        _left, right, middle = self._track()
        x, radius = self._x(self._shown), look.px(7)
        if self.hasFocus():
            halo = QColor(c.accent)
            halo.setAlphaF(0.28)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(halo)
            painter.drawEllipse(QPointF(x, middle), radius + look.px(3), radius + look.px(3))
        painter.setPen(QPen(QColor(c.accent if self._last > self._first else c.faded), look.px(2)))
        painter.setBrush(QColor(c.accent if self._dragging else c.surface))
        painter.drawEllipse(QPointF(x, middle), radius, radius)
        self._chip = QRectF()
        if not self._live:
            font = look.font(0.92, bold=True)
            high = QFontMetricsF(font).height() + look.px(4)
            self._chip = QRectF(
                right + look.px(8) + look.px(7), middle - high / 2, self._chip_width() - look.px(7), high
            )
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(c.accent))
            painter.drawRoundedRect(self._chip, high / 2, high / 2)
            painter.setFont(font)
            painter.setPen(QColor(c.on_accent))
            painter.drawText(self._chip, Qt.AlignmentFlag.AlignCenter, tr(_("live")))

    def _paint_caption(self, painter: QPainter) -> None:
        c = look.colours
        font = look.font(1.3, bold=True)
        metrics = QFontMetricsF(font)
        high = float(self._caption_height())
        digit = str(self._beat)
        room = QRectF(0, 0, self.width(), high)
        side = high - look.px(4)
        text = metrics.elidedText(
            tr(self._caption), Qt.TextElideMode.ElideRight, room.width() - side - look.px(24)
        )
        width = metrics.horizontalAdvance(text) + side + look.px(24)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(c.raised))
        painter.drawRoundedRect(QRectF(0, 0, min(width, room.width()), high), high / 2, high / 2)
        ball = QRectF(look.px(2), look.px(2), side, side)
        painter.setBrush(QColor(c.accent))
        painter.drawEllipse(ball)
        painter.setFont(look.font(1.05, bold=True))
        painter.setPen(QColor(c.on_accent))
        painter.drawText(ball, Qt.AlignmentFlag.AlignCenter, digit)
        painter.setFont(font)
        painter.setPen(QColor(c.text))
        painter.drawText(room.adjusted(side + look.px(11), 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, text)

    # ── hand and keys ───────────────────────────────────────────────────────────────────────────────────────

    def _marks_at(self, x: float) -> list[int]:
        reach = look.px(6)
        return [mark.step for mark in self._marks if abs(self._x(mark.step) - x) <= reach]

    def _seek(self, step: int) -> None:
        step = min(max(step, self._first), self._last)
        self._shown = step
        self.update()
        self._asked = step
        if not self._timer.isActive():
            self._on_tick()

    def _on_tick(self) -> None:
        if self._asked is not None:
            step, self._asked = self._asked, None
            self.sought.emit(step)
            self._timer.start()

    def _flush(self) -> None:
        self._timer.stop()
        if self._asked is not None:
            step, self._asked = self._asked, None
            self.sought.emit(step)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self._last <= self._first:
            return
        if self._chip.contains(event.position()):
            self.went_live.emit()
            return
        self._dragging = True
        self._seek(self._step(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer = event.position().x()
        if self._dragging:
            self._seek(self._step(event.position().x()))
        elif self._marks:
            self.update()
        self.setCursor(
            Qt.CursorShape.PointingHandCursor
            if self._chip.contains(event.position())
            else Qt.CursorShape.ArrowCursor
        )

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._dragging:
            self._dragging = False
            self._flush()
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._pointer = None
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        page = max(1, (self._last - self._first) // 20)
        by = {
            Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_PageUp: page, Qt.Key.Key_PageDown: -page,
            Qt.Key.Key_Home: self._first - self._last,
        }.get(Qt.Key(event.key()))  # fmt: skip
        if event.key() == Qt.Key.Key_End:
            self.went_live.emit()
        elif by is None or self._last <= self._first:
            super().keyPressEvent(event)
        else:
            self._seek(self._shown + by)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            steps = set(self._marks_at(event.pos().x()))
            lines = [
                tr(_("step {step}", step=number(mark.step))) + ": " + tr(mark.text)
                for mark in self._marks
                if mark.step in steps
            ]
            words = tr(_("Drag to look back; End returns to now")) if self._last > self._first else ""
            QToolTip.showText(event.globalPos(), "\n".join(lines) or words, self)
            return True
        return super().event(event)
