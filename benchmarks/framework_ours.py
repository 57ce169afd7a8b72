"""mnistlab trains SimpleCNN (A9) as framework_peers lets the others, in a process of its own.

python -m benchmarks.framework_ours PRECISION IMAGES.npz EPOCHS SEED
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import torch

import mnistlab as ml
from benchmarks.framework_peers import EpochClock
from mnistlab.runs import classifier_of
from mnistlab.training import kernels


def trained(precision: str, source: str, n_epochs: int, seed: int) -> dict[str, Any]:
    """The same numbers as framework_peers.trained."""
    with np.load(source) as found:
        parts = {name: found[name] for name in found.files}
    recipe = ml.get_recipe("simple-cnn")
    phase = replace(recipe.phases[0], epochs=n_epochs)
    recipe = replace(recipe, phases=(phase,), precision=precision, scaling="standard", seed=seed)
    classifier, clock = classifier_of(recipe, "cpu"), EpochClock()
    clock.start()
    classifier.fit(
        *(parts[name] for name in ("x_train", "y_train", "x_val", "y_val")),
        on_epoch=clock.end_epoch,
    )
    compiled = kernels.version()
    return {
        "epochs_s": clock.seconds,
        "val_accuracy": classifier.history_[-1]["val_accuracy"],
        "n_parameters": classifier.n_parameters_,
        "versions": {"mnistlab": ml.__version__, "torch": torch.__version__}
        | ({} if compiled is None else {"kernels": compiled}),
    }


if __name__ == "__main__":
    print(json.dumps(trained(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
