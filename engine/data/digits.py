"""scikit-learn's handwritten digits: small enough for every machine, real enough for every lesson.

Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Repository, 1998.
"""

from __future__ import annotations

from engine.core.text import _
from engine.data.registry import Dataset, Request, Source


def load(request: Request) -> Dataset:
    """1,797 digits of 8 × 8 pixels, (1797, 1, 8, 8) in 0..1. Always the same, whatever the seed."""
    import torch
    from sklearn.datasets import load_digits

    bunch = load_digits()
    x = (
        torch.from_numpy(bunch.images).float()[:, None] / 16
    )  # (1797, 1, 8, 8); the file counts ink from 0 to 16
    y = torch.from_numpy(bunch.target).long()
    return Dataset("digits", "images", x, y, names=tuple("0123456789"), total=len(x))


SOURCES: tuple[Source, ...] = (
    Source("digits", _("Digits 8 × 8"), _("1,797 handwritten digits, 8 × 8 pixels."), "images", load),
)
