"""Undo and redo: every deed goes back in the order in which a person did them, wholly or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QAction, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop.history import LIMIT, RUNS, Deed, ForgetRun, History
from desktop.language import language
from desktop.style.tokens import look
from desktop.undoing import Chooser, Chosen
from engine.api import Text
from engine.core import tree
from tests.desktop.conftest import LEFT, NO_KEY, Desk, drain
from tests.desktop.test_window import type_into

Key = Qt.Key
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


# ── the stack ───────────────────────────────────────────────────────────────────────────────────────────────


class Put(Deed):
    """A number on a shelf is another."""

    def __init__(self, shelf: dict[str, int], name: str, number: int) -> None:
        super().__init__(Text(f"{name} {shelf[name]} → {number}", {}))
        self.shelf, self.name, self.old, self.new = shelf, name, shelf[name], number
        shelf[name] = number

    def stands(self, back: bool) -> bool:
        return self.shelf[self.name] == (self.new if back else self.old)

    def take_back(self) -> None:
        self.shelf[self.name] = self.old

    def do_again(self) -> None:
        self.shelf[self.name] = self.new


@pytest.fixture
def shelf() -> dict[str, int]:
    return {"a": 0, "b": 0}


@pytest.fixture
def history(shelf: dict[str, int]) -> History:
    """a 1, b 1, a 2."""
    made = History()
    for name, number in (("a", 1), ("b", 1), ("a", 2)):
        made.push(Put(shelf, name, number))
    return made


def test_deeds_go_back_one_by_one_and_come_again(history: History, shelf: dict[str, int]) -> None:
    states = [(2, 1), (1, 1), (1, 0), (0, 0)]
    for state in states[1:]:
        history.undo()
        assert tuple(shelf.values()) == state
    history.undo()
    assert tuple(shelf.values()) == (0, 0)
    assert not history.canUndo()
    for state in states[-2::-1]:
        history.redo()
        assert tuple(shelf.values()) == state
    history.redo()
    assert not history.canRedo()
    history.undo()
    history.push(Put(shelf, "b", 7))
    assert not history.canRedo()
    assert history.undo_words == "b 1 → 7"


def test_what_no_longer_stands_is_passed_over(history: History, shelf: dict[str, int]) -> None:
    shelf["a"] = 9  # somebody else has put it there
    assert history._next(True) is not None
    history.review()
    assert history.undo_words == "b 0 → 1"
    history.undo()
    assert shelf == {"a": 9, "b": 0}
    assert not history.canUndo()
    history.undo()
    assert shelf == {"a": 9, "b": 0}
    history.redo()
    assert shelf == {"a": 9, "b": 1}


def test_deeds_are_forgotten_wherever_they_lie(history: History, shelf: dict[str, int]) -> None:
    history.undo()
    history.forget(lambda deed: isinstance(deed, Put) and deed.name == "b")
    assert shelf == {"a": 1, "b": 1}
    assert (history.undo_words, history.redo_words) == ("a 0 → 1", "a 1 → 2")
    history.redo()
    history.undo()
    history.undo()
    assert shelf == {"a": 0, "b": 1}
    history.forget(lambda _deed: True)
    assert history.count() == 0
    assert (history.undo_words, history.redo_words) == (None, None)


def test_only_so_many_are_kept(shelf: dict[str, int]) -> None:
    history = History()
    for number in range(1, LIMIT + 50):
        history.push(Put(shelf, "a", number))
    assert history.count() == LIMIT
    while history.canUndo():
        history.undo()
    assert shelf["a"] == 49


def test_nothing_is_half_done_while_another_run_is_set_up() -> None:
    class Slow(Put):
        needs_run = True

    shelf = {"a": 0}
    history = History()
    history.push(Slow(shelf, "a", 1))
    history.held = True
    history.undo()
    assert shelf["a"] == 1
    history.held = False
    history.undo()
    assert shelf["a"] == 0


def test_what_comes_of_undoing_is_no_deed(history: History, shelf: dict[str, int]) -> None:
    history.undone.connect(lambda _words: None)
    noted: list[str] = []

    class Careless(Put):
        def take_back(self) -> None:
            super().take_back()
            history.push(Put(self.shelf, "b", 5))
            history.undo()
            noted.append("done")

    history.push(Careless(shelf, "a", 3))
    history.undo()
    assert noted == ["done"]
    assert history.count() == 4
    assert shelf["a"] == 2


class Shed(QObject):
    """Stands for the engine."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, int]] = []

    def forget(self, id_: int, /) -> None:
        self.asked.append(("forget", id_))

    def bring_back(self, id_: int, /) -> None:
        self.asked.append(("bring back", id_))

    def switch(self, id_: int, /) -> None:
        self.asked.append(("switch", id_))


