"""One live step of k-means, and PCA, against scikit-learn: CPU milliseconds, one thread each, alternated."""

from __future__ import annotations

import gc
import time
import warnings
from collections.abc import Callable
from statistics import median

import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from engine.data.registry import load
from engine.experiments.clusters import kmeans, pca
from engine.parts import gram, lloyd
from tests.bench.table import Goal, Row, at_least, show


def pen_like(n: int = 60_000) -> torch.Tensor:
    """Smooth pictures of 28 × 28 in sixty overlapping groups with a little noise, (n, 784)."""
    g = torch.Generator().manual_seed(0)
    along = torch.linspace(0, 1, 28)
    waves = torch.stack([torch.cos(torch.pi * i * along) for i in range(6)])  # (6, 28)
    base = torch.einsum("ay,bx->abyx", waves, waves).reshape(36, 784) / 6
    groups = torch.randn(60, 36, generator=g)[torch.randint(60, (n,), generator=g)]
    codes = groups + 0.5 * torch.randn(n, 36, generator=g)
    return codes @ base + 0.1 * torch.randn(n, 784, generator=g)


def cpu_ms(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return 1e3 * (time.process_time() - start)


def live_steps(
    name: str, x: torch.Tensor, goal: Goal, k: int = 10, steps: int = 40, peer_steps: int = 8
) -> list[Row]:
    """Both walk from the same start, a step at a time, as long as ``steps`` steps."""
    x = x - x.mean(0)
    rows, off = x.numpy(), 0.0
    centres = x[torch.randperm(len(x), generator=torch.Generator().manual_seed(1))[:k]].clone()
    peers, ours, theirs = centres.numpy().copy(), [], []
    made: list[lloyd.Fast | None] = []
    set_up = cpu_ms(lambda: made.append(lloyd.fast(x)))
    fast = made[0]
    assert fast is not None
    sums, counts = fast.assign(centres)
    for step in range(steps):
        start = time.process_time()
        centres = kmeans.means(sums, counts, centres)
        sums, counts = fast.assign(centres)
        kmeans.inertia(0.0, sums, counts, centres)
        ours.append(1e3 * (time.process_time() - start))
        if step < peer_steps:
            start = time.process_time()
            peer = KMeans(k, init=peers, n_init=1, max_iter=1, tol=0).fit(rows)
            theirs.append(1e3 * (time.process_time() - start))
            peers = peer.cluster_centers_
            off = max(off, float(np.abs(peers - centres.numpy()).max() / np.abs(peers).max()))
    peer_ms = median(theirs)
    note = f"centres differ by {off:.0e}; set-up {set_up:.0f} ms"
    mean = sum(ours) / len(ours)
    return [
        Row(f"k-means live step, {name}, mean of {steps}", mean, "ms", peer_ms, goal, f"CPU; {note}"),
        Row(f"k-means live step, {name}, median", median(ours), "ms", peer_ms, None, "CPU"),
    ]


def principal_components(x: torch.Tensor, k: int = 50) -> list[Row]:
    """Everything from the data to k components, and another k from the covariance that is there already."""
    ours, theirs, again = [], [], []
    for _ in range(3):
        start = time.process_time()
        _mean, covariance = gram.mean_and_covariance(x)
        _values, vectors = gram.leading(covariance, k)
        ours.append(1e3 * (time.process_time() - start))
        some = vectors[:, : k - 1]
        again.append(cpu_ms(lambda: pca.variances(covariance @ some, some).sum()))  # noqa: B023
        start = time.process_time()
        peer = PCA(k, svd_solver="covariance_eigh").fit(x.numpy())
        theirs.append(1e3 * (time.process_time() - start))
    found = (x - x.mean(0)) @ vectors[:, :k].float()  # (N, k)
    share = float(found.var(0).sum()) / float(peer.explained_variance_.sum())
    note = f"CPU; explains {share:.6f} of scikit-learn's variance"
    peer_ms = median(theirs)
    return [
        Row(f"PCA 60k×784, k = {k}", median(ours), "ms", peer_ms, at_least(1.25), note),
        Row("PCA, another k (axes are there)", median(again), "ms", peer_ms, at_least(5), "CPU, refit"),
    ]


def measure() -> list[Row]:
    """Every row of this file."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with warnings.catch_warnings(), threadpool_limits(1):
            warnings.simplefilter("ignore")  # scikit-learn finds one step too few
            found = live_steps("1M×2", load("million").flat, at_least(30))
            gc.collect()
            x = pen_like()
            return [*found, *live_steps("60k×784", x, at_least(8)), *principal_components(x)]
    finally:
        torch.set_num_threads(threads)


if __name__ == "__main__":
    show(measure())
