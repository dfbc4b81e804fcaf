"""Whether what stands in a file is a run: a file may come from anywhere, with checksums that are right.

Each function here looks at one kind of thing, and raises ValueError with a short reason where it is not as
the rest of the program relies on: a picture that could not be painted, a curve that runs backwards, a run
that is its own parent. Nothing large is copied, and no array is gone through number by number.

Numbers that are none (NaN, infinite) are let through inside pictures: panels leave them out, and a run that
was about to diverge must open again.
"""

from __future__ import annotations

import dataclasses
import math
import string
from array import array
from collections.abc import Callable, Mapping
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from engine.core import frame
from engine.core.beside import joined, plain
from engine.core.catalogue import find
from engine.core.events import Acted, RunSpec, Turned
from engine.core.experiment import Beside, Experiment, Info
from engine.core.params import Value, as_dict, change, check
from engine.core.text import InputError, Text
from engine.data.registry import Dataset, sources

if TYPE_CHECKING:
    from engine.core.duo import Run
    from engine.core.tree import Node

MOST_POINTS = 4_000_000
MOST_PIXELS = 32_000_000
"""In all pictures of a grid together, or in one map."""
MOST_MARKS = 1000
"""Things that are painted one by one: centres, _ellipses, _arrows, _bars, lines, handles."""
MOST_LINES = 20_000
"""Segments, which are painted all at once, and places on all trails together."""
MOST_CLASSES = 10_000
MOST_STEPS = 1_000_000_000
"""Qt counts to twice as many."""
MOST_RUNS = 1000
LONGEST, MOST_LETTERS = 2000, 400_000
"""Letters in one text, and in all names of one kind in a picture."""
LONGEST_NAME = 200
FARTHEST = 1e30
"""Beyond that, the squares of float32 are lost."""
PLAIN_FORMATS = frozenset(",.0123456789deEfFgG%")
"""What a placeholder may say of how its number is written."""
SEEDS = -(2**63), 2**64 - 1
"""What torch takes."""
LATEST = 3.2e10
"""Seconds since 1970 up to which every system knows the date: about the year 2984."""
PAINTED = "paint"
"""What a log calls it that somebody has painted on the data."""


class ForeignError(ValueError):
    """Another version may know what this one does not. name: what that is."""

    def __init__(self, name: object) -> None:
        super().__init__(f"unknown: {name!s:.100}")
        self.name = str(name)[:100]


def need(true: bool, reason: str) -> None:
    """ValueError for this ``reason`` unless it is ``true``."""
    if not true:
        raise ValueError(reason)


# ── plain values ────────────────────────────────────────────────────────────────────────────────────────────


def whole(value: object, low: int, high: int, what: str) -> int:
    """``value``, a whole number from ``low`` to ``high``."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"{what} is no whole number from {low} to {high}")
    return value


def _number(value: object, what: str) -> float:
    """``value``, any number but NaN and infinity."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not abs(value) < math.inf:
        raise ValueError(f"{what} is no number")
    return value


def words(value: object, what: str, longest: int = LONGEST) -> str:
    """``value``, a text that is not too long."""
    if not isinstance(value, str) or len(value) > longest:
        raise ValueError(f"{what} is no text, or a very long one")
    value.encode()  # UnicodeEncodeError, a ValueError: half a character, which nobody can draw
    return value


def _flag(value: object, what: str) -> None:
    need(isinstance(value, bool), f"{what} is neither true nor false")


def sentence(msgid: object, values: object) -> Text:
    """The Text of these. A placeholder may name a value and say how a number is written, and nothing else:
    Python's own language of placeholders can ask for a billion blanks, or for what belongs to an object.
    """
    if not isinstance(values, dict):
        raise ValueError("a text without its values")
    for value in values.values():
        if not isinstance(value, str):
            _number(value, "a value in a text")
    for _before, name, form, conversion in string.Formatter().parse(words(msgid, "a text")):
        if values and name is not None:
            simple = name in values and not conversion and len(form or "") <= 5
            need(simple and PLAIN_FORMATS.issuperset(form or ""), "a strange placeholder")
    made = Text(words(msgid, "a text"), values)
    words(made, "a text")
    return made