def test_a_deleted_run_comes_back_and_on_screen_if_it_was_there() -> None:
    shed, history = Shed(), History()
    history.push(ForgetRun(shed, 3, "k 4 → 6"))
    history.undo()
    history.redo()
    assert shed.asked == [("forget", 3), ("bring back", 3), ("forget", 3)]
    assert history.undo_words == "run “k 4 → 6” deleted"
    history.push(ForgetRun(shed, 2, shown=True))
    history.undo()
    assert shed.asked[-3:] == [("forget", 2), ("bring back", 2), ("switch", 2)]


def test_no_more_deletions_are_offered_than_the_engine_can_undo() -> None:
    assert RUNS == tree.FORGOTTEN
    shed, history = Shed(), History()
    for id_ in range(RUNS + 3):
        history.push(ForgetRun(shed, id_))
    shed.asked.clear()
    while history.canUndo():
        history.undo()
    assert [id_ for _what, id_ in shed.asked] == list(range(RUNS + 2, 2, -1))


# ── the window ──────────────────────────────────────────────────────────────────────────────────────────────


class Bench:
    """The window on some points in the plane, with hands for everything that can be undone."""

    def __init__(self, desk: Desk) -> None:
        look.reduce_motion = True
        desk.window.notice._timer.setInterval(60_000)  # news stay until they are read here
        self.desk = desk
        self.window = desk.window
        self.history: History = desk.window.history
        self.selection = desk.window.area.selection
        self.branches: tuple[int, ...] = ()
        desk.window.bridge.grown.connect(self._on_grown)
        desk.paint()
        desk.until(lambda: self.panel.paintable)

    def _on_grown(self, grown: Any) -> None:
        self.branches = tuple(branch.id for branch in grown.branches)

    @property
    def panel(self) -> Any:
        return self.desk.panels["cloud"]

    @property
    def canvas(self) -> Any:
        return self.panel.canvas

    def at(self, across: float, up: float) -> QPoint:
        plane = self.canvas.view.plane
        return QPoint(round(plane.left + across * plane.width), round(plane.top + (1 - up) * plane.height))

    def lasso(self, left: float = 0.02, right: float = 0.5) -> None:
        corners = ((left, 0.02), (right, 0.02), (right, 0.98), (left, 0.98))
        self.desk.drag(self.canvas, *(self.at(*corner) for corner in corners))
        drain()

    def place(self, item: int) -> QPoint:
        return QPointF(*self.canvas.view.plane.to_pixels(self.canvas.scene.points.xy[item])).toPoint()

    def pin(self) -> int:
        """Some point that no other and no centre lies over."""
        found = next(
            i for i in range(0, len(self.canvas.scene.points.xy), 7)
            if self.canvas.picture.point_at(QPointF(self.place(i))) == i
            and self.canvas.gestures.mark_at(QPointF(self.place(i)))[0] < 0
        )  # fmt: skip
        self.desk.click(self.canvas, self.place(found))
        drain()
        assert self.selection.pin == found
        return found

    def brush(self) -> None:
        self.desk.key(Key.Key_B, widget=self.window)
        self.desk.paint()

    def paint(self) -> None:
        self.brush()
        self.desk.drag(self.canvas, self.at(0.1, 0.1), self.at(0.3, 0.1), self.at(0.4, 0.2))
        self.brush()
        self.settle()

    def turn(self, name: str, value: Any) -> None:
        self.window.params.turn(name, value)
        self.settle()

    def settle(self) -> None:
        self.desk.settle()
        drain()

    def undo(self) -> str:
        self.desk.key(Key.Key_Z, CTRL, self.window)
        self.settle()
        return str(self.window.notice.text)

    def redo(self) -> str:
        self.desk.key(Key.Key_Z, CTRL | SHIFT, self.window)
        self.settle()
        return str(self.window.notice.text)

    @property
    def k(self) -> Any:
        shown, true = self.window.params.panels[0].values()["k"], self.window.conductor.values["k"]
        assert shown == true
        return true

    def state(self) -> tuple[Any, ...]:
        selection, pad = self.selection, self.window.pad
        items = None if selection.items is None else tuple(selection.items.tolist())
        xy = self.canvas.scene.points.xy
        drawn = 0.0 if pad is None else float(pad.sheet.ink.sum())
        return self.k, items, selection.pin, selection.hidden, xy.tobytes(), self.branches, drawn


