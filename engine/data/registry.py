"""Data sets by name.

A data set is offered by a :class:`Source` (plain data, no torch: what the pickers show) and becomes a
:class:`Dataset` (tensors) when ``load`` is called on the engine thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from engine.core.frame import Item
from engine.core.params import KnobSpec, Value, change, specs
from engine.core.text import InputError, Text, _

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

DataKind = Literal["points", "images", "signals"]


def as_picture(item: NDArray[np.float32]) -> NDArray[np.float32]:
    """An image item (C, H, W) as a picture (H, W) or (H, W, 3) in 0..1, in memory of its own."""
    picture = item[0] if item.shape[0] == 1 else item.transpose(1, 2, 0)
    return picture.clip(0, 1).copy()


@dataclass(frozen=True)
class Factor:
    """What an item was made from, such as its slant. values: (N,) float32, between low and high, in
    ``unit``.
    """

    name: str
    title: Text
    values: torch.Tensor
    low: float
    high: float
    unit: str = ""


@dataclass(frozen=True)
class Dataset:
    """Tensors on the CPU, ready for an experiment.

    x: (N, D) float32 for points, (N, C, H, W) float32 in 0..1 for images, (N, T) float32 in −1..1 for
    signals. y: (N,) int64 class of each, or None. names: what each class is called. columns: what each of the
    D numbers is called. total: how many items the whole set has when x is a sample of it. factors: what each
    item was made from, where that is known. captions: language code to N sentences, or nothing.
    """

    name: str
    kind: DataKind
    x: torch.Tensor
    y: torch.Tensor | None = None
    names: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    total: int = 0
    factors: tuple[Factor, ...] = ()
    captions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    painted: bool = False
    """Whether a person has painted over it, so that it cannot be made again from its name."""

    @cached_property
    def flat(self) -> torch.Tensor:
        """Every item as one row: (N, D)."""
        return self.x.flatten(1)

    @cached_property
    def classes(self) -> NDArray[np.int32]:
        """The class of each item, (N,) int32, not to be written to; where none is known, all are of one."""
        y = self.x.new_zeros(len(self.x)) if self.y is None else self.y
        classes = y.int().numpy()
        classes.flags.writeable = False
        return classes

    def item(self, index: int) -> Item:
        """Item ``index`` with its class, its columns and what it was made from, and its picture.

        Raises:
            IndexError: there is no such item.
        """
        x = self.x[index]
        label = self.names[int(self.y[index])] if self.y is not None else ""
        made_from = tuple((factor.title, float(factor.values[index])) for factor in self.factors)
        if self.kind == "points":
            columns = tuple(zip(self.columns, (float(v) for v in x), strict=True))
            return Item(index, label, (*columns, *made_from))
        if self.kind == "signals":
            from engine.data.raster import curve

            return Item(index, label, made_from, curve(x.numpy()))
        return Item(index, label, made_from, as_picture(x.numpy()))


def is_own(name: str) -> bool:
    """Whether data set ``name`` is a person's own file or folder, not a set with a name of its own."""
    return name.startswith("own_")


def nothing(_share: float) -> None:
    """Nobody wants to know how far the work is."""


def nothing_at_all() -> Dataset:
    """What an experiment is given that makes up all it needs: no items."""
    import torch

    return Dataset("", "points", torch.zeros(0, 2))


@dataclass(frozen=True, slots=True)
class Request:
    """What data are asked for. params: the source's own checked parameter object.

    data_dir: where the person keeps data of their own. tell: to be called now and then with the share done,
    0..1; it raises when the person has cancelled, and that must be let through.
    """

    seed: int = 0
    data_dir: Path | None = None
    params: Any = None
    tell: Callable[[float], None] = nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class NoParams:
    """A data set that has no knobs."""


@dataclass(frozen=True, slots=True)
class Source:
    """A data set as the pickers show it. needs_folder: it exists only where the person has a copy of it.

    params_class: its knobs (how many, how noisy), declared as those of an experiment. credit: where it comes
    from and under which licence.
    """

    name: str
    title: Text
    about: Text
    kind: DataKind
    load: Callable[[Request], Dataset]
    needs_folder: bool = False
    params_class: type[Any] = NoParams
    credit: Text | None = None
    megabytes: int = 0
    """How much there is to download, where it can be downloaded."""

    @property
    def own(self) -> bool:
        """Whether this reads a file or folder of the person's own."""
        return is_own(self.name)

    @property
    def knobs(self) -> tuple[KnobSpec, ...]:
        return specs(self.params_class)


def sources() -> dict[str, Source]:
    """Every data set by name, in the order in which pickers show them. Imports no torch."""
    from engine.data import digits, faces, files, misread, pen, signals, sprites, textures, torchvision, toy

    drawn = [*pen.SOURCES, *sprites.SOURCES, *faces.SOURCES, *textures.SOURCES, *signals.SOURCES]
    found = [*toy.SOURCES, *misread.SOURCES, *drawn, *digits.SOURCES, *torchvision.SOURCES, *files.SOURCES]
    return {source.name: source for source in found}


def load(
    name: str,
    *,
    seed: int = 0,
    data_dir: Path | None = None,
    params: Mapping[str, Value] | None = None,
    tell: Callable[[float], None] = nothing,
) -> Dataset:
    """The data set called ``name``, none for "". Same seed and params, same data. See :class:`Request`.

    Raises:
        InputError: there is no such set, or its files are missing or damaged.
    """
    if not name:
        return nothing_at_all()
    known = sources()
    if name not in known:
        raise InputError(
            _("There is no data set called “{name}”; there are {known}.", name=name, known=", ".join(known))
        )
    source = known[name]
    return source.load(Request(seed, data_dir, change(source.params_class(), params or {}), tell))
