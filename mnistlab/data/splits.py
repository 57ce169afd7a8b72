"""Named ways (protocols) to split a data set into train, validation and test.

A protocol is a function from a data set to three index arrays. Training and tuning see `train` and
`val`; `test` is for evaluation alone. A split that the user gave is used as it is. A missing one
is drawn at random with a fixed seed and stratified, since folders and sorted tables come class by
class.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnistlab.cards import card, html_table
from mnistlab.data.dataset import SPLIT_NAMES, Dataset
from mnistlab.data.readers import kinds
from mnistlab.data.stratified import DEFAULT_SEED, apportioned, draw, rank_in_class
from mnistlab.errors import DataError

Indices = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]
Protocol = Callable[[Dataset], Indices]

DRAWN_FRACTION = 0.15  # of the training set, for a validation or test set that is missing
FEWEST_OF_CLASS = 4  # images a class needs to be in all three splits, twice in the training set
LAST_TWELFTH = "the last twelfth of the published training set"
NO_VALIDATION = "none: all training images train"
DRAWN = f"drawn from the training set, stratified, seed {DEFAULT_SEED}"


@dataclass(frozen=True)
class Split:
    """A data set split in three by a named protocol.

    origins: of train, val and test in a few words, such as "as given".
    """

    protocol: str
    train: Dataset
    val: Dataset
    test: Dataset
    origins: Mapping[str, str] = field(default_factory=dict)

    def _repr_html_(self) -> str:
        rows = [
            (name, f"{len(part):,}", self.origins.get(name, ""))
            for name, part in zip(SPLIT_NAMES, (self.train, self.val, self.test), strict=True)
        ]
        parts = html_table(["part", "images", "from"], rows)
        return card(f"{self.train.name}, split {self.protocol}", {}, tables=[parts])


def official(dataset: Dataset) -> Indices:
    """The published test set; the last twelfth of the training set is validation.

    For MNIST and Fashion-MNIST: 55,000 / 5,000 / 10,000 in file order. A validation set that the
    data came with is used instead of that twelfth.
    """
    parts, everything = dataset.official_splits, np.arange(len(dataset))
    if "test" not in parts:
        raise DataError(f"{dataset.name}: has no official test set; use a stratified split")
    train, test = everything[parts["train"]], everything[parts["test"]]
    if "val" in parts:
        return train, everything[parts["val"]], test
    n_train = len(train) - len(train) // 12
    return train[:n_train], train[n_train:], test


def train_test(dataset: Dataset) -> Indices:
    """All training images train, none validate: for recipes whose last epoch counts.

    A validation set that the data came with stays one. Write-ups B and E train like this.
    """
    parts, everything = dataset.official_splits, np.arange(len(dataset))
    if not {"train", "test"} <= parts.keys():
        raise DataError(f"{dataset.name}: has no official test set; use a stratified split")
    return (
        everything[parts["train"]],
        everything[parts.get("val", slice(0))],
        everything[parts["test"]],
    )


def given(dataset: Dataset) -> Indices:
    """The splits that the set came with; a missing one is drawn from the training set."""
    parts, everything = dataset.official_splits, np.arange(len(dataset))
    if not parts:
        raise DataError(f"{dataset.name}: came without splits; use a stratified split")
    train = everything[parts["train"]]
    if "val" in parts and "test" in parts:
        return train, everything[parts["val"]], everything[parts["test"]]
    drawn, rest = draw(dataset.labels[train], DRAWN_FRACTION)
    if not len(drawn):
        raise DataError(
            f"{dataset.name}: no class has two training images, so none can be held out"
        )
    if "test" in parts:
        return train[rest], train[drawn], everything[parts["test"]]
    return train[rest], everything[parts["val"]], train[drawn]


def stratified(train: float, val: float, test: float, seed: int = DEFAULT_SEED) -> Protocol:
    """Random splits with the same class proportions (write-up A: 0.7, 0.15, 0.15)."""
    return _two_cuts(train, val, test, seed, by_class=True)


def shuffled(train: float, val: float, test: float, seed: int = DEFAULT_SEED) -> Protocol:
    """Plain random splits (older runs and final-tuned: 0.6, 0.2, 0.2)."""
    return _two_cuts(train, val, test, seed, by_class=False)


def _two_cuts(train: float, val: float, test: float, seed: int, by_class: bool) -> Protocol:
    if min(train, val, test) <= 0 or abs(train + val + test - 1) > 1e-9:
        raise DataError(f"split fractions {train}, {val}, {test} must be positive and sum to 1")

    def cut(dataset: Dataset) -> Indices:
        # scikit-learn is loaded only when a random split is asked for.
        from sklearn.model_selection import train_test_split

        everything, labels = np.arange(len(dataset)), dataset.labels
        if by_class:
            _check_class_sizes(dataset)
        # 1 - 0.7 is 0.30000000000000004, which scikit-learn would round up to one image more.
        rest_fraction = round(val + test, 9)
        try:
            first, rest = train_test_split(
                everything,
                test_size=rest_fraction,
                random_state=seed,
                stratify=labels if by_class else None,
            )
            second, third = train_test_split(
                rest,
                test_size=round(test / rest_fraction, 9),
                random_state=seed,
                stratify=labels[rest] if by_class else None,
            )
        except ValueError as error:
            if by_class:  # a class too small for scikit-learn's second cut
                return _drawn_cuts(labels, val, test, seed)
            raise DataError(f"{dataset.name}: cannot be split: {error}") from error
        return first, second, third

    return cut


def test_first(dataset: Dataset) -> Indices:
    """A fifth for the test set, then a quarter of the rest for validation (write-up C's code).

    In scikit-learn's order. `shuffled` first cuts off both together, which draws other images.
    """
    from sklearn.model_selection import train_test_split

    try:
        rest, test = train_test_split(
            np.arange(len(dataset)), test_size=0.2, random_state=DEFAULT_SEED
        )
        train, val = train_test_split(rest, test_size=0.25, random_state=DEFAULT_SEED)
    except ValueError as error:
        raise DataError(f"{dataset.name}: cannot be split: {error}") from error
    return train, val, test


def _check_class_sizes(dataset: Dataset) -> None:
    """DataError naming a class that has too few images for three splits."""
    counts = np.bincount(dataset.labels, minlength=dataset.n_classes)
    occurring = np.flatnonzero(counts)
    smallest = occurring[counts[occurring].argmin()]
    n_smallest = int(counts[smallest])
    if n_smallest < FEWEST_OF_CLASS:
        raise DataError(
            f"{dataset.name}: class {dataset.class_names[smallest]!r} has "
            f"{n_smallest} image{'s' * (n_smallest > 1)}; to be in the training, validation and "
            f"test set a class needs {FEWEST_OF_CLASS}{_other_column(dataset)}"
        )


def _other_column(dataset: Dataset) -> str:
    """Advice for a table whose label column was guessed: a column of pixels gives odd classes."""
    is_table = kinds.kind_by_name(Path(dataset.provenance)) == "table"
    if not is_table or "label_column" in dataset.source:
        return ""
    return "; if its labels stand in another column, name it with --label-column"


def _drawn_cuts(labels: NDArray[np.int64], val: float, test: float, seed: int) -> Indices:
    third, rest = draw(labels, test, seed)
    second, first = draw(labels[rest], val / (1 - test), seed)
    return rest[first], rest[second], third


def sample(part: Dataset, n: int | None) -> Dataset:
    """n images of a split in their own order, classes in proportion; None: all of them.

    Of a published set the first n: it is in random order already, and write-ups say "the first
    5,000".
    """
    if n is None or n >= len(part):
        return part
    return part.take(slice(0, n) if part.is_published else places_of_sample(part, n))


def places_of_sample(part: Dataset, n: int) -> NDArray[np.intp]:
    """Which images of the part `sample` takes."""
    if part.is_published or n >= len(part):
        return np.arange(min(n, len(part)))
    wanted = apportioned(np.bincount(part.labels), n)
    return np.flatnonzero(rank_in_class(part.labels) < wanted[part.labels])


PROTOCOLS: dict[str, Protocol] = {
    "official": official,
    "given": given,
    "train-test": train_test,
    "stratified-70-15-15": stratified(0.70, 0.15, 0.15),
    "shuffled-60-20-20": shuffled(0.60, 0.20, 0.20),
    "stratified-60-20-20": stratified(0.60, 0.20, 0.20),
    "test-first-60-20-20": test_first,
}


def split(dataset: Dataset, protocol: str = "auto") -> Split:
    """Split `dataset` by a protocol of PROTOCOLS.

    "auto" is "official" for a published set with a test set, "given" for any other set with
    splits, and "stratified-70-15-15" for a set without. Raises DataError for an unknown protocol
    or a set too small for it.
    """
    if protocol == "auto":
        protocol = auto_protocol(dataset)
    if protocol not in PROTOCOLS:
        known = ", ".join(["auto", *PROTOCOLS])
        raise DataError(f"unknown split {protocol!r}; there are: {known}")
    train, val, test = (dataset.take(part) for part in PROTOCOLS[protocol](dataset))
    return Split(protocol, train, val, test, _origins(dataset, protocol))


def protocol_of(dataset: Dataset, wanted: str) -> str:
    """The protocol that is used on this set for a recipe that asks for `wanted`.

    A recipe asks for the protocol of its write-up, on the data of the write-up. Splits that the
    user gave come first: else their test images could be drawn into the training set. Without a
    published test set "train-test" becomes "auto", so that a validation set can show how good the
    network is while the test set stays unseen.
    """
    came_in_parts = bool(dataset.official_splits) and not dataset.is_published
    has_no_test = wanted == "train-test" and "test" not in dataset.official_splits
    return auto_protocol(dataset) if wanted == "auto" or came_in_parts or has_no_test else wanted


def auto_protocol(dataset: Dataset) -> str:
    """What "auto" is for this set."""
    if dataset.n_official_train is None:
        return "stratified-70-15-15"
    has_test = "test" in dataset.official_splits
    return "official" if dataset.is_published and has_test else "given"


def _origins(dataset: Dataset, protocol: str) -> dict[str, str]:
    """Where each split came from, for Split.origins."""
    came_in = dataset.official_splits
    if protocol == "train-test":
        as_it_came = "as published" if dataset.is_published else "as given"
        return {name: as_it_came if name in came_in else NO_VALIDATION for name in SPLIT_NAMES}
    if protocol in ("official", "given"):
        stays, drawn, less = {
            "official": (
                "as published",
                LAST_TWELFTH,
                "without its last twelfth, which is the validation part",
            ),
            "given": ("as given", DRAWN, "without the images drawn from it"),
        }[protocol]
        origins: dict[str, str] = {
            name: stays if name in came_in else drawn for name in SPLIT_NAMES
        }
        if drawn in origins.values():
            origins["train"] += f", {less}"
        return origins
    how = "stratified" if protocol.startswith("stratified") else "not stratified"
    return dict.fromkeys(SPLIT_NAMES, f"drawn, {how}, seed {DEFAULT_SEED}")
