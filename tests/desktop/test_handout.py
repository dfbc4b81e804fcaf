"""The hand-out: one page that is whole, safe and true, whatever the run and its names."""

from __future__ import annotations

import base64
import csv
import io
import re
import shlex
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from desktop.language import language
from desktop.panels.trace import Reduced, Trace
from desktop.share import graphs, page, telling
from desktop.share.handout import Handout
from desktop.share.tour import ANOTHER
from engine.__main__ import main as command_line
from engine.api import Branch, Grown, RunSpec, Turned
from tests.desktop.conftest import Desk

VOID = {"meta", "img", "br"}
HOSTILE = "<script>alert(1)</script>\"&'><img src=x onerror=alert(2)>"


class Reader(HTMLParser):
    """Reads a page as a browser does, and minds whether every tag is closed where it should be."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.words: dict[str, str] = {}
        self.section = ""
        self.everything = ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag == "section":
            self.section = dict(attrs)["id"] or ""
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag == "section":
            self.section = ""

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words[self.section] = self.words.get(self.section, "") + data
            self.everything += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.seen if name == tag]


def check_alone(text: str) -> Reader:
    """The page needs nothing but itself, and does nothing."""
    reader = Reader(text)
    tags = {tag for tag, _attrs in reader.seen}
    assert not tags & {"script", "link", "iframe", "object", "embed", "form", "base", "a", "use", "image"}
    for _tag, attrs in reader.seen:
        assert not [name for name in attrs if name.startswith("on")]
        assert "href" not in attrs
        assert "xlink:href" not in attrs
        assert (attrs.get("src") or "data:").startswith("data:image/png;base64,") or "src" not in attrs
    assert "http:" not in text
    assert "https:" not in text
    assert "url(" not in text
    assert "@import" not in text
    policy = next(a for a in reader.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy["content"] == page.POLICY
    return reader


def pictures(reader: Reader) -> list[Image.Image]:
    found = []
    for attrs in reader.all("img"):
        png = base64.b64decode((attrs["src"] or "").partition(",")[2])
        found.append(Image.open(io.BytesIO(png)))
        assert attrs["alt"]
    return found


class Copier:
    """A desk whose session is handed out."""

    def __init__(self, desk: Desk, folder: Path) -> None:
        self.desk = desk
        self.handout: Handout = desk.window.takes.handout
        self.path = folder / "hand-out.html"
        self.made: list[Path | None] = []
        self.handout.done.connect(self.made.append)

    def make(self) -> Reader:
        self.handout.make(self.path)
        assert self.end() == self.path
        assert [path.name for path in self.path.parent.iterdir()] == [self.path.name]
        return check_alone(self.path.read_text(encoding="utf-8"))

    def end(self) -> Path | None:
        self.desk.until(lambda: self.made)
        self.desk.settle()
        return self.made.pop()


@pytest.fixture
def opened(desks: Callable[..., Desk], tmp_path: Path) -> Callable[..., Copier]:
    def make(*args: Any, **kwargs: Any) -> Copier:
        return Copier(desks().open(*args, **kwargs), tmp_path)

    return make


# ── what is in it ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_session_of_k_means(opened):
    copier = opened("kmeans", dataset="blobs", seed=3, k=4)
    desk = copier.desk
    desk.advance(4)
    desk.window.conductor.turn("k", 6)
    desk.settle()
    desk.advance(6)
    reader = copier.make()
    words, info = reader.words, desk.window.conductor.info
    assert words[""].count("k-means") >= 2
    assert str(info.question) in words[""]
    assert "Blobs" in words[""]
    assert "Seed3" in words[""].replace("\n", "")
    shown = pictures(reader)
    panels = [panel for panel in desk.panels.values() if panel.isVisible()]
    assert len(shown) == 6 + len(panels)
    assert shown[0].width == 2 * panels[0].width()
    assert "seed 3 · step" in words["pictures"]
    assert "step 0" in words["moments"]
    assert f"step {desk.step}" in words["moments"]
    assert str(info.scalars["inertia"].title) in words["curves"]
    charts = [attrs for attrs in reader.all("svg") if attrs["class"] == "chart"]
    assert len(charts) == len(info.scalars)
    assert [a for a in reader.all("path") if a.get("class") == "mark"]
    for knob in info.knobs:
        assert str(knob.label) in words["settings"]
        assert str(knob.help) in words["settings"]
    assert re.search(r"Clusters k.*\n?.*4\s*6", words["settings"].replace("</td>", " "))
    assert "k 4 → 6" in words["done"]
    assert "runs" not in words
    formulas = [attrs for attrs in reader.all("svg") if attrs["class"] == "formula"]
    assert len(formulas) >= 5
    assert r"\mu_j" in str(formulas)
    assert "Every point" in words["lesson"]
    assert "latentarium:" not in copier.path.read_text(encoding="utf-8")
    assert desk.panel_steps() == {desk.step}


def test_the_command_trains_the_same(opened, tmp_path):
    copier = opened("kmeans", dataset="moons", seed=5, k=3, init="random")
    desk = copier.desk
    desk.advance(3)
    desk.window.conductor.turn("k", 7)
    desk.settle()
    desk.advance(3)
    reader = copier.make()
    line = next(line for line in reader.words["again"].splitlines() if "python -m engine" in line)
    words = shlex.split(line[line.index("python -m engine") :])
    assert words[:3] == ["python", "-m", "engine"]
    out = tmp_path / "again"
    words[words.index("--out") + 1] = str(out)
    assert command_line(words[3:]) == 0
    with (out / "scalars.csv").open(newline="") as file:
        again = {(int(r["step"]), r["name"]): float(r["value"]) for r in csv.DictReader(file)}
    seen = {(step, name): value for name, pairs in desk.scalars.items() for step, value in pairs}
    assert len(seen) >= 10
    assert seen == {key: again[key] for key in seen}
    assert "make_run" in reader.words["again"]


def test_what_a_line_cannot_say_is_not_said(opened):
    info = opened("kmeans").desk.window.conductor.infos["kmeans"]
    spec = RunSpec("kmeans", "blobs", {"k": info.knob("k").default, "trails": True}, 1)
    line = telling.command(info, spec, [], 5)
    assert line == "python -m engine run kmeans --dataset blobs --seed 1 --steps 5 --out results"
    turned = [Turned(3, "k", 4, 5), Turned(9, "trails", True, False, waiting=True)]
    assert "--at 2:k=5" in telling.command(info, spec, turned, 5)
    assert "trails" not in telling.command(info, spec, turned, 5)
    own = RunSpec("kmeans", "own_table", {}, 1, Path("/home/somebody/marks.csv"))
    assert telling.command(info, own, [], 5) == ""
    assert telling.command(info, RunSpec("kmeans", "blobs", {}, 1, None, {"n": 30}), [], 5) == ""


def test_it_speaks_french(opened):
    copier = opened("tsne", dataset="digits")
    copier.desk.advance(12)
    language.switch("fr")
    reader = copier.make()
    assert reader.all("html")[0]["lang"] == "fr"
    assert "voisinages" in reader.words[""]
    assert "graine 0" in reader.words["pictures"]
    assert "À essayer" in reader.words["lesson"]


def test_two_runs_side_by_side(opened):
    copier = opened("kmeans", dataset="anisotropic")
    desk = copier.desk
    desk.run(lambda: desk.window.conductor.compare("gmm"))
    desk.advance(6)
    reader = copier.make()
    assert "A: " in reader.words["settings"]
    assert "B: " in reader.words["settings"]
    assert "python -m engine" not in reader.words["again"]
    assert "Beside(" in reader.words["again"]
    moments = reader.words["moments"].count("step")
    every = [attrs["alt"] or "" for attrs in reader.all("img")]
    assert len([alt for alt in every if "step" in alt]) == 2 * moments  # A and B


def test_small_multiples_are_shown_together(opened):
    copier = opened("manifold", dataset="swiss_roll", most=200)
    copier.desk.advance(4)
    reader = copier.make()
    panels = copier.desk.panels
    assert len(reader.all("img")) == len(panels) + reader.words["moments"].count("step")


def test_pictures_that_take_turns_are_all_there(desks, tmp_path):
    desk = desks().open("pca", dataset="digits")
    desk.window.resize(760, 520)
    desk.advance(4)
    desk.settle()
    assert any(not panel.isVisible() for panel in desk.panels.values())
    watched = {name for name, panel in desk.panels.items() if panel.isVisible()}
    reader = Copier(desk, tmp_path).make()
    alts = " ".join(attrs["alt"] or "" for attrs in reader.all("img"))
    for panel in desk.panels.values():
        assert panel.title in alts
    assert {name for name, panel in desk.panels.items() if panel.isVisible()} == watched


def test_the_tree_of_runs(opened):
    copier = opened("kmeans", dataset="blobs")
    desk = copier.desk
    desk.advance(5)
    branches = (
        Branch(1, None, 0, 20),
        Branch(2, 1, 8, 30, HOSTILE, (Turned(9, "k", 4, 6),)),
        Branch(3, 2, 12, 14, "third"),
    )
    desk.window.bridge.grown.emit(Grown(branches, active=2))
    reader = copier.make()
    assert HOSTILE in reader.words["runs"]
    assert "k 4 → 6" in reader.words["runs"]
    assert "steps 8 to 30" in reader.words["runs"]
    assert len([a for a in reader.all("div") if (a.get("class") or "").startswith("run")]) == 3
    assert len([a for a in reader.all("div") if a.get("class") == "run active"]) == 1


# ── names that bite ─────────────────────────────────────────────────────────────────────────────────────────


def test_names_of_files_and_classes_are_only_words(desks, tmp_path):
    name = HOSTILE.replace("/", "⁄") + ".csv"
    table = tmp_path / "mine" / name
    table.parent.mkdir()
    rng = np.random.default_rng(0)
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["<b>wide</b>", "high", "kind"])
        for i in range(60):
            writer.writerow([*(f"{v:.3f}" for v in rng.normal(size=2)), HOSTILE if i % 2 else "plain"])
    folder = tmp_path / "out"
    folder.mkdir()
    desk = desks().open("kmeans")
    looked: list[Any] = []
    desk.window.bridge.looked.connect(looked.append)
    desk.window.look_at(table)
    desk.until(lambda: looked)
    report = looked[0].report
    answers = {question.knob: question.suggested for question in report.questions}
    desk.run(lambda: desk.window.conductor.use_own(report.source, table, answers))
    desk.advance(3)
    copier = Copier(desk, folder)
    reader = copier.make()
    text = copier.path.read_text(encoding="utf-8")
    assert "<script" not in text
    assert "<img src" not in text
    assert name in reader.words[""]
    assert str(tmp_path) not in text  # where it lies tells strangers about a person
    assert "python -m engine" not in reader.words["again"]


def test_every_word_of_a_page_is_escaped():
    heads = page.Heads(*[HOSTILE] * 8)
    table = page.Table([HOSTILE] * 2, [[HOSTILE] * 2], [HOSTILE])
    run = page.Run(HOSTILE, HOSTILE, HOSTILE, 0.0, 1.0, 1, active=True)
    again = page.Again([HOSTILE], HOSTILE, HOSTILE, HOSTILE)
    line = graphs.Line(HOSTILE, 0, Reduced(np.arange(3.0), np.arange(3.0)))
    chart = page.Chart(HOSTILE, graphs.chart([line], log=False, across=HOSTILE), [("c0", HOSTILE, HOSTILE)])
    picture = page.Picture(HOSTILE, HOSTILE, b"png", 100)
    whole = page.Page(
        '"><script>', HOSTILE, HOSTILE, [(HOSTILE, HOSTILE)], heads, [chart], table, table, [run],
        f"{HOSTILE} $x$ $$\\notacommand{{{HOSTILE}}}$$ [{HOSTILE}](https://elsewhere)", again, HOSTILE,
    )  # fmt: skip
    moments = [page.Moment(HOSTILE, [picture]), page.Moment(HOSTILE, [picture])]
    reader = check_alone("".join(page.write(whole, [picture], moments)))
    assert reader.everything.count(HOSTILE) > 25


# ── curves and formulas ─────────────────────────────────────────────────────────────────────────────────────


def test_a_chart_has_its_curve_where_its_numbers_are():
    trace = Trace()
    trace.extend(range(11), [10.0 - i for i in range(11)])
    svg = graphs.chart([graphs.Line("J", 0, trace.reduced(0, 10, 100))], log=False)
    path = next(attrs for attrs in Reader(svg).all("path") if attrs["class"] == "curve")
    points = [tuple(map(float, pair.split())) for pair in (path["d"] or "")[1:].split("L")]
    assert len(points) == 11
    assert points[0] == (graphs.LEFT, graphs.TOP)
    assert points[-1] == (graphs.WIDTH - graphs.RIGHT, graphs.HEIGHT - graphs.BOTTOM)


@pytest.mark.parametrize(
    "values",
    [[], [1.0], [np.nan] * 5, [1.0, np.nan, 3.0, np.inf, 2.0], [0.0] * 4, [1e-9, 1e9], [-1e300, 1e300]],
)
@pytest.mark.parametrize("log", [False, True])
def test_no_number_breaks_a_chart(values, log):
    trace = Trace()
    trace.extend(range(len(values)), values)
    svg = graphs.chart([graphs.Line("J", 9, trace.reduced(0, 10, 100))], log=log, marks=[2])
    Reader(svg)
    assert "nan" not in svg
    assert "inf" not in svg


def test_long_curves_are_reduced_and_show_how_far_they_reach():
    trace = Trace()
    trace.extend(range(200_000), np.random.default_rng(0).normal(size=200_000).tolist())
    svg = graphs.chart([graphs.Line("J", 0, trace.reduced(0, 2e5, graphs.COLUMNS))], log=False)
    assert len(svg) < 60_000
    assert 'class="band"' in svg


def test_formulas_wear_the_colours_of_the_page():
    svg = graphs.formula(r"\textcolor{c0}{J}=\textcolor{k2}{x}", inline=True)
    assert "fill:var(--c0)" in svg
    assert "fill:var(--k2)" in svg
    assert 'fill="currentColor"' in svg
    assert "#00c" not in svg
    assert graphs.formula(r"\frac{", inline=True).startswith("<code>")


# ── what comes between ──────────────────────────────────────────────────────────────────────────────────────


def test_asked_for_in_the_menu(opened, monkeypatch):
    copier = opened("kmeans", dataset="blobs")
    copier.desk.advance(2)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(copier.path), ""))
    copier.desk.window.sharing.handout_wanted.emit()
    assert copier.end() == copier.path
    assert copier.path.name in copier.desk.window.notice.text


def test_a_run_that_has_not_begun_and_one_that_plays(trial, tmp_path):
    copier = Copier(trial, tmp_path)
    reader = copier.make()
    assert "moments" not in reader.words
    assert "curves" not in reader.words
    trial.play()
    copier.make()
    assert trial.status == "running"
    assert trial.runs == 1
    trial.pause()


def test_it_can_be_stopped_and_the_former_file_is_whole(trial, tmp_path):
    trial.advance(20)
    copier = Copier(trial, tmp_path)
    copier.path.write_text("a former one")
    copier.handout.make(copier.path)
    trial.key(Qt.Key.Key_Escape)
    assert copier.end() is None
    assert copier.path.read_text() == "a former one"
    assert len(list(tmp_path.iterdir())) == 1
    assert trial.panel_steps() == {20}


def test_another_run_ends_it(trial, tmp_path):
    trial.advance(20)
    copier = Copier(trial, tmp_path)
    copier.handout.make(copier.path)
    trial.run(lambda: trial.key(Qt.Key.Key_R))
    assert copier.end() is None
    assert trial.window.notice.text == ANOTHER
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_to(trial, tmp_path):
    copier = Copier(trial, tmp_path)
    copier.handout.make(tmp_path / "nowhere" / "page.html")
    assert copier.end() is None
    assert "could not be written" in trial.window.notice.text


def test_closing_in_the_middle_leaves_nothing_behind(trial, tmp_path):
    trial.advance(20)
    copier = Copier(trial, tmp_path)
    copier.handout.make(copier.path)
    trial.close()
    assert not list(tmp_path.iterdir())
