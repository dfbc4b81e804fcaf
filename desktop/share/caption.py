"""One line that says what a picture shows, so that it can be made again from nothing else:
“k-means · Digits · k = 6 · start: random points · seed 3 · step 120 · Latentarium”.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from desktop.conductor import words_of
from desktop.language import _, number, tr
from engine.api import Info, KnobSpec, RunSpec, Turned, Value, first, is_own, prefixed, second, sources

if TYPE_CHECKING:
    from desktop.record import Record
    from desktop.window import Window

APART = " · "
MAIN = 2
"""Knobs that are told whatever their values: an experiment lists first what it is mostly about."""


def of(window: Window, step: int | None = None) -> str:
    """What the window shows, in the present language. step: of the picture; None: the one on screen."""
    conductor, record = window.conductor, window.record
    if conductor is None or record is None or record.started is None:
        return "Latentarium"
    step = window.shown_step if step is None else step
    values: Mapping[str, Value] = record.values
    if step < window.step:
        values = values_at(record, step)
    return write(conductor.infos, record.started.spec, values, step, painted=record.started.painted)


def write(
    infos: Mapping[str, Info],
    spec: RunSpec,
    values: Mapping[str, Value],
    step: int | None,
    *,
    painted: bool = False,
) -> str:
    """The line for one run, or for two side by side. values: of every knob, those of B under its prefix."""
    parts = [*_experiment(infos, spec, values), tr(_("seed {seed}", seed=spec.seed))]
    if step is not None:
        parts.append(tr(_("step {step}", step=number(step))))
    if painted:
        parts.append(tr(_("painted by hand")))
    return APART.join([*parts, "Latentarium"])


def values_at(record: Record, step: int) -> dict[str, Value]:
    """Where the knobs stood at an earlier step."""
    spec = record.spec
    if spec is None:
        return {}
    values = dict(spec.params)
    if spec.beside is not None:
        values |= prefixed(spec.beside.params)
    for done in record.log:
        if isinstance(done, Turned) and done.step <= step:
            values[done.name] = done.new
    return values


def _experiment(infos: Mapping[str, Info], spec: RunSpec, values: Mapping[str, Value]) -> list[str]:
    """What is done, on which data, and how."""
    info, mine = infos[spec.experiment], first(values)
    if spec.beside is None:
        return [tr(info.title), *_data(spec), *_told(_chosen(info, mine), mine)]
    rival, its = infos[spec.beside.experiment], second(values)
    if rival.id != info.id:
        sides = ((info, mine, "A"), (rival, its, "B"))
        return [
            *(f"{side}: {', '.join((tr(one.title), *_told(_chosen(one, v), v)))}" for one, v, side in sides),
            *_data(spec),
        ]
    apart = [knob for knob in info.knobs if mine.get(knob.name) != its.get(knob.name)]
    alike = [knob for knob in _chosen(info, mine) if knob not in apart]
    sides_told = (f"{side}: {', '.join(_told(apart, v))}" for side, v in (("A", mine), ("B", its)) if apart)
    return [tr(info.title), *_data(spec), *_told(alike, mine), *sides_told]


def _chosen(info: Info, values: Mapping[str, Value]) -> list[KnobSpec]:
    """The main knobs, and those that somebody has turned."""
    known = [knob for knob in info.knobs if knob.name in values]
    return [knob for i, knob in enumerate(known) if i < MAIN or values[knob.name] != knob.default]


def _told(knobs: Iterable[KnobSpec], values: Mapping[str, Value]) -> list[str]:
    return [tr(words_of(knob, values[knob.name])) for knob in knobs if knob.name in values]


def _data(spec: RunSpec) -> list[str]:
    """The data set, and in what it differs from how it comes."""
    source = sources().get(spec.dataset)
    if source is None:
        return []
    own = [spec.data_dir.name] if is_own(spec.dataset) and spec.data_dir is not None else []
    turned = [knob for knob in source.knobs if spec.data_params.get(knob.name, knob.default) != knob.default]
    return [", ".join((tr(source.title), *own, *_told(turned, spec.data_params)))]
