"""How a run fares where its test images are corrupted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mnistlab.classifiers.methods import method_of
from mnistlab.data import Dataset
from mnistlab.errors import RunError
from mnistlab.evaluation.corruptions import (
    CORRUPTIONS,
    SEVERITIES,
    corrupted,
    mean_corruption_error,
)
from mnistlab.runs.folder import Run, check_writable, dataset_of, test_part, update_result

SEED = 0  # every run meets the same corrupted images


def measure_robustness(
    run: Run,
    data: Dataset | None = None,
    *,
    device: str = "auto",
    threads: int | None = None,
    on_corruption: Callable[[str, list[float]], None] = lambda name, errors: None,
) -> Run:
    """Name the test part under every corruption and severity; the errors go into result.json.

    result["corruptions"]: for each corruption the share of images named wrongly at severities 1
    to 5. result["mean_corruption_error"]: their mean, every corruption alike. on_corruption: told
    of each when it is measured. Raises RunError for a run that was not evaluated, and for data
    it was not trained on.
    """
    if run.result["test_accuracy"] is None:
        raise RunError(f"{run.path}: has no test figures yet; see `mnistlab evaluate`")
    dataset = data if data is not None else dataset_of(run)
    if dataset.fingerprint != run.data["fingerprint"]:
        raise RunError(f"{run.path}: corruptions are measured on the data of its training alone")
    check_writable(run)
    part = test_part(run, dataset)
    classifier = run.classifier(device)
    errors: dict[str, list[float]] = {}
    with method_of(run.recipe.model).n_threads(threads):
        for name in CORRUPTIONS:
            errors[name] = [_error(classifier, part, name, severity) for severity in SEVERITIES]
            on_corruption(name, errors[name])
    measured = {"corruptions": errors, "mean_corruption_error": mean_corruption_error(errors)}
    return update_result(run, lambda result: result | measured)


def _error(classifier: Any, part: Dataset, name: str, severity: int) -> float:
    images = corrupted(part.images, name, severity, SEED)
    return 1 - float(classifier.score(images, part.labels))
