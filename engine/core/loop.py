"""What happens on the engine's thread: it obeys commands, trains a step at a time, and tells of it.

Nothing here is touched by another thread; the file of a session is written on one of its own, from what was
collected here.
"""

from __future__ import annotations

import bisect
import dataclasses
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.core.catalogue import find
from engine.core.duo import Run
from engine.core.events import (
    ASIDE,
    Acted,
    Answer,
    Downloaded,
    Looked,
    Painted,
    Refused,
    RunSpec,
    Turned,
)
from engine.core.keeper import Keeper, as_input_error
from engine.core.params import Value, change
from engine.core.runner import (
    attempt,
    check_dataset,
    load_data,
    make_run,
    undisturbed,
)
from engine.core.text import InputError, _
from engine.core.timeline import Timeline
from engine.core.tree import Node, Tree
from engine.data.registry import Dataset

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.core.engine import Command


class Loop(Keeper):
    """What the engine thread does. ``run()`` returns when the engine is closed."""

    def run(self) -> None:
        while True:
            command = self._next_command()
            if command == ("close", ()):
                self._close()
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

    # ── data ────────────────────────────────────────────────────────────────────────────────────────────────

    def _do_start(self, spec: RunSpec, original: bool, number: int) -> None:
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
            raise as_input_error(error) from error
        finally:
            self._setting_up = 0
        self._data = (key, data)  # an experiment may be content with a sample of them
        self._forget_the_former()
        self._tree = Tree(Node(1, spec, runner.data, Timeline()), self._budget)
        self._take_up(runner, fresh=True)

    def _do_preview(self, spec: RunSpec) -> None:
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
        from engine.data import files
        from engine.data.registry import sources

        options = change(sources()[source].params_class(), params) if source else None
        with self._giving_up():
            report = files.look(path, options, self._tell)
            pictures = None
            if report.kind == "pictures":
                pictures = (files.thumbnails(path, options) / 255).astype("float32")
        self._mailbox.put_event(Looked(report, pictures))

    # ── going on ────────────────────────────────────────────────────────────────────────────────────────────

    def _do_resume(self) -> None:
        if self._runner is None:
            return
        if self._shown is not None:
            if not self._goes_elsewhere():
                self._pause()
                self._play_recorded()
                return
            self._do_branch(self._shown)
        self._left = None
        self._wake_if_ended()
        self._go()

    def _goes_elsewhere(self) -> bool:
        """Whether from the step on screen another run would go on than the one that is recorded."""
        return bool(self._waiting) or self._status == "failed"

    def _do_pause(self) -> None:
        self._pause()

    def _do_advance(self, steps: int) -> None:
        if self._runner is None:
            return
        if self._shown is not None:
            if not self._goes_elsewhere():
                self._pause()
                self._walk(steps)
                return
            self._do_branch(self._shown)
        self._left = steps
        self._wake_if_ended()
        self._go()

    def _walk(self, steps: int) -> None:
        """So many steps further in what is recorded."""
        assert self._runner is not None
        assert self._shown is not None
        wanted = self._shown + steps
        kept = self._timeline.steps
        self._do_seek(kept[bisect.bisect_left(kept, wanted)] if wanted <= kept[-1] else None)

    def _do_pace(self, steps_per_second: float | None) -> None:
        self._pace = steps_per_second
        self._due = 0.0

    def _do_slow_motion(self, on: bool) -> None:
        self._slow = on
        self._due = 0.0

    # ── by hand ─────────────────────────────────────────────────────────────────────────────────────────────

    def _do_set(self, name: str, value: object) -> None:
        if self._runner is None:
            return
        if self._shown is not None and not self._trains:
            self._wait_with(name, value)
            if self._replay is not None and self._waiting:
                self._branch_off()
            return
        turned = self._runner.set(name, value)
        if turned is None:
            return
        self._note(turned)
        self._changed_by_hand()

    def _branch_off(self) -> None:
        """Go on from the step on screen; where the recording was played, play on."""
        assert self._shown is not None
        played = self._replay is not None
        self._do_branch(self._shown)
        if played:
            self._left = None
            self._go()

    def _wait_with(self, name: str, value: object) -> None:
        """The past is looked at, and nothing goes on: what is turned is meant for when it goes on from
        there.
        """
        assert self._runner is not None
        assert self._shown is not None
        new, old = self._runner.check(name, value), self._values()[name]
        if new != old:
            self._waiting[name] = new
            self._mailbox.put_event(Turned(self._shown + 1, name, old, new, waiting=True))

    def _do_act(self, name: str, args: tuple[Any, ...]) -> None:
        if self._runner is None:
            return
        if name in self._runner.info.picks:
            self._runner.act(name, *args)
            if self._status != "running" and self._shown is None:
                self._publish(final=True)
            return
        if self._shown is not None:
            self._branch_off()
        self._runner.act(name, *args)
        self._note(Acted(self._runner.step + 1, name))
        self._changed_by_hand()

    def _do_paint(self, xy: NDArray[np.float32], y: NDArray[np.int32]) -> None:
        if self._runner is None:
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
            raise as_input_error(error) from error
        self._data = (self._node.spec.data_key, data)
        self._node.data = data
        # What was learned from other data cannot be gone on from; its pictures can still be looked at.
        self._timeline.forget_checkpoints()
        if not former.painted:
            self._note(Acted(self._runner.step + 1, "paint"))
        self._mailbox.put_event(Painted(len(xy)))
        self._runner.wake()
        if self._status == "ended":
            self._left = None
            self._go()
        elif self._status == "paused" and self._shown is None:
            self._publish(final=True)

    # ── looking ─────────────────────────────────────────────────────────────────────────────────────────────

    def _do_ask(self, name: str, tag: object, args: tuple[Any, ...]) -> None:
        if self._runner is not None:
            runner = self._runner if self._shown is None else self._as_it_was(self._shown)
            self._mailbox.put_event(Answer(name, tag, runner.ask(name, *args), runner.step))

    def _as_it_was(self, step: int) -> Run:
        """Another runner that stands where this one stood at ``step``, or at the last state kept before; this
        one where none is kept.
        """
        assert self._runner is not None
        start = self._timeline.checkpoint_before(step)
        if start is None:
            return self._runner
        if self._past is None or self._past[0] != (self._run_id, start):
            self._past = None
            with undisturbed():
                past = self._standing(self._node, start)
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
        if self._runner is None:
            return
        if self._replay is not None:
            self._pause()
        newest, failed = self._runner.step, self._status == "failed"
        if failed:  # the present state is not to be trusted, only what was recorded
            found = self._timeline.nearest(newest if step is None else step)
        else:
            found = None if step is None or step >= newest else self._timeline.nearest(step)
        if found is None or (found >= newest and not failed):
            self._go_live()
            return
        self._show_past(found)

    def _do_back(self) -> None:
        if self._runner is None:
            return
        self._do_pause()
        before = self._timeline.before(self._runner.step if self._shown is None else self._shown)
        if before is not None:
            self._do_seek(before)


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
