"""Dragging over the timeline: one step everywhere, a frame that stands still, and answers of that time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt, QVariantAnimation
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop.language import language
from desktop.panels.bar_panel import BarPanel
from desktop.panels.curve_panel import CurvePanel
from desktop.panels.scatter import ScatterPanel
from desktop.panels.view import TINY, View
from desktop.selection import Selection
from desktop.style.tokens import look
from engine.api import Bars, Curve, Points
from tests.desktop.conftest import LEFT, NO_KEY, Desk


class Hand:
    """Drags the handle of the timeline, and looks at everything after each delivery."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.bar = desk, desk.window.timeline
        self.steps: list[int] = []
        self.quarrels: list[dict[str, Any]] = []
        desk.window.bridge.progress.connect(self._look)

    def _look(self) -> None:
        window = self.desk.window
        seen = {name: panel.step for name, panel in self.desk.panels.items() if panel.isVisible()}
        if window.looks_back:
            seen["curves"] = window.area.loss.step
            seen["transport"] = window.shown_step
            seen["sought"] = self.desk.of("sought")[-1].step
        if len(set(seen.values())) != 1:
            self.quarrels.append(seen)
        self.steps.append(next(iter(seen.values())))

    def at(self, share: float) -> QPoint:
        left, right, middle = self.bar._track()
        return QPoint(round(left + share * (right - left)), round(middle))

    def drag(self, *shares: float) -> Iterator[None]:
        """To these places along the track, yielding at each when its picture has been painted."""
        QTest.mousePress(self.bar, LEFT, NO_KEY, self.at(shares[0]))
        for share in shares[1:]:
            self.desk.move(self.bar, self.at(share), LEFT)
            heard = len(self.desk.of("sought"))
            self.desk.until(lambda heard=heard: len(self.desk.of("sought")) > heard)
            self.desk.paint()
            yield
        QTest.mouseRelease(self.bar, LEFT, NO_KEY, self.at(shares[-1]))

    def rush(self, *shares: float) -> None:
        """The same without waiting for anything."""
        QTest.mousePress(self.bar, LEFT, NO_KEY, self.at(shares[0]))
        for share in shares[1:]:
            self.desk.move(self.bar, self.at(share), LEFT)
            QApplication.processEvents()
        QTest.mouseRelease(self.bar, LEFT, NO_KEY, self.at(shares[-1]))


def there_and_back(n: int) -> list[float]:
    back = np.linspace(0.85, 0.0, n).tolist()  # the track gets shorter when the chip appears
    return [*back, *back[::-1]]


# ── one step everywhere ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("training", [False, True], ids=["paused", "training"])
@pytest.mark.parametrize(
    ("experiment", "dataset", "steps", "params"),
    [("kmeans", "digits", 12, {}), ("tsne", "blobs", 90, {}), ("pca", "digits", 15, {"ritz": False})],
)
def test_every_panel_prints_the_same_step(
    desks: Any, experiment: str, dataset: str, steps: int, params: dict[str, Any], training: bool
) -> None:
    desk = desks().open(experiment, dataset=dataset, **params)
    desk.advance(steps)
    if training:
        desk.window.transport.set_pace(1.0)  # so slowly that it does not end meanwhile
        desk.play()
    hand = Hand(desk)
    hand.rush(*there_and_back(60), *there_and_back(17), 0.4)
    desk.settle()
    assert desk.window.looks_back
    assert hand.quarrels == []
    for _picture in hand.drag(*there_and_back(12), 0.5):
        assert desk.window.looks_back
    desk.settle()
    assert hand.quarrels == []
    assert len(set(hand.steps)) > 5
    here = desk.of("sought")[-1].step
    assert {p.step for p in desk.panels.values() if p.isVisible()} == {here}
    assert desk.window.area.loss.step == here == desk.window.timeline._shown
    assert (desk.status == "running") is training
    desk.paint()
    desk.click(desk.window.timeline, desk.window.timeline._chip.center().toPoint())  # live
    desk.until(lambda: not desk.window.looks_back)
    desk.settle()
    desk.until(lambda: min(p.step for p in desk.panels.values() if p.isVisible()) >= steps)
    assert hand.quarrels == []
    desk.paint()
    assert desk.window.timeline._chip.isEmpty()
    if training:
        desk.pause()


def test_two_runs_side_by_side_are_scrubbed_together(desks: Any) -> None:
    desk = desks().open("kmeans", dataset="blobs")
    desk.run(lambda: desk.key(Qt.Key.Key_C))
    desk.window.params.turn("b.k", 9)
    desk.settle()
    desk.advance(9)
    hand = Hand(desk)
    hand.rush(*there_and_back(40), 0.3)
    desk.settle()
    assert hand.quarrels == []
    assert desk.window.looks_back


