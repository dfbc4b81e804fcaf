"""The words, numbers and curves of a hand-out, in the present language."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from typing import TYPE_CHECKING

from PySide6.QtCore import QDate

from desktop.language import _, language, number, tr
from desktop.share import graphs, page
from desktop.topics import TOPICS
from desktop.wording import done_in_words, gestures, value_of
from engine.api import (
    Acted,
    Branch,
    Info,
    KnobSpec,
    RunSpec,
    Started,
    Text,
    Turned,
    Value,
    is_own,
    is_second,
    prefixed,
    script,
    sources,
)

if TYPE_CHECKING:
    from desktop.record import Record
    from desktop.window import Window

APART = " · "
HEADS = {
    "pictures": _("What is seen"),
    "moments": _("How it came about"),
    "curves": _("Curves"),
    "settings": _("Knobs"),
    "done": _("What was done by hand"),
    "runs": _("The runs"),
    "lesson": _("The lesson"),
    "again": _("Do it again"),
}


def compose(window: Window) -> page.Page:
    """Everything but the pictures, in the present language."""
    assert window.record is not None
    assert window.conductor is not None
    record, conductor = window.record, window.conductor
    started, spec = record.started, record.spec
    assert started is not None
    assert spec is not None
    info = conductor.info_of(spec)
    done = [(d.step, tr(done_in_words(info, d, sides=spec.beside is not None))) for d in gestures(record.log)]
    return page.Page(
        language=language.code,
        title=tr(info.title),
        question=tr(info.question),
        facts=[(tr(name), value) for name, value in _facts(window, started, spec)],
        heads=page.Heads(**{name: tr(words) for name, words in HEADS.items()}),
        charts=_charts(window, info, spec, [step for step, _words in done]),
        settings=_settings(record, info, spec),
        done=_done(done),
        runs=_runs(window, info),
        lesson=window.lesson(),
        again=_again(record, info, spec, started, window.step),
        foot=_foot(),
    )


def _facts(window: Window, started: Started, spec: RunSpec) -> Iterator[tuple[Text, str]]:
    yield _("Date"), language.locale.toString(QDate.currentDate(), "d MMMM yyyy")
    source = sources().get(spec.dataset)
    if source is not None:
        yield _("Data"), APART.join((tr(source.title), *_own(spec), _size(started)))
    yield _("Seed"), str(spec.seed)
    yield _("Steps"), number(window.step)
    if window.timeline.news:
        yield _("Ended"), window.timeline.news
    if spec.beside is not None and window.conductor is not None:
        a, b = window.conductor.sides()
        yield _("Side by side"), tr(_("A: {a}, B: {b}", a=a, b=b))


def _own(spec: RunSpec) -> list[str]:
    """The name of a person's own file. Not where it lies: that tells strangers about them."""
    return [spec.data_dir.name] if is_own(spec.dataset) and spec.data_dir is not None else []


def _size(started: Started) -> str:
    if started.painted:
        return tr(_("painted by hand · {n} points", n=number(started.size)))
    if started.size < started.total:
        return tr(_("showing {size} of {total}", size=number(started.size), total=number(started.total)))
    pictures = started.kind == "images"
    size = number(started.size)
    return tr(_("{size} pictures", size=size) if pictures else _("{size} points", size=size))


def _foot() -> str:
    try:
        made_with = metadata.version("latentarium")
    except metadata.PackageNotFoundError:
        made_with = ""
    return tr(_("Made with Latentarium {version}. Everything is in this file.", version=made_with))


# ── settings ──


def _settings(record: Record, info: Info, spec: RunSpec) -> page.Table:
    """Every knob at the start, and now where one has been turned; with two runs, of both."""
    begun: dict[str, Value] = {**spec.params}
    if spec.beside is not None:
        begun |= prefixed(spec.beside.params)
    turned = any(record.values.get(name) != value for name, value in begun.items())
    rows, notes = [], []
    for label, knob, value in (*_data_knobs(spec), *_knobs(info, begun, sides=spec.beside is not None)):
        row = [label, tr(value_of(knob, value))]
        if turned:
            now = record.values.get(knob.name, value)
            row.append(tr(value_of(knob, now)) if now != value else "")
        rows.append(row)
        notes.append(tr(knob.help))
    head = [_("Knob"), _("At the start"), _("At the end")] if turned else [_("Knob"), _("Value")]
    return page.Table([tr(word) for word in head], rows, notes)


def _knobs(info: Info, values: Mapping[str, Value], *, sides: bool) -> Iterator[tuple[str, KnobSpec, Value]]:
    for knob in info.knobs:
        if knob.name in values:
            side = ("B: " if is_second(knob.name) else "A: ") if sides else ""
            yield side + tr(knob.label), knob, values[knob.name]


