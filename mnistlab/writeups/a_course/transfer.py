"""Write-up A, rows A13 and A14: transfer learning, and from how many images on it pays.

Row A15's other backbones are here as well. Two stages: the head alone, then the last blocks too.
While blocks are frozen, their output is computed once per image and cached.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from mnistlab import Arm, ArmResult, Difference, Phase, Recipe, Study, wording

# Number of training images (None: all) and of epochs: small sets are trained for more.
EPOCHS: dict[int | None, int] = {100: 40, 1000: 30, 10_000: 8, None: 3}
N_VAL = 1000  # validation images of small sets; with more, validation takes longer than training
SIDE = 64
SMALL = "simple-cnn"
# Arms on all images whose test accuracy is measured after every epoch, as the write-up draws it.
# The epochs are fixed here, before training; test accuracies choose nothing.
BY_EPOCH = (SMALL, "two-stage")
OTHERS = {  # torchvision's name: the recipe's
    "mobilenet_v2": "mobilenet",
    "resnet18": "resnet18",
    "efficientnet_b0": "efficientnet-b0",
}
N_OF_OTHERS, EPOCHS_OF_OTHERS = 1000, 10
N_OF_FEW = 1000


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
        f"transfer-{OTHERS[name]}",
        "A15",
        f"{summary} of ImageNet at 64 x 64, head first, then its last blocks",
        unfrozen,
        backbone=name,
        input_size=64,
    )


def transfer_lite0() -> Recipe:
    """EfficientNet-Lite0 at 96 x 96, whose weights come with the extra `transfer`, in two stages.

    Decision 0008 lists what was tried on validation.
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


def transfer_study() -> Study:
    """A14. `mnistlab study transfer --data fashion-mnist`."""
    return Study(
        name="transfer",
        system="A14",
        question="Is a network pretrained on photographs better on small grey images than one "
        "trained from scratch, and up to how many training images?",
        arms=(
            *(_of_size(recipe, n) for recipe in _families() for n in reversed(EPOCHS)),
            *(Arm(_other(name), n_seeds=1) for name in OTHERS),
        ),
        decide=_where_it_pays,
    )


def transfer_lite0_study() -> Study:
    """A15's backbone exercise. `mnistlab study transfer-lite0 --data fashion-mnist`: 40 minutes."""
    recipe = transfer_lite0()
    few = replace(recipe, name=f"{recipe.name}-{N_OF_FEW}", n_train=N_OF_FEW, expect={})
    return Study(
        name="transfer-lite0",
        system="A15",
        question=f"How accurate does a pretrained network become at 96 x 96, with {N_OF_FEW:,} "
        "images and with all of them?",
        arms=(Arm(few), Arm(recipe)),
        decide=_how_accurate,
        n_seeds=1,
    )


def _families() -> tuple[Recipe, ...]:
    """A9, and four ways to train EfficientNet-Lite0; `_of_size` sets the epochs."""
    from mnistlab import get_recipe  # of the registry, which imports this module

    lite0 = replace(
        transfer_lite0(),
        system="A14",
        expect={},
        model_args={"backbone": "efficientnet_lite0", "input_size": SIDE},
    )
    head = lite0.phases[0]
    whole = Phase("adamw", 1e-3, schedule="one-cycle", weight_decay=0.05)
    fresh = {**lite0.model_args, "weights": "none"}
    return (
        replace(
            get_recipe("simple-cnn-tuned"),
            name=SMALL,
            system="A9",
            expect={},
            precision=lite0.precision,
        ),
        replace(lite0, name="two-stage"),
        replace(lite0, name="head-only", phases=(head,)),
        replace(lite0, name="fine-tuned", phases=(replace(whole, block_decay=0.8),)),
        replace(lite0, name="random-weights", phases=(whole,), model_args=fresh),
    )


