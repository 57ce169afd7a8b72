"""Do the maps show what the network has learned? Shuffle its weights, and compare.

Adebayo et al. 2018: a map that stays the same when the weights become random shows the image, not
the network. The weights of each array are shuffled here, which keeps their sizes.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from mnistlab.classifiers import EnsembleClassifier, ScratchClassifier, SVMClassifier
from mnistlab.classifiers.methods import Classifier
from mnistlab.scratch import Network

if TYPE_CHECKING:
    from torch import nn

LAST, ALL = "last layer", "all layers"


class SanityCheck(NamedTuple):
    """Rank correlations of maps with those of the same network, its weights shuffled.

    1 is the same order of pixels, 0 none in common; the mean over n_images and several shuffles,
    NaN where the maps hold nothing to compare.
    """

    shuffled: str
    occlusion: float
    gradient: float
    n_images: int


class Maps(NamedTuple):
    """What is compared of each image: numbers (P,) that could differ, without the ground."""

    occlusion: Sequence[NDArray[np.float64]]
    gradient: Sequence[NDArray[np.float64]]


def sanity_checks(
    classifier: Classifier, maps_of: Callable[[Classifier], Maps], n_shuffles: int, seed: int = 0
) -> list[SanityCheck]:
    """How the maps of a classifier are like those with the last layer shuffled, and all layers.

    One check where there is only one layer. maps_of: a classifier to its maps of some images.
    """
    real = maps_of(classifier)
    checks = []
    for which in (LAST, ALL) if n_layers(classifier) > 1 else (ALL,):
        random = np.random.default_rng(seed)
        others = [maps_of(shuffled(classifier, which, random)) for _ in range(n_shuffles)]
        checks.append(
            SanityCheck(
                which,
                _mean_correlation(real.occlusion, [maps.occlusion for maps in others]),
                _mean_correlation(real.gradient, [maps.gradient for maps in others]),
                len(real.gradient),
            )
        )
    return checks


def rank_correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Spearman's, of two rows (P,); NaN where all numbers of one of them are the same."""
    from scipy.stats import rankdata

    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(np.corrcoef(rankdata(one), rankdata(other))[0, 1])


def _mean_correlation(
    real: Sequence[NDArray[np.float64]], others: Sequence[Sequence[NDArray[np.float64]]]
) -> float:
    pairs = [pair for maps in others for pair in zip(real, maps, strict=True)]
    return mean_of([rank_correlation(*pair) for pair in pairs])


def mean_of(correlations: Sequence[float]) -> float:
    """The mean of those that are known; NaN where none is."""
    known = [value for value in correlations if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def shuffled(classifier: Classifier, which: str, random: Generator) -> Classifier:
    """A copy of the classifier with the weights of one layer, or all, in random order."""
    changed = copy.deepcopy(classifier)
    if isinstance(changed, EnsembleClassifier):
        changed.members_ = tuple(shuffled(member, which, random) for member in changed.members_)
    elif isinstance(changed, SVMClassifier):
        machine = changed.machine_
        coefficients = random.permuted(machine.coefficients, axis=1)
        changed.machine_ = replace(machine, coefficients=coefficients)
    elif isinstance(changed, ScratchClassifier):
        _shuffle_by_hand(changed.network_, which, random)
    else:
        _shuffle_torch(_torch_network(changed), which, random)
    return changed


def n_layers(classifier: Classifier) -> int:
    """How many layers with weights there are; a support vector machine has one.

    Of an ensemble: in its deepest member.
    """
    if isinstance(classifier, EnsembleClassifier):
        return max(n_layers(member) for member in classifier.members_)
    if isinstance(classifier, SVMClassifier):
        return 1
    if isinstance(classifier, ScratchClassifier):
        return sum(bool(layer.trained) for layer in classifier.network_.layers)
    modules = _torch_network(classifier).modules()
    return sum(any(True for _ in module.parameters(recurse=False)) for module in modules)


def _torch_network(classifier: Classifier) -> nn.Module:
    from mnistlab.classifiers.network import NetworkSettings

    assert isinstance(classifier, NetworkSettings)
    return classifier.network_


def _shuffle_by_hand(network: Network, which: str, random: Generator) -> None:
    names = [name for name, _, _ in network.parameters()]
    last = names[-1].partition(".")[0]
    for name, values, _ in network.parameters():
        if which == ALL or name.partition(".")[0] == last:
            values[...] = random.permutation(values.ravel()).reshape(values.shape)


def _shuffle_torch(network: nn.Module, which: str, random: Generator) -> None:
    import torch

    modules = [m for m in network.modules() if any(True for _ in m.parameters(recurse=False))]
    with torch.no_grad():
        for module in modules if which == ALL else modules[-1:]:
            for values in module.parameters(recurse=False):
                flat = values.flatten()
                order = torch.from_numpy(random.permutation(len(flat))).to(flat.device)
                values.copy_(flat[order].reshape(values.shape))