@pytest.fixture
def bench(desks: Any) -> Bench:
    return Bench(desks().open("kmeans", dataset="blobs", k=3))


def test_everything_goes_back_in_the_order_in_which_it_was_done(bench: Bench) -> None:
    desk, window = bench.desk, bench.window
    desk.advance(4)
    bench.turn("k", 4)
    desk.advance(2)
    window.bridge.engine.seek(1)
    desk.until(lambda: desk.of("sought"))
    desk.run(lambda: window.bridge.engine.branch(1))  # a second run
    desk.until(lambda: bench.branches == (1, 2))
    bench.settle()
    bench.history.clear()

    states = [bench.state()]
    for doing in (
        lambda: bench.turn("k", 5),
        bench.lasso,
        bench.paint,  # on other points nothing is selected
        lambda: bench.turn("k", 6),
        bench.pin,
        lambda: window.runs.delete(1),
    ):
        doing()
        bench.settle()
        desk.until(lambda: bench.state() != states[-1])
        states.append(bench.state())
    assert [state[0] for state in states] == [3, 5, 5, 5, 6, 6, 6]
    assert states[2][1] is not None
    assert states[3][1] is None
    assert states[-1][5] == (2,)
    said = ["deleted", "pinned", "5 → 6", "points painted", "selection of", "3 → 5"]
    for _round in range(2):
        for state, words in zip(states[-2::-1], said, strict=True):
            notice = bench.undo()
            assert notice.startswith("Undone:")
            assert words in notice
            desk.until(lambda state=state: bench.state() == state)
        assert not bench.history.canUndo()
        for state, words in zip(states[1:], said[::-1], strict=True):
            notice = bench.redo()
            assert notice.startswith("Done again:")
            assert words in notice
            desk.until(lambda state=state: bench.state() == state)
        assert not bench.history.canRedo()
    desk.paint()
    assert not desk.of("failed")
    assert not desk.of("refused")


def test_drawings_and_knobs_in_one_order(desks: Any) -> None:
    desk = desks().open("pca", dataset="digits")
    window, history = desk.window, desk.window.history
    desk.key(Key.Key_D, widget=window)
    sheet = window.pad.sheet
    desk.paint()
    middle = sheet.rect().center()
    desk.drag(sheet, middle, middle + QPoint(30, 10))
    one = sheet.ink.copy()
    window.params.turn("k", 3)
    window.pad.sheet.clear()
    assert history.undo_words == "sheet emptied"
    for expected in ("k 16 → 3", "stroke of the pen", None):
        history.undo()
        assert history.undo_words == expected
        assert bool(sheet.ink.any()) == (expected is not None)
    history.redo()
    assert np.array_equal(sheet.ink, one)
    desk.click(window.pad.undo_button)
    assert not sheet.ink.any()
    desk.settle()


def test_one_drag_is_one_deed_and_tells_from_where_to_where(bench: Bench) -> None:
    slider = bench.window.params.shown.rows["k"].slider
    for ways in ((4, 5, 8), (6, 11)):
        slider.setSliderDown(True)
        for tick in ways:
            slider.setSliderPosition(tick)
        slider.setSliderDown(False)
    assert bench.history.count() == 2
    assert bench.history.undo_words == "k 9 → 12"
    slider.setSliderDown(True)
    slider.setSliderPosition(20)
    slider.setSliderPosition(11)
    slider.setSliderDown(False)  # back where it was: nothing has been done
    assert bench.history.count() == 2
    assert "9 → 12" in bench.undo()
    assert "3 → 9" in bench.undo()
    assert bench.k == 3


def test_two_knobs_moved_by_keys_are_two_deeds(desks: Any) -> None:
    desk = desks().open("gmm")
    rows = [row for row in desk.window.params.shown.rows.values() if row.slider is not None][:2]
    before = [row.value for row in rows]
    for row in rows:
        row.slider.setFocus()
        QTest.keyClick(row.slider, Key.Key_Right)
    desk.window.history.undo()
    assert [row.value for row in rows] == [rows[0].value, before[1]]
    assert rows[0].value != before[0]
    desk.window.history.undo()
    assert [row.value for row in rows] == before
    desk.settle()


