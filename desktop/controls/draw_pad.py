"""A sheet to draw on, for whoever wants to show the model something of their own.

The sheet is 28 × 28 cells, as MNIST is, on ten times finer paper. There is one for the whole window: whatever
is learning is shown the same drawing. What becomes of it is the business of :mod:`desktop.guest`.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QIcon,
    QImage,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPointingDevice,
    QResizeEvent,
    QTabletEvent,
)
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop.controls.parts import ElidedLabel, Heading, IconButton, Switch, named
from desktop.history import Deed, History, UndoButtons
from desktop.language import _, language, number, say, tr
from desktop.style.tokens import look
from desktop.wording import weights_of
from engine.api import Item, Text

if TYPE_CHECKING:
    from desktop.ink import Ink

BRUSHES = (1.1, 1.6, 2.3)
"""Radii of the brush, in cells of 28; a line of the middle one is as thick as MNIST's."""
ERASER = 1.5
"""An eraser is so much wider than the brush."""
TELL_MS = 33
EXAMPLES = 10
"""As many as fit are offered."""
GROUND, INK = QColor(0, 0, 0), QColor(255, 255, 255)
"""0 is black and 1 white in every picture of data, whatever the theme."""


def image_of(picture: Ink) -> QImage:
    """A picture, (H, W) or (H, W, 3) in 0..1, in its own size."""
    import numpy as np

    pixels = np.ascontiguousarray((np.nan_to_num(picture).clip(0, 1) * 255 + 0.5).astype(np.uint8))
    high, wide = pixels.shape[:2]
    form = QImage.Format.Format_Grayscale8 if pixels.ndim == 2 else QImage.Format.Format_RGB888
    return QImage(pixels.data, wide, high, pixels.strides[0], form).copy()


# ── the sheet ───────────────────────────────────────────────────────────────────────────────────────────────


class Drawn(Deed):
    """A stroke, or another drawing instead."""

    kind = "drawing"

    def __init__(self, sheet: Sheet, before: Ink, after: Ink, words: Text) -> None:
        from desktop import ink

        super().__init__(words)
        self._sheet = sheet
        self._before, self._after = ink.packed(before), ink.packed(after)

    def take_back(self) -> None:
        self._sheet.show_ink(self._before)

    def do_again(self) -> None:
        self._sheet.show_ink(self._after)


