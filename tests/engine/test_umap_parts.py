"""The parts of UMAP: against umap-learn, slow formulas and autograd; and umap-learn itself in a thread."""

from __future__ import annotations

import gc
import itertools
import math
import os
import sys
import threading
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from engine.core.text import CancelledError
from engine.data.registry import load
from engine.parts import knn, umap, umap_learn
from engine.parts.umap import Graph, Umap


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    """umap-learn called in this thread leaves another number of threads to torch."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def cloud(n: int = 60, d: int = 4, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def graph_of(x: torch.Tensor, k: int = 8) -> Graph:
    return umap.fuzzy_graph(*knn.nearest(x, k - 1))


def even_graph(n: int) -> Graph:
    """All pairs, all alike: every edge is drawn in every epoch."""
    head, tail = torch.triu_indices(n, n, 1)
    return Graph(n, head, tail, torch.ones(len(head)))


def layout(n: int = 7, seed: int = 3) -> Umap:
    return Umap(even_graph(n), 3 * cloud(n, 2, seed))


# ── the graph ───────────────────────────────────────────────────────────────────────────────────────────────


def test_every_point_has_the_same_sum_of_weights():
    distance = knn.nearest(cloud(), 9)[1]
    rho, sigma = umap.local_scales(distance)
    np.testing.assert_allclose(rho, distance[:, 0])
    for d, r, s in zip(distance.tolist(), rho.tolist(), sigma.tolist(), strict=True):
        assert sum(math.exp(-max(0, x - r) / s) for x in d) == pytest.approx(math.log2(10), abs=1e-9)


def test_the_graph_is_the_slow_formula():
    x = cloud(30)
    x[7] = x[3]  # twins
    index, distance = knn.nearest(x, 5)
    rho, sigma = umap.local_scales(distance)
    a = np.zeros((30, 30))
    for i in range(30):
        for j, d in zip(index[i].tolist(), distance[i].tolist(), strict=True):
            a[i, j] = math.exp(-max(0, d - float(rho[i])) / float(sigma[i]))
    w = a + a.T - a * a.T
    graph = umap.fuzzy_graph(index, distance)
    found = np.zeros((30, 30))
    found[graph.head, graph.tail] = graph.weight
    assert (graph.head < graph.tail).all()
    np.testing.assert_allclose(found, np.triu(w, 1), atol=1e-6)


@pytest.mark.parametrize("case", ["digits", "twins", "far"])
def test_the_graph_is_that_of_umap_learn(case):
    umap_learn.ready()
    from umap.umap_ import fuzzy_simplicial_set

    x = load("digits").flat[:400].clone() if case == "digits" else cloud(200, 5)
    if case == "twins":
        x[100:150] = x[:50]
    if case == "far":
        x[:3] += 1000
    index, distance = knn.nearest(x, 14)
    own = np.arange(len(x))[:, None]
    peer = fuzzy_simplicial_set(
        x.numpy(), 15, np.random.RandomState(0), "euclidean",
        knn_indices=np.concatenate([own, index.numpy()], 1).astype(np.int32),
        knn_dists=np.concatenate([np.zeros_like(own), distance.numpy()], 1).astype(np.float32),
    )[0].toarray()  # fmt: skip
    graph = umap.fuzzy_graph(index, distance)
    found = np.zeros_like(peer)
    found[graph.head, graph.tail] = graph.weight
    np.testing.assert_allclose(found, np.triu(peer, 1), atol=2e-4)


@pytest.mark.parametrize("x", [torch.zeros(9, 3), torch.arange(4.0)[:, None], cloud(5).repeat(4, 1)])
def test_odd_clouds_have_a_graph_and_a_layout(x):
    graph = graph_of(x, min(6, len(x)))
    assert torch.isfinite(graph.weight).all()
    assert graph.weight.min() > 0
    rng = torch.Generator().manual_seed(0)
    found = Umap(graph, umap.fill(torch.zeros(len(x), 2), rng))
    for _ in range(20):
        found.step(*umap.curve(0.1), rng)
        assert math.isfinite(found.loss(*umap.curve(0.1)))
    assert torch.isfinite(found.y).all()


# ── curve and start ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("min_dist", [0.0, 0.1, 0.25, 0.5, 0.9, 0.99])
def test_the_curve_is_that_of_umap_learn(min_dist):
    umap_learn.ready()
    from umap.umap_ import find_ab_params

    np.testing.assert_allclose(umap.curve(min_dist), find_ab_params(1.0, min_dist), rtol=1e-4)


def test_the_start_is_the_slowest_waves():
    x = cloud(80)
    graph = graph_of(x)
    w = torch.zeros(80, 80, dtype=torch.float64)
    w[graph.head, graph.tail] = graph.weight.double()
    w += w.T.clone()
    root = w.sum(1).rsqrt()
    vectors = torch.linalg.eigh(root[:, None] * w * root)[1]
    found = umap.spectral(graph)
    assert found is not None
    for mine, exact in zip(found.T, (vectors[:, -2], vectors[:, -3]), strict=True):
        assert abs(float(mine.double() @ exact)) == pytest.approx(1, abs=1e-3)


def test_a_graph_in_pieces_has_no_such_start():
    x = cloud(40)
    x[20:] += 1000
    assert umap.spectral(graph_of(x, 5)) is None
    assert umap.spectral(even_graph(5)) is None


def test_the_start_fills_a_square():
    y = umap.fill(cloud(50, 2) * torch.tensor([5.0, 0.01]), torch.Generator().manual_seed(0))
    np.testing.assert_allclose(y.amin(0), 0, atol=0.01)
    np.testing.assert_allclose(y.amax(0), umap.SIDE, atol=0.01)


# ── the layout ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_pull_is_the_gradient_of_minus_log_q():
    found, (a, b) = layout(), umap.curve(0.1)
    y = found.y.double().requires_grad_()
    squared = (y[found.graph.head] - y[found.graph.tail]).square().sum(1)
    loss = 2 * torch.log1p(a * squared**b).sum()  # −log q, as ij and as ji
    (slope,) = torch.autograd.grad(loss, y)
    torch.testing.assert_close(found._pull(a, b).T.double(), -slope, rtol=1e-4, atol=1e-5)


def test_the_push_is_the_slow_formula():
    found, (a, b), n = layout(), umap.curve(0.1), 7
    y, order = found.y.double(), found._order.tolist()
    shifts = torch.randint(1, n, (umap.MEETINGS // 2,), generator=torch.Generator().manual_seed(5)).tolist()
    slow = torch.zeros(n, 2, dtype=torch.float64)
    for shift, place in itertools.product(shifts, range(n)):
        i, j = order[place], order[(place + shift) % n]
        apart = y[i] - y[j]
        d2 = float(apart @ apart)
        push = (2 * b / ((1e-3 + d2) * (1 + a * d2**b)) * apart).clamp(-4, 4)
        slow[i] += push
        slow[j] -= push
    fast = found._push(a, b, torch.Generator().manual_seed(5)).T
    torch.testing.assert_close(fast.double(), slow, rtol=1e-4, atol=1e-5)


def test_a_step_is_pull_and_push_weighed():
    found, (a, b) = layout(), umap.curve(0.5)
    pull, push = found._pull(a, b), found._push(a, b, torch.Generator().manual_seed(1))
    move = 0.2 * 0.3 * (pull + push * 4 * 6 / umap.MEETINGS)  # each of 7 points is in 6 draws
    wanted = found.y + move.T.clamp(-4, 4)
    found.step(a, b, torch.Generator().manual_seed(1), alpha=0.3, negatives=4)
    torch.testing.assert_close(found.y, wanted)


def test_an_edge_is_drawn_as_often_as_it_is_sure():
    x = cloud(100)
    found, epochs = Umap(graph_of(x), x[:, :2]), 200
    counts = torch.zeros(len(found.graph.weight))
    for found.epoch in range(epochs):
        counts[found._drawn()] += 1
    rate = found.graph.weight / found.graph.weight.max()
    assert float((counts - rate * epochs).abs().max()) < 1.01
    # and in no epoch do many more come at once than in another
    found.epoch = 0
    assert len(found._drawn()) == pytest.approx(float(rate.sum()), rel=0.1)


def test_the_loss_is_the_slow_formula():
    x = cloud(8, 3)
    found, (a, b), m, n = Umap(graph_of(x, 4), 2 * x[:, :2]), umap.curve(0.1), 5, 8
    p = np.zeros((n, n))
    p[found.graph.head, found.graph.tail] = found.graph.weight / found.graph.weight.max()
    p += p.T
    slow = 0.0
    for i, j in itertools.product(range(n), range(n)):
        if i != j:
            q = 1 / (1 + a * float((found.y[i] - found.y[j]).square().sum()) ** b)
            slow += p[i, j] * -math.log(q) + m * p[i].sum() / (n - 1) * -math.log(1 - q + 1e-3)
    assert found.loss(a, b, negatives=m) == pytest.approx(slow / n, rel=1e-5)


def test_the_loss_of_a_few_pairs_is_close_to_that_of_all():
    x = load("digits").flat[:600]
    found, rng, (a, b) = Umap(graph_of(x, 15), x[:, 10:12] * 10), torch.Generator(), umap.curve(0.1)
    start = found.loss(a, b)
    for epoch in range(100):
        found.step(a, b, rng, alpha=1 - epoch / 100)
    assert found.loss(a, b) < 0.6 * start
    assert found.loss(a, b) == pytest.approx(found.loss(a, b, shifts=300), rel=0.1)


def test_a_kept_layout_goes_on_as_if_never_left():
    x = cloud(50)
    a, b = umap.curve(0.1)
    found = Umap(graph_of(x), x[:, :2])
    rng = torch.Generator().manual_seed(0)
    for _ in range(5):
        found.step(a, b, rng)
    kept, state = found.state_dict(), rng.get_state()
    other = Umap(graph_of(x), torch.zeros(50, 2))
    other.load_state_dict(kept)
    found.step(a, b, rng)
    rng.set_state(state)
    other.step(a, b, rng)
    assert torch.equal(found.y, other.y)
    assert not torch.equal(found.y, kept["y"])


def test_what_is_handed_out_is_not_changed_later():
    found = layout()
    y, copied = found.y, found.y.clone()
    found.step(*umap.curve(0.1), torch.Generator())
    assert torch.equal(y, copied)


def test_another_graph_pulls_other_points():
    x = cloud(40)
    found = Umap(graph_of(x, 3), x[:, :2].clone())
    fresh = Umap(graph_of(x, 20), x[:, :2].clone())
    found.use(graph_of(x, 20))
    for one in (found, fresh):
        one.step(*umap.curve(0.1), torch.Generator().manual_seed(0))
    assert torch.equal(found.y, fresh.y)


# ── umap-learn ──────────────────────────────────────────────────────────────────────────────────────────────


def test_loading_works_at_a_second_try(monkeypatch: pytest.MonkeyPatch) -> None:
    umap_learn.ready()
    from umap import layouts, umap_

    # What an import that was broken off leaves behind: the modules, but no package that knows them.
    package = sys.modules["umap"]
    for name, module in (("layouts", layouts), ("umap_", umap_)):
        monkeypatch.delattr(package, name)
        monkeypatch.setitem(sys.modules, f"umap.{name}", module)
    monkeypatch.setattr(layouts, "tqdm", layouts.tqdm)  # both are hooked again, and put back
    monkeypatch.setattr(umap_, "optimize_layout_euclidean", umap_.optimize_layout_euclidean)
    monkeypatch.setattr(umap_learn, "_loaded", umap_learn._Loaded())
    umap_learn.ready()


def job(n: int = 120, epochs: int = 30, **more: object) -> umap_learn.Job:
    x = load("digits").flat[:n]
    index, distance = knn.nearest(x, 9)
    start = umap.fill(x[:, [20, 35]], torch.Generator().manual_seed(0))
    return umap_learn.Job(
        x.numpy(), index.numpy(), distance.numpy(), start.numpy(), epochs=epochs, seed=3,
        **more,  # type: ignore[arg-type]
    )  # fmt: skip


def fitted(fit: umap_learn.Fit, epochs: int) -> list[np.ndarray]:
    made = [fit.take(timeout=60) for _ in range(epochs)]
    assert all(one is not None for one in made)
    return made  # type: ignore[return-value]


def test_the_last_epoch_is_what_the_package_itself_gives():
    umap_learn.ready()
    import dataclasses

    import umap as package
    from umap.umap_ import NNDescent

    one = job()
    low, high = one.start.min(0), one.start.max(0)
    stretched = (10.0 * (one.start - low) / (high - low)).astype(np.float32)  # as umap-learn begins
    found = fitted(umap_learn.Fit(dataclasses.replace(one, start=stretched)), 30)
    own = np.arange(len(one.x))[:, None]
    near = (
        np.concatenate([own, one.index], 1).astype(np.int32),
        np.concatenate([np.zeros_like(own), one.distance], 1).astype(np.float32),
        NNDescent.__new__(NNDescent),
    )
    peer = package.UMAP(
        n_neighbors=10, n_epochs=30, init=one.start, random_state=3, n_jobs=1, precomputed_knn=near
    )
    np.testing.assert_array_equal(found[-1], peer.fit_transform(one.x))
    assert not np.array_equal(found[0], found[1])


def test_two_fits_by_turns_agree():
    umap_learn.ready()
    one, two = umap_learn.Fit(job()), umap_learn.Fit(job())
    for _ in range(10):
        np.testing.assert_array_equal(*(fitted(fit, 1)[0] for fit in (one, two)))


def test_a_fit_let_go_of_ends_its_thread():
    umap_learn.ready()
    fit = umap_learn.Fit(job())
    fitted(fit, 2)
    (thread,) = [t for t, talk in umap_learn._running.items() if talk is fit._talk]
    del fit
    gc.collect()
    thread.join(30)
    assert not thread.is_alive()
    with umap_learn.COMPUTING:  # and nothing is locked
        pass


def test_what_umap_learn_says_is_passed_on():
    umap_learn.ready()
    broken = job()
    broken.x[0, 0] = np.nan
    with pytest.raises(umap_learn.FitError, match="NaN"):
        fitted(umap_learn.Fit(broken), 1)


def test_torch_keeps_its_number_of_threads():
    """Where numba and torch share an OpenMP, numba sets its number of threads for the thread it is called
    in.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    umap_learn.ready()
    fitted(umap_learn.Fit(job()), 5)
    found = torch.get_num_threads()
    torch.set_num_threads(before)
    assert found == 1


