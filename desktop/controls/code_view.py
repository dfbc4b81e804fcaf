"""A program to read: numbered lines, its words in colours, and some lines marked."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

from PySide6.QtCore import QRect, QRectF, QSize, Qt, QVariantAnimation
from PySide6.QtGui import (
    QColor,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
)
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit, QWidget

from desktop.controls.parts import named
from desktop.style.tokens import look

FLASH_MS = 1400
MARKED, FLASHED, FOUND = 0.12, 0.3, 0.4
"""How much of the colour there is behind a changed line, behind one that has just changed, behind a find."""
ABOVE = 3
"""Lines left above the one that is gone to."""
MOST_FOUND = 2000
QUOTES = {'"""': 1, "'''": 2}
PARTS = re.compile(
    r"""(?P<comment>\#.*)
    |(?P<string>[rbfuRBFU]{0,2}(?:\"\"\"|'''|"(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\])*'?))
    |(?P<decorator>(?<!\S)@[\w.]+)
    |(?P<number>\b(?:\d[\d_]*\.?[\d_]*(?:[eE][+-]?\d+)?)\b)
    |(?P<keyword>\b(?:KEYWORDS)\b)""".replace("KEYWORDS", "|".join(keyword.kwlist)),
    re.VERBOSE,
)


class Highlighter(QSyntaxHighlighter):
    """Colours keywords, texts, numbers, comments and decorators of Python, in the present theme."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self._formats: dict[str, QTextCharFormat] = {}
        self.dress()

    def dress(self) -> None:
        """Take the colours of the present look."""
        for name in ("keyword", "string", "number", "comment", "decorator"):
            self._formats[name] = QTextCharFormat()
            self._formats[name].setForeground(QColor(getattr(look.code, name)))
        self.rehighlight()

    def highlightBlock(self, text: str) -> None:
        """One line. Its state says in which kind of long text the next one begins, 0 in none."""
        at = self._rest_of_text(text, 0, max(self.previousBlockState(), 0))
        while match := PARTS.search(text, at):
            kind = match.lastgroup or ""
            at = match.end()
            quotes = match[0][-3:]
            if kind == "string" and quotes in QUOTES and match[0].lstrip("rbfuRBFU") == quotes:
                self.setFormat(match.start(), len(quotes), self._formats[kind])
                at = self._rest_of_text(text, match.end(), QUOTES[quotes], match.start())
            else:
                self.setFormat(match.start(), at - match.start(), self._formats[kind])

    def _rest_of_text(self, text: str, at: int, state: int, begin: int | None = None) -> int:
        """Colour a long text that goes on at ``at``. Returns where it ends."""
        self.setCurrentBlockState(0)
        if not state:
            return at
        quotes = next(q for q, s in QUOTES.items() if s == state)
        end = text.find(quotes, at)
        if end < 0:
            self.setCurrentBlockState(state)
        end = len(text) if end < 0 else end + len(quotes)
        begin = at if begin is None else begin
        self.setFormat(begin, end - begin, self._formats["string"])
        return end


class _Gutter(QWidget):
    """The numbers of the lines."""

    def __init__(self, view: CodeView) -> None:
        super().__init__(view)
        self.view = view

    def sizeHint(self) -> QSize:
        return QSize(self.view.gutter_width(), 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            self.view.paint_numbers(painter, event.rect())


class CodeView(QPlainTextEdit):
    """Read only. Lines are counted from 1."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named("code", self)
        self.setReadOnly(True)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._marks: frozenset[int] = frozenset()
        self._flashed: frozenset[int] = frozenset()
        self._glow = 0.0
        self._found: list[tuple[int, int]] = []
        self._gutter = _Gutter(self)
        self._highlighter = Highlighter(self.document())
        self._animation = QVariantAnimation(self, startValue=1.0, endValue=0.0, duration=FLASH_MS)
        self._animation.valueChanged.connect(self._on_glow)
        self.updateRequest.connect(self._on_update)
        look.changed.connect(self._on_look)
        self._on_look()

    # ── what is shown ───────────────────────────────────────────────────────────────────────────────────────

    def show_text(self, text: str) -> list[int]:
        """Show ``text``; where only a few lines are others, those alone are changed, and returned."""
        old, new = self.toPlainText().split("\n"), text.split("\n")
        others = [i for i, (before, now) in enumerate(zip(old, new, strict=False)) if before != now]
        if len(old) != len(new) or len(others) > len(new) // 4:
            self.setPlainText(text)
            return []
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        for i in others:
            block = self.document().findBlockByNumber(i)
            cursor.setPosition(block.position())
            cursor.setPosition(block.position() + block.length() - 1, QTextCursor.MoveMode.KeepAnchor)
            cursor.insertText(new[i])
        cursor.endEditBlock()
        return [i + 1 for i in others]

    def mark(self, lines: Iterable[int]) -> None:
        """These lines are marked, and no others."""
        self._marks = frozenset(lines)
        self._tint()
        self._gutter.update()

    @property
    def marks(self) -> frozenset[int]:
        return self._marks

    def flash(self, lines: Iterable[int]) -> None:
        """Draw the eye to these lines for a moment."""
        self._flashed = frozenset(lines)
        if self._flashed and not look.reduce_motion:
            self._animation.stop()
            self._on_glow(1.0)
            self._animation.start()

    @property
    def flashing(self) -> frozenset[int]:
        """Lines to which the eye is drawn just now."""
        return self._flashed if self._glow > 0 else frozenset()

    def go_to(self, line: int) -> None:
        """Scroll until ``line`` stands near the top."""
        self.verticalScrollBar().setValue(max(line - 1 - ABOVE, 0))
        self.horizontalScrollBar().setValue(0)

    @property
    def first_line(self) -> int:
        """The line at the top."""
        return self.firstVisibleBlock().blockNumber() + 1

    # ── finding ─────────────────────────────────────────────────────────────────────────────────────────────

    def find_all(self, words: str) -> int:
        """Mark every place where ``words`` stand, in small or capital letters. How many there are."""
        text, words = self.toPlainText().lower(), words.lower()
        self._found = []
        at = text.find(words) if words else -1
        while at >= 0 and len(self._found) < MOST_FOUND:
            self._found.append((at, at + len(words)))
            at = text.find(words, at + len(words))
        self._tint()
        return len(self._found)

    def next_found(self, by: int = 1) -> int:
        """Select the next find (−1: the one before; 0: the first from what is on screen on). Its number from
        1 on, 0 if there is none.
        """
        if not self._found:
            return 0
        here = self.textCursor()
        if by == 0:
            start = self.firstVisibleBlock().position()
            at = next((i for i, (begin, _end) in enumerate(self._found) if begin >= start), 0)
        elif by > 0:
            at = next((i for i, (begin, _end) in enumerate(self._found) if begin >= here.selectionEnd()), 0)
        else:
            ends = [i for i, (_begin, end) in enumerate(self._found) if end <= here.selectionStart()]
            at = ends[-1] if ends else len(self._found) - 1
        cursor = QTextCursor(self.document())
        cursor.setPosition(self._found[at][0])
        cursor.setPosition(self._found[at][1], QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)
        line = cursor.blockNumber() + 1
        shown = self.viewport().height() // max(self.fontMetrics().lineSpacing(), 1)
        if not self.first_line + 1 <= line <= self.first_line + shown - 2:
            self.go_to(line - shown // 3)
        return at + 1

    # ── painting ────────────────────────────────────────────────────────────────────────────────────────────

    def _tint(self) -> None:
        selections = [self._line(line, "accent", MARKED) for line in sorted(self._marks)]
        if self._glow > 0:
            selections += [self._line(line, "accent", FLASHED * self._glow) for line in sorted(self._flashed)]
        for begin, end in self._found:
            cursor = QTextCursor(self.document())
            cursor.setPosition(begin)
            cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
            selections.append(self._selection(cursor, "flag", FOUND))
        self.setExtraSelections(selections)

    def _line(self, line: int, colour: str, share: float) -> QTextEdit.ExtraSelection:
        cursor = QTextCursor(self.document().findBlockByNumber(line - 1))
        selection = self._selection(cursor, colour, share)
        selection.format.setProperty(QTextFormat.Property.FullWidthSelection, True)
        return selection

    def _selection(self, cursor: QTextCursor, colour: str, share: float) -> QTextEdit.ExtraSelection:
        tint = look.colour(colour)
        tint.setAlphaF(share)
        selection = QTextEdit.ExtraSelection()
        selection.cursor, selection.format = cursor, QTextCharFormat()
        selection.format.setBackground(tint)
        return selection

    def gutter_width(self) -> int:
        """As wide as the largest number needs."""
        digits = max(len(str(self.blockCount())), 3)
        return self.fontMetrics().horizontalAdvance("0") * digits + look.px(18)

    def paint_numbers(self, painter: QPainter, region: QRect) -> None:
        """The numbers of the lines in ``region`` of the gutter, and a bar beside those that are marked."""
        painter.fillRect(region, look.colour("surface"))
        painter.setFont(self.font())
        block = self.firstVisibleBlock()
        place = self.blockBoundingGeometry(block).translated(self.contentOffset())
        width, bar = self._gutter.width(), look.px(3)
        while block.isValid() and place.top() <= region.bottom():
            line = block.blockNumber() + 1
            painter.setPen(look.colour("accent" if line in self._marks else "quiet"))
            room = QRectF(0, place.top(), width - look.px(9), place.height())
            painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(line))
            if line in self._marks:
                painter.fillRect(QRectF(width - bar, place.top(), bar, place.height()), look.colour("accent"))
            block = block.next()
            place = self.blockBoundingGeometry(block).translated(self.contentOffset())

    def _on_glow(self, glow: float) -> None:
        self._glow = glow
        self._tint()

    def _on_update(self, region: QRect, dy: int) -> None:
        if dy:
            self._gutter.scroll(0, dy)
        else:
            self._gutter.update(0, region.y(), self._gutter.width(), region.height())

    def _on_look(self) -> None:
        self.setFont(look.code_font())
        self.setTabStopDistance(4 * self.fontMetrics().horizontalAdvance(" "))
        self._highlighter.dress()
        self._tint()
        self._place_gutter()

    def setPlainText(self, text: str) -> None:
        at = self.verticalScrollBar().value()
        super().setPlainText(text)
        self.verticalScrollBar().setValue(at)
        self._place_gutter()

    def _place_gutter(self) -> None:
        width = self.gutter_width()
        self.setViewportMargins(width, 0, 0, 0)
        room = self.contentsRect()
        self._gutter.setGeometry(room.left(), room.top(), width, self.viewport().height())
        self._gutter.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_gutter()
