"""Files that are wrong in every way somebody's files have been wrong. Each is made by one function below.

``BAD`` is what the readers must refuse with a sentence, ``GOOD`` what they must read; the fuzzer mutates
both.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image


def png(width: int, height: int, seed: int = 0, mode: str = "RGB") -> bytes:
    rng = np.random.default_rng(seed)
    bands = {"L": (), "RGB": (3,), "RGBA": (4,)}[mode]
    return encoded(Image.fromarray(rng.integers(0, 256, (height, width, *bands), dtype=np.uint8)), "PNG")


def encoded(image: Image.Image, format: str, **how: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **how)  # type: ignore[arg-type]
    return file.getvalue()


def npy(array: np.ndarray, **how: bool) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **how)
    return file.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def parquet(table: pa.Table, **how: object) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, **how)
    return file.getvalue()


def npy_header(text: str) -> bytes:
    body = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(body)) + body


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def zeros_npy(rows: int, columns: int) -> bytes:
    return npy_header(f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({rows}, {columns})}}") + bytes(
        8 * rows * columns
    )


def bomb_png(side: int) -> bytes:
    """A picture of nothing, ``side`` × ``side``, in a few kilobytes: only its header and its size are
    real."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    packer = zlib.compressobj(9)
    row = bytes(1 + side // 8)
    rows = b"".join(packer.compress(row) for _i in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def huge_tiff() -> bytes:
    """The head of a TIFF of 20,000 × 15,000 pixels: 300 megapixels, in 200 bytes."""
    tags = [(256, 4, 20_000), (257, 4, 15_000), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8),
            (277, 3, 1), (278, 4, 15_000), (279, 4, 300_000_000)]  # fmt: skip
    body = struct.pack("<H", len(tags))
    body += b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags) + bytes(4)
    return b"II*\0" + struct.pack("<I", 8) + body


def table(rows: int = 30) -> pa.Table:
    return pa.table(
        {
            "x": [i / 3 for i in range(rows)],
            "n": [i % 7 for i in range(rows)],
            "word": [("red", "green", None)[i % 3] for i in range(rows)],
            "day": pa.array([i * 86_400 for i in range(rows)], pa.timestamp("s")),
            "list": [[i] for i in range(rows)],
        }
    )


CSV = "long;wide;kind\n" + "\n".join(f"{i / 4};{i % 5};{'ab'[i % 2]}" for i in range(20)).replace(".", ",")
RNG = np.random.default_rng(1)

GOOD: dict[str, Callable[[], bytes]] = {
    "table.csv": lambda: CSV.encode(),
    "mark.csv": lambda: CSV.encode("utf-8-sig"),
    "wide.csv": lambda: CSV.encode("utf-16"),
    "old.csv": lambda: CSV.replace("long", "été").encode("cp1252"),
    "table.tsv": lambda: CSV.replace(";", "\t").encode(),
    "table.parquet": lambda: parquet(table()),
    "zstd.parquet": lambda: parquet(table(), compression="zstd", row_group_size=10),
    "table.npy": lambda: npy(RNG.normal(size=(20, 3))),
    "big.npy": lambda: npy(RNG.normal(size=(20, 3)).astype(">f4")),
    "fortran.npy": lambda: npy(np.asfortranarray(RNG.normal(size=(20, 3)))),
    "pictures.npy": lambda: npy(RNG.integers(0, 256, (20, 9, 9), dtype=np.uint8)),
    "table.npz": lambda: npz(x=RNG.normal(size=(20, 3)), y=np.arange(20) % 3),
    "pictures.npz": lambda: npz(x=RNG.random((20, 3, 9, 9)), y=np.array(["a", "b"] * 10)),
}

