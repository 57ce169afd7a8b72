"""Three scores that tell images unlike the training data from test images: how well each does it.

python -m benchmarks.unusual runs/softmax-mnist-* runs/cnn-small-mnist-* --record

Each run's test images stand against test images of the other set, uniform noise, and its own test
images inverted and turned by a quarter. Scores: one minus the largest probability (Hendrycks and
Gimpel 2017), the entropy of the probabilities, and the distance to the nearest training images.
How many neighbours and training images there are was chosen on validation images before.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import entropy
from sklearn.metrics import roc_auc_score

import mnistlab as ml
from benchmarks.ledger import run_benchmark
from mnistlab.evaluation import wilson_interval
from mnistlab.evaluation.neighbours import N_NEAREST, N_REFERENCE, distances
from mnistlab.runs.neighbours import computed_reference, features_of
from mnistlab.runs.run_data import dataset_of, recorded_parts

OTHER = {"mnist": "fashion-mnist", "fashion-mnist": "mnist"}
SCORES = ("largest probability", "entropy", "distance")
Images = NDArray[np.uint8]


def unlike(run: ml.Run, test: Images) -> dict[str, Images]:
    """By kind, images (N, H, W) that the run was not made for."""
    other = ml.load(OTHER[run.data["name"]])
    noise = np.random.default_rng(0).integers(0, 256, test.shape, dtype=np.uint8)
    return {
        "the other set": np.asarray(other.images[other.official_splits["test"]]),
        "noise": noise,
        "inverted": 255 - test,
        "turned by 90 degrees": np.ascontiguousarray(np.rot90(test, axes=(1, 2))),
    }


def measured(run: ml.Run) -> dict[str, Any]:
    """AUROC of each score against each kind, and how many images lie above the threshold."""
    classifier, dataset = run.classifier("cpu"), dataset_of(run)
    reference = computed_reference(run, dataset, classifier)
    test = np.asarray(recorded_parts(run.path, run.recipe, run.data, dataset).test.images)

    def scores(images: Images) -> dict[str, NDArray[np.floating]]:
        p = classifier.predict_proba(images)
        apart = distances(features_of(classifier, images), reference)
        return dict(zip(SCORES, (1 - p.max(1), entropy(p, axis=1), apart), strict=True))

    usual = scores(test)
    is_alarm = usual["distance"] > reference.threshold
    figures: dict[str, Any] = {
        "recipe": run.recipe.name,
        "data": run.data["name"],
        "seed": run.recipe.seed,
        "n_val": run.data["n_val"],
        "n_test": len(test),
        "threshold": reference.threshold,
        "false_alarms": float(is_alarm.mean()),
        "false_alarms_ci": list(wilson_interval(int(is_alarm.sum()), len(test))),
        "auroc": {score: {} for score in SCORES},
        "found": {},
    }
    for kind, images in unlike(run, test).items():
        unusual = scores(images)
        is_unlike = np.repeat([0, 1], [len(test), len(images)])
        for score in SCORES:
            both = np.concatenate([usual[score], unusual[score]])
            figures["auroc"][score][kind] = float(roc_auc_score(is_unlike, both))
        figures["found"][kind] = float((unusual["distance"] > reference.threshold).mean())
    print(figures, file=sys.stderr)
    return figures


def bench() -> dict[str, Any]:
    """Of every run named on the command line; SystemExit where none is."""
    folders = [Path(word) for word in sys.argv[1:] if not word.startswith("--")]
    if not folders:
        raise SystemExit("name the folders of runs trained on mnist or fashion-mnist")
    return {
        "n_nearest": N_NEAREST,
        "n_reference": N_REFERENCE,
        "runs": [measured(ml.open_run(folder)) for folder in folders],
    }


if __name__ == "__main__":
    run_benchmark("unusual", bench)
