"""What the engine tells the desktop besides scalars and pictures, and what a run is made of. Plain data, no
torch.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from engine.core.experiment import Beside, Info
from engine.core.params import Value
from engine.core.text import Text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.core.frame import Payload
    from engine.data.files.report import Report

Status = Literal["empty", "paused", "running", "ended", "failed"]


@dataclass(frozen=True, slots=True)
class RunSpec:
    """Everything that makes a run what it is: with the same spec and device, the same numbers.

    data_params: the knobs of the data set, such as how many points. beside: what runs beside it, or None.
    """

    experiment: str
    dataset: str
    params: Mapping[str, Value] = field(default_factory=dict)
    seed: int = 0
    data_dir: Path | None = None
    data_params: Mapping[str, Value] = field(default_factory=dict)
    beside: Beside | None = None

    @property
    def rival(self) -> str | None:
        """The experiment that runs beside, or None."""
        return None if self.beside is None else self.beside.experiment

    @property
    def data_key(self) -> Hashable:
        """What the data depend on: the same key, the same data, as long as nobody paints on them."""
        return self.dataset, self.data_dir, tuple(sorted(self.data_params.items()))


@dataclass(frozen=True, slots=True)
class Ready:
    """torch is loaded. catalogue: every experiment. device: what it computes on, in words."""

    catalogue: tuple[Info, ...]
    device: str


@dataclass(frozen=True, slots=True)
class Started:
    """A run stands at its first step (or was taken up again). epoch: steps per pass over the data, 1 when a
    step is one.

    params: every knob's value; of two runs side by side see engine.core.beside. kind: "points" or "images".
    size: items in the set, total: in the full set. branched_from: the step at which the former run was left,
    or None. painted: whether the data have been painted over by hand. colourings: what points can be coloured
    by (query ``colours(name)``), with titles. log: what has been done by hand up to now, the oldest first.
    fresh: whether it is a new start; else a branch, one of the tree, or from a file.
    """

    spec: RunSpec
    params: Mapping[str, Value]
    kind: str
    size: int
    total: int
    epoch: int
    branched_from: int | None = None
    painted: bool = False
    colourings: tuple[tuple[str, Text], ...] = ()
    log: tuple[Turned | Acted, ...] = ()
    fresh: bool = True


@dataclass(frozen=True, slots=True)
class Working:
    """The data are being read or made. share: how much of it is done, 0..1."""

    share: float


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """The run is paused, running, ended (learned all it can) or failed. reason: why, in a sentence, or
    None.
    """

    status: Status
    reason: Text | None = None


@dataclass(frozen=True, slots=True)
class Turned:
    """A knob was turned, effective from ``step`` on. waiting: it was turned while an earlier step was looked
    at, and takes effect when the run goes on, from wherever that will be. at: when, in seconds since 1970.
    """

    step: int
    name: str
    old: Value
    new: Value
    waiting: bool = False
    at: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class Acted:
    """A person changed the run by hand (such as moving a centre) before ``step``. at: as in Turned."""

    step: int
    name: str
    at: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class Branch:
    """One of the runs that have grown from one start. id: counted from 1. parent: the run that it left at
    step ``start``, or None. last: its newest step. name: what a person has called it, or "". log: what was
    done by hand in it since ``start``.
    """

    id: int
    parent: int | None
    start: int
    last: int
    name: str = ""
    log: tuple[Turned | Acted, ...] = ()


@dataclass(frozen=True, slots=True)
class Grown:
    """The tree of runs has changed. active: the one on screen. ghost: the one whose curves and points are
    shown behind it, or None. beside: the one that runs beside it, or None.
    """

    branches: tuple[Branch, ...]
    active: int
    ghost: int | None = None
    beside: int | None = None


@dataclass(frozen=True, slots=True)
class Haunted:
    """Scalars of the ghost, {name: (steps, values)}; empty when there is none. Its pictures come as views of
    channels whose names begin with ``GHOST``.
    """

    scalars: Mapping[str, tuple[Sequence[int], Sequence[float]]]


GHOST = "~"
"""``~cloud`` is the channel ``cloud`` of the ghost."""


@dataclass(frozen=True, slots=True)
class Painted:
    """The data of the run are now ``size`` points painted by hand."""

    size: int


@dataclass(frozen=True, slots=True)
class Beating:
    """Slow motion has come to a named moment inside a step."""

    text: Text
    highlight: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sought:
    """The pictures now show ``step``; live says whether that is the newest one. values: every knob as it
    would be if the run went on from here.
    """

    step: int
    live: bool
    values: Mapping[str, Value] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query gave. step: the state that answered."""

    name: str
    tag: object
    value: Any
    step: int


ASIDE = frozenset({"ask", "preview", "look", "download", "save", "autosave"})
"""Commands that leave the run alone: whatever goes wrong with one, the run is as it was."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Something asked for could not be done; nothing was changed. about: the command it concerns, such as
    "save".
    """

    sentence: Text
    about: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """The run stopped for a reason nobody wished. detail: the technical text, for the report file."""

    sentence: Text
    detail: str


@dataclass(frozen=True, slots=True)
class Saving:
    """A session is being written. share: how much of it is, 0..1. quiet: nobody has asked for it."""

    path: Path
    share: float
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Saved:
    """A session file is complete on disk. seconds: how long that took. quiet: nobody has asked for it."""

    path: Path
    seconds: float = 0.0
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Opened:
    """The session at ``path`` is the run now (``Started`` came before). view: what was on screen when it was
    saved, as it was given to ``Engine.save``.
    """

    path: Path
    view: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FactorRange:
    """A factor that items of a data set were made from, and between what it varies."""

    title: Text
    low: float
    high: float
    unit: str


@dataclass(frozen=True, slots=True)
class Previewed:
    """A data set at a glance. payload: some items. counts: items of each class. size, total: as in Started.

    shape: of one item.
    """

    name: str
    payload: Payload
    counts: tuple[tuple[str, int], ...]
    factors: tuple[FactorRange, ...]
    size: int
    total: int
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A data set that the person asked for has come, and lies in ``folder``."""

    name: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Looked:
    """What lies at a path of the person's own. pictures: a few of them, (N, H, W) or (N, H, W, 3) in 0..1."""

    report: Report
    pictures: NDArray[np.float32] | None = None


Event = (
    Ready | Working | Started | StatusChanged | Turned | Acted | Beating | Sought | Answer | Refused | Failed
    | Saving | Saved | Opened | Painted | Previewed | Looked | Downloaded | Grown | Haunted
)  # fmt: skip
