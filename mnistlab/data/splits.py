"""Named ways of cutting a data set into train, validation and test.

A protocol is a function from a data set to three index arrays. Training and
tuning are handed `train` and `val`; `test` is for evaluation alone. A part that the
user gave is used as it is; what has to be cut is cut by a seeded draw that keeps the
classes in proportion, since folders and sorted tables come class by class.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnistlab.data.dataset import Dataset
from mnistlab.data.readers import kinds
from mnistlab.errors import DataError

Indices = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]
Protocol = Callable[[Dataset], Indices]

DEFAULT_SEED = 42  # random_state of write-ups A and C
DRAWN_FRACTION = 0.15  # of the training part, for a validation or test part that is missing
FEWEST_OF_CLASS = 4  # images that a class needs to be in three parts, two of them in training
PART_NAMES = ("train", "val", "test")
LAST_TWELFTH = "the last twelfth of the training part"
NO_VALIDATION = "none: all training images train"
DRAWN = f"drawn from the training part, stratified, seed {DEFAULT_SEED}"


@dataclass(frozen=True)
class Split:
    """A data set cut in three by a named protocol.

    origins: for train, val and test a few words on where the part came from.
    """

    protocol: str
    train: Dataset
    val: Dataset
    test: Dataset
    origins: Mapping[str, str] = field(default_factory=dict)


def official(dataset: Dataset) -> Indices:
    """The published test part; the last twelfth of the training part is validation.

    For MNIST and Fashion-MNIST: 55,000 / 5,000 / 10,000 in file order. A validation part that
    the set came with takes the place of that twelfth.
    """
    parts, everything = dataset.official_parts, np.arange(len(dataset))
    if "test" not in parts:
        raise DataError(f"{dataset.name}: has no official test part; use a stratified split")
    train, test = everything[parts["train"]], everything[parts["test"]]
    if "val" in parts:
        return train, everything[parts["val"]], test
    n_train = len(train) - len(train) // 12
    return train[:n_train], train[n_train:], test


def train_test(dataset: Dataset) -> Indices:
    """All training images train and none validate: for recipes that are read at their last epoch.

    A validation part that the set came with stays one. Write-ups B and E train so.
    """
    parts, everything = dataset.official_parts, np.arange(len(dataset))
    if not {"train", "test"} <= parts.keys():
        raise DataError(f"{dataset.name}: has no official test part; use a stratified split")
    return (
        everything[parts["train"]],
        everything[parts.get("val", slice(0))],
        everything[parts["test"]],
    )


def given(dataset: Dataset) -> Indices:
    """The parts that the set came in; one that is missing is drawn from the training part."""
    parts, everything = dataset.official_parts, np.arange(len(dataset))
    if not parts:
        raise DataError(f"{dataset.name}: came in one part; use a stratified split")
    train = everything[parts["train"]]
    if "val" in parts and "test" in parts:
        return train, everything[parts["val"]], everything[parts["test"]]
    drawn, rest = _draw(dataset.labels[train], DRAWN_FRACTION)
    if not len(drawn):
        raise DataError(
            f"{dataset.name}: no class has two training images, so none can be held out"
        )
    if "test" in parts:
        return train[rest], train[drawn], everything[parts["test"]]
    return train[rest], everything[parts["val"]], train[drawn]


def stratified(train: float, val: float, test: float, seed: int = DEFAULT_SEED) -> Protocol:
    """Fractions of each class kept equal in all parts (write-up A: 0.7, 0.15, 0.15)."""
    return _two_cuts(train, val, test, seed, by_class=True)


def shuffled(train: float, val: float, test: float, seed: int = DEFAULT_SEED) -> Protocol:
    """Plain random parts; older runs and final-tuned have 0.6, 0.2, 0.2 of them."""
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
    """A fifth for the test part, then a quarter of the rest for validation (write-up C's code).

    In the order in which scikit-learn gives them. `shuffled` cuts off both at once, and so draws
    other images.
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
    """DataError naming the class that has too few images to be in three parts."""
    counts = np.bincount(dataset.labels, minlength=dataset.n_classes)
    occurring = np.flatnonzero(counts)
    smallest = occurring[counts[occurring].argmin()]
    n_smallest = int(counts[smallest])
    if n_smallest < FEWEST_OF_CLASS:
        raise DataError(
            f"{dataset.name}: class {dataset.class_names[smallest]!r} has "
            f"{n_smallest} image{'s' * (n_smallest > 1)}; to be in the training, validation and "
            f"test part a class needs {FEWEST_OF_CLASS}{_other_column(dataset)}"
        )


def _other_column(dataset: Dataset) -> str:
    """What a table may be told, whose label column was not named: pixels make odd classes."""
    is_table = kinds.kind_by_name(Path(dataset.provenance)) == "table"
    if not is_table or "label_column" in dataset.source:
        return ""
    return "; if its labels stand in another column, name it with --label-column"


def _drawn_cuts(labels: NDArray[np.int64], val: float, test: float, seed: int) -> Indices:
    third, rest = _draw(labels, test, seed)
    second, first = _draw(labels[rest], val / (1 - test), seed)
    return rest[first], rest[second], third


def _draw(
    labels: NDArray[np.int64], fraction: float, seed: int = DEFAULT_SEED
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Places of a stratified draw and of the rest, each in order.

    Every class of two or more images is in both; the only image of a class stays in the rest.
    """
    counts = np.bincount(labels)
    can_be_drawn = np.where(counts > 1, counts, 0)
    n_drawn = max(round(fraction * len(labels)), int((counts > 1).sum()))
    is_drawn = _rank_in_class(labels, seed) < _apportioned(can_be_drawn, n_drawn)[labels]
    return np.flatnonzero(is_drawn), np.flatnonzero(~is_drawn)


def sample(part: Dataset, n: int | None) -> Dataset:
    """So many images of a part, classes in proportion, in their own order; None: all of them.

    A published set is in random order already, and "the first 5,000" of a write-up are the first:
    there they are the first n.
    """
    if n is None or n >= len(part):
        return part
    return part.take(slice(0, n) if part.is_published else places_of_sample(part, n))


def places_of_sample(part: Dataset, n: int) -> NDArray[np.intp]:
    """Which images of the part `sample` takes."""
    if part.is_published or n >= len(part):
        return np.arange(min(n, len(part)))
    wanted = _apportioned(np.bincount(part.labels), n)
    return np.flatnonzero(_rank_in_class(part.labels) < wanted[part.labels])


def _apportioned(counts: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """How many of n images each class gets (K,): in proportion, by the largest remainders.

    counts: images of each class. Each class has at least one where n is enough for that; what
    rare classes so have too many, the largest have too few.
    """
    quotas = counts * (n / max(int(counts.sum()), 1))
    n = min(n, int(counts.sum()))
    given: NDArray[np.int64] = np.floor(quotas).astype(np.int64)
    if n >= int((counts > 0).sum()):
        given = np.where(counts > 0, np.maximum(given, 1), 0)
    while (missing := n - int(given.sum())) != 0:
        # As many as there are, one a class: the classes furthest from their quota first.
        distance = (quotas - given) * np.sign(missing)
        distance[(given + np.sign(missing) > counts) | (given + np.sign(missing) < 1)] = -np.inf
        furthest = np.argsort(-distance, kind="stable")[: abs(missing)]
        given[furthest[np.isfinite(distance[furthest])]] += np.sign(missing)
    return given


def _rank_in_class(labels: NDArray[np.int64], seed: int = DEFAULT_SEED) -> NDArray[np.int64]:
    """The place (N,), from 0, of each image in a random order of those of its class."""
    shuffled_places = np.random.default_rng(seed).permutation(len(labels))
    by_class = shuffled_places[np.argsort(labels[shuffled_places], kind="stable")]
    counts = np.bincount(labels)
    rank = np.empty(len(labels), dtype=np.int64)
    rank[by_class] = np.arange(len(labels)) - np.repeat(counts.cumsum() - counts, counts)
    return rank


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
    """Cut `dataset` by a protocol of PROTOCOLS.

    "auto" is "official" for a named set that was published in parts, "given" for any other set
    that came in parts, and "stratified-70-15-15" for one that came in one. Raises DataError for
    an unknown protocol or a set too small for it.
    """
    if protocol == "auto":
        protocol = auto_protocol(dataset)
    if protocol not in PROTOCOLS:
        known = ", ".join(["auto", *PROTOCOLS])
        raise DataError(f"unknown split {protocol!r}; there are: {known}")
    train, val, test = (dataset.take(part) for part in PROTOCOLS[protocol](dataset))
    return Split(protocol, train, val, test, _origins(dataset, protocol))


def protocol_of(dataset: Dataset, wanted: str) -> str:
    """The protocol by which a recipe that wants this one cuts the set.

    A recipe's own is that of a write-up, for the set of that write-up. Parts that the user gave
    come before it: else their test images would be drawn into the training part. Where there is
    no published test part, "train-test" is "auto" too: what is held out there for validation
    says how good the network is without a look at the test part.
    """
    came_in_parts = bool(dataset.official_parts) and not dataset.is_published
    has_no_test = wanted == "train-test" and "test" not in dataset.official_parts
    return auto_protocol(dataset) if wanted == "auto" or came_in_parts or has_no_test else wanted


def auto_protocol(dataset: Dataset) -> str:
    """What "auto" is for this set."""
    if dataset.n_official_train is None:
        return "stratified-70-15-15"
    has_test = "test" in dataset.official_parts
    return "official" if dataset.is_published and has_test else "given"


def _origins(dataset: Dataset, protocol: str) -> dict[str, str]:
    """Where each part came from, as Split.origins says it."""
    came_in = dataset.official_parts
    if protocol == "train-test":
        as_it_came = "as published" if dataset.is_published else "as given"
        return {name: as_it_came if name in came_in else NO_VALIDATION for name in PART_NAMES}
    if protocol in ("official", "given"):
        stays, drawn, less = {
            "official": ("as published", LAST_TWELFTH, "less its last twelfth"),
            "given": ("as given", DRAWN, "less what was drawn from it"),
        }[protocol]
        origins = {name: stays if name in came_in else drawn for name in PART_NAMES}
        if drawn in origins.values():
            origins["train"] += f", {less}"
        return origins
    how = "stratified" if protocol.startswith("stratified") else "not stratified"
    return dict.fromkeys(PART_NAMES, f"drawn, {how}, seed {DEFAULT_SEED}")
