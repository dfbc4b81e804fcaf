"""Data sets in torchvision's layout, from a folder that the person has; downloaded only by :func:`download`.

Whatever is wrong with the files is said in one sentence before torchvision meets them: its own messages speak
of assertions and shapes, and invite to a download that nobody asked for.
"""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from engine.core.params import Knob
from engine.core.text import InputError, Text, _
from engine.data.registry import Dataset, Request, Source, nothing

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


@dataclass(frozen=True, slots=True)
class Download:
    """A set that can be fetched. layout: the folder in which torchvision keeps it. files: how many are
    fetched, together ``megabytes``.
    """

    name: str
    title: Text
    layout: str
    files: int
    megabytes: int


DOWNLOADS: dict[str, Download] = {
    "mnist": Download("mnist", _("MNIST 28 × 28"), "MNIST", 4, 12),
    "fashion": Download("fashion", _("Fashion-MNIST 28 × 28"), "FashionMNIST", 4, 31),
    "cifar10": Download("cifar10", _("CIFAR-10 32 × 32"), "cifar-10-batches-py", 1, 170),
}
"""Plain data; importing this loads no torch."""
GARMENTS = (
    _("T-shirt"), _("trousers"), _("pullover"), _("dress"), _("coat"),
    _("sandal"), _("shirt"), _("trainer"), _("bag"), _("ankle boot"),
)  # fmt: skip
THINGS = (
    _("aeroplane"), _("car"), _("bird"), _("cat"), _("deer"),
    _("dog"), _("frog"), _("horse"), _("ship"), _("lorry"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CifarParams:
    """How much of CIFAR-10: all of it takes 600 MB."""

    n: Annotated[
        int, Knob(100, 50_000, "log", label=_("Pictures"), help=_("How many of the 50,000, drawn evenly."))
    ] = 5000


def mnist(request: Request) -> Dataset:
    """The training digits of MNIST found under ``request.data_dir``: (N, 1, 28, 28) in 0..1, and their
    classes.

    Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", 1998.

    Raises:
        InputError: there is no such folder, or a file in it is missing, packed, damaged or of another kind.
    """
    return _like_mnist(request, "mnist", "MNIST", tuple("0123456789"))


def fashion(request: Request) -> Dataset:
    """The training pictures of Fashion-MNIST, in the same files and shapes as MNIST.

    Source: H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST", 2017 (MIT licence).

    Raises:
        InputError: as :func:`mnist`.
    """
    return _like_mnist(request, "fashion", "Fashion-MNIST", GARMENTS)


def _like_mnist(request: Request, name: str, title: str, names: tuple[str, ...]) -> Dataset:
    layout = DOWNLOADS[name].layout
    if request.data_dir is None:
        raise InputError(
            _("{title} needs a folder with its files: choose the one that holds {layout}/raw, or give "
              "--data-dir.", title=title, layout=layout)
        )  # fmt: skip
    folder = _raw_folder(request.data_dir, title, layout)
    (count, height, width), (labels,) = _shape(folder / IMAGES, 3, title), _shape(folder / LABELS, 1, title)
    if (height, width) != (28, 28) or labels != count or count == 0:
        raise InputError(
            _(
                "{folder} is not {title}: {images} pictures of {height} × {width} and {labels} labels.",
                folder=str(folder),
                title=title,
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

        def _check_legacy_exist(self) -> bool:
            return False

    try:
        found = Here(str(folder), train=True, download=False)
    except (OSError, RuntimeError, ValueError, AssertionError) as error:
        raise InputError(
            _("{folder} could not be read as {title} ({reason}). Unpack the original files there once more.",
              folder=str(folder), title=title, reason=str(error))
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
    return Dataset(name, "images", x, y, names=names, total=len(x))


def cifar10(request: Request) -> Dataset:
    """Training pictures of CIFAR-10 found under ``request.data_dir``: (N, 3, 32, 32) in 0..1, an even sample.

    Its files are pickles, so torchvision opens them only if every one has the checksum of the original.

    Source: A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009.

    Raises:
        InputError: there is no such folder, or a file in it is missing or not the original.
    """
    layout = DOWNLOADS["cifar10"].layout
    if request.data_dir is None:
        raise InputError(
            _("CIFAR-10 needs a folder with its files: choose the one that holds {layout}, or give "
              "--data-dir.",
              layout=layout)
        )  # fmt: skip
    if not request.data_dir.is_dir():
        raise InputError(_("There is no folder {folder}.", folder=str(request.data_dir)))
    root = next(
        (f for f in (request.data_dir, request.data_dir.parent) if (f / layout / "batches.meta").is_file()),
        None,
    )
    if root is None or (root != request.data_dir and request.data_dir.name != layout):
        raise InputError(
            _("There is no CIFAR-10 in {folder}: choose the folder that holds {layout}.",
              folder=str(request.data_dir), layout=layout)
        )  # fmt: skip
    import torch

    from engine.boot import prepare_torchvision

    prepare_torchvision()
    from torchvision.datasets import CIFAR10

    request.tell(0.0)
    try:
        found = CIFAR10(str(root), train=True, download=False)
    except (OSError, RuntimeError) as error:
        raise InputError(
            _("{folder} is damaged or is not the original CIFAR-10. Unpack cifar-10-python.tar.gz there once "
              "more.", folder=str(root / layout))
        ) from error  # fmt: skip
    request.tell(0.8)
    wanted = (request.params or CifarParams()).n
    order = torch.randperm(len(found.data), generator=torch.Generator().manual_seed(request.seed))
    chosen = order[:wanted].sort().values
    pixels = torch.from_numpy(found.data)[chosen]  # (N, 32, 32, 3) bytes
    x = pixels.permute(0, 3, 1, 2).contiguous().float().div_(255)  # (N, 3, 32, 32)
    y = torch.tensor(found.targets)[chosen]
    return Dataset("cifar10", "images", x, y, names=THINGS, total=len(found.data))


def _raw_folder(data_dir: Path, title: str, layout: str) -> Path:
    """Where the files lie: ``data_dir`` may be torchvision's root, the set's own folder, or the raw one."""
    if not data_dir.is_dir():
        raise InputError(_("There is no folder {folder}.", folder=str(data_dir)))
    candidates = [data_dir / layout / "raw", data_dir / "raw", data_dir]
    # Sister sets have files of the same names: a folder that says it is another one is not this one.
    others = {d.layout for d in DOWNLOADS.values()} - {layout}
    candidates = [f for f in candidates if not others & {f.name, f.parent.name}]
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
            "There is no {title} in {folder}: choose the folder that holds {layout}/raw/{name}.",
            title=title,
            folder=str(data_dir),
            layout=layout,
            name=IMAGES,
        )
    )


def _shape(path: Path, dimensions: int, title: str) -> tuple[int, ...]:
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
        raise InputError(
            _("{path} is not a file of {title}. Put the original file there.", path=str(path), title=title)
        )
    sizes = tuple(int.from_bytes(head[4 + 4 * i : 8 + 4 * i], "big") for i in range(dimensions))
    expected = len(head) + math.prod(sizes)
    if size != expected:
        raise InputError(
            _("{path} is damaged: it has {size} bytes, not {expected}. Unpack the original file once more.",
              path=str(path), size=size, expected=expected)
        )  # fmt: skip
    return sizes


# ── downloading ─────────────────────────────────────────────────────────────────────────────────────────────


def download(name: str, root: Path, tell: Callable[[float], None] = nothing) -> Path:
    """Fetch the set called ``name`` into ``root``, in torchvision's layout and with its checksums.

    What is there already and whole is left as it is. Everything is fetched into a folder of its own beside
    the place and moved when it is complete, so that giving up or failing leaves ``root`` as it was.

    tell: see :class:`~engine.data.registry.Request`. Returns ``root``, from which the set can be read.

    Raises:
        InputError: there is no such set, no connection, no room, or what came is not the original.
    """
    if name not in DOWNLOADS:
        raise InputError(
            _("“{name}” cannot be downloaded; these can: {known}.", name=name, known=", ".join(DOWNLOADS))
        )
    about = DOWNLOADS[name]
    tell(0.0)
    if _is_whole(name, root):
        tell(1.0)
        return root
    temporary: Path | None = None
    new = not root.exists()
    try:
        root.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(root).free < 4 * about.megabytes * 2**20:
            raise InputError(
                _("{folder} has too little room for {title}: {size} MB are needed. Choose another folder.",
                  folder=str(root), title=about.title, size=4 * about.megabytes)
            )  # fmt: skip
        temporary = Path(tempfile.mkdtemp(prefix=".downloading-", dir=root))
        with _told(tell, about.files):
            _fetch(name, temporary)
        _move(temporary / about.layout, root / about.layout)
    except InputError:
        raise
    except Exception as error:
        if not isinstance(error, (OSError, RuntimeError, EOFError, ValueError)):
            raise  # such as: given up
        raise InputError(_why_not(about, root, error)) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
        if new:
            with contextlib.suppress(OSError):
                root.rmdir()  # only if nothing came into it
    tell(1.0)
    return root


def _is_whole(name: str, root: Path) -> bool:
    try:
        if name == "cifar10":
            cifar10(Request(data_dir=root, params=CifarParams(n=100)))
        elif (root / DOWNLOADS[name].layout).is_dir():
            (mnist if name == "mnist" else fashion)(Request(data_dir=root))
        else:
            return False
    except InputError:
        return False
    return True


def _fetch(name: str, folder: Path) -> None:
    """Let torchvision download, compare checksums, unpack and read; then let the packed files go."""
    from engine.boot import prepare_torchvision

    prepare_torchvision()
    from torchvision import datasets

    makers = {"mnist": datasets.MNIST, "fashion": datasets.FashionMNIST, "cifar10": datasets.CIFAR10}
    makers[name](str(folder), train=True, download=True)
    for packed in folder.rglob("*.gz"):
        packed.unlink()


@contextlib.contextmanager
def _told(tell: Callable[[float], None], files: int) -> Iterator[None]:
    """While torchvision downloads: its progress bar tells ``tell``, which may raise to give up."""
    from engine.boot import prepare_torchvision

    prepare_torchvision()
    from torchvision.datasets import utils

    finished = 0

    class Bar:
        """As much of tqdm as torchvision uses."""

        def __init__(self, total: int | None = None, **_look: Any) -> None:
            self.total, self.done = total, 0

        def __enter__(self) -> Bar:
            return self

        def __exit__(self, *error: object) -> None:
            nonlocal finished
            finished += error[0] is None

        def update(self, count: int) -> None:
            self.done += count
            part = min(1.0, self.done / self.total) if self.total else 0.0
            tell(min(0.99, (finished + part) / files))

    former = utils.tqdm
    utils.tqdm = Bar
    try:
        yield
    finally:
        utils.tqdm = former


def _move(source: Path, target: Path) -> None:
    """Every file of ``source`` to its place in ``target``, over a damaged one if need be."""
    for path in sorted(source.rglob("*")):
        place = target / path.relative_to(source)
        if path.is_dir():
            place.mkdir(parents=True, exist_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, place)


def _why_not(about: Download, root: Path, error: Exception) -> Text:
    if isinstance(error, OSError) and None not in (error.filename, error.errno):
        return _(
            "{folder} cannot be written to: {reason}. Choose another folder.",
            folder=str(root),
            reason=error.strerror or str(error),
        )
    if "corrupted" in str(error).lower():
        return _(
            "What came is not the original {title}, so it was thrown away. Try again later.",
            title=about.title,
        )
    return _(
        "{title} could not be downloaded. Is this computer online? Nothing was changed; try again, or copy "
        "the files into {folder}.",
        title=about.title,
        folder=str(root / about.layout),
    )


SOURCES: tuple[Source, ...] = (
    Source(
        "mnist", DOWNLOADS["mnist"].title, _("Handwritten digits, 28 × 28 pixels, from your folder."),
        "images", mnist, needs_folder=True,
        credit=_("Y. LeCun, C. Cortes, C. Burges, 1998. CC BY-SA 3.0."),
        megabytes=DOWNLOADS["mnist"].megabytes,
    ),
    Source(
        "fashion", DOWNLOADS["fashion"].title, _("Clothes and shoes, 28 × 28 pixels, from your folder."),
        "images", fashion, needs_folder=True,
        credit=_("H. Xiao, K. Rasul, R. Vollgraf, Zalando, 2017. MIT licence."),
        megabytes=DOWNLOADS["fashion"].megabytes,
    ),
    Source(
        "cifar10", DOWNLOADS["cifar10"].title, _("Small colour photographs of ten things, from your folder."),
        "images", cifar10, needs_folder=True, params_class=CifarParams,
        credit=_("A. Krizhevsky, 2009."),
        megabytes=DOWNLOADS["cifar10"].megabytes,
    ),
)  # fmt: skip
