"""Write-up E: three models of growing capacity, as published and tuned, and A9 above them."""

from __future__ import annotations

from collections.abc import Sequence

from mnistlab.recipes import ladder as recipes
from mnistlab.study import Arm, ArmResult, Study

SINGLE_RUN = "the write-up prints one run's rounded figure; this is the mean over seeds"
TUNED = "same network; optimizer, rate and schedule chosen on validation"


def ladder() -> Study:
    """`mnistlab study ladder`: a minute on fashion-mini, most of an hour with --data mnist."""
    return Study(
        name="ladder",
        system="E",
        question=(
            "How much accuracy does each step of capacity buy, from softmax regression over a "
            "hidden layer to convolutions, and how much does tuning the training buy?"
        ),
        arms=(
            Arm(recipes.softmax(), {"mnist": "about 0.92"}, {"mnist": SINGLE_RUN}),
            Arm(recipes.mlp(), {"mnist": "about 0.97"}, {"mnist": SINGLE_RUN}),
            Arm(recipes.cnn_small(), {"mnist": "0.98 to 0.99"}, {"mnist": SINGLE_RUN}),
            Arm(recipes.softmax_tuned(), {"mnist": "about 0.92"}, {"mnist": TUNED}),
            Arm(recipes.mlp_tuned(), {"mnist": "about 0.97"}, {"mnist": TUNED}),
            Arm(recipes.cnn_small_tuned(), {"mnist": "0.98 to 0.99"}, {"mnist": TUNED}),
            Arm(recipes.simple_cnn_tuned()),
        ),
        decide=answer,
        gallery=("softmax", "mlp", "cnn-small"),
    )


def answer(results: Sequence[ArmResult]) -> str:
    """The gain of each step of capacity and of tuning, in points, and the best arm."""
    mean = {result.arm.name: result.test_accuracy[0] for result in results}
    best = max(results, key=lambda result: result.test_accuracy[0])
    tuning = [mean[f"{name}-tuned"] - mean[name] for name in ("softmax", "mlp", "cnn-small")]
    return (
        f"From softmax regression ({mean['softmax']:.3f}) a hidden layer buys "
        f"{_points(mean['mlp'] - mean['softmax'])} and convolutions with a quarter of its "
        f"parameters {_points(mean['cnn-small'] - mean['mlp'])} on it; tuning the training buys "
        f"{_points(min(tuning))} to {_points(max(tuning))} on the same networks. Best on the test "
        f"part: {best.arm.name} with {best.test_accuracy[0]:.4f}, mean of {len(best.runs)} "
        f"{'seeds' if len(best.runs) > 1 else 'seed'}."
    )


def _points(difference: float) -> str:
    return f"{100 * difference:+.1f} points".replace("-", "\N{MINUS SIGN}")
