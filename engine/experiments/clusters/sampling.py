"""Sampling: darts on the y axis of a distribution function become draws from p(x), and means of draws become
integrals, in any dimension.

If u is even on [0, 1], then x = F⁻¹(u) is distributed as p, where F(x) = ∫_{-∞}^x p. With draws x_i from p,
E f(x) ≃ 1/N Σ f(x_i), and the error is σ_f / √N whatever the dimension d. A grid of N points has only N^(1/d)
of them along each axis, so that the midpoint rule errs by about N^(-2/d). What high dimension does break is
sampling by rejection: the ball fills next to nothing of the cube around it.

Sources: N. Metropolis and S. Ulam, "The Monte Carlo method", 1949; L. Devroye, "Non-uniform random variate
generation", 1986, chapter 2; C. Bishop, "Pattern recognition and machine learning", 2006, chapter 11.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray

from engine.core.experiment import Demo, Experiment, action, experiment
from engine.core.frame import Beat, Channel, Curve, Frame, Histogram, Scalar, Segments
from engine.core.params import Choice, Knob
from engine.core.text import InputError, Text, _

DIMS = (1, 2, 4, 8, 16)
"""Dimensions in which the same mean is estimated."""
D_NAMES = {str(d): _("d = {d}", d=d) for d in DIMS}
LARGEST = 2**17
"""Where a run ends: enough for a grid with two points along each of 16 axes."""
CHUNK = 2**20
"""Numbers held at once, so that memory stays small."""
TABLE, BINS = 2001, 100
"""Places at which F is tabulated; bars of the histogram."""
SHOWN = 16
"""Darts whose way is drawn: the last ones."""
FLOOR = 1e-12
"""Smaller errors are rounding, and an error of 0 has no place on a logarithmic axis."""


def schedule() -> list[int]:
    """How many draws there are after each step: one more each time, then a quarter more."""
    n = [0]
    while n[-1] < LARGEST:
        n.append(min(LARGEST, max(n[-1] + 1, round(1.25 * n[-1]))))
    return n


SCHEDULE = schedule()


# ── draws from p in one dimension ─────────────────────────────────────────────────────────────────────────


def bump(x: NDArray[np.float64], mu: float, sigma: float) -> NDArray[np.float64]:
    """The density of N(mu, sigma²), (T,)."""
    z = (x - mu) / sigma
    density: NDArray[np.float64] = np.exp(-(z**2) / 2) / (sigma * math.sqrt(2 * math.pi))
    return density


def shape(name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places x and a density there, up to a factor. Each (TABLE,)."""
    low, high = {"exponential": (-0.5, 7.0), "uniform": (-0.25, 1.25), "triangle": (-0.25, 1.25)}.get(
        name, (-4.0, 4.0)
    )
    x = np.linspace(low, high, TABLE)
    inside = (x >= 0) & (x <= 1)
    if name == "exponential":
        return x, np.where(x >= 0, np.exp(-x), 0)
    if name == "uniform":
        return x, np.where(inside, 1.0, 0.0)
    if name == "triangle":
        return x, np.where(inside, x, 0.0)
    if name == "spikes":
        peaks = ((-2.6, 0.10, 1), (-1.0, 0.06, 2), (0.4, 0.15, 3), (2.4, 0.08, 2))  # place, width, weight
        return x, np.sum([w * bump(x, mu, sigma) for mu, sigma, w in peaks], axis=0)
    return x, 0.6 * bump(x, -1.4, 0.5) + 0.4 * bump(x, 1.6, 0.7)


def distribution(x: NDArray[np.float64], p: NDArray[np.float64]) -> NDArray[np.float64]:
    """F(x) = ∫_{-∞}^x p by the trapezoid rule, scaled to end at 1. (T,) -> (T,)."""
    steps = (p[1:] + p[:-1]) / 2 * np.diff(x)  # (T - 1,)
    rising: NDArray[np.float64] = np.concatenate([[0.0], steps.cumsum()])  # (T,)
    rising /= rising[-1]
    return rising


def inverse(u: NDArray[np.float64], x: NDArray[np.float64], f: NDArray[np.float64]) -> NDArray[np.float64]:
    """The draw x = F⁻¹(u): from the height u run across to the curve, then fall to the axis. (N,) -> (N,)."""
    rises = np.concatenate([np.diff(f) > 0, [False]])  # a flat stretch holds no probability
    rises |= np.concatenate([[False], np.diff(f) > 0])  # both ends of each rising stretch
    found: NDArray[np.float64] = np.interp(u, f[rises], x[rises])
    return found


