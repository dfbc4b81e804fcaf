"""Time: what recording costs the training, how soon a dragged timeline is seen, how soon a session opens.

Each in a process of its own. Recording is switched on and off from run to run in the same process, so that
whatever disturbs the machine disturbs both, and what counts is the CPU time of the thread that trains. The
window is the real one, shown offscreen; its frames are wall time, from the wish of the timeline to the last
panel painted, so the calmest of several drags counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.table import Row, at_most, quantile, quiet_qt, show

POINTS, PICTURES = 10_000, 64
ROUNDS = 5
RUNS = (("tsne", 0, 750), ("umap", 0, 300), ("bench", 100, 1600))
"""What is trained on digits with and without being recorded, and from which step to which."""
DRAGS, FRAMES = 5, 80
OPENINGS = 3
LARGE = 200_000_000
"""Bytes of the session that is opened."""


# ── an experiment with much to be seen ──────────────────────────────────────────────────────────────────────


def declare() -> None:
    """Put ``bench`` and ``film`` into the catalogue, in this process only."""
    import torch

    from engine.core import catalogue
    from engine.core.experiment import experiment
    from engine.core.frame import Images, Points
    from engine.core.text import _
    from tests.bench import autoencoder

    @experiment("film", title=_("Film"), question=_("How smooth?"), topic="clusters", datasets=("digits",))
    class Film(autoencoder.Autoencoder):
        """The autoencoder of the bench with ten thousand codes and sixty-four pictures, restless as before
        they have settled.
        """

        def codes(self) -> Points:
            some = torch.arange(POINTS) % len(self.x)
            z = self.encoder(self.x)[some]  # (N, 2)
            rng = torch.Generator().manual_seed(self.step)
            label = self.data.y[some].numpy().astype("int32")  # type: ignore[index]
            return Points((z + 0.1 * torch.randn(POINTS, 2, generator=rng)).numpy(), label, self.data.names)

        def rebuilt(self) -> Images:
            x = self.decoder(self.encoder(self.x[:PICTURES]))
            rng = torch.Generator().manual_seed(self.step)
            x = (x + 0.1 * torch.randn(x.shape, generator=rng)).clamp(0, 1)
            return Images(x.reshape(-1, 28, 28).numpy(), columns=8)

    autoencoder.declare()
    known = {**catalogue.catalogue(), "film": Film}
    catalogue.catalogue = lambda: known  # type: ignore[assignment]


# ── (a) what recording costs ────────────────────────────────────────────────────────────────────────────────


def record() -> dict[str, Any]:
    """CPU seconds of each run, {name: {"on": [...], "off": [...]}}; wall where there is no such clock."""
    from engine.core.engine import Engine
    from engine.core.events import RunSpec, Started, StatusChanged
    from engine.core.trainer import Trainer

    declare()
    recording = True
    keep = Trainer._keep

    def perhaps(trainer: Trainer) -> None:
        if recording:
            keep(trainer)
        else:
            trainer._read_frames()  # the numbers are followed all the same

    Trainer._keep = perhaps  # type: ignore[method-assign]
    woken = threading.Event()
    engine = Engine(woken.set, device="cpu")
    heard: list[Any] = []

    def spent() -> float:
        if sys.platform != "linux":
            return time.perf_counter()
        return time.clock_gettime(time.pthread_getcpuclockid(engine._thread.ident or 0))

    def until(condition: Callable[[], bool]) -> None:
        while not condition():
            woken.wait(1)
            woken.clear()
            heard.extend(engine.mailbox.take().events)

    def rests() -> bool:
        return any(isinstance(e, StatusChanged) and e.status in ("paused", "ended") for e in heard)

    found: dict[str, dict[str, list[float]]] = {}
    for name, start, end in RUNS:
        times: dict[str, list[float]] = {"on": [], "off": []}
        for turn in range(2 * ROUNDS + 2):  # the first two warm up
            recording = turn % 2 == 0
            heard.clear()
            engine.start(RunSpec(name, "digits"))
            until(lambda: any(isinstance(e, Started) for e in heard))
            for steps in (start, end - start):
                if steps == 0:
                    continue
                heard.clear()
                begun = spent()
                engine.advance(steps)
                until(rests)
            if turn >= 2:
                times["on" if recording else "off"].append(spent() - begun)
        found[name] = times
    engine.close(10)
    return found


# ── (b) (c) the window ──────────────────────────────────────────────────────────────────────────────────────


class Arm:
    """The real window, and somebody who drags the timeline and watches."""

    def __init__(self, experiment: str = "film") -> None:
        from PySide6.QtWidgets import QApplication

        from desktop import app as desktop_app
        from desktop.settings import Settings
        from desktop.window import Window

        declare()
        quiet_qt()
        self.app = QApplication(["bench"])
        self.app.setStyle("Fusion")
        desktop_app.load_fonts()
        self.window = Window(Settings(experiment=experiment), device="cpu")
        self.window.resize(1280, 720)
        self.window.show()
        self.window.begin()
        self.status = ""
        self.until(lambda: self.window.area is not None and not self.window.area.isHidden())
        self.window.bridge.status.connect(self.note)
        self.until(lambda: self.window.area.complete(0))

    def note(self, status: Any) -> None:
        self.status = status.status

    def until(self, condition: Callable[[], bool]) -> None:
        """Let Qt work until then; it sleeps in between, as it does for a person."""
        from PySide6.QtCore import QEventLoop

        while not condition():
            self.app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)

    def spin(self, seconds: float) -> None:
        from PySide6.QtCore import QEventLoop, QTimer

        loop = QEventLoop()
        QTimer.singleShot(round(1e3 * seconds), loop.quit)
        loop.exec()

    def advance(self, steps: int) -> None:
        self.status = ""
        self.window.bridge.engine.pace(None)
        self.window.bridge.engine.advance(steps)
        self.until(lambda: self.status == "paused")

    def frame(self, step: int) -> float:
        """Milliseconds from the timeline's wish until every panel is painted."""
        from PySide6.QtCore import QEvent

        window = self.window
        heard: list[int] = []
        link = window.bridge.sought.connect(lambda sought: heard.append(sought.step))
        begun = time.perf_counter()
        window.timeline.sought.emit(step)
        self.until(lambda: bool(heard) and window.area.complete(heard[-1]))
        self.app.sendPostedEvents(None, QEvent.Type.LayoutRequest.value)
        self.app.sendPostedEvents(None, QEvent.Type.UpdateRequest.value)
        self.app.processEvents()  # all that is to be painted is painted in here
        took = 1e3 * (time.perf_counter() - begun)
        window.bridge.sought.disconnect(link)
        return took

    def drag(self, frames: int) -> list[float]:
        """Back and forth over the timeline, a wish every sixtieth of a second where that can be."""
        kept = self.window.timeline.keyframes
        self.window.timeline.held.emit(True)
        found = []
        for i in range(frames):
            share = abs(1 - 2 * ((i * 0.013) % 1))
            step = kept[min(int(share * (len(kept) - 1)), len(kept) - 2)]
            found.append(self.frame(step))
            self.spin(max(0.002, 1 / 60 - found[-1] / 1e3))
        self.window.timeline.held.emit(False)
        return found

    def close(self) -> None:
        self.window.close()
        self.app.processEvents()


