"""t-SNE against openTSNE, both through a grid and its Fourier transform: CPU seconds, one thread each.

Both get the same points and the same perplexity, so they make the same divergence small; it is computed for
both maps by one formula, and so is the share of neighbours kept.
"""

from __future__ import annotations

import time
import warnings

import numpy as np
import torch
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_limits

from engine.core.events import RunSpec
from engine.core.runner import make_runner
from engine.data.registry import Dataset
from engine.parts import embedding, knn, quality, tsne
from tests.bench.table import Row, at_least, at_most, show

PERPLEXITY = 30
EARLY, STEPS = 250, 750
"""As openTSNE does by default: so many steps with exaggeration, and so many in all."""


def noisy_digits(n: int = 10_000) -> torch.Tensor:
    """Digits of 8 × 8 from 0 to 16, each drawn several times with other noise, (n, 64)."""
    digits = torch.from_numpy(load_digits().data).float()
    g = torch.Generator().manual_seed(0)
    return digits[torch.arange(n) % len(digits)] + 2 * torch.randn(n, 64, generator=g)


def whole(x: torch.Tensor, perplexity: int, early: int, steps: int) -> tuple[torch.Tensor, float]:
    """The map (N, 2) from nothing but the points, and the CPU seconds that took."""
    begun = time.process_time()
    x = x - x.mean(0)
    near = knn.nearest(x, 3 * perplexity)
    start = embedding.start(x, torch.Generator().manual_seed(0))
    ours = tsne.Tsne(tsne.affinities(*near, perplexity), start)
    for step in range(steps):
        ours.step(exaggeration=12.0 if step < early else 1.0)
    return ours.y, time.process_time() - begun


def first_frame(x: torch.Tensor) -> float:
    """CPU seconds from the data to the first frame of the experiment, scalars and all."""
    data = Dataset("own_table", "points", x, columns=tuple(f"x{i}" for i in range(x.shape[1])), total=len(x))
    begun = time.process_time()
    runner = make_runner(RunSpec("tsne", "own_table", {}, 0, None), device="cpu", data=data)
    runner.next_frame()
    return time.process_time() - begun


def rows(n: int = 10_000) -> list[Row]:
    """Both whole runs, and a short one of ours that keeps as many neighbours."""
    from openTSNE import TSNE

    x = noisy_digits(n)
    first_frame(x[:500])  # whatever is loaded at the first use
    first = first_frame(x)
    full, full_s = whole(x, PERPLEXITY, EARLY, STEPS)
    short, short_s = whole(x, 10, 100, 350)
    begun = time.process_time()
    fitted = TSNE(perplexity=PERPLEXITY, negative_gradient_method="fft", n_jobs=1, random_state=0).fit(
        x.double().numpy()
    )
    peer_s = time.process_time() - begun
    peer = torch.from_numpy(np.asarray(fitted)).float()

    near = knn.nearest(x - x.mean(0), 3 * PERPLEXITY)
    p = tsne.affinities(*near, PERPLEXITY)

    def judged(y: torch.Tensor) -> str:
        return f"kept {quality.kept(near[0], y):.3f}, KL {tsne.Tsne(p, y).kl():.3f}"

    note = f"ours {judged(full)}; openTSNE {judged(peer)}"
    return [
        Row(f"t-SNE, first frame, {n:,}×64", first, "s", None, at_most(1), "CPU"),
        Row(f"t-SNE {n:,}×64, perplexity {PERPLEXITY}, {STEPS}", full_s, "s", peer_s, at_least(3), note),
        Row("t-SNE, short, perplexity 10, 350", short_s, "s", peer_s, at_least(9), f"ours {judged(short)}"),
    ]


def measure() -> list[Row]:
    """Every row of this file."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with warnings.catch_warnings(), threadpool_limits(1):
            warnings.simplefilter("ignore")
            return rows()
    finally:
        torch.set_num_threads(threads)


if __name__ == "__main__":
    show(measure())
