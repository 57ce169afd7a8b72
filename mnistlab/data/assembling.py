"""One data set out of its splits: train, and val and test where there are such.

Labels of all splits are read together, so that 1 in one file and 1.0 in another are one class.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.data import large
from mnistlab.data.dataset import SPLIT_NAMES, Dataset, SplitName
from mnistlab.data.notes import note
from mnistlab.data.readers import labels, levels
from mnistlab.data.readers.labels import RawLabels
from mnistlab.errors import DataError

# How files and folders of a split are called, in any case; MNIST's own test set is t10k.
SPELLINGS: dict[SplitName, tuple[str, ...]] = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation"),
    "test": ("test", "testing", "t10k"),
}
_WORDS = "|".join(sorted((n for names in SPELLINGS.values() for n in names), key=len, reverse=True))
# fashion-mnist_train, train_data, or just train.
CALLED = re.compile(
    rf"(?:(?P<before>.*)[-_. ])?(?P<split>{_WORDS})(?:[-_. ](?P<after>.*))?", re.IGNORECASE
)
NAMES_SHOWN = 5


class RawSplit(NamedTuple):
    """images: uint8 (N, H, W). labels: N, as found in the file. where: the file, for messages."""

    images: NDArray[np.uint8]
    labels: RawLabels
    where: str


def split_called(name: str) -> SplitName | None:
    """The split that a file or folder of that name (without ending) holds; None for others."""
    folded = name.casefold()
    return next((split for split, names in SPELLINGS.items() if folded in names), None)


def split_of_set(name: str) -> tuple[SplitName, str] | None:
    """As `split_called`, for names that also hold the name of the set: fashion_train, train_data.

    The second value is what stands before and after the split, "fashion|" or "|data".
    """
    match = CALLED.fullmatch(name)
    split = split_called(match["split"]) if match else None
    if match is None or split is None:
        return None
    return split, f"{match['before'] or ''}|{match['after'] or ''}".casefold()


def assembled(name: str, splits: Mapping[SplitName, RawSplit], provenance: str) -> Dataset:
    """The splits as one data set in the order train, val, test; one alone is a set without splits.

    Raises DataError without a training set, for images of different sizes, and for more classes
    than a set may have.
    """
    if "train" not in splits:
        found = ", ".join(split.where for split in splits.values()) or provenance
        raise DataError(f"{found}: no training set beside it (train or training)")
    present = [split for split in SPLIT_NAMES if split in splits]
    if "test" in splits and labels.is_unlabelled(splits["test"].labels, splits["train"].labels):
        present.remove("test")
        say_unlabelled(splits["test"].where)
    chosen = [splits[split] for split in present]
    for split in chosen:
        if len(split.labels.codes) != len(split.images):
            raise DataError(
                f"{split.where}: {len(split.labels.codes)} labels for {len(split.images)} images"
            )
        _check_size(split, chosen[0])
    codes, class_names = labels.judge([split.labels for split in chosen], provenance)
    _say_lacking(present, codes, class_names, provenance)
    images = large.joined([split.images for split in chosen])
    levels.note_dark(images, provenance)
    return Dataset(
        name,
        images,
        np.concatenate(codes),
        class_names,
        n_official_train=len(chosen[0].images) if len(chosen) > 1 else None,
        n_official_val=len(splits["val"].images) if "val" in splits else 0,
        provenance=provenance,
    )


def say_unlabelled(where: str) -> None:
    """Say that a test set without labels is left out, and which command reads it."""
    note(f"{where}: has no labels: it is left out here; `mnistlab predict` reads it")


def joined(name: str, splits: Mapping[SplitName, Dataset], provenance: str) -> Dataset:
    """`assembled` for splits that are data sets; their class names stay as they are."""
    return assembled(
        name,
        {
            split: RawSplit(
                dataset.images,
                RawLabels(dataset.labels, dataset.class_names, verbatim=True),
                dataset.provenance or f"{provenance}: split {split}",
            )
            for split, dataset in splits.items()
        },
        provenance,
    )


def _check_size(split: RawSplit, first: RawSplit) -> None:
    (height, width), (trained_height, trained_width) = (
        split.images.shape[1:],
        first.images.shape[1:],
    )
    if (height, width) != (trained_height, trained_width):
        raise DataError(
            f"{split.where}: its images are {height}x{width}, those of {first.where} "
            f"{trained_height}x{trained_width}"
        )


def _say_lacking(
    present: Sequence[SplitName],
    codes: Sequence[NDArray[np.int64]],
    class_names: tuple[str, ...],
    provenance: str,
) -> None:
    """Say which classes a split lacks: usually a mistake in the labels or in the split."""
    trained = set(np.unique(codes[0]).tolist())
    for split, of_split in zip(present[1:], codes[1:], strict=True):
        occurring = set(np.unique(of_split).tolist())
        if alone := [class_names[k] for k in sorted(occurring - trained)]:
            said = "1 class" if len(alone) == 1 else f"{len(alone)} classes"
            have = "has" if len(alone) == 1 else "have"
            note(f"{provenance}: {said} of {split} {have} no training image: {_some(alone)}")
        if lacking := [class_names[k] for k in sorted(trained - occurring)]:
            have, them = ("has", "it") if len(lacking) == 1 else ("have", "them")
            note(
                f"{provenance}: {len(lacking)} of {len(trained)} classes {have} no image in "
                f"{split}, which says nothing of {them}: {_some(lacking)}"
            )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMES_SHOWN]) + (", ..." if len(names) > NAMES_SHOWN else "")
