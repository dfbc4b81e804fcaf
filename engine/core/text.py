"""Sentences for people: written in English, shown in any language.

``_("{n} points", n=5)`` is an ordinary English string that remembers what it was made from, so that the
desktop can say it again in another language at any time, and the command line can simply print it.
"""

from __future__ import annotations

from collections.abc import Callable


class Text(str):
    """An English sentence that keeps its message id and the values put into it."""

    msgid: str
    values: dict[str, object]

    def __new__(cls, msgid: str, values: dict[str, object]) -> Text:
        self = super().__new__(cls, msgid.format(**values) if values else msgid)
        self.msgid = msgid
        self.values = values
        return self

    def __getnewargs__(self) -> tuple[str, dict[str, object]]:  # type: ignore[override]
        """What a copy is made from."""
        return self.msgid, self.values


def _(msgid: str, /, **values: object) -> Text:
    """Mark ``msgid`` for translation and put ``values`` into its ``{placeholders}``."""
    return Text(msgid, values)


def translate(
    text: str, lookup: Callable[[str], str], number: Callable[[float], float] = lambda value: value
) -> str:
    """Say ``text`` again through ``lookup`` (message id to message); a plain ``str`` is returned as it is.

    number: makes of a float one that is formatted as that language writes it.
    """
    if not isinstance(text, Text):
        return text
    message = lookup(text.msgid)
    if not text.values:
        return message

    def said(value: object) -> object:
        if isinstance(value, str):
            return translate(value, lookup, number)
        return number(value) if isinstance(value, float) else value

    return message.format(**{name: said(value) for name, value in text.values.items()})


class CancelledError(Exception):
    """The person no longer wants what was being done."""


class InputError(Exception):
    """What a person asked for cannot be done; ``sentence`` says what is wrong and what to do."""

    def __init__(self, sentence: Text) -> None:
        super().__init__(sentence)
        self.sentence = sentence
