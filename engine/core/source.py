"""The code behind a run: the experiment's own file with the present values in it, and a script that repeats
the run.

Everything here reads and writes text. Nothing is imported or carried out, so that torch is not needed.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.core.beside import first, is_second, plain, second
from engine.core.events import Acted, RunSpec, Started, Turned
from engine.core.experiment import Beside
from engine.core.params import Value
from engine.core.text import InputError, _
from engine.data.registry import is_own, sources

FOLDER = Path(__file__).resolve().parent.parent / "experiments"
WIDTH = 80
"""Columns of a script."""
STEPS = 100
"""What a script of a run that has not begun yet trains."""
SHOWN = 10
"""About so many lines are printed by a script."""
FORM = "{step: {knob: value}}"


# ── the method ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Listing:
    """The source of an experiment with certain values as its defaults. file: its name as in the repository.

    lines: where the value of each knob stands, counted from 1. changed: knobs whose value is not the one in
    the file. knobs, run: the lines where the class of the parameters and where ``run`` begin.
    """

    text: str
    file: str
    lines: Mapping[str, int]
    changed: frozenset[str]
    knobs: int
    run: int


@dataclass(frozen=True, slots=True)
class _Default:
    """Where a default is written, in bytes of the file. value: what it says, None where that is a formula."""

    name: str
    start: int
    end: int
    value: Value | None


@dataclass(frozen=True, slots=True)
class _File:
    """A source file, read once. knobs, run: where the class of the parameters and ``run`` begin, in bytes."""

    name: str
    content: bytes
    defaults: tuple[_Default, ...]
    knobs: int
    run: int


def filled(experiment: str, params: Mapping[str, Value]) -> Listing:
    """The source file of ``experiment`` with ``params`` in place of the defaults of its knobs.

    Raises:
        InputError: the file is not part of this installation, or cannot be read.
    """
    file = _file_of(experiment)
    parts, done, line, lines, changed, moved = [], 0, 1, {}, set(), []
    for default in file.defaults:
        former = file.content[default.start : default.end]
        new = former
        if default.name in params and not _same(params[default.name], default.value):
            new = written(params[default.name]).encode()
            changed.add(default.name)
        between = file.content[done : default.start]
        line += between.count(b"\n")
        lines[default.name] = line
        line += new.count(b"\n")
        moved.append((default.end, new.count(b"\n") - former.count(b"\n")))
        parts += [between, new]
        done = default.end
    text = b"".join((*parts, file.content[done:])).decode()
    knobs, run = (
        1 + file.content[:at].count(b"\n") + sum(by for end, by in moved if end <= at)
        for at in (file.knobs, file.run)
    )
    return Listing(text, file.name, lines, frozenset(changed), knobs, run)


def written(value: Value) -> str:
    """``value`` as it stands in a program; text in double quotes, as everywhere in this house."""
    if isinstance(value, str) and not {'"', "\\"} & set(value) and value.isprintable():
        return f'"{value}"'
    return repr(value)


def _same(value: Value, default: Value | None) -> bool:
    return type(value) is type(default) and value == default


@functools.lru_cache(maxsize=64)
def _file_of(experiment: str) -> _File:
    """Files named like the experiment are tried first."""
    paths = sorted(FOLDER.rglob("*.py"), key=lambda path: (path.stem != experiment, path))
    for path in paths:
        found = _read(path, experiment)
        if found is not None:
            return found
    raise InputError(
        _(
            "The source file of “{id}” is not part of this installation; install Latentarium from its "
            "source code to read it.",
            id=experiment,
        )
    )


def _read(path: Path, experiment: str) -> _File | None:
    """The file at ``path`` if it declares ``experiment``."""
    try:
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text) if f'"{experiment}"' in text or f"'{experiment}'" in text else None
    except (OSError, ValueError, SyntaxError) as error:
        if path.stem != experiment:
            return None
        reason = getattr(error, "strerror", None) or getattr(error, "msg", None) or str(error)
        raise InputError(_("“{path}” could not be read: {reason}.", path=str(path), reason=reason)) from error
    classes = {} if tree is None else {c.name: c for c in tree.body if isinstance(c, ast.ClassDef)}
    declared = next((c for c in classes.values() if experiment in map(_declared_id, c.decorator_list)), None)
    if tree is None or declared is None:
        return None
    params = next((classes[name] for name in map(_parameter_of, declared.bases) if name in classes), None)
    methods = {f.name: f for f in declared.body if isinstance(f, ast.FunctionDef)}
    content = text.encode()
    starts = [0, *(i + 1 for i, byte in enumerate(content) if byte == ord("\n"))]
    return _File(
        path.relative_to(FOLDER.parent.parent).as_posix(), content,
        () if params is None else tuple(_defaults(params, starts, _constants(tree))),
        starts[(params or declared).lineno - 1], starts[methods.get("run", declared).lineno - 1],
    )  # fmt: skip


def _declared_id(decorator: ast.expr) -> object:
    """The id in ``@experiment("id", …)``, None for any other decorator."""
    if not isinstance(decorator, ast.Call) or getattr(decorator.func, "id", "") != "experiment":
        return None
    return getattr(decorator.args[0], "value", None) if decorator.args else None


def _parameter_of(base: ast.expr) -> str:
    """The name in the brackets of ``Experiment[…]``, "" if there is none."""
    return getattr(base.slice, "id", "") if isinstance(base, ast.Subscript) else ""


def _constants(tree: ast.Module) -> dict[str, ast.expr]:
    """What the names of the module stand for."""
    return {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _defaults(
    params: ast.ClassDef, starts: Sequence[int], constants: Mapping[str, ast.expr]
) -> Iterator[_Default]:
    """The default of every field of ``params``. starts: where each line begins, in bytes, as ast counts."""
    for field in params.body:
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        value = field.value
        if value is None or value.end_lineno is None or value.end_col_offset is None:
            continue
        start = starts[value.lineno - 1] + value.col_offset
        end = starts[value.end_lineno - 1] + value.end_col_offset
        meant = constants.get(value.id, value) if isinstance(value, ast.Name) else value
        yield _Default(field.target.id, start, end, _literal(meant))


def _literal(node: ast.expr) -> Value | None:
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return None
    return value if isinstance(value, (bool, int, float, str)) else None


# ── a script ────────────────────────────────────────────────────────────────────────────────────────────────


def beginning(started: Started) -> RunSpec:
    """The spec of the run as it began, with the value of every knob: before anything in its log was done."""
    values = dict(started.params)
    for done in reversed(started.log):
        if isinstance(done, Turned) and not done.waiting:
            values[done.name] = done.old
    spec = dataclasses.replace(started.spec, params=first(values))
    if spec.beside is None:
        return spec
    return dataclasses.replace(spec, beside=Beside(spec.beside.experiment, second(values)))


def script(
    spec: RunSpec,
    log: Sequence[Turned | Acted],
    steps: int,
    *,
    device: str = "auto",
    painted: bool = False,
    name: str = "",
    say: Callable[[str], str] = str,
) -> str:
    """A program that repeats the run that ``spec`` began, with the knobs turned as ``log`` says, for
    ``steps`` steps.

    painted: somebody has painted over the data. name: of the file it will be in. say: puts a sentence into
    the person's language.
    """
    name = name or script_name(spec)
    steps = steps or STEPS
    told = _(
        "It prints the numbers now and then and writes all of them to scalars.csv. On the same computer they "
        "are those of the window, to the last digit."
    )
    about = _(
        "The experiment “{experiment}” of Latentarium, {steps} steps from seed {seed}.",
        experiment=spec.experiment, steps=steps, seed=spec.seed,
    )  # fmt: skip
    how = _("Run it where Latentarium is installed: python {file}", file=name)
    blocks = [
        _docstring(say(about), say(how), say(told)),
        _imports(spec),
        _settings(spec, steps, say),
        _turns(log, say),
        _by_hand(log, painted, say),
    ]
    return "\n\n".join(filter(None, blocks)) + "\n\n\n" + _training(device, say)


def script_name(spec: RunSpec) -> str:
    """A name for the file with the script."""
    return f"{spec.experiment}_run.py"


def _docstring(title: str, *paragraphs: str) -> str:
    body = "\n\n".join(textwrap.fill(text, WIDTH) for text in paragraphs)
    return f'"""{textwrap.fill(title, WIDTH, initial_indent="   ")[3:]}\n\n{body}\n"""'


def _imports(spec: RunSpec) -> str:
    folder = _folder(spec) is not None
    names = ("Beside, " if spec.beside is not None else "") + "RunSpec, make_run"
    return "import csv\n" + "from pathlib import Path\n" * folder + f"\nfrom engine.scripting import {names}"


def _folder(spec: RunSpec) -> Path | None:
    """Where the data lie; not told where they are made up, since a path tells a stranger somebody's name."""
    source = sources().get(spec.dataset)
    needed = is_own(spec.dataset) or (source is not None and source.needs_folder)
    return spec.data_dir if needed else None


