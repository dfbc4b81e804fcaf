"""Errors nobody foresaw: one report file, one calm dialog per place, and the app goes on."""

from __future__ import annotations

import contextlib
import faulthandler
import platform
import sys
import threading
import time
import traceback
from pathlib import Path
from types import TracebackType
from typing import IO

from PySide6.QtCore import QMessageLogContext, QObject, QtMsgType, Signal, qInstallMessageHandler, qVersion

from engine.api import Text, _

LARGEST_REPORT = 2_000_000  # bytes; an older report is then kept as .1
HARMLESS = ("This plugin does not support propagateSizeHints()",)
"""What Qt says without a screen at every window it opens."""


class Reporter(QObject):
    """Collects what goes wrong in Python and in Qt. Each place speaks once; all of it is in the file."""

    trouble = Signal(object)
    """A sentence to show, from any thread."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self._seen: set[str] = set()
        self._lock = threading.Lock()
        self._fault_file: IO[str] | None = None

    def install(self) -> None:
        """Take over the interpreter's and Qt's last words."""
        sys.excepthook = self._on_exception
        threading.excepthook = lambda args: self._on_exception(
            args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback
        )
        qInstallMessageHandler(self._on_qt_message)
        with contextlib.suppress(
            OSError
        ):  # a home that cannot be written must not keep the app from starting
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._fault_file = self.path.with_name("crash.txt").open("a", encoding="utf-8")
            faulthandler.enable(self._fault_file)

    def remove(self) -> None:
        """Give the last words back, at the end."""
        sys.excepthook = sys.__excepthook__
        threading.excepthook = threading.__excepthook__
        qInstallMessageHandler(None)
        faulthandler.disable()
        if self._fault_file is not None:
            self._fault_file.close()

    def note(self, site: str, text: str, sentence: Text | None = None) -> None:
        """Write ``text`` to the report; the first time for this ``site`` also show ``sentence``."""
        with self._lock:
            new = site not in self._seen
            self._seen.add(site)
            if new:
                self._append(text)
        if new and sentence is not None:
            self.trouble.emit(sentence)

    def _append(self, text: str) -> None:
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self.path.exists() and self.path.stat().st_size > LARGEST_REPORT:
                self.path.replace(self.path.with_name(self.path.name + ".1"))
            with self.path.open("a", encoding="utf-8") as file:
                stamp = time.strftime("%Y-%m-%d %H:%M:%S")
                system = f"{platform.platform()}, Python {platform.python_version()}, Qt {qVersion()}"
                file.write(f"── {stamp} · {system}\n{text.rstrip()}\n\n")

    def _on_exception(
        self, kind: type[BaseException], error: BaseException, where: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, where)
            return
        last = traceback.extract_tb(where)[-1] if where else None
        site = f"{kind.__name__} {last.filename if last else ''}:{last.lineno if last else ''}"
        text = "".join(traceback.format_exception(kind, error, where))
        if sys.stderr is not None:  # an installed app has none
            sys.stderr.write(text)
        self.note(
            site,
            text,
            _(
                "Something unexpected happened. You can go on; if the picture looks wrong, press reset. "
                "The details are in “{path}”.",
                path=str(self.path),
            ),
        )

    def _on_qt_message(self, kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
        if message in HARMLESS:
            return
        if kind in (QtMsgType.QtWarningMsg, QtMsgType.QtCriticalMsg, QtMsgType.QtFatalMsg):
            self.note(f"Qt {message}", f"Qt {kind.name}: {message}")
