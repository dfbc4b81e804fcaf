from __future__ import annotations

import dataclasses
import threading
import time
import types
from pathlib import Path

import numpy as np
import pytest

from engine.core.events import (
    Acted,
    Answer,
    Beating,
    Failed,
    Painted,
    Ready,
    Refused,
    RunSpec,
    Saved,
    Sought,
    Started,
    StatusChanged,
    Turned,
    Working,
)
from engine.core.runner import make_runner, read_scalars
from tests.engine.conftest import Client
from tests.engine.probe import Probe


def expected(steps: int, seed: int = 1, **params: object) -> list[tuple[int, float]]:
    """The losses of a runner without a thread."""
    runner = make_runner(RunSpec("probe", "blobs", params, seed), device="cpu")  # type: ignore[arg-type]
    found = []
    for _ in range(steps + 1):
        frame = runner.next_frame()
        assert frame is not None
        found += list(zip(*read_scalars([frame])["loss"], strict=True))
    return found


def test_the_thread_computes_what_a_runner_computes_whatever_is_asked_meanwhile(client: Client) -> None:
    client.start()
    client.engine.watch(("cloud", "curve"))
    client.engine.advance(300)
    for i in range(200):
        client.engine.ask("decode", [0.0, float(i)], tag=i)
        client.engine.seek(i if i % 3 else None)
    client.until(lambda: client.status() == "paused" and len(client.scalars.get("loss", ())) == 301)
    assert client.scalars["loss"] == expected(300)


def test_nothing_is_drawn_that_nobody_watches_except_for_the_timeline(
    client: Client, probe: type[Probe]
) -> None:
    client.start()
    client.advance(20)
    assert not client.views
    client.engine.watch(("note",))
    client.until(lambda: "note" in client.views)
    assert set(client.views) == {"note"}


def test_a_pause_shows_the_very_step_it_stands_at(client: Client) -> None:
    client.start()
    client.engine.watch(("note", "cloud"))
    client.engine.resume()
    client.until(lambda: len(client.scalars.get("loss", ())) > 50)
    client.engine.pause()
    client.until(lambda: client.status() == "paused" and not client.take().views)
    last = client.scalars["loss"][-1][0]
    assert {step for step, _payload in client.views.values()} == {last}
    assert client.views["note"][1].text == f"step {last}"  # type: ignore[attr-defined]


def test_commands_return_at_once(client: Client) -> None:
    client.start()
    begun = time.perf_counter()
    client.engine.resume()
    for step in range(1000):
        client.engine.seek(step)
        client.engine.set("lr", 0.01 + step * 1e-6)
    assert time.perf_counter() - begun < 5
    assert len(client.engine._commands) <= 4  # the latest of each wins


def test_knob_turned_mid_run_is_told_with_old_and_new(client: Client) -> None:
    client.start()
    client.advance(5)
    client.engine.set("lr", 0.2)
    client.until(lambda: bool(client.of(Turned)))
    assert client.of(Turned) == [Turned(6, "lr", 0.01, 0.2)]
    client.engine.set("lr", 1e9)
    client.until(lambda: bool(client.of(Refused)))
    assert "lr" in client.of(Refused)[0].sentence  # type: ignore[attr-defined]
    client.advance(1)
    assert client.status() == "paused"


def test_scrubbing_shows_the_recorded_pictures_and_live_comes_back(client: Client) -> None:
    client.start()
    client.engine.watch(("note",))
    client.advance(60)
    client.engine.seek(17)
    client.until(lambda: client.views.get("note", (0, None))[0] == 17)
    assert client.views["note"][1].text == "step 17"  # type: ignore[attr-defined]
    assert client.of(Sought)[-1] == Sought(17, live=False)
    client.engine.back()
    client.until(lambda: client.views["note"][0] == 16)
    client.engine.seek(None)
    client.until(lambda: client.views["note"][0] == 60)
    assert client.of(Sought)[-1] == Sought(60, live=True)


def test_training_goes_on_while_the_past_is_shown(client: Client) -> None:
    client.start()
    client.engine.watch(("note",))
    client.advance(10)
    client.engine.resume()
    client.engine.seek(3)
    client.until(lambda: client.views.get("note", (0, None))[0] == 3)
    seen = len(client.scalars["loss"])
    client.until(lambda: len(client.scalars["loss"]) > seen + 200)
    assert client.views["note"][0] == 3


