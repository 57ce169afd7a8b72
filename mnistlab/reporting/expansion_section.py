"""One training image in all views that the recipe's expansion makes of it (write-up C's figure)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mnistlab.recipe import Recipe
from mnistlab.reporting.figures.images import views_row
from mnistlab.reporting.page import Section
from mnistlab.runs import Evaluation


def expansion_sections(evaluation: Evaluation) -> tuple[Section, ...]:
    """The first image of the training part in all views; nothing without an expansion."""
    recipe, train = evaluation.run.recipe, evaluation.train
    if train is None or recipe.expansion is None:
        return ()
    from mnistlab.training.fixed_views import VIEW_NAMES  # loads torch

    if recipe.expansion not in VIEW_NAMES:  # one that is gone
        return ()
    names, views = VIEW_NAMES[recipe.expansion], views_of_image(recipe, train.images[0])
    height, width = views.shape[1:]
    of_class = train.class_names[train.labels[0]]
    figure = views_row(
        views,
        names,
        alt=f"An image of class {of_class}, {height} by {width} pixels, in {len(names)} views: "
        f"{', '.join(names)}.",
        caption=f"The first image of the training part, of class {of_class}, as the network is "
        f"shown it, {height} by {width} pixels. Each of its {len(train):,} images becomes "
        f"{len(names)} such images, {len(names) * len(train):,} in all.",
    )
    return (Section("The training images in every view", figures=(figure,)),)


def views_of_image(recipe: Recipe, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An image (H, W), padded as the recipe pads, in all views of its expansion: (V, H', W')."""
    import torch

    from mnistlab.classifiers.inputs import margins
    from mnistlab.training.fixed_views import expanded, expansion_of

    height, width = image.shape
    padded = np.pad(image, margins((height, width), recipe.pad_to))
    X = torch.from_numpy(padded)[None, None]  # (1, 1, H', W')
    return np.asarray(expanded(X, expansion_of(recipe.expansion))[:, 0].numpy())
