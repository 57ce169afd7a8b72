"""The sets of the fit benchmark: two published ones whole, and five small ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

import mnistlab as ml
from benchmarks.your_image_sets import SETS as SMALL_SETS
from benchmarks.your_image_sets import Parts


def published(name: str, seed: int) -> Parts:
    """55,000 / 5,000 / 10,000 images, the same for every seed."""
    parts = ml.split(ml.load(name))
    each = (parts.train, parts.val, parts.test)
    return Parts(*(array for part in each for array in (part.images, part.labels)))


DRAWS: dict[str, Callable[[int], Parts]] = {
    "fashion-mnist": partial(published, "fashion-mnist"),
    "mnist": partial(published, "mnist"),
    **{name: of.draw for name, of in SMALL_SETS.items()},
}
FIGURES = {name: SMALL_SETS[name].figure if name in SMALL_SETS else "accuracy" for name in DRAWS}


def write_parts(parts: Parts, path: Path) -> Path:
    """The parts as an NPZ that every method reads, in its own environment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = ("x_train", "y_train", "x_val", "y_val", "x_test", "y_test")
    np.savez(path, **dict(zip(names, parts, strict=True)))
    return path
