"""What a tab is: its name, the order of its experiments, and which picture is the large one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.api import Text


@dataclass(frozen=True, slots=True)
class Topic:
    """A tab. Experiments not named in ``order`` follow by id; a topic that says nothing more gets a sensible
    screen.

    large: experiment id to the channels in the order in which they are laid out, the first one largest.
    multiples: experiments whose pictures are all alike: small multiples of one size. without_curves: those
    whose own pictures show all the numbers there are to follow.
    """

    id: str
    title: Text
    order: tuple[str, ...] = ()
    large: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    multiples: frozenset[str] = frozenset()
    without_curves: frozenset[str] = frozenset()
