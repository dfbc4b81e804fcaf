"""What the height of a chart stands for, and the numbers at its axes, in the person's language."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from PySide6.QtGui import QFontMetricsF

from desktop.language import language, number
from desktop.style.tokens import look

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def title_font(relative: float = 1.0) -> QFontMetricsF:
    """How large text in the interface font is."""
    return QFontMetricsF(look.font(relative, tabular=True))


def value_text(value: float | None) -> str:
    """A number for a person, a dash for none."""
    return "–" if value is None or not math.isfinite(value) else number(value)


def nice_ticks(low: float, high: float, count: int, *, whole: bool = False) -> list[float]:
    """At most about ``count`` round numbers in [low, high], 1, 2 or 5 times a power of ten apart."""
    span = high - low
    if not math.isfinite(span) or span <= 0 or count < 1:
        return [low] if math.isfinite(low) else []
    rough = span / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10, 20) if power * factor * 1.0000001 >= rough)
    if whole:
        step = max(1.0, step)
    first, last = math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6)
    return [index * step for index in range(first, last + 1)]


def log_ticks(low: float, high: float, count: int) -> list[float]:
    """Powers of ten in [low, high]; with 2 and 5 or 3 between them, or round numbers, when there are few."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    decades = last - first + 1
    if decades >= 3 or (decades == 2 and count <= 3):
        every = math.ceil(decades / max(count, 1))
        return [10.0**power for power in range(first, last + 1) if power % every == 0]
    for factors in ((1, 2, 5), (1, 3), (1,)):
        ticks = [factor * 10.0**power for power in range(first - 1, last + 1) for factor in factors]
        ticks = [tick for tick in ticks if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]
        if 2 <= len(ticks) <= count + 1:
            return ticks
    return nice_ticks(low, high, count)


def tick_text(value: float, step: float, largest: float | None = None) -> str:
    """``value`` with as many decimals as ticks ``step`` apart need, in the present language.

    ``largest`` of the ticks beside it decides whether all are written in thousands (k) or millions (M).
    """
    value = float(value)  # QLocale.toString refuses an int where it expects a float
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "–"
    size = abs(value)
    if size >= 1e9 or size < 1e-4:
        power = math.floor(math.log10(size) + 1e-9)
        factor = value / 10.0**power
        ten = f"10{power}".replace("10", "", 1).translate(_SUPERSCRIPTS)
        return f"10{ten}" if abs(factor - 1) < 1e-6 else f"{tick_text(round(factor, 2), 0.1)}×10{ten}"
    for unit, letter in ((1e6, "M"), (1e3, "k")):
        if (largest or size) >= (unit if letter == "M" else 10 * unit) and size >= unit / 100:
            return tick_text(value / unit, step / unit, 1) + letter
    decimals = max(0, math.ceil(-math.log10(step) - 1e-9)) if step > 0 else 0
    decimals = min(decimals, 6)
    text = language.locale.toString(value, "f", decimals)
    zero = language.locale.decimalPoint()
    return text.rstrip("0").removesuffix(zero) if zero in text and step >= size else text


