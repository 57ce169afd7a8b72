"""`make evidence`: trains what the ledger lacks, cheapest first, and adds it arm by arm.

python -m benchmarks.evidence                  # until nothing is missing; Ctrl-C stops it cleanly
python -m benchmarks.evidence --list           # what is missing, and about how long it takes
python -m benchmarks.evidence --minutes 60     # stop after an hour

Every row of docs/systems.md is an arm of a study. These arms, and all arms of a few studies, are
trained at low priority with the seeds, threads and precision that the row's command shows. Runs
are in build/evidence, where stopped ones are resumed; an arm is added to the ledger when all of its
seeds are measured. --commit COMMIT trains from a second checkout, of that commit, so that this one
may change meanwhile; the ledger names that commit.
"""

from __future__ import annotations

import argparse
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from benchmarks import ledger, systems
from benchmarks.conditions import (
    SEARCH,
    Conditions,
    arms_of,
    conditions_of,
    current,
    has_seeds,
)
from mnistlab import run_study
from mnistlab.errors import Stopped
from mnistlab.studies import get_study
from mnistlab.study import Study

FOLDER = ledger.CHECKOUT / "build" / "evidence"
NICE = 19
# Studies whose every arm is shown in README.md and docs, besides the rows of docs/systems.md.
WHOLE = (
    ("ladder", "mnist"),
    ("ladder", "fashion-mnist"),
    ("double-softmax", "fashion-mnist"),
    ("shuffling", "fashion-mnist"),
    ("pixel-scaling", "mnist"),
)


class Lacking(NamedTuple):
    """An arm of a study that the ledger does not have as docs/systems.md requires.

    time_s: about how long training takes, from older lines; infinity where there are none.
    """

    study: str
    arm: str
    data: str
    time_s: float

    @property
    def conditions(self) -> Conditions:
        """Seeds, threads and precision of the row."""
        return conditions_of(self.study)

    @property
    def is_alone(self) -> bool:
        """Whether it can be trained without the other arms; the winner of a search cannot."""
        return not self.study.startswith(SEARCH) and isinstance(get_study(self.study), Study)


def lacking() -> list[Lacking]:
    """Every arm that is missing, cheapest first."""
    wanted = [(row.study, row.arm, row.data) for row in systems.ROWS]
    wanted += [(study, arm, data) for study, data in WHOLE for arm in arms_of(study) or ()]
    found = []
    for study, arm, data in dict.fromkeys(wanted):
        line = current(study, data, arm)
        if line is None or not has_seeds(study, line):
            found.append(Lacking(study, arm, data, _time_s(study, arm, data)))
    return sorted(found, key=lambda each: each.time_s)


def _time_s(study: str, arm: str, data: str) -> float:
    line = ledger.latest("study", study, arm=arm, data=data)
    if line is None or not line.get("train_time_s"):
        return math.inf
    times = line["train_time_s"]
    return conditions_of(study).n_seeds * float(sum(times)) / len(times)


def run(each: Lacking, checkout: Path, until: float) -> bool:
    """Train the missing seeds of one arm and add it to the ledger; False where it was stopped.

    A stopped arm keeps its finished runs, and the last checkpoint of the unfinished one.
    """
    arguments = each.conditions.arguments(each.study, each.data)
    command = ["-m", "mnistlab", *arguments, "--out", str(FOLDER)]
    if each.is_alone:
        command = ["-m", "benchmarks.evidence", "--arm", each.study, each.arm, each.data]
    env = os.environ | {"PYTHONPATH": str(checkout)}
    if folders := os.environ.get("MNISTLAB_DATA"):  # the Makefile's is relative to this checkout
        env["MNISTLAB_DATA"] = os.pathsep.join(map(os.path.abspath, folders.split(os.pathsep)))
    # A session of its own: Ctrl-C in the terminal reaches only this process, which passes it on.
    training = subprocess.Popen(
        ["nice", "-n", str(NICE), sys.executable, *command, *([str(FOLDER)] * each.is_alone)],
        cwd=checkout,
        env=env,
        start_new_session=True,
    )
    yield_to_other_sessions(training.pid)
    try:
        status = training.wait(None if math.isinf(until) else max(until - time.monotonic(), 0))
    except (KeyboardInterrupt, subprocess.TimeoutExpired):
        os.killpg(training.pid, signal.SIGTERM)  # SIGINT is ignored in a background job
        training.wait()
        return False
    if status != 0:
        sys.exit(f"error: {' '.join(command)} ended with {status}")
    ledger.record_study(FOLDER / f"study-{each.study}-{each.data}", checkout)
    return True


def yield_to_other_sessions(pid: int) -> None:
    """Where Linux shares the CPU among sessions first, `nice` alone only counts within one."""
    group = Path(f"/proc/{pid}/autogroup")
    with suppress(OSError):  # another system, or the training has ended already
        group.write_text(str(NICE), encoding="ascii")


def train_arm(study: str, arm: str, data: str, out: Path) -> None:
    """Every seed of one arm, trained and evaluated, as a study of that arm alone."""
    whole, conditions = get_study(study), conditions_of(study)
    assert isinstance(whole, Study)
    one = replace(
        whole,
        arms=tuple(each for each in whole.arms if each.name == arm),
        decide=lambda results: "",
    )
    run_study(
        one,
        data,
        n_seeds=conditions.n_seeds,
        out=out,
        threads=conditions.threads,
        precision=conditions.precision,
    )


def checkout_of(commit: str | None) -> Path:
    """This working tree, or one of that commit in build/evidence."""
    if commit is None:
        return ledger.CHECKOUT
    path = FOLDER / f"checkout-{commit}"
    if not path.exists():
        add = ["git", "worktree", "add", "--detach", str(path), commit]
        subprocess.run(add, cwd=ledger.CHECKOUT, check=True)
    return path


def shown(each: Lacking) -> str:
    """Such as "   12 min  mlp-batch-size batch-32 on mnist"."""
    minutes = f"{each.time_s / 60:5.0f}" if math.isfinite(each.time_s) else "    ?"
    return f"{minutes} min  {each.study} {each.arm} on {each.data}"


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description="Train what is missing in the ledger, cheapest first."
    )
    parser.add_argument("--list", action="store_true", help="only list what is missing")
    parser.add_argument(
        "--minutes", type=float, default=math.inf, help="stop after so many minutes"
    )
    parser.add_argument("--commit", help="train from a checkout of this commit")
    parser.add_argument("--only", nargs="+", metavar="STUDY", help="only these studies")
    parser.add_argument("--arm", nargs=4, help=argparse.SUPPRESS)  # how the queue calls itself
    options = parser.parse_args(arguments)
    if options.arm:
        study, arm, data, out = options.arm
        try:
            train_arm(study, arm, data, Path(out))
        except Stopped as stopped:
            print(stopped)
            return stopped.status
        return 0
    found = [each for each in lacking() if not options.only or each.study in options.only]
    print("\n".join(map(shown, found)), flush=True)
    if options.list:
        return 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C
    FOLDER.mkdir(parents=True, exist_ok=True)
    checkout, until = checkout_of(options.commit), time.monotonic() + 60 * options.minutes
    for each in found:
        print(shown(each), flush=True)
        if not run(each, checkout, until):
            print("stopped; the same command resumes")
            return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
