"""Session files as nobody would write them, made from good ones, with checksums that are right.

``survive`` is what must hold for each: it is refused in a sentence that names it, and the run at hand stays
as it was; or it opens, and can be scrubbed, branched, switched, trained on and saved again.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import io
import json
import random
import struct
import threading
import time
import warnings
import zipfile
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.core import session
from engine.core.events import Failed, Opened, RunSpec
from engine.core.experiment import Beside
from engine.core.loop import Loop
from engine.core.mailbox import Mailbox
from engine.core.runner import DivergedError
from engine.core.text import InputError

Members = dict[str, session.Content]
SECONDS = 2.0
"""Within so many a file is refused or open."""
SPECS = {
    "kmeans": RunSpec("kmeans", "blobs", {"k": 3}, 1, data_params={"n": 100}),
    "digits": RunSpec("kmeans", "digits", {"k": 3}, 1),
    "gmm": RunSpec("gmm", "blobs", {"k": 3}, 1, data_params={"n": 100}),
    "pca": RunSpec("pca", "digits", {}, 1),
    "kde": RunSpec("kde", "bumps", {"n": 20}, 1),
    "sampling": RunSpec("sampling", "", {"repeats": 2}, 1),
    "kl": RunSpec("kl", "", {}, 1),
    "distances": RunSpec("distances", "", {}, 1),
    "tsne": RunSpec("tsne", "blobs", {}, 1, data_params={"n": 100}),
    "umap": RunSpec("umap", "blobs", {}, 1, data_params={"n": 100}),
    "perplexity": RunSpec("perplexity", "blobs", {}, 1, data_params={"n": 100}),
    "manifold": RunSpec("manifold", "blobs", {}, 1, data_params={"n": 100}),
    "beside": RunSpec("kmeans", "blobs", {"k": 3}, 1, data_params={"n": 100}, beside=Beside("gmm", {"k": 2})),
}


# ── an engine that can be driven by hand ────────────────────────────────────────────────────────────────────


class Hands:
    """All that the loop of an engine wants of it, without a thread: whatever goes wrong is raised here."""

    def __init__(self) -> None:
        self.mailbox = Mailbox()
        self._device, self._threads = "cpu", 1
        self._wanted, self._closing = 1, False
        self._cancelled = threading.Event()
        self._condition = threading.Condition()
        self._commands: deque[Any] = deque()
        self.loop = Loop(self, "cpu")  # type: ignore[arg-type]

    def do(self, command: str, *args: Any) -> list[Any]:
        """Obey, and train for as long as that says. Returns the events."""
        self.loop._obey(command, args)
        while self.loop._status == "running" and self.loop._left is not None:
            self.loop._advance()
        return self.mailbox.take().events

    def start(self, spec: RunSpec) -> None:
        self.do("start", spec, False, 1)
        self.do("watch", frozenset(self.loop._runner.info.channels))

    def load(self, path: Path) -> list[Any]:
        return self.do("load", path, 1)

    def train(self, steps: int) -> None:
        """So many steps; a run that diverges is stopped, as the engine does it."""
        try:
            self.do("advance", steps)
        except DivergedError as error:
            self.loop._fail(error)

    def members(self) -> Members:
        """Those of a session with all that there is now."""
        self.loop._settle()
        tree = self.loop._tree
        assert tree is not None
        return session.collect(tree, {"shown": 1, "selected": [1, 2]}, device="cpu", threads=1)


def good(name: str) -> Members:
    """The members of a session: a run with two branches, some of it done by hand, or two side by side."""
    hands, spec = Hands(), SPECS[name]
    hands.start(spec)
    hands.train(4)
    live = next(k for k in hands.loop._runner.info.knobs if k.live)
    turned = live.low + (live.kind == "int") if live.kind in ("int", "float") else live.options[-1][0]
    hands.do("set", live.name, turned)
    hands.train(2)
    hands.do("seek", 1)
    hands.do("set", live.name, turned)
    hands.train(3)
    hands.do("rename", max(hands.loop._tree.nodes), "another")
    if name == "kmeans":
        hands.do("act", "move", (0, 1.0, 2.0))
        hands.do("paint", np.random.default_rng(0).normal(size=(50, 2)).astype("f4"), np.zeros(50, "i4"))
        hands.train(2)
    if name == "gmm":
        hands.do("set_beside", 1, max(hands.loop._tree.nodes))
        hands.train(1)
    return copy.deepcopy(hands.members())


# ── changes ─────────────────────────────────────────────────────────────────────────────────────────────────

ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 7, 2**31 - 1, 2**31, 2**63, 10**18, -(10**18), 0.5, -1.5, 1e300, 1e-300,
    "", "x", "a", "b.k", "../..", "\0", "\x1b[31m", "x" * 5000, "{n.__class__}", "{0:>999999999}",
    "\\\\evil\\share", [], {}, [[]], {"$tuple": []}, {"$list": [1]}, {"$dict": []}, {"$array": "a0"},
    {"$tensor": "a0"}, {"$same": "p1"}, {"$text": "{n:>999999999}", "values": {"n": 1}},
    {"$payload": "Note", "name": "p9", "fields": {"text": "hello"}},
)  # fmt: skip


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a tree of JSON values, with each of its keys."""
    if isinstance(tree, dict):
        for key in list(tree):
            yield tree, key
            yield from places(tree[key])
    elif isinstance(tree, list):
        for at in range(len(tree)):
            yield tree, at
            yield from places(tree[at])


