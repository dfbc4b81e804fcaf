"""What has been done to a run, in words."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

from desktop.language import Text, _, number
from engine.api import Acted, Info, KnobSpec, Turned, Value, is_second, plain

Done = Turned | Acted
"""Something that a person did to a run."""
SAME_DRAG = 1.0
"""Seconds between two turns of one knob that are still one gesture."""


def name_of(knob: KnobSpec) -> Text | str:
    """What a knob is called beside its value: k is k in every language."""
    short = plain(knob.name)
    return short if len(short) == 1 else knob.label


def value_of(knob: KnobSpec, value: Value) -> Text | str:
    """Where a knob stands."""
    if isinstance(value, bool):
        return _("on") if value else _("off")
    if isinstance(value, str):
        return dict(knob.options).get(value, value)
    return number(value)


def done_in_words(info: Info, done: Done, *, sides: bool = False) -> Text:
    """“k 4 → 6”, or “by hand”. sides: two runs stand side by side, so it says which one was turned."""
    if isinstance(done, Acted):
        return _("by hand")
    side = ("B" if is_second(done.name) else "A") if sides else ""
    return turned_in_words(info.knob(done.name), done.old, done.new, side)


def turned_in_words(
    knob: KnobSpec,
    old: Value,
    new: Value,
    side: str = "",
    told: Callable[[KnobSpec, Value], Text | str] = value_of,
) -> Text:
    """“k 4 → 6”. side: “A” or “B” where two runs stand side by side. told: says where the knob stands."""
    name = name_of(knob)
    if side:
        name = Text("{side}: {name}", {"side": side, "name": name})
    return _("{name} {old} → {new}", name=name, old=told(knob, old), new=told(knob, new))


def weights_of(step: int) -> Text:
    """Who has answered a question that was asked while an earlier step was on screen."""
    return _("with the weights of step {step}", step=number(step))


def gestures(log: Iterable[Done]) -> list[Done]:
    """What was done, with one drag of a knob as one thing: from where it stood to where it was left, and
    effective from its end.
    """
    found: list[Done] = []
    for done in log:
        add_gesture(found, done)
    return found


def add_gesture(found: list[Done], done: Done) -> None:
    """Put ``done`` at the end of ``found``, or on top of the same gesture just before."""
    if isinstance(done, Turned) and done.waiting:
        return  # it has had no effect so far
    last = found[-1] if found else None
    alike = last is not None and type(last) is type(done) and last.name == done.name
    if last is not None and alike and 0 <= done.at - last.at <= SAME_DRAG:
        found.pop()
        if isinstance(done, Turned) and isinstance(last, Turned):
            done = dataclasses.replace(done, old=last.old)
    found.append(done)
