"""A person's own data: read as they are, or refused in one sentence that names the file."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from engine.__main__ import main
from engine.core.params import change, specs
from engine.core.text import CancelledError, InputError, Text
from engine.data import registry
from engine.data.files import (
    ImageParams,
    TableParams,
    as_plain,
    look,
    read,
    read_text,
    read_whole,
    thumbnails,
)
from tests.engine import bad_files
from tests.engine.bad_files import BAD, GOOD, encoded, npy, npz, parquet, png, write


def refusal(attempt: Callable[..., object], *arguments: object) -> Text | None:
    """The sentence of an InputError, None where there is none; anything else raised fails the test."""
    try:
        attempt(*arguments)
    except InputError as error:
        return error.sentence
    return None


def said(path: Path) -> list[str]:
    """The sentences with which looking and reading refuse ``path``."""
    found = [refusal(attempt, path) for attempt in (look, read)]
    assert all(sentence is None or isinstance(sentence, Text) for sentence in found)
    return [str(sentence) for sentence in found if sentence is not None]


def good_or_named(path: Path, *options: object) -> None:
    """Read as it should be, or refused by its name."""
    sentence = refusal(lambda: check_data(read(path, *options)))
    assert sentence is None or path.name in sentence


def check_sentence(sentence: str, path: Path) -> None:
    assert path.name in sentence
    assert sentence.endswith((".", "?"))
    assert "\n" not in sentence
    assert "Traceback" not in sentence
    assert len(sentence) < 400 + len(str(path))


def check_data(data: registry.Dataset) -> None:
    """What every data set promises."""
    assert data.x.dtype == torch.float32
    assert bool(torch.isfinite(data.x).all())
    assert len(data.x) >= 1
    assert data.total >= len(data.x)
    if data.y is not None:
        assert data.y.dtype == torch.int64
        assert data.y.shape == (len(data.x),)
        assert set(data.y.unique().tolist()) == set(range(len(data.names)))
    if data.kind == "points":
        assert data.x.shape[1:] == (len(data.columns),)
        assert len(set(data.columns)) == len(data.columns)
    else:
        assert data.x.shape[1] in (1, 3)
        assert data.x.shape[2] == data.x.shape[3]
        assert 0 <= float(data.x.min()) <= float(data.x.max()) <= 1


# ── what is refused ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_in_a_sentence_that_names_it(name, tmp_path):
    path = write(tmp_path, name, BAD[name])
    sentences = said(path)
    assert len(sentences) == 2
    for sentence in sentences:
        check_sentence(sentence, path)
    for options in (ImageParams(), TableParams()):
        with pytest.raises(InputError) as caught:
            read(path, options)
        check_sentence(str(caught.value.sentence), path)


@pytest.mark.parametrize("name", GOOD)
def test_a_good_file_is_read_and_looked_at_alike(name, tmp_path):
    path = write(tmp_path, name, GOOD[name])
    report, found = look(path), read_whole(path)
    check_data(found.data)
    assert report.source == found.data.name
    assert report.total == found.data.total == found.report.total
    assert report.use == len(found.data.x)
    assert report.shape == tuple(found.data.x.shape[1:]) == found.report.shape
    json.dumps(as_plain(report))
    loaded = registry.load(report.source, data_dir=path)
    assert torch.equal(loaded.x, found.data.x)


@pytest.mark.parametrize(
    "name", ["with space.csv", "été à l’école.csv", "日本.csv", "📊 data.csv", "a\nb.csv"]
)
def test_any_name_will_do(name, tmp_path):
    check_data(read(write(tmp_path, name, GOOD["table.csv"])))
    for sentence in said(write(tmp_path, f"bad {name}", BAD["ragged.csv"])):
        assert "\n" not in sentence
        sentence.encode()


@pytest.mark.skipif(os.name != "posix", reason="other systems have no such names")
def test_a_name_that_is_no_text_can_still_be_said(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.csv"))
    path.write_bytes(b"")
    for sentence in said(path):
        sentence.encode()
        assert r"\udcff" in sentence or "\\xff" in sentence


def test_what_is_not_there(tmp_path):
    for path in (tmp_path / "gone.csv", tmp_path / "gone" / "deeper"):
        for sentence in said(path):
            assert "not there any more" in sentence
            assert path.name in sentence
    for sentence in said(tmp_path / "a\0b"):
        assert sentence.endswith(".")


def test_what_may_not_be_read(tmp_path, monkeypatch):
    path = write(tmp_path, "secret.csv", GOOD["table.csv"])
    real = Path.open

    def refuse(self, *args, **kwargs):
        if self == path:
            raise PermissionError(13, "Permission denied", str(self))
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)
    sentences = said(path)
    assert len(sentences) == 2
    assert all("may not read" in sentence and "secret.csv" in sentence for sentence in sentences)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read(tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0)
    try:
        assert all("may not read" in sentence for sentence in said(folder))
    finally:
        folder.chmod(0o700)


@pytest.mark.skipif(os.name != "posix", reason="other systems have no such files")
def test_what_is_neither_file_nor_folder(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    for sentence in (*said(tmp_path / "pipe.csv"), *said(Path("/dev/zero"))):
        assert "neither a file nor a folder" in sentence


@pytest.mark.parametrize("name", ["table.csv", "table.parquet", "table.npy", "table.npz", "fortran.npy"])
def test_a_file_that_vanishes_or_shrinks_while_it_is_read(name, tmp_path):
    path = write(tmp_path, name, GOOD[name])

    def cut(_share: float) -> None:
        if path.exists() and path.stat().st_size:
            path.write_bytes(b"")

    good_or_named(path, TableParams(), cut)  # what was read already may be enough


def test_giving_up_is_let_through_at_once(tmp_path):
    (tmp_path / "pictures").mkdir()
    for i in range(5):
        (tmp_path / "pictures" / f"{i}.png").write_bytes(png(9, 9, i))
    paths = [tmp_path / "pictures", *(write(tmp_path, name, GOOD[name]) for name in GOOD)]
    (tmp_path / "words.md").write_text("some words")

    def give_up(_share: float) -> None:
        raise CancelledError

    for path in paths:
        with pytest.raises(CancelledError):
            read(path, None, give_up)
    with pytest.raises(CancelledError):
        read_text(tmp_path / "words.md", give_up)


@pytest.mark.parametrize("name", GOOD)
def test_progress_grows_to_one(name, tmp_path):
    heard: list[float] = []
    read(write(tmp_path, name, GOOD[name]), None, heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == pytest.approx(1, abs=0.1)
    assert all(0 <= share <= 1 for share in heard)


# ── pictures ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def folder(tmp_path):
    """Two classes of five pictures."""
    for name in ("cat", "dog"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for i in range(5):
            (tmp_path / "pets" / name / f"{i}.png").write_bytes(png(40, 30, i))
    return tmp_path / "pets"


def test_folders_are_classes_and_pictures_squares(folder):
    (folder / "notes.txt").write_text("mine")
    report, found = look(folder), read_whole(folder, ImageParams(size="48"))
    assert found.data.x.shape == (10, 3, 48, 48)
    assert found.data.names == ("cat", "dog")
    assert found.data.y.bincount().tolist() == [5, 5]
    assert report.classes == found.report.classes == (("cat", 5), ("dog", 5))
    assert report.shape == (3, 32, 32)
    assert [(str(c.reason), c.count) for c in report.dropped] == [("other files", 1)]
    assert {str(c.reason): c.count for c in report.changed} == {
        "cut to the middle square": 10,
        "made larger": 10,
    }
    assert {q.knob: q.suggested for q in report.questions} == {"size": "32", "fit": "crop", "colour": "auto"}
    assert thumbnails(folder).shape == (10, 32, 32, 3)
    assert read(folder, ImageParams(classes=False)).y is None


def test_the_same_seed_gives_the_same_sample_and_the_total_is_said(folder):
    first, again = (read(folder, ImageParams(most=10), seed=3) for _i in range(2))
    assert torch.equal(first.x, again.x)
    for i in range(20):
        (folder / "cat" / f"more {i}.png").write_bytes(png(20, 20, 100 + i))
    data = read(folder, ImageParams(most=10))
    assert (len(data.x), data.total) == (10, 30)
    assert not torch.equal(data.x, read(folder, ImageParams(most=10), seed=1).x)


@pytest.mark.parametrize(
    ("tree", "classes"),
    [
        (("a.png", "b.png"), []),
        (("only/a.png", "only/b.png"), []),
        (("data/cat/a.png", "data/dog/b.png"), ["cat", "dog"]),
        (("train/cat/a.png", "train/dog/b.png", "test/cat/c.png"), ["cat", "dog"]),
        (("cat/x/a.png", "dog/y/b.png"), ["cat", "dog"]),
        (("cat/a.png", "b.png"), ["cat", "in no folder"]),
        (("cat/a.png", ".hidden/b.png", "__MACOSX/c.png", "dog/d.png"), ["cat", "dog"]),
    ],
)
def test_which_folders_are_classes(tree, classes, tmp_path):
    for i, name in enumerate(tree):
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(9, 9, i))
    assert sorted(name for name, _n in look(tmp_path / "set").classes) == classes
    assert sorted(read(tmp_path / "set").names) == classes


def one(folder: Path, name: str, content: bytes, **options: str) -> tuple[np.ndarray, list[str]]:
    """A folder of that picture, read: (S, S) or (S, S, 3) and what was changed."""
    (folder / "one").mkdir(exist_ok=True)
    (folder / "one" / name).write_bytes(content)
    found = read_whole(folder / "one", ImageParams(size="28", **options))
    changed = [str(count.reason) for count in found.report.changed]
    shutil.rmtree(folder / "one")
    x = found.data.x[0].permute(1, 2, 0).numpy()
    return (x[..., 0] if x.shape[-1] == 1 else x), changed


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF"])
def test_every_format_comes_back_as_it_was(kind, tmp_path):
    flat = Image.new("RGB", (28, 28), (200, 100, 50))
    x, changed = one(tmp_path, f"a.{kind.lower()}", encoded(flat, kind))
    assert x.shape == (28, 28, 3)
    assert np.abs(x * 255 - (200, 100, 50)).max() < 4
    assert changed == []
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (28, 28, 3), dtype=np.uint8))
    if kind in ("PNG", "BMP", "TIFF"):
        np.testing.assert_array_equal((one(tmp_path, "a.png", encoded(noise, kind))[0] * 255).round(), noise)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_picture_stands_as_the_camera_was_held(orientation, kind, tmp_path):
    pixels = np.zeros((56, 56, 3), dtype=np.uint8)
    pixels[:20, :36] = (250, 20, 20)
    pixels[30:, :12] = (20, 20, 250)
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(Image.fromarray(pixels), kind, exif=exif)
    right = ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB").resize((28, 28))
    x, _changed = one(tmp_path, "a.jpg", content)
    assert np.abs(x * 255 - np.asarray(right, dtype=np.float32)).mean() < 8


def test_transparency_is_put_on_the_ground(tmp_path):
    clear = Image.new("RGBA", (28, 28), (255, 0, 0, 0))
    clear.paste((255, 0, 0, 255), (0, 0, 28, 14))
    for ground, below in (("white", 1.0), ("black", 0.0)):
        x, changed = one(tmp_path, "a.png", encoded(clear, "PNG"), ground=ground)
        assert x[5, 5].tolist() == [1, 0, 0]
        assert x[25, 5].tolist() == [below] * 3
        assert "transparent, put on the ground" in changed
    palette = Image.new("P", (28, 28), 1)
    palette.putpalette([0, 0, 0, 0, 0, 255])
    assert one(tmp_path, "a.png", encoded(palette, "PNG"))[0][3, 3].tolist() == [0, 0, 1]
    x, _changed = one(tmp_path, "a.png", encoded(palette, "PNG", transparency=1))
    assert x.shape == (28, 28)
    assert float(x.min()) == 1


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "YCbCr", "I;16", "I", "F", "RGBA"])
def test_every_kind_of_pixel(mode, tmp_path):
    ramp = np.linspace(0, 255, 28 * 28).reshape(28, 28).astype(np.uint8)
    if mode in ("I;16", "I", "F"):
        wide = {
            "I;16": ramp.astype(np.uint16) * 257,
            "I": ramp.astype(np.int32) * 257,
            "F": ramp / np.float32(255),
        }
        image = Image.fromarray(wide[mode])
    else:
        image = Image.fromarray(ramp).convert("L" if mode in "LA P" else "RGB").convert(mode)
    kind = "PNG" if mode in ("1", "L", "LA", "P", "I;16", "RGBA") else "TIFF"
    x, changed = one(tmp_path, f"a.{kind}", encoded(image, kind), colour="grey")
    assert x.shape == (28, 28)
    if mode != "1":
        assert np.abs(x * 255 - ramp).max() < 6
    assert "values brought to black and white" not in changed


def test_pad_keeps_the_whole_and_crop_the_middle(tmp_path):
    wide = np.zeros((28, 84), dtype=np.uint8)
    wide[:, 28:56] = 255
    content = encoded(Image.fromarray(wide), "PNG")
    assert float(one(tmp_path, "a.png", content)[0].min()) > 0.9
    padded, changed = one(tmp_path, "a.png", content, fit="pad", ground="white")
    assert padded[0].min() == 1
    assert padded[14, 2] == 0
    assert "borders filled" in changed


def test_of_an_animation_the_first_picture(tmp_path):
    frames = [Image.new("L", (28, 28), v) for v in (10, 200)]
    for kind in ("PNG", "WEBP"):
        content = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
        x, changed = one(tmp_path, "a.png", content)
        assert float(x.max()) < 0.1
        assert "animated, first picture taken" in changed


def test_grey_in_colour_files_is_seen_to_be_grey(tmp_path):
    grey = Image.fromarray(np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)).convert("RGB")
    assert one(tmp_path, "a.jpg", encoded(grey, "JPEG"))[0].shape == (28, 28)
    assert one(tmp_path, "a.png", encoded(grey, "PNG"), colour="colour")[0].shape == (28, 28, 3)


BROKEN = {
    "cut off": lambda: png(60, 60)[:-2000],
    "nothing": lambda: b"",
    "text": lambda: b"<html>not found</html>",
    "bomb": lambda: bad_files.bomb_png(30_000),
    "large": lambda: bad_files.bomb_png(12_000),
    "tiff": bad_files.huge_tiff,
    "jpeg": lambda: encoded(Image.new("RGB", (99, 99)), "JPEG")[:300],
    "gif": lambda: encoded(Image.new("L", (9, 9)), "GIF"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_picture_among_good_ones_is_counted(name, folder):
    (folder / "cat" / "broken.png").write_bytes(BROKEN[name]())
    found = read_whole(folder)
    assert len(found.data.x) == 10
    assert [(c.count, c.example) for c in found.report.dropped] == [(1, "broken.png")]
    look(folder)


@pytest.mark.parametrize("name", BROKEN)
def test_nothing_but_broken_pictures(name, tmp_path):
    (tmp_path / "all").mkdir()
    for i in range(3):
        (tmp_path / "all" / f"é{i}.png").write_bytes(BROKEN[name]())
    (sentence,) = set(said(tmp_path / "all")[-1:])
    check_sentence(sentence, tmp_path / "all")
    assert "é" in sentence


def test_three_valid_pictures_among_two_thousand_broken_ones(tmp_path):
    for i in range(2000):
        (tmp_path / f"{i:04}.png").write_bytes(b"broken")
    for i in (5, 500, 1500):
        (tmp_path / f"{i:04}.png").write_bytes(png(9, 9))
    for sentence in said(tmp_path):
        check_sentence(sentence, tmp_path)
        assert ".png" in sentence


def test_a_folder_without_pictures(tmp_path):
    (tmp_path / "empty").mkdir()
    assert all("is empty" in sentence for sentence in said(tmp_path / "empty"))
    (tmp_path / "empty" / "a.csv").write_text("1,2")
    assert all("a.csv" in sentence for sentence in said(tmp_path / "empty"))
    with pytest.raises(InputError, match="no table"):
        read(tmp_path / "empty", TableParams())


def test_pictures_that_vanish_while_they_are_read(folder):
    def sweep(share: float) -> None:
        for path in list(folder.rglob("*.png"))[:3] if share else ():
            path.unlink()

    good_or_named(folder, ImageParams(), sweep)


def test_memory_bounds_the_number_of_pictures():
    from engine.data.files.pictures import MOST_BYTES, _most

    largest = ImageParams(most=20_000)
    assert _most(largest, 64, 3) * 64 * 64 * 3 * 4 <= MOST_BYTES
    assert _most(largest, 28, 1) == 20_000


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────


def csv_data(folder: Path, text: str | bytes, **options: object) -> registry.Dataset:
    path = folder / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(path, change(TableParams(), options))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", " "])
@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_decimal_signs_and_line_ends(delimiter, decimal, end, tmp_path):
    if delimiter == decimal:
        pytest.skip("such a file cannot be told apart")
    lines = [delimiter.join(("a", "b", "c"))]
    lines += [delimiter.join(f"{i + j / 4}".replace(".", decimal) for j in range(3)) for i in range(9)]
    data = csv_data(tmp_path, end.join(lines))
    assert data.columns == ("a", "b", "c")
    np.testing.assert_allclose(data.x[2], (2, 2.25, 2.5))


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "utf-32"]
)
def test_encodings(encoding, tmp_path):
    data = csv_data(tmp_path, "âge,size,ça\n1,2,né\n3,4,né\n5,6,là\n".encode(encoding))
    assert data.columns == ("âge", "size")
    assert data.names == ("là", "né")


def test_an_accent_far_into_the_file(tmp_path):
    lines = "a,b\n" + "1,2\n" * 200_000 + "3,4é\n"
    data = csv_data(tmp_path, lines.encode("cp1252"))
    assert data.total == 200_001
    with pytest.raises(InputError, match="utf-8"):
        csv_data(tmp_path, lines.encode("cp1252"), encoding="utf-8")


def test_the_label_is_guessed_and_can_be_chosen(tmp_path):
    text = "id,x,y,species\n" + "\n".join(f"{i},{i / 3},{i % 3},{'pq'[i % 2]}" for i in range(30))
    data = csv_data(tmp_path, text)
    assert data.columns == ("x", "y")  # id counts the rows
    assert data.names == ("p", "q")
    assert csv_data(tmp_path, text, label=0).y is None
    by_y = csv_data(tmp_path, text, label=3)
    assert by_y.names == ("0", "1", "2")
    assert by_y.columns == ("x", "species = p", "species = q")
    assert csv_data(tmp_path, text, label=3, categories="drop").columns == ("x",)
    with pytest.raises(InputError, match="no column 5"):
        csv_data(tmp_path, text, label=5)


def test_a_label_with_too_many_values(tmp_path):
    text = "a,b\n" + "\n".join(f"{i},{i * 1.5}" for i in range(2000))
    with pytest.raises(InputError, match="too many for classes"):
        csv_data(tmp_path, text, label=2)


def test_missing_values_are_left_out_or_filled(tmp_path):
    text = "a,b\n1,2\n,4\n3,NA\n5,6\n7,8\n"
    report = look(write(tmp_path, "m.csv", text.encode))
    assert [(str(c.reason), c.count, c.example) for c in report.dropped] == [
        ("a value is missing", 2, "line 3")
    ]
    assert "missing" in {q.knob for q in report.questions}
    dropped = csv_data(tmp_path, text)
    assert (len(dropped.x), dropped.total) == (3, 5)
    filled = csv_data(tmp_path, text, missing="mean")
    assert filled.x[1].tolist() == [4, 4]
    assert filled.x[2].tolist() == [3, 5]


def test_nothing_is_scaled_unless_it_is_asked_for(tmp_path):
    text = "a,b\n" + "\n".join(f"{i},{1000 * i}" for i in range(10))
    assert csv_data(tmp_path, text).x[:, 1].max() == 9000
    scaled = csv_data(tmp_path, text, standardise=True).x
    torch.testing.assert_close(scaled.mean(0), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(scaled.std(0, correction=0), torch.ones(2))
    report = look(tmp_path / "t.csv")
    assert ("standardise", True) in {(q.knob, q.suggested) for q in report.questions}
    assert csv_data(tmp_path, "a,b\n1,5\n2,5\n3,5\n", standardise=True).x[:, 1].tolist() == [0, 0, 0]


def test_a_few_ragged_rows_are_left_out_and_named(tmp_path):
    text = "a,b,c\n" + "1,2,3\n" * 20 + "1,2\n" + "4,5,6\n" * 20 + "1,2,3,4\n" + "7,8,9,\n"
    found = read_whole(write(tmp_path, "r.csv", text.encode))
    assert len(found.data.x) == 41
    (count,) = found.report.dropped
    assert count.count == 2
    assert count.example == "line 22 (2 instead of 3)"


def test_strange_cells_among_numbers_are_said_with_their_line(tmp_path):
    text = "a,b\n" + "\n".join(f"{i},{i}" for i in range(20)) + "\noops,3\n"
    found = read_whole(write(tmp_path, "s.csv", text.encode))
    assert len(found.data.x) == 20
    assert [c.example for c in found.report.changed] == ["a: 22: “oops”"]


def test_words_that_cannot_be_shown_are_still_words(tmp_path):
    data = csv_data(tmp_path, "a,b\n" + "1,\0\n2,\0\n3,x\n4,x\n5,\0\n", encoding="utf-8", label=0)
    assert len(data.columns) == 3
    assert data.x[:, 1].sum() + data.x[:, 2].sum() == 5


def test_infinities_count_as_missing(tmp_path):
    found = read_whole(write(tmp_path, "i.csv", ("a,b\n" + "1,2\n3,4\n5,6\n" + "inf,1\n2,1e300\n").encode))
    assert len(found.data.x) == 3
    assert sum(c.count for c in found.report.changed) == 2


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("1,2\n3,4\n", ("column 1", "column 2")),
        ("a,a,a\n1,2,3\n4,5,7\n", ("a", "a (2)", "a (3)")),
        (",b,\n1,2,3\n4,5,7\n", ("column 1", "b", "column 3")),
        ("a\n1\n2\n", ("a",)),
        ("sep=;\na;b\n1,5;2\n3;4\n", ("a", "b")),
        ('"x","y"\n"1","2"\n"3","4"\n', ("x", "y")),
        ("a b\n1 10 20\n2 30 40\n", ("a", "b")),
        ("date,v\n2024-01-05,1\n2024-02-05,2\n", ("v",)),
        ("a;b\n1 234,5;1\n2 345,6;2\n", ("a", "b")),
        ('"two\nlines",b\n1,2\n3,4\n', ("two lines", "b")),
    ],
)
def test_names_of_columns(text, columns, tmp_path):
    assert csv_data(tmp_path, text).columns == columns


@pytest.mark.parametrize(
    ("cell", "comma", "value"),
    [("1.5", False, 1.5), ("1,5", True, 1.5), ("1.234,5", True, 1234.5), ("1,234.5", False, 1234.5),
     ("1 234,5", True, 1234.5), ("-2e-3", False, -0.002), ("1_000", False, None), ("x", False, None),
     ("12'345.5", False, 12345.5), ("１２", False, 12.0)],
)  # fmt: skip
def test_numbers(cell, comma, value):
    from engine.data.files.tables import to_number

    assert to_number(cell, comma) == value


def test_header_and_decimal_can_be_overruled(tmp_path):
    assert len(csv_data(tmp_path, "1;2\n3;4\n5;7\n", header="yes").x) == 2
    assert csv_data(tmp_path, "a;b\n1,5;2\n3,5;4\n", decimal="comma").x[0, 0] == 1.5
    with pytest.raises(InputError):
        csv_data(tmp_path, "a;b\n1,5;2\n3,5;4\n", delimiter="tab")


def test_a_long_table_is_sampled_evenly_in_its_order(tmp_path):
    text = "a,b\n" + "\n".join(f"{i},{i % 10}" for i in range(30_000))
    path = write(tmp_path, "long.csv", text.encode)
    params = change(TableParams(), {"most": 500, "label": 0})
    data = read(path, params)
    assert (len(data.x), data.total) == (500, 30_000)
    assert (data.x[:, 0].diff() > 0).all()
    assert abs(float(data.x[:, 0].mean()) - 15_000) < 1500
    assert torch.equal(data.x, read(path, params).x)
    assert not torch.equal(data.x, read(path, params, seed=1).x)
    report = look(path, params)
    assert (report.use, report.total) == (500, 30_000)


def test_looking_at_a_very_long_table_is_an_estimate(tmp_path, monkeypatch):
    from engine.data.files import door

    monkeypatch.setattr(door, "LOOK_BYTES", 100_000)
    path = write(tmp_path, "long.csv", lambda: b"a,b\n" + b"1,2\n2,3\n" * 200_000)
    report = look(path)
    assert not report.exact
    assert abs(report.total - 400_000) < 40_000
    assert report.use == 20_000


def test_parquet(tmp_path):
    found = read_whole(write(tmp_path, "t.parquet", GOOD["table.parquet"]))
    assert found.data.columns == ("x", "n")
    assert found.data.names == ("green", "red")
    assert {c.name: (c.kind, c.use) for c in found.report.columns} == {
        "x": ("number", "number"), "n": ("number", "number"), "word": ("category", "label"),
        "day": ("date", "left out"), "list": ("text", "left out"),
    }  # fmt: skip
    table = pa.table(
        {
            "flag": [True, False] * 6,
            "small": pa.array(range(12), pa.int8()),
            "words": pa.array(["a", "b"] * 6).dictionary_encode(),
            "hole": pa.array([1.5, None] * 6),
            "none": pa.nulls(12),
            "money": pa.array([Decimal("1.50"), Decimal(2)] * 6, pa.decimal128(6, 2)),
        }
    )
    data = read(
        write(tmp_path, "u.parquet", lambda: parquet(table)), change(TableParams(), {"missing": "mean"})
    )
    assert data.columns == ("flag", "small", "money")
    assert data.names == ("a", "b")


def test_a_sample_of_parquet(tmp_path):
    table = pa.table({"a": np.arange(50_000), "b": np.arange(50_000.0)})
    path = write(tmp_path, "t.parquet", lambda: parquet(table, row_group_size=7000))
    data = read(path, change(TableParams(), {"most": 300, "label": 0}))
    assert (len(data.x), data.total) == (300, 50_000)
    torch.testing.assert_close(data.x[:, 0], data.x[:, 1])


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", "<i2", ">i8", "|u1", "|b1", "<f2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_of_every_number(dtype, order, tmp_path):
    values = np.array([[0, 1], [1, 0], [1, 1], [0, 0], [1, 0]]).astype(dtype)
    data = read(write(tmp_path, "a.npy", lambda: npy(np.asarray(values, order=order))), TableParams(label=0))
    np.testing.assert_array_equal(data.x.numpy(), values.astype(np.float32))


def test_a_sample_of_an_array(tmp_path):
    values = np.arange(300_000).reshape(100_000, 3).astype(np.float64)
    for name, content in (("a.npy", npy(values)), ("a.npz", npz(x=values))):
        data = read(write(tmp_path, name, lambda c=content: c), change(TableParams(), {"most": 200}))
        assert (len(data.x), data.total) == (200, 100_000)
        torch.testing.assert_close(data.x[:, 1], data.x[:, 0] + 1)


def test_arrays_of_pictures(tmp_path):
    rng = np.random.default_rng(0)
    eight = rng.integers(0, 256, (20, 28, 28), dtype=np.uint8)
    data = read(write(tmp_path, "a.npy", lambda: npy(eight)))
    np.testing.assert_array_equal((data.x[:, 0].numpy() * 255).round(), eight)
    colour = rng.random((20, 3, 12, 12), dtype=np.float32)
    last = read(write(tmp_path, "b.npy", lambda: npy(colour.transpose(0, 2, 3, 1))))
    first = read(write(tmp_path, "c.npz", lambda: npz(images=colour, labels=np.arange(20) % 2)))
    assert torch.equal(last.x, first.x)
    assert last.x.shape == (20, 3, 12, 12)
    assert np.abs(last.x.numpy() - colour).max() <= 0.5 / 255 + 1e-6
    assert first.names == ("0", "1")
    small = read(tmp_path / "b.npy", ImageParams(size="28", colour="grey"))
    assert small.x.shape == (20, 1, 28, 28)


# ── text ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_text(tmp_path):
    path = tmp_path / "tale.txt"
    path.write_bytes("Il était une fois.\r\nUne reine; et, un roi.\r\n".encode("cp1252"))
    assert read_text(path) == "Il était une fois.\nUne reine; et, un roi.\n"
    report = look(path)
    assert (report.kind, report.source, report.total) == ("text", "", 9)
    assert {str(name): value for name, value in report.facts}["Encoding"] == "cp1252"
    with pytest.raises(InputError, match=r"tale\.txt"):
        read(path)
    with pytest.raises(InputError, match="at most 0 MB"):
        read_text(path, most=10)
    with pytest.raises(InputError, match="is not text"):
        read_text(write(tmp_path, "b.txt", lambda: bytes(range(256))))


# ── as sources ──────────────────────────────────────────────────────────────────────────────────────────────


def test_they_are_sources_with_knobs(folder):
    known = registry.sources()
    assert [known[name].kind for name in ("own_images", "own_table")] == ["images", "points"]
    assert all(knob.help.endswith(".") for name in ("own_images", "own_table") for knob in known[name].knobs)
    assert registry.load("own_images", data_dir=folder, params={"size": "48"}).x.shape[-1] == 48
    for name in ("own_images", "own_table"):
        with pytest.raises(InputError, match="--data-dir"):
            registry.load(name)
    assert specs(TableParams)[0].name == "label"


def test_looking_loads_no_torch(tmp_path):
    path = write(tmp_path, "a.csv", GOOD["table.csv"])
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "a.png").write_bytes(png(9, 9))
    code = (
        "import sys; from pathlib import Path; from engine.data.files import look, thumbnails;"
        "look(Path(sys.argv[1])); look(Path(sys.argv[2])); thumbnails(Path(sys.argv[2]));"
        "print('torch' in sys.modules)"
    )
    words = [sys.executable, "-c", code, str(path), str(tmp_path / "p")]
    assert subprocess.run(words, capture_output=True, text=True).stdout.strip() == "False"


# ── memory ──────────────────────────────────────────────────────────────────────────────────────────────────

LIMITED = textwrap.dedent(
    """
    import resource, sys
    from pathlib import Path
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
    from engine.core.params import change
    from engine.core.text import InputError
    from engine.data.files import ImageParams, TableParams, look
    from engine.data.files.door import _pictures, _points
    from engine.data.registry import nothing
    path = Path(sys.argv[1])
    for attempt in (look, lambda p: _pictures(p, ImageParams(most=20_000), 0, nothing),
                    lambda p: _points(p, TableParams(most=100_000), 0, nothing)):
        try:
            attempt(path)
            print("read")
        except InputError as error:
            print("refused", error.sentence)
    # ru_maxrss would begin at what the process had that started this one.
    high = next(line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
    print("peak", int(high.split()[1]) // 1024)
    """
)  # without torch, which alone reserves more addresses than that


def peak(path: Path) -> int:
    """MB that it takes at most to look at ``path`` and read it, within 2 GB of addresses."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-1])


def write_npz_bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x.npy", "w") as member:
        member.write(
            bad_files.npy_header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 250)}")
        )
        for _mb in range(2000):
            member.write(bytes(1_000_000))


