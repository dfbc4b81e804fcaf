from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator

import pytest

from engine import boot

boot.environment()
boot.load_torch()

from engine.core import catalogue, runner  # noqa: E402
from engine.core.engine import Engine  # noqa: E402
from engine.core.events import Event, Ready, RunSpec  # noqa: E402
from engine.core.mailbox import Delivery  # noqa: E402
from tests.engine.probe import Probe  # noqa: E402


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> type[Probe]:
    """The probe stands in the catalogue."""
    known = {**catalogue.catalogue(), "probe": Probe}
    monkeypatch.setattr(catalogue, "catalogue", lambda: known)
    return Probe


class Client:
    """A desktop without a window: gathers what the engine sends, and waits for causes, never for time."""

    def __init__(self) -> None:
        self.woken: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.engine = Engine(lambda: self.woken.put(None), device="cpu")
        self.events: list[Event] = []
        self.scalars: dict[str, list[tuple[int, float]]] = {}
        self.views: dict[str, tuple[int, object]] = {}
        self.deliveries: list[Delivery] = []
        self.run = 0

    def take(self) -> Delivery:
        delivery = self.engine.mailbox.take()
        if delivery.run != self.run:
            self.run, self.scalars, self.views = delivery.run, {}, {}
        self.events += delivery.events
        for name, (steps, values) in delivery.scalars.items():
            self.scalars.setdefault(name, []).extend(zip(steps, values, strict=True))
        self.views |= delivery.views
        self.deliveries.append(delivery)
        return delivery

    def until(self, condition: Callable[[], bool], timeout: float = 30) -> None:
        """Take what comes until ``condition()``; the time-out only ends a broken test."""
        end = time.monotonic() + timeout
        self.take()
        while not condition():
            try:
                self.woken.get(timeout=max(end - time.monotonic(), 0.001))
            except queue.Empty:
                raise AssertionError(f"never came; last events: {self.events[-4:]}") from None
            self.take()

    def of(self, kind: type) -> list[Event]:
        return [e for e in self.events if isinstance(e, kind)]

    def status(self) -> str:
        from engine.core.events import StatusChanged

        found = self.of(StatusChanged)
        return found[-1].status if found else "empty"  # type: ignore[attr-defined]

    def start(self, spec: RunSpec | None = None, **params: object) -> None:
        from engine.core.events import Started

        self.until(lambda: bool(self.of(Ready)))
        before = len(self.of(Started))
        self.engine.start(spec or RunSpec("probe", "blobs", params, seed=1))  # type: ignore[arg-type]
        self.until(lambda: len(self.of(Started)) > before and self.status() == "paused")

    def advance(self, steps: int) -> None:
        """So many steps, to the end of them."""
        from engine.core.events import StatusChanged

        before = len([e for e in self.of(StatusChanged) if e.status in ("paused", "ended", "failed")])  # type: ignore[attr-defined]
        self.engine.advance(steps)
        self.until(
            lambda: (
                len([e for e in self.of(StatusChanged) if e.status in ("paused", "ended", "failed")]) > before
            )  # type: ignore[attr-defined]
        )


@pytest.fixture
def client(probe: type[Probe]) -> Iterator[Client]:
    client = Client()
    yield client
    assert client.engine.close(timeout=10)


@pytest.fixture(autouse=True)
def _no_other_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LATENTARIUM_THREADS", raising=False)


__all__ = ["Client", "runner"]
