"""Figures with their uncertainty, for any classifier. Nothing here imports torch."""

from mnistlab.evaluation.intervals import mean_interval, wilson_interval
from mnistlab.evaluation.metrics import Figures, largest_swing, measure

__all__ = ["Figures", "largest_swing", "mean_interval", "measure", "wilson_interval"]
