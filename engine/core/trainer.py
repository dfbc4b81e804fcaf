"""Trains a run a step at a time, keeps what may be wanted again, and sends pictures of what is looked at.

The part of the engine's thread that knows no commands; see loop.py for those.
"""

from __future__ import annotations

import dataclasses
import time
import traceback
from collections import deque
from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING

from engine.core.duo import Run
from engine.core.events import (
    GHOST,
    Acted,
    Beating,
    Failed,
    Haunted,
    Sought,
    Status,
    StatusChanged,
    Turned,
)
from engine.core.frame import Bars, Beat, Curve, Frame, Payload, Points
from engine.core.params import Value
from engine.core.runner import (
    DivergedError,
    explain_failure,
    read_scalars,
    values_of,
)
from engine.core.saver import Saver
from engine.core.stages import Stages
from engine.core.text import Text
from engine.core.timeline import DEFAULT_BUDGET, Timeline
from engine.core.tree import Node, Tree
from engine.data.registry import Dataset

if TYPE_CHECKING:
    from engine.core.engine import Engine

PUBLISH_EVERY = 1 / 60  # s: how often scalars are read from the device
LIVE_SHARE, KEYFRAME_SHARE = 0.04, 0.01  # of the time go into pictures while training
PICTURES_EVERY = 1 / 30  # s, at most
BEAT_SECONDS = 1.25  # how long slow motion rests on a beat
REPLAY_SECONDS = 6.0  # in which a whole recording is played, where no pace is set
GHOSTLY = (Points, Curve, Bars)
"""Payloads that can be shown behind others."""


