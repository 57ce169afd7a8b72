"""The training loop in four functions; the loop by hand, scratch/training.py, has the same four.

train         conducts: every phase, every epoch, from the start or from a checkpoint
begin_phase   what the phase trains, its optimizer, its moving average
train_epoch   every image once, then the validation images
train_step    one batch: forward, loss, backward, update

The whole training set is one tensor in memory and a batch is one indexing operation, so Python does
nothing per image; benchmarks/loop.py measures the gain over a DataLoader.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from mnistlab.phases import Callbacks, Epoch, Phase, TrainState
from mnistlab.training import memory
from mnistlab.training.denormals import flushed_to_zero
from mnistlab.training.examples import Examples
from mnistlab.training.freezing import groups_of, trained_in
from mnistlab.training.kernels.fusing import fused
from mnistlab.training.loss import mean_loss
from mnistlab.training.measuring import measure
from mnistlab.training.optimizers import build_optimizer
from mnistlab.training.reading import images_of
from mnistlab.training.settings import Settings
from mnistlab.training.state import PhaseState, RngStates, copy_of_weights, tensors_of


@memory.kept()
@flushed_to_zero()
def train(
    network: nn.Sequential,
    examples: Examples,
    validation: Examples | None,
    phases: Sequence[Phase],
    settings: Settings,
    callbacks: Callbacks | None = None,
) -> list[Epoch]:
    """Train `network` in place, phase after phase; every phase ends with the weights it keeps.

    phases.Best decides which epoch is best and when a phase ends early. A training that is resumed
    from a checkpoint gives the same numbers as one that was never stopped. Several processes that
    call this together all end with the same network. Raises TrainingError when a loss is no longer
    finite, after `on_epoch` was called with it.
    """
    callbacks = callbacks or Callbacks()
    settings.processes.check(settings.batch_size, len(validation.y) if validation else 0)
    rng, saved = RngStates.of(settings, examples.y.device), callbacks.checkpointer.last()
    state = TrainState()
    if saved is not None:
        # Before begin_phase, whose frozen blocks make features with these weights and, where the
        # images are augmented, with the random numbers that the phase began with.
        state = saved.state
        network.load_state_dict(tensors_of(saved, "network"))
        rng.set(tensors_of(saved, "phase"))
    while state.phase < len(phases):
        phase = phases[state.phase]
        running = begin_phase(phase, network, examples, validation, settings, callbacks, rng)
        if saved is None:
            state.best.begin()
        else:
            running.restore(saved)
            saved = None
        while state.epoch < running.n_epochs and not state.best.is_out_of_patience(phase):
            epoch = train_epoch(running, state, settings, callbacks)
            callbacks.on_epoch(epoch)
            state.check_finite()
            if state.best.see(epoch, phase) or phase.keep == "last":
                running.best = copy_of_weights(running.evaluated)
            if phase.is_snapshot(state.epoch):
                callbacks.snapshots[epoch.epoch] = running.whole_weights()
        running.trained.network.load_state_dict(running.best)
        state.end_phase(phase)
    return state.history


def begin_phase(
    phase: Phase,
    network: nn.Sequential,
    examples: Examples,
    validation: Examples | None,
    settings: Settings,
    callbacks: Callbacks,
    rng: RngStates,
) -> PhaseState:
    """Freeze what the phase freezes and make its optimizer, with the weights as they are."""
    phase_began = rng.get()  # before augmented views of the images are drawn
    trained = trained_in(phase, network, examples, validation, settings, callbacks.on_features)
    optimizer = build_optimizer(
        phase.optimizer, groups_of(network, phase), phase.learning_rate, phase.weight_decay
    )
    sizes = batch_sizes(network, len(examples.y), settings.batch_size, settings.processes.size)
    return PhaseState(
        phase=phase,
        network=network,
        trained=trained,
        forward=fused(trained.network, settings.autocast),
        optimizer=optimizer,
        average=moving_average(trained.network, phase.ema_decay),
        best=copy_of_weights(trained.network),
        batch_sizes=sizes,
        snapshots=callbacks.snapshots,
        rng=rng,
        phase_began=phase_began,
    )


def train_epoch(
    running: PhaseState, state: TrainState, settings: Settings, callbacks: Callbacks
) -> Epoch:
    """Train on every image once, or on those that a stopped epoch has left, and validate."""
    start = time.perf_counter() - state.seconds  # of a resumed epoch, those before the stop
    trained, n_batches = running.trained, len(running.batch_sizes)
    trained.network.train()
    X, y, w, rows = trained.views[state.epoch % len(trained.views)]
    # Tensors on the device: Python reads them once per epoch, since to read is to wait for it.
    loss_sum = torch.tensor(state.loss_sum, device=y.device)
    n_correct = torch.tensor(state.n_correct, dtype=torch.float32, device=y.device)
    indices = running.draw_order(settings.order).to(y.device)
    settings.processes.reseed(settings.seed + state.step)
    batches = indices.split(running.batch_sizes)[state.batch :]
    n_steps = running.n_epochs * n_batches
    for batch, images in zip(batches, images_of(X, batches, rows), strict=True):
        state.learning_rate = running.phase.rate_at(state.step / n_steps, state.losses)
        running.set_learning_rate(state.learning_rate)
        given = Examples(images, y[batch], None if w is None else w[batch])
        loss, n_right = train_step(running, given, settings)
        loss_sum += loss * len(batch)  # the last batch is smaller, and counts less in the mean
        n_correct += n_right
        state.batch += 1
        state.step += 1
        if callbacks.step_log is not None:
            callbacks.step_log.add(state, loss, n_batches)
        callbacks.on_step()
        if callbacks.checkpointer.is_due():
            state.loss_sum, state.n_correct = loss_sum.item(), int(n_correct)
            state.seconds = time.perf_counter() - start
            callbacks.checkpointer.save(running.checkpoint(state))
    validated = None
    if trained.validation is not None:
        validated = measure(running.evaluated, trained.validation, settings.processes)
    seconds, n = time.perf_counter() - start, len(y)
    return state.end_epoch(loss_sum.item() / n, n_correct.item() / n, validated, seconds)


def train_step(running: PhaseState, batch: Examples, settings: Settings) -> tuple[Tensor, Tensor]:
    """Change the weights once; the mean loss of the batch, and how many labels were predicted."""
    phase, network, processes = running.phase, running.trained.network, settings.processes
    # targets: labels (N,), or fractions of the classes (N, K) where images were mixed.
    images, targets = batch.X, batch.y
    if running.trained.augment is not None:
        images, targets = running.trained.augment(batch.X, batch.y, batch.w)
    images, labels, targets = map(processes.part_of, (images, batch.y, targets))
    weights = None if batch.w is None else processes.part_of(batch.w)
    # Autocast covers the forward pass alone: backward repeats its precision by itself, and the loss
    # is computed in float32, because bfloat16 has only three decimal digits.
    with torch.autocast(labels.device.type, torch.bfloat16, enabled=settings.autocast):
        logits = running.forward(images)
    loss = mean_loss(logits.float(), targets, weights, phase.label_smoothing)
    # Of several processes each has the mean over its part; by their fractions of the batch losses
    # and gradients add up to those of the whole batch. The factor is 1 in a single process.
    loss = loss * (len(labels) / len(batch.y))
    running.optimizer.zero_grad()
    loss.backward()
    n_right = (logits.argmax(1) == labels).sum()
    loss, n_right = processes.sum_gradients(network, loss.detach(), n_right)
    if phase.clip_norm is not None:
        nn.utils.clip_grad_norm_(network.parameters(), phase.clip_norm)
    running.optimizer.step()
    if running.average is not None:
        running.average.update_parameters(network)
    return loss, n_right


def batch_sizes(
    network: nn.Module, n_images: int, batch_size: int, n_processes: int = 1
) -> list[int]:
    """How many images each step of an epoch sees.

    A rest of fewer images than processes joins the batch before, so that each process has one. So
    does a single image where the network has batch normalisation: it has no variance.
    """
    n_whole, n_rest = divmod(n_images, batch_size)
    sizes = [batch_size] * n_whole + ([n_rest] if n_rest else [])
    normalises = any(isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d) for m in network.modules())
    if n_whole and 0 < n_rest < max(n_processes, 2 if normalises else 1):
        sizes[-2:] = [batch_size + n_rest]
    return sizes


def moving_average(network: nn.Module, decay: float) -> AveragedModel | None:
    """A copy of the network that follows its weights; None for a decay of 0.

    What is not trained, such as the statistics of a batch normalisation, is averaged as well.
    """
    if decay == 0:
        return None
    return AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)
