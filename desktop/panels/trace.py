"""A number followed over a million steps, ready at any moment to be drawn with a few hundred vertices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 64


@dataclass(frozen=True, slots=True, eq=False)
class Reduced:
    """At most a few hundred vertices. low, high: the range each one stands for, None when it is one value."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None

    def extremes(self) -> tuple[float, float] | None:
        """The smallest and the largest finite value, or None."""
        low = self.y if self.low is None else self.low
        high = self.y if self.high is None else self.high
        low, high = low[np.isfinite(low)], high[np.isfinite(high)]
        return (float(low.min()), float(high.max())) if len(low) and len(high) else None


class _Summary:
    """Smallest, largest, sum and count over runs of values; what is not finite is left out."""

    def __init__(
        self,
        low: NDArray[np.float64],
        high: NDArray[np.float64],
        total: NDArray[np.float64],
        count: NDArray[np.float64],
    ) -> None:
        self.low, self.high, self.total, self.count = low, high, total, count

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> _Summary:
        finite = np.isfinite(values)
        return cls(
            np.where(finite, values, np.inf),
            np.where(finite, values, -np.inf),
            np.where(finite, np.clip(values, -1e290, 1e290), 0.0),  # the sum of many stays a number
            finite.astype(np.float64),
        )

    def merged(self, starts: NDArray[np.int64]) -> _Summary:
        return _Summary(
            np.minimum.reduceat(self.low, starts),
            np.maximum.reduceat(self.high, starts),
            np.add.reduceat(self.total, starts),
            np.add.reduceat(self.count, starts),
        )

    def part(self, start: int, stop: int) -> _Summary:
        return _Summary(
            self.low[start:stop], self.high[start:stop], self.total[start:stop], self.count[start:stop]
        )