class Trainer:
    """The run at hand and its past. Nothing here is touched by another thread."""

    def __init__(self, engine: Engine, device_words: str) -> None:
        self._engine = engine
        self._mailbox = engine.mailbox
        self._device_words = device_words
        self._stages = Stages()
        self._data: tuple[Hashable, Dataset] | None = None
        self._runner: Run | None = None
        self._tree: Tree | None = None
        self._budget = DEFAULT_BUDGET
        self._saver = Saver(engine.mailbox)
        self._run_id = 0
        self._status: Status = "empty"
        self._left: int | None = None  # steps still to go before pausing; None: for ever
        self._pace: float | None = None
        self._slow = False
        self._watched: frozenset[str] = frozenset()
        self._shown: int | None = None  # the recorded step on screen; None: live
        self._replay: float | None = None  # where in the recording it plays, in steps
        self._replayed = 0.0  # when it was there
        self._resting: tuple[Status, Text | None] = ("paused", None)  # what the run does meanwhile
        self._waiting: dict[str, Value] = {}  # knobs turned while the past is shown, for when it goes on
        self._haunting: dict[str, int] = {}  # which step of the ghost each channel shows
        self._due = 0.0  # when the next step may begin
        self._frames: list[Frame] = []  # whose scalars have not been read yet
        self._published = 0.0
        self._pictures_due = 0.0
        self._keyframe_due = 0.0
        self._told = 0.0
        self._telling = False
        self._past: tuple[tuple[int, int], Run] | None = None  # (run, step) and a runner that stands there
        self._setting_up = 0  # the number of the run that is being set up
        self._rate = _Rate()

    @property
    def _node(self) -> Node:
        """The run at hand, with its past."""
        assert self._tree is not None
        return self._tree.now

    @property
    def _timeline(self) -> Timeline:
        return self._node.timeline

    # ── training ────────────────────────────────────────────────────────────────────────────────────────────

    def _go(self) -> None:
        if self._status in ("paused", "ended", "running"):
            self._due = 0.0
            self._rate.reset()
            self._set_status("running")

    @property
    def _trains(self) -> bool:
        """Whether it learns now, not only plays what is recorded."""
        return self._status == "running" and self._replay is None

    def _wake_if_ended(self) -> None:
        if self._status == "ended":
            assert self._runner is not None
            self._runner.wake()

    def _advance(self) -> None:
        """One step (in slow motion: one beat), and whatever should be seen of it."""
        assert self._runner is not None
        if self._replay is not None:
            self._play_on()
            return
        if self._left == 0:
            self._pause()
            return
        begun = time.perf_counter()
        item = self._runner.next()
        if isinstance(item, Beat):
            if self._slow:
                self._beat(item, begun)
            return
        if item is None:
            self._publish(final=True)
            self._set_status("ended", self._runner.ended())
            self._tell_grown()
            return
        self._frames.append(item)
        self._rate.tick(begun)
        if self._left is not None:
            self._left -= 1
        self._due = begun + (BEAT_SECONDS if self._slow else 1 / self._pace if self._pace else 0.0)
        now = time.perf_counter()
        must_keep = self._timeline.must_keep(item.step)
        if must_keep or now >= self._keyframe_due:
            self._keep()
        if self._left == 0:
            self._pause()
        elif now - self._published >= PUBLISH_EVERY or self._slow:
            self._publish(final=False)

    def _play_recorded(self) -> None:
        """Play what is recorded, from the step on screen up to the newest; then it goes on as it was."""
        assert self._shown is not None
        self._resting = self._status, None if self._runner is None else self._runner.ended()
        self._replay, self._replayed, self._left = float(self._shown), time.perf_counter(), None
        self._due = 0.0
        self._set_status("running")

    def _play_on(self) -> None:
        assert self._runner is not None
        assert self._replay is not None
        assert self._shown is not None
        now, newest = time.perf_counter(), self._runner.step
        pace = 1 / BEAT_SECONDS if self._slow else self._pace or max(newest / REPLAY_SECONDS, 1.0)
        self._replay += pace * (now - self._replayed)
        self._replayed = now
        self._due = now + PICTURES_EVERY
        if self._replay >= newest:
            self._go_live()
            return
        at = self._timeline.before(int(self._replay) + 1)
        if at is not None and at > self._shown:
            self._show_past(at)

    def _go_live(self) -> None:
        """The newest step is on screen again. A run that had ended has, another one trains on."""
        assert self._runner is not None
        looked_back, replays = self._shown is not None, self._replay is not None
        self._replay = self._shown = self._past = None
        self._waiting = {}
        with self._mailbox.together():
            if looked_back or self._status != "running":
                self._publish(final=True)
            self._mailbox.put_event(Sought(self._runner.step, live=True, values=self._values()))
        if replays and self._resting[0] == "ended":
            self._set_status(*self._resting)

    def _beat(self, beat: Beat, begun: float) -> None:
        """Rest on a named moment, with the pictures as they are in the middle of the step."""
        self._mailbox.put_event(Beating(beat.text, beat.highlight))
        if self._shown is None:
            self._draw(self._watched)
        if self._left is not None:  # somebody steps through by hand: one beat a press
            self._left = 0
            self._set_status("paused")
        self._due = begun + BEAT_SECONDS

    def _pause(self) -> None:
        if self._replay is not None:
            self._replay = None
            self._set_status(*self._resting)
        elif self._status == "running":
            self._left = 0
            self._publish(final=True)
            self._set_status("paused")
            self._tell_grown()

    def _publish(self, *, final: bool) -> None:
        """Send what is new. final: nothing follows soon, so every watched picture is drawn now."""
        assert self._runner is not None
        self._read_frames()
        now = self._published = time.perf_counter()
        self._mailbox.put_progress(self._runner.step, self._rate.value)
        if self._shown is not None:
            return
        if final:
            self._keep()
            self._draw(self._watched)
        elif now >= self._pictures_due:
            # All of them or none, so that every panel shows the same step.
            hungry = self._mailbox.hungry(self._watched)
            if len(hungry) == len(self._watched):
                cost = self._draw(self._watched)
                self._pictures_due = now + max(PICTURES_EVERY, cost / LIVE_SHARE)

    def _draw(self, channels: Iterable[str]) -> float:
        """Send pictures of the present state. Returns the seconds of this thread that it took.

        The thread's own seconds: what other programs take meanwhile must not starve the pictures.
        """
        begun = time.thread_time()
        views = self._views(channels)
        if views:
            assert self._runner is not None
            self._mailbox.put_views(self._runner.step, views)
            self._haunt(self._runner.step, views)
        return time.thread_time() - begun

    def _views(self, channels: Iterable[str]) -> dict[str, Payload]:
        assert self._runner is not None
        frame = self._runner.frame
        return {c: self._runner.view(c) for c in channels if frame is not None and c in frame.views}

    def _keep(self) -> None:
        """A keyframe and a checkpoint of the present state, which knows how much of the log came before."""
        assert self._runner is not None
        self._read_frames()
        if self._runner.frame is None or not self._runner.frame.views or not self._runner.between_steps:
            return  # in the middle of a step there is nothing that could be gone on from
        begun = time.thread_time()
        state = {**self._runner.state(), "log": len(self._node.log)}
        self._timeline.keep(self._runner.step, self._views(self._runner.frame.views), state)
        self._mailbox.put_keyframes(self._timeline.steps)
        self._keyframe_due = time.perf_counter() + (time.thread_time() - begun) / KEYFRAME_SHARE

    def _read_frames(self) -> None:
        """Read the scalars of the steps since last time; a run that diverged goes back to its last good
        picture.
        """
        frames, self._frames = self._frames, []
        if not frames:
            return
        try:
            scalars = read_scalars(frames)
        except DivergedError as error:
            self._read_good(frames, error.step)
            raise
        self._timeline.add_scalars(scalars)
        self._mailbox.put_scalars(scalars)

    def _read_good(self, frames: list[Frame], bad_step: int) -> None:
        scalars = read_scalars([f for f in frames if f.step < bad_step])
        self._timeline.add_scalars(scalars)
        self._mailbox.put_scalars(scalars)

    def _settle(self, *, whole: bool = True) -> None:
        """Keep the present state, so that it can be come back to.

        whole: in the middle of a step, end it; else be content with the state before, where there is one.
        """
        if self._runner is None or self._status == "failed":
            return  # what was last kept is good
        if not self._runner.between_steps and not whole and self._timeline.checkpoints:
            return
        while not self._runner.between_steps:
            self._frames += [frame] if (frame := self._runner.next_frame()) else []
        self._keep()

    def _changed_by_hand(self) -> None:
        """A run that had learned all it could goes on; one that rests shows what has changed.

        While the past is looked at it waits: going on from there takes the change along.
        """
        if self._shown is not None and not self._trains:
            return
        if self._status == "ended":
            self._wake_if_ended()
            self._left = None
            self._go()
        elif self._status == "paused" and self._shown is None:
            self._publish(final=True)

    def _note(self, done: Turned | Acted) -> None:
        """Something was done by hand."""
        done = dataclasses.replace(done, at=time.time())
        self._node.log.append(done)
        self._mailbox.put_event(done)

    # ── what is shown ───────────────────────────────────────────────────────────────────────────────────────

    def _show_past(self, step: int) -> None:
        """The pictures of ``step``, one of the keyframes."""
        self._shown = step
        with self._mailbox.together():
            self._show_recorded(step)
            self._mailbox.put_event(Sought(step, live=False, values=self._values()))

    def _show_recorded(self, step: int) -> None:
        kept = self._timeline.keyframes[step]
        views = {c: v for c, v in kept.items() if c in self._watched}
        self._mailbox.put_views(step, views)
        self._haunt(step, views)

    def _haunt(self, step: int, channels: Iterable[str]) -> None:
        """Send the pictures of the ghost that belong to ``step``, where they are not on screen already."""
        tree = self._tree
        if tree is None or tree.ghost is None:
            return
        timeline = tree.nodes[tree.ghost].timeline
        at = timeline.nearest(step)
        if at is None:
            return
        kept = timeline.keyframes[at]
        new = [c for c in channels if isinstance(kept.get(c), GHOSTLY) and self._haunting.get(c) != at]
        if new:
            self._haunting |= dict.fromkeys(new, at)
            self._mailbox.put_views(at, {GHOST + c: kept[c] for c in new})

    def _show_tree(self) -> None:
        """The tree, and the curves of the ghost in it."""
        assert self._tree is not None
        tree = self._tree
        self._mailbox.put_event(tree.grown())
        ghost = None if tree.ghost is None else tree.nodes[tree.ghost]
        self._mailbox.take_back(GHOST)
        self._mailbox.put_event(Haunted({} if ghost is None else dict(ghost.timeline.scalars)))
        self._haunting = {}

    def _tell_grown(self) -> None:
        """The tree has changed, but not what is seen of its ghost."""
        if self._tree is not None:
            self._mailbox.put_event(self._tree.grown())

    def _values(self) -> dict[str, Value]:
        """Every knob as it would be if the run went on from what is shown."""
        assert self._runner is not None
        start = None if self._shown is None else self._timeline.checkpoint_before(self._shown)
        if start is None or self._trains:
            return self._runner.values | self._waiting
        return values_of(self._timeline.checkpoints[start]) | self._waiting

    # ── trouble ─────────────────────────────────────────────────────────────────────────────────────────────

    def _fail(self, error: Exception) -> None:
        """The run stops, the last good picture stays, the engine lives on."""
        sentence = self._report(error)
        self._frames = []
        if self._runner is None:
            return
        self._set_status("failed", sentence)
        good = self._timeline.nearest(self._runner.step)
        if good is not None:
            self._show_past(good)

    def _report(self, error: Exception) -> Text:
        sentence = explain_failure(error)
        self._mailbox.put_event(Failed(sentence, "".join(traceback.format_exception(error))))
        return sentence

    def _set_status(self, status: Status, reason: Text | None = None) -> None:
        if status != self._status or reason is not None:
            self._status = status
            self._mailbox.put_event(StatusChanged(status, reason))
            if self._shown is not None:  # what would go on from there is another run than the one that trains
                self._mailbox.put_event(Sought(self._shown, live=False, values=self._values()))


class _Rate:
    """Steps per second over the last second or so."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._times: deque[float] = deque(maxlen=4096)

    def tick(self, now: float) -> None:
        self._times.append(now)
        while len(self._times) > 2 and now - self._times[0] > 1.5:
            self._times.popleft()

    @property
    def value(self) -> float | None:
        if len(self._times) < 2 or self._times[-1] <= self._times[0]:
            return None
        return (len(self._times) - 1) / (self._times[-1] - self._times[0])
