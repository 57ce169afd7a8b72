"""Write-up A's comparison of transfer learning with training from scratch (A14), by set size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mnistlab.evaluation import Difference
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.recipes import ladder
from mnistlab.recipes import transfer as recipes
from mnistlab.studies.wording import correction, gain_text, gains, seeds
from mnistlab.study import Arm, ArmResult, Study

# Training images, None being all, and for how many epochs: small sets are seen more often.
EPOCHS: dict[int | None, int] = {100: 40, 1000: 30, 10_000: 8, None: 3}
N_VAL = 1000  # images that judge the epochs of small sets; more would take longer than training
SIDE = 64
SMALL = "simple-cnn"
# Whose test accuracy on all images is measured after every epoch, as the write-up draws it. Which
# epochs is fixed here, before any of them is trained; nothing is chosen by what they say.
BY_EPOCH = (SMALL, "two-stage")
OTHERS = ("mobilenet_v2", "resnet18", "efficientnet_b0")
N_OF_OTHERS, EPOCHS_OF_OTHERS = 1000, 10
N_OF_FEW = 1000


def transfer() -> Study:
    """A14. `mnistlab study transfer --data fashion-mnist`."""
    return Study(
        name="transfer",
        system="A14",
        question="Does a network trained on photographs pay on small grey images, and from how "
        "many of them on does it no longer?",
        arms=(
            *(_of_size(recipe, n) for recipe in _families() for n in reversed(EPOCHS)),
            *(Arm(_other(name), n_seeds=1) for name in OTHERS),
        ),
        decide=_where_it_pays,
    )


def transfer_lite0() -> Study:
    """A15's backbone exercise. `mnistlab study transfer-lite0 --data fashion-mnist`: 40 minutes."""
    recipe = recipes.transfer_lite0()
    few = replace(recipe, name=f"{recipe.name}-{N_OF_FEW}", n_train=N_OF_FEW, expect={})
    return Study(
        name="transfer-lite0",
        system="A15",
        question=f"How far does a pretrained network get at 96 x 96, with {N_OF_FEW:,} images and "
        "with all of them?",
        arms=(Arm(few), Arm(recipe)),
        decide=_how_far,
        n_seeds=1,
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
    """An arm on so many images; of those that take longest one seed."""
    epochs = EPOCHS[n_train]
    if recipe.name == SMALL:  # quick enough for its own
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
    """Another backbone with what weights can be had here: without any, all of it is trained."""
    from mnistlab.models.pretrained import at_hand  # loads torch

    recipe = recipes.TRANSFER[f"transfer-{recipes.SHORT[backbone]}"]()
    args = {**recipe.model_args, "channels": "repeat", "input_size": SIDE}
    phases = tuple(replace(phase, epochs=EPOCHS_OF_OTHERS) for phase in recipe.phases)
    if not at_hand(backbone):
        args["weights"] = "none"
        phases = (replace(phases[0], unfrozen=None),)
    return replace(
        recipe,
        name=f"{recipes.SHORT[backbone]}-{N_OF_OTHERS}",
        n_train=N_OF_OTHERS,
        n_val=N_VAL,
        model_args=args,
        phases=phases,
    )


def _how_far(results: Sequence[ArmResult]) -> str:
    parts = [
        f"{result.test_accuracy[0]:.4f} on the test part with {result.runs[0].data['n_train']:,} "
        f"images, after {result.mean('train_time_s') / 60:.1f} min of training"
        for result in results
    ]
    return f"{'; '.join(parts)} ({seeds(results)})."


def _where_it_pays(results: Sequence[ArmResult]) -> str:
    by_name = {result.arm.name: result for result in results}
    most = results[0].runs[0].data["n_train"]  # of all images
    sizes = [n for n in EPOCHS if n is None or n < most]
    seeded = max(results, key=lambda result: len(result.runs))
    suffixes = ["" if n is None else f"-{n}" for n in sizes]
    pretrained = [by_name[f"two-stage{suffix}"] for suffix in suffixes]
    bases = [
        [by_name[f"{name}{suffix}"] for suffix in suffixes] for name in (SMALL, "random-weights")
    ]
    told = gains(list(zip(pretrained * 2, bases[0] + bases[1], strict=True)))
    parts = []
    for n, arm, *both in zip(
        sizes, pretrained, told[: len(sizes)], told[len(sizes) :], strict=True
    ):
        fewer = len(arm.runs) < len(seeded.runs)
        parts.append(_worth(n, arm, *both) + (f" ({seeds([arm])})" if fewer else ""))
    return (
        "Pretrained in two stages, on the test part, against a small network from scratch and "
        f"against the same network from random weights ({seeds([seeded])}): {'; '.join(parts)}."
        f"{correction(told)}"
    )


def _worth(
    n: int | None, pretrained: ArmResult, over_small: Difference, over_fresh: Difference
) -> str:
    """One size: whether it pays, which is to be better than the small network."""
    ahead = over_small.mean > 0
    if over_small.n == 1:  # of one seed nothing is shown
        verdict = "was ahead" if ahead else "was not ahead"
    elif not over_small.is_shown:
        verdict = "is not shown to pay"
    else:
        verdict = "pays" if ahead else "does not pay"
    images = "all images" if n is None else f"{n:,} images"
    return (
        f"with {images} it {verdict}: {pretrained.test_accuracy[0]:.3f}, "
        f"{gain_text(over_small)} and {gain_text(over_fresh)}"
    )