def _pair(value: object, check_one: Callable[[object, str], Any], what: str) -> None:
    """A tuple of two things that ``check_one`` finds in order."""
    if not isinstance(value, tuple) or len(value) != 2:
        raise ValueError(f"{what} are not two")
    for one in value:
        check_one(one, what)


def _texts(value: object, what: str, *counts: int, most: int = MOST_CLASSES) -> int:
    """A tuple of texts, as many as one of ``counts`` says, where there are any. Returns how many."""
    if not isinstance(value, tuple) or len(value) > most or (counts and len(value) not in counts):
        raise ValueError(f"{what} are not as many texts as there should be")
    need(sum(len(words(one, what)) for one in value) <= MOST_LETTERS, f"{what} are endless")
    return len(value)


# ── arrays ──────────────────────────────────────────────────────────────────────────────────────────────────


def _of_shape(value: object, kind: str, what: str, *shape: int | None) -> int:
    """An array of this NumPy type and shape; None fits any length. Returns the first length."""
    if not isinstance(value, np.ndarray) or value.dtype != kind or value.ndim != len(shape):
        raise ValueError(f"{what} is no array of {kind} with {len(shape)} axes")
    if any(wanted not in (None, there) for wanted, there in zip(shape, value.shape, strict=True)):
        raise ValueError(f"{what} is {value.shape} where {shape} is needed")
    return len(value)


def _labels(value: Any, n: int, what: str, low: int = -1, below: int = 2**31) -> None:
    """(N,) int32 from ``low`` (-1 is none) and ``below`` so many, or None."""
    if value is not None:
        _of_shape(value, "i4", what, n)
        need(n == 0 or (int(value.min()) >= low and int(value.max()) < below), f"{what} beyond what there is")


def _extent(value: object) -> None:
    """(x0, x1, y0, y1), with something between each two."""
    if not isinstance(value, tuple) or len(value) != 4:
        raise ValueError("an extent of four numbers is needed")
    x0, x1, y0, y1 = (_number(one, "an extent") for one in value)
    need(max(map(abs, (x0, x1, y0, y1))) < FARTHEST and x0 < x1 and y0 < y1, "an extent without a size")


def _limits(value: object, what: str) -> None:
    """None, or two numbers."""
    if value is not None:
        _pair(value, _number, what)


# ── layers ──────────────────────────────────────────────────────────────────────────────────────────────────


def _regions(layer: frame.Regions) -> None:
    _of_shape(layer.label, "u1", "a map", None, None)
    need(0 < layer.label.size <= MOST_PIXELS, "an empty or huge map")
    _extent(layer.extent)


def _field(layer: frame.Field) -> None:
    _of_shape(layer.value, "f4", "a map", None, None)
    need(0 < layer.value.size <= MOST_PIXELS, "an empty or huge map")
    _extent(layer.extent)
    _limits(layer.limits, "limits")
    _flag(layer.signed, "signed")
    words(layer.name, "a name")


def _ellipses(layer: frame.Ellipses) -> None:
    k = _of_shape(layer.centre, "f4", "centres", None, 2)
    need(k <= MOST_MARKS, "too many ellipses")
    _of_shape(layer.axes, "f4", "axes", k, 2, 2)
    _labels(layer.label, k, "labels")
    need(isinstance(layer.at, tuple) and len(layer.at) <= 10, "too many outlines")
    for at in layer.at:
        need(0 <= _number(at, "a distance") < FARTHEST, "an impossible distance")
    if layer.strength is not None:
        _of_shape(layer.strength, "f4", "strengths", k)


def _markers(layer: frame.Markers) -> None:
    k = _of_shape(layer.xy, "f4", "marks", None, 2)
    need(k <= MOST_MARKS, "too many marks")
    if layer.trail is not None:
        long = _of_shape(layer.trail, "f4", "trails", None, k, 2)
        need(long <= MOST_LINES and layer.trail.size <= 2 * MOST_LINES, "too long trails")
    _labels(layer.label, k, "labels")
    _flag(layer.movable, "movable")


def _segments(layer: frame.Segments) -> None:
    m = _of_shape(layer.start, "f4", "starts", None, 2)
    need(m <= MOST_LINES, "too many lines")
    _of_shape(layer.end, "f4", "ends", m, 2)
    _labels(layer.label, m, "labels")


