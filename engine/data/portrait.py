"""The drawing of a cartoon face, layer by layer, on many pictures at once. Loads NumPy; see faces.py.

Lengths are half pictures: x runs from −1 (left) to 1, y from −1 (top) to 1. In the head's own space the head
is a unit ball: x to the viewer's right, y down, z out of the face.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.data.raster import Array, capsule, cover, each, ellipse, grid, length, mix, paint, ramp, smooth

SIZE = 48
PIXEL = 2 / SIZE
WIDE, HIGH, LEVEL = 0.59, 0.67, 0.10
"""Half axes of the head, and how far below the middle its centre is."""
NONE, SHORT, LONG, CURLY, BUN = range(5)
"""Styles of hair."""


def _colours(*rgb: tuple[float, float, float]) -> Array:
    return np.array(rgb, np.float32)


SKIN = _colours(
    (0.99, 0.86, 0.77), (0.95, 0.75, 0.60), (0.83, 0.60, 0.43), (0.65, 0.44, 0.30), (0.45, 0.30, 0.21)
)
HAIR = _colours(
    (0.11, 0.10, 0.13), (0.27, 0.16, 0.10), (0.52, 0.26, 0.12), (0.82, 0.45, 0.15), (0.96, 0.80, 0.44)
)
GROUND, SHIRT, INK, WHITE, MOUTH, TONGUE, ROSE = _colours(
    (0.86, 0.91, 0.95), (0.20, 0.47, 0.63), (0.12, 0.09, 0.11), (1, 1, 1), (0.45, 0.06, 0.11),
    (0.92, 0.42, 0.44), (0.90, 0.28, 0.30),
)  # fmt: skip
SHELL = {SHORT: (1.05, 1.17), LONG: (1.10, 1.16), CURLY: (1.16, 1.42), BUN: (1.06, 1.10)}
"""How far out the hair of each style reaches, shortest and longest; the head's own surface is 1."""
X, Y = grid(SIZE)
FACE = (..., slice(8, 46), slice(5, 43))
"""The part of the picture where head, ears and nose are, whichever way they turn."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The turns of some heads: sine and cosine of yaw and pitch, each (B, 1, 1)."""

    sy: Array
    cy: Array
    sp: Array
    cp: Array

    def seen(self, x: float, y: float, z: float) -> tuple[Array, Array, Array]:
        """Where a place in the head's space is seen: (x, y, depth towards the viewer), each (B, 1, 1)."""
        y1, z1 = y * self.cp - z * self.sp, y * self.sp + z * self.cp
        return x * self.cy + z1 * self.sy, y1, z1 * self.cy - x * self.sy

    def own(self, x: Array, y: Array, z: Array) -> tuple[Array, Array, Array]:
        """What is seen at (x, y, z), back in the head's space."""
        x1, z1 = x * self.cy - z * self.sy, x * self.sy + z * self.cy
        return x1, y * self.cp + z1 * self.sp, z1 * self.cp - y * self.sp


def draw(traits: Mapping[str, NDArray[np.float32]], style: int) -> Array:
    """Pictures (B, 3, 48, 48) in 0..1 of faces with hair of one style.

    traits: name to (B,), see faces.TRAITS.
    """
    t = {name: each(values) for name, values in traits.items()}
    yaw, pitch = np.deg2rad(t["yaw"]), np.deg2rad(t["pitch"])
    turn = Turn(np.sin(yaw), np.cos(yaw), np.sin(pitch), np.cos(pitch))
    skin, hair = ramp(SKIN, traits["skin"]), ramp(HAIR, traits["colour"])  # (B, 3)
    canvas = np.empty((len(skin), 3, SIZE, SIZE), np.float32)
    canvas[:] = GROUND[:, None, None]
    face = canvas[FACE]

    # The picture in units of the head, its centre at (0, 0); a head leans a little the way it turns.
    x, y = (X - 0.05 * turn.sy) / WIDE, (Y - LEVEL + 0.04 * turn.sp) / HIGH
    near_x, near_y = (X[FACE] - 0.05 * turn.sy) / WIDE, (Y[FACE] - LEVEL + 0.04 * turn.sp) / HIGH
    pixel = PIXEL / (0.5 * (WIDE + HIGH))
    # The jaw is narrower than the skull, and juts out the way the head turns.
    low = np.clip(near_y, 0, 1)
    jaw_x = (near_x - 0.10 * turn.sy * low) / (1 - 0.16 * low * low)
    far = length(jaw_x, near_y)  # 1 on the outline

    _behind(canvas, x, y, turn, hair, t["length"], style, pixel)
    _body(canvas, skin)
    if style != NONE:
        _hair(canvas, x, y, turn, hair, t["length"], style, pixel, back=True)
    if style != LONG:
        _ears(face, near_x, near_y, turn, skin, pixel, front=False)
    _skin(face, jaw_x, near_y, far, skin, pixel)
    _features(face, jaw_x, near_y, far, turn, skin, hair, t, pixel)
    _nose(face, near_x, near_y, turn, skin, pixel)
    if style != NONE:
        _hair(canvas, x, y, turn, hair, t["length"], style, pixel, back=False)
    if style not in (LONG, CURLY):
        _ears(face, near_x, near_y, turn, skin, pixel, front=True)
    if t["glasses"].any():
        _glasses(face, near_x, near_y, turn, t["glasses"], pixel)
    return canvas


