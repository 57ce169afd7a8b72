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
    split = ml.split(ml.load(name))
    train, val, test = split.train, split.val, split.test
    return Parts(train.images, train.labels, val.images, val.labels, test.images, test.labels)


DRAWS: dict[str, Callable[[int], Parts]] = {
    "fashion-mnist": partial(published, "fashion-mnist"),
    "mnist": partial(published, "mnist"),
    **{name: of.draw for name, of in SMALL_SETS.items()},
}
FIGURES = {name: SMALL_SETS[name].figure if name in SMALL_SETS else "accuracy" for name in DRAWS}


def write_parts(parts: Parts, path: Path) -> Path:
    """The parts as an NPZ that every method reads, in its own environment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path,
        x_train=parts.X,
        y_train=parts.y,
        x_val=parts.X_val,
        y_val=parts.y_val,
        x_test=parts.X_test,
        y_test=parts.y_test,
    )
    return path
