"""What the points are coloured by: the choice, the answer, and what every panel makes of it."""

from itertools import pairwise

import numpy as np
import pytest
import shiboken6
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest

from desktop.language import language
from desktop.panels import marks, styles
from desktop.panels.scatter import ScatterPanel
from desktop.selection import Selection
from desktop.style import palettes
from desktop.style.tokens import look
from engine.api import Colours, Field, Markers, Points, Regions, Segments, _
from tests.desktop.test_scatter import LEFT, colour_at, differing, drag, move, picture, rgb, square, where

pytestmark = pytest.mark.qt_log_ignore("plugin does not support", extend=True)  # said when a list pops up

CLASS = ("class", _("class"))
MANY = [CLASS, *((f"column:{i}", f"Élan {i}") for i in range(1000))]


@pytest.fixture
def selection():
    return Selection()


@pytest.fixture
def panels(qtbot, selection):
    """Two panels of one tab."""
    look.reduce_motion = True
    made = []
    for title in ("left", "right"):
        panel = ScatterPanel(title, selection)
        qtbot.addWidget(panel)
        panel.resize(600, 460)
        panel.show()
        panel.set_colourings([CLASS, ("factor:x", "position x")])
        panel.present(square(), 1)
        picture(panel)
        made.append(panel)
    return made


@pytest.fixture
def panel(panels):
    return panels[0]


def choose(panel, name):
    """Open the list and click ``name``."""
    QTest.mouseClick(panel.colour, LEFT)
    items = panel.colour.list.items
    rows = {items.item(i).data(Qt.ItemDataRole.UserRole): items.item(i) for i in range(items.count())}
    items.scrollToItem(rows[name])
    QTest.mouseClick(items.viewport(), LEFT, pos=items.visualItemRect(rows[name]).center())


def answer(panels, name, colours):
    for panel in panels:
        panel.answered("colours", (name,), colours)


def classes(*label, names=("one", "two", "three", "four")):
    return Colours(CLASS[1], label=np.array(label, np.int32), names=names)


def values(*value, limits=(0.0, 1.0)):
    return Colours("position x", value=np.array(value, np.float32), limits=limits)


CORNERS = [(0, 0), (4, 0), (4, 4), (0, 4)]


def ramp(share):
    steps = np.linspace(0, 255, styles.STEPS).round().astype(int)
    return palettes.ramp(look.dark)[steps[round(share * (styles.STEPS - 1))]]


# ── the choice ──


def test_choosing_asks_and_the_answer_colours_every_panel(panels, selection):
    asked = []
    panels[0].ask.connect(lambda name, args: asked.append((name, args)))
    choose(panels[0], "class")
    assert asked == [("colours", ("class",))]
    assert [panel.colour.text_shown() for panel in panels] == ["Colour: class"] * 2
    assert colour_at(panels[1], 0, 0) == look.classes[0]  # as before, until the answer is there
    answer(panels, "class", classes(3, 2, 1, 0))
    for panel in panels:
        for i, corner in enumerate(CORNERS):
            assert colour_at(panel, *corner) == look.classes[3 - i]
        assert panel.canvas.legend._names == ("one", "two", "three", "four")
    choose(panels[1], "")
    assert selection.colours is None
    assert [panel.colour.text_shown() for panel in panels] == ["Colours"] * 2
    for panel in panels:
        assert colour_at(panel, 0, 0) == look.classes[0]
        assert panel.canvas.legend._names == ("a", "b", "c", "d")
    assert len(asked) == 1


def test_the_button_shows_only_when_there_is_a_choice(panel):
    panel.set_colourings([])
    assert not panel.colour.isVisible()
    panel.set_colourings([CLASS])
    assert panel.colour.isVisible()


def test_an_answer_to_a_former_choice_is_dropped(panels, selection):
    choose(panels[0], "class")
    choose(panels[0], "factor:x")
    answer(panels, "class", classes(3, 2, 1, 0))
    assert selection.colours is None
    choose(panels[0], "")
    answer(panels, "factor:x", values(0, 0, 1, 1))
    assert selection.colours is None
    assert colour_at(panels[0], 0, 0) == look.classes[0]