def _tint(colour: Array, by: float) -> Array:
    """A colour, lighter (above 0) or darker (below 0)."""
    return mix(colour, np.ones_like(colour), by) if by > 0 else (colour * (1 + by))


def _behind(
    canvas: Array, x: Array, y: Array, turn: Turn, hair: Array, long: Array, style: int, pixel: float
) -> None:
    """Long hair that falls behind the neck, and the bun. long: (B, 1, 1) in 0..1."""
    if style == LONG:
        end = 0.55 + 0.75 * long
        middle = (end - 0.7) / 2
        fall = ellipse(x + 0.16 * turn.sy, y - middle, 1.08 + 0.06 * long, (end + 0.94) / 2)
        paint(canvas, cover(fall, pixel), _tint(hair, -0.22))
    if style == BUN:
        bx, by, _bz = turn.seen(0, -1.14, -0.34)
        ball = ellipse(x - bx, y - by, 0.22 + 0.2 * long, 0.20 + 0.15 * long)
        paint(canvas, cover(ball, pixel), _tint(hair, -0.12))
        paint(canvas, 0.5 * cover(ball + 0.12, 0.2), _tint(hair, 0.12))


def _body(canvas: Array, skin: Array) -> None:
    """Neck and shoulders stay where they are, so that a turning head is seen to turn."""
    below = (..., slice(30, None), slice(None))
    x, y = X[below], Y[below]
    paint(canvas[below], cover(ellipse(x, y - 1.34, 0.86, 0.50), PIXEL), SHIRT)
    neck = np.maximum(np.abs(x) - 0.21 - 0.10 * np.clip(y - 0.74, 0, 1), ellipse(x, y - 0.57, 0.35, 0.42))
    paint(canvas[below], cover(neck, PIXEL), _tint(skin, -0.20))


def _hair(
    canvas: Array,
    x: Array,
    y: Array,
    turn: Turn,
    hair: Array,
    long: Array,
    style: int,
    pixel: float,
    *,
    back: bool,
) -> None:
    """A shell around the head, cut off at the hairline: its inside behind the head, then its outside."""
    shell = mix(*SHELL[style], long)
    # Hair is thicker on top than at the sides: a ball around a place a little above the head's centre.
    sx, sy = x / (1 + 0.75 * (shell - 1)), (y + 0.35 * (shell - 1)) / shell
    far: Array = length(sx, sy)
    if style == CURLY:
        far += 0.055 * np.sin(10 * x - 3 * turn.sy) * np.sin(10 * y + 1)
    inward = 1 / np.maximum(far, 1)
    on_x, on_y = sx * inward, sy * inward
    z = np.sqrt(np.maximum(1 - on_x * on_x - on_y * on_y, 0))
    hx, hy, hz = turn.own(on_x, on_y, -z if back else z)
    front = np.maximum(hz, 0)
    inside: Array = (
        np.float32(0.03) - 0.77 * hy - 0.63 * hz
    )  # above a plane that falls from the forehead to the nape
    if style == SHORT:  # a side parting
        inside += front * (0.16 * np.maximum(hx + 0.35, 0) - 0.05)
    elif style == LONG:  # parted in the middle, and down beside the cheeks
        aside = np.abs(hx)
        inside += front * (0.42 * aside - 0.16)
        inside = np.maximum(inside, 0.9 * (aside - 0.84) + 0.5 * np.maximum(-hz, 0))
    elif style == CURLY:
        inside += 0.04 * np.sin(9 * hx) + 0.05
    alpha = cover(-inside, 1.3 * pixel) * cover(far - 1, pixel / shell)
    if back:
        if style != LONG:  # what would come out below the ears is behind the neck
            alpha *= smooth(0.50, 0.20, y)
        paint(canvas, alpha, _tint(hair, -0.25))
        return
    shade = 0.86 + 0.16 * (-0.45 * sx - 0.75 * sy + 0.5 * z)  # light from the upper left
    if style == CURLY:
        shade += 0.09 * np.sin(15 * hx) * np.sin(15 * hy + 8 * hz)
    else:
        shade += 0.025 * np.sin(17 * hx + 4 * hy)
    paint(canvas, alpha, hair[:, :, None, None] * shade[:, None])


