"""Painting data by hand: what the tools do to a cloud of points, and the strip they are chosen from.

``Cloud`` and ``Stroke`` know nothing of Qt. Density follows the way the hand has gone, never how often the
mouse reports: dabs sit at even distances along the path, and the same path with the same generator gives the
same points.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import shiboken6
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QFrame,
    QGridLayout,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop.controls.parts import Slider
from desktop.history import Deed, History, UndoButtons
from desktop.language import Text, _, number, say
from desktop.panels.legend import class_colour
from desktop.style.icons import wear
from desktop.style.tokens import look
from engine.api import Markers, Points

MOST = 20_000
"""Points that can be painted: more can be neither followed by eye nor learned from thirty times a second."""
CLASSES = 10
SPACING = 0.5
"""From one dab to the next, in radii."""
STAMP = 12
"""Dabs in a stamp."""
SEND_MS = 50
SMALLEST, LARGEST, USUAL = 4, 60, 18
"""Radius of the brush in pixels at 100 %; it grows with the icons, as pictures do not grow with the text."""

TOOLS = {
    "brush": _("Brush: points evenly inside the circle"),
    "spray": _("Spray: densest in the middle; goes on while you hold still"),
    "eraser": _("Eraser: takes away what the circle touches"),
    "line": _("Line: from where you press to where you let go"),
    "stamp": _("Gaussian stamp: a bell-shaped heap where you let go"),
}
DEEDS = {
    "brush": _("points painted"),
    "spray": _("points sprayed"),
    "eraser": _("points rubbed out"),
    "line": _("line of points"),
    "stamp": _("Gaussian stamp"),
}
"""What has been done with each, as it stands after “Undo:”."""


# ── what the tools do ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, eq=False)
class Cloud:
    """Points that can be painted on. xy: (N, 2) float32; y: (N,) int32 their classes. Never written into."""

    xy: NDArray[np.float32]
    y: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.xy)

    def same(self, other: Cloud) -> bool:
        """Whether these are the very same points in the same order."""
        return np.array_equal(self.xy, other.xy) and np.array_equal(self.y, other.y)

    def plus(self, xy: NDArray[np.floating], label: int) -> Cloud:
        """With more points of one class, as many as there is room for."""
        more = np.asarray(xy, np.float32)[: max(MOST - len(self), 0)]
        y = np.full(len(more), label, np.int32)
        return Cloud(np.concatenate([self.xy, more]), np.concatenate([self.y, y]))

    def without(self, gone: NDArray[np.bool_]) -> Cloud:
        return Cloud(self.xy[~gone], self.y[~gone]) if gone.any() else self


EMPTY = Cloud(np.empty((0, 2), np.float32), np.empty(0, np.int32))


class Stroke:
    """One press of the mouse until it is let go; ``cloud`` is what it has made so far.

    at: where it begins, in data units. reach: the brush's radius in units of each axis. rate: points a dab.
    """

    def __init__(
        self,
        tool: str,
        cloud: Cloud,
        at: tuple[float, float],
        *,
        reach: tuple[float, float],
        rate: float,
        label: int,
        rng: np.random.Generator,
    ) -> None:
        self.tool, self.base, self.cloud, self.label = tool, cloud, cloud, label
        self._reach = np.maximum(np.asarray(reach, np.float64), 1e-30)
        self._rate = rate
        self._rng = rng
        # The line and the stamp are laid again with every move: from the same dice, so that they stand.
        self._seed = int(rng.integers(2**63))
        self._from = self._at = np.asarray(at, np.float64)
        self._way = 0.0  # radii gone so far
        self._dabs = 0
        self.full = False
        if tool in ("brush", "spray"):
            self._lay(self._dab(self._at[None]))
        else:
            self._apply(self._at)

    def move(self, at: tuple[float, float]) -> None:
        """The hand has gone straight to ``at``."""
        there = np.asarray(at, np.float64)
        if self.tool in ("brush", "spray"):
            step = there - self._at
            length = float(np.hypot(*(step / self._reach)))
            first, last = (math.floor(way / SPACING) for way in (self._way, self._way + length))
            if last > first:
                along = (
                    np.arange(first + 1, last + 1) * SPACING - self._way
                ) / length  # (M,) share of the step
                self._lay(self._dab(self._at + along[:, None] * step))
            self._way += length
        else:
            self._apply(there)
        self._at = there

    def hold(self) -> bool:
        """The hand has rested for a moment. Whether that made points: only the spray goes on."""
        if self.tool != "spray":
            return False
        self._lay(self._dab(self._at[None]))
        return True

    # ── inside ──

    def _dab(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points (M, 2) of the next dabs, which are at ``places`` (P, 2). Rates below one skip some dabs."""
        marks = np.floor(np.arange(self._dabs, self._dabs + len(places) + 1) * self._rate)
        counts = np.diff(marks).astype(np.intp)  # (P,)
        if self._dabs == 0:
            counts[0] = max(counts[0], 1)  # a click leaves a point
        self._dabs += len(places)
        return self._strewn(places.repeat(counts, 0), self._rng, soft=self.tool == "spray")

    def _strewn(
        self, places: NDArray[np.float64], rng: np.random.Generator, *, soft: bool
    ) -> NDArray[np.float64]:
        """One point about each place: evenly in the circle or, soft, bell-shaped with 2 σ = its radius."""
        u = rng.random((len(places), 2))  # two numbers a point: pieces of a path add up to the whole
        radius = 0.5 * np.sqrt(-2 * np.log(1 - u[:, 0])) if soft else np.sqrt(u[:, 0])
        angle = 2 * math.pi * u[:, 1]
        around: NDArray[np.float64] = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
        return places + around * self._reach

    def _lay(self, xy: NDArray[np.float64]) -> None:
        if len(xy):
            self.full = self.full or len(self.cloud) + len(xy) > MOST
            self.cloud = self.cloud.plus(xy, self.label)

    def _apply(self, there: NDArray[np.float64]) -> None:
        """Eraser, line and stamp, with the hand now at ``there``."""
        if self.tool == "eraser":
            self.cloud = self.cloud.without(self._near(self._at, there))
            return
        self.cloud, self.full, rng = self.base, False, np.random.default_rng(self._seed)
        if self.tool == "stamp":
            many = max(10, round(STAMP * self._rate))
            self._lay(self._strewn(there[None].repeat(many, 0), rng, soft=True))
            return
        length = float(np.hypot(*((there - self._from) / self._reach)))
        many = max(1, round(length / SPACING * self._rate))
        along = (np.arange(many) + 0.5) / many
        self._lay(self._strewn(self._from + along[:, None] * (there - self._from), rng, soft=False))

    def _near(self, a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.bool_]:
        """(N,) which points lie within a radius of the way from a to b."""
        p, way = (self.cloud.xy - a) / self._reach, (b - a) / self._reach
        square = float(way @ way)
        t = np.clip(p @ way / square, 0, 1)[:, None] if square > 0 else 0.0
        near: NDArray[np.bool_] = np.hypot(*(p - t * way).T) <= 1
        return near