def _settings(spec: RunSpec, steps: int, say: Callable[[str], str]) -> str:
    fields = [("experiment", written(spec.experiment)), ("dataset", written(spec.dataset))]
    if spec.data_params:
        fields.append(("data_params", _dict(spec.data_params, 1)))
    folder = _folder(spec)
    if folder is not None:
        fields.append(("data_dir", f"Path({written(str(folder))})"))
    fields += [("seed", written(spec.seed)), ("params", _dict(spec.params, 1))]
    if spec.beside is not None:
        params = _dict(spec.beside.params, 1)
        fields.append(("beside", f"Beside({written(spec.beside.experiment)}, {params})"))
    body = "".join(f"    {name}={value},\n" for name, value in fields)
    every = say(_("steps between two lines printed"))
    head = f"STEPS = {steps}\nSHOW_EVERY = {max(1, steps // SHOWN)}  # {every}\n"
    return f"{head}\nSPEC = RunSpec(\n{body})"


def _dict(values: Mapping[str, Value], depth: int) -> str:
    """A dictionary on one line where that is short, else one entry on each."""
    entries = [f"{written(name)}: {written(value)}" for name, value in values.items()]
    line = "{" + ", ".join(entries) + "}"
    if len(line) < WIDTH // 2:
        return line
    indent = "    " * depth
    return "{\n" + "".join(f"{indent}    {entry},\n" for entry in entries) + indent + "}"


