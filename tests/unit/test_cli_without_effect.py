"""An option that would have no effect beside another one is refused by its name, not ignored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import mnistlab as ml
from mnistlab.cli import run_command

RECIPE = ml.set_fields(ml.get_recipe("softmax"), {"epochs": 3, "checkpoint_steps": 1})


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "set.npz"
    labels = np.arange(60) % 3
    images = np.random.default_rng(0).integers(0, 99, (60, 8, 8), dtype=np.uint8)
    images += (labels * 70).astype(np.uint8)[:, None, None]
    np.savez(path, images=images, labels=labels)
    return path


@pytest.fixture
def stopped(data: Path, tmp_path: Path) -> Path:
    """The folder of a training that was stopped after an epoch."""

    def stop(epoch: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ml.train(RECIPE, data, out=tmp_path, threads=1, progress=ml.Progress(on_epoch=stop))
    (partial,) = tmp_path.glob("*.partial")
    return partial


@pytest.mark.parametrize(
    "options",
    [
        ["--set", "epochs=40"],
        ["--data", "nothere"],
        ["--seeds", "2"],
        ["--out", "elsewhere"],
        ["--size", "8"],
        ["--label-column", "label"],
        ["--force"],
        ["--seeds", "1"],  # though it is the default
        ["--set", "epochs=40", "--data", "nothere", "--force"],
    ],
    ids=" ".join,
)
def test_a_resumed_training_takes_no_other_settings(
    options: list[str], stopped: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(stopped.parent.rglob("*"))
    assert run_command(["train", "--resume", str(stopped), *options]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    named = [option for option in options if option.startswith("--")]
    assert line.startswith(f"error: {', '.join(sorted(named, key=line.index))}: cannot be combined")
    assert sorted(stopped.parent.rglob("*")) == before


def test_what_concerns_the_machine_may_stand_beside_resume(stopped: Path) -> None:
    words = ["train", "--resume", str(stopped), "--threads", "1", "--device", "cpu", "--json"]
    assert run_command(words) == 0
    (run,) = map(ml.open_run, stopped.parent.glob("softmax-*"))
    assert run.result["epochs"] == 3


@pytest.mark.parametrize("option", ["--size 8", "--label-column label"])
def test_a_runs_own_data_are_not_read_anew_in_another_way(
    option: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ml.train(RECIPE, data, out=tmp_path, threads=1)
    capsys.readouterr()
    assert run_command(["evaluate", str(run.path), *option.split()]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{option.split()[0]}: say how --data is read" in line
