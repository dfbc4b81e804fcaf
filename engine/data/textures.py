"""Small patterns that repeat, and what spoils them: sound samples to learn from, flawed ones to find.

Flaws are drawn apart from all the rest: the same seed with no defects gives the same patterns, sound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from engine.core.params import Choice, Knob
from engine.core.text import Text, _
from engine.data.registry import Dataset, Factor, Request, Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.data.raster import Array

    Traits = dict[str, NDArray[np.float32]]
    """The name of each trait to its values, (N,)."""

SIZE = 32
PATTERNS: tuple[Text, ...] = (_("weave"), _("dots"), _("stripes"), _("checks"), _("bricks"), _("hexagons"))
DEFECTS: tuple[Text, ...] = (_("none"), _("scratch"), _("blot"), _("missing cell"))

TRAITS: dict[str, tuple[Text, float, float, str]] = {
    "pattern": (_("Pattern"), 0, len(PATTERNS) - 1, ""),  # number in PATTERNS
    "period": (_("Period"), 6.5, 9.5, "px"),  # from one cell to the next
    "angle": (_("Angle"), -12, 12, "°"),
    "contrast": (_("Contrast"), 0.45, 0.75, ""),  # from the dark parts to the light ones
    "brightness": (_("Brightness"), 0.45, 0.6, ""),  # half way between them
    "shift_x": (_("Shift across"), 0, 1, ""),  # in periods
    "shift_y": (_("Shift down"), 0, 1, ""),
    "defect": (_("Defect"), 0, 1, ""),  # 0 sound, 1 flawed
    "defect_kind": (_("Kind of defect"), 0, len(DEFECTS) - 1, ""),  # number in DEFECTS
    "defect_x": (_("Defect across"), -1, 1, ""),  # its middle, −1 left, 1 right; 0 where there is none
    "defect_y": (_("Defect up"), -1, 1, ""),  # −1 bottom, 1 top; 0 where there is none
}
"""Title, least and greatest value and unit of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TexturesParams:
    """What can be chosen."""

    n: Annotated[
        int, Knob(100, 20_000, "log", live=False, label=_("Pictures"), help=_("How many samples are drawn."))
    ] = 5000
    pattern: Annotated[
        str,
        Choice(
            {"all": _("all"), "weave": _("weave"), "dots": _("dots"), "stripes": _("stripes"),
             "checks": _("checks"), "bricks": _("bricks"), "hexagons": _("hexagons")},
            live=False,
            label=_("Pattern"),
            help=_("All six, or only one of them."),
        ),
    ] = "all"  # fmt: skip
    defects: Annotated[
        float,
        Knob(
            0,
            1,
            live=False,
            label=_("Defects"),
            help=_("The share of samples with a scratch, a blot or a hole."),
        ),
    ] = 0.0
    grain: Annotated[
        float, Knob(0, 0.2, live=False, label=_("Grain"), help=_("How much each pixel differs by chance."))
    ] = 0.025


def load(request: Request) -> Dataset:
    """(N, 1, 32, 32) in 0..1. Class: the pattern."""
    import numpy as np
    import torch

    params: TexturesParams = request.params
    found = traits(params.n, request.seed, pattern=params.pattern, defects=params.defects)
    x = draw(found, request.seed, grain=params.grain, tell=request.tell)
    names = PATTERNS if params.pattern == "all" else (PATTERNS[int(found["pattern"][0])],)
    y = found["pattern"] if params.pattern == "all" else np.zeros(params.n)
    factors = tuple(
        Factor(name, title, torch.from_numpy(found[name]), low, high, unit)
        for name, (title, low, high, unit) in TRAITS.items()
    )
    return Dataset(
        "textures", "images", torch.from_numpy(x)[:, None], torch.from_numpy(y).long(),
        names=names, total=params.n, factors=factors,
    )  # fmt: skip


