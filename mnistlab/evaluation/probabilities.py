"""How good class probabilities are: log loss, top-k accuracy, calibration and temperature."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]  # (N,), in 0..K-1
Probabilities = NDArray[np.floating]  # (N, K), rows sum to 1

N_BINS = 15  # of confidence, in which calibration is measured (Guo et al. 2017)
TEMPERATURES = (0.05, 20.0)  # the range that is searched
PRECISION, MOST_STEPS = 1e-9, 100  # of that search; it takes about seven steps


@dataclass(frozen=True)
class Reliability:
    """A reliability diagram: images by the confidence of their prediction.

    edges (B + 1,); n (B,): images of a bin; confidence, accuracy (B,): their means, NaN in an
    empty bin. ece: expected calibration error, the mean gap between the two per image (Guo et
    al. 2017).
    """

    edges: NDArray[np.float64]
    n: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    ece: float


def log_loss(labels: Labels, probabilities: Probabilities) -> float:
    """Mean of -ln of the true class's probability, in nats; 0 counts as the smallest step to it."""
    p = np.asarray(probabilities)
    step = np.finfo(p.dtype).eps
    own = np.clip(p[np.arange(len(labels)), labels], step, 1 - step)
    return float(-np.log(own.astype(np.float64)).mean())


def top_k_accuracy(labels: Labels, probabilities: Probabilities, k: int = 2) -> float:
    """Fraction of images whose true class is among the k most probable ones.

    Of equally probable classes the later one counts as more probable, as in scikit-learn.
    """
    p = np.asarray(probabilities)
    own = p[np.arange(len(labels)), labels][:, None]
    before = (p > own) | ((p == own) & (np.arange(p.shape[1]) > labels[:, None]))
    return float((before.sum(1) < k).mean())


def reliability(labels: Labels, probabilities: Probabilities, n_bins: int = N_BINS) -> Reliability:
    """The reliability diagram, in bins of equal width over (0, 1]."""
    p = np.asarray(probabilities, dtype=np.float64)
    sure, right = p.max(1), p.argmax(1) == labels
    bins = np.clip(np.ceil(sure * n_bins).astype(int) - 1, 0, n_bins - 1)
    n = np.bincount(bins, minlength=n_bins)
    sums = [np.bincount(bins, weights, n_bins) for weights in (sure, right)]
    confidence, accuracy = (
        np.divide(of_bin, n, out=np.full(n_bins, np.nan), where=n > 0) for of_bin in sums
    )
    gaps = np.abs(sums[0] - sums[1])
    edges = np.linspace(0, 1, n_bins + 1)
    return Reliability(edges, n, confidence, accuracy, ece=float(gaps.sum() / len(p)))


def tempered(probabilities: Probabilities, temperature: float) -> NDArray[np.float64]:
    """The probabilities of logits divided by a temperature; above 1 they are less sharp."""
    return _softmax(_logits(probabilities) / temperature)


def _logits(probabilities: Probabilities) -> NDArray[np.float64]:
    p = np.asarray(probabilities, dtype=np.float64)
    return np.asarray(np.log(np.clip(p, np.finfo(np.float64).tiny, None)))


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    raised = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(raised / raised.sum(1, keepdims=True))


def fit_temperature(labels: Labels, probabilities: Probabilities) -> float:
    """The temperature whose probabilities have the least log loss (Guo et al. 2017).

    To be fitted on validation images. Between 0.05 and 20: where every image is predicted
    correctly no temperature is low enough.
    """
    logits = _logits(probabilities)
    own = logits[np.arange(len(labels)), labels].mean()

    def derivatives(sharpness: float) -> tuple[float, float]:
        """The first two of the log loss by the sharpness, 1 / temperature: it is convex in it."""
        p = _softmax(logits * sharpness)
        mean = (p * logits).sum(1)
        return float(mean.mean() - own), float((p * logits**2).sum(1).mean() - (mean**2).mean())

    low, high = 1 / TEMPERATURES[1], 1 / TEMPERATURES[0]
    if derivatives(low)[0] >= 0:
        return 1 / low
    if derivatives(high)[0] <= 0:
        return 1 / high
    sharpness = 1.0
    for _ in range(MOST_STEPS):
        slope, curvature = derivatives(sharpness)
        low, high = (sharpness, high) if slope < 0 else (low, sharpness)
        # Newton's step, or where it leads outside, the middle.
        stepped = sharpness - slope / curvature if curvature > 0 else low
        stepped = stepped if low < stepped < high else math.sqrt(low * high)
        is_found = abs(stepped - sharpness) <= PRECISION * sharpness
        sharpness = stepped
        if is_found:
            break
    return 1 / sharpness
