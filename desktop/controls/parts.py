"""Small widgets that the controls are made of: label, icon button, slider, switch, segmented choice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from PySide6.QtCore import QObject, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QIcon,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSlider,
    QStyle,
    QStyleOptionToolButton,
    QToolButton,
    QWidget,
)

from desktop.language import say, tr
from desktop.style.device import grain
from desktop.style.icons import wear, worn
from desktop.style.tokens import look

W = TypeVar("W", bound=QObject)


def named(name: str, widget: W) -> W:
    """``widget`` under the object name by which the style sheet knows it."""
    widget.setObjectName(name)
    return widget


class ElidedLabel(QLabel):
    """A label on one line that ends in “…” when there is no room, and then says the whole on hover."""

    def __init__(self, parent: QWidget | None = None, *, relative: float = 1.0, bold: bool = False) -> None:
        super().__init__(parent)
        self._relative, self._bold = relative, bold
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        look.changed.connect(self.dress)
        self.dress()

    def dress(self) -> None:
        """Set the font of the present look."""
        self.setFont(look.font(self._relative, bold=self._bold))

    @property
    def is_cut(self) -> bool:
        """Whether some of the text has no room just now."""
        return self.fontMetrics().horizontalAdvance(self.text()) > self.contentsRect().width()

    def minimumSizeHint(self) -> QSize:
        return QSize(min(look.px(24), super().minimumSizeHint().width()), super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.text().startswith("<"):  # coloured words cannot be elided
            super().paintEvent(event)
            return
        with QPainter(self) as painter:
            painter.setPen(self.palette().color(self.foregroundRole()))
            room = self.contentsRect()
            text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
            painter.drawText(room, self.alignment() | Qt.AlignmentFlag.AlignVCenter, text)


class IconButton(QToolButton):
    """A button that is an icon, named for the ear and by its tool tip. flat: without a frame."""

    def __init__(
        self,
        name: str,
        tip: str,
        parent: QWidget | None = None,
        *,
        size: float = 18,
        pad: float = 8,
        colour: str | None = None,
        flat: bool = False,
    ) -> None:
        super().__init__(parent)
        self._pad, self._size = pad, size
        if flat:
            self.setObjectName("flat")
        wear(self, name, colour, size)
        say(self.setToolTip, tip)
        say(self.setAccessibleName, tip)
        look.changed.connect(self._on_look)
        self._on_look()

    def paintEvent(self, event: QPaintEvent) -> None:
        """For a picture finer than the screen the icon is made anew: Qt would scale it up."""
        with QPainter(self) as painter:
            ratio = grain(painter)
            fine = worn(self, ratio) if ratio > self.devicePixelRatioF() else None
            if fine is not None:
                option = QStyleOptionToolButton()
                self.initStyleOption(option)
                option.icon = QIcon()
                self.style().drawComplexControl(QStyle.ComplexControl.CC_ToolButton, option, painter, self)
                size = fine.deviceIndependentSize()
                middle = QRectF(self.rect()).center() - QPointF(size.width() / 2, size.height() / 2)
                painter.drawPixmap(middle, fine)
        if fine is None:
            super().paintEvent(event)

    def set_icon(self, name: str, tip: str, colour: str | None = None) -> None:
        wear(self, name, colour, self._size)
        say(self.setToolTip, tip)
        say(self.setAccessibleName, tip)

    def _on_look(self) -> None:
        side = look.icon_px(self._size + 2 * self._pad)
        self.setFixedSize(side, side)


class Slider(QSlider):
    """Jumps to where it is clicked, ignores the wheel without focus, and may show its default."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._default: int | None = None
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        look.changed.connect(self.updateGeometry)

    def set_default(self, position: int | None) -> None:
        """Show a small notch at ``position``."""
        self._default = position
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(look.px(90), look.px(18))

    def minimumSizeHint(self) -> QSize:
        return QSize(look.px(40), look.px(18))

    def _reach(self) -> tuple[float, float]:
        radius = look.px(14) / 2 + 1
        return radius, self.width() - radius

    def _x(self, position: int) -> float:
        start, end = self._reach()
        span = max(self.maximum() - self.minimum(), 1)
        return start + (end - start) * (position - self.minimum()) / span

    def _position(self, x: float) -> int:
        start, end = self._reach()
        share = min(max((x - start) / max(end - start, 1.0), 0.0), 1.0)
        return self.minimum() + round(share * (self.maximum() - self.minimum()))

    def paintEvent(self, event: QPaintEvent) -> None:
        c = look.colours
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            middle, thick, x = self.height() / 2, look.px(4), self._x(self.value())
            painter.setBrush(QColor(c.line))
            painter.drawRoundedRect(
                QRectF(1, middle - thick / 2, self.width() - 2, thick), thick / 2, thick / 2
            )
            painter.setBrush(QColor(c.accent if self.isEnabled() else c.faded))
            painter.drawRoundedRect(QRectF(1, middle - thick / 2, x - 1, thick), thick / 2, thick / 2)
            if self._default is not None and self._default != self.value():
                painter.setBrush(QColor(c.quiet))
                notch = look.px(2)
                painter.drawRoundedRect(
                    QRectF(self._x(self._default) - notch / 2, middle - look.px(5), notch, look.px(10)), 1, 1
                )
            radius = look.px(14) / 2
            if self.hasFocus():
                halo = QColor(c.accent)
                halo.setAlphaF(0.28)
                painter.setBrush(halo)
                painter.drawEllipse(QPointF(x, middle), radius + look.px(2.5), radius + look.px(2.5))
            painter.setPen(QPen(QColor(c.accent if self.isEnabled() else c.faded), look.px(2)))
            painter.setBrush(
                QColor(c.accent if self.isSliderDown() else c.hover if self.underMouse() else c.surface)
            )
            painter.drawEllipse(QPointF(x, middle), radius - look.px(1), radius - look.px(1))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.isEnabled():
            event.accept()
            self.setSliderDown(True)
            self.setSliderPosition(self._position(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.isSliderDown():
            self.setSliderPosition(self._position(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.isSliderDown():
            self.setSliderDown(False)
            self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class Switch(QAbstractButton):
    """On or off, as a small sliding switch."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        look.changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        return QSize(look.px(34), look.px(20))

    def paintEvent(self, event: QPaintEvent) -> None:
        c = look.colours
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            edge = look.px(1.5)
            body = QRectF(self.rect()).adjusted(edge, edge, -edge, -edge)
            on = self.isChecked()
            painter.setPen(QPen(QColor(c.accent if on or self.hasFocus() else c.quiet), look.px(1.5)))
            painter.setBrush(QColor(c.accent if on else c.raised))
            painter.drawRoundedRect(body, body.height() / 2, body.height() / 2)
            radius = body.height() / 2 - look.px(2.5)
            x = body.right() - body.height() / 2 if on else body.left() + body.height() / 2
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(c.on_accent if on else c.quiet))
            painter.drawEllipse(QPointF(x, body.center().y()), radius, radius)
            if self.hasFocus():
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(QColor(c.text), 1))
                painter.drawRoundedRect(
                    QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), body.height() / 2, body.height() / 2
                )


class _Segment(QAbstractButton):
    """One part of a segmented choice."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance(self.text()) + look.px(12), metrics.height() + look.px(8))

    def minimumSizeHint(self) -> QSize:
        return QSize(look.px(20), self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        c = look.colours
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            body, radius = QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5), look.px(5)
            if self.isChecked():
                painter.setPen(QPen(QColor(c.accent), look.px(1.5)))
                painter.setBrush(QColor(c.surface))
                painter.drawRoundedRect(body, radius, radius)
            elif self.underMouse():
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(c.hover))
                painter.drawRoundedRect(body, radius, radius)
            if self.hasFocus():
                painter.setPen(QPen(QColor(c.accent), look.px(2)))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(body, radius, radius)
            painter.setPen(QColor(c.text if self.isChecked() else c.quiet))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text())


class _Strip(QWidget):
    """The ground under the segments."""

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(look.colours.raised))
            painter.drawRoundedRect(QRectF(self.rect()), look.px(7), look.px(7))


class ChoiceBox(QWidget):
    """One of a few: segments side by side where they fit (three at most), else a list that drops down."""

    picked = Signal(str)

    def __init__(self, options: Sequence[tuple[str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names = [name for name, _title in options]
        self.combo = QComboBox(self)
        self.combo.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._strip = _Strip(self)
        self._group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._strip)
        row.addWidget(self.combo)
        inner = QHBoxLayout(self._strip)
        inner.setContentsMargins(2, 2, 2, 2)
        inner.setSpacing(0)
        for index, (_name, title) in enumerate(options):
            segment = _Segment(self._strip)
            say(segment.setText, title)
            say(segment.setAccessibleName, title)
            self._group.addButton(segment, index)
            inner.addWidget(segment)
        self._titles = [title for _name, title in options]
        self._group.idClicked.connect(self._on_pick)
        self.combo.activated.connect(self._on_pick)
        self.restyle()

    def restyle(self) -> None:
        """Fonts and words again, then choose between segments and list."""
        current = self.combo.currentIndex()
        self.combo.blockSignals(True)
        self.combo.clear()
        self.combo.addItems([tr(title) for title in self._titles])
        self.combo.setCurrentIndex(current)
        self.combo.blockSignals(False)
        self.combo.setFont(look.font())
        for segment in self._group.buttons():
            segment.setFont(look.font())
            segment.updateGeometry()
        self._arrange()

    def _arrange(self) -> None:
        buttons = self._group.buttons()
        wide = max((b.sizeHint().width() for b in buttons), default=0) * len(buttons) + look.px(4)
        segmented = len(buttons) <= 3 and wide <= max(self.width(), 1)
        self._strip.setVisible(segmented)
        self.combo.setVisible(not segmented)

    def minimumSizeHint(self) -> QSize:
        return QSize(look.px(60), super().minimumSizeHint().height())

    def sizeHint(self) -> QSize:
        return QSize(
            look.px(120), max(self.combo.sizeHint().height(), self._group.buttons()[0].sizeHint().height())
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def value(self) -> str:
        return self._names[self.combo.currentIndex()]

    def set_value(self, name: str) -> None:
        index = self._names.index(name)
        self.combo.setCurrentIndex(index)
        self._group.button(index).setChecked(True)

    def _on_pick(self, index: int) -> None:
        self.combo.setCurrentIndex(index)
        self._group.button(index).setChecked(True)
        self.picked.emit(self._names[index])


class Heading(ElidedLabel):
    """The small quiet title of a group of controls."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent, relative=0.93, bold=True)
        self.setObjectName("sectionTitle")
        say(self.setText, title)