def scrub() -> dict[str, Any]:
    """Milliseconds of every frame, paused and while it trains; and what a step takes."""
    arm = Arm()
    arm.advance(400)
    arm.spin(0.6)
    arm.drag(30)
    found: dict[str, Any] = {"paused": [arm.drag(FRAMES) for _turn in range(DRAGS)]}
    arm.window.bridge.engine.seek(None)
    arm.spin(0.3)
    arm.window.bridge.engine.resume()
    arm.spin(0.5)
    before, begun = arm.window.step, time.perf_counter()
    arm.drag(20)
    found["training"] = [arm.drag(FRAMES) for _turn in range(DRAGS)]
    found["rate"] = (arm.window.step - before) / (time.perf_counter() - begun)
    arm.window.bridge.engine.pause()
    arm.spin(0.2)
    arm.close()
    return found


def make_large(path: Path) -> None:
    """A session of two hundred megabytes, saved as the window saves it."""
    from engine.core import trainer
    from engine.core.engine import Engine
    from engine.core.events import RunSpec, Saved, Started, StatusChanged

    declare()
    trainer.KEYFRAME_SHARE = 1e6  # each step is kept
    woken = threading.Event()
    engine = Engine(woken.set, device="cpu")
    engine.budget(4 * LARGE)
    heard: list[Any] = []

    def until(condition: Callable[[], bool]) -> None:
        while not condition():
            woken.wait(1)
            woken.clear()
            heard.extend(engine.mailbox.take().events)

    engine.start(RunSpec("film", "digits"))
    until(lambda: any(isinstance(e, Started) for e in heard))
    steps, done = 20, 0
    while not path.exists() or path.stat().st_size < LARGE:
        if done:
            steps = max(round(done * (1.01 * LARGE / path.stat().st_size - 1)), 1)
        done += steps
        heard.clear()
        engine.advance(steps)
        until(lambda: any(isinstance(e, StatusChanged) and e.status == "paused" for e in heard))
        heard.clear()
        engine.save(path)
        until(lambda: any(isinstance(e, Saved) for e in heard))
    engine.close(30)


