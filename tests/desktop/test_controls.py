"""The controls: what a person does becomes a signal, what they are told is shown, in every look."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QApplication, QFileDialog

from desktop import language as language_module
from desktop.controls import param_panel, timeline_bar
from desktop.controls.dataset_picker import DatasetPicker
from desktop.controls.experiment_list import ExperimentList
from desktop.controls.explain import Explain, coloured, draw_formula
from desktop.controls.param_panel import ParamPanel, Scale
from desktop.controls.timeline_bar import TimelineBar
from desktop.controls.transport import EPOCH, SPEED_TICKS, Transport, pace_at
from desktop.language import language
from desktop.style import icons
from desktop.style.sheet import ICON_FOLDER, style_sheet
from desktop.style.tokens import DARK, LIGHT, look
from engine.api import Demo, Info, InputError, Source, _, check
from engine.core.params import Choice, Knob, Switch, specs

LESSONS = Path(__file__).resolve().parent.parent.parent / "assets" / "lessons"
LEFT = Qt.MouseButton.LeftButton


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    k: Annotated[int, Knob(1, 30, label=_("Clusters k"), help=_("How many centres."))] = 4
    lr: Annotated[float, Knob(1e-4, 1, "log", label=_("Learning rate"))] = 0.001
    init: Annotated[str, Choice({"a": _("a"), "b": _("b")}, live=False)] = "a"
    size: Annotated[int, Knob(1, 9, live=False)] = 3
    trails: Annotated[bool, Switch()] = True


KNOBS = specs(Params)


@pytest.fixture(autouse=True)
def plain_look(qapp):
    yield
    look.update(theme="light", scale=1.0, projector=False)
    language.switch("en")
    qapp.setStyleSheet("")


@pytest.fixture
def panel(qtbot):
    panel = ParamPanel()
    qtbot.addWidget(panel)
    panel.set_knobs(KNOBS, {})
    panel.resize(220, 400)
    panel.show()
    return panel


def heard(signal):
    said = []
    signal.connect(lambda *args: said.append(args))
    return said


# ── knobs ────────────────────────────────────────────────────────────────────────────────────────────────


def type_into(qtbot, box, text):
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, text)
    qtbot.keyClick(box, Qt.Key.Key_Return)


def test_typed_number_is_announced_with_comma_and_point(panel, qtbot):
    said = heard(panel.turned)
    type_into(qtbot, panel.rows["lr"].box, "0,02")
    type_into(qtbot, panel.rows["lr"].box, "0.03")
    assert said == [("lr", 0.02), ("lr", 0.03)]


@pytest.mark.parametrize("wrong", ["99", "2.5", "many", ""])
def test_wrong_number_says_why_and_keeps_the_former(panel, qtbot, wrong):
    said = heard(panel.turned)
    row = panel.rows["k"]
    row.box.setText(wrong)
    row.box.editingFinished.emit()
    assert said == []
    assert row.box.text() == "4"
    assert row.problem.isVisible()
    assert "Clusters k" in row.problem.text()
    type_into(qtbot, row.box, "5")
    assert not row.problem.isVisible()


def test_numbers_are_written_in_the_present_language(panel):
    language.switch("fr")
    assert panel.rows["lr"].box.text() == "0,001"
    language.switch("en")
    assert panel.rows["lr"].box.text() == "0.001"


def test_a_drag_is_announced_sparingly_and_ends_with_the_last_value(panel, qtbot, monkeypatch):
    said = heard(panel.turned)
    slider = panel.rows["k"].slider
    slider.setSliderDown(True)
    for position in range(4, 20):
        slider.setSliderPosition(position)
    assert said == [("k", 5)]  # the first at once, the rest are gathered
    with qtbot.waitSignal(panel.turned) as waited:
        pass
    assert waited.args == ["k", 20]
    slider.setSliderPosition(25)
    slider.setSliderDown(False)
    assert said[-1] == ("k", 26)
    assert not panel._timer.isActive()
    assert not panel._rest.isActive()


def test_a_knob_that_restarts_is_announced_only_when_let_go(panel):
    said = heard(panel.turned)
    slider = panel.rows["size"].slider
    slider.setSliderDown(True)
    slider.setSliderPosition(5)
    slider.setSliderPosition(7)
    assert said == []
    slider.setSliderDown(False)
    assert said == [("size", 8)]


def test_a_knob_that_restarts_waits_for_the_keys_to_rest(panel, qtbot):
    said = heard(panel.turned)
    slider = panel.rows["size"].slider
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert said == []
    with qtbot.waitSignal(panel.turned) as waited:
        pass
    assert waited.args == ["size", 5]


def test_one_drag_is_one_undo(panel):
    slider = panel.rows["k"].slider
    slider.setSliderDown(True)
    for position in (5, 6, 7):
        slider.setSliderPosition(position)
    slider.setSliderDown(False)
    slider.setSliderDown(True)
    slider.setSliderPosition(11)
    slider.setSliderDown(False)
    said = heard(panel.turned)
    panel.undo_stack.undo()
    panel.undo_stack.undo()
    assert not panel.undo_stack.canUndo()
    panel.undo_stack.redo()
    assert said == [("k", 8), ("k", 4), ("k", 8)]
    assert panel.values()["k"] == 8
    assert panel.rows["k"].box.text() == "8"


def test_from_outside_nothing_is_announced_nor_remembered(panel):
    said = heard(panel.turned)
    panel.set_value("k", 9)
    panel.set_value("unknown", 9)
    assert panel.values()["k"] == 9
    assert panel.rows["k"].slider.value() == 8
    assert said == []
    assert not panel.undo_stack.canUndo()


def test_the_hand_is_stronger_than_the_outside(panel):
    slider = panel.rows["k"].slider
    slider.setSliderDown(True)
    slider.setSliderPosition(9)
    panel.set_value("k", 4)
    assert panel.values()["k"] == 10


def test_defaults_follow_the_data_and_come_back_in_one_step(panel):
    assert not panel.rows["k"].reset_button.isVisible()
    panel.set_defaults({"k": 10})
    assert panel.rows["k"].reset_button.isVisible()
    panel.turn("trails", False)
    said = heard(panel.turned)
    panel.defaults_button.click()
    assert sorted(said) == [("k", 10), ("trails", True)]
    assert not panel.defaults_button.isEnabled()
    panel.undo_stack.undo()
    assert panel.values()["k"] == 4
    assert panel.values()["trails"] is False
    panel.rows["k"].reset_button.click()
    assert panel.values()["k"] == 10


def test_choices_and_switches(panel):
    said = heard(panel.turned)
    panel.rows["init"].choice._group.button(1).click()
    panel.rows["trails"].switch.click()
    assert said == [("init", "b"), ("trails", False)]
    panel.undo_stack.undo()
    assert panel.rows["trails"].switch.isChecked()


def test_turn_refuses_what_the_knob_refuses(panel):
    with pytest.raises(InputError):
        panel.turn("k", 1000)


def test_knobs_that_restart_carry_a_mark_and_all_have_names(panel):
    for spec in KNOBS:
        row = panel.rows[spec.name]
        assert row.mark.isVisible() == (not spec.live)
        for editor in (row.box, row.slider, row.switch, row.choice):
            if editor is not None:
                assert editor.accessibleName() == spec.label
    assert panel.rows["k"].slider.toolTip() == "How many centres."


def test_other_knobs_forget_the_former_ones(panel):
    panel.turn("k", 9)
    panel.set_knobs(KNOBS[1:2], {"lr": 0.5})
    assert panel.values() == {"lr": 0.5}
    assert not panel.undo_stack.canUndo()


@pytest.mark.parametrize("spec", [KNOBS[0], KNOBS[1], KNOBS[3]], ids=lambda spec: spec.name)
def test_every_slider_position_is_a_valid_value_and_ends_are_reached(spec):
    scale = Scale(spec)
    values = [scale.value(tick) for tick in range(scale.ticks + 1)]
    assert values[0] == spec.low
    assert values[-1] == spec.high
    assert values == sorted(values)
    assert all(param_panel.check(spec, value) == value for value in values)
    assert (
        abs(scale.tick(float(spec.default)) - scale.tick(scale.value(scale.tick(float(spec.default))))) <= 4
    )


# ── transport ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def transport(qtbot):
    bar = Transport()
    qtbot.addWidget(bar)
    timeline = TimelineBar()
    bar.set_timeline(timeline)
    bar.resize(1280, 70)
    bar.show()
    return bar


def test_the_big_button_plays_or_pauses(transport):
    played, paused = heard(transport.play), heard(transport.pause)
    transport.play_button.click()
    assert played == []  # nothing to play yet
    transport.set_status("paused")
    transport.play_button.click()
    assert len(played) == 1
    assert "Space" in transport.play_button.toolTip()
    transport.set_status("running")
    assert transport.play_button.isEnabled()
    transport.play_button.click()
    assert len(paused) == 1
    assert "Pause" in transport.play_button.toolTip()


def test_steps_of_every_size(transport):
    said = heard(transport.step)
    transport.step_now()
    assert said == []
    transport.set_status("paused")
    for index in range(transport.size_box.count()):
        transport.size_box.setCurrentIndex(index)
        transport.step_button.click()
    assert said == [(1,), (10,), (100,), (EPOCH,)]


def test_speed_goes_from_one_step_a_second_to_full(transport):
    rates = [pace_at(tick) for tick in range(SPEED_TICKS + 1)]
    assert rates[0] == 1
    assert rates[-2:] == [1000, None]
    assert rates[:-1] == sorted(rates[:-1])
    said = heard(transport.pace)
    transport.speed_slider.setValue(0)
    transport.speed_slider.setValue(SPEED_TICKS)
    assert said == [(1.0,), (None,)]
    assert transport.speed_label.text() == "full speed"
    transport.set_pace(2.0)
    assert pace_at(transport.speed_slider.value()) == 2.0


def test_slow_motion_and_the_others(transport):
    slow = heard(transport.slow_motion)
    others = [heard(signal) for signal in (transport.reset, transport.new_seed, transport.back)]
    transport.set_status("paused")
    transport.slow_button.click()
    for button in (transport.reset_button, transport.seed_button, transport.back_button):
        button.click()
    assert slow == [(True,)]
    assert [len(said) for said in others] == [1, 1, 1]


def test_where_the_run_stands(transport):
    transport.set_status("running")
    transport.set_progress(1240, 312.4, 4217, "CPU")
    assert transport.step_label.text() == "1,240"
    assert transport.device_label.text() == "CPU · seed 4217"
    assert "312" in transport.rate_label.text()
    transport.set_busy("warming up")
    assert transport.device_label.text() == "warming up"
    transport.set_busy(None)
    assert transport.device_label.text() == "CPU · seed 4217"


@pytest.mark.parametrize(
    ("width", "projector"), [(1920, False), (1280, False), (1024, False), (1280, True), (1024, True)]
)
def test_nothing_in_the_transport_overlaps_or_is_cut(transport, width, projector):
    look.update(projector=projector)
    transport.set_status("running")
    transport.set_progress(12345, 1312.4, 4217, "CPU")
    transport.resize(width, transport.sizeHint().height())
    transport.resize(width, transport.sizeHint().height())
    QApplication.processEvents()
    parts = [transport._buttons, transport._paces, transport._timeline, transport._readout]
    places = [part.geometry() for part in parts]
    assert all(transport.rect().contains(place) for place in places)
    assert not any(a.intersects(b) for i, a in enumerate(places) for b in places[:i])
    assert transport._buttons.width() >= transport._buttons.minimumSizeHint().width()
    assert transport.step_label.width() >= transport.step_label.sizeHint().width()


@pytest.mark.parametrize(("width", "high", "rows"), [(1920, 100, 0), (1280, 100, 0), (1024, 130, 1)])
def test_on_the_projector_the_transport_is_low(transport, dressed, width, high, rows):
    look.update(projector=True)
    dressed.setStyleSheet(style_sheet(look))
    transport.set_status("running")
    for step, index in ((12345, 0), (12345, 3)):
        transport.set_progress(step, 1312.4, 4217, "CPU")
        transport.size_box.setCurrentIndex(index)
        QApplication.processEvents()
        transport.resize(width, transport.sizeHint().height())
        QApplication.processEvents()
        assert transport.sizeHint().height() <= high
        assert transport._level == rows
        assert transport._timeline.width() >= 180
        assert transport.size_box.width() >= transport.size_box.sizeHint().width()
    assert transport.step_label.font().pointSizeF() >= 20


def test_a_sentence_without_room_gets_a_row_of_its_own_while_it_is_said(transport):
    look.update(projector=True)
    transport.resize(1280, transport.sizeHint().height())
    timeline = transport._timeline
    low = transport.sizeHint().height()
    timeline.show_news("a sentence that is too long for the little room above such a short track " * 3)
    QApplication.processEvents()
    assert timeline.line.isVisible()
    assert timeline.line.needed().width() > timeline.line.width()  # elided; the tool tip says it all
    assert low < transport.sizeHint().height() <= low + 60
    timeline.set_caption("a first moment whose name is also longer than the track")
    timeline.set_caption("short")
    assert timeline.line.isVisible()  # the bar does not jump from moment to moment
    timeline.set_caption("")
    assert not timeline.line.isVisible()
    assert transport.sizeHint().height() == low
    timeline.show_news("short")
    assert not timeline.line.isVisible()


def test_both_steps_are_said_while_the_past_is_looked_at(transport):
    transport.set_status("ended")
    transport.set_progress(20, None, 0, "CPU")
    wide = transport._readout.minimumWidth()
    transport.set_shown(3)
    assert transport.step_label.text() == "3 / 20"
    assert transport.step_label.toolTip() == "step 3 of 20"
    assert transport.step_button.isEnabled()
    transport.set_progress(98765, None, 0, "CPU")
    assert transport.step_label.text() == "3 / 98,765"
    assert transport._readout.minimumWidth() == wide  # else the track would move under the hand
    transport.set_shown(None)
    assert transport.step_label.text() == "98,765"
    assert not transport.step_button.isEnabled()


# ── timeline ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def timeline(qtbot):
    bar = TimelineBar()
    qtbot.addWidget(bar)
    bar.resize(600, bar.sizeHint().height())
    bar.set_span(0, 100)
    bar.show()
    return bar


def at(bar, step):
    return QPoint(round(bar._x(step)), round(bar._track()[2]))


def test_dragging_seeks_and_ends_exactly_where_let_go(timeline, qtbot):
    said = heard(timeline.sought)
    qtbot.mousePress(timeline, LEFT, pos=at(timeline, 80))
    for step in (70, 60, 50, 40):
        qtbot.mouseMove(timeline, at(timeline, step))
    qtbot.mouseRelease(timeline, LEFT, pos=at(timeline, 40))
    assert said[0] == (80,)
    assert said[-1] == (40,)
    assert len(said) <= 5
    assert not timeline._dragging


def test_the_hand_on_the_timeline_is_stronger_than_the_run(timeline, qtbot):
    qtbot.mousePress(timeline, LEFT, pos=at(timeline, 30))
    timeline.set_shown(100, True)
    timeline.set_span(0, 120)
    assert timeline._shown == 30


def test_the_chip_returns_to_now(timeline, qtbot):
    said = heard(timeline.went_live)
    timeline.set_shown(30, False)
    timeline.grab()
    qtbot.mouseClick(timeline, LEFT, pos=timeline._chip.center().toPoint())
    assert len(said) == 1
    timeline.set_shown(100, True)
    timeline.grab()
    assert timeline._chip.isEmpty()


def test_keys_on_the_timeline(timeline, qtbot):
    timeline.setFocus()
    timeline.set_shown(50, False)
    said, live = heard(timeline.sought), heard(timeline.went_live)
    qtbot.keyClick(timeline, Qt.Key.Key_Left)
    assert said == [(49,)]
    qtbot.keyClick(timeline, Qt.Key.Key_Home)
    qtbot.waitUntil(lambda: said[-1] == (0,))
    qtbot.keyClick(timeline, Qt.Key.Key_End)
    assert len(live) == 1


def test_marks_and_captions_are_painted_and_cleared(timeline):
    empty = timeline.grab().toImage()
    timeline.set_marks([(31, "k 6 → 7"), (30, "k 4 → 6")])
    marked = timeline.grab().toImage()
    assert marked != empty
    low = timeline.sizeHint().height()
    timeline.set_caption(_("assign each point to its nearest centre"))
    assert timeline.sizeHint().height() > low
    assert timeline.grab().toImage() != marked
    assert [mark.step for mark in timeline.marks] == [30, 31]
    timeline.clear()
    assert timeline.marks == ()
    assert timeline.sizeHint().height() == low


def test_news_stand_where_captions_do(timeline):
    empty, low = timeline.grab().toImage(), timeline.sizeHint().height()
    timeline.show_news("k-means has converged.")
    assert timeline.news == "k-means has converged."
    assert timeline.grab().toImage() != empty
    assert timeline.sizeHint().height() == low
    timeline.clear_news()
    assert timeline.grab().toImage() == empty
    for sentence in (timeline.clear, lambda: timeline.set_caption("assign")):
        timeline.show_news("over")
        sentence()
        assert timeline.news == ""
    assert timeline.line.text == "assign"


def test_a_moment_has_the_same_number_at_every_step(timeline):
    numbers = []
    for moment in ("assign", "update", "assign", "update"):
        timeline.set_caption(moment)
        numbers.append(timeline.line.moment)
    assert numbers == [1, 2, 1, 2]


def test_an_empty_timeline_does_nothing(qtbot):
    bar = TimelineBar()
    qtbot.addWidget(bar)
    said = heard(bar.sought)
    bar.grab()
    qtbot.mousePress(bar, LEFT, pos=QPoint(30, 20))
    qtbot.keyClick(bar, Qt.Key.Key_Left)
    assert said == []
    assert timeline_bar.SEEK_EVERY_MS >= 16


# ── lessons ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def explain(qtbot):
    pane = Explain()
    qtbot.addWidget(pane)
    pane.resize(260, 500)
    pane.show()
    return pane


def pictures(pane):
    return pane.page.document().toRawText().count("\ufffc")


@pytest.mark.parametrize("path", sorted(LESSONS.glob("*/*.md")), ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_every_lesson_has_real_formulas_and_few_words(explain, path):
    text = path.read_text(encoding="utf-8")
    explain.show_lesson(text)
    explain.finish()
    shown = explain.page.toPlainText()
    assert "$" not in shown
    assert "\\" not in shown  # no formula has been shown as its source
    assert pictures(explain) >= 4
    assert len([word for word in text.split() if any(letter.isalpha() for letter in word)]) <= 180


@pytest.mark.parametrize("path", sorted(LESSONS.glob("*/*.md")), ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_every_link_of_a_lesson_leads_somewhere(path):
    from engine.core.catalogue import find

    info = find(path.stem).info
    links = re.findall(r"\]\(latentarium:([^)]*)\)", path.read_text(encoding="utf-8"))
    assert links
    for link in links:
        verb, _slash, rest = link.partition("/")
        if verb == "demo":
            assert rest in [demo.name for demo in info.demos]
        else:
            name, _equals, value = rest.partition("=")
            assert verb == "set"
            check(info.knob(name), value)


def test_a_lesson_is_made_after_the_first_paint(explain, qtbot):
    explain.show_lesson("so $x$ it is")
    assert not explain.is_ready
    qtbot.waitUntil(lambda: explain.is_ready)
    assert pictures(explain) == 1


def test_wrong_latex_shows_its_source(explain):
    explain.show_lesson(r"here $\frac{1}{$ and $$\nonsense{$$ there")
    explain.finish()
    assert r"\frac{1}{" in explain.page.toPlainText()


def test_terms_take_the_colour_of_their_curve(explain):
    assert coloured(r"\color{c0}{x}+\textcolor{loss}{y}", {"c0": "#111111", "loss": "#222222"}) == (
        r"\textcolor{#111111}{x}+\textcolor{#222222}{y}"
    )
    formula = draw_formula(r"\textcolor{#12ab34}{x}+y", 16.0, "#000000", True)
    assert formula is not None
    assert b"#12ab34" in formula.svg
    explain.show_lesson(r"$\color{loss}{x}$", {"loss": "c1"})
    explain.finish()
    assert look.curves[1] in explain._made[0][0]


def test_inline_formulas_stand_on_the_baseline(explain):
    formula = draw_formula("x_j", 16.0, "#000000", True)
    assert formula is not None
    assert 0 < formula.depth < formula.height
    image, descent = explain._inline(formula)
    assert descent >= formula.depth
    assert image.deviceIndependentSize().height() == pytest.approx(
        formula.height + descent - formula.depth, abs=1
    )


def test_a_lesson_follows_theme_and_size(explain):
    explain.show_lesson("$x$")
    explain.finish()
    before = explain._made[0]
    look.update(theme="dark", scale=2.0)
    assert not explain.is_ready
    explain.finish()
    after = explain._made[0]
    assert after[1] == pytest.approx(2 * before[1])
    assert after[2] == DARK.text


def test_only_our_own_links_are_followed(explain):
    explain.show_lesson("[do it](latentarium:set/init=kmeans++) [elsewhere](https://example.org)")
    explain.finish()
    said = heard(explain.link)
    explain.page.anchorClicked.emit("https://example.org")
    explain.page.anchorClicked.emit("latentarium:set/init=kmeans++")
    assert said == [("latentarium:set/init=kmeans++",)]
    assert "latentarium:set/init=kmeans++" in explain.page.toHtml()


def test_folding(explain):
    said = heard(explain.fold_changed)
    explain.fold_button.click()
    assert explain.folded
    assert not explain.page.isVisible()
    assert explain.maximumWidth() <= 36
    look.update(projector=True)
    assert explain.fold_button.width() <= explain.maximumWidth() <= 36
    explain.fold_button.click()
    assert said == [(True,), (False,)]
    assert explain.page.isVisible()


def test_markup_in_a_lesson_is_not_obeyed(explain):
    explain.show_lesson("<img src='file:///etc/passwd'> <b>x</b>")
    explain.finish()
    assert "<b>" in explain.page.toPlainText()


# ── experiments and data ─────────────────────────────────────────────────────────────────────────────────


def info(name, demos=()):
    values = dict.fromkeys(Info.__dataclass_fields__, ())
    return Info(
        **values
        | {"id": name, "title": _("Title of " + name), "question": _("Why?"), "topic": "t", "demos": demos}
        | {"channels": {}, "scalars": {}, "presets": {}}
    )


STUCK = Demo("stuck", _("Stuck"), _("Will it get out?"), "blobs")


@pytest.fixture
def experiments(qtbot):
    shown = ExperimentList()
    qtbot.addWidget(shown)
    shown.set_experiments([info("kmeans", (STUCK,)), info("pca")])
    shown.resize(210, 300)
    shown.show()
    return shown


def test_choosing_an_experiment_and_a_demo(experiments, qtbot):
    chosen, demos = heard(experiments.chosen), heard(experiments.demo_chosen)
    assert [card.key for card in experiments.cards()] == ["kmeans", "kmeans/stuck", "pca"]
    experiments.cards()[0].click()
    assert chosen == []  # it is the chosen one already
    assert experiments.cards()[0].isChecked()
    experiments.cards()[1].click()
    assert demos == [("kmeans", "stuck")]
    assert experiments.current_demo == ("kmeans", "stuck")
    experiments.cards()[2].click()
    assert chosen == [("pca",)]
    assert [card.key for card in experiments.cards()] == ["kmeans", "pca"]
    experiments.set_current("kmeans")
    assert chosen == [("pca",)]


def test_demos_show_their_question_where_there_is_room_or_when_chosen(experiments):
    experiments.window().resize(210, 700)
    demo = experiments.cards()[1]
    low = demo.height()
    demo.click()
    assert demo.height() > low
    experiments.cards()[2].click()
    experiments.set_current("kmeans")
    assert experiments.cards()[1].needed_height(200) < demo.needed_height(200)
    experiments.window().resize(210, 1000)
    assert experiments.cards()[1].needed_height(200) == demo.needed_height(200)


def test_in_a_tight_window_one_click_unfolds_the_others_and_the_demos(experiments):
    def seen():
        return [card.key for card in experiments.cards() if not card.isHidden()]

    first = experiments.cards()[0]
    assert seen() == ["kmeans"]
    folded = first.grab().toImage()
    assert "unfold" in first.toolTip()
    first.click()
    assert seen() == ["kmeans", "kmeans/stuck", "pca"]
    assert first.grab().toImage() != folded  # the chevron has turned
    experiments.cards()[1].click()
    assert seen() == ["kmeans", "kmeans/stuck"]  # the demo that runs stays in sight
    experiments.resize(210, 1000)
    assert seen() == ["kmeans", "kmeans/stuck", "pca"]
    assert "unfold" not in first.toolTip()


def test_the_list_walks_by_keys(experiments, qtbot):
    chosen = heard(experiments.chosen)
    experiments.cards()[0].setFocus()
    qtbot.keyClick(experiments.cards()[0], Qt.Key.Key_Down)
    qtbot.keyClick(experiments.cards()[1], Qt.Key.Key_End)
    qtbot.keyClick(experiments.cards()[2], Qt.Key.Key_Return)
    assert chosen == [("pca",)]


def test_cards_are_as_high_as_their_words(experiments, qtbot):
    card = experiments.cards()[0]
    experiments.resize(500, 700)
    qtbot.waitUntil(lambda: card.width() > 300)
    low = card.height()
    card.set_question("a question with so many words that it does not fit into a single line " * 3)
    assert card.height() > low
    experiments.resize(160, 700)
    qtbot.waitUntil(lambda: card.width() < 200)
    assert card.height() == card.needed_height(card.width()) > low


SOURCES = [
    Source("blobs", _("Blobs"), _("Round clouds"), "points", lambda seed, folder: None),
    Source("moons", _("Moons"), _("Two crescents"), "points", lambda seed, folder: None),
    Source("mnist", _("MNIST"), _("Handwritten digits"), "images", lambda seed, folder: None, True),
]


@pytest.fixture
def picker(qtbot):
    picker = DatasetPicker()
    qtbot.addWidget(picker)
    picker.set_sources(SOURCES, "blobs")
    picker.show()
    return picker


def test_choosing_data(picker):
    said = heard(picker.chosen)
    picker.combo.setCurrentIndex(1)
    picker.combo.activated.emit(1)
    assert said == [("moons",)]
    picker.set_note("1,797 images · showing all")
    assert picker.note.isVisible()
    picker.set_current("blobs")
    assert said == [("moons",)]
    assert picker.combo.currentIndex() == 0


def test_data_that_needs_a_folder_waits_for_it(picker, monkeypatch, tmp_path):
    said, folders = heard(picker.chosen), heard(picker.folder_chosen)
    assert not picker.folder_button.isVisible()
    picker.combo.setCurrentIndex(2)
    picker.combo.activated.emit(2)
    assert said == []
    assert picker.folder_button.isVisible()
    assert "folder" in picker.note.text()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *args: str(tmp_path))
    picker.folder_button.click()
    assert folders == [(tmp_path,)]
    assert said == [("mnist",)]
    assert picker.current == "mnist"


def test_a_known_folder_is_enough(picker, tmp_path):
    said = heard(picker.chosen)
    picker.set_folder(tmp_path)
    picker.combo.setCurrentIndex(2)
    picker.combo.activated.emit(2)
    assert said == [("mnist",)]


# ── look and language ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", sorted(icons.SHAPES))
def test_every_icon_draws_something(qapp, name):
    image = icons.pixmap(name, "text", 24).toImage()
    inked = sum(image.pixelColor(x, y).alpha() > 100 for x in range(24) for y in range(24))
    assert 10 < inked < 500


def test_icons_follow_theme_and_scale(qtbot):
    bar = Transport()
    qtbot.addWidget(bar)
    before = bar.reset_button.icon().pixmap(bar.reset_button.iconSize()).toImage()
    size = bar.reset_button.width()
    look.update(theme="dark", scale=2.0)
    assert bar.reset_button.width() == pytest.approx(1.5 * size, abs=2)  # icons grow half as fast as text
    assert bar.reset_button.icon().pixmap(bar.reset_button.iconSize()).toImage() != before


def test_the_sheet_is_complete_and_names_existing_files(qapp):
    for theme, colours in (("light", LIGHT), ("dark", DARK)):
        look.update(theme=theme)
        sheet = style_sheet(look)
        assert sheet.count("{") == sheet.count("}")
        assert colours.accent in sheet
        for part in sheet.split('url("')[1:]:
            assert Path(part.split('"')[0]).exists()
        qapp.setStyleSheet(sheet)
        tick = (ICON_FOLDER / f"tick-{theme}.svg").read_text()
        assert colours.on_accent in tick


def test_everything_is_said_again_in_another_language(qtbot, panel, transport, explain, monkeypatch):
    said = {
        "Knobs": "Réglages",
        "full speed": "pleine vitesse",
        "Slow motion": "Ralenti",
        "Clusters k": "Groupes k",
    }
    monkeypatch.setattr(
        language_module, "_catalogue", lambda code: lambda message: said.get(message, message)
    )
    language.switch("fr")
    assert panel._heading.text() == "Réglages"
    assert panel.rows["k"].label.text() == "Groupes k"
    assert transport.speed_label.text() == "pleine vitesse"
    assert transport.slow_button.text() == "Ralenti"


def test_the_controls_load_nothing_heavy():
    modules = ["param_panel", "transport", "timeline_bar", "explain", "experiment_list", "dataset_picker"]
    program = "import sys\n" + "".join(f"import desktop.controls.{name}\n" for name in modules)
    program += "heavy = {'numpy', 'pyqtgraph', 'torch', 'markdown_it', 'ziamath'} & set(sys.modules)\n"
    program += "assert not heavy, heavy"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=LESSONS.parent.parent)


def test_nothing_shows_itself_before_it_has_a_place(qtbot):
    before = set(QApplication.topLevelWidgets())
    panel = ParamPanel()
    qtbot.addWidget(panel)
    panel.set_knobs(KNOBS, {})
    picker = DatasetPicker()
    qtbot.addWidget(picker)
    picker.set_sources(SOURCES, "mnist")
    experiments = ExperimentList()
    qtbot.addWidget(experiments)
    experiments.set_experiments([info("kmeans", (STUCK,))])
    assert [w for w in set(QApplication.topLevelWidgets()) - before if w.isVisible()] == []


def test_sliders_jump_to_the_click_and_ignore_the_wheel_without_focus(panel, qtbot):
    from PySide6.QtGui import QWheelEvent

    slider = panel.rows["k"].slider
    qtbot.mousePress(slider, LEFT, pos=QPoint(round(slider._x(20)), slider.height() // 2))
    qtbot.mouseRelease(slider, LEFT)
    assert panel.values()["k"] == 21
    slider.clearFocus()
    wheel = QWheelEvent(
        QPointF(5, 5), QPointF(5, 5), QPoint(0, 0), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(slider, wheel)
    assert panel.values()["k"] == 21
