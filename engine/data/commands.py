"""The data sets without a window: ``python -m engine data list | show | export | import | download``."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.core.commandline import assignment
from engine.core.text import InputError, _

if TYPE_CHECKING:
    import numpy as np

    from engine.data.files import Report
    from engine.data.registry import Dataset, Source


def add_to(commands: Any) -> None:
    """Add ``data`` and its own commands to those of ``python -m engine``."""
    data = commands.add_parser("data", help="the data sets: list, show, export, import, download")
    its = data.add_subparsers(required=True, metavar="list | show | export | import | download")

    listing = its.add_parser("list", help="every data set and its knobs")
    listing.add_argument("--json", action="store_true", help="for programs")
    listing.set_defaults(command=_list)

    show = its.add_parser("show", help="what is in one")
    show.add_argument("name", help="as `data list` prints it")
    show.set_defaults(command=_show)

    export = its.add_parser("export", help="write one to an NPZ file")
    export.add_argument("name", help="as `data list` prints it")
    export.add_argument("--n", type=_count, help="so many items")
    export.add_argument("--out", type=Path, required=True, help="the .npz file to write")
    export.set_defaults(command=_export)

    importing = its.add_parser("import", help="read a folder of pictures or a table of your own")
    importing.add_argument("path", type=Path, help="a folder, or a CSV, TSV, Parquet, NPY or NPZ file")
    importing.add_argument("--out", type=Path, required=True, help="folder for dataset.npz and report.json")
    importing.add_argument("--seed", type=int, default=0, help="of the sample, where there is too much")
    importing.set_defaults(command=_import)

    fetch = its.add_parser("download", help="fetch MNIST, Fashion-MNIST or CIFAR-10")
    fetch.add_argument("name", help="mnist, fashion or cifar10")
    fetch.add_argument("--to", type=Path, required=True, help="folder to keep it in")
    fetch.set_defaults(command=_download)

    for each in (show, export):
        each.add_argument("--seed", type=int, default=0)
        each.add_argument("--data-dir", type=Path, help="where data sets of your own lie")
    for each in (show, export, importing):
        each.add_argument("--set", action="append", default=[], metavar="knob=value")


def _count(word: str) -> int:
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError("it must be at least 1")
    return number


class _Progress:
    """A share done, said on one line of a terminal and nowhere else."""

    def __init__(self) -> None:
        self.said = -1

    def __call__(self, share: float) -> None:
        percent = int(100 * share)
        if percent != self.said and sys.stderr.isatty():
            self.said = percent
            print(f"\r{percent:3d} %", end="\r" if percent == 100 else "", file=sys.stderr, flush=True)


# ── list, show ──────────────────────────────────────────────────────────────────────────────────────────────


def _list(options: argparse.Namespace) -> int:
    from engine.data.registry import sources

    found = sources().values()
    if options.json:
        print(json.dumps([_as_plain(source) for source in found], indent=2, ensure_ascii=False))
        return 0
    for source in found:
        print(f"{source.name} ({source.kind}): {source.title}. {source.about}")
        for knob in source.knobs:
            print(f"  --set {knob.name}={knob.default}  ({knob.limits})  {knob.help}")
    return 0


def _as_plain(source: Source) -> dict[str, Any]:
    return {
        "name": source.name,
        "title": source.title,
        "about": source.about,
        "kind": source.kind,
        "needs_folder": source.needs_folder,
        "credit": source.credit,
        "knobs": [
            {"name": knob.name, "label": knob.label, "help": knob.help, "kind": knob.kind}
            | {"default": knob.default, "low": knob.low, "high": knob.high}
            | {"options": [name for name, _title in knob.options]}
            for knob in source.knobs
        ],
    }


def _load(options: argparse.Namespace, more: Mapping[str, Any] | None = None) -> Dataset:
    from engine import boot

    boot.load_torch()
    from engine.data import registry

    params = {**(more or {}), **dict(map(assignment, options.set))}
    return registry.load(
        options.name, seed=options.seed, data_dir=options.data_dir, params=params, tell=_Progress()
    )


def _show(options: argparse.Namespace) -> int:
    data = _load(options)
    from engine.data.registry import sources

    source = sources()[options.name]
    print(f"{source.name}: {source.title}. {source.about}")
    if source.credit:
        print(source.credit)
    _describe(data)
    return 0


def _describe(data: Dataset) -> None:
    shape = " × ".join(str(n) for n in data.x.shape[1:])
    of = f" of {data.total}" if data.total > len(data.x) else ""
    print(f"{len(data.x)}{of} {data.kind} of {shape}, {float(data.x.min()):g} to {float(data.x.max()):g}")
    if data.columns:
        print(f"columns: {', '.join(data.columns)}")
    if data.y is not None:
        counts = data.y.bincount(minlength=len(data.names)).tolist()
        print(f"classes: {', '.join(f'{name} {n}' for name, n in zip(data.names, counts, strict=True))}")
    for factor in data.factors:
        print(
            f"factor {factor.name}: {factor.title}, {factor.low:g} to {factor.high:g} {factor.unit}".rstrip()
        )
    for language, sentences in data.captions.items():
        print(f"captions ({language}): {sentences[0]}, …")


# ── export, import ──────────────────────────────────────────────────────────────────────────────────────────


def arrays_of(data: Dataset) -> dict[str, np.ndarray]:
    """``data`` as arrays: x, y (N,) or absent, factors (N, F) float32, names, factor_names, columns."""
    import numpy as np

    arrays = {"x": data.x.numpy(), "names": np.array(data.names, dtype=np.str_)}
    if data.y is not None:
        arrays["y"] = data.y.numpy()
    values = [factor.values.numpy() for factor in data.factors]
    arrays["factors"] = (
        np.stack(values, axis=1).astype(np.float32) if values else np.zeros((len(data.x), 0), np.float32)
    )
    arrays["factor_names"] = np.array([factor.name for factor in data.factors], dtype=np.str_)
    if data.columns:
        arrays["columns"] = np.array(data.columns, dtype=np.str_)
    return arrays


def _export(options: argparse.Namespace) -> int:
    from engine.data.registry import sources

    source = sources().get(options.name)
    knob = next((knob for knob in (source.knobs if source else ()) if knob.name == "n"), None)
    made = {} if knob is None or options.n is None else {"n": int(min(max(options.n, knob.low), knob.high))}
    arrays = arrays_of(_load(options, made))
    if options.n is not None and options.n != len(arrays["x"]):
        arrays = _some(arrays, options.n, options.seed)
    out = options.out if options.out.suffix == ".npz" else options.out.with_name(options.out.name + ".npz")
    _write(out, arrays)
    print(_("{n} items written to {file}", n=len(arrays["x"]), file=str(out)))
    return 0


def _some(arrays: dict[str, np.ndarray], n: int, seed: int) -> dict[str, np.ndarray]:
    """An even sample of ``n`` items, in their order; InputError where there are fewer."""
    import numpy as np

    there = len(arrays["x"])
    if n > there:
        raise InputError(_("There are {there} items, not {n}; ask for fewer.", there=there, n=n))
    chosen = np.sort(np.random.default_rng(seed).choice(there, n, replace=False))
    return {name: array[chosen] if name in ("x", "y", "factors") else array for name, array in arrays.items()}


def _import(options: argparse.Namespace) -> int:
    from engine import boot
    from engine.core.params import change
    from engine.data.files import ImageParams, TableParams, as_plain, look, read_whole

    tell = _Progress()
    report = look(options.path, tell=tell)
    if not report.source:
        raise InputError(_("“{path}” is a text: no experiment learns from it yet.", path=str(options.path)))
    defaults: ImageParams | TableParams = ImageParams() if report.source == "own_images" else TableParams()
    params = change(defaults, dict(map(assignment, options.set)))
    boot.load_torch()
    found = read_whole(options.path, params, tell, seed=options.seed)
    _write(options.out / "dataset.npz", arrays_of(found.data))
    text = json.dumps(as_plain(found.report), indent=2, ensure_ascii=False) + "\n"
    with _writing(options.out):
        (options.out / "report.json").write_text(text, encoding="utf-8")
    _say(found.report)
    _describe(found.data)
    print(_("written to {folder}", folder=str(options.out)))
    return 0


def _say(report: Report) -> None:
    print(report.title)
    for name, value in report.facts:
        print(f"  {name}: {value}")
    for count in (*report.dropped, *report.changed):
        print(f"  {count.count}: {count.reason}" + (f" ({count.example})" if count.example else ""))
    for column in report.columns:
        why = f", {column.reason}" if column.reason else ""
        print(f"  {column.number}. {column.name}: {column.kind}, {column.use}{why}")


class _writing:  # noqa: N801
    """What the system refuses becomes a sentence about ``place``."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise InputError(
                _(
                    "“{path}” could not be written: {reason}. Choose another folder.",
                    path=str(self.place),
                    reason=error.strerror or str(error),
                )
            ) from error


def _write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """The whole file or none."""
    import numpy as np

    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".writing-", delete=False) as file:
            temporary = Path(file.name)
        try:
            with temporary.open("wb") as file:
                np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def _download(options: argparse.Namespace) -> int:
    from engine import boot

    boot.load_torch()
    from engine.data.torchvision import DOWNLOADS, download

    folder = download(options.name, options.to, _Progress())
    print(_("{title} is in {folder}", title=DOWNLOADS[options.name].title, folder=str(folder)))
    return 0
