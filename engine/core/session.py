"""Runs in one file, complete enough to go on training from it.

A session is a zip of fixed names. ``manifest.json`` gives the format's version and the size and SHA-256 of
every other member; ``session.json`` says what the runs were and what was on screen; the recorded runs with
their weights are a tree of plain values in JSON whose arrays lie in safetensors. Nothing is ever unpickled. A
file is written beside its place, flushed to the disk and then renamed, so that a crash at any moment leaves
the former file whole; that one is kept as ``.1``.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import platform
import tempfile
import zipfile
from array import array
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import safetensors
import safetensors.numpy
import torch

from engine.core import frame as payloads
from engine.core.events import Acted, RunSpec, Turned
from engine.core.experiment import Beside
from engine.core.runner import load_data, values_of, with_values
from engine.core.text import CancelledError, InputError, Text, _
from engine.core.timeline import Timeline
from engine.core.tree import PAIR, Node, Tree
from engine.data.registry import nothing

SCHEMA = 2
SUFFIX = ".latentarium"
MEMBERS = ("session.json", "runs.json", "runs.safetensors")
FORMER_MEMBERS = ("session.json", "state.json", "state.safetensors", "timeline.json", "timeline.safetensors")
"""Of schema 1, which knew one run only."""
LARGEST = 2 * 2**30  # bytes, all members together
LARGEST_RATIO = 200  # uncompressed to compressed: more is a bomb
LARGEST_VIEW = 2**20  # bytes of JSON for what was on screen
BLOCK = 4 * 2**20  # bytes written between two looks whether it is still wanted
END = b"PK\x05\x06"  # begins the last record of a zip, 22 bytes and a comment
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


def encode(tree: Any, arrays: Arrays, names: dict[int, str]) -> Any:
    """``tree`` as JSON values; its arrays go to ``arrays`` and are referred to by name, each stored once.

    names: id of an array to its name, kept by the caller over several trees that share arrays.

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
        return {kind: [encode(v, arrays, names) for v in tree]}
    if type(tree).__name__ in _PAYLOADS:
        fields = {f.name: encode(getattr(tree, f.name), arrays, names) for f in dataclasses.fields(tree)}
        return {"$payload": type(tree).__name__, "fields": fields}
    raise TypeError(f"a session cannot hold a {type(tree).__name__}")


def decode(tree: Any, arrays: Mapping[str, np.ndarray], tensors: dict[str, torch.Tensor]) -> Any:
    """The opposite of ``encode``. tensors: those made so far, so that what was shared is shared again.

    Raises:
        KeyError, TypeError, ValueError: it is not what ``encode`` wrote.
    """
    if not isinstance(tree, dict):
        if isinstance(tree, list):
            raise TypeError("a bare list")
        return tree
    if "$text" in tree:
        return Text(tree["$text"], {k: decode(v, arrays, tensors) for k, v in tree["values"].items()})
    if "$tensor" in tree:
        name = tree["$tensor"]
        if name not in tensors:
            tensors[name] = torch.from_numpy(arrays[name].copy())
        return tensors[name]
    if "$array" in tree:
        return arrays[tree["$array"]]
    if "$dict" in tree:
        return {decode(k, arrays, tensors): decode(v, arrays, tensors) for k, v in tree["$dict"]}
    if "$list" in tree:
        return [decode(v, arrays, tensors) for v in tree["$list"]]
    if "$tuple" in tree:
        return tuple(decode(v, arrays, tensors) for v in tree["$tuple"])
    fields = {k: decode(v, arrays, tensors) for k, v in tree["fields"].items()}
    return _PAYLOADS[tree["$payload"]](**fields)


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────


