"""What lies over or under a cloud of points, painted with QPainter: lines, arrows, centres, rings, hover
cards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPainterPath, QPen, QPolygonF

from desktop.language import number, tr
from desktop.panels.colours import ink_on, mix, with_alpha
from desktop.panels.field import rim
from desktop.panels.legend import class_colour
from desktop.panels.plane import Extent, Plane, union
from desktop.panels.raster import pack
from desktop.style.tokens import look
from engine.api import Arrows, Ellipses, Item, Markers, Regions, Segments

LONG = 25_000
"""Pixels of line drawn with antialiasing (10 ms); Qt draws more than that five times faster without."""
TRAIL_SHADES = 8
RIM = 0.27
"""The rim of a centre, as a share of its radius."""
NUMBERED = 12
"""Up to here marks have numbers."""
NEUTRAL = "#50565f"
"""The colour of a mark that has none of its own."""
L = TypeVar("L", Ellipses, Markers, Segments)
VALUES = 6
"""Numbers on a card at most."""


def paint_regions(painter: QPainter, plane: Plane, regions: Regions) -> None:
    """The map as a smooth low tint."""
    label = np.asarray(regions.label)
    if label.ndim != 2 or label.size == 0:
        return
    strength = 0.26 if look.dark else 0.20
    table = np.zeros((256, 3), np.float32)
    for k in np.unique(label):
        colour = class_colour(int(k))
        table[k] = colour.redF(), colour.greenF(), colour.blueF()
    high, wide = label.shape
    tint: NDArray[np.floating] = table[label[::-1]]  # (H, W, 3); row 0 of the map is its lowest
    for _ in range(2):  # no stairs where two regions meet at a slant
        tint = np.pad(tint, ((1, 1), (1, 1), (0, 0)), "edge")
        tint = (tint[:-2] + 2 * tint[1:-1] + tint[2:]) / 4
        tint = (tint[:, :-2] + 2 * tint[:, 1:-1] + tint[:, 2:]) / 4
    # The map ends softly: it says nothing about what lies beyond.
    alpha = strength * rim(high, wide, 0.05)[..., None]
    pixels = pack(tint * alpha, alpha)
    image = QImage(pixels.data, wide, high, wide * 4, QImage.Format.Format_ARGB32_Premultiplied)
    x0, x1, y0, y1 = regions.extent
    left, top = plane.to_pixel(x0, y1)
    right, bottom = plane.to_pixel(x1, y0)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(QRectF(left, top, right - left, bottom - top), image)


class Gaussians:
    """Centres (K, 2) and covariances (K, 2, 2) of ellipses, in data units, in between two steps or at one.

    A covariance, not two axes: axes may swap or turn their sign from one step to the next, and what lies
    halfway between two covariances is always an ellipse.
    """

    def __init__(self, centre: NDArray[np.floating], covariance: NDArray[np.floating]) -> None:
        self.centre, self.covariance = centre, covariance

    @classmethod
    def of(cls, ellipses: Ellipses) -> Gaussians:
        """Those of a layer; as many as have both a centre and axes."""
        centre = np.asarray(ellipses.centre, np.float64).reshape(-1, 2)
        axes = np.asarray(ellipses.axes, np.float64).reshape(-1, 2, 2)
        many = min(len(centre), len(axes))
        return cls(centre[:many], axes[:many] @ axes[:many].transpose(0, 2, 1))  # A Aᵀ

    def towards(self, other: Gaussians, t: float) -> Gaussians:
        """A share ``t`` of the way to ``other``, which has as many."""
        centre = self.centre + t * (other.centre - self.centre)
        return Gaussians(centre, self.covariance + t * (other.covariance - self.covariance))

    def same(self, other: Gaussians) -> bool:
        return np.array_equal(self.centre, other.centre, equal_nan=True) and np.array_equal(
            self.covariance, other.covariance, equal_nan=True
        )

    def factors(self) -> NDArray[np.float64]:
        """(K, 2, 2) lower triangles L with L Lᵀ = the covariance: L times the unit circle is the ellipse."""
        lower = np.zeros_like(self.covariance)
        with np.errstate(all="ignore"):
            a = np.sqrt(np.maximum(self.covariance[:, 0, 0], 0))
            b = np.where(a > 0, self.covariance[:, 1, 0] / np.where(a > 0, a, 1), 0)
            lower[:, 0, 0], lower[:, 1, 0] = a, b
            lower[:, 1, 1] = np.sqrt(np.maximum(self.covariance[:, 1, 1] - b**2, 0))
        return lower

    def box(self, at: float) -> Extent | None:
        """The box around all of them, ``at`` standard deviations away."""
        reach = at * np.sqrt(np.maximum(np.diagonal(self.covariance, axis1=1, axis2=2), 0))  # (K, 2)
        ends = np.concatenate([self.centre - reach, self.centre + reach], 1)  # (K, 4)
        ends = ends[np.isfinite(ends).all(1)]
        found: Extent | None = None
        for x0, y0, x1, y1 in ends.tolist():
            found = (x0, x1, y0, y1) if found is None else union(found, (x0, x1, y0, y1))
        return found


# The unit circle in four cubic curves: start, then two handles and an end for each; right to 0.03 %.
_HANDLE = 0.5522847498
_CIRCLE = np.array(
    [
        [1, 0],
        [1, _HANDLE], [_HANDLE, 1], [0, 1],
        [-_HANDLE, 1], [-1, _HANDLE], [-1, 0],
        [-1, -_HANDLE], [-_HANDLE, -1], [0, -1],
        [_HANDLE, -1], [1, -_HANDLE], [1, 0],
    ]
)  # fmt: skip
FAINT = 0.25
"""Below this strength an outline has no rim of its own."""
FAR = 3e4
"""Pixels beyond which nothing is drawn: a painter's arithmetic ends there."""


