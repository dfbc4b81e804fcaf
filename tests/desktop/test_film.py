"""Films of the timeline: which steps, how they are written, and that nothing is lost whatever happens."""

from __future__ import annotations

import errno
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QFileDialog

from desktop.language import language
from desktop.share import film as film_module
from desktop.share import reel
from desktop.share.film import Film, Strip
from desktop.share.film_dialog import FilmDialog
from desktop.share.plan import CURVES, PICTURES, REST_MS, WINDOW, Plan
from desktop.share.tour import ANOTHER, LEFT, NOTHING_RECORDED, spread
from desktop.style.tokens import look
from tests.desktop.conftest import Desk

# ── which steps ─────────────────────────────────────────────────────────────────────────────────────────────


def test_few_steps_last_equally_long():
    assert spread(range(4), 0, 3, 12, even=True) == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert spread(range(4), 0, 3, 12, even=False) == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_even_films_are_true_to_the_steps_and_early_ones_to_what_is_recorded():
    recorded = [*range(50), 100, 200, 400, 800]
    even = dict(spread(recorded, 0, 800, 80, even=True))
    assert even[400] > 10 * even[0]  # 400 is the newest picture for half of the film
    early = dict(spread(recorded, 0, 800, 80, even=False))
    assert max(early.values()) <= 2
    for found in (even, early):
        assert sum(found.values()) == 80
        assert min(found) == 0
        assert max(found) == 800


def test_no_picture_is_shown_before_its_step():
    recorded = [0, 10, 11, 12, 100]
    now = 0
    for step, moments in spread(recorded, 0, 100, 50, even=True):
        assert step <= now * 101 / 50 or step == 100
        now += moments


def test_a_part_of_the_run():
    assert [step for step, _n in spread(range(100), 20, 30, 400, even=True)] == list(range(20, 31))
    assert spread(range(100), 200, 300, 10, even=True) == []
    assert spread([5], 0, 9, 10, even=True) == [(5, 10)]


@pytest.mark.parametrize("rate", [3, 7, 10, 25])
def test_a_film_lasts_as_long_as_was_asked_for(rate):
    shots = Plan(seconds=6, rate=rate).shots(range(1000))
    assert all(milliseconds % 10 == 0 for _step, milliseconds in shots)
    moving = sum(milliseconds for _step, milliseconds in shots[:-1])
    assert abs(moving - 6000) <= 1000 / rate + 20
    assert shots[-1] == (999, REST_MS)


# ── how they are written ────────────────────────────────────────────────────────────────────────────────────


def _frames(count: int) -> list[np.ndarray]:
    """A disc crosses a gradient; the ground stays."""
    y, x = np.mgrid[:90, :160]
    ground = np.stack((x + 60, y + 80, np.full_like(x, 180)), -1).astype(np.uint8)
    ground[:, :40] = (243, 244, 246)
    found = []
    for i in range(count):
        frame = ground.copy()
        frame[(x - 20 - 10 * i) ** 2 + (y - 45) ** 2 < 100] = (0, 114, 178)
        found.append(frame)
    return found


def _read(data: bytes) -> tuple[list[np.ndarray], list[int]]:
    image = Image.open(io.BytesIO(data))
    pixels, lasting = [], []
    for index in range(image.n_frames):
        image.seek(index)
        pixels.append(np.asarray(image.convert("RGB")))
        lasting.append(image.info["duration"])
    return pixels, lasting


def test_a_gif_keeps_flat_colours_exactly_and_does_not_flicker():
    frames = _frames(8)
    file = io.BytesIO()
    samples = [(frame, 0) for frame in frames[::3]]
    reel.write_gif(file, iter(samples + [(frame, 70) for frame in frames[:-1]] + [(frames[-1], 1500)]))
    pixels, lasting = _read(file.getvalue())
    assert lasting == [70] * 7 + [1500]
    for made, wanted in zip(pixels, frames, strict=True):
        wrong = np.abs(made.astype(int) - wanted)
        assert wrong.max() <= 12  # of ten thousand shades
        assert wrong.mean() < 2
        assert (made[:, :8] == (243, 244, 246)).all()
    still = np.all([frame == frames[0] for frame in frames], axis=(0, -1))
    assert still.mean() > 0.5
    assert all((made[still] == pixels[0][still]).all() for made in pixels)
    assert Image.open(file).info["loop"] == 0


