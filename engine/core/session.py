"""A run in one file, complete enough to go on training from it.

A session is a zip of fixed names. ``manifest.json`` gives the format's version and the size and SHA-256 of
every other member; ``session.json`` says what the run was; the weights and the timeline are trees of plain
values in JSON whose arrays lie in safetensors. Nothing is ever unpickled. A file is written beside its place,
flushed to the disk and then renamed, so that a crash at any moment leaves the former file whole; that one is
kept as ``.1``.
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
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import safetensors
import safetensors.numpy
import torch

from engine.core import frame as payloads
from engine.core.beside import first, second
from engine.core.duo import Run
from engine.core.events import RunSpec
from engine.core.experiment import Beside
from engine.core.runner import load_data, make_run
from engine.core.stages import Stages
from engine.core.text import InputError, Text, _
from engine.core.timeline import Timeline

SCHEMA = 1
SUFFIX = ".latentarium"
MEMBERS = ("session.json", "state.json", "state.safetensors", "timeline.json", "timeline.safetensors")
LARGEST = 2 * 2**30  # bytes, all members together
LARGEST_RATIO = 200  # uncompressed to compressed: more is a bomb
_PAYLOADS = {
    cls.__name__: cls
    for cls in vars(payloads).values()
    if dataclasses.is_dataclass(cls) and isinstance(cls, type) and cls.__module__ == payloads.__name__
}


# ── trees of plain values and arrays ────────────────────────────────────────────────────────────────────────


def encode(tree: Any, arrays: dict[str, np.ndarray], names: dict[int, str]) -> Any:
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
            arrays[names[id(tree)]] = np.ascontiguousarray(flat)
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


def decode(tree: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """The opposite of ``encode``.

    Raises:
        KeyError, TypeError, ValueError: it is not what ``encode`` wrote.
    """
    if not isinstance(tree, dict):
        if isinstance(tree, list):
            raise TypeError("a bare list")
        return tree
    if "$text" in tree:
        return Text(tree["$text"], {k: decode(v, arrays) for k, v in tree["values"].items()})
    if "$tensor" in tree:
        return torch.from_numpy(arrays[tree["$tensor"]].copy())
    if "$array" in tree:
        return arrays[tree["$array"]]
    if "$dict" in tree:
        return {decode(k, arrays): decode(v, arrays) for k, v in tree["$dict"]}
    if "$list" in tree:
        return [decode(v, arrays) for v in tree["$list"]]
    if "$tuple" in tree:
        return tuple(decode(v, arrays) for v in tree["$tuple"])
    return _PAYLOADS[tree["$payload"]](**{k: decode(v, arrays) for k, v in tree["fields"].items()})


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────


def save(path: Path, spec: RunSpec, runner: Run, timeline: Timeline) -> None:
    """Write the run to ``path``; what was there before is kept beside it as ``….1``.

    Raises:
        InputError: the place cannot be written, or the disk is full. The former file is whole.
    """
    write_whole(path, _members(spec, runner, timeline))


def _members(spec: RunSpec, runner: Run, timeline: Timeline) -> dict[str, bytes]:
    about = {
        "experiment": spec.experiment,
        "dataset": spec.dataset,
        "params": first(runner.values),
        "seed": spec.seed,
        "data_params": dict(spec.data_params),
        "beside": None if spec.beside is None else [spec.beside.experiment, second(runner.values)],
        "data_dir": None if spec.data_dir is None else str(spec.data_dir),
        "threads": runner.threads,
        "device": str(runner.device),
        "step": runner.step,
        "versions": versions(),
    }
    scalars = {n: (np.array(s, np.int64), np.array(v, np.float64)) for n, (s, v) in timeline.scalars.items()}
    history = {"scalars": scalars, "keyframes": timeline.keyframes, "checkpoints": timeline.checkpoints}
    members = {"session.json": _json(about)}
    state = runner.state()
    data = runner.data
    if data.painted:
        state["painted"] = {"x": data.x, "y": data.y, "names": data.names}
    for name, tree in (("state", state), ("timeline", history)):
        arrays: dict[str, np.ndarray] = {}
        members[f"{name}.json"] = _json(encode(tree, arrays, {}))
        members[f"{name}.safetensors"] = safetensors.numpy.save(arrays)
    return members


def _json(tree: Any) -> bytes:
    return json.dumps(tree, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def write_whole(path: Path, members: Mapping[str, bytes]) -> None:
    """Zip ``members`` and their manifest to ``path``: the whole new file, or the former one untouched."""
    manifest = {
        "format": "latentarium session",
        "schema": SCHEMA,
        "members": {n: {"size": len(b), "sha256": hashlib.sha256(b).hexdigest()} for n, b in members.items()},
    }
    temporary: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".saving-", delete=False) as file:
            temporary = Path(file.name)
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                archive.writestr("manifest.json", _json(manifest))
                for name, content in members.items():
                    archive.writestr(name, content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            os.replace(path, path.with_name(path.name + ".1"))
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        former = path.with_name(path.name + ".1")
        if not path.exists() and former.exists():
            os.replace(former, path)
        raise InputError(
            _(
                "“{path}” could not be written: {reason}. Choose another folder.",
                path=str(path),
                reason=error.strerror or str(error),
            )
        ) from error


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


def load(
    path: Path, *, device: str = "auto", threads: int | None = None, stages: Stages | None = None
) -> tuple[RunSpec, Run, Timeline]:
    """The run saved in ``path``, standing at the frame it was saved at.

    Raises:
        InputError: the file is not a whole session of this or an older version, or its experiment or data is
        not here.
    """
    members = read_whole(path)
    try:
        about = _parse(members["session.json"])
        data_dir = None if about["data_dir"] is None else Path(str(about["data_dir"]))
        spec = RunSpec(
            str(about["experiment"]),
            str(about["dataset"]),
            dict(about["params"]),
            int(about["seed"]),
            data_dir,
            dict(about["data_params"]),
            None if about.get("beside") is None else Beside(*about["beside"]),
        )
        state = _tree(members, "state")
        history = _tree(members, "timeline")
        _check_finite(state)
        data, painted = None, state.pop("painted", None)
        if painted is not None:
            data = dataclasses.replace(load_data(spec), **painted, factors=(), painted=True)
        runner = make_run(
            spec, device=device, threads=threads or int(about["threads"]), stages=stages, data=data
        )
        _check_shapes(runner.state(), state, path)
        runner.restore(state)
        runner.next_frame()
        timeline = Timeline()
        timeline.scalars = {
            n: (array("q", s.tolist()), array("d", v.tolist())) for n, (s, v) in history["scalars"].items()
        }
        for step in sorted(history["keyframes"]):
            timeline.keep(int(step), history["keyframes"][step], history["checkpoints"].get(step))
    except InputError:
        raise
    except Exception as error:  # whatever a hostile or foreign file provokes, in torch or in an experiment
        _refuse(path, error)
    return spec, runner, timeline


def read_whole(path: Path) -> dict[str, bytes]:
    """The members of the session at ``path``, each checked against the manifest.

    Raises:
        InputError: it cannot be read, is no session, is of a newer version, or a member is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            names = [entry.filename for entry in entries]
            size = sum(entry.file_size for entry in entries)
            packed = sum(entry.compress_size for entry in entries)
            if (
                sorted(names) != sorted(("manifest.json", *MEMBERS))
                or size > LARGEST
                or size > LARGEST_RATIO * max(packed, 1)
            ):
                _refuse(path)
            manifest = _parse(archive.read("manifest.json"))
            if int(manifest["schema"]) > SCHEMA:
                raise InputError(
                    _(
                        "“{path}” was saved by a newer Latentarium. Install the newest version to open it.",
                        path=str(path),
                    )
                )
            members = {name: archive.read(name) for name in MEMBERS}
        for name, content in members.items():
            if hashlib.sha256(content).hexdigest() != manifest["members"][name]["sha256"]:
                _refuse(path)
    except InputError:
        raise
    except OSError as error:
        raise InputError(
            _("“{path}” could not be read: {reason}.", path=str(path), reason=error.strerror or str(error))
        ) from error
    except Exception as error:  # zipfile, json and zlib raise many kinds for a damaged file
        _refuse(path, error)
    return members


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
    return decode(_parse(members[f"{name}.json"]), safetensors.numpy.load(members[f"{name}.safetensors"]))


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


def _check_shapes(expected: Any, found: Any, path: Path) -> None:
    """The state must fit this experiment: same names, and tensors of the same type.

    Sizes may differ where a live knob changes them (the number of centres), so only names and types are
    compared.
    """
    mine, theirs = _leaves(expected), _leaves(found)
    for name, value in mine.items():
        other = theirs.get(name)
        if isinstance(value, torch.Tensor) and (
            not isinstance(other, torch.Tensor) or other.dtype != value.dtype
        ):
            _refuse(path)
