"""Which images of an input are explained: a few, evenly from the first to the last."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.data.readers.unlabelled import Block
from mnistlab.errors import DataError
from mnistlab.explaining.explanation import ExplainSettings
from mnistlab.runs.folder import Run
from mnistlab.runs.predicting import PredictSettings, opened_images

MOST_READ = 10_000  # images; of an input with more, the first of them are looked at
FINER = 64  # times as many images are held as are wanted, so that they can be spaced evenly
HELD_PIXELS = 1 << 24  # in all images that are held


class Chosen(NamedTuple):
    """Images uint8 (n, H, W) with their IDs, of n_read images; n_read is all unless is_cut."""

    ids: list[str]
    images: NDArray[np.uint8]
    n_read: int
    is_cut: bool

    @property
    def words(self) -> str:
        """Which images these are, such as "12 of 300 images, evenly spaced"."""
        n = len(self.ids)
        if n == self.n_read and not self.is_cut:
            return "the image" if n == 1 else f"all {n} images"
        first = "the first " if self.is_cut else ""
        return f"{n} of {first}{self.n_read:,} images" + (", evenly spaced" if n > 1 else "")


def images_to_explain(
    run: Run, path: Path, settings: ExplainSettings, on_note: Callable[[str], None]
) -> Iterator[Block]:
    """The images of an input as `predict` gives them to the classifier."""
    wanted = PredictSettings(size=settings.size, invert=settings.invert, prepare=settings.prepare)
    return opened_images(run, path, wanted, on_note).blocks


def chosen_from(blocks: Iterable[Block], limit: int, name: str) -> Chosen:
    """At most `limit` images of the blocks, however many these are; DataError where none are.

    Where more are held than there is room for, every second one is dropped.
    """
    held: list[tuple[str, NDArray[np.uint8]]] = []
    n, step = 0, 1
    is_cut = False
    for block in blocks:
        n_held = 2 * limit * max(1, min(FINER, HELD_PIXELS // (limit * block.images[0].size)))
        for ident, image in zip(block.ids, block.images, strict=True):
            if n % step == 0:
                held.append((ident, image.copy()))
                if len(held) >= n_held:
                    held, step = held[::2], 2 * step
            n += 1
        is_cut = n >= MOST_READ
        if is_cut:
            break
    if not held:
        raise DataError(f"{name}: holds no images")
    places = np.linspace(0, len(held) - 1, min(limit, len(held))).round().astype(np.intp)
    chosen = [held[place] for place in places]
    return Chosen([ident for ident, _ in chosen], np.stack([im for _, im in chosen]), n, is_cut)