def _arrows(layer: frame.Arrows) -> None:
    m = _of_shape(layer.start, "f4", "starts", None, 2)
    need(m <= MOST_MARKS, "too many arrows")
    _of_shape(layer.end, "f4", "ends", m, 2)
    _texts(layer.names, "names", 0, m)


# ── payloads ────────────────────────────────────────────────────────────────────────────────────────────────


def _points(payload: frame.Points) -> None:
    n = _of_shape(payload.xy, "f4", "points", None, 2)
    need(n <= MOST_POINTS, "too many points")
    names = _texts(payload.names, "names of classes")
    below = names or MOST_CLASSES
    _labels(payload.label, n, "labels", below=below)
    _labels(payload.other, n, "labels", below=below)
    _labels(payload.classes, n, "classes", low=0, below=MOST_CLASSES)
    need((payload.other is None) == (payload.share is None), "half of what a blend needs")
    if payload.share is not None:
        _of_shape(payload.share, "f4", "shares", n)
    need(isinstance(payload.layers, tuple) and len(payload.layers) <= 100, "too many layers")
    for layer in payload.layers:
        _known(layer, LAYERS)(layer)
    _pair(payload.axes, words, "names of axes")
    _flag(payload.equal, "equal")
    if payload.total is not None:
        whole(payload.total, 0, 2**53, "how many there are")


def _images(payload: frame.Images) -> None:
    colours = (3,) if np.ndim(payload.pixels) == 4 else ()
    n = _of_shape(payload.pixels, "f4", "pictures", None, None, None, *colours)
    need(payload.pixels.size <= MOST_PIXELS, "too many pixels")
    need(min(payload.pixels.shape[1:3]) > 0 and max(payload.pixels.shape[1:3]) <= 4096, "an odd size")
    if payload.columns is not None:
        whole(payload.columns, 1, 100_000, "columns")
    _texts(payload.captions, "captions", 0, n, most=max(n, 1))
    _texts(payload.rows, "titles of rows", most=max(n, 1))
    _labels(payload.label, n, "labels")
    _labels(payload.items, n, "items")
    _flag(payload.signed, "signed")


def _curve(payload: frame.Curve) -> None:
    t = _of_shape(payload.x, "f4", "x", None)
    need(t <= MOST_POINTS, "too long lines")
    if not isinstance(payload.lines, dict) or len(payload.lines) > MOST_MARKS:
        raise ValueError("too many lines")
    for name, line in payload.lines.items():
        words(name, "the name of a line")
        _of_shape(line, "f4", "a line", t)
    _pair(payload.axes, words, "names of axes")
    if payload.mark is not None:
        _number(payload.mark, "a mark")
    _several(payload.marks, frame.Mark, _mark)
    if payload.histogram is not None:
        _known(payload.histogram, {frame.Histogram: _histogram})(payload.histogram)
    _texts(payload.filled, "filled lines")
    if payload.quiet is not None:
        quiet = _of_shape(payload.quiet, "f4", "quiet lines", None, t)
        need(quiet <= MOST_MARKS and payload.quiet.size <= MOST_POINTS, "too many quiet lines")
    if payload.rug is not None:
        need(_of_shape(payload.rug, "f4", "a rug", None) <= MOST_POINTS, "too long a rug")
    if payload.segments is not None:
        _known(payload.segments, {frame.Segments: _segments})(payload.segments)
    if payload.dots is not None:
        need(_of_shape(payload.dots, "f4", "dots", None, 2) <= MOST_LINES, "too many dots")
    _several(payload.handles, frame.Handle, _handle)
    words(payload.click, "an action")
    _pair(payload.log, _flag, "kinds of axes")
    _limits(payload.span, "a span")
    _limits(payload.range, "a range")


def _mark(part: frame.Mark) -> None:
    _number(part.x, "a mark")
    words(part.name, "a name")


def _handle(part: frame.Handle) -> None:
    _number(part.x, "a handle")
    _number(part.y, "a handle")
    words(part.name, "a name")
    words(part.line, "the name of a line")


def _histogram(part: frame.Histogram) -> None:
    bars = _of_shape(part.heights, "f4", "bars", None)
    need(bars <= MOST_LINES, "too many bars")
    _of_shape(part.edges, "f4", "edges", bars + 1)
    words(part.name, "a name")


