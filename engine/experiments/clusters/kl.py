"""The KL divergence D(p‖q) = ∫ p log(p/q): how badly q stands in for p, counted where p lives.

Between Gaussians there is a closed form, and the mean of log p(x) − log q(x) over draws x from p meets it.
The order matters: D(p‖q) ≠ D(q‖p). Where p has two bumps and q only one, a q that minimises D(p‖q) spreads
over both, for it must not be small where p is large; one that minimises D(q‖p) settles on one of them.

Sources: S. Kullback and R. Leibler, "On information and sufficiency", 1951; C. Bishop, "Pattern recognition
and machine learning", 2006, section 10.1.2; the steps of the fit follow the natural gradient of S. Amari,
"Natural gradient works efficiently in learning", 1998.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray

from engine.core.experiment import Demo, Experiment, action, experiment
from engine.core.frame import Bars, Beat, Channel, Curve, Frame, Handle, Note, Payload, Scalar, Segments
from engine.core.params import Choice, Knob
from engine.core.text import InputError, Text, _

STARTS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "both": ((-1.0, 1.0), (0.8, 1.4)),
    "width": ((0.0, 0.0), (0.6, 1.8)),
    "apart": ((-2.5, 2.5), (0.8, 0.8)),
    "same": ((0.0, 0.0), (1.0, 1.0)),
    "bumps": ((-2.4, 2.4, 0.0), (0.5, 0.5, 1.0)),
}
"""Means and widths: those of the bumps of p, then that of q."""
FARTHEST, NARROWEST, WIDEST = 5.0, 0.3, 3.0
"""How far a mean may be dragged, and the limits of sigma."""
EDGE, PLACES = 30.0, 6001
"""Integrals run from −EDGE to EDGE over so many places: 9 of the widest sigma beyond the farthest mean."""
FIRST, LARGEST = 16, 2**17
"""Draws of the first step, and where a run ends."""
FRESH = 1024
"""Draws by which q is measured anew after each step of a fit."""
RUG = 60
"""Draws shown as ticks."""
LONGEST = 0.3
"""The most by which one step of a fit may change log sigma."""


def schedule() -> list[int]:
    """How many draws there are after each step without a fit: each time a quarter more."""
    n = [FIRST]
    while n[-1] < LARGEST:
        n.append(min(LARGEST, round(1.25 * n[-1])))
    return n


SCHEDULE = schedule()


# ── the method ────────────────────────────────────────────────────────────────────────────────────────────


def log_normal(x: torch.Tensor, mu: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """The log density, log N(x; mu, sigma²) = −(x − mu)²/(2 sigma²) − log(sigma √(2π))."""
    return -(((x - mu) / sigma) ** 2) / 2 - sigma.log() - math.log(2 * math.pi) / 2


def log_mixture(x: torch.Tensor, mu: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """The log density of bumps of the same weight, log 1/K Σ_k N(x; mu_k, sigma_k²).

    x: (T,), mu and sigma: (K,) -> (T,).
    """
    each = log_normal(x[:, None], mu, sigma)  # (T, K)
    return torch.logsumexp(each, 1) - math.log(len(mu))


def closed_form(mu1: float, sigma1: float, mu2: float, sigma2: float) -> float:
    """D(N(mu1, sigma1²) ‖ N(mu2, sigma2²)) = log(σ₂/σ₁) + (σ₁² + (μ₁ − μ₂)²)/(2σ₂²) − 1/2."""
    return math.log(sigma2 / sigma1) + (sigma1**2 + (mu1 - mu2) ** 2) / (2 * sigma2**2) - 0.5


def integral(log_a: torch.Tensor, log_b: torch.Tensor, dx: float) -> torch.Tensor:
    """D(a‖b) = ∫ a (log a − log b) dx by a sum over evenly spaced places. log_a, log_b: (T,) -> ()."""
    return (log_a.exp() * (log_a - log_b)).sum() * dx


def mean_and_error(n: int, total: torch.Tensor, squares: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The mean 1/n Σ r and its standard error s/√n, from Σ r and Σ r²; both 0 before the first draw."""
    if n == 0:
        return torch.zeros_like(total), torch.zeros_like(total)
    mean = total / n
    variance = (squares / n - mean**2).clamp(min=0) * n / max(1, n - 1)
    return mean, (variance / n).sqrt()


