"""What the lecturer has chosen, and the commands that follow from it. No widgets.

Between the controls, which speak of experiments, data sets, knobs and seeds, and the engine, which speaks of
runs.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from desktop.bridge import Bridge
from desktop.wording import name_of, value_of
from engine.api import (
    Beside,
    Grown,
    Info,
    KnobSpec,
    Ready,
    RunSpec,
    Sought,
    Started,
    StatusChanged,
    Text,
    Turned,
    Value,
    first,
    is_own,
    joined,
    prefixed,
    second,
)

EPOCH = -1
LARGEST_SEED = 9999  # four digits, so that it can be said aloud


class Conductor(QObject):
    """One experiment at a time. ``spec`` is what runs or is being set up."""

    chosen = Signal(object)
    """Another experiment (its Info)."""
    asked = Signal(object)
    """A run has been asked for (its RunSpec); ``Bridge.started`` follows, or ``refused``."""

    def __init__(self, bridge: Bridge, data_dir: Path | None = None) -> None:
        super().__init__(bridge)
        self.bridge = bridge
        self.engine = bridge.engine
        self.infos: dict[str, Info] = {}
        self.info: Info | None = None
        self.spec: RunSpec | None = None
        self.values: dict[str, Value] = {}
        self.demo: tuple[str, str] | None = None
        self.data_dir = self._good_dir = data_dir
        self.running = False
        self._epoch = 1
        self._true: dict[str, Value] = {}  # the knobs of the run that stands, whatever has been asked for
        self._waiting = False
        bridge.ready.connect(self._on_ready)
        self.tree: Grown | None = None
        bridge.started.connect(self._on_started)
        bridge.status.connect(self._on_status)
        bridge.turned.connect(self._on_turned)
        bridge.sought.connect(self._on_sought)
        bridge.grown.connect(self._on_grown)

    def _on_ready(self, ready: Ready) -> None:
        self.infos = {info.id: info for info in ready.catalogue}

    def _on_started(self, started: Started) -> None:
        if not started.fresh:
            self._adopt(started)
        self._epoch = started.epoch
        self._waiting = False
        if not is_own(started.spec.dataset):
            self._good_dir = started.spec.data_dir
        self._true = dict(started.params)
        self.values = dict(started.params)

    def _adopt(self, started: Started) -> None:
        """A run that was not begun here: a branch, another one of the tree, or one from a file."""
        info, former = self.infos[started.spec.experiment], self.spec
        if former is None or former.experiment != started.spec.experiment:
            self._take_up(info)
        if former is None or former.data_key != started.spec.data_key:
            self.demo = None
        self.spec = started.spec

    def _on_grown(self, grown: Grown) -> None:
        self.tree = grown

    def _on_sought(self, sought: Sought) -> None:
        if sought.values and not self._waiting:
            self.values = dict(sought.values)

    def _on_turned(self, turned: Turned) -> None:
        if not turned.waiting:
            self._true[turned.name] = turned.new
        if not self._waiting:  # a knob of the former run says nothing about the next one
            self.values[turned.name] = turned.new

    def _on_status(self, status: StatusChanged) -> None:
        self.running = status.status == "running"

    # ── what to run ─────────────────────────────────────────────────────────────────────────────────────────

    def choose(
        self,
        experiment: str,
        *,
        dataset: str | None = None,
        params: Mapping[str, Value] | None = None,
        seed: int = 0,
    ) -> None:
        """Stand at the first step of ``experiment``; its first data set and the defaults unless given."""
        info = self._take_up(self.infos[experiment])
        self._start(
            RunSpec(experiment, dataset or next(iter(info.datasets), ""), params or {}, seed, self.data_dir)
        )

    def _take_up(self, info: Info) -> Info:
        self.info = info
        self.demo = None
        self.chosen.emit(info)
        self.engine.pace(info.pace)
        return info

    def choose_demo(self, experiment: str, name: str) -> None:
        demo = next(d for d in self.infos[experiment].demos if d.name == name)
        info = self._take_up(self.infos[experiment])
        self._start(RunSpec(info.id, demo.dataset, demo.params, demo.seed, self.data_dir, beside=demo.beside))
        self.demo = (experiment, name)

    def pictured(self) -> list[str]:
        """The channel that the chosen demo is about, if one is chosen."""
        if self.demo is None:
            return []
        return [d.picture for d in self.infos[self.demo[0]].demos if d.name == self.demo[1]]

    def info_of(self, spec: RunSpec) -> Info:
        """What the experiment of ``spec`` offers, together with what stands beside it."""
        info = self.infos[spec.experiment]
        return info if spec.beside is None else joined(info, self.infos[spec.beside.experiment])

    def presets(self, spec: RunSpec) -> dict[str, Value]:
        """The knob values that suit the data of ``spec``, on both sides."""
        found = dict(self.infos[spec.experiment].presets.get(spec.dataset, {}))
        if spec.beside is not None:
            found |= prefixed(self.infos[spec.beside.experiment].presets.get(spec.dataset, {}))
        return found

    def rivals(self) -> list[Info]:
        """Other experiments of the same topic that take the present data."""
        if self.spec is None or self.info is None or not self.spec.dataset:
            return []
        return [
            info
            for info in self.infos.values()
            if info.topic == self.info.topic
            and info.id != self.info.id
            and self.spec.dataset in info.datasets
        ]

    def compare(self, experiment: str | None) -> None:
        """Set ``experiment`` beside the one that runs, on the same data and seed; None: let it run alone
        again. The same experiment starts with the same settings.
        """
        if self.spec is None:
            return
        if experiment is None and self.tree is not None and self.tree.beside is not None:
            self.engine.switch(self.tree.active)  # two runs of the tree part, and neither is lost
            return
        mine = first(self.values)
        beside = None
        if experiment is not None:
            beside = Beside(experiment, mine if experiment == self.spec.experiment else {})
        self.demo = None
        spec = dataclasses.replace(self.spec, params=mine, beside=beside)
        self.engine.pace(self.info_of(spec).pace)
        self._start(spec, original=False)

    def sides(self) -> tuple[Text | str, Text | str]:
        """What tells A from B: the experiments, or the knobs that differ."""
        spec = self.spec
        if spec is None or spec.beside is None:
            return "", ""
        if spec.beside.experiment != spec.experiment:
            return self.infos[spec.experiment].title, self.infos[spec.beside.experiment].title
        return self._told(first(self.values)), self._told(second(self.values))

    def _told(self, values: Mapping[str, Value]) -> Text | str:
        """The first knob or two in which A and B differ, with its value here."""
        assert self.info is not None
        a, b = first(self.values), second(self.values)
        differing = [k for k in self.info.knobs if k.name in values and a.get(k.name) != b.get(k.name)][:2]
        words = [words_of(knob, values[knob.name]) for knob in differing]
        return Text("{a}, {b}", dict(zip("ab", words, strict=True))) if len(words) == 2 else (*words, "")[0]

    def use_dataset(self, name: str) -> None:
        """The same experiment on other data, which start from their own defaults."""
        self.demo = None
        if self.spec is not None:
            beside = self._beside_on(name)
            spec = RunSpec(self.spec.experiment, name, {}, self.spec.seed, self.data_dir, beside=beside)
            self._start(spec)

    def _beside_on(self, dataset: str) -> Beside | None:
        """What runs beside, on other data: with its own defaults, but for the knobs that are compared."""
        spec = self.spec
        if spec is None or spec.beside is None:
            return None
        if dataset not in self.infos[spec.beside.experiment].datasets:
            return None
        a, b = first(self.values), second(self.values)
        same = spec.beside.experiment == spec.experiment
        return Beside(spec.beside.experiment, {n: v for n, v in b.items() if same and a.get(n) != v})

    def use_own(self, dataset: str, path: Path, data_params: Mapping[str, Value]) -> bool:
        """What lies at ``path``, read as ``dataset`` says, with this experiment or the first that can.

        False when no experiment takes such data.
        """
        takers = [info for info in self.infos.values() if dataset in info.datasets]
        if not takers:
            return False
        info = self.info
        if info is None or info not in takers:
            info = self._take_up(takers[0])
        self.demo = None
        self._start(RunSpec(info.id, dataset, {}, 0, path, data_params))
        return True

    def turn_data(self, name: str, value: Value) -> None:
        """Turn a knob of the data set: the data are made anew, and the run starts again."""
        if self.spec is None or self.spec.data_params.get(name) == value:
            return
        self._play_on(data_params={**self.spec.data_params, name: value})

    def reset(self) -> None:
        """The same start again: same seed, same knobs, and what has been painted stays."""
        self._restart()

    def bring_back(self) -> None:
        """The data as they were before anybody painted on them, under the same knobs; plays on if it did."""
        self._play_on(original=True)

    def new_seed(self) -> None:
        self._restart(seed=random.randint(1000, LARGEST_SEED))  # noqa: S311

    def turn(self, name: str, value: Value) -> None:
        """Turn a knob: at once where it is live, otherwise by a new run, which plays on if this one did."""
        info = None if self.spec is None else self.info_of(self.spec)
        known = () if info is None else [knob.name for knob in info.knobs]
        if info is None or name not in known or self.values.get(name) == value:
            return
        self.values[name] = value
        if info.knob(name).live:
            self.engine.set(name, value)
        else:
            self._play_on()

    def back_to(self, started: Started) -> None:
        """What was asked for was refused: the run that is still there is what counts."""
        self.spec = started.spec
        self.info = self.infos[started.spec.experiment]
        self._waiting = False
        self.values = dict(self._true)
        self.data_dir = self._good_dir

    def _restart(self, *, original: bool = False, **changes: Any) -> None:
        """The same run again from its start, with ``changes`` to its spec."""
        if self.spec is not None:
            spec = dataclasses.replace(self.spec, params=first(self.values), **changes)
            if spec.beside is not None:
                beside = dataclasses.replace(spec.beside, params=second(self.values))
                spec = dataclasses.replace(spec, beside=beside)
            self._start(spec, original=original)

    def _play_on(self, *, original: bool = False, **changes: Any) -> None:
        """Restart, and play on if it played."""
        playing = self.running
        self._restart(original=original, **changes)
        if playing:
            self.engine.resume()

    def _start(self, spec: RunSpec, *, original: bool = True) -> None:
        self.spec = spec
        self.values, self._waiting = dict(spec.params), True
        if spec.beside is not None:
            self.values |= prefixed(spec.beside.params)
        self.asked.emit(spec)
        self.engine.start(spec, original=original)

    # ── transport ───────────────────────────────────────────────────────────────────────────────────────────

    def step(self, steps: int) -> None:
        """``steps`` further (EPOCH: one pass over the data), then pause."""
        self.engine.advance(self._epoch if steps == EPOCH else steps)


def words_of(knob: KnobSpec, value: Value) -> Text | str:
    """A knob with its value, as a title says it: “k = 5”."""
    name = name_of(knob)
    if isinstance(value, bool | str):
        return Text("{name}: {value}", {"name": name, "value": value_of(knob, value)})
    return Text("{name} = {value:.4g}", {"name": name, "value": float(value)})
