"""The menu behind the three dots: files, what to take home, data, settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu

from desktop.language import _, language, say, tr
from desktop.settings import MEMORIES
from desktop.style.tokens import SCALES, look

if TYPE_CHECKING:
    from desktop.window import Window


class MoreMenu(QMenu):
    """Everything that has no place of its own in the ``window``."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self._keys: list[tuple[QAction, str, str]] = []
        window.undoing.fill(self)
        self._add(self, _("Open…"), window.open_any, "Ctrl+O")
        self._recent = self._submenu(_("Open again"))
        self._recent.aboutToShow.connect(self._list_recent)
        self._add(self, _("Save"), window.save, "Ctrl+S")
        self._add(self, _("Save as…"), window.save_as, "Ctrl+Shift+S")
        self.addMenu(window.sharing.window_menu(self))
        self.addSeparator()
        data = self._submenu(_("Data"))
        self._add(data, _("All data…"), window.show_data, "Ctrl+D")
        self._add(data, _("Open my own data…"), window.open_own)
        self._add(data, _("Folder with data sets, such as MNIST…"), window.datasets.choose_folder)
        self._add(self, _("Show me the code"), window.show_code, "Ctrl+U")
        self._add(self, _("Keys"), window.show_keys, "?")
        settings = self._submenu(_("Settings"))
        self._add(settings, _("Show or hide the lesson"), window.toggle_explain)
        self._add_sizes(settings)
        self._add_memory(settings)
        self._add(settings, _("Back to the first settings"), window.forget_settings)
        self._add(self, _("About Latentarium"), window.about)
        language.changed.connect(self._write)
        look.changed.connect(self._on_look)
        self._write()

    def _submenu(self, title: str, parent: QMenu | None = None) -> QMenu:
        menu = (parent or self).addMenu("")
        say(menu.setTitle, title)
        return menu

    def _add(self, menu: QMenu, text: str, slot: Callable[[], Any], keys: str = "") -> None:
        """keys: what does the same; the window itself listens to them."""
        action = QAction(self)
        action.triggered.connect(lambda _on=False: slot())
        menu.addAction(action)
        self._keys.append((action, text, keys))

    def _write(self) -> None:
        for action, text, keys in self._keys:
            named = QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)
            action.setText("\t".join((tr(text), named)) if keys else tr(text))

    def _add_sizes(self, settings: QMenu) -> None:
        menu, self._sizes = self._submenu(_("Size"), settings), QActionGroup(self)
        for scale in SCALES:
            action = QAction(f"{scale:.0%}", self, checkable=True, checked=scale == look.scale)
            action.triggered.connect(lambda _on=False, scale=scale: look.update(scale=scale))
            self._sizes.addAction(action)
            menu.addAction(action)

    def _on_look(self) -> None:
        for action in self._sizes.actions():
            action.setChecked(action.text() == f"{look.scale:.0%}")

    def _add_memory(self, settings: QMenu) -> None:
        """How much of the past is kept."""
        menu, group = self._submenu(_("Memory for going back"), settings), QActionGroup(self)
        for size in MEMORIES:
            action = QAction(self, checkable=True, checked=size == self._window.settings.memory)
            say(action.setText, _("{n} MB", n=size))
            action.triggered.connect(lambda _on=False, size=size: self._window.set_memory(size))
            group.addAction(action)
            menu.addAction(action)

    def _list_recent(self) -> None:
        """What was on screen the last time, and the files of late."""
        menu, keeping = self._recent, self._window.keeping
        menu.clear()
        if keeping is not None and keeping.former is not None:
            last = menu.addAction(tr(_("What was on screen the last time")))
            last.triggered.connect(keeping.take_up_former)
        for word in self._window.settings.recent:
            action = menu.addAction(Path(word).name.replace("&", "&&"))
            action.setToolTip(word)
            action.triggered.connect(lambda _on=False, path=Path(word): self._window.look_at(path))
        if menu.isEmpty():
            menu.addAction(tr(_("nothing yet"))).setEnabled(False)
