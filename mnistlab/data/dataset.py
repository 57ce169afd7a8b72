"""The data set: the one value in which images and labels pass through the project."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mnistlab.cards import card
from mnistlab.data import large
from mnistlab.data.thumbnails import first_of_each_class, strip
from mnistlab.errors import DataError

SplitName = Literal["train", "val", "test"]
SPLIT_NAMES: tuple[SplitName, ...] = ("train", "val", "test")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Grey images with labels; immutable, and checked when it is made.

    images: uint8 (N, H, W); those of a large set lie in mapped files (`data.large`).
    labels: int64 (N,), each in 0..K-1. class_names: K names.
    n_official_train, n_official_val: of a set that came with splits, the first n_official_train
    images are its training set, the next n_official_val its validation set (0: it has none), all
    others its test set. None: it came without splits.
    is_published: a named set in the order it was published in, which fixes what validates; see
    data.splits. of_characters: images of letters or digits, which must not be mirrored.
    source: the arguments of `load` that give this set again; empty where it was made from arrays.
    notes: what `load` said of it, line by line.
    is_part: selected from a set; may hold no images. Raises DataError if the fields do not fit.
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    n_official_train: int | None = None
    provenance: str = ""
    licence: str = ""
    of_characters: bool = False
    source: Mapping[str, Any] = field(default_factory=dict)
    n_official_val: int = 0
    is_published: bool = False
    is_part: bool = False
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._check_names()
        wanted = {"images": "uint8 (N, H, W)", "labels": "int64 (N,)"}
        for name, kind in wanted.items():
            if not hasattr(value := getattr(self, name), "dtype"):  # mapped images are no ndarray
                raise DataError(f"{self.name}: {name} must be {kind}, got {type(value).__name__}")
        if self.images.ndim != 3 or self.images.dtype != np.uint8:
            raise DataError(
                f"{self.name}: images must be uint8 (N, H, W), "
                f"got {self.images.dtype} {self.images.shape}"
            )
        if len(self.images) == 0 and not self.is_part:
            raise DataError(f"{self.name}: holds no images")
        if self.labels.shape != (len(self.images),) or self.labels.dtype != np.int64:
            raise DataError(
                f"{self.name}: {len(self.images)} images but labels are "
                f"{self.labels.dtype} {self.labels.shape}"
            )
        low, high = (int(f(self.labels, initial=0)) for f in (np.min, np.max))
        if low < 0 or high >= self.n_classes:
            wrong = low if low < 0 else high
            raise DataError(f"{self.name}: label {wrong} is out of range 0..{self.n_classes - 1}")
        self._check_splits()

    def _check_names(self) -> None:
        if not self.name:
            raise DataError("a data set needs a name")
        if isinstance(self.class_names, str):
            raise DataError(f"{self.name}: class_names must be a sequence of names, got str")
        names = tuple(map(str, self.class_names))
        object.__setattr__(self, "class_names", names)  # a list, or numbers, by hand
        if len(set(names)) < len(names) or not all(name.strip() for name in names):
            raise DataError(f"{self.name}: class names must be different and not empty")

    def _check_splits(self) -> None:
        n_train, n_val = self.n_official_train, self.n_official_val
        if n_train is None:
            if n_val:
                raise DataError(f"{self.name}: a validation set needs a training set beside it")
        elif not 0 < n_train < len(self):
            raise DataError(f"{self.name}: {n_train} of {len(self)} is no split")
        elif not 0 <= n_val <= len(self) - n_train:
            raise DataError(f"{self.name}: {n_train} and {n_val} of {len(self)} is no split")

    def __len__(self) -> int:
        return len(self.images)

    @property
    def n_classes(self) -> int:
        """How many classes there are; a label may be absent from the images."""
        return len(self.class_names)

    @property
    def official_splits(self) -> dict[str, slice]:
        """The slices of the splits that the set came with, by name: train, val, test."""
        if self.n_official_train is None:
            return {}
        starts = (0, self.n_official_train, self.n_official_train + self.n_official_val, len(self))
        splits = zip(SPLIT_NAMES, pairwise(starts), strict=True)
        return {name: slice(start, end) for name, (start, end) in splits if start < end}

    @cached_property
    def fingerprint(self) -> str:
        """sha256 over shape, pixels, labels and class names: the same content, the same value."""
        digest = hashlib.sha256(repr((self.images.shape, self.class_names)).encode())
        for block in large.blocks(self.images):
            digest.update(np.ascontiguousarray(block).data)
        digest.update(self.labels.astype("<i8").data)
        return digest.hexdigest()

    def _repr_html_(self) -> str:
        height, width = self.images.shape[1:]
        sizes = {name: part.stop - part.start for name, part in self.official_splits.items()}
        facts = {
            "images": f"{len(self):,} of {height} x {width} pixels",
            "classes": f"{self.n_classes}: {', '.join(self.class_names[:20])}",
            "came with": ", ".join(f"{name} {n:,}" for name, n in sizes.items()),
            "licence": self.licence,
        }
        places = first_of_each_class(self.labels, self.n_classes)
        return card(self.name, facts, picture=strip(self.images[places]))

    def take(self, indices: NDArray[np.intp] | slice) -> Dataset:
        """The images at `indices`, as a data set without splits; see `large.take`."""
        return Dataset(
            self.name,
            large.take(self.images, indices),
            self.labels[indices],
            self.class_names,
            is_published=self.is_published,
            is_part=True,
            provenance=self.provenance,
            licence=self.licence,
            of_characters=self.of_characters,
        )
