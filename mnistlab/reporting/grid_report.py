"""The page of a grid: every point's cross-validated accuracy, and the best one trained."""

from __future__ import annotations

import numpy as np

from mnistlab.reporting.cost import ROWS_TEXT, confusion_section
from mnistlab.reporting.figures.matrix import score_grid
from mnistlab.reporting.page import Fact, Page, Section, Table, columns
from mnistlab.reporting.run_report import images_text, machine_text, validation_text
from mnistlab.study import GridResult

WINNER = f"The best point, trained on all training images. {ROWS_TEXT}"


def grid_page(result: GridResult, command: str) -> Page:
    """Question, answer, the grid and the winner's mistakes."""
    study = result.study
    return Page(
        title=f"{study.name} on {result.dataset.name}",
        question=study.question,
        answer=result.answer,
        facts=_facts(result),
        sections=(
            _grid(result),
            Section("Points", tables=(points_table(result),)),
            confusion_section("The best point", result.run, result.dataset, WINNER),
        ),
        command=command,
    )


def points_table(result: GridResult) -> Table:
    """A row per point, in the order they were tried."""
    (row_name, _), (column_name, _) = result.study.rows, result.study.columns
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
    titles = ("Accuracy:.4f", "Deviation of folds:.4f", "Training, s:.2f")
    note = (
        f"Mean accuracy and standard deviation of {result.study.n_folds} folds of "
        f"{result.best.n_images:,} training images; seconds of all folds together."
    )
    return Table("Every point", columns(row_name, column_name, *titles), rows, note=note)


def _grid(result: GridResult) -> Section:
    (row_name, rows), (column_name, values) = result.study.rows, result.study.columns
    means = np.array([[point.mean for point in points] for points in result.points])
    deviations = np.array([[point.deviation for point in points] for points in result.points])
    every = [point for points in result.points for point in points]
    best = next(place for place, point in enumerate(every) if point is result.best)
    figure = score_grid(
        rows,
        values,
        means,
        deviations,
        row_title=row_name,
        column_title=column_name,
        best=divmod(best, len(values)),
        title="Cross-validated accuracy",
        caption=f"Mean of {result.study.n_folds} folds of {result.best.n_images:,} training "
        "images, and the standard deviation over the folds. The more colour the better; the "
        "best, framed, was trained on all training images.",
        name="grid",
    )
    return Section("The grid", figures=(figure,))


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
