"""Figures as the words of an answer: points, intervals, and whether a difference was shown."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mnistlab.evaluation import MINUS, Difference, corrected, interval_text
from mnistlab.study import ArmResult

Pair = tuple[ArmResult, ArmResult]


def points(difference: float) -> str:
    """Such as "+1.3 points"."""
    return f"{100 * difference:+.1f} points".replace("-", MINUS)


def gains(pairs: Sequence[Pair]) -> list[Difference]:
    """Every difference that an answer tells, an arm and its base each, corrected together."""
    return corrected([arm.gain_over(base) for arm, base in pairs])


def gain_text(gain: Difference) -> str:
    """The difference, its interval, and the verdict.

    Of one seed the difference alone: `seeds` says why, once an answer.
    """
    if math.isnan(gain.p):
        return points(gain.mean)
    interval = interval_text(gain)
    if interval == "–":  # no seed differs from another
        interval = "the same for every seed"
    elif gain.n_together == 1:
        interval = f"95 % interval {interval}"
    else:  # `correction` says of what level
        interval = f"interval {interval}"
    shown = "" if gain.is_shown else "; no difference shown"
    return f"{points(gain.mean)} ({interval}{shown})"


def correction(told: Sequence[Difference]) -> str:
    """What ends an answer of several differences; nothing of one."""
    n = max(each.n_together for each in told)
    if n == 1:
        return ""
    return (
        f" Corrected for {n} comparisons: tests by Holm's method, intervals that hold together "
        "with 95 %."
    )


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


def against(base: ArmResult, others: Sequence[ArmResult]) -> str:
    """Every other arm's gain over the base on the test part, and the correction."""
    told = gains([(arm, base) for arm in others])
    texts = [f"{arm.arm.name} {gain_text(each)}" for arm, each in zip(others, told, strict=True)]
    return (
        f"On the test part, against {base.arm.name} ({base.test_accuracy[0]:.4f}, "
        f"{seeds([base])}): {'; '.join(texts)}.{correction(told)}"
    )


def against_base(results: Sequence[ArmResult]) -> str:
    """The answer of a study whose first arm is the base that each other arm changes in one way."""
    base, *others = results
    best = best_on_validation(results)
    return f"{against(base, others)} Best on validation: {best.arm.name}."
