"""What a person takes home from the window: asked for in menus, collected at once, written aside."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, QStandardPaths, Qt, Signal
from PySide6.QtGui import QAction, QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from desktop.language import _, say, tr
from engine.api import Text, sources

if TYPE_CHECKING:
    from desktop.panels.panel import Panel
    from desktop.share.folder import Collected
    from desktop.share.gathering import Gathering
    from desktop.share.writer import Writer
    from desktop.window import Window

FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]+')
"""What some system does not allow in the name of a file."""
LONGEST_NAME = 120
UNSAID = 0.3
"""Seconds that need no progress."""
KINDS = {
    "png": _("Picture"),
    "svg": _("Vector drawing"),
    "csv": _("Table"),
    "gif": _("Film"),
    "webp": _("Film"),
    "html": _("Page"),
    "": _("Folder"),
}
DOCUMENTS = QStandardPaths.StandardLocation.DocumentsLocation
BUSY = _("Something is still being written; wait for it, or cancel it first.")
STOPPED = _("Stopped. Nothing has been written.")
NOTHING = _("There is nothing to take home yet: choose an experiment first.")


class Sharing(QObject):
    """Lives as long as the window. One thing is written at a time."""

    film_wanted = Signal(object)
    """A film of this panel, or of the window (None)."""
    handout_wanted = Signal()
    done = Signal(object)
    """The file or folder that has been written, or None."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self._folder = Path(QStandardPaths.writableLocation(DOCUMENTS) or Path.home())
        self._writer: Writer | None = None
        self._gathering: Gathering | None = None
        self._words: Text | str = ""
        self._begun = 0.0

    def begin(self) -> None:
        """The window has its pictures and its engine."""
        assert self._window.area is not None
        self._window.area.shared.connect(self.show_menu)
        self._window.notice.cancelled.connect(self.give_up)

    def close(self) -> None:
        """The window closes: nothing half written stays behind."""
        self.give_up()
        if self._writer is not None:
            self._writer.join()

    # ── menus ───────────────────────────────────────────────────────────────────────────────────────────────

    def window_menu(self, parent: QWidget) -> QMenu:
        """What can be taken home of the window."""
        menu = QMenu(parent)
        say(menu.setTitle, _("Take home"))
        for text, slot in (
            (_("Copy the window"), self.copy),
            (_("Save the window…"), self.save_picture),
            (_("The whole run, as a folder…"), self.save_run),
            (_("Film…"), lambda: self.film_wanted.emit(None)),
            (_("Hand-out…"), self.handout_wanted.emit),
        ):
            action = QAction(menu)
            say(action.setText, text)
            action.triggered.connect(lambda _on=False, slot=slot: slot())
            menu.addAction(action)
        return menu

    def show_menu(self, panel: Panel, at: QPoint) -> None:
        """What can be taken home of one picture."""
        menu = self.panel_menu(panel)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(at)

    def panel_menu(self, panel: Panel) -> QMenu:
        from desktop.share import picture, table

        menu = QMenu(self._window)
        entries: list[tuple[str, Callable[[], object]]] = [
            (_("Copy picture"), lambda: self.copy(panel)),
            (_("Save picture (PNG)…"), lambda: self.save_picture(panel)),
        ]
        if picture.is_drawing(panel):
            entries.append((_("Save vector drawing (SVG)…"), lambda: self.save_drawing(panel)))
        if table.of_panel(panel) is not None:
            entries.append((_("Save data (CSV)…"), lambda: self.save_data(panel)))
        entries.append((_("Film of the timeline…"), lambda: self.film_wanted.emit(panel)))
        for text, slot in entries:
            action = menu.addAction(tr(text))
            action.triggered.connect(lambda _on=False, slot=slot: slot())
        return menu

    # ── one picture, or the window ──────────────────────────────────────────────────────────────────────────

    def copy(self, panel: Panel | None = None) -> None:
        """To the clipboard, captioned, twice as fine as on the screen."""
        QGuiApplication.clipboard().setImage(self._picture(panel))
        self._window.notice.show_news(_("The picture is on the clipboard."))

    def save_picture(self, panel: Panel | None = None) -> None:
        from desktop.share.folder import encoded

        image = self._picture(panel)  # now: by the time a name is found the run has gone on
        self._save(_("Save the picture"), "png", panel, lambda: _one(lambda: encoded(image)))

    def save_drawing(self, panel: Panel) -> None:
        from desktop.share import caption, picture

        drawing = picture.svg(panel, caption.of(self._window, panel.step))
        self._save(_("Save the vector drawing"), "svg", panel, lambda: _one(lambda: drawing))

    def save_data(self, panel: Panel) -> None:
        from desktop.share import table

        found = table.of_panel(panel)
        if found is not None:
            self._save(_("Save the data"), "csv", panel, lambda: table.pieces(found))

    def _picture(self, panel: Panel | None) -> QImage:
        from desktop.share import caption, picture

        step = None if panel is None else panel.step
        return picture.render(panel or self._window, caption=caption.of(self._window, step))

    def _save(
        self,
        title: Text,
        form: str,
        panel: Panel | None,
        pieces: Callable[[], Iterator[tuple[bytes, float]]],
    ) -> None:
        from desktop.share.whole import whole

        if self._refuse():
            return
        path = self.ask_path(title, form, self.name(panel))
        if path is None:
            return

        def work(path: Path) -> Iterator[float]:
            with whole(path) as file:
                for piece, share in pieces():
                    file.write(piece)
                    yield share

        self._write(path, work, _("Writing “{name}”…", name=path.name))

    # ── the whole run ───────────────────────────────────────────────────────────────────────────────────────

    def save_run(self) -> None:
        """Into a folder: see :mod:`desktop.share.folder`."""
        window = self._window
        if self._refuse():
            return
        if window.area is None or window.record is None or window.record.started is None:
            window.notice.show_problem(NOTHING)
            return
        path = self.ask_path(_("A folder for the whole run"), "", self.name())
        if path is not None:
            self.write_run(path)

    def write_run(self, path: Path) -> None:
        """``done`` follows."""
        from desktop.share.gathering import Gathering

        self._words = _("Writing “{name}”…", name=path.name)
        self._window.notice.show_progress(0.0, self._words)
        self._gathering = Gathering(self._window)
        self._gathering.ended.connect(lambda found: self._on_gathered(path, found))
        self._gathering.begin()

    def _on_gathered(self, path: Path, found: Collected | None) -> None:
        from desktop.share import folder

        self._gathering = None
        if found is None:
            self._on_ended("")
        else:
            self._write(path, folder.writing(found), self._words)

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def busy(self) -> bool:
        """Whether something is being written."""
        takes = self._window.takes
        own = self._writer is not None or self._gathering is not None
        return own or (takes is not None and takes.busy)

    def _refuse(self) -> bool:
        if self.busy:
            self._window.notice.show_problem(BUSY)
        return self.busy

    def _write(self, path: Path, work: Callable[[Path], Iterator[float]], words: Text | str) -> None:
        from desktop.share.writer import Writer

        self._words, self._begun = words, time.monotonic()
        self._writer = Writer(path, work, self)
        self._writer.progressed.connect(self._on_progress)
        self._writer.ended.connect(self._on_ended)
        self._writer.begin()

    def give_up(self) -> None:
        """The person no longer wants it: nothing is written."""
        if self._gathering is not None:
            self._gathering.give_up()
        if self._writer is not None:
            self._writer.give_up()

    def _on_progress(self, share: float) -> None:
        if time.monotonic() - self._begun > UNSAID:
            self._window.notice.show_progress(share, self._words)

    def _on_ended(self, problem: str | None) -> None:
        """None: it is written. "": given up."""
        path = None if self._writer is None or problem is not None else self._writer.path
        if self._writer is not None:
            self._writer.deleteLater()
            self._writer = None
        notice = self._window.notice
        if path is not None:
            notice.show_news(_("Saved: {name}", name=path.name))
        elif problem:
            notice.show_problem(problem)
        else:
            notice.show_news(STOPPED)
        self.done.emit(path)

    # ── names ───────────────────────────────────────────────────────────────────────────────────────────────

    def ask_path(self, title: str, form: str, name: str = "") -> Path | None:
        """Where to write, asked of the person; the folder is remembered. form: the ending of the file, "" for
        a folder. name: proposed for it.
        """
        ending = f".{form}" if form else ""
        proposed = self._folder / f"{name or self.name()}{ending}"
        kinds = f"{tr(KINDS.get(form, KINDS['']))} (*{ending})"
        chosen, _kind = QFileDialog.getSaveFileName(self._window, tr(title), str(proposed), kinds)
        if not chosen:
            return None
        path = Path(chosen)
        self._folder = path.parent
        return path if not ending or path.suffix.lower() == ending else _free(path, ending)

    def name(self, panel: Panel | None = None) -> str:
        """A name for a file: what it is of, and the step."""
        window = self._window
        record, conductor = window.record, window.conductor
        if record is None or record.started is None or conductor is None:
            return "Latentarium"
        spec = record.started.spec
        parts = [tr(conductor.infos[spec.experiment].title)]
        parts += [tr(source.title)] if (source := sources().get(spec.dataset)) is not None else []
        parts += [panel.title] if panel is not None else []
        shown = window.shown_step if panel is None or panel.step is None else panel.step
        step = tr(_("step {step}", step=str(shown)))
        whole = " ".join(FORBIDDEN.sub(" ", " ".join(parts)).split())
        return f"{whole[:LONGEST_NAME].strip(' .')} {step}"


def _one(make: Callable[[], bytes]) -> Iterator[tuple[bytes, float]]:
    """A file that is made in one piece."""
    yield make(), 1.0


def _free(path: Path, ending: str) -> Path:
    """The same with ``ending``, under a name that nothing has so far: nobody was asked about that one."""
    found, k = path.with_name(path.name + ending), 1
    while found.exists():
        k += 1
        found = path.with_name(f"{path.name} {k}{ending}")
    return found