# ── the experiment ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class KLParams:
    """What can be turned."""

    start: Annotated[
        str,
        Choice(
            {
                "both": _("other mean, other width"),
                "width": _("same mean, other width"),
                "apart": _("far apart"),
                "same": _("the same"),
                "bumps": _("p with two bumps"),
            },
            live=False,
            label=_("Start"),
            help=_("The two curves before you drag them."),
        ),
    ] = "both"
    fit: Annotated[
        str,
        Choice(
            {"off": _("off"), "pq": _("minimise D(p‖q)"), "qp": _("minimise D(q‖p)")},
            label=_("Fit q to p"),
            help=_("Let q walk downhill on one of the two divergences."),
        ),
    ] = "off"
    rate: Annotated[
        float,
        Knob(
            0.01, 0.5, "log", label=_("Step of the fit"), help=_("How far q walks in each step of the fit.")
        ),
    ] = 0.15


@experiment(
    "kl",
    title=_("KL divergence"),
    question=_("How far is one Gaussian from another, and in which direction?"),
    topic="clusters",
    datasets=(),
    demos=(
        Demo("asymmetry", _("Not a distance"), _("Is it as far from p to q as from q to p?"), "",
             {"start": "width"}, picture="curves"),
        Demo("apart", _("Far apart"), _("How fast does it grow as you drag the curves apart?"), "",
             {"start": "apart"}, picture="integrand"),
        Demo("estimate", _("The average meets the formula"), _("How many draws until two digits are right?"),
             "", {"start": "both"}, picture="estimate"),
        Demo("covering", _("q covers both bumps"), _("Where does q go when p does the weighing?"), "",
             {"start": "bumps", "fit": "pq"}, picture="curves"),
        Demo("seeking", _("q picks one bump"), _("Where does q go when q does the weighing?"), "",
             {"start": "bumps", "fit": "qp"}, picture="curves"),
    ),
)  # fmt: skip
class KL(Experiment[KLParams]):
    """Two densities to drag, their divergence both ways, and its estimate from draws."""

    channels = {
        "curves": Channel(Curve, _("Drag a top or a shoulder")),
        "integrand": Channel(Curve, _("Added and taken away")),
        "divergences": Channel(Bars, _("Both directions")),
        "formula": Channel(Note, _("In numbers")),
        "estimate": Channel(Curve, _("Averages over N draws meet the formula")),
    }
    scalars = {
        "kl_pq": Scalar(_("D(p‖q)")),
        "kl_qp": Scalar(_("D(q‖p)")),
        "estimate_pq": Scalar(_("D(p‖q) from draws")),
        "estimate_qp": Scalar(_("D(q‖p) from draws")),
    }
    pace = 4.0
    memory = ("mu", "sigma", "n", "totals", "squares", "counts", "means", "errors", "drawn")
    sizes = {"counts": "t", "means": ".t", "errors": ".t", "drawn": "r"}

    def setup(self) -> None:
        mu, sigma = STARTS[self.p.start]
        self.mu = torch.tensor(mu, dtype=torch.float64)  # (K + 1,): the K bumps of p, then q
        self.sigma = torch.tensor(sigma, dtype=torch.float64)
        if (
            self.p.start == "bumps"
        ):  # the seed says on which side q starts: between the bumps it can get caught
            side = float(torch.rand((), generator=self.rng)) - 0.5
            self.mu[-1] = math.copysign(0.8, side) + side
        self.places = torch.linspace(-EDGE, EDGE, PLACES, dtype=torch.float64)
        self.dx = 2 * EDGE / (PLACES - 1)
        self._forget_draws()

    def run(self) -> Iterator[Frame | Beat]:
        yield self._frame()
        while self._fitting() or self.n < LARGEST:
            if self._fitting():
                yield Beat(_("one step downhill for q"), highlight=("curves", "divergences"))
                self._downhill()
                self._forget_draws()
                more = FRESH
            else:
                more = next(n for n in SCHEDULE if n > self.n) - self.n
            yield Beat(_("draw x from p for D(p‖q), and from q for D(q‖p)"), highlight=("curves",))
            yield Beat(_("average log p(x) − log q(x), and the other way round"), highlight=("estimate",))
            self._draw(more)
            self.step += 1
            yield self._frame()

    def ended(self) -> Text | None:
        if self.p.fit != "off":
            return _("q has come to rest, and {n} draws have been averaged. Drag a curve to go on.", n=self.n)
        return _("{n} draws have been averaged. Drag a curve to begin again.", n=self.n)

    @action
    def drag(self, index: int, x: float, y: float) -> None:
        """Handle ``index`` to ``x``: the even ones are tops and move a mean, the odd ones set its sigma."""
        bump, shoulder = divmod(index, 2)
        if not 0 <= bump < len(self.mu):
            raise InputError(_("There is no handle number {n}.", n=index + 1))
        if not (abs(x) < 1e6 and abs(y) < 1e6):  # NaN is not below anything either
            raise InputError(_("That is not a place on the picture."))
        self.mu, self.sigma = self.mu.clone(), self.sigma.clone()
        if shoulder:
            self.sigma[bump] = min(max(abs(x - float(self.mu[bump])), NARROWEST), WIDEST)
        else:
            self.mu[bump] = min(max(x, -FARTHEST), FARTHEST)
        self._forget_draws()

    # ── inside ─────────────────────────────────────────────────────────────────────────────────────────────

    def _log_p(self, x: torch.Tensor) -> torch.Tensor:
        return log_mixture(x, self.mu[:-1], self.sigma[:-1])

    def _log_q(self, x: torch.Tensor) -> torch.Tensor:
        return log_normal(x, self.mu[-1], self.sigma[-1])

    def _divergences(self) -> tuple[float, float]:
        """D(p‖q) and D(q‖p): by the closed form between two Gaussians, else by integration."""
        if len(self.mu) == 2:
            (mu1, mu2), (sigma1, sigma2) = self.mu.tolist(), self.sigma.tolist()
            pq, qp = closed_form(mu1, sigma1, mu2, sigma2), closed_form(mu2, sigma2, mu1, sigma1)
        else:
            log_p, log_q = self._log_p(self.places), self._log_q(self.places)
            pq, qp = float(integral(log_p, log_q, self.dx)), float(integral(log_q, log_p, self.dx))
        return max(0.0, pq), max(0.0, qp)  # rounding may leave −1e-16 where p = q

    def _forget_draws(self) -> None:
        """Start the estimates afresh, as the curves have changed."""
        self.n = 0
        self.totals = torch.zeros(2, dtype=torch.float64)  # Σ r for D(p‖q) and D(q‖p)
        self.squares = torch.zeros(2, dtype=torch.float64)  # Σ r²
        self.counts = torch.zeros(0, dtype=torch.float64)  # (T,) N after each step since
        self.means = torch.zeros(2, 0, dtype=torch.float64)  # (2, T) the two averages then
        self.errors = torch.zeros(2, 0, dtype=torch.float64)  # (2, T) their standard errors
        self.drawn = torch.zeros(0, dtype=torch.float64)

    def _draw(self, more: int) -> None:
        """Add ``more`` draws of either kind to the two averages."""
        normal = torch.randn(2, more, generator=self.rng, dtype=torch.float64)
        bump = torch.randint(
            len(self.mu) - 1, (more,), generator=self.rng
        )  # (B,) which bump of p each is from
        x_p = self.mu[bump] + self.sigma[bump] * normal[0]  # (B,) x ~ p
        x_q = self.mu[-1] + self.sigma[-1] * normal[1]  # (B,) x ~ q
        ratio = torch.stack(
            [self._log_p(x_p) - self._log_q(x_p), self._log_q(x_q) - self._log_p(x_q)]
        )  # (2, B)
        self.n += more
        self.totals = self.totals + ratio.sum(1)
        self.squares = self.squares + (ratio**2).sum(1)
        self.drawn = x_p[-RUG:].clone()
        mean, error = mean_and_error(self.n, self.totals, self.squares)  # (2,) each
        self.counts = torch.cat([self.counts, torch.tensor([self.n], dtype=torch.float64)])
        self.means = torch.cat([self.means, mean[:, None]], 1)
        self.errors = torch.cat([self.errors, error[:, None]], 1)

    def _slope(self) -> torch.Tensor:
        """The natural gradient of the chosen divergence along (mu, log sigma) of q, (2,).

        That is the plain gradient divided by the Fisher information, 1/sigma² and 2: so a narrow q and a wide
        one take steps of the same length, measured in their own sigma.
        """
        with torch.enable_grad():
            mu, log_sigma = self.mu[-1].clone().requires_grad_(), self.sigma[-1].log().requires_grad_()
            log_p, log_q = self._log_p(self.places), log_normal(self.places, mu, log_sigma.exp())
            pair = (log_p, log_q) if self.p.fit == "pq" else (log_q, log_p)
            along_mu, along_sigma = torch.autograd.grad(integral(*pair, self.dx), (mu, log_sigma))
        return torch.stack([along_mu * self.sigma[-1] ** 2, along_sigma / 2])

    def _fitting(self) -> bool:
        """Whether q still has somewhere to go."""
        return self.p.fit != "off" and bool((self._move().abs() > 1e-4).any())

    def _move(self) -> torch.Tensor:
        """By how much the next step changes mu and sigma of q, (2,), held inside their limits."""
        slope = self.p.rate * self._slope()
        mu = (self.mu[-1] - slope[0]).clamp(-FARTHEST, FARTHEST)
        sigma = (self.sigma[-1] * (-slope[1].clamp(-LONGEST, LONGEST)).exp()).clamp(NARROWEST, WIDEST)
        return torch.stack([mu - self.mu[-1], sigma - self.sigma[-1]])

    def _downhill(self) -> None:
        move = self._move()
        self.mu, self.sigma = self.mu.clone(), self.sigma.clone()
        self.mu[-1] += move[0]
        self.sigma[-1] += move[1]

    # ── pictures ───────────────────────────────────────────────────────────────────────────────────────────

    def _frame(self) -> Frame:
        pq, qp = self._divergences()
        estimates, _errors = mean_and_error(self.n, self.totals, self.squares)
        scalars = {
            "kl_pq": pq,
            "kl_qp": qp,
            "estimate_pq": float(estimates[0]),
            "estimate_qp": float(estimates[1]),
        }
        views: dict[str, Callable[[], Payload]] = {
            "curves": self._curves,
            "integrand": self._integrand,
            "divergences": self._bars,
            "estimate": self._estimate,
            "formula": self._formula,
        }
        return Frame(self.step, scalars, views)

    def _seen(self) -> torch.Tensor:
        """The places that are drawn, (T,): all where a curve can be seen."""
        return torch.linspace(-8.0, 8.0, 401, dtype=torch.float64)

    def _curves(self) -> Curve:
        x = self._seen()
        p, q = self._log_p(x).exp(), self._log_q(x).exp()  # (T,) each
        handles = []
        for bump in range(len(self.mu)):
            is_q = bump == len(self.mu) - 1
            # The numbers of the formula, which knows of one bump only.
            index = "" if len(self.mu) > 2 else "₂" if is_q else "₁"
            mu, sigma = float(self.mu[bump]), float(self.sigma[bump])
            for place, symbol in ((mu, "μ"), (mu + sigma, "σ")):
                at = torch.tensor([place], dtype=torch.float64)
                height = float((self._log_q(at) if is_q else self._log_p(at)).exp())
                handles.append(Handle(place, height, f"{symbol}{index}", _("q") if is_q else _("p")))
        return Curve(
            _own(x), {_("p"): _own(p), _("q"): _own(q)}, (_("x"), _("density")), filled=(_("p"), _("q")),
            rug=_own(self.drawn), handles=tuple(handles), span=(-7.0, 7.0),
            range=(0.0, 1.15 * float(torch.maximum(p, q).max())),
        )  # fmt: skip

    def _integrand(self) -> Curve:
        x = self._seen()
        log_p, log_q = self._log_p(x), self._log_q(x)
        names = (_("p log(p/q)"), _("q log(q/p)"))
        values = ((log_p.exp() * (log_p - log_q)), (log_q.exp() * (log_q - log_p)))  # (T,) each
        lines: dict[str, NDArray[np.float32]] = {
            name: _own(value) for name, value in zip(names, values, strict=True)
        }
        return Curve(_own(x), lines, (_("x"), ""), filled=names, span=(-7.0, 7.0))

    def _bars(self) -> Bars:
        estimates, _errors = mean_and_error(self.n, self.totals, self.squares)
        pq, qp = self._divergences()
        values = np.array([pq, float(estimates[0]), qp, float(estimates[1])], np.float32)
        names = (_("D(p‖q)"), _("draws"), _("D(q‖p)"), _("draws"))
        return Bars(values, names, np.array([0, 0, 1, 1], np.int32), axis=_("nats"), lines=True)

    def _estimate(self) -> Curve:
        """Both averages against N, a standard error either way, and the exact values as level strokes."""
        pairs = zip(self.counts.expand(2, -1), self.means, self.errors, self._divergences(), strict=True)
        start, end = [], []
        for n, mean, error, exact in pairs:
            start += [torch.tensor([[FIRST, exact]]), torch.stack([n, mean - error], 1)]  # (1, 2), (T, 2)
            end += [torch.tensor([[LARGEST, exact]]), torch.stack([n, mean + error], 1)]
        label = np.repeat(np.array([0, 1], np.int32), 1 + len(self.counts))
        lines: dict[str, NDArray[np.float32]] = {
            _("D(p‖q)"): _own(self.means[0]),
            _("D(q‖p)"): _own(self.means[1]),
        }
        return Curve(
            _own(self.counts), lines, (_("N draws"), _("nats")),
            segments=Segments(_own(torch.cat(start)), _own(torch.cat(end)), label),
            log=(True, False), span=(float(FIRST), float(LARGEST)),
        )  # fmt: skip

    def _formula(self) -> Note:
        pq, qp = self._divergences()
        if len(self.mu) > 2:
            text = _(
                "D(p‖q) = {pq:.3f} and D(q‖p) = {qp:.3f}, by numerical integration: "
                "two bumps have no closed form.",
                pq=pq,
                qp=qp,
            )
            return Note(text)
        (mu1, mu2), (sigma1, sigma2) = self.mu.tolist(), self.sigma.tolist()
        return Note(
            _(
                "D(p‖q) = log({s2:.2f}/{s1:.2f}) + ({s1:.2f}² + {gap:.2f}²)/(2·{s2:.2f}²) − ½ = {pq:.3f}\n"
                "D(q‖p) = log({s1:.2f}/{s2:.2f}) + ({s2:.2f}² + {gap:.2f}²)/(2·{s1:.2f}²) − ½ = {qp:.3f}",
                s1=sigma1,
                s2=sigma2,
                gap=abs(mu1 - mu2),
                pq=pq,
                qp=qp,
            )
        )


def _own(values: torch.Tensor) -> NDArray[np.float32]:
    """A picture's own copy, float32."""
    return values.float().numpy().copy()
