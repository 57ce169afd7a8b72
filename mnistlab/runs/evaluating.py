"""Measuring a run on test images; the only way to them.

Of data other than those of its training, images that the run has seen are left out, whichever file
they lie in, and labels are matched by the names of their classes.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistlab import atomic, machine
from mnistlab.classifiers.methods import method_of
from mnistlab.data import Dataset, load
from mnistlab.data.notes import note
from mnistlab.data.polarity import Border, border_of, check_invert, polarity_differs
from mnistlab.errors import MnistlabError, RunError
from mnistlab.evaluation import (
    ClassReport,
    class_report,
    fit_temperature,
    log_loss,
    mean_area,
    measure,
    one_against_rest,
    reliability,
    tempered,
    top_k_accuracy,
)
from mnistlab.runs.folder import (
    Run,
    check_writable,
    dataset_of,
    recorded_parts,
    test_part,
    update_result,
)
from mnistlab.runs.predictions import predictions, threshold_figures, threshold_record
from mnistlab.runs.seen import is_seen, read_seen, seen_in
from mnistlab.runs.snapshots import accuracy_by_epoch

MOST_NAMED = 5  # classes in a message
FITTED = ("temperature", "threshold")  # on the validation part


@dataclass(frozen=True)
class Evaluation:
    """A run with its new figures. own: they are of the data of its training."""

    run: Run
    figures: Mapping[str, Any]
    own: bool


def evaluate(
    run: Run,
    data: Dataset | str | None = None,
    *,
    invert: str = "no",
    device: str = "auto",
    threads: int | None = None,
    on_note: Callable[[str], None] = note,
) -> Run:
    """Measure a run on test images it was never trained on; the figures go into result.json.

    On the data of its training: the test part of the split it was trained with, by the weights of
    earlier epochs too where its recipe has them saved; a temperature for its probabilities is then
    fitted on the validation part, and null where there is none. On other data: the test part they
    came with, or else every image, but for those that the run was trained on or validated with;
    an entry of result["other_data"] of its own for every data set, by name and content. They may
    lack classes, whose figures are null. Figures of probabilities are null for a classifier that
    has none, and the area under a curve where a class is missing.
    invert: other data of the other polarity (a dark border where training had a bright one) are
    reported on by on_note, a line, and inverted by "auto"; "yes" inverts them in any case.
    Raises DataError or RunError where data and run do not fit, and where no image is left.
    """
    return evaluation(run, data, invert=invert, device=device, threads=threads, on_note=on_note).run


def evaluation(
    run: Run,
    data: Dataset | str | None = None,
    *,
    invert: str = "no",
    device: str = "auto",
    threads: int | None = None,
    on_note: Callable[[str], None] = note,
) -> Evaluation:
    """As `evaluate`, with the figures that were measured now."""
    check_invert(invert)
    dataset = load(data) if isinstance(data, str) else data or dataset_of(run)
    check_writable(run)
    if dataset.fingerprint == run.data["fingerprint"]:
        return _on_own(run, dataset, invert, device, threads)
    part = in_classes_of(run, test_part(run, dataset), dataset.name)
    _check_shape(run, part)
    n_all = len(part)
    part = _unseen(run, part, on_note)
    differs = invert != "yes" and differs_from_training(run, border_of(part.images))
    is_inverted = invert == "yes" or (invert == "auto" and differs)
    if differs:
        on_note(polarity_text(dataset.name, is_inverted))
    if is_inverted:
        part = replace(part, images=255 - part.images)
    fitted = {name: run.result.get(name) for name in FITTED}
    figures, _, _ = _measured(run, part, device, threads, fitted)
    entry = {
        "name": dataset.name,
        "path": dataset.source.get("name_or_path"),
        "fingerprint": dataset.fingerprint,
        "n_left_out": n_all - len(part),
        "inverted": is_inverted,
        **figures,
    }
    key = f"{dataset.name}-{dataset.fingerprint[:8]}{'-inverted' if is_inverted else ''}"

    def change(result: dict[str, Any]) -> dict[str, Any]:
        return result | {"other_data": result.get("other_data", {}) | {key: entry}}

    return Evaluation(update_result(run, change), entry, own=False)


def _on_own(
    run: Run, dataset: Dataset, invert: str, device: str, threads: int | None
) -> Evaluation:
    """On the test part of the data of its training."""
    if invert == "yes":
        raise RunError(f"{run.path}: invert is for other data than those of its training")
    if list(dataset.class_names) != run.data["class_names"]:
        raise RunError(f"{run.path}: data.json: class_names are not those of {dataset.name}")
    parts = recorded_parts(run.path, run.recipe, run.data, dataset)
    figures, predicted, probabilities = _measured(
        run, parts.test, device, threads, fitted=parts.val
    )
    with method_of(run.recipe.model).n_threads(threads):
        if by_epoch := accuracy_by_epoch(run, parts.test, device):
            figures["test_accuracy_by_epoch"] = by_epoch

    def change(result: dict[str, Any]) -> dict[str, Any]:
        path = run.path / "predictions.npz"
        _write_predictions(path, parts.test.labels, predicted, probabilities)
        return result | figures

    return Evaluation(update_result(run, change), figures, own=True)


def _measured(
    run: Run,
    part: Dataset,
    device: str,
    threads: int | None,
    fitted: dict[str, Any] | Dataset,
) -> tuple[dict[str, Any], NDArray[np.int64], NDArray[np.float64] | None]:
    """Figures, predictions (N,) and probabilities (N, K).

    fitted: temperature and threshold, or the validation part to fit them on.
    """
    classifier = run.classifier(device)
    with method_of(run.recipe.model).n_threads(threads):
        before_mb = machine.start_measuring_memory()
        start = time.perf_counter()
        predicted, probabilities = predictions(classifier, part.images)
        seconds = time.perf_counter() - start
        memory_mb = machine.peak_memory_mb() - before_mb
        new = _fitted(classifier, fitted) if isinstance(fitted, Dataset) else {}
    known = fitted if isinstance(fitted, dict) else new
    temperature, threshold = (known.get(name) for name in FITTED)
    figures = measure(part.labels, predicted, part.n_classes)
    measured = {
        "test_accuracy": figures.accuracy,
        "test_accuracy_ci": list(figures.accuracy_ci),
        "n_test": figures.n,
        "balanced_accuracy": figures.balanced_accuracy,
        "per_class_accuracy": list(figures.per_class_accuracy),
        **_scores(class_report(figures.confusion)),
        "macro_f1": figures.macro_f1,
        **_of_probabilities(part.labels, probabilities, temperature),
        "predict_time_s": seconds,
        "predict_time_per_image_s": seconds / figures.n,
        "predict_memory_mb": memory_mb,
    }
    if threshold is not None and probabilities is not None and part.n_classes == 2:
        measured |= threshold_figures(part.labels, probabilities, threshold)
    return measured | new, predicted, probabilities


def in_classes_of(run: Run, part: Dataset, name: str) -> Dataset:
    """Images with the class numbers of a run; RunError for one of a class it does not know."""
    known = {name: code for code, name in enumerate(run.data["class_names"])}
    occurring = [part.class_names[label] for label in np.unique(part.labels)]
    unknown = [class_name for class_name in occurring if class_name not in known]
    if unknown:
        named = ", ".join(map(repr, unknown[:MOST_NAMED]))
        more = f" and {len(unknown) - MOST_NAMED} more" if len(unknown) > MOST_NAMED else ""
        raise RunError(
            f"{run.path}: {name} has images of class {named}{more}, which the run was not trained "
            f"on; its classes are {', '.join(list(known)[:20])}"
        )
    codes = np.array([known.get(class_name, 0) for class_name in part.class_names])
    labels = codes[part.labels].astype(np.int64)
    return Dataset(part.name, part.images, labels, tuple(known))


def _check_shape(run: Run, part: Dataset) -> None:
    (height, width), (h, w) = part.images.shape[1:], run.data["image_shape"]
    if (height, width) != (h, w):
        raise RunError(
            f"{run.path}: {part.name}: images are {height}x{width}, but the run was trained on "
            f"{h}x{w}"
        )


def _unseen(run: Run, part: Dataset, on_note: Callable[[str], None]) -> Dataset:
    """The images that the run was neither trained on nor validated with; RunError for none."""
    seen = read_seen(run.path, run.data["n_train"], run.data["n_val"])
    if seen is None:
        try:
            dataset = dataset_of(run)
            seen = seen_in(recorded_parts(run.path, run.recipe, run.data, dataset))
        except MnistlabError as error:
            on_note(f"images that the run was trained on could not be left out: {error}")
            return part
    is_new = ~is_seen(part.images, seen)
    if not is_new.any():
        raise RunError(
            f"{run.path}: was trained on or validated with all {len(part):,} images of "
            f"{part.name}; evaluate it on others"
        )
    return part if is_new.all() else part.take(np.flatnonzero(is_new))


def differs_from_training(run: Run, border: Border) -> bool:
    """Whether images of that border are of the other polarity than those of the training."""
    record = run.data.get("border")
    if record is None:  # of a run from before 2026-12
        return False
    trained = Border(**{name: record[name] for name in asdict(border)})
    return polarity_differs(trained, border)


def polarity_text(name: str, is_inverted: bool) -> str:
    """The line that says so."""
    what = f"{name}: dark and bright are the other way round than in training"
    if is_inverted:
        return f"{what}; its images were inverted"
    return f"{what}; --invert auto (from Python: invert='auto') inverts the images"


def _scores(report: ClassReport) -> dict[str, Any]:
    return {
        "per_class_f1": [scores.f1 for scores in report.by_class],
        "macro_precision": report.macro.precision,
        "macro_recall": report.macro.recall,
    }


def _of_probabilities(
    labels: NDArray[np.int64],
    probabilities: NDArray[np.floating] | None,
    temperature: float | None,
) -> dict[str, float | None]:
    """What the probabilities (N, K) are worth, as they are and with a temperature."""
    names = ("top2_accuracy", "log_loss", "macro_auc", "ece", "log_loss_tempered", "ece_tempered")
    if probabilities is None:
        return dict.fromkeys(names)
    warm = None if temperature is None else tempered(probabilities, temperature)
    values = (
        top_k_accuracy(labels, probabilities, 2),
        log_loss(labels, probabilities),
        mean_area(one_against_rest(labels, probabilities)),
        reliability(labels, probabilities).ece,
        None if warm is None else log_loss(labels, warm),
        None if warm is None else reliability(labels, warm).ece,
    )
    return dict(zip(names, values, strict=True))


def _fitted(classifier: Any, validation: Dataset) -> dict[str, Any]:
    """Temperature, and of two classes the threshold; null where there is nothing to fit on."""
    if not hasattr(classifier, "predict_proba") or not len(validation):
        return {"temperature": None}
    probabilities = classifier.predict_proba(validation.images)
    fitted = {"temperature": fit_temperature(validation.labels, probabilities)}
    if validation.n_classes != 2:
        return fitted
    return fitted | threshold_record(validation, probabilities)


def _write_predictions(
    path: Path,
    labels: NDArray[np.int64],
    predicted: NDArray[np.int64],
    probabilities: NDArray[np.float64] | None,
) -> None:
    arrays: dict[str, NDArray[Any]] = {"labels": labels, "predicted": predicted}
    if probabilities is not None:
        arrays["probabilities"] = probabilities.astype(np.float32)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    atomic.write_bytes(path, buffer.getvalue())
