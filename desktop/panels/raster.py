"""A cloud of points as one picture, by NumPy alone.

Two ways of drawing, chosen by how much there is to write (CPU time per frame of 900×700, 2-core machine):

- ``Raster.discs``: every point is a round dot with soft edges at a quarter of a pixel, one gather and one scatter of
  (N, K) pixels, 5,000 points in 3 ms. It looks like QPainter's antialiasing and is 10 to 20 times faster.
- ``Raster.splat``: every point is one pixel, then the *picture* is widened and softened, so that the cost no longer
  depends on the size of a dot: 1,000,000 points in 9 ms. How many points share a pixel deepens its colour.

Both write into the same padded picture: points outside the view are clamped into the padding, where nobody sees them,
which is cheaper than finding them first. NaN ends up there too, because ``fmin``/``fmax`` prefer the number.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.intp]
Bytes = NDArray[np.uint8]
Pixels = NDArray[np.uint32]
"""Premultiplied 0xAARRGGBB."""

PHASES = 4
"""A dot may sit at any quarter of a pixel: in motion nothing seems to jump from pixel to pixel."""
LEVELS = 24
"""Steps of softness from the inside of a dot to its rim."""
SHADES = 16
"""Steps from empty to dense in a splatted picture; colour and shade share one byte, so at most 16 colours."""
FULL = 9
"""The shade that is a colour at full strength; above it the colour deepens with density."""
CHUNK = 32768
"""Points projected at once: small enough for the scratch to stay in cache, measured best of 4,096 … 1,000,000."""
BLOCK = 16
"""Neighbours in memory that stay together when a large cloud is drawn in mixed order: 128 bytes move at once, which
takes 1 ms for 1,000,000 points where a true shuffle takes 10."""
DISC, RING, SQUARE, TRIANGLE = range(4)


class Window(NamedTuple):
    """How data become pixels: pixel x = (x − x0)·sx, pixel y = (y1 − y)·sy, counted from the picture's corner."""

    x0: float
    y1: float
    sx: float
    sy: float


@dataclass(frozen=True, slots=True, eq=False)
class Stamp:
    """A dot in every shape and at every quarter of a pixel.

    dx, dy, level: (4 shapes · PHASES², K); reach: the most pixels a dot extends from its own; halo: width of its rim.
    """

    dx: NDArray[np.int16]
    dy: NDArray[np.int16]
    level: Bytes
    reach: int
    halo: float


def outline_distance(shape: int, x: NDArray[np.float64], y: NDArray[np.float64], r: float) -> NDArray[np.float64]:
    """Signed distance (negative inside) from the outline of a mark as heavy to the eye as a disc of radius ``r``."""
    if shape == SQUARE:
        return np.maximum(np.abs(x), np.abs(y)) - 0.88 * r
    if shape == TRIANGLE:  # pointing up (y grows downwards)
        return np.maximum(0.866 * np.abs(x) - 0.5 * (y + 0.16 * r), y + 0.16 * r) - 0.68 * r
    radius = np.hypot(x, y)
    if shape == RING:
        thick = max(0.22 * r, 0.6)
        return np.abs(radius - (1.08 * r - thick)) - thick
    return radius - r


