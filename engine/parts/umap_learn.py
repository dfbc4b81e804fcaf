"""umap-learn, the reference, fitted an epoch at a time in a thread of its own.

Its fit cannot be paused, so it runs in a thread that stops before each epoch until the next one is asked
for. Calling its layout for a few epochs at a time would not do: each call restarts the rhythm in which edges
are drawn, and rare edges would never be. Two things of umap-learn are replaced, once: ``umap.layouts.tqdm``,
which it asks for each epoch, and the layout's name in ``umap.umap_``, to reach the array it works on. For
any other thread that uses umap-learn both are as they were.

All its computing happens under one lock: where numba has only its simplest threading layer, two of its
parallel functions at a time abort the process. And every process would compile for ten seconds and more, was
numba not told to keep what it has compiled on the disk.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import queue
import sys
import tempfile
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.data.registry import nothing

EXPECTED = 40.0
"""Seconds of a first start, when all has to be compiled, on a slow machine."""
PATIENCE = 0.2
"""Seconds between two looks at whether the person still wants it."""

COMPUTING = threading.Lock()
"""Held by whoever is inside umap-learn."""
_here = threading.local()


class FitError(Exception):
    """umap-learn has failed; the cause says how."""


class _Unwanted(Exception):  # noqa: N818
    """Ends a fit that nobody waits for any more."""


# ── loading ─────────────────────────────────────────────────────────────────────────────────────────────────


def cache_folder() -> Path:
    """Where compiled functions are kept: the person's own cache, or where that cannot be written, a private
    folder that is gone with the next tidying up.

    Never one that others can write to: numba unpickles what it finds there.
    """
    base = os.environ.get("LATENTARIUM_CACHE")
    if base is None:
        import platformdirs

        base = platformdirs.user_cache_dir("latentarium", appauthor=False)
    folder = Path(base) / "numba"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return Path(tempfile.mkdtemp(prefix="latentarium-"))


class _Loaded:
    """umap-learn, imported and compiled in the background, once for the process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.thread: threading.Thread | None = None
        self.error: BaseException | None = None

    def begin(self) -> threading.Thread:
        """The thread that loads it, started when this is the first call or the last one failed."""
        with self.lock:
            if self.thread is None or (self.error is not None and not self.thread.is_alive()):
                self.error = None
                self.thread = threading.Thread(target=self._load, name="umap-learn loads", daemon=True)
                self.thread.start()
            return self.thread

    def _load(self) -> None:
        try:
            with COMPUTING:
                _prepare_numba()
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # that TensorFlow is missing
                    from umap import layouts, umap_
                _keep_compiled()
                _hook(layouts, umap_)
            x = np.random.default_rng(0).random((40, 3), dtype=np.float32)
            distance = np.linalg.norm(x[:, None] - x[None], axis=2)  # (40, 40)
            order = distance.argsort(1)[:, 1:6]
            near = np.take_along_axis(distance, order, 1)
            Fit(Job(x, order, near, x[:, :2].copy(), epochs=11)).take(timeout=None)  # compiles on the way
        except BaseException as error:  # whatever it is, it belongs to whoever waits
            self.error = error


_loaded = _Loaded()


def ready(tell: Callable[[float], None] = nothing) -> None:
    """Import umap-learn and have it compiled; at once when that has been done. tell: called with a guess of
    the share done, several times a second; what it raises goes through, and the loading goes on unseen.

    Raises:
        FitError: umap-learn does not work here.
    """
    thread, begun = _loaded.begin(), time.monotonic()
    while thread.is_alive():
        tell(min(0.95, (time.monotonic() - begun) / EXPECTED))
        thread.join(PATIENCE)
    if _loaded.error is not None:
        raise FitError(f"umap-learn cannot be used: {_loaded.error}") from _loaded.error


def _prepare_numba() -> None:
    """What numba reads when it is imported. What the person has set stays, with one exception."""
    # pynndescent answers "omp" with numba's simplest layer, the one that aborts.
    if os.environ.get("NUMBA_THREADING_LAYER") == "omp":
        del os.environ["NUMBA_THREADING_LAYER"]
    if "NUMBA_CACHE_DIR" not in os.environ:
        os.environ["NUMBA_CACHE_DIR"] = str(cache_folder())
    import numba

    numba.config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"]  # type: ignore[attr-defined]  # it may have been imported before


def _keep_compiled() -> None:
    """Let every compiled function of umap-learn and pynndescent be kept on the disk."""
    from numba.core.dispatcher import Dispatcher

    for name, module in list(sys.modules.items()):
        if name.split(".")[0] in ("umap", "pynndescent"):
            for value in list(vars(module).values()):
                if isinstance(value, Dispatcher):
                    with contextlib.suppress(RuntimeError):  # it has no file to be kept beside
                        value.enable_caching()


