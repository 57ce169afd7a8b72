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

N_TRAIN, N_TEST = 2400, 600  # images; enough for every class in every part
MOST_EPOCHS, FRACTION_OF_EPOCHS = 3, 0.1  # of a phase, whichever is more
AnyStudy = Study | GridStudy | EmbeddingStudy
NOTICE = (
    "Miniature: a few images and short trainings. It shows what the study does; its "
    "metrics mean little. "
)


def miniature(study: AnyStudy) -> AnyStudy:
    """The study with shorter phases, under a name and with an answer that say so."""
    decide: Callable[[Any], str] = study.decide
    study = replace(
        study, name=f"{study.name}-quick", decide=lambda result: NOTICE + decide(result)
    )
    if isinstance(study, Study):
        return replace(study, arms=tuple(_shortened(arm) for arm in study.arms), n_seeds=1)
    return study


def few_images(dataset: Dataset) -> Dataset:
    """The first images of every class of each official part, or of a set without such parts.

    The same number per class as far as there are enough, in whatever order the set comes.
    """
    parts = dataset.official_splits
    if not parts:
        return dataset.take(_by_class(dataset.labels, N_TRAIN + N_TEST))
    n_images = {"train": N_TRAIN, "val": N_TEST, "test": N_TEST}
    taken = {
        name: where.start + _by_class(dataset.labels[where], n_images[name])
        for name, where in parts.items()
    }
    return replace(
        dataset.take(np.concatenate(list(taken.values()))),
        n_official_train=len(taken["train"]),
        n_official_val=len(taken.get("val", ())),
    )


def _by_class(labels: NDArray[np.int64], most: int) -> NDArray[np.intp]:
    """At most so many indices, one of each class in turn, sorted."""
    of_class = np.argsort(labels, kind="stable")
    counts = np.bincount(labels)
    rank = np.empty(len(labels), dtype=np.intp)  # of an image among those of its class
    rank[of_class] = np.arange(len(labels)) - np.repeat(counts.cumsum() - counts, counts)
    return np.sort(np.lexsort((labels, rank))[:most])


def _shortened(arm: Arm) -> Arm:
    phases = tuple(_short(phase) for phase in arm.recipe.phases)
    return replace(arm, recipe=replace(arm.recipe, phases=phases))


def _short(phase: Phase) -> Phase:
    most = max(MOST_EPOCHS, round(FRACTION_OF_EPOCHS * phase.epochs))
    return replace(phase, epochs=min(phase.epochs, most), min_steps=0)
