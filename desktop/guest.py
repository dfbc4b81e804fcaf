"""The drawing as a guest of whatever is learning: shown to it, found in its pictures, and again as it learns.

The pad knows nothing of experiments and no experiment of the pad: any that answers ``encode`` gets the same
drawing, in the size of its data. One question is under way at a time, so that each answer is known to belong
to one drawing.
"""

from __future__ import annotations

import bisect
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from desktop import ink
from desktop.bridge import Bridge
from desktop.language import _
from desktop.panels.area import Guests, PanelArea
from engine.api import (
    PREFIX,
    Acted,
    Answer,
    Encoded,
    Failed,
    Info,
    Item,
    Refused,
    Sought,
    Started,
    Text,
    Turned,
    is_second,
)

if TYPE_CHECKING:
    from desktop.controls.draw_pad import DrawPad

TAG = "drawing"
AGAIN_MS = 200
"""While it learns, the drawing is shown to it so often; and to a recorded state once one has rested there so
long, as to set it up again takes a moment.
"""
LOOKED_AT = 24
"""Items looked at, to learn the size of the pictures and to choose examples from."""
KEPT = 400
"""Former answers kept; beyond that, every second one is dropped."""


@dataclass(slots=True, eq=False)
class _Witness:
    """One of two runs side by side, or the only one, and what it has said of the drawing."""

    prefix: str
    asked: int | None = None
    """The drawing that it is looking at."""
    again: bool = False
    """Something has changed meanwhile."""
    recorded: int = 0
    """The drawing of the records."""
    records: list[tuple[int, Encoded]] = field(default_factory=list)
    """What was said of it, and at which step."""

    def record(self, drawing: int, step: int, encoded: Encoded) -> None:
        if drawing != self.recorded:
            self.records.clear()
            self.recorded = drawing
        at = bisect.bisect_left(self.records, step, key=lambda record: record[0])
        self.records[at : at + (at < len(self.records) and self.records[at][0] == step)] = [(step, encoded)]
        if len(self.records) > KEPT:
            self.records = [*self.records[:-1:2], self.records[-1]]

    def nearest(self, shown: int | None) -> int:
        """Which record belongs to the step on screen, or else is the nearest there is."""
        if shown is None:
            return len(self.records) - 1
        return min(range(len(self.records)), key=lambda i: abs(self.records[i][0] - shown))


