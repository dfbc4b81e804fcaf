"""The fast way to evaluate Gaussians against the readable formulas, and against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from engine.experiments.clusters.gmm import e_step, m_step
from engine.parts import gaussians


def mixture(k: int, d: int, n: int) -> tuple[torch.Tensor, ...]:
    """Points, weights, means and covariances at random."""
    g = torch.Generator().manual_seed(k + 10 * d)
    x = 3 * torch.randn(n, d, generator=g, dtype=torch.float64)
    pi = torch.rand(k, generator=g, dtype=torch.float64)
    roots = torch.randn(k, d, d, generator=g, dtype=torch.float64)
    return x, pi / pi.sum(), x[:k] + 0.1, roots @ roots.transpose(1, 2) + 0.2 * torch.eye(d)


@pytest.mark.parametrize("d", [1, 2, 4])
def test_the_product_is_the_density(d):
    x, pi, mu, sigma = mixture(3, d, 50)
    found = (gaussians.coefficients(pi, mu, sigma) @ gaussians.squares(x)).numpy()
    for k in range(3):
        expected = np.log(pi[k].item()) + multivariate_normal(mu[k], sigma[k]).logpdf(x.numpy())
        np.testing.assert_allclose(found[k], expected, atol=1e-8)


@pytest.mark.parametrize(("k", "d", "n"), [(1, 2, 40), (5, 2, 40_000), (4, 1, 300), (3, 3, 300)])
def test_a_step_is_the_readable_one(k, d, n):
    x, pi, mu, sigma = mixture(k, d, n)
    fast = gaussians.Squares(x)
    r, log_p = e_step(x, pi, mu, sigma)
    mean, moments = fast.expect(pi, mu, sigma)
    assert mean == pytest.approx(float(log_p.mean()), abs=1e-9)
    for found, expected in zip(fast.spread(moments), m_step(x, r), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-8)


def test_a_component_that_answers_for_nothing_makes_no_nan():
    x, pi, mu, sigma = mixture(3, 2, 100)
    pi = torch.tensor([0.5, 0.5, 0.0], dtype=torch.float64)
    fast = gaussians.Squares(x)
    mean, moments = fast.expect(pi, mu, sigma)
    assert np.isfinite(mean)
    assert all(torch.isfinite(t).all() for t in fast.spread(moments))
    torch.testing.assert_close(e_step(x, pi, mu, sigma)[1].mean().item(), mean)


def test_the_two_most_responsible():
    x, pi, mu, sigma = mixture(4, 2, 40_000)
    r = e_step(x, pi, mu, sigma)[0]
    top = r.topk(2, 0)
    first, second, share = gaussians.Squares(x).best_two(pi, mu, sigma)
    assert torch.equal(first, top.indices[0])
    assert torch.equal(second, top.indices[1])
    torch.testing.assert_close(share, top.values[0] / top.values.sum(0))


def test_of_one_component_every_point_is_wholly_of_it():
    x, pi, mu, sigma = mixture(1, 2, 10)
    first, second, share = gaussians.Squares(x).best_two(pi, mu, sigma)
    assert first.sum() == second.sum() == 0
    assert (share == 1).all()
