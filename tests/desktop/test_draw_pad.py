"""The draw pad: ink as numbers, the sheet under the hand, and one drawing for every model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop import ink
from desktop.controls.draw_pad import DrawPad
from desktop.history import LIMIT
from desktop.panels.scatter import ScatterPanel
from desktop.selection import Selection
from desktop.style.tokens import look
from engine.api import Item, Points
from tests.desktop.conftest import LEFT, NO_KEY, Desk
from tests.desktop.test_window import without_a_window

MNIST = Path(__file__).resolve().parents[3] / "shared" / "data" / "MNIST" / "raw" / "train-images-idx3-ubyte"
RIGHT = Qt.MouseButton.RightButton
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
Key = Qt.Key
ONE = ((0.5, 0.2), (0.5, 0.5), (0.5, 0.8))
SEVEN = ((0.3, 0.25), (0.7, 0.25), (0.45, 0.8))


# ── ink ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_centring_leaves_mnist_as_it_is() -> None:
    """MNIST is centred already: drawn large and centred again, it must come out as it was."""
    if not MNIST.exists():
        pytest.skip(f"needs MNIST at {MNIST}")
    with MNIST.open("rb") as file:
        file.seek(16)
        pictures = np.frombuffer(file.read(200 * 784), np.uint8).reshape(200, 28, 28).astype(np.float32) / 255
    large = [np.kron(p, np.ones((8, 8), np.float32)) for p in pictures]
    away = [np.abs(ink.centre_like_mnist(a) - p).mean() for a, p in zip(large, pictures, strict=True)]
    assert np.mean(away) < 0.002  # moved by one pixel it would be 0.06
    rng = np.random.default_rng(0)
    for a in large:  # wherever it was drawn, and in whatever size
        off = np.roll(np.pad(a, 30), rng.integers(-30, 31, 2), (0, 1))
        assert np.array_equal(ink.centre_like_mnist(off), ink.centre_like_mnist(a))
    small = [np.kron(p, np.ones((3, 3), np.float32)) for p in pictures]
    away = [np.abs(ink.centre_like_mnist(a) - p).mean() for a, p in zip(small, pictures, strict=True)]
    assert np.mean(away) < 0.002
    assert ink.usual_box(pictures[:24]) == 20


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-10, 40), st.floats(-10, 40), st.floats(0, 9)), min_size=1, max_size=5),
    st.floats(4, 40),
)
def test_whatever_is_drawn_is_centred_inside(path: list[tuple[float, float, float]], box: float) -> None:
    paper = ink.paper()
    for (x0, y0, r0), (x1, y1, r1) in zip(path, path[1:] or path, strict=False):
        ink.stroke(paper, (x0, y0), (x1, y1), (r0, r1))
    assert paper.min() >= 0
    assert paper.max() <= 1
    out = ink.centre_like_mnist(paper, box)
    assert out.shape == (28, 28)
    assert out.dtype == np.float32
    assert (out.max() > 0) == bool((paper > ink.FAINTEST).any())
    assert 0 <= out.min() <= out.max() <= 1
    if out.max() > 0 and box <= 20:
        rows, columns = (np.flatnonzero((out > 0).any(axis)) for axis in (1, 0))
        assert max(np.ptp(rows), np.ptp(columns)) + 1 <= round(box)
        at = np.arange(28) + 0.5
        for axis in (0, 1):
            middle = (out.sum(1 - axis) * at).sum() / out.sum()
            assert 13.95 <= middle <= 15.05 or box > 14  # a heavy end may lie at the edge of a large box


def test_a_brush_is_soft_and_never_adds_up() -> None:
    paper = ink.paper()
    ink.stroke(paper, (5, 14), (23, 14), (1.6, 1.6))
    once = paper.copy()
    across = paper[:, 140]
    assert across.max() > 0.99
    assert 20 < (across > 0.01).sum() <= 33  # three cells of ten
    assert ((across > 0.1) & (across < 0.9)).sum() >= 8
    ink.stroke(paper, (23, 14), (5, 14), (1.6, 1.6))
    np.testing.assert_allclose(paper, once, atol=1e-6)
    ink.stroke(paper, (5, 14), (23, 14), (4, 4), erase=True)
    assert paper.max() == 0
    ink.stroke(paper, (14, 14), (14, 14), (0.5, 0.5))
    assert paper[140, 140] > 0.9
    ink.stroke(paper, (900, 900), (1000, 1000), (3, 3))  # off the sheet


def test_resizing_keeps_the_amount_of_ink() -> None:
    rng = np.random.default_rng(1)
    for shape, to in (((280, 280), (28, 28)), ((28, 28), (8, 8)), ((28, 28), (32, 48)), ((5, 7), (3, 2))):
        a = rng.random(shape, dtype=np.float32)
        b = ink.resized(a, *to)
        assert b.shape == to
        assert b.mean() == pytest.approx(a.mean(), rel=1e-4)
    same = rng.random((28, 28), dtype=np.float32)
    np.testing.assert_allclose(ink.resized(same, 28, 28), same, atol=1e-6)


def test_a_drawing_fits_any_picture() -> None:
    drawing = np.zeros((28, 28), np.float32)
    drawing[4:24, 12:16] = 1
    for shape in ((1, 28, 28), (1, 8, 8), (3, 32, 32), (3, 40, 60), (1, 60, 40)):
        out = ink.fit_to(drawing, shape)
        assert out.shape == shape
        assert out.dtype == np.float32
        side = min(shape[1:])
        assert out.sum() / shape[0] == pytest.approx(drawing.mean() * side * side, rel=1e-3)
        assert np.allclose(out[0], out[-1])  # grey
    np.testing.assert_allclose(ink.fit_to(drawing, (1, 28, 28))[0], drawing, atol=1e-6)


@pytest.mark.parametrize("side", [8, 28])
def test_an_example_comes_out_as_it_was(side: int) -> None:
    picture = np.random.default_rng(2).random((side, side), dtype=np.float32)
    paper = ink.spread(picture)
    assert paper.shape == (280, 280)
    np.testing.assert_allclose(ink.resized(paper, side, side), picture, atol=1e-6)
    assert ink.spread(np.stack([picture] * 3, 2)).shape == (280, 280)


def test_the_box_of_a_data_set() -> None:
    half = np.zeros((10, 10), np.float32)
    half[:, 3:6] = 1
    assert ink.usual_box([half]) == 28
    assert ink.usual_box([np.ones((5, 5), np.float32), np.zeros((5, 5), np.float32)]) == ink.BOX
    assert ink.usual_box([]) == ink.BOX


# ── the pad ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def pad(qtbot: Any) -> DrawPad:
    made = DrawPad()
    qtbot.addWidget(made)
    made.resize(300, 620)
    with qtbot.waitExposed(made):
        made.show()
    return made


def scribble(pad: DrawPad, path: tuple[tuple[float, float], ...] = ONE, button: Any = LEFT) -> None:
    """A stroke by mouse through these places (shares of the sheet)."""
    sheet, square = pad.sheet, pad.sheet.square()
    places = [
        QPoint(round(square.x() + x * square.width()), round(square.y() + y * square.height()))
        for x, y in path
    ]
    QTest.mousePress(sheet, button, NO_KEY, places[0])
    for at in places[1:]:
        Desk.move(None, sheet, at, button)  # type: ignore[arg-type]
    QTest.mouseRelease(sheet, button, NO_KEY, places[-1])


def test_a_stroke_by_mouse_is_ink(pad: DrawPad, qtbot: Any) -> None:
    assert pad.is_empty
    assert not pad.drawing().any()
    assert not pad.clear_button.isEnabled()
    with qtbot.waitSignal(pad.drawn):
        scribble(pad)
    drawn = pad.drawing()
    assert drawn.shape == (28, 28)
    assert drawn.dtype == np.float32
    assert drawn.max() > 0.9
    assert drawn[:, 14].sum() > 10
    assert drawn[:, :8].sum() == 0
    QTest.mouseClick(pad.clear_button, LEFT)
    assert pad.is_empty
    assert not pad.clear_button.isEnabled()


def test_raw_or_centred(pad: DrawPad) -> None:
    scribble(pad, ((0.2, 0.1), (0.2, 0.3)))
    centred = pad.drawing()
    pad.centred.click()
    raw = pad.drawing()
    assert raw[14:].sum() == 0
    assert raw[:, 14:].sum() == 0
    assert centred[14:].sum() > 5
    rows = np.flatnonzero((centred > 0).any(1))
    assert rows[-1] - rows[0] + 1 == 20


def test_the_right_button_and_the_eraser_rub_out(pad: DrawPad) -> None:
    scribble(pad)
    amount = pad.sheet.ink.sum()
    scribble(pad, ((0.3, 0.5), (0.7, 0.5)), RIGHT)
    less = pad.sheet.ink.sum()
    assert less < 0.95 * amount
    pad.eraser.click()
    scribble(pad, ((0.3, 0.3), (0.7, 0.3)))
    assert pad.sheet.ink.sum() < 0.95 * less
    pad.brushes.button(2).click()  # taking a brush lays the eraser down
    assert not pad.eraser.isChecked()
    scribble(pad, ((0.2, 0.1), (0.8, 0.1)))
    assert pad.sheet.ink.sum() > less


def test_brushes_are_of_different_width(pad: DrawPad) -> None:
    amounts = []
    for index in range(3):
        pad.brushes.button(index).click()
        scribble(pad)
        amounts.append(float(pad.sheet.ink.sum()))
        pad.sheet.clear()
    assert amounts[0] < 0.8 * amounts[1] < 0.7 * amounts[2]


def test_strokes_are_undone_and_drawn_again(pad: DrawPad) -> None:
    scribble(pad)
    one = pad.sheet.ink.copy()
    scribble(pad, SEVEN)
    two = pad.sheet.ink.copy()
    for key, modifier, wanted in (
        (Key.Key_Z, CTRL, one), (Key.Key_Z, CTRL, np.zeros_like(one)), (Key.Key_Z, CTRL, np.zeros_like(one)),
        (Key.Key_Z, CTRL | SHIFT, one), (Key.Key_Y, CTRL, two), (Key.Key_Y, CTRL, two),
    ):  # fmt: skip
        QTest.keyClick(pad.sheet, key, modifier)
        assert np.array_equal(pad.sheet.ink, wanted)
    pad.sheet.clear()
    QTest.mouseClick(pad.undo_button, LEFT)
    assert np.array_equal(pad.sheet.ink, two)
    for _ in range(LIMIT // 2 + 5):
        scribble(pad)
        pad.sheet.clear()
    assert pad.history.count() == LIMIT


def test_telling_is_spaced(pad: DrawPad, qtbot: Any) -> None:
    told: list[int] = []
    pad.drawn.connect(lambda: told.append(1))
    scribble(pad, tuple((0.2 + 0.6 * i / 200, 0.5) for i in range(200)))
    assert len(told) <= 10
    last = pad.sheet.ink.sum()
    heard: list[float] = []
    pad.drawn.connect(lambda: heard.append(float(pad.sheet.ink.sum())))
    qtbot.waitUntil(lambda: not pad._timer.isActive())
    assert heard in ([], [last])


def test_examples_become_the_drawing(pad: DrawPad, qtbot: Any) -> None:
    rng = np.random.default_rng(3)
    items = [Item(i, str(i), (), rng.random((8, 8), dtype=np.float32)) for i in range(3)]
    pad.show_examples([*items, Item(9, "none")])
    assert [b.isEnabled() for b in pad.examples[:4]] == [True, True, True, False]
    assert pad.examples[1].accessibleName() == "Take this example: 1"
    pad.centred.setChecked(False)
    with qtbot.waitSignal(pad.drawn):
        QTest.mouseClick(pad.examples[1], LEFT)
    np.testing.assert_allclose(ink.resized(pad.sheet.ink, 8, 8), items[1].picture, atol=1e-6)
    QTest.keyClick(pad.sheet, Key.Key_Z, CTRL)
    assert pad.is_empty


def test_a_pen_presses(pad: DrawPad) -> None:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QInputDevice, QPointingDevice, QTabletEvent

    device = QPointingDevice(
        "pen", 1, QInputDevice.DeviceType.Stylus, QPointingDevice.PointerType.Pen,
        QInputDevice.Capability.Pressure, 1, 3,
    )  # fmt: skip

    def send(kind: QEvent.Type, x: float, y: float, pressure: float) -> None:
        sheet, square = pad.sheet, pad.sheet.square()
        at = QPointF(square.x() + x * square.width(), square.y() + y * square.height())
        event = QTabletEvent(
            kind, device, at, sheet.mapToGlobal(at), pressure, 0, 0, 0, 0, 0, NO_KEY, LEFT, LEFT
        )
        QApplication.sendEvent(sheet, event)
        assert event.isAccepted()

    amounts = []
    for pressure in (0.1, 0.9):
        send(QEvent.Type.TabletPress, 0.3, 0.5, pressure)
        send(QEvent.Type.TabletMove, 0.7, 0.5, pressure)
        send(QEvent.Type.TabletRelease, 0.7, 0.5, 0)
        amounts.append(float(pad.sheet.ink.sum()))
        pad.sheet.clear()
    assert amounts[1] > 1.5 * amounts[0] > 0


@pytest.mark.parametrize("size", [(210, 260), (300, 300), (300, 620), (420, 460), (500, 1000), (120, 90)])
@pytest.mark.parametrize("projector", [False, True])
def test_any_size(pad: DrawPad, size: tuple[int, int], projector: bool) -> None:
    look.update(projector=projector)
    pad.resize(*size)
    scribble(pad)
    assert not pad.is_empty
    picture = np.zeros((8, 8, 3), np.float32)
    pad.show_input(picture)
    pad.show_answer("cluster 3", 7, picture, picture, elsewhere=True)
    for theme in ("dark", "light"):
        look.update(theme=theme)
        assert not pad.grab().isNull()
    pad.refuse("no")
    before = pad.sheet.ink.copy()
    scribble(pad, SEVEN)
    assert np.array_equal(pad.sheet.ink, before)
    assert not pad.grab().isNull()


# ── the star ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_star_lies_on_top_and_waits_at_the_rim(qtbot: Any) -> None:
    panel = ScatterPanel("p", Selection())
    qtbot.addWidget(panel)
    panel.resize(500, 400)
    panel.show()
    xy = np.random.default_rng(0).normal(size=(500, 2)).astype(np.float32)
    panel.present(Points(xy), 1)
    plain = panel.grab().toImage()

    def gold_at(x: float, y: float) -> bool:
        image = panel.canvas.grab().toImage()
        at = QPointF(*panel.canvas.view.plane.to_pixel(x, y)).toPoint()
        return image.pixelColor(at) == QColor(look.colours.guest)

    panel.set_guest((0.0, 0.0), [(-1.0, -1.0), (-0.5, 0.0), (0.0, 0.0)])
    assert gold_at(0, 0)
    panel.present(Points(xy), 2)
    assert gold_at(0, 0)
    panel.set_guest((0.0, 0.0), elsewhere=True)
    assert not gold_at(0, 0)
    for far in ((1e6, 0.0), (0.0, -1e30), (float("nan"), 0.0), (float("inf"), 1.0)):
        panel.set_guest(far, [(0.0, 0.0), far])
        assert not panel.grab().isNull()
    panel.set_guest(None)
    panel.present(Points(xy), 1)
    assert panel.grab().toImage() == plain
    panel.set_guest((0.0, 0.0))
    panel.reset()
    assert panel.canvas.guest is None


# ── one drawing, every model ────────────────────────────────────────────────────────────────────────────────


def take_the_pen(desk: Desk) -> DrawPad:
    """Open the pad by its key, until it has examples of the data."""
    desk.key(Key.Key_D)
    pad = desk.window.pad
    assert pad is not None
    assert pad.isVisible()
    desk.until(lambda: pad.examples[0].isEnabled())
    return pad  # type: ignore[no-any-return]


def guest_in(desk: Desk) -> set[str]:
    """The channels with a star."""
    scatters = {n: p for n, p in desk.panels.items() if isinstance(p, ScatterPanel)}
    return {n for n, p in scatters.items() if p.canvas.guest is not None}


def star(desk: Desk, channel: str) -> tuple[float, float]:
    return tuple(desk.panels[channel].canvas.guest[0][-1])  # type: ignore[return-value]


def answered(desk: Desk) -> bool:
    """Whether the last stroke has been told of, and looked at by the newest step."""
    guest, pad = desk.window.guest, desk.window.pad
    told = not pad._timer.isActive() and guest.rests
    return told and all(w.records and w.recorded == guest._drawing for w in guest._witnesses)


@pytest.mark.parametrize(("experiment", "channel"), [("pca", "scatter"), ("kmeans", "cloud")])
def test_a_drawing_is_encoded_and_found(desks: Any, experiment: str, channel: str) -> None:
    desk = desks().open(experiment, dataset="digits")
    pad = take_the_pen(desk)
    assert guest_in(desk) == set()
    scribble(pad)
    desk.until(lambda: guest_in(desk) == {channel} and answered(desk))
    assert pad.box == 28  # these digits fill their pictures
    assert pad._words.text().startswith("error" if experiment == "pca" else "cluster")
    assert pad._when.text() == "step 0"
    for tile in (pad.seen, pad.rebuilt, pad.error):
        assert (tile.image.width(), tile.image.height()) == (8, 8)
    before = star(desk, channel)
    scribble(pad, ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8)))
    desk.until(lambda: star(desk, channel) != before and answered(desk))
    desk.paint()
    pad.sheet.clear()
    desk.until(lambda: guest_in(desk) == set() and pad._words.text() == "")
    assert pad.rebuilt.image is None
    assert desk.window.notice.text == ""


def test_the_star_moves_as_it_learns_and_follows_the_timeline(desks: Any) -> None:
    desk = desks().open("pca", dataset="digits")
    pad = take_the_pen(desk)
    scribble(pad, SEVEN)
    desk.until(lambda: guest_in(desk) == {"scatter"} and answered(desk))
    places = [star(desk, "scatter")]
    for step in (1, 2, 3):
        desk.advance(1)
        desk.until(lambda step=step: pad._when.text() == f"step {step}")
        places.append(star(desk, "scatter"))
    assert places[0] != places[3]
    assert len(desk.panels["scatter"].canvas.guest[0]) == 5  # four steps, and where it is
    desk.window.timeline.sought.emit(0)
    desk.until(lambda: pad._when.text() == "with the weights of step 0")
    assert star(desk, "scatter") == places[0]
    assert desk.panels["scatter"].canvas.guest[1] is False
    scribble(pad)  # drawn while the past is shown: the model of then answers
    desk.until(lambda: answered(desk) and pad._when.text() == "with the weights of step 0")
    assert desk.panels["scatter"].canvas.guest[1] is False
    desk.window.timeline.went_live.emit()
    desk.until(lambda: pad._when.text() == "step 3")  # and now that of now
    assert desk.panels["scatter"].canvas.guest[1] is False
    desk.run(lambda: desk.window.transport.reset.emit())
    desk.until(lambda: pad._when.text() == "step 0")
    assert len(desk.panels["scatter"].canvas.guest[0]) == 2


def test_a_turned_knob_asks_again(desks: Any) -> None:
    desk = desks().open("pca", dataset="digits")
    pad = take_the_pen(desk)
    desk.advance(3)
    scribble(pad, SEVEN)
    desk.until(lambda: answered(desk) and pad._words.text().startswith("error"))
    before = pad._words.text()
    desk.window.params.turned.emit("k", 2)
    desk.until(lambda: pad._words.text() != before)


def test_the_drawing_survives_experiments_and_data(desks: Any) -> None:
    desk = desks().open("pca", dataset="digits")
    pad = take_the_pen(desk)
    scribble(pad)
    desk.until(lambda: guest_in(desk) == {"scatter"})
    drawn = pad.sheet.ink.copy()
    choose = desk.window.conductor.choose
    desk.run(lambda: choose("kmeans", dataset="digits"))
    desk.until(lambda: guest_in(desk) == {"cloud"} and pad._words.text().startswith("cluster"))
    desk.run(lambda: choose("pca", dataset="moons"))  # nothing that a drawing could be among
    assert pad.isVisible()
    assert "pictures" in pad.sheet.refusal
    assert guest_in(desk) == set()
    assert pad.seen.image is None
    desk.paint()
    scribble(pad, SEVEN)
    assert np.array_equal(pad.sheet.ink, drawn)
    desk.run(lambda: choose("pca", dataset="pen"))
    desk.until(lambda: guest_in(desk) == {"scatter"})
    assert pad.seen.image.width() == 28
    assert pad.box == pytest.approx(20, abs=1)
    assert np.array_equal(pad.sheet.ink, drawn)
    desk.key(Key.Key_D)  # away with it, and out again
    assert not pad.isVisible()
    assert guest_in(desk) == set()
    desk.key(Key.Key_D)
    desk.until(lambda: guest_in(desk) == {"scatter"})
    assert np.array_equal(pad.sheet.ink, drawn)


def test_where_the_data_are_points_a_sentence_says_why(desks: Any) -> None:
    desk = desks().open("kmeans", dataset="blobs")
    window = desk.window
    assert not window._draw.isEnabled()
    assert "pictures" in window._draw.toolTip()
    desk.key(Key.Key_D)
    assert window.pad is None
    assert "pictures" in window.notice.text
    desk.run(lambda: window.conductor.choose("kmeans", dataset="digits"))
    assert window._draw.isEnabled()
    assert window._draw.toolTip() == "Draw (D)"
    desk.click(window._draw)
    assert window.pad.isVisible()
    assert window._draw.isChecked()
    desk.click(window.pad._close)
    assert not window.pad.isVisible()
    assert not window._draw.isChecked()


def test_an_experiment_that_cannot_encode_says_so(trial: Desk) -> None:
    assert not trial.window._draw.isEnabled()
    assert "Probe" in trial.window._draw.toolTip()


def test_undo_follows_the_order_in_which_things_were_done_wherever_the_keyboard_is(desks: Any) -> None:
    desk = desks().open("pca", dataset="digits")
    pad = take_the_pen(desk)
    window = desk.window
    window.params.turn("k", 3)
    desk.until(lambda: window.conductor.values["k"] == 3)
    scribble(pad)
    assert pad.sheet.hasFocus()
    desk.key(Key.Key_Z, CTRL)
    assert pad.is_empty
    assert window.conductor.values["k"] == 3
    desk.key(Key.Key_Z, CTRL)
    desk.until(lambda: window.conductor.values["k"] != 3)
    window.centralWidget().setFocus()
    desk.key(Key.Key_Y, CTRL)
    desk.until(lambda: window.conductor.values["k"] == 3)
    assert pad.is_empty
    desk.key(Key.Key_Y, CTRL)
    assert not pad.is_empty


def test_drawing_changes_nothing_that_is_learned(desks: Any) -> None:
    desk = desks().open("kmeans", dataset="digits", seed=3)
    pad = take_the_pen(desk)
    desk.window.transport.set_pace(None)
    for step in range(4):
        scribble(pad, ((0.2, 0.2 + 0.1 * step), (0.8, 0.2 + 0.1 * step)))
        desk.advance(1)
    desk.until(lambda: pad._when.text() == f"step {desk.step}")
    plain = without_a_window(desk, desk.step)
    assert desk.scalars == plain


def test_drawing_while_it_runs(desks: Any) -> None:
    desk = desks().open("pca", dataset="digits", ritz=False)
    pad = take_the_pen(desk)
    desk.play()
    for y in range(2, 9):
        scribble(pad, ((0.2, y / 10), (0.8, y / 10)))
        desk.paint()
    desk.until(lambda: guest_in(desk) == {"scatter"} and desk.step >= 2)
    desk.until(lambda: pad._when.text() != "step 0")
    if desk.status == "running":
        desk.pause()
    desk.until(lambda: pad._when.text() == f"step {desk.step}")


@pytest.mark.parametrize("size", [(1024, 768), (1280, 720), (1920, 1080)])
@pytest.mark.parametrize("projector", [False, True])
def test_there_is_room_for_pad_and_pictures(desks: Any, size: tuple[int, int], projector: bool) -> None:
    desk = desks().open("pca", dataset="digits")
    desk.window.resize(*size)
    if projector:
        desk.window.toggle_projector()
    pad = take_the_pen(desk)
    scribble(pad, SEVEN)
    desk.until(lambda: guest_in(desk) == {"scatter"})
    desk.paint()
    assert (desk.window.width(), desk.window.height()) == size
    assert pad.sheet.square().width() >= 0.17 * size[0]
    area = desk.window.area
    assert area.width() >= 0.4 * size[0]
    corner, far = pad.mapTo(desk.window, QPoint(0, 0)), area.mapTo(desk.window, QPoint(area.width(), 0))
    assert corner.x() >= far.x()
