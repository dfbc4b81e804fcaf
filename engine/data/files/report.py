"""What was found at a path, as plain data: what a dialog shows before anything is used."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from engine.core.params import Value
from engine.core.text import Text

Kind = Literal["pictures", "table", "text"]
ColumnKind = Literal["number", "category", "date", "text", "empty"]
Use = Literal["number", "words", "label", "left out"]


@dataclass(frozen=True, slots=True)
class Count:
    """So many items for one reason. example: one of them, such as the name of a file or “line 17”."""

    reason: Text
    count: int
    example: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. number: counted from 1. missing, distinct: among the rows looked at.

    use: what it becomes. reason: why it is left out, or what was noticed.
    """

    number: int
    name: str
    kind: ColumnKind
    missing: int
    distinct: int
    example: str
    use: Use
    reason: Text | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A question that matters for these data. knob: the parameter that answers it. suggested: its value.

    options: the answers by value where they depend on the data (the columns); else the knob's own.
    """

    knob: str
    suggested: Value
    options: tuple[tuple[Value, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What lies at ``path`` and what would become of it.

    source: the data set that reads it ("own_images", "own_table"), "" where none does yet. title: all of it
    in one line. total: items there; exact: whether they were counted or estimated. use: items that would be
    used. shape: of one item, (C, H, W) or (D,). dropped: items left out, and why. changed: items that are
    altered, and how. classes: name and how many of each, of the items looked at. facts: what was found out,
    such as the encoding. rows: the first rows of a table as they stand in the file.
    """

    path: Path
    kind: Kind
    source: str
    title: Text
    total: int
    use: int
    exact: bool = True
    shape: tuple[int, ...] = ()
    dropped: tuple[Count, ...] = ()
    changed: tuple[Count, ...] = ()
    classes: tuple[tuple[str, int], ...] = ()
    columns: tuple[Column, ...] = ()
    facts: tuple[tuple[Text, str], ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    questions: tuple[Question, ...] = ()


def as_plain(report: Report) -> dict[str, Any]:
    """``report`` ready for JSON."""

    def plain(value: Any) -> Any:
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        if isinstance(value, tuple):
            return [plain(each) for each in value]
        if isinstance(value, Path):
            return printable(str(value))
        return printable(value) if isinstance(value, str) else value

    return plain(report)  # type: ignore[no-any-return]


def printable(name: str) -> str:
    """``name`` on one line and without what no terminal or file can take, such as half a character."""
    whole = name.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else "\ufffd" for c in whole)
