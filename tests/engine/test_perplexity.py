"""Six maps at once: all from one start, each the t-SNE of its perplexity, and what a class must see."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
import torch

from engine.core.frame import Frame
from engine.core.params import change
from engine.core.text import InputError
from engine.data.registry import Dataset, load
from engine.experiments.clusters import perplexity
from engine.experiments.clusters.perplexity import Perplexity, PerplexityParams
from engine.parts import knn, tsne
from tests.engine.test_tsne import evenness, points, spread


def make(data: Dataset | str, *, seed: int = 0, **params: Any) -> Perplexity:
    data = load(data, seed=seed) if isinstance(data, str) else data
    return Perplexity(data, change(PerplexityParams(), params), seed=seed, device=torch.device("cpu"))


def demo(name: str, seed: int = 0) -> Perplexity:
    found = {d.name: d for d in Perplexity.info.demos}[name]
    return make(found.dataset, seed=seed, **found.params)


def frames(experiment: Perplexity, steps: int = 10_000) -> list[Frame]:
    return list(itertools.islice(experiment.run(), steps + 1))


def cloud(n: int = 300) -> torch.Tensor:
    return torch.randn(n, 4, generator=torch.Generator().manual_seed(0))


def test_all_start_alike_and_each_is_the_map_of_its_perplexity() -> None:
    experiment = make(points(cloud()))
    start = experiment.maps["p2"].y.clone()
    assert all(torch.equal(m.y, start) for m in experiment.maps.values())
    frames(experiment, 20)
    x = experiment.x
    for p, m in zip(perplexity.PERPLEXITIES, experiment.maps.values(), strict=True):
        alone = tsne.Tsne(tsne.affinities(*knn.nearest(x, min(299, max(3, 3 * p))), min(p, 299 / 3)), start)
        for _step in range(20):
            alone.step(exaggeration=12)
        torch.testing.assert_close(m.y, alone.y, rtol=1e-3, atol=1e-6)


def test_it_ends_and_a_knob_wakes_it() -> None:
    experiment = make(points(cloud(40)), early=10)
    found = frames(experiment)
    assert len(found) == perplexity.STEPS + 1
    assert set(found[-1].scalars) == {f"kept{p}" for p in perplexity.PERPLEXITIES}
    assert all(0 <= v <= 1 for f in found for v in f.scalars.values())
    assert "settled" in str(experiment.ended())
    assert len(frames(experiment)) == 1
    experiment.p = change(experiment.p, {"exaggeration": 4})
    assert len(frames(experiment)) == perplexity.MORE + 1


def test_a_kept_state_goes_on_as_if_never_left() -> None:
    one, other = make(points(cloud())), make(points(cloud()), seed=5)
    frames(one, 12)
    kept = one.state()
    onwards = [f.scalars for f in frames(one, 12)]
    other.restore(kept)
    assert [f.scalars for f in frames(other, 12)] == onwards
    assert all(torch.equal(one.maps[n].y, other.maps[n].y) for n in one.maps)


def test_the_sample_is_the_data_of_every_question() -> None:
    experiment = make("pen", most=300)
    view = frames(experiment, 1)[-1].views["p5"]()
    assert len(view.xy) == 300
    assert view.total == 5000
    assert experiment.item(299).index == 299
    found = experiment.encode(experiment.data.x[7].numpy())
    assert found.channel in experiment.channels
    assert found.xy == pytest.approx(experiment.maps["p30"].y[7].tolist(), rel=0.02, abs=1e-5)
    with pytest.raises(InputError):
        experiment.item(300)


def test_a_perplexity_that_does_not_fit_is_held_and_that_is_said() -> None:
    experiment = make(points(cloud(61)))
    assert experiment.used["p100"] == 20
    assert "above 20" in str(experiment.ended())
    assert "above" not in str(make(points(cloud(400))).ended())


@pytest.mark.parametrize(
    "x", [torch.zeros(30, 3), cloud(4), torch.tensor([[0.0], [1.0]]).repeat(30, 1), 1e-9 * cloud(50)]
)
def test_odd_clouds_stay_finite(x: torch.Tensor) -> None:
    for frame in frames(make(points(x), early=10), 40):
        assert all(math.isfinite(v) for v in frame.scalars.values())


def test_painted_points_keep_the_others_where_they_are() -> None:
    x = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    experiment = make(points(x))
    frames(experiment, 40)
    before = {name: tsne.y for name, tsne in experiment.maps.items()}
    with pytest.raises(InputError):
        experiment.take(points(x[:2]))
    experiment.take(points(x[50:]))
    for name, map_ in experiment.maps.items():
        around = 0.01 * float(before[name].std())
        torch.testing.assert_close(map_.y, before[name][50:], atol=around, rtol=0)
    last = frames(experiment, 10)[-1]
    assert last.step == 50
    assert {len(view().xy) for view in last.views.values()} == {150}
    assert all(math.isfinite(v) for v in last.scalars.values())


def test_what_cannot_be_laid_out_is_said() -> None:
    with pytest.raises(InputError, match="2 points are too few"):
        make(points(torch.zeros(2, 2)))


# ── what a class must see ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_noise_clumps_where_few_neighbours_count(seed: int) -> None:
    experiment = demo("noise", seed)
    frames(experiment)
    found = [evenness(m.y) for m in experiment.maps.values()]
    assert found[0] < 0.75
    assert min(found[2:]) > 0.88
    assert found[0] + 0.2 < min(found[2:])


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_map_shows_how_wide_the_clouds_are(seed: int) -> None:
    experiment = demo("sizes", seed)
    frames(experiment)
    wide = experiment.data.y == 0
    found = [spread(m.y[wide]) / spread(m.y[~wide]) for m in experiment.maps.values()]
    assert all(0.4 < ratio < 2.5 for ratio in found)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_middle_perplexities_keep_most(seed: int) -> None:
    experiment = demo("digits", seed)
    last = frames(experiment)[-1].scalars
    assert max(last.values()) == max(last[f"kept{p}"] for p in (15, 30, 50)) > 0.55
    assert last["kept2"] < last["kept30"] - 0.05
