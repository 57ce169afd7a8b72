"""A study's command stopped again and again: what is finished stays, the end is the same.

Real processes: most die by SIGKILL just before one step of writing, two at a line they print.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import preloaded
import pytest

import mnistlab as ml
from mnistlab.errors import RunError
from mnistlab.runs import open_run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX"),
]

OPTIONS = "--quick --data ../small.npz --seeds 2 --out runs --threads 1 --device cpu"
STUDY = ("study", "mlp-batch-size", *OPTIONS.split())  # nine small arms that need no torch
N_RUNS = 18
COSTS = ("train_time_s", "predict_time_s", "training_memory_mb")
# The command, dead just before the n-th file whose name fits is opened or renamed.
DYING = """
import fnmatch, os, runpy, signal, sys
event, pattern, n_left = sys.argv.pop(1), sys.argv.pop(1), int(sys.argv.pop(1))
def watch(name, arguments):
    global n_left
    if name == event and fnmatch.fnmatchcase(str(arguments[0]), pattern):
        n_left -= 1
        if not n_left:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(watch)
runpy.run_module("mnistlab", run_name="__main__", alter_sys=True)
"""


class Step(NamedTuple):
    """Before the n-th time that a file of this name is opened, or renamed."""

    event: str
    pattern: str
    number: int = 1


class Line(NamedTuple):
    """As soon as standard error says this."""

    text: str
    signal: signal.Signals


STOPS: dict[str, Step | Line] = {
    "an empty folder": Step("open", "*.partial/.recipe.json.*"),
    "weights without their name": Step("os.rename", "*/.model.safetensors.*"),
    "second arm without figures": Step("open", "*.partial/.result.json.*", 2),
    "a whole run without its name": Step("os.rename", "*.partial", 2),
    "a named run nobody was told of": Step("open", "runs"),
    "within an epoch": Line("seed 0: epoch 2", signal.SIGKILL),
    "interrupted": Line("batch-512 seed 1: epoch 2", signal.SIGINT),
    "predictions without their name": Step("os.rename", "*/.predictions.npz.*", 3),
    "predictions without figures": Step("open", "*/.result.json.*"),
    "within the figures of the page": Step("os.rename", "*/figures/.*", 2),
}


class Left(NamedTuple):
    """What a process left: exit status, runs it trained, and folders by their runs' names.

    whole: inode and time of the weights of every run that opens. broken: what has a run's own
    name and does not open. partial: files in what is named so, for the next process to clear.
    """

    status: int
    trained: list[str]
    shown: str
    whole: dict[str, tuple[int, int]]
    broken: set[str]
    partial: dict[str, set[str]]


def stopped(folder: Path, at: Step | Line | None = None, *more: str) -> Left:
    """The study's command in a folder, stopped there; without a point it comes to its end."""
    command = [sys.executable, "-m", "mnistlab", *STUDY, *more]
    if isinstance(at, Step):
        command[1:3] = ["-c", DYING, at.event, at.pattern, str(at.number)]
    said = ""
    with preloaded.Process(command, folder) as process:
        for line in process.stderr:
            said += line
            if isinstance(at, Line) and at.text in line:
                process.send_signal(at.signal)
                at = None
        shown = process.stdout.read()
    assert "Traceback" not in said
    trained = re.findall(r"\[\d+/\d+\] (.+): training on", said)
    return Left(process.returncode, trained, shown, *found(folder / "runs"))


def found(out: Path) -> tuple[dict[str, tuple[int, int]], set[str], dict[str, set[str]]]:
    """Whole, broken and partial runs of a folder; hidden names are no runs."""
    whole, broken, partial = {}, set(), {}
    for path in out.glob("[!.]*"):
        name = re.sub(r"-small-seed(\d+)-.*", r" seed \1", path.name)
        if path.name.endswith(".partial"):
            partial[name] = {file.name for file in path.iterdir()}
        elif is_whole(path):
            weights = (path / "model.safetensors").stat()
            whole[name] = (weights.st_ino, weights.st_mtime_ns)
        elif not name.startswith("study-"):
            broken.add(name)
    return whole, broken, partial


def is_whole(path: Path) -> bool:
    """Whether everything that a run's folder promises can be read."""
    try:
        run = open_run(path)
        run.classifier("cpu")
        is_evaluated = run.result["test_accuracy"] is not None
        if is_evaluated and len(run.predicted()) != run.result["n_test"]:
            return False
        return len(run.log) == run.result["epochs"]
    except RunError:
        return False


