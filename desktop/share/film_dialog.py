"""What is to be filmed, how long, and as what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.controls.param_panel import Row
from desktop.controls.parts import named
from desktop.language import _, number, tr
from desktop.share.plan import FORMS, Plan
from desktop.style.tokens import look
from engine.api import KnobSpec, Text, Value

NOTHING = Text("", {})
SHORTEST, LONGEST = 1, 60
"""Seconds."""
SLOWEST, FASTEST = 2, 25
"""Pictures a second."""
PACES = (
    ("even", _("steps at one speed")),
    ("early", _("slower at the start")),
)


class FilmDialog(QDialog):
    """Knobs for a film, and in one line what will come of them."""

    wanted = Signal(object)
    """This :class:`Plan`."""

    def __init__(
        self, plan: Plan, subjects: Mapping[str, Text], steps: Sequence[int], parent: QWidget
    ) -> None:
        """subjects: what can be filmed, by name, with titles. steps: those that are recorded."""
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr(_("A film of the timeline")))
        self._steps = steps
        self._newest = max(steps)
        self._values: dict[str, Value] = {
            "what": plan.what, "form": plan.form, "seconds": plan.seconds, "rate": plan.rate,
            "first": plan.first, "last": self._newest if plan.last is None else plan.last,
            "pace": "even" if plan.even else "early",
        }  # fmt: skip
        self.rows = {spec.name: self._row(spec) for spec in self._knobs(subjects)}
        self._facts = named("quiet", QLabel())
        self._facts.setWordWrap(True)
        self._facts.setFont(look.font())
        about = named("quiet", QLabel(tr(_("It shows what has been recorded. The run waits meanwhile."))))
        about.setWordWrap(True)
        about.setFont(look.font())
        self.make_button = QPushButton(tr(_("Make the film…")))
        self.make_button.setObjectName("primary")
        self.make_button.clicked.connect(self._on_make)
        cancel = QPushButton(tr(_("Cancel")))
        cancel.clicked.connect(self.close)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        for button in (cancel, self.make_button):
            button.setFont(look.font())
            button.setAutoDefault(button is self.make_button)
            buttons.addWidget(button)
        grid = QGridLayout()
        grid.setHorizontalSpacing(look.px(28))
        grid.setVerticalSpacing(look.px(14))
        for index, name in enumerate(("what", "form", "first", "last", "seconds", "rate")):
            grid.addWidget(self.rows[name], *divmod(index, 2))
        grid.addWidget(self.rows["pace"], 3, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        whole = QVBoxLayout(self)
        whole.addLayout(grid)
        whole.addWidget(self._facts)
        whole.addWidget(about)
        whole.addStretch(1)
        whole.addLayout(buttons)
        margin = look.px(20)
        whole.setContentsMargins(margin, margin, margin, margin)
        whole.setSpacing(look.px(12))
        self.resize(min(look.px(520), round(0.9 * parent.width())), 0)
        self._tell()

    def _knobs(self, subjects: Mapping[str, Text]) -> tuple[KnobSpec, ...]:
        newest = max(self._newest, 1)
        default = Plan()
        return (
            _choice("what", _("What"), tuple(subjects.items()), default.what),
            _choice("form", _("As"), FORMS, default.form),
            _count("first", _("From step"), 0, newest, 0),
            _count("last", _("To step"), 0, newest, newest),
            _count("seconds", _("Seconds"), SHORTEST, LONGEST, round(default.seconds)),
            _count("rate", _("Pictures a second"), SLOWEST, FASTEST, default.rate),
            _choice("pace", _("Time"), PACES, "even"),
        )

    def _row(self, spec: KnobSpec) -> Row:
        row = Row(spec, self._values[spec.name], self)
        row.moved.connect(lambda value, _last, name=spec.name: self._on_moved(name, value))
        return row

    @property
    def plan(self) -> Plan:
        """What the knobs say."""
        v = self._values
        ends = sorted((int(v["first"]), int(v["last"])))
        return Plan(
            what=str(v["what"]), form="gif" if v["form"] == "gif" else "webp",
            seconds=float(v["seconds"]), rate=int(v["rate"]), even=v["pace"] == "even",
            first=ends[0], last=None if ends[1] >= self._newest else ends[1],
        )  # fmt: skip

    def _on_moved(self, name: str, value: Value) -> None:
        self._values[name] = value
        self._tell()

    def _tell(self) -> None:
        """What will come of it."""
        shots = self.plan.shots(self._steps)
        self.make_button.setEnabled(len(shots) > 1)
        if len(shots) > 1:
            seconds = number(sum(milliseconds for _step, milliseconds in shots) / 1000, 2)
            words = _(
                "{n} pictures, from step {first} to step {last}; {seconds} s with the pause at the end.",
                n=len(shots), first=number(shots[0][0]), last=number(shots[-1][0]), seconds=seconds,
            )  # fmt: skip
        else:
            words = _("Fewer than two steps are recorded there.")
        self._facts.setText(tr(words))

    def _on_make(self) -> None:
        plan = self.plan
        self.close()
        self.wanted.emit(plan)


def _choice(name: str, label: Text, options: Sequence[tuple[str, Text]], default: str) -> KnobSpec:
    return KnobSpec(name, label, NOTHING, "choice", default, live=True, options=tuple(options))


def _count(name: str, label: Text, low: int, high: int, default: int) -> KnobSpec:
    return KnobSpec(name, label, NOTHING, "int", default, live=True, low=low, high=high)
