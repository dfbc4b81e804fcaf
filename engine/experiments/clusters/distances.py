"""The curse of dimensionality: in many dimensions, random points are all equally far from each other.

Take two random points x and y of d coordinates, and the mean of their squared differences,
D = 1/d Σ (x_i − y_i)². The d terms are independent and alike, so by the central limit theorem
D ≃ N(m, (s/√d)²), with m and s the mean and the standard deviation of one term. The spread dies away as
1/√d while the mean stays: near and far lose their meaning, and methods that live on distances fail.

Sources: R. Bellman, "Adaptive control processes", 1961, for the name; K. Beyer, J. Goldstein,
R. Ramakrishnan and U. Shaft, "When is nearest neighbor meaningful?", ICDT 1999, for nearest over farthest.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.core.experiment import Demo, Experiment, experiment, query
from engine.core.frame import Beat, Channel, Curve, Frame, Histogram, Images, Mark, Points, Scalar
from engine.core.params import Choice, Knob, Switch
from engine.core.text import Text, _
from engine.data.registry import Dataset

Array = NDArray[np.float64]
Block = NDArray[Any]
"""Columns of points: float32, or uint64 where each number is 64 bits of a binary point."""

LAST = 1_000_000
"""A black and white picture of 1000 × 1000 pixels."""
PAIRS = 2000
"""Pairs of points, no two of which share a point: only then are their distances independent of each other."""
FLOATS = 120_000_000
"""Coordinates drawn in one step where they are not bits: beyond 30,000 dimensions that means fewer pairs."""
OTHERS = 100
"""Points among which the nearest and the farthest are sought: the same number in every dimension."""
BLOCK = 2**19
"""Numbers (64 bits of a binary point, or one coordinate of another) that are in memory at a time."""
CLUSTERS, MEMBERS, RADIUS = 3, 40, 4.0
"""What k-means is to find: groups of width 1, their centres evenly on a circle of that radius."""
STARTS = 10
"""Starts of k-means, of which the best end counts."""
PICTURES, SIDE = 12, 32


# ── what the theory says ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Law:
    """One way to draw a coordinate. mean, spread: of (x_i − y_i)², exactly; name: the latter in signs.

    grid: D · d is a multiple of it, 0 where D takes any value. span: the axis on which D is shown.
    """

    mean: float
    spread: float
    name: str
    grid: float
    span: tuple[float, float]

    def sigma(self, d: float) -> float:
        """The predicted standard deviation of D: s / √d."""
        return self.spread / math.sqrt(d)


LAWS = {
    # (x − y)² is 0 or 1, each half of the time.
    "binary": Law(1 / 2, 1 / 2, "1/(2√d)", 1.0, (-0.25, 1.25)),
    # E (x − y)² = 1/6 and E (x − y)⁴ = 1/15, so the variance is 1/15 − 1/36 = 7/180.
    "uniform": Law(1 / 6, math.sqrt(7 / 180), "√(7/180)/√d", 0.0, (-0.2, 1.0)),
    # x − y ~ N(0, 2), and (x − y)² / 2 is chi-squared: mean 1, variance 2.
    "gaussian": Law(2.0, math.sqrt(8), "√8/√d", 0.0, (-3.0, 16.0)),
}


def normal(z: Array) -> Array:
    """Φ(z), the share of a standard Gaussian below z."""
    share: Array = torch.special.ndtr(torch.from_numpy(z)).numpy()
    return share


def kolmogorov(values: Array, mean: float, sigma: float, grid: float = 0.0) -> float:
    """How far the share of ``values`` below x is from what N(mean, sigma²) says, at the worst x.

    Values on a grid are compared with the Gaussian rounded to that grid: P(D ≤ x) with Φ at x + half a grid.
    Without that, the stairs of few possible values would count as a difference that is none.
    """
    x, counts = np.unique(values, return_counts=True)  # (U,) rising
    upto = counts.cumsum() / len(values)  # (U,) share of the values ≤ x
    below = upto - counts / len(values)  # (U,) share of the values < x
    above = np.abs(upto - normal((x + grid / 2 - mean) / sigma))
    under = np.abs(below - normal((x - grid / 2 - mean) / sigma))
    return float(max(above.max(), under.max()))


# ── points and their distances, some dimensions at a time ─────────────────────────────────────────────────


def blocks(kind: str, n: int, d: int, rng: torch.Generator) -> Iterator[Block]:
    """``n`` random points of ``d`` coordinates, as blocks of columns (n, w): never all of them in memory.

    Binary points come packed, 64 coordinates in each number; bits beyond ``d`` are 0.
    """
    columns = math.ceil(d / 64) if kind == "binary" else d
    width = max(1, BLOCK // n)
    for first in range(0, columns, width):
        w = min(width, columns - first)
        if kind == "binary":
            drawn = torch.empty(n, w, dtype=torch.int64).random_(-(2**63), None, generator=rng)
            words = drawn.numpy().view(np.uint64)  # (n, w) bitwise_count takes signs off signed numbers
            left = d - 64 * first
            if left < 64 * w:
                words[:, -1] &= np.uint64(2 ** (left % 64) - 1)
            yield words
        elif kind == "uniform":
            yield torch.rand(n, w, generator=rng).numpy()
        else:
            yield torch.randn(n, w, generator=rng).numpy()


def squares(a: Block, b: Block) -> Array:
    """Σ (a_i − b_i)² of each row, (n,). For bits that is how many of them differ."""
    bits = a.dtype == np.uint64
    total: Array = np.bitwise_count(a ^ b).sum(1, dtype=np.uint32) if bits else np.square(a - b).sum(1)
    return total


def pairs_and_others(points: Iterable[Block], pairs: int) -> tuple[Array, Array]:
    """Squared distances of points 0 and 1, 2 and 3, …, (pairs,), and of point 0 to the next, (OTHERS,)."""
    between, around = np.zeros(pairs), np.zeros(OTHERS)
    for x in points:  # (2 pairs, w)
        between += squares(x[0::2], x[1::2])
        around += squares(x[:1], x[1 : 1 + OTHERS])
    return between, around


def all_pairs(points: Iterable[Block], n: int) -> Array:
    """Squared distances of each of ``n`` points to each, (n, n)."""
    apart = np.zeros((n, n))
    for x in points:  # (n, w)
        for i in range(n - 1):
            apart[i, i + 1 :] += squares(x[i : i + 1], x[i + 1 :])
    return apart + apart.T


# ── k-means ───────────────────────────────────────────────────────────────────────────────────────────────


def groups() -> tuple[Array, NDArray[np.int64]]:
    """Points of the plane in plain groups, (N, 2), and the group of each, (N,). A new seed of a run means new
    coins for the same points, so this has a seed of its own.
    """
    truth = np.arange(CLUSTERS * MEMBERS) % CLUSTERS  # (N,)
    angle = 2 * np.pi * truth / CLUSTERS + np.pi / 2  # (N,)
    centre = RADIUS * np.stack([np.cos(angle), np.sin(angle)], 1)  # (N, 2)
    own = torch.Generator().manual_seed(0)
    return centre + torch.randn(len(truth), 2, generator=own, dtype=torch.float64).numpy(), truth


def scores(apart: Array, labels: NDArray[np.int64], k: int) -> Array:
    """‖x_i − m_j‖² for each point and each mean, (N, K), from nothing but the distances between points.

    With m_j the mean of the n_j points of group j,
    ‖x_i − m_j‖² = 1/n_j Σ_{l in j} ‖x_i − x_l‖² − 1/(2 n_j²) Σ_{l, m in j} ‖x_l − x_m‖².
    """
    member = (labels[:, None] == np.arange(k)).astype(np.float64)  # (N, K)
    count = member.sum(0)  # (K,)
    share = member / np.maximum(count, 1)  # (N, K) 1/n_j for its members
    mean = apart @ share  # (N, N) @ (N, K) -> (N, K)
    score = mean - (share * mean).sum(0) / 2  # (N, K) − (K,)
    return np.where(count > 0, score, np.inf)  # nobody joins a group that has no mean


def lloyd(apart: Array, labels: NDArray[np.int64], k: int) -> tuple[NDArray[np.int64], float]:
    """Lloyd's algorithm until nothing changes: the group of each point, (N,), and J = Σ ‖x_i − m_c(i)‖²."""
    while True:
        score = scores(apart, labels, k)  # (N, K)
        new = score.argmin(1)  # (N,)
        if (score[np.arange(len(new)), labels] <= score.min(1)).all():
            return labels, float(score.min(1).sum())
        labels = new


