"""What all plots share: ticks in the person's language, a chart with thick lines, mouse and zoom.

pyqtgraph does ranges, axes, wheel and drag. The lines are painted here: an antialiased pen of 3 pixels, which
the last row needs, costs pyqtgraph seconds on noisy data (one long path crosses itself); in short pieces it
costs milliseconds.

The view's vertical axis always runs from 0 to 1; each side of the chart has a ``Scale`` that says what that
means. So two scales, linear or logarithmic, are two axis labellings and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from desktop.language import language, number
from desktop.style.tokens import look

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_PIECE = 4
"""Vertices per painted piece: longer ones cost more on noise, shorter ones more on smooth lines."""
_FAR = 100.0
"""How many widths beside the plot a vertex may be painted."""


def mix(first: QColor, second: QColor, part: float) -> QColor:
    """``first`` with ``part`` of ``second``: a lighter colour that stays opaque, no darker crossings."""
    keep = 1 - part
    return QColor.fromRgbF(
        keep * first.redF() + part * second.redF(),
        keep * first.greenF() + part * second.greenF(),
        keep * first.blueF() + part * second.blueF(),
    )


def title_font(relative: float = 1.0) -> QFontMetricsF:
    """How large text in the interface font is."""
    return QFontMetricsF(look.font(relative, tabular=True))


# ── ticks ──────────────────────────────────────────────────────────────────────────────────────────────


def nice_ticks(low: float, high: float, count: int, *, whole: bool = False) -> list[float]:
    """At most about ``count`` round numbers in [low, high], 1, 2 or 5 times a power of ten apart."""
    span = high - low
    if not math.isfinite(span) or span <= 0 or count < 1:
        return [low] if math.isfinite(low) else []
    rough = span / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10, 20) if power * factor * 1.0000001 >= rough)
    if whole:
        step = max(1.0, step)
    first, last = math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6)
    return [index * step for index in range(first, last + 1)]


def log_ticks(low: float, high: float, count: int) -> list[float]:
    """Powers of ten in [low, high]; with 2 and 5 or 3 between them, or round numbers, when there are few."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    decades = last - first + 1
    if decades >= 3 or (decades == 2 and count <= 3):
        every = math.ceil(decades / max(count, 1))
        return [10.0**power for power in range(first, last + 1) if power % every == 0]
    for factors in ((1, 2, 5), (1, 3), (1,)):
        ticks = [factor * 10.0**power for power in range(first - 1, last + 1) for factor in factors]
        ticks = [tick for tick in ticks if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]
        if 2 <= len(ticks) <= count + 1:
            return ticks
    return nice_ticks(low, high, count)


def tick_text(value: float, step: float, largest: float | None = None) -> str:
    """``value`` with as many decimals as ticks ``step`` apart need, in the present language.

    ``largest`` of the ticks beside it decides whether all are written in thousands (k) or millions (M).
    """
    value = float(value)  # QLocale.toString refuses an int where it expects a float
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "–"
    size = abs(value)
    if size >= 1e9 or size < 1e-4:
        power = math.floor(math.log10(size) + 1e-9)
        factor = value / 10.0**power
        ten = f"10{power}".replace("10", "", 1).translate(_SUPERSCRIPTS)
        return f"10{ten}" if abs(factor - 1) < 1e-6 else f"{tick_text(round(factor, 2), 0.1)}×10{ten}"
    for unit, letter in ((1e6, "M"), (1e3, "k")):
        if (largest or size) >= (unit if letter == "M" else 10 * unit) and size >= unit / 100:
            return tick_text(value / unit, step / unit, 1) + letter
    decimals = max(0, math.ceil(-math.log10(step) - 1e-9)) if step > 0 else 0
    decimals = min(decimals, 6)
    text = language.locale.toString(value, "f", decimals)
    zero = language.locale.decimalPoint()
    return text.rstrip("0").removesuffix(zero) if zero in text and step >= size else text


