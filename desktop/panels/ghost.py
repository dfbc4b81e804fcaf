"""Another run's picture of points, quiet and grey, behind that of the run on screen.

Its points are one image, made again only when the ghost or the view is another; its centres are hollow discs,
its ellipses thin outlines. Where both runs have the same in the same place there is nothing to be seen.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPen
from PySide6.QtWidgets import QWidget

from desktop.panels import marks, raster, styles
from desktop.panels.colours import mix, with_alpha
from desktop.panels.marks import FAINT, Gaussians
from desktop.panels.plane import Plane
from desktop.panels.raster import RING, Raster, Window
from desktop.panels.scene import Scene, layers_of
from desktop.panels.view import View
from desktop.style.tokens import look
from engine.api import Arrows, Ellipses, Markers, Points

WRITES = 700_000
"""Pixels of rings at most; more points are a soft cloud."""


LEAST_HEIGHT = 200
"""Of a picture in which it is said whose ghost is seen, in pixels at 100 %."""


def ghost_colour() -> QColor:
    """The grey of ghosts, on a plot."""
    return mix(look.colour("quiet"), look.colour("plot"), 0.25)


class Ghost:
    """``points`` of the other run. stale: its image is to be drawn again."""

    def __init__(self, scene: Scene, view: View, widget: QWidget) -> None:
        self._scene, self._view, self._widget = scene, view, widget
        self.points: Points | None = None
        self.stale = True
        self._met: Points | None = None  # the living points that were last compared with
        self._apart = self._points_apart = False
        self._drawn: tuple[float, Plane] | None = None
        self._raster: Raster | None = None

    def show(self, points: Points | None) -> None:
        """Another picture of the ghost, or none."""
        self.points, self._met = points, None
        self.stale = True

    @property
    def seen(self) -> bool:
        """Whether there is anything that lies elsewhere than in the run on screen."""
        living, points = self._scene.points, self.points
        if living is None or points is None or living.axes != points.axes:
            return False
        if living is not self._met:
            self._met = living
            self._points_apart = not np.array_equal(living.xy, points.xy, equal_nan=True)
            self._apart = self._points_apart or not _alike(_places(living), _places(points))
        return self._apart

    # ── painting ──

    def paint_points(self, painter: QPainter, ratio: float) -> None:
        """Its points, to lie under the living ones."""
        if not (self.seen and self._points_apart):
            return
        plane = self._view.plane
        if self.stale or self._drawn != (ratio, plane):
            self._draw(ratio, plane)
        if self._raster is not None:
            (rows, columns), shift = self._raster.shape, -self._raster.pad / ratio
            form = QImage.Format.Format_ARGB32_Premultiplied
            image = QImage(self._raster.image.data, columns, rows, columns * 4, form)
            image.setDevicePixelRatio(ratio)
            painter.drawImage(QPointF(shift, shift), image)

    def _draw(self, ratio: float, plane: Plane) -> None:
        assert self.points is not None
        self.stale, self._drawn = False, (ratio, plane)
        xy = np.asarray(self.points.xy, np.float32)
        n = len(xy)
        radius = round(0.8 * styles.dot_radius(n, plane.width * plane.height) * ratio * 4) / 4
        colour = styles.rgb(ghost_colour())[None]  # (1, 3)
        many = n * math.pi * (radius + 0.7) ** 2 > WRITES
        dots = None if many else raster.stamp(radius, 0.0)
        spread = max(0, round(radius - 1.5))
        pad = spread + 3 if dots is None else 2 * dots.reach + 2
        wide, high = math.ceil(self._widget.width() * ratio), math.ceil(self._widget.height() * ratio)
        canvas, shape = self._raster, (high + 2 * pad, wide + 2 * pad)
        if canvas is None or canvas.pad != pad or canvas.shape != shape:
            canvas = self._raster = Raster(wide, high, pad)
        (cx, cy), (sx, sy) = plane.centre, plane.scale
        corner = (cx - (plane.left + plane.width / 2) / sx, cy + (plane.top + plane.height / 2) / sy)
        window = Window(*corner, sx * ratio, sy * ratio)
        canvas.place(xy, window, reach=0 if dots is None else dots.reach)
        if dots is None:
            table, shades = raster.splat_colours(colour.tobytes(), colour.tobytes(), None)
            canvas.splat(np.ones(n, np.uint8), None, spread, shades, table)
        else:
            ground = styles.rgb(look.colour("plot"))
            rings = np.full(n, RING, np.intp)
            table = raster.disc_colours(colour, ground, 0.0)
            canvas.discs(np.zeros(n, np.intp), rings, np.arange(n), dots, table)

    def paint_outlines(self, painter: QPainter) -> None:
        """Its ellipses."""
        if not self.seen:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        rims = (QPen(look.colour("plot"), look.px(3.4)), QPen(ghost_colour(), look.px(1.6)))
        for layer in layers_of(self.points, Ellipses):
            now = Gaussians.of(layer)
            strength = [1.0] * len(now.centre) if layer.strength is None else layer.strength.ravel().tolist()
            found = [marks.ellipse_paths(self._view.plane, now, at) for at in layer.at]
            bold = [paths[k] for paths in found for k, s in enumerate(strength) if s >= FAINT]
            for path in filter(None, bold):
                for pen in rims:
                    painter.setPen(pen)
                    painter.drawPath(path)

    def paint_marks(self, painter: QPainter) -> None:
        """Its arrows as lines, its centres as hollow discs."""
        if not self.seen:
            return
        plane, grey = self._view.plane, ghost_colour()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for arrows in layers_of(self.points, Arrows):
            ends = np.concatenate([plane.to_pixels(arrows.start), plane.to_pixels(arrows.end)], 1)  # (M, 4)
            painter.setPen(QPen(grey, look.px(2)))
            painter.drawLines([QLineF(*line) for line in ends[np.isfinite(ends).all(1)].tolist()])
        for layer in layers_of(self.points, Markers):
            radius = marks.marker_radius(plane, len(layer.xy))
            thick = max(0.22 * radius, 1.5)
            for x, y in plane.to_pixels(np.asarray(layer.xy).reshape(-1, 2)).tolist():
                if math.isfinite(x) and math.isfinite(y):
                    for colour, width in ((look.colour("plot"), 2 * thick), (grey, thick)):
                        painter.setPen(QPen(colour, width))
                        painter.drawEllipse(QPointF(x, y), radius, radius)

    def paint_words(self, painter: QPainter, words: str, taken: list[QRectF]) -> None:
        """Whose it is, in a lower corner that nothing has ``taken``; a low picture has none to spare, and the
        tree says it too.
        """
        room = self._view.plane.rect
        if not (words and self.seen) or room.height() < look.px(LEAST_HEIGHT):
            return
        font = look.font(0.92)
        metrics, dot, pad = QFontMetricsF(font), look.px(4), look.px(7)
        words = metrics.elidedText(words, Qt.TextElideMode.ElideRight, room.width() - 4 * dot - 2 * pad)
        size = QRectF(0, 0, metrics.horizontalAdvance(words) + 4 * dot, metrics.height())
        box = size.translated(room.left() + pad, room.bottom() - pad - size.height())
        other = size.translated(room.right() - pad - size.width(), box.top())
        if any(plate.intersects(box) for plate in taken):
            box = other
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(with_alpha(look.colour("plot"), 0.8))
        painter.drawRoundedRect(box.adjusted(-dot, -1, dot, 1), dot, dot)
        painter.setBrush(look.colour("plot"))
        painter.setPen(QPen(ghost_colour(), look.px(1.8)))
        painter.drawEllipse(QPointF(box.left() + dot, box.center().y()), dot, dot)
        painter.setFont(font)
        painter.setPen(look.colour("quiet"))
        painter.drawText(box.adjusted(3.4 * dot, 0, dot, 0), Qt.AlignmentFlag.AlignVCenter, words)


def _places(points: Points) -> list[NDArray[np.floating]]:
    """Where the centres, ellipses and arrows lie."""
    found: list[NDArray[np.floating]] = []
    for layer in points.layers:
        if isinstance(layer, Markers):
            found.append(np.asarray(layer.xy))
        elif isinstance(layer, Ellipses):
            found += [np.asarray(layer.centre), np.asarray(layer.axes)]
        elif isinstance(layer, Arrows):
            found += [np.asarray(layer.start), np.asarray(layer.end)]
    return found


def _alike(one: list[NDArray[np.floating]], other: list[NDArray[np.floating]]) -> bool:
    if len(one) != len(other):
        return False
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, other, strict=True))
