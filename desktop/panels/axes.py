"""The ground of a picture of points: plot area, tints, grid, ticks and the names of the axes."""

from __future__ import annotations

import math

from PySide6.QtCore import QPoint, QPointF, QRect, QSize, QSizeF
from PySide6.QtGui import QFontMetricsF, QImage, QPainter, QPen, QPixmap

from desktop.language import language, number, tr
from desktop.panels import field, marks
from desktop.panels.plane import Plane, ticks
from desktop.style.device import grain, is_vector
from desktop.style.tokens import look
from engine.api import Field, Points, Regions


def tick_texts(span: tuple[float, ...], pixels: float) -> list[tuple[float, str]]:
    """Where to put ticks along one axis and what to write there."""
    low, high = span
    values, step = ticks(low, high, max(2, int(pixels / look.px(62))))
    most = max(map(abs, values), default=0.0)
    plain = step > 1e-4 and most < 1e5
    decimals = max(0, -math.floor(math.log10(step) + 1e-9)) if plain else 0
    digits = max(3, math.ceil(math.log10(max(most / step, 1.0))) + 1)
    texts = []
    for value in values:
        text = language.locale.toString(value, "f", decimals) if plain else number(value, digits)
        texts.append((value, ("0" if value == 0 else text).replace("-", "−")))
    return texts


def draw_ground(size: QSize, plane: Plane, points: Points, ratio: float, *, numbers: bool) -> QPixmap:
    """The ground of a picture of ``size``, with ``ratio`` pixels to one. numbers: with ticks and names."""
    ground = QPixmap((QSizeF(size) * ratio).toSize())
    ground.setDevicePixelRatio(ratio)
    with QPainter(ground) as painter:
        paint_ground(painter, size, plane, points, numbers=numbers)
    return ground


def paint_ground(painter: QPainter, size: QSize, plane: Plane, points: Points, *, numbers: bool) -> None:
    """The same on what is there already."""
    painter.fillRect(QRect(QPoint(), size), look.colour("surface"))
    painter.fillRect(plane.rect, look.colour("plot"))
    if is_vector(painter):  # many that read drawings know nothing of clipping
        painter.drawImage(plane.rect, _tints(plane, points, grain(painter)))
    else:
        painter.setClipRect(plane.rect)
        _paint_tints(painter, plane, points)
        painter.setClipping(False)
    if numbers:
        _paint_axes(painter, plane, points)


def _paint_tints(painter: QPainter, plane: Plane, points: Points) -> None:
    for layer in points.layers:
        if isinstance(layer, Regions):
            marks.paint_regions(painter, plane, layer)
        elif isinstance(layer, Field):
            field.paint_field(painter, plane, layer)


def _tints(plane: Plane, points: Points, ratio: float) -> QImage:
    """The same as an image of the plot."""
    image = QImage((plane.rect.size() * ratio).toSize(), QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(look.colour("plot"))
    with QPainter(image) as painter:
        painter.scale(ratio, ratio)
        painter.translate(-plane.rect.topLeft())
        _paint_tints(painter, plane, points)
    return image


def _paint_axes(painter: QPainter, plane: Plane, points: Points) -> None:
    plot, seen, quiet = plane.rect, plane.extent, look.colour("quiet")
    font, name_font = look.font(0.88, tabular=True), look.font(0.88, bold=True)
    metrics, name_metrics = QFontMetricsF(font), QFontMetricsF(name_font)
    x_name, y_name = (tr(name) for name in points.axes)
    x_wide = name_metrics.horizontalAdvance(x_name)
    grid = QPen(look.colour("grid"), 1)
    tinted = any(isinstance(layer, (Regions, Field)) for layer in points.layers)
    painter.setFont(font)
    row = plot.bottom() + look.px(3)
    end = plot.left() - look.px(6)
    for value, text in tick_texts(seen[:2], plane.width):
        x = plane.to_pixel(value, seen[2])[0]
        if not tinted:
            painter.setPen(grid)
            painter.drawLine(QPointF(round(x), plot.top()), QPointF(round(x), plot.bottom()))
        wide = metrics.horizontalAdvance(text)
        if x - wide / 2 >= end and x + wide / 2 < plot.right() - x_wide - look.px(14):
            end = x + wide / 2 + look.px(10)  # a long number makes its neighbour stay away
            painter.setPen(quiet)
            painter.drawText(QPointF(x - wide / 2, row + metrics.ascent()), text)
    for value, text in tick_texts(seen[2:], plane.height):
        y = plane.to_pixel(seen[0], value)[1]
        if not tinted:
            painter.setPen(grid)
            painter.drawLine(QPointF(plot.left(), round(y)), QPointF(plot.right(), round(y)))
        if plot.top() + metrics.capHeight() / 2 <= y <= plot.bottom():
            painter.setPen(quiet)
            left = plot.left() - look.px(5) - metrics.horizontalAdvance(text)
            painter.drawText(QPointF(left, y + metrics.capHeight() / 2), text)
    painter.setFont(name_font)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(quiet)
    painter.drawText(QPointF(plot.right() - x_wide - look.px(2), row + metrics.ascent()), x_name)
    if y_named(plane):
        at = QPointF(plot.left() + look.px(6), plot.top() + name_metrics.ascent() + look.px(2))
        marks.paint_text(painter, at, y_name, quiet, look.colour("plot"))


def y_named(plane: Plane) -> bool:
    """Whether there is room for the name of the upright axis."""
    return plane.width > look.px(260)


def under_name(plane: Plane) -> int:
    """How far below the top the name of the upright axis reaches."""
    return look.px(20) if y_named(plane) else 0
