"""A trained classifier as one safetensors file: weights, and as metadata what they belong to.

Nothing in the file is executed when it is read.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from mnistlab import atomic
from mnistlab.classifiers.torch_classifier import TorchClassifier
from mnistlab.errors import MnistlabError, RunError

KEY = "mnistlab.classifier/1"  # one key: safetensors writes several in no fixed order
MAX_BYTES = 2**31  # far above any network of this project; a hostile file must not fill memory


def save_classifier(classifier: TorchClassifier, path: Path) -> None:
    """Write a fitted classifier; classes must be numbers or strings."""
    parameters = classifier.get_params()
    phases = parameters["phases"]
    parameters["phases"] = None if phases is None else [asdict(phase) for phase in phases]
    description = {
        "parameters": parameters,
        "classes": classifier.classes_.tolist(),
        "image_shape": list(classifier.image_shape_),
    }
    weights = {k: v.contiguous().cpu() for k, v in classifier.network_.state_dict().items()}
    atomic.write_bytes(path, save(weights, {KEY: json.dumps(description)}))


def load_classifier(path: Path, device: str = "auto") -> TorchClassifier:
    """The classifier in a file; RunError, naming the file, for anything else."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise RunError(f"{path}: larger than any weights file this project writes")
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if KEY not in metadata:
            raise RunError(f"{path}: not a classifier of this project")
        return _restored(json.loads(metadata[KEY]), weights, device)
    except MnistlabError as error:
        raise error if isinstance(error, RunError) else RunError(f"{path}: {error}") from error
    except (OSError, SafetensorError, RuntimeError, ValueError, TypeError, KeyError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RunError(f"{path}: weights cannot be loaded: {reason}") from error


def _restored(description: dict[str, Any], weights: Any, device: str) -> TorchClassifier:
    from mnistlab.phases import Phase

    parameters = description["parameters"]
    if parameters["phases"] is not None:
        parameters["phases"] = tuple(Phase(**phase) for phase in parameters["phases"])
    height, width = description["image_shape"]
    classifier = TorchClassifier(**parameters | {"device": device})
    return classifier.restore(description["classes"], (int(height), int(width)), weights)