def _bars(payload: frame.Bars) -> None:
    k = _of_shape(payload.values, "f4", "bars", None)
    need(k <= MOST_MARKS, "too many bars")
    _texts(payload.names, "names of bars", k, most=MOST_MARKS)
    _labels(payload.label, k, "labels")
    words(payload.axis, "the name of an axis")
    _flag(payload.lines, "lines")


def _note(payload: frame.Note) -> None:
    words(payload.text, "a note")


def _several(value: object, kind: type, check_one: Callable[[Any], None]) -> None:
    """A tuple, not too long, of things of one kind."""
    if not isinstance(value, tuple) or len(value) > MOST_MARKS:
        raise ValueError("too many parts")
    for one in value:
        _known(one, {kind: check_one})(one)


def _known(value: object, checks: Mapping[type, Callable[[Any], None]]) -> Callable[[Any], None]:
    """What looks at a thing of this type."""
    if type(value) not in checks:
        raise ValueError(f"a {type(value).__name__} where none belongs")
    return checks[type(value)]


LAYERS: dict[type, Callable[[Any], None]] = {
    frame.Regions: _regions, frame.Field: _field, frame.Ellipses: _ellipses, frame.Markers: _markers,
    frame.Segments: _segments, frame.Arrows: _arrows,
}  # fmt: skip
PAYLOADS: dict[type, Callable[[Any], None]] = {
    frame.Points: _points, frame.Images: _images, frame.Curve: _curve, frame.Bars: _bars, frame.Note: _note,
}  # fmt: skip


def check_payload(payload: object, channel: frame.Channel) -> None:
    """A picture such as ``channel`` shows, that every panel can draw."""
    need(type(payload) is channel.payload, f"a {type(payload).__name__} where another picture belongs")
    _known(payload, PAYLOADS)(payload)


def check_pictures(run: Run) -> None:
    """The pictures of the present state of ``run``, which stands at a frame."""
    frame_ = run.frame
    if frame_ is None:
        raise ValueError("nothing to show")
    for name in frame_.views:
        check_payload(run.view(name), run.info.channels[name])


# ── what a run is ───────────────────────────────────────────────────────────────────────────────────────────


def run_spec(about: Mapping[str, Any]) -> RunSpec:
    """What a run in a file is a run of. ForeignError: of something that does not exist here."""
    experiment, dataset = words(about["experiment"], "an experiment"), words(about["dataset"], "a data set")
    info = _info_of(experiment)
    if dataset and dataset not in sources():
        raise ForeignError(dataset)
    need(dataset in (info.datasets or ("",)), "a data set that this experiment does not take")
    data_params = {}
    if dataset:
        knobs = {knob.name: knob for knob in sources()[dataset].knobs}
        data_params = _turned_to(about["data_params"], knobs)
    beside = None
    if about["beside"] is not None:
        other, params = about["beside"]
        knobs = {knob.name: knob for knob in _info_of(words(other, "an experiment")).knobs}
        beside = Beside(other, _turned_to(params, knobs))
    return RunSpec(
        experiment, dataset, _turned_to(about["params"], {knob.name: knob for knob in info.knobs}),
        whole(about["seed"], *SEEDS, "a seed"), _folder(about["data_dir"]), data_params, beside,
    )  # fmt: skip


def _info_of(experiment: str) -> Info:
    try:
        return find(experiment).info
    except InputError as error:
        raise ForeignError(experiment) from error


def _folder(word: object) -> Path | None:
    """Where the data lie."""
    if word is None:
        return None
    if not isinstance(word, str) or "\0" in word or len(word) > 10_000:
        raise ValueError("an impossible folder")
    return Path(word)


def stranger(path: Path, near: Path) -> bool:
    """Whether ``path`` lies on another computer than this one, the one ``near`` lies on, the one where the
    person is at home, and those whose data were used before. Windows tells a computer who is looking, as soon
    as something on it is looked at.
    """
    host = _host(path)
    return bool(host) and host not in {_host(near), _host(Path.home()), *_familiar}


def meet(path: Path) -> None:
    """A person has used data at ``path``."""
    _familiar.add(_host(path))


_familiar: set[str] = set()


def _host(path: Path) -> str:
    """The computer that begins a path of Windows after two backslashes; "" is this one."""
    drive = PureWindowsPath(path).drive.replace("/", "\\")
    return drive.split("\\")[2].lower() if drive.startswith("\\\\") else ""


