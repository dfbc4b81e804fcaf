"""Many small pictures, as large as the panel allows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.language import tr
from desktop.panels.panel import Panel
from desktop.selection import Selection
from desktop.style import palettes
from desktop.style.device import grain
from desktop.style.tokens import look
from engine.api import Images

_CRISP_BELOW = 40
"""Pictures with fewer pixels than this a side are enlarged as squares, not smoothed."""
_MOST = 2_000
_FRAME = 2.4
"""How thick a frame in the colour of a class is at 100 %."""


def to_image(pixels: NDArray[np.generic], *, signed: bool = False) -> QImage:
    """One picture, (H, W) or (H, W, 3), as Qt draws it. What is not a number is drawn as 0."""
    rgb = _to_rgb(pixels[None], signed)[0]
    height, width = rgb.shape[:2]
    data = np.ascontiguousarray(rgb)
    return QImage(data.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


def _to_rgb(pixels: NDArray[np.generic], signed: bool) -> NDArray[np.uint8]:
    """(N, H, W) or (N, H, W, 1 or 3) of any float type to (N, H, W, 3) bytes."""
    values = np.nan_to_num(
        np.asarray(pixels, np.float32), nan=0.0, posinf=1.0, neginf=-1.0 if signed else 0.0
    )
    if values.ndim == 4 and values.shape[3] == 1:
        values = values[..., 0]
    if signed and values.ndim == 3:
        index = np.round(np.clip(values, -1, 1) * 127 + 128).astype(np.uint8)
        coloured: NDArray[np.uint8] = palettes.signed(look.dark)[index]
        return coloured
    if signed:
        values = np.float32(0.5) * (values + 1)
    grey = np.round(np.clip(values, 0, 1) * 255).astype(np.uint8)
    return grey[..., :3] if grey.ndim == 4 else np.repeat(grey[..., None], 3, axis=3)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the pictures are: ``columns`` a row, each ``width`` × ``height``, the first at left, top."""

    columns: int
    width: float
    height: float
    left: float
    top: float
    pitch_x: float
    pitch_y: float
    caption: float
    """Height of the line below each picture, 0 for none."""
    beside: float
    """Width of the rows' titles at their left, 0 for none."""
    above: float
    """Height of the rows' titles above them, 0 for none."""

    def tile(self, index: int) -> QRectF:
        row, column = divmod(index, self.columns)
        x = round(self.left + column * self.pitch_x)
        return QRectF(x, round(self.top + row * self.pitch_y), self.width, self.height)


def best_columns(
    count: int, width: float, height: float, shape: tuple[int, int], gap: float, caption: float
) -> int:
    """How many pictures a row make them largest; shape: (H, W) of one picture."""

    def size(columns: int) -> float:
        return _scale(count, columns, width, height, shape, gap, caption)

    sizes = {columns: size(columns) for columns in range(1, max(count, 1) + 1)}
    enough = 0.93 * max(sizes.values())
    # Nearly as large as possible: then without a ragged last row, then the largest.
    return max(sizes, key=lambda c: (sizes[c] >= enough, count % c == 0, sizes[c]))


