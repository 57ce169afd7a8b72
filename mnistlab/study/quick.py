"""Miniatures of studies: the same arms and rules, few images, short phases, one seed."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np

from mnistlab.data import Dataset
from mnistlab.phases import Phase
from mnistlab.study.comparison import Arm, Study
from mnistlab.study.embedding import EmbeddingStudy
from mnistlab.study.grid import GridStudy

N_TRAIN, N_TEST = 2400, 600  # images; enough for every class to be in every part
MOST_EPOCHS, SHARE_OF_EPOCHS = 3, 0.1  # of a phase, whichever is more
NOTICE = (
    "Miniature: a few images, short trainings, one seed. It shows what the study does; its "
    "figures mean little. "
)

Kind = TypeVar("Kind", Study, GridStudy, EmbeddingStudy)


def miniature(study: Kind) -> Kind:
    """The study with every phase cut short, under a name and an answer that say so."""
    decide = study.decide
    study = replace(
        study, name=f"{study.name}-quick", decide=lambda result: NOTICE + decide(result)
    )
    if isinstance(study, Study):
        return replace(study, arms=tuple(_shortened(arm) for arm in study.arms), n_seeds=1)
    return study


def few_images(dataset: Dataset) -> Dataset:
    """The first images of both official parts, or of the whole set where it has none."""
    if dataset.n_official_train is None:
        return dataset.take(slice(0, N_TRAIN + N_TEST))
    first, n_train = dataset.n_official_train, min(N_TRAIN, dataset.n_official_train)
    chosen = np.r_[:n_train, first : min(first + N_TEST, len(dataset))]
    return replace(dataset.take(chosen), n_official_train=n_train)


def _shortened(arm: Arm) -> Arm:
    phases = tuple(_short(phase) for phase in arm.recipe.phases)
    return replace(arm, recipe=replace(arm.recipe, phases=phases))


def _short(phase: Phase) -> Phase:
    most = max(MOST_EPOCHS, round(SHARE_OF_EPOCHS * phase.epochs))
    return replace(phase, epochs=min(phase.epochs, most))
