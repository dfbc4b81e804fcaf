"""Text files: which encoding, how much, and the text itself."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from pathlib import Path

from engine.core.text import InputError, _
from engine.data.files.guard import MB, check_file, named, reading
from engine.data.registry import nothing

LARGEST_TEXT = 20 * MB
BLOCK = MB
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as the next one does
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def encoding_of(start: bytes) -> str | None:
    """The encoding that the first bytes of a file speak for; None where they are no text at all.

    What is not UTF-8 and has no mark is taken for Windows' Western European, or Latin-1 where that has holes.
    """
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    if b"\0" in start:
        return _utf16_without_mark(start)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)  # a character cut at the end is no error
    except UnicodeDecodeError:
        return western(start) if not _binary(start) else None
    return "utf-8" if not _binary(start) else None


def western(content: bytes) -> str:
    """cp1252, or latin-1 where that does not know every byte of ``content``."""
    try:
        content.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"


def _binary(start: bytes) -> bool:
    """Whether control characters that no text has are more than a rare mistake."""
    odd = sum(start.count(code) for code in range(32) if code not in (9, 10, 12, 13, 26, 27))
    return odd * 100 > len(start)


def _utf16_without_mark(start: bytes) -> str | None:
    """Western text in UTF-16 has a zero in nearly every other byte."""
    even, odd = start[0::2].count(0), start[1::2].count(0)
    pairs = max(len(start) // 2, 1)
    if odd > 0.7 * pairs and even < 0.05 * pairs:
        return "utf-16-le"
    if even > 0.7 * pairs and odd < 0.05 * pairs:
        return "utf-16-be"
    return None


def read_text(path: Path, tell: Callable[[float], None] = nothing, *, most: int = LARGEST_TEXT) -> str:
    """The text in the file at ``path``, with one kind of line end.

    Raises:
        InputError: it cannot be read, is no text, or has more than ``most`` bytes.
    """
    return decode(path, most, tell)[0]


def decode(path: Path, most: int = LARGEST_TEXT, tell: Callable[[float], None] = nothing) -> tuple[str, str]:
    """The text at ``path`` and its encoding. Errors as :func:`read_text`."""
    size = check_file(path)
    if size > most:
        raise InputError(
            _(
                "“{path}” has {size} MB of text; at most {most} MB can be used. Cut it and choose the part.",
                path=named(path),
                size=-(-size // MB),
                most=most // MB,
            )
        )
    content = bytearray()
    with reading(path):
        file = path.open("rb")
    with file:
        while len(content) <= most:
            with reading(path):
                block = file.read(BLOCK)
            if not block:
                break
            content += block
            tell(min(1.0, len(content) / size))
    raw = bytes(content[:most])
    encoding = encoding_of(raw)
    if encoding is None:
        raise InputError(
            _("“{path}” is not text. Choose a text file, such as one that ends in .txt.", path=named(path))
        )
    with reading(path):
        text = raw.decode(encoding, "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n"), encoding
