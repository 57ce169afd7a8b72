"""Measuring a run on test images; the only way to them."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistlab import atomic, machine
from mnistlab.classifiers.methods import method_of
from mnistlab.data import Dataset, load, split
from mnistlab.errors import RunError
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
from mnistlab.run.folder import Run, dataset_of, open_run


def evaluate(
    run: Run,
    data: Dataset | str | None = None,
    *,
    device: str = "auto",
    threads: int | None = None,
) -> Run:
    """Measure a run on test images it was never trained on; the figures go into result.json.

    On the data of its training: the test part of the split it was trained with; a temperature
    for its probabilities is then fitted on the validation part. On other data: its official
    test part, or else every image, under result["other_data"]. Figures of probabilities are
    null for a classifier that has none, and the area under a curve where a class is missing.
    Raises DataError or RunError where data and run do not fit.
    """
    dataset = load(data) if isinstance(data, str) else data or dataset_of(run)
    own = dataset.fingerprint == run.data["fingerprint"]
    if list(dataset.class_names) != run.data["class_names"]:
        raise RunError(f"{run.path}: trained on other classes than those of {dataset.name}")
    part = test_part(run, dataset)
    classifier = run.classifier(device)
    with method_of(run.recipe.model).n_threads(threads):
        before_mb = machine.start_measuring_memory()
        start = time.perf_counter()
        try:
            predicted, probabilities = _named(classifier, part.images)
        except ValueError as error:
            raise RunError(f"{run.path}: {dataset.name}: {error}") from error
        seconds = time.perf_counter() - start
        memory_mb = machine.peak_memory_mb() - before_mb
        if own and probabilities is not None:
            temperature = _temperature(classifier, split(dataset, run.data["split"]).val)
        else:
            temperature = run.result.get("temperature")
    figures = measure(part.labels, predicted, dataset.n_classes)
    measured = {
        "test_accuracy": figures.accuracy,
        "test_accuracy_ci": list(figures.accuracy_ci),
        "n_test": figures.n,
        "per_class_accuracy": list(figures.per_class_accuracy),
        **_scores(class_report(figures.confusion)),
        **_of_probabilities(part.labels, probabilities, temperature),
        "predict_time_s": seconds,
        "predict_time_per_image_s": seconds / figures.n,
        "predict_memory_mb": memory_mb,
    }
    result = dict(run.result)
    if own:
        measured["temperature"] = temperature
        result |= measured
        _write_predictions(run.path / "predictions.npz", part.labels, predicted, probabilities)
    else:
        others = dict(result.get("other_data", {}))
        result["other_data"] = others | {dataset.name: measured}
    atomic.write_json(run.path / "result.json", result)
    return open_run(run.path)


def test_part(run: Run, dataset: Dataset) -> Dataset:
    """The images of `dataset` on which `evaluate` measures the run."""
    if dataset.fingerprint == run.data["fingerprint"]:
        return split(dataset, run.data["split"]).test
    if dataset.n_official_train is not None:
        return split(dataset, "official").test
    return dataset


def _scores(report: ClassReport) -> dict[str, Any]:
    return {
        "per_class_f1": [scores.f1 for scores in report.by_class],
        "macro_precision": report.macro.precision,
        "macro_recall": report.macro.recall,
        "macro_f1": report.macro.f1,
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


def _temperature(classifier: Any, validation: Dataset) -> float | None:
    """Fitted on the validation part; None where there is none."""
    if not len(validation):
        return None
    return fit_temperature(validation.labels, classifier.predict_proba(validation.images))


def _named(
    classifier: Any, images: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.float64] | None]:
    """Class numbers (N,), and probabilities (N, K) of a classifier that knows them."""
    if not hasattr(classifier, "predict_proba"):  # an SVM that is not calibrated
        return classifier.predict(images), None
    probabilities = classifier.predict_proba(images)
    return classifier.classes_[probabilities.argmax(1)], probabilities


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
