"""The page of a grid: every point's cross-validated accuracy, and the best one trained."""

from __future__ import annotations

import numpy as np

from mnistlab.evaluation import class_report, measure
from mnistlab.reporting.class_table import report_table
from mnistlab.reporting.figures import confusion_matrix, score_grid
from mnistlab.reporting.page import Column, Fact, Page, Section, Table
from mnistlab.reporting.run_report import images_text, machine_text, validation_text
from mnistlab.study import GridResult


def grid_page(result: GridResult, command: str) -> Page:
    """Question, answer, the grid and the winner's mistakes."""
    study = result.study
    return Page(
        title=f"{study.name} on {result.dataset.name}",
        question=study.question,
        answer=result.answer,
        facts=_facts(result),
        sections=(
            _grid(result, command),
            Section("Points", tables=(points_table(result),)),
            _winner(result, command),
        ),
        command=command,
    )


def points_table(result: GridResult) -> Table:
    """A row a point, in the order they were tried."""
    (row_name, _), (column_name, _) = result.study.rows, result.study.columns
    columns = (
        Column(row_name),
        Column(column_name),
        Column("Accuracy", ".4f"),
        Column("Deviation of folds", ".4f"),
        Column("Training, s", ".2f"),
    )
    rows = tuple(
        (
            str(point.recipe.model_args[row_name]),
            str(point.recipe.model_args[column_name]),
            point.mean,
            point.deviation,
            sum(point.train_time_s),
        )
        for points in result.points
        for point in points
    )
    return Table(
        "Every point",
        columns,
        rows,
        note=f"Mean accuracy and standard deviation of {result.study.n_folds} folds of "
        f"{result.best.n_images:,} training images; seconds of all folds together.",
    )


def _grid(result: GridResult, command: str) -> Section:
    (row_name, rows), (column_name, columns) = result.study.rows, result.study.columns
    i, j = next(
        (i, j)
        for i, points in enumerate(result.points)
        for j, point in enumerate(points)
        if point is result.best
    )
    figure = score_grid(
        rows,
        columns,
        np.array([[point.mean for point in points] for points in result.points]),
        np.array([[point.deviation for point in points] for points in result.points]),
        row_title=row_name,
        column_title=column_name,
        best=(i, j),
        title="Cross-validated accuracy",
        caption=f"Mean of {result.study.n_folds} folds of {result.best.n_images:,} training "
        "images, and the standard deviation over the folds. The more colour the better; the "
        "best, framed, was trained on all training images.",
        command=command,
        name="grid",
    )
    return Section("The grid", figures=(figure,))


def _winner(result: GridResult, command: str) -> Section:
    stored, n_classes = result.run.predictions(), result.dataset.n_classes
    confusion = measure(stored.labels, stored.predicted, n_classes).confusion
    figure = confusion_matrix(
        confusion,
        result.dataset.class_names,
        caption="The best point, trained on all training images. Rows are the true classes, "
        "columns the predicted ones.",
        command=command,
    )
    return Section(
        "The best point",
        figures=(figure,),
        tables=(report_table(class_report(confusion), result.dataset.class_names),),
    )


def _facts(result: GridResult) -> tuple[Fact, ...]:
    run = result.run
    return (
        Fact("Data set", f"{result.dataset.name}, split {run.data['split']}"),
        Fact("Images", images_text(run.data)),
        Fact("Searched on", f"{result.best.n_images:,} images, {result.study.n_folds} folds"),
        Fact("Validation accuracy", validation_text(run.result)),
        Fact("Test accuracy", f"{run.result['test_accuracy']:.4f}"),
        Fact("Training", f"{run.result['train_time_s']:.1f} s"),
        Fact("Machine", machine_text(run.env)),
        Fact("Chosen on", "folds of the training part; the test part was looked at once"),
    )