def _data_knobs(spec: RunSpec) -> Iterator[tuple[str, KnobSpec, Value]]:
    source = sources().get(spec.dataset)
    for knob in source.knobs if source is not None else ():
        yield tr(knob.label), knob, spec.data_params.get(knob.name, knob.default)


def _done(done: Sequence[tuple[int, str]]) -> page.Table | None:
    if not done:
        return None
    rows = [(tr(_("step {step}", step=number(step))), words) for step, words in done]
    return page.Table((tr(_("When")), tr(_("What was done"))), rows)


# ── curves ──


def _charts(window: Window, info: Info, spec: RunSpec, marks: Sequence[int]) -> list[page.Chart]:
    """One chart for each number, and one for those whose titles begin alike."""
    assert window.area is not None
    if spec.beside is None and any(info.id in topic.without_curves for topic in TOPICS):
        return []
    groups: dict[str, list[tuple[str, graphs.Line, str]]] = {}
    for index, (key, title, trace, _ghost) in enumerate(window.area.loss.numbers()):
        if len(trace) < 2:
            continue
        curve = trace.reduced(0, float(trace.steps[-1]), graphs.COLUMNS)
        if curve.extremes() is None:
            continue
        last = "" if trace.last is None else number(trace.last)
        line = graphs.Line(title, index, curve)
        groups.setdefault(title.partition(APART)[0], []).append((key, line, last))
    return [_chart(head, group, info, marks) for head, group in groups.items()]


def _chart(
    head: str, group: Sequence[tuple[str, graphs.Line, str]], info: Info, marks: Sequence[int]
) -> page.Chart:
    log = all(info.scalars[key].log for key, _line, _last in group)
    svg = graphs.chart([line for _key, line, _last in group], log=log, marks=marks, across=tr(_("steps")))
    several = len(group) > 1
    legend = [
        (graphs.colour(line), line.name.removeprefix(head + APART) if several else line.name, last)
        for _key, line, last in group
    ]
    return page.Chart(head if several else "", svg, legend)


# ── the tree of runs ──


def _runs(window: Window, info: Info) -> list[page.Run]:
    """All that have grown from one start, where there are several."""
    grown = window.tree.lanes.grown
    if len(grown.branches) < 2:
        return []
    newest = max(max(branch.last for branch in grown.branches), 1)
    by_id = {branch.id: branch for branch in grown.branches}

    def depth(branch: Branch) -> int:
        parent = by_id.get(branch.parent) if branch.parent is not None else None
        return 0 if parent is None else 1 + depth(parent)

    return [
        page.Run(
            name=tr(window.tree.name(branch.id)),
            steps=tr(_("steps {first} to {last}", first=number(branch.start), last=number(branch.last))),
            done=", ".join(tr(done_in_words(info, done)) for done in gestures(branch.log)),
            begin=branch.start / newest,
            end=branch.last / newest,
            depth=depth(branch),
            active=branch.id == grown.active,
        )
        for branch in grown.branches
    ]


# ── again ──


def _again(record: Record, info: Info, spec: RunSpec, started: Started, step: int) -> page.Again:
    said = [tr(_("In the window: choose this experiment, the data, the seed and the knobs above, and play."))]
    line = "" if started.painted else command(info, spec, record.log, step)
    if line:
        said.append(tr(_("Without the window, where Latentarium is installed:")))
    if started.painted or any(isinstance(done, Acted) for done in record.log):
        said.append(tr(_("What was painted or moved by hand is not repeated by this.")))
    # Of a person's own file the script would tell where it lies.
    program = "" if started.painted or is_own(spec.dataset) else script(spec, record.log, step, say=tr)
    return page.Again(said, line, tr(_("A script of this run")), program)


def command(info: Info, spec: RunSpec, log: Sequence[Turned | Acted], steps: int) -> str:
    """The line that trains the same without a window; "" where such a line cannot say all of it."""
    source = sources().get(spec.dataset)
    if spec.beside is not None or spec.data_params or is_own(spec.dataset):
        return ""
    words = ["python", "-m", "engine", "run", spec.experiment]
    if spec.dataset:
        words += ["--dataset", spec.dataset]
    if source is not None and source.needs_folder:
        words += ["--data-dir", tr(_("FOLDER"))]
    words += ["--seed", str(spec.seed)]
    usual = {knob.name: knob.default for knob in info.knobs} | dict(info.presets.get(spec.dataset, {}))
    for name, value in spec.params.items():
        if usual.get(name) != value:
            words += ["--set", f"{name}={_typed(value)}"]
    for done in log:
        if isinstance(done, Turned) and not done.waiting:  # effective from its step on: turned before that
            words += ["--at", f"{done.step - 1}:{done.name}={_typed(done.new)}"]
    return shlex.join([*words, "--steps", str(max(steps, 1)), "--out", tr(_("results"))])


def _typed(value: Value) -> str:
    """As one types it: on, 0.5, k-means++."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return repr(value) if isinstance(value, float) else str(value)
