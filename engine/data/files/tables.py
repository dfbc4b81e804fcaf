"""From columns to points: what each column is, which one is the label, and what becomes of the rest.

Nothing is brought to another scale unless it is asked for.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core.text import InputError, Text, _
from engine.data.files.guard import named, too_wide
from engine.data.files.options import AS_SUGGESTED, MOST_COLUMNS, NO_LABEL, TableParams
from engine.data.files.report import Column, ColumnKind, Count, Question, Report, Use, printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

MISSING = frozenset(
    ("", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "-", "--", "–", "—", "?", ".", "…")
)
LABEL_NAMES = frozenset(
    ("class", "classe", "label", "labels", "étiquette", "etiquette", "target", "cible", "species",
     "espèce", "category", "catégorie", "categorie", "type", "kind", "group", "groupe", "klasse", "variety",
     "outcome")
)  # fmt: skip
INDEX_NAMES = frozenset(("", "id", "index", "row", "nr", "no", "no.", "n°", "#", "unnamed: 0", "rownames"))
LARGEST = 1e15
"""Numbers beyond that are no measurements, and their squares leave the range of float32 soon after."""
MOST_WORDS = 50
"""Different words up to which a column of words says something about many rows."""
MOST_CLASSES = 1000
MOST_NUMBERS = 20_000_000
"""Numbers in all rows together; while they are put in order they take about five times 8 bytes each."""
MOSTLY_MISSING, MOSTLY_NUMBERS = 0.4, 0.9
PREVIEW_ROWS = 8
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:[\s\u00a0\u202f'’]\d{3})+(?:[.,]\d*)?")
_THOUSANDS_COMMA = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?")
_THOUSANDS_POINT = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+(?:,\d*)?")
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")
_DECIMAL_POINT = re.compile(r"[+-]?\d*\.\d+(?:[eE][+-]?\d+)?")
_DATES = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y/%m/%d", "%d-%m-%Y", "%d/%m/%Y %H:%M", "%d.%m.%Y %H:%M")


@dataclass
class Raw:
    """A column before it is understood: words as they stand, or numbers with NaN where there is none.

    refused: why it can be neither, such as a list in each cell.
    """

    name: str
    words: list[str] | None = None
    numbers: Numbers | None = None
    is_date: bool = False
    refused: Text | None = None


@dataclass
class Table:
    """What a reader found. lines: the line of each row in the file, where it has lines. label: the column
    (counted from 1) that the file itself calls the label.
    """

    columns: list[Raw]
    rows: int
    total: int
    exact: bool = True
    lines: Sequence[int] = ()
    dropped: tuple[Count, ...] = ()
    facts: tuple[tuple[Text, str], ...] = ()
    questions: tuple[Question, ...] = ()
    decimal_comma: bool = False
    label: int = AS_SUGGESTED
    class_names: tuple[str, ...] = ()


@dataclass
class Points:
    """x: (N, D) float32. y: (N,) int64 or None."""

    x: NDArray[np.float32]
    y: NDArray[np.int64] | None
    names: tuple[str, ...]
    columns: tuple[str, ...]
    report: Report


@dataclass
class _Known:
    """A column understood. numbers: (N,) with NaN where missing, None for words. strange: cells that are no
    numbers among numbers, infinite: cells that are none to reckon with; both count as missing.
    """

    raw: Raw
    kind: ColumnKind
    numbers: Numbers | None
    words: list[str] | None
    missing: int
    distinct: int
    example: str
    strange: int = 0
    strange_at: str = ""
    infinite: int = 0
    is_index: bool = False
    """Whether it only counts the rows."""


# ── one cell, one column ────────────────────────────────────────────────────────────────────────────────────


def decimal_comma(cells: Sequence[str]) -> bool:
    """Whether more of ``cells`` are numbers with a decimal comma than with a point."""
    commas = sum(_DECIMAL_COMMA.fullmatch(cell.strip()) is not None for cell in cells)
    points = sum(_DECIMAL_POINT.fullmatch(cell.strip()) is not None for cell in cells)
    return commas > points


def to_number(word: str, comma: bool) -> float | None:
    """The number that ``word`` writes: NaN where it says that there is none, None where it is no number."""
    plain = word.strip()
    if plain.casefold() in MISSING:
        return math.nan
    if "_" in plain:  # Python's own way of writing thousands, and nobody else's
        return None
    if _THOUSANDS.fullmatch(plain):
        plain = re.sub(r"[\s\u00a0\u202f'’]", "", plain).replace(",", ".")
    elif comma:
        if _THOUSANDS_POINT.fullmatch(plain):
            plain = plain.replace(".", "")
        plain = plain.replace(",", ".")
    elif _THOUSANDS_COMMA.fullmatch(plain):
        plain = plain.replace(",", "")
    try:
        return float(plain)
    except ValueError:
        return None


def _is_date(word: str) -> bool:
    word = word.strip()
    if len(word) > 40:
        return False
    try:
        datetime.fromisoformat(word)
    except ValueError:
        for pattern in _DATES:
            try:
                datetime.strptime(word, pattern)
            except ValueError:
                continue
            return True
        return False
    return True


def _understand(raw: Raw, lines: Sequence[int], comma: bool) -> _Known:
    import numpy as np

    if raw.refused is not None:
        return _Known(raw, "text", None, None, 0, 0, "")
    if raw.numbers is not None:
        return _understand_numbers(raw, raw.numbers)
    words = [word.strip() for word in raw.words or ()]
    found = [to_number(word, comma) for word in words]
    strange = [i for i, value in enumerate(found) if value is None]
    filled = [i for i, value in enumerate(found) if value is None or not math.isnan(value)]
    if not filled:
        return _Known(raw, "empty", None, None, len(words), 0, "")
    example = words[filled[0]][:40]
    if len(strange) <= (1 - MOSTLY_NUMBERS) * len(filled) and len(strange) < len(filled):
        numbers = np.array([math.nan if value is None else value for value in found], dtype=np.float64)
        known = _understand_numbers(raw, numbers)
        known.strange = len(strange)
        if strange:
            at = strange[0]
            known.strange_at = f"“{words[at][:40]}”" if not lines else f"{lines[at]}: “{words[at][:40]}”"
        known.words = words
        known.example = example
        return known
    present = [words[i] for i in filled]
    distinct = len(set(present))
    missing = len(words) - len(filled)
    if raw.is_date or all(_is_date(word) for word in list(dict.fromkeys(present))[:50]):
        kind: ColumnKind = "date"
    elif distinct <= MOST_WORDS and 2 * distinct <= max(len(present), 4):
        kind = "category"
    else:
        kind = "text"
    return _Known(raw, kind, None, words, missing, distinct, example)


def _understand_numbers(raw: Raw, numbers: Numbers) -> _Known:
    import numpy as np

    huge = np.isinf(numbers) | (np.abs(np.nan_to_num(numbers)) > LARGEST)
    numbers = np.where(huge, np.nan, numbers)
    there = numbers[~np.isnan(numbers)]
    if not len(there):
        return _Known(raw, "empty", None, None, len(numbers), 0, "", infinite=int(huge.sum()))
    distinct = len(np.unique(there[:5000]))
    kind: ColumnKind = "date" if raw.is_date else "number"
    return _Known(
        raw, kind, numbers, None, int(len(numbers) - len(there)), distinct, f"{there[0]:g}",
        infinite=int(huge.sum()),
    )  # fmt: skip


def _words_of(known: _Known) -> list[str]:
    """The cells as class names; "" where there is none."""
    if known.words is not None:
        return ["" if word.casefold() in MISSING else printable(word)[:60] for word in known.words]
    assert known.numbers is not None
    return ["" if math.isnan(value) else f"{value:g}" for value in known.numbers.tolist()]


def _could_be_label(known: _Known) -> bool:
    """Words, or few whole numbers."""
    import numpy as np

    if known.kind == "category":
        return True
    if known.kind != "number" or known.numbers is None or not 2 <= known.distinct <= 20:
        return False
    there = known.numbers[~np.isnan(known.numbers)]
    return bool((there == np.round(there)).all()) and len(there) >= 3 * known.distinct


def _counts_up(known: _Known, total: int) -> bool:
    """Whether it is 1, 2, 3, … (a sample of that, where the table is one)."""
    import numpy as np

    if known.kind != "number" or known.numbers is None or known.missing or len(known.numbers) < 2:
        return False
    whole = bool((known.numbers == np.round(known.numbers)).all())
    span = float(known.numbers[-1] - known.numbers[0])
    return whole and bool((np.diff(known.numbers) > 0).all()) and span <= 1.2 * total


def _suggest_label(known: Sequence[_Known]) -> int:
    """The column that names the classes, counted from 1; 0 where none looks like it."""
    able = [i + 1 for i, column in enumerate(known) if _could_be_label(column)]
    for i in able:
        if known[i - 1].raw.name.casefold() in LABEL_NAMES:
            return i
    words = [i for i in able if known[i - 1].kind == "category"]
    return words[-1] if words else (len(known) if len(known) > 2 and len(known) in able else 0)


# ── the whole ───────────────────────────────────────────────────────────────────────────────────────────────


def _unique_names(columns: Sequence[Raw]) -> list[str]:
    """A name for every column, no two alike."""
    given = [raw.name or str(_("column {n}", n=i + 1)) for i, raw in enumerate(columns)]
    seen: Counter[str] = Counter()
    taken, found = set(given), []
    for name in given:
        seen[name] += 1
        own = name
        while seen[name] > 1 and own in taken:
            own = f"{name} ({seen[name]})"
            seen[name] += own in taken
        taken.add(own)
        found.append(own)
    return found


def to_points(path: Path, table: Table, params: TableParams, tell: Callable[[float], None]) -> Points:
    """Points of a table, and the report about it.

    Raises:
        InputError: no numbers are left, or no rows, or the label column is none.
    """
    import numpy as np

    given = [raw.name for raw in table.columns]
    for raw, name in zip(table.columns, _unique_names(table.columns), strict=True):
        raw.name = name
    known = []
    for i, raw in enumerate(table.columns):
        tell(i / len(table.columns))
        known.append(_understand(raw, table.lines, table.decimal_comma))
    suggested = table.label if table.label != AS_SUGGESTED else _suggest_label(known)
    for column, raw_name in zip(known, given, strict=True):
        column.is_index = raw_name.strip().casefold() in INDEX_NAMES and _counts_up(column, table.total)
    if all(column.is_index for column in known if column.kind == "number"):
        for column in known:
            column.is_index = False
    label = suggested if params.label == AS_SUGGESTED else params.label
    _check_label(path, known, label)

    roles = [_role(column, i + 1 == label, params, table.rows) for i, column in enumerate(known)]
    if not any(use in ("number", "words") for use, _reason in roles):
        raise InputError(_nothing_to_use(path, known))
    width = _width(known, roles)
    if width > MOST_COLUMNS:
        raise InputError(too_wide(path))
    if width == 0:
        raise InputError(_nothing_to_use(path, known))
    _thin(table, known, MOST_NUMBERS // width)
    names, parts = _features(known, roles)
    x = np.stack(parts, axis=1)  # (N, D)
    labels = _words_of(known[label - 1]) if label != NO_LABEL else None
    keep, dropped = _complete(x, labels, params, table)
    if params.missing == "mean":
        with np.errstate(all="ignore"):
            means = np.nansum(x, axis=0) / np.maximum((~np.isnan(x)).sum(0), 1)
        x = np.where(np.isnan(x), means, x)
    x = x[keep]
    if len(x) < 2:
        raise InputError(_too_few(path, known, roles, len(x)))
    if params.standardise:
        deviation = x.std(0)
        x = (x - x.mean(0)) / np.where(deviation > 0, deviation, 1)
    y, class_names = (None, ()) if labels is None else _classes([labels[i] for i in np.flatnonzero(keep)])
    if class_names and table.class_names and all(name.isdecimal() for name in class_names):
        known_names = dict(enumerate(table.class_names))
        class_names = tuple(known_names.get(int(name), name) for name in class_names)
    tell(1.0)
    report = _report(path, table, params, known, roles, suggested, x.shape, dropped, y, class_names)
    return Points(x.astype(np.float32), y, class_names, tuple(names), report)


def _check_label(path: Path, known: Sequence[_Known], label: int) -> None:
    if label > len(known):
        raise InputError(
            _("“{path}” has no column {n} to take as the label; it has {columns}.",
              path=named(path), n=label, columns=len(known))
        )  # fmt: skip
    if label == NO_LABEL:
        return
    column = known[label - 1]
    if column.kind == "empty" or column.raw.refused is not None:
        raise InputError(
            _("Column “{name}” of “{path}” cannot be the label: it is empty. Choose another one.",
              name=column.raw.name, path=named(path))
        )  # fmt: skip
    distinct = len(set(_words_of(column)))
    if distinct > MOST_CLASSES:
        raise InputError(
            _("Column “{name}” of “{path}” has {n} different values: too many for classes. Choose another "
              "one.",
              name=column.raw.name, path=named(path), n=distinct)
        )  # fmt: skip


def _role(column: _Known, is_label: bool, params: TableParams, rows: int) -> tuple[Use, Text | None]:
    if is_label:
        return "label", None
    if column.raw.refused is not None:
        return "left out", column.raw.refused
    if column.kind == "empty":
        return "left out", _("no value in it")
    if column.kind == "date":
        return "left out", _("a date")
    if column.kind == "text":
        return "left out", _("words that differ from row to row")
    if column.is_index:
        return "left out", _("a running number")
    if column.missing > MOSTLY_MISSING * rows and column.infinite < column.missing / 2:
        return "left out", _("{n} of {rows} values are missing", n=column.missing, rows=rows)
    if column.kind == "category":
        return ("words", None) if params.categories == "onehot" else ("left out", _("words"))
    if column.strange:
        return "number", _("{n} cells are no numbers and count as missing", n=column.strange)
    if column.infinite:
        return "number", _("{n} numbers are infinite or too large and count as missing", n=column.infinite)
    return "number", None


def _width(known: Sequence[_Known], roles: Sequence[tuple[Use, Text | None]]) -> int:
    """How many columns of numbers there will be."""
    words = sum(
        len(set(_words_of(column)) - {""})
        for column, (use, _reason) in zip(known, roles, strict=True)
        if use == "words"
    )
    return words + sum(use == "number" for use, _reason in roles)


def _thin(table: Table, known: Sequence[_Known], most: int) -> None:
    """Keep at most so many rows, evenly spread: words can make many columns of a few."""
    import numpy as np

    if table.rows <= most:
        return
    some = np.linspace(0, table.rows - 1, max(most, 2)).astype(np.int64)
    for column in known:
        if column.numbers is not None:
            column.numbers = column.numbers[some]
        if column.words is not None:
            column.words = [column.words[i] for i in some]
    table.lines = [table.lines[i] for i in some] if len(table.lines) else ()
    table.rows = len(some)


def _features(
    known: Sequence[_Known], roles: Sequence[tuple[Use, Text | None]]
) -> tuple[list[str], list[Numbers]]:
    """The columns of numbers, each (N,), and their names."""
    import numpy as np

    names: list[str] = []
    parts: list[Numbers] = []
    for column, (use, _reason) in zip(known, roles, strict=True):
        if use == "number":
            assert column.numbers is not None
            names.append(column.raw.name)
            parts.append(column.numbers)
        elif use == "words":
            words = _words_of(column)
            for word in sorted(set(words) - {""}):
                names.append(f"{column.raw.name} = {word}")
                parts.append(np.array([each == word for each in words], dtype=np.float64))
    return names, parts


def _nothing_to_use(path: Path, known: Sequence[_Known]) -> Text:
    if all(column.kind == "empty" for column in known):
        return _("Every value in “{path}” is missing. Choose a file with numbers in it.", path=named(path))
    return _(
        "There is no column of numbers in “{path}” besides the label. Choose a table with numbers, or "
        "another delimiter or decimal sign.",
        path=named(path),
    )


def _too_few(
    path: Path, known: Sequence[_Known], roles: Sequence[tuple[Use, Text | None]], left: int
) -> Text:
    used = [c for c, (use, _reason) in zip(known, roles, strict=True) if use != "left out"]
    worst = max(used, key=lambda column: column.missing)
    if worst.missing == 0:
        return _(
            "Too few rows of numbers are in “{path}” ({n}); at least 2 are needed.", path=named(path), n=left
        )
    return _(
        "Too few rows of “{path}” have all their values ({n}); “{column}” misses most. Fill missing values "
        "with the mean, or take that column out.",
        n=left,
        path=named(path),
        column=worst.raw.name,
    )


def _complete(
    x: Numbers, labels: list[str] | None, params: TableParams, table: Table
) -> tuple[NDArray[np.bool_], tuple[Count, ...]]:
    """Which rows to keep, (N,), and why others go."""
    import numpy as np

    def first(which: NDArray[np.bool_]) -> str:
        at = int(np.flatnonzero(which)[0])
        return str(_("line {n}", n=table.lines[at])) if len(table.lines) else str(_("row {n}", n=at + 1))

    keep = np.ones(len(x), dtype=bool)
    dropped = []
    if labels is not None:
        unlabelled = np.array([not word for word in labels])
        if unlabelled.any():
            dropped.append(Count(_("no label"), int(unlabelled.sum()), first(unlabelled)))
            keep &= ~unlabelled
    missing = np.isnan(x).any(1) & keep
    if params.missing == "drop" and missing.any():
        dropped.append(Count(_("a value is missing"), int(missing.sum()), first(missing)))
        keep &= ~missing
    return keep, tuple(dropped)


def _classes(labels: list[str]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Class of each row, (N,), and the names in the order of numbers or of the alphabet."""
    import numpy as np

    def order(word: str) -> tuple[int, float, str]:
        value = to_number(word, comma=False)
        return (0, value, word) if value is not None and not math.isnan(value) else (1, 0.0, word)

    names = sorted(set(labels), key=order)
    index = {name: i for i, name in enumerate(names)}
    return np.array([index[label] for label in labels], dtype=np.int64), tuple(names)


