"""What is made from the timeline, one thing at a time: films and hand-outs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from desktop.share.sharing import BUSY

if TYPE_CHECKING:
    from desktop.panels.panel import Panel
    from desktop.share.film import Film
    from desktop.share.handout import Handout
    from desktop.window import Window


class Takes(QObject):
    """Listens to the menus. Nothing is loaded before somebody wants it."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self._film: Film | None = None
        self._handout: Handout | None = None
        window.sharing.film_wanted.connect(self.ask_film)
        window.sharing.handout_wanted.connect(self.ask_handout)

    @property
    def film(self) -> Film:
        from desktop.share.film import Film

        self._film = self._film or Film(self._window)
        return self._film

    @property
    def handout(self) -> Handout:
        from desktop.share.handout import Handout

        self._handout = self._handout or Handout(self._window)
        return self._handout

    @property
    def busy(self) -> bool:
        """Whether one of them is being made."""
        return any(maker is not None and maker.busy for maker in (self._film, self._handout))

    def ask_film(self, panel: Panel | None) -> None:
        if not self._refuses():
            self.film.ask(panel)

    def ask_handout(self) -> None:
        if not self._refuses():
            self.handout.ask()

    def _refuses(self) -> bool:
        busy = self._window.sharing.busy
        if busy:
            self._window.notice.show_problem(BUSY)
        return busy