def over(points: Points, cloud: Cloud) -> Points:
    """``points`` as they will be once the experiment knows of ``cloud``: its lines and centres, these points.

    Where every point belongs to a centre it takes the colour of the nearest one, otherwise that of its class.
    """
    label: NDArray[np.int32] | None = cloud.y
    if points.label is None:
        label = cloud.y if len(np.unique(cloud.y)) > 1 else None
    for layer in points.layers:
        if isinstance(layer, Markers) and layer.label is not None and len(layer.xy):
            away = cloud.xy[:, None] - np.asarray(layer.xy, np.float32)  # (N, K, 2)
            label = np.asarray(layer.label, np.int32)[(away**2).sum(2).argmin(1)]
    return replace(points, xy=cloud.xy, label=label, total=None, classes=cloud.y)


# ── who holds the brush ─────────────────────────────────────────────────────────────────────────────────────


class Change(Deed):
    """A stroke, or another change of all points at once."""

    kind = "painting"
    needs_run = True

    def __init__(self, painter: Painter, before: Cloud, after: Cloud, words: Text) -> None:
        super().__init__(words)
        self.painter, self._before, self._after = painter, before, after

    def stands(self, back: bool) -> bool:
        if not shiboken6.isValid(self.painter):
            return False
        points = self.painter.points
        return points is not None and points.same(self._after if back else self._before)

    def needs_present(self, back: bool) -> bool:
        """One paints on the present data, not on a picture of the past."""
        return self.stands(back)

    def take_back(self) -> None:
        self.painter.put(self._before)

    def do_again(self) -> None:
        self.painter.put(self._after)


