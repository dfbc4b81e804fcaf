"""A hand-out of the session: one page that opens anywhere, with what was seen, how it came about, the lesson,
and how to do it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from PySide6.QtGui import QImage

from desktop.language import _, number, tr
from desktop.share import caption, page, telling
from desktop.share.folder import encoded
from desktop.share.job import Taking
from desktop.share.picture import on_stage, render
from desktop.share.tour import NOTHING_RECORDED, spread
from desktop.topics import TOPICS
from engine.api import Text, is_second

if TYPE_CHECKING:
    from desktop.panels.panel import Panel
    from desktop.window import Window

MOMENTS = 6
"""Pictures of the way there."""
FINE, COARSE = 2.0, 1.25
"""How much finer than on the screen the pictures are: those of now, and those of the way."""
MAKING = _("Making the hand-out…")
Shot = tuple[str, str, str, QImage, int]
"""The moment it belongs to, or "" for now; title, line, picture, and how wide it is on the screen."""


class Handout(Taking):
    """Asks where to, and makes a hand-out."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._alike = False
        self._page: page.Page | None = None

    def ask(self) -> None:
        """Ask where to, and make it."""
        if self.busy:
            return
        if self._window.record is None or self._window.record.started is None:
            self._window.notice.show_problem(NOTHING_RECORDED)
            return
        path = self._window.sharing.ask_path(_("Save the hand-out"), "html")
        if path is not None:
            self.make(path)

    def make(self, path: Path) -> None:
        """Make it now; ``done`` follows."""
        if self.busy or self._window.area is None:
            return
        self._page = None
        self._window.area.watch_all(True)
        self._begin(path, MAKING)

    def _steps(self, recorded: Sequence[int]) -> list[int]:
        """The newest first, framed as it is on the screen, and then the way there."""
        if not recorded:
            self.give_up(NOTHING_RECORDED)
            return []
        record, last = self._window.record, recorded[-1]
        if record is not None and record.spec is not None:
            experiment, beside = record.spec.experiment, record.spec.beside
            self._alike = beside is None and any(experiment in topic.multiples for topic in TOPICS)
        return [last, *(step for step, _n in spread(recorded, recorded[0], last, MOMENTS, even=False))]

    def _shoot(self, step: int) -> Iterator[Shot]:
        """All pictures first, then the main one at every moment."""
        area = self._window.area
        assert area is not None
        moment = tr(_("step {step}", step=number(step)))
        if self._page is None:
            self._page = telling.compose(self._window)
            for panel in area.panels.values():
                yield from self._picture(panel, "", FINE)
        elif self._alike:  # small multiples: only all of them together tell what happens
            yield moment, tr(_("All pictures")), "", render(area, COARSE, white=True), area.width()
        else:
            for panel in main_panels(area.panels):
                yield from self._picture(panel, moment, COARSE)

    def _picture(self, panel: Panel, moment: str, ratio: float) -> Iterator[Shot]:
        """On white, as for paper; nothing where the panel has no picture or no place in the window."""
        with on_stage(panel) as seen:
            if seen and panel.payload is not None:
                line = caption.of(self._window, panel.step)
                yield moment, panel.title, line, render(panel, ratio, white=True), panel.width()

    def _write(self, file: IO[bytes], things: Iterator[Shot]) -> None:
        """On the thread of the job."""
        now: list[page.Picture] = []
        moments: dict[str, list[page.Picture]] = {}
        for moment, title, line, image, wide in things:
            there = moments.setdefault(moment, []) if moment else now
            there.append(page.Picture(title, line, encoded(image), wide))
        assert self._page is not None
        way = [page.Moment(title, there, self._alike) for title, there in moments.items()]
        for part in page.write(self._page, now, way):
            file.write(part.encode())

    def _on_ended(self, problem: Text | str | None) -> None:
        if self._window.area is not None:
            self._window.area.watch_all(False)
        super()._on_ended(problem)

    def _told(self, path: Path) -> Text:
        return _("The hand-out has been saved as “{path}”.", path=path.name)


def main_panels(panels: Mapping[str, Panel]) -> list[Panel]:
    """The first picture; of two runs side by side the first of each."""
    found = [next((p for n, p in panels.items() if is_second(n) == b), None) for b in (False, True)]
    return [panel for panel in found if panel is not None]
