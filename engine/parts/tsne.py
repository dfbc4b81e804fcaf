"""t-SNE, one step at a time: points in the plane, pulled by their neighbours in the data, pushed by all.

P says who is near whom in the data, Q in the plane, and the plane is changed until
KL(P ‖ Q) = Σ p ln(p / q) is small:

    p_j|i ∝ exp(−β_i d_ij²),  p_ij = (p_j|i + p_i|j) / 2N,    q_ij = w_ij / Z,  w_ij = 1 / (1 + ‖y_i − y_j‖²),
    ∂KL/∂y_i = 4 (Σ_j p_ij w_ij (y_i − y_j)  −  1/Z Σ_j w_ij² (y_i − y_j)).
                  attraction                        repulsion

Sources: L. van der Maaten, G. Hinton, "Visualizing data using t-SNE", 2008; the repulsion of all by all
through a grid and its Fourier transform: G. Linderman, M. Rachh, J. Hoskins, S. Steinerberger, Y. Kluger,
"Fast interpolation-based t-SNE", 2019; the length of a step: A. Belkina et al., "Automated optimized
parameters for t-distributed stochastic neighbor embedding", 2019.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

HALVINGS = 60
"""Rounds of the search for β: after that float32 knows no better."""
EXACT = 400
"""Up to so many points, repulsion is summed over all pairs; beyond, the grid is quicker."""
SPACING = 0.5
"""Distance of the grid's nodes: w = 1 / (1 + r²) is about 1 wide."""
FEWEST, MOST = 24, 1500
"""Nodes across the map at least, while it is still small; and at most, should it burst."""
LONGEST = 5.0
"""No point moves further in one step, whatever the knobs, and none further than the map is wide."""
LEAST_GAIN = 0.01


# ── who is near whom in the data ────────────────────────────────────────────────────────────────────────────


def conditional(distance: torch.Tensor, perplexity: float) -> torch.Tensor:
    """p_j|i of the k nearest of each point, (N, k): rows sum to 1 and have the wanted ``perplexity`` exp(H).

    distance: (N, k). β_i is found by bisection: the larger it is, the fewer neighbours count. Where even the
    largest leaves too many (equal distances) all of those count alike.
    """
    wanted = math.log(min(max(perplexity, 1.01), distance.shape[1]))
    square = distance.double() ** 2
    # p does not change, and not all of a row can underflow.
    square = square - square.min(1, keepdim=True).values  # (N, k)
    scale = square.mean(1, keepdim=True).clamp_(min=1e-300)  # (N, 1)
    square = (square / scale).float()
    low, high = torch.full((len(square), 1), -20.0), torch.full((len(square), 1), 60.0)  # (N, 1) of log β
    for _round in range(HALVINGS):
        middle = (low + high) / 2
        p = torch.exp(-middle.exp() * square)  # (N, k)
        total = p.sum(1, keepdim=True)
        # H = −Σ p ln p with p = e^(−β d²) / S:  H = ln S + β Σ p d²
        entropy = total.log() + middle.exp() * (p * square).sum(1, keepdim=True) / total  # (N, 1)
        wide = entropy > wanted
        low, high = torch.where(wide, middle, low), torch.where(wide, high, middle)
        if float((high - low).max()) < 1e-5:
            break
    return p / total


@dataclass(frozen=True, slots=True, eq=False)
class Affinities:
    """P, row by row without its zeros: p (E,) float32, sums to 1, belongs to the pair row (E,), column (E,)
    int32. starts: (N,) int64, where each row begins. entropy: −Σ p ln p.
    """

    row: torch.Tensor
    column: torch.Tensor
    p: torch.Tensor
    starts: torch.Tensor
    entropy: float


def affinities(index: torch.Tensor, distance: torch.Tensor, perplexity: float) -> Affinities:
    """p_ij = (p_j|i + p_i|j) / 2N from the nearest of each point, as ``knn.nearest`` finds them: index (N, k)
    int64, distance (N, k), k about three times the perplexity.
    """
    from scipy.sparse import csr_matrix

    n, k = index.shape
    one_way = conditional(distance, perplexity)  # (N, k)
    rows = np.arange(0, n * k + 1, k)  # (N + 1,)
    p = csr_matrix((one_way.reshape(-1).numpy(), index.reshape(-1).numpy(), rows), shape=(n, n))
    both = (p + p.T).tocsr()
    value = torch.from_numpy(both.data).double()  # (E,)
    value /= value.sum()
    starts, column = torch.from_numpy(both.indptr.astype(np.int64)), torch.from_numpy(both.indices)
    row = torch.arange(n, dtype=torch.int32).repeat_interleave(starts.diff())  # (E,)
    entropy = float(-torch.special.xlogy(value, value).sum())
    return Affinities(row, column.int(), value.float(), starts[:-1], entropy)


# ── attraction, repulsion ───────────────────────────────────────────────────────────────────────────────────


