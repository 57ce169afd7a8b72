"""Tables of the study `transfer`: every arm with its weights, and the gain from pretraining."""

from __future__ import annotations

from statistics import fmean

from benchmarks.markdown import gain_cell, markdown, measured_arms
from benchmarks.study_tables import ACCURACY, accuracy_cells, arm_text, newest_arms, paired
from mnistlab.evaluation import Difference, corrected

BASES = ("simple-cnn", "random-weights")  # compared with the two stages of a pretrained network


def transfer_table(name: str, data: str) -> str:
    """Every arm: images, initial weights, accuracies, seconds of training."""
    arms = newest_arms(name, data)
    rows = [
        [
            arm_text(arm),
            f"{arm['n_train']:,}",
            (arm.get("weights") or "none").partition(",")[0],
            f"{fmean(arm['val_accuracy']):.4f}",
            *accuracy_cells(arm["test_accuracy"], arm["n_test"]),
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
        *ACCURACY,
        "seeds",
        "training, s",
    )
    return measured_arms(arms, columns, rows)


def gains_table(name: str, data: str) -> str:
    """Two stages against each base at every size, paired by seed: points, interval, p.

    Corrected over the whole table.
    """
    arms = {arm["arm"]: arm for arm in newest_arms(name, data)}
    sized = [arm for key, arm in arms.items() if key.startswith("two-stage-")]
    sized = [*sorted(sized, key=lambda arm: int(arm["n_train"])), arms["two-stage"]]
    found = {
        (arm["arm"], base): paired(arm, arms[other], "test_accuracy")
        for arm in sized
        for base in BASES
        if (other := arm["arm"].replace("two-stage", base)) in arms
    }
    gains = dict(zip(found, corrected(list(found.values())), strict=True))
    rows = [
        [
            f"{arm['n_train']:,}",
            f"{fmean(arm['test_accuracy']):.4f}",
            *(_gain(gains.get((arm["arm"], base))) for base in BASES),
            str(len(arm["seeds"])),
        ]
        for arm in sized
    ]
    columns = ("images", "two stages", *(f"against {base}, points" for base in BASES), "seeds")
    return markdown(columns, rows)


def _gain(found: Difference | None) -> str:
    if found is None:
        return "–"
    text = gain_cell(found)
    return text if found.n == 1 else f"{text}, p = {found.p:.2g}"
