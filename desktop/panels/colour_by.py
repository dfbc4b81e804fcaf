"""The choice of what points are coloured by: a button in a panel's title row and the list it opens."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QFrame,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from desktop.language import _, tr
from desktop.panels.legend import class_colour
from desktop.style.device import grain
from desktop.style.icons import pixmap
from desktop.style.tokens import look

FILTERED = 8
"""Choices from which a field to search them is shown."""
ROWS = 10
"""Choices in sight."""
OWN = _("as this picture does")


class ColourButton(QAbstractButton):
    """Three dots, what the points are coloured by in short, and an arrow. Hidden when there is no choice."""

    picked = Signal(str)
    """The name of a choice; "" is as each picture does it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choices: list[tuple[str, str]] = []
        self._current = ""
        self._short = False
        self.list: ChoiceList | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.clicked.connect(self.open)
        self.hide()

    def set_choices(self, choices: Sequence[tuple[str, str]]) -> None:
        self._choices = list(choices)
        self.setVisible(bool(self._choices))
        self.dress()

    def set_current(self, name: str) -> None:
        self._current = name
        self.dress()

    def set_short(self, short: bool) -> None:
        """Only the dots and the arrow, where the title needs the room."""
        if short != self._short:
            self._short = short
            self.dress()

    @property
    def current(self) -> str:
        """The name of what the points are coloured by; "" is as each picture does it."""
        return self._current

    def dress(self) -> None:
        """Words and sizes again."""
        said = self.text_shown()
        self.setToolTip(tr(_("What the points are coloured by")) + ("" if not self._current else f"\n{said}"))
        self.setAccessibleName(said)
        self.updateGeometry()
        self.update()

    def text_shown(self) -> str:
        """What stands on it, in the present language."""
        title = next((title for name, title in self._choices if name == self._current), None)
        if title is None or not self._current:
            return tr(_("Colours"))
        return tr(_("Colour: {name}", name=title))

    # ── look ──

    def _font_metrics(self) -> QFontMetricsF:
        return QFontMetricsF(look.font(0.92))

    def sizeHint(self) -> QSize:
        metrics = self._font_metrics()
        wide = look.icon_px(42)
        if not self._short:
            panel = self.parentWidget()
            most = 0.34 * panel.width() if panel is not None else 200.0
            wide += round(min(metrics.horizontalAdvance(self.text_shown()) + look.px(4), most))
        return QSize(wide, round(max(metrics.height() + 2, look.icon_px(20))))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            body = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
            if self.underMouse() or self.hasFocus():
                focused = QPen(look.colour("accent"), 1)
                painter.setPen(focused if self.hasFocus() else Qt.PenStyle.NoPen)
                painter.setBrush(look.colour("hover") if self.underMouse() else Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(body, look.px(6), look.px(6))
            middle, radius = body.center().y(), look.icon_px(28) / 10
            painter.setPen(Qt.PenStyle.NoPen)
            for label, (dx, dy) in enumerate(((0.0, -1.05), (-1.25, 1.0), (1.25, 1.0))):
                painter.setBrush(class_colour(label))
                painter.drawEllipse(
                    QPointF(look.icon_px(11) + dx * radius, middle + dy * radius), radius, radius
                )
            arrow = pixmap("down", "quiet", look.icon_px(12), grain(painter))
            at = QPointF(self.width() - look.icon_px(16), middle - look.icon_px(12) / 2)
            painter.drawPixmap(at, arrow)
            room = at.x() - look.icon_px(24)
            if not self._short and room > 0:
                painter.setFont(look.font(0.92))
                painter.setPen(look.colour("text" if self._current else "quiet"))
                short = self._font_metrics().elidedText(
                    self.text_shown(), Qt.TextElideMode.ElideRight, room + 1
                )
                left = QRectF(look.icon_px(22), 0, room + 2, self.height())
                painter.drawText(left, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, short)

    # ── list ──

    def open(self) -> None:
        """Show the choices under the button."""
        if not self._choices:
            return
        self.list = ChoiceList([("", OWN), *self._choices], self._current, self)
        self.list.picked.connect(self.picked)
        self.list.show_under(self)


class ChoiceList(QFrame):
    """The choices, and a field to search them where they are many. Closes on Esc and on a click elsewhere."""

    picked = Signal(str)

    def __init__(self, choices: Sequence[tuple[str, str]], current: str, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("panel")
        self.search = QLineEdit(self)
        self.search.setFont(look.font())
        self.search.setPlaceholderText(tr(_("Search")))
        self.search.setClearButtonEnabled(True)
        self.search.setVisible(len(choices) > FILTERED)
        self.search.textChanged.connect(self._filter)
        self.search.installEventFilter(self)
        self.items = QListWidget(self)
        self.items.setFont(look.font())
        self.items.setUniformItemSizes(True)
        self.items.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.items.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.items.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.items.setAccessibleName(tr(_("What the points are coloured by")))
        self._plain: list[str] = []
        for name, title in choices:
            said = tr(title)
            item = QListWidgetItem(said)
            item.setData(Qt.ItemDataRole.UserRole, name)
            item.setToolTip(said)
            self.items.addItem(item)
            self._plain.append(_plain(said))
            if name == current:
                self.items.setCurrentItem(item)
        self.items.itemClicked.connect(self._pick)
        self.items.installEventFilter(self)
        column = QVBoxLayout(self)
        margin = look.px(6)
        column.setContentsMargins(margin, margin, margin, margin)
        column.setSpacing(margin)
        column.addWidget(self.search)
        column.addWidget(self.items)
        self._fit()

    def _fit(self) -> None:
        metrics = QFontMetricsF(self.items.font())
        widest = max(metrics.horizontalAdvance(self.items.item(i).text()) for i in range(self.items.count()))
        high = max(self.items.sizeHintForRow(0), round(metrics.height()))
        self.items.setFixedHeight(high * min(self.items.count(), ROWS) + 2 * self.items.frameWidth() + 2)
        self.items.setFixedWidth(round(min(max(widest + look.px(40), look.px(170)), look.px(340))))

    def show_under(self, button: QWidget) -> None:
        """Below ``button``, its right edge under the button's, on the screen that shows it."""
        self.adjustSize()
        at = button.mapToGlobal(button.rect().bottomRight())
        x, y = at.x() - self.width() + 1, at.y() + 2
        screen = button.screen().availableGeometry()
        x = min(max(x, screen.left()), max(screen.right() - self.width(), screen.left()))
        if y + self.height() > screen.bottom():
            y = max(screen.top(), at.y() - button.height() - self.height())
        self.move(x, y)
        self.show()
        (self.search if self.search.isVisible() else self.items).setFocus()

    def _filter(self, text: str) -> None:
        words = _plain(text).split()
        first = None
        for i, plain in enumerate(self._plain):
            item = self.items.item(i)
            fits = all(word in plain for word in words)
            item.setHidden(not fits and i > 0)  # the way back is always there
            if fits and first is None and (i > 0 or not words):
                first = item
        if words and first is not None:
            self.items.setCurrentItem(first)
            self.items.scrollToItem(first)

    def _pick(self, item: QListWidgetItem | None) -> None:
        if item is not None and not item.isHidden():
            self.close()
            self.picked.emit(str(item.data(Qt.ItemDataRole.UserRole)))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Up and down walk the list while one types; Enter takes what is marked."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._pick(self.items.currentItem())
                return True
            if watched is self.search and event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
                self._walk(-1 if event.key() == Qt.Key.Key_Up else 1)
                return True
        return super().eventFilter(watched, event)

    def _walk(self, step: int) -> None:
        row = self.items.currentRow() + step
        while 0 <= row < self.items.count() and self.items.item(row).isHidden():
            row += step
        if 0 <= row < self.items.count():
            self.items.setCurrentRow(row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)


def _plain(text: str) -> str:
    """Without accents and capitals, to compare."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in parts if not unicodedata.combining(c))
