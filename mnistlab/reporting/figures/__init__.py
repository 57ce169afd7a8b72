"""Pictures of results: arrays in, `Figure` out. Importing this loads matplotlib."""

from mnistlab.reporting.figures.bars import accuracy_bars
from mnistlab.reporting.figures.confusion import confusion_matrix
from mnistlab.reporting.figures.curves import Curves, learning_curves
from mnistlab.reporting.figures.dots import accuracy_against_parameters, per_class_accuracy
from mnistlab.reporting.figures.embedding import embedding_map, variance_curve
from mnistlab.reporting.figures.grid import score_grid
from mnistlab.reporting.figures.growth import growth_curves, setting_curve
from mnistlab.reporting.figures.images import before_and_after, image_grid

__all__ = [
    "Curves",
    "accuracy_against_parameters",
    "accuracy_bars",
    "before_and_after",
    "confusion_matrix",
    "embedding_map",
    "growth_curves",
    "image_grid",
    "learning_curves",
    "per_class_accuracy",
    "score_grid",
    "setting_curve",
    "variance_curve",
]
