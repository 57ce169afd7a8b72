"""What a network is trained or judged on."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Examples(NamedTuple):
    """Images (N, 1, H, W), any dtype the network takes, and labels int64 (N,), on one device.

    Of a network's last part: what the part before it made of the images, (N, ...).
    w: how much each image counts, float32 (N,), of those to train on with mean 1; None: all alike.
    """

    X: Tensor
    y: Tensor
    w: Tensor | None = None
