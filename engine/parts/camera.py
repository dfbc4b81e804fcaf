"""Points in space on a flat screen, seen from one fixed place."""

from __future__ import annotations

import math

import torch

AZIMUTH, ELEVATION = 20.0, 14.0
"""Degrees: looking along y, from a little to the side and a little above, so that a roll along y shows its
spiral and its depth.
"""


def directions() -> torch.Tensor:
    """The screen's two axes in space, as columns, (3, 2): to the right, and up. z stands upright."""
    a, e = math.radians(AZIMUTH), math.radians(ELEVATION)
    right = (math.cos(a), math.sin(a), 0.0)
    up = (-math.sin(a) * math.sin(e), math.cos(a) * math.sin(e), math.cos(e))
    return torch.tensor([right, up]).T


def flat(rows: torch.Tensor) -> torch.Tensor:
    """Rows as drawn, (N, D) -> (N, 2) float32: three columns are a view into space, otherwise the first two.

    A second column of zeros is added where there is only one. Linear, so that lines stay lines.
    """
    if rows.shape[1] == 3:
        return rows.float() @ directions()
    two = rows[:, :2].float()
    return torch.nn.functional.pad(two, (0, 2 - two.shape[1]))
