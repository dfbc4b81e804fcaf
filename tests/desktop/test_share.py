"""Taking home: pictures, drawings, tables, captions, the whole run as a folder, and the menus for it."""

import contextlib
import csv
import errno
import io
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QByteArray, QPoint, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu

from desktop.language import language
from desktop.panels.catalogue import make_panel
from desktop.panels.loss_plot import LossPlot
from desktop.panels.trace import Trace
from desktop.selection import Selection
from desktop.share import caption, folder, picture, table
from desktop.share.sharing import STOPPED
from desktop.style.tokens import look
from engine.api import (
    Bars,
    Channel,
    Colours,
    Curve,
    Ellipses,
    Histogram,
    Images,
    Mark,
    Markers,
    Note,
    Points,
    Scalar,
    Segments,
    Text,
)
from tests.desktop.conftest import Desk

KMEANS = ("k-means", "Blobs", "k = 4", "seed 3", "Latentarium")


@pytest.fixture
def kmeans(desks) -> Desk:
    desk = desks().open("kmeans", dataset="blobs", seed=3, k=4)
    desk.advance(3)
    return desk


@pytest.fixture
def answers(monkeypatch, tmp_path):
    """What the person answers when asked where to; what was proposed is kept."""
    asked: list[str] = []

    def choose(name: str | None) -> list[str]:
        def answer(_parent, _title, proposed, _kinds):
            asked.append(proposed)
            return ("" if name is None else str(tmp_path / name), "")

        monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
        return asked

    return choose


def wait_done(desk: Desk, doing) -> Path | None:
    """``doing`` writes something: what has been written."""
    done: list[Path | None] = []
    desk.window.sharing.done.connect(done.append)
    doing()
    desk.until(lambda: done)
    desk.window.sharing.done.disconnect(done.append)
    return done[0]


def rows_of(path: Path) -> tuple[list[str], list[list[str]]]:
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    return header, rows


def parsed(found: table.Table) -> tuple[list[str], list[list[str]]]:
    text = b"".join(piece for piece, _share in table.pieces(found)).decode()
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    return header, rows


def column(found: table.Table, name: str) -> list[str]:
    header, rows = parsed(found)
    return [row[header.index(name)] for row in rows]


def numbers(found: table.Table, name: str) -> np.ndarray:
    return np.array([float(cell) if cell else math.nan for cell in column(found, name)])


# ── captions ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_caption_says_what_it_takes_to_make_the_picture_again(kmeans):
    said = caption.of(kmeans.window)
    assert all(part in said.split(" · ") for part in (*KMEANS, "step 3"))


def test_a_caption_in_french(desks):
    desk = desks().open("kde", seed=5, h=0.25)
    language.switch("fr")
    said = caption.of(desk.window)
    assert "h = 0,25" in said
    assert "graine 5" in said
    assert "pas 0" in said


def test_a_caption_tells_knobs_that_were_turned_and_only_then(kmeans):
    window = kmeans.window
    assert "Trails" not in caption.of(window)
    window.params.turn("trails", False)
    window.params.turn("k", 6)
    kmeans.settle()
    kmeans.advance(2)
    said = caption.of(window)
    assert "Trails: off" in said
    assert "k = 6" in said
    assert "k = 4" in caption.of(window, 3)  # what the picture of that step was made with
    window.bridge.engine.seek(2)
    kmeans.until(lambda: kmeans.of("sought"))
    said = caption.of(window)
    assert "k = 4" in said
    assert "step 2" in said


def test_a_caption_of_two_runs_names_both_sides(kmeans):
    kmeans.run(kmeans.window.toggle_comparison)
    kmeans.window.params.turn("b.k", 7)
    kmeans.settle()
    said = caption.of(kmeans.window)
    assert "A: k = 4" in said
    assert "B: k = 7" in said
    rival = kmeans.window.conductor.rivals()[0]
    kmeans.run(lambda: kmeans.window.conductor.compare(rival.id))
    said = caption.of(kmeans.window)
    assert said.startswith("A: k-means, k = 4")
    assert f"B: {rival.title}" in said


