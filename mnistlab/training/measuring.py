"""What a network achieves on images: logits, loss and accuracy, dropout off, in float32."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mnistlab.evaluation import balanced_accuracy, macro_f1
from mnistlab.phases import Validated
from mnistlab.training.examples import Examples
from mnistlab.training.kernels.fusing import Forward, fused
from mnistlab.training.parallel import ALONE, Processes

# From about so many images on, kernels save more time than it takes to load them, some seconds.
MANY = 100_000
# Activations of more than 32 MB are mapped anew by the system for every batch: twice the time.
BATCH = 250


def measure(network: nn.Module, examples: Examples, processes: Processes = ALONE) -> Validated:
    """Mean cross-entropy in nats and accuracies; images with weights count by them.

    Each of several processes measures its part of the images, and all return the same numbers.
    """
    X, y = processes.part_of(examples.X), processes.part_of(examples.y)
    logits = predict_logits(network, X, fused(network))
    if examples.w is None:
        # The mean over this process's images, by its fraction of all: the parts add up to the mean.
        w, loss = None, cross_entropy(logits, y) * (len(y) / len(examples.y))
    else:
        w = processes.part_of(examples.w).double()
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
def predict_logits(network: nn.Module, X: Tensor, forward: Forward | None = None) -> Tensor:
    """Logits float32 (N, K) on X's device.

    forward: the forward pass of the network; by itself it uses kernels only for many images.
    """
    network.eval()
    if forward is None:
        forward = fused(network) if len(X) >= MANY else network
    return torch.cat([forward(batch).float() for batch in X.split(BATCH)])