class Painter(QObject):
    """The painting of one picture: the tool in hand, the points, and what can be undone."""

    switched = Signal(bool)
    changed = Signal()
    """``cloud`` is another: draw it."""
    painted = Signal(object, object)
    """xy and y for the experiment, at most twenty times a second while the mouse moves."""
    told = Signal(object)
    """A sentence for the person."""
    tool_changed = Signal()

    def __init__(self, parent: QObject | None = None, *, history: History | None = None) -> None:
        super().__init__(parent)
        self.on = False
        self.cloud: Cloud | None = None
        """What is painted on; None until the data are known."""
        self.tool, self.label, self.size = "brush", 0, USUAL
        self.stack = History(self) if history is None else history
        self.stack.settling.connect(self.release)
        self._rng = np.random.default_rng(0)
        self._stroke: Stroke | None = None
        self._former: Cloud | None = None  # of the run before, or since the brush was laid down
        self._new = False  # whether that is still to be compared with the data of another run
        self._bringing_back = False
        self._unsent = self._moved = False
        self._timer = QTimer(self, interval=SEND_MS)
        self._timer.timeout.connect(self._on_tick)

    # ── on and off ──

    def switch(self, on: bool) -> None:
        if on != self.on:
            self.release()
            self.on = on
            if not on:
                self.wait()
            self.switched.emit(on)

    def begin(self) -> None:
        """Another run: its first picture tells whether its points are those that have been painted."""
        self.wait()
        self._new = True

    def wait(self) -> None:
        """Another run begins, or the brush is laid down: what is painted on next comes with a picture."""
        self._timer.stop()
        self._stroke = None
        self._unsent = False
        if self.cloud is not None:
            self._former, self.cloud = self.cloud, None

    def meet(self, cloud: Cloud) -> None:
        """The data of the run, if they were waited for."""
        if self.cloud is not None or not (self.on or self._new):
            return
        if len(cloud) > MOST:
            if self.on:
                self.told.emit(
                    _(
                        "Up to {most} points can be painted on; these are {n}.",
                        most=number(MOST),
                        n=number(len(cloud)),
                    )
                )
            self.lose()
            return
        former, self._new = self._former, False
        self.cloud, self._former = (cloud, None) if self.on else (None, cloud)
        if former is not None and not former.same(cloud):
            if self._bringing_back:
                self.stack.push(Change(self, former, cloud, _("back to the original data")))
            else:
                self.forget_strokes()
        self._bringing_back = False
        self.stack.review()

    def forget_strokes(self) -> None:
        """What has been painted was on other data."""
        self.stack.forget(lambda deed: isinstance(deed, Change) and deed.painter is self)

    def lose(self) -> None:
        """The run has no data that could be painted on."""
        if self.on or self._new:
            self.switch(False)
            self._former, self._new = None, False
            self.forget_strokes()

    @property
    def points(self) -> Cloud | None:
        """What is painted on, also while the brush is laid down; None while that is not known."""
        return self.cloud if self.on else None if self._new else self._former

    def shown(self, points: Points) -> Points:
        """``points`` as the hand has left them, which the experiment may not know yet."""
        cloud = self.cloud
        if not self.on or cloud is None or np.array_equal(points.xy, cloud.xy):
            return points
        return over(points, cloud)

    # ── the hand ──

    @property
    def ready(self) -> bool:
        return self.on and self.cloud is not None

    @property
    def busy(self) -> bool:
        return self._stroke is not None

    def press(self, at: tuple[float, float], scale: tuple[float, float]) -> None:
        """Begin a stroke. scale: pixels per unit on each axis."""
        if self.cloud is None:
            return
        self._bringing_back = False
        self._moved = False
        pixels = float(self._radius())
        self._stroke = Stroke(
            self.tool, self.cloud, at, reach=(pixels / scale[0], pixels / scale[1]),
            rate=min(max(self.size**2 / 130, 0.3), 12.0), label=self.label, rng=self._rng,
        )  # fmt: skip
        self._take()

    def move(self, at: tuple[float, float]) -> None:
        if self._stroke is not None:
            self._stroke.move(at)
            self._moved = True
            self._take()

    def release(self) -> None:
        """The stroke is done: one entry in the history."""
        self._timer.stop()
        stroke, self._stroke = self._stroke, None
        if stroke is None:
            return
        self._send()
        if stroke.cloud is not stroke.base:
            self.stack.push(Change(self, stroke.base, stroke.cloud, DEEDS[stroke.tool]))
        if stroke.full:
            self.told.emit(_("{most} points are the most that can be painted.", most=number(MOST)))

    def put(self, cloud: Cloud) -> None:
        """Exactly these points (undo and redo come here), also while the brush is laid down."""
        if self.points is None:
            return
        self._timer.stop()
        self._stroke = None
        if self.on:
            self.cloud = cloud
            self._unsent = True
            self._send()
        else:
            self._former = cloud
            if len(cloud):
                self.painted.emit(cloud.xy, cloud.y)
        self.changed.emit()

    def heed(self, cloud: Cloud) -> None:
        """Somebody else has painted on the same data."""
        if self.on and self.cloud is not None:
            self.cloud = cloud
            self.changed.emit()
        elif not self._new:
            self._former = cloud

    def clear(self) -> None:
        """An empty plane."""
        if self.cloud is not None and len(self.cloud):
            self.release()
            before = self.cloud
            self.put(EMPTY)
            self.stack.push(Change(self, before, EMPTY, _("all points taken away")))

    def bring_back(self) -> None:
        """The original data are on their way: undo shall lead back to the painting."""
        self.release()
        self._bringing_back = True

    # ── inside ──

    def _take(self) -> None:
        """What the stroke has made: seen at once, sent when the last sending is long enough ago."""
        assert self._stroke is not None
        if self.cloud is not self._stroke.cloud:
            self.cloud = self._stroke.cloud
            self._unsent = True
            self.changed.emit()
        if not self._timer.isActive():
            self._send()
            self._timer.start()

    def _on_tick(self) -> None:
        if self._stroke is not None and not self._moved and self._stroke.hold():
            self._take()
        self._moved = False
        self._send()

    def _send(self) -> None:
        if self._unsent and self.cloud is not None and len(self.cloud):
            self._unsent = False
            self.painted.emit(self.cloud.xy, self.cloud.y)

    # ── the circle under the mouse ──

    def _radius(self) -> int:
        """Of the brush, in pixels."""
        return look.icon_px(self.size)

    def paint_circle(self, painter: QPainter, at: QPointF) -> None:
        """How far the tool in hand reaches, in the colour it leaves."""
        radius = self._radius()
        erases = self.tool == "eraser"
        colour = look.colour("text") if erases else class_colour(self.label)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(look.colour("plot"), look.px(4)))
        painter.drawEllipse(at, radius, radius)
        style = Qt.PenStyle.DashLine if erases else Qt.PenStyle.SolidLine
        painter.setPen(QPen(colour, look.px(2), style))
        painter.drawEllipse(at, radius, radius)


