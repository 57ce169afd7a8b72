"""SimpleCNN (A9) trained by other frameworks and by mnistlab: seconds per epoch, and accuracy.

python -m benchmarks.frameworks                       # 3 turns of 2 epochs of every framework
python -m benchmarks.frameworks --epochs 5 --turns 5 --record
python -m benchmarks.frameworks --images 640 --only skorch "Keras on JAX"    # whether they work

All train the same network on the same 55,000 images of Fashion-MNIST in batches of 64 with Adam at
0.001, and validate on the same 5,000 after every epoch, each with all cores. The first epoch stands
apart, since some frameworks compile in it. Every training is a process of its own; frameworks take
turns. Each has an environment, made with pip and kept in --environments; one that cannot be
installed, or that fails, is named with the reason. All environments take about 10 GB.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

import mnistlab as ml
from benchmarks import framework_peers, ledger
from benchmarks.environments import environment, site_packages
from mnistlab.training import hardware

ENVIRONMENTS = ledger.CHECKOUT / "build" / "framework-environments"
LIMIT_S = 3600  # of one training
TORCH = ("torch", "numpy")

Record = dict[str, Any]


class Packages(NamedTuple):
    """What pip installs for a framework; those that need torch share one environment with it."""

    names: tuple[str, ...]
    needs_torch: bool = True


PACKAGES = {
    "PyTorch": Packages(()),
    "PyTorch, bfloat16": Packages(()),
    "skorch": Packages(("skorch",)),
    "fastai": Packages(("fastai",)),
    "Lightning": Packages(("pytorch-lightning!=2.6.2,!=2.6.3",)),  # those two were malicious
    "Keras on TensorFlow": Packages(("keras", "tensorflow"), needs_torch=False),
    "Keras on TensorFlow, bfloat16": Packages(("keras", "tensorflow"), needs_torch=False),
    "Keras on JAX": Packages(("keras", "jax"), needs_torch=False),
}
OURS = {"mnistlab, float32": "float32", "mnistlab, bfloat16": "bfloat16"}
IN_BFLOAT16 = tuple(name for name in (*PACKAGES, *OURS) if name.endswith(", bfloat16"))


def all_names() -> list[str]:
    """Everything that can be measured on this CPU: bfloat16 only where it is not emulated."""
    names = [*PACKAGES, *OURS]
    if hardware.has_bfloat16(torch.device("cpu")):
        return names
    return [name for name in names if name not in IN_BFLOAT16]


def python_for(name: str, environments: Path) -> Path:
    """The Python that has the framework; CalledProcessError where pip fails."""
    packages = PACKAGES[name]
    folder = environments / name.removesuffix(", bfloat16").replace(" ", "-")
    if not packages.needs_torch:
        return environment(folder, packages.names)
    shared = environment(environments / "torch", TORCH)
    if not packages.names:
        return shared
    return environment(folder, packages.names, also_sees=[site_packages(shared)])


def command_of(name: str, environments: Path) -> list[str]:
    """The command that trains; images, epochs and seed are added to it."""
    if name in OURS:
        return [sys.executable, "-m", "benchmarks.framework_ours", OURS[name]]
    # -I: a module beside the program, or on PYTHONPATH, never takes the place of an installed one.
    return [str(python_for(name, environments)), "-I", framework_peers.__file__, name]


def write_images(path: Path, n_train: int | None) -> tuple[int, int]:
    """Write the training and the validation images for every process; returns how many of each."""
    parts = ml.split(ml.load("fashion-mnist"), "official")
    train, val = slice(n_train), slice(None if n_train is None else max(1, n_train // 10))
    y_train, y_val = parts.train.labels[train], parts.val.labels[val]
    np.savez(
        path,
        x_train=parts.train.images[train],
        y_train=y_train.astype(np.int64),
        x_val=parts.val.images[val],
        y_val=y_val.astype(np.int64),
    )
    return len(y_train), len(y_val)


def train(command: Sequence[str], images: Path, n_epochs: int, seed: int) -> Record:
    """The result of one training, from the last line its process prints.

    Raises RuntimeError, with the end of what the process said, where it fails.
    """
    # torch takes fewer threads than there are cores where two share a core; the others do not.
    env = os.environ | {"OMP_NUM_THREADS": str(os.cpu_count() or 1)}
    words = [*command, str(images), str(n_epochs), str(seed)]
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=LIMIT_S, env=env, cwd=ledger.CHECKOUT
        )
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"it had not ended after {LIMIT_S} s") from error
    if done.returncode != 0:
        raise RuntimeError(last_words(done.stderr) or f"exit status {done.returncode}")
    try:
        found: Record = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError) as error:
        raise RuntimeError("it printed no result") from error
    if len(found["epochs_s"]) != n_epochs or not np.isfinite(found["epochs_s"]).all():
        raise RuntimeError(f"it timed these epochs: {found['epochs_s']}")
    return found


def last_words(text: str | None) -> str:
    """The last line that a failed process printed."""
    lines = (text or "").strip().splitlines()
    return lines[-1].strip()[:300] if lines else ""


def commands_of(
    names: Sequence[str], environments: Path
) -> tuple[dict[str, list[str]], dict[str, str]]:
    """The command of each framework, and of those that pip cannot install the reason."""
    commands, skipped = {}, {}
    for name in names:
        print(f"{name}: environment", file=sys.stderr, flush=True)
        try:
            commands[name] = command_of(name, environments)
        except subprocess.CalledProcessError as error:
            skipped[name] = f"not installed: {last_words(error.stderr) or error}"
    return commands, skipped


def measure(
    commands: Mapping[str, Sequence[str]], images: Path, n_epochs: int, n_turns: int
) -> tuple[dict[str, list[Record]], dict[str, str]]:
    """Every turn of every framework, which take turns; and why one that failed is left out."""
    found: dict[str, list[Record]] = {name: [] for name in commands}
    skipped: dict[str, str] = {}
    for seed in range(n_turns):
        for name in [name for name in commands if name not in skipped]:
            try:
                record = train(commands[name], images, n_epochs, seed)
            except RuntimeError as error:
                skipped[name] = str(error)
                print(f"{name}: {error}", file=sys.stderr, flush=True)
                continue
            found[name].append(record)
            seconds = ", ".join(f"{value:.2f}" for value in record["epochs_s"])
            accuracy = record["val_accuracy"]
            print(f"{name}: {seconds} s, {accuracy:.4f}", file=sys.stderr, flush=True)
    return {name: each for name, each in found.items() if name not in skipped}, skipped


def figures_of(records: Sequence[Record]) -> Record:
    """The numbers of one framework, turn by turn; a turn's epoch is the mean after its first."""
    return {
        "first_epoch_s": [each["epochs_s"][0] for each in records],
        "epoch_s": [statistics.fmean(each["epochs_s"][1:]) for each in records],
        "val_accuracy": [each["val_accuracy"] for each in records],
        "n_parameters": records[0]["n_parameters"],
        "versions": records[0]["versions"],
    }


