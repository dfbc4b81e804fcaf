"""The same points, laid out by t-SNE with six perplexities at once, from the same start.

The perplexity says how many neighbours each point minds: with few, only the finest grain is kept, and chance
looks like clusters; with many, whole groups are placed by each other, and small ones are lost.

Source: M. Wattenberg, F. Viégas, I. Johnson, "How to use t-SNE effectively", Distill, 2016. t-SNE itself is
told in ``tsne.py``, its arithmetic in ``engine.parts.tsne``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from engine.core.experiment import Demo, Experiment, experiment, query
from engine.core.frame import Channel, Encoded, Frame, Payload, Points, Scalar
from engine.core.params import Knob
from engine.core.text import Text, _
from engine.data.registry import Dataset, nothing
from engine.parts import align, embedding, quality
from engine.parts.tsne import Affinities, Tsne, affinities

PERPLEXITIES = (2, 5, 15, 30, 50, 100)
STEPS, MORE = 500, 200
"""Steps to the end, and after a knob was turned."""
LOOK = 10
"""The maps are judged at every so many steps."""
MIDDLE = "p30"
"""The map in which a drawing is placed."""


class Maps(dict[str, Tsne]):
    """The maps by name, kept and taken up again together."""

    def state_dict(self) -> dict[str, Any]:
        return {name: tsne.state_dict() for name, tsne in self.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        for name, tsne in self.items():
            tsne.load_state_dict(state[name])


@dataclass(frozen=True, slots=True, kw_only=True)
class PerplexityParams:
    """What can be turned."""

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
        Knob(0, 500, label=_("Exaggeration steps"), help=_("After so many steps the exaggeration ends.")),
    ] = 100
    most: Annotated[
        int,
        Knob(
            200,
            5000,
            "log",
            live=False,
            label=_("Points at most"),
            help=_("Of larger data, an even sample of that many points is laid out."),
        ),
    ] = 2000


@experiment(
    "perplexity",
    title=_("Perplexity"),
    question=_("How many neighbours should a point mind?"),
    topic="clusters",
    datasets=("digits", "two_sizes", "three_distances", "pure_noise", "nested", "interlocked", "trefoil",
              "swiss_roll", "blobs", "rings", "pen", "sprites", "faces", "textures", "mnist", "fashion",
              "own_images", "own_table"),
    demos=(
        Demo("noise", _("Which of these is noise?"), _("All six are. Where would you have seen clusters?"),
             "pure_noise", {"most": 200}, picture="p2"),
        Demo("digits", _("Six maps of the digits"), _("Which groups are there in every map?"),
             "digits", picture="p15"),
        Demo("sizes", _("One wide, one narrow"), _("Does any map show how wide they are?"),
             "two_sizes", picture="p30"),
        Demo("distances", _("Near and far"), _("One cloud is five times as far. Does any map say so?"),
             "three_distances", picture="p50"),
        Demo("nested", _("One inside another"),
             _("The narrow cloud lies in the very middle. Where is it here?"), "nested", picture="p30"),
        Demo("knot", _("A knot on the table"), _("Which perplexity keeps the thread in one piece?"),
             "trefoil", picture="p50"),
    ),
)  # fmt: skip
class Perplexity(Experiment[PerplexityParams]):
    """One step moves each of the six maps by one step of t-SNE."""

    channels = {f"p{p}": Channel(Points, _("Perplexity {n}", n=p)) for p in PERPLEXITIES}
    scalars = {f"kept{p}": Scalar(_("Neighbours kept · {map}", map=str(p))) for p in PERPLEXITIES}
    memory = ("maps", "until", "seen", "kept", "keel")
    pace = 30.0

    def setup(self) -> None:
        self.data = embedding.sample(self.data, self.p.most)
        self.x = embedding.prepare(self.data, self.stages, lambda share: self.tell(0.3 * share))  # (N, D')
        # More than a third of the points would be no neighbourhood.
        most = (len(self.x) - 1) / 3
        self.used = {f"p{p}": max(1.0, min(float(p), most)) for p in PERPLEXITIES}
        key = (self.data.name, tuple(self.data.x.shape))
        start = embedding.start(self.x, self.rng)  # (N, 2), the same for all
        wanted = self.stages.get("perplexity affinities", key, self._affinities)
        self.maps = Maps({name: Tsne(p, start) for name, p in wanted.items()})
        self.keel = align.Keel(start, self.maps)  # the start lies along the principal axes
        self.laid_out = self.data.flat  # (N, D)
        self.until = STEPS
        self.seen = str(self.p)
        self._judge()

    def take(self, data: Dataset) -> None:
        """The maps go on with the other points, each beginning where the nearest one lay."""
        former, places = self.laid_out, {name: tsne.y for name, tsne in self.maps.items()}
        keel, self.data = self.keel, data
        self.setup()
        self.keel.fix(keel)
        rows = self.data.flat
        self.maps = Maps(
            {
                name: Tsne(tsne.affinities, embedding.follow(rows, former, places[name], self.rng))
                for name, tsne in self.maps.items()
            }
        )
        self.until = max(self.until, self.step + MORE)
        self._judge()

    def run(self) -> Iterator[Frame]:
        yield self._frame()
        while self.seen != str(self.p) or self.step < self.until:
            if self.seen != str(self.p):
                self.seen, self.until = str(self.p), max(self.until, self.step + MORE, self.p.early + MORE)
            exaggeration = self.p.exaggeration if self.step < self.p.early else 1.0
            for tsne in self.maps.values():
                tsne.step(exaggeration=exaggeration)
            self.keel.meet({name: tsne.y for name, tsne in self.maps.items()})
            self.step += 1
            if self.step % LOOK == 0:
                self._judge()
            yield self._frame()

    def ended(self) -> Text | None:
        held = max(self.used.values())
        if held < max(float(name[1:]) for name in self.used):
            return _(
                "All six maps have settled. No perplexity is above {n:.0f}: a third of the points.", n=held
            )
        return _("All six maps have settled; turn a knob and they go on.")

    def restore(self, kept: Mapping[str, Any]) -> None:
        super().restore({"keel": self.keel.state_dict(), **kept})  # sessions of 0.1 have none

    @query
    def encode(self, x: NDArray[np.float32]) -> Encoded:
        """Where an input belongs in one of the maps: among its nearest points. x: one item, of any shape."""
        row = embedding.project(self.data, self.stages, x)
        xy = embedding.place(row, self.x, self.keel.of(MIDDLE, self.maps[MIDDLE].y))
        return Encoded(_("among its ten nearest neighbours"), MIDDLE, xy)

    # ── inside ─────────────────────────────────────────────────────────────────────────────────────────────

    def _affinities(self) -> dict[str, Affinities]:
        """P of each map, from three times as many neighbours as its perplexity."""
        found = {}

        def tell(share: float) -> None:
            self.tell(0.3 + 0.6 * share)

        for name, used in sorted(self.used.items(), key=lambda item: -item[1]):  # the widest search first
            k = max(3, int(3 * used))
            found[name] = affinities(*embedding.neighbours(self.data, self.stages, k, tell), used)
        return {name: found[name] for name in self.used}

    def _judge(self) -> None:
        near, _distance = embedding.neighbours(self.data, self.stages, 10, nothing)
        self.kept = [quality.kept(near, tsne.y) for tsne in self.maps.values()]

    # ── pictures ───────────────────────────────────────────────────────────────────────────────────────────

    def _frame(self) -> Frame:
        views: dict[str, Callable[[], Payload]] = {name: partial(self._map, name) for name in self.maps}
        return Frame(self.step, dict(zip(self.scalars, self.kept, strict=True)), views)

    def _map(self, name: str) -> Points:
        data = self.data
        return Points(
            self.keel.of(name, self.maps[name].y).numpy(),
            data.classes if data.y is not None and len(data.names) > 1 else None,
            data.names,
            axes=("", ""),
            total=data.total if data.total > len(self.x) else None,
        )
