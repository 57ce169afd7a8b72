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
    """An arm beside its base, over paired seeds: the difference, its interval, and the verdict."""
    mean, half = arm.gain_over(base)
    if math.isnan(half):
        return f"{points(mean)} (one seed, no interval)"
    low, high = (f"{100 * end:+.1f}".replace("-", MINUS) for end in (mean - half, mean + half))
    shown = "" if abs(mean) > half else "; no difference shown"
    return f"{points(mean)} (95 % interval {low} to {high}{shown})"


def best_on_validation(results: Sequence[ArmResult]) -> ArmResult:
    """The arm with the highest mean validation accuracy, the first of equal ones."""
    return max(results, key=lambda result: result.mean("val_accuracy"))


def seeds(results: Sequence[ArmResult]) -> str:
    """Such as "3 seeds"."""
    n = len(results[0].runs)
    return f"{n} {'seed' if n == 1 else 'seeds'}"


def against_base(results: Sequence[ArmResult]) -> str:
    """The answer of a study whose first arm is the base that each other arm changes in one way."""
    base, *others = results
    best = best_on_validation(results)
    if len(base.runs) == 1:
        of = "one seed and so no intervals"
        gains = [f"{arm.arm.name} {points(arm.gain_over(base)[0])}" for arm in others]
    else:
        of = f"mean of {seeds(results)}"
        gains = [f"{arm.arm.name} {gain(arm, base)}" for arm in others]
    return (
        f"On the test part, against {base.arm.name} ({base.test_accuracy[0]:.4f}, {of}): "
        f"{'; '.join(gains)}. Best on validation: {best.arm.name}."
    )
