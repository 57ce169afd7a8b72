"""Figures as the words of an answer: points, intervals, and whether a difference was shown."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mnistlab.study import ArmResult

MINUS = "\N{MINUS SIGN}"


def points(difference: float) -> str:
    """Such as "+1.3 points"."""
    return f"{100 * difference:+.1f} points".replace("-", MINUS)


def gain(arm: ArmResult, base: ArmResult) -> str:
    """An arm beside its base, over paired seeds: the difference, its interval, and the verdict.

    Of one seed the difference alone: `seeds` says why, once an answer.
    """
    mean, half = arm.gain_over(base)
    if math.isnan(half):
        return points(mean)
    low, high = (f"{100 * end:+.1f}".replace("-", MINUS) for end in (mean - half, mean + half))
    shown = "" if abs(mean) > half else "; no difference shown"
    return f"{points(mean)} (95 % interval {low} to {high}{shown})"


def best_on_validation(results: Sequence[ArmResult]) -> ArmResult:
    """The arm with the highest mean validation accuracy, the first of equal ones.

    Arms without a validation part are left out; ValueError where no arm has one.
    """
    return max(
        (result for result in results if result.val_accuracy is not None),
        key=lambda result: result.mean("val_accuracy"),
    )


def seeds(results: Sequence[ArmResult]) -> str:
    """Such as "3 seeds"."""
    n = len(results[0].runs)
    return "one seed and so no intervals" if n == 1 else f"{n} seeds"


def against_base(results: Sequence[ArmResult]) -> str:
    """The answer of a study whose first arm is the base that each other arm changes in one way."""
    base, *others = results
    best = best_on_validation(results)
    gains = [f"{arm.arm.name} {gain(arm, base)}" for arm in others]
    return (
        f"On the test part, against {base.arm.name} ({base.test_accuracy[0]:.4f}, "
        f"{seeds(results)}): "
        f"{'; '.join(gains)}. Best on validation: {best.arm.name}."
    )