def _of_size(recipe: Recipe, n_train: int | None) -> Arm:
    """An arm on so many training images; one seed where training takes long."""
    epochs = EPOCHS[n_train]
    if recipe.name == SMALL:  # fast enough to train for at least the recipe's own number
        epochs = max(epochs, recipe.phases[0].epochs)
    phases = tuple(replace(phase, epochs=epochs) for phase in recipe.phases)
    if n_train is None:
        if recipe.name in BY_EPOCH:
            phases = tuple(replace(phase, snapshot_epochs=1) for phase in phases)
        return Arm(replace(recipe, phases=phases), n_seeds=1)
    name = f"{recipe.name}-{n_train}"
    return Arm(
        replace(recipe, name=name, n_train=n_train, n_val=N_VAL, phases=phases),
        n_seeds=1 if recipe.name == "fine-tuned" else None,
    )


def _other(backbone: str) -> Recipe:
    """Another backbone; where its weights are not on this machine, all of it is trained."""
    from mnistlab import weights_at_hand  # loads torch

    recipe = TRANSFER[f"transfer-{OTHERS[backbone]}"]()
    args = {**recipe.model_args, "channels": "repeat", "input_size": SIDE}
    phases = tuple(replace(phase, epochs=EPOCHS_OF_OTHERS) for phase in recipe.phases)
    if not weights_at_hand(backbone):
        args["weights"] = "none"
        phases = (replace(phases[0], unfrozen=None),)
    return replace(
        recipe,
        name=f"{OTHERS[backbone]}-{N_OF_OTHERS}",
        n_train=N_OF_OTHERS,
        n_val=N_VAL,
        model_args=args,
        phases=phases,
    )


def _how_accurate(results: Sequence[ArmResult]) -> str:
    parts = [
        f"{result.test_accuracy[0]:.4f} on the test part with {result.runs[0].data['n_train']:,} "
        f"images, after {result.mean('train_time_s') / 60:.1f} min of training"
        for result in results
    ]
    return f"{'; '.join(parts)} ({wording.seeds(results)})."


def _where_it_pays(results: Sequence[ArmResult]) -> str:
    by_name = {result.arm.name: result for result in results}
    n_all = results[0].runs[0].data["n_train"]
    sizes = [n for n in EPOCHS if n is None or n < n_all]
    pretrained, small, fresh = (
        [by_name[name if n is None else f"{name}-{n}"] for n in sizes]
        for name in ("two-stage", SMALL, "random-weights")
    )
    pairs = [*zip(pretrained, small, strict=True), *zip(pretrained, fresh, strict=True)]
    gains = wording.gains(pairs)
    most_seeded = max(results, key=lambda result: len(result.runs))
    parts = []
    for i, (n, arm) in enumerate(zip(sizes, pretrained, strict=True)):
        fewer = len(arm.runs) < len(most_seeded.runs)
        parts.append(
            _verdict(n, arm, gains[i], gains[len(sizes) + i])
            + (f" ({wording.seeds([arm])})" if fewer else "")
        )
    return (
        "Pretrained in two stages, on the test part, against a small network from scratch and "
        f"against the same network from random weights ({wording.seeds([most_seeded])}): "
        f"{'; '.join(parts)}.{wording.correction(gains)}"
    )


def _verdict(
    n: int | None, pretrained: ArmResult, over_small: Difference, over_fresh: Difference
) -> str:
    """For one size: whether it pays, which means to be better than the small network."""
    ahead = over_small.mean > 0
    if over_small.n == 1:  # one seed shows nothing
        verdict = "was ahead" if ahead else "was not ahead"
    elif not over_small.is_shown:
        verdict = "is not shown to pay"
    else:
        verdict = "pays" if ahead else "does not pay"
    images = "all images" if n is None else f"{n:,} images"
    return (
        f"with {images} it {verdict}: {pretrained.test_accuracy[0]:.3f}, "
        f"{wording.gain_text(over_small)} and {wording.gain_text(over_fresh)}"
    )
