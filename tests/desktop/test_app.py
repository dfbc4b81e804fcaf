"""The program as a person starts it, and a monkey at the desk."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QDialog, QFileDialog, QMenu, QWidget

from desktop.crash import Reporter
from desktop.panels.colour_by import ColourButton
from desktop.style.tokens import look
from tests.desktop.conftest import LEFT, NO_KEY, Desk, drain

ROOT = Path(__file__).resolve().parent.parent.parent
DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def program(tmp_path: Path, *words: str, display: bool = True) -> subprocess.CompletedProcess[str]:
    """``python -m desktop`` with a home of its own."""
    environment = {k: v for k, v in os.environ.items() if k not in DISPLAYS}
    if display:
        environment["QT_QPA_PLATFORM"] = "offscreen"
    environment["LATENTARIUM_HOME"] = str(tmp_path / "home")
    return subprocess.run(
        [sys.executable, "-m", "desktop", *words],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def said_one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    """Exit 2, and nothing but one sentence."""
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].endswith(".")
    return lines[0]


def test_a_screenshot_of_the_real_window(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    done = program(
        tmp_path, "--experiment", "kmeans", "--steps", "4", "--size", "1280x720", "--theme", "dark",
        "--lang", "fr", "--screenshot", str(path),
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    image = QImage(str(path))
    assert (image.width(), image.height()) == (1280, 720)
    seen = {image.pixelColor(x, y).name() for x in range(0, 1280, 5) for y in range(0, 720, 5)}
    assert len(seen) > 30, "an empty window"
    assert image.pixelColor(2, 300).lightnessF() < 0.3
    assert not (tmp_path / "home" / "report.txt").exists()
    assert not (tmp_path / "home" / "settings.json").exists(), "a picture must not change what is remembered"


def test_a_screenshot_of_every_kind(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    done = program(
        tmp_path, "--topic", "clusters", "--experiment", "pca", "--dataset", "digits", "--seed", "7", "--set",
        "k=3", "--set", "ritz=on", "--projector", "--size", "1024x768", "--screenshot", str(path),
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert (QImage(str(path)).width(), QImage(str(path)).height()) == (1024, 768)


def test_an_unknown_experiment_is_said_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    assert "nothing" in said_one_sentence(
        program(tmp_path, "--experiment", "nothing", "--screenshot", str(path))
    )
    assert not path.exists()


UNKNOWN = [
    (("--topic", "notopic"), "notopic"),
    (("--experiment", "kmeans", "--dataset", "nowhere"), "nowhere"),
    (("--experiment", "kmeans", "--set", "gain=3"), "gain"),
    (("--experiment", "kmeans", "--set", "k=99"), "k = 99"),
    (("--experiment", "kmeans", "--set", "k"), "knob=value"),
    (("--experiment", "kmeans", "--demo", "nodemo"), "nodemo"),
    (("--experiment", "kmeans", "--dataset", "mnist"), "MNIST"),
    (("--experiment", "kmeans", "--only", "nopicture"), "nopicture"),
    (("--device", "warp"), "warp"),
    (("--screenshot", "/no/such/folder/out.png"), "could not be written"),
]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[int, str]]:
    """Exit code and words for each of them, from one process, since most of a start is the same each time."""
    folder = tmp_path_factory.mktemp("unknown")
    path = folder / "out.png"
    commands = [["--screenshot", str(path), *words] for words, _named in UNKNOWN]
    script = (
        "import contextlib, io, json, sys\n"
        "from engine import boot; boot.environment()\n"
        "from desktop.app import main\n"
        "found = []\n"
        "for words in json.loads(sys.argv[1]):\n"
        "    with contextlib.redirect_stderr(io.StringIO()) as said:\n"
        "        code = main(words)\n"
        "    found.append((code, said.getvalue()))\n"
        "print(json.dumps(found))"
    )
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "LATENTARIUM_HOME": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps(commands)],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert not path.exists()
    return [(code, said) for code, said in json.loads(done.stdout)]


@pytest.mark.parametrize("index", range(len(UNKNOWN)), ids=[named for _words, named in UNKNOWN])
def test_what_is_unknown_is_said_in_a_sentence(answers: list[tuple[int, str]], index: int) -> None:
    code, said = answers[index]
    assert code == 2
    assert len(said.strip().splitlines()) == 1, said
    assert said.strip().endswith(".")
    assert UNKNOWN[index][1] in said


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--size", "big"), "big"),
        (("--size", "10x10"), "10x10"),
        (("--size", "99999x99999"), "99999"),
        (("--size", "1280x²²²"), "size"),
        (("--steps", "-3"), "-3"),
        (("--steps", "many"), "many"),
        (("--scale", "0"), "scale"),
        (("--scale", "nan"), "scale"),
        (("--theme", "purple"), "purple"),
        (("--lang", "xx"), "xx"),
        (("--nonsense",), "nonsense"),
    ],
)
def test_a_wrong_word_on_the_command_line(
    words: tuple[str, ...], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from desktop.app import main

    assert main(list(words)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.strip().splitlines()) == 1
    assert named in said.err


def test_no_display_is_one_sentence_that_helps(tmp_path: Path) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("other systems always have one")
    said = said_one_sentence(program(tmp_path, display=False))
    assert "QT_QPA_PLATFORM=offscreen" in said


def test_the_window_stays_until_it_is_closed(tmp_path: Path) -> None:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "LATENTARIUM_HOME": str(tmp_path / "home")}
    program = (
        "import sys; from PySide6.QtCore import QTimer; from PySide6.QtWidgets import QApplication;"
        "import desktop.window as w; begin = w.Window.begin;\n"
        "def timed(self):\n"
        "    begin(self); self.bridge.started.connect(lambda s: QTimer.singleShot(0, self.close))\n"
        "w.Window.begin = timed\n"
        "from desktop.__main__ import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "home" / "settings.json").exists()


@pytest.mark.parametrize(
    ("words", "named"),
    [(("--experiment", "nothing"), "nothing"), (("--experiment", "pca", "--dataset", "nowhere"), "nowhere")],
)
def test_a_wrong_start_opens_something_and_keeps_the_sentence(
    desks: Any, words: tuple[str, ...], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from desktop.app import _Opening, parse

    desk = desks()
    opening = _Opening(desk.window, parse(list(words)))
    desk.open(begin=opening.begin)
    desk.until(lambda: desk.runs)
    desk.settle()
    assert named in desk.window.notice.text
    assert named in capsys.readouterr().err
    assert not desk.window.area.isHidden()


# ── a monkey ────────────────────────────────────────────────────────────────────────────────────────────────

KEYS = (
    Qt.Key.Key_Space, Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_R, Qt.Key.Key_N, Qt.Key.Key_S,
    Qt.Key.Key_PageDown, Qt.Key.Key_PageUp, Qt.Key.Key_F5, Qt.Key.Key_Escape, Qt.Key.Key_Tab,
    Qt.Key.Key_Return, Qt.Key.Key_C,
    Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_7, Qt.Key.Key_Comma, Qt.Key.Key_Home, Qt.Key.Key_End,
)  # fmt: skip
WITH_CTRL = tuple(getattr(Qt.Key, f"Key_{name}") for name in ("T", "L", "Plus", "Minus", "0", "Z", "Y"))
SIZES = ((1024, 768), (1280, 720), (1920, 1080), (800, 600), (640, 480))


class Monkey:
    """Presses, clicks, drags and resizes at random; the same seed does the same."""

    def __init__(self, desk: Desk, seed: int) -> None:
        self.desk = desk
        self.rng = random.Random(seed)
        self.done: list[str] = []

    def widget(self) -> QWidget:
        window = self.desk.window
        opens = (QFileDialog, QMenu, QDialog)
        barred = [
            window._more,
            window._compare,
            *window.findChildren(ColourButton),
            window.datasets.folder_button,
            *window.findChildren(QComboBox),
        ]  # these open lists
        there = [
            w for w in window.findChildren(QWidget)
            if w.isVisible() and w.isEnabled() and w.window() is window and not isinstance(w, opens)
            and not any(w is b or b.isAncestorOf(w) for b in barred) and w.width() > 2 and w.height() > 2
        ]  # fmt: skip
        return self.rng.choice(there)

    def place(self, widget: QWidget) -> QPoint:
        return QPoint(self.rng.randrange(widget.width()), self.rng.randrange(widget.height()))

    def key(self) -> None:
        self.desk.key(self.rng.choice(KEYS))

    def ctrl(self) -> None:
        self.desk.key(self.rng.choice(WITH_CTRL), Qt.KeyboardModifier.ControlModifier)

    def click(self) -> None:
        widget = self.widget()
        QTest.mouseClick(widget, LEFT, NO_KEY, self.place(widget))

    def double_click(self) -> None:
        widget = self.widget()
        QTest.mouseDClick(widget, LEFT, NO_KEY, self.place(widget))

    def drag(self) -> None:
        widget = self.widget()
        self.desk.drag(widget, *(self.place(widget) for _stop in range(4)))

    def hover(self) -> None:
        widget = self.widget()
        self.desk.move(widget, self.place(widget))

    def resize(self) -> None:
        self.desk.window.resize(*self.rng.choice(SIZES))

    def wait(self) -> None:
        QApplication.processEvents()

    def act(self) -> None:
        weights = {
            self.key: 6, self.click: 6, self.drag: 3, self.hover: 3, self.wait: 4, self.double_click: 2,
            self.ctrl: 1, self.resize: 1,
        }  # fmt: skip
        what = self.rng.choices(list(weights), list(weights.values()))[0]
        self.done.append(what.__name__)
        what()
        QApplication.processEvents()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_monkey_breaks_nothing(
    desks: Any, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QMenu, "popup", lambda _menu, _at: None)  # nobody is there to choose
    desk = desks().open()
    reporter = Reporter(tmp_path / "report.txt")
    desk.window.technical.connect(reporter.note)
    monkey = Monkey(desk, seed)
    for _action in range(300):
        monkey.act()
        assert not desk.of("failed"), (desk.of("failed"), monkey.done[-5:])
    for dialog in desk.window.findChildren(QDialog):
        dialog.close()
    desk.window.resize(1280, 720)
    look.update(projector=False, scale=1.0)
    desk.window.transport.set_slow_motion(False)
    desk.window.transport.set_pace(None)
    drain()
    desk.settle()
    desk.paint()
    assert not reporter.path.exists()
    desk.run(desk.window.transport.reset.emit)
    desk.advance(1)
    assert desk.step == 1
    reporter.deleteLater()
