"""What the command lines of the engine and of the window have in common."""

from __future__ import annotations

import argparse
from typing import NoReturn

from engine.core.text import InputError, _


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence."""

    def error(self, message: str) -> NoReturn:
        raise InputError(_("{message}. See --help.", message=message[:1].upper() + message[1:]))


def assignment(word: str) -> tuple[str, str]:
    """``knob=value`` as its two halves. InputError: it is not of that form."""
    name, equals, value = word.partition("=")
    if not equals or not name:
        raise InputError(_("“{word}” is not of the form knob=value.", word=word))
    return name.strip(), value
