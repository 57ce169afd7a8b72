"""How often a run predicts wrongly when its test images are corrupted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Unpack

from mnistlab.classifiers.methods import method_of
from mnistlab.data import Dataset
from mnistlab.errors import RunError
from mnistlab.evaluation.corruptions import (
    CORRUPTIONS,
    SEVERITIES,
    corrupted,
    mean_corruption_error,
)
from mnistlab.runs.evaluations import Evaluation, read_evaluation
from mnistlab.runs.execution import Execution, ExecutionOptions, execution_of
from mnistlab.runs.folder import Run, check_writable, update_result

SEED = 0  # every run meets the same corrupted images

OnCorruption = Callable[[str, list[float]], None]


def measure_robustness(
    run: Run,
    data: Dataset | None = None,
    *,
    on_corruption: OnCorruption = lambda name, errors: None,
    **options: Unpack[ExecutionOptions],
) -> Run:
    """Predict the test part under every corruption and severity; the errors go into result.json.

    result["corruptions"]: for each corruption the fraction of images predicted wrongly at
    severities 1 to 5. result["mean_corruption_error"]: their mean, every corruption alike.
    on_corruption: called with each when it is measured. Of the options, device and threads count.
    Raises RunError for a run that was not evaluated, and for data it was not trained on.
    """
    return with_corruptions(read_evaluation(run, data), execution_of(options), on_corruption).run


def with_corruptions(
    evaluation: Evaluation, execution: Execution, on_corruption: OnCorruption
) -> Evaluation:
    """The evaluation of a run on its own test part, with the errors under corruptions."""
    run, test = evaluation.run, evaluation.test
    if not evaluation.is_own:
        raise RunError(f"{run.path}: corruptions are measured on the data of its training alone")
    check_writable(run)
    classifier = run.classifier(execution.device)
    errors: dict[str, list[float]] = {}
    with method_of(run.recipe.model).n_threads(execution.threads):
        for name in CORRUPTIONS:
            images = (corrupted(test.images, name, severity, SEED) for severity in SEVERITIES)
            errors[name] = [1 - float(classifier.score(each, test.labels)) for each in images]
            on_corruption(name, errors[name])
    measured = {"corruptions": errors, "mean_corruption_error": mean_corruption_error(errors)}
    return replace(evaluation, run=update_result(run, lambda result: result | measured))
