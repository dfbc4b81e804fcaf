"""Training with the window open against a bare PyTorch loop; smoothness and answers meanwhile.

Three processes train the same network with one torch thread each and take turns, a slice at a time: ``bare``
knows neither Qt nor our code, ``engine`` has the engine but no window, ``window`` is the real window, shown
offscreen. Nothing else differs, and what disturbs the machine disturbs all three. Wall time, since waiting
for another thread is exactly what is looked for.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.table import Row, at_least, at_most, quantile, quiet_qt, show

ROUNDS, SLICE = 8, 1.5
WARM = 0.4
"""Seconds at the start of each slice that do not count."""
TICK_MS = 16


# ── the three processes: each answers lines such as "train 1.5" with a line of JSON ─────────────────────────


def serve(commands: dict[str, Callable[[float], dict[str, Any]]]) -> None:
    """Obey until the parent closes our input."""
    print("{}", flush=True)
    for words in sys.stdin:
        name, seconds = words.split()
        print(json.dumps(commands[name](float(seconds))), flush=True)


class Meter:
    """Steps of the training thread in a second of wall, and what it and this thread pay for them in CPU."""

    def __init__(self, trainer: threading.Thread, step: Callable[[], int]) -> None:
        self._clock = time.pthread_getcpuclockid(trainer.ident or 0) if sys.platform == "linux" else None
        self._step = step
        self._begun = self._now()

    def _now(self) -> tuple[int, float, float, float]:
        trainer = time.clock_gettime(self._clock) if self._clock is not None else math.nan
        return self._step(), time.perf_counter(), trainer, time.thread_time()

    def read(self) -> dict[str, Any]:
        """Since this meter was made."""
        steps, wall, cpu, here = (b - a for a, b in zip(self._begun, self._now(), strict=True))
        return {"rate": steps / wall, "cpu_ms": 1e3 * cpu / max(steps, 1), "share": here / wall}


def bare() -> None:
    """No engine, no window, no second thread."""
    import torch

    from engine.data.registry import load
    from tests.bench.autoencoder import build, enlarged, learn

    torch.set_num_threads(1)
    x = enlarged(load("digits").x)
    parts = build()
    rng = torch.Generator().manual_seed(0)

    def train(seconds: float) -> dict[str, Any]:
        losses: list[float] = []
        end = time.perf_counter() + WARM
        while time.perf_counter() < end:
            learn(*parts, x, rng)
        meter = Meter(threading.current_thread(), lambda: len(losses))
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            losses.append(learn(*parts, x, rng).item())
        return meter.read()

    serve({"train": train})


def engine_alone() -> None:
    """The engine's thread and somebody who empties the mailbox now and then; no Qt."""
    from engine.core.engine import Engine
    from engine.core.events import RunSpec
    from tests.bench.autoencoder import Autoencoder, declare

    declare()
    engine = Engine(device="cpu", threads=1)
    engine.start(RunSpec("bench", "digits"))

    def rest(seconds: float) -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            time.sleep(0.1)
            engine.mailbox.take()

    def train(seconds: float) -> dict[str, Any]:
        engine.resume()
        rest(WARM)
        meter = Meter(engine._thread, lambda: Autoencoder.newest.step)
        rest(seconds)
        found = meter.read()
        engine.pause()
        return found

    rest(0.5)
    while not hasattr(Autoencoder, "newest"):
        rest(0.1)
    serve({"train": train})
    engine.close()


class Arm:
    """The real window, and a tick that notes when the main thread was free."""

    def __init__(self) -> None:
        from PySide6.QtCore import Qt, QTimer
        from PySide6.QtWidgets import QApplication

        from desktop import app as desktop_app
        from desktop.settings import Settings
        from desktop.window import Window
        from tests.bench.autoencoder import Autoencoder, declare

        declare()
        quiet_qt()
        self.app = QApplication(["bench"])
        self.app.setStyle("Fusion")
        desktop_app.load_fonts()
        self.window = Window(Settings(experiment="bench"), device="cpu")
        self.window.resize(1280, 720)
        self.window.show()
        self.spin(0.3)
        self.window.begin()
        while self.window.area is None or self.window.area.isHidden():
            self.spin(0.1)
        self.experiment = Autoencoder.newest
        self.pictures = 0
        self.window.bridge.views.connect(self.count)
        self.spin(1.0)
        self.ticks: list[float] = []
        self.timer = QTimer(interval=TICK_MS, timerType=Qt.TimerType.PreciseTimer)
        self.timer.timeout.connect(lambda: self.ticks.append(time.perf_counter()))

    def count(self, _views: object) -> None:
        self.pictures += 1

    def spin(self, seconds: float) -> None:
        from PySide6.QtCore import QEventLoop, QTimer

        loop = QEventLoop()
        QTimer.singleShot(round(1e3 * seconds), loop.quit)
        loop.exec()

    def gaps(self, seconds: float) -> list[float]:
        """Milliseconds between ticks for so long."""
        self.ticks.clear()
        self.timer.start()
        self.spin(seconds)
        self.timer.stop()
        return [1e3 * (b - a) for a, b in zip(self.ticks, self.ticks[1:], strict=False)]

    def train(self, seconds: float) -> dict[str, Any]:
        engine = self.window.bridge.engine
        engine.resume()
        self.spin(WARM)
        meter = Meter(engine._thread, lambda: self.experiment.step)
        before = self.pictures
        gaps = self.gaps(seconds)
        found = meter.read() | {"pictures": (self.pictures - before) / seconds}
        engine.pause()
        self.spin(0.2)
        return {**found, "gaps": gaps}

    def rest(self, seconds: float) -> dict[str, Any]:
        self.spin(WARM)
        return {"gaps": self.gaps(seconds)}

    def ask(self, seconds: float) -> dict[str, Any]:
        """Drag a point through the code space, a question at every tick that finds the last one answered."""
        from PySide6.QtCore import QTimer

        bridge = self.window.bridge
        asked: dict[int, float] = {}
        waited: list[float] = []

        def drag() -> None:
            if len(asked) == len(waited):
                number = len(asked)
                asked[number] = time.perf_counter()
                bridge.engine.ask("decode", 0.01 * number, 0.5, tag=number)

        def take(answer: Any) -> None:
            waited.append(1e3 * (time.perf_counter() - asked[answer.tag]))

        hand = QTimer(interval=37)  # not in step with the bridge's own timer
        hand.timeout.connect(drag)
        bridge.answered.connect(take)
        bridge.engine.resume()
        self.spin(WARM)
        hand.start()
        self.spin(seconds)
        hand.stop()
        bridge.engine.pause()
        self.spin(0.3)
        bridge.answered.disconnect(take)
        return {"waited": waited}

    def close(self) -> None:
        self.window.close()
        self.app.processEvents()


