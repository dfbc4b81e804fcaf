"""Wave forms with their recipe: tones that rise, chords, heartbeats, square waves and saw teeth.

The noise is drawn apart from all the rest: the same seed with noise 0 gives the same signals, clean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from engine.core.params import Knob
from engine.core.text import Text, _
from engine.data.registry import Dataset, Factor, Request, Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float32]
    Traits = dict[str, Array]
    """The name of each trait to its values, (N,)."""

LENGTH = 256
SECONDS = 4.0
"""How long a signal lasts: 64 values a second."""
FAMILIES: tuple[Text, ...] = (_("chirp"), _("chord"), _("heartbeat"), _("square wave"), _("saw teeth"))

TRAITS: dict[str, tuple[Text, float, float, str]] = {
    "frequency": (_("Frequency"), 0.75, 2.5, "Hz"),  # of the lowest tone, of a chirp's start, or of the beats
    "heart_rate": (_("Heart rate"), 0, 150, "/min"),  # 60 × frequency; 0 where it is no heartbeat
    "sweep": (_("Rise"), 0, 2, _("octaves")),  # from a chirp's start to its end; 0 where it is no chirp
    "amplitude": (_("Amplitude"), 0.45, 0.85, ""),  # the greatest value of the clean signal, nearly
    "phase": (_("Phase"), 0, 1, ""),  # share of a period that the signal is ahead
    "chord": (_("Chord"), 0, 3, ""),  # number in CHORDS; 0 where it is no chord
    "noise": (_("Noise"), 0, 0.6, ""),  # standard deviation of what was added
}
"""Title, least and greatest value and unit of each."""
CHORDS = ((1.0, 1.5, 2.0), (1.0, 1.25, 1.5), (1.0, 1.2, 1.5), (1.0, 4 / 3, 16 / 9))
"""Fifth and octave, major, minor, fourths: frequencies as shares of the lowest."""

_BEAT = (
    (-0.20, 0.042, 0.15), (-0.042, 0.015, -0.15), (0.0, 0.018, 1.0), (0.045, 0.017, -0.25),
    (0.27, 0.07, 0.32),
)  # fmt: skip
"""The waves P, Q, R, S and T of a heartbeat: seconds after R, width in seconds, height."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalsParams:
    """What can be chosen."""

    n: Annotated[
        int, Knob(100, 20_000, "log", live=False, label=_("Signals"), help=_("How many are made."))
    ] = 5000
    noise: Annotated[
        float,
        Knob(
            0, 0.4, live=False, label=_("Noise"),
            help=_("How strong it is on average; with 0 the same signals are clean."),
        ),
    ] = 0.1  # fmt: skip


def load(request: Request) -> Dataset:
    """(N, 256) in −1..1, four seconds each. Class: the family."""
    import numpy as np
    import torch

    params: SignalsParams = request.params
    family, found = traits(params.n, request.seed, params.noise)
    x = clean(family, found)
    noise = np.random.default_rng((request.seed, 1)).standard_normal(x.shape, np.float32)
    x = np.clip(x + found["noise"][:, None] * noise, -1, 1)
    factors = tuple(
        Factor(name, title, torch.from_numpy(found[name]), low, high, unit)
        for name, (title, low, high, unit) in TRAITS.items()
    )
    request.tell(1.0)
    return Dataset(
        "signals", "signals", torch.from_numpy(x), torch.from_numpy(family),
        names=FAMILIES, total=params.n, factors=factors,
    )  # fmt: skip


