"""Everything a person reads can be read in French: messages, and lessons.

What a message is called in the code is English; the catalogue has to follow it word for word.
"""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest
from babel.messages.extract import extract_from_dir

ROOT = Path(__file__).resolve().parent.parent
LESSONS = ROOT / "assets" / "lessons"
FRENCH = polib.pofile(str(ROOT / "assets" / "locale" / "fr" / "latentarium.po"))
SOURCES = sorted(path for folder in ("engine", "desktop") for path in (ROOT / folder).rglob("*.py"))

SHOWN_BY = {
    "QLabel", "QAction", "QPushButton", "QCheckBox", "QGroupBox", "Heading", "Note", "Beat", "InputError",
    "setText", "setToolTip", "setWindowTitle", "setTitle", "setAccessibleName", "setAccessibleDescription",
    "setStatusTip", "setPlaceholderText", "setItemText", "setTabText", "setTabToolTip",
    "addItem", "addItems", "addTab", "addAction", "addMenu",
    "say", "tr", "set_aside", "set_caption", "set_busy", "set_note", "show_problem", "show_news",
}  # fmt: skip
"""Functions and methods whose text a person sees."""
SHOWN_BESIDE_A_NAME = {
    "Demo",
    "Channel",
    "Scalar",
    "IconButton",
    "set_icon",
    "Knob",
    "Switch",
    "Choice",
    "Topic",
}
"""These also take ids and the names of icons: single words."""
PROPER_NAMES = re.compile(r"Latentarium|Latent<span.*>arium</span>|Ctrl|PC\d")


def messages() -> dict[str, str]:
    """Every message of the code, and where it stands first."""
    found: dict[str, str] = {}
    for folder in ("engine", "desktop"):
        for name, line, message, _comments, _context in extract_from_dir(
            ROOT / folder, method_map=[("**.py", "python")], keywords={"_": None}
        ):
            found.setdefault(str(message), f"{folder}/{name}:{line}")
    return found


def placeholders(message: str) -> list[tuple[str, str]]:
    return sorted((name, spec or "") for _text, name, spec, _how in string.Formatter().parse(message) if name)


# ── the catalogue ───────────────────────────────────────────────────────────────────────────────────────────


def test_every_message_is_said_in_french_and_nothing_else_is() -> None:
    said = {entry.msgid: entry.msgstr for entry in FRENCH if not entry.obsolete}
    wanted = messages()
    assert len(wanted) > 100
    missing = {message: where for message, where in wanted.items() if not said.get(message, "").strip()}
    assert not missing, f"not in French yet (make messages, then translate): {missing}"
    assert not said.keys() - wanted.keys(), "no longer in the code: make messages"
    assert not FRENCH.obsolete_entries()
    assert not FRENCH.fuzzy_entries()


def test_no_message_hides_where_it_cannot_be_found() -> None:
    """babel does not look into f-strings, and a message put together is never in a catalogue."""
    hidden = []
    for path in SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        inside = {id(n) for f in ast.walk(tree) if isinstance(f, ast.JoinedStr) for n in ast.walk(f)}
        for call in calls(tree):
            if name_of(call) == "_" and call.args:
                plain = isinstance(call.args[0], ast.Constant)
                again = isinstance(call.args[0], ast.Attribute) and call.args[0].attr == "msgid"
                if id(call) in inside or not (plain or again):
                    hidden.append(f"{path.relative_to(ROOT)}:{call.lineno}")
    assert not hidden


@pytest.mark.parametrize("entry", list(FRENCH), ids=lambda entry: entry.msgid[:40])
def test_a_translation_fits_its_message(entry: polib.POEntry) -> None:
    assert placeholders(entry.msgstr) == placeholders(entry.msgid)
    assert entry.msgid.endswith((".", "?", "…")) == entry.msgstr.endswith((".", "?", "…"))
    check_typography(re.sub(r"\{[^}]*\}", "x", entry.msgstr))


