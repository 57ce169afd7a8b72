"""Tables of finished studies, one row per arm, from the newest lines of the ledger."""

from __future__ import annotations

import math
from statistics import fmean
from typing import Any

from benchmarks import ledger
from benchmarks.conditions import arms_of, is_of_recipe
from benchmarks.markdown import machine_text, markdown, measured_arms
from mnistlab.evaluation import (
    Difference,
    fraction_interval,
    over_seeds,
    power_law,
    wilson_interval,
)

OVER_SEEDS, OF_IMAGES = "95 % interval over seeds", "95 % interval, images only"
ACCURACY = ("test accuracy, mean", OVER_SEEDS, OF_IMAGES)


def study_table(name: str, data: str) -> str:
    """The newest results of every arm of a study on one data set.

    With the mean number of epochs where the arms differ in it; old lines do not have it.
    """
    arms = newest_arms(name, data)
    expanded = [arm.get("expanded_val_accuracy") for arm in arms]
    stopped = len({fmean(arm["epochs"]) for arm in arms if "epochs" in arm}) > 1
    rows = [
        [
            f"{arm['system']} {arm_text(arm)}",
            f"{arm['n_parameters']:,}",
            arm["published"] or "–",
            val_text(arm["val_accuracy"]),
            *([f"{fmean(of_arm):.4f}" if of_arm else "–"] if any(expanded) else []),
            *accuracy_cells(arm["test_accuracy"], arm["n_test"]),
            str(len(arm["seeds"])),
            *([f"{fmean(arm['epochs']):.0f}" if "epochs" in arm else "–"] if stopped else []),
            "–" if arm["late_swing"] is None else f"{100 * arm['late_swing']:.1f}",
        ]
        for arm, of_arm in zip(arms, expanded, strict=True)
    ]
    columns = (
        "recipe",
        "parameters",
        "published",
        "validation",
        *(["validation, fourfold"] if any(expanded) else []),
        *ACCURACY,
        "seeds",
        *(["epochs"] if stopped else []),
        "late swing, points",
    )
    return measured_arms(arms, columns, rows)


def cost_table(name: str, data: str) -> str:
    """Every arm of a study with its cost: mean seconds over seeds, largest memory of any."""
    arms = newest_arms(name, data)
    rows = [
        [
            f"{arm['system']} {arm_text(arm)}",
            f"{arm['n_train']:,}",
            val_text(arm["val_accuracy"]),
            *accuracy_cells(arm["test_accuracy"], arm["n_test"]),
            str(len(arm["seeds"])),
            f"{fmean(arm['train_time_s']):.1f}",
            f"{_epoch_time_s(arm):.2f}" if any(arm["epochs"]) else "–",
            f"{fmean(arm['predict_time_s']):.2f}",
            _megabytes(max(arm["training_memory_mb"])),
        ]
        for arm in arms
    ]
    columns = (
        "recipe",
        "images",
        "validation",
        *ACCURACY,
        "seeds",
        "training, s",
        "an epoch, s",
        "prediction, s",
        "memory of training, MB",
    )
    return measured_arms(arms, columns, rows)


def growth_table(name: str, data: str) -> str:
    """The exponents with which the costs of a study's arms grow with the training images."""
    arms = {arm["arm"]: arm for arm in newest_arms(name, data)}
    families = {
        whole: [arm for arm in arms.values() if arm["arm"] in (whole, f"{whole}-{arm['n_train']}")]
        for whole in arms
    }
    rows = [
        [f"`{whole}`", *(_exponent(family, key) for key in ("train_time_s", "predict_time_s"))]
        for whole, family in families.items()
        if len(family) > 2
    ]
    columns = ("grows with n images as", "training, s", "prediction, s")
    return markdown(columns, rows)


def _exponent(arms: list[dict[str, Any]], key: str) -> str:
    sizes, seconds = [arm["n_train"] for arm in arms], [fmean(arm[key]) for arm in arms]
    exponent, half_width, _ = power_law(sizes, seconds)
    return f"n^{exponent:.2f} ± {half_width:.2f}"


