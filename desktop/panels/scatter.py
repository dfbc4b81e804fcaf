"""A cloud of points, from two to a million, in a panel: its title row, its brush, its answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from desktop.controls.parts import IconButton
from desktop.history import History
from desktop.language import _, number, say, tr
from desktop.panels.canvas import Canvas
from desktop.panels.colour_by import ColourButton
from desktop.panels.paint import Cloud, Painter, PaintTools, over
from desktop.panels.panel import Panel
from desktop.selection import Selection
from desktop.style.tokens import look
from engine.api import Colours, Item, Points


class ScatterPanel(Panel):
    """Draws ``Points``, and lets a person paint on those that are the data themselves."""

    original = Signal()
    """The data shall be again as they were before anybody painted on them."""

    def __init__(
        self,
        title: str,
        selection: Selection,
        parent: QWidget | None = None,
        *,
        history: History | None = None,
    ) -> None:
        self.painter = Painter(history=history)
        self._canvas = Canvas(selection, self.painter)
        self.painter.setParent(self._canvas)
        self._payload: Points | None = None
        self._counts: tuple[int, int | None] = (0, None)
        super().__init__(title, parent)
        say(self._canvas.setAccessibleName, title)
        self._canvas.ask.connect(self.ask)
        self._canvas.act.connect(self.act)
        self._canvas.menu_wanted.connect(self.shared)
        self.tools = PaintTools(self.painter)
        self.tools.hide()
        self.tools.original.connect(self._bring_back)
        self.brush = IconButton("brush", _("Paint your own points (B)"), size=15, pad=3, flat=True)
        self.brush.setCheckable(True)
        self.brush.hide()
        self.brush.clicked.connect(self.paint_data)
        self._selection = selection
        self._follows = False
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

    def show_ghost(self, payload: Points | None) -> None:
        self._canvas.set_ghost(payload, self.ghost_words())

    def _count(self, points: Points) -> None:
        counts = (len(points.xy), points.total)
        if counts != self._counts:
            self._counts = counts
            self._write_counts()

    def set_past(self, past: bool) -> None:
        self._canvas.view.set_past(past)

    def link(self, other: ScatterPanel) -> None:
        """Show the same part of the plane as ``other``, wherever both have the same axes."""
        self._canvas.view.link(other._canvas.view)

    def follow_the_first(self) -> None:
        """Another picture beside this one has the legend and the choice of colours for all of them."""
        self._canvas.names_colours = False
        self._follows = True

    # ── what the points are coloured by ──

    def set_colourings(self, colourings: Sequence[tuple[str, str]]) -> None:
        """What the points can be coloured by: names, each with its title."""
        self.colour.set_choices(() if self._follows else colourings)
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
        self.fit_share(anew=True)

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
        if self._payload is not None:
            if self._payload.classes is None:
                self.painter.lose()
            else:
                self.painter.meet(Cloud(self._payload.xy, self._payload.classes))

    def _bring_back(self) -> None:
        self.painter.bring_back()
        self.original.emit()

    def _on_switched(self, on: bool) -> None:
        self.tools.setVisible(on)
        self.brush.setChecked(on)
        self._canvas.gestures.hold_brush(on)
        self._write_counts()
        self._meet()

    def _on_painted(self) -> None:
        cloud = self.painter.points
        if self._payload is not None and cloud is not None:
            self._payload = over(self._payload, cloud)
            self._count(self._payload)
            self._canvas.put_points(self._payload)

    def answered(self, name: str, tag: object, value: object, recorded: int | None = None) -> None:
        if name == "item" and isinstance(value, Item):
            self._canvas.cards.take(value)
        elif name == "neighbours" and value is not None:
            pinned = self._selection.pin
            asked = tag[0] if isinstance(tag, tuple) and tag else pinned
            if asked == pinned >= 0:  # not of a point pinned before
                self._canvas.cards.met(recorded)
                self._selection.set_neighbours(tuple(int(i) for i in np.asarray(value).ravel()))
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
        self._canvas.ghost_words = self.ghost_words()
        self._canvas.restyle()

    def clear(self) -> None:
        self._counts = (0, None)
        self._payload = None
        self.painter.begin()
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
