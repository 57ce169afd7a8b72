"""Figures with their uncertainty, for any classifier. Nothing here imports torch."""

from mnistlab.evaluation.growth import power_law
from mnistlab.evaluation.intervals import mean_interval, wilson_interval
from mnistlab.evaluation.metrics import Figures, largest_swing, measure
from mnistlab.evaluation.report import ClassReport, Scores, class_report

__all__ = [
    "ClassReport",
    "Figures",
    "Scores",
    "class_report",
    "largest_swing",
    "mean_interval",
    "measure",
    "power_law",
    "wilson_interval",
]
