"""What is on screen, in the plain values of a session file, and back again.

A file may come from anywhere: what does not fit the run is left out without a word, and the rest is shown.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

from desktop.panels import plane

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from desktop.panels.area import PanelArea
    from desktop.window import Window

LARGEST = 10_000_000
"""Items; more are none of ours."""


def taken(window: Window) -> dict[str, Any]:
    """What is on screen now: the step looked at, what is selected and how points are coloured, where each
    picture was zoomed to, and how fast it goes.
    """
    area = window.area
    if area is None:
        return {}
    selection = area.selection
    return {
        "shown": window.shown_step if window.looks_back else None,
        "pace": window.transport.speed_slider.value(),
        "step_size": window.transport.size_box.currentIndex(),
        "selected": None if selection.items is None else _packed(selection.items),
        "pin": selection.pin,
        "hidden": sorted(selection.hidden),
        "colouring": selection.colouring,
        "cameras": _cameras(area),
    }


def put_back(window: Window, view: Mapping[str, Any]) -> None:
    """Show ``view`` of the run that has just been opened."""
    area, started = window.area, window.started
    if area is None or started is None:
        return
    size, selection = started.size, area.selection
    selection.clear()
    items = _unpacked(view.get("selected"), size)
    if items is not None:
        selection.select(items)
    hidden = view.get("hidden")
    if isinstance(hidden, list):
        selection.hide_labels(frozenset(label for label in hidden if _is_int(label) and 0 <= label < size))
    colouring = view.get("colouring")
    if isinstance(colouring, str) and colouring in dict(started.colourings):
        area.colour_by(colouring)
    pin = view.get("pin")
    if _is_int(pin) and 0 <= pin < size:
        selection.set_pin(pin)
    tick, step_size = view.get("pace"), view.get("step_size")
    if _is_int(tick):
        slider = window.transport.speed_slider
        slider.setValue(min(max(tick, slider.minimum()), slider.maximum()))
    if _is_int(step_size) and 0 <= step_size < window.transport.size_box.count():
        window.transport.size_box.setCurrentIndex(step_size)
    cameras = view.get("cameras")
    if isinstance(cameras, Mapping):
        _set_cameras(area, cameras)
    shown = view.get("shown")
    if _is_int(shown) and shown >= 0:
        window.seek(shown)


def _is_int(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _cameras(area: PanelArea) -> dict[str, list[float]]:
    cameras = {name: panel.canvas.view.camera for name, panel in area.scatters().items()}
    return {name: list(camera) for name, camera in cameras.items() if camera is not None}


def _set_cameras(area: PanelArea, cameras: Mapping[str, Any]) -> None:
    for name, panel in area.scatters().items():
        found = cameras.get(name)
        if not isinstance(found, list) or len(found) != 4:
            continue
        if not all(isinstance(v, (int, float)) and abs(v) < plane.LARGEST for v in found):
            continue
        x0, x1, y0, y1 = map(float, found)
        # As near as a person can come: what is finer float32 does not know.
        if min(x1 - x0, y1 - y0) > max(plane.SMALLEST, 1e-6 * max(map(abs, (x0, x1, y0, y1)))):
            panel.canvas.view.set_camera((x0, x1, y0, y1))


def _packed(items: NDArray[np.int32]) -> str:
    """Indices as a packed mask, one bit an item, so that even a million of them take little."""
    import numpy as np

    mask = np.zeros(int(items.max()) + 1, bool)
    mask[items] = True
    return base64.b64encode(zlib.compress(np.packbits(mask).tobytes(), 1)).decode("ascii")


def _unpacked(word: object, size: int) -> NDArray[np.int32] | None:
    """The indices below ``size`` in what ``_packed`` gave; None when it is none of it."""
    import numpy as np

    if not isinstance(word, str):
        return None
    try:
        packed = zlib.decompressobj().decompress(base64.b64decode(word, validate=True), LARGEST // 8)
    except (ValueError, zlib.error):
        return None
    items = np.flatnonzero(np.unpackbits(np.frombuffer(packed, np.uint8))).astype(np.int32)
    items = items[items < size]
    return items if len(items) else None
