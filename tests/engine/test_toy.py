"""Toys: their knobs, and what each is there to show."""

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.neighbors import NearestNeighbors

from engine.core.text import InputError
from engine.data import toy
from engine.data.registry import load

NAMES = [source.name for source in toy.SOURCES]
COLUMNS = dict.fromkeys(("bumps", "claw"), 1) | dict.fromkeys(("swiss_roll", "s_curve", "interlocked"), 3)


@pytest.mark.parametrize("name", NAMES)
def test_as_many_points_as_asked_for(name):
    data = load(name, params={"n": 777})
    assert data.x.shape == (777, COLUMNS.get(name, 2))
    assert data.total == len(data.y) == 777
    assert all(len(f.values) == 777 for f in data.factors)


@pytest.mark.parametrize("name", NAMES)
def test_every_end_of_every_knob_gives_finite_points(name):
    for knob in next(s for s in toy.SOURCES if s.name == name).knobs:
        for value in (knob.low, min(knob.high, 10_000)):
            data = load(name, params={knob.name: value, **({"n": 500} if knob.name != "n" else {})})
            assert bool(torch.isfinite(data.x).all())
            assert float(data.x.abs().max()) < 25
        with pytest.raises(InputError, match="outside"):
            load(name, params={knob.name: knob.high + 1})


@pytest.mark.parametrize("name", NAMES)
def test_more_noise_strays_further(name):
    def spread(noise: float) -> float:
        x = load(name, params={"n": 4000, "noise": noise}).x.numpy()
        distance = NearestNeighbors(n_neighbors=4).fit(x).kneighbors(x)[0]
        return float(np.median(distance[:, -1]))

    assert spread(0.02) < spread(0.4)


@pytest.mark.parametrize("name", NAMES)
def test_classes_are_balanced_and_factors_keep_their_range(name):
    data = load(name, params={"n": 6000})
    assert data.y.bincount().min() > 0.7 * 6000 / len(data.names)
    for factor in data.factors:
        assert factor.low <= float(factor.values.min()) < float(factor.values.max()) <= factor.high
        # It fills its range: nothing promised is missing.
        assert float(factor.values.max() - factor.values.min()) > 0.97 * (factor.high - factor.low)


@pytest.mark.parametrize("name", ["bumps", "claw"])
def test_the_density_of_a_line_is_the_one_its_points_come_from(name):
    """The share of the points in each tenth of the line is the area under the density there."""
    data = load(name, params={"n": 200_000})
    order = data.x[:, 0].argsort()
    x, density = data.x[order, 0].double().numpy(), data.factors[0].values[order].double().numpy()
    assert np.trapezoid(density, x) == pytest.approx(1, abs=1e-3)
    edges = np.linspace(-4, 4, 11)
    area = np.interp(edges, x[1:], np.cumsum(np.diff(x) * (density[1:] + density[:-1]) / 2))
    np.testing.assert_allclose(np.diff(np.searchsorted(x, edges) / len(x)), np.diff(area), atol=0.005)


def test_the_mean_of_off_centre_lies_across_its_length():
    x = load("off_centre").x.double()
    mean = x.mean(0)
    length = torch.linalg.eigh(torch.cov(x.T)).eigenvectors[:, -1]
    assert float(mean.norm()) > 2 * float((x - mean).std() * 2**0.5)
    assert abs(float(length @ mean / mean.norm())) < 0.05


@pytest.mark.parametrize("name", ["swiss_roll", "s_curve"])
def test_a_sheet_is_a_sheet(name):
    """Near places on the sheet are as far apart in space as on it: it was bent, not stretched."""
    data = load(name, params={"n": 5000, "noise": 0})
    sheet = torch.stack([f.values for f in data.factors], 1).numpy()  # (N, 2) along, across
    x = data.x.numpy()
    flat, index = NearestNeighbors(n_neighbors=6).fit(sheet).kneighbors(sheet)
    bent = np.linalg.norm(x[index] - x[:, None], axis=2)  # (N, 6)
    np.testing.assert_allclose(bent[:, 1:].sum() / flat[:, 1:].sum(), 1, atol=0.01)
    assert np.quantile(bent[:, 1:] / flat[:, 1:], 0.01) > 0.93


def test_the_layers_of_the_roll_are_close_and_those_of_the_s_are_not():
    def with_a_stranger_near(name: str) -> float:
        """The share of points with one within 2.6 that is far away on the sheet."""
        data = load(name, params={"n": 3000, "noise": 0})
        along = data.factors[0].values
        far = (along[:, None] - along).abs() > 8
        return float(((torch.cdist(data.x, data.x) < 2.6) & far).any(1).float().mean())

    assert with_a_stranger_near("swiss_roll") > 0.7
    assert with_a_stranger_near("s_curve") == 0


def test_the_links_of_the_chain_hold():
    """Each ring passes through the disc of the other."""
    data = load("interlocked", params={"noise": 0})
    lying, standing = data.x[data.y == 0], data.x[data.y == 1]
    through = standing[standing[:, 2].abs() < 0.1]  # where the standing ring meets the plane of the lying one
    inside = torch.linalg.vector_norm(through[:, :2] - lying[:, :2].mean(0), dim=1) < 2.9
    assert bool(inside.any())
    assert not bool(inside.all())


@pytest.mark.parametrize(
    ("name", "found"), [("eight", True), ("blobs", True), ("rings", False), ("spirals", False)]
)
def test_where_k_means_finds_the_classes_and_where_it_cannot(name, found):
    from sklearn.metrics import adjusted_rand_score

    data = load(name)
    labels = KMeans(len(data.names), n_init=5, random_state=0).fit_predict(data.x.numpy())
    score = adjusted_rand_score(data.y.numpy(), labels)
    assert score > 0.95 if found else score < 0.3
