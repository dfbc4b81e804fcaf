"""The picture of a cloud of points that moves while something learns, and its parts put together.

The points are one image; axes and tints are another that changes rarely; what lies on top (lines, centres,
rings, cards) is painted each time. Only what has changed is made again, and nothing at all while the picture
is out of sight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.language import tr
from desktop.panels import axes, marks
from desktop.panels.cards import Cards
from desktop.panels.colour_bars import ColourBars
from desktop.panels.colouring import Colouring
from desktop.panels.colours import with_alpha
from desktop.panels.gestures import Gestures
from desktop.panels.ghost import Ghost
from desktop.panels.legend import Legend
from desktop.panels.paint import Painter
from desktop.panels.picture import Picture
from desktop.panels.scene import Scene, layers_of
from desktop.panels.view import View
from desktop.selection import Selection
from desktop.style.device import grain, is_vector
from desktop.style.tokens import look
from engine.api import Arrows, Ellipses, Field, Markers, Points, Regions, Segments

NARROW = 420
"""Below this, in pixels at 100 %, discs with numbers need no legend that says the numbers again."""
TRACED = 5_000
"""Up to here the points of a drawing are strokes too; more make it too heavy for what opens it."""


class Canvas(QWidget):
    """scene: what is shown. view: which part of it. picture: the points' image. gestures: what the mouse
    does. Each of the others says of itself what it is.
    """

    ask = Signal(str, tuple)
    act = Signal(str, tuple)
    menu_wanted = Signal(QPoint)
    """A right click that did nothing else."""

    def __init__(self, selection: Selection, brush: Painter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.selection = selection
        self._brush = brush
        self.names_colours = True  # whether the legend is shown here, when there is anything to name
        self.guest: tuple[NDArray[np.float64], bool] | None = None  # trail and place, and whether elsewhere
        self._ground: QPixmap | None = None
        self._plain = False  # whether only the points are coloured, by something that all panels show
        self.scene = scene = Scene(self)
        self.colouring = colouring = Colouring(selection, scene)
        self.legend = Legend(selection, self)
        self.view = view = View(scene, self._corner_size, self)
        self.picture = picture = Picture(scene, view, colouring, self)
        self.ghost, self.ghost_words = Ghost(scene, view, self), ""
        self.bars = ColourBars(scene, view, colouring)
        self.cards = Cards(selection, scene, view, colouring, picture, self.bars, self.legend, self)
        self.gestures = Gestures(selection, scene, view, picture, self.cards, brush, self)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)  # the right button pans
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(80, 60)
        scene.moved.connect(self._on_moved)
        view.changed.connect(self._on_view)
        self.cards.ask.connect(self.ask)
        self.gestures.act.connect(self.act)
        selection.changed.connect(self._restyle_points)
        selection.labels_changed.connect(self._restyle_points)
        selection.colours_changed.connect(self._on_colours)
        selection.hovered.connect(self._on_hovered)

    # ── what to show ────────────────────────────────────────────────────────────────────────────────────────

    def show_points(self, points: Points | None, step: int = 0) -> None:
        """Keep ``points``, the picture of ``step``, and draw them when next in sight. None forgets the
        run.
        """
        former = self.scene.points
        if points is None:
            self.view.forget()
            self.gestures.forget()
            self.cards.forget()
            self.guest = None
        self.scene.show(points, step, gliding=self.isVisible() and not self.view.held)
        self.colouring.meet(former, points)
        if former is None or points is None or _ground_parts(former) != _ground_parts(points):
            self._ground = None
        if self.gestures.kind != "mark":
            self.scene.held_at = None
        self.picture.stale = True
        self._name_colours()
        if points is None:
            self.cards.list_near()
        else:
            self.view.await_rest()
        self.cards.place_near()
        self.update()

    def put_points(self, points: Points) -> None:
        """Other points among the same lines and centres, at once: a hand has painted them."""
        self.scene.put(points)
        self._name_colours()
        self.cards.forget_items()
        if self.selection.items is not None or self.selection.pin >= 0:
            self.selection.select(None)
            self.selection.set_pin(-1)
        self._restyle_points()

    def set_guest(
        self, xy: tuple[float, float] | None, trail: Sequence[tuple[float, float]], *, elsewhere: bool
    ) -> None:
        """A star, with where it has been; elsewhere: it does not belong to the step shown."""
        if xy is None and self.guest is None:
            return
        self.guest = None if xy is None else (np.array([*trail, xy], np.float64), elsewhere)  # (T + 1, 2)
        self.update()

    def set_ghost(self, points: Points | None, words: str) -> None:
        """The points of another run, to lie behind these. words: whose they are."""
        if points is not None or self.ghost.points is not None:
            self.ghost.show(points)
            self.ghost_words = words
            self.update()

    def restyle(self) -> None:
        """Colours, sizes or language are others now."""
        self.ghost.stale = True
        self._restyle_points()
        self._name_colours()
        self.legend.fit()
        self.view.lay_out()
        self.cards.list_near()

    def _restyle_points(self) -> None:
        self.colouring.stale()
        self.picture.stale = True
        self.update()

    def _on_colours(self) -> None:
        self._name_colours()
        self._restyle_points()
        self.cards.list_near()
        self.view.lay_out()

    def _name_colours(self) -> None:
        """The legend says what the colours mean that are seen now."""
        wanted = self.names_colours and not self._told_by_discs()
        self.legend.set_names(self.colouring.names() if wanted else ())

    def _told_by_discs(self) -> bool:
        """Whether the numbers in the discs say what the names would, in a picture narrow for both."""
        names = self.colouring.names()
        if not names or self.width() >= look.icon_px(NARROW) or self.colouring.chosen() is not None:
            return False
        numbered = any(len(layer.xy) == len(names) for layer in self.scene.layers(Markers))
        return numbered and all(tr(name).endswith(f" {k}") for k, name in enumerate(names, 1))

    def _on_hovered(self, item: int) -> None:
        self.update()

    def _on_moved(self, points: bool, arrived: bool) -> None:
        self.picture.stale |= points
        if arrived:
            self.cards.place_near()
        self.update()

    def _on_view(self) -> None:
        self._ground = None
        self.picture.stale = True
        if not self.view.zoomed:
            self.bars.choose_again()
        self.cards.place_near()
        self.update()

    def _corner_size(self) -> QSizeF:
        """What the legend, or the bar in its place, takes of the upper right corner."""
        if not self.legend.isHidden():
            return QSizeF(self.legend.size())
        bar = self.colouring.value_bar()
        return bar.size(self.view.plane.width) if bar is not None else QSizeF(0, 0)

    # ── what is painted ─────────────────────────────────────────────────────────────────────────────────────

    def paintEvent(self, event: QPaintEvent) -> None:
        points = self.scene.points
        # ``with`` also when something raises: a painter left open takes the whole program down.
        with QPainter(self) as painter:
            if points is None or self.width() < 4 or self.height() < 4:
                painter.fillRect(self.rect(), look.colour("surface"))
                return
            self.view.follow()
            ratio = grain(painter)
            if self.picture.stale or self.picture.ratio != ratio:
                self.picture.draw(ratio)
            self._paint_ground(painter, points, ratio)
            painter.setClipRect(self.view.plane.rect)
            self._paint_layers(painter, points, ratio)
            self.gestures.paint(painter)
            painter.setClipping(False)
            bars = self.bars.placed()
            for bar, plate in bars:
                bar.paint(painter, plate)
            self.ghost.paint_words(painter, self.ghost_words, [plate for _bar, plate in bars])
            if self.gestures.kind in ("", "wait") and not self._brush.on:
                self.cards.paint(painter, hovering=self.gestures.mouse is not None)

    def _paint_ground(self, painter: QPainter, points: Points, ratio: float) -> None:
        """Axes and tints, kept as a picture unless strokes are wanted."""
        self._plain, was_plain = self.colouring.chosen() is not None, self._plain
        shown = _untinted(points) if self._plain else points
        plane, numbers = self.view.plane, self.view.with_axes()
        if is_vector(painter):
            axes.paint_ground(painter, self.size(), plane, shown, numbers=numbers)
            return
        ground = self._ground
        if ground is None or self._plain != was_plain or ground.devicePixelRatio() != ratio:
            ground = self._ground = axes.draw_ground(self.size(), plane, shown, ratio, numbers=numbers)
        painter.drawPixmap(0, 0, ground)

    def _paint_layers(self, painter: QPainter, points: Points, ratio: float) -> None:
        """Lines, points, ellipses, rings, arrows and centres, from below to the top."""
        plane, scene = self.view.plane, self.scene
        outlines, lines_of = scene.layers(Ellipses), scene.layers(Segments)
        if self._plain:
            outlines, lines_of = list(map(marks.neutral, outlines)), list(map(marks.neutral, lines_of))
        ellipses = list(zip(outlines, scene.ellipses_now(), strict=True))
        for layer, now in ellipses:
            marks.paint_ellipse_grounds(painter, plane, layer, now)
        for lines in lines_of:
            marks.paint_segments(painter, plane, lines)
        self.ghost.paint_points(painter, ratio)
        if is_vector(painter) and len(points.xy) <= TRACED:
            self.picture.trace(painter)
        else:
            self.picture.paint(painter)
        self.ghost.paint_outlines(painter)
        for layer, now in ellipses:
            marks.paint_ellipses(painter, plane, layer, now)
        self._paint_chosen(painter)
        self.ghost.paint_marks(painter)
        seen = 0
        for each in points.layers:
            if isinstance(each, Arrows):
                marks.paint_arrows(painter, plane, each)
            elif isinstance(each, Markers):
                xy, (layer_held, held) = scene.marks_xy(seen), scene.held
                discs = marks.neutral(each) if self._plain else each
                marks.paint_trails(painter, plane, discs, xy)
                marks.paint_markers(painter, plane, discs, xy, held if layer_held == seen else -1)
                seen += 1
        if self.guest is not None:
            marks.paint_guest(painter, plane, self.guest[0], elsewhere=self.guest[1])

    def _paint_chosen(self, painter: QPainter) -> None:
        """Rings round the pinned point and the one under the mouse, and lines to the neighbours."""
        selection, dot, pixel = self.selection, self.picture.dot, self.picture.pixel
        pin = pixel(selection.pin)
        if pin is not None:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            found = [at for at in map(pixel, selection.neighbours) if at is not None]
            for colour, width in ((look.colour("plot"), look.px(4)), (look.colour("accent"), look.px(2))):
                painter.setPen(QPen(with_alpha(colour, 0.85), width))
                for at in found:
                    painter.drawLine(pin, at)
            painter.setPen(QPen(look.colour("plot"), look.px(1.5)))
            painter.setBrush(look.colour("accent"))
            for at in found:
                painter.drawEllipse(at, max(dot, look.px(3.5)), max(dot, look.px(3.5)))
            marks.paint_ring(painter, pin, dot, strong=True)
        hover = pixel(selection.hover) if selection.hover != selection.pin else None
        if hover is not None:
            marks.paint_ring(painter, hover, dot, strong=False)

    # ── events ──────────────────────────────────────────────────────────────────────────────────────────────

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.gestures.press(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.gestures.press_twice(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.gestures.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        still = event.button() == Qt.MouseButton.RightButton and self.gestures.stood_still
        self.gestures.release(event)
        if still:
            self.menu_wanted.emit(event.globalPosition().toPoint())

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.gestures.turn(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.gestures.leave()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        if event.key() in (Qt.Key.Key_F, Qt.Key.Key_Home) and plain:
            self.view.fit()
        else:
            event.ignore()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._name_colours()
        self.legend.fit()
        self.view.lay_out()

    def hideEvent(self, event: QEvent) -> None:
        self.scene.halt()
        self.view.halt()
        self.picture.stale = True

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._ground = None
            self.picture.stale = True
            self.update()
        super().changeEvent(event)


def _untinted(points: Points) -> Points:
    """Without the map of the labels: the points are coloured by something else."""
    return replace(points, layers=tuple(each for each in points.layers if not isinstance(each, Regions)))


def _ground_parts(points: Points) -> tuple[object, ...]:
    """What the ground is painted from."""
    return (
        points.axes, points.equal, *map(id, layers_of(points, Regions)), *map(id, layers_of(points, Field)),
    )  # fmt: skip
