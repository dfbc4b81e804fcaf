"""Mean, covariance and principal axes of many rows, without a copy of all of them."""

from __future__ import annotations

from collections.abc import Callable

import torch

from engine.data.registry import nothing

ROWS = 8192
"""Rows taken at a time: few enough for little memory, enough for the product to run at full speed."""
WHOLE = 1000
"""Up to this size eigenvectors are found from the whole matrix, beyond it by Lanczos' method."""
MANY = 1e10
"""Products from which half precision is worth what it rounds away."""
SUMMED = 1024
"""Rows summed in half precision before the sum is rounded to it: the fewer, the more exact, and slower."""
BLOCK = 112
"""Columns of the matrix made at a time in half precision."""


def mean_and_covariance(
    x: torch.Tensor, tell: Callable[[float], None] = nothing
) -> tuple[torch.Tensor, torch.Tensor]:
    """The mean (D,) and the covariance (D, D), divisor N − 1, of the rows of ``x`` (N, D). Both float64.

    One pass: a rough mean g is taken away before squaring, because in E[x²] − E[x]² two large numbers would
    cancel; what g missed is put right at the end: Σ (x−g)(x−g)ᵀ − N (m−g)(m−g)ᵀ.

    Very many products are added up in half precision where the processor is made for it; the axes found from
    that miss about a hundred-thousandth of the variance that the exact ones explain.
    """
    n, d = x.shape
    rough = x[:ROWS].mean(0)  # (D,) g
    sums, squares = torch.zeros(d, dtype=torch.float64), torch.zeros(d, d, dtype=torch.float64)
    quick = n * d * d >= MANY and halves_are_fast()
    add, rows = (add_rounded, SUMMED) if quick else (add_exact, ROWS)
    room = torch.empty(rows, d)  # one place for all: fresh memory costs more than the work in it
    for first in range(0, n, rows):
        tell(first / n)
        some = x[first : first + rows]  # (R, D)
        centred = torch.sub(some, rough, out=room[: len(some)])
        sums += centred.sum(0)
        add(squares, centred)
    squares = squares.tril() + squares.tril(-1).T
    missed = sums / n  # (D,) m − g
    return rough + missed, (squares - n * torch.outer(missed, missed)) / max(n - 1, 1)


def halves_are_fast() -> bool:
    """Whether this processor multiplies bfloat16 numbers faster than float32 ones."""
    return bool(torch.cpu._is_avx512_bf16_supported())


def add_exact(squares: torch.Tensor, rows: torch.Tensor) -> None:
    """Add XᵀX of ``rows`` X (R, D), at least its lower half, to ``squares`` (D, D)."""
    # NumPy sees that both factors are one matrix and computes only half of the product; torch does not.
    squares += torch.from_numpy(rows.numpy().T @ rows.numpy())


def add_rounded(squares: torch.Tensor, rows: torch.Tensor) -> None:
    """As :func:`add_exact`, in bfloat16: blocks on the diagonal and to the left of it."""
    half = rows.bfloat16()
    for first in range(0, rows.shape[1], BLOCK):
        block = slice(first, first + BLOCK)
        squares[block, : first + BLOCK] += half[:, block].T @ half[:, : first + BLOCK]


def eigen(matrix: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Eigenvalues (D,), largest first and never negative, and eigenvectors as columns, (D, D).

    An eigenvector may as well point the other way; here its largest entry is positive.
    """
    return _in_order(*torch.linalg.eigh(matrix))


def leading(matrix: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """As :func:`eigen`, but of a large matrix only the ``count`` largest: values (E,), vectors (D, E).

    All eigenvectors for pictures in colour would take minutes; Lanczos' method finds fifty in seconds.
    """
    d = len(matrix)
    if 4 * count > d:
        return eigen(matrix)
    import numpy as np
    from scipy.linalg import eigh
    from scipy.sparse.linalg import eigsh

    if d <= WHOLE:
        values, vectors = eigh(matrix.numpy(), subset_by_index=(d - count, d - 1))
        return _in_order(torch.from_numpy(values), torch.from_numpy(np.ascontiguousarray(vectors)))

    start = np.random.default_rng(0).standard_normal(d)
    values, vectors = eigsh(matrix.numpy(), k=count, v0=start, tol=1e-10)
    return _in_order(torch.from_numpy(values.copy()), torch.from_numpy(vectors.copy()))


def _in_order(values: torch.Tensor, vectors: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """From ascending to descending, with signs that do not depend on chance."""
    values, vectors = values.flip(0).clamp(min=0), vectors.flip(1)
    largest = vectors.gather(0, vectors.abs().argmax(0, keepdim=True))  # (1, D)
    return values, vectors * torch.where(largest < 0, -1.0, 1.0)


def plane(x: torch.Tensor, rows: int = 8000) -> tuple[torch.Tensor, torch.Tensor]:
    """The mean (D,) and two principal axes (D, 2) of ``x`` (N, D), float32. For looking: some rows will do.

    Data with one column gets a second axis of zeros.
    """
    if x.shape[1] > WHOLE:
        rows //= 4
    some = x[:: max(1, len(x) // rows)]
    mean, covariance = mean_and_covariance(some)
    axes = leading(covariance, 2)[1][:, :2].float()
    return mean.float(), torch.nn.functional.pad(axes, (0, 2 - axes.shape[1]))
