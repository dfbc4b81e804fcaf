"""One selection for all panels: which items are chosen, which one is under the mouse, which one is pinned,
and what the points are coloured by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.api import Colours


class Selection(QObject):
    """Items are indices into the data set. Panels show unselected ones in grey; they never make them
    disappear.
    """

    changed = Signal()
    """``items`` changed: None = no selection, else a sorted int32 array."""
    hovered = Signal(int)
    """The item under the mouse, -1 for none."""
    pinned = Signal(int)
    """The item pinned by a click, -1 for none."""
    labels_changed = Signal()
    """``hidden`` or ``lit`` changed (the legend is a control)."""

    colours_changed = Signal()
    """``colours`` or ``colouring`` changed."""

    def __init__(self) -> None:
        super().__init__()
        self.items: NDArray[np.int32] | None = None
        self.hover = -1
        self.pin = -1
        self.neighbours: tuple[int, ...] = ()
        self.hidden: frozenset[int] = frozenset()
        self.lit: int | None = None
        self.colouring = ""
        """What was chosen to colour the points by; "" is as each picture does it by itself."""
        self.colours: Colours | None = None
        """The colours that have come, for every panel whose points are the items."""

    def select(self, items: NDArray[np.int32] | None) -> None:
        self.items = None if items is None or len(items) == 0 else items
        self.changed.emit()

    def set_hover(self, item: int) -> None:
        if item != self.hover:
            self.hover = item
            self.hovered.emit(item)

    def set_pin(self, item: int) -> None:
        self.pin = item
        self.neighbours = ()
        self.pinned.emit(item)

    def set_neighbours(self, items: tuple[int, ...]) -> None:
        """The neighbours of the pinned item have been found."""
        if items != self.neighbours:  # every panel hears of the answer
            self.neighbours = items
            self.pinned.emit(self.pin)

    def toggle_label(self, label: int) -> None:
        """Hide a class, or show it again."""
        self.hidden = self.hidden ^ {label}
        self.labels_changed.emit()

    def solo_label(self, label: int, count: int) -> None:
        """Show only this class; a second time, show all ``count`` again."""
        others = frozenset(range(count)) - {label}
        self.hidden = frozenset() if self.hidden == others else others
        self.labels_changed.emit()

    def hide_labels(self, labels: frozenset[int]) -> None:
        """Hide exactly these classes."""
        if labels != self.hidden:
            self.hidden = labels
            self.labels_changed.emit()

    def light_label(self, label: int | None) -> None:
        """Let this class stand out while the mouse is on its name; the others fade."""
        if label != self.lit:
            self.lit = label
            self.labels_changed.emit()

    def colour_by(self, name: str) -> None:
        """Choose what the points are coloured by. The former colours stay until the new ones come."""
        if name == self.colouring:
            return
        self.colouring = name
        if not name and self.colours is not None:
            self.set_colours(None)
        else:
            self.colours_changed.emit()

    def set_colours(self, colours: Colours | None) -> None:
        """These are the colours of the items now; None: each picture has its own again."""
        if colours is self.colours:
            return
        self.colours = colours
        if colours is None:
            self.colouring = ""
        if self.hidden or self.lit is not None:  # the labels mean something else now
            self.hidden, self.lit = frozenset(), None
            self.labels_changed.emit()
        self.colours_changed.emit()

    def clear(self) -> None:
        """Esc: nothing selected, pinned or hidden. What the points are coloured by stays."""
        self.items, self.hidden, self.lit = None, frozenset(), None
        self.changed.emit()
        self.labels_changed.emit()
        self.set_pin(-1)
        self.set_hover(-1)