BAD: dict[str, Callable[[], bytes]] = {
    "empty.csv": lambda: b"",
    "empty.npy": lambda: b"",
    "empty.npz": lambda: b"",
    "empty.parquet": lambda: b"",
    "blank.csv": lambda: b"\n\n \n",
    "header_only.csv": lambda: b"a,b,c\n",
    "words_only.csv": lambda: b"name,said\nanna,hello there\nbert,good night\ncarl,never mind\n",
    "all_missing.csv": lambda: b"a,b\n,\nNA,-\n,\n",
    "one_row.csv": lambda: b"a,b\n1,2\n",
    "infinite.csv": lambda: b"a,b\ninf,1e999\n-inf,inf\ninf,inf\n1e400,-inf\n",
    "ragged.csv": lambda: ("a,b,c\n" + "".join("1," * (i % 7) + "1\n" for i in range(50))).encode(),
    "open_quote.csv": lambda: b'a,b\n1,2\n"3,4\n5,6\n' + b"7,8\n" * 50,
    "endless_quote.csv": lambda: b'a,b\n1,2\n"3,4\n' + b"7,8\n" * 100_000,
    "million_columns.csv": lambda: b",".join([b"1"] * 1_000_000) + b"\n",
    "long_line.csv": lambda: b"1,2\n" + b"7" * 9_000_000 + b",1\n",
    "binary.csv": lambda: bytes(range(256)) * 20,
    "nul.csv": lambda: b"a,b\n\0\0\0,\0\0\n" * 10,
    "half_utf16.csv": lambda: CSV.encode("utf-16")[:-1],
    "sheet.xlsx": lambda: zipped({"xl/workbook.xml": b"<x/>"}),
    "packed.zip": lambda: zipped({"a.csv": b"1,2\n3,4\n"}),
    "photo.png": lambda: png(8, 8),
    "program.exe": lambda: b"MZ\0\0" + bytes(range(256)),
    "pickled.npy": lambda: npy(np.array([{"a": 1}], dtype=object), allow_pickle=True),
    "structured.npy": lambda: npy(np.zeros(4, dtype=[("a", "<i4"), ("b", "<f4")])),
    "complex.npy": lambda: npy(np.zeros((4, 2), dtype=np.complex64)),
    "dates.npy": lambda: npy(np.zeros(4, dtype="datetime64[D]")),
    "words.npy": lambda: npy(np.array(["a", "b"])),
    "nought.npy": lambda: npy(np.float64(3)),
    "no_rows.npy": lambda: npy(np.zeros((0, 3))),
    "no_columns.npy": lambda: npy(np.zeros((3, 0))),
    "nan.npy": lambda: npy(np.full((5, 3), np.nan)),
    "five.npy": lambda: npy(np.zeros((2, 2, 2, 2, 2))),
    "wide.npy": lambda: npy(np.zeros((3, 5000))),
    "bright.npy": lambda: npy(np.full((5, 9, 9), 1e6)),
    "nan_pictures.npy": lambda: npy(np.full((5, 9, 9), np.nan)),
    "lying.npy": lambda: npy_header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000)}"),
    "overflow.npy": lambda: npy_header(f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({2**62}, 4)}}"),
    "negative.npy": lambda: npy_header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 4)}"),
    "code.npy": lambda: npy_header("{'descr': __import__('os').abort(), 'shape': (1,)}"),
    "nested.npy": lambda: npy_header("(" * 100),
    "cut.npy": lambda: npy(RNG.normal(size=(20, 3)))[:-5],
    "bomb.npz": lambda: zipped({"x.npy": zeros_npy(16_000, 1000)}),
    "inner.npz": lambda: zipped({"x.npy": b"", "more.zip": zipped({"a": bytes(10_000)})}),
    "slip.npz": lambda: zipped({"../../x.npy": npy(np.zeros((3, 3))), "/y": b"1"}),
    "lzma.npz": lambda: zipped({"x.npy": npy(np.zeros((3, 3)))}, zipfile.ZIP_LZMA),
    "many.npz": lambda: zipped({f"{i}.npy": b"" for i in range(3000)}),
    "nothing.npz": lambda: zipped({}),
    "pickled.npz": lambda: npz(x=np.array([{"a": 1}], dtype=object)),
    "cut.npz": lambda: npz(x=RNG.normal(size=(20, 3)))[:-30],
    "text.parquet": lambda: b"hello, this is text",
    "cut.parquet": lambda: parquet(table())[:-20],
    "no_rows.parquet": lambda: parquet(table().slice(0, 0)),
    "no_numbers.parquet": lambda: parquet(table().select(["day", "list"])),
    "wide.parquet": lambda: parquet(pa.table({f"c{i}": [1.0] for i in range(3000)})),
}


def write(folder: Path, name: str, maker: Callable[[], bytes]) -> Path:
    path = folder / name
    path.write_bytes(maker())
    return path
