"""PCA: against scikit-learn and slow formulas, odd input, live knobs, and what a class must see."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch

from engine.core.frame import Arrows, Frame, Images, Points, Segments
from engine.core.params import change
from engine.core.text import InputError
from engine.data.registry import Dataset, load
from engine.experiments.clusters import pca
from engine.experiments.clusters.pca import PCA, PCAParams
from engine.parts import gram
from tests.engine.extremes import NOT_TO_BE_SQUARED, OUT_OF_RANGE


def make(data: Dataset | str, *, seed: int = 0, **params: Any) -> PCA:
    data = load(data) if isinstance(data, str) else data
    chosen = change(PCAParams(), {**PCA.info.presets.get(data.name, {}), **params})
    return PCA(data, chosen, seed=seed, device=torch.device("cpu"))


def points(x: Any) -> Dataset:
    x = torch.as_tensor(x, dtype=torch.float32)
    return Dataset("own", "points", x, columns=tuple("abcdefgh"[: x.shape[1]]), total=len(x))


def frames(experiment: PCA, n: int = 100_000) -> list[Frame]:
    return [f for f in itertools.islice(experiment.run(), n) if isinstance(f, Frame)]


def same_up_to_sign(a: Any, b: Any, tolerance: float) -> None:
    a, b = np.asarray(a), np.asarray(b)
    sign = np.sign((a * b).sum(0))
    np.testing.assert_allclose(a * sign, b, atol=tolerance)


def peer(x: torch.Tensor, k: int) -> Any:
    from sklearn.decomposition import PCA as Peer

    return Peer(k, svd_solver="full").fit(x.double().numpy())


# ── the numbers ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("ritz", [False, True])
@pytest.mark.parametrize(
    ("dataset", "k"), [("ellipse", 1), ("moons", 2), ("anisotropic", 1), ("digits", 16), ("digits", 40)]
)
def test_ends_where_scikit_learn_ends(dataset, k, ritz):
    experiment = make(dataset, k=k, ritz=ritz)
    last = frames(experiment)[-1]
    x = experiment.data.flat
    true = peer(x, k)
    same_up_to_sign(experiment.axes[:, :k].numpy(), true.components_.T, 1e-4)
    assert last.scalars["explained_variance"] == pytest.approx(true.explained_variance_ratio_.sum(), abs=1e-4)
    rebuilt = true.inverse_transform(true.transform(x.double().numpy()))
    mse = float(((x.double().numpy() - rebuilt) ** 2).mean())
    assert last.scalars["reconstruction_mse"] == pytest.approx(mse, abs=1e-6)
    assert last.scalars["angle_deg"] == pca.FINEST
    exact = experiment._exact()[2][:, :k]
    assert pca.largest_angle(experiment.axes[:, :k], exact) < 1e-3


def test_the_exact_axes_are_scikit_learns():
    experiment = make("digits")
    _c, values, vectors = experiment._exact()
    true = peer(experiment.data.flat, 50)
    np.testing.assert_allclose(values[:50], true.explained_variance_, rtol=1e-4)
    same_up_to_sign(vectors[:, :40].numpy(), true.components_[:40].T, 1e-4)


def test_the_numbers_are_the_slow_formulas_at_every_step():
    experiment = make("digits", k=7)
    x = experiment.data.flat.double()
    for frame in itertools.islice((f for f in experiment.run() if isinstance(f, Frame)), 6):
        v = experiment.axes[:, :7]
        left = (x - x.mean(0)) - (x - x.mean(0)) @ v @ v.T
        assert frame.scalars["reconstruction_mse"] == pytest.approx(float((left**2).mean()), rel=1e-5)
        explained = 1 - float((left**2).sum() / ((x - x.mean(0)) ** 2).sum())
        assert frame.scalars["explained_variance"] == pytest.approx(explained, rel=1e-5)
        torch.testing.assert_close(v.T @ v, torch.eye(7, dtype=torch.float64))


def test_without_the_mean_it_is_the_singular_vectors_of_the_data():
    experiment = make("ellipse", centre=False)
    frames(experiment)
    x = experiment.data.flat.double().numpy()
    same_up_to_sign(experiment.axes[:, 0], np.linalg.svd(x)[2][0], 1e-4)
    toward = experiment.true_mean / experiment.true_mean.norm()
    assert abs(float(experiment.axes[:, 0] @ toward)) > 0.97


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_forgetting_the_mean_turns_the_first_axis_from_the_origin_to_the_mean(seed):
    right, wrong = make("off_centre", seed=seed), make("off_centre", seed=seed, centre=False)
    frames(right)
    cloud = frames(wrong)[-1].views["cloud"]()
    assert pca.largest_angle(right.axes[:, :1], wrong.axes[:, :1]) > 45
    arrows, cross = cloud.layers[-1], cloud.layers[-2]
    np.testing.assert_array_equal(arrows.start[0], [0, 0])
    np.testing.assert_allclose(arrows.end[0], wrong.data.x.mean(0), atol=0.3)
    np.testing.assert_array_equal(cross.start, -cross.end)


def test_covariance_of_data_far_from_zero():
    g = torch.Generator().manual_seed(0)
    x = torch.randn(20_000, 6, generator=g) @ torch.randn(6, 6, generator=g) + 3000.0
    mean, covariance = gram.mean_and_covariance(x)
    np.testing.assert_allclose(covariance, np.cov(x.double().numpy().T), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(mean, x.double().mean(0), rtol=1e-9)


def test_half_precision_finds_axes_that_explain_as_much():
    g = torch.Generator().manual_seed(0)
    x = torch.randn(5_000, 150, generator=g) @ torch.randn(150, 150, generator=g)
    exact, rounded = torch.zeros(2, 150, 150, dtype=torch.float64)
    gram.add_exact(exact, x)
    gram.add_rounded(rounded, x)
    rounded = rounded.tril() + rounded.tril(-1).T
    assert not torch.equal(exact, rounded)
    axes = gram.leading(rounded, 10)[1]
    best = gram.eigen(exact)[0][:10].sum()
    assert float(pca.variances(exact @ axes, axes).sum() / best) > 0.9999


def test_some_eigenvectors_are_those_of_all():
    g = torch.Generator().manual_seed(0)
    x = torch.randn(300, 80, generator=g, dtype=torch.float64)
    values, vectors = gram.leading(x.T @ x, 5)
    every, all_vectors = gram.eigen(x.T @ x)
    np.testing.assert_allclose(values, every[:5], rtol=1e-9)
    np.testing.assert_allclose(vectors, all_vectors[:, :5], atol=1e-7)


def test_the_angle_between_subspaces():
    a = torch.eye(4, dtype=torch.float64)[:, :2]
    turn = np.deg2rad(30)
    b = a.clone()
    b[:, 1] = torch.tensor([0, np.cos(turn), np.sin(turn), 0])
    assert pca.largest_angle(a, b) == pytest.approx(30)
    assert pca.largest_angle(a, a.flip(1)) == pytest.approx(0, abs=1e-9)


def test_same_seed_same_numbers_and_another_seed_another_start():
    numbers = [[f.scalars for f in frames(make("moons", seed=s))] for s in (1, 1, 2)]
    assert numbers[0] == numbers[1]
    assert numbers[0][0] != numbers[2][0]


def test_a_kept_state_goes_on_as_if_never_left():
    experiment = make("digits")
    list(itertools.islice(experiment.run(), 10))
    experiment.choose(77)
    kept = experiment.state()
    onwards = [f.scalars for f in frames(experiment, 60)]
    other = make("digits", seed=99)
    other.restore(kept)
    assert [f.scalars for f in frames(other, 60)] == onwards
    assert other.chosen == experiment.chosen


# ── odd input ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("x", [torch.zeros(1, 2), torch.ones(50, 3)], ids=["one point", "all alike"])
def test_nothing_that_spreads(x):
    with pytest.raises(InputError, match="All items are alike"):
        make(points(x))


@pytest.mark.parametrize("bad", [float("nan"), float("-inf")])
def test_values_that_are_no_numbers(bad):
    x = torch.randn(9, 2)
    x[8, 0] = bad
    with pytest.raises(InputError, match="Item 8 has a value that is not a number"):
        make(points(x))


@pytest.mark.parametrize(("x", "said"), NOT_TO_BE_SQUARED)
def test_numbers_that_float32_cannot_square_are_refused(x, said):
    with pytest.raises(InputError, match=said):
        make(points(x))


@pytest.mark.parametrize("far", OUT_OF_RANGE)
def test_an_input_out_of_range_is_refused(far):
    experiment = make(points(torch.randn(30, 5, generator=torch.Generator().manual_seed(0))))
    with pytest.raises(InputError, match="has 5 numbers"):
        experiment.encode(np.full(5, far))


@pytest.mark.parametrize(
    "x",
    [
        torch.tensor([[0.0, 0.0], [3.0, 4.0]]),
        torch.linspace(0, 1, 30)[:, None],
        torch.stack([torch.linspace(0, 1, 30), torch.full((30,), 7.0)], 1),
        torch.randn(30, 2, generator=torch.Generator().manual_seed(0)).repeat(3, 1),
        torch.randn(4, 8, generator=torch.Generator().manual_seed(0)),
    ],
    ids=["two points", "one column", "a constant column", "duplicates", "fewer rows than columns"],
)
@pytest.mark.parametrize("centre", [True, False])
@pytest.mark.parametrize("ritz", [True, False])
def test_odd_data_end_and_can_be_drawn(x, centre, ritz):
    experiment = make(points(x), k=50, first=50, second=50, centre=centre, ritz=ritz)
    found = frames(experiment, 60_000)
    assert len(found) < 20_000
    assert all(np.isfinite(list(f.scalars.values())).all() for f in found)
    for thunk in found[-1].views.values():
        assert np.isfinite(thunk().xy).all()


# ── live knobs, hands, questions ──────────────────────────────────────────────────────────────────────────


def test_k_acts_on_pictures_when_all_is_at_rest():
    experiment = make("digits", k=2)
    last = frames(experiment)[-1]
    before = last.views["reconstructions"]().pixels
    experiment.p = change(experiment.p, {"k": 40})
    after = last.views["reconstructions"]().pixels
    rows = slice(20, 30)  # the differences
    assert after[rows].mean() < 0.5 * before[rows].mean()
    assert last.views["spectrum"]().mark == 40


def test_the_mean_switched_off_while_it_rests_turns_the_axes_again():
    experiment = make("ellipse")
    frames(experiment)
    before = experiment.axes.clone()
    experiment.p = change(experiment.p, {"centre": False})
    assert len(frames(experiment)) > 2
    assert float((experiment.axes - before).abs().max()) > 0.01


def test_choosing_pictures():
    experiment = make("digits")
    experiment.choose(123)
    experiment.choose(123)
    experiment.choose(200)
    shown = next(iter(experiment.run())).views["reconstructions"]()
    assert shown.items[:10].tolist().count(123) == 1
    np.testing.assert_allclose(shown.pixels[0], experiment.data.x[123, 0].numpy())
    with pytest.raises(InputError, match="no item"):
        experiment.choose(1797)


def test_encode_decode_rebuild_and_place():
    experiment = make("digits", k=12)
    frames(experiment)
    x = experiment.data.x[5].numpy()
    true = peer(experiment.data.flat, 12)
    z = experiment.code(x)
    np.testing.assert_allclose(np.abs(z), np.abs(true.transform(x.reshape(1, -1))[0]), atol=1e-4)
    np.testing.assert_allclose(experiment.decode(z), experiment.rebuild(5), atol=1e-5)
    expected = true.inverse_transform(true.transform(x.reshape(1, -1))).reshape(1, 8, 8)
    np.testing.assert_allclose(experiment.rebuild(5), expected, atol=1e-4)
    found = experiment.encode(x)
    np.testing.assert_allclose(found.xy, z[:2], atol=1e-4)
    np.testing.assert_allclose(found.picture, experiment.rebuild(5)[0].clip(0, 1), atol=1e-5)
    assert found.channel == "scatter"
    with pytest.raises(InputError, match="has 64 numbers"):
        experiment.encode(np.zeros(5))
    for wrong in (np.full(3, np.nan), np.full(3, 1e300), np.zeros(51)):
        with pytest.raises(InputError, match="at most 50 numbers"):
            experiment.decode(wrong)


# ── pictures ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_cloud_and_its_axes():
    experiment = make("ellipse")
    last = frames(experiment)[-1]
    assert set(last.views) == {"cloud", "rebuilt", "scatter"}
    cloud = last.views["cloud"]()
    assert [type(layer) for layer in cloud.layers] == [Segments, Segments, Arrows]
    _exact, feet, arrows = cloud.layers
    length = np.linalg.norm(arrows.end - arrows.start, axis=1)
    true = peer(experiment.data.flat, 2)
    np.testing.assert_allclose(length, 2 * np.sqrt(true.explained_variance_), rtol=1e-3)
    assert arrows.names[0] == "PC1 · 86 %"
    assert arrows.end.dtype == arrows.start.dtype == np.float32
    along = arrows.end[0] - arrows.start[0]
    np.testing.assert_allclose((feet.end - feet.start) @ along, 0, atol=1e-3)  # at right angles to the axis
    assert len(feet.start) <= pca.LINES
    on_the_line = last.views["rebuilt"]().xy - arrows.start[0]
    np.testing.assert_allclose(on_the_line[:, 0] * along[1] - on_the_line[:, 1] * along[0], 0, atol=1e-3)


def test_the_pictures_of_images():
    experiment = make("digits")
    last = frames(experiment, 4)[-1]
    assert set(last.views) == {"scatter", "components", "reconstructions", "spectrum"}
    parts = {name: thunk() for name, thunk in last.views.items()}
    assert isinstance(parts["components"], Images)
    assert parts["components"].signed
    assert np.abs(parts["components"].pixels).max() <= 1.0001
    assert parts["components"].pixels.shape == (17, 8, 8)
    assert parts["reconstructions"].pixels.shape == (30, 8, 8)
    assert parts["reconstructions"].columns == 10
    assert isinstance(parts["scatter"], Points)
    assert len(set(experiment.data.y[experiment.chosen].tolist())) == 10
    for line in parts["spectrum"].lines.values():
        assert line.dtype == np.float32
        assert (np.diff(line) >= -1e-6).all()


def test_eigen_images_do_not_flip_between_steps():
    experiment = make("digits")
    list(itertools.islice(experiment.run(), 60))
    before = experiment.axes.clone()
    list(itertools.islice(experiment.run(), 4))
    assert float((before * experiment.axes).sum(0)[:10].min()) > 0.5


# ── what a class must see ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_axes_come_to_rest_on_the_exact_ones(seed):
    for dataset in ("ellipse", "moons", "digits"):
        experiment = make(dataset, seed=seed)
        found = frames(experiment)
        assert found[0].scalars["angle_deg"] > 5
        k = experiment._k()
        same_up_to_sign(experiment.axes[:, :k].numpy(), peer(experiment.data.flat, k).components_.T, 1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_moons_overlap_on_every_line(seed):
    experiment = make("moons", seed=seed)
    last = frames(experiment)[-1]
    x, y = last.views["scatter"]().xy, experiment.data.y.numpy()
    for axis in (0, 1):
        cuts = np.quantile(x[:, axis], np.linspace(0.02, 0.98, 49))
        right = [np.mean((x[:, axis] > cut) == y) for cut in cuts]
        assert max(*right, *(1 - np.array(right))) < 0.95


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_tenth_of_the_numbers_holds_most_of_a_digit(seed):
    last = frames(make("digits", seed=seed, k=16))[-1]
    assert last.scalars["explained_variance"] > 0.8
