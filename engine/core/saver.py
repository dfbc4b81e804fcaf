"""Writes sessions beside the training: hashing, packing and waiting for the disk take a thread of their own.

What is written was collected on the engine's thread and does not change any more; torch is not touched here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path

from engine.core import session
from engine.core.events import Refused, Saved, Saving
from engine.core.mailbox import Mailbox
from engine.core.text import CancelledError, InputError

TELL_EVERY = 0.1  # s


class Saver:
    """One file at a time; what is asked for meanwhile waits until that one is whole."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._thread: threading.Thread | None = None
        self._cancelled = threading.Event()

    @property
    def busy(self) -> bool:
        """Whether a file is being written."""
        return self._thread is not None and self._thread.is_alive()

    def write(self, path: Path, members: Mapping[str, session.Content], *, quiet: bool) -> None:
        """Begin to write ``members`` to ``path``: Saving, then Saved or Refused. quiet: nobody has asked."""
        self.close()
        self._cancelled.clear()
        self._thread = threading.Thread(
            target=self._write, args=(path, members, quiet), name="saver", daemon=True
        )
        self._thread.start()

    def cancel(self) -> None:
        """Give up what is being written; the former file stays."""
        self._cancelled.set()

    def close(self) -> None:
        """Wait until nothing is being written any more."""
        if self._thread is not None:
            self._thread.join()

    def _write(self, path: Path, members: Mapping[str, session.Content], quiet: bool) -> None:
        begun = told = time.perf_counter()

        def tell(share: float) -> None:
            nonlocal told
            if self._cancelled.is_set():
                raise CancelledError
            if time.perf_counter() - told >= TELL_EVERY:
                told = time.perf_counter()
                self._mailbox.put_event(Saving(path, share, quiet))

        try:
            session.write(path, members, compress=not quiet, tell=tell)
        except CancelledError:
            return
        except InputError as error:
            self._mailbox.put_event(Refused(error.sentence, "autosave" if quiet else "save"))
            return
        self._mailbox.put_event(Saved(path, time.perf_counter() - begun, quiet))
