"""The training loop: one function, no hidden steps.

The whole set lies in memory as one tensor and a batch is one gather from it, so
nothing is done per image in Python. See benchmarks/loop.py for what that is worth,
and training/reading.py for sets that memory cannot hold.
"""

from __future__ import annotations

import time
from collections.abc import Callable, MutableMapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from mnistlab.data.large import Rows
from mnistlab.evaluation import balanced_accuracy, macro_f1
from mnistlab.phases import (
    KEEPS_NOTHING,
    SCHEDULES,
    Epoch,
    Keeper,
    Phase,
    Position,
    StepLog,
    Validated,
    check_order,
)
from mnistlab.training.augmentation import Augment, Augmenter
from mnistlab.training.examples import Examples
from mnistlab.training.freezing import groups_of, trained_in
from mnistlab.training.loss import mean_loss
from mnistlab.training.memory import Draws, Memory, Weights, state_of
from mnistlab.training.optimizers import build_optimizer
from mnistlab.training.parallel import ALONE, Processes
from mnistlab.training.reading import images_of

EVALUATION_BATCH = (
    250  # larger activations than 32 MB are mapped anew for every batch, twice the time
)


def train(
    network: nn.Sequential,
    examples: Examples,
    validation: Examples | None,
    phases: Sequence[Phase],
    *,
    batch_size: int,
    seed: int,
    order: str = "shuffled",
    augment: Augment | None = None,
    autocast: bool = False,
    rows: Rows | None = None,
    processes: Processes = ALONE,
    keeper: Keeper = KEEPS_NOTHING,
    snapshots: MutableMapping[int, Weights] | None = None,
    step_log: StepLog | None = None,
    on_features: Callable[[int, int], None] = lambda n_done, n_images: None,
    on_step: Callable[[], None] = lambda: None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> list[Epoch]:
    """Train `network` in place and leave it with the best weights it had; so does every phase.

    Which epoch is best, and when a phase ends early, is phases.Best's rule. `augment` turns
    a batch and its labels into what is trained on. `order`: "shuffled" anew for every epoch, or
    "file", as the examples stand, in every epoch the same. `autocast` runs the forward pass in
    bfloat16. `rows`: those of the images, where they are a mapped file: see training.reading.
    Images with weights count by them: in the loss of a step, and of those to validate on in all.
    Blocks that a phase freezes are run once, not at every step, and `on_features` is told how many
    images they have seen: see training.freezing.
    Of several processes each takes its share of every batch, and all end with the same network.
    What `keeper` keeps is enough to go on with the same numbers. `snapshots` is given the weights
    of the epochs at which a phase wants them, `step_log` the loss of every step. Raises
    TrainingError when a loss is no longer finite; that epoch has been reported to `on_epoch` by
    then.
    """
    y, w = examples.y, examples.w
    n_images, device = len(y), y.device
    check_order(order)
    processes.check(batch_size, len(validation.y) if validation else 0)
    sizes = batch_sizes(network, n_images, batch_size, processes.size)
    shuffler = torch.Generator().manual_seed(seed)
    snapshots = {} if snapshots is None else snapshots
    draws = Draws(device, shuffler, augment.random if isinstance(augment, Augmenter) else None)
    saved = keeper.last()
    at = Position() if saved is None else saved.position
    if saved is not None:  # before blocks are frozen: what they make of images is of their weights
        network.load_state_dict(state_of(saved, "network"))
        draws.set(state_of(saved, "phase"))
        if step_log is not None:
            step_log.begin(at)
    while at.phase < len(phases):
        phase, phase_began = phases[at.phase], draws.states()
        # The whole network on images; or its last part, on what the frozen one made of them.
        trained, views, judged_on, change = trained_in(
            phase, network, examples, validation, augment, autocast, on_features
        )
        optimizer = build_optimizer(
            phase.optimizer, groups_of(network, phase), phase.learning_rate, phase.weight_decay
        )
        schedule, n_epochs = SCHEDULES[phase.schedule], phase.n_epochs(len(sizes))
        average = moving_average(trained, phase.ema_decay)
        judged = trained if average is None else average.module
        memory = Memory(
            network, optimizer, average, copy_of_weights(trained), draws, phase_began, snapshots
        )
        if saved is None:
            at.best.begin()
        else:
            memory.recall(saved)
        while at.epoch < n_epochs and not at.best.is_out_of_patience(phase):
            start = time.perf_counter() - at.seconds
            trained.train()
            X = views[at.epoch % len(views)]
            # read once an epoch: no waiting
            loss_sum = torch.tensor(at.loss_sum, device=device)
            n_correct = torch.tensor(at.n_correct, dtype=torch.float32, device=device)
            memory.begin_epoch(saved)
            places = order_of(n_images, order, shuffler).to(device)
            if saved is not None:
                draws.set(state_of(saved, "now"))
                saved = None
            processes.draw_apart(seed + at.step)
            batches = places.split(sizes)[at.batch :]
            for batch, images in zip(batches, images_of(X, batches, rows), strict=True):
                at.learning_rate = phase.learning_rate * schedule(
                    at.step / (n_epochs * len(sizes)), at.losses
                )
                for group in optimizer.param_groups:
                    group["lr"] = at.learning_rate * group.get("share", 1)
                labels, weights = y[batch], None if w is None else w[batch]
                # targets: labels (N,), or shares of the classes (N, K) where images were mixed
                given, targets = images, labels
                if change is not None:
                    given, targets = change(images, labels, weights)
                given, labels, targets = map(processes.share, (given, labels, targets))
                weights = None if weights is None else processes.share(weights)
                with torch.autocast(device.type, torch.bfloat16, enabled=autocast):
                    logits = trained(given)
                loss = mean_loss(logits.float(), targets, weights, phase.label_smoothing)
                loss = loss * (len(labels) / len(batch))  # of one process, 1
                optimizer.zero_grad()
                loss.backward()
                with torch.no_grad():
                    n_right = (logits.argmax(1) == labels).sum()
                    loss, n_right = processes.sum_gradients(trained, loss, n_right)
                    loss_sum += loss * len(batch)
                    n_correct += n_right
                if phase.clip_norm is not None:
                    nn.utils.clip_grad_norm_(trained.parameters(), phase.clip_norm)
                optimizer.step()
                if average is not None:
                    average.update_parameters(trained)
                at.batch += 1
                at.step += 1
                if step_log is not None:
                    step_log.add(at, loss.detach(), len(sizes))
                on_step()
                if keeper.is_due():
                    if step_log is not None:
                        step_log.settle(at)
                    at.loss_sum, at.n_correct = loss_sum.item(), int(n_correct)
                    at.seconds = time.perf_counter() - start
                    keeper.keep(memory.checkpoint(at))
            validated = measure(judged, judged_on, processes) if judged_on else None
            seconds = time.perf_counter() - start
            epoch = at.end_epoch(
                loss_sum.item() / n_images, n_correct.item() / n_images, validated, seconds
            )
            on_epoch(epoch)
            at.check_finite()
            if at.best.see(epoch, phase) or phase.keep == "last":
                memory.best = copy_of_weights(judged)
            if phase.is_snapshot(at.epoch):
                snapshots[epoch.epoch] = whole_of(network, trained, judged)
        trained.load_state_dict(memory.best)
        at.end_phase(phase)
    return at.history


def order_of(n_images: int, order: str, shuffler: torch.Generator) -> Tensor:
    """Places int64 (N,) in the order in which an epoch sees the images."""
    if order == "file":
        return torch.arange(n_images)
    return torch.randperm(n_images, generator=shuffler)


def batch_sizes(
    network: nn.Module, n_images: int, batch_size: int, n_processes: int = 1
) -> list[int]:
    """How many images each step sees.

    Of a single image batch normalisation has no variance: where the network has one, an image
    left alone joins the batch before. So do fewer images than there are processes.
    """
    n_whole, n_rest = divmod(n_images, batch_size)
    sizes = [batch_size] * n_whole + ([n_rest] if n_rest else [])
    normalises = any(isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d) for m in network.modules())
    if n_whole and 0 < n_rest < max(n_processes, 2 if normalises else 1):
        sizes[-2:] = [batch_size + n_rest]
    return sizes


