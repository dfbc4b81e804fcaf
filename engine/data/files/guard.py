"""What every reader shares: limits, names in sentences, and the one way in which reading fails."""

from __future__ import annotations

import errno
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.core.text import CancelledError, InputError, Text, _
from engine.data.files.options import MOST_COLUMNS
from engine.data.files.report import printable

MB = 2**20


def named(path: Path) -> str:
    """``path`` as sentences name it."""
    return printable(str(path))


def damaged(path: Path) -> Text:
    """What is said of a file whose content is not as it should be."""
    return _(
        "“{path}” is damaged or is not what its name says. Save or copy it once more, then choose it again.",
        path=named(path),
    )


def too_large(path: Path) -> Text:
    """What is said of a file that would take too much memory."""
    return _(
        "“{path}” needs more memory than there is. Make it smaller, or take a part of it, and try again.",
        path=named(path),
    )


def too_wide(path: Path) -> Text:
    """What is said of a table with too many columns."""
    return _(
        "“{path}” has more than {most} columns, too many to be used. Keep the ones that matter.",
        path=named(path),
        most=MOST_COLUMNS,
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Readers warn of damage that they get over; nobody wants to see that."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def reading(path: Path, otherwise: Text | None = None) -> Iterator[None]:
    """A call of a reader made by others: whatever it raises becomes a sentence about ``path``.

    otherwise: the sentence where the file itself is at fault. Nothing that tells of progress may be called
    inside, for what it raises must pass unchanged.

    Raises:
        InputError: the reader failed.
    """
    try:
        with quiet():
            yield
    except (InputError, CancelledError):
        raise
    except MemoryError as error:
        raise InputError(too_large(path)) from error
    except OSError as error:
        raise InputError(_os_sentence(path, error, otherwise)) from error
    except Exception as error:  # readers raise many kinds for a damaged file
        raise InputError(otherwise or damaged(path)) from error


def _os_sentence(path: Path, error: OSError, otherwise: Text | None) -> Text:
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ESTALE):
        return _("“{path}” is not there any more. Look where it went and choose it again.", path=named(path))
    if error.errno in (errno.EACCES, errno.EPERM):
        return _("You may not read “{path}”. Allow it in its properties, or copy it.", path=named(path))
    if error.errno is None:  # raised by the reader and not by the system
        return otherwise or damaged(path)
    return _(
        "“{path}” cannot be read: {reason}. Copy it to this computer and choose the copy.",
        path=named(path),
        reason=error.strerror or str(error),
    )


def check_file(path: Path) -> int:
    """The size in bytes of the file at ``path``.

    Raises:
        InputError: it is not there, may not be read, is no plain file, or is empty.
    """
    with reading(path):
        found = path.stat()
        if stat.S_ISREG(found.st_mode):
            path.open("rb").close()
    if stat.S_ISDIR(found.st_mode):
        raise InputError(_("“{path}” is a folder. Choose the file itself.", path=named(path)))
    if not stat.S_ISREG(found.st_mode):
        raise InputError(_("“{path}” is neither a file nor a folder. Choose one.", path=named(path)))
    if found.st_size == 0:
        raise InputError(_("“{path}” is empty (0 bytes). Save or copy it once more.", path=named(path)))
    return found.st_size


def head(path: Path, size: int = 4096) -> bytes:
    """The first bytes of a file."""
    with reading(path), path.open("rb") as file:
        return file.read(size)