def test_equal_pictures_become_one_that_lasts_longer():
    a, b = _frames(2)
    file = io.BytesIO()
    reel.write_gif(file, iter([(a, 0), (a, 100), (a, 100), (b, 50)]))
    _pixels, lasting = _read(file.getvalue())
    assert lasting == [200, 50]


def test_a_webp_keeps_every_colour():
    frames = _frames(5)
    file = io.BytesIO()
    reel.write_webp(file, iter([(frame, 100) for frame in frames]), len(frames))
    pixels, _lasting = _read(file.getvalue())
    assert len(pixels) == 5
    for made, wanted in zip(pixels, frames, strict=True):
        assert (made == wanted).all()


def test_the_strip_below_says_how_far_it_is():
    strip = Strip(QSize(600, 400), QSize(960, 800), (0, 100), [(40, "k 4 → 6")], "k-means · seed 0")
    assert strip.picture == QSize(960, 640)
    picture = QImage(1920, 1280, QImage.Format.Format_RGB32)
    picture.fill(QColor("#123456"))

    def accents(step: int) -> int:
        image = strip.compose(picture, step, "k-means · seed 0")
        assert image.size() == strip.size
        y = strip.picture.height()
        return sum(image.pixelColor(x, y) == look.colour("accent") for x in range(image.width()))

    assert accents(0) == 0
    assert 0.2 < accents(25) / 960 < 0.3
    assert accents(100) > 900
    other_shape = QImage(300, 900, QImage.Format.Format_RGB32)
    other_shape.fill(QColor("#123456"))
    assert strip.compose(other_shape, 5, "x").size() == strip.size


# ── the real window ─────────────────────────────────────────────────────────────────────────────────────────


class Studio:
    """A desk whose run can be filmed."""

    def __init__(self, desk: Desk, folder: Path) -> None:
        self.desk = desk
        self.film: Film = desk.window.takes.film
        self.path = folder / "film.gif"
        self.made: list[Path | None] = []
        self.film.done.connect(self.made.append)
        self.notice = desk.window.notice

    def make(self, plan: Plan | None = None) -> Path | None:
        self.film.make(plan or Plan(), self.path)
        return self.end()

    def end(self) -> Path | None:
        self.desk.until(lambda: self.made)
        self.desk.settle()
        assert not self.film.busy
        assert not look.reduce_motion
        return self.made.pop()

    def midway(self, plan: Plan | None = None) -> None:
        """Begin, until a few pictures have been taken."""
        seen: list[int] = []
        self.film.make(plan or Plan(), self.path)
        self.desk.window.bridge.sought.connect(lambda sought: seen.append(sought.step))
        self.desk.until(lambda: len(seen) > 12)

    def left_behind(self) -> list[str]:
        return sorted(path.name for path in self.path.parent.iterdir())


def frames_of(path: Path) -> tuple[int, tuple[int, int]]:
    """How many pictures, and how large."""
    with Image.open(path) as image:
        return image.n_frames, image.size


@pytest.fixture
def studio(trial: Desk, tmp_path: Path) -> Studio:
    trial.advance(30)
    return Studio(trial, tmp_path)


@pytest.mark.parametrize(
    ("what", "form"), [(PICTURES, "gif"), (WINDOW, "webp"), (CURVES, "gif"), ("cloud", "webp")]
)
def test_a_film_shows_every_recorded_step_and_ends_where_one_was(studio, what, form):
    desk = studio.desk
    assert studio.make(Plan(what=what, form=form)) == studio.path
    pictures, size = frames_of(studio.path)
    assert pictures >= 30
    assert 400 < size[0] <= 1280
    if what == PICTURES:
        with Image.open(studio.path) as image:
            ground = image.convert("RGB").getpixel((2, 2))
        assert ground == look.colour("window").getRgb()[:3]
    assert studio.left_behind() == ["film.gif"]
    assert desk.panel_steps() == {30}
    assert not desk.window.looks_back
    assert desk.runs == 1
    assert "film.gif" in studio.notice.text