@pytest.mark.skipif(sys.platform != "linux", reason="needs RLIMIT_AS")
@pytest.mark.parametrize(
    "name",
    [
        "bomb.npz",
        "lying.npy",
        "million_columns.csv",
        "pictures",
        pytest.param("wide_rows.csv", marks=pytest.mark.slow),
        "long_cells.csv",
        "bomb.parquet",
        pytest.param("many_words.csv", marks=pytest.mark.slow),
    ],
)
def test_no_file_takes_more_than_two_gigabytes(name, tmp_path):
    path = tmp_path / name
    if name == "pictures":
        path.mkdir()
        for i, broken in enumerate(("bomb", "large", "tiff")):
            (path / f"{i}.png").write_bytes(BROKEN[broken]())
        big = np.zeros((5000, 5000, 4), dtype=np.uint8)
        (path / "rgba.png").write_bytes(encoded(Image.fromarray(big), "PNG", compress_level=1))
        (path / "cmyk.tif").write_bytes(encoded(Image.fromarray(big[..., :3]).convert("CMYK"), "TIFF"))
        (path / "deep.png").write_bytes(encoded(Image.fromarray(big[..., 0].astype(np.uint16)), "PNG"))
    elif name == "bomb.npz":
        write_npz_bomb(path)
    elif name == "wide_rows.csv":
        path.write_bytes((b",".join([b"1234567890123456"] * 2000) + b"\n") * 3000)
    elif name == "long_cells.csv":
        path.write_bytes(b"a,b,c\n" + (b"x" * 60_000 + b",1,2\n") * 1500)
    elif name == "many_words.csv":
        words = ",".join(f"w{{{i}}}" for i in range(60)) + "\n"
        rows = (words.format(*((row * 7 + i) % 33 for i in range(60))) for row in range(60_000))
        path.write_text("".join(rows))
    elif name == "bomb.parquet":
        column = pa.array(np.zeros(30_000_000))
        path.write_bytes(
            parquet(pa.table({f"c{i}": column for i in range(4)}), use_dictionary=False, compression="zstd")
        )
    else:
        write(tmp_path, name, BAD[name])
    assert peak(path) < 1500


