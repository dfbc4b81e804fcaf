"""The run on screen as one would write it down: how it began, what was done to it by hand, and where its
knobs stand.
"""

from __future__ import annotations

import dataclasses

from PySide6.QtCore import QObject, Signal

from desktop.bridge import Bridge
from engine.api import Acted, Painted, RunSpec, Sought, Started, StatusChanged, Turned, Value, beginning


class Record(QObject):
    """Listens from the first run on. values: every knob as it would be if the run went on from what is on
    screen. log: from the very start, the oldest first; knobs that still wait are not in it.
    """

    changed = Signal()

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.started: Started | None = None
        self.values: dict[str, Value] = {}
        self.log: list[Turned | Acted] = []
        self.step = 0
        bridge.started.connect(self._on_started)
        bridge.turned.connect(self._on_turned)
        bridge.acted.connect(self._on_acted)
        bridge.painted.connect(self._on_painted)
        bridge.sought.connect(self._on_sought)
        bridge.status.connect(self._on_status)
        bridge.progress.connect(self._on_progress)

    @property
    def spec(self) -> RunSpec | None:
        """The run as it began, with the value of every knob."""
        return None if self.started is None else beginning(self.started)

    def _on_started(self, started: Started) -> None:
        self.started, self.values = started, dict(started.params)
        self.log, self.step = [done for done in started.log if not _waits(done)], 0
        self.changed.emit()

    def _on_turned(self, turned: Turned) -> None:
        self.values[turned.name] = turned.new
        if not turned.waiting:
            self.log.append(turned)
        self.changed.emit()

    def _on_acted(self, acted: Acted) -> None:
        self.log.append(acted)
        self.changed.emit()

    def _on_painted(self, painted: Painted) -> None:
        if self.started is not None and not self.started.painted:
            self.started = dataclasses.replace(self.started, painted=True)
            self.changed.emit()

    def _on_sought(self, sought: Sought) -> None:
        if sought.values and sought.values != self.values:
            self.values = dict(sought.values)
            self.changed.emit()

    def _on_status(self, status: StatusChanged) -> None:
        if status.status != "running":
            self.changed.emit()

    def _on_progress(self, step: int, _rate: object) -> None:
        self.step = step


def _waits(done: Turned | Acted) -> bool:
    return isinstance(done, Turned) and done.waiting
