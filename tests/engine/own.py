"""Data as a person might have them, written where the tests can read them."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent.parent
SHARED = ROOT.parent / "shared" / "data"
LAYOUTS = {"mnist": "MNIST", "fashion": "FashionMNIST", "cifar10": "cifar-10-batches-py"}
"""Downloaded sets, and the folder that torchvision keeps each in."""


def folder_of(dataset: str) -> Path | None:
    """The path from which ``dataset`` is read here; None where this machine does not have it."""
    if dataset.startswith("own_"):
        return _own() / dataset.removeprefix("own_")
    return SHARED if dataset not in LAYOUTS or (SHARED / LAYOUTS[dataset]).is_dir() else None


@functools.lru_cache(maxsize=1)
def _own() -> Path:
    """A folder with ``images`` (three classes, in grey) and ``table`` (a CSV of four numbers and a word)."""
    root = Path(tempfile.mkdtemp(prefix="own-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    rng = np.random.default_rng(0)
    for c, name in enumerate(("été", "ночь", "a b")):
        (root / "images" / name).mkdir(parents=True)
        for i in range(40):
            pixels = rng.integers(0, 90, (16, 16), dtype=np.uint8)
            pixels[4 * c : 4 * c + 6] += 140
            Image.fromarray(pixels).save(root / "images" / name / f"{i}.png")
    lines = ["long;wide;deep;high;kind"]
    for i in range(90):
        c = i % 3
        row = rng.normal((c, -c, 2 * c, 0), (0.3, 0.3, 0.5, 1))
        lines.append(";".join(f"{v:.3f}".replace(".", ",") for v in row) + f";{'abc'[c]}")
    (root / "table").write_text("\n".join(lines), encoding="utf-8")
    return root