def test_the_film_goes_through_the_steps_in_order(studio, monkeypatch):
    seen: list[int] = []
    real = Film._shoot

    def noted(film: Film, step: int) -> Any:
        assert studio.desk.panel_steps() == {step}
        seen.append(step)
        return real(film, step)

    monkeypatch.setattr(Film, "_shoot", noted)
    studio.make(Plan(form="webp", first=5, last=20))
    assert seen[6:] == list(range(5, 21))
    assert sorted(set(seen[:6])) == seen[:6]  # samples


def test_what_plays_waits_and_plays_on_without_a_branch(studio):
    desk = studio.desk
    desk.play()
    assert studio.make() == studio.path
    assert desk.status == "running"
    assert desk.runs == 1
    statuses = [status.status for status in desk.of("status")]
    assert statuses[-2:] == ["paused", "running"]
    desk.pause()


def test_who_looked_at_the_past_looks_at_it_again(studio):
    desk = studio.desk
    desk.window.seek(12)
    desk.settle()
    assert studio.make() == studio.path
    assert desk.panel_steps() == {12}
    assert desk.window.looks_back


def test_looking_at_the_past_while_it_plays(studio):
    desk = studio.desk
    desk.play()
    desk.window.seek(12)
    desk.settle()
    assert studio.make() == studio.path
    desk.settle()
    assert desk.status == "running"
    assert desk.panel_steps() == {12}
    assert desk.runs == 1
    desk.pause()


def test_a_run_that_failed_can_be_filmed(studio):
    desk = studio.desk
    desk.window.conductor.turn("trouble", "raise")
    desk.window.bridge.engine.advance(5)
    desk.until(lambda: desk.status == "failed")
    desk.settle()
    assert studio.make() == studio.path


def test_two_runs_side_by_side(studio):
    desk = studio.desk
    desk.run(desk.window.toggle_comparison)
    desk.advance(8)
    assert studio.make() == studio.path
    assert frames_of(studio.path)[0] >= 8
    titles = studio.film.titles()
    assert titles["cloud"] == "A · Cloud"
    assert titles["b.cloud"] == "B · Cloud"


def test_without_a_run_of_some_length_there_is_nothing_to_film(trial, tmp_path):
    studio = Studio(trial, tmp_path)
    studio.film.ask()
    assert studio.notice.text == NOTHING_RECORDED
    assert studio.make() is None
    assert studio.notice.text == NOTHING_RECORDED
    assert studio.left_behind() == []


# ── what comes between ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("by", ["close button", "Escape"])
def test_a_film_can_be_stopped_and_the_former_file_is_whole(studio, by):
    studio.path.write_bytes(b"a former film")
    studio.midway()
    assert studio.notice.property("kind") == "progress"
    if by == "Escape":
        studio.desk.key(Qt.Key.Key_Escape)
    else:
        studio.desk.click(studio.notice._close)
    assert studio.end() is None
    assert studio.path.read_bytes() == b"a former film"
    assert studio.left_behind() == ["film.gif"]
    assert studio.desk.panel_steps() == {30}
    assert "Stopped" in studio.notice.text


def test_stopping_lets_the_run_play_on(studio):
    studio.desk.play()
    studio.midway()
    studio.film.give_up()
    assert studio.end() is None
    assert studio.desk.status == "running"
    studio.desk.pause()


def test_another_run_ends_the_film(studio):
    studio.midway()
    studio.desk.run(lambda: studio.desk.key(Qt.Key.Key_R))
    assert studio.end() is None
    assert studio.notice.text == ANOTHER
    assert studio.left_behind() == []
    assert studio.desk.step == 0


