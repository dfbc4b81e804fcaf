"""Two runs side by side, as a lecturer starts, turns, reads and ends them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu

from desktop.language import language
from engine.api import is_second
from tests.desktop.conftest import Desk

Key = Qt.Key


def compared(desks: Any, experiment: str = "kmeans", dataset: str = "blobs") -> Desk:
    desk: Desk = desks().open(experiment, dataset=dataset)
    desk.run(lambda: desk.key(Key.Key_C))
    assert desk.window.comparing
    return desk


def sides(desk: Desk) -> dict[str, set[int | None]]:
    return {
        side: {p.step for n, p in desk.panels.items() if p.isVisible() and is_second(n) == (side == "B")}
        for side in "AB"
    }


def test_the_same_again_learns_the_same_until_a_knob_is_turned(desks: Any) -> None:
    desk = compared(desks)
    desk.advance(2)
    assert desk.scalars["inertia"] == desk.scalars["b.inertia"]
    assert sides(desk) == {"A": {2}, "B": {2}}
    desk.window.params.turn("b.k", 9)
    desk.settle()
    desk.advance(2)
    assert desk.scalars["inertia"] != desk.scalars["b.inertia"]
    assert desk.panels["cloud"]._side.text() == "A · k = 5"
    assert desk.panels["b.cloud"]._side.text() == "B · k = 9"
    assert desk.window.area.loss._lines[0].key == "inertia"
    desk.paint()


def test_a_knob_that_restarts_restarts_both_and_keeps_the_difference(desks: Any) -> None:
    desk = compared(desks)
    desk.window.params.turn("b.k", 3)
    desk.settle()
    desk.run(lambda: desk.window.params.turn("b.init", "random"))
    beside = desk.started.spec.beside
    assert beside.params["k"] == 3
    assert beside.params["init"] == "random"
    assert desk.started.spec.params["init"] == "k-means++"
    assert "k = 3" in desk.panels["b.cloud"]._side.text()
    language.switch("fr")
    desk.paint()
    assert "k = 3" in desk.panels["b.cloud"]._side.text()


def test_one_selection_and_one_pointer_for_both(desks: Any) -> None:
    desk = compared(desks)
    area = desk.window.area
    area.selection.select(np.arange(20, dtype=np.int32))
    area.selection.set_hover(7)
    desk.paint()
    assert desk.panels["cloud"]._canvas.selection is desk.panels["b.cloud"]._canvas.selection
    desk.panels["b.cloud"].ask.emit("neighbours", (7,))
    desk.until(lambda: any(answer.name == "b.neighbours" for answer in desk.of("answered")))


def test_centres_are_dragged_on_either_side(desks: Any) -> None:
    desk = compared(desks)
    desk.panels["b.cloud"].act.emit("move", (0, 0.0, 0.0))
    desk.until(lambda: bool(desk.of("acted")))
    assert desk.of("acted")[-1].name == "b.move"
    desk.settle()
    a = desk.panels["cloud"]._canvas.scene.points.layers[-1].xy
    b = desk.panels["b.cloud"]._canvas.scene.points.layers[-1].xy
    assert not np.array_equal(a, b)


def test_two_methods_on_the_same_data_and_back(desks: Any) -> None:
    desk = desks().open("kmeans", dataset="digits")
    desk.run(lambda: desk.window.conductor.compare("pca"))
    assert {"cloud", "b.scatter"} <= set(desk.panels)
    assert desk.window.params.panels[1].rows.keys() == {
        "b." + knob.name for knob in desk.window.conductor.infos["pca"].knobs
    }
    desk.advance(1)
    assert sides(desk) == {"A": {1}, "B": {1}}
    desk.run(lambda: desk.window.conductor.use_dataset("sprites"))  # both take them
    assert desk.window.comparing
    desk.run(lambda: desk.window.conductor.use_dataset("million"))  # only k-means takes them
    assert not desk.window.comparing
    desk.run(lambda: desk.key(Key.Key_C))
    desk.run(lambda: desk.key(Key.Key_C))
    assert not desk.window.comparing
    assert not any(map(is_second, desk.panels))
    desk.paint()


@pytest.mark.parametrize("size", [(1024, 768), (1280, 720), (1920, 1080), (700, 460)])
def test_it_fits_at_every_size(desks: Any, size: tuple[int, int]) -> None:
    desk = compared(desks, "pca", "digits")
    desk.window.resize(*size)
    desk.settle()
    desk.paint()
    main = [desk.panels["scatter"], desk.panels["b.scatter"]]
    assert all(panel.isVisible() for panel in main)
    assert abs(main[0].width() - main[1].width()) <= max(
        8, 0.15 * main[0].width()
    )  # their titles need some room
    assert main[0].height() == main[1].height()


@pytest.mark.parametrize("code", ["en", "fr"])
def test_two_runs_fit_on_a_small_projector(desks: Any, code: str) -> None:
    desk = desks().open("kmeans", dataset="anisotropic")
    desk.run(lambda: desk.window.conductor.compare("gmm"))
    language.switch(code)
    desk.window.toggle_projector()
    desk.settle()
    desk.paint()
    desk.until(lambda: desk.window.minimumSizeHint().width() <= 1024)  # once all have laid themselves out


@pytest.mark.qt_log_level_fail("CRITICAL")  # offscreen warns that it cannot grab the keyboard for a menu
def test_the_menu_offers_what_takes_these_data(desks: Any) -> None:
    desk = desks().open("kmeans", dataset="blobs")
    desk.window._compare.click()
    menu = next(m for m in desk.window.findChildren(QMenu) if m.isVisible())
    offered = [action.text() for action in menu.actions()]
    assert offered[0].startswith("The same again")
    assert any("Gaussian" in text for text in offered)
    assert not any("Sampling" in text for text in offered)
    assert not desk.window._compare.isChecked()
    menu.close()


def test_a_comparison_comes_back_through_the_timeline(desks: Any) -> None:
    desk = compared(desks)
    desk.window.params.turn("b.k", 2)
    desk.settle()
    desk.advance(4)
    desk.window.bridge.engine.seek(1)
    desk.until(lambda: bool(desk.of("sought")))
    desk.settle()
    assert sides(desk) == {"A": {1}, "B": {1}}
    desk.run(lambda: desk.window.bridge.engine.branch(1))
    assert desk.started.branched_from == 1
    assert desk.window.comparing
    assert desk.window.conductor.values["b.k"] == 2
