"""A page like that of study `ladder`, from made-up numbers and random images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mnistlab.reporting.figures.curves import learning_curves
from mnistlab.reporting.figures.images import before_and_after, image_grid
from mnistlab.reporting.figures.lines import Curves
from mnistlab.reporting.figures.matrix import confusion_matrix
from mnistlab.reporting.figures.rows import per_class_accuracy
from mnistlab.reporting.figures.scatter import accuracy_against_parameters
from mnistlab.reporting.page import Column, Fact, Number, Page, Section, Table

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> $\\frac{1}{0}$ {{ 7 * 7 }}"
CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
ARMS = ("softmax regression", "one hidden layer", "small CNN", "lr 0.1, constant", "lr 0.1, cosine")
N_PARAMETERS = {ARMS[0]: 7_850, ARMS[1]: 79_510, ARMS[2]: 20_490}
N_SEEDS, N_EPOCHS = 5, 30
COMMAND = "mnistlab study ladder --data fashion-mnist --seeds 5 --out studies-out/ladder"


def demo_page(
    images: NDArray[np.uint8] | None = None,
    labels: NDArray[np.int64] | None = None,
    class_names: Sequence[str] = CLASS_NAMES,
) -> Page:
    rng = np.random.default_rng(0)
    if images is None or labels is None:
        images = rng.integers(0, 256, (64, 28, 28), dtype=np.uint8)
        labels = rng.integers(0, 10, 64)
    after = np.where(rng.random(64) < 0.12, rng.integers(0, 10, 64), labels)
    counts = _counts(rng)
    accuracy = {
        arm: np.clip(mean + rng.normal(0, 0.0016, N_SEEDS), 0, 1)
        for arm, mean in zip(ARMS, (0.842, 0.879, 0.907), strict=False)
    }
    by_class = {
        arm: np.clip(np.diag(counts) / 1000 - lost + rng.normal(0, 0.015, 10), 0, 1)
        for arm, lost in zip(ARMS, (0.07, 0.03, 0.0), strict=False)
    }
    grid = image_grid(
        images, labels, None, class_names, caption="The first 64 images.", command=COMMAND
    )
    return Page(
        title="Three models of growing capacity",
        question="How far do 7,850, 79,510 and 20,490 parameters get, and what does each "
        "still get wrong?",
        answer="The small CNN reaches 90.7 % with a quarter of the hidden layer's parameters, "
        "2.8 points above it in every one of 5 seeds.",
        facts=(
            Fact("Data set", "Fashion-MNIST, official split"),
            Fact("Images", "55,000 / 5,000 / 10,000"),
            Fact("Seeds", "5, paired"),
            Fact("Machine", "AMD EPYC 9R14, 2 cores"),
            Fact("Threads", "2"),
            Fact("First class", class_names[0]),
        ),
        sections=(
            Section(
                "The data",
                "Grey images of 28 by 28 pixels in ten classes. Four of them, "
                f"{class_names[0]}, Pullover, Coat and Shirt, differ by little.\n\n"
                "Each is shown as the networks see it.",
                figures=(grid,),
            ),
            Section(
                "What training changes",
                "Before training the small CNN says the same of everything.",
                figures=before_and_after(
                    images, labels, {"before": np.full(64, 6), "after": after}, class_names
                ),
            ),
            Section(
                "Published against measured",
                "Means over five seeds with 95 % intervals (Student's t).",
                tables=(_table(accuracy), _wide_table(by_class, class_names)),
                figures=(
                    accuracy_against_parameters(
                        ARMS,
                        N_PARAMETERS,
                        accuracy,
                        caption="Each dot is a seed, the bar their mean.",
                        command=COMMAND,
                    ),
                ),
            ),
            Section(
                "A constant learning rate against a schedule",
                figures=(
                    learning_curves(
                        ARMS,
                        {ARMS[3]: _curves(rng, 0.011), ARMS[4]: _curves(rng, 0.0)},
                        caption="At a constant rate of 0.1 a single epoch may gain or lose two "
                        "points; the cosine schedule settles.",
                        command=COMMAND,
                    ),
                ),
            ),
            Section(
                "What is still wrong",
                figures=(
                    per_class_accuracy(
                        ARMS,
                        by_class,
                        class_names,
                        caption="Mean over five seeds, hardest class at the bottom.",
                        command=COMMAND,
                    ),
                    confusion_matrix(
                        counts,
                        class_names,
                        caption="The small CNN, first seed, 10,000 test images.",
                        command=COMMAND,
                    ),
                ),
            ),
        ),
        command=COMMAND,
    )


def _curves(rng: np.random.Generator, noise: float) -> Curves:
    epochs = np.arange(1, N_EPOCHS + 1)
    shape = (N_SEEDS, N_EPOCHS)
    settle = rng.normal(0, 0.0012 + 0.005 / epochs, shape)
    accuracy = 0.915 - 0.13 * np.exp(-epochs / 3.5) + settle + rng.normal(0, noise, shape)
    train_loss = 0.12 + 0.7 * np.exp(-epochs / 4) + rng.normal(0, 0.004, shape)
    val_loss = 0.25 + 0.5 * np.exp(-epochs / 3) + 0.002 * epochs + rng.normal(0, noise * 2, shape)
    return Curves(train_loss=train_loss, val_loss=val_loss, val_accuracy=accuracy - noise)


def _counts(rng: np.random.Generator) -> NDArray[np.int64]:
    rates = np.array([0.86, 0.98, 0.86, 0.91, 0.87, 0.97, 0.72, 0.96, 0.98, 0.96])
    counts = np.diag(rng.binomial(1000, rates))
    close = (0, 2, 4, 6)
    for row in range(10):
        weights = np.full(10, 0.2)
        if row in close:
            weights[list(close)] = 5
        weights[row] = 0
        counts[row] += rng.multinomial(1000 - counts[row, row], weights / weights.sum())
    return counts


def _table(accuracy: dict[str, NDArray[np.float64]]) -> Table:
    published = ("about 0.92", "about 0.97", "0.98 to 0.99")
    rows = []
    for arm, claim in zip(accuracy, published, strict=True):
        mean, half = accuracy[arm].mean(), 2.776 * accuracy[arm].std(ddof=1) / N_SEEDS**0.5
        measured = Number(float(mean), f"{mean:.3f} ± {half:.3f}")
        rows.append((arm, N_PARAMETERS[arm], claim, measured, float(mean) * 40))
    return Table(
        "Accuracy on the test part",
        (
            Column("Model"),
            Column("Parameters"),
            Column("Published (MNIST)"),
            Column("Measured"),
            Column("Training time, s", ".1f"),
        ),
        (*rows, ("small CNN, five epochs more", None, "not published", None, 51.0)),
        note="A dash is a figure that was not measured.",
        arms=ARMS,
    )


def _wide_table(by_class: dict[str, NDArray[np.float64]], class_names: Sequence[str]) -> Table:
    return Table(
        "Accuracy by class",
        (Column("Model"), *(Column(name, ".3f") for name in class_names)),
        tuple((arm, *map(float, values)) for arm, values in by_class.items()),
        arms=ARMS,
    )
