"""Training on 8.1 million digits that stay on the disk, beside the same ones in memory.

Every turn is a process of its own, which trains as `mnistlab train` does and stops once its steps
are timed: E2's network (784-100-10) and SimpleCNN (A9), batch 64. Turns alternate. Then one whole
epoch of E2 is trained and evaluated, for its peak memory. Where this machine can limit a process to
LIMIT bytes, the system's file cache included, the turns on the disk are repeated under that limit:
then the images do not fit.

MNISTLAB_INFINITE: a folder in which the images stay for the next time; they take six minutes.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import mnistlab as ml
from benchmarks import infinite_mnist
from benchmarks.ledger import run_benchmark
from mnistlab import machine
from mnistlab.data import large

N_TURNS = 3
N_WARM, N_STEPS = 300, {"mlp": 20_000, "simple-cnn": 1500}
LIMIT = 2 << 30
CGROUPS = Path("/sys/fs/cgroup/memory")


class TimedError(Exception):
    """All timed steps are done."""


def recipe_of(name: str) -> ml.Recipe:
    """One epoch of a recipe as published, in float32, with 5,000 validation images."""
    recipe = ml.get_recipe(name)
    phases = (replace(recipe.phases[0], epochs=1),)
    return replace(recipe, phases=phases, precision="float32", split="official", n_val=5000)


def turn(folder: str, name: str, where: str) -> dict[str, float]:
    """Steps per second, and the process's peak memory since its start."""
    data = ml.load(folder)
    if where == "memory":
        data = replace(data, images=np.concatenate(list(large.blocks(data.images))))
    times: list[float] = []

    def on_step() -> None:
        times.append(time.perf_counter())
        if len(times) > N_WARM + N_STEPS[name]:
            raise TimedError

    with tempfile.TemporaryDirectory() as out, contextlib.suppress(TimedError):
        ml.train(recipe_of(name), data, out=out, progress=ml.Progress(on_step=on_step))
    seconds = times[-1] - times[N_WARM]
    return {"steps_per_s": N_STEPS[name] / seconds, "peak_memory_mb": machine.peak_memory_mb()}


def whole(folder: str, name: str, where: str) -> dict[str, float]:
    """An epoch of all images, and the numbers of its run."""
    with tempfile.TemporaryDirectory() as out:
        start = time.perf_counter()
        run = ml.evaluate(ml.train(recipe_of(name), folder, out=out))
        seconds = time.perf_counter() - start
    figures = {key: run.result[key] for key in ("test_accuracy", "train_time_s")}
    return {**figures, "whole_s": seconds, "peak_memory_mb": machine.peak_memory_mb()}


def in_process(what: Callable[..., Any], *of: str, limited: bool = False) -> dict[str, float]:
    """The result of a function of this file that runs in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.larger_than_memory", what.__name__, *of]
    if limited:
        forget(Path(of[0]))
    with little_memory() if limited else contextlib.nullcontext() as group:
        enter = None if group is None else lambda: (group / "cgroup.procs").write_text("0")
        done = subprocess.run(command, preexec_fn=enter, check=True, stdout=subprocess.PIPE)
    figures: dict[str, float] = json.loads(done.stdout)
    print(what.__name__, *of, "limited" if limited else "", figures, file=sys.stderr, flush=True)
    return figures


def forget(folder: Path) -> None:
    """Empty the file cache: the system counts it to the process that read a file first."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


@contextlib.contextmanager
def little_memory() -> Iterator[Path]:
    """A control group of no more than LIMIT bytes, file cache included."""
    own = next(
        line.split(":")[2]
        for line in Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines()
        if line.split(":")[1] == "memory"
    )
    group = CGROUPS / own.lstrip("/") / "mnistlab-bench"
    group.mkdir(exist_ok=True)
    try:
        (group / "memory.limit_in_bytes").write_text(str(LIMIT))
        yield group
    finally:
        group.rmdir()


def can_be_limited() -> bool:
    """Whether this process may create such a group."""
    try:
        with little_memory():
            return True
    except (OSError, StopIteration):
        return False


def bench() -> dict[str, Any]:
    """Every turn, the median fraction of the speed in memory that remains, and peak memory."""
    import torch

    limited = {False, can_be_limited()}
    figures: dict[str, Any] = {"threads": torch.get_num_threads(), "limit_mb": LIMIT >> 20}
    with contextlib.ExitStack() as stack:
        own = os.environ.get("MNISTLAB_INFINITE")
        folder = own or stack.enter_context(tempfile.TemporaryDirectory(dir="."))
        infinite_mnist.write(Path(folder))
        for name in N_STEPS:
            turns: dict[str, list[dict[str, float]]] = {"memory": [], "disk": [], "limited": []}
            for _ in range(N_TURNS):
                turns["memory"].append(in_process(turn, folder, name, "memory"))
                turns["disk"].append(in_process(turn, folder, name, "disk"))
                if True in limited:
                    turns["limited"].append(in_process(turn, folder, name, "disk", limited=True))
            figures[name] = {
                "turns": turns,
                "kept": {w: fraction_of_speed(turns, w) for w in turns},
            }
        for little in sorted(limited):
            ends = in_process(whole, folder, "mlp", "disk", limited=little)
            figures["limited epoch" if little else "epoch"] = ends
    return figures


def fraction_of_speed(turns: dict[str, list[dict[str, float]]], where: str) -> float | None:
    """Steps per second there, divided by those in memory: the median of pairs."""
    pairs = zip(turns[where], turns["memory"], strict=False)
    ratios = [one["steps_per_s"] / other["steps_per_s"] for one, other in pairs]
    return statistics.median(ratios) if ratios else None


if __name__ == "__main__":
    if sys.argv[1:2] in (["turn"], ["whole"]):
        # Else training would forget the peak of what came before.
        machine.start_measuring_memory = lambda: 0.0
        print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))
    else:
        run_benchmark("larger_than_memory", bench)
