"""The JSON of predictions, written by one template per network: most of a request's time."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from mnistlab.serving.model import Answer, Model


class Writer:
    """Writes the answers of one network."""

    def __init__(self, model: Model) -> None:
        classes = [json.dumps(name) for name in model.facts.classes]
        levels = ",".join(f"{_plain(name)}:%.6f" for name in classes)
        self._labels = classes
        self._limit = model.facts.unusual_above
        self._head = f'{{"model":{json.dumps(model.name)},"predictions":['
        # The probabilities come before the distance, as the values of one row do.
        self._known = (
            f'{{"label":%s,"probability":%.6f,"probabilities":{{{levels}}},'
            '"unusual":%s,"distance":%.6f}'
        )
        self._unknown = (
            f'{{"label":%s,"probability":%.6f,"probabilities":{{{levels}}},"unusual":null}}'
        )

    def body(self, predictions: Sequence[str]) -> bytes:
        """{"model", "predictions": [...]}, of what `predictions` made."""
        return f"{self._head}{','.join(predictions)}]}}".encode()

    def predictions(self, answer: Answer) -> list[str]:
        """The JSON of each image; probabilities have six digits.

        "unusual" is null of a network that cannot tell.
        """
        best = answer.probabilities.argmax(1).tolist()
        rows = answer.probabilities.tolist()
        if answer.distances is None or self._limit is None:
            return [
                self._unknown % (self._labels[k], row[k], *row)
                for k, row in zip(best, rows, strict=True)
            ]
        # Compared in float32, as `predict` does.
        unusual = (answer.distances > np.float32(self._limit)).tolist()
        distances = answer.distances.tolist()
        return [
            self._known % (self._labels[k], row[k], *row, "true" if odd else "false", distance)
            for k, row, odd, distance in zip(best, rows, unusual, distances, strict=True)
        ]


def _plain(text: str) -> str:
    """The text in a template of %."""
    return text.replace("%", "%%")


def shown(model: Model) -> dict[str, object]:
    """What GET /v1/models says of a network."""
    facts = model.facts
    return {
        "name": model.name,
        "classes": facts.classes,
        "image_shape": facts.image_shape,
        "preparation": facts.preparation or None,
        "unusual_above": facts.unusual_above if "distance" in model.outputs else None,
        "test_accuracy": facts.test_accuracy,
        "test_accuracy_ci": facts.test_accuracy_ci,
        "val_accuracy": facts.val_accuracy,
        "recipe": facts.recipe,
        "data": facts.data,
        "data_licence": facts.data_licence,
        "weights_sha256": facts.weights_sha256,
    }
