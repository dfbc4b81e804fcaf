"""The window as a lecturer uses it: with keys and mouse, on the real engine."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QMessageBox

from desktop import settings as settings_file
from desktop.crash import Reporter
from desktop.language import language
from desktop.settings import Settings
from desktop.style.tokens import look
from engine.api import RunSpec
from engine.core.runner import make_runner, read_scalars
from tests.desktop.conftest import LEFT, NO_KEY, Desk

Key = Qt.Key
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
FOLDER = Path(__file__).resolve().parent.parent.parent.parent / "shared" / "data"


def without_a_window(desk: Desk, steps: int) -> dict[str, list[tuple[int, float]]]:
    """What a plain runner computes for the run on the desk."""
    runner = make_runner(desk.started.spec, device="cpu")
    found: dict[str, list[tuple[int, float]]] = {}
    for _step in range(steps + 1):
        frame = runner.next_frame()
        if frame is None:
            break
        for name, (at, values) in read_scalars([frame]).items():
            found.setdefault(name, []).append((at[0], values[0]))
    return found


def type_into(desk: Desk, name: str, text: str) -> None:
    """A number typed into a knob's box."""
    box = desk.window.params.shown.rows[name].box
    box.setFocus()
    box.selectAll()
    QTest.keyClicks(box, text)
    desk.key(Key.Key_Return, widget=box)


# ── play, step, back, reset ─────────────────────────────────────────────────────────────────────────────────


def test_space_plays_and_pauses(trial: Desk) -> None:
    trial.play()
    trial.until(lambda: trial.step > 20)
    assert trial.window.transport.play_button.toolTip().startswith("Pause")
    trial.pause()
    assert trial.status == "paused"
    assert trial.panel_steps() == {trial.step} == {trial.scalars["loss"][-1][0]}


def test_space_plays_even_when_a_button_has_the_keyboard(trial: Desk) -> None:
    trial.window.transport.reset_button.setFocus()
    trial.play()
    assert trial.runs == 1
    trial.pause()


def test_the_right_arrow_is_one_step_exactly(trial: Desk) -> None:
    for step in (1, 2, 3):
        trial.press_and_wait(Key.Key_Right)
        assert [s for s, _v in trial.scalars["loss"]] == list(range(step + 1))
        assert trial.panel_steps() == {step}
        assert trial.window.transport.step_label.text() == str(step)


@pytest.mark.parametrize(("choice", "steps"), [(1, 10), (2, 100), (3, 1)])
def test_a_step_goes_as_far_as_chosen(trial: Desk, choice: int, steps: int) -> None:
    trial.window.transport.size_box.setCurrentIndex(choice)  # 10, 100, an epoch (of one step, here)
    trial.press_and_wait(Key.Key_Right)
    assert trial.step == steps
    assert trial.status == "paused"


def test_the_left_arrow_goes_back_in_what_was_recorded(trial: Desk) -> None:
    trial.advance(5)
    for step in (4, 3):
        trial.key(Key.Key_Left)
        trial.until(lambda step=step: trial.panel_steps() == {step})
    assert not trial.of("sought")[-1].live
    trial.key(Key.Key_Right)  # and on again in what was recorded: nothing has been changed
    trial.until(lambda: trial.panel_steps() == {4})
    trial.key(Key.Key_Right)
    trial.until(lambda: trial.of("sought")[-1].live)
    assert (trial.step, trial.runs) == (5, 1)


def test_a_branch_keeps_the_marks_of_its_past(trial: Desk) -> None:
    trial.advance(3)
    type_into(trial, "lr", "0.02")
    trial.advance(5)
    type_into(trial, "lr", "0.03")
    trial.advance(2)
    trial.window.timeline.sought.emit(6)
    trial.until(lambda: trial.panel_steps() == {6})
    trial.run(lambda: trial.window.bridge.engine.branch(6))
    assert trial.started.branched_from == 6
    marks = [(mark.step, str(mark.text)) for mark in trial.window.timeline.marks]
    assert [step for step, _text in marks] == [4]  # on from there with the knobs as they stood then
    assert [(flag[0], str(flag[1])) for flag in trial.window.area.loss._flags] == marks
    trial.run(lambda: trial.key(Key.Key_R))
    assert trial.window.timeline.marks == ()


