"""The middle of the window: every picture of a run, the first one large."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from desktop.language import _
from desktop.panels.catalogue import make_panel
from desktop.panels.loss_plot import LossPlot
from desktop.panels.panel import Panel
from desktop.selection import Selection
from desktop.style.tokens import look
from engine.api import Info, Started, Turned


class PanelArea(QWidget):
    """Builds the panels that an experiment's channels need, and hands each what is meant for it."""

    watched = Signal(object)
    """The channels that are on screen."""
    ask = Signal(str, tuple)
    act = Signal(str, tuple)
    sought = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.selection = Selection()
        self.panels: dict[str, Panel] = {}
        self.loss = LossPlot(_("Curves"), self.selection, self)
        self.loss.sought.connect(self.sought)
        self.loss.hide()
        self._column = QVBoxLayout(self)
        self._splitter: QSplitter | None = None
        self._built: tuple[str, str] | None = None
        look.changed.connect(self._on_look)
        self._on_look()

    def begin(self, info: Info, started: Started, large: Sequence[str]) -> None:
        """Panels for this run: new ones for another experiment or kind of data, else the same ones
        emptied.
        """
        again = self._built == (info.id, started.kind)
        if again and started.branched_from is None:
            self.loss.keep_ghost()
        elif not again:
            self._build(info, started.kind, large)
        self.selection.clear()
        for panel in (*self.panels.values(), self.loss):
            panel.reset()
        if not again:
            self.loss.clear_ghost()
        self._tell_watched()

    def _build(self, info: Info, kind: str, large: Sequence[str]) -> None:
        self._built = (info.id, kind)
        self.loss.setParent(self)
        if self._splitter is not None:
            self._splitter.hide()
            self._column.removeWidget(self._splitter)
            self._splitter.deleteLater()
        names = [n for n, channel in info.channels.items() if kind in channel.kinds]
        names.sort(key=lambda n: list(large).index(n) if n in large else len(names))
        self.panels = {n: make_panel(info.channels[n], self.selection) for n in names}
        for panel in self.panels.values():
            panel.ask.connect(self.ask)
            panel.act.connect(self.act)
        self.loss.set_scalars(info.scalars)
        self._splitter = self._arrange([*self.panels.values(), self.loss])
        self._column.addWidget(self._splitter)
        self.loss.show()

    def _arrange(self, panels: list[Panel]) -> QSplitter:
        """Two columns: the first picture large at the top left, the curves last, at the bottom right."""
        left, right = _split(Qt.Orientation.Vertical), _split(Qt.Orientation.Vertical)
        under = panels[-2] if len(panels) >= 4 else None
        for panel in panels:
            (left if panel in (panels[0], under) else right).addWidget(panel)
        columns = _split(Qt.Orientation.Horizontal)
        columns.addWidget(left)
        if right.count():
            columns.addWidget(right)
        _share(left, (5, *(2,) * (left.count() - 1)))
        _share(right, (1,) * right.count())
        _share(columns, (6, 5))
        return columns

    def show_views(self, views: Mapping[str, tuple[int, Any]]) -> None:
        for channel, (step, payload) in views.items():
            if channel in self.panels:
                self.panels[channel].present(payload, step)

    def show_scalars(self, scalars: Mapping[str, tuple[Sequence[int], Sequence[float]]]) -> None:
        for name, (steps, values) in scalars.items():
            self.loss.extend(steps, {name: values})

    def show_answer(self, name: str, tag: object, value: Any) -> None:
        for panel in self.panels.values():
            panel.answered(name, tag, value)

    def add_flag(self, turned: Turned, text: str) -> None:
        self.loss.add_flag(turned.step, text)

    def highlight(self, channels: Sequence[str]) -> None:
        """Slow motion speaks about these."""
        for name, panel in self.panels.items():
            panel.set_highlight(name in channels)

    def _tell_watched(self) -> None:
        self.watched.emit(tuple(self.panels) if self.isVisible() else ())

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        QTimer.singleShot(0, self._tell_watched)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._tell_watched()

    def _on_look(self) -> None:
        margin = look.px(8)
        self._column.setContentsMargins(margin, margin, margin, margin)
        for splitter in self.findChildren(QSplitter):
            splitter.setHandleWidth(margin)


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
