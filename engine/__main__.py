"""Every experiment without a window: ``python -m engine list | run | bench | data``."""

from __future__ import annotations

import argparse
import csv
import dataclasses
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import boot
from engine.core.commandline import Parser, assignment
from engine.core.text import InputError, _
from engine.data import commands as data_commands

if TYPE_CHECKING:
    from engine.core.experiment import Info
    from engine.core.frame import Frame, Payload
    from engine.core.runner import Runner

INTERRUPTED = 130
REFUSED = 2


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code is 0, 2 when something asked for cannot be done, 130 after Ctrl-C."""
    boot.environment()
    try:
        options = _parser().parse_args(arguments)
        code: int = options.command(options)
    except InputError as error:
        print(error.sentence, file=sys.stderr)
        return REFUSED
    except BrokenPipeError:  # `... list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m engine", description="Latentarium's experiments, without a window.")
    commands = parser.add_subparsers(required=True, metavar="list | run | bench | data")

    listing = commands.add_parser("list", help="every experiment, its knobs, data sets and channels")
    listing.add_argument("--json", action="store_true", help="for programs")
    listing.set_defaults(command=_list)

    run = commands.add_parser("run", help="train one and write what it learned to a folder")
    run.add_argument("id", help="as `list` prints it")
    run.add_argument("--out", type=Path, required=True, help="folder to write to")
    run.add_argument("--steps", type=_positive, default=200, help="at most so many (default 200)")
    run.add_argument(
        "--at", action="append", default=[], metavar="STEP:knob=value", help="turn a knob mid-run"
    )
    run.set_defaults(command=_run)

    bench = commands.add_parser("bench", help="steps per second on the default settings")
    bench.add_argument("id", nargs="?", help="only this one")
    bench.add_argument("--seconds", type=float, default=3.0, help="time for each (default 3)")
    bench.set_defaults(command=_bench)

    data_commands.add_to(commands)

    for each in (run, bench):
        each.add_argument("--dataset", help="default: the experiment's first")
        each.add_argument("--data-dir", type=Path, help="where data sets of your own lie, such as MNIST")
        each.add_argument("--seed", type=int, default=0)
        each.add_argument("--set", action="append", default=[], metavar="knob=value")
        each.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
        each.add_argument("--threads", type=_positive)
    return parser


def _positive(word: str) -> int:
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError("it must be at least 1")
    return number


# ── list ────────────────────────────────────────────────────────────────────────────────────────────────────


def _list(options: argparse.Namespace) -> int:
    from engine.core.catalogue import catalogue

    infos = [cls.info for cls in catalogue().values()]
    if options.json:
        print(json.dumps([_as_json(info) for info in infos], indent=2, ensure_ascii=False))
        return 0
    for info in infos:
        print(f"{info.id} ({info.topic}): {info.title}. {info.question}")
        print(f"  data: {', '.join(info.datasets)}")
        for knob in info.knobs:
            live = "live" if knob.live else "restarts"
            print(f"  --set {knob.name}={knob.default}  ({knob.limits}; {live})  {knob.help}")
    return 0


def _as_json(info: Info) -> dict[str, Any]:
    return {
        "id": info.id,
        "topic": info.topic,
        "title": info.title,
        "question": info.question,
        "datasets": info.datasets,
        "knobs": [
            {
                "name": knob.name,
                "label": knob.label,
                "help": knob.help,
                "kind": knob.kind,
                "default": knob.default,
                "live": knob.live,
                **({"options": [name for name, _title in knob.options]} if knob.kind == "choice" else {}),
                **(
                    {"low": knob.low, "high": knob.high, "scale": knob.scale}
                    if knob.kind in ("int", "float")
                    else {}
                ),
            }
            for knob in info.knobs
        ],
        "channels": {
            name: {"payload": channel.payload.__name__, "title": channel.title, "kinds": channel.kinds}
            for name, channel in info.channels.items()
        },
        "scalars": {name: scalar.title for name, scalar in info.scalars.items()},
        "queries": info.queries,
        "actions": info.actions,
        "picks": info.picks,
        "demos": [
            {"name": d.name, "title": d.title, "dataset": d.dataset, "params": d.params, "seed": d.seed}
            | {"picture": d.picture}
            for d in info.demos
        ],
    }


# ── run ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _make_runner(options: argparse.Namespace, id: str) -> Runner:
    boot.load_torch()
    from engine.core.catalogue import find
    from engine.core.events import RunSpec
    from engine.core.runner import make_runner

    dataset = options.dataset or next(iter(find(id).info.datasets), "")
    params = dict(assignment(word) for word in options.set)
    spec = RunSpec(id, dataset, params, options.seed, options.data_dir)
    return make_runner(spec, device=options.device, threads=options.threads)


def _turns(words: list[str]) -> dict[int, list[tuple[str, str]]]:
    """``--at`` as {step: [(knob, value), …]}."""
    found: dict[int, list[tuple[str, str]]] = {}
    for word in words:
        step, colon, rest = word.partition(":")
        if not colon or not step.strip().isdigit():
            raise InputError(_("“{word}” is not of the form STEP:knob=value.", word=word))
        found.setdefault(int(step), []).append(assignment(rest))
    return found


def _run(options: argparse.Namespace) -> int:
    turns = _turns(options.at)
    _check_folder(options.out)
    runner = _make_runner(options, options.id)
    for at in turns.values():  # refuse before training, not in the middle of it
        for name, value in at:
            _check_turn(runner, name, value)
    record = _Record(options, runner)
    code = 0
    try:
        record.train(turns)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except ArithmeticError as error:
        from engine.core.runner import explain_failure

        print(explain_failure(error), file=sys.stderr)
        code = 1
    record.write(complete=code == 0)
    print(
        _(
            "{step} steps in {seconds:.1f} s; written to {folder}",
            step=runner.step,
            seconds=record.seconds,
            folder=options.out,
        )
    )
    return code


def _check_turn(runner: Runner, name: str, value: str) -> None:
    from engine.core.params import change

    change(runner.params, {name: value})
    if not runner.info.knob(name).live:
        raise InputError(_("{name} can only be chosen before a run starts; use --set.", name=name))


def _check_folder(folder: Path) -> None:
    try:
        (folder / "views").mkdir(parents=True, exist_ok=True)
        probe = folder / ".probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise InputError(
            _(
                "The folder “{folder}” cannot be written to: {reason}.",
                folder=str(folder),
                reason=error.strerror or str(error),
            )
        ) from error


class _Record:
    """What one run on the command line learned, and how it is written."""

    def __init__(self, options: argparse.Namespace, runner: Runner) -> None:
        self.options = options
        self.runner = runner
        self.rows: list[tuple[int, str, float]] = []
        self.turned: list[dict[str, Any]] = []
        self.seconds = 0.0
        self.ended: str | None = None

    def train(self, turns: dict[int, list[tuple[str, str]]]) -> None:
        """Up to ``--steps`` steps. ArithmeticError: a scalar is no longer a number (what came before is
        kept).
        """
        begun = said = time.perf_counter()
        try:
            frame = self.runner.next_frame()
            assert frame is not None, "run() must yield the frame of the present state"
            self._read(frame)
            while self.runner.step < self.options.steps:
                self._turn(turns.pop(self.runner.step, []))
                frame = self.runner.next_frame()
                if frame is None and turns:  # it has learned all it can; the next turn of a knob wakes it
                    self._turn(turns.pop(min(turns)))
                    self.runner.wake()
                    continue
                if frame is None:
                    self.ended = self.runner.experiment.ended()
                    break
                self._read(frame)
                if time.perf_counter() - said > 1:
                    said = time.perf_counter()
                    self._say()
        finally:
            self.seconds = time.perf_counter() - begun
        self._say()

    def _turn(self, assignments: list[tuple[str, str]]) -> None:
        for name, value in assignments:
            turned = self.runner.set(name, value)
            if turned is not None:
                self.turned.append({k: getattr(turned, k) for k in ("step", "name", "old", "new")})

    def _read(self, frame: Frame) -> None:
        from engine.core.runner import read_scalars

        for name, (steps, values) in read_scalars([frame]).items():
            self.rows.append((steps[0], name, values[0]))

    def _last(self) -> dict[str, float]:
        return {name: value for _step, name, value in self.rows}

    def _say(self) -> None:
        words = "  ".join(f"{name} {value:.6g}" for name, value in self._last().items())
        print(f"step {self.runner.step:>6}  {words}")

    def write(self, *, complete: bool) -> None:
        """``run.json``, ``scalars.csv`` and the last view of every channel."""
        from engine.core.device import describe
        from engine.core.params import as_dict
        from engine.core.session import versions

        folder: Path = self.options.out
        runner = self.runner
        about = {
            "experiment": runner.info.id,
            "dataset": runner.experiment.data.name,
            "seed": self.options.seed,
            "params": as_dict(runner.params),
            "turned": self.turned,
            "steps": runner.step,
            "complete": complete,
            "ended": self.ended,
            "seconds": round(self.seconds, 3),
            "device": describe(runner.experiment.device),
            "threads": runner.threads,
            "versions": versions(),
            "final": self._last(),
        }
        _write_text(folder / "run.json", json.dumps(about, indent=2, ensure_ascii=False) + "\n")
        with (folder / "scalars.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("step", "name", "value"))
            writer.writerows((step, name, repr(value)) for step, name, value in self.rows)
        if runner.frame is not None:
            for channel in runner.frame.views:
                write_view(runner.view(channel), folder / "views" / channel)


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def write_view(payload: Payload, stem: Path) -> None:
    """The arrays of ``payload`` to ``stem.npz`` (a layer's under ``layer0_xy`` and so on), and pictures to
    ``stem.png``.
    """
    import numpy as np

    from engine.core.frame import Images

    arrays: dict[str, Any] = {}

    def collect(value: Any, name: str) -> None:
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            for field in dataclasses.fields(value):
                collect(getattr(value, field.name), f"{name}{'_' if name else ''}{field.name}")
        elif isinstance(value, dict):
            for key, each in value.items():
                collect(each, f"{name}_{key}")
        elif name == "layers":
            for number, layer in enumerate(value):
                collect(layer, f"layer{number}")
        elif value is not None:
            arrays[name] = np.asarray(value)

    collect(payload, "")
    np.savez_compressed(stem.with_suffix(".npz"), **arrays)
    if isinstance(payload, Images) and len(payload.pixels):
        _write_picture(payload, stem.with_suffix(".png"))


def _write_picture(images: Any, path: Path) -> None:
    """All pictures side by side, each enlarged to at least 64 pixels."""
    import numpy as np
    from PIL import Image

    pixels = (images.pixels + 1) / 2 if images.signed else images.pixels
    n, height, width = pixels.shape[:3]
    columns = images.columns or int(np.ceil(np.sqrt(n)))
    rows = -(-n // columns)
    sheet = np.full((rows * (height + 1) + 1, columns * (width + 1) + 1, *pixels.shape[3:]), 0.5, np.float32)
    for i in range(n):
        top, left = (i // columns) * (height + 1) + 1, (i % columns) * (width + 1) + 1
        sheet[top : top + height, left : left + width] = pixels[i]
    picture = Image.fromarray((sheet.clip(0, 1) * 255).astype(np.uint8))
    scale = max(1, 64 // max(height, width))
    picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST).save(path)


# ── bench ───────────────────────────────────────────────────────────────────────────────────────────────────


def _bench(options: argparse.Namespace) -> int:
    boot.load_torch()
    from engine.core.catalogue import catalogue, find

    for name in [find(options.id).info.id] if options.id else list(catalogue()):
        runner = _make_runner(options, name)
        runner.next_frame()
        steps, wall, cpu = 0, 0.0, 0.0
        while wall < options.seconds:
            begun, begun_cpu = time.perf_counter(), time.process_time()
            frame = runner.next_frame()
            wall += time.perf_counter() - begun
            cpu += time.process_time() - begun_cpu
            steps += 1
            if frame is None:  # it has learned all it can: the same again
                runner = _make_runner(options, name)
                runner.next_frame()
        rate, cost = steps / wall, 1000 * cpu / steps
        print(f"{name:<12} {runner.experiment.data.name:<12} {rate:10.1f} steps/s {cost:10.3f} ms CPU a step")
    return 0


if __name__ == "__main__":
    sys.exit(main())
