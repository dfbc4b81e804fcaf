"""What a person has done, in the order in which it was done, and the way back through it.

There is one :class:`History` for the whole window: knobs, points, drawings and runs push their deeds on it.
Each deed knows how to take itself back, and whether it still can: where another run has brought other values
of the knobs, a turn is passed over rather than undone to something else than it says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, Protocol, cast

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QKeySequence, QUndoCommand, QUndoStack
from PySide6.QtWidgets import QAbstractButton, QMenu

from desktop.language import Text, _, language, say, tr

LIMIT = 200
"""Deeds that can be undone."""
RUNS = 8
"""Deleted runs that can be brought back: as many as the engine keeps."""

Kind = Literal["knobs", "points", "painting", "drawing", "runs"]


class Deed(QUndoCommand):
    """Something that a person has done. words: what, as it stands after “Undo:”.

    done: it has happened already; otherwise pushing it does it.
    """

    kind: Kind = "knobs"
    needs_run = False
    """It cannot be undone while another run is being set up."""

    def __init__(self, words: Text, *, done: bool = True) -> None:
        super().__init__()
        self.words = words
        self.along: Deed | None = None
        """What came of it by itself, and goes back with it."""
        self._done = done

    def stands(self, back: bool) -> bool:
        """Whether everything is as this deed left it; or, not back, as it found it."""
        return True

    def needs_present(self, back: bool) -> bool:
        """Whether it can be undone, or redone, only once the newest step is on screen."""
        return False

    def take_back(self) -> None:
        raise NotImplementedError

    def do_again(self) -> None:
        raise NotImplementedError

    def undo(self) -> None:
        self.take_back()
        if self.along is not None:
            self.along.take_back()

    def redo(self) -> None:
        if self._done:
            self._done = False  # being pushed is no second time
            return
        self.do_again()
        if self.along is not None:
            self.along.do_again()


class History(QUndoStack):
    """All deeds. Undo and redo either do the whole of one or nothing."""

    changed = Signal()
    """Something else would be undone or redone now."""
    settling = Signal()
    """What is in hand (a stroke, a drag) shall be brought to its end: it is the first to be undone."""
    pushing = Signal(object)
    """A deed is about to become the newest."""
    undone = Signal(object)
    """What has just been undone, in words."""
    redone = Signal(object)
    present_wanted = Signal()
    """The newest step has to be on screen before it can go on: see ``set_past``."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setUndoLimit(LIMIT)
        self.held = False
        """Whether a run is being set up."""
        self.at_work = False
        """Whether something is being undone or redone just now."""
        self.undo_words: Text | None = None
        """What would be undone."""
        self.redo_words: Text | None = None
        self._past = False
        self._later: bool | None = None  # to go back (or on) once the present is on screen

    # ── from those who do something ─────────────────────────────────────────────────────────────────────────

    def push(self, deed: QUndoCommand) -> None:
        if self.at_work:
            return  # what comes of undoing is nothing that a person has done
        self.pushing.emit(deed)
        super().push(deed)
        if isinstance(deed, ForgetRun):
            for older in [each for each in self._deeds(True) if isinstance(each, ForgetRun)][RUNS:]:
                older.setObsolete(True)
        self.review()

    def forget(self, gone: Callable[[Deed], bool]) -> None:
        """Deeds that no longer apply, whatever has been done since. Nothing else happens to them."""
        if not self.count():
            return
        for deed in (*self._deeds(True), *self._deeds(False)):
            if gone(deed):
                deed.setObsolete(True)
        if all(deed.isObsolete() for deed in (*self._deeds(True), *self._deeds(False))):
            super().clear()
        else:  # the others go when it is their turn
            for back in (True, False):
                self._pass_over(next((d for d in self._deeds(back) if not d.isObsolete()), None), back)
        self.review()

    def clear(self) -> None:
        super().clear()
        self.review()

    # ── back and on ─────────────────────────────────────────────────────────────────────────────────────────

    def undo(self) -> None:
        self._go(back=True)

    def redo(self) -> None:
        self._go(back=False)

    def canUndo(self) -> bool:
        return self._next(True) is not None

    def canRedo(self) -> bool:
        return self._next(False) is not None

    def set_past(self, past: bool) -> None:
        """A recorded step is on screen, or the newest again."""
        self._past = past
        later, self._later = self._later, None
        if later is not None and not past:
            self._go(back=later)
        self.review()

    def stay(self) -> None:
        """Another run: what was waiting for the present of the former one is given up."""
        self._later, self._past = None, False

    @property
    def newest(self) -> Deed | None:
        """The last deed that has not been undone."""
        return next((deed for deed in self._deeds(True) if not deed.isObsolete()), None)

    def review(self) -> None:
        """Look again at what applies."""
        back, on = self._next(True), self._next(False)
        self.undo_words = None if back is None else back.words
        self.redo_words = None if on is None else on.words
        self.changed.emit()

    def _deeds(self, back: bool) -> Iterator[Deed]:
        """The next first."""
        places = range(self.index() - 1, -1, -1) if back else range(self.index(), self.count())
        for place in places:
            yield cast("Deed", self.command(place))

    def _next(self, back: bool) -> Deed | None:
        """The first that applies."""
        for deed in self._deeds(back):
            if not deed.isObsolete() and (deed.stands(back) or (self._past and deed.needs_present(back))):
                return deed
        return None

    def _go(self, *, back: bool) -> None:
        if self.at_work:
            return
        self.settling.emit()
        deed = self._next(back)
        if deed is None or (self.held and deed.needs_run):
            return
        if self._past and deed.needs_present(back):
            self._later = back
            self.present_wanted.emit()
            return
        self._pass_over(deed, back)
        self.at_work = True
        try:
            self._move(back)
        finally:
            self.at_work = False
        self.review()
        (self.undone if back else self.redone).emit(deed.words)

    def _pass_over(self, deed: Deed | None, back: bool) -> None:
        """Take out what lies before ``deed`` (None: everything on that side)."""
        while (top := next(self._deeds(back), None)) is not None and top is not deed:
            top.setObsolete(True)
            self._move(back)  # Qt deletes the obsolete

    def _move(self, back: bool) -> None:
        if back:
            super().undo()
        else:
            super().redo()


