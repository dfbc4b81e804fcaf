"""What a picture of points shows, and where each thing in it is seen now.

From one slow step to the next points, centres and ellipses glide; a centre in a hand is where the hand is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QVariantAnimation, Signal

from desktop.panels import field
from desktop.panels.marks import Gaussians
from desktop.panels.plane import Extent, extent, reached, union
from desktop.style.tokens import look
from engine.api import Arrows, Ellipses, Field, Markers, Points, Regions, Segments

L = TypeVar("L", Regions, Field, Ellipses, Markers, Segments, Arrows)

EASED = 5_000
"""Up to here points glide to their new places when steps are slow enough to be followed."""
FOLLOWED = 10
"""Steps a second that can be. Gliding at full speed would draw ten pictures for one that has been learned."""
BEYOND = 0.15
"""How far, in widths of the cloud, a map or an ellipse may widen the view beyond the points."""


def animation(parent: QObject, duration: int, slot: Callable[[float], None]) -> QVariantAnimation:
    """From 0 to 1 in so many milliseconds."""
    made = QVariantAnimation(parent, startValue=0.0, endValue=1.0, duration=duration)
    made.valueChanged.connect(slot)
    return made


def eased(t: float) -> float:
    """Slow, fast, slow."""
    return t * t * (3 - 2 * t)


def layers_of(points: Points | None, kind: type[L]) -> list[L]:
    """The layers of one kind."""
    return [layer for layer in points.layers if isinstance(layer, kind)] if points is not None else []


class Scene(QObject):
    """``points`` are shown; ``before``: from where they glide, or None when they stand still."""

    moved = Signal(bool, bool)
    """Something has glided on: whether the points have, and whether all have arrived."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.points: Points | None = None
        self.held: tuple[int, int] = (-1, -1)  # which Markers layer, which of its marks
        self.held_at: tuple[float, float] | None = None
        self.before: NDArray[np.float32] | None = None
        self.ellipses_before: list[Gaussians] = []
        self._marks_before: list[NDArray[np.float32]] = []
        self._ellipses: list[Gaussians] = []
        self.arrived = 0.0  # when the last picture came
        self.step = 0
        self._flow = animation(self, 200, self._on_flow)

    # ── what comes ──

    def show(self, points: Points | None, step: int, *, gliding: bool) -> None:
        """``points`` is the picture of ``step``; None: nothing is shown. gliding: if that can be followed."""
        if points is None:
            self.halt()
        else:
            self._set_off(points, step, gliding)
        self.points = points
        self._ellipses = [Gaussians.of(layer) for layer in self.layers(Ellipses)]

    def put(self, points: Points) -> None:
        """Other points among the same lines and centres, at once."""
        self.points, self.before = points, None
        self._ellipses, self.ellipses_before = [Gaussians.of(e) for e in self.layers(Ellipses)], []

    def drop(self) -> None:
        """No centre is in a hand any more."""
        self.held, self.held_at = (-1, -1), None

    def halt(self) -> None:
        """All are where they go, at once."""
        self._flow.stop()
        self._still()

    def _still(self) -> None:
        self.before, self._marks_before, self.ellipses_before = None, [], []

    def _set_off(self, points: Points, step: int, gliding: bool) -> None:
        """Let points and centres glide from where they are seen now, if that can be followed."""
        now, former = time.monotonic(), self.points
        waited = now - self.arrived
        slow = waited > 0.1 and abs(step - self.step) <= FOLLOWED * waited
        self.arrived, self.step = now, step
        seen = self.xy() if former is not None else None
        seen_marks = [self.marks_xy(i) for i in range(len(layers_of(former, Markers)))]
        seen_ellipses = self.ellipses_now()
        self.halt()
        if look.reduce_motion or not slow or not gliding or former is None or seen is None:
            return
        if len(seen) > EASED or len(seen) != len(points.xy):
            return
        if not np.array_equal(seen, points.xy, equal_nan=True):
            self.before = seen
        new_marks = [layer.xy for layer in layers_of(points, Markers)]
        same_marks = [a.shape for a in seen_marks] == [np.shape(b) for b in new_marks]
        marks_move = same_marks and any(
            not np.array_equal(a, b) for a, b in zip(seen_marks, new_marks, strict=True)
        )
        new_ellipses = [Gaussians.of(layer) for layer in layers_of(points, Ellipses)]
        same_ellipses = [len(a.centre) for a in seen_ellipses] == [len(b.centre) for b in new_ellipses]
        turning = same_ellipses and any(
            not a.same(b) for a, b in zip(seen_ellipses, new_ellipses, strict=True)
        )
        if self.before is not None or marks_move or turning:
            self._marks_before = seen_marks if same_marks and self.held_at is None else []
            self.ellipses_before = seen_ellipses if turning else []
            self._flow.start()

    def _on_flow(self, t: float) -> None:
        points_move = self.before is not None
        if t >= 1.0:
            self._still()
        self.moved.emit(points_move, t >= 1.0)

    # ── what is seen ──

    def layers(self, kind: type[L]) -> list[L]:
        return layers_of(self.points, kind)

    def _share(self) -> float:
        """How much of their way all have gone."""
        return eased(float(self._flow.currentValue() or 0.0))

    def xy(self) -> NDArray[np.float32]:
        """(N, 2) where the points are seen now."""
        assert self.points is not None
        xy = self.points.xy
        if self.before is None or self.before.shape != xy.shape:
            return xy
        return self.before + (xy - self.before) * np.float32(self._share())

    def place(self, item: int) -> tuple[float, float] | None:
        """Where one point is seen now, if there is such a one."""
        if self.points is None or not 0 <= item < len(self.points.xy):
            return None
        x, y = self.points.xy[item].tolist()
        if self.before is not None and self.before.shape == self.points.xy.shape:
            t = self._share()
            bx, by = self.before[item].tolist()
            x, y = bx + (x - bx) * t, by + (y - by) * t
        return x, y

    def marks_xy(self, layer: int) -> NDArray[np.float32]:
        """(K, 2) where the marks of the ``layer``-th Markers are seen now."""
        xy = np.asarray(self.layers(Markers)[layer].xy, np.float32).reshape(-1, 2)
        if layer < len(self._marks_before) and self._marks_before[layer].shape == xy.shape:
            t = np.float32(self._share())
            xy = self._marks_before[layer] + (xy - self._marks_before[layer]) * t
        if self.held[0] == layer and self.held_at is not None and self.held[1] < len(xy):
            xy = xy.copy()
            xy[self.held[1]] = self.held_at
        return xy

    def ellipses_now(self) -> list[Gaussians]:
        """Where the ellipses of every layer are seen now."""
        if len(self.ellipses_before) != len(self._ellipses):
            return self._ellipses
        t = self._share()
        return [a.towards(b, t) for a, b in zip(self.ellipses_before, self._ellipses, strict=True)]

    def box(self) -> Extent | None:
        """Where points, centres and arrows lie, and a little of what reaches beyond them."""
        if self.points is None:
            return None
        found = extent(self.points.xy)
        wider: list[Extent] = []
        seen = 0
        for layer in self.points.layers:
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
