"""Two runs side by side learn exactly as each would alone, and are one run to everybody else."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.core import session
from engine.core.beside import joined, plain
from engine.core.duo import Duo
from engine.core.events import Acted, Answer, RunSpec, Started, Turned
from engine.core.experiment import Beside
from engine.core.frame import Beat, Frame
from engine.core.loop import repainted
from engine.core.runner import make_run, make_runner, read_scalars, stand
from engine.core.text import InputError
from engine.core.timeline import Timeline
from tests.engine.conftest import Client
from tests.engine.kept import load, save
from tests.engine.probe import Probe

SPEC = RunSpec("kmeans", "blobs", {"k": 3}, 7, beside=Beside("kmeans", {"k": 9, "init": "random"}))
NETS = RunSpec(
    "probe", "blobs", {"width": 4, "lr": 0.002}, 7, beside=Beside("probe", {"width": 9, "lr": 0.001})
)


def duo_of(spec: RunSpec) -> Duo:
    duo = make_run(spec, device="cpu")
    assert isinstance(duo, Duo)
    assert duo.next_frame() is not None
    return duo


def numbers(frame: Frame | None) -> dict[str, float]:
    return {} if frame is None else {n: v[0] for n, (_steps, v) in read_scalars([frame]).items()}


def train(run: Any, steps: int) -> list[dict[str, float]]:
    return [numbers(run.next_frame()) for _step in range(steps)]


def test_each_learns_as_it_would_alone(probe: type[Probe]) -> None:
    a = make_runner(NETS, device="cpu")
    alone_a = train(a, 12)
    b = make_runner(dataclasses.replace(NETS, params=NETS.beside.params), device="cpu")  # type: ignore[union-attr]
    alone_b = train(b, 12)
    both = make_run(NETS, device="cpu")
    found = []
    for _step in range(12):
        found.append(numbers(both.next_frame()))
        both.view("b.cloud")  # looking changes nothing
    assert [{n: v for n, v in one.items() if not n.startswith("b.")} for one in found] == alone_a
    assert [{plain(n): v for n, v in one.items() if n.startswith("b.")} for one in found] == alone_b


def test_the_one_that_has_ended_waits_for_the_other() -> None:
    both = duo_of(SPEC)
    ends: list[dict[str, float]] = []
    while (frame := both.next_frame()) is not None:
        ends.append(numbers(frame))
        assert frame.step == len(ends)
        assert set(both.frame.views) == set(both.channels)  # type: ignore[union-attr]
    assert "inertia" not in ends[-1] or "b.inertia" not in ends[-1] or len(ends) < 3
    assert "inertia" in ends[0]
    assert "b.inertia" in ends[0]
    assert "A: " in str(both.ended())
    # turning a knob of either lets that one go on
    turned = both.set("b.k", 4)
    assert turned is not None
    assert (turned.name, turned.old, turned.new, turned.step) == ("b.k", 9, 4, len(ends) + 1)
    both.wake()
    frame = both.next_frame()
    assert frame is not None
    assert len(both.view("b.cloud").layers[-1].xy) == 4  # type: ignore[union-attr]
    assert len(both.view("cloud").layers[-1].xy) == 3  # type: ignore[union-attr]


def test_a_resting_one_goes_on_when_its_knob_is_turned_while_the_other_learns(probe: type[Probe]) -> None:
    both = duo_of(
        RunSpec("probe", "blobs", {"end": 2, "lr": 0.001}, 1, beside=Beside("probe", {"lr": 0.001}))
    )
    train(both, 4)
    assert set(numbers(both.frame)) == {"b.loss", "b.count"}
    both.set("end", 100)
    train(both, 1)
    assert set(numbers(both.frame)) == {"loss", "count", "b.loss", "b.count"}
    assert numbers(both.frame)["count"] == 3


def test_knobs_channels_and_scalars_are_told_apart() -> None:
    both = duo_of(SPEC)
    assert {k.name for k in both.info.knobs} == {*both.values}
    assert both.values["k"] == 3
    assert both.values["b.k"] == 9
    assert both.info.knob("b.init").live is False
    assert set(both.channels) <= set(both.info.channels)
    assert list(both.info.scalars)[:2] == ["inertia", "b.inertia"]
    assert str(both.info.scalars["b.inertia"].title).endswith("· B")
    assert both.ask("b.item", 3).index == 3
    both.act("b.move", 0, 0.0, 0.0)
    with pytest.raises(InputError, match="no_such"):
        both.ask("b.no_such")
    with pytest.raises(InputError):
        both.set("b.k", 99)


def test_beats_of_b_point_at_its_pictures() -> None:
    both = duo_of(SPEC)
    beats = [item for _step in range(5) if isinstance(item := both.next(), Beat)]
    assert len(beats) == 4
    assert all(name.startswith("b.") for beat in beats[2:] for name in beat.highlight)
    assert str(beats[2].text).startswith("B: ")
    assert both.between_steps


def test_state_restores_in_a_fresh_pair(probe: type[Probe]) -> None:
    both = duo_of(NETS)
    train(both, 3)
    kept = both.state()
    expected = train(both, 5)
    fresh = stand(NETS, kept, data=both.data, device="cpu")
    frame = fresh.next_frame()
    assert frame is not None
    assert frame.step == 3
    assert train(fresh, 5) == expected


def test_a_saved_pair_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    both = duo_of(SPEC)
    train(both, 2)
    timeline = Timeline()
    timeline.keep(2, {n: both.view(n) for n in both.channels}, both.state())
    path = tmp_path / f"pair{session.SUFFIX}"
    save(path, SPEC, both, timeline)
    expected = train(both, 2)
    spec, loaded, _history = load(path)
    assert spec.beside is not None
    assert spec.beside.params["init"] == "random"
    assert isinstance(loaded, Duo)
    assert train(loaded, 2) == expected


def test_both_go_on_with_painted_data() -> None:
    both = duo_of(SPEC)
    xy = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    both.take(repainted(both.data, xy, np.zeros(40, np.int32)))
    both.wake()
    train(both, 1)
    assert len(both.view("cloud").xy) == len(both.view("b.cloud").xy) == 40  # type: ignore[union-attr]


def test_a_second_experiment_that_cannot_use_the_data_is_refused() -> None:
    with pytest.raises(InputError):
        make_run(RunSpec("kmeans", "grid", {}, 0, beside=Beside("pca")))


def test_the_engine_trains_branches_and_answers_for_both(client: Client) -> None:
    client.start(NETS)
    started = client.of(Started)[-1]
    assert started.params["b.width"] == 9  # type: ignore[attr-defined]
    client.engine.watch(["cloud", "b.cloud"])
    client.until(lambda: {"cloud", "b.cloud"} <= set(client.views))
    client.advance(6)
    before = dict(client.scalars)
    client.engine.ask("b.item", 2, tag="t")
    client.until(lambda: bool(client.of(Answer)))
    client.engine.seek(3)
    client.engine.set("b.lr", 0.003)
    client.until(lambda: bool(client.of(Turned)))
    client.engine.branch(3)
    client.until(lambda: len(client.of(Started)) == 2)
    assert client.of(Started)[-1].branched_from == 3  # type: ignore[attr-defined]
    client.advance(3)
    assert client.scalars["loss"] == before["loss"], "A is as it was: only B's knob has changed"
    assert client.scalars["b.loss"] != before["b.loss"]
    assert not client.of(Acted)


def test_two_different_experiments_stand_side_by_side() -> None:
    both = duo_of(RunSpec("kmeans", "digits", {}, 0, beside=Beside("pca", {"k": 4})))
    train(both, 3)
    assert {"cloud", "b.components"} <= set(both.channels)
    info = joined(*(make_runner(RunSpec(name, "digits")).info for name in ("kmeans", "pca")))
    assert info.pace == both.info.pace
