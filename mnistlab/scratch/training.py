"""The training loop by hand; read beside mnistlab/training/loop.py, it is the same loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.errors import RecipeError, TrainingError
from mnistlab.phases import SCHEDULES, Best, Epoch, Phase
from mnistlab.scratch.layer import Array
from mnistlab.scratch.loss import SoftmaxCrossEntropy
from mnistlab.scratch.network import Network
from mnistlab.scratch.optimizers import OPTIMIZERS


class Examples(NamedTuple):
    """Images (N, ...) as the network takes them, and labels int64 (N,)."""

    X: Array
    y: NDArray[np.int64]


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # told as a TrainingError
def train(
    network: Network,
    examples: Examples,
    validation: Examples | None,
    phases: Sequence[Phase],
    *,
    batch_size: int,
    seed: int,
    on_step: Callable[[], None] = lambda: None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> list[Epoch]:
    """Train `network` in place and leave it with the best weights it had; so does every phase.

    Which epoch is best, and when a phase ends early, is phases.Best's rule. Raises RecipeError
    for an optimizer that is not written by hand, and TrainingError when a loss is no longer
    finite; that epoch has been reported to `on_epoch` by then.
    """
    check_optimizers(phases)
    X, y = examples
    n_images, n_batches = len(y), math.ceil(len(y) / batch_size)
    room = np.empty((min(batch_size, n_images), *X.shape[1:]), X.dtype)
    shuffler = np.random.default_rng(seed)
    history: list[Epoch] = []
    best, best_state = Best(), network.state()
    for phase_number, phase in enumerate(phases):
        optimizer = OPTIMIZERS[phase.optimizer](
            network.weights, network.gradient, phase.weight_decay
        )
        cross_entropy = SoftmaxCrossEntropy(phase.label_smoothing)
        schedule = SCHEDULES[phase.schedule]
        losses: list[float] = []  # of the phase's epochs, for its schedule
        average = MovingAverage(network, phase.ema_decay) if phase.ema_decay else None
        step = 0
        best.begin(phase)
        for _ in range(phase.epochs):
            start, loss_sum, n_correct = time.perf_counter(), 0.0, 0
            order = shuffler.permutation(n_images)
            for first in range(0, n_images, batch_size):
                batch = order[first : first + batch_size]
                learning_rate = phase.learning_rate * schedule(
                    step / (phase.epochs * n_batches), losses
                )
                labels = y[batch]
                # mode: the checked one would gather into memory of its own first.
                images = np.take(X, batch, axis=0, out=room[: len(batch)], mode="clip")
                logits = network.forward(images, training=True)
                loss_sum += cross_entropy.forward(logits, labels) * len(labels)
                n_correct += int(np.count_nonzero(logits.argmax(1) == labels))
                network.backward(cross_entropy.backward())
                if phase.clip_norm is not None:
                    clip(network.gradient, phase.clip_norm)
                optimizer.step(learning_rate)
                if average is not None:
                    average.follow()
                step += 1
                on_step()
            if average is not None:
                average.swap()
            val_loss, val_accuracy = measure(network, validation) if validation else (None, None)
            history.append(
                Epoch(
                    phase=phase_number,
                    epoch=len(history) + 1,
                    learning_rate=learning_rate,
                    train_loss=loss_sum / n_images,
                    train_accuracy=n_correct / n_images,
                    val_loss=val_loss,
                    val_accuracy=val_accuracy,
                    time_s=time.perf_counter() - start,
                )
            )
            on_epoch(history[-1])
            losses.append(loss_sum / n_images if val_loss is None else val_loss)
            if not (math.isfinite(loss_sum) and math.isfinite(losses[-1])):
                raise TrainingError(
                    f"the loss is no longer finite in epoch {len(history)} "
                    f"(learning rate {learning_rate:g}); try a smaller learning_rate"
                )
            if best.see(history[-1]):
                best_state = network.state()
            if average is not None:
                average.swap()
            if best.is_out_of_patience:
                break
        network.restore(best_state)
    return history


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


def measure(network: Network, examples: Examples) -> tuple[float, float]:
    """Mean cross-entropy in nats and accuracy, dropout off."""
    logits = network.predict_logits(examples.X)
    n_correct = int(np.count_nonzero(logits.argmax(1) == examples.y))
    return SoftmaxCrossEntropy().forward(logits, examples.y), n_correct / len(examples.y)