class Sheet(QWidget):
    """The square itself: ink and a soft brush."""

    changed = Signal()
    """The ink is not what it was."""

    def __init__(self, parent: QWidget | None = None, *, history: History | None = None) -> None:
        from desktop import ink

        super().__init__(parent)
        self.history = History(self) if history is None else history
        self.history.settling.connect(self._end)
        self.radius = BRUSHES[1]
        self.erases = False
        self._ink = ink.paper()
        self._image: QImage | None = None
        self._before = self._ink  # the stroke that is being drawn
        self._last: tuple[QPointF, float] | None = None  # where the brush is, in cells, and its radius
        self._erasing = False
        self._mouse: QPointF | None = None
        self._refusal: Text | str = ""
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        say(self.setAccessibleName, _("Drawing"))
        language.changed.connect(self.update)
        look.changed.connect(self._on_look)
        self._on_look()

    def _on_look(self) -> None:
        self.setMinimumSize(look.icon_px(100), look.icon_px(100))
        self.update()

    @property
    def ink(self) -> Ink:
        """What is drawn, on fine paper; never changed once handed out between two strokes."""
        return self._ink

    @property
    def is_empty(self) -> bool:
        return not bool(self._ink.any())

    @property
    def drawing(self) -> bool:
        """Whether the brush is on the paper."""
        return self._last is not None

    def put(self, ink: Ink, words: Text) -> None:
        """Another drawing instead of this one; it can be undone. words: what this was."""
        self._end()
        before, self._ink = self._ink, ink
        self._push(before, words)
        self._spoil()

    def clear(self) -> None:
        from desktop import ink

        if not self.is_empty:
            self.put(ink.paper(), _("sheet emptied"))

    def show_ink(self, kept: bytes) -> None:
        """What was drawn before, or after that (undo and redo come here)."""
        from desktop import ink

        self._ink = ink.unpacked(kept)
        self._spoil()

    def _push(self, before: Ink, words: Text) -> None:
        if (before != self._ink).any():
            self.history.push(Drawn(self, before, self._ink, words))

    def refuse(self, sentence: Text | str) -> None:
        """Why nothing can be drawn just now; "" when it can. What is drawn stays."""
        if sentence != self._refusal:
            self._refusal = sentence
            if sentence:
                self._end()
            self.setCursor(Qt.CursorShape.ArrowCursor if sentence else Qt.CursorShape.CrossCursor)
            self.update()

    @property
    def refusal(self) -> str:
        return tr(self._refusal)

    def _spoil(self) -> None:
        self._image = None
        self.changed.emit()
        self.update()

    # ── the brush ──

    def square(self) -> QRectF:
        """Where the paper lies."""
        side = float(min(self.width(), self.height()))
        return QRectF((self.width() - side) / 2, 0.0, side, side)

    def _cell(self, at: QPointF) -> QPointF:
        from desktop.ink import SIDE

        square = self.square()
        return (at - square.topLeft()) * (SIDE / max(square.width(), 1.0))

    def _begin(self, at: QPointF, pressure: float, *, erase: bool) -> None:
        if self._refusal or self._last is not None:
            return
        self._before, self._ink = self._ink, self._ink.copy()
        self._erasing = erase or self.erases
        self._lead(at, pressure)

    def _lead(self, at: QPointF, pressure: float) -> None:
        """The brush goes straight on to ``at``."""
        from desktop import ink

        radius = self.radius * pressure * (ERASER if self._erasing else 1.0)
        place = self._cell(at)
        start, before = self._last or (place, radius)
        self._last = (place, radius)
        ink.stroke(self._ink, start.toTuple(), place.toTuple(), (before, radius), erase=self._erasing)
        self._spoil()

    def _end(self) -> None:
        if self._last is not None:
            self._last = None
            self._push(self._before, _("stroke of the eraser") if self._erasing else _("stroke of the pen"))
            self.changed.emit()
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._mouse = event.position()
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton):
            self._begin(event.position(), 1.0, erase=event.button() == Qt.MouseButton.RightButton)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._mouse = event.position()
        if self._last is not None:
            self._lead(event.position(), 1.0)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._end()

    def tabletEvent(self, event: QTabletEvent) -> None:
        """A pen presses, and may have an eraser at its other end."""
        self._mouse = event.position()
        pressure = 0.5 + event.pressure()
        if event.type() == QEvent.Type.TabletPress:
            erases = event.pointerType() == QPointingDevice.PointerType.Eraser
            self._begin(event.position(), pressure, erase=erases)
        elif event.type() == QEvent.Type.TabletMove and self._last is not None:
            self._lead(event.position(), pressure)
        elif event.type() == QEvent.Type.TabletRelease:
            self._end()
        event.accept()  # else Qt makes a mouse of it, and every stroke is drawn twice
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._mouse = None
        self.update()

    def hideEvent(self, event: QEvent) -> None:
        self._end()

    # ── painting ──

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            square = self.square().adjusted(1, 1, -1, -1)
            if square.width() < 4:
                return
            painter.fillRect(square, GROUND)
            if self._image is None:
                self._image = image_of(self._ink)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.setOpacity(0.25 if self._refusal else 1.0)
            painter.drawImage(square, self._image)
            painter.setOpacity(1.0)
            if self._refusal:
                self._say(painter, square, tr(self._refusal), 1.0)
            elif self.is_empty and self._last is None:
                self._say(painter, square, tr(_("Draw a digit here")), 0.62)
            self._paint_brush(painter, square)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(look.colour("accent" if self.hasFocus() else "line"), look.px(1.5)))
            painter.drawRect(square)

    def _say(self, painter: QPainter, square: QRectF, text: str, strength: float) -> None:
        painter.setFont(look.font(1.08))
        painter.setPen(QColor.fromRgbF(1, 1, 1, strength))
        inset = look.px(10)
        painter.drawText(
            square.adjusted(inset, inset, -inset, -inset),
            int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap),
            text,
        )

    def _paint_brush(self, painter: QPainter, square: QRectF) -> None:
        """How large the brush is, round the mouse."""
        from desktop.ink import SIDE

        if self._mouse is None or self._refusal or not square.contains(self._mouse):
            return
        erases = self._erasing if self._last is not None else self.erases
        radius = self.radius * (ERASER if erases else 1.0) * square.width() / SIDE
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width in ((QColor(0, 0, 0, 160), 3.0), (QColor(255, 255, 255, 220), 1.2)):
            painter.setPen(QPen(colour, width, Qt.PenStyle.DashLine if erases else Qt.PenStyle.SolidLine))
            painter.drawEllipse(self._mouse, radius, radius)