def traits(n: int, seed: int, *, pattern: str = "all", defects: float = 0.0) -> Traits:
    """The traits of ``n`` samples. Those of the pattern do not depend on ``defects``."""
    import numpy as np

    rng, flaws = np.random.default_rng(seed), np.random.default_rng((seed, 1))
    found = {name: rng.uniform(low, high, n) for name, (_title, low, high, _unit) in TRAITS.items()}
    found["pattern"] = rng.integers(0, len(PATTERNS), n).astype(np.float64)
    if pattern != "all":
        found["pattern"][:] = [str(p) for p in PATTERNS].index(pattern)
    flawed = (flaws.uniform(0, 1, n) < defects).astype(np.float64)
    found["defect"] = flawed
    found["defect_kind"] = flaws.integers(1, len(DEFECTS), n) * flawed
    for name in ("defect_x", "defect_y"):
        found[name] = flaws.uniform(-0.7, 0.7, n) * flawed
    return {name: values.astype(np.float32) for name, values in found.items()}


def draw(
    found: Traits, seed: int = 0, *, grain: float = 0.0, tell: Callable[[float], None] | None = None
) -> NDArray[np.float32]:
    """Pictures (N, 32, 32) in 0..1. seed: of what is not a trait, the grain and the course of a scratch."""
    import numpy as np

    from engine.data import raster
    from engine.data.registry import nothing

    n = len(found["pattern"])
    noise = np.random.default_rng((seed, 2)).standard_normal((n, SIZE, SIZE), np.float32)
    courses = np.random.default_rng((seed, 3)).uniform(0, 1, (n, 3)).astype(np.float32)
    pictures = np.empty((n, SIZE, SIZE), np.float32)
    order = np.argsort(found["pattern"], kind="stable")  # one pattern is drawn together
    for some in raster.blocks(n, tell or nothing):
        for pattern in np.unique(found["pattern"][order[some]]):
            which = order[some][found["pattern"][order[some]] == pattern]
            t = {name: raster.each(values[which]) for name, values in found.items()}
            pictures[which] = _draw(int(pattern), t, courses[which])
    np.clip(pictures + np.float32(grain) * noise, 0, 1, out=pictures)
    return pictures


def _draw(pattern: int, t: dict[str, Array], course: Array) -> Array:
    """Samples of one pattern, (B, 32, 32). t: each trait, (B, 1, 1). course: (B, 3) in 0..1."""
    import numpy as np

    from engine.data import raster

    x, y = (g * np.float32(SIZE / 2) for g in raster.grid(SIZE))  # pixels from the middle
    height = _height(pattern, x, y, t)
    kind = t["defect_kind"]
    cx, cy = t["defect_x"] * (SIZE / 2), -t["defect_y"] * (SIZE / 2)
    if (kind == 3).any():  # what the pattern would be without its cell there
        hole = raster.cover(raster.length(x - cx, y - cy) - 0.55 * t["period"], 2.0) * (kind == 3)
        height = raster.mix(height, _height(pattern, x, y, t, missing=True), hole)
    picture = t["brightness"] + t["contrast"] * (height - 0.5)
    if (kind == 1).any():  # a thin line, light or dark, whichever is farther from the sample
        way = np.pi * raster.each(course[:, 0])
        reach = 6 + 6 * raster.each(course[:, 1])
        dx, dy = reach * np.cos(way), reach * np.sin(way)
        line = raster.capsule(x, y, cx - dx, cy - dy, cx + dx, cy + dy)
        tint = np.where(raster.each(course[:, 2]) < t["brightness"], np.float32(0.98), np.float32(0.02))
        picture = raster.mix(picture, tint, raster.cover(line - 0.7, 1.0) * (kind == 1))
    if (kind == 2).any():  # a dark blot with an uneven edge
        far = raster.length(x - cx, y - cy)
        around = np.arctan2(y - cy, x - cx)
        bumps = 0.9 * np.sin(2 * around + 6.28 * raster.each(course[:, 0])) + 0.6 * np.sin(
            3 * around + 6.28 * raster.each(course[:, 1])
        )
        blot = raster.cover(far - 3.2 - 1.3 * raster.each(course[:, 2]) - bumps, 1.6)
        picture = raster.mix(picture, 0.06, 0.92 * blot * (kind == 2))
    return np.clip(picture, 0, 1).astype(np.float32)


