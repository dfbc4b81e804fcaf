"""Small vector icons, drawn from strokes in the colour and size of the moment.

``icon(name)`` makes a ``QIcon`` for now; ``wear(button, name)`` gives a button one that follows theme and
scale.
"""

from __future__ import annotations

import functools

from PySide6.QtCore import QByteArray, QObject, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton

from desktop.style.tokens import look

# Each lives in a square of 24 × 24; plain paths are strokes, those after "fill:" are filled.
SHAPES: dict[str, tuple[str, ...]] = {
    "reset": ("M4 4.5v5.5h5.5", "M4.6 10a8 8 0 1 1-.3 4"),
    "restart": ("M20 4.5v5.5h-5.5", "M19.4 10a8 8 0 1 0 .3 4"),
    "dice": (
        "M6.5 3.5h11a3 3 0 0 1 3 3v11a3 3 0 0 1-3 3h-11a3 3 0 0 1-3-3v-11a3 3 0 0 1 3-3z",
        "fill:M8.4 6.8a1.6 1.6 0 1 1 0 3.2 1.6 1.6 0 0 1 0-3.2z"
        "M15.6 14a1.6 1.6 0 1 1 0 3.2 1.6 1.6 0 0 1 0-3.2z"
        "M12 10.4a1.6 1.6 0 1 1 0 3.2 1.6 1.6 0 0 1 0-3.2z",
    ),
    "back": (
        "M5.5 5.5v13",
        "fill:M19 5.2v13.6a.8.8 0 0 1-1.25.66L8.2 12.7a.85.85 0 0 1 0-1.4l9.55-6.76A.8.8 0 0 1 19 5.2z",
    ),
    "step": (
        "M18.5 5.5v13",
        "fill:M5 5.2v13.6a.8.8 0 0 0 1.25.66l9.55-6.76a.85.85 0 0 0 0-1.4L6.25 4.54A.8.8 0 0 0 5 5.2z",
    ),
    "play": ("fill:M7 4.3v15.4a1 1 0 0 0 1.54.84l11.9-7.7a1 1 0 0 0 0-1.68L8.54 3.46A1 1 0 0 0 7 4.3z",),
    "pause": (
        "fill:M7 4h2.2a1 1 0 0 1 1 1v14a1 1 0 0 1-1 1H7a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1z"
        "M14.8 4H17a1 1 0 0 1 1 1v14a1 1 0 0 1-1 1h-2.2a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1z",
    ),
    "slow": (
        "M2.5 16.5a7 7 0 0 1 14 0z",
        "M5.5 17v2.5M13.5 17v2.5",
        "M16.5 16.2h1.6a3.2 3.2 0 0 0 3.2-3.2 2.2 2.2 0 0 0-4.4 0",
    ),
    "undo": ("M8.5 14.5 3.5 9.5l5-5", "M4 9.5h10a5.5 5.5 0 0 1 0 11h-3.5"),
    "redo": ("M15.5 14.5l5-5-5-5", "M20 9.5H10a5.5 5.5 0 0 0 0 11h3.5"),
    "defaults": (
        "M3 7h9M17.5 7H21M3 17h3.5M12 17h9",
        "M14.8 4.3a2.7 2.7 0 1 1 0 5.4 2.7 2.7 0 0 1 0-5.4z"
        "M9.2 14.3a2.7 2.7 0 1 1 0 5.4 2.7 2.7 0 0 1 0-5.4z",
    ),
    "projector": ("M2.5 4h19", "M4.5 4v11.5h15V4", "M12 15.5v3M8 21.5l4-3 4 3"),
    "theme": ("M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18z", "fill:M12 3a9 9 0 0 1 0 18z"),
    "language": (
        "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18z",
        "M3.3 12h17.4",
        "M12 3c5 5.2 5 12.8 0 18M12 3c-5 5.2-5 12.8 0 18",
    ),
    "fold": ("M5 5.5l6.5 6.5L5 18.5M12.5 5.5l6.5 6.5-6.5 6.5",),
    "unfold": ("M19 5.5 12.5 12l6.5 6.5M11.5 5.5 5 12l6.5 6.5",),
    "folder": (
        "M3 18.5v-12a1.5 1.5 0 0 1 1.5-1.5H9l2.3 2.8h8.2A1.5 1.5 0 0 1 21 9.3v9.2"
        "a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 18.5z",
    ),
    "spark": (
        "M12 3.2c.9 5.4 3.4 7.9 8.8 8.8-5.4.9-7.9 3.4-8.8 8.8-.9-5.4-3.4-7.9-8.8-8.8 5.4-.9 7.9-3.4 8.8-8.8z",
    ),
    "help": (
        "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18z",
        "M9.3 9.4a2.8 2.8 0 1 1 4 2.6c-.9.4-1.3 1-1.3 1.9",
        "M12 17.1v.1",
    ),
    "more": (
        "fill:M5 10a2 2 0 1 1 0 4a2 2 0 0 1 0-4z"
        "M12 10a2 2 0 1 1 0 4a2 2 0 0 1 0-4zM19 10a2 2 0 1 1 0 4a2 2 0 0 1 0-4z",
    ),
    "close": ("M5.5 5.5l13 13M18.5 5.5l-13 13",),
    "check": ("M5 12.5l4.8 5L19.5 7",),
    "down": ("M5.5 9l6.5 6.5L18.5 9",),
    "previous": ("M15 5.5L8.5 12l6.5 6.5",),
    "right": ("M9 5.5l6.5 6.5L9 18.5",),
    "full": ("M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",),
    "take": ("M14 4h6v6", "M19.6 4.4l-8.8 8.8", "M18 14v5.5H4.5V6H10"),
    "save": ("M12 3.5v11.5M7 10.5l5 5 5-5", "M4 16.5v4h16v-4"),
    "open": ("M12 15.5V4M7 8.5l5-5 5 5", "M4 16.5v4h16v-4"),
    "larger": ("M12 5v14M5 12h14",),
    "smaller": ("M5 12h14",),
    "brush": (
        "M20.5 3.5l-9.8 9.8",
        "M8.3 12.9a3.7 3.7 0 0 1 3.2 3.6c0 2.3-2 4-4.6 4H3.2c1.5-1 1.6-2 1.6-3.8a3.7 3.7 0 0 1 3.5-3.8z",
    ),
    "spray": (
        "M5 11.5h7.5v9H5zM7 11.5V8h3.5v3.5",
        "fill:M14 4.5a1.3 1.3 0 1 1 0 2.6 1.3 1.3 0 0 1 0-2.6z"
        "M18 2.3a1.3 1.3 0 1 1 0 2.6 1.3 1.3 0 0 1 0-2.6z"
        "M18.2 7a1.3 1.3 0 1 1 0 2.6 1.3 1.3 0 0 1 0-2.6zM21.5 4.7a1.2 1.2 0 1 1 0 2.4 1.2 1.2 0 0 1 0-2.4z"
        "M21.5 10a1.2 1.2 0 1 1 0 2.4 1.2 1.2 0 0 1 0-2.4z",
    ),
    "eraser": (
        "M8.5 20l-4.6-4.6a1.6 1.6 0 0 1 0-2.2l8.8-8.8a1.6 1.6 0 0 1 2.2 0l4.7 4.7a1.6 1.6 0 0 1 0 2.2L11 20z",
        "M8.3 8.8l6.8 6.8M11 20h9.5",
    ),
    "line": (
        "M6.5 17.5l11-11",
        "fill:M4.8 16.2a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM19.2 1.8a3 3 0 1 1 0 6 3 3 0 0 1 0-6z",
    ),
    "stamp": ("M2.5 18.5c6 0 5.5-13 9.5-13s3.5 13 9.5 13",),
    "data": (
        "M5 6.2C5 4.4 8 3.2 12 3.2s7 1.2 7 3-3 3-7 3-7-1.2-7-3z",
        "M5 6.2v11.6c0 1.8 3 3 7 3s7-1.2 7-3V6.2",
        "M5 12c0 1.8 3 3 7 3s7-1.2 7-3",
    ),
    "compare": ("M3.5 5h7.5v14H3.5z", "M13 5h7.5v14H13z", "M5.5 15l2-4 1.5 2.5M15 15.5l2-2 1.5-4.5"),
    "clear": ("M4 6.5h16M9 6.3V3.8h6v2.5", "M6.2 6.8l.9 13.7h9.8l.9-13.7", "M10 10.5v6M14 10.5v6"),
    "picture": ("M4.5 4.5h15v15h-15z", "M4.5 16l4.5-4.5 4 4 2.5-2.5 4 4", "M15.2 8.8v.1"),
    "pen": ("M4 20l1.1-4.6L16.4 4.1a2.1 2.1 0 0 1 3 0l.5.5a2.1 2.1 0 0 1 0 3L8.6 18.9z", "M14 6.5l3.5 3.5"),
    "brush-small": ("fill:M12 9.6a2.4 2.4 0 1 1 0 4.8a2.4 2.4 0 0 1 0-4.8z",),
    "brush-medium": ("fill:M12 7.5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 0 1 0-9z",),
    "brush-large": ("fill:M12 4.8a7.2 7.2 0 1 1 0 14.4a7.2 7.2 0 0 1 0-14.4z",),
    "code": ("M8 6.5L2.5 12 8 17.5M16 6.5l5.5 5.5-5.5 5.5", "M13.8 4.5l-3.6 15"),
    "record": ("M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18z", "fill:M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8z"),
}


