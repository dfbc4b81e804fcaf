"""What every test of the window stands on: a screen, the real fonts, and a check that nothing is left behind.

Tests wait for causes (a signal, a state), never for time.
"""

from __future__ import annotations

import gc
import itertools
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import shiboken6
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from desktop.app import load_fonts
from desktop.language import language
from desktop.settings import Settings
from desktop.style.tokens import look
from desktop.tidy import Tidier
from engine.core import catalogue
from tests.engine.probe import Probe

CLOSES_WITHIN = 1.0
"""Seconds the window may take to close, whatever it is doing."""
LEFT = Qt.MouseButton.LeftButton
NO_KEY = Qt.KeyboardModifier.NoModifier


# ── nothing is left behind ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="session")
def dressed(qapp: QApplication) -> QApplication:
    """The application as ``desktop.app`` dresses it."""
    qapp.setApplicationName("Latentarium")
    qapp.setStyle("Fusion")
    load_fonts()
    return qapp


@pytest.fixture(scope="package", autouse=True)
def tidy(dressed: QApplication) -> Iterator[None]:
    """Widgets must not be collected in the middle of Qt's own work: see ``desktop.tidy``."""
    tidier = Tidier()
    tidier.start()
    yield
    tidier.stop()


def drain() -> None:
    """Whatever is on its way to happen, deletions included."""
    for _turn in range(3):
        QApplication.sendPostedEvents(None, 0)
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        QApplication.processEvents()


