r"""“What you see”: a lesson in Markdown with real mathematics.

``$…$`` and ``$$…$$`` are drawn by ziamath. ``\textcolor{c0}{…}`` (or ``\color{c0}{…}``) gives a term the
colour of a curve (``c0``, ``c1``, …), of a class (``k0``, ``k1``, …), of the theme (``accent``), or one named
by the caller of ``show_lesson``. Links that begin with ``latentarium:`` are emitted; no other link is ever
opened.

Nothing heavy is loaded before the first lesson has been painted: the formulas are then made one at a time
between two turns of the event loop, and kept.
"""

from __future__ import annotations

import functools
import html
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QByteArray, QPointF, QRectF, QSize, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QImage,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
)
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QTextBrowser, QVBoxLayout, QWidget

from desktop.controls.parts import Heading, IconButton
from desktop.language import _, language
from desktop.style.tokens import look

FIRST_PAINT_MS = 20
SCHEME = "latentarium"


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula drawn once. depth: how far it reaches below the baseline, in the unit of width and height."""

    svg: bytes
    width: float
    height: float
    depth: float


@functools.lru_cache(maxsize=512)
def draw_formula(latex: str, size: float, colour: str, inline: bool) -> Formula | None:
    """``latex`` as a picture in letters of ``size`` pixels; None if it is not to be understood."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", DeprecationWarning
            )  # ziamath 0.13 still says importlib.resources.path
            import ziamath
        ziamath.config.svg2 = False
        made = ziamath.Latex(latex, size=size, color=colour, inline=inline, margin=1.0)
        root = made.svgxml()
        _left, top, width, height = (float(part) for part in root.attrib["viewBox"].split())
        return Formula(made.svg().encode(), width, height, height + top)
    except Exception:  # any mistake in a lecturer's LaTeX shows its source instead
        return None


@functools.cache
def _markdown() -> Any:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    return MarkdownIt("commonmark", {"html": False}).use(dollarmath_plugin, double_inline=True)


def coloured(latex: str, colours: Mapping[str, str]) -> str:
    r"""Put real colours for the names in ``\color{name}{…}`` and ``\textcolor{name}{…}``."""

    def put(match: re.Match[str]) -> str:
        name = match.group(1).strip()
        return rf"\textcolor{{{colours.get(name, name)}}}{{"

    return re.sub(r"\\(?:text)?color\{([^{}]*)\}\s*\{", put, latex)


def _palette(extra: Mapping[str, str]) -> dict[str, str]:
    named = {f"c{i}": colour for i, colour in enumerate(look.curves)}
    named |= {f"k{i}": colour for i, colour in enumerate(look.classes)}
    named |= {"accent": look.colours.accent, "quiet": look.colours.quiet, "text": look.colours.text}
    return named | {name: named.get(colour, colour) for name, colour in extra.items()}


class _Page(QTextBrowser):
    """The text itself; loads nothing by itself and opens nothing."""

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        return None


