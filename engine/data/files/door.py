"""The way in: what lies at a path, and the data set made of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.core.text import InputError, Text, _
from engine.data.files import pictures, tables
from engine.data.files.guard import MB, check_file, head, named, reading, too_wide
from engine.data.files.options import AS_SUGGESTED, ImageParams, TableParams
from engine.data.files.report import Count, Question, Report, printable
from engine.data.files.words import decode, encoding_of
from engine.data.registry import Dataset, Request, Source, nothing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Options = ImageParams | TableParams
Tell = Callable[[float], None]

LOOK_BYTES = 16 * MB
"""Of a long table, so much is looked at before it is read."""
LOOK_ROWS = 5000
LARGEST_SIDE = 256
_TEXTS = frozenset((".txt", ".md", ".text", ".log", ".rst"))
_TABLES = frozenset((".csv", ".tsv", ".tab", ".dat", ".data"))
_PACKED = frozenset((".zip", ".gz", ".bz2", ".xz", ".7z", ".rar", ".tar", ".tgz", ".zst"))
_SHEETS = frozenset((".xlsx", ".xls", ".xlsm", ".ods", ".numbers"))


@dataclass(frozen=True)
class Reading:
    """A data set and the report of how it was read."""

    data: Dataset
    report: Report


# ── which kind ──────────────────────────────────────────────────────────────────────────────────────────────


def _kind(path: Path) -> str:
    """One of "folder", "arrays", "parquet", "table" or "text", by the first bytes before the name.

    Raises:
        InputError: there is nothing, or nothing that can be read.
    """
    with reading(path):
        if path.is_dir():
            return "folder"
    check_file(path)
    start, suffix = head(path, 64 * 1024), path.suffix.lower()
    if start.startswith(b"\x93NUMPY") or suffix in (".npy", ".npz"):
        return "arrays"
    if start.startswith(b"PAR1") or suffix in (".parquet", ".pq"):
        return "parquet"
    if suffix in pictures.SUFFIXES:
        raise InputError(
            _("“{path}” is a single picture. Choose the folder that holds all of them.", path=named(path))
        )
    if suffix in _SHEETS:
        raise InputError(
            _("“{path}” is a spreadsheet. Save it as CSV there, and choose that file.", path=named(path))
        )
    if suffix in _PACKED or start.startswith((b"PK\3\4", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!")):
        raise InputError(_("“{path}” is packed. Unpack it, then choose what is inside.", path=named(path)))
    if encoding_of(start) is None and suffix not in (_TABLES | _TEXTS):
        raise InputError(
            _(
                "“{path}” is of a kind that cannot be read. Choose a folder of pictures, or a CSV, TSV, "
                "Parquet, NPY, NPZ or text file.",
                path=named(path),
            )
        )
    if suffix in _TABLES:
        return "table"
    return "text" if suffix in (_TEXTS - {".txt"}) or not _like_table(path) else "table"


def _like_table(path: Path) -> bool:
    """Whether a text falls into even columns."""
    from engine.data.files.delimited import sniff

    try:
        dialect = sniff(path, TableParams())
    except InputError:
        return False
    return dialect.width > 1 and dialect.even >= 0.9 and dialect.numeric >= 0.3


# ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────


def look(path: Path, options: Options | None = None, tell: Tell = nothing) -> Report:
    """What lies at ``path`` and what would become of it under ``options`` (the suggested ones unless given).

    Reads the beginning of a long file and the headers of some hundred pictures; loads no torch. Options of
    another kind than ``path`` is of are passed over. ``tell``: see :class:`~engine.data.registry.Request`.

    Raises:
        InputError: there is nothing there that can be read; the sentence names the file.
    """
    kind = _kind(path)
    image_params = options if isinstance(options, ImageParams) else ImageParams()
    table_params = options if isinstance(options, TableParams) else TableParams()
    if kind == "folder":
        return pictures.look_at_folder(path, image_params, 0, tell)
    if kind == "text":
        return _look_at_text(path, tell)
    if kind == "arrays" and _holds_pictures(path):
        return _array_pictures(path, image_params, 0, tell).report
    return _points(path, table_params, 0, tell, briefly=True).report


def thumbnails(path: Path, options: ImageParams | None = None, count: int = 24) -> NDArray[np.uint8]:
    """A few pictures of those at ``path`` as they would be used, (M, S, S, 3) bytes. Loads no torch.

    Raises:
        InputError: there is no picture that can be read.
    """
    import dataclasses

    import numpy as np

    params = dataclasses.replace(options or ImageParams(), most=max(10, count))
    pixels = _pictures(path, params, 0, nothing).pixels[:count]
    return pixels if pixels.ndim == 4 else np.repeat(pixels[..., None], 3, axis=-1)


def _look_at_text(path: Path, tell: Tell) -> Report:
    text, encoding = decode(path, tell=tell)
    lines, words = text.count("\n") + (not text.endswith("\n")), len(text.split())
    facts = (
        (_("Encoding"), encoding),
        (_("Characters"), str(len(text))),
        (_("Words"), str(words)),
        (_("Lines"), str(lines)),
    )
    start = tuple((printable(line)[:80],) for line in text.split("\n")[:8])
    return Report(path, "text", "", _("{n} words of text", n=words), words, words, facts=facts, rows=start)


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────


def _points(
    path: Path, params: TableParams, seed: int, tell: Tell, *, briefly: bool = False
) -> tables.Points:
    """The points of any kind of table. briefly: a look at the beginning will do."""
    import dataclasses

    kind = _kind(path)
    if kind in ("folder", "text"):
        raise InputError(
            _("“{path}” is no table. Choose a CSV, TSV, Parquet, NPY or NPZ file.", path=named(path))
        )
    brief = dataclasses.replace(params, most=min(params.most, LOOK_ROWS)) if briefly else params

    def first_part(share: float) -> None:
        tell(0.9 * share)

    if kind == "parquet":
        from engine.data.files.parquet import read_parquet

        table = read_parquet(path, brief, seed, first_part)
    elif kind == "arrays":
        table = _array_table(path, brief, seed, first_part)
    else:
        table = _text_table(path, brief, seed, first_part, briefly=briefly)
    points = tables.to_points(path, table, params, lambda share: tell(0.9 + 0.1 * share))
    seen = table.rows + sum(count.count for count in table.dropped)
    if briefly and seen < table.total:  # what was seen, carried over to the whole
        use = round(points.report.use * table.total / table.rows)
        report = dataclasses.replace(points.report, use=min(params.most, use), exact=False)
        points = dataclasses.replace(points, report=report)
    return points


def _text_table(path: Path, params: TableParams, seed: int, tell: Tell, *, briefly: bool) -> tables.Table:
    from engine.data.files.delimited import DELIMITERS, read_grid

    grid = read_grid(path, params, seed, tell, most_bytes=LOOK_BYTES if briefly else None)
    some = [cell for _line, row in grid.rows[:1000] for cell in row]
    comma = params.decimal == "comma" or (params.decimal == "auto" and tables.decimal_comma(some))
    columns = [tables.Raw(name, [row[i] for _line, row in grid.rows]) for i, name in enumerate(grid.header)]
    dropped: tuple[Count, ...] = ()
    if grid.uneven:
        line, cells = grid.uneven_at[0]
        width = len(grid.header)
        where = _("line {line} ({cells} instead of {width})", line=line, cells=cells, width=width)
        dropped = (Count(_("another number of cells"), grid.uneven, where),)
    said = {sign: name for name, sign in DELIMITERS.items()}
    delimiter = said.get(grid.delimiter, "")
    names: dict[str, Text] = {
        "comma": _("comma"), "semicolon": _("semicolon"), "tab": _("tab"), "bar": _("vertical bar"),
        "space": _("space"),
    }  # fmt: skip
    facts = [(_("Encoding"), grid.encoding)]
    if len(columns) > 1:
        facts.append((_("Between two cells"), names.get(delimiter, f"“{grid.delimiter}”")))
    facts.append((_("Decimal sign"), _("comma") if comma else _("point")))
    facts.append((_("First line"), _("names") if grid.named else _("values")))
    total = grid.total if grid.exact else round(grid.total / grid.seen)
    return tables.Table(
        columns, len(grid.rows), total, grid.exact, [line for line, _row in grid.rows], dropped, tuple(facts),
        () if grid.named else (Question("header", "no"),), comma,
    )  # fmt: skip


def _array_table(path: Path, params: TableParams, seed: int, tell: Tell) -> tables.Table:
    import numpy as np

    from engine.data.files import arrays
    from engine.data.files.delimited import MOST_CELLS
    from engine.data.files.options import MOST_COLUMNS

    x, y, names = arrays.choose(path, arrays.find_arrays(path))
    if len(x.shape) > 2:
        raise InputError(
            _("“{path}” holds pictures or more ({shape}) and no table. Open it as pictures.",
              path=named(path), shape=_shape_words(x.shape))
        )  # fmt: skip
    width = x.shape[1] if len(x.shape) == 2 else 1
    if width > MOST_COLUMNS:
        raise InputError(too_wide(path))
    chosen = _sample(x.shape[0], max(10, min(params.most, 8 * MOST_CELLS // width)), seed)
    with reading(path):
        values = arrays.read_rows(x, chosen, tell).reshape(len(chosen), width)
    columns = [tables.Raw("", numbers=values[:, i].astype(np.float64)) for i in range(width)]
    label = AS_SUGGESTED
    if y is not None:
        columns.append(tables.Raw("y", words=_label_words(arrays.read_rows(y, chosen, tell).reshape(-1))))
        label = len(columns)
    return tables.Table(
        columns, len(chosen), x.shape[0], facts=((_("Array"), _array_words(x)),), label=label,
        class_names=_names(names),
    )  # fmt: skip


def _sample(total: int, most: int, seed: int) -> NDArray[np.int64]:
    """An even sample of ``range(total)``, ascending: all of it where it is not too much."""
    import numpy as np

    if total <= most:
        return np.arange(total)
    chosen: NDArray[np.int64] = np.random.default_rng(seed).choice(total, most, replace=False, shuffle=False)
    return np.sort(chosen)


def _label_words(values: NDArray[Any]) -> list[str]:
    """Labels of any kind as words: 3.0 as 3."""
    if values.dtype.kind == "S":
        return [bytes(value).decode("utf-8", "replace") for value in values.tolist()]
    if values.dtype.kind == "U":
        return [str(value) for value in values.tolist()]
    return [f"{float(value):g}" for value in values.tolist()]


def _names(array: Any) -> tuple[str, ...]:
    """The names of the classes, where the file has them."""
    import numpy as np

    from engine.data.files.arrays import read_rows

    if array is None or array.shape[0] > tables.MOST_CLASSES:
        return ()
    return tuple(
        printable(word)[:60] for word in _label_words(read_rows(array, np.arange(array.shape[0]), nothing))
    )


def _array_words(array: Any) -> str:
    return f"{array.member or array.path.name}: {_shape_words(array.shape)} {array.dtype.name}"


def _shape_words(shape: tuple[int, ...]) -> str:
    return " × ".join(str(n) for n in shape[:6])


# ── pictures ────────────────────────────────────────────────────────────────────────────────────────────────


def _pictures(path: Path, params: ImageParams, seed: int, tell: Tell) -> pictures.Pictures:
    kind = _kind(path)
    if kind == "folder":
        return pictures.read_folder(path, params, seed, tell)
    if kind == "arrays":
        return _array_pictures(path, params, seed, tell)
    raise InputError(
        _("“{path}” is no folder of pictures. Choose a folder, or an NPY or NPZ file of pictures.",
          path=named(path))
    )  # fmt: skip


def _holds_pictures(path: Path) -> bool:
    from engine.data.files import arrays

    return len(arrays.choose(path, arrays.find_arrays(path))[0].shape) > 2


def _array_pictures(path: Path, params: ImageParams, seed: int, tell: Tell) -> pictures.Pictures:
    """Pictures in an array: (N, H, W), (N, H, W, C) or (N, C, H, W), of bytes, 0..255 or 0..1."""
    import numpy as np

    from engine.data.files import arrays

    x, y_array, names_array = arrays.choose(path, arrays.find_arrays(path))
    first = _channels_first(path, x.shape)
    height, width = x.shape[2:4] if first else x.shape[1:3]
    colours = 1 if len(x.shape) == 3 else (x.shape[1] if first else x.shape[3])
    side = height if params.size == "auto" and height == width and height <= 64 else 0
    side = side or (pictures._size(params, [(width, height)]))
    most = min(pictures._most(params, side, colours), 256 * MB // x.item_bytes or 1)
    chosen = _sample(x.shape[0], most, seed)
    raw = arrays.read_rows(x, chosen, lambda share: tell(share / 2))
    changed = pictures.Tally()
    out = np.empty((len(chosen), side, side, 3), dtype=np.uint8)
    scale = _scale(path, raw)
    for i, one in enumerate(raw):
        if i % 100 == 0:
            tell(0.5 + i / len(raw) / 2)
        values = np.moveaxis(one, 0, -1) if first else one
        values = values if values.ndim == 3 else values[..., None]
        grey = values.shape[-1] == 1
        eight = (values.astype(np.float64) * scale).round().clip(0, 255).astype(np.uint8)
        noted: list[str] = []
        out[i] = _fitted(np.repeat(eight, 3, axis=-1) if grey else eight, side, params, noted.append)
        for change in noted:
            changed.add(change, str(_("item {n}", n=int(chosen[i]) + 1)))
    grey = params.colour == "grey" or (params.colour == "auto" and pictures._is_grey(out))
    kept = out
    if grey:
        weights = np.array([299, 587, 114], dtype=np.uint32)
        kept = np.stack([((each * weights).sum(-1) // 1000).astype(np.uint8) for each in out])
    y: NDArray[np.int64] | None = None
    names: tuple[str, ...] = ()
    if y_array is not None and params.classes:
        y, names = tables._classes(_label_words(arrays.read_rows(y_array, chosen, nothing).reshape(-1)))
        said = _names(names_array)
        if said and all(name.isdecimal() for name in names):
            names = tuple(said[int(name)] if int(name) < len(said) else name for name in names)
    tell(1.0)
    counts: tuple[tuple[str, int], ...] = ()
    if y is not None:
        counts = tuple(zip(names, np.bincount(y).tolist(), strict=True))
    questions = [Question("size", "auto")] + ([Question("fit", "crop")] if height != width else [])
    report = Report(
        path, "pictures", "own_images",
        _("{n} pictures in {classes} classes", n=x.shape[0], classes=len(counts)) if counts
        else _("{n} pictures", n=x.shape[0]),
        x.shape[0], len(kept), True, (1 if grey else 3, side, side), (), changed.said(pictures.CHANGES),
        counts, (), ((_("Array"), _array_words(x)),), (), tuple(questions),
    )  # fmt: skip
    return pictures.Pictures(kept, y, names, report)


def _channels_first(path: Path, shape: tuple[int, ...]) -> bool:
    """Whether a colour comes before the rows.

    Raises:
        InputError: these are no pictures.
    """
    if len(shape) == 3 and max(shape[1:]) <= LARGEST_SIDE:
        return False
    if len(shape) == 4 and shape[3] in (1, 3) and max(shape[1:3]) <= LARGEST_SIDE:
        return False
    if len(shape) == 4 and shape[1] in (1, 3) and max(shape[2:]) <= LARGEST_SIDE:
        return True
    raise InputError(
        _("“{path}” is an array of {shape}, which are no pictures: N × height × width (× 1 or 3) is needed, "
          "up to {most} × {most}.",
          path=named(path), shape=_shape_words(shape), most=LARGEST_SIDE)
    )  # fmt: skip


def _scale(path: Path, values: NDArray[Any]) -> float:
    """By what numbers are multiplied to lie in 0..255.

    Raises:
        InputError: they lie neither in 0..1 nor in 0..255, or are not all numbers.
    """
    import numpy as np

    if values.dtype.kind == "b":
        return 255.0
    low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise InputError(
            _("“{path}” has values that are not numbers; pictures need 0 to 1 or 0 to 255.", path=named(path))
        )
    if values.dtype == np.uint8:
        return 1.0
    if low >= 0 and high <= 1:
        return 255.0
    if low >= 0 and high <= 255:
        return 1.0
    if values.dtype == np.uint16:
        return 255 / 65_535
    raise InputError(
        _("“{path}” has values from {low:g} to {high:g}; pictures need 0 to 1 or 0 to 255. Scale them and "
          "save them again.",
          path=named(path), low=low, high=high)
    )  # fmt: skip


def _fitted(
    pixels: NDArray[np.uint8], side: int, params: ImageParams, note: Callable[[str], None]
) -> NDArray[np.uint8]:
    """(H, W, 3) as (side, side, 3)."""
    import numpy as np
    from PIL import Image

    if pixels.shape[:2] == (side, side):
        return pixels
    return np.asarray(
        pictures._square(Image.fromarray(np.ascontiguousarray(pixels)), side, params.fit, params.ground, note)
    )


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────


def read(path: Path, options: Options | None = None, tell: Tell = nothing, *, seed: int = 0) -> Dataset:
    """The data at ``path`` as :func:`read_whole` gives them, without the report."""
    return read_whole(path, options, tell, seed=seed).data


def read_whole(path: Path, options: Options | None = None, tell: Tell = nothing, *, seed: int = 0) -> Reading:
    """The data at ``path``, and the report of how they were read. Same file, options and seed: same data.

    Pictures: x (N, C, S, S) in 0..1, C 1 or 3. Tables: x (N, D), in the units of the file unless
    ``options.standardise``. ``Dataset.total`` counts what is there, ``len(x)`` what is used.

    options: without them, those that suit what lies at ``path``. tell: see
    :class:`~engine.data.registry.Request`.

    Raises:
        InputError: it cannot be read, or holds too little; one sentence that names the file.
    """
    import numpy as np
    import torch

    if options is None:
        kind = _kind(path)
        as_pictures = kind == "folder" or (kind == "arrays" and _holds_pictures(path))
        options = ImageParams() if as_pictures else TableParams()
    if isinstance(options, TableParams):
        points = _points(path, options, seed, tell)
        y = None if points.y is None else torch.from_numpy(points.y)
        report = points.report
        x = torch.tensor(points.x)  # a copy that lies as torch likes it: same bits out of every later product
        return Reading(
            Dataset(
                "own_table", "points", x, y, names=points.names, columns=points.columns, total=report.total
            ),
            report,
        )
    found = _pictures(path, options, seed, tell)
    pixels = found.pixels[:, None] if found.pixels.ndim == 3 else found.pixels.transpose(0, 3, 1, 2)
    x = torch.from_numpy(np.ascontiguousarray(pixels)).float().div_(255)  # (N, C, S, S)
    y = None if found.y is None else torch.from_numpy(found.y)
    data = Dataset("own_images", "images", x, y, names=found.names, total=found.report.total)
    return Reading(data, found.report)


def _load_images(request: Request) -> Dataset:
    if request.data_dir is None:
        raise InputError(_("Your pictures need a folder: choose it, or give --data-dir."))
    return read(request.data_dir, request.params or ImageParams(), request.tell, seed=request.seed)


def _load_table(request: Request) -> Dataset:
    if request.data_dir is None:
        raise InputError(_("Your table needs a file: choose it, or give --data-dir with its path."))
    return read(request.data_dir, request.params or TableParams(), request.tell, seed=request.seed)


SOURCES: tuple[Source, ...] = (
    Source(
        "own_images", _("My pictures"), _("A folder of pictures; folders inside it are classes."),
        "images", _load_images, needs_folder=True, params_class=ImageParams,
        credit=_("Yours: it stays on this computer."),
    ),
    Source(
        "own_table", _("My table"), _("A table of numbers: CSV, TSV, Parquet, NPY or NPZ."),
        "points", _load_table, needs_folder=True, params_class=TableParams,
        credit=_("Yours: it stays on this computer."),
    ),
)  # fmt: skip
