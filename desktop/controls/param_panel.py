"""The knobs of an experiment, made from their declaration.

``ParamPanel.turned(name, value)`` says what a person did; it comes at most 30 times a second while a slider
is dragged, and once more with the last value when it is let go. A knob that starts the run again is announced
only when it is let go.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol, cast

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QUndoCommand
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from desktop.controls.parts import ChoiceBox, ElidedLabel, Heading, IconButton, Slider, Switch, named
from desktop.history import Deed, History, UndoButtons
from desktop.language import _, language, say, tr
from desktop.style.icons import pixmap
from desktop.style.tokens import look
from desktop.wording import turned_in_words, value_of
from engine.api import InputError, KnobSpec, Text, Value, check

TURN_EVERY_MS = 33
REST_MS = 350
TICKS = 1000
RESTARTS = _("Changing this starts the run again")


def written(value: float) -> str:
    """A number as it stands in a value box: up to six digits, the present language's decimal sign."""
    return f"{value:.6g}".replace(".", language.locale.decimalPoint())


class Scale:
    """Between a slider's whole positions and a knob's values, linear or logarithmic."""

    def __init__(self, spec: KnobSpec) -> None:
        self.spec = spec
        self.log = spec.scale == "log" and spec.low > 0
        span = spec.high - spec.low
        self.whole = spec.kind == "int" and not self.log
        self.ticks = int(span) if self.whole else TICKS
        raw = span / 200
        power = 10.0 ** math.floor(math.log10(raw)) if raw > 0 else 1.0
        self.grain = next((m * power for m in (1, 2, 5) if m * power >= raw * 0.999), 10 * power)

    def value(self, tick: int) -> float | int:
        """The value at slider position ``tick``, rounded as a person would."""
        spec = self.spec
        if tick <= 0 or tick >= self.ticks:
            end = spec.low if tick <= 0 else spec.high
            return int(end) if spec.kind == "int" else end
        if self.whole:
            return int(spec.low) + tick
        if self.log:
            number = spec.low * (spec.high / spec.low) ** (tick / self.ticks)
            number = float(f"{number:.2g}")
        else:
            number = round((spec.low + (spec.high - spec.low) * tick / self.ticks) / self.grain) * self.grain
            number = float(f"{number:.6g}")
        number = min(max(number, spec.low), spec.high)
        return round(number) if spec.kind == "int" else number

    def tick(self, value: float) -> int:
        """The slider position nearest to ``value``."""
        low, high = self.spec.low, self.spec.high
        if high <= low:
            return 0
        if self.log:
            return round(self.ticks * math.log(max(value, low) / low) / math.log(high / low))
        return round(self.ticks * (value - low) / (high - low))


class _Editor(Protocol):
    """What a row needs from the widget inside it."""

    def show_value(self, value: Value) -> None: ...
    def restyle(self) -> None: ...


class _NumberBox(QLineEdit):
    """The number beside the label; Enter or leaving commits, Esc takes back, up and down step."""

    committed = Signal(str)
    stepped = Signal(int)
    left = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("value")
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._shown = ""
        self.textChanged.connect(self.updateGeometry)
        self.editingFinished.connect(self._commit)

    def show_text(self, text: str) -> None:
        self._shown = text
        if self.text() != text:
            self.setText(text)

    def _commit(self) -> None:
        typed = self.text()
        if typed != self._shown:
            self.committed.emit(typed)

    def sizeHint(self) -> QSize:
        widest = max(
            self.fontMetrics().horizontalAdvance(self.text()), self.fontMetrics().horizontalAdvance("000")
        )
        return QSize(min(widest + look.px(14), look.px(100)), self.fontMetrics().height() + look.px(4))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.stepped.emit(1 if event.key() == Qt.Key.Key_Up else -1)
        elif event.key() == Qt.Key.Key_Escape and self.text() != self._shown:
            self.setText(self._shown)
        else:
            super().keyPressEvent(event)
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not self.property("wrong"):
                self.clearFocus()  # Space and the arrows belong to the transport again

    def event(self, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and event.key() == Qt.Key.Key_Escape  # type: ignore[attr-defined]
            and self.text() != self._shown
        ):
            event.accept()  # what was typed is taken back before anything else is
            return True
        return super().event(event)


