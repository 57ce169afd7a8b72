"""Weights of epochs before the last, saved where a phase wants them, and measured by `evaluate`.

So a write-up that prints test figures while it trains can be reproduced, although no training here
looks at the test part: which epochs are measured is fixed by the recipe before it begins.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistlab import atomic
from mnistlab.classifiers.methods import Classifier
from mnistlab.data import Dataset
from mnistlab.errors import RunError
from mnistlab.runs.arrays import read_arrays
from mnistlab.runs.folder import Run

FILE = "snapshots.npz"


def write_snapshots(folder: Path, snapshots: Mapping[int, Mapping[str, NDArray[Any]]]) -> None:
    """Write the arrays of each epoch into a run folder; nothing where there are none."""
    if not snapshots:
        return
    # Sorted: a training that was resumed writes the same bytes as one that was not.
    arrays = {
        _key(epoch, name): array
        for epoch, of in sorted(snapshots.items())
        for name, array in sorted(of.items())
    }
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    atomic.write_bytes(folder / FILE, buffer.getvalue())


def accuracy_by_epoch(run: Run, test: Dataset, classifier: Classifier) -> dict[str, float]:
    """Test accuracy of the weights saved after each epoch, by its number; RunError for damage.

    classifier: that of the run; it is left with the weights of the last of these epochs.
    """
    epochs = snapshot_epochs(run)
    if not epochs:
        return {}
    path, like = run.path / FILE, classifier.arrays()
    wanted = {
        _key(epoch, name): (array.dtype, array.shape)
        for epoch in epochs
        for name, array in like.items()
    }
    arrays = read_arrays(path, wanted, needed=wanted.keys())
    accuracy = {}
    for epoch in epochs:
        of_epoch = {name: arrays[_key(epoch, name)] for name in like}
        if not all(np.isfinite(array).all() for array in of_epoch.values()):
            raise RunError(f"{path}: epoch {epoch} holds a number that is not finite")
        classifier.restore(classifier.classes_, classifier.image_shape_, of_epoch)
        right = classifier.predict(test.images) == test.labels
        accuracy[str(epoch)] = float(np.mean(right))
    return accuracy


def snapshot_epochs(run: Run) -> list[int]:
    """The epochs of the log whose weights the recipe's phases wanted saved."""
    found = []
    for number, lines in groupby(run.log, key=lambda line: line["phase"]):
        phase = run.recipe.phases[number]
        found += [line["epoch"] for place, line in enumerate(lines, 1) if phase.is_snapshot(place)]
    return found


def _key(epoch: int, name: str) -> str:
    return f"{epoch}/{name}"
