"""Every picture of the run, also those that take turns in one place, with their data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.share.folder import Collected, collect

if TYPE_CHECKING:
    from desktop.window import Window

PATIENCE_MS = 2000
"""How long at most is waited for pictures that nobody has looked at so far."""


class Gathering(QObject):
    """One picture at a time, so that the window goes on meanwhile."""

    ended = Signal(object)
    """What was collected, or None when it was given up."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        assert window.area is not None
        assert window.bridge is not None
        self._window, self._area, self._bridge = window, window.area, window.bridge
        self._collecting: Iterator[Collected] | None = None
        self._found: Collected | None = None
        self._patience = QTimer(self, singleShot=True, interval=PATIENCE_MS)
        self._patience.timeout.connect(self._collect)
        self._turn = QTimer(self, interval=0)
        self._turn.timeout.connect(self._on_turn)

    def begin(self) -> None:
        self._bridge.started.connect(self.give_up)
        self._bridge.progress.connect(self._on_delivered)
        self._area.watch_all(True)
        self._patience.start()
        self._on_delivered()

    def give_up(self) -> None:
        """Nobody wants it any more, or there is another run."""
        self._found = None
        self._end()

    def _on_delivered(self) -> None:
        if all(panel.payload is not None for panel in self._area.panels.values()):
            self._collect()

    def _collect(self) -> None:
        if self._collecting is None:
            self._patience.stop()
            self._collecting = collect(self._window)
            self._turn.start()

    def _on_turn(self) -> None:
        assert self._collecting is not None
        found = next(self._collecting, None)
        if found is None:
            self._end()
        self._found = found or self._found

    def _end(self) -> None:
        self._turn.stop()
        self._patience.stop()
        self._bridge.started.disconnect(self.give_up)
        self._bridge.progress.disconnect(self._on_delivered)
        self._area.watch_all(False)
        self.ended.emit(self._found)
        self.deleteLater()
