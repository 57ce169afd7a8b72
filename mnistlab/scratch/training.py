"""The training loop by hand; read beside mnistlab/training/loop.py, it is the same loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from mnistlab.errors import RecipeError
from mnistlab.evaluation import balanced_accuracy, macro_f1
from mnistlab.phases import (
    KEEPS_NOTHING,
    SCHEDULES,
    SNAPSHOT,
    Checkpoint,
    Epoch,
    Keeper,
    Phase,
    Position,
    StepLog,
    Validated,
    check_order,
    snapshots_in,
)
from mnistlab.scratch.layer import Array
from mnistlab.scratch.loss import SoftmaxCrossEntropy
from mnistlab.scratch.network import Network
from mnistlab.scratch.optimizers import OPTIMIZERS, Optimizer


class Examples(NamedTuple):
    """Images (N, ...) as the network takes them, and labels int64 (N,).

    w: how much each image counts, (N,), of those to train on with mean 1; None: all alike.
    """

    X: Array
    y: NDArray[np.int64]
    w: Array | None = None


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # told as a TrainingError
def train(
    network: Network,
    examples: Examples,
    validation: Examples | None,
    phases: Sequence[Phase],
    *,
    batch_size: int,
    seed: int,
    order: str = "shuffled",
    keeper: Keeper = KEEPS_NOTHING,
    snapshots: MutableMapping[int, dict[str, Array]] | None = None,
    step_log: StepLog | None = None,
    on_step: Callable[[], None] = lambda: None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> list[Epoch]:
    """Train `network` in place and leave it with the best weights it had; so does every phase.

    Which epoch is best, and when a phase ends early, is phases.Best's rule. `order`: "shuffled"
    anew for every epoch, or "file", as the examples stand. Raises RecipeError
    for an optimizer that is not written by hand, and TrainingError when a loss is no longer
    finite; that epoch has been reported to `on_epoch` by then. What `keeper` keeps is enough to
    go on with the same numbers. `snapshots` is given the weights of the epochs at which a phase
    wants them, `step_log` the loss of every step.
    """
    check_optimizers(phases)
    check_order(order)
    X, y, w = examples
    n_images, n_batches = len(y), math.ceil(len(y) / batch_size)
    room = np.empty((min(batch_size, n_images), *X.shape[1:]), X.dtype)
    shuffler = np.random.default_rng(seed)
    snapshots = {} if snapshots is None else snapshots
    saved = keeper.last()
    at = Position() if saved is None else saved.position
    if step_log is not None:
        step_log.begin(at)
    while at.phase < len(phases):
        phase = phases[at.phase]
        optimizer = OPTIMIZERS[phase.optimizer](
            network.weights, network.gradient, phase.weight_decay
        )
        cross_entropy = SoftmaxCrossEntropy(phase.label_smoothing)
        schedule, n_epochs = SCHEDULES[phase.schedule], phase.n_epochs(n_batches)
        average = MovingAverage(network, phase.ema_decay) if phase.ema_decay else None
        memory = Memory(network, optimizer, average, network.state(), snapshots)
        if saved is None:
            at.best.begin()
        else:
            memory.recall(saved, shuffler)
            saved = None
        while at.epoch < n_epochs and not at.best.is_out_of_patience(phase):
            start = time.perf_counter() - at.seconds
            before = shuffler.bit_generator.state
            in_file = order == "file"
            places = np.arange(n_images) if in_file else shuffler.permutation(n_images)
            for first in range(at.batch * batch_size, n_images, batch_size):
                batch = places[first : first + batch_size]
                at.learning_rate = phase.learning_rate * schedule(
                    at.step / (n_epochs * n_batches), at.losses
                )
                labels, weights = y[batch], None if w is None else w[batch]
                # mode: the checked one would gather into memory of its own first.
                images = np.take(X, batch, axis=0, out=room[: len(batch)], mode="clip")
                logits = network.forward(images, training=True)
                loss = cross_entropy.forward(logits, labels, weights)
                at.loss_sum += loss * len(labels)
                at.n_correct += int(np.count_nonzero(logits.argmax(1) == labels))
                network.backward(cross_entropy.backward())
                if phase.clip_norm is not None:
                    clip(network.gradient, phase.clip_norm)
                optimizer.step(at.learning_rate)
                if average is not None:
                    average.follow()
                at.batch += 1
                at.step += 1
                if step_log is not None:
                    step_log.add(at, loss, n_batches)
                on_step()
                if keeper.is_due():
                    if step_log is not None:
                        step_log.settle(at)
                    at.seconds = time.perf_counter() - start
                    keeper.keep(memory.checkpoint(at, before))
            if average is not None:
                average.swap()
            validated = measure(network, validation) if validation else None
            seconds = time.perf_counter() - start
            epoch = at.end_epoch(
                at.loss_sum / n_images, at.n_correct / n_images, validated, seconds
            )
            on_epoch(epoch)
            at.check_finite()
            if at.best.see(epoch, phase) or phase.keep == "last":
                memory.best = network.state()
            if phase.is_snapshot(at.epoch):
                snapshots[epoch.epoch] = network.state()
            if average is not None:
                average.swap()
        network.restore(memory.best)
        at.end_phase(phase)
    return at.history


@dataclass
class Memory:
    """All that a phase changes besides the position, as a checkpoint holds it."""

    network: Network
    optimizer: Optimizer
    average: MovingAverage | None
    best: dict[str, Array]
    snapshots: MutableMapping[int, dict[str, Array]]

    def checkpoint(self, position: Position, shuffled_from: Mapping[str, Any]) -> Checkpoint:
        """As it stands; `shuffled_from` is what drew the order of the running epoch."""
        states = {
            "network": self.network.state(),
            "optimizer": self.optimizer.state(),
            "average": (self.average and self.average.state) or {},
            "best": self.best,
            **{f"{SNAPSHOT}{epoch}": state for epoch, state in self.snapshots.items()},
        }
        arrays = {
            f"{of}/{name}": array for of, state in states.items() for name, array in state.items()
        }
        layers = [generator.bit_generator.state for generator in self.network.generators()]
        return Checkpoint(position, arrays, {"shuffler": shuffled_from, "layers": layers})

    def recall(self, saved: Checkpoint, shuffler: Generator) -> None:
        """Stand there again; `shuffler` will draw the order of the running epoch once more."""

        def state_of(name: str) -> dict[str, Array]:
            prefix = f"{name}/"
            return {
                k.removeprefix(prefix): v for k, v in saved.arrays.items() if k.startswith(prefix)
            }

        self.network.restore(state_of("network"))
        self.optimizer.restore(state_of("optimizer"))
        self.best = state_of("best")
        for epoch in snapshots_in(saved):
            self.snapshots[epoch] = state_of(f"{SNAPSHOT}{epoch}")
        if self.average is not None:
            self.average.state = state_of("average") or None
        shuffler.bit_generator.state = saved.random["shuffler"]
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
        """Put the average into the network and keep what was there; again, and all is as before."""
        if self.state is not None:
            kept = self.network.state()
            self.network.restore(self.state)
            self.state = kept


def clip(gradient: Array, largest: float) -> None:
    """Shorten a gradient (P,) to that Euclidean norm where it is longer (Pascanu et al. 2013)."""
    norm = float(np.sqrt(gradient @ gradient))
    if norm > largest:
        gradient *= largest / norm


def check_optimizers(phases: Sequence[Phase]) -> None:
    """RecipeError for an optimizer that is not written by hand."""
    for phase in phases:
        if phase.optimizer not in OPTIMIZERS:
            raise RecipeError(
                f"optimizer {phase.optimizer!r} is not written by hand; there are: "
                f"{', '.join(OPTIMIZERS)}"
            )


def measure(network: Network, examples: Examples) -> Validated:
    """Mean cross-entropy in nats and how many images are right, dropout off.

    Images with weights count by them.
    """
    y, w, logits = examples.y, examples.w, network.predict_logits(examples.X)
    n_classes, predicted = logits.shape[1], logits.argmax(1)
    mean_weight = 1.0 if w is None else float(w.mean())
    loss = SoftmaxCrossEntropy().forward(logits, y, w) / mean_weight
    is_right = predicted == y
    right = np.bincount(y[is_right], None if w is None else w[is_right], n_classes)
    true, predicted_as = np.bincount(y, w, n_classes), np.bincount(predicted, w, n_classes)
    return Validated(
        loss,
        float(right.sum() / true.sum()),
        balanced_accuracy(right, true),
        macro_f1(right, true, predicted_as),
    )
