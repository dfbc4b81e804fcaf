"""The tree of runs: what it draws, what a person does with it, and the ghosts in the pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLineEdit, QMenu

from desktop.controls.run_tree import (
    IN_SIGHT,
    RunTree,
    in_order,
    lane_of,
    past_of,
    rooted,
    row_height,
)
from desktop.language import language
from desktop.panels.bar_panel import BarPanel
from desktop.panels.curve_panel import CurvePanel
from desktop.panels.ghost import Ghost, ghost_colour
from desktop.panels.loss_plot import LossPlot
from desktop.panels.scatter import ScatterPanel
from desktop.selection import Selection
from desktop.style.tokens import look
from desktop.wording import done_in_words, gestures
from engine.api import (
    Acted,
    Arrows,
    Bars,
    Branch,
    Curve,
    Ellipses,
    Grown,
    Markers,
    Points,
    Scalar,
    Turned,
    _,
)
from tests.desktop.conftest import Desk

Key = Qt.Key


def turned(step: int, old: Any = 4, new: Any = 6, name: str = "k", *, waiting: bool = False) -> Turned:
    return Turned(step, name, old, new, waiting, at=0.3 * step)


def words(done: Any) -> str:
    return f"{done.name} {done.old} → {done.new}" if isinstance(done, Turned) else "by hand"


FIVE = Grown(
    (
        Branch(1, None, 0, 300, log=(turned(40, 4, 5), Acted(200, "move"))),
        Branch(2, 1, 60, 140, log=(turned(61, 5, 8),)),
        Branch(3, 2, 100, 220, name="too many"),
        Branch(4, 1, 120, 120),
        Branch(5, 1, 20, 290, log=(turned(21, "a", "b", "init"), turned(90, 4, 9))),
    ),
    active=3,
    ghost=2,
)


# ── what there is to draw ───────────────────────────────────────────────────────────────────────────────────


def test_one_drag_is_one_gesture():
    drag = [turned(10, 4, 5), turned(11, 5, 6), turned(13, 6, 9)]
    assert gestures([*drag, turned(20, 9, 2)]) == [turned(13, 4, 9), turned(20, 9, 2)]
    assert gestures([turned(10), turned(11, 1, 2, "other")]) == [turned(10), turned(11, 1, 2, "other")]
    assert gestures([Acted(5, "move", 1), Acted(6, "move", 1.5), turned(7)]) == [Acted(6, "move"), turned(7)]
    assert gestures([turned(9, waiting=True)]) == []


def test_a_run_is_called_as_wished_or_by_what_makes_it_different():
    assert lane_of(Branch(1, None, 0, 9, log=(turned(3),)), words).title == "Run 1"
    assert lane_of(Branch(2, 1, 5, 9), words).title == "Run 2"
    assert lane_of(Branch(2, 1, 5, 9, log=(turned(6),)), words).title == "k 4 → 6 at step 6"
    more = lane_of(Branch(2, 1, 5, 99, log=(turned(6), turned(50, 6, 7))), words)
    assert more.title == "k 4 → 6 at step 6, and more"
    assert more.marks == [(6, ""), (50, "k 6 → 7")]  # what the name says is not said twice
    mine = lane_of(Branch(2, 1, 5, 9, "too many", (turned(6),)), words)
    assert (mine.title, mine.marks) == ("too many", [(6, "k 4 → 6")])


def test_lanes_do_not_cross():
    order = [branch.id for branch in in_order(rooted(FIVE.branches))]
    assert order == [1, 4, 2, 3, 5]
    lost = (Branch(1, None, 0, 5), Branch(7, 6, 3, 9))  # its parent is gone
    assert [branch.id for branch in in_order(rooted(lost))] == [1, 7]


def test_who_leaves_the_past_of_a_branch_leaves_the_run_that_past_belongs_to():
    branches = (Branch(1, None, 0, 30), Branch(2, 1, 10, 30), Branch(3, 2, 10, 20), Branch(4, 3, 4, 9))
    assert [(b.id, b.parent) for b in rooted(branches)] == [(1, None), (2, 1), (3, 1), (4, 1)]
    assert past_of(rooted(FIVE.branches), 3) == {2: 100, 1: 60}
    assert past_of(rooted(FIVE.branches), 1) == {}


# ── the widget ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def tree(qtbot):
    made = RunTree()
    qtbot.addWidget(made)
    made.resize(1000, 80)
    made.show_tree(FIVE, words)
    made.set_newest(220)
    made.set_shown(220)
    made.activateWindow()
    qtbot.waitUntil(made.isVisible)
    return made


def pixels(widget: Any) -> np.ndarray:
    image = widget.grab().toImage()
    raw = np.frombuffer(image.convertToFormat(image.Format.Format_RGB32).constBits(), np.uint32)
    return raw.reshape(image.height(), -1)[:, : image.width()] & 0xFFFFFF


def count(widget: Any, colour: str | QColor) -> int:
    return int((pixels(widget) == (QColor(colour).rgb() & 0xFFFFFF)).sum())


def test_one_run_needs_no_tree(tree):
    assert len(tree.lanes.rows) == 5
    tree.show_tree(Grown((Branch(1, None, 0, 9),), 1))
    assert tree.isHidden()
    tree.show_tree(FIVE)
    assert tree.isVisible()


def test_at_most_four_rows_are_in_sight(tree):
    assert tree.height() <= IN_SIGHT * row_height() + look.px(8)
    assert tree.lanes.height() == 5 * row_height()
    look.update(projector=True)
    assert row_height() >= 30
    assert min(font.pointSizeF() for font in (look.font(0.92), look.font(0.85))) >= 20
    tree.grab()


def test_every_lane_and_name_has_room(tree):
    for wide in (400, 1000, 1900):
        tree.resize(wide, tree.height())
        tree.grab()
        lanes = tree.lanes
        for index, lane in enumerate(lanes.lanes):
            assert lanes.begins(index) <= lanes.ends(index) < lanes.width()
            assert lanes.name_rect(index).right() <= lanes.width()
            assert lanes.name_rect(index).width() > (0 if wide == 400 else 40), lane.title


def test_the_active_run_and_its_past_wear_the_accent(tree):
    much = count(tree, look.colours.accent)
    assert much > 300
    assert count(tree, look.colours.flag) > 5  # ticks where something was changed
    tree.show_tree(Grown(FIVE.branches, 4))  # has left the first run early, and has done nothing
    assert 50 < count(tree, look.colours.accent) < much
    look.update(theme="dark")
    assert count(tree, look.colours.accent) > 50


def test_the_step_on_screen_lies_where_it_came_from(tree):
    lanes = tree.lanes
    rows = {}
    for step in (20, 80, 150):
        tree.set_shown(step)
        rows[step] = round((lanes.place_shown()[1] / row_height()) - 0.5)
    assert [lanes.lanes[rows[step]].branch.id for step in (20, 80, 150)] == [1, 2, 3]
    tree.set_newest(900)  # it runs on
    tree.set_shown(900)
    assert lanes.longest == 900
    assert lanes.place_shown()[0] == pytest.approx(lanes.ends(lanes.at(3)))
    tree.grab()


def test_click_and_enter_show_a_run(tree, qtbot):
    heard: list[int] = []
    tree.switched.connect(heard.append)
    rows = tree.lanes.rows
    qtbot.mouseClick(rows[5], Qt.MouseButton.LeftButton)
    assert heard == [5]
    assert rows[3].isChecked()
    assert not rows[5].isChecked()  # only the engine says which one is active
    qtbot.mouseClick(rows[3], Qt.MouseButton.LeftButton)
    assert heard == [5]
    rows[3].setFocus()
    qtbot.keyClick(rows[3], Key.Key_Up)
    qtbot.keyClick(rows[2], Key.Key_Enter)
    assert heard == [5, 2]
    qtbot.keyClick(rows[2], Key.Key_Home)
    assert rows[1].hasFocus()
    qtbot.keyClick(rows[1], Key.Key_End)
    assert rows[5].hasFocus()
    qtbot.keyClick(rows[5], Key.Key_Down)
    assert rows[5].hasFocus()


def test_renaming_in_place(tree, qtbot):
    heard: list[tuple[int, str]] = []
    tree.renamed.connect(lambda *what: heard.append(what))
    row = tree.lanes.rows[2]
    row.setFocus()
    qtbot.keyClick(row, Key.Key_F2)
    edit = tree.findChild(QLineEdit)
    assert edit.placeholderText() == "k 5 → 8 at step 61"
    qtbot.keyClicks(edit, "  eight <b>of</b>  them ")
    tree.show_tree(Grown((*FIVE.branches[:4], Branch(5, 1, 20, 295)), 3))  # the tree changes meanwhile
    assert edit.isVisible()
    qtbot.keyClick(edit, Key.Key_Return)
    assert heard == [(2, "eight <b>of</b> them")]
    assert row.hasFocus()
    tree.rename(3)
    edit = next(e for e in tree.findChildren(QLineEdit) if e.isVisible())
    assert edit.text() == "too many"
    qtbot.keyClick(edit, Key.Key_X)
    qtbot.keyClick(edit, Key.Key_Escape)
    assert len(heard) == 1
    assert tree._edit is None


def menu_of(tree: RunTree, id_: int) -> dict[str, Any]:
    tree.open_menu(id_, tree.mapToGlobal(QPoint(10, 10)))
    found = tree.findChildren(QMenu)[-1]
    return {action.text(): action for action in found.actions()}


@pytest.mark.qt_log_ignore("plugin does not support", extend=True)  # said when a menu pops up
def test_the_menu_says_what_can_be_done(tree, qtbot):
    heard: list[tuple[str, Any]] = []
    for name in ("switched", "deleted", "compared", "ghost_wanted"):
        getattr(tree, name).connect(lambda what, name=name: heard.append((name, what)))
    qtbot.mouseClick(tree.lanes.rows[5].more, Qt.MouseButton.LeftButton)
    assert tree._menu is not None
    menu = menu_of(tree, 5)
    for text in ("Show this run", "Side by side with the present run", "Show as ghost", "Delete"):
        menu[text].trigger()
    assert heard == [("switched", 5), ("compared", 5), ("ghost_wanted", 5), ("deleted", 5)]
    heard.clear()
    ghost = menu_of(tree, 2)["Show as ghost"]
    assert ghost.isChecked()
    ghost.trigger()
    assert heard == [("ghost_wanted", None)]
    own = menu_of(tree, 3)
    assert not own["Show this run"].isEnabled()
    assert not own["Side by side with the present run"].isEnabled()
    tree._menu.close()
    qtbot.keyClick(tree.lanes.rows[4], Key.Key_Delete)
    assert heard[-1] == ("deleted", 4)


def test_rows_speak(tree):
    row = tree.lanes.rows[2]
    assert row.accessibleName() == "k 5 → 8 at step 61 · ghost"
    assert row.accessibleDescription() == "from Run 1 at step 60. 140 steps. step 61: k 5 → 8"
    assert row.more.accessibleName() == "What can be done with k 5 → 8 at step 61"
    assert tree.story(2)[0] == "k 5 → 8 at step 61"
    language.switch("fr")
    assert tree.accessibleName() != ""
    tree.grab()


@pytest.mark.qt_log_ignore("plugin does not support", extend=True)
def test_side_by_side_the_lanes_say_a_and_b(tree, qtbot):
    heard: list[int] = []
    tree.switched.connect(heard.append)
    tree.show_tree(Grown(FIVE.branches, 3, beside=5))
    assert tree.lanes.rows[3].accessibleName() == "A · too many"
    assert tree.lanes.rows[5].accessibleName().startswith("B · ")
    qtbot.mouseClick(tree.lanes.rows[3], Qt.MouseButton.LeftButton)  # this one alone
    assert heard == [3]
    assert not menu_of(tree, 5)["Side by side with the present run"].isEnabled()
    tree._menu.close()


def test_words_for_what_was_done(trial: Desk) -> None:
    info = trial.window.conductor.infos["kmeans"]
    assert done_in_words(info, turned(3)) == "k 4 → 6"
    assert done_in_words(info, turned(3, name="k"), sides=True) == "A: k 4 → 6"
    assert done_in_words(info, Turned(3, "trails", True, False)) == "Trails on → off"
    assert done_in_words(info, Turned(3, "init", "random", "hand")) == "Start random points → by hand"
    assert done_in_words(info, Acted(3, "move")) == "by hand"


# ── ghosts in the pictures ──────────────────────────────────────────────────────────────────────────────────


RNG = np.random.default_rng(0)
CLOUD = RNG.normal(size=(300, 2)).astype(np.float32)
LABEL = (np.arange(300) % 3).astype(np.int32)


def shown(qtbot: Any, panel: Any) -> Any:
    qtbot.addWidget(panel)
    panel.resize(520, 420)
    with qtbot.waitExposed(panel):
        panel.show()
    return panel


def cloud(xy: np.ndarray, *layers: Any, axes: tuple[str, str] = ("", "")) -> Points:
    return Points(np.asarray(xy, np.float32), LABEL, layers=layers, axes=axes)


def test_ghost_points_are_one_picture_made_only_when_it_changes(qtbot, monkeypatch):
    panel = shown(qtbot, ScatterPanel("Map", Selection()))
    made = []
    draw = Ghost._draw
    monkeypatch.setattr(Ghost, "_draw", lambda ghost, *rest: made.append(1) or draw(ghost, *rest))
    panel.present(cloud(CLOUD), 10)
    plain = pixels(panel.canvas)
    panel.name_ghost("Run 1")
    panel.set_ghost(cloud(CLOUD[:, ::-1] * 0.8), 9)
    haunted = pixels(panel.canvas)
    assert made == [1]
    assert (plain != haunted).mean() > 0.005
    grey = [int(part) for part in ghost_colour().getRgb()[:3]]
    rgb = np.stack([haunted >> 16 & 255, haunted >> 8 & 255, haunted & 255], -1).astype(int)
    assert (np.abs(rgb - grey).max(-1) < 12).sum() > 150
    for step in range(11, 15):  # the living ones move, the ghost stays
        panel.present(cloud(CLOUD + 0.01 * step), step)
        panel.canvas.grab()
    assert made == [1]
    panel.canvas.view.zoom(200, 200, 1.5)
    panel.canvas.grab()
    assert made == [1, 1]
    panel.set_ghost(None)
    panel.canvas.view.fit()
    panel.reset()
    assert panel.canvas.ghost.points is None


def test_a_ghost_in_the_same_place_is_not_seen(qtbot):
    panel = shown(qtbot, ScatterPanel("Map", Selection()))
    panel.present(cloud(CLOUD), 10)
    plain = pixels(panel.canvas)
    panel.set_ghost(cloud(CLOUD.copy()), 9)
    assert not panel.canvas.ghost.seen
    assert np.array_equal(plain, pixels(panel.canvas))
    panel.set_ghost(cloud(CLOUD * 2, axes=("PC 1", "PC 2")), 9)  # other axes: its places mean something else
    assert not panel.canvas.ghost.seen


def test_centres_ellipses_and_arrows_of_a_ghost_are_grey(qtbot):
    panel = shown(qtbot, ScatterPanel("Clusters", Selection()))

    def layers(shift: float) -> tuple[Any, ...]:
        xy = np.array([[-1, 0], [1, 0]], np.float32) + np.float32(shift)
        axes = np.tile(np.eye(2, dtype=np.float32) * 0.4, (2, 1, 1))  # (2, 2, 2)
        return Ellipses(xy, axes, strength=np.ones(2, np.float32)), Markers(xy), Arrows(xy, xy + 1)

    panel.present(cloud(CLOUD, *layers(0)), 10)
    assert count(panel.canvas, ghost_colour()) == 0
    panel.set_ghost(cloud(CLOUD, *layers(0.9)), 9)
    assert panel.canvas.ghost.seen
    assert count(panel.canvas, ghost_colour()) > 100
    panel.name_ghost("Run 1")
    assert panel.canvas.ghost_words == "ghost: Run 1 · step 9"
    panel.set_ghost(None)
    assert count(panel.canvas, ghost_colour()) == 0


@pytest.mark.parametrize("n", [0, 1, 20_000])
def test_ghosts_of_any_size(qtbot, n):
    panel = shown(qtbot, ScatterPanel("Map", Selection()))
    panel.present(cloud(CLOUD), 1)
    ghost = RNG.normal(size=(n, 2)).astype(np.float32)
    ghost[: n // 3] = np.nan
    panel.set_ghost(Points(ghost, axes=("", "")), 1)
    panel.canvas.grab()
    assert panel.canvas.ghost.seen


def test_lines_of_a_ghost_lie_behind(qtbot):
    panel = shown(qtbot, CurvePanel("Density", Selection()))
    x = np.linspace(0, 1, 50, dtype=np.float32)
    panel.present(Curve(x, {"p": x**2}), 3)
    panel.name_ghost("Run 1")
    panel.set_ghost(Curve(x, {"p": 2 * x}), 2)
    chart = panel._chart
    assert len(chart.ghosts) == 1
    assert chart.ghost_words == "ghost: Run 1 · step 2"
    assert count(chart, chart.ghosts[0].colour) > 50
    assert chart._scales[0].high >= 2  # both are seen whole
    panel.set_ghost(Curve(x, {"p": x**2}), 3)
    assert chart.ghosts == []
    panel.set_ghost(Curve(x, {"p": 2 * x}, axes=("other", "")), 2)
    assert chart.ghosts == []
    panel.reset()
    assert panel._ghost is None


@pytest.mark.parametrize("size", [(520, 420), (180, 420)])
def test_bars_of_a_ghost_are_outlines(qtbot, size):
    panel = shown(qtbot, BarPanel("Sizes", Selection()))
    panel.resize(*size)
    names = ("one", "two", "three")
    panel.present(Bars(np.array([3.0, 1, 2]), names, axis="points"), 3)
    panel.name_ghost("Run 1")
    panel.set_ghost(Bars(np.array([1.0, 5, np.nan]), names), 2)
    assert len(panel.canvas._ghost_values()) == 3
    panel.grab()
    panel.set_ghost(Bars(np.array([1.0, 5]), names[:2]), 2)  # other bars: nothing to compare
    assert len(panel.canvas._ghost_values()) == 0
    panel.set_ghost(None)
    panel.grab()


def test_the_curves_of_a_branch_take_the_place_of_the_former_run(qtbot):
    plot = shown(qtbot, LossPlot(_("Curves"), Selection()))
    plot.set_scalars({"a": Scalar(_("A")), "b": Scalar(_("B"))})
    plot.extend(range(40), {"a": list(range(40)), "b": list(range(40))})
    plot.keep_ghost()
    plot.reset()
    plot.set_ghost(None)  # there is no branch: the run before stays
    chart = plot._lanes[0].chart
    assert len(chart.ghosts) == 2
    assert chart.ghost_words == ""
    plot.name_ghost("Run 1")
    plot.set_ghost({"a": (range(300), np.arange(300.0))})
    plot.extend(range(31), {"a": list(range(31)), "b": list(range(31))})
    assert len(chart.ghosts) == 1
    assert chart.ghost_words == "ghost: Run 1"
    assert 60 <= chart.span[1] < 300  # its future is seen beyond the branch, but does not squeeze it
    chart.grab()
    step, readings = plot._read(plot._lanes[0], 50.0)
    assert step == 50
    assert any("Run 1" in reading.text for reading in readings)
    plot.set_ghost(None)
    assert chart.ghosts == []


# ── in the window ───────────────────────────────────────────────────────────────────────────────────────────


def branched(desks: Any, **params: Any) -> tuple[Desk, list[Grown]]:
    """k-means with a second run that left the first at step 3 with k = 3."""
    desk: Desk = desks().open("kmeans", dataset="blobs", init="random", **params)
    grown: list[Grown] = []
    desk.window.bridge.grown.connect(grown.append)
    desk.advance(2)
    desk.window.params.turn("k", 7)
    desk.settle()
    desk.advance(3)
    seek(desk, 1)
    desk.window.params.turn("k", 3)
    desk.settle()
    desk.run(lambda: desk.window.bridge.engine.advance(3))
    desk.until(lambda: desk.status in ("paused", "ended"))
    desk.settle()
    return desk, grown


def seek(desk: Desk, step: int) -> None:
    before = len(desk.of("sought"))
    desk.window.bridge.engine.seek(step)
    desk.until(lambda: len(desk.of("sought")) > before)
    desk.settle()


def marks(desk: Desk) -> list[tuple[int, str]]:
    return [(mark.step, str(mark.text)) for mark in desk.window.timeline.marks]


def flags(desk: Desk) -> list[tuple[int, str]]:
    return [(step, str(text)) for step, text in desk.window.area.loss._flags]


def test_a_knob_that_waits_leaves_no_mark(trial: Desk) -> None:
    trial.advance(5)
    seek(trial, 2)
    trial.window.params.turn("lr", 0.5)
    trial.settle()
    assert trial.of("turned")[-1].waiting
    assert marks(trial) == flags(trial) == []
    trial.run(lambda: trial.key(Key.Key_Right))
    trial.until(lambda: bool(marks(trial)))
    assert marks(trial) == flags(trial) == [(3, "lr 0.010 → 0.500")]


def test_a_branch_makes_a_tree_and_the_old_future_stays_in_sight(desks: Any) -> None:
    desk, grown = branched(desks)
    window = desk.window
    tree = window.tree
    assert [branch.id for branch in grown[-1].branches] == [1, 2]
    assert tree.isVisible()
    assert tree.name(1) == "Run 1"
    assert tree.name(2) == "k 5 → 3 at step 2"
    assert tree.lanes.newest == tree.lanes.shown == desk.step
    assert marks(desk) == flags(desk) == [(2, "k 5 → 3")]
    lane = window.area.loss._lanes[0]
    assert lane.chart.ghosts
    assert max(stroke.x.max() for stroke in lane.chart.ghosts) == 5
    canvas = desk.panels["cloud"].canvas
    desk.until(lambda: canvas.ghost.points is not None)
    assert canvas.ghost.seen
    assert str(canvas.ghost_words).startswith("ghost: Run 1 · step ")
    desk.paint()


def test_switching_brings_back_marks_flags_and_curves(desks: Any) -> None:
    desk, grown = branched(desks)
    desk.run(lambda: desk.click(desk.window.tree.lanes.rows[1], QPoint(30, 5)))
    assert grown[-1].active == 1
    assert grown[-1].ghost == 2
    assert marks(desk) == flags(desk) == [(3, "k 5 → 7")]
    assert desk.window.conductor.values["k"] == 7
    assert desk.window.area.loss.ghost_name == "k 5 → 3 at step 2"
    desk.until(lambda: desk.panels["cloud"].canvas.ghost.points is not None)
    desk.run(lambda: desk.key(Key.Key_R))  # a new start: no tree, and no ghost but that of the run before
    assert desk.window.tree.isHidden()
    assert desk.panels["cloud"].canvas.ghost.points is None
    assert marks(desk) == []
    assert desk.window.area.loss._lanes[0].chart.ghosts
    assert desk.window.area.loss._lanes[0].chart.ghost_words == ""


def test_names_ghosts_and_deleting_with_undo(desks: Any) -> None:
    desk, grown = branched(desks)
    window = desk.window
    window.tree.renamed.emit(1, "seven")
    desk.until(lambda: window.tree.name(1) == "seven")
    assert window.area.loss.ghost_name == "seven"
    window.tree.ghost_wanted.emit(None)
    desk.until(lambda: grown[-1].ghost is None)
    desk.until(lambda: desk.panels["cloud"].canvas.ghost.points is None)
    assert window.area.loss._lanes[0].chart.ghosts == []
    window.tree.ghost_wanted.emit(1)
    desk.until(lambda: desk.panels["cloud"].canvas.ghost.points is not None)
    window.tree.deleted.emit(1)
    desk.until(lambda: len(grown[-1].branches) == 1)
    desk.until(lambda: desk.panels["cloud"].canvas.ghost.points is None)
    assert window.tree.isHidden()
    desk.key(Key.Key_Z, Qt.KeyboardModifier.ControlModifier, window)
    desk.until(lambda: len(grown[-1].branches) == 2)
    assert window.tree.name(1) == "seven"


def test_two_runs_of_the_tree_side_by_side_and_apart_again(desks: Any) -> None:
    desk, grown = branched(desks)
    window = desk.window
    desk.run(lambda: window.tree.compared.emit(1))
    assert window.comparing
    assert grown[-1].beside == 1
    assert window.tree.isVisible()
    assert desk.panels["cloud"]._side.text() == "A · k = 3"
    assert desk.panels["b.cloud"]._side.text() == "B · k = 7"
    desk.advance(1)
    desk.paint()
    desk.run(lambda: desk.key(Key.Key_C))
    assert not window.comparing
    assert grown[-1].beside is None
    assert len(grown[-1].branches) == 2


@pytest.mark.parametrize("code", ["en", "fr"])
def test_the_tree_fits_on_a_small_projector(desks: Any, code: str) -> None:
    desk, _grown = branched(desks)
    look.update(projector=True)
    language.switch(code)
    for size in ((1280, 720), (1024, 768), (1920, 1080)):
        desk.window.resize(*size)
        desk.settle()
        desk.paint()
        tree = desk.window.tree
        assert tree.height() >= 2 * row_height()
        assert tree.height() <= 0.2 * desk.window.height()
        for index in range(2):
            assert tree.lanes.name_rect(index).width() > 60


def test_another_branch_is_seen_from_where_the_former_one_was(desks: Callable[..., Desk]):
    desk = desks().open("kmeans", dataset="blobs", seed=3)
    desk.advance(3)
    view = desk.panels["cloud"].canvas.view
    view.set_camera((-1.0, 2.0, -1.0, 2.0))
    desk.window.area.selection.select(np.array([1, 2], np.int32))
    desk.window.seek(1)
    desk.settle()
    desk.run(lambda: desk.window.bridge.engine.branch(1))
    assert view.camera == (-1.0, 2.0, -1.0, 2.0)
    assert list(desk.window.area.selection.items) == [1, 2]
    view.fit()
    view.halt()
    home = view.framed[0]
    desk.run(lambda: desk.window.bridge.engine.switch(1))
    desk.paint()
    assert view.framed[0] == home
