"""Miniatures of studies: the same arms and rules, few images, short phases, few seeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistlab.data import Dataset
from mnistlab.phases import Phase
from mnistlab.study.comparison import Arm, Study
from mnistlab.study.embedding import EmbeddingStudy
from mnistlab.study.grid import GridStudy

N_TRAIN, N_TEST = 2400, 600  # images; enough for every class to be in every part
MOST_EPOCHS, SHARE_OF_EPOCHS = 3, 0.1  # of a phase, whichever is more
AnyStudy = Study | GridStudy | EmbeddingStudy
NOTICE = (
    "Miniature: a few images and short trainings. It shows what the study does; its "
    "figures mean little. "
)


def miniature(study: AnyStudy) -> AnyStudy:
    """The study with every phase cut short, under a name and an answer that say so."""
    decide: Callable[[Any], str] = study.decide
    study = replace(
        study, name=f"{study.name}-quick", decide=lambda result: NOTICE + decide(result)
    )
    if isinstance(study, Study):
        return replace(study, arms=tuple(_shortened(arm) for arm in study.arms), n_seeds=1)
    return study


def few_images(dataset: Dataset) -> Dataset:
    """Every so many-th image of both official parts, or of the whole set where it has none.

    Not the first ones: images from folders come class by class.
    """
    if dataset.n_official_train is None:
        return dataset.take(_spread(0, len(dataset), N_TRAIN + N_TEST))
    train = _spread(0, dataset.n_official_train, N_TRAIN)
    test = _spread(dataset.n_official_train, len(dataset), N_TEST)
    return replace(dataset.take(np.concatenate([train, test])), n_official_train=len(train))


def _spread(first: int, end: int, most: int) -> NDArray[np.intp]:
    """At most so many of the numbers from `first` on, evenly spread."""
    n = min(most, end - first)
    return first + np.arange(n) * (end - first) // n


def _shortened(arm: Arm) -> Arm:
    phases = tuple(_short(phase) for phase in arm.recipe.phases)
    return replace(arm, recipe=replace(arm.recipe, phases=phases))


def _short(phase: Phase) -> Phase:
    most = max(MOST_EPOCHS, round(SHARE_OF_EPOCHS * phase.epochs))
    return replace(phase, epochs=min(phase.epochs, most))
