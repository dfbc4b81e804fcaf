"""Sets runs up, and keeps them: as a tree in which one can go back and branch off, and in files."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.core import session
from engine.core.duo import Run
from engine.core.events import (
    Acted,
    Opened,
    Started,
    Turned,
    Working,
)
from engine.core.experiment import Beside
from engine.core.runner import (
    attempt,
    explain_failure,
    look_at,
    stand,
    values_of,
    with_values,
)
from engine.core.stages import Stages
from engine.core.text import CancelledError, InputError, _
from engine.core.trainer import Trainer
from engine.core.tree import PAIR, Node, done_before, merged

TELL_EVERY = 0.1  # s: how often the progress of reading is told


class Keeper(Trainer):
    """Where runs come from and where they stay."""

    # ── setting a run up ────────────────────────────────────────────────────────────────────────────────────

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

    @contextlib.contextmanager
    def _trying(self) -> Iterator[None]:
        """To set up another run: if that cannot be done the present one stays. InputError: it could not."""
        try:
            with attempt():
                yield
        except CancelledError:
            raise
        except Exception as error:
            if not isinstance(error, InputError):
                self._report(error)
            raise as_input_error(error) from error

    def _standing(self, node: Node, step: int) -> Run:
        """A new runner where ``node`` stood at ``step``, one of its checkpoints."""
        threads = self._engine._threads if self._runner is None else self._runner.threads
        return stand(
            node.spec, node.timeline.checkpoints[step], data=node.data, device=self._engine._device,
            threads=threads, stages=self._stages, tell=self._tell,
        )  # fmt: skip

    def _forget_the_former(self) -> None:
        """What the hand still did to the pictures of the former run means nothing to the next one."""
        with self._engine._condition:
            kept = (c for c in self._engine._commands if c[0] not in ("ask", "act", "paint"))
            self._engine._commands = deque(kept)

    def _take_up(self, runner: Run, *, fresh: bool = False, branched_from: int | None = None) -> None:
        """``runner`` stands at a first frame: it is the run now, and ``now`` in the tree."""
        node = self._node
        self._runner = runner
        self._past = None
        self._run_id += 1
        self._shown, self._replay, self._left = None, None, 0
        self._waiting, self._haunting = {}, {}
        self._frames = [runner.frame] if runner.frame and runner.step not in node.timeline.keyframes else []
        self._due = self._published = self._pictures_due = self._keyframe_due = 0.0
        self._rate.reset()
        self._mailbox.begin(self._run_id)
        data = runner.data
        self._mailbox.put_event(
            Started(
                node.spec, runner.values, data.kind, len(data.x), data.total or len(data.x),
                runner.epoch, branched_from, data.painted, tuple(runner.colourings.items()),
                tuple(node.log), fresh,
            )
        )  # fmt: skip
        self._set_status("paused")
        if node.timeline.scalars:
            self._mailbox.put_scalars(node.timeline.scalars)
        self._show_tree()
        self._publish(final=True)

    def _leave(self) -> None:
        """Another run is to be shown; this one is kept as it stands, also when its last step goes wrong."""
        try:
            self._settle()
        except Exception as error:
            self._frames = []
            self._report(error)

    @contextlib.contextmanager
    def _meeting_data(self, node: Node) -> Iterator[None]:
        """What was worked out from other data says nothing about those of ``node``, and the other way round
        if ``node`` cannot be taken up.
        """
        others = self._runner is None or self._runner.data is not node.data
        if others:
            self._stages.clear()
        try:
            yield
        except BaseException:
            if others:
                self._stages.clear()
            raise
        if node.data.painted:
            self._data = (node.spec.data_key, node.data)
        elif self._data is not None and self._data[1].painted:
            self._data = None

    # ── the tree of runs ────────────────────────────────────────────────────────────────────────────────────

    def _do_branch(self, step: int) -> None:
        if self._runner is None or self._tree is None:
            return
        timeline, tree = self._timeline, self._tree
        start = timeline.checkpoint_before(step)
        if start is None:
            raise InputError(
                _("The data have been painted over since step {step}: it cannot go on from there.", step=step)
            )
        waiting = self._waiting
        self._leave()
        with self._giving_up(), self._trying():
            branch = self._standing(self._node, start)
            # Knobs that were turned while looking at the past are part of the branch.
            turned = [t for name, value in waiting.items() if (t := branch.set(name, value))]
            branch.next_frame()
            look_at(branch)
        inherited = int(timeline.checkpoints[start].get("log", 0))
        past = timeline.cut(start)
        if tree.pair is None:
            tree.branch(past, start, inherited)
        else:  # two runs of the tree side by side are no branch of it
            tree.part()
            tree.pair = dataclasses.replace(
                tree.pair, timeline=past, start=start, log=tree.pair.log[:inherited], inherited=0
            )
        self._take_up(branch, branched_from=start)
        for each in turned:
            self._note(each)
        if turned:
            self._keep()  # who comes back to where it began finds them turned

    def _do_switch(self, id_: int, sparing: int | None = None) -> None:
        tree = self._tree
        if tree is None or id_ not in tree.nodes or (id_ == tree.active and tree.pair is None):
            return
        self._leave()
        tree.part()
        node = tree.nodes[id_]
        last = max(node.timeline.checkpoints)
        with self._giving_up(), self._trying(), self._meeting_data(node):
            runner = self._standing(node, last)
            runner.next_frame()
            look_at(runner)
        node.timeline.end_at(last)
        self._forget_the_former()
        tree.stand_at(id_, sparing=sparing)
        self._take_up(runner)

    def _do_rename(self, id_: int, name: str) -> None:
        if self._tree is not None and id_ in self._tree.nodes:
            self._tree.nodes[id_].name = name.strip()
            self._tell_grown()

    def _do_forget(self, id_: int) -> None:
        tree = self._tree
        if tree is None or id_ not in tree.nodes:
            return
        others = [other for other in tree.nodes if other != id_]
        if not others:
            raise InputError(_("The only run there is cannot be deleted; start another one instead."))
        if tree.pair is not None and id_ in (tree.active, tree.beside):
            assert tree.beside is not None
            self._do_switch(tree.beside if id_ == tree.active else tree.active, sparing=id_)
        elif id_ == tree.active:
            parent = tree.nodes[id_].parent
            self._do_switch(parent if parent in others else others[-1], sparing=id_)
        tree.forget(id_)
        self._show_tree()

    def _do_bring_back(self, id_: int) -> None:
        if self._tree is not None and self._tree.bring_back(id_):
            self._tell_grown()

    def _do_haunt(self, id_: int | None) -> None:
        tree = self._tree
        if tree is None or tree.pair is not None or (id_ is not None and id_ not in tree.nodes):
            return
        tree.ghost = None if id_ == tree.active else id_
        self._show_tree()
        if self._runner is not None:
            self._haunt(self._runner.step if self._shown is None else self._shown, self._watched)

    def _do_set_beside(self, a: int, b: int) -> None:
        """Two runs of the tree side by side, from the last step that both have reached."""
        tree = self._tree
        if tree is None or a == b or a not in tree.nodes or b not in tree.nodes:
            return
        self._leave()
        tree.part()
        first, second = tree.nodes[a], tree.nodes[b]
        if first.spec.beside is not None:
            raise InputError(_("Each of these runs is two runs side by side already."))
        if first.data is not second.data:
            raise InputError(_("These two runs learn from different data; they cannot stand side by side."))
        with self._giving_up(), self._trying():
            timeline = first.timeline.beside(second.timeline, min(first.last, second.last))
            states = [self._state_at(node, min(first.last, second.last)) for node in (first, second)]
            if states[0]["experiment"]["step"] != states[1]["experiment"]["step"]:
                states = [node.timeline.checkpoints[max(timeline.checkpoints)] for node in (first, second)]
            step = int(states[0]["experiment"]["step"])
            log = merged(done_before(first, states[0]), done_before(second, states[1]))
            both = {"step": step, "a": states[0], "b": states[1], "log": len(log)}
            spec = dataclasses.replace(first.spec, beside=Beside(first.spec.experiment))
            spec = with_values(spec, values_of(both))
            timeline = timeline.cut(step)
            timeline.keep(step, {}, both)
            pair = Node(PAIR, spec, first.data, timeline, a, step, log=log)
            runner = self._standing(pair, step)
            runner.next_frame()
            look_at(runner)
        if tree.active != a:
            tree.stand_at(a, sparing=b)
        tree.put_side_by_side(b, pair)
        self._forget_the_former()
        self._take_up(runner)

    def _state_at(self, node: Node, last: int) -> Mapping[str, Any]:
        """What ``node`` was at step ``last``, or at the checkpoint before, where what was done by hand since
        then cannot be done again.
        """
        start = node.timeline.checkpoint_before(last)
        assert start is not None
        kept: Mapping[str, Any] = node.timeline.checkpoints[start]
        since = node.log[int(kept.get("log", 0)) :]
        if start == last or any(isinstance(done, Acted) and done.step <= last for done in since):
            return kept
        runner = self._standing(node, start)
        runner.next_frame()
        while runner.step < last:
            for done in since:
                if isinstance(done, Turned) and done.step == runner.step + 1:
                    runner.set(done.name, done.new)
            if runner.next_frame() is None:
                break
            self._tell((runner.step - start) / (last - start))
        return runner.state()

    def _do_budget(self, budget: int) -> None:
        self._budget = budget
        if self._tree is not None:
            self._tree.set_budget(budget)
            self._mailbox.put_keyframes(self._timeline.steps)

    # ── kept in files ───────────────────────────────────────────────────────────────────────────────────────

    def _do_save(self, path: Path, view: Mapping[str, Any], quiet: bool) -> None:
        if self._runner is None or self._tree is None:
            raise InputError(_("There is no run to save yet; choose an experiment first."))
        self._settle(whole=not quiet)
        members = session.collect(
            self._tree, view, device=str(self._runner.device), threads=self._runner.threads
        )
        self._saver.write(path, members, quiet=quiet)

    def _do_cancel_saving(self) -> None:
        self._saver.cancel()

    def _do_autosave(self, path: Path, view: Mapping[str, Any]) -> None:
        if self._runner is not None and not self._saver.busy:
            self._do_save(path, view, quiet=True)

    def _do_load(self, path: Path, number: int) -> None:
        try:
            self._setting_up = number
            with self._giving_up(), self._trying():
                found = session.load(path, self._tell)
                node, stages = found.tree.now, Stages()
                runner = session.stand(
                    found, path, device=self._engine._device, stages=stages, tell=self._tell,
                    threads=self._engine._threads or found.threads,
                )  # fmt: skip
        except InputError:
            if self._engine._wanted == number:
                raise
            return
        finally:
            self._setting_up = 0
        self._stages = stages
        # What was painted is nowhere else; of other data the run may have kept a sample only.
        self._data = (node.spec.data_key, node.data) if node.data.painted else None
        self._forget_the_former()
        found.tree.set_budget(self._budget)
        self._tree = found.tree
        self._take_up(runner)
        self._mailbox.put_event(Opened(path, found.view))

    def _close(self) -> None:
        """Keep what there is, where that was wished, and wait until it is on disk."""
        wanted = self._engine._last_wish
        if wanted is not None and self._runner is not None:
            with contextlib.suppress(Exception):  # nobody is there any more to be told
                self._do_save(*wanted, quiet=True)
        self._saver.close()


def as_input_error(error: Exception) -> InputError:
    """``error`` as a sentence."""
    return error if isinstance(error, InputError) else InputError(explain_failure(error))
