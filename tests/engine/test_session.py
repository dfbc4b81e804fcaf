from __future__ import annotations

import json
import random
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.core import session
from engine.core.events import RunSpec
from engine.core.frame import Markers, Points
from engine.core.runner import Runner, make_runner
from engine.core.text import CancelledError, InputError, _
from engine.core.timeline import Timeline
from tests.engine.kept import load, save
from tests.engine.probe import Probe

GOLDEN = Path(__file__).parent / "golden"
"""A file of every version that was ever written."""
SPEC = RunSpec("probe", "blobs", {"width": 5}, seed=9)


@pytest.fixture
def saved(probe: type[Probe], tmp_path: Path) -> tuple[Path, Runner]:
    runner, timeline = make_runner(SPEC, device="cpu"), Timeline()
    for _step in range(6):
        frame = runner.next_frame()
        assert frame is not None
        timeline.add_scalars({"loss": ([frame.step], [float(frame.scalars["loss"])])})
        timeline.keep(frame.step, {"cloud": runner.view("cloud")}, runner.state())
    path = tmp_path / "run.latentarium"
    save(path, SPEC, runner, timeline)
    return path, runner


def test_trees_survive_the_journey() -> None:
    tree = {
        "a": torch.arange(6).reshape(2, 3), 3: [1, 2.5, None, True, "text"], "t": (np.float32([1, 2]),),
        "p": Points(np.zeros((2, 2)), layers=(Markers(np.ones((1, 2)), None, None, True),)),
        "s": _("{n} points", n=4),
    }  # fmt: skip
    arrays: dict[str, np.ndarray] = {}
    back = session.decode(json.loads(json.dumps(session.encode(tree, arrays, {}))), arrays, {})
    assert torch.equal(back["a"], tree["a"])
    assert back[3] == tree[3]
    assert isinstance(back["t"], tuple)
    assert back["p"].layers[0].movable
    assert back["s"].msgid == "{n} points"
    with pytest.raises(TypeError):
        session.encode({"o": object()}, {}, {})


def test_a_session_has_fixed_names_and_the_former_one_is_kept(saved: tuple[Path, Runner]) -> None:
    path, runner = saved
    with zipfile.ZipFile(path) as archive:
        assert set(archive.namelist()) == {"manifest.json", *session.MEMBERS}
    runner.next_frame()
    save(path, SPEC, runner, Timeline())
    _spec, newer, _timeline = load(path)
    _spec, older, timeline = load(path.with_name(path.name + ".1"))
    assert (newer.step, older.step) == (6, 5)
    assert timeline.steps == (0, 1, 2, 3, 4, 5)


def test_every_flipped_bit_is_found(saved: tuple[Path, Runner]) -> None:
    path, _runner = saved
    whole = path.read_bytes()
    rng = random.Random(0)
    refused = 0
    for _attempt in range(300):
        broken = bytearray(whole)
        broken[rng.randrange(len(broken))] ^= 1 << rng.randrange(8)
        path.write_bytes(broken)
        try:
            members = session.read_whole(path)
        except InputError:
            refused += 1
        else:  # a bit that carries nothing, such as a time stamp in the archive's directory
            path.write_bytes(whole)
            assert members == session.read_whole(path)
    assert refused > 200


