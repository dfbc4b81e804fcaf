"""Between the engine thread and the window.

The engine wakes the bridge from its own thread; from then on a timer empties the mailbox up to thirty times
a second, and goes to sleep when nothing more comes. Everything is then told by signals on the window's
thread.

Whatever the window's thread does in Python the training waits for, since only one thread at a time can run
Python. So the looks are spaced until drawing takes no more than a small share of the time; an event (an
answer, a status) is told at once all the same.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from engine.api import (
    Acted,
    Answer,
    Beating,
    Delivery,
    Downloaded,
    Engine,
    Event,
    Failed,
    Grown,
    Haunted,
    Looked,
    Opened,
    Painted,
    Previewed,
    Ready,
    Refused,
    Saved,
    Saving,
    Sought,
    Started,
    StatusChanged,
    Turned,
    Working,
)

POLL_MS, SLOWEST_POLL_MS = 33, 150
DRAWING_SHARE = 0.04  # of the time may go into drawing, where looking more seldom can achieve it
SLEEP_AFTER = 8  # empty polls
KEEP_WITHIN = 30.0  # s, for the last save of all


class Bridge(QObject):
    """Owns the engine. Connect to its signals; call the engine's own methods to ask for something."""

    ready = Signal(object)
    working = Signal(object)
    started = Signal(object)
    status = Signal(object)
    turned = Signal(object)
    acted = Signal(object)
    painted = Signal(object)
    beating = Signal(object)
    sought = Signal(object)
    answered = Signal(object)
    refused = Signal(object)
    failed = Signal(object)
    saving = Signal(object)
    saved = Signal(object)
    opened = Signal(object)
    grown = Signal(object)
    haunted = Signal(object)
    previewed = Signal(object)
    looked = Signal(object)
    downloaded = Signal(object)
    scalars = Signal(object)
    """{name: (steps, values)}, everything since the last time."""
    views = Signal(object)
    """{channel: (step, payload)}."""
    progress = Signal(int, object)
    """The newest step; steps per second or None."""
    keyframes = Signal(object)
    """Steps at which pictures are kept."""

    _woken = Signal()

    def __init__(self, *, device: str = "auto", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._empty_polls = 0
        self._cost = 0.0  # seconds of this thread from one look to the next, smoothed
        self._spent = 0.0
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self._poll)
        self._woken.connect(self._wake)
        self._signals = {
            Ready: self.ready,
            Working: self.working,
            Started: self.started,
            StatusChanged: self.status,
            Turned: self.turned,
            Acted: self.acted,
            Painted: self.painted,
            Beating: self.beating,
            Sought: self.sought,
            Answer: self.answered,
            Refused: self.refused,
            Failed: self.failed,
            Saving: self.saving,
            Saved: self.saved,
            Opened: self.opened,
            Grown: self.grown,
            Haunted: self.haunted,
            Previewed: self.previewed,
            Looked: self.looked,
            Downloaded: self.downloaded,
        }
        self.engine = Engine(self._woken.emit, device=device)

    def _wake(self) -> None:
        """Something lies in the box: look at once, and then regularly."""
        if not self._timer.isActive():
            self._empty_polls = 0
            self._spent = time.thread_time()
            self._timer.start(POLL_MS)
            self._poll()
        elif self.engine.mailbox.has_events():
            self._poll()

    def _space(self) -> None:
        """The costlier the last pictures were, the later the next ones."""
        now = time.thread_time()
        self._cost += 0.25 * (now - self._spent - self._cost)
        self._spent = now
        wait = round(min(max(1e3 * self._cost / DRAWING_SHARE, POLL_MS), SLOWEST_POLL_MS))
        if wait != self._timer.interval():
            self._timer.setInterval(wait)

    def _poll(self) -> None:
        self._space()
        delivery = self.engine.mailbox.take()
        if delivery.empty:
            self._empty_polls += 1
            if self._empty_polls >= SLEEP_AFTER:
                self._timer.stop()
                if not self.engine.mailbox.is_empty():  # put between the last look and the stop
                    self._wake()
            return
        self._empty_polls = 0
        self._tell(delivery)

    def _tell(self, delivery: Delivery) -> None:
        # Events first: scalars and pictures all belong to the newest run, which an event may have begun.
        for event in delivery.events:
            self._tell_event(event)
        if delivery.scalars:
            self.scalars.emit(delivery.scalars)
        if delivery.keyframes is not None:
            self.keyframes.emit(delivery.keyframes)
        if delivery.views:
            self.views.emit(delivery.views)
        self.progress.emit(delivery.step, delivery.rate)

    def _tell_event(self, event: Event) -> None:
        self._signals[type(event)].emit(event)

    def close(self, keep: tuple[Path, Mapping[str, Any]] | None = None) -> bool:
        """End the engine thread and the timer. True when the thread has ended in time.

        keep: first save the runs there, with this view.
        """
        self._timer.stop()
        self._woken.disconnect(self._wake)
        return self.engine.close() if keep is None else self.engine.close(KEEP_WITHIN, keep=keep)
