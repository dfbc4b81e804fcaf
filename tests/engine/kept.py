"""One runner to a session file and back, as the engine does it with a whole tree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.core import session
from engine.core.duo import Run
from engine.core.events import RunSpec
from engine.core.timeline import Timeline
from engine.core.tree import Node, Tree


def save(path: Path, spec: RunSpec, runner: Run, timeline: Timeline, view: Any = None) -> None:
    timeline.keep(runner.step, {}, runner.state())
    tree = Tree(Node(1, spec, runner.data, timeline))
    session.write(path, session.collect(tree, view or {}, device="cpu", threads=runner.threads))


def load(path: Path, **options: Any) -> tuple[RunSpec, Run, Timeline]:
    found = session.load(path)
    node = found.tree.now
    return node.spec, session.stand(found, path, device="cpu", **options), node.timeline
