import numpy as np
import pytest
from PySide6.QtGui import QColor

from desktop.panels.bar_panel import BarPanel
from desktop.panels.catalogue import PANELS, make_panel
from desktop.panels.curve_panel import CurvePanel
from desktop.panels.note_panel import NotePanel
from desktop.selection import Selection
from desktop.style.tokens import look
from engine.api import Bars, Channel, Curve, Note, _

NAN = float("nan")


@pytest.fixture
def shown(qtbot):
    def show(panel_class, width=480, height=320):
        panel = panel_class(_("Title"), Selection())
        qtbot.addWidget(panel)
        panel.resize(width, height)
        with qtbot.waitExposed(panel):
            panel.show()
        return panel

    return show


def places(widget, colour):
    """Rows and columns of the pixels of exactly this colour."""
    image = widget.grab().toImage()
    raw = np.frombuffer(image.convertToFormat(image.Format.Format_RGB32).constBits(), np.uint32)
    pixels = raw.reshape(image.height(), -1)[:, : image.width()] & 0xFFFFFF
    return np.nonzero(pixels == (QColor(colour).rgb() & 0xFFFFFF))


# ── curves ──────────


def test_lines_are_named_at_their_ends_and_the_mark_stands_upright(shown):
    panel = shown(CurvePanel)
    x = np.arange(2, 11, dtype=np.float32)
    panel.present(Curve(x, {"score": x * 0.1, "gap": 1 - x * 0.05}, ("k", "value"), mark=6.0), 4)
    chart = panel._chart
    assert chart.labels_fit
    rows, columns = places(chart, look.curves[0])
    assert columns.max() > chart.plot_rect.right() + 10  # the name
    rows, columns = places(chart, look.colours.accent)
    inside = columns[rows > chart.plot_rect.center().y()]
    middle = chart.plot_rect.left() + (6 - 2) / 8 * chart.plot_rect.width()
    assert abs(inside.mean() - middle) < 2
    assert [upright.text for upright in chart.uprights] == ["k = 6"]


def test_many_names_become_a_legend(shown):
    panel = shown(CurvePanel, 1000, 120)
    panel.present(Curve(np.arange(5.0), {f"line number {i}": np.arange(5.0) for i in range(9)}), 4)
    assert not panel._chart.labels_fit
    assert "line number 8" in panel._aside.text()


@pytest.mark.parametrize(
    ("x", "lines"),
    [
        ([], {}),
        ([], {"a": []}),
        ([1], {"a": [2]}),
        ([1, 2, 3], {"a": [NAN, NAN, NAN], "b": [1, NAN, np.inf]}),
        ([NAN, 2, 1], {"a": [1, 2, 3]}),
        ([1, 1, 1], {"a": [1, 2, 3]}),
        ([1, 2, 3], {"a": [1, 2]}),
        ([1e30, 2e30], {"a": [-1e300, 1e300]}),
    ],
)
def test_odd_curves_are_drawn_without_complaint(shown, x, lines):
    panel = shown(CurvePanel)
    for mark in (None, 2.0, NAN):
        curve = Curve(
            np.array(x, np.float64), {k: np.array(v, np.float64) for k, v in lines.items()}, mark=mark
        )
        panel.present(curve, 1)
        panel.grab()
    panel.resize(40, 30)
    panel.grab()
    panel.reset()
    panel.grab()


# ── bars ──────────


def test_bars_are_as_long_as_their_values(shown):
    panel = shown(BarPanel)
    panel.present(Bars(np.array([1.0, 2.0, 4.0]), ("a", "b", "c"), np.array([0, 1, 2], np.int32)), 1)
    extents = []
    for label in range(3):
        rows, columns = places(panel.canvas, look.classes[label])
        extents.append((np.ptp(rows), np.ptp(columns)))
    along = 0 if extents[0][0] != extents[2][0] else 1
    lengths = [extent[along] for extent in extents]
    assert lengths[1] == pytest.approx(2 * lengths[0], abs=3)
    assert lengths[2] == pytest.approx(4 * lengths[0], abs=12)


def test_the_mouse_on_a_bar_lights_its_class(shown, qtbot):
    panel = shown(BarPanel)
    selection = panel.canvas._selection
    panel.present(Bars(np.array([3.0, 2.0]), ("a", "b"), np.array([4, 5], np.int32)), 1)
    panel.grab()
    qtbot.mouseMove(panel.canvas, panel.canvas._boxes[1].center().toPoint())
    qtbot.waitUntil(lambda: selection.lit == 5)
    assert len(places(panel.canvas, look.classes[4])[0]) == 0
    panel.canvas._point(-1)
    assert selection.lit is None
    assert len(places(panel.canvas, look.classes[4])[0]) > 100


def test_long_names_lay_the_bars_down(shown):
    panel = shown(BarPanel, 300, 300)
    panel.present(Bars(np.ones(4), ("a very long name indeed",) * 4), 1)
    panel.grab()
    boxes = panel.canvas._boxes
    assert boxes[0].left() == boxes[1].left()
    panel.present(Bars(np.ones(8), tuple("abcdefgh")), 1)
    panel.grab()
    boxes = panel.canvas._boxes
    assert boxes[0].top() == boxes[1].top()


@pytest.mark.parametrize(
    "values", [[], [0], [NAN, np.inf, 1], [-1, 2, -3], [1e30, 1e-30], [0] * 300, [-2, -1]]
)
def test_odd_bars_are_drawn_without_complaint(shown, values):
    panel = shown(BarPanel)
    for names in ((), ("n",), tuple(f"name {i}" for i in range(len(values)))):
        panel.present(Bars(np.array(values, np.float64), names, axis="size"), 1)
        for size in ((480, 320), (25, 25), (100, 600)):
            panel.canvas.resize(*size)
            panel.canvas.grab()


# ── the rest ──────────


def test_a_note_is_shown_and_forgotten(shown):
    panel = shown(NotePanel)
    panel.present(Note(_("Press play.")), 1)
    assert panel._words.text() == "Press play."
    assert len(places(panel._words, look.colours.quiet)[0]) > 5
    panel.reset()
    assert panel._words.text() == ""


def test_every_payload_has_a_panel(qtbot):
    for payload, panel_class in PANELS.items():
        panel = make_panel(Channel(payload, _("Title")), Selection())
        qtbot.addWidget(panel)
        assert type(panel) is panel_class