@pytest.fixture(autouse=True)
def nothing_left(
    dressed: QApplication, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """After each test: no window on the screen, no timer ticking, no engine thread, the first look again."""
    monkeypatch.setenv("LATENTARIUM_HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.delenv("LATENTARIUM_THREADS", raising=False)
    started: weakref.WeakSet[QTimer] = weakref.WeakSet()
    start = QTimer.start

    def noted(timer: QTimer, *args: Any) -> None:
        started.add(timer)
        start(timer, *args)

    QTimer.start = noted  # type: ignore[method-assign, assignment]
    threads = set(threading.enumerate())
    try:
        yield
    finally:
        QTimer.start = start  # type: ignore[method-assign]
    drain()
    visible = [w for w in QApplication.topLevelWidgets() if w.isVisible()]
    ticking = [t for t in started if shiboken6.isValid(t) and t.isActive()]
    running = [t for t in set(threading.enumerate()) - threads if t.is_alive()]
    names = [f"{type(w).__name__} {w.objectName()!r}" for w in visible]
    whose = [(type(t.parent()).__name__, t.interval()) for t in ticking]
    for widget in visible:
        widget.close()
        widget.deleteLater()
    for timer in ticking:
        timer.stop()
    look.reduce_motion = False
    look.update(theme="light", scale=1.0, projector=False)
    language.switch("en")
    dressed.setStyleSheet("")
    drain()
    assert not names, "left on the screen"
    assert not whose, "still ticking"
    assert not running, "still running"


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> type[Probe]:
    """The probe stands in the catalogue, beside the real experiments."""
    known = {**catalogue.catalogue(), "probe": Probe}
    monkeypatch.setattr(catalogue, "catalogue", lambda: known)
    return Probe


# ── a lecturer at the desk ──────────────────────────────────────────────────────────────────────────────────


class Desk:
    """The real window, and somebody in front of it who presses keys, moves the mouse and looks."""

    def __init__(self, qtbot: Any, settings: Settings | None = None) -> None:
        from desktop.window import Window

        self.qtbot = qtbot
        self.settings = settings or Settings()
        self.window = Window(self.settings, device="cpu")
        self.window.resize(1280, 720)
        self.events: list[tuple[str, Any]] = []
        self.scalars: dict[str, list[tuple[int, float]]] = {}
        self._asked = itertools.count()
        self.closed_in: float | None = None

    def open(
        self, experiment: str = "", *, dataset: str | None = None, seed: int = 0,
        begin: Callable[[], None] | None = None, **params: Any,
    ) -> Desk:  # fmt: skip
        """Show the window and begin, until the first run stands."""
        window = self.window
        if begin is not None:
            window.when_ready = begin
        elif experiment:
            window.when_ready = lambda: window.conductor.choose(
                experiment, dataset=dataset, params=params, seed=seed
            )
        with self.qtbot.waitActive(window):
            window.show()
            window.activateWindow()
        window.begin()
        bridge = window.bridge
        for name in (
            "ready", "started", "status", "turned", "acted",
            "beating", "sought", "answered", "refused", "failed",
        ):  # fmt: skip
            getattr(bridge, name).connect(lambda event, name=name: self._hear(name, event))
        bridge.scalars.connect(self._read)
        self.until(
            lambda: (self.runs == 1 and self.status == "paused") or self.of("refused") or self.of("failed")
        )
        if self.runs:
            self.settle()
        return self

    def _hear(self, name: str, event: Any) -> None:
        self.events.append((name, event))
        if name == "started":
            self.scalars = {}

    def _read(self, scalars: Mapping[str, Any]) -> None:
        for name, (steps, values) in scalars.items():
            self.scalars.setdefault(name, []).extend(zip(steps, values, strict=True))

    # ── looking ──

    def of(self, name: str) -> list[Any]:
        return [event for kind, event in self.events if kind == name]

    @property
    def runs(self) -> int:
        return len(self.of("started"))

    @property
    def status(self) -> str:
        return self.of("status")[-1].status if self.of("status") else "empty"

    @property
    def started(self) -> Any:
        return self.of("started")[-1]

    @property
    def step(self) -> int:
        """The newest step, as the transport says it."""
        return self.window._step

    @property
    def panels(self) -> dict[str, Any]:
        return self.window.area.panels

    def panel_steps(self) -> set[Any]:
        """The steps written above the pictures."""
        return {panel._step for panel in self.panels.values()}

    # ── waiting ──

    def until(self, condition: Callable[[], Any], timeout: int = 20_000) -> None:
        def check() -> bool:
            return bool(condition())

        try:
            self.qtbot.waitUntil(check, timeout=timeout)
        except Exception as error:
            raise AssertionError(f"never came; last events: {self.events[-5:]}") from error

    def settle(self) -> None:
        """Until the engine has obeyed everything asked for so far, and the window has heard of it."""

        def answered(tag: str) -> bool:
            return any(answer.tag == tag for answer in self.of("answered")[-50:])

        tag = ""
        while not answered(tag):  # a new run forgets what was asked of the former one: ask again
            runs, tag = self.runs, f"settled {next(self._asked)}"
            self.window.bridge.engine.ask("item", 0, tag=tag)
            refusals = len(self.of("refused"))
            self.until(
                lambda runs=runs, tag=tag, known=refusals: (
                    answered(tag) or self.runs > runs or len(self.of("refused")) > known
                )
            )
            if len(self.of("refused")) > refusals and self.runs == runs:
                # Without data there are no items: an answer as well, of which nobody else need know.
                self.events.remove(("refused", self.of("refused")[-1]))
                self.window.notice.clear()
                break
        self.until(self.window.bridge.engine.mailbox.is_empty)

    def run(self, doing: Callable[[], Any]) -> None:
        """``doing`` begins another run: until it stands."""
        before = self.runs
        doing()
        self.until(lambda: self.runs > before and self.status in ("paused", "ended", "running"))
        self.settle()

    def advance(self, steps: int) -> None:
        """So many steps, by the engine; until they are done and shown."""
        before = len(self.of("status"))
        self.window.bridge.engine.advance(steps)
        self._until_stands(before)

    def _until_stands(self, before: int) -> None:
        self.until(lambda: any(s.status in ("paused", "ended", "failed") for s in self.of("status")[before:]))
        self.settle()

    # ── hands ──

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = NO_KEY, widget: QWidget | None = None) -> None:
        QTest.keyClick(widget or QApplication.focusWidget() or self.window, key, modifier)

    def press_and_wait(self, key: Qt.Key) -> None:
        """A key that trains a little and stops."""
        before = len(self.of("status"))
        self.key(key)
        self._until_stands(before)

    def play(self) -> None:
        before = len(self.of("status"))
        self.key(Qt.Key.Key_Space)
        self.until(lambda: any(status.status == "running" for status in self.of("status")[before:]))

    def pause(self) -> None:
        self.key(Qt.Key.Key_Space)
        self.until(lambda: self.status != "running")
        self.settle()

    def click(self, widget: QWidget, at: QPoint | None = None) -> None:
        QTest.mouseClick(widget, LEFT, NO_KEY, at or widget.rect().center())

    def move(self, widget: QWidget, at: QPoint, button: Qt.MouseButton = Qt.MouseButton.NoButton) -> None:
        """Offscreen the cursor does not move by itself: hand the event over."""
        QApplication.sendEvent(
            widget,
            QMouseEvent(
                QEvent.Type.MouseMove, QPointF(at), widget.mapToGlobal(QPointF(at)),
                Qt.MouseButton.NoButton, button, NO_KEY,
            ),
        )  # fmt: skip

    def drag(self, widget: QWidget, *path: QPoint) -> None:
        QTest.mousePress(widget, LEFT, NO_KEY, path[0])
        for at in path[1:]:
            self.move(widget, at, LEFT)
        QTest.mouseRelease(widget, LEFT, NO_KEY, path[-1])

    def paint(self) -> None:
        """Everything that can be seen is painted once, now."""
        assert not self.window.grab().isNull()

    def close(self) -> None:
        """Close, and let go; how long closing took is kept."""
        if self.closed_in is not None:
            return
        thread = self.window.bridge.engine._thread if self.window.bridge is not None else None
        begun = time.perf_counter()
        self.window.close()
        self.closed_in = time.perf_counter() - begun
        ended = thread is None or not thread.is_alive()
        self.window.deleteLater()
        drain()
        assert ended, "the engine thread did not end"
        assert self.closed_in < CLOSES_WITHIN


@pytest.fixture
def desks(qtbot: Any) -> Iterator[Callable[..., Desk]]:
    """Makes desks (not opened yet), and closes all of them at the end."""
    made: list[Desk] = []

    def make(settings: Settings | None = None) -> Desk:
        made.append(Desk(qtbot, settings))
        return made[-1]

    yield make
    for desk in made:
        desk.close()
    made.clear()
    gc.collect()


@pytest.fixture
def desk(desks: Callable[..., Desk]) -> Desk:
    """The window as a first start shows it, its first run standing at step 0."""
    return desks().open()


@pytest.fixture
def window(desk: Desk) -> Any:
    """The real window, its first run standing at step 0."""
    return desk.window


@pytest.fixture
def trial(probe: type[Probe], desks: Callable[..., Desk]) -> Desk:
    """The window with the probe: an experiment that never ends by itself and fails to order."""
    return desks().open("probe", seed=1)
