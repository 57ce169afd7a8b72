"""The loss of a step: mean cross-entropy of a batch, with weights of images where they differ."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cross_entropy


def mean_loss(
    logits: Tensor, targets: Tensor, weights: Tensor | None, label_smoothing: float
) -> Tensor:
    """Mean over the batch of weight times cross-entropy, in nats.

    logits (N, K). targets: labels (N,), or for mixed images fractions of the classes (N, K), whose
    rows sum to the weight of the image. weights (N,), of mean 1 over the set; None: all alike.
    """
    if weights is None:
        return cross_entropy(logits, targets, label_smoothing=label_smoothing)
    if targets.ndim == 1:
        losses = cross_entropy(logits, targets, reduction="none", label_smoothing=label_smoothing)
        return (weights * losses).mean()
    # Smoothed here: torch smooths every row as if it summed to one, not to the weight.
    everywhere = targets.mean(1, keepdim=True)
    smoothed = (1 - label_smoothing) * targets + label_smoothing * everywhere
    return cross_entropy(logits, smoothed)
