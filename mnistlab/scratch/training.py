"""The training loop by hand, in the same four functions as the torch loop, training/loop.py.

train         conducts: every phase, every epoch, from the start or from a checkpoint
begin_phase   the optimizer and the moving average of a phase
train_epoch   every image once, then the validation images
train_step    one batch: forward, loss, backward, update
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from mnistlab.errors import RecipeError
from mnistlab.evaluation import balanced_accuracy, macro_f1
from mnistlab.phases import Callbacks, Epoch, Phase, TrainState, Validated, check_order
from mnistlab.scratch.layer import Array
from mnistlab.scratch.loss import SoftmaxCrossEntropy
from mnistlab.scratch.network import Network
from mnistlab.scratch.optimizers import OPTIMIZERS
from mnistlab.scratch.state import Examples, MovingAverage, PhaseState


@dataclass(frozen=True)
class Settings:
    """How a training takes its images, whatever the network and the phase.

    order: "shuffled" anew for every epoch, or "file", as the examples come. RecipeError for an
    unknown order.
    """

    batch_size: int
    seed: int
    order: str = "shuffled"

    def __post_init__(self) -> None:
        check_order(self.order)


# Overflow of a diverging network needs no warning: check_finite raises after the epoch.
@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def train(
    network: Network,
    examples: Examples,
    validation: Examples | None,
    phases: Sequence[Phase],
    settings: Settings,
    callbacks: Callbacks | None = None,
) -> list[Epoch]:
    """Train `network` in place, phase after phase; every phase ends with the weights it keeps.

    phases.Best decides which epoch is best and when a phase ends early. A training that is resumed
    from a checkpoint gives the same numbers as one that was never stopped. Raises RecipeError for
    an optimizer that is not written by hand, and TrainingError when a loss is no longer finite,
    after `on_epoch` was called with it.
    """
    check_optimizers(phases)
    callbacks = callbacks or Callbacks()
    shuffler, saved = np.random.default_rng(settings.seed), callbacks.checkpointer.last()
    state = TrainState() if saved is None else saved.state
    while state.phase < len(phases):
        phase = phases[state.phase]
        running = begin_phase(phase, network, examples, validation, settings, callbacks, shuffler)
        if saved is None:
            state.best.begin()
        else:
            running.restore(saved)
            saved = None
        while state.epoch < running.n_epochs and not state.best.is_out_of_patience(phase):
            epoch = train_epoch(running, state, settings, callbacks)
            with running.evaluated():  # callbacks see the weights that were validated
                callbacks.on_epoch(epoch)
                state.check_finite()
                if state.best.see(epoch, phase) or phase.keep == "last":
                    running.best = network.state()
                if phase.is_snapshot(state.epoch):
                    callbacks.snapshots[epoch.epoch] = network.state()
        network.restore(running.best)
        state.end_phase(phase)
    return state.history


def begin_phase(
    phase: Phase,
    network: Network,
    examples: Examples,
    validation: Examples | None,
    settings: Settings,
    callbacks: Callbacks,
    shuffler: Generator,
) -> PhaseState:
    """Make the optimizer and the moving average of the phase, with the weights as they are."""
    optimizer = OPTIMIZERS[phase.optimizer](network.weights, network.gradient, phase.weight_decay)
    return PhaseState(
        phase=phase,
        network=network,
        examples=examples,
        validation=validation,
        optimizer=optimizer,
        average=MovingAverage(network, phase.ema_decay) if phase.ema_decay else None,
        best=network.state(),
        n_batches=math.ceil(len(examples.y) / settings.batch_size),
        snapshots=callbacks.snapshots,
        shuffler=shuffler,
    )


def train_epoch(
    running: PhaseState, state: TrainState, settings: Settings, callbacks: Callbacks
) -> Epoch:
    """Train on every image once, or on those that a stopped epoch has left, and validate."""
    start = time.perf_counter() - state.seconds  # of a resumed epoch, those before the stop
    X, y, w = running.examples
    size, n = settings.batch_size, len(y)
    room = np.empty((min(size, n), *X.shape[1:]), X.dtype)  # for the images of every batch in turn
    indices = running.draw_order(settings.order)
    n_steps = running.n_epochs * running.n_batches
    for first in range(state.batch * size, n, size):
        batch = indices[first : first + size]
        state.learning_rate = running.phase.rate_at(state.step / n_steps, state.losses)
        # mode="clip", since the mode that checks indices gathers into memory of its own first.
        images = np.take(X, batch, axis=0, out=room[: len(batch)], mode="clip")
        given = Examples(images, y[batch], None if w is None else w[batch])
        loss, n_right = train_step(running, given, state.learning_rate)
        state.loss_sum += loss * len(batch)  # the last batch is smaller, and counts less
        state.n_correct += n_right
        state.batch += 1
        state.step += 1
        if callbacks.step_log is not None:
            callbacks.step_log.add(state, loss, running.n_batches)
        callbacks.on_step()
        if callbacks.checkpointer.is_due():
            state.seconds = time.perf_counter() - start
            callbacks.checkpointer.save(running.checkpoint(state))
    validated = None
    if running.validation is not None:
        with running.evaluated():
            validated = measure(running.network, running.validation)
    seconds = time.perf_counter() - start
    return state.end_epoch(state.loss_sum / n, state.n_correct / n, validated, seconds)


def train_step(running: PhaseState, batch: Examples, learning_rate: float) -> tuple[float, int]:
    """Change the weights once; the mean loss of the batch, and how many labels were predicted."""
    phase, network = running.phase, running.network
    cross_entropy = SoftmaxCrossEntropy(phase.label_smoothing)
    logits = network.forward(batch.X, training=True)
    loss = cross_entropy.forward(logits, batch.y, batch.w)
    n_right = int(np.count_nonzero(logits.argmax(1) == batch.y))
    network.backward(cross_entropy.backward())
    if phase.clip_norm is not None:
        clip(network.gradient, phase.clip_norm)
    running.optimizer.step(learning_rate)
    if running.average is not None:
        running.average.follow()
    return loss, n_right


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
    """Mean cross-entropy in nats and accuracies, dropout off; images with weights count by them."""
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
