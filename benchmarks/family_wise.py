"""How often a study's answer claims a difference between arms that do not differ.

The study writes its answer about made-up results: arms of equal accuracy, their seeds paired. A
claim is an interval in the answer that is not followed by "no difference shown".

python -m benchmarks.family_wise --record    # five minutes on one core
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.ledger import run_benchmark
from mnistlab.classifiers.methods import method_of
from mnistlab.recipe import Recipe
from mnistlab.runs import Run
from mnistlab.studies import STUDIES, get_study
from mnistlab.study import Arm, ArmResult, Study
from mnistlab.study.wording import against_base

N_ARMS, N_SEEDS = (3, 6, 10), (3, 5, 10)
N_SEEDS_OF_STUDIES = 5
N_ANSWERS, N_OF_STUDIES = 10_000, 4000
ACCURACY, BY_SEED, BY_RUN = 0.9, 0.005, 0.003  # mean, deviation of a seed and of a run in it
ADVANTAGE = 0.01  # of the better half of the arms
N_IMAGES = 10_000  # of the test part: accuracies are whole numbers of them
INTERVAL = re.compile(r"\([^()]*interval [^()]*\)")

Decide = Callable[[Sequence[ArmResult]], str]


class MadeUpRun(Run):
    """A run of made-up results, without a folder."""

    @property
    def log(self) -> list[dict[str, Any]]:
        """Two epochs."""
        epoch = {"phase": 0, "train_loss": 1.6, "val_accuracy": self.result["val_accuracy"]}
        return [epoch, epoch]


def made_up(
    arms: Sequence[Arm], n_seeds: int, random: np.random.Generator, better: Sequence[int] = ()
) -> list[ArmResult]:
    """Results of arms that are equally good, except those at the positions `better`.

    A model that does not learn in epochs has one accuracy for all seeds: the mean of the others.
    """
    shape = (2, len(arms), n_seeds)
    accuracy = ACCURACY + random.normal(0, BY_SEED, n_seeds) + random.normal(0, BY_RUN, shape)
    accuracy[:, list(better)] += ADVANTAGE
    accuracy = np.round(accuracy * N_IMAGES) / N_IMAGES
    results = []
    for arm, val, test in zip(arms, *accuracy.tolist(), strict=True):
        if not method_of(arm.recipe.model).learns_in_epochs:
            val, test = [ACCURACY], [ACCURACY]
        n = len(test) if arm.n_seeds is None else min(arm.n_seeds, len(test))
        pairs = list(zip(val, test, strict=True))[:n]
        results.append(ArmResult(arm, tuple(_run(arm.recipe, *pair) for pair in pairs)))
    return results


def _run(recipe: Recipe, val: float, test: float) -> Run:
    n_train = recipe.n_train or 55_000
    costs = {"epochs": 2, "train_time_s": float(n_train), "predict_time_s": 1.0}
    result = {"val_accuracy": val, "test_accuracy": test, "n_parameters": 1, **costs}
    return MadeUpRun(Path(), recipe, {"n_train": n_train}, {}, result)


def claims(answer: str) -> list[bool]:
    """For every interval in an answer: whether a difference is claimed beside it."""
    return ["no difference shown" not in text for text in INTERVAL.findall(answer)]


def equal_arms(n_arms: int) -> tuple[Arm, ...]:
    """Arms of a study that changes its first arm in one way at a time."""
    return tuple(Arm(Recipe(f"arm-{i}", "E1", "mlp", ())) for i in range(n_arms))


def false_claims(
    decide: Decide, arms: Sequence[Arm], n_seeds: int, n_answers: int, seed: int = 0
) -> float:
    """The fraction of answers about equal arms that claim any difference."""
    random = np.random.default_rng(seed)
    wrong = sum(any(claims(decide(made_up(arms, n_seeds, random)))) for _ in range(n_answers))
    return wrong / n_answers


def beside_better(n_arms: int, n_seeds: int, n_answers: int, seed: int = 0) -> tuple[float, float]:
    """With half of the arms better than the base: how many claims are wrong, how many right.

    Returns the fraction of answers that claim a difference for an arm that is as good as the base,
    and the mean fraction of the better arms for which a difference is claimed.
    """
    random, arms = np.random.default_rng(seed), equal_arms(n_arms)
    better = range(1, 1 + math.ceil((n_arms - 1) / 2))
    wrong, found = 0, 0.0
    for _ in range(n_answers):
        claimed = claims(against_base(made_up(arms, n_seeds, random, better)))
        found += sum(claimed[: len(better)]) / len(better)
        wrong += any(claimed[len(better) :])
    return wrong / n_answers, found / n_answers


def comparing_studies() -> dict[str, Study]:
    """The ready studies of several arms."""
    studies = {name: get_study(name) for name in STUDIES}
    return {
        name: study
        for name, study in studies.items()
        if isinstance(study, Study) and len(study.arms) > 1
    }


def bench() -> dict[str, Any]:
    """Fractions of answers that claim a difference where there is none."""
    cells = []
    for n_arms in N_ARMS:
        for n_seeds in N_SEEDS:
            wrong, found = beside_better(n_arms, n_seeds, N_ANSWERS)
            equal = false_claims(against_base, equal_arms(n_arms), n_seeds, N_ANSWERS)
            cell = {"arms": n_arms, "seeds": n_seeds, "equal": equal}
            cells.append(cell | {"beside_better": wrong, "better_found": found})
    answer = against_base(made_up(equal_arms(3), 3, np.random.default_rng(0)))
    return {
        "correction": "Holm" if "Holm" in answer else "none",
        "n_answers": N_ANSWERS,
        "cells": cells,
        "n_answers_of_studies": N_OF_STUDIES,
        "seeds_of_studies": N_SEEDS_OF_STUDIES,
        "studies": {
            name: false_claims(study.decide, study.arms, N_SEEDS_OF_STUDIES, N_OF_STUDIES)
            for name, study in comparing_studies().items()
        },
    }


if __name__ == "__main__":
    run_benchmark("family_wise", bench)