class Row(QWidget):
    """One knob: name, mark, reset, editor, and a line for what went wrong.

    ``moved(value, last)``: a person chose ``value``; last = the gesture is over.
    """

    moved = Signal(object, bool)

    def __init__(self, spec: KnobSpec, value: Value, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.spec = spec
        self.value = value
        self.default = spec.default
        self.scale = Scale(spec) if spec.kind in ("int", "float") else None
        self.box: _NumberBox | None = None
        self.slider: Slider | None = None
        self.switch: Switch | None = None
        self.choice: ChoiceBox | None = None
        self._problem: Text | None = None

        self.label = ElidedLabel()
        self.label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        say(self.label.setText, spec.label)
        self.mark = QLabel(self)
        self.mark.setVisible(not spec.live)
        say(self.mark.setToolTip, RESTARTS)
        self.reset_button = IconButton(
            "undo", _("Back to {value}", value=""), self, size=13, pad=3, colour="quiet", flat=True
        )
        self.reset_button.clicked.connect(self._on_default)
        self.problem = named("problem", QLabel(self))
        self.problem.setWordWrap(True)
        self.problem.hide()

        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        head.addWidget(self.label)
        head.addWidget(self.mark)
        head.addStretch(1)
        head.addWidget(self.reset_button)
        self._head = head
        self._grid.addLayout(head, 0, 0)
        self._build(spec)
        self._grid.addWidget(self.problem, 2, 0)
        look.changed.connect(self.restyle)
        language.changed.connect(self.restyle)
        self.show_value(value)
        self.restyle()

    def _build(self, spec: KnobSpec) -> None:
        """The editor that fits the knob's kind."""
        if spec.kind == "bool":
            self.switch = Switch(self)
            self.switch.clicked.connect(self._on_switch)
            self._head.addWidget(self.switch)
            self._name(self.switch)
        elif spec.kind == "choice":
            self.choice = ChoiceBox(spec.options, self)
            self.choice.picked.connect(self._on_pick)
            self._grid.addWidget(self.choice, 1, 0)
            self._name(self.choice)
            self._name(self.choice.combo)
        else:
            self._build_number()

    def _build_number(self) -> None:
        assert self.scale is not None
        self.box = _NumberBox(self)
        self.box.committed.connect(self._on_typed)
        self.box.stepped.connect(self._on_stepped)
        self.slider = Slider(self)
        self.slider.setRange(0, self.scale.ticks)
        self.slider.setPageStep(max(1, self.scale.ticks // 10))
        self.slider.setSingleStep(1 if self.scale.whole else max(1, self.scale.ticks // 100))
        self.slider.valueChanged.connect(self._on_slid)
        self.slider.sliderReleased.connect(self._on_released)
        self._head.addWidget(self.box)
        self._grid.addWidget(self.slider, 1, 0)
        self._name(self.box)
        self._name(self.slider)

    def _name(self, editor: QWidget) -> None:
        say(editor.setAccessibleName, self.spec.label)

    # ── from outside ────────────────────────────────────────────────────────────────────────────────────────

    @property
    def dragging(self) -> bool:
        """Whether a person holds the slider just now."""
        return self.slider is not None and self.slider.isSliderDown()

    def show_value(self, value: Value) -> None:
        """Show ``value`` without a signal."""
        self.value = value
        if self.switch is not None:
            self.switch.setChecked(bool(value))
        elif self.choice is not None:
            self.choice.set_value(str(value))
        elif self.slider is not None and self.box is not None and self.scale is not None:
            if not self.dragging:
                self.slider.blockSignals(True)
                self.slider.setValue(self.scale.tick(float(value)))
                self.slider.blockSignals(False)
            self.box.show_text(written(float(value)))
        self._show_default()

    def set_default(self, value: Value) -> None:
        self.default = value
        self._show_default()

    def say_problem(self, sentence: Text | None) -> None:
        """One sentence under the box, or none."""
        self._problem = sentence
        self.problem.setText("" if sentence is None else tr(sentence))
        self.problem.setVisible(sentence is not None)
        if self.box is not None:
            self.box.setProperty("wrong", sentence is not None)
            self.box.style().unpolish(self.box)
            self.box.style().polish(self.box)

    def restyle(self) -> None:
        """Theme, scale or language changed."""
        self._grid.setVerticalSpacing(look.px(1 if self.slider is not None else 3))
        self._head.setSpacing(look.px(4))
        side = look.px(13)
        self.mark.setPixmap(pixmap("restart", "quiet", side))
        self.problem.setFont(look.font(0.95))
        if self._problem is not None:
            self.problem.setText(tr(self._problem))
        if self.box is not None:
            self.box.setFont(look.font(bold=True, tabular=True))
            self.box.show_text(written(float(self.value)))
            self.box.updateGeometry()
        if self.choice is not None:
            self.choice.restyle()
        help_text = tr(self.spec.help)
        tip = "\n".join(part for part in (help_text, "" if self.spec.live else tr(RESTARTS)) if part)
        for widget in (self.label, self.box, self.slider, self.switch, self.choice):
            if widget is not None:
                widget.setToolTip(tip)
                widget.setAccessibleDescription(tip)
        self.label.setToolTip("\n".join((tr(self.spec.label), tip)) if tip else tr(self.spec.label))
        self._show_default()

    def _show_default(self) -> None:
        self.reset_button.setVisible(self.value != self.default)
        if isinstance(self.default, bool):
            shown = tr(_("on") if self.default else _("off"))
        elif isinstance(self.default, str):
            shown = tr(dict(self.spec.options)[self.default])
        else:
            shown = written(self.default)
        self.reset_button.setToolTip(tr(_("Back to {value}", value=shown)))
        if self.slider is not None and self.scale is not None:
            self.slider.set_default(self.scale.tick(float(self.default)))

    # ── from the person ─────────────────────────────────────────────────────────────────────────────────────

    def _take(self, value: object, last: bool) -> None:
        try:
            checked = check(self.spec, value)
        except InputError as error:
            sentence = error.sentence
            if "name" in sentence.values:
                sentence = _(sentence.msgid, **{**sentence.values, "name": self.spec.label})
            self.show_value(self.value)
            self.say_problem(sentence)
            return
        self.say_problem(None)
        self.moved.emit(checked, last)
        self.show_value(checked)

    def _on_typed(self, text: str) -> None:
        plain = text.replace("\u2212", "-").replace("\u202f", "").replace("\u00a0", "").replace(" ", "")
        self._take(plain, True)

    def _on_stepped(self, by: int) -> None:
        assert self.slider is not None
        self.slider.triggerAction(
            self.slider.SliderAction.SliderSingleStepAdd
            if by > 0
            else self.slider.SliderAction.SliderSingleStepSub
        )

    def _on_slid(self, tick: int) -> None:
        assert self.scale is not None
        value = self.scale.value(tick)
        if value != self.value:
            self._take(value, False)

    def _on_released(self) -> None:
        self.moved.emit(self.value, True)

    def _on_switch(self, on: bool) -> None:
        self._take(on, True)

    def _on_pick(self, name: str) -> None:
        self._take(name, True)

    def _on_default(self) -> None:
        self._take(self.default, True)


class Turn(Deed):
    """One knob turned, or several at once; all moves of one drag are one turn."""

    kind = "knobs"

    def __init__(
        self, panel: ParamPanel, old: Mapping[str, Value], new: Mapping[str, Value], gesture: int
    ) -> None:
        super().__init__(panel.told(old, new))
        self.panel, self.old, self.new, self.gesture = panel, dict(old), dict(new), gesture

    def id(self) -> int:
        return 1

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, Turn) or (other.panel, other.gesture) != (self.panel, self.gesture):
            return False
        if other.new.keys() != self.new.keys():
            return False
        self.new = other.new
        self.words = self.panel.told(self.old, self.new)
        self.setObsolete(self.new == self.old)  # the hand has gone back to where it began
        return True

    def stands(self, back: bool) -> bool:
        rows, left = self.panel.rows, self.new if back else self.old
        return all(name in rows and rows[name].value == value for name, value in left.items())

    def needs_present(self, back: bool) -> bool:
        return self.new.keys() <= self.panel.rows.keys() and not self.stands(back)

    def take_back(self) -> None:
        self.panel.put(self.old)

    def do_again(self) -> None:
        self.panel.put(self.new)


def _value_of(knob: KnobSpec, value: Value) -> Text | str:
    """Where a knob stands, in any language."""
    if isinstance(value, (bool, str)):
        return value_of(knob, value)
    return Text("{value:.6g}", {"value": float(value)})


TITLE = _("Knobs")


class ParamPanel(QWidget):
    """All knobs of an experiment, with undo, redo and defaults."""

    turned = Signal(str, object)

    def __init__(
        self, title: str = TITLE, parent: QWidget | None = None, *, history: History | None = None
    ) -> None:
        super().__init__(parent)
        self.undo_stack = History(self) if history is None else history
        self.undo_stack.settling.connect(self._end_gesture)
        self.side = ""
        """“A” or “B” where the knobs of two runs stand side by side."""
        self.rows: dict[str, Row] = {}
        self._pending: dict[str, Value] = {}
        self._gesture = 0
        self._timer = QTimer(self, singleShot=True, interval=TURN_EVERY_MS)
        self._timer.timeout.connect(self._on_tick)
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self._on_rest)

        self._heading = Heading(title)
        self.undo_button = IconButton("undo", _("Undo (Ctrl+Z)"), size=14, pad=3, colour="quiet", flat=True)
        self.redo_button = IconButton(
            "redo", _("Redo (Ctrl+Shift+Z)"), size=14, pad=3, colour="quiet", flat=True
        )
        self.defaults_button = IconButton(
            "defaults", _("All knobs to their defaults"), size=15, pad=3, colour="quiet", flat=True
        )
        for button in (self.undo_button, self.redo_button, self.defaults_button):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.defaults_button.clicked.connect(self.all_defaults)
        self._buttons = UndoButtons(self.undo_stack, self.undo_button, self.redo_button)

        head = QHBoxLayout()
        head.setSpacing(0)
        head.addWidget(self._heading, 1)
        for button in (self.undo_button, self.redo_button, self.defaults_button):
            head.addWidget(button)
        self._inside = named("inside", QWidget())
        self._list = QVBoxLayout(self._inside)
        self._area = QScrollArea(self)
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setWidget(self._inside)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._inside.installEventFilter(self)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addLayout(head)
        self._column.addWidget(self._area, 1)
        look.changed.connect(self._on_look)
        self._on_look()

    # ── from outside ────────────────────────────────────────────────────────────────────────────────────────

    def set_knobs(self, specs: tuple[KnobSpec, ...], values: Mapping[str, Value]) -> None:
        """Other knobs: the former ones go, and what was done to those that are not among the new.

        Knobs without a value stand at their default.
        """
        self._timer.stop()
        self._rest.stop()
        self._pending.clear()
        self._gesture += 1
        stay = {spec.name for spec in specs if spec.name in self.rows and self.rows[spec.name].spec == spec}
        self.undo_stack.forget(lambda d: isinstance(d, Turn) and d.panel is self and not d.new.keys() <= stay)
        for row in self.rows.values():
            self._list.removeWidget(row)
            row.hide()
            row.deleteLater()
        while self._list.count():
            self._list.takeAt(0)
        self.rows = {}
        for spec in specs:
            row = Row(spec, values.get(spec.name, spec.default), self._inside)
            row.moved.connect(lambda value, last, name=spec.name: self._on_moved(name, value, last))
            self.rows[spec.name] = row
            self._list.addWidget(row)
        self._list.addStretch(1)
        self._on_values()
        self.undo_stack.review()
        self.updateGeometry()

    def set_defaults(self, values: Mapping[str, Value]) -> None:
        """What counts as default for the present data set; knobs not named keep what they declare."""
        for name, row in self.rows.items():
            row.set_default(values.get(name, row.spec.default))
        self._on_values()

    def set_value(self, name: str, value: Value) -> None:
        """Show ``value``, without a signal and without an entry in the history; unknown names are ignored.

        A knob that a person holds just now keeps what the hand says.
        """
        row = self.rows.get(name)
        if row is not None and not row.dragging and name not in self._pending:
            row.show_value(value)
            self._on_values()

    def values(self) -> dict[str, Value]:
        """What every knob shows."""
        return {name: row.value for name, row in self.rows.items()}

    def turn(self, name: str, value: object) -> None:
        """Turn a knob as a person would, such as from a link in a lesson.

        Raises:
            InputError: the value is refused.
        """
        row = self.rows[name]
        checked = check(row.spec, value)
        self._on_moved(name, checked, True)
        row.show_value(checked)

    def all_defaults(self) -> None:
        """Every knob to its default: one entry in the history."""
        changes = {name: row.default for name, row in self.rows.items() if row.value != row.default}
        if changes:
            old = {name: self.rows[name].value for name in changes}
            self._gesture += 1
            self.undo_stack.push(Turn(self, old, changes, self._gesture))
            self._gesture += 1
            self.put(changes)
            self.undo_stack.review()

    def told(self, old: Mapping[str, Value], new: Mapping[str, Value]) -> Text:
        """“k 4 → 6”, or how many at once."""
        if len(new) > 1:
            return _("{n} knobs to their defaults", n=len(new))
        ((name, value),) = new.items()
        return turned_in_words(self.rows[name].spec, old[name], value, self.side, _value_of)

    def put(self, values: Mapping[str, Value]) -> None:
        """Show and announce ``values`` (undo and redo come here)."""
        for name, value in values.items():
            if name in self.rows:
                self.rows[name].say_problem(None)
                self.rows[name].show_value(value)
                self._pending[name] = value
        self._flush()
        self._on_values()

    # ── from the person ─────────────────────────────────────────────────────────────────────────────────────

    def _on_moved(self, name: str, value: object, last: bool) -> None:
        row = self.rows[name]
        new = cast("Value", value)
        if new != row.value:
            turn = Turn(self, {name: row.value}, {name: new}, self._gesture)
            self._pending[name] = new
            row.value = new
            self.undo_stack.push(turn)
        if last:
            self._gesture += 1
            self._flush()
        else:
            if not row.dragging:
                self._rest.start()
            if row.spec.live and not self._timer.isActive():
                self._emit(live_only=True)
                self._timer.start()
        self._on_values()

    def _on_tick(self) -> None:
        if any(self.rows[name].spec.live for name in self._pending):
            self._emit(live_only=True)
            self._timer.start()

    def _on_rest(self) -> None:
        """Arrow keys or the wheel have been still for a moment: that was one gesture."""
        if not any(row.dragging for row in self.rows.values()):
            self._end_gesture()

    def _end_gesture(self) -> None:
        """What is turned from now on is another turn."""
        self._gesture += 1
        self._flush()

    def _flush(self) -> None:
        self._timer.stop()
        self._rest.stop()
        self._emit(live_only=False)

    def _emit(self, *, live_only: bool) -> None:
        ready = [name for name in self._pending if self.rows[name].spec.live or not live_only]
        for name, value in [(name, self._pending.pop(name)) for name in ready]:
            self.turned.emit(name, value)

    def _on_values(self) -> None:
        self.defaults_button.setEnabled(any(row.value != row.default for row in self.rows.values()))

    # ── sizes ───────────────────────────────────────────────────────────────────────────────────────────────

    def _on_look(self) -> None:
        self._column.setSpacing(look.px(4))
        self._list.setSpacing(look.px(4))
        self._list.setContentsMargins(0, 0, look.px(2), look.px(2))
        self.updateGeometry()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._inside and event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)

    def sizeHint(self) -> QSize:
        """As high as all knobs need; given less, it scrolls."""
        inside = self._inside.sizeHint()
        return QSize(look.px(200), inside.height() + self._heading.sizeHint().height() + look.px(14))

    def minimumSizeHint(self) -> QSize:
        return QSize(look.px(110), look.px(78))
