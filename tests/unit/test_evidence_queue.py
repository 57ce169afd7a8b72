"""`make evidence`: what the ledger lacks, in which order, and that a stop loses nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import conditions, evidence, ledger, systems
from benchmarks.systems import Row
from mnistlab.studies import get_study
from mnistlab.study import Study

CHEAP, DEAR = ("mlp-batch-size", "batch-32"), ("optimizers", "sgd")


def line(study: str, arm: str, n_seeds: int, time_s: float, **others: Any) -> dict[str, Any]:
    found = get_study(study)
    assert isinstance(found, Study)
    recipe = next(each.recipe for each in found.arms if each.name == arm)
    return {
        "kind": "study",
        "name": study,
        "data": "mnist",
        "arm": arm,
        "seeds": list(range(n_seeds)),
        "train_time_s": [time_s] * n_seeds,
        "recipe_hash": replace(recipe, seed=0).content_hash,
        "env": {"precision": "float32"},
    } | others


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Two rows and a ledger of their own."""
    of_two = tuple(Row("A", "", "–", study, arm, "mnist") for study, arm in (DEAR, CHEAP))
    monkeypatch.setattr(systems, "ROWS", of_two)
    monkeypatch.setattr(evidence, "WHOLE", ())
    monkeypatch.setattr(ledger, "LEDGER", tmp_path / "ledger.jsonl")
    return tmp_path / "ledger.jsonl"


def write(path: Path, *lines: dict[str, Any]) -> None:
    path.write_text("".join(json.dumps(each) + "\n" for each in lines))


def test_the_cheapest_comes_first_and_what_was_never_measured_last(rows: Path) -> None:
    write(rows, line(*DEAR, 3, 60.0))
    assert [each.study for each in evidence.lacking()] == [DEAR[0], CHEAP[0]]
    write(rows, line(*DEAR, 3, 60.0), line(*CHEAP, 3, 4.0))
    first, second = evidence.lacking()
    assert (first.study, first.time_s, second.time_s) == (CHEAP[0], 20.0, 300.0)


def test_what_has_seeds_enough_of_the_recipe_as_it_is_now_is_not_trained_again(rows: Path) -> None:
    write(rows, line(*DEAR, 5, 60.0), line(*CHEAP, 5, 4.0))
    assert evidence.lacking() == []
    write(rows, line(*DEAR, 5, 60.0), line(*CHEAP, 5, 4.0, recipe_hash="an older one"))
    assert [each.study for each in evidence.lacking()] == [CHEAP[0]]


def test_a_rows_command_holds_all_that_its_figure_depends_on() -> None:
    said = conditions.conditions_of("ladder").arguments("ladder", "mnist")
    assert said == [
        "study",
        "ladder",
        *("--data", "mnist"),
        *("--seeds", "5"),
        *("--threads", "1"),
        *("--precision", "float32"),
    ]


BEGUN = """
import sys
from pathlib import Path
from benchmarks import evidence, ledger, systems
from benchmarks.systems import Row
evidence.WHOLE = ()
systems.ROWS = (Row("E1", "", "-", "ladder", "softmax", "fashion-mini"),)
ledger.LEDGER, evidence.FOLDER = Path("ledger.jsonl"), Path("runs").absolute()
sys.exit(evidence.main([]))
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_stopped_and_begun_again_it_adds_the_whole_study_once(tmp_path: Path) -> None:
    (tmp_path / "ledger.jsonl").write_text("")
    env = os.environ | {"PYTHONPATH": str(ledger.CHECKOUT)}
    command = [sys.executable, "-c", BEGUN]
    pipe = subprocess.PIPE
    first = subprocess.Popen(command, cwd=tmp_path, env=env, stdout=pipe, stderr=pipe, text=True)
    while len(list((tmp_path / "runs").glob("*/result.json"))) < 2:
        time.sleep(0.2)
    first.send_signal(signal.SIGTERM)
    said, complained = first.communicate(timeout=60)
    assert "Traceback" not in complained
    assert first.returncode == 130
    assert "stopped; the same command resumes" in said
    assert (tmp_path / "ledger.jsonl").read_text() == ""
    finished = {
        path: path.stat().st_mtime_ns for path in (tmp_path / "runs").glob("*/weights.safetensors")
    }
    subprocess.run(command, cwd=tmp_path, env=env, check=True)
    lines = [json.loads(text) for text in (tmp_path / "ledger.jsonl").read_text().splitlines()]
    assert [(each["arm"], len(each["seeds"])) for each in lines] == [("softmax", 5)]
    assert finished == {path: path.stat().st_mtime_ns for path in finished}
    subprocess.run(command, cwd=tmp_path, env=env, check=True)
    assert len((tmp_path / "ledger.jsonl").read_text().splitlines()) == 1


def test_data_are_found_from_another_checkout(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`make evidence` names them relative to this one."""
    started: dict[str, Any] = {}

    class Training:
        def __init__(self, command: list[str], **settings: Any) -> None:
            started.update(settings)
            self.pid = 0  # no process

        def wait(self, seconds: float | None = None) -> int:
            return 0

    monkeypatch.setattr(subprocess, "Popen", Training)
    monkeypatch.setattr(ledger, "record_study", lambda *arguments: None)
    monkeypatch.setenv("MNISTLAB_DATA", os.pathsep.join(("shared", "/elsewhere")))
    monkeypatch.chdir(tmp_path)
    each = evidence.Lacking("optimizers", "sgd", "mnist", 1.0)
    assert evidence.run(each, tmp_path / "checkout", float("inf"))
    assert started["env"]["MNISTLAB_DATA"].split(os.pathsep) == [
        str(tmp_path / "shared"),
        "/elsewhere",
    ]


def test_a_session_of_its_own_yields_to_the_others() -> None:
    """Linux shares the CPU among sessions first: there, `nice` alone would yield to nobody."""
    waiting = subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1, start_new_session=True)
    group = Path(f"/proc/{waiting.pid}/autogroup")
    try:
        if not group.exists():
            pytest.skip("this system has no groups of processes by session")
        assert group.read_text().split()[-1] == "0"
        evidence.yield_to_other_sessions(waiting.pid)
        assert group.read_text().split()[-1] == str(evidence.NICE)
    finally:
        waiting.communicate(b"\n")
    evidence.yield_to_other_sessions(waiting.pid)  # it has ended: nothing to do
