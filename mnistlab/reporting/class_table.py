"""The classification report as a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mnistlab.evaluation import ClassReport
from mnistlab.reporting.bounds import MOST_CLASSES, highest, with_left_out
from mnistlab.reporting.page import Table, columns


def report_table(report: ClassReport, class_names: Sequence[str]) -> Table:
    """Precision, recall, F1, images and predictions of each class, then the averages."""
    titles = ("Class", "Precision:.3f", "Recall:.3f", "F1:.3f", "Images:,", "Predicted:,")
    by_class = zip(report.by_class, report.support, strict=True)
    f1 = np.array([score.f1 if n else np.nan for score, n in by_class], dtype=float)
    chosen = highest(-f1, MOST_CLASSES)
    note = with_left_out("", len(chosen), len(class_names), "with the lowest F1")
    names = (*(class_names[k] for k in chosen), "average over classes", "average over images")
    rated = (*(report.by_class[k] for k in chosen), report.macro, report.weighted)
    n_images = sum(report.support)
    supports = (*(report.support[k] for k in chosen), n_images, n_images)
    predicted = (*(report.predicted[k] for k in chosen), n_images, n_images)
    rows = tuple(
        (name, score.precision, score.recall, score.f1, *counts)
        for name, score, *counts in zip(names, rated, supports, predicted, strict=True)
    )
    return Table("Classification report", columns(*titles), rows, note=note)
