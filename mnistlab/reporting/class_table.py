"""The classification report as a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mnistlab.evaluation import ClassReport
from mnistlab.reporting.bounds import MOST_CLASSES, highest, with_left_out
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
    of_f1 = np.array(
        [
            score.f1 if n else np.nan
            for score, n in zip(report.by_class, report.support, strict=True)
        ]
    )
    chosen = highest(-of_f1, MOST_CLASSES)
    note = with_left_out("", len(chosen), len(class_names), "with the lowest F1")
    names = (*(class_names[k] for k in chosen), "average over classes", "average over images")
    scores = (*(report.by_class[k] for k in chosen), report.macro, report.weighted)
    n_images = sum(report.support)
    supports = (*(report.support[k] for k in chosen), n_images, n_images)
    predicted = (*(report.predicted[k] for k in chosen), n_images, n_images)
    rows = tuple(
        (name, score.precision, score.recall, score.f1, *counts)
        for name, score, *counts in zip(names, scores, supports, predicted, strict=True)
    )
    return Table("Classification report", columns, rows, note=note)
