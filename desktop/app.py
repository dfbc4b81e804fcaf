"""Starting up: the window first, everything heavy after it has been painted."""

from __future__ import annotations

import argparse
import contextlib
import ctypes.util
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from engine.api import InputError, Parser, _, assignment

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QApplication

    from desktop.conductor import Conductor
    from desktop.crash import Reporter
    from desktop.settings import Settings
    from desktop.tidy import Tidier
    from desktop.window import Window
    from engine.api import Refused, StatusChanged

FONTS = Path(__file__).resolve().parent.parent / "assets" / "fonts"
NEVER_PAINTED_MS = 500
REST_MS = 800
"""A picture is taken when views no longer glide to what they show."""
SMALLEST = 200  # pixels, of a window


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line. InputError: one sentence about what is wrong with it."""
    parser = Parser(prog="latentarium", description="Unsupervised learning, live.")
    parser.add_argument("file", nargs="?", type=Path, help="open these runs, or data of your own")
    parser.add_argument("--topic", help="open this tab")
    parser.add_argument("--experiment", help="open this experiment")
    parser.add_argument("--demo", help="open this demo of the experiment")
    parser.add_argument("--dataset")
    parser.add_argument("--data-dir", type=Path, help="where data sets of your own lie, such as MNIST")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--set", action="append", default=[], metavar="knob=value")
    parser.add_argument("--steps", type=int, default=0, help="train so many steps at once")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--size", default="", metavar="1280x720")
    parser.add_argument("--theme", choices=("light", "dark"))
    parser.add_argument("--lang", choices=("en", "fr"))
    parser.add_argument("--scale", type=float)
    parser.add_argument("--projector", action="store_true")
    parser.add_argument("--only", metavar="CHANNEL", help="in the screenshot, only this picture")
    parser.add_argument(
        "--screenshot", type=Path, metavar="FILE.png", help="draw the window to a file and end"
    )
    options = parser.parse_args(arguments)
    if options.steps < 0:
        raise InputError(_("{steps} steps are not possible; 0 shows the start.", steps=options.steps))
    if options.scale is not None and not options.scale > 0:
        raise InputError(_("“{scale}” is not a scale; write for example 1.5.", scale=options.scale))
    if options.size:
        found = re.fullmatch(r"([0-9]{3,4})x([0-9]{3,4})", options.size)
        if found is None or min(map(int, found.groups())) < SMALLEST:
            raise InputError(_("“{size}” is not a size; write for example 1280x720.", size=options.size))
        options.size = (int(found[1]), int(found[2]))
    return options


def main(arguments: list[str] | None = None) -> int:
    """Open the window and stay until it is closed."""
    try:
        options = parse(sys.argv[1:] if arguments is None else arguments)
        if options.screenshot is not None:
            os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        check_display()
    except InputError as error:
        sys.stderr.write(f"{error.sentence}\n")
        return 2
    return _run(options)


def check_display() -> None:
    """Qt ends the process without a useful word where it finds no screen; say it first, and better.

    Raises:
        InputError: there is no display here, or a library that Qt needs to reach it is missing.
    """
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return
    if not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
        raise InputError(
            _(
                "There is no display here. To run without one, set QT_QPA_PLATFORM=offscreen, for example: "
                "QT_QPA_PLATFORM=offscreen make run ARGS='--screenshot window.png'."
            )
        )
    if os.environ.get("DISPLAY") and ctypes.util.find_library("xcb-cursor") is None:
        raise InputError(
            _(
                "Qt needs the library libxcb-cursor0 to open a window. Install it, for example: apt install "
                "libxcb-cursor0."
            )
        )


def _run(options: argparse.Namespace) -> int:
    from PySide6.QtWidgets import QApplication

    from desktop import settings as settings_file
    from desktop.crash import Reporter
    from desktop.tidy import Tidier

    app = QApplication.instance() or QApplication(["latentarium"])
    assert isinstance(app, QApplication)
    app.setApplicationName("Latentarium")
    app.setStyle("Fusion")
    load_fonts()
    home = settings_file.folder()
    reporter = Reporter(home / "report.txt")
    reporter.install()
    tidier = Tidier()
    tidier.start()
    try:
        return _show(app, options, reporter, tidier, home / "settings.json")
    finally:
        tidier.stop()
        reporter.remove()


def _show(
    app: QApplication, options: argparse.Namespace, reporter: Reporter, tidier: Tidier, path: Path
) -> int:
    """The window's whole life; returns the exit code."""
    from desktop import settings as settings_file
    from desktop.window import Window

    for_picture = options.screenshot is not None
    settings, problem = (settings_file.Settings(), None) if for_picture else settings_file.read(path)
    _apply(options, settings)
    window = Window(settings, device=options.device, home=None if for_picture else path.parent)
    if options.size or for_picture:
        window.resize(*(options.size or (1280, 720)))
    reporter.trouble.connect(window.show_trouble)
    window.technical.connect(reporter.note)
    if problem is not None:
        window.notice.show_problem(problem)
    opening = _Opening(window, options)
    wanted = options.file, options.topic, options.experiment, options.demo, options.dataset, options.set
    if for_picture or any(wanted):
        window.when_ready = opening.begin
    window.show()
    opening.loaded = tidier.keep
    _after_first_paint(window, opening.start)
    code = app.exec()
    if not for_picture:
        with contextlib.suppress(OSError):  # a folder that cannot be written forgets, and that is all
            settings_file.write(path, window.settings)
    return code or opening.code