class Guest(QObject):
    """Between the pad and the engine. The window tells when a run begins and when an answer has come."""

    changed = Signal()
    """Whether a drawing can be looked at is not what it was."""

    def __init__(self, bridge: Bridge, area: PanelArea) -> None:
        super().__init__(bridge)
        self._engine = bridge.engine
        self._area = area
        self._pad: DrawPad | None = None
        self._open = False
        self._info: Info | None = None
        self._started: Started | None = None
        self._shape: tuple[int, int, int] | None = None
        self._items: dict[object, Item] = {}
        self._drawing = 0  # counts drawings
        self._witnesses: list[_Witness] = []
        self._input: ink.Ink | None = None
        self._step = 0
        self._shown: int | None = None
        self._timer = QTimer(self, singleShot=True, interval=AGAIN_MS)
        self._timer.timeout.connect(self._on_time)
        self._rest = QTimer(self, singleShot=True, interval=AGAIN_MS)
        self._rest.timeout.connect(self._ask)
        bridge.progress.connect(self._on_progress)
        bridge.turned.connect(self._on_turned)
        bridge.acted.connect(self._on_acted)
        bridge.sought.connect(self._on_sought)
        bridge.refused.connect(self._on_refused)
        bridge.failed.connect(self._on_failed)

    # ── from the window ─────────────────────────────────────────────────────────────────────────────────────

    @property
    def refusal(self) -> Text | str:
        """Why the model at hand cannot look at a drawing; "" when it can."""
        if self._info is None or self._started is None:
            return _("Nothing is learning yet.")
        if not self._witnesses:
            return _("“{title}” cannot look at a drawing.", title=self._info.title)
        if self._started.kind != "images":
            return _("Drawings can be shown where the data are pictures: choose some, such as digits.")
        return ""

    def set_pad(self, pad: DrawPad) -> None:
        """The pad, once there is one."""
        self._pad = pad
        pad.drawn.connect(self._on_drawn)
        pad.more_examples.connect(self._want_items)

    def set_open(self, open_: bool) -> None:
        """The pad is in sight, or put away; nothing is asked then and no star is shown."""
        self._open = open_
        self._timer.stop()
        self._rest.stop()
        self._invite()

    def begin(self, info: Info, started: Started) -> None:
        """A run stands at its first step. It is shown the same drawing."""
        former, self._started = self._started, started
        same = (
            former is not None
            and former.spec.data_key == started.spec.data_key
            and former.size == started.size  # painting changes the data of a key
        )
        self._info = info
        self._step, self._shown = started.branched_from or 0, None
        self._rest.stop()
        past = {w.prefix: w for w in self._witnesses} if started.branched_from is not None else {}
        self._witnesses = []
        for prefix in ("", PREFIX):
            if prefix + "encode" in info.queries:
                witness = _Witness(prefix)
                if prefix in past and started.branched_from is not None:
                    witness.recorded = past[prefix].recorded
                    witness.records = [r for r in past[prefix].records if r[0] <= started.branched_from]
                self._witnesses.append(witness)
        if not same:
            self._shape = None
            self._items.clear()
        self.changed.emit()
        self._invite()

    def take(self, answer: Answer) -> bool:
        """Whether this answer was for the drawing; then it is seen to."""
        tag = answer.tag
        for witness in self._witnesses:
            if tag == TAG + witness.prefix:
                asked, witness.asked = witness.asked, None
                if isinstance(answer.value, Encoded):
                    drawing = self._drawing if asked is None else asked
                    self._record(witness, drawing, answer.step, answer.value)
                if witness.again:
                    self._ask()
                return True
        if isinstance(tag, tuple) and tag[:1] == (TAG,):
            if isinstance(answer.value, Item):
                self._take_item(tag, answer.value)
            return True
        return False

    # ── the data's own pictures ─────────────────────────────────────────────────────────────────────────────

    def _invite(self) -> None:
        """Show the pad what it can do with this run, and the run what is drawn."""
        pad = self._pad
        if pad is None:
            return
        pad.refuse(self.refusal)
        if not self._open or self.refusal:
            self._forget()
        elif self._shape is None:
            self._want_items()
        else:
            self._ask()

    def _want_items(self) -> None:
        if self._started is None or self.refusal or not self._open:
            return
        size = self._started.size
        self._items.clear()
        for index in random.sample(range(size), min(LOOKED_AT, size)):
            self._engine.ask("item", index, tag=(TAG, index))

    def _take_item(self, tag: object, item: Item) -> None:
        assert self._started is not None
        if item.picture is None or self._pad is None:
            return
        self._items[tag] = item
        if len(self._items) < min(LOOKED_AT, self._started.size):
            return
        pictures = [found.picture for found in self._items.values() if found.picture is not None]
        self._pad.box = ink.usual_box(pictures)
        self._pad.show_examples(_one_of_each(list(self._items.values())))
        if self._shape is None:
            first = pictures[0]
            self._shape = (1 if first.ndim == 2 else first.shape[2], *first.shape[:2])
            self._ask()

    # ── when to ask ─────────────────────────────────────────────────────────────────────────────────────────

    def _on_drawn(self) -> None:
        self._drawing += 1
        self._ask()

    def _on_progress(self, step: int, _rate: object) -> None:
        self._step = step
        if self._open and self._outdated() and not self._timer.isActive():
            self._timer.start(0 if self.rests else AGAIN_MS)

    def _outdated(self) -> bool:
        """Whether somebody has learned more since it looked at the drawing, and that is looked at."""
        if self._shown is not None:
            return False
        return any(w.records and w.records[-1][0] != self._step for w in self._witnesses)

    @property
    def rests(self) -> bool:
        """Whether every question that was put has been answered."""
        return all(w.asked is None and not w.again for w in self._witnesses)

    def _on_time(self) -> None:
        if self._outdated():
            self._ask()
            self._timer.start(AGAIN_MS)

    def _on_turned(self, turned: Turned) -> None:
        for witness in self._witnesses:
            if is_second(turned.name) == bool(witness.prefix):
                witness.records.clear()  # the axes may be others now
        self._ask()

    def _on_acted(self, _acted: Acted) -> None:
        self._ask()

    def _on_sought(self, sought: Sought) -> None:
        self._shown = None if sought.live else sought.step
        self._show()
        self._rest.stop()
        step = sought.step
        if any(w.records and w.records[w.nearest(self._shown)][0] != step for w in self._witnesses):
            if sought.live:
                self._ask()
            elif self._open:
                self._rest.start()  # the state of then can still answer

    def _on_refused(self, refused: Refused) -> None:
        if refused.about == "ask":
            self._stop_waiting()

    def _on_failed(self, _failed: Failed) -> None:
        self._stop_waiting()

    def _stop_waiting(self) -> None:
        for witness in self._witnesses:
            witness.asked = None

    def _ask(self) -> None:
        """Show the drawing as it is now to the model as it is now."""
        pad = self._pad
        if pad is None or not self._open or self.refusal or self._shape is None:
            return
        if pad.is_empty:
            self._forget()
            return
        self._input = ink.fit_to(pad.drawing(), self._shape)
        pad.show_input(_picture(self._input))
        for witness in self._witnesses:
            if witness.asked is not None:
                witness.again = True
                continue
            witness.asked, witness.again = self._drawing, False
            self._engine.ask(witness.prefix + "encode", self._input, tag=TAG + witness.prefix)

    # ── what is shown of it ─────────────────────────────────────────────────────────────────────────────────

    def _forget(self) -> None:
        """No drawing, no star."""
        for witness in self._witnesses:
            witness.records.clear()
            witness.again = False
        self._timer.stop()
        self._rest.stop()
        self._area.show_guests({})
        if self._pad is not None:
            self._pad.show_input(None)
            self._pad.show_answer("")

    def _record(self, witness: _Witness, drawing: int, step: int, encoded: Encoded) -> None:
        if self._open and self._pad is not None and not self._pad.is_empty:
            witness.record(drawing, step, encoded)
            self._show()

    def _show(self) -> None:
        """What each has said at the step on screen, or else at the nearest there is."""
        known = [witness for witness in self._witnesses if witness.records]
        if self._pad is None or not known or self._input is None:
            return
        places: dict[str, Guests] = {}
        elsewhere = False
        said: list[tuple[int, Encoded]] = []
        for witness in known:
            last = witness.nearest(self._shown)
            step, encoded = witness.records[last]
            said.append((step, encoded))
            elsewhere |= self._shown is not None and step != self._shown
            trail = [
                former.xy
                for _step, former in witness.records[: last + 1]
                if former.channel == encoded.channel and former.xy is not None
            ]
            if encoded.xy is not None:
                places[witness.prefix + encoded.channel] = (encoded.xy, trail)
        step, encoded = said[0]
        picture = encoded.picture
        given = _picture(self._input)
        alike = picture is not None and picture.shape == given.shape
        difference = abs(given - picture) if alike and picture is not None else None
        text = encoded.text
        if len(said) == 2:
            text = Text("A: {a} · B: {b}", {"a": said[0][1].text, "b": said[1][1].text})
        recorded = self._shown is not None
        self._pad.show_answer(text, step, picture, difference, elsewhere=elsewhere, recorded=recorded)
        self._area.show_guests(places, elsewhere=elsewhere)


def _picture(item: ink.Ink) -> ink.Ink:
    """(C, H, W) -> (H, W) or (H, W, 3)."""
    return item[0] if item.shape[0] == 1 else item.transpose(1, 2, 0)


def _one_of_each(items: list[Item]) -> list[Item]:
    """As many kinds as can be, then the others."""
    firsts = {item.label: item for item in reversed(items)}.values()
    return [*firsts, *(item for item in items if item not in firsts)]
