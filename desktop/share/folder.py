"""The whole run as a folder: what it is, what was done to it, its numbers, every picture and its data."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QBuffer, QByteArray
from PySide6.QtGui import QImage, QImageWriter

from desktop.language import _, tr
from desktop.share import caption, table
from desktop.share.picture import on_stage, render
from desktop.share.table import Rows, Table
from desktop.wording import done_in_words
from engine.api import InputError, Turned

if TYPE_CHECKING:
    from desktop.panels.panel import Panel
    from desktop.window import Window

CURVES = "curves"


@dataclass(frozen=True, slots=True)
class Sheet:
    """One picture and what is behind it; either may be missing."""

    name: str
    image: QImage | None
    data: Table | None


@dataclass(slots=True)
class Collected:
    """A run, ready to be written. about: for ``run.json``."""

    about: dict[str, Any]
    scalars: Table | None
    log: Table
    sheets: list[Sheet] = field(default_factory=list)


# ── collecting, on the window's thread ──────────────────────────────────────────────────────────────────────


def collect(window: Window) -> Iterator[Collected]:
    """The same again and again, each time with another picture in it; the last time it is complete."""
    assert window.area is not None
    said = caption.of(window)
    lines = [(key, trace, None) for key, _title, trace, _ghost in window.area.loss.numbers()]
    found = Collected(_about(window, said), table.scalars(lines, step="step"), _log(window))
    yield found
    for name, panel in {**window.area.panels, CURVES: window.area.loss}.items():
        found.sheets.append(_sheet(window, name, panel))
        yield found


def _sheet(window: Window, name: str, panel: Panel) -> Sheet:
    with on_stage(panel) as seen:
        image = render(panel, caption=caption.of(window, panel.step)) if seen else None
    return Sheet(name, image, table.of_panel(panel))


def _about(window: Window, said: str) -> dict[str, Any]:
    """All that the run can be made again from."""
    assert window.record is not None
    started, spec = window.record.started, window.record.spec
    assert started is not None
    assert spec is not None
    try:
        made_with = version("latentarium")
    except PackageNotFoundError:
        made_with = ""
    beside = spec.beside
    return {
        "caption": said,
        "experiment": spec.experiment,
        "dataset": spec.dataset,
        "data_params": dict(spec.data_params),
        "data_dir": None if spec.data_dir is None else str(spec.data_dir),
        "size": started.size,
        "total": started.total,
        "painted": started.painted,
        "seed": spec.seed,
        "params": dict(spec.params),
        "beside": None
        if beside is None
        else {"experiment": beside.experiment, "params": dict(beside.params)},
        "log": [_entry(done) for done in window.record.log],
        "steps": window.step,
        "shown": window.shown_step,
        "version": made_with,
    }


def _entry(done: Any) -> dict[str, Any]:
    if isinstance(done, Turned):
        return {"step": done.step, "turned": done.name, "old": done.old, "new": done.new}
    return {"step": done.step, "acted": done.name}


def _log(window: Window) -> Table:
    """What was done by hand, one row each."""
    assert window.record is not None
    assert window.conductor is not None
    spec = window.record.spec
    assert spec is not None
    info, sides = window.conductor.info_of(spec), spec.beside is not None
    done = window.record.log
    turned = [each if isinstance(each, Turned) else None for each in done]
    header = ["step", "what", "name", "old", "new", "words"]
    columns = (
        [each.step for each in done],
        ["acted" if each is None else "turned" for each in turned],
        [each.name for each in done],
        ["" if each is None else each.old for each in turned],
        ["" if each is None else each.new for each in turned],
        [tr(done_in_words(info, each, sides=sides)) for each in done],
    )
    return header, Rows(header, [dict(zip(header, columns, strict=True))])


# ── writing, on another ─────────────────────────────────────────────────────────────────────────────────────


def encoded(image: QImage) -> bytes:
    """A picture as a PNG file."""
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, QByteArray(b"png")).write(image)
    return bytes(buffer.data().data())


def writing(found: Collected) -> Callable[[Path], Iterator[float]]:
    """Write it to a folder that is there as a whole or not at all.

    Raises:
        InputError: something stands there already.
        OSError: the place cannot be written to, or the disk is full.
    """

    def work(path: Path) -> Iterator[float]:
        _check(path)
        part = path.with_name(f".{path.name[:80]}.{os.getpid()}.part")
        part.mkdir()
        try:
            files = list(_files(found))
            for done, (name, pieces) in enumerate(files):
                with (part / name).open("wb") as file:
                    for piece, share in pieces:
                        file.write(piece)
                        yield (done + share) / len(files)
            if path.exists():
                path.rmdir()
            part.replace(path)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise

    return work


def _check(path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise InputError(_("“{path}” is a file. Choose another name for the folder.", path=str(path)))
    if path.is_dir() and any(path.iterdir()):
        raise InputError(_("“{path}” is not empty. Choose an empty folder, or a new name.", path=str(path)))


Pieces = Iterator[tuple[bytes, float]]


def _files(found: Collected) -> Iterator[tuple[str, Pieces]]:
    """Every file's name, and its bytes little by little."""
    yield "run.json", _one(lambda: json.dumps(found.about, indent=2, ensure_ascii=False).encode() + b"\n")
    if found.scalars is not None:
        yield "scalars.csv", table.pieces(found.scalars)
    yield "log.csv", table.pieces(found.log)
    for sheet in found.sheets:
        if sheet.data is not None:
            yield f"{sheet.name}.csv", table.pieces(sheet.data)
        if sheet.image is not None:
            yield f"{sheet.name}.png", _one(partial(encoded, sheet.image))


def _one(make: Callable[[], bytes]) -> Pieces:
    yield make(), 1.0
