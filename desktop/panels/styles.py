"""What each point of a cloud looks like: a row in a table of colours, and a shape.

The table begins with three kinds of rows that are always there (out of the selection, without a label, one
for each label). What needs more colours adds its own rows: blends of two labels, or the steps of a ramp.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor

from desktop.style import palettes
from desktop.style.tokens import look

FADED, PLAIN, FIRST = 0, 1, 2
"""Styles of a point: out of the selection, without a label, and from there on one per label."""
STYLES = 40
"""Ten colours in four shapes; then they repeat."""
MORE = FIRST + STYLES
"""Where the rows begin that only some clouds need."""
FEW, MANY = 30, 300
"""Up to so few points dots stay large in a small picture; from so many on they shrink with it."""
SMALL = 40_000.0
"""In fewer pixels even few dots shrink."""
SHARES = 8
"""Steps from one label's colour to another's."""
STEPS, COARSE_STEPS = 64, 13
"""Steps of a ramp, and of one in a splatted cloud, which knows 15 colours."""


def dot_radius(n: int, area: float) -> float:
    """How large each of ``n`` points is drawn where there are ``area`` pixels for all.

    Fewer points are larger, and so are those of a large picture. In projector mode they are 8 pixels wide
    where up to 5,000 of them have room for that.
    """
    crowd = min(max(math.log(max(n, 1) / FEW) / math.log(MANY / FEW), 0.0), 1.0)
    least = (0.75 - crowd * 0.25) * min(math.sqrt(area / SMALL), 1.0)
    room = min(max(math.sqrt(area / 350_000), least) / look.factor**0.5, 1.25)
    radius: float = min(max(4.6 * (300 / max(n, 1)) ** 0.22, 0.8), 5.2) * room * look.factor
    if look.projector and 0 < n <= 5000:
        radius = max(radius, min(4.2, math.sqrt(0.06 * area / n)))
    return radius


def halo_width(radius: float) -> float:
    """The rim of a dot, thinner around a small one: clumps of points are to be seen."""
    return round(min(max(0.5 * (radius - 1.4), 0.2), 0.9), 1)


@dataclass(slots=True, eq=False)
class Styles:
    """The looks of N points.

    row: (N,) uint8 or uint16, row of ``colours`` (C, 3). shape: (N,) 0..3, or None when all are discs. code:
    (N,) uint8, the row of ``coarse`` (at most 15, 3) plus 1, for a splatted cloud.
    """

    row: NDArray[np.uint8] | NDArray[np.uint16]
    colours: NDArray[np.float64]
    code: NDArray[np.uint8]
    coarse: NDArray[np.float64]
    shape: NDArray[np.intp] | None = None

    def fade(self, faded: NDArray[np.bool_]) -> None:
        """Those points are out of the selection."""
        self.row[faded] = FADED
        self.code[faded] = FADED + 1


def by_label(label: NDArray[np.int32] | None, n: int) -> Styles:
    """Every label in its colour and shape; None: all alike."""
    c = look.colours
    colours = _base(c.faded, c.accent if label is None else c.quiet, look.classes)
    if label is None or n == 0:
        row = np.full(n, PLAIN, np.uint8)
    elif label.max() < STYLES and label.min() >= -1:
        row = (label + FIRST).astype(np.uint8)
    else:
        row = np.where(label < 0, PLAIN, FIRST + label % STYLES).astype(np.uint8)
    shape = None
    if n and int(row.max()) >= FIRST + 10:
        shape = np.maximum(row.astype(np.intp) - FIRST, 0) // 10
    code = np.take(_CODES, row)  # a splatted pixel has no shape
    return Styles(row, colours, code, colours[: FIRST + 10], shape)


def by_share(label: NDArray[np.int32], other: NDArray[np.int32], share: NDArray[np.float32]) -> Styles:
    """Every point in a blend of two labels' colours: share · colour(label) + (1 − share) · colour(other).

    Only the blends that occur get a row. A splatted cloud shows the first label alone.
    """
    styles = by_label(label, len(label))
    part = np.round(np.clip(np.nan_to_num(share, nan=1.0), 0, 1) * SHARES).astype(np.intp)  # (N,)
    both = (label >= 0) & (other >= 0) & (label != other) & (part < SHARES)
    key = (label[both] % STYLES * STYLES + other[both] % STYLES) * SHARES + part[both]
    used = np.zeros(STYLES * STYLES * SHARES, bool)
    used[key] = True
    keys = np.flatnonzero(used)  # (B,)
    first, rest = np.divmod(keys, STYLES * SHARES)
    second, part = np.divmod(rest, SHARES)
    mix = (part / SHARES)[:, None]
    base = styles.colours
    styles.colours = np.concatenate([base, mix * base[FIRST + first] + (1 - mix) * base[FIRST + second]])
    styles.row = styles.row.astype(np.uint16)
    styles.row[both] = (MORE - 1 + np.cumsum(used))[key]
    return styles


def by_value(value: NDArray[np.floating], limits: tuple[float, float]) -> Styles:
    """Every point at its step of a ramp between ``limits``; what is not a number is plain."""
    c = look.colours
    where = shares(value, limits)  # (N,)
    known = np.isfinite(where)
    where = np.where(known, where, 0)
    row = np.where(known, MORE + np.round(where * (STEPS - 1)), PLAIN).astype(np.uint8)
    code = np.where(known, FIRST + 1 + np.round(where * (COARSE_STEPS - 1)), PLAIN + 1).astype(np.uint8)
    base = _base(c.faded, c.quiet, look.classes)
    ramp = palettes.ramp(look.dark) / 255.0
    fine, few = (ramp[np.linspace(0, 255, steps).round().astype(int)] for steps in (STEPS, COARSE_STEPS))
    return Styles(row, np.concatenate([base, fine]), code, np.concatenate([base[:FIRST], few]))


def shares(value: NDArray[np.floating], limits: tuple[float, float]) -> NDArray[np.float64]:
    """How far each value lies from the lower to the upper limit, 0..1; NaN where it is none."""
    low, high = limits
    with np.errstate(all="ignore"):
        where = (np.asarray(value, np.float64) - low) / (high - low) if high > low else value * 0.0 + 0.5
        return np.where(np.isnan(value), np.nan, np.clip(where, 0, 1))


_CODES = np.array([FADED + 1, PLAIN + 1, *(FIRST + 1 + k % 10 for k in range(STYLES))], np.uint8)
"""The code of every row that is always there: one for each colour."""


@lru_cache(maxsize=8)
def _base(faded: str, plain: str, classes: tuple[str, ...]) -> NDArray[np.float64]:
    """Made once for each theme: it takes longer than drawing a thousand points."""
    names = (faded, plain, *(classes[i % 10 % len(classes)] for i in range(STYLES)))
    colours = np.array([rgb(QColor(name)) for name in names])
    colours.flags.writeable = False
    return colours


def rgb(colour: QColor) -> NDArray[np.float64]:
    """(3,) red, green and blue in 0..1."""
    return np.array([colour.redF(), colour.greenF(), colour.blueF()])