@lru_cache(maxsize=32)
def stamp(radius: float, halo: float) -> Stamp:
    """Cut the stamps for dots of ``radius`` pixels with a rim of ``halo`` pixels."""
    reach = int(np.ceil(1.1 * radius + halo + 1.5))
    side = np.arange(-reach, reach + 1)
    rows = []
    for shape in range(4):
        for phase in range(PHASES * PHASES):
            # the pixel's centre lies 0.5 from its corner, the dot's centre at the middle of its quarter
            fx, fy = (phase % PHASES + 0.5) / PHASES, (phase // PHASES + 0.5) / PHASES
            gx, gy = np.meshgrid(side + 0.5 - fx, side + 0.5 - fy)
            rows.append(outline_distance(shape, gx, gy, radius).ravel())
    distance = np.array(rows)  # (64, (2·reach+1)²)
    fraction = (distance + 0.5) / (halo + 1.0)
    # A faint pixel wipes out what lies below: with a rim that is wanted, in a dense cloud it would be a white speckle.
    touched = fraction < (0.9 if halo else 0.62)
    width = int(touched.sum(1).max())
    # Each row lists its own touched pixels and repeats one of them to fill up: nothing is drawn twice differently.
    pick = np.argsort(~touched, axis=1, kind="stable")[:, :width]
    pick = np.where(np.take_along_axis(touched, pick, 1), pick, pick[:, :1])
    level = np.take_along_axis(np.clip(np.round(fraction * (LEVELS - 1)), 0, LEVELS - 1), pick, 1)
    dx, dy = pick % len(side) - reach, pick // len(side) - reach
    return Stamp(dx.astype(np.int16), dy.astype(np.int16), level.astype(np.uint8), reach, halo)


def disc_colours(colours: NDArray[np.float64], ground: NDArray[np.float64], halo: float) -> Pixels:
    """What each level of each colour looks like: colours (C, 3) and ground (3,) in 0..1 → (C, LEVELS) pixels."""
    distance = np.linspace(-0.5, halo + 0.5, LEVELS)
    inside = np.clip(0.5 - distance, 0, 1)[:, None]  # (LEVELS, 1)
    around = (np.clip(halo + 0.5 - distance, 0, 1)[:, None] - inside) * 0.85
    rgb = inside * colours[:, None, :] + around * ground  # (C, LEVELS, 3)
    alpha = np.broadcast_to(inside + around, rgb.shape[:2] + (1,))
    return pack(rgb, alpha)


def splat_colours(colours: NDArray[np.float64], deep: NDArray[np.float64]) -> Pixels:
    """Colours (C ≤ 15, 3) and what each deepens to (C, 3) → the 256 pixels of code · 16 + shade; code 0 is empty."""
    shade = np.arange(SHADES)
    alpha = np.clip(shade / FULL, 0, 1)[None, :, None]  # (1, 16, 1)
    depth = np.clip((shade - FULL) / (SHADES - 1 - FULL), 0, 1)[None, :, None]
    table = np.zeros((16, SHADES), np.uint32)
    rgb = (colours[:, None, :] * (1 - depth) + deep[:, None, :] * depth) * alpha
    table[1 : 1 + len(colours)] = pack(rgb, np.broadcast_to(alpha, rgb.shape[:2] + (1,)))
    return table.ravel()


def pack(rgb: NDArray[np.float64], alpha: NDArray[np.float64]) -> Pixels:
    """Premultiplied (..., 3) and (..., 1) in 0..1 → (...) 0xAARRGGBB."""
    parts = np.round(np.concatenate([alpha, rgb], -1) * 255).astype(np.uint32)
    packed: Pixels = parts[..., 0] << 24 | parts[..., 1] << 16 | parts[..., 2] << 8 | parts[..., 3]
    return packed


def shade_table(crowd: float) -> Bytes:
    """Softened count (0..240, a lone point gives 4 in its middle) → shade. crowd: points per pixel of the view."""
    full = 4.0 * (1 + 3 * crowd)  # where thousands of points crowd, a lone one may stay faint
    w = np.arange(241.0)
    faint = FULL * (w / full) ** 0.75
    deep = FULL + (SHADES - 1 - FULL) * np.log(np.maximum(w, full) / full) / np.log(240 / min(full, 200))
    table = np.clip(np.round(np.where(w < full, faint, deep)), 0, SHADES - 1)
    table[1:] = np.maximum(table[1:], 1)
    return table.astype(np.uint8)


def grown(a: Bytes) -> Bytes:
    """(H, W) → the same with every value spread to its eight neighbours; the largest wins."""
    b = a.copy()
    np.maximum(b[:, 1:], a[:, :-1], out=b[:, 1:])
    np.maximum(b[:, :-1], a[:, 1:], out=b[:, :-1])
    c = b.copy()
    np.maximum(c[1:], b[:-1], out=c[1:])
    np.maximum(c[:-1], b[1:], out=c[:-1])
    return c


def softened(a: Bytes) -> Bytes:
    """(H, W) values up to 15 → their sums over a 3×3 binomial (1 2 1), up to 240."""
    b = a << 1
    b[:, 1:] += a[:, :-1]
    b[:, :-1] += a[:, 1:]
    c = b << 1
    c[1:] += b[:-1]
    c[:-1] += b[1:]
    return c


@lru_cache(maxsize=4)
def _block_order(blocks: int) -> Ints:
    return np.random.default_rng(0).permutation(blocks)


def mixed(a: NDArray[Any]) -> NDArray[Any]:
    """(N,) → its blocks shuffled, always in the same way, and the few left over first."""
    whole = len(a) // BLOCK * BLOCK
    blocks = np.take(a[:whole].reshape(-1, BLOCK), _block_order(whole // BLOCK), axis=0)
    return np.concatenate([a[whole:], blocks.ravel()]) if whole < len(a) else blocks.ravel()


class Raster:
    """A padded picture of ``width`` × ``height`` pixels and where the points lie in it."""

    def __init__(self, width: int, height: int, pad: int) -> None:
        self.pad = pad
        self.shape = (height + 2 * pad, width + 2 * pad)
        self.image: Pixels = np.zeros(self.shape, np.uint32)
        self._cells: Bytes = np.zeros(self.shape, np.uint8)
        self._flat: Ints = np.empty(0, np.intp)
        self._x: Floats = np.empty(0, np.float32)
        self._y: Floats = np.empty(0, np.float32)

    @property
    def flat(self) -> Ints:
        """(N,) index of every point's pixel in the padded picture, as last placed."""
        return self._flat

    def place(self, xy: Floats, window: Window, *, reach: int = 0) -> None:
        """Find the pixel of every point of xy (N, 2). reach: how far from the rim of the padding they must stay.

        Subtracting in float32 near the data and shifting afterwards keeps clouds far from the origin sharp.
        """
        n = len(xy)
        if len(self._flat) != n:
            self._flat = np.empty(n, np.intp)
            self._x, self._y = np.empty(n, np.float32), np.empty(n, np.float32)
        rows, columns = self.shape
        sx, sy = np.float32(window.sx), np.float32(window.sy)
        near_x, near_y = np.float32(window.x0), np.float32(window.y1)
        shift_x = np.float32(self.pad + (float(near_x) - window.x0) * window.sx)
        shift_y = np.float32(self.pad + (window.y1 - float(near_y)) * window.sy)
        with np.errstate(all="ignore"):
            for a in range(0, n, CHUNK):
                b = min(a + CHUNK, n)
                x, y = self._x[a:b], self._y[a:b]
                np.subtract(xy[a:b, 0], near_x, out=x)
                x *= sx
                x += shift_x
                np.fmax(np.fmin(x, np.float32(columns - 1 - reach), out=x), np.float32(reach), out=x)
                np.subtract(near_y, xy[a:b, 1], out=y)
                y *= sy
                y += shift_y
                np.fmax(np.fmin(y, np.float32(rows - 1 - reach), out=y), np.float32(reach), out=y)
                row = np.floor(y)
                row *= np.float32(columns)  # exact: a picture has fewer than 2²⁴ pixels
                row += np.floor(x)
                self._flat[a:b] = row

    def discs(self, style: Ints, shape: Ints | None, order: Ints, dots: Stamp, colours: Pixels) -> None:
        """Draw the points ``order`` (M,), the last on top. style (N,): row of colours; shape (N,): 0..3, or None."""
        self.image.fill(0)
        x, y = self._x[order], self._y[order]
        quarter_x = ((x - np.floor(x)) * PHASES).astype(np.intp)
        quarter_y = ((y - np.floor(y)) * PHASES).astype(np.intp)
        row = quarter_y * PHASES + quarter_x  # (M,)
        if shape is not None:
            row += shape[order] * (PHASES * PHASES)
        offset = dots.dy.astype(np.intp) * self.shape[1] + dots.dx  # (64, K)
        where = self._flat[order][:, None] + offset[row]  # (M, K)
        what = dots.level.astype(np.intp)[row] + (style[order] * LEVELS)[:, None]
        self.image.ravel()[where] = colours.ravel()[what]

    def splat(self, code: Bytes, order: Ints | None, spread: int, shades: Bytes, colours: Pixels) -> None:
        """Draw every point as a soft dot of 3 + 2·spread pixels. code (N,): 1..15, 1 is hidden by every other.

        order None: all, mixed by blocks, so that no class lies on top only because it came last.
        """
        cells = self._cells
        cells.fill(0)
        if order is None:
            flat, code = mixed(self._flat), mixed(code)
        else:
            flat, code = self._flat[order], code[order]
        cells.ravel()[flat] = code
        count = np.bincount(flat, minlength=cells.size)
        amount = np.minimum(count, 15, out=count).astype(np.uint8).reshape(self.shape)
        for _ in range(spread):
            amount, cells = grown(amount), _filled(cells)
        index = _filled(cells)
        index <<= 4
        index |= np.take(shades, softened(amount), mode="clip")
        np.take(colours, index, out=self.image, mode="clip")

    def clear(self) -> None:
        self.image.fill(0)

    def owners(self, order: Ints | None) -> NDArray[np.int32]:
        """(H, W) which point owns each pixel, -1 for none; the last drawn wins."""
        owner = np.full(self.shape, -1, np.int32)
        if order is None:
            owner.ravel()[self._flat] = np.arange(len(self._flat), dtype=np.int32)
        else:
            owner.ravel()[self._flat[order]] = order
        return owner

    def nearest(self, owner: NDArray[np.int32], x: float, y: float, radius: int) -> int:
        """The point nearest to pixel (x, y) of the picture (padding not counted) within ``radius``, or -1."""
        cx, cy = int(x) + self.pad, int(y) + self.pad
        left, top = max(cx - radius, self.pad - 1), max(cy - radius, self.pad - 1)
        right, bottom = self.shape[1] - self.pad + 1, self.shape[0] - self.pad + 1
        patch = owner[top : min(cy + radius + 1, bottom), left : min(cx + radius + 1, right)]
        rows, columns = np.nonzero(patch >= 0)
        if len(rows) == 0:
            return -1
        away = (rows + top - cy) ** 2 + (columns + left - cx) ** 2
        best = int(away.argmin())
        return int(patch[rows[best], columns[best]]) if away[best] <= radius * radius else -1

    def inside(self, mask: NDArray[Any]) -> NDArray[np.int32]:
        """Sorted indices of the points on a set pixel of mask (H, W)."""
        return np.flatnonzero(mask.ravel()[self._flat]).astype(np.int32)


def _filled(cells: Bytes) -> Bytes:
    """Empty and faded pixels take the colour next to them; a coloured one keeps its own."""
    return np.where(cells > 1, cells, grown(cells))
