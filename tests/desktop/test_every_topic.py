"""What every tab and every experiment in it promises: opens, grows and shrinks, scrubs, obeys every control,
changes its look and its language while it learns, and leaves nothing behind. Nothing here knows any of them
by name.
"""

from __future__ import annotations

import gc
import itertools
import weakref
from typing import Any

import pytest
from PySide6.QtWidgets import QLabel, QPushButton, QToolButton, QWidget

from desktop.controls.parts import ElidedLabel
from desktop.language import language
from desktop.style.tokens import look
from desktop.topics import TOPICS
from engine.api import KnobSpec, Value, sources
from engine.core.catalogue import catalogue
from tests.desktop.conftest import Desk, drain

SIZES = ((1024, 768), (1280, 720), (1920, 1080))
EXPERIMENTS = [pytest.param(cls.info, id=f"{cls.info.topic}-{name}") for name, cls in catalogue().items()]
KINDS = [
    pytest.param(
        cls.info, next(d for d in cls.info.datasets if sources()[d].kind == kind), id=f"{name}-{kind}"
    )
    for name, cls in catalogue().items()
    for kind in sorted({sources()[d].kind for d in cls.info.datasets})
]
KINDS += [
    pytest.param(cls.info, "", id=f"{name}-alone")
    for name, cls in catalogue().items()
    if not cls.info.datasets
]


def test_every_topic_has_something_and_every_experiment_a_topic() -> None:
    ids = [topic.id for topic in TOPICS]
    assert len(ids) == len(set(ids))
    found = [cls.info.topic for cls in catalogue().values()]
    assert set(found) == set(ids)
    for topic in TOPICS:
        here = {cls.info.id for cls in catalogue().values() if cls.info.topic == topic.id}
        assert set(topic.order) <= here
        assert set(topic.large) <= here
        for name, channels in topic.large.items():
            assert set(channels) <= set(catalogue()[name].info.channels)


def resize(desk: Desk, width: int, height: int) -> None:
    """The window at this size, laid out and painted, every picture on screen that of the newest step."""
    desk.window.resize(width, height)
    assert (desk.window.width(), desk.window.height()) == (width, height)
    drain()
    shown(desk)
    desk.paint()


def shown(desk: Desk) -> dict[str, Any]:
    """The pictures on screen, once all of them have come."""
    desk.settle()
    desk.until(lambda: desk.window.area.complete(desk.step) or not desk.window.bridge._timer.isActive())
    on_screen = {n: p for n, p in desk.panels.items() if p.isVisible()}
    assert on_screen
    assert {p.step for p in on_screen.values()} == {desk.step}
    for panel in on_screen.values():
        assert panel.width() > 60, panel
        assert panel.height() > 60, panel
    return on_screen


@pytest.mark.parametrize(("info", "dataset"), KINDS)
def test_opens_at_every_size_and_every_picture_comes(desks: Any, info: Any, dataset: str) -> None:
    desk = desks().open(info.id, dataset=dataset)
    assert set(desk.panels) == {n for n, c in info.channels.items() if desk.started.kind in c.kinds}
    seen: set[str] = set()
    for step, size in enumerate(SIZES):
        resize(desk, *size)
        desk.advance(1)
        assert desk.step == step + 1
        seen |= set(shown(desk))
        desk.paint()
    assert seen == set(desk.panels)
    assert set(desk.scalars) == set(info.scalars)
    assert {line.key for line in desk.window.area.loss._lines if len(line.trace) > 1} == set(info.scalars)
    assert desk.window.explain.page.document().isEmpty() is False
    assert desk.window.notice.text == ""


@pytest.mark.parametrize(("info", "dataset"), KINDS)
def test_scrubbing_shows_one_step_everywhere(desks: Any, info: Any, dataset: str) -> None:
    desk = desks().open(info.id, dataset=dataset)
    desk.advance(3)
    last = desk.step
    for step in (1, 0, 2):
        desk.window.timeline.sought.emit(step)
        desk.until(lambda step=step: {p.step for p in desk.panels.values() if p.isVisible()} == {step})
        for panel in (*(p for p in desk.panels.values() if p.isVisible()), desk.window.area.loss):
            assert panel.step == step
        assert desk.of("sought")[-1].step == step
        desk.paint()
    desk.window.timeline.went_live.emit()
    desk.until(lambda: {p.step for p in desk.panels.values() if p.isVisible()} == {last})


def ends(knob: KnobSpec) -> tuple[Value, ...]:
    if knob.kind == "bool":
        return (not knob.default, knob.default)
    if knob.kind == "choice":
        return tuple(name for name, _title in knob.options)
    return (knob.low, knob.high)


