"""One sentence over the foot of the pictures: news, what is wrong and what to do, or an offer. Nothing moves
for it.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from desktop.controls.parts import IconButton
from desktop.language import _, language, say
from desktop.style.tokens import look

NEWS_MS = 4000
"""News go by themselves; a problem stays until it is closed or something else happens."""


class Notice(QFrame):
    """Hidden while there is nothing to say. Lies over ``parent``, near its lower edge."""

    cancelled = Signal()
    """The person closed the notice while something was in progress."""
    accepted = Signal()
    """The person takes what was offered."""
    declined = Signal()
    """The person closed an offer."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self._over = parent
        self._sentence = ""
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)  # it names files, which may be called anything
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._close = IconButton("close", _("Close (Esc)"), size=14, pad=6, colour="surface", flat=True)
        self._row = QHBoxLayout(self)
        self._row.addWidget(self._text, 1)
        self._bar = QProgressBar(textVisible=False)
        self._bar.hide()
        self._row.addWidget(self._bar)
        self._take = QPushButton()
        self._take.setObjectName("primary")
        self._take.clicked.connect(self._on_take)
        self._take.hide()
        self._row.addWidget(self._take)
        self._row.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        self._close.clicked.connect(self.put_away)
        self._timer = QTimer(self, singleShot=True, interval=NEWS_MS)
        self._timer.timeout.connect(self.clear)
        parent.installEventFilter(self)
        look.changed.connect(self._on_look)
        language.changed.connect(self._place)
        self._on_look()
        self.hide()

    @property
    def text(self) -> str:
        """What it says, "" when hidden."""
        return self._text.text() if not self.isHidden() else ""

    def show_problem(self, sentence: str) -> None:
        self._show(sentence, "problem")

    def show_news(self, sentence: str) -> None:
        self._show(sentence, "news")
        self._timer.start()

    def offer(self, sentence: str, action: str) -> None:
        """Something that can be had at a press; it stays until the person decides or something else is
        said.
        """
        self._show(sentence, "offer")
        say(self._take.setText, action)
        self._take.show()
        self._place()

    def _show(self, sentence: str, kind: str) -> None:
        self._timer.stop()
        self._sentence = sentence
        say(self._text.setText, sentence)
        self.setProperty("kind", kind)
        self._bar.hide()
        self._take.hide()
        self.style().unpolish(self)
        self.style().polish(self)
        self.show()
        self._place()
        self.raise_()

    def show_progress(self, share: float, sentence: str = "") -> None:
        """Something takes its time (unless told, reading the data); closing the notice gives it up."""
        sentence = sentence or _("Getting the data ready…")
        if self.property("kind") != "progress" or self.isHidden() or sentence != self._sentence:
            self._show(sentence, "progress")
        self._bar.show()
        self._bar.setValue(round(100 * share))
        self._place()

    def put_away(self) -> None:
        """The person has read it: what is in progress is given up, and an offer declined."""
        kind = self.property("kind")
        self.dismiss()
        if kind == "progress":
            self.cancelled.emit()
        elif kind == "offer":
            self.declined.emit()

    def _on_take(self) -> None:
        self.dismiss()
        self.accepted.emit()

    def clear_news(self) -> None:
        """What has just been announced is no longer what is seen; problems stay."""
        if self.property("kind") == "news":
            self.clear()

    def clear(self) -> None:
        """What was said is over; an offer stands until the person decides."""
        if self.property("kind") != "offer":
            self.dismiss()

    def settle(self) -> None:
        """Things have gone on: what was wrong or took its time is over; news stay as long as they do."""
        if self.property("kind") != "news":
            self.clear()

    def dismiss(self) -> None:
        """Say nothing."""
        self._timer.stop()
        self.hide()
        self.setProperty("kind", "")

    def _place(self) -> None:
        """As wide as the sentence wants and the parent allows, as high as it then needs."""
        parent = self._over
        margin = look.px(16)
        frame = self._row.contentsMargins()
        self._bar.setFixedSize(look.px(120), look.px(10))
        bar = 0 if self._bar.isHidden() else self._bar.width() + self._row.spacing()
        bar += 0 if self._take.isHidden() else self._take.sizeHint().width() + self._row.spacing()
        around = bar + frame.left() + frame.right() + self._close.width() + self._row.spacing() + look.px(4)
        wanted = self._text.fontMetrics().horizontalAdvance(self._text.text()) + around
        width = max(min(wanted, parent.width() - 2 * margin), look.px(60))
        text_height = self._text.heightForWidth(width - around + look.px(4))
        height = max(text_height, self._close.height()) + frame.top() + frame.bottom()
        self.setGeometry((parent.width() - width) // 2, parent.height() - height - margin, width, height)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and not self.isHidden():
            self._place()
        return super().eventFilter(watched, event)

    def _on_look(self) -> None:
        gap = look.px(8)
        self._row.setContentsMargins(look.px(14), gap, gap, gap)
        self._text.setFont(look.font())
        self._take.setFont(look.font(bold=True))
        self._place()
