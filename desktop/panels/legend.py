"""The names of the classes.

They are a control too: the mouse on a name lights the class, a click hides it or shows it again, a double
click shows it alone.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QFontMetricsF,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from desktop.language import _, tr
from desktop.panels.colours import with_alpha
from desktop.selection import Selection
from desktop.style.device import grain, is_vector
from desktop.style.tokens import look

ROWS = 12
"""Names shown at once; the wheel brings the others."""
WIDEST = 1 / 3
"""The share of a picture's width that names may take; wider ones are not shown."""


def class_colour(label: int) -> QColor:
    """The colour of a label; -1 is none."""
    return look.colour("quiet") if label < 0 else QColor(look.classes[label % len(look.classes)])


def class_shape(label: int) -> int:
    """0 disc, 1 ring, 2 square, 3 triangle: a shape for every ten labels."""
    return 0 if label < 0 else label // len(look.classes) % 4


def paint_mark(painter: QPainter, centre: QPointF, radius: float, shape: int, colour: QColor) -> None:
    """The mark of a class, as large as a disc of ``radius``."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    if shape == 1:
        painter.setPen(QPen(colour, 0.44 * radius))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(centre, 0.86 * radius, 0.86 * radius)
    elif shape == 2:
        side = 1.76 * radius
        painter.drawRect(QRectF(centre.x() - side / 2, centre.y() - side / 2, side, side))
    elif shape == 3:
        corners = ((0.0, -1.3), (1.15, 0.72), (-1.15, 0.72))
        painter.drawPolygon(QPolygonF([centre + QPointF(x * radius, y * radius) for x, y in corners]))
    else:
        painter.drawEllipse(centre, radius, radius)


class Legend(QWidget):
    """A short column of names over the upper right corner of a picture that is wide enough for both."""

    def __init__(self, selection: Selection, parent: QWidget) -> None:
        super().__init__(parent)
        self._selection = selection
        self._names: tuple[str, ...] = ()
        self._first = 0
        self._lit_row = -1
        self._doubled = False
        self._picture: QPixmap | None = None
        self.setMouseTracking(True)
        self.setAccessibleName(tr(_("Legend")))
        selection.labels_changed.connect(self._renew)
        self.hide()

    def set_names(self, names: tuple[str, ...]) -> None:
        if names != self._names:
            self._names = names
            self._first = min(self._first, self._most())
            self._set_row(-1)
            self.fit()

    def fit(self) -> None:
        """Take the size the names need and the place the parent gives."""
        parent = self.parentWidget()
        self.setAccessibleName(tr(_("Legend")))
        self.setToolTip(
            tr(_("Click a name to hide its points, double-click to see them alone.")) if self._names else ""
        )
        size = self.sizeHint()
        fits = parent is not None and size.width() <= WIDEST * parent.width()
        self.setVisible(bool(self._names) and fits)
        if parent is not None and self._names:
            self.setGeometry(parent.width() - size.width(), 0, size.width(), size.height())
        self._renew()

    def _renew(self) -> None:
        self._picture = None
        self.update()

    def sizeHint(self) -> QSize:
        metrics = QFontMetricsF(look.font(0.95))
        widest = max((metrics.horizontalAdvance(tr(name)) for name in self._names), default=0.0)
        return QSize(round(widest + look.px(34)), round(self._shown() * self._row_height() + look.px(8)))

    def _row_height(self) -> float:
        return QFontMetricsF(look.font(0.95)).height() * 1.18

    def _shown(self) -> int:
        """How many rows there is room for."""
        parent = self.parentWidget()
        room = int((parent.height() - look.px(8)) * 0.8 / self._row_height()) if parent is not None else ROWS
        return max(1, min(len(self._names), ROWS, room))

    def _most(self) -> int:
        return max(0, len(self._names) - self._shown())

    def _row(self, y: float) -> int:
        """The label under the mouse, or -1."""
        row = self._first + int((y - look.px(4)) // self._row_height())
        return row if 0 <= row < len(self._names) and y >= look.px(4) else -1

    def _set_row(self, row: int) -> None:
        if row != self._lit_row:
            self._lit_row = row
            self._selection.light_label(None if row < 0 else row)

    # ── mouse ───────────────────────────────────────────────────────────────────────────────────────────────

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._set_row(self._row(event.position().y()))

    def enterEvent(self, event: QEnterEvent) -> None:
        self._set_row(self._row(event.position().y()))

    def leaveEvent(self, event: QEvent) -> None:
        self._set_row(-1)

    def hideEvent(self, event: QEvent) -> None:
        self._set_row(-1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        row = self._row(event.position().y())
        if self._doubled:
            self._doubled = False
        elif row >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self._selection.toggle_label(row)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        row = self._row(event.position().y())
        if row >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self._doubled = True
            self._selection.toggle_label(row)  # take back what the first click did
            self._selection.solo_label(row, len(self._names))

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._most() == 0:
            event.ignore()
            return
        step = -1 if event.angleDelta().y() > 0 else 1
        self._first = min(max(self._first + step, 0), self._most())
        self._set_row(self._row(event.position().y()))
        self._renew()

    # ── picture ─────────────────────────────────────────────────────────────────────────────────────────────

    def paintEvent(self, event: QPaintEvent) -> None:
        """What lies behind changes far more often than the names: they keep a picture of their own."""
        with QPainter(self) as painter:
            if is_vector(painter):
                self._paint_names(painter)
                return
            ratio = grain(painter)
            if self._picture is None or self._picture.devicePixelRatio() != ratio:
                self._picture = self._drawn(ratio)
            painter.drawPixmap(0, 0, self._picture)

    def _drawn(self, ratio: float) -> QPixmap:
        picture = QPixmap((QSizeF(self.size()) * ratio).toSize())
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        with QPainter(picture) as painter:
            self._paint_names(painter)
        return picture

    def _paint_names(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(with_alpha(look.colour("plot"), 0.82))
        painter.drawRoundedRect(QRectF(self.rect()), look.px(5), look.px(5))
        height, font = self._row_height(), look.font(0.95)
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        selection, shown = self._selection, self._shown()
        room = self.width() - look.px(30)
        for row in range(shown):
            label = self._first + row
            middle = look.px(4) + (row + 0.5) * height
            hidden = label in selection.hidden
            faint = hidden or (selection.lit is not None and selection.lit != label)
            shape = 1 if hidden else class_shape(label)
            colour = look.colour("quiet") if hidden else class_colour(label)
            colour = with_alpha(colour, 0.45 if faint else 1.0)
            paint_mark(painter, QPointF(look.px(13), middle), look.px(4.5), shape, colour)
            painter.setPen(with_alpha(look.colour("text"), 0.45 if faint else 1.0))
            name = metrics.elidedText(tr(self._names[label]), Qt.TextElideMode.ElideRight, room)
            where = QRectF(look.px(24), middle - height / 2, room + 2, height)
            painter.drawText(where, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name)
        if self._most() > 0:
            self._paint_bar(painter, shown, height)

    def _paint_bar(self, painter: QPainter, shown: int, height: float) -> None:
        """A thin bar that says there are more names."""
        whole = shown * height
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(with_alpha(look.colour("quiet"), 0.5))
        length = max(whole * shown / len(self._names), look.px(8))
        top = look.px(4) + (whole - length) * self._first / self._most()
        painter.drawRoundedRect(QRectF(self.width() - look.px(4), top, look.px(3), length), 1.5, 1.5)


__all__ = ["Legend", "class_colour", "class_shape", "paint_mark"]
