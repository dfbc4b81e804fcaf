"""Data that took a while to make, kept on disk for the next time.

Only what can be made again lies here, so a missing, damaged or unwritable cache costs time and nothing else.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Arrays = Mapping[str, np.ndarray]

LARGEST_FOLDER = 2 * 2**30  # bytes; beyond that the files used longest ago go


def folder() -> Path:
    """Where the files lie; LATENTARIUM_CACHE overrides it."""
    if os.environ.get("LATENTARIUM_CACHE"):
        return Path(os.environ["LATENTARIUM_CACHE"])
    import platformdirs

    return Path(platformdirs.user_cache_dir("latentarium", appauthor=False)) / "data"


def remember(name: str, key: Any, make: Callable[[], Arrays]) -> Arrays:
    """The arrays that ``make()`` gives for ``key`` (plain values), from the disk if they are there.

    ``name`` and ``key`` together must say everything the arrays depend on, the version of their maker
    included.
    """
    digest = hashlib.sha256(json.dumps([name, key], sort_keys=True).encode()).hexdigest()[:16]
    path = folder() / f"{name}-{digest}.npz"
    found = _read(path)
    if found is None:
        found = make()
        _write(path, found)
    return found


def _read(path: Path) -> Arrays | None:
    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        path.touch()  # used just now
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        return None
    return arrays


def _write(path: Path, arrays: Arrays) -> None:
    import numpy as np

    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".making-", delete=False) as file:
            temporary = Path(file.name)
            np.savez(file, **dict(arrays))  # type: ignore[arg-type]
        temporary.replace(path)
        _tidy(path.parent)
    except OSError:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def _tidy(where: Path) -> None:
    files = sorted(where.glob("*.npz"), key=lambda p: p.stat().st_mtime, reverse=True)
    total = 0
    for path in files:
        total += path.stat().st_size
        if total > LARGEST_FOLDER:
            path.unlink(missing_ok=True)