def kolmogorov(u: NDArray[np.float64]) -> float:
    """The largest gap between the share of draws below x and F(x): max |F_n − F|. u: (N,) F at the draws."""
    if len(u) == 0:
        return 1.0
    u, n = np.sort(u), len(u)
    after = np.arange(1, n + 1) / n  # (N,) F_n at each draw; just before it, 1/n less
    return float(max((after - u).max(), (u - after + 1 / n).max()))


# ── means in many dimensions ──────────────────────────────────────────────────────────────────────────────


def log_mean(c: float, d: int) -> float:
    """The value of log E exp(c (x_1 + … + x_d)/√d) for x even in the unit cube.

    Each axis gives a factor (e^s − 1)/s with s = c/√d.
    """
    s = c / math.sqrt(d)
    return d * math.log(math.expm1(s) / s)


def function(total: torch.Tensor, c: float, d: int) -> torch.Tensor:
    """f(x) = exp(c (x_1 + … + x_d)/√d), divided by its mean so that E f = 1. total: x_1 + … + x_d."""
    return (total * (c / math.sqrt(d)) - log_mean(c, d)).exp()


def per_axis(n: int, d: int) -> int:
    """The largest m with m^d ≤ n: how many points of a grid of n there are along each axis."""
    m: int = max(1, round(n ** (1 / d)))
    while m**d > n:  # the root is rounded: put it right in whole numbers
        m -= 1
    while (m + 1) ** d <= n:
        m += 1
    return m


def grid_mean(c: float, d: int, m: int) -> float:
    """The mean of f over the m^d midpoints of a grid: the midpoint rule."""
    sum_f, count = 0.0, int(m**d)
    for first in range(0, count, CHUNK):
        index = torch.arange(first, min(first + CHUNK, count))  # (B,) of the points, read in base m
        total = torch.zeros(len(index), dtype=torch.float64)  # (B,) x_1 + … + x_d
        for _axis in range(d):
            total += ((index % m).double() + 0.5) / m
            index = index // m
        sum_f += float(function(total, c, d).sum())
    return sum_f / count


def ball_share(d: int) -> float:
    """The volume of the ball over that of the cube around it: π^(d/2) / Γ(d/2 + 1) / 2^d."""
    return math.exp(d / 2 * math.log(math.pi) - math.lgamma(d / 2 + 1) - d * math.log(2))


# ── the experiment ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingParams:
    """What can be turned."""

    density: Annotated[
        str,
        Choice(
            {
                "bumps": _("two bumps"),
                "exponential": _("exponential"),
                "uniform": _("uniform"),
                "triangle": _("triangle"),
                "spikes": _("spikes"),
            },
            live=False,
            label=_("Density p"),
            help=_("What the darts are to be distributed as."),
        ),
    ] = "bumps"
    d: Annotated[
        str,
        Choice(
            D_NAMES,
            label=_("Dimension d"),
            help=_("Whose errors and whose ball the curves below follow. All dimensions run at once."),
        ),
    ] = "8"
    c: Annotated[
        float,
        Knob(
            0.5,
            8.0,
            "log",
            live=False,
            label=_("Steepness c of f"),
            help=_("The mean of exp(c (x₁ + … + x_d)/√d) is sought. A large c makes it hang on rare points."),
        ),
    ] = 3.0
    repeats: Annotated[
        int,
        Knob(
            1,
            64,
            live=False,
            label=_("Repetitions"),
            help=_("The error is the root mean square over so many runs; with 1 it is the luck of one run."),
        ),
    ] = 32