def test_an_undo_in_the_middle_of_a_stroke_takes_this_stroke_back(bench: Bench) -> None:
    bench.brush()
    first = len(bench.panel.painter.cloud)
    QTest.mousePress(bench.canvas, LEFT, NO_KEY, bench.at(0.1, 0.1))
    bench.desk.move(bench.canvas, bench.at(0.4, 0.1), LEFT)
    assert len(bench.panel.painter.cloud) > first
    bench.history.undo()
    assert len(bench.panel.painter.cloud) == first
    QTest.mouseRelease(bench.canvas, LEFT, NO_KEY, bench.at(0.4, 0.1))
    assert len(bench.panel.painter.cloud) == first
    bench.settle()


def test_boxes_with_text_keep_their_own_undo(bench: Bench) -> None:
    bench.turn("k", 5)
    box = bench.window.params.shown.rows["k"].box
    box.setFocus()
    box.selectAll()
    QTest.keyClicks(box, "77")
    QTest.keyClick(box, Key.Key_Z, CTRL)
    assert box.text() != "77"
    assert bench.k == 5
    assert bench.history.count() == 1
    box.clearFocus()
    bench.settle()


# ── the points ──────────────────────────────────────────────────────────────────────────────────────────────


def test_selections_are_deeds_and_hovering_is_none(bench: Bench) -> None:
    desk, selection, history = bench.desk, bench.selection, bench.history
    bench.lasso()
    left = selection.items
    assert history.undo_words == f"selection of {len(left)} points"
    bench.lasso(0.5, 0.98)
    right = selection.items
    bench.lasso(0.5, 0.98)  # the same again
    desk.move(bench.canvas, bench.place(3))
    selection.set_hover(5)
    selection.light_label(1)
    drain()
    assert history.count() == 2
    item = bench.pin()
    desk.until(lambda: len(selection.neighbours) == 6)
    desk.key(Key.Key_Escape, widget=bench.window)  # all of it at once
    drain()
    assert history.count() == 4
    assert (selection.items, selection.pin) == (None, -1)
    bench.undo()
    assert np.array_equal(selection.items, right)
    assert selection.pin == item
    assert bench.canvas.cards.pinned_here == item  # with its neighbours, where they were listed
    desk.until(lambda: len(selection.neighbours) == 6)
    bench.undo()
    assert selection.pin == -1
    bench.undo()
    assert np.array_equal(selection.items, left)
    bench.undo()
    assert selection.items is None
    assert not history.canUndo()


def test_a_selection_made_and_cleared_in_one_gesture_is_at_most_one_deed(bench: Bench) -> None:
    selection = bench.selection
    selection.select(np.arange(5, dtype=np.int32))
    selection.select(None)
    selection.set_pin(3)
    drain()
    assert bench.history.count() == 1
    selection.select(np.arange(5, dtype=np.int32))
    bench.history.undo()  # it has not been noted yet
    assert selection.items is None
    assert selection.pin == 3