def grid_table(name: str, data: str) -> str:
    """A grid's points by cross-validation, and the best one trained on everything."""
    *points, winner = newest_arms(name, data)
    rows = [
        [f"`{point['arm']}`", f"{fmean(point['val_accuracy']):.4f}", "–", "–"] for point in points
    ]
    low, high = winner["test_accuracy_ci"]
    rows.append(
        [
            f"best, trained on all {winner['n_train']:,}",
            f"{winner['val_accuracy'][0]:.4f}",
            f"**{winner['test_accuracy'][0]:.4f}**",
            f"{low:.4f} to {high:.4f}",
        ]
    )
    columns = (
        "point",
        "accuracy on the folds left out; of the best, on validation",
        "test",
        OF_IMAGES,
    )
    note = (
        f"{points[0]['n_folds']} folds of the first {points[0]['n_train']:,} training images; "
        "the test interval is Wilson's."
    )
    return f"{markdown(columns, rows)}\n{note}\n{machine_text(winner)}\n"


def embedding_table() -> str:
    """Variance in the principal components, and how well each space separates the classes."""
    lines = [ledger.latest("study", "embedding", data=data) for data in ("mnist", "fashion-mnist")]
    rows = [
        [
            line["data"],
            f"{100 * sum(line['explained_variance']):.1f} %",
            *(f"{100 * fraction:.1f} %" for fraction in line["neighbour_agreement"].values()),
        ]
        for line in lines
        if line is not None
    ]
    columns = (
        "data",
        "variance in 50 components",
        "neighbours right, all pixels",
        "in 50 components",
        "in the map",
    )
    return markdown(columns, rows)


def newest_arms(name: str, data: str) -> list[dict[str, Any]]:
    """The newest line of every arm that the study still has, on one data set, in its order."""
    arms = {
        line["arm"]: line
        for line in ledger.read()
        if (line["kind"], line["name"], line.get("data")) == ("study", name, data)
    }
    if not arms:
        raise KeyError(f"the ledger holds no study {name} on {data}")
    there = arms_of(name)
    return [line for arm, line in arms.items() if there is None or arm in there]


def paired(arm: dict[str, Any], other: dict[str, Any], metric: str) -> Difference:
    """The first arm against the other, on the seeds that both were trained with."""
    of_arm, of_other = (dict(zip(a["seeds"], a[metric], strict=True)) for a in (arm, other))
    both = sorted(of_arm.keys() & of_other.keys())
    return over_seeds([of_arm[seed] for seed in both], [of_other[seed] for seed in both])


def arm_text(line: dict[str, Any]) -> str:
    """An arm's name as code, with a remark where its recipe has changed since."""
    return f"`{line['arm']}`" + ("" if is_of_recipe(line) else " (an earlier version)")


def _megabytes(size: float) -> str:
    """Below 10 MB the operating system's units of memory are too coarse for a number."""
    return f"{size:.0f}" if size >= 10 else "< 10"


def accuracy_cells(accuracies: list[float], n_images: int | None) -> list[str]:
    """Mean over seeds; its interval over seeds; Wilson's interval over test images.

    The first interval says how much another seed would change the mean, the second how much other
    test images would.
    """
    mean = fmean(accuracies)
    images = "–"
    if n_images is not None:
        low, high = wilson_interval(round(mean * n_images), n_images)
        images = f"{low:.4f} to {high:.4f}"
    return [f"{mean:.4f}", over_seeds_text(accuracies), images]


def over_seeds_text(fractions: list[float]) -> str:
    """Such as "0.9176 to 0.9228"; "–" for one seed."""
    _, low, high = fraction_interval(fractions)
    return "–" if math.isnan(low) else f"{low:.4f} to {high:.4f}"


def accuracy_text(fractions: list[float]) -> str:
    """Such as "0.9203 (0.9176 to 0.9228)", the interval over seeds; for one seed the value."""
    interval = over_seeds_text(fractions)
    return f"{fmean(fractions):.4f}" + ("" if interval == "–" else f" ({interval})")


def val_text(accuracies: list[float | None]) -> str:
    """Mean over seeds; a dash where there was no validation part."""
    known = [value for value in accuracies if value is not None]
    return f"{fmean(known):.4f}" if known else "–"


def _epoch_time_s(arm: dict[str, Any]) -> float:
    return fmean(s / n for s, n in zip(arm["train_time_s"], arm["epochs"], strict=True))
