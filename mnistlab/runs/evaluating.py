"""Measuring a run on test images; the only way to them.

Of data other than those of its training, images that the run has seen are left out, whichever file
they lie in, and labels are matched by the names of their classes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack, cast

import numpy as np
from numpy.typing import NDArray

from mnistlab import machine
from mnistlab.classifiers.methods import Classifier, method_of
from mnistlab.data import Dataset
from mnistlab.data.notes import note
from mnistlab.data.polarity import check_invert
from mnistlab.errors import RunError
from mnistlab.runs.as_trained import load_as_trained
from mnistlab.runs.evaluations import Evaluation, predicted_before, write_predictions
from mnistlab.runs.execution import Execution, ExecutionOptions, execution_of
from mnistlab.runs.folder import Run, check_writable, opened, update_result
from mnistlab.runs.metrics import Fitted, Metrics, fitted_on, metrics_of, without_copies
from mnistlab.runs.other_data import (
    OTHER_WAY_ROUND,
    are_inverted,
    in_classes_of,
    must_invert,
    without_seen,
)
from mnistlab.runs.predictions import predictions
from mnistlab.runs.run_data import dataset_of, found_elsewhere, recorded_parts, test_part
from mnistlab.runs.snapshots import accuracy_by_epoch

Note = Callable[[str], None]


def evaluate(
    run: Run | Path | str,
    data: Dataset | Path | str | None = None,
    *,
    invert: str = "no",
    on_note: Note = note,
    **options: Unpack[ExecutionOptions],
) -> Run:
    """Measure a run on test images it was never trained on; the metrics go into result.json.

    On the data of its training: the test part of the split it was trained with, by the weights of
    earlier epochs too where its recipe has them saved; a temperature for its probabilities is then
    fitted on the validation part, and null where there is none. A run whose data are no longer
    where they were remembers where they are now. On other data: the test part they
    came with, or else every image, but for those that the run was trained on or validated with;
    an entry of result["other_data"] of its own for every data set, by name and content. They may
    lack classes, whose metrics are null. Metrics of probabilities are null for a classifier that
    has none, and the area under a curve where a class is missing.
    invert: images of the other polarity (a dark border where training had a bright one) are
    reported by on_note, a line; other data are then inverted by "auto", and by "yes" in any case,
    while a test part is always measured as it is. Of the options, device and threads count. Raises
    DataError or RunError where data and run do not fit, and where no image is left.
    """
    return evaluation(run, data, invert=invert, on_note=on_note, **options).run


def evaluation(
    run: Run | Path | str,
    data: Dataset | Path | str | None = None,
    *,
    invert: str = "no",
    on_note: Note = note,
    **options: Unpack[ExecutionOptions],
) -> Evaluation:
    """As `evaluate`, with everything that was measured."""
    check_invert(invert)
    execution = execution_of(options)
    run = opened(run)
    if data is None:
        dataset = dataset_of(run)
    else:
        dataset = data if isinstance(data, Dataset) else load_as_trained([run], data)
    check_writable(run)
    with method_of(run.recipe.model).n_threads(execution.threads):
        if dataset.fingerprint != run.data["fingerprint"]:
            return _on_other_data(run, dataset, invert, on_note, execution)
        if invert == "yes":
            raise RunError(f"{run.path}: invert is for other data than those of its training")
        return _on_own_data(found_elsewhere(run, dataset), dataset, on_note, execution)


def _on_own_data(run: Run, dataset: Dataset, on_note: Note, execution: Execution) -> Evaluation:
    """On the test part of the data of its training."""
    if list(dataset.class_names) != run.data["class_names"]:
        raise RunError(f"{run.path}: data.json: class_names are not those of {dataset.name}")
    parts = recorded_parts(run.path, run.recipe, run.data, dataset)
    classifier: Classifier = run.classifier(execution.device, to_predict=True)
    test = parts.test
    if are_inverted(run, test.images):
        on_note(
            f"the test images of {dataset.name}: {OTHER_WAY_ROUND}; they are measured as they are"
        )
    predicted, probabilities, cost = _predict(classifier, test.images)
    before = predicted_before(run, classifier, test, execution.device)
    fitted: Fitted = {"temperature": None}
    if len(parts.val) and hasattr(classifier, "predict_proba"):
        fitted = fitted_on(parts.val, classifier.predict_proba(parts.val.images))
    metrics = metrics_of(test, predicted, probabilities, fitted, cost)
    metrics |= cast(Metrics, fitted)
    if not dataset.is_published:
        metrics |= cast(Metrics, without_copies(test, predicted, parts))
    if by_epoch := accuracy_by_epoch(run, test, classifier):  # last: it changes the weights
        metrics["test_accuracy_by_epoch"] = by_epoch
    found = Evaluation(run, metrics, test, parts.train, predicted, probabilities, before)

    def change(result: dict[str, Any]) -> dict[str, Any]:
        write_predictions(found)
        return result | metrics

    return replace(found, run=update_result(run, change))


def _on_other_data(
    run: Run, dataset: Dataset, invert: str, on_note: Note, execution: Execution
) -> Evaluation:
    given = in_classes_of(run, test_part(run, dataset))
    if len(given) < len(dataset):
        on_note(
            f"{dataset.name} came in parts: measured on its test part of {len(given):,} images, "
            f"not on the other {len(dataset) - len(given):,}"
        )
    test = without_seen(run, given, on_note)
    is_inverted = must_invert(run, test.images, dataset.name, invert, on_note)
    if is_inverted:
        test = replace(test, images=255 - test.images)
    known = cast(Fitted, {name: run.result.get(name) for name in ("temperature", "threshold")})
    predicted, probabilities, cost = _predict(
        run.classifier(execution.device, to_predict=True), test.images
    )
    metrics, n_left_out = (
        metrics_of(test, predicted, probabilities, known, cost),
        len(given) - len(test),
    )
    key = f"{dataset.name}-{dataset.fingerprint[:8]}{'-inverted' if is_inverted else ''}"
    entry = {
        "name": dataset.name,
        "path": dataset.source.get("name_or_path"),
        "fingerprint": dataset.fingerprint,
        "n_left_out": n_left_out,
        "inverted": is_inverted,
        **metrics,
    }

    def change(result: dict[str, Any]) -> dict[str, Any]:
        return result | {"other_data": result.get("other_data", {}) | {key: entry}}

    return Evaluation(
        update_result(run, change),
        metrics,
        test,
        None,
        predicted,
        probabilities,
        n_left_out=n_left_out,
    )


def _predict(
    classifier: Classifier, images: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.float64] | None, tuple[float, float]]:
    """Class numbers (N,), probabilities (N, K), and the seconds and megabytes they took."""
    before_mb, start = machine.start_measuring_memory(), time.perf_counter()
    predicted, probabilities = predictions(classifier, images)
    seconds = time.perf_counter() - start
    return predicted, probabilities, (seconds, machine.peak_memory_mb() - before_mb)
