"""Where the colour bars of a picture of points lie: of the points above, of a map below."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSizeF

from desktop.panels import field
from desktop.panels.axes import under_name
from desktop.panels.colouring import Colouring
from desktop.panels.field import Bar
from desktop.panels.plane import SAMPLE
from desktop.panels.scene import Scene
from desktop.panels.view import View
from desktop.style.tokens import look
from engine.api import Field


class ColourBars:
    """The bar of a map lies in the corner with fewest points, until the picture is framed anew."""

    def __init__(self, scene: Scene, view: View, colouring: Colouring) -> None:
        self._scene, self._view, self._colouring = scene, view, colouring
        self._corner: int | None = None

    def choose_again(self) -> None:
        """The picture is framed anew."""
        self._corner = None

    def placed(self) -> list[tuple[Bar, QRectF]]:
        """Every bar there is room for, and where."""
        plane, found = self._view.plane, []
        bar = self._colouring.value_bar()
        if bar is not None and plane.width >= look.icon_px(120) and plane.height >= look.icon_px(90):
            if bar.size(plane.width).height() > 0.45 * plane.height:
                bar = replace(bar, title="")
            size = bar.size(plane.width)
            found.append((bar, QRectF(QPointF(plane.left + plane.width - size.width(), plane.top), size)))
        maps = [layer for layer in self._scene.layers(Field) if field.is_sound(layer)]
        if maps and plane.width >= look.icon_px(250) and plane.height >= look.icon_px(170):
            below = field.field_bar(maps[-1])
            found.append((below, self._map_corner(below.size(plane.width))))
        return found

    def _map_corner(self, size: QSizeF) -> QRectF:
        plane, points = self._view.plane, self._scene.points
        left, right = plane.left, plane.left + plane.width - size.width()
        low, high = plane.top + plane.height - size.height(), plane.top + under_name(plane)
        plates = [QRectF(QPointF(*at), size) for at in ((right, low), (left, low), (left, high))]
        if self._corner is None and points is not None:
            some = points.xy[:: max(1, len(points.xy) // SAMPLE)]
            x, y = plane.to_pixels(some).T  # (M,) each
            inside = []
            for p in plates:
                within = (x >= p.left()) & (x <= p.right()) & (y >= p.top()) & (y <= p.bottom())
                inside.append(int(within.sum()))
            self._corner = int(np.argmin(inside))
        return plates[self._corner or 0]
