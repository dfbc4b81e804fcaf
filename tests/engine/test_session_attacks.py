"""Whatever stands in a session file: it opens and can be gone on with, or it is refused in a sentence."""

from __future__ import annotations

import copy
import functools
import json
import os
import random
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.core import session, sound
from engine.core.events import Failed, RunSpec
from engine.core.frame import Channel, Curve, Images, Markers, Note, Points, Segments
from engine.core.text import InputError, _
from tests.engine import attacks
from tests.engine.attacks import HARMLESS, SPECS, Hands, changed, plain, survive

Members = dict[str, session.Content]
FILES = 8
"""Changed files of each kind; ``make fuzz`` makes thousands."""
SOME = ("kmeans", "digits", "beside", "pca", "kl", "umap")
"""Between them they have all that there is in a session."""


@functools.cache
def made(name: str) -> Members:
    """A good session; made once."""
    return attacks.good(name)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / f"bad{session.SUFFIX}"


@pytest.fixture(scope="module")
def standing() -> Hands:
    """An engine with a run of its own, which every file that is refused must leave alone."""
    hands = Hands()
    hands.start(SPECS["sampling"])
    hands.train(2)
    return hands


@pytest.fixture
def hands() -> Hands:
    hands = Hands()
    hands.start(SPECS["sampling"])
    return hands


# ── files that are no session ───────────────────────────────────────────────────────────────────────────────


def test_files_that_are_no_sessions_are_refused(path: Path, standing: Hands) -> None:
    for name, content in attacks.zip_attacks(made("kl")).items():
        path.write_bytes(content)
        if name in HARMLESS:
            session.load(path)
        else:
            assert survive(path, standing) == "refused", name


def test_what_is_no_file_is_refused_and_not_waited_for(path: Path, standing: Hands) -> None:
    path.mkdir()
    assert survive(path, standing) == "refused"
    path.rmdir()
    assert survive(path, standing) == "refused"
    if hasattr(os, "mkfifo"):
        os.mkfifo(path)  # whoever opens it waits for somebody to write
        assert survive(path, standing) == "refused"
        path.unlink()
        path.symlink_to("/dev/zero")  # never ends
        assert survive(path, standing) == "refused"


def test_a_newer_file_is_said_to_be_newer(path: Path) -> None:
    members = attacks.written(made("kl"))
    manifest = json.loads(members["manifest.json"]) | {"schema": session.SCHEMA + 1}
    more = {"manifest.json": plain(manifest), "unknown": b"", **dict.fromkeys(map(str, range(20)), b"")}
    path.write_bytes(attacks.zipped(more))
    with pytest.raises(InputError, match=r"bad\.latentarium” was saved by a newer Latentarium"):
        session.load(path)


@pytest.mark.parametrize("what", ["experiment", "dataset", "knob"])
def test_what_only_another_version_knows_is_named(path: Path, what: str) -> None:
    members = dict(made("kmeans"))
    about = json.loads(members["session.json"])  # type: ignore[arg-type]
    for run in about["runs"]:
        if what == "knob":
            run["params"]["unheard"] = 1
        else:
            run[what] = "unheard"
    session.write(path, {**members, "session.json": plain(about)})
    with pytest.raises(InputError, match=r"bad\.latentarium” was saved by a Latentarium that has “unheard”"):
        session.load(path)


