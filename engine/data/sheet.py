"""A data set at a glance: one picture of many of its items, for the documentation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from engine.data.registry import Dataset, as_picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZE = 1000
"""Width and height of a sheet of points or of signals, in pixels; one of pictures may be a little smaller."""
GAP = 2
"""Between two pictures, in pixels."""
PAPER, GREY, INK = (255, 255, 255), (224, 224, 224), (0, 90, 150)
OKABE_ITO = (
    (0, 0, 0), (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0),
    (204, 121, 167),
)  # fmt: skip
"""Colours that nobody confuses."""


def contact_sheet(data: Dataset, n: int = 100) -> Image.Image:
    """``n`` pictures or signals in a square grid, those of one class together; all points as a scatter."""
    if data.kind == "points":
        return _scatter(data)
    which = _some(data, n)
    columns = math.ceil(math.sqrt(len(which)))
    cell = SIZE // columns
    rows = math.ceil(len(which) / columns)
    sheet = Image.new("RGB", (columns * cell, rows * cell), GREY)
    for place, index in enumerate(which):
        item = data.x[index].numpy()
        tile = _line(item, cell - GAP) if data.kind == "signals" else _picture(item, cell - GAP)
        sheet.paste(tile, (place % columns * cell, place // columns * cell))
    return sheet


def _some(data: Dataset, n: int) -> list[int]:
    """The first items, by class where there are classes, the same number of each."""
    count = min(n, len(data.x))
    if data.y is None or not data.names:
        return list(range(count))
    y = data.y.numpy()
    of_class = [np.flatnonzero(y == c).tolist() for c in range(len(data.names))]
    turns = [(turn, c) for turn in range(count) for c in range(len(of_class)) if turn < len(of_class[c])]
    return [of_class[c][turn] for c, turn in sorted((c, turn) for turn, c in turns[:count])]


def _picture(item: NDArray[np.float32], side: int) -> Image.Image:
    """(C, H, W) in 0..1 -> a square of ``side`` pixels, every pixel of it still a pixel."""
    pixels = np.rint(255 * as_picture(item)).astype(np.uint8)
    return Image.fromarray(pixels).convert("RGB").resize((side, side), Image.Resampling.NEAREST)


def _line(item: NDArray[np.float32], side: int) -> Image.Image:
    """(T,) in −1..1 -> a curve on white, ``side`` pixels wide and high."""
    tile = Image.new("RGB", (side, side), PAPER)
    x = np.linspace(1, side - 2, item.size)
    y = (1 - item.reshape(-1).clip(-1, 1)) / 2 * (side - 3) + 1
    ImageDraw.Draw(tile).line(list(zip(x.tolist(), y.tolist(), strict=True)), fill=INK, width=1)
    return tile


def _scatter(data: Dataset, most: int = 20_000) -> Image.Image:
    """Points (N, D) in the colours of their classes; those in space as they are seen from a little above."""
    from engine.parts import camera

    x = camera.flat(data.x[:most]).numpy()  # (N, 2)
    y = np.zeros(len(x), np.int64) if data.y is None else data.y[:most].numpy()
    middle, half = (x.min(0) + x.max(0)) / 2, max(float(np.ptp(x, axis=0).max()), 1e-9) / 2
    at = (SIZE / 2 + (x - middle) * (1, -1) * 0.47 * SIZE / half).tolist()  # y runs down in a picture
    sheet = Image.new("RGB", (SIZE, SIZE), PAPER)
    draw, r = ImageDraw.Draw(sheet), 3.0 if len(x) <= 5000 else 1.0
    for (across, down), label in zip(at, y.tolist(), strict=True):
        draw.ellipse((across - r, down - r, across + r, down + r), fill=OKABE_ITO[label % len(OKABE_ITO)])
    return sheet
