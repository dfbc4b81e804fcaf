"""English or French, switched while the window is open.

``say(widget.setText, _("Reset"))`` sets the text now and again at every change of language. Panels that draw
text themselves call ``tr`` when they draw and draw again on ``language.changed``.
"""

from __future__ import annotations

import gettext
import io
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polib
import shiboken6
from PySide6.QtCore import QLibraryInfo, QLocale, QObject, QTranslator, Signal
from PySide6.QtWidgets import QApplication

from engine.api import Text, _, translate

LANGUAGES = {"en": "English", "fr": "Français"}
LOCALE_FOLDER = Path(__file__).resolve().parent.parent / "assets" / "locale"


class _WithComma(float):
    """A number as French sentences write it: a decimal comma, and a thin space between thousands."""

    def __format__(self, spec: str) -> str:
        return super().__format__(spec).translate({ord(","): "\u202f", ord("."): ","})


class Language(QObject):
    """The present language and everything that has been said in it."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.code = "en"
        self._lookup: Callable[[str], str] = lambda message: message
        self._said: weakref.WeakKeyDictionary[QObject, dict[str, str]] = weakref.WeakKeyDictionary()
        self._qt = QTranslator()

    @property
    def locale(self) -> QLocale:
        """How numbers are written: decimal comma in French, no thousands inside input fields."""
        return QLocale(QLocale.Language.French if self.code == "fr" else QLocale.Language.English)

    def switch(self, code: str) -> None:
        """Say everything again in ``code`` ("en" or "fr")."""
        if code == self.code or code not in LANGUAGES:
            return
        self.code = code
        self._lookup = _catalogue(code)
        self._switch_qt(code)
        for owner, texts in list(self._said.items()):
            if shiboken6.isValid(owner):
                for setter, text in list(texts.items()):
                    getattr(owner, setter)(self.tr_text(text))
        self.changed.emit()

    def _switch_qt(self, code: str) -> None:
        """Qt's own words (file dialogs, context menus) follow."""
        app = QApplication.instance()
        if app is None:
            return
        app.removeTranslator(self._qt)
        self._qt = QTranslator()
        if code != "en" and self._qt.load(
            f"qtbase_{code}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
        ):
            app.installTranslator(self._qt)

    def tr_text(self, text: str) -> str:
        return translate(text, self._lookup, _WithComma if self.code == "fr" else float)

    def remember(self, owner: QObject, setter: str, text: str) -> None:
        self._said.setdefault(owner, {})[setter] = text


def _catalogue(code: str) -> Callable[[str], str]:
    path = LOCALE_FOLDER / code / "latentarium.po"
    if code == "en" or not path.exists():
        return lambda message: message
    return gettext.GNUTranslations(io.BytesIO(polib.pofile(str(path)).to_binary())).gettext


language = Language()


def tr(text: str) -> str:
    """``text`` in the present language, now."""
    return language.tr_text(text)


def say(setter: Callable[[str], Any], text: str) -> None:
    """Call ``setter`` (a bound method of a Qt object) with ``text`` translated, now and at every change of
    language.
    """
    owner = setter.__self__  # type: ignore[attr-defined]
    language.remember(owner, setter.__name__, text)
    setter(tr(text))


def number(value: float, digits: int = 3) -> str:
    """A number for a person: ``digits`` significant digits, in the present language's way."""
    value = float(value)  # QLocale.toString refuses an int where it expects a float
    if value != value:
        return "–"
    if value in (float("inf"), float("-inf")):
        return "∞" if value > 0 else "−∞"
    magnitude = abs(value)
    if value == int(value) and magnitude < 1e7:
        return language.locale.toString(int(value))
    if magnitude >= 1e5 or magnitude < 1e-3:
        return language.locale.toString(value, "g", digits)
    decimals = max(0, digits - len(str(int(magnitude))) if magnitude >= 1 else digits)
    return language.locale.toString(value, "f", decimals)


__all__ = ["LANGUAGES", "Text", "_", "language", "number", "say", "tr"]
