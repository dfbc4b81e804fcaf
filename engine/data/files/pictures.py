"""A folder of pictures: what is there, and each brought to one small square.

Every file is opened lazily; its header is looked at before anything is decoded, and only five formats are
tried.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.core.text import InputError, Text, _
from engine.data.files.guard import named, quiet, reading
from engine.data.files.options import ImageParams
from engine.data.files.report import Count, Question, Report, printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image as PillowImage

    Pixels = NDArray[np.uint8]

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF")
SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".tif", ".tiff"))
LARGEST = 25_000_000  # pixels of one picture
MOST_FILES = 200_000
MOST_CLASSES = 1000
MOST_BYTES = 500_000_000  # of all pictures together, as an experiment will hold them
LOOKED_AT = 300
FEWEST_SHARE, BROKEN_FROM = 0.1, 10
"""Where so few of so many can be read, something else is wrong than a few pictures."""
SPLITS = frozenset(("train", "training", "test", "testing", "val", "valid", "validation"))
_ORIENTATION = 0x0112
_TILES = (322, 323)  # TIFF: width and height of a tile
_TURNS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
"""EXIF orientation to Pillow's Transpose, as ``ImageOps.exif_transpose`` has it."""


class UnfitError(Exception):
    """A picture that cannot be used. reason: which of REASONS."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


REASONS: dict[str, Text] = {
    "damaged": _("damaged or cut off"),
    "other": _("not a picture, whatever the name says"),
    "large": _("more than 25 megapixels"),
    "gone": _("gone or not to be read"),
}
CHANGES: dict[str, Text] = {
    "cropped": _("cut to the middle square"),
    "padded": _("borders filled"),
    "smaller": _("made smaller"),
    "larger": _("made larger"),
    "turned": _("turned as the camera was held"),
    "see-through": _("transparent, put on the ground"),
    "first": _("animated, first picture taken"),
    "stretched": _("values brought to black and white"),
}


@dataclass
class Listing:
    """Pictures below a folder, by name, and what else lies there. classes: of each picture, or nothing."""

    files: list[Path] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    others: int = 0
    other: str = ""
    complete: bool = True


@dataclass
class Tally:
    """How often something happened, and to which file first."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def add(self, what: str, example: str) -> None:
        self.counts[what] += 1
        self.examples.setdefault(what, example)

    def said(self, words: dict[str, Text]) -> tuple[Count, ...]:
        return tuple(Count(words[k], n, self.examples[k]) for k, n in self.counts.most_common())


@dataclass
class Pictures:
    """pixels: (N, S, S) grey or (N, S, S, 3) colour, bytes. y: (N,) class of each, or None."""

    pixels: Pixels
    y: NDArray[np.int64] | None
    names: tuple[str, ...]
    report: Report


# ── what is there ───────────────────────────────────────────────────────────────────────────────────────────


def list_pictures(folder: Path, tell: Callable[[float], None]) -> Listing:
    """Every picture below ``folder``, hidden ones aside.

    Raises:
        InputError: the folder cannot be read, or there is no picture in it.
    """
    found = Listing()
    with reading(folder):
        os.scandir(folder).close()
    walk = os.walk(folder)
    while True:
        with reading(folder):
            step = next(walk, None)
        if step is None:
            break
        where, folders, names = step
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        for name in sorted(names):
            if name.startswith("."):
                continue
            path = Path(where) / name
            if path.suffix.lower() in SUFFIXES:
                found.files.append(path)
            else:
                found.others += 1
                found.other = found.other or printable(name)
        tell(0.0)
        if len(found.files) + found.others > MOST_FILES:
            found.complete = False
            break
    if not found.files:
        raise InputError(_nothing_here(folder, found))
    found.classes = _classes(folder, found.files)
    return found


def _nothing_here(folder: Path, found: Listing) -> Text:
    if found.others:
        return _(
            "There is no picture in “{path}”, but {n} other files, such as “{name}”. Choose that file "
            "itself, or a folder with PNG, JPEG, WebP, BMP or TIFF files.",
            path=named(folder),
            n=found.others,
            name=found.other,
        )
    return _(
        "“{path}” is empty. Choose a folder with PNG, JPEG, WebP, BMP or TIFF files in it.",
        path=named(folder),
    )