def ellipse_paths(plane: Plane, gaussians: Gaussians, at: float) -> list[QPainterPath | None]:
    """The outline of each, ``at`` standard deviations away, in pixels; None where there is none to draw."""
    points = gaussians.centre[:, None] + at * np.einsum(
        "kij,pj->kpi", gaussians.factors(), _CIRCLE
    )  # (K, 13, 2)
    pixels = plane.to_pixels(points.reshape(-1, 2)).reshape(points.shape)
    paths: list[QPainterPath | None] = []
    for outline in pixels:
        if not (np.abs(outline) < FAR).all():  # NaN is not
            paths.append(None)
            continue
        start, *curves = [QPointF(x, y) for x, y in outline.tolist()]
        path = QPainterPath(start)
        for i in range(0, 12, 3):
            path.cubicTo(*curves[i : i + 3])
        path.closeSubpath()
        paths.append(path)
    return paths


def _boldness(ellipses: Ellipses, many: int) -> list[float]:
    """How boldly each is drawn, 0..1."""
    if ellipses.strength is None:
        return [1.0] * many
    strength = np.ones(many)
    given = np.asarray(ellipses.strength, float).ravel()[:many]
    strength[: len(given)] = np.clip(np.nan_to_num(given, nan=0.0), 0, 1)
    return [float(s) for s in strength]


def _ellipse_colour(ellipses: Ellipses, index: int) -> QColor:
    known = ellipses.label is not None and index < len(ellipses.label)
    if known and ellipses.label is not None:
        return class_colour(int(ellipses.label[index]))
    return look.colour("accent")


def paint_ellipse_grounds(painter: QPainter, plane: Plane, ellipses: Ellipses, now: Gaussians) -> None:
    """A breath of colour inside each, to lie under the points."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    bold = _boldness(ellipses, len(now.centre))
    for at in sorted(ellipses.at, reverse=True):
        for k, path in enumerate(ellipse_paths(plane, now, at)):
            if path is not None:
                alpha = (0.13 if look.dark else 0.09) * bold[k]
                painter.fillPath(path, with_alpha(_ellipse_colour(ellipses, k), alpha))


def paint_ellipses(painter: QPainter, plane: Plane, ellipses: Ellipses, now: Gaussians) -> None:
    """The outlines: the innermost strong, the others lighter, each on a rim of the ground's colour."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    ground = look.colour("plot")
    many = len(now.centre)
    bold = _boldness(ellipses, many)
    room = min(max(math.sqrt(plane.width * plane.height) / look.icon_px(600), 0.65), 1.0)
    faintest_first = sorted(range(many), key=lambda k: bold[k])
    for level, at in reversed(list(enumerate(sorted(ellipses.at)))):
        paths = ellipse_paths(plane, now, at)
        for k in faintest_first:
            path, s = paths[k], bold[k]
            if path is None:
                continue
            width = look.icon_px(4.0 if level == 0 else 2.6) * (0.4 + 0.6 * s) * room
            strength = (0.12 + 0.88 * s) * (1.0 if level == 0 else 0.6)
            colour = _ellipse_colour(ellipses, k)
            if s < FAINT:
                painter.setPen(QPen(with_alpha(colour, strength), width))
                painter.drawPath(path)
                continue
            # Opaque on an opaque rim: the same to the eye as colours let through, and three times as fast.
            painter.setPen(QPen(ground, width + look.icon_px(1.8)))
            painter.drawPath(path)
            painter.setPen(QPen(mix(ground, colour, strength), width))
            painter.drawPath(path)


