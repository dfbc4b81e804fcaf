"""Mean, covariance and principal axes of many rows, without a copy of all of them."""

from __future__ import annotations

import torch

ROWS = 8192
"""Rows taken at a time: few enough for little memory, enough for the product to run at full speed."""


def mean_and_covariance(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The mean (D,) and the covariance (D, D), divisor N − 1, of the rows of ``x`` (N, D). Both float64.

    The mean is taken away before squaring: in E[x²] − E[x]² two large numbers would cancel.
    """
    mean = x.mean(0, dtype=torch.float64)  # (D,)
    total = torch.zeros(x.shape[1], x.shape[1], dtype=torch.float64)
    for rows in x.split(ROWS):
        centred = (rows - mean.float()).numpy()  # (ROWS, D)
        # NumPy sees that both factors are one matrix and computes only half of the product; torch does not.
        total += torch.from_numpy(centred.T @ centred)
    rest = mean - mean.float()  # what float32 could not take away
    total -= len(x) * torch.outer(rest, rest)
    return mean, total / max(len(x) - 1, 1)


def eigen(matrix: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Eigenvalues (D,), largest first and never negative, and eigenvectors as columns, (D, D).

    An eigenvector may as well point the other way; here its largest entry is positive: it always looks the same.
    """
    values, vectors = torch.linalg.eigh(matrix)
    values, vectors = values.flip(0).clamp(min=0), vectors.flip(1)
    largest = vectors.gather(0, vectors.abs().argmax(0, keepdim=True))  # (1, D)
    return values, vectors * torch.where(largest < 0, -1.0, 1.0)


def plane(x: torch.Tensor, rows: int = 8000) -> tuple[torch.Tensor, torch.Tensor]:
    """The mean (D,) and two principal axes (D, 2) of ``x`` (N, D), float32. For looking: some rows will do.

    Data with one column gets a second axis of zeros.
    """
    some = x[:: max(1, len(x) // rows)]
    mean, covariance = mean_and_covariance(some)
    axes = eigen(covariance)[1][:, :2].float()
    return mean.float(), torch.nn.functional.pad(axes, (0, 2 - axes.shape[1]))
