"""Write-up C, rows C1 to C14: seven feed-forward and seven convolutional networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from mnistlab import Arm, ArmResult, Phase, Recipe, Study, wording

# The best-looking validation accuracy, of the fourfold validation part, as write-up C prints it.
PUBLISHED = {
    "dense-base": "val 0.833",
    "dense-wide": "val 0.839",
    "dense-deep": "val 0.853",
    "dense-sgd": "val 0.843, still rising",
    "dense-decay": "val 0.810",
    "dense-norm": "val 0.843",
    "dense-dropout": "val 0.788",
    "conv-base": "val 0.875",
    "conv-wide": "val 0.862",
    "conv-deep": "val 0.878",
    "conv-sgd": "val 0.869",
    "conv-decay": "val 0.869",
    "conv-norm": "val 0.881",
    "conv-dropout": "val 0.874",
}
WHY = "one run on C's own drawing of 52,500 images; here all 70,000, mean over seeds"

ADAM = Phase("adam", learning_rate=1e-3, epochs=30, patience=3)
SGD = replace(ADAM, optimizer="sgd")
DECAYED = replace(ADAM, weight_decay=1e-2)
DENSE = {"hidden_sizes": (512, 128, 128, 128)}
CONVOLUTIONAL = {"channels": (32, 64), "hidden_sizes": (64,), "padded": False}

# Floor and ceiling of test accuracy on Fashion-MNIST: around the results of one seed or of five,
# and wider for plain SGD on raw pixels, whose accuracy changes by points from epoch to epoch.
EXPECT = {
    "dense-base": (0.862, 0.89),
    "dense-wide": (0.864, 0.886),
    "dense-deep": (0.868, 0.891),
    "dense-sgd": (0.76, 0.86),
    "dense-decay": (0.803, 0.857),
    "dense-norm": (0.858, 0.887),
    "dense-dropout": (0.825, 0.868),
    "conv-base": (0.902, 0.92),
    "conv-wide": (0.888, 0.91),
    "conv-deep": (0.904, 0.924),
    "conv-sgd": (0.885, 0.91),
    "conv-decay": (0.887, 0.907),
    "conv-norm": (0.909, 0.92),
    "conv-dropout": (0.898, 0.917),
}


def _recipe(
    name: str, system: str, summary: str, model: str, model_args: dict[str, Any], phase: Phase
) -> Recipe:
    return Recipe(
        name=name,
        system=system,
        summary=summary,
        model=model,
        model_args=model_args,
        split="test-first-60-20-20",
        scaling="none",
        pad_to=32,
        expansion="flip-and-zoom",
        phases=(phase,),
        batch_size=256,
        order="file",
        expect={"fashion-mnist": EXPECT[name]},
    )


def _dense(name: str, system: str, summary: str, phase: Phase = ADAM, **args: Any) -> Recipe:
    return _recipe(f"dense-{name}", system, summary, "mlp", DENSE | args, phase)


def _conv(name: str, system: str, summary: str, phase: Phase = ADAM, **args: Any) -> Recipe:
    return _recipe(f"conv-{name}", system, summary, "cnn", CONVOLUTIONAL | args, phase)


DENSE_ARMS: dict[str, Callable[[], Recipe]] = {
    "dense-base": lambda: _dense("base", "C1", "1024-512-128-128-128-10"),
    "dense-wide": lambda: _dense(
        "wide", "C2", "1024-512-512-512-256-10", hidden_sizes=(512, 512, 512, 256)
    ),
    "dense-deep": lambda: _dense(
        "deep", "C3", "1024-512, seven of 128, 10", hidden_sizes=(512, *[128] * 7)
    ),
    "dense-sgd": lambda: _dense("sgd", "C4", "base with plain SGD", SGD),
    "dense-decay": lambda: _dense("decay", "C5", "base with weight decay 0.01", DECAYED),
    "dense-norm": lambda: _dense("norm", "C6", "base with batch normalisation", batch_norm=True),
    "dense-dropout": lambda: _dense(
        "dropout", "C7", "base with dropout 0.5 to 0.2", dropout=(0.5, 0.4, 0.3, 0.2)
    ),
}
CONV_ARMS: dict[str, Callable[[], Recipe]] = {
    "conv-base": lambda: _conv("base", "C8", "conv 32, conv 64, linear 2304-64-10"),
    "conv-wide": lambda: _conv(
        "wide", "C9", "conv 32, conv 64, linear 2304-128-10", hidden_sizes=(128,)
    ),
    "conv-deep": lambda: _conv(
        "deep",
        "C10",
        "conv 64, conv 128, linear 4608-64-64-32-10",
        channels=(64, 128),
        hidden_sizes=(64, 64, 32),
    ),
    "conv-sgd": lambda: _conv("sgd", "C11", "base with plain SGD", SGD),
    "conv-decay": lambda: _conv("decay", "C12", "base with weight decay 0.01", DECAYED),
    "conv-norm": lambda: _conv("norm", "C13", "base with batch normalisation", batch_norm=True),
    "conv-dropout": lambda: _conv(
        "dropout", "C14", "base with half the channels dropped", channel_dropout=0.5
    ),
}


def mlp_regularisation_study() -> Study:
    """C1 to C7. `mnistlab study mlp-regularisation --data fashion-mnist`."""
    return _regularisation("mlp-regularisation", "C1", "dense", DENSE_ARMS)


def cnn_regularisation_study() -> Study:
    """C8 to C14. `mnistlab study cnn-regularisation --data fashion-mnist`."""
    return _regularisation("cnn-regularisation", "C8", "convolutional", CONV_ARMS)


def shuffling_study() -> Study:
    """The effect of C's fixed order. `mnistlab study shuffling --data fashion-mnist`."""
    bases = [make() for make in (DENSE_ARMS | CONV_ARMS).values()]
    pairs = [(base, _changed(base, "shuffled", order="shuffled")) for base in bases]
    return Study(
        name="shuffling",
        system="C",
        question="Write-up C's networks are given the images in the same order in every epoch: "
        "how much accuracy does shuffling gain?",
        arms=tuple(_arm(recipe) for pair in pairs for recipe in pair),
        decide=_effect_of_shuffling,
        together=tuple((base.name, shuffled.name) for base, shuffled in pairs),
        n_seeds=5,
    )


