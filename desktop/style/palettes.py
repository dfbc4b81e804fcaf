"""Colour tables: 256 steps of red, green and blue for fields and points, and for signed values."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from desktop.style.tokens import DARK, LIGHT

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Seventeen evenly spaced colours of each map; between them a straight line is right to within 7 of 255.
_VIRIDIS = (
    "440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26828e 21918c 1f9f88 27ad81 3dbc74 5cc863 81d34d "
    "aadc32 d5e21a fde725"
)
_CIVIDIS = (
    "00204d 002c69 06366e 2d426c 414d6b 52596c 61646f 6f7073 7d7c78 8b8779 9b9477 aca174 bcaf6f cebc68 "
    "e0cb5e f2da50 ffea46"
)
# Blue, ground, orange: told apart with every common colour blindness, equally strong on both sides of zero.
_BLUES_LIGHT, _ORANGES_LIGHT = "053a75 1668b5 5c9fd8 b3d3ee", "fcd9b0 f2a04e d26a0c 8a3f00"
_BLUES_DARK, _ORANGES_DARK = "a9d6ff 5fb0f5 2b78bd 1d4468", "6b4015 b86c1a f39a36 ffd3a1"
# A map that lies under points: from the plot's ground to a colour on which every class can still be seen.
_MAP_LIGHT, _MAP_DARK = (
    "eaf4dc c9e6cd a1d3cb 7fbfcd 6aa9cd 6093c6",
    "152238 1b3a57 1f566a 2a7270 458c6c 7ba65f",
)


def _table(colours: str, first: int = 0) -> NDArray[np.uint8]:
    """Straight lines between evenly spaced hexadecimal colours, from row ``first`` to the last; (256, 3)."""
    points = np.array([list(bytes.fromhex(colour)) for colour in colours.split()], np.float64)
    places = np.linspace(first, 255, len(points))
    columns = [np.interp(np.arange(256), places, points[:, channel]) for channel in range(3)]
    table = np.round(np.stack(columns, axis=1)).astype(np.uint8)
    table.flags.writeable = False
    return table


@cache
def viridis() -> NDArray[np.uint8]:
    """Dark violet to yellow, evenly brighter."""
    return _table(_VIRIDIS)


@cache
def cividis() -> NDArray[np.uint8]:
    """Dark blue to yellow; the same for colour-blind eyes."""
    return _table(_CIVIDIS)


@cache
def signed(dark: bool) -> NDArray[np.uint8]:
    """Blue for −1 (row 1), the plot's ground for 0 (row 128), orange for +1 (row 255)."""
    ground = (DARK if dark else LIGHT).plot.removeprefix("#")
    blues, oranges = (_BLUES_DARK, _ORANGES_DARK) if dark else (_BLUES_LIGHT, _ORANGES_LIGHT)
    return _table(f"{blues} {ground} {oranges}", first=1)


@cache
def ramp(dark: bool) -> NDArray[np.uint8]:
    """For points coloured by a number: viridis, kept away from the plot's ground at the end that is near it
    (yellow on white, violet on black).
    """
    share = np.linspace(0, 1, 256)[:, None]
    colours = viridis() / 255.0
    colours = colours + (1 - colours) * 0.36 * (1 - share) ** 2 if dark else colours * (1 - 0.24 * share**2)
    table = np.round(255 * colours).astype(np.uint8)
    table.flags.writeable = False
    return table


@cache
def under(dark: bool) -> NDArray[np.uint8]:
    """For a map under points: the plot's ground where there is nothing, blue or green where there is most."""
    ground = (DARK if dark else LIGHT).plot.removeprefix("#")
    return _table(f"{ground} {_MAP_DARK if dark else _MAP_LIGHT}")


@cache
def signed_under(dark: bool) -> NDArray[np.uint8]:
    """``signed`` for a map under points: nearer to the ground everywhere."""
    ground = np.array(list(bytes.fromhex((DARK if dark else LIGHT).plot.removeprefix("#"))))
    mixed = np.round(ground + 0.62 * (signed(dark) - ground.astype(float)))
    table: NDArray[np.uint8] = mixed.astype(np.uint8)
    table.flags.writeable = False
    return table
