import gc
import weakref

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop.language import language
from desktop.panels import axes, field, marks, styles
from desktop.panels.picture import Picture
from desktop.panels.scatter import ScatterPanel
from desktop.selection import Selection
from desktop.style.tokens import look
from engine.api import Arrows, Ellipses, Field, Item, Markers, Points, Regions, Segments

RNG = np.random.default_rng(3)
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(autouse=True)
def desk():
    yield
    look.reduce_motion = False
    look.update(theme="light", scale=1.0, projector=False)
    language.switch("en")


@pytest.fixture
def selection():
    return Selection()


@pytest.fixture
def panel(qtbot, selection):
    look.reduce_motion = True
    panel = ScatterPanel("Where each point landed", selection)
    qtbot.addWidget(panel)
    panel.resize(600, 460)
    panel.show()
    return panel


def square(label=(0, 1, 2, 3), **more):
    """Four points at the corners of a square."""
    xy = np.array([[0, 0], [4, 0], [4, 4], [0, 4]], np.float32)
    return Points(xy, np.array(label, np.int32), ("a", "b", "c", "d"), **more)


def layers(k=3):
    """Every kind of layer."""
    centres = RNG.normal(size=(k, 2)).astype(np.float32)
    trail = RNG.normal(size=(5, k, 2)).astype(np.float32)
    return (
        Regions(RNG.integers(0, k, (20, 30)).astype(np.uint8), (-3.0, 3.0, -2.0, 2.0)),
        Field(RNG.normal(size=(20, 30)).astype(np.float32), (-3.0, 3.0, -2.0, 2.0), signed=True, name="s"),
        Ellipses(centres, RNG.normal(size=(k, 2, 2)).astype(np.float32), None, strength=RNG.random(k)),
        Segments(centres, centres + 1, None),
        Segments(centres, centres - 1, np.arange(k, dtype=np.int32)),
        Markers(centres, trail, None, movable=True),
        Arrows(centres * 0, centres, ("PC 1", "PC 2")),
    )


def picture(panel):
    image = panel.canvas.grab().toImage()
    assert not image.isNull()
    return image


def differing(a, b):
    """Share of the bytes that differ."""
    first, second = (np.frombuffer(image.constBits(), np.uint8) for image in (a, b))
    return (first != second).mean() if a.size() == b.size() else 1.0


def where(panel, x, y):
    return QPointF(*panel.canvas.view.plane.to_pixel(x, y)).toPoint()


def colour_at(panel, x, y):
    return picture(panel).pixelColor(where(panel, x, y)).name()


def drag(panel, *path, button=LEFT, modifier=Qt.KeyboardModifier.NoModifier):
    canvas = panel.canvas
    QTest.mousePress(canvas, button, modifier, path[0])
    for at in path[1:]:
        move(canvas, at, button, modifier)
    QTest.mouseRelease(canvas, button, modifier, path[-1])


def move(canvas, at, button=Qt.MouseButton.NoButton, modifier=Qt.KeyboardModifier.NoModifier):
    """Offscreen the cursor does not move by itself: hand the event over."""
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QMouseEvent

    event = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(at),
        canvas.mapToGlobal(QPointF(at)),
        Qt.MouseButton.NoButton,
        button,
        modifier,
    )
    QApplication.sendEvent(canvas, event)


def turn(canvas, at, delta):
    none = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase
    QApplication.sendEvent(
        canvas,
        QWheelEvent(QPointF(at), canvas.mapToGlobal(QPointF(at)), QPoint(), QPoint(0, delta), *none, False),
    )


STRANGE = {
    "none": np.empty((0, 2)),
    "one": np.zeros((1, 2)),
    "two": np.array([[0, 0], [1, 1]]),
    "same": np.full((50, 2), 7.0),
    "same, far": np.full((50, 2), 1e12),
    "tiny": RNG.normal(size=(60, 2)) * 1e-12,
    "huge": RNG.normal(size=(60, 2)) * 1e12,
    "beyond": RNG.normal(size=(60, 2)) * 1e38,
    "not numbers": np.full((9, 2), np.nan),
    "some not numbers": np.where(RNG.random((200, 2)) < 0.3, np.nan, RNG.normal(size=(200, 2))),
    "infinite": np.where(RNG.random((200, 2)) < 0.3, np.inf, RNG.normal(size=(200, 2))),
    "line": np.stack([np.arange(100.0), np.zeros(100)], 1),
    "many": RNG.normal(size=(60_000, 2)),
    "crowd": RNG.normal(size=(300_000, 2)),
}


@pytest.mark.parametrize("name", STRANGE)
@pytest.mark.parametrize("equal", [True, False])
def test_any_cloud_can_be_drawn(panel, name, equal):
    with np.errstate(all="ignore"):
        xy = STRANGE[name].astype(np.float32)
    label = (np.arange(len(xy)) % 13 - 1).astype(np.int32)
    panel.present(Points(xy, label, ("a", "b"), layers(), ("x", "y"), equal), 1)
    picture(panel)
    turn(panel.canvas, QPoint(200, 200), 120)
    move(panel.canvas, QPoint(210, 190))
    picture(panel)
    panel.present(Points(xy[::-1].copy(), None, (), (), ("x", "y"), equal), 2)
    picture(panel)


@pytest.mark.parametrize("size", [(80, 60), (200, 150), (1400, 300), (300, 900)])
@pytest.mark.parametrize("projector", [False, True])
def test_any_size(panel, size, projector):
    look.update(projector=projector)
    panel.resize(*size)
    panel.present(square(layers=layers()), 1)
    panel.answered("item", None, Item(1, "seven", (("loss", 0.5),), np.ones((8, 8, 3), np.float32)))
    panel._canvas.selection.set_pin(1)
    picture(panel)


def test_points_have_the_colour_of_their_class(panel):
    panel.present(square(), 1)
    for label, (x, y) in enumerate([(0, 0), (4, 0), (4, 4), (0, 4)]):
        assert colour_at(panel, x, y) == look.classes[label]


def test_without_labels_points_have_the_accent_and_minus_one_is_grey(panel):
    panel.present(Points(square().xy), 1)
    assert colour_at(panel, 4, 0) == QColor(look.colours.accent).name()
    panel.present(square((-1, 1, 2, 3)), 2)
    assert colour_at(panel, 0, 0) == QColor(look.colours.quiet).name()


def test_equal_units(panel):
    panel.present(square(), 1)
    picture(panel)
    assert panel.canvas.view.plane.scale[0] == panel.canvas.view.plane.scale[1]
    panel.present(square(equal=False), 1)
    panel.canvas.view.fit()
    picture(panel)
    assert panel.canvas.view.plane.scale[0] != panel.canvas.view.plane.scale[1]


