"""The items nearest to the pinned one, as a small strip over a corner of the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QHideEvent, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from desktop.language import _, number, tr
from desktop.panels.colours import with_alpha
from desktop.panels.legend import paint_mark
from desktop.selection import Selection
from desktop.style.tokens import look
from engine.api import Item

MOST = 6
"""Neighbours shown."""
STAYS = 4.0
"""What it is worth to stay in a corner: a list that hops about while points move cannot be read."""
VALUES = 2
"""Numbers of each that has no picture, if there is room."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One entry. item: what is known of it, or None so far. colour, shape: those of its point."""

    index: int
    item: Item | None = None
    image: QImage | None = None
    colour: QColor | None = None
    shape: int = 0


def free_corner(
    room: QRectF, size: QSizeF, keep_out: Sequence[tuple[QRectF, float]], present: int
) -> tuple[int, QPointF, float]:
    """The corner of ``room`` where something of ``size`` covers least: which one, where, and at what price.

    keep_out: what is not to be covered, each with its price. present: the corner it is in now; another must
    be better.
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
        self._columns = 1
        self._shown = 0
        self._values = VALUES
        self.over = False
        self.setMouseTracking(True)
        selection.hovered.connect(self._on_hovered)
        self.hide()

    @property
    def entries(self) -> tuple[Neighbour, ...]:
        return self._entries

    def set_entries(self, entries: tuple[Neighbour, ...]) -> None:
        self._entries, self._waiting = entries[:MOST], False
        self.setAccessibleName(tr(_("Nearest neighbours")))
        self.update()

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
        if not self._entries:
            return False
        pad, title = self._pad(), self._title_high()
        high = 0.55 * room.height() - 2 * pad - title
        if self._with_pictures:
            step_x, step_y = self._step()
            self._columns = max(1, min(len(self._entries), int((0.8 * room.width() - 2 * pad) / step_x)))
            rows = min(-(-len(self._entries) // self._columns), int(high / step_y))
            self._shown = min(len(self._entries), rows * self._columns)
            size = QSize(
                round(2 * pad + self._columns * step_x - look.icon_px(5)),
                round(2 * pad + title + rows * step_y),
            )
        else:
            self._columns = 1
            rows = self._shown = min(len(self._entries), int(high / self._row_high()))
            most = 0.6 * room.width() - 2 * pad
            fitting = (values for values in range(VALUES, 0, -1) if self._row_wide(values) <= most)
            self._values = next(fitting, 0)
            wide = min(self._row_wide(self._values), most) + 2 * pad
            size = QSize(round(wide), round(2 * pad + title + rows * self._row_high()))
        if rows < 1 or self._shown < 1:
            return False
        self.resize(size)
        return True

    def _pad(self) -> int:
        return look.icon_px(7)

    def _side(self) -> int:
        return look.icon_px(46)

    def _step(self) -> tuple[float, float]:
        """From one picture to the next, across and down."""
        return self._side() + look.icon_px(5), self._side() + self._name_high() + look.icon_px(3)

    def _title_high(self) -> float:
        return QFontMetricsF(look.font(0.88, bold=True)).height() + look.icon_px(2)

    def _name_high(self) -> float:
        named = any(entry.item is not None and entry.item.label for entry in self._entries)
        return QFontMetricsF(look.font(0.85)).height() if named else 0.0

    def _row_high(self) -> float:
        return QFontMetricsF(look.font(0.92)).height() * 1.18

    def _row_wide(self, values: int) -> float:
        """How wide the rows are with so many numbers each."""
        bold, plain = QFontMetricsF(look.font(0.92, bold=True)), QFontMetricsF(look.font(0.88, tabular=True))
        title = QFontMetricsF(look.font(0.88, bold=True)).horizontalAdvance(tr(_("Nearest neighbours")))
        widest = [title]
        for entry in self._entries:
            numbers = plain.horizontalAdvance(_numbers(entry.item, values)) if entry.item is not None else 0.0
            name = bold.horizontalAdvance(_name(entry))
            widest.append(look.px(18) + name + (look.px(12) + numbers if numbers else 0.0))
        return max(widest)

    def place(self, entry: int) -> QRectF:
        """Where an entry is."""
        pad, top = self._pad(), self._pad() + self._title_high()
        row, column = divmod(entry, self._columns)
        if self._with_pictures:
            step_x, step_y = self._step()
            return QRectF(pad + column * step_x, top + row * step_y, self._side(), step_y - look.icon_px(3))
        return QRectF(pad, top + row * self._row_high(), self.width() - 2 * pad, self._row_high())

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
            font = look.font(0.88, bold=True)
            metrics = QFontMetricsF(font)
            painter.setFont(font)
            painter.setPen(look.colour("quiet"))
            room = self.width() - 2 * self._pad()
            title = metrics.elidedText(tr(_("Nearest neighbours")), Qt.TextElideMode.ElideRight, room + 1)
            painter.drawText(QPointF(self._pad(), self._pad() + metrics.ascent()), title)
            painter.setOpacity(0.35 if self._waiting else 1.0)
            for i in range(self._shown):
                self._paint_entry(painter, self._entries[i], self.place(i))

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
        name = _name(entry)
        if name and self._name_high():
            font = look.font(0.85)
            painter.setFont(font)
            painter.setPen(look.colour("text"))
            short = QFontMetricsF(font).elidedText(name, Qt.TextElideMode.ElideRight, side + 1)
            under = QRectF(place.left(), frame.bottom(), side + 1, self._name_high())
            painter.drawText(under, Qt.AlignmentFlag.AlignCenter, short)

    def _paint_row(self, painter: QPainter, entry: Neighbour, place: QRectF) -> None:
        middle = place.center().y()
        at = QPointF(place.left() + look.px(6), middle)
        paint_mark(painter, at, look.px(4.5), entry.shape, entry.colour or look.colour("accent"))
        left = place.left() + look.px(16)
        bold, plain = look.font(0.92, bold=True), look.font(0.88, tabular=True)
        room = place.right() - left
        name_metrics, metrics = QFontMetricsF(bold), QFontMetricsF(plain)
        centred = Qt.AlignmentFlag.AlignVCenter
        name = name_metrics.elidedText(_name(entry), Qt.TextElideMode.ElideRight, room + 1)
        painter.setFont(bold)
        painter.setPen(look.colour("text"))
        painter.drawText(QRectF(left, place.top(), room + 1, place.height()), centred, name)
        taken = name_metrics.horizontalAdvance(name) + look.px(12)
        if entry.item is not None and self._values:
            painter.setFont(plain)
            painter.setPen(look.colour("quiet"))
            numbers = metrics.elidedText(
                _numbers(entry.item, self._values), Qt.TextElideMode.ElideRight, room - taken + 1
            )
            where = QRectF(left + taken, place.top(), room - taken + 1, place.height())
            painter.drawText(where, centred | Qt.AlignmentFlag.AlignRight, numbers)


def _name(entry: Neighbour) -> str:
    """What an entry is called: its label, or its number until that is known or when it has none."""
    if entry.item is not None and entry.item.label:
        return tr(entry.item.label)
    return number(entry.index)


def _numbers(item: Item, many: int) -> str:
    return "   ".join(f"{tr(name)} {number(value)}" for name, value in item.values[:many])
