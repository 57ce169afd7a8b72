"""The best ensemble of what a fit has trained so far."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.classifiers.ensemble import EnsembleClassifier
from mnistlab.classifiers.selection import greedy_selection
from mnistlab.data import Dataset
from mnistlab.fitting.trials import Trial, TrialStorage


class Best(NamedTuple):
    """An ensemble: its members' trials and weights, its loss, its probabilities (N, K) on val."""

    trials: tuple[Trial, ...]
    weights: NDArray[np.float64]
    loss: float
    probabilities: NDArray[np.float64]


def best_of(storage: TrialStorage, val: Dataset) -> Best:
    """The ensemble that greedy selection makes of all trials that left a classifier."""
    trials = [trial for trial in storage.trials if trial.counts]
    p = np.stack([storage.probabilities(trial.number) for trial in trials])
    selection = greedy_selection(p, val.labels)
    kept = [place for place in range(len(trials)) if selection.weights[place] > 0]
    return Best(
        tuple(trials[place] for place in kept),
        selection.weights[kept],
        selection.loss,
        np.tensordot(selection.weights, p, 1),
    )


def ensemble_of(best: Best, storage: TrialStorage, device: str) -> EnsembleClassifier:
    """The classifier itself."""
    members = [storage.classifier(trial.number, device) for trial in best.trials]
    temperatures = np.array([trial.temperature for trial in best.trials])
    return EnsembleClassifier().take(members, best.weights, temperatures)
