"""Show me the code: the method behind the pictures with the present values in it, and a script that repeats
the run. It stands beside the window, and training goes on.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from desktop.controls.code_view import CodeView
from desktop.controls.parts import ChoiceBox, named
from desktop.language import _, language, say, tr
from desktop.record import Record
from desktop.style.tokens import look
from engine.api import InputError, Listing, Text, filled, first, script, script_name, second

METHOD, SCRIPT = 0, 1
TABS = (_("The method"), _("A script of this run"))
COLUMNS, FEWEST = 112, 84
"""Letters that a line has room for: the longest, and most of them."""
SHARE, MOST = 0.68, 0.94
"""How much of the window's width it covers at most, and where the letters are large."""
TOP, HEIGHT = 0.065, 0.84
"""Below the tabs and above the transport, in parts of the window's height."""


class CodeDialog(QDialog):
    """Two tabs. Closed, it stays as it was. device: as the engine was told, for the script."""

    def __init__(self, record: Record, device: str, parent: QWidget) -> None:
        super().__init__(parent)
        say(self.setWindowTitle, _("Show me the code"))
        self._record = record
        self._device = device
        self._listing: Listing | None = None
        self._of: tuple[object, ...] = ()  # which file is shown
        self._message: Text | str = ""
        self._found = 0
        self._placed: tuple[QSize, float] | None = None  # for which window and letters
        self._build()
        self._on_look()
        record.changed.connect(self.refresh)
        look.changed.connect(self._on_look)
        language.changed.connect(self._on_language)
        self.method.setFocus()

    def _build(self) -> None:
        self.tabs = QTabBar(expanding=False, drawBase=False)
        for title in TABS:
            self.tabs.addTab(tr(title))
        self.tabs.currentChanged.connect(self._on_tab)
        self.side = ChoiceBox((("a", "A"), ("b", "B")))
        self.side.set_value("a")
        self.side.picked.connect(self.refresh)
        self.search = QLineEdit(clearButtonEnabled=True)
        say(self.search.setPlaceholderText, _("Search (Ctrl+F)"))
        self.search.textChanged.connect(self._on_search)
        self.search.installEventFilter(self)
        self._count = named("quiet", QLabel())
        self._where = named("quiet", QLabel())
        self._where.linkActivated.connect(self._on_link)
        self.method, self.script = CodeView(), CodeView()
        self._trouble = named("quiet", QLabel())
        self._trouble.setWordWrap(True)
        self._trouble.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._pages = QStackedWidget()
        for page in (self.method, self.script, self._trouble):
            self._pages.addWidget(page)
        self.note = named("quiet", QLabel())
        self.note.setWordWrap(True)
        self.copy_button, self.save_button = QPushButton(), QPushButton()
        say(self.copy_button.setText, _("Copy"))
        say(self.save_button.setText, _("Save…"))
        self.copy_button.clicked.connect(self.copy)
        self.save_button.clicked.connect(self.save)

        self._head, self._foot, self._column = QHBoxLayout(), QHBoxLayout(), QVBoxLayout(self)
        self._head.addWidget(self.tabs)
        self._head.addWidget(self.side)
        self._head.addStretch(1)
        self._head.addWidget(self._count)
        self._head.addWidget(self.search)
        self._foot.addWidget(self.note, 1)
        for button in (self.copy_button, self.save_button):
            button.setAutoDefault(False)
            self._foot.addWidget(button)
        self._column.addLayout(self._head)
        self._column.addWidget(self._where)
        self._column.addWidget(self._pages, 1)
        self._column.addLayout(self._foot)
        for key, slot in (("Ctrl+F", self.start_search), ("Ctrl+U", self.close), ("F3", self._find_next)):
            QShortcut(QKeySequence(key), self, slot)

    # ── what is shown ───────────────────────────────────────────────────────────────────────────────────────

    @property
    def text(self) -> str:
        """The program that is shown."""
        view = self._pages.currentWidget()
        return view.toPlainText() if isinstance(view, CodeView) else ""

    def refresh(self) -> None:
        """Show the run as it is now."""
        if not self.isVisible():
            return  # until somebody looks
        self._message = ""
        comparing = self._record.started is not None and self._record.started.spec.beside is not None
        self.side.setVisible(comparing and self.tabs.currentIndex() == METHOD)
        if not comparing:
            self.side.set_value("a")
        if self.tabs.currentIndex() == SCRIPT:
            self._show_script()
        else:
            self._show_method()
        self._show_found()
        self._write()

    def _show_method(self) -> None:
        spec = self._record.spec
        if spec is None:
            return
        beside = spec.beside if self.side.value() == "b" else None
        experiment = spec.experiment if beside is None else beside.experiment
        values = first(self._record.values) if beside is None else second(self._record.values)
        try:
            listing = filled(experiment, values)
        except InputError as error:
            self._listing, self._of = None, ()
            say(self._trouble.setText, error.sentence)
            self._pages.setCurrentWidget(self._trouble)
            return
        of = (experiment, beside is None)
        same = self._of == of
        self._listing, self._of = listing, of
        altered = self.method.show_text(listing.text)
        self.method.mark(listing.lines[name] for name in listing.changed)
        self._pages.setCurrentWidget(self.method)
        if not same:
            self.method.go_to(listing.run)
        elif altered:
            self.method.flash(altered)

    def _show_script(self) -> None:
        spec, record = self._record.spec, self._record
        if spec is None or record.started is None:
            return
        text = script(
            spec, record.log, record.step, device=self._device, painted=record.started.painted,
            name=script_name(spec), say=tr,
        )  # fmt: skip
        self.script.show_text(text)
        self._pages.setCurrentWidget(self.script)

    def _write(self) -> None:
        """Which file this is, and what is special about it."""
        listing = self._listing if self.tabs.currentIndex() == METHOD else None
        spec = self._record.spec
        words = [] if spec is None else [script_name(spec)]
        if listing is not None:
            style = f'style="color:{look.colours.accent}; text-decoration:none"'
            links = (("knobs", _("knobs")), ("run", _("training")))
            words = [listing.file, *(f'<a href="{name}" {style}>{tr(text)}</a>' for name, text in links)]
        missing = self._pages.currentWidget() is self._trouble
        self._where.setText("" if missing else " · ".join(words))
        for button in (self.copy_button, self.save_button):
            button.setEnabled(bool(self.text))
        self.note.setText(tr(self._message or self._about(listing)))

    def _about(self, listing: Listing | None) -> Text | str:
        if self._pages.currentWidget() is self._trouble:
            return ""
        if listing is None:
            return _("It repeats what was done up to step {step}.", step=self._record.step)
        count = len(listing.changed)
        if not count:
            return _("Every knob stands where the file has it.")
        if count == 1:
            return _("The marked line has the present value of a knob, not that of the file.")
        return _("The {n} marked lines have the present values of knobs, not those of the file.", n=count)

    # ── what the person does ────────────────────────────────────────────────────────────────────────────────

    def copy(self) -> None:
        """All of the program that is shown, to be pasted elsewhere."""
        self._bring_up_to_date()
        QGuiApplication.clipboard().setText(self.text)
        self._say(_("Copied."))

    def save(self) -> None:
        """The program that is shown, in a file of the person's choice."""
        self._bring_up_to_date()
        spec, text = self._record.spec, self.text
        if spec is None or not text:
            return
        name = script_name(spec)
        if self.tabs.currentIndex() == METHOD and self._listing is not None:
            name = self._listing.file.rpartition("/")[2]
        title = tr(_("Save the program"))
        chosen, _kind = QFileDialog.getSaveFileName(self, title, name, "Python (*.py)")
        if not chosen:
            return
        path = Path(chosen)
        path = path if path.suffix else path.with_suffix(".py")
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            reason = error.strerror or str(error)
            self._say(
                _(
                    "“{path}” could not be written: {reason}. Choose another folder.",
                    path=str(path),
                    reason=reason,
                )
            )
            return
        self._say(_("“{path}” is written.", path=str(path)))

    def _bring_up_to_date(self) -> None:
        """While it trains, a script is only written again when it is needed."""
        if self.tabs.currentIndex() == SCRIPT:
            self.refresh()

    def _say(self, message: Text) -> None:
        self._message = message
        self._write()

    def _on_tab(self) -> None:
        self.refresh()
        self._on_search()

    def _on_link(self, link: str) -> None:
        if self._listing is not None:
            self.method.go_to(self._listing.knobs if link == "knobs" else self._listing.run)

    # ── search ──────────────────────────────────────────────────────────────────────────────────────────────

    def start_search(self) -> None:
        """Put the keyboard into the search."""
        self.search.setFocus()
        self.search.selectAll()

    def _view(self) -> CodeView | None:
        page = self._pages.currentWidget()
        return page if isinstance(page, CodeView) else None

    def _on_search(self) -> None:
        self._show_found()
        self._find_next(0)

    def _show_found(self) -> None:
        """Mark what is searched for; with no search, nothing."""
        view = self._view()
        self._found = 0 if view is None else view.find_all(self.search.text())
        self._count.setText(str(self._found) if self.search.text() else "")

    def _find_next(self, by: int = 1) -> None:
        view = self._view()
        if view is not None and self._found:
            self._count.setText(f"{view.next_found(by)} / {self._found}")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Enter finds the next, Shift+Enter the one before, Esc ends the search before it closes."""
        if watched is self.search and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._find_next(-1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
                return True
            if event.key() == Qt.Key.Key_Escape and self.search.text():
                self.search.clear()
                return True
        return super().eventFilter(watched, event)

    # ── appearance ──────────────────────────────────────────────────────────────────────────────────────────

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._place()
        self.refresh()

    def _place(self) -> None:
        """At the right of the window, where knobs and transport stay free; as large as it was left, unless
        the window or the letters have another size now.
        """
        window = self.parentWidget()
        if window is None or self._placed == (window.size(), look.points):
            return
        self._placed = (window.size(), look.points)
        letter = self.method.fontMetrics().horizontalAdvance("0")
        longest, most = (letter * n + self.method.gutter_width() + look.px(50) for n in (COLUMNS, FEWEST))
        wide = round(min(longest, max(SHARE * window.width(), min(most, MOST * window.width()))))
        corner = window.mapToGlobal(QPoint(window.width() - wide - look.px(6), round(TOP * window.height())))
        self.setGeometry(QRect(corner, QSize(wide, round(HEIGHT * window.height()))))

    def _on_look(self) -> None:
        for widget in (self.tabs, self.search, self._count, self._where, self.copy_button, self.save_button):
            widget.setFont(look.font())
        self.note.setFont(look.font())
        self._trouble.setFont(look.font(1.2))
        self.side.restyle()
        self.search.setMinimumWidth(look.px(150))
        margin, gap = look.px(12), look.px(8)
        self._column.setContentsMargins(margin, gap, margin, gap)
        for layout in (self._column, self._head, self._foot):
            layout.setSpacing(gap)
        if self.isVisible():
            self._place()
        self._write()

    def _on_language(self) -> None:
        for index, title in enumerate(TABS):
            self.tabs.setTabText(index, tr(title))
        self.refresh()
