"""Solutions of chapter 11: a file of predictions, and what a network looks at."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn


def write_results(path: Path, ids: Sequence[int], labels: Sequence[int]) -> None:
    """A CSV file with the columns ID and label."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["ID", "label"])
        writer.writerows(zip(ids, labels, strict=True))


def saliency(model: nn.Module, image: Tensor) -> Tensor:
    """How strongly each pixel of an image (1, H, W) changes the highest score: (H, W)."""
    model.eval()
    pixels = image.clone().unsqueeze(0).requires_grad_()
    (gradient,) = torch.autograd.grad(model(pixels).max(), pixels)
    return gradient[0, 0].abs()
