"""What every experiment promises, on every data set that it names. A new one is tested from the day it is
declared: nothing here knows any of them by name.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import gc
import inspect
import math
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polib
import pytest
import torch

from engine.core import session
from engine.core.catalogue import catalogue
from engine.core.events import RunSpec
from engine.core.experiment import Info
from engine.core.frame import (
    Arrows,
    Bars,
    Curve,
    Ellipses,
    Field,
    Frame,
    Images,
    Markers,
    Note,
    Payload,
    Points,
    Regions,
    Segments,
)
from engine.core.loop import repainted
from engine.core.params import KnobSpec, Value
from engine.core.runner import Runner, look_at, make_runner, read_scalars, with_values
from engine.core.stages import Stages
from engine.core.text import InputError, Text
from engine.core.timeline import Timeline
from engine.data import registry
from engine.data.registry import Dataset, sources
from tests.engine.kept import load, save
from tests.engine.own import folder_of

ROOT = Path(__file__).resolve().parent.parent.parent
FRENCH = ROOT / "assets" / "locale" / "fr" / "latentarium.po"
LESSONS = ROOT / "assets" / "lessons"
STEPS = 3
HUGE = ("mnist", "pen", "sprites", "faces", "textures", "million")
"""Sets whose early work (covariances, projections) the runners of a test share, as they do in the window."""

Scalars = list[dict[str, float]]


ALWAYS = ("", "blobs", "swiss_roll", "digits", "sprites")
"""No data, a plane, a space, grey and coloured pictures; the others run with ``make test-slow``."""


def _case(id: str, dataset: str) -> Any:
    needs = dataset and sources()[dataset].needs_folder and folder_of(dataset) is None
    marks = [] if dataset in ALWAYS else [pytest.mark.slow]
    if needs:
        marks.append(pytest.mark.skip(reason=f"{dataset} is not on this machine"))
    return pytest.param((id, dataset), id=f"{id}-{dataset or 'alone'}", marks=marks)


CASES = [_case(name, dataset) for name, cls in catalogue().items() for dataset in cls.info.datasets or ("",)]
INFOS = [pytest.param(cls.info, id=name) for name, cls in catalogue().items()]
KNOBS = [
    pytest.param((cls.info, k), id=f"{name}-{k.name}")
    for name, cls in catalogue().items()
    for k in cls.info.knobs
]


@functools.lru_cache(maxsize=1)
def data_of(name: str) -> tuple[Dataset, Stages]:
    return registry.load(name, seed=0, data_dir=folder_of(name)), Stages()


@pytest.fixture(params=CASES, scope="module")  # so that all tests of one data set follow each other
def case(request: pytest.FixtureRequest) -> tuple[str, str]:
    return request.param  # type: ignore[no-any-return]


def runner_of(case: tuple[str, str], seed: int = 5, **params: Value) -> Runner:
    """A new runner, standing at its first frame."""
    runner = unstarted(case, seed, **params)
    assert runner.next_frame() is not None
    return runner


def unstarted(case: tuple[str, str], seed: int = 5, **params: Value) -> Runner:
    name, dataset = case
    data, stages = data_of(dataset)
    return make_runner(
        RunSpec(name, dataset, params, seed, folder_of(dataset)), device="cpu", data=data,
        stages=stages if dataset in HUGE else Stages(),
    )  # fmt: skip


def scalars_of(frame: Frame) -> dict[str, float]:
    """What a frame says, finite or DivergedError."""
    return {name: values[0] for name, (_steps, values) in read_scalars([frame]).items()}


def train(runner: Runner, steps: int = STEPS) -> Scalars:
    """The next so many steps, fewer where there is nothing more to learn."""
    found: Scalars = []
    for _step in range(steps):
        frame = runner.next_frame()
        if frame is None:
            break
        found.append(scalars_of(frame))
    return found


def ends(knob: KnobSpec) -> list[Value]:
    """The values between which a knob is swept."""
    if knob.kind == "bool":
        return [not knob.default, bool(knob.default)]
    if knob.kind == "choice":
        return [name for name, _title in knob.options]
    cast = int if knob.kind == "int" else float
    return [cast(knob.low), cast(knob.high)]


# ── payloads ────────────────────────────────────────────────────────────────────────────────────────────────


def arrays(tree: Any) -> Iterator[np.ndarray]:
    if isinstance(tree, np.ndarray):
        yield tree
    elif dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        for field in dataclasses.fields(tree):
            yield from arrays(getattr(tree, field.name))
    elif isinstance(tree, dict):
        yield from arrays(list(tree.values()))
    elif isinstance(tree, (list, tuple)):
        for value in tree:
            yield from arrays(value)


def is_array(array: Any, dtype: type, *shape: int | None) -> bool:
    """Whether ``array`` is of this type and shape; None fits any size."""
    return (
        isinstance(array, np.ndarray)
        and array.dtype == dtype
        and array.ndim == len(shape)
        and all(want in (None, size) for want, size in zip(shape, array.shape, strict=True))
        and bool(np.isfinite(array).all())
    )


def check_layer(layer: Any) -> None:
    if isinstance(layer, Field):
        assert is_array(layer.value, np.float32, None, None)
        x0, x1, y0, y1 = layer.extent
        assert x0 < x1
        assert y0 < y1
        assert layer.limits is None or layer.limits[0] < layer.limits[1]
    elif isinstance(layer, Ellipses):
        k = len(layer.centre)
        assert is_array(layer.centre, np.float32, k, 2)
        assert is_array(layer.axes, np.float32, k, 2, 2)
        assert layer.label is None or is_array(layer.label, np.int32, k)
        assert layer.strength is None or is_array(layer.strength, np.float32, k)
    elif isinstance(layer, Regions):
        assert is_array(layer.label, np.uint8, None, None)
        x0, x1, y0, y1 = layer.extent
        assert x0 < x1
        assert y0 < y1
    elif isinstance(layer, Markers):
        k = len(layer.xy)
        assert is_array(layer.xy, np.float32, None, 2)
        assert layer.trail is None or is_array(layer.trail, np.float32, None, k, 2)
        assert layer.label is None or is_array(layer.label, np.int32, k)
    elif isinstance(layer, (Segments, Arrows)):
        m = len(layer.start)
        assert is_array(layer.start, np.float32, m, 2)
        assert is_array(layer.end, np.float32, m, 2)
        if isinstance(layer, Segments):
            assert layer.label is None or is_array(layer.label, np.int32, m)
        else:
            assert len(layer.names) in (0, m)
    else:
        raise AssertionError(f"{type(layer).__name__} is no layer")


def check_points(points: Points, data: Dataset) -> None:
    n = len(points.xy)
    assert is_array(points.xy, np.float32, n, 2)
    assert n <= len(data.x)
    if points.label is not None:
        assert is_array(points.label, np.int32, n)
        assert points.label.min() >= -1
        assert not points.names or points.label.max() < len(points.names)
    for layer in points.layers:
        check_layer(layer)
    kinds = [isinstance(layer, (Regions, Field)) for layer in points.layers]
    assert kinds == sorted(kinds, reverse=True), "Regions and Fields lie below everything else"
    assert (points.other is None) == (points.share is None)
    if points.other is not None:
        assert points.label is not None
        assert is_array(points.other, np.int32, n)
        assert is_array(points.share, np.float32, n)
        assert points.share.min(initial=1) >= 0  # type: ignore[union-attr]
        assert points.share.max(initial=0) <= 1  # type: ignore[union-attr]
    assert len(points.axes) == 2
    assert points.total is None or points.total >= n


def check_images(images: Images, data: Dataset) -> None:
    n = len(images.pixels)
    more = (3,) if images.pixels.ndim == 4 else ()
    assert is_array(images.pixels, np.float32, n, None, None, *more)
    assert images.pixels.max(initial=0) <= 1
    assert images.pixels.min(initial=0) >= (-1 if images.signed else 0)
    assert len(images.captions) in (0, n)
    if images.rows:
        assert images.columns
        assert len(images.rows) == math.ceil(n / images.columns)
    assert images.label is None or is_array(images.label, np.int32, n)
    if images.items is not None:
        assert is_array(images.items, np.int32, n)
        assert images.items.min() >= -1
        assert images.items.max() < len(data.x)


def check_curve(curve: Curve) -> None:
    t = len(curve.x)
    assert is_array(curve.x, np.float32, t)
    assert curve.lines or curve.histogram
    for line in curve.lines.values():
        assert is_array(np.nan_to_num(line), np.float32, t)  # NaN leaves a gap
        assert not np.isinf(line).any()
    assert len(curve.axes) == 2
    assert curve.mark is None or math.isfinite(curve.mark)
    assert all(math.isfinite(mark.x) for mark in curve.marks)
    assert set(curve.filled) <= set(curve.lines)
    if curve.histogram is not None:
        assert is_array(curve.histogram.heights, np.float32, None)
        assert is_array(curve.histogram.edges, np.float32, len(curve.histogram.heights) + 1)
        assert (np.diff(curve.histogram.edges) > 0).all()
    assert curve.quiet is None or is_array(curve.quiet, np.float32, None, t)
    assert curve.rug is None or is_array(curve.rug, np.float32, None)
    assert curve.dots is None or is_array(curve.dots, np.float32, None, 2)
    if curve.segments is not None:
        check_layer(curve.segments)
    assert all(math.isfinite(h.x + h.y) and (not h.line or h.line in curve.lines) for h in curve.handles)
    for limits in (curve.span, curve.range):
        assert limits is None or limits[0] < limits[1]


def check_payload(payload: Payload, data: Dataset) -> None:
    """The shapes and types that ``engine.core.frame`` promises."""
    if isinstance(payload, Points):
        check_points(payload, data)
    elif isinstance(payload, Images):
        check_images(payload, data)
    elif isinstance(payload, Curve):
        check_curve(payload)
    elif isinstance(payload, Bars):
        k = len(payload.names)
        assert is_array(payload.values, np.float32, k)
        assert payload.label is None or is_array(payload.label, np.int32, k)
    else:
        assert isinstance(payload, Note)
        assert isinstance(payload.text, Text)


def views_of(runner: Runner) -> dict[str, Payload]:
    assert runner.frame is not None
    return {name: runner.view(name) for name in runner.frame.views}


def check_frame(runner: Runner) -> None:
    """Exactly what is declared, as it is declared."""
    assert runner.frame is not None
    assert set(scalars_of(runner.frame)) == set(runner.info.scalars)
    assert set(runner.frame.views) == set(runner.channels)
    for name, payload in views_of(runner).items():
        assert type(payload) is runner.info.channels[name].payload, name
        check_payload(payload, runner.experiment.data)


def test_frames_have_exactly_what_is_declared(case: tuple[str, str]) -> None:
    runner = runner_of(case)
    check_frame(runner)
    assert runner.step == 0
    for step in range(1, STEPS + 1):
        if runner.next_frame() is None:
            assert isinstance(runner.experiment.ended(), Text | None)
            break
        assert runner.step == step
        check_frame(runner)
    assert runner.experiment.epoch >= 1


def test_payloads_belong_to_whoever_receives_them(case: tuple[str, str]) -> None:
    runner = runner_of(case)
    held = [views_of(runner)]
    train(runner, 1)
    held.append(views_of(runner))
    mine = [v.numpy() for v in vars(runner.experiment).values() if isinstance(v, torch.Tensor)]
    mine += [v for v in vars(runner.experiment).values() if isinstance(v, np.ndarray)]
    for array in arrays(held):
        # One that can no longer be written to may be handed out again and again.
        assert not array.flags.writeable or not any(np.shares_memory(array, own) for own in mine)
    before = copy.deepcopy(held)
    for knob in runner.info.knobs:
        if knob.live:
            sweep(runner, knob)
    train(runner, 2)
    views_of(runner)
    for array, copied in zip(arrays(held), arrays(before), strict=True):
        np.testing.assert_array_equal(array, copied)


# ── the same seed, the same numbers ─────────────────────────────────────────────────────────────────────────


def test_the_same_seed_gives_the_same_numbers(case: tuple[str, str]) -> None:
    first, second = runner_of(case), runner_of(case)
    assert scalars_of(first.frame) == scalars_of(second.frame)  # type: ignore[arg-type]
    views_of(second)  # looking changes nothing
    found = train(first)
    assert found == train(second)
    assert len(found) >= 1


def test_state_restores_in_a_fresh_runner(case: tuple[str, str]) -> None:
    runner = runner_of(case)
    train(runner, 1)
    kept = runner.state()
    expected = train(runner)
    fresh = runner_of(case, seed=99)
    fresh.restore(kept)
    frame = fresh.next_frame()
    assert frame is not None
    assert frame.step == 1
    check_frame(fresh)
    assert train(fresh) == expected


def test_a_saved_session_goes_on_as_if_nothing_had_been(case: tuple[str, str], tmp_path: Path) -> None:
    runner = runner_of(case)
    timeline = Timeline()
    timeline.keep(0, views_of(runner), runner.state())
    train(runner, 1)
    timeline.keep(1, views_of(runner), runner.state())
    path = tmp_path / f"a{session.SUFFIX}"
    save(path, RunSpec(*case, {}, 5, folder_of(case[1])), runner, timeline)
    expected = train(runner)
    stages = data_of(case[1])[1] if case[1] in HUGE else None
    spec, loaded, history = load(path, stages=stages)
    assert (spec.experiment, spec.dataset, spec.seed) == (*case, 5)
    assert history.steps == (0, 1)
    for kept, again in zip(timeline.keyframes.values(), history.keyframes.values(), strict=True):
        for array, copied in zip(arrays(list(kept.values())), arrays(list(again.values())), strict=True):
            np.testing.assert_array_equal(array, copied)
    check_frame(loaded)
    assert train(loaded) == expected


def taken_up_again(runner: Runner, case: tuple[str, str]) -> None:
    """What ``runner`` has come to fits a new start: else a session of it could not be opened."""
    spec = with_values(RunSpec(*case, {}, 5, folder_of(case[1])), runner.values)
    fresh = make_runner(spec, device="cpu", data=runner.data, stages=runner.experiment.stages)
    fresh.restore(runner.state())
    assert fresh.next_frame() is not None
    look_at(fresh)


def test_whatever_was_done_a_run_can_be_taken_up_again(case: tuple[str, str]) -> None:
    runner = runner_of(case)
    for end in (0, -1) if case[1] in ("", "blobs", "digits") else (-1,):
        for knob in runner.info.knobs:
            if knob.live:
                try:
                    runner.set(knob.name, ends(knob)[end])
                    go_on(runner)
                except InputError:
                    runner.set(knob.name, knob.default)
        taken_up_again(runner, case)
    if runner.data.kind == "points" and runner.data.flat.shape[1:] == (2,):
        few = np.random.default_rng(0).normal(size=(70, 2)).astype(np.float32)
        runner.take(repainted(runner.data, few, np.arange(70, dtype=np.int32) % 3))
        runner.wake()
        taken_up_again(runner, case)


# ── knobs ───────────────────────────────────────────────────────────────────────────────────────────────────


def go_on(runner: Runner) -> None:
    """A step after something was changed, as the engine makes it; scalars stay finite."""
    frame = runner.next_frame()
    if frame is None:
        runner.wake()
        frame = runner.next_frame()
    if frame is not None:
        scalars_of(frame)
        check_frame(runner)


def check_sentence(error: InputError) -> None:
    assert isinstance(error.sentence, Text)
    assert error.sentence.endswith(".")


def sweep(runner: Runner, knob: KnobSpec) -> None:
    """To every end and back, with a step after each; a sentence is a good answer, a crash is not."""
    start = getattr(runner.params, knob.name)
    for value in (*ends(knob), start):
        try:
            turned = runner.set(knob.name, value)
            go_on(runner)
        except InputError as error:
            check_sentence(error)
            runner.set(knob.name, start)
            continue
        assert getattr(runner.params, knob.name) == value
        assert turned is None or (turned.name, turned.new) == (knob.name, value)


def test_every_live_knob_can_be_turned_to_its_ends_in_mid_run(case: tuple[str, str]) -> None:
    runner = runner_of(case)
    train(runner, 1)
    for knob in runner.info.knobs:
        if knob.live:
            sweep(runner, knob)
    go_on(runner)


def test_every_knob_that_restarts_works_at_its_ends(case: tuple[str, str]) -> None:
    for knob in catalogue()[case[0]].info.knobs:
        for value in [] if knob.live else ends(knob):
            try:
                runner = runner_of(case, **{knob.name: value})
            except InputError as error:
                check_sentence(error)
                continue
            train(runner, 2)
            check_frame(runner)
            other = next(v for v in ends(knob) if v != value)
            with pytest.raises(InputError, match=knob.name):
                runner.set(knob.name, other)


@pytest.mark.parametrize("pair", KNOBS)
def test_wrong_values_are_refused_with_a_sentence_that_names_the_knob(pair: tuple[Info, KnobSpec]) -> None:
    info, knob = pair
    wrong: list[Any] = [None, [], {}, "many words", "", float("nan")]
    if knob.kind in ("int", "float"):
        beyond = max(1.0, abs(knob.high))
        wrong += [knob.low - beyond, knob.high + beyond, math.inf, -math.inf, True, 10**400, "1e999"]
        wrong += [knob.low + 0.5] if knob.kind == "int" else []
    elif knob.kind == "bool":
        wrong += [2, "maybe", 0.5]
    data, _stages = data_of(next((d for d in info.datasets if not sources()[d].needs_folder), ""))
    runner = runner_of((info.id, data.name))
    before = runner.params
    for value in wrong:
        with pytest.raises(InputError) as caught:
            runner.set(knob.name, value)
        assert knob.name in caught.value.sentence
        assert str(caught.value.sentence).endswith(".")
        with pytest.raises(InputError, match=knob.name):
            unstarted((info.id, data.name), **{knob.name: value})
    assert runner.params == before
    with pytest.raises(InputError, match="no_such_knob"):
        runner.set("no_such_knob", 1)


# ── queries and actions ─────────────────────────────────────────────────────────────────────────────────────


def sensible(runner: Runner, name: str) -> tuple[Any, ...]:
    """Arguments that a query can answer, by the names of its parameters."""
    data = runner.experiment.data
    method = getattr(runner.experiment, name)
    known: dict[str, Any] = {"index": min(3, len(data.x) - 1), "x": data.flat[:1].reshape(-1).numpy().copy()}
    if "name" in inspect.signature(method).parameters:
        known["name"] = next(iter(runner.experiment.colourings))
    if "z" in inspect.signature(method).parameters:
        known["z"] = runner.ask("code", known["x"])
    wanted = [p for p in inspect.signature(method).parameters.values() if p.default is p.empty]
    missing = [p.name for p in wanted if p.name not in known]
    assert not missing, f"say here what a sensible {missing} is"
    return tuple(known[p.name] for p in wanted)


def answerable(runner: Runner) -> list[str]:
    """The queries that there is something to ask about: without data there are no items."""
    queries = list(runner.info.queries)
    if not runner.info.datasets:
        queries = [name for name in queries if name not in ("item", "neighbours", "colours")]
    return queries


def test_colours_are_there_for_every_item(case: tuple[str, str]) -> None:
    runner = runner_of(case)
    n = len(runner.experiment.data.x)
    for name, title in list(runner.experiment.colourings.items())[:6]:
        assert isinstance(title, Text)
        found = runner.ask("colours", name)
        if found.label is not None:
            assert is_array(found.label, np.int32, n)
            assert found.label.max() < len(found.names)
        else:
            assert is_array(found.value, np.float32, n)
            assert found.limits[0] <= found.limits[1]
    with pytest.raises(InputError, match="no_such_colour"):
        runner.ask("colours", "no_such_colour")


def test_queries_answer_and_change_nothing(case: tuple[str, str]) -> None:
    plain, asked = runner_of(case), runner_of(case)
    expected, found = train(plain), []
    for _step in range(STEPS):
        for name in answerable(asked):
            arguments = sensible(asked, name)
            copied = copy.deepcopy(arguments)
            answer = asked.ask(name, *arguments)
            assert answer is not None
            for array, before in zip(arrays(arguments), arrays(copied), strict=True):
                np.testing.assert_array_equal(array, before)
            for array in arrays(answer):
                assert np.isfinite(array).all()
        found += train(asked, 1)
    assert found == expected
    assert {"item", "neighbours"} <= set(asked.info.queries)
    with pytest.raises(InputError, match="no_such_query"):
        asked.ask("no_such_query")


def test_items_and_neighbours_are_items_of_the_data(case: tuple[str, str]) -> None:
    runner = runner_of(case)
    n = len(runner.experiment.data.x)
    if n == 0:
        pytest.skip("makes up its own data: there are no items")
    for index in (0, n - 1):
        item = runner.ask("item", index)
        assert item.index == index
        assert (item.picture is not None) == (runner.experiment.data.kind == "images")
        near = runner.ask("neighbours", index)
        assert len(near) == len(set(near)) == min(6, n - 1)
        assert index not in near
        assert all(0 <= i < n for i in near)


NONSENSE: dict[str, tuple[Any, ...]] = {
    "index": (-1, 10**9),
    "x": (math.nan, math.inf, 1e300),
    "y": (math.nan, -math.inf, -1e300),
}


def test_a_question_about_an_item_that_is_not_there_is_refused(case: tuple[str, str]) -> None:
    runner = runner_of(case)
    for name in runner.info.queries:
        if "index" in inspect.signature(getattr(runner.experiment, name)).parameters:
            for index in (-1, len(runner.experiment.data.x)):
                with pytest.raises(InputError):
                    runner.ask(name, index)


def test_actions_refuse_nonsense_and_go_on(case: tuple[str, str]) -> None:
    plain, acted = runner_of(case), runner_of(case)
    good: dict[str, Any] = {"index": 0, "x": 0.0, "y": 0.0}
    for name in acted.info.actions:
        names = list(inspect.signature(getattr(acted.experiment, name)).parameters)
        assert set(names) <= set(NONSENSE), f"say here what is nonsense for {names}"
        for wrong in names:
            for value in NONSENSE[wrong]:
                with pytest.raises(InputError):
                    acted.act(name, *({**good, wrong: value}[n] for n in names))
    assert train(acted) == train(plain), "what was refused has left a trace"
    for name in acted.info.actions:
        names = list(inspect.signature(getattr(acted.experiment, name)).parameters)
        acted.act(name, *(good[n] for n in names))
        go_on(acted)
    with pytest.raises(InputError, match="no_such_action"):
        acted.act("no_such_action")


# ── freed ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_runner_let_go_frees_everything(case: tuple[str, str]) -> None:
    runner = runner_of(case)
    train(runner, 2)
    views_of(runner)
    frame = runner.frame
    assert frame is not None
    held: list[weakref.ref[Any]] = [weakref.ref(runner), weakref.ref(runner.experiment)]
    held += [weakref.ref(v) for v in vars(runner.experiment).values() if isinstance(v, torch.nn.Module)]
    del runner, frame
    gc.collect()
    assert [ref() for ref in held] == [None] * len(held)


# ── what is declared ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("info", INFOS)
def test_presets_and_demos_name_what_there_is(info: Info) -> None:
    known = sources()
    assert set(info.datasets) <= set(known)
    assert set(info.presets) <= set(info.datasets)
    assert not info.datasets or not known[info.datasets[0]].needs_folder, (
        "the first data set must be there on every machine"
    )
    for dataset, params in info.presets.items():
        for name, value in params.items():
            assert check_value(info, name, value), (dataset, name)
    names = [demo.name for demo in info.demos]
    assert len(names) == len(set(names))
    for demo in info.demos:
        assert demo.dataset in (info.datasets or ("",))
        assert not demo.dataset or not known[demo.dataset].needs_folder
        assert all(check_value(info, name, value) for name, value in demo.params.items())
        assert demo.title
        assert demo.picture in info.channels
        if demo.beside is not None:
            other = catalogue()[demo.beside.experiment].info
            assert demo.dataset in (other.datasets or ("",))
            assert all(check_value(other, name, value) for name, value in demo.beside.params.items())
        assert demo.question.endswith(("?", "."))


def check_value(info: Info, name: str, value: Value) -> bool:
    from engine.core.params import check

    return check(info.knob(name), value) == value


@pytest.mark.parametrize("info", INFOS)
def test_everything_is_said_in_words(info: Info) -> None:
    assert info.question.endswith("?")
    assert info.channels
    assert info.scalars
    for knob in info.knobs:
        assert isinstance(knob.label, Text), knob.name
        assert knob.help.endswith("."), f"{knob.name} needs a help of a sentence"
    for kind in {sources()[name].kind for name in info.datasets}:
        assert any(kind in channel.kinds for channel in info.channels.values())


def texts(info: Info) -> set[str]:
    """Every message that the declaration of an experiment shows to people."""
    said: list[str] = [info.title, info.question]
    for knob in info.knobs:
        said += [knob.label, knob.help, *(title for _name, title in knob.options)]
    said += [channel.title for channel in info.channels.values()]
    said += [scalar.title for scalar in info.scalars.values()]
    for demo in info.demos:
        said += [demo.title, demo.question]
    for name in info.datasets:
        said += [sources()[name].title, sources()[name].about]
    assert all(isinstance(text, Text) for text in said), "a plain str cannot be translated"
    return {text.msgid for text in said if text}  # type: ignore[attr-defined]


@pytest.mark.skipif(not FRENCH.exists(), reason="there is no French catalogue yet")
@pytest.mark.parametrize("info", INFOS)
def test_everything_is_said_in_french(info: Info) -> None:
    found = {entry.msgid: entry for entry in polib.pofile(str(FRENCH))}
    missing = {m for m in texts(info) if m not in found or found[m].fuzzy or not found[m].msgstr}
    assert not missing


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("info", INFOS)
def test_there_is_a_lesson(info: Info, language: str) -> None:
    path = LESSONS / language / f"{info.id}.md"
    assert len(path.read_text(encoding="utf-8").split()) > 40
