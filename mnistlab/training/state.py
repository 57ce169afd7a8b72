"""What a phase of a training changes, and how a checkpoint saves and restores it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel

from mnistlab.phases import SNAPSHOT, Checkpoint, Phase, TrainState
from mnistlab.training.augmentation import Augmenter
from mnistlab.training.freezing import Trained
from mnistlab.training.kernels.fusing import Forward
from mnistlab.training.optimizers import parts_of
from mnistlab.training.settings import Settings

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class RngStates:
    """All random generators of a training by name, as one value to save and to restore."""

    generators: Mapping[str, Generator]

    @classmethod
    def of(cls, settings: Settings, device: torch.device) -> RngStates:
        """The shuffler, torch's own and, where images are augmented at random, that generator."""
        shuffler = Generator().manual_seed(settings.seed)
        generators = {"torch": torch.default_generator, "shuffler": shuffler}
        if isinstance(settings.augment, Augmenter):
            generators["augment"] = settings.augment.random
        if device.type == "cuda":
            generators["cuda"] = torch.cuda.default_generators[torch.cuda.current_device()]
        return cls(generators)

    def get(self) -> Weights:
        """The state of each generator, uint8 (n,)."""
        return {name: generator.get_state() for name, generator in self.generators.items()}

    def set(self, states: Mapping[str, Tensor]) -> None:
        """Continue with the random numbers that came after `get` gave these states."""
        for name, generator in self.generators.items():
            generator.set_state(states[name])


@dataclass
class PhaseState:
    """A running phase: what it trains, on what and with what.

    network: the whole one; trained: the part of it that this phase trains, with its images;
    forward: the forward pass of that part, with compiled kernels where there are some.
    average: follows the trained weights, where the phase wants a moving average. best: weights of
    the best epoch so far. batch_sizes: of the steps of an epoch. snapshots: weights of the whole
    network by epoch. phase_began, epoch_began: random states when the phase began, and before the
    order of the running epoch was drawn. stopped: those to continue with, in a resumed epoch.
    """

    phase: Phase
    network: nn.Module
    trained: Trained
    forward: Forward
    optimizer: Optimizer
    average: AveragedModel | None
    best: Weights
    batch_sizes: list[int]
    snapshots: MutableMapping[int, Weights]
    rng: RngStates
    phase_began: Weights
    epoch_began: Weights = field(default_factory=dict)
    stopped: Weights = field(default_factory=dict)

    @property
    def n_epochs(self) -> int:
        """How many epochs the phase has at most."""
        return self.phase.n_epochs(len(self.batch_sizes))

    @property
    def evaluated(self) -> nn.Module:
        """The network that is validated and saved: the moving average, where there is one."""
        return self.trained.network if self.average is None else self.average.module

    def set_learning_rate(self, rate: float) -> None:
        """Set the rate of the next step; lr_scale: of groups with a rate of their own."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group.get("lr_scale", 1)

    def draw_order(self, order: str) -> Tensor:
        """Indices int64 (N,) of the images in the order in which this epoch sees them.

        A resumed epoch draws the order it had, and then continues with the random numbers that
        came after its last step.
        """
        n_images = len(self.trained.views[0].y)
        self.epoch_began = self.rng.get()
        indices = torch.arange(n_images)
        if order == "shuffled":
            indices = torch.randperm(n_images, generator=self.rng.generators["shuffler"])
        if self.stopped:
            self.rng.set(self.stopped)
            self.stopped = {}
        return indices

    def whole_weights(self) -> Weights:
        """All weights of the network, with the evaluated ones in its trained part."""
        part = self.trained.network
        own = copy_of_weights(part)
        part.load_state_dict(self.evaluated.state_dict())
        whole = copy_of_weights(self.network)
        part.load_state_dict(own)
        return whole

    def checkpoint(self, state: TrainState) -> Checkpoint:
        """Everything that a training needs to continue after the step just made."""
        parts = {
            "network": self.network.state_dict(),
            "optimizer": dict(_optimizer_state(self.optimizer)),
            "average": {} if self.average is None else self.average.state_dict(),
            "best": self.best,
            "now": self.rng.get(),
            "phase": self.phase_began,
            "epoch": self.epoch_began,
            **{f"{SNAPSHOT}{epoch}": weights for epoch, weights in self.snapshots.items()},
        }
        arrays = {
            f"{part}/{name}": tensor.detach().cpu().contiguous().numpy()
            for part, tensors in parts.items()
            for name, tensor in tensors.items()
        }
        return Checkpoint(state, arrays, {})

    def restore(self, saved: Checkpoint) -> None:
        """Continue from a checkpoint of this phase, whose network is loaded already."""
        self.best = tensors_of(saved, "best")
        for epoch in saved.snapshot_epochs():
            self.snapshots[epoch] = tensors_of(saved, f"{SNAPSHOT}{epoch}")
        average = tensors_of(saved, "average")
        # None where `fit` has lengthened a training that was too short for one: it begins here.
        if self.average is not None and average:
            self.average.load_state_dict(average)
        for name, value in tensors_of(saved, "optimizer").items():
            part, index, key = name.split(".")
            _restore_value(parts_of(self.optimizer)[int(part)], int(index), key, value)
        # Two states: one draws the order of the running epoch again, one continues after its step.
        self.rng.set(tensors_of(saved, "epoch"))
        self.stopped = tensors_of(saved, "now")


def tensors_of(saved: Checkpoint, part: str) -> Weights:
    """The arrays of one part of a checkpoint, as tensors by their own names."""
    return {name: torch.from_numpy(array) for name, array in saved.part(part).items()}


def copy_of_weights(network: nn.Module) -> Weights:
    """A state dict that later steps do not change."""
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def _optimizer_state(optimizer: Optimizer) -> Iterator[tuple[str, Tensor]]:
    """What it remembers of each parameter; a name such as "0.3.exp_avg" is part, index, key."""
    for number, part in enumerate(parts_of(optimizer)):
        for index, (parameter, _) in enumerate(_parameters(part)):
            for key, value in part.state.get(parameter, {}).items():
                if isinstance(value, Tensor):
                    yield f"{number}.{index}.{key}", value


def _restore_value(part: Optimizer, index: int, key: str, value: Tensor) -> None:
    parameter, group = _parameters(part)[index]
    if value.shape == parameter.shape:
        # A fused step walks parameter and state in memory order: both need the same layout, which
        # for channels-last kernels is not that of the array on the disk.
        part.state[parameter][key] = torch.empty_like(parameter).copy_(value).detach()
    else:  # a count of steps, which fused steps read on the device and all others on the CPU
        is_fused = group.get("fused") or group.get("capturable")
        part.state[parameter][key] = value.to(parameter.device if is_fused else "cpu")


def _parameters(part: Optimizer) -> list[tuple[nn.Parameter, dict[str, Any]]]:
    return [(parameter, group) for group in part.param_groups for parameter in group["params"]]
