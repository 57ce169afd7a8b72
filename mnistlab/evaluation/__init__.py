"""Metrics with their uncertainty, for any classifier. Nothing here imports torch."""

from mnistlab.evaluation.differences import (
    MINUS,
    Difference,
    corrected,
    interval_text,
    mcnemar,
    on_same_images,
    over_seeds,
)
from mnistlab.evaluation.growth import power_law
from mnistlab.evaluation.intervals import (
    CONFIDENCE,
    fraction_interval,
    mean_interval,
    wilson_interval,
)
from mnistlab.evaluation.metrics import (
    Metrics,
    balanced_accuracy,
    largest_swing,
    macro_f1,
    measure,
)
from mnistlab.evaluation.mistakes import Confused, most_confident_mistakes, most_confused_pairs
from mnistlab.evaluation.probabilities import (
    Reliability,
    fit_temperature,
    log_loss,
    reliability,
    tempered,
    top_k_accuracy,
)
from mnistlab.evaluation.ranking import Roc, mean_area, one_against_rest
from mnistlab.evaluation.report import ClassReport, Scores, class_report
from mnistlab.evaluation.threshold import best_threshold

__all__ = [
    "CONFIDENCE",
    "MINUS",
    "ClassReport",
    "Confused",
    "Difference",
    "Metrics",
    "Reliability",
    "Roc",
    "Scores",
    "balanced_accuracy",
    "best_threshold",
    "class_report",
    "corrected",
    "fit_temperature",
    "fraction_interval",
    "interval_text",
    "largest_swing",
    "log_loss",
    "macro_f1",
    "mcnemar",
    "mean_area",
    "mean_interval",
    "measure",
    "most_confident_mistakes",
    "most_confused_pairs",
    "on_same_images",
    "one_against_rest",
    "over_seeds",
    "power_law",
    "reliability",
    "tempered",
    "top_k_accuracy",
    "wilson_interval",
]