# ── scales ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Scale:
    """What bottom and top of a chart stand for."""

    low: float = 0.0
    high: float = 1.0
    log: bool = False

    @classmethod
    def fit(cls, low: float, high: float, *, log: bool = False) -> Scale:
        """Room for values from ``low`` to ``high`` that ends on round numbers, so that it seldom changes."""
        if not (math.isfinite(low) and math.isfinite(high)):
            return cls()
        low, high = max(low, -1e300), min(high, 1e300)
        if log and low > 0:
            return cls(*_fit_log(low, high), log=True)
        if high - low <= 1e-9 * max(abs(low), abs(high)):
            margin = abs(low) * 0.1 or 1.0
            low, high = low - margin, high + margin
        if 0 < low < 0.3 * high:
            low = 0.0
        elif 0 > high > 0.3 * low:
            high = 0.0
        step = (nice := nice_ticks(0, high - low, 8))[1] - nice[0]
        return cls(math.floor(low / step + 1e-6) * step, math.ceil(high / step - 1e-6) * step)

    def to_unit(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Heights between 0 and 1; nan where a logarithm does not exist."""
        with np.errstate(all="ignore"):
            if self.log:
                low, high = math.log10(self.low), math.log10(self.high)
                unit = (np.log10(values) - low) / (high - low)
            else:
                unit = (values - self.low) / (self.high - self.low)
        return np.where(np.isfinite(unit), unit, np.nan)

    def from_unit(self, unit: float) -> float:
        if self.log:
            low, high = math.log10(self.low), math.log10(self.high)
            return float(10.0 ** (low + unit * (high - low)))
        return self.low + unit * (self.high - self.low)

    def ticks(self, unit0: float, unit1: float, count: int) -> list[float]:
        low, high = self.from_unit(unit0), self.from_unit(unit1)
        return log_ticks(low, high, count) if self.log else nice_ticks(low, high, count)


def _fit_log(low: float, high: float) -> tuple[float, float]:
    low, high = max(low, 1e-300), min(high, 1e300)
    if high <= low * 1.0001:
        return low / 2, high * 2

    def snapped(value: float, up: bool) -> float:
        power = 10.0 ** math.floor(math.log10(value))
        steps = [power * factor for factor in (1, 1.5, 2, 3, 5, 7, 10)]
        if up:
            return next((step for step in steps if step >= value * 0.999999), steps[-1])
        return next((step for step in reversed(steps) if step <= value * 1.000001), steps[0])

    return snapped(low, False), snapped(high, True)


class TickAxis(pg.AxisItem):  # type: ignore[misc]
    """An axis that writes numbers as the person's language does and keeps them apart at every font size."""

    def __init__(self, orientation: str, *, whole: bool = False) -> None:
        self.scaling: Scale | None = None
        self.whole = whole
        self.log = False
        """Without a scaling: the view counts in powers of ten."""
        super().__init__(orientation, maxTickLength=0, showValues=True)
        self.enableAutoSIPrefix(False)

    def ticks(self, low: float, high: float, size: float) -> list[float]:
        """The values to write between the view's ``low`` and ``high``, ``size`` pixels apart."""
        font = title_font(0.92)
        if self.scaling is not None:
            return self.scaling.ticks(low, high, max(1, min(7, int(size / (font.height() * 1.6)))))
        if self.log:
            low, high = (10.0 ** min(max(end, -300.0), 300.0) for end in (low, high))
        step = (high - low) / 4 or 1
        ends = (tick_text(end, abs(end) if self.log else step) for end in (low, high))
        widest = max(font.horizontalAdvance(text) for text in ends)
        count = max(1, min(8, int(size / (widest + font.height()))))
        return log_ticks(low, high, count) if self.log else nice_ticks(low, high, count, whole=self.whole)

    def texts(self, ticks: Sequence[float]) -> list[str]:
        gaps = [b - a for a, b in pairwise(ticks)]
        if self.log if self.scaling is None else self.scaling.log:
            single = all(math.isclose(tick, float(f"{tick:.0e}"), rel_tol=1e-6) for tick in ticks)
            return [tick_text(tick, abs(tick) if single else min(gaps, default=abs(tick))) for tick in ticks]
        largest = max((abs(tick) for tick in ticks), default=1)
        return [tick_text(tick, min(gaps, default=abs(tick)), largest) for tick in ticks]

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        ticks = self.ticks(low, high, size)
        if self.scaling is None:
            return [(1.0, [math.log10(tick) for tick in ticks if tick > 0] if self.log else ticks)]
        return [(1.0, self.scaling.to_unit(np.array(ticks, np.float64)).tolist())]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        if self.scaling is None:
            return self.texts([10.0**value for value in values] if self.log else values)
        return self.texts([self.scaling.from_unit(value) for value in values])


# ── the chart ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True, eq=False)
class Stroke:
    """One line to paint. side: 0 = measured by the left scale, 1 = by the right one. label: at its end.
    smooth: it seldom turns, so that it may be painted in one piece. filled: down to 0.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    colour: QColor
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None
    side: int = 0
    width: float = 2.2
    label: str = ""
    dashed: bool = False
    dots: bool = False
    smooth: bool = False
    filled: bool = False


@dataclass(frozen=True, slots=True)
class Upright:
    """A vertical line with a few words at its top."""

    x: float
    text: str
    colour: str
    dashed: bool = True


@dataclass(frozen=True, slots=True)
class Reading:
    """One line of what the crosshair says. y None: nothing to mark on the chart."""

    text: str
    colour: QColor
    y: float | None = None
    side: int = 0


@dataclass(slots=True)
class Geometry:
    """Where a value lies in the widget's pixels; never further away than a painter can bear."""

    rect: QRectF
    x0: float
    x1: float
    scales: tuple[Scale, Scale] = field(default_factory=lambda: (Scale(), Scale()))

    def xs(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        unit = np.clip((values - self.x0) / ((self.x1 - self.x0) or 1), -_FAR, _FAR)
        return self.rect.left() + unit * self.rect.width()

    def ys(self, values: NDArray[np.float64], side: int) -> NDArray[np.float64]:
        unit = np.clip(self.scales[side].to_unit(values), -2, 3)
        return self.rect.bottom() - unit * self.rect.height()

    def x(self, value: float) -> float:
        return self.rect.left() + (value - self.x0) / ((self.x1 - self.x0) or 1) * self.rect.width()

    def y(self, value: float, side: int) -> float:
        return float(self.ys(np.array([value]), side)[0])

    def ground(self, side: int = 0) -> float:
        """The height of 0; where a logarithm has none, the bottom."""
        return self.rect.bottom() if self.scales[side].log else self.y(0.0, side)

    def value(self, place: QPointF) -> tuple[float, float]:
        """What lies at ``place``: x in the view's units, y by the left scale."""
        across = (place.x() - self.rect.left()) / (self.rect.width() or 1)
        up = (self.rect.bottom() - place.y()) / (self.rect.height() or 1)
        return self.x0 + across * (self.x1 - self.x0), self.scales[0].from_unit(up)


class Chart(pg.PlotWidget):  # type: ignore[misc]
    """Lines over one horizontal axis. Wheel and drag choose what is seen, a double click shows all again."""

    spanned = Signal()
    """The person has zoomed or moved: ``span`` is new."""
    pointed = Signal(float)
    """The mouse is at this x; nan = it has left."""
    clicked = Signal(float)

    _ready = False
    """False while pyqtgraph builds its part."""

    def __init__(self, *, whole: bool = False, parent: QWidget | None = None) -> None:
        self._bottom = TickAxis("bottom", whole=whole)
        self._sides = (TickAxis("left"), TickAxis("right"))
        self.strokes: list[Stroke] = []
        self._uprights: list[Upright] = []
        self.readout: Callable[[float], tuple[float, list[Reading]]] | None = None
        self.names = ("", "")
        self.heading: list[tuple[str, str, QColor]] = []
        self.follows = True
        self.paints = 0
        self._scales: tuple[Scale, Scale | None] = (Scale(), None)
        self._asked_scales: object = None
        self._cross = math.nan
        self._widths = [0, 0]
        super().__init__(
            parent,
            axisItems={"bottom": self._bottom, "left": self._sides[0], "right": self._sides[1]},
            enableMenu=False,
        )
        self.setFrameShape(self.Shape.NoFrame)
        self.hideButtons()
        view = self.getViewBox()
        view.setMouseEnabled(x=True, y=False)
        view.setDefaultPadding(0)
        view.disableAutoRange()
        view.setRange(xRange=(0, 1), yRange=(0, 1), padding=0, disableAutoRange=True)
        view.sigRangeChangedManually.connect(self._on_manual)
        self.scene().sigMouseMoved.connect(self._on_moved)
        self.scene().sigMouseClicked.connect(self._on_clicked)
        self.setMinimumSize(1, 1)
        self._ready = True

    # ── what the owner says ────────────────────────────────────────────────────────────────────────────

    @property
    def span(self) -> tuple[float, float]:
        low, high = self.getViewBox().viewRange()[0]
        return float(low), float(high)

    @property
    def plot_rect(self) -> QRectF:
        """Where the lines are, in this widget's pixels."""
        rect: QRectF = self.getViewBox().sceneBoundingRect()
        return rect

    def columns(self) -> int:
        """How many vertices a line may have: one per three pixels."""
        return int(min(max(self.plot_rect.width() / 3, 60), 400))

    def set_span(self, x0: float, x1: float) -> None:
        """Show [x0, x1] unless the person is looking at a part of their choice."""
        if self.follows and math.isfinite(x0) and math.isfinite(x1):
            x1 = x1 if x1 > x0 else x0 + 1
            if (x0, x1) != self.span:
                self.getViewBox().setXRange(x0, x1, padding=0)

    @property
    def uprights(self) -> list[Upright]:
        return self._uprights

    def set_uprights(self, uprights: list[Upright]) -> None:
        """Vertical lines; the first row of their words stands above the chart."""
        worded = any(upright.text for upright in self._uprights)
        self._uprights = uprights
        if any(upright.text for upright in uprights) != worded:
            self._fit_axes()
        self.viewport().update()

    def set_scales(
        self, left: Scale, right: Scale | None = None, colours: tuple[QColor, QColor] | None = None
    ) -> None:
        """What height means on each side; colours: of the two axes' numbers, None = quiet."""
        asked = (left, right, colours)
        if asked == self._asked_scales:  # scales end on round numbers: most steps leave them as they are
            return
        self._asked_scales = asked
        self._scales = (left, right)
        self.showAxis("right", right is not None)
        for side, axis in enumerate(self._sides):
            axis.scaling = self._scales[side]
            axis.setTextPen(colours[side] if colours else look.colour("quiet"))
            axis.picture = None
        self._fit_axes()

    def show_all(self) -> None:
        """End the person's zoom."""
        if not self.follows:
            self.follows = True
            self.spanned.emit()

    def set_cross(self, x: float) -> None:
        """Where the crosshair stands; nan = nowhere."""
        if x != self._cross and not (math.isnan(x) and math.isnan(self._cross)):
            self._cross = x
            self.viewport().update()

    def forget_sizes(self) -> None:
        """A new run: the axes may become narrower again."""
        self._widths = [0, 0]

    def restyle(self) -> None:
        self.setBackground(look.colour("surface"))
        self._widths = [0, 0]
        self._asked_scales = None
        font = look.font(0.92, tabular=True)
        for axis in (self._bottom, *self._sides):
            axis.setStyle(
                tickFont=font, tickTextOffset=look.px(5), tickLength=0, hideOverlappingLabels=look.px(40)
            )
            axis.setPen(pg.mkPen(None))
            axis.setTextPen(look.colour("quiet"))
        self._bottom.setPen(pg.mkPen(look.colour("line"), width=look.px(1)))
        self._fit_axes()

    def align(self, widths: tuple[int, int]) -> None:
        """Stacked charts have their left and right ends in line."""
        self._widths = [max(old, new) for old, new in zip(self._widths, widths, strict=True)]
        self._fit_axes()

    @property
    def axis_widths(self) -> tuple[int, int]:
        return self._widths[0], self._widths[1]

    def set_heading(self, parts: list[tuple[str, str, QColor]]) -> None:
        """Above the chart: name, value, and colour of each line; the values only where there is room."""
        rows = len(self._heading_rows())
        self.heading = parts
        if len(self._heading_rows()) != rows:
            self._fit_axes()
        self.viewport().update()

    def set_bottom(self, *, whole: bool = False, log: bool = False) -> None:
        """whole: only whole numbers on the horizontal axis. log: the view counts in powers of ten there."""
        if (whole, log) != (self._bottom.whole, self._bottom.log):
            self._bottom.whole, self._bottom.log = whole, log
            self._bottom.picture = None
            self._bottom.update()

    def show_bottom(self, on: bool) -> None:
        """Whether the horizontal axis has numbers (the lowest of stacked charts only)."""
        if self._bottom.style["showValues"] != on:
            self._bottom.setStyle(showValues=on)
            self._fit_axes()

    # ── sizes ──────────────────────────────────────────────────────────────────────────────────────────

    def _fit_axes(self) -> None:
        font = title_font(0.92)
        gap = look.px(6)
        rect = self.plot_rect
        for side, axis in enumerate(self._sides):
            if axis.scaling is None:
                continue
            ticks = axis.ticks(0, 1, max(rect.height(), 1))
            needed = max((font.horizontalAdvance(text) for text in axis.texts(ticks)), default=0)
            self._widths[side] = max(self._widths[side], math.ceil(needed + 1.5 * gap))
            axis.setWidth(self._widths[side])
        shown = self._bottom.style["showValues"]
        named = font.height() if self.names[0] and shown and not self._name_beside() else 0
        self._bottom.setHeight(font.height() + gap + named if shown else font.height() / 2)
        top = self._head_room()
        right = max(self._label_room(), font.averageCharWidth() * 2 if self._scales[1] is None else 0)
        self.getPlotItem().layout.setContentsMargins(0, top, right, 0)
        self.getPlotItem().layout.activate()
        self.viewport().update()

    def _head_room(self) -> float:
        """Height above the chart for words."""
        rows = len(self._heading_rows())
        worded = bool(self.names[1]) or any(upright.text for upright in self._uprights)
        return title_font(0.92).height() * (rows + 0.3 if rows else 1.5 if worded else 0.5)

    def _ends(self) -> list[tuple[str, QColor, float, int]]:
        """What is named at the right: name, colour, and at which height of which side."""
        ends = []
        for stroke in self.strokes:
            finite = np.flatnonzero(np.isfinite(stroke.y))
            if stroke.label and len(finite):
                ends.append((stroke.label, stroke.colour, float(stroke.y[finite[-1]]), stroke.side))
        return ends

    def _label_room(self) -> float:
        """Room at the right for the lines' names; 0 when they would not fit."""
        font = title_font()
        names = [end[0] for end in self._ends()]
        if not names or self._scales[1] is not None:
            return 0
        widest = max(font.horizontalAdvance(name) for name in names) + look.px(10)
        fits = widest <= 0.4 * self.width() and len(names) * font.height() <= 0.75 * self.height()
        return widest if fits else 0

    def _name_beside(self) -> bool:
        """The horizontal axis' name has room at the end of its numbers, below the lines' names."""
        return title_font(0.92).horizontalAdvance(self.names[0]) + look.px(14) <= self._label_room()

    def _heading_rows(self) -> list[list[tuple[float, str, QColor]]]:
        """Place, text and colour of each word above the chart, in as many rows as it takes."""
        full = self._flow([(f"{name} {value}".strip(), colour) for name, value, colour in self.heading])
        bare = self._flow([(name, colour) for name, _value, colour in self.heading])
        return full if len(full) <= len(bare) else bare

    def _flow(self, words: list[tuple[str, QColor]]) -> list[list[tuple[float, str, QColor]]]:
        font = title_font(0.92)
        rows: list[list[tuple[float, str, QColor]]] = []
        left = math.inf
        for text, colour in words:
            width = font.horizontalAdvance(text)
            if left + width > self.width():
                rows.append([])
                left = self._widths[0]
            rows[-1].append((left, text, colour))
            left += width + font.height() * 0.7
        return rows

    @property
    def labels_fit(self) -> bool:
        """The lines' names stand at their ends."""
        return self._label_room() > 0

    # ── the mouse ──────────────────────────────────────────────────────────────────────────────────────

    def _on_manual(self, _mask: object = None) -> None:
        self.follows = False
        self.spanned.emit()

    def _on_moved(self, place: QPointF) -> None:
        self.pointed.emit(self._x_at(place) if self.plot_rect.contains(place) else math.nan)

    def _on_clicked(self, event: Any) -> None:
        if event.double():
            self.show_all()
        elif event.button() == Qt.MouseButton.LeftButton and self.plot_rect.contains(event.scenePos()):
            self.clicked.emit(self._x_at(event.scenePos()))

    def _x_at(self, place: QPointF) -> float:
        rect, (x0, x1) = self.plot_rect, self.span
        return x0 + (place.x() - rect.left()) / (rect.width() or 1) * (x1 - x0)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.pointed.emit(math.nan)

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        if self._ready:
            self._fit_axes()
            self.spanned.emit()

    # ── painting ───────────────────────────────────────────────────────────────────────────────────────

    def drawForeground(self, painter: QPainter, _rect: object) -> None:
        """Everything inside the axes; the scene's units are this widget's pixels."""
        rect = self.plot_rect
        if rect.width() < 2 or rect.height() < 2:
            return
        self.paints += 1
        geometry = self.geometry_now()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_grid(painter, geometry)
        painter.save()
        edge = look.px(4)
        painter.setClipRect(rect.adjusted(-edge, -edge, edge, edge))
        self._paint_under(painter, geometry)
        for stroke in self.strokes:
            _paint_range(painter, geometry, stroke)
        for stroke in self.strokes:
            _paint_stroke(painter, geometry, stroke)
        self._paint_over(painter, geometry)
        painter.restore()
        self._paint_uprights(painter, geometry)
        if self.labels_fit:
            self._paint_labels(painter, geometry)
        self._paint_names(painter, geometry)
        self._paint_front(painter, geometry)
        self._paint_cross(painter, geometry)
        painter.restore()

    def geometry_now(self) -> Geometry:
        """How values become pixels in the present view."""
        left, right = self._scales
        return Geometry(self.plot_rect, *self.span, (left, right or left))

    def _paint_under(self, painter: QPainter, geometry: Geometry) -> None:
        """For subclasses: what lies under the lines, kept inside the axes."""

    def _paint_over(self, painter: QPainter, geometry: Geometry) -> None:
        """For subclasses: what lies over the lines, kept inside the axes."""

    def _paint_front(self, painter: QPainter, geometry: Geometry) -> None:
        """For subclasses: what lies in front of all, uncut."""

    def _paint_grid(self, painter: QPainter, geometry: Geometry) -> None:
        painter.setPen(QPen(look.colour("grid"), look.px(1)))
        rect = geometry.rect
        for tick in self._sides[0].ticks(0, 1, rect.height()):
            y = round(geometry.y(tick, 0)) + 0.5
            if rect.top() - 1 <= y < rect.bottom() - 1:
                painter.drawLine(QPointF(rect.left(), y), QPointF(rect.right(), y))

    def _paint_labels(self, painter: QPainter, geometry: Geometry) -> None:
        """The name of each line where it ends, moved apart when they would touch."""
        painter.setFont(look.font())
        for box, text, colour in self.label_boxes(geometry):
            painter.setPen(colour)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, text)

    def label_boxes(self, geometry: Geometry) -> list[tuple[QRectF, str, QColor]]:
        """Where the lines' names stand, from top to bottom."""
        height = title_font().height()
        ends = []
        for text, colour, value, side in self._ends():
            y = geometry.y(value, side)
            ends.append((y if math.isfinite(y) else geometry.rect.bottom(), text, colour))
        ends.sort(key=lambda end: end[0])
        # Between the axis' name and the marks' names, if there is so much room.
        floor = geometry.rect.bottom() + look.px(5) if self.names[0] else float(self.height())
        ceiling = max(geometry.rect.top() - 0.4 * height, 0.0) if self._uprights else 0.0
        floor = max(floor, min(ceiling + len(ends) * height, self.height()))
        tops = [min(max(end[0] - height / 2, ceiling), floor - height) for end in ends]
        for index in range(1, len(tops)):
            tops[index] = max(tops[index], tops[index - 1] + height)
        over = tops[-1] + height - floor if tops else 0
        if over > 0:
            tops[-1] -= over
            for index in range(len(tops) - 2, -1, -1):
                tops[index] = min(tops[index], tops[index + 1] - height)
        left = geometry.rect.right() + look.px(8)
        boxes = [QRectF(left, top, self.width() - left, height) for top in tops]
        return [(box, text, colour) for box, (_y, text, colour) in zip(boxes, ends, strict=True)]

    def _paint_names(self, painter: QPainter, geometry: Geometry) -> None:
        painter.setFont(look.font(0.92))
        painter.setPen(look.colour("quiet"))
        metrics = painter.fontMetrics()
        if self.names[0] and self._bottom.style["showValues"]:
            beside = self._name_beside()
            width = self.width() if beside else geometry.rect.right()
            text = metrics.elidedText(self.names[0], Qt.TextElideMode.ElideRight, int(width))
            top = geometry.rect.bottom() + look.px(5) if beside else self.height() - metrics.height()
            painter.drawText(QRectF(0, top, width, metrics.height()), Qt.AlignmentFlag.AlignRight, text)
        if self.heading:
            for row, parts in enumerate(self._heading_rows()):
                for left, text, colour in parts:
                    line = QRectF(left, row * metrics.height(), self.width() - left, metrics.height())
                    text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, int(line.width()))
                    painter.setPen(colour)
                    painter.drawText(line, Qt.AlignmentFlag.AlignLeft, text)
        elif self.names[1]:
            self._paint_side_name(painter, 0.0)

    def _paint_side_name(self, painter: QPainter, top: float) -> None:
        """The name of the vertical axis above it."""
        metrics = painter.fontMetrics()
        text = metrics.elidedText(self.names[1], Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(QRectF(0, top, self.width(), metrics.height()), Qt.AlignmentFlag.AlignLeft, text)

    def _paint_uprights(self, painter: QPainter, geometry: Geometry) -> None:
        """Vertical lines; their words above the chart or at its top, in rows that keep them apart."""
        painter.setFont(look.font(0.92, tabular=True))
        metrics = painter.fontMetrics()
        rect, pad = geometry.rect, look.px(4)
        seen = [(geometry.x(one.x), one) for one in sorted(self._uprights, key=lambda one: one.x)]
        seen = [(x, one) for x, one in seen if rect.left() - 0.5 <= x <= rect.right() + 0.5]
        for place, upright in seen:
            pen = QPen(QColor(upright.colour), look.px(1.6))
            if upright.dashed:
                pen.setDashPattern([3, 3])
            painter.setPen(pen)
            painter.drawLine(QPointF(place, rect.top()), QPointF(place, rect.bottom()))
        line = metrics.height() + pad / 2
        top = rect.top() if self.heading else max(rect.top() - line, 0)
        most = max(1, int((0.6 * rect.bottom() - top) / line))
        rows: list[list[tuple[float, float]]] = [[]]
        if self.names[1] and not self.heading:
            rows[0].append((0, metrics.horizontalAdvance(self.names[1]) + pad))
        for place, upright in seen:
            if not upright.text:
                continue
            text = metrics.elidedText(upright.text, Qt.TextElideMode.ElideRight, int(rect.width() * 0.7))
            width = metrics.horizontalAdvance(text) + 2 * pad
            left = place - pad if place - pad + width <= self.width() else place + pad - width
            left = max(left, 0.0)
            fits = (i for i, taken in enumerate(rows) if all(left > b or left + width < a for a, b in taken))
            row = next(fits, len(rows))
            if row >= most:
                continue
            if row == len(rows):
                rows.append([])
            rows[row].append((left, left + width))
            shift = 1.5 * pad if row and left < place < left + width else 0.0
            box = QRectF(left + shift, top + row * line, width, metrics.height())
            if box.bottom() > rect.top():
                ground = look.colour("surface")
                ground.setAlphaF(0.85)
                painter.fillRect(box, ground)
            painter.setPen(QColor(upright.colour))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_cross(self, painter: QPainter, geometry: Geometry) -> None:
        if math.isnan(self._cross) or self.readout is None:
            return
        x, readings = self.readout(self._cross)
        if not readings or not math.isfinite(x):
            return
        rect = geometry.rect
        place = geometry.x(x)
        painter.setPen(QPen(look.colour("quiet"), look.px(1)))
        painter.drawLine(QPointF(place, rect.top()), QPointF(place, rect.bottom()))
        radius = look.px(4)
        for reading in readings:
            if reading.y is not None and math.isfinite(y := geometry.y(reading.y, reading.side)):
                painter.setPen(QPen(look.colour("surface"), look.px(1.5)))
                painter.setBrush(reading.colour)
                painter.drawEllipse(QPointF(place, y), radius, radius)
        _paint_card(painter, rect, place, readings)


def _paint_card(painter: QPainter, rect: QRectF, place: float, readings: Sequence[Reading]) -> None:
    """The crosshair's numbers in a small box beside it, kept inside."""
    painter.setFont(look.font(0.95, tabular=True))
    metrics = painter.fontMetrics()
    pad = look.px(7)
    width = max(metrics.horizontalAdvance(reading.text) for reading in readings) + 2 * pad
    height = metrics.height() * len(readings) + 1.4 * pad
    left = place + 2 * pad if place + 2 * pad + width <= rect.right() else place - 2 * pad - width
    left = min(max(left, rect.left()), max(rect.right() - width, 0))
    box = QRectF(left, rect.top() + pad / 2, width, height)
    painter.setPen(QPen(look.colour("line"), 1))
    painter.setBrush(look.colour("surface"))
    painter.drawRoundedRect(box, pad * 0.7, pad * 0.7)
    for row, reading in enumerate(readings):
        painter.setPen(reading.colour)
        line = QRectF(left + pad, box.top() + 0.7 * pad + row * metrics.height(), width, metrics.height())
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, reading.text)


