"""Arrays that list the images of a split: train_idx and test_idx by position, train_mask by 1."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistlab.cards import counted
from mnistlab.data.assembling import split_called
from mnistlab.data.dataset import SPLIT_NAMES, SplitName
from mnistlab.data.notes import note
from mnistlab.errors import DataError

_SPLIT, _LIST = "training|train|validation|valid|val|testing|test", "mask|idx|idxs|index|indices"
NAME = re.compile(
    rf"(?P<split>{_SPLIT})[_./ -]?(?:{_LIST})|(?:{_LIST})[_./ -]?(?P<split2>{_SPLIT})",
    re.IGNORECASE,
)


def is_called_so(name: str) -> bool:
    """Whether an array of that name lists the images of a split."""
    return NAME.fullmatch(name.strip()) is not None


def splits_of(
    found: Mapping[str, NDArray[Any]], n_images: int, where: str
) -> list[SplitName | None] | None:
    """The split of each image; None for an image in no list, and where there is no list at all.

    Without a list of the training images all others train; beside such a list alone they test.
    Raises DataError naming the array for positions that are not there, or in two splits.
    """
    told: list[SplitName | None] = [None] * n_images
    called = {name: match for name in found if (match := NAME.fullmatch(name.strip()))}
    splits = {name: split_called(m["split"] or m["split2"]) for name, m in called.items()}
    if not called:
        return None
    for name, split in splits.items():
        for place in _places(found[name], n_images, f"{where}: {name}"):
            if told[place] is not None:
                raise DataError(f"{where}: {name}: image {place} is in the {told[place]} set too")
            told[place] = split
    # As of is_train and is_test: a list of one kind tells all.
    rest = _of_the_rest({*splits.values()})
    told = [split or rest for split in told]
    counts = {split: told.count(split) for split in (*SPLIT_NAMES, None)}
    said = ", ".join(f"{counts[split]} {split}" for split in SPLIT_NAMES if counts[split])
    n_left = counts[None]
    left = f"; left out: {counted(n_left, 'image', 'd')} in none of them" if n_left else ""
    note(f"{where}: splits by {' and '.join(called)}: {said}{left}")
    return told


def _of_the_rest(told: set[SplitName | None]) -> SplitName | None:
    if "train" not in told:
        return "train"
    return "test" if told == {"train"} else None


def _places(values: NDArray[Any], n_images: int, where: str) -> list[int]:
    """The positions of the images in a list of positions or a mask of 0 and 1."""
    flat = values.ravel()
    is_mask = "mask" in where.rpartition(": ")[2].casefold() or flat.dtype == np.bool_
    if flat.dtype.kind not in "biu" or (is_mask and len(flat) != n_images):
        kind = f"{n_images} values of 0 and 1" if is_mask else "positions of images"
        raise DataError(f"{where}: holds {values.dtype} {values.shape}, not {kind}")
    if is_mask:
        return [int(place) for place in np.flatnonzero(flat)]
    if len(flat) and not 0 <= int(flat.min()) <= int(flat.max()) < n_images:
        raise DataError(
            f"{where}: goes from {flat.min()} to {flat.max()}, where images are counted from 0 to "
            f"{n_images - 1}"
        )
    return [int(place) for place in flat]
