"""Drawing a moving cloud: ours against pyqtgraph's ScatterPlotItem, CPU time of update and paint, 900×700."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from statistics import median

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import pyqtgraph as pg
from PySide6.QtWidgets import QApplication

from desktop.panels.scatter import ScatterPanel
from desktop.selection import Selection
from engine.api import Points

SIZE = (900, 700)


def clouds(n: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Three positions of the same n points, and their labels."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, 10, n).astype(np.int32)
    xy = rng.normal(size=(n, 2)).astype(np.float32) + np.stack([np.cos(label), np.sin(label)], 1) * 2
    return [(xy * (1 + 0.02 * i)).astype(np.float32) for i in range(3)], label


def cpu_ms(frame: Callable[[int], None], rounds: int) -> float:
    frame(0)
    frame(1)
    times = []
    for i in range(rounds):
        start = time.process_time()
        frame(i)
        times.append((time.process_time() - start) * 1e3)
    return median(times)


def ours(n: int, rounds: int) -> float:
    frames, label = clouds(n)
    panel = ScatterPanel("bench", Selection())
    panel.resize(*SIZE)
    panel.show()
    canvas = panel.canvas
    names = tuple(str(i) for i in range(10))
    payloads = [Points(xy, label, names) for xy in frames]

    def frame(i: int) -> None:
        panel.present(payloads[i % 3], i)
        canvas.grab()

    result = cpu_ms(frame, rounds)
    panel.close()
    panel.deleteLater()
    return result


def theirs(n: int, rounds: int) -> float:
    frames, __ = clouds(n)
    plot = pg.PlotWidget()
    plot.resize(*SIZE)
    plot.setRange(xRange=(-5, 5), yRange=(-5, 5))
    item = pg.ScatterPlotItem(size=3, pen=None, brush=pg.mkBrush("#0072b2"))  # one brush: its fastest way
    plot.addItem(item)
    plot.show()

    def frame(i: int) -> None:
        item.setData(pos=frames[i % 3])
        plot.grab()

    result = cpu_ms(frame, rounds)
    plot.close()
    plot.deleteLater()
    return result


def measure() -> list[tuple[str, float, str]]:
    """Rows of (what, number, unit)."""
    app = QApplication.instance() or QApplication([])
    rows = []
    for n, name, rounds, their_rounds in (
        (10_000, "10k", 25, 9),
        (100_000, "100k", 25, 3),
        (1_000_000, "1M", 15, 2),
    ):
        mine, other = ours(n, rounds), theirs(n, their_rounds)
        rows += [
            (f"scatter {name}, frame", mine, "ms CPU"),
            (f"scatter {name}, ScatterPlotItem", other, "ms CPU"),
            (f"scatter {name}, ratio", other / mine, "×"),
        ]
        if n == 1_000_000:
            rows.append(("scatter 1M", 1e3 / mine, "frames/s"))
    app.processEvents()
    return rows


if __name__ == "__main__":
    for what, value, unit in measure():
        print(f"{what:34} {value:10.2f} {unit}")
