"""`mnistlab fit` beside other ways to spend the same minutes.

Fashion-MNIST, MNIST and the five small sets of benchmarks.your_image_sets; a seed draws the images
of a small set, and is the seed of what is fitted. Each method is one command in a process of its
own, its start included in the time. Every fourth fit of ours is killed and continued. A finished
fit is saved in runs/bench-fit, so that the same command resumes a stopped benchmark. Peers that are
installed with pip are installed into environments of their own, under /tmp/fit-env.

python -m benchmarks.fit                                # what is missing at 1 minute, three seeds
python -m benchmarks.fit --minutes 5 digits garments    # only these sets
python -m benchmarks.fit --methods fit simple-cnn-tuned --seeds 1 --record
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import accuracy_score, balanced_accuracy_score

import mnistlab as ml
from benchmarks import fit_peers, ledger
from benchmarks.environments import environment
from benchmarks.fit_data import DRAWS, FIGURES, write_parts
from mnistlab import atomic
from mnistlab.evaluation import over_seeds
from mnistlab.fitting.candidates import LEAST_STEPS
from mnistlab.training import hardware

N_SEEDS = 3
FOLDER = ledger.CHECKOUT / "runs" / "bench-fit"
ENVIRONMENTS = Path("/tmp/fit-env")
PACKAGES = {"FLAML": "flaml[automl]", "AutoGluon tabular": "autogluon.tabular[lightgbm,xgboost]"}
OURS, TUNED = "fit", "simple-cnn-tuned"
METHODS = (OURS, TUNED, *fit_peers.METHODS)
KILLED_EVERY = 4  # one of so many fits is killed at a random moment, and continued

Record = dict[str, Any]


def kill_after_s(parts: str, seed: int, minutes: float) -> float | None:
    """When a fit is killed, which is fixed by what it fits; None: it is not."""
    chance = random.Random(f"{parts} {seed} {minutes}")
    if chance.randrange(KILLED_EVERY):
        return None
    return chance.uniform(0.2, 0.9) * 60 * minutes


def fitted(parts: Path, seed: int, minutes: float, folder: Path) -> tuple[Path, Record]:
    """The run of `mnistlab fit`, and how long the command took, both parts of a killed one."""
    command = [sys.executable, "-m", "mnistlab", "fit", str(parts), "--minutes", f"{minutes:g}"]
    command += ["--seed", str(seed), "--out", str(folder), "--json"]
    limit_s, before_s = kill_after_s(parts.stem, seed, minutes), 0.0
    if limit_s is not None:
        start = time.monotonic()
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=limit_s)
        except subprocess.TimeoutExpired:  # it was killed
            before_s = time.monotonic() - start
    start = time.monotonic()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds = before_s + time.monotonic() - start
    result = json.loads(done.stdout.splitlines()[-1])
    known = {name: result[name] for name in ("seconds_used", "val_accuracy")}
    members = [f"{m['recipe']} {m['weight']:.3f}" for m in result["members"]]
    return Path(result["path"]), known | {
        "seconds": seconds,
        "is_killed": limit_s is not None,
        "members": members,
    }


def ours(parts: Path, seed: int, minutes: float, folder: Path) -> Record:
    """The ensemble's test accuracy; see FIGURES."""
    path, known = fitted(parts, seed, minutes, folder)
    run = ml.evaluate(ml.open_run(path))
    figures = {"accuracy": "test_accuracy", "balanced_accuracy": "balanced_accuracy"}
    return known | {name: run.result[field] for name, field in figures.items()}


