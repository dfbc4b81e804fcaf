"""Clouds whose t-SNE map is easily misread: the true picture is known, and the map says something else.

Source: M. Wattenberg, F. Viégas, I. Johnson, "How to use t-SNE effectively", Distill, 2016.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.text import _
from engine.data.registry import Source
from engine.data.toy import BANDS, SPACE, Cloud, Trait, _circle, _evenly, _numbered, _source

if TYPE_CHECKING:
    import numpy as np

WIDE = 50
"""Columns of the clouds that no plane can show: enough for all distances to be nearly alike."""


def sizes(rng: np.random.Generator, n: int, noise: float) -> Cloud:
    """Two round Gaussians in the plane, one ten times as wide as the other."""
    import numpy as np

    y = _evenly(n, 2)
    centres, spread = np.array([(-3.0, 0.0), (4.0, 0.0)]), noise * np.array([1.0, 0.1])  # (2, 2) (2,)
    return Cloud(centres[y] + rng.normal(0, 1, (n, 2)) * spread[y][:, None], y)


def distances(rng: np.random.Generator, n: int, noise: float) -> Cloud:
    """Three round Gaussians in a row: two are neighbours, the third is five times as far away."""
    import numpy as np

    y = _evenly(n, 3)
    centres = np.array([(-5.0, 0.0), (-3.0, 0.0), (7.0, 0.0)])  # (3, 2)
    return Cloud(centres[y] + rng.normal(0, noise, (n, 2)), y)


def noise(rng: np.random.Generator, n: int, noise: float) -> Cloud:
    """One Gaussian in fifty dimensions: nothing is there to be found."""
    import numpy as np

    return Cloud(rng.normal(0, noise, (n, WIDE)), np.zeros(n, dtype=np.int64))


def nested(rng: np.random.Generator, n: int, noise: float) -> Cloud:
    """A narrow Gaussian in the very middle of one that is fifty times as wide, in fifty dimensions."""
    import numpy as np

    y = _evenly(n, 2)
    return Cloud(rng.normal(0, 1, (n, WIDE)) * (noise * np.array([1.0, 0.02]))[y][:, None], y)


def trefoil(rng: np.random.Generator, n: int, noise: float) -> Cloud:
    """A closed line with a knot in it: cut nowhere, it cannot lie flat without crossing itself."""
    import numpy as np

    angle = np.sort(rng.uniform(0, 2 * np.pi, n))
    radius = 2.2 + 1.1 * np.cos(3 * angle)
    flat = radius[:, None] * _circle(2 * angle)  # (N, 2): twice round while it dips three times
    x = np.stack([flat[:, 0], 1.1 * np.sin(3 * angle), flat[:, 1]], axis=1)  # (N, 3)
    y = np.minimum(angle / (2 * np.pi) * BANDS, BANDS - 1).astype(np.int64)
    along = Trait("along", _("along the knot"), np.rad2deg(angle), 0, 360, "°")
    return Cloud(x + rng.normal(0, noise, x.shape), y, (along,))


COLUMNS = tuple(f"x{i + 1}" for i in range(WIDE))
SOURCES: tuple[Source, ...] = (
    _source("two_sizes", _("Two sizes"), _("Two clouds, one ten times as wide as the other."), sizes,
            (_("wide cloud"), _("narrow cloud")), 600, 1.0, 2),
    _source("three_distances", _("Three distances"), _("Three clouds: two close together, one far away."),
            distances, _numbered(3, lambda i: _("cloud {n}", n=i)), 600, 0.3, 1),
    _source("pure_noise", _("Pure noise"), _("One cloud in fifty dimensions: there is nothing to find."),
            noise, (_("all"),), 500, 1.0, 3, COLUMNS),
    _source("nested", _("One inside another"),
            _("A narrow cloud in the middle of a wide one, in fifty dimensions."), nested,
            (_("wide cloud"), _("narrow cloud")), 400, 1.0, 3, COLUMNS),
    _source("trefoil", _("Trefoil knot"), _("A closed line in space with a knot in it."), trefoil,
            _numbered(BANDS, lambda i: _("band {n}", n=i)), 800, 0.05, 0.5, SPACE),
)  # fmt: skip