def change_json(tree: Any, rng: random.Random) -> None:
    """One change somewhere: another value, a neighbour's, none, twice the same."""
    found = list(places(tree))
    container, key = rng.choice(found)
    what = rng.randrange(10)
    if what < 5:
        container[key] = copy.deepcopy(rng.choice(ODD))
    elif what == 5:
        other, its = rng.choice(found)
        container[key] = copy.deepcopy(other[its])
    elif what == 6:
        del container[key]
    elif what == 7 and isinstance(container, list):
        container.insert(key, copy.deepcopy(container[key]))
    elif what == 8 and isinstance(container, dict):
        container[rng.choice(("name", "$list", "x", ""))] = container.pop(key)
    elif isinstance(container[key], (int, float)) and not isinstance(container[key], bool):
        container[key] += rng.choice((-1, 1, 0.5, 1000))
    else:
        container[key] = copy.deepcopy(rng.choice(ODD))


def change_array(arrays: dict[str, np.ndarray], rng: random.Random) -> None:
    """One array becomes another."""
    name = rng.choice(list(arrays))
    array = arrays[name]
    what = rng.randrange(11)
    if what == 0:
        array = array.astype(rng.choice(("f8", "f4", "f2", "i8", "i4", "u1", "?")))
    elif what == 1:
        array = array[None]
    elif what == 2:
        array = array[:-1] if array.ndim else array[None, None]
    elif what == 3:
        array = np.concatenate([array, array]) if array.ndim else array
    elif what == 4:
        array = np.ascontiguousarray(array.T)
    elif what == 5:
        array = array[:0] if array.ndim else array
    elif what == 6:
        array = array.reshape(-1)
    elif what == 7:
        array = arrays[rng.choice(list(arrays))]
    else:
        array = array.copy()
        odd = (
            (np.nan, np.inf, -np.inf, 1e38, -1e38, 0)
            if array.dtype.kind == "f"
            else (-1, 0, 1, 127, 2**31 - 1)
        )
        with np.errstate(all="ignore"):
            value = np.array(rng.choice(odd)).astype(array.dtype)
        if what == 8 or array.size == 0:
            array[...] = value
        else:
            array.reshape(-1)[rng.randrange(array.size)] = value
    arrays[name] = np.ascontiguousarray(array).reshape(array.shape)


def changed(members: Mapping[str, session.Content], rng: random.Random) -> Members:
    """``members`` with a few changes."""
    about, runs = json.loads(members["session.json"]), json.loads(members["runs.json"])  # type: ignore[arg-type]
    arrays = dict(members["runs.safetensors"])  # type: ignore[arg-type]
    for _time in range(rng.choice((1, 1, 1, 2, 4))):
        what = rng.randrange(4)
        if what == 0:
            change_json(about, rng)
        elif what == 1:
            change_array(arrays, rng)
        else:
            change_json(runs, rng)
    return {"session.json": plain(about), "runs.json": plain(runs), "runs.safetensors": arrays}


