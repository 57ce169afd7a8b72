"""What a phase of a training by hand changes, and how a checkpoint saves and restores it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from mnistlab.phases import SNAPSHOT, Checkpoint, Phase, TrainState
from mnistlab.scratch.layer import Array
from mnistlab.scratch.network import Network
from mnistlab.scratch.optimizers import Optimizer


class Examples(NamedTuple):
    """Images (N, ...) as the network takes them, and labels int64 (N,).

    w: how much each image counts, (N,), with mean 1 over images to train on; None: all alike.
    """

    X: Array
    y: NDArray[np.int64]
    w: Array | None = None


@dataclass
class PhaseState:
    """A running phase: what it trains, on what and with what.

    best: weights of the best epoch so far. n_batches: steps per epoch. snapshots: weights by epoch.
    shuffled_from: the state of the shuffler before the order of the running epoch was drawn.
    """

    phase: Phase
    network: Network
    examples: Examples
    validation: Examples | None
    optimizer: Optimizer
    average: MovingAverage | None
    best: dict[str, Array]
    n_batches: int
    snapshots: MutableMapping[int, dict[str, Array]]
    shuffler: Generator
    shuffled_from: Mapping[str, Any] = field(default_factory=dict)

    @property
    def n_epochs(self) -> int:
        """How many epochs the phase has at most."""
        return self.phase.n_epochs(self.n_batches)

    def draw_order(self, order: str) -> NDArray[np.intp]:
        """Indices (N,) of the images in the order in which this epoch sees them."""
        n_images = len(self.examples.y)
        self.shuffled_from = self.shuffler.bit_generator.state
        return np.arange(n_images) if order == "file" else self.shuffler.permutation(n_images)

    @contextmanager
    def evaluated(self) -> Iterator[None]:
        """The moving average, where there is one, is in the network while the block runs."""
        if self.average is not None:
            self.average.swap()
        yield
        if self.average is not None:
            self.average.swap()

    def checkpoint(self, state: TrainState) -> Checkpoint:
        """Everything that a training needs to continue after the step just made."""
        parts = {
            "network": self.network.state(),
            "optimizer": self.optimizer.state(),
            "average": (self.average and self.average.state) or {},
            "best": self.best,
            **{f"{SNAPSHOT}{epoch}": weights for epoch, weights in self.snapshots.items()},
        }
        arrays = {
            f"{part}/{name}": array for part, own in parts.items() for name, array in own.items()
        }
        layers = [generator.bit_generator.state for generator in self.network.generators()]
        return Checkpoint(state, arrays, {"shuffler": self.shuffled_from, "layers": layers})

    def restore(self, saved: Checkpoint) -> None:
        """Continue from a checkpoint of this phase."""
        self.network.restore(saved.part("network"))
        self.optimizer.restore(saved.part("optimizer"))
        self.best = saved.part("best")
        for epoch in saved.snapshot_epochs():
            self.snapshots[epoch] = saved.part(f"{SNAPSHOT}{epoch}")
        if self.average is not None:
            self.average.state = saved.part("average") or None
        # The shuffler draws the order of the running epoch once more; the layers' generators, such
        # as dropout's, continue after its last step.
        self.shuffler.bit_generator.state = saved.random["shuffler"]
        for generator, state in zip(self.network.generators(), saved.random["layers"], strict=True):
            generator.bit_generator.state = state


class MovingAverage:
    """An exponential moving average of all arrays of a network, from the first step on."""

    def __init__(self, network: Network, decay: float) -> None:
        self.network, self.decay = network, decay
        self.state: dict[str, Array] | None = None

    def follow(self) -> None:
        """After a step: average = decay average + (1 - decay) weights."""
        if self.state is None:
            self.state = self.network.state()
        for name, values in self.network.arrays():
            self.state[name] += (1 - self.decay) * (values - self.state[name])

    def swap(self) -> None:
        """Exchange the weights of the network and the average; a second call undoes the first."""
        if self.state is not None:
            own = self.network.state()
            self.network.restore(self.state)
            self.state = own
