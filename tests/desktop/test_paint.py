"""Painting data: what each tool does to the points, and the brush in the real window while k-means runs."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from desktop.language import language, tr
from desktop.panels.paint import EMPTY, MOST, TOOLS, Cloud, Painter, PaintTools, Stroke, over
from desktop.style.tokens import look
from engine.api import Markers, Points
from tests.desktop.conftest import LEFT, NO_KEY, Desk

Key = Qt.Key
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
Place = tuple[float, float]
WAY = [(0.0, 0.0), (10.0, 0.0), (10.0, 8.0)]


def cloud(n: int, spread: float = 5.0) -> Cloud:
    xy = np.random.default_rng(7).uniform(-spread, spread, (n, 2)).astype(np.float32)
    return Cloud(xy, (np.arange(n) % 3).astype(np.int32))


def paint(
    tool: str, way: list[Place], on: Cloud = EMPTY, *, seed: int = 1, rate: float = 3.0, **more: Any
) -> Cloud:
    stroke = begun(tool, way[0], on, seed=seed, rate=rate, **more)
    for at in way[1:]:
        stroke.move(at)
    return stroke.cloud


def begun(tool: str, at: Place, on: Cloud = EMPTY, *, seed: int = 1, **more: Any) -> Stroke:
    settings: dict[str, Any] = {"reach": (1.0, 1.0), "rate": 3.0, "label": 2, **more}
    return Stroke(tool, on, at, rng=np.random.default_rng(seed), **settings)


def finely(way: list[Place], parts: int) -> list[Place]:
    """The same way, reported by a mouse that speaks ``parts`` times as often."""
    fine = [way[0]]
    for (ax, ay), (bx, by) in pairwise(way):
        fine += [(ax + (bx - ax) * i / parts, ay + (by - ay) * i / parts) for i in range(1, parts + 1)]
    return fine


def from_way(xy: np.ndarray, way: list[Place]) -> np.ndarray:
    """How far each point lies from the way."""
    nearest = np.full(len(xy), np.inf)
    for a, b in pairwise(np.array(way)):
        t = np.clip((xy - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
        nearest = np.minimum(nearest, np.hypot(*(xy - a - t[:, None] * (b - a)).T))
    return nearest


# ── tools ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("tool", TOOLS)
def test_the_same_dice_give_the_same_points(tool: str) -> None:
    before = cloud(300)
    kept = before.xy.copy(), before.y.copy()
    first, again = paint(tool, WAY, before), paint(tool, WAY, before)
    assert first.same(again)
    assert not first.same(before)
    assert first.xy.dtype == np.float32
    assert first.y.dtype == np.int32
    assert np.array_equal(before.xy, kept[0])
    assert np.array_equal(before.y, kept[1])
    if tool != "eraser":
        assert not first.same(paint(tool, WAY, before, seed=2))
        assert np.array_equal(first.xy[:300], before.xy)
        assert set(first.y[300:]) == {2}


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("parts", [2, 7, 64])
def test_how_often_the_mouse_reports_makes_no_difference(tool: str, parts: int) -> None:
    way = [(0.03, 0.02), (10.0, 0.4), (10.3, 8.0)]
    before = cloud(400)
    few, many = paint(tool, way, before, rate=2.3), paint(tool, finely(way, parts), before, rate=2.3)
    assert len(few) == len(many)
    np.testing.assert_allclose(few.xy, many.xy, atol=1e-4)


def test_twice_the_way_is_twice_the_points() -> None:
    for tool in ("brush", "spray", "line"):
        short, long = (len(paint(tool, [(0.0, 0.0), (x, 0.0)])) for x in (20.0, 40.0))
        assert short > 100
        assert long == pytest.approx(2 * short, rel=0.05)


def test_brush_and_line_stay_inside_the_circle_and_reach_its_rim() -> None:
    for tool, way in (("brush", WAY), ("line", [(0.0, 0.0), (6.0, 5.0)])):
        away = from_way(paint(tool, way, rate=8).xy, way)
        assert 0.9 < away.max() <= 1.0 + 1e-5


def test_the_line_is_straight_whatever_the_way() -> None:
    bent = paint("line", [(0.0, 0.0), (3.0, 9.0), (6.0, 0.0)])
    assert from_way(bent.xy, [(0.0, 0.0), (6.0, 0.0)]).max() <= 1.0 + 1e-5
    assert bent.same(paint("line", [(0.0, 0.0), (6.0, 0.0)]))


def test_the_stamp_is_a_bell_where_it_is_let_go() -> None:
    heap = paint("stamp", [(0.0, 0.0), (40.0, -3.0)], rate=12, reach=(2.0, 4.0)).xy
    assert len(heap) == 144
    np.testing.assert_allclose(heap.mean(0), (40, -3), atol=0.5)
    np.testing.assert_allclose(heap.std(0), (1, 2), rtol=0.25)  # 2 σ is the circle


def test_spray_is_densest_in_the_middle_and_goes_on_while_held() -> None:
    stroke = begun("spray", (0.0, 0.0), rate=4.0)
    for _tick in range(300):
        assert stroke.hold()
    away = np.hypot(*stroke.cloud.xy.T)
    assert len(away) == 4 * 301
    assert (away < 0.5).mean() > 0.3
    assert (away < 1).mean() == pytest.approx(1 - np.exp(-2), abs=0.05)
    for tool in TOOLS:
        assert begun(tool, (0.0, 0.0)).hold() == (tool == "spray")


def test_the_eraser_takes_what_it_touches_and_keeps_the_order() -> None:
    before = cloud(2000)
    after = paint("eraser", [(-9.0, 0.0), (9.0, 0.0)], before)
    kept = np.abs(before.xy[:, 1]) > 1
    assert np.array_equal(after.xy, before.xy[kept])
    assert np.array_equal(after.y, before.y[kept])
    assert paint("eraser", [(99.0, 99.0), (98.0, 99.0)], before) is before
    assert len(paint("eraser", WAY, EMPTY)) == 0


def test_a_click_leaves_something_however_small_the_brush() -> None:
    for tool in ("brush", "spray", "line", "stamp"):
        assert len(paint(tool, [(1.0, 1.0)], rate=0.3)) >= 1


def test_there_is_a_most() -> None:
    almost = cloud(MOST - 5)
    for tool in ("brush", "spray", "line", "stamp"):
        stroke = begun(tool, (0.0, 0.0), almost)
        stroke.move((50.0, 0.0))
        stroke.move((51.0, 0.0))
        assert len(stroke.cloud) == MOST
        assert stroke.full
    stroke.move((51.0, 0.0))
    room = begun("line", (0.0, 0.0), almost)
    room.move((50.0, 0.0))
    room.move((0.5, 0.0))  # the line is short again
    assert not room.full


def test_new_points_join_the_nearest_centre_or_their_class() -> None:
    painted = Cloud(np.array([[0, 0], [9, 9]], np.float32), np.array([4, 4], np.int32))
    centres = Markers(np.array([[8, 8], [1, 1]], np.float32), None, np.array([0, 1], np.int32))
    shown = cloud(3)
    known = Points(shown.xy, shown.y, layers=(centres,), total=50, classes=shown.y)
    assert over(known, painted).label.tolist() == [1, 0]  # type: ignore[union-attr]
    assert over(known, painted).total is None
    plain = Points(shown.xy, shown.y, classes=shown.y)
    assert over(plain, painted).label.tolist() == [4, 4]  # type: ignore[union-attr]
    assert over(Points(shown.xy, None, classes=shown.y), painted).label is None


# ── the painter ─────────────────────────────────────────────────────────────────────────────────────────────


class Board:
    """A painter on some points, and what it says."""

    def __init__(self, on: Cloud) -> None:
        self.painter = Painter()
        self.sent: list[Cloud] = []
        self.told: list[str] = []
        self.painter.painted.connect(lambda xy, y: self.sent.append(Cloud(xy, y)))
        self.painter.told.connect(self.told.append)
        self.painter.switch(True)
        self.painter.meet(on)

    def stroke(self, *way: Place) -> Cloud:
        self.painter.press(way[0], (10.0, 10.0))
        for at in way[1:]:
            self.painter.move(at)
        self.painter.release()
        assert self.painter.cloud is not None
        return self.painter.cloud


def test_undo_and_redo_bring_exactly_the_same_points_and_send_them() -> None:
    board = Board(cloud(50))
    states = [board.painter.cloud]
    for tool in TOOLS:
        board.painter.tool = tool
        states.append(board.stroke((0.0, 0.0), (2.0, 2.0), (3.0, -1.0)))
    board.painter.clear()
    states.append(board.painter.cloud)
    assert board.painter.stack.count() == len(TOOLS) + 1  # a stroke is one entry
    for state in states[-2::-1]:
        board.painter.stack.undo()
        assert board.painter.cloud is state
        assert board.sent[-1].same(state)  # type: ignore[arg-type]
    assert not board.painter.stack.canUndo()
    for state in states[1:]:
        board.painter.stack.redo()
        assert board.painter.cloud is state
    assert len(board.painter.cloud) == 0  # type: ignore[arg-type]
    assert len(board.sent[-1])  # nothing is not sent: nothing can be learned from it


def test_a_stroke_is_sent_at_once_then_seldom_and_whole_at_the_end() -> None:
    board = Board(cloud(50))
    board.painter.press((0.0, 0.0), (10.0, 10.0))
    assert len(board.sent) == 1
    for x in range(200):
        board.painter.move((x / 20, 0.0))
    assert len(board.sent) == 1
    board.painter._on_tick()
    assert len(board.sent) == 2
    board.painter.move((20.0, 0.0))
    board.painter.release()
    assert board.sent[-1].same(board.painter.cloud)  # type: ignore[arg-type]
    count = len(board.sent)
    board.painter.tool = "eraser"
    board.stroke((500.0, 500.0), (501.0, 500.0))  # nothing there
    assert len(board.sent) == count
    assert board.painter.stack.count() == 1


def test_a_reset_keeps_the_history_and_other_data_end_it() -> None:
    board = Board(cloud(50))
    painted = board.stroke((0.0, 0.0), (2.0, 0.0))
    board.painter.wait()
    assert not board.painter.ready
    board.painter.press((0.0, 0.0), (10.0, 10.0))
    board.painter.move((1.0, 0.0))
    board.painter.release()
    board.painter.meet(Cloud(painted.xy.copy(), painted.y.copy()))
    assert board.painter.stack.count() == 1
    board.painter.wait()
    board.painter.meet(cloud(60))
    assert board.painter.stack.count() == 0


def test_more_points_than_can_be_painted_are_refused_with_a_sentence() -> None:
    board = Board(cloud(MOST + 1))
    assert not board.painter.on
    assert "20,000" in tr(board.told[0])
    full = Board(cloud(MOST))
    full.stroke((0.0, 0.0), (1.0, 0.0))
    assert len(full.painter.cloud) == MOST  # type: ignore[arg-type]
    assert "20,000" in tr(full.told[0])


@pytest.mark.parametrize("projector", [False, True])
@pytest.mark.parametrize("height", [150, 260, 500])
def test_the_strip_is_narrow_and_shrinks(qtbot: Any, projector: bool, height: int) -> None:
    look.update(projector=projector)
    tools = PaintTools(Painter())
    qtbot.addWidget(tools)
    tools.resize(tools.width(), max(height, tools.minimumSizeHint().height()))
    with qtbot.waitExposed(tools):
        tools.show()
    assert projector or tools.width() <= 48
    for button in (*tools.tools.values(), *tools.swatches, tools.undo_button, tools.original_button):
        assert tools.rect().contains(button.geometry()), button.toolTip()
        assert button.toolTip()
        assert button.accessibleName()
    assert not tools.grab().isNull()
    tools.hide()


def test_the_strip_chooses(qtbot: Any) -> None:
    painter = Painter()
    tools = PaintTools(painter)
    qtbot.addWidget(tools)
    tools.tools["eraser"].click()
    assert painter.tool == "eraser"
    tools.swatches[6].click()  # a colour is picked in order to paint
    assert (painter.tool, painter.label) == ("brush", 6)
    assert tools.tools["brush"].isChecked()
    tools.size_slider.setValue(40)
    assert painter.size == 40


# ── the window ──────────────────────────────────────────────────────────────────────────────────────────────


class Easel:
    """The window with the brush in hand, on the first picture."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.panel = desk.panels["cloud"]
        self.canvas = self.panel.canvas
        self.painter: Painter = self.panel.painter
        self.sizes: list[int] = []
        desk.window.bridge.painted.connect(lambda painted: self.sizes.append(painted.size))
        desk.paint()
        desk.until(lambda: self.panel.paintable)  # the first picture has come
        desk.key(Key.Key_B, widget=desk.window)
        desk.paint()

    def at(self, across: float, up: float) -> QPoint:
        """A place in the picture, in shares of it."""
        plane = self.canvas.view.plane
        return QPoint(round(plane.left + across * plane.width), round(plane.top + (1 - up) * plane.height))

    def drag(self, *places: tuple[float, float]) -> None:
        self.desk.drag(self.canvas, *(self.at(*place) for place in places))

    def arrived(self) -> bool:
        """Whether the engine learns from what has been painted, and its own picture shows it."""
        assert self.painter.cloud is not None
        return bool(self.sizes) and self.sizes[-1] == len(self.painter.cloud)

    @property
    def shown(self) -> np.ndarray:
        xy: np.ndarray = self.canvas.scene.points.xy
        return xy

    @property
    def note(self) -> str:
        text: str = self.desk.window.datasets.note.text()
        return text


