"""A large CSV into its uint8 array: `mnistlab.data.load` beside `pandas.read_csv` alone.

52,500 images of Fashion-MNIST padded to 32 x 32, 140 MB of text. Every read runs in a process of
its own; memory is the peak above that after the imports (Linux), in multiples of the array's 54 MB.

    python -m benchmarks.csv_reader [--record]
"""

from __future__ import annotations

import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import mnistlab.data

N_IMAGES, SIDE = 52_500, 32
N_TURNS = 5
READERS = ("mnistlab", "pandas")


def bench(n_turns: int = N_TURNS) -> dict[str, Any]:
    """Medians over alternating turns; `time_ratio` is pandas over mnistlab, turn by turn."""
    full = mnistlab.data.load("fashion-mnist")
    with tempfile.TemporaryDirectory(prefix="mnistlab-csv-") as folder:
        wanted = full.take(slice(N_IMAGES))
        [path] = mnistlab.data.export(wanted, folder, "csv", size=SIDE)
        turns = [{name: _in_process(name, path) for name in READERS} for _ in range(n_turns)]
        n_bytes = path.stat().st_size
    array_mb = N_IMAGES * SIDE * SIDE / 1e6
    figures: dict[str, Any] = {"csv_mb": n_bytes / 1e6, "array_mb": array_mb, "n_turns": n_turns}
    for name in READERS:
        figures[f"{name}_time_s"] = statistics.median(turn[name]["time_s"] for turn in turns)
        peak_mb = statistics.median(turn[name]["peak_mb"] for turn in turns)
        figures[f"{name}_peak_mb"] = peak_mb
        figures[f"{name}_memory_multiple"] = peak_mb / array_mb
    ratios = [turn["pandas"]["time_s"] / turn["mnistlab"]["time_s"] for turn in turns]
    figures["time_ratio"] = statistics.median(ratios)
    figures["time_ratios"] = ratios
    figures["same_arrays"] = len({turn[name]["sha256"] for turn in turns for name in READERS}) == 1
    return figures


def _in_process(reader: str, path: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.csv_reader", "--read", reader, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def read_once(reader: str, path: Path) -> dict[str, Any]:
    """One timed read in this process, without the imports."""
    import pandas as pd
    import polars as pl

    pl.thread_pool_size()
    before_mb = _reset_peak_mb()
    start = time.perf_counter()
    if reader == "pandas":
        frame = pd.read_csv(path)
    else:
        dataset = mnistlab.data.load(path)
    time_s = time.perf_counter() - start
    peak_mb = _status_mb("VmHWM") - before_mb
    images: NDArray[Any]
    if reader == "pandas":
        images = frame.drop(columns="label").to_numpy()
    else:
        images = dataset.images.reshape(len(dataset), -1)
    digest = hashlib.sha256(np.ascontiguousarray(images, dtype=np.uint8).data)
    return {"time_s": time_s, "peak_mb": peak_mb, "sha256": digest.hexdigest()}


def _reset_peak_mb() -> float:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _status_mb("VmRSS")


def _status_mb(field: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    line = next(line for line in lines if line.startswith(field))
    return int(line.split()[1]) * 1024 / 1e6


def main() -> None:
    """Print the numbers as one JSON line; the ledger's tools load torch, which a read must not."""
    if sys.argv[1:2] == ["--read"]:
        print(json.dumps(read_once(sys.argv[2], Path(sys.argv[3]))))
        return
    from benchmarks.ledger import run_benchmark

    run_benchmark("csv_reader", bench)


if __name__ == "__main__":
    main()
