import itertools

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QKeySequence, QMouseEvent, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop.language import language
from desktop.panels.curve_panel import CurvePanel
from desktop.panels.trace import outline
from desktop.selection import Selection
from desktop.style.tokens import look
from engine.api import Curve, Handle, Histogram, Mark, Segments, _
from tests.desktop.conftest import drain

NAN, INF = float("nan"), float("inf")
LEFT, NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
X = np.linspace(0, 10, 101, dtype=np.float32)
HILL = np.exp(-((X - 5) ** 2)).astype(np.float32)


@pytest.fixture
def panel(qtbot):
    panel = CurvePanel(_("Title"), Selection())
    qtbot.addWidget(panel)
    panel.resize(640, 400)
    with qtbot.waitExposed(panel):
        panel.show()
    panel.acts = []
    panel.act.connect(lambda name, args: panel.acts.append((name, args)))
    return panel


def pixels(chart):
    image = chart.grab().toImage()
    raw = np.frombuffer(image.convertToFormat(image.Format.Format_RGB32).constBits(), np.uint32)
    return raw.reshape(image.height(), -1)[:, : image.width()] & 0xFFFFFF


def places(chart, colour):
    """Rows and columns of the pixels of exactly this colour."""
    return np.nonzero(pixels(chart) == (QColor(colour).rgb() & 0xFFFFFF))


def at(chart, x, y):
    """The pixel of a place in the view's units."""
    geometry = chart.geometry_now()
    return QPointF(geometry.x(x), geometry.y(y, 0)).toPoint()


def move(chart, place, button=Qt.MouseButton.NoButton):
    viewport = chart.viewport()
    where = QPointF(place)
    QApplication.sendEvent(
        viewport,
        QMouseEvent(
            QEvent.Type.MouseMove, where, viewport.mapToGlobal(where), Qt.MouseButton.NoButton, button, NO_KEY
        ),
    )


def with_handles(x=2.0, y=0.5, **more):
    handles = (Handle(x, y, "μ", "hill"), Handle(8, 0.25, "σ"))
    return Curve(X, {"hill": HILL}, handles=handles, span=(0, 10), range=(0, 1), **more)


# ── handles ──────────


def test_a_dragged_handle_follows_the_mouse_and_tells_where_it_is(panel, qtbot):
    panel.present(with_handles(), 0)
    chart = panel._chart
    QTest.mousePress(chart.viewport(), LEFT, NO_KEY, at(chart, 2, 0.5))
    span = chart.span
    for x in np.linspace(2.1, 6, 40):
        move(chart, at(chart, x, 0.7), LEFT)
        place = chart.handles.place(chart.handles.knobs[0], chart.geometry_now())
        assert abs(place.x() - at(chart, x, 0.7).x()) <= 1
        panel.present(with_handles(3.0), 1)  # a picture of an earlier moment does not fight
        assert chart.handles.place(chart.handles.knobs[0], chart.geometry_now()) == place
    assert chart.span == span  # the plot did not move along
    QTest.mouseRelease(chart.viewport(), LEFT, NO_KEY, at(chart, 6.5, 0.8))
    assert all(name == "drag" and args[0] == 0 for name, args in panel.acts)
    assert 2 <= len(panel.acts) < 40
    assert panel.acts[0][1][1] < 2.5  # at once, not only at the end
    index, x, y = panel.acts[-1][1]
    assert (index, x, y) == (0, pytest.approx(6.5, abs=0.05), pytest.approx(0.8, abs=0.01))
    panel.present(with_handles(6.5, 0.9), 2)
    qtbot.waitUntil(lambda: not chart.handles._settle_timer.isActive())
    assert chart.handles.place(chart.handles.knobs[0], chart.geometry_now()).toPoint() == at(chart, 6.5, 0.9)


def test_a_drag_is_told_at_most_once_per_interval(panel):
    panel.present(with_handles(), 0)
    chart = panel._chart
    chart.handles._send_timer.setInterval(10_000)
    QTest.mousePress(chart.viewport(), LEFT, NO_KEY, at(chart, 2, 0.5))
    for x in np.linspace(2.1, 6, 40):
        move(chart, at(chart, x, 0.5), LEFT)
    assert len(panel.acts) == 1
    QTest.mouseRelease(chart.viewport(), LEFT, NO_KEY, at(chart, 6, 0.5))
    assert len(panel.acts) == 2
    assert panel.acts[-1][1][1] == pytest.approx(6, abs=0.05)
    assert not chart.handles._send_timer.isActive()