def test_reset_gives_exactly_the_same_numbers(trial: Desk) -> None:
    trial.advance(30)
    first = trial.scalars
    assert len(first["loss"]) == 31
    trial.run(lambda: trial.key(Key.Key_R))
    assert trial.step == 0
    trial.advance(30)
    assert trial.scalars == first


def test_a_new_seed_is_another_start(trial: Desk) -> None:
    trial.advance(5)
    first, seed = trial.scalars, trial.started.spec.seed
    trial.run(lambda: trial.key(Key.Key_N))
    assert trial.started.spec.seed != seed
    assert str(trial.started.spec.seed) in trial.window.transport.device_label.text()
    trial.advance(5)
    assert trial.scalars["loss"] != first["loss"]


def test_the_former_curve_stays_as_a_ghost(trial: Desk) -> None:
    trial.advance(12)
    trial.run(lambda: trial.key(Key.Key_R))
    line = trial.window.area.loss._lines[0]
    assert line.key == "loss"
    assert len(line.ghost) == 13
    assert len(line.trace) == 1
    trial.paint()


def test_numbers_are_the_same_with_and_without_the_window(desks: Any, probe: Any) -> None:
    for name, steps in (("probe", 200), ("pca", 20), ("kmeans", 5)):
        desk = desks().open(name, seed=3)
        desk.window.transport.set_pace(None)
        desk.play()
        desk.until(lambda desk=desk, steps=steps: desk.status == "ended" or desk.step >= steps)
        for step in range(40):  # somebody looks around meanwhile
            desk.window.bridge.engine.ask("item", step, tag=step)
            desk.window.timeline.sought.emit(step)
        desk.settle()
        if desk.status == "running":
            desk.pause()
        desk.paint()
        expected = without_a_window(desk, desk.step)
        assert desk.scalars == expected
        assert len(expected) == len(desk.window.conductor.info.scalars)
        desk.close()


# ── slow motion ─────────────────────────────────────────────────────────────────────────────────────────────


def test_slow_motion_speaks_and_points(trial: Desk) -> None:
    trial.click(trial.window.transport.slow_button)
    trial.press_and_wait(Key.Key_Right)
    assert trial.of("beating")[-1].text == "forward"
    assert trial.window.timeline._caption == "forward"
    assert trial.window.area.panels["cloud"].property("highlight") is True
    assert not trial.window.area.panels["curve"].property("highlight")
    trial.paint()
    trial.press_and_wait(Key.Key_Right)
    assert trial.window.timeline._caption == "backward"
    assert not trial.window.area.panels["cloud"].property("highlight")
    assert trial.window.area.panels["curve"].property("highlight") is True
    trial.click(trial.window.transport.slow_button)
    assert trial.window.timeline._caption == ""
    assert not any(panel.property("highlight") for panel in trial.panels.values())
    trial.press_and_wait(Key.Key_Right)
    assert trial.step == 1


def test_speed_holds_back_and_lets_go(trial: Desk) -> None:
    trial.window.transport.set_pace(1.0)
    trial.play()
    trial.until(lambda: trial.step >= 1)
    assert trial.step <= 2
    trial.window.transport.set_pace(None)
    trial.until(lambda: trial.step > 50)
    trial.pause()


# ── knobs ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_knob_turned_in_mid_run_leaves_a_mark_with_old_and_new(trial: Desk) -> None:
    trial.advance(5)
    type_into(trial, "lr", "0,5")
    trial.settle()
    (turned,) = trial.of("turned")
    assert (turned.step, turned.name, turned.old, turned.new) == (6, "lr", 0.01, 0.5)
    (mark,) = trial.window.timeline.marks
    ((flag_step, flag_text),) = trial.window.area.loss._flags
    for step, text in ((mark.step, mark.text), (flag_step, flag_text)):
        assert step == 6
        assert re.search(r"0\.01.*0\.5", text)
    trial.advance(2)
    trial.paint()


def test_a_knob_that_restarts_starts_again_and_keeps_playing(trial: Desk) -> None:
    trial.play()
    trial.until(lambda: trial.step > 10)
    trial.run(lambda: type_into(trial, "width", "9"))
    assert trial.started.params["width"] == 9
    trial.until(lambda: trial.status == "running" and trial.step > 3)
    trial.pause()
    trial.run(lambda: type_into(trial, "width", "10"))
    assert trial.started.params["width"] == 10
    assert trial.status == "paused"
    assert trial.step == 0


