"""The network of a run as it was before its first training step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mnistlab.classifiers.methods import Classifier
from mnistlab.runs.building import classifier_of
from mnistlab.runs.folder import Run

SCALING = ("0.shift", "0.scale")  # of `arrays`: fitted on the training images, never trained


def has_untrained(run: Run) -> bool:
    """Whether the run is a network that began with weights drawn from its seed.

    A pretrained one began with weights from elsewhere, which may be gone.
    """
    return bool(run.log) and run.result.get("weights", "none") == "none"


def untrained(run: Run, trained: Classifier, device: str = "auto") -> Classifier:
    """The network with its first weights, drawn again from the recipe's seed, and its scaling."""
    if hasattr(trained, "untrained"):  # one of torch that was loaded to predict
        network: Classifier = trained.untrained(run.recipe.seed)
        return network
    # Older recipes name expansions and augmentations that no longer exist; no weight needs them.
    recipe = replace(run.recipe, phases=(), expansion=None, augmentation={})
    n_classes, (height, width) = len(run.data["class_names"]), run.data["image_shape"]
    labels, blank = np.arange(n_classes), np.zeros((n_classes, height, width), np.uint8)
    first = classifier_of(recipe, device).fit(blank, labels, blank[:0], labels[:0])
    arrays = first.arrays() | {name: trained.arrays()[name] for name in SCALING}
    restored: Classifier = first.restore(first.classes_.tolist(), (height, width), arrays)
    return restored
