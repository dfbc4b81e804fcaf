"""Two runners side by side on the same data: a step of the one, then a step of the other."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import torch

from engine.core.beside import PREFIX, is_second, joined, plain, prefixed
from engine.core.events import Turned
from engine.core.frame import Beat, Frame, Payload
from engine.core.params import Value
from engine.core.runner import Runner
from engine.core.text import Text, _
from engine.data.registry import Dataset


class Duo:
    """Behaves as one :class:`Runner`. What is B's has names that begin with ``b.`` (see engine.core.beside).

    Each has its own random numbers, so that each learns exactly as it would alone. One that has nothing more
    to learn waits for the other.
    """

    def __init__(self, a: Runner, b: Runner) -> None:
        self._both = (a, b)
        # torch has one global random state; each finds its own there whenever it is its turn.
        self._rng = [runner.torch_rng for runner in self._both]
        self._turn = 0
        self._rests = [False, False]  # which of them has nothing more to learn
        self._standing = True  # the next frame is that of the present state
        self.info = joined(a.info, b.info)
        self.threads = max(a.threads, b.threads)
        torch.set_num_threads(self.threads)
        self.step = 0
        self.frame: Frame | None = None

    @contextlib.contextmanager
    def _as(self, which: int) -> Iterator[Runner]:
        """A (0) or B (1), with its own random state in torch."""
        torch.set_rng_state(self._rng[which])
        try:
            yield self._both[which]
        finally:
            self._rng[which] = torch.get_rng_state()

    def _of(self, name: str) -> int:
        return int(is_second(name))

    # ── steps ───────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def between_steps(self) -> bool:
        return self._turn == 0 and all(runner.between_steps for runner in self._both)

    def next(self) -> Frame | Beat | None:
        """One frame of both or one beat of either further; None when neither has anything more to learn."""
        while True:
            which = self._turn
            with self._as(which) as runner:
                item = runner.next()
            if isinstance(item, Beat):
                return item if which == 0 else _as_b(item)
            self._rests[which] = item is None
            self._turn = 1 - which
            if self._turn == 0:
                break
        if all(self._rests):
            return None
        if not self._standing:
            self.step += 1
        self._standing = False
        self.frame = self._joined_frame()
        return self.frame

    def next_frame(self) -> Frame | None:
        """To the next frame, past any beats."""
        while isinstance(item := self.next(), Beat):
            pass
        return item

    def _joined_frame(self) -> Frame:
        scalars: dict[str, Any] = {}
        views: dict[str, Callable[[], Payload]] = {}
        for runner, rests, prefix in zip(self._both, self._rests, ("", PREFIX), strict=True):
            assert runner.frame is not None
            if not rests:
                scalars |= {prefix + name: value for name, value in runner.frame.scalars.items()}
            views |= {prefix + name: partial(self.view, prefix + name) for name in runner.frame.views}
        return Frame(self.step, scalars, views)

    def wake(self) -> None:
        """Let both go on from the present state."""
        for which in (0, 1):
            self._wake(which)

    def _wake(self, which: int) -> None:
        with self._as(which) as runner:
            runner.wake()
        self._rests[which] = False

    # ── by hand, and questions ──────────────────────────────────────────────────────────────────────────────

    def set(self, name: str, value: object) -> Turned | None:
        """As :meth:`Runner.set`."""
        which = self._of(name)
        turned = self._both[which].set(plain(name), value)
        if turned is None:
            return None
        begun = which < self._turn or not self._both[which].between_steps
        self._stir(which)
        return dataclasses.replace(turned, step=self.step + (2 if begun else 1), name=name)

    def check(self, name: str, value: object) -> Value:
        """As :meth:`Runner.check`."""
        return self._both[self._of(name)].check(plain(name), value)

    def act(self, name: str, *args: Any) -> None:
        """As :meth:`Runner.act`."""
        which = self._of(name)
        with self._as(which) as runner:
            runner.act(plain(name), *args)
        if name not in self.info.picks:
            self._stir(which)

    def _stir(self, which: int) -> None:
        """Something has changed for one of them; if it rested while the other went on, it goes on too."""
        if self._rests[which] and not all(self._rests):
            self._wake(which)

    def ask(self, name: str, *args: Any) -> Any:
        """As :meth:`Runner.ask`."""
        return self._both[self._of(name)].ask(plain(name), *args)

    def view(self, channel: str) -> Payload:
        """As :meth:`Runner.view`."""
        return self._both[self._of(channel)].view(plain(channel))

    # ── what it is ──────────────────────────────────────────────────────────────────────────────────────────

    @property
    def values(self) -> dict[str, Value]:
        a, b = self._both
        return {**a.values, **prefixed(b.values)}

    @property
    def data(self) -> Dataset:
        return self._both[0].data

    @property
    def device(self) -> torch.device:
        return self._both[0].device

    @property
    def epoch(self) -> int:
        return max(runner.epoch for runner in self._both)

    @property
    def channels(self) -> tuple[str, ...]:
        a, b = self._both
        return (*a.channels, *(PREFIX + name for name in b.channels))

    @property
    def colourings(self) -> dict[str, Text]:
        return self._both[0].colourings

    def ended(self) -> Text | None:
        a, b = (runner.ended() for runner in self._both)
        return _("A: {a} B: {b}", a=a, b=b) if a and b else a or b

    def take(self, data: Dataset) -> None:
        """Both go on with other data."""
        for which in (0, 1):
            with self._as(which) as runner:
                runner.take(data)

    # ── there and back ──────────────────────────────────────────────────────────────────────────────────────

    def state(self) -> dict[str, Any]:
        """As :meth:`Runner.state`."""
        found: dict[str, Any] = {"step": self.step}
        for which, name in enumerate("ab"):
            with self._as(which) as runner:
                found[name] = runner.state()
        return found

    def restore(self, kept: Mapping[str, Any]) -> None:
        """As :meth:`Runner.restore`."""
        for which, name in enumerate("ab"):
            with self._as(which) as runner:
                runner.restore(kept[name])
        self.step, self._turn, self._rests, self._standing = kept["step"], 0, [False, False], True
        self.frame = None


Run = Runner | Duo


def _as_b(beat: Beat) -> Beat:
    return Beat(Text("B: {text}", {"text": beat.text}), tuple(PREFIX + name for name in beat.highlight))
