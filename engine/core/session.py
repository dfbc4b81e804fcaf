"""Runs in one file, complete enough to go on training from it.

A session is a zip of fixed names. ``manifest.json`` gives the format's version and the size and SHA-256 of
every other member; ``session.json`` says what the runs were and what was on screen; the recorded runs with
their weights are a tree of plain values in JSON whose arrays lie in safetensors. Nothing is ever unpickled. A
file is written beside its place, flushed to the disk and then renamed, so that a crash at any moment leaves
the former file whole; that one is kept as ``.1``.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import hashlib
import json
import math
import os
import platform
import shutil
import uuid
import zipfile
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np
import safetensors
import safetensors.numpy
import torch

from engine.core import frame as payloads
from engine.core import runner, sound
from engine.core.duo import Run
from engine.core.events import RunSpec, Turned
from engine.core.experiment import Beside, Info
from engine.core.runner import explain_failure, load_data, values_of, with_values
from engine.core.text import CancelledError, InputError, Text, _
from engine.core.timeline import MOST, Timeline
from engine.core.tree import PAIR, Node, Tree
from engine.data.files.guard import check_file, named, too_large
from engine.data.files.report import printable
from engine.data.registry import Dataset, nothing

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

SCHEMA = 2
SUFFIX = ".latentarium"
SCRAP = ".saving-"
"""Begins the name of a file that is being written."""
MEMBERS = ("session.json", "runs.json", "runs.safetensors")
FORMER_MEMBERS = ("session.json", "state.json", "state.safetensors", "timeline.json", "timeline.safetensors")
"""Of schema 1, which knew one run only."""
LARGEST = 2 * 2**30 - 2**24  # bytes, all members together; beyond them a zip is another format
LARGEST_RATIO = 200  # uncompressed to compressed: more is a bomb
LARGEST_TEXT = 2**26  # bytes of JSON in a member
LARGEST_MANIFEST = 2**16  # bytes
LARGEST_VIEW = 2**20  # bytes of JSON for what was on screen
MOST_VALUES = 3_000_000  # in the JSON of a member: each takes about a hundred bytes of memory
MOST_ARRAYS = 250_000
MOST_MEMBERS = 100  # a newer version may have more than this one
BLOCK = 4 * 2**20  # bytes written between two looks whether it is still wanted
END, FAR_END = b"PK\x05\x06", b"PK\x06\x07"
"""Begin the last record of a zip, 22 bytes, and the one before it in a zip of more than 4 GB, 20 bytes."""
_PAYLOADS = {
    cls.__name__: cls
    for cls in vars(payloads).values()
    if dataclasses.is_dataclass(cls) and isinstance(cls, type) and cls.__module__ == payloads.__name__
}
_DTYPES = {
    np.dtype(kind): name
    for kind, name in (
        ("f8", "F64"), ("f4", "F32"), ("f2", "F16"), ("i8", "I64"), ("i4", "I32"), ("i2", "I16"),
        ("i1", "I8"), ("u8", "U64"), ("u4", "U32"), ("u2", "U16"), ("u1", "U8"), ("?", "BOOL"),
    )
}  # fmt: skip
Tell = Callable[[float], None]
Arrays = dict[str, np.ndarray]
Content = bytes | Arrays
"""A member: its bytes, or arrays to be written as safetensors."""


# ── trees of plain values and arrays ────────────────────────────────────────────────────────────────────────


def encode(tree: Any, arrays: Arrays, names: dict[Hashable, str]) -> Any:
    """``tree`` as JSON values; its arrays go to ``arrays`` and are referred to by name. Each of them, each
    picture and each row of words is stored once.

    names: what was stored (ids of what the caller keeps alive, or words themselves) to its name, over several
    trees that share it.

    Raises:
        TypeError: there is something in the tree that a session cannot hold.
    """
    if tree is None or isinstance(tree, (bool, int, float)):
        return tree
    if isinstance(tree, Text):
        return {"$text": tree.msgid, "values": {k: encode(v, arrays, names) for k, v in tree.values.items()}}
    if isinstance(tree, str):
        return tree
    if isinstance(tree, (torch.Tensor, np.ndarray)):
        if id(tree) not in names:
            names[id(tree)] = f"a{len(names)}"
            flat = tree.detach().cpu().numpy() if isinstance(tree, torch.Tensor) else tree
            arrays[names[id(tree)]] = np.ascontiguousarray(flat).reshape(flat.shape)
        return {"$tensor" if isinstance(tree, torch.Tensor) else "$array": names[id(tree)]}
    if isinstance(tree, Mapping):
        return {"$dict": [[encode(k, arrays, names), encode(v, arrays, names)] for k, v in tree.items()]}
    if isinstance(tree, (list, tuple)):
        kind = "$list" if isinstance(tree, list) else "$tuple"
        key = _as_words(tree)
        if key in names:
            return {"$same": names[key]}
        found: dict[str, Any] = {kind: [encode(v, arrays, names) for v in tree]}
        if key is not None:
            found["name"] = names[key] = f"w{len(names)}"
        return found
    if type(tree).__name__ in _PAYLOADS:
        if id(tree) in names:
            return {"$same": names[id(tree)]}
        name = names[id(tree)] = f"p{len(names)}"
        fields = {f.name: encode(getattr(tree, f.name), arrays, names) for f in dataclasses.fields(tree)}
        return {"$payload": type(tree).__name__, "name": name, "fields": fields}
    raise TypeError(f"a session cannot hold a {type(tree).__name__}")


def _as_words(row: list[Any] | tuple[Any, ...]) -> Hashable:
    """What a tuple of several texts is known by: pictures say the same names again at each step."""
    if isinstance(row, list) or len(row) < 2 or not all(isinstance(one, str) for one in row):
        return None
    return tuple((one, one.msgid if isinstance(one, Text) else None) for one in row)


class _Decoder:
    """The opposite of ``encode``. shared: what has a name, so that what was shared is shared again."""

    def __init__(self, arrays: Mapping[str, np.ndarray], shared: dict[str, Any], tell: Tell) -> None:
        self._arrays, self._shared, self._tell = arrays, shared, tell
        self._kinds: dict[str, Callable[[Any, dict[str, Any]], Any]] = {
            "$text": self._text, "$tensor": self._tensor, "$array": self._array, "$dict": self._dict,
            "$list": self._list, "$tuple": self._tuple, "$payload": self._payload, "$same": self._same,
        }  # fmt: skip

    def value(self, tree: Any) -> Any:
        """What ``encode`` made ``tree`` from."""
        if not isinstance(tree, dict):
            if isinstance(tree, list):
                raise TypeError("a bare list")
            return tree
        kind = next(iter(tree))
        return self._kinds[kind](tree[kind], tree)

    def _text(self, msgid: Any, tree: dict[str, Any]) -> Any:
        return sound.sentence(msgid, {name: self.value(value) for name, value in tree["values"].items()})

    def _tensor(self, name: Any, _tree: dict[str, Any]) -> Any:
        if name not in self._shared:
            self._shared[name] = torch.from_numpy(self._arrays[name])
        return self._shared[name]

    def _array(self, name: Any, _tree: dict[str, Any]) -> Any:
        return self._arrays[name]

    def _dict(self, pairs: Any, _tree: dict[str, Any]) -> Any:
        return {self.value(key): self.value(value) for key, value in pairs}

    def _list(self, values: Any, _tree: dict[str, Any]) -> Any:
        return [self.value(value) for value in values]

    def _tuple(self, values: Any, tree: dict[str, Any]) -> Any:
        found = tuple([self.value(value) for value in values])
        if "name" in tree and not all(isinstance(one, str) for one in found):
            raise TypeError("only words are said again: of tuples of tuples there would be no end")
        return self._keep(tree, found)

    def _payload(self, kind: Any, tree: dict[str, Any]) -> Any:
        self._tell(min(len(self._shared) / max(len(self._arrays), 1), 1.0))
        fields = {name: self.value(value) for name, value in tree["fields"].items()}
        return self._keep(tree, _PAYLOADS[kind](**fields))

    def _same(self, name: Any, _tree: dict[str, Any]) -> Any:
        return self._shared[name]

    def _keep(self, tree: dict[str, Any], value: Any) -> Any:
        if "name" in tree:
            self._shared[tree["name"]] = value
        return value


def decode(tree: Any, arrays: Mapping[str, np.ndarray], shared: dict[str, Any], tell: Tell = nothing) -> Any:
    """The opposite of ``encode``. shared: as in ``_Decoder``.

    Raises:
        KeyError, TypeError, ValueError: it is not what ``encode`` wrote.
    """
    return _Decoder(arrays, shared, tell).value(tree)


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────


def collect(tree: Tree, view: Mapping[str, Any], *, device: str, threads: int) -> dict[str, Content]:
    """What ``write`` writes: everything as it is now. Nothing large is copied, and nothing in it changes
    afterwards, so that it can be written on another thread.

    view: what is on screen, in plain JSON values.

    Raises:
        InputError: ``view`` is too large, or all of it together.
    """
    nodes = [*tree.nodes.values(), *([tree.pair] if tree.pair is not None else [])]
    about = {
        "runs": [_about(node) for node in nodes],
        "active": tree.active,
        "ghost": tree.ghost,
        "beside": tree.beside,
        "threads": threads,
        "device": device,
        "versions": versions(),
        "view": dict(view),
    }
    if len(_json(about["view"])) > LARGEST_VIEW:
        raise InputError(_("Too much is selected to be saved; select less."))
    arrays: Arrays = {}
    runs = _json(encode({node.id: _recorded(node) for node in nodes}, arrays, {}))
    members: dict[str, Content] = {
        "session.json": _json(about), "runs.json": runs, "runs.safetensors": arrays,
    }  # fmt: skip
    fits = sum(map(_size, members.values())) <= LARGEST and len(arrays) <= MOST_ARRAYS
    if not fits or len(runs) > LARGEST_TEXT or _values(runs) > MOST_VALUES:
        raise InputError(_("These runs are too large for one file. Delete some of them, and save again."))
    return members


def _about(node: Node) -> dict[str, Any]:
    spec = node.spec
    return {
        "id": node.id, "parent": node.parent, "start": node.start, "name": node.name,
        "inherited": node.inherited,
        "log": [
            ["turned", done.step, done.name, done.at, done.old, done.new] if isinstance(done, Turned)
            else ["acted", done.step, done.name, done.at] for done in node.log
        ],
        "experiment": spec.experiment, "dataset": spec.dataset, "params": dict(spec.params),
        "seed": spec.seed, "data_params": dict(spec.data_params),
        "data_dir": None if spec.data_dir is None else str(spec.data_dir),
        "beside": None if spec.beside is None else [spec.beside.experiment, dict(spec.beside.params)],
    }  # fmt: skip


def _recorded(node: Node) -> dict[str, Any]:
    timeline, data = node.timeline, node.data
    found: dict[str, Any] = {
        "scalars": {
            n: (np.array(s, np.int64), np.array(v, np.float64)) for n, (s, v) in timeline.scalars.items()
        },
        "keyframes": dict(timeline.keyframes),
        "checkpoints": dict(timeline.checkpoints),
    }
    if data.painted:
        found["painted"] = {"x": data.x, "y": data.y, "names": data.names}
    return found


def _json(tree: Any) -> bytes:
    written = json.dumps(tree, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return written.encode("utf-8", "surrogatepass")  # a path may have letters that are none


def _values(content: bytes) -> int:
    """About how many values there are in JSON, before it is parsed."""
    return sum(map(content.count, (b",", b"[", b"{")))


def write(
    path: Path,
    members: Mapping[str, Content],
    *,
    tell: Tell = nothing,
) -> None:
    """Zip ``members`` and their manifest to ``path``: the whole new file, or the former one untouched; that
    one is kept beside it as ``….1``. Needs no torch.

    Several may write to one place at a time: each writes a file of its own, and the last one to end stays.

    tell: told the share done; what it raises ends the writing.

    Raises:
        InputError: the place cannot be written, or the disk is full.
    """
    place = Path(os.path.realpath(path))  # a link goes on to show where it did
    temporary = former = None
    moved = False  # whether there is nothing at ``place`` for the moment
    try:
        if place.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        _sweep(place.parent)
        with _begin(place) as file:
            temporary = Path(file.name)
            if _fill(file, members, zipfile.ZIP_DEFLATED, tell) > LARGEST_RATIO / 2 * file.tell():
                file.seek(0)  # so empty that it would be taken for a bomb
                file.truncate()
                _fill(file, members, zipfile.ZIP_STORED, tell)
            file.flush()
            os.fsync(file.fileno())
        former = _second_name(place)
        if former is None and place.exists():  # no file can have two names there
            os.replace(place, _former(place))
            moved = True
        os.replace(temporary, place)
    except BaseException as error:
        _unlink(temporary, former)
        if moved:
            with contextlib.suppress(OSError):
                os.replace(_former(place), place)
        if isinstance(error, (OSError, MemoryError)):
            raise InputError(_not_written(path, error)) from error
        raise
    with contextlib.suppress(OSError):  # the file is there; all else is a matter of care
        if former is not None:
            os.replace(former, _former(place))
        _sync_folder(place.parent)
    _unlink(former)


def _not_written(path: Path, error: OSError | MemoryError) -> Text:
    if isinstance(error, MemoryError):
        return _(
            "There was not enough memory to save “{path}”. Delete some runs, and save again.",
            path=named(path),
        )
    return _(
        "“{path}” could not be written: {reason}. Choose another folder.",
        path=named(path),
        reason=error.strerror or str(error),
    )


def _unlink(*paths: Path | None) -> None:
    for path in paths:
        with contextlib.suppress(OSError):
            if path is not None:
                path.unlink(missing_ok=True)


def _former(path: Path) -> Path:
    """Where the version before stays."""
    return path.with_name(path.name + ".1")


def _begin(place: Path) -> IO[bytes]:
    """A new file in the folder of ``place``, locked while it is open, and as open to others as the one that
    is there.
    """
    while True:
        path = _scrap(place)
        file = path.open("x+b")
        try:
            _lock(file)
            if path.exists():  # else somebody has swept it away before it was locked
                if place.exists():
                    shutil.copymode(place, path)
                return file
        except BaseException:
            file.close()
            _unlink(path)
            raise
        file.close()


def _second_name(place: Path) -> Path | None:
    """Another name for the file at ``place``; None where there is no file, or no such thing as two names."""
    path = _scrap(place)
    try:
        os.link(place, path)
    except OSError:
        return None
    return path


def _scrap(place: Path) -> Path:
    """A name that nobody has, in the folder of ``place``."""
    return place.with_name(f"{SCRAP}{uuid.uuid4().hex}")


def _sweep(folder: Path) -> None:
    """Remove what writers left behind that were killed; a living one holds a lock on its file."""
    for path in folder.glob(f"{SCRAP}*"):
        with contextlib.suppress(OSError):
            if fcntl is None:
                path.unlink()  # Windows refuses that for a file that somebody has open
            else:
                with path.open("rb") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.unlink()


def _lock(file: IO[bytes]) -> None:
    """Let ``_sweep`` see that ``file`` is being written; some disks of other computers know no locks."""
    if fcntl is not None:
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)


def _fill(file: Any, members: Mapping[str, Content], how: int, tell: Tell) -> int:
    """Write the zip to ``file``. Returns the bytes that went in.

    how: the texts are packed. Arrays never are: numbers hardly become smaller (by a seventh in a run of
    t-SNE), and unpacking them is half of what opening takes.
    """
    whole = sum(_size(content) for content in members.values())
    written, manifest = 0, {}
    with zipfile.ZipFile(file, "w", how, compresslevel=1) as archive:
        for name, content in members.items():
            digest, size = hashlib.sha256(), 0
            archive.compression = how if isinstance(content, bytes) else zipfile.ZIP_STORED
            with archive.open(name, "w") as member:
                for block in _blocks(content):
                    digest.update(block)
                    member.write(block)
                    size, written = size + len(block), written + len(block)
                    tell(min(written / max(whole, 1), 1.0))
            manifest[name] = {"size": size, "sha256": digest.hexdigest()}
        archive.compression = how
        archive.writestr(
            "manifest.json", _json({"format": "latentarium session", "schema": SCHEMA, "members": manifest})
        )
    return written


def _size(content: Content) -> int:
    return len(content) if isinstance(content, bytes) else sum(a.nbytes for a in content.values())


def _blocks(content: Content) -> Iterable[memoryview]:
    """The bytes of a member piece by piece; arrays in the safetensors format, without a copy of them all."""
    pieces: list[memoryview] = []
    if isinstance(content, bytes):
        pieces.append(memoryview(content))
    else:
        header, end = {}, 0
        for name, values in content.items():
            at, end = end, end + values.nbytes
            header[name] = {
                "dtype": _DTYPES[values.dtype], "shape": list(values.shape), "data_offsets": [at, end],
            }  # fmt: skip
        head = _json(header)
        head += b" " * (-len(head) % 8)
        pieces.append(memoryview(len(head).to_bytes(8, "little") + head))
        pieces += [values.reshape(-1).view(np.uint8).data for values in content.values() if values.size]
    for piece in pieces:
        for at in range(0, len(piece), BLOCK):
            yield piece[at : at + BLOCK]


def _sync_folder(folder: Path) -> None:
    """Let the renaming itself reach the disk, where the system has such a thing."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def versions() -> dict[str, str]:
    """What this run was made with."""
    found = {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__}
    try:
        found["latentarium"] = metadata.version("latentarium")
    except metadata.PackageNotFoundError:
        found["latentarium"] = "source"
    return found


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Session:
    """What was in a file. threads, device: what the runs were computed with. view: what was on screen."""

    tree: Tree
    threads: int
    device: str
    view: Mapping[str, Any] = field(default_factory=dict)


