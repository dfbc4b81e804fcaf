import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor

from desktop.language import language
from desktop.panels.loss_plot import LossPlot
from desktop.panels.scales import Scale, log_ticks, nice_ticks, tick_text
from desktop.panels.trace import BLOCK, Trace
from desktop.selection import Selection
from desktop.style.tokens import look
from engine.api import Scalar, _

TWO = {"inertia": Scalar(_("Inertia")), "moved": Scalar(_("Moved"))}


@pytest.fixture
def plot(qtbot):
    panel = LossPlot(_("Learning curves"), Selection())
    qtbot.addWidget(panel)
    panel.resize(640, 400)
    panel.set_scalars(TWO)
    with qtbot.waitExposed(panel):
        panel.show()
    return panel


def colours(widget, rect=None):
    image = widget.grab().toImage()
    raw = np.frombuffer(image.convertToFormat(image.Format.Format_RGB32).constBits(), np.uint32)
    pixels = raw.reshape(image.height(), -1)[:, : image.width()] & 0xFFFFFF
    if rect is not None:
        pixels = pixels[int(rect.top()) : int(rect.bottom()), int(rect.left()) : int(rect.right())]
    return pixels


def count(pixels, colour):
    return int((pixels == (QColor(colour).rgb() & 0xFFFFFF)).sum())


def chart_of(plot, index=0):
    return plot._lanes[index].chart


def test_both_curves_are_painted_in_their_colours(plot):
    steps = list(range(50))
    plot.extend(steps, {"inertia": [50 - s for s in steps], "moved": list(steps)})
    chart = chart_of(plot)
    pixels = colours(chart, chart.plot_rect)
    assert count(pixels, look.curves[0]) > 300
    assert count(pixels, look.curves[1]) > 300
    # Falling: the first curve is high at the left and low at the right.
    there = pixels == (QColor(look.curves[0]).rgb() & 0xFFFFFF)
    quarter, height = pixels.shape[1] // 4, pixels.shape[0]
    assert np.nonzero(there[:, :quarter])[0].mean() < height / 3
    assert np.nonzero(there[:, -quarter:])[0].mean() > 2 * height / 3


def test_title_and_values_wear_the_colours_of_the_curves(plot):
    plot.extend([0, 1], {"inertia": [3.0, 2.5], "moved": [1.0, 0.25]})
    assert look.curves[0] in plot._title.text()
    assert "Inertia" in plot._title.text()
    assert look.curves[1] in plot._aside.text()
    assert "2.5" in plot._aside.text()
    language.switch("fr")
    assert "2,5" in plot._aside.text()


def test_a_million_points_become_few_vertices(plot):
    n = 1_000_000
    noise = np.random.default_rng(0).standard_normal(n)
    plot.extend(range(n), {"inertia": noise, "moved": noise})
    chart = chart_of(plot)
    for stroke in chart.strokes:
        assert 50 < len(stroke.x) <= chart.columns() + 2
        assert stroke.x[0] == 0
        assert stroke.x[-1] == n - 1
    assert min(s.low.min() for s in chart.strokes) == noise.min()
    assert max(s.high.max() for s in chart.strokes) == noise.max()


def test_very_different_magnitudes_get_an_axis_each(plot):
    steps = list(range(30))
    plot.extend(steps, {"inertia": [9000 - 100 * s for s in steps], "moved": [s / 30 for s in steps]})
    left, right = chart_of(plot)._scales
    assert left.high >= 9000
    assert right is not None
    assert right.high <= 2


def test_like_magnitudes_share_one_axis(plot):
    steps = list(range(30))
    plot.extend(steps, {"inertia": [30 - s for s in steps], "moved": [s * 0.8 for s in steps]})
    assert chart_of(plot)._scales[1] is None


def test_the_ghost_stays_when_a_new_run_starts(plot):
    steps = list(range(40))
    plot.extend(steps, {"inertia": [40 - s for s in steps], "moved": list(steps)})
    plot.keep_ghost()
    chart = chart_of(plot)
    assert len(chart.ghosts) == 2
    assert count(colours(chart, chart.plot_rect), look.curves[0]) == 0
    grey = chart.ghosts[0].colour
    assert count(colours(chart, chart.plot_rect), grey) > 100
    plot.extend([0, 1, 2], {"inertia": [20, 19, 18], "moved": [1, 2, 3]})
    assert len(chart.strokes) == 2
    plot.reset()
    assert len(chart.ghosts) == 2
    plot.clear_ghost()
    assert chart.strokes == chart.ghosts == []


