"""The drawing as a guest of whatever is learning: shown to it, found in its pictures, and again as it learns.

The pad knows nothing of experiments and no experiment of the pad: any that answers ``encode`` gets the same
drawing, in the size of its data. One question is under way at a time, so that each answer is known to belong
to one drawing.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from desktop import ink
from desktop.bridge import Bridge
from desktop.language import _
from desktop.panels.area import PanelArea
from engine.api import Acted, Answer, Encoded, Failed, Info, Item, Refused, Sought, Started, Text, Turned

if TYPE_CHECKING:
    from desktop.controls.draw_pad import DrawPad

TAG = "drawing"
AGAIN_MS = 200
"""While it learns, the drawing is shown to it so often."""
LOOKED_AT = 24
"""Items looked at, to learn the size of the pictures and to choose examples from."""
KEPT = 400
"""Former answers kept; beyond that, every second one is dropped."""


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
        self._asked: int | None = None  # the drawing that is being looked at
        self._again = False  # something has changed meanwhile
        self._recorded = 0  # the drawing of the records
        self._records: list[tuple[int, Encoded]] = []  # what was said of it, and at which step
        self._input: ink.Ink | None = None
        self._step = 0
        self._shown: int | None = None
        self._timer = QTimer(self, singleShot=True, interval=AGAIN_MS)
        self._timer.timeout.connect(self._on_time)
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
        if "encode" not in self._info.queries:
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
        self._asked, self._again = None, False
        self._step, self._shown = started.branched_from or 0, None
        if started.branched_from is None:
            self._records.clear()
        else:
            self._records = [record for record in self._records if record[0] <= started.branched_from]
        if not same:
            self._shape = None
            self._items.clear()
        self.changed.emit()
        self._invite()

    def take(self, answer: Answer) -> bool:
        """Whether this answer was for the drawing; then it is seen to."""
        tag = answer.tag
        if tag == TAG:
            asked, self._asked = self._asked, None
            if isinstance(answer.value, Encoded):
                self._record(self._drawing if asked is None else asked, answer.step, answer.value)
            if self._again:
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
        if self._open and self._records and self._records[-1][0] != step and not self._timer.isActive():
            self._timer.start(0 if self._asked is None and not self._again else AGAIN_MS)

    def _on_time(self) -> None:
        if self._records and self._records[-1][0] != self._step:
            self._ask()
            self._timer.start(AGAIN_MS)

    def _on_turned(self, _turned: Turned) -> None:
        self._records.clear()  # the axes may be others now
        self._ask()

    def _on_acted(self, _acted: Acted) -> None:
        self._ask()

    def _on_sought(self, sought: Sought) -> None:
        self._shown = None if sought.live else sought.step
        self._show()

    def _on_refused(self, refused: Refused) -> None:
        if refused.about == "ask":
            self._asked = None

    def _on_failed(self, _failed: Failed) -> None:
        self._asked = None

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
        if self._asked is not None:
            self._again = True
            return
        self._asked, self._again = self._drawing, False
        self._engine.ask("encode", self._input, tag=TAG)

    # ── what is shown of it ─────────────────────────────────────────────────────────────────────────────────

    def _forget(self) -> None:
        """No drawing, no star."""
        self._records.clear()
        self._timer.stop()
        self._again = False
        self._area.show_guest("", None)
        if self._pad is not None:
            self._pad.show_input(None)
            self._pad.show_answer("")

    def _record(self, drawing: int, step: int, encoded: Encoded) -> None:
        if not self._open or self._pad is None or self._pad.is_empty:
            return
        if drawing != self._recorded:
            self._records.clear()
            self._recorded = drawing
        while self._records and self._records[-1][0] >= step:
            self._records.pop()
        self._records.append((step, encoded))
        if len(self._records) > KEPT:
            self._records = [*self._records[:-1:2], self._records[-1]]
        self._show()

    def _show(self) -> None:
        """The answer that belongs to the step on screen, or else the nearest there is."""
        if self._pad is None or not self._records or self._input is None:
            return
        shown = self._shown
        last = len(self._records) - 1
        if shown is not None:
            last = min(range(len(self._records)), key=lambda i: abs(self._records[i][0] - shown))
        step, encoded = self._records[last]
        elsewhere = shown is not None and step != shown
        picture = encoded.picture
        given = _picture(self._input)
        alike = picture is not None and picture.shape == given.shape
        difference = abs(given - picture) if alike and picture is not None else None
        self._pad.show_answer(encoded.text, step, picture, difference, elsewhere=elsewhere)
        trail = [
            former.xy
            for _step, former in self._records[: last + 1]
            if former.channel == encoded.channel and former.xy is not None
        ]
        self._area.show_guest(encoded.channel, encoded.xy, trail, elsewhere=elsewhere)


def _picture(item: ink.Ink) -> ink.Ink:
    """(C, H, W) -> (H, W) or (H, W, 3)."""
    return item[0] if item.shape[0] == 1 else item.transpose(1, 2, 0)


def _one_of_each(items: list[Item]) -> list[Item]:
    """As many kinds as can be, then the others."""
    firsts = {item.label: item for item in reversed(items)}.values()
    return [*firsts, *(item for item in items if item not in firsts)]