def test_undo_redo_and_defaults(trial: Desk) -> None:
    for number in ("0.2", "0.3"):
        type_into(trial, "lr", number)
        trial.settle()
    news = lambda: [turned.new for turned in trial.of("turned")]  # noqa: E731
    assert news() == [0.2, 0.3]
    for key, modifier, expected in (
        (Key.Key_Z, CTRL, 0.2), (Key.Key_Z, CTRL, 0.01), (Key.Key_Z, CTRL | SHIFT, 0.2),
        (Key.Key_Y, CTRL, 0.3),
    ):  # fmt: skip
        trial.key(key, modifier, trial.window)
        trial.settle()
        assert news()[-1] == expected == trial.window.params.shown.rows["lr"].value
    trial.click(trial.window.params.shown.rows["lr"].reset_button)
    trial.settle()
    assert news()[-1] == 0.01
    type_into(trial, "lr", "5")
    trial.window.params.shown.rows["noisy"].switch.click()
    trial.settle()
    trial.click(trial.window.params.shown.defaults_button)
    trial.settle()
    assert trial.window.params.shown.values()["lr"] == 0.01
    assert trial.window.params.shown.values()["noisy"] is True
    assert trial.window.bridge.engine.mailbox.is_empty()


def test_a_refused_number_is_explained_and_nothing_changes(trial: Desk) -> None:
    type_into(trial, "width", "65")
    trial.settle()
    assert trial.window.params.shown.rows["width"].problem.isVisible()
    assert trial.runs == 1
    assert trial.window.params.shown.rows["width"].value == 8


def test_keys_do_not_fire_while_a_number_is_typed(trial: Desk) -> None:
    trial.advance(3)
    box = trial.window.params.shown.rows["lr"].box
    box.setFocus()
    box.selectAll()
    for key in (
        Key.Key_R,
        Key.Key_N,
        Key.Key_Space,
        Key.Key_Left,
        Key.Key_Right,
        Key.Key_S,
        Key.Key_Question,
    ):
        trial.key(key, widget=box)
    trial.settle()
    assert trial.runs == 1
    assert trial.step == 3
    assert trial.status == "paused"
    assert trial.panel_steps() == {3}
    assert QApplication.activeModalWidget() is None
    trial.key(Key.Key_Escape, widget=box)
    assert box.text() == "0.01"


def test_a_link_in_the_lesson_turns_a_knob(desk: Desk) -> None:
    desk.window.explain.finish()
    assert "latentarium:" in desk.window.explain.page.document().toHtml()
    desk.window.explain.link.emit("latentarium:set/k=8")
    desk.settle()
    assert desk.of("turned")[-1].new == 8
    assert desk.window.params.shown.rows["k"].value == 8
    desk.window.explain.link.emit("latentarium:set/k=99")
    assert "99" in desk.window.notice.text
    desk.window.explain.link.emit("latentarium:set/nothing=1")
    assert desk.window.notice.text
    desk.window.explain.link.emit("latentarium:set/k")
    assert desk.window.notice.text
    desk.settle()
    assert len(desk.of("turned")) == 1


# ── demos, experiments, data ────────────────────────────────────────────────────────────────────────────────


def test_a_demo_by_click_and_by_clicker(desk: Desk) -> None:
    cards = {card.key: card for card in desk.window.experiments.cards()}
    desk.run(lambda: desk.click(cards["kmeans/stuck"]))
    assert desk.started.params["init"] == "random"
    assert desk.started.spec.seed == 4
    assert desk.window.experiments.current_demo == ("kmeans", "stuck")
    desk.run(lambda: desk.key(Key.Key_PageDown, widget=desk.window))
    assert desk.window.experiments.current_demo == ("kmeans", "careful")
    desk.run(lambda: desk.key(Key.Key_PageUp, widget=desk.window))
    assert desk.window.experiments.current_demo == ("kmeans", "stuck")


def test_a_hasty_clicker_skips_no_demo(desk: Desk) -> None:
    for _press in range(3):
        desk.key(Key.Key_PageDown, widget=desk.window)
    desk.until(lambda: desk.started.spec.beside is not None)  # those before it may have given way
    assert desk.window.experiments.current_demo == ("kmeans", "beside")
    desk.key(Key.Key_PageDown, widget=desk.window)
    desk.key(Key.Key_R, widget=desk.window)  # before the demo stands
    desk.until(lambda: desk.started.params["init"] == "hand")
    desk.settle()
    assert not desk.of("refused")
    assert desk.started.params["init"] == "hand"


