"""What an evaluated run's predictions show: figures, classes, probabilities, mistakes."""

from __future__ import annotations

from collections.abc import Sequence

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
from mnistlab.reporting.figures import (
    confusion_matrix,
    image_grid,
    per_class_accuracy,
    reliability_diagram,
    roc_curves,
    score_grid,
    severity_curves,
)
from mnistlab.reporting.page import Cell, Column, Figure, Number, Section, Table
from mnistlab.runs import Run
from mnistlab.runs import test_part as test_part_of

N_MISTAKES, N_OF_CLASS, N_PAIRS = 64, 8, 10
MOST_CLASSES = 12  # of more, a gallery of every class named would be too long


def evidence_sections(run: Run, dataset: Dataset, command: str) -> list[Section]:
    """The sections of a run that was evaluated on the test part of `dataset`."""
    test, predicted = test_part_of(run, dataset), run.predicted()
    probabilities = run.probabilities()
    sections = [_figures(run), _by_class(run, test, predicted, command)]
    if probabilities is not None and test.n_classes > 1:
        sections.append(_probabilities(run, test, probabilities, command))
    sections.append(_mistakes(test, predicted, probabilities, command))
    sections.append(_named(test, predicted, command))
    if "corruptions" in run.result:
        sections.append(_corruptions(run, command))
    return sections


def share(values: Sequence[float | None]) -> NDArray[np.float64]:
    """Per-class accuracies with NaN for a class that has no images."""
    return np.array([np.nan if value is None else value for value in values])