def test_the_view_stands_still_while_points_move_and_follows_when_they_leave(panel):
    panel.present(square(), 1)
    picture(panel)
    before = panel.canvas.view.plane.extent
    moved = square()
    panel.present(Points(moved.xy * np.float32(0.5), moved.label, moved.names), 2)
    picture(panel)
    assert panel.canvas.view.plane.extent == before
    panel.present(Points(moved.xy * np.float32(5), moved.label, moved.names), 3)
    picture(panel)
    assert panel.canvas.view.plane.extent[1] > 20
    panel.reset()
    panel.present(square(), 0)
    picture(panel)
    assert panel.canvas.view.plane.extent == pytest.approx(before)


def test_the_view_glides_and_arrives(panel, qtbot):
    look.reduce_motion = False
    panel.present(square(), 1)
    picture(panel)
    far = square()
    panel.present(Points(far.xy * np.float32(5), far.label, far.names), 3)
    picture(panel)
    qtbot.waitUntil(lambda: panel.canvas.view.plane.extent[1] > 20 and panel.canvas.scene.before is None)
    picture(panel)
    assert colour_at(panel, 20, 0) == look.classes[1]


def test_wheel_pan_and_fit(panel):
    panel.present(square(), 1)
    picture(panel)
    canvas, before = panel.canvas, panel.canvas.view.plane.extent
    at = where(panel, 4, 4)
    turn(canvas, at, 240)
    assert canvas.view.plane.extent[1] - canvas.view.plane.extent[0] < before[1] - before[0]
    assert (where(panel, 4, 4) - at).manhattanLength() <= 2
    drag(panel, at, at + QPoint(30, 20), button=Qt.MouseButton.MiddleButton)
    assert (where(panel, 4, 4) - at - QPoint(30, 20)).manhattanLength() <= 2
    drag(panel, at, at + QPoint(-30, -20), modifier=Qt.KeyboardModifier.ControlModifier)
    assert (where(panel, 4, 4) - at).manhattanLength() <= 2
    picture(panel)
    QTest.keyClick(canvas, Qt.Key.Key_Home)
    assert canvas.view.plane.extent == pytest.approx(before)
    turn(canvas, at, -240)
    QTest.mouseDClick(canvas, LEFT, Qt.KeyboardModifier.NoModifier, where(panel, 2, 2))
    assert canvas.view.plane.extent == pytest.approx(before)


def test_keys_of_the_window_are_left_to_it(panel, qtbot):
    panel.present(square(), 1)
    seen = []
    panel.keyPressEvent = lambda event: seen.append(event.key())
    for key in (Qt.Key.Key_Space, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Escape):
        QTest.keyClick(panel.canvas, key)
    assert len(seen) == 4


@pytest.mark.parametrize("modifier", [Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier])
def test_lasso_and_box_choose_what_they_enclose(panel, selection, modifier):
    panel.present(square(), 1)
    picture(panel)
    corner, other = where(panel, 3, -0.3), where(panel, 4.3, 4.3)
    path = [corner, QPoint(other.x(), corner.y()), other, QPoint(corner.x(), other.y()), corner]
    drag(panel, *(path if modifier == Qt.KeyboardModifier.NoModifier else [corner, other]), modifier=modifier)
    assert selection.items is not None
    assert selection.items.tolist() == [1, 2]
    assert selection.items.dtype == np.int32
    assert colour_at(panel, 4, 0) == look.classes[1]
    assert colour_at(panel, 0, 0) == QColor(look.colours.faded).name()  # grey, but there
    selection.clear()
    assert colour_at(panel, 0, 0) == look.classes[0]


def test_click_pins_and_asks_for_neighbours(panel, selection, qtbot):
    panel.present(square(), 1)
    picture(panel)
    asked = []
    panel.ask.connect(lambda name, args: asked.append((name, args)))
    QTest.mouseClick(panel.canvas, LEFT, Qt.KeyboardModifier.NoModifier, where(panel, 4, 0) + QPoint(5, 4))
    assert selection.pin == 1
    assert sorted(asked) == [("item", (1,)), ("neighbours", (1,))]
    panel.answered("neighbours", None, np.array([2, 3, 99]))
    assert selection.neighbours == (2, 3, 99)
    panel.answered("item", None, Item(1, "seven", (("loss", 0.5),), np.zeros((28, 28), np.float32)))
    before = picture(panel)
    QTest.mouseClick(panel.canvas, LEFT, Qt.KeyboardModifier.NoModifier, where(panel, 2, 2))
    assert selection.pin == -1
    assert picture(panel) != before


def test_hover_tells_and_asks_once(panel, selection, qtbot):
    panel.present(square(), 1)
    picture(panel)
    asked = []
    panel.ask.connect(lambda name, args: asked.append((name, args)))
    move(panel.canvas, where(panel, 4, 4) + QPoint(6, 3))
    assert selection.hover == 2
    assert asked == [("item", (2,))]
    panel.answered("item", None, Item(2, "three", (), None))
    move(panel.canvas, where(panel, 2, 2))
    qtbot.waitUntil(lambda: selection.hover == -1)
    move(panel.canvas, where(panel, 4, 4))
    qtbot.waitUntil(lambda: selection.hover == 2)
    assert asked == [("item", (2,))]
    panel.reset()
    panel.present(square(), 0)
    picture(panel)
    selection.set_hover(-1)
    qtbot.wait(40)
    move(panel.canvas, where(panel, 4, 4))
    qtbot.waitUntil(lambda: len(asked) == 2)  # another run, another picture


def test_hover_from_elsewhere_draws_a_ring(panel, selection):
    panel.present(square(), 1)
    before = picture(panel)
    selection.set_hover(2)
    assert picture(panel) != before
    selection.set_hover(-1)
    assert picture(panel) == before
    selection.set_hover(12345)  # an item that is not shown
    assert picture(panel) == before


def test_hidden_classes_are_hidden_and_cannot_be_touched(panel, selection):
    panel.present(square(), 1)
    picture(panel)
    selection.toggle_label(1)
    assert colour_at(panel, 4, 0) in (QColor(look.colours.plot).name(), QColor(look.colours.grid).name())
    QTest.mouseClick(panel.canvas, LEFT, Qt.KeyboardModifier.NoModifier, where(panel, 4, 0))
    assert selection.pin == -1
    corners = [where(panel, *c) for c in ((-0.4, -0.4), (4.4, -0.4), (4.4, 4.4), (-0.4, 4.4))]
    drag(panel, *corners)
    assert selection.items is not None
    assert selection.items.tolist() == [0, 2, 3]


