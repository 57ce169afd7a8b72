"""Images as a classifier is given them, as the tensors that a torch network takes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mnistlab.classifiers.inputs import Labelled
from mnistlab.data import large
from mnistlab.training.examples import Examples
from mnistlab.training.fixed_views import View, expanded


def prepared(
    images: NDArray[Any],
    image_shape: tuple[int, int],
    margins: Sequence[tuple[int, int]],
    views: Sequence[View],
) -> NDArray[Any]:
    """Images (N, H, W) or rows (N, D) as (M, 1, H', W'), padded with 0, in all views.

    The views of an image are adjacent. uint8 stays uint8, which is a quarter of float32.
    """
    if images.dtype != np.uint8:
        images = images.astype(np.float32, copy=False)
    images = images.reshape(-1, 1, *image_shape)
    if len(views) == 1 and not np.any(margins):
        return images

    def blocks() -> Iterator[NDArray[Any]]:
        for block in large.blocks(images):
            for few in np.array_split(block, len(views)):  # all views of it take as much as a block
                padded = np.pad(few, ((0, 0), (0, 0), *margins))
                yield expanded(as_tensor(padded), views).numpy()

    return large.joined(blocks())


def examples_of(images: NDArray[Any], of: Labelled, device: torch.device) -> Examples:
    """Prepared images (M, 1, H, W), the views of each label's image adjacent, on that device."""
    n_views = len(images) // len(of.codes)
    y = torch.from_numpy(of.codes).repeat_interleave(n_views).to(device)
    X, w = as_tensor(images).to(device), None
    if of.weights is not None:
        w = torch.from_numpy(of.weights).float().repeat_interleave(n_views).to(device)
    return Examples(X, y, w, large.rows_of(images) if device.type == "cpu" else None)


def as_tensor(images: NDArray[Any]) -> torch.Tensor:
    """A tensor of the same memory where torch can use it; nothing writes to it."""
    if large.mapping_of(images) is not None and images.flags.c_contiguous:
        with warnings.catch_warnings(action="ignore"):  # that it must not be written to
            return torch.from_numpy(images)
    # torch warns of arrays that it must not write to, and cannot read those with negative strides.
    if not (images.flags.writeable and images.flags.c_contiguous):
        images = images.copy()
    return torch.from_numpy(images)
