"""The runs that have grown from one start, as a small tree: a lane each, over one axis of steps."""

from __future__ import annotations

import dataclasses
import html
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAction,
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMoveEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QLineEdit,
    QMenu,
    QScrollArea,
    QSizePolicy,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from desktop.controls.parts import IconButton, named
from desktop.language import Text, _, language, number, say, tr
from desktop.panels.colours import mix
from desktop.style.tokens import look
from desktop.wording import Done, gestures
from engine.api import Branch, Grown

Words = Callable[[Done], Text | str]
"""Says what was done: “k 4 → 6”."""
IN_SIGHT = 4
"""Rows seen at once; fewer where they would take more of the window than ``SHARE``."""
SHARE = 0.16
AXIS = 0.4
"""The axis has at least so much of the width, however long the names are."""
LONGEST_NAME = 60
TOLD = 8
"""Changes that a tool tip lists."""
NOTHING = Grown((), 0)


@dataclass(slots=True, eq=False)
class Lane:
    """One run, ready to be drawn. done: what was changed in it, one drag being one thing. title: its name.

    own: whether a person gave it. marks: the step of each thing done, with its words, or "" where the name
    says it already.
    """

    branch: Branch
    title: Text | str
    own: bool
    done: list[tuple[int, Text | str]] = field(default_factory=list)
    said: bool = False
    """The title says the first thing that was done."""

    @property
    def marks(self) -> list[tuple[int, str]]:
        """The step of each thing done, and what is to be written there."""
        told = [(step, tr(words)) for step, words in self.done]
        return [(told[0][0], ""), *told[1:]] if self.said else told


def lane_of(branch: Branch, words: Words) -> Lane:
    """``branch`` with what it is called: as a person wishes, or by what makes it different."""
    done = [(one.step, words(one)) for one in gestures(branch.log)]
    if branch.name:
        return Lane(branch, branch.name, True, done)
    if branch.parent is None or not done:
        return Lane(branch, _("Run {n}", n=branch.id), False, done)
    step, what = done[0]
    title = _("{what} at step {step}", what=what, step=number(step))
    if len(done) > 1:
        title = _("{what} at step {step}, and more", what=what, step=number(step))
    return Lane(branch, title, False, done, said=True)


def rooted(branches: Iterable[Branch]) -> list[Branch]:
    """Each as a branch of the run that really holds the step where it left: who leaves a run in what that run
    has itself from another leaves that other one.
    """
    by_id = {branch.id: branch for branch in branches}
    found = []
    for branch in by_id.values():
        parent = by_id.get(branch.parent or 0)
        while parent is not None and branch.start <= parent.start and parent.parent in by_id:
            parent = by_id[parent.parent]
        found.append(dataclasses.replace(branch, parent=None if parent is None else parent.id))
    return found


def in_order(branches: Iterable[Branch]) -> list[Branch]:
    """Those that left a run below it, the last to leave first: then no lane crosses another."""
    children: dict[int | None, list[Branch]] = {}
    for branch in branches:
        children.setdefault(branch.parent, []).append(branch)
    waiting = sorted(children.get(None, ()), key=lambda b: b.id, reverse=True)
    found = []
    while waiting:
        found.append(waiting.pop())
        waiting += sorted(children.get(found[-1].id, ()), key=lambda b: (b.start, -b.id))
    return found


def past_of(branches: Sequence[Branch], active: int) -> dict[int, int]:
    """How far the past of ``active`` leads through the other runs: {id: the step at which it was left}."""
    by_id = {branch.id: branch for branch in branches}
    found: dict[int, int] = {}
    one = by_id.get(active)
    while one is not None and one.parent is not None:
        found[one.parent] = one.start
        one = by_id[one.parent]
    return found


