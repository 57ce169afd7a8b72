"""The ledger: one JSON line per measured arm or benchmark, never edited by hand.

python -m benchmarks.ledger runs/study-ladder-mnist     # keep a finished study's figures
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mnistlab import atomic, machine
from mnistlab.training import hardware

CHECKOUT = Path(__file__).resolve().parent.parent
LEDGER = CHECKOUT / "benchmarks" / "ledger.jsonl"


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


def append(lines: list[dict[str, Any]], checkout: Path = CHECKOUT) -> None:
    """Add lines, each stamped with the commit that lies in `checkout` and the day."""
    stamp = {"commit": _commit(checkout), "date": f"{datetime.now(UTC):%Y-%m-%d}"}
    old = LEDGER.read_text(encoding="utf-8") if LEDGER.exists() else ""
    new = "".join(json.dumps(line | stamp, allow_nan=False) + "\n" for line in lines)
    atomic.write_text(LEDGER, old + new)


def run_benchmark(
    name: str, bench: Callable[[], dict[str, Any]], precision: str = "float32"
) -> None:
    """Measure, print the figures as one JSON line, and keep them if --record was given.

    precision: of the networks it trains, as a recipe says it.
    """
    figures = bench()
    env = hardware.describe("cpu", precision)
    if "--record" in sys.argv[1:]:
        append([{"kind": "benchmark", "name": name, "figures": figures, "env": env}])
    print(json.dumps(figures))


def record_study(folder: Path, checkout: Path = CHECKOUT) -> None:
    """Keep a finished study: a line per arm, with every seed's values; one line if it has none.

    checkout: of the code that trained it.
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
        kept = json.loads((run / "result.json").read_text(encoding="utf-8"))
        lines.append(
            head
            | {key: value for key, value in arm.items() if key not in ("recipe", "runs")}
            | {"recipe": arm["recipe"]["name"], "recipe_hash": kept["recipe_hash"]}
            | {"n_train": _n_train(run, kept), "n_test": kept.get("n_test"), "env": env}
            | ({"weights": kept["weights"]} if "weights" in kept else {})
        )
    append(lines, checkout)


def _n_train(run: Path, kept: dict[str, Any]) -> int:
    """Images trained on, or, of a cross-validation, cut into folds."""
    if "n_images" in kept:
        return int(kept["n_images"])
    return int(json.loads((run / "data.json").read_text(encoding="utf-8"))["n_train"])


def _commit(checkout: Path) -> str:
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=checkout,
        check=True,
        capture_output=True,
        text=True,
    )
    return described.stdout.strip()


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        record_study(Path(argument))
