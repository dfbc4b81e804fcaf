"""Every data set at a glance: some of its items, how many of each class, what they were made from, whose they
are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from desktop.controls.parts import Heading, named
from desktop.language import _, number, tr
from desktop.panels.bar_panel import BarPanel
from desktop.panels.catalogue import PANELS
from desktop.panels.panel import Panel
from desktop.selection import Selection
from desktop.style.tokens import look
from engine.api import Bars, Previewed, RunSpec, Source

NEEDS = _("It needs a folder: choose one beside the list of data in the window.")


class DataDialog(QDialog):
    """A list of all data sets, and the chosen one beside it. The engine makes the previews."""

    wanted = Signal(object)
    """A preview of this RunSpec is wanted; the answer goes to ``show_preview``."""
    used = Signal(str)
    """The person wants to use this data set."""
    own_wanted = Signal()
    download_wanted = Signal(str, Path)
    """Fetch this data set into this folder."""
    cancelled = Signal()

    def __init__(
        self, sources: list[Source], takes: tuple[str, ...], data_dir: Path | None, parent: QWidget
    ) -> None:
        """takes: the data sets that the present experiment can use."""
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr(_("Data")))
        self._sources = sources
        self._takes = takes
        self._data_dir = data_dir
        self._selection = Selection()
        self._panel: Panel | None = None

        self.list = QListWidget()
        self.list.setFont(look.font())
        for source in sources:
            self.list.addItem(QListWidgetItem(tr(source.title)))
        self.list.currentRowChanged.connect(self._on_row)
        self._title = QLabel()
        self._title.setFont(look.font(1.25, bold=True))
        self._about = named("quiet", QLabel())
        self._facts = QLabel()
        self._credit = named("quiet", QLabel())
        for label in (self._about, self._facts, self._credit):
            label.setWordWrap(True)
            label.setFont(look.font())
        self._pictures = QVBoxLayout()
        self._counts = BarPanel(_("Items of each class"), self._selection)
        self._counts.hide()
        self._factors_heading = Heading(_("Made from"))
        self._factors = QLabel()
        self._factors.setFont(look.font())
        self._factors.setWordWrap(True)
        self._factors.setAlignment(Qt.AlignmentFlag.AlignTop)

        beside = QWidget()
        side = QVBoxLayout(beside)
        side.setContentsMargins(0, 0, 0, 0)
        side.addWidget(self._counts, 1)
        side.addWidget(self._factors_heading)
        scroll = QScrollArea(widgetResizable=True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setWidget(self._factors)
        side.addWidget(scroll, 1)
        middle = QWidget()
        middle.setLayout(self._pictures)
        self._pictures.setContentsMargins(0, 0, 0, 0)
        columns = QSplitter(Qt.Orientation.Horizontal)
        columns.setChildrenCollapsible(False)
        columns.addWidget(middle)
        columns.addWidget(beside)
        columns.setSizes([700, 300])
        self._use = QPushButton(tr(_("Use these")))
        self._use.clicked.connect(self._on_use)
        self._download = QPushButton()
        self._download.clicked.connect(self._on_download)
        self._bar = QProgressBar(textVisible=False)
        self._cancel = QPushButton(tr(_("Stop")))
        self._cancel.clicked.connect(self.cancelled)
        self._bar.hide()
        self._cancel.hide()
        own = QPushButton(tr(_("Open my own…")))
        own.clicked.connect(self.own_wanted)
        close = QPushButton(tr(_("Close")))
        close.clicked.connect(self.close)
        buttons = QHBoxLayout()
        for button in (own, self._download, self._cancel, close, self._use):
            button.setFont(look.font())
            button.setAutoDefault(False)
        buttons.addWidget(own)
        buttons.addWidget(self._download)
        buttons.addWidget(self._bar, 1)
        buttons.addWidget(self._cancel)
        buttons.addStretch(1)
        buttons.addWidget(close)
        buttons.addWidget(self._use)
        right = QVBoxLayout()
        for widget in (self._title, self._about, self._facts):
            right.addWidget(widget)
        right.addWidget(columns, 1)
        right.addWidget(self._credit)
        right.addLayout(buttons)
        whole = QHBoxLayout(self)
        whole.addWidget(self.list)
        whole.addLayout(right, 1)
        margin = look.px(14)
        whole.setContentsMargins(margin, margin, margin, margin)
        whole.setSpacing(margin)
        widest = max((self.list.fontMetrics().horizontalAdvance(tr(s.title)) for s in sources), default=100)
        self.list.setFixedWidth(min(widest + look.px(36), round(0.3 * parent.width())))
        self.resize(round(0.86 * parent.width()), round(0.86 * parent.height()))

    def choose(self, name: str) -> None:
        """Show the data set called ``name``."""
        self.list.setCurrentRow(next((i for i, s in enumerate(self._sources) if s.name == name), 0))

    @property
    def current(self) -> Source:
        return self._sources[max(self.list.currentRow(), 0)]

    def _on_row(self) -> None:
        source = self.current
        self._title.setText(tr(source.title))
        self._about.setText(tr(source.about))
        self._credit.setText(tr(source.credit) if source.credit else "")
        self._use.setEnabled(source.name in self._takes)
        self._use.setToolTip(
            "" if self._use.isEnabled() else tr(_("The present experiment cannot use these data."))
        )
        self._hide_progress()
        self._download.setVisible(bool(source.megabytes))
        self._download.setText(tr(_("Download {n} MB…", n=source.megabytes)))
        self._show_panel(None)
        self._counts.hide()
        self._factors.clear()
        self._factors_heading.hide()
        if source.needs_folder and self._data_dir is None:
            self._facts.setText(tr(NEEDS))
            return
        self._facts.setText(tr(_("Getting the data ready…")))
        self.wanted.emit(RunSpec("", source.name, data_dir=self._data_dir if source.needs_folder else None))

    def show_preview(self, preview: Previewed) -> None:
        """What the engine found; dropped when another set has been chosen meanwhile."""
        self._hide_progress()
        if preview.name != self.current.name:
            return
        self._facts.setText(tr(self._words(preview)))
        self._show_panel(preview.payload)
        if len(preview.counts) > 1:
            import numpy as np

            names = tuple(name for name, _count in preview.counts)
            values = np.array([count for _name, count in preview.counts], np.float32)
            label = np.arange(len(names), dtype=np.int32)
            self._counts.setVisible(self.height() > look.px(480))  # otherwise there is no room to read it
            self._counts.present(Bars(values, names, label), 0)
            self._counts.hide_step()
        lines = [
            f"{tr(f.title)}: {number(f.low)} … {number(f.high)} {f.unit}".rstrip() for f in preview.factors
        ]
        self._factors_heading.setVisible(bool(lines))
        self._factors.setText("\n".join(lines))

    def show_progress(self, share: float) -> None:
        """The engine is at work for this dialog."""
        self._bar.setValue(round(100 * share))
        self._bar.show()
        self._cancel.show()

    def _hide_progress(self) -> None:
        self._bar.hide()
        self._cancel.hide()

    def _on_download(self) -> None:
        """The one thing that reads the network, and only on this click."""
        start = str(self._data_dir or Path.home())
        picked = QFileDialog.getExistingDirectory(self, tr(_("The folder to keep it in")), start)
        if picked:
            self._facts.setText(tr(_("Downloading…")))
            self.download_wanted.emit(self.current.name, Path(picked))

    def set_folder(self, folder: Path) -> None:
        """Data sets that need a folder are found here from now on."""
        self._data_dir = folder
        self._on_row()

    def show_problem(self, sentence: str) -> None:
        """The preview could not be made."""
        self._hide_progress()
        self._facts.setText(tr(sentence))

    def _words(self, preview: Previewed) -> str:
        shape = " × ".join(str(n) for n in preview.shape)
        if preview.size < preview.total:
            return _(
                "showing {size} of {total} items of {shape} numbers",
                size=number(preview.size), total=number(preview.total), shape=shape,
            )  # fmt: skip
        return _("{size} items of {shape} numbers", size=number(preview.size), shape=shape)

    def _show_panel(self, payload: Any) -> None:
        if self._panel is not None:
            self._panel.hide()
            self._pictures.removeWidget(self._panel)
            self._panel.deleteLater()
            self._panel = None
        if payload is not None:
            panel: Panel = PANELS[type(payload)](_("Some of them"), self._selection)
            self._panel = panel
            self._pictures.addWidget(panel)
            panel.present(payload, 0)
            panel.hide_step()

    def _on_use(self) -> None:
        self.used.emit(self.current.name)
        self.close()
