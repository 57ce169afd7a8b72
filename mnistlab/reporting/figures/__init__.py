"""Pictures of results: arrays in, `Figure` out. Importing this loads matplotlib."""

from mnistlab.reporting.figures.axis import Axis
from mnistlab.reporting.figures.balance import class_balance
from mnistlab.reporting.figures.bars import accuracy_bars
from mnistlab.reporting.figures.classes import class_gallery, class_moments
from mnistlab.reporting.figures.confusion import confusion_matrix
from mnistlab.reporting.figures.curves import learning_curves
from mnistlab.reporting.figures.dots import accuracy_against_parameters, per_class_accuracy
from mnistlab.reporting.figures.embedding import embedding_map, variance_curve
from mnistlab.reporting.figures.grid import score_grid
from mnistlab.reporting.figures.growth import growth_curves, setting_curve
from mnistlab.reporting.figures.images import before_and_after, image_grid
from mnistlab.reporting.figures.levels import black_pixels, grey_levels
from mnistlab.reporting.figures.lines import Curves
from mnistlab.reporting.figures.losses import validation_losses
from mnistlab.reporting.figures.pairs import alike_pairs
from mnistlab.reporting.figures.parallel import parallel_coordinates, slices
from mnistlab.reporting.figures.pies import pie
from mnistlab.reporting.figures.probabilities import reliability_diagram, roc_curves
from mnistlab.reporting.figures.rates import falls_below, learning_rates, rates_differ
from mnistlab.reporting.figures.search import importance_bars, search_history
from mnistlab.reporting.figures.severity import severity_curves

__all__ = [
    "Axis",
    "Curves",
    "accuracy_against_parameters",
    "accuracy_bars",
    "alike_pairs",
    "before_and_after",
    "black_pixels",
    "class_balance",
    "class_gallery",
    "class_moments",
    "confusion_matrix",
    "embedding_map",
    "falls_below",
    "grey_levels",
    "growth_curves",
    "image_grid",
    "importance_bars",
    "learning_curves",
    "learning_rates",
    "parallel_coordinates",
    "per_class_accuracy",
    "pie",
    "rates_differ",
    "reliability_diagram",
    "roc_curves",
    "score_grid",
    "search_history",
    "setting_curve",
    "severity_curves",
    "slices",
    "validation_losses",
    "variance_curve",
]
