"""The frame around every picture: title, step number, body.

A panel is given payloads and draws them; it never knows whether they are live or recorded. It asks the
outside world by signals only:

- ``ask(name, args)``: a query to the engine (the answer comes to ``answered``),
- ``act(name, args)``: an action of the experiment, such as moving a centre.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop.controls.parts import ElidedLabel, named
from desktop.language import _, language, number, say, tr
from desktop.style.tokens import look
from engine.api import Text


class _Yielding(QLabel):
    """A label that takes what room there is, and never makes its panel wider."""

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())


class Panel(QFrame):
    """Base of all panels. Subclasses call ``set_body`` once and implement ``show_payload``, ``restyle``,
    ``clear``.
    """

    body: QWidget
    ask = Signal(str, tuple)
    act = Signal(str, tuple)

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self._title = named("panelTitle", ElidedLabel(bold=True))
        say(self._title.setText, title)
        self._side_words: Text | str = ""
        self._side = named("panelSide", ElidedLabel(relative=0.96, bold=True))
        self._side.hide()
        for label in (self._title, self._side):
            label.setMinimumWidth(1)  # a picture may be narrower than what it is called
        self._aside = named("panelAside", _Yielding())
        self._step: int | None = None
        self._extra = ""
        self._head = QHBoxLayout()
        self._head.addWidget(self._side)
        self._head.addWidget(self._title, 1)
        self._head.addWidget(self._aside)
        self._column = QVBoxLayout(self)
        self._column.addLayout(self._head)
        look.changed.connect(self._on_look)
        language.changed.connect(self._on_language)

    @property
    def step(self) -> int | None:
        """The step whose picture is shown, or None."""
        return self._step

    @property
    def head(self) -> QHBoxLayout:
        """The title's row; a panel may add small controls at its end."""
        return self._head

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._write_aside()

    def set_body(self, body: QWidget) -> None:
        """The picture itself, below the title."""
        self.body = body
        self._column.addWidget(body, 1)
        self._on_look()

    def dress(self) -> None:
        """Set the fonts and sizes of the present look again."""
        self._title.dress()
        self._on_look()

    def set_side(self, words: Text | str) -> None:
        """Which of two runs side by side this is a picture of, such as “A · k = 3”; "" when there is one."""
        self._side_words = words
        self._side.setText(tr(words))
        self._side.setVisible(bool(words))

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
            if self._title.sizeHint().width() + self._taken() <= self.width():
                break
            self._aside.setText(" · ".join(words))

    def _taken(self) -> int:
        """What the head takes besides the title."""
        margins = self._column.contentsMargins()
        items = [self._head.itemAt(i) for i in range(self._head.count())]
        widgets = [item.widget() for item in items if item is not None]
        shown = [w for w in widgets if w is not None and w is not self._title and not w.isHidden()]
        gaps = self._head.spacing() * len(shown)
        return margins.left() + margins.right() + gaps + sum(w.sizeHint().width() for w in shown)

    def present(self, payload: Any, step: int) -> None:
        """Draw ``payload``, the picture of ``step``."""
        self._step = step
        self._write_aside()
        self.show_payload(payload)

    def reset(self) -> None:
        """Forget the former run."""
        self._step = None
        self._extra = ""
        self._write_aside()
        self.clear()

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
        self.restyle()

    def _on_language(self) -> None:
        self._side.setText(tr(self._side_words))
        self._write_aside()
        self.restyle()

    # ── for subclasses ──────────────────────────────────────────────────────────────────────────────────────

    def show_payload(self, payload: Any) -> None:
        raise NotImplementedError

    def answered(self, name: str, tag: object, value: Any) -> None:
        """The answer to an ``ask``; panels that never ask need not care."""

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
