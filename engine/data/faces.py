"""Cartoon faces whose every trait is known: which way the head turns, how it feels, what it looks like.

The head is an ellipsoid. Each pixel on it is turned back into the head's own space, where eyes, brows, mouth
and hairline stand still; so a turning head shifts and foreshortens them as a real one does. Nose, ears and
bun are put at places in space and projected.
"""

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

    Traits = dict[str, NDArray[np.float32]]
    """The name of each trait to its values, (N,)."""

VERSION = 4
"""Of the drawings; pictures kept by another are not used."""

TRAITS: dict[str, tuple[Text, float, float, str]] = {
    "yaw": (_("Head turned"), -36, 36, "°"),  # below 0 to the left of the picture, above 0 to the right
    "pitch": (_("Head raised"), -15, 15, "°"),  # below 0 looking down, above 0 up
    "smile": (_("Smile"), -1, 1, ""),  # the corners of the mouth from far down to far up
    "eyes": (_("Eyes open"), 0, 1, ""),
    "brow": (_("Brows"), -1, 1, ""),  # from angry to surprised
    "skin": (_("Skin"), 0, 1, ""),  # from fair to dark
    "style": (_("Hair style"), 0, 4, ""),  # number in STYLES
    "length": (_("Hair length"), 0, 1, ""),
    "colour": (_("Hair colour"), 0, 1, ""),  # from black over brown and red to blond
    "glasses": (_("Glasses"), 0, 1, ""),  # 0 without, 1 with
}
"""Title, least and greatest value and unit of each."""
STYLES: tuple[Text, ...] = (_("bald"), _("short"), _("long"), _("curly"), _("bun"))
EMOTIONS: tuple[Text, ...] = (_("sad"), _("neutral"), _("happy"))
CALM = 1 / 3
"""A smile weaker than this either way counts as neutral."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FacesParams:
    """What can be chosen."""

    n: Annotated[
        int, Knob(100, 20_000, "log", live=False, label=_("Pictures"), help=_("How many faces are drawn."))
    ] = 5000
    people: Annotated[
        str,
        Choice(
            {"many": _("many people"), "one": _("one person")},
            live=False,
            label=_("Who"),
            help=_("One person keeps skin and hair, so that only pose and mood are left to learn."),
        ),
    ] = "many"
    moves: Annotated[
        str,
        Choice(
            {"all": _("everything"), "two": _("turn and smile")},
            live=False,
            label=_("What moves"),
            help=_("Everything, or only the turning of the head and the smile, which are learned soonest."),
        ),
    ] = "all"
    classes: Annotated[
        str,
        Choice(
            {"hair": _("hair style"), "mood": _("mood")},
            live=False,
            label=_("Classes"),
            help=_("By what the faces are told apart; those of one person always by their mood."),
        ),
    ] = "hair"
    glasses: Annotated[
        float,
        Knob(0, 1, live=False, label=_("Glasses"), help=_("The share of the faces that wear glasses.")),
    ] = 0.0


def load(request: Request) -> Dataset:
    """(N, 3, 48, 48) in 0..1. Class: the hair style, or sad, neutral and happy by the smile."""
    import numpy as np
    import torch

    params: FacesParams = request.params
    found = traits(params.n, request.seed, people=params.people, moves=params.moves, glasses=params.glasses)
    key = [VERSION, request.seed, params.n, params.people, params.moves, params.glasses]
    kept = cache.remember("faces", key, lambda: {"x": draw(found, request.tell)})
    names, y = STYLES, found["style"]
    if params.classes == "mood" or params.people == "one":
        names, y = EMOTIONS, np.digitize(found["smile"], (-CALM, CALM)).astype(np.float32)
    factors = tuple(
        Factor(name, title, torch.from_numpy(found[name]), low, high, unit)
        for name, (title, low, high, unit) in TRAITS.items()
    )
    return Dataset(
        "faces", "images", torch.from_numpy(kept["x"]).float() / 255, torch.from_numpy(y).long(),
        names=names, total=params.n, factors=factors,
    )  # fmt: skip


def traits(n: int, seed: int, *, people: str = "many", moves: str = "all", glasses: float = 0.0) -> Traits:
    """The traits of ``n`` faces, each drawn without regard to the others."""
    import numpy as np

    rng = np.random.default_rng(seed)
    found = {name: rng.uniform(low, high, n) for name, (_title, low, high, _unit) in TRAITS.items()}
    found["style"] = rng.integers(0, len(STYLES), n).astype(np.float64)
    found["glasses"] = (found["glasses"] < glasses).astype(np.float64)
    if moves == "two":  # and turns less far, so that the mouth stays in sight
        found["yaw"] *= 0.6
        found |= {name: np.full(n, v) for name, v in (("pitch", 0.0), ("eyes", 0.8), ("brow", 0.2))}
    if people == "one":
        found |= {name: np.full(n, v) for name, v in
                  (("skin", 0.3), ("style", 1.0), ("length", 0.5), ("colour", 0.35))}  # fmt: skip
    return {name: values.astype(np.float32) for name, values in found.items()}


def draw(found: Traits, tell: Callable[[float], None] = nothing) -> NDArray[np.uint8]:
    """Pictures (N, 3, 48, 48) of faces with those traits, in 0..255."""
    import numpy as np

    from engine.data import portrait, raster

    # Alike heads together: each feature then lies in a small part of the block.
    order = np.lexsort((found["yaw"], found["style"]))
    pictures = np.empty((len(order), 3, portrait.SIZE, portrait.SIZE), np.uint8)
    for some in raster.blocks(len(order), tell):
        for style in np.unique(found["style"][order[some]]):
            which = order[some][found["style"][order[some]] == style]
            traits = {name: values[which] for name, values in found.items()}
            pictures[which] = raster.bytes_of(portrait.draw(traits, int(style)))
    return pictures


SOURCES: tuple[Source, ...] = (
    Source(
        "faces",
        _("Faces"),
        _("Cartoon faces 48 × 48 that turn their heads and show their mood."),
        "images",
        load,
        params_class=FacesParams,
        credit=_("Drawn by Latentarium; free to use."),
    ),
)