def _hook(layouts: Any, umap_: Any) -> None:
    """Put our own in the place of the progress bar and the layout; for other threads nothing changes."""
    progress, layout = layouts.tqdm, umap_.optimize_layout_euclidean

    def epochs(iterable: Iterable[int], **words: Any) -> Iterable[int]:
        talk: _Talk | None = getattr(_here, "talk", None)
        return progress(iterable, **words) if talk is None else talk.epochs(iterable)

    def from_start(embedding: NDArray[np.float32], *rest: Any, **words: Any) -> Any:
        talk: _Talk | None = getattr(_here, "talk", None)
        if talk is not None:
            embedding[:] = talk.start  # umap-learn has stretched it to a square
            talk.embedding = embedding
        return layout(embedding, *rest, **words)

    layouts.tqdm = epochs
    umap_.optimize_layout_euclidean = from_start


# ── a fit ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """What to fit. x: (N, D) float32. index, distance: (N, k − 1) the nearest others, nearest first. start:
    (N, 2) where the points are to begin with. alpha: the first learning rate; it falls to 0 over ``epochs``.
    """

    x: NDArray[np.float32]
    index: NDArray[np.int64]
    distance: NDArray[np.float32]
    start: NDArray[np.float32]
    min_dist: float = 0.1
    negatives: float = 5.0
    alpha: float = 1.0
    epochs: int = 500
    seed: int = 0


@dataclass(eq=False)
class _Talk:
    """What the two threads know of each other: asked for (or no longer), and made."""

    start: NDArray[np.float32]
    wanted: queue.SimpleQueue[bool] = field(default_factory=queue.SimpleQueue)
    made: queue.SimpleQueue[NDArray[np.float32] | BaseException] = field(default_factory=queue.SimpleQueue)
    embedding: NDArray[np.float32] | None = None

    def epochs(self, numbers: Iterable[int]) -> Iterator[int]:
        """Let an epoch be done each time one is asked for; in between others may compute."""
        for number in numbers:
            COMPUTING.release()
            try:
                wanted = self.wanted.get()
            finally:
                COMPUTING.acquire()
            if not wanted:
                raise _Unwanted
            yield number
            assert self.embedding is not None
            self.made.put(self.embedding.copy())  # umap-learn goes on in the same array


class Fit:
    """One fit. Nothing is computed ahead of what is asked for; letting go of it ends its thread."""

    def __init__(self, job: Job) -> None:
        self._talk = _Talk(job.start)
        self._asked = False
        # The thread must not know this object, or it would never be let go of.
        thread = threading.Thread(target=_work, args=(job, self._talk), name="umap-learn", daemon=True)
        _running[thread] = self._talk
        thread.start()

    def take(self, timeout: float | None) -> NDArray[np.float32] | None:
        """The points after one more epoch, (N, 2), or None when they are not there after ``timeout`` seconds;
        then ask again.

        Raises:
            FitError: umap-learn has failed.
        """
        if not self._asked:
            self._talk.wanted.put(True)
            self._asked = True
        try:
            made = self._talk.made.get(timeout=timeout)
        except queue.Empty:
            return None
        self._asked = False
        if isinstance(made, BaseException):
            raise FitError(str(made)) from made
        return made

    def close(self) -> None:
        """End the fit at the next epoch."""
        self._talk.wanted.put(False)

    def __del__(self) -> None:
        self.close()


_running: weakref.WeakKeyDictionary[threading.Thread, _Talk] = weakref.WeakKeyDictionary()


@atexit.register
def _leave() -> None:
    """Before Python ends: a thread that it finds inside compiled code makes it abort."""
    threads = dict(_running)
    for talk in threads.values():
        talk.wanted.put(False)
    for thread in (*threads, _loaded.thread):
        if thread is not None and thread.is_alive():
            thread.join(EXPECTED)


def _work(job: Job, talk: _Talk) -> None:
    """The thread of a fit."""
    try:
        with COMPUTING:
            _here.talk = talk
            _fit(job)
        raise FitError("there are no more epochs in this fit")  # for whoever asks for one
    except _Unwanted:
        pass
    except BaseException as error:
        talk.made.put(error)


def _fit(job: Job) -> None:
    from umap import umap_

    own = np.arange(len(job.x))[:, None]  # umap-learn counts a point as its own nearest neighbour
    index = np.concatenate([own, job.index], 1).astype(np.int32)  # (N, k)
    distance = np.concatenate([np.zeros_like(own, np.float32), job.distance], 1).astype(np.float32)
    # Only transform() would need a search index; without one there is a warning.
    search = umap_.NNDescent.__new__(umap_.NNDescent)
    umap_.UMAP(
        n_neighbors=index.shape[1], min_dist=job.min_dist, negative_sample_rate=job.negatives,
        learning_rate=job.alpha, n_epochs=job.epochs, init=job.start, random_state=job.seed, n_jobs=1,
        precomputed_knn=(index, distance, search),
    ).fit(job.x)  # fmt: skip
