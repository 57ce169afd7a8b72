"""Every row of the published systems: what was published beside what is measured here.

A row names the study, the arm and the data set whose newest ledger line holds the measurement.
Where the ledger has none yet, the table says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from benchmarks.conditions import conditions_of, current, measured_under
from benchmarks.study_tables import accuracy_cells, newest_arms, paired
from mnistlab.evaluation import Difference, corrected, interval_text

MISSING = ["not measured yet", "–", "–", "–"]
SEARCHED = ("mnist", "fashion-mnist")  # data sets of D3's searches


class Row(NamedTuple):
    """system: the row, such as "C8". metric: what is measured.

    "test": accuracy on the test part. "expanded_val": on the fourfold validation part. A number:
    the F1 score of that class. "gained": points that a search gains on validation. "matters": the
    most important setting of a search.
    """

    system: str
    what: str
    published: str
    study: str
    arm: str
    data: str = "fashion-mnist"
    metric: str | int = "test"


ROWS = (
    Row("A4", "MLP in NumPy", "–", "mlp-vs-svm", "scratch-mlp", "mnist"),
    Row("A5", "batch 32", "–", "mlp-batch-size", "batch-32", "mnist"),
    Row("A5", "batch 128", "–", "mlp-batch-size", "batch-128", "mnist"),
    Row("A5", "batch 256", "–", "mlp-batch-size", "batch-256", "mnist"),
    Row("A5", "batch 512", "–", "mlp-batch-size", "batch-512", "mnist"),
    Row("A6", "SVM, best of the grid", "–", "svm-grid", "svm", "mnist"),
    Row("A8", "SVM beside A4", "–", "mlp-vs-svm", "svm", "mnist"),
    Row("A9", "SimpleCNN, tuned", "–", "ladder", "simple-cnn-tuned", "mnist"),
    Row("A11", "SimpleCNN by SGD", "–", "optimizers", "sgd"),
    Row("A11", "SimpleCNN by momentum", "–", "optimizers", "momentum"),
    Row("A11", "SimpleCNN by RMSprop", "–", "optimizers", "rmsprop"),
    Row("A11", "SimpleCNN by Adam", "–", "optimizers", "adam"),
    Row("A11", "SimpleCNN by AdamW", "–", "optimizers", "adamw"),
    Row("A12", "rate reduced on a plateau", "–", "lr-schedule", "plateau"),
    Row("A13", "MobileNetV2 from no weights, 1,000 images", "–", "transfer", "mobilenet-1000"),
    *(
        Row("A14", f"{what}, {images} images", "–", "transfer", f"{arm}{suffix}")
        for images, suffix in (
            ("100", "-100"),
            ("1,000", "-1000"),
            ("10,000", "-10000"),
            ("all", ""),
        )
        for what, arm in (
            ("SimpleCNN from scratch", "simple-cnn"),
            ("Lite0 of ImageNet, two stages", "two-stage"),
        )
    ),
    *(
        Row("A15", f"Lite0 at 96 x 96, {images} images", "–", "transfer-lite0", arm)
        for images, arm in (("1,000", "transfer-lite0-1000"), ("all", "transfer-lite0"))
    ),
    Row("B1", "full batch, rate 0.01, 10 steps", "0.09", "double-softmax", "full-batch"),
    Row("B2", "full batch, rate 0.1, 2,001 steps", "0.80", "double-softmax", "full-batch-long"),
    Row("B3", "batch 10, rate 0.1", "0.8527", "batch-size", "double-softmax"),
    Row("B4", "batch 2", "0.609", "batch-size", "batch-2"),
    Row("B4", "batch 4", "0.789", "batch-size", "batch-4"),
    Row("B4", "batch 6", "0.836", "batch-size", "batch-6"),
    Row("B4", "batch 10", "0.796", "batch-size", "double-softmax"),
    Row("B4", "batch 15", "0.818", "batch-size", "batch-15"),
    Row("B4", "batch 20", "0.811", "batch-size", "batch-20"),
    Row("B5", "batch 10, rate 0.01", "0.8179", "batch-size", "double-softmax-slow"),
    Row("B6", "B3, F1 of Shirt", "0.627", "batch-size", "double-softmax", metric=6),
    Row("B6", "B3, F1 of Pullover", "0.753", "batch-size", "double-softmax", metric=2),
    Row("B6", "B3, F1 of Coat", "0.772", "batch-size", "double-softmax", metric=4),
    *(
        Row(f"C{number}", name, published, "mlp-regularisation", name, metric="expanded_val")
        for number, (name, published) in enumerate(
            (
                ("dense-base", "0.833"),
                ("dense-wide", "0.839"),
                ("dense-deep", "0.853"),
                ("dense-sgd", "0.843"),
                ("dense-decay", "0.810"),
                ("dense-norm", "0.843"),
                ("dense-dropout", "0.788"),
            ),
            start=1,
        )
    ),
    *(
        Row(f"C{number}", name, published, "cnn-regularisation", name, metric="expanded_val")
        for number, (name, published) in enumerate(
            (
                ("conv-base", "0.875"),
                ("conv-wide", "0.862"),
                ("conv-deep", "0.878"),
                ("conv-sgd", "0.869"),
                ("conv-decay", "0.869"),
                ("conv-norm", "0.881"),
                ("conv-dropout", "0.874"),
            ),
            start=8,
        )
    ),
    Row("C17", "final model", "0.916", "final", "final"),
    Row("C17", "its phases cut to 10 epochs", "0.916", "final-shortened", "final-shortened"),
    Row("C17", "its layers, trained in half an hour", "0.916", "final-tuned", "final-tuned"),
    *(
        Row(system, what, published, "tune-layered-mlp", "layered-mlp-best", data, metric)
        for data in SEARCHED
        for system, what, published, metric in (
            ("D3", "network by hand, gained by tuning", "about 9 points", "gained"),
            ("D3", "network by hand, tuned", "–", "test"),
            ("D4", "what of it matters most", "a figure", "matters"),
        )
    ),
    Row("E1", "softmax regression", "about 0.92", "ladder", "softmax", "mnist"),
    Row("E2", "one hidden layer of 100", "about 0.97", "ladder", "mlp", "mnist"),
    Row("E3", "two convolutions", "0.98 to 0.99", "ladder", "cnn-small", "mnist"),
)


def cells(row: Row) -> list[str]:
    """The row as a line of the table."""
    line = current(row.study, row.data, row.arm)
    measured = MISSING if line is None else _measured(line, row.metric)
    conditions = conditions_of(row.study) if line is None else measured_under(line)
    command = f"`mnistlab {' '.join(conditions.arguments(row.study, row.data))}`"
    return [row.system, row.what, row.data, f"{row.published}", *measured, command]


def _measured(line: dict[str, Any], metric: str | int) -> list[str]:
    """The metric, its interval over seeds, its interval over test images, and the seeds."""
    if isinstance(metric, int):
        scores = [by_class[metric] for by_class in line["per_class_f1"]]
        return [*_of(accuracy_cells(scores, None), "F1"), str(len(scores))]
    n = str(len(line["seeds"]))
    if metric == "matters":
        setting, fraction = next(iter(line["importance"].items()))
        return [f"{setting} ({fraction:.0%})", "–", "–", n]
    if metric == "gained":
        found = gains(line["name"], SEARCHED)[line["data"], "val_accuracy"]
        return [f"{100 * found.mean:+.1f} points (validation)", interval_text(found), "–", n]
    if metric == "test":
        return [*accuracy_cells(line["test_accuracy"], line["n_test"]), n]
    values = line.get(f"{metric}_accuracy")
    if values is None:  # measured with a recipe that this row no longer has
        return MISSING
    return [*_of(accuracy_cells(values, None), "fourfold validation"), n]


def _of(cells: list[str], what: str) -> list[str]:
    return [f"{cells[0]} ({what})", *cells[1:]]


def gains(name: str, sets: Sequence[str]) -> dict[tuple[str, str], Difference]:
    """By data set and metric: how much the best recipe of a search gains on the untuned one.

    The intervals are simultaneous over the data sets and both metrics.
    """
    found = {}
    for data in sets:
        untuned, tuned = newest_arms(name, data)
        for key in ("val_accuracy", "test_accuracy"):
            found[data, key] = paired(tuned, untuned, key)
    return dict(zip(found, corrected(list(found.values())), strict=True))
