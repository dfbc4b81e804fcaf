"""The tree of runs: between what is drawn of it and the engine, which grows it.

Also what was done by hand to the run on screen, as marks on the timeline and flags over the curves.
"""

from __future__ import annotations

import dataclasses
from functools import partial

from PySide6.QtCore import QObject

from desktop.bridge import Bridge
from desktop.controls.run_tree import NOTHING, RunTree
from desktop.controls.timeline_bar import TimelineBar
from desktop.history import ForgetRun, History
from desktop.language import Text, _, language
from desktop.panels.area import PanelArea
from desktop.wording import Done, add_gesture, done_in_words, gestures
from engine.api import Grown, Haunted, Info, Sought, Started, Turned


class Runs(QObject):
    """Lives as long as the window's engine. history: where deletions can be undone."""

    def __init__(
        self, bridge: Bridge, tree: RunTree, timeline: TimelineBar, area: PanelArea, history: History
    ) -> None:
        super().__init__(bridge)
        self._engine, self._tree, self._timeline, self._area = bridge.engine, tree, timeline, area
        self._history = history
        self._info: Info | None = None
        self._sides = False  # two runs stand side by side
        self._done: list[Done] = []
        self._grown = NOTHING
        self._past = False  # a recorded step is looked at
        bridge.grown.connect(self._on_grown)
        bridge.haunted.connect(self._on_haunted)
        bridge.sought.connect(self._on_sought)
        bridge.progress.connect(self._on_progress)
        tree.switched.connect(self._engine.switch)
        tree.renamed.connect(self._engine.rename)
        tree.deleted.connect(self.delete)
        tree.compared.connect(lambda id_: self._engine.set_beside(self._grown.active, id_))
        tree.ghost_wanted.connect(self._engine.haunt)
        language.changed.connect(self._name_ghost)
        language.changed.connect(self._mark)

    # ── what was done by hand ───────────────────────────────────────────────────────────────────────────────

    def begin(self, info: Info, started: Started) -> None:
        """A run stands; whatever was done in its past is marked."""
        self._info, self._sides = info, started.spec.beside is not None
        self._past, self._done = False, gestures(started.log)
        self._mark()

    def note(self, done: Done) -> None:
        """Something has just been done; a knob that still waits has changed nothing yet."""
        if isinstance(done, Turned) and done.waiting:
            return
        add_gesture(self._done, done)
        self._mark()
        if self._grown.beside is None:  # the tree is told of it only when the run rests
            branches = tuple(
                dataclasses.replace(branch, log=(*branch.log, done))
                if branch.id == self._grown.active else branch
                for branch in self._grown.branches
            )  # fmt: skip
            self._on_grown(dataclasses.replace(self._grown, branches=branches))

    def waits(self, turned: Turned) -> Text:
        """A knob was turned while the past is looked at: what that means."""
        assert self._info is not None
        what = done_in_words(self._info, turned, sides=self._sides)
        return _("{what}: press play to go on from here with it", what=what)

    def _mark(self) -> None:
        """Say all of it, in the present language."""
        if self._info is None:
            return
        said = [(done, done_in_words(self._info, done, sides=self._sides)) for done in self._done]
        self._timeline.set_marks((done.step, text) for done, text in said)
        self._area.loss.set_flags((done.step, text) for done, text in said if isinstance(done, Turned))

    # ── the tree ────────────────────────────────────────────────────────────────────────────────────────────

    def delete(self, id_: int) -> None:
        """A run of the tree, so that it can be undone."""
        shown = id_ == self._grown.active and self._grown.beside is None
        self._history.push(ForgetRun(self._engine, id_, self._tree.name(id_), shown=shown))

    def _on_grown(self, grown: Grown) -> None:
        if self._info is None:
            return
        self._grown = grown
        # A knob of one of two runs says whose it is; two runs of the tree beside each other have their own.
        sides = self._sides and grown.beside is None
        self._tree.show_tree(grown, partial(done_in_words, self._info, sides=sides))
        self._name_ghost()

    def _on_haunted(self, haunted: Haunted) -> None:
        self._area.set_ghost(haunted.scalars, self._tree.name(self._grown.ghost))

    def _name_ghost(self) -> None:
        self._area.name_ghost(self._tree.name(self._grown.ghost))

    def _on_sought(self, sought: Sought) -> None:
        self._past = not sought.live
        self._tree.set_shown(sought.step)

    def _on_progress(self, step: int, _rate: object) -> None:
        self._tree.set_newest(step)
        if not self._past:
            self._tree.set_shown(step)