def paint_segments(painter: QPainter, plane: Plane, segments: Segments) -> None:
    """Thin lines, each in the colour of its class or in grey."""
    many = min(len(segments.start), len(segments.end))
    start, end = segments.start[:many], segments.end[:many]
    ends = np.concatenate([plane.to_pixels(start), plane.to_pixels(end)], 1)  # (M, 4)
    real = np.isfinite(ends).all(1)
    grey = with_alpha(look.colour("quiet"), 0.45)
    length = (
        float(np.hypot(*(ends[real, 2:] - ends[real, :2]).T).sum()) * painter.device().devicePixelRatioF()
    )
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, length < LONG)
    label = np.full(many, -1)
    if segments.label is not None and len(segments.label) == many:
        label = np.asarray(segments.label)
    for k in np.unique(label[real]):
        colour = grey if k < 0 else with_alpha(class_colour(int(k)), 0.6)
        painter.setPen(QPen(colour, look.px(1.2)))
        painter.drawLines([QLineF(*line) for line in ends[real & (label == k)].tolist()])


def paint_arrows(painter: QPainter, plane: Plane, arrows: Arrows) -> None:
    """Strong arrows, each with its name beyond the head."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    font = look.font(bold=True)
    painter.setFont(font)
    starts, ends = plane.to_pixels(arrows.start), plane.to_pixels(arrows.end)
    ink, ground = look.colour("text"), look.colour("plot")
    for i, (a, b) in enumerate(zip(starts, ends, strict=False)):
        length = float(np.hypot(*(b - a)))
        if not (math.isfinite(length) and length > 1):
            continue
        u = (b - a) / length
        head = min(look.px(13), 0.6 * length)
        side = np.array([-u[1], u[0]]) * head * 0.42
        tip, neck = QPointF(*b), QPointF(*(b - u * head * 0.9))
        shaft = QLineF(QPointF(*a), neck)
        point = QPolygonF([tip, QPointF(*(b - u * head + side)), QPointF(*(b - u * head - side))])
        for colour, extra in ((with_alpha(ground, 0.9), look.px(2.5)), (ink, 0.0)):
            painter.setPen(QPen(colour, look.px(3) + 2 * extra / 2, c=Qt.PenCapStyle.FlatCap))
            painter.drawLine(shaft)
            painter.setPen(QPen(colour, extra, j=Qt.PenJoinStyle.RoundJoin) if extra else Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawPolygon(point)
        if i < len(arrows.names):
            name = tr(arrows.names[i])
            metrics = QFontMetricsF(font)
            wide, high = metrics.horizontalAdvance(name), metrics.capHeight()
            away = look.px(8) + abs(u[0]) * wide / 2 + abs(u[1]) * high / 2
            x, y = b[0] + u[0] * away, b[1] + u[1] * away
            x = min(max(x, plane.left + wide / 2), plane.left + plane.width - wide / 2)
            y = min(max(y, plane.top + high), plane.top + plane.height - high)
            paint_text(painter, QPointF(x - wide / 2, y + high / 2), name, ink, ground)


def paint_text(painter: QPainter, where: QPointF, text: str, ink: QColor, ground: QColor) -> None:
    """Text with a soft rim, so that it reads on anything."""
    path = QPainterPath()
    path.addText(where, painter.font(), text)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(with_alpha(ground, 0.92), look.px(4.5), j=Qt.PenJoinStyle.RoundJoin))
    painter.drawPath(path)
    painter.fillPath(path, ink)


def marker_radius(plane: Plane, many: int) -> float:
    """How large each of ``many`` centres is drawn: the data around them are to be seen."""
    radius = min(float(look.px(12)), min(plane.width, plane.height) / 14 / (1 + RIM))
    return max(radius * math.sqrt(min(1.0, 8 / max(many, 1))), 3.0)


def number_font(radius: float, many: int) -> QFont | None:
    """The font of the numbers in ``many`` discs of that radius; None when nobody could read them."""
    size = radius / look.px(12)
    if many > NUMBERED or size < 0.5 or QFontMetricsF(look.font()).capHeight() * size < 6.5:
        return None
    font = look.font(bold=True, tabular=True)
    font.setPointSizeF(font.pointSizeF() * size)
    return font


def marker_colour(markers: Markers, index: int) -> QColor:
    """A mark whose labels nobody gave has the colour of its number, one without a label none."""
    known = markers.label is not None and index < len(markers.label)
    label = int(markers.label[index]) if known and markers.label is not None else index
    return QColor(NEUTRAL) if label < 0 else class_colour(label)


def neutral(layer: L) -> L:
    """The same without colours: those of the points mean something else now."""
    many = len(
        layer.start
        if isinstance(layer, Segments)
        else layer.xy
        if isinstance(layer, Markers)
        else layer.centre
    )
    return replace(layer, label=np.full(many, -1, np.int32))


def paint_trails(painter: QPainter, plane: Plane, markers: Markers, xy: NDArray[np.floating]) -> None:
    """Where each mark has been, paler the longer ago, and on to where it is."""
    trail = markers.trail
    if trail is None or trail.ndim != 3 or trail.shape[1] != len(xy) or len(trail) == 0:
        return
    path = np.concatenate([trail, xy[None].astype(np.float32)])  # (T+1, K, 2)
    pixels = plane.to_pixels(path.reshape(-1, 2)).reshape(path.shape)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    cuts = np.unique(np.linspace(0, len(path) - 1, TRAIL_SHADES + 1).round().astype(int))
    for k in range(path.shape[1]):
        colour = marker_colour(markers, k)
        for shade, (a, b) in enumerate(pairwise(cuts), 1):
            piece = pixels[a : b + 1, k]
            piece = piece[np.isfinite(piece).all(1)]
            faint = with_alpha(colour, 0.12 + 0.78 * shade / (len(cuts) - 1))
            painter.setPen(QPen(faint, look.px(2.5), c=Qt.PenCapStyle.FlatCap, j=Qt.PenJoinStyle.RoundJoin))
            painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in piece.tolist()]))


def paint_markers(
    painter: QPainter, plane: Plane, markers: Markers, xy: NDArray[np.floating], held: int
) -> None:
    """Discs with their numbers; the ``held`` one is a little larger."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    outer = QColor("#ffffff") if look.dark else look.colour("text")
    inner = look.colour("plot")
    plain = marker_radius(plane, len(xy))
    font = number_font(plain, len(xy))
    for k, (x, y) in enumerate(plane.to_pixels(xy).tolist()):
        if not (math.isfinite(x) and math.isfinite(y)):
            continue
        radius = plain * (1.15 if k == held else 1.0)
        colour = marker_colour(markers, k)
        centre = QPointF(x, y)
        painter.setPen(Qt.PenStyle.NoPen)
        for paint, grow in ((outer, RIM), (inner, 0.625 * RIM), (colour, 0.0)):
            painter.setBrush(paint)
            painter.drawEllipse(centre, radius * (1 + grow), radius * (1 + grow))
        if font is None:
            continue
        text = str(k + 1)
        painter.setFont(font)
        painter.setPen(ink_on(colour))
        metrics = QFontMetricsF(font)
        painter.drawText(QPointF(x - metrics.horizontalAdvance(text) / 2, y + metrics.capHeight() / 2), text)


