"""The page of a comparison: its question, the answer, the comparison table and the figures."""

from __future__ import annotations

import math

import numpy as np

from mnistlab.reporting.cost import confusion_sections, cost_table, growth_sections
from mnistlab.reporting.figures import (
    accuracy_against_parameters,
    learning_curves,
    per_class_accuracy,
)
from mnistlab.reporting.page import Column, Fact, Number, Page, Section, Table
from mnistlab.reporting.run_report import N_SHOWN, curves_of, gallery, machine_text, share
from mnistlab.study import ArmResult, StudyResult


def comparison_page(result: StudyResult, command: str) -> Page:
    """The page of arms trained and compared."""
    return Page(
        title=f"{result.study.name} on {result.dataset.name}",
        question=result.study.question,
        answer=result.answer,
        facts=_facts(result),
        sections=(
            _comparison(result, command),
            *growth_sections(result, command),
            *_training(result, command),
            _classes(result, command),
            *confusion_sections(result, command),
            *_galleries(result, command),
        ),
        command=command,
    )


def comparison_table(result: StudyResult) -> Table:
    """Arm, size, published and measured figures, time: a row an arm, no empty columns."""
    titles = (
        Column("Arm"),
        Column("Row"),
        Column("Parameters", ","),
        Column("Published"),
        Column("Validation", ".4f"),
        Column("Test accuracy"),
        Column("Late swing", ".3f"),
    )
    cells = [_row(arm, result.dataset.name) for arm in result.arms]
    filled = [i for i in range(len(titles)) if any(row[i] is not None for row in cells)]
    return Table(
        "Comparison",
        tuple(titles[i] for i in filled),
        tuple(tuple(row[i] for i in filled) for row in cells),
        note="Test accuracy: mean over seeds and half-width of its 95 % interval (Student). "
        "Late swing: largest change of validation accuracy between two of the last four epochs. "
        "Validation: mean over seeds.",
        arms=tuple(_names(result)),
    )


def published_table(result: StudyResult) -> Table | None:
    """Published beside measured, and why they differ; None where nothing was published."""
    data = result.dataset.name
    rows = tuple(
        (
            arm.arm.name,
            arm.arm.published[data],
            accuracy_text(*arm.test_accuracy),
            arm.arm.why_it_differs.get(data),
        )
        for arm in result.arms
        if data in arm.arm.published
    )
    columns = (
        Column("Arm"),
        Column("Published"),
        Column("Measured"),
        Column("Why they differ", wide=True),
    )
    return (
        Table(
            "Published and measured",
            columns,
            rows,
            arms=tuple(_names(result)),
        )
        if rows
        else None
    )


def _row(result: ArmResult, data: str) -> tuple[str | int | float | Number | None, ...]:
    arm = result.arm
    return (
        arm.name,
        arm.recipe.system,
        result.runs[0].result["n_parameters"],
        arm.published.get(data),
        float(np.mean(result.each("val_accuracy"))),
        accuracy_text(*result.test_accuracy),
        result.late_swing,
    )


def accuracy_text(mean: float, half_width: float) -> Number:
    """Such as "0.9215 ± 0.0010", sorted by the mean; one seed has no interval."""
    text = f"{mean:.4f}" if math.isnan(half_width) else f"{mean:.4f} ± {half_width:.4f}"
    return Number(mean, text)


def _names(result: StudyResult) -> list[str]:
    return [arm.arm.name for arm in result.arms]


def _facts(result: StudyResult) -> tuple[Fact, ...]:
    run = result.arms[0].runs[0]
    n_seeds = len(result.arms[0].runs)
    return (
        Fact("Data set", f"{result.dataset.name}, split {run.data['split']}"),
        Fact("Images", f"{run.data['n_train']:,} / {run.data['n_val']:,} / {run.data['n_test']:,}"),
        Fact("Seeds an arm", str(n_seeds)),
        Fact("Runs", str(n_seeds * len(result.arms))),
        Fact("Machine", machine_text(run.env)),
        Fact("Chosen on", "validation; the test part was looked at once, at the end"),
    )


def _comparison(result: StudyResult, command: str) -> Section:
    figure = accuracy_against_parameters(
        _names(result),
        {arm.arm.name: arm.runs[0].result["n_parameters"] for arm in result.arms},
        {arm.arm.name: np.array(arm.each("test_accuracy")) for arm in result.arms},
        caption="Test accuracy of every seed against the number of trained parameters.",
        command=command,
    )
    tables = [comparison_table(result), cost_table(result), published_table(result)]
    return Section(
        "Comparison", tables=tuple(table for table in tables if table), figures=(figure,)
    )


def _training(result: StudyResult, command: str) -> list[Section]:
    curves = {arm.arm.name: curves_of(arm.runs) for arm in result.arms if arm.runs[0].log}
    if not curves:
        return []
    figure = learning_curves(
        [name for name in _names(result) if name in curves],
        curves,
        caption="A thin line a seed, a strong one their mean. At a constant rate the accuracy "
        "swings from epoch to epoch; a schedule that falls to zero calms it.",
        command=command,
    )
    return [Section("Training", figures=(figure,))]


def _classes(result: StudyResult, command: str) -> Section:
    shares = {
        arm.arm.name: np.mean([share(each) for each in arm.each("per_class_accuracy")], axis=0)
        for arm in result.arms
    }
    figure = per_class_accuracy(
        _names(result),
        shares,
        result.dataset.class_names,
        caption="Share of each class's test images named correctly, mean over seeds.",
        command=command,
    )
    return Section("By class", figures=(figure,))


def _galleries(result: StudyResult, command: str) -> list[Section]:
    return [
        Section(
            f"{arm.arm.name}: before and after",
            f"The first {N_SHOWN} test images, as the network named them when it was "
            f"initialised and when it was trained (seed {arm.runs[0].recipe.seed}).",
            figures=gallery(arm.runs[0], result.dataset, command, f"images-{arm.arm.name}"),
        )
        for arm in result.arms
        if arm.arm.name in result.study.gallery
    ]
