"""What an experiment is: a class whose ``run()`` is a generator of frames.

Nothing in an experiment knows about threads, time, drawing or Qt. Whoever calls ``next()`` decides about
pause, step, speed and stop. The rules an experiment keeps:

- everything that the next step depends on lives in attributes named in ``memory`` (tensors, arrays, modules,
  optimisers, numbers), so that ``run()`` can be started afresh in the middle: after ``restore()``, after an
  action, after a reset;
- the first thing that ``run()`` yields is the frame of the present state, so that a start can be looked at;
- ``run()`` reads the knobs from ``self.p`` at each step; the engine swaps that object between two steps;
- randomness comes from ``self.rng`` (or torch's global generator, seeded for each run), never from elsewhere.
"""

from __future__ import annotations

import copy
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from engine.core import colouring
from engine.core.frame import Beat, Channel, Colours, Frame, Item, Scalar
from engine.core.params import KnobSpec, Value, specs
from engine.core.stages import Stages
from engine.core.text import InputError, Text, _
from engine.data.registry import nothing

if TYPE_CHECKING:
    import torch

    from engine.data.registry import Dataset

P = TypeVar("P")
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Beside:
    """A second run beside a first one, on the same data and from the same seed."""

    experiment: str
    params: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Demo:
    """A ready-made start: one question, answered by pressing play. picture: the channel on its card. beside:
    what it is compared with, or None.
    """

    name: str
    title: Text
    question: Text
    dataset: str
    params: Mapping[str, Value] = field(default_factory=dict)
    seed: int = 0
    picture: str = "cloud"
    beside: Beside | None = None


@dataclass(frozen=True, slots=True)
class Info:
    """An experiment as the desktop and the command line see it: plain data, no torch."""

    id: str
    title: Text
    question: Text
    topic: str
    datasets: tuple[str, ...]
    knobs: tuple[KnobSpec, ...]
    channels: Mapping[str, Channel]
    scalars: Mapping[str, Scalar]
    queries: tuple[str, ...]
    actions: tuple[str, ...]
    picks: tuple[str, ...]
    presets: Mapping[str, Mapping[str, Value]]
    demos: tuple[Demo, ...]
    pace: float | None

    def knob(self, name: str) -> KnobSpec:
        """The knob called ``name``; KeyError if there is none."""
        return {spec.name: spec for spec in self.knobs}[name]


def experiment(
    id: str,
    *,
    title: Text,
    question: Text,
    topic: str,
    datasets: tuple[str, ...],
    presets: Mapping[str, Mapping[str, Value]] | None = None,
    demos: tuple[Demo, ...] = (),
) -> Callable[[type[E]], type[E]]:
    """Declare the class below to be an experiment. datasets: those it takes, the first one to begin with, or
    () when it makes up all it needs. presets: knob values that suit a data set better than the defaults.
    """

    def declare(cls: type[E]) -> type[E]:
        marked = {
            name: getattr(getattr(cls, name), "_role", None) for name in dir(cls) if not name.startswith("__")
        }
        cls.info = Info(
            id, title, question, topic, datasets, specs(cls.params_class()), cls.channels, cls.scalars,
            tuple(n for n, role in marked.items() if role == "query"),
            tuple(n for n, role in marked.items() if role == "action"),
            tuple(n for n, role in marked.items() if role == "pick"),
            presets or {}, demos, cls.pace,
        )  # fmt: skip
        return cls

    return declare


def query(method: F) -> F:
    """Mark a method that may be asked between two steps. It reads; the runner puts every random state
    back.
    """
    method._role = "query"  # type: ignore[attr-defined]
    return method


def action(method: F) -> F:
    """Mark a method by which a person changes the run by hand, such as dragging a centre. It may change
    ``memory``.
    """
    method._role = "action"  # type: ignore[attr-defined]
    return method


def pick(method: F) -> F:
    """Mark a method by which a person picks what the pictures show. The training takes no notice of it."""
    method._role = "pick"  # type: ignore[attr-defined]
    return method


