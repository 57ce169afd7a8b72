"""Pictures of results: arrays in, `Figure` out. Importing this loads matplotlib.

Each function declares a drawing (`canvas.figure`) with one of the kits: `charts` (axes and rows),
`tiles` (images), `matrix` (shaded cells). To add a figure, declare it in the file of its subject.
"""

from mnistlab.reporting.figures.classes import (
    class_gallery,
    class_moments,
)
from mnistlab.reporting.figures.curves import (
    learning_curves,
    step_losses_figure,
    validation_losses,
)
from mnistlab.reporting.figures.growth import (
    growth_curves,
    setting_curve,
    severity_curves,
)
from mnistlab.reporting.figures.images import (
    alike_pairs,
    before_and_after,
    image_grid,
    percent_text,
    predicted_grid,
    views_row,
)
from mnistlab.reporting.figures.lines import (
    Curves,
    in_words,
)
from mnistlab.reporting.figures.matrix import (
    confusion_matrix,
    score_grid,
)
from mnistlab.reporting.figures.pies import (
    pie,
)
from mnistlab.reporting.figures.probabilities import (
    grey_levels,
    reliability_diagram,
    roc_curves,
)
from mnistlab.reporting.figures.rates import (
    falls_below,
    learning_rates,
    rates_differ,
)
from mnistlab.reporting.figures.rows import (
    Row,
    accuracy_bars,
    black_pixels,
    class_balance,
    differences,
    per_class_accuracy,
)
from mnistlab.reporting.figures.scatter import (
    accuracy_against_parameters,
    embedding_map,
    variance_curve,
)
from mnistlab.reporting.figures.search import (
    importance_bars,
    parallel_coordinates,
    search_history,
    slices,
)
from mnistlab.reporting.figures.settings import (
    Axis,
)

__all__ = [
    "Axis",
    "Curves",
    "Row",
    "accuracy_against_parameters",
    "accuracy_bars",
    "alike_pairs",
    "before_and_after",
    "black_pixels",
    "class_balance",
    "class_gallery",
    "class_moments",
    "confusion_matrix",
    "differences",
    "embedding_map",
    "falls_below",
    "grey_levels",
    "growth_curves",
    "image_grid",
    "importance_bars",
    "in_words",
    "learning_curves",
    "learning_rates",
    "parallel_coordinates",
    "per_class_accuracy",
    "percent_text",
    "pie",
    "predicted_grid",
    "rates_differ",
    "reliability_diagram",
    "roc_curves",
    "score_grid",
    "search_history",
    "setting_curve",
    "severity_curves",
    "slices",
    "step_losses_figure",
    "validation_losses",
    "variance_curve",
    "views_row",
]
