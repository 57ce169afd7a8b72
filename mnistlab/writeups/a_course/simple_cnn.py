"""Write-up A, rows A9 to A12: SimpleCNN, its training loop, optimizers and schedules.

Row A15's exercises on the same network are here as well: augmentation, wider and deeper
networks, early stopping.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any

from mnistlab import SCHEDULES, Arm, ArmResult, Phase, Recipe, Study, wording

# Each at the learning rate it is usually started with; none was tuned for this network.
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


def simple_cnn() -> Recipe:
    """A9 with A10's loop (Adam, batch 64), 421,642 parameters; ten epochs at Adam's usual rate."""
    return Recipe(
        name="simple-cnn",
        expect={"mnist": (0.989, 0.9945), "fashion-mnist": (0.912, 0.926)},
        system="A9",
        summary="conv 32, conv 64, linear 128 with dropout",
        model="cnn",
        model_args={"channels": (32, 64), "hidden_sizes": (128,), "dropout": 0.5},
        scaling="min-max",
        phases=(Phase("adam", learning_rate=1e-3, epochs=10),),
    )


def simple_cnn_tuned() -> Recipe:
    """A9's network; scaling, rate and schedule chosen on validation (decision 0003)."""
    return replace(
        simple_cnn(),
        name="simple-cnn-tuned",
        expect={"mnist": (0.992, 0.996), "fashion-mnist": (0.922, 0.93)},
        scaling="standard",
        phases=(Phase("adam", 3e-3, 10, "one-cycle"),),
        batch_size=128,
    )


def simple_cnn_plateau() -> Recipe:
    """A12: the learning rate falls to a tenth whenever validation loss stops falling."""
    return replace(
        simple_cnn(),
        name="simple-cnn-plateau",
        expect={},
        system="A12",
        summary="SimpleCNN, rate reduced on a plateau",
        phases=(Phase("adam", learning_rate=1e-3, epochs=20, schedule="plateau", monitor="loss"),),
    )


def simple_cnn_early_stopping() -> Recipe:
    """A15: training ends when validation loss has not fallen for three epochs, at most 30."""
    return replace(
        simple_cnn(),
        name="simple-cnn-early-stopping",
        expect={},
        system="A15",
        summary="SimpleCNN, stopped early",
        phases=(Phase("adam", learning_rate=1e-3, epochs=30, patience=3, monitor="loss"),),
    )


def simple_cnn_augmented() -> Recipe:
    """A15: training images are shifted by up to two pixels."""
    return replace(
        simple_cnn_tuned(),
        name="simple-cnn-augmented",
        expect={},
        system="A15",
        summary="SimpleCNN on shifted images",
        augmentation={"shift": 2},
    )


def _variant(name: str, summary: str, floor: float, ceiling: float, /, **args: Any) -> Recipe:
    """SimpleCNN with other arguments, and the test accuracy expected on Fashion-MNIST."""
    base = simple_cnn_tuned()
    return replace(
        base,
        name=f"simple-cnn-{name}",
        expect={"fashion-mnist": (floor, ceiling)},
        system="A15",
        summary=summary,
        model_args={**base.model_args, **args},
    )


VARIANTS: dict[str, Callable[[], Recipe]] = {
    "simple-cnn-wide": lambda: _variant(
        "wide", "SimpleCNN with twice the channels", 0.922, 0.934, channels=(64, 128)
    ),
    "simple-cnn-deep": lambda: _variant(
        "deep",
        "SimpleCNN with two convolutions before each pool",
        0.926,
        0.939,
        channels=(32, 32, 64, 64),
        pools=(False, True, False, True),
    ),
    "simple-cnn-5x5": lambda: _variant(
        "5x5", "SimpleCNN with filters of 5x5", 0.918, 0.93, kernel_sizes=5
    ),
}


def optimizers_study() -> Study:
    """A11. `mnistlab study optimizers --data fashion-mnist`."""
    return Study(
        name="optimizers",
        system="A11",
        question="The same network, batches and epochs: which optimizer learns fastest, and which "
        "ends with the best accuracy?",
        arms=tuple(_arm(phase.optimizer, "A11", phase, 10) for phase in CUSTOMARY),
        decide=_fastest_and_best,
        n_seeds=3,
    )


def lr_schedule_study() -> Study:
    """A12. `mnistlab study lr-schedule --data fashion-mnist`."""
    return Study(
        name="lr-schedule",
        system="A12",
        question="Adam from the same learning rate: how much accuracy does each way of lowering "
        "the rate gain?",
        arms=tuple(_arm(name, "A12", Phase("adam", 1e-3, schedule=name), 15) for name in SCHEDULES),
        decide=wording.against_base,
    )


