"""The recorded run: every scalar, pictures at keyframes, and the whole state at fewer checkpoints.

Keyframes are dense early, when most is learned, and then geometric; more are taken where time allows. When
they outgrow the memory budget every second one is dropped (never the first or the newest). A checkpoint is
what a run can be continued from; it holds weights, optimiser and random states.
"""

from __future__ import annotations

import bisect
import dataclasses
from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from engine.core.frame import Payload

DENSE_STEPS = 48
GROWTH = 1.12
DEFAULT_BUDGET = 256 * 2**20


class Timeline:
    """What happened, step by step. budget: bytes that keyframes and checkpoints may take together."""

    def __init__(self, budget: int = DEFAULT_BUDGET) -> None:
        self.budget = budget
        self.scalars: dict[str, tuple[array[int], array[float]]] = {}
        self.keyframes: dict[int, dict[str, Payload]] = {}
        self.checkpoints: dict[int, dict[str, Any]] = {}
        self._steps: list[int] = []  # of the keyframes, sorted
        self._bytes = 0

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
        fewer.
        """
        return step <= DENSE_STEPS or step >= self._steps[-1] * GROWTH if self._steps else True

    def keep(self, step: int, views: Mapping[str, Payload], checkpoint: dict[str, Any] | None) -> None:
        """Add a keyframe (a later one of the same step replaces it, channel by channel)."""
        if step not in self.keyframes:
            bisect.insort(self._steps, step)
        self.keyframes[step] = {**self.keyframes.get(step, {}), **views}
        if checkpoint is not None:
            self.checkpoints[step] = checkpoint
        self._bytes += _size((*views.values(), checkpoint), seen=self._neighbour_arrays(step))
        if self._bytes > self.budget:
            self._thin()

    def _neighbour_arrays(self, step: int) -> set[int]:
        """Ids of the arrays in the keyframe before ``step``: pictures that do not change share them."""
        before = bisect.bisect_left(self._steps, step) - 1
        return (
            set()
            if before < 0
            else {id(a) for a in _arrays(tuple(self.keyframes[self._steps[before]].values()))}
        )

    def _thin(self) -> None:
        """Drop every second keyframe until the rest fits; the first and the newest stay."""
        while True:
            self._bytes = _size((self.keyframes, self.checkpoints), seen=set())
            if self._bytes <= self.budget or len(self._steps) <= 2:
                return
            for step in self._steps[1:-1:2]:
                self._drop(step)

    def _drop(self, step: int) -> None:
        self._steps.remove(step)
        del self.keyframes[step]
        self.checkpoints.pop(step, None)

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
        past = Timeline(self.budget)
        for name, (steps, values) in self.scalars.items():
            end = bisect.bisect_right(steps, step)
            past.scalars[name] = (steps[:end], values[:end])
        past._steps = [s for s in self._steps if s <= step]
        past.keyframes = {s: dict(self.keyframes[s]) for s in past._steps}
        past.checkpoints = {s: c for s, c in self.checkpoints.items() if s <= step}
        past._bytes = _size((past.keyframes, past.checkpoints), seen=set())
        return past


def _arrays(tree: Any) -> Iterator[np.ndarray | torch.Tensor]:
    """Every array in nested dicts, sequences and payloads."""
    if isinstance(tree, (np.ndarray, torch.Tensor)):
        yield tree
    elif isinstance(tree, Mapping):
        for value in tree.values():
            yield from _arrays(value)
    elif isinstance(tree, (list, tuple)):
        for value in tree:
            yield from _arrays(value)
    elif dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        for field in dataclasses.fields(tree):
            yield from _arrays(getattr(tree, field.name))


def _size(tree: Any, seen: set[int]) -> int:
    """Bytes of all arrays in ``tree``, each counted once; those in ``seen`` not at all."""
    total = 0
    for array_ in _arrays(tree):
        if id(array_) not in seen:
            seen.add(id(array_))
            total += array_.nbytes
    return total