@pytest.fixture
def easel(desks: Any) -> Easel:
    return Easel(desks().open("kmeans", dataset="blobs", k=3))


def centres(desk: Desk) -> np.ndarray:
    layers = desk.panels["cloud"].canvas.scene.points.layers
    return np.asarray(next(layer for layer in layers if isinstance(layer, Markers)).xy)


def test_a_drag_paints_at_once_and_the_engine_learns_from_it(easel: Easel) -> None:
    desk, before = easel.desk, len(easel.shown)
    assert easel.painter.ready
    assert easel.panel.tools.isVisible()
    easel.panel.tools.swatches[1].click()
    easel.drag((0.1, 0.1), (0.2, 0.1), (0.3, 0.15))
    cloud = easel.painter.cloud
    assert cloud is not None
    assert len(easel.shown) == len(cloud) > before + 10  # no answer of the engine was waited for
    assert set(cloud.y[before:]) == {1}
    desk.paint()
    desk.until(easel.arrived)
    desk.settle()
    assert np.array_equal(desk.panels["cloud"]._payload.xy, cloud.xy)
    assert easel.note == f"painted by hand · {len(cloud):,} points"
    assert desk.runs == 1
    assert desk.window.area.selection.items is None
    assert [mark.text for mark in desk.window.timeline.marks] == ["by hand"]