def collect(tree: Tree, view: Mapping[str, Any], *, device: str, threads: int) -> dict[str, Content]:
    """What ``write`` writes: everything as it is now. Nothing large is copied, and nothing in it changes
    afterwards, so that it can be written on another thread.

    view: what is on screen, in plain JSON values.

    Raises:
        InputError: ``view`` is too large.
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
    names: dict[int, str] = {}
    runs = encode({node.id: _recorded(node) for node in nodes}, arrays, names)
    return {"session.json": _json(about), "runs.json": _json(runs), "runs.safetensors": arrays}


def _about(node: Node) -> dict[str, Any]:
    spec = node.spec
    return {
        "id": node.id, "parent": node.parent, "start": node.start, "name": node.name,
        "inherited": node.inherited,
        "log": [
            ["turned", done.step, done.name, done.old, done.new] if isinstance(done, Turned)
            else ["acted", done.step, done.name] for done in node.log
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
    return json.dumps(tree, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def write(
    path: Path,
    members: Mapping[str, Content],
    *,
    compress: bool = True,
    tell: Tell = nothing,
) -> None:
    """Zip ``members`` and their manifest to ``path``: the whole new file, or the former one untouched; that
    one is kept beside it as ``….1``. Needs no torch.

    tell: told the share done; what it raises ends the writing.

    Raises:
        InputError: the place cannot be written, or the disk is full.
    """
    temporary: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".saving-", delete=False) as file:
            temporary = Path(file.name)
            how = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
            size = _fill(file, members, how, tell)
            if how != zipfile.ZIP_STORED and size > LARGEST_RATIO / 2 * file.tell():
                file.seek(0)  # so empty that it would be taken for a bomb
                file.truncate()
                _fill(file, members, zipfile.ZIP_STORED, tell)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            os.replace(path, path.with_name(path.name + ".1"))
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except BaseException as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        former = path.with_name(path.name + ".1")
        if not path.exists() and former.exists():
            os.replace(former, path)
        if isinstance(error, OSError):
            raise InputError(
                _(
                    "“{path}” could not be written: {reason}. Choose another folder.",
                    path=str(path),
                    reason=error.strerror or str(error),
                )
            ) from error
        raise


def _fill(file: Any, members: Mapping[str, Content], how: int, tell: Tell) -> int:
    """Write the zip to ``file``. Returns the bytes that went in."""
    whole = sum(_size(content) for content in members.values())
    written, manifest = 0, {}
    with zipfile.ZipFile(file, "w", how, compresslevel=1) as archive:
        for name, content in members.items():
            digest, size = hashlib.sha256(), 0
            with archive.open(name, "w") as member:
                for block in _blocks(content):
                    digest.update(block)
                    member.write(block)
                    size, written = size + len(block), written + len(block)
                    tell(min(written / max(whole, 1), 1.0))
            manifest[name] = {"size": size, "sha256": digest.hexdigest()}
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
    """The session saved in ``path``.

    tell: told the share done; may raise CancelledError, which is let through.

    Raises:
        InputError: the file cannot be read, is no session, is damaged, or was saved by a newer version or
            from an experiment or data set that does not exist here.
    """
    try:
        members = read_whole(path, tell)
        about = _parse(members["session.json"])
        if "runs.json" in members:
            recorded = _recorded_runs(members)
        else:
            about, recorded = _from_schema_1(about, members)
        datas: dict[Any, Any] = {}
        nodes = {int(one["id"]): _node(one, recorded[int(one["id"])], datas, tell) for one in about["runs"]}
        pair = nodes.pop(PAIR, None)
        tree = Tree(nodes[int(about["active"])])
        tree.nodes, tree._count = nodes, max(nodes)
        tree.ghost = None if about["ghost"] is None else int(about["ghost"])
        if tree.ghost is not None and tree.ghost not in nodes:
            _refuse(path)
        if pair is not None:
            tree.put_side_by_side(int(about["beside"]), pair)
        return Session(tree, int(about["threads"]), str(about["device"]), dict(about["view"]))
    except (InputError, CancelledError):
        raise
    except Exception as error:  # whatever a hostile or foreign file provokes
        _refuse(path, error)


def _node(about: dict[str, Any], recorded: dict[str, Any], datas: dict[Any, Any], tell: Tell) -> Node:
    """One run of a file. datas: data sets already loaded, by what they depend on."""
    spec = RunSpec(
        str(about["experiment"]),
        str(about["dataset"]),
        dict(about["params"]),
        int(about["seed"]),
        None if about["data_dir"] is None else Path(str(about["data_dir"])),
        dict(about["data_params"]),
        None if about["beside"] is None else Beside(str(about["beside"][0]), dict(about["beside"][1])),
    )
    timeline = Timeline()
    timeline.scalars = {
        n: (array("q", s.tolist()), array("d", v.tolist())) for n, (s, v) in recorded["scalars"].items()
    }
    for step in sorted(recorded["keyframes"]):
        timeline.keep(int(step), recorded["keyframes"][step], recorded["checkpoints"].get(step))
    if not timeline.checkpoints:
        raise ValueError("nothing to go on from")
    newest = timeline.checkpoints[max(timeline.checkpoints)]
    _check_finite(newest)
    if spec.data_key not in datas:
        datas[spec.data_key] = load_data(spec, tell)
    data = datas[spec.data_key]
    if recorded.get("painted") is not None:
        data = dataclasses.replace(data, **recorded["painted"], factors=(), painted=True)
    log: list[Turned | Acted] = [
        Turned(int(one[1]), str(one[2]), *one[3:5]) if one[0] == "turned" else Acted(int(one[1]), str(one[2]))
        for one in about["log"]
    ]
    return Node(
        int(about["id"]), spec, data, timeline, about["parent"], int(about["start"]), str(about["name"]), log,
        min(int(about["inherited"]), len(log)),
    )  # fmt: skip


def _recorded_runs(members: Mapping[str, bytes]) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = _tree(members, "runs")
    return found


def _from_schema_1(about: dict[str, Any], members: Mapping[str, bytes]) -> tuple[dict[str, Any], Any]:
    """One run, its state apart from its timeline, as a tree of one."""
    state, recorded = _tree(members, "state"), _tree(members, "timeline")
    painted = state.pop("painted", None)
    if painted is not None:
        recorded["painted"] = painted
    recorded["checkpoints"][int(about["step"])] = state
    run = {**about, "id": 1, "parent": None, "start": 0, "name": "", "inherited": 0, "log": []}
    spec = with_values(
        RunSpec(about["experiment"], about["dataset"], beside=about["beside"] and Beside(*about["beside"])),
        values_of(state),
    )
    run["params"] = dict(spec.params)
    run["beside"] = None if spec.beside is None else [spec.beside.experiment, dict(spec.beside.params)]
    return {**about, "runs": [run], "active": 1, "ghost": None, "beside": None, "view": {}}, {1: recorded}


def read_whole(path: Path, tell: Tell = nothing) -> dict[str, bytes]:
    """The members of the session at ``path``, each checked against the manifest.

    Raises:
        InputError: it cannot be read, is no session, is of a newer version, or a member is damaged.
    """
    try:
        _check_directory(path)
        with zipfile.ZipFile(path) as archive:
            entries = {entry.filename: entry for entry in archive.infolist()}
            size = sum(entry.file_size for entry in entries.values())
            packed = sum(entry.compress_size for entry in entries.values())
            known = [{"manifest.json", *names} for names in (MEMBERS, FORMER_MEMBERS)]
            if "manifest.json" not in entries or size > LARGEST or size > LARGEST_RATIO * max(packed, 1):
                _refuse(path)
            manifest = _parse(_read(archive, "manifest.json", lambda _bytes: None))
            if int(manifest["schema"]) > SCHEMA:
                raise InputError(
                    _(
                        "“{path}” was saved by a newer Latentarium. Install the newest version to open it.",
                        path=str(path),
                    )
                )
            if set(entries) not in known:
                _refuse(path)
            members, done = {}, 0

            def further(bytes_: int) -> None:
                nonlocal done
                done += bytes_
                tell(min(done / max(size, 1), 1.0))

            for name in entries.keys() - {"manifest.json"}:
                members[name] = _read(archive, name, further, manifest["members"][name]["sha256"])
    except (InputError, CancelledError):
        raise
    except OSError as error:
        raise InputError(
            _("“{path}” could not be read: {reason}.", path=str(path), reason=error.strerror or str(error))
        ) from error
    except Exception as error:  # zipfile, json and zlib raise many kinds for a damaged file
        _refuse(path, error)
    return members


def _check_directory(path: Path) -> None:
    """Refuse a zip of more members than a session has before its list of them is read: a million of them
    would take all memory.

    Raises:
        ValueError: it is no zip, or one of too many members.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(file.tell() - 22 - 2**16, 0))
        tail = file.read()
    at = tail.rfind(END)
    count = int.from_bytes(tail[at + 10 : at + 12], "little")
    length = int.from_bytes(tail[at + 12 : at + 16], "little")
    if at < 0 or count > 1 + len(FORMER_MEMBERS) or length > 2**16:
        raise ValueError("no session")


