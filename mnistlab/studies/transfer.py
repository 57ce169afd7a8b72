"""Write-up A's comparison of transfer learning with training from scratch (A14), by set size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.recipes import ladder
from mnistlab.recipes import transfer as recipes
from mnistlab.studies.wording import gain, seeds
from mnistlab.study import Arm, ArmResult, Study

# Training images, None being all, and for how many epochs: small sets are seen more often.
EPOCHS: dict[int | None, int] = {100: 40, 1000: 30, 10_000: 12, None: 6}
SIDE = 64
OTHERS = ("mobilenet_v2", "resnet18", "efficientnet_b0")
N_OF_OTHERS = 1000


def transfer() -> Study:
    """A14. `mnistlab study transfer --data fashion-mnist`."""
    return Study(
        name="transfer",
        system="A14",
        question="Does a network trained on photographs pay on small grey images, and from how "
        "many of them on does it no longer?",
        arms=(
            *(Arm(_sized(recipe, n)) for recipe in _families() for n in reversed(EPOCHS)),
            *(Arm(_other(name)) for name in OTHERS),
        ),
        decide=_where_it_pays,
    )


def _families() -> tuple[Recipe, ...]:
    """A9, and four ways to train EfficientNet-Lite0; phases are lengthened by size."""
    lite0 = replace(
        recipes.transfer_lite0(),
        system="A14",
        expect={},
        model_args={"backbone": "efficientnet_lite0", "input_size": SIDE},
    )
    head = lite0.phases[0]
    whole = Phase("adamw", 1e-3, schedule="one-cycle", weight_decay=0.05)
    fresh = {**lite0.model_args, "weights": "none"}
    return (
        replace(
            ladder.simple_cnn_tuned(),
            name="simple-cnn",
            system="A9",
            expect={},
            precision=lite0.precision,
        ),
        replace(lite0, name="two-stage"),
        replace(lite0, name="head-only", phases=(head,)),
        replace(lite0, name="fine-tuned", phases=(replace(whole, block_decay=0.8),)),
        replace(lite0, name="random-weights", phases=(whole,), model_args=fresh),
    )


def _sized(recipe: Recipe, n_train: int | None) -> Recipe:
    phases = tuple(replace(phase, epochs=EPOCHS[n_train]) for phase in recipe.phases)
    name = recipe.name if n_train is None else f"{recipe.name}-{n_train}"
    return replace(recipe, name=name, n_train=n_train, phases=phases)


def _other(backbone: str) -> Recipe:
    """Another backbone with what weights can be had here: without any, all of it is trained."""
    from mnistlab.models.pretrained import at_hand  # loads torch

    recipe = recipes.TRANSFER[f"transfer-{recipes.SHORT[backbone]}"]()
    args = {**recipe.model_args, "channels": "repeat", "input_size": SIDE}
    phases = tuple(replace(phase, epochs=EPOCHS[N_OF_OTHERS]) for phase in recipe.phases)
    if not at_hand(backbone):
        args["weights"] = "none"
        phases = (replace(phases[0], unfrozen=None),)
    return replace(
        recipe,
        name=f"{recipes.SHORT[backbone]}-{N_OF_OTHERS}",
        n_train=N_OF_OTHERS,
        model_args=args,
        phases=phases,
    )


def _where_it_pays(results: Sequence[ArmResult]) -> str:
    by_name = {result.arm.name: result for result in results}
    parts = []
    for n in EPOCHS:
        suffix = "" if n is None else f"-{n}"
        names = (f"{name}{suffix}" for name in ("two-stage", "simple-cnn", "random-weights"))
        parts.append(_of_size(n, *(by_name[name] for name in names)))
    return (
        f"Pretrained in two stages against a small network from scratch, and against the same "
        f"network from random weights (test part, {seeds(results)}): {'; '.join(parts)}."
    )


def _of_size(n: int | None, pretrained: ArmResult, small: ArmResult, fresh: ArmResult) -> str:
    images = "all images" if n is None else f"{n:,} images"
    return (
        f"with {images} {pretrained.test_accuracy[0]:.3f}, {gain(pretrained, small)} and "
        f"{gain(pretrained, fresh)}"
    )
