"""Named lines over one axis, and what may stand with them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtGui import QColor, QShowEvent
from PySide6.QtWidgets import QWidget

from desktop.language import _, tr
from desktop.panels.curve_chart import CurveChart
from desktop.panels.extras import LARGEST, Extras, clean, extras_of, in_order
from desktop.panels.handles import Knob
from desktop.panels.panel import Panel
from desktop.panels.plotting import Reading, Upright, coloured, ghost_colour
from desktop.panels.scales import Scale, title_font, value_text
from desktop.panels.strokes import Stroke
from desktop.panels.trace import Trace
from desktop.selection import Selection
from desktop.style.tokens import look
from engine.api import Curve

if TYPE_CHECKING:
    from desktop.panels.extras import Floats


class CurvePanel(Panel):
    """Lines named at their ends; ``mark`` stands upright with its value."""

    def __init__(self, title: str, selection: Selection, parent: QWidget | None = None) -> None:
        self._curve: Curve | None = None
        self._extras = Extras()
        self._traces: dict[str, Trace] = {}
        self._smooth: dict[str, bool] = {}
        self._ghost: Curve | None = None
        self._ghost_traces: dict[str, Trace] = {}
        super().__init__(title, parent)
        self._selection = selection
        self._chart = CurveChart()
        self._chart.readout = self._read
        self._chart.pointed.connect(self._chart.set_cross)
        self._chart.spanned.connect(self._draw)
        self._chart.menu_wanted.connect(self.shared)
        self._chart.handles.dragged.connect(self._on_dragged)
        self._chart.tapped.connect(self._on_tapped)
        self._drawing = self._fresh = False
        self._past = False  # recorded steps go by: the axes only widen
        self._reach: tuple[float, float] | None = None  # of what was last drawn, upwards
        self._aside.setMinimumWidth(1)  # many names are no reason to make the panel wider
        self.set_body(self._chart)

    def show_payload(self, payload: Curve) -> None:
        self._curve = payload
        self._extras = extras = extras_of(payload)
        self._traces, self._smooth = _traces(payload)
        x = clean(payload.x, payload.log[0])
        x = x[np.isfinite(x)]
        whole = bool(len(x)) and bool(np.all(x == np.round(x)))
        plain = not (payload.handles or payload.click or len(extras.edges) or len(extras.quiet))
        plain = plain and not (len(extras.rug) or len(extras.start) or len(extras.dots))
        self._chart.set_bottom(whole=whole and plain, log=payload.log[0])
        self._fresh = True
        self._draw()

    def set_past(self, past: bool) -> None:
        self._past = past

    def show_ghost(self, payload: Curve | None) -> None:
        """Its lines, thin and grey behind the others."""
        if payload is not None or self._ghost is not None:
            self._ghost = payload
            self._ghost_traces = {} if payload is None else _traces(payload)[0]
            self._draw()

    def _seen_ghost(self) -> dict[str, Trace]:
        """The lines of the ghost that can be compared with those on screen and are not the same."""
        curve, ghost = self._curve, self._ghost
        if curve is None or ghost is None or (curve.axes, curve.log) != (ghost.axes, ghost.log):
            return {}
        return {
            name: trace
            for name, trace in self._ghost_traces.items()
            if name not in self._traces or not trace.same(self._traces[name])
        }

    def clear(self) -> None:
        self._past, self._reach = False, None
        self._curve = None
        self._extras = Extras()
        self._traces = {}
        self._chart.let_go()
        self._chart.follows = True
        self._chart.forget_sizes()
        self._draw()

    def restyle(self) -> None:
        self._chart.restyle()
        if self._curve is not None:
            self._extras = extras_of(self._curve)  # names in another language
        self._draw()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._draw()

    @property
    def _marked(self) -> int:
        """How many of the marks, the first ones, are the payload's ``mark``: 1 or none."""
        mark, log = (None, False) if self._curve is None else (self._curve.mark, self._curve.log[0])
        return int(mark is not None and math.isfinite(float(clean(mark, log))))

    # ── acting ──

    def _data(self, x: float) -> float:
        """The number at a place of the view."""
        log = self._curve is not None and self._curve.log[0]
        return float(f"{10.0 ** min(max(x, -300.0), 300.0):.12g}") if log else x

    def _on_dragged(self, index: int, x: float, y: float) -> None:
        self.act.emit("drag", (index, self._data(x), y))

    def _on_tapped(self, x: float, y: float) -> None:
        if self._curve is not None and self._curve.click:
            self.act.emit(self._curve.click, (self._data(x), y))

    # ── drawing ──

    def _colour(self, index: int) -> QColor:
        return QColor(look.curves[index % len(look.curves)])

    def _draw(self) -> None:
        if self._drawing or not self.isVisible():
            return
        self._drawing = True
        try:
            self._draw_now()
        finally:
            self._drawing = False

    def _draw_now(self) -> None:
        chart, curve, extras = self._chart, self._curve, self._extras
        chart.names = ("", "") if curve is None else (tr(curve.axes[0]), tr(curve.axes[1]))
        chart.takes_clicks = curve is not None and bool(curve.click)
        if chart.handles.held < 0:  # else the ground would move away under the hand
            chart.set_span(*self._span())
        rect = chart.plot_rect
        columns, fine = chart.columns(), int(min(max(rect.width() / 1.5, 60), 1200))
        reduced = {
            name: trace.outlined(*chart.span, fine) if self._smooth[name]
            else trace.reduced(*chart.span, columns)
            for name, trace in self._traces.items()
        }  # fmt: skip
        ghosts = [trace.outlined(*chart.span, fine) for trace in self._seen_ghost().values()]
        chart.ghosts = [Stroke(one.x, one.y, ghost_colour(), width=1.6, smooth=True) for one in ghosts]
        chart.ghost_words = self.ghost_words()
        filled = set() if curve is None else set(curve.filled)
        chart.strokes = [
            Stroke(
                one.x, one.y, self._colour(i), one.low, one.high, label=tr(name), width=2.6, dots=True,
                dashed=i >= len(look.curves), smooth=self._smooth[name], filled=name in filled,
            )
            for i, (name, one) in enumerate(reduced.items())
        ]  # fmt: skip
        chart.extras = extras
        colours = {name: self._colour(i) for i, name in enumerate(self._traces)}
        chart.handles.show(
            [
                Knob(index, x, y, text, colours.get(line, look.colour("accent")))
                for index, x, y, text, line in extras.handles
            ],
            fresh=self._fresh,
        )
        self._fresh = False
        chart.set_uprights(self._uprights())
        if chart.handles.held < 0:
            chart.set_scales(self._scale([*reduced.values(), *ghosts], filled))
        self._name_lines()
        chart.lay_out()

    def _span(self) -> tuple[float, float]:
        """What the horizontal axis shows while nobody has zoomed, in the view's units."""
        curve = self._curve
        log = curve is not None and curve.log[0]
        fixed = None if curve is None else _bounds(curve.span, log)
        if fixed is not None:
            return (math.log10(fixed[0]), math.log10(fixed[1])) if log else fixed
        known = [trace.steps[[0, -1]] for trace in self._traces.values() if len(trace)]
        every = np.concatenate([*known, *self._extras.xs()])
        every = every[np.isfinite(every)]
        if not len(every):
            return (0.0, 1.0)
        low, high = float(every.min()), float(every.max())
        if high - low <= 1e-12 * max(abs(low), abs(high)):
            return low, low + max(1.0, 1e-6 * abs(low))
        return low, high

    def _scale(self, lines: Any, filled: set[str]) -> Scale:
        curve, extras = self._curve, self._extras
        log = curve is not None and curve.log[1]
        fixed = None if curve is None else _bounds(curve.range, log)
        if fixed is not None:
            return Scale(*fixed, log=log)
        spans = [span for one in lines if (span := one.extremes()) is not None]
        every = [np.array(spans).ravel(), *extras.ys()]
        if extras.quiet.size:
            start, stop = np.searchsorted(extras.quiet_x, self._chart.span)
            quiet = extras.quiet[:, max(start - 1, 0) : stop + 1]
            every.append(np.array([np.fmin.reduce(quiet, axis=None), np.fmax.reduce(quiet, axis=None)]))
        if filled:
            every.append(np.zeros(1))
        values = np.concatenate(every)
        values = values[np.isfinite(values) & ((values > 0) | (not log))]
        if not len(values):
            return Scale(0.1, 1.0, log=True) if log else Scale()
        low, high = float(values.min()), float(values.max())
        if self._past and self._reach is not None:
            low, high = min(low, self._reach[0]), max(high, self._reach[1])
        self._reach = low, high
        return Scale.fit(low, high, log=log)

    def _uprights(self) -> list[Upright]:
        """The mark in the colour of what is chosen now, the named ones in ink."""
        name, marks = self._chart.names[0], self._extras.marks
        uprights = []
        for x, value in marks[: self._marked]:
            text = f"{name} = {value}" if name else value
            if title_font(0.92).horizontalAdvance(text) > 0.35 * self._chart.width():
                text = value
            uprights.append(Upright(x, text, look.colours.accent, dashed=False))
        return uprights + [Upright(x, text, look.colours.text) for x, text in marks[self._marked :]]

    # ── words ──

    def _name_lines(self) -> None:
        """At their ends, else beside the title, else above the chart."""
        chart = self._chart
        names = [(tr(name), self._colour(i)) for i, name in enumerate(self._traces) if name]
        if self._extras.bars:
            names.append((self._extras.bars, look.colour("quiet")))
        aside = "" if chart.labels_fit else " · ".join(coloured(name, colour) for name, colour in names)
        heading: list[tuple[str, str, QColor]] = []
        if aside:
            words = " · ".join(name for name, _colour in names)
            bold, plain = title_font(1.04), title_font(0.92)
            room = self.width() - 4 * look.px(10) - plain.horizontalAdvance(tr(_("step {step}", step=10_000)))
            if bold.horizontalAdvance(self._title.text()) + plain.horizontalAdvance(words) > room:
                heading = [(name, "", colour) for name, colour in names]
                rows = len(chart._flow([(name, colour) for name, colour in names]))
                if rows * plain.height() > 0.4 * chart.height():
                    heading = []
        chart.set_heading(heading)
        self.set_aside("" if heading else aside)

    def _read(self, x: float) -> tuple[float, list[Reading]]:
        """What the crosshair says at ``x``."""
        if self._curve is None:
            return math.nan, []
        nearest = {name: near for name, trace in self._traces.items() if (near := trace.at(x)) is not None}
        bar = self._bar_at(x)
        if nearest:
            place = min((near[0] for near in nearest.values()), key=lambda one: abs(one - x))
        elif bar is not None:
            place = float(self._extras.edges[bar : bar + 2].mean())
        else:
            return math.nan, []
        head = " ".join(part for part in (tr(self._curve.axes[0]), value_text(self._data(place))) if part)
        readings = [Reading(head, look.colour("text"))]
        for index, name in enumerate(self._traces):
            if name in nearest and nearest[name][0] == place:
                value = nearest[name][1]
                readings.append(Reading(f"{tr(name)} {value_text(value)}", self._colour(index), value))
        if bar is not None:
            low, high = (value_text(self._data(float(edge))) for edge in self._extras.edges[bar : bar + 2])
            height = float(self._extras.heights[bar])
            text = f"{self._extras.bars} {low} … {high}: {value_text(height)}".strip()
            readings.append(Reading(text, look.colour("quiet"), height))
        reach = (
            look.px(5) / max(self._chart.plot_rect.width(), 1) * (self._chart.span[1] - self._chart.span[0])
        )
        for at, name in self._extras.marks[self._marked :]:
            if abs(at - x) <= reach and name:
                readings.append(Reading(f"{name} {value_text(self._data(at))}", look.colour("text")))
        return place, readings

    def _bar_at(self, x: float) -> int | None:
        """The bar that ``x`` falls into."""
        edges = self._extras.edges
        if not len(edges) or not edges[0] <= x <= edges[-1]:
            return None
        return min(int(np.searchsorted(edges, x, "right")) - 1, len(edges) - 2)