def test_centres_follow_while_it_runs(easel: Easel) -> None:
    desk = easel.desk
    desk.window.transport.set_pace(None)
    desk.play()
    desk.until(lambda: desk.status == "ended")
    desk.settle()
    before, step = centres(desk), desk.step
    easel.painter.size = 40
    easel.drag((0.05, 0.05), (0.25, 0.05), (0.25, 0.12), (0.05, 0.12))
    desk.until(lambda: easel.arrived() and desk.step > step and desk.status == "ended")
    desk.settle()
    after = centres(desk)
    assert np.abs(after - before).max() > 0.05
    assert desk.runs == 1


def test_the_engine_hears_of_a_stroke_before_it_is_done(easel: Easel) -> None:
    desk = easel.desk
    QTest.mousePress(easel.canvas, LEFT, NO_KEY, easel.at(0.1, 0.1))
    desk.until(lambda: easel.sizes)
    desk.move(easel.canvas, easel.at(0.4, 0.1), LEFT)
    count = len(easel.painter.cloud)  # type: ignore[arg-type]
    desk.until(lambda: easel.sizes[-1] == count)
    QTest.mouseRelease(easel.canvas, LEFT, NO_KEY, easel.at(0.4, 0.1))
    assert easel.painter.stack.count() == 1


def test_held_still_the_spray_goes_on(easel: Easel) -> None:
    easel.panel.tools.tools["spray"].click()
    QTest.mousePress(easel.canvas, LEFT, NO_KEY, easel.at(0.1, 0.1))
    count = len(easel.painter.cloud)  # type: ignore[arg-type]
    easel.desk.until(lambda: len(easel.painter.cloud) > count + 10)  # type: ignore[arg-type]
    QTest.mouseRelease(easel.canvas, LEFT, NO_KEY, easel.at(0.1, 0.1))
    assert not easel.painter._timer.isActive()


