"""A hand that writes: strokes from :mod:`engine.data.glyphs`, made uneven as hands do, and inked on paper.

Everything is done for many samples at once. A curve through control points is linear in them, so that the
points along all strokes of a glyph are one fixed matrix times its control points, however these have been
moved. Ink is put only near the line: around each short piece of it, in a window just wide enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.data.glyphs import DIGITS, LETTERS

Floats = NDArray[np.float32]

SIDE = 28
"""Width and height of a picture, in pixels."""
BOX = 20.0
"""The glyph itself fits into so many pixels, as in MNIST."""
MARGIN = 8
"""Paper around the picture while it is drawn; whatever falls on it is cut off."""
PIECE = 1.3
"""The length of a piece of line, in pixels: short enough to be straight."""
SOFT = 1.2
"""Over so many pixels ink fades into paper."""
GRAIN = 0.12
"""How uneven the edge of a line is: the standard deviation, in pixels."""
TOGETHER = 128
"""Samples inked at a time: few enough for the processor's cache."""

RANGES = {
    "slant": (-30.0, 50.0),  # degrees to the right
    "thickness": (1.2, 4.6),  # pixels
    "width": (0.6, 1.8),  # as a share of the width in the table
    "curvature": (0.6, 1.4),  # 0 straight from point to point, 1 as smooth as can be, above: swung out
    "jitter": (1.0, 7.0),  # standard deviation of a control point, in hundredths of the height
}
"""Between which values each factor lies."""


# ── from strokes to points ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, eq=False)
class Skeleton:
    """One way to write a glyph, ready to be written.

    control: (P, 2) control points in glyph heights, about the middle. strokes: (P,) the stroke of each.
    smooth, straight: (V, P) what makes points along the line of control points, on a smooth curve through
    them or straight from one to the next. piece: (V − 1,) whether a point and the next belong to one stroke.
    ends: (E, 2) the first or last control point of a stroke, and its neighbour.
    """

    control: Floats
    strokes: NDArray[np.int64]
    smooth: Floats
    straight: Floats
    piece: NDArray[np.bool_]
    ends: NDArray[np.int64]


def curve(knots: Floats, counts: list[int]) -> tuple[Floats, Floats]:
    """What makes points along a curve through P points: two matrices (V, P), smooth and straight.

    knots: (P,) the place of each point along the curve. counts: so many pieces between one and the next.
    The smooth one is a Catmull–Rom curve for uneven knots: at each point it has the slope of the parabola
    through that point and its two neighbours.
    """
    p = len(knots)
    h = np.diff(knots)  # (P − 1,)
    eye = np.eye(p)
    d = (eye[1:] - eye[:-1]) / h[:, None]  # (P − 1, P) slopes from point to point
    m = np.empty((p, p))  # (P, P) slopes at the points
    m[1:-1] = (d[1:] * h[:-1, None] + d[:-1] * h[1:, None]) / (h[:-1] + h[1:])[:, None]
    m[0], m[-1] = (d[0], d[-1]) if p == 2 else (1.5 * d[0] - 0.5 * m[1], 1.5 * d[-1] - 0.5 * m[-2])
    smooth, straight = [], []
    for i, count in enumerate(counts):
        t = np.linspace(0, 1, count + 1)[(i > 0) :, None]  # a point shared by two spans is made once
        straight.append((1 - t) * eye[i] + t * eye[i + 1])
        # Hermite's cubic: from point i with slope m_i to point i + 1 with slope m_{i+1}
        rise = t * (1 - t) * ((1 - t) * (m[i] - d[i]) - t * (m[i + 1] - d[i])) * h[i]
        smooth.append(straight[-1] + rise)
    return np.concatenate(smooth).astype(np.float32), np.concatenate(straight).astype(np.float32)


@cache
def skeletons(glyph: str) -> tuple[tuple[float, ...], tuple[Skeleton, ...]]:
    """How often each way to write ``glyph`` is met, adding up to 1, and these ways."""
    ways = (DIGITS | LETTERS)[glyph]
    total = sum(weight for weight, _strokes in ways)
    return tuple(weight / total for weight, _strokes in ways), tuple(skeleton(way) for _weight, way in ways)


