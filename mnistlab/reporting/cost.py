"""What arms cost, how that changes with a number, what they confuse: sections of a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistlab.evaluation import class_report, measure, power_law
from mnistlab.reporting.class_table import report_table
from mnistlab.reporting.figures import (
    confusion_matrix,
    growth_curves,
    learning_curves,
    setting_curve,
)
from mnistlab.reporting.page import Column, Figure, Section, Table
from mnistlab.reporting.series import Series, repeats, series_of, standing_apart
from mnistlab.reporting.training_curves import curves_caption, curves_of
from mnistlab.study import ArmResult, StudyResult, growing_families

COSTS = (
    ("train_time_s", "Training time", "s"),
    ("predict_time_s", "Prediction time", "s"),
    ("training_memory_mb", "Memory of training", "MB"),
)
MEMORY = 5  # the column of the table
LEAST_MB = 10  # less is lost in what the process holds anyway
ON_MEMORY = "Memory is what training added at most to a process that may have had some to spare."


def cost_table(result: StudyResult) -> Table:
    """Seconds and megabytes of every arm, means over its seeds; no columns that tell nothing."""
    titles = (
        Column("Arm"),
        Column("Images", ","),
        Column("Train, s", ".2f"),
        Column("Epoch, s", ".3f"),
        Column("Predict, s", ".3f"),
        Column("Memory, MB", ".0f"),
    )
    left_out = {arm.arm.name for arm in repeats(result.arms)}
    rows: list[Any] = [_cost(arm) for arm in result.arms if arm.arm.name not in left_out]
    seen = any((row[MEMORY] or 0) >= LEAST_MB for row in rows)
    filled = [
        i
        for i in range(len(titles))
        if any(row[i] is not None for row in rows) and (i != MEMORY or seen)
    ]
    means = "Means over seeds. " if max(len(arm.runs) for arm in result.arms) > 1 else ""
    return Table(
        "Cost",
        tuple(titles[i] for i in filled),
        tuple(tuple(row[i] for i in filled) for row in rows),
        note=f"{means}Images are those trained on. Epochs include validation, prediction is that "
        "of the test part." + (f" {ON_MEMORY}" if seen else ""),
        arms=tuple(arm.arm.name for arm in standing_apart(result.arms)),
    )


def growth_sections(result: StudyResult, command: str) -> list[Section]:
    """How accuracy and cost change with the training set, where arms differ in nothing else."""
    families = growing_families(result.arms)
    if not families:
        return []
    apart = [arm.arm.name for arm in standing_apart(result.arms)]
    names = [*apart, *(name for name in families if name not in apart)]
    sizes = {name: [arm.runs[0].data["n_train"] for arm in arms] for name, arms in families.items()}
    seconds = {name: [arm.mean("train_time_s") for arm in arms] for name, arms in families.items()}
    pretrained = any(arm.runs[0].result.get("weights") for arm in result.arms)
    kept = " Features that an earlier arm has kept cost a later one no time." if pretrained else ""
    by_size = _accuracy(
        families,
        sizes,
        names,
        command,
        x_title="Training images",
        title="Test accuracy by training images",
        caption="The test part is the same for every size.",
        name="growth-test-accuracy",
    )
    by_time = _accuracy(
        families,
        seconds,
        names,
        command,
        x_title="Seconds of training",
        title="Test accuracy by training time",
        caption=f"The same arms over the mean time their training took, smallest sets first.{kept}",
        name="growth-accuracy-by-time",
    )
    costs = [_growth(names, families, sizes, *cost, command) for cost in COSTS]
    return [Section("Growth", figures=(by_size, by_time, *(figure for figure in costs if figure)))]


def setting_sections(result: StudyResult, command: str) -> list[Section]:
    """A section for each series of arms that differ in one number."""
    return [
        _setting(series, place, command) for place, series in enumerate(series_of(result.arms), 1)
    ]


def confusion_sections(result: StudyResult, command: str) -> list[Section]:
    """Precision, recall and F1 by class, and the confusion matrix, of the first seed."""
    sections = []
    for arm in result.arms:
        if arm.arm.name in result.study.confusions:
            stored, n_classes = arm.runs[0].predictions(), result.dataset.n_classes
            confusion = measure(stored.labels, stored.predicted, n_classes).confusion
            seed = f" Seed {arm.runs[0].recipe.seed}." if len(arm.runs) > 1 else ""
            figure = confusion_matrix(
                confusion,
                result.dataset.class_names,
                caption=f"Rows are the true classes, columns the predicted ones.{seed}",
                command=command,
                name=f"confusion-{arm.arm.name}",
                title=f"Confusion matrix of {arm.arm.name}",
            )
            table = report_table(class_report(confusion), result.dataset.class_names)
            sections.append(
                Section(f"{arm.arm.name}: by class", figures=(figure,), tables=(table,))
            )
    return sections


def _accuracy(
    families: Mapping[str, Sequence[ArmResult]],
    places: Mapping[str, Sequence[float]],
    names: Sequence[str],
    command: str,
    **words: str,
) -> Figure:
    """Test accuracy of every family over its arms' sizes or seconds."""
    accuracies = {
        name: [100 * np.array(arm.each("test_accuracy")) for arm in arms]
        for name, arms in families.items()
    }
    return growth_curves(
        names,
        places,
        accuracies,
        laws={},
        y_title="Test accuracy",
        unit="%",
        command=command,
        **words,
    )