class Trace:
    """Steps and values that only grow, or are cut back to an earlier step.

    Beside the values it keeps one summary per ``BLOCK`` of them, so that drawing costs the same for a
    thousand points and for a million.
    """

    def __init__(self) -> None:
        self._count = 0
        self._steps = np.empty(1024)
        self._values = np.empty(1024)
        self._blocks = np.empty((4, 1024 // BLOCK))

    def __len__(self) -> int:
        return self._count

    @property
    def steps(self) -> NDArray[np.float64]:
        return self._steps[: self._count]

    @property
    def values(self) -> NDArray[np.float64]:
        return self._values[: self._count]

    @property
    def last(self) -> float | None:
        return float(self._values[self._count - 1]) if self._count else None

    def extend(self, steps: Sequence[int], values: Sequence[float]) -> None:
        """Append; steps that are already there are written anew, as after a branch."""
        x, y = np.asarray(steps, np.float64), np.asarray(values, np.float64)
        size = min(len(x), len(y))
        if not size:
            return
        x, y = x[:size], y[:size]
        if self._count and x[0] <= self._steps[self._count - 1]:
            self.truncate(float(x[0]) - 0.5)
        self._append(x, y)

    def fill(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
        """Hold exactly these; x is sorted, equal neighbours allowed."""
        self._count = 0
        if len(x):
            self._append(x, y)

    def _append(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
        size = len(x)
        first, self._count = self._count, self._count + size
        if self._count > len(self._steps):
            room = max(2 * len(self._steps), -(-self._count // 1024) * 1024)
            self._steps, self._values = _grown(self._steps, room), _grown(self._values, room)
            self._blocks = _grown(self._blocks, room // BLOCK)
        self._steps[first : self._count] = x
        self._values[first : self._count] = y
        self._summarise(first // BLOCK)

    def _summarise(self, block: int) -> None:
        start = block * BLOCK
        if start >= self._count:
            return
        starts = np.arange(0, self._count - start, BLOCK)
        merged = _Summary.of(self._values[start : self._count]).merged(starts)
        columns = slice(block, block + len(starts))
        self._blocks[:, columns] = merged.low, merged.high, merged.total, merged.count

    def truncate(self, step: float) -> None:
        """Forget everything after ``step``."""
        self._count = int(np.searchsorted(self.steps, step, "right"))
        self._summarise(self._count // BLOCK)

    def at(self, x: float) -> tuple[float, float] | None:
        """The step nearest to ``x`` and its value."""
        if not self._count:
            return None
        after = min(int(np.searchsorted(self.steps, x)), self._count - 1)
        before = max(after - 1, 0)
        index = before if x - self._steps[before] < self._steps[after] - x else after
        return float(self._steps[index]), float(self._values[index])

    def same(self, other: Trace) -> bool:
        """Whether both go through the same places."""
        return np.array_equal(self.steps, other.steps) and np.array_equal(
            self.values, other.values, equal_nan=True
        )

    def lowest(self) -> float:
        """The smallest finite value, +inf when there is none."""
        blocks = -(-self._count // BLOCK)
        return float(self._blocks[0, :blocks].min()) if blocks else float("inf")

    def reduced(self, x0: float, x1: float, columns: int) -> Reduced:
        """What is seen between ``x0`` and ``x1``, with at most ``columns`` + 2 vertices.

        Values are gathered in runs of 1, 2, 4, 8, … counted from the first step ever, not from ``x0``: while
        a run grows or is dragged along, a vertex that has been drawn stays where it is.
        """
        columns = max(columns, 2)
        start = max(int(np.searchsorted(self.steps, x0)) - 1, 0)
        stop = min(int(np.searchsorted(self.steps, x1, "right")) + 1, self._count)
        size = stop - start
        if size <= columns:
            return Reduced(self._steps[start:stop].copy(), self._values[start:stop].copy())
        run = 1 << int(np.ceil(np.log2(size / columns)))
        start -= start % run
        bounds = np.arange(start, stop, run)
        ends = np.minimum(bounds + run, self._count)
        if run >= BLOCK:
            first = start // BLOCK
            blocks = self._blocks[:, first : -(-int(ends[-1]) // BLOCK)]
            whole = _Summary(blocks[0], blocks[1], blocks[2], blocks[3])
            merged = whole.merged(bounds // BLOCK - first)
        else:
            merged = _Summary.of(self._values[start : int(ends[-1])]).merged(bounds - start)
        empty = merged.count == 0
        y = np.where(empty, np.nan, merged.total / np.maximum(merged.count, 1))
        x = (self._steps[bounds] + self._steps[ends - 1]) / 2
        x[0], x[-1] = self._steps[bounds[0]], self._steps[ends[-1] - 1]
        return Reduced(x, y, np.where(empty, np.nan, merged.low), np.where(empty, np.nan, merged.high))

    def outlined(self, x0: float, x1: float, columns: int) -> Reduced:
        """What is seen between ``x0`` and ``x1`` of a line that seldom turns: its outline."""
        start = max(int(np.searchsorted(self.steps, x0)) - 1, 0)
        stop = min(int(np.searchsorted(self.steps, x1, "right")) + 1, self._count)
        x, y = outline(self._steps[start:stop], self._values[None, start:stop], columns)
        return Reduced(x, y[0])


def outline(
    x: NDArray[np.float64], y: NDArray[np.float64], columns: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(T,) and (M, T) with at most about two vertices per column: of each run of values the smallest and the
    largest, in the order in which the line passes them.
    """
    size = len(x)
    if size <= 2 * max(columns, 1):
        return x.copy(), y.copy()
    starts = np.arange(0, size, -(-size // max(columns, 1)))
    ends = np.append(starts[1:], size) - 1
    low, high = np.fmin.reduceat(y, starts, axis=1), np.fmax.reduceat(y, starts, axis=1)  # (M, runs)
    rises = y[:, starts] <= y[:, ends]
    first, second = np.where(rises, low, high), np.where(rises, high, low)
    return (
        np.stack((x[starts], x[ends]), axis=1).ravel(),
        np.stack((first, second), axis=2).reshape(len(y), -1),  # (M, runs, 2) -> (M, 2 runs)
    )


def _grown(array: NDArray[np.float64], room: int) -> NDArray[np.float64]:
    grown = np.empty((*array.shape[:-1], room))
    grown[..., : array.shape[-1]] = array
    return grown