def skeleton(way: str) -> Skeleton:
    """One string of the table, read."""
    control: list[tuple[float, float]] = []
    stroke_of: list[int] = []
    ends: list[tuple[int, int]] = []
    blocks: list[tuple[int, Floats, Floats]] = []  # first control point, and the matrices from there on
    last: list[int] = []  # vertices in each stroke
    for number, stroke in enumerate(way.split(" / ")):
        places = stroke.split()
        xy = np.array([[float(v) for v in place.rstrip("!").split(",")] for place in places]) / 100
        first = len(control)
        control += [(float(x), float(y)) for x, y in xy]
        stroke_of += [number] * len(xy)
        ends += [(first, first + 1), (len(control) - 1, len(control) - 2)]
        length = np.linalg.norm(np.diff(xy, axis=0), axis=1)  # (P − 1,) in glyph heights
        corners = [0, *(i for i, place in enumerate(places) if place.endswith("!")), len(places) - 1]
        made = 0
        for a, b in pairwise(corners):  # smooth from one corner to the next
            knots = np.concatenate([[0.0], np.cumsum(length[a:b])]).astype(np.float32)
            counts = [max(1, round(float(BOX * span) / PIECE)) for span in length[a:b]]
            smooth, straight = curve(knots, counts)
            skip = int(a > 0)  # the corner itself is there already
            blocks.append((first + a, smooth[skip:], straight[skip:]))
            made += len(smooth) - skip
        last.append(made)
    count = sum(last)
    smooth, straight = (np.zeros((count, len(control)), np.float32) for _ in range(2))
    row = 0
    for first, s, t in blocks:
        smooth[row : row + len(s), first : first + s.shape[1]] = s
        straight[row : row + len(t), first : first + t.shape[1]] = t
        row += len(s)
    piece = np.ones(count - 1, dtype=np.bool_)
    piece[np.cumsum(last)[:-1] - 1] = False
    placed = np.array(control, dtype=np.float32)
    middle = (placed.min(0) + placed.max(0)) / 2
    return Skeleton(placed - middle, np.array(stroke_of), smooth, straight, piece, np.array(ends))


# ── the hand ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, eq=False)
class Style:
    """How each sample is written: (N,) each, see RANGES."""

    slant: Floats
    thickness: Floats
    width: Floats
    curvature: Floats
    jitter: Floats

    def __getitem__(self, which: NDArray[np.int64]) -> Style:
        return Style(*(getattr(self, name)[which] for name in RANGES))


def styles(rng: np.random.Generator, n: int) -> Style:
    """The hands of ``n`` samples: most lean a little to the right, and some are careless."""
    drawn = {
        "slant": rng.normal(9, 15, n),
        "thickness": rng.normal(2.6, 0.65, n),
        "width": np.exp(rng.normal(0.18, 0.22, n)),
        "curvature": rng.normal(1.0, 0.14, n),
        "jitter": 2.8 * np.exp(rng.normal(0, 0.45, n)),
    }
    return Style(**{name: drawn[name].clip(*RANGES[name]).astype(np.float32) for name in RANGES})


def write(rng: np.random.Generator, ways: Skeleton, style: Style) -> tuple[Floats, Floats]:
    """The line of every sample, in pixels about the middle of its ink, and how wide the pen is along it.

    Returns:
        (N, V, 2) points, y down, and (N, V) the radius of the pen there.
    """
    n, p = len(style.slant), len(ways.control)

    def normal(*shape: int, scale: float = 1.0) -> Floats:
        return rng.normal(0, scale, (n, *shape)).astype(np.float32)

    loose = (style.jitter / 100)[:, None, None]  # (N, 1, 1)
    control = ways.control + loose * normal(p, 2)  # (N, P, 2)
    # Each stroke is set down a little off its place, and started or left a little early or late.
    control += 0.8 * loose * normal(int(ways.strokes.max()) + 1, 2)[:, ways.strokes]
    end, neighbour = ways.ends.T
    way_out = control[:, end] - control[:, neighbour]  # (N, E, 2)
    way_out /= np.linalg.norm(way_out, axis=2, keepdims=True) + 1e-6
    control[:, end] += 1.3 * loose * normal(len(end), 1) * way_out

    straight = ways.straight @ control  # (V, P) (N, P, 2) -> (N, V, 2)
    xy = straight + style.curvature[:, None, None] * (ways.smooth @ control - straight)

    # The plane itself is bent: wider above than below, one half larger than the other.
    x, y = xy[..., 0], xy[..., 1]
    a = normal(6, 1, scale=0.20)
    x, y = (
        x + a[:, 0] * x * y + a[:, 1] * y * y + 0.5 * a[:, 2] * x * x,
        y + a[:, 3] * y * y + 0.5 * a[:, 4] * x * y + 0.5 * a[:, 5] * x * x,
    )
    # A slow tremble along the line.
    t = np.arange(xy.shape[1], dtype=np.float32) * (PIECE / BOX)  # (V,) in glyph heights
    tremble = np.zeros((2, *x.shape), np.float32)
    for waves in (0.7, 1.6):
        phase = rng.uniform(0, 2 * np.pi, (2, n, 1)).astype(np.float32)
        size = normal(2, 1, scale=0.35).transpose(1, 0, 2) * loose[None, :, :, 0]
        tremble += size * np.sin(2 * np.pi * waves * t + phase)
    x, y = x + tremble[0], y + tremble[1]

    x = style.width[:, None] * x - np.tan(np.deg2rad(style.slant))[:, None] * y  # up is −y: tops go right
    turn = normal(1, scale=np.deg2rad(4.0))
    x, y = np.cos(turn) * x - np.sin(turn) * y, np.sin(turn) * x + np.cos(turn) * y

    # Pressure comes and goes along the line, and many let go towards the end.
    phase = rng.uniform(0, 2 * np.pi, (n, 1)).astype(np.float32)
    pressure = 1 + normal(1, scale=0.10) * np.sin(2 * np.pi * 0.8 * t + phase) - 0.06 * t * np.abs(normal(1))
    radius = 0.5 * style.thickness[:, None] * pressure.clip(0.6, 1.4)  # (N, V)

    # As MNIST does: the longer side, line included, fills the box, and the ink balances in the middle.
    extent = np.maximum(np.ptp(x, axis=1), np.ptp(y, axis=1))  # (N,)
    scale = ((BOX - style.thickness) / extent)[:, None]
    x, y = scale * x, scale * y
    weight = np.hypot(np.diff(x), np.diff(y)) * ways.piece * radius[:, 1:]  # (N, V − 1) ink of each piece
    weight /= weight.sum(1, keepdims=True)
    for axis in (x, y):
        axis -= (weight * (axis[:, 1:] + axis[:, :-1]) / 2).sum(1, keepdims=True)
    return np.stack([x, y], axis=2), radius


