"""Images with labels, as tensors: what a network is trained and validated on."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from mnistlab.data.large import Rows


class Examples(NamedTuple):
    """Images (N, 1, H, W), any dtype the network takes, and labels int64 (N,), on one device.

    For the last blocks of a network X holds what the frozen ones before made of the images, (N,
    ...). w: how much each image counts, float32 (N,), with mean 1 over images to train on; None:
    all alike. rows: the same images in their file, where memory cannot hold them: training.reading.
    """

    X: Tensor
    y: Tensor
    w: Tensor | None = None
    rows: Rows | None = None