def result_of(folder: Path) -> dict:
    """result.json of the study without times and memory."""
    (path,) = folder.glob("runs/study-*/result.json")
    result = json.loads(path.read_text())
    for arm in result["arms"]:
        arm.update(dict.fromkeys(COSTS))
    return result | {"answer": without_seconds(result["answer"])}


def without_seconds(text: str) -> str:
    return re.sub(r"\d+\.\d\d s\b", "s", text)


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data of 800 images; studies run in folders beside it."""
    folder = tmp_path_factory.mktemp("home")
    few = ml.load("fashion-mini").take(np.arange(800))
    np.savez(folder / "small.npz", images=few.images, labels=few.labels)
    return folder


@pytest.fixture(scope="module")
def uninterrupted(home: Path) -> Left:
    (home / "uninterrupted").mkdir()
    return stopped(home / "uninterrupted")


@pytest.fixture(scope="module")
def lefts(home: Path) -> dict[str, Left]:
    """One study stopped at every point in turn, then led to its end."""
    folder = home / "stopped"
    folder.mkdir()
    lefts = {point: stopped(folder, at) for point, at in STOPS.items()}
    return lefts | {"the end": stopped(folder)}


def test_every_point_was_met(uninterrupted: Left, lefts: dict[str, Left]) -> None:
    expected = dict.fromkeys(STOPS, -signal.SIGKILL) | {"interrupted": 130, "the end": 0}
    assert {point: left.status for point, left in lefts.items()} == expected
    assert uninterrupted.status == 0
    assert lefts["an empty folder"].partial == {"batch-32 seed 0": set()}
    (half,) = lefts["weights without their name"].partial.values()
    assert "model.safetensors" not in half
    assert any(name.startswith(".model.safetensors.") for name in half)
    assert list(lefts["second arm without figures"].whole) == ["batch-32 seed 0"]
    (unnamed,) = lefts["a whole run without its name"].partial.values()
    assert {"result.json", "model.safetensors", "log.jsonl"} <= unnamed
    assert lefts["predictions without their name"].whole.keys() == uninterrupted.whole.keys()


def test_under_a_runs_own_name_there_is_only_a_whole_one(lefts: dict[str, Left]) -> None:
    for point, left in lefts.items():
        assert left.broken == set(), point


def test_finished_runs_are_not_trained_again(lefts: dict[str, Left]) -> None:
    """The very files stay; what is trained first is what was left under the name of a partial."""
    for before, after in pairwise(lefts.values()):
        assert before.whole.items() <= after.whole.items()
        assert before.whole.keys().isdisjoint(after.trained)
        assert list(before.partial) == after.trained[: len(before.partial)]
    assert len(lefts["the end"].whole) == N_RUNS
    assert lefts["the end"].trained == []


def test_the_study_ends_as_if_never_stopped(
    home: Path, uninterrupted: Left, lefts: dict[str, Left]
) -> None:
    assert len(uninterrupted.trained) == N_RUNS
    assert result_of(home / "stopped") == result_of(home / "uninterrupted")
    shown = without_seconds(lefts["the end"].shown)
    assert shown == without_seconds(uninterrupted.shown)
    assert "batch-512" in shown
    for path in (home / "uninterrupted").glob("runs/*/model.safetensors"):
        other = home / "stopped" / path.relative_to(home / "uninterrupted")
        assert other.read_bytes() == path.read_bytes()


def test_nothing_is_left_behind(home: Path, uninterrupted: Left, lefts: dict[str, Left]) -> None:
    assert files(home / "stopped") == files(home / "uninterrupted")


def test_killed_while_a_run_takes_the_place_of_an_older_one(
    home: Path, uninterrupted: Left
) -> None:
    """With --force: the old one is moved away, the new one not yet there, then not yet alone."""
    folder = home / "forced"
    shutil.copytree(home / "uninterrupted", folder)
    between = stopped(folder, Step("os.rename", "*.partial"), "--force")
    after = stopped(folder, Step("open", "runs", 2), "--force")
    end = stopped(folder)
    assert (between.status, after.status, end.status) == (-signal.SIGKILL, -signal.SIGKILL, 0)
    assert between.whole.keys() == uninterrupted.whole.keys() - {"batch-32 seed 0"}
    assert after.whole.keys() == uninterrupted.whole.keys()
    assert end.trained == []
    assert result_of(folder) == result_of(home / "uninterrupted")
    assert files(folder) == files(home / "uninterrupted")