def _turned_to(values: object, knobs: Mapping[str, Any]) -> dict[str, Value]:
    """What knobs are turned to, each in its own type. ForeignError: there is no such knob here."""
    if not isinstance(values, dict):
        raise ValueError("no values of knobs")
    for name in values:
        if name not in knobs:
            raise ForeignError(name)
    try:
        return {name: check(knobs[name], value) for name, value in values.items()}
    except InputError as error:
        raise ValueError(str(error.sentence)) from error


def declared(spec: RunSpec) -> Info:
    """What the experiment of a run offers, or the two side by side together."""
    info = _info_of(spec.experiment)
    return info if spec.beside is None else joined(info, _info_of(spec.beside.experiment))


def log(entries: object, info: Info) -> list[Turned | Acted]:
    """What was done by hand, the oldest first."""
    if not isinstance(entries, list):
        raise ValueError("no log")
    knobs, done_before = {knob.name: knob for knob in info.knobs}, 0
    found: list[Turned | Acted] = []
    for kind, step, name, at, *values in entries:
        done_before = whole(step, done_before, MOST_STEPS, "a step in the log")
        need(0 <= _number(at, "a time") < LATEST, "an impossible time")
        if kind == "acted":
            need(not values, "too much in the log")
            if name not in info.actions and plain(words(name, "an action")) != PAINTED:
                raise ForeignError(name)
            found.append(Acted(step, name, at))
        else:
            need(kind == "turned" and len(values) == 2, "too much in the log")
            old, new = (_turned_to({name: value}, knobs)[name] for value in values)
            found.append(Turned(step, name, old, new, at=at))
    return found


def scalars(found: object, info: Info) -> dict[str, tuple[array[int], array[float]]]:
    """The curves."""
    if not isinstance(found, dict):
        raise ValueError("no curves")
    curves = {}
    for name, both in found.items():
        if name not in info.scalars:
            raise ForeignError(name)
        steps, values = both
        _of_shape(values, "f8", "values of a curve", _of_shape(steps, "i8", "steps of a curve", None))
        rising = len(steps) == 0 or (steps[0] >= 0 and bool((steps[1:] >= steps[:-1]).all()))
        need(rising and bool(np.isfinite(values).all()), "a curve that runs backwards, or is no number")
        curves[name] = array("q", steps.tobytes()), array("d", values.tobytes())
    return curves


class Keyframes:
    """Looks at recorded pictures; one that several runs share is looked at once."""

    def __init__(self) -> None:
        self._seen: dict[int, object] = {}

    def check(self, views: object, info: Info) -> None:
        """The pictures of one step."""
        if not isinstance(views, dict):
            raise ValueError("no pictures")
        for name, payload in views.items():
            if name not in info.channels:
                raise ForeignError(name)
            if id(payload) not in self._seen:
                check_payload(payload, info.channels[name])
                self._seen[id(payload)] = payload


def painted(found: object, data: Dataset) -> Dataset:
    """``data`` with the points in the plane that somebody has painted."""
    if not isinstance(found, dict):
        raise ValueError("no painted points")
    need(data.kind == "points" and data.flat.shape[1] == 2, "points painted on other data than a plane")
    x, y, names = found["x"], found["y"], found["names"]
    if not isinstance(x, torch.Tensor) or not isinstance(y, torch.Tensor):
        raise ValueError("painted points that are none")
    n = _of_shape(x.numpy(), "f4", "painted points", None, 2)
    _of_shape(y.numpy(), "i8", "their classes", n)
    need(0 < n <= MOST_POINTS and bool((x.abs() < FARTHEST).all()), "no painted points, or far too many")
    classes = _texts(names, "names of classes")
    need(int(y.min()) >= 0 and int(y.max()) < classes, "a class without a name")
    return dataclasses.replace(data, x=x, y=y, names=names, total=n, factors=(), painted=True)


# ── what can be gone on from ────────────────────────────────────────────────────────────────────────────────


