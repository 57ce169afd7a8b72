"""Write-up C: regularisation of dense and convolutional networks, scaling, the final model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from mnistlab.evaluation import Difference
from mnistlab.recipe import Recipe
from mnistlab.recipes import portfolio as recipes
from mnistlab.studies.wording import against_base, correction, gain_text, gains, seeds
from mnistlab.study import Arm, ArmResult, Study

# Best-looking validation accuracies as write-up C prints them, and its final model's test part.
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
    "final": "val 0.914, test 0.916",
}
SHORTENED = (6, 2, 2)  # epochs of the final model's phases that fit into an hour on two cores
WHY = "one run on C's own drawing of 52,500 images; here all 70,000, mean over seeds"


def mlp_regularisation() -> Study:
    """C1 to C7. `mnistlab study mlp-regularisation --data fashion-mnist`."""
    return _regularisation("mlp-regularisation", "C1", "dense", recipes.DENSE_ARMS)


def cnn_regularisation() -> Study:
    """C8 to C14. `mnistlab study cnn-regularisation --data fashion-mnist`."""
    return _regularisation("cnn-regularisation", "C8", "convolutional", recipes.CONV_ARMS)


def shuffling() -> Study:
    """What C's order cost. `mnistlab study shuffling --data fashion-mnist`."""
    bases = [make() for make in (recipes.DENSE_ARMS | recipes.CONV_ARMS).values()]
    pairs = [(_arm(base), Arm(recipes.shuffled(base))) for base in bases]
    return Study(
        name="shuffling",
        system="C",
        question="Write-up C's networks see the images in the same order in every epoch: what is "
        "shuffling them worth?",
        arms=tuple(arm for pair in pairs for arm in pair),
        decide=_worth_of_shuffling,
        together=tuple((base.name, arm.name) for base, arm in pairs),
        n_seeds=5,
    )


def scaling() -> Study:
    """What C's raw pixels cost. `mnistlab study scaling --data fashion-mnist`."""
    bases = (recipes.DENSE_ARMS["dense-base"](), recipes.CONV_ARMS["conv-base"]())
    return Study(
        name="scaling",
        system="C",
        question="Pixels from 0 to 255 go into write-up C's networks as they are: what is scaling "
        "them worth?",
        arms=tuple(
            _arm(base)
            if scaling == "none"
            else Arm(replace(base, name=f"{base.name}-{scaling}", scaling=scaling))
            for base in bases
            for scaling in ("none", "min-max", "standard")
        ),
        decide=_worth_of_scaling,
    )


def stratifying() -> Study:
    """What C's plain split cost. `mnistlab study stratifying --data fashion-mnist`."""
    bases = (recipes.DENSE_ARMS["dense-base"](), recipes.CONV_ARMS["conv-base"]())
    return Study(
        name="stratifying",
        system="C",
        question="Write-up C cuts its data without regard to classes: what is a stratified split "
        "worth?",
        arms=tuple(
            arm
            for base in bases
            for arm in (
                _arm(base),
                Arm(
                    replace(
                        base,
                        name=f"{base.name}-stratified",
                        split="stratified-60-20-20",
                        expect={},
                    )
                ),
            )
        ),
        decide=_worth_of_stratifying,
        n_seeds=5,
    )


def final() -> Study:
    """C17. `mnistlab study final --data fashion-mnist`: days on two cores; see --quick."""
    return Study(
        name="final",
        system="C17",
        question="How far does write-up C's final network get in its three phases?",
        arms=(_arm(recipes.final()),),
        decide=_how_far,
        confusions=("final",),
        n_seeds=1,
    )


def final_shortened() -> Study:
    """C17 cut short. `mnistlab study final-shortened --data fashion-mnist`: an hour."""
    whole = recipes.final()
    phases = (replace(phase, epochs=n) for phase, n in zip(whole.phases, SHORTENED, strict=True))
    recipe = replace(whole, name="final-shortened", phases=tuple(phases))
    return Study(
        name="final-shortened",
        system="C17",
        question="How far does write-up C's final network get in its three phases, each cut "
        "short to what two cores do in an hour?",
        arms=(
            Arm(
                recipe,
                {"fashion-mnist": PUBLISHED["final"]},
                {"fashion-mnist": f"cut to {sum(SHORTENED)} epochs; published after 43 and more"},
            ),
        ),
        decide=_how_far,
        confusions=("final-shortened",),
        n_seeds=5,
    )