def kmeans(apart: Array, k: int, starts: int, rng: torch.Generator) -> NDArray[np.int64]:
    """The best of several runs, each begun at ``k`` points drawn as k-means++ does, (N,)."""
    best, lowest = np.zeros(len(apart), np.int64), math.inf
    for _start in range(starts):
        chosen = [int(torch.randint(len(apart), (1,), generator=rng))]
        while len(chosen) < k:
            nearest = torch.from_numpy(apart[chosen].min(0))  # (N,) squared distance to the nearest so far
            chosen.append(int(torch.multinomial(nearest, 1, generator=rng)))
        labels, inertia = lloyd(apart, apart[chosen].argmin(0), k)
        if inertia < lowest:
            best, lowest = labels, inertia
    return best


def adjusted_rand(a: NDArray[np.int64], b: NDArray[np.int64]) -> float:
    """How well two groupings agree: 1 the same, 0 no better than chance (Hubert and Arabie, 1985)."""
    table = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(table, (a, b), 1)

    def couples(n: NDArray[np.float64]) -> float:
        return float((n * (n - 1) / 2).sum())

    both, in_a, in_b = couples(table), couples(table.sum(1)), couples(table.sum(0))
    chance = in_a * in_b / couples(np.array([len(a)]))
    most = (in_a + in_b) / 2
    return (both - chance) / (most - chance) if most > chance else 1.0


