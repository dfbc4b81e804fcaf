"""Garbage dies on the window's thread, between two events."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import pytest

from desktop.tidy import Tidier
from tests.desktop.conftest import Desk


class Knot:
    """Refers to itself: only the collector frees it."""

    def __init__(self) -> None:
        self.self = self


def test_a_knot_is_freed_when_the_event_loop_rests_and_not_before(qtbot: Any) -> None:
    assert not gc.isenabled()
    gc.collect()
    knot = weakref.ref(Knot())
    heap = [[] for _ in range(3000)]  # more than enough to be due
    assert knot() is not None
    qtbot.waitUntil(lambda: knot() is None)
    assert len(heap) == 3000


def test_nothing_is_collected_on_the_engines_thread(trial: Desk) -> None:
    where: set[str] = set()

    def note(phase: str, _info: dict[str, int]) -> None:
        where.add(threading.current_thread().name)

    gc.callbacks.append(note)
    try:
        trial.play()
        trial.until(lambda: trial.step > 500 and where)
        trial.pause()
    finally:
        gc.callbacks.remove(note)
    assert where == {threading.main_thread().name}


def test_collection_is_given_back(qapp: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tidier = Tidier()
    tidier.start()
    tidier.stop()
    assert gc.isenabled()
    gc.disable()  # as the tests here want it