def _scale(
    count: int, columns: int, width: float, height: float, shape: tuple[int, int], gap: float, caption: float
) -> float:
    rows = -(-count // columns)
    wide = (width - gap * (columns - 1)) / columns / shape[1]
    high = ((height - gap * (rows - 1)) / rows - caption) / shape[0]
    return max(min(wide, high), 0.0)


class _Canvas(QWidget):
    """Paints the pictures; everything that does not follow the mouse is kept in one pixmap."""

    def __init__(self, selection: Selection) -> None:
        super().__init__()
        self._selection = selection
        self._images: Images | None = None
        self._atlas: QImage | None = None
        self._sheet: QPixmap | None = None
        self._layout: Layout | None = None
        self.count = 0
        self.hovered = -1
        self.setMouseTracking(True)
        self.setMinimumSize(1, 1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        selection.hovered.connect(self._on_outside)
        selection.pinned.connect(self._on_outside)
        selection.changed.connect(self.stale)
        selection.labels_changed.connect(self.stale)

    def show_images(self, images: Images | None) -> None:
        pixels = None if images is None else images.pixels
        usable = pixels is not None and pixels.ndim in (3, 4) and pixels.size > 0
        self._images = images if usable else None
        self.count = 0 if pixels is None or not usable else min(len(pixels), _MOST)
        self._atlas = None
        if self.hovered >= self.count:
            self.hovered = -1
        self.stale()

    def stale(self) -> None:
        """The kept picture is out of date."""
        self._sheet = None
        self._layout = None
        self.update()

    def restyle(self) -> None:
        self._atlas = None
        self.stale()

    def _on_outside(self, _item: int) -> None:
        self.update()

    # ── where everything is ────────────────────────────────────────────────────────────────────────────

    @property
    def grid(self) -> Layout | None:
        """Where the pictures are; None when there are none."""
        if self._layout is None and self._images is not None and self.count:
            self._layout = self._arrange(self._images)
        return self._layout

    def _arrange(self, images: Images) -> Layout:
        shape = (images.pixels.shape[1], images.pixels.shape[2])
        gap = max(2.0, min(look.px(8), self.width() / 60))
        rim = _FRAME * look.factor if images.label is not None else 1.0
        gap += 2 * rim if images.label is not None else 0.0
        full, height = self.width() - 2.0 * rim, self.height() - 2.0 * rim
        beside, above = self._row_title_sizes(images)
        caption = QFontMetrics(look.font(0.85)).height() + float(look.px(2)) if any(images.captions) else 0.0

        def fit(width: float, extra: float) -> tuple[float, int]:
            columns = images.columns or best_columns(self.count, width, height, shape, gap, extra)
            columns = max(1, min(columns, self.count))
            return _scale(self.count, columns, width, height, shape, gap, extra), columns

        (scale, columns) = fit(full - beside, caption)
        if caption and not self._readable(images, scale * shape[1] + gap, scale * shape[0] > caption):
            caption = 0.0
            scale, columns = fit(full - beside, 0.0)
        # Titles stand beside their rows, or above them where that leaves the pictures more room.
        if beside and fit(full, caption + above)[0] > 1.05 * scale:
            beside = 0.0
            scale, columns = fit(full, caption + above)
        else:
            above = 0.0
        ratio = self.devicePixelRatioF()
        whole = math.floor(scale * ratio) / ratio
        if max(shape) < _CRISP_BELOW and whole > 0.88 * scale:
            scale = whole
        rows = -(-self.count // columns)
        wide, high = max(scale * shape[1], 1.0), max(scale * shape[0], 1.0)
        used_w = columns * wide + (columns - 1) * gap
        used_h = rows * (high + caption + above) + (rows - 1) * gap
        left = beside + rim + max((full - beside - used_w) / 2, 0)
        top = rim + max((height - used_h) / 2, 0) + above
        pitch = high + caption + above + gap
        return Layout(columns, wide, high, left, top, wide + gap, pitch, caption, beside, above)

    def _readable(self, images: Images, room: float, tall: bool) -> bool:
        """Most captions fit below their pictures and are not taller than them."""
        metrics = QFontMetrics(look.font(0.85, tabular=True))
        fitting = sum(metrics.horizontalAdvance(tr(caption)) <= room for caption in images.captions)
        return tall and 2 * fitting >= len(images.captions)

    def _row_title_sizes(self, images: Images) -> tuple[float, float]:
        """Width of the rows' titles when they stand at the left, height when they stand above."""
        if not images.columns or not any(images.rows):
            return 0.0, 0.0
        metrics = QFontMetrics(look.font())
        widest = max(metrics.horizontalAdvance(tr(row)) for row in images.rows) + look.px(12)
        return float(min(widest, 0.3 * self.width())), float(metrics.height() + look.px(3))

    def at(self, place: QPoint) -> int:
        """The picture at ``place``, -1 for none."""
        grid = self.grid
        if grid is None:
            return -1
        column = int((place.x() - grid.left) // grid.pitch_x)
        row = int((place.y() - grid.top) // grid.pitch_y)
        index = row * grid.columns + column
        inside = 0 <= column < grid.columns and row >= 0 and index < self.count
        return index if inside and grid.tile(index).contains(QPointF(place)) else -1

    def _item(self, index: int) -> int:
        items = None if self._images is None else self._images.items
        return -1 if items is None or not 0 <= index < len(items) else int(items[index])

    # ── mouse ──────────────────────────────────────────────────────────────────────────────────────────

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._set_hovered(self.at(event.position().toPoint()))

    def leaveEvent(self, event: QEvent) -> None:
        self._set_hovered(-1)

    def _set_hovered(self, index: int) -> None:
        if index != self.hovered:
            self.hovered = index
            if self._images is not None and self._images.items is not None:
                self._selection.set_hover(self._item(index))
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        item = self._item(self.at(event.position().toPoint()))
        if event.button() == Qt.MouseButton.LeftButton and item >= 0:
            self._selection.set_pin(-1 if item == self._selection.pin else item)

    def resizeEvent(self, event: QEvent) -> None:
        self.stale()

    # ── painting ───────────────────────────────────────────────────────────────────────────────────────

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            grid, images = self.grid, self._images
            if grid is None or images is None or self.width() < 4 or self.height() < 4:
                return
            ratio = grain(painter)
            if self._sheet is None or self._sheet.devicePixelRatio() != ratio:
                self._sheet = self._compose(images, grid, ratio)
            painter.drawPixmap(0, 0, self._sheet)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            marked = {self._selection.hover, self._selection.pin, *self._selection.neighbours} - {-1}
            if marked and images.items is not None:
                for index in np.flatnonzero(np.isin(images.items[: self.count], list(marked))).tolist():
                    strong = int(images.items[index]) in (self._selection.hover, self._selection.pin)
                    _ring(painter, grid.tile(index), look.colour("accent"), look.px(3 if strong else 1.6))
            if 0 <= self.hovered < self.count:
                if images.items is None:
                    _ring(painter, grid.tile(self.hovered), look.colour("accent"), look.px(2))
                self._paint_card(painter, images, grid)

    def _pixels(self, images: Images) -> QImage:
        """All pictures under each other in their own size."""
        if self._atlas is None:
            rgb = _to_rgb(images.pixels[: self.count], images.signed)
            height, width = rgb.shape[1:3]
            data = np.ascontiguousarray(rgb)
            stacked = QImage(data.data, width, self.count * height, 3 * width, QImage.Format.Format_RGB888)
            self._atlas = stacked.convertToFormat(QImage.Format.Format_RGB32)
        return self._atlas

    def _smooth(self, images: Images, width: float, ratio: float) -> bool:
        own = images.pixels.shape[2]
        return bool(max(images.pixels.shape[1:3]) >= _CRISP_BELOW or width * ratio < own)

    def _source(self, images: Images, index: int) -> QRect:
        height, width = images.pixels.shape[1:3]
        return QRect(0, index * height, width, height)

    def _compose(self, images: Images, grid: Layout, ratio: float) -> QPixmap:
        sheet = QPixmap(round(self.width() * ratio), round(self.height() * ratio))
        sheet.setDevicePixelRatio(ratio)
        sheet.fill(Qt.GlobalColor.transparent)
        with QPainter(sheet) as painter:
            atlas = self._pixels(images)
            if self._smooth(images, grid.width, ratio):
                painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            dim = self._dimmed(images)
            for index in range(self.count):
                tile = grid.tile(index)
                painter.setOpacity(0.18 if dim[index] else 1.0)
                painter.drawImage(tile, atlas, QRectF(self._source(images, index)))
            painter.setOpacity(1.0)
            self._paint_frames(painter, images, grid, dim)
            self._paint_words(painter, images, grid, dim)
        return sheet

    def _dimmed(self, images: Images) -> NDArray[np.bool_]:
        """Which pictures stand back: not selected, of a hidden class, or of another than that pointed at."""
        dim = np.zeros(self.count, bool)
        chosen = self._selection.items
        if chosen is not None and images.items is not None:
            size = min(self.count, len(images.items))
            items = images.items[:size]
            dim[:size] = (items >= 0) & ~np.isin(items, chosen)
        if images.label is not None:
            label = images.label[: self.count]
            if self._selection.hidden:
                dim[: len(label)] |= np.isin(label, list(self._selection.hidden))
            if self._selection.lit is not None:
                dim[: len(label)] |= label != self._selection.lit
        return dim

    def _paint_frames(self, painter: QPainter, images: Images, grid: Layout, dim: NDArray[np.bool_]) -> None:
        classes = look.classes
        width = max(1.0, min(_FRAME * look.factor, grid.width / 8))
        framed: dict[tuple[str, float], list[QRectF]] = {}  # all of one colour at once
        for index in range(self.count):
            label = -1 if images.label is None or index >= len(images.label) else int(images.label[index])
            if label >= 0:
                colour = look.colours.faded if dim[index] else classes[label % len(classes)]
                framed.setdefault((colour, width), []).append(grid.tile(index))
            elif images.signed or not look.dark:
                framed.setdefault((look.colours.line, 1.0), []).append(grid.tile(index))
        for (colour, thick), tiles in framed.items():
            _frame(painter, tiles, QColor(colour), thick)

    def _paint_words(self, painter: QPainter, images: Images, grid: Layout, dim: NDArray[np.bool_]) -> None:
        painter.setFont(look.font(0.85, tabular=True))
        metrics = painter.fontMetrics()
        for index, caption in enumerate(images.captions[: self.count] if grid.caption else ()):
            tile = grid.tile(index)
            room = grid.pitch_x - look.px(2)
            text = metrics.elidedText(tr(caption), Qt.TextElideMode.ElideRight, int(room))
            painter.setPen(look.colour("faded" if dim[index] else "text"))
            line = QRectF(tile.center().x() - room / 2, tile.bottom() + look.px(1), room, metrics.height())
            painter.drawText(line, Qt.AlignmentFlag.AlignCenter, text)
        if not (grid.beside or grid.above):
            return
        painter.setFont(look.font())
        metrics = painter.fontMetrics()
        painter.setPen(look.colour("text"))
        for row, title in enumerate(images.rows[: -(-self.count // grid.columns)]):
            tile = grid.tile(row * grid.columns)
            if grid.above:
                line = QRectF(
                    tile.left(), tile.top() - grid.above, self.width() - tile.left(), metrics.height()
                )
                side = Qt.AlignmentFlag.AlignLeft
            else:
                room = grid.beside - look.px(12)
                middle = tile.center().y() - metrics.height() / 2
                line = QRectF(tile.left() - grid.beside, middle, room, metrics.height())
                side = Qt.AlignmentFlag.AlignRight
            text = metrics.elidedText(tr(title), Qt.TextElideMode.ElideRight, int(line.width()))
            painter.drawText(line, side | Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_card(self, painter: QPainter, images: Images, grid: Layout) -> None:
        """The picture under the mouse, larger, when it is small."""
        size = min(look.px(130), 0.6 * self.width(), 0.7 * self.height())
        if grid.width * 1.4 >= size or size < 8:
            return
        tile = grid.tile(self.hovered)
        height, width = images.pixels.shape[1:3]
        scale = size / max(height, width)
        picture = QRectF(0, 0, scale * width, scale * height)
        pad = look.px(6)
        caption = tr(images.captions[self.hovered]) if self.hovered < len(images.captions) else ""
        painter.setFont(look.font(0.95))
        metrics = painter.fontMetrics()
        words = metrics.height() if caption else 0
        box = QRectF(0, 0, picture.width() + 2 * pad, picture.height() + 2 * pad + words)
        above = tile.top() - pad - box.height()
        box.moveTop(above if above >= 0 else min(tile.bottom() + pad, self.height() - box.height() - 1))
        box.moveLeft(min(max(tile.center().x() - box.width() / 2, 1), self.width() - box.width() - 1))
        painter.setPen(QPen(look.colour("accent"), look.px(1.5)))
        painter.setBrush(look.colour("surface"))
        painter.drawRoundedRect(box, pad, pad)
        picture.moveTopLeft(box.topLeft() + QPointF(pad, pad))
        smooth = self._smooth(images, picture.width(), grain(painter))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.drawImage(picture, self._pixels(images), QRectF(self._source(images, self.hovered)))
        if caption:
            line = QRectF(box.left() + pad, picture.bottom() + pad / 2, picture.width(), words)
            text = metrics.elidedText(caption, Qt.TextElideMode.ElideRight, int(picture.width()))
            painter.setPen(look.colour("text"))
            painter.drawText(line, Qt.AlignmentFlag.AlignCenter, text)


def _frame(painter: QPainter, tiles: list[QRectF], colour: QColor, width: float) -> None:
    pen = QPen(colour, width)
    pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    half = width / 2
    painter.drawRects([tile.adjusted(-half, -half, half, half) for tile in tiles])


def _ring(painter: QPainter, tile: QRectF, colour: QColor, width: float) -> None:
    painter.setPen(QPen(colour, width))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(tile.adjusted(-width / 2, -width / 2, width / 2, width / 2), width, width)


class ImageGrid(Panel):
    """A grid of pictures. Hover enlarges one and lights it everywhere; a click pins it."""

    def __init__(self, title: str, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self._canvas = _Canvas(selection)
        self.set_body(self._canvas)

    @property
    def canvas(self) -> _Canvas:
        return self._canvas

    def show_payload(self, payload: Images) -> None:
        self._canvas.show_images(payload)

    def restyle(self) -> None:
        self._canvas.restyle()

    def clear(self) -> None:
        self._canvas.show_images(None)
