"""Runs in files: saved and opened by hand, and kept by themselves, so that nothing is lost with the window.

Every window that is open has a slot of its own in the recovery folder, held by a lock. The last state of its
runs lies there, at most a minute old. A slot whose window did not end by itself, because it was killed or the
power failed, is found by the next start: its file is set aside and offered until it has been taken up and
kept again, or sent away. What a window kept that ended by itself waits too, for whoever wants to go on with
it.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QLockFile, QObject, QTimer, Signal
from PySide6.QtWidgets import QFileDialog

from desktop import viewing
from desktop.language import _, tr
from desktop.settings import SUFFIX
from engine.api import Opened, Refused, Saved, Saving, Started

if TYPE_CHECKING:
    from desktop.window import Window

KEEP_EVERY = 60.0  # s
KEEP_SHARE = 0.05  # of the time may go into keeping
SLOTS = 9
"""Windows at once that each keep their runs."""
RECENT = 6
"""Files remembered."""


class Slot:
    """A window's place in the recovery folder. lost: where that lies what was left by one that did not end by
    itself; former: by one that did.
    """

    def __init__(self, folder: Path, number: int) -> None:
        self.path = folder / f"{number}{SUFFIX}"
        self._open = folder / f"{number}.open"  # there while a window holds the slot, and after it was killed
        self.lost = folder / f"{number}.lost{SUFFIX}"
        self.former = folder / f"{number}.former{SUFFIX}"
        self._lock = QLockFile(str(folder / f"{number}.lock"))
        self._lock.setStaleLockTime(0)  # only a process that is no more loses its lock

    @classmethod
    def take(cls, folder: Path) -> Slot | None:
        """The first free one; None where nothing can be kept."""
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # what is kept by itself is nobody else's
            for number in range(1, SLOTS + 1):
                slot = cls(folder, number)
                if slot._lock.tryLock(0):
                    slot._begin()
                    return slot
        return None

    def _begin(self) -> None:
        kept = [p for p in (self.path, self.path.with_name(self.path.name + ".1")) if p.exists()]
        if kept:
            kept[0].replace(self.lost if self._open.exists() else self.former)
        for older in kept[1:]:  # it must not be taken for the newest the next time
            older.unlink()
        self._open.touch()

    def put_aside(self) -> None:
        """What was lost is not wanted now; it waits with the rest."""
        with contextlib.suppress(OSError):
            self.lost.replace(self.former)

    def leave(self) -> None:
        """The window ends by itself."""
        with contextlib.suppress(OSError):
            self._open.unlink(missing_ok=True)
        self._lock.unlock()


class Keeping(QObject):
    """Between the window and the files of its runs. home: where the recovery folder lies; None: nothing is
    kept that nobody asked for.
    """

    changed = Signal()
    """``path``, or what there is to be taken up again, is another."""

    def __init__(self, window: Window, home: Path | None) -> None:
        super().__init__(window)
        self._window = window
        self.slot = None if home is None else Slot.take(home / "recovery")
        self.path: Path | None = None
        """The file that the runs were last saved to or opened from."""
        self._restored = self._complained = False
        self._kept: object = None  # what there was when it was last kept by itself
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.keep)
        bridge = window.bridge
        assert bridge is not None
        self._engine = bridge.engine
        bridge.saving.connect(self._on_saving)
        bridge.saved.connect(self._on_saved)
        bridge.opened.connect(self._on_opened)
        bridge.started.connect(self._on_started)
        bridge.refused.connect(self._on_refused)
        window.notice.cancelled.connect(self._engine.cancel_saving)
        window.notice.accepted.connect(self.take_up_lost)
        window.notice.declined.connect(self.put_lost_aside)
        self._engine.budget(window.settings.memory * 2**20)

    # ── by hand ─────────────────────────────────────────────────────────────────────────────────────────────

    def save(self) -> None:
        """To the file it came from, or ask for one."""
        if self.path is None:
            self.save_as()
        else:
            self._engine.save(self.path, viewing.taken(self._window))

    def save_as(self) -> None:
        """Ask for a file, and save to it."""
        conductor = self._window.conductor
        if conductor is None or conductor.info is None:
            return
        folder = self.path.parent if self.path is not None else Path.home()
        proposed = str(folder / f"{tr(conductor.info.title)}{SUFFIX}")
        word, _kind = QFileDialog.getSaveFileName(self._window, tr(_("Save the runs")), proposed, _filter())
        if word:
            path = Path(word)
            self.save_to(path if path.suffix == SUFFIX else path.with_name(path.name + SUFFIX))

    def save_to(self, path: Path) -> None:
        """Save there; from then on it is the file of these runs."""
        self.path = path
        self._engine.save(path, viewing.taken(self._window))

    def open(self, path: Path) -> None:
        """Go on with the runs in ``path``."""
        self._window.transport.set_busy(_("opening"))
        self._engine.load(path)

    # ── by itself ───────────────────────────────────────────────────────────────────────────────────────────

    def keep(self) -> None:
        """Keep the runs in their slot, if anything has changed since, and again in a minute."""
        self._timer.start(round(1000 * KEEP_EVERY))
        if self.slot is None or self._window.started is None:
            return
        now = self._present()
        if now != self._kept:
            self._kept = now
            self._engine.autosave(self.slot.path, viewing.taken(self._window))

    def _present(self) -> object:
        """Differs when there is something new to be kept."""
        window = self._window
        tree = window.conductor.tree if window.conductor is not None else None
        return id(window.started), window.step, tree, tuple(window.timeline.marks)

    def last_wish(self) -> tuple[Path, dict[str, Any]] | None:
        """Where and with what view the runs are to be kept when the window closes."""
        if self.slot is None or self._window.started is None:
            return None
        return self.slot.path, viewing.taken(self._window)

    def stop(self) -> None:
        """The window has closed, and everything is kept."""
        self._timer.stop()
        if self.slot is not None:
            self._let_go()
            self.slot.leave()

    # ── what was lost ───────────────────────────────────────────────────────────────────────────────────────

    def offer_lost(self) -> None:
        """Say that there is something to be taken up again, if there is."""
        if self.slot is not None and self.slot.lost.exists():
            self._window.notice.offer(
                _("Latentarium ended unexpectedly the last time. What was on screen has been kept."),
                _("Take it up again"),
            )

    def take_up_lost(self) -> None:
        """Open what was lost; it is kept until the runs have been kept again."""
        if self.slot is not None and self.slot.lost.exists():
            self.open(self.slot.lost)

    def put_lost_aside(self) -> None:
        """Nobody wants it now."""
        if self.slot is not None:
            self.slot.put_aside()
            self.changed.emit()

    @property
    def former(self) -> Path | None:
        """What was on screen when the last window ended, however it did."""
        places = () if self.slot is None else (self.slot.lost, self.slot.former)
        return next((place for place in places if place.exists()), None)

    def take_up_former(self) -> None:
        """Go on where the last window ended."""
        if self.former is not None:
            self.open(self.former)

    def _let_go(self) -> None:
        """What was lost has been taken up; once that has been kept, the old file is not needed."""
        if self._restored and self.slot is not None and self.slot.path.exists():
            self._restored = False
            self.slot.put_aside()
            self.changed.emit()

    # ── what the engine says ────────────────────────────────────────────────────────────────────────────────

    def _on_started(self, started: Started) -> None:
        if started.fresh and self.path is not None:  # other runs: they have no file yet
            self.path = None
            self.changed.emit()
        if not self._timer.isActive() and self.slot is not None:
            self._timer.start(round(1000 * KEEP_EVERY))
            self.offer_lost()

    def _on_saving(self, saving: Saving) -> None:
        if not saving.quiet:
            self._window.notice.show_progress(saving.share, _("Saving…"))

    def _on_saved(self, saved: Saved) -> None:
        if saved.quiet:
            self._complained = False
            self._let_go()
            # A large session on a slow disk is kept more seldom.
            self._timer.start(round(1000 * max(KEEP_EVERY, saved.seconds / KEEP_SHARE)))
            return
        self._remember(saved.path)
        self._window.notice.show_news(_("Saved as “{name}”.", name=saved.path.name))

    def _on_opened(self, opened: Opened) -> None:
        slot = self.slot
        own = slot is not None and opened.path in (slot.lost, slot.former)
        self._restored = slot is not None and opened.path == slot.lost
        self.path = None if own else opened.path
        viewing.put_back(self._window, opened.view)
        if not own:
            self._remember(opened.path)
        self.changed.emit()

    def _remember(self, path: Path) -> None:
        """A file of the person's own."""
        recent = self._window.settings.recent
        recent[:] = [str(path), *(other for other in recent if other != str(path))][:RECENT]
        self.path = path
        self.changed.emit()

    def _on_refused(self, refused: Refused) -> None:
        if refused.about == "autosave" and not self._complained:
            self._complained = True  # once is enough, until it has worked again
            self._window.notice.show_problem(refused.sentence)
        elif refused.about == "save":
            self.path = None


def _filter() -> str:
    return f"Latentarium (*{SUFFIX})"
