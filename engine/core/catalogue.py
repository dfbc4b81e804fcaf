"""Finding every experiment: each module under ``engine.experiments`` that declares one. Needs torch."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from typing import Any

from engine.core.experiment import Experiment
from engine.core.text import InputError, _


@functools.cache
def catalogue() -> dict[str, type[Experiment[Any]]]:
    """Every experiment class by id, in the order of topics and ids.

    Raises:
        TypeError: two experiments share an id.
    """
    from engine import experiments

    found: dict[str, type[Experiment[Any]]] = {}
    for module in pkgutil.walk_packages(experiments.__path__, experiments.__name__ + "."):
        if module.ispkg:
            continue
        for value in vars(importlib.import_module(module.name)).values():
            declared = isinstance(value, type) and issubclass(value, Experiment) and "info" in vars(value)
            if declared and value.__module__ == module.name:
                if value.info.id in found:
                    raise TypeError(f"two experiments are called {value.info.id!r}")
                found[value.info.id] = value
    return dict(sorted(found.items(), key=lambda pair: (pair[1].info.topic, pair[0])))


def find(id: str) -> type[Experiment[Any]]:
    """The experiment called ``id``.

    Raises:
        InputError: there is none.
    """
    known = catalogue()
    if id not in known:
        raise InputError(
            _("There is no experiment called “{id}”; there are {known}.", id=id, known=", ".join(known))
        )
    return known[id]
