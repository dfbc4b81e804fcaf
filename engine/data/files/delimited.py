"""CSV and its relatives: which delimiter, encoding and first line, and an even sample of the rows.

The standard library's ``csv`` reads the cells; here is only what it leaves open. One pass, a line at a time,
so that a file of any size takes little memory and can be given up at any moment.
"""

from __future__ import annotations

import csv
import io
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TextIO

from engine.core.text import InputError, Text, _
from engine.data.files.guard import MB, check_file, damaged, head, named, reading, too_wide
from engine.data.files.options import MOST_COLUMNS, TableParams
from engine.data.files.words import encoding_of, western

LONGEST_ROW = 4 * MB  # characters
LONGEST_CELL = 200  # characters kept: enough for a name, and no number is longer
MOST_CELLS = 3_000_000  # kept at a time, about 200 MB
SNIFFED = 256 * 1024  # bytes from which delimiter and encoding are guessed
SNIFFED_ROWS = 200
BATCH = 500  # rows between two words about progress
DELIMITERS = {"tab": "\t", "semicolon": ";", "bar": "|", "comma": ",", "space": " "}
"""In the order in which they are believed: a comma may well stand inside a number, a space inside a name."""
_SEPARATOR_LINE = re.compile(r"\s*sep=(.)\s*", re.IGNORECASE)  # Excel's way of saying it
_NUMBER_LIKE = re.compile(r"[+-]?[\d.,\s'’\u202f]*\d[\d.,\s'’\u202f]*(?:[eE][+-]?\d+)?%?")


@dataclass
class Grid:
    """Cells as they stand in the file. rows: (line, cells) of an even sample, in the order of the file.

    total: rows with cells in them. uneven: how many of them have another number of cells than the others (and
    are left out), the first few as (line, cells). exact: whether all of the file was seen.
    """

    header: tuple[str, ...]
    named: bool
    rows: list[tuple[int, list[str]]]
    total: int
    uneven: int
    uneven_at: list[tuple[int, int]]
    exact: bool
    delimiter: str
    encoding: str
    seen: float = 1.0
    """Share of the file that was read."""


@dataclass
class Dialect:
    """How the cells of a file are told apart. skip: lines before the first row."""

    encoding: str
    delimiter: str
    width: int
    header: bool
    skip: int = 0
    even: float = 1.0
    """Share of the first rows that have ``width`` cells."""
    numeric: float = 0.0
    """Share of the cells below the first row that are numbers."""


@dataclass
class _Lines:
    """The lines of a file, for ``csv``; refuses a row that never ends."""

    file: TextIO
    path: Path
    number: int = 0
    since: int = 0
    row: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.file.readline(LONGEST_ROW + 1)
        if not line:
            raise StopIteration
        self.number += 1
        self.since += len(line)
        self.row.append(line)
        if self.since > LONGEST_ROW:
            raise InputError(
                _("“{path}”, line {line}, is longer than any row of a table. Is a quotation mark not closed?",
                  path=named(self.path), line=self.number)
            )  # fmt: skip
        return line

    def begin(self) -> None:
        """The next line begins a new row."""
        self.since = 0
        self.row = []


# ── what kind of file ───────────────────────────────────────────────────────────────────────────────────────


def sniff(path: Path, params: TableParams) -> Dialect:
    """Encoding, delimiter, width and whether the first line names the columns.

    Raises:
        InputError: the file is not text, or its beginning is not to be read.
    """
    start = head(path, SNIFFED)
    encoding = params.encoding if params.encoding != "auto" else encoding_of(start)
    if encoding is None:
        raise InputError(
            _(
                "“{path}” is not text, so it is no table of this kind. Save it as CSV (UTF-8) and choose "
                "that.",
                path=named(path),
            )
        )
    with reading(path):
        text = start.decode(encoding, "replace")
    if encoding == "utf-8" and text.startswith("\ufeff"):
        encoding, text = "utf-8-sig", text[1:]
    skip = 0
    said = _SEPARATOR_LINE.fullmatch(text.split("\n", 1)[0])
    if said:
        skip, text = 1, text.split("\n", 1)[-1]
    if params.delimiter != "auto":
        delimiter = DELIMITERS[params.delimiter]
    elif said:
        delimiter = said[1]
    else:
        delimiter = _delimiter(text, cut=len(start) == SNIFFED)
    rows = _first_rows(text, delimiter, cut=len(start) == SNIFFED)
    if not rows:
        raise InputError(_("There is no row in “{path}”. Choose a file with data in it.", path=named(path)))
    width, even = _width(rows)
    header = _has_names(rows, width) if params.header == "auto" else params.header == "yes"
    return Dialect(encoding, delimiter, width, header, skip, even, _numeric(rows))