def scaling_study() -> Study:
    """The effect of C's raw pixels. `mnistlab study scaling --data fashion-mnist`."""
    return Study(
        name="scaling",
        system="C",
        question="Write-up C's networks are given raw pixels from 0 to 255: how much accuracy does "
        "scaling them gain?",
        arms=tuple(
            _arm(recipe)
            for base in (DENSE_ARMS["dense-base"](), CONV_ARMS["conv-base"]())
            for recipe in (
                base,
                *(
                    replace(base, name=f"{base.name}-{scaling}", scaling=scaling)
                    for scaling in ("min-max", "standard")
                ),
            )
        ),
        decide=_effect_of_scaling,
    )


def stratifying_study() -> Study:
    """The effect of C's plain split. `mnistlab study stratifying --data fashion-mnist`."""
    return Study(
        name="stratifying",
        system="C",
        question="Write-up C splits its data without regard to classes: how much accuracy does a "
        "stratified split gain?",
        arms=tuple(
            _arm(recipe)
            for base in (DENSE_ARMS["dense-base"](), CONV_ARMS["conv-base"]())
            for recipe in (base, _changed(base, "stratified", split="stratified-60-20-20"))
        ),
        decide=_effect_of_stratifying,
        n_seeds=5,
    )


def _regularisation(
    name: str, system: str, kind: str, arms: Mapping[str, Callable[[], Recipe]]
) -> Study:
    return Study(
        name=name,
        system=system,
        question=f"One {kind} network, changed in one way at a time: wider, deeper, another "
        "optimizer, weight decay, normalisation, dropout. What helps?",
        arms=tuple(_arm(make()) for make in arms.values()),
        decide=wording.against_base,
        bars=True,
        n_seeds=5,
    )


def _changed(base: Recipe, name: str, **fields: Any) -> Recipe:
    return replace(base, name=f"{base.name}-{name}", expect={}, **fields)


def _arm(recipe: Recipe) -> Arm:
    """An arm, with what is published where the recipe is one of the fourteen."""
    if recipe.name not in PUBLISHED:
        return Arm(recipe)
    return Arm(recipe, {"fashion-mnist": PUBLISHED[recipe.name]}, {"fashion-mnist": WHY})


def _gains_in_pairs(results: Sequence[ArmResult]) -> tuple[str, str]:
    """The gain of every second arm over the one before it, and the correction."""
    pairs = list(zip(results[1::2], results[::2], strict=True))
    return wording.gain_texts(pairs, [base.arm.name for _, base in pairs])


def _effect_of_shuffling(results: Sequence[ArmResult]) -> str:
    texts, correction = _gains_in_pairs(results)
    by_name = {result.arm.name: result for result in results}
    in_order, shuffled = by_name["dense-sgd"], by_name["dense-sgd-shuffled"]
    return (
        f"Shuffling changes test accuracy by: {texts} ({wording.seeds(results)}). From one "
        "epoch to the next the validation accuracy of dense-sgd falls by at most "
        f"{100 * _largest_fall(in_order):.1f} points in file order, shuffled by up to "
        f"{100 * _largest_fall(shuffled):.1f}.{correction}"
    )


def _largest_fall(result: ArmResult) -> float:
    """Of the validation accuracy from one epoch to the next, in any seed; 0 if it only rises."""
    curves = [[epoch["val_accuracy"] for epoch in run.log] for run in result.runs]
    falls = [before - after for curve in curves for before, after in pairwise(curve)]
    return float(max([0.0, *falls]))


def _effect_of_stratifying(results: Sequence[ArmResult]) -> str:
    texts, correction = _gains_in_pairs(results)
    return (
        f"A stratified split changes test accuracy by: {texts} ({wording.seeds(results)}). The "
        "two splits have test images of their own, so a difference may come from them."
        f"{correction}"
    )


def _effect_of_scaling(results: Sequence[ArmResult]) -> str:
    dense, conv = results[:3], results[3:]
    pairs = [(arm, base) for base, *others in (dense, conv) for arm in others]
    gains = wording.gains(pairs)
    texts = [
        f"{base.arm.name} {wording.gain_text(gain)} by {arm.arm.recipe.scaling}"
        for (arm, base), gain in zip(pairs, gains, strict=True)
    ]
    return (
        f"Scaling changes test accuracy by: {'; '.join(texts)} ({wording.seeds(results)})."
        f"{wording.correction(gains)}"
    )
