"""Named ways of cutting a data set into train, validation and test.

A protocol is a function from a data set to three index arrays. Training and
tuning are handed `train` and `val`; `test` is for evaluation alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnistlab.data.dataset import Dataset
from mnistlab.errors import DataError

Indices = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]
Protocol = Callable[[Dataset], Indices]

DEFAULT_SEED = 42  # random_state of write-ups A and C


@dataclass(frozen=True)
class Split:
    """A data set cut in three by a named protocol."""

    protocol: str
    train: Dataset
    val: Dataset
    test: Dataset


def official(dataset: Dataset) -> Indices:
    """The published test part; the last twelfth of the training part is validation.

    For MNIST and Fashion-MNIST: 55,000 / 5,000 / 10,000 in file order.
    """
    if dataset.n_official_train is None:
        raise DataError(f"{dataset.name}: has no official test part; use a stratified split")
    everything = np.arange(len(dataset))
    n_train = dataset.n_official_train - dataset.n_official_train // 12
    return (
        everything[:n_train],
        everything[n_train : dataset.n_official_train],
        everything[dataset.n_official_train :],
    )


def stratified(train: float, val: float, test: float, seed: int = DEFAULT_SEED) -> Protocol:
    """Shares of each class kept equal in all parts (write-up A: 0.7, 0.15, 0.15)."""
    return _two_cuts(train, val, test, seed, by_class=True)


def shuffled(train: float, val: float, test: float, seed: int = DEFAULT_SEED) -> Protocol:
    """Plain random parts (write-up C: 0.6, 0.2, 0.2)."""
    return _two_cuts(train, val, test, seed, by_class=False)


def _two_cuts(train: float, val: float, test: float, seed: int, by_class: bool) -> Protocol:
    if min(train, val, test) <= 0 or abs(train + val + test - 1) > 1e-9:
        raise DataError(f"split shares {train}, {val}, {test} must be positive and sum to 1")

    def cut(dataset: Dataset) -> Indices:
        # scikit-learn is loaded only when a random split is asked for.
        from sklearn.model_selection import train_test_split

        everything, labels = np.arange(len(dataset)), dataset.labels
        # 1 - 0.7 is 0.30000000000000004, which scikit-learn would round up to one image more.
        rest_share = round(val + test, 9)
        try:
            first, rest = train_test_split(
                everything,
                test_size=rest_share,
                random_state=seed,
                stratify=labels if by_class else None,
            )
            second, third = train_test_split(
                rest,
                test_size=round(test / rest_share, 9),
                random_state=seed,
                stratify=labels[rest] if by_class else None,
            )
        except ValueError as error:
            raise DataError(f"{dataset.name}: cannot be split: {error}") from error
        return first, second, third

    return cut


PROTOCOLS: dict[str, Protocol] = {
    "official": official,
    "stratified-70-15-15": stratified(0.70, 0.15, 0.15),
    "shuffled-60-20-20": shuffled(0.60, 0.20, 0.20),
}


def split(dataset: Dataset, protocol: str = "auto") -> Split:
    """Cut `dataset` by a protocol of PROTOCOLS.

    "auto" is "official" where the set comes with a test part and
    "stratified-70-15-15" where it does not. Raises DataError for an unknown
    protocol or a set too small for it.
    """
    if protocol == "auto":
        protocol = "stratified-70-15-15" if dataset.n_official_train is None else "official"
    if protocol not in PROTOCOLS:
        known = ", ".join(["auto", *PROTOCOLS])
        raise DataError(f"unknown split {protocol!r}; there are: {known}")
    train, val, test = PROTOCOLS[protocol](dataset)
    return Split(protocol, dataset.take(train), dataset.take(val), dataset.take(test))
