"""What a picture is being painted on: the screen, a picture to take home, or a drawing made of strokes.

Asked of the painter, not of the widget: the same widget is painted on a screen and, twice as fine, in a file.
"""

from __future__ import annotations

from PySide6.QtGui import QPaintEngine, QPainter

FINE = 2.0
"""Pixels to one of the widget's where a drawing cannot do without an image."""


def grain(painter: QPainter) -> float:
    """How many pixels of the device make one of the widget's."""
    return FINE if is_vector(painter) else painter.deviceTransform().m11()


def is_vector(painter: QPainter) -> bool:
    """Whether strokes stay strokes."""
    return painter.paintEngine().type() == QPaintEngine.Type.SVG