def _first_rows(text: str, delimiter: str, *, cut: bool) -> list[list[str]]:
    """The first rows as ``csv`` sees them; the last one is not to be trusted where ``text`` is cut."""
    rows: list[list[str]] = []
    try:
        reader = csv.reader(
            io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=delimiter == " "
        )
        for row in islice(reader, SNIFFED_ROWS + 1):
            if any(cell.strip() for cell in row):
                rows.append(row)
    except csv.Error:
        pass  # what came before it counts; the reader itself will say what is wrong
    return rows[:-1] if cut and 1 < len(rows) <= SNIFFED_ROWS else rows[:SNIFFED_ROWS]


def _width(rows: list[list[str]]) -> tuple[int, float]:
    """The usual number of cells, and the share of rows that have it. A delimiter at the end of a line is
    none.

    R leaves out the name of the column of row names, so the first row may be one short.
    """
    counts = Counter(len(_trimmed(row)) for row in rows)
    width, often = max(counts.items(), key=lambda item: (item[1], item[0]))
    if len(rows) > 1 and len(_trimmed(rows[0])) in (width, width - 1) and width > 1:
        often += int(len(_trimmed(rows[0])) == width - 1)
    return width, often / len(rows)


def _trimmed(row: list[str]) -> list[str]:
    return row[:-1] if len(row) > 1 and not row[-1].strip() else row


def _delimiter(text: str, *, cut: bool) -> str:
    best, best_score = ",", 0.0
    spaced = _first_rows(text, " ", cut=cut)
    if spaced and _width(spaced)[0] > 1 and _width(spaced)[1] == 1 and _numeric(spaced) == 1:
        return " "  # nothing but numbers, whatever stands in them
    for delimiter in DELIMITERS.values():
        rows = _first_rows(text, delimiter, cut=cut)
        if not rows:
            continue
        width, even = _width(rows)
        if width > 1 and even >= 0.9 and (delimiter != " " or _numeric(rows) >= 0.5):
            return delimiter
        if width > 1 and delimiter != " " and even > best_score:
            best, best_score = delimiter, even
    return best


def _is_number(cell: str) -> bool:
    return _NUMBER_LIKE.fullmatch(cell.strip()) is not None


def _numeric(rows: list[list[str]]) -> float:
    cells = [cell for row in rows[1:] or rows for cell in row if cell.strip()]
    return sum(map(_is_number, cells)) / max(len(cells), 1)


def _has_names(rows: list[list[str]], width: int) -> bool:
    """Whether the first row names the columns: no number in it, and below it something else than in it."""
    first, rest = rows[0], rows[1:]
    if any(_is_number(cell) for cell in first) or len(_trimmed(first)) not in (width, width - 1):
        return False
    if not any(cell.strip() for cell in first):
        return False
    if not rest:
        return True
    if any(_is_number(cell) for row in rest for cell in row):
        return True
    # Only words: names are not repeated below, values often are.
    return all(cell not in {row[i] for row in rest if i < len(row)} for i, cell in enumerate(first) if cell)


# ── the rows ────────────────────────────────────────────────────────────────────────────────────────────────


def read_grid(
    path: Path,
    params: TableParams,
    seed: int,
    tell: Callable[[float], None],
    *,
    most_bytes: int | None = None,
) -> Grid:
    """An even sample of the rows of ``path``, at most ``params.most`` of them: each row as likely as any
    other.

    most_bytes: stop after about so many and estimate the rest.

    Raises:
        InputError: the file cannot be read as a table.
    """
    size = check_file(path)
    dialect = sniff(path, params)
    if dialect.width > MOST_COLUMNS:
        raise InputError(too_wide(path))
    try:
        return _sample(path, size, dialect, params, seed, tell, most_bytes)
    except UnicodeDecodeError as error:
        if params.encoding != "auto":
            raise InputError(
                _("“{path}” is not in {encoding}: byte {place} does not fit. Choose another encoding.",
                  path=named(path), encoding=params.encoding, place=error.start)
            ) from error  # fmt: skip
        if not dialect.encoding.startswith("utf-8"):
            raise InputError(damaged(path)) from error
    dialect.encoding = western(_everything_odd(path))
    return _sample(path, size, dialect, params, seed, tell, most_bytes)


def _everything_odd(path: Path) -> bytes:
    """The bytes above ASCII that occur in the file."""
    found: set[int] = set()
    with reading(path), path.open("rb") as file:
        while block := file.read(MB):
            found.update(block)
    return bytes(sorted(code for code in found if code > 127))


