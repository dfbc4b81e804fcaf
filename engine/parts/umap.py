"""UMAP, an epoch at a time: the fuzzy graph of nearest neighbours, and its layout by stochastic descent.

Sources: L. McInnes, J. Healy, J. Melville, "UMAP: Uniform manifold approximation and projection for dimension
reduction", 2018; what its sampling minimises: S. Damrich, F. Hamprecht, "On UMAP's true loss function", 2021.

The same graph, the same forces and the same sampling of edges as umap-learn, and three differences. All edges
of an epoch are moved at once instead of one after the other. Each undirected edge is drawn once and counted
twice. And the random others that push a point away are not drawn edge by edge: each point meets ``MEETINGS``
of them in an epoch, and their push is weighed so that its mean is the same. Pairs at one distance along a
shuffled list are as good as random ones, need no look-up, and each serves both of its points.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

BISECTIONS = 64
LEAST_SIGMA = 1e-3
"""Of the mean distance to the neighbours: σ_i is never less, or points with twins would be alone."""
STRIDE = 0.2
"""Of umap-learn's step: there a point sees its other forces' work before the next one pulls."""
MEETINGS = 32
"""Random others that a point meets in an epoch, an even number. More make a calmer and truer map."""
FARTHEST = 4.0
"""No single force along an axis, and no move in an epoch, is larger."""
NEAR = 1e-3
"""Added to the squared distance under a push, so that it stays finite."""
GOLDEN = 0.6180339887498949
SIDE = 10.0
"""The start fills a square of this side."""


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Undirected edges, each once, of ``n`` points. head, tail: (E,) int64, head < tail. weight: (E,) float32
    in 0..1, how surely the two are neighbours.
    """

    n: int
    head: torch.Tensor
    tail: torch.Tensor
    weight: torch.Tensor


# ── the graph ───────────────────────────────────────────────────────────────────────────────────────────────


