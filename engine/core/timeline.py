"""The recorded run: every scalar, pictures at keyframes, and the whole state at fewer checkpoints.

Keyframes are dense early, when most is learned, and then geometric; more are taken where time allows. When
they outgrow the memory budget, or are more than anybody can tell apart, those least missed are dropped (never
the first or the newest). A checkpoint is what a run can be continued from; it holds weights, optimiser and
random states.
"""

from __future__ import annotations

import bisect
import dataclasses
import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from engine.core.beside import PREFIX, is_second, plain, prefixed
from engine.core.frame import Payload

DENSE_STEPS = 48
GROWTH = 1.12
DEFAULT_BUDGET = 256 * 2**20
MOST = 2000
"""Keyframes at most: more than a track on a screen has pixels."""


class Timeline:
    """What happened, step by step. budget: bytes that keyframes and checkpoints may take together."""

    def __init__(self, budget: int = DEFAULT_BUDGET) -> None:
        self._budget = budget
        self.scalars: dict[str, tuple[array[int], array[float]]] = {}
        self.keyframes: dict[int, dict[str, Payload]] = {}
        self.checkpoints: dict[int, dict[str, Any]] = {}
        self._steps: list[int] = []  # of the keyframes, sorted
        self._bytes = 0
        self._holders: dict[int, int] = {}  # id of an array to how many of our places hold it

    @property
    def budget(self) -> int:
        return self._budget

    def set_budget(self, budget: int) -> None:
        """Another budget; what no longer fits is thinned out at once."""
        self._budget = budget
        self._thin()

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps at which pictures were kept, in order."""
        return tuple(self._steps)

    @property
    def bytes(self) -> int:
        """What keyframes and checkpoints take; arrays that several of them share count once."""
        return self._bytes

    def add_scalars(self, scalars: Mapping[str, tuple[Sequence[int], Sequence[float]]]) -> None:
        for name, (steps, values) in scalars.items():
            kept_steps, kept_values = self.scalars.setdefault(name, (array("q"), array("d")))
            kept_steps.extend(steps)
            kept_values.extend(values)

    def must_keep(self, step: int) -> bool:
        """Whether a keyframe belongs here whatever it costs: each of the first steps, then geometrically
        fewer, the same ones in every run, so that two runs can be looked at side by side.
        """
        if not self._steps or step <= DENSE_STEPS:
            return True
        power = math.floor(math.log(step / DENSE_STEPS) / math.log(GROWTH) + 1e-9)
        return step == math.ceil(DENSE_STEPS * GROWTH**power) or step >= self._steps[-1] * GROWTH

    def keep(self, step: int, views: Mapping[str, Payload], checkpoint: dict[str, Any] | None) -> None:
        """Add a keyframe (a later one of the same step replaces it, channel by channel)."""
        former, state = self.keyframes.get(step, {}), self.checkpoints.get(step)
        if step in self.keyframes:
            self._drop(step)
        bisect.insort(self._steps, step)
        self.keyframes[step] = {**former, **views}
        if checkpoint is not None or state is not None:
            self.checkpoints[step] = checkpoint or state or {}
        self._count(step, +1)
        self._thin()

    def _thin(self) -> None:
        while (self._bytes > self._budget or len(self._steps) > MOST) and len(self._steps) > 2:
            self._drop(self._least_missed())

    def _least_missed(self) -> int:
        """The kept step whose loss leaves the smallest hole, on a scale between even and geometric."""

        def hole(at: int) -> float:
            before, after = self._steps[at - 1], self._steps[at + 1]
            return (after - before) / math.sqrt(DENSE_STEPS + before)

        return self._steps[min(range(1, len(self._steps) - 1), key=hole)]

    def _drop(self, step: int) -> None:
        self._count(step, -1)
        self._steps.remove(step)
        del self.keyframes[step]
        self.checkpoints.pop(step, None)

    def _count(self, step: int, by: int) -> None:
        """Enter the arrays of ``step`` into the books (+1), or strike them out (−1)."""
        for array_ in _arrays((self.keyframes[step], self.checkpoints.get(step))):
            holders = self._holders.get(id(array_), 0) + by
            if holders == max(by, 0):  # the first one to hold it, or none is left
                self._bytes += by * array_.nbytes
            self._holders[id(array_)] = holders
            if not holders:
                del self._holders[id(array_)]

    def forget_checkpoints(self) -> None:
        """Pictures stay, but the run can no longer be continued from before now."""
        for step in list(self.checkpoints):
            self._count(step, -1)
            del self.checkpoints[step]
            self._count(step, +1)

    def end_at(self, step: int) -> None:
        """Forget what came after ``step``: a run that diverged goes on from before that, or not at all."""
        for name, (steps, values) in self.scalars.items():
            end = bisect.bisect_right(steps, step)
            if end < len(steps):
                self.scalars[name] = steps[:end], values[:end]
        for kept in self._steps[bisect.bisect_right(self._steps, step) :]:
            self._drop(kept)

    def nearest(self, step: int) -> int | None:
        """The kept step nearest to ``step``; the earlier of two equally near; None when nothing is kept."""
        if not self._steps:
            return None
        at = bisect.bisect_left(self._steps, step)
        around = self._steps[max(at - 1, 0) : at + 1]
        return min(around, key=lambda s: (abs(s - step), s))

    def before(self, step: int) -> int | None:
        """The last kept step before ``step``, or None."""
        at = bisect.bisect_left(self._steps, step)
        return self._steps[at - 1] if at else None

    def checkpoint_before(self, step: int) -> int | None:
        """The last step up to ``step`` from which the run can be continued, or None."""
        return max((s for s in self.checkpoints if s <= step), default=None)

    def cut(self, step: int) -> Timeline:
        """A new timeline with everything up to and including ``step``; pictures and states are shared, not
        copied.
        """
        past = Timeline(self._budget)
        for name, (steps, values) in self.scalars.items():
            end = bisect.bisect_right(steps, step)
            past.scalars[name] = (steps[:end], values[:end])
        for kept in self._steps[: bisect.bisect_right(self._steps, step)]:
            past.keep(kept, self.keyframes[kept], self.checkpoints.get(kept))
        return past

    def go_on_as(self, both: Timeline, *, second: bool, log: Sequence[int]) -> None:
        """Take over what one of two runs side by side has learned after the newest step here.

        log: the steps at which something was done by hand to it.
        """
        last, letter = self._steps[-1] if self._steps else -1, "b" if second else "a"
        for name, (steps, values) in both.scalars.items():
            if is_second(name) == second:
                known = self.scalars[plain(name)][0] if plain(name) in self.scalars else ()
                begin = bisect.bisect_right(steps, known[-1]) if known else 0
                self.add_scalars({plain(name): (steps[begin:], values[begin:])})
        for step in both._steps[bisect.bisect_right(both._steps, last) :]:
            views = {plain(n): view for n, view in both.keyframes[step].items() if is_second(n) == second}
            state = both.checkpoints.get(step)
            if state is not None and state[letter]["experiment"]["step"] != step:
                break  # it had nothing more to learn while the other went on: its own steps are fewer
            done = sum(at <= step for at in log)
            self.keep(step, views, None if state is None else {**state[letter], "log": done})
        if self._steps:
            self.end_at(self._steps[-1])

    def beside(self, other: Timeline, last: int) -> Timeline:
        """Both up to ``last`` as the timeline of two runs side by side (see engine.core.duo): the pictures of
        the steps that both have kept.
        """
        both = Timeline(self._budget)
        for timeline, prefix in ((self, ""), (other, PREFIX)):
            for name, (steps, values) in timeline.scalars.items():
                end = bisect.bisect_right(steps, last)
                both.scalars[prefix + name] = (steps[:end], values[:end])
        for step in sorted(self.keyframes.keys() & other.keyframes.keys()):
            if step <= last:
                a, b = self.checkpoints.get(step), other.checkpoints.get(step)
                state = None
                if a is not None and b is not None:
                    state = {"step": step, "a": a, "b": b, "log": a.get("log", 0) + b.get("log", 0)}
                both.keep(step, {**self.keyframes[step], **prefixed(other.keyframes[step])}, state)
        return both


def _arrays(tree: Any) -> Iterator[np.ndarray | torch.Tensor]:
    """Every array in nested dicts, sequences and payloads."""
    if isinstance(tree, (np.ndarray, torch.Tensor)):
        yield tree
    elif tree is None or isinstance(tree, (str, bool, int, float)):
        return  # most there is, and slow to tell from the rest
    elif isinstance(tree, Mapping):
        for value in tree.values():
            yield from _arrays(value)
    elif isinstance(tree, (list, tuple)):
        for value in tree:
            yield from _arrays(value)
    elif dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        for field in dataclasses.fields(tree):
            yield from _arrays(getattr(tree, field.name))
