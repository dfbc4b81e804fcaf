"""scikit-learn's handwritten digits: small enough for every machine, real enough for every lesson.

Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Repository, 1998.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core.text import _
from engine.data.registry import Dataset, Request, Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def load(request: Request) -> Dataset:
    """1,797 digits of 8 × 8 pixels, (1797, 1, 8, 8) in 0..1. Always the same, whatever the seed."""
    import torch

    table = torch.from_numpy(_table())  # (1797, 65): 64 pixels, ink counted from 0 to 16, and which digit
    x = table[:, :64].float().reshape(-1, 1, 8, 8) / 16  # (1797, 64) -> (1797, 1, 8, 8)
    y = table[:, 64].long()
    return Dataset("digits", "images", x, y, names=tuple("0123456789"), total=len(x))


def _table() -> NDArray[np.float64]:
    """scikit-learn's own file, read without importing all of scikit-learn first, which takes 0.8 s."""
    import numpy as np

    package = importlib.util.find_spec("sklearn")
    for folder in (package.submodule_search_locations or ()) if package is not None else ():
        path = Path(folder) / "datasets" / "data" / "digits.csv.gz"
        if path.exists():
            return np.loadtxt(path, delimiter=",")
    from sklearn.datasets import load_digits  # a later version may keep it elsewhere

    bunch = load_digits()
    return np.column_stack((bunch.data, bunch.target))


SOURCES: tuple[Source, ...] = (
    Source("digits", _("Digits 8 × 8"), _("1,797 handwritten digits, 8 × 8 pixels."), "images", load),
)