def traits(n: int, seed: int, noise: float) -> tuple[NDArray[np.int64], Traits]:
    """The family of each of ``n`` signals, (N,), and its traits.

    noise: on average; that of an item is between half of it and one and a half.
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    family = rng.integers(0, len(FAMILIES), n)
    found = {name: rng.uniform(low, high, n) for name, (_title, low, high, _unit) in TRAITS.items()}
    found["heart_rate"] = np.where(family == 2, 60 * found["frequency"], 0)
    found["sweep"] = np.where(family == 0, rng.uniform(1, 2, n), 0)
    found["chord"] = np.where(family == 1, rng.integers(0, len(CHORDS), n), 0)
    found["noise"] = noise * rng.uniform(0.5, 1.5, n)
    return family, {name: values.astype(np.float32) for name, values in found.items()}


def clean(family: NDArray[np.int64], found: Traits) -> Array:
    """The signals without noise: (N, 256) in −1..1."""
    import numpy as np

    made = np.empty((len(family), LENGTH), np.float32)
    seconds = np.arange(LENGTH, dtype=np.float32) * np.float32(SECONDS / LENGTH)
    for number, make in enumerate((_chirp, _chord, _heartbeat, _square, _saw)):
        which = np.flatnonzero(family == number)
        some = {name: values[which, None] for name, values in found.items()}  # (M, 1) each
        made[which] = some["amplitude"] * make(seconds, some)
    return made


def _chirp(seconds: Array, t: Traits) -> Array:
    """A tone that rises evenly by so many octaves: its phase is the integral of f 2^(sweep · s / 4)."""
    import numpy as np

    rise = t["sweep"] * np.float32(np.log(2) / SECONDS)
    turns = t["frequency"] * np.expm1(rise * seconds) / rise
    tone: Array = np.sin(2 * np.pi * (turns + t["phase"]))
    return tone


def _chord(seconds: Array, t: Traits) -> Array:
    """Three sines at once, as in ``CHORDS``, the second and third weaker."""
    import numpy as np

    ratios = np.array(CHORDS, np.float32)[t["chord"][:, 0].astype(int)]  # (M, 3)
    total = np.zeros((len(ratios), len(seconds)), np.float32)
    for i, weight in enumerate((0.42, 0.33, 0.25)):
        turns = 2 * t["frequency"] * ratios[:, i : i + 1] * seconds + (1 + i) * t["phase"]
        total += np.float32(weight) * np.sin(2 * np.pi * turns)
    return total


def _heartbeat(seconds: Array, t: Traits) -> Array:
    """Five bumps a beat, of the widths and distances that they have in an electrocardiogram."""
    import numpy as np

    period = 1 / t["frequency"]
    squeeze = np.minimum(1, np.sqrt(period))  # a fast heart shortens the beat as well
    total = np.zeros((len(period), len(seconds)), np.float32)
    for after, width, height in _BEAT:
        # The nearest beat's bump, and for late T waves of fast hearts the former's.
        late = np.mod(seconds + t["phase"] * period - after * squeeze + period / 2, period) - period / 2
        total += height * np.exp(-0.5 * (late / np.float32(width) / np.sqrt(squeeze)) ** 2)
    return 1.25 * total - 0.25


def _square(seconds: Array, t: Traits) -> Array:
    """Up and down, with edges about two values wide."""
    import numpy as np

    level: Array = np.tanh(12 / t["frequency"] * np.sin(2 * np.pi * (t["frequency"] * seconds + t["phase"])))
    return level


def _saw(seconds: Array, t: Traits) -> Array:
    """Slowly up, at once down; the fall takes two values."""
    import numpy as np

    place = np.mod(t["frequency"] * seconds + t["phase"], 1)
    fall = 2 * np.float32(SECONDS / LENGTH) * t["frequency"]  # share of a period
    ramp: Array = np.where(place < 1 - fall, place / (1 - fall), (1 - place) / fall)
    return 2 * ramp - 1


SOURCES: tuple[Source, ...] = (
    Source(
        "signals",
        _("Signals"),
        _("Four seconds of a chirp, a chord, a heartbeat, a square wave or saw teeth, with noise."),
        "signals",
        load,
        params_class=SignalsParams,
        credit=_("Drawn by Latentarium; free to use."),
    ),
)
