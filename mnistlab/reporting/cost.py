"""What arms cost, how that changes with a number, what they confuse: sections of a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mnistlab.data import Dataset
from mnistlab.evaluation import class_report, measure, power_law
from mnistlab.reporting.class_table import report_table
from mnistlab.reporting.figures.curves import learning_curves
from mnistlab.reporting.figures.growth import growth_curves, setting_curve
from mnistlab.reporting.figures.matrix import confusion_matrix
from mnistlab.reporting.page import Figure, Section, Table, columns
from mnistlab.reporting.series import Series, marked_names, repeats, series_of
from mnistlab.reporting.training_curves import curves_caption, curves_of
from mnistlab.runs import Run
from mnistlab.study import ArmResult, StudyResult, growing_families

COSTS = (
    ("train_time_s", "Training time", "s"),
    ("predict_time_s", "Prediction time", "s"),
    ("training_memory_mb", "Memory of training", "MB"),
)
LEAST_MB = 10  # less is lost in what the process holds anyway
TEST = "Test accuracy"
ROWS_TEXT = "Rows are the true classes, columns the predicted ones."
ON_MEMORY = "Memory is what training added at most to a process that may have had some to spare."


def cost_table(result: StudyResult) -> Table:
    """Seconds and megabytes of every arm, means over its seeds; no columns that tell nothing."""
    left_out = {arm.arm.name for arm in repeats(result.arms)}
    shown = [arm for arm in result.arms if arm.arm.name not in left_out]
    memory = {arm.arm.name: _mean(arm, "training_memory_mb") for arm in shown}
    seen = any((mb or 0) >= LEAST_MB for mb in memory.values())
    rows = tuple(
        (
            arm.arm.name,
            arm.runs[0].data["n_train"],
            arm.mean("train_time_s"),
            float(np.mean(each)) if len(each := _epoch_times(arm)) else None,
            _mean(arm, "predict_time_s"),
            memory[arm.arm.name] if seen else None,
        )
        for arm in shown
    )
    means = "Means over seeds. " if max(len(arm.runs) for arm in result.arms) > 1 else ""
    return Table(
        "Cost",
        columns(
            "Arm", "Images:,", "Train, s:.2f", "Epoch, s:.3f", "Predict, s:.3f", "Memory, MB:.0f"
        ),
        rows,
        note=f"{means}Images are those trained on. Epochs include validation, prediction is that "
        "of the test part." + (f" {ON_MEMORY}" if seen else ""),
        arms=marked_names(result.arms),
    ).without_empty()


def growth_sections(result: StudyResult) -> list[Section]:
    """How accuracy and cost change with the training set, where arms differ in nothing else."""
    families = growing_families(result.arms)
    if not families:
        return []
    names = list(dict.fromkeys([*marked_names(result.arms), *families]))
    sizes = {name: [arm.runs[0].data["n_train"] for arm in arms] for name, arms in families.items()}
    seconds = {name: [arm.mean("train_time_s") for arm in arms] for name, arms in families.items()}
    accuracies = {
        name: [100 * _each(arm, "test_accuracy") for arm in arms] for name, arms in families.items()
    }
    pretrained = any(arm.runs[0].result.get("weights") for arm in result.arms)
    cached = " Features that an earlier arm cached cost a later one no time." if pretrained else ""
    of = partial(
        growth_curves, names, values=accuracies, laws={}, y_title="Test accuracy", unit="%"
    )
    by_size = of(
        sizes=sizes,
        title="Test accuracy by training images",
        caption="The test part is the same for every size.",
        name="growth-test-accuracy",
    )
    by_time = of(
        sizes=seconds,
        x_title="Seconds of training",
        title="Test accuracy by training time",
        caption=f"The same arms over the mean time of their training, smallest sets first.{cached}",
        name="growth-accuracy-by-time",
    )
    costs = [_growth(names, families, sizes, cost) for cost in COSTS]
    return [Section("Growth", figures=(by_size, by_time, *filter(None, costs)))]


def setting_sections(result: StudyResult) -> list[Section]:
    """A section for each series of arms that differ in one number."""
    return [_setting(series, place) for place, series in enumerate(series_of(result.arms), 1)]


def confusion_sections(result: StudyResult) -> list[Section]:
    """Precision, recall and F1 by class, and the confusion matrix, of the first seed."""
    return [
        confusion_section(
            f"{arm.arm.name}: by class",
            arm.runs[0],
            result.dataset,
            f"{ROWS_TEXT} Seed {arm.runs[0].recipe.seed}." if len(arm.runs) > 1 else ROWS_TEXT,
            name=f"confusion-{arm.arm.name}",
            figure_title=f"Confusion matrix of {arm.arm.name}",
        )
        for arm in result.arms
        if arm.arm.name in result.study.confusions
    ]


def confusion_section(
    title: str,
    run: Run,
    dataset: Dataset,
    caption: str,
    *,
    name: str = "confusion-matrix",
    figure_title: str = "Confusion matrix",
) -> Section:
    """The classification report and the confusion matrix of a run on the test part."""
    stored, names = run.predictions(), dataset.class_names
    confusion = measure(stored.labels, stored.predicted, dataset.n_classes).confusion
    figure = confusion_matrix(confusion, names, caption=caption, name=name, title=figure_title)
    table = report_table(class_report(confusion), names)
    return Section(title, figures=(figure,), tables=(table,))


def _growth(
    names: Sequence[str],
    families: Mapping[str, Sequence[ArmResult]],
    sizes: Mapping[str, Sequence[int]],
    cost: tuple[str, str, str],
) -> Figure | None:
    """The figure of one cost, of the families where the system saw any."""
    key, title, unit = cost
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
        name=f"growth-{key.replace('_', '-')}",
    )


def _setting(series: Series, place: int) -> Section:
    names = [arm.arm.name for arm in series.arms]
    key, y_title = "val_accuracy", "Validation accuracy"
    if all(arm.val_accuracy is None for arm in series.arms):
        key, y_title = "test_accuracy", "Test accuracy"
    panels = {
        (key, y_title, "%"): [100 * _each(arm, key) for arm in series.arms],
        ("epoch_time_s", "Time per epoch", "s"): [_epoch_times(arm) for arm in series.arms],
    }
    several = max(len(arm.runs) for arm in series.arms) > 1
    figures = [
        setting_curve(
            series.values,
            values,
            x_title=series.setting.capitalize(),
            y_title=y_title,
            unit=unit,
            from_zero=unit == "s",
            title=f"{y_title} by {series.setting}",
            caption="The line joins the means over seeds." if several else "",
            name=f"setting-{place}-{key.replace('_', '-')}",
        )
        for (key, y_title, unit), values in panels.items()
        if all(map(len, values))
    ]
    learned = [arm for arm in series.arms if arm.runs[0].log]
    if learned:
        figures.append(
            learning_curves(
                names,
                {arm.arm.name: curves_of(arm.runs) for arm in learned},
                caption=curves_caption([run for arm in learned for run in arm.runs]),
                name=f"learning-curves-{place}",
                title=f"Learning curves by {series.setting}",
                ordered=True,
            )
        )
    text = f"Arms that differ in their {series.setting} alone: {', '.join(names)}."
    return Section(series.setting.capitalize(), text, figures=tuple(figures))


def _epoch_times(arm: ArmResult) -> NDArray[np.float64]:
    """Seconds per epoch of each seed; empty for what learns in none."""
    seconds, epochs = arm.each("train_time_s"), arm.each("epochs")
    return np.array([s / n for s, n in zip(seconds, epochs, strict=True) if n])


def _each(arm: ArmResult, key: str) -> NDArray[np.float64]:
    """One metric of every seed; empty where a run lacks it."""
    values = arm.each(key)
    return np.array([] if None in values else values, dtype=float)


def _mean(arm: ArmResult, key: str) -> float | None:
    values = _each(arm, key)
    return float(values.mean()) if len(values) else None
