"""k-means, step by step: centres move to the mean of their points, points join the nearest centre, again.

Sources: S. Lloyd, "Least squares quantization in PCM", 1982 (written 1957); the careful start is D. Arthur
and S. Vassilvitskii, "k-means++: the advantages of careful seeding", 2007, in its greedy form.
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
    Encoded,
    Frame,
    Images,
    Layer,
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
from engine.parts import checks, gram, lloyd

TRAIL = 60
"""Former places of the centres that are kept for their trails."""
LINES = 400
"""Membership lines drawn: enough to see who belongs to whom, few enough to see through."""
FARTHEST = 1e12
"""Beyond that, squared distances leave the range of float32."""
MAP = 288
"""Width and height of the tinted map, in cells."""


# ── the method ────────────────────────────────────────────────────────────────────────────────────────────


def nearest_centre(x: torch.Tensor, centres: torch.Tensor) -> torch.Tensor:
    """The nearest centre of each point. x: (N, D), centres: (K, D) -> (N,) int64.

    ‖x − m‖² = ‖x‖² − 2 m·x + ‖m‖², and ‖x‖² is the same for every centre, so it can be left out.
    """
    norms = (centres**2).sum(1, keepdim=True)  # (K, 1)
    score = torch.addmm(norms, centres, x.T, alpha=-2)  # (K, N): ‖m_j‖² − 2 m_j·x_i
    return score.min(0).indices  # (N,): argmin_j ‖x_i − m_j‖²


def sums_and_counts(x: torch.Tensor, labels: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """S_j = Σ_{i in j} x_i, (K, D) float64, and n_j, (K,) float64: all that a mean needs."""
    sums = torch.zeros(k, x.shape[1], dtype=torch.float64).index_add_(0, labels, x.double())
    return sums, torch.bincount(labels, minlength=k).double()


def means(sums: torch.Tensor, counts: torch.Tensor, centres: torch.Tensor) -> torch.Tensor:
    """m_j = S_j / n_j, (K, D). A centre without points stays where it is: it is seen, and can be dragged."""
    mean = sums / counts.clamp(min=1)[:, None]  # (K, D)
    return torch.where(counts[:, None] > 0, mean.float(), centres)


def inertia(squares: float, sums: torch.Tensor, counts: torch.Tensor, centres: torch.Tensor) -> float:
    """J = Σ_i ‖x_i − m_{c(i)}‖² = Σ_i ‖x_i‖² − 2 Σ_j m_j·S_j + Σ_j n_j ‖m_j‖²: no need to see the points."""
    m = centres.double()
    return max(0.0, squares - 2 * float((m * sums).sum()) + float((counts * (m**2).sum(1)).sum()))


def squared_distances(x: torch.Tensor, norms: torch.Tensor, centres: torch.Tensor) -> torch.Tensor:
    """‖x_i‖² − 2 m_j·x_i + ‖m_j‖². x: (N, D), norms: (N,) ‖x_i‖², centres: (K, D) -> (K, N)."""
    score = torch.addmm((centres**2).sum(1, keepdim=True), centres, x.T, alpha=-2)
    return score.add_(norms).clamp_(min=0)


def plus_plus(
    x: torch.Tensor, norms: torch.Tensor, nearest: torch.Tensor, tries: int, rng: torch.Generator
) -> torch.Tensor:
    """One more starting centre, (D,): a point drawn with probability D(x)² / Σ D(x)², best of a few draws.

    nearest: (N,) D(x)², the squared distance of each point to the nearest centre there is already.
    """
    # Lay all D² end to end: a place drawn evenly on that line falls on a point as often as its D² is long.
    # Where every point sits on a centre already (duplicates), the line has no length and any point will do.
    line = nearest.double().cumsum(0)  # (N,)
    place = torch.rand(tries, generator=rng, dtype=torch.float64) * line[-1]
    candidates = x[torch.searchsorted(line, place, right=True).clamp(max=len(x) - 1)]  # (tries, D)
    left = torch.minimum(nearest, squared_distances(x, norms, candidates))  # (tries, N) D(x)² after each
    return candidates[left.sum(1).argmin()]


# ── the experiment ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class KMeansParams:
    """What can be turned."""

    k: Annotated[
        int,
        Knob(
            1,
            30,
            label=_("Clusters k"),
            help=_("How many centres. One more starts far from the others; one fewer drops the emptiest."),
        ),
    ] = 5
    init: Annotated[
        str,
        Choice(
            {"k-means++": _("k-means++"), "random": _("random points"), "hand": _("by hand")},
            live=False,
            label=_("Start"),
            help=_(
                "Where the centres start: spread out, on any points, or below the cloud until you place them."
            ),
        ),
    ] = "k-means++"
    trails: Annotated[bool, Switch(label=_("Trails"), help=_("Draw where each centre has been."))] = True
    lines: Annotated[
        bool,
        Switch(
            label=_("Membership lines"),
            help=_("Tie points to their centre. In slow motion they show by themselves."),
        ),
    ] = False


@experiment(
    "kmeans",
    title=_("k-means"),
    question=_("Which points belong together?"),
    topic="clusters",
    datasets=("blobs", "anisotropic", "moons", "rings", "spirals", "eight", "grid", "million",
              "digits", "pen", "sprites", "faces", "textures", "mnist", "fashion", "own_images", "own_table"),
    presets={
        "anisotropic": {"k": 3},
        "moons": {"k": 2},
        "rings": {"k": 2},
        "spirals": {"k": 2},
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
        Demo("stuck", _("A bad start gets stuck"), _("Two centres share one blob. Will they ever part?"),
             "blobs", {"k": 5, "init": "random"}, seed=4),
        Demo("careful", _("The same seed with k-means++"), _("What changes when they start far apart?"),
             "blobs", {"k": 5, "init": "k-means++"}, seed=4),
        Demo("elongated", _("Stripes are cut wrongly"), _("Why are the stripes cut across?"),
             "anisotropic", {"k": 3}),
        Demo("beside", _("Beside a Gaussian mixture"), _("The same stripes: what does a mixture see?"),
             "anisotropic", {"k": 3}, beside=Beside("gmm", {"k": 3})),
        Demo("hand", _("Place the centres yourself"), _("Can you find a start that ends badly?"),
             "blobs", {"k": 5, "init": "hand"}),
        Demo("digits", _("The average digit"), _("Nobody told it about digits. What does it average?"),
             "digits", {"k": 10}, picture="centroids"),
    ),
)  # fmt: skip
class KMeans(Experiment[KMeansParams]):
    """Lloyd's algorithm. One step: centres to the means of their points, points to their nearest centres.

    Between two steps every point belongs to its nearest centre, so what is shown always fits together.
    Computes on the CPU whatever the device: the fast ways in ``engine.parts.lloyd`` are made for it.
    """

    channels = {
        "cloud": Channel(Points, _("Points and their centres")),
        "centroids": Channel(Images, _("The centres as pictures"), kinds=("images",)),
        "sizes": Channel(Bars, _("Points in each cluster")),
    }
    scalars = {
        "inertia": Scalar(_("Inertia J")),
        "moved": Scalar(_("Mean move of the centres")),
    }
    settled: bool
    trail: torch.Tensor
    pace = 2.0
    memory = ("centres", "sums", "counts", "trail", "placed", "moved", "settled", "fast")
    sizes = {"centres": "K.", "sums": "K.", "counts": "K", "trail": "TK.", "fast/centres": "K.",
             "fast/sums": "K.", "fast/counts": "K", "fast/lower": "K."}  # fmt: skip

    def setup(self) -> None:
        self._look_at_data()
        self.centres = self._start()  # (K, D)
        self.placed = 0 if self.p.init == "hand" else self.p.k
        self.moved = 0.0
        self.former = self.centres
        self.stage = ""
        self._begin_trail()
        self.tell(0.8)
        self._assign()

    def take(self, data: Dataset) -> None:
        """The centres stay where they are while the points change under them."""
        places = self.centres + self.origin  # (K, D) in the coordinates of the data
        self.data = data
        self._look_at_data()
        self.former = self.centres = places - self.origin
        self._begin_trail()
        self._assign()

    def _look_at_data(self) -> None:
        """The points as k-means wants them, and the plane they are drawn in."""
        flat = checks.numbers(
            self.data,
            lambda index: _(
                "Item {index} has a value that is not a number; k-means needs numbers only.", index=index
            ),
        )
        self._check_k()
        self.tell(0.1)
        key = (self.data.name, tuple(flat.shape))
        self.origin, axes = self.stages.get("kmeans plane", key, lambda: gram.plane(flat))
        # Seen from their mean: with coordinates far from 0, float32 would lose the differences.
        self.x = self.stages.get("kmeans points", key, lambda: flat - self.origin)  # (N, D)
        self.squares = float(torch.linalg.vector_norm(self.x, dtype=torch.float64)) ** 2  # Σ ‖x_i‖²
        # In the plane the points are drawn as they are, otherwise along their two principal axes.
        self.flat_data = self.data.kind == "points" and flat.shape[1] == 2
        self.axes = torch.eye(2) if self.flat_data else axes  # (D, 2)
        self.offset = self.origin if self.flat_data else torch.zeros(2)  # (2,) projections start at the mean
        self.xy = (flat if self.flat_data else self._to_plane(self.x)).numpy()  # (N, 2)
        self.xy.flags.writeable = False  # handed out again and again, and never changed
        self.classes = self.data.classes if self.flat_data else None  # (N,) for whoever paints on them
        self.low, self.high = self.xy.min(0), self.xy.max(0)
        # The tinted map reaches beyond the cloud: panels are seldom square, and the tint should fill them.
        middle, half = (self.low + self.high) / 2, 1.1 * max(float((self.high - self.low).max()), 1e-3)
        self.extent = (
            float(middle[0] - half),
            float(middle[0] + half),
            float(middle[1] - half),
            float(middle[1] + half),
        )

        self.tell(0.4)
        self.fast = lloyd.fast(self.x)

    def run(self) -> Iterator[Frame | Beat]:
        self.stage = ""
        yield self._frame()
        while not self.settled or len(self.centres) != self.p.k:
            self._match_k()
            self.before = self.inertia

            self.stage = "move"
            yield Beat(_("move each centre to the mean of its points"), highlight=("cloud", "centroids"))
            centres = means(self.sums, self.counts, self.centres)  # m_j = 1/n_j Σ_{i in j} x_i
            self.moved = float(torch.linalg.vector_norm(centres - self.centres, dim=1).mean())
            self.former, self.centres = self.centres, centres

            self.stage = "assign"
            yield Beat(_("assign each point to its nearest centre"), highlight=("cloud", "sizes"))
            self._assign()  # c(i) = argmin_j ‖x_i − m_j‖²

            self.stage = ""
            self.step += 1
            self.trail = torch.cat([self.trail, self._marks()[None]])[-TRAIL:]  # (T, K, 2)
            # Either half of a step lowers J or leaves all as it is; the same J means that nothing moves.
            self.settled = not self.inertia < self.before
            yield self._frame()

    def ended(self) -> Text | None:
        empty = int((self.counts == 0).sum())
        if empty:
            return _("No centre moves any more. {n} have no points: drag them into the cloud.", n=empty)
        return _("No centre moves any more: k-means has converged.")

    # ── by hand ────────────────────────────────────────────────────────────────────────────────────────────

    @action
    def move(self, index: int, x: float, y: float) -> None:
        """Centre ``index`` to (x, y) of the picture. What the plane does not show of it stays."""
        if not 0 <= index < len(self.centres):
            raise InputError(_("There is no centre number {n}.", n=index + 1))
        shift = self._from_plane(_place(x, y)) - self._from_plane(self._marks()[index])  # (D,)
        self._put(index, self.centres[index] + shift)

    @action
    def place(self, x: float, y: float) -> None:
        """Put a centre at (x, y): by hand, the next one that waits; later, the one with the fewest points."""
        centre = self._from_plane(_place(x, y))  # (D,)
        waiting = self.placed < len(self.centres)
        index = self.placed if waiting else int(self.counts.argmin())
        self.placed += int(waiting)
        self._put(index, centre)

    @query
    def encode(self, x: NDArray[np.float32]) -> Encoded:
        """The centre that an input belongs to. x: one item, of any shape with D numbers."""
        row = checks.row(x, self.x.shape[1]) - self.origin  # (1, D)
        nearest = int(nearest_centre(row, self.centres))
        across, up = self._to_plane(row)[0].tolist()
        centre = (self.centres[nearest] + self.origin).reshape(self.data.x.shape[1:])  # as an item
        picture = as_picture(centre.numpy()) if self.data.kind == "images" else None
        return Encoded(_("cluster {n}", n=nearest + 1), "cloud", (across, up), picture)

    # ── inside ─────────────────────────────────────────────────────────────────────────────────────────────

    def restore(self, kept: Mapping[str, Any]) -> None:
        super().restore(kept)
        self.inertia = inertia(self.squares, self.sums, self.counts, self.centres)

    def _check_k(self) -> None:
        if self.p.k > len(self.data.flat):
            raise InputError(
                _(
                    "{k} centres are more than the {n} points there are; choose a smaller k.",
                    k=self.p.k,
                    n=len(self.data.flat),
                )
            )

    def _start(self) -> torch.Tensor:
        """The centres before the first step, (K, D)."""
        if self.p.init == "random":
            return self.x[torch.randperm(len(self.x), generator=self.rng)[: self.p.k]]
        if self.p.init == "hand":
            (x0, y0), (x1, y1) = self.low.tolist(), self.high.tolist()
            along = torch.linspace(x0, x1, self.p.k + 2)[1:-1]  # (K,)
            below = torch.full_like(along, y0 - 0.1 * (y1 - y0))  # (K,) just below the cloud
            return self._from_plane(torch.stack([along, below], 1))  # (K, 2) -> (K, D)
        first = self.x[torch.randint(len(self.x), (1,), generator=self.rng)]  # (1, D)
        return self._add_centres(first, self.p.k)

    def _add_centres(self, centres: torch.Tensor, k: int) -> torch.Tensor:
        """More centres by the rule of k-means++, until there are ``k``."""
        norms = torch.linalg.vector_norm(self.x, dim=1) ** 2  # (N,)
        nearest = squared_distances(self.x, norms, centres).min(0).values  # (N,) D(x)²
        while len(centres) < k:
            new = plus_plus(self.x, norms, nearest, 2 + int(math.log(k)), self.rng)[None]  # (1, D)
            nearest = torch.minimum(nearest, squared_distances(self.x, norms, new)[0])
            centres = torch.cat([centres, new])
        return centres

    def _match_k(self) -> None:
        """As many centres as the knob now says."""
        self._check_k()
        if len(self.centres) == self.p.k:
            return
        if len(self.centres) < self.p.k:
            self.centres = self._add_centres(self.centres, self.p.k)
        else:
            keep = self.counts.argsort(descending=True, stable=True)[: self.p.k].sort().values  # (K,)
            self.centres = self.centres[keep]
        self.placed = self.p.k
        self._begin_trail()
        self._assign()

    def _put(self, index: int, centre: torch.Tensor) -> None:
        self.centres = self.centres.clone()  # the old one may be in somebody's hands
        self.centres[index] = centre
        self._begin_trail()
        self._assign()
        self.before = math.inf  # J may have risen by hand: that is no sign of rest

    def _assign(self) -> None:
        """All points to their nearest centres: their sums, counts and J. Large sets go a faster way."""
        if self.fast is not None:
            self.sums, self.counts = self.fast.assign(self.centres)
        else:
            self.sums, self.counts = sums_and_counts(
                self.x, nearest_centre(self.x, self.centres), len(self.centres)
            )
        self.inertia = inertia(self.squares, self.sums, self.counts, self.centres)
        self.settled = False

    def _begin_trail(self) -> None:
        self.trail = self._marks()[None]  # (1, K, 2)

    # ── pictures ───────────────────────────────────────────────────────────────────────────────────────────

    def _to_plane(self, rows: torch.Tensor) -> torch.Tensor:
        """Rows seen from the mean, (N, D) -> (N, 2) as drawn."""
        return rows @ self.axes + self.offset

    def _from_plane(self, xy: torch.Tensor) -> torch.Tensor:
        """Places as drawn, (N, 2) -> (N, D): mean + W xy, here seen from the mean."""
        return (xy - self.offset) @ self.axes.T

    def _marks(self) -> torch.Tensor:
        """The centres as drawn, (K, 2)."""
        return self._to_plane(self.centres)

    def _labels(self) -> NDArray[np.int32]:
        """The cluster of each point, (N,); while slow motion says "assign", still the former one."""
        centres = self.former if self.stage == "assign" else self.centres
        return nearest_centre(self.x, centres).int().numpy()

    def _frame(self) -> Frame:
        views: dict[str, Callable[[], Payload]] = {"cloud": self._cloud, "sizes": self._sizes}
        if self.data.kind == "images":
            views["centroids"] = self._centroids
        return Frame(self.step, {"inertia": self.inertia, "moved": self.moved}, views)

    def _cloud(self) -> Points:
        k, label, marks = len(self.centres), self._labels(), self._marks().numpy()
        layers: list[Layer] = []
        if self.flat_data:
            layers.append(Regions(self._regions(), self.extent))
        if self.p.lines or self.stage == "move":
            some = np.arange(0, len(self.xy), math.ceil(len(self.xy) / LINES))  # (M,)
            layers.append(Segments(self.xy[some], marks[label[some]], label[some]))
        trail = self.trail.numpy().copy() if self.p.trails and len(self.trail) > 1 else None
        layers.append(Markers(marks.copy(), trail, np.arange(k, dtype=np.int32), movable=True))
        x, y = self.data.columns if self.flat_data else (_("PC1"), _("PC2"))
        total = self.data.total if self.data.total > len(self.xy) else None
        return Points(
            self.xy, label, _cluster_names(k), tuple(layers), (x, y), total=total, classes=self.classes
        )

    def _regions(self) -> NDArray[np.uint8]:
        """Which centre owns each place of the plane, (MAP, MAP), row 0 at the bottom: the Voronoi cells."""
        x0, x1, y0, y1 = self.extent
        middle = (torch.arange(MAP) + 0.5) / MAP  # the middle of each cell, not its corner
        rows, columns = torch.meshgrid(y0 + middle * (y1 - y0), x0 + middle * (x1 - x0), indexing="ij")
        cells = self._from_plane(torch.stack([columns, rows], 2).reshape(-1, 2))  # -> (MAP², 2)
        owner = nearest_centre(cells, self.centres).reshape(MAP, MAP)
        return owner.to(torch.uint8).numpy()

    def _centroids(self) -> Images:
        shape = self.data.x.shape[1:]  # (C, H, W)
        pictures = (self.centres + self.origin).clamp(0, 1).reshape(-1, *shape)  # (K, D) -> (K, C, H, W)
        # (K, H, W), or in colour (K, H, W, 3)
        pixels = pictures[:, 0] if shape[0] == 1 else pictures.permute(0, 2, 3, 1)
        k = len(pixels)
        return Images(pixels.numpy().copy(), captions=self._captions(), label=np.arange(k, dtype=np.int32))

    def _captions(self) -> tuple[Text, ...]:
        """Of which class most points of each cluster are; how many there are where classes are not known."""
        counts = [int(n) for n in self.counts]
        if self.data.y is None:
            return tuple(_("{n} points", n=n) for n in counts)
        k, classes = len(counts), len(self.data.names)
        # (N,) cluster and class in one number
        pair = torch.from_numpy(self._labels()).long() * classes + self.data.y
        table = torch.bincount(pair, minlength=k * classes).reshape(k, classes)  # (K, classes)
        captions = []
        for row in table:
            n, name = int(row.sum()), self.data.names[int(row.argmax())]
            share = round(100 * int(row.max()) / max(n, 1))
            captions.append(_("{name} · {share} %", name=name, share=share) if n else _("empty"))
        return tuple(captions)

    def _sizes(self) -> Bars:
        k = len(self.counts)
        return Bars(
            self.counts.float().numpy(), _cluster_names(k), np.arange(k, dtype=np.int32), axis=_("points")
        )


def _place(x: float, y: float) -> torch.Tensor:
    """A place on the picture, (2,)."""
    if not (abs(x) < FARTHEST and abs(y) < FARTHEST):  # NaN is not below anything either
        raise InputError(_("That is not a place on the picture."))
    return torch.tensor([x, y], dtype=torch.float32)


def _cluster_names(k: int) -> tuple[Text, ...]:
    return tuple(_("cluster {n}", n=n + 1) for n in range(k))
