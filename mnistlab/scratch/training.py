"""The training loop by hand; read beside mnistlab/training/loop.py, it is the same loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.errors import TrainingError
from mnistlab.phases import SCHEDULES, Epoch, Phase
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

    Best is the highest validation accuracy (the earlier epoch where two are equal), or the
    lowest training loss where there is no validation. Raises TrainingError when a loss is
    no longer finite; that epoch has been reported to `on_epoch` by then.
    """
    X, y = examples
    n_images, n_batches = len(y), math.ceil(len(y) / batch_size)
    room = np.empty((min(batch_size, n_images), *X.shape[1:]), X.dtype)
    cross_entropy, shuffler = SoftmaxCrossEntropy(), np.random.default_rng(seed)
    history: list[Epoch] = []
    best_score, best_state = -math.inf, network.state()
    for phase_number, phase in enumerate(phases):
        optimizer = OPTIMIZERS[phase.optimizer](
            network.weights, network.gradient, phase.weight_decay
        )
        schedule = SCHEDULES[phase.schedule]
        step, n_without_gain = 0, 0
        for _ in range(phase.epochs):
            start, loss_sum, n_correct = time.perf_counter(), 0.0, 0
            order = shuffler.permutation(n_images)
            for first in range(0, n_images, batch_size):
                batch = order[first : first + batch_size]
                learning_rate = phase.learning_rate * schedule(step / (phase.epochs * n_batches))
                labels = y[batch]
                # mode: the checked one would gather into memory of its own first.
                images = np.take(X, batch, axis=0, out=room[: len(batch)], mode="clip")
                logits = network.forward(images, training=True)
                loss_sum += cross_entropy.forward(logits, labels) * len(labels)
                n_correct += int(np.count_nonzero(logits.argmax(1) == labels))
                network.backward(cross_entropy.backward())
                optimizer.step(learning_rate)
                step += 1
                on_step()
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
            if not math.isfinite(loss_sum) or not math.isfinite(val_loss or 0.0):
                raise TrainingError(
                    f"the loss is no longer finite in epoch {len(history)} "
                    f"(learning rate {learning_rate:g}); try a smaller learning_rate"
                )
            score = -loss_sum if val_accuracy is None else val_accuracy
            n_without_gain += 1
            if score > best_score:
                best_score, best_state, n_without_gain = score, network.state(), 0
            if n_without_gain == phase.patience:
                break
        network.restore(best_state)
    return history


def measure(network: Network, examples: Examples) -> tuple[float, float]:
    """Mean cross-entropy in nats and accuracy, dropout off."""
    logits = network.predict_logits(examples.X)
    n_correct = int(np.count_nonzero(logits.argmax(1) == examples.y))
    return SoftmaxCrossEntropy().forward(logits, examples.y), n_correct / len(examples.y)
