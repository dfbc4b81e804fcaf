"""The runs that have grown from one start: each branch with its whole past, so that none needs another.

A run that is left stays as it stands and can be come back to. One in which nothing was changed only repeats
the run it came from; it is not kept when it is left.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.core.beside import PREFIX, is_second, plain
from engine.core.events import Acted, Branch, Grown, RunSpec, Turned
from engine.core.timeline import DEFAULT_BUDGET, Timeline
from engine.data.registry import Dataset

PAIR = 0
"""The id of two runs of the tree side by side; the runs themselves are counted from 1."""
FORGOTTEN = 8
"""So many deleted runs can be brought back."""


@dataclass(slots=True, eq=False)
class Node:
    """One run. log: what was done by hand, from the very start; ``inherited`` of it before the run left its
    ``parent`` at step ``start``. data: what it learns from.
    """

    id: int
    spec: RunSpec
    data: Dataset
    timeline: Timeline
    parent: int | None = None
    start: int = 0
    name: str = ""
    log: list[Turned | Acted] = field(default_factory=list)
    inherited: int = 0

    @property
    def last(self) -> int:
        """The newest step kept."""
        return self.timeline.steps[-1] if self.timeline.steps else self.start

    @property
    def own(self) -> tuple[Turned | Acted, ...]:
        """What was done by hand in it since it left its parent."""
        return tuple(self.log[self.inherited :])


class Tree:
    """``active`` is the run on screen; ``pair`` what stands there instead when two are looked at side by
    side, ``beside`` being the second. ``ghost`` is seen behind. budget: bytes for all timelines together.
    """

    def __init__(self, root: Node, budget: int = DEFAULT_BUDGET) -> None:
        self.nodes = {root.id: root}
        self.active = root.id
        self.ghost: int | None = None
        self.beside: int | None = None
        self.pair: Node | None = None
        self._forgotten: dict[int, tuple[Node, dict[int, tuple[int | None, int, int]]]] = {}
        self._count = root.id
        self._budget = budget
        self.set_budget(budget)

    @property
    def now(self) -> Node:
        """The run that is trained."""
        return self.nodes[self.active] if self.pair is None else self.pair

    def set_budget(self, budget: int) -> None:
        """Divide these bytes among the timelines. What they share is counted in each: it is at most so
        much.
        """
        self._budget = budget
        forgotten = [node for node, _children in self._forgotten.values()]
        everybody = [*self.nodes.values(), *forgotten, *([self.pair] if self.pair is not None else [])]
        for node in everybody:
            node.timeline.set_budget(budget // len(everybody))

    def branch(self, timeline: Timeline, start: int, inherited: int) -> Node:
        """A new run that leaves the active one at ``start``, when ``inherited`` of its log had been done.

        The one it leaves is the ghost, or the run that one repeats, and is then forgotten.
        """
        former = self.nodes[self.active]
        self._count += 1
        node = Node(
            self._count, former.spec, former.data, timeline, former.id, start,
            log=former.log[:inherited], inherited=inherited,
        )  # fmt: skip
        self.nodes[node.id] = node
        self.stand_at(node.id)
        return node

    def stand_at(self, id_: int, *, sparing: int | None = None) -> None:
        """Another run is the active one; the former one is its ghost. sparing: a run to be kept all the
        same.
        """
        former, self.active = self.nodes[self.active], id_
        self.pair = self.beside = None
        self.ghost = former.id
        if former.id not in (id_, sparing) and self._repeats(former):
            self.ghost = former.parent
            self._take_out(former.id)
        if self.ghost == id_:
            self.ghost = None
        self.set_budget(self._budget)

    def put_side_by_side(self, id_: int, pair: Node) -> None:
        """``pair`` is trained: the active run, and the run ``id_`` beside it."""
        self.pair, self.beside, self.ghost = pair, id_, None
        self.set_budget(self._budget)

    def part(self) -> None:
        """What the two runs side by side have learned there belongs to each of them: it goes on with it, or,
        where it has gone on otherwise before, has another branch.
        """
        pair = self.pair
        if pair is None or self.beside is None or pair.last <= pair.start:
            return
        for id_, second in ((self.active, False), (self.beside, True)):
            node = self.nodes[id_]
            if node.data is not pair.data:
                continue
            log = [
                dataclasses.replace(done, name=plain(done.name))
                for done in pair.log if is_second(done.name) == second
            ]  # fmt: skip
            if node.last != pair.start and node.log != log:
                self._count += 1
                before = sum(done.step <= pair.start for done in log)
                past = node.timeline.cut(pair.start)
                node = Node(
                    self._count, node.spec, node.data, past, id_, pair.start, log=log, inherited=before
                )
                self.nodes[node.id] = node
            node.log = log
            node.timeline.go_on_as(pair.timeline, second=second, log=[done.step for done in log])
        pair.start = pair.last
        self.set_budget(self._budget)

    def _repeats(self, node: Node) -> bool:
        """Whether everything in ``node`` is in its parent too."""
        parent = None if node.parent is None else self.nodes.get(node.parent)
        if parent is None or node.name or node.own or node.last > parent.last:
            return False
        return not any(done.step <= node.last for done in parent.log[node.inherited :])

    def forget(self, id_: int) -> None:
        """Delete a run that is not on screen. Those that left it belong to its parent now."""
        self._forgotten[id_] = self._take_out(id_)
        while len(self._forgotten) > FORGOTTEN:
            del self._forgotten[next(iter(self._forgotten))]
        if self.ghost == id_:
            self.ghost = None
        self.set_budget(self._budget)

    def _take_out(self, id_: int) -> tuple[Node, dict[int, tuple[int | None, int, int]]]:
        """Remove a run. Returns it, and where its children were."""
        node = self.nodes.pop(id_)
        children: dict[int, tuple[int | None, int, int]] = {
            c.id: (c.parent, c.start, c.inherited) for c in self.nodes.values() if c.parent == id_
        }
        for child in children:
            one = self.nodes[child]
            one.parent = node.parent
            one.start, one.inherited = min(one.start, node.start), min(one.inherited, node.inherited)
        return node, children

    def bring_back(self, id_: int) -> bool:
        """Undo ``forget``. Whether it could be."""
        if id_ not in self._forgotten:
            return False
        node, children = self._forgotten.pop(id_)
        if node.parent is not None and node.parent not in self.nodes:
            node.parent, node.start, node.inherited = None, 0, 0
        self.nodes[id_] = node
        for child, place in children.items():
            if child in self.nodes:
                self.nodes[child].parent, self.nodes[child].start, self.nodes[child].inherited = place
        self.set_budget(self._budget)
        return True

    def grown(self) -> Grown:
        """The tree in words for the window."""
        branches = tuple(
            Branch(node.id, node.parent, node.start, node.last, node.name, node.own)
            for _id, node in sorted(self.nodes.items())
        )
        return Grown(branches, self.active, self.ghost, self.beside)


def done_before(node: Node, state: Mapping[str, Any]) -> list[Turned | Acted]:
    """What had been done by hand in ``node`` when it stood at ``state``."""
    if "log" in state:
        return node.log[: int(state["log"])]
    return [done for done in node.log if done.step <= state["experiment"]["step"]]


def merged(a: Iterable[Turned | Acted], b: Iterable[Turned | Acted]) -> list[Turned | Acted]:
    """What was done in two runs, as it is told of the two side by side (see engine.core.beside)."""
    theirs = (dataclasses.replace(done, name=PREFIX + done.name) for done in b)
    return sorted((*a, *theirs), key=lambda done: done.step)