def _growth(
    names: Sequence[str],
    families: Mapping[str, Sequence[ArmResult]],
    sizes: Mapping[str, Sequence[int]],
    key: str,
    title: str,
    unit: str,
    command: str,
) -> Figure | None:
    """The figure of one cost, of the families where the system saw any."""
    values = {name: [_each(arm, key) for arm in arms] for name, arms in families.items()}
    values = {
        name: costs
        for name, costs in values.items()
        if all(len(seeds) and seeds.min() > 0 for seeds in costs)
        and (unit != "MB" or max(seeds.mean() for seeds in costs) >= LEAST_MB)
    }
    if not values:
        return None
    laws = {
        name: power_law(sizes[name], [float(seeds.mean()) for seeds in costs])[:2]
        for name, costs in values.items()
    }
    return growth_curves(
        names,
        sizes,
        values,
        laws,
        title=f"{title} by training images",
        y_title=title,
        unit=unit,
        caption="The dashed line is the power law fitted to the means, its exponent with the "
        "95 % interval of the fit." + (f" {ON_MEMORY}" if unit == "MB" else ""),
        command=command,
        name=f"growth-{key.replace('_', '-')}",
    )


def _setting(series: Series, place: int, command: str) -> Section:
    title = series.setting.capitalize()
    names = [arm.arm.name for arm in series.arms]
    accuracy = "val_accuracy", "Validation accuracy"
    if all(arm.val_accuracy is None for arm in series.arms):
        accuracy = "test_accuracy", "Test accuracy"
    panels = [
        (*accuracy, "%", False),
        ("epoch_time_s", "Time of an epoch", "s", True),
    ]
    columns = {
        accuracy[0]: [100 * _each(arm, accuracy[0]) for arm in series.arms],
        "epoch_time_s": [np.array(_epoch_times(arm)) for arm in series.arms],
    }
    figures = [
        setting_curve(
            series.values,
            columns[key],
            x_title=title,
            y_title=y_title,
            unit=unit,
            from_zero=from_zero,
            title=f"{y_title} by {series.setting}",
            caption="The line joins the means over seeds."
            if max(len(arm.runs) for arm in series.arms) > 1
            else "",
            command=command,
            name=f"setting-{place}-{key.replace('_', '-')}",
        )
        for key, y_title, unit, from_zero in panels
        if all(map(len, columns[key]))
    ]
    learned = [arm for arm in series.arms if arm.runs[0].log]
    if learned:
        figures.append(
            learning_curves(
                names,
                {arm.arm.name: curves_of(arm.runs) for arm in learned},
                caption=curves_caption([run for arm in learned for run in arm.runs]),
                command=command,
                name=f"learning-curves-{place}",
                title=f"Learning curves by {series.setting}",
                ordered=True,
            )
        )
    text = f"Arms that differ in their {series.setting} alone: {', '.join(names)}."
    return Section(title, text, figures=tuple(figures))


def _cost(arm: ArmResult) -> tuple[str | int | float | None, ...]:
    by_epoch = _epoch_times(arm)
    return (
        arm.arm.name,
        arm.runs[0].data["n_train"],
        float(np.mean(arm.each("train_time_s"))),
        float(np.mean(by_epoch)) if by_epoch else None,
        _mean(arm, "predict_time_s"),
        _mean(arm, "training_memory_mb"),
    )


def _epoch_times(arm: ArmResult) -> list[float]:
    """Seconds an epoch, a number a seed; empty for what learns in none."""
    seconds, epochs = arm.each("train_time_s"), arm.each("epochs")
    return [s / n for s, n in zip(seconds, epochs, strict=True) if n]


def _each(arm: ArmResult, key: str) -> NDArray[np.float64]:
    """One figure for every seed; empty where a run lacks it."""
    values = arm.each(key)
    return np.array([] if None in values else values, dtype=float)


def _mean(arm: ArmResult, key: str) -> float | None:
    values = _each(arm, key)
    return float(values.mean()) if len(values) else None
