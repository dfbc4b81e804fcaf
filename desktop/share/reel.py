"""Moving pictures as files, written while they are being made: GIF, which plays everywhere, and WebP, which
keeps every colour.

Only one picture is held at a time (and, for the palette of a GIF, a few small samples). Everything here runs
on a worker thread and knows nothing of Qt.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.GifImagePlugin import getdata

Pixels = NDArray[np.uint8]
"""(H, W, 3)"""
Shots = Iterator[tuple[Pixels, int]]
"""Pictures of one size, and how many milliseconds each is seen."""

TICK = 10
"""Milliseconds: a GIF counts in hundredths of a second."""
EXACT = 96
"""So many of the commonest colours (paper, letters, lines, classes) are kept exactly; the rest of the palette
goes to shades.
"""
CLEAR = 255
"""The palette's index that stands for “as before”."""
SELDOM = 9999
"""Pictures between two whole ones of a WebP; the others hold only what is new."""


# ── GIF ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Palette:
    """255 colours for a whole film. One colour is always written as the same one: nothing flickers."""

    def __init__(self, samples: Sequence[Pixels]) -> None:
        """samples: some of the pictures, the first and the last among them."""
        packed = np.concatenate([_packed(sample).ravel() for sample in samples])
        colours, counts = np.unique(packed, return_counts=True)
        order = np.argsort(counts, kind="stable")[::-1]
        colours, counts = colours[order], counts[order]
        if len(colours) > CLEAR:
            shades = _shades(colours[EXACT:], counts[EXACT:], CLEAR - EXACT)
            colours = np.concatenate((colours[:EXACT], shades))
        self.colours = _unpacked(colours)  # (K, 3), the commonest first
        self._index = np.full(1 << 18, -1, np.int16)  # of each cell of 4 × 4 × 4 colours, as they turn up
        indices = np.arange(len(colours), dtype=np.int16)[::-1]  # of two colours the commoner has the cell
        self._index[_cells(self.colours)[indices]] = indices

    def write(self, pixels: Pixels) -> Pixels:
        """(H, W) the index of the colour of each."""
        cells = _cells(pixels)
        new = np.unique(cells[self._index[cells] < 0])
        if len(new):
            self._index[new] = self._nearest(new)
        return self._index[cells].astype(np.uint8)

    def _nearest(self, cells: NDArray[np.int32]) -> NDArray[np.int16]:
        """The palette's nearest colour for the middle of each cell; the eye minds green most, then red."""
        middle = np.stack((cells >> 12, cells >> 6 & 63, cells & 63), axis=1).astype(np.float32) * 4 + 1.5
        weight = np.sqrt(np.array((2, 4, 3), np.float32))
        colours = self.colours * weight
        found = np.empty(len(cells), np.int16)
        for at in range(0, len(cells), 4096):
            part = middle[at : at + 4096] * weight
            apart = (colours**2).sum(1) - 2 * part @ colours.T  # (cells, K), but for |part|²
            found[at : at + 4096] = apart.argmin(1)
        return found


def _packed(pixels: Pixels) -> NDArray[np.uint32]:
    rgb = pixels.astype(np.uint32)
    return np.asarray(rgb[..., 0] << 16 | rgb[..., 1] << 8 | rgb[..., 2], np.uint32)


def _unpacked(packed: NDArray[np.uint32]) -> Pixels:
    return np.stack((packed >> 16, packed >> 8 & 255, packed & 255), axis=-1).astype(np.uint8)


def _cells(pixels: Pixels) -> NDArray[np.int32]:
    fine = (pixels >> 2).astype(np.int32)
    cells: NDArray[np.int32] = fine[..., 0] << 12 | fine[..., 1] << 6 | fine[..., 2]
    return cells