# ── what can be pressed ─────────────────────────────────────────────────────────────────────────────────────


class UndoButtons(QObject):
    """Two buttons that go back and on, and tell by their tool tips what that would be."""

    def __init__(self, history: History, undo: QAbstractButton, redo: QAbstractButton) -> None:
        super().__init__(undo)
        self._history, self._undo, self._redo = history, undo, redo
        undo.clicked.connect(history.undo)
        redo.clicked.connect(history.redo)
        history.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        undo, redo = self._history.undo_words, self._history.redo_words
        self._undo.setEnabled(undo is not None)
        self._redo.setEnabled(redo is not None)
        say(
            self._undo.setToolTip,
            _("Undo (Ctrl+Z)") if undo is None else _("Undo: {what} (Ctrl+Z)", what=undo),
        )
        say(
            self._redo.setToolTip,
            _("Redo (Ctrl+Shift+Z)") if redo is None else _("Redo: {what} (Ctrl+Shift+Z)", what=redo),
        )


class UndoActions(QObject):
    """The same as two entries of a menu."""

    def __init__(self, history: History, menu: QMenu) -> None:
        super().__init__(menu)
        self._history = history
        self.undo, self.redo = QAction(menu), QAction(menu)
        self.undo.triggered.connect(history.undo)
        self.redo.triggered.connect(history.redo)
        menu.addActions([self.undo, self.redo])
        history.changed.connect(self._show)
        language.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        undo, redo = self._history.undo_words, self._history.redo_words
        self.undo.setEnabled(undo is not None)
        self.redo.setEnabled(redo is not None)
        self._write(self.undo, _("Undo") if undo is None else _("Undo: {what}", what=undo), "Ctrl+Z")
        self._write(self.redo, _("Redo") if redo is None else _("Redo: {what}", what=redo), "Ctrl+Shift+Z")

    def _write(self, action: QAction, text: Text, keys: str) -> None:
        """What follows a tab is set apart, as keys are; as real ones they would be twice in the window."""
        named = QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)
        action.setText("\t".join((tr(text).replace("&", "&&"), named)))


# ── runs ────────────────────────────────────────────────────────────────────────────────────────────────────


class Keeper(Protocol):
    """Who has the runs: the engine."""

    def forget(self, id_: int, /) -> None: ...
    def bring_back(self, id_: int, /) -> None: ...
    def switch(self, id_: int, /) -> None: ...


class ForgetRun(Deed):
    """A run of the tree is deleted. Pushing this deletes it.

    name: what it is called. shown: it is the one on screen, and comes back there.
    """

    kind = "runs"
    needs_run = True

    def __init__(self, engine: Keeper, id_: int, name: Text | str = "", *, shown: bool = False) -> None:
        words = _("run “{name}” deleted", name=name) if name else _("run {n} deleted", n=id_)
        super().__init__(words, done=False)
        self._engine, self._id, self._shown = engine, id_, shown

    def take_back(self) -> None:
        self._engine.bring_back(self._id)
        if self._shown:
            self._engine.switch(self._id)

    def do_again(self) -> None:
        self._engine.forget(self._id)
