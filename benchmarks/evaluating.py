"""What the evidence costs: seconds of a full evaluation, and sizes of pages.

SimpleCNN, one epoch on Fashion-MNIST, evaluated on its 10,000 test images with its page, turn by
turn; the time of the network's own predictions is subtracted. Pages: of that run, of a comparison,
and of a study of fourteen arms (write-up C's, in miniature).
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

import mnistlab as ml
from benchmarks.ledger import run_benchmark
from mnistlab.reporting.compare_report import compare_report
from mnistlab.reporting.study_report import study_report
from mnistlab.studies import get_study

N_TURNS = 5


def bench() -> dict[str, Any]:
    """Seconds of every turn, and megabytes (2**20 bytes) of every page."""
    data = ml.load("fashion-mnist")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        recipe = ml.set_fields(ml.get_recipe("simple-cnn"), {"epochs": "1"})
        run = ml.train(recipe, data, out=out)
        whole, predicting = [], []
        for _ in range(N_TURNS):
            start = time.perf_counter()
            run = ml.evaluate(run, data)
            page = ml.report(run, data)
            whole.append(time.perf_counter() - start)
            predicting.append(run.result["predict_time_s"])
            print(f"{whole[-1]:.2f} s, of which {predicting[-1]:.2f} s predicting", file=sys.stderr)
        other = ml.evaluate(ml.train(replace(recipe, seed=1), data, out=out), data)
        pages = {"run": page, "comparison": compare_report(ml.compare([run, other], out=out))}
        dense, conv = map(get_study, ("mlp-regularisation", "cnn-regularisation"))
        assert isinstance(dense, ml.Study)
        assert isinstance(conv, ml.Study)
        fourteen = replace(dense, name="fourteen", arms=dense.arms + conv.arms)
        studied = ml.run_study(fourteen, data, quick=True, out=out)
        pages["study of fourteen arms"] = study_report(studied)
        megabytes = {name: path.stat().st_size / 2**20 for name, path in pages.items()}
    return {
        "threads": torch.get_num_threads(),
        "n_images": run.result["n_test"],
        "seconds": whole,
        "naming_s": predicting,
        "page_mb": megabytes,
    }


if __name__ == "__main__":
    run_benchmark("evaluating", bench, precision="auto")
