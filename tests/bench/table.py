"""Rows of the bench, and how they are printed."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

COLUMNS = ("what", "ours", "peer", "ratio", "goal", "met?")
WIDTHS = (50, 15, 15, 8, 16, 5)
RATES = ("steps/s", "fps")
FEATURES = ("avx2", "avx512f", "avx512_bf16", "avx_vnni", "amx_bf16", "neon", "asimd")


@dataclass(frozen=True, slots=True)
class Goal:
    """What a row should reach. of: which of its columns is meant; at_least: or at most."""

    of: Literal["ours", "ratio"]
    value: float
    at_least: bool = True

    def met(self, value: float) -> bool:
        return value >= self.value if self.at_least else value <= self.value


@dataclass(frozen=True, slots=True)
class Row:
    """One thing measured, ours and a peer in the same run.

    unit: of both; a rate where more is better. The ratio says how many times better ours is.
    """

    what: str
    ours: float
    unit: str
    peer: float | None = None
    goal: Goal | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        if self.peer is None:
            return None
        return self.ours / self.peer if self.unit in RATES else self.peer / self.ours

    def cells(self) -> tuple[str, ...]:
        """What stands in each column."""
        goal, met = "", ""
        if self.goal is not None:
            sign = "≥" if self.goal.at_least else "≤"
            of_ratio = self.goal.of == "ratio"
            goal = f"{sign} {figure(self.goal.value)}{'×' if of_ratio else ' ' + self.unit}"
            value = self.ratio if of_ratio else self.ours
            met = "yes" if value is not None and self.goal.met(value) else "NO"
        ratio = "" if self.ratio is None else f"{figure(self.ratio)}×"
        peer = "" if self.peer is None else f"{figure(self.peer)} {self.unit}"
        return self.what, f"{figure(self.ours)} {self.unit}", peer, ratio, goal, met


def at_least(value: float, of: Literal["ours", "ratio"] = "ratio") -> Goal:
    return Goal(of, value)


def at_most(value: float) -> Goal:
    return Goal("ours", value, at_least=False)


def figure(value: float) -> str:
    """Three digits that count, and no exponent."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def show(rows: Iterable[Row]) -> None:
    """Print ``rows`` below each other."""
    for row in rows:
        print(line(row.cells(), row.note), flush=True)


def line(cells: tuple[str, ...], note: str = "") -> str:
    what, *numbers, met = (
        cell.ljust(width) if i in (0, len(WIDTHS) - 1) else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(cells, WIDTHS, strict=True))
    )
    return "  ".join((what, *numbers, met, note)).rstrip()


def quiet_qt() -> None:
    """Leave out what the offscreen plugin says at every show(): that it knows no size hints."""
    from PySide6.QtCore import qInstallMessageHandler

    def tell(_kind: object, _context: object, message: str) -> None:
        if "propagateSizeHints" not in message:
            sys.stderr.write(f"{message}\n")

    qInstallMessageHandler(tell)


def quantile(values: list[float], share: float) -> float:
    """The value that ``share`` of ``values`` do not exceed."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def machine() -> str:
    """Where and with what this is measured, in two lines."""
    flags: set[str] = set()
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for entry in file:
                key, _colon, value = (part.strip() for part in entry.partition(":"))
                if key in ("flags", "Features"):
                    flags = set(value.split())
                elif key == "model name":
                    name = value
    except OSError:
        pass
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    found = " ".join(feature for feature in FEATURES if feature in flags) or "no features known"
    packages = ("torch", "PySide6-Essentials", "pyqtgraph", "numpy", "scikit-learn")
    return (
        f"{name}, {os.cpu_count()} cores{load}, {found}\n"
        f"Python {platform.python_version()} on {sys.platform}, "
        + ", ".join(f"{package} {_version(package)}" for package in packages)
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
