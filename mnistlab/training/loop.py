"""The training loop: one function, no hidden steps.

The whole set lies in memory as one tensor and a batch is one gather from it, so
nothing is done per image in Python. See benchmarks/loop.py for what that is worth.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mnistlab.errors import TrainingError
from mnistlab.phases import SCHEDULES, Epoch, Phase
from mnistlab.training.optimizers import OPTIMIZERS

EVALUATION_BATCH = (
    250  # larger activations than 32 MB are mapped anew for every batch, twice the time
)


class Examples(NamedTuple):
    """Images (N, 1, H, W), any dtype the network takes, and labels int64 (N,), on one device."""

    X: Tensor
    y: Tensor


def train(
    network: nn.Module,
    examples: Examples,
    validation: Examples | None,
    phases: Sequence[Phase],
    *,
    batch_size: int,
    seed: int,
    autocast: bool = False,
    on_step: Callable[[], None] = lambda: None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> list[Epoch]:
    """Train `network` in place and leave it with the best weights it had; so does every phase.

    Best is the highest validation accuracy (the earlier epoch where two are
    equal), or the lowest training loss where there is no validation; a phase with
    patience ends when that many epochs bring no new best. `autocast`
    runs the forward pass in bfloat16. Raises TrainingError when a loss is no
    longer finite; that epoch has been reported to `on_epoch` by then.
    """
    X, y = examples
    n_images, device = len(y), y.device
    n_batches = math.ceil(n_images / batch_size)
    shuffler = torch.Generator().manual_seed(seed)
    history: list[Epoch] = []
    best_score, best_weights = -math.inf, copy_of_weights(network)
    for phase_number, phase in enumerate(phases):
        optimizer = OPTIMIZERS[phase.optimizer](
            network.parameters(), phase.learning_rate, phase.weight_decay
        )
        schedule = SCHEDULES[phase.schedule]
        step, n_without_gain = 0, 0
        for _ in range(phase.epochs):
            start = time.perf_counter()
            network.train()
            loss_sum, n_correct = torch.zeros(2, device=device)  # read once an epoch: no waiting
            order = torch.randperm(n_images, generator=shuffler).to(device)
            for batch in order.split(batch_size):
                learning_rate = phase.learning_rate * schedule(step / (phase.epochs * n_batches))
                for group in optimizer.param_groups:
                    group["lr"] = learning_rate
                labels = y[batch]
                with torch.autocast(device.type, torch.bfloat16, enabled=autocast):
                    logits = network(X[batch])
                loss = cross_entropy(logits.float(), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                with torch.no_grad():
                    loss_sum += loss * len(labels)
                    n_correct += (logits.argmax(1) == labels).sum()
                step += 1
                on_step()
            train_loss = loss_sum.item() / n_images
            val_loss, val_accuracy = measure(network, validation) if validation else (None, None)
            history.append(
                Epoch(
                    phase=phase_number,
                    epoch=len(history) + 1,
                    learning_rate=learning_rate,
                    train_loss=train_loss,
                    train_accuracy=n_correct.item() / n_images,
                    val_loss=val_loss,
                    val_accuracy=val_accuracy,
                    time_s=time.perf_counter() - start,
                )
            )
            on_epoch(history[-1])
            if not math.isfinite(train_loss) or not math.isfinite(val_loss or 0.0):
                raise TrainingError(
                    f"the loss is no longer finite in epoch {len(history)} "
                    f"(learning rate {learning_rate:g}); try a smaller learning_rate"
                )
            score = -train_loss if val_accuracy is None else val_accuracy
            n_without_gain += 1
            if score > best_score:
                best_score, best_weights, n_without_gain = score, copy_of_weights(network), 0
            if n_without_gain == phase.patience:
                break
        network.load_state_dict(best_weights)
    return history


def measure(network: nn.Module, examples: Examples) -> tuple[float, float]:
    """Mean cross-entropy in nats and accuracy, in float32 and with dropout off."""
    logits = predict_logits(network, examples.X)
    n_correct = int((logits.argmax(1) == examples.y).sum())
    return cross_entropy(logits, examples.y).item(), n_correct / len(examples.y)


@torch.inference_mode()
def predict_logits(network: nn.Module, X: Tensor) -> Tensor:
    """Logits float32 (N, K) on X's device."""
    network.eval()
    return torch.cat([network(batch).float() for batch in X.split(EVALUATION_BATCH)])


def copy_of_weights(network: nn.Module) -> dict[str, Tensor]:
    """A state dict that later steps do not change."""
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
