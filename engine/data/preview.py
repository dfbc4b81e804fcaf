"""A data set at a glance, as the data dialog shows it: some of its items, its classes, its factors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.events import FactorRange, Previewed
from engine.core.frame import Curve, Images, Payload, Points
from engine.data.registry import Dataset, as_picture

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_POINTS, MOST_PICTURES, MOST_SIGNALS = 20_000, 80, 5


def preview(data: Dataset) -> Previewed:
    """Some items of ``data`` in the form of a payload, how many there are of each class, and the factors."""
    counts: tuple[tuple[str, int], ...] = ()
    if data.y is not None and data.names:
        found = data.y.bincount(minlength=len(data.names)).tolist()
        counts = tuple(zip(data.names, found, strict=False))
    factors = tuple(FactorRange(f.title, f.low, f.high, f.unit) for f in data.factors)
    total = data.total or len(data.x)
    return Previewed(data.name, _payload(data), counts, factors, len(data.x), total, tuple(data.x.shape[1:]))


def _payload(data: Dataset) -> Payload:
    import numpy as np

    label = None if data.y is None else data.y.int().numpy()
    if data.kind == "points":
        flat = data.flat[:MOST_POINTS].numpy()
        xy = flat[:, :2] if flat.shape[1] > 1 else np.stack([flat[:, 0], np.zeros(len(flat), np.float32)], 1)
        axes = (*data.columns[:2], "x", "y")
        return Points(
            xy.copy(), None if label is None else label[:MOST_POINTS].copy(), data.names,
            axes=(axes[0], axes[1]),
            equal=data.flat.shape[1] <= 3, total=data.total or len(data.x),
        )  # fmt: skip
    if data.kind == "signals":
        x = data.x[:MOST_SIGNALS].numpy()  # (S, T), drawn one above the other
        lines = {f"{i + 1}": (row - 2.2 * i).astype(np.float32) for i, row in enumerate(x)}
        return Curve(np.arange(x.shape[1], dtype=np.float32), lines)
    which = _of_every_class(label, len(data.x))
    pixels = np.stack([as_picture(data.x[i].numpy()) for i in which])
    names = () if label is None else tuple(data.names[label[i]] for i in which)
    return Images(pixels, captions=names if len(data.names) <= 40 else ())


def _of_every_class(label: NDArray[np.int32] | None, n: int) -> list[int]:
    """Some items, in turn of every class, those of a class together."""
    import numpy as np

    if label is None:
        return list(range(min(n, MOST_PICTURES)))
    classes = np.unique(label)
    each = max(MOST_PICTURES // max(len(classes), 1), 1)
    return [int(i) for c in classes[:MOST_PICTURES] for i in np.flatnonzero(label == c)[:each]]
