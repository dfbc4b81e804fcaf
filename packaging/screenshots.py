"""Every picture in README and on the demo cards, taken from the real window: ``make screenshots``.

Pictures are only rewritten by this; look at each one afterwards.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
SCREENSHOTS = ROOT / "assets" / "screenshots"
DEMOS = ROOT / "assets" / "demos"
SHEETS = ("pen", "sprites", "faces", "textures", "signals", "spirals", "swiss_roll")
STEPS = {"gmm": 140, "tsne": 500, "umap": 300, "perplexity": 400, "manifold": 300, "sampling": 45}
"""How far the demos are trained for their cards, where a dozen steps show too little."""
THUMBNAIL = 128  # pixels; shown at 32 on a plain screen, larger on dense ones and projectors

WINDOWS = {
    "kmeans-light": ("--experiment", "kmeans", "--demo", "stuck", "--steps", "4"),
    "pca-digits-dark": ("--experiment", "pca", "--dataset", "digits", "--steps", "3", "--theme", "dark"),
    "kmeans-digits-french": ("--experiment", "kmeans", "--dataset", "digits", "--steps", "8", "--lang", "fr"),
    "manifold-light": ("--experiment", "manifold", "--demo", "roll", "--steps", "250"),
    "compare-projector": (
        "--experiment",
        "kmeans",
        "--demo",
        "beside",
        "--steps",
        "100",
        "--projector",
        "--size",
        "1920x1080",
    ),
    "pca-projector": (
        "--experiment",
        "pca",
        "--demo",
        "moons",
        "--steps",
        "9",
        "--projector",
        "--size",
        "1920x1080",
    ),
}


def window(path: Path, *words: str) -> None:
    """One picture of the window; ends the program with the window's own sentence when that fails."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-m", "desktop", "--screenshot", str(path), *words]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    if done.returncode:
        sys.exit(f"{path.name}: {done.stderr.strip()}")
    print(path.relative_to(ROOT))


def gone_back(path: Path) -> None:
    """Save t-SNE at step 400, and again gone back to step 150 and on with another perplexity."""
    from engine import boot

    boot.environment()
    from engine.core.engine import Engine
    from engine.core.events import Event, Ready, RunSpec, Saved, StatusChanged

    woken: queue.SimpleQueue[None] = queue.SimpleQueue()
    engine = Engine(lambda: woken.put(None), device="cpu")

    def until(wanted: Callable[[Event], bool]) -> None:
        while not any(map(wanted, engine.mailbox.take().events)):
            woken.get(timeout=300)

    def rests(event: Event) -> bool:
        return isinstance(event, StatusChanged) and event.status == "paused"

    until(lambda event: isinstance(event, Ready))
    engine.start(RunSpec("tsne", "digits"))
    until(rests)
    engine.advance(400)
    until(rests)
    engine.seek(150)
    engine.set("perplexity", 6.0)
    engine.advance(250)
    until(lambda event: isinstance(event, StatusChanged) and event.status == "running")
    until(rests)
    engine.save(path)
    until(lambda event: isinstance(event, Saved))
    engine.close(timeout=10)


def thumbnail(path: Path) -> None:
    """The middle of the picture as a small square."""
    with Image.open(path) as picture:
        side = min(picture.size)
        left, top = (picture.width - side) // 2, (picture.height - side) // 2
        square = picture.convert("RGB").crop((left, top, left + side, top + side))
        square.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS).save(path, optimize=True)


def sheets() -> None:
    """A contact sheet of every kind of generated data."""
    from engine.data import registry
    from engine.data.sheet import contact_sheet

    for name in SHEETS:
        path = SCREENSHOTS / f"data-{name}.png"
        sheet = contact_sheet(registry.load(name), 100)
        sheet.thumbnail((500, 500), Image.Resampling.LANCZOS)
        sheet.save(path, optimize=True)
        print(path.relative_to(ROOT))


def main() -> None:
    """All of them."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    DEMOS.mkdir(parents=True, exist_ok=True)
    for name, words in WINDOWS.items():
        window(SCREENSHOTS / f"{name}.png", *words)
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder) / "t-SNE.latentarium"
        gone_back(runs)
        window(SCREENSHOTS / "branch-light.png", str(runs))
    sheets()
    listing = subprocess.run(
        [sys.executable, "-m", "engine", "list", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for experiment in json.loads(listing.stdout):
        for demo in experiment["demos"]:
            path = DEMOS / f"{experiment['id']}-{demo['name']}.png"
            only = demo["picture"]
            words = (
                "--experiment",
                experiment["id"],
                "--demo",
                demo["name"],
                "--steps",
                str(STEPS.get(experiment["id"], 12)),
                "--only",
                only,
            )
            window(path, *words, "--size", "1280x800")
            thumbnail(path)


if __name__ == "__main__":
    main()
