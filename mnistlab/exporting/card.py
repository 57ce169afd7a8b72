"""What goes with an exported model: its facts as metadata, and a card to read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mnistlab.runs.folder import Run
from mnistlab.version import __version__

if TYPE_CHECKING:
    from mnistlab.exporting.onnx_file import Parity


def facts_of(run: Run) -> dict[str, str]:
    """What an exported file says of itself, as text: classes, data, accuracy, preprocessing."""
    data, result = run.data, run.result
    facts = {
        "classes": list(data["class_names"]),
        "image_shape": list(data["image_shape"]),
        "recipe": run.recipe.name,
        "recipe_hash": result["recipe_hash"],
        "weights_sha256": result.get("weights_sha256"),
        "data": data["name"],
        "data_fingerprint": data["fingerprint"],
        "data_licence": data.get("licence") or "not stated",
        "val_accuracy": result.get("val_accuracy"),
        "test_accuracy": result.get("test_accuracy"),
        "test_accuracy_ci": result.get("test_accuracy_ci"),
        "temperature": result.get("temperature"),
        "preprocessing": "inside: grey levels 0 to 255 as uint8 (N, H, W), as in the data",
        "mnistlab": __version__,
    }
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in facts.items()
    }


def model_card(run: Run, file_name: str, parity: Parity) -> str:
    """A Markdown page: what the model is for, how good it is, how to use it."""
    data, result = run.data, run.result
    height, width = data["image_shape"]
    names = ", ".join(data["class_names"])
    return f"""# {file_name}

Tells {len(data["class_names"])} classes of grey images of {height} x {width} pixels apart: {names}.

- **Trained** with mnistlab {__version__}, recipe `{run.recipe.name}`, on {data["n_train"]:,} images
  of {data["name"]} (licence of the data: {data.get("licence") or "not stated"}).
- **Accuracy**: {_accuracy(run)}.
- **Probabilities** {_temperature(result.get("temperature"))}.
- **Checked**: on {parity.n_images:,} images of its data the file gives {parity.n_equal:,} of the
  trained network's labels; probabilities differ by at most {parity.largest_difference:.1g}.
- **Input** `images`: uint8 (N, {height}, {width}), grey levels 0 to 255 as in the data; they are
  scaled inside. **Output** `probabilities`: float32 (N, {len(data["class_names"])}), in the order
  of the classes above.

```python
import json
import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession("{file_name}")
classes = json.loads(session.get_modelmeta().custom_metadata_map["classes"])
images = np.zeros((1, {height}, {width}), np.uint8)  # yours
(probabilities,) = session.run(None, {{"images": images}})
print(classes[probabilities[0].argmax()], probabilities[0].max())
```
"""


def is_card(text: str, file_name: str) -> bool:
    """Whether `model_card` wrote this text for a file of that name; a user may have notes on it."""
    return text.startswith(f"# {file_name}\n") and "\n- **Trained** with mnistlab " in text


def _accuracy(run: Run) -> str:
    result, data = run.result, run.data
    if result.get("test_accuracy") is not None:
        low, high = result["test_accuracy_ci"]
        return (
            f"{100 * result['test_accuracy']:.2f} % of {data['n_test']:,} test images "
            f"(95 % interval {100 * low:.2f} to {100 * high:.2f})"
        )
    if result.get("val_accuracy") is not None:
        return (
            f"{100 * result['val_accuracy']:.2f} % of {data['n_val']:,} validation images, which "
            "also chose the epoch; not yet measured on test images"
        )
    return "not measured"


def _temperature(temperature: float | None) -> str:
    if temperature is None:
        return "are those of the network as trained: no temperature was fitted"
    return f"are divided in their logits by the temperature {temperature:.3g}, fitted on validation"
