"""Whether exported ONNX files answer as the trained classifiers on all test images.

python -m benchmarks.export_parity runs/softmax-mnist-* runs/svm-mnist-* --record

Each run is exported as `mnistlab export RUN -o model.onnx` does, and the file's answers for every
test image stand beside the classifier's: labels, probabilities and distances to the nearest
training images.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

import mnistlab as ml
from benchmarks.ledger import run_benchmark
from mnistlab.exporting.card import facts_of
from mnistlab.exporting.onnx_file import compared, onnx_bytes
from mnistlab.runs.neighbours import computed_reference
from mnistlab.runs.run_data import dataset_of, recorded_parts


def measured(run: ml.Run) -> dict[str, Any]:
    """How the file of a run compares with its classifier, and how large it is."""
    classifier, dataset = run.classifier("cpu"), dataset_of(run)
    temperature = run.result.get("temperature")
    reference = computed_reference(run, dataset, classifier)
    content = onnx_bytes(classifier, temperature, facts_of(run, reference), reference)
    test = recorded_parts(run.path, run.recipe, run.data, dataset).test
    parity = compared(content, classifier, temperature, np.asarray(test.images), reference)
    figures = {
        "recipe": run.recipe.name,
        "model": run.recipe.model,
        "data": run.data["name"],
        "n_bytes": len(content),
        **parity._asdict(),
    }
    print(figures, file=sys.stderr)
    return figures


def bench() -> dict[str, Any]:
    """Of every run named on the command line; SystemExit where none is."""
    folders = [Path(word) for word in sys.argv[1:] if not word.startswith("--")]
    if not folders:
        raise SystemExit("name the folders of trained runs")
    return {"runs": [measured(ml.open_run(folder)) for folder in folders]}


if __name__ == "__main__":
    run_benchmark("export_parity", bench)
