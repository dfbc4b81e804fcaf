"""Parameters, declared once.

A frozen dataclass with ``Annotated`` fields says everything about the knobs of an experiment; the widgets,
the validation, the command line, the help, the session file and the automatic tests are all made from it::

    @dataclass(frozen=True, slots=True, kw_only=True)
    class KMeansParams:
        k: Annotated[int, Knob(1, 30, label=_("Clusters k"), help=_("How many centres."))] = 4
        init: Annotated[str, Choice({"random": _("random points")}, live=False)] = "random"
        trails: Annotated[bool, Switch(label=_("Trails"))] = True
"""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from engine.core.text import InputError, Text, _

Scale = Literal["linear", "log"]
Kind = Literal["float", "int", "bool", "choice"]
Value = float | int | bool | str
P = TypeVar("P")
NOTHING = Text("", {})


@dataclass(frozen=True, slots=True)
class Knob:
    """A number between ``low`` and ``high``. live: takes effect at the next step; otherwise the run
    restarts.
    """

    low: float
    high: float
    scale: Scale = "linear"
    live: bool = True
    label: Text | None = None
    help: Text = NOTHING


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few named values."""

    options: Mapping[str, Text]
    live: bool = True
    label: Text | None = None
    help: Text = NOTHING


@dataclass(frozen=True, slots=True)
class Switch:
    """On or off."""

    live: bool = True
    label: Text | None = None
    help: Text = NOTHING


@dataclass(frozen=True, slots=True)
class KnobSpec:
    """A knob as everybody outside the experiment sees it: plain data, no classes of the experiment."""

    name: str
    label: Text
    help: Text
    kind: Kind
    default: Value
    live: bool
    low: float = 0.0
    high: float = 0.0
    scale: Scale = "linear"
    options: tuple[tuple[str, Text], ...] = ()

    @property
    def limits(self) -> str:
        """What it may be, for the command line."""
        if self.kind == "bool":
            return "on or off"
        return ", ".join(name for name, _title in self.options) or f"{self.low:g} to {self.high:g}"


def specs(params_class: Any) -> tuple[KnobSpec, ...]:
    """The knobs that ``params_class`` declares, in order.

    Raises:
        TypeError: a field has no Knob, Choice or Switch, or its default is outside its own range.
    """
    hints = typing.get_type_hints(params_class, include_extras=True)
    name = getattr(params_class, "__name__", "")
    found = []
    for field in dataclasses.fields(params_class):
        hint = hints[field.name]
        if typing.get_origin(hint) is not Annotated:
            raise TypeError(f"{name}.{field.name} needs Annotated[type, Knob(...)]")
        base, mark = typing.get_args(hint)[:2]
        default: Any = field.default
        label = mark.label or Text(field.name.replace("_", " "), {})
        common = (field.name, label, mark.help)
        if isinstance(mark, Choice):
            spec = KnobSpec(*common, "choice", default, mark.live, options=tuple(mark.options.items()))
        elif isinstance(mark, Switch):
            spec = KnobSpec(*common, "bool", default, mark.live)
        elif isinstance(mark, Knob) and base in (int, float):
            kind: Kind = "int" if base is int else "float"
            spec = KnobSpec(*common, kind, default, mark.live, mark.low, mark.high, mark.scale)
        else:
            raise TypeError(f"{name}.{field.name}: {mark!r} does not fit {base!r}")
        try:
            check(spec, default)
        except InputError as error:
            raise TypeError(f"{name}.{field.name}: {error.sentence}") from error
        found.append(spec)
    return tuple(found)


def check(spec: KnobSpec, value: object) -> Value:
    """``value`` as this knob's own type; text as typed by a person is accepted, with a decimal comma or
    point.

    Raises:
        InputError: it is not of that type, not finite, or outside the range.
    """
    if spec.kind == "bool":
        return _check_bool(spec, value)
    if spec.kind == "choice":
        allowed = [name for name, _title in spec.options]
        if value not in allowed:
            raise InputError(
                _(
                    "{name} cannot be “{value}”; choose one of {allowed}.",
                    name=spec.name,
                    value=str(value),
                    allowed=", ".join(allowed),
                )
            )
        return str(value)
    number = _number(spec, value)
    if not spec.low <= number <= spec.high:
        raise InputError(
            _(
                "{name} = {value} is outside {low:g} to {high:g}.",
                name=spec.name,
                value=f"{number:g}",
                low=spec.low,
                high=spec.high,
            )
        )
    return int(number) if spec.kind == "int" else number


def _check_bool(spec: KnobSpec, value: object) -> bool:
    if isinstance(value, bool):
        return value
    words = {
        "true": True,
        "on": True,
        "yes": True,
        "1": True,
        "false": False,
        "off": False,
        "no": False,
        "0": False,
    }
    if isinstance(value, str) and value.strip().lower() in words:
        return words[value.strip().lower()]
    raise InputError(_("{name} cannot be “{value}”; it is on or off.", name=spec.name, value=str(value)))


def _number(spec: KnobSpec, value: object) -> float:
    try:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise ValueError
        number = float(value.strip().replace(",", ".")) if isinstance(value, str) else float(value)
        if not math.isfinite(number) or (spec.kind == "int" and number != int(number)):
            raise ValueError
    except (ValueError, OverflowError):
        if spec.kind == "int":
            raise InputError(
                _("{name} needs a whole number, not “{value}”.", name=spec.name, value=str(value))
            ) from None
        raise InputError(
            _("{name} needs a number, not “{value}”.", name=spec.name, value=str(value))
        ) from None
    return number


def change(params: P, changes: Mapping[str, object]) -> P:
    """A new parameter object with ``changes`` checked and made.

    Raises:
        InputError: a knob of that name does not exist, or its value is refused.
    """
    known = {spec.name: spec for spec in specs(type(params))}
    for name in changes:
        if name not in known:
            raise InputError(
                _("There is no knob called “{name}”; there are {known}.", name=name, known=", ".join(known))
            )
    checked = {name: check(known[name], value) for name, value in changes.items()}
    return dataclasses.replace(params, **checked)  # type: ignore[type-var]


def as_dict(params: Any) -> dict[str, Value]:
    """The values by name, ready for JSON."""
    return dataclasses.asdict(params)