def test_who_seeks_or_plays_in_between_goes_before(studio):
    studio.midway()
    studio.desk.window.seek(25)
    assert studio.end() is None
    assert studio.notice.text == LEFT
    assert studio.desk.panel_steps() == {25}
    studio.midway()
    studio.desk.play()  # from a recorded step
    assert studio.end() is None
    assert studio.left_behind() == []
    studio.desk.pause()


def test_a_picture_that_goes_out_of_sight_ends_the_film(studio):
    studio.midway(Plan(what="curve"))
    studio.desk.panels["curve"].hide()
    assert studio.end() is None
    assert studio.notice.text == film_module.UNSEEN
    assert studio.desk.panel_steps() == {30}


def test_a_folder_that_cannot_be_written_to(studio):
    studio.path = studio.path.parent / "no such folder" / "film.gif"
    studio.film.make(Plan(), studio.path)
    assert studio.end() is None
    assert "could not be written" in studio.notice.text
    assert str(studio.path) in studio.notice.text
    assert studio.desk.panel_steps() == {30}


def test_a_full_disk_leaves_nothing_behind(studio, monkeypatch):
    def full(*_anything: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(reel, "_write_part", full)
    assert studio.make() is None
    assert "could not be written" in studio.notice.text
    assert studio.left_behind() == []


def test_closing_the_window_in_mid_film_leaves_nothing_behind(studio):
    studio.midway(Plan(what=WINDOW))
    studio.desk.close()
    assert studio.left_behind() == []


def test_resizing_and_switching_the_theme_in_mid_film(studio):
    studio.midway(Plan(what=WINDOW))
    studio.desk.window.resize(900, 700)
    look.update(theme="dark")
    assert studio.end() == studio.path
    assert frames_of(studio.path)[1][0] == 1280


def test_one_at_a_time(studio):
    studio.midway()
    takes = studio.desk.window.takes
    takes.ask_film(None)
    takes.ask_handout()
    assert studio.desk.window.findChild(FilmDialog) is None
    studio.film.make(Plan(), studio.path.with_name("other.gif"))
    assert studio.end() == studio.path
    assert studio.left_behind() == ["film.gif"]


# ── asking ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_dialog_asks_tells_what_will_come_and_makes_it(studio, monkeypatch):
    window = studio.desk.window
    window.sharing.film_wanted.emit(studio.desk.panels["cloud"])
    dialog = window.findChild(FilmDialog)
    assert dialog.plan.what == "cloud"
    assert "31" in dialog._facts.text()
    dialog.rows["form"]._on_pick("webp")
    dialog.rows["first"]._on_typed("10")
    dialog.rows["last"]._on_typed("20")
    dialog.rows["rate"]._on_typed("20")
    dialog.rows["pace"]._on_pick("early")
    assert "11" in dialog._facts.text()
    plan = dialog.plan
    assert (plan.form, plan.first, plan.last, plan.rate, plan.even) == ("webp", 10, 20, 20, False)
    dialog.rows["last"]._on_typed("10")
    assert not dialog.make_button.isEnabled()
    dialog.rows["last"]._on_typed("20")
    wanted = studio.path.with_suffix(".webp")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(wanted.with_suffix("")), ""))
    studio.desk.click(dialog.make_button)
    assert studio.end() == wanted
    assert frames_of(wanted)[0] == 11


def test_nothing_is_made_when_no_file_is_chosen(studio, monkeypatch):
    window = studio.desk.window
    window.sharing.film_wanted.emit(None)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    studio.desk.click(window.findChild(FilmDialog).make_button)
    assert not studio.film.busy


@pytest.mark.parametrize("code", ["en", "fr"])
@pytest.mark.parametrize("projector", [False, True])
def test_the_dialog_fits(desks: Callable[..., Desk], code, projector):
    desk = desks().open("kmeans")
    desk.advance(5)
    language.switch(code)
    look.update(projector=projector)
    desk.window.takes.ask_film(None)
    dialog = desk.window.findChild(FilmDialog)
    dialog.grab()
    assert dialog.width() <= desk.window.width()
    assert dialog.height() <= 720
    for row in dialog.rows.values():
        assert not row.label.is_cut, row.label.text()
    dialog.close()