def test_a_caption_tells_how_the_data_differ_from_how_they_come(kmeans):
    kmeans.run(lambda: kmeans.window.conductor.turn_data("n", 900))
    assert "Blobs, " in caption.of(kmeans.window)
    assert "900" in caption.of(kmeans.window)


def test_without_a_run_there_is_a_caption_too(desks):
    desk = desks()
    desk.window.bridge = None
    assert caption.of(desk.window) == "Latentarium"


# ── pictures ────────────────────────────────────────────────────────────────────────────────────────────────


def arrays(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 4 * image.width()].reshape(image.height(), image.width(), 4)[..., :3].astype(int)


def panels_of(desk: Desk) -> dict[str, object]:
    area = desk.window.area
    return {name: panel for name, panel in (*area.panels.items(), ("curves", area.loss)) if panel.isVisible()}


def test_pictures_are_really_twice_as_fine(kmeans):
    for name, widget in (*panels_of(kmeans).items(), ("window", kmeans.window)):
        once, twice = picture.render(widget, 1.0), picture.render(widget, 2.0)
        assert (twice.width(), twice.height()) == (2 * once.width(), 2 * once.height()), name
        assert twice.devicePixelRatio() == 2.0
        coarse = np.repeat(np.repeat(arrays(once), 2, 0), 2, 1)
        fine = arrays(twice)
        assert np.abs(fine - coarse).mean() < 12, name  # the same picture …
        # … but within the four pixels that one has become there is something to see, all over the letters
        spread = np.ptp(fine.reshape(once.height(), 2, once.width(), 2, 3), axis=(1, 3)).max(-1)
        assert (spread > 40).sum() > 150, name