def _ears(canvas: Array, x: Array, y: Array, turn: Turn, skin: Array, pixel: float, *, front: bool) -> None:
    """Ears behind the head; one that comes to the front is drawn again over it."""
    for side in (-1, 1):
        ex, ey, ez = turn.seen(side * 1.02, 0.08, -0.12)
        shown = smooth(0.05, 0.40, ez) if front else np.float32(1)
        wide = 0.13 + 0.07 * np.abs(ez)
        ear = ellipse(x - ex, y - ey, wide, 0.22)
        paint(canvas, shown * cover(ear - 0.03, pixel), _tint(skin, -0.32))
        paint(canvas, shown * cover(ear + 0.02, pixel), _tint(skin, -0.03))
        inner = ellipse(x - ex - 0.02 * side, y - ey, 0.5 * wide, 0.12)
        paint(canvas, 0.8 * shown * cover(inner, pixel), _tint(skin, -0.30))


def _skin(canvas: Array, x: Array, y: Array, far: Array, skin: Array, pixel: float) -> None:
    """The head itself, lit from the upper left."""
    z = np.sqrt(np.clip(1 - far * far, 0, 1))
    light = np.clip(0.80 + 0.22 * (-0.35 * x - 0.40 * y + 0.85 * z), 0.7, 1.03)
    paint(canvas, cover(far - 1, pixel), (skin[:, :, None, None] * light[:, None]))


