"""Which panel draws which payload."""

from __future__ import annotations

from typing import Any

from desktop.history import History
from desktop.panels.bar_panel import BarPanel
from desktop.panels.curve_panel import CurvePanel
from desktop.panels.image_grid import ImageGrid
from desktop.panels.note_panel import NotePanel
from desktop.panels.panel import Panel
from desktop.panels.scatter import ScatterPanel
from desktop.selection import Selection
from engine.api import Bars, Channel, Curve, Images, Note, Points

PANELS: dict[type[Any], Any] = {
    Points: ScatterPanel,
    Images: ImageGrid,
    Curve: CurvePanel,
    Bars: BarPanel,
    Note: NotePanel,
}


def make_panel(channel: Channel, selection: Selection, history: History | None = None) -> Panel:
    """The panel for what ``channel`` hands out; what is painted in it can be undone by ``history``."""
    kind = PANELS[channel.payload]
    if kind is ScatterPanel:
        return ScatterPanel(channel.title, selection, history=history)
    panel: Panel = kind(channel.title, selection)
    return panel
