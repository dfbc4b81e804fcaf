"""What a picture of points says of single ones: cards beside them, and a list of the nearest.

None of them covers another, nor the point it is about.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QPointF, QRectF, QSizeF, Signal
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QWidget

from desktop.panels import marks
from desktop.panels.axes import under_name
from desktop.panels.colour_bars import ColourBars
from desktop.panels.colouring import Colouring
from desktop.panels.legend import Legend
from desktop.panels.neighbours import MOST, Neighbour, Neighbours, free_corner
from desktop.panels.picture import Picture
from desktop.panels.plane import SAMPLE
from desktop.panels.scene import Scene
from desktop.panels.view import View
from desktop.selection import Selection
from desktop.style.tokens import look
from engine.api import Item

NEAR_WIDTH, NEAR_HEIGHT = 260, 180
"""Below this, in pixels at 100 %, lines and rings alone show the neighbours."""
COVERED = 1000.0
"""What it costs a list to cover the pinned point; it is rather not shown."""
CACHED_ITEMS = 512


class Cards(QObject):
    """``items`` are known so far, each with its picture. ``near`` is the list of the pinned one's neighbours,
    shown only in the very picture in which it was pinned.
    """

    ask = Signal(str, tuple)

    def __init__(
        self,
        selection: Selection,
        scene: Scene,
        view: View,
        colouring: Colouring,
        picture: Picture,
        bars: ColourBars,
        legend: Legend,
        widget: QWidget,
    ) -> None:
        super().__init__(widget)
        self._selection, self._scene, self._view, self._widget = selection, scene, view, widget
        self._colouring, self._picture, self._bars, self._legend = colouring, picture, bars, legend
        self.items: dict[int, tuple[Item, QImage | None]] = {}
        self._asked: set[int] = set()
        self.near = Neighbours(selection, widget)
        self.near.picked.connect(self.pin)
        self.pinned_here = -1
        """What has been pinned in this very picture."""
        self._corner = 0  # in which the list is
        self._asked_at = 0  # the step on screen when the neighbours were last asked for
        self.recorded: int | None = None
        """The recorded step whose state has found the neighbours; None: the present state has."""
        view.rested.connect(self._on_rested)
        selection.pinned.connect(self._on_pinned)

    # ── what is known ──

    def forget(self) -> None:
        """Another run."""
        self.pinned_here = -1
        self.forget_items()

    def forget_items(self) -> None:
        """What has been said of an item may be true of another one now."""
        self.items.clear()
        self._asked.clear()

    def want(self, item: int) -> None:
        """Ask what there is to say of ``item``, once."""
        if (
            item >= 0
            and self._scene.points is not None
            and item not in self.items
            and item not in self._asked
        ):
            if len(self._asked) > CACHED_ITEMS:
                self._asked.clear()
            self._asked.add(item)
            self.ask.emit("item", (item,))

    def take(self, item: Item) -> None:
        """The answer."""
        if len(self.items) >= CACHED_ITEMS:
            self.items.pop(next(iter(self.items)))
        self.items[item.index] = (item, marks.item_image(item))
        self._asked.discard(item.index)
        if item.index in self._selection.neighbours or item.index == self._selection.pin:
            self.list_near()
        self._widget.update()

    def pin(self, item: int) -> None:
        """Pin ``item`` by a click in this picture, and ask for its neighbours."""
        self.pinned_here = item
        self._selection.set_pin(item)
        self._ask_near()

    def _ask_near(self) -> None:
        self._asked_at = self._scene.step
        self.ask.emit("neighbours", (self.pinned_here,))

    def _on_rested(self) -> None:
        """Another recorded step may know other neighbours, and so may the present one again."""
        pinned = self.pinned_here >= 0 and self._selection.pin == self.pinned_here
        if pinned and (self._asked_at != self._scene.step if self._view.past else self.recorded is not None):
            self._ask_near()

    def met(self, recorded: int | None) -> None:
        """The neighbours have been found, by the state of a ``recorded`` step or by the present one."""
        if recorded != self.recorded:
            self.recorded = recorded
            self.list_near()

    def _on_pinned(self, item: int) -> None:
        self.want(item)
        if item != self.pinned_here:
            self.pinned_here = -1
        self.list_near()
        self._widget.update()

    # ── the list ──

    def list_near(self) -> None:
        """Show the neighbours of what was pinned here, as far as they are known."""
        points, found = self._scene.points, self._selection.neighbours
        if points is None or self.pinned_here < 0 or self._selection.pin != self.pinned_here:
            self.near.set_entries(())
            self.near.hide()
            return
        if not found:  # on their way
            self.near.wait()
            self.place_near()
            return
        entries = []
        for index in [i for i in found if i >= 0][:MOST]:
            roomy = self._widget.width() >= look.icon_px(NEAR_WIDTH)
            if roomy and index < max(len(points.xy), points.total or 0):
                self.want(index)
            item, image = self.items.get(index, (None, None))
            entries.append(Neighbour(index, item, image, *self._colouring.of(index)))
        self.near.set_entries(tuple(entries), self.recorded)
        self.place_near()

    def place_near(self) -> None:
        """Find a corner for the neighbours where they cover neither the pinned point nor its card."""
        near, plane = self.near, self._view.plane
        if self.pinned_here < 0 or not near.entries:
            return
        pin = self._picture.pixel(self._selection.pin)
        room = plane.rect.adjusted(4, 4, -4, -4)
        wide, high = self._widget.width(), self._widget.height()
        small = wide < look.icon_px(NEAR_WIDTH) or high < look.icon_px(NEAR_HEIGHT)
        if small or pin is None or not near.fit(room):
            near.hide()
            return
        room.setTop(room.top() + under_name(plane))
        present = self._corner if near.isVisible() else -1
        size, keep_out = QSizeF(near.size()), self._keep_out(pin)
        points = self._scene.xy()
        seen = plane.to_pixels(points[:: max(1, len(points) // SAMPLE)])  # (M, 2)
        self._corner, corner, price = free_corner(room, size, keep_out, present, seen)
        if price > COVERED / 2:
            near.hide()
            return
        near.move(corner.toPoint())
        near.show()
        near.raise_()

    def _keep_out(self, pin: QPointF) -> list[tuple[QRectF, float]]:
        """What the list is not to cover, each with its price."""
        reach = 1 + self._picture.dot + look.px(9)
        keep_out = [(QRectF(pin, pin).adjusted(-reach, -reach, reach, reach), COVERED)]
        if self._selection.pin in self.items:
            keep_out.append((self._card_box(self._selection.pin, pin, self._room()), 2.0))  # it gives way
        if not self._legend.isHidden():
            keep_out.append((QRectF(self._legend.geometry()), 15.0))
        keep_out += [(plate, 3.0) for __, plate in self._bars.placed()]
        others = map(self._picture.pixel, self._selection.neighbours)
        return keep_out + [(QRectF(at.x() - 2, at.y() - 2, 4, 4), 1.0) for at in others if at is not None]

    # ── the cards ──

    def paint(self, painter: QPainter, *, hovering: bool) -> None:
        """Of the pinned point, and of the one under the mouse if it is in this picture."""
        selection = self._selection
        shown = [selection.pin]
        if hovering and selection.hover != selection.pin and not self.near.over:
            shown.append(selection.hover)
        for item in shown:
            at = self._picture.pixel(item)
            if at is None or item not in self.items or not self._widget.rect().contains(at.toPoint()):
                continue
            strip = QRectF(self.near.geometry()) if self.near.isVisible() else QRectF()
            room: QRectF | None = self._room()
            if not strip.isNull() or item == selection.pin:
                room = self.room_beside(strip, item, at)
            if room is not None:
                marks.paint_card(painter, *self.items[item], at, self._picture.dot, room)

    def _card_box(self, item: int, at: QPointF, room: QRectF) -> QRectF:
        return marks.card_box(*self.items[item], at, self._picture.dot, room)

    def _room(self) -> QRectF:
        """For a card: everywhere but under the legend."""
        room = QRectF(self._widget.rect()).adjusted(4, 4, -4, -4)
        if self._legend.isVisible() and self._legend.width() < 0.3 * self._widget.width():
            room.setRight(self._legend.x() - 4.0)
        return room

    def room_beside(self, strip: QRectF, item: int, at: QPointF) -> QRectF | None:
        """The room for the card of ``item`` where it covers neither the ``strip`` nor its point, if any; that
        of the pinned one as little as can be of the lines to its neighbours.
        """
        lines = self._lines(at) if item == self._selection.pin else np.empty((0, 2))
        hull = QRectF(at, at)
        for x, y in lines.tolist():
            hull |= QRectF(x - 1, y - 1, 2, 2)
        best, found = math.inf, None
        for room in self._rooms(strip, hull):
            if room.width() <= look.px(60) or room.height() <= look.px(40):
                continue
            box = self._card_box(item, at, room)
            if box.intersects(strip) or box.contains(at):
                continue
            x, y = lines[:, 0], lines[:, 1]
            covered = int(((x > box.left()) & (x < box.right()) & (y > box.top()) & (y < box.bottom())).sum())
            if covered < best:
                best, found = covered, room
            if covered == 0:
                break
        return found

    def _rooms(self, strip: QRectF, hull: QRectF) -> list[QRectF]:
        """Everywhere, then beside the ``strip``, then also beside what the lines span; the largest first."""
        whole, gap = self._room(), self._picture.dot + 4
        rooms = [whole]
        free = [whole] if strip.isNull() else _around(whole, strip.adjusted(-4, -4, 4, 4))
        rooms += free
        for each in free:
            rooms += _around(each, hull.adjusted(-gap, -gap, gap, gap))
        return rooms

    def _lines(self, pin: QPointF) -> NDArray[np.float64]:
        """(M, 2) places, in pixels, along the lines from the pinned point to its neighbours."""
        ends = [at for at in map(self._picture.pixel, self._selection.neighbours) if at is not None]
        if not ends:
            return np.empty((0, 2))
        start = np.array([pin.x(), pin.y()])
        away = np.array([(at.x(), at.y()) for at in ends]) - start  # (K, 2)
        share = np.linspace(0, 1, 33)[:, None, None]
        along: NDArray[np.float64] = (start + share * away).reshape(-1, 2)
        return along


def _around(whole: QRectF, middle: QRectF) -> list[QRectF]:
    """What of ``whole`` lies above, below, before and after ``middle``, the largest first."""
    above, below, before, after = (QRectF(whole) for _side in range(4))
    above.setBottom(min(middle.top(), whole.bottom()))
    below.setTop(max(middle.bottom(), whole.top()))
    before.setRight(min(middle.left(), whole.right()))
    after.setLeft(max(middle.right(), whole.left()))
    return sorted((above, below, before, after), key=lambda r: -r.width() * r.height())
