"""What a page to draw on holds of its runs: networks, test images, and the mistakes in them.

Everything is JSON, and arrays are places in a Packing. Samples are evenly spaced, never chosen by
how they look.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.data import Dataset
from mnistlab.exporting.modules import module_of
from mnistlab.exporting.packing import Packing
from mnistlab.exporting.program import program_of
from mnistlab.runs.folder import Run, recorded_parts

N_TEST_IMAGES = 60
N_MISTAKES = 160  # at most, of all networks together


class TestPart(NamedTuple):
    """The test images of a run, uint8 (N, H, W), with their labels and, once evaluated, answers."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    predicted: NDArray[np.int64] | None
    probabilities: NDArray[np.float64] | None

    __test__ = False  # nothing for pytest


def test_part_of(run: Run, dataset: Dataset) -> TestPart:
    """The run's test images; its answers to them are None until `evaluate` stored them."""
    test = recorded_parts(run.path, run.recipe, run.data, dataset).test
    images, labels = np.asarray(test.images), np.asarray(test.labels)
    if run.result.get("test_accuracy") is None:
        return TestPart(images, labels, None, None)
    stored = run.predictions()
    return TestPart(images, labels, stored.predicted, stored.probabilities)


def network_of(run: Run, packing: Packing) -> dict[str, Any]:
    """A run as the page wants it: what is known of it, and the steps and arrays of its network."""
    classifier = run.classifier("cpu")
    views = getattr(classifier, "test_time_augmentation", ())
    program = program_of(module_of(classifier, run.result.get("temperature")), views)
    start = packing.n_bytes
    arrays = [packing.add(array) for array in program.arrays]
    return {
        "name": f"{run.recipe.name}, seed {run.recipe.seed}",
        "summary": run.recipe.summary,
        "nParameters": run.result["n_parameters"],
        "accuracy": run.result.get("test_accuracy"),
        "interval": run.result.get("test_accuracy_ci"),
        "nTest": run.data["n_test"],
        "nTrain": run.data["n_train"],
        "nBytes": packing.size(start, packing.n_bytes),
        "steps": program.steps,
        "temperature": program.temperature,
        "padding": program.padding,
        "views": program.views,
        "arrays": arrays,
    }


def test_images_of(parts: Sequence[TestPart], packing: Packing) -> dict[str, Any]:
    """Some of the images that are test images of all runs, so that no run was trained on them."""
    first, *others = parts
    keys = [{image.tobytes() for image in part.images} for part in others]
    common = [
        i
        for i, image in enumerate(first.images)
        if all(image.tobytes() in known for known in keys)
    ]
    chosen = np.array(common, np.intp)[evenly(len(common), N_TEST_IMAGES)]
    return {
        "pixels": packing.add(np.ascontiguousarray(first.images[chosen])),
        "labels": first.labels[chosen].tolist(),
    }


def mistakes_of(parts: Sequence[TestPart], packing: Packing) -> dict[str, Any]:
    """Test images that some run classified wrongly, each once, and which runs did and how.

    "wrong": rows of (number of the run, number of the image, predicted class, its probability).
    """
    found: dict[bytes, int] = {}  # an image, and the part's number of its label
    for part in parts:
        if part.predicted is not None:
            for i in np.flatnonzero(part.predicted != part.labels):
                found.setdefault(part.images[i].tobytes(), int(part.labels[i]))
    images = list(found)
    chosen = [images[i] for i in evenly(len(images), N_MISTAKES)]
    pixels = np.frombuffer(b"".join(chosen), np.uint8)
    return {
        "pixels": packing.add(pixels),
        "labels": [found[image] for image in chosen],
        "wrong": _wrong(parts, {image: i for i, image in enumerate(chosen)}),
        "nFound": len(images),
        "confusion": [_confusion(part) for part in parts],
    }


def _wrong(parts: Sequence[TestPart], chosen: dict[bytes, int]) -> list[list[Any]]:
    rows = []
    for number, part in enumerate(parts):
        if part.predicted is None:
            continue
        for i in np.flatnonzero(part.predicted != part.labels):
            image, predicted = chosen.get(part.images[i].tobytes()), int(part.predicted[i])
            if image is not None:
                p = None if part.probabilities is None else part.probabilities[i, predicted]
                rows.append([number, image, predicted, None if p is None else round(float(p), 4)])
    return rows


def _confusion(part: TestPart) -> list[list[int]] | None:
    """How often each (true, predicted) pair of different classes occurred: rows of three."""
    if part.predicted is None:
        return None
    wrong = part.predicted != part.labels
    pairs = np.stack([part.labels[wrong], part.predicted[wrong]], axis=1)
    kinds, counts = np.unique(pairs, axis=0, return_counts=True)
    return np.column_stack([kinds, counts]).astype(int).tolist()


def evenly(n: int, most: int) -> NDArray[np.intp]:
    """At most `most` of n places, evenly spaced."""
    return np.unique(np.linspace(0, max(n - 1, 0), min(n, most)).astype(np.intp))