def test_a_handle_stays_inside_the_plot_and_the_plot_is_not_dragged_with_it(panel):
    panel.present(with_handles(), 0)
    chart = panel._chart
    QTest.mousePress(chart.viewport(), LEFT, NO_KEY, at(chart, 8, 0.25))
    move(chart, QPoint(3000, -500), LEFT)
    QTest.mouseRelease(chart.viewport(), LEFT, NO_KEY, QPoint(3000, -500))
    assert panel.acts[-1] == ("drag", (1, pytest.approx(10), pytest.approx(1)))
    assert chart.follows
    assert chart.span == (0, 10)


def test_a_click_on_a_handle_moves_nothing_and_gives_it_the_arrow_keys(panel, qtbot):
    panel.present(with_handles(), 0)
    chart = panel._chart
    panel.activateWindow()
    chart.setFocus()
    qtbot.waitUntil(chart.hasFocus)
    qtbot.mouseClick(chart.viewport(), LEFT, pos=at(chart, 2, 0.5))
    assert panel.acts == []
    for key, (x, y) in zip(
        (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Up),
        ((2.1, 0.5), (2.2, 0.5), (2.2, 0.51)),
        strict=True,
    ):
        qtbot.keyClick(chart, key)
        assert panel.acts[-1] == ("drag", (0, pytest.approx(x), pytest.approx(y)))
    qtbot.keyClick(chart, Qt.Key.Key_Tab)
    qtbot.keyClick(chart, Qt.Key.Key_Left)
    assert panel.acts[-1][1] == (1, pytest.approx(7.9), pytest.approx(0.25))
    qtbot.keyClick(chart, Qt.Key.Key_Escape)
    qtbot.keyClick(chart, Qt.Key.Key_Left)
    assert len(panel.acts) == 4


def test_arrow_keys_are_the_windows_again_after_a_drag(panel, qtbot):
    panel.present(with_handles(), 0)
    chart, steps = panel._chart, []
    shortcut = QShortcut(QKeySequence(Qt.Key.Key_Right), panel)
    shortcut.activated.connect(lambda: steps.append(1))
    panel.activateWindow()
    chart.setFocus()
    qtbot.waitUntil(chart.hasFocus)
    place = at(chart, 2, 0.5)
    QTest.mousePress(chart.viewport(), LEFT, NO_KEY, place)
    move(chart, at(chart, 3, 0.5), LEFT)
    QTest.mouseRelease(chart.viewport(), LEFT, NO_KEY, at(chart, 3, 0.5))
    told = len(panel.acts)
    qtbot.keyClick(chart, Qt.Key.Key_Right)
    assert (len(panel.acts), len(steps)) == (told, 1)
    qtbot.mouseClick(chart.viewport(), LEFT, pos=at(chart, 3, 0.5))  # chosen, so it takes them
    qtbot.keyClick(chart, Qt.Key.Key_Right)
    assert (len(panel.acts), len(steps)) == (told + 1, 1)


def test_the_mouse_over_a_handle_is_a_hand(panel):
    panel.present(with_handles(), 0)
    chart = panel._chart
    move(chart, at(chart, 2, 0.5))
    assert chart.viewport().cursor().shape() == Qt.CursorShape.OpenHandCursor
    move(chart, at(chart, 5, 0.9))
    assert chart.viewport().cursor().shape() == Qt.CursorShape.ArrowCursor


def test_handles_are_large_in_projector_mode_and_wear_their_lines_colour(panel):
    look.update(projector=True)
    panel.present(with_handles(), 0)
    chart = panel._chart
    middle = at(chart, 2, 0.5)
    rows, columns = places(chart, look.curves[0])
    near = np.hypot(rows - middle.y(), columns - middle.x()) < 40
    assert np.ptp(rows[near]) >= 20
    rows, columns = places(chart, look.colours.accent)  # the other one belongs to no line
    assert abs(np.median(columns) - at(chart, 8, 0.25).x()) < 20


