"""Show me the code, beside the real window."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QTextDocument
from PySide6.QtWidgets import QApplication, QFileDialog

from desktop.controls.code_dialog import METHOD, SCRIPT, CodeDialog
from desktop.controls.code_view import CodeView, Highlighter
from desktop.language import language
from desktop.style.tokens import look
from tests.desktop.conftest import Desk, drain

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def opened(desk: Desk) -> CodeDialog:
    """The dialog, once it is in front."""
    desk.key(Qt.Key.Key_U, CTRL)
    desk.until(lambda: isinstance(QApplication.activeWindow(), CodeDialog))
    dialog = desk.window.findChild(CodeDialog)
    assert dialog is QApplication.activeWindow()
    return dialog


@pytest.fixture
def kmeans(desks: Callable[..., Desk]) -> Desk:
    return desks().open("kmeans", dataset="blobs", k=6, init="random")


def line_of(view: CodeView, line: int) -> str:
    return view.toPlainText().splitlines()[line - 1]


def marked(view: CodeView) -> list[str]:
    return [line_of(view, line).strip() for line in sorted(view.marks)]


def colours(text: str) -> dict[str, set[str]]:
    """What each colour was given to."""
    document = QTextDocument(text)
    highlighter = Highlighter(document)
    found: dict[str, set[str]] = {}
    block = document.begin()
    while block.isValid():
        for each in block.layout().formats():
            word = block.text()[each.start : each.start + each.length]
            found.setdefault(each.format.foreground().color().name(), set()).add(word)
        block = block.next()
    assert highlighter.document() is document
    names = ("keyword", "string", "number", "comment", "decorator")
    return {name: found.get(getattr(look.code, name), set()) for name in names}


# ── the view ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_have_the_colours_of_the_theme(qtbot: Any, theme: str) -> None:
    look.update(theme=theme)
    found = colours(
        '@experiment("a", n=1_000)  # é "no text"\n'
        "def f(x1, self2=2.5e-3):\n"
        '    """A long\n    text # no comment, if any\n    """\n'
        "    return rf'\\' if {x}' or None\n"
        '    r"""one line""" + b"x"\n'
        "    a @ b\n"
    )
    assert found["decorator"] == {"@experiment"}
    assert found["comment"] == {'# é "no text"'}
    assert found["number"] == {"1_000", "2.5e-3"}
    assert found["keyword"] == {"def", "return", "or", "None"}
    assert found["string"] == {
        '"a"', '"""A long', "    text # no comment, if any", '    """', "rf'\\' if {x}'",
        'r"""one line"""', 'b"x"',
    }  # fmt: skip


def test_a_line_that_changes_is_changed_alone(qtbot: Any) -> None:
    view = CodeView()
    qtbot.addWidget(view)
    lines = [f"x{i} = {i}" for i in range(200)]
    view.resize(300, 200)
    assert view.show_text("\n".join(lines)) == []
    view.go_to(90)
    assert view.first_line == 87
    lines[4] = 'x4 = """now'
    assert view.show_text("\n".join(lines)) == [5]
    assert view.first_line == 87
    assert view.toPlainText() == "\n".join(lines)
    assert view.show_text("\n".join([*lines, "more"])) == []
    assert view.first_line == 87


# ── the method ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_source_shows_the_present_values_and_follows_the_knobs(kmeans: Desk) -> None:
    dialog = opened(kmeans)
    view = dialog.method
    assert marked(view) == ["] = 6", '] = "random"']
    assert "2 marked" in dialog.note.text()
    assert line_of(view, view.first_line + 3).strip().startswith("def run(self)")
    assert line_of(view, view.first_line + 2) == ""
    at = view.first_line
    kmeans.window.params.turn("k", 9)
    kmeans.until(lambda: "] = 9" in marked(view))
    assert [line_of(view, line).strip() for line in view.flashing] == ["] = 9"]
    assert view.first_line == at
    kmeans.window.params.turn("k", 5)  # as in the file
    kmeans.until(lambda: marked(view) == ['] = "random"'])
    kmeans.run(lambda: kmeans.window.params.turn("init", "k-means++"))
    kmeans.until(lambda: not marked(view))
    assert "Every knob stands" in dialog.note.text()
    kmeans.run(lambda: kmeans.window.conductor.choose("pca"))
    assert "class PCA(" in dialog.text
    assert line_of(view, view.first_line + 3).strip().startswith("def run(self)")
    dialog._where.linkActivated.emit("knobs")
    assert line_of(view, view.first_line + 3) == "class PCAParams:"


