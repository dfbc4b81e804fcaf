"""Garbage is collected on the window's thread, between two events, and nowhere else.

Python collects cycles wherever an allocation happens to fill its count: on the engine's thread, or in the
middle of Qt walking through all widgets to restyle them. Some of what it finds are widgets (each pyqtgraph
plot has a few menus of its own), and a widget that dies there takes the whole program with it.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QAbstractEventDispatcher, QObject


class Tidier(QObject):
    """From ``start()`` to ``stop()`` nothing is collected except when the event loop is about to rest."""

    def start(self) -> None:
        gc.disable()
        dispatcher = QAbstractEventDispatcher.instance()
        assert dispatcher is not None, "there is no event loop without an application"
        dispatcher.aboutToBlock.connect(self._tidy)

    def stop(self) -> None:
        dispatcher = QAbstractEventDispatcher.instance()
        if dispatcher is not None:
            dispatcher.aboutToBlock.disconnect(self._tidy)
        gc.enable()

    def keep(self) -> None:
        """What has been loaded by now stays to the end: never look through it again (torch alone has more
        objects than everything else, and looking at them all would be seen as a jerk).
        """
        gc.freeze()

    def _tidy(self) -> None:
        """The oldest generation that is due, by Python's own counts."""
        for generation in (2, 1, 0):
            if gc.get_count()[generation] > gc.get_threshold()[generation]:
                gc.collect(generation)
                return
