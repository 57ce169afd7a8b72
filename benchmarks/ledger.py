"""The ledger: one JSON line per measured arm or benchmark, never edited by hand.

python -m benchmarks.ledger runs/study-ladder-mnist     # add a finished study's numbers
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mnistlab import atomic, machine
from mnistlab.training import hardware

CHECKOUT = Path(__file__).resolve().parent.parent
OWN_PATH = "benchmarks/ledger.jsonl"
LEDGER = CHECKOUT / OWN_PATH


def read() -> list[dict[str, Any]]:
    """Every line, oldest first."""
    return [json.loads(line) for line in LEDGER.read_text(encoding="utf-8").splitlines()]


def latest(kind: str, name: str, **fields: Any) -> dict[str, Any] | None:
    """The newest line of that kind and name whose fields have those values."""
    wanted = {"kind": kind, "name": name, **fields}
    matches = [line for line in read() if wanted.items() <= line.items()]
    return matches[-1] if matches else None


def newest_benchmark(name: str) -> dict[str, Any]:
    """The newest line of a benchmark; KeyError where there is none."""
    line = latest("benchmark", name)
    if line is None:
        raise KeyError(f"the ledger holds no benchmark {name}")
    return line


def median_ratio(values: Sequence[float], bases: Sequence[float]) -> float:
    """The median over turns of a value divided by the base of the same turn."""
    return statistics.median(a / b for a, b in zip(values, bases, strict=True))


def append(lines: list[dict[str, Any]], checkout: Path = CHECKOUT) -> None:
    """Add lines, each with the date and the commit that is checked out in `checkout`."""
    stamp = {"commit": _commit(checkout), "date": f"{datetime.now(UTC):%Y-%m-%d}"}
    old = LEDGER.read_text(encoding="utf-8") if LEDGER.exists() else ""
    new = "".join(json.dumps(line | stamp, allow_nan=False) + "\n" for line in lines)
    atomic.write_text(LEDGER, old + new)


def run_benchmark(
    name: str, bench: Callable[[], dict[str, Any]], precision: str = "float32"
) -> None:
    """Measure, print the numbers as one JSON line, and add them to the ledger with --record.

    precision: of the networks it trains, as in a recipe.
    """
    figures = bench()
    env = hardware.describe("cpu", precision)
    if "--record" in sys.argv[1:]:
        append([{"kind": "benchmark", "name": name, "figures": figures, "env": env}])
    print(json.dumps(figures))


def record_study(folder: Path, checkout: Path = CHECKOUT) -> None:
    """Add a finished study: a line per arm, with every seed's values; one line if it has no arms.

    checkout: the code that trained it.
    """
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    head = {"kind": "study", "name": result["study"], "data": result["data"]}
    if not result["arms"]:
        env = machine.describe() | {"threads": machine.threads_in_use()}
        own = {key: value for key, value in result.items() if key not in ("study", "arms")}
        append([head | own | {"env": env}], checkout)
        return
    if "trials" in result:  # a search: its two recipes, and what it was
        head |= {key: result[key] for key in ("sampler", "search_time_s", "importance")}
        head |= {"n_trials": len(result["trials"])}
    lines = []
    for arm in result["arms"]:
        run = folder.parent / arm["runs"][0]
        env = json.loads((run / "env.json").read_text(encoding="utf-8"))
        run_result = json.loads((run / "result.json").read_text(encoding="utf-8"))
        lines.append(
            head
            | {key: value for key, value in arm.items() if key not in ("recipe", "runs")}
            | {"recipe": arm["recipe"]["name"], "recipe_hash": run_result["recipe_hash"]}
            | {"n_train": _n_train(run, run_result), "n_test": run_result.get("n_test"), "env": env}
            | ({"weights": run_result["weights"]} if "weights" in run_result else {})
        )
    append(lines, checkout)


def _n_train(run: Path, result: dict[str, Any]) -> int:
    """The number of images it was trained on or, for a cross-validation, of all folds."""
    if "n_images" in result:
        return int(result["n_images"])
    return int(json.loads((run / "data.json").read_text(encoding="utf-8"))["n_train"])


def _commit(checkout: Path) -> str:
    """Of the code that measured: with "-dirty" where a file but the ledger itself has changed."""

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=checkout, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", f":!{OWN_PATH}")
    return git("describe", "--always") + "-dirty" * bool(changed)


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        record_study(Path(argument))
