"""UMAP: a map on which neighbours stay neighbours, laid out by pulling and pushing points.

Source: L. McInnes, J. Healy, J. Melville, "UMAP: Uniform manifold approximation and projection for dimension
reduction", 2018. What is reported as its loss: S. Damrich, F. Hamprecht, "On UMAP's true loss function",
2021.

Each point is tied to its nearest neighbours, the nearest most surely: a_ij = exp(−(d_ij − ρ_i) / σ_i), and
w_ij = a_ij + a_ji − a_ij a_ji. On the map, two points at distance d are neighbours with probability
q = 1 / (1 + a d^2b). An epoch draws edges, the surer the more often; each pulls its two ends together, and
random others are pushed away. The graph and the layout are in ``engine.parts.umap``.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.core.experiment import Demo, Experiment, experiment, query
from engine.core.frame import Beat, Channel, Encoded, Frame, Layer, Payload, Points, Scalar, Segments
from engine.core.params import Choice, Knob, Switch
from engine.core.text import Text, _
from engine.data.registry import Dataset, nothing
from engine.parts import align, camera, embedding, quality, umap, umap_learn

MOST = 50_000
"""Points laid out; of more, these many spread over the set."""
WIDEST = 100
"""Neighbours that can be asked for."""
QUICK = 10_000
"""Up to so many points, more neighbours are looked for only when they are wanted: that takes under a second.
"""
JUDGED = 10
"""Epochs between two looks at how good the map is, and neighbours looked at."""
RANKED = 2000
"""Points among which the trustworthiness is measured."""
REHEAT = 0.3
"""The share of the learning rate from which a map goes on when a knob is turned at the end."""
LINES = 3000
"""Edges drawn, the surest ones."""
PATIENCE = 0.2
"""Seconds that a step waits for umap-learn before it lets the engine look at its commands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UmapParams:
    """What can be turned."""

    neighbours: Annotated[
        int,
        Knob(
            2,
            WIDEST,
            "log",
            label=_("Neighbours"),
            help=_(
                "How many nearest points hold on to each, itself included: few see details, many the whole."
            ),
        ),
    ] = 15
    min_dist: Annotated[
        float,
        Knob(
            0,
            0.99,
            label=_("Minimum distance"),
            help=_("How close neighbours come to lie on the map: 0 makes dense clumps, 1 an even carpet."),
        ),
    ] = 0.1
    negatives: Annotated[
        int,
        Knob(
            1,
            30,
            "log",
            label=_("Negative samples"),
            help=_("How many random points push, for each neighbour that pulls."),
        ),
    ] = 5
    lr: Annotated[
        float,
        Knob(
            0.05,
            5,
            "log",
            label=_("Learning rate"),
            help=_("How far points move in the first epoch; from there it falls evenly to nothing."),
        ),
    ] = 1.0
    epochs: Annotated[
        int,
        Knob(
            50,
            2000,
            "log",
            label=_("Epochs"),
            help=_("In how many epochs the learning rate falls to nothing. Turn it at the end to go on."),
        ),
    ] = 300
    edges: Annotated[
        bool, Switch(label=_("Show the graph"), help=_("Draw the surest edges between neighbours."))
    ] = False
    start: Annotated[
        str,
        Choice(
            {"spectral": _("spectral"), "pca": _("principal axes")},
            live=False,
            label=_("Start"),
            help=_(
                "Where the points start: along the slowest waves on the graph, or by PCA, as always when the "
                "graph is in pieces."
            ),
        ),
    ] = "spectral"
    method: Annotated[
        str,
        Choice(
            {"live": _("live (ours)"), "umap-learn": _("umap-learn (reference)")},
            live=False,
            label=_("Method"),
            help=_(
                "Our own layout, or the widely used package: the same start and neighbours. A knob turned in "
                "mid-run starts it anew from the map at hand."
            ),
        ),
    ] = "live"


