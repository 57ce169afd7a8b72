"""A trained classifier as one safetensors file: arrays, and its parameters as metadata.

Nothing in the file is executed when it is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from mnistlab import atomic, classifiers
from mnistlab.classifiers.methods import Classifier
from mnistlab.errors import MnistlabError, RunError
from mnistlab.phases import Phase

KEY = "mnistlab.classifier/1"  # a single key, since safetensors writes several in random order
MAX_BYTES = 2**31  # far above any model of this project, so that no file fills the memory


def save_classifier(classifier: Classifier, path: Path | str) -> None:
    """Write a fitted classifier; classes must be numbers or strings."""
    from sklearn.utils.validation import check_is_fitted

    check_is_fitted(classifier)
    description = {
        **_described(classifier),
        "classes": classifier.classes_.tolist(),
        "image_shape": list(classifier.image_shape_),
    }
    arrays = {name: np.ascontiguousarray(array) for name, array in classifier.arrays().items()}
    atomic.write_bytes(
        Path(path), save(arrays, {KEY: json.dumps(description, default=_plain_value)})
    )


def _described(classifier: Classifier) -> dict[str, Any]:
    """Which classifier it is, and its parameters, ready for JSON."""
    parameters = classifier.get_params()
    parameters.pop("device", None)  # the argument of load_classifier
    if parameters.get("phases") is not None:
        parameters["phases"] = [asdict(phase) for phase in parameters["phases"]]
    if isinstance(parameters.get("class_weight"), Mapping):  # in JSON all keys are text
        parameters["class_weight"] = list(parameters["class_weight"].items())
    if not isinstance(parameters.get("random_state"), int | np.integer | None):
        parameters["random_state"] = None  # it was used up by fit
    if "members" in parameters:
        from mnistlab.classifiers.ensemble import EnsembleClassifier

        assert isinstance(classifier, EnsembleClassifier)
        parameters["members"] = [_described(member) for member in classifier.members_]
    return {"classifier": type(classifier).__name__, "parameters": parameters}


def content_hash(path: Path) -> str:
    """sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_content(path: Path, sha256: str | None) -> None:
    """RunError where a model file has another hash; sha256: None in the records of older runs."""
    try:
        atomic.check_regular(path)
        if path.stat().st_size > MAX_BYTES:
            raise RunError(f"{path}: larger than any model this project writes")
        if sha256 is not None and content_hash(path) != sha256:
            raise RunError(
                f"{path}: not the weights that were trained here: the file was changed, or is that "
                "of another run; put the right one back, or train again with --force"
            )
    except OSError as error:
        raise RunError(f"{path}: weights cannot be loaded: {error.strerror}") from error


def load_classifier(
    path: Path | str, device: str = "auto", sha256: str | None = None, *, to_predict: bool = False
) -> Classifier:
    """The classifier in a file; RunError, naming the file, for anything else.

    sha256: of the whole file; None accepts any classifier. to_predict: what it predicts is all
    that is needed of it; a torch network is then a TrainedNetwork, without scikit-learn.
    """
    path = Path(path)
    check_content(path, sha256)
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if KEY not in metadata:
            raise RunError(f"{path}: not a classifier of this project")
        return _restored(json.loads(metadata[KEY]), arrays, device, to_predict)
    except MnistlabError as error:
        raise error if isinstance(error, RunError) else RunError(f"{path}: {error}") from error
    except (OSError, SafetensorError, RuntimeError, ValueError, TypeError, LookupError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RunError(f"{path}: weights cannot be loaded: {reason}") from error


def _restored(
    description: Any, arrays: dict[str, NDArray[Any]], device: str, to_predict: bool
) -> Classifier:
    _check(description, arrays)
    # Files of the first version hold torch networks and do not name the class.
    described = {"classifier": "TorchClassifier", **description}
    classifier = _unfitted(described, device, to_predict)
    height, width = description["image_shape"]
    return classifier.restore(description["classes"], (height, width), arrays)


def _unfitted(described: dict[str, Any], device: str, to_predict: bool = False) -> Classifier:
    """The classifier of a description, without its arrays."""
    kind, parameters = described["classifier"], dict(described["parameters"])
    if kind not in classifiers.__all__:
        raise ValueError(f"{kind!r} is no classifier of this project")
    if parameters.get("phases") is not None:
        parameters["phases"] = tuple(Phase(**phase) for phase in parameters["phases"])
    if isinstance(parameters.get("class_weight"), list):
        parameters["class_weight"] = dict(parameters["class_weight"])
    if "members" in parameters:
        if any("members" in member["parameters"] for member in parameters["members"]):
            raise ValueError("a member of an ensemble cannot be an ensemble")
        parameters["members"] = [_unfitted(each, device) for each in parameters["members"]]
    made_by = _without_sklearn(kind) if to_predict else getattr(classifiers, kind)
    if "device" in signature(made_by).parameters:
        parameters["device"] = device
    classifier: Classifier = made_by(**parameters)
    return classifier


def _without_sklearn(kind: str) -> Any:
    """What predicts as a classifier of that name does and loads fastest."""
    if kind != "TorchClassifier":
        return getattr(classifiers, kind)
    from mnistlab.classifiers.network import TrainedNetwork

    return TrainedNetwork


def _check(description: Any, arrays: dict[str, NDArray[Any]]) -> None:
    """ValueError for a description that no classifier can have."""
    if not isinstance(description, dict) or not isinstance(description["parameters"], dict):
        raise ValueError("it is not described as a classifier is")
    classes = np.asarray(description["classes"])
    if classes.ndim != 1 or classes.dtype.kind not in "biufU" or len(classes) < 2:
        raise ValueError("its classes are not numbers or strings")
    if len(np.unique(classes)) < len(classes):
        raise ValueError("its classes are not all different")
    if any(type(side) is not int or side < 1 for side in description["image_shape"]):
        raise ValueError("its images have no height and width")
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{name} holds a number that is not finite")


def _plain_value(value: Any) -> Any:
    """For JSON: NumPy's numbers and arrays, which a parameter grid may hold, as plain values."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"a parameter of type {type(value).__name__} cannot be stored")