def test_the_points_are_drawn_anew_and_not_scaled(kmeans):
    canvas = kmeans.panels["cloud"].canvas
    box = canvas.view.plane.rect.toRect()
    at = canvas.mapTo(kmeans.panels["cloud"], box.topLeft())
    fine = arrays(picture.render(kmeans.panels["cloud"], 2.0))
    part = fine[2 * at.y() : 2 * (at.y() + box.height()), 2 * at.x() : 2 * (at.x() + box.width())]
    even = part[: part.shape[0] // 2 * 2, : part.shape[1] // 2 * 2]
    spread = np.ptp(even.reshape(even.shape[0] // 2, 2, even.shape[1] // 2, 2, 3), axis=(1, 3)).max(-1)
    assert (spread > 40).sum() > 2000
    assert canvas.picture.ratio == 2.0


def test_the_screen_is_as_before(kmeans):
    window = kmeans.window
    before = window.grab().toImage()
    for panel in panels_of(kmeans).values():
        picture.render(panel, 2.0, "a caption")
        picture.svg(panel, "a caption")
    picture.render(window, 2.0)
    assert window.grab().toImage() == before
    canvas = kmeans.panels["cloud"].canvas
    assert canvas.picture.ratio == 1.0
    at = canvas.picture.pixel(7)
    assert canvas.picture.point_at(at) == 7


def test_a_point_is_still_found_after_a_fine_picture(kmeans):
    canvas = kmeans.panels["cloud"].canvas
    picture.render(kmeans.panels["cloud"], 2.0)
    found = canvas.picture.point_at(canvas.picture.pixel(7))
    near = canvas.picture.pixel(found) - canvas.picture.pixel(7)
    assert near.manhattanLength() < 2


def test_the_caption_stands_below_and_in_the_file(kmeans, tmp_path):
    panel, said = kmeans.panels["cloud"], caption.of(kmeans.window)
    bare, told = picture.render(panel, 2.0), picture.render(panel, 2.0, said)
    assert told.width() == bare.width()
    assert told.height() > bare.height() + 2 * look.px(12)
    foot = arrays(told)[bare.height() :]
    assert len(np.unique(foot.reshape(-1, 3), axis=0)) > 10
    path = tmp_path / "picture.png"
    path.write_bytes(folder.encoded(told))
    read = QImage(str(path))
    assert read.text("Description") == said
    assert read.text("Software") == "Latentarium"
    assert read.dotsPerMeterX() == pytest.approx(192 / 0.0254, rel=1e-3)


def test_a_long_caption_takes_more_lines(kmeans):
    panel = kmeans.panels["cloud"]
    one, many = picture.render(panel, 1.0, "short"), picture.render(panel, 1.0, "k = 3 · " * 40)
    assert many.height() > one.height() + 2 * look.px(12)


def test_no_buttons_in_a_picture_of_a_panel_but_all_words(kmeans):
    panel = kmeans.panels["cloud"]
    before = panel.share.geometry(), panel.brush.geometry()
    panel.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, True)
    image = arrays(picture.render(panel, 1.0))
    at = panel.brush.geometry()
    words = panel._aside.width()
    head = image[at.top() : at.bottom(), panel.width() - look.px(10) - words : panel.width() - look.px(10)]
    assert len(np.unique(head.reshape(-1, 3), axis=0)) > 5, "the step has moved to where the buttons were"
    assert (panel.share.geometry(), panel.brush.geometry()) == before
    assert panel._aside.geometry().right() < at.left()


def test_white_on_paper_in_the_dark(kmeans):
    look.update(theme="dark")
    window, panel = kmeans.window, kmeans.panels["sizes"]
    before = window.grab().toImage()
    dark, white = picture.render(panel, 1.0), picture.render(panel, 1.0, white=True)
    assert arrays(dark)[2, 2].max() < 60
    assert arrays(white)[2, 2].min() == 255
    assert look.dark
    assert window.grab().toImage() == before


# ── drawings ────────────────────────────────────────────────────────────────────────────────────────────────


def drawn_back(drawing: bytes, image: QImage) -> QImage:
    renderer = QSvgRenderer(QByteArray(drawing))
    assert renderer.isValid()
    made = QImage(image.size(), QImage.Format.Format_RGB32)
    made.fill(Qt.GlobalColor.white)
    with QPainter(made) as painter:
        renderer.render(painter)
    return made


def words_of(drawing: bytes) -> str:
    return " ".join(re.findall(r">([^<>]+)</text>", drawing.decode())).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(("experiment", "dataset"), [("kmeans", "blobs"), ("gmm", None), ("kde", None)])
def test_drawings_look_like_the_pictures_and_keep_their_text(desks, experiment, dataset):
    desk = desks().open(experiment, dataset=dataset, seed=3)
    desk.advance(4)
    said = caption.of(desk.window)
    made = 0
    for name, panel in panels_of(desk).items():
        if not picture.is_drawing(panel):
            continue
        made += 1
        drawing, image = picture.svg(panel, said), picture.render(panel, 2.0, said)
        back = arrays(drawn_back(drawing, image))
        assert np.abs(back - arrays(image)).mean() < 6, name
        text = words_of(drawing)
        assert said.split(" · ")[0] in text
        assert 'textLength="' in drawing.decode()
    assert made >= 2


def test_points_are_circles_up_to_a_limit(qtbot):
    for n, circles in ((300, True), (6000, False)):
        panel = shown(qtbot, Points(np.random.default_rng(0).normal(size=(n, 2)).astype(np.float32)))
        drawing = picture.svg(panel).decode()
        assert (drawing.count("<circle") >= n) == circles
        assert ("<image" in drawing) or circles
        assert len(drawing) < 3_000_000


def test_pictures_are_no_drawings(qtbot):
    images = shown(qtbot, Images(np.zeros((2, 8, 8), np.float32)))
    note = shown(qtbot, Note(Text("A sentence.", {})))
    assert not picture.is_drawing(images)
    assert not picture.is_drawing(note)


def shown(qtbot, payload):
    """A panel of its own that shows ``payload``."""
    panel = make_panel(Channel(type(payload), Text("A picture", {})), Selection())
    qtbot.addWidget(panel)
    panel.resize(400, 300)
    panel.show()
    panel.present(payload, 5)
    return panel


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────

RNG = np.random.default_rng(1)


def test_points_as_a_table():
    xy = RNG.normal(size=(50, 2)).astype(np.float32)
    xy[3] = np.nan
    label = (np.arange(50) % 3 - 1).astype(np.int32)
    points = Points(xy, label, names=("one", "two"), axes=("PC1", "PC2"))
    found = table.table(points)
    assert parsed(found)[0] == ["index", "PC1", "PC2", "label", "name"]
    np.testing.assert_array_equal(numbers(found, "PC1").astype(np.float32), xy[:, 0])
    np.testing.assert_array_equal(numbers(found, "PC2").astype(np.float32), xy[:, 1])
    assert column(found, "label") == [str(k) for k in label]
    assert column(found, "name")[:3] == ["", "one", "two"]
    assert column(found, "PC1")[3] == ""


def test_what_lies_on_points_stands_below_them():
    xy = RNG.normal(size=(5, 2)).astype(np.float32)
    layers = (
        Markers(xy[:2]),
        Ellipses(xy[:2], RNG.normal(size=(2, 2, 2)).astype(np.float32), label=np.array([1, 0], np.int32)),
        Segments(xy[:3], xy[2:]),
    )
    found = table.table(Points(xy, layers=layers))
    assert column(found, "part") == ["point"] * 5 + ["centre"] * 2 + ["ellipse"] * 2 + ["line"] * 3
    np.testing.assert_array_equal(numbers(found, "x")[5:7].astype(np.float32), xy[:2, 0])
    np.testing.assert_array_equal(numbers(found, "to y")[9:].astype(np.float32), xy[2:, 1])
    np.testing.assert_array_equal(
        numbers(found, "axis 2, x")[7:9].astype(np.float32), layers[1].axes[:, 0, 1]
    )
    assert all(len(row) == len(found[0]) for row in parsed(found)[1])


def test_what_points_are_coloured_by_is_a_column(kmeans):
    panel = kmeans.panels["cloud"]
    n = len(panel.payload.xy)
    value = np.linspace(0, 1, n, dtype=np.float32)
    panel._selection.colour_by("depth")
    panel._selection.set_colours(Colours("Depth", value=value))
    np.testing.assert_array_equal(numbers(table.of_panel(panel), "Depth")[:n].astype(np.float32), value)


def test_a_curve_as_a_table():
    x = np.linspace(0, 1, 7, dtype=np.float32)
    y = np.where(x > 0.5, np.nan, x**2).astype(np.float32)
    histogram = Histogram(np.arange(4, dtype=np.float32), np.array([5, 0, 2], np.float32), "counts")
    curve = Curve(x, {"p": y, "q": x}, axes=("u", "v"), histogram=histogram, marks=(Mark(0.3, "here"),))
    found = table.table(curve)
    assert parsed(found)[0] == [
        "u",
        "p",
        "q",
        "counts, from",
        "counts, to",
        "counts",
        "marks",
        "marks, names",
    ]
    np.testing.assert_array_equal(numbers(found, "p").astype(np.float32), y)
    np.testing.assert_array_equal(numbers(found, "counts")[:3], [5, 0, 2])
    assert column(found, "marks, names")[:2] == ["here", ""]


def test_bars_as_a_table():
    found = table.table(Bars(np.array([1.5, -2, np.nan], np.float32), ("a", "b, c", "d"), axis="weight"))
    assert parsed(found) == (["name", "weight"], [["a", "1.5"], ["b, c", "-2.0"], ["d", ""]])


def test_pictures_as_a_table():
    pixels = RNG.random((6, 4, 3)).astype(np.float32)
    images = Images(pixels, columns=3, captions=tuple("abcdef"), rows=("top", "below"), items=np.arange(6))
    found = table.table(images)
    header, rows = parsed(found)
    assert header[:4] == ["index", "item", "caption", "row"]
    assert [row[3] for row in rows] == ["top"] * 3 + ["below"] * 3
    read = np.array([[float(cell) for cell in row[4:]] for row in rows], np.float32)
    np.testing.assert_array_equal(read.reshape(pixels.shape), pixels)


def test_colour_has_three_columns_and_large_pictures_none():
    assert parsed(table.table(Images(np.zeros((1, 1, 2, 3), np.float32))))[0][1:4] == [
        "0:0 r",
        "0:0 g",
        "0:0 b",
    ]
    large = Images(np.zeros((3, 200, 200), np.float32), captions=("a", "b", "c"))
    assert parsed(table.table(large))[0] == ["index", "caption"]


def test_a_note_is_no_table():
    assert table.table(Note(Text("A sentence.", {}))) is None
    assert table.table(None) is None


def test_curves_of_numbers_with_their_ghost():
    live, ghost = Trace(), Trace()
    live.extend([0, 1, 2], [3.0, 0.1, math.nan])
    ghost.extend([0, 2, 4], [9.0, 8.0, 7.5])
    found = table.scalars([("Loss", live, ghost)])
    header, rows = parsed(found)
    assert header == ["step", "Loss", "Loss (ghost)"]
    assert rows == [
        ["0", "3.0", "9.0"], ["1", "0.1", ""], ["2", "", "8.0"], ["4", "", "7.5"],
    ]  # fmt: skip
    assert table.scalars([("Loss", Trace(), None)]) is None


def test_numbers_have_a_point_in_every_language():
    language.switch("fr")
    found = table.table(Bars(np.array([0.25], np.float32), ("a",)))
    assert parsed(found)[1][0][1] == "0.25"


def test_a_million_points_come_in_pieces():
    xy = np.zeros((10_001, 2), np.float32)
    pieces = list(table.pieces(table.table(Points(xy))))
    assert len(pieces) > 3
    shares = [share for _piece, share in pieces]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_the_followed_numbers_of_a_run(kmeans):
    found = table.of_panel(kmeans.window.area.loss)
    steps, values = zip(*kmeans.scalars["inertia"], strict=True)
    assert [int(cell) for cell in column(found, "step")] == list(steps)
    np.testing.assert_array_equal(numbers(found, "Inertia J"), values)


# ── saving ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("experiment", "dataset"), [("kmeans", "digits"), ("kl", None)])
def test_every_kind_of_panel_can_be_saved_in_every_way_it_offers(
    desks, answers, tmp_path, experiment, dataset
):
    desk = desks().open(experiment, dataset=dataset, seed=3)
    desk.advance(2)
    sharing = desk.window.sharing
    for name, panel in panels_of(desk).items():
        answers(f"{name}.png")
        path = wait_done(desk, lambda panel=panel: sharing.save_picture(panel))
        assert QImage(str(path)).width() == 2 * panel.width()
        if picture.is_drawing(panel):
            answers(f"{name}.svg")
            path = wait_done(desk, lambda panel=panel: sharing.save_drawing(panel))
            assert QSvgRenderer(str(path)).isValid()
        if table.of_panel(panel) is not None:
            answers(f"{name}.csv")
            path = wait_done(desk, lambda panel=panel: sharing.save_data(panel))
            header, rows = rows_of(path)
            assert (header, rows) == parsed(table.of_panel(panel))
            assert rows
    assert not list(tmp_path.glob(".*")), "no half-written files"


def test_copying_puts_the_picture_on_the_clipboard(kmeans):
    panel = kmeans.panels["cloud"]
    kmeans.window.sharing.copy(panel)
    assert QGuiApplication.clipboard().image().width() == 2 * panel.width()
    assert kmeans.window.notice.text
    kmeans.window.sharing.copy()
    assert QGuiApplication.clipboard().image().width() == 2 * kmeans.window.width()


def test_names_are_proposed_and_the_folder_is_remembered(kmeans, answers, tmp_path):
    sharing, panel = kmeans.window.sharing, kmeans.panels["cloud"]
    asked = answers("somewhere/mine")
    (tmp_path / "somewhere").mkdir()
    path = wait_done(kmeans, lambda: sharing.save_picture())
    assert path == tmp_path / "somewhere" / "mine.png"  # the ending is put there
    assert Path(asked[0]).name == "k-means Blobs step 3.png"
    answers(None)
    sharing.save_data(panel)  # nothing chosen: nothing happens
    assert Path(asked[1]) == tmp_path / "somewhere" / "k-means Blobs Points and their centres step 3.csv"
    assert not sharing.busy


def test_a_name_without_an_ending_never_takes_the_place_of_another_file(kmeans, answers, tmp_path):
    (tmp_path / "mine.png").write_text("precious")
    answers("mine")
    path = wait_done(kmeans, lambda: kmeans.window.sharing.save_picture())
    assert path == tmp_path / "mine 2.png"
    assert (tmp_path / "mine.png").read_text() == "precious"


def test_names_hold_nothing_that_a_system_forbids(kmeans):
    panel = kmeans.panels["cloud"]
    panel._name = 'Points: a/b "c" <d>? |e\\f* ' + "long " * 60
    name = kmeans.window.sharing.name(panel)
    assert not set(name) & set('<>:"/\\|?*')
    assert len(name) < 150
    assert name.endswith("step 3")


@pytest.mark.parametrize("language_code", ["en", "fr"])
def test_what_cannot_be_written_gives_one_sentence_and_leaves_nothing(
    kmeans, answers, tmp_path, language_code
):
    language.switch(language_code)
    (tmp_path / "file").write_text("not a folder")
    answers("file/picture.png")
    assert wait_done(kmeans, lambda: kmeans.window.sharing.save_picture()) is None
    assert "picture.png" in kmeans.window.notice.text
    assert kmeans.window.notice.property("kind") == "problem"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_full_disk_leaves_the_former_file(kmeans, answers, tmp_path, monkeypatch):
    (tmp_path / "data.csv").write_text("former")
    answers("data.csv")

    def full(found):
        yield b"step,", 0.1
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(table, "pieces", full)
    assert wait_done(kmeans, lambda: kmeans.window.sharing.save_data(kmeans.panels["cloud"])) is None
    assert "full" in kmeans.window.notice.text
    assert (tmp_path / "data.csv").read_text() == "former"
    assert [path.name for path in tmp_path.iterdir()] == ["data.csv"]


# ── the whole run ───────────────────────────────────────────────────────────────────────────────────────────


def test_the_whole_run_as_a_folder(kmeans, answers, tmp_path):
    window = kmeans.window
    window.params.turn("k", 6)
    kmeans.settle()
    kmeans.advance(2)
    answers("run")
    path = wait_done(kmeans, window.sharing.save_run)
    names = {each.name for each in path.iterdir()}
    panels = [f"{name}.{form}" for name in (*kmeans.panels, "curves") for form in ("csv", "png")]
    assert names == {"run.json", "scalars.csv", "log.csv", *panels}
    about = json.loads((path / "run.json").read_text("utf-8"))
    assert (about["experiment"], about["dataset"], about["seed"]) == ("kmeans", "blobs", 3)
    assert about["params"]["k"] == 4
    assert about["log"] == [{"step": 4, "turned": "k", "old": 4, "new": 6}]
    assert about["steps"] == 5
    header, rows = rows_of(path / "scalars.csv")
    assert header[:2] == ["step", "inertia"]
    assert [(int(row[0]), float(row[1])) for row in rows] == kmeans.scalars["inertia"]
    header, rows = rows_of(path / "log.csv")
    assert rows == [["4", "turned", "k", "4", "6", "k 4 → 6"]]
    for name in kmeans.panels:
        assert QImage(str(path / f"{name}.png")).text("Description") == caption.of(window)
        assert rows_of(path / f"{name}.csv") == parsed(table.of_panel(kmeans.panels[name]))
    assert [each.name for each in tmp_path.iterdir()] == ["run"]


def test_pictures_that_take_turns_are_all_in_the_folder(desks, answers):
    desk = desks().open("kmeans", dataset="digits", seed=3)
    desk.window.resize(900, 600)
    look.update(scale=1.75)
    desk.settle()
    desk.until(lambda: any(not panel.isVisible() for panel in desk.panels.values()))
    seen = set(panels_of(desk))
    answers("run")
    path = wait_done(desk, desk.window.sharing.save_run)
    for name in (*desk.panels, "curves"):
        assert not QImage(str(path / f"{name}.png")).isNull(), name
    assert set(panels_of(desk)) == seen
    desk.settle()


def test_a_folder_that_is_not_empty_is_left_alone(kmeans, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "precious").write_text("mine")
    assert wait_done(kmeans, lambda: kmeans.window.sharing.write_run(tmp_path / "run")) is None
    assert "not empty" in kmeans.window.notice.text
    assert [each.name for each in (tmp_path / "run").iterdir()] == ["precious"]
    assert [each.name for each in tmp_path.iterdir()] == ["run"]


def test_an_empty_folder_is_filled_and_a_file_refused(kmeans, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "file").write_text("mine")
    assert wait_done(kmeans, lambda: kmeans.window.sharing.write_run(tmp_path / "run")) is not None
    assert wait_done(kmeans, lambda: kmeans.window.sharing.write_run(tmp_path / "file")) is None
    assert "is a file" in kmeans.window.notice.text
    assert (tmp_path / "file").read_text() == "mine"


def test_a_disk_that_fills_up_leaves_no_half_folder(kmeans, tmp_path, monkeypatch):
    def full(image):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(folder, "encoded", full)
    assert wait_done(kmeans, lambda: kmeans.window.sharing.write_run(tmp_path / "run")) is None
    assert "full" in kmeans.window.notice.text
    assert not list(tmp_path.iterdir())


def test_writing_can_be_cancelled_and_leaves_nothing(kmeans, tmp_path, monkeypatch):
    window = kmeans.window

    def endless(found):
        while True:
            yield b"1,2,3\n", 0.5

    monkeypatch.setattr(table, "pieces", endless)
    monkeypatch.setattr("desktop.share.sharing.UNSAID", -1.0)
    done = []
    window.sharing.done.connect(done.append)
    window.sharing.write_run(tmp_path / "run")
    kmeans.until(lambda: window.sharing._writer is not None and window.notice.property("kind") == "progress")
    assert "run" in window.notice.text
    kmeans.until(lambda: list(tmp_path.iterdir()))
    window.sharing.save_run()  # one thing at a time
    assert window.notice.property("kind") == "problem"
    kmeans.until(lambda: window.notice.property("kind") == "progress")
    kmeans.click(window.notice._close)
    kmeans.until(lambda: done)
    assert done == [None]
    assert window.notice.text == STOPPED
    assert not list(tmp_path.iterdir())


def test_closing_the_window_leaves_no_half_folder(kmeans, tmp_path, monkeypatch):
    def endless(found):
        while True:
            yield b"1,2,3\n", 0.5

    monkeypatch.setattr(table, "pieces", endless)
    kmeans.window.sharing.write_run(tmp_path / "run")
    kmeans.until(lambda: list(tmp_path.iterdir()))
    kmeans.close()
    assert not list(tmp_path.iterdir())


def test_another_run_while_pictures_are_gathered(kmeans, tmp_path):
    window, done = kmeans.window, []
    window.sharing.done.connect(done.append)
    window.sharing.write_run(tmp_path / "run")
    if window.sharing._gathering is not None:
        window.sharing._gathering.give_up()
    kmeans.until(lambda: done)
    assert done == [None]
    assert not list(tmp_path.iterdir())


# ── menus ───────────────────────────────────────────────────────────────────────────────────────────────────


def texts(menu: QMenu) -> list[str]:
    return [action.text() for action in menu.actions()]


@pytest.fixture
def opened(monkeypatch) -> list[QMenu]:
    """Menus that would have opened: offscreen none can."""
    menus: list[QMenu] = []
    monkeypatch.setattr(QMenu, "popup", lambda menu, _at: menus.append(menu))
    return menus


def heard(signal) -> list:
    """All that ``signal`` says from now on, to nobody else."""
    said: list = []
    with contextlib.suppress(RuntimeError, RuntimeWarning):
        signal.disconnect()
    signal.connect(lambda *what: said.append(what[0] if what else what))
    return said


def test_the_menu_of_a_panel_offers_what_there_is(kmeans):
    sharing = kmeans.window.sharing
    cloud = [
        "Copy picture",
        "Save picture (PNG)…",
        "Save vector drawing (SVG)…",
        "Save data (CSV)…",
        "Film of the timeline…",
    ]
    assert texts(sharing.panel_menu(kmeans.panels["cloud"])) == cloud
    assert texts(sharing.panel_menu(kmeans.window.area.loss)) == cloud


def test_pictures_offer_no_drawing_and_sentences_no_data(desks):
    desk = desks().open("kmeans", dataset="digits", seed=3)
    offered = texts(desk.window.sharing.panel_menu(desk.panels["centroids"]))
    assert offered == ["Copy picture", "Save picture (PNG)…", "Save data (CSV)…", "Film of the timeline…"]
    desk.run(lambda: desk.window.conductor.choose("kl"))
    offered = texts(desk.window.sharing.panel_menu(desk.panels["formula"]))
    assert offered == ["Copy picture", "Save picture (PNG)…", "Film of the timeline…"]


def test_the_button_opens_the_menu_and_the_menu_works(kmeans, opened):
    panel = kmeans.panels["sizes"]
    wanted = heard(kmeans.window.sharing.film_wanted)
    kmeans.click(panel.share)
    next(action for action in opened[0].actions() if "Film" in action.text()).trigger()
    assert wanted == [panel]


def test_the_button_is_seen_only_while_the_mouse_is_there(kmeans):
    panel = kmeans.panels["sizes"]

    def inks() -> int:
        part = arrays(panel.grab(panel.share.geometry()).toImage())
        return len(np.unique(part.reshape(-1, 3), axis=0))

    panel.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, False)
    assert inks() == 1
    panel.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, True)
    assert inks() > 3
    panel.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, False)
    panel.share.setFocus()
    assert inks() > 3


