"""A small experiment whose every move the tests know: it counts, learns a little net with dropout, and fails
to order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch

from engine.core.experiment import Experiment, action, experiment, query
from engine.core.frame import Beat, Channel, Curve, Frame, Note, Points, Scalar
from engine.core.params import Choice, Knob, Switch
from engine.core.text import InputError, _


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeParams:
    """Knobs of every kind."""

    lr: Annotated[float, Knob(1e-4, 1e3, "log", help=_("Step size."))] = 0.01
    width: Annotated[int, Knob(1, 64, live=False)] = 8
    end: Annotated[int, Knob(0, 10_000_000)] = 10_000_000
    trouble: Annotated[
        str, Choice({"none": _("none"), "nan": _("nan"), "raise": _("raise"), "memory": _("memory")})
    ] = "none"
    noisy: Annotated[bool, Switch()] = True


@experiment(
    "probe", title=_("Probe"), question=_("Does the house stand?"), topic="clusters", datasets=("blobs",)
)
class Probe(Experiment[ProbeParams]):
    """Learns to rebuild the points through a net with dropout (torch's global random state) and own noise
    (``rng``)."""

    channels = {
        "cloud": Channel(Points, _("Cloud")),
        "curve": Channel(Curve, _("Curve")),
        "note": Channel(Note, _("Note")),
    }
    scalars = {"loss": Scalar(_("Loss")), "count": Scalar(_("Count"))}
    memory = ("net", "opt", "count")

    def setup(self) -> None:
        w = self.p.width
        self.net = torch.nn.Sequential(torch.nn.Linear(2, w), torch.nn.Dropout(0.3), torch.nn.Linear(w, 2))
        self.opt = torch.optim.SGD(self.net.parameters(), lr=self.p.lr, momentum=0.9)
        self.count = 0
        self.drawn = 0
        self.loss: torch.Tensor | float = 1.0

    def run(self) -> Iterator[Frame | Beat]:
        yield self._frame()
        while self.step < self.p.end:
            x = self.data.flat[torch.randint(len(self.data.flat), (64,), generator=self.rng)]
            yield Beat(_("forward"), highlight=("cloud",))
            if self.p.trouble == "raise":
                raise ZeroDivisionError("to order")
            if self.p.trouble == "memory":
                raise MemoryError
            self.loss = ((self.net(x) - x) ** 2).mean()
            yield Beat(_("backward"), highlight=("curve",))
            for group in self.opt.param_groups:
                group["lr"] = self.p.lr
            self.opt.zero_grad()
            self.loss.backward()
            self.opt.step()
            self.loss = self.loss.detach()
            if self.p.trouble == "nan":
                self.loss = self.loss * float("nan")
            self.step += 1
            self.count += 1
            yield self._frame()

    def _frame(self) -> Frame:
        views = {"cloud": self._cloud, "curve": self._curve, "note": lambda: Note(_("step {n}", n=self.step))}
        return Frame(self.step, {"loss": self.loss, "count": float(self.count)}, views)

    def _cloud(self) -> Points:
        self.drawn += 1
        torch.rand(1)  # a careless picture: it must not disturb the training
        return Points(self.net(self.data.flat).numpy())

    def _curve(self) -> Curve:
        return Curve(
            np.arange(3, dtype=np.float32), {"weight": self.net[0].weight.flatten()[:3].numpy().copy()}
        )

    @query
    def decode(self, z: list[float]) -> float:
        """Careless on purpose: draws from both random states."""
        torch.rand(3)
        torch.rand(3, generator=self.rng)
        return float(self.net(torch.tensor([z])).sum())

    @action
    def bump(self, by: int) -> None:
        if by < 0:
            raise InputError(_("Only upwards."))
        self.count += by
