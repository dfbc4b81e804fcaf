"""A file made from the timeline: a tour through recorded steps, a thread that writes, progress, and an end in
any case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject, QTimer, Signal

from desktop.share.maker import Maker
from desktop.share.sharing import STOPPED
from desktop.share.tour import Tour
from engine.api import Text

if TYPE_CHECKING:
    from desktop.window import Window

Steps = Callable[[Sequence[int]], Sequence[int]]
Shoot = Callable[[int], Iterator[Any]]
Write = Callable[[IO[bytes], Iterator[Any]], None]


class Taking(QObject):
    """Makes one file at a time from the timeline, and says what became of it. What it goes through, and what
    of that becomes the file, its kinds say: see :class:`Job`.
    """

    done = Signal(object)
    """The file that has been written, or None."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self._job: Job | None = None
        self._path = Path()

    @property
    def busy(self) -> bool:
        """Whether one is being made."""
        return self._job is not None

    def give_up(self, sentence: Text = STOPPED) -> None:
        """No file: nobody wants it any more, or it cannot be."""
        if self._job is not None:
            self._job.give_up(sentence)

    def _begin(self, path: Path, words: Text) -> None:
        """words: what is being made."""
        self._path = path
        self._job = Job(self._window, path, words, self._steps, self._shoot, self._write)
        self._job.ended.connect(self._on_ended)
        self._job.begin()

    def _on_ended(self, problem: Text | str | None) -> None:
        self._job, path = None, self._path
        notice = self._window.notice
        if problem is None:
            notice.show_news(self._told(path))
        elif problem == STOPPED:
            notice.show_news(problem)
        else:
            notice.show_problem(problem)
        self.done.emit(path if problem is None else None)

    def _steps(self, recorded: Sequence[int]) -> Sequence[int]:
        raise NotImplementedError

    def _shoot(self, step: int) -> Iterator[Any]:
        raise NotImplementedError

    def _write(self, file: IO[bytes], things: Iterator[Any]) -> None:
        raise NotImplementedError

    def _told(self, path: Path) -> Text:
        """What is said of the file that stands there now."""
        raise NotImplementedError


class Job(QObject):
    """``steps`` chooses among the recorded steps where to go; ``shoot(step)`` makes there one thing after the
    other, on the window's thread, and ``write(file, things)`` writes them on another.
    """

    ended = Signal(object)
    """The file stands there (None), or the sentence why it does not."""

    def __init__(
        self, window: Window, path: Path, words: Text, steps: Steps, shoot: Shoot, write: Write
    ) -> None:
        """words: what is being made."""
        super().__init__(window)
        self._window, self._words = window, words
        self._steps, self._shoot = steps, shoot
        self._problem: Text | str | None = None
        self._total, self._made = 1, 0
        self._touring = self._writing = True
        self._things: Iterator[Any] = iter(())
        self._held = False  # the next thing waits until another has been written
        self._maker = Maker(path, write, self)
        self._maker.taken.connect(self._on_taken)
        self._maker.ended.connect(self._on_written)
        self._tour = Tour(window)
        self._tour.arrived.connect(self._on_arrived)
        self._tour.ended.connect(self._on_toured)
        window.notice.cancelled.connect(self.give_up)
        window.installEventFilter(self)

    def begin(self) -> None:
        self._window.notice.show_progress(0.0, self._words)
        self._maker.begin()
        self._tour.begin(self._plan)

    def give_up(self, sentence: Text | str = STOPPED) -> None:
        """No file: the person no longer wants it, or it cannot be."""
        self._problem = self._problem or sentence
        if self._touring:
            self._tour.give_up()
        else:
            self._maker.give_up()

    # ── on the way ──────────────────────────────────────────────────────────────────────────────────────────

    def _plan(self, recorded: Sequence[int]) -> Sequence[int]:
        steps = self._steps(recorded)
        self._total = max(len(steps), 1)
        return steps

    def _on_arrived(self, step: int) -> None:
        self._things = self._shoot(step)
        self._go_on()

    def _go_on(self) -> None:
        """One thing more, and then the window has its turn."""
        if self._problem is not None:
            return
        thing = next(self._things, None)
        if self._problem is not None:  # it could not be made
            return
        if thing is None:
            self._made += 1
            self._window.notice.show_progress(self._made / self._total, self._words)
            self._tour.go_on()
            return
        self._maker.put(thing)
        self._held = self._maker.full
        if not self._held:
            QTimer.singleShot(0, self, self._go_on)

    def _on_taken(self) -> None:
        if self._held:
            self._held = False
            self._go_on()

    # ── the end ─────────────────────────────────────────────────────────────────────────────────────────────

    def _on_toured(self, sentence: Text | None) -> None:
        self._touring = False
        self._problem = self._problem or sentence
        if not self._writing:
            self._end()
        elif self._problem is None:
            self._maker.finish()
        else:
            self._maker.give_up()

    def _on_written(self, problem: Text | str | None) -> None:
        self._writing = False
        self._problem = self._problem or problem
        if self._touring:  # the file cannot be written: no use going on
            self._tour.give_up()
        else:
            self._end()

    def _end(self) -> None:
        self._window.removeEventFilter(self)
        self._window.notice.cancelled.disconnect(self.give_up)
        self._window.notice.clear()
        self.ended.emit(self._problem)
        self.deleteLater()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Close:  # nothing half written stays behind
            self._problem = self._problem or STOPPED
            self._maker.give_up()
            self._maker.join()
        return super().eventFilter(watched, event)
