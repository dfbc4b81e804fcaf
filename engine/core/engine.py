"""The engine: one thread around a runner.

Every public method returns at once: it puts a command on the queue, and what comes of it arrives in the
mailbox. Only the engine thread touches torch.
"""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.core.events import (
    ASIDE,
    Acted,
    Answer,
    Beating,
    Downloaded,
    Failed,
    Looked,
    Painted,
    Ready,
    Refused,
    RunSpec,
    Saved,
    Sought,
    Started,
    Status,
    StatusChanged,
    Working,
)
from engine.core.frame import Beat, Frame, Payload
from engine.core.mailbox import Mailbox
from engine.core.text import CancelledError, InputError, Text, _

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.core.duo import Run
    from engine.core.params import Value
    from engine.core.timeline import Timeline
    from engine.data.registry import Dataset

PUBLISH_EVERY = 1 / 60  # s: how often scalars are read from the device
LIVE_SHARE, KEYFRAME_SHARE = 0.04, 0.01  # of the time go into pictures while training
PICTURES_EVERY = 1 / 30  # s, at most
TELL_EVERY = 0.1  # s: how often the progress of reading is told
BEAT_SECONDS = 1.25  # how long slow motion rests on a beat
LASTING = (ASIDE - {"ask"}) | {"pace", "slow_motion", "watch"}
"""Commands that mean something whichever run there is."""
Command = tuple[str, tuple[Any, ...]]


