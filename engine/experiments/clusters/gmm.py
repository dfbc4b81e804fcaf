"""A mixture of Gaussians, fitted by EM: each point is shared out, then each Gaussian is fitted to its share.

Where k-means gives a point to one centre, a mixture says how responsible each component is for it; and a
component has a shape and a weight as well as a place. The E-step works out the responsibilities, the M-step
the weights, means and covariances; the likelihood of the data never falls.

Left alone, a component that sits on a single point, or on points in a line, would shrink for ever and the
likelihood would grow without bound. So no component may be narrower, in any direction, than a small share of
the spread of the data. The M-step below is the exact maximum under that condition: the likelihood still never
falls.

Data of many numbers (images) are seen along their 20 leading principal axes: a covariance of 784 × 784
numbers for each component could not be told from so few points. In the plane, a million points are all used.

Sources: A. Dempster, N. Laird and D. Rubin, "Maximum likelihood from incomplete data via the EM algorithm",
1977; G. Schwarz, "Estimating the dimension of a model", 1978 (BIC); the bound on the widths follows
R. Hathaway, "A constrained formulation of maximum-likelihood estimation for normal mixture distributions",
1985.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.core.experiment import Beside, Demo, Experiment, action, experiment, query
from engine.core.frame import (
    Bars,
    Beat,
    Channel,
    Curve,
    Ellipses,
    Encoded,
    Field,
    Frame,
    Images,
    Layer,
    Mark,
    Markers,
    Payload,
    Points,
    Regions,
    Scalar,
    Segments,
)
from engine.core.params import Choice, Knob, Switch
from engine.core.text import InputError, Text, _
from engine.data.registry import Dataset, as_picture
from engine.parts import checks, gaussians, gram, lloyd

AXES = 20
"""Principal axes that data of many numbers are seen along."""
MANY = 50_000
"""From so many points in the plane on, sums go the fast way of ``engine.parts.gaussians``."""
GAIN = 1e-6
"""A step that raises the mean log-likelihood by less is the last."""
MOST = 30
"""Components at most."""
TRIES = 30
"""Points tried as the mean of one more component."""
STARTS = 5
"""How often k-means is tried for a start; the best is taken."""
UNTRIED = torch.finfo(torch.float64).max
"""In place of the BIC of a k that was not tried: unlike infinity, a session can hold it."""
TRAIL = 60
"""Former places of the means that are kept for their trails."""
LINES = 200
"""Points in doubt that slow motion ties to both of their components."""
DEPTH = 10.0
"""How far below its top log p(x) is still told apart on the map."""
MAP = 200
"""Width and height of the map, in cells."""
FARTHEST = 1e12
"""Beyond that, no place on the picture is believed."""
DRAWN = 32
"""Samples shown."""


# ── the method ────────────────────────────────────────────────────────────────────────────────────────────


def log_gaussian(x: torch.Tensor, mu: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """The logarithm of a Gaussian, −½ (D log 2π + log |Σ| + (x−μ)ᵀ Σ⁻¹ (x−μ)). (N, D), (D,), (D, D) -> (N,).

    With Σ = L Lᵀ, the last term is ‖y‖² where L y = x − μ, and log |Σ| = 2 Σ_d log L_dd.
    """
    lower = torch.linalg.cholesky(sigma)  # (D, D) L
    y = torch.linalg.solve_triangular(lower, (x - mu).T, upper=False)  # (D, N)
    half_log_det = lower.diagonal().log().sum()
    constant = 0.5 * len(mu) * math.log(2 * math.pi)
    log_density: torch.Tensor = -0.5 * (y**2).sum(0) - half_log_det - constant
    return log_density


def e_step(
    x: torch.Tensor, pi: torch.Tensor, mu: torch.Tensor, sigma: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Responsibilities r_k(x_i), (K, N), and log p(x_i), (N,)."""
    joint = torch.stack(
        [log_weight + log_gaussian(x, m, s) for log_weight, m, s in zip(pi.log(), mu, sigma, strict=True)]
    )  # (K, N): log π_k N(x_i; μ_k, Σ_k)
    # log Σ_k e^{a_k} = m + log Σ_k e^{a_k − m} with m the largest: far away every e^{a_k} alone would be 0.
    top = joint.max(0).values  # (N,)
    scaled = (joint - top).exp()  # (K, N): e^{a_k − m}
    whole = scaled.sum(0)  # (N,)
    return scaled / whole, top + whole.log()  # r_k(x) = π_k N(x; μ_k, Σ_k) / p(x), and log p(x)


