"""Which classifiers to average, and how much each counts: greedy selection on validation images.

Caruana et al. 2004, "Ensemble selection from libraries of models": begin with the best ones, then
add, with replacement, whichever lowers the loss most. All classes count the same in that loss.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]  # (N,), in 0..K-1
Probabilities = NDArray[np.float64]  # (N, K)

N_ROUNDS = 30  # additions at most; each changes the mean by less
MOST_MEMBERS = 12  # different ones: every member takes time whenever an image is predicted
LOWEST = 1e-4  # a probability below counts as this: no single image may decide


class Selection(NamedTuple):
    """weights: float64 (M,), of sum 1, 0 for what is left out. loss: of their mean, in nats."""

    weights: NDArray[np.float64]
    loss: float


def balanced_log_loss(labels: Labels, probabilities: Probabilities) -> float:
    """The mean log loss in nats, in which every class that occurs counts the same."""
    return float(_losses(labels, probabilities) @ _balance(labels))


def greedy_selection(
    probabilities: NDArray[np.float64], labels: Labels, most: int = MOST_MEMBERS
) -> Selection:
    """Weights of M classifiers by their probabilities (M, N, K) of N validation images.

    It begins with the mean of those that the images cannot tell from the best: so that thirty
    images, by which chance alone chooses, leave an average of all good ones.
    """
    balance = _balance(labels)
    losses = np.stack([_losses(labels, p) for p in probabilities])  # (M, N)
    means = losses @ balance
    order = np.argsort(means, kind="stable")[:most]
    counts = np.zeros(len(probabilities), dtype=np.int64)
    counts[[m for m in order if _is_close(losses[m] - losses[order[0]], balance)]] = 1
    if (several := _mean_loss(probabilities, counts, labels, balance)) > means[order[0]]:
        counts[:], counts[order[0]] = 0, 1
        several = float(means[order[0]])
    best, loss = counts.copy(), several
    for _ in range(N_ROUNDS):
        total = np.tensordot(counts, probabilities, 1)  # (N, K)
        n = counts.sum() + 1
        tried = [_losses(labels, (total + probabilities[m]) / n) @ balance for m in order]
        counts[order[int(np.argmin(tried))]] += 1
        if min(tried) < loss:
            best, loss = counts.copy(), float(min(tried))
    return Selection(best / best.sum(), float(loss))


def _balance(labels: Labels) -> NDArray[np.float64]:
    """How much each image (N,) counts, of sum 1: every class that occurs counts the same."""
    counts = np.bincount(labels)
    return np.asarray(1 / (counts[labels] * np.count_nonzero(counts)))


def _losses(labels: Labels, probabilities: Probabilities) -> NDArray[np.float64]:
    own = probabilities[np.arange(len(labels)), labels]
    return np.asarray(-np.log(np.clip(own, LOWEST, 1)))


def _is_close(difference: NDArray[np.float64], balance: NDArray[np.float64]) -> bool:
    """Whether the mean of a difference of losses (N,) is within its standard error of 0."""
    mean = float(difference @ balance)
    deviation = float(np.sqrt(((difference - mean) ** 2 * balance**2).sum()))
    return mean <= deviation


def _mean_loss(
    probabilities: NDArray[np.float64],
    counts: NDArray[np.int64],
    labels: Labels,
    balance: NDArray[np.float64],
) -> float:
    mean = np.tensordot(counts / counts.sum(), probabilities, 1)
    return float(_losses(labels, mean) @ balance)
