"""What an evaluation shows: metrics, classes, probabilities, mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistlab.data import Dataset
from mnistlab.evaluation import (
    class_report,
    measure,
    most_confident_mistakes,
    most_confused_pairs,
    one_against_rest,
    reliability,
    tempered,
)
from mnistlab.evaluation.corruptions import FAMILIES, SEVERITIES
from mnistlab.evaluation.probabilities import N_BINS
from mnistlab.reporting.bounds import in_turns, spread
from mnistlab.reporting.class_table import report_table
from mnistlab.reporting.figures.growth import severity_curves
from mnistlab.reporting.figures.images import image_grid
from mnistlab.reporting.figures.matrix import confusion_matrix, score_grid
from mnistlab.reporting.figures.probabilities import reliability_diagram, roc_curves
from mnistlab.reporting.figures.rows import per_class_accuracy
from mnistlab.reporting.page import Cell, Figure, Number, Section, Table, accuracy_text, columns
from mnistlab.runs import Evaluation, Run
from mnistlab.runs.metrics import Metrics

N_SHOWN, N_OF_CLASS, N_PAIRS = 64, 8, 10
MOST_CLASSES = 12  # of more, a gallery of every predicted class would be too long
# Rows of the table of metrics: name in result.json, title, explanation.
METRICS = (
    ("top2_accuracy", "Top-2 accuracy", "the true class is one of the two most probable"),
    ("macro_precision", "Precision", "mean over classes"),
    ("macro_recall", "Recall", "mean over classes"),
    ("macro_f1", "F1", "mean over classes"),
    ("macro_auc", "Area under ROC", "one class against the rest, mean over classes"),
    ("log_loss", "Log loss", "nats"),
    ("log_loss_tempered", "Log loss, tempered", "with the temperature below"),
    ("ece", "Calibration error", f"mean gap of confidence and accuracy, {N_BINS} bins"),
    ("ece_tempered", "Calibration error, tempered", "with the temperature below"),
    ("temperature", "Temperature", "fitted on the validation part"),
)


def evidence_sections(evaluation: Evaluation) -> list[Section]:
    """The sections on what a run predicts on its test part."""
    test, predicted = evaluation.test, evaluation.predicted
    confusion = measure(test.labels, predicted, test.n_classes).confusion
    sections = [_metrics(evaluation.metrics), _by_class(evaluation, confusion)]
    if evaluation.probabilities is not None and test.n_classes > 1:
        sections.append(_probabilities(evaluation, evaluation.probabilities))
    sections += [_mistakes(evaluation, confusion), _predictions(test, predicted)]
    if "corruptions" in evaluation.run.result:
        sections.append(_corruptions(evaluation.run))
    return sections


def or_nan(values: Sequence[float | None]) -> NDArray[np.float64]:
    """Per-class accuracies with NaN for a class that has no images."""
    return np.array([np.nan if value is None else value for value in values])


def _metrics(metrics: Metrics) -> Section:
    """Every metric there is; runs evaluated long ago have fewer."""
    accuracy = accuracy_text(metrics["test_accuracy"], *metrics["test_accuracy_ci"])
    rows: list[tuple[str, Cell, str]] = [("Accuracy", accuracy, "95 % interval (Wilson)")]
    values: dict[str, Any] = {**metrics}
    rows += [(title, values[k], what) for k, title, what in METRICS if values.get(k) is not None]
    if seconds := metrics.get("predict_time_per_image_s"):
        n = f"when {metrics['n_test']:,} are predicted together"
        rows.append(("Time per image", Number(0, f"{1e6 * seconds:.0f} µs"), n))
    if (memory := metrics.get("predict_memory_mb")) is not None:
        what = "peak while predicting them, beyond what was in use before"
        rows.append(("Memory", Number(0, f"{memory:.0f} MB"), what))
    titles = columns("Metric", "Test part:.4f", "What it is:wide")
    return Section("Metrics", tables=(Table("Metrics", titles, tuple(rows)),))


def _by_class(evaluation: Evaluation, confusion: NDArray[np.int64]) -> Section:
    name, class_names = evaluation.run.recipe.name, evaluation.test.class_names
    accuracy = per_class_accuracy(
        [name],
        {name: or_nan(evaluation.metrics["per_class_accuracy"])},
        class_names,
        caption="Fraction of each class's test images predicted correctly.",
    )
    matrix = confusion_matrix(
        confusion,
        class_names,
        caption="Rows are the true classes, columns the predicted ones.",
    )
    return Section(
        "By class",
        tables=(report_table(class_report(confusion), class_names),),
        figures=(accuracy, matrix),
    )


def _probabilities(evaluation: Evaluation, probabilities: NDArray[np.float64]) -> Section:
    labels, figures = evaluation.test.labels, []
    curves = one_against_rest(labels, probabilities)
    if any(curves):
        figures.append(
            roc_curves(
                evaluation.test.class_names,
                curves,
                caption="Receiver operating characteristic of every class; the number is the area "
                "under it.",
            )
        )
    kinds = {"as it is": reliability(labels, probabilities)}
    if (temperature := evaluation.metrics.get("temperature")) is not None:
        at_temperature = reliability(labels, tempered(probabilities, temperature))
        kinds[f"with temperature {temperature:.2f}"] = at_temperature
    figures.append(
        reliability_diagram(
            kinds,
            caption="On the dashed line confidence is accuracy: below it the network is too sure "
            "of itself.",
        )
    )
    return Section("Probabilities", figures=tuple(figures))


def _mistakes(evaluation: Evaluation, confusion: NDArray[np.int64]) -> Section:
    test, predicted = evaluation.test, evaluation.predicted
    wrong = np.flatnonzero(predicted != test.labels)
    if not len(wrong):
        return Section("Mistakes", "There are none.")
    if evaluation.probabilities is None:
        places = _some(test, wrong)
        caption = f"{_which(test)} mistakes of the test part; the true class stands below."
    else:
        places = most_confident_mistakes(test.labels, evaluation.probabilities, N_SHOWN)
        caption = "The most confident first; the true class stands below. Some labels may be wrong."
    grid = _grid(test, predicted, places, caption, "Mistakes")
    return Section("Mistakes", tables=(_confused(confusion, test.class_names),), figures=(grid,))


def _confused(confusion: NDArray[np.int64], names: Sequence[str]) -> Table:
    rows = tuple(
        (names[true], names[predicted], n, 100 * n / int(confusion[true].sum()))
        for true, predicted, n in most_confused_pairs(confusion, N_PAIRS)
    )
    titles = columns("True", "Predicted", "Images:,", "Of the class, %:.1f")
    return Table("Most confused pairs", titles, rows)


def _predictions(test: Dataset, predicted: NDArray[np.int64]) -> Section:
    """Predictions overall and, where classes are few, a row of eight for each predicted class."""
    overall, caption = _some(test, np.arange(len(test))), f"{_which(test)} images of the test part."
    figures = [_grid(test, predicted, overall, caption, "Predictions")]
    if test.n_classes <= MOST_CLASSES:
        rows = [_of_class(test, np.flatnonzero(predicted == k)) for k in range(test.n_classes)]
        first = "The first " if test.is_published else ""
        caption = f"{first}{N_OF_CLASS} images predicted as each class."
        by_class = np.concatenate(rows)
        figures.append(_grid(test, predicted, by_class, caption, "Predictions by class"))
    return Section("Predictions", figures=tuple(figures))


def _some(test: Dataset, places: NDArray[np.intp]) -> NDArray[np.intp]:
    """The first of a published part, which is shuffled; else of each class in turn."""
    if test.is_published:
        return places[:N_SHOWN]
    return places[in_turns(test.labels[places], N_SHOWN)]


def _of_class(test: Dataset, places: NDArray[np.intp]) -> NDArray[np.intp]:
    """N_OF_CLASS of them: the first of a published part, else evenly from first to last."""
    if test.is_published:
        return places[:N_OF_CLASS]
    return places[spread(len(places), N_OF_CLASS)]


def _which(test: Dataset) -> str:
    return "The first" if test.is_published else "Of each class in turn some"


def _grid(
    test: Dataset,
    predicted: NDArray[np.int64],
    places: NDArray[np.intp],
    caption: str,
    title: str,
) -> Figure:
    return image_grid(
        test.images[places],
        test.labels[places],
        predicted[places],
        test.class_names,
        caption=caption,
        name=title.lower().replace(" ", "-"),
        title=title,
    )


def _corruptions(run: Run) -> Section:
    errors, clean = run.result["corruptions"], run.result["test_accuracy"]
    accuracy = 1 - np.array(list(errors.values()))
    command = f"mnistlab evaluate {run.path} --corruptions"
    grid = score_grid(
        list(errors),
        SEVERITIES,
        accuracy,
        row_title="corruption",
        column_title="severity",
        best=divmod(int(accuracy.argmax()), accuracy.shape[1]),
        caption="Accuracy on the test part under each corruption; the best one is framed.",
        command=command,
        name="corruptions",
        title="Accuracy under corruptions",
    )
    kinds = "; ".join(f"{family}, of {', '.join(names)}" for family, names in FAMILIES.items())
    curves = severity_curves(
        clean,
        {
            family: np.array([np.subtract(1, errors[name]) for name in names])
            for family, names in FAMILIES.items()
        },
        caption=f"The strong line is the mean of all fifteen, the others of a kind: {kinds}.",
        command=command,
    )
    text = (
        f"Fifteen corruptions in five severities. Mean corruption error "
        f"{100 * run.result['mean_corruption_error']:.2f} %; on the images as they are "
        f"{100 * (1 - clean):.2f} %."
    )
    return Section("Robustness", text, figures=(grid, curves))