def test_the_handle_goes_where_the_picture_is_once_let_go(desks: Any) -> None:
    desk = desks().open("tsne", dataset="blobs")
    desk.window.transport.set_pace(None)
    desk.advance(120)
    bar, hand = desk.window.timeline, Hand(desk)
    kept = set(bar.keyframes)
    for _picture in hand.drag(0.8, 0.53):  # it has come before the hand lets go
        desk.settle()
    assert bar._shown in kept
    assert bar._shown == desk.window.shown_step
    desk.paint()
    assert not bar._chip.isEmpty()
    desk.click(bar, bar._chip.center().toPoint())
    desk.until(lambda: not desk.window.looks_back and desk.window.area.complete(120))
    desk.paint()
    assert bar._chip.isEmpty()


# ── a frame that stands still ───────────────────────────────────────────────────────────────────────────────


def scatters(desk: Desk) -> list[ScatterPanel]:
    return [p for p in desk.panels.values() if isinstance(p, ScatterPanel) and p.isVisible()]


def views(desk: Desk) -> list[View]:
    return [panel.canvas.view for panel in scatters(desk)]


def size(view: View) -> float:
    x0, x1, _y0, _y1 = view.plane.extent
    return x1 - x0


def glides(view: View) -> bool:
    return view._glide.state() == QVariantAnimation.State.Running


def cut(panel: ScatterPanel) -> bool:
    """Whether a point of the core lies out of sight."""
    box = panel.canvas.scene.box()
    return box is not None and panel.canvas.view._over(box) > 0


@pytest.mark.parametrize(
    ("experiment", "dataset", "steps"), [("kmeans", "blobs", 8), ("gmm", "blobs", 15), ("pca", "ellipse", 10)]
)
def test_axes_that_are_read_stand_still(desks: Any, experiment: str, dataset: str, steps: int) -> None:
    desk = desks().open(experiment, dataset=dataset)
    desk.advance(steps)
    desk.until(lambda: not any(map(glides, views(desk))))
    before = [view.plane.extent for view in views(desk)]
    hand = Hand(desk)
    for _picture in hand.drag(*there_and_back(15)):
        for view, extent in zip(views(desk), before, strict=True):
            assert not glides(view)
            assert view.plane.extent[0] <= extent[0] + 1e-9
            assert view.plane.extent[1] >= extent[1] - 1e-9
        for panel in scatters(desk):
            assert panel.canvas.scene.before is None
            assert not cut(panel)
    desk.window.timeline.went_live.emit()
    desk.settle()


def test_a_map_that_grew_out_of_a_dot(desks: Any) -> None:
    """Its frame stands still, until there would be nothing to be seen; then it comes nearer at once."""
    desk = desks().open("tsne", dataset="blobs")
    desk.window.transport.set_pace(None)
    desk.advance(230)
    (view,) = (v for v in views(desk) if not v._measured())
    panel = desk.panels["map"]
    desk.until(lambda: not glides(view))
    hand, sizes = Hand(desk), [size(view)]
    for _picture in hand.drag(*np.linspace(0.97, 0.0, 60).tolist()):
        assert not glides(view)
        assert panel.canvas.scene.before is None
        assert not cut(panel)
        sizes.append(size(view))
        box = panel.canvas.scene.box()
        assert view._fills(box) >= TINY - 0.01
    steps = np.array(sizes)
    same = np.isclose(steps[1:], steps[:-1])
    assert same.mean() > 0.6  # it stands still nearly always
    nearer = (steps[1:] < steps[:-1])[~same]
    assert (steps[1:] / steps[:-1])[~same][nearer].max() < 0.6  # and does not creep
    assert steps[-1] < 1e-2 * steps[0]
    desk.until(lambda: view._fills(panel.canvas.scene.box()) > 0.7 and not glides(view))  # let go: framed
    out = size(view)
    for _picture in hand.drag(0.0, 0.3, 0.5, 0.8):
        assert not glides(view)
        assert not cut(panel)
        assert size(view) >= out
        out = size(view)
    desk.window.timeline.went_live.emit()
    desk.until(lambda: not view.past and view._fills(panel.canvas.scene.box()) > 0.6 and not glides(view))


@pytest.fixture
def panel(qtbot: Any) -> ScatterPanel:
    made = ScatterPanel("p", Selection())
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.show()
    return made


def show(panel: ScatterPanel, scale: float, step: int, axes: tuple[str, str] = ("x", "y")) -> None:
    xy = np.random.default_rng(0).uniform(-1, 1, (300, 2)).astype(np.float32)
    panel.present(Points(scale * xy, axes=axes), step)
    panel.grab()


@pytest.mark.parametrize("axes", [("x", "y"), ("", "")], ids=["measured", "map"])
def test_nothing_is_cut_and_nothing_shrinks_while_the_past_goes_by(
    panel: ScatterPanel, axes: tuple[str, str]
) -> None:
    view = panel.canvas.view
    show(panel, 1.0, 9, axes)
    first = size(view)
    view.set_held(True)
    view.set_past(True)
    show(panel, 0.7, 8, axes)
    assert size(view) == first
    show(panel, 1.6, 7, axes)  # at once
    wide = size(view)
    assert wide > 1.5 * first
    assert not cut(panel)
    assert not glides(view)
    show(panel, 1.0, 6, axes)
    assert size(view) == wide
    view.settle()  # a hand that rests is a hand
    assert size(view) == wide
    assert not glides(view)