def _shades(colours: NDArray[np.uint32], counts: NDArray[np.int64], size: int) -> NDArray[np.uint32]:
    """At most ``size`` colours that stand for all of these. A shade seen a hundred times as often weighs ten
    times as much.
    """
    weights = np.sqrt(counts)
    repeats = np.maximum(1, (weights * (200_000 / max(weights.sum(), 1.0))).astype(np.int64))
    pixels = _unpacked(np.repeat(colours, repeats))[None]  # (1, many, 3)
    image = Image.fromarray(pixels).quantize(size, Image.Quantize.MEDIANCUT, kmeans=2)
    return _packed(np.array(image.getpalette(), np.uint8).reshape(-1, 3)[:size])


def write_gif(file: IO[bytes], shots: Shots) -> None:
    """An endless GIF. Pictures of 0 milliseconds come first; they are samples for the palette."""
    samples: list[Pixels] = []
    palette: Palette | None = None
    shown: Pixels | None = None
    waiting: tuple[Pixels, tuple[int, int]] | None = None  # written once it is known how long it lasts
    lasts = 0
    for pixels, milliseconds in shots:
        if not milliseconds:
            samples.append(pixels)
            continue
        if palette is None:
            palette, samples = Palette(samples), []
            _write_head(file, pixels, palette)
        index = palette.write(pixels)
        part = _changed(shown, index)
        if part is not None:
            if waiting is not None:
                _write_part(file, *waiting, lasts)
            waiting, shown, lasts = part, index, 0
        lasts += milliseconds
    if waiting is not None:
        _write_part(file, *waiting, lasts)
    file.write(b";")


def _write_head(file: IO[bytes], pixels: Pixels, palette: Palette) -> None:
    """Size, a table of 256 colours, and “again and again” (an extension that Netscape invented)."""
    height, width = pixels.shape[:2]
    table = np.zeros((256, 3), np.uint8)
    table[: len(palette.colours)] = palette.colours
    file.write(b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF7, 0, 0) + table.tobytes())
    file.write(b"!\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00")


def _changed(before: Pixels | None, now: Pixels) -> tuple[Pixels, tuple[int, int]] | None:
    """The smallest part of ``now`` that differs from ``before``, clear where it does not, and its corner;
    None when nothing does.
    """
    if before is None:
        return now, (0, 0)
    differs = before != now
    if not differs.any():
        return None
    rows, columns = np.flatnonzero(differs.any(1)), np.flatnonzero(differs.any(0))
    y0, y1, x0, x1 = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    return np.where(differs, now, CLEAR)[y0:y1, x0:x1], (int(x0), int(y0))


def _write_part(file: IO[bytes], index: Pixels, corner: tuple[int, int], milliseconds: int) -> None:
    image = Image.fromarray(np.ascontiguousarray(index), "P")
    duration = max(round(milliseconds / TICK), 2) * TICK  # browsers show what is shorter too slowly
    for piece in getdata(image, corner, duration=duration, transparency=CLEAR, disposal=1):
        file.write(piece)


# ── WebP ────────────────────────────────────────────────────────────────────────────────────────────────────


class _Strip(Image.Image):
    """What Pillow takes for an image with ``n_frames`` pictures, each made when it is wanted."""

    def __init__(self, shots: Shots, n_frames: int) -> None:
        super().__init__()
        self._shots, self.n_frames = shots, n_frames
        self.durations: list[int] = []
        self._at = -1
        self.seek(0)

    def seek(self, frame: int) -> None:
        while self._at < min(frame, self.n_frames - 1):
            self._at += 1
            pixels, milliseconds = next(self._shots)
            image = Image.fromarray(pixels)
            self.im, self._mode, self._size = image.im, image.mode, image.size
            self.durations.append(milliseconds)

    def tell(self) -> int:
        return self._at


def write_webp(file: IO[bytes], shots: Shots, count: int) -> None:
    """An endless animated WebP of ``count`` pictures, each pixel as it is. quality: how hard it looks for a
    short way of saying so.
    """
    strip = _Strip(shots, count)
    strip.save(
        file, "WEBP", save_all=True, duration=strip.durations, loop=0,
        lossless=True, quality=20, method=2, kmin=SELDOM, kmax=SELDOM + 1,
    )  # fmt: skip
