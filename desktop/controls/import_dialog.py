"""What was read from a file or folder of the person's own, before anything is used, and the questions that
matter.
"""

from __future__ import annotations

import dataclasses
from html import escape

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from desktop.controls.param_panel import ParamPanel
from desktop.controls.parts import Heading
from desktop.language import _, number, tr
from desktop.panels.image_grid import ImageGrid
from desktop.selection import Selection
from desktop.style.tokens import look
from engine.api import Images, KnobSpec, Looked, Report, Text, Value, sources

MOST_ROWS = 8


class ImportDialog(QDialog):
    """One dialog for pictures and tables. It shows the report again whenever an answer has changed it."""

    asked = Signal(object, str, dict)
    """Look again at (path, source) with these answers; the new report goes to ``show_report``."""
    used = Signal(str, object, dict)
    """Use (source, path) with these answers."""

    def __init__(self, looked: Looked, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr(_("My own data")))
        self._report = looked.report
        self._names: dict[str, dict[str, Value]] = {}
        self._title = QLabel()
        self._title.setFont(look.font(1.2, bold=True))
        self._facts = QLabel()
        for label in (self._title, self._facts):
            label.setWordWrap(True)
        self._facts.setFont(look.font())
        self._facts.setTextFormat(Qt.TextFormat.RichText)
        self._grid = ImageGrid(_("As they will be used"), Selection())
        self._table = QTableWidget()
        self._table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self._table.verticalHeader().hide()
        self._table.setFont(look.font(0.95))
        self.params = ParamPanel(_("Questions"))
        self.params.turned.connect(self._on_answer)
        self._use = QPushButton(tr(_("Use these")))
        self._use.setObjectName("primary")
        self._use.clicked.connect(self._on_use)
        cancel = QPushButton(tr(_("Cancel")))
        cancel.clicked.connect(self.close)
        private = QLabel(tr(_("Nothing leaves this computer.")))
        private.setObjectName("quiet")
        buttons = QHBoxLayout()
        buttons.addWidget(private)
        buttons.addStretch(1)
        for button in (cancel, self._use):
            button.setFont(look.font())
            button.setAutoDefault(button is self._use)
            buttons.addWidget(button)
        left = QVBoxLayout()
        left.addWidget(self._facts)
        left.addWidget(self._grid, 1)
        left.addWidget(Heading(_("The first lines"))) if looked.report.rows else None
        left.addWidget(self._table, 1)
        middle = QHBoxLayout()
        middle.addLayout(left, 5)
        middle.addWidget(self.params, 3)
        whole = QVBoxLayout(self)
        whole.addWidget(self._title)
        whole.addLayout(middle, 1)
        whole.addLayout(buttons)
        margin = look.px(16)
        whole.setContentsMargins(margin, margin, margin, margin)
        whole.setSpacing(look.px(10))
        self.resize(round(0.8 * parent.width()), round(0.85 * parent.height()))
        self._set_questions()
        self.show_report(looked)

    def _set_questions(self) -> None:
        """Knobs for the questions of the report; where the answers depend on the data, a choice of them."""
        source = sources().get(self._report.source)
        specs: list[KnobSpec] = []
        values: dict[str, Value] = {}
        for question in self._report.questions if source is not None else ():
            spec = next(s for s in source.knobs if s.name == question.knob)  # type: ignore[union-attr]
            value = question.suggested
            if question.options:
                self._names[spec.name] = {str(v): v for v, _words in question.options}
                options = tuple((str(v), Text(words, {})) for v, words in question.options)
                spec = dataclasses.replace(spec, kind="choice", options=options, default=str(value))
                value = str(value)
            specs.append(dataclasses.replace(spec, live=True))
            values[spec.name] = value
        self.params.set_knobs(tuple(specs), values)
        self.params.set_defaults(values)
        self.params.setVisible(bool(specs))

    def answers(self) -> dict[str, Value]:
        """What the person has answered, as parameters of the source."""
        given = self.params.values()
        return {name: self._names.get(name, {}).get(str(value), value) for name, value in given.items()}

    def show_report(self, looked: Looked) -> None:
        """What was found, under the present answers."""
        report = self._report = looked.report
        self._title.setText(f"{tr(report.title)}\n{report.path.name}")
        self._facts.setText(_words(report))
        self._use.setEnabled(bool(report.source) and report.use > 0)
        self._use.setToolTip("" if report.source else tr(_("There is no experiment for such data yet.")))
        pictures = looked.pictures
        self._grid.setVisible(pictures is not None)
        if pictures is not None:
            self._grid.present(Images(pictures), 0)
            self._grid.hide_step()
        self._fill_table(report)

    def show_problem(self, sentence: str) -> None:
        """With these answers it cannot be read."""
        self._facts.setText(escape(tr(sentence)))
        self._use.setEnabled(False)

    def _fill_table(self, report: Report) -> None:
        self._table.setVisible(bool(report.columns))
        columns = report.columns[:50]
        self._table.setColumnCount(len(columns))
        self._table.setRowCount(min(len(report.rows), MOST_ROWS))
        for c, column in enumerate(columns):
            head = QTableWidgetItem(f"{column.name}\n{tr(USES[column.use])}")
            head.setToolTip(tr(column.reason) if column.reason else "")
            self._table.setHorizontalHeaderItem(c, head)
            for r, row in enumerate(report.rows[:MOST_ROWS]):
                self._table.setItem(r, c, QTableWidgetItem(row[c] if c < len(row) else ""))
        self._table.resizeColumnsToContents()

    def _on_answer(self) -> None:
        self.asked.emit(self._report.path, self._report.source, self.answers())

    def _on_use(self) -> None:
        self.used.emit(self._report.source, self._report.path, self.answers())
        self.close()


USES = {"number": _("number"), "words": _("words"), "label": _("class"), "left out": _("left out")}


def _line(name: str, value: str) -> str:
    return tr(_("{name}: {value}", name=name, value=value))


def _words(report: Report) -> str:
    """The report as a few lines of rich text: how many, what was dropped or changed and why, what was found
    out.
    """
    about = "" if report.exact else tr(_("about")) + " "
    lines = [
        tr(_("{use} of {total} will be used", use=number(report.use), total=about + number(report.total)))
        if report.use < report.total
        else tr(_("all {total} will be used", total=about + number(report.total)))
    ]
    if report.shape:
        lines[0] += " · " + tr(_("{shape} numbers each", shape=" × ".join(map(str, report.shape))))
    if report.classes:
        shown = ", ".join(f"{name} {number(count)}" for name, count in report.classes[:12])
        more = " …" if len(report.classes) > 12 else ""
        lines.append(tr(_("{n} classes: {names}", n=len(report.classes), names=shown + more)))
    for title, counts in ((_("Left out"), report.dropped), (_("Changed"), report.changed)):
        for each in counts:
            example = f" ({tr(each.example)})" if each.example else ""
            lines.append(_line(title, f"{number(each.count)} · {tr(each.reason)}{example}"))
    lines += [_line(name, tr(value)) for name, value in report.facts]
    return "<br>".join(escape(line) for line in lines)