# ── what the model makes of it ──────────────────────────────────────────────────────────────────────────────


class _Tile(QWidget):
    """One small picture with a word below it."""

    def __init__(self, word: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._word = word
        self._image: QImage | None = None
        self._captioned = True
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        say(self.setAccessibleName, word)
        language.changed.connect(self.update)

    @property
    def image(self) -> QImage | None:
        """The picture shown, in its own size."""
        return self._image

    def show_image(self, image: QImage | None) -> None:
        self._image = image
        self.update()

    def set_side(self, side: int, *, captioned: bool, fixed: bool) -> None:
        """How large the picture is. fixed: the tile is no wider."""
        self._captioned = captioned
        self.setMinimumWidth(side if fixed else 0)
        self.setMaximumWidth(side if fixed else 16777215)
        self.setFixedHeight(side + self._caption())

    def _caption(self) -> int:
        return self.fontMetrics().height() if self._captioned else 0

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            caption = self._caption()
            side = float(min(self.width(), self.height() - caption)) - 1
            if side < 4:
                return
            box = QRectF((self.width() - side) / 2, 0.5, side, side)
            if self._image is None:
                painter.fillRect(box, look.colour("raised"))
            else:
                painter.fillRect(box, GROUND)
                high, wide = self._image.height(), self._image.width()
                scale = side / max(high, wide)
                target = QRectF(0, 0, wide * scale, high * scale)
                target.moveCenter(box.center())
                painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, scale < 1)
                painter.drawImage(target, self._image)
            painter.setPen(QPen(look.colour("line"), 1))
            painter.drawRect(box)
            if caption:
                painter.setPen(look.colour("quiet"))
                line = QRectF(0, box.bottom() + 1, self.width(), caption)
                text = painter.fontMetrics().elidedText(
                    tr(self._word), Qt.TextElideMode.ElideRight, self.width()
                )
                painter.drawText(line, Qt.AlignmentFlag.AlignCenter, text)