def _paint_range(painter: QPainter, geometry: Geometry, stroke: Stroke) -> None:
    """A pale band from the smallest to the largest value behind each vertex."""
    if stroke.low is None or stroke.high is None:
        return
    xs = geometry.xs(stroke.x)
    low, high = geometry.ys(stroke.low, stroke.side), geometry.ys(stroke.high, stroke.side)
    low = np.where(np.isfinite(low), low, geometry.rect.bottom())
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(mix(stroke.colour, look.colour("surface"), 0.78))
    for start, stop in runs(np.isfinite(high)):
        there = zip(xs[start:stop].tolist(), high[start:stop].tolist(), strict=True)
        back = zip(xs[start:stop][::-1].tolist(), low[start:stop][::-1].tolist(), strict=True)
        painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in (*there, *back)]))


def _paint_stroke(painter: QPainter, geometry: Geometry, stroke: Stroke) -> None:
    xs, ys = geometry.xs(stroke.x), geometry.ys(stroke.y, stroke.side)
    width = look.px(stroke.width)
    pen = QPen(stroke.colour, width)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    if stroke.dashed:
        pen.setDashPattern([2.5, 2.5])
    for start, stop in runs(np.isfinite(ys)):
        x, y = xs[start:stop], ys[start:stop]
        size = stop - start
        if size == 1 or (stroke.dots and (x[-1] - x[0]) / size > 4 * width):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(stroke.colour)
            radius = width * (1.3 if size == 1 else 1.4)
            for at in zip(x.tolist(), y.tolist(), strict=True):
                painter.drawEllipse(QPointF(*at), radius, radius)
        if size == 1:
            continue
        painter.setPen(pen)
        if stroke.dashed or stroke.smooth:
            painter.drawPolyline(polygon(x, y))
            continue
        points = [QPointF(*at) for at in zip(x.tolist(), y.tolist(), strict=True)]
        for first in range(0, size - 1, _PIECE):
            painter.drawPolyline(QPolygonF(points[first : first + _PIECE + 1]))


