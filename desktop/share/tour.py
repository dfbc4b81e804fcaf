"""Looking at recorded steps one after the other, for pictures of each, and back to where the person was."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtWidgets import QApplication

from desktop.language import _
from desktop.style.tokens import look
from engine.api import Sought, StatusChanged, Text

if TYPE_CHECKING:
    from desktop.window import Window

NOTHING_RECORDED = _("There is nothing recorded yet; let it train a little first.")
LEFT = _("Stopped, since the run was played or another step was chosen. Nothing has been written.")
ANOTHER = _("Stopped, since another run was started. Nothing has been written.")


def spread(steps: Sequence[int], first: int, last: int, count: int, *, even: bool) -> list[tuple[int, int]]:
    """Recorded steps between ``first`` and ``last``, both included, for ``count`` moments, and how many
    moments each lasts. The first and the last of them are always there.

    even: the moments are equally many steps apart, and each shows the newest picture there is by then.
    Otherwise every recorded step lasts about equally long: most are kept where most is learned, so that is
    seen more slowly.
    """
    known = [step for step in steps if first <= step <= last]
    if not known or count < 1:
        return []
    if even:
        span = known[-1] - known[0] + 1
        at = [bisect.bisect_right(known, known[0] + i * span / count) - 1 for i in range(count)]
    elif len(known) <= count:
        at = [i * len(known) // count for i in range(count)]
    else:
        at = [round(i * (len(known) - 1) / max(count - 1, 1)) for i in range(count)]
    at[-1] = len(known) - 1
    return [(known[index], len(list(same))) for index, same in groupby(at)]


class Tour(QObject):
    """Pauses what runs, shows each step in turn, and puts everything back as it was.

    After ``arrived`` it waits for ``go_on``. ``ended`` comes once, when what was there before is on screen
    again: with a sentence when the tour could not be finished, else with None. Whatever the person does
    meanwhile goes before: the tour then ends where they are.
    """

    arrived = Signal(int)
    """Every picture on screen is that of this step."""
    ended = Signal(object)

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        assert window.bridge is not None
        assert window.area is not None
        self._window, self._bridge, self._area = window, window.bridge, window.area
        self._engine = window.bridge.engine
        self._plan: Callable[[Sequence[int]], Sequence[int]] = lambda steps: steps
        self._steps: Iterator[int] = iter(())
        self._then: Callable[[], None] | None = None  # what the pictures asked for are wanted for
        self._wanted: int | None = None  # their step; None: the newest
        self._former: int | None = None  # a step that may still be told of, though nobody waits for it
        self._there = False  # they have been sent
        self._pausing = self._rests = self._given_up = False
        self._before: int | None = None  # the recorded step that was looked at; None: the newest
        self._played = window.conductor is not None and window.conductor.running
        self._calm = look.reduce_motion

    # ── from outside ────────────────────────────────────────────────────────────────────────────────────────

    def begin(self, plan: Callable[[Sequence[int]], Sequence[int]]) -> None:
        """Go to the steps that ``plan`` chooses among the recorded ones, once the run rests."""
        window, bridge = self._window, self._bridge
        self._plan = plan
        self._before = window.shown_step if window.shown_step < window.step else None
        look.reduce_motion = True
        bridge.started.connect(self._on_started)
        bridge.status.connect(self._on_status)
        bridge.sought.connect(self._on_sought)
        bridge.progress.connect(self._on_delivered)
        window.installEventFilter(self)
        self._pausing = self._played
        if self._pausing:
            self._engine.pause()
        else:
            self._set_off()

    def go_on(self) -> None:
        """The step on screen has been dealt with."""
        if self._given_up:
            return
        step = next(self._steps, None)
        if step is None:
            self._return()
        else:
            self._show(step, lambda: self.arrived.emit(step))

    def give_up(self) -> None:
        """No further: back to where the person was."""
        if not self._given_up:
            self._given_up = True
            if not self._pausing:
                self._return()

    # ── on the way ──────────────────────────────────────────────────────────────────────────────────────────

    def _set_off(self) -> None:
        self._pausing = False
        if self._given_up:
            self._return()
            return
        self._former = self._before  # told again when the run came to rest
        self._area.set_held(True)  # the same part of the plane in all pictures, where that can be
        self._steps = iter(self._plan(self._window.timeline.keyframes))
        self.go_on()

    def _show(self, step: int | None, then: Callable[[], None]) -> None:
        if self._then is not None:
            self._former = self._wanted
        self._wanted, self._then, self._there = step, then, False
        self._engine.seek(step)

    def _on_sought(self, sought: Sought) -> None:
        if self._pausing:  # not yet left
            self._before = None if sought.live else sought.step
        elif self._is_wanted(sought):  # also told again, such as with another status of the run
            self._there = True
        elif self._former is not None and sought.step == self._former:
            self._former = None
        else:  # the person has chosen this step, and what was asked for here may have come after it
            self._engine.seek(None if sought.live else sought.step)
            self._end(LEFT)

    def _is_wanted(self, sought: Sought) -> bool:
        if self._wanted is not None:
            return sought.step == self._wanted
        return sought.live or sought.step == max(self._window.timeline.keyframes, default=None)

    def _on_delivered(self) -> None:
        """Pictures come before or with the word that their step is shown; this comes after both."""
        if self._rests:
            self._rests = False
            self._set_off()
        elif self._there and self._then is not None:
            then, self._then, self._there = self._then, None, False
            self._blank_others()
            QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest.value)  # numbers may need more room
            then()

    def _blank_others(self) -> None:
        """What had no picture yet at this step must not show a later one."""
        for panel in self._area.panels.values():
            if self._wanted is not None and panel.isVisible() and panel.step not in (None, self._wanted):
                panel.reset()

    # ── what comes between ──────────────────────────────────────────────────────────────────────────────────

    def _on_started(self) -> None:
        self._end(ANOTHER)

    def _on_status(self, status: StatusChanged) -> None:
        if self._pausing:
            self._rests, self._played = True, status.status == "paused"
        elif status.status == "running":
            self._end(LEFT)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Close:
            self._end(LEFT)
        return super().eventFilter(watched, event)

    # ── back ────────────────────────────────────────────────────────────────────────────────────────────────

    def _return(self) -> None:
        if self._played:  # from a recorded step it would go on as a branch
            self._show(None, self._play_on)
        else:
            self._show(self._before, self._end)

    def _play_on(self) -> None:
        self._bridge.status.disconnect(self._on_status)
        self._engine.resume()
        if self._before is None:
            self._end()
        else:
            self._show(self._before, self._end)

    def _end(self, sentence: Text | None = None) -> None:
        look.reduce_motion = self._calm
        self._area.set_held(False)
        self._window.removeEventFilter(self)
        self._bridge.disconnect(self)
        self.ended.emit(sentence)
        self.deleteLater()
