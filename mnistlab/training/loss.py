"""What a step makes small: the mean cross-entropy of a batch, images weighted where they differ."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cross_entropy


def mean_loss(
    logits: Tensor, targets: Tensor, weights: Tensor | None, label_smoothing: float
) -> Tensor:
    """Mean over the batch of weight times cross-entropy, in nats; weights have mean 1 over the set.

    logits (N, K). targets: labels (N,), or of mixed images fractions of the classes (N, K), of
    which each row sums to the image's weight. weights (N,), None: all alike.
    """
    if weights is None:
        return cross_entropy(logits, targets, label_smoothing=label_smoothing)
    if targets.ndim == 1:
        losses = cross_entropy(logits, targets, reduction="none", label_smoothing=label_smoothing)
        return (weights * losses).mean()
    # torch would smooth every row as if it summed to one.
    everywhere = targets.mean(1, keepdim=True)
    smoothed = (1 - label_smoothing) * targets + label_smoothing * everywhere
    return cross_entropy(logits, smoothed)
