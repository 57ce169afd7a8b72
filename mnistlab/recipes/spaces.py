"""Search spaces: what `mnistlab tune` may change in a recipe.

A recipe has the space of its name in SPACES, otherwise that of its model in BY_MODEL. Fields are
named as for `--set`. To add a space, write it and name it in SPACES.
"""

from __future__ import annotations

from mnistlab.recipe import Recipe
from mnistlab.space import Choice, Layers, Range, Space

RATE = Range(1e-4, 1.0, logarithmic=True)
DECAY = Range(1e-6, 1e-2, logarithmic=True)
DROPOUT = Range(0.0, 0.5)

# D3 tunes the number of hidden layers, their widths, learning rate and weight decay; the rest is
# ours.
DENSE = Space(
    {
        "hidden_sizes": Layers(1, 3, Range(64, 768, logarithmic=True)),
        "learning_rate": RATE,
        "weight_decay": DECAY,
        "dropout": DROPOUT,
        "batch_norm": Choice((False, True)),
    }
)
CONVOLUTIONAL = Space(
    {
        "channels": Choice(((16, 32), (32, 64), (64, 128))),
        "learning_rate": Range(3e-4, 3e-2, logarithmic=True),
        "weight_decay": DECAY,
        "dropout": DROPOUT,
        "augmentation.shift": Range(0, 3),
        "schedule": Choice(("constant", "cosine", "one-cycle")),
    }
)
RESIDUAL = Space(
    {
        "channels": Choice(((16, 32, 64), (32, 64, 128), (48, 96, 192))),
        "learning_rate": Range(3e-4, 3e-2, logarithmic=True),
        "weight_decay": Range(1e-3, 0.3, logarithmic=True),
        "dropout": DROPOUT,
        "augmentation.translation": Range(0.0, 0.15),
        "label_smoothing": Range(0.0, 0.2),
    }
)
# A6's grid as a region; `--sampler grid --space FILE` tries a grid of your own.
SUPPORT_VECTORS = Space(
    {
        "C": Range(0.1, 100.0, logarithmic=True),
        "gamma": Range(1e-3, 0.1, logarithmic=True),
    }
)
TRANSFER = Space(
    {
        "phases.0.learning_rate": Range(3e-4, 3e-2, logarithmic=True),
        "phases.1.learning_rate": Range(3e-5, 3e-3, logarithmic=True),
        "phases.1.unfrozen": Range(1, 8),
        "phases.1.weight_decay": Range(1e-4, 0.1, logarithmic=True),
    }
)
OF_PHASES = Space({"learning_rate": RATE, "weight_decay": DECAY})

SPACES: dict[str, Space] = {
    "layered-mlp": DENSE,
}
BY_MODEL: dict[str, Space] = {
    "scratch": DENSE,
    "mlp": DENSE,
    "cnn": CONVOLUTIONAL,
    "residual": RESIDUAL,
    "svm": SUPPORT_VECTORS,
    "transfer": TRANSFER,
}


def space_of(recipe: Recipe) -> Space:
    """The recipe's own space, or its model's; learning rate and weight decay where it has none."""
    return SPACES.get(recipe.name, BY_MODEL.get(recipe.model, OF_PHASES))
