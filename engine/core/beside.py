"""Two runs side by side, A and B, as one: what is B's has a name that begins with ``b.``.

Plain data, no torch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TypeVar

from engine.core.experiment import Info
from engine.core.text import Text

PREFIX = "b."
T = TypeVar("T")


def is_second(name: str) -> bool:
    """Whether ``name`` (of a knob, channel, scalar, query, action) is B's."""
    return name.startswith(PREFIX)


def plain(name: str) -> str:
    """``name`` without the prefix."""
    return name.removeprefix(PREFIX)


def second(names: Mapping[str, T]) -> dict[str, T]:
    """B's part of ``names``, under their own names."""
    return {plain(name): value for name, value in names.items() if is_second(name)}


def first(names: Mapping[str, T]) -> dict[str, T]:
    """A's part of ``names``."""
    return {name: value for name, value in names.items() if not is_second(name)}


def prefixed(names: Mapping[str, T]) -> dict[str, T]:
    """``names`` as B's."""
    return {PREFIX + name: value for name, value in names.items()}


def joined(a: Info, b: Info) -> Info:
    """What two experiments side by side offer together; id, title, data sets and demos are A's."""

    def both(mine: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[str, ...]:
        return (*mine, *(PREFIX + name for name in theirs))

    # A number that both have is followed in one chart, so they come first and beside each other.
    scalars = {}
    common = [name for name in a.scalars if name in b.scalars]
    for name in dict.fromkeys((*common, *a.scalars, *b.scalars)):
        for info, prefix, side in ((a, "", "A"), (b, PREFIX, "B")):
            if name in info.scalars:
                title = Text("{title} · {side}", {"title": info.scalars[name].title, "side": side})
                scalars[prefix + name] = dataclasses.replace(info.scalars[name], title=title)
    paces = [pace for pace in (a.pace, b.pace) if pace is not None]
    return dataclasses.replace(
        a,
        knobs=(*a.knobs, *(dataclasses.replace(knob, name=PREFIX + knob.name) for knob in b.knobs)),
        channels={**a.channels, **prefixed(b.channels)},
        scalars=scalars,
        queries=both(a.queries, b.queries),
        actions=both(a.actions, b.actions),
        picks=both(a.picks, b.picks),
        pace=min(paces, default=None),
    )
