"""The transport bar: reset, new seed, back, play or pause, step, step size, speed, slow motion.

The timeline (any widget) is put between the buttons and the numbers by ``set_timeline``; when the window is
narrow or the letters are large, the same things stand in two or three rows.
"""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from desktop.controls.parts import ElidedLabel, IconButton, Slider, named
from desktop.language import _, language, number, say, tr
from desktop.style.icons import wear
from desktop.style.tokens import look
from engine.api import Status

EPOCH = -1
STEP_SIZES = (1, 10, 100, EPOCH)
SPEED_TICKS = 60
FASTEST = 1000.0


def pace_at(tick: int) -> float | None:
    """Steps per second at slider position ``tick``: from 1 up to 1,000, and None (full) at the end."""
    if tick >= SPEED_TICKS:
        return None
    rate = float(FASTEST ** (tick / (SPEED_TICKS - 1)))
    return float(f"{rate:.2g}" if rate >= 10 else f"{rate:.1g}")


class Transport(QWidget):
    """The bar at the bottom. It asks by signals and shows what it is told, never what it hopes for."""

    reset = Signal()
    new_seed = Signal()
    back = Signal()
    play = Signal()
    pause = Signal()
    step = Signal(int)
    pace = Signal(object)
    slow_motion = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._status: Status = "empty"
        self._past = False
        self._progress: tuple[int, float | None, int | None, str] = (0, None, None, "")
        self._busy: str | None = None
        self._timeline: QWidget | None = None
        self._level = -1
        self._build_buttons()
        self._build_pace()
        self._build_readout()
        self._grid = QGridLayout(self)
        self._grid.setSizeConstraint(QGridLayout.SizeConstraint.SetNoConstraint)
        look.changed.connect(self._on_look)
        language.changed.connect(self._on_language)
        self.set_status("empty")
        self._on_look()

    def _build_buttons(self) -> None:
        self.reset_button = IconButton("reset", _("Reset: same seed, exactly the same start (R)"))
        self.seed_button = IconButton("dice", _("New seed: another start (N)"))
        self.back_button = IconButton("back", _("Back one step (←)"), size=16, pad=9)
        self.play_button = IconButton("play", _("Play (Space)"), size=22, pad=11, colour="on_accent")
        self.play_button.setObjectName("primary")
        self.step_button = IconButton("step", _("Step (→)"), size=16, pad=9)
        self.reset_button.clicked.connect(self.reset)
        self.seed_button.clicked.connect(self.new_seed)
        self.back_button.clicked.connect(self.back)
        self.play_button.clicked.connect(self.toggle)
        self.step_button.clicked.connect(self.step_now)
        self._buttons = QWidget(self)
        row = QHBoxLayout(self._buttons)
        row.setContentsMargins(0, 0, 0, 0)
        for button in (
            self.reset_button,
            self.seed_button,
            self.back_button,
            self.play_button,
            self.step_button,
        ):
            row.addWidget(button)

    def _build_pace(self) -> None:
        self.size_box = QComboBox()
        say(self.size_box.setToolTip, _("How far one step goes"))
        say(self.size_box.setAccessibleName, _("How far one step goes"))
        self.size_box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for size in STEP_SIZES:
            self.size_box.addItem(f"× {size}", size)
        self.speed_slider = Slider()
        self.speed_slider.setRange(0, SPEED_TICKS)
        self.speed_slider.setValue(SPEED_TICKS)
        self.speed_slider.setPageStep(SPEED_TICKS // 6)
        say(self.speed_slider.setAccessibleName, _("Speed"))
        say(self.speed_slider.setToolTip, _("Speed: from one step a second to as fast as it goes"))
        self.speed_slider.valueChanged.connect(self._on_speed)
        self.speed_label = ElidedLabel(relative=0.92)
        self.speed_label.setObjectName("quiet")
        self.speed_label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.slow_button = QPushButton()
        self.slow_button.setCheckable(True)
        self.slow_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        say(self.slow_button.setToolTip, _("Slow motion: each step in its named moments (S)"))
        say(self.slow_button.setAccessibleName, _("Slow motion"))
        self.slow_button.toggled.connect(self._on_slow)
        self._paces = QWidget(self)
        speed = QVBoxLayout()
        speed.setSpacing(0)
        speed.addStretch(1)
        speed.addWidget(self.speed_slider)
        speed.addWidget(self.speed_label)
        speed.addStretch(1)
        row = QHBoxLayout(self._paces)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.size_box)
        row.addLayout(speed)
        row.addWidget(self.slow_button)

    def _build_readout(self) -> None:
        self.step_label = QLabel()
        self.rate_label = named("quiet", QLabel())
        self.device_label = ElidedLabel(relative=0.95)
        self.device_label.setObjectName("quiet")
        right = Qt.AlignmentFlag.AlignRight
        self.device_label.setAlignment(right)
        say(self.step_label.setAccessibleName, _("Step"))
        self._readout = QWidget(self)
        self._readout.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
        column = QVBoxLayout(self._readout)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        row = self._numbers = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.step_label, 0, Qt.AlignmentFlag.AlignBaseline)
        row.addWidget(self.rate_label, 0, Qt.AlignmentFlag.AlignBaseline)
        column.addStretch(1)
        column.addLayout(row)
        column.addWidget(self.device_label)
        column.addStretch(1)

    # ── from outside ────────────────────────────────────────────────────────────────────────────────────────

    def set_timeline(self, timeline: QWidget) -> None:
        """Put the timeline between the buttons and the numbers."""
        self._timeline = timeline
        timeline.setParent(self)
        timeline.show()
        self._level = -1
        self._arrange()

    def set_status(self, status: Status) -> None:
        """What the run is doing: decides what the big button offers."""
        self._status = status
        running, nothing = status == "running", status == "empty"
        if running:
            self.play_button.set_icon("pause", _("Pause (Space)"), "on_accent")
        elif status == "ended":
            self.play_button.set_icon("play", _("It has learned all it can; R starts it again"), "on_accent")
        else:
            self.play_button.set_icon("play", _("Play (Space)"), "on_accent")
        # After a failure the pictures stand at the last good step: playing goes on from there.
        self.play_button.setEnabled(running or status in ("paused", "ended", "failed"))
        self._enable_step()
        for button in (self.reset_button, self.seed_button, self.back_button):
            button.setEnabled(not nothing)
        self._write()

    def set_past(self, past: bool) -> None:
        """Whether a recorded step is looked at: also a run that has ended can be gone on with from there."""
        self._past = past
        self._enable_step()

    def _enable_step(self) -> None:
        going_on = self._status in ("paused", "running", "failed")
        self.step_button.setEnabled(going_on or (self._past and self._status == "ended"))

    def set_progress(self, step: int, rate: float | None, seed: int | None, device: str) -> None:
        """Where the run stands. rate: steps per second, None when it stands still."""
        self._progress = (step, rate, seed, device)
        self._write()

    def set_busy(self, text: str | None) -> None:
        """Say ``text`` ("warming up") instead of the numbers' second line; None or "" takes it away."""
        self._busy = text or None
        self._write()

    def set_pace(self, rate: float | None) -> None:
        """Show this speed; as if a person had chosen it, when it differs."""
        ticks = range(SPEED_TICKS)
        nearest = (
            SPEED_TICKS
            if rate is None
            else min(ticks, key=lambda tick: abs((pace_at(tick) or FASTEST) - rate))
        )
        self.speed_slider.setValue(nearest)

    def set_slow_motion(self, on: bool) -> None:
        """Show this state; as if a person had chosen it, when it differs."""
        self.slow_button.setChecked(on)

    # ── from the person (the window's keys call these too) ──────────────────────────────────────────────────

    def toggle(self) -> None:
        """Space: play, or pause what runs."""
        if self._status == "running":
            self.pause.emit()
        elif self.play_button.isEnabled():
            self.play.emit()

    def step_now(self) -> None:
        """→: one step of the chosen size."""
        if self.step_button.isEnabled():
            self.step.emit(self.step_size())

    def step_size(self) -> int:
        """1, 10, 100, or EPOCH."""
        return int(self.size_box.currentData())

    def _on_speed(self, tick: int) -> None:
        self._write_speed()
        self.pace.emit(pace_at(tick))

    def _on_slow(self, on: bool) -> None:
        wear(self.slow_button, "slow", "accent" if on else None)
        self.slow_motion.emit(on)

    # ── words, sizes, rows ──────────────────────────────────────────────────────────────────────────────────

    def _write_speed(self) -> None:
        rate = pace_at(self.speed_slider.value())
        text = _("full speed") if rate is None else _("{rate} steps/s", rate=number(rate))
        self.speed_label.setText(tr(text))
        self.speed_slider.setAccessibleDescription(tr(text))

    def _write(self) -> None:
        step, rate, seed, device = self._progress
        self._write_speed()
        self.step_label.setText(number(step))
        self.step_label.setToolTip(tr(_("step {step}", step=number(step))))
        if rate is None or self._status != "running":
            words: str = {"running": "", "ended": _("finished"), "failed": _("stopped")}.get(
                self._status, _("paused")
            )
            self.rate_label.setText("" if self._status == "empty" else tr(words))
        else:
            self.rate_label.setText(tr(_("{rate} steps/s", rate=number(rate, 3 if rate < 100 else 4))))
        if self._busy is not None:
            self.device_label.setText(tr(self._busy))
        else:
            said = "" if seed is None else tr(_("seed {seed}", seed=seed))
            self.device_label.setText(" · ".join(part for part in (tr(device), said) if part))
        self.device_label.setToolTip(self.device_label.text())
        for index, size in enumerate(STEP_SIZES):
            text = tr(_("1 epoch")) if size == EPOCH else f"× {size}"
            self.size_box.setItemText(index, text)
        self._keep_width()

    def _keep_width(self) -> None:
        """Reserve room for the numbers, so that nothing trembles while they run."""
        big, small = self.step_label.fontMetrics(), self.rate_label.fontMetrics()
        rate = max(
            small.horizontalAdvance(tr(_("{rate} steps/s", rate=number(1234)))),
            small.horizontalAdvance(self.rate_label.text()),
        )
        step = max(big.horizontalAdvance(number(99999)), big.horizontalAdvance(self.step_label.text()))
        wide = max(step + rate + look.px(16), look.px(140))
        if self._readout.minimumWidth() < wide or self._readout.minimumWidth() > wide * 1.3:
            self._readout.setMinimumWidth(wide)

    def _on_language(self) -> None:
        self._write()
        self._level = -1
        self._arrange()

    def _on_look(self) -> None:
        self.step_label.setFont(look.font(1.45, bold=True, tabular=True))
        self.rate_label.setFont(look.font(tabular=True))
        self.size_box.setFont(look.font())
        self.slow_button.setFont(look.font())
        wear(self.slow_button, "slow", "accent" if self.slow_button.isChecked() else None)
        self.speed_slider.setMinimumWidth(look.px(84))
        for group in (self._buttons, self._paces):
            layout = group.layout()
            assert layout is not None
            layout.setSpacing(look.px(7))
        self._grid.setContentsMargins(look.px(14), look.px(6), look.px(14), look.px(5))
        self._grid.setHorizontalSpacing(look.px(16))
        self._grid.setVerticalSpacing(look.px(3))
        self._numbers.setSpacing(look.px(7))
        self._readout.setMinimumWidth(0)
        self._write()
        self._level = -1
        self._arrange()

    def _widths(self) -> tuple[int, int, int, int]:
        """Least width of buttons, paces, timeline, readout."""
        return (
            self._buttons.sizeHint().width(),
            self._paces.sizeHint().width(),
            look.px(260),
            max(self._readout.minimumWidth(), self._readout.sizeHint().width()),
        )

    def _set_brief(self, brief: bool) -> None:
        """Say less, so that one row is enough: the speed in its tool tip, slow motion as its icon alone."""
        self.speed_label.setVisible(not brief)
        self.slow_button.setText("" if brief else tr(_("Slow motion")))

    def _arrange(self) -> None:
        """One row where everything fits, if need be with fewer words; else two, three, four."""
        gap, room = look.px(16), self.width() - look.px(28)
        self._set_brief(False)
        buttons, paces, timeline, readout = self._widths()
        if buttons + paces + timeline + readout + 3 * gap > room:
            self._set_brief(True)
            brief = self._paces.sizeHint().width()
            if buttons + brief + timeline + readout + 3 * gap <= room or look.projector:
                paces, timeline = (
                    brief,
                    min(timeline, max(room - buttons - brief - readout - 3 * gap, look.px(90))),
                )
            else:
                self._set_brief(False)
        if buttons + paces + timeline + readout + 3 * gap <= room:
            level = 0
        elif buttons + paces + readout + 2 * gap <= room:
            level = 1
        elif buttons + readout + gap <= room and paces + gap + look.px(150) <= room:
            level = 2
        else:
            level = 3
        if level == self._level:
            return
        self._level = level
        while self._grid.count():
            self._grid.takeAt(0)
        for column in range(4):
            self._grid.setColumnStretch(column, 0)
        line = self._timeline or QWidget(self)
        self._timeline = line
        left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        if level == 0:
            for column, widget in enumerate((self._buttons, self._paces, line, self._readout)):
                self._grid.addWidget(widget, 0, column)
            self._grid.setColumnStretch(2, 1)
        elif level == 1:
            self._grid.addWidget(self._buttons, 0, 0, left)
            self._grid.addWidget(self._paces, 0, 1, left)
            self._grid.addWidget(self._readout, 0, 3, right)
            self._grid.addWidget(line, 1, 0, 1, 4)
            self._grid.setColumnStretch(2, 1)
        elif level == 2:
            self._grid.addWidget(self._buttons, 0, 0, 1, 2, left)
            self._grid.addWidget(self._readout, 0, 2, 1, 2, right)
            self._grid.addWidget(self._paces, 1, 0, left)
            self._grid.addWidget(line, 1, 1, 1, 3)
            self._grid.setColumnStretch(1, 1)
        else:
            self._grid.addWidget(self._buttons, 0, 0, left)
            self._grid.addWidget(self._paces, 1, 0, left)
            self._grid.addWidget(line, 2, 0)
            self._grid.addWidget(self._readout, 3, 0)
            self._grid.setColumnStretch(0, 1)
        self.updateGeometry()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def sizeHint(self) -> QSize:
        return QSize(look.px(900), self._grid.sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(look.px(200), self._grid.minimumSize().height())
