"""Write-up A, rows A1 to A8: embeddings, the MLP in NumPy alone, and the SVM.

All use row A1's split of the 70,000 MNIST images: 49,000 train, 10,500 validation, 10,500 test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

from mnistlab import (
    Arm,
    ArmResult,
    EmbeddingResult,
    EmbeddingStudy,
    GridResult,
    GridStudy,
    Phase,
    Recipe,
    Study,
    wording,
)

SIZES = (1000, 2000, 5000, 10_000, 20_000)  # training images of mlp-vs-svm, besides all of them
BATCH_SIZES = (32, 64, 128, 256, 512)
LEARNING_RATES = (0.001, 0.003, 0.01, 0.03, 0.1)


def scratch_mlp() -> Recipe:
    """A4 as published, 101,770 parameters. `mnistlab train scratch-mlp --data mnist`, 25 s."""
    return Recipe(
        name="scratch-mlp",
        expect={"mnist": (0.973, 0.9795)},
        system="A4",
        summary="784-128-10 in NumPy",
        model="scratch",
        model_args={"hidden_sizes": (128,)},
        split="stratified-70-15-15",
        scaling="min-max",
        phases=(Phase("momentum", learning_rate=0.01, epochs=50),),
        batch_size=128,
    )


def scratch_mlp_tuned() -> Recipe:
    """A4's network; rate, schedule and weight decay chosen on validation (decision 0004)."""
    return replace(
        scratch_mlp(),
        name="scratch-mlp-tuned",
        expect={"mnist": (0.978, 0.9825)},
        phases=(Phase("momentum", 0.1, 50, "cosine", weight_decay=5e-4),),
    )


def scratch_cnn() -> Recipe:
    """E3's network in NumPy, 20,490 parameters. `mnistlab train scratch-cnn --set n_train=10000`.

    Five epochs take half a minute with 10,000 images, two and a half with all 49,000.
    """
    return replace(
        scratch_mlp(),
        name="scratch-cnn",
        expect={"mnist": (0.984, 0.991)},
        system="E3",
        summary="conv 16, conv 32, linear in NumPy",
        model_args={"channels": (16, 32), "hidden_sizes": ()},
        phases=(Phase("adam", learning_rate=3e-3, epochs=5, schedule="one-cycle"),),
        batch_size=64,
    )


def svm() -> Recipe:
    """A6: RBF SVM at the grid's best point (study svm-grid). `mnistlab train svm --data mnist`."""
    return Recipe(
        name="svm",
        expect={"mnist": (0.9816, 0.9866), "fashion-mnist": (0.8966, 0.9079)},
        system="A6",
        summary="support vector machine, RBF kernel",
        model="svm",
        model_args={"C": 10.0, "gamma": "scale"},
        split="stratified-70-15-15",
        scaling="min-max",
        phases=(),
    )


def embedding_study() -> EmbeddingStudy:
    """A2. `mnistlab study embedding --data mnist`: a minute."""
    return EmbeddingStudy(
        name="embedding",
        system="A2",
        question="How many principal components hold most of the images' variance, and are the "
        "classes apart before any label is used?",
        decide=_variance_and_neighbours,
        protocol="stratified-70-15-15",
    )


def mlp_batch_size_study() -> Study:
    """A5, with learning rates. `mnistlab study mlp-batch-size --data mnist`: ten minutes."""
    base = replace(scratch_mlp(), system="A5")
    (phase,) = base.phases
    batches = [replace(base, name=f"batch-{size}", batch_size=size) for size in BATCH_SIZES]
    rates = [
        replace(base, name=f"rate-{rate:g}", phases=(replace(phase, learning_rate=rate),))
        for rate in LEARNING_RATES
        if rate != phase.learning_rate
    ]
    return Study(
        name="mlp-batch-size",
        system="A5",
        question="How do batch size and learning rate change the NumPy network's convergence, "
        "final accuracy and seconds per epoch?",
        arms=tuple(Arm(recipe) for recipe in (*batches, *rates)),
        decide=_batch_and_rate,
    )


def svm_grid_study() -> GridStudy:
    """A6. `mnistlab study svm-grid --data mnist`: two to five minutes."""
    return GridStudy(
        name="svm-grid",
        system="A6",
        question="Which C and gamma suit the support vector machine, and how accurate is it then?",
        recipe=svm(),
        rows=("C", (0.1, 1.0, 10.0)),
        columns=("gamma", ("scale", "auto", 0.01)),
        n_folds=3,
        n_search=5000,
        decide=_best_point,
    )


