"""One coloured shape on a quiet ground, and a sentence that says so in English and French."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from engine.core.params import Choice, Knob
from engine.core.text import Text, _
from engine.data import cache
from engine.data.registry import Dataset, Factor, Request, Source, nothing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.data.raster import Array

    Traits = dict[str, NDArray[np.float32]]
    """The name of each trait to its values, (N,)."""

VERSION = 1
"""Of the drawings; pictures kept by another are not used."""
SIZE = 32

SHAPES: tuple[Text, ...] = (_("circle"), _("square"), _("triangle"), _("star"), _("ring"), _("cross"))
COLOURS: dict[str, tuple[float, float, float]] = {
    "red": (0.80, 0.10, 0.14),
    "orange": (0.98, 0.58, 0.10),
    "yellow": (0.99, 0.89, 0.15),
    "green": (0.03, 0.50, 0.34),
    "turquoise": (0.25, 0.78, 0.82),
    "blue": (0.13, 0.33, 0.86),
    "pink": (0.95, 0.42, 0.62),
    "black": (0.11, 0.11, 0.14),
}
"""Red, green and blue of each. Colours whose hue some eyes confuse differ in lightness."""

TRAITS: dict[str, tuple[Text, float, float, str]] = {
    "shape": (_("Shape"), 0, len(SHAPES) - 1, ""),  # number in SHAPES
    "colour": (_("Colour"), 0, len(COLOURS) - 1, ""),  # number in COLOURS
    "size": (_("Size"), 3.5, 8.5, "px"),  # radius of the circle around it, nearly
    "x": (_("Position across"), -1, 1, ""),  # of the centre: −1 left, 1 right, 7 pixels from the middle
    "y": (_("Position up"), -1, 1, ""),  # −1 bottom, 1 top
    "rotation": (_("Rotation"), -30, 30, "°"),  # anticlockwise
    "textured": (_("Textured ground"), 0, 1, ""),  # 0 plain, 1 textured
}
"""Title, least and greatest value and unit of each."""
REACH = 7
"""How many pixels from the middle a centre may be."""
SMALL, BIG = 3.5 + 5 / 3, 3.5 + 10 / 3
"""A size below the first is called small, above the second big, between them medium-sized."""
ASIDE = 1 / 3
"""A centre within this of the middle, across or up, is not called left or right, top or bottom."""

_NOUNS = ("circle", "square", "triangle", "star", "ring", "cross")
_SIZES = ("small", "medium-sized", "big")
_FRENCH_NOUNS = (("cercle", 0), ("carré", 0), ("triangle", 0), ("étoile", 1), ("anneau", 0), ("croix", 1))
"""Each with its gender: 0 masculine, 1 feminine."""
_FRENCH_COLOURS = {
    "red": ("rouge", "rouge"), "orange": ("orange", "orange"), "yellow": ("jaune", "jaune"),
    "green": ("vert", "verte"), "turquoise": ("turquoise", "turquoise"), "blue": ("bleu", "bleue"),
    "pink": ("rose", "rose"), "black": ("noir", "noire"),
}  # fmt: skip
_PLACES = (
    ("at the bottom left", "at the bottom", "at the bottom right"),
    ("on the left", "in the middle", "on the right"),
    ("at the top left", "at the top", "at the top right"),
)
"""By row from the bottom, then column from the left."""
_FRENCH_PLACES = (
    ("en bas à gauche", "en bas", "en bas à droite"),
    ("à gauche", "au milieu", "à droite"),
    ("en haut à gauche", "en haut", "en haut à droite"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpritesParams:
    """What can be chosen."""

    n: Annotated[
        int, Knob(100, 20_000, "log", live=False, label=_("Pictures"), help=_("How many shapes are drawn."))
    ] = 5000
    ground: Annotated[
        str,
        Choice(
            {"mixed": _("mixed"), "plain": _("plain"), "textured": _("textured")},
            live=False,
            label=_("Ground"),
            help=_("What lies behind the shape: one tint, faint patterns, or now one, now the other."),
        ),
    ] = "mixed"


def load(request: Request) -> Dataset:
    """(N, 3, 32, 32) in 0..1, with captions. Class: the shape."""
    import torch

    params: SpritesParams = request.params
    found = traits(params.n, request.seed, ground=params.ground)
    key = [VERSION, request.seed, params.n, params.ground]
    kept = cache.remember("sprites", key, lambda: {"x": draw(found, request.seed, request.tell)})
    factors = tuple(
        Factor(name, title, torch.from_numpy(found[name]), low, high, unit)
        for name, (title, low, high, unit) in TRAITS.items()
    )
    x, y = torch.from_numpy(kept["x"]).float() / 255, torch.from_numpy(found["shape"]).long()
    return Dataset(
        "sprites", "images", x, y, names=SHAPES, total=params.n, factors=factors, captions=captions(found)
    )


def traits(n: int, seed: int, *, ground: str = "mixed") -> Traits:
    """The traits of ``n`` pictures, each drawn without regard to the others."""
    import numpy as np

    rng = np.random.default_rng(seed)
    found = {name: rng.uniform(low, high, n) for name, (_title, low, high, _unit) in TRAITS.items()}
    for name, count in (("shape", len(SHAPES)), ("colour", len(COLOURS))):
        found[name] = rng.integers(0, count, n).astype(np.float64)
    share = {"plain": 0.0, "mixed": 0.5, "textured": 1.0}[ground]
    found["textured"] = (found["textured"] < share).astype(np.float64)
    return {name: values.astype(np.float32) for name, values in found.items()}


def captions(found: Traits) -> dict[str, tuple[str, ...]]:
    """What each picture shows, in English and French: "a big red square on the left"."""
    import numpy as np

    names = tuple(COLOURS)
    shape, colour = found["shape"].astype(int).tolist(), found["colour"].astype(int).tolist()
    size = np.digitize(found["size"], (SMALL, BIG)).tolist()
    column, row = (np.digitize(found[name], (-ASIDE, ASIDE)).tolist() for name in ("x", "y"))
    english, french = [], []
    for s, c, z, i, j in zip(shape, colour, size, column, row, strict=True):
        english.append(f"a {_SIZES[z]} {names[c]} {_NOUNS[s]} {_PLACES[j][i]}")
        noun, female = _FRENCH_NOUNS[s]
        before = (("petit ", "petite "), ("", ""), ("grand ", "grande "))[z][female]
        after = ("", " de taille moyenne", "")[z]
        tint = _FRENCH_COLOURS[names[c]][female]
        french.append(f"{('un', 'une')[female]} {before}{noun} {tint}{after} {_FRENCH_PLACES[j][i]}")
    return {"en": tuple(english), "fr": tuple(french)}


def draw(found: Traits, seed: int = 0, tell: Callable[[float], None] = nothing) -> NDArray[np.uint8]:
    """Pictures (N, 3, 32, 32) in 0..255. seed: of what is not a trait, the ground and the shades."""
    import numpy as np

    from engine.data import raster

    n = len(found["shape"])
    rng = np.random.default_rng((seed, 1))
    # The ground is light, of any tint; colours of one name differ a little.
    tints = 0.90 + rng.uniform(-0.05, 0.05, (n, 1)) + rng.uniform(-0.025, 0.025, (n, 3))
    shades = rng.uniform(-0.04, 0.04, (n, 3)) + rng.uniform(-0.03, 0.03, (n, 1))
    patterns = rng.uniform(0, 1, (n, 5)).astype(np.float32)
    colours = np.array(list(COLOURS.values()))[found["colour"].astype(int)] + shades  # (N, 3)
    pictures = np.empty((n, 3, SIZE, SIZE), np.uint8)
    x, y = raster.grid(SIZE)
    order = np.argsort(found["shape"], kind="stable")  # shapes of one kind are drawn together
    for some in raster.blocks(n, tell):
        for shape in np.unique(found["shape"][order[some]]):
            which = order[some][found["shape"][order[some]] == shape]
            canvas = np.empty((len(which), 3, SIZE, SIZE), np.float32)
            canvas[:] = tints[which][:, :, None, None]
            texture = raster.each(found["textured"][which]) * _texture(x, y, patterns[which])
            canvas += texture[:, None]
            place = {name: raster.each(found[name][which]) for name in ("x", "y", "size", "rotation")}
            distance = _distance(int(shape), x * (SIZE / 2), y * (SIZE / 2), **place)
            raster.paint(canvas, raster.cover(distance, 1.0), colours[which].astype(np.float32).clip(0, 1))
            pictures[which] = raster.bytes_of(canvas)
    return pictures


def _texture(x: Array, y: Array, pattern: Array) -> Array:
    """Faint stripes, checks or dots, (B, H, W) around 0. pattern: (B, 5) in 0..1: kind, angle, scale and two
    phases.
    """
    import numpy as np

    kind, angle, scale, across, along = (pattern[:, i, None, None] for i in range(5))
    turn, wave = np.pi * angle, 9 + 9 * scale
    u = wave * (x * np.cos(turn) + y * np.sin(turn)) + 6.28 * across
    v = wave * (y * np.cos(turn) - x * np.sin(turn)) + 6.28 * along
    a, b = np.sin(u), np.sin(v)
    mixed = np.where(kind < 1 / 3, a, np.where(kind < 2 / 3, np.clip(2 * a * b, -1, 1), a + b - 0.5))
    faint: Array = (0.045 * mixed).astype(np.float32)
    return faint


def _distance(shape: int, px: Array, py: Array, x: Array, y: Array, size: Array, rotation: Array) -> Array:
    """To the edge of a shape in pixels, negative inside: (B, H, W). px, py: the pixels, from the middle."""
    import numpy as np

    from engine.data import raster

    dx, dy = px - REACH * x, py + REACH * y
    angle = np.deg2rad(rotation)
    # In units of the shape, upright: x to the right, y down.
    u = (dx * np.cos(angle) - dy * np.sin(angle)) / size
    v = (dx * np.sin(angle) + dy * np.cos(angle)) / size
    if shape == 0:
        away = raster.length(u, v) - 0.95
    elif shape == 1:
        away = raster.box(u, v, 0.80, 0.80)
    elif shape == 2:
        away = raster.polygon(u, v, _ring_of(3, 1.06) + np.array([0, 0.08]))
    elif shape == 3:
        corners = np.empty((10, 2))
        corners[0::2], corners[1::2] = _ring_of(5, 1.12), -_ring_of(5, 0.47)[[3, 4, 0, 1, 2]]
        away = raster.polygon(u, v, corners)
    elif shape == 4:
        away = np.abs(raster.length(u, v) - 0.72) - 0.25
    else:
        away = np.minimum(raster.box(u, v, 1.0, 0.33), raster.box(u, v, 0.33, 1.0))
    return (away * size).astype(np.float32)


def _ring_of(corners: int, radius: float) -> NDArray[np.float64]:
    """Places on a circle, the first on top, clockwise: (corners, 2)."""
    import numpy as np

    angle = np.arange(corners) * (2 * np.pi / corners)
    return radius * np.stack([np.sin(angle), -np.cos(angle)], axis=1)


SOURCES: tuple[Source, ...] = (
    Source(
        "sprites",
        _("Shapes"),
        _("One coloured shape, 32 × 32, somewhere on a quiet ground, with a sentence about it."),
        "images",
        load,
        params_class=SpritesParams,
        credit=_("Drawn by Latentarium; free to use."),
    ),
)
