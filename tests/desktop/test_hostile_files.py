"""Session files that nobody would write but that are in order: whatever they show can be painted."""

from __future__ import annotations

import copy
import dataclasses
import time
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt

from desktop.language import language
from desktop.style.tokens import look
from engine.core import session
from engine.core.events import Acted, Turned
from engine.core.frame import (
    Arrows,
    Bars,
    Curve,
    Ellipses,
    Field,
    Handle,
    Histogram,
    Images,
    Mark,
    Markers,
    Note,
    Payload,
    Points,
    Regions,
    Segments,
)
from engine.core.text import _
from tests.desktop.conftest import Desk
from tests.engine.attacks import SPECS, Hands

NAN, INF, HUGE = float("nan"), float("inf"), 3e38
WORDS = (
    "<b>bold</b><img src=/dev/zero>", "&amp;", "\u202egnol", "👩‍🏫", "a\nb\tc", "\0", "%1 %s {n}",
    "x" * 2000, "",
)  # fmt: skip


def floats(*shape: int, of: float = 0.0) -> np.ndarray:
    return np.full(shape, of, np.float32)


def scattered(n: int, scale: float = 1.0) -> np.ndarray:
    return (np.random.default_rng(0).normal(size=(n, 2)) * scale).astype(np.float32)


def label(n: int, value: int = 0) -> np.ndarray:
    return np.full(n, value, np.int32)


def clouds() -> Iterator[Points]:
    """Pictures of points."""
    some = scattered(50)
    for value in (NAN, INF, -INF, HUGE, -HUGE, 1e-45, 1e20):
        yield Points(floats(5, 2, of=value))
        mixed = some.copy()
        mixed[::3] = value
        yield Points(mixed, label(50, -1))
    yield Points(floats(0, 2), label(0), ("a", "b"))
    yield Points(floats(1, 2), label(1, 9_999), total=0)
    yield Points(scattered(60_000), label(60_000, 5), WORDS)
    yield Points(some, label(50, 39), tuple(f"class {n}" for n in range(9_000)), axes=("x" * 2000, WORDS[0]))
    yield Points(
        some, label(50, 3), WORDS, other=label(50, -1), share=floats(50, of=NAN), classes=label(50, 9_999)
    )
    yield Points(
        some,
        equal=False,
        axes=(WORDS[4], WORDS[3]),
        layers=(Field(floats(1, 1, of=NAN), (-1e29, 1e29, 0, 1e-30)),),
    )
    marks = scattered(1000)
    for at in (some[:9], floats(9, 2, of=NAN), floats(9, 2, of=HUGE), floats(0, 2)):
        k = len(at)
        yield Points(
            some,
            layers=(
                Regions(np.full((1, 1), 255, np.uint8), (-1e29, 1e29, -1e-30, 1e-30)),
                Field(floats(3, 2, of=INF), (0, 1, 0, 1), (5.0, -5.0), signed=True, name=WORDS[0]),
                Ellipses(at, floats(k, 2, 2, of=NAN), label(k, 2**30), (0.0, 1e29), floats(k, of=NAN)),
                Ellipses(at, floats(k, 2, 2), None, ()),
                Ellipses(at, floats(k, 2, 2, of=HUGE), None, (1.0,), floats(k, of=-HUGE)),
                Markers(at, np.stack([at] * 4), label(k, -1), movable=True),
                Markers(at, floats(0, k, 2)),
                Segments(at, at[::-1].copy(), label(k, 2**31 - 1)),
                Arrows(at, at.copy(), tuple(WORDS[n % len(WORDS)] for n in range(k))),
                Arrows(at, at + 1, ()),
            ),
        )  # fmt: skip
    yield Points(
        some,
        layers=(Markers(marks, np.stack([marks] * 20), movable=True), Ellipses(marks, floats(1000, 2, 2))),
    )
    yield Points(some, layers=(Segments(scattered(20_000), scattered(20_000, 1e37)),))


def grids() -> Iterator[Images]:
    """Grids of pictures."""
    for value in (NAN, INF, HUGE):
        yield Images(floats(9, 5, 5, of=value), signed=True)
    yield Images(floats(0, 5, 5))
    yield Images(floats(1, 1, 1), columns=100_000, captions=(WORDS[0],), rows=WORDS[:1])
    yield Images(floats(3, 1, 4096))
    yield Images(floats(3, 4096, 1), captions=WORDS[:3])
    yield Images(floats(5000, 2, 2, 3), label=label(5000, 2**31 - 1), items=label(5000, 2**31 - 1))
    yield Images(floats(2500, 8, 8), columns=1, captions=("x" * 150,) * 2500, rows=("y" * 150,) * 2500)
    yield Images(floats(9, 5, 5), columns=2, captions=WORDS, rows=WORDS, items=label(9, -1))


