"""Digits and capital letters as if written by hand, with everything about each of them known.

They are drawn by :mod:`engine.data.hand` from the strokes of :mod:`engine.data.glyphs`, and sized and centred
as those of MNIST, so that a model that has learned here reads real handwriting too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from engine.core.params import Choice, Knob
from engine.core.text import _
from engine.data import cache, glyphs
from engine.data.registry import Dataset, Factor, Request, Source

VERSION = 1
"""To be raised when the same request gives other pictures: those in the cache count no longer."""

ALPHABETS = {
    "digits": "".join(glyphs.DIGITS),
    "letters": "".join(glyphs.LETTERS),
    "both": "".join(glyphs.DIGITS | glyphs.LETTERS),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PenParams:
    """What can be chosen."""

    n: Annotated[
        int, Knob(100, 60_000, "log", live=False, label=_("Pictures"), help=_("How many are written."))
    ] = 5000
    alphabet: Annotated[
        str,
        Choice(
            {"digits": _("digits"), "letters": _("capital letters"), "both": _("digits and letters")},
            live=False,
            label=_("Alphabet"),
            help=_("What is written."),
        ),
    ] = "digits"


def load(request: Request) -> Dataset:
    """Glyphs in white on black, (N, 1, 28, 28) in 0..1, as many of each class as of any other."""
    import numpy as np
    import torch

    from engine.data import hand

    p: PenParams = request.params
    glyphs_used = ALPHABETS[p.alphabet]

    def make() -> dict[str, np.ndarray]:
        order = np.random.default_rng([request.seed, 1])
        y = order.permutation(np.arange(p.n) % len(glyphs_used))  # (N,)
        pictures, style, way = hand.draw(glyphs_used, y, request.seed, request.tell)
        return {"x": pictures, "y": y, "way": way} | {name: getattr(style, name) for name in hand.RANGES}

    arrays = cache.remember("pen", [VERSION, request.seed, p.n, p.alphabet], make)
    units = {"slant": "°", "thickness": "px", "width": "", "curvature": "", "jitter": "%"}
    titles = {
        "slant": _("slant"),
        "thickness": _("thickness of the line"),
        "width": _("width of the glyph"),
        "curvature": _("roundness of the curves"),
        "jitter": _("carelessness"),
    }
    factors = [
        Factor(name, titles[name], torch.from_numpy(arrays[name]), *hand.RANGES[name], units[name])
        for name in hand.RANGES
    ]
    most = max(len(ways) for ways in (glyphs.DIGITS | glyphs.LETTERS).values())
    way = torch.from_numpy(arrays["way"]).float()
    factors.append(Factor("way", _("way of writing it"), way, 0, most - 1))
    return Dataset(
        "pen",
        "images",
        torch.from_numpy(arrays["x"])[:, None].float() / 255,
        torch.from_numpy(arrays["y"]),
        names=tuple(glyphs_used),
        total=p.n,
        factors=tuple(factors),
    )


SOURCES: tuple[Source, ...] = (
    Source(
        "pen",
        _("Pen"),
        _("Digits or capital letters, 28 × 28, written by a generated hand."),
        "images",
        load,
        params_class=PenParams,
        credit=_("Made here from strokes; free to use."),
    ),
)
