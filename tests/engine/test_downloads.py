"""Fetching data sets: torchvision's own code against a server that is a folder, or against none."""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import tarfile
import urllib.error
from pathlib import Path

import numpy as np
import pytest

from engine.__main__ import main
from engine.boot import prepare_torchvision
from engine.core.text import CancelledError, InputError
from engine.data import registry, torchvision
from engine.data.registry import load

prepare_torchvision()
from torchvision import datasets  # noqa: E402
from torchvision.datasets import utils  # noqa: E402


def idx(array: np.ndarray) -> bytes:
    sizes = b"".join(n.to_bytes(4, "big") for n in array.shape)
    return bytes((0, 0, 8, array.ndim)) + sizes + array.astype(np.uint8).tobytes()


def mnist_files() -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    files = {}
    for part in ("train", "t10k"):
        files[f"{part}-images-idx3-ubyte.gz"] = idx(rng.integers(0, 256, (6, 28, 28)))
        files[f"{part}-labels-idx1-ubyte.gz"] = idx(np.arange(6))
    return {name: gzip.compress(content) for name, content in files.items()}


def cifar_batches() -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    names = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]
    found = {
        name: pickle.dumps({"data": rng.integers(0, 256, (40, 3072), dtype=np.uint8), "labels": [i % 10 for i
        in range(40)]}) for name in names
    }  # fmt: skip
    return found | {"batches.meta": pickle.dumps({"label_names": [str(i) for i in range(10)]})}


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


class Server:
    """What torchvision's ``_urlretrieve`` finds. asked: what it was asked for."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.asked: list[str] = []

    def fetch(self, url: str, filename: str, chunk_size: int = 1024) -> None:
        name = url.rsplit("/", 1)[-1]
        self.asked.append(name)
        if name not in self.files:
            raise urllib.error.URLError("Name or service not known")
        content = self.files[name]
        with open(filename, "wb") as file, utils.tqdm(total=len(content)) as bar:
            for first in range(0, len(content), chunk_size):
                file.write(content[first : first + chunk_size])
                bar.update(len(content[first : first + chunk_size]))


@pytest.fixture
def server(monkeypatch):
    """A server with tiny sets whose checksums torchvision takes for the original ones."""
    mnist, batches = mnist_files(), cifar_batches()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name, content in batches.items():
            info = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    server = Server(mnist | {"cifar-10-python.tar.gz": archive.getvalue()})
    resources = [(name, md5(content)) for name, content in mnist.items()]
    monkeypatch.setattr(datasets.MNIST, "resources", resources)
    monkeypatch.setattr(datasets.FashionMNIST, "resources", resources)
    cifar = datasets.CIFAR10
    monkeypatch.setattr(cifar, "tgz_md5", md5(archive.getvalue()))
    monkeypatch.setattr(cifar, "train_list", [(n, md5(batches[n])) for n, _old in cifar.train_list])
    monkeypatch.setattr(cifar, "test_list", [(n, md5(batches[n])) for n, _old in cifar.test_list])
    meta = {"filename": "batches.meta", "key": "label_names", "md5": md5(batches["batches.meta"])}
    monkeypatch.setattr(cifar, "meta", meta)
    monkeypatch.setattr(utils, "_get_redirect_url", lambda url, max_hops=3: url)
    monkeypatch.setattr(utils, "_urlretrieve", server.fetch)
    return server


@pytest.mark.parametrize(("name", "items"), [("mnist", 6), ("fashion", 6), ("cifar10", 200)])
def test_a_set_is_fetched_and_found(name, items, server, tmp_path):
    heard: list[float] = []
    root = torchvision.download(name, tmp_path / "é data", heard.append)
    data = load(name, data_dir=root)
    assert (data.name, data.total, len(data.y)) == (name, items, items)
    assert 0 <= float(data.x.min()) < float(data.x.max()) <= 1
    assert heard == sorted(heard)
    assert (heard[0], heard[-1]) == (0, 1)
    assert len(set(heard)) > 4
    assert not list(root.glob(".downloading*"))
    assert not list(root.rglob("*.gz"))
    server.asked.clear()
    torchvision.download(name, root)
    assert server.asked == [], "what is there and whole is not fetched again"


def test_cifar_is_sampled_and_only_originals_are_opened(server, tmp_path):
    root = torchvision.download("cifar10", tmp_path)
    data = load("cifar10", data_dir=root / "cifar-10-batches-py", params={"n": 100})
    assert data.x.shape == (100, 3, 32, 32)
    assert data.total == 200
    path = root / "cifar-10-batches-py" / "data_batch_3"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(InputError, match="not the original"):
        load("cifar10", data_dir=root)
    torchvision.download("cifar10", root)
    load("cifar10", data_dir=root)


def test_a_damaged_set_is_mended(server, tmp_path):
    root = torchvision.download("mnist", tmp_path)
    (root / "MNIST" / "raw" / torchvision.IMAGES).write_bytes(b"")
    (root / "mine.txt").write_text("mine")
    torchvision.download("mnist", root)
    assert len(load("mnist", data_dir=root).x) == 6
    assert (root / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["mnist", "fashion", "cifar10"])
def test_giving_up_leaves_nothing_behind(name, server, tmp_path):
    def give_up(share: float) -> None:
        if share > 0.1:
            raise CancelledError

    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(CancelledError):
        torchvision.download(name, tmp_path, give_up)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    assert utils.tqdm.__module__ != torchvision.__name__, "torchvision has its own progress bar again"


@pytest.mark.parametrize("name", ["mnist", "fashion", "cifar10"])
def test_offline_is_one_sentence_and_leaves_nothing_behind(name, server, tmp_path, capsys):
    server.files.clear()
    with pytest.raises(InputError, match="online"):
        torchvision.download(name, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert main(["data", "download", name, "--to", str(tmp_path)]) == 2
    error = capsys.readouterr().err.strip()
    assert "Is this computer online?" in error
    assert "\n" not in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_what_is_not_the_original_is_thrown_away(name, server, tmp_path):
    server.files = {key: content + b"x" for key, content in server.files.items()}
    with pytest.raises(InputError, match="not the original"):
        torchvision.download(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        torchvision.download("mnist", tmp_path / "file" / "deeper")


def test_too_little_room(server, tmp_path, monkeypatch):
    import shutil

    monkeypatch.setattr(torchvision.shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(1, 1, 1))
    with pytest.raises(InputError, match="too little room"):
        torchvision.download("mnist", tmp_path)


def test_only_what_can_be_fetched():
    with pytest.raises(InputError, match="cifar10"):
        torchvision.download("digits", Path("/nowhere"))
    assert set(torchvision.DOWNLOADS) <= set(registry.sources())


def test_sister_sets_are_not_taken_for_each_other(server, tmp_path):
    torchvision.download("fashion", tmp_path)
    for folder in (tmp_path, tmp_path / "FashionMNIST", tmp_path / "FashionMNIST" / "raw"):
        assert load("fashion", data_dir=folder).names[0] == "T-shirt"
        with pytest.raises(InputError, match="no MNIST"):
            load("mnist", data_dir=folder)
    for folder, match in (
        (None, "needs a folder"),
        (tmp_path / "gone", "no folder"),
        (tmp_path, "no CIFAR-10"),
    ):
        with pytest.raises(InputError, match=match):
            load("cifar10", data_dir=folder)