def bars() -> Iterator[Bars]:
    """Bars."""
    for value in (NAN, INF, -HUGE, 1e-45):
        yield Bars(floats(9, of=value), WORDS, label(9, 2**31 - 1), axis=WORDS[0], lines=True)
    yield Bars(floats(0), ())
    yield Bars(floats(1), ("",), label(1, -1))
    yield Bars(scattered(500).ravel(), ("x" * 390,) * 1000, axis="y" * 2000)


def curves() -> Iterator[Curve]:
    """Curves."""
    x = np.arange(9, dtype=np.float32)
    for value in (NAN, INF, -INF, HUGE, -HUGE, 0.0, -1.0, 1e-45):
        y = floats(9, of=value)
        for log in ((False, False), (True, True)):
            yield Curve(
                y,
                {"a": y, WORDS[0]: x},
                log=log,
                mark=1e300,
                filled=("a", "b"),
                quiet=np.stack([y] * 3),
                rug=y,
            )
            yield Curve(
                x, dict.fromkeys(WORDS, y), WORDS[:2], marks=(Mark(-1e300, WORDS[0]), Mark(0, WORDS[3])),
                histogram=Histogram(y, floats(8, of=value), WORDS[0]),
                segments=Segments(floats(4, 2, of=value), scattered(4)),
                dots=floats(4, 2, of=value), log=log,
                handles=tuple(Handle(at, -at, WORDS[0], "nobody") for at in (0, 1e300, -1e300, 1e-300)),
            )  # fmt: skip
    for span in ((0.0, 0.0), (5.0, -5.0), (-1e308, 1e308), (1e20, 1e20 + 1e5), (0.0, 1e-300), (-1e-9, 1e9)):
        for log in ((False, False), (True, True)):
            yield Curve(x, {"a": x}, span=span, range=span, log=log)
    yield Curve(floats(0), {})
    yield Curve(
        floats(0), {"a": floats(0)}, quiet=floats(3, 0), rug=floats(0), dots=floats(0, 2), click="nothing"
    )
    yield Curve(x, {f"line {n}": x + n for n in range(300)}, quiet=floats(300, 9))
    yield Curve(x[::-1].copy(), {"a": x}, histogram=Histogram(x[::-1].copy(), x[:8].copy()))
    long = np.arange(200_000, dtype=np.float32)
    yield Curve(long, {"a": np.sin(long)}, rug=long, dots=scattered(20_000), click="dart")


def notes() -> Iterator[Note]:
    """Notes."""
    yield from (Note(_("{word}", word=word)) for word in WORDS)


# ── the files ───────────────────────────────────────────────────────────────────────────────────────────────


def written(path: Path, name: str, pictures: Mapping[str, Sequence[Payload]]) -> int:
    """A session of two runs with these pictures of each channel, one a step, and curves that go anywhere.
    Returns how many steps there are.
    """
    hands = Hands()
    hands.start(SPECS[name])
    hands.train(2)
    hands.do("branch", 1)
    hands.train(3)
    tree, count = hands.loop._tree, max(map(len, pictures.values()))
    assert tree is not None
    for id_, node in tree.nodes.items():
        timeline = node.timeline
        last, state = (
            max(timeline.checkpoints),
            copy.deepcopy(timeline.checkpoints[max(timeline.checkpoints)]),
        )
        shown = timeline.keyframes[last]
        timeline.end_at(-1)
        for at in range(count):  # the ghost shows others than the run before it
            views = {channel: of[(at + id_) % len(of)] for channel, of in pictures.items()}
            timeline.keep(at, views, None)
        state["experiment"]["step"] = count
        timeline.keep(count, shown, state)
        for number, channel in enumerate(hands.loop._runner.info.scalars):
            values = [(1e308, -1e308, 0.0, 1e-308)[(at + number) % 4] for at in range(count)]
            timeline.scalars[channel] = array("q", range(count)), array("d", values)
        node.start, node.name = 0, ("<b>bold</b>", "\u202egnol 👩‍🏫")[id_ % 2]
    session.write(path, session.collect(tree, {}, device="cpu", threads=1))
    return count