def _star(centre: QPointF, radius: float) -> QPolygonF:
    """Five points, the first one upwards."""
    corners = []
    for i in range(10):
        angle, far = math.pi * i / 5, radius * (1.0 if i % 2 == 0 else 0.46)
        corners.append(centre + QPointF(far * math.sin(angle), -far * math.cos(angle)))
    return QPolygonF(corners)


def paint_guest(painter: QPainter, plane: Plane, path: NDArray[np.floating], *, elsewhere: bool) -> None:
    """A big star at the end of ``path``, (T, 2), and a line through where it has been, paler the longer ago.

    elsewhere: only its outline, for it does not belong to this very step. A star beyond the picture waits at
    its rim and points outwards.
    """
    pixels = plane.to_pixels(path)
    if not np.isfinite(pixels[-1]).all():
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    ink, ground, gold = look.colour("text"), look.colour("plot"), look.colour("guest")
    cuts = np.unique(np.linspace(0, len(path) - 1, TRAIL_SHADES + 1).round().astype(int))
    for shade, (a, b) in enumerate(pairwise(cuts), 1):
        piece = pixels[a : b + 1]
        line = QPolygonF([QPointF(x, y) for x, y in piece[np.isfinite(piece).all(1)].tolist()])
        strength = 0.15 + 0.75 * shade / max(len(cuts) - 1, 1)
        for colour, width in ((ground, 5.5), (ink, 3.6), (gold, 1.8)):
            pen = QPen(with_alpha(colour, strength), look.px(width))
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
            painter.setPen(pen)
            painter.drawPolyline(line)
    radius = float(look.icon_px(13))
    x, y = pixels[-1].tolist()
    margin = 1.9 * radius
    inside_x = min(max(x, plane.left + margin), max(plane.left + plane.width - margin, plane.left + margin))
    inside_y = min(max(y, plane.top + margin), max(plane.top + plane.height - margin, plane.top + margin))
    centre = QPointF(inside_x, inside_y)
    painter.setBrush(with_alpha(ground, 0.5))
    for colour, width in ((with_alpha(ground, 0.9), 5.0), (ink, 2.0)):
        painter.setPen(QPen(colour, look.px(width)))
        painter.drawEllipse(centre, 1.35 * radius, 1.35 * radius)
    painter.setPen(QPen(ink, look.px(1.8), j=Qt.PenJoinStyle.RoundJoin))
    painter.setBrush(ground if elsewhere else gold)
    painter.drawPolygon(_star(centre, radius))
    away = np.array([x - inside_x, y - inside_y])
    far = float(np.hypot(*away))
    if not plane.left <= x <= plane.left + plane.width or not plane.top <= y <= plane.top + plane.height:
        u = away / max(far, 1e-9)
        side = np.array([-u[1], u[0]])
        tip, base = 1.85 * radius * u, 1.5 * radius * u
        head = [tip, base + 0.32 * radius * side, base - 0.32 * radius * side]
        painter.setBrush(ink)
        painter.drawPolygon(QPolygonF([centre + QPointF(*corner) for corner in head]))


