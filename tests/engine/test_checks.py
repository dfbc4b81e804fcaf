"""Which numbers are let through, and what is said of the others."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.core.text import InputError, Text, _
from engine.data.registry import Dataset
from engine.parts import checks


def said(index: int) -> Text:
    return _("item {index}", index=index)


def numbers(x: torch.Tensor) -> torch.Tensor:
    return checks.numbers(Dataset("own_table", "points", x), said)


@pytest.mark.parametrize(
    "x",
    [
        torch.zeros(1, 1),
        torch.full((9, 3), 1e-30),
        torch.tensor([[-9e15], [9e15]]),
        torch.tensor([[1e10, 0.0], [1e10, 1e-11]]),
    ],
    ids=["a zero", "all alike", "wide", "narrow beside far"],
)
def test_what_float32_can_square_is_let_through(x: torch.Tensor) -> None:
    torch.testing.assert_close(numbers(x), x)


def test_pictures_become_rows() -> None:
    x = torch.rand(4, 3, 5, 5)
    assert checks.numbers(Dataset("own_images", "images", x), said).shape == (4, 75)


@pytest.mark.parametrize(
    ("x", "match"),
    [
        (torch.zeros(0, 3), "no numbers"),
        (torch.zeros(3, 0), "no numbers"),
        (torch.tensor([[0.0, 1], [2, float("nan")]]), "item 1"),
        (torch.tensor([[float("-inf"), 1], [2, 3]]), "item 0"),
        (torch.tensor([[0.0], [2e16]]), "larger than 1e.16; divide"),
        (torch.tensor([[0.0], [-3e38], [3e38]]), "larger than 1e.16; divide"),
        (torch.tensor([[0.0, 5.0], [1e-16, 5.0]]), "within 1e-15 of each other; multiply"),
    ],
)
def test_what_it_cannot_is_refused_with_a_sentence(x: torch.Tensor, match: str) -> None:
    with pytest.raises(InputError, match=match):
        numbers(x)


def test_an_item_of_any_shape_becomes_a_row() -> None:
    found = checks.row(np.arange(6, dtype=np.float32).reshape(1, 2, 3), 6)
    assert found.dtype == torch.float32
    assert found.tolist() == [[0, 1, 2, 3, 4, 5]]
    own = np.arange(6, dtype=np.float64)
    own.flags.writeable = False
    assert checks.row(own, 6).tolist() == checks.row(torch.arange(6), 6).tolist() == found.tolist()
    for wrong in (np.zeros(5), np.full(6, np.nan), np.full(6, np.inf), np.full(6, 1e300), np.float32(1)):
        with pytest.raises(InputError, match="has 6 numbers"):
            checks.row(wrong, 6)
