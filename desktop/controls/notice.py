"""One sentence above the pictures: news, or what is wrong and what to do. It covers nothing and can be
closed.
"""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy

from desktop.controls.parts import IconButton
from desktop.language import _, say
from desktop.style.tokens import look


class Notice(QFrame):
    """Hidden while there is nothing to say."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("notice")
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.MinimumExpanding)
        self._close = IconButton("close", _("Close (Esc)"))
        self._row = QHBoxLayout(self)
        self._row.addWidget(self._text, 1)
        self._row.addWidget(self._close)
        self._close.clicked.connect(self.clear)
        look.changed.connect(self._on_look)
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

    def _show(self, sentence: str, kind: str) -> None:
        say(self._text.setText, sentence)
        self.setProperty("kind", kind)
        self.style().unpolish(self)
        self.style().polish(self)
        self.show()

    def clear(self) -> None:
        self.hide()

    def _on_look(self) -> None:
        gap = look.px(8)
        self._row.setContentsMargins(look.px(14), gap // 2, gap, gap // 2)
        self._text.setFont(look.font())
