"""Small clouds in the plane, made from a seed, each with one lesson in it.

Every maker returns coordinates of about unit size, so that one pair of axes suits them all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.core.text import Text, _
from engine.data.registry import Dataset, Request, Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Cloud = tuple[NDArray[np.float64], NDArray[np.int64]]
    """Coordinates (N, 2) and the class of each point (N,)."""


def blobs(rng: np.random.Generator) -> Cloud:
    """Five round Gaussians of 300 points, further apart than they are wide: k-means at its best."""
    import numpy as np

    # A start that puts two centres in one blob must leave one centre to serve two others.
    centres = np.array([(-5.0, 2.6), (-2.2, 4.4), (4.6, 3.4), (3.2, -3.4), (-3.6, -3.2)])  # (5, 2)
    y = np.repeat(np.arange(5), 300)
    return centres[y] + rng.normal(0, 0.62, (len(y), 2)), y


def anisotropic(rng: np.random.Generator) -> Cloud:
    """Three long parallel stripes of 400: nearer to a stranger across the gap than to one's own far end."""
    import numpy as np

    y = np.repeat(np.arange(3), 400)
    along, across = rng.normal(0, 2.1, len(y)), rng.normal(0, 0.26, len(y)) + 1.7 * (y - 1)
    angle = np.deg2rad(35)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.stack([along, across], axis=1) @ turn, y  # (1200, 2)


def moons(rng: np.random.Generator) -> Cloud:
    """Two half circles of 500 points that reach into each other: no straight line tells them apart."""
    import numpy as np

    y = np.repeat(np.arange(2), 500)
    angle = rng.uniform(0, np.pi, len(y))
    side = 1 - 2 * y  # the upper moon, +1, and the lower one, -1
    x = np.stack([side * np.cos(angle) + y - 0.5, side * np.sin(angle) + 0.5 * y - 0.25], axis=1)  # (1000, 2)
    return 2.6 * (x + rng.normal(0, 0.07, x.shape)), y


def ellipse(rng: np.random.Generator) -> Cloud:
    """One Gaussian of 1,000 points, longer than wide and off the origin: its axes are the principal ones."""
    import numpy as np

    angle = np.deg2rad(28)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    x = rng.normal(0, (2.4, 1.0), (1000, 2)) @ turn + (2.0, 1.0)  # standard deviations 2.4 along, 1.0 across
    return x, np.zeros(len(x), dtype=np.int64)


def million(rng: np.random.Generator) -> Cloud:
    """A million points in twelve Gaussians that touch: to see that size is no obstacle."""
    import numpy as np

    angle = np.arange(12) * 2.4  # the golden angle spreads the twelve evenly, as in the head of a sunflower
    radius = 1.7 * np.sqrt(np.arange(12) + 0.5)
    centres = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)  # (12, 2)
    y = rng.integers(0, 12, 1_000_000)
    return centres[y] + rng.normal(0, 0.55, (len(y), 2)), y


def _source(
    name: str, title: Text, about: Text, make: Callable[[np.random.Generator], Cloud], names: tuple[str, ...]
) -> Source:
    def load(request: Request) -> Dataset:
        import numpy as np
        import torch

        x, y = make(np.random.default_rng(request.seed))
        # In random order, so that points drawn later do not hide whole classes drawn before them.
        order = np.random.default_rng(request.seed + 1).permutation(len(x))
        return Dataset(
            name, "points", torch.from_numpy(x[order].astype(np.float32)), torch.from_numpy(y[order]),
            names=names, columns=("x", "y"), total=len(x),
        )  # fmt: skip

    return Source(name, title, about, "points", load)


SOURCES: tuple[Source, ...] = (
    _source("blobs", _("Blobs"), _("Five round clouds, well apart."), blobs,
            tuple(_("blob {n}", n=n + 1) for n in range(5))),
    _source("anisotropic", _("Stripes"), _("Three long clouds side by side."), anisotropic,
            tuple(_("stripe {n}", n=n + 1) for n in range(3))),
    _source("moons", _("Moons"), _("Two half circles that reach into each other."), moons,
            (_("upper moon"), _("lower moon"))),
    _source("ellipse", _("Ellipse"), _("One cloud, longer than wide."), ellipse, (_("all"),)),
    _source("million", _("A million points"), _("Twelve clouds that touch, a million in all."), million,
            tuple(_("cloud {n}", n=n + 1) for n in range(12))),
)  # fmt: skip
