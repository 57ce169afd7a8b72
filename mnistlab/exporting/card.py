"""What goes with an exported model: its facts as metadata, and a card to read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mnistlab.cards import counted
from mnistlab.data.preparing import recorded_preparation
from mnistlab.evaluation.neighbours import FALSE_ALARMS, N_NEAREST, Reference
from mnistlab.runs.folder import Run
from mnistlab.version import __version__

if TYPE_CHECKING:
    from mnistlab.exporting.onnx_file import Parity


def facts_of(run: Run, reference: Reference | None = None) -> dict[str, str]:
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
        "unusual_above": None if reference is None else reference.threshold,
        "preparation": recorded_preparation(data) or _resized(data),
        "preprocessing": "inside: grey levels 0 to 255 as uint8 (N, H, W), as in the data",
        "mnistlab": __version__,
    }
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in facts.items()
    }


def _resized(data: Mapping[str, Any]) -> str:
    """`train --size` scaled its image files, so the service scales what it is sent."""
    return "resized" if data.get("source", {}).get("size") else ""


def model_card(run: Run, file_name: str, parity: Parity, reference: Reference | None = None) -> str:
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
- **Checked**: on {_checked_on(parity)} the file gives {parity.n_equal:,} of the
  trained network's labels; probabilities differ by at most {parity.largest_difference:.1g}\
{_distances_differ(parity)}.
- **Input** `images`: uint8 (N, {height}, {width}), grey levels 0 to 255 as in the data; they are
  scaled inside. **Output** `probabilities`: float32 (N, {len(data["class_names"])}), in the order
  of the classes above.{_distance_output(run, reference)}

```python
import json
import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession("{file_name}")
facts = session.get_modelmeta().custom_metadata_map
classes = json.loads(facts["classes"])
images = np.zeros((1, {height}, {width}), np.uint8)  # yours
{USE_BOTH if reference else USE}
```
"""


USE = """(probabilities,) = session.run(None, {"images": images})
print(classes[probabilities[0].argmax()], probabilities[0].max())"""
USE_BOTH = """probabilities, distance = session.run(None, {"images": images})
print(classes[probabilities[0].argmax()], probabilities[0].max())
if distance[0] > float(facts["unusual_above"]):
    print("but it is unlike the training images")"""


def _checked_on(parity: Parity) -> str:
    if parity.are_random:
        return counted(parity.n_images, "random image")
    return f"{counted(parity.n_images, 'image')} of its data"


def _distances_differ(parity: Parity) -> str:
    if parity.largest_distance_difference is None:
        return ""
    return f",\n  distances by at most {parity.largest_distance_difference:.1g}"


def _distance_output(run: Run, reference: Reference | None) -> str:
    """The output `distance`, and how far to trust it."""
    if reference is None:
        return ""
    held_out = (
        f"{100 * FALSE_ALARMS:g} % of the validation images were above"
        if run.data["n_val"]
        else f"{100 * FALSE_ALARMS:g} % of some training images were above, since there were no "
        "validation\n  images; of new images it will be more"
    )
    return f"""
- **Output** `distance`: float32 (N,), the mean distance to the {N_NEAREST} nearest of
  {len(reference.features):,} training images, by what the network sees in them. An image above
  `unusual_above` ({reference.threshold:.3g}) of the metadata is unlike the training images,
  whatever the probabilities say; {held_out}."""


def is_card(text: str, file_name: str) -> bool:
    """Whether `model_card` wrote this text for a file of that name; a user may have notes on it."""
    return text.startswith(f"# {file_name}\n") and "\n- **Trained** with mnistlab " in text


def _accuracy(run: Run) -> str:
    result, data = run.result, run.data
    if result.get("test_accuracy") is not None:
        low, high = result["test_accuracy_ci"]
        return (
            f"{100 * result['test_accuracy']:.2f} % of {counted(data['n_test'], 'test image')} "
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