def named_as(truth: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same groups, numbered so that as many points as can be have their true number, (N,)."""
    names = max(permutations(range(CLUSTERS)), key=lambda p: int((np.array(p)[labels] == truth).sum()))
    return np.array(names)[labels]


# ── the experiment ────────────────────────────────────────────────────────────────────────────────────────


def pairs_at(kind: str, d: int) -> int:
    """How many pairs a step can afford."""
    return PAIRS if kind == "binary" else min(PAIRS, FLOATS // (2 * d))


def grouped(n: int) -> Text:
    """1000000 as 1,000,000, with the separator of the language."""
    return _("{n:,.0f}", n=float(n))  # the desktop writes a float as its language does


@dataclass(frozen=True, slots=True, kw_only=True)
class DistancesParams:
    """What can be turned."""

    d: Annotated[
        int,
        Knob(
            2,
            LAST,
            "log",
            label=_("Dimension d"),
            help=_("Go straight to this many dimensions."),
        ),
    ] = 2
    sweep: Annotated[
        bool,
        Switch(
            label=_("Sweep d"),
            help=_("Play doubles the dimension at each step. Off, it draws new points at the d you set."),
        ),
    ] = True
    law: Annotated[
        str,
        Choice(
            {
                "binary": _("black or white pixels"),
                "uniform": _("uniform in the cube"),
                "gaussian": _("Gaussian"),
            },
            live=False,
            label=_("Points"),
            help=_("How each coordinate of a random point is drawn, independently of all the others."),
        ),
    ] = "binary"


@experiment(
    "distances",
    title=_("Curse of dimensionality"),
    question=_("What is still near when there are a million dimensions?"),
    topic="clusters",
    datasets=(),
    demos=(
        Demo("narrow", _("All at the same distance"),
             _("How far apart are two random images?"),
             "", {"d": 2}, picture="histogram"),
        Demo("nearest", _("The nearest is as far as the farthest"),
             _("Does a nearest neighbour still mean anything?"),
             "", {"d": 2, "law": "uniform"}, picture="lost"),
        Demo("kmeans", _("k-means drowns"),
             _("Turn d down: when does k-means find the three groups?"),
             "", {"d": 4096, "sweep": False}, picture="cloud"),
        Demo("pictures", _("Chance never draws a picture"),
             _("How long until one of them looks like something?"),
             "", {"d": 3 * SIDE * SIDE, "law": "uniform", "sweep": False}, picture="pictures"),
    ),
)  # fmt: skip
class Distances(Experiment[DistancesParams]):
    """One step: twice as many dimensions, and everything drawn and measured anew there. With the sweep off
    the dimension is that of the knob, and a step draws anew.

    k-means gets points of its own: two coordinates that tell three groups apart, which never change, and
    d − 2 more that are ±1 by the toss of a coin. It is the same task in every dimension, only with more that
    has nothing to do with it. It fails twice over: from about d = 1000 a point is nearest to whatever mean it
    is itself a part of, so that hardly any start moves; and from about d = 20,000 there are meaningless
    groups of lower inertia than the true ones, which no better search would help against.
    """

    channels = {
        "histogram": Channel(Curve, _("Distances of pairs")),
        "zoom": Channel(Curve, _("Magnified")),
        "cloud": Channel(Points, _("k-means’ groups")),
        "lost": Channel(Curve, _("Near and far")),
        "pictures": Channel(Images, _("Random pictures")),
    }
    scalars = {
        "nearest_over_farthest": Scalar(_("Nearest / farthest")),
        "kmeans_ari": Scalar(_("k-means, adjusted Rand index")),
        "predicted_spread": Scalar(_("σ of D, predicted")),
        "spread": Scalar(_("σ of D, measured")),
        "ks": Scalar(_("Distance to the Gaussian (KS)")),
    }
    pace = 2.0
    memory = ("d", "asked", "distances", "around", "apart", "labels", "pixels", "now", "history")
    sizes = {"distances": "P", "history": "M."}

    def setup(self) -> None:
        self.law = LAWS[self.p.law]
        blobs, self.truth = groups()  # (N, 2), (N,)
        self.plane = all_pairs([blobs.astype(np.float32)], len(blobs))  # (N, N) what the two coordinates say
        names = tuple(_("true group {n}", n=n + 1) for n in range(CLUSTERS))
        # So that hovering over the cloud finds its points.
        self.data = Dataset(
            "", "points", torch.from_numpy(blobs).float(), torch.from_numpy(self.truth), names, ("x", "y")
        )
        self.xy = self.data.x.numpy().copy()  # (N, 2)
        self.xy.flags.writeable = False  # handed out again and again, and never changed
        self.history = np.zeros((0, 1 + len(self.scalars)))  # (dimensions seen, d and the scalars)
        self.d = self.asked = self.p.d
        self._draw()
        self._measure()

    def run(self) -> Iterator[Frame | Beat]:
        if self.now[0] != self.d:  # left in the middle of a step
            self._measure()
        yield self._frame()
        while not self.p.sweep or self.d < LAST or self.asked != self.p.d:
            turned = self.asked != self.p.d
            self.asked = self.p.d
            by_hand = turned or not self.p.sweep
            self.d = self.asked if by_hand else min(2 * self.d, LAST)
            yield Beat(_("draw new random points, with more coordinates"), highlight=("pictures",))
            self._draw()
            yield Beat(_("measure how far apart they are"), highlight=("histogram", "zoom", "cloud"))
            self._measure()
            self.step += 1
            yield self._frame()

    def ended(self) -> Text | None:
        return _("A million dimensions, and every point is as far as every other. Turn d to look again.")

    def check_kept(self, kept: Mapping[str, Any]) -> None:
        if not all(2 <= kept[name] <= LAST for name in ("d", "asked")):
            raise ValueError("a dimension beyond those there are")

    @query
    def neighbours(self, index: int, k: int = 6) -> list[int]:
        """The nearest points of the cloud in all d dimensions, coins included."""
        self.check_item(index)
        order = np.argsort(self.apart[index], kind="stable")
        return [int(i) for i in order if i != index][:k]

    # ── inside ─────────────────────────────────────────────────────────────────────────────────────────────

    def _draw(self) -> None:
        """Random points of d dimensions, of which only the distances are kept; and random pictures."""
        pairs = pairs_at(self.p.law, self.d)
        points = blocks(self.p.law, 2 * pairs, self.d, self.rng)
        between, self.around = pairs_and_others(points, pairs)
        self.distances = between / self.d  # (P,) D = 1/d Σ (x_i − y_i)²
        # Of two coins +1 or −1 each, the squared difference is 4 where they differ.
        coins = blocks("binary", len(self.truth), self.d - 2, self.rng)
        self.apart = self.plane + 4 * all_pairs(coins, len(self.truth))  # (N, N)
        self.pixels = torch.randint(256, (PICTURES, SIDE, SIDE, 3), generator=self.rng, dtype=torch.uint8)

    def _measure(self) -> None:
        """The numbers of this dimension: into ``now``, and into ``history`` in place of former ones."""
        mean, sigma = self.law.mean, self.law.sigma(self.d)
        self.labels = named_as(self.truth, kmeans(self.apart, CLUSTERS, STARTS, self.rng))  # (N,)
        ratio = math.sqrt(self.around.min() / max(self.around.max(), 1e-300))  # of distances, not squares
        self.now = np.array(
            [
                self.d,
                ratio,
                adjusted_rand(self.truth, self.labels),
                sigma,
                self.distances.std(),
                kolmogorov(self.distances, mean, sigma, self.law.grid / self.d),
            ]
        )
        others = self.history[self.history[:, 0] != self.d]
        kept = np.concatenate([others, self.now[None]])  # (M, 6)
        self.history = kept[kept[:, 0].argsort()]

    # ── pictures ───────────────────────────────────────────────────────────────────────────────────────────

    def _frame(self) -> Frame:
        scalars = dict(zip(self.scalars, (float(v) for v in self.now[1:]), strict=True))
        return Frame(
            self.step,
            scalars,
            {
                "histogram": self._histogram,
                "zoom": self._zoom,
                "cloud": self._cloud,
                "lost": self._lost,
                "pictures": self._pictures,
            },
        )

    def _edges(self) -> Array:
        """Edges of bars that hold all distances, each about 0.4 σ wide: (B + 1,).

        On a grid a bar holds whole places, each of which reaches half a grid to both sides.
        """
        width, grid = 0.4 * self.law.sigma(self.d), self.law.grid / self.d
        if grid:
            width = grid * max(1, round(width / grid))
        low = math.floor((self.distances.min() + grid / 2) / width)
        high = math.ceil((self.distances.max() + grid / 2) / width + 1e-9)
        return np.arange(low, high + 1) * width - grid / 2

    def _bars(self) -> tuple[Array, Array]:
        """Edges, (B + 1,), and the heights between them, (B,), such that the area is 1."""
        edges = self._edges()
        heights, _same = np.histogram(self.distances, edges, density=True)
        return edges, heights

    def _density(self, z: Array) -> Array:
        """The predicted Gaussian, z standard deviations away from its mean, for D in those units."""
        return np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)

    def _histogram(self) -> Curve:
        """The distances on an axis that stays: the histogram turns into a needle."""
        mean, sigma, (low, high) = self.law.mean, self.law.sigma(self.d), self.law.span
        near = np.linspace(max(low, mean - 5 * sigma), min(high, mean + 5 * sigma), 241)
        x = np.unique(np.concatenate([[low], near, [high]]))  # (T,)
        edges, heights = self._bars()
        measured = _(
            "{n} pairs: {mean:.3f} ± {sigma:.2g}",
            n=grouped(len(self.distances)),
            mean=float(self.distances.mean()),
            sigma=float(self.distances.std()),
        )
        predicted = _("predicted: {mean:.3f} ± {sigma:.2g}", mean=mean, sigma=sigma)
        return Curve(
            x.astype(np.float32),
            {predicted: (self._density((x - mean) / sigma) / sigma).astype(np.float32)},
            (_("d = {d}: D = ‖x − y‖²/d", d=grouped(self.d)), _("density")),
            histogram=Histogram(edges.astype(np.float32), heights.astype(np.float32), measured),
            span=self.law.span,
        )

    def _zoom(self) -> Curve:
        """The same counted in predicted standard deviations: here nothing narrows."""
        mean, sigma = self.law.mean, self.law.sigma(self.d)
        z = np.linspace(-4.5, 4.5, 241)  # (T,)
        edges, heights = self._bars()
        return Curve(
            z.astype(np.float32),
            {f"σ = {self.law.name}": self._density(z).astype(np.float32)},
            (_("(D − mean) / σ"), _("density")),
            histogram=Histogram(
                ((edges - mean) / sigma).astype(np.float32), (heights * sigma).astype(np.float32), _("pairs")
            ),
            span=(-4.5, 4.5),
        )

    def _lost(self) -> Curve:
        """Two things that distances should be good for, and their spread, in every dimension seen. The thin
        line under the spread is the prediction.
        """
        d, ratio, agreement, predicted, spread, _ks = self.history.astype(np.float32).T  # (M,) each
        lines: dict[str, NDArray[np.float32]] = {
            _("nearest / farthest"): ratio,
            _("k-means is right"): agreement,
            _("spread / mean"): spread / np.float32(self.law.mean),
        }
        return Curve(
            d,
            lines,
            (_("dimension d"), ""),
            marks=(Mark(float(self.d), grouped(self.d)),),
            quiet=predicted[None] / np.float32(self.law.mean),  # (1, M)
            log=(True, False),
            span=(2.0, float(LAST)),
            range=(-0.35, 1.1),  # room below for the names of two lines that end at 0
        )

    def _cloud(self) -> Points:
        """The two coordinates that matter, the same in every dimension, with k-means' answer as colour."""
        names = tuple(_("k-means: group {n}", n=n + 1) for n in range(CLUSTERS))
        axes = (_("coordinate 1 of {d}", d=grouped(self.d)), _("coordinate 2 of {d}", d=grouped(self.d)))
        return Points(self.xy, self.labels.astype(np.int32), names, axes=axes)

    def _pictures(self) -> Images:
        """Each of 32 · 32 · 3 values drawn uniformly: a point of the cube in 3072 dimensions."""
        pixels = (self.pixels.float() / 255).numpy()  # (12, 32, 32, 3)
        distance = np.square(pixels[1:] - pixels[0]).mean((1, 2, 3))  # (11,)
        captions = (_("the first"), *(_("D = {d:.3f}", d=float(one)) for one in distance))
        return Images(pixels, columns=4, captions=captions)
