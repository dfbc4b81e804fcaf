"""Early results, remembered, so that a late knob does not redo early work.

A neighbour graph, a covariance or a projection depends on the data and on few knobs; it is made once for each
key::

    covariance = self.stages.get("covariance", (self.data.name, self.p.centre), lambda: gram(x))
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Stages:
    """The newest value of each named stage. They outlive a run, so that a reset is instant as well."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Hashable, Any]] = {}

    def get(self, name: str, key: Hashable, make: Callable[[], T]) -> T:
        """The value of stage ``name`` for ``key``: remembered when the key is the same as last time, else
        made.
        """
        if name not in self._kept or self._kept[name][0] != key:
            self._kept.pop(name, None)  # let the former value go before the new one needs its memory
            self._kept[name] = (key, make())
        return self._kept[name][1]  # type: ignore[no-any-return]

    def clear(self) -> None:
        """Forget everything, such as when the data changes."""
        self._kept.clear()