def test_another_experiment_by_click_while_the_former_one_is_played_with(desk: Desk) -> None:
    cards = {card.key: card for card in desk.window.experiments.cards()}
    desk.play()
    desk.window.params.shown.rows["lines"].switch.click()
    desk.window.params.shown.rows["k"].slider.setValue(9)
    desk.run(lambda: desk.click(cards["pca"]))
    desk.window.params.turn("k", 2)
    desk.settle()
    assert desk.started.spec.experiment == "pca"
    assert set(desk.window.params.shown.rows) == {knob.name for knob in desk.window.conductor.info.knobs}
    assert desk.window.experiments.current == "pca"
    assert desk.window.conductor.values["k"] == 2
    assert not desk.of("refused")
    desk.paint()


def test_other_data_by_the_picker(desk: Desk) -> None:
    picker = desk.window.datasets
    names = [source.name for source in picker._sources]
    desk.run(lambda: picker.combo.activated.emit(names.index("digits")))
    assert desk.started.spec.dataset == "digits"
    assert desk.started.params["k"] == 10  # as suits these data
    assert desk.window.params.shown.rows["k"].default == 10
    assert set(desk.panels) == {"cloud", "centroids", "sizes"}
    assert "1797" in re.sub(r"\W", "", picker.note.text())
    desk.advance(1)
    assert desk.panel_steps() == {1}
    desk.paint()


def test_refused_data_leave_the_former_run_and_a_sentence(desk: Desk, tmp_path: Path) -> None:
    desk.advance(2)
    desk.window.params.turn("k", 7)
    desk.settle()
    before = desk.step
    desk.window._use_folder(tmp_path)
    desk.window.datasets.chosen.emit("mnist")
    desk.until(lambda: desk.of("refused"))
    desk.settle()
    assert str(tmp_path) in desk.window.notice.text
    assert desk.window.datasets.current == "blobs"
    assert desk.window.settings.data_dir == ""
    assert desk.window.params.shown.rows["k"].value == 7 == desk.window.conductor.values["k"]
    assert desk.runs == 1
    desk.press_and_wait(Key.Key_Right)
    assert desk.step == before + 1
    assert desk.window.conductor.spec.dataset == "blobs"


def test_a_refused_experiment_leaves_the_former_one_chosen(trial: Desk) -> None:
    trial.advance(2)
    trial.window.conductor.choose("kmeans", dataset="ellipse")
    trial.until(lambda: trial.of("refused"))
    trial.settle()
    assert trial.window.experiments.current == "probe"
    assert trial.window.conductor.info.id == "probe"
    assert set(trial.window.params.shown.rows) == {"lr", "width", "end", "trouble", "noisy"}
    trial.run(lambda: trial.key(Key.Key_R, widget=trial.window))
    assert trial.started.spec.experiment == "probe"


@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"there is no folder {FOLDER}")
def test_mnist_from_a_folder(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "desktop.controls.dataset_picker.QFileDialog.getExistingDirectory", lambda *_args: str(FOLDER)
    )
    desk.run(desk.window.datasets.choose_folder)
    assert desk.started.spec.dataset == "mnist"
    assert desk.started.kind == "images"
    assert desk.started.size >= 1000
    assert desk.window.settings.data_dir == str(FOLDER)
    desk.advance(1)
    desk.paint()


# ── the mouse on the picture ────────────────────────────────────────────────────────────────────────────────


def centres(desk: Desk) -> np.ndarray:
    """Where the markers of the cloud on screen are, in data units."""
    return desk.panels["cloud"].canvas.scene.points.layers[-1].xy


def pixel(desk: Desk, x: float, y: float) -> QPoint:
    return QPointF(*desk.panels["cloud"].canvas.view.plane.to_pixel(x, y)).toPoint()


def place_of(desk: Desk, item: int) -> QPoint:
    return pixel(desk, *desk.panels["cloud"].canvas.scene.points.xy[item].tolist())


@pytest.fixture
def still(desk: Desk) -> Desk:
    """Nothing glides, everything is painted."""
    look.reduce_motion = True
    desk.paint()
    return desk


