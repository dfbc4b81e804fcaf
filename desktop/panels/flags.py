"""The names of upright lines, each like a flag at its pole above the chart, in rows that keep them apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from desktop.panels.plotting import Upright
from desktop.panels.scales import title_font
from desktop.panels.strokes import Geometry
from desktop.style.tokens import look

Flag = tuple[int, QRectF, Upright]
"""Its row, 0 the lowest, its box, and what it belongs to."""


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


def row_high() -> float:
    """From one row to the next."""
    return title_font(0.92).height() + look.px(2)


def row_top(geometry: Geometry, row: int) -> float:
    """Row 0 is next to the chart."""
    base = geometry.rect.top() - title_font(0.92).height() * 0.4 - row_high()
    return max(base - row * row_high(), 0.0)


def placed(uprights: Sequence[Upright], geometry: Geometry, size: QSizeF, heading: int) -> list[Flag]:
    """Where the names stand in a widget of ``size``, below so many rows of heading: none touches another, and
    a pole ends below the names that stand over it.
    """
    font, pad, rect = title_font(0.92), look.px(4), geometry.rect
    poles = [(geometry.x(one.x), one) for one in sorted(uprights, key=lambda one: -one.x) if one.text]
    poles = [(x, one) for x, one in poles if rect.left() - 0.5 <= x <= rect.right() + 0.5]
    end = size.width()
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
    room = 0.5 * size.height() - font.height() * (heading + 0.4)
    most = int(room / row_high())
    return [
        (row, QRectF(left, row_top(geometry, row), right - left, font.height()), one)
        for row, (left, right), (_x, one) in zip(rows, boxes, poles, strict=True)
        if row < most
    ]


def free_row(flags: Sequence[Flag], geometry: Geometry, name: str) -> int:
    """The lowest row in which the vertical axis' name meets neither a flag nor a pole."""
    end = title_font(0.92).horizontalAdvance(name) + look.px(8)
    over = [row for row, box, one in flags if box.left() < end or geometry.x(one.x) < end]
    return max(over, default=-1) + 1


def paint(painter: QPainter, geometry: Geometry, uprights: Sequence[Upright], flags: Sequence[Flag]) -> None:
    """Poles up to their flags, and the names."""
    tops = {id(one): box.top() for _row, box, one in flags}
    rect, pad = geometry.rect, look.px(4)
    for one in uprights:
        x = geometry.x(one.x)
        if rect.left() - 0.5 <= x <= rect.right() + 0.5:
            pen = QPen(QColor(one.colour), look.px(1.6))
            if one.dashed:
                pen.setDashPattern([4, 3])
            painter.setPen(pen)
            painter.drawLine(QPointF(x, rect.bottom()), QPointF(x, tops.get(id(one), rect.top())))
    painter.setFont(look.font(0.92, tabular=True))
    metrics = painter.fontMetrics()
    for _row, box, one in flags:
        x = geometry.x(one.x)
        painter.setPen(QColor(one.colour))
        shift = pad if x < box.left() + 1.5 * pad else -pad if x > box.right() - 1.5 * pad else 0
        text = metrics.elidedText(one.text, Qt.TextElideMode.ElideRight, math.ceil(box.width() - pad))
        painter.drawText(box.translated(shift, 0), Qt.AlignmentFlag.AlignCenter, text)