def compared(frameworks: Mapping[str, Record]) -> dict[str, dict[str, float]]:
    """For each of ours, how many times its epoch the others' take, the median over turns."""
    return {
        ours: {
            name: ledger.median_ratio(figures["epoch_s"], frameworks[ours]["epoch_s"])
            for name, figures in frameworks.items()
            if name not in OURS
        }
        for ours in OURS
        if ours in frameworks
    }


def fastest(ratios: Mapping[str, Mapping[str, float]]) -> dict[str, tuple[str, float]]:
    """For each of ours, the fastest other framework and its ratio; float32 beside float32."""
    best = {}
    for ours, others in ratios.items():
        alike = {n: r for n, r in others.items() if ours in IN_BFLOAT16 or n not in IN_BFLOAT16}
        if alike:
            best[ours] = min(alike.items(), key=lambda pair: pair[1])
    return best


def options(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.frameworks")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=2, help="two or more: the first is apart")
    parser.add_argument("--images", type=int, help="so many training images, to try it out")
    parser.add_argument("--environments", type=Path, default=ENVIRONMENTS)
    parser.add_argument("--only", nargs="+", choices=[*PACKAGES, *OURS], default=all_names())
    parser.add_argument("--record", action="store_true", help="add a line to the ledger")
    given = parser.parse_args(arguments)
    if given.epochs < 2 or given.turns < 1:
        parser.error("this needs two epochs and one turn, or more")
    if given.record and (given.images is not None or set(given.only) != set(all_names())):
        parser.error("--record is for all images and all frameworks")
    return given


def bench(arguments: Sequence[str] = ()) -> dict[str, Any]:
    """Seconds per epoch, accuracies and ratios of every framework."""
    given, load = options(arguments), os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder) / "images.npz"
        n_train, n_val = write_images(images, given.images)
        commands, missing = commands_of(given.only, given.environments.resolve())
        records, failed = measure(commands, images, given.epochs, given.turns)
    frameworks = {name: figures_of(each) for name, each in records.items()}
    ratios = compared(frameworks)
    return {
        "n_train": n_train,
        "n_val": n_val,
        "epochs": given.epochs,
        "turns": given.turns,
        "threads": os.cpu_count(),
        "load_before": load,
        "frameworks": frameworks,
        "skipped": missing | failed,
        "times_ours": ratios,
        "times_ours_of_the_fastest": fastest(ratios),
    }


if __name__ == "__main__":
    ledger.run_benchmark("frameworks", partial(bench, sys.argv[1:]))
