"""The middle of the window: every picture of a run, the first one large."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from desktop.controls.parts import IconButton, named
from desktop.history import History
from desktop.language import _
from desktop.panels.catalogue import make_panel
from desktop.panels.loss_plot import LossPlot
from desktop.panels.paint import Cloud, Painter
from desktop.panels.panel import Panel
from desktop.panels.scatter import ScatterPanel
from desktop.selection import Selection
from desktop.style.tokens import look
from engine.api import GHOST, PREFIX, Colours, Info, Started, Text, first, is_second, plain, second

LEAST_WIDTH, LEAST_HEIGHT = 560, 340
"""Below this, in pixels at 100 %, two pictures are shown at a time instead of all of them."""


Place = tuple[float, float]
Guests = tuple[Place, Sequence[Place]]
"""Where a drawing lies, and where it has lain before."""


class PanelArea(QWidget):
    """Builds the panels that an experiment's channels need, and hands each what is meant for it."""

    watched = Signal(object)
    """The channels that are on screen."""
    ask = Signal(str, tuple)
    act = Signal(str, tuple)
    sought = Signal(int)
    painted = Signal(object, object)
    """Points painted by hand: xy and y."""
    painting = Signal(bool)
    """Somebody has taken the brush, or laid it down."""
    original = Signal()
    told = Signal(object)
    """A sentence for the person."""
    shared = Signal(object, QPoint)
    """The person wants to take a panel home, and where the choice how belongs."""

    def __init__(self, parent: QWidget | None = None, *, history: History | None = None) -> None:
        super().__init__(parent)
        self.history = History(self) if history is None else history
        self.selection = Selection()
        self.selection.pinned.connect(self._choose)
        self.same_points = False
        """Whether the present run has the very points of the one before."""
        self.panels: dict[str, Panel] = {}
        self._chooses: tuple[str, ...] = ()
        self.loss = LossPlot(_("Curves"), self.selection, self)
        self.loss.sought.connect(self.sought)
        self.loss.shared.connect(lambda at: self.shared.emit(self.loss, at))
        self.loss.hide()
        self._column = QVBoxLayout(self)
        self._splitter: QSplitter | None = None
        self._built: tuple[object, ...] = ()
        self._cramped = self._multiples = self._all_wanted = False
        self._curves = True
        self._data: object = None  # what the last run learned from
        self._points: object = None
        look.changed.connect(self._on_look)
        self._on_look()

    def begin(
        self,
        info: Info,
        started: Started,
        large: Sequence[str],
        *,
        multiples: bool = False,
        curves: bool = True,
    ) -> None:
        """Panels for this run: new ones for another experiment or kind of data, else the same, emptied.

        multiples: all of one size. curves: whether the numbers that are followed have a panel too.
        """
        names = [n for n, channel in info.channels.items() if started.kind in channel.kinds]
        names.sort(key=lambda n: list(large).index(n) if n in large else len(large))
        built = (info.id, started.spec.rival, *names)
        again = self._built == built
        data = (info.id, started.spec.data_key, started.painted)
        same_data, self._data = data == self._data, data
        if again and same_data and started.fresh:
            self.loss.keep_ghost()
        elif not again:
            self._built = built
            self._multiples, self._curves = multiples, curves
            self._build(info, names)
        # Of a set that is larger, each seed may show others.
        points = (data, started.size, started.spec.seed if started.size < started.total else None)
        self.same_points, self._points = points == self._points, points
        pinned = self.selection.pin, self.pinned_in()
        # Another branch is looked at as the one before was: what moves is what has been learned.
        held = self.scatters() if again and self.same_points and not started.fresh else {}
        framed = {name: panel.canvas.view.framed for name, panel in held.items()}
        if not self.same_points:
            self.selection.clear()
        for panel in (*self.panels.values(), self.loss):
            panel.reset()
        for name, panel in held.items():
            panel.canvas.view.frame(framed[name])
        if not (same_data and started.fresh):  # else another branch may be the ghost
            self.loss.clear_ghost()
        self._offer_colours(dict(started.colourings), again=same_data)
        if self.same_points and pinned[0] >= 0:
            self.pin(*pinned)
        self._tell_watched()

    def scatters(self) -> dict[str, ScatterPanel]:
        """The pictures of points."""
        return {name: panel for name, panel in self.panels.items() if isinstance(panel, ScatterPanel)}

    def complete(self, step: int) -> bool:
        """Whether every picture on screen is that of ``step``."""
        shown = self._on_screen().values()
        return bool(shown) and all(panel.step == step for panel in shown)

    def _offer_colours(self, offered: dict[str, Text], *, again: bool) -> None:
        """What points can be coloured by; a former choice stays where it can, in colours of these data."""
        for panel in self.scatters().values():
            panel.set_colourings(list(offered.items()))
        wanted = self.selection.colouring
        if not again or wanted not in offered:
            self.selection.colour_by("")
            if wanted in offered:
                self.selection.colour_by(wanted)
                self.ask.emit("colours", (wanted,))

    # ── building ────────────────────────────────────────────────────────────────────────────────────────────

    def _build(self, info: Info, names: Sequence[str]) -> None:
        self._chooses = tuple(name for name in info.picks if plain(name) == "choose")
        former = list(self.panels.values())
        self.panels = {n: make_panel(info.channels[n], self.selection, self.history) for n in names}
        for name, panel in self.panels.items():
            prefix = PREFIX if is_second(name) else ""
            panel.shared.connect(lambda at, panel=panel: self.shared.emit(panel, at))
            panel.ask.connect(lambda query, args, p=prefix: self.ask.emit(p + query, args))
            panel.act.connect(lambda action, args, p=prefix: self.act.emit(p + action, args))
            if isinstance(panel, ScatterPanel):
                panel.original.connect(self.original)
                panel.painter.painted.connect(self.painted)
                panel.painter.painted.connect(lambda xy, y, n=name: self._heed(n, Cloud(xy, y)))
                panel.painter.switched.connect(self.painting)
                panel.painter.told.connect(self.told)
        for name, panel in second(self.panels).items():
            twin = self.panels.get(name)
            if isinstance(panel, ScatterPanel) and isinstance(twin, ScatterPanel):
                panel.link(twin)
        if self._multiples:
            for panel in [p for p in self.panels.values() if isinstance(p, ScatterPanel)][1:]:
                panel.follow_the_first()
        self.loss.set_scalars(info.scalars)
        self._arrange()
        for panel in former:
            if isinstance(panel, ScatterPanel):
                panel.painter.forget_strokes()
            panel.deleteLater()

    def _arrange(self) -> None:
        """Lay the panels out for the space there is."""
        former = self._splitter
        panels = [*self.panels.values(), *([self.loss] if self._curves else [])]
        a, b = list(first(self.panels).values()), list(second(self.panels).values())
        if b:
            self._splitter = _side_by_side(a, b, self.loss, self._tell_watched, cramped=self._cramped)
        elif self._multiples:
            maps = [panel for panel in panels if isinstance(panel, ScatterPanel)]
            rest = [panel for panel in panels if panel not in maps]
            cells: list[QWidget] = [*panels]
            if self._cramped:
                # The maps stay together, and what is said about them takes turns in one place, or has none.
                cells = [*maps, _Pager(rest, self._tell_watched)] if len(rest) > 1 else [*maps]
                if len(rest) == 1:
                    rest[0].setParent(self)
                    rest[0].hide()
            self._splitter = _grid(cells, self.width() / max(self.height(), 1) if self.isVisible() else 1.4)
            for cell in maps:  # only now: a widget without a parent would be a window
                cell.show()
        elif self._cramped:
            self._splitter = _two_at_a_time(panels, self._tell_watched)
        else:
            self._splitter = _all_at_once(panels)
        self._column.addWidget(self._splitter)
        if not self._curves:
            self.loss.setParent(self)
            self.loss.hide()
        if not self._cramped and not b:
            for panel in panels:
                panel.show()  # a pager hides all but one
        for panel in panels:
            panel.dress()  # the style sheet undoes the fonts of what has moved
        if former is not None:
            former.hide()
            self._column.removeWidget(former)
            former.deleteLater()
        QTimer.singleShot(0, self._tell_watched)  # once Qt has shown the new ones

    def _fit(self) -> None:
        """Another arrangement when the window or the size of everything has changed enough."""
        narrow = self.width() < look.px(LEAST_WIDTH) or self.height() < look.px(LEAST_HEIGHT)
        if narrow != self._cramped and self.isVisible():
            self._cramped = narrow
            if self.panels:
                self._arrange()

    # ── what comes from the engine ──────────────────────────────────────────────────────────────────────────

    def show_views(self, views: Mapping[str, tuple[int, Any]]) -> None:
        for channel, (step, payload) in views.items():
            if channel in self.panels:
                self.panels[channel].present(payload, step)
            elif channel.startswith(GHOST) and channel.removeprefix(GHOST) in self.panels:
                self.panels[channel.removeprefix(GHOST)].set_ghost(payload, step)

    def set_past(self, past: bool) -> None:
        """A recorded step is on screen, or the newest again: its pictures come next."""
        for panel in self.panels.values():
            panel.set_past(past)

    def set_held(self, held: bool) -> None:
        """Somebody holds the handle of the timeline, or has let it go."""
        for panel in self.scatters().values():
            panel.canvas.view.set_held(held)

    def show_scalars(self, scalars: Mapping[str, tuple[Sequence[int], Sequence[float]]]) -> None:
        for name, (steps, values) in scalars.items():
            self.loss.extend(steps, {name: values})

    def show_answer(self, name: str, tag: object, value: Any, recorded: int | None = None) -> None:
        """recorded: the step whose state has answered, when it is not the present one."""
        everybody = isinstance(value, Colours)  # the points of both sides are the same items
        for channel, panel in self.panels.items():
            if everybody or is_second(channel) == is_second(name):
                panel.answered(plain(name), tag, value, recorded)

    def set_sides(self, a: Text | str, b: Text | str) -> None:
        """What two runs side by side are called."""
        two = any(map(is_second, self.panels))
        for name, panel in self.panels.items():
            side, words = ("B", b) if is_second(name) else ("A", a)
            told = Text("{side} · {words}", {"side": side, "words": words}) if words else side
            panel.set_side(told if two else "")

    def show_guests(self, places: Mapping[str, Guests], *, elsewhere: bool = False) -> None:
        """The drawing lies at these places of these channels, and nowhere else. See
        :meth:`ScatterPanel.set_guest`.
        """
        for name, panel in self.panels.items():
            xy, trail = places.get(name, (None, ()))
            panel.set_guest(xy, trail, elsewhere=elsewhere)

    def colour_by(self, name: str) -> None:
        """Colour the points of every picture by ``name``, one of the colourings there are."""
        self.selection.colour_by(name)
        if name:
            self.ask.emit("colours", (name,))

    def _choose(self, item: int) -> None:
        """A pinned item is also one to look at closely, where the experiment can do that."""
        if item >= 0:
            for name in self._chooses:
                self.act.emit(name, (item,))

    def pinned_in(self) -> str:
        """The picture in which a point has been pinned and its neighbours are listed; "" for none."""
        for name, panel in self.scatters().items():
            if panel.canvas.cards.pinned_here >= 0:
                return name
        return ""

    def pin(self, item: int, where: str = "") -> None:
        """As if ``item`` had been clicked in the picture ``where``; -1: no item is pinned."""
        panel = self.panels.get(where)
        if isinstance(panel, ScatterPanel) and item >= 0:
            panel.canvas.cards.pin(item)
        else:
            self.selection.set_pin(item)

    # ── painting ──

    def _heed(self, name: str, cloud: Cloud) -> None:
        """Two runs side by side learn from the same points, whichever picture they are painted in."""
        for other, panel in self.scatters().items():
            if other != name:
                panel.painter.heed(cloud)

    @property
    def painter(self) -> Painter | None:
        """Who holds the brush, if anybody does."""
        return next((panel.painter for panel in self.scatters().values() if panel.painter.on), None)

    def toggle_painting(self) -> None:
        """Take the brush to the first picture on screen that can be painted on, or lay it down."""
        if not self.lay_brush_down():
            for panel in self._on_screen().values():
                if isinstance(panel, ScatterPanel) and panel.paintable:
                    panel.paint_data(True)
                    return

    def lay_brush_down(self) -> bool:
        """Whether somebody held it."""
        painter = self.painter
        if painter is not None:
            painter.switch(False)
        return painter is not None

    def set_ghost(
        self, scalars: Mapping[str, tuple[Sequence[int], Sequence[float]]], run: Text | str
    ) -> None:
        """The curves of another branch, called ``run``, lie behind; none: it goes, and its pictures with it.

        Pictures of it come with the other views.
        """
        self.name_ghost(run)
        self.loss.set_ghost(scalars or None)
        if not scalars:
            for panel in self.panels.values():
                panel.set_ghost(None)

    def name_ghost(self, run: Text | str) -> None:
        """Whose ghost is seen."""
        for panel in (*self.panels.values(), self.loss):
            panel.name_ghost(run)

    def highlight(self, channels: Sequence[str]) -> None:
        """Slow motion speaks about these."""
        for name, panel in self.panels.items():
            panel.set_highlight(name in channels)

    # ── what is on screen ───────────────────────────────────────────────────────────────────────────────────

    def _on_screen(self) -> dict[str, Panel]:
        return {name: panel for name, panel in self.panels.items() if panel.isVisible()}

    def watch_all(self, on: bool) -> None:
        """The pictures of all panels are wanted for a moment, or again only of those that are seen."""
        self._all_wanted = on
        self._tell_watched()

    def _tell_watched(self) -> None:
        self.watched.emit(tuple(self.panels if self._all_wanted else self._on_screen()))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit()
        QTimer.singleShot(0, self._tell_watched)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._tell_watched()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _on_look(self) -> None:
        margin = look.px(8) if not look.projector else look.icon_px(6)
        self._column.setContentsMargins(margin, margin, margin, margin)
        for splitter in self.findChildren(QSplitter):
            splitter.setHandleWidth(margin)
        self._fit()