def opened(desk: Desk, path: Path) -> None:
    """Open ``path``, which is in order."""
    found: list[Any] = []
    desk.window.bridge.opened.connect(found.append)
    refusals = len(desk.of("refused"))
    desk.window.look_at(path)
    desk.until(lambda: found or len(desk.of("refused")) > refusals)
    assert found, desk.window.notice.text
    desk.settle()


FILES: dict[str, tuple[str, Callable[[], dict[str, list[Any]]]]] = {
    "points": ("digits", lambda: {"cloud": [*clouds()], "centroids": [*grids()], "sizes": [*bars()]}),
    "curves": ("kl", lambda: {"curves": [*curves()], "divergences": [*bars()], "formula": [*notes()]}),
}


@pytest.mark.parametrize("name", FILES)
def test_whatever_can_be_opened_can_be_painted(name: str, desks: Callable[..., Desk], tmp_path: Path) -> None:
    desk = desks().open("sampling")
    window, path = desk.window, tmp_path / "odd.latentarium"
    kind, make = FILES[name]
    count = written(path, kind, make())
    opened(desk, path)
    for step in range(count):
        if step % 10 == 5:
            language.switch("fr" if language.code == "en" else "en")
            look.update(theme="dark" if look.theme == "light" else "light", projector=not look.projector)
        window.seek(step)
        desk.until(lambda step=step: window.shown_step == step)
        desk.settle()
        desk.paint()
    window.seek(None)
    desk.run(lambda: window.bridge.engine.switch(1))
    desk.advance(2)
    desk.paint()
    assert not desk.of("failed")


def test_a_long_life_is_no_burden(desks: Callable[..., Desk], tmp_path: Path) -> None:
    """Ten thousand turns of a knob, and three hundred runs."""
    hands = Hands()
    hands.start(SPECS["kl"])
    hands.train(4)
    tree = hands.loop._tree
    assert tree is not None
    log: list[Turned | Acted] = []
    for turn in range(10_000):
        log.append(
            Turned(turn // 10, "rate", 0.15, 0.2, at=float(turn)) if turn % 2 else Acted(turn // 10, "drag")
        )
    tree.nodes[1].log = log
    for id_ in range(2, 300):
        tree.nodes[id_] = dataclasses.replace(
            tree.nodes[1], id=id_, parent=id_ - 1, name=f"run {id_}", start=2, log=log[:20], inherited=10
        )
    path = tmp_path / "long.latentarium"
    session.write(path, session.collect(tree, {}, device="cpu", threads=1))
    desk = desks().open("sampling")
    begun = time.perf_counter()
    opened(desk, path)
    desk.paint()
    assert time.perf_counter() - begun < 10
    assert len(desk.window.conductor.tree.branches) == 299


VIEWS: tuple[dict[str, Any], ...] = (
    {
        "hidden": list(range(100_000)),
        "selected": "A" * 100_000,
        "cameras": {"cloud": [0.0, 1e-300, 0.0, 1e-300]},
    },
    {"hidden": [-1, 2**63, "x"], "pin": 2**62, "cameras": {"cloud": [1e29, 1.0000001e29, -1e29, 1e29]}},
    {"shown": 2**62, "pace": -(2**62), "step_size": 2**62, "colouring": "factor:nothing"},
    {"shown": 1, "pace": 2**62, "cameras": {"cloud": [1e15, 1e15 + 1, 1e-15, 2e-15], "nobody": [0, 1, 0, 1]}},
)


def test_a_view_may_ask_for_anything(desks: Callable[..., Desk], tmp_path: Path) -> None:
    desk = desks().open("kmeans", dataset="blobs", seed=3)
    desk.advance(2)
    path = tmp_path / "view.latentarium"
    for view in VIEWS:
        with desk.qtbot.waitSignal(desk.window.bridge.saved, timeout=20_000):
            desk.window.bridge.engine.save(path, view)
        opened(desk, path)
        desk.paint()
        desk.panels["cloud"].canvas.view.fit()
        desk.paint()
        assert not desk.of("failed")


def test_a_name_is_no_code(desks: Callable[..., Desk], tmp_path: Path) -> None:
    desk = desks().open("kmeans", dataset="blobs")
    path = tmp_path / "<img src='x'> %1 & <b>.latentarium"
    path.write_bytes(b"nothing")
    desk.window.look_at(path)
    desk.until(lambda: path.name in desk.window.notice.text)
    assert desk.window.notice._text.textFormat() == Qt.TextFormat.PlainText
    desk.paint()
