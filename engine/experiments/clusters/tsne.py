"""t-SNE, live: points in the plane are pulled by their neighbours in the data and pushed by everybody else.

    p_ij: how near i and j are in the data, on the scale of each point's own neighbourhood (its perplexity)
    q_ij = w_ij / Z with w_ij = 1 / (1 + ‖y_i − y_j‖²): how near they are in the map
    KL(P ‖ Q) = Σ p_ij ln(p_ij / q_ij) is made small by walking down its gradient:
    ∂KL/∂y_i = 4 (Σ_j p_ij w_ij (y_i − y_j) − 1/Z Σ_j w_ij² (y_i − y_j))

Sources: L. van der Maaten, G. Hinton, "Visualizing data using t-SNE", 2008. How maps are misread:
M. Wattenberg, F. Viégas, I. Johnson, "How to use t-SNE effectively", Distill, 2016. The quick ways of
computing it are in ``engine.parts.tsne``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.core.experiment import Demo, Experiment, experiment, query
from engine.core.frame import Beat, Channel, Encoded, Frame, Payload, Points, Scalar, Segments
from engine.core.params import Knob, Switch
from engine.core.text import Text, _
from engine.data.registry import Dataset, nothing
from engine.parts import align, camera, embedding, quality
from engine.parts.tsne import Affinities, Tsne, affinities

STEPS, MORE = 750, 250
"""Steps to the end, and after a knob was turned."""
LOOK, LARGE = 10, 3000
"""The map is judged at every so many steps; half as often where there are more points than LARGE."""
ARROWS = 300
"""Forces drawn in slow motion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TsneParams:
    """What can be turned."""

    perplexity: Annotated[
        float,
        Knob(
            2,
            200,
            "log",
            label=_("Perplexity"),
            help=_("How many neighbours each point pays attention to. At most a third of the points."),
        ),
    ] = 20.0
    exaggeration: Annotated[
        float,
        Knob(
            1,
            40,
            "log",
            label=_("Exaggeration"),
            help=_("How many times stronger the attraction is at the beginning, to gather the clusters."),
        ),
    ] = 12.0
    early: Annotated[
        int,
        Knob(0, 1000, label=_("Exaggeration steps"), help=_("After so many steps the exaggeration ends.")),
    ] = 150
    hold: Annotated[
        bool,
        Switch(label=_("Keep exaggerating"), help=_("Exaggerate for as long as this is on.")),
    ] = False
    rate: Annotated[
        float,
        Knob(
            0.02,
            20,
            "log",
            label=_("Learning rate"),
            help=_("The length of a step; 1 is the usual one for that many points."),
        ),
    ] = 1.0
    momentum: Annotated[
        float,
        Knob(0, 0.95, label=_("Momentum"), help=_("The share of each move that is kept for the next one.")),
    ] = 0.8
    most: Annotated[
        int,
        Knob(
            500,
            50_000,
            "log",
            live=False,
            label=_("Points at most"),
            help=_("Of larger data, an even sample of that many points is laid out."),
        ),
    ] = 10_000


