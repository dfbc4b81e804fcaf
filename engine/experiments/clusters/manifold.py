"""Six ways to lay the same points out in a plane, all at once, each a small step at a time.

    PCA      keep the spread:        y = Vᵀ x, V the eigenvectors of the covariance C
    MDS      keep all distances:     min Σ_{i<j} (d_ij − ‖y_i − y_j‖)²
    Isomap   keep paths:             eigenvectors of −½ J G² J, G the lengths of paths along neighbours
    LLE      keep local recipes:     min Σ_i ‖y_i − Σ_j w_ij y_j‖², w what rebuilds x_i from its neighbours
    t-SNE    keep who is near:       min KL(P ‖ Q)
    UMAP     keep the graph:         min cross-entropy of two fuzzy graphs

The first four have exact answers, found here by iterations that can be watched: eigenvectors turn into place
(orthogonal iteration), the stress of MDS falls from step to step (SMACOF).

Which way a map lies means nothing, so all six are shown lying as the exact PCA does.

Sources: J. Kruskal, "Multidimensional scaling by optimizing goodness of fit", 1964; J. de Leeuw,
"Applications of convex analysis to multidimensional scaling", 1977 (SMACOF); the others are named in
``engine.parts.manifolds``, ``engine.parts.tsne`` and ``engine.parts.umap``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.core.experiment import Demo, Experiment, experiment, query
from engine.core.frame import Bars, Channel, Encoded, Frame, Payload, Points, Scalar
from engine.core.params import Knob
from engine.core.text import Text, _
from engine.data.registry import Dataset
from engine.parts import align, camera, embedding, manifolds, quality, umap
from engine.parts.tsne import Tsne, affinities

STEPS, MORE = 400, 200
"""Steps to the end, and after a knob was turned."""
EARLY, EXAGGERATION = 100, 12.0
"""t-SNE gathers its clusters in so many steps, with so much more attraction."""
LOOK = 10
"""The maps are judged at every so many steps."""
MAPS = ("pca", "mds", "isomap", "lle", "tsne", "umap")
FREE = ("pca", "mds", "isomap", "lle")
"""Those that start at random, and lie anyhow; the others start along the principal axes."""
NAMES = {
    "pca": _("PCA"),
    "mds": _("MDS"),
    "isomap": _("Isomap"),
    "lle": _("LLE"),
    "tsne": _("t-SNE"),
    "umap": _("UMAP"),
}


# ── the methods ───────────────────────────────────────────────────────────────────────────────────────────


def orthonormal(v: torch.Tensor) -> torch.Tensor:
    """Directions that span the same, at right angles and of length 1. (N, Q) -> (N, ≤ Q)."""
    q: torch.Tensor = torch.linalg.qr(v).Q
    return q


def turned(matrix: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """One round of orthogonal iteration: V ← the two eigenvectors of A as seen from the span of A V.

    matrix: (N, N) A. v: (N, 2) orthonormal -> (N, 2), the stronger one first, neither of them flipped over.
    """
    q = orthonormal(matrix @ v)  # (N, 2)
    _values, axes = torch.linalg.eigh(q.T @ matrix @ q)  # (2,) rising, (2, 2)
    new = q @ axes.flip(1)  # (N, 2)
    return torch.where((new * v).sum(0) < 0, -new, new)


def in_place(v: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    """The map that eigenvectors ``v`` (N, 2) stand for: y = v √λ with λ = vᵀ A v, (N, 2)."""
    return v * (v * (matrix @ v)).sum(0).clamp(min=0).sqrt()


def guttman(distance: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """One step of SMACOF: y ← 1/N B y with b_ij = −d_ij / ‖y_i − y_j‖ and b_ii = −Σ_j b_ij.

    The stress Σ (d_ij − ‖y_i − y_j‖)² never rises by it. distance: (N, N), y: (N, 2) -> (N, 2).
    """
    apart = torch.cdist(y, y)  # (N, N)
    b = torch.where(apart > 0, -distance / apart.clamp(min=1e-30), 0.0)  # (N, N)
    b -= torch.diag(b.sum(1))  # the diagonal of b itself is 0
    return b @ y / len(y)


# ── the experiment ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifoldParams:
    """What can be turned."""

    neighbours: Annotated[
        int,
        Knob(
            3,
            60,
            label=_("Neighbours"),
            help=_("Whom Isomap, LLE and UMAP call near. Few: a map may tear; many: short cuts."),
        ),
    ] = 10
    perplexity: Annotated[
        float, Knob(2, 100, "log", label=_("Perplexity"), help=_("How many neighbours t-SNE attends to."))
    ] = 30.0
    min_dist: Annotated[
        float, Knob(0.0, 0.99, label=_("Minimum distance"), help=_("How close UMAP may put two points."))
    ] = 0.1
    most: Annotated[
        int,
        Knob(
            200,
            2000,
            "log",
            live=False,
            label=_("Points at most"),
            help=_("Of larger data, an even sample of that many points is laid out, the same in every map."),
        ),
    ] = 1000


@experiment(
    "manifold",
    title=_("Six maps side by side"),
    question=_("Which map can be trusted with what?"),
    topic="clusters",
    datasets=("swiss_roll", "s_curve", "interlocked", "digits", "blobs", "rings", "trefoil", "pen", "sprites",
              "faces", "textures", "mnist", "fashion", "own_images", "own_table"),
    demos=(
        Demo("roll", _("Unroll the Swiss roll"), _("Which maps unroll it, tear it, press it flat?"),
             "swiss_roll", picture="isomap"),
        Demo("shortcut", _("One neighbour too many"), _("Why does Isomap suddenly give up?"),
             "swiss_roll", {"neighbours": 60}, picture="isomap"),
        Demo("digits", _("Six maps of digits"), _("Point at a digit: where is it in the other maps?"),
             "digits", picture="umap"),
        Demo("links", _("Two links of a chain"), _("What becomes of two links of a chain?"),
             "interlocked", picture="tsne"),
    ),
)  # fmt: skip
class Manifold(Experiment[ManifoldParams]):
    """One step: one iteration of each of the six. All of them start from the same place.

    Computes on the CPU whatever the device: the matrices are small, and the fast ways are made for it.
    """

    channels = {
        "source": Channel(Points, _("The data"), kinds=("points",)),
        **{name: Channel(Points, title) for name, title in NAMES.items()},
        "trust": Channel(Bars, _("Trustworthiness")),
    }
    scalars = {name: Scalar(_("Neighbours kept · {map}", map=title)) for name, title in NAMES.items()}
    memory = ("axes", "mds", "paths", "recipes", "tsne", "umap", "until", "seen", "kept", "trust", "keel")

    def setup(self) -> None:
        self.data = embedding.sample(self.data, self.p.most)
        self.x = embedding.prepare(self.data, self.stages, lambda share: self.tell(0.2 * share))  # (N, D')
        self.key = (self.data.name, tuple(self.data.x.shape))
        n, d = self.x.shape
        spread = self.stages.get("manifold distances", self.key, lambda: manifolds.distances(self.x))
        self.distance = spread.float()  # (N, N)
        self.covariance = (self.x.T @ self.x).double()  # (D', D')
        start = embedding.start(self.x, self.rng)  # (N, 2)
        self.axes = orthonormal(torch.randn(d, 2, generator=self.rng, dtype=torch.float64))  # (D', 2)
        self.mds = torch.randn(n, 2, generator=self.rng) * self.distance.mean()  # (N, 2)
        self.paths = orthonormal(torch.randn(n, 2, generator=self.rng, dtype=torch.float64))  # (N, 2)
        self.recipes = orthonormal(torch.randn(n, 2, generator=self.rng, dtype=torch.float64))  # (N, 2)
        self.fit = ""
        self._fit()
        self.tsne = Tsne(self.affinities, start)
        self.umap = umap.Umap(self.graph, umap.fill(start, self.rng))
        self.plane = self.stages.get("manifold plane", self.key, lambda: embedding.in_plane(self.x))  # (N, 2)
        self.keel = align.Keel(self.plane, MAPS)
        self.until = STEPS
        self.seen = str(self.p)
        self.ranks = self.stages.get("manifold ranks", self.key, lambda: quality.ranks(self.x))
        self._judge()

    def take(self, data: Dataset) -> None:
        """Other points need other maps: all of them begin again."""
        self.data = data
        self.setup()

    def run(self) -> Iterator[Frame]:
        self._use()
        yield self._frame()
        while self.step < self.until or self.seen != str(self.p):
            if self.seen != str(self.p):
                self.seen, self.until = str(self.p), max(self.until, self.step + MORE)
                self._use()
            if self.x.shape[1] > 1:
                self.axes = turned(self.covariance, self.axes)
            self.mds = guttman(self.distance, self.mds)
            self.paths = turned(self.kernel, self.paths)
            self.recipes = turned(self.inverse, self.recipes)
            self.tsne.step(exaggeration=EXAGGERATION if self.step < EARLY else 1.0)
            a, b = umap.curve(self.p.min_dist)
            # the learning rate falls to 0 by the end; a knob turned later lets a little of it back in
            alpha = max(0.0, 1 - self.step / STEPS) or 0.2 * (1 - self.step / self.until)
            self.umap.step(a, b, self.rng, alpha=alpha)
            self.keel.meet(self._maps(rough=True))
            self.step += 1
            if self.step % LOOK == 0:
                self._judge()
            yield self._frame()

    def ended(self) -> Text | None:
        return _("All six maps have settled; turn a knob and they go on.")

    @query
    def encode(self, x: NDArray[np.float32]) -> Encoded:
        """Where an input belongs in the map of UMAP: among its nearest points. x: one item, of any shape."""
        row = embedding.project(self.data, self.stages, x)
        place = embedding.place(row, self.x, self.keel.of("umap", self.umap.y))
        return Encoded(_("among its ten nearest neighbours"), "umap", place)

    # ── inside ─────────────────────────────────────────────────────────────────────────────────────────────

    def restore(self, kept: dict[str, Any]) -> None:  # type: ignore[override]
        super().restore({"keel": self.keel.state_dict(), **kept})  # sessions of 0.1 have none
        self._use()

    def _use(self) -> None:
        """Let the maps follow the knobs."""
        self._fit()
        self.tsne.affinities = self.affinities
        if self.umap.graph is not self.graph:
            self.umap.use(self.graph)

    def _fit(self) -> None:
        """What the knobs and the data decide: the graphs, and the matrices made from them."""
        n = len(self.x)
        k = min(self.p.neighbours, n - 1)
        perplexity = max(1.0, min(self.p.perplexity, (n - 1) / 3))
        if self.fit == f"{k} {perplexity}":
            return
        self.fit = f"{k} {perplexity}"
        index, distance = embedding.neighbours(
            self.data, self.stages, k, lambda share: self.tell(0.2 + 0.2 * share)
        )  # (N, k) each
        key = (*self.key, k)
        self.kernel, self.inverse = self.stages.get("manifold kernels", key, lambda: self._kernels(index))
        self.graph = self.stages.get("manifold graph", key, lambda: umap.fuzzy_graph(index, distance))
        wide = embedding.neighbours(
            self.data, self.stages, max(3, int(3 * perplexity)), lambda share: self.tell(0.8 + 0.1 * share)
        )
        self.affinities = self.stages.get(
            "manifold affinities", (*self.key, perplexity), lambda: affinities(*wide, perplexity)
        )

    def _kernels(self, index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Isomap's K and, for LLE, the inverse of M without its constant vector: (N, N) float64 each.

        LLE wants the eigenvectors of M with the smallest eigenvalues; those are the largest of its inverse.
        """
        spread = self.stages.get("manifold distances", self.key, lambda: manifolds.distances(self.x))
        kernel = manifolds.double_centred(manifolds.geodesic(spread, index))
        self.tell(0.5)
        n = len(self.x)
        m = manifolds.reconstruction(self.x, index)
        self.tell(0.7)
        m += 1e-9 * torch.eye(n, dtype=torch.float64) * m.diagonal().mean() + 1.0 / n  # 1 is out of the way
        return kernel, torch.cholesky_inverse(torch.linalg.cholesky(m))

    def _maps(self, *, rough: bool = False) -> dict[str, torch.Tensor]:
        """Where the points are now in each map, (N, 2) each. rough: Isomap's two axes equally long, which
        saves a product with its matrix.
        """
        across = self.x @ self.axes.float()  # (N, 2), or (N, 1) where there is but one column
        return {
            "pca": torch.nn.functional.pad(across, (0, 2 - across.shape[1])),
            "mds": self.mds,
            "isomap": (self.paths if rough else in_place(self.paths, self.kernel)).float(),
            "lle": self.recipes.float() * len(self.x) ** 0.5,
            "tsne": self.tsne.y,
            "umap": self.umap.y,
        }

    def _judge(self) -> None:
        index, _distance = embedding.neighbours(self.data, self.stages, 10, self.tell)
        maps = self._maps()
        self.kept = {name: quality.kept(index, y) for name, y in maps.items()}
        self.trust = {name: quality.trustworthiness(self.ranks, y) for name, y in maps.items()}

    # ── pictures ───────────────────────────────────────────────────────────────────────────────────────────

    def _frame(self) -> Frame:
        views: dict[str, Callable[[], Payload]] = {name: lambda n=name: self._map(n) for name in MAPS}  # type: ignore[misc]
        views["trust"] = self._trust
        if self.data.kind == "points":
            views["source"] = self._source
        return Frame(self.step, dict(self.kept), views)

    def _map(self, name: str) -> Points:
        y = self._maps()[name]
        if name in FREE:  # turned exactly: what matters in them is not how they move, but where they arrive
            return self._points(align.procrustes(y, self.plane, mirrored=self.keel.mirrors(name)).of(y))
        return self._points(self.keel.of(name, y))

    def _source(self) -> Points:
        """The data as they are; of more than three columns, the first two principal axes."""
        return self._points(
            camera.flat(self.data.flat) if self.data.flat.shape[1] <= 3 else embedding.in_plane(self.x)
        )

    def _points(self, y: torch.Tensor) -> Points:
        labels = self.data.classes if self.data.y is not None and len(self.data.names) > 1 else None
        total = self.data.total if self.data.total > len(self.x) else None
        return Points(y.float().numpy().copy(), labels, self.data.names, (), ("", ""), total=total)

    def _trust(self) -> Bars:
        values = np.array([self.trust[name] for name in MAPS], np.float32)
        return Bars(values, tuple(NAMES[name] for name in MAPS))
