"""Record recipes with the clock running: seconds of training, test accuracy, ten seeds each.

Each training is one command in a process of its own, as a user would run it; a finished one is
saved in runs/bench-records, so that the same command resumes a stopped benchmark; delete the folder
to measure anew. For seconds that count, nothing else may run on the machine.

python -m benchmarks.records                                       # all records
python -m benchmarks.records records-mnist-99 --seeds 10 --record
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from benchmarks import ledger
from mnistlab import atomic
from mnistlab.recipes import get_recipe
from mnistlab.recipes.records import RECORDS

N_SEEDS = 10
FOLDER = ledger.CHECKOUT / "runs" / "bench-records"
COMMAND = "mnistlab records {name} --seeds {n}"

Measured = dict[str, Any]


def measure(name: str, seed: int, threads: int | None = None) -> Measured:
    """What `mnistlab records` says of one seed, made now or read from its file."""
    # The hash: settings that have changed are measured again.
    file = FOLDER / f"{name}-{get_recipe(name).content_hash[:8]}-{seed}{_option(threads)}.json"
    if file.exists():
        return dict(json.loads(file.read_text(encoding="utf-8")))
    command = [sys.executable, "-m", "mnistlab", "records", name, "--json"]
    command += ["--first-seed", str(seed)]
    command += _option(threads).split()
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    measured = dict(json.loads(done.stdout.splitlines()[-1]))
    FOLDER.mkdir(parents=True, exist_ok=True)
    atomic.write_text(file, json.dumps(measured))
    return measured


def line_of(name: str, seeds: Sequence[int], threads: int | None = None) -> dict[str, Any]:
    """The ledger's line of a record: the values of every seed in turn."""
    measured = [measure(name, seed, threads) for seed in seeds]
    each = [m["records"][0] for m in measured]
    trainings = [m["trainings"][0] for m in each]
    figures = {
        "seeds": list(seeds),
        **{key: [t[key] for t in trainings] for key in ("test_accuracy", "train_s", "predict_s")},
        **{key: [m[key] for m in each] for key in ("load_s", "warm_up_s")},
        "import_s": [m["import_s"] for m in measured],
        "target_accuracy": RECORDS[name].accuracy,
        "target_s": RECORDS[name].seconds,
        "command": COMMAND.format(name=name, n=len(seeds)) + _option(threads),
    }
    head = {"kind": "benchmark", "name": "records", "record": name, "data": RECORDS[name].data}
    head |= {"recipe_hash": each[0]["recipe_hash"]}
    return head | {"figures": figures, "env": measured[0]["env"]}


def _option(threads: int | None) -> str:
    return "" if threads is None else f" --threads {threads}"


def bench(arguments: Sequence[str] = ()) -> dict[str, Any]:
    """The numbers of every named record; --record adds a line of the ledger for each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.records")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(RECORDS))
    parser.add_argument("--seeds", type=int, default=N_SEEDS)
    parser.add_argument("--threads", type=int, help="as `mnistlab records` takes it")
    parser.add_argument("--record", action="store_true")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.names) - RECORDS.keys():
        parser.error(f"unknown record {min(unknown)!r}; there are: {', '.join(RECORDS)}")
    lines = [line_of(name, range(chosen.seeds), chosen.threads) for name in chosen.names or RECORDS]
    if chosen.record:
        ledger.append(lines)
    return {line["record"]: line["figures"] for line in lines}


if __name__ == "__main__":
    print(json.dumps(bench(sys.argv[1:])))