def local_scales(distance: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """ρ_i, the distance to the nearest neighbour, and σ_i by bisection, so that

    Σ_j exp(−max(0, d_ij − ρ_i) / σ_i) = log₂ k:  every point has the same sum of weights, (N,) float64 each.

    distance: (N, k − 1) to the nearest others, nearest first; k counts the point itself, as umap-learn does.
    """
    d = distance.double()
    k = d.shape[1] + 1
    apart = torch.where(d > 0, d, torch.inf).amin(1)  # (N,) twins do not count as nearest
    rho = torch.where(apart.isinf(), 0.0, apart)
    beyond = (d - rho[:, None]).clamp_(min=0)  # (N, k − 1)
    low, high, sigma = torch.zeros_like(rho), torch.full_like(rho, torch.inf), torch.ones_like(rho)
    for _ in range(BISECTIONS):
        much = torch.exp(-beyond / sigma[:, None]).sum(1) > math.log2(k)  # (N,)
        high, low = torch.where(much, sigma, high), torch.where(much, low, sigma)
        sigma = torch.where(high.isinf(), 2 * low, (low + high) / 2)
    mean = d.sum(1) / k  # over the k nearest, the point itself included
    floor = torch.where(rho > 0, mean, mean.mean())
    return rho, torch.maximum(sigma, LEAST_SIGMA * floor)


def fuzzy_graph(index: torch.Tensor, distance: torch.Tensor) -> Graph:
    """The fuzzy simplicial set: w_ij = a_ij + a_ji − a_ij a_ji, that i or j takes the other for a neighbour,
    where a_ij = exp(−max(0, d_ij − ρ_i) / σ_i).

    index, distance: (N, k − 1) the nearest others, nearest first.
    """
    n, count = index.shape
    rho, sigma = local_scales(distance)
    beyond = (distance.double() - rho[:, None]).clamp_(min=0)  # (N, k − 1)
    # Where all neighbours are twins σ is 0 / 0: they are neighbours for sure.
    a = torch.where(beyond > 0, torch.exp(-beyond / sigma[:, None].clamp(min=1e-300)), 1.0).reshape(-1)
    i, j = torch.arange(n).repeat_interleave(count), index.reshape(-1)  # (N (k − 1),) each
    key, edge = torch.unique(torch.minimum(i, j) * n + torch.maximum(i, j), return_inverse=True)  # (E,)
    total = torch.zeros(len(key), dtype=torch.float64).index_add_(0, edge, a)  # a_ij + a_ji
    squares = torch.zeros(len(key), dtype=torch.float64).index_add_(0, edge, a**2)
    weight = total - (total**2 - squares) / 2  # (a + b)² − a² − b² = 2 a b
    return Graph(n, key // n, key % n, weight.clamp_(1e-9, 1).float())


# ── the curve ───────────────────────────────────────────────────────────────────────────────────────────────


@functools.lru_cache(maxsize=64)
def curve(min_dist: float, spread: float = 1.0) -> tuple[float, float]:
    """The a and b of q(d) = 1 / (1 + a d^2b), fitted to 1 below ``min_dist`` and
    exp(−(d − min_dist) / spread) beyond.

    Least squares by Gauss–Newton, where a step that does not help is halved (K. Levenberg, 1944). In log a
    and log b, so that both stay positive.
    """
    d = np.linspace(0, 3 * spread, 300)[1:]  # at 0 every curve is 1
    wanted = np.where(d < min_dist, 1.0, np.exp(-(d - min_dist) / spread))

    def fit(log_ab: NDArray[np.float64]) -> NDArray[np.float64]:
        q: NDArray[np.float64] = 1 / (1 + np.exp(log_ab[0]) * d ** (2 * np.exp(log_ab[1])))
        return q

    at, damping = np.zeros(2), 1e-3
    miss = wanted - fit(at)
    for _ in range(200):
        q, (_log_a, log_b) = fit(at), at
        slope = -q * (1 - q)  # ∂q / ∂ log a;  ∂q / ∂ log b is that, times 2 b log d
        jacobian = np.stack([slope, slope * 2 * np.exp(log_b) * np.log(d)], axis=1)  # (299, 2)
        normal = jacobian.T @ jacobian
        step = np.linalg.solve(normal + damping * np.diag(np.diag(normal)), jacobian.T @ miss)
        now = wanted - fit(at + step)
        if now @ now < miss @ miss:
            at, miss, damping = at + step, now, damping / 3
        else:
            damping *= 4
        if np.abs(step).max() < 1e-10:
            break
    a, b = np.exp(at)
    return float(a), float(b)


# ── the start ───────────────────────────────────────────────────────────────────────────────────────────────


def spectral(graph: Graph) -> torch.Tensor | None:
    """The two slowest waves on the graph, (N, 2): eigenvectors of D^−½ W D^−½ after the first.

    None where there are none to find: too few points, or a graph in several pieces, whose eigenvectors would
    only tell the pieces apart.
    """
    import scipy.sparse
    import scipy.sparse.csgraph
    import scipy.sparse.linalg

    n = graph.n
    if n < 8:
        return None
    edges = (graph.weight.numpy(), (graph.head.numpy(), graph.tail.numpy()))
    w = scipy.sparse.coo_array(edges, shape=(n, n)).tocsr()
    w = w + w.T  # in float32: a start need not be exact
    if scipy.sparse.csgraph.connected_components(w, directed=False, return_labels=False) > 1:
        return None
    root = scipy.sparse.dia_array((1 / np.sqrt(w.sum(1))[None], [0]), shape=(n, n))
    first = np.random.default_rng(0).standard_normal(n, dtype=np.float32)  # always the same
    try:
        values, vectors = scipy.sparse.linalg.eigsh(
            root @ w @ root, 3, which="LA", v0=first, tol=1e-4, ncv=min(n - 1, 24), maxiter=500
        )
    except scipy.sparse.linalg.ArpackNoConvergence:
        return None
    slowest = np.argsort(-values)[1:3]
    return torch.from_numpy(np.ascontiguousarray(vectors[:, slowest])).float()


def fill(y: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """``y`` (N, 2) moved and stretched to fill the square, with a touch of noise that parts twins."""
    y = y - y.amin(0)
    widest = y.amax(0)  # (2,)
    y = torch.where(widest > 0, y * (SIDE / widest.clamp(min=1e-30)), SIDE / 2)
    return y + 1e-3 * torch.randn(y.shape, generator=rng)


# ── the layout ──────────────────────────────────────────────────────────────────────────────────────────────


class Umap:
    """A layout that can be driven epoch by epoch, by whatever sets the pace and the knobs."""

    def __init__(self, graph: Graph, y: torch.Tensor) -> None:
        """graph: what belongs together. y: (N, 2) where the points start."""
        self.epoch = 0
        self._at = y.float().T.contiguous()  # (2, N): each axis in one piece
        order = torch.randperm(graph.n, generator=torch.Generator().manual_seed(0))
        self._order = order  # a list in which neighbours are no neighbours; always the same
        self.use(graph)

    @property
    def y(self) -> torch.Tensor:
        """Where the points are, (N, 2), one's own copy."""
        return self._at.T.contiguous()

    def use(self, graph: Graph) -> None:
        """Go on with another graph of the same points."""
        self.graph = graph
        self._rate = graph.weight / graph.weight.max()  # (E,) draws per epoch: the surest edge is in all
        # Each edge has its own place in the rhythm; steps of the golden section spread them evenly.
        self._phase = torch.arange(len(self._rate), dtype=torch.float64).mul_(GOLDEN).frac_().float()
        ends = torch.zeros(graph.n).index_add_(0, graph.head, self._rate)
        self._draws = ends.index_add_(0, graph.tail, self._rate)  # (N,) Σ_j of them, for each point

    def step(
        self, a: float, b: float, rng: torch.Generator, *, alpha: float = 1.0, negatives: float = 5.0
    ) -> None:
        """One epoch. a, b: the curve. alpha: the learning rate, as umap-learn counts it. negatives: how many
        random others push a point away for each neighbour that pulls it, on average.
        """
        force = self._pull(a, b)  # (2, N)
        push = self._push(a, b, rng)
        force.add_(push.mul_(negatives * self._draws / MEETINGS))
        self._at = self._at + (STRIDE * alpha * force).clamp_(-FARTHEST, FARTHEST)
        self.epoch += 1

    def loss(self, a: float, b: float, *, negatives: float = 5.0, shifts: int = 4) -> float:
        """The cross-entropy that an epoch samples, per point:

        C = 1/N Σ_i [ Σ_j p_ij (−log q_ij) + m n_i / (N − 1) Σ_j≠i −log(1 − q_ij + 10⁻³) ]

        with p_ij = w_ij / max w, the share of epochs in which edge ij is drawn, n_i = Σ_j p_ij, m the number
        of ``negatives``, and q = 1 / (1 + a d^2b). The second sum is over pairs at the same few distances
        along a shuffled list, always the same; small sets have all of them.
        """
        n = self.graph.n
        apart = self._at[:, self.graph.head] - self._at[:, self.graph.tail]  # (2, E)
        near = torch.log1p(a * apart.square().sum(0).pow_(b))  # (E,) −log q
        total = 2 * float((self._rate * near).sum(dtype=torch.float64))
        at, weight = self._at[:, self._order], self._draws[self._order]
        chosen = range(1, n) if n <= 2 * shifts else [(i + 1) * n // (2 * shifts + 1) for i in range(shifts)]
        far = 0.0
        for shift in chosen:
            squared = (at - at.roll(-shift, 1)).square_().sum(0)  # (N,)
            q = 1 / (1 + a * squared.pow_(b))
            far -= float((weight * torch.log(1 - q + NEAR)).sum(dtype=torch.float64))
        return (total + negatives * far / len(chosen)) / n

    def state_dict(self) -> dict[str, Any]:
        """All that the next epoch depends on, but for the graph."""
        return {"y": self.y, "epoch": self.epoch}

    def load_state_dict(self, kept: Mapping[str, Any]) -> None:
        """Stand again where ``state_dict()`` was taken."""
        self._at, self.epoch = kept["y"].float().T.contiguous(), int(kept["epoch"])

    def _drawn(self) -> torch.Tensor:
        """The edges of this epoch, (S,): one of rate p is drawn when its clock, p times the epoch, passes a
        whole number.
        """
        before = self._phase + self._rate * self.epoch  # (E,)
        return ((before + self._rate).floor_() > before.floor()).nonzero()[:, 0]

    def _pull(self, a: float, b: float) -> torch.Tensor:
        """Along each edge drawn in this epoch: −∂(−log q) / ∂y_i = −2ab d^2(b−1) / (1 + a d^2b) (y_i − y_j).
        (2, N).
        """
        drawn = self._drawn()  # (S,)
        head, tail = self.graph.head[drawn], self.graph.tail[drawn]
        apart = torch.stack([axis[head] - axis[tail] for axis in self._at])  # (2, S)
        squared = apart.square().sum(0).clamp_(min=1e-12)
        power = squared.pow(b)
        strength = power.mul(-2 * a * b).div_(squared).div_(power.mul_(a).add_(1))  # (S,)
        pull = apart.mul_(strength).clamp_(-FARTHEST, FARTHEST).mul_(2)  # as ij and as ji
        force = torch.zeros_like(self._at)
        for axis, moved in zip(force, pull, strict=True):
            axis.scatter_add_(0, head, moved).scatter_add_(0, tail, -moved)
        return force

    def _push(self, a: float, b: float, rng: torch.Generator) -> torch.Tensor:
        """From each random other: −∂(−log(1 − q)) / ∂y_i = 2b / ((10⁻³ + d²)(1 + a d^2b)) (y_i − y_j).
        (2, N), the sum over all that a point meets.
        """
        n = self.graph.n
        at = self._at[:, self._order]  # (2, N)
        twice = torch.cat([at, at], 1)  # (2, 2 N): the list goes round
        force = torch.zeros_like(twice)
        for shift in torch.randint(1, n, (MEETINGS // 2,), generator=rng).tolist():
            apart = at - twice[:, shift : shift + n]  # (2, N) from the one ``shift`` places further on
            squared = apart.square().sum(0)
            power = squared.pow(b).mul_(a).add_(1)
            strength = (2 * b) / squared.add_(NEAR).mul_(power)  # (N,)
            push = apart.mul_(strength).clamp_(-FARTHEST, FARTHEST)
            force[:, :n] += push
            force[:, shift : shift + n] -= push  # and the other is pushed back
        back = torch.empty_like(at)
        back[:, self._order] = force[:, :n] + force[:, n:]
        return back
