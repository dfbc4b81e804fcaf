"""Turning one picture of points onto another: the rotation or mirror image that brings them closest.

Which way a map lies means nothing: only who is near whom. So all maps are shown lying as the principal axes
do, and what differs between two of them, side by side or one after the other, is what was learned.

Source: P. Schönemann, "A generalized solution of the orthogonal Procrustes problem", 1966: Q = U Vᵀ where
XᵀY = U S Vᵀ. In the plane that can be written down without a decomposition, see :func:`_best`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

SLACK = 0.2
"""A map is turned only when it lies by so much less like its reference than it could, on a scale to 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """y ↦ (y − middle) Q + to. q: (2, 2), orthogonal. middle, to: (2,) the mean before and after."""

    q: torch.Tensor
    middle: torch.Tensor
    to: torch.Tensor

    @property
    def mirrors(self) -> bool:
        """Whether Q gives a mirror image, rather than rotates."""
        return _mirrors(self.q)

    def of(self, y: torch.Tensor) -> torch.Tensor:
        """``y`` (M, 2) in its new place, (M, 2): the points, or whatever else lies among them."""
        return (y - self.middle) @ self.q + self.to


def procrustes(x: torch.Tensor, to: torch.Tensor, *, mirrored: bool | None = None) -> Turn:
    """What brings ``x`` closest to ``to``, (N, 2) each, row for row: Q = argmin ‖(x − x̄) Q − (to − t̄)‖².

    mirrored: whether Q shall mirror, or None for what fits best.
    """
    middle, centre = x.mean(0), to.mean(0)  # (2,) each
    inner = (x - middle).double().T @ (to - centre).double()  # (2, 2)
    q, _reached = _best(inner, mirrored)
    return Turn(torch.tensor(q, dtype=x.dtype), middle, centre.to(x.dtype))


def _mirrors(q: torch.Tensor) -> bool:
    (a, b), (c, d) = q.tolist()
    return bool(a * d < b * c)


def _best(inner: torch.Tensor, mirrored: bool | None = None) -> tuple[list[list[float]], float]:
    """The Q (2, 2) with the largest Σ q_ij m_ij, and how large that is. inner: (2, 2) M = XᵀY.

    With a rotation [[cos t, sin t], [−sin t, cos t]] the sum is (a + d) cos t + (b − c) sin t, with a mirror
    image [[cos t, sin t], [sin t, −cos t]] it is (a − d) cos t + (b + c) sin t.
    """
    (a, b), (c, d) = inner.tolist()
    spun, flipped = math.hypot(a + d, b - c), math.hypot(a - d, b + c)
    if flipped > spun if mirrored is None else mirrored:
        t = math.atan2(b + c, a - d)
        return [[math.cos(t), math.sin(t)], [math.sin(t), -math.cos(t)]], flipped
    t = math.atan2(b - c, a + d)
    return [[math.cos(t), math.sin(t)], [-math.sin(t), math.cos(t)]], spun


class Keel:
    """Holds maps upright: in the pictures they lie as ``to`` does, and are turned as seldom as can be.

    It looks at every step, whoever looks at the pictures, so that a picture depends on its step alone. Forces
    between pairs act along the line that joins them and turn nothing, so most runs need no turn after their
    start: all that moves is learned. But a map that starts at random finds out on its way how it lies, and
    where t-SNE exaggerates too much for few points, they shrink to a dot and pass through each other.
    """

    def __init__(self, to: torch.Tensor, names: Iterable[str] = ("map",)) -> None:
        """to: (N, 2), the principal axes. names: the maps that lie like it."""
        to = to.float() - to.float().mean(0)
        self._to = to / torch.linalg.vector_norm(to).clamp(min=1e-30)  # (N, 2) of size 1
        self.q = {name: torch.eye(2) for name in names}  # (2, 2) each
        self.fixed = False

    def meet(self, maps: Mapping[str, torch.Tensor]) -> None:
        """Another step: maps, (N, 2) each. Ten microseconds each, where nothing has to be turned."""
        for name, y in {} if self.fixed else maps.items():
            inner = y.T @ self._to  # (2, 2); ``to`` is centred, so ``y`` need not be
            q, reached = _best(inner)
            short = reached - float((self.q[name] * inner).sum())
            if short > SLACK * reached:  # which is at most the size of y, and that takes longer to find
                size = float(torch.linalg.vector_norm(y - y.mean(0)))
                if SLACK * size < short <= 2.01 * size:  # more is rounding: all points are in one place
                    self.q[name] = torch.tensor(q)

    def of(self, name: str, y: torch.Tensor) -> torch.Tensor:
        """What lies in the map ``name``, as its picture shows it. (M, 2) -> (M, 2)."""
        return y @ self.q[name]

    def mirrors(self, name: str) -> bool:
        """Whether the picture of this map is its mirror image."""
        return _mirrors(self.q[name])

    def fix(self, former: Keel) -> None:
        """The maps of ``former`` go on with other points, whose axes are others: they stay as they lie."""
        self.q, self.fixed = former.q, True

    def state_dict(self) -> dict[str, Any]:
        """What the next picture depends on, but for the reference: plain numbers."""
        return {"q": {name: q.tolist() for name, q in self.q.items()}, "fixed": self.fixed}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what :meth:`state_dict` gave."""
        self.q = {name: torch.tensor(q) for name, q in state["q"].items()}
        self.fixed = bool(state["fixed"])