@dataclass(frozen=True, slots=True)
class Scale:
    """What bottom and top of a chart stand for."""

    low: float = 0.0
    high: float = 1.0
    log: bool = False

    @classmethod
    def fit(cls, low: float, high: float, *, log: bool = False) -> Scale:
        """Room for values from ``low`` to ``high`` that ends on round numbers, so that it seldom changes."""
        if not (math.isfinite(low) and math.isfinite(high)):
            return cls()
        low, high = max(low, -1e300), min(high, 1e300)
        if log and low > 0:
            return cls(*_fit_log(low, high), log=True)
        if high - low <= 1e-9 * max(abs(low), abs(high)):
            margin = abs(low) * 0.1 or 1.0
            low, high = low - margin, high + margin
        if 0 < low < 0.3 * high:
            low = 0.0
        elif 0 > high > 0.3 * low:
            high = 0.0
        step = (nice := nice_ticks(0, high - low, 8))[1] - nice[0]
        return cls(math.floor(low / step + 1e-6) * step, math.ceil(high / step - 1e-6) * step)

    def to_unit(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Heights between 0 and 1; nan where a logarithm does not exist."""
        with np.errstate(all="ignore"):
            if self.log:
                low, high = math.log10(self.low), math.log10(self.high)
                unit = (np.log10(values) - low) / (high - low)
            else:
                unit = (values - self.low) / (self.high - self.low)
        return np.where(np.isfinite(unit), unit, np.nan)

    def from_unit(self, unit: float) -> float:
        if self.log:
            low, high = math.log10(self.low), math.log10(self.high)
            return float(10.0 ** (low + unit * (high - low)))
        return self.low + unit * (self.high - self.low)

    def ticks(self, unit0: float, unit1: float, count: int) -> list[float]:
        low, high = self.from_unit(unit0), self.from_unit(unit1)
        return log_ticks(low, high, count) if self.log else nice_ticks(low, high, count)


def _fit_log(low: float, high: float) -> tuple[float, float]:
    low, high = max(low, 1e-300), min(high, 1e300)
    if high <= low * 1.0001:
        return low / 2, high * 2

    def snapped(value: float, up: bool) -> float:
        power = 10.0 ** math.floor(math.log10(value))
        steps = [power * factor for factor in (1, 1.5, 2, 3, 5, 7, 10)]
        if up:
            return next((step for step in steps if step >= value * 0.999999), steps[-1])
        return next((step for step in reversed(steps) if step <= value * 1.000001), steps[0])

    return snapped(low, False), snapped(high, True)


class TickAxis(pg.AxisItem):  # type: ignore[misc]
    """An axis that writes numbers as the person's language does and keeps them apart at every font size."""

    def __init__(self, orientation: str, *, whole: bool = False) -> None:
        self.scaling: Scale | None = None
        self.whole = whole
        self.log = False
        """Without a scaling: the view counts in powers of ten."""
        super().__init__(orientation, maxTickLength=0, showValues=True)
        self.enableAutoSIPrefix(False)

    def ticks(self, low: float, high: float, size: float) -> list[float]:
        """The values to write between the view's ``low`` and ``high``, ``size`` pixels apart."""
        font = title_font(0.92)
        if self.scaling is not None:
            return self.scaling.ticks(low, high, max(1, min(7, int(size / (font.height() * 1.6)))))
        if self.log:
            low, high = (10.0 ** min(max(end, -300.0), 300.0) for end in (low, high))
        step = (high - low) / 4 or 1
        ends = (tick_text(end, abs(end) if self.log else step) for end in (low, high))
        widest = max(font.horizontalAdvance(text) for text in ends)
        count = max(1, min(8, int(size / (widest + font.height()))))
        return log_ticks(low, high, count) if self.log else nice_ticks(low, high, count, whole=self.whole)

    def texts(self, ticks: Sequence[float]) -> list[str]:
        gaps = [b - a for a, b in pairwise(ticks)]
        if self.log if self.scaling is None else self.scaling.log:
            single = all(math.isclose(tick, float(f"{tick:.0e}"), rel_tol=1e-6) for tick in ticks)
            return [tick_text(tick, abs(tick) if single else min(gaps, default=abs(tick))) for tick in ticks]
        largest = max((abs(tick) for tick in ticks), default=1)
        return [tick_text(tick, min(gaps, default=abs(tick)), largest) for tick in ticks]

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        ticks = self.ticks(low, high, size)
        if self.scaling is None:
            return [(1.0, [math.log10(tick) for tick in ticks if tick > 0] if self.log else ticks)]
        return [(1.0, self.scaling.to_unit(np.array(ticks, np.float64)).tolist())]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        if self.scaling is None:
            return self.texts([10.0**value for value in values] if self.log else values)
        return self.texts([self.scaling.from_unit(value) for value in values])