def test_a_fit_has_no_more_epochs_than_were_wanted():
    umap_learn.ready()
    fit = umap_learn.Fit(job(epochs=12))
    fitted(fit, 12)
    with pytest.raises(umap_learn.FitError, match="no more epochs"):
        fit.take(timeout=60)


def test_waiting_can_be_given_up(monkeypatch):
    go_on = threading.Event()
    thread = threading.Thread(target=go_on.wait)
    thread.start()
    monkeypatch.setattr(umap_learn._loaded, "begin", lambda: thread)
    shares: list[float] = []

    def tell(share: float) -> None:
        shares.append(share)
        if len(shares) == 3:
            raise CancelledError

    with pytest.raises(CancelledError):
        umap_learn.ready(tell)
    go_on.set()
    thread.join()
    assert shares == sorted(shares)
    assert 0 <= shares[0] <= shares[-1] < 1


def test_the_cache_lies_where_it_can_be_written(monkeypatch, tmp_path):
    monkeypatch.setenv("LATENTARIUM_CACHE", str(tmp_path / "new"))
    assert umap_learn.cache_folder() == tmp_path / "new" / "numba"
    if os.name == "posix":
        assert (tmp_path / "new" / "numba").stat().st_mode & 0o077 == 0
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("LATENTARIUM_CACHE", str(tmp_path / "file"))
    found = umap_learn.cache_folder()
    assert found.is_dir()
    assert tmp_path not in found.parents
    found.rmdir()


def test_the_layer_that_aborts_is_never_asked_for(monkeypatch):
    monkeypatch.setenv("NUMBA_THREADING_LAYER", "omp")
    umap_learn._prepare_numba()
    assert "NUMBA_THREADING_LAYER" not in os.environ
