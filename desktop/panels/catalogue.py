"""Which panel draws which payload."""

from __future__ import annotations

from typing import Any

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


def make_panel(channel: Channel, selection: Selection) -> Panel:
    """The panel for what ``channel`` hands out."""
    panel: Panel = PANELS[channel.payload](channel.title, selection)
    return panel