def load(path: Path, tell: Tell = nothing) -> Session:
    """The session saved in ``path``. Everything in it has been looked at: see ``engine.core.sound``.

    tell: told the share done; may raise CancelledError, which is let through.

    Raises:
        InputError: the file cannot be read, is no session, is damaged, or was saved by a newer version or
            from an experiment or data set that does not exist here.
    """
    try:
        return _session(path, tell)
    except (InputError, CancelledError):
        raise
    except sound.ForeignError as error:
        raise InputError(
            _(
                "“{path}” was saved by a Latentarium that has “{name}”, which this one has not. Install the "
                "newest version to open it.",
                path=named(path),
                name=printable(error.name),
            )
        ) from error
    except MemoryError as error:
        raise InputError(too_large(path)) from error
    except Exception as error:  # whatever a hostile or foreign file provokes
        _refuse(path, error)


def _session(path: Path, tell: Tell) -> Session:
    members = read_whole(path, _part(tell, 0, 0.5))
    about = _parse(members.pop("session.json"))
    if "runs.json" in members:
        recorded = _tree(members, "runs", _part(tell, 0.5, 0.8))
    else:
        about, recorded = _from_schema_1(about, members)
    ids = [sound.whole(one["id"], PAIR, sound.MOST_STEPS, "the number of a run") for one in about["runs"]]
    sound.need(
        len(set(ids)) == len(ids) <= sound.MOST_RUNS and set(ids) == set(recorded), "runs without a past"
    )
    reading = _Nodes(path, _part(tell, 0.8, 1))
    nodes = {id_: reading.node(one, recorded[id_]) for id_, one in zip(ids, about["runs"], strict=True)}
    pair = nodes.pop(PAIR, None)
    sound.check_tree(nodes, about["active"], about["ghost"])
    tree = Tree(nodes[about["active"]], LARGEST)
    tree.nodes, tree._count, tree.ghost = nodes, max(nodes), about["ghost"]
    if pair is not None:
        sound.check_pair(pair, nodes, tree.active, about["beside"])
        tree.put_side_by_side(about["beside"], pair)
    view = about["view"]
    sound.need(isinstance(view, dict) and len(_json(view)) <= LARGEST_VIEW, "an odd view")
    threads = sound.whole(about["threads"], 1, 100_000, "threads")
    # More than there are cores would only wait for each other.
    threads = min(threads, os.cpu_count() or 1)
    return Session(tree, threads, sound.words(about["device"], "a device"), view)


