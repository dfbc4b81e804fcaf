"""The frame around every picture: title, step number, body.

A panel is given payloads and draws them; it never knows whether they are live or recorded. It asks the
outside world by signals only:

- ``ask(name, args)``: a query to the engine (the answer comes to ``answered``),
- ``act(name, args)``: an action of the experiment, such as moving a centre.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QEvent, QPoint, QSize, Signal
from PySide6.QtGui import QContextMenuEvent, QEnterEvent, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop.controls.parts import ElidedLabel, IconButton, named
from desktop.language import _, language, number, say, tr
from desktop.style.tokens import look
from engine.api import Text

TAKE_HOME = _("Take home: picture, drawing, data, film")


LEAST_TITLE = 48
"""In pixels at 100 %: less of a title says nothing."""


class _Yielding(QLabel):
    """A label that takes what room there is, and never makes its panel wider."""

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())


class _QuietButton(IconButton):
    """Seen while the mouse is over its parent or the keyboard on it; its place is always kept."""

    def paintEvent(self, event: QPaintEvent) -> None:
        panel = self.parentWidget()
        if self.hasFocus() or self.isDown() or (panel is not None and panel.underMouse()):
            super().paintEvent(event)


class Panel(QFrame):
    """Base of all panels. Subclasses call ``set_body`` once and implement ``show_payload``, ``restyle``,
    ``clear``.
    """

    body: QWidget
    ask = Signal(str, tuple)
    act = Signal(str, tuple)
    shared = Signal(QPoint)
    """The person wants to take the picture home; where on the screen the choice how belongs."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self._title = named("panelTitle", ElidedLabel(bold=True))
        say(self._title.setText, title)
        self._name = title
        self._side_words: Text | str = ""
        self._side = named("panelSide", ElidedLabel(relative=0.96, bold=True))
        self._side.hide()
        for label in (self._title, self._side):
            label.setMinimumWidth(1)  # a picture may be narrower than what it is called
        self._aside = named("panelAside", _Yielding())
        self._step: int | None = None
        self._payload: Any | None = None
        self._extra = ""
        self._ghost_step: int | None = None
        self.ghost_name: Text | str = ""
        self._head = QHBoxLayout()
        self._head.addWidget(self._side)
        self._head.addWidget(self._title, 1)
        self._head.addWidget(self._aside)
        self.share = _QuietButton("take", TAKE_HOME, self, size=13, pad=2, flat=True)
        self.share.clicked.connect(self._on_share)
        self._column = QVBoxLayout(self)
        self._column.addLayout(self._head)
        look.changed.connect(self._on_look)
        language.changed.connect(self._on_language)

    @property
    def step(self) -> int | None:
        """The step whose picture is shown, or None."""
        return self._step

    @property
    def payload(self) -> Any | None:
        """What is shown, or None."""
        return self._payload

    @property
    def title(self) -> str:
        """What it is called, in the present language."""
        return tr(self._name)

    @property
    def head(self) -> QHBoxLayout:
        """The title's row; a panel may add small controls at its end."""
        return self._head

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._write_aside()
        self._fit_side()
        self.fit_share(anew=True)

    def _fit_side(self) -> None:
        """What tells two runs apart goes before what the picture is called."""
        left = self.width() - self._taken(without=self.share)
        self._title.setVisible(not self._side_words or left >= look.px(LEAST_TITLE))

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self.share.update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.share.update()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """A right click wherever it means nothing else."""
        self.shared.emit(event.globalPos())

    def _on_share(self) -> None:
        self.shared.emit(self.share.mapToGlobal(self.share.rect().bottomLeft()))

    def fit_share(self, *, anew: bool = False) -> None:
        """Its button gives way to all words. Once gone it stays so until there may be room ``anew``: words
        that change with every step shall not make it come and go.
        """
        needed = self._title.sizeHint().width() + self._taken(without=self.share)
        fits = needed + self.share.width() + self._head.spacing() <= self.width()
        if not fits or anew:
            self.share.setVisible(fits)

    def set_body(self, body: QWidget) -> None:
        """The picture itself, below the title."""
        self.body = body
        self._head.addWidget(self.share)
        self._column.addWidget(body, 1)
        self._on_look()

    def dress(self) -> None:
        """Set the fonts and sizes of the present look again."""
        self._title.dress()
        self._side.dress()
        self._on_look()

    def set_side(self, words: Text | str) -> None:
        """Which of two runs side by side this is a picture of, such as “A · k = 3”; "" when there is one."""
        self._side_words = words
        self._side.setText(tr(words))
        self._side.setVisible(bool(words))
        self._fit_side()
        self.fit_share(anew=True)

    def hide_step(self) -> None:
        """For a picture that belongs to no step."""
        self._step = None
        self._write_aside()

    def set_aside(self, extra: str) -> None:
        """A few words beside the step number, such as "showing 5,000 of 60,000"."""
        self._extra = extra
        self._write_aside()

    def _write_aside(self) -> None:
        step = "" if self._step is None else tr(_("step {step}", step=number(self._step)))
        parts = [part for part in (tr(self._extra), step) if part]
        self._aside.setText(" · ".join(parts))
        # The title comes first: where there is no room for all, only the step stays; and in projector mode,
        # where the bar below shows it large, not even that.
        shorter = [[step]] if len(parts) == 2 else []
        for words in (*shorter, *([[]] if look.projector else [])):
            if self._title.sizeHint().width() + self._taken(without=self.share) <= self.width():
                break
            self._aside.setText(" · ".join(words))
        self.fit_share()

    def _taken(self, *, without: QWidget) -> int:
        """What the head takes besides the title and one other."""
        margins = self._column.contentsMargins()
        items = [self._head.itemAt(i) for i in range(self._head.count())]
        widgets = [item.widget() for item in items if item is not None]
        shown = [w for w in widgets if w is not None and w not in (self._title, without) and not w.isHidden()]
        gaps = self._head.spacing() * len(shown)
        return margins.left() + margins.right() + gaps + sum(w.sizeHint().width() for w in shown)

    def present(self, payload: Any, step: int) -> None:
        """Draw ``payload``, the picture of ``step``."""
        self._step, self._payload = step, payload
        self._write_aside()
        self.show_payload(payload)

    def set_ghost(self, payload: Any | None, step: int | None = None) -> None:
        """What another run shows, at ``step``, lies behind this picture from now on; None: nothing does."""
        self._ghost_step = step
        self.show_ghost(payload)

    def name_ghost(self, run: Text | str) -> None:
        """Whose ghost it is."""
        if run != self.ghost_name:
            self.ghost_name = run
            self.restyle()

    def ghost_words(self) -> str:
        """The few words that say so."""
        run, step = self.ghost_name, self._ghost_step
        if step is None:
            return tr(_("ghost: {run}", run=run))
        return tr(_("ghost: {run} · step {step}", run=run, step=number(step)))

    def reset(self) -> None:
        """Forget the former run."""
        self.set_ghost(None)
        self._step = self._payload = None
        self._extra = ""
        self._write_aside()
        self.clear()
        self.fit_share(anew=True)

    def set_highlight(self, on: bool) -> None:
        """Slow motion points at this panel, or no longer."""
        if self.property("highlight") != on:
            self.setProperty("highlight", on)
            self.style().unpolish(self)
            self.style().polish(self)

    def _on_look(self) -> None:
        margin = look.px(10)
        self._column.setContentsMargins(margin, look.px(7), margin, margin)
        self._column.setSpacing(look.px(5))
        self._aside.setFont(look.font(0.92, tabular=True))
        self._fit_side()
        self.restyle()
        self.fit_share(anew=True)

    def _on_language(self) -> None:
        self._side.setText(tr(self._side_words))
        self._write_aside()
        self.restyle()
        self.fit_share(anew=True)

    # ── for subclasses ──────────────────────────────────────────────────────────────────────────────────────

    def set_past(self, past: bool) -> None:
        """Recorded steps are on screen from now on, or the newest again. Axes that would follow each picture
        stand still meanwhile, as far as nothing is cut off; panels without such axes need not care.
        """

    def show_payload(self, payload: Any) -> None:
        raise NotImplementedError

    def show_ghost(self, payload: Any | None) -> None:
        """Draw ``payload`` of another run behind the picture, or no more; panels without room for it need not
        care.
        """

    def answered(self, name: str, tag: object, value: Any, recorded: int | None = None) -> None:
        """The answer to an ``ask``; panels that never ask need not care. recorded: the step whose state has
        answered, when it is not the present one.
        """

    def set_guest(
        self,
        xy: tuple[float, float] | None,
        trail: Sequence[tuple[float, float]] = (),
        *,
        elsewhere: bool = False,
    ) -> None:
        """Where the drawing lies in this picture, or nowhere; panels that show no places need not care."""

    def restyle(self) -> None:
        """Colours, sizes or language changed: draw again from ``look`` and ``tr``."""

    def clear(self) -> None:
        """Draw nothing."""