def test_names_of_handles_touch_no_other_handle(panel):
    handles = tuple(Handle(5 + dx, 0.5 + dy, "σ") for dx in (0, 0.4) for dy in (0, 0.1))
    panel.present(Curve(X, {"hill": HILL}, handles=handles, range=(0, 1)), 0)
    chart = panel._chart
    geometry = chart.geometry_now()
    spots = [chart.handles.place(knob, geometry) for knob in chart.handles.knobs]
    boxes = [box for _knob, box in chart.handles.names(geometry, spots)]
    assert len(boxes) == 4
    assert apart(boxes)
    assert not any(box.contains(spot) for box in boxes for spot in spots)


def test_handles_that_go_leave_the_hand(panel):
    panel.present(with_handles(), 0)
    chart = panel._chart
    QTest.mousePress(chart.viewport(), LEFT, NO_KEY, at(chart, 8, 0.25))
    panel.present(Curve(X, {"hill": HILL}), 1)
    move(chart, at(chart, 5, 0.5), LEFT)
    QTest.mouseRelease(chart.viewport(), LEFT, NO_KEY, at(chart, 5, 0.5))
    assert panel.acts == []
    panel.present(with_handles(), 0)
    QTest.mousePress(chart.viewport(), LEFT, NO_KEY, at(chart, 8, 0.25))
    panel.reset()
    assert chart.handles.held < 0


def test_a_handle_on_logarithmic_axes_speaks_in_data_units(panel):
    handle = Handle(100, 0.1, "h")
    panel.present(Curve(X + 1, {}, handles=(handle,), span=(1, 10_000), range=(0.01, 1), log=(True, True)), 0)
    chart = panel._chart
    QTest.mousePress(chart.viewport(), LEFT, NO_KEY, at(chart, 2, 0.1))
    move(chart, at(chart, 3, 0.5), LEFT)
    QTest.mouseRelease(chart.viewport(), LEFT, NO_KEY, at(chart, 3, 0.5))
    assert panel.acts[-1] == ("drag", (0, pytest.approx(1000, rel=0.05), pytest.approx(0.5, rel=0.05)))


# ── clicks, zoom ──────────


def test_a_click_acts_there_but_not_on_a_handle_nor_after_a_drag(panel, qtbot):
    panel.present(with_handles(click="throw"), 0)
    chart = panel._chart
    qtbot.mouseClick(chart.viewport(), LEFT, pos=at(chart, 4, 0.75))
    assert panel.acts == [("throw", (pytest.approx(4, abs=0.05), pytest.approx(0.75, abs=0.01)))]
    qtbot.mouseClick(chart.viewport(), LEFT, pos=at(chart, 2, 0.5))
    qtbot.mouseClick(chart.viewport(), LEFT, pos=QPoint(3, 3))  # beside the plot
    qtbot.mouseClick(chart.viewport(), Qt.MouseButton.RightButton, pos=at(chart, 4, 0.75))
    assert len(panel.acts) == 1
    panel.present(Curve(X, {"hill": HILL}), 1)
    qtbot.mouseClick(chart.viewport(), LEFT, pos=chart.plot_rect.center().toPoint())
    assert len(panel.acts) == 1


def test_a_double_click_fits_a_zoomed_plot(panel, qtbot):
    panel.present(with_handles(), 0)
    chart = panel._chart
    chart.getViewBox().setXRange(3, 4, padding=0)
    chart.getViewBox().sigRangeChangedManually.emit([True, False])
    panel.present(with_handles(), 1)
    assert chart.span == (3, 4)
    middle = chart.plot_rect.center().toPoint()
    qtbot.mouseClick(chart.viewport(), LEFT, pos=middle)
    qtbot.mouseDClick(chart.viewport(), LEFT, pos=middle)
    qtbot.mouseRelease(chart.viewport(), LEFT, pos=middle)
    assert chart.span == (0, 10)


# ── axes ──────────


def bottom_texts(chart):
    axis = chart._bottom
    ticks = axis.tickValues(*chart.span, chart.plot_rect.width())[0][1]
    return ticks, axis.tickStrings(ticks, 1, 1)


