"""Named lines over one axis, such as a silhouette for every number of clusters."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtGui import QColor, QShowEvent
from PySide6.QtWidgets import QWidget

from desktop.language import tr
from desktop.panels.panel import Panel
from desktop.panels.plotting import Chart, Reading, Scale, Stroke, Upright, coloured, value_text
from desktop.panels.trace import Trace
from desktop.selection import Selection
from desktop.style.tokens import look
from engine.api import Curve


class CurvePanel(Panel):
    """Lines named at their ends; ``mark`` stands upright with its value."""

    def __init__(self, title: str, selection: Selection, parent: QWidget | None = None) -> None:
        self._curve: Curve | None = None
        self._traces: dict[str, Trace] = {}
        super().__init__(title, parent)
        self._selection = selection
        self._chart = Chart()
        self._chart.readout = self._read
        self._chart.pointed.connect(self._chart.set_cross)
        self._chart.spanned.connect(self._draw)
        self._drawing = False
        self.set_body(self._chart)

    def show_payload(self, payload: Curve) -> None:
        self._curve = payload
        x = np.asarray(payload.x, np.float64).ravel()
        good = np.isfinite(x)
        order = np.flatnonzero(good)[np.argsort(x[good], kind="stable")]
        self._chart.set_whole(bool(good.any()) and bool(np.all(x[good] == np.round(x[good]))))
        self._traces = {}
        for name, line in payload.lines.items():
            y = np.asarray(line, np.float64).ravel()
            self._traces[name] = trace = Trace()
            trace.fill(x[order[order < len(y)]], y[order[order < len(y)]])
        self._draw()

    def clear(self) -> None:
        self._curve = None
        self._traces = {}
        self._chart.follows = True
        self._chart.forget_sizes()
        self._draw()

    def restyle(self) -> None:
        self._chart.restyle()
        self._draw()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._draw()

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
        chart = self._chart
        known = [trace for trace in self._traces.values() if len(trace)]
        mark = None if self._curve is None else self._curve.mark
        mark = mark if mark is not None and math.isfinite(mark) else None
        ends = [end for trace in known for end in (trace.steps[0], trace.steps[-1])]
        ends += [] if mark is None else [mark]
        if ends:
            chart.set_span(float(min(ends)), float(max(ends)))
        reduced = [trace.reduced(*chart.span, chart.columns()) for trace in self._traces.values()]
        extremes = [span for one in reduced if (span := one.extremes()) is not None]
        names = ("", "") if self._curve is None else (tr(self._curve.axes[0]), tr(self._curve.axes[1]))
        chart.names = names
        chart.strokes = [
            Stroke(one.x, one.y, self._colour(i), one.low, one.high, label=tr(name), width=2.6, dots=True)
            for i, (name, one) in enumerate(zip(self._traces, reduced, strict=True))
        ]
        uprights = []
        if mark is not None:
            label = " ".join(part for part in (names[0], "=" if names[0] else "", value_text(mark)) if part)
            uprights = [Upright(mark, label, look.colours.accent, dashed=False)]
        chart.set_uprights(uprights)
        low = min((span[0] for span in extremes), default=math.nan)
        high = max((span[1] for span in extremes), default=math.nan)
        chart.set_scales(Scale.fit(low, high))
        words = "" if chart.labels_fit else self._legend()
        self.set_aside(words)

    def _legend(self) -> str:
        parts = [coloured(tr(name), self._colour(i)) for i, name in enumerate(self._traces) if name]
        return " · ".join(parts)

    def _read(self, x: float) -> tuple[float, list[Reading]]:
        nearest = {name: near for name, trace in self._traces.items() if (near := trace.at(x)) is not None}
        if not nearest or self._curve is None:
            return math.nan, []
        place = min((near[0] for near in nearest.values()), key=lambda one: abs(one - x))
        head = " ".join(part for part in (tr(self._curve.axes[0]), value_text(place)) if part)
        readings = [Reading(head, look.colour("text"))]
        for index, name in enumerate(self._traces):
            if name in nearest and nearest[name][0] == place:
                value = nearest[name][1]
                readings.append(Reading(f"{tr(name)} {value_text(value)}", self._colour(index), value))
        return place, readings
