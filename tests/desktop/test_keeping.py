"""Runs in files: by hand, by themselves, and after a window was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from desktop.keeping import Slot
from tests.desktop.conftest import Desk


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def kept(desks: Callable[..., Desk], home: Path) -> Callable[..., Desk]:
    """Desks whose runs are kept at ``home``."""

    def make(**options: Any) -> Desk:
        desk = desks()
        desk.window._home = home
        return desk.open("kmeans", dataset="blobs", seed=3, **options)

    return make


def saved(desk: Desk, doing: Callable[[], Any]) -> None:
    with desk.qtbot.waitSignal(desk.window.bridge.saved, timeout=20_000):
        doing()


def opened(desk: Desk, doing: Callable[[], Any]) -> None:
    with desk.qtbot.waitSignal(desk.window.bridge.opened, timeout=20_000):
        doing()
    desk.settle()


def recovery(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "recovery").iterdir() if path.suffix == ".latentarium")


# ── by hand ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_everything_on_screen_comes_back(kept: Callable[..., Desk], tmp_path: Path) -> None:
    desk = kept()
    window = desk.window
    desk.advance(6)
    window.seek(2)
    desk.settle()
    window.conductor.turn("k", 6)
    desk.settle()
    desk.run(lambda: window.bridge.engine.advance(3))
    desk.until(lambda: desk.status in ("paused", "ended"))
    desk.panels["cloud"].canvas.view.set_camera((-1.0, 1.5, -2.0, 0.5))
    chosen = np.array([3, 5, 8, 200], np.int32)
    window.area.selection.select(chosen)
    window.area.selection.set_pin(5)
    window.area.selection.toggle_label(1)
    window.transport.speed_slider.setValue(20)
    window.seek(1)
    desk.until(lambda: window.looks_back)
    path = tmp_path / "lecture.latentarium"
    saved(desk, lambda: window.keeping.save_to(path))
    tree = window.conductor.tree
    assert window.windowTitle().startswith("lecture.latentarium")

    desk.run(lambda: window.conductor.choose("pca", dataset="digits"))
    assert window.windowTitle() == "Latentarium"
    opened(desk, lambda: window.look_at(path))
    desk.until(lambda: window.looks_back)
    selection = window.area.selection
    assert window.conductor.info.id == "kmeans"
    assert window.experiments.current_card() is not None
    assert window.conductor.spec.seed == 3
    assert window.params.shown.values()["k"] == 5, "as it was at the step on screen"
    assert window.shown_step == 1
    desk.until(lambda: desk.panel_steps() == {1})
    assert list(selection.items) == list(chosen)
    assert (selection.pin, selection.hidden) == (5, frozenset({1}))
    assert desk.panels["cloud"].canvas.view.camera == (-1.0, 1.5, -2.0, 0.5)
    assert window.transport.speed_slider.value() == 20
    again = window.conductor.tree
    assert (again.branches, again.active, again.ghost) == (tree.branches, tree.active, tree.ghost)
    assert window.settings.recent == [str(path)]
    window.seek(None)
    desk.until(lambda: window.params.shown.values()["k"] == 6)


def test_a_file_that_cannot_be_opened_changes_nothing(kept: Callable[..., Desk], tmp_path: Path) -> None:
    desk = kept()
    desk.advance(2)
    bad = tmp_path / "bad.latentarium"
    bad.write_bytes(b"no session")
    before = desk.started
    desk.window.look_at(bad)
    desk.until(lambda: "bad.latentarium" in desk.window.notice.text)
    assert desk.started is before
    desk.advance(1)
    assert desk.step == 3


def test_what_a_file_says_of_the_screen_is_believed_only_where_it_fits(
    kept: Callable[..., Desk], tmp_path: Path
) -> None:
    desk = kept()
    desk.advance(2)
    engine, path = desk.window.bridge.engine, tmp_path / "odd.latentarium"
    for view in (
        {"shown": "x", "pace": None, "selected": "%%%", "pin": 10**9, "hidden": [[]]},
        {"shown": -5, "pace": 10**12, "selected": [1], "pin": True, "hidden": 3},
        {"cameras": {"cloud": [1, 0, 0, 0]}},
        {"cameras": {"cloud": ["a"] * 4}},
        {"shown": 10**18, "step_size": -3, "selected": "AAAA", "colouring": "nothing", "cameras": 7},
    ):  # fmt: skip
        saved(desk, lambda view=view: engine.save(path, view))
        opened(desk, lambda: desk.window.look_at(path))
        desk.paint()
        assert not desk.of("failed")
        assert desk.window.area.selection.pin == -1


# ── by itself ───────────────────────────────────────────────────────────────────────────────────────────────


def test_runs_are_kept_when_there_is_something_new_and_when_the_window_closes(
    kept: Callable[..., Desk], home: Path, desks: Callable[..., Desk]
) -> None:
    desk = kept()
    keeping = desk.window.keeping
    saved(desk, keeping.keep)
    assert recovery(home) == ["1.latentarium"]
    stamp = keeping.slot.path.stat().st_mtime_ns
    keeping.keep()  # nothing new
    desk.settle()
    assert keeping.slot.path.stat().st_mtime_ns == stamp
    desk.advance(4)
    desk.close()
    assert not (home / "recovery" / "1.open").exists()
    again = kept()
    assert not again.window.notice.text, "a window that was closed is no accident"
    opened(again, again.window.keeping.take_up_former)
    assert again.step == 4
    assert again.window.keeping.path is None, "it is nobody's file"


def test_two_windows_keep_their_runs_apart(kept: Callable[..., Desk], home: Path) -> None:
    a, b = kept(), kept()
    saved(a, a.window.keeping.keep)
    saved(b, b.window.keeping.keep)
    assert recovery(home) == ["1.latentarium", "2.latentarium"]


def test_a_place_that_cannot_be_written_is_complained_of_once(
    kept: Callable[..., Desk], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.core import session

    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    desk = kept()
    monkeypatch.setattr(session.os, "fsync", full)
    said = []
    monkeypatch.setattr(desk.window.notice, "show_problem", said.append)
    for _time in range(3):
        before = len(desk.of("refused"))
        desk.advance(1)
        desk.window.keeping.keep()
        desk.until(lambda before=before: len(desk.of("refused")) > before)
    assert len(said) == 1
    assert "No space left" in str(said[0])


def test_without_a_folder_to_write_to_the_window_opens_all_the_same(
    desks: Callable[..., Desk], tmp_path: Path
) -> None:
    desk = desks()
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    desk.window._home = blocked
    desk.open("kmeans", dataset="blobs")
    assert desk.window.keeping.slot is None
    desk.window.keeping.keep()


def test_an_older_version_is_never_taken_for_the_newest(home: Path) -> None:
    folder = home / "recovery"
    slot = Slot.take(folder)
    assert slot is not None
    slot.path.write_text("newest")
    slot.path.with_name(slot.path.name + ".1").write_text("older")
    for _start in range(2):  # the second one had nothing to keep
        slot.leave()
        slot = Slot.take(folder)
        assert slot is not None
        assert slot.former.read_text() == "newest"
    slot.leave()


# ── after an accident ───────────────────────────────────────────────────────────────────────────────────────

KILLED = """
    import os, sys
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from engine import boot
    boot.environment()
    from pathlib import Path
    from PySide6.QtWidgets import QApplication
    from desktop.settings import Settings
    from desktop.window import Window
    app = QApplication([])
    window = Window(Settings(), device="cpu", home=Path(sys.argv[1]))
    def begin():
        window.conductor.choose("kmeans", dataset="blobs", seed=3)
        window.bridge.engine.advance(3)
    window.when_ready = begin
    window.show()
    window.begin()
    window.bridge.progress.connect(lambda step, _rate: step == 3 and window.keeping.keep())
    window.bridge.saved.connect(lambda _saved: print("kept", flush=True))
    app.exec()
