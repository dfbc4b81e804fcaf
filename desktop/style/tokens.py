"""Every colour and every size, in one place.

``look`` is the one object that widgets and panels read. It changes as a whole (theme, scale, projector mode)
and then emits ``changed``; whoever draws connects to that and draws again.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase


@dataclass(frozen=True, slots=True)
class Colours:
    """A theme. Contrast: text on surfaces at least 4.5:1, marks at least 3:1."""

    window: str
    surface: str
    raised: str
    line: str
    text: str
    quiet: str
    accent: str
    on_accent: str
    hover: str
    plot: str
    grid: str
    faded: str
    flag: str
    problem: str
    guest: str


LIGHT = Colours(
    window="#f3f4f6", surface="#ffffff", raised="#eef1f6", line="#dfe2e8", text="#15181d", quiet="#5a6271",
    accent="#0b62d0", on_accent="#ffffff", hover="#e4e9f2", plot="#ffffff", grid="#e8eaee", faded="#d5d8de",
    flag="#a86a00", problem="#a5320a",
    guest="#ffd21f",
)  # fmt: skip
DARK = Colours(
    window="#0f1218", surface="#1b1f27", raised="#262c37", line="#323845", text="#edf0f5", quiet="#a2abba",
    accent="#4c9dff", on_accent="#08121f", hover="#2b3240", plot="#11141b", grid="#232833", faded="#3a414e",
    flag="#f0b13c", problem="#ff9466",
    guest="#ffd94a",
)  # fmt: skip

# Okabe & Ito (2008): told apart with every common colour blindness. First the strong ones.
CLASSES_LIGHT = (
    "#0072b2",
    "#e08e00",
    "#009e73",
    "#cc79a7",
    "#d55e00",
    "#3aa0dc",
    "#8f8a00",
    "#5b5b5b",
    "#7b4fb0",
    "#a3522b",
)
CLASSES_DARK = (
    "#3d9be0",
    "#f0a92e",
    "#1fbf91",
    "#e29cc4",
    "#f07a2b",
    "#7cc8f5",
    "#d6cf3a",
    "#b5b5b5",
    "#ab86e0",
    "#cf8358",
)
# Curves, in order: the first is the one most looked at.
CURVES_LIGHT = (
    "#0072b2", "#c85a00", "#007f5c", "#a8488a", "#6b6b6b", "#6a4fb3", "#7d6a00", "#9b2d20",
)  # fmt: skip
CURVES_DARK = (
    "#4aa8ec", "#ff9a4d", "#2fcf9f", "#eaa3cc", "#b5b5b5", "#b09cf0", "#d3c24a", "#ff8a7a",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Code:
    """The words of a program, on a surface or on a changed line of one: contrast at least 4.5:1."""

    keyword: str
    string: str
    number: str
    comment: str
    decorator: str


CODE_LIGHT = Code(
    keyword="#6f3fb0", string="#0a6b4f", number="#0b5fc0", comment="#5a6271", decorator="#9c4a00"
)  # fmt: skip
CODE_DARK = Code(
    keyword="#b9a3f5", string="#5fd0a4", number="#7cb8ff", comment="#a2abba", decorator="#f0a860"
)  # fmt: skip

SCALES = (1.0, 1.25, 1.5, 1.75, 2.0, 2.5)
BASE_POINT_SIZE = 10.5
PROJECTOR_POINT_SIZE = 20.0


class Look(QObject):
    """The present appearance: theme, scale, projector mode, and everything that follows from them."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.theme = "light"
        self.scale = 1.0
        self.projector = False
        self.reduce_motion = False
        self.factor = 1.0
        """How much larger everything is than at 100 % on a desk; kept, since every painter asks often."""

    def update(
        self, *, theme: str | None = None, scale: float | None = None, projector: bool | None = None
    ) -> None:
        """Change some of it and tell everybody once."""
        before = (self.theme, self.scale, self.projector)
        self.theme = theme or self.theme
        self.scale = min(max(scale or self.scale, SCALES[0]), SCALES[-1])
        self.projector = self.projector if projector is None else projector
        if before != (self.theme, self.scale, self.projector):
            self.factor = self.points / BASE_POINT_SIZE
            self.changed.emit()

    @property
    def dark(self) -> bool:
        return self.theme == "dark"

    @property
    def colours(self) -> Colours:
        return DARK if self.dark else LIGHT

    @property
    def classes(self) -> tuple[str, ...]:
        """Colours of labels 0, 1, 2, … (repeat after the last; then shapes differ)."""
        return CLASSES_DARK if self.dark else CLASSES_LIGHT

    @property
    def curves(self) -> tuple[str, ...]:
        return CURVES_DARK if self.dark else CURVES_LIGHT

    @property
    def code(self) -> Code:
        return CODE_DARK if self.dark else CODE_LIGHT

    @property
    def points(self) -> float:
        """Body text in typographic points."""
        base = PROJECTOR_POINT_SIZE if self.projector else BASE_POINT_SIZE
        return base * self.scale

    def px(self, size: float) -> int:
        """``size`` pixels at 100 %, as many as now needed."""
        return max(1, round(size * self.factor))

    def icon_px(self, size: float) -> int:
        """The same for icons and their buttons, which need not grow as fast as text to be seen and hit."""
        return max(1, round(size * (1 + (self.factor - 1) / 2)))

    def font(self, relative: float = 1.0, *, bold: bool = False, tabular: bool = False) -> QFont:
        """The interface font, ``relative`` to body text; in projector mode never under 20 points. tabular:
        all digits equally wide.
        """
        font = QFont("Inter")
        font.setPointSizeF(max(self.points * relative, PROJECTOR_POINT_SIZE if self.projector else 0.0))
        if bold:
            font.setWeight(QFont.Weight.DemiBold)
        if tabular:
            font.setFeature(QFont.Tag("tnum"), 1)
        return font

    def code_font(self) -> QFont:
        """The computer's own letters of one width, as large as body text."""
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPointSizeF(self.points)
        return font

    def colour(self, name: str) -> QColor:
        """A theme colour by the name of its field."""
        return QColor(getattr(self.colours, name))


look = Look()
