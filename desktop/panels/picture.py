"""All points as one image, and which of them lies where in it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from desktop.panels import raster, styles
from desktop.panels.colouring import Colouring
from desktop.panels.colours import with_alpha
from desktop.panels.raster import Raster, Window
from desktop.panels.scene import Scene
from desktop.panels.view import View
from desktop.style.tokens import look

WRITES = 700_000
"""Pixels the disc kernel may write in a frame (about 8 ms); larger clouds are splatted."""
CROWDED = 0.3
"""Points per pixel from which it is worth counting how many share one."""


class Picture:
    """The points of ``scene`` in ``view``, as large as the ``widget``.

    stale: to be drawn again before it is shown. ratio: pixels to one of the widget's. dot: radius of a point,
    in the widget's pixels.
    """

    def __init__(self, scene: Scene, view: View, colouring: Colouring, widget: QWidget) -> None:
        self._scene, self._view, self._colouring, self._widget = scene, view, colouring, widget
        self.stale = True
        self.ratio = 1.0
        self.dot = 3.0
        self._raster: Raster | None = None
        self._image: QImage | None = None
        self._owner: NDArray[np.int32] | None = None  # which point a pixel belongs to

    def draw(self, ratio: float) -> None:
        """Make the image again, with ``ratio`` pixels to one of the widget's."""
        self.stale, self.ratio = False, ratio
        self._owner = None
        xy = self._scene.xy()
        n = len(xy)
        colouring, looks = self._colouring, self._colouring.looks()
        plane = self._view.plane
        self.dot = styles.dot_radius(n, plane.width * plane.height)
        radius = round(self.dot * ratio * 4) / 4
        halo = styles.halo_width(self.dot) * ratio if n <= 3000 else 0.0
        many = n * math.pi * (radius + halo + 0.7) ** 2 > WRITES
        dots = None if many else raster.stamp(radius, halo)
        spread = max(0, round(radius - 1.5)) if many else 0
        pad = spread + 3 if dots is None else 2 * dots.reach + 2
        wide, high = math.ceil(self._widget.width() * ratio), math.ceil(self._widget.height() * ratio)
        canvas = self._sized(wide, high, pad)
        (cx, cy), (sx, sy) = plane.centre, plane.scale
        corner = (cx - (plane.left + plane.width / 2) / sx, cy + (plane.top + plane.height / 2) / sy)
        canvas.place(xy, Window(*corner, sx * ratio, sy * ratio), reach=dots.reach if dots is not None else 0)
        if dots is not None:
            order = colouring.order if colouring.order is not None else np.arange(n)
            canvas.discs(looks.row.astype(np.intp), looks.shape, order, dots, colouring.disc_table(halo))
        else:
            crowd = round(len(colouring.code) * (2 * spread + 1) ** 2 / (wide * high), 1)
            crowded = crowd if crowd > CROWDED else None
            colours, shades = raster.splat_colours(*colouring.deepening(), crowded)
            canvas.splat(colouring.code, colouring.order, spread, shades, colours)

    def _sized(self, wide: int, high: int, pad: int) -> Raster:
        """The raster, anew where it has another size."""
        shape = (high + 2 * pad, wide + 2 * pad)
        if self._raster is None or self._raster.pad != pad or self._raster.shape != shape:
            self._raster = Raster(wide, high, pad)
            pixels, form = self._raster.image, QImage.Format.Format_ARGB32_Premultiplied
            self._image = QImage(pixels.data, shape[1], shape[0], shape[1] * 4, form)
        assert self._image is not None
        self._image.setDevicePixelRatio(self.ratio)
        return self._raster

    def paint(self, painter: QPainter) -> None:
        """The image as it is."""
        if self._image is not None and self._raster is not None:
            shift = -self._raster.pad / self.ratio
            painter.drawImage(QPointF(shift, shift), self._image)

    def trace(self, painter: QPainter) -> None:
        """The same points as strokes, after they have been drawn as an image."""
        colouring, looks, radius = self._colouring, self._colouring.looks(), self.dot
        colours = [QColor.fromRgbF(*rgb) for rgb in looks.colours.tolist()]
        halo = styles.halo_width(radius)
        rim = QPen(with_alpha(look.colour("plot"), 0.85), halo)
        plane = self._view.plane
        places = plane.to_pixels(self._scene.xy())  # (N, 2)
        inside = (places > (plane.left, plane.top)) & (places < (plane.rect.right(), plane.rect.bottom()))
        order = np.arange(len(places)) if colouring.order is None else colouring.order
        for item in order[inside[order].all(1)].tolist():
            colour = colours[int(looks.row[item])]
            at = QPointF(*places[item].tolist())
            shape = raster.DISC if looks.shape is None else int(looks.shape[item])
            if shape == raster.RING:
                thick = max(0.22 * radius, 0.6)
                painter.setPen(QPen(colour, 2 * thick))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawEllipse(at, 1.08 * radius - thick, 1.08 * radius - thick)
                continue
            painter.setPen(rim)
            painter.setBrush(colour)
            if shape == raster.SQUARE:
                half = 0.88 * radius + halo / 2
                painter.drawRect(QRectF(at.x() - half, at.y() - half, 2 * half, 2 * half))
            elif shape == raster.TRIANGLE:
                corners = ((0.0, -1.52), (1.18, 0.52), (-1.18, 0.52))
                painter.drawPolygon(QPolygonF([at + QPointF(x * radius, y * radius) for x, y in corners]))
            else:
                painter.drawEllipse(at, radius + halo / 2, radius + halo / 2)

    # ── which lies where ──

    def pixel(self, item: int) -> QPointF | None:
        """Where a point is seen, or None when it is not."""
        at = self._scene.place(item)
        if at is None or self._colouring.is_hidden(item) or not all(map(math.isfinite, at)):
            return None
        return QPointF(*self._view.plane.to_pixel(*at))

    def _drawn(self) -> Raster | None:
        """The raster, if the points shown are those in it."""
        points = self._scene.points
        fits = self._raster is not None and points is not None and len(self._raster.flat) == len(points.xy)
        return self._raster if fits else None

    def point_at(self, at: QPointF) -> int:
        """The point within reach of the mouse, or -1."""
        drawn, ratio = self._drawn(), self.ratio
        if drawn is None:
            return -1
        if self._owner is None:
            self._owner = drawn.owners(self._colouring.order)
        return drawn.nearest(self._owner, at.x() * ratio, at.y() * ratio, round(look.px(12) * ratio))

    def enclosed(self, outline: QPolygonF) -> NDArray[np.int32]:
        """Which visible points lie inside ``outline``: the polygon is painted once and every point looks at
        its pixel.
        """
        drawn, ratio = self._drawn(), self.ratio
        if drawn is None:
            return np.empty(0, np.int32)
        high, wide = drawn.shape
        mask = QImage(wide, high, QImage.Format.Format_Grayscale8)
        mask.fill(0)
        with QPainter(mask) as painter:
            painter.translate(drawn.pad, drawn.pad)
            painter.scale(ratio, ratio)
            painter.setClipRect(self._view.plane.rect)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(Qt.GlobalColor.white)
            painter.drawPolygon(outline)
        rows = np.frombuffer(mask.constBits(), np.uint8).reshape(high, mask.bytesPerLine())[:, :wide]
        return self._colouring.visible(drawn.inside(np.ascontiguousarray(rows)))