def test_logarithmic_axes_are_labelled_with_powers_of_ten(panel):
    n = np.geomspace(1, 1000, 20)
    panel.present(Curve(n, {"error": n**-0.5}, ("N", "error"), log=(True, True)), 0)
    chart = panel._chart
    ticks, texts = bottom_texts(chart)
    assert texts == ["1", "10", "100", "1,000"]
    assert ticks == pytest.approx([0, 1, 2, 3])
    side = chart._sides[0]
    assert {"0.1", "1"} <= set(side.texts(side.ticks(0, 1, chart.plot_rect.height())))
    xs, ys = chart.strokes[0].x, chart.geometry_now().ys(chart.strokes[0].y, 0)
    slopes = np.diff(ys) / np.diff(xs)
    assert slopes == pytest.approx([slopes[0]] * len(slopes))  # a power is a straight line
    language.switch("fr")
    assert "0,1" in side.texts(side.ticks(0, 1, chart.plot_rect.height()))


def test_two_decades_in_little_room_keep_ticks_that_are_read_right(panel):
    panel.resize(340, 260)
    h = np.geomspace(0.02, 2, 30)
    panel.present(Curve(h, {"held out": -h}, log=(True, False)), 0)
    ticks, texts = bottom_texts(panel._chart)
    assert len(set(texts)) == len(texts) >= 2
    assert [10**tick for tick in ticks] == pytest.approx([float(text) for text in texts])
    panel.present(Curve(1 + h, {"held out": -h}, log=(True, False), span=(1.1, 1.9)), 0)
    ticks, texts = bottom_texts(panel._chart)
    assert [10**tick for tick in ticks] == pytest.approx([float(text) for text in texts])


def test_a_linear_payload_after_a_logarithmic_one_has_linear_ticks(panel):
    panel.present(Curve(X + 1, {"a": HILL}, log=(True, False)), 0)
    panel.present(Curve(np.linspace(0, 1, 5), {"a": np.ones(5)}), 1)
    ticks, texts = bottom_texts(panel._chart)
    assert texts[0] == "0"
    assert ticks == pytest.approx([float(text) for text in texts])


def test_span_and_range_are_what_the_axes_show(panel):
    panel.present(Curve(X, {"hill": HILL}, span=(-3, 20), range=(-0.35, 2.2)), 0)
    chart = panel._chart
    assert chart.span == (-3, 20)
    assert (chart._scales[0].low, chart._scales[0].high) == (-0.35, 2.2)
    panel.present(Curve(X, {"hill": HILL}), 0)
    assert chart.span == (0, 10)
    assert chart._scales[0].high == pytest.approx(1)


# ── marks ──────────


def apart(boxes):
    boxes = [box.adjusted(0.01, 0.01, -0.01, -0.01) for box in boxes]
    return not any(one.intersects(other) for one, other in itertools.combinations(boxes, 2))


def test_the_crosshair_near_a_mark_says_its_name(panel):
    panel.present(Curve(X, {"hill": HILL}, mark=3.0, marks=(Mark(6, "best"),)), 0)
    assert panel._chart.readout(6.01)[1][-1].text == "best 6"
    assert all("best" not in reading.text for reading in panel._chart.readout(7)[1])


@pytest.mark.parametrize("projector", [False, True])
@pytest.mark.parametrize("size", [(380, 260), (640, 400), (1200, 700)])
def test_names_of_marks_touch_neither_each_other_nor_the_lines_names(panel, projector, size):
    look.update(projector=projector)
    panel.resize(*size)
    names = ("best", "Scott", "Silverman", "rule of thumb", "widest")
    for seed in range(12):
        where = np.sort(np.random.default_rng(seed).uniform(0, 10, 5)) if seed else [9.0, 9.1, 9.2, 9.9, 10.0]
        marks = tuple(Mark(float(x), name) for x, name in zip(where, names, strict=True))
        panel.present(Curve(X, {"hill": HILL, "top": HILL * 0 + 1}, ("h", "log p"), mark=1.0, marks=marks), 0)
        panel.grab()
        chart = panel._chart
        geometry = chart.geometry_now()
        marked = chart.mark_boxes()
        assert len(marked) == 6 or chart.height() < 370
        assert len(marked) >= 4 or chart.height() < 300
        lines = [box for box, _text, _colour in chart.label_boxes(geometry)] if chart.labels_fit else []
        assert apart(marked + lines)
        assert all(QRectF(chart.rect()).adjusted(-1, -1, 1, 1).contains(box) for box in marked)
        assert all(box.bottom() <= geometry.rect.top() + 1 for box in marked)