@experiment(
    "sampling",
    title=_("Sampling and Monte Carlo"),
    question=_("How do you draw from p(x), and what are draws good for?"),
    topic="clusters",
    datasets=(),
    demos=(
        Demo("darts", _("Darts on the y axis"), _("Why do even darts gather under the bumps?"), "",
             picture="cdf"),
        Demo("spikes", _("Steep stairs catch the darts"), _("Where will the histogram grow?"), "",
             {"density": "spikes"}, picture="histogram"),
        Demo("any_dimension", _("The grid explodes, chance does not"),
             _("In 16 dimensions: whose error falls, the grid’s or that of random points?"), "", {"d": "16"},
             picture="error"),
        Demo("ball", _("The ball disappears"), _("How much of the cube does the ball fill in 16 dimensions?"),
             "", {"d": "16"}, picture="ball"),
        Demo("rare", _("Rare points decide"), _("What if nearly all of the mean comes from a few points?"),
             "", {"c": 8.0, "repeats": 1, "d": "16"}, picture="error"),
    ),
)  # fmt: skip
class Sampling(Experiment[SamplingParams]):
    """Darts in one dimension, and means in many, on the same growing number of draws."""

    channels = {
        "cdf": Channel(Curve, _("Click a height u: across to F, down to x")),
        "error": Channel(Curve, _("Error with N points")),
        "ball": Channel(Curve, _("Share of the cube in the ball")),
        "histogram": Channel(Curve, _("All draws so far, under the density")),
    }
    scalars = {
        "ks": Scalar(_("Largest gap between draws and F"), log=True),
        "mc_error": Scalar(_("Error by Monte Carlo"), log=True),
        "grid_error": Scalar(_("Error by the grid"), log=True),
        "accepted": Scalar(_("Share in the ball")),
    }
    pace = 2.0
    memory = ("darts", "sums", "inside", "errors", "grids")
    sizes = {"darts": "n", "errors": ".T", "grids": ".T"}

    def setup(self) -> None:
        self.x, p = shape(self.p.density)  # (TABLE,) each
        self.f = distribution(self.x, p)
        self.density = p / np.trapezoid(p, self.x)
        self.stage = ""
        self.thrown = np.zeros(0)  # (B,) heights on their way, in slow motion
        self.darts = torch.zeros(0, dtype=torch.float64)  # (N,) draws so far
        self.sums = torch.zeros(len(DIMS), self.p.repeats, dtype=torch.float64)  # Σ f(x_i)
        self.inside = torch.zeros(max(DIMS), dtype=torch.int64)  # draws in the ball, for d = 1, 2, …
        # Errors so far, (D, steps + 1): without a point both rules say 0 where 1 is right.
        self.errors = torch.ones(len(DIMS), 1, dtype=torch.float64)
        self.grids = self.errors.clone()

    def run(self) -> Iterator[Frame | Beat]:
        self.stage = ""
        yield self._frame()
        while self.step + 1 < len(SCHEDULE):
            more = SCHEDULE[self.step + 1] - SCHEDULE[self.step]

            self.stage = "throw"
            self.thrown = torch.rand(more, generator=self.rng, dtype=torch.float64).numpy()  # u ~ U(0, 1)
            yield Beat(_("throw darts evenly at the upright axis: u between 0 and 1"), highlight=("cdf",))
            self.stage = "across"
            yield Beat(_("run across to the curve, then fall: x = F⁻¹(u)"), highlight=("cdf",))
            self._land(self.thrown)
            self.stage = "landed"
            yield Beat(_("count each x in its bar"), highlight=("histogram",))

            self.stage = "mean"
            yield Beat(_("average f over as many points, in every dimension"), highlight=("error",))
            self._draw(more)
            self.step += 1
            n = SCHEDULE[self.step]
            # (D, R) -> (D, 1): the root mean square of 1/N Σ f(x_i) − 1
            by_chance = ((self.sums / n - 1) ** 2).mean(1, keepdim=True).sqrt()
            means = [grid_mean(self.p.c, d, per_axis(n, d)) for d in DIMS]
            by_grid = (torch.tensor(means, dtype=torch.float64)[:, None] - 1).abs()  # (D, 1)
            self.errors = torch.cat([self.errors, by_chance], 1)
            self.grids = torch.cat([self.grids, by_grid], 1)

            self.stage = ""
            yield self._frame()

    def ended(self) -> Text | None:
        return _("{n:,.0f} draws, and enough: four times as many would halve the error.", n=float(LARGEST))

    @action
    def dart(self, x: float, y: float) -> None:
        """Throw a dart at height ``y`` of the upright axis; how far along x makes no difference."""
        if not (math.isfinite(x) and abs(x) < 1e12 and -0.1 <= y <= 1.1):  # NaN is in no range either
            raise InputError(_("A dart lands between 0 and 1 on the upright axis."))
        self._land(np.array([min(max(y, 0.0), 1.0)]))

    # ── inside ─────────────────────────────────────────────────────────────────────────────────────────────

    def _land(self, u: NDArray[np.float64]) -> None:
        self.darts = torch.cat([self.darts, torch.from_numpy(inverse(u, self.x, self.f))])

    def _draw(self, more: int) -> None:
        """``more`` points of each repetition: their f in every dimension, and whether they are in the ball.

        A point in d dimensions is the first d coordinates of one in 16, which saves drawing them anew.
        """
        repeats, deepest = self.p.repeats, max(DIMS)
        at_once = max(1, CHUNK // (repeats * deepest))
        for first in range(0, more, at_once):
            size = (min(at_once, more - first), repeats, deepest)  # (B, R, 16)
            x = torch.rand(size, generator=self.rng)
            totals = x.cumsum(2)  # (B, R, 16): x_1 + … + x_d for d = 1, 2, …
            for i, d in enumerate(DIMS):
                self.sums[i] += function(totals[:, :, d - 1], self.p.c, d).double().sum(0)  # (R,)
            norms = x.mul_(2).sub_(1).square_().cumsum(2)  # (B, R, 16): ‖2x − 1‖², the cube from −1 to 1
            self.inside += (norms <= 1).sum((0, 1))  # (16,)

    # ── pictures ───────────────────────────────────────────────────────────────────────────────────────────

    def _frame(self) -> Frame:
        d, n = int(self.p.d), SCHEDULE[self.step]
        row = DIMS.index(d)
        u = np.interp(self.darts.numpy(), self.x, self.f)  # (N,)
        scalars = {
            "ks": kolmogorov(u),
            "mc_error": float(self.errors[row, self.step]),
            "grid_error": float(self.grids[row, self.step]),
            "accepted": float(self.inside[d - 1]) / max(1, n * self.p.repeats),
        }
        views = {
            "cdf": self._cdf,
            "histogram": self._histogram,
            "error": self._error,
            "ball": self._ball,
        }
        return Frame(self.step, scalars, views)

    def _cdf(self) -> Curve:
        low, high = float(self.x[0]), float(self.x[-1])
        if self.stage in ("throw", "across"):
            u = self.thrown[:SHOWN]  # (M,)
            x = inverse(u, self.x, self.f)
        else:
            x = self.darts[-SHOWN:].numpy()  # (M,)
            u = np.interp(x, self.x, self.f)
        left, floor = np.full_like(u, low), np.zeros_like(u)
        starts, curve, feet = (np.stack([a, b], 1) for a, b in ((left, u), (x, u), (x, floor)))  # (M, 2) each
        if self.stage == "throw":
            segments, dots = None, starts
        else:
            begin, end = np.concatenate([starts, curve]), np.concatenate([curve, feet])  # (2M, 2)
            segments = Segments(begin.astype(np.float32), end.astype(np.float32))
            dots = np.concatenate([starts, feet])
        return Curve(
            self.x.astype(np.float32), {_("F(x)"): self.f.astype(np.float32)}, (_("x"), _("u")),
            segments=segments, dots=dots.astype(np.float32), click="dart", span=(low, high), range=(0.0, 1.0),
        )  # fmt: skip

    def _histogram(self) -> Curve:
        edges = np.linspace(self.x[0], self.x[-1], BINS + 1)
        counts = np.histogram(self.darts.numpy(), edges)[0]  # (BINS,)
        heights = counts / (max(1, len(self.darts)) * np.diff(edges))  # area 1, as the density has
        bars = Histogram(
            edges.astype(np.float32),
            heights.astype(np.float32),
            _("{n:,.0f} draws", n=float(len(self.darts))),
        )
        return Curve(
            self.x.astype(np.float32), {_("p(x)"): self.density.astype(np.float32)}, (_("x"), _("density")),
            histogram=bars, span=(float(self.x[0]), float(self.x[-1])),
            range=(0.0, 1.3 * float(self.density.max())),
        )  # fmt: skip

    def _error(self) -> Curve:
        """The grid and random points in d dimensions; faint, random points in the others; grey, 1/√N."""
        n = np.array(SCHEDULE[1 : max(1, self.step) + 1], np.float32)  # (T,)
        row = DIMS.index(int(self.p.d))
        by_grid, by_chance = np.full((2, len(DIMS), len(n)), np.nan, np.float32)  # (D, T) each
        if self.step:
            by_grid, by_chance = (
                e[:, 1:].clamp(min=FLOOR).float().numpy() for e in (self.grids, self.errors)
            )
        # The first colour is also that of the faint lines.
        lines: dict[str, NDArray[np.float32]] = {
            _("random points"): by_chance[row],
            _("grid"): by_grid[row],
        }
        now = [[n[-1], of[row, -1]] for of in (by_grid, by_chance)] if self.step else []
        guide = np.array([[1, 1], [LARGEST, LARGEST**-0.5]], np.float32)  # straight where both are logarithms
        return Curve(
            n, lines, (_("N points"), _("relative error (grey: 1/√N)")),
            quiet=np.delete(by_chance, row, 0) if self.step else None,
            segments=Segments(guide[:1], guide[1:]), dots=np.array(now, np.float32).reshape(-1, 2),
            log=(True, True), span=(1.0, float(LARGEST)), range=(1e-4, 3.0),
        )  # fmt: skip

    def _ball(self) -> Curve:
        d = np.arange(1, max(DIMS) + 1)  # (16,)
        drawn = max(1, SCHEDULE[self.step] * self.p.repeats)
        share = self.inside.numpy() / drawn  # (16,)
        counted = np.where(share > 0, share, np.nan).astype(np.float32)  # 0 has no place on a log axis
        exact = np.array([ball_share(int(k)) for k in d], np.float32)
        return Curve(
            d.astype(np.float32), {_("counted"): counted, _("exact"): exact},
            (_("dimension d"), _("share")), mark=float(self.p.d), log=(False, True), range=(1e-6, 2.0),
        )  # fmt: skip
