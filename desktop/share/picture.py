"""Pictures to take home: a panel or the whole window, as fine as one likes, with a line below that says what
it is.

Everything is painted again for the picture, text, lines and points alike: nothing is scaled up.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from PySide6.QtCore import QBuffer, QEvent, QObject, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QImage, QPainter, QPen, QRegion
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QStackedWidget, QWidget

from desktop.controls.explain import Explain
from desktop.controls.parts import IconButton
from desktop.panels.bar_panel import BarPanel
from desktop.panels.colour_by import ColourButton
from desktop.panels.curve_panel import CurvePanel
from desktop.panels.loss_plot import LossPlot
from desktop.panels.panel import Panel
from desktop.panels.scatter import ScatterPanel
from desktop.style.sheet import style_sheet
from desktop.style.tokens import look

FALLBACKS = (
    "@supports (fill: red) { text { font-family: Inter, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif } }"
)
"""Only for programs that know style sheets well; others take a list of fonts for the name of one."""
TEXT = re.compile(r'(<text [^>]*?font-size="([\d.]+)" font-weight="(\d+)"[^>]*?)\s*>([^<]*)</text>')
EMPTY = re.compile(r'<path [^>]*\bd=""/>\n?')
"""What Qt makes of a blank; readers complain of it."""
SOFTWARE, DESCRIPTION = "Software", "Description"
"""What a PNG file calls them."""
INCH = 0.0254
POINTS_PER_INCH = 96
"""At this density a picture has the size on paper and on a slide that it has on the screen."""


def render(widget: QWidget, ratio: float = 2.0, caption: str = "", white: bool = False) -> QImage:
    """``widget`` as it is now, ``ratio`` times as fine as on the screen, with ``caption`` below it.

    white: on white, as for paper, also where the theme is dark (panels only).
    """
    with ExitStack() as stack:
        if white:
            stack.enter_context(_on_paper(widget))
        for lesson in widget.findChildren(Explain):
            stack.enter_context(lesson.drawn_at(ratio))
        size, foot = _sizes(widget, caption)
        image = QImage(size * ratio, QImage.Format.Format_ARGB32_Premultiplied)
        image.setDevicePixelRatio(ratio)
        image.fill(look.colour("surface" if isinstance(widget, Panel) else "window"))
        with QPainter(image) as painter:
            _paint(painter, widget, foot, caption)
    image.setDotsPerMeterX(round(POINTS_PER_INCH * ratio / INCH))
    image.setDotsPerMeterY(image.dotsPerMeterX())
    for key, value in {SOFTWARE: "Latentarium", DESCRIPTION: caption}.items():
        if value:
            image.setText(key, value)
    return image


def svg(panel: Panel, caption: str = "") -> bytes:
    """``panel`` as a drawing: what is made of strokes stays so, and text stays text."""
    size, foot = _sizes(panel, caption)
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    drawing = QSvgGenerator(QSvgGenerator.SvgVersion.Svg11)
    drawing.setOutputDevice(buffer)
    drawing.setResolution(panel.logicalDpiX())  # else letters, which count in points, would be too small
    drawing.setSize(size)
    drawing.setViewBox(QRect(QPoint(), size))
    drawing.setTitle("Latentarium")
    drawing.setDescription(caption)
    with QPainter(drawing) as painter:
        painter.fillRect(QRect(QPoint(), size), look.colour("surface"))
        _paint(painter, panel, foot, caption)
    return _held_together(bytes(buffer.data().data()).decode()).encode()


def is_drawing(panel: Panel) -> bool:
    """Whether its picture is made of strokes."""
    return isinstance(panel, (ScatterPanel, CurvePanel, BarPanel, LossPlot))


def _held_together(drawing: str) -> str:
    """Where somebody has no Inter: similar letters, in lines as long as they are here."""

    def measured(found: re.Match[str]) -> str:
        head, size, weight, words = found.groups()
        font = QFont("Inter", weight=QFont.Weight(int(weight)))
        font.setPixelSize(round(float(size)))
        length = QFontMetricsF(font).horizontalAdvance(html.unescape(words))
        return f'{head} textLength="{length:.2f}" lengthAdjust="spacingAndGlyphs">{words}</text>'

    drawing = TEXT.sub(measured, EMPTY.sub("", drawing))
    return drawing.replace("<defs>", f"<style>{FALLBACKS}</style>\n<defs>", 1)


def _sizes(widget: QWidget, caption: str) -> tuple[QSize, QRect]:
    """How large the picture is, and where in it the caption stands."""
    size, margin = widget.size(), look.px(10)
    if not caption:
        return size, QRect()
    room = QRect(margin, 0, max(size.width() - 2 * margin, 1), 100 * look.px(20))
    image = QImage(1, 1, QImage.Format.Format_ARGB32_Premultiplied)
    with QPainter(image) as painter:
        painter.setFont(look.font(0.92))
        words = painter.boundingRect(room, Qt.TextFlag.TextWordWrap, _breakable(caption))
    foot = QRect(margin, size.height() + look.px(2), room.width(), words.height())
    return QSize(size.width(), foot.bottom() + 1 + look.px(8)), foot


def _breakable(caption: str) -> str:
    """No line begins with a dot."""
    return caption.replace(" · ", "\N{NO-BREAK SPACE}· ")


def _paint(painter: QPainter, widget: QWidget, foot: QRect, caption: str) -> None:
    """The widget, and the caption in ``foot``."""
    with _bare(widget):
        if isinstance(widget, Panel) or widget.isWindow():
            widget.render(painter, QPoint(), QRegion())
        else:  # several pictures: what lies between them has the window's colour, not Qt's own
            widget.render(painter, QPoint(), QRegion(), QWidget.RenderFlag.DrawChildren)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if isinstance(widget, Panel) and not widget.property("highlight"):  # the frame belongs to the screen
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(look.colour("surface"), 2.5))
        frame = QRectF(widget.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(frame, look.px(8), look.px(8))
    if caption:
        painter.setFont(look.font(0.92))
        painter.setPen(look.colour("quiet"))
        caption = _breakable(caption)
        painter.drawText(foot, Qt.TextFlag.TextWordWrap, caption)


@contextmanager
def on_stage(panel: Panel) -> Iterator[bool]:
    """A panel that takes turns with others is the one that is seen, for a moment that nobody notices. False:
    it has no place in the window just now.
    """
    stack = panel.parentWidget()
    if panel.isVisible() or not isinstance(stack, QStackedWidget) or not stack.isVisible():
        yield panel.isVisible()
        return
    former = stack.currentIndex()
    try:
        stack.setCurrentWidget(panel)
        yield True
    finally:
        stack.setCurrentIndex(former)


class _Unseen(QObject):
    """Keeps what it filters from being painted."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        return event.type() == QEvent.Type.Paint