def _figures(run: Run) -> Section:
    """Every figure of result.json that there is; runs evaluated long ago have fewer."""
    result = run.result
    low, high = result["test_accuracy_ci"]
    interval = f"{result['test_accuracy']:.4f} ({low:.4f} to {high:.4f})"
    rows: list[tuple[str, Cell, str]] = [
        ("Accuracy", Number(result["test_accuracy"], interval), "95 % interval (Wilson)"),
        *(
            (title, result[key], what)
            for key, title, what in (
                ("top2_accuracy", "Top-2 accuracy", "the true class is one of the two first"),
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
            if result.get(key) is not None
        ),
    ]
    if result.get("predict_time_per_image_s"):
        microseconds = Number(0, f"{1e6 * result['predict_time_per_image_s']:.0f} µs")
        rows.append(("Time an image", microseconds, f"of {result['n_test']:,} named at once"))
    if result.get("predict_memory_mb") is not None:
        memory = Number(0, f"{result['predict_memory_mb']:.0f} MB")
        rows.append(("Memory", memory, "at most, while naming them, beyond what was there before"))
    columns = (Column("Figure"), Column("Test part", ".4f"), Column("What it is", wide=True))
    return Section("Figures", tables=(Table("Figures", columns, tuple(rows)),))


def _by_class(run: Run, test: Dataset, predicted: NDArray[np.int64], command: str) -> Section:
    name = run.recipe.name
    confusion = measure(test.labels, predicted, test.n_classes).confusion
    accuracy = per_class_accuracy(
        [name],
        {name: share(run.result["per_class_accuracy"])},
        test.class_names,
        caption="Share of each class's test images named correctly.",
        command=command,
    )
    matrix = confusion_matrix(
        confusion,
        test.class_names,
        caption="Rows are the true classes, columns the predicted ones.",
        command=command,
    )
    return Section(
        "By class",
        tables=(report_table(class_report(confusion), test.class_names),),
        figures=(accuracy, matrix),
    )


def _probabilities(
    run: Run, test: Dataset, probabilities: NDArray[np.float64], command: str
) -> Section:
    curves = one_against_rest(test.labels, probabilities)
    figures = []
    if any(curves):
        figures.append(
            roc_curves(
                test.class_names,
                curves,
                caption="Receiver operating characteristic of every class; the number is the area "
                "under it.",
                command=command,
            )
        )
    kinds = {"as it is": reliability(test.labels, probabilities)}
    temperature = run.result.get("temperature")
    if temperature is not None:
        warm = reliability(test.labels, tempered(probabilities, temperature))
        kinds[f"with temperature {temperature:.2f}"] = warm
    figures.append(
        reliability_diagram(
            kinds,
            caption="On the dashed line confidence is accuracy: below it the network is too sure "
            "of itself.",
            command=command,
        )
    )
    return Section("Probabilities", figures=tuple(figures))


def _mistakes(
    test: Dataset,
    predicted: NDArray[np.int64],
    probabilities: NDArray[np.float64] | None,
    command: str,
) -> Section:
    confusion = measure(test.labels, predicted, test.n_classes).confusion
    pairs = most_confused_pairs(confusion, N_PAIRS)
    names = test.class_names
    table = Table(
        "Most confused pairs",
        (
            Column("True"),
            Column("Predicted"),
            Column("Images", ","),
            Column("Of the class, %", ".1f"),
        ),
        tuple(
            (
                names[pair.true],
                names[pair.predicted],
                pair.n,
                100 * pair.n / int(confusion[pair.true].sum()),
            )
            for pair in pairs
        ),
    )
    if probabilities is None:
        places = _some(test, np.flatnonzero(predicted != test.labels), N_MISTAKES)
        caption = f"{_kind(test)} mistakes of the test part; the true name stands below."
    else:
        places = most_confident_mistakes(test.labels, probabilities, N_MISTAKES)
        caption = "The surest first; the true name stands below. Some labels may be wrong."
    if not len(places):
        return Section("Mistakes", "There are none.")
    return Section(
        "Mistakes",
        tables=(table,),
        figures=(_grid(test, predicted, places, caption, command, "mistakes", "Mistakes"),),
    )


def _named(test: Dataset, predicted: NDArray[np.int64], command: str) -> Section:
    """Predictions overall and, where classes are few, a row of eight for each class named."""
    overall = _some(test, np.arange(len(test)), N_MISTAKES)
    figures = [
        _grid(
            test,
            predicted,
            overall,
            f"{_kind(test)} images of the test part.",
            command,
            "predictions",
            "Predictions",
        )
    ]
    if test.n_classes <= MOST_CLASSES:
        by_class = np.concatenate(
            [_spread(test, np.flatnonzero(predicted == k)) for k in range(test.n_classes)]
        )
        first = "The first " if test.is_published else ""
        caption = f"{first}{N_OF_CLASS} images that were given each name."
        figures.append(
            _grid(
                test,
                predicted,
                by_class,
                caption,
                command,
                "predictions-by-class",
                "By class named",
            )
        )
    return Section("Predictions", figures=tuple(figures))


def _some(test: Dataset, places: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    """The first of a published part, which is shuffled; else of each class in turn."""
    if test.is_published:
        return places[:most]
    return places[in_turns(test.labels[places], most)]


def _spread(test: Dataset, places: NDArray[np.intp]) -> NDArray[np.intp]:
    """N_OF_CLASS of them: the first of a published part, else evenly from first to last."""
    if test.is_published or len(places) <= N_OF_CLASS:
        return places[:N_OF_CLASS]
    return places[spread(len(places), N_OF_CLASS)]


def _kind(test: Dataset) -> str:
    return "The first" if test.is_published else "Of each class in turn some"


def _grid(
    test: Dataset,
    predicted: NDArray[np.int64],
    places: NDArray[np.intp],
    caption: str,
    command: str,
    name: str,
    title: str,
) -> Figure:
    return image_grid(
        test.images[places],
        test.labels[places],
        predicted[places],
        test.class_names,
        caption=caption,
        command=command,
        name=name,
        title=title,
    )


def _corruptions(run: Run, command: str) -> Section:
    errors = run.result["corruptions"]
    accuracy = 1 - np.array(list(errors.values()))
    best = divmod(int(accuracy.argmax()), accuracy.shape[1])
    figure = score_grid(
        list(errors),
        SEVERITIES,
        accuracy,
        row_title="corruption",
        column_title="severity",
        best=best,
        caption="Accuracy on the test part under each corruption; the best one is framed.",
        command=f"{command} --corruptions",
        name="corruptions",
        title="Accuracy under corruptions",
    )
    clean = run.result["test_accuracy"]
    kinds = "; ".join(f"{family}, of {', '.join(names)}" for family, names in FAMILIES.items())
    curves = severity_curves(
        clean,
        {
            family: np.array([np.subtract(1, errors[name]) for name in names])
            for family, names in FAMILIES.items()
        },
        caption=f"The strong line is the mean of all fifteen, the others of a kind: {kinds}.",
        command=f"{command} --corruptions",
    )
    text = (
        f"Fifteen corruptions in five severities. Mean corruption error "
        f"{100 * run.result['mean_corruption_error']:.2f} %; on the images as they are "
        f"{100 * (1 - clean):.2f} %."
    )
    return Section("Robustness", text, figures=(figure, curves))