def test_a_double_click_in_the_legend_is_one_deed(bench: Bench) -> None:
    legend, selection, history = bench.canvas.legend, bench.selection, bench.history
    assert legend.isVisible()
    row = QPoint(legend.width() // 2, round(legend.height() / len(legend._names) / 2))

    def click() -> None:
        QTest.mouseClick(legend, LEFT, NO_KEY, row)
        drain()

    def double_click() -> None:
        click()
        for kind in (QEvent.Type.MouseButtonDblClick, QEvent.Type.MouseButtonRelease):
            at = QPointF(row)
            QApplication.sendEvent(legend, QMouseEvent(kind, at, legend.mapToGlobal(at), LEFT, LEFT, NO_KEY))
        drain()

    click()
    assert selection.hidden == {0}
    click()
    assert selection.hidden == set()
    assert history.count() == 2
    double_click()
    alone = selection.hidden
    assert 0 not in alone
    assert alone
    assert history.count() == 3
    assert history.undo_words == "one class shown alone"
    double_click()
    assert selection.hidden == set()
    assert history.count() == 4
    for expected in (alone, set(), {0}, set()):
        bench.undo()
        assert selection.hidden == expected


def test_under_other_colours_classes_are_no_longer_what_was_hidden(bench: Bench) -> None:
    selection, history = bench.selection, bench.history
    selection.toggle_label(1)
    drain()
    selection.select(np.arange(4, dtype=np.int32))
    drain()
    choices = [name for name, _title in bench.desk.started.colourings]
    bench.panel.colour.picked.emit(choices[0])
    bench.desk.until(lambda: selection.colours is not None)
    drain()
    assert selection.hidden == set()
    assert history.undo_words == "selection of 4 points"
    bench.undo()
    assert not history.canUndo()
    bench.redo()
    assert selection.hidden == set()


def test_the_selection_stays_on_the_same_points_and_goes_with_others(bench: Bench) -> None:
    desk, selection, history = bench.desk, bench.selection, bench.history
    bench.lasso()
    item = bench.pin()
    chosen = selection.items
    for again in (Key.Key_R, Key.Key_N, Key.Key_C, Key.Key_C):
        desk.run(lambda again=again: desk.key(again, widget=bench.window))
        bench.settle()
        assert np.array_equal(selection.items, chosen)
        assert selection.pin == item
        assert history.count() == 2
    assert "pinned" in bench.undo()
    assert "selection" in bench.undo()
    bench.redo()
    desk.run(lambda: bench.window.conductor.turn_data("n", 300))
    bench.settle()
    assert selection.items is None
    assert not history.canUndo()
    assert not history.canRedo()


# ── what a new run makes of it ──────────────────────────────────────────────────────────────────────────────


def test_a_knob_that_restarts_is_undone_by_a_restart_and_the_notice_outlives_it(bench: Bench) -> None:
    desk = bench.desk
    bench.turn("k", 5)
    desk.run(lambda: bench.window.params.turn("init", "random"))
    desk.play()
    desk.run(bench.history.undo)
    assert desk.started.params["init"] == "k-means++"
    assert desk.started.params["k"] == 5
    assert bench.window.notice.text.startswith("Undone:")
    desk.until(lambda: desk.status in ("running", "ended"))  # it plays on if it did
    desk.until(lambda: desk.status == "ended")
    assert "3 → 5" in bench.undo()
    assert bench.k == 3


def test_knobs_keep_their_history_on_the_same_data(bench: Bench) -> None:
    desk, history = bench.desk, bench.history
    bench.turn("k", 5)
    for again in (Key.Key_R, Key.Key_N):
        desk.run(lambda again=again: desk.key(again, widget=bench.window))
    desk.advance(3)
    bench.window.bridge.engine.seek(1)
    desk.until(lambda: desk.of("sought"))
    desk.run(lambda: bench.window.bridge.engine.branch(1))
    desk.run(lambda: desk.key(Key.Key_C, widget=bench.window))
    assert bench.window.comparing
    bench.settle()
    bench.turn("b.k", 8)
    assert history.undo_words == "B: k 5 → 8"
    bench.turn("k", 6)
    assert history.undo_words == "A: k 5 → 6"
    bench.undo()
    bench.undo()
    assert bench.window.conductor.values["b.k"] == 5
    bench.redo()
    desk.run(lambda: desk.key(Key.Key_C, widget=bench.window))  # B is gone, with what was done to it
    bench.settle()
    assert "3 → 5" in bench.undo()
    assert bench.k == 3
    assert not history.canUndo()


@pytest.mark.parametrize("how", ["data", "experiment", "the same experiment", "demo"])
def test_what_belongs_to_another_run_goes(bench: Bench, how: str) -> None:
    desk, conductor = bench.desk, bench.window.conductor
    bench.turn("k", 5)
    bench.lasso()
    doing = {
        "data": lambda: conductor.use_dataset("moons"),
        "experiment": lambda: conductor.choose("gmm", dataset="blobs"),
        "the same experiment": lambda: conductor.choose("kmeans", dataset="blobs"),
        "demo": lambda: conductor.choose_demo("kmeans", "careful"),
    }
    desk.run(doing[how])
    drain()
    assert bench.selection.items is None
    assert not bench.history.canUndo()
    assert bench.history.count() == 0
    values = dict(conductor.values)
    bench.undo()
    bench.redo()
    assert conductor.values == values


def test_a_file_that_is_opened_has_a_past_of_its_own(bench: Bench, tmp_path: Path) -> None:
    desk, keeping = bench.desk, bench.window.keeping
    bench.lasso()
    chosen = bench.selection.items
    saved: list[Any] = []
    bench.window.bridge.saved.connect(saved.append)
    keeping.save_to(tmp_path / "runs.latentarium")
    desk.until(lambda: saved)
    bench.turn("k", 5)
    bench.lasso(0.5, 0.98)
    desk.run(lambda: keeping.open(tmp_path / "runs.latentarium"))
    bench.settle()
    assert np.array_equal(bench.selection.items, chosen)
    assert bench.history.count() == 0
    assert bench.k == 3


def test_the_drawing_keeps_its_history_whatever_runs(desks: Any) -> None:
    desk = desks().open("pca", dataset="digits")
    desk.key(Key.Key_D, widget=desk.window)
    sheet = desk.window.pad.sheet
    desk.paint()
    desk.drag(sheet, sheet.rect().center(), sheet.rect().center() + QPoint(30, 10))
    desk.window.params.turn("k", 3)
    desk.settle()
    desk.run(lambda: desk.window.conductor.choose("kmeans", dataset="digits"))
    assert desk.window.history.undo_words == "stroke of the pen"
    desk.window.history.undo()
    assert not sheet.ink.any()
    desk.settle()


def test_knobs_of_the_data_go_back_too(bench: Bench) -> None:
    desk = bench.desk
    bench.turn("k", 5)
    former = desk.started.size
    desk.run(lambda: bench.window.datasets.knobs.turn("n", 400))
    assert desk.started.size == 400
    desk.run(lambda: desk.key(Key.Key_Z, CTRL, bench.window))
    assert desk.started.size == former
    bench.settle()
    assert "3 → 5" in bench.undo()


def test_a_value_that_was_refused_is_not_offered(desks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = desks().open("kmeans", dataset="blobs", k=3)
    window = desk.window
    window.params.turn("k", 4)
    desk.settle()
    engine = window.bridge.engine
    monkeypatch.setattr(engine, "start", lambda spec, **_more: engine._post("load", 1, 2, 3, 4))
    window.params.turn("init", "random")
    row = window.params.shown.rows["init"]
    row.show_value("k-means++")  # as the window does when it hears of it
    window.history.held = False
    window.history.review()
    assert window.history.undo_words == "k 3 → 4"
    monkeypatch.undo()


def test_in_the_past_undo_first_comes_back_to_the_present(bench: Bench) -> None:
    desk = bench.desk
    desk.advance(2)
    bench.turn("k", 5)
    desk.advance(2)
    bench.paint()
    before = bench.canvas.scene.points.xy
    bench.window.bridge.engine.seek(1)
    desk.until(lambda: bench.window.looks_back)
    bench.settle()
    assert bench.history.undo_words == "points painted"
    desk.key(Key.Key_Z, CTRL, bench.window)
    desk.until(lambda: not bench.window.looks_back)
    bench.settle()
    desk.until(lambda: len(bench.canvas.scene.points.xy) < len(before))
    assert "painted" in bench.window.notice.text
    bench.window.bridge.engine.seek(1)
    desk.until(lambda: bench.window.looks_back)
    bench.settle()
    desk.key(Key.Key_Z, CTRL, bench.window)
    desk.until(lambda: bench.window.conductor.values["k"] == 3)
    bench.settle()
    assert bench.k == 3


def test_a_knob_turned_in_the_past_is_undone_there(bench: Bench) -> None:
    desk = bench.desk
    desk.advance(3)
    bench.window.bridge.engine.seek(1)
    desk.until(lambda: bench.window.looks_back)
    bench.turn("k", 7)
    bench.undo()
    assert bench.k == 3
    assert bench.window.looks_back


def test_deletions_end_with_the_tree(bench: Bench) -> None:
    desk = bench.desk
    desk.advance(3)
    bench.turn("k", 4)
    desk.advance(1)
    bench.window.bridge.engine.seek(1)
    desk.until(lambda: bench.window.looks_back)
    desk.run(lambda: bench.window.bridge.engine.branch(1))
    desk.until(lambda: bench.branches == (1, 2))
    bench.turn("k", 6)
    bench.window.runs.delete(2)  # the one on screen
    desk.until(lambda: bench.branches == (1,))
    desk.run(bench.history.undo)
    desk.until(lambda: bench.branches == (1, 2))
    assert bench.window.runs._grown.active == 2
    desk.run(bench.history.redo)
    bench.settle()
    assert "deleted" in str(bench.history.undo_words)
    desk.run(lambda: desk.key(Key.Key_R, widget=bench.window))
    bench.settle()
    assert bench.branches == (1,)
    assert "deleted" not in str(bench.history.undo_words)
    bench.window.runs.delete(1)  # the only one: refused, and not offered
    desk.until(lambda: desk.of("refused"))
    bench.settle()
    assert "deleted" not in str(bench.history.undo_words)


# ── what is said ────────────────────────────────────────────────────────────────────────────────────────────


def entries(bench: Bench) -> list[QAction]:
    return bench.window._more.menu().actions()[:2]


def test_the_menu_and_the_buttons_tell_what_would_be_undone_in_both_languages(bench: Bench) -> None:
    window = bench.window
    undo, redo = entries(bench)
    panel = window.params.shown
    assert (undo.text(), redo.text()) == ("Undo\tCtrl+Z", "Redo\tCtrl+Shift+Z")
    assert not undo.isEnabled()
    assert not panel.undo_button.isEnabled()
    bench.turn("k", 5)
    bench.lasso()
    count = len(bench.selection.items)
    assert undo.text().startswith(f"Undo: selection of {count} points\t")
    assert panel.undo_button.toolTip() == f"Undo: selection of {count} points (Ctrl+Z)"
    undo.trigger()
    bench.settle()
    assert bench.selection.items is None
    assert undo.text().startswith("Undo: k 3 → 5\t")
    assert redo.text().startswith("Redo: selection")
    assert panel.redo_button.toolTip().startswith("Redo: selection")
    panel.undo_button.click()
    bench.settle()
    assert bench.k == 3
    assert not undo.isEnabled()
    said = lambda: (redo.text(), panel.redo_button.toolTip(), window.notice.text)  # noqa: E731
    english = said()
    language.switch("fr")
    assert said() == (
        "Rétablir\u00a0: k 3 → 5\tCtrl+Maj+Z",
        "Rétablir\u00a0: k 3 → 5 (Ctrl+Maj+Z)",
        "Annulé\u00a0: k 3 → 5",
    )
    redo.trigger()
    window.history.redo()
    bench.settle()
    assert undo.text() == f"Annuler\u00a0: sélection de {count} points\tCtrl+Z"
    window.history.undo()
    window.history.undo()
    bench.settle()
    language.switch("en")
    assert said() == english


def test_numbers_follow_the_language(trial: Desk) -> None:
    type_into(trial, "lr", "0.5")
    trial.settle()
    undo = trial.window._more.menu().actions()[0]
    assert "0.01 → 0.5" in undo.text()
    language.switch("fr")
    assert "0,01 → 0,5" in undo.text()


def test_all_defaults_are_one_deed(trial: Desk) -> None:
    panel = trial.window.params.shown
    type_into(trial, "lr", "0.5")
    panel.rows["noisy"].switch.click()
    trial.settle()
    assert str(trial.window.history.undo_words).endswith("on → off")
    trial.click(panel.defaults_button)
    assert trial.window.history.undo_words == "2 knobs to their defaults"
    trial.key(Key.Key_Z, CTRL, trial.window)
    trial.settle()
    assert (panel.values()["lr"], panel.values()["noisy"]) == (0.5, False)


class Area(QObject):
    """As much of the area as a chooser looks at."""

    painting = Signal(bool)
    painter = None

    def __init__(self) -> None:
        from desktop.selection import Selection

        super().__init__()
        self.selection = Selection()

    def pinned_in(self) -> str:
        return ""

    def pin(self, item: int, where: str = "") -> None:
        self.selection.set_pin(item)


def test_any_mixture_of_choices_goes_back_the_same_way() -> None:
    rng = np.random.default_rng(0)
    history, area = History(), Area()
    chooser: Any = Chooser(history, area)  # type: ignore[arg-type]
    selection = area.selection
    states: list[Chosen] = [chooser.now()]
    for _step in range(60):
        what = rng.integers(5)
        if what == 0:
            selection.select(np.sort(rng.choice(20, 5, replace=False)).astype(np.int32))
        elif what == 1:
            selection.set_pin(int(rng.integers(-1, 20)))
        elif what == 2:
            selection.toggle_label(int(rng.integers(4)))
        elif what == 3:
            selection.solo_label(int(rng.integers(4)), 4)
        else:
            selection.clear()
        chooser.commit()
        if states[-1].differs(chooser.now()):
            states.append(chooser.now())
    assert history.count() == len(states) - 1 > 30
    for state in states[-2::-1]:
        history.undo()
        assert not state.differs(chooser.now())
    for state in states[1:]:
        history.redo()
        assert not state.differs(chooser.now())
