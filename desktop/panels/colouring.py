"""In which colour and shape each point of a picture is drawn, and in which order."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor

from desktop.panels import raster, styles
from desktop.panels.field import Bar
from desktop.panels.legend import class_colour, class_shape
from desktop.panels.raster import Pixels
from desktop.panels.scene import Scene
from desktop.panels.styles import Styles
from desktop.selection import Selection
from desktop.style import palettes
from desktop.style.tokens import look
from engine.api import Colours, Points

MIXED = 50_000
"""Up to here points are drawn in a shuffled order (above, in shuffled blocks, which is cheaper): no class
lies on top only because it came last."""


class Colouring:
    """The points' own labels, or what all panels are coloured by; out of the selection they are grey.

    order: which points are drawn, the last on top; None: all. code: (M,) that of ``styles``, in this order.
    """

    def __init__(self, selection: Selection, scene: Scene) -> None:
        self._selection, self._scene = selection, scene
        self.styles: Styles | None = None
        self.order: NDArray[np.intp] | None = None
        self.code: NDArray[np.uint8] = np.empty(0, np.uint8)
        self._stale = True
        self._by: Colours | None = None  # what ``styles`` are made from
        self._table: tuple[object, Pixels] | None = None
        self._mixed: NDArray[np.intp] = np.empty(0, np.intp)

    # ── what the colours mean ──

    def chosen(self) -> Colours | None:
        """The colours chosen for all panels, if the points of this one are the items they are for."""
        points, colours = self._scene.points, self._selection.colours
        if points is None or colours is None:
            return None
        given = colours.label if colours.label is not None else colours.value
        if given is None or np.ndim(given) != 1 or len(given) not in (len(points.xy), points.total):
            return None
        return colours if len(given) >= len(points.xy) else None

    def labels(self) -> NDArray[np.int32] | None:
        """(N,) the label in whose colour each point is shown, if they have any."""
        points, chosen = self._scene.points, self.chosen()
        if points is None:
            return None
        label = points.label if chosen is None else chosen.label
        return label[: len(points.xy)] if label is not None and len(label) >= len(points.xy) else None

    def names(self) -> tuple[str, ...]:
        """Those of the colours that are seen, where there is more than one."""
        points, chosen = self._scene.points, self.chosen()
        names = points.names if points is not None else ()
        if chosen is not None:
            names = chosen.names if chosen.label is not None else ()
        return tuple(names) if len(names) > 1 else ()

    def value_bar(self) -> Bar | None:
        """The bar of points that are coloured by a number."""
        chosen = self.chosen()
        if chosen is None or chosen.label is not None or chosen.value is None:
            return None
        hover = self._selection.hover
        at = float(chosen.value[hover]) if 0 <= hover < len(chosen.value) else None
        low, high = map(float, chosen.limits)
        return Bar(chosen.title, low, high, palettes.ramp(look.dark), at)

    def of(self, item: int) -> tuple[QColor | None, int]:
        """In which colour and shape a point is shown when nothing is selected; None when all are alike."""
        label, bar, chosen = self.labels(), self.value_bar(), self.chosen()
        if bar is not None and chosen is not None and chosen.value is not None:
            known = item < len(chosen.value) and math.isfinite(chosen.value[item])
            return bar.colour(float(chosen.value[item])) if known else look.colour("quiet"), 0
        if label is None or item >= len(label):
            return None, 0
        return class_colour(int(label[item])), class_shape(int(label[item]))

    def is_hidden(self, item: int) -> bool:
        label = self.labels()
        return label is not None and item < len(label) and int(label[item]) in self._selection.hidden

    def visible(self, items: NDArray[np.int32]) -> NDArray[np.int32]:
        """Those of (M,) points whose class is not hidden."""
        hidden, label = self._selection.hidden, self.labels()
        return items[~np.isin(label[items], list(hidden))] if hidden and label is not None else items

    # ── the look of every point ──

    def stale(self) -> None:
        """Selection, labels or theme are others now."""
        self._stale = True

    def meet(self, former: Points | None, points: Points | None) -> None:
        """Other points are shown: whether they look the same."""
        self._stale |= (
            points is None
            or former is None
            or former.label is not points.label
            or former.other is not points.other
            or former.share is not points.share
            or len(former.xy) != len(points.xy)
        )

    def looks(self) -> Styles:
        """Of the points that are shown now."""
        points = self._scene.points
        assert points is not None
        found, chosen = self.styles, self.chosen()
        if self._stale or found is None or self._by is not chosen or len(found.row) != len(points.xy):
            self.styles = found = self._find(points, chosen)
            self._by, self._stale, self._table = chosen, False, None
        return found

    def disc_table(self, halo: float) -> Pixels:
        """What every level of every colour looks like; the same as long as the colours are."""
        key = (look.theme, halo)
        if self._table is None or self._table[0] != key:
            ground = styles.rgb(look.colour("plot"))
            self._table = (key, raster.disc_colours(self.looks().colours, ground, halo))
        return self._table[1]

    def deepening(self) -> tuple[bytes, bytes]:
        """The colours of a splat and what they become where points crowd: nearer to the ink."""
        colours = self.looks().coarse
        deep = colours + (float(look.dark) - colours) * 0.28
        deep[styles.FADED] = colours[styles.FADED]
        return colours.tobytes(), deep.tobytes()

    def _find(self, points: Points, chosen: Colours | None) -> Styles:
        """The look of every point, and the order of drawing: faded ones first, hidden ones not at all."""
        n, label, selection = len(points.xy), self.labels(), self._selection
        blend = None
        if chosen is not None and chosen.label is None and chosen.value is not None:
            found = styles.by_value(chosen.value[:n], chosen.limits)
        elif chosen is None and label is not None and n <= MIXED:
            blend = _blend(points)
            found = styles.by_label(label, n) if blend is None else styles.by_share(label, *blend)
        else:
            found = styles.by_label(label, n)
        faded = np.zeros(n, bool)
        if selection.items is not None:
            faded[:] = True
            faded[selection.items[(selection.items >= 0) & (selection.items < n)]] = False
        if selection.lit is not None and label is not None:
            unlit = label != selection.lit
            if blend is not None:  # what has some of the colour is not out of it
                unlit &= (blend[0] != selection.lit) | (blend[1] > 1 - 0.5 / styles.SHARES)
            faded |= unlit
        found.fade(faded)
        order: NDArray[np.intp] | None = None
        if n <= MIXED:
            if len(self._mixed) != n:
                self._mixed = np.random.default_rng(0).permutation(n)
            order = self._mixed
        if faded.any():
            every = order if order is not None else np.arange(n)
            last = ~faded[every]
            order = np.concatenate([every[~last], every[last]])
        if selection.hidden and label is not None:
            every = order if order is not None else np.arange(n)
            order = every[~np.isin(label[every], list(selection.hidden))]
        self.order = order
        self.code = raster.mixed(found.code) if order is None else found.code[order]
        return found


def _blend(points: Points) -> tuple[NDArray[np.int32], NDArray[np.float32]] | None:
    """The second label of every point and the share of its first, (N,) each, where there are such."""
    other, share, n = points.other, points.share, len(points.xy)
    if other is None or share is None or len(other) != n or len(share) != n or n == 0:
        return None
    return other, share
