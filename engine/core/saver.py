"""Writes sessions beside the training: hashing, packing and waiting for the disk take a thread of their own.

What is written was collected on the engine's thread and does not change any more; torch is not touched here.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path

from engine.core import session
from engine.core.events import Failed, Refused, Saved, Saving
from engine.core.mailbox import Mailbox
from engine.core.text import CancelledError, InputError, _

TELL_EVERY = 0.1  # s
Job = tuple[Mapping[str, session.Content], bool]
"""What is to be written, and whether nobody has asked for it."""


class Saver:
    """One file at a time. What is asked for meanwhile waits until that one is whole; of two for the same
    place, the later one.
    """

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._lock = threading.Lock()
        self._jobs: dict[Path, Job] = {}
        self._thread: threading.Thread | None = None
        self._working = self._cancelled = False

    @property
    def busy(self) -> bool:
        """Whether a file is being written."""
        return self._working

    def write(self, path: Path, members: Mapping[str, session.Content], *, quiet: bool) -> None:
        """Write ``members`` to ``path``: Saving, then Saved or Refused. Returns at once. quiet: nobody has
        asked.
        """
        with self._lock:
            self._jobs.pop(path, None)
            self._jobs[path] = members, quiet
            if not self._working:
                self._working = True
                self._thread = threading.Thread(target=self._run, name="saver", daemon=True)
                self._thread.start()

    def cancel(self) -> None:
        """Give up what is being written or waits; the former files stay."""
        with self._lock:
            self._cancelled = True
            self._jobs.clear()

    def close(self) -> None:
        """Wait until nothing is being written any more."""
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._lock:
                self._cancelled = False
                path = next(iter(self._jobs), None)
                if path is None:
                    self._working = False
                    return
                members, quiet = self._jobs.pop(path)
            self._write(path, members, quiet)

    def _write(self, path: Path, members: Mapping[str, session.Content], quiet: bool) -> None:
        begun = told = time.perf_counter()

        def tell(share: float) -> None:
            nonlocal told
            if self._cancelled:
                raise CancelledError
            if time.perf_counter() - told >= TELL_EVERY:
                told = time.perf_counter()
                self._mailbox.put_event(Saving(path, share, quiet))

        about = "autosave" if quiet else "save"
        try:
            session.write(path, members, tell=tell)
        except CancelledError:
            return
        except InputError as error:
            self._mailbox.put_event(Refused(error.sentence, about))
        except Exception as error:  # whoever waits for this file must hear of it
            sentence = _("“{path}” could not be written. The former version is still there.", path=str(path))
            self._mailbox.put_event(Failed(sentence, "".join(traceback.format_exception(error))))
            self._mailbox.put_event(Refused(sentence, about))
        else:
            self._mailbox.put_event(Saved(path, time.perf_counter() - begun, quiet))
