"""Mutated files through every reader: ``python -m tests.fuzz [--files 10000] [--seed 0] [--reader session]``.

Each file is made from a good or a bad one by a few changes that its number decides, so that a failure can be
repeated alone (``--reader WHICH --only NUMBER``). A file fails when a reader raises anything but InputError,
takes longer than ten seconds, or ends the process; the whole fails too when it needs more than 2 GB. POSIX
only: the limits are the system's own.

The reader "data" is those of people's own data. "session" opens sessions whose checksums are right, and does
with what it has opened all that a person may do; it makes a tenth as many files, for each takes longer.
"""

from __future__ import annotations

import argparse
import collections
import functools
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from engine.core.params import change
from engine.core.text import InputError
from engine.data.files import ImageParams, TableParams, look, read_text
from engine.data.files.door import _pictures, _points
from engine.data.registry import nothing
from tests.engine import attacks
from tests.engine.bad_files import BAD, GOOD, encoded, huge_tiff

SECONDS, MEMORY = 10, 2 << 30
HUGE = ("million_columns.csv", "endless_quote.csv", "long_line.csv", "bomb.npz")
"""Bad because of their size: mutating them says little and takes long."""
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF")
MODES = ("L", "RGB", "RGBA", "P", "CMYK", "1", "LA")
INTERESTING = (0, 1, 0x7F, 0x80, 0xFF, 0x22, 0x2C, 0x0A, 0x2D)


def picture(kind: str, mode: str) -> bytes:
    image = Image.radial_gradient("L").resize((60, 45)).convert("RGB")
    try:
        return encoded(image.convert(mode), kind)
    except OSError:  # a format without such pixels
        return encoded(image, kind)


def seeds() -> dict[str, Callable[[], bytes]]:
    found = dict(GOOD) | {name: make for name, make in BAD.items() if name not in HUGE}
    for kind in FORMATS:
        for mode in MODES:
            found[f"{mode}.{kind.lower()}"] = lambda kind=kind, mode=mode: picture(kind, mode)  # type: ignore[misc]
    found["packed.tiff"] = lambda: encoded(Image.radial_gradient("L"), "TIFF", compression="tiff_lzw")
    found["huge.tiff"] = huge_tiff
    found["tale.txt"] = lambda: "Il était une fois, une reine.\n".encode() * 20
    return found


def mutated(content: bytes, other: bytes, rng: random.Random) -> bytes:
    """A few bytes changed, taken out, put in, said twice, or spliced from another file."""
    data = bytearray(content)
    for _change in range(rng.choice((1, 1, 2, 4, 16))):
        if not data:
            return bytes(rng.randrange(256) for _i in range(20))
        near_an_end = rng.random() < 0.5
        place = rng.randrange(min(len(data), 200)) if near_an_end else rng.randrange(len(data))
        place = len(data) - 1 - place if rng.random() < 0.3 else place
        size = rng.choice((1, 2, 4, 8, 64))
        what = rng.randrange(8)
        if what == 0:
            data[place] ^= 1 << rng.randrange(8)
        elif what == 1:
            data[place] = rng.choice(INTERESTING)
        elif what == 2:
            data[place] = rng.randrange(256)
        elif what == 3:
            del data[place : place + size]
        elif what == 4:
            data[place:place] = bytes(rng.randrange(256) for _i in range(size))
        elif what == 5:
            data[place:place] = data[place : place + size] * rng.choice((1, 3, 200))
        elif what == 6:
            number = rng.choice((0, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1))
            data[place : place + 4] = number.to_bytes(4, rng.choice(("little", "big")))
        else:
            at = rng.randrange(len(other) + 1)
            data[place : place + size] = other[at : at + 4 * size]
    return bytes(data[: rng.randrange(len(data) + 1)] if rng.random() < 0.1 else data)


def attempts(path: Path, rng: random.Random) -> list[Callable[[], object]]:
    """Every reader, with options that the number of the file decides."""
    table = change(
        TableParams(),
        {
            "missing": rng.choice(("drop", "mean")),
            "standardise": rng.random() < 0.3,
            "label": rng.choice((-1, -1, 0, 1)),
            "encoding": rng.choice(("auto", "auto", "utf-8", "utf-16", "latin-1")),
            "most": rng.choice((10, 20_000)),
        },
    )
    images = change(
        ImageParams(), {"fit": rng.choice(("crop", "pad")), "colour": rng.choice(("auto", "grey", "colour"))}
    )
    return [
        lambda: look(path),
        lambda: _points(path, table, 0, nothing),
        lambda: _pictures(path, images, 0, nothing),
        lambda: _pictures(path.parent, images, 0, nothing),
        lambda: read_text(path),
    ]