def _report(
    path: Path,
    table: Table,
    params: TableParams,
    known: Sequence[_Known],
    roles: Sequence[tuple[Use, Text | None]],
    suggested: int,
    shape: tuple[int, ...],
    dropped: tuple[Count, ...],
    y: NDArray[np.int64] | None,
    class_names: tuple[str, ...],
) -> Report:
    import numpy as np

    columns = tuple(
        Column(i + 1, c.raw.name, c.kind, c.missing, c.distinct, c.example, use, reason)
        for i, (c, (use, reason)) in enumerate(zip(known, roles, strict=True))
    )
    changed = [
        Count(_("no number among numbers: counts as missing"), c.strange, f"{c.raw.name}: {c.strange_at}")
        for c, (use, _reason) in zip(known, roles, strict=True)
        if c.strange and use == "number"
    ]
    changed += [
        Count(_("infinite or too large: counts as missing"), c.infinite, c.raw.name)
        for c, (use, _reason) in zip(known, roles, strict=True)
        if c.infinite and use == "number"
    ]
    if params.standardise:
        changed.append(Count(_("columns brought to mean 0 and standard deviation 1"), shape[1]))
    able: list[tuple[int | float | bool | str, str]] = [(NO_LABEL, _("none"))]
    able += [
        (c.number, c.name)
        for c, k in zip(columns, known, strict=True)
        if _could_be_label(k) or c.number == suggested
    ]
    questions = [Question("label", suggested, tuple(able))]
    if any(c.missing for c, (use, _reason) in zip(known, roles, strict=True) if use == "number"):
        questions.append(Question("missing", "drop"))
    if any(c.kind == "category" and i + 1 != suggested for i, c in enumerate(known)):
        questions.append(Question("categories", "onehot"))
    if _scales_differ(known, roles):
        questions.append(Question("standardise", True))
    counts = () if y is None else tuple(zip(class_names, np.bincount(y).tolist(), strict=True))
    rows = tuple(
        tuple(_cell(raw, i) for raw in table.columns[:50]) for i in range(min(PREVIEW_ROWS, table.rows))
    )
    title = _("{rows} rows of {columns} columns", rows=table.total, columns=len(columns))
    return Report(
        path, "table", "own_table", title, table.total, shape[0], table.exact, shape[1:],
        (*table.dropped, *dropped), tuple(changed), counts, columns, table.facts, rows,
        (*questions, *table.questions),
    )  # fmt: skip


def _cell(raw: Raw, row: int) -> str:
    if raw.words is not None:
        return raw.words[row][:40]
    return "" if raw.numbers is None else f"{raw.numbers[row]:g}"


def _scales_differ(known: Sequence[_Known], roles: Sequence[tuple[Use, Text | None]]) -> bool:
    """Whether one column would outweigh the others: deviations ten times apart."""
    import numpy as np

    spreads = [
        float(np.nanstd(c.numbers))
        for c, (use, _reason) in zip(known, roles, strict=True)
        if use == "number" and c.numbers is not None
    ]
    spreads = [s for s in spreads if s > 0]
    return len(spreads) > 1 and max(spreads) > 10 * min(spreads)