@pytest.mark.parametrize(("info", "dataset"), KINDS)
def test_every_control_can_be_turned_to_its_ends(desks: Any, info: Any, dataset: str) -> None:
    desk = desks().open(info.id, dataset=dataset)
    desk.window.transport.set_pace(None)
    desk.advance(1)
    for knob in info.knobs:
        row = desk.window.params.shown.rows[knob.name]
        for value in (*ends(knob), row.default):
            before, runs, refused = row.value, desk.runs, len(desk.of("refused"))
            if row.slider is not None and value in (knob.low, knob.high):
                row.slider.setSliderDown(True)
                row.slider.setSliderPosition(
                    row.slider.minimum() if value == knob.low else row.slider.maximum()
                )
                row.slider.setSliderDown(False)
            else:
                desk.window.params.turn(knob.name, value)
            if not knob.live and value != before:
                desk.until(
                    lambda runs=runs, refused=refused: desk.runs > runs or len(desk.of("refused")) > refused,
                    timeout=180_000,  # umap-learn compiles itself the first time
                )
            desk.settle()
            if len(desk.of("refused")) > refused:
                assert desk.window.notice.text
                assert row.value == before
                continue
            assert row.value == value
            assert desk.window.conductor.values[knob.name] == value
            desk.paint()
        assert desk.status != "failed", desk.of("failed")
    while desk.window.params.undo_stack.canUndo():
        desk.window.params.undo_stack.undo()
    desk.settle()
    desk.paint()
    assert not desk.of("failed")


@pytest.mark.parametrize("info", EXPERIMENTS)
def test_look_and_language_change_twenty_times_while_it_learns(desks: Any, info: Any) -> None:
    desk = desks().open(info.id)
    desk.window.transport.set_pace(None)
    desk.play()
    turns = itertools.cycle(
        (desk.window.toggle_language, desk.window.toggle_theme, desk.window.toggle_projector)
    )
    for _turn in range(20):
        next(turns)()
        drain()
        desk.paint()
        if desk.status == "ended":
            desk.run(desk.window.transport.reset.emit)
            desk.window.transport.toggle()
    assert not desk.of("failed")
    assert len(desk.window.findChildren(QWidget)) < 2000


@pytest.mark.parametrize("info", EXPERIMENTS)
def test_everything_goes_when_the_window_closes(
    desks: Any, info: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desks().open(info.id)
    desk.play()
    desk.window.toggle_theme()
    desk.paint()
    parts = [desk.window, desk.window.bridge, desk.window.conductor, desk.window.area, *desk.panels.values()]
    held = [(type(part).__name__, weakref.ref(part)) for part in parts]
    engine = weakref.ref(desk.window.bridge.engine)
    desk.close()
    parts.clear()
    desk.window = None
    desk.events.clear()
    gc.collect()
    drain()
    gc.collect()
    assert [name for name, ref in held if ref() is not None] == []
    assert engine() is None


# ── no text cut off ─────────────────────────────────────────────────────────────────────────────────────────


def cut_off(root: QWidget) -> list[str]:
    """Labels and buttons on screen that have not enough room for their words."""
    found = []
    for widget in root.findChildren(QWidget):
        if not isinstance(widget, (QLabel, QPushButton, QToolButton)) or not widget.isVisible():
            continue
        text = widget.text()
        if not text:
            continue
        if isinstance(widget, ElidedLabel):
            if widget.is_cut and not widget.toolTip():
                found.append(f"elided without a tool tip: {text!r}")
            continue
        wraps = isinstance(widget, QLabel) and widget.wordWrap()
        needed = widget.heightForWidth(widget.width()) if wraps else widget.sizeHint().width()
        have = widget.height() if wraps else widget.width()
        if have < needed:
            found.append(f"{text!r}: {have} of {needed} pixels")
    return found


@pytest.mark.parametrize("code", ["en", "fr"])
@pytest.mark.parametrize("projector", [False, True], ids=["desk", "projector"])
@pytest.mark.parametrize("info", EXPERIMENTS)
def test_no_words_are_cut_off(desks: Any, info: Any, projector: bool, code: str) -> None:
    desk = desks().open(info.id)
    language.switch(code)
    look.update(projector=projector)
    resize(desk, 1280, 720)
    desk.advance(2)
    window = desk.window
    for root in (window._left, window.transport, window._header):
        assert cut_off(root) == []
    for area in (window._list_area, window._knob_area):
        assert area.widget().width() <= area.viewport().width(), "it would have to be scrolled sideways"
    bar = window.transport
    for part in (bar._buttons, bar._paces, bar._readout, bar._timeline):
        assert bar.rect().contains(part.geometry()), part
