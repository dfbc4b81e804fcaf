"""A sentence where a picture would stand."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from desktop.language import tr
from desktop.panels.panel import Panel
from desktop.selection import Selection
from desktop.style.tokens import look
from engine.api import Note


class NotePanel(Panel):
    """One or two sentences, centred."""

    def __init__(self, title: str, selection: Selection, parent: QWidget | None = None) -> None:
        self._note: Note | None = None
        super().__init__(title, parent)
        self._words = QLabel()
        self._words.setWordWrap(True)
        self._words.setTextFormat(Qt.TextFormat.PlainText)
        self._words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._words.setMinimumSize(1, 1)
        self.set_body(self._words)

    def show_payload(self, payload: Note) -> None:
        self._note = payload
        self.restyle()

    def restyle(self) -> None:
        self._words.setFont(look.font(1.25))
        self._words.setMargin(look.px(12))
        self._words.setStyleSheet(f"color: {look.colours.quiet}")
        self._words.setText("" if self._note is None else tr(self._note.text))

    def clear(self) -> None:
        self._note = None
        self._words.setText("")
