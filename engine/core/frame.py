"""What an experiment hands out: frames, beats, and the payloads that panels draw.

Payloads are plain NumPy and belong to whoever receives them: an experiment copies before it hands out and
never writes into one afterwards. The type of the payload picks the panel. NumPy itself is imported only by
type checkers here, so that the desktop can know these types before it has loaded anything heavy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.core.text import Text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


# ── layers: what may lie on top of (or under) a cloud of points ─────────────────────────────────────────────


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """A tinted map under the points: which label owns each place.

    label: (H, W) uint8, row 0 at the bottom (y0). extent: (x0, x1, y0, y1) in data units.
    """

    label: NDArray[np.uint8]
    extent: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """A map of numbers under the points, such as a density.

    value: (H, W) float32, row 0 at the bottom. extent: (x0, x1, y0, y1) in data units. limits: the numbers
    at the two ends of the colours, or None for the smallest and largest there are. signed: 0 is the ground,
    and the two signs have two colours. name: what the numbers are.
    """

    value: NDArray[np.float32]
    extent: tuple[float, float, float, float]
    limits: tuple[float, float] | None = None
    signed: bool = False
    name: Text | str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Ellipses:
    """Outlines of Gaussians. centre: (K, 2) float32. axes: (K, 2, 2) float32, in the columns the two half
    axes, one standard deviation long. label: (K,) int32 colour of each. at: how many standard deviations
    away the outlines lie. strength: (K,) float32 in 0..1, how boldly each is drawn, or None.
    """

    centre: NDArray[np.float32]
    axes: NDArray[np.float32]
    label: NDArray[np.int32] | None = None
    at: tuple[float, ...] = (1.0, 2.0)
    strength: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Markers:
    """Big numbered marks such as cluster centres.

    xy: (K, 2) float32. trail: (T, K, 2) float32, oldest first, where each mark has been. label: (K,) colour
    of each. movable: the person may drag them (action ``move(index, x, y)``) and double-click to put one
    (action ``place(x, y)``).
    """

    xy: NDArray[np.float32]
    trail: NDArray[np.float32] | None = None
    label: NDArray[np.int32] | None = None
    movable: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """Thin straight lines. start, end: (M, 2) float32. label: (M,) colour of each, or one quiet grey when
    None.
    """

    start: NDArray[np.float32]
    end: NDArray[np.float32]
    label: NDArray[np.int32] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Arrows:
    """Strong named arrows such as principal axes. start, end: (M, 2) float32; names: M short strings."""

    start: NDArray[np.float32]
    end: NDArray[np.float32]
    names: tuple[str, ...] = ()


Layer = Regions | Field | Ellipses | Markers | Segments | Arrows


# ── payloads ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """A cloud of points in the plane.

    xy: (N, 2) float32. label: (N,) int32 colour index, -1 = none; None = all alike. names: what each label is
    called, for the legend. layers: drawn in order, Regions and Fields first. axes: names of the two axes.
    equal: one unit is as long on both axes. total: how many points the data has, when only some are shown.
    classes: (N,) int32 the class of each point, where the points are the data themselves and may be painted
    on; else None. other, share: (N,) int32 and (N,) float32, for points that belong to two labels at once:
    the second one, and how much of the colour is the first's, 0..1. Point i is item i of the data set (query
    ``item(i)``).
    """

    xy: NDArray[np.float32]
    label: NDArray[np.int32] | None = None
    names: tuple[str, ...] = ()
    layers: tuple[Layer, ...] = ()
    axes: tuple[str, str] = ("x", "y")
    equal: bool = True
    total: int | None = None
    classes: NDArray[np.int32] | None = None
    other: NDArray[np.int32] | None = None
    share: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """A grid of small pictures.

    pixels: (N, H, W) or (N, H, W, 3) float32; 0 = black, 1 = white, or for ``signed`` −1 = blue, 0 = ground,
    1 = orange; signed ones in colour: each of the three from −1 to 1, 0 = middle grey. columns: pictures per
    row, or None to fill the panel. captions: N short strings, or (). rows: a title per row, or (). label:
    (N,) colour index of each picture's frame, or None. items: (N,) index into the data set, -1 = not an item.
    """

    pixels: NDArray[np.float32]
    columns: int | None = None
    captions: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    label: NDArray[np.int32] | None = None
    items: NDArray[np.int32] | None = None
    signed: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """An x to point out by an upright line, and what it is called."""

    x: float
    name: Text | str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Handle:
    """A knob in a plot that a person drags: action ``drag(index, x, y)``, index counted over the plot's
    handles. line: the name of the line whose colour it wears, or "".
    """

    x: float
    y: float
    name: Text | str = ""
    line: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """Bars side by side under the lines. edges: (B + 1,) float32, rising; heights: (B,) float32."""

    edges: NDArray[np.float32]
    heights: NDArray[np.float32]
    name: Text | str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Named lines over one axis.

    x: (T,) float32. lines: name to (T,) float32; NaN leaves a gap. mark: an x to point out, or None; marks:
    more of them, each with its name. histogram: bars under the lines. filled: names of lines filled down to
    0. quiet: (M, T) float32, thin lines without a name, such as the kernel at each point. rug: (N,) float32,
    a tick on the x axis for each. segments, dots: straight strokes, and (M, 2) float32 dots, in front.
    handles: what a person may drag. click: the action ``name(x, y)`` that a click does, or "". log: whether
    each axis is logarithmic. span, range: what the two axes show, or None to fit.
    """

    x: NDArray[np.float32]
    lines: Mapping[str, NDArray[np.float32]]
    axes: tuple[str, str] = ("", "")
    mark: float | None = None
    marks: tuple[Mark, ...] = ()
    histogram: Histogram | None = None
    filled: tuple[str, ...] = ()
    quiet: NDArray[np.float32] | None = None
    rug: NDArray[np.float32] | None = None
    segments: Segments | None = None
    dots: NDArray[np.float32] | None = None
    handles: tuple[Handle, ...] = ()
    click: str = ""
    log: tuple[bool, bool] = (False, False)
    span: tuple[float, float] | None = None
    range: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Named bars. values: (K,) float32; names: K short strings; label: (K,) colour of each, or None for one
    colour. lines: the colours are those of lines in plots, not of classes.
    """

    values: NDArray[np.float32]
    names: tuple[str, ...]
    label: NDArray[np.int32] | None = None
    axis: str = ""
    lines: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Note:
    """One or two sentences that stand where a picture would."""

    text: Text


Payload = Points | Images | Curve | Bars | Note


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """One element of the data set, for a hover card. picture: (H, W) or (H, W, 3) float32 in 0..1, or
    None.
    """

    index: int
    label: str
    values: tuple[tuple[str, float], ...] = ()
    picture: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Colours:
    """One colour for each item of the data set (query ``colours(name)``).

    label: (N,) int32 with the names of the labels; or value: (N,) float32 with the numbers at the two ends
    of the colours. title: what is coloured by.
    """

    title: Text | str
    label: NDArray[np.int32] | None = None
    names: tuple[str, ...] = ()
    value: NDArray[np.float32] | None = None
    limits: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """What an experiment makes of one input that is not among its data, such as a drawing (query
    ``encode(x)``).

    text: in a few words. xy: where it lies in the Points of ``channel``, or None. picture: how the experiment
    rebuilds or understands it, (H, W) or (H, W, 3) float32 in 0..1, or None.
    """

    text: Text
    channel: str = ""
    xy: tuple[float, float] | None = None
    picture: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Channel:
    """A picture an experiment offers.

    payload: its type, which picks the panel. kinds: the kinds of data ("points", "images") it exists for.
    """

    payload: type[Any]
    title: Text
    kinds: tuple[str, ...] = ("points", "images")


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number followed over time. log: better read on a logarithmic axis."""

    title: Text
    log: bool = False


# ── what run() yields ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One step done.

    scalars: floats or 0-d tensors; they are read in one batch when published. views: thunks that make the
    payloads; the engine calls one only when somebody looks.
    """

    step: int
    scalars: Mapping[str, Any]
    views: Mapping[str, Callable[[], Payload]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Beat:
    """A named moment inside a step, shown in slow motion only. highlight: channels it is about."""

    text: Text
    highlight: tuple[str, ...] = ()