def open_large(path: Path) -> dict[str, Any]:
    """Seconds from the wish to open it until the first picture is painted."""
    from PySide6.QtCore import QEvent

    arm = Arm("kmeans")
    opened: list[Any] = []
    arm.window.bridge.opened.connect(opened.append)
    found = []
    for _turn in range(OPENINGS):
        opened.clear()
        begun = time.perf_counter()
        arm.window.bridge.engine.load(path)
        arm.until(lambda: bool(opened) and arm.window.area.complete(arm.window.step))
        arm.app.sendPostedEvents(None, QEvent.Type.UpdateRequest.value)
        arm.app.processEvents()
        found.append(time.perf_counter() - begun)
    arm.close()
    return {"seconds": found, "bytes": path.stat().st_size}


# ── the parent ──────────────────────────────────────────────────────────────────────────────────────────────


def ask(home: str, *words: str) -> dict[str, Any]:
    """What one of the arms has found, in a process of its own."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "LATENTARIUM_HOME": home}
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.bench_time", *words],
        env=environment, cwd=Path(__file__).resolve().parents[2], stdout=subprocess.PIPE, text=True,
        check=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout or "{}")
    return found


def measure() -> Iterator[Row]:
    """Every row of this file."""
    with tempfile.TemporaryDirectory() as home:
        for name, times in ask(home, "record").items():
            more = 100 * (median(times["on"]) / median(times["off"]) - 1)
            least = 100 * (min(times["on"]) / min(times["off"]) - 1)
            start, end = next(steps for run, *steps in RUNS if run == name)
            note = f"more CPU for steps {start} to {end}, median of {ROUNDS}; best against best {least:.1f}"
            yield Row(f"recording a run, {name}", max(0.0, more), "%", None, at_most(5), note)
        frames = ask(home, "scrub")
        for state in ("paused", "training"):
            calmest = min(frames[state], key=lambda drag: quantile(drag, 0.95))
            p95, half, worst = quantile(calmest, 0.95), median(calmest), max(calmest)
            every = quantile([took for drag in frames[state] for took in drag], 0.95)
            note = f"wall, {POINTS:,} points, {PICTURES} pictures; p50 {half:.0f}, worst {worst:.0f}; "
            note += f"calmest of {DRAGS} drags, of all {every:.0f}"
            if state == "training":
                note += f"; {frames['rate']:.0f} steps/s meanwhile"
            yield Row(f"a dragged timeline on screen, {state}, p95", p95, "ms", None, at_most(33), note)
        path = Path(home) / "large.latentarium"
        ask(home, "make", str(path))
        found = ask(home, "open", str(path))
        note = f"wall, {found['bytes'] / 1e6:.0f} MB, best of {OPENINGS}; first {found['seconds'][0]:.1f}"
        yield Row("a large session opened, first picture", min(found["seconds"]), "s", None, at_most(3), note)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        show(measure())
    else:
        from engine import boot

        boot.environment()
        arms: dict[str, Callable[..., Any]] = {
            "record": record,
            "scrub": scrub,
            "make": make_large,
            "open": open_large,
        }
        print(json.dumps(arms[sys.argv[1]](*map(Path, sys.argv[2:])) or {}))
