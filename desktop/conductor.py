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
from engine.api import Info, Ready, RunSpec, Started, StatusChanged, Turned, Value, is_own

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
        bridge.started.connect(self._on_started)
        bridge.status.connect(self._on_status)
        bridge.turned.connect(self._on_turned)

    def _on_ready(self, ready: Ready) -> None:
        self.infos = {info.id: info for info in ready.catalogue}

    def _on_started(self, started: Started) -> None:
        self._epoch = started.epoch
        self._waiting = False
        if not is_own(started.spec.dataset):
            self._good_dir = started.spec.data_dir
        self._true = dict(started.params)
        self.values = dict(started.params)

    def _on_turned(self, turned: Turned) -> None:
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
        self.choose(experiment, dataset=demo.dataset, params=demo.params, seed=demo.seed)
        self.demo = (experiment, name)

    def use_dataset(self, name: str) -> None:
        """The same experiment on other data, which start from their own defaults."""
        self.demo = None
        if self.spec is not None:
            self._start(RunSpec(self.spec.experiment, name, {}, self.spec.seed, self.data_dir))

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
        known = () if self.info is None else [knob.name for knob in self.info.knobs]
        if self.info is None or name not in known or self.values.get(name) == value:
            return
        self.values[name] = value
        if self.info.knob(name).live:
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
            spec = dataclasses.replace(self.spec, params=self.values, **changes)
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
        self.asked.emit(spec)
        self.engine.start(spec, original=original)

    # ── transport ───────────────────────────────────────────────────────────────────────────────────────────

    def step(self, steps: int) -> None:
        """``steps`` further (EPOCH: one pass over the data), then pause."""
        self.engine.advance(self._epoch if steps == EPOCH else steps)
