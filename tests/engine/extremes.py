"""Numbers that no method can compute with, and what is said of them."""

from __future__ import annotations

import torch

NOT_TO_BE_SQUARED = [
    (1e30 * torch.eye(6, 4), "larger than"),
    (torch.cat([torch.zeros(9, 2), torch.full((1, 2), 1e19)]), "larger than"),
    (1e-30 * torch.eye(6, 4), "multiply all of them"),
    (torch.zeros(6, 0), "no numbers"),
    (torch.zeros(0, 2), "no numbers"),
]
"""Data, and a part of the sentence that refuses them."""
OUT_OF_RANGE = [1e20, 3e38, 1e300, float("nan")]
"""What an input of someone's own may not hold."""
