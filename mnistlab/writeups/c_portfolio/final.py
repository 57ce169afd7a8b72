"""Write-up C, row C17: the final model, as published, cut short, and trained another way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

from mnistlab import Arm, ArmResult, Phase, Recipe, Study, wording

PUBLISHED = "val 0.914, test 0.916"
SHORTENED = (6, 2, 2)  # epochs of the three phases that fit into an hour on two cores


def final() -> Recipe:
    """C17 as published: three phases of at most 200 epochs. Days on two cores.

    Each phase has its own early stopping and starts from the last weights of the phase before; the
    result is the best epoch of the third.
    """
    first = Phase(
        "adam", learning_rate=1e-3, epochs=200, weight_decay=1e-3, patience=4, keep="last"
    )
    second = replace(first, optimizer="sgd")
    return Recipe(
        name="final",
        system="C17",
        summary="four convolutions to 512, linear 4608-512-256-128-64-10",
        model="cnn",
        model_args={
            "channels": (64, 128, 256, 512),
            "kernel_sizes": (2, 2, 2, 4),
            "pools": (True, True, False, False),
            "padded": False,
            "batch_norm": True,
            "hidden_batch_norm": True,
            "channel_dropout": (0.1, 0.3, 0.5, 0.5),
            "hidden_sizes": (512, 256, 128, 64),
            "dropout": (0.1, 0.3, 0.5, 0.5),
        },
        split="test-first-60-20-20",
        scaling="none",
        pad_to=32,
        expansion="flip-and-zoom",
        phases=(first, second, replace(second, weight_decay=0.0, keep="best")),
        batch_size=256,
        order="file",
    )


def final_tuned() -> Recipe:
    """C17's layers, trained another way in three phases: half an hour or less.

    Decision 0006 lists what was tried on validation.
    """
    first = Phase("adamw", learning_rate=3e-3, epochs=20, schedule="one-cycle", weight_decay=0.05)
    second = replace(first, learning_rate=5e-4, epochs=4, schedule="cosine", ema_decay=0.995)
    third = replace(second, optimizer="momentum", learning_rate=5e-3, epochs=2, weight_decay=5e-4)
    base = final()
    return replace(
        base,
        name="final-tuned",
        expect={"fashion-mnist": (0.927, 0.937)},
        summary="the layers of final, with half the dropout",
        model_args={
            **base.model_args,
            "channel_dropout": (0.05, 0.15, 0.25, 0.25),
            "dropout": (0.05, 0.15, 0.25, 0.25),
        },
        split="shuffled-60-20-20",
        scaling="standard",
        order="shuffled",
        expansion=None,
        augmentation={"flip": 0.5, "shift": 2},
        test_time_augmentation=("flip",),
        phases=(first, second, third),
        batch_size=128,
    )


def final_study() -> Study:
    """C17. `mnistlab study final --data fashion-mnist`: days on two cores; see --quick."""
    why = "one run on C's own drawing of 52,500 images; here all 70,000, mean over seeds"
    return _study(final(), "in its three phases", why, n_seeds=1)


def final_shortened_study() -> Study:
    """C17 cut short. `mnistlab study final-shortened --data fashion-mnist`: an hour."""
    whole = final()
    phases = (replace(phase, epochs=n) for phase, n in zip(whole.phases, SHORTENED, strict=True))
    return _study(
        replace(whole, name="final-shortened", phases=tuple(phases)),
        "in its three phases, each cut short so that all take two cores an hour",
        f"cut to {sum(SHORTENED)} epochs; published after 43 and more",
    )


def final_tuned_study() -> Study:
    """C17 trained another way. `mnistlab study final-tuned --data fashion-mnist`: half an hour."""
    return _study(
        final_tuned(),
        "within half an hour on two cores, in three phases of our own",
        "another training: one cycle, mirrored and shifted images, half the dropout",
    )


def _study(recipe: Recipe, how: str, why: str, n_seeds: int = 5) -> Study:
    return Study(
        name=recipe.name,
        system="C17",
        question=f"How accurate does write-up C's final network become {how}?",
        arms=(Arm(recipe, {"fashion-mnist": PUBLISHED}, {"fashion-mnist": why}),),
        decide=_how_accurate,
        confusions=(recipe.name,),
        n_seeds=n_seeds,
    )


def _how_accurate(results: Sequence[ArmResult]) -> str:
    (result,) = results
    epochs = [
        sum(epoch["phase"] == number for run in result.runs for epoch in run.log)
        for number in range(len(result.arm.recipe.phases))
    ]
    # Write-up C publishes the accuracy on all four versions of each image.
    expanded = result.each("expanded_val_accuracy")
    fourfold = (
        "" if None in expanded else f" ({fmean(expanded):.4f} on four versions of each image)"
    )
    return (
        f"{result.mean('val_accuracy'):.4f} on validation{fourfold} and "
        f"{result.test_accuracy[0]:.4f} on the test part ({wording.seeds(results)}), after "
        f"{', '.join(map(str, epochs))} epochs of its phases."
    )