def test_choosing_the_same_again_asks_nothing(panel):
    choose(panel, "class")
    asked = []
    panel.ask.connect(lambda name, args: asked.append(name))
    choose(panel, "class")
    assert asked == []


def test_a_thousand_columns_are_found_by_typing(panel, qtbot):
    panel.set_colourings(MANY)
    asked = []
    panel.ask.connect(lambda name, args: asked.append((name, args)))
    QTest.mouseClick(panel.colour, LEFT)
    shown = panel.colour.list
    assert shown.search.isVisible()
    assert shown.height() < 500
    QTest.keyClicks(shown.search, "elan 77")
    seen = [i for i in range(shown.items.count()) if not shown.items.item(i).isHidden()]
    found = [f"Élan {i}" for i in range(1000) if "77" in str(i)]
    assert [shown.items.item(i).text() for i in seen] == ["as this picture does", *found]
    assert shown.items.currentItem().text() == "Élan 77"
    QTest.keyClick(shown.search, Qt.Key.Key_Down)
    QTest.keyClick(shown.search, Qt.Key.Key_Return)
    assert asked == [("colours", ("column:177",))]
    assert not shiboken6.isValid(shown) or not shown.isVisible()


def test_nothing_found_picks_nothing(panel):
    panel.set_colourings(MANY)
    QTest.mouseClick(panel.colour, LEFT)
    shown = panel.colour.list
    QTest.keyClicks(shown.search, "zzz")
    QTest.keyClick(shown.search, Qt.Key.Key_Return)
    assert panel.colour.text_shown() == "Colours"
    QTest.keyClick(shown.search, Qt.Key.Key_Escape)
    assert not shiboken6.isValid(shown) or not shown.isVisible()


def test_few_choices_need_no_search_and_the_keyboard_picks(panel, selection):
    QTest.mouseClick(panel.colour, LEFT)
    shown = panel.colour.list
    assert not shown.search.isVisible()
    QTest.keyClick(shown.items, Qt.Key.Key_Down)
    QTest.keyClick(shown.items, Qt.Key.Key_Return)
    assert selection.colouring == "class"


@pytest.mark.parametrize("size", [(260, 200), (600, 460), (1200, 800)])
@pytest.mark.parametrize("projector", [False, True])
def test_the_title_row_has_room_for_the_button(panel, size, projector, qtbot):
    look.update(projector=projector)
    panel.resize(*size)
    panel.set_colourings([("long", "a rather long name of some column of a table")])
    choose(panel, "long")
    picture(panel)
    qtbot.waitUntil(lambda: panel.colour.width() == panel.colour.sizeHint().width())
    assert panel.rect().contains(panel.colour.geometry())
    assert panel.colour.width() < 0.55 * panel.width()
    assert panel._title.width() > 20


def test_words_follow_the_language(panel, selection):
    choose(panel, "factor:x")
    before = panel.colour.grab().toImage()
    language.switch("fr")
    assert panel.colour.grab().toImage().size().height() == before.size().height()
    assert panel.colour.text_shown()


# ── labels ──