def test_an_unchanged_branch_repeats_the_original_bit_for_bit(client: Client) -> None:
    client.start()
    client.advance(40)
    original = client.scalars["loss"]
    client.engine.branch(15)
    client.until(lambda: len(client.of(Started)) == 2)
    assert client.of(Started)[-1].branched_from == 15  # type: ignore[attr-defined]
    client.advance(25)
    assert client.scalars["loss"] == original


def test_playing_from_the_past_is_a_branch_with_the_knobs_turned_meanwhile(client: Client) -> None:
    client.start()
    client.advance(30)
    first = dict(client.scalars["loss"])
    client.engine.seek(12)
    client.engine.set("lr", 0.02)
    client.engine.advance(18)
    client.until(lambda: len(client.of(Started)) == 2 and client.scalars["loss"][-1][0] == 30)
    assert client.of(Started)[-1].branched_from == 12  # type: ignore[attr-defined]
    second = dict(client.scalars["loss"])
    assert [second[s] for s in range(13)] == [first[s] for s in range(13)]
    assert all(second[s] != first[s] for s in range(14, 31))


def test_slow_motion_rests_on_every_beat_and_a_press_goes_one_beat_on(client: Client) -> None:
    client.start()
    client.engine.watch(("note",))
    client.engine.slow_motion(True)
    captions = []
    for _ in range(3):
        client.advance(1)
        captions.append([b.text for b in client.of(Beating)])
    assert captions == [["forward"], ["forward", "backward"], ["forward", "backward"]]
    assert client.of(Beating)[0].highlight == ("cloud",)  # type: ignore[attr-defined]
    assert len(client.scalars["loss"]) == 2


def test_pace_holds_back(client: Client) -> None:
    client.start()
    client.engine.pace(0.01)
    client.engine.resume()
    client.until(lambda: len(client.scalars.get("loss", ())) >= 2)
    client.engine.pause()
    client.until(lambda: client.status() == "paused")
    assert len(client.scalars["loss"]) == 2
    client.engine.pace(None)
    client.advance(500)
    assert len(client.scalars["loss"]) == 502


def test_acting_by_hand_is_told_and_can_be_refused(client: Client) -> None:
    client.start()
    client.advance(2)
    client.engine.act("bump", 10)
    client.until(lambda: bool(client.of(Acted)))
    client.advance(1)
    assert client.scalars["count"][-1] == (3, 13.0)
    client.engine.act("bump", -1)
    client.until(lambda: bool(client.of(Refused)))


def test_ended_run_wakes_when_a_knob_is_turned(client: Client) -> None:
    client.start(end=8)
    client.engine.resume()
    client.until(lambda: client.status() == "ended")
    client.engine.set("end", 12)
    client.until(lambda: client.status() == "ended" and client.scalars["loss"][-1][0] == 12)


def test_of_several_waiting_questions_only_the_newest_is_answered(client: Client) -> None:
    client.start()
    with client.engine._condition:  # the thread cannot take any of them yet
        pass
    client.engine.pace(0.01)
    for i in range(50):
        client.engine.ask("decode", [0.0, float(i)])
    client.until(lambda: bool(client.of(Answer)))
    client.engine.ask("item", 3, tag="done")
    client.until(lambda: any(a.tag == "done" for a in client.of(Answer)))  # type: ignore[attr-defined]
    answers = [a for a in client.of(Answer) if a.name == "decode"]  # type: ignore[attr-defined]
    assert len(answers) <= 50
    runner = make_runner(RunSpec("probe", "blobs", {}, 1), device="cpu")
    runner.next_frame()
    assert answers[-1].value == runner.ask("decode", [0.0, 49.0])  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("trouble", "word"), [("nan", "diverged"), ("raise", "went wrong"), ("memory", "not enough memory")]
)
def test_trouble_is_one_sentence_the_last_good_picture_stays_and_the_engine_lives(
    client: Client, trouble: str, word: str
) -> None:
    client.start()
    client.engine.watch(("note",))
    client.advance(7)
    client.engine.set("trouble", trouble)
    client.engine.resume()
    client.until(lambda: client.status() == "failed")
    client.until(lambda: bool(client.of(Sought)))
    failed = client.of(Failed)
    assert len(failed) == 1
    assert word in failed[0].sentence  # type: ignore[attr-defined]
    assert client.views["note"][0] == 7
    assert client.scalars["loss"][-1][0] == 7
    client.start(RunSpec("probe", "blobs", {}, 1))
    client.advance(3)
    assert client.scalars["loss"] == expected(3)


