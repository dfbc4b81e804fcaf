from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.__main__ import main


def run(*words: object) -> int:
    return main([str(w) for w in words])


def rows(folder: Path) -> list[tuple[int, str, float]]:
    with (folder / "scalars.csv").open() as file:
        return [(int(r["step"]), r["name"], float(r["value"])) for r in csv.DictReader(file)]


def test_list_for_people_and_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list") == 0
    assert "kmeans" in capsys.readouterr().out
    assert run("list", "--json") == 0
    found = {e["id"]: e for e in json.loads(capsys.readouterr().out)}
    assert {"kmeans", "pca"} <= set(found)
    k = next(knob for knob in found["kmeans"]["knobs"] if knob["name"] == "k")
    assert (k["kind"], k["low"], k["live"]) == ("int", 1, True)
    assert found["kmeans"]["channels"]["cloud"]["payload"] == "Points"


def test_run_writes_everything_and_the_same_seed_the_same_numbers(tmp_path: Path) -> None:
    words = ("run", "kmeans", "--dataset", "digits", "--seed", 3, "--steps", 6, "--set", "k=7", "--out")
    assert run(*words, tmp_path / "a") == 0
    assert run(*words, tmp_path / "b") == 0
    assert (tmp_path / "a/scalars.csv").read_bytes() == (tmp_path / "b/scalars.csv").read_bytes()
    about = json.loads((tmp_path / "a/run.json").read_text())
    assert about["params"]["k"] == 7
    assert about["device"] == "CPU"
    assert about["threads"] >= 1
    assert about["versions"]["torch"]
    assert about["final"]["inertia"] == [v for s, n, v in rows(tmp_path / "a") if n == "inertia"][-1]
    views = {p.name for p in (tmp_path / "a/views").iterdir()}
    assert {"cloud.npz", "centroids.npz", "centroids.png", "sizes.npz"} <= views
    with np.load(tmp_path / "a/views/centroids.npz") as arrays:
        assert arrays["pixels"].shape == (7, 8, 8)


def test_at_turns_a_knob_mid_run(tmp_path: Path) -> None:
    assert run("run", "kmeans", "--set", "k=5", "--at", "2:k=3", "--steps", 50, "--out", tmp_path) == 0
    about = json.loads((tmp_path / "run.json").read_text())
    assert about["turned"] == [{"step": 3, "name": "k", "old": 5, "new": 3}]
    assert about["params"]["k"] == 3


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("run", "nothing"), "nothing"),
        (("run", "kmeans", "--set", "gain=1"), "gain"),
        (("run", "kmeans", "--set", "k=many"), "k"),
        (("run", "kmeans", "--set", "k"), "knob=value"),
        (("run", "kmeans", "--set", "k=0,5"), "k"),
        (("run", "kmeans", "--dataset", "moon"), "moon"),
        (("run", "kmeans", "--dataset", "mnist"), "folder"),
        (("run", "kmeans", "--dataset", "mnist", "--data-dir", "/nowhere"), "nowhere"),
        (("run", "kmeans", "--at", "x:k=2"), "STEP:knob=value"),
        (("run", "kmeans", "--at", "3:init=random"), "init"),
        (("run", "kmeans", "--at", "3:k=99"), "99"),
        (("run", "kmeans", "--steps", "0"), "at least 1"),
        (("run", "kmeans", "--device", "warp"), "warp"),
        (("run", "kmeans", "--bogus"), "bogus"),
        ((), "required"),
    ],
)
def test_one_sentence_and_exit_2(
    words: tuple[str, ...], named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    extra = ("--out", tmp_path) if words[:1] == ("run",) else ()
    assert run(*words, *extra) == 2
    error = capsys.readouterr().err.strip()
    assert named in error
    assert "\n" not in error
    assert "Traceback" not in error


def test_a_folder_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert run("run", "kmeans", "--out", blocked / "out") == 2
    assert str(blocked) in capsys.readouterr().err


def test_ctrl_c_keeps_what_was_learned(tmp_path: Path) -> None:
    endless = (
        "import sys; from engine import boot; boot.environment(); boot.load_torch();"
        "from engine.core import catalogue; from tests.engine.probe import Probe;"
        "catalogue.catalogue = lambda: {'probe': Probe};"
        "from engine.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    program = [sys.executable, "-c", endless, "run", "probe", "--steps", "100000000", "--out", str(tmp_path)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline().startswith("step")
        child.send_signal(signal.SIGINT)
        _out, error = child.communicate(timeout=60)
    assert child.returncode == 130, error
    about = json.loads((tmp_path / "run.json").read_text())
    assert about["complete"] is False
    assert about["steps"] > 0
    assert rows(tmp_path)