# ── the strip ───────────────────────────────────────────────────────────────────────────────────────────────


class _Tool(QToolButton):
    """A small square button with an icon."""

    def __init__(self, name: str, tip: str) -> None:
        super().__init__()
        self.setObjectName("flat")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        wear(self, name, None, 16)
        say(self.setToolTip, tip)
        say(self.setAccessibleName, tip)

    def fit(self, side: int) -> None:
        self.setFixedSize(side, side)
        inner = round(0.74 * side)
        self.setIconSize(QSize(inner, inner))


class _Swatch(QAbstractButton):
    """The colour of a class."""

    def __init__(self, label: int) -> None:
        super().__init__()
        self.label = label
        self.setCheckable(True)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        tip = _("class {n}", n=label + 1)
        say(self.setToolTip, tip)
        say(self.setAccessibleName, tip)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            middle = QRectF(self.rect()).center()
            radius = 0.5 * min(self.width(), self.height()) - 1.5
            if self.isChecked() or self.hasFocus() or self.underMouse():
                ring = look.colour("text" if self.isChecked() else "accent" if self.hasFocus() else "quiet")
                painter.setPen(QPen(ring, max(1.5, 0.14 * radius)))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawEllipse(middle, radius, radius)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(class_colour(self.label))
            painter.drawEllipse(middle, 0.68 * radius, 0.68 * radius)


