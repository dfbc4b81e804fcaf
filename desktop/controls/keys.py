"""What the keys do, and what this program is."""

from __future__ import annotations

import platform
from importlib import metadata

from PySide6.QtCore import Qt, qVersion
from PySide6.QtWidgets import QDialog, QFrame, QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from desktop.language import _, tr
from desktop.style.tokens import look

WIDTH = 560
"""Of the list of keys, in pixels at 100 %."""
SHARE = 0.94
"""Of the window, that it takes at most."""
KEYS = (
    (_("Space"), _("Play or pause")),
    ("→", _("One step on; in slow motion one moment on")),
    ("←", _("One step back")),
    ("S", _("Slow motion")),
    ("R", _("Reset: same seed, exactly the same start")),
    ("N", _("New seed: another start")),
    (_("PgDn  PgUp"), _("Next and previous demo (a clicker sends these)")),
    ("D", _("Draw something for the model, or put it away")),
    ("F5  F11", _("Projector mode; full screen")),
    ("Ctrl S  O", _("Save the runs; open runs or data")),
    ("Ctrl  +  −  0", _("Larger, smaller, normal size")),
    ("Ctrl T", _("Light or dark")),
    ("Ctrl L", _("English or French")),
    ("Ctrl U", _("Show the code of the method, and a script of the run")),
    ("B", _("Paint your own points, where the data lie in the plane")),
    ("Ctrl Z", _("Undo what was done last: knob, selection, drawing, deletion; with Shift, redo")),
    (_("Esc"), _("Lay the brush down; clear the selection")),
    ("?", _("This list")),
)


class KeysDialog(QDialog):
    """The list of keys."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr(_("Keys")))
        inside = QWidget()
        grid = QGridLayout(inside)
        grid.setHorizontalSpacing(look.px(24))
        grid.setVerticalSpacing(look.px(6))
        margin = look.px(20)
        grid.setContentsMargins(margin, margin, margin, margin)
        for row, (key, text) in enumerate(KEYS):
            name = QLabel(tr(key))
            name.setFont(look.font(bold=True))
            what = QLabel(tr(text))
            what.setFont(look.font())
            what.setWordWrap(True)
            grid.addWidget(name, row, 0, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
            grid.addWidget(what, row, 1)
        grid.setColumnStretch(1, 1)
        area = QScrollArea(widgetResizable=True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(inside)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(area)
        wide = min(look.px(WIDTH), round(SHARE * parent.width()))
        high = min(inside.heightForWidth(wide), round(SHARE * parent.height()))
        self.resize(wide, high)


class AboutDialog(QDialog):
    """Name, version, and the promise."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr(_("About Latentarium")))
        try:
            version = metadata.version("latentarium")
        except metadata.PackageNotFoundError:
            version = ""
        column = QVBoxLayout(self)
        margin = look.px(24)
        column.setContentsMargins(margin, margin, margin, margin)
        column.setSpacing(look.px(10))
        for text, font in (
            (f"Latentarium {version}", look.font(1.4, bold=True)),
            (tr(_("Unsupervised, self-supervised and generative learning, live.")), look.font()),
            (tr(_("Nothing leaves this computer.")), look.font()),
            (f"Python {platform.python_version()} · Qt {qVersion()}", look.font(0.9)),
        ):
            label = QLabel(text)
            label.setFont(font)
            label.setWordWrap(True)
            column.addWidget(label)
