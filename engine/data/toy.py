"""Small clouds on a line, in the plane and in space, made from a seed, each with one lesson in it.

Every maker returns coordinates of about unit size, so that one pair of axes suits them all. It is given how
many points to make and by how much they stray: the standard deviation, in units of the axes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, make_dataclass
from typing import TYPE_CHECKING, Annotated, Any

from engine.core.params import Knob
from engine.core.text import Text, _
from engine.data.registry import Dataset, Factor, Request, Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Labels = NDArray[np.int64]

BANDS = 6
"""Classes along a sheet: enough colours to see where it was torn."""


@dataclass(frozen=True, slots=True)
class Trait:
    """What each point was made from. values: (N,) between low and high, in ``unit``."""

    name: str
    title: Text
    values: Array
    low: float
    high: float
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Cloud:
    """x: (N, 1), (N, 2) or (N, 3) coordinates. y: (N,) class of each point."""

    x: Array
    y: Labels
    traits: tuple[Trait, ...] = ()


Maker = Callable[["np.random.Generator", int, float], Cloud]


def _evenly(n: int, classes: int) -> Labels:
    """The class of each of ``n`` points, in order, as many of each as of any other."""
    import numpy as np

    return np.arange(n) * classes // n


# ── on a line ───────────────────────────────────────────────────────────────────────────────────────────────


def bumps(rng: np.random.Generator, n: int, noise: float) -> Cloud:
    """Two bumps, one twice as wide as the other: no one bandwidth is right for both."""
    import numpy as np

    y = _evenly(n, 2)
    return _mixture(rng, y, y, np.array([0.5, 0.5]), np.array([-2.0, 2.0]), np.array([noise, noise / 2]))


def claw(rng: np.random.Generator, n: int, noise: float) -> Cloud:
    """A wide bump with five narrow ones on it: what a rule made for one bump smooths away.

    The claw of J. S. Marron and M. P. Wand, "Exact mean integrated squared error", 1992, twice as large.
    """
    import numpy as np

    y = _evenly(n, 2)
    part = np.where(y == 0, 0, rng.integers(1, 6, n))  # 0 the body, 1 to 5 the claws
    weights, centres = np.array([5, 1, 1, 1, 1, 1]) / 10, np.array([0.0, -2, -1, 0, 1, 2])
    return _mixture(rng, y, part, weights, centres, np.array([2, *[noise] * 5]))


def _mixture(
    rng: np.random.Generator, y: Labels, part: Labels, weights: Array, centres: Array, widths: Array
) -> Cloud:
    """Points of a mixture of Gaussians on a line, each with the true density where it lies."""
    import numpy as np

    widths = np.maximum(widths, 0.01)  # without any width the density would be infinite
    x = centres[part] + widths[part] * rng.standard_normal(len(part))  # (N,)
    density = np.zeros(len(x))
    for w, m, s in zip(weights, centres, widths, strict=True):
        density += w * np.exp(-((x - m) ** 2) / (2 * s**2)) / (s * np.sqrt(2 * np.pi))
    return Cloud(
        x[:, None], y, (Trait("density", _("true density"), density, 0, float(np.float32(density.max()))),)
    )


# ── Gaussians ───────────────────────────────────────────────────────────────────────────────────────────────


def blobs(rng: np.random.Generator, n: int, noise: float) -> Cloud:
    """Five round Gaussians, further apart than they are wide: k-means at its best."""
    import numpy as np

    # A start that puts two centres in one blob must leave one centre to serve two others.
    centres = np.array([(-5.0, 2.6), (-2.2, 4.4), (4.6, 3.4), (3.2, -3.4), (-3.6, -3.2)])  # (5, 2)
    y = _evenly(n, 5)
    return Cloud(centres[y] + rng.normal(0, noise, (n, 2)), y)


def anisotropic(rng: np.random.Generator, n: int, noise: float) -> Cloud:
    """Three long parallel stripes: nearer to a stranger across the gap than to one's own far end."""
    import numpy as np

    y = _evenly(n, 3)
    along, across = rng.normal(0, 2.1, n), rng.normal(0, noise, n) + 1.7 * (y - 1)
    return Cloud(np.stack([along, across], axis=1) @ _turn(35), y)