def _traces(curve: Curve) -> tuple[dict[str, Trace], dict[str, bool]]:
    """The lines of a payload in the view's units, and which of them are smooth."""
    x = clean(curve.x, curve.log[0]).ravel()
    order = in_order(x)
    traces, smooth = {}, {}
    for name, line in curve.lines.items():
        y = clean(line).ravel()
        if curve.log[1]:
            y[~(y > 0)] = np.nan
        passed = order[order < len(y)]
        traces[name] = trace = Trace()
        trace.fill(x[passed], y[passed])
        smooth[name] = _smooth(y[passed])
    return traces, smooth


def _smooth(y: Floats) -> bool:
    """Whether a line seldom turns, so that its outline says all about it."""
    up = np.sign(np.diff(y / 2))
    up = up[up != 0]  # nan stays, and is no turn
    return int(np.count_nonzero(up[1:] * up[:-1] < 0)) < max(8, len(y) // 8)


def _bounds(asked: tuple[float, float] | None, log: bool = False) -> tuple[float, float] | None:
    """A fixed span that can be shown, or None."""
    if asked is None:
        return None
    low, high = (float(end) for end in asked)
    good = math.isfinite(low) and math.isfinite(high) and high - low > 1e-12 * max(abs(low), abs(high))
    return (low, high) if good and max(abs(low), abs(high)) < LARGEST and not (log and low <= 0) else None
