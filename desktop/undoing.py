"""Undo in the window: what is chosen among the points becomes deeds, a new run decides which deeds still
apply, and the class is told what has been undone.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QMenu

from desktop.controls.notice import NEWS_MS
from desktop.history import Deed, History, UndoActions
from desktop.language import Text, _

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from desktop.bridge import Bridge
    from desktop.conductor import Conductor
    from desktop.controls.notice import Notice
    from desktop.panels.area import PanelArea
    from engine.api import Colours, Info, Opened, Refused, RunSpec, Sought, Started

PARTS = ("items", "pin", "hidden")
"""What is chosen, each for itself."""


# ── what is chosen among the points ─────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """A selection as it stood. where: the picture in which the neighbours of the pinned one were listed."""

    items: NDArray[np.int32] | None = None
    pin: int = -1
    where: str = ""
    hidden: frozenset[int] = frozenset()

    def differs(self, other: Chosen) -> tuple[str, ...]:
        """In which parts."""
        return tuple(p for p in PARTS if not _same(getattr(self, p), getattr(other, p)))


def _same(a: Any, b: Any) -> bool:
    if a is None or b is None:
        return a is b
    return bool(a == b) if isinstance(a, (int, frozenset)) else a.tobytes() == b.tobytes()


class Choice(Deed):
    """Points selected, pinned or hidden, or no longer."""

    kind = "points"

    def __init__(self, chooser: Chooser, before: Chosen, after: Chosen) -> None:
        super().__init__(_told(before, after))
        self._chooser, self.before, self.after = chooser, before, after
        self.parts = before.differs(after)

    def stands(self, back: bool) -> bool:
        left = self.after if back else self.before
        return not set(self.parts) & set(left.differs(self._chooser.now()))

    def take_back(self) -> None:
        self._chooser.choose(self.before, self.parts)

    def do_again(self) -> None:
        self._chooser.choose(self.after, self.parts)


def _told(before: Chosen, after: Chosen) -> Text:
    parts = before.differs(after)
    if parts == ("pin",):
        return _("a point pinned") if after.pin >= 0 else _("the pinned point let go")
    if parts == ("hidden",):
        if not after.hidden:
            return _("all classes shown again")
        if len(before.hidden ^ after.hidden) > 1:
            return _("one class shown alone")
        return _("a class hidden") if after.hidden > before.hidden else _("a class shown again")
    if after.items is not None and len(after.items) == 1:
        return _("selection of one point")
    if after.items is not None:
        return _("selection of {n} points", n=len(after.items))
    return _("selection cleared")


class Chooser(QObject):
    """Watches the selection. What has changed at the end of a gesture is one deed; hovering is none."""

    def __init__(self, history: History, area: PanelArea) -> None:
        super().__init__(area)
        self._history, self._area, self._selection = history, area, area.selection
        self._known = self.now()
        self._open = False  # something has changed since then
        self._hidden: set[frozenset[int]] = set()  # what has been hidden in passing
        self._colours: Colours | None = None
        self._timer = QTimer(self, singleShot=True, interval=0)
        self._timer.timeout.connect(self.commit)
        for signal in (self._selection.changed, self._selection.pinned, self._selection.labels_changed):
            signal.connect(self._on_change)
        self._selection.colours_changed.connect(self._on_colours)
        area.painting.connect(self.commit)
        history.settling.connect(self.commit)
        history.pushing.connect(self._on_pushing)

    def now(self) -> Chosen:
        """What is chosen."""
        selection = self._selection
        return Chosen(selection.items, selection.pin, self._area.pinned_in(), selection.hidden)

    def choose(self, chosen: Chosen, parts: tuple[str, ...]) -> None:
        """Put these parts as they were (undo and redo come here)."""
        selection = self._selection
        if "items" in parts:
            selection.select(chosen.items)
        if "hidden" in parts:
            selection.hide_labels(chosen.hidden)
        if "pin" in parts:
            self._area.pin(chosen.pin, chosen.where)
        self.begin()

    def begin(self) -> None:
        """What is chosen now is where the next gesture begins."""
        self._timer.stop()
        self._open = False
        self._hidden.clear()
        self._known = self.now()

    def commit(self) -> None:
        """A gesture has come to its end."""
        painter = self._area.painter
        if self._open and not (painter is not None and painter.busy):
            choice = self._take()
            if choice is not None:
                self._history.push(choice)

    def _take(self) -> Choice | None:
        """What has changed since the last gesture."""
        before, passed = self._known, set(self._hidden)
        self.begin()
        former = self._history.newest
        if isinstance(former, Choice) and former.parts == ("hidden",):
            start = former.before.hidden
            if start in passed and start != self._known.hidden:
                # A double click: what its first half did has been taken back on the way.
                before = dataclasses.replace(before, hidden=start)
                self._history.forget(lambda deed: deed is former)
        return Choice(self, before, self._known) if before.differs(self._known) else None

    def _on_change(self) -> None:
        if self._history.at_work:
            return
        if self._selection.hidden != self._known.hidden:
            self._hidden.add(self._selection.hidden)
        self._open = True
        self._timer.start()

    def _on_pushing(self, deed: Deed) -> None:
        if deed.kind == "painting":  # on other points nothing is selected
            deed.along = self._take()
        elif deed.kind != "points":
            self.commit()

    def _on_colours(self) -> None:
        """Under other colours the classes are others too."""
        if self._selection.colours is self._colours:
            return
        self._colours = self._selection.colours
        self._known = dataclasses.replace(self._known, hidden=self._selection.hidden)
        self._hidden.clear()
        self._history.forget(_only_hides)


def _only_hides(deed: Deed) -> bool:
    """Leave of ``deed`` what is not about classes, if there is anything."""
    if not isinstance(deed, Choice):
        return False
    deed.parts = tuple(part for part in deed.parts if part != "hidden")
    return not deed.parts


# ── the window ──────────────────────────────────────────────────────────────────────────────────────────────


class Undoing(QObject):
    """Between the history and everything else in the window."""

    def __init__(self, history: History, notice: Notice, parent: QObject) -> None:
        super().__init__(parent)
        self._history, self._notice = history, notice
        self._scene: object = None
        self._taken_up = False
        self._bridge: Bridge | None = None
        self._area: PanelArea | None = None
        self._chooser: Chooser | None = None
        self._news: Text | None = None
        self._told = QTimer(self, singleShot=True, interval=NEWS_MS)  # while the news are new
        history.undone.connect(lambda words: self._tell(_("Undone: {what}", what=words)))
        history.redone.connect(lambda words: self._tell(_("Done again: {what}", what=words)))

    def _tell(self, news: Text) -> None:
        self._news = news
        self._told.start()
        self._notice.show_news(news)

    def fill(self, menu: QMenu) -> None:
        """What the next Ctrl+Z would do, and the next Ctrl+Shift+Z."""
        UndoActions(self._history, menu)
        menu.addSeparator()

    def join(self, bridge: Bridge, conductor: Conductor, area: PanelArea) -> None:
        """Listen to them, after the window."""
        self._bridge, self._area = bridge, area
        self._chooser = Chooser(self._history, area)
        self._history.present_wanted.connect(lambda: bridge.engine.seek(None))
        conductor.chosen.connect(self._on_chosen)
        conductor.asked.connect(self._on_asked)
        bridge.started.connect(self._on_started)
        bridge.refused.connect(self._on_refused)
        bridge.failed.connect(self._on_failed)
        # The window first shows what was selected when the file was saved: nobody has just done that.
        bridge.opened.connect(self._on_opened, Qt.ConnectionType.QueuedConnection)
        bridge.sought.connect(self._on_sought)

    def _on_chosen(self, _info: Info) -> None:
        self._taken_up = True

    def _on_asked(self, _spec: RunSpec) -> None:
        self._history.held = True

    def _on_started(self, started: Started) -> None:
        """Knobs keep their history on the same data; points keep theirs as long as they are the same."""
        assert self._area is not None
        assert self._chooser is not None
        spec = started.spec
        scene = spec.experiment, spec.dataset, spec.data_dir
        other = self._taken_up or scene != self._scene
        self._scene, self._taken_up = scene, False
        self._history.held = False
        self._history.stay()
        gone = {"knobs", "points"} if other else set() if self._area.same_points else {"points"}
        if started.fresh:
            gone.add("runs")  # they were of another tree
        if other:
            self._area.selection.clear()
        self._chooser.begin()
        self._history.forget(lambda deed: deed.kind in gone)
        self._history.review()
        if not other and self._told.isActive() and self._news is not None and not self._notice.text:
            self._notice.show_news(self._news)  # it gave way to the progress of the restart

    def _on_opened(self, _opened: Opened) -> None:
        """A run from a file has a past of its own; the drawing is still that of the window."""
        assert self._chooser is not None
        self._chooser.begin()
        self._history.forget(lambda deed: deed.kind != "drawing")

    def _on_sought(self, sought: Sought) -> None:
        self._history.set_past(not sought.live)

    def _on_refused(self, refused: Refused) -> None:
        if refused.about in ("start", "load"):
            self._history.held = self._taken_up = False
        elif refused.about == "forget":
            self._history.forget(lambda deed: deed is self._history.newest and deed.kind == "runs")
        self._history.review()  # knobs stand where they stood

    def _on_failed(self, _failed: object) -> None:
        self._history.held = False