@experiment(
    "umap",
    title=_("UMAP"),
    question=_("Can a flat map keep everyone next to their neighbours?"),
    topic="clusters",
    datasets=("digits", "pen", "sprites", "faces", "textures", "mnist", "fashion", "swiss_roll", "blobs",
              "rings", "moons", "own_images", "own_table"),
    demos=(
        Demo("islands", _("Digits fall into islands"), _("Which digits share an island, without any label?"),
             "digits", picture="map"),
        Demo("unroll", _("Unrolling the Swiss roll"), _("Does the roll come out as one flat sheet?"),
             "swiss_roll", {"neighbours": 30, "min_dist": 0.5, "negatives": 2}, picture="map"),
        Demo("dust", _("From dust to carpet"),
             _("What does the minimum distance change, and what does it leave alone?"),
             "digits", {"min_dist": 0.0}, picture="map"),
        Demo("few", _("Few neighbours or many"), _("Are the small clumps real, or made by looking too near?"),
             "digits", {"neighbours": 3}, picture="map"),
        Demo("reference", _("The package itself"), _("Does umap-learn draw the same islands?"),
             "digits", {"method": "umap-learn"}, picture="map"),
    ),
)  # fmt: skip
class UMAP(Experiment[UmapParams]):
    """Live by our own layout, or by umap-learn, fitted an epoch a step in a thread of its own.

    ``warmth`` is the share of the learning rate: it falls from 1 to 0 by 1 / epochs a step, and the run is at
    rest at 0. A knob that is turned brings it back to 0.3 at least, so that the map has time to follow.

    The state of umap-learn's sampling cannot be kept. A run that is taken up again, or whose knobs are
    turned, therefore begins a new fit from the map at hand, over the epochs that are left, at the learning
    rate reached: it goes on sensibly, but not bit for bit as it would have.

    Which way a map lies means nothing, and a spectral start lies anyhow: the picture is turned to lie as the
    principal axes do, from which t-SNE starts.
    """

    channels = {
        "map": Channel(Points, _("The map")),
        "source": Channel(Points, _("The data"), kinds=("points",)),
    }
    scalars = {
        "cross_entropy": Scalar(_("Cross-entropy")),
        "kept": Scalar(_("Neighbours kept")),
        "trustworthiness": Scalar(_("Trustworthiness")),
    }
    pace = 40.0
    memory = ("layout", "warmth", "seen", "scores", "keel")

    def setup(self) -> None:
        self.data = embedding.sample(self.data, MOST)
        key = (self.data.name, tuple(self.data.x.shape))
        self.x = embedding.prepare(self.data, self.stages, lambda share: self.tell(0.1 * share))  # (N, D')
        most = self.p.neighbours if len(self.x) <= QUICK else WIDEST
        self.index, self.distance = embedding.neighbours(
            self.data, self.stages, max(most - 1, JUDGED), lambda share: self.tell(0.1 + 0.7 * share)
        )  # (N, K) each
        self.built, graph = self.p.neighbours, self._graph(self.p.neighbours)
        self.tell(0.8)
        some = torch.linspace(0, len(self.x) - 1, min(RANKED, len(self.x))).long()  # (R,)
        ranks = self.stages.get("umap ranks", key, lambda: quality.ranks(self.x[some]))
        self.ranked = (some, ranks)
        self.tell(0.9)
        start = None
        if self.p.start == "spectral":
            start = self.stages.get("umap start", (key, self.p.neighbours), lambda: umap.spectral(graph))
        if start is None:
            start = embedding.start(self.x, self.rng)
        self.layout, self.laid_out = umap.Umap(graph, umap.fill(start, self.rng)), self.data.flat
        plane = self.stages.get("umap plane", key, lambda: embedding.in_plane(self.x))  # (N, 2)
        self.keel = align.Keel(plane)
        self.keel.meet({"map": self.layout.y})
        self.fit: umap_learn.Fit | None = None
        self.fitted = -1  # the step that the fit stands at
        if self.p.method == "umap-learn":
            umap_learn.ready(lambda share: self.tell(0.9 + 0.1 * share))
        self.warmth = 1.0
        self.seen = self._knobs()
        self.scores = self._judge()

    def run(self) -> Iterator[Frame | Beat]:
        yield self._frame()
        while self._warm():
            yield Beat(_("neighbours pull, random others push"), highlight=("map",))
            if self.p.method == "umap-learn":
                while (y := self._reference()) is None:
                    yield Beat(_("umap-learn is at work"))
                self.layout.load_state_dict({"y": y, "epoch": self.layout.epoch + 1})
            else:
                a, b = umap.curve(self.p.min_dist)
                alpha = self.p.lr * self.warmth
                self.layout.step(a, b, self.rng, alpha=alpha, negatives=self.p.negatives)
            self.keel.meet({"map": self.layout.y})
            self.warmth -= 1 / self.p.epochs
            self.step += 1
            self.fitted = self.step
            if self.step % JUDGED == 0 or self.warmth < 0.5 / self.p.epochs:
                self.scores = self._judge()
            yield self._frame()

    def ended(self) -> Text | None:
        return _(
            "The learning rate has fallen to nothing, so the points rest; {kept:.0f} % of their nearest "
            "neighbours are still next to them. Turn a knob to go on.",
            kept=100 * self.scores["kept"],
        )

    def restore(self, kept: Mapping[str, Any]) -> None:
        super().restore({"keel": self.keel.state_dict(), **kept})  # sessions of 0.1 have none
        self.fit = None  # it stood elsewhere

    def take(self, data: Dataset) -> None:
        """The map goes on with the other points, each beginning where the nearest one lay."""
        former, y, warmth, step, keel = self.laid_out, self.layout.y, self.warmth, self.step, self.keel
        self.data = data
        self.setup()
        self.keel.fix(keel)
        y = embedding.follow(self.data.flat, former, y, self.rng)  # (N, 2)
        self.layout.load_state_dict({"y": y, "epoch": step})
        self.warmth, self.scores = max(warmth, REHEAT), self._judge()

    @query
    def encode(self, x: NDArray[np.float32]) -> Encoded:
        """One item of any shape with D numbers: it is put among those of the data that are nearest to it."""
        row = embedding.project(self.data, self.stages, x)  # (1, D')
        xy = embedding.place(row, self.x, self.keel.of("map", self.layout.y))
        nearest = int((self.x - row).square().sum(1).argmin())
        if self.data.y is None or not self.data.names:
            return Encoded(_("nearest: item {index}", index=nearest), "map", xy)
        return Encoded(_("nearest: {name}", name=self.data.names[int(self.data.y[nearest])]), "map", xy)

    # ── inside ─────────────────────────────────────────────────────────────────────────────────────────────

    def _graph(self, neighbours: int) -> umap.Graph:
        """The fuzzy graph of so many neighbours, the point itself counted."""
        if self.index.shape[1] < min(neighbours, len(self.x)) - 1:
            self.index, self.distance = embedding.neighbours(self.data, self.stages, WIDEST - 1, nothing)
        return umap.fuzzy_graph(self.index[:, : neighbours - 1], self.distance[:, : neighbours - 1])

    def _knobs(self) -> tuple[float, ...]:
        """What shapes the map, as it stands."""
        p = self.p
        return p.neighbours, p.min_dist, p.negatives, p.lr, p.epochs

    def _warm(self) -> bool:
        """Whether there is an epoch left, after a look at what was turned."""
        if self._knobs() != self.seen:
            self.warmth, self.seen = max(self.warmth, REHEAT), self._knobs()
            self.fit = None
        if self.built != self.p.neighbours:
            self.built = self.p.neighbours
            self.layout.use(self._graph(self.built))
        return self.warmth >= 0.5 / self.p.epochs

    def _reference(self) -> torch.Tensor | None:
        """The points one epoch further by umap-learn, (N, 2); None when they are not ready yet."""
        if self.fit is None or self.fitted != self.step:
            k = self.p.neighbours - 1
            self.fit = umap_learn.Fit(
                umap_learn.Job(
                    self.x.numpy(), self.index[:, :k].numpy(), self.distance[:, :k].numpy(),
                    self.layout.y.numpy(), self.p.min_dist, self.p.negatives, self.p.lr * self.warmth,
                    int(self.warmth * self.p.epochs + 0.501), self.seed,
                )
            )  # fmt: skip
            self.fitted = self.step
        made = self.fit.take(PATIENCE)
        return None if made is None else torch.from_numpy(made)

    def _judge(self) -> dict[str, float]:
        """How good the map is. Both measures look at ten neighbours."""
        y = self.layout.y
        some, ranks = self.ranked
        return {
            "kept": quality.kept(self.index, y, JUDGED),
            "trustworthiness": quality.trustworthiness(ranks, y[some], JUDGED),
        }

    # ── pictures ───────────────────────────────────────────────────────────────────────────────────────────

    def _frame(self) -> Frame:
        views: dict[str, Callable[[], Payload]] = {"map": self._map}
        if self.data.kind == "points":
            views["source"] = self._source
        a, b = umap.curve(self.p.min_dist)
        loss = self.layout.loss(a, b, negatives=self.p.negatives)
        return Frame(self.step, {"cross_entropy": loss, **self.scores}, views)

    def _map(self) -> Points:
        return self._points(self.keel.of("map", self.layout.y).numpy(), ("", ""))

    def _source(self) -> Points:
        columns = self.data.columns if self.data.flat.shape[1] == 2 else ()
        across, up = itertools.islice((*columns, "", ""), 2)
        points = self._points(camera.flat(self.data.flat).numpy().copy(), (across, up))
        return dataclasses.replace(points, classes=self.data.classes if len(columns) == 2 else None)

    def _points(self, xy: NDArray[np.float32], axes: tuple[str, str]) -> Points:
        label = self.data.classes if self.data.y is not None and len(self.data.names) > 1 else None
        layers: list[Layer] = []
        if self.p.edges:
            graph = self.layout.graph
            surest = graph.weight.topk(min(LINES, len(graph.weight))).indices
            layers.append(Segments(xy[graph.head[surest].numpy()], xy[graph.tail[surest].numpy()]))
        total = self.data.total if self.data.total > len(xy) else None
        return Points(xy, label, self.data.names, tuple(layers), axes, total=total)
