"""What arms cost, how the cost grows, and what they confuse: sections of a comparison's page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mnistlab.evaluation import class_report, measure, power_law
from mnistlab.reporting.class_table import report_table
from mnistlab.reporting.figures import confusion_matrix, growth_curves
from mnistlab.reporting.page import Column, Section, Table
from mnistlab.run import test_part as test_part_of
from mnistlab.study import ArmResult, StudyResult, growing_families


def cost_table(result: StudyResult) -> Table:
    """Seconds and megabytes of every arm, means over its seeds; no empty columns."""
    titles = (
        Column("Arm"),
        Column("Images", ","),
        Column("Train, s", ".2f"),
        Column("Epoch, s", ".3f"),
        Column("Predict, s", ".3f"),
        Column("Memory, MB", ".0f"),
    )
    rows = [_cost(arm) for arm in result.arms]
    filled = [i for i in range(len(titles)) if any(row[i] is not None for row in rows)]
    return Table(
        "Cost",
        tuple(titles[i] for i in filled),
        tuple(tuple(row[i] for i in filled) for row in rows),
        note="Means over seeds. Epochs include validation, prediction is that of the test part. "
        "Memory is what training added at most to the process.",
        arms=tuple(arm.arm.name for arm in result.arms),
    )


def growth_sections(result: StudyResult, command: str) -> list[Section]:
    """How cost grows with the training set, where arms differ in nothing else."""
    families = growing_families(result.arms)
    if not families:
        return []
    figures = []
    for key, title, unit in (
        ("train_time_s", "Training time", "s"),
        ("predict_time_s", "Prediction time", "s"),
        ("training_memory_mb", "Memory of training", "MB"),
    ):
        sizes = [arm.runs[0].data["n_train"] for arm in next(iter(families.values()))]
        values = {name: _means(arms, key) for name, arms in families.items()}
        if any(np.any(column <= 0) for column in values.values()):
            continue  # too small to be seen by the system
        figures.append(
            growth_curves(
                sizes,
                values,
                {name: power_law(sizes, list(column))[:2] for name, column in values.items()},
                title=f"{title} by training images",
                y_title=title,
                unit=unit,
                caption="Points are measured; the dashed line is the power law fitted to them, "
                "its exponent with the 95 % interval of the fit.",
                command=command,
                name=f"growth-{key.replace('_', '-')}",
            )
        )
    return [Section("Growth", figures=tuple(figures))]


def confusion_sections(result: StudyResult, command: str) -> list[Section]:
    """Precision, recall and F1 by class, and the confusion matrix, of the first seed."""
    sections = []
    for arm in result.arms:
        if arm.arm.name in result.study.confusions:
            test = test_part_of(arm.runs[0], result.dataset)
            predicted = arm.runs[0].predicted()
            confusion = measure(test.labels, predicted, result.dataset.n_classes).confusion
            figure = confusion_matrix(
                confusion,
                result.dataset.class_names,
                caption="Rows are the true classes, columns the predicted ones.",
                command=command,
                name=f"confusion-{arm.arm.name}",
            )
            table = report_table(class_report(confusion), result.dataset.class_names)
            sections.append(
                Section(f"{arm.arm.name}: by class", figures=(figure,), tables=(table,))
            )
    return sections


def _cost(arm: ArmResult) -> tuple[str | int | float | None, ...]:
    seconds, epochs = arm.each("train_time_s"), arm.each("epochs")
    by_epoch = [s / n for s, n in zip(seconds, epochs, strict=True) if n]
    return (
        arm.arm.name,
        arm.runs[0].data["n_train"],
        float(np.mean(seconds)),
        float(np.mean(by_epoch)) if by_epoch else None,
        _mean(arm, "predict_time_s"),
        _mean(arm, "training_memory_mb"),
    )


def _mean(arm: ArmResult, key: str) -> float | None:
    values = arm.each(key)
    return None if None in values else float(np.mean(values))


def _means(arms: Sequence[ArmResult], key: str) -> np.ndarray:
    return np.array([_mean(arm, key) or 0.0 for arm in arms])
