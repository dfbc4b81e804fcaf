"""Data sets in torchvision's layout, from a folder that the person already has. Nothing is downloaded.

Whatever is wrong with the files is said in one sentence before torchvision meets them: its own messages speak
of assertions and shapes, and invite to a download that this program does not make.
"""

from __future__ import annotations

import math
from pathlib import Path

from engine.core.text import InputError, _
from engine.data.registry import Dataset, Request, Source

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def mnist(request: Request) -> Dataset:
    """The training digits of MNIST found under ``request.data_dir``: (N, 1, 28, 28) in 0..1, and their
    classes.

    Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", 1998.

    Raises:
        InputError: there is no such folder, or a file in it is missing, packed, damaged or of another kind.
    """
    if request.data_dir is None:
        raise InputError(
            _("MNIST needs a folder with its files: choose the one that holds MNIST/raw, or give --data-dir.")
        )
    folder = _raw_folder(request.data_dir)
    (count, height, width), (labels,) = _shape(folder / IMAGES, 3), _shape(folder / LABELS, 1)
    if (height, width) != (28, 28) or labels != count or count == 0:
        raise InputError(
            _(
                "{folder} is not MNIST: {images} pictures of {height} × {width} and {labels} labels.",
                folder=str(folder),
                images=count,
                height=height,
                width=width,
                labels=labels,
            )
        )

    from engine.boot import prepare_torchvision

    prepare_torchvision()
    from torchvision.datasets import MNIST

    class Here(MNIST):  # type: ignore[misc]
        """MNIST read from this very folder, whatever it is called, with or without the test files."""

        raw_folder = str(folder)

        def _check_exists(self) -> bool:
            return True  # by _shape, above

    try:
        found = Here(str(folder), train=True, download=False)
    except (OSError, RuntimeError, ValueError, AssertionError) as error:
        raise InputError(
            _("{folder} could not be read as MNIST ({reason}). Unpack the original files there once more.",
              folder=str(folder), reason=str(error))
        ) from error  # fmt: skip
    y = found.targets.long()
    if int(y.max()) > 9:
        raise InputError(
            _(
                "{path} is damaged: it has labels above 9. Unpack the original file once more.",
                path=str(folder / LABELS),
            )
        )
    x = found.data[:, None].float().div_(255)  # (N, 28, 28) bytes -> (N, 1, 28, 28)
    return Dataset("mnist", "images", x, y, names=tuple("0123456789"), total=len(x))


def _raw_folder(data_dir: Path) -> Path:
    """Where the files lie: ``data_dir`` may be torchvision's root, its MNIST folder, or the raw folder."""
    if not data_dir.is_dir():
        raise InputError(_("There is no folder {folder}.", folder=str(data_dir)))
    candidates = [data_dir / "MNIST" / "raw", data_dir / "raw", data_dir]
    for folder in candidates:
        if any((folder / name).exists() for name in (IMAGES, LABELS)):
            return folder
    for folder in candidates:
        if (folder / f"{IMAGES}.gz").exists():
            raise InputError(
                _("{path} is still packed. Unpack the .gz files in place, then choose the folder again.",
                  path=str(folder / f"{IMAGES}.gz"))
            )  # fmt: skip
    raise InputError(
        _(
            "There is no MNIST in {folder}: choose the folder that holds MNIST/raw/{name}.",
            folder=str(data_dir),
            name=IMAGES,
        )
    )


def _shape(path: Path, dimensions: int) -> tuple[int, ...]:
    """The sizes that an IDX file of bytes announces, after checking that the file really is that long."""
    if not path.exists():
        raise InputError(_("{path} is missing. Put the original file there.", path=str(path)))
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(4 + 4 * dimensions)
    except OSError as error:
        raise InputError(
            _("{path} cannot be read: {reason}.", path=str(path), reason=error.strerror or str(error))
        ) from error
    if head[:2] == b"\x1f\x8b":
        raise InputError(
            _(
                "{path} is still packed although its name does not say so. Unpack it with gunzip.",
                path=str(path),
            )
        )
    # IDX: two zero bytes, the type (8 = bytes), the number of dimensions, each size as four bytes, the bytes.
    if len(head) < 4 + 4 * dimensions or head[:4] != bytes((0, 0, 8, dimensions)):
        raise InputError(_("{path} is not a file of MNIST. Put the original file there.", path=str(path)))
    sizes = tuple(int.from_bytes(head[4 + 4 * i : 8 + 4 * i], "big") for i in range(dimensions))
    expected = len(head) + math.prod(sizes)
    if size != expected:
        raise InputError(
            _("{path} is damaged: it has {size} bytes, not {expected}. Unpack the original file once more.",
              path=str(path), size=size, expected=expected)
        )  # fmt: skip
    return sizes


SOURCES: tuple[Source, ...] = (
    Source(
        "mnist", _("MNIST 28 × 28"), _("Handwritten digits, 28 × 28 pixels, from your folder."),
        "images", mnist, needs_folder=True,
    ),
)  # fmt: skip