"""


def test_what_a_killed_window_had_is_offered_until_it_has_been_kept_again(
    kept: Callable[..., Desk], home: Path
) -> None:
    program = [sys.executable, "-c", textwrap.dedent(KILLED), str(home)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"kept\n"
        os.kill(child.pid, signal.SIGKILL)
    for accident in range(2):  # the second start is killed before it has kept anything itself
        slot = Slot.take(home / "recovery")
        assert slot is not None
        assert slot.lost.exists(), accident
        slot._lock.unlock()  # as if it had been killed: it is still marked as open
    desk = kept()
    notice = desk.window.notice
    assert "unexpectedly" in notice.text
    desk.play()
    assert "unexpectedly" in notice.text, "it waits while something else runs"
    opened(desk, notice._take.click)
    assert desk.step == 3
    assert desk.started.spec.seed == 3
    assert recovery(home) == ["1.lost.latentarium"]
    desk.advance(1)
    saved(desk, desk.window.keeping.keep)
    assert recovery(home) == ["1.former.latentarium", "1.latentarium"]


def test_an_offer_that_is_closed_waits_in_the_menu(kept: Callable[..., Desk], home: Path) -> None:
    slot = Slot.take(home / "recovery")
    assert slot is not None
    desk = kept()  # beside it, in the second slot
    saved(desk, desk.window.keeping.keep)
    own = desk.window.keeping.slot
    desk.window.keeping.slot = None  # killed
    own._lock.unlock()
    slot.leave()
    (home / "recovery" / "2.open").replace(home / "recovery" / "1.open")
    own.path.replace(slot.path)
    again = kept()
    assert "unexpectedly" in again.window.notice.text
    again.click(again.window.notice._close)
    assert not again.window.notice.text
    assert again.window.keeping.former == home / "recovery" / "1.former.latentarium"
    opened(again, again.window.keeping.take_up_former)