class Explain(QWidget):
    """A foldable pane with the lesson of the experiment."""

    link = Signal(str)
    fold_changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("side")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._markdown = ""
        self._colours: Mapping[str, str] = {}
        self._is_folded = False
        self._tokens: Sequence[Any] = ()
        self._todo: list[tuple[str, float, str, bool]] = []
        self._made: list[tuple[str, float, str, bool]] = []
        self._stale = False
        self._fine: float | None = None  # pixels to one of the widget's, if not as on the screen
        self._width = 0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._work)

        self._heading = Heading(_("What you see"))
        self.fold_button = IconButton("fold", _("Fold this pane"), size=14, pad=4, colour="quiet", flat=True)
        self.fold_button.clicked.connect(self._on_fold)
        self.code_button = IconButton(
            "code", _("Show me the code (Ctrl+U)"), size=14, pad=4, colour="quiet", flat=True
        )
        self.page = _Page(self)
        self.page.setOpenLinks(False)
        self.page.setFrameShape(QFrame.Shape.NoFrame)
        self.page.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.page.anchorClicked.connect(self._on_link)
        self.page.document().setDocumentMargin(0)
        self._head = QHBoxLayout()
        self._head.addWidget(self._heading, 1)
        self._head.addWidget(self.code_button)
        self._head.addWidget(self.fold_button)
        self._column = QVBoxLayout(self)
        self._column.addLayout(self._head)
        self._column.addWidget(self.page, 1)
        self._column.addStretch(0)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        look.changed.connect(self._on_look)
        language.changed.connect(self._on_look)
        self._on_look()

    # ── from outside ────────────────────────────────────────────────────────────────────────────────────────

    def show_lesson(self, markdown: str, colours: Mapping[str, str] | None = None) -> None:
        """Show this lesson. colours: names used in its formulas, each a colour or the name of one ("c1")."""
        if colours is None:
            colours = {}
        if (markdown, dict(colours)) != (self._markdown, dict(self._colours)):
            self._markdown, self._colours = markdown, dict(colours)
            self._tokens = ()
            self.page.verticalScrollBar().setValue(0)
            self._spoil()

    @property
    def is_ready(self) -> bool:
        """Whether what is shown is complete."""
        return not self._stale

    @property
    def folded(self) -> bool:
        return self._is_folded

    def set_folded(self, folded: bool) -> None:
        """Leave only a narrow strip with a button, or open again; ``fold_changed`` tells the window."""
        if folded == self._is_folded:
            return
        self._is_folded = folded
        self.page.setVisible(not folded)
        self._heading.setVisible(not folded)
        self.code_button.setVisible(not folded)
        self.fold_button.set_icon(
            "unfold" if folded else "fold", _("What you see") if folded else _("Fold this pane"), "quiet"
        )
        self._column.setStretch(2, 1 if folded else 0)
        self._sizes()
        self.fold_changed.emit(folded)

    @contextmanager
    def drawn_at(self, ratio: float) -> Iterator[None]:
        """For a moment with formulas as fine as this."""
        if self._stale or self._is_folded or ratio == self.devicePixelRatioF():
            yield
            return
        self._fine = ratio
        try:
            self._compose()
            yield
        finally:
            self._fine = None
            self._compose()

    def finish(self) -> None:
        """Make everything now (screenshots and tests cannot wait)."""
        while self._stale:
            self._work()

    # ── making it ───────────────────────────────────────────────────────────────────────────────────────────

    def _spoil(self) -> None:
        """What is shown is out of date; made again after the next paint."""
        self._stale = True
        self._todo = []
        self._timer.stop()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._stale and not self._is_folded and not self._timer.isActive():
            self._timer.start(FIRST_PAINT_MS)

    def _em(self) -> float:
        return look.points * self.logicalDpiY() / 72

    def _request(self, token: Any) -> tuple[str, float, str, bool]:
        inline = token.type == "math_inline"
        latex = coloured(token.content.strip(), _palette(self._colours))
        return latex, self._em() * (1.12 if inline else 1.25), look.colours.text, inline

    def _work(self) -> None:
        """One small piece of work, then back to the event loop."""
        if not self._stale:
            return
        if not self._tokens and self._markdown:
            self._tokens = _markdown().parse(self._markdown)
            self._todo = []
        elif self._todo:
            draw_formula(*self._todo.pop(0))
            if self._todo:
                self._timer.start(0)
                return
        if not self._todo:
            wanted = [self._request(token) for token in self._maths()]
            if self._made != wanted:
                self._made = wanted
                self._todo = list(dict.fromkeys(wanted))
                if self._todo:
                    self._timer.start(0)
                    return
        self._compose()

    def _maths(self) -> list[Any]:
        found = []
        for token in self._tokens:
            if token.type.startswith("math_"):
                found.append(token)
            found += [child for child in token.children or () if child.type.startswith("math_")]
        return found

    def _compose(self) -> None:
        """Text and pictures into the page."""
        self._stale = False
        self._width = self._room()
        renderer = _markdown().renderer
        pictures: dict[str, tuple[QImage, int, bool]] = {}

        def rule(tokens: Sequence[Any], index: int, options: Any, env: Any) -> str:
            token = tokens[index]
            request = self._request(token)
            formula = draw_formula(*request)
            if formula is None:
                return f"<code>{html.escape(token.content)}</code>"
            name = f"formula:{len(pictures)}"
            display = not request[3]
            pictures[name] = (*(self._box(formula) if display else self._inline(formula)), display)
            tag = f'<img src="{name}" alt="{html.escape(token.content, quote=True)}">'
            after = tokens[index + 1].content[:1] if index + 1 < len(tokens) else ""
            if after and after in ",.;:!?)\u2019\u00a0":
                tag += "&#8288;"  # a full stop never begins a line
            return f'<p class="formula">{tag}</p>' if token.type == "math_block" else tag

        rules = {
            name: renderer.rules.get(name) for name in ("math_inline", "math_inline_double", "math_block")
        }
        renderer.rules.update(dict.fromkeys(rules, rule))
        renderer.rules["heading_open"] = lambda *_: '<p class="head">'
        renderer.rules["heading_close"] = lambda *_: "</p>"
        try:
            markdown = _markdown()
            body = markdown.renderer.render(self._tokens, markdown.options, {})
        finally:
            renderer.rules.update({name: old for name, old in rules.items() if old is not None})
        bar = self.page.verticalScrollBar()
        at = bar.value()
        document = self.page.document()
        document.clear()
        document.setDefaultStyleSheet(self._style())
        document.setIndentWidth(look.px(20))
        for name, (image, _descent, _display) in pictures.items():
            document.addResource(int(QTextDocument.ResourceType.ImageResource.value), QUrl(name), image)
        document.setHtml(f"<body>{body}</body>")
        self._align(document, pictures)
        bar.setValue(at)

    def _style(self) -> str:
        c, px = look.colours, look.px
        return f"""
            p {{ margin-top: 0px; margin-bottom: {px(8)}px; }}
            li {{ margin-bottom: {px(4)}px; }}
            ul, ol {{ margin-top: 0px; margin-bottom: {px(8)}px; }}
            .head {{ font-weight: 600; color: {c.quiet}; margin-top: {px(8)}px; margin-bottom: {px(4)}px; }}
            a {{ color: {c.accent}; text-decoration: none; font-weight: 600; }}
            strong {{ font-weight: 600; }}
            em {{ font-style: normal; color: {c.quiet}; }}
            code {{ font-family: monospace; color: {c.problem}; }}
            .formula {{ margin-top: {px(2)}px; margin-bottom: {px(8)}px; }}
        """

    def _align(self, document: QTextDocument, pictures: Mapping[str, tuple[QImage, int, bool]]) -> None:
        """Inline formulas stand on the baseline: an image hangs by its font's descent, so each gets a font.

        Lines of text all get one height, which formulas with an index fit into.
        """
        cursor = QTextCursor(document)
        line = round(QFontMetrics(look.font()).height() * 1.28)
        kinds = QTextBlockFormat.LineHeightTypes
        raw = document.toRawText()
        block = document.begin()
        while block.isValid():
            start = block.position()
            letters = raw[start : start + block.length() - 1]
            images = [
                self._settle(cursor, start + i, pictures) for i, c in enumerate(letters) if c == "\ufffc"
            ]
            if None not in images:  # a formula of its own keeps its height
                low = all(high is not None and high <= line * 1.6 for high in images)
                cursor.setPosition(start)
                shape = cursor.blockFormat()
                shape.setLineHeight(line, (kinds.FixedHeight if low else kinds.MinimumHeight).value)
                cursor.setBlockFormat(shape)
            block = block.next()

    def _settle(
        self, cursor: QTextCursor, position: int, pictures: Mapping[str, tuple[QImage, int, bool]]
    ) -> float | None:
        """Put the formula at ``position`` on the baseline; its height, None if it has a line of its own."""
        cursor.setPosition(position)
        cursor.setPosition(position + 1, QTextCursor.MoveMode.KeepAnchor)
        shape = cursor.charFormat().toImageFormat()
        image, descent, display = pictures.get(shape.name(), (QImage(), 0, True))
        if display:
            return None
        font = look.font()
        while QFontMetrics(font).descent() < descent and font.pointSizeF() < 6 * look.points:
            font.setPointSizeF(font.pointSizeF() + 0.5)
        shape.setFont(font)
        shape.setVerticalAlignment(QTextCharFormat.VerticalAlignment.AlignBaseline)
        cursor.setCharFormat(shape)
        return image.deviceIndependentSize().height()

    def _inline(self, formula: Formula) -> tuple[QImage, int]:
        """A formula inside a line, made deep enough for the baseline rule."""
        descent = QFontMetrics(look.font()).descent()
        while descent < formula.depth:
            descent += 1
        high = formula.height + descent - formula.depth
        image = self._blank(min(formula.width, self._room()), high)
        self._draw(image, formula, QRectF(0, 0, min(formula.width, self._room()), formula.height))
        return image, descent

    def _box(self, formula: Formula) -> tuple[QImage, int]:
        """A formula on its own, centred in a tinted box as wide as the pane."""
        wide, pad = self._room(), look.px(10)
        shrink = min(1.0, (wide - 2 * pad) / formula.width)
        high = formula.height * shrink + 2 * pad
        image = self._blank(wide, high)
        with QPainter(image) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(look.colours.raised))
            painter.drawRoundedRect(QRectF(0, 0, wide, high), look.px(7), look.px(7))
        size = QPointF(formula.width * shrink, formula.height * shrink)
        self._draw(image, formula, QRectF((wide - size.x()) / 2, pad, size.x(), size.y()))
        return image, 0

    def _blank(self, width: float, height: float) -> QImage:
        ratio = self._fine or self.devicePixelRatioF()
        size = QSize(max(1, round(width * ratio)), max(1, round(height * ratio)))
        image = QImage(size, QImage.Format.Format_ARGB32_Premultiplied)
        image.setDevicePixelRatio(ratio)
        image.fill(Qt.GlobalColor.transparent)
        return image

    @staticmethod
    def _draw(image: QImage, formula: Formula, place: QRectF) -> None:
        with QPainter(image) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            QSvgRenderer(QByteArray(formula.svg)).render(painter, place)

    def _room(self) -> int:
        return max(self.page.width() - self.page.verticalScrollBar().sizeHint().width() - 2, look.px(80))

    # ── events ──────────────────────────────────────────────────────────────────────────────────────────────

    def _on_link(self, url: QUrl) -> None:
        if url.scheme() == SCHEME:
            self.link.emit(url.toString())

    def _on_fold(self) -> None:
        self.set_folded(not self._is_folded)

    def _on_look(self) -> None:
        self.page.setFont(look.font())
        self.page.document().setDefaultFont(look.font())
        self._sizes()
        self._spoil()

    def _sizes(self) -> None:
        side = 2 if self._is_folded else look.px(12)
        strip = self._strip()
        self._column.setContentsMargins(side, look.px(8), side, look.px(8))
        self._column.setSpacing(look.px(6))
        self.setMaximumWidth(strip if self._is_folded else 16777215)
        self.setMinimumWidth(strip if self._is_folded else look.px(150))
        self.updateGeometry()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._width and self._room() != self._width:
            self._spoil()

    def sizeHint(self) -> QSize:
        return QSize(self._strip() if self._is_folded else look.px(232), look.px(300))

    def _strip(self) -> int:
        """How wide it is when folded: its button, no more."""
        return self.fold_button.minimumWidth() + 4


__all__ = ["Explain", "Formula", "coloured", "draw_formula"]
