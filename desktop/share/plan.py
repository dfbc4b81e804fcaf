"""What is filmed, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from desktop.language import _
from desktop.share.tour import spread

Form = Literal["gif", "webp"]
FORMS = (("gif", _("GIF: plays everywhere")), ("webp", _("WebP: every colour exactly")))
WINDOW, PICTURES, CURVES = "(window)", "(pictures)", "(curves)"
"""What can be filmed besides a single picture, which goes by the name of its channel."""
REST_MS = 1500
"""The last picture stays so long before it all begins again."""
TICK_MS = 10
"""What a GIF can count in."""


@dataclass(frozen=True, slots=True)
class Plan:
    """first, last: steps; last None: up to the newest. even: steps pass at one speed; otherwise each recorded
    step is seen equally long.
    """

    what: str = PICTURES
    form: Form = "gif"
    seconds: float = 6.0
    rate: int = 10
    first: int = 0
    last: int | None = None
    even: bool = True

    def shots(self, steps: Sequence[int]) -> list[tuple[int, int]]:
        """The recorded steps that are filmed, and how many milliseconds each is seen."""
        last = max(steps, default=0) if self.last is None else self.last
        moments = max(round(self.seconds * self.rate), 1)
        shots, now, passed = [], 0, 0
        for step, lasting in spread(steps, self.first, last, moments, even=self.even):
            passed += lasting
            end = round(1000 * passed / self.rate / TICK_MS) * TICK_MS  # so that roundings do not add up
            shots.append((step, end - now))
            now = end
        if shots:
            shots[-1] = (shots[-1][0], max(shots[-1][1], REST_MS))
        return shots
