"""A pipe or a device in the place of a file of ours is refused at once, on one line."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import mnistlab as ml
from mnistlab.data import Dataset
from mnistlab.data.exported import RECORD
from mnistlab.errors import DataError, MnistlabError
from mnistlab.runs import Run, train
from mnistlab.runs.checkpoints import Checkpoints
from mnistlab.runs.folder import open_run
from mnistlab.runs.seen import read_seen

pytestmark = pytest.mark.skipif(os.name == "nt", reason="has no named pipes")
LIMIT_S = 20  # of a test; nobody writes into the pipe, so that opening it would wait for ever


@pytest.fixture(autouse=True)
def limited() -> Iterator[None]:
    def late(*_: Any) -> None:
        raise AssertionError("it waits for the pipe")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(LIMIT_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def trained(stripes: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    recipe = ml.set_fields(ml.get_recipe("softmax"), {"epochs": "1", "n_train": "60"})
    run = train(recipe, stripes, out=tmp_path_factory.mktemp("runs"), threads=1)
    return ml.evaluate(run, stripes)


def as_pipe(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def as_endless_device(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to("/dev/zero")


READERS: dict[str, Callable[[Run], Any]] = {
    "recipe.json": lambda run: open_run(run.path),
    "data.json": lambda run: open_run(run.path),
    "env.json": lambda run: open_run(run.path),
    "result.json": lambda run: open_run(run.path),
    "log.jsonl": lambda run: open_run(run.path).log,
    "model.safetensors": lambda run: open_run(run.path).classifier(),
    "predictions.npz": lambda run: open_run(run.path).predictions(),
    "seen.npz": lambda run: read_seen(run.path, run.data["n_train"], run.data["n_val"]),
}


@pytest.mark.parametrize("swap", [as_pipe, as_endless_device])
@pytest.mark.parametrize("name", READERS)
def test_in_a_run_folder(
    name: str, swap: Callable[[Path], None], trained: Run, tmp_path: Path
) -> None:
    shutil.copytree(trained.path, tmp_path / "run")
    run = replace(trained, path=tmp_path / "run")
    READERS[name](run)
    swap(run.path / name)
    with pytest.raises(MnistlabError) as caught:
        READERS[name](run)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("swap", [as_pipe, as_endless_device])
def test_it_is_said_what_lies_there(swap: Callable[[Path], None], trained: Run, tmp_path) -> None:
    shutil.copytree(trained.path, tmp_path / "run")
    swap(tmp_path / "run/data.json")
    with pytest.raises(MnistlabError, match=r"data\.json: cannot be read: is no regular file"):
        open_run(tmp_path / "run")


def test_a_checkpoint_that_is_a_pipe_counts_as_damaged(tmp_path: Path) -> None:
    as_pipe(tmp_path / f"checkpoint-000000001-{'0' * 32}.safetensors")
    checkpoints = Checkpoints(tmp_path, None, {})
    assert checkpoints.last() is None
    assert checkpoints.n_damaged == 1


def test_the_record_of_an_export(stripes: Dataset, tmp_path: Path) -> None:
    ml.export(stripes, tmp_path / "set", format="npz")
    as_pipe(tmp_path / "set" / RECORD)
    with pytest.raises(DataError, match="is no regular file"):
        ml.export(stripes, tmp_path / "set", format="npz")


def test_the_card_beside_an_onnx_file(trained: Run, tmp_path: Path) -> None:
    as_pipe(tmp_path / "model.onnx.md")
    with pytest.raises(DataError, match=r"model\.onnx\.md: exists and is not the card"):
        ml.export_onnx(trained, tmp_path / "model.onnx")


def test_a_path_with_a_nul(trained: Run, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no path holds a NUL"):
        ml.predict(trained, "new\0.csv", tmp_path / "out.csv")
    with pytest.raises(DataError, match="no path holds a NUL"):
        ml.predict(trained, tmp_path / "new.csv", "out\0.csv")


def test_the_journal_of_a_search(stripes: Dataset, tmp_path: Path) -> None:
    recipe = ml.set_fields(
        ml.get_recipe("softmax"), {"epochs": "1", "n_train": "60", "split": "auto"}
    )
    settings: dict[str, Any] = {"n_trials": 1, "n_seeds": 1, "out": tmp_path, "threads": 1}
    search = ml.tune(recipe, stripes, **settings)
    as_pipe(search.path / "journal.jsonl")
    with pytest.raises(MnistlabError, match=r"journal\.jsonl: cannot be read: is no regular file"):
        ml.tune(recipe, stripes, **settings)