@contextmanager
def _bare(widget: QWidget) -> Iterator[None]:
    """Without the buttons in the heads of panels: there is nothing to press in a picture. In one of the whole
    window they stay.
    """
    unseen = _Unseen()
    buttons: list[QWidget] = []
    if not widget.isWindow():
        buttons += widget.findChildren(IconButton)
        buttons += [b for b in widget.findChildren(ColourButton) if not b.current]  # else it says something
    for button in buttons:
        button.installEventFilter(unseen)
    panels = [widget] if isinstance(widget, Panel) else widget.findChildren(Panel)
    moved = [each for panel in panels for each in _close_up(panel, buttons)]
    try:
        yield
    finally:
        for each, place in moved:
            each.setGeometry(place)
        for button in buttons:
            button.removeEventFilter(unseen)


def _close_up(panel: Panel, unseen: Sequence[QWidget]) -> list[tuple[QWidget, QRect]]:
    """Move what stands in a panel's head over to where ``unseen`` buttons are. What has been moved, and where
    it was: a new layout would also change the size of the picture.
    """
    row = [item.widget() for i in range(panel.head.count()) if (item := panel.head.itemAt(i)) is not None]
    moved, free = [], 0
    for each in reversed([one for one in row if one is not None and not one.isHidden()]):
        place = each.geometry()
        if each in unseen:
            free += place.width() + panel.head.spacing()
        elif free:
            moved.append((each, place))
            wider = each.objectName() == "panelTitle"
            each.setGeometry(place.adjusted(0, 0, free, 0) if wider else place.translated(free, 0))
            if wider:
                break
    return moved


@contextmanager
def _on_paper(widget: QWidget) -> Iterator[None]:
    """In the light theme for a moment, without a word to the rest of the window."""
    if not look.dark:
        yield
        return
    panels = [widget] if isinstance(widget, Panel) else widget.findChildren(Panel)
    theme, look.theme = look.theme, "light"
    try:
        for panel in panels:
            panel.setStyleSheet(style_sheet(look))
            panel.dress()
        yield
    finally:
        look.theme = theme
        for panel in panels:
            panel.setStyleSheet("")
            panel.dress()
