from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.core.device import choose, thread_count
from engine.core.events import RunSpec
from engine.core.frame import Beat, Frame
from engine.core.runner import DivergedError, Runner, make_runner, read_scalars
from engine.core.stages import Stages
from engine.core.text import InputError
from tests.engine.probe import Probe

SPEC = RunSpec("probe", "blobs", {}, seed=5)


def losses(runner: Runner, steps: int) -> list[float]:
    return [float(frame.scalars["loss"]) for _ in range(steps) if (frame := runner.next_frame()) is not None]


@pytest.fixture
def runner(probe: type[Probe]) -> Runner:
    return make_runner(SPEC, device="cpu")


def test_first_frame_is_the_start_and_same_seed_gives_same_numbers(runner: Runner) -> None:
    first = runner.next_frame()
    assert first is not None
    assert first.step == 0
    mine = losses(runner, 40)
    again = make_runner(SPEC, device="cpu")
    again.next_frame()
    assert losses(again, 40) == mine
    other = make_runner(RunSpec("probe", "blobs", {}, seed=6), device="cpu")
    other.next_frame()
    assert losses(other, 40) != mine


def test_a_thousand_queries_and_pictures_change_nothing(runner: Runner) -> None:
    plain = make_runner(SPEC, device="cpu")
    plain.next_frame()
    expected = losses(plain, 50)
    asked = make_runner(SPEC, device="cpu")
    asked.next_frame()
    found = []
    for _ in range(50):
        for _ in range(20):
            asked.ask("decode", [0.1, 0.2])
            asked.ask("item", 3)
            asked.ask("neighbours", 3)
        asked.view("cloud")
        found += losses(asked, 1)
    assert found == expected


def test_queries_see_the_net_without_dropout(runner: Runner) -> None:
    runner.next_frame()
    assert len({runner.ask("decode", [1.0, 2.0]) for _ in range(10)}) == 1
    assert runner.experiment.net.training


def test_beats_come_between_frames(runner: Runner) -> None:
    kinds = [type(runner.next()) for _ in range(7)]
    assert kinds == [Frame, Beat, Beat, Frame, Beat, Beat, Frame]


def test_state_and_restore_continue_bit_for_bit(runner: Runner) -> None:
    runner.next_frame()
    losses(runner, 10)
    kept = runner.state()
    expected = losses(runner, 30)
    runner.restore(kept)
    frame = runner.next_frame()
    assert frame is not None
    assert frame.step == 10
    assert losses(runner, 30) == expected
    fresh = make_runner(RunSpec("probe", "blobs", {}, seed=77), device="cpu")
    fresh.restore(kept)  # `kept` is still whole after having been used once
    fresh.next_frame()
    assert losses(fresh, 30) == expected


def test_live_knob_takes_effect_at_the_next_step_and_says_old_and_new(runner: Runner) -> None:
    runner.next_frame()
    losses(runner, 3)
    turned = runner.set("lr", "0,5")
    assert turned is not None
    assert (turned.step, turned.name, turned.old, turned.new) == (4, "lr", 0.01, 0.5)
    runner.next_frame()
    assert runner.experiment.opt.param_groups[0]["lr"] == 0.5
    assert runner.set("lr", 0.5) is None
    with pytest.raises(InputError, match="before a run starts"):
        runner.set("width", 9)
    assert runner.params.width == 8


def test_unknown_things_are_refused_by_name(probe: type[Probe]) -> None:
    for spec, word in (
        (RunSpec("nothing", "blobs"), "nothing"),
        (RunSpec("probe", "mnist"), "mnist"),
        (RunSpec("probe", "blobs", {"gain": 1}), "gain"),
        (RunSpec("probe", "blobs", {"lr": -1}), "lr"),
    ):
        with pytest.raises(InputError, match=word):
            make_runner(spec, device="cpu")
    with pytest.raises(InputError, match="warp"):
        choose("warp")
    runner = make_runner(SPEC, device="cpu")
    with pytest.raises(InputError, match="juggle"):
        runner.ask("juggle")
    with pytest.raises(InputError, match="juggle"):
        runner.act("juggle")
    with pytest.raises(InputError, match="folder"):
        make_runner(RunSpec("kmeans", "mnist", {}, 0, Path("/nowhere")), device="cpu")


def test_ended_run_goes_on_after_a_knob(probe: type[Probe]) -> None:
    runner = make_runner(RunSpec("probe", "blobs", {"end": 5}), device="cpu")
    runner.next_frame()
    assert len(losses(runner, 9)) == 5
    assert runner.next() is None
    runner.set("end", 7)
    runner.wake()
    assert len(losses(runner, 9)) == 2
    assert runner.step == 7


def test_scalars_are_read_in_one_batch_and_nan_names_its_step() -> None:
    frames = [Frame(s, {"loss": torch.tensor(float(s)), "count": s}) for s in range(4)]
    assert read_scalars(frames) == {
        "loss": ([0, 1, 2, 3], [0.0, 1.0, 2.0, 3.0]),
        "count": ([0, 1, 2, 3], [0.0, 1.0, 2.0, 3.0]),
    }
    frames[2] = Frame(2, {"loss": torch.tensor(math.inf)})
    with pytest.raises(DivergedError) as caught:
        read_scalars(frames)
    assert (caught.value.step, caught.value.name) == (2, "loss")


def test_stages_remember_by_key() -> None:
    stages, made = Stages(), []
    for key in ("a", "a", "b", "a"):
        stages.get("graph", key, lambda key=key: made.append(key))
    assert made == ["a", "b", "a"]


def test_thread_count_never_depends_on_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert thread_count(heavy=False) == 1
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    assert thread_count(heavy=True) == 7
    assert thread_count(heavy=True, wanted=3) == 3
    monkeypatch.setenv("LATENTARIUM_THREADS", "5")
    assert thread_count(heavy=False) == 5


def test_payloads_belong_to_the_receiver(runner: Runner) -> None:
    runner.next_frame()
    before = np.array(runner.view("curve").lines["weight"])  # type: ignore[union-attr]
    held = runner.view("curve")
    losses(runner, 20)
    np.testing.assert_array_equal(held.lines["weight"], before)  # type: ignore[union-attr]


def test_a_knob_turned_at_a_beat_waits_for_the_next_step(runner: Runner) -> None:
    runner.next_frame()
    assert isinstance(runner.next(), Beat)
    assert not runner.between_steps
    runner.set("lr", 0.7)
    assert runner.experiment.p.lr == 0.01
    runner.next_frame()
    assert runner.experiment.p.lr == 0.7
    assert runner.experiment.opt.param_groups[0]["lr"] == 0.01
    runner.next_frame()
    assert runner.experiment.opt.param_groups[0]["lr"] == 0.7