def test_a_mark_stands_where_it_belongs_on_a_logarithmic_axis(panel):
    h = np.geomspace(0.01, 1, 30)
    panel.present(Curve(h, {"score": np.ones(30)}, marks=(Mark(0.1, "best"),), log=(True, False)), 0)
    chart = panel._chart
    rows, columns = places(chart, look.colours.text)
    inside = columns[rows > chart.plot_rect.center().y()]
    assert abs(inside.mean() - chart.plot_rect.center().x()) < 2
    assert [upright.text for upright in chart.uprights] == ["best"]


# ── what lies under and over the lines ──────────


def test_bars_stand_side_by_side_and_are_read_under_the_mouse(panel):
    edges, heights = np.linspace(0, 10, 6), np.array([1.0, 4.0, 2.0, 0.0, 3.0])
    panel.present(Curve(X, {}, ("D", "count"), histogram=Histogram(edges, heights, "measured")), 0)
    chart = panel._chart
    geometry = chart.geometry_now()
    assert chart.span == (0, 10)
    shown = pixels(chart)
    ground = QColor(look.colours.surface).rgb() & 0xFFFFFF
    for k, height in enumerate(heights):
        for share in (0.2, 0.8):
            place = QPointF(geometry.x(edges[k] + 2 * share), geometry.y(max(height / 2, 0.1), 0)).toPoint()
            assert (shown[place.y(), place.x()] != ground) == (height > 0)
    x, readings = chart.readout(3.1)
    assert x == 3
    assert [reading.text for reading in readings] == ["D 3", "measured 2 … 4: 4"]
    assert readings[1].y == 4
    assert chart.readout(12)[1] == []


def test_the_crosshair_reads_lines_and_bars_on_a_logarithmic_axis(panel):
    n = np.array([1.0, 10.0, 100.0])
    bars = Histogram(np.array([1.0, 50.0, 100.0]), np.array([5.0, 6.0]))
    panel.present(Curve(n, {"a": n}, ("N", ""), histogram=bars, log=(True, False)), 0)
    place, readings = panel._chart.readout(1.2)
    assert place == pytest.approx(1)
    assert [reading.text for reading in readings] == ["N 10", "a 10", "1 … 50: 5"]


def test_a_filled_line_is_tinted_between_itself_and_zero(panel):
    wave = np.sin(X)
    panel.present(Curve(X, {"wave": wave}, filled=("wave",), range=(-1.5, 1.5)), 0)
    chart = panel._chart
    shown = pixels(chart)
    tints = [shown[(p := at(chart, x, y)).y(), p.x()] for x, y in ((1.5, 0.53), (4.7, -0.53))]
    bare = [shown[(p := at(chart, x, y)).y(), p.x()] for x, y in ((1.5, -0.53), (4.7, 0.53))]
    assert tints[0] == tints[1] != bare[0] == bare[1] == (QColor(look.colours.surface).rgb() & 0xFFFFFF)


def test_a_gap_in_a_line_is_left_open(panel):
    y = np.ones(101)
    y[40:61] = NAN
    panel.present(Curve(X, {"a": y}, range=(0, 2)), 0)
    chart = panel._chart
    _rows, columns = places(chart, look.curves[0])
    geometry = chart.geometry_now()
    left, right = geometry.x(4.2), geometry.x(5.8)
    assert not np.any((columns > left) & (columns < right))
    assert np.any(columns < left)
    assert np.any(columns > right)


def test_segments_wear_the_colours_of_their_labels(panel):
    start, end = np.array([[1, 0], [5, 0]]), np.array([[1, 1], [5, 1]])
    panel.present(Curve(X, {}, segments=Segments(start, end, np.array([1, 2])), range=(0, 1)), 0)
    chart = panel._chart
    for label, x in ((1, 1), (2, 5)):
        _rows, columns = places(chart, look.curves[label])
        assert abs(columns.mean() - at(chart, x, 0).x()) <= 1.5


