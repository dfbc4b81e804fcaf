"""Between the engine thread and the window: one box, emptied by the window thirty times a second.

Scalars are all kept, pictures are latest-wins, events keep their order. The engine never waits for the
window, and asks for a new picture of a channel only when the last one has been taken.
"""

from __future__ import annotations

import contextlib
import threading
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from engine.core.events import Event
from engine.core.frame import Payload


@dataclass(slots=True)
class Delivery:
    """What was in the box. run: everything here belongs to this run, or, for events, to this one and earlier
    ones.

    scalars: name to (steps, values), everything since the last delivery. views: channel to (step, payload).
    progress: the newest step, and steps per second where known.
    """

    run: int = 0
    scalars: dict[str, tuple[array[int], array[float]]] = field(default_factory=dict)
    views: dict[str, tuple[int, Payload]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    step: int = 0
    rate: float | None = None
    keyframes: tuple[int, ...] | None = None

    @property
    def empty(self) -> bool:
        return not (self.scalars or self.views or self.events or self.keyframes is not None)


class Mailbox:
    """Thread-safe. wake: called (on the putting thread) when something lies in a box that was empty."""

    def __init__(self, wake: Callable[[], None] = lambda: None) -> None:
        self._lock = threading.Lock()
        self._wake = wake
        self._box = Delivery()
        self._tray: Delivery | None = None  # what is to be put into the box all at once

    def begin(self, run: int) -> None:
        """A new run: the scalars and pictures of older ones are dropped, its events still arrive."""
        with self._lock:
            self._box = Delivery(run=run, events=self._box.events)

    def put_scalars(self, scalars: Mapping[str, tuple[Sequence[int], Sequence[float]]]) -> None:
        with self._putting() as box:
            _add(box, scalars)

    def put_progress(self, step: int, rate: float | None) -> None:
        """No wake: progress is only worth showing beside something new."""
        with self._lock:
            self._box.step, self._box.rate = step, rate

    def put_views(self, step: int, views: Mapping[str, Payload]) -> None:
        with self._putting() as box:
            box.views.update({channel: (step, payload) for channel, payload in views.items()})

    def take_back(self, begins: str) -> None:
        """Pictures of channels whose names begin so are no longer wanted."""
        with self._lock:
            for box in (self._box, self._tray):
                if box is not None:
                    box.views = {c: view for c, view in box.views.items() if not c.startswith(begins)}

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Whatever is put here comes out in one delivery: nobody sees the pictures of a step before they hear
        of it, or the other way round.
        """
        with self._lock:
            self._tray = Delivery()
        try:
            yield
        finally:
            with self._lock:
                tray, self._tray = self._tray, None
            if not tray.empty:
                with self._putting(urgent=bool(tray.events)) as box:
                    _pour(tray, box)

    def put_keyframes(self, steps: tuple[int, ...]) -> None:
        with self._putting() as box:
            box.keyframes = steps

    def put_event(self, event: Event) -> None:
        """Events do not wait for the window's next look: it is woken for the first one in the box."""
        with self._putting(urgent=True) as box:
            box.events.append(event)

    def hungry(self, channels: Iterable[str]) -> list[str]:
        """Those of ``channels`` whose last picture has been taken."""
        with self._lock:
            return [c for c in channels if c not in self._box.views]

    def has_events(self) -> bool:
        with self._lock:
            return bool(self._box.events)

    def is_empty(self) -> bool:
        with self._lock:
            return self._box.empty

    def take(self) -> Delivery:
        """Everything in the box, which is empty afterwards."""
        with self._lock:
            taken, self._box = (
                self._box,
                Delivery(run=self._box.run, step=self._box.step, rate=self._box.rate),
            )
            return taken

    @contextlib.contextmanager
    def _putting(self, *, urgent: bool = False) -> Iterator[Delivery]:
        """The box, locked; afterwards the window is woken if it was empty before. urgent: if no event lay in
        it.
        """
        with self._lock:
            wakes = self._tray is None and (not self._box.events if urgent else self._box.empty)
            yield self._box if self._tray is None else self._tray
        if wakes:
            self._wake()


def _add(box: Delivery, scalars: Mapping[str, tuple[Sequence[int], Sequence[float]]]) -> None:
    for name, (steps, values) in scalars.items():
        kept_steps, kept_values = box.scalars.setdefault(name, (array("q"), array("d")))
        kept_steps.extend(steps)
        kept_values.extend(values)


def _pour(tray: Delivery, box: Delivery) -> None:
    _add(box, tray.scalars)
    box.views.update(tray.views)
    box.events += tray.events
    box.keyframes = box.keyframes if tray.keyframes is None else tray.keyframes