def test_a_narrow_head_has_no_room_for_the_button(qtbot):
    panel = shown(qtbot, Bars(np.ones(2, np.float32), ("a", "b")))
    assert panel.share.isVisible()
    panel.resize(panel._title.sizeHint().width() + panel._aside.sizeHint().width() + look.px(30), 200)
    assert not panel.share.isVisible()
    panel.resize(400, 200)
    assert panel.share.isVisible()


@pytest.mark.parametrize("name", ["sizes", "cloud", "loss"])
def test_a_right_click_opens_the_menu_too(kmeans, opened, name):
    area = kmeans.window.area
    panel = area.loss if name == "loss" else area.panels[name]
    body = panel.body if name != "loss" else panel._lanes[0].chart.viewport()
    target = panel.canvas if name == "cloud" else body
    if name == "sizes":
        QApplication.sendEvent(panel, _context_menu(panel))
    else:
        QTest.mouseClick(target, Qt.MouseButton.RightButton, pos=target.rect().center())
    kmeans.until(lambda: opened)
    assert "Save picture (PNG)…" in texts(opened[0])


def _context_menu(widget):
    from PySide6.QtGui import QContextMenuEvent

    at = QPoint(20, 10)
    return QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, widget.mapToGlobal(at))


def test_dragging_with_the_right_button_moves_the_view_and_opens_nothing(kmeans):
    panel = kmeans.panels["cloud"]
    canvas, asked = panel.canvas, []
    panel.shared.connect(asked.append)
    before, middle = canvas.view.plane.wish, canvas.rect().center()
    QTest.mousePress(canvas, Qt.MouseButton.RightButton, pos=middle)
    kmeans.move(canvas, middle + QPoint(40, 10), Qt.MouseButton.RightButton)
    QTest.mouseRelease(canvas, Qt.MouseButton.RightButton, pos=middle + QPoint(40, 10))
    assert canvas.view.plane.wish != before
    assert not asked