def _svg(name: str, colour: str) -> bytes:
    parts = []
    for shape in SHAPES[name]:
        if shape.startswith("fill:"):
            parts.append(f'<path d="{shape[5:]}" fill="{colour}" stroke="none"/>')
        else:
            parts.append(f'<path d="{shape}"/>')
    head = f'fill="none" stroke="{colour}" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"'
    body = "".join(parts)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><g {head}>{body}</g></svg>'.encode()


@functools.lru_cache(maxsize=512)
def _pixmap(name: str, colour: str, size: int, ratio: float) -> QPixmap:
    pixmap = QPixmap(QSize(round(size * ratio), round(size * ratio)))
    pixmap.fill(Qt.GlobalColor.transparent)
    with QPainter(pixmap) as painter:
        QSvgRenderer(QByteArray(_svg(name, colour))).render(painter)
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def colour_of(colour: str | None) -> str:
    """``colour`` as ``#rrggbb``: the name of a theme colour, any CSS colour, or None for the text's."""
    if colour is None:
        return look.colours.text
    return str(getattr(look.colours, colour, colour))


def _ratio() -> float:
    return max((screen.devicePixelRatio() for screen in QGuiApplication.screens()), default=1.0)


def pixmap(
    name: str, colour: str | None = None, size: int | None = None, ratio: float | None = None
) -> QPixmap:
    """Icon ``name`` as a picture ``size`` pixels wide (``look.px(18)`` unless told). ratio: how fine, if not
    as the screen.
    """
    return _pixmap(name, QColor(colour_of(colour)).name(), size or look.px(18), ratio or _ratio())