def test_a_rug_is_on_the_axis_and_dots_are_in_front(panel):
    panel.present(
        Curve(
            X, {"flat": X * 0 + 0.5}, rug=np.array([2.0, 2.0, 7.0]), dots=np.array([[5, 0.5]]), range=(0, 1)
        ),
        0,
    )
    chart = panel._chart
    rect = chart.plot_rect
    shown = pixels(chart)
    row = shown[int(rect.bottom()) - 4]
    dark = np.flatnonzero((row & 0xFF) < 150)
    dark = dark[dark > rect.left() + 3]
    assert abs(dark - at(chart, 2, 0).x()).min() <= 1
    assert abs(dark - at(chart, 7, 0).x()).min() <= 1
    assert np.ptp(np.minimum(abs(dark - at(chart, 2, 0).x()), abs(dark - at(chart, 7, 0).x()))) <= 3
    rows, columns = places(chart, look.colours.text)
    middle = at(chart, 5, 0.5)
    assert np.hypot(rows - middle.y(), columns - middle.x()).min() < 1.5


def test_quiet_lines_are_paler_than_the_line(panel):
    kernels = np.stack([0.5 * np.exp(-4 * (X - c) ** 2) for c in (2, 4, 6)])
    panel.present(Curve(X, {"sum": HILL + 1.2}, quiet=kernels, range=(0, 2.5)), 0)
    chart = panel._chart
    peak = at(chart, 4, 0.5)
    around = pixels(chart)[peak.y() - 2 : peak.y() + 3, peak.x() - 2 : peak.x() + 3]
    strong, ground = QColor(look.curves[0]), QColor(look.colours.surface)
    reds = (around >> 16) & 0xFF
    assert strong.red() < reds.min() < ground.red()


def test_a_needle_keeps_its_height_however_narrow_the_picture(panel):
    x = np.linspace(0, 1, 4001)
    y = np.exp(-(((x - 0.503) / 0.0006) ** 2))
    panel.resize(300, 260)
    panel.present(Curve(x, {"needle": y}), 0)
    assert panel._chart.strokes[0].y.max() > 0.95
    assert len(panel._chart.strokes[0].x) < 800


@pytest.mark.parametrize("columns", [1, 7, 50, 500])
def test_an_outline_keeps_ends_and_extremes(columns):
    rng = np.random.default_rng(columns)
    x, y = np.arange(1000.0), rng.standard_normal((3, 1000)).cumsum(axis=1)
    y[1, 300:320] = NAN
    short_x, short = outline(x, y, columns)
    assert len(short_x) == short.shape[1] <= max(2 * columns + 2, 2)
    assert (short_x[0], short_x[-1]) == (0, 999)
    np.testing.assert_array_equal(np.nanmin(short, axis=1), np.nanmin(y, axis=1))
    np.testing.assert_array_equal(np.nanmax(short, axis=1), np.nanmax(y, axis=1))


def test_more_lines_than_colours_are_told_apart(panel):
    count = len(look.curves)
    panel.present(Curve(X, {f"d = {d}": X + d for d in range(count + 1)}), 0)
    first, last = panel._chart.strokes[0], panel._chart.strokes[count]
    assert first.colour == last.colour
    assert last.dashed
    assert not first.dashed


# ── robustness ──────────


def everything(rng, size, bad):
    """A payload that has all there is, some of it odd."""

    def numbers(*shape):
        values = rng.normal(2, 3, shape)
        values[rng.random(shape) < (0.3 if bad else 0)] = rng.choice([NAN, INF, -INF, 0, 1e300, -1e300])
        return values

    start = numbers(size, 2)
    edges = np.sort(rng.normal(2, 3, size + 1))
    lines = {"a": numbers(size), "b": numbers(size), "": numbers(max(size - 1, 0))}
    marks = tuple(Mark(float(x), "m") for x in numbers(min(size, 6)))
    return Curve(
        np.sort(numbers(size)), lines, ("x", "y"), mark=rng.choice([1.0, NAN, INF]), marks=marks,
        histogram=Histogram(edges if rng.random() < 0.7 else numbers(size + 1), numbers(size), "h"),
        filled=("a", "unknown"), quiet=numbers(5, size), rug=numbers(size),
        segments=Segments(start, numbers(size, 2), rng.integers(-1, 30, size)), dots=numbers(size, 2),
        handles=tuple(Handle(float(x), float(y), "k", "a") for x, y in numbers(min(size, 4), 2)),
        click="go", log=(bool(rng.random() < 0.5), bool(rng.random() < 0.5)),
        span=None if rng.random() < 0.6 else tuple(numbers(2)),
        range=None if rng.random() < 0.6 else (2.0, 1.0),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(30))
