"""Which data the experiment learns from, and where the person keeps data of their own."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from desktop.controls.param_panel import ParamPanel
from desktop.controls.parts import Heading, IconButton
from desktop.history import History
from desktop.language import _, language, say, tr
from desktop.style.tokens import look
from engine.api import KnobSpec, Source, Value


class DatasetPicker(QWidget):
    """A list that drops down, a button for the folder where one is needed, and a line about the data.

    A set that needs a folder is announced by ``chosen`` only once its folder is known; choosing the folder
    emits ``folder_chosen`` and then ``chosen``.
    """

    chosen = Signal(str)
    turned = Signal(str, object)
    """A knob of the data set itself: its name and new value."""
    folder_chosen = Signal(Path)
    own_wanted = Signal(str)
    """The person wants to open a file or folder of their own: "own_images" or "own_table"."""

    def __init__(self, history: History | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sources: list[Source] = []
        self._folder: Path | None = None
        self._current = ""
        self._note = ""
        self._altered = False
        self._specs: tuple[KnobSpec, ...] = ()
        self._heading = Heading(_("Data"))
        self.combo = QComboBox()
        self.combo.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        say(self.combo.setAccessibleName, _("Data"))
        self.combo.activated.connect(self._on_pick)
        self.folder_button = IconButton(
            "folder", _("Choose the folder where you keep this data"), size=17, pad=6
        )
        self.folder_button.clicked.connect(self.choose_folder)
        self.knobs_button = IconButton("defaults", _("How many, how noisy"), size=17, pad=6)
        self.knobs_button.setCheckable(True)
        self.knobs_button.toggled.connect(self._show_knobs)
        self.knobs = ParamPanel(_("Of the data"), history=history)
        self.knobs.turned.connect(self.turned)
        self.note = QLabel()
        self.note.setObjectName("quiet")
        self.note.setWordWrap(True)
        self._row = QHBoxLayout()
        self._row.addWidget(self.combo, 1)
        self._row.addWidget(self.folder_button)
        self._row.addWidget(self.knobs_button)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addWidget(self._heading)
        self._column.addLayout(self._row)
        self._column.addWidget(self.note)
        self._column.addWidget(self.knobs)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.knobs_button.hide()
        self.knobs.hide()
        look.changed.connect(self._on_look)
        language.changed.connect(self._write)
        self._on_look()

    # ── from outside ────────────────────────────────────────────────────────────────────────────────────────

    def set_sources(self, sources: list[Source], current: str) -> None:
        """Offer these; ``current`` is the one in use. No signal."""
        self._sources = list(sources)
        self._current = current
        self._note = ""
        self._write()

    def set_knobs(self, values: Mapping[str, Value]) -> None:
        """The knobs of the set in use stand at ``values``. Turning one makes the data anew."""
        source = self._shown()
        specs = tuple(dataclasses.replace(spec, live=False) for spec in source.knobs) if source else ()
        if specs == self._specs:
            for name, value in values.items():
                self.knobs.set_value(name, value)
            return
        self._specs = specs
        self.knobs.set_knobs(specs, values)
        self.knobs_button.setVisible(bool(specs))
        self._show_knobs()

    def _show_knobs(self) -> None:
        self.knobs.setVisible(bool(self._specs) and self.knobs_button.isChecked())
        self.updateGeometry()

    def set_current(self, name: str) -> None:
        """Show ``name`` as the one in use, without a signal."""
        self._current = name
        self._write()

    def set_folder(self, folder: Path | None) -> None:
        """The folder that is known already, for example from the settings."""
        self._folder = folder
        self._write()

    def set_note(self, text: str, *, altered: bool = False) -> None:
        """A line under the list, such as “1,797 images · showing all”.

        altered: the data are no longer those of the set, which can therefore be chosen again.
        """
        self._note, self._altered = text, altered
        self._write()

    @property
    def current(self) -> str:
        return self._current

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────

    def _shown(self) -> Source | None:
        index = self.combo.currentIndex()
        return self._sources[index] if 0 <= index < len(self._sources) else None

    def _write(self) -> None:
        """The whole list again, in the present language; it stays where it stood."""
        self.combo.blockSignals(True)
        self.combo.clear()
        for source in self._sources:
            title = tr(source.title)
            if source.own:
                title = f"{title}…"
            elif source.needs_folder and self._folder is None:
                title = " · ".join((title, tr(_("needs a folder"))))
            self.combo.addItem(title)
            self.combo.setItemData(self.combo.count() - 1, tr(source.about), Qt.ItemDataRole.ToolTipRole)
        names = [source.name for source in self._sources]
        self.combo.setCurrentIndex(names.index(self._current) if self._current in names else -1)
        self.combo.blockSignals(False)
        self._write_note()

    def _write_note(self) -> None:
        source = self._shown()
        needs = source is not None and source.needs_folder and not source.own
        missing = needs and self._folder is None
        self.folder_button.setVisible(needs)
        if missing:
            text = tr(_("Choose the folder where you keep this data."))
        elif source is None or source.name == self._current:
            text = tr(self._note)
        else:
            text = ""
        self.note.setText(text)
        self.note.setVisible(bool(text))
        self.updateGeometry()
        tips = [tr(source.about)] if source is not None else []
        if needs and self._folder is not None:
            tips.append(str(self._folder))
        self.combo.setToolTip("\n".join(tips))

    def _on_pick(self, index: int) -> None:
        source = self._sources[index]
        if source.own:
            self.own_wanted.emit(source.name)
            self._write()
        elif source.needs_folder and self._folder is None:
            self._write_note()
            self.folder_button.setFocus()
        elif source.name != self._current or self._altered:
            self._current = source.name
            self._write_note()
            self.chosen.emit(source.name)

    def choose_folder(self) -> None:
        """Ask for the folder of the set now shown, or else of the first one that needs a folder."""
        start = str(self._folder) if self._folder is not None else ""
        picked = QFileDialog.getExistingDirectory(self, tr(_("The folder where you keep this data")), start)
        shown = self._shown()
        needy = [s for s in self._sources if s.needs_folder and not s.own]
        source = shown if shown in needy else next(iter(needy), None)
        if not picked or source is None:
            return
        self._folder = Path(picked)
        self._current = source.name
        self._write()
        self.folder_chosen.emit(self._folder)
        self.chosen.emit(source.name)

    def _on_look(self) -> None:
        self._column.setSpacing(look.px(4))
        self._row.setSpacing(look.px(5))
        self.combo.setFont(look.font())
        self.note.setFont(look.font(0.93))
        self.updateGeometry()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        return QSize(look.px(200), self._column.heightForWidth(max(self.width(), look.px(140))))

    def minimumSizeHint(self) -> QSize:
        """Room for every line of the note at the present width."""
        return QSize(look.px(110), self.sizeHint().height())
