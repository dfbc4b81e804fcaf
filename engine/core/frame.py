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


Layer = Regions | Markers | Segments | Arrows


# ── payloads ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """A cloud of points in the plane.

    xy: (N, 2) float32. label: (N,) int32 colour index, -1 = none; None = all alike. names: what each label is
    called, for the legend. layers: drawn in order, Regions first. axes: names of the two axes. equal: one
    unit is as long on both axes. total: how many points the data has, when only some are shown. classes: (N,)
    int32 the class of each point, where the points are the data themselves and may be painted on; else None.
    Point i is item i of the data set (query ``item(i)``).
    """

    xy: NDArray[np.float32]
    label: NDArray[np.int32] | None = None
    names: tuple[str, ...] = ()
    layers: tuple[Layer, ...] = ()
    axes: tuple[str, str] = ("x", "y")
    equal: bool = True
    total: int | None = None
    classes: NDArray[np.int32] | None = None


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
class Curve:
    """Named lines over one axis. x: (T,) float32; lines: name to (T,) float32; mark: an x to point out, or
    None.
    """

    x: NDArray[np.float32]
    lines: Mapping[str, NDArray[np.float32]]
    axes: tuple[str, str] = ("", "")
    mark: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Named bars. values: (K,) float32; names: K short strings; label: (K,) colour of each, or None for one
    colour.
    """

    values: NDArray[np.float32]
    names: tuple[str, ...]
    label: NDArray[np.int32] | None = None
    axis: str = ""


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