def test_legend_lights_hides_and_solos(panel, selection):
    panel.present(square(), 1)
    picture(panel)
    legend = panel.canvas.legend
    assert legend.isVisible()
    row = [
        QPoint(legend.width() // 2, round(look.px(4) + (i + 0.5) * legend._row_height())) for i in range(4)
    ]
    move(legend, row[2])
    assert selection.lit == 2
    assert colour_at(panel, 0, 0) == QColor(look.colours.faded).name()
    QTest.mouseClick(legend, LEFT, Qt.KeyboardModifier.NoModifier, row[1])
    assert selection.hidden == {1}
    QTest.mouseClick(legend, LEFT, Qt.KeyboardModifier.NoModifier, row[1])
    assert selection.hidden == set()
    QTest.mouseClick(
        legend, LEFT, Qt.KeyboardModifier.NoModifier, row[3]
    )  # a double click starts with a click
    QTest.mouseDClick(legend, LEFT, Qt.KeyboardModifier.NoModifier, row[3])
    assert selection.hidden == {0, 1, 2}
    move(legend, QPoint(legend.width() // 2, legend.height() - 1))
    panel.present(Points(square().xy), 2)
    assert not legend.isVisible()
    assert selection.lit is None


def test_legend_with_many_names_scrolls(panel, selection):
    xy = RNG.normal(size=(200, 2)).astype(np.float32)
    label = (np.arange(200) % 40).astype(np.int32)
    panel.present(Points(xy, label, tuple(f"a rather long name {i}" for i in range(40))), 1)
    before = picture(panel)
    legend = panel.canvas.legend
    assert legend._shown() <= 12
    for _ in range(60):
        turn(legend, QPoint(5, 20), -120)
    assert legend._first + legend._shown() == 40
    assert picture(panel) != before


def test_centres_are_dragged_and_placed(panel, qtbot):
    centres = np.array([[1, 1], [3, 3]], np.float32)
    payload = square(layers=(Markers(centres, None, None, movable=True),))
    panel.present(payload, 1)
    picture(panel)
    done = []
    panel.act.connect(lambda name, args: done.append((name, args)))
    start, end = where(panel, 3, 3), where(panel, 3, 1)
    QTest.mousePress(panel.canvas, LEFT, Qt.KeyboardModifier.NoModifier, start)
    for i in range(1, 21):
        move(panel.canvas, start + (end - start) * i / 20, LEFT)
    panel.present(payload, 2)  # the run goes on meanwhile, the mark stays in the hand
    assert panel.canvas.scene.marks_xy(0)[1] == pytest.approx((3, 1), abs=0.05)
    assert 1 <= len(done) < 15
    QTest.mouseRelease(panel.canvas, LEFT, Qt.KeyboardModifier.NoModifier, end)
    name, args = done[-1]
    assert name == "move"
    assert args == pytest.approx((1, 3, 1), abs=0.05)
    assert isinstance(args[0], int)
    panel.present(payload, 3)
    assert panel.canvas.scene.marks_xy(0)[1].tolist() == [3, 3]
    QTest.mouseDClick(panel.canvas, LEFT, Qt.KeyboardModifier.NoModifier, where(panel, 2, 0.5))
    name, args = done[-1]
    assert name == "place"
    assert args == pytest.approx((2, 0.5), abs=0.05)


def test_points_glide_when_steps_are_slow(panel, qtbot):
    look.reduce_motion = False
    panel.present(square(), 1)
    picture(panel)
    panel.canvas.scene.arrived -= 1
    other = square()
    panel.present(Points(other.xy[::-1].copy(), other.label, other.names), 2)
    assert panel.canvas.scene.xy()[0].tolist() == [0, 0]
    qtbot.waitUntil(lambda: panel.canvas.scene.before is None)
    assert panel.canvas.scene.xy()[0].tolist() == [0, 4]
    assert colour_at(panel, 0, 4) == look.classes[0]
    panel.present(square(), 3)  # soon after: at once
    panel.present(other, 4)
    assert panel.canvas.scene.before is None


def test_says_when_only_some_are_shown(panel):
    panel.present(square(total=60_000), 7)
    assert panel._aside.text() == "showing 4 of 60,000 · step 7"
    panel.present(square(total=4), 8)
    assert panel._aside.text() == "step 8"


def test_twenty_themes_leave_no_stale_colour(panel, selection):
    panel.present(square(layers=layers()), 1)
    look.update(theme="light")
    first = picture(panel)
    for i in range(20):
        look.update(theme="dark" if i % 2 == 0 else "light", projector=i % 3 == 0)
        picture(panel)
    look.update(theme="light", projector=False)
    assert differing(picture(panel), first) < 0.003  # the rims of outlined letters are not always the same


def test_nothing_is_drawn_twice_or_out_of_sight(panel, monkeypatch):
    panel.present(square(), 1)
    picture(panel)
    count = []
    draw = Picture.draw
    monkeypatch.setattr(Picture, "draw", lambda self, ratio: (count.append(1), draw(self, ratio)))
    picture(panel)
    panel.canvas.selection.set_hover(1)
    picture(panel)
    assert count == []
    panel.hide()
    for step in range(5):
        panel.present(square(), step)
    assert count == []
    panel.show()
    picture(panel)
    assert count == [1]


def test_clear_draws_nothing(panel):
    panel.present(square(), 1)
    panel.reset()
    image = picture(panel)
    assert {image.pixelColor(x, y).name() for x in range(0, 500, 7) for y in range(0, 300, 7)} == {
        QColor(look.colours.surface).name()
    }


def test_selection_of_other_items_does_not_hurt(panel, selection):
    panel.present(square(), 1)
    selection.select(np.array([1, 70_000], np.int32))
    selection.set_pin(70_000)
    selection.set_neighbours((1, 80_000, -1))
    picture(panel)
    assert colour_at(panel, 4, 0) == look.classes[1]
    selection.select(np.array([70_000], np.int32))
    assert colour_at(panel, 4, 0) == QColor(look.colours.faded).name()


def test_closing_frees_the_panel(qtbot):
    panel = ScatterPanel("p", Selection())
    panel.present(square(layers=layers()), 1)
    panel.grab()
    canvas = weakref.ref(panel.canvas)
    panel.close()
    panel.deleteLater()
    del panel
    QApplication.sendPostedEvents(None, 52)  # DeferredDelete
    gc.collect()
    import shiboken6

    assert canvas() is None or not shiboken6.isValid(canvas())


# ── a map under the points ──────────────────────────────────────────────────────────────────────────────────


def rgb(colour):
    return np.array(QColor(colour).getRgb()[:3])


def hill(**more):
    """A map that rises to the right, from 0 to 1, under two points outside it."""
    value = np.tile(np.linspace(0, 1, 41, dtype=np.float32), (21, 1))
    xy = np.array([[-6, 0], [6, 0]], np.float32)
    return Points(xy, None, (), (Field(value, (-5.0, 5.0, -2.5, 2.5), **more),))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_map_begins_at_the_ground_and_grows_away_from_it(panel, theme):
    look.update(theme=theme)
    panel.present(hill(), 1)
    ground = rgb(look.colours.plot)
    away = [np.abs(rgb(colour_at(panel, x, 0)) - ground).sum() for x in (-4.6, -3, -1, 1, 3, 4.5)]
    assert away[0] < 45
    assert away == sorted(away)
    assert away[-1] > 150


def test_a_map_is_smooth_and_lies_in_its_extent(panel):
    value = np.zeros((2, 2), np.float32)
    value[1, 1] = 1  # the upper right quarter
    xy = np.array([[-4, -4], [4, 4]], np.float32)
    panel.present(Points(xy, None, (), (Field(value, (-2.0, 2.0, -2.0, 2.0)),)), 1)
    ground = rgb(look.colours.plot)
    strength = {
        at: np.abs(rgb(colour_at(panel, *at)) - ground).sum()
        for at in ((1, 1), (0, 1), (-1, 1), (1, -1), (3, 3))
    }
    assert strength[1, 1] > strength[0, 1] > strength[-1, 1] + 10
    assert strength[1, -1] == strength[-1, 1] == strength[3, 3] == 0


def test_a_signed_map_has_two_colours_and_the_ground_at_zero(panel):
    payload = hill(signed=True, limits=(-0.2, 1.0))
    value = payload.layers[0].value
    value -= 0.5
    panel.present(payload, 1)
    left, middle, right = (rgb(colour_at(panel, x, 0)) for x in (-4, 0, 4))
    assert left[2] > left[0] + 10  # blue
    assert right[0] > right[2] + 10  # orange
    assert np.abs(middle - rgb(look.colours.plot)).max() <= 4
    assert field.limits(payload.layers[0]) == (-1.0, 1.0)


def test_limits_of_a_map_hold_from_step_to_step(panel):
    panel.present(hill(limits=(0.0, 10.0)), 1)
    faint = np.abs(rgb(colour_at(panel, 4.5, 0)) - rgb(look.colours.plot)).sum()
    panel.present(hill(), 2)
    assert np.abs(rgb(colour_at(panel, 4.5, 0)) - rgb(look.colours.plot)).sum() > 2 * faint


BAD_MAPS = {
    "nothing": (np.empty((0, 3)), (0.0, 1.0, 0.0, 1.0)),
    "no numbers": (np.full((4, 4), np.nan), (0.0, 1.0, 0.0, 1.0)),
    "infinite": (np.full((4, 4), np.inf), (0.0, 1.0, 0.0, 1.0)),
    "some": (np.where(RNG.random((9, 9)) < 0.3, np.nan, 1.0), (0.0, 1.0, 0.0, 1.0)),
    "flat": (np.full((4, 4), 7.0), (0.0, 1.0, 0.0, 1.0)),
    "a line": (np.zeros(5), (0.0, 1.0, 0.0, 1.0)),
    "no extent": (np.zeros((4, 4)), (1.0, 1.0, 0.0, 1.0)),
    "no place": (np.zeros((4, 4)), (np.nan, 1.0, 0.0, 1.0)),
    "huge": (RNG.normal(size=(4, 4)) * 1e30, (-1e30, 1e30, -1e30, 1e30)),
}


@pytest.mark.parametrize("name", BAD_MAPS)
@pytest.mark.parametrize("signed", [False, True])
def test_any_map_can_be_drawn(panel, name, signed):
    value, where_ = BAD_MAPS[name]
    panel.present(square(layers=(Field(value.astype(np.float32), where_, signed=signed, name="f"),)), 1)
    picture(panel)
    assert colour_at(panel, 4, 4) == look.classes[2]


def test_the_bar_of_a_map_has_its_corner_when_there_is_room(panel):
    panel.present(hill(name="density"), 1)
    picture(panel)
    ((bar, plate),) = panel.canvas.bars.placed()
    assert (bar.title, bar.low, bar.high) == ("density", 0.0, 1.0)
    assert panel.canvas.rect().contains(plate.toAlignedRect().adjusted(1, 1, -1, -1))
    inked = picture(panel).copy(plate.toRect())
    panel.present(hill(name="something else"), 2)
    assert differing(picture(panel).copy(plate.toRect()), inked) > 0.01
    panel.resize(240, 200)
    picture(panel)
    assert panel.canvas.bars.placed() == []


def test_a_new_map_is_drawn_and_the_same_is_not_drawn_again(panel, monkeypatch):
    first = hill()
    panel.present(first, 1)
    before = picture(panel)
    count = []
    draw = axes.draw_ground
    monkeypatch.setattr(axes, "draw_ground", lambda *all, **how: (count.append(1), draw(*all, **how))[1])
    panel.present(Points(first.xy, None, (), first.layers), 2)
    picture(panel)
    assert count == []
    panel.present(Points(first.xy, None, (), (Field(-first.layers[0].value, first.layers[0].extent),)), 3)
    assert differing(picture(panel), before) > 0.05
    assert count == [1]


# ── ellipses ────────────────────────────────────────────────────────────────────────────────────────────────


def gaussian(centre=(0.0, 0.0), axes=((2.0, 0.0), (0.0, 1.0)), label=(2,), equal=True, **more):
    """One ellipse among four far points without any colour of their own."""
    xy = np.array([[-6, -4], [6, -4], [6, 4], [-6, 4]], np.float32)
    layer = Ellipses(
        np.array([centre], np.float32), np.array([axes], np.float32), np.array(label, np.int32), **more
    )
    return Points(xy, None, (), (layer,), equal=equal)


@pytest.mark.parametrize("equal", [True, False])
@pytest.mark.parametrize("turn_", [0.0, 0.6, 2.0])
def test_outlines_lie_where_the_gaussian_says(panel, equal, turn_):
    c, s = np.cos(turn_), np.sin(turn_)
    axes = np.array([[c, -s], [s, c]]) @ np.diag([2.0, 1.0])
    panel.present(gaussian(axes=axes, equal=equal), 1)
    image, green = picture(panel), rgb(look.classes[2])
    for angle in np.linspace(0, 2 * np.pi, 9):
        at = where(panel, *(axes @ [np.cos(angle), np.sin(angle)]))
        assert np.abs(rgb(image.pixelColor(at)) - green).max() < 30
        wide = where(panel, *(1.5 * axes @ [np.cos(angle), np.sin(angle)]))
        assert np.abs(rgb(image.pixelColor(wide)) - rgb(look.colours.plot)).max() < 50  # a breath of colour


def test_strength_makes_an_ellipse_bold(panel):
    found = []
    for strength in (1.0, 0.5, 0.05):
        panel.present(gaussian(strength=np.array([strength], np.float32)), 1)
        found.append(np.abs(rgb(colour_at(panel, 2, 0)) - rgb(look.colours.plot)).sum())
    assert found[0] > found[1] + 40 > found[2] + 80


BAD_ELLIPSES = {
    "none": (np.empty((0, 2)), np.empty((0, 2, 2))),
    "no numbers": (np.full((2, 2), np.nan), np.ones((2, 2, 2))),
    "flat": (np.zeros((2, 2)), np.zeros((2, 2, 2))),
    "a line": (np.zeros((1, 2)), np.array([[[1.0, 0.0], [0.0, 0.0]]])),
    "huge": (np.zeros((1, 2)), np.eye(2)[None] * 1e20),
    "more centres than axes": (np.zeros((3, 2)), np.eye(2)[None]),
}


@pytest.mark.parametrize("name", BAD_ELLIPSES)
def test_any_ellipse_can_be_drawn(panel, name):
    centre, axes = (part.astype(np.float32) for part in BAD_ELLIPSES[name])
    label = np.array([2], np.int32)
    panel.present(square(layers=(Ellipses(centre, axes, label, strength=np.array([np.nan])),)), 1)
    picture(panel)
    turn(panel.canvas, QPoint(200, 200), 480)
    picture(panel)


def test_a_huge_ellipse_does_not_make_the_cloud_small(panel):
    panel.present(square(), 1)
    picture(panel)
    alone = panel.canvas.view.plane.extent
    panel.reset()
    for size in (0.3, 30.0, 3e8):
        layer = Ellipses(np.array([[4.0, 4.0]], np.float32), np.eye(2, dtype=np.float32)[None] * size)
        panel.present(square(layers=(layer,)), 1)
        picture(panel)
        seen = panel.canvas.view.plane.extent
        assert 0.99 * (alone[3] - alone[2]) < seen[3] - seen[2] < 1.4 * (alone[3] - alone[2])
        if size > 1:
            assert seen[3] > alone[3]
        panel.reset()


def test_ellipses_alone_are_framed(panel):
    layer = Ellipses(np.array([[50.0, 50.0]], np.float32), np.eye(2, dtype=np.float32)[None])
    panel.present(Points(np.empty((0, 2), np.float32), layers=(layer,)), 1)
    picture(panel)
    x0, x1, y0, y1 = panel.canvas.view.plane.extent
    assert x0 < 48 < 52 < x1
    assert 46 < y0 < 48
    assert 52 < y1 < 54


def test_halfway_between_two_gaussians_is_one_even_if_an_axis_turns_round():
    one = marks.Gaussians.of(gaussian().layers[0])
    same = marks.Gaussians.of(gaussian(axes=((-2.0, 0.0), (0.0, -1.0))).layers[0])
    assert one.same(same)
    assert one.towards(same, 0.5).same(one)
    swapped = marks.Gaussians.of(gaussian(axes=((0.0, 1.0), (2.0, 0.0)), centre=(2.0, 0.0)).layers[0])
    middle = one.towards(swapped, 0.5)
    assert middle.centre.tolist() == [[1.0, 0.0]]
    factor = middle.factors()[0]
    assert factor @ factor.T == pytest.approx(middle.covariance[0])
    assert middle.covariance[0] == pytest.approx(np.diag([2.5, 2.5]))


def test_ellipses_glide_when_steps_are_slow(panel, qtbot):
    look.reduce_motion = False
    panel.present(gaussian(), 1)
    picture(panel)
    panel.canvas.scene.arrived -= 1
    panel.present(gaussian(centre=(3.0, 0.0)), 2)
    assert panel.canvas.scene.ellipses_now()[0].centre[0].tolist() == [0.0, 0.0]
    qtbot.waitUntil(lambda: panel.canvas.scene.ellipses_before == [])
    assert panel.canvas.scene.ellipses_now()[0].centre[0].tolist() == [3.0, 0.0]
    assert np.abs(rgb(colour_at(panel, 5, 0)) - rgb(look.classes[2])).max() < 30


# ── blends ──────────────────────────────────────────────────────────────────────────────────────────────────


def blend(first, second, share):
    part = round(share * styles.SHARES) / styles.SHARES
    return part * rgb(look.classes[first % 10]) + (1 - part) * rgb(look.classes[second % 10])


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("share", [0.0, 0.125, 0.3, 0.5, 0.75, 0.93, 1.0])
def test_a_point_between_two_labels_has_a_colour_between_theirs(panel, theme, share):
    look.update(theme=theme)
    other, part = np.array([1, 2, 3, 0], np.int32), np.full(4, share, np.float32)
    panel.present(square(other=other, share=part), 1)
    for label, (x, y) in enumerate([(0, 0), (4, 0), (4, 4), (0, 4)]):
        assert np.abs(rgb(colour_at(panel, x, y)) - blend(label, other[label], share)).max() <= 1


def test_thirty_labels_can_be_blended(panel):
    n = 30
    angle = 2 * np.pi * np.arange(n) / n
    xy = np.stack([np.cos(angle), np.sin(angle)], 1).astype(np.float32)
    label = np.arange(n, dtype=np.int32)
    other, share = (label * 7 + 3) % n, np.linspace(0.05, 0.95, n, dtype=np.float32)
    panel.present(
        Points(xy, label, tuple(map(str, range(n))), (), other=other.astype(np.int32), share=share), 1
    )
    image = picture(panel)
    for i in [*range(10), *range(20, 30)]:  # those between are rings
        seen = rgb(image.pixelColor(where(panel, *xy[i].tolist())))
        assert np.abs(seen - blend(i, other[i], share[i])).max() <= 1
    table = panel.canvas.colouring.styles
    assert table.row.dtype == np.uint16
    assert len(table.colours) <= styles.MORE + n


def test_a_second_label_that_is_none_or_no_number_leaves_the_first(panel):
    other = np.array([-1, 1, 3, 0], np.int32)
    share = np.array([0.2, 0.2, np.nan, 5.0], np.float32)
    panel.present(square(other=other, share=share), 1)
    for label, (x, y) in enumerate([(0, 0), (4, 0), (4, 4), (0, 4)]):
        assert colour_at(panel, x, y) == look.classes[label]
    panel.present(square(other=other[:2], share=share), 2)  # not one for each point
    assert colour_at(panel, 4, 0) == look.classes[1]


def test_new_shares_of_the_same_labels_are_seen(panel):
    first = square(other=np.array([1, 2, 3, 0], np.int32), share=np.full(4, 1.0, np.float32))
    panel.present(first, 1)
    picture(panel)
    share = np.full(4, 0.5, np.float32)
    panel.present(Points(first.xy, first.label, first.names, other=first.other, share=share), 2)
    assert np.abs(rgb(colour_at(panel, 0, 0)) - blend(0, 1, 0.5)).max() <= 1


def test_blends_can_be_selected_lit_and_hidden(panel, selection):
    other, share = np.array([1, 2, 3, 0], np.int32), np.array([0.5, 0.5, 0.5, 1.0], np.float32)
    panel.present(square(other=other, share=share), 1)
    faded = QColor(look.colours.faded).name()
    selection.select(np.array([1], np.int32))
    assert colour_at(panel, 0, 0) == faded
    assert np.abs(rgb(colour_at(panel, 4, 0)) - blend(1, 2, 0.5)).max() <= 1
    selection.clear()
    selection.light_label(1)
    assert colour_at(panel, 0, 0) != faded  # half of it is
    assert colour_at(panel, 4, 0) != faded
    assert colour_at(panel, 4, 4) == faded
    selection.light_label(0)
    assert colour_at(panel, 0, 4) == faded  # the share of the other one is nothing
    selection.light_label(None)
    selection.toggle_label(1)
    assert colour_at(panel, 4, 0) in (QColor(look.colours.plot).name(), QColor(look.colours.grid).name())


def test_a_large_cloud_shows_the_first_label(panel):
    n = 60_000
    xy = np.repeat(np.array([[0, 0], [4, 0]], np.float32), n // 2, 0)
    label = np.repeat(np.array([0, 1], np.int32), n // 2)
    panel.present(Points(xy, label, ("a", "b"), other=1 - label, share=np.full(n, 0.5, np.float32)), 1)
    picture(panel)
    assert panel.canvas.colouring.styles.row.dtype == np.uint8


# ── the neighbours of a pinned point ────────────────────────────────────────────────────────────────────────


def ring(n=40, **more):
    angle = 2 * np.pi * np.arange(n) / n
    xy = np.stack([np.cos(angle), np.sin(angle)], 1).astype(np.float32)
    return Points(xy, (np.arange(n) % 4).astype(np.int32), ("a", "b", "c", "d"), **more)


def card(index, with_picture=True):
    values = (("length", 1.5 + index), ("width", 0.25), ("depth", 3.0))
    return Item(index, f"kind {index % 4}", values, np.eye(16, dtype=np.float32) if with_picture else None)


def pinned(panel, index=5, near=(6, 4, 7, 3, 8, 2), with_picture=True):
    """A click on point ``index`` and all the answers; what was asked for."""
    picture(panel)
    asked = []
    panel.ask.connect(lambda name, args: asked.append((name, args)))
    xy = panel.canvas.scene.points.xy
    QTest.mouseClick(panel.canvas, LEFT, Qt.KeyboardModifier.NoModifier, where(panel, *xy[index].tolist()))
    panel.answered("item", (index,), card(index, with_picture))
    panel.answered("neighbours", (index,), list(near))
    for each in near:
        panel.answered("item", (each,), card(each, with_picture))
    picture(panel)
    return asked


@pytest.mark.parametrize("with_picture", [True, False])
@pytest.mark.parametrize("projector", [False, True])
def test_neighbours_are_listed_nearest_first(panel, selection, with_picture, projector):
    look.update(projector=projector)
    panel.resize(900, 700)
    panel.present(ring(), 1)
    asked = pinned(panel, with_picture=with_picture)
    near = panel.canvas.cards.near
    assert near.isVisible()
    assert [entry.index for entry in near.entries] == [6, 4, 7, 3, 8, 2]
    assert {args[0] for name, args in asked if name == "item"} == {5, 6, 4, 7, 3, 8, 2}
    assert [args for name, args in asked if name == "neighbours"] == [(5,)]
    assert panel.canvas.rect().contains(near.geometry())
    assert not near.geometry().contains(where(panel, *ring().xy[5].tolist()))
    assert near._shown == 6


def test_every_picture_is_asked_for_once(panel, selection):
    panel.present(ring(), 1)
    asked = pinned(panel)
    panel.present(ring(), 2)
    panel.answered("neighbours", (5,), [6, 4, 7, 3, 8, 2])
    QTest.mouseClick(panel.canvas.cards.near, LEFT, pos=panel.canvas.cards.near.place(1).center().toPoint())
    assert selection.pin == 4
    panel.answered("neighbours", (4,), [5, 3, 6, 2, 7, 8])
    items = [args[0] for name, args in asked if name == "item"]
    assert len(items) == len(set(items)) == 7


def test_the_mouse_on_an_entry_lights_the_point_and_a_click_pins_it(panel, selection):
    panel.present(ring(), 1)
    asked = pinned(panel)
    near = panel.canvas.cards.near
    before = picture(panel)
    move(near, near.place(2).center().toPoint())
    assert selection.hover == 7
    assert differing(picture(panel), before) > 0
    QTest.mouseClick(near, LEFT, pos=near.place(2).center().toPoint())
    assert selection.pin == 7
    assert asked[-1] == ("neighbours", (7,))
    assert near.isVisible()  # still the old ones, pale
    move(near, near.place(1).center().toPoint())
    assert selection.hover == -1
    panel.answered("neighbours", (5,), [1, 2, 3])  # too late
    assert selection.neighbours == ()
    panel.answered("neighbours", (7,), [8, 6])
    assert [entry.index for entry in near.entries] == [8, 6]


def test_the_list_closes_on_a_click_elsewhere_and_when_all_is_cleared(panel, selection):
    panel.present(ring(), 1)
    pinned(panel)
    near = panel.canvas.cards.near
    QTest.mouseClick(panel.canvas, LEFT, Qt.KeyboardModifier.NoModifier, where(panel, 0, 0))
    assert selection.pin == -1
    assert not near.isVisible()
    pinned(panel)
    assert near.isVisible()
    move(near, near.place(0).center().toPoint())
    selection.clear()  # Esc
    assert not near.isVisible()
    assert selection.hover == -1
    pinned(panel)
    panel.reset()
    assert not near.isVisible()


def test_only_the_picture_that_was_clicked_lists_them(panel, selection, qtbot):
    other = ScatterPanel("other", selection)
    qtbot.addWidget(other)
    other.resize(600, 460)
    other.show()
    for each in (panel, other):
        each.present(ring(), 1)
    before = picture(other)
    pinned(panel)
    assert panel.canvas.cards.near.isVisible()
    assert not other.canvas.cards.near.isVisible()
    assert picture(other) != before  # lines and rings
    move(panel.canvas.cards.near, panel.canvas.cards.near.place(0).center().toPoint())
    lit = picture(other)
    panel.canvas.cards.near.hide()
    assert picture(other) != lit
    pinned(other, 20, (21, 19))
    assert not panel.canvas.cards.near.isVisible()
    assert other.canvas.cards.near.isVisible()


def test_in_a_small_picture_lines_and_rings_must_do(panel, selection):
    panel.resize(250, 220)
    panel.present(ring(), 1)
    asked = pinned(panel)
    assert not panel.canvas.cards.near.isVisible()
    assert selection.neighbours == (6, 4, 7, 3, 8, 2)
    assert [args for name, args in asked if name == "item"] == [(5,)]
    panel.resize(600, 460)
    picture(panel)
    assert panel.canvas.cards.near.isVisible()


@pytest.mark.parametrize("projector", [False, True])
@pytest.mark.parametrize("size", [(380, 300), (640, 480), (1200, 800)])
def test_the_card_of_the_pinned_point_gives_way_to_the_list(panel, selection, size, projector):
    look.update(projector=projector)
    panel.resize(*size)
    panel.present(ring(), 1)
    canvas, shown = panel.canvas, 0
    for index in range(0, 40, 3):
        pinned(panel, index, [(index + step) % 40 for step in (1, 39, 2, 38, 3, 37)])
        at = canvas.picture.pixel(index)
        if canvas.cards.near.isVisible():
            strip = QPointF(canvas.cards.near.pos()), canvas.cards.near.size()
            room = canvas.cards.room_beside(QRectF(*strip), index, at)
            if room is not None:
                box = marks.card_box(*canvas.cards.items[index], at, canvas.picture.dot, room)
                assert not box.intersects(QRectF(*strip))
                assert not box.contains(at)
                shown += 1
    assert shown > 5 or (projector and size != (1200, 800))


@pytest.mark.parametrize("size", [(380, 300), (640, 480), (1200, 800)])
def test_the_list_never_covers_the_pinned_point(panel, size):
    panel.resize(*size)
    panel.present(ring(), 1)
    for index in range(0, 40, 3):
        pinned(panel, index, [(index + 1) % 40, (index + 39) % 40, (index + 2) % 40])
        near = panel.canvas.cards.near
        assert near.isVisible()
        assert panel.canvas.rect().contains(near.geometry())
        assert not near.geometry().contains(where(panel, *ring().xy[index].tolist()))


def test_neighbours_that_are_not_there_do_not_hurt(panel, selection):
    panel.present(ring(), 1)
    asked = pinned(panel, 5, (7, 70_000, -1))
    assert ("item", (70_000,)) not in asked
    assert [entry.index for entry in panel.canvas.cards.near.entries] == [7, 70_000]
    picture(panel)


def test_a_card_shows_the_numbers_of_a_picture(panel):
    room = QRectF(0, 0, 400, 300)
    full, bare = card(1), Item(1, "kind 1", (), np.eye(16, dtype=np.float32))
    boxes = [marks.card_box(i, marks.item_image(i), QPointF(200, 290), 4.0, room) for i in (full, bare)]
    assert boxes[0].height() > boxes[1].height() + 30
    many = Item(1, "kind", tuple((f"n{i}", float(i)) for i in range(20)), None)
    few = Item(1, "kind", many.values[:6], None)
    assert marks.card_box(many, None, QPointF(), 4.0, room) == marks.card_box(few, None, QPointF(), 4.0, room)


# ── sizes: dots, discs, names ───────────────────────────────────────────────────────────────────────────────


def test_dots_are_small_where_many_share_little_room():
    small, large = 250 * 170.0, 900 * 700.0
    assert 1.4 <= styles.dot_radius(2000, small) <= 2
    assert styles.dot_radius(2000, large) > 3
    assert styles.dot_radius(10, small) > 3.5
    assert styles.halo_width(styles.dot_radius(2000, small)) < 0.5
    assert styles.halo_width(styles.dot_radius(2000, large)) == pytest.approx(0.9, abs=0.05)
    for area in (small, large):
        assert all(styles.dot_radius(n, area) >= styles.dot_radius(4 * n, area) for n in (5, 30, 300, 9000))


@pytest.mark.parametrize("n", [4, 300, 2000, 5000, 10_000])
@pytest.mark.parametrize("area", [250 * 170.0, 440 * 340.0, 900 * 700.0])
def test_a_projector_makes_every_dot_larger(n, area):
    desk = styles.dot_radius(n, area)
    look.update(projector=True)
    assert styles.dot_radius(n, area) >= 1.2 * desk


def discs(k, **more):
    angle = 2 * np.pi * np.arange(k) / k
    marks_ = Markers(np.stack([np.cos(angle), np.sin(angle)], 1).astype(np.float32), None, None)
    names = tuple(f"cluster {i + 1}" for i in range(k))
    return Points(ring(60).xy * np.float32(2), (np.arange(60) % k).astype(np.int32), names, (marks_,), **more)


@pytest.mark.parametrize("size", [(250, 220), (300, 400), (900, 700)])
@pytest.mark.parametrize("projector", [False, True])
def test_discs_leave_the_data_in_sight(panel, size, projector):
    look.update(projector=projector)
    panel.resize(*size)
    panel.present(discs(5), 1)
    picture(panel)
    plane = panel.canvas.view.plane
    side = min(plane.width, plane.height)
    few, many = (marks.marker_radius(plane, k) for k in (5, 30))
    assert few * (1 + marks.RIM) <= side / 14 + 1e-6
    assert many < 0.6 * few
    assert marks.number_font(few, 13) is None
    if size == (900, 700):
        assert few == look.px(12)
        assert marks.number_font(few, 5) is not None
    assert marks.number_font(3.0, 5) is None


def test_names_that_do_not_fit_are_not_shown_at_all(panel):
    panel.present(square(), 1)
    assert panel.canvas.legend.isVisible()
    long = Points(square().xy, square().label, tuple(f"the rather long name number {i}" for i in range(4)))
    panel.resize(300, 250)
    panel.present(long, 2)
    picture(panel)
    assert not panel.canvas.legend.isVisible()
    assert panel.canvas.view._kept_free == 0
    panel.resize(900, 700)
    picture(panel)
    assert panel.canvas.legend.isVisible()


@pytest.mark.parametrize("width", [250, 300, 380, 500, 900])
@pytest.mark.parametrize("projector", [False, True])
def test_no_point_lies_under_the_names(panel, width, projector):
    look.update(projector=projector)
    panel.resize(width, 400)
    panel.present(square(), 1)
    picture(panel)
    canvas = panel.canvas
    if canvas.legend.isVisible():
        assert canvas.legend.width() <= canvas.width() / 3 + 1
        pixels = [canvas.picture.pixel(i).toPoint() for i in range(4)]
        assert not any(canvas.legend.geometry().contains(at) for at in pixels)


def test_a_narrow_picture_does_not_name_its_numbered_discs_twice(panel):
    panel.present(discs(5), 1)
    assert panel.canvas.legend.isVisible()
    panel.resize(400, 400)
    picture(panel)
    assert not panel.canvas.legend.isVisible()
    panel.present(Points(discs(5).xy, discs(5).label, tuple("abcde"), discs(5).layers), 2)
    assert panel.canvas.legend.isVisible()  # letters are not what the discs say


# ── what is framed ──────────────────────────────────────────────────────────────────────────────────────────


def test_linked_pictures_show_the_same_though_their_names_differ_in_width(panel, selection, qtbot):
    other = ScatterPanel("other", selection)
    qtbot.addWidget(other)
    other.resize(600, 460)
    other.show()
    panel.link(other)
    both = panel.canvas, other.canvas

    def extents():
        for _ in range(3):
            QApplication.processEvents()
            for canvas in both:
                canvas.grab()
        return [canvas.view.plane.extent for canvas in both]

    panel.present(square(), 1)
    wide = Points(square().xy, square().label, tuple(f"a longer name {i}" for i in range(4)))
    other.present(wide, 1)
    first, second = extents()
    assert panel.canvas.legend.width() < other.canvas.legend.width()
    assert first == pytest.approx(second, rel=1e-3)
    panel.present(wide, 2)
    other.present(Points(wide.xy * np.float32(4), wide.label, wide.names), 2)
    first, second = extents()
    assert first == pytest.approx(second, rel=1e-3)
    assert first[1] > 16
    panel.present(Points(wide.xy, None), 3)
    other.present(Points(wide.xy, None), 3)
    first, second = extents()
    assert first == pytest.approx(second, rel=1e-3)


def a_map(scale, n=500):
    xy = np.random.default_rng(1).uniform(-1, 1, (n, 2)).astype(np.float32) * np.float32(scale)
    return Points(xy, None, (), (), ("", ""), True)


@pytest.mark.parametrize("size", [(250, 200), (600, 460)])
def test_no_dot_of_a_map_is_cut_at_the_rim(panel, size):
    panel.resize(*size)
    for step, scale in enumerate((1.0, 1.05, 1.1, 1.18, 3.0, 3.3, 40.0)):
        panel.present(a_map(scale), step)
        picture(panel)
        plane, pixels = panel.canvas.view.plane, panel.canvas.view.plane.to_pixels(a_map(scale).xy)
        margin = panel.canvas.picture.dot + 3.9
        assert pixels[:, 0].min() >= plane.left + margin
        assert pixels[:, 0].max() <= plane.left + plane.width - margin
        assert pixels[:, 1].min() >= plane.top + margin
        assert pixels[:, 1].max() <= plane.top + plane.height - margin


def test_a_map_at_rest_fills_its_picture(panel, qtbot):
    panel.present(a_map(1.0), 1)
    picture(panel)
    panel.present(a_map(0.8), 2)
    picture(panel)
    view, box = panel.canvas.view, panel.canvas.scene.box()
    assert view._fills(box) < 0.75  # it is still on its way
    qtbot.waitUntil(lambda: view._fills(box) > 0.75)


def test_many_points_of_a_map_are_all_in_sight_at_rest(panel, qtbot):
    xy = RNG.normal(size=(20_000, 2)).astype(np.float32)
    xy[7] = xy.max(0) * np.float32(1.02)  # not among those that are looked at on the way
    panel.present(Points(xy, None, (), (), ("", ""), True), 1)
    picture(panel)
    view = panel.canvas.view
    top = xy[:, 1].max()
    box = panel.canvas.scene.box()
    reach = box[3] + 0.1 * (box[3] - box[2])
    qtbot.waitUntil(lambda: view.plane.extent[3] > min(top, reach))


def test_a_zoomed_picture_is_not_framed_at_rest(panel):
    panel.present(a_map(1.0), 1)
    picture(panel)
    turn(panel.canvas, QPoint(200, 200), 240)
    before = panel.canvas.view.plane.extent
    panel.canvas.view.settle()
    assert panel.canvas.view.plane.extent == before


# ── the list and the card keep out of the way ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize("upper", [False, True])
def test_the_list_is_one_row_where_fewer_points_are(panel, upper):
    xy = RNG.uniform(-1, 1, (400, 2)).astype(np.float32)
    crowd = RNG.uniform((-1, 0.75), (1, 1), (600, 2)) * (1, 1 if upper else -1)
    xy = np.concatenate([[(0, 0)], xy, crowd]).astype(np.float32)
    panel.present(Points(xy, None), 1)
    pinned(panel, 0, (1, 2, 3, 4, 5, 6))
    near, plane = panel.canvas.cards.near, panel.canvas.view.plane
    assert near.isVisible()
    assert near.height() < 0.2 * plane.height
    assert len({near.place(i).top() for i in range(6)}) == 1
    middle = plane.top + plane.height / 2
    assert (near.geometry().top() > middle) if upper else (near.geometry().bottom() < middle)


@pytest.mark.parametrize("size", [(440, 360), (900, 700)])
def test_the_pinned_card_does_not_cover_the_lines(panel, size):
    panel.resize(*size)
    panel.present(ring(), 1)
    cards = panel.canvas.cards
    for index in range(0, 40, 5):
        pinned(panel, index, [(index + step) % 40 for step in (1, 39, 2, 38, 3, 37)])
        at = panel.canvas.picture.pixel(index)
        strip = QRectF(cards.near.geometry()) if cards.near.isVisible() else QRectF()
        room = cards.room_beside(strip, index, at)
        assert room is not None
        box = marks.card_box(*cards.items[index], at, panel.canvas.picture.dot, room)
        assert not any(box.contains(QPointF(*place)) for place in cards._lines(at).tolist())