def mlp_vs_svm_study() -> Study:
    """A8. `mnistlab study mlp-vs-svm --data mnist`: ten minutes with the fast-svm extra."""
    methods = (scratch_mlp(), scratch_mlp_tuned(), svm())
    smaller = [
        replace(recipe, name=f"{recipe.name}-{n}", n_train=n, system="A8")
        for recipe in (scratch_mlp(), svm())
        for n in SIZES
    ]
    return Study(
        name="mlp-vs-svm",
        system="A8",
        question="NumPy network or support vector machine: which is more accurate, and how does "
        "the cost of each grow with the training set?",
        arms=tuple(Arm(recipe) for recipe in (*methods, *smaller)),
        decide=_mlp_or_svm,
        confusions=tuple(recipe.name for recipe in methods),
        n_seeds=5,
    )


def pixel_scaling_study() -> Study:
    """A1's scaling for A4 and A6. `mnistlab study pixel-scaling --data mnist`: five minutes."""
    pairs = (
        (recipe, replace(recipe, name=f"{recipe.name}-per-pixel", scaling="min-max-per-pixel"))
        for recipe in (scratch_mlp(), svm())
    )
    return Study(
        name="pixel-scaling",
        system="A1",
        question="Does it help to scale each pixel by its own range (MinMaxScaler) instead of all "
        "pixels by one range?",
        arms=tuple(Arm(recipe) for pair in pairs for recipe in pair),
        decide=_per_pixel_or_not,
        n_seeds=5,
    )


def _variance_and_neighbours(result: EmbeddingResult) -> str:
    spaces = ", ".join(f"{100 * value:.1f} % by {name}" for name, value in result.agreement.items())
    return (
        f"{len(result.variance)} principal components of {result.dataset.images[0].size} hold "
        f"{100 * sum(result.variance):.1f} % of the variance. The majority class of an image's ten "
        f"nearest neighbours, found without labels, is the image's own class for {spaces}."
    )


def _batch_and_rate(results: Sequence[ArmResult]) -> str:
    def val(result: ArmResult) -> float:
        return result.mean("val_accuracy")

    def epoch_time_s(result: ArmResult) -> float:
        return fmean(run.result["train_time_s"] / run.result["epochs"] for run in result.runs)

    batches = [result for result in results if result.arm.name.startswith("batch-")]
    (published,) = [result for result in batches if result.arm.name == "batch-128"]
    others = [result for result in results if result is not published]
    rates = [result for result in results if result.arm.name.startswith("rate-")]
    small, *_, large = batches
    best_batch, best_rate = max(batches, key=val), max([*rates, published], key=val)
    return (
        f"At one learning rate and {small.runs[0].result['epochs']} epochs validation accuracy is "
        f"{val(small):.4f} at batch {small.arm.recipe.batch_size} and {val(large):.4f} at "
        f"{large.arm.recipe.batch_size}, while an epoch takes {epoch_time_s(small):.2f} s and "
        f"{epoch_time_s(large):.2f} s. Best on validation: batch "
        f"{best_batch.arm.recipe.batch_size}, and at batch 128 the rate "
        f"{best_rate.arm.recipe.phases[0].learning_rate:g}. {wording.against(published, others)}"
    )


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
    mlp, tuned, machine, *_ = results
    gains = wording.gains([(machine, mlp), (machine, tuned), (tuned, mlp)])
    over_mlp, over_tuned, by_tuning = map(wording.gain_text, gains)
    growth = wording.growth(results, "train_time_s")
    return (
        f"On the test part the SVM is right {100 * machine.test_accuracy[0]:.2f} % of the time, "
        f"the network {100 * mlp.test_accuracy[0]:.2f} % as published and "
        f"{100 * tuned.test_accuracy[0]:.2f} % tuned: the SVM gains {over_mlp} on the first and "
        f"{over_tuned} on the second, tuning the network gains {by_tuning} "
        f"({wording.seeds([mlp])}).{wording.correction(gains)} Training took "
        f"{machine.mean('train_time_s'):.1f} s and {mlp.mean('train_time_s'):.1f} s, prediction "
        f"{machine.mean('predict_time_s'):.2f} s and {mlp.mean('predict_time_s'):.3f} s"
        + (f"; training time grows as {growth}." if growth else ".")
    )


def _per_pixel_or_not(results: Sequence[ArmResult]) -> str:
    mlp, mlp_per_pixel, machine, machine_per_pixel = results
    (gain,) = wording.gains([(mlp_per_pixel, mlp)])
    return (
        f"Scaling each pixel by its own range changes the network's test accuracy by "
        f"{wording.gain_text(gain)} ({wording.seeds(results)}), and that of the SVM, in which "
        f"nothing is random, from {machine.test_accuracy[0]:.4f} to "
        f"{machine_per_pixel.test_accuracy[0]:.4f}."
    )
