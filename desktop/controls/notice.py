"""One sentence over the foot of the pictures: news, or what is wrong and what to do. Nothing moves for it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QWidget

from desktop.controls.parts import IconButton
from desktop.language import _, language, say
from desktop.style.tokens import look

NEWS_MS = 4000
"""News go by themselves; a problem stays until it is closed or something else happens."""


class Notice(QFrame):
    """Hidden while there is nothing to say. Lies over ``parent``, near its lower edge."""

    cancelled = Signal()
    """The person closed the notice while something was in progress."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self._over = parent
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._close = IconButton("close", _("Close (Esc)"), size=14, pad=6, colour="surface", flat=True)
        self._row = QHBoxLayout(self)
        self._row.addWidget(self._text, 1)
        self._bar = QProgressBar(textVisible=False)
        self._bar.hide()
        self._row.addWidget(self._bar)
        self._row.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        self._close.clicked.connect(self._on_close)
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

    def _show(self, sentence: str, kind: str) -> None:
        self._timer.stop()
        say(self._text.setText, sentence)
        self.setProperty("kind", kind)
        self._bar.hide()
        self.style().unpolish(self)
        self.style().polish(self)
        self.show()
        self._place()
        self.raise_()

    def show_progress(self, share: float) -> None:
        """The data are being read; closing the notice gives it up."""
        if self.property("kind") != "progress" or self.isHidden():
            self._show(_("Getting the data ready…"), "progress")
        self._bar.show()
        self._bar.setValue(round(100 * share))
        self._place()

    def _on_close(self) -> None:
        if self.property("kind") == "progress":
            self.cancelled.emit()
        self.clear()

    def clear_news(self) -> None:
        """What has just been announced is no longer what is seen; problems stay."""
        if self.property("kind") == "news":
            self.clear()

    def clear(self) -> None:
        self._timer.stop()
        self.hide()

    def _place(self) -> None:
        """As wide as the sentence wants and the parent allows, as high as it then needs."""
        parent = self._over
        margin = look.px(16)
        frame = self._row.contentsMargins()
        self._bar.setFixedSize(look.px(120), look.px(10))
        bar = 0 if self._bar.isHidden() else self._bar.width() + self._row.spacing()
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
        self._place()
