"""What to compute on, and with how many threads."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from engine.core.text import InputError, _

if TYPE_CHECKING:
    import torch

NAMES = ("auto", "cpu", "cuda", "mps")


def choose(wanted: str = "auto") -> torch.device:
    """The device called ``wanted``; "auto" takes CUDA, else Apple's MPS, else the CPU.

    Raises:
        InputError: there is no such device here.
    """
    import torch

    here = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        return torch.device(next(name for name in ("cuda", "mps", "cpu") if here[name]))
    if not here.get(wanted, False):
        names = ", ".join(name for name, is_here in here.items() if is_here)
        raise InputError(
            _("This computer has no device called “{wanted}”; it has {names}.", wanted=wanted, names=names)
        )
    return torch.device(wanted)


def describe(device: torch.device) -> str:
    """The device in the fewest words: "CPU", "Apple GPU" or the name of the graphics card."""
    import torch

    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return {"cpu": "CPU", "mps": "Apple GPU"}.get(device.type, device.type.upper())


def thread_count(*, heavy: bool, wanted: int | None = None) -> int:
    """How many threads a run computes with; recorded in the run, since another count gives other last digits.

    Small products gain nothing from a second thread. Heavy steps (convolutions) do, but one core is left to
    the window. The choice follows from the machine alone and never from a timing, so that the same seed gives
    the same numbers on every start. LATENTARIUM_THREADS overrides it.
    """
    if wanted is None and os.environ.get("LATENTARIUM_THREADS", "").isdigit():
        wanted = int(os.environ["LATENTARIUM_THREADS"])
    if wanted is not None:
        return max(1, wanted)
    return max(1, (os.cpu_count() or 1) - 1) if heavy else 1
