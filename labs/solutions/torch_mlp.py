"""Solutions of chapter 6: the network in PyTorch, and the loss that softmax twice cannot leave."""

from __future__ import annotations

import math

from torch import Tensor, nn


class MLP(nn.Module):
    """One hidden layer; returns scores (logits), because nn.CrossEntropyLoss applies softmax."""

    def __init__(self, input_size: int = 784, hidden_size: int = 100, output_size: int = 10):
        super().__init__()
        self.hidden = nn.Linear(input_size, hidden_size)
        self.output = nn.Linear(hidden_size, output_size)

    def forward(self, x: Tensor) -> Tensor:
        """Scores (N, K) of images (N, 1, H, W) or rows (N, D)."""
        scores: Tensor = self.output(self.hidden(x.flatten(1)).relu())
        return scores


def smallest_loss_of_double_softmax(n_classes: int = 10) -> float:
    """The loss where the first softmax says 1 for the true class and 0 for all others."""
    return math.log(1 + (n_classes - 1) / math.e)