class Row(QAbstractButton):
    """The place of one run: takes the mouse and the keys; what is seen there the tree paints."""

    walked = Signal(object)
    """Another row is wanted: so many further, or "first" and "last"."""
    rename = Signal()
    delete = Signal()
    menu = Signal(QPoint)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.told: Callable[[], Iterable[str]] = tuple
        self.setCheckable(True)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.more = IconButton("more", _("What can be done with this run"), self, size=18, pad=1, flat=True)
        self.more.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # its menu opens with the menu key
        self.more.clicked.connect(lambda: self.menu.emit(self.more.mapToGlobal(self.more.rect().topLeft())))

    def place_button(self) -> None:
        """Beside the end of the row."""
        side = min(self.height(), look.icon_px(16))
        self.more.setFixedSize(look.px(22), side)
        self.more.move(self.width() - self.more.width() - look.px(4), (self.height() - side) // 2)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.place_button()

    def sizeHint(self) -> QSize:
        return QSize(look.px(200), row_height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Only where the mouse and the keyboard are; the tree has painted the rest."""
        c = look.colours
        if not self.hasFocus():
            return
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(c.accent), look.px(1.5)))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), look.px(5), look.px(5))

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            told = "<br>".join(map(html.escape, self.told()))
            QToolTip.showText(event.globalPos(), f'<p style="white-space: pre">{told}</p>', self)
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space belongs to play and pause."""
        walks = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_Home: "first", Qt.Key.Key_End: "last"}
        key = Qt.Key(event.key())
        if key in walks:
            self.walked.emit(walks[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        elif key == Qt.Key.Key_F2:
            self.rename.emit()
        elif key == Qt.Key.Key_Delete:
            self.delete.emit()
        else:
            event.ignore()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu.emit(event.globalPos())

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()


class NameEdit(QLineEdit):
    """Where a run gets its name. Enter takes it, Esc leaves it as it was."""

    done = Signal(bool)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setMaxLength(LONGEST_NAME)
        self.returnPressed.connect(lambda: self.done.emit(True))

    def event(self, event: QEvent) -> bool:
        """All keys belong to the name, the window's own too."""
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.done.emit(False)
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.done.emit(True)


def row_height() -> int:
    """From one lane to the next."""
    return max(look.px(18), round(QFontMetricsF(name_font()).height()) + 2)


def name_font(*, bold: bool = False) -> QFont:
    """In which the name of a run is written; bold for the active one."""
    return look.font(0.92, bold=bold)


class Lanes(QWidget):
    """All lanes, one below the other."""

    def __init__(self) -> None:
        super().__init__()
        self.lanes: list[Lane] = []
        self.rows: dict[int, Row] = {}
        self.grown = NOTHING
        self.shown = 0
        self.newest = 0
        self._past: dict[int, int] = {}
        self._names: list[tuple[str, float]] = []  # of each lane, and how wide it is
        self._axis = (0.0, 1.0)  # where the axis of steps begins, and pixels a step

    # ── what there is ──

    def show_lanes(self, lanes: list[Lane], grown: Grown) -> None:
        """From the top to the bottom."""
        self.lanes, self.grown = lanes, grown
        self._past = past_of([lane.branch for lane in lanes], grown.active)
        plain, bold = QFontMetricsF(name_font()), QFontMetricsF(name_font(bold=True))
        self._names = []
        for lane in lanes:
            title, metrics = self.title(lane), bold if lane.branch.id == grown.active else plain
            self._names.append((title, metrics.horizontalAdvance(title)))
        self.setFixedHeight(max(len(lanes), 1) * row_height())
        self.lay_out()

    def at(self, id_: int) -> int:
        """The row of a run, from 0; -1 if it has none."""
        return next((i for i, lane in enumerate(self.lanes) if lane.branch.id == id_), -1)

    def last(self, lane: Lane) -> int:
        """Its newest step."""
        branch = lane.branch
        trained = branch.id == self.grown.active and self.grown.beside is None
        return max(branch.last, self.newest) if trained else branch.last

    @property
    def longest(self) -> int:
        return max((self.last(lane) for lane in self.lanes), default=0)

    def is_ghost(self, lane: Lane) -> bool:
        return lane.branch.id == self.grown.ghost

    def side(self, lane: Lane) -> str:
        """A or B where two runs stand side by side."""
        if self.grown.beside is None:
            return ""
        return {self.grown.active: "A", self.grown.beside: "B"}.get(lane.branch.id, "")

    def title(self, lane: Lane) -> str:
        """Its name as it is written at its end."""
        words = tr(lane.title)
        side = self.side(lane)
        words = f"{side} · {words}" if side else words
        ghost = tr(_("ghost"))
        return f"{words} · {ghost}" if self.is_ghost(lane) else words

    # ── where it is ──

    def lay_out(self) -> None:
        """The axis is as long as leaves room for the names at the ends of the lanes."""
        left, gap = float(look.px(14)), look.px(9)
        right = self.width() - look.px(30)
        room, longest = max(right - left, 1.0), max(self.longest, 1)
        axis = room - look.px(12)
        for lane, (_title, wide) in zip(self.lanes, self._names, strict=True):
            axis = min(axis, (room - gap - wide) / max(self.last(lane) / longest, 1e-3))
        self._axis = (left, max(axis, AXIS * room) / longest)
        high = row_height()
        for index, lane in enumerate(self.lanes):
            row = self.rows.get(lane.branch.id)
            if row is not None:
                row.setGeometry(0, index * high, self.width(), high)
        self.update()

    def x_of(self, step: float) -> float:
        """Where a step lies."""
        return self._axis[0] + step * self._axis[1]

    def y_of(self, index: int) -> float:
        """The middle of a row."""
        return (index + 0.5) * row_height()

    def begins(self, index: int) -> float:
        """Where the straight part of a lane begins."""
        branch = self.lanes[index].branch
        return self.x_of(branch.start) + (row_height() if self.at_parent(index) >= 0 else 0.0)

    def ends(self, index: int) -> float:
        """Where a lane ends: never before it has begun."""
        return max(self.x_of(self.last(self.lanes[index])), self.begins(index))

    def at_parent(self, index: int) -> int:
        """The row of the run that this one left, or -1."""
        parent = self.lanes[index].branch.parent
        return -1 if parent is None else self.at(parent)

    def name_rect(self, index: int) -> QRectF:
        """Where a lane's name stands."""
        left = self.ends(index) + look.px(9)
        return QRectF(left, index * row_height(), self.width() - look.px(30) - left, row_height())

    def place_shown(self) -> tuple[float, float] | None:
        """Where the step on screen lies: on the active lane, or on what its past leads through."""
        index = self.at(self.grown.active)
        while index >= 0 and self.shown < self.lanes[index].branch.start and self.at_parent(index) >= 0:
            index = self.at_parent(index)
        if index < 0:
            return None
        return min(max(self.x_of(self.shown), self.begins(index)), self.ends(index)), self.y_of(index)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.lay_out()

    # ── painting ──

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for lane in self.lanes:
                self._paint_ground(painter, lane)
            # The active one last: where lanes meet, it is on top.
            order = sorted(range(len(self.lanes)), key=lambda i: self.lanes[i].branch.id == self.grown.active)
            for index in order:
                self._paint_lane(painter, index)
            self._paint_past(painter)
            for index in order:
                self._paint_marks(painter, index)
                self._paint_name(painter, index)
            self._paint_shown(painter)

    def _paint_ground(self, painter: QPainter, lane: Lane) -> None:
        row = self.rows.get(lane.branch.id)
        if row is not None and row.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.colour("raised"))
            painter.drawRoundedRect(QRectF(row.geometry()).adjusted(1, 0, -1, 0), look.px(5), look.px(5))

    def path(self, index: int, until: float | None = None) -> QPainterPath:
        """A lane from where it leaves its parent's, with a soft curve, up to its end or to the pixel
        ``until``.
        """
        branch, y, parent = self.lanes[index].branch, self.y_of(index), self.at_parent(index)
        start, begin = self.x_of(branch.start), self.begins(index)
        path = QPainterPath(QPointF(start, y))
        if parent >= 0:
            above, bend = self.y_of(parent), (begin - start) / 2
            path = QPainterPath(QPointF(start, above))
            path.quadTo(start + bend, above, start + bend, above + bend)
            path.lineTo(start + bend, y - bend)
            path.quadTo(start + bend, y, begin, y)
        path.lineTo(max(self.ends(index) if until is None else until, begin), y)
        return path

    def _pen(self, lane: Lane) -> QPen:
        if lane.branch.id == self.grown.active:
            pen = QPen(look.colour("accent"), look.px(3))
        else:
            strength = 0.25 if self.is_ghost(lane) else 0.5
            pen = QPen(mix(look.colour("quiet"), look.colour("surface"), strength), look.px(2))
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        if self.is_ghost(lane):
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            pen.setDashPattern([3, 2])
        return pen

    def _paint_lane(self, painter: QPainter, index: int) -> None:
        lane = self.lanes[index]
        pen = self._pen(lane)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        left_at = self._past.get(lane.branch.id)
        if left_at is None:
            painter.drawPath(self.path(index))
        else:  # up to there it is the past of the active one
            start, y = max(self.x_of(left_at), self.begins(index)), self.y_of(index)
            painter.drawLine(QPointF(start, y), QPointF(self.ends(index), y))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(pen.color())
        radius = 1.35 * pen.widthF()
        painter.drawEllipse(QPointF(self.ends(index), self.y_of(index)), radius, radius)

    def _paint_past(self, painter: QPainter) -> None:
        """What lies behind the active run, in its colour, thinner."""
        painter.setPen(QPen(look.colour("accent"), look.px(1.6), c=Qt.PenCapStyle.RoundCap))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for id_, left_at in self._past.items():
            index = self.at(id_)
            if index >= 0:
                painter.drawPath(self.path(index, self.x_of(left_at)))

    def _paint_marks(self, painter: QPainter, index: int) -> None:
        """A tick where something was changed, and what, where there is room for it on the lane."""
        lane, y = self.lanes[index], self.y_of(index)
        c, wide, high = look.colours, look.px(2), 0.5 * row_height()
        begin, end = self.begins(index), self.ends(index)
        font = look.font(0.85)
        metrics = QFontMetricsF(font)
        marks = [(min(max(self.x_of(step), begin), end), words) for step, words in lane.marks]
        ends = [x for x, _words in [*marks, (end, "")][1:]]
        # Those that leave this lane take their room too.
        leave = [self.x_of(one.branch.start) for one in self.lanes if one.branch.parent == lane.branch.id]
        for (x, words), stop in zip(marks, ends, strict=True):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(c.flag))
            painter.drawRoundedRect(QRectF(x - wide / 2, y - high / 2, wide, high), 1, 1)
            left, right = x + look.px(4), x + look.px(10) + metrics.horizontalAdvance(words)
            if not words or right > stop - look.px(5) or any(left - 1 < at < right + 1 for at in leave):
                continue
            row = self.rows.get(lane.branch.id)
            hot = row is not None and row.underMouse()
            plate = QRectF(left, y - metrics.height() / 2, right - left, metrics.height())
            painter.fillRect(plate, look.colour("raised" if hot else "surface"))
            painter.setFont(font)
            painter.setPen(QColor(c.quiet))
            painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, words)

    def _paint_name(self, painter: QPainter, index: int) -> None:
        active = self.lanes[index].branch.id == self.grown.active
        font = name_font(bold=active)
        rect = self.name_rect(index)
        text, wide = self._names[index]
        if wide > rect.width():
            text = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        painter.setFont(font)
        painter.setPen(look.colour("text" if active else "quiet"))
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)

    def _paint_shown(self, painter: QPainter) -> None:
        at = self.place_shown()
        if at is not None:
            radius = look.px(4.5)
            painter.setPen(QPen(look.colour("accent"), look.px(2)))
            painter.setBrush(look.colour("surface"))
            painter.drawEllipse(QPointF(*at), radius, radius)


