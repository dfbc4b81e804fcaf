"""A map of numbers under a cloud of points, and the bar that says what its colours mean."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPen, QPolygonF

from desktop.language import number, tr
from desktop.panels.colours import with_alpha
from desktop.panels.plane import Extent, Plane, ticks
from desktop.style import palettes
from desktop.style.tokens import look
from engine.api import Field

RIM = 0.03
"""Share of the map over which it fades at its edges: it says nothing about what lies beyond."""


def is_sound(field: Field) -> bool:
    """Whether there is anything to draw."""
    x0, x1, y0, y1 = field.extent
    value = np.asarray(field.value)
    return (
        value.ndim == 2 and value.size > 0 and all(map(math.isfinite, field.extent)) and x1 > x0 and y1 > y0
    )


def limits(field: Field) -> tuple[float, float]:
    """The numbers at the two ends of the colours. Signed ones lie as far below 0 as above."""
    low, high = field.limits if field.limits is not None else (math.nan, math.nan)
    if not (math.isfinite(low) and math.isfinite(high)):
        low, high = _span(np.asarray(field.value))
    if field.signed:
        far = max(abs(low), abs(high)) or 1.0
        return -far, far
    return float(low), float(high)


def _span(value: NDArray[np.floating]) -> tuple[float, float]:
    real = value[np.isfinite(value)]
    return (float(real.min()), float(real.max())) if real.size else (0.0, 0.0)


def colours(field: Field) -> NDArray[np.uint8]:
    """(256, 3) from the lower limit to the upper."""
    return palettes.signed_under(look.dark) if field.signed else palettes.under(look.dark)


def rim(high: int, wide: int, share: float) -> NDArray[np.float64]:
    """(H, W) 1 inside, less near the edges, over ``share`` of the shorter side."""
    soft = max(1.0, share * min(high, wide))
    down = np.minimum(1, (np.minimum(np.arange(high), np.arange(high)[::-1]) + 0.5) / soft)
    along = np.minimum(1, (np.minimum(np.arange(wide), np.arange(wide)[::-1]) + 0.5) / soft)
    return np.asarray(down[:, None] * along)


def picture(field: Field) -> QImage:
    """The map as a picture of one pixel per number; what is not a number lets the ground through."""
    value = np.asarray(field.value, np.float32)[::-1]  # row 0 of the map is its lowest
    low, high = limits(field)
    known = np.isfinite(value)
    scale = (high - low) or 1.0
    where = np.clip((np.where(known, value, low) - low) / scale, 0, 1)  # (H, W)
    rows, columns = value.shape
    soft = rim(rows, columns, RIM) if RIM * min(rows, columns) >= 0.5 else 1.0  # a coarse map has no rim
    alpha = np.where(known, 255 * soft, 0).astype(np.uint16)[..., None]
    pixels = np.empty((rows, columns, 4), np.uint8)  # blue, green, red, alpha
    pixels[..., :3] = colours(field)[np.round(where * 255).astype(np.uint8)][..., ::-1] * alpha // 255
    pixels[..., 3:] = alpha
    image = QImage(pixels.data, columns, rows, 4 * columns, QImage.Format.Format_ARGB32_Premultiplied)
    return image.copy()


def paint_field(painter: QPainter, plane: Plane, field: Field) -> None:
    """The map, smooth between its numbers."""
    if not is_sound(field):
        return
    x0, x1, y0, y1 = field.extent
    left, top = plane.to_pixel(x0, y1)
    right, bottom = plane.to_pixel(x1, y0)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(QRectF(left, top, right - left, bottom - top), picture(field))


def box(field: Field) -> Extent | None:
    """Where the map lies."""
    return tuple(map(float, field.extent)) if is_sound(field) else None  # type: ignore[return-value]


# ── the bar ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, eq=False)
class Bar:
    """A small colour bar. colours: (256, 3) from ``low`` to ``high``. at: a number to point out, or None."""

    title: str
    low: float
    high: float
    colours: NDArray[np.uint8]
    at: float | None = None

    def size(self, room: float) -> QSizeF:
        """How much of a plot ``room`` pixels wide it takes."""
        ends = self._ends_width() + look.px(10)
        title_metrics = QFontMetricsF(_title_font())
        named = min(title_metrics.horizontalAdvance(tr(self.title)) + 2, 0.3 * room)
        inner = min(max(look.icon_px(132), ends, named), max(0.46 * room, min(ends, 0.75 * room)))
        title = title_metrics.height() if self.title else 0.0
        high = title + look.px(10) + QFontMetricsF(_number_font()).height() + look.px(4)
        return QSizeF(math.ceil(inner + 2 * look.px(8)), math.ceil(high + 2 * look.px(4)))

    def _ends_width(self) -> float:
        metrics = QFontMetricsF(_number_font())
        return sum(metrics.horizontalAdvance(self._said(end)) for end in (self.low, self.high))

    def _said(self, value: float) -> str:
        return _said(value, abs(self.high - self.low))

    def colour(self, value: float) -> QColor:
        """The colour of a number."""
        return QColor(*self.colours[round(255 * self._share(value))].tolist())

    def _share(self, value: float) -> float:
        """How far from the lower to the upper end a number lies, 0..1."""
        span = self.high - self.low
        return min(max((value - self.low) / span, 0.0), 1.0) if span > 0 else 0.5

    def paint(self, painter: QPainter, plate: QRectF) -> None:
        """Title, colours, the two ends, and round numbers between them where they fit."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(with_alpha(look.colour("plot"), 0.86))
        painter.drawRoundedRect(plate, look.px(5), look.px(5))
        inside = plate.adjusted(look.px(8), look.px(4), -look.px(8), -look.px(4))
        top = inside.top()
        if self.title:
            metrics = QFontMetricsF(_title_font())
            painter.setFont(_title_font())
            painter.setPen(look.colour("text"))
            short = metrics.elidedText(tr(self.title), Qt.TextElideMode.ElideRight, inside.width() + 1)
            painter.drawText(QPointF(inside.left(), top + metrics.ascent()), short)
            top += metrics.height()
        strip = QRectF(inside.left(), top + look.px(1), inside.width(), look.px(9))
        table = np.ascontiguousarray(self.colours)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(
            strip, QImage(table.data, len(table), 1, 3 * len(table), QImage.Format.Format_RGB888)
        )
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(look.colour("line"), 1))
        painter.drawRect(strip)
        self._paint_numbers(painter, strip)
        if self.at is not None and math.isfinite(self.at):
            self._paint_pointer(painter, strip)

    def _x(self, strip: QRectF, value: float) -> float:
        return strip.left() + strip.width() * self._share(value)

    def _paint_numbers(self, painter: QPainter, strip: QRectF) -> None:
        metrics = QFontMetricsF(_number_font())
        painter.setFont(_number_font())
        ink, gap = look.colour("quiet"), look.px(6)
        base = strip.bottom() + look.px(3) + metrics.ascent()
        low, high = self._said(self.low), self._said(self.high)
        low_wide, high_wide = metrics.horizontalAdvance(low), metrics.horizontalAdvance(high)
        painter.setPen(ink)
        if self.high <= self.low:  # all the same
            painter.drawText(QPointF(strip.center().x() - low_wide / 2, base), low)
            return
        if low_wide + high_wide + gap > strip.width():
            return
        painter.drawText(QPointF(strip.left(), base), low)
        painter.drawText(QPointF(strip.right() - high_wide, base), high)
        end, most = strip.left() + low_wide + gap, strip.right() - high_wide - gap
        for value in ticks(self.low, self.high, max(2, int(strip.width() / look.px(36))))[0]:
            x, text = self._x(strip, value), self._said(value)
            wide = metrics.horizontalAdvance(text)
            painter.setPen(QPen(ink, 1))
            painter.drawLine(QPointF(x, strip.bottom()), QPointF(x, strip.bottom() + look.px(2)))
            if x - wide / 2 >= end and x + wide / 2 <= most:
                painter.drawText(QPointF(x - wide / 2, base), text)
                end = x + wide / 2 + gap

    def _paint_pointer(self, painter: QPainter, strip: QRectF) -> None:
        """A small wedge at the number of the point under the mouse."""
        assert self.at is not None
        x, size = self._x(strip, self.at), float(look.px(5))
        painter.setPen(QPen(look.colour("plot"), 1))
        painter.setBrush(look.colour("text"))
        y = strip.top() + 0.55 * strip.height()
        painter.drawPolygon(
            QPolygonF([QPointF(x, y), QPointF(x - size, y - 1.7 * size), QPointF(x + size, y - 1.7 * size)])
        )


def field_bar(field: Field) -> Bar:
    """The bar of a map."""
    low, high = limits(field)
    return Bar(field.name, low, high, colours(field))


def _title_font() -> QFont:
    return look.font(0.88, bold=True)


def _number_font() -> QFont:
    return look.font(0.85, tabular=True)


def _said(value: float, span: float) -> str:
    """A number on a bar; what is nothing beside the length of the bar is 0."""
    return number(0.0 if abs(value) < 1e-6 * span else value).replace("-", "−")