def _height(pattern: int, x: Array, y: Array, t: dict[str, Array], *, missing: bool = False) -> Array:
    """How light the pattern is, 0..1, (B, H, W). missing: the ground that shows where a cell is missing."""
    import numpy as np

    from engine.data import raster

    angle, period = np.deg2rad(t["angle"]), t["period"]
    edge = 1 / period  # a pixel, in periods
    u = (x * np.cos(angle) - y * np.sin(angle)) / period + t["shift_x"]
    v = (x * np.sin(angle) + y * np.cos(angle)) / period + t["shift_y"]

    def off(place: Array) -> Array:
        """From the middle of the cell, −½..½."""
        return place - np.floor(place) - np.float32(0.5)

    if pattern == 0:  # weave: threads over and under each other, round and darker at their edges
        if missing:
            return np.full(np.broadcast_shapes(u.shape, x.shape), 0.06, np.float32)
        u, v = 1.15 * u, 1.15 * v
        over = (np.floor(u) + np.floor(v)) % 2 == 0
        thread, along = np.where(over, off(v), off(u)), np.where(over, off(u), off(v))
        body = raster.cover(np.abs(thread) - 0.40, edge)
        bulge = np.sqrt(np.maximum(1 - (2.2 * thread) ** 2, 0)) * (1 - 1.5 * along * along)
        shade = np.where(over, np.float32(1.0), np.float32(0.72))
        return (body * (0.25 + 0.75 * bulge) * shade).astype(np.float32)
    if pattern == 1:  # dots, in rows that are shifted by half
        if missing:
            return np.full(np.broadcast_shapes(u.shape, x.shape), 0.12, np.float32)
        row = np.floor(v / 0.87)
        far = raster.length(off(u + 0.5 * (row % 2)), 0.87 * off(v / 0.87))
        return 0.12 + 0.88 * raster.cover(far - 0.30, edge)
    if pattern == 2:  # stripes, a broad and a narrow one
        if missing:
            return np.full(np.broadcast_shapes(u.shape, x.shape), 0.08, np.float32)
        broad, narrow = np.abs(off(0.75 * u)) / 0.75, np.abs(off(0.75 * u + 0.5)) / 0.75
        return 0.08 + 0.92 * raster.cover(broad - 0.30, edge) + 0.5 * raster.cover(narrow - 0.09, edge)
    if pattern == 3:  # checks
        if missing:
            return np.full(np.broadcast_shapes(u.shape, x.shape), 1, np.float32)
        a, b = off(u), off(v)
        side = (
            np.minimum(np.abs(a), 0.5 - np.abs(a)) * np.sign(a),
            np.minimum(np.abs(b), 0.5 - np.abs(b)) * np.sign(b),
        )
        soft = [np.clip(2 * s * period, -1, 1) for s in side]
        checks = 0.5 + 0.5 * soft[0] * soft[1]
        return checks.astype(np.float32)
    if pattern == 4:  # bricks in mortar, each of a shade of its own
        row = np.floor(1.5 * v)
        across = 0.75 * u + 0.5 * (row % 2)
        brick = raster.box(off(across) / 0.75, off(1.5 * v) / 1.5, 0.58, 0.255)
        shade = 0.55 + 0.15 * np.sin(12.9 * np.floor(across) + 78.2 * row)
        if missing:
            return np.full(np.broadcast_shapes(u.shape, x.shape), 1, np.float32)
        return raster.mix(1.0, shade - 0.25, raster.cover(brick, edge))
    # hexagons: the nearer of two grids' middles
    p, q = u / 1.1, v / (1.1 * np.float32(1.7320508))
    ax, ay = 1.1 * off(p), 1.1 * 1.7320508 * off(q)
    bx, by = 1.1 * off(p + 0.5), 1.1 * 1.7320508 * off(q + 0.5)
    nearer = ax * ax + ay * ay < bx * bx + by * by
    hx, hy = np.abs(np.where(nearer, ax, bx)), np.abs(np.where(nearer, ay, by))
    wall = np.maximum(hx, 0.5 * hx + 0.8660254 * hy) - 0.47
    if missing:
        return np.full(wall.shape, 0.05, np.float32)
    return (0.05 + 0.95 * raster.cover(wall, edge)).astype(np.float32)


SOURCES: tuple[Source, ...] = (
    Source(
        "textures",
        _("Textures"),
        _("Patterns that repeat, 32 × 32: weave, dots, stripes, checks, bricks, hexagons; sound or flawed."),
        "images",
        load,
        params_class=TexturesParams,
        credit=_("Drawn by Latentarium; free to use."),
    ),
)