def _classes(folder: Path, files: Sequence[Path]) -> list[str]:
    """The class of each file after its folder; nothing where the folders tell none apart.

    Folders around all the others, and such as "train" and "test", are looked through.
    """
    parts: list[tuple[str, ...]] = [path.relative_to(folder).parts[:-1] for path in files]
    while parts and all(part for part in parts) and len({part[0] for part in parts}) == 1:
        parts = [part[1:] for part in parts]
    if {part[0].casefold() for part in parts if part} <= SPLITS:
        parts = [part[1:] for part in parts]
    names = [part[0] if part else "" for part in parts]
    distinct = set(names)
    if not 2 <= len(distinct) <= MOST_CLASSES:
        return []
    return [printable(name) or str(_("in no folder")) for name in names]


# ── one picture ─────────────────────────────────────────────────────────────────────────────────────────────


def _open(path: Path) -> PillowImage.Image:
    """The picture at ``path``, its header read and found sound; nothing decoded.

    Raises:
        UnfitError: it cannot be used.
    """
    from PIL import Image, UnidentifiedImageError

    if not path.is_file():
        raise UnfitError("gone")
    try:
        image = Image.open(path, formats=FORMATS)
    except UnidentifiedImageError as error:
        raise UnfitError("other" if path.stat().st_size else "damaged") from error
    except (Image.DecompressionBombError, MemoryError) as error:
        raise UnfitError("large") from error
    except OSError as error:
        raise UnfitError("damaged" if error.errno is None else "gone") from error
    except Exception as error:  # plug-ins raise many kinds for a damaged file
        raise UnfitError("damaged") from error
    width, height = image.size
    tiles: Any = getattr(image, "tag_v2", {})
    try:
        tile = int(tiles.get(_TILES[0], 0)) * int(tiles.get(_TILES[1], 0))
    except (TypeError, ValueError):
        tile = LARGEST + 1
    if width * height > LARGEST or tile > LARGEST:
        image.close()
        raise UnfitError("large")
    if width < 1 or height < 1:
        image.close()
        raise UnfitError("damaged")
    return image


def load_one(path: Path, size: int, fit: str, ground: str, note: Callable[[str], None]) -> Pixels:
    """The picture at ``path`` as a square, (S, S, 3). note: told of each change, a key of CHANGES.

    Raises:
        UnfitError: it cannot be used.
    """
    import numpy as np

    try:
        with _open(path) as image:
            if image.format in ("PNG", "WEBP") and getattr(image, "is_animated", False):
                note("first")
            pixels: Pixels = np.array(_square(image, size, fit, ground, note), dtype=np.uint8)
    except UnfitError:
        raise
    except MemoryError as error:
        raise UnfitError("large") from error
    except OSError as error:
        raise UnfitError("damaged" if error.errno is None else "gone") from error
    except Exception as error:  # decoders raise many kinds for a damaged file
        raise UnfitError("damaged") from error
    return pixels