def test_the_header_names_nobody() -> None:
    header = f"{FRENCH.header} {FRENCH.metadata}"
    assert FRENCH.metadata["Project-Id-Version"].startswith("Latentarium")
    assert not re.search(r"@|PROJECT|FULL NAME|ORGANIZATION", header)


def check_typography(french: str) -> None:
    """Spaces that must not break are of the unbreakable kind, apostrophes and quotes are curly."""
    assert not re.search(r" [:;?!»%]|« ", french), "a line could begin with this mark"
    assert not re.search(r"\w[;?!»]|\w:(?![\w/\\=])|«\w", french), "French puts a space here"
    assert not re.search(r"(?i)\b(?:[cdjlmnst]|qu)'\w", french), "’ instead of '"
    assert "“" not in french
    assert "..." not in french


# ── text that goes past it ──────────────────────────────────────────────────────────────────────────────────


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def name_of(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def literals(node: ast.expr) -> Iterator[str]:
    """The texts written out in an argument; what stands inside another call is that call's business."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
    elif isinstance(node, ast.IfExp):
        yield from (*literals(node.body), *literals(node.orelse))
    elif isinstance(node, (ast.BinOp, ast.BoolOp)):
        for part in ast.iter_child_nodes(node):
            if isinstance(part, ast.expr):
                yield from literals(part)


def bypassing(source: str) -> list[tuple[int, str]]:
    """Texts for people in ``source`` that no translation can reach: (line, text)."""
    found = []
    for call in calls(ast.parse(source)):
        name = name_of(call)
        if name in SHOWN_BY | SHOWN_BESIDE_A_NAME:
            texts = [t for a in (*call.args, *(k.value for k in call.keywords)) for t in literals(a)]
            if name in SHOWN_BESIDE_A_NAME:
                texts = [text for text in texts if not re.fullmatch(r"[\w.-]*", text)]
            found += [(call.lineno, t) for t in texts if re.search(r"[^\W\d_]", PROPER_NAMES.sub("", t))]
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_text_goes_past_the_catalogue(path: Path) -> None:
    assert not bypassing(path.read_text(encoding="utf-8"))


def test_text_that_goes_past_would_be_seen() -> None:
    for source in (
        'a.setText("Reset")', 'a.setToolTip(f"step {n}")', 'QLabel("on" if x else "off")',
        'a.addItem("× one")',
        'Demo("stuck", "A bad start", _("Why?"))', 'say(a.setText, "Data" + x)',
    ):  # fmt: skip
        assert bypassing(source), source
    for source in (
        'a.setText(tr(_("Reset")))',
        'a.addItem(f"× {n}")',
        'IconButton("play", _("Play (Space)"))',
    ):
        assert not bypassing(source), source


# ── lessons ─────────────────────────────────────────────────────────────────────────────────────────────────


def parts(text: str) -> dict[str, list[str]]:
    """What two versions of a lesson must have in common."""
    return {
        "headings": re.findall(r"^(#+) ", text, re.MULTILINE),
        "formulas on their own": re.findall(r"\$\$.+?\$\$", text),
        "formulas in all": ["$" for _formula in re.findall(r"\$+[^$]+\$+", text)],
        "links": sorted(re.findall(r"\]\(([^)]*)\)", text)),
        "points to try": re.findall(r"^\d+\.", text, re.MULTILINE),
    }


def test_every_lesson_is_written_in_both_languages() -> None:
    from engine.core.catalogue import catalogue

    names = {code: {path.stem for path in (LESSONS / code).glob("*.md")} for code in ("en", "fr")}
    assert names["en"] == names["fr"] == set(catalogue())


@pytest.mark.parametrize("name", sorted(path.stem for path in (LESSONS / "en").glob("*.md")))
def test_a_lesson_teaches_the_same_in_both_languages(name: str) -> None:
    english, french = ((LESSONS / code / f"{name}.md").read_text(encoding="utf-8") for code in ("en", "fr"))
    assert parts(french) == parts(english)
    prose = re.sub(r"\$+[^$]+\$+|\]\([^)]*\)", "…", french)
    check_typography(prose)