def test_lasso_legend_and_click_know_the_chosen_labels(panels, selection):
    panel = panels[0]
    choose(panel, "class")
    answer(panels, "class", classes(3, 2, 1, 0))
    selection.toggle_label(3)
    assert colour_at(panel, 0, 0) in (QColor(look.colours.plot).name(), QColor(look.colours.grid).name())
    assert colour_at(panel, 0, 4) == look.classes[0]
    QTest.mouseClick(panel.canvas, LEFT, Qt.KeyboardModifier.NoModifier, where(panel, 0, 0))
    assert selection.pin == -1
    drag(panel, *(where(panel, *c) for c in ((-0.4, -0.4), (4.4, -0.4), (4.4, 4.4), (-0.4, 4.4))))
    assert selection.items.tolist() == [1, 2, 3]
    selection.clear()
    selection.light_label(2)
    assert colour_at(panel, 4, 0) == look.classes[2]
    assert colour_at(panel, 4, 4) == QColor(look.colours.faded).name()
    legend = panel.canvas.legend
    row = QPoint(legend.width() // 2, round(look.px(4) + 1.5 * legend._row_height()))
    QTest.mouseClick(legend, LEFT, Qt.KeyboardModifier.NoModifier, row)
    QTest.mouseDClick(legend, LEFT, Qt.KeyboardModifier.NoModifier, row)
    assert selection.hidden == {0, 2, 3}


def test_what_was_hidden_is_seen_again_under_other_labels(panels, selection):
    selection.toggle_label(1)
    choose(panels[0], "class")
    answer(panels, "class", classes(3, 2, 1, 0))
    assert selection.hidden == set()
    assert colour_at(panels[0], 4, 4) == look.classes[1]


def test_blends_give_way_to_the_chosen_colours(panels, selection):
    other, share = np.array([1, 2, 3, 0], np.int32), np.full(4, 0.5, np.float32)
    panels[0].present(square(other=other, share=share), 2)
    assert colour_at(panels[0], 0, 0) not in look.classes
    choose(panels[0], "class")
    answer(panels, "class", classes(3, 2, 1, 0))
    assert colour_at(panels[0], 0, 0) == look.classes[3]


def test_a_picture_of_other_points_keeps_its_own_colours(panels, selection):
    few = Points(np.array([[0, 0], [1, 1]], np.float32), np.array([0, 1], np.int32), ("a", "b"))
    panels[1].present(few, 2)
    choose(panels[0], "class")
    answer(panels, "class", classes(3, 2, 1, 0))
    assert colour_at(panels[1], 0, 0) == look.classes[0]
    assert panels[1].canvas.legend._names == ("a", "b")
    assert colour_at(panels[0], 0, 0) == look.classes[3]
    shown = Points(few.xy, few.label, few.names, total=4)  # the first two of four items
    panels[1].present(shown, 3)
    assert colour_at(panels[1], 0, 0) == look.classes[3]


def test_the_next_step_and_a_larger_cloud_are_coloured_too(panels, selection):
    choose(panels[0], "class")
    answer(panels, "class", classes(3, 2, 1, 0))
    panels[0].present(square(), 2)
    assert colour_at(panels[0], 0, 0) == look.classes[3]
    panels[0].present(Points(np.zeros((9, 2), np.float32)), 3)
    panels[0].canvas.view.fit()
    assert colour_at(panels[0], 0, 0) == QColor(look.colours.accent).name()


# ── numbers ──


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_numbers_are_shown_on_a_ramp_with_a_bar(panels, selection, theme):
    look.update(theme=theme)
    panel = panels[0]
    choose(panel, "factor:x")
    answer(panels, "factor:x", values(0.0, 0.25, 1.0, np.nan))
    for corner, share in zip(CORNERS[:3], (0.0, 0.25, 1.0), strict=True):
        assert rgb(colour_at(panel, *corner)).tolist() == ramp(share).tolist()
    assert colour_at(panel, 0, 4) == QColor(look.colours.quiet).name()
    assert not panel.canvas.legend.isVisible()
    ((bar, plate),) = panel.canvas.bars.placed()
    assert (bar.title, bar.low, bar.high, bar.at) == ("position x", 0.0, 1.0, None)
    assert panel.canvas.rect().contains(plate.toAlignedRect().adjusted(1, 1, -1, -1))
    choose(panel, "")
    assert panel.canvas.legend.isVisible()
    assert panel.canvas.bars.placed() == []


def test_the_bar_points_at_the_number_under_the_mouse(panels, selection):
    choose(panels[0], "factor:x")
    answer(panels, "factor:x", values(0.0, 0.25, 1.0, 0.5))
    before = [picture(panel) for panel in panels][1]
    move(panels[0].canvas, where(panels[0], 4, 0))
    assert selection.hover == 1
    ((bar, plate),) = panels[1].canvas.bars.placed()
    assert bar.at == 0.25
    assert differing(picture(panels[1]).copy(plate.toRect()), before.copy(plate.toRect())) > 0


def test_a_ramp_rises_evenly_and_keeps_away_from_the_ground():
    weights = np.array([0.2126, 0.7152, 0.0722])
    for dark in (False, True):
        table = palettes.ramp(dark) / 255.0
        light = (table**2.2) @ weights
        assert (np.diff(light[::15]) > 0).all()
        ground = 0.007 if dark else 1.0
        contrast = (np.maximum(light, ground) + 0.05) / (np.minimum(light, ground) + 0.05)
        assert contrast.min() > 2.0
        assert np.ptp(light ** (1 / 3)) > 0.35
    assert styles.STEPS >= 24


def test_unselected_points_fade_and_labels_hide_nothing(panels, selection):
    choose(panels[0], "factor:x")
    answer(panels, "factor:x", values(0.0, 0.25, 1.0, 0.5))
    selection.select(np.array([1, 2], np.int32))
    assert colour_at(panels[0], 0, 0) == QColor(look.colours.faded).name()
    assert rgb(colour_at(panels[0], 4, 4)).tolist() == ramp(1.0).tolist()
    selection.clear()
    selection.toggle_label(2)
    assert rgb(colour_at(panels[0], 4, 4)).tolist() == ramp(1.0).tolist()


def test_a_selection_fades_points_over_a_map_and_not_the_map(panels, selection):
    panel = panels[0]
    layer = Field(
        np.linspace(0, 1, 40, dtype=np.float32).reshape(1, 40).repeat(40, 0), (-1.0, 5.0, -1.0, 5.0)
    )
    panel.present(square(layers=(layer,)), 2)
    before = colour_at(panel, 3, 2)
    selection.select(np.array([2], np.int32))
    assert colour_at(panel, 0, 4) == QColor(look.colours.faded).name()
    assert colour_at(panel, 4, 4) == look.classes[2]
    assert colour_at(panel, 3, 2) == before


@pytest.mark.parametrize(
    "colours",
    [
        values(np.nan, np.nan, np.nan, np.nan),
        values(1.0, 1.0, 1.0, 1.0, limits=(1.0, 1.0)),
        values(np.inf, -np.inf, 0.0, 1.0),
        values(0.0, 1.0, 2.0, 3.0, limits=(np.nan, np.inf)),
        Colours("nothing"),
        classes(-1, 50, 3, 200),
        classes(0, 1, 2, 3, names=()),
    ],
)
def test_any_colours_can_be_shown(panels, selection, colours):
    choose(panels[0], "class")
    answer(panels, "class", colours)
    for panel in panels:
        picture(panel)
        selection.set_hover(1)
        picture(panel)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_large_cloud_has_a_coarser_ramp(panels, selection, theme):
    look.update(theme=theme)
    n = 80_000
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, n).astype(np.float32)
    cloud = Points(np.stack([x, rng.uniform(-0.4, 0.4, n).astype(np.float32)], 1))
    panel = panels[0]
    panel.reset()
    panel.present(cloud, 1)
    choose(panel, "factor:x")
    answer(panels, "factor:x", Colours("x", value=x, limits=(-1.0, 1.0)))
    seen = [rgb(colour_at(panel, at, 0.0)) for at in (-0.9, -0.45, 0.0, 0.45, 0.9)]
    for colour, share in zip(seen, (0.05, 0.275, 0.5, 0.725, 0.95), strict=True):
        assert np.abs(colour - ramp(share)).max() < 75
    assert all(np.abs(a - b).sum() > 25 for a, b in pairwise(seen))
    selection.select(np.flatnonzero(x > 0).astype(np.int32))
    assert np.abs(rgb(colour_at(panel, -0.45, 0.0)) - rgb(look.colours.faded)).max() < 20


