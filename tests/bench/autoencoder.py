"""A small autoencoder for the bench: as plain PyTorch, and as an experiment around the same lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import torch
from torch.nn import Linear, Module, ReLU, Sequential, Sigmoid
from torch.nn.functional import interpolate

from engine.core import catalogue
from engine.core.experiment import Experiment, experiment, query
from engine.core.frame import Channel, Frame, Images, Points, Scalar
from engine.core.params import Knob
from engine.core.text import _

BATCH, CODES, PICTURES = 128, 1000, 16


def enlarged(x: torch.Tensor) -> torch.Tensor:
    """(N, 1, 8, 8) digits as (N, 784): the size most lectures use."""
    return interpolate(x, size=(28, 28), mode="bilinear").flatten(1)


def build() -> tuple[Module, Module, torch.optim.Optimizer]:
    """Encoder to two dimensions, decoder, optimiser."""
    torch.manual_seed(0)
    encoder = Sequential(Linear(784, 256), ReLU(), Linear(256, 64), ReLU(), Linear(64, 2))
    decoder = Sequential(Linear(2, 64), ReLU(), Linear(64, 256), ReLU(), Linear(256, 784), Sigmoid())
    return encoder, decoder, torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-3)


def learn(
    encoder: Module, decoder: Module, opt: torch.optim.Optimizer, data: torch.Tensor, rng: torch.Generator
) -> torch.Tensor:
    """One step, the same in every arm. Returns the loss."""
    x = data[torch.randint(len(data), (BATCH,), generator=rng)]  # (B, 784)
    loss = ((decoder(encoder(x)) - x) ** 2).sum(1).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    return loss.detach()


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    lr: Annotated[float, Knob(1e-5, 1e-1, "log")] = 1e-3


@experiment("bench", title=_("Bench"), question=_("How fast?"), topic="clusters", datasets=("digits",))
class Autoencoder(Experiment[Params]):
    """Shows its codes and sixteen rebuilt digits."""

    channels = {"codes": Channel(Points, _("Codes")), "recon": Channel(Images, _("Rebuilt"))}
    scalars = {"loss": Scalar(_("Loss"))}
    memory = ("encoder", "decoder", "opt")
    newest: ClassVar[Autoencoder]
    """The one set up last: the bench reads its step."""

    def setup(self) -> None:
        Autoencoder.newest = self
        self.x = enlarged(self.data.x)
        assert self.data.y is not None
        self.label = self.data.y[:CODES].numpy().astype(np.int32)
        self.encoder, self.decoder, self.opt = build()

    def run(self) -> Iterator[Frame]:
        views = {"codes": self.codes, "recon": self.rebuilt}
        yield Frame(self.step, {}, views)
        while True:
            for group in self.opt.param_groups:
                group["lr"] = self.p.lr
            loss = learn(self.encoder, self.decoder, self.opt, self.x, self.rng)
            self.step += 1
            yield Frame(self.step, {"loss": loss}, views)

    def codes(self) -> Points:
        return Points(self.encoder(self.x[:CODES]).numpy(), self.label, self.data.names)

    def rebuilt(self) -> Images:
        x = self.x[:PICTURES]
        both = torch.cat([x, self.decoder(self.encoder(x))])  # (2 P, 784)
        return Images(both.reshape(-1, 28, 28).numpy(), columns=PICTURES)

    @query
    def decode(self, x: float, y: float) -> np.ndarray:
        return self.decoder(torch.tensor([[x, y]])).reshape(28, 28).numpy()


def declare() -> None:
    """Put it into the catalogue, in this process only."""
    known = {**catalogue.catalogue(), "bench": Autoencoder}
    catalogue.catalogue = lambda: known  # type: ignore[assignment]