def test_the_windows_menu_has_it_all_in_both_languages(kmeans):
    sharing = kmeans.window.sharing
    menu = kmeans.window._more.menu()
    home = next(a.menu() for a in menu.actions() if a.menu() is not None and a.text() == "Take home")
    assert len(home.actions()) == 5
    handouts, films = heard(sharing.handout_wanted), heard(sharing.film_wanted)
    copy, _save, _run, film, handout = home.actions()
    copy.trigger()
    film.trigger()
    handout.trigger()
    assert QGuiApplication.clipboard().image().width() == 2 * kmeans.window.width()
    assert handouts == [()]
    assert films == [None]


# ── odds and ends ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_panel_without_anything_in_it_can_be_taken_home(qtbot):
    for payload in (Points, Images, Curve, Bars, Note):
        panel = make_panel(Channel(payload, Text("Empty", {})), Selection())
        qtbot.addWidget(panel)
        panel.resize(300, 200)
        panel.show()
        assert not picture.render(panel, 2.0, "nothing").isNull()
        assert table.of_panel(panel) is None
    loss = LossPlot(Text("Curves", {}), Selection())
    qtbot.addWidget(loss)
    loss.set_scalars({"loss": Scalar(Text("Loss", {}))})
    assert table.of_panel(loss) is None
