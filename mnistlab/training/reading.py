"""The images of every batch, from memory or from a file that is too large for memory."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from mnistlab.data.large import Rows

SLOW_S = 2e-5  # per image: from the file cache it takes a tenth of this, from a disk four times
N_AHEAD = 32  # batches that are requested from a slow disk before they are needed
N_ASKING = 1000  # batches after which the speed is looked at again


def images_of(X: Tensor, batches: Sequence[Tensor], rows: Rows | None) -> Iterator[Tensor]:
    """The images X[batch] of each batch of indices (B,), in order.

    rows: the same images in their file; they are then read from there, and requested ahead of time
    once a read was slow. No thread reads them: it would take a core from the network, and cost more
    than it gains.
    """
    if rows is None:
        yield from (X[batch] for batch in batches)
        return
    n_asked = asking_until = 0
    for number, batch in enumerate(batches):
        if number < asking_until:
            first, n_asked = max(n_asked, number + 1), number + 1 + N_AHEAD
            for coming in batches[first:n_asked]:
                rows.prefetch(coming.numpy())
        start = time.perf_counter()
        images = rows.read(batch.numpy())
        if time.perf_counter() - start > SLOW_S * len(batch):
            asking_until = number + N_ASKING
        yield torch.from_numpy(images)
