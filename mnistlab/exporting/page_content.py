"""What a page to draw on holds of its runs: networks, test images, and the mistakes in them.

Everything is JSON, and arrays are places in a Packing. Samples are evenly spaced, never chosen by
how they look.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.classifiers import EnsembleClassifier
from mnistlab.classifiers.methods import Classifier
from mnistlab.data import Dataset, Split
from mnistlab.errors import RunError
from mnistlab.exporting.modules import module_of
from mnistlab.exporting.packing import Packing
from mnistlab.exporting.program import program_of
from mnistlab.exporting.references import evenly, in_all
from mnistlab.runs.folder import Run

N_TEST_IMAGES = 60
N_MISTAKES = 120  # at most, of all networks together


class AnsweredImages(NamedTuple):
    """A run's test images and, once it was evaluated, its answers to them."""

    test: Dataset
    predicted: NDArray[np.int64] | None
    probabilities: NDArray[np.float64] | None


def answered_images(run: Run, split: Split) -> AnsweredImages:
    """The run's test images; its answers, None until `evaluate` stored them or without images."""
    if run.result.get("test_accuracy") is None or not len(split.test):
        return AnsweredImages(split.test, None, None)
    stored = run.predictions()
    return AnsweredImages(split.test, stored.predicted, stored.probabilities)


def names_of(runs: Sequence[Run]) -> list[str]:
    """What the page calls the runs: by recipe, where that is not enough by seed, or by folder."""
    for name in (
        lambda run: run.recipe.name,
        lambda run: f"{run.recipe.name}, seed {run.recipe.seed}",
        lambda run: run.path.name,
    ):
        names = [name(run) for run in runs]
        if len(set(names)) == len(names):
            return names
    raise RunError(f"{runs[0].path}: the same run is named twice")


def network_of(run: Run, name: str, classifier: Classifier, packing: Packing) -> dict[str, Any]:
    """A run as the page wants it: what is known of it, and its members (one, but of ensembles)."""
    start = packing.n_bytes
    members, temperature = members_of(run, classifier, packing)
    return {
        "name": name,
        "summary": run.recipe.summary,
        "nParameters": run.result["n_parameters"],
        "accuracy": run.result.get("test_accuracy"),
        "interval": run.result.get("test_accuracy_ci"),
        "nTest": run.data["n_test"],
        "nTrain": run.data["n_train"],
        "nBytes": packing.size(start, packing.n_bytes),
        "views": list(dict.fromkeys(view for member in members for view in member["views"])),
        "members": members,
        "temperature": temperature,
    }


def members_of(
    run: Run, classifier: Classifier, packing: Packing
) -> tuple[list[dict[str, Any]], float]:
    """The networks whose weighted mean a run answers, the one that counts most first.

    Also the temperature that sharpens the mean; that of a single network is its own.
    """
    temperature = float(run.result.get("temperature") or 1.0)
    if not isinstance(classifier, EnsembleClassifier):
        return [member_of(run.recipe.name, 1.0, classifier, temperature, packing)], 1.0
    names = [member["recipe"] for member in run.result["members"]]
    members = [
        member_of(
            names[place],
            float(classifier.weights_[place]),
            classifier.members_[place],
            float(classifier.temperatures_[place]),
            packing,
        )
        for place in classifier.order
    ]
    return members, temperature


def member_of(
    name: str, weight: float, classifier: Classifier, temperature: float, packing: Packing
) -> dict[str, Any]:
    """One network as its steps, with the places of their arrays."""
    views = getattr(classifier, "test_time_augmentation", ())
    program = program_of(module_of(classifier, temperature), views)
    return {
        "name": name,
        "weight": weight,
        "steps": program.steps,
        "temperature": program.temperature,
        "padding": program.padding,
        "views": program.views,
        "arrays": [packing.add(array) for array in program.arrays],
    }


def sample_of(parts: Sequence[AnsweredImages], packing: Packing) -> dict[str, Any]:
    """Some of the images that are test images of all runs, so that no run was trained on them."""
    common = in_all([part.test for part in parts])
    some = parts[0].test.take(common[evenly(len(common), N_TEST_IMAGES)])
    return {
        "pixels": packing.add(np.ascontiguousarray(some.images)),
        "labels": some.labels.tolist(),
    }


def mistakes_of(parts: Sequence[AnsweredImages], packing: Packing) -> dict[str, Any]:
    """Test images that some run classified wrongly, each once, and which runs did and how.

    "wrong": rows of (number of the run, number of the image, predicted class, its probability).
    """
    found, chosen = set[bytes](), dict[bytes, int]()  # images, and the numbers of their labels
    for part in parts:
        places = _places_wrong(part)
        images = [part.test.images[i].tobytes() for i in places]
        found.update(images)
        for i in evenly(len(images), N_MISTAKES // len(parts)):
            chosen.setdefault(images[i], int(part.test.labels[places[i]]))
    return {
        "pixels": packing.add(np.frombuffer(b"".join(chosen), np.uint8)),
        "labels": list(chosen.values()),
        "wrong": _wrong(parts, {image: i for i, image in enumerate(chosen)}),
        "nFound": len(found),
        "confusion": [_confusion(part) for part in parts],
    }


def _places_wrong(part: AnsweredImages) -> NDArray[np.intp]:
    if part.predicted is None:
        return np.zeros(0, np.intp)
    return np.flatnonzero(part.predicted != part.test.labels)


def _wrong(parts: Sequence[AnsweredImages], chosen: dict[bytes, int]) -> list[list[Any]]:
    rows = []
    for number, part in enumerate(parts):
        for i in _places_wrong(part):
            image = chosen.get(part.test.images[i].tobytes())
            if image is not None:
                assert part.predicted is not None
                predicted = int(part.predicted[i])
                p = None if part.probabilities is None else part.probabilities[i, predicted]
                rows.append([number, image, predicted, None if p is None else round(float(p), 4)])
    return rows


def _confusion(part: AnsweredImages) -> list[list[int]] | None:
    """How often each (true, predicted) pair of different classes occurred: rows of three."""
    if part.predicted is None:
        return None
    wrong = _places_wrong(part)
    pairs = np.stack([part.test.labels[wrong], part.predicted[wrong]], axis=1)
    kinds, counts = np.unique(pairs, axis=0, return_counts=True)
    rows: list[list[int]] = np.column_stack([kinds, counts]).astype(int).tolist()
    return rows