def window() -> None:
    arm = Arm()
    serve({"train": arm.train, "rest": arm.rest, "ask": arm.ask})
    arm.close()


# ── the parent ──────────────────────────────────────────────────────────────────────────────────────────────


class Child:
    """One of the three processes."""

    def __init__(self, arm: str, home: str) -> None:
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "LATENTARIUM_HOME": home}
        environment["LATENTARIUM_THREADS"] = "1"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.bench_window", arm],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
            cwd=Path(__file__).resolve().parents[2],
        )  # fmt: skip
        self.answer()

    def answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        words = self.process.stdout.readline()
        if not words:
            raise RuntimeError(f"{self.process.args} ended with {self.process.wait()}")
        found: dict[str, Any] = json.loads(words)
        return found

    def do(self, command: str, seconds: float = SLICE) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{command} {seconds}\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(20)


def measure() -> list[Row]:
    """Every row of this file."""
    from tests.bench.autoencoder import CODES, PICTURES

    found: dict[str, list[dict[str, Any]]] = {"bare": [], "engine": [], "window": []}
    busy: list[float] = []
    calm: list[float] = []
    waited: list[float] = []
    with tempfile.TemporaryDirectory() as home, contextlib.ExitStack() as stack:
        children = {arm: Child(arm, home) for arm in found}
        for child in children.values():
            stack.callback(child.close)
            child.do("train", 0.5)  # past the first steps, of which every one is kept
        for turn in range(ROUNDS):
            order = list(children) if turn % 2 else list(reversed(children))
            for arm in order:
                found[arm].append(children[arm].do("train"))
                busy += found[arm][-1].get("gaps", [])
            calm += children["window"].do("rest", SLICE / 2)["gaps"]
            waited += children["window"].do("ask")["waited"]
    rates = {arm: [turn["rate"] for turn in turns] for arm, turns in found.items()}
    cpu = {arm: median(turn["cpu_ms"] for turn in turns) for arm, turns in found.items()}
    against = {arm: median(a / b for a, b in zip(rates[arm], rates["bare"], strict=True)) for arm in rates}
    bare_rate = median(rates["bare"])
    step = 1e3 / bare_rate
    pairs = f"wall, median of {ROUNDS} turns; best turn against best "
    best = {arm: f"{pairs}{max(rates[arm]) / max(rates['bare']):.2f}×" for arm in rates}
    pictures = median(turn["pictures"] for turn in found["window"])
    share = 100 * median(turn["share"] for turn in found["window"])
    return [
        Row("training with the window, against a bare loop", against["window"] * bare_rate, "steps/s",
            bare_rate, at_least(0.95), best["window"]),
        Row("training, engine without a window", against["engine"] * bare_rate, "steps/s",
            bare_rate, None, best["engine"]),
        Row("training thread with the window, a step", cpu["window"], "ms", cpu["bare"], None,
            f"CPU; the window's thread takes {share:.0f} % of a core meanwhile"),
        Row("new pictures on the screen meanwhile", pictures, "fps", None, None,
            f"wall; codes of {CODES} digits and {PICTURES} rebuilt ones, all drawn by the network"),
        Row("gap of UI ticks while training, p99", quantile(busy, 0.99), "ms",
            quantile(calm, 0.99), at_most(40), f"16 ms timer, wall; peer: at rest; {len(busy)} ticks"),
        Row("gap of UI ticks while training, p50", median(busy), "ms", median(calm)),
        Row("gap of UI ticks while training, worst", max(busy), "ms", max(calm)),
        Row("asked → answered while training, p95", quantile(waited, 0.95), "ms", None, at_most(50 + step),
            f"wall, 50 ms + one step of {step:.1f} ms; p50 {median(waited):.0f}, {len(waited)} questions"),
    ]  # fmt: skip


if __name__ == "__main__":
    if len(sys.argv) == 1:
        show(measure())
    else:
        from engine import boot

        boot.environment()
        {"bare": bare, "engine": engine_alone, "window": window}[sys.argv[1]]()