def ellipse(rng: np.random.Generator, n: int, noise: float) -> Cloud:
    """One Gaussian, longer than wide and off the origin: its axes are the principal ones."""
    import numpy as np

    # Standard deviations: 2.4 along, ``noise`` across.
    return Cloud(
        rng.normal(0, (2.4, noise), (n, 2)) @ _turn(28) + (2.0, 1.0),
        np.zeros(n, dtype=np.int64),
    )


def off_centre(rng: np.random.Generator, n: int, noise: float) -> Cloud:
    """One long Gaussian, its mean far from the origin and at right angles to its length."""
    import numpy as np

    # Standard deviations: 2 along, ``noise`` across.
    lying = rng.normal((0.0, 6.0), (2.0, noise), (n, 2))
    return Cloud(lying @ _turn(-25), np.zeros(n, dtype=np.int64))


def eight(rng: np.random.Generator, n: int, noise: float) -> Cloud:
    """Eight Gaussians on a ring: will a model that generates find every one of them?"""
    import numpy as np

    y = _evenly(n, 8)
    return Cloud(4 * _circle(np.pi / 4 * y.astype(np.float64)) + rng.normal(0, noise, (n, 2)), y)


def grid(rng: np.random.Generator, n: int, noise: float) -> Cloud:
    """Twenty-five Gaussians on a 5 × 5 grid: so many that a start at random hardly ever finds them all."""
    import numpy as np

    y = _evenly(n, 25)
    return Cloud(np.stack([2.0 * (y % 5 - 2), 2.0 * (y // 5 - 2)], axis=1) + rng.normal(0, noise, (n, 2)), y)


def million(rng: np.random.Generator, n: int, noise: float) -> Cloud:
    """A million points in twelve Gaussians that touch: to see that size is no obstacle."""
    import numpy as np

    # The golden angle, 2.4 radians, spreads the twelve evenly, as in the head of a sunflower.
    angle: Array = np.arange(12) * np.float64(2.4)
    centres = 1.7 * np.sqrt(np.arange(12) + 0.5)[:, None] * _circle(angle)  # (12, 2)
    y = rng.integers(0, 12, n)
    return Cloud(centres[y] + rng.normal(0, noise, (n, 2)), y)


# ── curves in the plane ─────────────────────────────────────────────────────────────────────────────────────


def moons(rng: np.random.Generator, n: int, noise: float) -> Cloud:
    """Two half circles that reach into each other: no straight line tells them apart."""
    import numpy as np

    y = _evenly(n, 2)
    angle = rng.uniform(0, np.pi, n)
    side = 1 - 2 * y  # the upper moon, +1, and the lower one, -1
    x = np.stack([side * np.cos(angle) + y - 0.5, side * np.sin(angle) + 0.5 * y - 0.25], axis=1)  # (N, 2)
    return Cloud(2.6 * x + rng.normal(0, noise, x.shape), y, (_degrees(angle, 0, 180),))


def rings(rng: np.random.Generator, n: int, noise: float) -> Cloud:
    """Two rings, one inside the other: both have their mean in the same place."""
    import numpy as np

    y = _evenly(n, 2)
    angle = rng.uniform(0, 2 * np.pi, n)
    x = np.array([1.7, 4.2])[y][:, None] * _circle(angle)
    return Cloud(x + rng.normal(0, noise, x.shape), y, (_degrees(angle, 0, 360),))


def spirals(rng: np.random.Generator, n: int, noise: float) -> Cloud:
    """Two arms wound around each other, one turn and a half: the classic test of a bent boundary."""
    import numpy as np

    y = _evenly(n, 2)
    # Even along the arm and not in the angle, or the middle would be crowded.
    angle = _even_on_spiral(rng, n, 0.35 * np.pi, 3 * np.pi)  # (N,)
    x = (0.5 * angle)[:, None] * _circle(angle + np.pi * y)
    return Cloud(x + rng.normal(0, noise, x.shape), y, (_degrees(angle, 63, 540),))


# ── surfaces and curves in space ────────────────────────────────────────────────────────────────────────────


def swiss_roll(rng: np.random.Generator, n: int, noise: float) -> Cloud:
    """A sheet rolled up: neighbours across the gap are far apart along the sheet.

    The roll lies along y; x and z see the spiral.
    """
    import numpy as np

    first, last = 1.5 * np.pi, 4.5 * np.pi
    angle, across = _even_on_spiral(rng, n, first, last), rng.uniform(-4, 4, n)
    spiral = 0.36 * angle[:, None] * _circle(angle)  # (N, 2), radius 1.7 to 5.1
    x = np.stack([spiral[:, 0], across, spiral[:, 1]], axis=1)
    along, end = 0.36 * (_spiral_length(angle) - _spiral_length(first)), _spiral_length(last)
    return _sheet(rng, x, along, 0.36 * float(end - _spiral_length(first)), across, 4, noise)


def s_curve(rng: np.random.Generator, n: int, noise: float) -> Cloud:
    """A sheet bent into an S: curved as the Swiss roll is, but with no layer close above another."""
    import numpy as np

    radius, half = 2.2, 1.5 * np.pi
    angle, across = rng.uniform(-half, half, n), rng.uniform(-4, 4, n)
    x = np.stack(
        [radius * np.sin(angle), across, radius * np.sign(angle) * (np.cos(angle) - 1)], axis=1
    )  # (N, 3): two three-quarter circles that meet at the origin
    return _sheet(rng, x, radius * (angle + half), 2 * radius * half, across, 4, noise)


def interlocked(rng: np.random.Generator, n: int, noise: float) -> Cloud:
    """Two links of a chain: nothing flat can lie between them, and no drawing in a plane keeps them whole."""
    import numpy as np

    y = _evenly(n, 2)
    angle = rng.uniform(0, 2 * np.pi, n)
    u, v = 3 * _circle(angle).T  # (N,) each
    lying, standing = np.stack([u - 1.5, v, 0 * u], axis=1), np.stack([u + 1.5, 0 * u, v], axis=1)
    x = np.where(y[:, None] == 0, lying, standing)  # (N, 3)
    return Cloud(x + rng.normal(0, noise, x.shape), y, (_degrees(angle, 0, 360),))


def _sheet(
    rng: np.random.Generator, x: Array, along: Array, length: float, across: Array, half: float, noise: float
) -> Cloud:
    """A sheet in space with the two coordinates that somebody living on it would measure."""
    import numpy as np

    y = np.minimum(along / length * BANDS, BANDS - 1).astype(np.int64)
    traits = (
        Trait("along", _("along the sheet"), along, 0, length),
        Trait("across", _("across the sheet"), across, -half, half),
    )
    return Cloud(x + rng.normal(0, noise, x.shape), y, traits)


# ── geometry ────────────────────────────────────────────────────────────────────────────────────────────────


def _circle(angle: Array) -> Array:
    """Points on the unit circle. (N,) radians -> (N, 2)."""
    import numpy as np

    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _turn(degrees: float) -> Array:
    """What turns rows (N, 2) anticlockwise when they are multiplied by it, (2, 2)."""
    import numpy as np

    a = np.deg2rad(degrees)
    return np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])


def _degrees(angle: Array, low: float, high: float) -> Trait:
    import numpy as np

    return Trait("angle", _("angle"), np.rad2deg(angle), low, high, "°")


def _spiral_length(angle: Array | float) -> Array:
    """The length of the spiral r = angle from its middle to ``angle``: ½ (t √(1 + t²) + arsinh t)."""
    import numpy as np

    t = np.asarray(angle, dtype=np.float64)
    return 0.5 * (t * np.sqrt(1 + t * t) + np.arcsinh(t))


def _even_on_spiral(rng: np.random.Generator, n: int, first: float, last: float) -> Array:
    """Angles (N,) of places spread evenly along the spiral r = angle, between two angles."""
    import numpy as np

    table = np.linspace(first, last, 1000)
    length = _spiral_length(table)
    return np.interp(rng.uniform(length[0], length[-1], n), length, table)


# ── as the pickers show them ────────────────────────────────────────────────────────────────────────────────


def _params(n: int, noise: float, most: float) -> type[Any]:
    """The knobs of a cloud that has ``n`` points and ``noise`` unless told otherwise."""
    size = Knob(100, 1_000_000, "log", live=False, label=_("Points"), help=_("How many points."))
    stray = Knob(
        0, most, live=False, label=_("Noise"),
        help=_("How far points stray: the standard deviation, in units of the axes."),
    )  # fmt: skip
    return make_dataclass(
        "ToyParams",
        [("n", Annotated[int, size], n), ("noise", Annotated[float, stray], noise)],
        frozen=True, slots=True, kw_only=True,
    )  # fmt: skip


def _source(
    name: str, title: Text, about: Text, make: Maker, names: tuple[str, ...],
    n: int, noise: float, most: float, columns: tuple[str, ...] = ("x", "y"),
) -> Source:  # fmt: skip
    """A cloud of ``n`` points by default. most: the upper end of the noise knob."""

    def load(request: Request) -> Dataset:
        import numpy as np
        import torch

        p = request.params
        cloud = make(np.random.default_rng(request.seed), p.n, p.noise)
        # In random order, so that points drawn later do not hide whole classes drawn before them.
        order = np.random.default_rng(request.seed + 1).permutation(p.n)
        factors = tuple(
            Factor(
                t.name, t.title, torch.from_numpy(t.values[order].astype(np.float32)), t.low, t.high, t.unit
            )
            for t in cloud.traits
        )
        return Dataset(
            name, "points", torch.from_numpy(cloud.x[order].astype(np.float32)),
            torch.from_numpy(cloud.y[order]), names, columns, p.n, tuple(factors),
        )  # fmt: skip

    return Source(name, title, about, "points", load, params_class=_params(n, noise, most))


def _numbered(count: int, name: Callable[[int], Text]) -> tuple[Text, ...]:
    return tuple(name(i + 1) for i in range(count))


LINE = ("x",)
SPACE = ("x", "y", "z")
SOURCES: tuple[Source, ...] = (
    _source("blobs", _("Blobs"), _("Five round clouds, well apart."), blobs,
            _numbered(5, lambda i: _("blob {n}", n=i)), 1500, 0.62, 3),
    _source("anisotropic", _("Stripes"), _("Three long clouds side by side."), anisotropic,
            _numbered(3, lambda i: _("stripe {n}", n=i)), 1200, 0.26, 1),
    _source("moons", _("Moons"), _("Two half circles that reach into each other."), moons,
            (_("upper moon"), _("lower moon")), 1000, 2.6 * 0.07, 1),
    _source("rings", _("Rings"), _("One ring inside another."), rings,
            (_("inner ring"), _("outer ring")), 1000, 0.2, 1),
    _source("spirals", _("Spirals"), _("Two arms wound around each other."), spirals,
            (_("first arm"), _("second arm")), 1000, 0.12, 1),
    _source("eight", _("Eight on a ring"), _("Eight small clouds on a circle."), eight,
            _numbered(8, lambda i: _("cloud {n}", n=i)), 1600, 0.25, 1.5),
    _source("grid", _("Grid"), _("Twenty-five small clouds in rows and columns."), grid,
            _numbered(25, lambda i: _("cloud {n}", n=i)), 2500, 0.2, 1),
    _source("ellipse", _("Ellipse"), _("One cloud, longer than wide."), ellipse, (_("all"),), 1000, 1.0, 2.4),
    _source("off_centre", _("Off centre"), _("One long cloud, far from the origin."), off_centre,
            (_("all"),), 1000, 0.6, 2),
    _source("swiss_roll", _("Swiss roll"), _("A sheet in space, rolled up."), swiss_roll,
            _numbered(BANDS, lambda i: _("band {n}", n=i)), 2000, 0.08, 1, SPACE),
    _source("s_curve", _("S-curve"), _("A sheet in space, bent into an S."), s_curve,
            _numbered(BANDS, lambda i: _("band {n}", n=i)), 2000, 0.08, 1, SPACE),
    _source("interlocked", _("Interlocked rings"), _("Two links of a chain, in space."), interlocked,
            (_("lying ring"), _("standing ring")), 1200, 0.12, 1, SPACE),
    _source("million", _("A million points"), _("Twelve clouds that touch, a million in all."), million,
            _numbered(12, lambda i: _("cloud {n}", n=i)), 1_000_000, 0.55, 2),
    _source("bumps", _("Two bumps"), _("Numbers on a line, in a wide bump and a narrow one."), bumps,
            (_("wide bump"), _("narrow bump")), 1000, 0.9, 2, LINE),
    _source("claw", _("Claw"), _("Numbers on a line: a wide bump with five narrow ones on it."), claw,
            (_("body"), _("claws")), 4000, 0.2, 1, LINE),
)  # fmt: skip