def m_step(x: torch.Tensor, r: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """How much each component answers for, n_k (K,), and the mean (K, D) and covariance (K, D, D) of that."""
    n = r.sum(1)  # (K,)
    share = r / n.clamp(min=torch.finfo(n.dtype).tiny)[:, None]  # (K, N), rows add up to one
    mu = share @ x  # (K, D): μ_k = 1/n_k Σ_i r_ki x_i
    covariances = []
    for weight, m in zip(share, mu, strict=True):
        away = x - m  # (N, D)
        covariances.append((weight[:, None] * away).T @ away)  # (D, D): 1/n_k Σ_i r_ki (x_i−μ_k)(x_i−μ_k)ᵀ
    return n, mu, torch.stack(covariances)


def shaped(sigma: torch.Tensor, n: torch.Tensor, shape: str, floor: float) -> torch.Tensor:
    """The most likely covariances of the ``shape`` allowed, no variance below ``floor``. (K, D, D) each.

    Each case is an exact maximum. Under "no variance below", it keeps the directions of the eigenvectors and
    lifts the eigenvalues that are too small.
    """
    k, d, _d = sigma.shape
    if shape == "tied":
        sigma = (n[:, None, None] * sigma).sum(0, keepdim=True) / n.sum()  # (1, D, D): Σ = Σ_k n_k/N Σ_k
    if shape in ("full", "tied"):
        values, vectors = torch.linalg.eigh(sigma)  # (·, D), (·, D, D)
        lifted = (vectors * values.clamp(min=floor)[:, None, :]) @ vectors.transpose(1, 2)
        narrow = (values[:, 0] < floor)[:, None, None]
        # Unchanged where nothing was too narrow; otherwise exactly symmetric again.
        return torch.where(narrow, (lifted + lifted.transpose(1, 2)) / 2, sigma).expand(k, d, d).contiguous()
    variances = sigma.diagonal(dim1=1, dim2=2)  # (K, D)
    if shape == "spherical":
        variances = variances.mean(1, keepdim=True).expand(k, d)  # σ_k² = tr Σ_k / D
    return torch.diag_embed(variances.clamp(min=floor))


def free_numbers(k: int, d: int, shape: str) -> int:
    """How many numbers a mixture of ``k`` components in ``d`` dimensions has to be told."""
    own = {"full": k * d * (d + 1) // 2, "tied": d * (d + 1) // 2, "diagonal": k * d, "spherical": k}
    return k - 1 + k * d + own[shape]  # weights, means, covariances


def bic(log_likelihood: float, n: int, k: int, d: int, shape: str) -> float:
    """−2 log L + q log N for a mean log-likelihood: what a component must earn to be worth its q numbers."""
    return -2 * n * log_likelihood + free_numbers(k, d, shape) * math.log(n)


# ── the experiment ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class GMMParams:
    """What can be turned."""

    k: Annotated[
        int,
        Knob(
            1,
            MOST,
            label=_("Components k"),
            help=_("How many Gaussians. One more starts where it helps most; one fewer drops the lightest."),
        ),
    ] = 3
    shape: Annotated[
        str,
        Choice(
            {
                "full": _("any ellipse"),
                "tied": _("one ellipse for all"),
                "diagonal": _("along the axes"),
                "spherical": _("circles"),
            },
            label=_("Covariances"),
            help=_("Which shapes the Gaussians may take."),
        ),
    ] = "full"
    init: Annotated[
        str,
        Choice(
            {"k-means": _("k-means"), "random": _("random points")},
            live=False,
            label=_("Start"),
            help=_("Start from the clusters that k-means finds, or from wide circles on random points."),
        ),
    ] = "k-means"
    floor: Annotated[
        float,
        Knob(
            1e-4,
            0.5,
            "log",
            label=_("Narrowest width"),
            help=_("No Gaussian may be narrower than this share of the spread of the data."),
        ),
    ] = 1e-3
    ground: Annotated[
        str,
        Choice(
            {"owner": _("most responsible"), "density": _("density"), "none": _("nothing")},
            label=_("Background"),
            help=_("What to draw under the points: which component wins there, or log p(x)."),
        ),
    ] = "owner"
    trails: Annotated[bool, Switch(label=_("Trails"), help=_("Draw where each mean has been."))] = True


@experiment(
    "gmm",
    title=_("Gaussian mixture"),
    question=_("What if a cluster has a shape, and a point may belong to two?"),
    topic="clusters",
    datasets=("anisotropic", "blobs", "ellipse", "moons", "rings", "spirals", "eight", "grid", "million",
              "digits", "pen", "sprites", "faces", "textures", "mnist", "fashion", "own_images", "own_table"),
    presets={
        "blobs": {"k": 5},
        "moons": {"k": 8},
        "rings": {"k": 10},
        "spirals": {"k": 14},
        "ellipse": {"k": 2},
        "eight": {"k": 8},
        "grid": {"k": 25},
        "million": {"k": 12},
        "digits": {"k": 10},
        "pen": {"k": 10},
        "sprites": {"k": 8},
        "faces": {"k": 12},
        "textures": {"k": 12},
        "mnist": {"k": 10},
        "fashion": {"k": 10},
    },
    demos=(
        Demo("stripes", _("What k-means cut wrongly"), _("It starts from k-means’ answer. Will it keep it?"),
             "anisotropic", {"k": 3}),
        Demo("circles", _("Circles: almost k-means"), _("Beside k-means: where do the two differ?"),
             "moons", {"k": 2, "shape": "spherical"}, beside=Beside("kmeans", {"k": 2})),
        Demo("blend", _("Two for one cloud"), _("Two components, one cloud. Whose is a point?"),
             "ellipse", {"k": 2}),
        Demo("spikes", _("Too many for the data"), _("The likelihood keeps rising. Is that good news?"),
             "spirals", {"k": 30, "init": "random", "floor": 1e-4, "trails": False, "ground": "none"},
             seed=1),
        Demo("bic", _("How many components?"), _("Turn k up one by one. Where is the lowest BIC?"),
             "blobs", {"k": 1, "init": "random"}, picture="choice"),
        Demo("digits", _("Digits that nobody wrote"), _("Draw from the mixture: are these digits?"),
             "digits", {"k": 10}, picture="samples"),
    ),
)  # fmt: skip
class GMM(Experiment[GMMParams]):
    """EM. One step: share each point out by responsibility, then fit each component to what it answers for.

    Between two steps the responsibilities are those of the components shown, so what is seen fits together.
    Computes in float64 on the CPU whatever the device: differences of large logarithms need the digits.
    """

    channels = {
        "cloud": Channel(Points, _("Points and components")),
        "means": Channel(Images, _("The means as pictures"), kinds=("images",)),
        "samples": Channel(Images, _("Drawn from the mixture"), kinds=("images",)),
        "weights": Channel(Bars, _("Weights of the components")),
        "choice": Channel(Curve, _("BIC of each k tried"), kinds=("points",)),
    }
    scalars = {
        "log_likelihood": Scalar(_("Mean log-likelihood")),
        "bic": Scalar(_("BIC (lower is better)")),
    }
    pace = 10.0
    memory = ("pi", "mu", "sigma", "trail", "made_for", "tried", "settled")
    sizes = {"pi": "K", "mu": "K.", "sigma": "K..", "trail": "TK."}
    settled: bool
    trail: torch.Tensor

    def setup(self) -> None:
        self._look_at_data()
        self.tell(0.7)
        self.pi, self.mu, self.sigma = self._start()  # (K,), (K, d), (K, d, d)
        self.made_for = self._wanted()
        self.tried = self._nothing_tried()  # (MOST,) the lowest BIC at which EM has settled with each k
        self.stage = ""
        self._begin_again()

    def take(self, data: Dataset) -> None:
        """The components stay where they are while the points change under them."""
        mu = self._to_data(self.mu)  # (K, D) in the coordinates of the data
        axes = self.basis
        self.data = data
        self._look_at_data()
        turn = axes.T @ self.basis  # (d, d)
        self.mu = self._to_work(mu)
        self.sigma = shaped(turn.T @ self.sigma @ turn, self.pi, "full", self._floor())
        self.tried = self._nothing_tried()
        self._begin_again()

    def _look_at_data(self) -> None:
        """The points as the mixture wants them, and the plane they are drawn in."""
        flat = checks.numbers(
            self.data,
            lambda index: _(
                "Item {index} has a value that is not a number; a mixture needs numbers only.", index=index
            ),
        )
        self._check_k()
        key = (self.data.name, tuple(flat.shape))
        self.origin, self.basis = self.stages.get("gmm axes", key, lambda: _leading(flat))  # (D,), (D, d)
        self.tell(0.5)
        self.x = self.stages.get("gmm points", key, lambda: self._to_work(flat))  # (N, d) float64
        variances = ((self.x - self.x.mean(0)) ** 2).mean(0)  # (d,)
        self.spread = math.sqrt(float(variances.mean())) or 1.0  # 1 where all points lie in one place
        self.fast = None
        if self.x.shape[1] <= 2 and len(self.x) >= MANY:
            self.fast = self.stages.get("gmm squares", key, lambda: gaussians.Squares(self.x))

        # In the plane the points are drawn as they are, otherwise along their two principal axes.
        self.flat_data = self.data.kind == "points" and flat.shape[1] == 2
        d = self.x.shape[1]
        self.plane = torch.eye(d, 2, dtype=torch.float64)  # (d, 2) A
        if flat.shape[1] != 2 and flat.shape[1] <= AXES:
            self.plane = self.stages.get("gmm plane", key, lambda: gram.plane(self.x.float())[1]).double()
        self.offset = self.origin if self.flat_data else torch.zeros(2, dtype=torch.float64)  # (2,)
        self.xy = (flat if self.flat_data else self._to_plane(self.x).float()).numpy()  # (N, 2)
        self.xy.flags.writeable = False  # handed out again and again, and never changed
        self.classes = self.data.classes if self.flat_data else None  # (N,) for whoever paints on them
        low, high = self.xy.min(0), self.xy.max(0)
        # The map reaches beyond the cloud: panels are seldom square, and it should fill them.
        middle, half = (low + high) / 2, 1.1 * max(float((high - low).max()), 1e-3)
        x0, x1, y0, y1 = (
            float(v) for v in (middle[0] - half, middle[0] + half, middle[1] - half, middle[1] + half)
        )
        self.extent = (x0, x1, y0, y1)
        self.cells: torch.Tensor | None = None
        if self.flat_data:
            inside = (torch.arange(MAP, dtype=torch.float64) + 0.5) / MAP  # the middle of each cell
            rows, columns = torch.meshgrid(y0 + inside * (y1 - y0), x0 + inside * (x1 - x0), indexing="ij")
            places = torch.stack([columns, rows], 2).reshape(-1, 2)  # (MAP², 2)
            self.cells = gaussians.squares(places - self.offset)  # (6, MAP²)

    def run(self) -> Iterator[Frame | Beat]:
        self.stage = ""
        yield self._frame()
        while not self.settled or self.made_for != self._wanted():
            self.before = self.log_likelihood
            self._match_k()

            self.stage = "share"
            yield Beat(_("E: how responsible is each component for each point?"), highlight=("cloud",))
            n, mu, sigma = self._shares()  # the r_k(x_i) of the components as they are, summed up

            self.stage = "fit"
            self.pi = n / n.sum()  # π_k = n_k / N
            starved = n <= torch.finfo(n.dtype).tiny  # answers for nothing: stays, and can be dragged
            self.mu = torch.where(starved[:, None], self.mu, mu)
            sigma = torch.where(starved[:, None, None], self.sigma, sigma)
            self.sigma = shaped(sigma, n, self.p.shape, self._floor())
            self.trail = torch.cat([self.trail, self._marks()[None]])[-TRAIL:]  # (T, K, 2)
            yield Beat(_("M: weights, means and covariances of what each answers for"),
                       highlight=("cloud", "weights", "means"))  # fmt: skip
            self._expect()

            self.stage = ""
            self.step += 1
            self.settled = self.log_likelihood - self.before < GAIN
            if self.made_for != self._wanted():  # another shape or k is allowed to cost likelihood
                self.settled = False
                if self.made_for.partition(" ")[0] != self.p.shape:
                    self.tried = self._nothing_tried()
                self.made_for = self._wanted()
            if self.settled:
                self._note_bic()
            yield self._frame()

    def ended(self) -> Text | None:
        starved = int((self.pi * len(self.x) < 0.5).sum())
        if starved:
            return _("The likelihood no longer rises. {n} answer for no point: drag them into the cloud.",
                     n=starved)  # fmt: skip
        spikes = int(self._spikes().sum())
        if spikes:
            return _("The likelihood no longer rises. {n} are as narrow as is allowed.", n=spikes)
        return _("The likelihood no longer rises: EM has converged.")

    # ── by hand ────────────────────────────────────────────────────────────────────────────────────────────

    @action
    def move(self, index: int, x: float, y: float) -> None:
        """The mean of component ``index`` to (x, y) of the picture. What the plane does not show stays."""
        if not 0 <= index < len(self.mu):
            raise InputError(_("There is no component number {n}.", n=index + 1))
        shift = self._from_plane(_place(x, y)) - self._from_plane(self._marks()[index])  # (d,)
        worn_out = bool(self._spikes()[index]) or float(self.pi[index]) * len(self.x) < 0.5
        self._put(index, self.mu[index] + shift, afresh=worn_out)

    @action
    def place(self, x: float, y: float) -> None:
        """The lightest component starts again at (x, y), wide."""
        mean = self._from_plane(_place(x, y))  # (d,)
        self._put(int(self.pi.argmin()), mean, afresh=True)

    @query
    def encode(self, x: NDArray[np.float32]) -> Encoded:
        """Which components answer for an input, and by how much. x: one item, any shape with D numbers."""
        work = self._to_work(checks.row(x, self.basis.shape[0]))  # (1, d)
        r = e_step(work, self.pi, self.mu, self.sigma)[0][:, 0]  # (K,)
        order = r.argsort(descending=True, stable=True)
        first, share = int(order[0]), round(100 * float(r[order[0]]))
        text = _("component {a}: {p} %", a=first + 1, p=share)
        if len(r) > 1 and share < 100:
            second = int(order[1])
            text = _("component {a}: {p} %, component {b}: {q} %",
                     a=first + 1, p=share, b=second + 1, q=round(100 * float(r[second])))  # fmt: skip
        across, up = (self._to_plane(work)[0]).tolist()
        picture = None
        if self.data.kind == "images":
            mean = self._to_data(r[None] @ self.mu)  # (1, D): Σ_k r_k μ_k
            picture = as_picture(mean.reshape(self.data.x.shape[1:]).float().numpy())
        return Encoded(text, "cloud", (across, up), picture)

    # ── inside ─────────────────────────────────────────────────────────────────────────────────────────────

    def restore(self, kept: Mapping[str, Any]) -> None:
        super().restore(kept)
        self._expect()

    def _check_k(self) -> None:
        if self.p.k > len(self.data.flat):
            raise InputError(
                _(
                    "{k} components are more than the {n} points there are; choose a smaller k.",
                    k=self.p.k,
                    n=len(self.data.flat),
                )
            )

    def _floor(self) -> float:
        """The smallest variance allowed."""
        return (self.p.floor * self.spread) ** 2

    def _wanted(self) -> str:
        """What the knobs ask of the components; when that changes, a run at rest goes on."""
        return f"{self.p.shape} {self.p.floor:g} {self.p.k}"

    def _spikes(self) -> torch.Tensor:
        """Which components are as narrow as they may be in some direction, (K,)."""
        narrowest: torch.Tensor = torch.linalg.eigvalsh(self.sigma)[:, 0]  # (K,)
        return narrowest < 1.01 * self._floor()

    def _start(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Weights, means and covariances before the first step."""
        k = self.p.k
        if self.p.init == "random":
            mu = self.x[torch.randperm(len(self.x), generator=self.rng)[:k]]  # (K, d)
            return torch.full((k,), 1 / k, dtype=torch.float64), mu, self._round(k)
        r = torch.nn.functional.one_hot(self._k_means(k), k).T.double()  # (K, N): all or nothing
        n, mu, sigma = m_step(self.x, r)
        sigma = torch.where((n > 0)[:, None, None], sigma, self._round(k))
        return n / n.sum(), mu, shaped(sigma, n, self.p.shape, self._floor())

    def _round(self, k: int) -> torch.Tensor:
        """Circles as wide as the data, (k, d, d)."""
        d = self.x.shape[1]
        return (self.spread**2 * torch.eye(d, dtype=torch.float64)).repeat(k, 1, 1)

    def _k_means(self, k: int) -> torch.Tensor:
        """The cluster of each point by k-means, (N,): the best of a few starts."""
        x = self.x.float()
        some = x[torch.randperm(len(x), generator=self.rng)[:5000]]  # enough to see where the centres go
        best, lowest = some[:k], math.inf
        for _start in range(STARTS):
            centres = self._spread_out(some, k)  # (K, d)
            for _round in range(20):
                labels = lloyd.nearest(some, centres)
                count = torch.bincount(labels, minlength=k)[:, None]  # (K, 1)
                sums = torch.zeros_like(centres).index_add_(0, labels, some)
                centres = torch.where(count > 0, sums / count.clamp(min=1), centres)
            inertia = float(((some - centres[lloyd.nearest(some, centres)]).double() ** 2).sum())
            if inertia < lowest:
                best, lowest = centres, inertia
        return lloyd.nearest(x, best)

    def _spread_out(self, rows: torch.Tensor, k: int) -> torch.Tensor:
        """Rows far apart, (k, d): each drawn in proportion to its squared distance to the others."""
        centres = rows[torch.randint(len(rows), (1,), generator=self.rng)]  # (1, d)
        while len(centres) < k:
            away = ((rows - centres[lloyd.nearest(rows, centres)]).double() ** 2).sum(1)  # (M,)
            # Where every row lies on one that was drawn (duplicates), any will do.
            chance = away if float(away.sum()) > 0 else torch.ones_like(away)
            drawn = torch.multinomial(chance, 1, generator=self.rng)
            centres = torch.cat([centres, rows[drawn]])
        return centres

    def _match_k(self) -> None:
        """As many components as the knob now says."""
        self._check_k()
        k = len(self.mu)
        if k == self.p.k:
            return
        if k > self.p.k:
            keep = self.pi.argsort(descending=True, stable=True)[: self.p.k].sort().values
            self.pi, self.mu, self.sigma = self.pi[keep], self.mu[keep], self.sigma[keep]
        while len(self.mu) < self.p.k:
            k = len(self.mu) + 1
            mean = self._best_place()
            self.pi = torch.cat([self.pi * (1 - 1 / k), self.pi.new_full((1,), 1 / k)])
            self.mu = torch.cat([self.mu, mean[None]])
            self.sigma = torch.cat([self.sigma, self._round(1) / 4])
        self.pi = self.pi / self.pi.sum()
        self._begin_again()

    def _best_place(self) -> torch.Tensor:
        """The mean of one more component, (d,): of a few points, where it raises the likelihood most."""
        k = len(self.mu) + 1
        some = self.x[torch.randperm(len(self.x), generator=self.rng)[:5000]]  # (M, d)
        before = e_step(some, self.pi, self.mu, self.sigma)[1] + math.log(1 - 1 / k)  # (M,)
        best, highest = some[0], -math.inf
        for mean in some[:TRIES]:
            new = log_gaussian(some, mean, self._round(1)[0] / 4) - math.log(k)  # (M,)
            likelihood = float(torch.logaddexp(before, new).mean())
            if likelihood > highest:
                best, highest = mean, likelihood
        return best

    def _put(self, index: int, mean: torch.Tensor, *, afresh: bool) -> None:
        """A component to another place; ``afresh``: as wide and as heavy as one that begins."""
        self.mu = self.mu.clone()  # the old one may be in somebody's hands
        self.mu[index] = mean
        if afresh:
            self.sigma, self.pi = self.sigma.clone(), self.pi.clone()
            self.sigma[index] = self._round(1)[0]
            self.pi[index] = max(float(self.pi[index]), 1 / len(self.pi))
            self.pi = self.pi / self.pi.sum()
        self._begin_again()

    def _begin_again(self) -> None:
        """The components were put where they are by hand or chance: nothing that was before counts."""
        self.trail = self._marks()[None]  # (1, K, 2)
        self._expect()
        self.settled = False
        self.before = -math.inf

    def _expect(self) -> None:
        """The E-step: responsibilities, or in the fast way only the sums over them, and log p."""
        if self.fast is not None:
            self.log_likelihood, self.moments = self.fast.expect(self.pi, self.mu, self.sigma)
            self.seen_with = (self.pi, self.mu, self.sigma)
            return
        self.r, log_p = e_step(self.x, self.pi, self.mu, self.sigma)  # (K, N), (N,)
        self.log_likelihood = float(log_p.mean())

    def _shares(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """n_k (K,), means (K, d) and covariances (K, d, d) of what each component answers for."""
        return self.fast.spread(self.moments) if self.fast is not None else m_step(self.x, self.r)

    def _bic(self) -> float:
        """The BIC of the mixture as it is."""
        return bic(self.log_likelihood, len(self.x), len(self.mu), self.x.shape[1], self.p.shape)

    def _nothing_tried(self) -> torch.Tensor:
        """A record that knows k = 1 only, (MOST,): one Gaussian is fitted in a single M-step."""
        tried = torch.full((MOST,), UNTRIED, dtype=torch.float64)
        n, mu, sigma = m_step(self.x, self.x.new_ones(1, len(self.x)))
        sigma = shaped(sigma, n, self.p.shape, self._floor())
        likelihood = float(log_gaussian(self.x, mu[0], sigma[0]).mean())
        tried[0] = bic(likelihood, len(self.x), 1, self.x.shape[1], self.p.shape)
        return tried

    def _note_bic(self) -> None:
        at = len(self.mu) - 1
        self.tried = self.tried.clone()
        self.tried[at] = min(float(self.tried[at]), self._bic())

    # ── between the data, the space of the mixture and the plane ───────────────────────────────────────────

    def _to_work(self, rows: torch.Tensor) -> torch.Tensor:
        """Rows of the data (N, D) as the mixture sees them, (N, d) float64."""
        return (rows.double() - self.origin) @ self.basis

    def _to_data(self, rows: torch.Tensor) -> torch.Tensor:
        """The other way, (N, d) -> (N, D): m + W z."""
        placed: torch.Tensor = self.origin + rows @ self.basis.T
        return placed

    def _to_plane(self, rows: torch.Tensor) -> torch.Tensor:
        """(N, d) -> (N, 2) as drawn."""
        return rows @ self.plane + self.offset

    def _from_plane(self, xy: torch.Tensor) -> torch.Tensor:
        """Places as drawn, (N, 2) -> (N, d)."""
        return (xy - self.offset) @ self.plane.T

    def _marks(self) -> torch.Tensor:
        """The means as drawn, (K, 2)."""
        return self._to_plane(self.mu)

    # ── pictures ───────────────────────────────────────────────────────────────────────────────────────────

    def _frame(self) -> Frame:
        views: dict[str, Callable[[], Payload]] = {
            "cloud": self._cloud, "weights": self._weights,
        }  # fmt: skip
        if self.data.kind == "images":
            views |= {"means": self._means, "samples": self._samples}
        else:
            views["choice"] = self._choice
        return Frame(self.step, {"log_likelihood": self.log_likelihood, "bic": self._bic()}, views)

    def _cloud(self) -> Points:
        fast = self.fast
        found = fast.best_two(*self.seen_with) if fast is not None else gaussians.two(self.r.log())
        first, second = found[0].int().numpy(), found[1].int().numpy()  # (N,) each
        share = found[2].float().numpy()
        k = len(self.mu)
        label = np.arange(k, dtype=np.int32)
        marks = self._marks().float().numpy()
        layers: list[Layer] = []
        if self.cells is not None and self.p.ground != "none":
            layers.append(self._ground(self.cells))
        if self.stage == "share":
            doubt = np.flatnonzero(share < 0.95)
            doubt = doubt[:: max(1, math.ceil(len(doubt) / LINES))]
            both = np.concatenate([first[doubt], second[doubt]])  # (M,)
            layers.append(Segments(np.concatenate([self.xy[doubt]] * 2), marks[both], both))
        layers.append(self._ellipses(label))
        trail = self.trail.float().numpy() if self.p.trails and len(self.trail) > 1 else None
        layers.append(Markers(marks, trail, label, movable=True))
        x, y = self.data.columns if self.flat_data else (_("PC1"), _("PC2"))
        total = self.data.total if self.data.total > len(self.xy) else None
        return Points(
            self.xy, first, _component_names(k), tuple(layers), (x, y), total=total, classes=self.classes,
            other=second, share=share,
        )  # fmt: skip

    def _ellipses(self, label: NDArray[np.int32]) -> Ellipses:
        """The components as drawn: seen from a plane with axes A, a Gaussian has covariance Aᵀ Σ A."""
        seen = self.plane.T @ self.sigma @ self.plane  # (K, 2, 2)
        values, vectors = torch.linalg.eigh(seen)
        axes = vectors * values.clamp(min=0).sqrt()[:, None, :]  # (K, 2, 2), half axes in the columns
        strength = (0.25 + 0.75 * self.pi / self.pi.max()).float().numpy()
        return Ellipses(self._marks().float().numpy(), axes.float().numpy(), label, strength=strength)

    def _ground(self, cells: torch.Tensor) -> Regions | Field:
        """Under the points: which component answers for each place most, or log p(x) there."""
        joint = gaussians.coefficients(self.pi, self.mu, self.sigma) @ cells  # (K, MAP²)
        if self.p.ground == "owner":
            owner = joint.max(0).indices.reshape(MAP, MAP)
            return Regions(owner.to(torch.uint8).numpy(), self.extent)
        log_p = joint.logsumexp(0).reshape(MAP, MAP)
        top = float(log_p.max())
        value = log_p.clamp(min=top - DEPTH).float().numpy()
        return Field(value, self.extent, (top - DEPTH, top), name=_("log p(x)"))

    def _weights(self) -> Bars:
        k = len(self.pi)
        names = tuple(str(n + 1) for n in range(k))  # as on the marks
        return Bars(self.pi.float().numpy(), names, np.arange(k, dtype=np.int32), axis=_("weight"))

    def _choice(self) -> Curve:
        """The lowest BIC at which EM has settled with each k, and that of the mixture as it is."""
        now = self.tried.clone()
        at = len(self.mu) - 1
        now[at] = min(float(now[at]), self._bic())
        known = now < UNTRIED  # (MOST,)
        x = torch.arange(1, int(known.nonzero()[-1]) + 2).float()  # (T,)
        line = torch.where(known, now, math.nan)[: len(x)].float()
        dots = torch.stack([x, line], 1)[known[: len(x)]]  # (M, 2)
        best = int(self.tried.argmin()) + 1
        marks: tuple[Mark, ...] = (Mark(best, _("lowest at k = {k}", k=best)),)
        if int((self.tried < UNTRIED).sum()) == 1:  # k = 1 is known without a run: the lowest of one is none
            marks = ()
        return Curve(
            x.numpy(), {_("BIC"): line.numpy()}, (_("components k"), ""), dots=dots.numpy(),
            marks=marks, span=(0.5, max(8, len(x)) + 0.5),
        )  # fmt: skip

    def _means(self) -> Images:
        return Images(
            self._pictures(self.mu), captions=self._captions(), label=np.arange(len(self.mu), dtype=np.int32)
        )

    def _samples(self) -> Images:
        """Draws from the mixture: a component by its weight, then a place in it, z = μ_k + L_k ε.

        The same ε each time, so that the pictures change only as the mixture does.
        """
        chance = torch.Generator().manual_seed(self.seed)
        noise = torch.randn(DRAWN, self.x.shape[1], generator=chance, dtype=torch.float64)  # (S, d) ε
        evenly = (torch.arange(DRAWN, dtype=torch.float64) + 0.5) / DRAWN
        which = torch.searchsorted(self.pi.cumsum(0), evenly).clamp(max=len(self.pi) - 1)  # (S,)
        lower = torch.linalg.cholesky(self.sigma)[which]  # (S, d, d)
        z = self.mu[which] + (lower @ noise[:, :, None])[:, :, 0]  # (S, d)
        return Images(self._pictures(z), label=which.int().numpy())

    def _pictures(self, rows: torch.Tensor) -> NDArray[np.float32]:
        """Places in the space of the mixture as pictures: (N, d) -> (N, H, W), or in colour (N, H, W, 3)."""
        shape = self.data.x.shape[1:]  # (C, H, W)
        pictures = self._to_data(rows).float().clamp(0, 1).reshape(-1, *shape)  # (N, C, H, W)
        pixels = pictures[:, 0] if shape[0] == 1 else pictures.permute(0, 2, 3, 1)
        return pixels.contiguous().numpy()

    def _captions(self) -> tuple[Text, ...]:
        """Of which class most of what a component answers for is; its weight where no classes are known."""
        if self.data.y is None or self.fast is not None:
            return tuple(_("weight {share} %", share=round(100 * float(p))) for p in self.pi)
        classes = torch.nn.functional.one_hot(self.data.y, len(self.data.names)).double()  # (N, classes)
        captions = []
        for row in self.r @ classes:  # (classes,)
            share = round(100 * float(row.max()) / max(float(row.sum()), 1e-9))
            captions.append(_("{share} % are “{name}”", share=share, name=self.data.names[int(row.argmax())]))
        return tuple(captions)


def _leading(flat: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Where the mixture's space begins, (D,), and its axes (D, d), float64.

    Few numbers are taken as they are, so that "along the axes" means the columns of the table.
    """
    n, d = flat.shape
    origin = flat.double().mean(0)
    if d <= AXES:
        return origin, torch.eye(d, dtype=torch.float64)
    rows = 2000 if d > gram.WHOLE else 8000  # axes of some rows will do
    some = flat[:: math.ceil(n / rows)]  # (M, D)
    if len(some) >= d:
        return origin, gram.leading(gram.mean_and_covariance(some)[1], AXES)[1][:, :AXES].contiguous()
    # Fewer rows than numbers: X Xᵀ is smaller than Xᵀ X, and where it has eigenvector v, the other has Xᵀ v.
    some = some - some.mean(0)
    v = gram.leading((some @ some.T).double(), AXES)[1][:, :AXES]  # (M, d)
    axes = torch.linalg.qr(some.T.double() @ v)[0]  # (D, d)
    largest = axes.gather(0, axes.abs().argmax(0, keepdim=True))  # (1, d)
    return origin, (axes * largest.sign()).contiguous()  # which way an axis points does not depend on chance


def _place(x: float, y: float) -> torch.Tensor:
    """A place on the picture, (2,)."""
    if not (abs(x) < FARTHEST and abs(y) < FARTHEST):  # NaN is not below anything either
        raise InputError(_("That is not a place on the picture."))
    return torch.tensor([x, y], dtype=torch.float64)


def _component_names(k: int) -> tuple[Text, ...]:
    return tuple(_("component {n}", n=n + 1) for n in range(k))
