"""What the compiled kernels buy: steps of A9, and its predictions, beside torch's own operations.

Batch 64, 6,400 images of Fashion-MNIST, one epoch without validation; and images a second that the
network classifies, one at a time and 256 at a time, in float32. Both are the same network; turns
alternate, and each pair of turns gives one ratio.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

import mnistlab as ml
from benchmarks.ledger import median_ratio, run_benchmark
from mnistlab.runs import classifier_of
from mnistlab.training import hardware, kernels
from mnistlab.training.kernels.fusing import Forward, fused

N_TURNS, N_IMAGES = 7, 6_400
PREDICTED = {1: 400, 256: 2_560}  # images of a turn, by the size of a batch


def epoch_s(data: ml.Dataset, precision: str, seed: int) -> float:
    """Seconds of one epoch of A9."""
    recipe = ml.get_recipe("simple-cnn")
    phase = replace(recipe.phases[0], epochs=1)
    recipe = replace(recipe, phases=(phase,), precision=precision, seed=seed)
    classifier = classifier_of(recipe, "cpu").set_params(validation_fraction=0)
    classifier.fit(data.images, data.labels)
    return float(classifier.history_[0]["time_s"])


@torch.inference_mode()
def prediction_s(forward: Forward, images: torch.Tensor, batch_size: int) -> float:
    """Seconds to classify the images, batch by batch."""
    start = time.perf_counter()
    for batch in images.split(batch_size):
        forward(batch).argmax(1)
    return time.perf_counter() - start


def compared(name: str, measure: Callable[[bool], float]) -> dict[str, Any]:
    """Seconds of every turn with kernels and without, and the median ratio."""
    seconds: dict[str, list[float]] = {"kernels": [], "torch": []}
    for with_kernels in (True, False):  # a process's first turn is slower
        measure(with_kernels)
    for turn in range(N_TURNS):
        for with_kernels in (True, False) if turn % 2 else (False, True):
            seconds["kernels" if with_kernels else "torch"].append(measure(with_kernels))
    ratio = median_ratio(seconds["torch"], seconds["kernels"])
    print(f"{name}: {ratio:.2f} times as fast with kernels", file=sys.stderr, flush=True)
    return {"seconds": seconds, "faster": ratio}


def bench() -> dict[str, Any]:
    """Epochs by precision and predictions by size of batch, each with kernels and without."""
    data = ml.load("fashion-mnist").take(slice(0, N_IMAGES))
    precisions = ["float32"]
    if hardware.has_bfloat16(torch.device("cpu")):
        precisions.append("bfloat16")

    def epoch(with_kernels: bool, precision: str) -> float:
        with kernels.allowed(with_kernels):
            return epoch_s(data, precision, seed=0)

    epochs = {
        precision: compared(f"epoch, {precision}", lambda on, p=precision: epoch(on, p))  # type: ignore[misc]
        for precision in precisions
    }
    classifier = classifier_of(ml.get_recipe("simple-cnn"), "cpu")
    classifier.set_params(n_epochs=1, phases=None).fit(data.images[:640], data.labels[:640])
    network = classifier.network_.eval()  # type: ignore[attr-defined]
    predictions = {}
    for batch_size, n in PREDICTED.items():
        images = torch.from_numpy(data.images[:n, None])
        forward = fused(network)
        found = compared(
            f"predictions, batches of {batch_size}",
            lambda on, f=forward, x=images, b=batch_size: prediction_s(f if on else network, x, b),  # type: ignore[misc]
        )
        found["images_per_s"] = {name: n / min(s) for name, s in found["seconds"].items()}
        predictions[str(batch_size)] = found
    return {
        "threads": torch.get_num_threads(),
        "kernels": kernels.version(),
        "n_images": N_IMAGES,
        "epochs": epochs,
        "predictions": predictions,
    }


if __name__ == "__main__":
    run_benchmark("kernels", bench)
