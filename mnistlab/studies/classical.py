"""Write-up A's classical half: embeddings (A2), batches (A5), the grid (A6), MLP and SVM (A8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

from mnistlab.data.scaling import PER_PIXEL
from mnistlab.evaluation import power_law
from mnistlab.recipe import Recipe
from mnistlab.recipes import by_hand
from mnistlab.studies.wording import against, correction, gain_text, gains, seeds
from mnistlab.study import (
    Arm,
    ArmResult,
    EmbeddingResult,
    EmbeddingStudy,
    GridResult,
    GridStudy,
    Study,
    growing_families,
)

SIZES = (1000, 2000, 5000, 10_000, 20_000)  # and all
BATCH_SIZES = (32, 64, 128, 256, 512)
LEARNING_RATES = (0.001, 0.003, 0.01, 0.03, 0.1)


def embedding() -> EmbeddingStudy:
    """A2. `mnistlab study embedding --data mnist`: a minute."""
    return EmbeddingStudy(
        name="embedding",
        system="A2",
        question="How much of the images lies in few directions, and do the classes part by "
        "themselves?",
        decide=_kept,
        protocol="stratified-70-15-15",
    )


def mlp_batch_size() -> Study:
    """A5, with learning rates. `mnistlab study mlp-batch-size --data mnist`: ten minutes."""
    base = by_hand.scratch_mlp()
    (phase,) = base.phases
    batches = [
        replace(base, name=f"batch-{size}", system="A5", batch_size=size) for size in BATCH_SIZES
    ]
    rates = [
        replace(
            base, name=f"rate-{rate:g}", system="A5", phases=(replace(phase, learning_rate=rate),)
        )
        for rate in LEARNING_RATES
        if rate != phase.learning_rate
    ]
    return Study(
        name="mlp-batch-size",
        system="A5",
        question="What do batch size and learning rate do to the network by hand: how fast does it "
        "converge, where does it end, and what does an epoch cost?",
        arms=tuple(Arm(recipe) for recipe in (*batches, *rates)),
        decide=_batch_and_rate,
    )


def svm_grid() -> GridStudy:
    """A6. `mnistlab study svm-grid --data mnist`: two to five minutes."""
    return GridStudy(
        name="svm-grid",
        system="A6",
        question="Which C and gamma suit the support vector machine, and how good is it then?",
        recipe=by_hand.svm(),
        rows=("C", (0.1, 1.0, 10.0)),
        columns=("gamma", ("scale", "auto", 0.01)),
        n_folds=3,
        n_search=5000,
        decide=_best_point,
    )


def mlp_vs_svm() -> Study:
    """A8. `mnistlab study mlp-vs-svm --data mnist`: ten minutes with the fast-svm extra."""
    methods = (by_hand.scratch_mlp(), by_hand.scratch_mlp_tuned(), by_hand.svm())
    grown = (by_hand.scratch_mlp(), by_hand.svm())
    return Study(
        name="mlp-vs-svm",
        system="A8",
        question="Network by hand or support vector machine: which is right more often, and what "
        "do they cost as the training set grows?",
        arms=(
            *(Arm(recipe) for recipe in methods),
            *(Arm(_on(recipe, size)) for recipe in grown for size in SIZES),
        ),
        decide=_mlp_or_svm,
        confusions=tuple(recipe.name for recipe in methods),
        n_seeds=5,
    )


def pixel_scaling() -> Study:
    """A1's scaling for A4 and A6. `mnistlab study pixel-scaling --data mnist`: five minutes."""
    methods = (by_hand.scratch_mlp(), by_hand.svm())
    return Study(
        name="pixel-scaling",
        system="A1",
        question="What is it worth to scale each pixel by its own range (MinMaxScaler), not all "
        "by one?",
        arms=tuple(Arm(recipe) for method in methods for recipe in (method, _per_pixel(method))),
        decide=_per_pixel_or_not,
        n_seeds=5,
    )


def _per_pixel(recipe: Recipe) -> Recipe:
    return replace(recipe, name=f"{recipe.name}-per-pixel", scaling=PER_PIXEL)


def _on(recipe: Recipe, n_train: int) -> Recipe:
    return replace(recipe, name=f"{recipe.name}-{n_train}", n_train=n_train, system="A8")


