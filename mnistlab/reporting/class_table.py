"""The classification report as a table."""

from __future__ import annotations

from collections.abc import Sequence

from mnistlab.evaluation import ClassReport
from mnistlab.reporting.page import Column, Table


def report_table(report: ClassReport, class_names: Sequence[str]) -> Table:
    """Precision, recall, F1, images of the class and images named so, then the averages."""
    columns = (
        Column("Class"),
        Column("Precision", ".3f"),
        Column("Recall", ".3f"),
        Column("F1", ".3f"),
        Column("Images", ","),
        Column("Predicted", ","),
    )
    names = (*class_names, "average over classes", "average over images")
    scores = (*report.by_class, report.macro, report.weighted)
    n_images = sum(report.support)
    supports = (*report.support, n_images, n_images)
    predicted = (*report.predicted, n_images, n_images)
    rows = tuple(
        (name, score.precision, score.recall, score.f1, *counts)
        for name, score, *counts in zip(names, scores, supports, predicted, strict=True)
    )
    return Table("Classification report", columns, rows)
