import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor

from desktop.panels.image_grid import ImageGrid, best_columns, to_image
from desktop.selection import Selection
from desktop.style import palettes
from desktop.style.tokens import look
from engine.api import Images, _


@pytest.fixture
def grid(qtbot):
    panel = ImageGrid(_("Pictures"), Selection())
    qtbot.addWidget(panel)
    panel.resize(500, 400)
    with qtbot.waitExposed(panel):
        panel.show()
    panel.selection = panel.canvas._selection
    return panel


def steps_of_grey(n, size=4):
    return np.broadcast_to(np.linspace(0, 1, n, dtype=np.float32)[:, None, None], (n, size, size))


def centre(grid, index):
    return grid.canvas.grid.tile(index).center()


def colour_at(grid, point):
    return grid.canvas.grab().toImage().pixelColor(QPointF(point).toPoint())


def test_each_picture_is_where_its_tile_is(grid):
    grid.present(Images(steps_of_grey(12)), 3)
    for index in (0, 5, 11):
        expected = round(index / 11 * 255)
        assert colour_at(grid, centre(grid, index)) == QColor(expected, expected, expected)


def test_pixels_stay_crisp(grid):
    board = (np.indices((4, 4)).sum(0) % 2).astype(np.float32)
    grid.present(Images(board[None]), 1)
    tile = grid.canvas.grid.tile(0)
    image = grid.canvas.grab().toImage()
    row = {
        image.pixelColor(x, int(tile.top() + 3)).name()
        for x in range(int(tile.left()) + 1, int(tile.right()) - 1)
    }
    assert row == {"#000000", "#ffffff"}


@pytest.mark.parametrize(
    ("count", "width", "height"), [(16, 400, 400), (3, 900, 200), (7, 200, 900), (400, 960, 540)]
)
def test_the_number_of_columns_makes_pictures_large_and_fits(count, width, height):
    columns = best_columns(count, width, height, (28, 28), 4, 0)
    rows = -(-count // columns)
    side = min((width - 4 * (columns - 1)) / columns, (height - 4 * (rows - 1)) / rows)
    for other in range(1, count + 1):
        other_rows = -(-count // other)
        rival = min((width - 4 * (other - 1)) / other, (height - 4 * (other_rows - 1)) / other_rows)
        assert side >= 0.92 * rival


def test_given_columns_keep_rows_in_line(grid):
    grid.present(Images(steps_of_grey(8), columns=4, rows=("input", "output")), 1)
    layout = grid.canvas.grid
    assert layout.columns == 4
    assert layout.tile(0).left() == layout.tile(4).left()
    assert layout.tile(3).top() == layout.tile(0).top()
    assert layout.beside or layout.above


def test_captions_are_drawn_or_left_out_but_never_tiny(grid):
    grid.present(Images(steps_of_grey(4), captions=("a", "b", "c", "d")), 1)
    assert grid.canvas.grid.caption > 0
    grid.present(Images(steps_of_grey(400), captions=("a long caption",) * 400), 1)
    assert grid.canvas.grid.caption == 0


def test_frames_wear_the_colour_of_the_label(grid):
    grid.present(Images(np.zeros((4, 5, 5), np.float32), label=np.array([0, 1, 2, -1], np.int32)), 1)
    for index in range(3):
        tile = grid.canvas.grid.tile(index)
        assert colour_at(grid, QPointF(tile.left() - 1, tile.center().y())) == QColor(look.classes[index])


def test_signed_pictures_are_blue_ground_orange():
    image = to_image(np.array([[-1.0, 0.0, 1.0]]), signed=True)
    blue, ground, orange = (image.pixelColor(x, 0) for x in range(3))
    assert blue.blue() > blue.red()
    assert ground == QColor(look.colours.plot)
    assert orange.red() > orange.blue()
    look.update(theme="dark")
    assert to_image(np.zeros((1, 1)), signed=True).pixelColor(0, 0).lightness() < 40


def test_the_mouse_lights_the_item_and_a_click_pins_it(grid, qtbot):
    grid.present(Images(steps_of_grey(9), items=np.arange(100, 109, dtype=np.int32)), 1)
    qtbot.mouseMove(grid.canvas, centre(grid, 4).toPoint())
    qtbot.waitUntil(lambda: grid.selection.hover == 104)
    qtbot.mouseClick(grid.canvas, Qt.MouseButton.LeftButton, pos=centre(grid, 2).toPoint())
    assert grid.selection.pin == 102
    qtbot.mouseClick(grid.canvas, Qt.MouseButton.LeftButton, pos=centre(grid, 2).toPoint())
    assert grid.selection.pin == -1


def test_an_item_lit_elsewhere_gets_a_ring(grid):
    grid.present(Images(np.zeros((4, 5, 5), np.float32), items=np.arange(4, dtype=np.int32)), 1)
    tile = grid.canvas.grid.tile(3)
    edge = QPointF(tile.left() - 1.5, tile.center().y())
    assert colour_at(grid, edge) != look.colour("accent")
    grid.selection.set_hover(3)
    assert colour_at(grid, edge) == look.colour("accent")


def test_items_outside_the_selection_stand_back(grid):
    grid.present(Images(np.zeros((4, 5, 5), np.float32), items=np.arange(4, dtype=np.int32)), 1)
    grid.selection.select(np.array([1], np.int32))
    assert colour_at(grid, centre(grid, 1)).lightness() < 20
    assert colour_at(grid, centre(grid, 0)).lightness() > 150
    grid.selection.select(None)
    assert colour_at(grid, centre(grid, 0)).lightness() < 20


def test_a_small_picture_is_enlarged_under_the_mouse(grid):
    grid.present(Images(np.ones((400, 8, 8), np.float32)), 1)
    assert grid.canvas.grid.width < 40
    accent = look.colour("accent")

    def widest_ring():
        image = grid.canvas.grab().toImage()
        found = [
            x for x in range(image.width()) for y in range(image.height()) if image.pixelColor(x, y) == accent
        ]
        return max(found, default=0) - min(found, default=0)

    assert widest_ring() == 0
    grid.canvas._set_hovered(150)
    assert widest_ring() > 80


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((0, 4, 4)),
        np.zeros((1, 1, 1)),
        np.zeros((3, 1, 1), np.float16),
        np.random.default_rng(0).random((5, 6, 9, 3)),
        np.zeros((2, 3, 4, 1), np.float32),
        np.full((3, 4, 4), np.nan),
        np.array([[[np.inf, -np.inf]]]),
        np.full((3, 100, 2), 7.0),
        np.zeros((4, 0, 3)),
        np.zeros((3000, 2, 2), np.float32),
    ],
)
@pytest.mark.parametrize("signed", [False, True])
def test_odd_pictures_are_drawn_without_complaint(grid, pixels, signed):
    extra = {
        "label": np.zeros(1, np.int32),
        "captions": ("x",),
        "items": np.zeros(1, np.int32),
        "rows": ("r", "s"),
    }
    for payload in (Images(pixels, signed=signed), Images(pixels, columns=2, signed=signed, **extra)):
        grid.present(payload, 0)
        grid.canvas._set_hovered(0)
        for size in ((500, 400), (30, 30), (3, 3)):
            grid.canvas.resize(*size)
            grid.canvas.grab()
    grid.reset()
    grid.canvas.grab()


def test_palettes_reach_their_ends():
    assert palettes.viridis().shape == (256, 3)
    assert palettes.viridis()[0].tolist() == [0x44, 0x01, 0x54]
    assert palettes.cividis()[-1].tolist() == [0xFF, 0xEA, 0x46]
    light = palettes.cividis().astype(float) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(light) > -0.7).all()