def test_training_goes_on_beside_it_and_closed_it_stays_as_it_was(kmeans: Desk) -> None:
    dialog = opened(kmeans)
    assert not dialog.isModal()
    kmeans.advance(2)
    assert kmeans.step == 2
    dialog.tabs.setCurrentIndex(SCRIPT)
    size = dialog.size()
    kmeans.key(Qt.Key.Key_U, CTRL, dialog)  # the same key closes it
    assert not dialog.isVisible()
    kmeans.window.activateWindow()  # as a window manager does
    kmeans.until(lambda: QApplication.activeWindow() is kmeans.window)
    kmeans.window.params.turn("k", 8)
    kmeans.settle()
    again = opened(kmeans)
    assert again is dialog
    assert dialog.tabs.currentIndex() == SCRIPT
    assert dialog.size() == size
    assert '3: {"k": 8}' in dialog.text
    kmeans.key(Qt.Key.Key_Escape, widget=dialog)
    assert not dialog.isVisible()


def test_the_past_shows_its_own_values(kmeans: Desk) -> None:
    kmeans.advance(2)
    kmeans.window.params.turn("k", 9)
    kmeans.advance(2)
    dialog = opened(kmeans)
    assert "] = 9" in marked(dialog.method)
    kmeans.window.bridge.engine.seek(1)
    kmeans.until(lambda: "] = 6" in marked(dialog.method))
    kmeans.window.bridge.engine.seek(None)
    kmeans.until(lambda: "] = 9" in marked(dialog.method))


def test_each_of_two_runs_side_by_side_has_its_own_source(desks: Callable[..., Desk]) -> None:
    desk = desks().open("kmeans", dataset="blobs", k=6)
    dialog = opened(desk)
    assert not dialog.side.isVisible()
    desk.run(lambda: desk.window.conductor.compare("gmm"))
    assert dialog.side.isVisible()
    dialog.side._on_pick(1)
    assert "class GMM(" in dialog.text
    desk.window.params.turn("b.k", 7)
    desk.until(lambda: "] = 7" in marked(dialog.method))
    dialog.tabs.setCurrentIndex(SCRIPT)
    assert not dialog.side.isVisible()
    assert '"b.k": 7' in dialog.text
    assert "Beside(" in dialog.text
    dialog.tabs.setCurrentIndex(METHOD)
    desk.run(lambda: desk.window.conductor.compare(None))
    assert "class KMeans(" in dialog.text
    assert not dialog.side.isVisible()


def test_a_source_that_is_not_here_is_one_sentence_and_the_script_is(trial: Desk) -> None:
    dialog = opened(trial)
    assert not dialog.text
    assert "source file of “probe” is not part" in dialog._trouble.text()
    assert not dialog.copy_button.isEnabled()
    assert not dialog.save_button.isEnabled()
    dialog.tabs.setCurrentIndex(SCRIPT)
    assert dialog.copy_button.isEnabled()
    assert 'experiment="probe"' in dialog.text


# ── the script ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_script_is_up_to_date_when_it_is_copied_and_saved(
    kmeans: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = opened(kmeans)
    dialog.tabs.setCurrentIndex(SCRIPT)
    kmeans.advance(1)
    kmeans.window.params.turn("k", 9)
    kmeans.settle()
    kmeans.window.area.act.emit("move", (0, 1.0, 2.0))
    kmeans.until(lambda: kmeans.of("acted"))
    kmeans.advance(3)
    kmeans.click(dialog.copy_button)
    copied = QGuiApplication.clipboard().text()
    assert copied == dialog.text
    assert dialog.note.text() == "Copied."
    assert f"STEPS = {kmeans.step}" in copied
    assert '2: {"k": 9}' in copied
    assert "moved by hand before step 2" in copied
    assert '"k": 6' in copied  # as it began
    path = tmp_path / "été.py"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a: (str(path.with_suffix("")), ""))
    kmeans.click(dialog.save_button)
    assert path.read_text(encoding="utf-8") == copied
    assert str(path) in dialog.note.text()
    ast.parse(copied)


