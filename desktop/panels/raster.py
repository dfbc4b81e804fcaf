"""A cloud of points as one picture, by NumPy alone.

Two ways of drawing, chosen by how much there is to write (CPU time per frame of 900×700, 2-core machine):

- ``Raster.discs``: every point is a round dot with soft edges at a quarter of a pixel, one gather and one
  scatter of (N, K) pixels, 10,000 points in 1 ms. It looks like QPainter's antialiasing.
- ``Raster.splat``: every point is one pixel, then the *picture* is widened and softened, so that the cost
  no longer depends on the size of a dot: 100,000 points in 2 ms, 1,000,000 in 7. How many points share a
  pixel deepens its colour.

Both write into the same padded picture: points outside the view are clamped into the padding, where nobody
sees them, which is cheaper than finding them first. NaN ends up there too, because ``fmin``/``fmax`` prefer
the number.
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
BAND = 16
"""Rows looked up at once. Fresh memory costs more than the work in it: all else has lasting scratch."""
COUNTED = 8
"""Points counted in a pixel; with more, its colour deepens no further."""
CHUNK = 32768
"""Points projected at once: small enough for the scratch to stay in cache, measured best of 4,096 …
1,000,000.
"""
SLICE = 1024
"""Points whose discs are drawn at once, for the same reason."""
BLOCK = 16
"""Neighbours in memory that stay together when a large cloud is drawn in mixed order: 128 bytes move at
once, which takes 1 ms for 1,000,000 points where a true shuffle takes 10."""
DISC, RING, SQUARE, TRIANGLE = range(4)


class Window(NamedTuple):
    """How data become pixels: pixel x = (x − x0)·sx, pixel y = (y1 − y)·sy, counted from the picture's
    corner.
    """

    x0: float
    y1: float
    sx: float
    sy: float


@dataclass(frozen=True, slots=True, eq=False)
class Stamp:
    """A dot in every shape and at every quarter of a pixel.

    dx, dy, level: (4 shapes · PHASES², K); reach: the most pixels a dot extends from its own; halo: width
    of its rim.
    """

    dx: NDArray[np.int16]
    dy: NDArray[np.int16]
    level: Bytes
    reach: int
    halo: float


def outline_distance(
    shape: int, x: NDArray[np.float64], y: NDArray[np.float64], r: float
) -> NDArray[np.float64]:
    """Signed distance (negative inside) from the outline of a mark as heavy to the eye as a disc of radius
    ``r``.
    """
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
    # A faint pixel wipes out what lies below: with a rim that is wanted, in a dense cloud it would be a
    # white speckle.
    touched = fraction < (0.9 if halo else 0.62)
    width = int(touched.sum(1).max())
    # Each row lists its own touched pixels and repeats one of them to fill up: nothing is drawn twice
    # differently.
    pick = np.argsort(~touched, axis=1, kind="stable")[:, :width]
    pick = np.where(np.take_along_axis(touched, pick, 1), pick, pick[:, :1])
    level = np.take_along_axis(np.clip(np.round(fraction * (LEVELS - 1)), 0, LEVELS - 1), pick, 1)
    dx, dy = pick % len(side) - reach, pick // len(side) - reach
    return Stamp(dx.astype(np.int16), dy.astype(np.int16), level.astype(np.uint8), reach, halo)


def disc_colours(colours: NDArray[np.float64], ground: NDArray[np.float64], halo: float) -> Pixels:
    """What each level of each colour looks like: colours (C, 3) and ground (3,) in 0..1 → (C, LEVELS)
    pixels.
    """
    distance = np.linspace(-0.5, halo + 0.5, LEVELS)
    inside = np.clip(0.5 - distance, 0, 1)[:, None]  # (LEVELS, 1)
    around = (np.clip(halo + 0.5 - distance, 0, 1)[:, None] - inside) * 0.85
    rgb = inside * colours[:, None, :] + around * ground  # (C, LEVELS, 3)
    alpha = np.broadcast_to(inside + around, (*rgb.shape[:2], 1))
    return pack(rgb, alpha)


@lru_cache(maxsize=16)
def splat_colours(colours: bytes, deep: bytes, crowd: float | None) -> tuple[Pixels, Bytes | None]:
    """How a splat is coloured: the 256 pixels of code · 16 + shade (code 0 is empty), and softened count →
    shade.

    colours, deep: (C ≤ 15, 3) float64 as bytes, a colour and what it deepens to. crowd: points per pixel of
    the view, or None when they are few: then the softened count itself, up to 15, is the shade, which
    spares a pass.
    """
    plain, dark = (np.frombuffer(each).reshape(-1, 1, 3) for each in (colours, deep))  # (C, 1, 3)
    strength = shade_table(crowd or 0.0)
    shade = (np.arange(SHADES) if crowd is not None else strength[:SHADES].astype(int))[
        None, :, None
    ]  # (1, 16, 1)
    alpha = np.clip(shade / FULL, 0, 1)
    depth = np.clip((shade - FULL) / (SHADES - 1 - FULL), 0, 1)
    rgb = (plain * (1 - depth) + dark * depth) * alpha
    table = np.zeros((16, SHADES), np.uint32)
    table[1 : 1 + len(plain)] = pack(rgb, np.broadcast_to(alpha, (*rgb.shape[:2], 1)))
    return table.ravel(), None if crowd is None else strength


def pack(rgb: NDArray[np.floating], alpha: NDArray[np.floating]) -> Pixels:
    """Premultiplied (..., 3) and (..., 1) in 0..1 → (...) 0xAARRGGBB."""
    parts = np.round(np.concatenate([alpha, rgb], -1) * 255).astype(np.uint32)
    packed: Pixels = (parts << np.array([24, 16, 8, 0], np.uint32)).sum(-1, dtype=np.uint32)
    return packed


def shade_table(crowd: float) -> Bytes:
    """Softened count (0..128, a lone point gives 4 in its middle) → shade. crowd: points per pixel of the
    view.
    """
    most = 16.0 * COUNTED
    full = min(
        4.0 * (1 + 3 * crowd), 0.6 * most
    )  # where thousands of points crowd, a lone one may stay faint
    w = np.arange(most + 1)
    faint = FULL * (w / full) ** 0.75
    deep = FULL + (SHADES - 1 - FULL) * np.log(np.maximum(w, full) / full) / np.log(most / full)
    table = np.clip(np.round(np.where(w < full, faint, deep)), 0, SHADES - 1)
    table[1:] = np.maximum(table[1:], 1)
    return table.astype(np.uint8)


def grown(a: Bytes, across: Bytes, out: Bytes) -> Bytes:
    """(H, W) → out (H, W): every value spread to its eight neighbours; the largest wins. across: scratch."""
    np.copyto(across, a)
    np.maximum(across[:, 1:], a[:, :-1], out=across[:, 1:])
    np.maximum(across[:, :-1], a[:, 1:], out=across[:, :-1])
    np.copyto(out, across)
    np.maximum(out[1:], across[:-1], out=out[1:])
    np.maximum(out[:-1], across[1:], out=out[:-1])
    return out


def filled(a: Bytes, across: Bytes, out: Bytes) -> Bytes:
    """(H, W) → out (H, W): empty and faded pixels take the colour next to them; a coloured one keeps its own.

    By masks: ``np.where`` on a picture this irregular takes ten times as long.
    """
    grown(a, across, out)
    own = np.greater(a, 1, out=across.view(bool)).view(np.uint8)
    np.negative(own, out=own)  # 255 where coloured
    own &= out ^ a
    out ^= own
    return out


def softened(a: Bytes, across: Bytes, out: Bytes) -> Bytes:
    """(H, W) values up to 15 → out (H, W): their sums over a 3×3 binomial (1 2 1). across: scratch."""
    np.add(a, a, out=across)
    across[:, 1:] += a[:, :-1]
    across[:, :-1] += a[:, 1:]
    np.add(across, across, out=out)
    out[1:] += across[:-1]
    out[:-1] += across[1:]
    return out


def looked_up(table: NDArray[Any], index: Bytes, out: NDArray[Any]) -> None:
    """Fill out (H, W) with table[index], by bands: NumPy widens the index to 64 bits."""
    for a in range(0, len(index), BAND):
        np.take(table, index[a : a + BAND], out=out[a : a + BAND], mode="clip")


@lru_cache(maxsize=4)
def _block_order(blocks: int) -> Ints:
    return np.random.default_rng(0).permutation(blocks)


def mixed(a: NDArray[Any], out: NDArray[Any] | None = None) -> NDArray[Any]:
    """(N,) → its blocks shuffled, always in the same way, and the few left over first."""
    whole = len(a) // BLOCK * BLOCK
    out = np.empty_like(a) if out is None or len(out) != len(a) else out
    out[: len(a) - whole] = a[whole:]
    blocks = out[len(a) - whole :].reshape(-1, BLOCK)
    np.take(a[:whole].reshape(-1, BLOCK), _block_order(whole // BLOCK), axis=0, out=blocks, mode="clip")
    return out


class Raster:
    """A padded picture of ``width`` × ``height`` pixels and where the points lie in it."""

    def __init__(self, width: int, height: int, pad: int) -> None:
        self.pad = pad
        self.shape = (height + 2 * pad, width + 2 * pad)
        self.image: Pixels = np.zeros(self.shape, np.uint32)
        self._scratch: list[Bytes] = []
        self._mixed: Ints = np.empty(0, np.intp)
        self._flat: Ints = np.empty(0, np.intp)
        self._x: Floats = np.empty(0, np.float32)
        self._y: Floats = np.empty(0, np.float32)

    @property
    def flat(self) -> Ints:
        """(N,) index of every point's pixel in the padded picture, as last placed."""
        return self._flat

    def place(self, xy: Floats, window: Window, *, reach: int = 0) -> None:
        """Find the pixel of every point of xy (N, 2). reach: how far from the rim of the padding they must
        stay.

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
        # Bounds as arrays and a cast in two steps: against one number NumPy takes no vector instructions (4
        # times slower).
        low = np.full(min(n, CHUNK), reach, np.float32)
        right, bottom = np.full_like(low, columns - 1 - reach), np.full_like(low, rows - 1 - reach)
        whole = np.empty(len(low), np.int32)
        with np.errstate(all="ignore"):
            for a in range(0, n, CHUNK):
                b = min(a + CHUNK, n)
                m = b - a
                x, y = self._x[a:b], self._y[a:b]
                np.subtract(xy[a:b, 0], near_x, out=x)
                x *= sx
                x += shift_x
                np.fmax(np.fmin(x, right[:m], out=x), low[:m], out=x)
                np.subtract(near_y, xy[a:b, 1], out=y)
                y *= sy
                y += shift_y
                np.fmax(np.fmin(y, bottom[:m], out=y), low[:m], out=y)
                row = np.floor(y)
                row *= np.float32(columns)  # exact: a picture has fewer than 2²⁴ pixels
                row += x  # the fraction of x is cut off with the cast
                whole[:m] = row
                self._flat[a:b] = whole[:m]

    def discs(self, style: Ints, shape: Ints | None, order: Ints, dots: Stamp, colours: Pixels) -> None:
        """Draw the points ``order`` (M,), the last on top. style (N,): row of colours; shape (N,): 0..3, or
        None.
        """
        self.image.fill(0)
        offset = dots.dy.astype(np.intp) * self.shape[1] + dots.dx  # (64, K)
        level = dots.level.astype(np.intp)
        picture, table = self.image.ravel(), colours.ravel()
        for a in range(0, len(order), SLICE):
            some = order[a : a + SLICE]  # (M,)
            x, y = self._x[some], self._y[some]
            quarter_x = ((x - np.floor(x)) * PHASES).astype(np.intp)
            quarter_y = ((y - np.floor(y)) * PHASES).astype(np.intp)
            row = quarter_y * PHASES + quarter_x
            if shape is not None:
                row += shape[some] * (PHASES * PHASES)
            where = np.take(offset, row, axis=0)  # (M, K)
            where += self._flat[some][:, None]
            what = np.take(level, row, axis=0)
            what += (style[some] * LEVELS)[:, None]
            picture[where.ravel()] = np.take(table, what.ravel(), mode="clip")

    def splat(
        self, code: Bytes, order: Ints | None, spread: int, shades: Bytes | None, colours: Pixels
    ) -> None:
        """Draw every point as a soft dot of 3 + 2·spread pixels.

        order (M,): which points, the last on top; None: all, mixed by blocks, so that no class lies on top
        only because it came last. code (M,): 1..15 in that same order; 1 gives way to every other. shades,
        colours: ``splat_colours``.

        How many points share a pixel is counted in ``COUNTED`` separate layers, by whether something is
        there at all: half the time of ``np.bincount``, and the layers are needed only where points crowd.
        """
        if not self._scratch:
            self._scratch = [np.zeros(self.shape, np.uint8) for _ in range(5)]
        cells, amount, across, spare, layer = self._scratch
        if order is None:
            flat = self._mixed = mixed(self._flat, self._mixed)
        else:
            flat = self._flat[order]
        layers = 1 if shades is None else COUNTED
        amount.fill(0)
        cells.fill(0)
        for i in range(layers):
            a, b = len(flat) * i // layers, len(flat) * (i + 1) // layers
            layer.fill(0)
            layer.ravel()[flat[a:b]] = code[a:b]
            amount += np.greater(layer, 0, out=across.view(bool)).view(np.uint8)
            # the later layer lies on top, except that what is faded covers nothing
            np.minimum(cells, 1, out=spare)
            over = np.greater(layer, spare, out=across.view(bool)).view(np.uint8)
            np.negative(over, out=over)
            layer ^= cells
            layer &= over
            cells ^= layer
        for _ in range(spread):
            amount, spare = grown(amount, across, spare), amount
            cells, spare = filled(cells, across, spare), cells
        cells, spare = filled(cells, across, spare), cells
        cells <<= 4
        soft = softened(amount, across, spare)
        if shades is None:
            np.minimum(soft, 15, out=soft)
        else:
            looked_up(shades, soft, soft)
        cells |= soft
        looked_up(colours, cells, self.image)

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
