"""Pixel scaling as the first layer, so that it is trained, saved and exported with the network."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mnistlab.errors import RecipeError

SCALINGS = ("standard", "min-max", "none")


class Scaling(nn.Module):
    """(x - shift) / scale in float32; both are fixed numbers, never trained."""

    shift: Tensor
    scale: Tensor

    def __init__(self, shift: float = 0.0, scale: float = 1.0) -> None:
        super().__init__()
        self.register_buffer("shift", torch.tensor(shift, dtype=torch.float32))
        self.register_buffer("scale", torch.tensor(scale, dtype=torch.float32))

    def forward(self, x: Tensor) -> Tensor:
        """Any dtype (N, 1, H, W) to float32 in channels-last layout, which suits convolutions."""
        scaled = (x.float() - self.shift) / self.scale
        return scaled.contiguous(memory_format=torch.channels_last)


def fit_scaling(kind: str, X: Tensor) -> Scaling:
    """A Scaling fitted on the training pixels X alone.

    "standard": mean 0 and deviation 1 over all pixels. "min-max": 0 to 1.
    "none": raw values. Raises RecipeError for any other kind.
    """
    if kind == "none":
        return Scaling()
    if kind == "min-max":
        low, high = X.min().item(), X.max().item()
        return Scaling(low, (high - low) or 1.0)
    if kind == "standard":
        pixels = X.double()
        return Scaling(pixels.mean().item(), pixels.std(correction=0).item() or 1.0)
    raise RecipeError(f"unknown scaling {kind!r}; there are: {', '.join(SCALINGS)}")