def paint_area(painter: QPainter, geometry: Geometry, stroke: Stroke) -> None:
    """The area between a line and 0, so pale that what lies under it is seen."""
    xs, ys = geometry.xs(stroke.x), geometry.ys(stroke.y, stroke.side)
    colour = QColor(stroke.colour)
    colour.setAlphaF(0.26 if look.dark else 0.18)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    ground = geometry.ground(stroke.side)
    for start, stop in runs(np.isfinite(ys)):
        x = np.concatenate((xs[start:stop], xs[stop - 1 : stop], xs[start : start + 1]))
        painter.drawPolygon(polygon(x, np.concatenate((ys[start:stop], [ground, ground]))))


def polygon(x: NDArray[np.float64], y: NDArray[np.float64]) -> QPolygonF:
    """Vertices in Qt's own memory, without a Python object for each."""
    made: QPolygonF = pg.functions.arrayToQPolygonF(x, y)
    return made


def runs(good: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Start and end of each unbroken stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], good, [False])).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def coloured(text: str, colour: QColor) -> str:
    """Rich text for a label: ``text`` in ``colour``."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f'<span style="color:{colour.name()}">{safe}</span>'


def value_text(value: float | None) -> str:
    """A number for a person, a dash for none."""
    return "–" if value is None or not math.isfinite(value) else number(value)
