"""What the Tab key offers: recipes, studies, data sets and runs.

The names stand here a second time because importing the registries takes longer than a reader
waits for a key; a test compares them.
"""

from __future__ import annotations

import os
from pathlib import Path

MOST_ENTRIES = 2000  # of a folder, that a key is answered at once
RUN_FILE = "recipe.json"  # a folder with it is a run
USUAL_FOLDER = "runs"
RECIPES = (
    "resnet-small softmax softmax-tuned mlp mlp-tuned cnn-small cnn-small-tuned simple-cnn "
    "simple-cnn-tuned scratch-mlp scratch-mlp-tuned scratch-cnn layered-mlp svm "
    "simple-cnn-plateau simple-cnn-early-stopping simple-cnn-augmented simple-cnn-wide "
    "simple-cnn-deep simple-cnn-5x5 double-softmax double-softmax-logits double-softmax-slow "
    "double-softmax-slow-logits full-batch full-batch-logits full-batch-long "
    "full-batch-long-logits dense-base dense-wide dense-deep dense-sgd dense-decay dense-norm "
    "dense-dropout conv-base conv-wide conv-deep conv-sgd conv-decay conv-norm conv-dropout final "
    "final-tuned transfer-mobilenet transfer-resnet18 transfer-efficientnet-b0 transfer-lite0 "
    "records-mnist-99 records-mnist-995 records-fashion-916 records-fashion-93 "
    "records-fashion-94 records-mnist-mlp records-fashion-mlp records-mnist-numpy "
    "records-mnist-svm records-fashion-svm"
)
STUDIES = (
    "ladder embedding mlp-batch-size svm-grid mlp-vs-svm pixel-scaling optimizers lr-schedule "
    "augmentation architectures early-stopping batch-size double-softmax mlp-regularisation "
    "cnn-regularisation shuffling stratifying scaling final final-shortened final-tuned transfer "
    "transfer-lite0"
)
DATASETS = (
    "mnist fashion-mnist kmnist emnist-balanced emnist-letters emnist-digits emnist-byclass "
    "emnist-bymerge emnist-mnist qmnist usps mnist_784 digits fashion-mini"
)


def recipe_names(incomplete: str) -> list[str]:
    """Names of recipes that begin so."""
    return _beginning(RECIPES, incomplete)


def record_names(incomplete: str) -> list[str]:
    """Names of record recipes that begin so."""
    return [name for name in recipe_names(incomplete) if name.startswith("records-")]


def study_names(incomplete: str) -> list[str]:
    """Names of studies that begin so."""
    return _beginning(STUDIES, incomplete)


def dataset_names(incomplete: str) -> list[str]:
    """Names of published data sets that begin so; for a path the shell helps itself."""
    return _beginning(DATASETS, incomplete)


def run_folders(incomplete: str) -> list[str]:
    """Folders of runs whose path begins so, newest first; without a slash those in runs/ too."""
    folder, slash, _ = incomplete.rpartition("/")
    folders = [folder + slash] if slash else ["", f"{USUAL_FOLDER}/"]
    found = [path for folder in folders for path in _runs_in(folder)]
    return sorted((path for path in found if path.startswith(incomplete)), key=_changed)[::-1]


def is_run(word: str) -> bool:
    """Whether a word of the command line is the folder of a run; any text is a word."""
    return os.path.isfile(os.path.join(word, RUN_FILE))  # noqa: PTH113, PTH118  # Path may raise


def _beginning(names: str, incomplete: str) -> list[str]:
    return [name for name in names.split() if name.startswith(incomplete)]


def _runs_in(folder: str) -> list[str]:
    try:
        names = os.listdir(folder or ".")  # noqa: PTH208  # a folder of many runs: names suffice
    except OSError:
        return []  # no such folder: nothing to offer
    return [folder + name for name in names[:MOST_ENTRIES] if Path(folder, name, RUN_FILE).exists()]


def _changed(path: str) -> float:
    try:
        return Path(path).stat().st_mtime
    except OSError:
        return 0.0