def plain(tree: Any) -> bytes:
    return json.dumps(tree).encode()


# ── what must hold ──────────────────────────────────────────────────────────────────────────────────────────


def same(a: Any, b: Any) -> bool:
    """Whether two trees of states hold the same."""
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


def survive(path: Path, hands: Hands) -> str:
    """ "refused", or "opened" after all that somebody may do with it. ``hands`` has a run of its own."""
    before = hands.loop._runner, hands.loop._tree, hands.loop._runner.state()
    begun = time.perf_counter()
    try:
        events = hands.load(path)
    except InputError as error:
        sentence = str(error.sentence)
        assert path.name in sentence, sentence
        assert sentence.endswith("."), sentence
        assert "\n" not in sentence, sentence
        assert (hands.loop._runner, hands.loop._tree) == before[:2]
        assert same(hands.loop._runner.state(), before[2])
        assert not [e for e in hands.mailbox.take().events if isinstance(e, Failed)]
        return "refused"
    finally:
        assert time.perf_counter() - begun < SECONDS
    assert isinstance(events[-1], Opened)
    use(hands, path)
    return "opened"


def use(hands: Hands, path: Path) -> None:
    """Look at everything, go on from everywhere, and save."""
    loop = hands.loop
    assert loop._tree is not None
    hands.do("watch", frozenset(loop._runner.info.channels))
    for id_ in [None, *loop._tree.nodes]:
        if id_ is not None:
            try:
                hands.do("switch", id_)
            except InputError:
                continue
        for step in loop._timeline.steps:
            hands.do("seek", step)
        hands.do("seek", None)
        hands.train(3)
    for id_ in list(loop._tree.nodes):
        hands.do("haunt", id_)
        hands.do("rename", id_, "n")
    again = path.with_name("again" + session.SUFFIX)
    session.write(again, hands.members())
    assert len(session.load(again).tree.nodes) == len(loop._tree.nodes)
    with contextlib.suppress(InputError):
        hands.do("branch", min(loop._timeline.checkpoints))
        hands.train(1)


# ── zips ────────────────────────────────────────────────────────────────────────────────────────────────────


def written(members: Mapping[str, session.Content]) -> dict[str, bytes]:
    """The bytes of each member, and of their manifest."""
    found = {name: b"".join(map(bytes, session._blocks(content))) for name, content in members.items()}
    sums = {name: {"size": len(c), "sha256": hashlib.sha256(c).hexdigest()} for name, c in found.items()}
    return {"manifest.json": plain({"format": "latentarium session", "schema": 2, "members": sums}), **found}


def zipped(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of any members, in this order."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def end_of(content: bytes) -> int:
    """Where the last record of a zip begins."""
    return content.rindex(session.END)


def in_directory(content: bytes, name: str, at: int, value: bytes) -> bytes:
    """A zip with other bytes in what its directory says of a member."""
    place = content.rindex(b"PK\x01\x02", 0, content.rindex(name.encode()))
    return content[: place + at] + value + content[place + at + len(value) :]


def with_far_end(content: bytes, entries: int) -> bytes:
    """A zip that says in the manner of those beyond 4 GB how many members it has."""
    end, offset = end_of(content), int.from_bytes(content[-6:-2], "little")
    head, directory, last = content[:offset], content[offset:end], content[end:]
    one = b"PK\x01\x02" + bytes(24) + (4).to_bytes(2, "little") + bytes(16) + b"name"
    directory += one * entries
    size, count = len(directory), entries + 4
    far = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, size, len(head))
    locator = b"PK\x06\x07" + struct.pack("<IQI", 0, len(head) + size, 1)
    return head + directory + far + locator + last


HARMLESS = ("a link", "a lie about a packed size")
"""Nothing is unpacked to where a link might lead, and nobody believes how large a packed member is."""