def test_a_theme_changes_the_ramp(panels, selection):
    choose(panels[0], "factor:x")
    answer(panels, "factor:x", values(0.0, 0.25, 1.0, 0.5))
    light = colour_at(panels[0], 0, 0)
    look.update(theme="dark")
    assert rgb(colour_at(panels[0], 0, 0)).tolist() == ramp(0.0).tolist()
    look.update(theme="light")
    assert colour_at(panels[0], 0, 0) == light


def test_painting_by_hand_leaves_colours_that_no_longer_fit(panels, selection):
    choose(panels[0], "class")
    answer(panels, "class", classes(3, 2, 1, 0))
    more = Points(
        np.zeros((6, 2), np.float32), np.zeros(6, np.int32), ("a", "b"), classes=np.zeros(6, np.int32)
    )
    panels[0].canvas.put_points(more)
    assert panels[0].canvas.legend._names == ("a", "b")
    picture(panels[0])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_centres_and_their_map_are_grey_while_the_points_show_something_else(panels, selection, theme):
    look.update(theme=theme)
    centre = np.array([[1, 2], [3, 2]], np.float32)
    line = Segments(centre, centre + np.float32(0.5), np.arange(2, dtype=np.int32))
    ground = Regions(np.array([[0, 1]], np.uint8), (-1.0, 5.0, -1.0, 5.0))
    for panel in panels:
        panel.present(square(layers=(ground, line, Markers(centre, None, None))), 1)
    panel, rim = panels[0], (0.7 * look.px(12), 0)

    def seen():
        image, right = picture(panel), QPoint(*map(round, rim))
        colours = [image.pixelColor(where(panel, *xy) + right).name() for xy in centre.tolist()]
        return colours, image.pixelColor(where(panel, 1.63, 3.3)).name()

    discs, tint = seen()
    assert discs == list(look.classes[:2])
    assert tint != QColor(look.colours.plot).name()
    choose(panel, "class")
    answer(panels, "class", classes(3, 2, 1, 0))
    discs, tint = seen()
    assert discs == [marks.NEUTRAL] * 2
    assert tint == QColor(look.colours.plot).name()
    choose(panel, "")
    assert seen()[0] == list(look.classes[:2])


