from __future__ import annotations

import numpy as np
import pytest

from engine.core.frame import Points
from engine.core.timeline import DENSE_STEPS, Timeline


def picture(n: int = 1000) -> Points:
    return Points(np.zeros((n, 2), np.float32))


def test_the_first_steps_are_all_kept_and_later_ones_geometrically() -> None:
    timeline = Timeline()
    for step in range(100_001):
        if timeline.must_keep(step):
            timeline.keep(step, {"cloud": picture(1)}, None)
    steps = timeline.steps
    assert steps[: DENSE_STEPS + 1] == tuple(range(DENSE_STEPS + 1))
    assert len(steps) < 150
    assert max(b / a for a, b in zip(steps[DENSE_STEPS:], steps[DENSE_STEPS + 1 :], strict=False)) < 1.2


def test_the_budget_holds_whatever_comes_and_first_and_newest_stay() -> None:
    timeline = Timeline(budget=100_000)
    for step in range(2000):
        timeline.keep(step, {"cloud": picture()}, {"step": step, "w": np.zeros(100)})
        assert timeline.bytes <= 100_000
    assert timeline.steps[0] == 0
    assert timeline.steps[-1] == 1999
    assert set(timeline.checkpoints) <= set(timeline.steps)
    assert len(timeline.steps) == 100_000 // (8000 + 800)
    assert np.diff(timeline.steps).max() < 2000 / 4  # spread over the whole run, not only its end


def test_arrays_that_pictures_share_count_once() -> None:
    timeline, xy = Timeline(), np.zeros((1000, 2), np.float32)
    for step in range(10):
        timeline.keep(step, {"cloud": Points(xy, np.full(1000, step, np.int32))}, None)
    assert timeline.bytes == xy.nbytes + 10 * 4000


@pytest.mark.parametrize(("asked", "found"), [(-5, 0), (0, 0), (14, 10), (15, 10), (16, 20), (99, 20)])
def test_nearest(asked: int, found: int) -> None:
    timeline = Timeline()
    for step in (0, 10, 20):
        timeline.keep(step, {}, None)
    assert timeline.nearest(asked) == found


def test_before_and_checkpoint() -> None:
    timeline = Timeline()
    assert timeline.nearest(3) is None
    assert timeline.before(3) is None
    for step in (0, 10, 20):
        timeline.keep(step, {}, {"step": step} if step else None)
    assert [timeline.before(s) for s in (0, 10, 15, 20, 30)] == [None, 0, 10, 10, 20]
    assert [timeline.checkpoint_before(s) for s in (5, 10, 25)] == [None, 10, 20]


def test_cut_shares_the_past_and_leaves_the_whole_as_it_is() -> None:
    timeline = Timeline()
    timeline.add_scalars({"loss": (range(30), [float(s) for s in range(30)])})
    for step in (0, 10, 20):
        timeline.keep(step, {"cloud": picture()}, {"step": step})
    past = timeline.cut(10)
    assert past.steps == (0, 10)
    assert list(past.scalars["loss"][0]) == list(range(11))
    assert past.keyframes[10]["cloud"] is timeline.keyframes[10]["cloud"]
    assert timeline.steps == (0, 10, 20)
    assert len(timeline.scalars["loss"][0]) == 30


def test_a_hundred_thousand_steps_never_exceed_the_budget_and_stay_spread() -> None:
    """Pictures of growing size, some of them shared, and states; kept as often as an engine can afford."""
    budget, shared = 2_000_000, np.zeros((500, 2), np.float32)
    timeline = Timeline(budget)
    most = 0
    for step in range(100_001):
        timeline.add_scalars({"loss": ([step], [1.0])})
        if timeline.must_keep(step) or step % 20 == 0:
            n = 500 + step // 200  # a painted cloud grows
            views = {"cloud": picture(n), "source": Points(shared, np.full(n, step, np.int32))}
            timeline.keep(step, views, {"w": np.zeros(300), "step": step} if step % 40 == 0 else None)
            most = max(most, timeline.bytes)
            assert most <= budget
    assert most > 0.9 * budget  # and it is used
    steps = np.array(timeline.steps)
    assert steps[0] == 0
    assert steps[-1] == 100_000
    assert len(steps) > 100
    assert np.diff(steps).max() < 5000
    assert (steps < 1000).sum() > 5  # where most is learned
    assert set(timeline.checkpoints) <= set(timeline.steps)
    assert timeline.checkpoint_before(50_000) is not None
    assert len(timeline.scalars["loss"][0]) == 100_001
    arrays = {id(a): a.nbytes for step in timeline.steps for a in _held(timeline, step)}
    assert timeline.bytes == sum(arrays.values())  # the books are right


def _held(timeline: Timeline, step: int) -> list[np.ndarray]:
    """Every array that is kept of ``step``."""
    cloud, source = timeline.keyframes[step]["cloud"], timeline.keyframes[step]["source"]
    found = [cloud.xy, source.xy, source.label]  # type: ignore[union-attr]
    return [*found, timeline.checkpoints[step]["w"]] if step in timeline.checkpoints else found
