"""The fast ways of one step against the readable formula, over whole walks and over changes made by hand."""

import pytest
import torch

from engine.experiments.clusters import kmeans
from engine.parts import lloyd


def cloud(n: int, d: int, *, seed: int = 0, blobs: int = 8) -> torch.Tensor:
    g = torch.Generator().manual_seed(seed)
    middles = 3 * torch.randn(blobs, d, generator=g)
    x = middles[torch.randint(blobs, (n,), generator=g)] + torch.randn(n, d, generator=g)
    return x - x.mean(0)


def check(x: torch.Tensor, fast: lloyd.Fast, centres: torch.Tensor) -> torch.Tensor:
    """One step both ways from the same centres; the next centres."""
    k, squares = len(centres), float((x.double() ** 2).sum())
    sums, counts = fast.assign(centres)
    labels = kmeans.nearest_centre(x, centres)
    true_sums, true_counts = kmeans.sums_and_counts(x, labels, k)
    # A point on a border may go either way by the last bit, but no more than one in ten thousand.
    assert float((counts - true_counts).abs().sum()) <= 2e-4 * len(x)
    assert float(counts.sum()) == len(x)
    next_centres, true = kmeans.means(sums, counts, centres), kmeans.means(true_sums, true_counts, centres)
    if torch.equal(counts, true_counts):
        torch.testing.assert_close(next_centres, true, rtol=1e-5, atol=1e-5)
    slow_inertia = float(((x - centres[labels]).double() ** 2).sum())
    assert kmeans.inertia(squares, sums, counts, centres) == pytest.approx(slow_inertia, rel=1e-5)
    return next_centres


@pytest.mark.parametrize("k", [1, 2, 7, 30])
@pytest.mark.parametrize("make", [lloyd.Bounds, lloyd.Grid])
def test_a_whole_walk_agrees_with_the_formula(make, k):
    x = cloud(6000, 2 if make is lloyd.Grid else 20)
    fast = make(x)
    centres = x[torch.randperm(len(x), generator=torch.Generator().manual_seed(k))[:k]].clone()
    for _ in range(25):
        centres = check(x, fast, centres)


@pytest.mark.parametrize("make", [lloyd.Bounds, lloyd.Grid])
def test_jumps_and_changes_of_k(make):
    x = cloud(5000, 2 if make is lloyd.Grid else 12)
    fast, g = make(x), torch.Generator().manual_seed(5)
    centres = x[:5].clone()
    for turn in range(12):
        centres = check(x, fast, centres)
        if turn % 3 == 0:  # somebody drags a centre, also far off
            centres[turn % len(centres)] = 30 * torch.randn(x.shape[1], generator=g)
        if turn % 4 == 3:
            centres = torch.cat([centres, x[turn : turn + 1]]) if turn < 8 else centres[:-3]


@pytest.mark.parametrize("make", [lloyd.Bounds, lloyd.Grid])
def test_odd_clouds(make):
    d = 2 if make is lloyd.Grid else 6
    one_place = torch.zeros(300, d)
    line = torch.zeros(300, d)
    line[:, 0] = torch.linspace(-1, 1, 300)
    outlier = cloud(300, d)
    outlier[7] = 1e4
    for x in (one_place, line, outlier, torch.zeros(1, d)):
        centres = x[:: max(1, len(x) // 4)][:4].clone()
        fast = make(x)
        for _ in range(4):
            centres = check(x, fast, centres)


def test_two_centres_on_one_place():
    x = cloud(4000, 8)
    fast, centres = lloyd.Bounds(x), x[[3, 3, 10]].clone()
    for _ in range(10):
        centres = check(x, fast, centres)


def test_bounds_taken_up_again_go_the_same_way():
    x, k = cloud(6000, 16), 6
    fast, centres = lloyd.Bounds(x), cloud(6000, 16)[:6].clone()
    for _ in range(4):
        centres = kmeans.means(*fast.assign(centres), centres)
    kept = {name: value.clone() for name, value in fast.state_dict().items()}

    def go_on(way: lloyd.Bounds) -> torch.Tensor:
        c = centres
        for _ in range(6):
            c = kmeans.means(*way.assign(c), c)
        return c

    again = lloyd.Bounds(x)
    again.load_state_dict({name: value.clone() for name, value in kept.items()})
    assert torch.equal(go_on(fast), go_on(again))
    assert len(centres) == k


def test_the_way_is_chosen_by_size():
    assert lloyd.fast(torch.zeros(1500, 2)) is None
    assert lloyd.fast(torch.zeros(1797, 64)) is None
    assert isinstance(lloyd.fast(torch.randn(60_000, 2)), lloyd.Grid)
    assert isinstance(lloyd.fast(torch.zeros(5000, 784)), lloyd.Bounds)


def test_agrees_with_scikit_learn_step_by_step():
    from sklearn.cluster import KMeans

    x = cloud(8000, 16, blobs=12)
    fast, centres = lloyd.Bounds(x), x[:10].clone()
    for _ in range(8):
        peer = KMeans(10, init=centres.numpy(), n_init=1, max_iter=1, tol=0, algorithm="lloyd")
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scikit-learn says that one step is not enough
            peer.fit(x.numpy())
        centres = kmeans.means(*fast.assign(centres), centres)
        # One step of scikit-learn ends after its means have been taken.
        torch.testing.assert_close(torch.from_numpy(peer.cluster_centers_), centres, rtol=1e-4, atol=1e-4)