def paint_ring(painter: QPainter, at: QPointF, dot: float, *, strong: bool) -> None:
    """A ring round a point: strong = pinned, else under the mouse."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    radius = max(dot + look.px(3), look.px(7))
    for colour, width in (
        (look.colour("plot"), look.px(5)),
        (look.colour("accent" if strong else "text"), look.px(2.4)),
    ):
        painter.setPen(QPen(colour, width))
        painter.drawEllipse(at, radius, radius)


def item_image(item: Item) -> QImage | None:
    """The picture of an item, or None."""
    if item.picture is None or item.picture.ndim not in (2, 3) or item.picture.size == 0:
        return None
    pixels = np.ascontiguousarray((np.clip(np.nan_to_num(item.picture), 0, 1) * 255 + 0.5).astype(np.uint8))
    if pixels.ndim == 3 and pixels.shape[2] != 3:
        pixels = np.ascontiguousarray(pixels[..., 0])
    high, wide = pixels.shape[:2]
    grey = pixels.ndim == 2
    form = QImage.Format.Format_Grayscale8 if grey else QImage.Format.Format_RGB888
    return QImage(pixels.data, wide, high, wide * (1 if grey else 3), form).copy()


@dataclass(frozen=True, slots=True)
class _Card:
    """Where everything on a card lies."""

    box: QRectF
    inner: float
    picture: QSizeF
    rows: list[tuple[str, str]]


def _card(item: Item, image: QImage | None, at: QPointF, dot: float, room: QRectF) -> _Card:
    """A card for ``item`` above its point, always wholly inside ``room`` if that is large enough."""
    metrics, bold_metrics = QFontMetricsF(look.font(0.92, tabular=True)), QFontMetricsF(look.font(bold=True))
    pad, gap = look.px(8), max(dot + look.px(8), look.px(12))
    rows = [(tr(name), number(value)) for name, value in item.values[:VALUES]]
    side = min(look.px(110), 0.26 * room.height(), 0.4 * room.width()) if image is not None else 0.0
    widest = [metrics.horizontalAdvance(name + value) + look.px(10) for name, value in rows]
    inner = max([side, look.px(24), bold_metrics.horizontalAdvance(tr(item.label)), *widest])
    inner = min(inner, room.width() - 2 * pad)
    picture = QSizeF(0, 0)
    if image is not None:
        picture = QSizeF(image.size()) * (side / max(image.width(), image.height()))
    name_high = bold_metrics.height() if item.label else 0.0
    between = pad * 0.6 if image is not None and (item.label or rows) else 0.0
    fixed = 2 * pad + picture.height() + between + name_high
    rows = rows[: max(0, int((room.height() - fixed) / metrics.height()))]
    high, wide = fixed + len(rows) * metrics.height(), inner + 2 * pad
    x = min(max(at.x() - wide / 2, room.left()), max(room.right() - wide, room.left()))
    y = min(at.y() - gap, room.bottom()) - high
    if y < room.top():
        y = max(at.y() + gap, room.top())
        if y + high > room.bottom():  # neither above nor below: beside it, if that can be
            y = min(max(at.y() - high / 2, room.top()), max(room.bottom() - high, room.top()))
            if at.x() + gap + wide <= room.right():
                x = at.x() + gap
            elif at.x() - gap - wide >= room.left():
                x = at.x() - gap - wide
    return _Card(QRectF(x, y, wide, high), inner, picture, rows)


def card_box(item: Item, image: QImage | None, at: QPointF, dot: float, room: QRectF) -> QRectF:
    """Where the card of ``item`` lies."""
    return _card(item, image, at, dot, room).box


def paint_plate(painter: QPainter, box: QRectF) -> None:
    """The ground of a card, with a soft shadow."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    for spread in (3, 2, 1):
        painter.setBrush(QColor(0, 0, 0, 16 if not look.dark else 50))
        shadow = box.adjusted(-spread, -spread + 2, spread, spread + 2)
        painter.drawRoundedRect(shadow, look.px(7) + spread, look.px(7) + spread)
    painter.setPen(QPen(look.colour("line"), 1))
    painter.setBrush(look.colour("surface"))
    painter.drawRoundedRect(box, look.px(7), look.px(7))


