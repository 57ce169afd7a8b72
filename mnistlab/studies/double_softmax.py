"""Write-up B: batch size, full batches, and a softmax applied twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mnistlab.recipe import Recipe
from mnistlab.recipes import double_softmax as recipes
from mnistlab.studies.wording import correction, gain_text, gains, seeds
from mnistlab.study import Arm, ArmResult, Study

# Fashion-MNIST's test accuracy as write-up B prints it.
BY_BATCH_SIZE = {2: "0.609", 4: "0.789", 6: "0.836", 10: "0.796", 15: "0.818", 20: "0.811"}
B1, B3, B5 = "0.09", "0.8527; 0.854 in its confusion matrix", "0.8179, class 6 never predicted"
B2 = "0.67 at 101 steps, 0.74 at 201, 0.79 at 801, 0.80 from 1,201"
# The same, step by step, of the lines that the write-up shows of its listing.
B2_LISTING = {101: 0.67, 201: 0.74, 801: 0.79, **dict.fromkeys(range(1201, 2002, 100), 0.8)}

SINGLE = "one run there, here the mean over seeds; on all training images, last epoch, as there"
NEAR_CHANCE = f"ten small steps leave it near chance, to one side or the other by seed; {SINGLE}"
MENDED = "the same, with one softmax"


def batch_size() -> Study:
    """B3 to B5. `mnistlab study batch-size --data fashion-mnist`."""
    base = recipes.double_softmax()
    by_size = [
        # B4's batch of 10 is B3: one recipe, trained once, and beside it what both print.
        _arm(base, f"{published} in B4; {B3} in B3", SINGLE)
        if size == base.batch_size
        else _arm(
            replace(base, name=f"batch-{size}", system="B4", batch_size=size), published, SINGLE
        )
        for size, published in BY_BATCH_SIZE.items()
    ]
    return Study(
        name="batch-size",
        system="B4",
        question="Write-up B finds a batch of 6 better than 10, from one run each: does more than "
        "chance say so, and what does the batch size do at one learning rate?",
        arms=(*by_size, _arm(recipes.double_softmax_slow(), B5, SINGLE)),
        decide=_six_or_ten,
        confusions=("double-softmax", "double-softmax-slow"),
        n_seeds=5,
    )


def double_softmax() -> Study:
    """B1 to B3 and B5, as published and mended. `mnistlab study double-softmax`."""
    pairs = (
        (recipes.double_softmax, recipes.double_softmax_logits, B3),
        (recipes.double_softmax_slow, recipes.double_softmax_slow_logits, B5),
        (recipes.full_batch, recipes.full_batch_logits, B1),
        (recipes.full_batch_long, recipes.full_batch_long_logits, B2),
    )
    return Study(
        name="double-softmax",
        system="B",
        question="What does it cost to apply softmax in the network and again in the loss?",
        arms=tuple(
            arm
            for published, mended, figure in pairs
            for arm in (
                _arm(published(), figure, NEAR_CHANCE if figure == B1 else SINGLE),
                _arm(mended(), figure, MENDED),
            )
        ),
        decide=_cost_of_the_mistake,
        confusions=("double-softmax", "double-softmax-logits"),
        n_seeds=5,
    )


def _arm(recipe: Recipe, published: str, why: str) -> Arm:
    listing = B2_LISTING if (published, why) == (B2, SINGLE) else {}
    return Arm(
        recipe,
        {"fashion-mnist": published},
        {"fashion-mnist": why},
        published_by_epoch={"fashion-mnist": listing},
    )


def _six_or_ten(results: Sequence[ArmResult]) -> str:
    by_name = {result.arm.name: result for result in results}
    six, ten = by_name["batch-6"], by_name["double-softmax"]
    (gain,) = gains([(six, ten)])
    lowest, highest = min(ten.each("test_accuracy")), max(ten.each("test_accuracy"))
    return (
        f"Batch 6 against batch 10: {gain_text(gain)} on the test part over {seeds(results)}. One "
        f"batch size alone spreads from {lowest:.4f} to {highest:.4f} (batch 10)."
    )


def _cost_of_the_mistake(results: Sequence[ArmResult]) -> str:
    by_name = {result.arm.name: result for result in results}
    names = [name for name in by_name if f"{name}-logits" in by_name]
    told = gains([(by_name[f"{name}-logits"], by_name[name]) for name in names])
    pairs = [f"{name} {gain_text(gain)}" for name, gain in zip(names, told, strict=True)]
    floor = min(min(epoch["train_loss"] for epoch in run.log) for run in results[0].runs)
    return (
        f"With the second softmax the loss never fell below {floor:.4f} nats (it cannot fall below "
        f"1.4612 for ten classes). The correct loss changes test accuracy by: {'; '.join(pairs)} "
        f"({seeds(results)}).{correction(told)}"
    )
