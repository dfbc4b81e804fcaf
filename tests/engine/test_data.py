"""The data sets: same seed, same data; whatever is wrong with a folder of files ends in a sentence."""

import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.core.text import InputError
from engine.data.registry import load, sources

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"  # beside the checkout
HERE = [name for name, source in sources().items() if not source.needs_folder]


def test_listing_the_sets_loads_neither_torch_nor_numpy():
    code = "import sys, engine.api as a; a.sources(); print('torch' in sys.modules, 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.split() == [
        "False",
        "False",
    ]


@pytest.mark.parametrize("name", HERE)
def test_a_set_is_what_it_says(name):
    data = load(name, seed=3)
    assert data.name == name
    assert data.kind == sources()[name].kind
    assert data.x.dtype == torch.float32
    assert bool(torch.isfinite(data.x).all())
    assert data.total == len(data.x) == len(data.y)
    assert set(data.y.unique().tolist()) == set(range(len(data.names)))
    if data.kind == "points":
        assert data.x.shape[1:] == (len(data.columns),)
        assert len(data.columns) > 3 or data.columns == ("x", "y", "z")[: len(data.columns)]
    elif data.kind == "signals":
        assert data.x.dim() == 2
        assert -1 <= float(data.x.min()) < 0 < float(data.x.max()) <= 1
    else:
        assert data.x.dim() == 4
        assert 0 <= float(data.x.min()) < float(data.x.max()) <= 1


@pytest.mark.parametrize("name", HERE)
def test_same_seed_same_data(name):
    assert torch.equal(load(name, seed=1).x, load(name, seed=1).x)


def test_another_seed_other_points():
    assert not torch.equal(load("blobs", seed=1).x, load("blobs", seed=2).x)


def test_digits_are_those_of_scikit_learn():
    from sklearn.datasets import load_digits

    data, bunch = load("digits"), load_digits()
    np.testing.assert_array_equal(data.x[:, 0].numpy(), (bunch.images / 16).astype(np.float32))
    np.testing.assert_array_equal(data.y.numpy(), bunch.target)


def test_digits_are_scaled_and_shaped():
    data = load("digits")
    assert data.x.shape == (1797, 1, 8, 8)
    assert float(data.x.max()) == 1
    assert data.item(0).picture.shape == (8, 8)


def test_an_unknown_set_is_refused():
    with pytest.raises(InputError, match="no data set called"):
        load("nosuch")


# ── MNIST from a folder ───────────────────────────────────────────────────────────────────────────────────


def idx(*sizes: int, data: bytes) -> bytes:
    return bytes((0, 0, 8, len(sizes))) + b"".join(n.to_bytes(4, "big") for n in sizes) + data


IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


@pytest.fixture
def raw(tmp_path):
    """A tiny MNIST of three digits in torchvision's layout, without the test files."""
    folder = tmp_path / "MNIST" / "raw"
    folder.mkdir(parents=True)
    (folder / IMAGES).write_bytes(idx(3, 28, 28, data=bytes(i % 256 for i in range(3 * 784))))
    (folder / LABELS).write_bytes(idx(3, data=bytes((7, 0, 9))))
    return folder


@pytest.mark.parametrize("up", [0, 1, 2])
def test_mnist_is_found_from_root_its_folder_and_raw(raw, up):
    data = load("mnist", data_dir=(raw, raw.parent, raw.parent.parent)[up])
    assert data.x.shape == (3, 1, 28, 28)
    assert data.y.tolist() == [7, 0, 9]
    assert data.total == 3
    assert torch.equal((data.x[0].flatten()[:256] * 255).round(), torch.arange(256.0))


def refuse(folder: Path | None, match: str) -> None:
    with pytest.raises(InputError, match=match):
        load("mnist", data_dir=folder)


def test_mnist_without_a_folder():
    refuse(None, "needs a folder")


def test_mnist_in_a_folder_that_is_not_there(tmp_path):
    refuse(tmp_path / "nowhere", "There is no folder")


def test_mnist_in_an_empty_folder(tmp_path):
    refuse(tmp_path, "There is no MNIST in")


@pytest.mark.parametrize("name", [IMAGES, LABELS])
def test_a_missing_file(raw, name):
    (raw / name).unlink()
    refuse(raw, f"{name} is missing")


def test_files_still_packed(raw):
    for name in (IMAGES, LABELS):
        (raw / f"{name}.gz").write_bytes(gzip.compress((raw / name).read_bytes()))
        (raw / name).unlink()
    refuse(raw, "still packed")


def test_a_packed_file_under_the_unpacked_name(raw):
    (raw / IMAGES).write_bytes(gzip.compress((raw / IMAGES).read_bytes()))
    refuse(raw, "still packed although")


@pytest.mark.parametrize("keep", [17, 1000, -1])
def test_a_truncated_file(raw, keep):
    (raw / IMAGES).write_bytes((raw / IMAGES).read_bytes()[:keep])
    refuse(raw, "is damaged: it has")


def test_a_file_with_a_tail(raw):
    (raw / LABELS).write_bytes((raw / LABELS).read_bytes() + b"x")
    refuse(raw, "is damaged: it has")


@pytest.mark.parametrize("content", [b"", b"hello", idx(3, data=b"abc"), b"<html>" * 100])
def test_another_kind_of_file(raw, content):
    (raw / IMAGES).write_bytes(content)
    refuse(raw, "is not a file of MNIST")


def test_a_header_that_promises_terabytes(raw):
    (raw / IMAGES).write_bytes(idx(2**32 - 1, 2**31, 2**31, data=b"x"))
    refuse(raw, "is damaged: it has")


def test_pictures_of_another_size_or_number(raw):
    (raw / IMAGES).write_bytes(idx(3, 4, 4, data=bytes(48)))
    refuse(raw, "is not MNIST")


def test_labels_above_nine(raw):
    (raw / LABELS).write_bytes(idx(3, data=bytes((7, 0, 10))))
    refuse(raw, "labels above 9")


def test_a_folder_where_a_file_should_be(raw):
    (raw / IMAGES).unlink()
    (raw / IMAGES).mkdir()
    refuse(raw, "cannot be read")


@pytest.mark.skipif(not SHARED.exists(), reason="the real digits are not on this machine")
def test_the_real_digits():
    data = load("mnist", data_dir=SHARED)
    assert data.x.shape == (5000, 1, 28, 28)
    assert data.y.bincount().min() > 300
