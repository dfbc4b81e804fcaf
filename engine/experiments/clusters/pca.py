"""Principal component analysis: the directions along which data spread most, found step by step and exactly.

Sources: K. Pearson, "On lines and planes of closest fit", 1901; H. Hotelling, "Analysis of a complex of
statistical variables into principal components", 1933; the block iteration follows N. Halko, P.-G. Martinsson
and J. Tropp, "Finding structure with randomness", 2011, with the whole covariance instead of a sketch of it.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray

from engine.core.experiment import Demo, Experiment, experiment, pick, query
from engine.core.frame import (
    Arrows,
    Beat,
    Channel,
    Curve,
    Encoded,
    Frame,
    Images,
    Layer,
    Payload,
    Points,
    Scalar,
    Segments,
)
from engine.core.params import Knob, Switch
from engine.core.text import InputError, Text, _
from engine.data.registry import as_picture
from engine.parts import camera, checks, gram

BLOCK = 50
"""Directions that are turned together, and the most that can be used."""
SHOWN = 15
"""Eigen-images shown even when fewer are used."""
LINES = 400
"""Projection lines drawn."""
PICTURES = 10
"""Pictures rebuilt side by side."""
PRECISE = 1e-8
"""Share of the largest variance by which C v may still miss λ v when the iteration counts as done."""


FINEST = 0.01
"""Degrees: smaller angles to the exact axes are told as this one."""


# ── the method ────────────────────────────────────────────────────────────────────────────────────────────


def orthonormal(directions: torch.Tensor) -> torch.Tensor:
    """Columns of length one at right angles that span the same. (D, Q) -> (D, Q).

    QR leaves the sign of each column open; a positive diagonal of R keeps pictures from flipping.
    """
    q, r = torch.linalg.qr(directions)
    signed: torch.Tensor = q * torch.where(torch.diagonal(r) < 0, -1.0, 1.0)
    return signed.contiguous()  # row by row, as a saved session gives it back: else the last bits differ


def variances(stretched: torch.Tensor, axes: torch.Tensor) -> torch.Tensor:
    """The variance along each axis, v_iᵀ C v_i. stretched: C V, axes: V, (D, Q) each -> (Q,)."""
    return (axes * stretched).sum(0)


def rayleigh_ritz(covariance: torch.Tensor, axes: torch.Tensor) -> torch.Tensor:
    """The axes of the data *within* what ``axes`` span, largest variance first. (D, Q) -> (D, Q)."""
    _values, turn = gram.eigen(axes.T @ covariance @ axes)  # (Q, Q) the covariance seen from inside
    turned = axes @ turn
    sign = (turned * axes).sum(0)  # point each axis roughly where it pointed before
    return turned * torch.where(sign < 0, -1.0, 1.0)


def largest_angle(a: torch.Tensor, b: torch.Tensor) -> float:
    """The largest angle in degrees between two subspaces, given by orthonormal columns (D, K) each.

    Taken from the sine, ‖(I − B Bᵀ) A‖₂: the cosine cannot tell small angles from none.
    """
    sine = torch.linalg.matrix_norm(a - b @ (b.T @ a), ord=2)
    return math.degrees(math.asin(min(1.0, float(sine))))


# ── the experiment ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class PCAParams:
    """What can be turned."""

    k: Annotated[
        int,
        Knob(1, BLOCK, label=_("Components k"), help=_("How many components rebuild the data.")),
    ] = 1
    first: Annotated[
        int, Knob(1, BLOCK, label=_("Across: component"), help=_("The component drawn from left to right."))
    ] = 1
    second: Annotated[
        int, Knob(1, BLOCK, label=_("Up: component"), help=_("The component drawn from bottom to top."))
    ] = 2
    centre: Annotated[
        bool,
        Switch(
            label=_("Subtract the mean"),
            help=_("Without it the first axis points at the mean instead of along the spread."),
        ),
    ] = True
    ritz: Annotated[
        bool,
        Switch(
            label=_("Turn onto the axes"),
            help=_("After each step, turn the arrows within what they span onto its axes: far fewer steps."),
        ),
    ] = False
    feet: Annotated[
        bool, Switch(label=_("Projection lines"), help=_("Drop each point onto the first axis."))
    ] = True


@experiment(
    "pca",
    title=_("Principal components"),
    question=_("Along which directions do the data spread most?"),
    topic="clusters",
    datasets=("ellipse", "off_centre", "anisotropic", "blobs", "moons", "swiss_roll", "s_curve",
              "interlocked", "digits", "pen", "sprites", "faces", "textures", "mnist", "fashion",
              "own_images", "own_table"),
    presets={
        "swiss_roll": {"k": 2},
        "s_curve": {"k": 2},
        "interlocked": {"k": 2},
        "digits": {"k": 16, "ritz": True},
        "pen": {"k": 30, "ritz": True},
        "sprites": {"k": 30, "ritz": True},
        "faces": {"k": 16, "ritz": True},
        "textures": {"k": 30, "ritz": True},
        "mnist": {"k": 30, "ritz": True},
        "fashion": {"k": 30, "ritz": True},
    },
    demos=(
        Demo("axes", _("Axes of a cloud"), _("Where do the two axes come to rest?"), "ellipse"),
        Demo("stripes", _("Spread is not structure"), _("Which axis tells the stripes apart?"),
             "anisotropic"),
        Demo("eigen", _("Eigen-digits"), _("How many components until you can read the digits?"),
             "digits", {"k": 4}, picture="components"),
        Demo("moons", _("PCA cannot unroll"), _("On which line do they not overlap?"), "moons"),
        Demo("mean", _("Forgetting the mean"), _("What does the first axis find when the mean stays?"),
             "off_centre", {"centre": False}),
    ),
)  # fmt: skip
class PCA(Experiment[PCAParams]):
    """Subspace iteration on the covariance from a random start, beside the exact axes.

    One step multiplies all directions by the covariance, which stretches each towards the axes of largest
    variance, and makes them orthonormal again. The covariance is made once, so that a step and another k cost
    next to nothing. Computes in float64 on the CPU whatever the device: the matrices are small.
    """

    channels = {
        "cloud": Channel(Points, _("The data and their axes"), kinds=("points",)),
        "rebuilt": Channel(Points, _("Rebuilt from k axes"), kinds=("points",)),
        "reconstructions": Channel(Images, _("Pictures rebuilt from k components"), kinds=("images",)),
        "components": Channel(Images, _("The mean and the eigen-images"), kinds=("images",)),
        "scatter": Channel(Points, _("Along two components")),
        "spectrum": Channel(Curve, _("Explained variance by number k"), kinds=("images",)),
    }
    scalars = {
        "explained_variance": Scalar(_("Explained variance, 0 to 1")),
        "reconstruction_mse": Scalar(_("Reconstruction error")),
        "angle_deg": Scalar(_("Angle to the exact (°)"), log=True),
    }
    pace = 3.0
    memory = ("axes", "chosen", "turn")
    sizes = {"chosen": "M"}

    def setup(self) -> None:
        x = checks.numbers(
            self.data,
            lambda index: _(
                "Item {index} has a value that is not a number; PCA needs numbers only.", index=index
            ),
        )
        self.x = x  # (N, D)
        key = (self.data.name, tuple(x.shape))
        self.true_mean, self.covariance = self.stages.get(
            "pca", key, lambda: gram.mean_and_covariance(x, self.tell)
        )
        if float(self.covariance.diagonal().sum()) <= 0:
            raise InputError(_("All items are alike: nothing spreads, so there are no principal components."))
        self.exact: dict[bool, tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = {}
        self.product: tuple[torch.Tensor, bool, torch.Tensor] | None = None  # V, centred or not, C V
        d = x.shape[1]
        start = torch.randn(d, min(d, BLOCK), generator=self.rng, dtype=torch.float64)
        # Neither sign of an axis is right; towards the mean, an arrow from the origin goes to the points.
        start = start * torch.where(self.true_mean @ start < 0, -1.0, 1.0)  # (D, Q)
        self.axes = orthonormal(start)  # (D, Q) V, columns v_1 … v_Q
        self.chosen = self._one_of_each()
        self.turn = 0

    def run(self) -> Iterator[Frame | Beat]:
        yield self._frame()
        while self._missing() > PRECISE:
            c = self._exact()[0]
            yield Beat(_("multiply by the covariance"), highlight=("cloud", "components"))
            stretched = self._stretched()  # W = C V: the more variance along a direction, the longer it gets
            yield Beat(_("orthonormalise (QR)"), highlight=("cloud", "components"))
            self.axes = orthonormal(stretched)  # V R = W
            if self.p.ritz:
                yield Beat(_("rotate to the axes (Rayleigh–Ritz)"), highlight=("cloud", "components"))
                self.axes = rayleigh_ritz(c, self.axes)  # V ← V U, where VᵀCV = U Λ Uᵀ
            self.step += 1
            yield self._frame()

    def ended(self) -> Text | None:
        return _("The axes no longer turn: they are the exact ones.")

    # ── by hand, and questions ─────────────────────────────────────────────────────────────────────────────

    @pick
    def choose(self, index: int) -> None:
        """Rebuild item ``index`` too: it takes the place of one of those shown, in turn."""
        self.check_item(index)
        if index not in self.chosen:
            self.chosen = self.chosen.copy()
            self.chosen[self.turn % len(self.chosen)] = index
            self.turn += 1

    @query
    def encode(self, x: NDArray[np.float32]) -> Encoded:
        """One item of any shape with D numbers: its place in the scatter, and what k components keep."""
        z = self.code(x)  # (k,)
        rebuilt = self.decode(z)  # in the shape of an item
        error = float(((rebuilt - np.asarray(x, np.float32).reshape(rebuilt.shape)) ** 2).mean())
        row = torch.as_tensor(np.asarray(x, dtype=np.float32)).reshape(1, -1)  # (1, D)
        across, up = self._along(row, self._pair())[0]
        picture = as_picture(rebuilt) if self.data.kind == "images" else None
        return Encoded(_("error {e:.3f}", e=error), "scatter", (float(across), float(up)), picture)

    @query
    def code(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """The k coefficients z = Vᵀ (x − m) of one item of any shape with D numbers, (k,)."""
        row = checks.row(x, self.x.shape[1])[0].double()  # (D,)
        return ((row - self._mean()) @ self.axes[:, : self._k()]).float().numpy()

    @query
    def decode(self, z: NDArray[np.float32]) -> NDArray[np.float32]:
        """The item x = m + V z for the first coefficients ``z``; the others count as 0. Shape of an item."""
        code = torch.tensor(np.asarray(z, dtype=np.float64)).reshape(-1)  # (≤ Q,)
        if len(code) > self.axes.shape[1] or not bool((code.abs() <= checks.FARTHEST).all()):
            raise InputError(_("A code here has at most {d} numbers.", d=self.axes.shape[1]))
        x = self._mean() + self.axes[:, : len(code)] @ code  # (D,)
        return x.float().reshape(self.data.x.shape[1:]).numpy()

    @query
    def rebuild(self, index: int) -> NDArray[np.float32]:
        """Item ``index`` rebuilt from k components, in the shape of an item."""
        self.check_item(index)
        return self._rebuilt(self.x[index : index + 1]).reshape(self.data.x.shape[1:]).numpy()

    # ── inside ─────────────────────────────────────────────────────────────────────────────────────────────

    def _exact(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The matrix at work (D, D), its largest eigenvalues (E,) and their eigenvectors (D, E)."""
        if self.p.centre not in self.exact:
            matrix, name = self.covariance, "pca axes"
            if not self.p.centre:
                # Σ x xᵀ / (N − 1) = C + N / (N − 1) m mᵀ: what takes the place of C.
                n, m = len(self.x), self.true_mean
                matrix, name = matrix + n / (n - 1) * torch.outer(m, m), "pca axes, not centred"
            key = (self.data.name, tuple(self.x.shape))
            found = self.stages.get(name, key, lambda: gram.leading(matrix, BLOCK))
            self.exact[self.p.centre] = (matrix, *found)
        return self.exact[self.p.centre]

    def _stretched(self) -> torch.Tensor:
        """C V for the directions as they are, (D, Q): nearly all the work there is, so done once for them."""
        if self.product is None or self.product[0] is not self.axes or self.product[1] != self.p.centre:
            self.product = (self.axes, self.p.centre, self._exact()[0] @ self.axes)
        return self.product[2]

    def _variances(self) -> torch.Tensor:
        """The variance along each direction, (Q,)."""
        return variances(self._stretched(), self.axes)

    def _mean(self) -> torch.Tensor:
        """What is subtracted, (D,): the mean, or nothing."""
        return self.true_mean if self.p.centre else torch.zeros_like(self.true_mean)

    def _k(self) -> int:
        """Components used: the knob may ask for more than there are."""
        return min(self.p.k, self.axes.shape[1])

    def _pair(self) -> list[int]:
        """The two components of the scatter, counted from 0."""
        return [min(n, self.axes.shape[1]) - 1 for n in (self.p.first, self.p.second)]

    def _missing(self) -> float:
        """By how much C v misses λ v, at most, over the components in use: as a share of λ₁."""
        count = max(self._k(), *(n + 1 for n in self._pair()))
        used, stretched = self.axes[:, :count], self._stretched()[:, :count]  # (D, U) each
        # ‖C v_i − λ_i v_i‖ with λ_i = v_iᵀ C v_i, (U,)
        miss = torch.linalg.vector_norm(stretched - used * variances(stretched, used), dim=0)
        return float(miss.max() / self._exact()[1][0])

    def _codes(self, x: torch.Tensor) -> torch.Tensor:
        """Coefficients z = Vᵀ (x − m) of the first k components. (N, D) -> (N, k)."""
        axes = self.axes[:, : self._k()]
        return x @ axes.float() - (self._mean() @ axes).float()

    def _along(self, x: torch.Tensor, which: list[int]) -> NDArray[np.float32]:
        """The coefficients of ``which`` components. (N, D) -> (N, len(which))."""
        axes = self.axes[:, which]
        return (x @ axes.float() - (self._mean() @ axes).float()).numpy()

    def _rebuilt(self, x: torch.Tensor) -> torch.Tensor:
        """x̂ = m + V Vᵀ (x − m) with the first k components. (N, D) -> (N, D)."""
        return self._codes(x) @ self.axes[:, : self._k()].float().T + self._mean().float()

    def _one_of_each(self) -> list[int]:
        """Items to rebuild: the first of each class, then others spread over the set."""
        wanted = min(PICTURES, len(self.x))
        y = self.data.y
        found = (
            []
            if y is None
            else [int((y == c).nonzero()[0]) for c in range(len(self.data.names)) if bool((y == c).any())][
                :wanted
            ]
        )
        rest = (i for i in torch.linspace(0, len(self.x) - 1, 2 * wanted).long().tolist() if i not in found)
        return found + [i for i, _n in zip(rest, range(wanted - len(found)), strict=False)]

    # ── pictures ───────────────────────────────────────────────────────────────────────────────────────────

    def _frame(self) -> Frame:
        views: dict[str, Callable[[], Payload]] = {"scatter": self._scatter}
        if self.data.kind == "images":
            views |= {
                "components": self._components,
                "reconstructions": self._reconstructions,
                "spectrum": self._spectrum,
            }
        else:
            views |= {"cloud": self._cloud, "rebuilt": self._rebuilt_cloud}
        return Frame(self.step, self._numbers(), views)

    def _numbers(self) -> dict[str, float]:
        c, _values, vectors = self._exact()
        k, (n, d) = self._k(), self.x.shape
        total, explained = float(c.trace()), float(self._variances()[:k].sum())
        return {
            "explained_variance": explained / total,  # Σ_{i≤k} v_iᵀ C v_i / tr C
            # Σ ‖x − x̂‖² = (N − 1) (tr C − Σ_{i≤k} v_iᵀ C v_i): what is left, per number
            "reconstruction_mse": max(0.0, (total - explained) * (n - 1) / (n * d)),
            # Nobody sees a hundredth of a degree, and a logarithmic axis has no room for 0: there it ends.
            "angle_deg": max(FINEST, largest_angle(self.axes[:, :k], vectors[:, :k])),
        }

    def _shares(self) -> list[float]:
        """The share of all variance along each axis."""
        return (self._variances() / self._exact()[0].trace()).tolist()

    def _names(self, which: Iterable[int]) -> tuple[Text, ...]:
        """What some components, counted from 0, are called: with their share of the variance."""
        shares = self._shares()
        return tuple(_("PC{n} · {share:.0f} %", n=n + 1, share=100 * shares[n]) for n in which)

    def _cloud(self) -> Points:
        """The points as they are, in the plane or in space, with the axes from the mean: two standard
        deviations long. When the mean is not subtracted, from the origin, which gets a cross; there one is
        enough, for the mean itself counts as spread.
        """
        xy, mean = self._flat(self.x), self._flat(self._mean()[None])  # (N, 2) (1, 2)
        d = self.axes.shape[0]
        count = d if d <= 3 else 2  # of more columns only the first two are seen
        axes = self.axes[:, :count]  # (D, A)
        spread = self._variances()[:count].clamp(min=0).sqrt()  # (A,) standard deviations along them
        long = 2.0 if self.p.centre else 1.0
        arrows = self._flat(long * spread[:, None] * axes.T)  # (A, 2)
        exact_values, exact_axes = self._exact()[1][:count], self._exact()[2][:, :count]
        reach = self._flat(1.5 * long * exact_values.sqrt()[:, None] * exact_axes.T)  # (A, 2)
        layers: list[Layer] = [Segments(mean - reach, mean + reach)]  # the exact axes, quietly
        if self.p.feet:
            some = np.arange(0, len(xy), math.ceil(len(xy) / LINES))  # (M,)
            first = self.axes[:, :1]
            rows = self.x[some].double() - self._mean()  # (M, D)
            foot = self._flat(rows @ first @ first.T + self._mean())  # m + v₁ v₁ᵀ (x − m)
            layers.append(Segments(xy[some], foot, self._colours(some)))
        if not self.p.centre:
            layers.append(self._cross(xy))
        names = self._names(range(count))
        start = np.repeat(mean, count, axis=0)
        layers.append(Arrows(start, start + arrows, names))
        points = self._points(xy, tuple(layers), self._column_names())
        return dataclasses.replace(points, classes=self.data.classes) if d == 2 else points

    @staticmethod
    def _cross(xy: NDArray[np.float32]) -> Segments:
        """A cross at the origin, in proportion to the cloud. xy: (N, 2)."""
        arm = np.float32(0.1) * np.eye(2, dtype=np.float32) * max(np.ptp(xy), np.float32(1e-12))  # (2, 2)
        return Segments(-arm, arm, np.zeros(2, dtype=np.int32))

    def _rebuilt_cloud(self) -> Points:
        return self._points(self._flat(self._rebuilt(self.x)), (), self._column_names())

    def _scatter(self) -> Points:
        names = self._names(self._pair())
        return self._points(self._along(self.x, self._pair()), (), (names[0], names[1]))

    def _points(self, xy: NDArray[np.float32], layers: tuple[Layer, ...], axes: tuple[str, str]) -> Points:
        total = self.data.total if self.data.total > len(xy) else None
        return Points(xy, self._colours(slice(None)), self.data.names, layers, axes, total=total)

    def _colours(self, which: NDArray[np.int64] | slice) -> NDArray[np.int32] | None:
        """The class of some items; none where all are of one class."""
        if self.data.y is None or len(self.data.names) < 2:
            return None
        return self.data.y.numpy()[which].astype(np.int32)

    def _column_names(self) -> tuple[str, str]:
        if self.x.shape[1] == 3:
            return "", ""  # a view into space has no axes of its own
        return (*self.data.columns, "", "")[:2]  # type: ignore[return-value]

    @staticmethod
    def _flat(rows: torch.Tensor) -> NDArray[np.float32]:
        """Rows as drawn, (N, D) -> (N, 2), one's own copy."""
        return camera.flat(rows).numpy().copy()

    def _pictures(self, rows: torch.Tensor) -> NDArray[np.float32]:
        """Rows as pictures, (N, D) -> (N, H, W), or (N, H, W, 3) in colour."""
        pictures = rows.float().reshape(-1, *self.data.x.shape[1:])  # (N, C, H, W)
        if pictures.shape[1] != 3:
            return pictures.mean(1).numpy()
        return pictures.permute(0, 2, 3, 1).numpy().copy()

    def _coloured(self) -> bool:
        return self.data.kind == "images" and self.data.x.shape[1] == 3

    def _components(self) -> Images:
        """The mean, then each axis as a picture: orange where it adds ink, blue where it takes some; in
        colour, what it adds to a middle grey.
        """
        count = min(max(self._k(), SHOWN), self.axes.shape[1])
        axes = self.axes[:, :count].T  # (D, count) -> (count, D)
        axes = axes / axes.abs().amax(1, keepdim=True).clamp(min=1e-12)  # each as strong as the colours allow
        mean = self._mean()[None]  # (1, D)
        if self._coloured():
            mean = 2 * mean - 1  # in colour −1 is black
        pixels = self._pictures(torch.cat([mean, axes]))  # (1 + count, H, W) or (1 + count, H, W, 3)
        captions = (_("mean"), *self._names(range(count)))
        # a frame around those in use
        used = np.where(np.arange(1 + count) <= self._k(), 0, -1).astype(np.int32)
        return Images(pixels, captions=captions, label=used, signed=True)

    def _reconstructions(self) -> Images:
        """Three rows: some pictures, what k components make of them, and where the two differ."""
        items = np.array(self.chosen, dtype=np.int32)
        original = self.x[self.chosen]  # (M, D)
        rebuilt = self._rebuilt(original)
        rows = torch.cat([original, rebuilt.clamp(0, 1), (original - rebuilt).abs().clamp(max=1)])  # (3 M, D)
        return Images(
            self._pictures(rows),
            columns=len(items),
            rows=(_("original"), _("rebuilt from {k}", k=self._k()), _("difference")),
            items=np.concatenate([items, np.full(2 * len(items), -1, dtype=np.int32)]),
        )

    def _spectrum(self) -> Curve:
        """How much of the variance the first 1, 2, 3, … components explain together."""
        c, values, _vectors = self._exact()
        count = self.axes.shape[1]
        found = self._variances().cumsum(0) / c.trace()  # (Q,)
        exact = values[:count].cumsum(0) / c.trace()  # (Q,)
        x = np.arange(1, count + 1, dtype=np.float32)
        lines: dict[str, NDArray[np.float32]] = {
            _("so far"): found.float().numpy(),
            _("exact"): exact.float().numpy(),
        }
        return Curve(x, lines, (_("components"), _("share of the variance")), mark=float(self._k()))