class Checkpoints:
    """Looks at the kept states of one run, and puts every knob into them that the file does not know of.

    done: how much there is in the log.
    """

    def __init__(self, spec: RunSpec, done: int) -> None:
        self._sides = {"": spec.experiment}
        if spec.beside is not None:
            self._sides = {"a": spec.experiment, "b": spec.beside.experiment}
        self._dataset, self._done = spec.dataset, done
        self._values: dict[object, dict[str, Value]] = {}

    def check(self, kept: object, step: int) -> None:
        """What was kept at ``step``, as ``state()`` of a runner gave it."""
        if not isinstance(kept, dict):
            raise ValueError("no state")
        if "log" in kept:
            whole(kept["log"], 0, self._done, "what had been done")
        own = kept["experiment"]["step"] if "" in self._sides else kept["step"]
        need(whole(own, 0, MOST_STEPS, "a step") == step, "a state of another step")
        _plain(kept)
        for side, experiment in self._sides.items():
            state = kept[side] if side else kept
            whole(state["experiment"]["step"], 0, MOST_STEPS, "a step")
            _random_state(state["torch_rng"])
            _random_state(state["experiment"]["rng"])
            state["params"] = self._every_knob(experiment, state["params"])

    def _every_knob(self, experiment: str, values: object) -> dict[str, Value]:
        if not isinstance(values, dict):
            raise ValueError("no values of knobs")
        key = (experiment, *((name, type(value), value) for name, value in values.items()))
        if key not in self._values:
            cls = find(experiment)
            known = _turned_to(values, {knob.name: knob for knob in cls.info.knobs})
            preset = cls.info.presets.get(self._dataset, {})
            self._values[key] = as_dict(change(cls.params_class()(), {**preset, **known}))
        return dict(self._values[key])


def _plain(state: object) -> None:
    """A state is made of numbers, words and arrays in nested containers."""
    if isinstance(state, dict):
        for key, value in state.items():
            _plain(key)
            _plain(value)
    elif isinstance(state, (list, tuple)):
        for value in state:
            _plain(value)
    else:
        good = state is None or isinstance(state, (bool, int, float, str, torch.Tensor, np.ndarray))
        need(good, "a strange thing in a state")


def _random_state(value: object) -> None:
    """The state of a random generator."""
    if not isinstance(value, torch.Tensor) or value.dtype != torch.uint8:
        raise ValueError("no random state")
    try:
        torch.Generator().set_state(value)
    except (RuntimeError, TypeError) as error:
        raise ValueError("an impossible random state") from error


def check_fits(experiment: Experiment[Any], kept: Mapping[str, Any]) -> None:
    """What was kept of an experiment has the parts, types and sizes that it has here, and only numbers.

    ``Experiment.sizes`` says which sizes need not be those of a start.
    """
    lengths: dict[str, int] = {}
    for name in experiment.memory:
        if name not in kept:
            continue  # of an older file; restore() knows what to do, or complains
        mine, theirs = getattr(experiment, name), kept[name]
        if isinstance(mine, torch.optim.Optimizer):
            _optimiser(name, mine, theirs)
        else:
            mine = mine.state_dict() if hasattr(mine, "state_dict") else mine
            _alike(name, mine, theirs, experiment.sizes, lengths)
    experiment.check_kept(kept)


def _alike(path: str, mine: Any, theirs: Any, sizes: Mapping[str, str], lengths: dict[str, int]) -> None:
    if isinstance(mine, (torch.Tensor, np.ndarray)):
        need(type(theirs) is type(mine) and theirs.dtype == mine.dtype, f"{path} is of another type")
        free = sizes.get(path, "." * mine.ndim)
        need(len(free) == theirs.ndim, f"{path} has other axes")
        for letter, own, size in zip(free, mine.shape, theirs.shape, strict=True):
            wanted = own if letter == "." else lengths.setdefault(letter, size)
            need(size == wanted and (size > 0 or not letter.isupper()), f"{path} has another size")
        _finite(path, theirs)
    elif isinstance(mine, Mapping):
        need(isinstance(theirs, Mapping) and set(mine) == set(theirs), f"{path} has other parts")
        for key in mine:
            _alike(f"{path}/{key}", mine[key], theirs[key], sizes, lengths)
    elif isinstance(mine, (list, tuple)):
        need(isinstance(theirs, type(mine)), f"{path} is of another type")
        need(path in sizes or len(mine) == len(theirs), f"{path} has another length")
        for index, one in enumerate(theirs):
            if mine:
                _alike(f"{path}/{index}", mine[min(index, len(mine) - 1)], one, sizes, lengths)
    elif isinstance(mine, float):
        _number(theirs, path)
    else:
        need(type(theirs) is type(mine), f"{path} is of another type")