def _sample(
    path: Path,
    size: int,
    dialect: Dialect,
    params: TableParams,
    seed: int,
    tell: Callable[[float], None],
    most_bytes: int | None,
) -> Grid:
    most = max(10, min(params.most, MOST_CELLS // dialect.width))
    rng = random.Random(seed)  # noqa: S311
    header: tuple[str, ...] = ()
    kept: list[tuple[int, list[str]]] = []
    good = uneven = 0
    uneven_at: list[tuple[int, int]] = []
    first, exact, seen = True, True, 1.0
    for batch, place in _batches(path, dialect):
        tell(min(1.0, place / size))
        for line, cells in batch:
            row = cells
            if len(row) == dialect.width + 1 and not row[-1].strip():
                row = row[:-1]
            if first and dialect.header:
                first = False
                missing = dialect.width - len(row)
                header = ("",) * missing + tuple(row) if missing in (0, 1) else tuple(row[: dialect.width])
                header += ("",) * (dialect.width - len(header))
                continue
            first = False
            if len(row) != dialect.width:
                uneven += 1
                if len(uneven_at) < 5:
                    uneven_at.append((line, len(row)))
                continue
            good += 1
            if len(kept) < most:
                kept.append((line, [cell[:LONGEST_CELL] for cell in row]))
            elif (slot := rng.randrange(good)) < most:
                kept[slot] = (line, [cell[:LONGEST_CELL] for cell in row])
        if most_bytes is not None and most_bytes < place < size:
            exact, seen = False, place / size
            break
    kept.sort(key=lambda item: item[0])
    names = tuple(printable_name(name) for name in header) or ("",) * dialect.width
    _check_rows(path, good, uneven, uneven_at, dialect)
    return Grid(
        names, dialect.header, kept, good + uneven, uneven, uneven_at, exact, dialect.delimiter,
        dialect.encoding, seen,
    )  # fmt: skip


def printable_name(name: str) -> str:
    """The name of a column on one line, not longer than a heading can be."""
    return " ".join("".join(c if c.isprintable() else " " for c in name).split())[:80]


def _check_rows(
    path: Path, good: int, uneven: int, uneven_at: list[tuple[int, int]], dialect: Dialect
) -> None:
    if good == 0 and uneven == 0:
        raise InputError(
            _("“{path}” has names of columns and no rows. Choose a file with data in it.", path=named(path))
            if dialect.header
            else _("There is no row in “{path}”. Choose a file with data in it.", path=named(path))
        )
    if uneven > good:
        line, cells = uneven_at[0]
        raise InputError(
            _("“{path}” is no even table: line {line} has {cells} cells where {width} are expected. Choose "
              "another delimiter or mend the file.",
              path=named(path), line=line, cells=cells, width=dialect.width)
        )  # fmt: skip


def _batches(path: Path, dialect: Dialect) -> Iterator[tuple[list[tuple[int, list[str]]], int]]:
    """(line, cells) of some rows, and how many bytes of the file have been read by then."""
    with reading(path):
        binary: BinaryIO = path.open("rb")
    with binary:
        text = io.TextIOWrapper(binary, encoding=dialect.encoding, newline="")
        lines = _Lines(text, path)
        with _sentences(path, lines):
            for _line in range(dialect.skip):
                next(lines, None)
        lines.begin()
        reader = csv.reader(lines, delimiter=dialect.delimiter, skipinitialspace=dialect.delimiter == " ")
        batch: list[tuple[int, list[str]]] = []
        more = True
        while more:
            batch, cells = [], 0
            with _sentences(path, lines):
                while len(batch) < BATCH and cells < MOST_CELLS // 10:
                    line, last = lines.number + 1, lines.row
                    lines.begin()
                    row = next(reader, None)
                    if row is None:
                        more = False
                        _check_closed(path, last, line, dialect)
                        break
                    cells += len(row)
                    if any(cell and not cell.isspace() for cell in row):
                        batch.append((line, row))
                place = binary.tell()
            yield batch, place


def _check_closed(path: Path, row: list[str], line: int, dialect: Dialect) -> None:
    """Refuse a last row that swallowed others, because a quotation mark in it is not closed."""
    if len(row) < 2:
        return
    try:
        list(csv.reader(row, delimiter=dialect.delimiter, strict=True))
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise InputError(_not_closed(path, line - len(row))) from error


def _not_closed(path: Path, line: int) -> Text:
    return _(
        "“{path}” cannot be read from line {line} on: a quotation mark may not be closed. Mend it there.",
        path=named(path),
        line=line,
    )


class _sentences:  # noqa: N801
    """As ``reading``, but lets UnicodeDecodeError pass (another encoding may do) and names the line."""

    def __init__(self, path: Path, lines: _Lines) -> None:
        self.path, self.lines = path, lines

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, csv.Error):
            raise InputError(_not_closed(self.path, self.lines.number)) from error
        if error is not None and not isinstance(error, (UnicodeDecodeError, InputError)):
            with reading(self.path, damaged(self.path)):
                raise error