def test_a_run_that_cannot_begin_leaves_the_former_one(
    client: Client, probe: type[Probe], monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = expected(6)
    client.start()
    client.advance(4)
    for number, spec in enumerate(
        (RunSpec("probe", "blobs", {"lr": -1}), RunSpec("probe", "blobs", {"width": 64}))
    ):
        if number:  # the second one fails late, after it has drawn from torch's random state
            monkeypatch.setattr(probe, "run", lambda self: 1 / 0)
        client.engine.start(spec)
        client.until(lambda number=number: len(client.of(Refused)) == number + 1)
    client.advance(2)
    assert client.scalars["loss"] == losses


def test_save_and_load_go_on_with_the_same_next_loss(client: Client, tmp_path: Path) -> None:
    client.start()
    client.advance(20)
    client.engine.set("lr", 0.05)
    path = tmp_path / "a run.latentarium"
    client.engine.save(path)
    client.until(lambda: bool(client.of(Saved)))
    client.advance(15)
    whole = client.scalars["loss"]
    client.engine.load(path)
    client.until(lambda: len(client.of(Started)) == 2)
    client.engine.watch(("note",))
    client.until(lambda: client.views.get("note", (0, None))[0] == 20)
    assert client.scalars["loss"] == whole[:21]
    client.advance(15)
    assert client.scalars["loss"] == whole
    client.engine.seek(7)
    client.until(lambda: client.views["note"][0] == 7)


def test_closing_while_training_ends_the_thread(probe: type[Probe]) -> None:
    client = Client()
    client.start()
    client.engine.resume()
    client.until(lambda: len(client.scalars.get("loss", ())) > 10)
    assert client.engine.close(timeout=10)
    assert not [t for t in threading.enumerate() if t.name == "engine"]


def test_ready_tells_the_catalogue_and_the_device(client: Client) -> None:
    client.until(lambda: bool(client.of(Ready)))
    ready = client.of(Ready)[0]
    assert {"kmeans", "pca", "probe"} <= {info.id for info in ready.catalogue}  # type: ignore[attr-defined]
    assert ready.device == "CPU"  # type: ignore[attr-defined]
    assert not client.of(StatusChanged)


class Clock:
    """A clock that only moves when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def perf_counter(self) -> float:
        return self.now

    thread_time = perf_counter


def test_pictures_take_at_most_a_tenth_of_the_time(
    probe: type[Probe], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Driven without a thread, on a clock on which a step costs 1 ms and each picture 20 ms."""
    from engine.core import trainer
    from engine.core.loop import Loop
    from engine.core.mailbox import Mailbox

    clock, pictures, steps = Clock(), [], []

    class Slow(Probe):
        def _cloud(self):  # type: ignore[no-untyped-def]
            clock.now += 0.020
            pictures.append(self.step)
            return super()._cloud()

    monkeypatch.setattr(trainer, "time", clock)
    from engine.core import catalogue

    known = {"probe": Slow}
    monkeypatch.setattr(catalogue, "catalogue", lambda: known)

    class Stub:
        mailbox, _device, _threads, _commands, _wanted = Mailbox(), "cpu", None, (), 0
        _condition = threading.Condition()

    loop = Loop(Stub(), "CPU")  # type: ignore[arg-type]
    loop._do_watch(frozenset({"cloud"}))
    loop._do_start(RunSpec("probe", "blobs", {}, 1), False, 0)
    loop._do_resume()
    while len(steps) < 20_000:
        clock.now += 0.001
        loop._advance()
        loop._mailbox.take()  # a window that always keeps up
        steps.append(clock.now)
        if len(steps) == 2_000:  # by then the dense first keyframes are done
            pictures.clear()
            begun = clock.now
    share = 0.020 * len(pictures) / (clock.now - begun)
    assert 0.03 < share <= 0.1


def square(n: int, offset: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.uniform(-1, 1, (n, 2)).astype(np.float32) + np.float32(offset), np.zeros(n, np.int32)


def test_painting_changes_the_points_under_a_run_that_goes_on(client: Client, tmp_path: Path) -> None:
    client.start(RunSpec("kmeans", "blobs", {"k": 2}, 0))
    client.engine.watch(("cloud",))
    client.engine.resume()
    client.until(lambda: client.status() == "ended")
    last = client.scalars["inertia"][-1][0]
    xy, y = square(40, 100.0)
    client.engine.paint(xy, y)
    client.until(lambda: client.scalars["inertia"][-1][0] > last and client.status() == "ended")
    client.until(lambda: len(client.views["cloud"][1].xy) == 40)  # type: ignore[attr-defined]
    assert client.of(Acted)[-1].name == "paint"  # type: ignore[attr-defined]
    assert abs(client.views["cloud"][1].xy.mean() - 100) < 1  # type: ignore[attr-defined]
    inertia = client.scalars["inertia"][-1]
    client.engine.paint(np.zeros((0, 2), np.float32), np.zeros(0, np.int32))
    client.until(lambda: bool(client.of(Refused)))
    client.engine.paint(xy[:1], y[:1])  # fewer points than centres
    client.until(lambda: len(client.of(Refused)) == 2)
    client.engine.seek(0)
    client.until(lambda: client.of(Sought)[-1].step == 0 if client.of(Sought) else False)  # type: ignore[attr-defined]
    client.engine.set("k", 3)
    client.engine.advance(1)
    client.until(lambda: len(client.of(Refused)) == 3)
    assert "painted" in client.of(Refused)[-1].sentence  # type: ignore[attr-defined]
    path = tmp_path / "painted.latentarium"
    client.engine.seek(None)
    client.engine.save(path)
    client.until(lambda: bool(client.of(Saved)))
    client.engine.start(RunSpec("kmeans", "blobs", {"k": 2}, 0))  # a reset keeps what was painted
    client.until(lambda: len(client.of(Started)) == 2)
    assert client.of(Started)[-1].size == 40  # type: ignore[attr-defined]
    assert client.of(Started)[-1].painted  # type: ignore[attr-defined]
    assert [painted.size for painted in client.of(Painted)] == [40]  # type: ignore[attr-defined]
    client.engine.start(RunSpec("kmeans", "blobs", {"k": 2}, 0), original=True)
    client.until(lambda: len(client.of(Started)) == 3)
    assert client.of(Started)[-1].size == 1500  # type: ignore[attr-defined]
    assert not client.of(Started)[-1].painted  # type: ignore[attr-defined]
    client.start(RunSpec("kmeans", "moons", {"k": 2}, 0))
    client.start(RunSpec("kmeans", "blobs", {"k": 2}, 0))
    assert client.of(Started)[-1].size == 1500  # type: ignore[attr-defined]
    client.engine.load(path)
    client.until(lambda: client.of(Started)[-1].size == 40)  # type: ignore[attr-defined]
    client.until(lambda: client.scalars.get("inertia", [None])[-1] == inertia)


def test_reading_data_tells_how_far_it_is_and_can_be_given_up(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.data import registry

    asked = threading.Event()

    def endless(request: registry.Request) -> registry.Dataset:
        while True:
            asked.set()
            request.tell(0.25)

    source = dataclasses.replace(registry.sources()["blobs"], load=endless)
    losses = expected(3)
    client.start(RunSpec("probe", "blobs", {}, 1))
    known = {**registry.sources(), "blobs": source}
    monkeypatch.setattr(registry, "sources", lambda: known)
    client.engine.start(RunSpec("probe", "blobs", {}, 1, None, {"n": 7}))
    client.until(lambda: bool(client.of(Refused)))  # blobs has no such knob, or n = 7 is refused
    monkeypatch.setattr(registry, "change", lambda params, _changes: params)
    client.engine.start(RunSpec("probe", "blobs", {}, 1, None, {"n": 7}))
    client.until(lambda: bool(client.of(Working)))
    assert client.of(Working)[0] == Working(0.25)
    client.engine.cancel()
    client.until(lambda: len(client.of(Refused)) == 2)
    client.advance(3)
    assert client.scalars["loss"] == losses


def test_a_question_about_the_past_is_answered_with_the_state_of_then(client: Client) -> None:
    def answer(tag: str) -> Answer:
        client.engine.ask("decode", [1.0, 2.0], tag=tag)
        client.until(lambda: any(a.tag == tag for a in client.of(Answer)))  # type: ignore[attr-defined]
        return next(a for a in client.of(Answer) if a.tag == tag)  # type: ignore[attr-defined, return-value]

    client.start()
    client.advance(4)
    then = answer("then")
    client.advance(16)
    now = answer("now")
    assert now.value != then.value
    client.engine.seek(4)
    again = answer("again")
    assert (again.value, again.step) == (then.value, 4)
    client.engine.seek(None)
    assert answer("newest").value == now.value
    client.advance(10)
    assert client.scalars["loss"] == expected(30), "looking back has left a trace"


def test_a_run_that_is_being_set_up_gives_way_to_the_next_one_asked_for(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.data import registry

    client.start(RunSpec("probe", "blobs", {}, 1))
    known, blobs, asked = registry.sources(), registry.sources()["blobs"], threading.Event()

    def endless(request: registry.Request) -> registry.Dataset:
        if request.params.n != 7:
            return blobs.load(request)
        while True:
            asked.set()
            request.tell(0.5)

    slow = dataclasses.replace(blobs, load=endless)
    monkeypatch.setattr(registry, "sources", lambda: {**known, "blobs": slow})
    params = blobs.params_class()
    monkeypatch.setattr(registry, "change", lambda _p, changes: types.SimpleNamespace(**{
        **{k.name: k.default for k in blobs.knobs}, **changes
    }))  # fmt: skip
    assert params.n != 7
    client.engine.start(RunSpec("probe", "blobs", {}, 1, None, {"n": 7}))
    assert asked.wait(20)
    client.engine.resume()  # meant for a run that will never stand
    for n in (300, 310, 320):
        client.engine.start(RunSpec("probe", "blobs", {}, 1, None, {"n": n}))
    client.until(lambda: client.of(Started)[-1].size == 320)  # type: ignore[attr-defined]
    assert len(client.of(Started)) == 2
    assert not client.of(Refused)
    assert client.status() == "paused"


def test_what_is_done_in_the_middle_of_a_step_spoils_no_checkpoint(client: Client, tmp_path: Path) -> None:
    client.start()
    client.advance(10)
    client.engine.slow_motion(True)
    client.advance(1)  # now at the first beat of step 11
    client.engine.set("noisy", False)
    client.engine.set("noisy", True)
    client.engine.save(tmp_path / "run.latentarium")
    client.until(lambda: bool(client.of(Saved)))
    assert client.scalars["loss"][-1][0] == 11
    client.engine.slow_motion(False)
    client.advance(9)
    assert client.scalars["loss"] == expected(20)
    client.engine.branch(10)
    client.until(lambda: len(client.of(Started)) == 2)
    client.advance(10)
    assert client.scalars["loss"] == expected(20)


@pytest.mark.parametrize("command", ["look", "preview", "save"])
def test_what_goes_wrong_beside_the_run_leaves_the_run_alone(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    from engine.core import session
    from engine.data import files, preview

    def broken(*_args: object, **_more: object) -> None:
        raise ZeroDivisionError("nobody foresaw this")

    for module, name in ((files, "look"), (preview, "preview"), (session, "collect")):
        monkeypatch.setattr(module, name, broken)
    losses = expected(4)
    client.start()
    client.advance(2)
    asked = {"look": tmp_path, "preview": RunSpec("", "moons"), "save": tmp_path / "x"}[command]
    getattr(client.engine, command)(asked)
    client.until(lambda: bool(client.of(Failed)))
    client.advance(2)
    assert client.status() == "paused"
    assert client.scalars["loss"] == losses
