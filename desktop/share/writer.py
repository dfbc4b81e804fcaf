"""A thread that writes what has been collected, while the window goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop.language import _
from desktop.share.whole import not_written
from engine.api import InputError

SAY_EVERY = 0.05
PATIENCE = 0.8
"""Seconds a closing window waits for the thread to tidy up."""


class Writer(QObject):
    """``work(path)`` writes there and yields, again and again, how much is done. Ending it early must leave
    nothing behind.
    """

    progressed = Signal(float)
    ended = Signal(object)
    """It is written (None), or the sentence why it is not ("" when it was given up)."""

    def __init__(self, path: Path, work: Callable[[Path], Iterator[float]], parent: QObject) -> None:
        super().__init__(parent)
        self.path = path
        self._work = work
        self._given_up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def give_up(self) -> None:
        """Nothing is written: ``ended`` follows."""
        self._given_up.set()

    def join(self) -> None:
        """Wait until it is through, for a moment."""
        self._thread.join(PATIENCE)

    def _run(self) -> None:
        sentence: str | None = None
        work = self._work(self.path)
        try:
            said = time.monotonic()
            for share in work:
                if self._given_up.is_set():
                    sentence = ""
                    break
                if time.monotonic() - said > SAY_EVERY:
                    said = time.monotonic()
                    self.progressed.emit(share)
        except InputError as error:
            sentence = error.sentence
        except OSError as error:
            sentence = not_written(self.path, error)
        except Exception as error:
            reason = str(error) or type(error).__name__
            self.ended.emit(_("“{path}” could not be made: {reason}.", path=self.path.name, reason=reason))
            raise  # for the report
        finally:
            work.close()  # type: ignore[attr-defined]
        self.ended.emit(sentence)