def _square(
    image: PillowImage.Image, size: int, fit: str, ground: str, note: Callable[[str], None]
) -> PillowImage.Image:
    """``image`` as a square in RGB. Made small first and converted then: that takes the least memory."""
    from PIL import Image

    image.draft(None, (2 * size, 2 * size))  # a JPEG can be decoded at a half, a quarter, an eighth
    image.load()
    width, height = image.size  # as it is now: drafted, and a TIFF already turned
    if image.mode in ("P", "PA") or "transparency" in image.info:
        image = image.convert("RGBA" if image.mode == "PA" or "transparency" in image.info else "RGB")
    elif image.mode == "1":
        image = image.convert("L")
    elif image.mode.startswith("I;16") and image.mode != "I;16":
        image = image.convert("I")
    short, long = min(width, height), max(width, height)
    if short != long:
        note("cropped" if fit == "crop" else "padded")
    side = short if fit == "crop" else long
    if side != size:
        note("smaller" if side > size else "larger")
    if fit == "crop":
        left, top = (width - side) // 2, (height - side) // 2
        target, box = (size, size), (left, top, left + side, top + side)
    else:
        target = (max(1, round(size * width / long)), max(1, round(size * height / long)))
        box = (0, 0, width, height)
    small = image.resize(target, Image.Resampling.BICUBIC, box=box, reducing_gap=2.0)
    small = _to_rgb(small, ground, note)
    if fit == "pad":
        sheet = Image.new("RGB", (size, size), ground)
        sheet.paste(small, ((size - target[0]) // 2, (size - target[1]) // 2))
        small = sheet
    turn = _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    if turn is None:
        return small
    note("turned")
    return small.transpose(Image.Transpose(turn))


def _to_rgb(image: PillowImage.Image, ground: str, note: Callable[[str], None]) -> PillowImage.Image:
    from PIL import Image

    if image.mode in ("RGBA", "LA", "RGBa", "La"):
        clear = image.convert("RGBA")
        if clear.getchannel("A").getextrema() != (255, 255):
            note("see-through")
        return Image.alpha_composite(Image.new("RGBA", image.size, ground), clear).convert("RGB")
    if image.mode in ("I;16", "I", "F"):
        return _many_levels(image, note)
    return image.convert("RGB")


def _many_levels(image: PillowImage.Image, note: Callable[[str], None]) -> PillowImage.Image:
    """16 and 32 bits, or floating point: from 0 to the largest number of the type that they fit into."""
    import numpy as np
    from PIL import Image

    values = np.asarray(image, dtype=np.float64)
    if not np.isfinite(values).all():
        raise UnfitError("damaged")
    low, high = float(values.min()), float(values.max())
    if image.mode == "I;16" or (low >= 0 and 255 < high <= 65_535):
        top = 65_535.0
    elif low >= 0 and image.mode == "F" and high <= 1:
        top = 1.0
    elif low >= 0 and high <= 255:
        top = 255.0
    else:
        note("stretched")
        values, top = values - low, max(high - low, 1e-300)
    return Image.fromarray((values / top * 255).round().clip(0, 255).astype(np.uint8)).convert("RGB")


# ── the whole folder ────────────────────────────────────────────────────────────────────────────────────────


def look_at_folder(folder: Path, params: ImageParams, seed: int, tell: Callable[[float], None]) -> Report:
    """What :func:`read_folder` would find, after looking at the headers of a few hundred files.

    Raises:
        InputError: there is no picture to be read.
    """
    import numpy as np

    found = list_pictures(folder, tell)
    order = np.random.default_rng(seed).permutation(len(found.files))
    some = [found.files[i] for i in order[:LOOKED_AT]]
    unfit, changed = Tally(), Tally()
    sizes: list[tuple[int, int]] = []
    modes: Counter[str] = Counter()
    for i, path in enumerate(some):
        tell(i / len(some))
        try:
            with quiet(), _open(path) as image:
                sizes.append(image.size)
                modes[image.mode] += 1
                animated = image.format in ("PNG", "WEBP") and getattr(image, "is_animated", False)
        except UnfitError as error:
            unfit.add(error.reason, printable(path.name))
            continue
        if animated:
            changed.add("first", printable(path.name))
        if sizes[-1][0] != sizes[-1][1]:
            changed.add("cropped" if params.fit == "crop" else "padded", printable(path.name))
    _check_share(folder, len(sizes), unfit)
    size = _size(params, sizes)
    for (width, height), path in zip(sizes, some, strict=False):
        side = min(width, height) if params.fit == "crop" else max(width, height)
        if side != size:
            changed.add("smaller" if side > size else "larger", printable(path.name))
    colours = (
        1
        if params.colour == "grey" or (params.colour == "auto" and set(modes) <= {"1", "L", "LA", "I;16"})
        else 3
    )
    exact = len(some) == len(found.files)
    share = len(sizes) / len(some)
    usable = len(sizes) if exact else round(len(found.files) * share)
    return _folder_report(
        folder, found, params, size, colours, sizes, unfit, changed,
        use=min(_most(params, size, colours), usable), exact=exact, y=None, names=(),
    )  # fmt: skip


def read_folder(folder: Path, params: ImageParams, seed: int, tell: Callable[[float], None]) -> Pictures:
    """The pictures below ``folder``, an even sample where there are more than wanted, in random order.

    Raises:
        InputError: there is no picture to be read, or hardly one.
    """
    import numpy as np

    found = list_pictures(folder, tell)
    order = np.random.default_rng(seed).permutation(len(found.files))
    unfit, changed = Tally(), Tally()
    sizes = _headers([found.files[i] for i in order[:LOOKED_AT]])
    size = _size(params, sizes)
    most = min(_most(params, size, 1 if params.colour == "grey" else 3), len(order))
    pixels: Pixels = np.empty((most, size, size, 3), dtype=np.uint8)
    taken: list[int] = []
    for tried, i in enumerate(order):
        if len(taken) == most:
            break
        tell(min(1.0, max(len(taken) / most, tried / len(order))))
        path = found.files[i]
        noted: list[str] = []
        try:
            with quiet():
                pixels[len(taken)] = load_one(path, size, params.fit, params.ground, noted.append)
        except UnfitError as error:
            unfit.add(error.reason, printable(path.name))
            if sum(unfit.counts.values()) == 20 * BROKEN_FROM and len(taken) <= FEWEST_SHARE * BROKEN_FROM:
                break  # nobody wants to wait for the other 100,000
            continue
        for change in noted:
            changed.add(change, printable(path.name))
        taken.append(int(i))
    _check_share(folder, len(taken), unfit)
    kept = pixels[: len(taken)]
    grey = params.colour == "grey" or (params.colour == "auto" and _is_grey(kept))
    if params.colour == "grey":
        weights = np.array([299, 587, 114], dtype=np.uint32)  # ITU-R 601, as Pillow's "L"
        kept = np.stack([((each * weights).sum(-1) // 1000).astype(np.uint8) for each in kept])
    elif grey:
        kept = kept[..., 0].copy()
    y: NDArray[np.int64] | None = None
    names: tuple[str, ...] = ()
    if params.classes and found.classes:
        labels = [found.classes[i] for i in taken]
        names = tuple(sorted(set(labels)))
        index = {name: i for i, name in enumerate(names)}
        y = np.array([index[label] for label in labels], dtype=np.int64)
    tell(1.0)
    report = _folder_report(
        folder, found, params, size, 1 if grey else 3, sizes, unfit, changed,
        use=len(taken), exact=True, y=y, names=names,
    )  # fmt: skip
    return Pictures(kept, y, names, report)


def _headers(files: Sequence[Path]) -> list[tuple[int, int]]:
    """Width and height of those that can be opened."""
    sizes = []
    for path in files:
        try:
            with quiet(), _open(path) as image:
                sizes.append(image.size)
        except UnfitError:
            continue
    return sizes


def _size(params: ImageParams, sizes: Sequence[tuple[int, int]]) -> int:
    """The side asked for; else 28 for pictures that small (MNIST), and 32 for all others."""
    if params.size != "auto":
        return int(params.size)
    middle = sorted(min(size) for size in sizes)[len(sizes) // 2] if sizes else 32
    return 28 if middle <= 28 else 32


def _most(params: ImageParams, size: int, colours: int) -> int:
    """As many pictures as asked for, as far as memory goes."""
    return min(params.most, MOST_BYTES // (4 * colours * size * size))


def _is_grey(pixels: Pixels) -> bool:
    """Whether no picture has any colour, up to what JPEG makes of grey. pixels: (N, S, S, 3)."""
    import numpy as np

    return all(
        int(np.abs(part.astype(np.int16) - part[..., :1].astype(np.int16)).max(initial=0)) <= 3
        for part in np.array_split(pixels, max(1, len(pixels) // 1000))
    )


def _check_share(folder: Path, good: int, unfit: Tally) -> None:
    bad = sum(unfit.counts.values())
    if good and (bad < BROKEN_FROM or good >= FEWEST_SHARE * (good + bad)):
        return
    reason, _n = unfit.counts.most_common(1)[0]
    raise InputError(
        _(
            "Only {good} of the first {all} pictures tried in “{path}” can be read; “{name}” is {reason}. "
            "Mend or remove the others.",
            good=good,
            all=good + bad,
            path=named(folder),
            name=unfit.examples[reason],
            reason=REASONS[reason],
        )
    )


def _folder_report(
    folder: Path,
    found: Listing,
    params: ImageParams,
    size: int,
    colours: int,
    sizes: Sequence[tuple[int, int]],
    unfit: Tally,
    changed: Tally,
    *,
    use: int,
    exact: bool,
    y: NDArray[np.int64] | None,
    names: tuple[str, ...],
) -> Report:
    import numpy as np

    dropped = unfit.said(REASONS)
    if found.others:
        dropped += (Count(_("other files"), found.others, found.other),)
    if y is not None:
        counts = tuple(zip(names, np.bincount(y).tolist(), strict=True))
    else:
        counts = tuple(sorted(Counter(found.classes).items())) if params.classes else ()
    facts: list[tuple[Text, str]] = []
    if sizes:
        areas = sorted(sizes, key=lambda s: s[0] * s[1])
        smallest, largest = (f"{w} × {h}" for w, h in (areas[0], areas[-1]))
        facts.append((_("Size"), smallest if smallest == largest else f"{smallest} – {largest}"))
    questions = [Question("size", str(_size(ImageParams(), sizes)))]
    if any(w != h for w, h in sizes):
        questions.append(Question("fit", "crop"))
    if colours == 3 or params.colour == "grey":
        questions.append(Question("colour", "auto"))
    if changed.counts["see-through"]:
        questions.append(Question("ground", "white"))
    total = len(found.files)
    title = (
        _("{n} pictures in {classes} classes", n=total, classes=len(counts))
        if counts
        else _("{n} pictures", n=total)
    )
    return Report(
        folder, "pictures", "own_images", title, total, use, exact and found.complete, (colours, size, size),
        dropped, changed.said(CHANGES), counts, (), tuple(facts), (), tuple(questions),
    )  # fmt: skip