def icon(name: str, colour: str | None = None, size: int | None = None) -> QIcon:
    """Icon ``name`` in ``colour``: a theme colour's name ("accent"), any CSS colour, or None for the text's.

    Raises:
        KeyError: there is no icon of that name.
    """
    made = QIcon(pixmap(name, colour, size))
    made.addPixmap(pixmap(name, "faded", size), QIcon.Mode.Disabled)
    return made


class _Worn(QObject):
    """Keeps the icon of one button in the present theme and scale; lives as long as the button."""

    def __init__(self, button: QAbstractButton) -> None:
        super().__init__(button)
        self.button = button
        self.what: tuple[str, str | None, float] = ("reset", None, 18)
        look.changed.connect(self.put_on)

    def put_on(self) -> None:
        name, colour, size = self.what
        pixels = look.icon_px(size)
        self.button.setIcon(icon(name, colour, pixels))
        self.button.setIconSize(QSize(pixels, pixels))


def worn(button: QAbstractButton, ratio: float) -> QPixmap | None:
    """What ``button`` wears, made as fine as ``ratio``; None when it wears nothing."""
    found = button.findChild(_Worn)
    if not isinstance(found, _Worn):
        return None
    name, colour, size = found.what
    return pixmap(name, colour if button.isEnabled() else "faded", look.icon_px(size), ratio)


def wear(button: QAbstractButton, name: str, colour: str | None = None, size: float = 18) -> None:
    """Give ``button`` the icon ``name``, now and after every change of theme or scale, until another call."""
    worn = button.findChild(_Worn)
    if not isinstance(worn, _Worn):
        worn = _Worn(button)
    if worn.what != (name, colour, size) or button.icon().isNull():
        worn.what = (name, colour, size)
        worn.put_on()