def augmentation_study() -> Study:
    """A15. `mnistlab study augmentation --data fashion-mnist`."""
    base = replace(simple_cnn_tuned(), name="as-is", system="A15")
    return Study(
        name="augmentation",
        system="A15",
        question="How much does each augmentation alone gain, at one strength and the same number "
        "of epochs?",
        arms=(
            Arm(base),
            *(
                # Digits are mirrored too: how much accuracy that costs is part of the question.
                Arm(replace(base, name=name, augmentation={name: strength}, mirror_characters=True))
                for name, strength in AUGMENTATIONS.items()
            ),
        ),
        decide=wording.against_base,
    )


def architectures_study() -> Study:
    """A15. `mnistlab study architectures --data fashion-mnist`."""
    return Study(
        name="architectures",
        system="A15",
        question="SimpleCNN wider, deeper, or with larger filters, trained the same way: how much "
        "accuracy does each gain, and how much time does it cost?",
        arms=(
            Arm(replace(simple_cnn_tuned(), expect={})),
            *(Arm(make()) for make in VARIANTS.values()),
        ),
        decide=_gain_and_cost,
    )


def early_stopping_study() -> Study:
    """A15. `mnistlab study early-stopping --data fashion-mnist`."""
    whole = Phase("adam", 1e-3)
    stopped = (
        replace(whole, monitor=monitor, patience=patience)
        for monitor in ("accuracy", "loss")
        for patience in (1, 3, 5)
    )
    return Study(
        name="early-stopping",
        system="A15",
        question="How much time does early stopping save, and how much accuracy does it cost?",
        arms=(
            _arm("all-30-epochs", "A15", whole, 30),
            *(_arm(f"{p.monitor}-patience-{p.patience}", "A15", p, 30) for p in stopped),
        ),
        decide=_time_and_accuracy,
    )


def _arm(name: str, system: str, phase: Phase, epochs: int) -> Arm:
    """SimpleCNN trained with another phase."""
    phases = (replace(phase, epochs=epochs),)
    return Arm(replace(simple_cnn(), name=name, system=system, phases=phases))


def _fastest_and_best(results: Sequence[ArmResult]) -> str:
    def first(result: ArmResult) -> float:
        return fmean(run.log[0]["val_accuracy"] for run in result.runs)

    fastest, best = max(results, key=first), wording.best_on_validation(results)
    worst = min(results, key=lambda result: result.mean("val_accuracy"))
    base, *others = results
    return (
        f"After one epoch {fastest.arm.name} leads with {first(fastest):.4f} on validation; within "
        f"{base.arm.recipe.phases[0].epochs} epochs {best.arm.name} gets furthest "
        f"({best.mean('val_accuracy'):.4f} on validation, {best.test_accuracy[0]:.4f} on the test "
        f"part, mean of {wording.seeds(results)}) and {worst.arm.name} least far "
        f"({worst.mean('val_accuracy'):.4f}). Each ran at its customary rate; none was tuned. "
        f"{wording.against(base, others)}"
    )


def _gain_and_cost(results: Sequence[ArmResult]) -> str:
    base, *others = results
    gains = wording.gains([(arm, base) for arm in others])
    parts = [
        f"{arm.arm.name} {wording.gain_text(gain)} in "
        f"{arm.mean('train_time_s') / base.mean('train_time_s'):.1f} times the time"
        for arm, gain in zip(others, gains, strict=True)
    ]
    return (
        f"Against {base.arm.name} ({base.test_accuracy[0]:.4f} on the test part, mean of "
        f"{wording.seeds(results)}): {'; '.join(parts)}.{wording.correction(gains)}"
    )


def _time_and_accuracy(results: Sequence[ArmResult]) -> str:
    whole, *others = results
    saved = [1 - result.mean("epochs") / whole.mean("epochs") for result in others]
    names = [f"{arm.arm.name} {100 * s:.0f} % for" for arm, s in zip(others, saved, strict=True)]
    texts, correction = wording.gain_texts([(arm, whole) for arm in others], names)
    return (
        f"Of {whole.mean('epochs'):.0f} epochs, whose best on validation reaches "
        f"{whole.test_accuracy[0]:.4f} on the test part, stopping early saves: "
        f"{texts} (mean of {wording.seeds(results)}).{correction}"
    )
