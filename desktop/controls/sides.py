"""Two runs side by side: the knobs of A and of B, one of them in sight at a time."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QTabBar, QVBoxLayout, QWidget

from desktop.controls.param_panel import ParamPanel
from desktop.controls.parts import named
from desktop.history import History
from desktop.language import _, language, say, tr
from desktop.style.tokens import look
from engine.api import Info, Text, Value, is_second

COMPARE = _("Compare: two runs side by side (C)")
SAME = _("The same again, with other settings")
END = _("End the comparison")


class Sides(QWidget):
    """The knobs of what runs; with something beside it, a tab for each of the two."""

    turned = Signal(str, object)
    """A knob and its new value; B's knobs have names of their own (see engine.core.beside)."""

    def __init__(self, history: History | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tabs = named("sides", QTabBar(expanding=True, drawBase=False))
        say(self._tabs.setAccessibleName, _("Which of the two runs the knobs belong to"))
        self._tabs.setUsesScrollButtons(False)
        self._tabs.setElideMode(Qt.TextElideMode.ElideRight)
        self._tabs.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for side in "AB":
            self._tabs.addTab(side)
        self._titles: tuple[Text | str, Text | str] = ("", "")
        self.undo_stack = History(self) if history is None else history
        self.panels = (ParamPanel(history=self.undo_stack), ParamPanel(history=self.undo_stack))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._tabs)
        for panel in self.panels:
            column.addWidget(panel)
            panel.turned.connect(self.turned)
        self._tabs.currentChanged.connect(self._show)
        self._two = False
        language.changed.connect(self._write)
        look.changed.connect(self._write)
        self._show()

    @property
    def shown(self) -> ParamPanel:
        """The knobs in sight."""
        return self.panels[self._tabs.currentIndex() if self._two else 0]

    def set_knobs(self, info: Info, values: dict[str, Value]) -> None:
        """All knobs of ``info``; where there are two sides, B's last value decides what is looked at."""
        two = any(is_second(knob.name) for knob in info.knobs)
        for which, panel in enumerate(self.panels):
            panel.side = "AB"[which] if two else ""
            panel.set_knobs(tuple(k for k in info.knobs if is_second(k.name) == bool(which)), values)
        if two != self._two:
            self._two = two
            self._tabs.setCurrentIndex(int(two))  # one has just asked for a B, to turn something there
        self._show()

    def set_titles(self, a: Text | str, b: Text | str) -> None:
        """What the two are called."""
        self._titles = (a, b)
        self._write()

    def set_defaults(self, values: dict[str, Value]) -> None:
        for panel in self.panels:
            panel.set_defaults(values)

    def set_value(self, name: str, value: Value) -> None:
        """A knob stands at this value. No signal."""
        self.panels[int(is_second(name))].set_value(name, value)

    def turn(self, name: str, value: object) -> None:
        """As if a person had turned it."""
        self.panels[int(is_second(name))].turn(name, value)

    def _show(self) -> None:
        self._tabs.setVisible(self._two)
        for panel in self.panels:
            panel.setVisible(panel is self.shown)

    def _write(self) -> None:
        for index, (side, title) in enumerate(zip("AB", self._titles, strict=True)):
            whole = f"{side} · {tr(title)}" if title else side
            # In large letters there is room for what differs alone; the pictures say whose it is.
            self._tabs.setTabText(index, tr(title) if title and look.projector else whole)