def _turns(log: Sequence[Turned | Acted], say: Callable[[str], str]) -> str:
    turns: dict[int, dict[str, Value]] = {}
    for done in log:
        if isinstance(done, Turned) and not done.waiting:
            turns.setdefault(done.step, {})[done.name] = done.new
    words = [say(_("Knobs to turn on the way, as {form}; each counts from its step on.", form=FORM))]
    if any(is_second(name) for knobs in turns.values() for name in knobs):
        words.append(say(_("The knobs of what runs beside begin with “b.”.")))
    lines = [f"    {step}: {_dict(knobs, 1)},\n" for step, knobs in sorted(turns.items())]
    return _comment(" ".join(words)) + "\nTURNS = {" + ("\n" + "".join(lines) if lines else "") + "}"


def _by_hand(log: Sequence[Turned | Acted], painted: bool, say: Callable[[str], str]) -> str:
    """What a script cannot do again."""
    sentences = []
    steps = list(dict.fromkeys(d.step for d in log if isinstance(d, Acted) and plain(d.name) != "paint"))
    if steps:
        shown = ", ".join(map(str, steps[:12])) + (" …" if len(steps) > 12 else "")
        sentences.append(
            _(
                "Something was moved by hand before step {steps}. That is not repeated here: the numbers "
                "differ from there on.",
                steps=shown,
            )
        )
    if painted or any(isinstance(d, Acted) and plain(d.name) == "paint" for d in log):
        sentences.append(
            _("The data were painted over by hand. Here they are as they were before: the numbers differ.")
        )
    return "\n".join(_comment(say(sentence)) for sentence in sentences)


def _comment(text: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent="# ", subsequent_indent="# ")


def _training(device: str, say: Callable[[str], str]) -> str:
    chosen = "" if device == "auto" else f", device={written(device)}"
    start = say(_("the start: nothing has been learned yet"))
    woken = say(_("it rested; a turned knob wakes it"))
    return textwrap.dedent(
        f"""\
        def main() -> None:
            run = make_run(SPEC{chosen})
            frame = run.next_frame()  # {start}
            with open("scalars.csv", "w", newline="") as file:
                table = csv.writer(file)
                table.writerow(("step", "name", "value"))
                while frame is not None:
                    numbers = {{name: float(value) for name, value in frame.scalars.items()}}
                    table.writerows((frame.step, name, value) for name, value in numbers.items())
                    if frame.step % SHOW_EVERY == 0 or frame.step == STEPS:
                        print(f"step {{frame.step}}:", *(f"{{n}} {{x}}" for n, x in numbers.items()))
                    if frame.step >= STEPS:
                        break
                    turned = TURNS.get(frame.step + 1, {{}})
                    for name, value in turned.items():
                        run.set(name, value)
                    frame = run.next_frame()
                    if frame is None and turned:  # {woken}
                        run.wake()
                        frame = run.next_frame()
            if frame is None:
                print(run.ended())


        if __name__ == "__main__":
            main()
        """
    )