class _Pager(QWidget):
    """One panel at a time, with arrows to the others."""

    def __init__(self, panels: Sequence[Panel], turned: Any) -> None:
        super().__init__()
        self._stack = QStackedWidget()
        for panel in panels:
            self._stack.addWidget(panel)
        self._where = named("quiet", QLabel())
        self._where.setFont(look.font(0.92, tabular=True))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._stack, 1)
        row = QHBoxLayout()
        row.addStretch(1)
        for name, tip, by in (("previous", _("Previous picture"), -1), ("right", _("Next picture"), 1)):
            button = IconButton(name, tip, size=14, pad=4, flat=True)
            button.clicked.connect(lambda _on=False, by=by: self._turn(by))
            row.addWidget(button)
            if by < 0:
                row.addWidget(self._where)
        row.addStretch(1)
        column.addLayout(row)
        self._turned = turned
        self._turn(0)

    def _turn(self, by: int) -> None:
        count = self._stack.count()
        self._stack.setCurrentIndex((self._stack.currentIndex() + by) % count)
        self._where.setText(f"{self._stack.currentIndex() + 1} / {count}")
        if by:
            self._turned()


def _all_at_once(panels: Sequence[Panel]) -> QSplitter:
    """Two columns: the first picture large at the top left, the curves last, at the bottom right."""
    left, right = _split(Qt.Orientation.Vertical), _split(Qt.Orientation.Vertical)
    under = panels[-2] if len(panels) >= 4 else None
    for panel in panels:
        (left if panel in (panels[0], under) else right).addWidget(panel)
    columns = _split(Qt.Orientation.Horizontal)
    columns.addWidget(left)
    if right.count():
        columns.addWidget(right)
    _share(left, (5, *(3,) * (left.count() - 1)))
    _share(right, (1,) * right.count())
    _share(columns, (13, 10))
    return columns