def _features(
    canvas: Array, x: Array, y: Array, far: Array, turn: Turn, skin: Array, hair: Array,
    t: dict[str, Array], pixel: float,
) -> None:  # fmt: skip
    """Cheeks, eyes, brows and mouth, drawn on the ball of the head."""
    inward = 1 / np.maximum(far, 1)
    fx, fy = x * inward, y * inward
    z = np.sqrt(np.clip(1 - fx * fx - fy * fy, 0, 1))
    hx, hy, hz = turn.own(fx, fy, z)
    here = smooth(0.02, 0.18, hz) * cover(far - 1, pixel)  # only the face's side of the head, on the head
    edge = pixel / np.clip(z, 0.45, 1)  # foreshortened edges are as smooth as the others

    smile, open_, brow = t["smile"], t["eyes"], t["brow"]
    blush = smooth(0.32, 0.08, length(np.abs(hx) - 0.55, hy - 0.34))
    blush = blush * (0.12 + 0.50 * np.maximum(smile, 0))  # a happy face glows
    rosy = mix(skin, ROSE, 0.55)
    paint(canvas, here * blush, rosy)

    aside = np.abs(hx) - 0.385
    shut = 1 - open_
    eye_y = hy + 0.05 + shut * shut * (2.2 * aside * aside - 0.06)  # a closed eye hangs in a curve
    tall = 0.03 + 0.25 * open_
    eye = ellipse(aside, eye_y, 0.225, tall)
    lid = ellipse(aside, eye_y + 0.035, 0.240, tall + 0.035)
    paint(canvas, here * cover(lid, edge), mix(skin * 0.5, INK, 0.75))
    white = cover(eye, edge) * smooth(0.06, 0.22, open_)
    paint(canvas, here * white, WHITE)
    gaze_x, gaze_y = 0.10 * turn.sy, -0.12 * turn.sp
    iris = length(hx - np.sign(hx) * 0.375 - gaze_x, eye_y - gaze_y - 0.01)
    paint(canvas, here * white * cover(iris - 0.145, edge), INK)
    spark = length(hx - np.sign(hx) * 0.375 - gaze_x + 0.05, eye_y - gaze_y + 0.06)
    paint(canvas, here * white * 0.9 * cover(spark - 0.045, edge), WHITE)

    raised = np.clip(brow, 0, 1)
    # Angry brows slope down to the nose, surprised ones are high arches.
    slope = 0.50 * np.clip(-brow, 0, 1) - 0.10 * raised
    height = -0.385 - 0.17 * raised + 0.05 * np.clip(-brow, 0, 1) - 0.03 * open_
    bow = (0.9 + 1.6 * raised) * aside * aside
    brow_y = height - slope * aside + bow
    past = np.maximum(np.abs(aside) - 0.20, 0)
    stroke = length(past, hy - brow_y) - 0.062
    paint(canvas, here * cover(stroke, edge), _tint(mix(hair, skin * 0.35, 0.3), -0.25))

    happy, sad = np.maximum(smile, 0), np.maximum(-smile, 0)
    wide = 0.29 + 0.25 * happy + 0.13 * sad
    share = np.minimum(np.abs(hx) / wide, 1)
    arch = 1 - share * share  # 1 in the middle of the mouth, 0 at its corners
    corner = 0.50 - 0.17 * happy + 0.14 * sad
    upper = corner + (0.11 * happy - 0.23 * sad) * arch
    lower = upper + (0.02 + 0.36 * happy) * arch * (1.5 - 0.5 * arch)
    past = np.abs(hx) - wide
    gap = np.maximum(np.maximum(upper - hy, hy - lower), 0)
    paint(canvas, here * cover(length(np.maximum(past, 0), gap) - 0.055 - 0.015 * sad, edge), MOUTH)
    inside = np.maximum(np.maximum(upper + 0.015 - hy, hy - lower + 0.015), past + 0.03)
    tongue = np.maximum(inside, ellipse(hx, hy - upper - 0.40, 0.30, 0.17))
    paint(canvas, here * cover(tongue, edge) * smooth(0.4, 0.8, happy), TONGUE)
    teeth = np.maximum(inside, hy - upper - 0.13)
    paint(canvas, here * cover(teeth, edge) * smooth(0.12, 0.4, happy), WHITE)


def _nose(canvas: Array, x: Array, y: Array, turn: Turn, skin: Array, pixel: float) -> None:
    """From between the eyes to a tip that stands out of the face, so that it swings further than all else."""
    x0, y0, _z = turn.seen(0, -0.05, 0.99)
    x1, y1, _z = turn.seen(0, 0.25, 1.22)
    ridge = capsule(x, y, x0, y0, x1, y1)
    paint(
        canvas,
        0.55 * cover(ridge - 0.075, 1.6 * pixel) * smooth(0.1, 0.6, np.abs(turn.sy)),
        _tint(skin, -0.16),
    )
    paint(canvas, cover(ellipse(x - x1, y - y1 - 0.02, 0.155, 0.125), 1.2 * pixel), _tint(skin, -0.24))
    paint(canvas, cover(ellipse(x - x1 + 0.02, y - y1 + 0.02, 0.115, 0.085), 1.6 * pixel), _tint(skin, -0.02))


def _glasses(canvas: Array, x: Array, y: Array, turn: Turn, worn: Array, pixel: float) -> None:
    """Two round rims in front of the eyes, joined over the nose."""
    for side in (-1, 1):
        cx, cy, _z = turn.seen(side * 0.40, -0.05, 0.95)
        wide = 0.29 * np.clip(turn.cy + 0.25 * side * -turn.sy, 0.3, 1)
        rim = np.abs(ellipse(x - cx, y - cy, wide, 0.30)) - 0.028
        paint(canvas, worn * cover(rim, pixel), INK)
        ax, ay, _z = turn.seen(side * 0.69, -0.08, 0.75)
        ex, ey, ez = turn.seen(side * 1.0, -0.02, 0.0)
        arm = capsule(x, y, ax, ay, ex, ey) - 0.025
        paint(canvas, worn * cover(arm, pixel) * smooth(-0.05, 0.2, ez), INK)
    lx, ly, _z = turn.seen(-0.12, -0.09, 1.0)
    rx, ry, _z = turn.seen(0.12, -0.09, 1.0)
    paint(canvas, worn * cover(capsule(x, y, lx, ly, rx, ry) - 0.025, pixel), INK)
