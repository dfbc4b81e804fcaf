"""From the start of the interpreter to the first picture of the window: process CPU, and wall."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from tests.bench.table import Row, at_most, show

ROUNDS = 7


def start(arm: str, home: str) -> tuple[float, float]:
    """CPU seconds and wall seconds of one start."""
    environment = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "LATENTARIUM_HOME": home,
        "PYTHONPYCACHEPREFIX": home,  # compiled once, as after installing, whatever this shell says
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    begun = time.perf_counter()
    found = subprocess.run(
        [sys.executable, "-m", "tests.bench.first_paint", arm],
        env=environment, cwd=Path(__file__).resolve().parents[2], capture_output=True, text=True,
        check=True, timeout=60,
    )  # fmt: skip
    return float(found.stdout), time.perf_counter() - begun


def measure() -> list[Row]:
    """Every row of this file."""
    found: dict[str, list[tuple[float, float]]] = {"ours": [], "bare": []}
    with tempfile.TemporaryDirectory() as home:
        for arm in found:
            start(arm, home)
        for _turn in range(ROUNDS):
            for arm, times in found.items():
                times.append(start(arm, home))
    (cpu, wall), (bare_cpu, bare_wall) = (
        [median(values) for values in zip(*times, strict=True)] for times in found.values()
    )
    others = " and ".join(name for name in ("napari", "Orange") if find_spec(name) is None)
    note = f"CPU; peer: an empty PySide6 window{f'; {others} not installed, left out' if others else ''}"
    return [
        Row("first window", cpu, "s", bare_cpu, at_most(0.5), note),
        Row("first window, wall", wall, "s", bare_wall, None, "offscreen; the whole process"),
    ]


if __name__ == "__main__":
    show(measure())