class Experiment(Generic[P]):
    """Base of every experiment. See the module's text for the rules, and ``kmeans.py`` for a complete
    example.
    """

    info: ClassVar[Info]
    channels: ClassVar[Mapping[str, Channel]] = {}
    scalars: ClassVar[Mapping[str, Scalar]] = {}
    memory: ClassVar[tuple[str, ...]] = ()
    sizes: ClassVar[Mapping[str, str]] = {}
    """The axes of what is in ``memory`` that need not be as long as at a start, one letter an axis: "tK." is
    any T × any K × as at the start. The same letter, the same length; a capital is at least 1. A file that
    says otherwise is refused (``engine.core.sound``).
    """
    pace: ClassVar[float | None] = None
    """Steps per second at which a class can follow, where a step is itself the lesson; None: as fast as it
    goes."""
    heavy: ClassVar[bool] = False
    """Whether one step is big enough (convolutions, large products) to be worth more than one thread."""

    def __init__(
        self,
        data: Dataset,
        params: P,
        *,
        seed: int,
        device: torch.device,
        stages: Stages | None = None,
        tell: Callable[[float], None] = nothing,
    ) -> None:
        import torch

        self.data = data
        self.p = params
        self.seed = seed
        self.device = device
        self.stages = stages or Stages()
        self.tell = tell
        """To be called in ``setup`` with the share done, 0..1, where that takes more than a second. It
        raises when the person has cancelled, and that must be let through."""
        self.step = 0
        self.rng = torch.Generator().manual_seed(seed)
        self.setup()

    @classmethod
    def params_class(cls) -> type[Any]:
        """The parameter class named in ``Experiment[...]``."""
        for base in getattr(cls, "__orig_bases__", ()):
            if typing.get_origin(base) is Experiment:
                return typing.get_args(base)[0]  # type: ignore[no-any-return]
        raise TypeError(f"{cls.__name__} must derive from Experiment[ItsParams]")

    def setup(self) -> None:
        """Make networks, optimisers and first values. Called once, with ``data``, ``p``, ``rng`` and
        ``device`` ready.
        """

    def run(self) -> Iterator[Frame | Beat]:
        """First yield a frame of the present state, then train on, one frame a step.

        Returning means that there is nothing more to learn; ``run()`` is called again when a person changes
        something.
        """
        raise NotImplementedError

    @property
    def epoch(self) -> int:
        """How many steps make one pass over the data."""
        return 1

    def ended(self) -> Text | None:
        """Why ``run()`` returned, in one sentence; None says nothing."""
        return None

    def state(self) -> dict[str, Any]:
        """A deep copy of everything the next step depends on."""
        kept: dict[str, Any] = {"step": self.step, "rng": self.rng.get_state()}
        for name in self.memory:
            value = getattr(self, name)
            kept[name] = copy.deepcopy(value.state_dict() if hasattr(value, "state_dict") else value)
        return kept

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take up ``kept`` (from ``state()``) again; ``kept`` stays usable."""
        self.step = kept["step"]
        self.rng.set_state(kept["rng"])
        for name in self.memory:
            value = getattr(self, name)
            if hasattr(value, "load_state_dict"):
                value.load_state_dict(copy.deepcopy(kept[name]))
            else:
                setattr(self, name, copy.deepcopy(kept[name]))

    def check_kept(self, kept: Mapping[str, Any]) -> None:
        """Refuse (ValueError) a ``kept`` of the right sizes with which a step would never end: it comes from
        a file, and may say anything.
        """

    def take(self, data: Dataset) -> None:
        """Go on with other data of the same kind, keeping what has been learned so far.

        Raises:
            InputError: these data cannot be learned from. The experiment must then be given its former data
            again.
        """
        kept = self.state()
        self.data = data
        self.setup()
        self.restore(kept)

    @query
    def item(self, index: int) -> Item:
        """Item ``index`` of the data set, for a hover card."""
        self.check_item(index)
        return self.data.item(index)

    @query
    def neighbours(self, index: int, k: int = 6) -> list[int]:
        """The ``k`` items nearest to item ``index`` where this experiment measures distance (here: the data
        space).
        """
        import torch

        self.check_item(index)
        x = self.data.flat
        distance = torch.linalg.vector_norm(x - x[index], dim=1)  # (N,)
        distance[index] = -1
        nearest = distance.topk(min(k + 1, len(x)), largest=False).indices
        return [int(i) for i in nearest if int(i) != index][:k]

    @property
    def colourings(self) -> Mapping[str, Text]:
        """What the points of a cloud can be coloured by (query ``colours``), each with its title."""
        return colouring.titles(self.data)

    @query
    def colours(self, name: str) -> Colours:
        """A colour for each item of the data set by ``name``, one of ``colourings``."""
        return colouring.colours(self.data, name, self.stages)

    def check_item(self, index: int) -> None:
        """Refuse an ``index`` that no item of the data set has (InputError)."""
        if not 0 <= index < len(self.data.x):
            raise InputError(_("There is no item {index}.", index=index))


E = TypeVar("E", bound=Experiment[Any])