# ── the ink ─────────────────────────────────────────────────────────────────────────────────────────────────


def ink(rng: np.random.Generator, xy: Floats, radius: Floats, piece: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Pictures of lines. xy: (N, V, 2), radius: (N, V), piece: (V − 1,) as above -> (N, SIDE, SIDE).

    Each pixel takes the piece whose edge it is furthest inside of: radius − distance, then softened.
    """
    n, paper = len(xy), SIDE + 2 * MARGIN
    xy = xy + paper / 2  # MNIST balances the ink about pixel 14, 14, half a pixel past the very middle
    a, b = xy[:, :-1][:, piece], xy[:, 1:][:, piece]  # (N, S, 2)
    thick = (radius[:, 1:][:, piece] + radius[:, :-1][:, piece]) / 2  # (N, S)
    along, middle = b - a, (a + b) / 2
    reach = float((thick + np.linalg.norm(along, axis=2) / 2).max()) + SOFT / 2 + 3 * GRAIN
    steps = np.arange(-int(reach + 0.5), int(reach + 0.5) + 1)  # (W,)
    corner = np.rint(middle).clip(-steps[0], paper - 1 + steps[0]).astype(np.int64)  # (N, S, 2)

    # The distance of a pixel q from a piece: q − a − u (b − a), u the share of the way, between 0 and 1.
    px = (corner[..., :1] + steps - a[..., :1])[:, :, None, :]  # (N, S, 1, W) q − a, across
    py = (corner[..., 1:] + steps - a[..., 1:])[:, :, :, None]  # (N, S, W, 1) and down
    dx, dy = along[..., 0, None, None], along[..., 1, None, None]
    u = ((px * dx + py * dy) / (dx * dx + dy * dy + 1e-9)).clip(0, 1)  # (N, S, W, W)
    inside = thick[..., None, None] - np.sqrt((px - u * dx) ** 2 + (py - u * dy) ** 2)

    rows = np.arange(n)[:, None, None, None] * paper + (corner[..., 1:] + steps)[..., None]  # (N, S, W, 1)
    place = rows * paper + (corner[..., :1] + steps)[:, :, None, :]  # (N, S, W, W)
    field = np.full(n * paper * paper, -9.0, np.float32)
    np.maximum.at(field, place.reshape(-1), inside.astype(np.float32).reshape(-1))
    field = field.reshape(n, paper, paper)[:, MARGIN:-MARGIN, MARGIN:-MARGIN]

    field = field + GRAIN * rng.standard_normal(field.shape, dtype=np.float32)
    shade: Floats = (0.5 + field / SOFT).clip(0, 1)
    return np.rint(255 * shade).astype(np.uint8)


def draw(
    glyphs: str, which: NDArray[np.int64], seed: int, tell: Callable[[float], None]
) -> tuple[NDArray[np.uint8], Style, NDArray[np.int64]]:
    """Sample i shows ``glyphs[which[i]]``: (N, SIDE, SIDE) pictures, how each is written, and which way."""
    n = len(which)
    rng = np.random.default_rng(seed)
    style = styles(rng, n)
    dice = rng.random(n)
    pictures = np.zeros((n, SIDE, SIDE), np.uint8)
    variant = np.zeros(n, np.int64)
    done = 0
    for number, glyph in enumerate(glyphs):
        shares, ways = skeletons(glyph)
        variant[which == number] = np.searchsorted(np.cumsum(shares)[:-1], dice[which == number], "right")
        for way, bones in enumerate(ways):
            mine = np.flatnonzero((which == number) & (variant == way))
            mine = mine[np.argsort(style.thickness[mine], kind="stable")]  # thin lines need small windows
            for first in range(0, len(mine), TOGETHER):
                some = mine[first : first + TOGETHER]
                xy, radius = write(rng, bones, style[some])
                pictures[some] = ink(rng, xy, radius, bones.piece)
                done += len(some)
                tell(done / n)
    return pictures, style, variant
