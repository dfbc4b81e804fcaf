"""NPY and NPZ: headers are read and compared with the size of the file before anything is allocated.

Nothing is unpickled: an array of Python objects is refused by its header.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from engine.core.text import InputError, _
from engine.data.files.guard import MB, check_file, damaged, named, reading, too_large

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BLOCK = 4 * MB
LARGEST_ITEM = MB  # bytes of one row or picture
LARGEST_COLUMN_ORDER = 256 * MB  # arrays stored column by column are read whole
LARGEST_UNPACKED, LARGEST_RATIO, RATIO_FROM = 8 * 1024 * MB, 200, 64 * MB
MOST_MEMBERS, LARGEST_DIRECTORY = 1000, MB
X_NAMES = ("x", "data", "images", "features", "x_train", "train_images", "arr_0")
Y_NAMES = ("y", "labels", "label", "targets", "target", "y_train", "train_labels", "arr_1")
NAME_NAMES = ("names", "classes", "class_names", "target_names")


@dataclass(frozen=True)
class Array:
    """An array in a file, not read yet. member: its name in an NPZ, "" for an NPY."""

    path: Path
    member: str
    shape: tuple[int, ...]
    column_order: bool
    dtype: np.dtype[Any]
    offset: int

    @property
    def item_bytes(self) -> int:
        return math.prod(self.shape[1:]) * self.dtype.itemsize

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """The stream of its bytes, after the header."""
        with reading(self.path):
            if self.member:
                archive = zipfile.ZipFile(self.path)
                stream: Any = archive.open(f"{self.member}.npy")
            else:
                archive, stream = None, self.path.open("rb")
        try:
            with reading(self.path):
                stream.read(self.offset)
            yield stream
        finally:
            stream.close()
            if archive is not None:
                archive.close()


# ── headers ─────────────────────────────────────────────────────────────────────────────────────────────────


def find_arrays(path: Path) -> dict[str, Array]:
    """The arrays in ``path`` by name; an NPY holds one, called "".

    Raises:
        InputError: it is no such file, promises more than it holds, or unpacks to more than is allowed.
    """
    size = check_file(path)
    with reading(path), path.open("rb") as file:
        packed = file.read(2) == b"PK"
        if not packed:
            file.seek(0)
            return {"": _header(file, path, "", size)}
    return _members(path, size)


def _header(stream: Any, path: Path, member: str, size: int) -> Array:
    """The header of an array in ``size`` bytes of ``stream``."""
    from numpy.lib import format as npy

    with reading(path):
        version = npy.read_magic(stream)
        if version == (1, 0):
            shape, column_order, dtype = npy.read_array_header_1_0(stream, max_header_size=10_000)
        elif version == (2, 0):
            shape, column_order, dtype = npy.read_array_header_2_0(stream, max_header_size=10_000)
        else:
            raise InputError(damaged(path))  # version 3 exists for names of fields only
        offset = stream.tell()
    what = f"{path} : {member}" if member else str(path)
    if dtype.hasobject:
        raise InputError(
            _("“{path}” holds pickled Python objects, which could run anything, so it is not opened. Save "
              "plain numbers instead.",
              path=named(Path(what)))
        )  # fmt: skip
    if dtype.names is not None or dtype.subdtype is not None or dtype.kind not in "biufUS":
        raise InputError(
            _("“{path}” holds {dtype} and not plain numbers. Save it as float32 or integers.",
              path=named(Path(what)), dtype=str(dtype)[:60])
        )  # fmt: skip
    if any(n < 0 for n in shape) or math.prod(shape) * dtype.itemsize != size - offset:
        raise InputError(
            _("“{path}” is damaged: its header promises {shape}, which is not what the file holds. Save it "
              "once more.",
              path=named(Path(what)), shape=" × ".join(str(n) for n in shape[:6]) or "1")
        )  # fmt: skip
    return Array(path, member, tuple(int(n) for n in shape), bool(column_order), dtype, offset)


def _members(path: Path, size: int) -> dict[str, Array]:
    with reading(path), path.open("rb") as file:
        file.seek(max(0, size - 65_557))
        end = file.read()
    # The directory of a zip is read whole by zipfile: its length, where the end record says so, comes first.
    at = end.rfind(b"PK\5\6")
    if at < 0 or int.from_bytes(end[at + 12 : at + 16], "little") > LARGEST_DIRECTORY:
        raise InputError(damaged(path))
    with reading(path), zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    unpacked, packed = sum(e.file_size for e in entries), sum(e.compress_size for e in entries)
    bomb = unpacked > RATIO_FROM and unpacked > LARGEST_RATIO * max(packed, 1)
    if len(entries) > MOST_MEMBERS or unpacked > LARGEST_UNPACKED or bomb:
        raise InputError(
            _("“{path}” would unpack to {size} MB, far more than its own size, so it is not opened. Save it "
              "without compression.",
              path=named(path), size=unpacked // MB)
        )  # fmt: skip
    found: dict[str, Array] = {}
    for entry in entries:
        plain = entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        if not entry.filename.endswith(".npy") or not plain or entry.flag_bits & 1:
            raise InputError(
                _("“{path}” is no NPZ: it holds “{name}”, which is no array. Unpack it and choose the files.",
                  path=named(path), name=named(Path(entry.filename))[:80])
            )  # fmt: skip
        name = entry.filename.removesuffix(".npy")
        with reading(path), zipfile.ZipFile(path) as archive, archive.open(entry) as stream:
            found[name] = _header(stream, path, name, entry.file_size)
    if not found:
        raise InputError(_("There is no array in “{path}”. Choose a file with data in it.", path=named(path)))
    return found


# ── contents ────────────────────────────────────────────────────────────────────────────────────────────────


def choose(path: Path, arrays: dict[str, Array]) -> tuple[Array, Array | None, Array | None]:
    """The items, their labels and the names of the classes, by their names in the file.

    Raises:
        InputError: none of the arrays can be the items.
    """

    def by_name(names: tuple[str, ...]) -> Iterator[Array]:
        lower = {name.casefold(): array for name, array in arrays.items()}
        return (lower[name] for name in names if name in lower)

    able = [a for a in arrays.values() if a.dtype.kind in "biuf" and len(a.shape) >= 2]
    able += [a for a in arrays.values() if a.dtype.kind in "biuf" and len(a.shape) == 1]
    x = next((a for a in by_name(X_NAMES) if a in able), able[0] if able else None)
    if x is None:
        shapes = {a.shape for a in arrays.values()}
        raise InputError(
            _("“{path}” holds a single number; a table or pictures are needed.", path=named(path))
            if shapes == {()}
            else _("There is no array of numbers in “{path}”. Choose another file.", path=named(path))
        )
    if math.prod(x.shape) == 0:
        raise InputError(
            _("The array in “{path}” is empty. Choose a file with data in it.", path=named(path))
        )
    y = next(
        (a for a in by_name(Y_NAMES) if a is not x and a.shape in ((x.shape[0],), (x.shape[0], 1))), None
    )
    names = next((a for a in by_name(NAME_NAMES) if a.dtype.kind in "US" and len(a.shape) == 1), None)
    return x, y, names


def read_rows(array: Array, chosen: NDArray[np.int64], tell: Callable[[float], None]) -> NDArray[Any]:
    """Rows ``chosen`` (M,), ascending, of ``array``: (M, …) in the byte order of this machine.

    Raises:
        InputError: the file ends before them, or one row is larger than an item may be.
    """
    import numpy as np

    row = array.item_bytes
    if row > LARGEST_ITEM or row * len(chosen) > 1024 * MB:
        raise InputError(too_large(array.path))
    if array.column_order and len(array.shape) > 1:
        return _read_whole(array)[chosen]
    out = np.empty((len(chosen), *array.shape[1:]), dtype=array.dtype.newbyteorder("="))
    per_block = max(1, BLOCK // max(row, 1))
    done = 0
    with array.opened() as stream:
        for first in range(0, array.shape[0], per_block):
            count = min(per_block, array.shape[0] - first)
            here = chosen[done : done + int(np.searchsorted(chosen[done:], first + count))] - first
            with reading(array.path):
                if not len(here) and not array.member:
                    stream.seek(count * row, 1)
                    continue
                block = stream.read(count * row)
                if len(block) != count * row:
                    raise InputError(damaged(array.path))
                rows = np.frombuffer(block, dtype=array.dtype).reshape(count, *array.shape[1:])
                out[done : done + len(here)] = rows[here]
            done += len(here)
            tell(min(1.0, (first + count) / array.shape[0]))
            if done == len(chosen):
                break
    return out


def _read_whole(array: Array) -> NDArray[Any]:
    import numpy as np

    size = array.item_bytes * array.shape[0]
    if size > LARGEST_COLUMN_ORDER:
        raise InputError(
            _("“{path}” is stored column by column and too large for that. Save np.ascontiguousarray of it.",
              path=named(array.path))
        )  # fmt: skip
    with array.opened() as stream, reading(array.path):
        content = stream.read(size)
        if len(content) != size:
            raise InputError(damaged(array.path))
        whole = np.frombuffer(content, dtype=array.dtype).reshape(array.shape, order="F")
        return whole.astype(array.dtype.newbyteorder("="))
