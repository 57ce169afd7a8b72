"""Comparing evaluated runs: which is better, by how much, on what evidence.

Runs that differ only in their seed are one contender, if they were computed in one precision. Two
contenders with several seeds in common are compared over these seeds; otherwise one model of each
is compared on the test images.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistlab import atomic
from mnistlab.cards import card, html_table, per_cent
from mnistlab.errors import RunError
from mnistlab.evaluation import (
    CONFIDENCE,
    Difference,
    corrected,
    interval_text,
    mcnemar,
    on_same_images,
    over_seeds,
)
from mnistlab.runs.computation import recorded_computation
from mnistlab.runs.evaluations import check_distinct, check_evaluated
from mnistlab.runs.execution import DEFAULT_FOLDER
from mnistlab.runs.folder import Run, opened

MOST_SENTENCES = 3  # of more pairs the answer speaks of the best one alone


@dataclass(frozen=True)
class Contender:
    """The runs of one recipe, by seed; right (S, N): the images that each predicted correctly."""

    name: str
    runs: tuple[Run, ...]
    right: NDArray[np.bool_]

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seed of every run."""
        return tuple(run.recipe.seed for run in self.runs)

    @property
    def accuracies(self) -> NDArray[np.float64]:
        """Test accuracy of every run (S,)."""
        return np.asarray(self.right.mean(1))

    def at(self, seeds: Sequence[int]) -> list[float]:
        """Test accuracies of the runs with these seeds."""
        return [float(self.accuracies[self.seeds.index(seed)]) for seed in seeds]


@dataclass(frozen=True)
class Verdict:
    """`better`, the one with the higher accuracy where they were compared, beside `worse`.

    difference: of better from worse; p and interval corrected where there are several pairs.
    shown_on_one_seed: whether the models of one seed alone would have shown it; None where only
    one seed was compared.
    """

    better: str
    worse: str
    difference: Difference
    shown_on_one_seed: bool | None = None

    @property
    def sentence(self) -> str:
        """The verdict in words, without a full stop."""
        d = self.difference
        kind = "95 % interval" if d.n_together == 1 else "simultaneous 95 % interval"
        interval = f"{kind} {interval_text(d)}, {d.n:,} {d.of}"
        if not d.is_shown:
            return (
                f"no difference shown between {self.better} and {self.worse}: "
                f"{100 * d.mean:.1f} points ({interval}), {p_text(d.p)}"
            )
        alone = "; on one seed this could not have been said"
        return (
            f"{self.better} beats {self.worse} by {100 * d.mean:.1f} points ({interval}), "
            f"{p_text(d.p)}{alone if self.shown_on_one_seed is False else ''}"
        )


@dataclass(frozen=True)
class Comparison:
    """Contenders, best first, and a verdict for every pair of them."""

    contenders: tuple[Contender, ...]
    verdicts: tuple[Verdict, ...]
    path: Path

    def _repr_html_(self) -> str:
        rows = [
            (each.name, len(each.runs), per_cent(float(each.accuracies.mean())))
            for each in self.contenders
        ]
        contenders = html_table(["recipe", "seeds", "test accuracy"], rows)
        title = f"comparison on {self.n_images:,} test images"
        return card(title, {"folder": self.path}, text=self.answer, tables=[contenders])

    @property
    def n_images(self) -> int:
        """How many test images each was evaluated on."""
        return int(self.contenders[0].right.shape[1])

    @property
    def answer(self) -> str:
        """All verdicts, or, where they are many, those of the best contender."""
        if len(self.verdicts) <= MOST_SENTENCES:
            words = "; ".join(verdict.sentence for verdict in self.verdicts)
        else:
            words = self._of_the_best()
        several = len(self.verdicts) > 1
        note = f" (p corrected for {len(self.verdicts)} comparisons)" if several else ""
        if words.startswith("no "):  # a recipe's name keeps its small letter
            words = f"N{words[1:]}"
        return f"{words}{note}.{self._of_what}"

    @property
    def _of_what(self) -> str:
        """Whether a difference on the same images is one of recipes or of trainings."""
        on_images = [v.difference for v in self.verdicts if v.difference.of == "images"]
        recipes = {_but_for_the_seed(each.runs[0]) for each in self.contenders}
        if len(recipes) > 1 and on_images:
            return (
                " One model each was compared; to compare the recipes themselves, train several "
                "seeds (--seeds 3)."
            )
        if len(recipes) == 1 and any(difference.is_shown for difference in on_images):
            return " These are trainings of one recipe, which differ by chance."
        return ""

    def _of_the_best(self) -> str:
        best, beaten, others = self.contenders[0], [], []
        for v in self.verdicts:
            if v.better == best.name and v.difference.is_shown:
                beaten.append(v.worse)
            elif best.name in (v.better, v.worse) and not v.difference.is_shown:
                others.append(v.worse if v.better == best.name else v.better)
        parts = [f"{best.name} is right most often, {100 * best.accuracies.mean():.2f} %"]
        parts += [f"shown to be better than {', '.join(beaten)}"] if beaten else []
        parts += [f"no difference shown to {', '.join(others)}"] if others else []
        return "; ".join(parts)

    def to_json(self) -> dict[str, Any]:
        """result.json of the comparison; null for numbers that are not there."""
        return {
            "data": self.contenders[0].runs[0].data["name"],
            "n_images": self.n_images,
            "contenders": [
                {
                    "name": contender.name,
                    "recipe": contender.runs[0].recipe.name,
                    "system": contender.runs[0].recipe.system,
                    "seeds": list(contender.seeds),
                    "test_accuracy": contender.accuracies.tolist(),
                    "runs": [run.path.name for run in contender.runs],
                }
                for contender in self.contenders
            ],
            "verdicts": [
                {
                    "better": verdict.better,
                    "worse": verdict.worse,
                    "difference": _finite(verdict.difference.mean),
                    "interval": [_finite(verdict.difference.low), _finite(verdict.difference.high)],
                    "p": _finite(verdict.difference.p),
                    "shown": verdict.difference.is_shown,
                    "n": verdict.difference.n,
                    "of": verdict.difference.of,
                    "shown_on_one_seed": verdict.shown_on_one_seed,
                }
                for verdict in self.verdicts
            ],
            "answer": self.answer,
        }


