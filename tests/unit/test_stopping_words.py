"""What a command prints when it is stopped, and when there was nothing left to do."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import numpy as np
import preloaded
import pytest

from mnistlab.cli import run_command

SHORT = ("--set", "epochs=200", "--set", "batch_size=16", "--threads", "1", "--device", "cpu")
STOPPING = "stopping after this step; a second signal ends it at once"


@pytest.fixture
def images(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (600, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "noise.npz", images=pixels, labels=np.arange(600) % 3)
    return tmp_path


def stopped(folder: Path, number: signal.Signals, *arguments: str) -> list[str]:
    """The lines on standard error from the signal on, which is sent in the second epoch."""
    words = [sys.executable, "-m", "mnistlab", *arguments, "--data", "noise.npz"]
    with preloaded.Process(words, folder) as process:
        while "epoch 2," not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(number)
        lines = process.stderr.read().splitlines()
    assert process.returncode == 128 + number
    return [line for line in lines if "epoch" not in line]


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_answered_at_once(images: Path, number: signal.Signals) -> None:
    first, last = stopped(images, number, "train", "scratch-mlp", *SHORT)
    assert first == STOPPING
    assert "stopped; mnistlab train --resume runs/scratch-mlp-noise-seed0-" in last


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
@pytest.mark.parametrize("command", ["cv", "train"])
def test_a_command_of_many_trainings_is_resumed_as_a_whole(images: Path, command: str) -> None:
    more = ("--folds", "3") if command == "cv" else ("--seeds", "2")
    lines = stopped(images, signal.SIGINT, command, "scratch-mlp", *SHORT, *more)
    assert lines[-1].endswith("stopped; the same command resumes")
    assert "--resume" not in lines[-1]
    if command == "train":
        assert ".partial: " in lines[-1]


def test_a_run_that_is_found_says_so(
    images: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(images)
    words = ["train", "scratch-mlp", "--data", "noise.npz", "--set", "epochs=1"]
    said = []
    for more in ([], [], ["--force"]):
        assert run_command([*words, *more]) == 0
        said.append([x for x in capsys.readouterr().err.splitlines() if " complete" in x])
    ((trained,), (found,), (forced,)) = said
    assert trained.endswith(" complete")
    assert found == f"{trained} (found, not trained again; --force trains again)"
    assert forced == trained
