"""Write-up A's experiments on SimpleCNN: optimizers (A11), schedules (A12), exercises (A15)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

from mnistlab.phases import SCHEDULES, Phase
from mnistlab.recipe import Recipe
from mnistlab.recipes import exercises as recipes
from mnistlab.recipes import ladder
from mnistlab.studies.wording import (
    against,
    against_base,
    best_on_validation,
    correction,
    gain_text,
    gains,
    seeds,
)
from mnistlab.study import Arm, ArmResult, Study

N_EPOCHS = 10

# Each at the rate it is customarily started with; none was tuned for this network.
CUSTOMARY = (
    Phase("sgd", 0.1),
    Phase("momentum", 0.01),
    Phase("nesterov", 0.01),
    Phase("adagrad", 0.01),
    Phase("rmsprop", 1e-3),
    Phase("adam", 1e-3),
    Phase("adamw", 1e-3, weight_decay=0.01),
    Phase("muon", 1e-3, weight_decay=0.01),
)

AUGMENTATIONS = {
    "flip": 0.5,
    "shift": 2,
    "translation": 0.1,
    "zoom": 0.1,
    "rotation": 10,
    "shear": 0.1,
    "elastic": 1,
    "erasing": 0.25,
    "cutout": 8,
    "mixup": 0.2,
    "cutmix": 1,
}


def optimizers() -> Study:
    """A11. `mnistlab study optimizers --data fashion-mnist`."""
    return Study(
        name="optimizers",
        system="A11",
        question="The same network, batches and epochs: which optimizer learns fastest, and where "
        "does each end?",
        arms=tuple(
            Arm(_with_phase(ladder.simple_cnn(), phase.optimizer, "A11", phase))
            for phase in CUSTOMARY
        ),
        decide=_fastest_and_best,
        n_seeds=3,
    )


def lr_schedule() -> Study:
    """A12. `mnistlab study lr-schedule --data fashion-mnist`."""
    return Study(
        name="lr-schedule",
        system="A12",
        question="Adam from the same learning rate: what does letting it fall buy, and how?",
        arms=tuple(
            Arm(
                _with_phase(
                    ladder.simple_cnn(), name, "A12", Phase("adam", 1e-3, schedule=name), 15
                )
            )
            for name in SCHEDULES
        ),
        decide=against_base,
    )


def augmentation() -> Study:
    """A15. `mnistlab study augmentation --data fashion-mnist`."""
    base = replace(ladder.simple_cnn_tuned(), name="as-is", system="A15")
    return Study(
        name="augmentation",
        system="A15",
        question="What is each augmentation worth alone, at one strength and the same number of "
        "epochs?",
        arms=(
            Arm(base),
            *(
                # Mirrored digits too: what that costs is part of the question.
                Arm(replace(base, name=name, augmentation={name: strength}, mirror_characters=True))
                for name, strength in AUGMENTATIONS.items()
            ),
        ),
        decide=against_base,
    )


def architectures() -> Study:
    """A15. `mnistlab study architectures --data fashion-mnist`."""
    return Study(
        name="architectures",
        system="A15",
        question="SimpleCNN wider, deeper, or with larger filters, trained the same way: what is "
        "each worth, and what does it cost?",
        arms=(
            Arm(replace(ladder.simple_cnn_tuned(), expect={})),
            *(Arm(make()) for make in recipes.VARIANTS.values()),
        ),
        decide=_worth_and_cost,
    )


def early_stopping() -> Study:
    """A15. `mnistlab study early-stopping --data fashion-mnist`."""
    base = ladder.simple_cnn()
    whole = Phase("adam", 1e-3, 30)
    arms = [_with_phase(base, "all-30-epochs", "A15", whole, 30)]
    arms += [
        _with_phase(
            base,
            f"{monitor}-patience-{patience}",
            "A15",
            replace(whole, monitor=monitor, patience=patience),
            30,
        )
        for monitor in ("accuracy", "loss")
        for patience in (1, 3, 5)
    ]
    return Study(
        name="early-stopping",
        system="A15",
        question="How much time does early stopping save, and how much accuracy does it cost?",
        arms=tuple(Arm(recipe) for recipe in arms),
        decide=_time_and_accuracy,
    )


def _with_phase(
    base: Recipe, name: str, system: str, phase: Phase, n_epochs: int = N_EPOCHS
) -> Recipe:
    return replace(base, name=name, system=system, phases=(replace(phase, epochs=n_epochs),))


def _fastest_and_best(results: Sequence[ArmResult]) -> str:
    def first(result: ArmResult) -> float:
        return fmean(run.log[0]["val_accuracy"] for run in result.runs)

    fastest, best = max(results, key=first), best_on_validation(results)
    n_epochs = results[0].arm.recipe.phases[0].epochs
    worst = min(results, key=lambda result: result.mean("val_accuracy"))
    base, *others = results
    return (
        f"After one epoch {fastest.arm.name} leads with {first(fastest):.4f} on validation; within "
        f"{n_epochs} epochs {best.arm.name} gets furthest ({best.mean('val_accuracy'):.4f} on "
        f"validation, {best.test_accuracy[0]:.4f} on the test part, mean of {seeds(results)}) and "
        f"{worst.arm.name} least far ({worst.mean('val_accuracy'):.4f}). Each ran at its customary "
        f"rate; none was tuned. {against(base, others)}"
    )


def _worth_and_cost(results: Sequence[ArmResult]) -> str:
    base, *others = results
    told = gains([(arm, base) for arm in others])
    parts = [
        f"{arm.arm.name} {gain_text(gain)} in "
        f"{arm.mean('train_time_s') / base.mean('train_time_s'):.1f} times the time"
        for arm, gain in zip(others, told, strict=True)
    ]
    return (
        f"Against {base.arm.name} ({base.test_accuracy[0]:.4f} on the test part, mean of "
        f"{seeds(results)}): {'; '.join(parts)}.{correction(told)}"
    )


def _time_and_accuracy(results: Sequence[ArmResult]) -> str:
    whole, *others = results
    told, parts = gains([(result, whole) for result in others]), []
    for result, gain in zip(others, told, strict=True):
        saved = 1 - result.mean("epochs") / whole.mean("epochs")
        parts.append(f"{result.arm.name} {100 * saved:.0f} % for {gain_text(gain)}")
    return (
        f"Of {whole.mean('epochs'):.0f} epochs, whose best on validation reaches "
        f"{whole.test_accuracy[0]:.4f} on the test part, stopping early saves: "
        f"{'; '.join(parts)} (mean of {seeds(results)}).{correction(told)}"
    )
