"""The items nearest to the pinned one, as a row of small tiles along an edge of the picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QHideEvent, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from desktop.language import _, number, tr
from desktop.panels.colours import with_alpha
from desktop.panels.legend import paint_mark
from desktop.selection import Selection
from desktop.style.tokens import look
from desktop.wording import weights_of
from engine.api import Item

MOST = 6
"""Neighbours shown."""
STAYS = 4.0
"""What it is worth to stay in a corner: a list that hops about while points move cannot be read."""
CROWD = 12.0
"""What it costs to cover all the points of the picture."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One entry. item: what is known of it, or None so far. colour, shape: those of its point."""

    index: int
    item: Item | None = None
    image: QImage | None = None
    colour: QColor | None = None
    shape: int = 0


def free_corner(
    room: QRectF,
    size: QSizeF,
    keep_out: Sequence[tuple[QRectF, float]],
    present: int,
    points: NDArray[np.float64],
) -> tuple[int, QPointF, float]:
    """The corner of ``room`` where something of ``size`` covers least: which one, where, and at what price.

    keep_out: what is not to be covered, each with its price. points: (M, 2) pixels, to be covered rather
    not. present: the corner it is in now; another must be better.
    """
    right, low = room.right() - size.width(), room.bottom() - size.height()
    corners = [
        QPointF(x, y)
        for x, y in ((room.left(), low), (right, low), (room.left(), room.top()), (right, room.top()))
    ]
    prices = []
    for i, corner in enumerate(corners):
        place = QRectF(corner, size)
        price = sum(each for box, each in keep_out if place.intersects(box))
        x, y = points[:, 0], points[:, 1]
        under = (x >= place.left()) & (x <= place.right()) & (y >= place.top()) & (y <= place.bottom())
        price += CROWD * float(under.mean()) if len(points) else 0.0
        prices.append(price - (STAYS if i == present else 0.0))
    best = prices.index(min(prices))
    return best, corners[best], prices[best]


