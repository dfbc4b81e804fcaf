"""A cloud of points, from two to a million, that moves while something learns.

The points are one picture made by ``desktop.panels.raster``; axes and tints are another that changes
rarely; what lies on top (lines, centres, rings, cards) is painted each time. Only what has changed is made
again, and nothing at all while the panel is out of sight.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSizeF, Qt, QTimer, QVariantAnimation, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from desktop.controls.parts import IconButton
from desktop.language import _, language, number, say, tr
from desktop.panels import field, marks, raster, styles
from desktop.panels.colour_by import ColourButton
from desktop.panels.field import Bar
from desktop.panels.legend import Legend, class_colour, class_shape
from desktop.panels.marks import Gaussians
from desktop.panels.neighbours import MOST, Neighbour, Neighbours, free_corner
from desktop.panels.paint import Cloud, Painter, PaintTools
from desktop.panels.panel import Panel
from desktop.panels.plane import SAMPLE, Extent, Plane, extent, reached, roomy, ticks, union
from desktop.panels.raster import Pixels, Raster, Window
from desktop.panels.styles import Styles
from desktop.selection import Selection
from desktop.style import palettes
from desktop.style.tokens import look
from engine.api import Arrows, Colours, Ellipses, Field, Item, Markers, Points, Regions, Segments

L = TypeVar("L", Regions, Field, Ellipses, Markers, Segments, Arrows)

WRITES = 700_000
"""Pixels the disc kernel may write in a frame (about 8 ms); larger clouds are splatted."""
MIXED = 50_000
"""Up to here points are drawn in a shuffled order (above, in shuffled blocks, which is cheaper): no class
lies on top only because it came last."""
CROWDED = 0.3
"""Points per pixel from which it is worth counting how many share one."""
EASED = 5_000
"""Up to here points glide to their new places when steps are slow enough to be followed."""
FOLLOWED = 10
"""Steps a second that can be. Gliding at full speed would draw ten pictures for one that has been learned."""
HOVER_MS = 33
NEAR_WIDTH, NEAR_HEIGHT = 260, 180
"""Below this, in pixels at 100 %, lines and rings alone show the neighbours."""
COVERED = 1000.0
"""What it costs a list to cover the pinned point; it is rather not shown."""
CACHED_ITEMS = 512
BEYOND = 0.15
"""How far, in widths of the cloud, a map or an ellipse may widen the view beyond the points."""


class ScatterPanel(Panel):
    """Draws ``Points``, and lets a person paint on those that are the data themselves."""

    original = Signal()
    """The data shall be again as they were before anybody painted on them."""

    def __init__(self, title: str, selection: Selection, parent: QWidget | None = None) -> None:
        self.painter = Painter()
        self._canvas = Canvas(selection, self.painter)
        self.painter.setParent(self._canvas)
        self._payload: Points | None = None
        self._counts: tuple[int, int | None] = (0, None)
        super().__init__(title, parent)
        say(self._canvas.setAccessibleName, title)
        self._canvas.ask.connect(self.ask)
        self._canvas.act.connect(self.act)
        self.tools = PaintTools(self.painter)
        self.tools.hide()
        self.tools.original.connect(self._bring_back)
        self.brush = IconButton("brush", _("Paint your own points (B)"), size=15, pad=3, flat=True)
        self.brush.setCheckable(True)
        self.brush.hide()
        self.brush.clicked.connect(self.paint_data)
        self._selection = selection
        self.colour = ColourButton()
        self.colour.picked.connect(self._colour_by)
        selection.colours_changed.connect(self._on_colours)
        self.head.addWidget(self.colour)
        self.head.addWidget(self.brush)
        self.painter.switched.connect(self._on_switched)
        self.painter.changed.connect(self._on_painted)
        body = QWidget()
        row = QHBoxLayout(body)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.tools)
        row.addWidget(self._canvas, 1)
        self.set_body(body)

    @property
    def canvas(self) -> Canvas:
        return self._canvas

    def show_payload(self, payload: Points) -> None:
        self._payload = payload
        self.brush.setVisible(payload.classes is not None)
        self._meet()
        points = self.painter.shown(payload)
        self._count(points)
        self._canvas.show_points(points, self._step or 0)

    def _count(self, points: Points) -> None:
        counts = (len(points.xy), points.total)
        if counts != self._counts:
            self._counts = counts
            self._write_counts()

    def link(self, other: ScatterPanel) -> None:
        """Show the same part of the plane as ``other``, wherever both have the same axes."""
        self._canvas.link(other._canvas)

    def hide_legend(self) -> None:
        """Another picture beside this one has it."""
        self._canvas.names_colours = False

    # ── what the points are coloured by ──

    def set_colourings(self, colourings: Sequence[tuple[str, str]]) -> None:
        """What the points can be coloured by: names, each with its title."""
        self.colour.set_choices(colourings)
        self._on_colours()

    def _colour_by(self, name: str) -> None:
        if name != self._selection.colouring:
            self._selection.colour_by(name)
            if name:
                self.ask.emit("colours", (name,))

    def _on_colours(self) -> None:
        self.colour.set_current(self._selection.colouring)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_colour()

    def _fit_colour(self) -> None:
        self.colour.set_short(self.width() < look.icon_px(340))
        self.colour.dress()

    # ── painting ──

    @property
    def paintable(self) -> bool:
        """Whether its points are data that a person may paint on."""
        return self._payload is not None and self._payload.classes is not None

    def paint_data(self, on: bool) -> None:
        """Take the brush, or lay it down."""
        self.painter.switch(on and self.paintable)
        self.brush.setChecked(self.painter.on)

    def _meet(self) -> None:
        """The first picture of a run tells what there is to paint on; no data of the plane, no painting."""
        if self.painter.on and self._payload is not None:
            if self._payload.classes is None:
                self.painter.switch(False)
            else:
                self.painter.meet(Cloud(self._payload.xy, self._payload.classes))

    def _bring_back(self) -> None:
        self.painter.bring_back()
        self.original.emit()

    def _on_switched(self, on: bool) -> None:
        self.tools.setVisible(on)
        self.brush.setChecked(on)
        self._canvas.hold_brush(on)
        self._write_counts()
        self._meet()

    def _on_painted(self) -> None:
        if self._payload is not None:
            self._payload = self.painter.shown(self._payload)
            self._count(self._payload)
            self._canvas.put_points(self._payload)

    def answered(self, name: str, tag: object, value: object) -> None:
        if name == "item" and isinstance(value, Item):
            self._canvas.take_item(value)
        elif name == "neighbours" and value is not None:
            asked = tag[0] if isinstance(tag, tuple) and tag else self._canvas.pinned
            if asked == self._canvas.pinned:  # not of a point pinned before
                self._canvas.take_neighbours(tuple(int(i) for i in np.asarray(value).ravel()))
        elif name == "colours" and isinstance(value, Colours):
            asked = tag[0] if isinstance(tag, tuple) and tag else self._selection.colouring
            if asked and asked == self._selection.colouring:  # not what was chosen before
                self._selection.set_colours(value)

    def set_guest(
        self,
        xy: tuple[float, float] | None,
        trail: Sequence[tuple[float, float]] = (),
        *,
        elsewhere: bool = False,
    ) -> None:
        """A star for something that is not among the points, with where it has been, oldest first.

        elsewhere: it was found at another step than the one shown.
        """
        self._canvas.set_guest(xy, trail, elsewhere=elsewhere)

    def restyle(self) -> None:
        self._write_counts()
        self._fit_colour()
        self._canvas.restyle()

    def clear(self) -> None:
        self._counts = (0, None)
        self._payload = None
        self.painter.wait()
        self._canvas.show_points(None)

    def _write_counts(self) -> None:
        shown, total = self._counts
        if shown == 0 and self.painter.on:
            self.set_aside(_("paint some points"))
        elif total is not None and total > shown:
            self.set_aside(_("showing {n} of {total}", n=number(shown), total=number(total)))
        else:
            self.set_aside("")
        words = _("{n} points", n=number(shown))
        self._canvas.setAccessibleDescription(tr(words))


class Canvas(QWidget):
    """The picture and everything the mouse does on it."""

    ask = Signal(str, tuple)
    act = Signal(str, tuple)

    def __init__(self, selection: Selection, painter: Painter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection = selection
        self._painter = painter
        self._points: Points | None = None
        self._guest: tuple[NDArray[np.float64], bool] | None = None  # trail and place, and whether now
        # What is shown. home: the box that is framed while the person has not zoomed; None until there are
        # points.
        self._plane = Plane()
        self._twin: Canvas | None = None
        self.names_colours = True  # whether the legend is shown here, when there is anything to name
        self._home: Extent | None = None
        self._zoomed = False
        self._dot = 3.0
        # Pictures, and what made them out of date.
        self._raster: Raster | None = None
        self._image: QImage | None = None
        self._ground: QPixmap | None = None
        self._owner: NDArray[np.int32] | None = None
        self._order: NDArray[np.intp] | None = None
        self._styles: Styles | None = None
        self._coloured_by: Colours | None = None
        self._code: NDArray[np.uint8] = np.empty(0, np.uint8)
        self._disc_colours: tuple[object, Pixels] | None = None
        self._mixed: NDArray[np.intp] = np.empty(0, np.intp)
        self._stale_style = self._stale_points = True
        # Movement: from where points and centres glide, and to where the view does.
        self._before: NDArray[np.float32] | None = None
        self._marks_before: list[NDArray[np.float32]] = []
        self._ellipses: list[Gaussians] = []
        self._ellipses_before: list[Gaussians] = []
        self._arrived = 0.0
        self._step = 0
        self._flow = self._animation(200, self._on_flow)
        self._glide = self._animation(280, self._on_glide)
        self._glide.finished.connect(self._follow)  # the points may have gone on meanwhile
        self._glide_from: Extent | None = None
        self._glide_to: Extent | None = None
        # The mouse.
        self._mouse: QPointF | None = None
        self._pressed: QPointF | None = None
        self._gesture = ""  # "", "wait", "lasso", "box", "pan", "mark", "paint"
        self._track: list[QPointF] = []
        self._held: tuple[int, int] = (-1, -1)  # which Markers layer, which of its marks
        self._held_at: tuple[float, float] | None = None
        self._sent_at: tuple[float, float] | None = None
        self._moved = False
        self._hovered_at: QPointF | None = None
        self._hover_timer = QTimer(self, singleShot=True, interval=HOVER_MS)
        self._hover_timer.timeout.connect(self._on_hover_time)
        self._move_timer = QTimer(self, singleShot=True, interval=HOVER_MS)
        self._move_timer.timeout.connect(self._send_move)
        self._items: dict[int, tuple[Item, QImage | None]] = {}
        self._asked: set[int] = set()

        self._legend = Legend(selection, self)
        self._near = Neighbours(selection, self)
        self._near.picked.connect(self._pin)
        self._pinned_here = -1  # the item pinned in this very picture, which shows its neighbours
        self._corner = 0  # of the strip with the neighbours
        self._bar_corner: int | None = None  # of the bar of a map
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(80, 60)
        selection.changed.connect(self._restyle_points)
        selection.labels_changed.connect(self._restyle_points)
        selection.colours_changed.connect(self._on_colours)
        selection.hovered.connect(self._on_marked)
        selection.pinned.connect(self._on_pinned)

    def _animation(self, duration: int, slot: object) -> QVariantAnimation:
        animation = QVariantAnimation(self, startValue=0.0, endValue=1.0, duration=duration)
        animation.valueChanged.connect(slot)
        return animation

    # ── what to show ────────────────────────────────────────────────────────────────────────────────────────

    def show_points(self, points: Points | None, step: int = 0) -> None:
        """Keep ``points``, the picture of ``step``, and draw them when next in sight. None forgets the
        run.
        """
        if points is None:
            self._forget()
        else:
            self._set_off(points, step)
        former, self._points = self._points, points
        if (
            points is None
            or former is None
            or former.label is not points.label
            or former.other is not points.other
            or former.share is not points.share
            or len(former.xy) != len(points.xy)
        ):
            self._stale_style = True
        if former is None or points is None or _ground_parts(former) != _ground_parts(points):
            self._ground = None
        if self._gesture != "mark":
            self._held_at = None
        self._stale_points = True
        self._ellipses = [Gaussians.of(layer) for layer in _layers(points, Ellipses)]
        self._name_colours()
        if points is None:
            self._list_near()
        self._place_near()
        self.update()

    def put_points(self, points: Points) -> None:
        """Other points among the same lines and centres, at once: a hand has painted them."""
        self._points, self._before = points, None
        self._ellipses, self._ellipses_before = [Gaussians.of(e) for e in _layers(points, Ellipses)], []
        self._name_colours()
        self._stale_style = self._stale_points = True
        self._items.clear()  # what has been said of a point may be true of another one now
        self._asked.clear()
        if self._selection.items is not None or self._selection.pin >= 0:
            self._selection.select(None)
            self._selection.set_pin(-1)
        self.update()

    def hold_brush(self, on: bool) -> None:
        """The mouse paints, or does what it otherwise does."""
        if self._gesture == "paint":
            self._gesture = ""
        self._selection.set_hover(-1)
        self.setCursor(Qt.CursorShape.CrossCursor if on else Qt.CursorShape.ArrowCursor)
        self.update()

    def _forget(self) -> None:
        self._flow.stop()
        self._glide.stop()
        self._home, self._zoomed = None, False
        self._still()
        self._gesture, self._track, self._held, self._held_at = "", [], (-1, -1), None
        self._guest = None
        self._pinned_here = -1
        self._items.clear()
        self._asked.clear()

    def _set_off(self, points: Points, step: int) -> None:
        """Let points and centres glide from where they are seen now, if that can be followed."""
        now, former = time.monotonic(), self._points
        waited = now - self._arrived
        slow = waited > 0.1 and abs(step - self._step) <= FOLLOWED * waited
        self._arrived, self._step = now, step
        seen = self._xy() if former is not None else None
        seen_marks = [self._marks_xy(i) for i in range(len(_layers(former, Markers)))]
        seen_ellipses = self._ellipses_now()
        self._flow.stop()
        self._still()
        if look.reduce_motion or not slow or not self.isVisible() or former is None or seen is None:
            return
        if len(seen) > EASED or len(seen) != len(points.xy):
            return
        if not np.array_equal(seen, points.xy, equal_nan=True):
            self._before = seen
        new_marks = [layer.xy for layer in _layers(points, Markers)]
        same_marks = [a.shape for a in seen_marks] == [np.shape(b) for b in new_marks]
        marks_move = same_marks and any(
            not np.array_equal(a, b) for a, b in zip(seen_marks, new_marks, strict=True)
        )
        new_ellipses = [Gaussians.of(layer) for layer in _layers(points, Ellipses)]
        same_ellipses = [len(a.centre) for a in seen_ellipses] == [len(b.centre) for b in new_ellipses]
        turning = same_ellipses and any(
            not a.same(b) for a, b in zip(seen_ellipses, new_ellipses, strict=True)
        )
        if self._before is not None or marks_move or turning:
            self._marks_before = seen_marks if same_marks and self._held_at is None else []
            self._ellipses_before = seen_ellipses if turning else []
            self._flow.start()

    def _still(self) -> None:
        """Nothing is on its way any more."""
        self._before, self._marks_before, self._ellipses_before = None, [], []

    def _ellipses_now(self) -> list[Gaussians]:
        """Where the ellipses of every layer are seen now."""
        if len(self._ellipses_before) != len(self._ellipses):
            return self._ellipses
        t = _eased(float(self._flow.currentValue() or 0.0))
        return [a.towards(b, t) for a, b in zip(self._ellipses_before, self._ellipses, strict=True)]

    def _xy(self) -> NDArray[np.float32]:
        """(N, 2) where the points are seen now."""
        assert self._points is not None
        xy = self._points.xy
        if self._before is None or self._before.shape != xy.shape:
            return xy
        t = np.float32(_eased(float(self._flow.currentValue() or 0.0)))
        return self._before + (xy - self._before) * t

    def _marks_xy(self, layer: int) -> NDArray[np.float32]:
        """(K, 2) where the marks of the ``layer``-th Markers are seen now."""
        xy = np.asarray(_layers(self._points, Markers)[layer].xy, np.float32).reshape(-1, 2)
        if layer < len(self._marks_before) and self._marks_before[layer].shape == xy.shape:
            t = np.float32(_eased(float(self._flow.currentValue() or 0.0)))
            xy = self._marks_before[layer] + (xy - self._marks_before[layer]) * t
        if self._held[0] == layer and self._held_at is not None and self._held[1] < len(xy):
            xy = xy.copy()
            xy[self._held[1]] = self._held_at
        return xy

    def _on_flow(self, t: float) -> None:
        if t >= 1.0:
            moved = self._before is not None
            self._still()
            self._stale_points |= moved
            self._place_near()
        self._stale_points |= self._before is not None
        self.update()

    def set_guest(
        self, xy: tuple[float, float] | None, trail: Sequence[tuple[float, float]], *, elsewhere: bool
    ) -> None:
        if xy is None and self._guest is None:
            return
        self._guest = None if xy is None else (np.array([*trail, xy], np.float64), elsewhere)  # (T + 1, 2)
        self.update()

    def take_item(self, item: Item) -> None:
        if len(self._items) >= CACHED_ITEMS:
            self._items.pop(next(iter(self._items)))
        self._items[item.index] = (item, marks.item_image(item))
        self._asked.discard(item.index)
        if item.index in self._selection.neighbours or item.index == self._selection.pin:
            self._list_near()
        self.update()

    @property
    def pinned(self) -> int:
        return self._selection.pin

    def take_neighbours(self, items: tuple[int, ...]) -> None:
        if self._selection.pin >= 0:
            self._selection.set_neighbours(items)

    def restyle(self) -> None:
        """Colours, sizes or language are others now."""
        self._ground = None
        self._stale_style = self._stale_points = True
        self._legend.fit()
        self._lay_out()
        self._list_near()
        self.update()

    def _restyle_points(self) -> None:
        self._stale_style = self._stale_points = True
        self.update()

    def _on_marked(self, item: int) -> None:
        self.update()

    def _on_pinned(self, item: int) -> None:
        self._want_item(item)
        if item != self._pinned_here:
            self._pinned_here = -1
        self._list_near()
        self.update()

    def _pin(self, item: int) -> None:
        """Pin ``item`` by a click in this picture, and ask for its neighbours."""
        self._pinned_here = item
        self._selection.set_pin(item)
        self.ask.emit("neighbours", (item,))

    # ── the neighbours of the pinned point ──────────────────────────────────────────────────────────────────

    def _list_near(self) -> None:
        """Show the neighbours of what was pinned here, as far as they are known."""
        points, found = self._points, self._selection.neighbours
        if points is None or self._pinned_here < 0 or self._selection.pin != self._pinned_here:
            self._near.set_entries(())
            self._near.hide()
            return
        if not found:  # on their way
            self._near.wait()
            self._place_near()
            return
        entries = []
        for index in [i for i in found if i >= 0][:MOST]:
            if self.width() >= look.icon_px(NEAR_WIDTH) and index < max(len(points.xy), points.total or 0):
                self._want_item(index)
            item, image = self._items.get(index, (None, None))
            entries.append(Neighbour(index, item, image, *self._colour_of(index)))
        self._near.set_entries(tuple(entries))
        self._place_near()

    def _place_near(self) -> None:
        """Find a corner for the neighbours where they cover neither the pinned point nor its card."""
        near, plane = self._near, self._plane
        if self._pinned_here < 0 or not near.entries:
            return
        at = self._pixel(self._selection.pin)
        room = QRectF(plane.left, plane.top, plane.width, plane.height).adjusted(4, 4, -4, -4)
        small = self.width() < look.icon_px(NEAR_WIDTH) or self.height() < look.icon_px(NEAR_HEIGHT)
        if small or at is None or not near.fit(room):
            near.hide()
            return
        pin = QRectF(QPointF(*at), QSizeF(0, 0)).adjusted(-1, -1, 1, 1)
        reach = self._dot + look.px(9)
        keep_out = [(pin.adjusted(-reach, -reach, reach, reach), COVERED)]
        if self._selection.pin in self._items:
            item, image = self._items[self._selection.pin]
            card = marks.card_box(item, image, QPointF(*at), self._dot, self._card_room())
            keep_out.append((card, 20.0))
        if not self._legend.isHidden():
            keep_out.append((QRectF(self._legend.geometry()), 6.0))
        keep_out += [(plate, 3.0) for __, plate in self._bars()]
        for other in map(self._pixel, self._selection.neighbours):
            if other is not None:
                keep_out.append((QRectF(other[0] - 2, other[1] - 2, 4, 4), 1.0))
        if plane.width > look.px(260):
            room.setTop(room.top() + look.px(20))  # under the name of the axis
        present = self._corner if near.isVisible() else -1
        self._corner, corner, price = free_corner(room, QSizeF(near.size()), keep_out, present)
        if price > COVERED / 2:
            near.hide()
            return
        near.move(corner.toPoint())
        near.show()
        near.raise_()

    # ── what the colours mean ───────────────────────────────────────────────────────────────────────────────

    def _colouring(self) -> Colours | None:
        """The colours chosen for all panels, if the points of this one are the items they are for."""
        points, colours = self._points, self._selection.colours
        if points is None or colours is None:
            return None
        given = colours.label if colours.label is not None else colours.value
        if given is None or np.ndim(given) != 1 or len(given) not in (len(points.xy), points.total):
            return None
        return colours if len(given) >= len(points.xy) else None

    def _labels(self) -> NDArray[np.int32] | None:
        """(N,) the label in whose colour each point is shown, if they have any."""
        points, colouring = self._points, self._colouring()
        if points is None:
            return None
        label = points.label if colouring is None else colouring.label
        return label[: len(points.xy)] if label is not None and len(label) >= len(points.xy) else None

    def _on_colours(self) -> None:
        self._name_colours()
        self._restyle_points()
        self._list_near()
        self._lay_out()

    def _colour_of(self, item: int) -> tuple[QColor | None, int]:
        """In which colour and shape a point is shown when nothing is selected; None when all are alike."""
        label, bar = self._labels(), self._value_bar()
        colouring = self._colouring()
        if bar is not None and colouring is not None and colouring.value is not None:
            known = item < len(colouring.value) and math.isfinite(colouring.value[item])
            return bar.colour(float(colouring.value[item])) if known else look.colour("quiet"), 0
        if label is None or item >= len(label):
            return None, 0
        return class_colour(int(label[item])), class_shape(int(label[item]))

    def _name_colours(self) -> None:
        """The legend says what the colours mean that are seen now."""
        points, colouring = self._points, self._colouring()
        names = points.names if points is not None else ()
        if colouring is not None:
            names = colouring.names if colouring.label is not None else ()
        self._legend.set_names(tuple(names) if len(names) > 1 and self.names_colours else ())

    def _value_bar(self) -> Bar | None:
        """The bar of points that are coloured by a number."""
        colouring = self._colouring()
        if colouring is None or colouring.label is not None or colouring.value is None:
            return None
        hover = self._selection.hover
        at = float(colouring.value[hover]) if 0 <= hover < len(colouring.value) else None
        low, high = map(float, colouring.limits)
        return Bar(colouring.title, low, high, palettes.ramp(look.dark), at)

    def _bars(self) -> list[tuple[Bar, QRectF]]:
        """Every colour bar there is room for, and where: of the points above, of a map below, both right."""
        plane, found = self._plane, []
        bar = self._value_bar()
        if bar is not None and plane.width >= look.icon_px(120) and plane.height >= look.icon_px(90):
            if bar.size(plane.width).height() > 0.45 * plane.height:
                bar = replace(bar, title="")
            size = bar.size(plane.width)
            found.append((bar, QRectF(QPointF(plane.left + plane.width - size.width(), plane.top), size)))
        maps = [layer for layer in _layers(self._points, Field) if field.is_sound(layer)]
        if maps and plane.width >= look.icon_px(250) and plane.height >= look.icon_px(170):
            below = field.field_bar(maps[-1])
            found.append((below, self._map_corner(below.size(plane.width))))
        return found

    def _map_corner(self, size: QSizeF) -> QRectF:
        """Where the bar of a map lies: in the corner with fewest points, until the picture is framed anew."""
        plane = self._plane
        left, right = plane.left, plane.left + plane.width - size.width()
        low = plane.top + plane.height - size.height()
        high = plane.top + (look.px(20) if plane.width > look.px(260) else 0)  # under the name of the axis
        plates = [QRectF(QPointF(*at), size) for at in ((right, low), (left, low), (left, high))]
        if self._bar_corner is None and self._points is not None:
            some = self._points.xy[:: max(1, len(self._points.xy) // SAMPLE)]
            x, y = plane.to_pixels(some).T  # (M,) each
            inside = []
            for p in plates:
                within = (x >= p.left()) & (x <= p.right()) & (y >= p.top()) & (y <= p.bottom())
                inside.append(int(within.sum()))
            self._bar_corner = int(np.argmin(inside))
        return plates[self._bar_corner or 0]

    def _corner_size(self) -> QSizeF:
        """What the legend, or the bar in its place, takes of the upper right corner."""
        if not self._legend.isHidden():
            return QSizeF(self._legend.size())
        bar = self._value_bar()
        return bar.size(self._plane.width) if bar is not None else QSizeF(0, 0)

    def _want_item(self, item: int) -> None:
        if item >= 0 and self._points is not None and item not in self._items and item not in self._asked:
            if len(self._asked) > CACHED_ITEMS:
                self._asked.clear()
            self._asked.add(item)
            self.ask.emit("item", (item,))

    # ── the view ────────────────────────────────────────────────────────────────────────────────────────────

    def link(self, other: Canvas) -> None:
        """Show the same part of the plane as ``other``, wherever both have the same axes."""
        self._twin, other._twin = other, self

    def _alike(self) -> Canvas | None:
        """The other picture with the same axes, if there is one."""
        twin = self._twin
        if twin is None or twin._points is None or self._points is None or not self._measured():
            return None
        return twin if twin._points.axes == self._points.axes else None

    def _measured(self) -> bool:
        """Whether its axes mean something. Those of a map do not: only who is near whom."""
        return self._points is not None and any(self._points.axes)

    def fit(self) -> None:
        """Show everything again."""
        for canvas in (self, self._alike()):
            box = None if canvas is None else canvas._data_box()
            if canvas is not None and box is not None:
                canvas._zoomed = False
                canvas._go_to(roomy(box))

    def _data_box(self) -> Extent | None:
        """Where points, centres and arrows lie, and a little of what reaches beyond them: here, and in a
        picture with the same axes.
        """
        twin, own = self._alike(), self._own_box()
        other = None if twin is None else twin._own_box()
        return union(own, other) if own is not None and other is not None else own

    def _own_box(self) -> Extent | None:
        if self._points is None:
            return None
        found = extent(self._points.xy)
        wider: list[Extent] = []
        seen = 0
        for layer in self._points.layers:
            parts: list[NDArray[np.float32]] = []
            box: Extent | None = None
            if isinstance(layer, Markers):
                parts = [layer.xy]
            elif isinstance(layer, Arrows):
                parts = [layer.start, layer.end]
            elif isinstance(layer, Field):
                box = field.box(layer)
            elif isinstance(layer, Ellipses):
                box = self._ellipses[seen].box(max(layer.at, default=1.0))
                seen += 1
            if box is not None:
                wider.append(box)
            for part in parts:
                box = extent(np.asarray(part).reshape(-1, 2))
                if box is not None:
                    found = box if found is None else union(found, box)
        return reached(found, wider, BEYOND)

    def _follow(self) -> None:
        """Frame the first points; later leave the view alone unless they leave it by more than a fifth.

        A map, which has no axes to be read, is followed more closely, also when it shrinks.
        """
        if self._home is not None and (
            self._zoomed or self._gesture == "paint" or self._glide.state() == QVariantAnimation.State.Running
        ):
            return
        box = self._data_box()
        if box is None:
            return
        if self._home is None:
            self._home = roomy(box)
            self._lay_out()
            twin = self._alike()
            if twin is not None and not twin._zoomed:
                twin._home = self._home
                twin._lay_out()
            return
        x0, x1, y0, y1 = self._plane.extent
        over = max((x0 - box[0], box[1] - x1)) / (x1 - x0), max((y0 - box[2], box[3] - y1)) / (y1 - y0)
        fills = max((box[1] - box[0]) / (x1 - x0), (box[3] - box[2]) / (y1 - y0))
        if not self._measured() and (max(over) > 0.01 or fills < 0.5):
            self._go_to(roomy(box, 0.12))
        elif max(over) > 0.2:
            self._go_to(union(self._home, roomy(box, 0.15)))

    def _go_to(self, home: Extent) -> None:
        if self._home is None or look.reduce_motion or not self.isVisible():
            self._home = home
            self._lay_out()
            return
        self._glide_from, self._glide_to = self._home, home
        self._glide.stop()
        self._glide.start()

    def _on_glide(self, t: float) -> None:
        if self._glide_from is None or self._glide_to is None or self._zoomed:
            return
        s = _eased(t)
        a, b = self._glide_from, self._glide_to
        x0, x1, y0, y1 = (p + (q - p) * s for p, q in zip(a, b, strict=True))
        self._home = b if t >= 1.0 else (x0, x1, y0, y1)
        self._lay_out()

    def _see(self, plane: Plane) -> None:
        self._plane = plane
        for canvas in (self, self._alike()):
            if canvas is not None:
                canvas._plane = replace(canvas._plane, wish=plane.wish)
                canvas._zoomed = True
                canvas._lay_out()

    def _lay_out(self) -> None:
        """Find room for the axes, then frame home in what is left."""
        equal = self._points.equal if self._points is not None else self._plane.equal
        font = QFontMetricsF(look.font(0.88, tabular=True))
        left = bottom = float(look.px(2))
        if self._with_axes():
            bottom = math.ceil(font.height() + look.px(4))
        high = max(self.height() - bottom - look.px(2), 1.0)
        plane = replace(
            self._plane, left=left, top=float(look.px(2)), width=max(self.width() - left, 1.0), height=high
        )
        plane = self._framed(replace(plane, equal=equal))
        grain = look.px(8)  # so that the picture does not shift at every other digit
        for _pass in range(2 if self._with_axes() else 0):  # less width may bring other ticks, and wider ones
            texts = self._tick_texts(plane.extent[2:], plane.height)
            widest = max((font.horizontalAdvance(text) for __, text in texts), default=0.0)
            left = max(left, float(math.ceil((widest + look.px(6)) / grain) * grain))
            plane = self._framed(replace(plane, left=left, width=max(self.width() - left - look.px(2), 1.0)))
        self._plane = plane
        self._ground = None
        self._stale_points = True
        if not self._zoomed:
            self._bar_corner = None
        self._place_near()
        self.update()

    def _framed(self, plane: Plane) -> Plane:
        """Home fills the picture and leaves the legend its corner, if the picture is wide enough for both."""
        if self._zoomed or self._home is None:
            return plane
        x0, x1, y0, y1 = self._home
        taken = self._corner_size()
        corner = taken.width()
        above = (plane.height - (y1 - y0) * plane.width / (x1 - x0)) / 2 if plane.equal else 0.0
        if corner > 0.3 * plane.width or above >= taken.height():  # no room beside, or enough above
            corner = 0.0
        room = plane.width - corner
        sx, sy = room / (x1 - x0), plane.height / (y1 - y0)
        if plane.equal:
            sx = sy = min(sx, sy)
        slack = (plane.width - (x1 - x0) * sx) / 2
        shift = min(max(corner - slack, 0.0), corner / 2) / sx
        cx, cy = (x0 + x1) / 2 + shift, (y0 + y1) / 2
        half_x, half_y = plane.width / 2 / sx, plane.height / 2 / sy
        return replace(plane, wish=(cx - half_x, cx + half_x, cy - half_y, cy + half_y))

    def _with_axes(self) -> bool:
        return self._measured() and self.width() >= look.px(150) and self.height() >= look.px(110)

    def _tick_texts(self, span: tuple[float, ...], pixels: float) -> list[tuple[float, str]]:
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

    # ── pictures ────────────────────────────────────────────────────────────────────────────────────────────

    def paintEvent(self, event: QPaintEvent) -> None:
        points = self._points
        if points is None or self.width() < 4 or self.height() < 4:
            with QPainter(self) as painter:
                painter.fillRect(self.rect(), look.colour("surface"))
            return
        self._follow()
        if self._stale_points:
            self._draw_points()
        if self._ground is None:
            self._ground = self._draw_ground()
        # ``with`` also when something raises: a painter left open takes the whole program down.
        with QPainter(self) as painter:
            painter.drawPixmap(0, 0, self._ground)
            self._paint_layers(painter, points)
            self._paint_gesture(painter)
            painter.setClipping(False)
            for bar, plate in self._bars():
                bar.paint(painter, plate)
            self._paint_cards(painter)

    def _paint_layers(self, painter: QPainter, points: Points) -> None:
        """Lines, points, ellipses, rings, arrows and centres, from below to the top."""
        plane = self._plane
        painter.setClipRect(QRectF(plane.left, plane.top, plane.width, plane.height))
        ellipses = list(zip(_layers(points, Ellipses), self._ellipses_now(), strict=True))
        for layer, now in ellipses:
            marks.paint_ellipse_grounds(painter, plane, layer, now)
        for lines in _layers(points, Segments):
            marks.paint_segments(painter, plane, lines)
        if self._image is not None and self._raster is not None:
            shift = -self._raster.pad / self.devicePixelRatioF()
            painter.drawImage(QPointF(shift, shift), self._image)
        for layer, now in ellipses:
            marks.paint_ellipses(painter, plane, layer, now)
        self._paint_chosen(painter)
        seen = 0
        for each in points.layers:
            if isinstance(each, Arrows):
                marks.paint_arrows(painter, plane, each)
            elif isinstance(each, Markers):
                xy = self._marks_xy(seen)
                marks.paint_trails(painter, plane, each, xy)
                marks.paint_markers(painter, plane, each, xy, self._held[1] if self._held[0] == seen else -1)
                seen += 1
        if self._guest is not None:
            marks.paint_guest(painter, plane, self._guest[0], elsewhere=self._guest[1])

    def _draw_ground(self) -> QPixmap:
        """Plot area, tints, grid, ticks and the names of the axes."""
        ratio = self.devicePixelRatioF()
        ground = QPixmap((QSizeF(self.size()) * ratio).toSize())
        ground.setDevicePixelRatio(ratio)
        ground.fill(look.colour("surface"))
        plane = self._plane
        plot = QRectF(plane.left, plane.top, plane.width, plane.height)
        with QPainter(ground) as painter:
            painter.fillRect(plot, look.colour("plot"))
            painter.setClipRect(plot)
            for layer in self._points.layers if self._points is not None else ():
                if isinstance(layer, Regions):
                    marks.paint_regions(painter, plane, layer)
                elif isinstance(layer, Field):
                    field.paint_field(painter, plane, layer)
            painter.setClipping(False)
            if self._with_axes():
                self._paint_axes(painter, plot)
        return ground

    def _paint_axes(self, painter: QPainter, plot: QRectF) -> None:
        assert self._points is not None
        plane, quiet = self._plane, look.colour("quiet")
        font, name_font = look.font(0.88, tabular=True), look.font(0.88, bold=True)
        metrics, name_metrics = QFontMetricsF(font), QFontMetricsF(name_font)
        seen = plane.extent
        x_name, y_name = (tr(name) for name in self._points.axes)
        x_wide = name_metrics.horizontalAdvance(x_name)
        grid = QPen(look.colour("grid"), 1)
        tinted = any(isinstance(layer, (Regions, Field)) for layer in self._points.layers)
        painter.setFont(font)
        row = plot.bottom() + look.px(3)
        end = plot.left() - look.px(6)
        for value, text in self._tick_texts(seen[:2], plane.width):
            x = plane.to_pixel(value, seen[2])[0]
            if not tinted:
                painter.setPen(grid)
                painter.drawLine(QPointF(round(x), plot.top()), QPointF(round(x), plot.bottom()))
            wide = metrics.horizontalAdvance(text)
            if x - wide / 2 >= end and x + wide / 2 < plot.right() - x_wide - look.px(14):
                end = x + wide / 2 + look.px(10)  # a long number makes its neighbour stay away
                painter.setPen(quiet)
                painter.drawText(QPointF(x - wide / 2, row + metrics.ascent()), text)
        for value, text in self._tick_texts(seen[2:], plane.height):
            y = plane.to_pixel(seen[0], value)[1]
            if not tinted:
                painter.setPen(grid)
                painter.drawLine(QPointF(plot.left(), round(y)), QPointF(plot.right(), round(y)))
            if plot.top() + metrics.capHeight() / 2 <= y <= plot.bottom():
                painter.setPen(quiet)
                where = QPointF(
                    plot.left() - look.px(5) - metrics.horizontalAdvance(text), y + metrics.capHeight() / 2
                )
                painter.drawText(where, text)
        painter.setFont(name_font)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(quiet)
        painter.drawText(QPointF(plot.right() - x_wide - look.px(2), row + metrics.ascent()), x_name)
        if plot.width() > look.px(260):
            at = QPointF(plot.left() + look.px(6), plot.top() + name_metrics.ascent() + look.px(2))
            marks.paint_text(painter, at, y_name, quiet, look.colour("plot"))

    def _draw_points(self) -> None:
        points, ratio = self._points, self.devicePixelRatioF()
        assert points is not None
        self._stale_points = False
        self._owner = None
        xy = self._xy()
        n = len(xy)
        changed = self._stale_style or self._coloured_by is not self._colouring()
        if changed or self._styles is None or len(self._styles.row) != n:
            self._styles = self._find_styles()
        looks = self._styles
        self._dot = self._dot_radius(n)
        radius = round(self._dot * ratio * 4) / 4
        halo = 0.9 * ratio if n <= 3000 else 0.0
        many = n * math.pi * (radius + halo + 0.7) ** 2 > WRITES
        dots = None if many else raster.stamp(radius, halo)
        spread = max(0, round(radius - 1.5)) if many else 0
        pad = spread + 3 if dots is None else 2 * dots.reach + 2
        wide, high = math.ceil(self.width() * ratio), math.ceil(self.height() * ratio)
        shape = (high + 2 * pad, wide + 2 * pad)
        if self._raster is None or self._raster.pad != pad or self._raster.shape != shape:
            self._raster = Raster(wide, high, pad)
            image = self._raster.image
            self._image = QImage(
                image.data, shape[1], shape[0], shape[1] * 4, QImage.Format.Format_ARGB32_Premultiplied
            )
        assert self._image is not None
        self._image.setDevicePixelRatio(ratio)
        plane = self._plane
        (cx, cy), (sx, sy) = plane.centre, plane.scale
        corner = (cx - (plane.left + plane.width / 2) / sx, cy + (plane.top + plane.height / 2) / sy)
        self._raster.place(
            xy, Window(*corner, sx * ratio, sy * ratio), reach=dots.reach if dots is not None else 0
        )
        if dots is not None:
            order = self._order if self._order is not None else np.arange(n)
            self._raster.discs(looks.row.astype(np.intp), looks.shape, order, dots, self._disc_table(halo))
        else:
            crowd = round(len(self._code) * (2 * spread + 1) ** 2 / (wide * high), 1)
            colours, shades = raster.splat_colours(*self._deepening(), crowd if crowd > CROWDED else None)
            self._raster.splat(self._code, self._order, spread, shades, colours)

    def _disc_table(self, halo: float) -> Pixels:
        """What every level of every colour looks like; the same as long as the colours are."""
        assert self._styles is not None
        key = (look.theme, halo)
        if self._disc_colours is None or self._disc_colours[0] != key:
            ground = styles.rgb(look.colour("plot"))
            self._disc_colours = (key, raster.disc_colours(self._styles.colours, ground, halo))
        return self._disc_colours[1]

    def _dot_radius(self, n: int) -> float:
        """Fewer points are larger; in projector mode up to 5,000 of them are at least 8 pixels wide."""
        room = min(max(math.sqrt(self.width() * self.height() / 350_000) / look.factor**0.5, 0.75), 1.25)
        radius: float = min(max(4.6 * (300 / max(n, 1)) ** 0.22, 0.8), 5.2) * room * look.factor
        return max(radius, 4.2) if look.projector and n <= 5000 else radius

    def _deepening(self) -> tuple[bytes, bytes]:
        """The colours of a splat and what they become where points crowd: nearer to the ink."""
        assert self._styles is not None
        colours = self._styles.coarse
        deep = colours + (float(look.dark) - colours) * 0.28
        deep[styles.FADED] = colours[styles.FADED]
        return colours.tobytes(), deep.tobytes()

    def _find_styles(self) -> Styles:
        """The look of every point, and the order of drawing: faded ones first, hidden ones not at all."""
        points, selection = self._points, self._selection
        assert points is not None
        n = len(points.xy)
        label, colouring = self._labels(), self._colouring()
        blend = None
        if colouring is not None and colouring.label is None and colouring.value is not None:
            found = styles.by_value(colouring.value[:n], colouring.limits)
        elif colouring is None and label is not None and n <= MIXED:
            blend = self._blend(n)
            found = styles.by_label(label, n) if blend is None else styles.by_share(label, *blend)
        else:
            found = styles.by_label(label, n)
        faded = np.zeros(n, bool)
        if selection.items is not None:
            faded[:] = True
            faded[selection.items[(selection.items >= 0) & (selection.items < n)]] = False
        if selection.lit is not None and label is not None:
            unlit = label != selection.lit
            if blend is not None:  # what has some of the colour is not out of it
                unlit &= (blend[0] != selection.lit) | (blend[1] > 1 - 0.5 / styles.SHARES)
            faded |= unlit
        found.fade(faded)
        order: NDArray[np.intp] | None = None
        if n <= MIXED:
            if len(self._mixed) != n:
                self._mixed = np.random.default_rng(0).permutation(n)
            order = self._mixed
        if faded.any():
            every = order if order is not None else np.arange(n)
            last = ~faded[every]
            order = np.concatenate([every[~last], every[last]])
        if selection.hidden and label is not None:
            every = order if order is not None else np.arange(n)
            order = every[~np.isin(label[every], list(selection.hidden))]
        self._order, self._stale_style, self._disc_colours = order, False, None
        self._coloured_by = colouring
        self._code = raster.mixed(found.code) if order is None else found.code[order]
        return found

    def _blend(self, n: int) -> tuple[NDArray[np.int32], NDArray[np.float32]] | None:
        """The second label of every point and the share of its first, (n,) each, where there are such."""
        assert self._points is not None
        other, share = self._points.other, self._points.share
        if other is None or share is None or len(other) != n or len(share) != n or n == 0:
            return None
        return other, share

    def _is_hidden(self, item: int) -> bool:
        label = self._labels()
        return label is not None and item < len(label) and int(label[item]) in self._selection.hidden

    def _pixel(self, item: int) -> tuple[float, float] | None:
        """Where a point is seen, or None when it is not."""
        points = self._points
        if points is None or not 0 <= item < len(points.xy) or self._is_hidden(item):
            return None
        x, y = points.xy[item].tolist()
        if self._before is not None and self._before.shape == points.xy.shape:
            t = _eased(float(self._flow.currentValue() or 0.0))
            bx, by = self._before[item].tolist()
            x, y = bx + (x - bx) * t, by + (y - by) * t
        if not (math.isfinite(x) and math.isfinite(y)):
            return None
        return self._plane.to_pixel(x, y)

    def _paint_chosen(self, painter: QPainter) -> None:
        """Rings round the pinned point and the one under the mouse, and lines to the neighbours."""
        selection = self._selection
        pin = self._pixel(selection.pin)
        if pin is not None:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            found = [at for at in map(self._pixel, selection.neighbours) if at is not None]
            for colour, width in ((look.colour("plot"), look.px(4)), (look.colour("accent"), look.px(2))):
                painter.setPen(QPen(marks.with_alpha(colour, 0.85), width))
                for at in found:
                    painter.drawLine(QPointF(*pin), QPointF(*at))
            for at in found:
                painter.setPen(QPen(look.colour("plot"), look.px(1.5)))
                painter.setBrush(look.colour("accent"))
                painter.drawEllipse(QPointF(*at), max(self._dot, look.px(3.5)), max(self._dot, look.px(3.5)))
            marks.paint_ring(painter, *pin, self._dot, strong=True)
        hover = self._pixel(selection.hover) if selection.hover != selection.pin else None
        if hover is not None:
            marks.paint_ring(painter, *hover, self._dot, strong=False)

    def _paint_cards(self, painter: QPainter) -> None:
        if self._gesture not in ("", "wait") or self._painter.on:
            return
        selection = self._selection
        shown = [selection.pin]
        if self._mouse is not None and selection.hover != selection.pin and not self._near.over:
            shown.append(selection.hover)
        for item in shown:
            at = self._pixel(item)
            if at is None or item not in self._items or not self.rect().contains(QPointF(*at).toPoint()):
                continue
            room: QRectF | None = self._card_room()
            if self._near.isVisible():
                room = self._room_beside(QRectF(self._near.geometry()), item, QPointF(*at))
            if room is None:
                continue
            marks.paint_card(painter, *self._items[item], QPointF(*at), self._dot, room)

    def _card_room(self) -> QRectF:
        room = QRectF(self.rect()).adjusted(4, 4, -4, -4)
        if self._legend.isVisible() and self._legend.width() < 0.3 * self.width():
            room.setRight(self._legend.x() - 4.0)
        return room

    def _room_beside(self, strip: QRectF, item: int, at: QPointF) -> QRectF | None:
        """The room for the card of ``item`` where it covers neither the ``strip`` nor its point, if any."""
        whole = self._card_room()
        above, below, before, after = (QRectF(whole) for _side in range(4))
        above.setBottom(strip.top() - 4)
        below.setTop(strip.bottom() + 4)
        before.setRight(strip.left() - 4)
        after.setLeft(strip.right() + 4)
        for room in (whole, *sorted((above, below, before, after), key=lambda r: -r.width() * r.height())):
            if room.width() > look.px(60) and room.height() > look.px(40):
                box = marks.card_box(*self._items[item], at, self._dot, room)
                if not box.intersects(strip) and not box.contains(at):
                    return room
        return None

    def _paint_gesture(self, painter: QPainter) -> None:
        if self._painter.ready and self._mouse is not None:
            self._painter.paint_circle(painter, self._mouse)
        if self._gesture not in ("lasso", "box") or len(self._track) < 2:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        accent = look.colour("accent")
        painter.setPen(QPen(accent, look.px(2), Qt.PenStyle.DashLine))
        painter.setBrush(marks.with_alpha(accent, 0.10))
        painter.drawPolygon(self._outline())

    def _outline(self) -> QPolygonF:
        """What the lasso or the box encloses."""
        if self._gesture == "box":
            return QPolygonF(QRectF(self._track[0], self._track[-1]).normalized())
        return QPolygonF(self._track)

    # ── mouse and keys ──────────────────────────────────────────────────────────────────────────────────────

    def _point_at(self, at: QPointF) -> int:
        """The point within reach of the mouse, or -1."""
        if self._raster is None or self._points is None or len(self._raster.flat) != len(self._points.xy):
            return -1
        if self._owner is None:
            self._owner = self._raster.owners(self._order)
        ratio = self.devicePixelRatioF()
        return self._raster.nearest(self._owner, at.x() * ratio, at.y() * ratio, round(look.px(12) * ratio))

    def _mark_at(self, at: QPointF) -> tuple[int, int]:
        """(layer, index) of the movable centre under the mouse, or (-1, -1)."""
        best, found = max(marks.marker_radius() + look.px(3), 12.0), (-1, -1)
        for i, layer in enumerate(_layers(self._points, Markers)):
            if layer.movable and len(layer.xy):
                away = self._plane.to_pixels(self._marks_xy(i)) - (at.x(), at.y())
                distance = np.nan_to_num(np.hypot(away[:, 0], away[:, 1]), nan=np.inf)
                if distance.min() <= best:
                    best, found = float(distance.min()), (i, int(distance.argmin()))
        return found

    def _movable(self) -> bool:
        return any(layer.movable for layer in _layers(self._points, Markers))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at, button = event.position(), event.button()
        if self._points is None or self._gesture:
            return
        self._pressed, self._moved, self._track = at, False, [at]
        with_ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if button in (Qt.MouseButton.MiddleButton, Qt.MouseButton.RightButton) or with_ctrl:
            self._gesture = "pan"
        elif button == Qt.MouseButton.LeftButton and self._painter.on:
            if self._painter.ready and self._in_plot(at):
                self._gesture = "paint"
                self._painter.press(self._plane.to_data(at.x(), at.y()), self._plane.scale)
        elif button == Qt.MouseButton.LeftButton:
            self._held = self._mark_at(at)
            if self._held[0] >= 0:
                self._gesture = "mark"
                self._flow.stop()
                self._still()
                self._stale_points = True
                self.setCursor(Qt.CursorShape.ClosedHandCursor)
            else:
                self._gesture = "wait"
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        self._mouse = at
        if self._gesture == "wait" and (at - self._track[0]).manhattanLength() > 5:
            self._gesture = "box" if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else "lasso"
            self._selection.set_hover(-1)
        if self._gesture in ("lasso", "box"):
            self._track.append(at)
            self.update()
        elif self._gesture == "pan" and self._pressed is not None:
            step, self._pressed = at - self._pressed, at
            if not step.isNull():
                self._moved = True
                self._glide.stop()
                self._see(self._plane.panned(step.x(), step.y()))
        elif self._gesture == "mark":
            self._moved = True
            self._held_at = self._plane.to_data(at.x(), at.y())
            if not self._move_timer.isActive():
                self._send_move()
            self.update()
        elif self._painter.on:
            if self._gesture == "paint":
                self._painter.move(self._plane.to_data(*self._in_sight(at)))
            self.update()
        elif not self._gesture and not self._hover_timer.isActive():
            self._hover()

    def _hover(self) -> None:
        """Tell everybody which point is under the mouse, at most 30 times a second."""
        self._hover_timer.start()
        if self._mouse is None or self._gesture:
            return
        on_mark = self._mark_at(self._mouse)[0] >= 0
        item = -1 if on_mark else self._point_at(self._mouse)
        self._selection.set_hover(item)
        self._want_item(item)
        shape = Qt.CursorShape.OpenHandCursor if on_mark else Qt.CursorShape.ArrowCursor
        if self.cursor().shape() != shape:
            self.setCursor(shape)
        self._hovered_at = self._mouse

    def _on_hover_time(self) -> None:
        elsewhere = self._painter.on or self._near.over
        if self._mouse is not None and self._mouse != self._hovered_at and not elsewhere:
            self._hover()

    def _send_move(self) -> None:
        """The held centre is here now; at most 30 times a second."""
        if self._held_at is not None and self._gesture == "mark" and self._held_at != self._sent_at:
            self._sent_at = self._held_at
            self._move_timer.start()
            self.act.emit("move", (self._held[1], *self._held_at))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        gesture, at = self._gesture, event.position()
        if gesture == "paint":
            self._painter.move(self._plane.to_data(*self._in_sight(at)))
            self._painter.release()
        elif gesture == "mark":
            self._move_timer.stop()
            if self._moved:
                self._held_at = self._plane.to_data(at.x(), at.y())
                self.act.emit("move", (self._held[1], *self._held_at))
            self._sent_at = None
            self.setCursor(Qt.CursorShape.OpenHandCursor)
        elif gesture in ("lasso", "box"):
            self._track.append(at)
            chosen = self._enclosed(self._outline())
            self._gesture = ""
            self._selection.select(chosen)
        elif gesture == "wait":
            item = self._point_at(at)
            if item >= 0:
                self._pin(item)
            elif self._selection.pin >= 0:
                self._selection.set_pin(-1)
        self._gesture, self._pressed, self._track = "", None, []
        self.update()

    def _enclosed(self, outline: QPolygonF) -> NDArray[np.int32]:
        """Which visible points lie inside ``outline``: the polygon is painted once and every point looks at
        its pixel.
        """
        if self._raster is None or self._points is None or len(self._raster.flat) != len(self._points.xy):
            return np.empty(0, np.int32)
        high, wide = self._raster.shape
        mask = QImage(wide, high, QImage.Format.Format_Grayscale8)
        mask.fill(0)
        plane = self._plane
        with QPainter(mask) as painter:
            painter.translate(self._raster.pad, self._raster.pad)
            painter.scale(self.devicePixelRatioF(), self.devicePixelRatioF())
            painter.setClipRect(QRectF(plane.left, plane.top, plane.width, plane.height))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(Qt.GlobalColor.white)
            painter.drawPolygon(outline)
        rows = np.frombuffer(mask.constBits(), np.uint8).reshape(high, mask.bytesPerLine())[:, :wide]
        chosen = self._raster.inside(np.ascontiguousarray(rows))
        hidden, label = self._selection.hidden, self._labels()
        if hidden and label is not None:
            chosen = chosen[~np.isin(label[chosen], list(hidden))]
        return chosen

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if self._painter.on:  # a second dab, soon after the first
            self.mousePressEvent(event)
            return
        if event.button() != Qt.MouseButton.LeftButton or self._points is None:
            return
        if self._movable():
            if self._mark_at(at)[0] < 0 and self._in_plot(at):
                self.act.emit("place", self._plane.to_data(at.x(), at.y()))
        elif self._point_at(at) < 0:
            self.fit()

    def _in_sight(self, at: QPointF) -> tuple[float, float]:
        """The nearest place to ``at`` where the plane is seen."""
        plane = self._plane
        return (
            min(max(at.x(), plane.left), plane.left + plane.width),
            min(max(at.y(), plane.top), plane.top + plane.height),
        )

    def _in_plot(self, at: QPointF) -> bool:
        plane = self._plane
        return QRectF(plane.left, plane.top, plane.width, plane.height).contains(at)

    def wheelEvent(self, event: QWheelEvent) -> None:
        turned = event.angleDelta().y()
        if self._points is None or turned == 0:
            event.ignore()
            return
        self._glide.stop()
        at = event.position()
        self._see(self._plane.zoomed(at.x(), at.y(), 1.0015 ** max(-480, min(480, turned))))
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        if event.key() in (Qt.Key.Key_F, Qt.Key.Key_Home) and plain:
            self.fit()
        else:
            event.ignore()

    def leaveEvent(self, event: QEvent) -> None:
        self._mouse = None
        self._hover_timer.stop()
        self._selection.set_hover(-1)
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._legend.fit()
        self._lay_out()

    def hideEvent(self, event: QEvent) -> None:
        self._flow.stop()
        self._glide.stop()
        if self._glide_to is not None and not self._zoomed and self._home is not None:
            self._home = self._glide_to
            self._lay_out()
        self._glide_to = None
        self._still()
        self._stale_points = True

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._ground = None
            self._stale_points = True
            self.update()
        super().changeEvent(event)


def _layers(points: Points | None, kind: type[L]) -> list[L]:
    return [layer for layer in points.layers if isinstance(layer, kind)] if points is not None else []


def _ground_parts(points: Points) -> tuple[object, ...]:
    """What the ground is painted from."""
    return points.axes, points.equal, *map(id, _layers(points, Regions)), *map(id, _layers(points, Field))


def _eased(t: float) -> float:
    """Slow, fast, slow."""
    return t * t * (3 - 2 * t)
