"""Which part of the plane a picture of points shows, and where in the panel."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QObject, QSizeF, QTimer, QVariantAnimation, Signal
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QWidget

from desktop.panels import styles
from desktop.panels.axes import tick_texts
from desktop.panels.plane import Extent, Plane, reached, roomy, union
from desktop.panels.scene import Scene, animation, eased
from desktop.style.tokens import look

REST_MS = 400
"""Without a new picture for so long, the run rests."""
FULL, LOOSE = 0.75, 0.6
"""How much of the picture a map fills at least, along one axis: when it rests, and while it moves."""
TINY = 0.3
"""And while recorded steps go by: below this there is nothing left to be seen of it."""


class View(QObject):
    """``plane`` is what is seen, and where in the ``widget``.

    Home is the box that is framed while the person has not ``zoomed``; None until there are points. It goes
    with the points when they leave it. A twin, with the same axes, shows the same.

    While recorded steps go by (``past``) home stands still, so that what moves has been learned. It only
    widens, at once, when something would be cut off; and a map that grew out of a dot comes nearer, at once
    too, when it has become one. When the timeline's handle (``held``) is let go, home glides to its place.
    """

    changed = Signal()
    """Something else is seen, or elsewhere."""
    rested = Signal()
    """No other picture has come for a while, and no hand is at the timeline."""

    def __init__(self, scene: Scene, corner: Callable[[], QSizeF], widget: QWidget) -> None:
        """corner: how much of the upper right corner home shall leave free."""
        super().__init__(widget)
        self._scene, self._corner, self._widget = scene, corner, widget
        self.plane = Plane()
        self.zoomed = False
        self.steady = False  # a hand works on what is seen: home does not go with the points
        self.past = self.held = False
        self._twin: View | None = None
        self._home: Extent | None = None
        self._glide = animation(self, 280, self._on_glide)
        self._glide.finished.connect(self.follow)  # the points may have gone on meanwhile
        self._glide_from: Extent | None = None
        self._glide_to: Extent | None = None
        self._laid_beside = QSizeF(0, 0)  # what stood in the corner
        self._kept_free = 0.0  # pixels of the width that were left to it
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self.settle)

    # ── home ──

    def forget(self) -> None:
        """Another run: nothing is framed yet."""
        self._glide.stop()
        self._rest.stop()
        self._home, self._glide_to, self.zoomed = None, None, False
        self.past = self.held = False

    def await_rest(self) -> None:
        """Another picture has come."""
        self._rest.start()

    def link(self, other: View) -> None:
        """Show the same part of the plane as ``other``, wherever both have the same axes."""
        self._twin, other._twin = other, self

    def _alike(self) -> View | None:
        """The other picture with the same axes, if there is one."""
        twin, own = self._twin, self._scene.points
        if twin is None or own is None or not self._measured():
            return None
        points = twin._scene.points
        return twin if points is not None and points.axes == own.axes else None

    def _measured(self) -> bool:
        """Whether its axes mean something. Those of a map do not: only who is near whom."""
        return self._scene.points is not None and any(self._scene.points.axes)

    def fit(self) -> None:
        """Show everything again."""
        for view in (self, self._alike()):
            box = None if view is None else view._box()
            if view is not None and box is not None:
                view.zoomed = False
                view._glide_to_home(roomy(box))

    def _box(self) -> Extent | None:
        """Where everything lies: here, and in a picture with the same axes."""
        twin, own = self._alike(), self._scene.box()
        other = None if twin is None else twin._scene.box()
        return union(own, other) if own is not None and other is not None else own

    def follow(self) -> None:
        """Frame the first points; later leave the view alone unless they leave it by more than a fifth.

        A map, which has no axes to be read, is followed more closely, also when it shrinks.
        """
        unlaid = self._laid_beside.width() < 0
        if self._home is not None and (unlaid or not self.zoomed) and self._beside() != self._laid_beside:
            self.lay_out()
            twin = self._alike()
            if twin is not None:
                twin._widget.update()  # there too
        if self._home is not None and self._stays():
            return
        box = self._box()
        if box is None:
            return
        if self._home is None:
            self._home = roomy(box)
            self.lay_out()
            twin = self._alike()
            if twin is not None and not twin.zoomed:
                twin._home = self._home
                twin.lay_out()
            return
        if self.past or self.held:
            self._hold(box)
        elif not self._measured():
            over = self._over(box, self._margin())
            if over > 1:  # far out of sight: there is nothing to be seen on the way
                self._home = self._snug(box, 0.12)
                self.lay_out()
            elif over > 0 or self._fills(box) < LOOSE:
                self._go_to(self._snug(box, 0.12))
        elif self._over(box) > 0.2:
            self._go_to(union(self._home, roomy(box, 0.15)))

    def _hold(self, box: Extent) -> None:
        """Recorded steps go by: stand still as long as that can be."""
        assert self._home is not None
        around = box if self._measured() else self._snug(box, 0.12)
        if self._over(box, 0.0 if self._measured() else self._margin()) > 0:
            self._be_at(union(self._home, roomy(around, 0.15)))
        elif not self._measured() and self._fills(box) < TINY:
            self._be_at(around)

    def set_past(self, past: bool) -> None:
        """A recorded step is on screen, or the newest again."""
        if past and not self.past:
            self.halt()
        self.past = past

    def set_held(self, held: bool) -> None:
        """Somebody holds the handle of the timeline, or has let it go."""
        if held:
            self.halt()
        self.held = held
        self._rest.start()

    def settle(self) -> None:
        """The run rests: frame once more what lies outside, and a map that has become small."""
        if self.held:
            return
        self.rested.emit()
        if self._glide.state() == QVariantAnimation.State.Running:
            self._rest.start()
            return
        box = self._box()
        if box is None or self._home is None or self._stays() or not self._widget.isVisible():
            return
        if not self._measured():
            box = reached(box, self._whole(), 0.1) or box
            if self._over(box, self._margin()) > 0 or self._fills(box) < FULL:
                self._go_to(self._snug(box, 0.05))
        elif self._over(box) > 0:
            self._go_to(union(self._home, roomy(box)))

    def _whole(self) -> list[Extent]:
        """Where all points lie: only some of many are looked at while they move."""
        xy = self._scene.xy()
        real = xy[np.isfinite(xy).all(1)]
        if len(real) == 0:
            return []
        (x0, y0), (x1, y1) = real.min(0).tolist(), real.max(0).tolist()
        return [(x0, x1, y0, y1)]

    def _stays(self) -> bool:
        """Whether home does not go with the points now."""
        return self.zoomed or self.steady or self._glide.state() == QVariantAnimation.State.Running

    def _over(self, box: Extent, margin: float = 0.0) -> float:
        """How far ``box`` reaches beyond what is seen, as a share of it. margin: pixels to be kept free."""
        x0, x1, y0, y1 = self.plane.extent
        more_x, more_y = (margin / scale for scale in self.plane.scale)
        over_x = max(x0 - box[0], box[1] - x1) + more_x
        over_y = max(y0 - box[2], box[3] - y1) + more_y
        return max(over_x / (x1 - x0), over_y / (y1 - y0))

    def _fills(self, box: Extent) -> float:
        """How much of what is seen ``box`` takes, along the axis along which it takes more."""
        x0, x1, y0, y1 = self.plane.extent
        share = 1 - self._kept_free / self.plane.width
        return max((box[1] - box[0]) / (x1 - x0) / share, (box[3] - box[2]) / (y1 - y0))

    def _margin(self) -> float:
        """Pixels to be kept free around a map, so that no dot is cut."""
        points, area = self._scene.points, self.plane.width * self.plane.height
        return styles.dot_radius(len(points.xy) if points is not None else 1, area) + 4

    def _snug(self, box: Extent, margin: float) -> Extent:
        """``box`` with a margin in which whole dots have place, at least a share of its size."""
        side = max(min(self.plane.width - self._kept_free, self.plane.height), 1.0)
        pixels = (self._margin() + 2) / max(side - 2 * (self._margin() + 2), 0.3 * side)
        return roomy(box, max(margin, pixels))

    def _go_to(self, home: Extent) -> None:
        """Frame ``home``, here and in a picture with the same axes."""
        twin = self._alike()
        for view in (self, twin):
            if view is not None and not (view.zoomed or view.steady or view._home == home):
                view._glide_to_home(home)

    def _be_at(self, home: Extent) -> None:
        """The same at once."""
        for view in (self, self._alike()):
            if view is not None and not (view.zoomed or view.steady):
                view._home = home
                view.lay_out()

    def _glide_to_home(self, home: Extent) -> None:
        if self._home is None or look.reduce_motion or not self._widget.isVisible():
            self._home = home
            self.lay_out()
            return
        self._glide_from, self._glide_to = self._home, home
        self._glide.stop()
        self._glide.start()

    def _on_glide(self, t: float) -> None:
        if self._glide_from is None or self._glide_to is None or self.zoomed:
            return
        s = eased(t)
        a, b = self._glide_from, self._glide_to
        x0, x1, y0, y1 = (p + (q - p) * s for p, q in zip(a, b, strict=True))
        self._home = b if t >= 1.0 else (x0, x1, y0, y1)
        self.lay_out()

    def halt(self) -> None:
        """Be where it glides to, at once."""
        self._glide.stop()
        if self._glide_to is not None and not self.zoomed and self._home is not None:
            self._home = self._glide_to
            self.lay_out()
        self._glide_to = None

    # ── a person's choice ──

    @property
    def framed(self) -> tuple[Extent | None, Extent, bool]:
        """Home, what is seen, and whether a person has chosen that."""
        return self._home, self.plane.wish, self.zoomed

    def frame(self, framed: tuple[Extent | None, Extent, bool]) -> None:
        """See again what was ``framed``."""
        self._home, wish, self.zoomed = framed
        self.plane = replace(self.plane, wish=wish)
        self._laid_beside = QSizeF(-1, -1)  # room for axes and legend is found once there are points

    @property
    def camera(self) -> Extent | None:
        """What a person has chosen to see; None while home is framed."""
        return self.plane.wish if self.zoomed else None

    def set_camera(self, camera: Extent) -> None:
        """See this, as if a person had chosen it."""
        self._see(replace(self.plane, wish=camera))

    def pan(self, dx: float, dy: float) -> None:
        """Dragged by so many pixels."""
        self._see(self.plane.panned(dx, dy))

    def zoom(self, px: float, py: float, by: float) -> None:
        """``by`` times larger, with the place under (px, py) standing still."""
        self._see(self.plane.zoomed(px, py, by))

    def _see(self, plane: Plane) -> None:
        self._glide.stop()
        self.plane = plane
        for view in (self, self._alike()):
            if view is not None:
                view.plane = replace(view.plane, wish=plane.wish)
                view.zoomed = True
                view.lay_out()

    # ── where in the widget ──

    def with_axes(self) -> bool:
        """Whether there are numbers at the rims."""
        wide, high = self._widget.width(), self._widget.height()
        return self._measured() and wide >= look.px(150) and high >= look.px(110)

    def lay_out(self) -> None:
        """Find room for the axes, then frame home in what is left."""
        points, wide = self._scene.points, self._widget.width()
        equal = points.equal if points is not None else self.plane.equal
        font = QFontMetricsF(look.font(0.88, tabular=True))
        left = bottom = float(look.px(2))
        if self.with_axes():
            bottom = math.ceil(font.height() + look.px(4))
        high = max(self._widget.height() - bottom - look.px(2), 1.0)
        plane = replace(
            self.plane, left=left, top=float(look.px(2)), width=max(wide - left, 1.0), height=high
        )
        plane = self._framed(replace(plane, equal=equal))
        grain = look.px(8)  # so that the picture does not shift at every other digit
        for _pass in range(2 if self.with_axes() else 0):  # less width may bring other ticks, and wider ones
            texts = tick_texts(plane.extent[2:], plane.height)
            widest = max((font.horizontalAdvance(text) for __, text in texts), default=0.0)
            left = max(left, float(math.ceil((widest + look.px(6)) / grain) * grain))
            plane = self._framed(replace(plane, left=left, width=max(wide - left - look.px(2), 1.0)))
        self.plane = plane
        self._laid_beside = self._beside()
        self.changed.emit()

    def _beside(self) -> QSizeF:
        """The corner home leaves free: the same as in a picture with the same axes."""
        twin, own = self._alike(), self._corner()
        return own if twin is None else own.expandedTo(twin._corner())

    def _framed(self, plane: Plane) -> Plane:
        """Home fills the picture and leaves the legend its corner, if the picture is wide enough for both."""
        if self.zoomed or self._home is None:
            return plane
        x0, x1, y0, y1 = self._home
        taken = self._beside()
        corner = taken.width()
        above = (plane.height - (y1 - y0) * plane.width / (x1 - x0)) / 2 if plane.equal else 0.0
        if corner > 0.45 * plane.width or above >= taken.height():  # no room beside, or enough above
            corner = 0.0
        self._kept_free = corner
        room = plane.width - corner
        sx, sy = room / (x1 - x0), plane.height / (y1 - y0)
        if plane.equal:
            sx = sy = min(sx, sy)
        slack = (plane.width - (x1 - x0) * sx) / 2
        shift = min(max(corner - slack, 0.0), corner / 2) / sx
        cx, cy = (x0 + x1) / 2 + shift, (y0 + y1) / 2
        half_x, half_y = plane.width / 2 / sx, plane.height / 2 / sy
        return replace(plane, wish=(cx - half_x, cx + half_x, cy - half_y, cy + half_y))
