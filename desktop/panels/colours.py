"""Colours made of colours."""

from __future__ import annotations

from PySide6.QtGui import QColor


def with_alpha(colour: QColor, alpha: float) -> QColor:
    """The same colour, let through."""
    faint = QColor(colour)
    faint.setAlphaF(alpha)
    return faint


def mix(first: QColor, second: QColor, part: float) -> QColor:
    """``first`` with ``part`` of ``second``: a lighter colour that stays opaque, no darker crossings."""
    keep = 1 - part
    return QColor.fromRgbF(
        keep * first.redF() + part * second.redF(),
        keep * first.greenF() + part * second.greenF(),
        keep * first.blueF() + part * second.blueF(),
    )


def ink_on(colour: QColor) -> QColor:
    """Black or white, whichever reads better on ``colour``."""
    light = 0.2126 * colour.redF() ** 2.2 + 0.7152 * colour.greenF() ** 2.2 + 0.0722 * colour.blueF() ** 2.2
    return QColor("#000000") if light > 0.26 else QColor("#ffffff")
