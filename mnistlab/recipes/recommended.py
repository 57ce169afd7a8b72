"""Where to start: the recipe for images nobody knows yet, chosen on validation.

A small residual network whose rate rises and falls once, on images moved by up to a fourteenth of
their sides, judged by a moving average of its weights. Of few images more epochs.
"""

from __future__ import annotations

from mnistlab.phases import Phase
from mnistlab.recipe import Recipe


def resnet_small() -> Recipe:
    """Start here: `mnistlab train --data my-images/`. Nothing is mirrored, which letters forbid.

    Classes weigh alike, which changes nothing where they are of one size. The epoch is that of the
    least validation loss: of thirty images many epochs are equally accurate. min_steps: however
    few images there are, so that the moving average, of some 33 steps, forgets where it began.
    """
    return Recipe(
        name="resnet-small",
        system="-",
        summary="residual network 32-64-128, any images of 8 to 64 pixels",
        model="residual",
        model_args={"channels": (32, 64, 128), "blocks": (0, 1, 1)},
        augmentation={"translation": 0.07},
        class_weight="balanced",
        phases=(
            Phase(
                "adamw",
                learning_rate=5e-3,
                epochs=10,
                schedule="one-cycle",
                weight_decay=0.3,
                label_smoothing=0.1,
                ema_decay=0.97,
                monitor="loss",
                min_steps=400,
            ),
        ),
    )
