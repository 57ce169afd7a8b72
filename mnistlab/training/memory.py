"""All that a phase changes besides the position, as a checkpoint holds it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel

from mnistlab.phases import SNAPSHOT, Checkpoint, Position, snapshots_in
from mnistlab.training.optimizers import parts_of

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Draws:
    """Every generator a training draws from, torch's own for the device included."""

    device: torch.device
    shuffler: Generator
    augment: Generator | None

    def states(self) -> dict[str, Tensor]:
        """By name, uint8 (n,)."""
        states = {"torch": torch.get_rng_state(), "shuffler": self.shuffler.get_state()}
        if self.augment is not None:
            states["augment"] = self.augment.get_state()
        if self.device.type == "cuda":
            states["cuda"] = torch.cuda.get_rng_state()
        return states

    def set(self, states: Mapping[str, Tensor]) -> None:
        """Draw again what was drawn after `states`."""
        torch.set_rng_state(states["torch"])
        self.shuffler.set_state(states["shuffler"])
        if self.augment is not None:
            self.augment.set_state(states["augment"])
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(states["cuda"])


@dataclass
class Memory:
    """What a phase trains, and what it remembers of it.

    best: weights of the best epoch so far. phase_began, epoch_began: states of the draws when
    the phase began, and before the order of the running epoch was drawn. snapshots: weights of the
    whole network by epoch.
    """

    network: nn.Module
    optimizer: Optimizer
    average: AveragedModel | None
    best: dict[str, Tensor]
    draws: Draws
    phase_began: dict[str, Tensor]
    snapshots: MutableMapping[int, Weights] = field(default_factory=dict)
    epoch_began: dict[str, Tensor] = field(default_factory=dict)

    def begin_epoch(self, saved: Checkpoint | None) -> None:
        """The order of an epoch is about to be drawn; of the saved one, once more."""
        if saved is not None:
            self.draws.set(state_of(saved, "epoch"))
        self.epoch_began = self.draws.states()

    def checkpoint(self, position: Position) -> Checkpoint:
        """As it stands, after a step."""
        tensors = {
            "network": self.network.state_dict(),
            "optimizer": dict(_remembered(self.optimizer)),
            "average": {} if self.average is None else self.average.state_dict(),
            "best": self.best,
            "now": self.draws.states(),
            "phase": self.phase_began,
            "epoch": self.epoch_began,
            **{f"{SNAPSHOT}{epoch}": weights for epoch, weights in self.snapshots.items()},
        }
        arrays = {
            f"{of}/{name}": tensor.detach().cpu().contiguous().numpy()
            for of, state in tensors.items()
            for name, tensor in state.items()
        }
        return Checkpoint(position, arrays, {})

    def recall(self, saved: Checkpoint) -> None:
        """Stand there again, but for the draws."""
        self.network.load_state_dict(state_of(saved, "network"))
        self.best = state_of(saved, "best")
        for epoch in snapshots_in(saved):
            self.snapshots[epoch] = state_of(saved, f"{SNAPSHOT}{epoch}")
        if self.average is not None:
            self.average.load_state_dict(state_of(saved, "average"))
        for name, kept in state_of(saved, "optimizer").items():
            part, parameter, key = name.split(".")
            _remind(parts_of(self.optimizer)[int(part)], int(parameter), key, kept)


def state_of(saved: Checkpoint, of: str) -> dict[str, Tensor]:
    """The tensors of one part of a checkpoint, by their own names."""
    prefix = f"{of}/"
    return {
        name.removeprefix(prefix): torch.from_numpy(array)
        for name, array in saved.arrays.items()
        if name.startswith(prefix)
    }


def _remembered(optimizer: Optimizer) -> Iterator[tuple[str, Tensor]]:
    """What it keeps of every parameter, by part, place and name, such as "0.3.exp_avg"."""
    for number, part in enumerate(parts_of(optimizer)):
        for place, (parameter, _) in enumerate(_parameters(part)):
            for key, value in part.state.get(parameter, {}).items():
                if isinstance(value, Tensor):
                    yield f"{number}.{place}.{key}", value


def _remind(part: Optimizer, place: int, key: str, kept: Tensor) -> None:
    parameter, group = _parameters(part)[place]
    if kept.shape == parameter.shape:
        # Laid out in memory as the parameter is: fused steps take both in the same order.
        part.state[parameter][key] = torch.empty_like(parameter).copy_(kept).detach()
    else:  # a count of steps, on the device where the steps are fused
        is_fused = group.get("fused") or group.get("capturable")
        part.state[parameter][key] = kept.to(parameter.device if is_fused else "cpu")


def _parameters(part: Optimizer) -> list[tuple[nn.Parameter, dict[str, Any]]]:
    return [(parameter, group) for group in part.param_groups for parameter in group["params"]]