def test_a_file_that_cannot_be_written_is_one_sentence(
    kmeans: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = opened(kmeans)
    offered: list[str] = []

    def ask(_parent: object, _title: str, name: str, _kinds: str) -> tuple[str, str]:
        offered.append(name)
        return ("", "") if len(offered) == 1 else (str(tmp_path / "gone" / name), "")

    monkeypatch.setattr(QFileDialog, "getSaveFileName", ask)
    kmeans.click(dialog.save_button)
    assert "marked" in dialog.note.text()  # nothing chosen, nothing said
    kmeans.click(dialog.save_button)
    assert "could not be written" in dialog.note.text()
    dialog.tabs.setCurrentIndex(SCRIPT)
    kmeans.click(dialog.save_button)
    assert offered == ["kmeans.py", "kmeans.py", "kmeans_run.py"]


# ── search and appearance ───────────────────────────────────────────────────────────────────────────────────


def test_search_counts_goes_round_and_ends_before_the_dialog_does(kmeans: Desk) -> None:
    dialog = opened(kmeans)
    kmeans.key(Qt.Key.Key_F, CTRL, dialog)
    assert dialog.focusWidget() is dialog.search
    dialog.search.setText("DEF _MATCH_K")
    assert dialog._count.text() == "1 / 1"
    assert dialog.method.textCursor().selectedText() == "def _match_k"
    dialog.search.setText("yield")
    total = int(dialog._count.text().rpartition(" ")[2])
    assert total == dialog.text.lower().count("yield") > 3
    first = int(dialog._count.text().split()[0])
    kmeans.key(Qt.Key.Key_Return, widget=dialog.search)
    assert dialog._count.text() == f"{first % total + 1} / {total}"
    kmeans.key(Qt.Key.Key_Return, SHIFT, dialog.search)
    kmeans.key(Qt.Key.Key_F3, widget=dialog)
    assert dialog._count.text() == f"{first % total + 1} / {total}"
    for _again in range(total):
        kmeans.key(Qt.Key.Key_F3, widget=dialog)
    assert dialog._count.text() == f"{first % total + 1} / {total}"
    dialog.search.setText("no such words")
    assert dialog._count.text() == "0"
    kmeans.key(Qt.Key.Key_Return, widget=dialog.search)
    kmeans.key(Qt.Key.Key_Escape, widget=dialog.search)
    assert dialog.isVisible()
    assert not dialog._count.text()
    kmeans.key(Qt.Key.Key_Escape, widget=dialog.search)
    assert not dialog.isVisible()


@pytest.mark.parametrize(("code", "projector"), [("en", False), ("fr", False), ("fr", True), ("en", True)])
def test_it_fits_in_every_language_theme_and_size(kmeans: Desk, code: str, projector: bool) -> None:
    dialog = opened(kmeans)
    language.switch(code)
    look.update(theme="dark", projector=projector)
    assert dialog.method.font().pointSizeF() >= (20 if projector else 10)
    for tab in (METHOD, SCRIPT):
        dialog.tabs.setCurrentIndex(tab)
        drain()  # the words are others: so is what they need
        assert not dialog.grab().isNull()
        for button in (dialog.copy_button, dialog.save_button):
            assert button.width() >= button.sizeHint().width()
        hint = dialog.tabs.sizeHint().width()
        assert dialog.tabs.width() >= hint
    assert dialog.width() <= kmeans.window.width()
    assert dialog.height() <= kmeans.window.height()


def test_it_can_be_asked_for_from_the_lesson_and_the_menu(desks: Callable[..., Desk]) -> None:
    desk = desks()
    desk.window.show_code()  # there is no run yet
    assert desk.window.findChild(CodeDialog) is None
    desk.open("kmeans", dataset="blobs")
    button = desk.window.explain.code_button
    assert button.isVisible()
    desk.click(button)
    dialog = desk.window.findChild(CodeDialog)
    assert dialog.isVisible()
    dialog.close()
    desk.window.explain.set_folded(True)
    assert not button.isVisible()
    action = next(a for a in desk.window._more.menu().actions() if a.text().startswith("Show me the code"))
    action.trigger()
    assert dialog.isVisible()
