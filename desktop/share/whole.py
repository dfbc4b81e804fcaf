"""A file that is there as a whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from desktop.language import _
from engine.api import Text

FORBIDDEN = _("nobody may write there")
REASONS = {
    errno.EACCES: FORBIDDEN,
    errno.EPERM: FORBIDDEN,
    errno.EROFS: FORBIDDEN,
    errno.ENOENT: _("there is no such folder"),
    errno.ENOTDIR: _("there is no such folder"),
    errno.ENOSPC: _("the disk is full"),
    errno.EDQUOT: _("the disk is full"),
}
"""What a system says in its own language, said in the person's."""


@contextmanager
def whole(path: Path) -> Iterator[IO[bytes]]:
    """What is written here stands at ``path`` afterwards. When anything goes wrong nothing is left behind,
    and a file that stood there before is untouched.

    Raises:
        OSError: the folder cannot be written to, or the disk is full.
    """
    part = path.with_name(f".{path.name[:80]}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def not_written(path: Path, error: OSError) -> Text:
    """The sentence about it."""
    return _(
        "“{path}” could not be written: {reason}. Choose another folder.",
        path=str(path),
        reason=REASONS.get(error.errno or 0, error.strerror or str(error)),
    )
