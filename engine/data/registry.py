"""Data sets by name.

A data set is offered by a :class:`Source` (plain data, no torch: what the pickers show) and becomes a
:class:`Dataset` (tensors) when ``load`` is called on the engine thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from engine.core.frame import Item
from engine.core.text import InputError, Text, _

if TYPE_CHECKING:
    import torch

DataKind = Literal["points", "images"]


@dataclass(frozen=True)
class Dataset:
    """Tensors on the CPU, ready for an experiment.

    x: (N, D) float32 for points, (N, C, H, W) float32 in 0..1 for images. y: (N,) int64 class of each, or
    None. names: what each class is called. columns: what each of the D numbers is called. total: how many
    items the whole set has when x is a sample of it.
    """

    name: str
    kind: DataKind
    x: torch.Tensor
    y: torch.Tensor | None = None
    names: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    total: int = 0

    @cached_property
    def flat(self) -> torch.Tensor:
        """Every item as one row: (N, D)."""
        return self.x.reshape(len(self.x), -1)

    def item(self, index: int) -> Item:
        """Item ``index`` with its class, values and picture.

        Raises:
            IndexError: there is no such item.
        """
        x = self.x[index]
        label = self.names[int(self.y[index])] if self.y is not None else ""
        if self.kind == "points":
            return Item(index, label, tuple(zip(self.columns, (float(v) for v in x), strict=True)))
        picture = x[0] if x.shape[0] == 1 else x.permute(1, 2, 0)  # (H, W) or (H, W, 3)
        return Item(index, label, picture=picture.numpy().copy())


@dataclass(frozen=True, slots=True)
class Source:
    """A data set as the pickers show it. needs_folder: it exists only where the person has a copy of it."""

    name: str
    title: Text
    about: Text
    kind: DataKind
    load: Callable[[int, Path | None], Dataset]
    needs_folder: bool = False


def sources() -> dict[str, Source]:
    """Every data set by name, in the order in which pickers show them. Imports no torch."""
    from engine.data import digits, torchvision, toy

    found = [*toy.SOURCES, *digits.SOURCES, *torchvision.SOURCES]
    return {source.name: source for source in found}


def load(name: str, *, seed: int = 0, data_dir: Path | None = None) -> Dataset:
    """The data set called ``name``. Same seed, same data. data_dir: where the person keeps data of their own.

    Raises:
        InputError: there is no such set, or its files are missing or damaged.
    """
    known = sources()
    if name not in known:
        raise InputError(
            _("There is no data set called “{name}”; there are {known}.", name=name, known=", ".join(known))
        )
    return known[name].load(seed, data_dir)