class Engine:
    """Started once, closed once. device, threads: as on the command line; "auto" and None choose
    themselves.
    """

    def __init__(
        self, wake: Callable[[], None] = lambda: None, *, device: str = "auto", threads: int | None = None
    ) -> None:
        self.mailbox = Mailbox(wake)
        self._device = device
        self._threads = threads
        self._commands: deque[Command] = deque()
        self._condition = threading.Condition()
        self._closing = False
        self._wanted = 0  # counts the runs asked for
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._main, name="engine", daemon=True)
        self._thread.start()

    # ── asked by any thread; each returns at once ───────────────────────────────────────────────────────────

    def start(self, spec: RunSpec, *, original: bool = False) -> None:
        """Set up a new run; it stands at its first step, paused.

        original: on the data as they were, should somebody have painted over them.
        """
        self._cancelled.clear()
        with self._condition:
            self._wanted += 1  # a run that is only being set up gives way
            kept = (c for c in self._commands if c[0] in LASTING)
            self._commands = deque(kept)
        self._post("start", spec, original, self._wanted)

    def cancel(self) -> None:
        """Give up reading or making data, if that is going on; the former run stays."""
        self._cancelled.set()

    def resume(self) -> None:
        """Train on. While an earlier step is shown: continue from there, as a branch."""
        self._post("resume")

    def pause(self) -> None:
        self._post("pause")

    def advance(self, steps: int) -> None:
        """``steps`` steps (in slow motion: one beat), then pause."""
        self._post("advance", steps)

    def pace(self, steps_per_second: float | None) -> None:
        """How fast at most; None: as fast as it goes."""
        self._post("pace", steps_per_second)

    def slow_motion(self, on: bool) -> None:
        """Rest at every beat."""
        self._post("slow_motion", on)

    def set(self, name: str, value: object) -> None:
        """Turn a live knob; it takes effect between two steps."""
        self._post("set", name, value)

    def ask(self, name: str, *args: Any, tag: object = None) -> None:
        """Put a query; of several waiting ones with the same name and tag only the newest is answered."""
        self._post("ask", name, tag, args)

    def act(self, name: str, *args: Any) -> None:
        """Change the run by hand, or pick what its pictures show."""
        self._post("act", name, args)

    def paint(self, xy: NDArray[np.float32], y: NDArray[np.int32]) -> None:
        """Other points in the plane for the present run, (N, 2) and their classes (N,); it goes on with
        them.
        """
        self._post("paint", xy, y)

    def watch(self, channels: Iterable[str]) -> None:
        """These channels are on screen: their pictures are wanted."""
        self._post("watch", frozenset(channels))

    def seek(self, step: int | None) -> None:
        """Show the recorded pictures nearest to ``step``; None: the newest again. Training goes on
        meanwhile.
        """
        self._post("seek", step)

    def back(self) -> None:
        """Pause, and show the recorded step before the one now shown."""
        self._post("back")

    def branch(self, step: int) -> None:
        """Leave the run at ``step`` and stand there again, in a new run with the same past."""
        self._post("branch", step)

    def save(self, path: Path) -> None:
        self._post("save", path)

    def load(self, path: Path) -> None:
        self._post("load", path)

    def preview(self, spec: RunSpec) -> None:
        """Make or read the data of ``spec`` and show them at a glance (Previewed); the run is not touched."""
        self._cancelled.clear()
        self._post("preview", spec)

    def download(self, name: str, folder: Path) -> None:
        """Fetch a data set from the network, because the person asked for it (Downloaded)."""
        self._cancelled.clear()
        self._post("download", name, folder)

    def look(self, path: Path, source: str = "", params: Mapping[str, Value] | None = None) -> None:
        """Look at a file or folder of the person's own (Looked). params: how to read it with ``source``."""
        self._cancelled.clear()
        self._post("look", path, source, params or {})

    def close(self, timeout: float = 1.0) -> bool:
        """End the thread after the present step. True when it has ended within ``timeout`` seconds."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _post(self, name: str, *args: Any) -> None:
        with self._condition:
            if name in ("ask", "seek", "set", "paint", "preview", "look"):  # latest wins
                key = args[:2] if name == "ask" else args[:1] if name == "set" else ()
                self._commands = deque(
                    c for c in self._commands if not (c[0] == name and c[1][: len(key)] == key)
                )
            self._commands.append((name, args))
            self._condition.notify()

    # ── the engine thread ───────────────────────────────────────────────────────────────────────────────────

    def _main(self) -> None:
        try:
            from engine import boot

            boot.load_torch()
            from engine.core.catalogue import catalogue
            from engine.core.device import choose, describe

            infos = tuple(cls.info for cls in catalogue().values())
            words = describe(choose(self._device))
        except Exception as error:  # the window, the lessons and recorded runs still work
            self.mailbox.put_event(Failed(_explain_start(error), traceback.format_exc()))
            return
        self.mailbox.put_event(Ready(infos, words))
        _Loop(self, words).run()


class _Loop:
    """What the engine thread knows. Nothing here is touched by another thread."""

    def __init__(self, engine: Engine, device_words: str) -> None:
        from engine.core.stages import Stages

        self._engine = engine
        self._mailbox = engine.mailbox
        self._device_words = device_words
        self._stages = Stages()
        self._data: tuple[Hashable, Dataset] | None = None
        self._runner: Run | None = None
        self._spec: RunSpec | None = None
        self._timeline: Timeline | None = None
        self._run_id = 0
        self._status: Status = "empty"
        self._left: int | None = None  # steps still to go before pausing; None: for ever
        self._pace: float | None = None
        self._slow = False
        self._watched: frozenset[str] = frozenset()
        self._shown: int | None = None  # the recorded step on screen; None: live
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

    def run(self) -> None:
        while True:
            command = self._next_command()
            if command == ("close", ()):
                return
            try:
                if command is not None:
                    self._obey(*command)
                else:
                    self._advance()
            except Exception as error:
                if command is not None and isinstance(error, InputError):
                    self._mailbox.put_event(Refused(error.sentence, command[0]))
                elif command is not None and command[0] in ASIDE:
                    self._report(error)  # it changes nothing, not even when it goes wrong
                else:
                    self._fail(error)

    def _next_command(self) -> Command | None:
        """The next command; None when it is time for a step. Sleeps when there is neither."""
        engine = self._engine
        with engine._condition:
            while True:
                if engine._closing:
                    return ("close", ())
                if engine._commands:
                    return engine._commands.popleft()
                if self._status != "running":
                    engine._condition.wait()
                    continue
                wait = self._due - time.perf_counter()
                if wait <= 0:
                    return None
                engine._condition.wait(wait)

    def _obey(self, name: str, args: tuple[Any, ...]) -> None:
        getattr(self, f"_do_{name}")(*args)

    # ── commands ────────────────────────────────────────────────────────────────────────────────────────────

    def _do_start(self, spec: RunSpec, original: bool, number: int) -> None:
        from engine.core.catalogue import find
        from engine.core.runner import attempt, check_dataset, load_data, make_run
        from engine.core.timeline import Timeline

        key = spec.data_key
        data = self._data[1] if self._data and self._data[0] == key else None
        if data is not None and data.painted and original:
            data = None
        if data is None:
            self._stages.clear()
        try:
            self._setting_up = number
            with self._giving_up(), attempt():
                check_dataset(find(spec.experiment), spec.dataset)
                data = load_data(spec, self._tell) if data is None else data
                runner = make_run(
                    spec,
                    device=self._engine._device,
                    threads=self._engine._threads,
                    stages=self._stages,
                    data=data,
                    tell=self._tell,
                )
                runner.next_frame()
        except Exception as error:
            if self._engine._wanted != number:
                return  # nobody waits for this one any more
            # The former run stays as it was; only this one could not begin.
            if not isinstance(error, InputError):
                self._report(error)
            raise _as_input_error(error) from error
        finally:
            self._setting_up = 0
        self._data = (key, data)  # an experiment may be content with a sample of them
        self._forget_the_former()
        self._take_up(runner, spec, Timeline(), branched_from=None)

    def _do_preview(self, spec: RunSpec) -> None:
        from engine.core.runner import load_data
        from engine.data.preview import preview

        with self._giving_up():
            key = spec.data_key
            here = self._data[1] if self._data and self._data[0] == key else None
            data = load_data(spec, self._tell) if here is None or here.painted else here
        self._mailbox.put_event(preview(data))

    def _do_download(self, name: str, folder: Path) -> None:
        from engine.data.torchvision import download

        with self._giving_up():
            self._mailbox.put_event(Downloaded(name, download(name, folder, self._tell)))

    def _do_look(self, path: Path, source: str, params: Mapping[str, Value]) -> None:
        from engine.core.params import change
        from engine.data import files
        from engine.data.registry import sources

        options = change(sources()[source].params_class(), params) if source else None
        with self._giving_up():
            report = files.look(path, options, self._tell)
            pictures = None
            if report.kind == "pictures":
                pictures = (files.thumbnails(path, options) / 255).astype("float32")
        self._mailbox.put_event(Looked(report, pictures))

    @contextlib.contextmanager
    def _giving_up(self) -> Iterator[None]:
        """What is done here tells how far it is, and can be cancelled by the person."""
        self._telling = True
        try:
            yield
        except CancelledError:
            raise InputError(_("Stopped. The former data are still there.")) from None
        finally:
            self._telling = False

    def _tell(self, share: float) -> None:
        """Data are being read or made: say how far, and stop when the person no longer wants them."""
        if not self._telling:
            return
        engine = self._engine
        given_up = engine._closing or engine._cancelled.is_set()
        if given_up or self._setting_up not in (0, engine._wanted):
            raise CancelledError
        now = time.perf_counter()
        if now - self._told >= TELL_EVERY:
            self._told = now
            self._mailbox.put_event(Working(share))

    def _forget_the_former(self) -> None:
        """What the hand still did to the pictures of the former run means nothing to the next one."""
        with self._engine._condition:
            kept = (c for c in self._engine._commands if c[0] not in ("ask", "act", "paint"))
            self._engine._commands = deque(kept)

    def _take_up(self, runner: Run, spec: RunSpec, timeline: Timeline, branched_from: int | None) -> None:
        """``runner`` stands at a first frame: it is the run now."""
        self._runner, self._spec, self._timeline = runner, spec, timeline
        self._past = None
        self._run_id += 1
        self._shown, self._left = None, 0
        self._frames = [runner.frame] if runner.frame and runner.step not in timeline.keyframes else []
        self._due = self._published = self._pictures_due = self._keyframe_due = 0.0
        self._rate.reset()
        self._mailbox.begin(self._run_id)
        data = runner.data
        self._mailbox.put_event(
            Started(
                spec, runner.values, data.kind, len(data.x), data.total or len(data.x),
                runner.epoch, branched_from, data.painted, tuple(runner.colourings.items()),
            )
        )  # fmt: skip
        self._set_status("paused")
        if timeline.scalars:
            self._mailbox.put_scalars(timeline.scalars)
        self._publish(final=True)

    def _do_resume(self) -> None:
        if self._runner is None:
            return
        if self._shown is not None:
            self._do_branch(self._shown)
        self._left = None
        self._wake_if_ended()
        self._go()

    def _do_pause(self) -> None:
        if self._status == "running":
            self._left = 0
            self._publish(final=True)
            self._set_status("paused")

    def _do_advance(self, steps: int) -> None:
        if self._runner is None:
            return
        if self._shown is not None:
            self._do_branch(self._shown)
        self._left = steps
        self._wake_if_ended()
        self._go()

    def _go(self) -> None:
        if self._status in ("paused", "ended", "running"):
            self._due = 0.0
            self._rate.reset()
            self._set_status("running")

    def _wake_if_ended(self) -> None:
        if self._status == "ended":
            assert self._runner is not None
            self._runner.wake()

    def _do_pace(self, steps_per_second: float | None) -> None:
        self._pace = steps_per_second
        self._due = 0.0

    def _do_slow_motion(self, on: bool) -> None:
        self._slow = on
        self._due = 0.0

    def _do_set(self, name: str, value: object) -> None:
        if self._runner is None:
            return
        turned = self._runner.set(name, value)
        if turned is None:
            return
        self._mailbox.put_event(turned)
        self._changed_by_hand()

    def _do_act(self, name: str, args: tuple[Any, ...]) -> None:
        if self._runner is None:
            return
        if name in self._runner.info.picks:
            self._runner.act(name, *args)
            if self._status != "running" and self._shown is None:
                self._publish(final=True)
            return
        if self._shown is not None:
            self._do_branch(self._shown)
        self._runner.act(name, *args)
        self._mailbox.put_event(Acted(self._runner.step + 1, name))
        self._changed_by_hand()

    def _do_paint(self, xy: NDArray[np.float32], y: NDArray[np.int32]) -> None:
        if self._runner is None or self._timeline is None or self._spec is None:
            return
        former, data = self._runner.data, repainted(self._runner.data, xy, y)
        self._stages.clear()
        try:
            self._runner.take(data)
        except Exception as error:
            self._stages.clear()
            self._runner.take(former)
            if not isinstance(error, InputError):
                self._report(error)
            raise _as_input_error(error) from error
        self._data = (self._spec.data_key, data)
        # What was learned from other data cannot be gone on from; its pictures can still be looked at.
        self._timeline.forget_checkpoints()
        if not former.painted:
            self._mailbox.put_event(Acted(self._runner.step + 1, "paint"))
        self._mailbox.put_event(Painted(len(xy)))
        self._runner.wake()
        if self._status == "ended":
            self._left = None
            self._go()
        elif self._status == "paused" and self._shown is None:
            self._publish(final=True)

    def _changed_by_hand(self) -> None:
        """A run that had learned all it could goes on; one that rests shows what has changed.

        While the past is looked at it waits: going on from there takes the change along.
        """
        if self._shown is not None and self._status != "running":
            return
        if self._status == "ended":
            self._wake_if_ended()
            self._left = None
            self._go()
        elif self._status == "paused" and self._shown is None:
            self._publish(final=True)

    def _do_ask(self, name: str, tag: object, args: tuple[Any, ...]) -> None:
        if self._runner is not None:
            runner = self._runner if self._shown is None else self._as_it_was(self._shown)
            self._mailbox.put_event(Answer(name, tag, runner.ask(name, *args), runner.step))

    def _as_it_was(self, step: int) -> Run:
        """Another runner that stands where this one stood at ``step``, or at the last state kept before; this
        one where none is kept.
        """
        from engine.core.runner import undisturbed

        assert self._runner is not None
        assert self._timeline is not None
        start = self._timeline.checkpoint_before(step)
        if start is None:
            return self._runner
        if self._past is None or self._past[0] != (self._run_id, start):
            self._past = None
            with undisturbed():
                past = self._runner.again(self._timeline.checkpoints[start], self._stages)
                past.next_frame()
            self._past = (self._run_id, start), past
        return self._past[1]

    def _do_watch(self, channels: frozenset[str]) -> None:
        new = channels - self._watched
        self._watched = channels
        if not new or self._runner is None:
            return
        if self._shown is not None:
            self._show_recorded(self._shown)
        elif self._status != "running":
            self._publish(final=True)

    def _do_seek(self, step: int | None) -> None:
        if self._timeline is None or self._runner is None:
            return
        newest, failed = self._runner.step, self._status == "failed"
        if failed:  # the present state is not to be trusted, only what was recorded
            found = self._timeline.nearest(newest if step is None else step)
        else:
            found = None if step is None or step >= newest else self._timeline.nearest(step)
        if found is None or (found >= newest and not failed):
            was, self._shown, self._past = self._shown, None, None
            if was is not None or self._status != "running":
                self._publish(final=True)
            self._mailbox.put_event(Sought(self._runner.step, live=True))
            return
        self._shown = found
        self._show_recorded(found)
        self._mailbox.put_event(Sought(found, live=False))

    def _do_back(self) -> None:
        if self._timeline is None or self._runner is None:
            return
        self._do_pause()
        before = self._timeline.before(self._runner.step if self._shown is None else self._shown)
        if before is not None:
            self._do_seek(before)

    def _show_recorded(self, step: int) -> None:
        assert self._timeline is not None
        kept = self._timeline.keyframes[step]
        self._mailbox.put_views(step, {c: v for c, v in kept.items() if c in self._watched})

    def _do_branch(self, step: int) -> None:
        runner, timeline, spec = self._runner, self._timeline, self._spec
        if runner is None or timeline is None or spec is None:
            return
        start = timeline.checkpoint_before(step)
        if start is None:
            raise InputError(
                _("The data have been painted over since step {step}: it cannot go on from there.", step=step)
            )
        checkpoint = timeline.checkpoints[start]
        # Knobs that were turned while looking at the past are part of the branch.
        params = {k: v for k, v in runner.values.items() if runner.info.knob(k).live}
        branch = runner.again(checkpoint, self._stages)
        turned = [t for name, value in params.items() if (t := branch.set(name, value))]
        branch.next_frame()
        self._take_up(branch, spec, timeline.cut(start), branched_from=start)
        for each in turned:
            self._mailbox.put_event(each)

    def _do_save(self, path: Path) -> None:
        from engine.core import session

        if self._runner is None or self._spec is None or self._timeline is None:
            raise InputError(_("There is no run to save yet; choose an experiment first."))
        while not self._runner.between_steps:
            self._frames += [frame] if (frame := self._runner.next_frame()) else []
        self._publish(final=True)
        session.save(path, self._spec, self._runner, self._timeline)
        self._mailbox.put_event(Saved(path))

    def _do_load(self, path: Path) -> None:
        from engine.core import session
        from engine.core.runner import attempt

        self._stages.clear()
        with attempt():
            spec, runner, timeline = session.load(
                path, device=self._engine._device, threads=self._engine._threads, stages=self._stages
            )
        # What was painted is nowhere else; of other data the run may have kept a sample only.
        self._data = (spec.data_key, runner.data) if runner.data.painted else None
        self._forget_the_former()
        self._take_up(runner, spec, timeline, branched_from=runner.step)

    # ── training ────────────────────────────────────────────────────────────────────────────────────────────

    def _advance(self) -> None:
        """One step (in slow motion: one beat), and whatever should be seen of it."""
        assert self._runner is not None
        assert self._timeline is not None
        if self._left == 0:
            self._do_pause()
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
            self._do_pause()
        elif now - self._published >= PUBLISH_EVERY or self._slow:
            self._publish(final=False)

    def _beat(self, beat: Beat, begun: float) -> None:
        """Rest on a named moment, with the pictures as they are in the middle of the step."""
        self._mailbox.put_event(Beating(beat.text, beat.highlight))
        if self._shown is None:
            self._draw(self._watched)
        if self._left is not None:  # somebody steps through by hand: one beat a press
            self._left = 0
            self._set_status("paused")
        self._due = begun + BEAT_SECONDS

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
        return time.thread_time() - begun

    def _views(self, channels: Iterable[str]) -> dict[str, Payload]:
        assert self._runner is not None
        frame = self._runner.frame
        return {c: self._runner.view(c) for c in channels if frame is not None and c in frame.views}

    def _keep(self) -> None:
        """A keyframe and a checkpoint of the present state."""
        assert self._runner is not None
        assert self._timeline is not None
        self._read_frames()
        if self._runner.frame is None or not self._runner.frame.views or not self._runner.between_steps:
            return  # in the middle of a step there is nothing that could be gone on from
        begun = time.thread_time()
        self._timeline.keep(self._runner.step, self._views(self._runner.frame.views), self._runner.state())
        self._mailbox.put_keyframes(self._timeline.steps)
        self._keyframe_due = time.perf_counter() + (time.thread_time() - begun) / KEYFRAME_SHARE

    def _read_frames(self) -> None:
        """Read the scalars of the steps since last time; a run that diverged goes back to its last good
        picture.
        """
        from engine.core.runner import DivergedError, read_scalars

        frames, self._frames = self._frames, []
        if not frames:
            return
        try:
            scalars = read_scalars(frames)
        except DivergedError as error:
            self._read_good(frames, error.step)
            raise
        assert self._timeline is not None
        self._timeline.add_scalars(scalars)
        self._mailbox.put_scalars(scalars)

    def _read_good(self, frames: list[Frame], bad_step: int) -> None:
        from engine.core.runner import read_scalars

        assert self._timeline is not None
        scalars = read_scalars([f for f in frames if f.step < bad_step])
        self._timeline.add_scalars(scalars)
        self._mailbox.put_scalars(scalars)

    # ── trouble ─────────────────────────────────────────────────────────────────────────────────────────────

    def _fail(self, error: Exception) -> None:
        """The run stops, the last good picture stays, the engine lives on."""
        sentence = self._report(error)
        self._frames = []
        if self._runner is None:
            return
        self._set_status("failed", sentence)
        assert self._timeline is not None
        good = self._timeline.nearest(self._runner.step)
        if good is not None:
            self._shown = good
            self._show_recorded(good)
            self._mailbox.put_event(Sought(good, live=False))

    def _report(self, error: Exception) -> Text:
        from engine.core.runner import explain_failure

        sentence = explain_failure(error)
        self._mailbox.put_event(Failed(sentence, "".join(traceback.format_exception(error))))
        return sentence

    def _set_status(self, status: Status, reason: Text | None = None) -> None:
        if status != self._status or reason is not None:
            self._status = status
            self._mailbox.put_event(StatusChanged(status, reason))


def repainted(data: Dataset, xy: NDArray[np.float32], y: NDArray[np.int32]) -> Dataset:
    """``data`` with other points. InputError: there are none, or these are not data of the plane."""
    import torch

    if data.kind != "points" or data.flat.shape[1] != 2:
        raise InputError(_("Only data in the plane can be painted on."))
    if len(xy) == 0:
        raise InputError(_("There must be at least one point."))
    classes = int(y.max()) + 1
    names = (*data.names, *(_("class {n}", n=n + 1) for n in range(len(data.names), classes)))
    return dataclasses.replace(
        data, x=torch.from_numpy(xy.copy()), y=torch.from_numpy(y.astype("int64")), names=names,
        total=len(xy), factors=(), painted=True,
    )  # fmt: skip


def _as_input_error(error: Exception) -> InputError:
    from engine.core.runner import explain_failure

    return error if isinstance(error, InputError) else InputError(explain_failure(error))


def _explain_start(error: Exception) -> Text:
    if isinstance(error, InputError):
        return error.sentence
    return _(
        "The computing part could not be loaded ({reason}). Install Latentarium again; the lessons can "
        "still be read.",
        reason=str(error).splitlines()[0] if str(error) else type(error).__name__,
    )


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
