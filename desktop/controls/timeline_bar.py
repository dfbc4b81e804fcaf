"""The timeline: where the pictures stand between the first step and the newest, and what was changed when."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
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


@dataclass(frozen=True, slots=True)
class Mark:
    """Something a person did, effective from ``step`` on."""

    step: int
    text: str


class CaptionLine(QWidget):
    """One sentence: a named moment of slow motion, large and numbered, or (moment 0) quiet news.

    The timeline paints it above its track; where the track is short, it stands in a row of its own instead.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = ""
        self.moment = 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.hide()

    def say(self, text: str, moment: int) -> None:
        """Say this from now on."""
        self.text, self.moment = text, moment
        self.setAccessibleName(tr(text))
        self.updateGeometry()
        self.update()

    def _font(self) -> QFont:
        if not self.moment:
            return look.font(0.92)
        return look.font(1.1 if look.projector else 1.3, bold=True)

    def needed(self) -> QSize:
        """How large it has to be to say everything."""
        metrics = QFontMetricsF(self._font())
        width, height = metrics.horizontalAdvance(tr(self.text)), math.ceil(metrics.height())
        if not self.text:
            return QSize(0, 0)
        if not self.moment:
            return QSize(math.ceil(width) + look.px(2), height)
        height += look.px(6)
        return QSize(math.ceil(width) + height + look.px(24), height)

    def sizeHint(self) -> QSize:
        return self.needed()

    def minimumSizeHint(self) -> QSize:
        return QSize(look.px(60), self.needed().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self.draw(painter, QRectF(self.rect()))

    def draw(self, painter: QPainter, room: QRectF) -> None:
        """Paint it at the left of ``room``; what does not fit ends in “…”."""
        c, font = look.colours, self._font()
        metrics = QFontMetricsF(font)
        side = room.height() - look.px(4) if self.moment else 0.0
        ears = side + look.px(24) if self.moment else 0.0
        text = metrics.elidedText(tr(self.text), Qt.TextElideMode.ElideRight, room.width() - ears)
        if self.moment:
            pill = QRectF(room)
            pill.setWidth(min(metrics.horizontalAdvance(text) + ears, room.width()))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(c.raised))
            painter.drawRoundedRect(pill, room.height() / 2, room.height() / 2)
            ball = QRectF(room.left() + look.px(2), room.top() + look.px(2), side, side)
            painter.setBrush(QColor(c.accent))
            painter.drawEllipse(ball)
            painter.setFont(look.font(1.05, bold=True))
            painter.setPen(QColor(c.on_accent))
            painter.drawText(ball, Qt.AlignmentFlag.AlignCenter, str(self.moment))
        painter.setFont(font)
        painter.setPen(QColor(c.text if self.moment else c.quiet))
        start = side + look.px(11) if self.moment else 0.0
        painter.drawText(room.adjusted(start, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, text)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            cut = self.needed().width() > self.width()
            QToolTip.showText(event.globalPos(), tr(self.text) if cut else "", self)
            return True
        return super().event(event)


class TimelineBar(QWidget):
    """A track from the first to the newest step. Drag to go back; the chip at its end returns to now."""

    sought = Signal(int)
    went_live = Signal()
    held = Signal(bool)
    """The handle is in a hand, or let go."""
    said = Signal()
    """Its sentence is another one now, or gone."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._first, self._last, self._shown, self._live = 0, 0, 0, True
        self._marks: list[Mark] = []
        self._keyframes: list[int] = []
        self._caption = ""
        self._moments: list[str] = []
        self._news = ""
        self.line = CaptionLine(self)
        self._outside = self._low = False
        self._dragging = False
        self._asked: int | None = None
        self._told: tuple[int, bool] | None = None  # what has been shown meanwhile, while one drags
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
        if self._dragging:
            self._told = (step, live)
        elif (step, live) != (self._shown, self._live):
            self._shown, self._live = step, live
            self._describe()
            self.update()

    def set_keyframes(self, steps: list[int]) -> None:
        """Where whole pictures are kept."""
        self._keyframes = list(steps)
        self.update()

    def set_marks(self, marks: Iterable[tuple[int, str]]) -> None:
        """What was changed, and at which steps."""
        self._marks = sorted((Mark(*mark) for mark in marks), key=lambda mark: mark.step)
        self.update()

    def set_caption(self, text: str) -> None:
        """The named moment of slow motion, large and numbered; "" hides it and starts counting afresh.

        A moment that comes again at the next step has the same number again.
        """
        if text == self._caption and not (text and self._news):
            return
        self._caption = text
        if not text:
            self._moments = []
        else:
            self._news = ""
            if text not in self._moments:
                self._moments.append(text)
        self._say()

    def show_news(self, text: str) -> None:
        """Say this quietly where captions stand, until ``clear_news``, ``clear`` or the next caption."""
        if text != self._news:
            self._news = text
            self._say()

    def clear_news(self) -> None:
        """What has been announced is no longer what is seen."""
        self.show_news("")

    @property
    def news(self) -> str:
        return tr(self._news)

    def set_place(self, *, outside: bool, low: bool) -> None:
        """outside: somebody else shows ``line``, in a row of its own. low: the track alone, without words."""
        if (outside, low) != (self._outside, self._low):
            self._outside, self._low = outside, low
            self._say(aloud=False)

    def _say(self, aloud: bool = True) -> None:
        text = self._news or self._caption
        self.line.say(text, 0 if self._news or not text else self._moments.index(text) + 1)
        if aloud:
            self.said.emit()
        self.line.setVisible(self._outside and bool(text))
        self.updateGeometry()
        self.update()

    def clear(self) -> None:
        """A new run: no steps, no marks."""
        self._timer.stop()
        if self._dragging:
            self.held.emit(False)
        self._first = self._last = self._shown = 0
        self._live, self._dragging, self._asked, self._told = True, False, None, None
        self._marks, self._keyframes = [], []
        self.clear_news()
        self.set_caption("")
        self._describe()
        self.update()

    @property
    def marks(self) -> tuple[Mark, ...]:
        return tuple(self._marks)

    @property
    def keyframes(self) -> tuple[int, ...]:
        """The steps whose pictures are kept."""
        return tuple(self._keyframes)

    # ── geometry ────────────────────────────────────────────────────────────────────────────────────────────

    def _on_look(self) -> None:
        self.setFont(look.font(0.92))
        self._say()

    def _on_language(self) -> None:
        self.setFont(look.font(0.92))
        self.setAccessibleName(tr(_("Timeline")))
        self._describe()
        self._say()

    def _describe(self) -> None:
        self.setAccessibleDescription(
            tr(_("step {step} of {last}", step=number(self._shown), last=number(self._last)))
        )

    def _line_room(self) -> QRectF:
        """Where the sentence stands above the track; empty if there is none, or it stands elsewhere."""
        if self._outside or not self.line.text:
            return QRectF()
        room = self.width() - (0 if self._live else self._chip_width())
        return QRectF(0, 0, room, self.line.needed().height())

    def sizeHint(self) -> QSize:
        if self._low:
            return QSize(look.px(300), look.px(24))
        words = math.ceil(QFontMetricsF(look.font(0.92)).height())
        return QSize(look.px(300), max(words, round(self._line_room().height())) + look.px(27))

    def minimumSizeHint(self) -> QSize:
        return QSize(look.px(90), self.sizeHint().height())

    def _track(self) -> tuple[float, float, float]:
        """Left end, right end, and height of the middle of the track."""
        radius = look.px(8)
        right = self.width() - radius - 1.0
        if self._low:  # no room above: the track keeps as long whether the chip is there or not
            right -= self._chip_width()
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
            if not self._line_room().isEmpty():
                self.line.draw(painter, self._line_room())
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
        room = self._line_room()
        if self._low or (not room.isEmpty() and self.line.moment):
            return  # no line is free; the marks still speak on hover
        hovered = self._marks_at(self._pointer) if self._pointer is not None else []
        order = sorted(by_step, key=lambda step: (step in hovered, step), reverse=True)
        chip = [] if self._live else [(self.width() - self._chip_width(), float(self.width()))]
        said = [] if room.isEmpty() else [(0.0, min(self.line.needed().width(), room.width()))]
        taken = [*chip, *said]
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
        middle = self._track()[2]
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
            wide = self._chip_width() - look.px(7)
            top = middle - high / 2 if self._low else 0.0
            self._chip = QRectF(self.width() - wide, top, wide, high)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(c.accent))
            painter.drawRoundedRect(self._chip, high / 2, high / 2)
            painter.setFont(font)
            painter.setPen(QColor(c.on_accent))
            painter.drawText(self._chip, Qt.AlignmentFlag.AlignCenter, tr(_("live")))

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
        self.held.emit(True)
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
            self.held.emit(False)
            if self._told is not None:  # the handle goes where the picture is
                self.set_shown(*self._told)
                self._told = None
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
            room = self._line_room()
            if room.contains(QPointF(event.pos())) and self.line.needed().width() > room.width():
                QToolTip.showText(event.globalPos(), tr(self.line.text), self)
                return True
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