def stand(found: Session, path: Path, **options: Any) -> Run:
    """The run of ``found``, a session from ``path``, that was on screen, at its first frame. All that it
    shows has been looked at.

    options: as for ``make_run``.

    Raises:
        InputError: it cannot be gone on with.
    """
    node = found.tree.now
    kept = node.timeline.checkpoints[max(node.timeline.checkpoints)]
    try:
        run = runner.stand(node.spec, kept, data=node.data, **{"threads": found.threads, **options})
        run.next_frame()
        runner.look_at(run)
    except CancelledError:
        raise
    except (InputError, MemoryError) as error:
        raise InputError(
            _("“{path}” cannot be opened. {reason}", path=named(path), reason=explain_failure(error))
        ) from error
    except Exception as error:  # whatever a state that somebody has made up provokes
        _refuse(path, error)
    return run


class _Nodes:
    """Makes the runs of the file at ``path``; what several share is loaded and looked at once."""

    def __init__(self, path: Path, tell: Tell) -> None:
        self._path, self._tell = path, tell
        self._datas: dict[Hashable, Dataset] = {}
        self._keyframes = sound.Keyframes()

    def node(self, about: dict[str, Any], recorded: dict[str, Any]) -> Node:
        """One run."""
        spec = sound.run_spec(about)
        info = sound.declared(spec)
        log = sound.log(about["log"], info)
        parent = about["parent"]
        if parent is not None:
            sound.whole(parent, 1, sound.MOST_STEPS, "the number of a run")
        return Node(
            about["id"], spec, self._data(spec, recorded.get("painted")),
            self._timeline(recorded, info, sound.Checkpoints(spec, len(log))), parent,
            sound.whole(about["start"], 0, sound.MOST_STEPS, "a start"), sound.node_name(about["name"]), log,
            sound.whole(about["inherited"], 0, len(log), "what was inherited"),
        )  # fmt: skip

    def _timeline(self, recorded: dict[str, Any], info: Info, checkpoints: sound.Checkpoints) -> Timeline:
        timeline = Timeline(LARGEST)
        keyframes, kept = recorded["keyframes"], recorded["checkpoints"]
        steps = sound.steps_of(keyframes, kept, MOST)
        for at, step in enumerate(steps):
            self._tell(at / len(steps))
            self._keyframes.check(keyframes[step], info)
            if step in kept:
                checkpoints.check(kept[step], step)
            timeline.keep(step, keyframes[step], kept.get(step))
        timeline.scalars = sound.scalars(recorded["scalars"], info)
        timeline.end_at(max(kept))
        return timeline

    def _data(self, spec: RunSpec, painted: Any) -> Dataset:
        key = spec.data_key
        if key not in self._datas:
            if spec.data_dir is not None and sound.stranger(spec.data_dir, self._path):
                raise InputError(
                    _(
                        "“{path}” wants data from another computer, “{folder}”. If you know it, choose those "
                        "data first, then open this file again.",
                        path=named(self._path),
                        folder=named(spec.data_dir),
                    )
                )
            try:
                self._datas[key] = load_data(spec, self._tell)
            except InputError as error:
                raise InputError(
                    _(
                        "“{path}” cannot be opened without its data. {reason}",
                        path=named(self._path),
                        reason=error.sentence,
                    )
                ) from error
        if painted is None:
            return self._datas[key]
        own = key, id(painted["x"]), id(painted["y"])
        if own not in self._datas:
            self._datas[own] = sound.painted(painted, self._datas[key])
        return self._datas[own]