def moving_average(network: nn.Module, decay: float) -> AveragedModel | None:
    """A copy of the network that follows its weights; None for a decay of 0.

    What is not trained, such as a batch normalisation's statistics, is averaged as well.
    """
    if decay == 0:
        return None
    return AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)


def measure(network: nn.Module, examples: Examples, processes: Processes = ALONE) -> Validated:
    """Mean cross-entropy in nats and how many images are right, in float32, dropout off.

    Images with weights count by them.
    """
    X, y = processes.share(examples.X), processes.share(examples.y)
    logits = predict_logits(network, X)
    if examples.w is None:
        w, loss = None, cross_entropy(logits, y) * (len(y) / len(examples.y))
    else:
        w = processes.share(examples.w).double()
        losses = cross_entropy(logits, y, reduction="none")
        loss = (w * losses).sum() / examples.w.double().sum()
    predicted, n_classes = logits.argmax(1), logits.shape[1]
    is_right = predicted == y
    counts = (
        torch.bincount(y[is_right], None if w is None else w[is_right], n_classes),
        torch.bincount(y, w, n_classes),
        torch.bincount(predicted, w, n_classes),
    )
    loss, *counted = processes.sum(loss, *counts)
    right, true, predicted_as = (count.cpu().numpy() for count in counted)  # (K,)
    return Validated(
        loss.item(),
        float(right.sum() / true.sum()),
        balanced_accuracy(right, true),
        macro_f1(right, true, predicted_as),
    )


@torch.inference_mode()
def predict_logits(network: nn.Module, X: Tensor) -> Tensor:
    """Logits float32 (N, K) on X's device."""
    network.eval()
    return torch.cat([network(batch).float() for batch in X.split(EVALUATION_BATCH)])


def whole_of(network: nn.Module, trained: nn.Module, judged: nn.Module) -> Weights:
    """All weights of a network, with those of `judged` in place of its trained part's."""
    own = copy_of_weights(trained)
    trained.load_state_dict(judged.state_dict())
    whole = copy_of_weights(network)
    trained.load_state_dict(own)
    return whole


def copy_of_weights(network: nn.Module) -> Weights:
    """A state dict that later steps do not change."""
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