def compare(runs: Sequence[Run | Path | str], *, out: Path | str = DEFAULT_FOLDER) -> Comparison:
    """Compare evaluated runs and write OUT/comparison-…/result.json.

    Raises RunError for fewer than two runs, one that is there twice or was not evaluated, and
    for runs that were not evaluated on the same test images.
    """
    atomic.check_writable(out)
    given = [opened(run) for run in runs]
    _check(given)
    contenders = sorted(_contenders(given), key=lambda each: -each.accuracies.mean())
    pairs = list(itertools.combinations(contenders, 2))
    verdicts = [_verdict(one, other) for one, other in pairs]
    differences = corrected([verdict.difference for verdict in verdicts])
    comparison = Comparison(
        tuple(contenders),
        tuple(replace(v, difference=d) for v, d in zip(verdicts, differences, strict=True)),
        Path(out) / _folder_name(contenders),
    )
    atomic.write_json(comparison.path / "result.json", comparison.to_json())
    return comparison


def p_text(p: float) -> str:
    """Such as "p = 0.03" or "p < 0.001"."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def _check(runs: Sequence[Run]) -> None:
    if len(runs) < 2:
        raise RunError("to compare needs two runs or more")
    check_distinct(runs)
    check_evaluated(runs)
    first = runs[0]
    labels = first.test_labels()
    for run in runs[1:]:
        same_data = run.data["fingerprint"] == first.data["fingerprint"]
        if not same_data or not np.array_equal(run.test_labels(), labels):
            raise RunError(
                f"{run.path}: was not evaluated on the test images of {first.path} "
                f"({run.data['name']}, split {run.data['split']}; "
                f"{first.data['name']}, split {first.data['split']})"
            )


def _contenders(runs: Sequence[Run]) -> list[Contender]:
    alike: dict[str, list[Run]] = {}
    for run in runs:
        alike.setdefault(_but_for_the_seed(run), []).append(run)
    groups = list(alike.values())
    if len(groups) == 1:  # seeds of one recipe, each beside the others
        groups = [[run] for run in runs]
    names = _names(groups)
    return [_contender(name, group) for name, group in zip(names, groups, strict=True)]


def _but_for_the_seed(run: Run) -> str:
    return recorded_computation(replace(run.recipe, seed=0), run.data, run.env)


def _names(groups: Sequence[Sequence[Run]]) -> list[str]:
    """The recipes' names, with precision, seed or the run's own name where they are the same."""
    names = [group[0].recipe.name for group in groups]
    with_precision = [f"{g[0].recipe.name} ({g[0].env['precision']})" for g in groups]
    with_seed = [f"{g[0].recipe.name} (seed {g[0].recipe.seed})" for g in groups]
    for better_names in (with_precision, with_seed, [group[0].path.name for group in groups]):
        if len(set(names)) == len(names):
            break
        names = better_names
    return names


def _contender(name: str, runs: Sequence[Run]) -> Contender:
    ordered = sorted(runs, key=lambda run: run.recipe.seed)
    right = np.stack([run.predicted() == run.test_labels() for run in ordered])
    return Contender(name, tuple(ordered), right)


def _verdict(one: Contender, other: Contender) -> Verdict:
    shared = sorted({*one.seeds} & {*other.seeds})
    mine, theirs = (
        each.right[each.seeds.index(shared[0]) if shared else 0] for each in (one, other)
    )
    alone = None
    if len(shared) > 1:
        difference = over_seeds(one.at(shared), other.at(shared))
        alone = mcnemar(mine, theirs) < 1 - CONFIDENCE
    else:
        difference = on_same_images(mine, theirs)
    if difference.mean < 0:  # the better one by all its seeds is not where the two were compared
        one, other, difference = other, one, difference.turned()
    return Verdict(one.name, other.name, difference, alone)


def _folder_name(contenders: Sequence[Contender]) -> str:
    runs = sorted(run.path.name for contender in contenders for run in contender.runs)
    digest = hashlib.sha256("\n".join(runs).encode()).hexdigest()[:8]
    recipes = dict.fromkeys(contender.runs[0].recipe.name for contender in contenders)
    return f"comparison-{'-'.join(recipes)[:60]}-{digest}"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
