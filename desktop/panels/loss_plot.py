"""Numbers over steps: losses and other scalars, the former run as a ghost, flags where a knob was turned."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import Signal
from PySide6.QtGui import QColor, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QWidget

from desktop.language import _, number, tr
from desktop.panels.panel import Panel
from desktop.panels.plotting import Chart, Reading, Upright, coloured, ghost_colour
from desktop.panels.scales import Scale, title_font, value_text
from desktop.panels.strokes import Stroke
from desktop.panels.trace import Reduced, Trace
from desktop.selection import Selection
from desktop.style.tokens import look
from engine.api import Scalar, is_second, plain

APART = " · "
"""Between the head of a title and what tells its siblings apart."""
PER_CHART = 2
"""Curves in one chart while there is room for more charts below each other."""
_LINES_HIGH = 6.5
"""How high a chart must be, in lines of text, to be worth having beside another."""
_WIDE = 15.0
"""How wide a chart must be, in heights of a line, to stand beside another."""
_FLAT = 0.2
"""Two curves share an axis while the flatter one fills at least this part of it."""


@dataclass(slots=True, eq=False)
class _Line:
    key: str
    scalar: Scalar
    index: int
    trace: Trace
    ghost: Trace
    family: str = ""
    """What all titles begin with when they are one number of several things."""

    @property
    def colour(self) -> QColor:
        return QColor(look.curves[self.index % len(look.curves)])

    @property
    def title(self) -> str:
        return tr(self.scalar.title)

    @property
    def short(self) -> str:
        """The title without what it shares with its family: “PCA” of “Neighbours kept · PCA”."""
        return self.title.partition(APART)[2] if self.family else self.title

    @property
    def log(self) -> bool:
        return self.scalar.log and self.trace.lowest() > 0 and self.ghost.lowest() > 0


@dataclass(slots=True, eq=False)
class _Lane:
    chart: Chart
    lines: list[_Line]
    right: set[str] = field(default_factory=set)
    """The curves measured by the scale at the right; none = one scale for all."""

    def side(self, line: _Line) -> int:
        return int(line.key in self.right)


class LossPlot(Panel):
    """Follows scalars. It keeps every value and draws a few hundred vertices of them."""

    sought = Signal(int)
    """The person clicked at this step."""

    def __init__(self, title: str, selection: Selection, parent: QWidget | None = None) -> None:
        self._own_title = title
        self._lanes: list[_Lane] = []
        self._lines: list[_Line] = []
        self._flags: list[tuple[int, str]] = []
        self._shown: int | None = None
        self._busy = False
        self._haunted = False  # the ghost is another branch, not the run before this one
        self._across = False  # the charts stand side by side
        super().__init__(title, parent)
        self._selection = selection
        self._body = QWidget()
        self._stack = QBoxLayout(QBoxLayout.Direction.TopToBottom, self._body)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self.set_body(self._body)

    # ── what the window says ───────────────────────────────────────────────────────────────────────────

    def set_scalars(self, scalars: Mapping[str, Scalar]) -> None:
        """Which numbers there are. The same ones again: nothing happens."""
        if {line.key: line.scalar for line in self._lines} == dict(scalars) and len(self._lines) == len(
            scalars
        ):
            return
        self._lines = [
            _Line(key, scalar, index, Trace(), Trace()) for index, (key, scalar) in enumerate(scalars.items())
        ]
        for lane in self._lanes:  # dealt anew when next in sight
            lane.lines = []
            lane.right.clear()
        self._flags = []
        self._shown = None
        self._find_family()
        self.restyle()

    def _find_family(self) -> None:
        """Titles that all begin alike, such as “Neighbours kept · PCA”, are one number of several things: one
        chart, one scale, and what they share is said once.
        """
        family = _head_of(self._lines)
        for line in self._lines:
            line.family = family

    def extend(self, steps: Sequence[int], values: Mapping[str, Sequence[float]]) -> None:
        """All that has come since the last call; a few milliseconds, however much there was before."""
        for line in self._lines:
            if line.key in values:
                line.trace.extend(steps, values[line.key])
        self._draw_soon()

    def keep_ghost(self) -> None:
        """The curves become the grey ghosts of the former run, and new ones start."""
        for line in self._lines:
            if len(line.trace):
                line.ghost, line.trace = line.trace, Trace()
        self._haunted = False
        self._start_again()

    def show_ghost(self, payload: Mapping[str, tuple[Sequence[int], Sequence[float]]] | None) -> None:
        """The whole curves of another branch, {name: (steps, values)}, instead of those of the former run."""
        if not payload:
            if self._haunted:
                self.clear_ghost()
            return
        self._haunted = True
        for line in self._lines:
            line.ghost = Trace()
            line.ghost.extend(*payload.get(line.key, ((), ())))
        self._draw_soon()

    def clear_ghost(self) -> None:
        self._haunted = False
        for line in self._lines:
            line.ghost = Trace()
        self._draw_soon()

    def set_flags(self, flags: Iterable[tuple[int, str]]) -> None:
        """What was turned, such as "k 4 → 6", and at which steps."""
        self._flags = list(flags)
        self._draw_soon()

    def set_shown(self, step: int, live: bool) -> None:
        """The pictures beside show ``step``; live: that is simply the newest one."""
        self._step = step
        self._shown = None if live else step
        if self.isVisible() and not self._busy:  # the curves are as they were: a dragged timeline has no time
            for lane in self._lanes:
                if lane.lines:
                    lane.chart.set_uprights(self._uprights(lane))
            self._write_aside()

    def clear(self) -> None:
        for line in self._lines:
            line.trace = Trace()
        self._start_again()

    def numbers(self) -> list[tuple[str, str, Trace, Trace]]:
        """All that is followed: name, title, the curve, and that of its ghost."""
        return [(line.key, line.title, line.trace, line.ghost) for line in self._lines]

    def _start_again(self) -> None:
        self._flags = []
        self._shown = None
        for lane in self._lanes:
            lane.right.clear()
            lane.chart.follows = True
            lane.chart.forget_sizes()
        self._draw_soon()

    # ── drawing ────────────────────────────────────────────────────────────────────────────────────────

    def restyle(self) -> None:
        self._find_family()  # in the present language
        self._stack_spacing()
        for lane in self._lanes:
            lane.chart.restyle()
        self._draw_soon()

    def _stack_spacing(self) -> None:
        if hasattr(self, "_stack"):
            self._stack.setSpacing(look.px(2))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._draw_soon()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._draw_soon()

    def _new_lane(self) -> _Lane:
        chart = Chart(whole=True)
        self._stack.addWidget(chart, 1)
        chart.restyle()
        lane = _Lane(chart, [])
        chart.readout = lambda x: self._read(lane, x)
        chart.spanned.connect(lambda: self._follow(lane))
        chart.pointed.connect(self._point)
        chart.menu_wanted.connect(self.shared)
        chart.clicked.connect(lambda x: self.sought.emit(max(0, round(x))))
        return lane

    def _point(self, x: float) -> None:
        for lane in self._lanes:
            lane.chart.set_cross(x)

    def _follow(self, source: _Lane) -> None:
        """One chart was zoomed: the others show the same steps."""
        if self._busy:
            return
        self._busy = True
        for lane in self._lanes:
            if lane is not source:
                if not source.chart.follows:
                    lane.chart.follows = True
                    lane.chart.set_span(*source.chart.span)
                lane.chart.follows = source.chart.follows
        self._busy = False
        self._draw_soon()

    def _draw_soon(self) -> None:
        """Draw now if anybody sees it, else when it is shown."""
        if self.isVisible() and not self._busy:
            self._busy = True
            self._draw()
            self._busy = False

    def _deal_lanes(self) -> None:
        """Spread the curves over as many charts as there is room for: below each other, or side by side in a
        low and wide panel.
        """
        wanted = 1 if self._family else -(-len(self._lines) // PER_CHART)
        line = title_font(0.92).height()
        room, across = (
            int(self._body.height() / (_LINES_HIGH * line)),
            int(self._body.width() / (_WIDE * line)),
        )
        self._across = room < min(across, wanted)
        self._stack.setDirection(
            QBoxLayout.Direction.LeftToRight if self._across else QBoxLayout.Direction.TopToBottom
        )
        room = across if self._across else room
        count = max(1, min(wanted, room))
        lines = self._lines
        if count == 1 and wanted > 1 and any(is_second(line.key) for line in lines):
            # One small chart for two runs side by side: one number of each, rather than a tangle.
            lines = [next(line for line in lines if is_second(line.key) == b) for b in (False, True)]
        each = -(-len(lines) // count)
        groups = [lines[first : first + each] for first in range(0, len(lines), max(each, 1))]
        groups = groups or [[]]
        while len(self._lanes) < len(groups):
            self._lanes.append(self._new_lane())
        for index, lane in enumerate(self._lanes):
            lines = groups[index] if index < len(groups) else []
            if [id(line) for line in lines] != [id(line) for line in lane.lines]:
                lane.lines = lines
                lane.right.clear()
                lane.chart.forget_sizes()
            lane.chart.setVisible(index < len(groups))
            lane.chart.show_bottom(self._across or index == len(groups) - 1)

    def _draw(self) -> None:
        self._deal_lanes()
        last = max((line.trace.steps[-1] for line in self._lines if len(line.trace)), default=0.0)
        ghost = max((line.ghost.steps[-1] for line in self._lines if len(line.ghost)), default=0.0)
        # A longer ghost is shown as far as the new run may soon come, so that a race begins at full width.
        ahead = 2.0 ** math.ceil(math.log2(max(2 * last, 16)))
        for lane in self._lanes:
            if lane.lines:
                lane.chart.set_span(0, max(last, min(ghost, ahead), 1))
                self._draw_lane(lane)
        widths = [lane.chart.axis_widths for lane in self._lanes if lane.lines]
        if len(widths) > 1 and not self._across:
            common = max(left for left, _right in widths), max(right for _left, right in widths)
            for lane in self._lanes:
                lane.chart.align(common)
        self._write_aside()

    def _draw_lane(self, lane: _Lane) -> None:
        chart = lane.chart
        columns = chart.columns()
        reduced = [
            (line.trace.reduced(*chart.span, columns), line.ghost.reduced(*chart.span, columns))
            for line in lane.lines
        ]
        ranges = [_joined([one.extremes() for one in pair]) for pair in reduced]
        _take_sides(lane, ranges)
        scales, colours = [], []
        for side in (0, 1):
            here = [i for i, line in enumerate(lane.lines) if lane.side(line) == side]
            log = bool(here) and all(lane.lines[i].log for i in here)
            scales.append(_fit(_joined([ranges[i] for i in here]), log))
            colours.append(lane.lines[here[0]].colour if len(here) == 1 else look.colour("quiet"))
        if lane.right:
            chart.set_scales(scales[0], scales[1], (colours[0], colours[1]))
        else:
            chart.set_scales(scales[0])
        grey, worded = ghost_colour(), lane is self._lanes[0]
        ghosts, strokes = [], []
        for line, (live, ghost) in zip(lane.lines, reduced, strict=True):
            ghosts.append(Stroke(ghost.x, ghost.y, grey, side=lane.side(line), width=1.6))
            strokes.append(_stroke(live, line.colour, lane.side(line)))
        chart.ghosts = [stroke for stroke in ghosts if len(stroke.x)]
        chart.ghost_words = self.ghost_words() if worded and self._haunted else ""
        chart.strokes = [stroke for stroke in strokes if len(stroke.x)]
        chart.set_uprights(self._uprights(lane))

    def _uprights(self, lane: _Lane) -> list[Upright]:
        """What was done and when, and the step on screen."""
        worded = lane is self._lanes[0]
        uprights = [
            Upright(step, tr(text) if worded else "", look.colours.flag) for step, text in self._flags
        ]
        if self._shown is not None:
            uprights.append(Upright(self._shown, "", look.colours.accent, dashed=False))
        return uprights

    def _read(self, lane: _Lane, x: float) -> tuple[float, list[Reading]]:
        """What the crosshair says at ``x``."""
        nearest = [line.trace.at(x) for line in lane.lines]
        seen = [*nearest, *(line.ghost.at(x) for line in lane.lines if self._haunted)]
        steps = [near[0] for near in seen if near is not None]
        if not steps:
            return math.nan, []
        step = min(steps, key=lambda one: abs(one - x))
        readings = [Reading(tr(_("step {step}", step=number(step))), look.colour("text"))]
        for line, near in zip(lane.lines, nearest, strict=True):
            if near is not None and near[0] == step:
                text = f"{line.short} {value_text(near[1])}"
                readings.append(Reading(text, line.colour, near[1], lane.side(line)))
        for line in lane.lines if self._haunted else ():
            ghost = line.ghost.at(step)
            if ghost is not None and ghost[0] == step:
                text = f"{tr(self.ghost_name)}: {line.short} {value_text(ghost[1])}"
                readings.append(Reading(text, look.colour("quiet"), ghost[1], lane.side(line)))
        return step, readings

    @property
    def _family(self) -> str:
        return self._lines[0].family if self._lines else ""

    # ── words ──────────────────────────────────────────────────────────────────────────────────────────

    def _value(self, line: _Line) -> float | None:
        if self._shown is None:
            return line.trace.last
        near = line.trace.at(self._shown)
        return None if near is None else near[1]

    def _write_aside(self) -> None:
        self._write_head()
        self.fit_share()

    def _write_head(self) -> None:
        """The curves' names in their colours, their values at the right, or above each chart."""
        lines = [line for lane in self._lanes for line in lane.lines] or self._lines
        values = [value_text(self._value(line)) if len(line.trace) else "" for line in lines]
        lanes = [lane for lane in self._lanes if lane.lines]
        joined = self._family or _list_of([line.title for line in lines])
        if not lines:
            self._title.setText(tr(self._own_title))
            self._aside.setText("")
            return
        bold, plain = title_font(1.04), title_font(0.92)
        room = self.width() - 4 * look.px(10)
        fits = bold.horizontalAdvance(joined) <= room
        own = len(lanes) > 1 or not fits or bool(self._family)
        named = dict(zip(map(id, lines), values, strict=True))
        head = self._family or (_head_of(lanes[0].lines) if len(lanes) == 1 else "")
        for lane in lanes:
            said = [line.title.partition(APART)[2] if head else line.title for line in lane.lines]
            parts = [(s, named[id(line)], line.colour) for s, line in zip(said, lane.lines, strict=True)]
            lane.chart.set_heading(parts if own else [])
        if own:
            self._title.setText(head or tr(self._own_title))
            self._aside.setText("")
            return
        self._title.setText(_list_of([coloured(line.title, line.colour) for line in lines]))
        shown = " · ".join(value for value in values if value)
        if bold.horizontalAdvance(joined) + plain.horizontalAdvance(shown) > room:
            self._aside.setText("")
        else:
            written = zip(values, lines, strict=True)
            self._aside.setText(" · ".join(coloured(value, line.colour) for value, line in written if value))