def test_neighbours_wear_the_chosen_colours(panels, selection):
    panel = panels[0]
    choose(panel, "factor:x")
    answer(panels, "factor:x", values(0.0, 0.25, 1.0, 0.5))
    picture(panel)
    QTest.mouseClick(panel.canvas, LEFT, Qt.KeyboardModifier.NoModifier, where(panel, 0, 0))
    panel.answered("neighbours", (0,), [1, 3])
    colours = [entry.colour.name() for entry in panel.canvas.cards.near.entries]
    assert np.abs(rgb(colours[0]) - ramp(0.25)).max() < 6
    choose(panel, "")
    colours = [entry.colour.name() for entry in panel.canvas.cards.near.entries]
    assert colours == [look.classes[1], look.classes[3]]


def test_in_the_window_the_engine_finds_the_neighbours_and_esc_closes_the_list(desk):
    panel = next(p for p in desk.panels.values() if isinstance(p, ScatterPanel) and p.isVisible())
    desk.until(lambda: panel.canvas.scene.points is not None)
    desk.paint()
    canvas = panel.canvas
    places = [(i, canvas.picture.pixel(i)) for i in range(len(canvas.scene.points.xy))]
    free = [(i, p) for i, p in places if canvas.gestures.mark_at(p)[0] < 0]
    item, at = next((i, p) for i, p in free if canvas.picture.point_at(p) == i)
    desk.click(canvas, at.toPoint())
    near = canvas.cards.near
    desk.until(lambda: near.isVisible() and all(entry.item is not None for entry in near.entries))
    assert len(near.entries) == 6
    assert item not in [entry.index for entry in near.entries]
    distance = np.linalg.norm(canvas.scene.points.xy - canvas.scene.points.xy[item], axis=1)
    assert distance[[e.index for e in near.entries]].max() <= np.sort(distance)[7]
    second = near.entries[1].index
    desk.click(near, near.place(1).center().toPoint())
    desk.until(lambda: canvas.selection.pin == second and len(near.entries) == 6 and not near._waiting)
    desk.key(Qt.Key.Key_Escape)
    assert canvas.selection.pin == -1
    assert not near.isVisible()


def test_in_the_window_the_engine_answers_with_colours(desk):
    panel = next(p for p in desk.panels.values() if isinstance(p, ScatterPanel) and p.isVisible())
    panel.set_colourings(desk.started.colourings)
    desk.paint()
    selection = desk.window.area.selection
    column = next(name for name, title in desk.started.colourings if name.startswith("column:"))
    for name in (column, "group"):
        choose(panel, name)
        desk.until(lambda name=name: selection.colours is not None and selection.colouring == name)
        desk.settle()
        desk.paint()
        assert panel.canvas.colouring.chosen() is selection.colours
    assert selection.colours.label is not None
    desk.advance(2)
    desk.paint()
    assert panel.canvas.colouring.chosen() is selection.colours
    choose(panel, "")
    assert panel.canvas.colouring.chosen() is None