def tuned(parts: Path, seed: int, minutes: float, folder: Path) -> Record:
    """The tuned recipe, with as many epochs as end in time; 400 steps or more where they do."""
    ends, start = time.monotonic() + 0.95 * 60 * minutes, time.monotonic()
    data = ml.load(str(parts))
    recipe = replace(ml.get_recipe(TUNED), seed=seed)
    n_steps = -(-len(ml.split(data).train) // recipe.batch_size)
    n_epochs = max(recipe.phases[0].epochs, -(-LEAST_STEPS // n_steps))
    timed = ml.train(_with_epochs(recipe, 1), data, out=folder / "timed", force=True)
    fits = int((ends - time.monotonic()) / max(timed.result["train_time_s"], 1e-3))
    chosen = _with_epochs(recipe, max(1, min(n_epochs, fits)))
    run = ml.evaluate(ml.train(chosen, data, out=folder, force=True))
    return {
        "accuracy": run.result["test_accuracy"],
        "balanced_accuracy": run.result["balanced_accuracy"],
        "seconds": time.monotonic() - start,
        "epochs": run.result["epochs"],
    }


def _with_epochs(recipe: ml.Recipe, epochs: int) -> ml.Recipe:
    return replace(recipe, phases=(replace(recipe.phases[0], epochs=epochs),))


def peer(method: str, parts: Path, minutes: float, folder: Path) -> Record:
    """A peer in a process of its own, in its own environment where it needs one."""
    predicted = folder / "predicted.npy"
    folder.mkdir(parents=True, exist_ok=True)
    python = python_for(method)
    script = Path(fit_peers.__file__)
    command = [str(python), str(script), method, str(parts), str(predicted), str(60 * minutes)]
    start = time.monotonic()
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    seconds = time.monotonic() - start
    with np.load(parts) as found:
        labels = found["y_test"]
    classes = np.load(predicted, allow_pickle=False)
    return {
        "accuracy": float(accuracy_score(labels, classes)),
        "balanced_accuracy": float(balanced_accuracy_score(labels, classes)),
        "seconds": seconds,
    }


def python_for(method: str) -> Path:
    """The Python that has the peer's package, in an environment of its own where it needs one."""
    if method not in PACKAGES:
        return Path(sys.executable)
    return environment(ENVIRONMENTS / method.split()[0].lower(), (PACKAGES[method],))


def method_of(name: str) -> Callable[[Path, int, float, Path], Record]:
    """The function that fits and measures."""
    if name == OURS:
        return ours
    if name == TUNED:
        return tuned
    return lambda parts, seed, minutes, folder: peer(name, parts, minutes, folder)


def measure(name: str, seed: int, method: str, minutes: float) -> Record:
    """The result of one fit, made now or read from its file."""
    stem = f"{name}-{seed}-{method.replace(' ', '-')}-{minutes:g}min"
    file = FOLDER / f"{stem}.json"
    if file.exists():
        return dict(json.loads(file.read_text(encoding="utf-8")))
    parts = FOLDER / "parts" / f"{name}-{seed}.npz"
    if not parts.exists():
        write_parts(DRAWS[name](seed), parts)
    record = method_of(method)(parts, seed, minutes, FOLDER / "work" / stem)
    record["overrun"] = record["seconds"] / (60 * minutes) - 1
    atomic.write_text(file, json.dumps(record))
    print(f"{stem}: {record}", file=sys.stderr, flush=True)
    return record


def figures_of(
    name: str, methods: Sequence[str], seeds: Sequence[int], minutes: float
) -> dict[str, Any]:
    """Every method's values on a set, seed by seed, and ours against each, paired over seeds."""
    records = {m: [measure(name, seed, m, minutes) for seed in seeds] for m in methods}
    figure = FIGURES[name]
    values = {m: [record[figure] for record in each] for m, each in records.items()}
    against = {}
    if OURS in values and len(seeds) > 1:
        for method in [m for m in methods if m != OURS]:
            difference = over_seeds(values[OURS], values[method])
            against[method] = {"mean": difference.mean, "p": difference.p}
    return {
        "figure": figure,
        "minutes": minutes,
        "seeds": list(seeds),
        "methods": {
            m: {key: [record[key] for record in each] for key in each[0]}
            for m, each in records.items()
        },
        "fit_against": against,
    }


def bench(arguments: Sequence[str] = ()) -> dict[str, Any]:
    """The numbers of every named set; --record adds a line of the ledger for each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fit")
    parser.add_argument("sets", nargs="*", metavar="SET", help=", ".join(DRAWS))
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seeds", type=int, default=N_SEEDS)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--record", action="store_true")
    chosen = parser.parse_args(arguments)
    names, seeds = chosen.sets or list(DRAWS), range(chosen.seeds)
    found = {name: figures_of(name, chosen.methods, seeds, chosen.minutes) for name in names}
    if chosen.record:
        env = hardware.describe("cpu", "auto")
        head = {"kind": "benchmark", "name": "fit", "minutes": chosen.minutes}
        ledger.append([head | {"data": n, "figures": f, "env": env} for n, f in found.items()])
    return found


if __name__ == "__main__":
    print(json.dumps(bench(sys.argv[1:])))