class RunTree(QFrame):
    """Stands above the transport bar once there is more than one run."""

    switched = Signal(int)
    renamed = Signal(int, str)
    deleted = Signal(int)
    compared = Signal(int)
    ghost_wanted = Signal(object)
    """The run that shall be seen behind, or None."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("bar")
        self._words: Words = lambda done: done.name
        self.lanes = Lanes()
        self._edit: NameEdit | None = None
        self._edited = 0  # the run whose name is written
        self._menu: QMenu | None = None
        self._scroll = named("side", QScrollArea(widgetResizable=True))
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(named("side", self.lanes))
        self._column = QVBoxLayout(self)
        self._column.addWidget(self._scroll)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        say(self.setAccessibleName, _("Runs"))
        look.changed.connect(self._on_look)
        language.changed.connect(self._on_language)
        self.hide()
        self._on_look()

    # ── what the window says ────────────────────────────────────────────────────────────────────────────────

    def show_tree(self, grown: Grown, titles: Words | None = None) -> None:
        """All runs there are. titles: how to say what was done to one."""
        self._words = titles or self._words
        if self._edit is not None and self._edited not in [branch.id for branch in grown.branches]:
            self._end_edit(False)
        lanes = [lane_of(branch, self._words) for branch in in_order(rooted(grown.branches))]
        self._make_rows(lanes, grown)
        self.lanes.show_lanes(lanes, grown)
        self._place_edit()
        self._describe()
        self._fit()
        self.setVisible(len(lanes) > 1)
        QTimer.singleShot(0, self, self._bring_in_sight)  # once it has its size

    def _bring_in_sight(self) -> None:
        """The active run is seen, however many there are."""
        active = self.lanes.rows.get(self.lanes.grown.active)
        if active is not None and not any(row.hasFocus() for row in self.lanes.rows.values()):
            self._scroll.ensureWidgetVisible(active, 0, 0)

    def set_shown(self, step: int) -> None:
        """The pictures show this step."""
        if step != self.lanes.shown:
            self.lanes.shown = step
            self.lanes.update()

    def set_newest(self, step: int) -> None:
        """The active run has come so far."""
        if step != self.lanes.newest:
            self.lanes.newest = step
            if self.isVisible():
                self.lanes.lay_out()

    def name(self, id_: int | None) -> Text | str:
        """What a run is called; "" if there is none."""
        return next((lane.title for lane in self.lanes.lanes if lane.branch.id == id_), "")

    # ── rows ────────────────────────────────────────────────────────────────────────────────────────────────

    def _make_rows(self, lanes: list[Lane], grown: Grown) -> None:
        """A row for each run; those that are there already stay, and keep the keyboard."""
        rows, ids = self.lanes.rows, [lane.branch.id for lane in lanes]
        for id_ in [gone for gone in rows if gone not in ids]:
            rows[id_].hide()
            rows.pop(id_).deleteLater()
        for id_ in ids:
            if id_ not in rows:
                rows[id_] = self._new_row(id_)
            rows[id_].setChecked(id_ == grown.active)
            tabbed = id_ == grown.active
            rows[id_].setFocusPolicy(Qt.FocusPolicy.StrongFocus if tabbed else Qt.FocusPolicy.ClickFocus)
        for one, other in itertools.pairwise(ids):
            QWidget.setTabOrder(rows[one], rows[other])

    def _new_row(self, id_: int) -> Row:
        row = Row(self.lanes)
        row.clicked.connect(lambda: self._on_clicked(id_))
        row.walked.connect(lambda by: self._walk(id_, by))
        row.rename.connect(lambda: self.rename(id_))
        row.delete.connect(lambda: self.deleted.emit(id_))
        row.menu.connect(lambda at: self.open_menu(id_, at))
        row.told = lambda: self.story(id_)
        row.show()
        return row

    def _on_clicked(self, id_: int) -> None:
        grown, row = self.lanes.grown, self.lanes.rows[id_]
        row.setChecked(id_ == grown.active)  # only the engine says which one is active
        if id_ != grown.active or grown.beside is not None:
            self.switched.emit(id_)

    def _walk(self, id_: int, by: int | str) -> None:
        end = len(self.lanes.lanes) - 1
        to = {"first": 0, "last": end}[by] if isinstance(by, str) else self.lanes.at(id_) + by
        lane = self.lanes.lanes[min(max(to, 0), end)]
        row = self.lanes.rows[lane.branch.id]
        row.setFocus(Qt.FocusReason.OtherFocusReason)
        self._scroll.ensureWidgetVisible(row, 0, 0)

    # ── the menu ────────────────────────────────────────────────────────────────────────────────────────────

    def open_menu(self, id_: int, at: QPoint) -> None:
        """What can be done with one run."""
        if self._menu is not None:
            self._menu.close()
        grown = self.lanes.grown
        here = id_ == grown.active
        menu = self._menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.destroyed.connect(self._on_menu_gone)
        choices: tuple[tuple[Text, Callable[[], object], bool], ...] = (
            (_("Show this run"), lambda: self.switched.emit(id_), not here or grown.beside is not None),
            (_("Rename…"), lambda: self.rename(id_), True),
            (
                _("Side by side with the present run"),
                lambda: self.compared.emit(id_),
                not here and grown.beside is None,
            ),
            (
                _("Show as ghost"),
                lambda: self.ghost_wanted.emit(None if id_ == grown.ghost else id_),
                not here and grown.beside is None,
            ),
            (_("Delete"), lambda: self.deleted.emit(id_), True),
        )
        for text, slot, enabled in choices:
            action = QAction(tr(text), menu)
            action.setEnabled(enabled)
            action.triggered.connect(slot)
            menu.addAction(action)
        ghost = menu.actions()[3]
        ghost.setCheckable(True)
        ghost.setChecked(id_ == grown.ghost)
        menu.popup(at)

    def _on_menu_gone(self) -> None:
        self._menu = None

    # ── renaming ────────────────────────────────────────────────────────────────────────────────────────────

    def rename(self, id_: int) -> None:
        """Write another name where it stands."""
        self._end_edit(False)
        index = self.lanes.at(id_)
        if index < 0:
            return
        lane, self._edited = self.lanes.lanes[index], id_
        edit = self._edit = named("value", NameEdit(self.lanes))
        edit.setFont(name_font())
        edit.setText(lane.branch.name)
        edit.setPlaceholderText(tr(lane.title))
        edit.setAccessibleName(tr(_("Name of the run")))
        edit.done.connect(self._end_edit)
        self._place_edit()
        edit.show()
        edit.selectAll()
        edit.setFocus()

    def _place_edit(self) -> None:
        """Where the name ends, and wide enough to write in."""
        index = self.lanes.at(self._edited)
        if self._edit is not None and index >= 0:
            rect, wide = self.lanes.name_rect(index), self.lanes.width()
            left = round(min(rect.left() - look.px(5), wide - look.px(230)))
            self._edit.setGeometry(left, round(rect.top()), wide - look.px(28) - left, row_height())

    def _end_edit(self, good: bool) -> None:
        edit, self._edit = self._edit, None
        row, index = self.lanes.rows.get(self._edited), self.lanes.at(self._edited)
        if edit is None:
            return
        if row is not None and edit.hasFocus():
            row.setFocus()
        edit.hide()
        edit.deleteLater()
        text = " ".join(edit.text().split())
        if good and index >= 0 and text != self.lanes.lanes[index].branch.name:
            self.renamed.emit(self._edited, text)

    # ── words and sizes ─────────────────────────────────────────────────────────────────────────────────────

    def _describe(self) -> None:
        """What each row says to the ear."""
        for lane in self.lanes.lanes:
            row = self.lanes.rows[lane.branch.id]
            row.setAccessibleName(self.lanes.title(lane))
            row.setAccessibleDescription(". ".join(self.story(lane.branch.id)[1:]))
            row.more.setAccessibleName(tr(_("What can be done with {run}", run=lane.title)))

    def story(self, id_: int) -> list[str]:
        """What a run is called, from where it comes, how many steps it has, and what was done."""
        index = self.lanes.at(id_)
        if index < 0:
            return []
        lane = self.lanes.lanes[index]
        branch, parent = lane.branch, self.name(lane.branch.parent)
        lines = [tr(lane.title)]
        if parent:
            lines.append(tr(_("from {run} at step {step}", run=parent, step=number(branch.start))))
        lines.append(tr(_("{n} steps", n=number(self.lanes.last(lane)))))
        for step, words in lane.done[:TOLD]:
            at = tr(_("step {step}", step=number(step)))
            lines.append(f"{at}: {tr(words)}")
        return [*lines, "…"] if len(lane.done) > TOLD else lines

    def _fit(self) -> None:
        """As high as the rows in sight."""
        rows = max(len(self.lanes.lanes), 1)
        most = min(max(int(SHARE * self.window().height() / row_height()), 2), IN_SIGHT)
        margins = self._column.contentsMargins()
        self.setFixedHeight(min(rows, most) * row_height() + margins.top() + margins.bottom())

    def moveEvent(self, event: QMoveEvent) -> None:
        """The window has another height."""
        super().moveEvent(event)
        self._fit()

    def _on_look(self) -> None:
        self._column.setContentsMargins(look.icon_px(10), look.px(5), look.icon_px(10), 0)
        self._end_edit(False)
        for row in self.lanes.rows.values():
            row.place_button()
        self.lanes.show_lanes(self.lanes.lanes, self.lanes.grown)
        self._fit()

    def _on_language(self) -> None:
        """Numbers and words in another language."""
        self.show_tree(self.lanes.grown)