def _head_of(lines: Sequence[_Line]) -> str:
    """What the titles of several curves all begin with, such as “Inertia” of its A and B; "" if nothing."""
    heads = {line.title.partition(APART)[0] for line in lines}
    alike = len(lines) > 1 and len(heads) == 1 and all(APART in line.title for line in lines)
    return next(iter(heads)) if alike else ""


def _list_of(names: Sequence[str]) -> str:
    """Join names as a sentence does: A; A and B; A, B and C."""
    if len(names) < 2:
        return "".join(names)
    head = ", ".join(names[:-1])
    return tr(_("{first} and {last}", first=head, last=names[-1]))


def _stroke(one: Reduced, colour: QColor, side: int) -> Stroke:
    return Stroke(one.x, one.y, colour, one.low, one.high, side)


def _joined(ranges: Sequence[tuple[float, float] | None]) -> tuple[float, float] | None:
    known = [span for span in ranges if span is not None]
    return (min(low for low, _high in known), max(high for _low, high in known)) if known else None


def _fit(span: tuple[float, float] | None, log: bool) -> Scale:
    return Scale() if span is None else Scale.fit(*span, log=log)


def _take_sides(lane: _Lane, ranges: Sequence[tuple[float, float] | None]) -> None:
    """Move to the right what would make itself or the others look flat on the first curve's axis.

    A curve that has moved stays there until the next run, so that the axes don't jump.
    """
    left: tuple[float, float] | None = None
    for line, span in zip(lane.lines, ranges, strict=True):
        if lane.side(line) or span is None:
            continue
        if left is not None:
            whole = max(left[1], span[1]) - min(left[0], span[0])
            flat = min(left[1] - left[0], span[1] - span[0]) < _FLAT * whole
            # The same number of two runs side by side is compared, so it has one axis.
            flat = flat and plain(line.key) != plain(lane.lines[0].key) and not line.family
            if flat or line.scalar.log != lane.lines[0].scalar.log:
                lane.right.add(line.key)
                continue
        left = _joined([left, span])
