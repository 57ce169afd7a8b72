"""The classification report as a table."""

from __future__ import annotations

from collections.abc import Sequence

from mnistlab.evaluation import ClassReport
from mnistlab.reporting.page import Column, Table


def report_table(report: ClassReport, class_names: Sequence[str]) -> Table:
    """Precision, recall, F1 and number of images, a row a class, then the averages."""
    columns = (
        Column("Class"),
        Column("Precision", ".3f"),
        Column("Recall", ".3f"),
        Column("F1", ".3f"),
        Column("Images", ","),
    )
    names = (*class_names, "average over classes", "average over images")
    scores = (*report.by_class, report.macro, report.weighted)
    supports = (*report.support, sum(report.support), sum(report.support))
    rows = tuple(
        (name, score.precision, score.recall, score.f1, support)
        for name, score, support in zip(names, scores, supports, strict=True)
    )
    return Table("Classification report", columns, rows)
