"""The images of every batch: out of memory, or out of a file that is too large for it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from mnistlab.data.large import Rows

SLOW_S = 2e-5  # an image: from the system's memory it takes a tenth of this, from a disk four times
N_AHEAD = 32  # batches that a disk is asked for before they are needed
N_ASKING = 1000  # batches after which it is seen again whether the disk is slow


def images_of(X: Tensor, batches: Sequence[Tensor], rows: Rows | None) -> Iterator[Tensor]:
    """X at the places of each batch (B,), in order.

    rows: the same images in their file, which are read from there, and asked for in time once it
    turns out that they must come from the disk. No thread reads them: it would take a core from
    the network, which costs more than it brings.
    """
    if rows is None:
        yield from (X[batch] for batch in batches)
        return
    n_asked = asking_until = 0
    for place, batch in enumerate(batches):
        if place < asking_until:
            first, n_asked = max(n_asked, place + 1), place + 1 + N_AHEAD
            for coming in batches[first:n_asked]:
                rows.prefetch(coming.numpy())
        start = time.perf_counter()
        images = rows.read(batch.numpy())
        if time.perf_counter() - start > SLOW_S * len(batch):
            asking_until = place + N_ASKING
        yield torch.from_numpy(images)