def test_strokes_and_knobs_are_undone_in_their_order_also_with_the_brush_laid_down(easel: Easel) -> None:
    desk, first = easel.desk, easel.painter.cloud
    desk.window.params.turn("k", 4)
    desk.settle()
    easel.drag((0.1, 0.1), (0.3, 0.1))
    painted = easel.painter.cloud
    desk.key(Key.Key_Z, CTRL, desk.window)
    assert easel.painter.cloud is first
    assert np.array_equal(easel.shown, first.xy)  # type: ignore[union-attr]
    desk.until(easel.arrived)
    desk.key(Key.Key_Z, CTRL | SHIFT, desk.window)
    assert easel.painter.cloud is painted
    desk.until(easel.arrived)
    assert desk.window.conductor.values["k"] == 4
    desk.key(Key.Key_B, widget=desk.window)
    assert not easel.painter.on
    desk.key(Key.Key_Z, CTRL, desk.window)
    desk.until(lambda: easel.sizes[-1] == len(first))  # type: ignore[arg-type]
    desk.settle()
    assert np.array_equal(easel.shown, first.xy)  # type: ignore[union-attr]
    assert desk.window.conductor.values["k"] == 4
    desk.key(Key.Key_Z, CTRL, desk.window)
    desk.until(lambda: desk.window.conductor.values["k"] == 3)
    desk.settle()
    for _again in range(2):
        desk.key(Key.Key_Z, CTRL | SHIFT, desk.window)
    desk.until(lambda: easel.sizes[-1] == len(painted))  # type: ignore[arg-type]
    desk.settle()
    assert np.array_equal(easel.shown, painted.xy)  # type: ignore[union-attr]
    desk.key(Key.Key_B, widget=desk.window)  # what is painted on is what has been painted
    assert easel.painter.cloud.same(painted)  # type: ignore[union-attr, arg-type]
    assert easel.painter.stack.canUndo()


