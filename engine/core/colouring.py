"""What the points of a cloud can be coloured by: class, group found by k-means, factor, column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.frame import Colours
from engine.core.stages import Stages
from engine.core.text import InputError, Text, _

if TYPE_CHECKING:
    import torch

    from engine.data.registry import Dataset

GROUPS, LEAST, ROUNDS = 8, 20, 30
"""Groups where no classes are known; fewer items than that are not grouped; rounds of k-means."""
COLUMNS = 1000
"""Columns offered at most."""


def titles(data: Dataset) -> dict[str, Text]:
    """What the items of ``data`` can be coloured by: name to title."""
    found: dict[str, Text] = {}
    if data.y is not None and len(data.names) > 1:
        found["class"] = _("class")
    if len(data.x) >= LEAST:
        found["group"] = _("group found by k-means")
    for factor in data.factors:
        found[f"factor:{factor.name}"] = factor.title
    if data.kind == "points":
        for index, column in enumerate(data.columns[:COLUMNS]):
            found[f"column:{index}"] = Text(column, {})
    return found


def colours(data: Dataset, name: str, stages: Stages) -> Colours:
    """A colour for each item of ``data`` by ``name``.

    Raises:
        InputError: these data cannot be coloured so.
    """
    title = titles(data).get(name)
    if title is None:
        raise InputError(_("These data cannot be coloured by “{name}”.", name=name))
    if name == "class":
        return Colours(title, label=data.classes, names=data.names)
    if name == "group":
        key = (data.name, tuple(data.x.shape))
        label = stages.get("groups", key, lambda: _groups(data))
        count = int(label.max()) + 1
        names = tuple(_("group {n}", n=n + 1) for n in range(count))
        return Colours(title, label=label.int().numpy(), names=names)
    kind, rest = name.split(":", 1)
    if kind == "factor":
        factor = next(f for f in data.factors if f.name == rest)
        return Colours(title, value=factor.values.float().numpy(), limits=(factor.low, factor.high))
    column = data.flat[:, int(rest)]
    return Colours(
        title, value=column.float().numpy().copy(), limits=(float(column.min()), float(column.max()))
    )


def _groups(data: Dataset) -> torch.Tensor:
    """The group of each item by k-means, (N,) int64: as many as there are classes."""
    from engine.parts import lloyd

    k = len(data.names) if 1 < len(data.names) <= 20 else GROUPS
    return lloyd.groups(data.flat, min(k, len(data.x)), rounds=ROUNDS)