@experiment(
    "tsne",
    title=_("t-SNE"),
    question=_("Can a flat map keep who is whose neighbour?"),
    topic="clusters",
    datasets=("digits", "pen", "sprites", "faces", "textures", "mnist", "fashion", "swiss_roll", "blobs",
              "rings", "interlocked", "two_sizes", "three_distances", "pure_noise", "nested", "trefoil",
              "own_images", "own_table"),
    demos=(
        Demo("digits", _("The digits part"), _("It never sees the labels. Do the digits part all the same?"),
             "digits", picture="map"),
        Demo("sizes", _("Sizes mean nothing"), _("One cloud is ten times as wide. Does the map say so?"),
             "two_sizes", picture="map"),
        Demo("distances", _("Distances may mean nothing"),
             _("One cloud is five times as far. Is it on the map?"), "three_distances", picture="map"),
        Demo("noise", _("Clusters out of noise"), _("This is pure noise. Who put the clumps there?"),
             "pure_noise", {"perplexity": 2.0}, picture="map"),
        Demo("roll", _("The Swiss roll, torn"), _("Can neighbours alone unroll a sheet?"),
             "swiss_roll", picture="map"),
    ),
)  # fmt: skip
class TsneExperiment(Experiment[TsneParams]):
    """One step: sum up what pulls and pushes each point, and move all of them a little.

    Computes on the CPU whatever the device: the fast ways in ``engine.parts.tsne`` are made for it.
    """

    channels = {
        "map": Channel(Points, _("The map")),
        "source": Channel(Points, _("The data"), kinds=("points",)),
    }
    scalars = {
        "kl": Scalar(_("Divergence KL(P ‖ Q)")),
        "kept": Scalar(_("Neighbours kept")),
        "trustworthiness": Scalar(_("Trustworthiness")),
    }
    memory = ("tsne", "until", "seen", "kl", "kept", "trust", "keel")
    pace = 60.0

    def setup(self) -> None:
        self.data = embedding.sample(self.data, self.p.most)
        self.x = embedding.prepare(self.data, self.stages, lambda share: self.tell(0.3 * share))  # (N, D')
        self.key = (self.data.name, tuple(self.data.x.shape))
        self.fitted = self._perplexity()
        p = self._affinities(lambda share: self.tell(0.3 + 0.6 * share))
        self.tsne = Tsne(p, embedding.start(self.x, self.rng))
        self.keel = align.Keel(self.tsne.y)  # the start lies along the principal axes
        self.laid_out = self.data.flat  # (N, D)
        self.until = STEPS
        self.seen = str(self.p)
        self.pull = self.push = torch.zeros_like(self.tsne.y)  # (N, 2)
        self.stage = ""
        self.ranks = self.stages.get("tsne ranks", self.key, lambda: quality.ranks(self.x))
        self._judge()

    def take(self, data: Dataset) -> None:
        """The map goes on with the other points, each beginning where the nearest one lay."""
        former, y, keel = self.laid_out, self.tsne.y, self.keel
        self.data = data
        self.setup()
        self.keel.fix(keel)
        places = embedding.follow(self.data.flat, former, y, self.rng)  # (N, 2)
        self.tsne = Tsne(self.tsne.affinities, places)
        self.until = max(self.until, self.step + MORE)
        self._judge()

    def run(self) -> Iterator[Frame | Beat]:
        self.stage = ""
        yield self._frame()
        while not self._settled():
            if self.seen != str(self.p):
                self.seen, self.until = str(self.p), max(self.until, self.step + MORE)
            if self.fitted != self._perplexity():
                self.fitted = self._perplexity()
                self.tsne.affinities = self._affinities(nothing)

            self.pull, self.push = self.tsne.forces()
            self.stage = "pull"
            yield Beat(_("neighbours in the data pull: Σ p w (y′ − y)"), highlight=("map",))
            self.stage = "push"
            yield Beat(_("all points push: Σ w² (y − y′) / Z"), highlight=("map",))
            self.stage = ""
            self.tsne.move(
                self.pull, self.push,
                exaggeration=self._exaggeration(), rate=self.p.rate, momentum=self.p.momentum,
            )  # fmt: skip
            self.keel.meet({"map": self.tsne.y})
            self.step += 1
            if self.step % (LOOK if len(self.x) <= LARGE else 2 * LOOK) == 0:
                self._judge()
            yield self._frame()

    def ended(self) -> Text | None:
        n = len(self.x)
        if self.fitted < self.p.perplexity:
            return _(
                "The map has settled. For {n} points the perplexity was held at {most:.0f}, a third of them.",
                n=n,
                most=self.fitted,
            )
        return _("The map has settled; turn a knob and it goes on.")

    def restore(self, kept: Mapping[str, Any]) -> None:
        super().restore({"keel": self.keel.state_dict(), **kept})  # sessions of 0.1 have none

    @query
    def encode(self, x: NDArray[np.float32]) -> Encoded:
        """Where an input belongs in the map: among its nearest points. x: one item, of any shape."""
        row = embedding.project(self.data, self.stages, x)
        text = _("among its ten nearest neighbours")
        return Encoded(text, "map", embedding.place(row, self.x, self._seen()))

    # ── inside ─────────────────────────────────────────────────────────────────────────────────────────────

    def _perplexity(self) -> float:
        """The one in use: more than a third of the points would be no neighbourhood."""
        return max(1.0, min(self.p.perplexity, (len(self.x) - 1) / 3))

    def _affinities(self, tell: Callable[[float], None]) -> Affinities:
        """P for the perplexity in use, from three times as many neighbours: farther ones would count for
        nothing. tell: as in ``setup``; in the middle of a run there is nobody to tell.
        """

        def make() -> Affinities:
            k = max(3, int(3 * self.fitted))
            return affinities(*embedding.neighbours(self.data, self.stages, k, tell), self.fitted)

        return self.stages.get("tsne affinities", (*self.key, self.fitted), make)

    def _exaggeration(self) -> float:
        return self.p.exaggeration if self.p.hold or self.step < self.p.early else 1.0

    def _settled(self) -> bool:
        """Whether there is nothing more to see."""
        return self.seen == str(self.p) and self.step >= max(self.until, self.p.early + MORE)

    def _judge(self) -> None:
        y = self.tsne.y
        near, _distance = embedding.neighbours(self.data, self.stages, 10, nothing)
        self.kl, self.kept = self.tsne.kl(), quality.kept(near, y)
        self.trust = quality.trustworthiness(self.ranks, y)

    # ── pictures ───────────────────────────────────────────────────────────────────────────────────────────

    def _frame(self) -> Frame:
        views: dict[str, Callable[[], Payload]] = {"map": self._map}
        if self.data.kind == "points":
            views["source"] = self._source
        numbers = {"kl": self.kl, "kept": self.kept, "trustworthiness": self.trust}
        return Frame(self.step, numbers, views)

    def _seen(self) -> torch.Tensor:
        """Where the points are in the picture, (N, 2), one's own copy."""
        return self.keel.of("map", self.tsne.y)

    def _map(self) -> Points:
        y = self._seen().numpy()
        return Points(y, self._colours(), self.data.names, self._forces(), ("", ""), total=self._total())

    def _forces(self) -> tuple[Segments, ...]:
        """In slow motion, the force at some points, as long as can be seen."""
        if not self.stage:
            return ()
        force = self._exaggeration() * self.pull if self.stage == "pull" else self.push  # (N, 2)
        some = torch.arange(0, len(force), -(-len(force) // ARROWS))  # (M,)
        y, force = self.tsne.y[some], force[some]
        reach = 0.1 * float((y.max(0).values - y.min(0).values).max())
        strongest = float(torch.linalg.vector_norm(force, dim=1).quantile(0.95))
        end = y + force * (reach / max(strongest, 1e-30))
        y, end = self.keel.of("map", y), self.keel.of("map", end)
        label = self._colours()
        return (Segments(y.numpy(), end.numpy(), None if label is None else label[some.numpy()]),)

    def _source(self) -> Points:
        """The data as they are; of more than three columns, their two principal axes."""
        d = self.data.flat.shape[1]
        if d > 3:
            xy = self.stages.get("tsne plane", self.key, lambda: embedding.in_plane(self.x))
            names = (_("PC1"), _("PC2"))
        else:
            xy = camera.flat(self.data.flat)
            names = ("", "") if d == 3 else (*self.data.columns, "", "")[:2]  # type: ignore[assignment]
        return Points(xy.numpy().copy(), self._colours(), self.data.names, (), names, total=self._total())

    def _colours(self) -> NDArray[np.int32] | None:
        """The class of each point; none where all are of one."""
        return self.data.classes if self.data.y is not None and len(self.data.names) > 1 else None

    def _total(self) -> int | None:
        return self.data.total if self.data.total > len(self.x) else None
