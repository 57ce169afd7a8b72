"""Numbers as the words of a study's answer: points, intervals, and whether a gain was shown."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mnistlab.evaluation import MINUS, Difference, corrected, interval_text, power_law
from mnistlab.study.comparison import ArmResult, growing_families

Pair = tuple[ArmResult, ArmResult]


def points(difference: float) -> str:
    """A difference of accuracies, such as "+1.3 points"."""
    return f"{100 * difference:+.1f} points".replace("-", MINUS)


def gains(pairs: Sequence[Pair]) -> list[Difference]:
    """The gain of each pair's first arm over its second, corrected for the number of pairs.

    Pass all pairs that one answer reports together: the correction counts them.
    """
    return corrected([arm.gain_over(base) for arm, base in pairs])


def gain_text(gain: Difference) -> str:
    """The difference, its interval, and "no difference shown" where that is so.

    With one seed only the difference: `seeds` says once per answer that intervals are missing.
    """
    if math.isnan(gain.p):
        return points(gain.mean)
    interval = interval_text(gain)
    if interval == "–":  # no seed differs from another
        interval = "the same for every seed"
    elif gain.n_together == 1:
        interval = f"95 % interval {interval}"
    else:  # `correction` gives the level
        interval = f"interval {interval}"
    shown = "" if gain.is_shown else "; no difference shown"
    return f"{points(gain.mean)} ({interval}{shown})"


def correction(gains: Sequence[Difference]) -> str:
    """The last sentence of an answer with several gains; empty for one."""
    n = max(each.n_together for each in gains)
    if n == 1:
        return ""
    return (
        f" Corrected for {n} comparisons: tests by Holm's method, intervals that hold together "
        "with 95 %."
    )


def gain_texts(pairs: Sequence[Pair], names: Sequence[str] = ()) -> tuple[str, str]:
    """The gains of all pairs as "NAME GAIN; NAME GAIN", and the sentence on their correction.

    names: instead of the names of the pairs' first arms.
    """
    found = gains(pairs)
    names = names or [arm.arm.name for arm, _ in pairs]
    texts = [f"{name} {gain_text(gain)}" for name, gain in zip(names, found, strict=True)]
    return "; ".join(texts), correction(found)


def best_on_validation(results: Sequence[ArmResult]) -> ArmResult:
    """The arm with the highest mean validation accuracy, the first of equal ones.

    Arms without a validation part are left out; ValueError where no arm has one.
    """
    return max(
        (result for result in results if result.val_accuracy is not None),
        key=lambda result: result.mean("val_accuracy"),
    )


def seeds(results: Sequence[ArmResult]) -> str:
    """How many seeds the first arm has, such as "3 seeds"."""
    n = len(results[0].runs)
    return "one seed and so no intervals" if n == 1 else f"{n} seeds"


def against(base: ArmResult, others: Sequence[ArmResult]) -> str:
    """Every other arm's gain over the base on the test part, and the correction."""
    texts, corrected = gain_texts([(arm, base) for arm in others])
    return (
        f"On the test part, against {base.arm.name} ({base.test_accuracy[0]:.4f}, "
        f"{seeds([base])}): {texts}.{corrected}"
    )


def against_base(results: Sequence[ArmResult]) -> str:
    """The answer of a study whose first arm is the base that each other arm changes in one way."""
    base, *others = results
    best = best_on_validation(results)
    return f"{against(base, others)} Best on validation: {best.arm.name}."


def growth(results: Sequence[ArmResult], key: str) -> str:
    """How a number of result.json grows with n training images: "n^1.9 (svm) and n^1.0 (mlp)".

    Empty where no arm was trained on at least three different numbers of images.
    """
    exponents = []
    for name, arms in growing_families(results).items():
        sizes = [arm.runs[0].data["n_train"] for arm in arms]
        exponent, _, _ = power_law(sizes, [arm.mean(key) for arm in arms])
        exponents.append(f"n^{exponent:.2f} ({name})")
    return " and ".join(exponents)