def _finite(path: str, values: torch.Tensor | np.ndarray) -> None:
    """Numbers that are none would be taken up without a word, and spoil everything later."""
    if isinstance(values, torch.Tensor):
        good = not values.is_floating_point() or bool(torch.isfinite(values).all())
    else:
        good = values.dtype.kind != "f" or bool(np.isfinite(values).all())
    need(good, f"{path} is not finite")


def _optimiser(path: str, mine: torch.optim.Optimizer, theirs: Any) -> None:
    """What an optimiser remembers appears with its first step: each of it is as large as its parameter."""
    now = mine.state_dict()
    need(isinstance(theirs, Mapping) and set(theirs) == set(now), f"{path} has other parts")
    _alike(f"{path}/param_groups", now["param_groups"], theirs["param_groups"], {}, {})
    ids = [i for group in now["param_groups"] for i in group["params"]]
    params = dict(zip(ids, (p for group in mine.param_groups for p in group["params"]), strict=True))
    for group, other in zip(now["param_groups"], theirs["param_groups"], strict=True):
        need(group["params"] == other["params"], f"{path} has other parameters")
    need(isinstance(theirs["state"], Mapping) and set(theirs["state"]) <= set(ids), f"{path} has other parts")
    for i, remembered in theirs["state"].items():
        need(isinstance(remembered, Mapping), f"{path} has other parts")
        for name, value in remembered.items():
            words(name, path)
            if isinstance(value, torch.Tensor):
                need(value.ndim == 0 or value.shape == params[i].shape, f"{path}/{name} has another size")
                _finite(path, value)
            else:
                need(value is None or isinstance(value, (bool, int, float)), f"{path}/{name} is odd")


# ── the tree ────────────────────────────────────────────────────────────────────────────────────────────────


def check_tree(nodes: Mapping[int, Node], active: object, ghost: object) -> None:
    """The runs of a file have grown from one start: each left another of them, and not itself."""
    need(0 < len(nodes) <= MOST_RUNS and active in nodes, "no runs, or far too many")
    need(ghost is None or (ghost in nodes and ghost != active), "a ghost that is no run")
    first = next(iter(nodes.values()))
    for node in nodes.values():
        need(_kin(node.spec) == _kin(first.spec), "runs of different kinds")
        need(node.parent is None or node.parent in nodes, "a run without the one it came from")
        need(0 <= node.start <= node.last, "a run that begins after its end")
    for node in nodes.values():
        seen = {node.id}
        while node.parent is not None:
            node = nodes[node.parent]
            need(node.id not in seen, "a run that came from itself")
            seen.add(node.id)


def check_pair(pair_: Node, nodes: Mapping[int, Node], active: int, beside: object) -> None:
    """Two of ``nodes`` side by side."""
    need(beside in nodes and beside != active, "two runs side by side that are not two")
    spec, first = pair_.spec, nodes[active].spec
    need(first.beside is None and spec.beside is not None, "two runs side by side that are not two")
    need(spec.rival == first.experiment, "runs of different kinds")
    need(_kin(spec)[:-1] == _kin(first)[:-1], "runs of different kinds")


def _kin(spec: RunSpec) -> tuple[object, ...]:
    """What all runs that have grown from one start have in common."""
    return spec.experiment, spec.data_key, spec.seed, spec.rival


def steps_of(keyframes: object, checkpoints: object, most: int) -> list[int]:
    """The steps at which pictures were kept, rising. The run can go on from one of them at least."""
    if not isinstance(keyframes, dict) or not isinstance(checkpoints, dict):
        raise ValueError("nothing recorded")
    need(len(keyframes) <= most, "far too much")
    need(len(checkpoints) > 0 and checkpoints.keys() <= keyframes.keys(), "nothing to go on from")
    return sorted(whole(step, 0, MOST_STEPS, "a recorded step") for step in keyframes)


def node_name(word: object) -> str:
    """What somebody has called a run."""
    name = words(word, "the name of a run", LONGEST_NAME)
    need(not any(letter < " " or "\x7f" <= letter < "\xa0" for letter in name), "a strange name")
    return name