def test_the_axis_of_bars_only_widens_while_the_past_goes_by(qtbot: Any) -> None:
    panel = BarPanel("p", Selection())
    qtbot.addWidget(panel)
    panel.resize(300, 200)
    panel.show()

    def high(*values: float) -> float:
        panel.present(Bars(np.array(values, np.float32), ("a", "b")), 1)
        panel.grab()
        return panel.canvas._reach[1]

    assert high(0.5, 0.4) == 0.5
    panel.set_past(True)
    assert high(0.25, 0.2) == 0.5
    assert high(0.75, 0.2) == 0.75
    assert high(0.5, 0.2) == 0.75
    panel.set_past(False)
    assert high(0.5, 0.2) == 0.5
    panel.set_past(True)
    panel.reset()
    assert high(0.25, 0.2) == 0.25


def test_the_axis_of_curves_only_widens_while_the_past_goes_by(qtbot: Any) -> None:
    panel = CurvePanel("p", Selection())
    qtbot.addWidget(panel)
    panel.resize(300, 200)
    panel.show()

    def high(most: float) -> float:
        x = np.linspace(0, 1, 5, dtype=np.float32)
        panel.present(Curve(x, {"line": most * x}), 1)
        return panel._chart._scales[0].high

    wide, low = high(8.0), high(2.0)
    assert low < wide
    high(8.0)
    panel.set_past(True)
    assert high(2.0) == wide
    assert high(20.0) > wide
    panel.set_past(False)
    assert high(2.0) == low


def test_a_hand_that_zoomed_is_left_alone(panel: ScatterPanel) -> None:
    view = panel.canvas.view
    show(panel, 1.0, 9, ("", ""))
    view.zoom(100, 100, 4.0)
    chosen = view.plane.extent
    view.set_past(True)
    show(panel, 5.0, 8, ("", ""))
    show(panel, 0.01, 7, ("", ""))
    assert view.plane.extent == chosen


def test_a_glide_under_way_has_arrived_when_the_past_begins(panel: ScatterPanel) -> None:
    view = panel.canvas.view
    show(panel, 1.0, 1)
    show(panel, 1.6, 2)
    assert glides(view)
    view.set_past(True)
    assert not glides(view)
    assert not cut(panel)


def test_points_glide_from_step_to_step_but_not_under_a_hand(
    panel: ScatterPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    times: Iterator[float] = iter(np.arange(100.0).tolist())
    monkeypatch.setattr("desktop.panels.scene.time.monotonic", lambda: next(times))
    scene, view = panel.canvas.scene, panel.canvas.view
    show(panel, 1.0, 3)
    view.set_past(True)
    show(panel, 0.9, 2)  # ← pressed
    assert scene.before is not None
    view.set_held(True)
    show(panel, 0.8, 1)
    assert scene.before is None


# ── answers of that time ────────────────────────────────────────────────────────────────────────────────────


def words(desk: Desk, channel: str) -> str:
    return str(desk.panels[channel].canvas.cards.near._told())


@pytest.mark.parametrize("code", ["en", "fr"])
def test_neighbours_say_whose_they_are(desks: Any, code: str) -> None:
    desk = desks().open("pca", dataset="digits")
    language.switch(code)
    desk.advance(6)
    cards = desk.panels["scatter"].canvas.cards
    answers: Callable[[], list[Any]] = lambda: [a for a in desk.of("answered") if a.name == "neighbours"]  # noqa: E731
    cards.pin(5)
    desk.until(lambda: len(cards.near.entries) == 6 and all(e.image for e in cards.near.entries))
    assert words(desk, "scatter") == ""
    low = cards.near.height()
    desk.window.timeline.sought.emit(2)  # the same question again, once that picture rests
    desk.until(lambda: cards.recorded == 2)
    assert answers()[-1].step == 2
    assert "2" in words(desk, "scatter")
    assert ("weights" in words(desk, "scatter")) is (code == "en")
    assert cards.near.height() > low
    assert words(desk, "scatter") in cards.near.accessibleDescription()
    asked = len(answers())
    desk.panels["scatter"].canvas.view.settle()  # it is not asked again and again
    desk.settle()
    assert len(answers()) == asked
    desk.paint()
    desk.window.timeline.went_live.emit()
    desk.until(lambda: cards.recorded is None)
    assert words(desk, "scatter") == ""
    assert cards.near.height() == low


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
@pytest.mark.parametrize("projector", [False, True])
def test_whose_neighbours_they_are_is_said_in_full(
    desks: Any, size: tuple[int, int], projector: bool
) -> None:
    desk = desks().open("tsne", dataset="digits")
    desk.window.resize(*size)
    look.update(projector=projector)
    desk.advance(20)
    desk.window.timeline.sought.emit(13)
    desk.until(lambda: desk.window.looks_back)
    cards = desk.panels["map"].canvas.cards
    cards.pin(5)
    desk.until(lambda: cards.recorded == 13 and len(cards.near.entries) == 6)
    if cards.near.isVisible():
        assert cards.near.width() >= cards.near._told_wide()
    desk.paint()
