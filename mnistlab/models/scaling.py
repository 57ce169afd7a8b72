"""Pixel scaling as the first layer, so that it is saved and exported with the network."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mnistlab.data.scaling import Shift


class Scaling(nn.Module):
    """(x - shift) / scale in float32; one number each, or one per pixel; never trained."""

    shift: Tensor
    scale: Tensor

    def __init__(self, shift: Shift = 0.0, scale: Shift = 1.0) -> None:
        super().__init__()
        self.register_buffer("shift", torch.tensor(shift, dtype=torch.float32))
        self.register_buffer("scale", torch.tensor(scale, dtype=torch.float32))

    def forward(self, x: Tensor) -> Tensor:
        """Any dtype (N, 1, H, W) to float32 in channels-last layout, which suits convolutions."""
        scaled = (x.float() - self.shift) / self.scale
        return scaled.contiguous(memory_format=torch.channels_last)
