import gc
import weakref

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop.language import language
from desktop.panels.scatter import ScatterPanel
from desktop.selection import Selection
from desktop.style.tokens import look
from engine.api import Arrows, Item, Markers, Points, Regions, Segments

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
    centres = RNG.normal(size=(k, 2)).astype(np.float32)
    trail = RNG.normal(size=(5, k, 2)).astype(np.float32)
    return (
        Regions(RNG.integers(0, k, (20, 30)).astype(np.uint8), (-3.0, 3.0, -2.0, 2.0)),
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
    return QPointF(*panel.canvas._plane.to_pixel(x, y)).toPoint()


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
    panel._canvas._selection.set_pin(1)
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
    assert panel.canvas._plane.scale[0] == panel.canvas._plane.scale[1]
    panel.present(square(equal=False), 1)
    panel.canvas.fit()
    picture(panel)
    assert panel.canvas._plane.scale[0] != panel.canvas._plane.scale[1]


def test_the_view_stands_still_while_points_move_and_follows_when_they_leave(panel):
    panel.present(square(), 1)
    picture(panel)
    before = panel.canvas._plane.extent
    moved = square()
    panel.present(Points(moved.xy * np.float32(0.5), moved.label, moved.names), 2)
    picture(panel)
    assert panel.canvas._plane.extent == before
    panel.present(Points(moved.xy * np.float32(5), moved.label, moved.names), 3)
    picture(panel)
    assert panel.canvas._plane.extent[1] > 20
    panel.reset()
    panel.present(square(), 0)
    picture(panel)
    assert panel.canvas._plane.extent == pytest.approx(before)


def test_the_view_glides_and_arrives(panel, qtbot):
    look.reduce_motion = False
    panel.present(square(), 1)
    picture(panel)
    far = square()
    panel.present(Points(far.xy * np.float32(5), far.label, far.names), 3)
    picture(panel)
    qtbot.waitUntil(lambda: panel.canvas._plane.extent[1] > 20 and panel.canvas._before is None)
    picture(panel)
    assert colour_at(panel, 20, 0) == look.classes[1]


def test_wheel_pan_and_fit(panel):
    panel.present(square(), 1)
    picture(panel)
    canvas, before = panel.canvas, panel.canvas._plane.extent
    at = where(panel, 4, 4)
    turn(canvas, at, 240)
    assert canvas._plane.extent[1] - canvas._plane.extent[0] < before[1] - before[0]
    assert (where(panel, 4, 4) - at).manhattanLength() <= 2
    drag(panel, at, at + QPoint(30, 20), button=Qt.MouseButton.MiddleButton)
    assert (where(panel, 4, 4) - at - QPoint(30, 20)).manhattanLength() <= 2
    drag(panel, at, at + QPoint(-30, -20), modifier=Qt.KeyboardModifier.ControlModifier)
    assert (where(panel, 4, 4) - at).manhattanLength() <= 2
    picture(panel)
    QTest.keyClick(canvas, Qt.Key.Key_Home)
    assert canvas._plane.extent == pytest.approx(before)
    turn(canvas, at, -240)
    QTest.mouseDClick(canvas, LEFT, Qt.KeyboardModifier.NoModifier, where(panel, 2, 2))
    assert canvas._plane.extent == pytest.approx(before)


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
    legend = panel.canvas._legend
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
    legend = panel.canvas._legend
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
    assert panel.canvas._marks_xy(0)[1] == pytest.approx((3, 1), abs=0.05)
    assert 1 <= len(done) < 15
    QTest.mouseRelease(panel.canvas, LEFT, Qt.KeyboardModifier.NoModifier, end)
    name, args = done[-1]
    assert name == "move"
    assert args == pytest.approx((1, 3, 1), abs=0.05)
    assert isinstance(args[0], int)
    panel.present(payload, 3)
    assert panel.canvas._marks_xy(0)[1].tolist() == [3, 3]
    QTest.mouseDClick(panel.canvas, LEFT, Qt.KeyboardModifier.NoModifier, where(panel, 2, 0.5))
    name, args = done[-1]
    assert name == "place"
    assert args == pytest.approx((2, 0.5), abs=0.05)


def test_points_glide_when_steps_are_slow(panel, qtbot):
    look.reduce_motion = False
    panel.present(square(), 1)
    picture(panel)
    panel.canvas._arrived -= 1
    other = square()
    panel.present(Points(other.xy[::-1].copy(), other.label, other.names), 2)
    assert panel.canvas._xy()[0].tolist() == [0, 0]
    qtbot.waitUntil(lambda: panel.canvas._before is None)
    assert panel.canvas._xy()[0].tolist() == [0, 4]
    assert colour_at(panel, 0, 4) == look.classes[0]
    panel.present(square(), 3)  # soon after: at once
    panel.present(other, 4)
    assert panel.canvas._before is None


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
    draw = type(panel.canvas)._draw_points
    monkeypatch.setattr(type(panel.canvas), "_draw_points", lambda self: (count.append(1), draw(self)))
    picture(panel)
    panel.canvas._selection.set_hover(1)
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
