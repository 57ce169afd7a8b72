"""`make evidence`: trains what the ledger lacks, cheapest first, and adds it line by line.

python -m benchmarks.evidence                  # go on until all is there; Ctrl-C stops it cleanly
python -m benchmarks.evidence --list           # what is lacking, and about how long it takes
python -m benchmarks.evidence --minutes 60     # stop after an hour

Every study runs as the command that docs/systems.md shows for its rows, at low priority. Runs
lie in build/evidence: what was stopped is resumed there, and a study is added to the ledger once
it is finished. --commit COMMIT trains from a checkout of that commit beside this one, so that
this one may change while it runs; the ledger names that commit.
"""

from __future__ import annotations

import argparse
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks import ledger, systems
from benchmarks.conditions import Conditions, conditions_of, is_current

FOLDER = ledger.CHECKOUT / "build" / "evidence"
NICE = 15


class Lacking(NamedTuple):
    """A study that the ledger does not hold as docs/systems.md asks for it.

    time_s: about how long it takes, from older lines; infinity where there is none.
    """

    study: str
    data: str
    conditions: Conditions
    time_s: float


def lacking() -> list[Lacking]:
    """Cheapest first."""
    found = []
    for study, data in dict.fromkeys((row.study, row.data) for row in systems.ROWS):
        conditions = conditions_of(study)
        arms = {row.arm for row in systems.ROWS if (row.study, row.data) == (study, data)}
        if not all(is_current(study, data, arm) for arm in arms):
            found.append(Lacking(study, data, conditions, _time_s(study, data, conditions)))
    return sorted(found, key=lambda each: each.time_s)


def _time_s(study: str, data: str, conditions: Conditions) -> float:
    newest = {
        line["arm"]: line
        for line in ledger.read()
        if (line["kind"], line["name"], line.get("data")) == ("study", study, data)
        and "train_time_s" in line
    }
    if not newest:
        return math.inf
    of_a_seed: float = sum(
        sum(line["train_time_s"]) / len(line["train_time_s"]) for line in newest.values()
    )
    return of_a_seed * conditions.n_seeds


def run(each: Lacking, checkout: Path, until: float) -> bool:
    """Train what is left of one study, and add it; False where it was stopped before its end.

    What is stopped keeps its runs, and the last checkpoint of the one under way.
    """
    command = [
        sys.executable,
        "-m",
        "mnistlab",
        *each.conditions.arguments(each.study, each.data),
        *("--out", str(FOLDER)),
    ]
    env = os.environ | {"PYTHONPATH": str(checkout)}
    # A group of its own: Ctrl-C in the terminal reaches this process alone, which passes it on.
    training = subprocess.Popen(
        ["nice", "-n", str(NICE), *command], cwd=checkout, env=env, start_new_session=True
    )
    try:
        left = None if math.isinf(until) else max(until - time.monotonic(), 0)
        status = training.wait(left)
    except (KeyboardInterrupt, subprocess.TimeoutExpired):
        os.killpg(training.pid, signal.SIGINT)
        training.wait()
        return False
    if status != 0:
        sys.exit(f"error: {' '.join(command[1:])} ended with {status}")
    ledger.record_study(FOLDER / f"study-{each.study}-{each.data}", checkout)
    return True


def checkout_of(commit: str | None) -> Path:
    """This working tree, or one of that commit in build/evidence."""
    if commit is None:
        return ledger.CHECKOUT
    path = FOLDER / f"checkout-{commit}"
    if not path.exists():
        add = ["git", "worktree", "add", "--detach", str(path), commit]
        subprocess.run(add, cwd=ledger.CHECKOUT, check=True)
    return path


def _shown(each: Lacking) -> Iterator[str]:
    yield f"{each.time_s / 60:8.0f} min" if math.isfinite(each.time_s) else "       ? min"
    yield f"mnistlab {' '.join(each.conditions.arguments(each.study, each.data))}"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Train what the ledger lacks, cheapest first.")
    parser.add_argument("--list", action="store_true", help="only say what is lacking")
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop after so long")
    parser.add_argument("--commit", help="train from a checkout of this commit")
    parser.add_argument("--only", nargs="+", metavar="STUDY", help="of these studies alone")
    options = parser.parse_args()
    found = [each for each in lacking() if not options.only or each.study in options.only]
    for each in found:
        print("  ".join(_shown(each)), flush=True)
    if options.list:
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C
    FOLDER.mkdir(parents=True, exist_ok=True)
    checkout, until = checkout_of(options.commit), time.monotonic() + 60 * options.minutes
    for each in found:
        if not run(each, checkout, until):
            print("stopped; the same command goes on")
            sys.exit(130)


if __name__ == "__main__":
    main()
