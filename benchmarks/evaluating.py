"""What the evidence costs: seconds of a full evaluation, and sizes of pages.

SimpleCNN, one epoch on Fashion-MNIST, evaluated on its 10,000 test images with its page, turn by
turn; the time the network took to name the test images is taken off. Pages: of that run, of a
comparison, and of a study of fourteen arms (write-up C's, in miniature).
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
from mnistlab.studies import portfolio

N_TURNS = 5


def bench() -> dict[str, Any]:
    """Seconds of every turn, and megabytes (2**20 bytes) of every page."""
    data = ml.load("fashion-mnist")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        recipe = ml.set_fields(ml.get_recipe("simple-cnn"), {"epochs": "1"})
        run = ml.train(recipe, data, out=out)
        whole, naming = [], []
        for _ in range(N_TURNS):
            start = time.perf_counter()
            run = ml.evaluate(run, data)
            page = ml.report(run, data)
            whole.append(time.perf_counter() - start)
            naming.append(run.result["predict_time_s"])
            print(f"{whole[-1]:.2f} s, of which {naming[-1]:.2f} s naming", file=sys.stderr)
        other = ml.evaluate(ml.train(replace(recipe, seed=1), data, out=out), data)
        pages = {"run": page, "comparison": compare_report(ml.compare([run, other], out=out))}
        mine, theirs = portfolio.mlp_regularisation(), portfolio.cnn_regularisation()
        fourteen = replace(mine, name="fourteen", arms=mine.arms + theirs.arms)
        studied = ml.run_study(fourteen, data, quick=True, out=out)
        pages["study of fourteen arms"] = study_report(studied)
        megabytes = {name: path.stat().st_size / 2**20 for name, path in pages.items()}
    return {
        "threads": torch.get_num_threads(),
        "n_images": run.result["n_test"],
        "seconds": whole,
        "naming_s": naming,
        "page_mb": megabytes,
    }


if __name__ == "__main__":
    run_benchmark("evaluating", bench, precision="auto")
