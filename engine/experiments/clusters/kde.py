"""Kernel density estimation: put a bump on every point and add them up. How wide should the bumps be?

Sources: M. Rosenblatt, "Remarks on some nonparametric estimates of a density function", 1956; E. Parzen, "On
estimation of a probability density function and mode", 1962. The two rules for the width: D. W. Scott,
"Multivariate density estimation", 1992; B. W. Silverman, "Density estimation", 1986, equation 3.31.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.core.experiment import Demo, Experiment, experiment, query
from engine.core.frame import (
    Arrows,
    Beat,
    Channel,
    Curve,
    Ellipses,
    Encoded,
    Field,
    Frame,
    Mark,
    Points,
    Scalar,
)
from engine.core.params import Choice, Knob, Switch
from engine.core.text import InputError, Text, _
from engine.data.registry import Dataset
from engine.parts import checks, gram

SPIKY, FLAT, SWEPT = 0.02, 2.0, 41
"""The narrowest and the widest bandwidth, in standard deviations of the data, and how many Play tries."""
SWEEP: tuple[float, ...] = tuple(np.geomspace(SPIKY, FLAT, SWEPT).tolist())
STEP = math.log10(FLAT / SPIKY) / (SWEPT - 1)
"""From one bandwidth to the next, in powers of ten."""
MOST = 1000
"""Points on which a likelihood is averaged, at most: that gives it to a few hundredths."""
ROWS = 256
"""Rows of a table of distances made at a time."""
BUMPS, OUTLINES = 60, 16
"""Kernels drawn by themselves: in the curve, and in the map."""
NARROW_LINE, NARROW_PLANE = 1e-25, 1e-12
"""Points that lie closer together have a density that float32 cannot hold: 1 over a length, or an area."""
LINE, MAP = 800, 200
"""Places of the curve; width and height of the map, in cells."""


# ── the method ────────────────────────────────────────────────────────────────────────────────────────────


def gaussian(u: torch.Tensor) -> torch.Tensor:
    """K(u) = exp(−u²/2) / √2π."""
    return (-0.5 * u**2).exp() / math.sqrt(2 * math.pi)


def box(u: torch.Tensor) -> torch.Tensor:
    """K(u) = 1 / 2a for |u| < a."""
    a = math.sqrt(3)  # with this half width the standard deviation is 1, as of all kernels here
    return (u.abs() < a).to(u.dtype) / (2 * a)


def triangle(u: torch.Tensor) -> torch.Tensor:
    """K(u) = (1 − |u|/a) / a for |u| < a."""
    a = math.sqrt(6)
    return (1 - u.abs() / a).clamp(min=0) / a


def epanechnikov(u: torch.Tensor) -> torch.Tensor:
    """K(u) = 3/4a (1 − u²/a²) for |u| < a."""
    a = math.sqrt(5)
    return (1 - (u / a) ** 2).clamp(min=0) * 0.75 / a


KERNELS = {"gaussian": gaussian, "box": box, "triangle": triangle, "epanechnikov": epanechnikov}


def kernels(at: torch.Tensor, points: torch.Tensor, h: float, kernel: str) -> torch.Tensor:
    """1/h K((x − x_i) / h), the bump of each point by itself. at: (G,), points: (N,) -> (G, N)."""
    return KERNELS[kernel]((at[:, None] - points) / h) / h


def density(at: torch.Tensor, points: torch.Tensor, h: float, kernel: str) -> torch.Tensor:
    """p(x) = 1/N Σ_i 1/h K((x − x_i) / h). at: (G,), points: (N,) -> (G,)."""
    return kernels(at, points, h, kernel).mean(1)


def density_map(
    across: torch.Tensor, up: torch.Tensor, points: torch.Tensor, h: float, kernel: str
) -> torch.Tensor:
    """p(x, y) = 1/N Σ_i k(x − x_i) k(y − y_i), with k(d) = 1/h K(d/h). points: (N, 2) -> (rows, columns).

    A kernel that is a product makes the whole map one matrix product. And the map seen from one side, ∫ p dy,
    is the density of the x_i alone with the same h.
    """
    columns = kernels(across, points[:, 0], h, kernel)  # (columns, N)
    rows = kernels(up, points[:, 1], h, kernel)  # (rows, N)
    return rows @ columns.T / len(points)


def log_density(at: torch.Tensor, points: torch.Tensor, h: float) -> torch.Tensor:
    """The logarithm of p(x) with the Gaussian kernel. at: (M, d), points: (N, d) -> (M,).

    log p(x) = log Σ_i exp(−‖x − x_i‖² / 2h²) − log N − d log(h √2π): far from all points every exp() would be
    0 and its logarithm −∞; logsumexp takes the largest exponent out of the sum first.
    """
    n, d = points.shape
    found = []
    for first in range(0, len(at), ROWS):
        squares = (at[first : first + ROWS, None] - points).square().sum(2)  # (ROWS, N) ‖x − x_i‖²
        found.append(torch.logsumexp(-squares / (2 * h**2), 1))  # (ROWS,)
    return torch.cat(found) - math.log(n) - d * math.log(h * math.sqrt(2 * math.pi))


def scott(n: int, d: int) -> float:
    """The best h for n points of one Gaussian of standard deviation 1: in one dimension 1.06 n^(−1/5)."""
    return math.pow(n * (d + 2) / 4, -1 / (d + 4))


def silverman(points: torch.Tensor) -> float:
    """0.9 min(s, IQR / 1.34) n^(−1/5): the rule for numbers that may have long tails. points: (N,)."""
    low, high = torch.quantile(points, points.new_tensor([0.25, 0.75])).tolist()
    s = float(points.std()) if len(points) > 1 else 0.0
    spreads = [a for a in (s, (high - low) / 1.34) if a > 0]  # of duplicates either may be 0
    return 0.9 * min(spreads, default=1.0) * math.pow(len(points), -0.2)


# ── the experiment ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class KDEParams:
    """What can be turned."""

    h: Annotated[
        float,
        Knob(
            SPIKY,
            FLAT,
            "log",
            label=_("Bandwidth h"),
            help=_(
                "How wide each bump is, in standard deviations of the data. Turn it: the pictures follow."
            ),
        ),
    ] = 0.1
    sweep: Annotated[
        bool,
        Switch(
            label=_("Sweep h"),
            help=_("Play tries one bandwidth after the other. Off, the pictures stay at the h you set."),
        ),
    ] = True
    kernel: Annotated[
        str,
        Choice(
            {
                "gaussian": _("Gaussian"),
                "box": _("box"),
                "triangle": _("triangle"),
                "epanechnikov": _("Epanechnikov"),
            },
            label=_("Kernel"),
            help=_("The shape of a bump. All have the same standard deviation, so only the shape changes."),
        ),
    ] = "gaussian"
    n: Annotated[
        int,
        Knob(
            1,
            2000,
            "log",
            live=False,
            label=_("Points N"),
            help=_("How many points get a bump. Of the others some are held out, to judge the result."),
        ),
    ] = 25


PLANE = {"n": 400, "h": 0.15}


@experiment(
    "kde",
    title=_("Kernel density"),
    question=_("How wide should a bump on each point be?"),
    topic="clusters",
    datasets=("bumps", "claw", "moons", "rings", "spirals", "blobs", "anisotropic", "eight", "million",
              "digits", "own_images", "own_table"),
    presets={
        "claw": {"n": 1000},
        **dict.fromkeys(("moons", "rings", "spirals", "blobs", "anisotropic", "eight", "digits"), PLANE),
        "million": {"n": 2000, "h": 0.1},
    },
    demos=(
        Demo("peak", _("The peak in between"), _("Which bandwidth suits points it has never seen?"),
             "bumps", picture="density"),
        Demo("spiky", _("Too spiky"), _("It praises every point it knows. What about a new one?"),
             "bumps", {"h": 0.02, "sweep": False}, picture="density"),
        Demo("flat", _("Too flat"), _("Where have the two bumps gone?"), "bumps",
             {"h": 1.2, "sweep": False}, picture="density"),
        Demo("claw", _("A rule of thumb fails"), _("Five claws: does Silverman's rule see them?"),
             "claw", {"h": 0.225, "sweep": False}, picture="density"),
        Demo("moons", _("Bumps in the plane"), _("When do the dots become two moons, and when one blot?"),
             "moons", picture="map"),
    ),
)  # fmt: skip
class KDE(Experiment[KDEParams]):
    """Play sweeps the bandwidth from spiky to flat, one step each, then goes back to the best one found.

    Some points get a kernel, others are held out; each step asks both how likely they are. The pictures
    follow the sweep until the person turns h: from then on they follow the knob, and the sweep only goes on
    drawing its curve. With the sweep switched off they always follow the knob. Likelihoods are always those
    of the Gaussian kernel: one held-out point beyond the reach of every box would make them −∞.

    Data with one column are a line; of more than two columns, or pictures, the plane of the two principal
    axes is taken. Computed on the CPU in float64, in units in which the spread of the data is 1.
    """

    channels = {
        "density": Channel(Curve, _("The bumps and their sum")),
        "heldout": Channel(Curve, _("How likely are new points?")),
        "map": Channel(Points, _("The density as a map")),
    }
    scalars = {
        "heldout_log_likelihood": Scalar(_("Log-likelihood, held out")),
        "train_log_likelihood": Scalar(_("Log-likelihood, training")),
        "h": Scalar(_("Bandwidth h"), log=True),
    }
    pace = 4.0
    memory = ("used", "held", "heldout", "train", "shown", "knob", "by_hand")
    sizes = {"heldout": "t", "train": "t"}

    def setup(self) -> None:
        self._look_at_data()
        self._split()
        self.heldout = torch.zeros(0, dtype=torch.float64)  # (steps done,) at the first bandwidths of SWEEP
        self.train = torch.zeros(0, dtype=torch.float64)
        self.shown = self.knob = self.p.h  # what the sweep shows; where the knob stood when it began
        self.by_hand = False

    def take(self, data: Dataset) -> None:
        """The sweep stays where it is; what it has found is found again for the new points."""
        done = len(self.heldout)
        self.data = data
        self._look_at_data()
        self._split()
        found = torch.tensor([self._likelihoods(h) for h in SWEEP[:done]], dtype=torch.float64).reshape(-1, 2)
        self.heldout, self.train = found.T.contiguous()  # (done,) each

    def restore(self, kept: Mapping[str, Any]) -> None:
        super().restore(kept)
        self._forget()

    def run(self) -> Iterator[Frame | Beat]:
        self._look_at_knob()
        yield self._frame()
        while self.p.sweep and len(self.heldout) < SWEPT:
            self._look_at_knob()
            h = SWEEP[len(self.heldout)]
            self.shown = h
            yield Beat(_("put a bump of width h on each point, add them up"), highlight=("density", "map"))
            yield Beat(_("ask the held-out points how likely they are"), highlight=("heldout",))
            heldout, train = self._likelihoods(h)
            self.heldout = torch.cat([self.heldout, self.heldout.new_tensor([heldout])])
            self.train = torch.cat([self.train, self.train.new_tensor([train])])
            self.step += 1
            yield self._frame()
        if self.p.sweep and self.shown != self._best():
            self.shown = self._best()
            self.step += 1
            yield self._frame()

    def ended(self) -> Text | None:
        if not self.p.sweep:
            return _("The sweep is off: turn h, and the pictures follow.")
        best = self._best()
        if best in (SWEEP[0], SWEEP[-1]):
            return _("The sweep is over: the best bandwidth is at its end. Turn h yourself.")
        return _("The sweep is over: h = {h:.2g} suits the held-out points best. Turn h yourself.", h=best)

    @query
    def encode(self, x: NDArray[np.float32]) -> Encoded:
        """The density where an input lies. x: one item, of any shape with D numbers."""
        z = self._project(checks.row(x, self.data.flat.shape[1])) / self.spread  # (1, d)
        p = math.exp(float(log_density(z, self._points(), self._h()))) / self.spread ** z.shape[1]
        across, up = self._drawn(z)[0].tolist()
        return Encoded(_("p(x) = {p:.2g}", p=p), "map", (across, up))

    # ── inside ─────────────────────────────────────────────────────────────────────────────────────────────

    def _look_at_data(self) -> None:
        """The points as places on a line or in a plane, seen from their mean and with a spread of 1."""
        flat = checks.numbers(
            self.data,
            lambda index: _(
                "Item {index} has a value that is not a number; a density needs numbers only.", index=index
            ),
            narrowest=NARROW_LINE if self.data.x.shape[1:] == (1,) else NARROW_PLANE,
        )  # (N, D)
        if len(flat) < 2:
            raise InputError(
                _("A density needs at least two points, one to learn from and one held out; add some.")
            )
        if bool((flat.amin(0) == flat.amax(0)).all()):
            raise InputError(
                _("All points lie in the same place: no bandwidth suits them. Choose data that differ.")
            )
        self.axes: torch.Tensor | None = None  # (D, 2)
        if flat.shape[1] <= 2:
            self.origin = self.corner = flat.double().mean(0)  # (d,) where the mean lies in the drawing
        else:
            self.corner = torch.zeros(2, dtype=torch.float64)
            self.tell(0.1)
            key = (self.data.name, tuple(flat.shape))
            self.origin, self.axes = self.stages.get("kde plane", key, lambda: gram.plane(flat))
            self.tell(0.8)
        seen = self._project(flat)  # (N, d)
        self.spread = float(seen.var(0, correction=0).mean().sqrt())  # over both axes: kernels stay round
        self.z = seen / self.spread  # (N, d)
        self.low, self.high = self.z.amin(0), self.z.amax(0)  # (d,)

    def _project(self, rows: torch.Tensor) -> torch.Tensor:
        """Rows seen from the mean, along the axes that are drawn. (N, D) -> (N, d) float64."""
        if self.axes is None:
            return rows.double() - self.origin
        return ((rows - self.origin) @ self.axes).double()

    def _split(self) -> None:
        """Which points get a kernel, and on which it is judged: at least a fifth is held out."""
        total = len(self.z)
        n = min(self.p.n, total - max(1, total // 5))
        order = torch.randperm(total, generator=self.rng)
        self.used, self.held = order[:n].clone(), order[n : n + MOST].clone()
        self._forget()

    def _forget(self) -> None:
        """What was remembered of other points."""
        self.scored: dict[float, tuple[float, float]] = {}
        self.labels: NDArray[np.int32] | None = None
        self.scales: dict[str, NDArray[np.float32]] = {}
        self.rules: tuple[Mark, ...] = ()
        self.usual: dict[str, float] = {}

    def _points(self) -> torch.Tensor:
        """The points that have a kernel, (N, d)."""
        return self.z[self.used]

    def _look_at_knob(self) -> None:
        """Whether the person has taken the bandwidth into their own hands."""
        if not self.p.sweep:  # switched on again, it starts with the knob where it now stands
            self.shown = self.knob = self.p.h
            self.by_hand = False
        self.by_hand = self.by_hand or self.p.h != self.knob

    def _h(self) -> float:
        """The bandwidth of the pictures. Read anew for each: the knob is turned between steps too."""
        by_hand = self.by_hand or self.p.h != self.knob or not self.p.sweep
        return self.p.h if by_hand else self.shown

    def _best(self) -> float:
        """The bandwidth of the sweep with which held-out points are likeliest."""
        return SWEEP[int(self.heldout.argmax())]

    def _likelihoods(self, h: float) -> tuple[float, float]:
        """Mean log p(x) of held-out points and of those that have a kernel, in units of the data."""
        if h not in self.scored:
            points, shift = self._points(), self.z.shape[1] * math.log(self.spread)
            self.scored = {} if len(self.scored) > 2 * SWEPT else self.scored
            self.scored[h] = (
                float(log_density(self.z[self.held], points, h).mean()) - shift,
                float(log_density(points[:MOST], points, h).mean()) - shift,
            )
        return self.scored[h]

    # ── pictures ───────────────────────────────────────────────────────────────────────────────────────────

    def _frame(self) -> Frame:
        heldout, train = self._likelihoods(self._h())
        numbers = {"heldout_log_likelihood": heldout, "train_log_likelihood": train, "h": self._h()}
        return Frame(
            self.step, numbers, {"density": self._density, "heldout": self._heldout, "map": self._map}
        )

    def _columns(self) -> tuple[Text | str, Text | str]:
        """What the axes that are drawn are called."""
        if self.axes is not None:
            return _("PC1"), _("PC2")
        return (*self.data.columns, "", "")[:2]  # type: ignore[return-value]

    def _density(self) -> Curve:
        """p(x) along the first axis, with some of the kernels that it is the sum of."""
        points, h, kernel = self._points()[:, 0], self._h(), self.p.kernel
        points = points.float()  # enough for a picture, and three times as fast
        at = torch.linspace(float(self.low[0]) - 1, float(self.high[0]) + 1, LINE)
        p = density(at, points, h, kernel) / self.spread  # (LINE,) in units of the data
        some = kernels(at, points[:BUMPS], h, kernel).T / (len(points) * self.spread)  # (BUMPS, LINE)
        x = (at.double() * self.spread + self.corner[0]).numpy()
        lines: dict[str, NDArray[np.float32]] = {_("p(x)"): p.numpy()}
        if (truth := self._truth(x)) is not None:
            lines[_("true density")] = truth
        if kernel not in self.usual:  # so high is the curve with an ordinary h: a flat one must look flat
            self.usual[kernel] = float(density(at, points, scott(len(points), 1) / 2, kernel).max())
        top = max(self.usual[kernel] / self.spread, *(float(np.nanmax(line)) for line in lines.values()))
        column = self._columns()[0]
        name = _("density") if self.z.shape[1] == 1 else _("density seen from one side")
        return Curve(
            x.astype(np.float32), lines, (column, name), filled=(_("p(x)"),),
            quiet=some.contiguous().numpy(),
            rug=(points.double() * self.spread + self.corner[0]).float().numpy(), range=(0.0, 1.05 * top),
        )  # fmt: skip

    def _truth(self, x: NDArray[np.float64]) -> NDArray[np.float32] | None:
        """The density that the points were drawn from, where it is known: read off at the points. (G,)."""
        known = [f.values for f in self.data.factors if f.name == "density" and len(f.values) == len(self.z)]
        if not known or self.z.shape[1] > 1:
            return None
        order = self.data.flat[:, 0].argsort()
        there = self.data.flat[order, 0].double().numpy()
        truth: NDArray[np.float64] = np.interp(x, there, known[0][order].double().numpy(), np.nan, np.nan)
        return truth.astype(np.float32)

    def _heldout(self) -> Curve:
        """The mean log-likelihood at each bandwidth tried so far."""
        h, done = self._h(), len(self.heldout)
        here = self._likelihoods(h)
        # Far down, where h is much too small, there is nothing to see: the peak should fill the picture.
        spiky, flat = self._likelihoods(SPIKY), self._likelihoods(FLAT)
        usual = self._likelihoods(scott(*self._points().shape) / 2)[0]
        low, high = max(usual - 4, min(*spiky, *flat)) - 0.2, spiky[1] + 0.2
        if h != self.shown or done == 0:  # but where a person looks, there is something
            low, high = min(low, here[0] - 0.2), max(high, here[1] + 0.2)
        x = np.array(SWEEP, dtype=np.float32)
        lines: dict[str, NDArray[np.float32]] = {}
        for name, values in ((_("held out"), self.heldout), (_("training"), self.train)):
            lines[name] = np.full(SWEPT, np.nan, dtype=np.float32)
            lines[name][:done] = values.numpy()
        if not self.p.sweep:  # then the h of the knob is one more place, so that each dot has its name
            at = int(np.searchsorted(SWEEP, h))
            x = np.insert(x, at, h)  # (SWEPT + 1,)
            lines = {name: np.insert(lines[name], at, v) for name, v in zip(lines, here, strict=True)}
        marks = self._rules()
        if done == SWEPT:
            marks = (Mark(self._best(), _("best")), *marks)
        if done < SWEPT or h != self._best():
            marks = (Mark(h, "h"), *marks)
        return Curve(
            x, lines,
            (_("bandwidth h (× standard deviation)"), _("mean log p(x), Gaussian kernel")),
            marks=marks, dots=np.array([(h, value) for value in here], dtype=np.float32), log=(True, False),
            span=(SPIKY, FLAT), range=(low, high),
        )  # fmt: skip

    def _rules(self) -> tuple[Mark, ...]:
        """The bandwidths that two rules of thumb would choose: in the plane both say the same."""
        if not self.rules:
            points = self._points()
            n, d = points.shape
            if d == 1:
                rule = Mark(silverman(points[:, 0]), _("Silverman"))
                self.rules = (rule, Mark(scott(n, d), _("Scott")))
            else:
                self.rules = (Mark(scott(n, d), _("Scott, Silverman")),)
        return self.rules

    def _drawn(self, z: torch.Tensor) -> NDArray[np.float32]:
        """Places as they lie in the map, (N, d) -> (N, 2). Those of a line lie at the bandwidth in use."""
        if z.shape[1] == 2:
            return (z * self.spread + self.corner).float().numpy()
        x = z[:, 0] * self.spread + self.corner[0]
        return torch.stack([x, torch.full_like(x, math.log10(self._h()))], 1).float().numpy()

    def _map(self) -> Points:
        if self.labels is None:
            self.labels = np.full(len(self.z), -1, dtype=np.int32)  # more than MOST are not asked
            self.labels[self.held.numpy()] = 1
            self.labels[self.used.numpy()] = 0
            self.labels.flags.writeable = False
        names = (_("with a bump"), _("held out"))
        total = self.data.total if self.data.total > len(self.z) else None
        xy = self._drawn(self.z)
        if self.z.shape[1] == 1:
            xy[self.labels != 0, 1] = math.log10(SPIKY) - STEP  # below it, out of the way
            axes = (self._columns()[0], "")  # the arrow says what lies upwards
            layers = (self._all_scales(), self._wider())
            return Points(xy, self.labels, names, layers, axes, equal=False, total=total)
        centres = xy[self.used[:OUTLINES].numpy()]  # (K, 2)
        width = np.float32(self._h() * self.spread)
        outlines = Ellipses(
            centres, np.tile(width * np.eye(2, dtype=np.float32), (len(centres), 1, 1)),
            np.zeros(len(centres), dtype=np.int32), at=(1.0,),
        )  # fmt: skip
        classes = self.data.classes if self.axes is None else None
        return Points(
            xy, self.labels, names, (self._plane(), outlines), self._columns(), total=total, classes=classes
        )

    def _wider(self) -> Arrows:
        """Which way the bumps become wider: as long as the sweep."""
        x = (float(self.low[0]) - 0.8) * self.spread + float(self.corner[0])
        ends = np.array([[x, math.log10(SPIKY)], [x, math.log10(FLAT)]], dtype=np.float32)
        return Arrows(ends[:1], ends[1:], (_("wider bumps, log₁₀ h"),))

    def _plane(self) -> Field:
        """The density in the plane, (MAP, MAP), row 0 at the bottom."""
        low, high = self.low - 1, self.high + 1
        cells = (torch.arange(MAP, dtype=torch.float64)[:, None] + 0.5) / MAP  # the middle of each cell
        places = (low + cells * (high - low)).float()  # (MAP, 2)
        p = density_map(places[:, 0], places[:, 1], self._points().float(), self._h(), self.p.kernel)
        (x0, y0), (x1, y1) = ((e * self.spread + self.corner).tolist() for e in (low, high))
        return Field((p / self.spread**2).numpy(), (x0, x1, y0, y1), name=_("density"))

    def _all_scales(self) -> Field:
        """All bandwidths at once: in each row the density with its own h, as a share of its peak."""
        low, high = float(self.low[0]) - 1, float(self.high[0]) + 1
        kernel = self.p.kernel
        if kernel not in self.scales:
            at = low + (torch.arange(2 * MAP) + 0.5) / (2 * MAP) * (high - low)  # (2 MAP,)
            points = self._points()[:, 0].float()
            rows = torch.stack([density(at, points, h, kernel) for h in SWEEP])  # (SWEPT, 2 MAP)
            value = (rows / rows.amax(1, keepdim=True)).numpy()
            value.flags.writeable = False
            self.scales[kernel] = value
        x0, x1 = (e * self.spread + float(self.corner[0]) for e in (low, high))
        return Field(
            self.scales[kernel], (x0, x1, math.log10(SPIKY) - STEP / 2, math.log10(FLAT) + STEP / 2),
            limits=(0.0, 1.0), name=_("density ÷ its peak"),
        )  # fmt: skip