def _from_schema_1(about: dict[str, Any], members: dict[str, bytes]) -> tuple[dict[str, Any], Any]:
    """One run, its state apart from its timeline, as a tree of one."""
    state, recorded = _tree(members, "state"), _tree(members, "timeline")
    painted = state.pop("painted", None)
    if painted is not None:
        recorded["painted"] = painted
    recorded["checkpoints"][about["step"]] = state
    recorded["keyframes"].setdefault(about["step"], {})
    run = {**about, "id": 1, "parent": None, "start": 0, "name": "", "inherited": 0, "log": []}
    spec = with_values(
        RunSpec(about["experiment"], about["dataset"], beside=about["beside"] and Beside(*about["beside"])),
        values_of(state),
    )
    run["params"] = dict(spec.params)
    run["beside"] = None if spec.beside is None else [spec.beside.experiment, dict(spec.beside.params)]
    return {**about, "runs": [run], "active": 1, "ghost": None, "beside": None, "view": {}}, {1: recorded}


def _part(tell: Tell, start: float, end: float) -> Tell:
    """``tell`` for a part of the work, from one share of all to another."""
    return lambda share: tell(start + (end - start) * share)


def read_whole(path: Path, tell: Tell = nothing) -> dict[str, bytes]:
    """The members of the session at ``path``, each checked against the manifest.

    Raises:
        InputError: it cannot be read, is no session, is of a newer version, or a member is damaged.
    """
    check_file(path)
    try:
        with path.open("rb") as file, _zip(file) as archive:
            size = os.fstat(file.fileno()).st_size  # opened once: somebody may save there meanwhile
            entries = {entry.filename: entry for entry in archive.infolist()}
            sound.need(len(entries) == len(archive.infolist()), "two members of one name")
            manifest = _parse(_read(archive, entries["manifest.json"], LARGEST_MANIFEST, nothing))
            if sound.whole(manifest["schema"], 1, 2**31, "a schema") > SCHEMA:
                raise InputError(
                    _(
                        "“{path}” was saved by a newer Latentarium. Install the newest version to open it.",
                        path=named(path),
                    )
                )
            names = MEMBERS if manifest["schema"] == SCHEMA else FORMER_MEMBERS
            sound.need(entries.keys() == {"manifest.json", *names}, "other members")
            whole = sum(entry.file_size for entry in entries.values())
            sound.need(whole <= min(LARGEST, LARGEST_RATIO * size), "a bomb")
            members, done = {}, 0

            def further(bytes_: int) -> None:
                nonlocal done
                done += bytes_
                tell(min(done / max(whole, 1), 1.0))

            for name in names:
                most = LARGEST_TEXT if name.endswith(".json") else LARGEST
                members[name] = _read(archive, entries[name], most, further)
                if hashlib.sha256(members[name]).hexdigest() != manifest["members"][name]["sha256"]:
                    raise ValueError(f"{name} is damaged")
    except (InputError, CancelledError):
        raise
    except MemoryError as error:
        raise InputError(too_large(path)) from error
    except OSError as error:
        raise InputError(
            _("“{path}” could not be read: {reason}.", path=named(path), reason=error.strerror or str(error))
        ) from error
    except Exception as error:  # zipfile, json and zlib raise many kinds for a damaged file
        _refuse(path, error)
    return members


