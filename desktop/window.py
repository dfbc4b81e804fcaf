"""The window: tabs on top, experiments and knobs at the left, pictures, the lesson at the right, one bar
below.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QRect, Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QKeySequence,
    QShortcut,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QMenu,
    QMessageBox,
    QScrollArea,
    QSplitter,
    QTabBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop.bridge import Bridge
from desktop.conductor import Conductor
from desktop.controls.dataset_picker import DatasetPicker
from desktop.controls.experiment_list import ExperimentList
from desktop.controls.explain import Explain
from desktop.controls.notice import Notice
from desktop.controls.parts import IconButton, named
from desktop.controls.run_tree import RunTree
from desktop.controls.sides import COMPARE, END, SAME, Sides
from desktop.controls.timeline_bar import TimelineBar
from desktop.controls.transport import Transport
from desktop.history import History
from desktop.language import LANGUAGES, _, language, number, say, tr
from desktop.menu import MoreMenu
from desktop.record import Record
from desktop.settings import SUFFIX, Settings
from desktop.share.sharing import Sharing
from desktop.style.sheet import style_sheet
from desktop.style.tokens import SCALES, look
from desktop.topics import TOPICS, Topic
from desktop.undoing import Undoing
from engine.api import (
    ASIDE,
    PREFIX,
    Acted,
    Answer,
    Beating,
    Downloaded,
    Failed,
    Info,
    InputError,
    Looked,
    Painted,
    Previewed,
    Ready,
    Refused,
    RunSpec,
    Sought,
    Started,
    StatusChanged,
    Text,
    Turned,
    Value,
    Working,
    check,
    sources,
)

if TYPE_CHECKING:
    from desktop.controls.data_dialog import DataDialog
    from desktop.controls.draw_pad import DrawPad
    from desktop.guest import Guest
    from desktop.keeping import Keeping
    from desktop.panels.area import PanelArea
    from desktop.runs import Runs
    from desktop.share.takes import Takes

LESSONS = Path(__file__).resolve().parent.parent / "assets" / "lessons"
ARROWS = (
    Qt.Key.Key_Left,
    Qt.Key.Key_Right,
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
)
KINDS = "*.csv *.tsv *.tab *.dat *.parquet *.pq *.npy *.npz *.txt"
LIST_SHARE = 0.5
"""The list of experiments takes at most so much of the left column."""
KEEP_ARROWS = (QAbstractSlider, QComboBox, QAbstractItemView, TimelineBar, QTabBar)


class Window(QMainWindow):
    """Everything on the screen. ``begin()`` fills it once it has been painted for the first time."""

    technical = Signal(str, str)
    """Something for the report file: where, and the whole text."""

    def __init__(self, settings: Settings, *, device: str = "auto", home: Path | None = None) -> None:
        """home: where runs are kept by themselves; None: nowhere."""
        super().__init__()
        self.settings = settings
        self._home = home
        self._device_name = device
        self._device_words = ""
        self._started: Started | None = None
        self._waits = False  # a knob turned in the past
        self._past = self._paint_refused = False  # looking at a recorded step; the last painting was no good
        self._step = self._sought = 0
        self._rate: float | None = None
        self.bridge: Bridge | None = None
        self.conductor: Conductor | None = None
        self.area: PanelArea | None = None
        self.pad: DrawPad | None = None
        self.runs: Runs | None = None
        self.guest: Guest | None = None
        self.record: Record | None = None
        self.keeping: Keeping | None = None
        self.takes: Takes | None = None
        self.sharing = Sharing(self)
        self.when_ready: Callable[[], None] = self.open_last
        self.setWindowTitle("Latentarium")
        self.setAcceptDrops(True)
        look.update(theme=settings.theme, scale=settings.scale, projector=settings.projector)
        look.changed.connect(self._dress)  # before the controls: a new style sheet undoes their fonts
        self._dress()
        self._build()
        self._connect_controls()
        self._add_shortcuts()
        self._restore_settings()
        look.changed.connect(self._on_look)
        language.changed.connect(self._on_language)
        self._on_look()

    # ── building ────────────────────────────────────────────────────────────────────────────────────────────

    def _build(self) -> None:
        self.experiments = ExperimentList()
        self.history = History(self)
        self.datasets = DatasetPicker(self.history)
        self.params = Sides(self.history)
        self.explain = Explain()
        self.timeline = TimelineBar()
        self.tree = RunTree()
        self.transport = Transport()
        self.transport.set_timeline(self.timeline)
        self._placeholder = named("quiet", QLabel())
        self._placeholder.setWordWrap(True)
        self._placeholder.setAlignment(Qt.AlignmentFlag.AlignCenter)
        say(self._placeholder.setText, _("Warming up…"))

        # The list and the knobs scroll each for itself, so that the knobs are in sight however long the list.
        self._side_columns: list[QVBoxLayout] = []
        self._left = named("side", QWidget())
        rows = QVBoxLayout(self._left)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        self._list_area = self._scrolled(self.experiments)
        rows.addWidget(self._list_area)
        self._knob_area = self._scrolled(self.datasets, self.params)
        rows.addWidget(self._knob_area, 1)
        self.experiments.changed.connect(self._share_left)

        middle = QWidget()
        self.notice = Notice(middle)
        self.undoing = Undoing(self.history, self.notice, self)
        self._middle = QVBoxLayout(middle)
        self._middle.setContentsMargins(0, 0, 0, 0)
        self._middle.setSpacing(0)
        self._middle.addWidget(self._placeholder, 1)

        self._columns = QSplitter(Qt.Orientation.Horizontal)
        self._columns.setChildrenCollapsible(False)
        self._right = QSplitter(Qt.Orientation.Vertical)  # the drawing, when there is one, and the lesson
        self._right.setChildrenCollapsible(False)
        self._right.addWidget(self.explain)
        for widget, stretch in ((self._left, 0), (middle, 1), (self._right, 0)):
            self._columns.addWidget(widget)
            self._columns.setStretchFactor(self._columns.count() - 1, stretch)

        whole = QWidget()
        rows = QVBoxLayout(whole)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self._build_header())
        rows.addWidget(self._columns, 1)
        rows.addWidget(self.tree)
        rows.addWidget(self.transport)
        self.setCentralWidget(whole)
        whole.setFocus()  # else Qt gives the keyboard to the tabs, which would keep the arrow keys

    def _scrolled(self, *controls: QWidget) -> QScrollArea:
        """Some controls below each other, in the left column."""
        side = named("side", QWidget())
        column = QVBoxLayout(side)
        for control in controls:
            column.addWidget(control)
        column.addStretch(1)
        self._side_columns.append(column)
        area = named("side", QScrollArea(widgetResizable=True))
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(side)
        return area

    def _share_left(self) -> None:
        """The list is as high as it needs, up to half of the column; the chosen experiment is in sight."""
        margins = self._side_columns[0].contentsMargins()
        needed = self.experiments.sizeHint().height() + margins.top() + margins.bottom()
        self._list_area.setFixedHeight(min(needed, round(LIST_SHARE * self._columns.height())))
        card = self.experiments.current_card()
        if card is not None:
            QTimer.singleShot(0, card, lambda: self._list_area.ensureWidgetVisible(card, 0, look.px(6)))

    def _build_header(self) -> QWidget:
        self._header = named("header", QWidget())
        self._header.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._brand = named("brand", QLabel())
        self.tabs = QTabBar(expanding=False, drawBase=False, usesScrollButtons=True)
        self.tabs.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for topic in TOPICS:
            self.tabs.addTab(topic.id)
        self._draw = IconButton("pen", _("Draw (D)"))
        self._draw.setCheckable(True)
        self._compare = IconButton("compare", COMPARE)
        self._compare.setCheckable(True)
        self._projector = IconButton("projector", _("Projector mode: everything larger (F5)"))
        self._theme = IconButton("theme", _("Light or dark (Ctrl+T)"))
        self._language = IconButton("language", _("English or French (Ctrl+L)"))
        self._more = IconButton("more", _("More"))
        self._more.setMenu(MoreMenu(self))
        self._more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._header_row = QHBoxLayout(self._header)
        self._header_row.addWidget(self._brand)
        self._header_row.addWidget(self.tabs, 1)
        for button in (self._draw, self._compare, self._projector, self._theme, self._language, self._more):
            self._header_row.addWidget(button)
        return self._header

    def _connect_controls(self) -> None:
        self._draw.clicked.connect(self.toggle_drawing)
        self._compare.clicked.connect(self._show_comparisons)
        self._projector.clicked.connect(self.toggle_projector)
        self._theme.clicked.connect(self.toggle_theme)
        self._language.clicked.connect(self.toggle_language)
        self.tabs.currentChanged.connect(self._on_tab)
        self.explain.link.connect(self._follow_link)
        self.explain.fold_changed.connect(self._share_columns)
        self.explain.code_button.clicked.connect(self.show_code)
        self.timeline.sought.connect(lambda step: self._engine("seek", step))
        self.timeline.went_live.connect(lambda: self._engine("seek", None))

    def _add_shortcuts(self) -> None:
        keys: tuple[tuple[str, Callable[[], Any]], ...] = (
            ("Space", self.transport.toggle),
            ("Right", self.transport.step_now),
            ("Left", self.transport.back.emit),
            ("S", self.transport.slow_button.toggle),
            ("R", self.transport.reset.emit),
            ("N", self.transport.new_seed.emit),
            ("D", self.toggle_drawing),
            ("C", self.toggle_comparison),
            ("F5", self.toggle_projector),
            ("F11", self.toggle_full_screen),
            ("Ctrl++", lambda: self._change_scale(1)),
            ("Ctrl+=", lambda: self._change_scale(1)),
            ("Ctrl+-", lambda: self._change_scale(-1)),
            ("Ctrl+0", lambda: look.update(scale=1.0)),
            ("Ctrl+D", self.show_data),
            ("Ctrl+O", self.open_any),
            ("Ctrl+S", self.save),
            ("Ctrl+Shift+S", self.save_as),
            ("Ctrl+U", self.show_code),
            ("Ctrl+T", self.toggle_theme),
            ("Ctrl+L", self.toggle_language),
            ("Escape", self._escape),
            ("?", self.show_keys),
            ("F1", self.show_keys),
            ("PgDown", lambda: self._next_demo(1)),
            ("PgUp", lambda: self._next_demo(-1)),
            ("B", self._toggle_painting),
            ("Ctrl+Z", self.history.undo),
            ("Ctrl+Shift+Z", self.history.redo),
            ("Ctrl+Y", self.history.redo),
        )
        for key, slot in keys:
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setAutoRepeat(key in ("Right", "Left"))
            shortcut.activated.connect(slot)

    # ── life ────────────────────────────────────────────────────────────────────────────────────────────────

    def begin(self) -> None:
        """After the first paint: start the engine's thread, and meanwhile load what draws."""
        self.transport.set_busy(_("warming up"))
        self.bridge = Bridge(device=self._device_name, parent=self)
        self.conductor = Conductor(
            self.bridge, Path(self.settings.data_dir) if self.settings.data_dir else None
        )
        self.record = Record(self.bridge)
        from desktop.guest import Guest
        from desktop.panels.area import PanelArea
        from desktop.runs import Runs

        self.area = PanelArea(history=self.history)
        self.runs = Runs(self.bridge, self.tree, self.timeline, self.area, self.history)
        self.guest = Guest(self.bridge, self.area)
        self.guest.changed.connect(self._show_pen)
        self.area.hide()
        self._middle.addWidget(self.area, 1)
        self._connect_engine()
        self.sharing.begin()
        from desktop.keeping import Keeping
        from desktop.share.takes import Takes

        self.takes = Takes(self)
        self.keeping = Keeping(self, self._home)
        self.keeping.changed.connect(self._show_title)

    def _connect_engine(self) -> None:
        assert self.bridge is not None
        assert self.conductor is not None
        assert self.area is not None
        bridge, conductor, area = self.bridge, self.conductor, self.area
        engine = bridge.engine
        bridge.ready.connect(self._on_ready)
        bridge.working.connect(self._on_working)
        bridge.downloaded.connect(self._on_downloaded)
        bridge.started.connect(self._on_started)
        bridge.status.connect(self._on_status)
        bridge.turned.connect(self._on_turned)
        bridge.acted.connect(self._on_acted)
        bridge.painted.connect(self._on_painted)
        bridge.beating.connect(self._on_beating)
        bridge.sought.connect(self._on_sought)
        bridge.answered.connect(self._on_answer)
        bridge.refused.connect(self._on_refused)
        bridge.failed.connect(self._on_failed)
        bridge.scalars.connect(area.show_scalars)
        bridge.views.connect(area.show_views)
        bridge.progress.connect(self._on_progress)
        bridge.keyframes.connect(lambda steps: self.timeline.set_keyframes(list(steps)))
        conductor.chosen.connect(self._on_chosen)
        conductor.asked.connect(self._on_asked)
        area.watched.connect(engine.watch)
        area.ask.connect(lambda name, args: engine.ask(name, *args, tag=args))
        area.act.connect(lambda name, args: engine.act(name, *args))
        area.sought.connect(engine.seek)
        self.timeline.held.connect(area.set_held)
        area.painted.connect(engine.paint)
        area.painting.connect(self._on_painting)
        area.original.connect(conductor.bring_back)
        area.told.connect(self.notice.show_problem)
        self.experiments.chosen.connect(conductor.choose)
        self.experiments.demo_chosen.connect(conductor.choose_demo)
        self.datasets.chosen.connect(conductor.use_dataset)
        self.datasets.turned.connect(conductor.turn_data)
        self.datasets.own_wanted.connect(lambda name: self.open_own(folder=name == "own_images"))
        bridge.looked.connect(self._on_looked)
        bridge.previewed.connect(self._on_previewed)
        self.datasets.folder_chosen.connect(self._use_folder)
        self.params.turned.connect(conductor.turn)
        self.notice.cancelled.connect(engine.cancel)
        transport = self.transport
        transport.reset.connect(conductor.reset)
        transport.new_seed.connect(conductor.new_seed)
        transport.back.connect(engine.back)
        transport.play.connect(engine.resume)
        transport.pause.connect(engine.pause)
        transport.step.connect(conductor.step)
        transport.pace.connect(engine.pace)
        transport.slow_motion.connect(self._on_slow_motion)
        self.undoing.join(bridge, conductor, area)

    def closeEvent(self, event: QCloseEvent) -> None:
        look.changed.disconnect(self._dress)
        look.changed.disconnect(self._on_look)
        language.changed.disconnect(self._on_language)
        self.sharing.close()
        if self.bridge is not None and self.keeping is not None:
            wish = self.keeping.last_wish()
            if wish is not None:
                self.hide()  # a large session takes a moment to be kept
            self.bridge.close(wish)
            self.keeping.stop()
        self._keep_settings()
        super().closeEvent(event)

    def _engine(self, command: str, *args: Any) -> None:
        if self.bridge is not None:
            getattr(self.bridge.engine, command)(*args)

    # ── what the engine says ────────────────────────────────────────────────────────────────────────────────

    def _on_ready(self, ready: Ready) -> None:
        assert self.conductor is not None
        self._device_words = ready.device
        self.transport.set_busy(None)
        self.datasets.set_folder(self.conductor.data_dir)
        self._fill_list()
        self.when_ready()

    def open_last(self) -> None:
        assert self.conductor is not None
        last = self.settings.experiment
        known = self.conductor.infos
        if last in known:
            self.conductor.choose(last)
        else:  # the first start of all: something to wonder about
            first = self._in_topic(self._topic())[0]
            self.conductor.choose_demo(first.id, first.demos[0].name)

    def first_of_topic(self, topic: str | None) -> str:
        """The id of the first experiment of ``topic`` (default: of the tab now open); "" when there is
        none.
        """
        found = next((t for t in TOPICS if t.id == topic), self._topic() if topic is None else None)
        return self._in_topic(found)[0].id if found is not None else ""

    def _on_chosen(self, info: Info) -> None:
        topic = next((i for i, t in enumerate(TOPICS) if t.id == info.topic), 0)
        if topic != self.tabs.currentIndex():
            self.tabs.blockSignals(True)
            self.tabs.setCurrentIndex(topic)
            self.tabs.blockSignals(False)
            self._fill_list()
        self.experiments.set_current(info.id)
        self.transport.set_pace(info.pace)
        self._show_lesson()

    def _on_asked(self, spec: RunSpec) -> None:
        """Setting up may take a moment (a big data set): say so if it does."""
        if self.area is not None and self.area.painter is not None:
            self.area.painter.release()  # a stroke belongs to the run it was begun on
        self.transport.set_busy(_("getting ready"))

    def _on_started(self, started: Started) -> None:
        assert self.conductor is not None
        assert self.area is not None
        again = self._started is not None and self._started.spec.experiment == started.spec.experiment
        same_data = (
            again
            and self._started is not None
            and self._started.spec.dataset == started.spec.dataset
            and self._started.spec.rival == started.spec.rival
        )
        self._started, self._past, self._waits = started, False, False
        self.transport.set_shown(None)
        info = self.conductor.info_of(started.spec)
        self.transport.set_busy(None)
        self.notice.settle()
        if not same_data:
            self.params.set_knobs(info, dict(started.params))
            self.params.set_defaults(self.conductor.presets(started.spec))
        else:
            for name, value in started.params.items():
                self.params.set_value(name, value)
        self._show_sources(info, started)
        self.experiments.set_current_demo(self.conductor.demo)
        self.timeline.clear()
        topic, order = self._topic(), self._channels_in_order(started.spec)
        plain_plots = info.id in topic.without_curves and not self.comparing
        self.area.begin(info, started, order, multiples=info.id in topic.multiples, curves=not plain_plots)
        self.area.set_past(False)
        self._show_sides()
        if self.runs is not None:
            self.runs.begin(info, started)
        if self.guest is not None:
            self.guest.begin(info, started)
        if self.area.isHidden():
            self._placeholder.hide()
            self.area.show()
        self._step = 0
        self._on_progress(0, None)
        self.area.highlight(())

    def _channels_in_order(self, spec: RunSpec) -> list[str]:
        """The pictures from the largest on: that of the demo first, if one is shown."""
        large = self._topic().large
        alike = spec.experiment in self._topic().multiples
        first = [] if self.conductor is None or alike else self.conductor.pictured()
        beside = () if spec.beside is None else large.get(spec.beside.experiment, ())
        return [*first, *large.get(spec.experiment, ()), *(PREFIX + name for name in beside)]

    def _show_sides(self) -> None:
        """Print on everything that comes in twice what it belongs to."""
        if self.conductor is not None and self.area is not None:
            a, b = self.conductor.sides()
            self.params.set_titles(a, b)
            self.area.set_sides(a, b)
            self._compare.setChecked(self.comparing)

    def _show_sources(self, info: Info, started: Started) -> None:
        self.datasets.setVisible(bool(info.datasets))
        if not info.datasets:
            return
        known = sources()
        self.datasets.set_sources(
            [known[name] for name in info.datasets if name in known], started.spec.dataset
        )
        self._write_note(started)
        defaults = {knob.name: knob.default for knob in known[started.spec.dataset].knobs}
        self.datasets.set_knobs({**defaults, **started.spec.data_params})

    def _write_note(self, started: Started) -> None:
        """How many there are, and whose they are."""
        if started.painted:
            note = _("painted by hand · {n} points", n=number(started.size))
        elif started.size < started.total:
            note = _("showing {size} of {total}", size=number(started.size), total=number(started.total))
        elif started.kind == "images":
            note = _("{size} pictures", size=number(started.size))
        else:
            note = _("{size} points", size=number(started.size))
        self.datasets.set_note(note, altered=started.painted)

    def _on_status(self, status: StatusChanged) -> None:
        self.transport.set_status(status.status)
        if status.status != "running":
            self._write_progress()
        if status.status == "ended" and status.reason is not None:
            self.timeline.show_news(status.reason)
        elif status.status == "running":
            self.timeline.clear_news()
            self.notice.settle()

    def _on_turned(self, turned: Turned) -> None:
        assert self.runs is not None
        self.params.set_value(turned.name, turned.new)
        self.runs.note(turned)
        self._waits |= turned.waiting
        if turned.waiting:
            self.timeline.show_news(self.runs.waits(turned))
        self._show_sides()

    def _on_painted(self, painted: Painted) -> None:
        """The data under the run are others now; it goes on."""
        assert self._started is not None
        self._started = dataclasses.replace(
            self._started, size=painted.size, total=painted.size, painted=True
        )
        self._write_note(self._started)
        if self._paint_refused:
            self._paint_refused = False
            self.notice.clear()

    def _on_painting(self, on: bool) -> None:
        """One paints on the present data, not on a picture of the past."""
        if on and self._past and self.area is not None and self.area.painter is not None:
            self.area.painter.wait()
            self._engine("seek", None)

    def _on_acted(self, acted: Acted) -> None:
        assert self.runs is not None
        self.runs.note(acted)

    def _on_beating(self, beat: Beating) -> None:
        assert self.area is not None
        self.timeline.set_caption(beat.text)
        self.area.highlight(beat.highlight)

    def _on_slow_motion(self, on: bool) -> None:
        self._engine("slow_motion", on)
        if not on and self.area is not None:
            self.timeline.set_caption("")
            self.area.highlight(())

    def _on_sought(self, sought: Sought) -> None:
        assert self.area is not None
        self.timeline.set_shown(sought.step, sought.live)
        self.area.loss.set_shown(sought.step, sought.live)
        self._past, self._sought = not sought.live, sought.step
        self.area.set_past(self._past)
        for name, value in sought.values.items():  # as they were then
            self.params.set_value(name, value)
        self.transport.set_shown(sought.step if self._past else None)
        if self._past:
            self.notice.clear_news()
            self.area.lay_brush_down()
        if self._past != self._waits:  # what is announced there is not about what is seen now
            self.timeline.clear_news()
            self._waits = False
        self._write_progress()

    def _on_progress(self, step: int, rate: float | None) -> None:
        self._step, self._rate = step, rate
        self.timeline.set_span(0, step)
        self._write_progress()

    @property
    def step(self) -> int:
        """The newest step of the run."""
        return self._step

    @property
    def shown_step(self) -> int:
        """The step on screen."""
        return self._sought if self._past else self._step

    @property
    def started(self) -> Started | None:
        """The run on screen, if there is one."""
        return self._started

    @property
    def looks_back(self) -> bool:
        """Whether an earlier step than the newest is on screen."""
        return self._past

    def seek(self, step: int | None) -> None:
        """Show what was recorded at ``step``; None: the newest step."""
        self._engine("seek", step)

    def _write_progress(self) -> None:
        if self._started is not None:
            self.transport.set_progress(self._step, self._rate, self._started.spec.seed, self._device_words)

    def _on_answer(self, answer: Answer) -> None:
        if self.guest is not None and self.guest.take(answer):
            return
        if self.area is not None:
            recorded = answer.step if self._past else None
            self.area.show_answer(answer.name, answer.tag, answer.value, recorded)

    def _on_refused(self, refused: Refused) -> None:
        if refused.about == "autosave":  # nobody has asked for it: ``keeping`` says it once
            return
        if refused.about in ASIDE:  # nothing to do with the run
            self._tell_dialog(refused.sentence)
            return
        if refused.about == "paint":  # the brush goes on, and the run with what it had
            self._paint_refused = True
            self.notice.show_problem(refused.sentence)
            return
        self.transport.set_busy(None)
        self.notice.show_problem(refused.sentence)
        if self.conductor is not None and self._started is not None:  # controls show again what is true
            wanted = self.conductor.info
            self.conductor.back_to(self._started)
            if self.conductor.info is not None and self.conductor.info is not wanted:
                self._on_chosen(self.conductor.info)
            self.settings.data_dir = str(self.conductor.data_dir or "")
            self.datasets.set_folder(self.conductor.data_dir)
            for name, value in self.conductor.values.items():
                self.params.set_value(name, value)
            self._show_sides()
            self._show_sources(self.conductor.infos[self._started.spec.experiment], self._started)

    def _on_failed(self, failed: Failed) -> None:
        self.transport.set_busy(None)
        if self._started is None:
            say(self._placeholder.setText, failed.sentence)
        self.notice.show_problem(failed.sentence)
        self.technical.emit(failed.detail.strip().splitlines()[-1], failed.detail)

    # ── what the person does ────────────────────────────────────────────────────────────────────────────────

    def _topic(self) -> Topic:
        return TOPICS[max(self.tabs.currentIndex(), 0)]

    def _in_topic(self, topic: Topic) -> list[Info]:
        assert self.conductor is not None
        infos = [info for info in self.conductor.infos.values() if info.topic == topic.id]
        order = {id_: index for index, id_ in enumerate(topic.order)}
        return sorted(infos, key=lambda info: (order.get(info.id, len(order)), info.id))

    def _fill_list(self) -> None:
        if self.conductor is not None:
            self.experiments.set_experiments(self._in_topic(self._topic()))

    def _on_tab(self) -> None:
        self._fill_list()
        if self.conductor is not None and self.conductor.infos:
            self.conductor.choose(self._in_topic(self._topic())[0].id)

    def _next_demo(self, by: int) -> None:
        """A clicker goes through the topic's demos."""
        conductor = self.conductor
        if conductor is None or conductor.info is None or conductor.spec is None:
            return
        demos = [(info.id, demo) for info in self._in_topic(self._topic()) for demo in info.demos]
        if not demos:
            return
        now = next((i for i, (id_, d) in enumerate(demos) if conductor.demo == (id_, d.name)), None)
        at = (0 if by > 0 else len(demos) - 1) if now is None else (now + by) % len(demos)
        self.experiments.demo_chosen.emit(demos[at][0], demos[at][1].name)

    def _follow_link(self, link: str) -> None:
        """``set/k=8`` and ``demo/stuck`` in a lesson: do it."""
        if self.conductor is None or self.conductor.info is None:
            return
        info = self.conductor.info
        verb, _slash, rest = link.removeprefix("latentarium:").partition("/")
        if verb == "demo" and rest in {demo.name for demo in info.demos}:
            self.experiments.demo_chosen.emit(info.id, rest)
        elif verb == "set":
            name, _equals, word = rest.partition("=")
            try:
                self.params.turn(name, check(info.knob(name), word))
            except (InputError, KeyError) as error:
                self.notice.show_problem(
                    error.sentence if isinstance(error, InputError) else _("No such knob.")
                )

    def _use_folder(self, folder: Path) -> None:
        assert self.conductor is not None
        self.settings.data_dir = str(folder)
        self.conductor.data_dir = folder

    # ── data ────────────────────────────────────────────────────────────────────────────────────────────────

    def show_data(self) -> None:
        """Every data set at a glance."""
        if self.conductor is None or self.conductor.info is None or self.bridge is None:
            return
        from desktop.controls.data_dialog import DataDialog

        known = [s for s in sources().values() if not s.own]
        dialog = DataDialog(known, self.conductor.info.datasets, self.conductor.data_dir, self)
        dialog.wanted.connect(self.bridge.engine.preview)
        dialog.used.connect(self.conductor.use_dataset)
        dialog.own_wanted.connect(self.open_own)
        dialog.download_wanted.connect(self.bridge.engine.download)
        dialog.cancelled.connect(self.bridge.engine.cancel)
        dialog.open()
        dialog.choose(self.conductor.spec.dataset if self.conductor.spec else "")

    def open_own(self, *, folder: bool = False) -> None:
        """Ask for a file or folder of the person's own, and look at it."""
        if folder:
            path = QFileDialog.getExistingDirectory(self, tr(_("A folder of pictures")))
        else:
            title, files = tr(_("A table, arrays or a text")), tr(_("Data"))
            path, _kind = QFileDialog.getOpenFileName(self, title, "", f"{files} ({KINDS});;* (*)")
        if path:
            self.look_at(Path(path))

    def open_any(self) -> None:
        """Ask for a file with runs, or one of the person's own data."""
        title = tr(_("Open runs that were saved, or data"))
        data, everything = tr(_("Data")), tr(_("All that can be opened"))
        kinds = f"{everything} (*{SUFFIX} {KINDS});;Latentarium (*{SUFFIX});;{data} ({KINDS});;* (*)"
        path, _kind = QFileDialog.getOpenFileName(self, title, "", kinds)
        if path:
            self.look_at(Path(path))

    def look_at(self, path: Path) -> None:
        """Something of the person's own was chosen or dropped here: runs, or data."""
        if path.suffix == SUFFIX and self.keeping is not None:
            self.keeping.open(path)
        else:
            self._engine("look", path)

    def save(self) -> None:
        """The runs, to their file."""
        if self.keeping is not None:
            self.keeping.save()

    def save_as(self) -> None:
        """The runs, to a file to be chosen."""
        if self.keeping is not None:
            self.keeping.save_as()

    def set_memory(self, megabytes: int) -> None:
        """How much recorded runs may take."""
        self.settings.memory = megabytes
        self._engine("budget", megabytes * 2**20)

    def _show_title(self) -> None:
        """Whose runs these are."""
        path = self.keeping.path if self.keeping is not None else None
        self.setWindowTitle("Latentarium" if path is None else f"{path.name} — Latentarium")

    def _on_looked(self, looked: Looked) -> None:
        from desktop.controls.import_dialog import ImportDialog

        self.notice.clear()
        open_already = self.findChild(ImportDialog)
        if open_already is not None and open_already.isVisible():
            open_already.show_report(looked)
            return
        dialog = ImportDialog(looked, self)
        dialog.asked.connect(lambda path, source, answers: self._engine("look", path, source, answers))
        dialog.used.connect(self._use_own)
        dialog.open()

    def _tell_dialog(self, sentence: str) -> None:
        """What a dialog asked for cannot be done: the dialog says so, or the window where none is open."""
        self.notice.clear()
        for dialog in self.findChildren(QDialog):
            if dialog.isVisible() and hasattr(dialog, "show_problem"):
                dialog.show_problem(sentence)
                return
        self.notice.show_problem(sentence)

    def _use_own(self, dataset: str, path: Path, answers: dict[str, Value]) -> None:
        if self.conductor is not None and not self.conductor.use_own(dataset, path, answers):
            self.notice.show_problem(_("No experiment here can use such data yet."))

    def _on_working(self, working: Working) -> None:
        dialog = self._data_dialog()
        if dialog is not None:
            dialog.show_progress(working.share)
        else:
            self.notice.show_progress(working.share)

    def _on_downloaded(self, downloaded: Downloaded) -> None:
        self._use_folder(downloaded.folder)
        self.datasets.set_folder(downloaded.folder)
        dialog = self._data_dialog()
        if dialog is not None:
            dialog.set_folder(downloaded.folder)

    def _data_dialog(self) -> DataDialog | None:
        from desktop.controls.data_dialog import DataDialog

        dialog = self.findChild(DataDialog)
        return dialog if dialog is not None and dialog.isVisible() else None

    def _on_previewed(self, preview: Previewed) -> None:
        self.notice.clear()
        dialog = self._data_dialog()
        if dialog is not None:
            dialog.show_preview(preview)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.look_at(paths[0])

    # ── side by side ────────────────────────────────────────────────────────────────────────────────────────

    @property
    def comparing(self) -> bool:
        """Whether two runs stand side by side."""
        return self._started is not None and self._started.spec.beside is not None

    def toggle_comparison(self) -> None:
        """The same experiment again beside what runs, or no more of it."""
        if self.conductor is not None and self.conductor.info is not None:
            self.conductor.compare(None if self.comparing else self.conductor.info.id)

    def _show_comparisons(self) -> None:
        """What can stand beside the present run."""
        self._compare.setChecked(self.comparing)  # only a run that has started says so
        conductor = self.conductor
        if conductor is None or conductor.info is None:
            return
        menu = QMenu(self)
        choices: list[tuple[Text, str | None]] = [(END, None)] if self.comparing else []
        choices += [(SAME, conductor.info.id)]
        choices += [(_("Beside {title}", title=info.title), info.id) for info in conductor.rivals()]
        for text, experiment in choices:
            action = menu.addAction(tr(text))
            action.triggered.connect(lambda _on=False, e=experiment: conductor.compare(e))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self._compare.mapToGlobal(self._compare.rect().bottomLeft()))

    # ── the drawing ─────────────────────────────────────────────────────────────────────────────────────────

    @property
    def drawing_is_open(self) -> bool:
        return self.pad is not None and not self.pad.isHidden()

    def toggle_drawing(self) -> None:
        """Take the sheet out, or put it away with what is drawn on it."""
        if self.guest is None:
            self._show_pen()
            return
        opens = not self.drawing_is_open
        if opens and self.guest.refusal:
            self.notice.show_news(self.guest.refusal)
            self._show_pen()
            return
        if self.pad is None:
            from desktop.controls.draw_pad import DrawPad

            self.pad = DrawPad(history=self.history)
            self.pad.closed.connect(self.toggle_drawing)
            self._right.insertWidget(0, self.pad)
            self.guest.set_pad(self.pad)
        self.pad.setVisible(opens)
        self.guest.set_open(opens)
        self._share_columns()
        (self.pad.sheet if opens else self).setFocus()
        self._show_pen()

    def _show_pen(self) -> None:
        """Its button tells whether the sheet is out, and if it cannot be, why."""
        refusal = self.guest.refusal if self.guest is not None else ""
        self._draw.setChecked(self.drawing_is_open)
        self._draw.setEnabled(self.drawing_is_open or not refusal)
        say(self._draw.setToolTip, refusal or _("Draw (D)"))

    def _toggle_painting(self) -> None:
        if self.area is not None:
            self.area.toggle_painting()

    def _escape(self) -> None:
        if self.area is not None and self.area.lay_brush_down():
            return
        if self.notice.isVisible():
            self.notice.put_away()
        elif self.isFullScreen():
            self.toggle_full_screen()
        if self.area is not None:
            self.area.selection.clear()

    # ── appearance ──────────────────────────────────────────────────────────────────────────────────────────

    def toggle_projector(self) -> None:
        """Projector mode is light, as dark themes fail in a lit room, and leaves the room to the pictures.

        Leaving it brings the former theme and the lesson back.
        """
        if look.projector:
            look.update(projector=False, theme=self.settings.theme)
            self.explain.set_folded(not self.settings.explain)
        else:
            self.settings.explain = not self.explain.folded
            self.explain.set_folded(True)
            look.update(projector=True, theme="light")
        self.settings.projector = look.projector

    def toggle_theme(self) -> None:
        look.update(theme="light" if look.dark else "dark")
        if not look.projector:
            self.settings.theme = look.theme

    def toggle_language(self) -> None:
        codes = list(LANGUAGES)
        language.switch(codes[(codes.index(language.code) + 1) % len(codes)])

    def toggle_full_screen(self) -> None:
        if self.isFullScreen():
            self.showNormal()
        else:
            self.showFullScreen()

    def toggle_explain(self) -> None:
        """Fold the lesson away, or bring it back."""
        self.explain.set_folded(not self.explain.folded)

    def _change_scale(self, by: int) -> None:
        nearest = min(range(len(SCALES)), key=lambda i: abs(SCALES[i] - look.scale))
        look.update(scale=SCALES[min(max(nearest + by, 0), len(SCALES) - 1)])

    def _dress(self) -> None:
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.setFont(look.font())
        app.setStyleSheet(style_sheet(look))

    def _on_look(self) -> None:
        c = look.colours
        self._brand.setText(f'Latent<span style="color:{c.accent}">arium</span>')
        self._brand.setFont(look.font(1.0 if look.projector else 1.15, bold=True))
        self.tabs.setFont(look.font())
        gap = look.px(8)
        self._header_row.setContentsMargins(look.px(14), look.icon_px(2), look.px(12), look.icon_px(2))
        self._header_row.setSpacing(gap)
        for column in self._side_columns:
            column.setContentsMargins(gap, gap, gap, gap)
            column.setSpacing(gap)
        self._placeholder.setFont(look.font(1.3))
        self._projector.setChecked(look.projector)
        self._share_columns()

    def _share_columns(self) -> None:
        """Side columns as wide as their text needs, the rest for pictures; the lesson yields first."""
        width = max(self.width(), 1)
        left = min(max(look.px(228), 208), round((0.23 if self.drawing_is_open else 0.28) * width))
        right = 0 if self.explain.folded else min(look.px(236), round(0.22 * width))
        if self.drawing_is_open:
            right = self._make_room_to_draw(width)
        else:
            self.explain.show()
            self._right.setMinimumWidth(self.explain.minimumWidth())
            self._right.setMaximumWidth(self.explain.maximumWidth())
        self._left.setMinimumWidth(left)
        self._left.setMaximumWidth(round(left * 1.6))
        self._columns.setSizes([left, width - left - right, right])
        self._share_left()

    def _make_room_to_draw(self, width: int) -> int:
        """A column wide enough for a large sheet; the lesson stays below it where the window is high."""
        assert self.pad is not None
        high, tools = self._columns.height(), look.px(275)
        right = max(look.px(290), min(high - tools, round(0.265 * width)))
        right = min(right, round(0.32 * width))
        wanted = right + tools
        self.explain.setVisible(not self.explain.folded and high - wanted >= look.px(180))
        self._right.setMinimumWidth(right)
        self._right.setMaximumWidth(right)
        self._right.setSizes([wanted, max(high - wanted, 0)])
        return right

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        self._share_columns()

    def _on_language(self) -> None:
        self.settings.language = language.code
        self._show_tabs()
        self._show_lesson()
        if self.conductor is not None and self._started is not None:  # its numbers are written differently
            self._show_sources(self.conductor.infos[self._started.spec.experiment], self._started)

    def _show_tabs(self) -> None:
        for index, topic in enumerate(TOPICS):
            self.tabs.setTabText(index, tr(topic.title))

    def _show_lesson(self) -> None:
        if self.conductor is not None and self.conductor.info is not None:
            self.explain.show_lesson(self.lesson())

    def lesson(self) -> str:
        """The lesson of the experiment, in the present language where there is one."""
        if self.conductor is None or self.conductor.info is None:
            return ""
        paths = [LESSONS / code / f"{self.conductor.info.id}.md" for code in (language.code, "en")]
        return next((path.read_text(encoding="utf-8") for path in paths if path.exists()), "")

    # ── settings ────────────────────────────────────────────────────────────────────────────────────────────

    def _restore_settings(self) -> None:
        s = self.settings
        language.switch(s.language)
        self.explain.set_folded(s.projector or not s.explain)
        screen = QApplication.primaryScreen().availableGeometry()
        kept = QRect(*s.geometry) if s.geometry else QRect()
        if kept.isValid() and screen.intersects(kept):
            self.setGeometry(kept)
        else:
            self.resize(min(1280, screen.width()), min(720, screen.height()))
        index = next((i for i, t in enumerate(TOPICS) if t.id == s.topic), 0)
        self.tabs.blockSignals(True)
        self.tabs.setCurrentIndex(index)
        self.tabs.blockSignals(False)
        self._show_tabs()

    def _keep_settings(self) -> None:
        s = self.settings
        s.scale = look.scale
        s.explain = s.explain if look.projector else not self.explain.folded
        s.topic = self._topic().id
        if self.conductor is not None and self.conductor.info is not None:
            s.experiment = self.conductor.info.id
        if not self.isFullScreen():
            at = self.geometry()
            s.geometry = [at.x(), at.y(), at.width(), at.height()]

    def forget_settings(self) -> None:
        """As if it were started for the first time."""
        first = Settings()
        self.settings.theme, self.settings.projector, self.settings.data_dir = (
            first.theme,
            first.projector,
            "",
        )
        language.switch(first.language)
        look.update(theme=first.theme, scale=first.scale, projector=first.projector)
        self.explain.set_folded(not first.explain)
        self.resize(1280, 720)

    # ── trouble ─────────────────────────────────────────────────────────────────────────────────────────────

    def show_trouble(self, sentence: str) -> None:
        """A calm dialog about something unforeseen; the window goes on behind it."""
        box = QMessageBox(QMessageBox.Icon.Information, "Latentarium", tr(sentence), parent=self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setModal(False)
        box.show()

    # ── small things ────────────────────────────────────────────────────────────────────────────────────────

    def show_code(self) -> None:
        """The method and a script of the run, beside the window."""
        if self.record is None or self.record.started is None:
            return
        from desktop.controls.code_dialog import CodeDialog

        dialog = self.findChild(CodeDialog) or CodeDialog(self.record, self._device_name, self)
        dialog.show()
        dialog.activateWindow()

    def show_keys(self) -> None:
        """All keys, over the window."""
        from desktop.controls.keys import KeysDialog

        KeysDialog(self).open()

    def about(self) -> None:
        """What this is, and whose."""
        from desktop.controls.keys import AboutDialog

        AboutDialog(self).open()

    def event(self, event: QEvent) -> bool:
        """Arrow keys belong to a slider, list or box that the keyboard has been brought to, else to the
        transport. The window is asked last, so no filter has to look at every event of every widget.
        """
        if event.type() == QEvent.Type.ShortcutOverride and event.key() in ARROWS:  # type: ignore[attr-defined]
            widget: QWidget | None = self.focusWidget()
            while widget is not None and not isinstance(widget, KEEP_ARROWS):
                widget = widget.parentWidget()
            if widget is not None:
                event.accept()
                return True
        return super().event(event)
