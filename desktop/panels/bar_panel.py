"""Named bars, upright when the names fit below them, else lying."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.language import language, tr
from desktop.panels.legend import class_colour
from desktop.panels.panel import Panel
from desktop.panels.plotting import ghost_colour
from desktop.panels.scales import value_text
from desktop.selection import Selection
from desktop.style.tokens import look
from engine.api import Bars


class _Canvas(QWidget):
    def __init__(self, selection: Selection) -> None:
        super().__init__()
        self._selection = selection
        self._bars: Bars | None = None
        self._ghost: Bars | None = None
        self.ghost_words = ""
        self._boxes: list[QRectF] = []
        self.past = False  # recorded steps go by: the axis only widens
        self._reach = (0.0, 0.0)  # of the axis when it was last painted
        self.hovered = -1
        self.setMouseTracking(True)
        self.setMinimumSize(1, 1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        selection.labels_changed.connect(self.update)

    def show_bars(self, bars: Bars | None) -> None:
        self._bars = bars
        self._boxes = []
        self.update()

    def show_ghost(self, bars: Bars | None, words: str) -> None:
        """Outlines of another run's bars. words: whose they are."""
        if bars is not None or self._ghost is not None:
            self._ghost, self.ghost_words = bars, words
            self.update()

    def _ghost_values(self) -> NDArray[np.float64]:
        """As high as each bar's outline is; none where they say the same or are not the same bars."""
        bars, ghost = self._bars, self._ghost
        if bars is None or ghost is None or bars.names != ghost.names:
            return np.zeros(0)
        values = np.asarray(ghost.values, np.float64).ravel()
        same = np.array_equal(values, np.asarray(bars.values, np.float64).ravel(), equal_nan=True)
        return np.zeros(0) if same else values

    # ── mouse ──────────────────────────────────────────────────────────────────────────────────────────

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._point(self._at(event.position().toPoint()))

    def leaveEvent(self, event: QEvent) -> None:
        self._point(-1)

    def _at(self, place: QPoint) -> int:
        return next((i for i, box in enumerate(self._boxes) if box.contains(QPointF(place))), -1)

    def _point(self, index: int) -> None:
        if index != self.hovered:
            self.hovered = index
            label = self._label(index)
            self._selection.light_label(label if label >= 0 else None)
            self.update()

    def _label(self, index: int) -> int:
        labels = None if self._bars is None else self._bars.label
        return -1 if labels is None or not 0 <= index < len(labels) else int(labels[index])

    # ── painting ───────────────────────────────────────────────────────────────────────────────────────

    def paintEvent(self, event: QPaintEvent) -> None:
        bars = self._bars
        values = np.zeros(0) if bars is None else np.asarray(bars.values, np.float64).ravel()
        self._boxes = []
        if bars is None or not len(values) or self.width() < 20 or self.height() < 20:
            return
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            names = [tr(bars.names[i]) if i < len(bars.names) else "" for i in range(len(values))]
            small = QFontMetricsF(look.font(0.92, tabular=True))
            top, ghost = 0.0, self._ghost_values()
            if len(ghost):
                top = self._paint_ghost_words(painter, small)
            if bars.axis:
                painter.setFont(look.font(0.92))
                painter.setPen(look.colour("quiet"))
                text = small.elidedText(tr(bars.axis), Qt.TextElideMode.ElideRight, self.width())
                painter.drawText(QRectF(0, 0, self.width(), small.height()), Qt.AlignmentFlag.AlignLeft, text)
                top = small.height() + look.px(3)
            area = QRectF(0, top, self.width(), self.height() - top)
            widest = max((QFontMetricsF(look.font()).horizontalAdvance(name) for name in names), default=0.0)
            slot = area.width() / len(values)
            lying = area.height() / len(values) >= small.height() and (
                widest > 0.95 * slot or slot > area.height()
            )
            if lying:
                self._paint_lying(painter, area, values, names, widest)
            else:
                self._paint_upright(painter, area, values, names, widest)

    def _paint_ghost_words(self, painter: QPainter, metrics: QFontMetricsF) -> float:
        """At the upper right; returns how far down they reach."""
        axis = "" if self._bars is None else tr(self._bars.axis)
        taken = metrics.horizontalAdvance(axis) + look.px(12)
        box, gap = look.px(11), look.px(5)
        words = metrics.elidedText(
            self.ghost_words, Qt.TextElideMode.ElideRight, self.width() - taken - box - gap
        )
        line = QRectF(0, 0, self.width(), metrics.height())
        painter.setFont(look.font(0.92, tabular=True))
        painter.setPen(look.colour("quiet"))
        painter.drawText(line, Qt.AlignmentFlag.AlignRight, words)
        left = line.right() - metrics.horizontalAdvance(words) - gap - box
        painter.setPen(QPen(ghost_colour(), look.px(1.4)))
        painter.drawRect(QRectF(left, line.center().y() - box / 2, box, box))
        return metrics.height() + look.px(3)

    def _span(self, values: NDArray[np.float64]) -> tuple[float, float]:
        """From where to where the axis goes."""
        low, high = _span(values)
        if self.past:
            low, high = min(low, self._reach[0]), max(high, self._reach[1])
        self._reach = low, high
        return low, high

    def _paint_outline(self, painter: QPainter, bar: QRectF) -> None:
        """A ghost's bar, to be seen on the living one too."""
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width in ((look.colour("surface"), 3.2), (ghost_colour(), 1.4)):
            painter.setPen(QPen(colour, look.px(width)))
            painter.drawRect(bar)

    def _colour(self, index: int) -> QColor:
        label = self._label(index)
        lit, hidden = self._selection.lit, self._selection.hidden
        if label >= 0 and (label in hidden or (lit is not None and lit != label)):
            return look.colour("faded")
        if label < 0:
            return look.colour("accent")
        lines = self._bars is not None and self._bars.lines
        return QColor(look.curves[label % len(look.curves)]) if lines else class_colour(label)

    def _paint_lying(
        self, painter: QPainter, area: QRectF, values: NDArray[np.float64], names: list[str], widest: float
    ) -> None:
        small = QFontMetricsF(look.font(0.92, tabular=True))
        gap = look.px(8)
        name_room = min(widest, 0.45 * area.width()) + (gap if widest else 0)
        texts = _texts(values, 3)
        value_room = max(small.horizontalAdvance(text) for text in texts) + gap
        ghost = self._ghost_values()
        low, high = self._span(np.concatenate([values, ghost]))
        negative_room = value_room if low < 0 else 0
        field = area.adjusted(name_room + negative_room, 0, -value_room, 0)
        slot = area.height() / len(values)
        slot = min(slot, look.px(64))
        thick = min(slot * 0.72, slot - 2)
        start = area.top() + (area.height() - slot * len(values)) / 2
        zero = field.left() + field.width() * -low / (high - low)
        for index, (value, name) in enumerate(zip(values.tolist(), names, strict=True)):
            y = start + slot * index
            self._boxes.append(QRectF(area.left(), y, area.width(), slot))
            end = zero + field.width() * _finite(value) / (high - low)
            bar = QRectF(min(zero, end), y + (slot - thick) / 2, max(abs(end - zero), 1.0), thick)
            self._paint_bar(painter, bar, index, value)
            if index < len(ghost):
                long = field.width() * _finite(float(ghost[index])) / (high - low)
                self._paint_outline(painter, QRectF(zero, bar.top(), long, thick).normalized())
            painter.setFont(look.font())
            painter.setPen(look.colour("text"))
            text = painter.fontMetrics().elidedText(
                name, Qt.TextElideMode.ElideRight, int(name_room - gap) + 1
            )
            row = QRectF(area.left(), y, name_room - gap + 1, slot)
            painter.drawText(row, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
            painter.setFont(look.font(0.92, tabular=True))
            if end >= zero:
                row, side = QRectF(end + gap * 0.75, y, value_room, slot), Qt.AlignmentFlag.AlignLeft
            else:
                row, side = (
                    QRectF(end - gap * 0.75 - value_room, y, value_room, slot),
                    Qt.AlignmentFlag.AlignRight,
                )
            painter.drawText(row, side | Qt.AlignmentFlag.AlignVCenter, texts[index])
        painter.setPen(QPen(look.colour("line"), look.px(1)))
        painter.drawLine(QPointF(zero, start), QPointF(zero, start + slot * len(values)))

    def _paint_upright(
        self, painter: QPainter, area: QRectF, values: NDArray[np.float64], names: list[str], widest: float
    ) -> None:
        small = QFontMetricsF(look.font(0.92, tabular=True))
        slot = min(area.width() / len(values), look.px(110))
        start = area.left() + (area.width() - slot * len(values)) / 2
        ghost = self._ghost_values()
        low, high = self._span(np.concatenate([values, ghost]))
        texts = _texts(values, 3)
        room = slot - 0.35 * small.height()
        if not (shown := _widest(small, texts) <= room):
            shorter = _texts(values, 2)
            shown = _widest(small, shorter) <= room
            texts = shorter if shown else texts
        above = small.height() if shown else look.px(3)
        name_room = small.height() + look.px(4) if any(names) else 0
        field = area.adjusted(0, above, 0, -name_room - (above if low < 0 else 0))
        every = max(1, math.ceil((widest + look.px(6)) / slot))
        zero = field.bottom() + field.height() * low / (high - low)
        width, taken = max(slot, widest + look.px(6)), -math.inf
        for index, (value, name) in enumerate(zip(values.tolist(), names, strict=True)):
            x = start + slot * index
            self._boxes.append(QRectF(x, area.top(), slot, area.height()))
            end = zero - field.height() * _finite(value) / (high - low)
            inset = min(slot * 0.14, look.px(8))
            bar = QRectF(x + inset, min(zero, end), slot - 2 * inset, max(abs(end - zero), 1.0))
            self._paint_bar(painter, bar, index, value)
            if index < len(ghost):
                long = field.height() * _finite(float(ghost[index])) / (high - low)
                self._paint_outline(painter, QRectF(bar.left(), zero, bar.width(), -long).normalized())
            painter.setPen(look.colour("text"))
            if shown or index == self.hovered:
                painter.setFont(look.font(0.92, tabular=True))
                y = end - small.height() if end <= zero else end
                y = max(y, area.top())
                line = QRectF(x - slot, y, 3 * slot, small.height())
                painter.drawText(line, Qt.AlignmentFlag.AlignCenter, texts[index])
            # No name is cut at the rim: those at the ends move in, and what they would lie on is not written.
            left = min(max(x + slot / 2 - width / 2, area.left()), area.right() - width)
            if index % every == 0 and left >= taken:
                taken = left + width - look.px(6)
                painter.setFont(look.font())
                line = QRectF(left, area.bottom() - name_room, width, name_room)
                painter.drawText(line, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom, name)
        painter.setPen(QPen(look.colour("line"), look.px(1)))
        painter.drawLine(QPointF(start, zero), QPointF(start + slot * len(values), zero))

    def _paint_bar(self, painter: QPainter, bar: QRectF, index: int, value: float) -> None:
        if not math.isfinite(value):
            return
        painter.setPen(
            QPen(look.colour("text"), look.px(1.5)) if index == self.hovered else Qt.PenStyle.NoPen
        )
        painter.setBrush(self._colour(index))
        radius = min(look.px(3), bar.width() / 2, bar.height() / 2)
        painter.drawRoundedRect(bar, radius, radius)


def _widest(metrics: QFontMetricsF, texts: list[str]) -> float:
    return max((metrics.horizontalAdvance(text) for text in texts), default=0.0)


def _texts(values: NDArray[np.float64], digits: int) -> list[str]:
    """All values with as many decimals as give the largest one ``digits`` digits."""
    finite = np.abs(values[np.isfinite(values)])
    largest = float(finite.max(initial=0.0))
    if np.all(finite == np.round(finite)) or not 1e-3 <= largest < 1e5:
        return [value_text(value) for value in values.tolist()]
    decimals = max(0, digits - 1 - math.floor(math.log10(largest)))
    write = language.locale.toString
    return [write(value, "f", decimals) if math.isfinite(value) else "–" for value in values.tolist()]


def _finite(value: float) -> float:
    return value if math.isfinite(value) else 0.0


def _span(values: NDArray[np.float64]) -> tuple[float, float]:
    """The smallest and largest value and zero; never empty."""
    finite = values[np.isfinite(values)]
    low, high = min(finite.min(initial=0.0), 0.0), max(finite.max(initial=0.0), 0.0)
    return (float(low), float(high)) if high > low else (0.0, 1.0)


class BarPanel(Panel):
    """Bars with their values; the mouse on a bar of a class makes that class stand out everywhere."""

    def __init__(self, title: str, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self._canvas = _Canvas(selection)
        self.set_body(self._canvas)

    @property
    def canvas(self) -> _Canvas:
        return self._canvas

    def show_payload(self, payload: Bars) -> None:
        self._canvas.show_bars(payload)

    def set_past(self, past: bool) -> None:
        self._canvas.past = past

    def show_ghost(self, payload: Bars | None) -> None:
        self._canvas.show_ghost(payload, self.ghost_words())

    def restyle(self) -> None:
        self._canvas.ghost_words = self.ghost_words()
        self._canvas.update()

    def clear(self) -> None:
        self._canvas.past = False
        self._canvas.show_bars(None)
