"""The experiments of a topic, each with its question, and the ready-made starts of the chosen one."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QKeyEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from desktop.language import _, say, tr
from desktop.style.device import grain
from desktop.style.icons import pixmap
from desktop.style.tokens import look
from engine.api import Info

WRAP = int(Qt.TextFlag.TextWordWrap)
ROOMY = 860
TIGHT = 600
FEW = 4
"""Up to so many experiments all show their questions; of more, only the chosen one."""
DEMO_FOLDER = Path(__file__).resolve().parent.parent.parent / "assets" / "demos"


class Card(QAbstractButton):
    """A title and a question that can be chosen. demo: a small framed card with a picture."""

    def __init__(
        self,
        key: str,
        title: str,
        question: str,
        picture: Path | None = None,
        parent: QWidget | None = None,
        *,
        demo: bool = False,
    ) -> None:
        super().__init__(parent)
        self.key = key
        self._demo = demo
        self._title = self._question = ""
        self._open = True
        self._more: bool | None = None
        self._badge: QPixmap | None = None
        self._picture = QPixmap(str(picture)) if picture is not None and picture.exists() else None
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setCheckable(not demo)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        for setter, text in ((self.set_title, title), (self.set_question, question)):
            say(setter, text)
        say(self.setAccessibleName, title)
        say(self.setAccessibleDescription, question)
        look.changed.connect(self._on_look)
        self._on_look()

    def set_title(self, title: str) -> None:
        self._title = title
        self._fit()
        self.update()

    def set_question(self, question: str) -> None:
        self._question = question
        self._fit()
        self._write_tip()
        self.update()

    def _write_tip(self) -> None:
        hint = "" if self._more is None else tr(_("Click to unfold or fold the experiments and demos"))
        self.setToolTip("\n".join(filter(None, (self._question, hint))))

    def set_more(self, unfolded: bool | None) -> None:
        """Show a chevron: a click unfolds the others, or folds them when ``unfolded``. None: no chevron."""
        if unfolded is not self._more:
            self._more = unfolded
            self._write_tip()
            self._fit()
            self.update()

    def set_open(self, on: bool) -> None:
        """Whether the question stands under the title, or only in the tool tip."""
        if on != self._open:
            self._open = on
            self._fit()
            self.update()

    def _on_look(self) -> None:
        if self._demo:
            self._badge = self._thumbnail(self.devicePixelRatioF())
        self._fit()
        self.update()

    def _fonts(self) -> tuple[QFont, QFont]:
        return look.font(0.96 if self._demo else 1.03, bold=True), look.font(0.93)

    def _places(self, width: int) -> tuple[QRectF, QRectF]:
        """Where title and question stand in a card of this width."""
        left = float(look.px(11))
        if self._badge is not None:
            left += self._badge.deviceIndependentSize().width() + look.px(8)
        room = max(width - left - look.px(8) - (0 if self._more is None else look.px(20)), 10.0)
        title_font, question_font = self._fonts()
        title = QFontMetricsF(title_font).boundingRect(QRectF(0, 0, room, 1e5), WRAP, self._title)
        question = QFontMetricsF(question_font).boundingRect(QRectF(0, 0, room, 1e5), WRAP, self._question)
        top = float(look.px(6))
        first = QRectF(left, top, room, title.height())
        if not self._open:
            return first, QRectF(first.bottomLeft(), first.bottomLeft())
        return first, QRectF(left, first.bottom() + look.px(1), room, question.height())

    def needed_height(self, width: int) -> int:
        text = self._places(width)[1].bottom()
        badge = 0.0 if self._badge is None else self._badge.deviceIndependentSize().height() + look.px(5)
        return round(max(text, badge) + look.px(6 if self._open else 5))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Be exactly as high as the words need at this width."""
        high = self.needed_height(self.width())
        if self.minimumHeight() != high or self.maximumHeight() != high:
            self.setFixedHeight(high)

    def sizeHint(self) -> QSize:
        return QSize(look.px(180), self.needed_height(max(self.width(), look.px(120))))

    def minimumSizeHint(self) -> QSize:
        return QSize(look.px(80), look.px(30))

    def _thumbnail(self, ratio: float) -> QPixmap:
        """The demo's picture as a small square with round corners, or a spark where there is none."""
        if self._picture is None:
            return pixmap("spark", "accent", look.px(15), ratio)
        side = look.px(27)
        scaled = self._picture.scaled(
            QSize(round(side * ratio), round(side * ratio)),
            Qt.AspectRatioMode.KeepAspectRatioByExpanding,
            Qt.TransformationMode.SmoothTransformation,
        )
        face = QPixmap(QSize(round(side * ratio), round(side * ratio)))
        face.fill(Qt.GlobalColor.transparent)
        with QPainter(face) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            clip = QPainterPath()
            clip.addRoundedRect(QRectF(face.rect()), 5 * ratio, 5 * ratio)
            painter.setClipPath(clip)
            painter.drawPixmap(
                (face.width() - scaled.width()) // 2, (face.height() - scaled.height()) // 2, scaled
            )
        face.setDevicePixelRatio(ratio)
        return face

    def paintEvent(self, event: QPaintEvent) -> None:
        c = look.colours
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            body, radius = QRectF(self.rect()).adjusted(1, 1, -1, -1), look.px(7)
            hot = self.underMouse() or self.isDown()
            painter.setPen(QPen(QColor(c.accent if hot else c.line), 1) if self._demo else Qt.PenStyle.NoPen)
            if self.isChecked():
                painter.setBrush(QColor(c.raised))
            elif hot:
                painter.setBrush(QColor(c.hover if self.isDown() else c.raised))
            else:
                painter.setBrush(QColor(c.surface) if self._demo else Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(body, radius, radius)
            if self.isChecked():
                clip = QPainterPath()
                clip.addRoundedRect(body, radius, radius)
                painter.setClipPath(clip)
                painter.fillRect(
                    QRectF(body.left(), body.top(), look.px(3.5), body.height()), QColor(c.accent)
                )
                painter.setClipping(False)
            if self._badge is not None:
                ratio = grain(painter)
                fine = self._badge if ratio == self.devicePixelRatioF() else self._thumbnail(ratio)
                painter.drawPixmap(QPointF(look.px(10), look.px(7)), fine)
            if self._more is not None:
                side = look.px(14)
                chevron = pixmap("down", "quiet", side, grain(painter))
                middle = self._places(self.width())[0].center().y()
                painter.save()
                painter.translate(self.width() - look.px(8) - side / 2, middle)
                painter.rotate(180 if self._more else 0)
                painter.drawPixmap(QPointF(-side / 2, -side / 2), chevron)
                painter.restore()
            for place, font, text, colour in zip(
                self._places(self.width()),
                self._fonts(),
                (self._title, self._question),
                (c.text, c.quiet),
                strict=True,
            ):
                if place.isEmpty():
                    continue
                painter.setFont(font)
                painter.setPen(QColor(colour))
                painter.drawText(place, WRAP, text)
            if self.hasFocus():
                painter.setPen(QPen(QColor(c.accent), look.px(1.5)))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(body, radius, radius)


class ExperimentList(QWidget):
    """A list to choose an experiment from; under the chosen one, its demos.

    ``current_demo``: the demo last chosen here (experiment, name), or None.
    """

    chosen = Signal(str)
    demo_chosen = Signal(str, str)
    changed = Signal()
    """It may need another height, or another card is the chosen one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._experiments: list[Info] = []
        self._current = ""
        self._unfolded = False
        self.current_demo: tuple[str, str] | None = None
        self._cards: list[Card] = []
        self._window: QWidget | None = None
        self._list = QVBoxLayout(self)
        self._list.setContentsMargins(0, 0, 0, 0)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        say(self.setAccessibleName, _("Experiments"))
        look.changed.connect(self._on_look)
        self._on_look()

    # ── from outside ────────────────────────────────────────────────────────────────────────────────────────

    def set_experiments(self, experiments: list[Info], current: str = "") -> None:
        """Show these. current: the id of the chosen one, or the first. No signal."""
        self._experiments = list(experiments)
        ids = [info.id for info in experiments]
        self._current = current if current in ids else (ids[0] if ids else "")
        self._fill()

    def set_current(self, id: str) -> None:
        """Mark ``id`` as chosen, without a signal; unknown ones are ignored."""
        if id != self._current and id in [info.id for info in self._experiments]:
            self._current = id
            self._fill()

    def set_current_demo(self, demo: tuple[str, str] | None) -> None:
        """Mark the demo (experiment, name) that was chosen elsewhere, without a signal."""
        self.current_demo = demo
        self._open_up()

    @property
    def current(self) -> str:
        return self._current

    def current_card(self) -> Card | None:
        """The card last chosen: a demo, or else the experiment."""
        keys = [self._current, "/".join(self.current_demo) if self.current_demo else ""]
        found = [card for card in self._cards if card.key in keys]
        return found[-1] if found else None

    def cards(self) -> list[Card]:
        """Experiments and demos, from top to bottom."""
        return list(self._cards)

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────

    def _fill(self) -> None:
        focused = next((card.key for card in self.cards() if card.hasFocus()), None)
        for old in self._cards:
            self._list.removeWidget(old)
            old.hide()
            old.deleteLater()
        self._cards = []
        for info in self._experiments:
            card = Card(info.id, info.title, info.question, parent=self)
            card.setChecked(info.id == self._current)
            card.clicked.connect(self._on_experiment)
            self._put(card)
            if info.id == self._current:
                for demo in info.demos:
                    picture = DEMO_FOLDER / f"{info.id}-{demo.name}.png"
                    key = f"{info.id}/{demo.name}"
                    small = Card(key, demo.title, demo.question, picture, self, demo=True)
                    small.clicked.connect(self._on_demo)
                    self._put(small)
        for card in self.cards():
            if card.key == focused:
                card.setFocus()
        self._open_up()

    def _put(self, card: Card) -> None:
        card.installEventFilter(self)
        self._cards.append(card)
        self._list.addWidget(card)

    def _on_experiment(self) -> None:
        card = self.sender()
        if isinstance(card, Card):
            if card.key == self._current:
                card.setChecked(True)
                self._unfolded = not self._unfolded
                self._open_up()
                return
            self._current = card.key
            self.current_demo = None
            self._fill()
            self.chosen.emit(self._current)

    def _on_demo(self) -> None:
        card = self.sender()
        if isinstance(card, Card):
            experiment, name = card.key.split("/", 1)
            self.current_demo = (experiment, name)
            self._unfolded = False  # where the list had to be unfolded for it, the knobs get their room back
            self._open_up()
            self.demo_chosen.emit(experiment, name)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._window and event.type() == QEvent.Type.Resize:
            self._open_up()
        if (
            isinstance(watched, Card)
            and isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.KeyPress
        ):
            return self._on_key(watched, event)
        return super().eventFilter(watched, event)

    def _on_key(self, card: Card, event: QKeyEvent) -> bool:
        """Up, down, Home and End walk; Enter chooses (Space belongs to play and pause)."""
        cards = [other for other in self.cards() if other is card or not other.isHidden()]
        at = cards.index(card)
        end = len(cards) - 1
        walks = {Qt.Key.Key_Up: at - 1, Qt.Key.Key_Down: at + 1, Qt.Key.Key_Home: 0, Qt.Key.Key_End: end}
        to = walks.get(Qt.Key(event.key()))
        if to is not None:
            cards[min(max(to, 0), end)].setFocus(Qt.FocusReason.OtherFocusReason)
            return True
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            card.click()
            return True
        return False

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._window is not self.window():
            self._window = self.window()
            self._window.installEventFilter(self)
        self._open_up()

    def _open_up(self) -> None:
        """Where the window is high, all demos show their questions; else only the one last chosen."""
        high = self.window().height()
        roomy, tight = high >= look.px(ROOMY), high < look.px(TIGHT)
        for card in self._cards:
            experiment, _slash, name = card.key.partition("/")
            mine = experiment == self._current if not name else self.current_demo == (experiment, name)
            few = not name and len(self._experiments) <= FEW
            card.set_open(roomy or (not tight and (mine or few)))
            # In a tight window only the chosen experiment and the demo that runs are in sight, until the
            # experiment is clicked.
            card.setVisible(not tight or mine or self._unfolded)
            card.set_more(self._unfolded if tight and mine and not name and len(self._cards) > 1 else None)
        self._list.activate()
        self.updateGeometry()
        self.changed.emit()

    def _on_look(self) -> None:
        self._list.setSpacing(look.px(4))
        self._open_up()