def test_flags_and_the_shown_step_stand_upright(plot):
    plot.extend(range(100), {"inertia": np.arange(100.0), "moved": np.arange(100.0)})
    chart = chart_of(plot)
    assert count(colours(chart), look.colours.flag) == 0
    plot.set_flags([(50, "k 4 → 6")])
    assert count(colours(chart), look.colours.flag) > 50
    assert count(colours(chart), look.colours.accent) == 0
    plot.set_shown(25, live=False)
    accent = colours(chart, chart.plot_rect) == (QColor(look.colours.accent).rgb() & 0xFFFFFF)
    assert abs(np.nonzero(accent)[1].mean() / chart.plot_rect.width() - 25 / 99) < 0.02
    assert "25" in plot._aside.text()
    plot.set_shown(99, live=True)
    assert count(colours(chart), look.colours.accent) == 0


def test_more_than_two_scalars_are_stacked_where_there_is_room(plot, qtbot):
    plot.set_scalars({name: Scalar(name) for name in "abcd"})
    plot.extend([0, 1, 2], {name: [1.0, 2.0, 1.5] for name in "abcd"})
    assert [chart_of(plot, i).isVisible() for i in (0, 1)] == [True, True]
    assert [name for name, _value, _colour in chart_of(plot, 1).heading] == ["c", "d"]
    plot.resize(300, 160)
    qtbot.waitUntil(lambda: not chart_of(plot, 1).isVisible())
    assert len(chart_of(plot).strokes) == 4
    plot.resize(900, 160)  # low and wide: side by side
    qtbot.waitUntil(lambda: chart_of(plot, 1).isVisible())
    assert chart_of(plot, 1).x() > chart_of(plot).x()
    assert chart_of(plot, 1).y() == chart_of(plot).y()


def test_a_click_asks_for_that_step(plot, qtbot):
    plot.extend(range(101), {"inertia": np.arange(101.0), "moved": np.arange(101.0)})
    chart = chart_of(plot)
    with qtbot.waitSignal(plot.sought) as blocker:
        qtbot.mouseClick(chart.viewport(), Qt.MouseButton.LeftButton, pos=chart.plot_rect.center().toPoint())
    assert abs(blocker.args[0] - 50) <= 1


def test_the_crosshair_reads_the_nearest_step(plot):
    plot.extend([0, 10, 20], {"inertia": [3.0, 2.0, 1.0], "moved": [5.0, 6.0, 7.0]})
    step, readings = chart_of(plot).readout(11.4)
    assert step == 10
    assert [reading.text for reading in readings] == ["step 10", "Inertia 2", "Moved 6"]
    chart = chart_of(plot)
    chart.scene().sigMouseMoved.emit(QPointF(chart.plot_rect.center()))
    assert count(colours(chart), look.colours.text) > 5
    assert chart._cross == pytest.approx(10, abs=0.2)


def test_double_click_shows_all_again(plot):
    plot.extend(range(100), {"inertia": np.arange(100.0), "moved": np.arange(100.0)})
    chart = chart_of(plot)
    chart.getViewBox().setXRange(20, 30, padding=0)
    chart.getViewBox().sigRangeChangedManually.emit([True, False])
    plot.extend([100], {"inertia": [1.0], "moved": [1.0]})
    assert chart.span == (20, 30)
    assert chart.strokes[0].x.max() <= 31
    chart.show_all()
    assert chart.span == (0, 100)


def test_a_hidden_plot_draws_nothing_until_shown(plot):
    plot.hide()
    plot.extend(range(100), {"inertia": np.arange(100.0), "moved": np.arange(100.0)})
    assert chart_of(plot).strokes == []
    plot.show()
    assert len(chart_of(plot).strokes) == 2


