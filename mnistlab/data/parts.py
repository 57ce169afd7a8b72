"""One set out of the parts that it came in: train, and val and test where there are such.

Labels are judged over all parts together, so that 1 in one file and 1.0 in another are one class.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.data import large
from mnistlab.data.dataset import Dataset
from mnistlab.data.notes import note
from mnistlab.data.readers import labels
from mnistlab.data.readers.labels import RawLabels
from mnistlab.errors import DataError

PartName = Literal["train", "val", "test"]
PART_NAMES: tuple[PartName, ...] = ("train", "val", "test")
# How files and folders of a part are called, in any case; MNIST's own test part is t10k.
SPELLINGS: dict[PartName, tuple[str, ...]] = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation"),
    "test": ("test", "testing", "t10k"),
}
_WORDS = "|".join(sorted((n for names in SPELLINGS.values() for n in names), key=len, reverse=True))
# fashion-mnist_train, train_data, or just train.
CALLED = re.compile(
    rf"(?:(?P<before>.*)[-_. ])?(?P<part>{_WORDS})(?:[-_. ](?P<after>.*))?", re.IGNORECASE
)
NAMES_SHOWN = 5


class Part(NamedTuple):
    """images: uint8 (N, H, W). labels: N, not yet judged. where: its file, for messages."""

    images: NDArray[np.uint8]
    labels: RawLabels
    where: str


def part_called(name: str) -> PartName | None:
    """The part that a file or folder of that name, without its ending, holds; None for others."""
    folded = name.casefold()
    return next((part for part, names in SPELLINGS.items() if folded in names), None)


def part_of_set(name: str) -> tuple[PartName, str] | None:
    """As `part_called`, with the name of the set before or after, which is told too.

    The set's name is in small letters, what stands before and after divided by "|".
    """
    match = CALLED.fullmatch(name)
    part = part_called(match["part"]) if match else None
    if match is None or part is None:
        return None
    return part, f"{match['before'] or ''}|{match['after'] or ''}".casefold()


def assembled(name: str, parts: Mapping[PartName, Part], provenance: str) -> Dataset:
    """The parts as one set in the order train, val, test; a single one is a set without parts.

    Raises DataError without a training part, for images of differing sizes, which names the part,
    and for more classes than a set may have.
    """
    if "train" not in parts:
        found = ", ".join(part.where for part in parts.values()) or provenance
        raise DataError(f"{found}: no training part beside it (train or training)")
    present = [part for part in PART_NAMES if part in parts]
    if "test" in parts and labels.is_unlabelled(parts["test"].labels, parts["train"].labels):
        present.remove("test")
        say_unlabelled(parts["test"].where)
    chosen = [parts[part] for part in present]
    for part in chosen:
        if len(part.labels.codes) != len(part.images):
            raise DataError(
                f"{part.where}: {len(part.labels.codes)} labels for {len(part.images)} images"
            )
        _check_size(part, chosen[0])
    codes, class_names = labels.judge([part.labels for part in chosen], provenance)
    _say_untrained(present, codes, class_names, provenance)
    return Dataset(
        name,
        large.joined([part.images for part in chosen]),
        np.concatenate(codes),
        class_names,
        n_official_train=len(chosen[0].images) if len(chosen) > 1 else None,
        n_official_val=len(parts["val"].images) if "val" in parts else 0,
        provenance=provenance,
    )


def say_unlabelled(where: str) -> None:
    """That a test part is left out, for which `predict` is the command."""
    note(f"{where}: has no labels: it is left out here; `mnistlab predict` reads it")


def joined(name: str, parts: Mapping[PartName, Dataset], provenance: str) -> Dataset:
    """`assembled`, for parts that are sets already: their class names are taken as they stand."""
    return assembled(
        name,
        {
            part: Part(
                dataset.images,
                RawLabels(dataset.labels, dataset.class_names, verbatim=True),
                dataset.provenance or f"{provenance}: part {part}",
            )
            for part, dataset in parts.items()
        },
        provenance,
    )


def _check_size(part: Part, first: Part) -> None:
    (height, width), (trained_height, trained_width) = part.images.shape[1:], first.images.shape[1:]
    if (height, width) != (trained_height, trained_width):
        raise DataError(
            f"{part.where}: its images are {height}x{width}, those of {first.where} "
            f"{trained_height}x{trained_width}"
        )


def _say_untrained(
    present: Sequence[PartName],
    codes: Sequence[NDArray[np.int64]],
    class_names: tuple[str, ...],
    provenance: str,
) -> None:
    """A class of which nothing can be learnt is usually a slip in the labels."""
    trained = set(np.unique(codes[0]).tolist())
    for part, of_part in zip(present[1:], codes[1:], strict=True):
        alone = [class_names[k] for k in np.unique(of_part).tolist() if k not in trained]
        if alone:
            shown = ", ".join(alone[:NAMES_SHOWN]) + (", ..." if len(alone) > NAMES_SHOWN else "")
            note(f"{provenance}: {len(alone)} classes of {part} have no training image: {shown}")