def attraction(affinities: Affinities, y: torch.Tensor) -> torch.Tensor:
    """Σ_j p_ij w_ij (y_j − y_i), (N, 2): towards the neighbours."""
    a = affinities
    x, up = y.T.contiguous()  # (N,) each
    # One coordinate at a time: long vectors are quick.
    dx, dy = x.index_select(0, a.column), up.index_select(0, a.column)  # (E,)
    dx.sub_(x.index_select(0, a.row))
    dy.sub_(up.index_select(0, a.row))
    w = torch.addcmul(torch.ones(()), dx, dx).addcmul_(dy, dy)  # (E,): 1 + ‖y_i − y_j‖²
    torch.div(a.p, w, out=w)
    starts = a.starts.numpy()  # every row has entries, as reduceat needs it
    pull = [np.add.reduceat(d.mul_(w).numpy(), starts) for d in (dx, dy)]
    return torch.from_numpy(np.stack(pull, 1))


def repulsion_exact(y: torch.Tensor) -> tuple[torch.Tensor, float]:
    """Σ_j w_ij² (y_i − y_j), (N, 2), and Z = Σ_{i≠j} w_ij."""
    difference = y[:, None] - y[None]  # (N, N, 2)
    w = 1 / (1 + (difference**2).sum(2))  # (N, N)
    return (w[:, :, None] ** 2 * difference).sum(1), float(w.sum(dtype=torch.float64)) - len(y)


@dataclass(frozen=True, slots=True, eq=False)
class Kernels:
    """Fourier transforms of w(r) and of w²(r) r on a torus of size × size nodes, (M, M/2 + 1) each."""

    size: int
    spacing: float
    w: torch.Tensor
    across: torch.Tensor
    up: torch.Tensor


