"""What is remembered between starts: one small JSON file, written whole or not at all."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from desktop.share.whole import whole
from engine.api import Text, _

LARGEST_SCREEN = 100_000  # pixels
SUFFIX = ".latentarium"
"""Of files with runs."""
MEMORIES = (64, 256, 1024)
"""Megabytes that recorded runs may take."""


def folder() -> Path:
    """Where settings and reports lie; LATENTARIUM_HOME overrides it."""
    if os.environ.get("LATENTARIUM_HOME"):
        return Path(os.environ["LATENTARIUM_HOME"])
    import platformdirs

    return Path(platformdirs.user_config_dir("latentarium", appauthor=False))


@dataclass(slots=True)
class Settings:
    """Values as the person left them; the defaults are what a first start sees."""

    theme: str = "light"
    scale: float = 1.0
    projector: bool = False
    language: str = "en"
    explain: bool = True
    topic: str = ""
    experiment: str = ""
    data_dir: str = ""
    geometry: list[int] = field(default_factory=list)
    memory: int = 256
    """Megabytes for recorded runs."""
    recent: list[str] = field(default_factory=list)
    """Files of the person's own, the last one first."""


def read(path: Path) -> tuple[Settings, Text | None]:
    """The settings in ``path``, and a sentence when the file had to be set aside.

    A damaged file is renamed, so that nothing is lost and the next start is calm; a missing one is no
    problem.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise TypeError
        return _checked(found), None
    except FileNotFoundError:
        return Settings(), None
    except (OSError, ValueError, TypeError, RecursionError):
        aside = path.with_name(path.name + ".damaged")
        with contextlib.suppress(OSError):
            path.replace(aside)
        return Settings(), _(
            "The settings file was damaged. It has been set aside as “{path}”, and the defaults are used.",
            path=str(aside),
        )


def _checked(found: dict[str, Any]) -> Settings:
    """Known names with values of the right type; TypeError for a wrong type. Unknown names are left out."""
    settings = Settings()
    for field_ in dataclasses.fields(Settings):
        if field_.name not in found:
            continue
        value, default = found[field_.name], getattr(settings, field_.name)
        if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not type(default):
            raise TypeError(field_.name)
        setattr(settings, field_.name, value)
    if settings.geometry and not (
        len(settings.geometry) == 4 and all(type(v) is int for v in settings.geometry)
    ):
        raise TypeError("geometry")
    if not all(isinstance(word, str) for word in settings.recent):
        raise TypeError("recent")
    if settings.memory not in MEMORIES:
        settings.memory = Settings().memory
    if settings.theme not in ("light", "dark") or not math.isfinite(settings.scale):
        raise TypeError("theme or scale")
    if any(abs(v) > LARGEST_SCREEN for v in settings.geometry):
        settings.geometry = []
    return settings


def write(path: Path, settings: Settings) -> None:
    """Save. OSError when the folder cannot be written; the former file is then whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as file:
        file.write(json.dumps(dataclasses.asdict(settings), indent=1).encode())
