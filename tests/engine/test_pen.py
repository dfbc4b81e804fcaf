"""Handwriting: the same for the same seed, made as it says, and good enough to learn real digits from."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from engine.core.text import InputError
from engine.data import glyphs, hand, sheet
from engine.data.registry import Dataset, load

SHARED = Path(__file__).resolve().parent.parent.parent.parent / "shared" / "data"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    """Nothing that an earlier version has made is found."""
    monkeypatch.setenv("LATENTARIUM_CACHE", str(tmp_path))


def pen(n: int = 520, seed: int = 0, **params: object) -> Dataset:
    return load("pen", seed=seed, params={"n": n, **params})  # type: ignore[dict-item]


def factor(data: Dataset, name: str) -> torch.Tensor:
    return next(f.values for f in data.factors if f.name == name)


def slope(x: torch.Tensor, y: torch.Tensor) -> float:
    return float(torch.corrcoef(torch.stack([x, y]))[0, 1])


# ── what is promised ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("alphabet", "classes"), [("digits", 10), ("letters", 26), ("both", 36)])
def test_shapes_classes_and_balance(alphabet, classes):
    data = pen(classes * 20 + 3, alphabet=alphabet)
    assert data.x.shape == (classes * 20 + 3, 1, 28, 28)
    assert data.x.dtype == torch.float32
    assert float(data.x.min()) == 0
    assert float(data.x.max()) == 1
    assert len(data.names) == classes
    counts = data.y.bincount(minlength=classes)
    assert int(counts.max() - counts.min()) <= 1
    assert bool((data.x.amax((1, 2, 3)) > 0.9).all()), "every picture has ink"


def test_same_seed_same_pictures_cached_or_not(tmp_path, monkeypatch):
    first, cached = pen(), pen()
    monkeypatch.setenv("LATENTARIUM_CACHE", str(tmp_path / "another"))
    again, other = pen(), pen(seed=1)
    for data in (cached, again):
        assert torch.equal(first.x, data.x)
        assert torch.equal(first.y, data.y)
        assert all(torch.equal(a.values, b.values) for a, b in zip(first.factors, data.factors, strict=True))
    assert not torch.equal(first.x, other.x)


@pytest.mark.parametrize(
    "params", [{"n": 99}, {"n": 60_001}, {"n": 200.5}, {"alphabet": "runes"}, {"slant": 3}]
)
def test_what_cannot_be_made_is_refused(params):
    with pytest.raises(InputError):
        load("pen", params=params)


def test_the_work_tells_how_far_it_is_and_can_be_cancelled(tmp_path):
    told: list[float] = []
    load("pen", params={"n": 300}, tell=told.append)
    assert told == sorted(told)
    assert told[-1] == 1

    def cancel(_share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load("pen", params={"n": 301}, tell=cancel)
    assert len(list(tmp_path.iterdir())) == 1, "half a set was kept"


def test_ink_balances_where_that_of_mnist_does_and_fills_the_box():
    x = pen(2000).x[:, 0]  # (N, 28, 28)
    places = torch.arange(28.0)
    for axis in (1, 2):
        profile = x.sum(3 - axis)  # (N, 28)
        centre = (profile * places).sum(1) / profile.sum(1)
        assert abs(float(centre.mean()) - 14) < 0.1
        assert float((centre - 14).abs().quantile(0.99)) < 1
    inked = x > 0.5
    tall, wide = ((inked.any(axis).sum(1)) for axis in (2, 1))
    longer = torch.maximum(tall, wide).float()
    assert 18.5 < float(longer.mean()) < 20.5
    assert int(longer.max()) <= 22


def test_factors_are_what_the_pictures_show():
    data = pen(4000)
    for f in data.factors:
        assert f.low <= float(f.values.min()) < float(f.values.max()) <= f.high
    x, y = data.x[:, 0], data.y
    ink = x.sum((1, 2))
    rows, columns = torch.meshgrid(torch.arange(28.0), torch.arange(28.0), indexing="ij")
    dy = rows - ((x * rows).sum((1, 2)) / ink)[:, None, None]
    dx = columns - ((x * columns).sum((1, 2)) / ink)[:, None, None]
    shear = -(x * dx * dy).sum((1, 2)) / (x * dy**2).sum((1, 2))
    breadth = (x * dx**2).sum((1, 2)) / ink
    for digit in (0, 3, 8):
        of = y == digit
        assert slope(factor(data, "thickness")[of], ink[of]) > 0.8
        assert slope(factor(data, "slant")[of], shear[of]) > 0.6
        assert slope(factor(data, "width")[of], breadth[of]) > 0.4


def test_all_ways_are_written_as_often_as_the_table_says():
    data = pen(20_000)
    way = factor(data, "way")
    for digit, glyph in enumerate(data.names):
        shares, ways = hand.skeletons(glyph)
        found = way[data.y == digit].long().bincount(minlength=len(ways)) / 2000
        torch.testing.assert_close(found, torch.tensor(shares), atol=0.05, rtol=0)


def test_the_curve_runs_through_its_points_and_bends_as_a_parabola():
    knots = np.array([0, 1, 2.5, 3, 5], np.float32)
    smooth, straight = hand.curve(knots, [2, 2, 2, 2])
    assert smooth.shape == straight.shape == (9, 5)
    for matrix in (smooth, straight):
        np.testing.assert_allclose(matrix.sum(1), 1, atol=1e-6)
        np.testing.assert_allclose(matrix[::2], np.eye(5), atol=1e-6)
    half = np.linspace(0, 1, 9)
    at = np.interp(half, half[::2], knots)
    # But for the two ends, which know a neighbour on one side only.
    np.testing.assert_allclose((smooth @ knots**2)[2:7], at[2:7] ** 2, atol=1e-4)
    np.testing.assert_allclose(straight @ knots, at, atol=1e-6)


def test_the_table_can_be_read():
    ways = [way for table in (glyphs.DIGITS, glyphs.LETTERS) for ways in table.values() for way in ways]
    for weight, way in ways:
        assert weight > 0
        bones = hand.skeleton(way)
        assert len(bones.control) >= 2
        assert len(bones.piece) == len(bones.smooth) - 1
        assert int((~bones.piece).sum()) == way.count(" / ")
        length = np.linalg.norm(np.diff(bones.smooth @ bones.control, axis=0), axis=1)[bones.piece]
        assert length.max() * hand.BOX < 2 * hand.PIECE
    assert all(len(table) == n for table, n in ((glyphs.DIGITS, 10), (glyphs.LETTERS, 26)))
    assert list(itertools.chain(glyphs.DIGITS, glyphs.LETTERS)) == list(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    )


@pytest.mark.parametrize("name", ["pen", "rings", "swiss_roll"])
def test_a_contact_sheet(name):
    picture = sheet.contact_sheet(load(name, params={"n": 300}))
    assert picture.mode == "RGB"
    assert min(picture.size) > 900
    assert len(picture.getcolors(1 << 24)) > 2


# ── good enough to learn from ───────────────────────────────────────────────────────────────────────────────


def learn(data: Dataset, epochs: int = 8) -> nn.Module:
    """A small conv net that has seen ``data`` a few times."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.3), nn.Linear(32 * 7 * 7, 64), nn.ReLU(), nn.Linear(64, 10),
    )  # fmt: skip
    steps = epochs * (len(data.x) // 100)
    opt = torch.optim.Adam(net.parameters())
    rate = torch.optim.lr_scheduler.OneCycleLR(opt, 4e-3, total_steps=steps)
    batches = (b for _epoch in range(epochs) for b in torch.randperm(len(data.x)).split(100))
    for batch in itertools.islice(batches, steps):
        loss = nn.functional.cross_entropy(net(data.x[batch]), data.y[batch])
        opt.zero_grad()
        loss.backward()
        opt.step()
        rate.step()
    return net.eval()


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LATENTARIUM_CACHE", str(tmp_path_factory.mktemp("cache")))
        return learn(pen(10_000))


def accuracy(net: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    with torch.no_grad():
        return float((net(x).argmax(1) == y).float().mean())


@pytest.mark.slow
def test_a_net_reads_what_the_same_hand_writes(net):
    other = pen(2000, seed=1)
    found = accuracy(net, other.x, other.y)
    print(f"pen to pen: {found:.3f}")
    assert found > 0.98


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason=f"the digits of MNIST are not in {SHARED}")
def test_a_net_that_has_seen_only_pen_reads_mnist(net):
    from engine.boot import prepare_torchvision

    prepare_torchvision()
    from torchvision.datasets import MNIST

    mnist = MNIST(str(SHARED), train=False, download=False)
    found = accuracy(net, mnist.data[:1000, None].float() / 255, mnist.targets[:1000])
    print(f"pen to MNIST: {found:.3f}")
    assert found > 0.9