def _two_at_a_time(panels: Sequence[Panel], turned: Any) -> QSplitter:
    """The first picture, and beside it one of the others."""
    columns = _split(Qt.Orientation.Horizontal)
    columns.addWidget(panels[0])
    if len(panels) > 1:
        columns.addWidget(_Pager(panels[1:], turned))
    _share(columns, (6, 5))
    return columns


def _grid(panels: Sequence[QWidget], shape: float) -> QSplitter:
    """Small multiples: all of one size, in rows. shape: width to height of the room for all of them."""
    count = len(panels)
    # As many columns as leave the most room for a square in each cell.
    columns = max(range(1, count + 1), key=lambda c: (min(shape / c, 1 / math.ceil(count / c)), -c))
    rows = _split(Qt.Orientation.Vertical)
    for begin in range(0, len(panels), columns):
        row = _split(Qt.Orientation.Horizontal)
        for panel in panels[begin : begin + columns]:
            row.addWidget(panel)
        _share(row, (1,) * row.count())
        rows.addWidget(row)
    _share(rows, (1,) * rows.count())
    return rows


def _side_by_side(
    a: Sequence[Panel], b: Sequence[Panel], loss: Panel, turned: Any, *, cramped: bool
) -> QSplitter:
    """The first picture of A beside that of B; below them the curves of both and, in turn, the others."""
    top = _split(Qt.Orientation.Horizontal)
    top.addWidget(a[0])
    top.addWidget(b[0])
    others = [panel for pair in zip_longest(a[1:], b[1:]) for panel in pair if panel is not None]
    for panel in (a[0], b[0], loss):
        panel.show()
    if cramped:
        top.addWidget(_Pager([loss, *others], turned))
        _share(top, (1, 1, 1))
        return top
    _share(top, (1, 1))
    below = _split(Qt.Orientation.Horizontal)
    below.addWidget(loss)
    if others:
        below.addWidget(_Pager(others, turned))
    _share(below, (1,) * below.count())
    rows = _split(Qt.Orientation.Vertical)
    rows.addWidget(top)
    rows.addWidget(below)
    _share(rows, (8, 5))
    return rows


def _split(orientation: Qt.Orientation) -> QSplitter:
    splitter = QSplitter(orientation)
    splitter.setChildrenCollapsible(False)
    splitter.setHandleWidth(look.px(8))
    return splitter


def _share(splitter: QSplitter, parts: Sequence[int]) -> None:
    """Divide the space in these proportions, now and when the window grows."""
    splitter.setSizes([100 * part for part in parts])
    for index, part in enumerate(parts):
        splitter.setStretchFactor(index, part)