def zip_attacks(members: Mapping[str, session.Content]) -> dict[str, bytes]:
    """Files that are no session, or none that is in order."""
    good_ = written(members)
    whole = zipped(good_)
    manifest, body = (
        json.loads(good_["manifest.json"]),
        {n: c for n, c in good_.items() if n != "manifest.json"},
    )

    def as_runs(content: bytes) -> bytes:
        return zipped(written({**members, "runs.json": content}))

    def as_manifest(value: Any) -> bytes:
        return zipped({"manifest.json": plain(value), **body})

    many = zipped({str(n): b"" for n in range(2000)})
    text = good_["runs.json"].decode()
    cases = {
        "empty": b"",
        "text": b"hello",
        "only an end": whole[end_of(whole) :],
        "half": whole[: len(whole) // 2],
        "without its end": whole[:-1],
        "a comment": whole[:-2] + b"\x05\0hello",
        "an end in the end": whole[:-6] + session.END + whole[-2:],
        "a member more": zipped({**good_, "more": b"x"}),
        "a way out": zipped({**good_, "../../evil": b"x"}),
        "a way to the root": zipped({**good_, "/etc/evil": b"x"}),
        "a member less": zipped({n: c for n, c in good_.items() if n != "runs.json"}),
        "no manifest": zipped(body),
        "other letters": zipped({n.upper(): c for n, c in good_.items()}),
        "many members": many,
        "a million members": with_far_end(whole, 1_000_000),
        "a far end": with_far_end(whole, 0),
        "lzma": zipped(good_, zipfile.ZIP_LZMA),
        "bzip2": zipped(good_, zipfile.ZIP_BZIP2),
        "encrypted": in_directory(whole, "runs.json", 8, b"\1\0"),
        "a link": in_directory(whole, "runs.json", 38, b"\0\0\xff\xa1"),
        "a lie about its size": in_directory(whole, "runs.json", 24, struct.pack("<I", 5)),
        "a lie about a huge size": in_directory(whole, "runs.json", 24, struct.pack("<I", 2**31 - 1)),
        "a lie about a packed size": in_directory(whole, "runs.json", 20, struct.pack("<I", 2**31 - 1)),
        "a bomb": as_runs(b"0" * 50_000_000),
        "a bomb of a manifest": zipped({"manifest.json": b"[" + b" " * 10_000_000 + b"]", **body}),
        "other checksums": as_manifest({"schema": 2, "members": {name: {"sha256": "0"} for name in body}}),
        "no checksums": as_manifest({"schema": 2}),
        "no schema": as_manifest({"members": manifest["members"]}),
        "schema 0": as_manifest({**manifest, "schema": 0}),
        "schema true": as_manifest({**manifest, "schema": True}),
        "schema 1 with members of 2": as_manifest({**manifest, "schema": 1}),
        "a list": as_manifest([manifest]),
        "deep": as_runs(b"[" * 200_000),
        "deep in names": as_runs(b'{"$list":[' * 200_000),
        "NaN": as_runs(text.replace("0", "NaN", 1).encode()),
        "1e999": as_runs(text.replace("0", "1e999", 1).encode()),
        "a number of 5000 digits": as_runs(text.replace("0", "9" * 5000, 1).encode()),
        "a number of 4000 digits": as_runs(text.replace("0", "9" * 4000, 1).encode()),
        "half a character": as_runs(text.replace('"x"', '"\\ud800"').encode()),
        "other bytes": as_runs(b"\xff\xfe" + text.encode("utf-16-le")),
        "no dictionary": as_runs(b"[]"),
        "nothing": as_runs(b"null"),
        "arrays that are none": zipped(written({**members, "runs.safetensors": b"nothing"})),
        "arrays beyond the end": zipped(written({**members, "runs.safetensors": b"\xff" * 20})),
        "too many arrays": zipped(
            written({**members, "runs.safetensors": _heads(300_000)}), zipfile.ZIP_STORED
        ),
    }  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python says what is wrong with it while it writes
        file = io.BytesIO(whole)
        with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("runs.json", b"{}")
        cases["two of one name"] = file.getvalue()
    return cases


def _heads(count: int) -> bytes:
    """So many arrays without content, in the format of safetensors."""
    head = plain({f"{n:x}": {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]} for n in range(count)})
    head += b" " * (-len(head) % 8)
    return len(head).to_bytes(8, "little") + head