def test_escape_and_b_lay_the_brush_down(easel: Easel) -> None:
    desk = easel.desk
    for key in (Key.Key_Escape, Key.Key_B):
        assert easel.painter.on
        assert easel.panel.brush.isChecked()
        desk.key(key, widget=desk.window)
        assert not easel.painter.on
        assert not easel.panel.tools.isVisible()
        assert not easel.panel.brush.isChecked()
        easel.drag((0.02, 0.02), (0.98, 0.02), (0.98, 0.98), (0.02, 0.98))  # a lasso again
        assert desk.window.area.selection.items is not None
        assert not easel.sizes
        desk.key(Key.Key_Escape, widget=desk.window)
        assert desk.window.area.selection.items is None
        easel.panel.brush.click()


def test_escape_in_mid_stroke_keeps_the_stroke(easel: Easel) -> None:
    QTest.mousePress(easel.canvas, LEFT, NO_KEY, easel.at(0.1, 0.1))
    easel.desk.move(easel.canvas, easel.at(0.3, 0.1), LEFT)
    count = len(easel.painter.cloud)  # type: ignore[arg-type]
    easel.desk.key(Key.Key_Escape, widget=easel.desk.window)
    QTest.mouseRelease(easel.canvas, LEFT, NO_KEY, easel.at(0.5, 0.1))
    easel.desk.until(lambda: easel.sizes and easel.sizes[-1] == count)
    easel.desk.until(lambda: len(easel.shown) == count)


def test_a_reset_keeps_the_painting_and_its_history(easel: Easel) -> None:
    desk = easel.desk
    easel.drag((0.1, 0.1), (0.3, 0.1))
    painted = easel.painter.cloud
    desk.until(easel.arrived)
    desk.run(lambda: desk.key(Key.Key_R, widget=desk.window))
    desk.until(lambda: easel.painter.ready)
    assert easel.painter.cloud.same(painted)  # type: ignore[union-attr, arg-type]
    assert easel.note == f"painted by hand · {len(painted):,} points"  # type: ignore[arg-type]
    assert easel.painter.stack.canUndo()


def test_back_to_the_original_data_and_back_to_the_painting(easel: Easel) -> None:
    desk, first = easel.desk, easel.painter.cloud
    desk.window.params.turn("k", 4)
    easel.drag((0.1, 0.1), (0.3, 0.1))
    painted = easel.painter.cloud
    desk.until(easel.arrived)
    desk.run(easel.panel.tools.original_button.click)
    desk.until(lambda: easel.painter.ready)
    assert easel.painter.cloud.same(first)  # type: ignore[union-attr, arg-type]
    assert np.array_equal(easel.shown, first.xy)  # type: ignore[union-attr]
    assert not desk.started.painted
    assert desk.window.conductor.values["k"] == 4
    assert "painted" not in easel.note
    desk.key(Key.Key_Z, CTRL, desk.window)
    assert easel.painter.cloud is painted
    desk.until(easel.arrived)


@pytest.mark.parametrize("how", ["picker", "demo"])
def test_choosing_the_data_again_brings_them_back(easel: Easel, how: str) -> None:
    desk, first = easel.desk, easel.painter.cloud
    easel.drag((0.1, 0.1), (0.3, 0.1))
    desk.until(easel.arrived)
    picker = desk.window.datasets
    if how == "picker":
        desk.run(lambda: picker.combo.activated.emit(picker.combo.currentIndex()))
    else:
        desk.run(lambda: desk.window.conductor.choose_demo("kmeans", "careful"))
    desk.until(lambda: easel.painter.ready)
    assert easel.painter.cloud.same(first)  # type: ignore[union-attr, arg-type]
    assert not desk.started.painted
    runs = desk.runs
    picker.combo.activated.emit(picker.combo.currentIndex())  # they are what they are
    desk.settle()
    assert desk.runs == runs