def _zip(file: IO[bytes]) -> zipfile.ZipFile:
    """The zip in ``file``. One that does not end as a zip of few members does is refused (ValueError) before
    the list of them is read: a million of them would take all memory.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - 42, 0))
    tail = file.read(42)
    end = tail[-22:]
    members, length, comment = (int.from_bytes(end[a:b], "little") for a, b in ((10, 12), (12, 16), (20, 22)))
    few = members <= MOST_MEMBERS and length <= 2**16 and not comment
    sound.need(end.startswith(END) and few and not tail[:-22].startswith(FAR_END), "no session")
    return zipfile.ZipFile(file)


def _read(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int, further: Callable[[int], None]
) -> bytes:
    """One member."""
    plain = entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    sound.need(plain and entry.file_size <= most, "a member that is packed otherwise, or too large")
    pieces = []
    with archive.open(entry) as member:
        while piece := member.read(BLOCK):
            pieces.append(piece)
            further(len(piece))
    return b"".join(pieces)


def _refuse(path: Path, cause: Exception | None = None) -> NoReturn:
    raise InputError(
        _(
            "“{path}” is damaged or is no Latentarium session. If you saved it before, the former version "
            "is beside it "
            "with “.1” at the end of its name.",
            path=named(path),
        )
    ) from cause


def _parse(content: bytes) -> Any:
    """Values from JSON, such as ``_json`` writes: no number that is none, or beyond what 64 bits hold."""
    sound.need(len(content) <= LARGEST_TEXT and _values(content) <= MOST_VALUES, "too much")
    text = content.decode("utf-8", "surrogatepass")
    return json.loads(text, parse_constant=_no_number, parse_float=_float, parse_int=_int)


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} in JSON")


def _float(word: str) -> float:
    value = float(word)
    return value if math.isfinite(value) else _no_number(word)


def _int(word: str) -> int:
    return int(word) if len(word) <= 20 else _no_number(word)


def _tree(members: dict[str, bytes], name: str, tell: Tell = nothing) -> Any:
    """What was recorded; the members it is made from are let go."""
    content = members.pop(f"{name}.safetensors")
    head = content[: 8 + int.from_bytes(content[:8], "little")]
    sound.need(head.count(b"{") <= MOST_ARRAYS + 1, "too many arrays")
    arrays = safetensors.numpy.load(content)
    return decode(_parse(members.pop(f"{name}.json")), arrays, {}, tell)