def final_tuned() -> Study:
    """C17 trained another way. `mnistlab study final-tuned --data fashion-mnist`: half an hour."""
    recipe = recipes.final_tuned()
    return Study(
        name="final-tuned",
        system="C17",
        question="How far does write-up C's final network get within half an hour on two cores, "
        "in three phases of our own?",
        arms=(
            Arm(
                recipe,
                {"fashion-mnist": PUBLISHED["final"]},
                {
                    "fashion-mnist": "another training: one cycle, mirrored and shifted images, "
                    "half the dropout"
                },
            ),
        ),
        decide=_how_far,
        confusions=("final-tuned",),
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
        decide=against_base,
        bars=True,
        n_seeds=5,
    )


def _arm(recipe: Recipe) -> Arm:
    published = PUBLISHED.get(recipe.name)
    if published is None:
        return Arm(recipe)
    return Arm(recipe, {"fashion-mnist": published}, {"fashion-mnist": WHY})


def _how_far(results: Sequence[ArmResult]) -> str:
    (result,) = results
    epochs = [
        sum(epoch["phase"] == number for run in result.runs for epoch in run.log)
        for number in range(len(result.arm.recipe.phases))
    ]
    return (
        f"{result.mean('val_accuracy'):.4f} on validation and {result.test_accuracy[0]:.4f} on the "
        f"test part ({seeds(results)}), after {', '.join(map(str, epochs))} epochs of its phases."
    )


def _worth_of_shuffling(results: Sequence[ArmResult]) -> str:
    pairs = list(zip(results[::2], results[1::2], strict=True))
    base, arm = next(pair for pair in pairs if pair[0].arm.name == "dense-sgd")
    return (
        f"Shuffling changes test accuracy by: {_gained(pairs)} ({seeds(results)}). From one "
        "epoch to the next the validation accuracy of dense-sgd falls by at most "
        f"{100 * _largest_fall(base):.1f} points in file order, shuffled by up to "
        f"{100 * _largest_fall(arm):.1f}.{correction(_gains(pairs))}"
    )


def _worth_of_stratifying(results: Sequence[ArmResult]) -> str:
    pairs = list(zip(results[::2], results[1::2], strict=True))
    return (
        f"A stratified split changes test accuracy by: {_gained(pairs)} ({seeds(results)}). The "
        "two splits have test images of their own, so a difference may be theirs."
        f"{correction(_gains(pairs))}"
    )


def _gains(pairs: Sequence[tuple[ArmResult, ArmResult]]) -> list[Difference]:
    """Of each second arm over the first, corrected together."""
    return gains([(arm, base) for base, arm in pairs])


def _gained(pairs: Sequence[tuple[ArmResult, ArmResult]]) -> str:
    told = zip(pairs, _gains(pairs), strict=True)
    return "; ".join(f"{base.arm.name} {gain_text(gain)}" for (base, _), gain in told)


def _largest_fall(result: ArmResult) -> float:
    """Of the validation accuracy from one epoch to the next, in any seed; 0 where it only rises."""
    curves = [[epoch["val_accuracy"] for epoch in run.log] for run in result.runs]
    falls = [before - after for curve in curves for before, after in pairwise(curve)]
    return float(max([0.0, *falls]))


def _worth_of_scaling(results: Sequence[ArmResult]) -> str:
    by_name = {result.arm.name: result for result in results}
    pairs = [
        (base, scaling)
        for base in ("dense-base", "conv-base")
        for scaling in ("min-max", "standard")
    ]
    told = gains([(by_name[f"{base}-{scaling}"], by_name[base]) for base, scaling in pairs])
    parts = [
        f"{base} {gain_text(gain)} by {scaling}"
        for (base, scaling), gain in zip(pairs, told, strict=True)
    ]
    return (
        f"Scaling changes test accuracy by: {'; '.join(parts)} ({seeds(results)})."
        f"{correction(told)}"
    )
