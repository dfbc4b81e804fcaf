"""Whether numbers can be learned from at all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from engine.core.text import InputError, Text, _
from engine.data.registry import Dataset

FARTHEST = 1e16
"""Beyond that, squares of coordinates leave the range of float32."""
NARROWEST = 1e-15
"""Where no column is wider than that, squares of distances leave it at its other end."""


def numbers(data: Dataset, no_number: Callable[[int], Text], *, narrowest: float = NARROWEST) -> torch.Tensor:
    """Every item as one row, (N, D), its values finite and neither too large nor too close together.

    no_number: what to say of an item with a value that is no number. narrowest: what is too close together.

    Raises:
        InputError: they are not, or there are none.
    """
    if 0 in data.x.shape:
        raise InputError(_("There are no numbers in these data; choose others."))
    flat = data.flat
    low, high = flat.aminmax(dim=0)  # (D,) each; a NaN in a column is its smallest and its largest
    if not bool((torch.isfinite(low) & torch.isfinite(high)).all()):
        raise InputError(no_number(int((~torch.isfinite(flat)).any(1).nonzero()[0])))
    if float(torch.maximum(-low, high).max()) > FARTHEST:
        raise InputError(_("Some values are larger than {most:g}; divide all of them first.", most=FARTHEST))
    if 0 < float((high.double() - low.double()).max()) < narrowest:
        raise InputError(
            _(
                "All values lie within {least:g} of each other; multiply all of them first.",
                least=narrowest,
            )
        )
    return flat


def row(x: NDArray[np.float32] | torch.Tensor, d: int) -> torch.Tensor:
    """One item of any shape with ``d`` numbers, (1, D) float32.

    Raises:
        InputError: another number of numbers, or one that is none or out of range.
    """
    found = torch.tensor(np.asarray(x, dtype=np.float64)).reshape(1, -1)  # (1, D)
    if found.shape[1] != d or not bool((found.abs() <= FARTHEST).all()):  # NaN is not below anything either
        raise InputError(_("An input here has {d} numbers.", d=d))
    return found.float()