# ── anything at all ─────────────────────────────────────────────────────────────────────────────────────────

ANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
CELL = (
    st.text(max_size=12)
    | st.floats().map(str)
    | st.sampled_from(["", "NA", '"', "1,5", "\n", "é", "inf", "1e999"])
)


def only_sentences(path: Path) -> None:
    for sentence in said(path):
        assert path.name in sentence
    for options in (ImageParams(), TableParams(missing="mean", standardise=True)):
        good_or_named(path, options)


@ANY
@given(content=st.binary(max_size=400))
@pytest.mark.parametrize("name", ["a.csv", "a.npy", "a.npz", "a.parquet", "a.txt", "a", "a.md"])
def test_random_bytes(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    only_sentences(tmp_path / name)


@ANY
@given(
    rows=st.lists(st.lists(CELL, max_size=5), max_size=12),
    delimiter=st.sampled_from([",", ";", "\t", "|", " "]),
    encoding=st.sampled_from(["utf-8", "utf-16", "utf-8-sig"]),
)
def test_random_tables(rows, delimiter, encoding, tmp_path):
    text = "\n".join(delimiter.join(row) for row in rows)
    (tmp_path / "a.csv").write_bytes(text.encode(encoding, "replace"))
    only_sentences(tmp_path / "a.csv")


@ANY
@given(content=st.text(max_size=300))
def test_random_headers_of_arrays(content, tmp_path):
    body = content.encode("utf-8", "replace")[:500]
    head = b"\x93NUMPY\x01\x00" + len(body).to_bytes(2, "little") + body
    (tmp_path / "a.npy").write_bytes(head + bytes(64))
    only_sentences(tmp_path / "a.npy")


@ANY
@given(place=st.floats(0, 1), byte=st.integers(0, 255), name=st.sampled_from(sorted(GOOD)))
def test_one_byte_changed(place, byte, name, tmp_path):
    content = bytearray(GOOD[name]())
    content[min(int(place * len(content)), len(content) - 1)] = byte
    path = tmp_path / name
    path.write_bytes(bytes(content))
    only_sentences(path)


@ANY
@given(
    content=st.binary(max_size=200),
    kind=st.sampled_from(["PNG", "JPEG", "WEBP", "BMP", "TIFF"]),
    at=st.floats(0, 1),
)
def test_random_pictures(content, kind, at, tmp_path):
    whole = encoded(Image.new("RGB", (40, 30), (9, 99, 200)), kind)
    cut = int(at * len(whole))
    (tmp_path / "p").mkdir(exist_ok=True)
    (tmp_path / "p" / "a.png").write_bytes(whole[:cut] + content + whole[cut + len(content) :])
    good_or_named(tmp_path / "p")
    shutil.rmtree(tmp_path / "p")


# ── without a window ────────────────────────────────────────────────────────────────────────────────────────


def run(*words: object) -> int:
    return main(["data", *(str(w) for w in words)])


def test_list_and_show(capsys):
    assert run("list") == 0
    assert "own_images (images)" in capsys.readouterr().out
    assert run("list", "--json") == 0
    assert {"digits", "own_table"} <= {source["name"] for source in json.loads(capsys.readouterr().out)}
    assert run("show", "digits") == 0
    assert "1797 images of 1 × 8 × 8" in capsys.readouterr().out


def test_export_and_import_again(tmp_path, capsys):
    assert run("export", "digits", "--n", 100, "--seed", 2, "--out", tmp_path / "d.npz") == 0
    with np.load(tmp_path / "d.npz") as arrays:
        assert {"x", "y", "factors", "names", "factor_names"} <= set(arrays.files)
        assert arrays["x"].shape == (100, 1, 8, 8)
        assert arrays["factors"].shape == (100, 0)
    assert run("import", tmp_path / "d.npz", "--out", tmp_path / "again") == 0
    with np.load(tmp_path / "again" / "dataset.npz") as arrays:
        assert arrays["x"].shape == (100, 1, 8, 8)
        assert arrays["names"].tolist() == [str(n) for n in range(10)]
    assert json.loads((tmp_path / "again" / "report.json").read_text())["kind"] == "pictures"
    assert run("export", "blobs", "--n", 60, "--out", tmp_path / "b.npz") == 0
    with np.load(tmp_path / "b.npz") as arrays:
        assert arrays["x"].shape == (60, 2)
        assert arrays["columns"].tolist() == ["x", "y"]
    capsys.readouterr()


def test_import_a_table_with_options(tmp_path, capsys):
    path = write(tmp_path, "table.csv", GOOD["table.csv"])
    assert run("import", path, "--out", tmp_path / "out", "--set", "label=0", "--set", "categories=drop") == 0
    with np.load(tmp_path / "out" / "dataset.npz") as arrays:
        assert arrays["x"].shape == (20, 2)
        assert "y" not in arrays.files
    assert "kind: category, left out" in capsys.readouterr().out


def test_an_experiment_runs_on_them(tmp_path, capsys, folder):
    table = write(tmp_path, "table.csv", GOOD["table.csv"])
    for name, path in (("own_table", table), ("own_images", folder)):
        words = ("run", "kmeans", "--dataset", name, "--data-dir", path, "--set", "k=2", "--steps", 2)
        if name == "own_table":
            assert main([str(w) for w in (*words, "--out", tmp_path / name)]) == 0
    capsys.readouterr()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("show", "nope"), "nope"),
        (("import", "/nowhere/x.csv", "--out", "OUT"), "x.csv"),
        (("export", "digits", "--n", "9999", "--out", "OUT"), "9999"),
        (("export", "digits", "--n", "0", "--out", "OUT"), "at least 1"),
        (("export", "digits", "--set", "k=1", "--out", "OUT"), "k"),
        (("show", "own_images"), "--data-dir"),
        (("download", "nope", "--to", "OUT"), "nope"),
        ((), "required"),
    ],
)
def test_one_sentence_and_exit_2(words, named, tmp_path, capsys):
    assert run(*(tmp_path / "o" if word == "OUT" else word for word in words)) == 2
    error = capsys.readouterr().err.strip()
    assert named in error
    assert "\n" not in error


def test_a_place_that_cannot_be_written(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert run("export", "digits", "--out", tmp_path / "file" / "x.npz") == 2
    assert "could not be written" in capsys.readouterr().err
