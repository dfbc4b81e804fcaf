"""The dialogs about data, driven in the real window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent

from desktop.controls.data_dialog import DataDialog
from desktop.controls.import_dialog import ImportDialog
from engine.api import sources


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "mes images é"
    rng = np.random.default_rng(0)
    for name in ("cats", "dogs"):
        (folder / name).mkdir(parents=True)
        for i in range(6):
            pixels = (rng.random((40, 50, 3)) * 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{i}.png")
    (folder / "dogs" / "broken.png").write_bytes(b"not a picture")
    return folder


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = [f"{i};{i % 7},5;{'chat' if i % 2 else 'chien'}" for i in range(60)]
    path = tmp_path / "mesures.csv"
    path.write_text("\n".join(["numéro;taille;espèce", *rows]), encoding="utf-8")
    return path


def import_dialog(window, qtbot) -> ImportDialog:
    qtbot.waitUntil(lambda: window.findChild(ImportDialog) is not None, timeout=30_000)
    return window.findChild(ImportDialog)


def test_every_data_set_can_be_looked_at(window, qtbot):
    window.show_data()
    dialog = window.findChild(DataDialog)
    for name in ("moons", "swiss_roll", "pen", "faces", "signals", "digits"):
        dialog.choose(name)
        qtbot.waitUntil(lambda: dialog._panel is not None, timeout=60_000)
        assert dialog._title.text()
        assert dialog._credit.text() or sources()[name].credit is None
    dialog.choose("mnist")  # not on this machine: says so
    assert dialog._panel is None
    assert "folder" in dialog._facts.text()
    assert dialog._download.isVisible()
    dialog.choose("moons")
    qtbot.waitUntil(lambda: dialog._panel is not None, timeout=30_000)
    with qtbot.waitSignal(window.bridge.started, timeout=30_000) as started:
        dialog._use.click()
    assert started.args[0].spec.dataset == "moons"


def test_a_dropped_folder_is_shown_before_it_is_used(window, qtbot, pictures):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(pictures))])
    drop = QDropEvent(
        QPointF(200, 200),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    window.dropEvent(drop)
    dialog = import_dialog(window, qtbot)
    assert "12" in dialog._facts.text()
    assert "broken.png" in dialog._facts.text()
    assert dialog._grid.isVisible()
    with qtbot.waitSignal(window.bridge.looked, timeout=30_000):
        dialog.params.turn("colour", "grey")
    with qtbot.waitSignal(window.bridge.started, timeout=30_000) as started:
        dialog._use.click()
    assert started.args[0].spec.dataset == "own_images"
    assert started.args[0].spec.data_dir == pictures
    assert started.args[0].spec.data_params["colour"] == "grey"
    assert started.args[0].size == 12
    with qtbot.waitSignal(window.bridge.started, timeout=30_000) as again:
        window.transport.reset.emit()
    assert again.args[0].size == 12


def test_a_table_asks_which_column_names_the_class(window, qtbot, table):
    window.look_at(table)
    dialog = import_dialog(window, qtbot)
    assert dialog._table.columnCount() == 3
    assert "label" in dialog.params.rows
    with qtbot.waitSignal(window.bridge.started, timeout=30_000) as started:
        dialog._use.click()
    assert started.args[0].spec.dataset == "own_table"
    assert started.args[0].kind == "points"
    assert started.args[0].size == 60


def test_what_cannot_be_read_is_one_sentence_and_the_run_stays(window, qtbot, tmp_path):
    before = window.conductor.spec
    for name, content in (("empty.csv", b""), ("bomb.npy", b"\x93NUMPYxx"), ("photo.jpg", b"\xff\xd8\xff")):
        path = tmp_path / name
        path.write_bytes(content)
        with qtbot.waitSignal(window.bridge.refused, timeout=30_000):
            window.look_at(path)
        assert name in window.notice.text
        window.notice.clear()
    with qtbot.waitSignal(window.bridge.refused, timeout=30_000):
        window.look_at(tmp_path / "gone")
    assert window.conductor.spec == before
    with qtbot.waitSignal(window.bridge.progress, timeout=30_000):
        window.transport.step.emit(1)


def test_knobs_of_the_data_make_them_anew_and_the_run_plays_on(window, qtbot):
    with qtbot.waitSignal(window.bridge.started, timeout=30_000):
        window.conductor.use_dataset("moons")
    assert "n" in window.datasets.knobs.rows
    window.datasets.knobs_button.click()
    assert window.datasets.knobs.isVisible()
    with qtbot.waitSignal(window.bridge.started, timeout=30_000) as started:
        window.datasets.knobs.turn("n", 400)
    assert started.args[0].size == 400
    with qtbot.waitSignal(window.bridge.started, timeout=30_000) as started:
        window.transport.reset.emit()
    assert started.args[0].size == 400
    with qtbot.waitSignal(window.bridge.started, timeout=30_000) as started:
        window.conductor.use_dataset("moons")
    assert started.args[0].size != 400


def test_a_download_that_fails_is_said_in_the_dialog_and_the_run_stays(window, qtbot, tmp_path, monkeypatch):
    from engine.core.text import InputError, _
    from engine.data import torchvision

    def offline(*_args):
        raise InputError(_("There is no connection."))

    monkeypatch.setattr(torchvision, "download", offline)
    before = window.conductor.spec
    window.show_data()
    dialog = window.findChild(DataDialog)
    dialog.choose("mnist")
    with qtbot.waitSignal(window.bridge.refused, timeout=30_000):
        dialog.download_wanted.emit("mnist", tmp_path)
    assert dialog._facts.text() == "There is no connection."
    assert not window.notice.text
    assert window.conductor.spec is before
