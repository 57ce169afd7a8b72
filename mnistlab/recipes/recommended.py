"""The recommended recipe, for any small images; its settings were chosen on validation.

A small residual network. Its learning rate rises and falls once, its training images are moved by
up to a fourteenth of their sides, and a moving average of its weights is what is saved.
"""

from __future__ import annotations

from mnistlab.phases import Phase
from mnistlab.recipe import Recipe


def resnet_small() -> Recipe:
    """Start here: `mnistlab train --data my-images/`.

    Images are not mirrored, because mirrored letters are other letters. Classes have equal weight
    in the loss, however few images they have.
    """
    return Recipe(
        name="resnet-small",
        system="-",
        expect={"mnist": (0.989, 0.9935), "fashion-mnist": (0.919, 0.932)},
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
                monitor="loss",  # with thirty images, many epochs are equally accurate
                min_steps=400,  # the average spans some 33 steps and must forget the first weights
            ),
        ),
    )