def test_log_scalars_fall_back_where_values_reach_zero(plot):
    plot.set_scalars({"loss": Scalar("loss", log=True)})
    plot.extend([0, 1, 2], {"loss": [100.0, 1.0, 0.01]})
    assert chart_of(plot)._scales[0].log
    plot.extend([3], {"loss": [0.0]})
    assert not chart_of(plot)._scales[0].log


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(
    "values",
    [
        [],
        [1.0],
        [0.0],
        [5.0] * 10,
        [float("nan")] * 5,
        [1.0, float("nan"), float("inf"), -float("inf"), 2.0],
        [1e300, -1e300, 1e-300],
        [1e-320, 1e-310],
        [-3.0, -2.0],
        [1e12, 1e12 + 1],
        [3, 2, 1],
    ],
)
def test_odd_values_are_drawn_without_complaint(plot, values, log):
    plot.set_scalars({"a": Scalar("a", log=log), "b": Scalar("b"), "c": Scalar("c")})
    plot.extend(range(len(values)), {"a": values, "b": values[:1]})
    plot.set_flags([(0, "x")])
    for size in ((640, 400), (60, 40), (300, 120)):
        plot.resize(*size)
        plot.grab()
    plot.keep_ghost()
    plot.grab()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_theme_and_projector_are_followed(plot, theme):
    plot.extend(range(50), {"inertia": np.arange(50.0), "moved": np.arange(50.0)[::-1]})
    thin = count(colours(chart_of(plot)), look.curves[0])
    look.update(theme=theme, projector=True)
    thick = count(colours(chart_of(plot)), look.curves[0])
    assert thick > 1.2 * thin
    corner = chart_of(plot).grab().toImage().pixelColor(QPoint(1, 1))
    assert corner == look.colour("surface")


# ── the parts ──────────


def test_a_trace_reduces_the_same_however_it_arrived():
    rng = np.random.default_rng(3)
    values = rng.standard_normal(5000)
    values[::97] = np.nan
    whole, pieces = Trace(), Trace()
    whole.extend(range(5000), values)
    at = 0
    while at < 5000:
        size = int(rng.integers(1, 200))
        pieces.extend(range(at, min(at + size, 5000)), values[at : at + size])
        at += size
    for columns in (20, 70, 400):
        one, other = whole.reduced(0, 4999, columns), pieces.reduced(0, 4999, columns)
        np.testing.assert_allclose(one.y, other.y)
        np.testing.assert_array_equal(one.low, other.low)


@pytest.mark.parametrize("columns", [30, 100, 300])
def test_a_reduced_trace_is_mean_and_range_of_its_runs(columns):
    values = np.random.default_rng(1).standard_normal(40 * BLOCK + 17)
    trace = Trace()
    trace.extend(range(len(values)), values)
    one = trace.reduced(0, len(values), columns)
    run = next(2**k for k in range(20) if -(-len(values) // 2**k) == len(one.y))
    for index in (0, 3, len(one.y) - 1):
        part = values[index * run : (index + 1) * run]
        assert one.y[index] == pytest.approx(part.mean())
        assert (one.low[index], one.high[index]) == (part.min(), part.max())


def test_truncating_a_trace_forgets_its_summaries_too():
    trace = Trace()
    trace.extend(range(1000), np.arange(1000.0))
    trace.extend([1000], [-5.0])
    assert trace.lowest() == -5
    trace.truncate(100)
    assert len(trace) == 101
    assert trace.lowest() == 0
    assert trace.reduced(0, 1000, 10).high[-1] == 100


def test_steps_written_again_replace_the_old_ones():
    trace = Trace()
    trace.extend([0, 1, 2, 3], [0, 1, 2, 3])
    trace.extend([2, 3], [20, 30])
    assert trace.values.tolist() == [0, 1, 20, 30]


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3, 8), (1e-9, 2e-9), (0, 1e12), (999.5, 1000.5)])
@pytest.mark.parametrize("number_of", [1, 3, 7])
def test_nice_ticks_are_few_and_inside(low, high, number_of):
    ticks = nice_ticks(low, high, number_of)
    assert len(ticks) <= number_of + 1
    assert all(low - 1e-6 * (high - low) <= tick <= high + 1e-6 * (high - low) for tick in ticks)


def test_log_ticks_are_powers_of_ten_over_many_decades():
    assert log_ticks(0.01, 1000, 7) == pytest.approx([0.01, 0.1, 1, 10, 100, 1000])


def test_tick_texts_follow_the_language():
    assert tick_text(0.5, 0.5) == "0.5"
    assert tick_text(15000, 5000) == "15k"
    assert tick_text(2.5e6, 5e5) == "2.5M"
    assert tick_text(1e-6, 1e-6) == "10⁻⁶"
    language.switch("fr")
    assert tick_text(0.5, 0.5) == "0,5"


@pytest.mark.parametrize(("low", "high", "log"), [(1, 1, False), (0, 0, True), (2, 2, True), (-1, 5, True)])
def test_a_scale_always_has_a_height(low, high, log):
    scale = Scale.fit(low, high, log=log)
    assert scale.low < scale.high
    assert scale.low <= low
    assert scale.high >= high