class Neighbours(QWidget):
    """Nearest first. The mouse on an entry lights its point in every panel, a click pins it."""

    picked = Signal(int)
    """Pin this item."""

    def __init__(self, selection: Selection, parent: QWidget) -> None:
        super().__init__(parent)
        self._selection = selection
        self._entries: tuple[Neighbour, ...] = ()
        self._waiting = False
        self._recorded: int | None = None
        self._left = 0.0  # where the entries begin, beside the title
        self._shown = 0
        self.over = False
        self.setMouseTracking(True)
        selection.hovered.connect(self._on_hovered)
        self.hide()

    @property
    def entries(self) -> tuple[Neighbour, ...]:
        return self._entries

    def set_entries(self, entries: tuple[Neighbour, ...], recorded: int | None = None) -> None:
        """recorded: the step whose state has found them, when it is not the present one."""
        self._entries, self._waiting, self._recorded = entries[:MOST], False, recorded
        self.setAccessibleName(tr(_("Nearest neighbours")))
        self.setAccessibleDescription(self._told())
        self.update()

    def _told(self) -> str:
        """Who has found them; "" when it is the present state."""
        return "" if self._recorded is None else tr(weights_of(self._recorded))

    def wait(self) -> None:
        """Others are on their way: what stands here is of the point pinned before."""
        self._waiting = True
        self.update()

    # ── sizes ──

    @property
    def _with_pictures(self) -> bool:
        return any(entry.image is not None for entry in self._entries)

    def fit(self, room: QRectF) -> bool:
        """Take a size for ``room``; False when nothing useful has place there."""
        pad, high = self._pad(), round(self._high() + self._told_high() + 2 * self._pad())
        if not self._entries or high > 0.4 * room.height():
            return False
        title = self._title_wide() + look.icon_px(10)
        widths = [self._wide(entry) for entry in self._entries]
        gap, most = look.icon_px(5), room.width() - 2 * pad
        whole = sum(widths) + gap * (len(widths) - 1)
        self._left = pad + (title if title + whole <= most else 0.0)
        self._shown = len(widths)
        while self._shown and sum(widths[: self._shown]) + gap * (self._shown - 1) > most:
            self._shown -= 1
        if self._shown < 1:
            return False
        wide = self._left + sum(widths[: self._shown]) + gap * (self._shown - 1) + pad
        wide = max(wide, min(self._told_wide() + 2 * pad, room.width()))
        self.resize(QSize(math.ceil(wide), high))
        return True

    def _pad(self) -> int:
        return look.icon_px(5)

    def _side(self) -> int:
        return look.icon_px(34)

    def _high(self) -> float:
        return float(self._side()) if self._with_pictures else QFontMetricsF(look.font(0.92)).height() * 1.18

    def _told_high(self) -> float:
        """The line below the entries that says who has found them."""
        return 0.0 if self._recorded is None else QFontMetricsF(look.font(0.88)).height()

    def _told_wide(self) -> float:
        return QFontMetricsF(look.font(0.88, tabular=True)).horizontalAdvance(self._told())

    def _title_wide(self) -> float:
        return QFontMetricsF(look.font(0.88, bold=True)).horizontalAdvance(tr(_("Nearest neighbours")))

    def _wide(self, entry: Neighbour) -> float:
        """How wide an entry is: a picture, or a dot and a name."""
        if self._with_pictures:
            return float(self._side())
        return look.px(18) + QFontMetricsF(look.font(0.92, bold=True)).horizontalAdvance(_name(entry)) + 2

    def place(self, entry: int) -> QRectF:
        """Where an entry is."""
        before = sum(self._wide(each) + look.icon_px(5) for each in self._entries[:entry])
        return QRectF(self._left + before, self._pad(), self._wide(self._entries[entry]), self._high())

    # ── mouse ──

    def _at(self, at: QPointF) -> int:
        """The item under the mouse, or -1."""
        if self._waiting:
            return -1
        for i in range(self._shown):
            if self.place(i).adjusted(-2, -2, 2, 2).contains(at):
                return self._entries[i].index
        return -1

    def _on_hovered(self, item: int) -> None:
        if self.isVisible():
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.over = True
        item = self._at(event.position())
        self._selection.set_hover(item)
        self.setCursor(Qt.CursorShape.ArrowCursor if item < 0 else Qt.CursorShape.PointingHandCursor)

    def leaveEvent(self, event: QEvent) -> None:
        self.over = False
        self._selection.set_hover(-1)

    def hideEvent(self, event: QHideEvent) -> None:
        if self.over:
            self.over = False
            self._selection.set_hover(-1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.accept()  # not a lasso

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        item = self._at(event.position())
        if item >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.picked.emit(item)

    # ── picture ──

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(look.colour("line"), 1))
            painter.setBrush(with_alpha(look.colour("surface"), 0.96))
            painter.drawRoundedRect(
                QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), look.px(7), look.px(7)
            )
            if self._left > self._pad():
                painter.setFont(look.font(0.88, bold=True))
                painter.setPen(look.colour("quiet"))
                title = QRectF(self._pad(), 0, self._left, self.height() - self._told_high())
                painter.drawText(title, Qt.AlignmentFlag.AlignVCenter, tr(_("Nearest neighbours")))
            if self._recorded is not None:
                self._paint_told(painter)
            painter.setOpacity(0.35 if self._waiting else 1.0)
            for i in range(self._shown):
                self._paint_entry(painter, self._entries[i], self.place(i))

    def _paint_told(self, painter: QPainter) -> None:
        """Whose neighbours these are, quietly."""
        room = QRectF(self._pad(), 0, self.width() - 2 * self._pad(), self.height() - self._pad() / 2)
        font = look.font(0.88, tabular=True)
        words = QFontMetricsF(font).elidedText(self._told(), Qt.TextElideMode.ElideMiddle, room.width())
        painter.setFont(font)
        painter.setPen(look.colour("quiet"))
        painter.drawText(room, Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft, words)

    def _paint_entry(self, painter: QPainter, entry: Neighbour, place: QRectF) -> None:
        if entry.index == self._selection.hover:
            painter.setPen(QPen(look.colour("accent"), look.px(2)))
            painter.setBrush(look.colour("hover"))
            painter.drawRoundedRect(place.adjusted(-2, -1, 2, 1), look.px(4), look.px(4))
        if self._with_pictures:
            self._paint_picture(painter, entry, place)
        else:
            self._paint_row(painter, entry, place)

    def _paint_picture(self, painter: QPainter, entry: Neighbour, place: QRectF) -> None:
        side = float(self._side())
        frame = QRectF(place.left(), place.top(), side, side)
        if entry.image is None:
            painter.fillRect(frame, look.colour("raised"))
        else:
            image = entry.image
            scale = side / max(image.width(), image.height(), 1)
            wide, high = image.width() * scale, image.height() * scale
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, scale < 1)
            target = QRectF(frame.center().x() - wide / 2, frame.center().y() - high / 2, wide, high)
            painter.drawImage(target.toRect(), image)
        colour = entry.colour or look.colour("line")
        thick = look.px(1) if entry.colour is None else look.px(2)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour, thick))
        painter.drawRect(frame.adjusted(thick / 2, thick / 2, -thick / 2, -thick / 2))

    def _paint_row(self, painter: QPainter, entry: Neighbour, place: QRectF) -> None:
        at = QPointF(place.left() + look.px(6), place.center().y())
        paint_mark(painter, at, look.px(4.5), entry.shape, entry.colour or look.colour("accent"))
        painter.setFont(look.font(0.92, bold=True))
        painter.setPen(look.colour("text"))
        painter.drawText(place.adjusted(look.px(16), 0, 2, 0), Qt.AlignmentFlag.AlignVCenter, _name(entry))


def _name(entry: Neighbour) -> str:
    """What an entry is called: its label, or its number until that is known or when it has none."""
    if entry.item is not None and entry.item.label:
        return tr(entry.item.label)
    return number(entry.index)
