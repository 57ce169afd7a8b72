"""The metrics of a run on one set of test images, by their names in result.json."""

from __future__ import annotations

from typing import Required, TypedDict

import numpy as np
from numpy.typing import NDArray

from mnistlab.data import Dataset, Split
from mnistlab.evaluation import (
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
from mnistlab.runs.predictions import by_threshold, threshold_record
from mnistlab.runs.seen import are_copies


class Fitted(TypedDict, total=False):
    """What is chosen on the validation images; the threshold only for two classes."""

    temperature: float | None
    threshold: float | None
    threshold_class: str | None


class Metrics(Fitted, total=False):
    """Metrics of one set of test images. Runs of older versions have fewer of them.

    Null are per-class metrics of a class without images, metrics of probabilities where the
    classifier gives none, tempered ones without a temperature, and macro_auc where no class has
    a curve. n_test_in_training and test_accuracy_without_copies are there only where test images
    are copies of training images; the accuracy is null where all of them are.
    """

    test_accuracy: Required[float]
    test_accuracy_ci: Required[list[float]]
    n_test: Required[int]
    balanced_accuracy: float
    per_class_accuracy: Required[list[float | None]]
    per_class_f1: list[float | None]
    macro_precision: float | None
    macro_recall: float | None
    macro_f1: float
    top2_accuracy: float | None
    log_loss: float | None
    macro_auc: float | None
    ece: float | None
    log_loss_tempered: float | None
    ece_tempered: float | None
    predict_time_s: float
    predict_time_per_image_s: float
    predict_memory_mb: float
    accuracy_at_threshold: float
    balanced_accuracy_at_threshold: float
    macro_f1_at_threshold: float
    test_accuracy_by_epoch: dict[str, float]
    n_test_in_training: int
    n_test_in_validation: int
    test_accuracy_without_copies: float | None


def metrics_of(
    test: Dataset,
    predicted: NDArray[np.int64],
    probabilities: NDArray[np.float64] | None,
    fitted: Fitted,
    cost: tuple[float, float],
) -> Metrics:
    """The metrics of predicted (N,) and probabilities (N, K) on N test images.

    cost: seconds and megabytes that predicting them took.
    """
    seconds, memory_mb = cost
    measured = measure(test.labels, predicted, test.n_classes)
    report = class_report(measured.confusion)
    metrics: Metrics = {
        "test_accuracy": measured.accuracy,
        "test_accuracy_ci": list(measured.accuracy_ci),
        "n_test": measured.n,
        "balanced_accuracy": measured.balanced_accuracy,
        "per_class_accuracy": list(measured.per_class_accuracy),
        "per_class_f1": [scores.f1 for scores in report.by_class],
        "macro_precision": report.macro.precision,
        "macro_recall": report.macro.recall,
        "macro_f1": measured.macro_f1,
        "top2_accuracy": None,
        "log_loss": None,
        "macro_auc": None,
        "ece": None,
        "log_loss_tempered": None,
        "ece_tempered": None,
        "predict_time_s": seconds,
        "predict_time_per_image_s": seconds / measured.n,
        "predict_memory_mb": memory_mb,
    }
    if probabilities is not None:
        _judge(metrics, test, probabilities, fitted)
    return metrics


def _judge(
    metrics: Metrics, test: Dataset, probabilities: NDArray[np.float64], fitted: Fitted
) -> None:
    """Set the metrics of the probabilities (N, K)."""
    metrics["top2_accuracy"] = top_k_accuracy(test.labels, probabilities, 2)
    metrics["log_loss"] = log_loss(test.labels, probabilities)
    metrics["macro_auc"] = mean_area(one_against_rest(test.labels, probabilities))
    metrics["ece"] = reliability(test.labels, probabilities).ece
    if (temperature := fitted.get("temperature")) is not None:
        at_temperature = tempered(probabilities, temperature)
        metrics["log_loss_tempered"] = log_loss(test.labels, at_temperature)
        metrics["ece_tempered"] = reliability(test.labels, at_temperature).ece
    if (threshold := fitted.get("threshold")) is not None and test.n_classes == 2:
        cut = measure(test.labels, by_threshold(probabilities, threshold), 2)
        metrics["accuracy_at_threshold"] = cut.accuracy
        metrics["balanced_accuracy_at_threshold"] = cut.balanced_accuracy
        metrics["macro_f1_at_threshold"] = cut.macro_f1


def without_copies(
    test: Dataset, predicted: NDArray[np.int64], parts: Split
) -> dict[str, int | float | None]:
    """The accuracy on test images that are in no other part as well; {} where all are such.

    An image that is in both other parts counts as one of the training part.
    """
    in_train = are_copies(test.images, parts.train.images)
    in_val = are_copies(test.images, parts.val.images) & ~in_train
    is_copy = in_train | in_val
    if not is_copy.any():
        return {}
    right = (predicted == test.labels)[~is_copy]
    return {
        "n_test_in_training": int(in_train.sum()),
        "n_test_in_validation": int(in_val.sum()),
        "test_accuracy_without_copies": float(right.mean()) if len(right) else None,
    }


def fitted_on(val: Dataset, probabilities: NDArray[np.float64]) -> Fitted:
    """Temperature and, for two classes, threshold, by probabilities (N, K) of validation images."""
    fitted: Fitted = {"temperature": fit_temperature(val.labels, probabilities)}
    if val.n_classes == 2:
        chosen = threshold_record(val, probabilities)
        fitted["threshold"] = chosen["threshold"]
        fitted["threshold_class"] = chosen["threshold_class"]
    return fitted
