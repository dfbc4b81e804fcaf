"""Curves and formulas as SVG inside a page: sharp at any size, in the colours of the reader's theme.

A colour is ``var(--name)``: the page's style sheet says what that is by day and by night.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from desktop.controls.explain import coloured, draw_formula
from desktop.panels.scales import Scale, nice_ticks, tick_text
from desktop.panels.trace import Reduced
from desktop.style.tokens import CLASSES_LIGHT, CURVES_LIGHT

WIDTH, HEIGHT = 520.0, 240.0
LEFT, RIGHT, TOP, BOTTOM = 60.0, 14.0, 12.0, 28.0
"""Room for the numbers at the axes, in the same unit."""
TICKS_DOWN, TICKS_ACROSS = 5, 7
WORD = 8.0
"""About how wide a letter is."""
COLUMNS = 480
"""Vertices of a curve, at most."""
EM = 16.0
"""Pixels that a formula's letters are drawn with; on the page they are as large as the text."""
TEXT = "#00c1ff"
NAMES = (
    *(f"c{i}" for i in range(len(CURVES_LIGHT))),
    *(f"k{i}" for i in range(len(CLASSES_LIGHT))),
    "accent", "quiet", "text",
)  # fmt: skip
STANDINS = {name: f"#00c0{i:02x}" for i, name in enumerate(NAMES)}
"""Colours that nobody uses: they are put into a formula, and then replaced by the page's own."""
VIEW_BOX = re.compile(r'viewBox="([^"]*)"[^>]*>')
FILL = re.compile(r'(fill|stroke)="(#[0-9a-f]{6})"')


# ── formulas ────────────────────────────────────────────────────────────────────────────────────────────────


def formula(latex: str, *, inline: bool) -> str:
    """``latex`` as an SVG that stands on the line; its source where it is not to be understood."""
    made = draw_formula(coloured(latex.strip(), STANDINS), EM, TEXT, inline)
    head = None if made is None else VIEW_BOX.search(made.svg.decode())
    if made is None or head is None:
        return f"<code>{html.escape(latex)}</code>"
    style = f"width:{made.width / EM:.3f}em;height:{made.height / EM:.3f}em"
    style += f";vertical-align:{-made.depth / EM:.3f}em" if inline else ""
    told = html.escape(latex.strip(), quote=True)
    body = FILL.sub(_themed, made.svg.decode()[head.end() :])
    return f'<svg class="formula" role="img" aria-label="{told}" style="{style}" viewBox="{head[1]}">{body}'


def _themed(found: re.Match[str]) -> str:
    """A stand-in becomes the page's colour; the text's own is what stands around it."""
    what, standin = found.groups()
    name = next((name for name, other in STANDINS.items() if other == standin), None)
    if name is not None:
        return f'style="{what}:var(--{name})"'
    return f'{what}="currentColor"' if standin == TEXT else found[0]


# ── curves ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Line:
    """A curve, of which at most ``COLUMNS`` vertices are given. index: which of the colours for curves."""

    name: str
    index: int
    curve: Reduced


def colour(line: Line) -> str:
    """The name of its colour."""
    return f"c{line.index % len(CURVES_LIGHT)}"


def chart(lines: Sequence[Line], *, log: bool, marks: Sequence[int] = (), across: str = "") -> str:
    """Some curves over the same axes. marks: steps at which something was changed. across: what is counted
    from left to right.
    """
    ends = [line.curve.extremes() for line in lines]
    found = [end for end in ends if end is not None]
    low, high = min((a for a, _b in found), default=0.0), max((b for _a, b in found), default=1.0)
    scale = Scale.fit(low, high, log=log and low > 0)
    last = max((float(line.curve.x[-1]) for line in lines if len(line.curve.x)), default=0.0)
    frame = _Frame(scale, max(last, 1.0))
    named = html.escape(", ".join(line.name for line in lines), quote=True)
    parts = [
        f'<svg class="chart" role="img" aria-label="{named}" viewBox="0 0 {WIDTH:g} {HEIGHT:g}">',
        *_grid(frame, across),
        *(f'<path class="mark" d="M{frame.x(step):.1f} {TOP:g}V{HEIGHT - BOTTOM:g}"/>' for step in marks),
        *(part for line in lines for part in _drawn(line, frame)),
        "</svg>",
    ]
    return "".join(parts)


@dataclass(frozen=True, slots=True)
class _Frame:
    scale: Scale
    last: float

    def x(self, step: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * step / self.last

    def y(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * self.scale.to_unit(values)


def _grid(frame: _Frame, across: str) -> Iterator[str]:
    """Lines and numbers behind the curves."""
    floor = HEIGHT - BOTTOM
    down = frame.scale.ticks(0.0, 1.0, TICKS_DOWN)
    steps = [b - a for a, b in pairwise(down)]
    for value, y in zip(down, frame.y(np.array(down, np.float64)), strict=True):
        if math.isfinite(y):
            step = abs(value) if frame.scale.log else min(steps, default=abs(value))
            text = tick_text(value, step, None if frame.scale.log else max(map(abs, down)))
            yield f'<path class="grid" d="M{LEFT:g} {y:.1f}H{WIDTH - RIGHT:g}"/>'
            yield f'<text class="down" x="{LEFT - 8:g}" y="{y + 4:.1f}">{html.escape(text)}</text>'
    along = nice_ticks(0, frame.last, TICKS_ACROSS, whole=True)
    step = along[1] - along[0] if len(along) > 1 else 1.0
    free = WIDTH - RIGHT - (WORD * len(across) + WORD if across else 0)
    for value in along:
        if frame.x(value) > free:
            continue
        text = html.escape(tick_text(value, step, frame.last))
        yield f'<text class="across" x="{frame.x(value):.1f}" y="{floor + 19:g}">{text}</text>'
    if across:
        yield f'<text class="down" x="{WIDTH - RIGHT:g}" y="{floor + 19:g}">{html.escape(across)}</text>'


def _drawn(line: Line, frame: _Frame) -> Iterator[str]:
    """The curve, and behind it how far its values reach where there are too many of them."""
    curve, painted = line.curve, f"var(--{colour(line)})"
    if curve.low is not None and curve.high is not None:
        for x, low, high in _unbroken(curve.x, frame.y(curve.low), frame.y(curve.high)):
            there = [f"{frame.x(a):.1f} {b:.1f}" for a, b in zip(x, high, strict=True)]
            back = [f"{frame.x(a):.1f} {b:.1f}" for a, b in zip(x[::-1], low[::-1], strict=True)]
            yield f'<path class="band" style="fill:{painted}" d="M{"L".join((*there, *back))}Z"/>'
    for x, y, _same in _unbroken(curve.x, frame.y(curve.y), frame.y(curve.y)):
        points = [f"{frame.x(a):.1f} {b:.1f}" for a, b in zip(x, y, strict=True)]
        if len(points) == 1:
            points.append(points[0])
        yield f'<path class="curve" style="stroke:{painted}" d="M{"L".join(points)}"/>'


Part = NDArray[np.float64]


def _unbroken(x: Part, y: Part, other: Part) -> Iterator[tuple[Part, Part, Part]]:
    """Pieces without a gap."""
    good = np.isfinite(x) & np.isfinite(y) & np.isfinite(other)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], good.astype(np.int8), [0]))))
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        yield x[begin:end], y[begin:end], other[begin:end]