def test_truncated_foreign_and_hostile_files_are_refused(saved: tuple[Path, Runner], tmp_path: Path) -> None:
    path, _runner = saved
    whole = path.read_bytes()
    bad = tmp_path / "bad.latentarium"
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}

    def write(changed: dict[str, bytes]) -> None:
        with zipfile.ZipFile(bad, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in changed.items():
                archive.writestr(name, content)

    def newer() -> None:
        manifest = json.loads(members["manifest.json"]) | {"schema": session.SCHEMA + 1}
        write({**members, "manifest.json": json.dumps(manifest).encode()})

    cases = {
        "empty": lambda: bad.write_bytes(b""),
        "text": lambda: bad.write_text("hello"),
        "cut": lambda: bad.write_bytes(whole[: len(whole) // 2]),
        "missing member": lambda: write({k: v for k, v in members.items() if k != "runs.json"}),
        "extra member": lambda: write({**members, "../../evil": b"x"}),
        "bomb": lambda: write({**members, "runs.json": b"0" * 50_000_000}),
        "deep": lambda: session.write(bad, {**body(members), "runs.json": b"[" * 100_000}),
        "nan": lambda: session.write(bad, {**body(members), "session.json": b'{"seed": NaN}'}),
        "other experiment": lambda: session.write(
            bad, {**body(members), "session.json": members["session.json"].replace(b'"probe"', b'"other"')}
        ),
        "wrong tree": lambda: session.write(bad, {**body(members), "runs.json": b'{"$dict": []}'}),
        "newer": newer,
        "folder": lambda: (bad.unlink(), bad.mkdir()),
    }
    for name, make in cases.items():
        make()
        with pytest.raises(InputError) as caught:
            load(bad)
        assert "newer" in caught.value.sentence if name == "newer" else caught.value.sentence, name
    with pytest.raises(InputError, match="is not there any more"):
        load(tmp_path / "nowhere")


def body(members: dict[str, bytes]) -> dict[str, bytes]:
    return {name: content for name, content in members.items() if name != "manifest.json"}


def test_weights_that_are_not_numbers_are_refused(saved: tuple[Path, Runner], tmp_path: Path) -> None:
    _path, runner = saved
    with torch.no_grad():
        runner.experiment.net[0].weight[0, 0] = float("nan")
    bad = tmp_path / "nan.latentarium"
    save(bad, SPEC, runner, Timeline())
    with pytest.raises(InputError):
        load(bad)


def test_a_save_that_fails_leaves_the_former_file(
    saved: tuple[Path, Runner], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, runner = saved
    before = path.read_bytes()

    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    for name in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(session.os, name, full)
            with pytest.raises(InputError, match="No space left"):
                save(path, SPEC, runner, Timeline())
        assert path.read_bytes() == before
        assert sorted(p.name for p in path.parent.iterdir()) == ["run.latentarium"]
    with pytest.raises(InputError, match="nowhere"):
        save(path.parent / "nowhere" / "x", SPEC, runner, Timeline())


def test_a_file_of_the_first_version_still_opens() -> None:
    spec, runner, timeline = load(GOLDEN / "schema1.latentarium")
    assert (spec.experiment, spec.dataset, spec.seed, spec.params["k"]) == ("kmeans", "blobs", 9, 4)
    assert runner.step == 2
    assert timeline.steps == (0, 1, 2)
    assert len(timeline.scalars["inertia"][0]) == 3


def test_a_million_members_are_refused_before_their_names_are_read(tmp_path: Path) -> None:
    bad = tmp_path / "many.latentarium"
    one = b"PK\x01\x02" + bytes(42) + b"x"
    end = b"PK\x05\x06" + bytes(4) + 2 * (0xFFFF).to_bytes(2, "little")
    end += (2**31).to_bytes(4, "little") + bytes(6)
    bad.write_bytes(one * 1000 + end)
    with pytest.raises(InputError):
        load(bad)
    with zipfile.ZipFile(bad, "w") as archive:
        for n in range(20):
            archive.writestr(str(n), b"")
    with pytest.raises(InputError):
        load(bad)


def test_a_timeline_of_nothing_but_zeros_is_not_taken_for_a_bomb(tmp_path: Path, probe: type[Probe]) -> None:
    runner, timeline = make_runner(SPEC, device="cpu"), Timeline()
    for step in range(40):
        runner.next_frame()
        timeline.keep(step, {"cloud": Points(np.zeros((20_000, 2), np.float32))}, None)
    path = tmp_path / "zeros.latentarium"
    save(path, SPEC, runner, timeline)
    assert load(path)[2].steps == tuple(range(40))


def test_writing_can_be_given_up(saved: tuple[Path, Runner]) -> None:
    path, _runner = saved
    before = path.read_bytes()

    def enough(share: float) -> None:
        raise CancelledError

    with pytest.raises(CancelledError):
        session.write(path, dict.fromkeys(session.MEMBERS, b"x" * 10), tell=enough)
    assert path.read_bytes() == before
    assert sorted(p.name for p in path.parent.iterdir()) == ["run.latentarium"]