def paint_card(
    painter: QPainter, item: Item, image: QImage | None, at: QPointF, dot: float, room: QRectF
) -> None:
    """Picture, name and numbers of an item."""
    card = _card(item, image, at, dot, room)
    box, pad = card.box, look.px(8)
    paint_plate(painter, box)
    top, left = box.top() + pad, box.left() + pad
    if image is not None:
        target = QRectF(QPointF(box.center().x() - card.picture.width() / 2, top), card.picture)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, card.picture.width() < image.width())
        painter.drawImage(target.toRect(), image)
        top += card.picture.height() + 0.6 * pad
    start = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    end = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    if item.label:
        painter.setFont(look.font(bold=True))
        metrics = QFontMetricsF(painter.font())
        painter.setPen(look.colour("text"))
        short = metrics.elidedText(tr(item.label), Qt.TextElideMode.ElideRight, card.inner + 1)
        painter.drawText(QRectF(left, top, card.inner + 2, metrics.height()), start, short)
        top += metrics.height()
    painter.setFont(look.font(0.92, tabular=True))
    metrics = QFontMetricsF(painter.font())
    for name, value in card.rows:
        row = QRectF(left, top, card.inner, metrics.height())
        painter.setPen(look.colour("text"))
        painter.drawText(row, end, value)
        painter.setPen(look.colour("quiet"))
        room_left = card.inner - metrics.horizontalAdvance(value) - look.px(6)
        painter.drawText(row, start, metrics.elidedText(name, Qt.TextElideMode.ElideRight, room_left))
        top += metrics.height()
