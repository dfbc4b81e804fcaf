"""The code behind a run: every experiment's source with other values in it, and scripts that give the same
numbers."""

from __future__ import annotations

import ast
import csv
import importlib.util
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from engine.core import source
from engine.core.catalogue import catalogue
from engine.core.duo import Run
from engine.core.events import Acted, RunSpec, Started, Turned
from engine.core.experiment import Beside
from engine.core.params import KnobSpec, Value, as_dict
from engine.core.runner import make_run
from engine.core.source import Listing, beginning, filled, script, script_name, written
from engine.core.text import InputError
from tests.engine.conftest import Client
from tests.engine.probe import Probe

ROOT = Path(__file__).resolve().parent.parent.parent


def other(knob: KnobSpec) -> Value:
    """A value that is not the default."""
    if knob.kind == "choice":
        return next(name for name, _title in reversed(knob.options) if name != knob.default)
    if knob.kind == "bool":
        return not knob.default
    value = knob.low if knob.default != knob.low else knob.high
    return int(value) if knob.kind == "int" else float(value)


def defaults_in(listing: Listing, experiment: str, folder: Path) -> dict[str, Value]:
    """The defaults of the knobs, once Python has read ``listing``."""
    path = folder / "taken_home.py"
    path.write_text(listing.text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("taken_home", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
        classes = [v for v in vars(module).values() if isinstance(v, type) and "info" in vars(v)]
        (found,) = (c for c in classes if c.info.id == experiment)  # type: ignore[attr-defined]
        return as_dict(found.params_class()())  # type: ignore[attr-defined]
    finally:
        del sys.modules[spec.name]


# ── the method ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", list(catalogue()))
def test_the_source_of_every_experiment_holds_the_given_values(name: str, tmp_path: Path) -> None:
    knobs = catalogue()[name].info.knobs
    params = {knob.name: other(knob) for knob in knobs}
    listing = filled(name, params)
    assert defaults_in(listing, name, tmp_path) == params
    assert listing.changed == set(params)
    lines = listing.text.splitlines()
    for knob in knobs:
        assert written(params[knob.name]) in lines[listing.lines[knob.name] - 1]
    assert lines[listing.run - 1].strip().startswith("def run(")
    assert lines[listing.knobs - 1].startswith("class ")
    assert listing.file == f"engine/experiments/{catalogue()[name].info.topic}/{name}.py"


@pytest.mark.parametrize("name", list(catalogue()))
def test_with_the_values_of_the_file_the_source_is_the_file(name: str) -> None:
    listing = filled(name, {knob.name: knob.default for knob in catalogue()[name].info.knobs})
    assert not listing.changed
    assert listing.text == (ROOT / listing.file).read_text(encoding="utf-8")
    assert filled(name, {"no_such_knob": 1}).text == listing.text


def made(folder: Path, body: str) -> Path:
    """An experiment of somebody's own."""
    path = folder / "experiments" / "clusters" / "mine.py"
    path.parent.mkdir(parents=True)
    path.write_text(body, encoding="utf-8")
    return path


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(source, "FOLDER", tmp_path / "experiments")
    source._file_of.cache_clear()
    yield tmp_path  # type: ignore[misc]
    source._file_of.cache_clear()


def test_values_of_any_form_are_replaced(elsewhere: Path) -> None:
    made(
        elsewhere,
        'MOST = 7\n\n\nclass Params:\n    """é ‖ ×"""\n\n    k: Annotated[int, "é"] = MOST\n'
        "    lr: Annotated[float, 1] = (\n        0.5\n        + 0.5\n    )\n"
        '    mode: str = "a"; on: bool = 1\n\n\n'
        '@experiment("mine", title="é")\nclass Mine(Experiment[Params]):\n'
        "    def run(self):\n        yield\n",
    )
    same = filled("mine", {"k": 7, "mode": "a"})
    assert not same.changed
    listing = filled("mine", {"k": 9, "lr": -1e-07, "mode": 'say "é"\n', "on": True})
    assert listing.changed == {"k", "lr", "mode", "on"}
    lines = listing.text.splitlines()
    assert lines[listing.lines["k"] - 1] == '    k: Annotated[int, "é"] = 9'
    assert lines[listing.lines["lr"] - 1] == "        -1e-07"
    assert lines[listing.lines["on"] - 1].endswith("on: bool = True")
    assert lines[listing.run - 1] == "    def run(self):"
    assert lines[listing.knobs - 1] == "class Params:"
    fields = {n.target.id: n.value for n in ast.parse(listing.text).body[1].body if hasattr(n, "target")}  # type: ignore[attr-defined]
    assert ast.literal_eval(fields["mode"]) == 'say "é"\n'


def test_a_source_that_is_not_here_is_one_sentence(elsewhere: Path) -> None:
    with pytest.raises(InputError, match=r"source file of “kmeans” is not part"):
        filled("kmeans", {})
    path = made(elsewhere, '@experiment("mine"\nclass')
    with pytest.raises(InputError, match=r"mine\.py” could not be read"):
        filled("mine", {})
    path.write_bytes(b'@experiment("mine")\xff')
    with pytest.raises(InputError, match=r"mine\.py” could not be read"):
        filled("mine", {})


# ── a script ────────────────────────────────────────────────────────────────────────────────────────────────


def numbers_of(run: Run, steps: int, turns: Mapping[int, Mapping[str, Value]]) -> dict[str, float]:
    """Every scalar at the last of ``steps`` steps."""
    frame = run.next_frame()
    while frame is not None and frame.step < steps:
        for name, value in turns.get(frame.step + 1, {}).items():
            run.set(name, value)
        frame = run.next_frame()
    assert frame is not None
    return {name: float(value) for name, value in frame.scalars.items()}


def written_by(program: str, folder: Path) -> dict[str, float]:
    """The last of each number that ``program`` writes, in a process of its own."""
    (folder / "again.py").write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "again.py"], cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    numbers = last_in(folder / "scalars.csv")
    said = done.stdout.strip().splitlines()[-1]
    assert all(f"{name} {value!r}" in said for name, value in numbers.items())
    return numbers


def last_in(path: Path) -> dict[str, float]:
    with path.open(newline="") as file:
        return {row["name"]: float(row["value"]) for row in csv.DictReader(file)}


def run_here(program: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """The same in this process, where the probe is known."""
    monkeypatch.chdir(folder)
    exec(compile(program, "again.py", "exec"), {"__name__": "__main__"})
    return last_in(folder / "scalars.csv")


def test_a_script_repeats_a_run_to_the_last_bit_with_a_knob_turned_on_the_way(tmp_path: Path) -> None:
    spec = RunSpec("tsne", "blobs", {"perplexity": 12.0}, 3, data_params={"n": 200})
    turned = [Turned(5, "perplexity", 12.0, 30.0), Turned(5, "lr", 1.0, 0.5)]
    turned = [t for t in turned if t.name in {k.name for k in catalogue()["tsne"].info.knobs}]
    program = script(spec, turned, 12)
    expected = numbers_of(make_run(spec), 12, {5: {t.name: t.new for t in turned}})
    assert written_by(program, tmp_path) == expected
    assert numbers_of(make_run(spec), 12, {6: {t.name: t.new for t in turned}}) != expected


def test_a_script_repeats_a_comparison(tmp_path: Path) -> None:
    spec = RunSpec("kmeans", "blobs", {"k": 6, "init": "random"}, 7, beside=Beside("gmm", {"k": 4}))
    program = script(spec, [Turned(3, "b.k", 4, 6)], 9)
    expected = numbers_of(make_run(spec), 9, {3: {"b.k": 6}})
    assert any(name.startswith("b.") for name in expected)
    assert written_by(program, tmp_path) == expected


@pytest.mark.parametrize("name", list(catalogue()))
def test_a_script_can_be_written_for_every_experiment(name: str) -> None:
    info = catalogue()[name].info
    params = {knob.name: other(knob) for knob in info.knobs}
    spec = RunSpec(name, next(iter(info.datasets), ""), params, beside=Beside(name, params))
    log = [Turned(4, k.name, k.default, other(k)) for k in info.knobs] + [Acted(6, "move"), Acted(8, "paint")]
    program = script(spec, log, 30, painted=True, device="cpu")
    compile(program, script_name(spec), "exec")
    assert max(map(len, program.splitlines())) <= 110
    names = {
        node.targets[0].id: node.value  # type: ignore[attr-defined]
        for node in ast.parse(program).body
        if isinstance(node, ast.Assign)
    }
    assert ast.literal_eval(names["TURNS"]) == {4: params}
    assert "before step 6" in program
    assert "painted over by hand" in program


def test_a_script_tells_where_data_lie_only_if_they_lie_somewhere() -> None:
    home = Path("/home/somebody/my data")
    assert "somebody" not in script(RunSpec("kmeans", "blobs", {}, 0, home), [], 5)
    for dataset in ("mnist", "own_table"):
        program = script(RunSpec("kmeans", dataset, {}, 0, home, {"separator": ";"}), [], 5)
        assert f'data_dir=Path("{home}")' in program
        assert 'data_params={"separator": ";"}' in program


def test_every_sentence_of_a_script_can_be_said_in_another_language() -> None:
    shouted = script(
        RunSpec("kmeans", "blobs", {"k": 3}, beside=Beside("kmeans", {})),
        [Turned(2, "b.k", 3, 4), Acted(3, "move"), Acted(4, "paint")], 9, say=str.upper,
    )  # fmt: skip
    compile(shouted, "again.py", "exec")
    comments = [line.split("#", 1)[1] for line in shouted.splitlines() if "#" in line]
    assert len(comments) > 5
    assert not any(word in " ".join(comments) for word in (" the ", " step ", " knob "))


def test_what_waits_in_the_past_and_what_was_not_begun_is_left_out() -> None:
    program = script(RunSpec("kmeans", "blobs"), [Turned(5, "k", 3, 4, waiting=True)], 0)
    assert "TURNS = {}" in program
    assert f"STEPS = {source.STEPS}" in program


def test_the_beginning_of_a_run_is_found_from_where_it_stands() -> None:
    log = (Turned(3, "k", 5, 6), Acted(4, "move"), Turned(6, "b.k", 2, 3), Turned(9, "k", 6, 8))
    spec = RunSpec("kmeans", "blobs", {"k": 8}, 4, beside=Beside("gmm"))
    started = Started(spec, {"k": 8, "trails": True, "b.k": 3}, "points", 9, 9, 1, log=log)
    assert beginning(started) == RunSpec(
        "kmeans", "blobs", {"k": 5, "trails": True}, 4, beside=Beside("gmm", {"k": 2})
    )


# ── as the window does it ───────────────────────────────────────────────────────────────────────────────────


def told(client: Client) -> str:
    """The script of what ``client`` has seen, from its last start on."""
    at, started = next((i, e) for i, e in reversed(list(enumerate(client.events))) if isinstance(e, Started))
    later = [e for e in client.events[at:] if isinstance(e, (Turned, Acted))]
    return script(beginning(started), (*started.log, *later), client.deliveries[-1].step)


def newest(client: Client) -> dict[str, float]:
    return {name: values[-1][1] for name, values in client.scalars.items()}


def test_a_knob_turned_in_the_middle_of_a_step_counts_from_the_next_one(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.start()
    client.advance(3)
    client.engine.slow_motion(True)
    client.advance(1)  # to the first beat of step 4
    client.engine.set("lr", 0.3)
    client.until(lambda: bool(client.of(Turned)))
    assert client.of(Turned) == [Turned(5, "lr", 0.01, 0.3)]
    client.engine.slow_motion(False)
    client.advance(4)
    assert client.deliveries[-1].step > 5
    assert run_here(told(client), tmp_path, monkeypatch) == newest(client)


def test_in_a_comparison_too(probe: type[Probe]) -> None:
    spec = RunSpec("probe", "blobs", {}, 1, beside=Beside("probe"))
    for beats, steps in ((1, (2, 1)), (3, (2, 2))):
        run = make_run(spec)
        run.next_frame()
        for _beat in range(beats):
            run.next()
        turned = [run.set(name, 0.3) for name in ("lr", "b.lr")]
        assert tuple(t.step for t in turned if t) == steps
        frames = [run.next_frame() for _step in range(4)]
        again = make_run(spec)
        turns: dict[int, dict[str, Value]] = {}
        for t in turned:
            assert t is not None
            turns.setdefault(t.step, {})[t.name] = t.new
        last = frames[-1]
        assert last is not None
        assert numbers_of(again, last.step, turns) == {n: float(v) for n, v in last.scalars.items()}


def test_a_script_of_a_branch_repeats_the_branch(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.start()
    client.advance(6)
    client.engine.set("lr", 0.003)
    client.advance(10)
    client.engine.set("lr", 0.006)
    client.advance(4)
    client.engine.seek(12)
    client.engine.set("lr", 0.002)
    client.advance(9)
    assert client.deliveries[-1].step == 21
    assert run_here(told(client), tmp_path, monkeypatch) == newest(client)


def test_a_script_of_two_branches_side_by_side_repeats_both(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.start()
    client.advance(4)
    client.engine.set("lr", 0.003)
    client.advance(20)
    client.engine.seek(12)
    client.engine.set("lr", 0.006)
    client.advance(6)
    before = len(client.of(Started))
    client.engine.set_beside(1, 2)
    client.until(lambda: len(client.of(Started)) > before and client.status() == "paused")
    client.advance(2)
    client.engine.set("b.lr", 0.001)
    client.advance(3)
    assert client.deliveries[-1].step == 23
    assert run_here(told(client), tmp_path, monkeypatch) == newest(client)
    client.engine.branch(15)
    client.until(lambda: client.of(Started)[-1].branched_from == 15)  # type: ignore[attr-defined]
    client.advance(5)
    assert client.deliveries[-1].step == 20
    assert run_here(told(client), tmp_path, monkeypatch) == newest(client)