def lonely_item(desk: Desk) -> int:
    """A point far from all centres and from its neighbours."""
    canvas = desk.panels["cloud"].canvas
    xy = canvas.view.plane.to_pixels(canvas.scene.points.xy)
    marks = canvas.view.plane.to_pixels(centres(desk))
    apart = np.hypot(*(xy[:, None] - marks[None]).transpose(2, 0, 1)).min(1)
    distance = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    np.fill_diagonal(distance, np.inf)
    return int(np.where(apart > 40, distance.min(1), 0).argmax())


def test_hover_shows_a_card_and_a_click_the_neighbours(still: Desk) -> None:
    desk, canvas = still, still.panels["cloud"].canvas
    item = lonely_item(desk)
    desk.move(canvas, place_of(desk, item))
    desk.until(lambda: item in canvas.cards.items)
    assert canvas.selection.hover == item
    assert canvas.cards.items[item][0].label.startswith("blob")
    desk.paint()
    desk.click(canvas, place_of(desk, item))
    assert canvas.selection.pin == item
    desk.until(lambda: len(canvas.selection.neighbours) == 6)
    assert item not in canvas.selection.neighbours
    desk.paint()
    desk.key(Key.Key_Escape, widget=desk.window)
    assert canvas.selection.pin == -1


def test_a_lasso_selects_and_escape_clears(still: Desk) -> None:
    desk, canvas = still, still.panels["cloud"].canvas
    # Round one of the five blobs, about (3.2, −3.4).
    desk.drag(
        canvas, *(pixel(desk, 3.2 + dx, -3.4 + dy) for dx, dy in ((-2, -1.9), (2, -1.9), (2, 2), (-2, 2)))
    )
    chosen = canvas.selection.items
    assert chosen is not None
    assert 250 < len(chosen) < 320
    assert set(canvas.scene.points.xy[chosen][:, 1] < 0) == {True}
    desk.paint()
    desk.key(Key.Key_Escape, widget=desk.window)
    assert canvas.selection.items is None


def test_a_centre_can_be_dragged_while_it_runs(still: Desk) -> None:
    desk, canvas = still, still.panels["cloud"].canvas
    desk.window.transport.set_pace(1.0)
    desk.play()
    start = pixel(desk, *centres(desk)[2].tolist())
    QTest.mousePress(canvas, LEFT, NO_KEY, start)
    assert canvas.gestures.kind == "mark"
    held = canvas.scene.held[1]
    x, y = canvas.view.plane.to_data(start.x() + 60, start.y() - 40)
    desk.move(canvas, start + QPoint(30, -20), LEFT)
    desk.move(canvas, start + QPoint(60, -40), LEFT)
    QTest.mouseRelease(canvas, LEFT, NO_KEY, start + QPoint(60, -40))
    desk.until(lambda: desk.of("acted"))
    desk.pause()
    assert desk.of("acted")[-1].name == "move"
    assert held == 2
    trail = desk.panels["cloud"].canvas.scene.points.layers[-1].trail
    seen = centres(desk) if trail is None else trail[0]
    assert np.hypot(*(seen[held] - (x, y))) < 0.2, (seen[held], (x, y))
    assert any(mark.text == "by hand" for mark in desk.window.timeline.marks)


