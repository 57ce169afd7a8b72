"""Tables of the study `transfer`: every arm with its weights, and what pretraining is worth."""

from __future__ import annotations

from statistics import fmean
from typing import Any

from benchmarks.markdown import markdown, measured
from benchmarks.study_tables import accuracy_text, newest_arms
from mnistlab.evaluation import over_seeds

BASES = ("simple-cnn", "random-weights")  # what two stages of a pretrained network are put beside


def transfer_table(name: str, data: str) -> str:
    """Every arm: images, whose weights it began with, accuracies, seconds of training."""
    arms = newest_arms(name, data)
    rows = [
        [
            f"`{arm['arm']}`",
            f"{arm['n_train']:,}",
            (arm.get("weights") or "none").partition(",")[0],
            f"{fmean(arm['val_accuracy']):.4f}",
            accuracy_text(arm["test_accuracy"], arm["n_test"]),
            str(len(arm["seeds"])),
            f"{fmean(arm['train_time_s']):.0f}",
        ]
        for arm in arms
    ]
    columns = (
        "arm",
        "images",
        "weights of",
        "validation",
        "test accuracy, mean ± 95 % interval",
        "seeds",
        "training, s",
    )
    return measured(arms[0], columns, rows)


def gains_table(name: str, data: str) -> str:
    """Two stages against each base at every size, paired by seed: points, interval, p."""
    arms = {arm["arm"]: arm for arm in newest_arms(name, data)}
    whole = arms["two-stage"]
    sized = [arm for key, arm in arms.items() if key.startswith("two-stage-")]
    rows = [
        [
            f"{arm['n_train']:,}",
            f"{fmean(arm['test_accuracy']):.4f}",
            *(_gain(arm, arms.get(arm["arm"].replace("two-stage", base))) for base in BASES),
            str(len(arm["seeds"])),
        ]
        for arm in [*sorted(sized, key=lambda arm: int(arm["n_train"])), whole]
    ]
    columns = ("images", "two stages", *(f"against {base}, points" for base in BASES), "seeds")
    return markdown(columns, rows)


def _gain(arm: dict[str, Any], base: dict[str, Any] | None) -> str:
    if base is None:
        return "–"
    mine, theirs = arm["test_accuracy"], base["test_accuracy"]
    if len(mine) == 1:
        return f"{100 * (mine[0] - theirs[0]):+.1f}"
    found = over_seeds(mine, theirs)
    return (
        f"{100 * found.mean:+.1f} ({100 * found.low:+.1f} to {100 * found.high:+.1f}), "
        f"p = {found.p:.2g}"
    )
