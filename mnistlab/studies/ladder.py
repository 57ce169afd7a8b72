"""Write-up E: three models of growing capacity, as published and tuned, and A9 above them."""

from __future__ import annotations

from collections.abc import Sequence

from mnistlab.recipe import Recipe
from mnistlab.recipes import ladder as recipes
from mnistlab.studies.wording import best_on_validation, correction, gain_text, gains
from mnistlab.study import Arm, ArmResult, Study

# What write-up E prints for MNIST; and single trial runs of the same recipes, their last epoch.
PUBLISHED = {
    "softmax": {"mnist": "about 0.92; trial 0.921", "fashion-mnist": "trial 0.820"},
    "mlp": {"mnist": "about 0.97; trial 0.965", "fashion-mnist": "trial 0.839"},
    "cnn-small": {"mnist": "0.98 to 0.99; trial 0.985", "fashion-mnist": "trial 0.858"},
}
SINGLE = "one run there, here the mean over seeds; on all training images, last epoch, as there"
TUNED = "same network, but optimizer, rate and schedule were chosen on validation"


def ladder() -> Study:
    """`mnistlab study ladder`: two minutes on fashion-mini, most of an hour with --data mnist."""
    published = (recipes.softmax, recipes.mlp, recipes.cnn_small)
    tuned = (recipes.softmax_tuned, recipes.mlp_tuned, recipes.cnn_small_tuned)
    return Study(
        name="ladder",
        system="E",
        question=(
            "How much accuracy does each step of capacity buy, from softmax regression over a "
            "hidden layer to convolutions, and how much does tuning the training buy?"
        ),
        arms=(
            *(_arm(make(), make().name, SINGLE) for make in published),
            *(_arm(make(), make().name.removesuffix("-tuned"), TUNED) for make in tuned),
            Arm(recipes.simple_cnn_tuned()),
        ),
        decide=answer,
        gallery=("softmax", "mlp", "cnn-small"),
    )


def _arm(recipe: Recipe, of: str, why: str) -> Arm:
    return Arm(recipe, PUBLISHED[of], dict.fromkeys(PUBLISHED[of], why))


def answer(results: Sequence[ArmResult]) -> str:
    """The gain of each step of capacity and of tuning on the test part, and validation's choice."""
    by_name = {result.arm.name: result for result in results}
    softmax, mlp, cnn = networks = [by_name[name] for name in ("softmax", "mlp", "cnn-small")]
    best = best_on_validation(results)
    tuned = [(by_name[f"{network.arm.name}-tuned"], network) for network in networks]
    told = gains([(mlp, softmax), (cnn, mlp), *tuned])
    hidden, convolutions, *tuning = map(gain_text, told)
    by_tuning = [f"{each} on {arm.arm.name}" for each, arm in zip(tuning, networks, strict=True)]
    return (
        f"From softmax regression ({softmax.test_accuracy[0]:.3f}) a hidden layer buys {hidden} "
        f"and convolutions with a quarter of its parameters {convolutions} on it; tuning the "
        f"training buys {', '.join(by_tuning)}.{correction(told)} Best on validation: "
        f"{best.arm.name}, which reaches {best.test_accuracy[0]:.4f} on the test part, "
        f"mean of {len(best.runs)} {'seeds' if len(best.runs) > 1 else 'seed'}."
    )