class PaintTools(QFrame):
    """A narrow strip beside the picture: tools, colours, size, history. With little height it shrinks."""

    original = Signal()

    def __init__(self, painter: Painter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._painter = painter
        say(self.setAccessibleName, _("Painting tools"))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.tools = {name: _Tool(name, tip) for name, tip in TOOLS.items()}
        self.swatches = [_Swatch(label) for label in range(CLASSES)]
        self.size_slider = Slider()
        self.undo_button = _Tool("undo", _("Undo (Ctrl+Z)"))
        self.redo_button = _Tool("redo", _("Redo (Ctrl+Shift+Z)"))
        self.clear_button = _Tool("clear", _("Take all points away"))
        self.original_button = _Tool("data", _("Back to the original data"))
        self._column = QVBoxLayout(self)
        self._column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetNoConstraint)
        self._grids: list[QGridLayout] = []
        self._add(list(self.tools.values()))
        self._add(self.swatches)
        self._column.addWidget(self.size_slider)
        self._add([self.undo_button, self.redo_button, self.clear_button, self.original_button])
        self._column.addStretch(1)
        self._connect()
        look.changed.connect(self._on_look)
        self._on_look()

    def _add(self, buttons: list[_Tool] | list[_Swatch]) -> None:
        """Buttons in two columns."""
        grid = QGridLayout()
        grid.setSpacing(0)
        for index, button in enumerate(buttons):
            grid.addWidget(button, index // 2, index % 2)
        self._grids.append(grid)
        self._column.addLayout(grid)

    def _connect(self) -> None:
        painter = self._painter
        self._tool_group, self._label_group = QButtonGroup(self), QButtonGroup(self)
        for name, button in self.tools.items():
            button.setCheckable(True)
            button.setChecked(name == painter.tool)
            self._tool_group.addButton(button)
            button.clicked.connect(lambda _on=False, name=name: self._pick(tool=name))
        for swatch in self.swatches:
            swatch.setChecked(swatch.label == painter.label)
            self._label_group.addButton(swatch)
            swatch.clicked.connect(lambda _on=False, label=swatch.label: self._pick(label=label))
        self.size_slider.setRange(SMALLEST, LARGEST)
        self.size_slider.setValue(painter.size)
        self.size_slider.setPageStep(8)
        say(self.size_slider.setToolTip, _("Size of the brush"))
        say(self.size_slider.setAccessibleName, _("Size of the brush"))
        self.size_slider.valueChanged.connect(lambda size: self._pick(size=size))
        self._history = UndoButtons(painter.stack, self.undo_button, self.redo_button)
        self.clear_button.clicked.connect(painter.clear)
        self.original_button.clicked.connect(self.original)

    def _pick(self, *, tool: str | None = None, label: int | None = None, size: int | None = None) -> None:
        painter = self._painter
        painter.tool = tool or painter.tool
        painter.size = size or painter.size
        if label is not None:
            painter.label = label
            if painter.tool == "eraser":  # a colour is picked in order to paint
                painter.tool = "brush"
                self.tools["brush"].setChecked(True)
        painter.tool_changed.emit()

    # ── sizes ──

    def _rows(self) -> float:
        """How many buttons high the strip is; swatches are a little lower."""
        return 3 + 0.82 * CLASSES / 2 + 2

    def _gaps(self) -> int:
        return 2 * look.px(6) + look.px(18) + look.px(6)

    def minimumSizeHint(self) -> QSize:
        return QSize(self.width(), round(self._rows() * look.px(12)) + self._gaps())

    def sizeHint(self) -> QSize:
        return QSize(self.width(), round(self._rows() * look.icon_px(22)) + self._gaps())

    def _fit(self) -> None:
        room = int((self.height() - self._gaps()) / self._rows())
        side = min(look.icon_px(22), max(room, look.px(12)))
        for button in (*self.tools.values(), self.undo_button, self.redo_button):
            button.fit(side)
        for button in (self.clear_button, self.original_button):
            button.fit(side)
        for swatch in self.swatches:
            swatch.setFixedSize(side, round(0.82 * side))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _on_look(self) -> None:
        self.setFixedWidth(look.icon_px(46))
        self._column.setContentsMargins(0, 0, look.icon_px(2), 0)
        self._column.setSpacing(look.px(6))
        self._fit()
        self.updateGeometry()


__all__ = ["CLASSES", "EMPTY", "MOST", "TOOLS", "Change", "Cloud", "PaintTools", "Painter", "Stroke", "over"]
