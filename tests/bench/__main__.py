"""``python -m tests.bench [start] [window] [time] [scatter] …``: ours against peers, measured in one run.

A goal that is not met is printed as such and is no error: a busy machine must not fail a build.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time

from tests.bench.table import COLUMNS, line, machine, show

PARTS = ("start", "window", "time", "scatter", "kmeans", "tsne", "umap")
"""Each is a module ``bench_…`` with ``measure()``; start comes first, while nothing else is loaded."""


def main() -> int:
    """Measure what is asked for, and print the table as it grows."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; all unless given")
    parts = parser.parse_args().parts
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        parser.error(f"no part called {unknown[0]}; there are {', '.join(PARTS)}")
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from engine import boot

    boot.environment()
    begun = time.monotonic()
    print(machine())
    print()
    print(line(COLUMNS))
    for part in PARTS:
        if not parts or part in parts:
            show(importlib.import_module(f"tests.bench.bench_{part}").measure())
    print(f"\n{time.monotonic() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
