"""Write-up E, an MNIST case study: softmax regression, a hidden layer, convolutions.

Rows E1 to E6. As published means the write-up's own optimizer, rate, batch and epochs, on all
60,000 images, without a validation part, measured after the last epoch. Tuned means the same
network, with optimizer, schedule and rate chosen on the validation part within ten epochs;
docs/decisions/0003 lists what was tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mnistlab import Arm, ArmResult, Phase, Recipe, Study, wording

FIVE_EPOCHS = Phase("sgd", learning_rate=0.1, epochs=5, keep="last")

# What write-up E prints for MNIST; and single trial runs of the same recipes, their last epoch.
PUBLISHED = {
    "softmax": {"mnist": "about 0.92; trial 0.921", "fashion-mnist": "trial 0.820"},
    "mlp": {"mnist": "about 0.97; trial 0.965", "fashion-mnist": "trial 0.839"},
    "cnn-small": {"mnist": "0.98 to 0.99; trial 0.985", "fashion-mnist": "trial 0.858"},
}
SINGLE = "one run there, here the mean over seeds; on all training images, last epoch, as there"
TUNED = "same network, but optimizer, rate and schedule were chosen on validation"


def softmax() -> Recipe:
    """E1: softmax regression, 7,850 parameters. `mnistlab train softmax --data mnist`, 5 s."""
    return Recipe(
        name="softmax",
        expect={"mnist": (0.91, 0.93), "fashion-mnist": (0.815, 0.85)},
        system="E1",
        summary="softmax regression 784-10",
        model="mlp",
        model_args={"hidden_sizes": ()},
        split="train-test",
        scaling="min-max",
        phases=(FIVE_EPOCHS,),
    )


def mlp() -> Recipe:
    """E2: one hidden layer of 100, 79,510 parameters. `mnistlab train mlp --data mnist`, 6 s."""
    return replace(
        softmax(),
        name="mlp",
        expect={"mnist": (0.955, 0.975), "fashion-mnist": (0.835, 0.87)},
        system="E2",
        summary="one hidden layer, 784-100-10",
        model_args={"hidden_sizes": (100,)},
    )


def cnn_small() -> Recipe:
    """E3: convolutions of 16 and 32, 20,490 parameters. `mnistlab train cnn-small --data mnist`."""
    return replace(
        softmax(),
        name="cnn-small",
        expect={"mnist": (0.98, 0.991), "fashion-mnist": (0.87, 0.9)},
        system="E3",
        summary="conv 16, conv 32, linear",
        model="cnn",
        model_args={"channels": (16, 32)},
    )


def softmax_tuned() -> Recipe:
    """E1's network, tuned."""
    return replace(
        softmax(),
        name="softmax-tuned",
        split="auto",
        expect={"mnist": (0.924, 0.931), "fashion-mnist": (0.84, 0.852)},
        phases=(Phase("adam", 3e-3, 10, "cosine"),),
        batch_size=128,
    )


def mlp_tuned() -> Recipe:
    """E2's network, tuned."""
    return replace(
        mlp(),
        name="mlp-tuned",
        split="auto",
        expect={"mnist": (0.977, 0.984), "fashion-mnist": (0.88, 0.893)},
        scaling="standard",
        phases=(Phase("momentum", 0.05, 10, "cosine"),),
        batch_size=128,
    )


def cnn_small_tuned() -> Recipe:
    """E3's network, tuned."""
    return replace(
        cnn_small(),
        name="cnn-small-tuned",
        split="auto",
        expect={"mnist": (0.989, 0.9935), "fashion-mnist": (0.908, 0.92)},
        scaling="standard",
        phases=(Phase("adam", 3e-3, 10, "one-cycle"),),
    )


def ladder_study() -> Study:
    """`mnistlab study ladder`: two minutes on fashion-mini, most of an hour with --data mnist."""
    from mnistlab import get_recipe  # of the registry, which imports this module

    published = (softmax(), mlp(), cnn_small())
    tuned = (softmax_tuned(), mlp_tuned(), cnn_small_tuned())
    return Study(
        name="ladder",
        system="E",
        question="How much accuracy does each larger model gain, from softmax regression over one "
        "hidden layer to convolutions, and how much does tuning the training gain?",
        arms=(
            *(_arm(recipe, recipe.name, SINGLE) for recipe in published),
            *(_arm(recipe, recipe.name.removesuffix("-tuned"), TUNED) for recipe in tuned),
            Arm(get_recipe("simple-cnn-tuned")),  # write-up A's network, above the three
        ),
        decide=_gain_of_each_step,
        gallery=("softmax", "mlp", "cnn-small"),
    )


def _arm(recipe: Recipe, row: str, why: str) -> Arm:
    return Arm(recipe, PUBLISHED[row], dict.fromkeys(PUBLISHED[row], why))


def _gain_of_each_step(results: Sequence[ArmResult]) -> str:
    softmax, mlp, cnn, *tuned = results[:6]
    best = wording.best_on_validation(results)
    pairs = [(mlp, softmax), (cnn, mlp), *zip(tuned, (softmax, mlp, cnn), strict=True)]
    gains = wording.gains(pairs)
    hidden, convolutions, *tuning = map(wording.gain_text, gains)
    networks = zip(tuning, (softmax, mlp, cnn), strict=True)
    by_tuning = [f"{gain} for {base.arm.name}" for gain, base in networks]
    return (
        f"Over softmax regression ({softmax.test_accuracy[0]:.3f}) a hidden layer gains {hidden}, "
        f"and over that, convolutions with a quarter of its parameters gain {convolutions}; tuning "
        f"the training gains {', '.join(by_tuning)}.{wording.correction(gains)} Best on "
        f"validation: {best.arm.name}, which reaches {best.test_accuracy[0]:.4f} on the test part, "
        f"mean of {len(best.runs)} {'seeds' if len(best.runs) > 1 else 'seed'}."
    )