def kernels(size: int, spacing: float) -> Kernels:
    """The two kernels, on a grid of ``size`` nodes each way; half of it stays empty, so that nothing comes
    round from the other side.

    Spreading points over four nodes each way blurs by (1/6, 4/6, 1/6), and so does reading off: both are
    undone here, in Fourier space, and splines then pass through the kernels instead of near them.
    """
    offset = torch.fft.fftfreq(size, 1 / size) * spacing  # (M,): 0, h, 2 h, …, −2 h, −h
    w = 1 / (1 + offset[:, None] ** 2 + offset[None] ** 2)  # (M, M)
    blur = (4 + 2 * torch.cos(2 * math.pi * torch.fft.fftfreq(size))) / 6  # (M,)
    twice = (blur[:, None] * blur[None, : size // 2 + 1]) ** 2  # (M, M/2 + 1)
    hat = torch.fft.rfft2(w).real / twice  # an even kernel has a real transform, (M, M/2 + 1)
    # Each column but the first and last stands for its mirror image too.
    hat[:, 1 : (size + 1) // 2] *= 2
    force = w**2 * offset[:, None]
    across, up = torch.fft.rfft2(force) / twice, torch.fft.rfft2(force.T) / twice
    return Kernels(size, spacing, hat / size**2, across, up)


def repulsion_grid(y: torch.Tensor, known: Kernels | None = None) -> tuple[torch.Tensor, float, Kernels]:
    """As :func:`repulsion_exact`, nearly: points are spread over the nodes of a grid, the grid is convolved
    with w² r, and the outcome is read off between its nodes. known: the kernels of the last step.
    """
    low, extent = y.min(0).values, float((y.max(0).values - y.min(0).values).max())
    h = _spacing(extent)
    nodes = int(extent / h + 1.5) + 4  # G, with one to spare on each side
    size = _quick(2 * nodes)  # M
    if known is None or (known.size, known.spacing) != (size, h):
        known = kernels(size, h)

    place = (y - low) / h + 1.5  # (N, 2) in nodes
    base = place.floor()
    weight = _spline(place - base)  # (4, N, 2)
    first = base.long() - 1  # (N, 2)
    # The 16 nodes around each point, one row of (16, N) for each.
    at = torch.stack([(first[:, 0] + a) * nodes + first[:, 1] + b for a in range(4) for b in range(4)])
    share = torch.stack([weight[a, :, 0] * weight[b, :, 1] for a in range(4) for b in range(4)])
    ink = torch.zeros(nodes * nodes).index_add_(0, at.reshape(-1), share.reshape(-1)).reshape(nodes, nodes)

    hat = torch.fft.fft(torch.fft.rfft(ink, n=size), n=size, dim=0)  # (M, M/2 + 1); empty rows cost nothing
    # Parseval: Σ_ij w_ij = Σ_k |ρ̂_k|² ŵ_k / M², of which N are those of points with themselves.
    z = float(((hat.real**2 + hat.imag**2) * known.w).sum(dtype=torch.float64)) - len(y)
    force = []
    for kernel in (known.across, known.up):
        columns = torch.fft.ifft(hat * kernel, dim=0)[:nodes]  # (G, M/2 + 1)
        field = torch.fft.irfft(columns, n=size)[:, :nodes].reshape(-1)  # (G G,)
        force.append((field.take(at) * share).sum(0))  # (N,)
    return torch.stack(force, 1), max(z, 1e-12), known


def _spacing(extent: float) -> float:
    """The distance of two nodes, out of few values, so that kernels can be kept from step to step."""
    finest = max(extent, 1e-30) / FEWEST
    if finest < SPACING:
        return SPACING * 2.0 ** math.floor(math.log2(finest / SPACING))
    return SPACING * 2.0 ** max(0, math.ceil(math.log2(extent / MOST / SPACING)))


def _quick(least: int) -> int:
    """The smallest size from ``least`` on that a Fourier transform is quick for: 16 · 2ᵃ 3ᵇ 5ᶜ."""
    size = 16 * math.ceil(least / 16)
    while _rough(size // 16) > 1:
        size += 16
    return size


def _rough(number: int) -> int:
    """What is left of ``number`` without its factors 2, 3 and 5."""
    for prime in (2, 3, 5):
        while number % prime == 0:
            number //= prime
    return number


def _spline(t: torch.Tensor) -> torch.Tensor:
    """The weights of nodes −1, 0, 1, 2 at a place t in 0..1, those of a cubic spline: (…) -> (4, …). They sum
    to 1.
    """
    u = 1 - t
    return torch.stack([u**3, 4 - 6 * t**2 + 3 * t**3, 4 - 6 * u**2 + 3 * u**3, t**3]) / 6


# ── a step ──────────────────────────────────────────────────────────────────────────────────────────────────


class Tsne:
    """A map that is being made. y: (N, 2) where the points are now; change ``affinities`` at any time."""

    def __init__(self, affinities: Affinities, start: torch.Tensor) -> None:
        self.affinities = affinities
        self.y = start.float().clone()  # (N, 2)
        self.velocity = torch.zeros_like(self.y)
        self.gain = torch.ones_like(self.y)
        self._kernels: Kernels | None = None

    def forces(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Attraction and repulsion at every point, (N, 2) each."""
        if len(self.y) <= EXACT:
            push, z = repulsion_exact(self.y)
        else:
            push, z, self._kernels = repulsion_grid(self.y, self._kernels)
        return attraction(self.affinities, self.y), push / z

    def step(self, *, exaggeration: float = 1.0, rate: float = 1.0, momentum: float = 0.8) -> None:
        """One step down the gradient. exaggeration: P times that. rate: in units of the usual one."""
        self.move(*self.forces(), exaggeration=exaggeration, rate=rate, momentum=momentum)

    def move(
        self, pull: torch.Tensor, push: torch.Tensor, *, exaggeration: float, rate: float, momentum: float
    ) -> None:
        """The second half of :meth:`step`, for whoever wants to show the forces first."""
        gradient = -4 * (exaggeration * pull + push)  # (N, 2)
        # Gains (R. Jacobs, 1988): larger where the direction stays, smaller where it flips.
        same = self.velocity * gradient < 0
        self.gain = torch.where(same, self.gain + 0.2, self.gain * 0.8).clamp_(min=LEAST_GAIN)
        length = rate * usual_rate(len(self.y), exaggeration)  # η
        velocity = momentum * self.velocity - length * self.gain * gradient
        size = torch.linalg.vector_norm(velocity, dim=1, keepdim=True)  # (N, 1)
        longest = min(LONGEST, float(self.y.std()))
        self.velocity = velocity * (longest / size.clamp(min=max(longest, 1e-30)))
        y = self.y + self.velocity
        self.y = y - y.mean(0)

    def kl(self) -> float:
        """KL(P ‖ Q) = Σ p ln p + Σ p ln(1 + d²) + ln Z, since q = 1 / ((1 + d²) Z), never below 0."""
        a, few = self.affinities, len(self.y) <= EXACT
        z = repulsion_exact(self.y)[1] if few else repulsion_grid(self.y, self._kernels)[1]
        d = self.y.index_select(0, a.row) - self.y.index_select(0, a.column)  # (E, 2)
        far = float((a.p * torch.log1p((d**2).sum(1))).sum(dtype=torch.float64))
        return max(0.0, far + math.log(max(z, 1e-12)) - a.entropy)

    def state_dict(self) -> dict[str, torch.Tensor]:
        """What the next step depends on, but for the affinities."""
        return {"y": self.y, "velocity": self.velocity, "gain": self.gain}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what :meth:`state_dict` gave."""
        self.y, self.velocity, self.gain = state["y"], state["velocity"], state["gain"]


def usual_rate(n: int, exaggeration: float) -> float:
    """η = N / exaggeration / 4, with the 4 of the gradient: forces are about 1 / N."""
    return n / exaggeration / 4