def one(number: int, seed: int, folder: Path) -> list[str]:
    """What became of file ``number``: "read" or "refused" for each reader; anything else is raised."""
    rng = random.Random(f"{seed}/{number}")
    makers = seeds()
    names = sorted(makers)
    name = rng.choice(names)
    path = folder / name
    path.write_bytes(mutated(makers[name](), makers[rng.choice(names)](), rng))
    outcomes = []
    try:
        for attempt in attempts(path, rng):
            try:
                attempt()
                outcomes.append("read")
            except InputError as error:
                sentence = str(error.sentence)
                assert sentence.endswith((".", "?")), sentence
                assert "\n" not in sentence, sentence
                assert name in sentence or folder.name in sentence, sentence
                outcomes.append("refused")
    finally:
        path.unlink()
    return outcomes


@functools.cache
def good_session(name: str) -> attacks.Members:
    """Made once in a process: that takes longer than all that is then done with it."""
    return attacks.good(name)


def one_session(number: int, seed: int, folder: Path) -> list[str]:
    """What became of session ``number``: "read" or "refused"; anything else is raised."""
    from engine.core import session

    rng = random.Random(f"{seed}/{number}")
    name = rng.choice(sorted(attacks.SPECS))
    path = folder / f"{name}{session.SUFFIX}"
    members = good_session(name)
    if rng.random() < 0.2:
        whole = attacks.zipped(attacks.written(members))
        path.write_bytes(mutated(whole, whole, rng))
    else:
        session.write(path, attacks.changed(members, rng))
    hands = attacks.Hands()
    hands.start(attacks.SPECS["sampling"])
    return ["refused" if attacks.survive(path, hands) == "refused" else "read"]


READERS: dict[str, Callable[[int, int, Path], list[str]]] = {"data": one, "session": one_session}


def virtual() -> int:
    """Bytes of memory that this process has asked for so far, used or not: torch alone asks for gigabytes."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:  # no Linux
        return MEMORY


def work(first: int, last: int, seed: int, reader: str) -> None:
    """Files ``first`` up to ``last``, each number said before its file is read."""
    if reader == "session":
        good_session("kl")
    most = MEMORY + (virtual() if reader == "session" else 0)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    counts: collections.Counter[str] = collections.Counter()
    slowest, slowest_number = 0.0, first
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        for number in range(first, last):
            print(f"at {number}", flush=True)
            signal.alarm(SECONDS)
            begun = time.perf_counter()
            try:
                counts.update(READERS[reader](number, seed, Path(folder)))
            except Exception:
                print(f"failed {number}", flush=True)
                traceback.print_exc()
            signal.alarm(0)
            if time.perf_counter() - begun > slowest:
                slowest, slowest_number = time.perf_counter() - begun, number
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"done {counts['read']} {counts['refused']} {slowest:.2f} {slowest_number} {peak}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reader", choices=READERS, help="this one alone")
    parser.add_argument("--only", type=int, help="this file alone, in this process")
    parser.add_argument("--work", type=int, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    readers = [options.reader] if options.reader else list(READERS)
    if options.work:
        work(*options.work, options.seed, readers[0])
        return 0
    if options.only is not None:
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            print(READERS[readers[0]](options.only, options.seed, Path(folder)))
        return 0
    counts = {"data": options.files, "session": max(options.files // 10, 1)}
    return max(through(reader, counts[reader], options.seed) for reader in readers)


def through(reader: str, files: int, seed: int) -> int:
    """So many files through one reader. 0 when none failed."""
    print(f"{reader}: {files} files, seed {seed}")
    failed: list[str] = []
    read = refused = peak = 0
    slowest, number = 0.0, 0
    words = [sys.executable, "-m", "tests.fuzz", "--reader", reader, "--seed", str(seed), "--work"]
    while number < files:
        last = min(number + 1000, files)  # a new process now and then, so that none hides a leak
        done = subprocess.run([*words, str(number), str(last)], capture_output=True, text=True)
        lines = done.stdout.splitlines()
        failed += [line for line in lines if line.startswith("failed")]
        sys.stderr.write(done.stderr)
        if done.returncode:
            number = int(next(line for line in reversed(lines) if line.startswith("at")).split()[1])
            why = "took too long" if done.returncode == -signal.SIGALRM else f"ended with {done.returncode}"
            failed.append(f"failed {number}: {why}")
            number += 1
            continue
        said = lines[-1].split()
        read, refused, peak = read + int(said[1]), refused + int(said[2]), max(peak, int(said[5]))
        slowest = max(slowest, float(said[3]))
        number = last
        print(
            f"{number} files: {read} read, {refused} refused, slowest {slowest:.2f} s, {peak} MB", flush=True
        )
    print("\n".join(failed) or "every file was read or refused in a sentence")
    return int(bool(failed) or peak > 2048)


if __name__ == "__main__":
    sys.exit(main())