def _per_pixel_or_not(results: Sequence[ArmResult]) -> str:
    mlp, mlp_per_pixel, svm, svm_per_pixel = results
    (of_mlp,) = gains([(mlp_per_pixel, mlp)])
    return (
        f"Against one range for all pixels, a range for each changes test accuracy by "
        f"{gain_text(of_mlp)} for the network ({seeds(results)}), and for the SVM, in which "
        f"nothing is random, from {svm.test_accuracy[0]:.4f} to "
        f"{svm_per_pixel.test_accuracy[0]:.4f}."
    )


def _kept(result: EmbeddingResult) -> str:
    share, components = sum(result.variance), len(result.variance)
    spaces = ", ".join(f"{100 * value:.1f} % by {name}" for name, value in result.agreement.items())
    return (
        f"{components} principal components of {result.dataset.images[0].size} hold "
        f"{100 * share:.1f} % of the variance. An image's ten nearest neighbours, placed without "
        f"labels, name its class correctly for {spaces}."
    )


def _batch_and_rate(results: Sequence[ArmResult]) -> str:
    def ends(prefix: str) -> list[ArmResult]:
        return [result for result in results if result.arm.name.startswith(prefix)]

    def val(result: ArmResult) -> float:
        return result.mean("val_accuracy")

    batches, rates = ends("batch-"), [*ends("rate-"), *ends("batch-128")]
    small, large = batches[0], batches[-1]
    (published,) = ends("batch-128")
    best_batch, best_rate = max(batches, key=val), max(rates, key=val)
    rate = best_rate.arm.recipe.phases[0].learning_rate
    return (
        f"At one learning rate and {small.runs[0].result['epochs']} epochs validation accuracy is "
        f"{val(small):.4f} at batch {small.arm.recipe.batch_size} and {val(large):.4f} at "
        f"{large.arm.recipe.batch_size}, while an epoch takes {_epoch_time(small):.2f} s and "
        f"{_epoch_time(large):.2f} s. Best on validation: batch "
        f"{best_batch.arm.recipe.batch_size}, and at batch 128 the rate {rate:g}. "
        f"{against(published, [arm for arm in results if arm is not published])}"
    )


def _epoch_time(result: ArmResult) -> float:
    return fmean(run.result["train_time_s"] / run.result["epochs"] for run in result.runs)


def _best_point(result: GridResult) -> str:
    point, run = result.best, result.run.result
    arguments = ", ".join(f"{k} = {v}" for k, v in point.recipe.model_args.items())
    low, high = run["test_accuracy_ci"]
    return (
        f"Best of the grid: {arguments}, {100 * point.mean:.2f} % in {len(point.accuracy)}-fold "
        f"cross-validation on {point.n_images:,} images. Trained on all "
        f"{result.run.data['n_train']:,} it reaches {run['val_accuracy']:.4f} on validation and "
        f"{run['test_accuracy']:.4f} on the test part (95 % interval {low:.4f} to {high:.4f})."
    )


def _mlp_or_svm(results: Sequence[ArmResult]) -> str:
    by_name = {result.arm.name: result for result in results}
    mlp, tuned, svm = (by_name[name] for name in ("scratch-mlp", "scratch-mlp-tuned", "svm"))
    grows = []
    for name, arms in growing_families(results).items():
        sizes = [arm.runs[0].data["n_train"] for arm in arms]
        exponent, _, _ = power_law(sizes, [arm.mean("train_time_s") for arm in arms])
        grows.append(f"n^{exponent:.2f} ({name})")
    told = gains([(svm, mlp), (svm, tuned), (tuned, mlp)])
    over_mlp, over_tuned, by_tuning = map(gain_text, told)
    return (
        f"On the test part the SVM is right {100 * svm.test_accuracy[0]:.2f} % of the time, the "
        f"network {100 * mlp.test_accuracy[0]:.2f} % as published and "
        f"{100 * tuned.test_accuracy[0]:.2f} % tuned: the SVM gains {over_mlp} on the one and "
        f"{over_tuned} on the other, tuning the network gains {by_tuning} ({seeds([mlp])})."
        f"{correction(told)} Training took "
        f"{svm.mean('train_time_s'):.1f} s and {mlp.mean('train_time_s'):.1f} s, prediction "
        f"{svm.mean('predict_time_s'):.2f} s and {mlp.mean('predict_time_s'):.3f} s"
        + (f"; training time grows as {' and '.join(grows)}." if grows else ".")
    )
