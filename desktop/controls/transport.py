"""The transport bar: reset, new seed, back, play or pause, step, step size, speed, slow motion.

The timeline is put between the buttons and the numbers by ``set_timeline``; when the window is narrow or the
letters are large, fewer words are said, and then the same things stand in two rows or more. A sentence that
does not fit above the timeline (a caption of slow motion, news) gets a row of its own, above all, while it is
said.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
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
from desktop.controls.timeline_bar import TimelineBar
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


class SizeBox(QComboBox):
    """Step sizes. brief: only as wide as the chosen one."""

    def __init__(self) -> None:
        super().__init__()
        self._brief = False
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.currentIndexChanged.connect(self.updateGeometry)

    def set_brief(self, brief: bool) -> None:
        if brief != self._brief:
            self._brief = brief
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        if self._brief:
            widths = [self.fontMetrics().horizontalAdvance(self.itemText(i)) for i in range(self.count())]
            hint.setWidth(hint.width() - max(widths) + widths[self.currentIndex()])
        return hint

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def showPopup(self) -> None:
        self.view().setMinimumWidth(super().sizeHint().width())
        super().showPopup()


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
        self._shown: int | None = None
        self._progress: tuple[int, float | None, int | None, str] = (0, None, None, "")
        self._busy: str | None = None
        self._timeline: TimelineBar | None = None
        self._level = -1
        self._above = False
        self._full = 0
        self._grid = QGridLayout(self)
        self._grid.setSizeConstraint(QGridLayout.SizeConstraint.SetNoConstraint)
        self._build_buttons()
        self._build_pace()
        self._build_readout()
        self.size_box.currentIndexChanged.connect(self._arrange)
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
        self.size_box = SizeBox()
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
        speed = self._speed = QVBoxLayout()
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
        self.device_label = ElidedLabel(self, relative=0.95)
        self.device_label.setObjectName("quiet")
        right = Qt.AlignmentFlag.AlignRight
        self.device_label.setAlignment(right)
        say(self.step_label.setAccessibleName, _("Step"))
        self._readout = QWidget(self)
        self._readout.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
        row = self._numbers = QHBoxLayout(self._readout)
        row.setContentsMargins(0, 0, 0, 0)
        row.addStretch(1)
        row.addWidget(self.step_label, 0, Qt.AlignmentFlag.AlignBaseline)
        row.addWidget(self.rate_label, 0, Qt.AlignmentFlag.AlignBaseline)

    # ── from outside ────────────────────────────────────────────────────────────────────────────────────────

    def set_timeline(self, timeline: TimelineBar) -> None:
        """Put the timeline between the buttons and the numbers."""
        self._timeline = timeline
        timeline.setParent(self)
        timeline.said.connect(self._arrange)
        timeline.show()
        self._level = -1
        self._arrange()

    def set_status(self, status: Status) -> None:
        """What the run is doing: decides what the big button offers."""
        self._status = status
        self._offer_play()
        nothing = status == "empty"
        # After a failure the pictures stand at the last good step: playing goes on from there.
        self.play_button.setEnabled(status in ("running", "paused", "ended", "failed"))
        self._enable_step()
        for button in (self.reset_button, self.seed_button, self.back_button):
            button.setEnabled(not nothing)
        self._write()

    def _offer_play(self) -> None:
        """What the big button does."""
        if self._status == "running":
            self.play_button.set_icon("pause", _("Pause (Space)"), "on_accent")
        elif self._status == "ended" and self._shown is None:
            self.play_button.set_icon("play", _("It has learned all it can; R starts it again"), "on_accent")
        else:
            self.play_button.set_icon("play", _("Play (Space)"), "on_accent")

    def set_shown(self, step: int | None) -> None:
        """A recorded ``step`` is looked at: say both it and the newest. None: the newest is what is seen."""
        changes, self._shown = (step is None) != (self._shown is None), step
        if changes:
            self._offer_play()
        self._enable_step()  # also a run that has ended can be gone on with from there
        self._write()

    def _enable_step(self) -> None:
        going_on = self._status in ("paused", "running", "failed")
        self.step_button.setEnabled(going_on or (self._shown is not None and self._status == "ended"))

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
        self.speed_label.setToolTip(tr(text))
        self.speed_slider.setAccessibleDescription(tr(text))

    def _write(self) -> None:
        step, rate, seed, device = self._progress
        self._write_speed()
        if self._shown is None:
            self.step_label.setText(number(step))
            self.step_label.setToolTip(tr(_("step {step}", step=number(step))))
        else:
            self.step_label.setText(f"{number(self._shown)} / {number(step)}")
            words_of = _("step {step} of {last}", step=number(self._shown), last=number(step))
            self.step_label.setToolTip(tr(words_of))
        if rate is None or self._status != "running":
            words: str = {"running": "", "ended": _("finished"), "failed": _("stopped")}.get(
                self._status, _("paused")
            )
            if self._shown is not None:
                words = _("recorded")
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
        newest = big.horizontalAdvance(number(self._progress[0]))
        step = max(big.horizontalAdvance(number(99999)), newest)
        wide = max(step + rate + look.px(16), look.px(140))
        if self._readout.minimumWidth() < wide or self._readout.minimumWidth() > wide * 1.3:
            self._readout.setMinimumWidth(wide)
        # Two steps may leave no room for the rate: it yields, else the timeline would move under the hand.
        both = big.horizontalAdvance(self.step_label.text()) + look.px(16)
        if both + small.horizontalAdvance(self.rate_label.text()) > self._readout.minimumWidth():
            self.rate_label.setText("")

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
        self._grid.setContentsMargins(look.icon_px(14), look.icon_px(5), look.icon_px(14), look.icon_px(4))
        self._grid.setHorizontalSpacing(look.icon_px(14))
        self._numbers.setSpacing(look.px(7))
        self._readout.setMinimumWidth(0)
        self._write()
        self._level = -1
        self._arrange()

    def _set_brief(self, brief: bool) -> None:
        """Say less, so that one row is enough: the speed in its tool tip, slow motion as its icon alone."""
        self.speed_label.setVisible(not brief)
        self._speed.invalidate()  # Qt only tells the outer layout of it
        self.speed_slider.setMinimumWidth(look.icon_px(60) if brief else look.px(84))
        self.speed_slider.setMaximumWidth(look.icon_px(60) if brief else 16777215)
        self.slow_button.setText("" if brief else tr(_("Slow motion")))
        self.size_box.set_brief(brief)
        for group in (self._buttons, self._paces):
            layout = group.layout()
            assert layout is not None
            layout.setSpacing(look.icon_px(5) if brief else look.px(7))
            layout.activate()
            group.updateGeometry()

    def _arrange(self) -> None:
        """One row where everything fits, if need be with fewer words; else two, or four."""
        gap = look.icon_px(14)
        margins = self._grid.contentsMargins()
        room = self.width() - margins.left() - margins.right()
        parts = (self._readout.minimumWidth(), self._readout.sizeHint().width())
        readout = max(*parts, self.device_label.sizeHint().width())
        if self._level < 0:  # other words or letters: how wide is it all, said in full?
            self._set_brief(False)
            self._speed.invalidate()
            self._full = self._buttons.sizeHint().width() + self._paces.sizeHint().width()
        self._set_brief(room - self._full - readout - 3 * gap < look.px(260))
        buttons, paces = self._buttons.sizeHint().width(), self._paces.sizeHint().width()
        left, level = room - buttons - paces - readout - 3 * gap, 0
        if left < look.px(95):
            left = room - max(buttons, paces) - gap
            level = 1 if left >= max(readout, look.px(95)) else 2
            left = left if level == 1 else room
        if self._timeline is not None:
            self._place_words(self._timeline, left, low=level == 1)
        if level != self._level:
            self._level = level
            self._lay_out(level)
            self.updateGeometry()

    def _place_words(self, timeline: TimelineBar, left: int, low: bool) -> None:
        """The timeline's sentence stands above the track where that is long enough, else above everything.

        Once above, captions stay there: the bar must not jump with every moment of slow motion.
        """
        line = timeline.line
        fits = line.needed().width() <= left
        stays = self._above and line.moment > 0
        self._above = bool(line.text) and (low or not fits or stays)
        timeline.set_place(outside=self._above, low=low)

    def _lay_out(self, level: int) -> None:
        """Put everything where it stands at ``level``: one row (0), two (1), four (2)."""
        grid, line = self._grid, self._timeline or QWidget(self)
        while grid.count():
            grid.takeAt(0)
        for column in range(4):
            grid.setColumnStretch(column, 0)
        if self._timeline is not None:
            grid.addWidget(self._timeline.line, 0, 0, 1, 4)
        left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        above, below = Qt.AlignmentFlag.AlignBottom, Qt.AlignmentFlag.AlignTop
        grid.setVerticalSpacing(0 if level == 0 else look.icon_px(3))
        if level == 0:
            for column, widget in enumerate((self._buttons, self._paces, line)):
                grid.addWidget(widget, 1, column, 2, 1)
            grid.addWidget(self._readout, 1, 3, above)
            grid.addWidget(self.device_label, 2, 3, below)
            grid.setColumnStretch(2, 1)
        elif level == 1:
            grid.addWidget(self._buttons, 1, 0, left)
            grid.addWidget(self.device_label, 1, 1)
            grid.addWidget(self._readout, 1, 2, right)
            grid.addWidget(self._paces, 2, 0, left)
            grid.addWidget(line, 2, 1, 1, 2)
            grid.setColumnStretch(1, 1)
        else:
            grid.addWidget(self._buttons, 1, 0, left)
            grid.addWidget(self._paces, 2, 0, left)
            grid.addWidget(line, 3, 0)
            grid.addWidget(self._readout, 4, 0)
            grid.addWidget(self.device_label, 5, 0)
            grid.setColumnStretch(0, 1)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:  # other paddings; arranged when all are dressed
            self._level = -1
            self._grid.invalidate()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest and self._level < 0:
            self._arrange()
        return super().event(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._level = -1
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def sizeHint(self) -> QSize:
        return QSize(look.px(900), self._grid.sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(look.px(200), self._grid.minimumSize().height())