def _read(
    archive: zipfile.ZipFile, name: str, further: Callable[[int], None], sha256: str | None = None
) -> bytes:
    """One member, checked. ValueError: its content is not what the manifest says."""
    digest, pieces = hashlib.sha256(), bytearray()
    with archive.open(name) as member:
        while piece := member.read(BLOCK):
            if len(pieces) + len(piece) > LARGEST:
                raise ValueError("larger than it says")
            digest.update(piece)
            pieces += piece
            further(len(piece))
    if sha256 is not None and digest.hexdigest() != sha256:
        raise ValueError(f"{name} is damaged")
    return bytes(pieces)


def _refuse(path: Path, cause: Exception | None = None) -> NoReturn:
    raise InputError(
        _(
            "“{path}” is damaged or is no Latentarium session. If you saved it before, the former version "
            "is beside it "
            "with “.1” at the end of its name.",
            path=str(path),
        )
    ) from cause


def _parse(content: bytes) -> Any:
    def no_constant(word: str) -> NoReturn:
        raise ValueError(f"{word} in JSON")

    return json.loads(content, parse_constant=no_constant)


def _tree(members: Mapping[str, bytes], name: str) -> Any:
    arrays = safetensors.numpy.load(members[f"{name}.safetensors"])
    return decode(_parse(members[f"{name}.json"]), arrays, {})


