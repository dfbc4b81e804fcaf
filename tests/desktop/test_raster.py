import numpy as np
import pytest

from desktop.panels import raster
from desktop.panels.plane import Plane, extent, roomy, ticks
from desktop.panels.raster import Raster, Window

RNG = np.random.default_rng(0)
COLOURS = np.array([[0.8, 0.8, 0.8], [0.3, 0.3, 0.3], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
WHITE = np.ones(3)


def cloud(n):
    return RNG.normal(size=(n, 2)).astype(np.float32)


def drawn(xy, style, radius=4.0, halo=0.0, order=None, shape=None):
    dots = raster.stamp(radius, halo)
    picture = Raster(60, 40, 2 * dots.reach + 2)
    picture.place(xy, Window(0, 40, 1, 1), reach=dots.reach)
    order = np.arange(len(xy)) if order is None else np.asarray(order)
    picture.discs(np.asarray(style), shape, order, dots, raster.disc_colours(COLOURS, WHITE, halo))
    p = picture.pad
    return picture.image[p:-p, p:-p]


def rgba(pixel):
    return tuple(int(pixel) >> shift & 255 for shift in (16, 8, 0, 24))


def splatted(xy, code, order=None, spread=0, crowd=None):
    picture = Raster(60, 40, spread + 3)
    picture.place(np.asarray(xy, np.float32), Window(0, 40, 1, 1))
    colours, shades = raster.splat_colours(COLOURS.tobytes(), (COLOURS * 0.6).tobytes(), crowd)
    code = np.asarray(code, np.uint8)
    picture.splat(raster.mixed(code) if order is None else code[order], order, spread, shades, colours)
    p = picture.pad
    return picture.image[p:-p, p:-p]


@pytest.mark.parametrize("n", [0, 1, 5, raster.CHUNK - 1, raster.CHUNK + 7])
def test_place_agrees_with_the_plain_formula(n):
    xy = cloud(n)
    picture = Raster(90, 70, 5)
    picture.place(xy, Window(-4, 3, 11, 9))
    x = np.clip(np.floor((xy[:, 0].astype(float) + 4) * 11 + 5), 0, 99)
    y = np.clip(np.floor((3 - xy[:, 1].astype(float)) * 9 + 5), 0, 79)
    rows, columns = np.divmod(picture.flat, 100)
    assert np.abs(rows - y).max(initial=0) <= 1
    assert np.abs(columns - x).max(initial=0) <= 1
    assert (picture.flat == y * 100 + x).mean() > 0.99 if n > 5 else True


def test_what_is_not_a_number_or_out_of_sight_lies_in_the_padding():
    bad = np.array([[np.nan, 1], [1, np.nan], [np.inf, 0], [-np.inf, 2], [3e38, -3e38], [1e9, 1]], np.float32)
    picture = Raster(60, 40, 4)
    picture.place(bad, Window(0, 40, 1, 1))
    rows, columns = np.divmod(picture.flat, picture.shape[1])
    outside = (rows < 4) | (rows >= 44) | (columns < 4) | (columns >= 64)
    assert outside.all()
    assert not splatted(bad, np.full(6, 3)).any()
    assert not drawn(bad, np.full(6, 2)).any()


def test_far_from_the_origin_points_stay_apart():
    xy = np.array([[1e6, 1e6], [1e6 + 1, 1e6 + 2]], np.float32)
    picture = Raster(60, 40, 4)
    picture.place(xy, Window(1e6 - 1, 1e6 + 3, 10, 10))
    rows, columns = np.divmod(picture.flat, picture.shape[1])
    assert columns.tolist() == [14, 24]
    assert rows.tolist() == [34, 14]


def test_a_disc_is_round_full_inside_and_soft_at_its_rim():
    image = drawn(np.array([[30.0, 20.0]], np.float32), [2], radius=5)
    alpha = image >> 24
    assert rgba(image[20, 30]) == (255, 0, 0, 255)
    assert 70 < (alpha / 255).sum() < 90  # π·5² = 78.5
    assert ((alpha > 0) & (alpha < 255)).sum() > 8
    rows, columns = np.nonzero(alpha)
    assert np.hypot(rows + 0.5 - 20, columns + 0.5 - 30).max() < 6.2


def test_the_last_in_order_lies_on_top():
    xy = np.array([[30, 20], [31, 20]], np.float32)
    assert rgba(drawn(xy, [2, 3], order=[0, 1])[20, 30])[2] == 255
    assert rgba(drawn(xy, [2, 3], order=[1, 0])[20, 30])[0] == 255
    assert not drawn(xy, [2, 3], order=np.arange(0)).any()


@pytest.mark.parametrize("shape", range(4))
@pytest.mark.parametrize("halo", [0.0, 1.0])
def test_every_shape_stays_within_its_reach(shape, halo):
    image = drawn(np.array([[30, 20]], np.float32), [2], radius=6, halo=halo, shape=np.array([shape]))
    rows, columns = np.nonzero(image)
    reach = raster.stamp(6.0, halo).reach
    assert len(rows) > 20
    assert np.abs(rows - 20).max() <= reach
    assert np.abs(columns - 30).max() <= reach
    assert (image[20, 30] == 0) == (shape == raster.RING)


def test_a_point_at_the_edge_is_cut_not_wrapped():
    image = drawn(np.array([[0.0, 20.0], [62.0, 5.0]], np.float32), [2, 2])
    assert image[20, 0]
    assert not image[:, 10:50].any()
    assert image[35, 59]


def test_splat_draws_a_small_soft_dot():
    alpha = splatted([[30.5, 19.5]], [3]) >> 24
    assert alpha[20, 30] == 255
    assert 0 < alpha[19, 29] < alpha[19, 30] < 255
    assert (alpha > 0).sum() == 9
    assert (splatted([[30.5, 19.5]], [3], spread=2) > 0).sum() == 49


def test_faded_points_cover_nothing():
    xy = [[30.5, 19.5]] * 2 + [[31.5, 19.5]]
    assert rgba(splatted(xy, [1, 3, 1], order=np.array([0, 2, 1]))[20, 30])[1:3] == (0, 0)
    assert rgba(splatted(xy, [1, 3, 1], order=np.array([0, 2, 1]))[20, 31])[1:3] == (0, 0)
    crowd = splatted(np.repeat(xy, 50, 0), np.repeat([3, 1, 1], 50), order=np.arange(150), crowd=2.0)
    assert rgba(crowd[20, 30])[1] < 40


def test_where_points_crowd_the_colour_deepens():
    few = splatted([[10.5, 10.5]], [3], crowd=1.0)
    many = splatted(np.repeat([[10.5, 10.5]], 400, 0) + RNG.normal(size=(400, 2)), np.full(400, 3), crowd=1.0)
    assert few[29, 10] >> 24 < 255
    assert many[29, 10] >> 24 == 255
    assert rgba(many[29, 10])[0] < 255


@pytest.mark.parametrize("n", [0, 3, 16, 1000])
def test_mixing_keeps_every_point(n):
    assert sorted(raster.mixed(np.arange(n)).tolist()) == list(range(n))


def test_nearest_point_within_reach():
    xy = np.array([[10, 10], [30, 20], [33, 20]], np.float32)
    picture = Raster(60, 40, 4)
    picture.place(xy, Window(0, 40, 1, 1))
    owner = picture.owners(None)
    assert picture.nearest(owner, 31, 20, 12) == 1
    assert picture.nearest(owner, 32.6, 20, 12) == 2
    assert picture.nearest(owner, 50, 5, 12) == -1
    assert picture.nearest(owner, -500, 5000, 12) == -1
    assert picture.nearest(picture.owners(np.array([0, 2])), 30, 20, 12) == 2


def test_points_inside_a_mask():
    xy = np.array([[10, 10], [30, 20], [np.nan, 3]], np.float32)
    picture = Raster(60, 40, 4)
    picture.place(xy, Window(0, 40, 1, 1))
    mask = np.zeros(picture.shape, bool)
    mask[4:-4, 4:34] = True
    assert picture.inside(mask).tolist() == [0]
    assert picture.inside(mask).dtype == np.int32


# ── plane ──


@pytest.mark.parametrize("equal", [True, False])
def test_there_and_back(equal):
    plane = Plane((-3, 5, 1e3, 1e3 + 2), 40, 10, 500, 300, equal)
    for x, y in ((0.0, 1001.0), (4.0, 1000.5)):
        assert plane.to_data(*plane.to_pixel(x, y)) == pytest.approx((x, y))
    assert (plane.scale[0] == plane.scale[1]) == equal


def test_zoom_keeps_the_place_under_the_mouse():
    plane = Plane((-3, 5, -1, 1), 40, 10, 500, 300)
    before = plane.to_data(123, 77)
    assert plane.zoomed(123, 77, 1.7).to_data(123, 77) == pytest.approx(before)
    for _ in range(400):
        plane = plane.zoomed(100, 100, 2)
    assert np.isfinite(plane.scale).all()


@pytest.mark.parametrize(
    "xy",
    [
        [[1e12, 1e12]] * 3,
        [[0, 0]] * 2,
        [[1e-12, 0], [3e-12, 1e-12]],
        [[-1e29, 0], [1e29, 1]],
        [[5, 0], [5, 1]],
    ],
)
def test_every_cloud_gets_room(xy):
    x0, x1, y0, y1 = roomy(extent(np.array(xy, np.float32)) or (0, 0, 0, 0))
    assert x1 > x0
    assert y1 > y0
    assert all(x0 <= x <= x1 and y0 <= y <= y1 for x, y in xy)


def test_a_few_strays_do_not_shrink_the_cloud():
    xy = cloud(2000)
    xy[7] = 1e6
    xy[8] = np.nan
    box = extent(xy)
    assert box is not None
    assert box[1] - box[0] < 20
    assert extent(np.full((4, 2), np.nan)) is None


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3e-12, 5e-12), (1e11, 1e12), (-7.3, 81.2)])
def test_ticks_are_round_and_within(low, high):
    values, step = ticks(low, high, 5)
    assert 3 <= len(values) <= 11
    assert all(low - step * 1e-6 <= v <= high + step * 1e-6 for v in values)
    assert ticks(1, 1, 5)[0] == []
    assert ticks(0, np.inf, 5)[0] == []
