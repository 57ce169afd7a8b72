"""The training images that a run's answers are compared with, in a file of its folder.

An image far from all of them is unlike anything that the classifier was trained on, whatever it
says of it: see mnistlab.evaluation.neighbours.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mnistlab import atomic
from mnistlab.classifiers.methods import Classifier
from mnistlab.data import Dataset, large
from mnistlab.data.notes import note
from mnistlab.data.splits import PROTOCOLS, places_of_sample
from mnistlab.data.stratified import apportioned, rank_in_class
from mnistlab.errors import MnistlabError, RunError
from mnistlab.evaluation.neighbours import (
    N_NEAREST,
    N_REFERENCE,
    Features,
    Reference,
    distances,
    of_length_one,
    threshold_of,
)
from mnistlab.runs.arrays import read_arrays
from mnistlab.runs.folder import Run
from mnistlab.runs.run_data import dataset_of, recorded_parts

if TYPE_CHECKING:
    from mnistlab.classifiers import ScratchClassifier
    from mnistlab.classifiers.network import NetworkSettings

FILE = "neighbours.npz"
VERSION = 1  # of what the numbers mean; a file of another one is made anew
SEED = 20_261_130  # of the choice of training images
N_VALIDATION = 5000  # images by which the threshold is chosen
UNIT = 1e-3  # how far from 1 the length of a feature may be


def features_of(classifier: Classifier, images: NDArray[np.uint8]) -> Features:
    """What a classifier sees in images uint8 (N, H, W), float32 (N, D), each of length 1.

    Of a network: what enters its last linear layer, without test-time augmentation. Where nothing
    is learned before that layer, as in softmax regression, where there is no such layer, and of a
    support vector machine: the grey levels of the pixels themselves. Of an ensemble: what its
    heaviest member sees. Black images give zeros.
    """
    from mnistlab.classifiers import EnsembleClassifier, ScratchClassifier
    from mnistlab.classifiers.network import NetworkSettings

    if isinstance(classifier, EnsembleClassifier):
        classifier = classifier.heaviest
    blocks = large.blocks(images)  # at least one, which may be empty
    if isinstance(classifier, NetworkSettings):
        rows = [_of_torch(classifier, block) for block in blocks]
    elif isinstance(classifier, ScratchClassifier):
        rows = [_by_hand(classifier, block) for block in blocks]
    else:
        rows = [_pixels(block) for block in blocks]
    return of_length_one(np.concatenate(rows))


def _pixels(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    return images.reshape(len(images), math.prod(images.shape[1:])).astype(np.float32)


def _of_torch(classifier: NetworkSettings, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    from mnistlab.classifiers.image_tensors import as_tensor, prepared
    from mnistlab.classifiers.inputs import margins
    from mnistlab.models.last_layer import parts_of
    from mnistlab.training.fixed_views import as_is
    from mnistlab.training.measuring import predict_logits

    parts = parts_of(classifier.network_)
    if parts.are_pixels:
        return _pixels(images)
    shape = classifier.image_shape_
    padded = prepared(images, shape, margins(shape, classifier.pad_to), (as_is,))
    X = as_tensor(padded).to(next(classifier.network_.parameters()).device)
    return predict_logits(parts.before, X).flatten(1).cpu().numpy()


def _by_hand(classifier: ScratchClassifier, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    from mnistlab.scratch.linear import Linear
    from mnistlab.scratch.network import EVALUATION_BATCH

    layers = classifier.network_.layers
    last = max(place for place, layer in enumerate(layers) if isinstance(layer, Linear))
    if not any(layer.trained for layer in layers[:last]):
        return _pixels(images)
    if not len(images):  # layers by hand cannot tell the shape of what they would give
        return _by_hand(classifier, np.zeros((1, *images.shape[1:]), np.uint8))[:0]
    rows = []
    for start in range(0, len(images), EVALUATION_BATCH):
        X: NDArray[Any] = images[start : start + EVALUATION_BATCH]
        for layer in layers[:last]:
            X = layer.forward(X, False)
        rows.append(X.astype(np.float32))  # a copy: the next batch overwrites X
    return np.concatenate(rows)


def reference_of(
    run: Run, classifier: Classifier | None = None, on_note: Callable[[str], None] = note
) -> Reference | None:
    """The training images to compare with, from the run's folder, or computed and saved there.

    classifier: the run's, where it is loaded already. A file of other weights, and a damaged one,
    are replaced; in a folder that cannot be written nothing is saved. None, and on_note says why,
    where the data that the run was trained on are gone or have changed.
    """
    try:
        return needed_reference(run, classifier)
    except MnistlabError as error:
        on_note(f"images unlike the training data cannot be told: {error}")
        return None


def needed_reference(run: Run, classifier: Classifier | None = None) -> Reference:
    """As `reference_of`; DataError or RunError where the data are gone or have changed."""
    stored = read_reference(run)
    if stored is not None:
        return stored
    reference = computed_reference(run, dataset_of(run), classifier or run.classifier())
    with contextlib.suppress(OSError):
        atomic.write_bytes(run.path / FILE, _content(run, reference))
    return reference


def computed_reference(run: Run, dataset: Dataset, classifier: Classifier) -> Reference:
    """The reference of a run from its data; RunError where they have other parts by now.

    Of the training images N_REFERENCE, every class in proportion. The threshold comes from at most
    N_VALIDATION validation images; of a run without any, from training images that are not in the
    reference, which the classifier knows too well: it then gives more false alarms.
    """
    parts = recorded_parts(run.path, run.recipe, run.data, dataset)
    n = min(N_REFERENCE, len(parts.train) if len(parts.val) else len(parts.train) // 2)
    is_drawn = _is_drawn(parts.train.labels, n)
    known = parts.train.take(np.flatnonzero(is_drawn))
    others = parts.val if len(parts.val) else parts.train.take(np.flatnonzero(~is_drawn))
    some = np.linspace(0, len(others) - 1, min(len(others), N_VALIDATION)).astype(np.intp)
    features = features_of(classifier, known.images)
    places = _training_places(run, dataset)[is_drawn]
    reference = Reference(features, places.astype(np.int64), 0.0)
    found = distances(features_of(classifier, large.take(others.images, some)), reference)
    return reference._replace(threshold=threshold_of(found))


def _is_drawn(labels: NDArray[np.int64], n: int) -> NDArray[np.bool_]:
    """Which n of the images are in the reference, every class in proportion."""
    wanted = apportioned(np.bincount(labels), n)
    return np.asarray(rank_in_class(labels, SEED) < wanted[labels])


def _training_places(run: Run, dataset: Dataset) -> NDArray[np.intp]:
    """Which images of the data set, in order, are the run's training part."""
    train, _, _ = PROTOCOLS[run.data["split"]](dataset)
    part = dataset.take(train)
    n_train = run.recipe.n_train
    return train if n_train is None else train[places_of_sample(part, n_train)]


