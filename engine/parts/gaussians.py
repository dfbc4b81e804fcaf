"""Gaussians evaluated at very many places at once, as a matrix product.

``engine/experiments/clusters/gmm.py`` has the readable formulas; here the same numbers come from
squares. The logarithm of a Gaussian is a polynomial of degree two in the coordinates, so with 1, x_i and
x_i x_j as the rows of Φ, the log-densities of all components at all places are one product, and so are all
the sums that the M-step needs. In the plane Φ has six rows, and a step over a million points takes a sixth of
a second.
"""

from __future__ import annotations

import math

import torch

COLUMNS = 16_384
"""Places taken at a time: what is made for them stays in the cache."""


def squares(x: torch.Tensor) -> torch.Tensor:
    """Φ of places ``x`` (N, D): rows 1, x_i, and x_i x_j for i ≤ j; (1 + D + D(D+1)/2, N)."""
    rows = x.T  # (D, N)
    i, j = torch.triu_indices(len(rows), len(rows))
    return torch.cat([torch.ones_like(rows[:1]), rows, rows[i] * rows[j]])


def coefficients(weights: torch.Tensor, means: torch.Tensor, covariances: torch.Tensor) -> torch.Tensor:
    """C with C Φ = log π_k N(x; μ_k, Σ_k). (K,), (K, D), (K, D, D) -> (K, 1 + D + D(D+1)/2).

    −½ (x − μ)ᵀ P (x − μ) = −½ μᵀPμ + (Pμ)ᵀx − ½ Σ_i P_ii x_i² − Σ_{i<j} P_ij x_i x_j, where P = Σ⁻¹.
    """
    d = means.shape[1]
    factor = torch.linalg.cholesky(covariances)  # (K, D, D) L
    precision = torch.cholesky_inverse(factor)  # (K, D, D) P
    pulled = (precision @ means[:, :, None])[:, :, 0]  # (K, D) P μ
    half = factor.diagonal(dim1=1, dim2=2).log().sum(1)  # (K,) ½ log |Σ|
    constant = weights.log() - d / 2 * math.log(2 * math.pi) - half - 0.5 * (means * pulled).sum(1)
    i, j = torch.triu_indices(d, d)
    twice = precision[:, i, j] * torch.where(i == j, 0.5, 1.0)  # (K, D(D+1)/2)
    return torch.cat([constant[:, None], pulled, -twice], 1)


class Squares:
    """The E-step and the sums of the M-step for the points ``x`` (N, D) float64, N large and D small."""

    def __init__(self, x: torch.Tensor) -> None:
        self.d = x.shape[1]
        self.phi = squares(x)  # (Q, N)

    def expect(
        self, weights: torch.Tensor, means: torch.Tensor, covariances: torch.Tensor
    ) -> tuple[float, torch.Tensor]:
        """Mean of log p(x), and Σ_i r_ki Φ_i, (K, Q)."""
        c = coefficients(weights, means, covariances)
        total, moments = 0.0, torch.zeros_like(c)
        for phi in torch.split(self.phi, COLUMNS, 1):  # (Q, COLUMNS)
            joint = c @ phi  # (K, COLUMNS) log π_k N_k
            top = joint.max(0).values
            shares = joint.sub_(top).exp_()  # r_k, all but for what they must add up to
            whole = shares.sum(0)
            total += float((top + whole.log()).sum())
            moments += shares.div_(whole) @ phi.T
        return total / self.phi.shape[1], moments

    def spread(self, moments: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """n_k = Σ r, μ_k = Σ r x / n_k and S_k = Σ r x xᵀ / n_k − μ_k μ_kᵀ: (K,), (K, D), (K, D, D)."""
        n = moments[:, 0]
        mean = moments / n.clamp(min=torch.finfo(n.dtype).tiny)[:, None]  # (K, Q)
        means = mean[:, 1 : 1 + self.d]
        i, j = torch.triu_indices(self.d, self.d)
        second = torch.zeros(len(n), self.d, self.d, dtype=n.dtype)
        second[:, i, j] = second[:, j, i] = mean[:, 1 + self.d :]
        return n, means, second - means[:, :, None] * means[:, None, :]

    def best_two(
        self, weights: torch.Tensor, means: torch.Tensor, covariances: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The two most responsible components of each point, and r_1 / (r_1 + r_2). (N,) each."""
        c = coefficients(weights, means, covariances)
        found = [two(c @ phi) for phi in torch.split(self.phi, COLUMNS, 1)]
        first, second, share = (torch.cat(parts) for parts in zip(*found, strict=True))
        return first, second, share


def two(joint: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The two largest of each column of log π_k N_k (K, N), and the share of the first in both. (N,) each.

    Twice ``max`` and not ``topk``, which is many times slower along this axis.
    """
    top, first = joint.max(0)
    if len(joint) == 1:
        return first, first, torch.ones_like(top)
    rest, second = joint.scatter(0, first[None], -math.inf).max(0)
    return first, second, torch.sigmoid(top - rest)
