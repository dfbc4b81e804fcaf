from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import pytest

from engine.core.params import Choice, Knob, as_dict, change, check, specs
from engine.core.text import InputError, Text, _, translate
from tests.engine.probe import ProbeParams

SPECS = {spec.name: spec for spec in specs(ProbeParams)}


def test_specs_follow_the_declaration() -> None:
    assert [s.name for s in specs(ProbeParams)] == ["lr", "width", "end", "trouble", "noisy"]
    assert [s.kind for s in specs(ProbeParams)] == ["float", "int", "int", "choice", "bool"]
    assert (SPECS["lr"].low, SPECS["lr"].high, SPECS["lr"].scale, SPECS["lr"].live) == (
        1e-4,
        1e3,
        "log",
        True,
    )
    assert not SPECS["width"].live
    assert SPECS["lr"].help == "Step size."


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("lr", "0,5", 0.5),
        ("lr", " 0.5 ", 0.5),
        ("lr", 1, 1.0),
        ("width", "12", 12),
        ("width", 12.0, 12),
        ("noisy", "off", False),
        ("noisy", True, True),
        ("trouble", "nan", "nan"),
    ],
)
def test_check_accepts_what_people_type(name: str, given: object, expected: object) -> None:
    value = check(SPECS[name], given)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("lr", "much"), ("lr", float("nan")), ("lr", "inf"), ("lr", 0), ("lr", 1e9), ("lr", True),
        ("lr", None),         ("width", 2.5), ("width", "2,5"), ("width", 0), ("trouble", "other"),
        ("noisy", "maybe"), ("noisy", 2),
    ],
)  # fmt: skip
def test_check_refuses_with_a_sentence_that_names_the_knob(name: str, given: object) -> None:
    with pytest.raises(InputError) as caught:
        check(SPECS[name], given)
    assert name in caught.value.sentence
    assert caught.value.sentence.endswith(".")


def test_change_is_checked_and_leaves_the_old_object() -> None:
    old = ProbeParams()
    new = change(old, {"lr": "0,25", "width": 3})
    assert (new.lr, new.width, old.lr, old.width) == (0.25, 3, 0.01, 8)
    assert as_dict(new)["lr"] == 0.25
    with pytest.raises(InputError, match="no knob called"):
        change(old, {"gain": 1})


def test_a_declaration_that_contradicts_itself_is_refused() -> None:
    @dataclass(frozen=True)
    class Bad:
        k: Annotated[int, Knob(1, 5)] = 9

    @dataclass(frozen=True)
    class Bare:
        k: int = 1

    @dataclass(frozen=True)
    class Wrong:
        k: Annotated[str, Choice({"a": _("a")})] = "b"

    for declaration in (Bad, Bare, Wrong):
        with pytest.raises(TypeError, match="k"):
            specs(declaration)


def test_text_is_english_and_can_be_said_again() -> None:
    inner = _("blobs")
    text = _("{n} points of {name}", n=5, name=inner)
    french = {"{n} points of {name}": "{n} points de {name}", "blobs": "amas"}
    assert text == "5 points of blobs"
    assert translate(text, lambda m: french.get(m, m)) == "5 points de amas"
    assert translate("plain", lambda m: "never") == "plain"
    assert isinstance(text, Text)
    error = _("error {e:.2f}", e=0.125)

    class Comma(float):
        def __format__(self, spec: str) -> str:
            return super().__format__(spec).replace(".", ",")

    assert error == "error 0.12"
    assert translate(error, lambda m: m.replace("error", "erreur"), Comma) == "erreur 0,12"
