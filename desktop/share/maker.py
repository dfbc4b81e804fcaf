"""A writer that is handed what it writes bit by bit, while the window goes on making it."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from PySide6.QtCore import QObject, Signal

from desktop.share.whole import whole
from desktop.share.writer import Writer

AHEAD = 2
"""So many things may wait to be written: what is made is handed on, never collected."""
_END = object()


class _GivenUpError(Exception):
    """Nobody wants the file any more."""


class Maker(Writer):
    """``write(file, things)`` runs on a thread of its own and takes the things that are put here."""

    taken = Signal()
    """One more of them has been dealt with."""

    def __init__(
        self, path: Path, write: Callable[[IO[bytes], Iterator[Any]], None], parent: QObject
    ) -> None:
        super().__init__(path, self._fill, parent)
        self._write = write
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._waiting = 0
        self.taken.connect(self._on_taken)

    def put(self, thing: Any) -> None:
        self._waiting += 1
        self._queue.put(thing)

    @property
    def full(self) -> bool:
        """Whether the next thing had better not be made before another has been ``taken``."""
        return self._waiting >= AHEAD

    def finish(self) -> None:
        """That was all: ``ended`` follows."""
        self._queue.put(_END)

    def give_up(self) -> None:
        super().give_up()
        self._queue.put(_END)

    def _on_taken(self) -> None:
        self._waiting -= 1

    # ── the thread ──────────────────────────────────────────────────────────────────────────────────────────

    def _fill(self, path: Path) -> Iterator[float]:
        try:
            with whole(path) as file:
                self._write(file, self._things())
        except _GivenUpError:
            yield 1.0  # and is not asked to go on

    def _things(self) -> Iterator[Any]:
        while (thing := self._queue.get()) is not _END and not self._given_up.is_set():
            yield thing
            self.taken.emit()
        if self._given_up.is_set():
            raise _GivenUpError
