"""Drawing a moving cloud: ours against pyqtgraph's ScatterPlotItem, CPU time of update and paint, 900×700."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from statistics import median

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import pyqtgraph as pg
from PySide6.QtWidgets import QApplication, QWidget

from desktop.panels.scatter import ScatterPanel
from desktop.selection import Selection
from engine.api import Points
from tests.bench.table import Row, at_least, quiet_qt, show

SIZE = (900, 700)


def clouds(n: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Three positions of the same n points, and their labels."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, 10, n).astype(np.int32)
    xy = rng.normal(size=(n, 2)).astype(np.float32) + np.stack([np.cos(label), np.sin(label)], 1) * 2
    return [(xy * (1 + 0.02 * i)).astype(np.float32) for i in range(3)], label


Frame = Callable[[int], None]


def ours(n: int) -> tuple[Frame, QWidget]:
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

    return frame, panel


def theirs(n: int) -> tuple[Frame, QWidget]:
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

    return frame, plot


def alternated(frames: tuple[Frame, Frame], rounds: int, each: tuple[int, int]) -> list[float]:
    """Median CPU milliseconds of one frame of each, drawn in turns; ``each`` frames a turn."""
    times: tuple[list[float], list[float]] = ([], [])
    for frame in frames:
        frame(0)
        frame(1)
    for _turn in range(rounds):
        for frame, count, found in zip(frames, each, times, strict=True):
            for i in range(count):
                start = time.process_time()
                frame(i)
                found.append(1e3 * (time.process_time() - start))
    return [median(found) for found in times]


def measure() -> list[Row]:
    """Every row of this file."""
    quiet_qt()
    app = QApplication.instance() or QApplication([])
    rows = []
    for n, name, rounds, each, goal in (
        (10_000, "10k", 9, (5, 2), None),
        (100_000, "100k", 5, (5, 1), at_least(50)),
        (1_000_000, "1M", 2, (8, 1), None),
    ):
        (our_frame, panel), (their_frame, plot) = ours(n), theirs(n)
        mine, other = alternated((our_frame, their_frame), rounds, each)
        for widget in (panel, plot):
            widget.close()
            widget.deleteLater()
        app.processEvents()
        rows.append(
            Row(f"scatter {name}, frame, against ScatterPlotItem", mine, "ms", other, goal, "CPU, 900×700")
        )
        if n == 1_000_000:
            rate = at_least(60, "ours")
            rows.append(Row(f"scatter {name}, frames", 1e3 / mine, "fps", 1e3 / other, rate, "CPU"))
    return rows


if __name__ == "__main__":
    show(measure())
