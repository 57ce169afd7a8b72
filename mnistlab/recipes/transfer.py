"""Write-up A's transfer learning (A13), its other backbones (A15), and one that pays on a CPU.

Two stages: the head alone, then the last blocks as well. While blocks are frozen what they make
of the images is computed once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mnistlab.phases import Phase
from mnistlab.recipe import Recipe

# Backbones as recipes call them.
SHORT = {
    "mobilenet_v2": "mobilenet",
    "resnet18": "resnet18",
    "efficientnet_b0": "efficientnet-b0",
    "efficientnet_lite0": "lite0",
}


def _two_stages(name: str, system: str, summary: str, unfrozen: int, **args: Any) -> Recipe:
    head = Phase("adam", learning_rate=1e-3, epochs=5, unfrozen=0)
    blocks = Phase("adam", learning_rate=1e-4, epochs=3, unfrozen=unfrozen)
    return Recipe(
        name=name,
        system=system,
        summary=summary,
        model="transfer",
        model_args=args,
        data="fashion-mnist",
        scaling="min-max",
        phases=(head, blocks),
        precision="float32",  # in bfloat16 the gradients of depthwise convolutions take longer
    )


def transfer_mobilenet() -> Recipe:
    """A13 as published: a learned 1x1 convolution in front, then the last three blocks."""
    return _two_stages(
        "transfer-mobilenet",
        "A13",
        "MobileNetV2 of ImageNet, head first, then its last three blocks",
        unfrozen=3,
        backbone="mobilenet_v2",
        channels="learned",
    )


def _backbone(name: str, summary: str, unfrozen: int) -> Callable[[], Recipe]:
    return lambda: _two_stages(
        f"transfer-{SHORT[name]}",
        "A15",
        f"{summary} of ImageNet at 64 x 64, head first, then its last blocks",
        unfrozen,
        backbone=name,
        input_size=64,
    )


def transfer_lite0() -> Recipe:
    """EfficientNet-Lite0 at 96 x 96, whose weights come with the extra `transfer`, in two stages.

    What was tried on validation is in decision 0008.
    """
    head = Phase("adamw", learning_rate=3e-3, epochs=8, schedule="cosine", unfrozen=0)
    blocks = Phase(
        "adamw",
        learning_rate=1e-3,
        epochs=8,
        schedule="one-cycle",
        weight_decay=0.05,
        unfrozen=5,
        block_decay=0.8,
    )
    return replace(
        _two_stages(
            "transfer-lite0",
            "A15",
            "EfficientNet-Lite0 of ImageNet at 96 x 96, head first, then its last five blocks",
            unfrozen=5,
            backbone="efficientnet_lite0",
            input_size=96,
        ),
        phases=(head, blocks),
        expect={"fashion-mnist": (0.926, 0.938)},
    )


TRANSFER: dict[str, Callable[[], Recipe]] = {
    "transfer-mobilenet": transfer_mobilenet,
    "transfer-resnet18": _backbone("resnet18", "ResNet-18", 2),
    "transfer-efficientnet-b0": _backbone("efficientnet_b0", "EfficientNet-B0", 3),
    "transfer-lite0": transfer_lite0,
}