def read_reference(run: Run) -> Reference | None:
    """The reference in a run's folder; None without one for these weights, whole and sound."""
    path = run.path / FILE
    try:
        shape = (_n_rows(run), _n_features(path, _n_rows(run)))
        found = read_arrays(
            path,
            {
                "features": (np.dtype(np.float32), shape),
                "places": (np.dtype(np.int64), shape[:1]),
                "threshold": (np.dtype(np.float64), (1,)),
                "made_for": (np.dtype(np.uint8), (64,)),
            },
            needed=("features", "places", "threshold", "made_for"),
        )
        is_of_run = bytes(found["made_for"]) == _made_for(run)
    except (OSError, RunError):
        return None
    features, places, threshold = found["features"], found["places"], float(found["threshold"][0])
    lengths = np.linalg.norm(features, axis=1)
    is_sound = (
        is_of_run
        and np.isfinite(features).all()
        and bool(((np.abs(lengths - 1) < UNIT) | (lengths == 0)).all())
        and bool(((places >= 0) & (places < (run.data.get("n_images") or 0))).all())
        and 0 <= threshold <= 2 + UNIT
    )
    return Reference(features, places, threshold) if is_sound else None


def _n_rows(run: Run) -> int:
    n_train = int(run.data["n_train"])
    return min(N_REFERENCE, n_train if run.data["n_val"] else n_train // 2)


def _n_features(path: Path, n_rows: int) -> int:
    """How many numbers each of n_rows has; RunError for more than the file has room for."""
    found = read_arrays(path, {"n_features": (np.dtype(np.int64), (1,))}, ["n_features"])
    n_features = int(found["n_features"][0])
    # np.savez packs nothing, so that an honest file is larger than what it holds.
    if not 0 < n_features * n_rows * 4 <= path.stat().st_size:
        raise RunError(f"{path}: n_features is no number of features")
    return n_features


def _content(run: Run, reference: Reference) -> bytes:
    buffer = io.BytesIO()
    np.savez(
        buffer,
        allow_pickle=False,
        features=reference.features,
        places=reference.places,
        threshold=np.array([reference.threshold]),
        n_features=np.array([reference.features.shape[1]], np.int64),
        made_for=np.frombuffer(_made_for(run), np.uint8),
    )
    return buffer.getvalue()


def _made_for(run: Run) -> bytes:
    """A hash of what the numbers depend on: the weights, the data, and how many are compared."""
    from mnistlab.classifiers.storage import content_hash

    weights = run.result.get("weights_sha256") or content_hash(run.weights_path)
    of = (VERSION, SEED, N_NEAREST, weights, run.data["fingerprint"], run.data["split"])
    return hashlib.sha256(repr(of).encode()).hexdigest().encode()