def test_a_small_file_takes_little_memory(path: Path, tmp_path: Path) -> None:
    """One of as many values as are not refused for their number."""
    program = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from engine import boot
        boot.environment()
        from engine.core import catalogue, session
        from engine.core.text import InputError
        catalogue.catalogue()
        try:
            session.load(Path(sys.argv[1]))
        except InputError:
            status = Path("/proc/self/status").read_text().split()
            print(int(status[status.index("VmHWM:") + 1]) // 1024)
        """
    )
    if not Path("/proc/self/status").exists():
        pytest.skip("this system does not tell how much memory was used")
    bad = tmp_path / "bad"
    dictionaries = b'{"$list":[' + b'{"$dict":[[1,{"$list":[]}]]},' * (session.MOST_VALUES // 7 - 10) + b"1]}"
    noise = {"n": np.frombuffer(np.random.default_rng(0).bytes(700_000), np.uint8)}  # or it would be a bomb
    session.write(bad, {**made("kl"), "runs.json": dictionaries, "runs.safetensors": noise})
    assert bad.stat().st_size < 1_000_000
    done = subprocess.run([sys.executable, "-c", program, bad], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 1000


# ── files that are wrong in one place ───────────────────────────────────────────────────────────────────────


class Draft:
    """A session that can be changed: what it says of its runs, what was recorded, and the arrays of that."""

    def __init__(self, name: str) -> None:
        members = made(name)
        self.about: Any = json.loads(members["session.json"])  # type: ignore[arg-type]
        self.arrays = {n: a.copy() for n, a in members["runs.safetensors"].items()}  # type: ignore[union-attr]
        self.runs: dict[int, Any] = session.decode(json.loads(members["runs.json"]), self.arrays, {})  # type: ignore[arg-type]

    def run(self, id_: int) -> Any:
        return next(run for run in self.about["runs"] if run["id"] == id_)

    @property
    def active(self) -> int:
        return int(self.about["active"])

    @property
    def shown(self) -> int:
        """The run on screen: the active one, or 0, the two that stand there instead."""
        return 0 if 0 in self.runs else self.active

    def newest(self, id_: int | None = None) -> Any:
        """The state that a run is gone on from; of two side by side, that of the first."""
        kept = self.runs[self.shown if id_ is None else id_]["checkpoints"]
        newest = kept[max(kept)]
        return newest.get("a", newest)

    def views(self) -> dict[str, Any]:
        keyframes = self.runs[self.active]["keyframes"]
        return keyframes[min(keyframes)]  # type: ignore[no-any-return]

    def write(self, path: Path) -> None:
        arrays: session.Arrays = {}
        runs = plain(session.encode(self.runs, arrays, {}))
        session.write(
            path, {"session.json": plain(self.about), "runs.json": runs, "runs.safetensors": arrays}
        )


def put(**values: Any) -> Callable[[Draft], None]:
    """Other values in what is said of the active run."""
    return lambda draft: draft.run(draft.active).update(values)


def said(**values: Any) -> Callable[[Draft], None]:
    """Other values in what is said of all."""
    return lambda draft: draft.about.update(values)


def logged(*entry: Any) -> Callable[[Draft], None]:
    return lambda draft: draft.run(draft.active)["log"].append(list(entry))


def shown(**views: Any) -> Callable[[Draft], None]:
    """Other pictures at the first step."""
    return lambda draft: draft.views().update(views)


def kept(**values: Any) -> Callable[[Draft], None]:
    """Other values in the newest state."""
    return lambda draft: draft.newest()["experiment"].update(values)


def without(*path: Any) -> Callable[[Draft], None]:
    def change(draft: Draft) -> None:
        found: Any = draft.runs[draft.active]
        for key in path[:-1]:
            found = found[key]
        del found[path[-1]]

    return change


def scalars(steps: Any, values: Any) -> Callable[[Draft], None]:
    def change(draft: Draft) -> None:
        draft.runs[draft.active]["scalars"]["inertia"] = (np.array(steps), np.array(values))

    return change


def painted(x: Any, y: Any, names: Any = ("a",)) -> Callable[[Draft], None]:
    found = {"x": torch.tensor(x), "y": torch.tensor(y), "names": names}
    return lambda draft: draft.runs[draft.active].update(painted=found)


def twice(draft: Draft) -> None:
    draft.about["runs"].append(copy.deepcopy(draft.about["runs"][0]))


def circle(draft: Draft) -> None:
    one, other = [run["id"] for run in draft.about["runs"]]
    draft.run(one)["parent"], draft.run(other)["parent"] = other, one


def another_seed(draft: Draft) -> None:
    next(run for run in draft.about["runs"] if run["id"] != draft.active)["seed"] = 77


def params(**values: Any) -> Callable[[Draft], None]:
    return lambda draft: draft.newest()["params"].update(values)


XY = np.zeros((5, 2), np.float32)
FIVE = np.zeros(5, np.int32)
CLOUD = functools.partial(Points, XY)

WRONG: dict[str, Callable[[Draft], None]] = {
    # the tree
    "no runs": said(runs=[]),
    "two of one number": twice,
    "a number without a past": lambda draft: draft.runs.pop(draft.active),
    "a number below 0": put(id=-1),
    "nobody active": said(active=99),
    "true active": said(active=[1]),
    "a ghost that is no run": said(ghost=99),
    "a ghost of itself": lambda draft: draft.about.update(ghost=draft.active),
    "a parent that is no run": put(parent=99),
    "its own parent": lambda draft: draft.run(draft.active).update(parent=draft.active),
    "a circle": circle,
    "a start after the end": put(start=10_000),
    "a start before 0": put(start=-1),
    "runs of other seeds": another_seed,
    "an endless name": put(name="n" * 1000),
    "a name of two lines": put(name="a\nb"),
    "no name": put(name=None),
    "more inherited than there is": put(inherited=1000),
    "side by side with nobody": put(beside=["gmm"]),
    "half a comparison": put(beside=["gmm", {}]),
    # what it is a run of
    "a data set of others": put(dataset="bumps"),
    "no data set": put(dataset=""),
    "a seed beyond all": put(seed=2**70),
    "half a seed": put(seed=0.5),
    "a knob beyond its end": put(params={"k": 10**9}),
    "a knob turned to a list": put(params={"k": [1]}),
    "more points than there may be": put(data_params={"n": 10**9}),
    "data on another computer": put(data_dir="\\\\evil\\share"),
    "data on another computer, otherwise": put(data_dir="//evil/share/x"),
    "data in a device": put(data_dir="\\\\.\\COM1"),
    "an impossible folder": put(data_dir="a\0b"),
    # what else is said
    "too many threads": said(threads=10**9),
    "no threads": said(threads=0),
    "no device": said(device=None),
    "a long view": said(view={"x": "y" * 2**21}),
    "no view": said(view=[]),
    # what was done
    "turned what is no knob": logged("turned", 10, "unheard", 0.0, 1, 2),
    "turned beyond its end": logged("turned", 10, "k", 0.0, 1, 10**6),
    "turned at no time": logged("turned", 10, "k", 1e300, 1, 2),
    "turned at half a step": logged("turned", 10.5, "k", 0.0, 1, 2),
    "turned backwards": logged("turned", 0, "k", 0.0, 1, 2),
    "turned beyond all steps": logged("turned", 10**15, "k", 0.0, 1, 2),
    "acted as nobody can": logged("acted", 10, "explode", 0.0),
    "acted too much": logged("acted", 10, "move", 0.0, 1, 2),
    "done otherwise": logged("whispered", 10, "k", 0.0, 1, 2),
    "no log": put(log={"a": 1}),
    # what was recorded
    "nothing recorded": without("keyframes"),
    "no curves": without("scalars"),
    "nothing to go on from": lambda draft: draft.runs[draft.active].update(checkpoints={}),
    "pictures before the start": lambda draft: draft.runs[draft.active]["keyframes"].update({-3: {}}),
    "pictures at half a step": lambda draft: draft.runs[draft.active]["keyframes"].update({0.5: {}}),
    "far too many pictures": lambda draft: draft.runs[draft.active]["keyframes"].update(
        {step: {} for step in range(5000)}
    ),
    "a curve nobody follows": lambda draft: draft.runs[draft.active]["scalars"].update(
        unheard=(np.zeros(1, np.int64), np.zeros(1))
    ),
    "a curve that runs backwards": scalars([0, 2, 1], [0.0, 1.0, 2.0]),
    "a curve from before the start": scalars([-1, 2], [0.0, 1.0]),
    "a curve of other numbers": scalars([0.0, 1.0], [0.0, 1.0]),
    "a curve that is longer than its steps": scalars([0, 1], [0.0, 1.0, 2.0]),
    "a curve that is no number": scalars([0, 1], [0.0, np.nan]),
    "a curve of curves": scalars([[0, 1]], [[0.0, 1.0]]),
    # pictures
    "a picture nobody shows": shown(unheard=CLOUD()),
    "another kind of picture": shown(cloud=Note(_("hello"))),
    "a picture that is none": shown(cloud="hello"),
    "points of three": shown(cloud=Points(np.zeros((5, 3), np.float32))),
    "points of others": shown(cloud=Points(np.zeros((5, 2)))),
    "points in a row": shown(cloud=Points(np.zeros(10, np.float32))),
    "labels for others": shown(cloud=CLOUD(np.zeros(4, np.int32))),
    "labels of others": shown(cloud=CLOUD(np.zeros(5, np.float32))),
    "labels beyond the names": shown(cloud=CLOUD(FIVE + 3, ("a", "b"))),
    "labels below all": shown(cloud=CLOUD(FIVE - 2)),
    "classes beyond all": shown(cloud=CLOUD(classes=FIVE + 2**30)),
    "classes below all": shown(cloud=CLOUD(classes=FIVE - 1)),
    "half a blend": shown(cloud=CLOUD(FIVE, other=FIVE)),
    "names that are none": shown(cloud=CLOUD(FIVE, ("a", 3))),
    "names in a list": shown(cloud=CLOUD(FIVE, ["a", "b"])),
    "three axes": shown(cloud=CLOUD(axes=("a", "b", "c"))),
    "equal to nothing": shown(cloud=CLOUD(equal=None)),
    "half a point in all": shown(cloud=CLOUD(total=2.5)),
    "a layer of points": shown(cloud=CLOUD(layers=(CLOUD(),))),
    "a layer that is none": shown(cloud=CLOUD(layers=("x",))),
    "too many marks": shown(cloud=CLOUD(layers=(Markers(np.zeros((5000, 2), np.float32)),))),
    "trails of others": shown(cloud=CLOUD(layers=(Markers(XY, np.zeros((3, 4, 2), np.float32)),))),
    "lines without ends": shown(cloud=CLOUD(layers=(Segments(XY, XY[:3]),))),
    "a huge sentence": shown(cloud=CLOUD(axes=("x" * 100_000, "y"))),
    # states
    "a state of another step": kept(step=0),
    "a state without a step": lambda draft: draft.newest()["experiment"].pop("step"),
    "no random state": kept(rng=torch.zeros(10, dtype=torch.uint8)),
    "a wild random state": kept(rng=torch.full((5056,), 255, dtype=torch.uint8)),
    "a knob of the state beyond its end": params(k=1000),
    "a knob of the state that is none": params(unheard=1),
    "weights of another size": kept(centres=torch.zeros(3, 7)),
    "weights of another kind": kept(centres=torch.zeros(3, 2, dtype=torch.float64)),
    "weights that do not belong together": kept(centres=torch.zeros(4, 2)),
    "no weights at all": kept(centres=torch.zeros(0, 2)),
    "weights that are no tensor": kept(centres=[[0.0, 0.0]] * 3),
    "weights that are no numbers": kept(centres=torch.full((3, 2), torch.nan)),
    "a word for a number": kept(moved="far"),
    "a picture in a state": kept(more=CLOUD()),
    # painted points
    "points painted in space": painted([[0.0, 0.0, 0.0]] * 9, [0] * 9),
    "points painted nowhere": painted([[np.nan, 0.0]] * 9, [0] * 9),
    "no points painted": painted(np.zeros((0, 2), np.float32), []),
    "points of a class without a name": painted([[0.0, 0.0]] * 9, [1] * 9),
    "points of no class": painted([[0.0, 0.0]] * 9, [0.0] * 9),
    "fewer points than centres": painted([[0.0, 0.0]], [0]),
}


def test_the_draft_is_a_good_session(path: Path, hands: Hands) -> None:
    draft = Draft("kmeans")
    draft.write(path)
    assert survive(path, hands) == "opened"


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_in_one_place_is_refused(what: str, path: Path, standing: Hands) -> None:
    draft = Draft("kmeans")
    WRONG[what](draft)
    draft.write(path)
    assert survive(path, standing) == "refused"


def test_other_pictures_are_looked_at_as_closely() -> None:
    pixels, x = np.zeros((4, 3, 3), np.float32), np.zeros(6, np.float32)
    wrong: list[Any] = [
        Images(np.zeros((4, 3), np.float32)),
        Images(np.zeros((4, 3, 3, 2), np.float32)),
        Images(np.zeros((4, 0, 3), np.float32)),
        Images(np.zeros((1, 5000, 3), np.float32)),
        Images(pixels, columns=0),
        Images(pixels, captions=("a",)),
        Images(pixels, items=np.zeros(3, np.int32)),
        Images(pixels, signed=1),  # type: ignore[arg-type]
        Curve(x, {"a": x[:3]}),
        Curve(x, {"a": np.zeros((6, 1), np.float32)}),
        Curve(x, {3: x}),  # type: ignore[dict-item]
        Curve(x, {str(n): x for n in range(2000)}),
        Curve(x, {}, log=(True, 2)),  # type: ignore[arg-type]
        Curve(x, {}, mark=float("nan")),
        Curve(x, {}, span=(0.0,)),  # type: ignore[arg-type]
        Curve(x, {}, marks=("a",)),  # type: ignore[arg-type]
        Curve(x, {}, quiet=np.zeros((2, 5), np.float32)),
        Curve(x, {}, dots=x),
        Curve(x, {}, segments=Markers(XY)),  # type: ignore[arg-type]
        Note(3),  # type: ignore[arg-type]
    ]
    for payload in wrong:
        with pytest.raises(ValueError, match=r"\w"):
            sound.check_payload(payload, Channel(type(payload), _("title")))


@pytest.mark.skipif(os.name != "posix", reason="folders as POSIX has them")
def test_data_that_cannot_be_had_are_named(path: Path, tmp_path: Path, standing: Hands) -> None:
    table = tmp_path / "table.csv"
    table.write_text("a,b\n" + "".join(f"{n},{n * n % 7}\n" for n in range(40)))
    os.mkfifo(tmp_path / "pipe")
    own = Hands()
    own.start(RunSpec("kmeans", "own_table", {"k": 2}, 1, table))
    members = own.members()
    for place in ("/dev/zero", "/dev/stdin", "pipe", "nowhere", "/proc/self/mem", "", ".", "x" * 5000):
        about = json.loads(members["session.json"])  # type: ignore[arg-type]
        about["runs"][0]["data_dir"] = str(tmp_path / place)
        session.write(path, {**members, "session.json": plain(about)})
        assert survive(path, standing) == "refused", place
    session.write(path, members)
    assert survive(path, own) == "opened"


def test_computers_that_a_person_knows_are_no_strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound, "_familiar", set())
    monkeypatch.setattr(Path, "home", lambda: Path(r"\\home\anna"))
    near, there = Path(r"C:\x.latentarium"), Path(r"\\Server\share\table.csv")
    assert sound.stranger(there, near)
    assert not sound.stranger(there, Path(r"\\server\other\x.latentarium"))
    assert not sound.stranger(Path(r"\\home\anna\x"), near)
    assert not sound.stranger(Path(r"D:\table.csv"), near)
    assert not sound.stranger(Path("/srv/table.csv"), near)
    sound.meet(there)
    assert not sound.stranger(there, near)
    assert sound.stranger(Path(r"\\?\UNC\evil\share"), near)


@pytest.mark.parametrize(
    "msgid", ["{n:>9999999}", "{n.__class__}", "{n!r}", "{m}", "{}", "{n", "{n[0]}", "{n:{n}}", "x" * 10_000]
)
def test_sentences_may_not_ask_for_more_than_numbers(msgid: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        sound.sentence(msgid, {"n": 3})
    assert sound.sentence("{n:,.1f} %", {"n": 1234.5}) == "1,234.5 %"


# ── states that do not fit ──────────────────────────────────────────────────────────────────────────────────


def spoil(draft: Draft, id_: int) -> None:
    """One array in the newest state of a run becomes larger than the experiment allows."""
    state = draft.newest(id_)["experiment"]
    found = [(holder, key) for holder, key in arrays_in(state) if key != "rng"]
    holder, key = found[0]
    holder[key] = torch.cat([holder[key]] * 2)[None]


def arrays_in(state: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Every tensor with axes, by where it stands."""
    for key, value in state.items():
        if isinstance(value, torch.Tensor) and value.ndim:
            yield state, key
        elif isinstance(value, dict):
            yield from arrays_in(value)


@pytest.mark.parametrize("name", SPECS)
def test_a_state_that_does_not_fit_is_refused_at_once_or_when_it_is_wanted(
    name: str, path: Path, hands: Hands
) -> None:
    draft = Draft(name)
    spoil(draft, draft.shown)
    draft.write(path)
    assert survive(path, hands) == "refused"

    draft = Draft(name)
    other = next(run["id"] for run in draft.about["runs"] if run["id"] not in (0, draft.active))
    spoil(draft, other)
    draft.write(path)
    hands.load(path)
    loop = hands.loop
    assert loop._tree is not None
    before, state = (loop._runner, loop._tree.active, loop._tree.pair), loop._runner.state()
    with pytest.raises(InputError, match="does not fit"):
        hands.do("switch", other)
    assert (loop._runner, loop._tree.active, loop._tree.pair) == before
    assert attacks.same(loop._runner.state(), state)
    assert not [e for e in hands.mailbox.take().events if isinstance(e, Failed)]
    hands.train(1)


# ── files that are wrong anywhere ───────────────────────────────────────────────────────────────────────────


@pytest.fixture
def engines() -> Iterator[Callable[[], Hands]]:
    """An engine with a run, a new one whenever the last has opened something."""
    last: list[Hands] = []

    def make(*, fresh: bool = False) -> Hands:
        if fresh or not last:
            last[:] = [Hands()]
            last[0].start(SPECS["sampling"])
        return last[0]

    yield make
    last.clear()


@pytest.mark.parametrize("name", SOME)
def test_changed_files_are_refused_or_can_be_gone_on_with(name: str, path: Path, engines: Any) -> None:
    outcome = ""
    for number in range(FILES):
        session.write(path, changed(made(name), random.Random(f"{name}/{number}")))
        outcome = survive(path, engines(fresh=outcome == "opened"))