def _after_first_paint(window: Window, then: Callable[[], None]) -> None:
    """Call ``then`` once people see ``window``. A timer of zero alone would fire before anything is painted.

    A window that is never painted (minimised from the start) begins a little later all the same.
    """
    from PySide6.QtCore import QEvent, QObject, QTimer

    class FirstPaint(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint:
                window.removeEventFilter(self)
                latest.start(0)  # after the paint now under way, children included
            return False

    watcher = FirstPaint(window)
    latest = QTimer(watcher, singleShot=True, interval=NEVER_PAINTED_MS)
    latest.timeout.connect(then)
    latest.timeout.connect(watcher.deleteLater)
    window.installEventFilter(watcher)
    latest.start()


def load_fonts() -> None:
    """The interface font comes with the app, so that it looks the same everywhere."""
    from PySide6.QtGui import QFontDatabase

    for path in sorted(FONTS.glob("*.otf")):
        QFontDatabase.addApplicationFont(str(path))


def _apply(options: argparse.Namespace, settings: Settings) -> None:
    """What the command line says goes before what is remembered."""
    settings.theme = options.theme or settings.theme
    settings.language = options.lang or settings.language
    settings.scale = options.scale or settings.scale
    settings.projector = options.projector or settings.projector
    settings.topic = options.topic or settings.topic
    settings.experiment = options.experiment or settings.experiment
    settings.data_dir = str(options.data_dir.resolve()) if options.data_dir else settings.data_dir


class _Opening:
    """Opens what the command line asks for, trains so many steps, and takes the picture if one is wanted."""

    def __init__(self, window: Window, options: argparse.Namespace) -> None:
        self._window = window
        self._options = options
        self._was_running = self._resting = self._answered = False
        self.code = 0
        self.loaded: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Once the window has been painted."""
        self._window.begin()
        assert self._window.bridge is not None
        self._window.bridge.ready.connect(lambda _ready: self.loaded())
        if self._options.screenshot is not None:  # also when the engine cannot even start
            self._window.bridge.failed.connect(lambda failed: self._stop(failed.sentence))

    def begin(self) -> None:
        """Once the engine is ready."""
        bridge, conductor, options = self._window.bridge, self._window.conductor, self._options
        assert bridge is not None
        assert conductor is not None
        try:
            self._choose(conductor)
        except InputError as error:
            self._stop(error.sentence)
            return
        if options.screenshot is not None:
            conductor.engine.pace(None)
            bridge.status.connect(self._on_status)
            bridge.progress.connect(self._look)
        bridge.refused.connect(self._on_refused)
        bridge.started.connect(self._on_started)
        if options.steps or options.screenshot is not None:
            conductor.engine.advance(options.steps)

    def _on_refused(self, refused: Refused) -> None:
        """What was asked for cannot be had; once a run stands, that is the window's own affair."""
        if not self._answered:
            self._answered = True
            self._stop(refused.sentence)

    def _on_started(self) -> None:
        self._answered = True

    def _choose(self, conductor: Conductor) -> None:
        from desktop.settings import SUFFIX

        options, infos = self._options, conductor.infos
        if options.file is not None and options.file.suffix == SUFFIX:
            assert self._window.keeping is not None
            self._window.keeping.open(options.file.resolve())
            return
        if options.file is not None:
            self._window.open_last()
            self._window.look_at(options.file.resolve())
            return
        name = options.experiment or self._window.first_of_topic(options.topic)
        if options.topic and not self._window.first_of_topic(options.topic):
            raise InputError(_("There is no topic called “{id}”.", id=options.topic))
        if name not in infos:
            raise InputError(
                _("There is no experiment called “{id}”; there are {known}.", id=name, known=", ".join(infos))
            )
        if options.demo:
            if options.demo not in {demo.name for demo in infos[name].demos}:
                raise InputError(_("{id} has no demo called “{demo}”.", id=name, demo=options.demo))
            conductor.choose_demo(name, options.demo)
            return
        params = dict(map(assignment, options.set))
        conductor.choose(name, dataset=options.dataset, params=params, seed=options.seed or 0)

    def _look(self) -> None:
        """Take the picture once every panel shows the step that the run rests at."""
        from PySide6.QtCore import QTimer

        area = self._window.area
        if self._resting and area is not None and area.complete(self._window.step):
            self._resting = False
            self._window.explain.finish()
            QTimer.singleShot(REST_MS, self._take)

    def _on_status(self, status: StatusChanged) -> None:
        if status.status == "running":
            self._was_running = True
        self._resting = self._was_running and status.status in ("paused", "ended")
        self._look()

    def _take(self) -> None:
        from PySide6.QtWidgets import QApplication

        area, only = self._window.area, self._options.only
        assert area is not None
        if only is not None and only not in area.panels:
            self._stop(
                _(
                    "There is no picture called “{name}”; there are {known}.",
                    name=only,
                    known=", ".join(area.panels),
                )
            )
            return
        shown = self._window if only is None else area.panels[only].body
        if not shown.grab().save(str(self._options.screenshot)):
            self._stop(_("The picture “{path}” could not be written.", path=str(self._options.screenshot)))
            return
        self._window.close()
        QApplication.quit()

    def _stop(self, sentence: str) -> None:
        from PySide6.QtCore import Qt
        from PySide6.QtWidgets import QApplication

        sys.stderr.write(f"{sentence}\n")
        self.code = 2
        if self._options.screenshot is None:
            bridge, notice = self._window.bridge, self._window.notice
            assert bridge is not None
            once = Qt.ConnectionType.SingleShotConnection  # a run that begins takes the notice away
            bridge.started.connect(lambda _started: notice.show_problem(sentence), once)
            self._window.open_last()
            return
        self._window.close()
        QApplication.quit()