def test_too_few_points_are_explained_and_more_of_them_are_welcome(easel: Easel) -> None:
    desk = easel.desk
    easel.panel.tools.clear_button.click()
    assert len(easel.shown) == 0
    desk.paint()
    easel.painter.size = 4
    easel.drag((0.5, 0.5))
    desk.until(lambda: desk.of("refused"))
    assert "centres" in desk.window.notice.text
    assert len(easel.shown) == len(easel.painter.cloud) < 3  # type: ignore[arg-type]
    easel.painter.size = 20
    easel.drag((0.5, 0.5), (0.8, 0.5))
    desk.until(easel.arrived)
    assert desk.window.notice.text == ""
    assert desk.status != "failed"


def test_other_data_of_the_plane_are_painted_on_next_and_pictures_are_not(easel: Easel) -> None:
    desk = easel.desk
    easel.drag((0.1, 0.1), (0.3, 0.1))
    desk.run(lambda: desk.window.conductor.use_dataset("moons"))
    desk.until(lambda: easel.painter.ready)
    assert not easel.painter.stack.canUndo()
    easel.drag((0.1, 0.1), (0.3, 0.1))
    desk.until(easel.arrived)
    desk.run(lambda: desk.window.conductor.use_dataset("digits"))
    desk.paint()
    panel = desk.panels["cloud"]
    assert not panel.brush.isVisible()
    desk.key(Key.Key_B, widget=desk.window)
    assert desk.window.area.painter is None


def test_a_million_points_are_not_painted_on(desks: Any) -> None:
    desk = desks().open("kmeans", dataset="million")
    easel = Easel(desk)
    assert not easel.painter.on
    assert "20,000" in desk.window.notice.text


def test_one_paints_on_the_present_not_on_the_past(easel: Easel) -> None:
    desk = easel.desk
    desk.advance(2)
    desk.window.timeline.sought.emit(0)
    desk.until(lambda: desk.panel_steps() == {0})
    assert not easel.painter.on
    desk.key(Key.Key_B, widget=desk.window)
    desk.until(lambda: easel.painter.ready)
    assert desk.panel_steps() == {2}
    easel.drag((0.1, 0.1), (0.3, 0.1))
    desk.until(easel.arrived)


def test_pca_turns_its_axes_to_what_is_painted(desks: Any) -> None:
    desk = desks().open("pca", dataset="ellipse")
    easel = Easel(desk)
    assert [n for n, p in desk.panels.items() if p.isVisible() and p.brush.isVisible()] == ["cloud"]
    before = len(easel.shown)
    easel.panel.tools.swatches[1].click()
    easel.painter.size = 40
    easel.drag((0.1, 0.9), (0.4, 0.9))
    desk.until(easel.arrived)
    scene = desk.panels["rebuilt"].canvas.scene
    desk.until(lambda: len(scene.points.xy) == len(easel.painter.cloud) > before)  # type: ignore[arg-type]
    assert set(easel.canvas.scene.points.label[before:]) == {1}


def test_a_centre_can_be_dragged_only_when_nobody_paints(easel: Easel) -> None:
    desk = easel.desk
    x, y = centres(desk)[0]
    at = QPoint(*(round(p) for p in easel.canvas.view.plane.to_pixel(float(x), float(y))))
    desk.drag(easel.canvas, at, at + QPoint(30, 0), at + QPoint(60, 0))
    desk.until(easel.arrived)
    assert [acted.name for acted in desk.of("acted")] == ["paint"]


def test_painting_in_any_look_and_language(easel: Easel) -> None:
    desk = easel.desk
    for change in (
        lambda: look.update(theme="dark"),
        lambda: look.update(projector=True, theme="light"),
        lambda: language.switch("fr"),
    ):
        change()
        desk.paint()
        easel.drag((0.1, 0.2), (0.3, 0.2))
        desk.move(easel.canvas, easel.at(0.5, 0.5))
        desk.paint()
        desk.until(easel.arrived)
    assert easel.note.startswith("peint à la main")
    assert easel.panel.tools.tools["eraser"].toolTip().startswith("Gomme")
