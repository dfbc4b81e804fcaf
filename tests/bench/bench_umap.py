"""UMAP, ours against umap-learn as it is shipped: CPU seconds, one thread each, on 10,000 noisy digits of 64
numbers. Each side of the first row runs in a process of its own; imports are counted for neither.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import warnings
from typing import Any

import torch

from engine.data.registry import Dataset, load
from engine.experiments.clusters.umap import UMAP, UmapParams
from engine.parts import knn
from tests.bench.table import Row, at_least, show


def noisy_digits(n: int = 10_000) -> Dataset:
    """Digits drawn again and again, with a little noise on each, (n, 64)."""
    g = torch.Generator().manual_seed(0)
    digits = load("digits")
    some = torch.randint(len(digits.x), (n,), generator=g)
    x = digits.flat[some] + 0.1 * torch.randn(n, 64, generator=g)
    assert digits.y is not None
    return Dataset("noisy", "points", x, digits.y[some], tuple("0123456789"), ("",) * 64, n)


def quality(data: Dataset, y: torch.Tensor) -> str:
    """Shares of the ten nearest that are kept, and of points whose ten nearest tell their class."""
    assert data.y is not None
    near, index = knn.nearest(y, 10)[0], knn.nearest(data.flat, 10)[0]  # (N, 10) each
    kept = float((index[:, :, None] == near[:, None]).any(2).float().mean())
    right = float((data.y[near].mode(1).values == data.y).float().mean())
    return f"kept {kept:.3f}, 10-NN {right:.3f}"


def first_frame() -> dict[str, Any]:
    """From the data to the first picture in which the points have moved."""
    data = noisy_digits()
    start = time.process_time()
    found = run(data, 1)
    return {"seconds": time.process_time() - start, "points": len(found.layout.y)}


def first_call() -> dict[str, Any]:
    """umap-learn shows nothing before its first call returns."""
    import umap

    data = noisy_digits().flat.numpy()
    start = time.process_time()
    umap.UMAP(random_state=0, n_jobs=1).fit(data)
    return {"seconds": time.process_time() - start}


def run(data: Dataset, steps: int) -> UMAP:
    experiment = UMAP(data, UmapParams(), seed=0, device=torch.device("cpu"))
    for frame in experiment.run():
        if frame_step(frame) >= steps:
            break
    return experiment


def frame_step(frame: Any) -> int:
    return getattr(frame, "step", 0)


def alone(what: str) -> float:
    """The seconds of ``what``, measured in a fresh process."""
    one = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    code = (
        f"import torch; torch.set_num_threads(1); from tests.bench import bench_umap as b; b.say(b.{what}())"
    )
    call = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(call, env={**os.environ, **one}, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout.splitlines()[-1])["seconds"])


def say(found: dict[str, Any]) -> None:
    print(json.dumps(found))


def warm(data: Dataset, name: str) -> Row:
    """Everything from the data to the finished map, both warm: ours in 300 epochs, theirs in its 500."""
    import umap

    torch.set_num_threads(1)  # numba sets OpenMP's count, which is torch's too, in the thread that calls it
    start = time.process_time()
    ours = run(data, 10_000)
    mine = time.process_time() - start
    start = time.process_time()
    peer = umap.UMAP(random_state=0, n_jobs=1).fit_transform(data.flat.numpy())
    theirs = time.process_time() - start
    note = f"CPU; {quality(data, ours.layout.y)}; peer {quality(data, torch.from_numpy(peer))}"
    return Row(f"UMAP, whole map, warm, {name}", mine, "s", theirs, at_least(1.3), note)


def measure() -> list[Row]:
    """Every row of this file."""
    mine, theirs = alone("first_frame"), alone("first_call")
    note = "CPU, fresh process, without imports"
    first = Row("UMAP, first moving frame, 10k×64", mine, "s", theirs, at_least(50), note)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import numba
            import umap

            numba.set_num_threads(1)
            data, small = noisy_digits(), load("digits")
            umap.UMAP(random_state=0, n_jobs=1, n_epochs=11).fit(data.flat[:5000].numpy())  # compiles
            umap.UMAP(random_state=0, n_jobs=1, n_epochs=11).fit(small.flat[:500].numpy())
            return [first, warm(data, "10k×64"), warm(small, "digits")]
    finally:
        torch.set_num_threads(threads)


if __name__ == "__main__":
    show(measure())