def test_whatever_comes_is_drawn_without_complaint(panel, seed):
    rng = np.random.default_rng(seed)
    panel.resize(*[(640, 400), (60, 40), (380, 260)][seed % 3])
    for size in (0, 1, 2, 60):
        panel.present(everything(rng, size, bad=seed % 2 == 1), 1)
        panel.grab()
        chart = panel._chart
        for _turn in range(2):
            chart.readout(float(rng.normal()))
            place = chart.rect().center() + QPoint(int(rng.integers(-20, 20)), 0)
            move(chart, place)
            QTest.mouseClick(chart.viewport(), LEFT, NO_KEY, place)
        panel.grab()
    look.update(theme="dark", projector=True)
    language.switch("fr")
    panel.grab()
    panel.reset()
    panel.grab()


@pytest.mark.parametrize(
    "odd",
    [
        {"quiet": np.ones((3, 7))},
        {"quiet": np.ones(101)},
        {"quiet": np.full((3, 101), NAN)},
        {"dots": np.ones(5)},
        {"segments": Segments(np.ones((3, 2)), np.ones((2, 2)))},
        {"segments": Segments(np.ones((3, 2)), np.zeros((3, 2)), np.arange(2))},
        {"histogram": Histogram(np.arange(5), np.ones(5))},
        {"histogram": Histogram(np.zeros(6), np.ones(5))},
        {"histogram": Histogram(np.array([]), np.array([]))},
        {"span": (NAN, 1)},
        {"span": (-1, 10), "log": (True, False)},
        {"range": (0, INF)},
        {"range": (3, 3)},
        {"log": (True, True)},
    ],
)
def test_what_does_not_fit_is_left_out(panel, odd):
    panel.present(Curve(X, {"hill": HILL}, **odd), 0)
    panel.grab()
    assert len(panel._chart.strokes) == 1
    low, high = panel._chart.span
    assert low < high


def test_nothing_positive_on_logarithmic_axes_draws_nothing(panel):
    panel.present(Curve(-X, {"a": -X}, log=(True, True), rug=-X), 0)
    panel.grab()
    assert len(panel._chart.strokes[0].x) == 0
    assert len(panel._chart.extras.rug) == 0


def test_zooming_far_out_of_a_logarithmic_axis_is_borne(panel):
    panel.present(Curve(X + 1, {"a": HILL}, log=(True, False), click="go"), 0)
    chart = panel._chart
    chart.getViewBox().setXRange(-5000, 5000, padding=0)
    chart.getViewBox().sigRangeChangedManually.emit([True, False])
    panel.grab()
    QTest.mouseClick(chart.viewport(), LEFT, NO_KEY, chart.plot_rect.topRight().toPoint() + QPoint(-3, 3))
    assert np.isfinite(panel.acts[-1][1]).all()


def test_a_hundred_pictures_leave_nothing_behind(panel):
    rng = np.random.default_rng(0)
    panel.present(everything(rng, 50, bad=False), 0)
    panel.grab()
    drain()
    chart = panel._chart
    items, children = len(chart.scene().items()), len(panel.findChildren(object))
    for step in range(100):
        panel.present(everything(rng, 50, bad=False), step)
        if step % 10 == 0:
            panel.grab()
    drain()
    assert len(chart.scene().items()) == items
    assert len(panel.findChildren(object)) == children


def test_a_hidden_panel_draws_the_newest_picture_when_shown(panel):
    panel.hide()
    panel.present(with_handles(), 0)
    assert panel._chart.strokes == []
    panel.show()
    assert len(panel._chart.handles.knobs) == 2


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everything_follows_the_theme(panel, theme):
    panel.present(with_handles(marks=(Mark(5, "m"),), dots=np.array([[3, 0.9]])), 0)
    look.update(theme=theme)
    chart = panel._chart
    assert chart.handles.knobs[0].colour == QColor(look.curves[0])
    assert chart.uprights[0].colour == look.colours.text
    assert len(places(chart, look.colours.text)[0]) > 20
