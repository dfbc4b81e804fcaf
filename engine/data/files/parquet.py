"""Parquet, through Apache Arrow: an even sample of the rows, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.core.text import InputError, Text, _
from engine.data.files.delimited import LONGEST_CELL, MOST_CELLS, printable_name
from engine.data.files.guard import MB, check_file, damaged, named, reading, too_large, too_wide
from engine.data.files.options import MOST_COLUMNS, TableParams
from engine.data.files.tables import Raw, Table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BATCH = 4096
LARGEST_GROUP = 512 * MB  # bytes of a row group unpacked: Arrow holds a page of every column of one
MOST_GROUPS = 100_000


def read_parquet(path: Path, params: TableParams, seed: int, tell: Callable[[float], None]) -> Table:
    """The columns of ``path``, numbers and words, of at most ``params.most`` rows.

    Raises:
        InputError: the file is damaged, has no rows, or too many columns.
    """
    import numpy as np
    import pyarrow.parquet as pq

    check_file(path)
    with reading(path):
        binary = path.open("rb")
    with binary:
        with reading(path):
            file = pq.ParquetFile(
                binary, thrift_string_size_limit=16 * MB, thrift_container_size_limit=1_000_000
            )
            schema, about = file.schema_arrow, file.metadata
            fields = [(field.name, field.type) for field in schema]
            total, groups = int(about.num_rows), int(about.num_row_groups)
        _check(path, about, len(fields), total, groups)
        most = max(10, min(params.most, MOST_CELLS // len(fields)))
        rng = np.random.default_rng(seed)
        with reading(path):
            chosen = (
                np.arange(total)
                if total <= most
                else np.sort(rng.choice(total, most, replace=False, shuffle=False))
            )
        plans = [_plan(type_) for _name, type_ in fields]
        wanted = [i for i, plan in enumerate(plans) if not isinstance(plan, Text)]
        parts: list[list[Any]] = [[] for _field in fields]
        first = 0
        batches = file.iter_batches(
            batch_size=BATCH, columns=[fields[i][0] for i in wanted], use_threads=False
        )
        while first < total and wanted:
            with reading(path):
                batch = next(batches, None)
                if batch is None:
                    raise InputError(damaged(path))
                here = chosen[(chosen >= first) & (chosen < first + len(batch))] - first
                for i in wanted:
                    parts[i].append(_convert(batch.column(fields[i][0]), here, plans[i]))
                first += len(batch)
            tell(min(1.0, first / total))
    columns = []
    for (name, _type), plan, part in zip(fields, plans, parts, strict=True):
        raw = Raw(printable_name(name), is_date=plan == "date")
        if isinstance(plan, Text):
            raw.refused = plan
        elif plan == "words":
            raw.words = [word for words in part for word in words]
        else:
            raw.numbers = np.concatenate(part) if part else np.zeros(0)
        columns.append(raw)
    return Table(columns, len(chosen), total, facts=((_("Format"), "Parquet"),))


def _check(path: Path, about: Any, columns: int, total: int, groups: int) -> None:
    if columns > MOST_COLUMNS:
        raise InputError(too_wide(path))
    if total < 0 or groups < 0 or groups > MOST_GROUPS:
        raise InputError(damaged(path))
    if total == 0 or columns == 0:
        raise InputError(
            _("“{path}” has names of columns and no rows. Choose a file with data in it.", path=named(path))
        )
    with reading(path):
        sizes = [int(about.row_group(i).total_byte_size) for i in range(groups)]
    if any(size > LARGEST_GROUP for size in sizes):
        raise InputError(too_large(path))


def _plan(type_: Any) -> str | Text:
    """How a column is to be read, or why it is left out."""
    import pyarrow as pa

    kinds = pa.types
    if kinds.is_dictionary(type_):
        type_ = type_.value_type
    if (
        kinds.is_boolean(type_)
        or kinds.is_integer(type_)
        or kinds.is_floating(type_)
        or kinds.is_decimal(type_)
    ):
        return "numbers"
    if kinds.is_string(type_) or kinds.is_large_string(type_) or kinds.is_string_view(type_):
        return "words"
    if kinds.is_temporal(type_):
        return "date"
    if kinds.is_null(type_):
        return "null"
    return _("neither a number nor a word")


def _convert(column: Any, chosen: NDArray[np.int64], plan: str | Text) -> Any:
    """Some rows of a batch: (M,) float64 with NaN for nothing, or M words."""
    import numpy as np
    import pyarrow as pa

    if plan == "null":
        return np.full(len(chosen), np.nan)
    some = column.take(pa.array(chosen))
    if pa.types.is_dictionary(some.type):
        some = some.dictionary_decode()
    if plan == "words":
        return ["" if word is None else word[:LONGEST_CELL] for word in some.to_pylist()]
    if plan == "date":
        there = some.is_valid().to_numpy(zero_copy_only=False)
        return np.where(there, 0.0, np.nan)
    if pa.types.is_boolean(some.type):
        some = some.cast(pa.int8())
    some = some.cast(pa.float64(), safe=False)
    return np.asarray(some.to_numpy(zero_copy_only=False), dtype=np.float64)