def test_a_double_click_places_a_centre(still: Desk) -> None:
    desk, canvas = still, still.panels["cloud"].canvas
    before = centres(desk).copy()
    at = QPoint(canvas.width() - 40, canvas.height() // 2)
    QTest.mouseDClick(canvas, LEFT, NO_KEY, at)
    desk.until(lambda: desk.of("acted"))
    desk.settle()
    assert desk.of("acted")[-1].name == "place"
    now = centres(desk)
    (moved,) = np.flatnonzero(np.abs(now - before).max(1) > 1e-6)
    np.testing.assert_allclose(now[moved], canvas.view.plane.to_data(at.x(), at.y()), atol=0.05)


def test_what_the_hand_did_to_the_former_run_does_not_reach_the_next(desk: Desk) -> None:
    area, cards = desk.window.area, {card.key: card for card in desk.window.experiments.cards()}
    before = desk.runs
    desk.click(cards["kmeans/elongated"])
    area.act.emit("move", (4, 0.0, 0.0))  # there are only three centres there
    area.ask.emit("item", (1400,))  # and 1,200 points
    desk.until(lambda: desk.runs > before)
    desk.settle()
    assert desk.status == "paused"
    assert not desk.of("failed")
    assert not desk.of("acted")


# ── looks, words, settings ──────────────────────────────────────────────────────────────────────────────────


def test_the_keys_of_the_window(desk: Desk) -> None:
    window = desk.window
    desk.key(Key.Key_F5, widget=window)
    assert look.projector
    assert look.points == 20
    desk.key(Key.Key_F5, widget=window)
    assert not look.projector
    desk.key(Key.Key_F11, widget=window)
    assert window.isFullScreen()
    desk.key(Key.Key_F11, widget=window)
    assert not window.isFullScreen()
    for key, scale in ((Key.Key_Plus, 1.25), (Key.Key_Plus, 1.5), (Key.Key_Minus, 1.25), (Key.Key_0, 1.0)):
        desk.key(key, CTRL, window)
        assert look.scale == scale
    desk.key(Key.Key_T, CTRL, window)
    assert look.dark
    desk.key(Key.Key_L, CTRL, window)
    assert language.code == "fr"
    desk.key(Key.Key_L, CTRL, window)
    assert language.code == "en"
    QTest.keyClick(window, "?")
    (dialog,) = window.findChildren(QDialog)
    assert dialog.isVisible()
    dialog.close()


def test_projector_mode_is_light_and_gives_the_theme_back(desk: Desk) -> None:
    desk.key(Key.Key_T, CTRL, desk.window)
    desk.key(Key.Key_F5, widget=desk.window)
    assert not look.dark
    desk.key(Key.Key_F5, widget=desk.window)
    assert look.dark


def test_settings_are_remembered(desks: Any, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    desk = desks().open("pca")
    for key, modifier in ((Key.Key_T, CTRL), (Key.Key_L, CTRL), (Key.Key_Plus, CTRL)):
        desk.key(key, modifier, desk.window)
    desk.window.explain.set_folded(True)
    desk.window.setGeometry(10, 20, 1100, 650)
    desk.close()
    settings_file.write(path, desk.settings)
    look.update(theme="light", scale=1.0)
    language.switch("en")
    settings, problem = settings_file.read(path)
    assert problem is None
    again = desks(settings).open()
    assert look.dark
    assert look.scale == 1.25
    assert language.code == "fr"
    assert again.window.explain.folded
    assert again.started.spec.experiment == "pca"
    again.window.forget_settings()
    assert (look.theme, look.scale, language.code) == ("light", 1.0, "en")
    again.close()
    assert again.settings.theme == "light"
    assert again.settings.explain


DAMAGED = [
    b"", b"{", b"\xff\xfe\x00", b"[]", b'{"theme": 3}', b'{"theme": "purple"}', b'{"scale": NaN}',
    b'{"scale": 1e999}', b'{"geometry": [1, 2]}', b'{"geometry": ["a", 1, 2, 3]}', b"[" * 100_000,
]  # fmt: skip


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_settings_file_is_set_aside_and_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    settings, problem = settings_file.read(path)
    assert settings == Settings()
    assert problem is not None
    aside = path.with_name("settings.json.damaged")
    assert str(aside) in problem
    assert aside.read_bytes() == content
    assert not path.exists()


def test_strange_but_whole_settings_open_a_window(desks: Any, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    strange = {
        "scale": 1e300, "language": "xx", "topic": "none", "experiment": "gone", "data_dir": "/nowhere",
        "geometry": [10**30, -5, 0, 7], "more": 1,
    }  # fmt: skip
    path.write_text(json.dumps(strange))
    settings, problem = settings_file.read(path)
    assert problem is None
    desk = desks(settings).open()
    assert desk.started.spec.experiment == "kmeans"
    desk.paint()


# ── trouble ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("kind", "word"), [("raise", "reset"), ("nan", "diverged"), ("memory", "memory")])
def test_trouble_leaves_a_sentence_and_the_last_good_picture(trial: Desk, kind: str, word: str) -> None:
    said: list[tuple[str, str]] = []
    trial.window.technical.connect(lambda site, text: said.append((site, text)))
    trial.advance(10)
    trial.window.params.turn("trouble", kind)
    trial.settle()
    before = len(trial.of("status"))
    trial.key(Key.Key_Space, widget=trial.window)
    trial.until(lambda: any(s.status == "failed" for s in trial.of("status")[before:]))
    trial.settle()
    assert len(trial.of("failed")) == len(said) == 1
    assert "Traceback" in said[0][1]
    assert word in trial.window.notice.text
    assert "Traceback" not in trial.window.notice.text
    assert trial.panel_steps() == {10}
    good = trial.panels["cloud"].canvas.scene.points
    assert np.isfinite(good.xy).all()
    trial.paint()
    # Asking for the newest picture must not bring a spoiled one.
    trial.window.timeline.went_live.emit()
    trial.settle()
    assert trial.panel_steps() == {10}
    # The advice of the sentence can be followed: go back, turn the knob, play.
    trial.key(Key.Key_Left, widget=trial.window)
    trial.until(lambda: trial.panel_steps() == {9})
    trial.window.params.turn("trouble", "none")
    trial.run(lambda: trial.key(Key.Key_Space, widget=trial.window))
    assert trial.started.branched_from == 9
    trial.until(lambda: trial.status == "running" and trial.step > 30)
    trial.pause()
    assert all(np.isfinite(value) for _step, value in trial.scalars["loss"])
    trial.run(lambda: trial.key(Key.Key_R, widget=trial.window))
    assert trial.status == "paused"


def test_a_question_that_goes_wrong_does_not_stop_the_run(trial: Desk) -> None:
    trial.play()
    trial.window.area.ask.emit("decode", ("nonsense",))
    trial.until(lambda: trial.of("failed"))
    step = trial.step
    trial.until(lambda: trial.step > step + 20)
    assert trial.status == "running"
    trial.pause()


def test_an_engine_that_cannot_start_leaves_the_window_and_the_words(
    desks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ImportError("DLL load failed")

    monkeypatch.setattr("engine.boot.load_torch", broken)
    desk = desks().open()
    assert desk.of("failed")
    assert "DLL load failed" in desk.window.notice.text
    for key in (
        Key.Key_Space,
        Key.Key_Right,
        Key.Key_Left,
        Key.Key_R,
        Key.Key_N,
        Key.Key_PageDown,
        Key.Key_F5,
    ):
        desk.key(key, widget=desk.window)
    desk.window.timeline.went_live.emit()
    desk.paint()


def test_closing_while_it_trains_is_quick_and_leaves_nothing(trial: Desk) -> None:
    trial.play()
    trial.until(lambda: trial.step > 100)
    trial.close()
    assert trial.closed_in is not None
    assert trial.closed_in < 1.0
    assert not [t for t in threading.enumerate() if t.name == "engine"]


def test_closing_before_anything_has_begun(desks: Any) -> None:
    desk = desks()
    desk.window.show()
    desk.close()


def test_closing_while_torch_is_loading(desks: Any) -> None:
    desk = desks()
    desk.window.show()
    desk.window.begin()
    desk.close()


@pytest.fixture
def reporter(tmp_path: Path) -> Any:
    reporter = Reporter(tmp_path / "home" / "report.txt")
    yield reporter
    reporter.deleteLater()


def test_a_thousand_repeats_are_one_dialog_and_a_report(
    reporter: Reporter, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []
    reporter.trouble.connect(said.append)

    def stumble(word: str) -> None:
        try:
            raise RuntimeError(word)
        except RuntimeError as error:
            reporter._on_exception(type(error), error, error.__traceback__)

    for repeat in range(1000):
        stumble(f"oh {repeat}")
    assert len(said) == 1
    assert str(reporter.path) in said[0]
    text = reporter.path.read_text(encoding="utf-8")
    assert text.count("Traceback") == 1
    assert "oh 0" in text
    assert "Qt 6" in text


def test_trouble_is_a_calm_dialog_that_stops_nothing(trial: Desk) -> None:
    trial.play()
    trial.window.show_trouble("Something unexpected happened.")
    (box,) = trial.window.findChildren(QMessageBox)
    assert box.isVisible()
    assert not box.isModal()
    step = trial.step
    trial.until(lambda: trial.step > step + 20)
    box.close()
    with trial.qtbot.waitActive(trial.window):
        trial.window.activateWindow()
    trial.key(Key.Key_Space, widget=trial.window)
    trial.until(lambda: trial.status == "paused")


def test_a_home_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    reporter = Reporter(blocked / "report.txt")
    reporter.note("here", "text", None)
    with pytest.raises(FileExistsError):
        settings_file.write(blocked / "settings.json", Settings())
    assert settings_file.read(blocked / "settings.json")[0] == Settings()


def test_a_run_is_what_its_spec_says(trial: Desk) -> None:
    assert trial.started.spec == RunSpec("probe", "blobs", {}, 1, None)