class DrawPad(QWidget):
    """Sheet, brushes, examples, and beside them what the model sees and how it answers."""

    drawn = Signal()
    """The drawing has changed; at most thirty times a second."""
    closed = Signal()
    """The person wants the pad out of the way."""
    more_examples = Signal()

    def __init__(self, parent: QWidget | None = None, *, history: History | None = None) -> None:
        super().__init__(parent)
        self.history = History(self) if history is None else history
        self.setObjectName("side")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.box = 20.0
        """The box, in cells of 28, into which the data fit their things."""
        self._items: Sequence[Item] = ()
        self._answer: tuple[Text | str, int | None, bool] = ("", None, False)
        self._pending = False
        self._timer = QTimer(self, singleShot=True, interval=TELL_MS)
        self._timer.timeout.connect(self._on_tick)
        self._column = QVBoxLayout(self)
        self._build_head()
        self.sheet = Sheet(history=self.history)
        self.sheet.changed.connect(self._on_changed)
        self._stage = QHBoxLayout()  # the sheet, and the tiles where there is no room below
        self._beside = QVBoxLayout()
        self._stage.addWidget(self.sheet, 1)
        self._stage.addLayout(self._beside)
        self._column.addLayout(self._stage, 1)
        self._build_tools()
        self._build_examples()
        self._build_centring()
        self._build_answer()
        look.changed.connect(self._on_look)
        language.changed.connect(self._write_answer)
        self._on_look()
        self._show_state()

    # ── building ────────────────────────────────────────────────────────────────────────────────────────────

    def _build_head(self) -> None:
        self._heading = Heading(_("Draw for the model"))
        self._close = IconButton("close", _("Put the drawing away (D)"), size=14, pad=4, flat=True)
        self._close.clicked.connect(self.closed)
        row = QHBoxLayout()
        row.addWidget(self._heading, 1)
        row.addWidget(self._close)
        self._column.addLayout(row)

    def _build_tools(self) -> None:
        self._tools = QHBoxLayout()
        self.brushes = QButtonGroup(self)
        for index, (icon, tip) in enumerate(
            (
                ("brush-small", _("Fine brush")),
                ("brush-medium", _("Brush as wide as MNIST’s")),
                ("brush-large", _("Broad brush")),
            )
        ):
            button = self._tool(icon, tip)
            button.setCheckable(True)
            self.brushes.addButton(button, index)
        self.brushes.button(1).setChecked(True)
        self.brushes.idClicked.connect(self._on_brush)
        self.eraser = self._tool("eraser", _("Rub out (or draw with the right button)"))
        self.eraser.setCheckable(True)
        self.eraser.toggled.connect(self._on_eraser)
        self._tools.addStretch(1)
        self.undo_button = self._tool("undo", _("Undo (Ctrl+Z)"))
        self.redo_button = self._tool("redo", _("Redo (Ctrl+Shift+Z)"))
        self._buttons = UndoButtons(self.history, self.undo_button, self.redo_button)
        self.clear_button = self._tool("clear", _("Empty sheet"))
        self.clear_button.clicked.connect(self.sheet.clear)
        self._column.addLayout(self._tools)

    def _tool(self, icon: str, tip: str) -> IconButton:
        button = IconButton(icon, tip, size=16, pad=5, flat=True)
        self._tools.addWidget(button)
        return button

    def _build_examples(self) -> None:
        self._examples = QWidget()
        row = QHBoxLayout(self._examples)
        row.setContentsMargins(0, 0, 0, 0)
        self._example_row = row
        self.examples: list[QToolButton] = []
        for index in range(EXAMPLES):
            button = named("flat", QToolButton())
            button.clicked.connect(functools.partial(self._on_example, index))
            row.addWidget(button)
            self.examples.append(button)
        row.addStretch(1)
        self.dice = IconButton("dice", _("Other examples from the data"), size=16, pad=5, flat=True)
        self.dice.clicked.connect(self.more_examples)
        row.addWidget(self.dice)
        self._column.addWidget(self._examples)

    def _build_centring(self) -> None:
        self._centring = QWidget()
        row = QHBoxLayout(self._centring)
        row.setContentsMargins(0, 0, 0, 0)
        self._centred_label = ElidedLabel(relative=0.95)
        say(self._centred_label.setText, _("Centre as the data are"))
        self.centred = Switch()
        self.centred.setChecked(True)
        for widget in (self.centred, self._centred_label):
            say(
                widget.setToolTip,
                _("Scaled and moved as the pictures of this data set have been; off: just as it is drawn."),
            )
        say(self.centred.setAccessibleName, _("Centre as the data are"))
        self.centred.toggled.connect(self._on_changed)
        row.addWidget(self._centred_label, 1)
        row.addWidget(self.centred)
        self._column.addWidget(self._centring)

    def _build_answer(self) -> None:
        self._words = ElidedLabel(relative=1.1, bold=True)
        self._when = named("quiet", QLabel())
        said = QVBoxLayout()
        said.setSpacing(0)
        said.addWidget(self._words)
        said.addWidget(self._when)
        self._column.addLayout(said)
        self._below = QHBoxLayout()
        self._are_beside = False
        self.seen, self.rebuilt, self.error = self._tiles = (
            _Tile(_("input")),
            _Tile(_("model")),
            _Tile(_("difference")),
        )
        for tile, tip in zip(
            self._tiles,
            (
                _("What the model is given: the drawing in the size of the data."),
                _("How the model rebuilds it, or the nearest that it knows."),
                _("Where the two differ: the brighter, the more."),
            ),
            strict=True,
        ):
            say(tile.setToolTip, tip)
            self._below.addWidget(tile)
        self._column.addLayout(self._below)
        self._column.addStretch(0)

    # ── from outside ────────────────────────────────────────────────────────────────────────────────────────

    def drawing(self) -> Ink:
        """(28, 28) in 0..1: centred as the data are, or raw."""
        from desktop import ink

        if self.centred.isChecked():
            return ink.centre_like_mnist(self.sheet.ink, self.box)
        return ink.resized(self.sheet.ink, ink.SIDE, ink.SIDE)

    @property
    def is_empty(self) -> bool:
        return self.sheet.is_empty

    def refuse(self, sentence: Text | str) -> None:
        """Why the model at hand cannot look at a drawing; "" when it can."""
        self.sheet.refuse(sentence)
        for widget in (self._examples, self._centring, *self.brushes.buttons(), self.eraser):
            widget.setEnabled(not sentence)
        self._show_state()

    def show_examples(self, items: Sequence[Item]) -> None:
        """Items of the data that can be taken instead of a drawing."""
        self._items = [item for item in items if item.picture is not None][:EXAMPLES]
        self._dress_examples()

    def show_input(self, picture: Ink | None) -> None:
        """What the model is given."""
        self.seen.show_image(None if picture is None else image_of(picture))

    def show_answer(
        self,
        words: Text | str,
        step: int | None = None,
        picture: Ink | None = None,
        difference: Ink | None = None,
        *,
        elsewhere: bool = False,
        recorded: bool = False,
    ) -> None:
        """What the model said, and at which step. elsewhere: the pictures beside show another step. recorded:
        an earlier step than the newest is looked at.
        """
        self._answer = (words, step, recorded)
        self._when.setObjectName("flagged" if elsewhere else "quiet")
        self._when.style().unpolish(self._when)
        self._when.style().polish(self._when)
        self._write_answer()
        self.rebuilt.show_image(None if picture is None else image_of(picture))
        self.error.show_image(None if difference is None else image_of(difference))

    def _write_answer(self) -> None:
        words, step, recorded = self._answer
        self._words.setText(tr(words))
        if step is None:
            self._when.setText("")
        else:
            self._when.setText(tr(weights_of(step) if recorded else _("step {step}", step=number(step))))

    # ── what the person does ────────────────────────────────────────────────────────────────────────────────

    def _on_brush(self, index: int) -> None:
        self.sheet.radius = BRUSHES[index]
        self.eraser.setChecked(False)

    def _on_eraser(self, on: bool) -> None:
        self.sheet.erases = on

    def _on_example(self, index: int) -> None:
        from desktop import ink

        if index < len(self._items):
            picture = self._items[index].picture
            if picture is not None:
                self.sheet.put(ink.spread(picture), _("example taken"))

    def _on_changed(self) -> None:
        self._show_state()
        if self._timer.isActive():
            self._pending = True
        else:
            self._tell()

    def _on_tick(self) -> None:
        if self._pending:
            self._tell()

    def _tell(self) -> None:
        self._pending = False
        self._timer.start()
        self.drawn.emit()

    def _show_state(self) -> None:
        self.clear_button.setEnabled(not self.sheet.refusal and not self.sheet.is_empty)

    def event(self, event: QEvent) -> bool:
        """Undo and redo are the pad's while it has the keyboard."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and _which(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        which = _which(event)
        if which == "undo":
            self.history.undo()
        elif which == "redo":
            self.history.redo()
        else:
            event.ignore()

    def hideEvent(self, event: QEvent) -> None:
        self._timer.stop()
        self._pending = False

    # ── appearance ──────────────────────────────────────────────────────────────────────────────────────────

    def _on_look(self) -> None:
        side, gap = look.px(10), look.px(6)
        self._column.setContentsMargins(side, look.px(8), side, look.px(8))
        self._column.setSpacing(gap)
        self._tools.setSpacing(look.px(2))
        self._example_row.setSpacing(look.px(2))
        for row in (self._stage, self._beside, self._below):
            row.setSpacing(gap)
        self._when.setFont(look.font(0.92, tabular=True))
        self._when.setMinimumHeight(self._when.fontMetrics().height())  # also while it says nothing
        for tile in self._tiles:
            tile.setFont(look.font(0.88))
        self._dress_examples()
        self._fit()

    def _dress_examples(self) -> None:
        side = look.icon_px(34)
        inner = side - look.px(4)
        for index, button in enumerate(self.examples):
            button.setFixedSize(side, side)
            button.setIconSize(QSize(inner, inner))
            item = self._items[index] if index < len(self._items) else None
            button.setEnabled(item is not None)
            if item is None or item.picture is None:
                button.setIcon(QIcon())
                continue
            ratio = self.devicePixelRatioF()
            picture = QPixmap.fromImage(image_of(item.picture)).scaled(
                QSize(round(inner * ratio), round(inner * ratio)), Qt.AspectRatioMode.KeepAspectRatio
            )
            picture.setDevicePixelRatio(ratio)
            button.setIcon(QIcon(picture))
            say(button.setToolTip, _("Take this example: {label}", label=item.label))
            say(button.setAccessibleName, _("Take this example: {label}", label=item.label))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """The sheet as large as can be: the tiles go below it or beside, and without room the extras go."""
        margins, gap = self._column.contentsMargins(), self._column.spacing()
        wide = max(self.width() - margins.left() - margins.right(), 1)
        high = max(self.height() - margins.top() - margins.bottom(), 1)
        said = self._words.sizeHint().height() + self._when.sizeHint().height()
        high -= self._close.height() + self.eraser.height() + said + 3 * gap
        tile = min((wide - 2 * gap) // 3, look.px(130))
        below, beside = min(wide, high - tile - gap), min(3 * wide // 4, high)
        self._move_tiles(beside > below)
        if beside > below:
            left = high
            tile, fair, captioned = max((beside - 2 * gap) // 3, 1), beside, False
        else:
            left = high - tile - gap
            fair = min(wide, look.px(215))
            captioned = left - self.seen.fontMetrics().height() >= fair
            left -= self.seen.fontMetrics().height() if captioned else 0
        for widget in (self._centring, self._examples):
            height = widget.sizeHint().height() + gap
            widget.setVisible(left - height >= fair)
            left -= height if left - height >= fair else 0
        self.sheet.setMaximumHeight(wide)
        for each in self._tiles:
            each.set_side(tile, captioned=captioned, fixed=self._are_beside)
        room = wide - self.dice.width() - gap
        for index, button in enumerate(self.examples):
            button.setVisible((index + 1) * (button.width() + self._example_row.spacing()) <= room)

    def _move_tiles(self, beside: bool) -> None:
        if beside != self._are_beside:
            self._are_beside = beside
            former, now = (self._below, self._beside) if beside else (self._beside, self._below)
            for each in self._tiles:
                former.removeWidget(each)
                now.addWidget(each, 0, Qt.AlignmentFlag.AlignTop)

    def sizeHint(self) -> QSize:
        return QSize(look.px(290), look.px(560))

    def minimumSizeHint(self) -> QSize:
        return QSize(look.icon_px(210), look.icon_px(260))


def _which(event: QKeyEvent) -> str:
    """Whether a key means "undo" or "redo"; "" for neither."""
    if event.matches(QKeySequence.StandardKey.Redo) or event.keyCombination().toCombined() == int(
        Qt.Modifier.CTRL.value | Qt.Key.Key_Y.value
    ):
        return "redo"
    return "undo" if event.matches(QKeySequence.StandardKey.Undo) else ""