def _leaves(tree: Any, path: str = "") -> dict[str, Any]:
    if isinstance(tree, Mapping):
        return {k: v for key, value in tree.items() for k, v in _leaves(value, f"{path}/{key}").items()}
    if isinstance(tree, (list, tuple)):
        return {k: v for i, value in enumerate(tree) for k, v in _leaves(value, f"{path}/{i}").items()}
    return {path: tree}


def _check_finite(state: Any) -> None:
    """Weights that are not numbers would load without a word and spoil everything later."""
    for name, value in _leaves(state).items():
        if (
            isinstance(value, torch.Tensor)
            and value.is_floating_point()
            and not bool(torch.isfinite(value).all())
        ):
            raise ValueError(f"{name} is not finite")


def check_shapes(expected: Any, found: Any, path: Path) -> None:
    """The state must fit this experiment: same names, and tensors of the same type.

    Sizes may differ where a live knob changes them (the number of centres), so only names and types are
    compared.

    Raises:
        InputError: it does not.
    """
    mine, theirs = _leaves(expected), _leaves(found)
    for name, value in mine.items():
        other = theirs.get(name)
        if isinstance(value, torch.Tensor) and (
            not isinstance(other, torch.Tensor) or other.dtype != value.dtype
        ):
            _refuse(path)
