"""Two real processes, begun by torchrun or as it does, give what one gives, and one run folder."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import preloaded
import pytest
import torch
from torch import nn

import mnistlab as ml
from mnistlab.data import Dataset
from mnistlab.errors import RecipeError
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.runs import Run, train
from mnistlab.training.loop import batch_sizes
from mnistlab.training.parallel import ALONE, Processes

pytestmark = pytest.mark.slow

CNN = Recipe(
    name="shared",
    system="A9",
    model="cnn",
    model_args={"channels": [8, 16], "hidden_sizes": [32], "batch_norm": True},
    phases=(Phase("momentum", 1e-2, 3, "cosine", weight_decay=1e-4, clip_norm=2.0),),
    batch_size=63,  # which two cannot share evenly
    augmentation={"shift": 2, "mixup": 0.5},
    precision="float32",
)
N_PROCESSES = 2
TRAIN = ("train", "recipe.json", "--data", "data", "--device", "cpu", "--threads", "1")


def torchrun(folder: Path, *arguments: str) -> list[tuple[int, str]]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += [f"--nproc-per-node={N_PROCESSES}", "-m", "mnistlab", *arguments]
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    return [(done.returncode, done.stdout + done.stderr)]


def started(folder: Path, code: str, *arguments: str) -> list[tuple[int, str]]:
    """As torchrun starts them, without its import of torch: statuses and what they said."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = os.environ | {"OMP_NUM_THREADS": "1", "WORLD_SIZE": str(N_PROCESSES)}
    env |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    processes = [
        preloaded.Process(
            [sys.executable, "-c", code, *arguments],
            folder,
            env | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
        )
        for rank in range(N_PROCESSES)
    ]
    said = ["".join(process.communicate(timeout=240)) for process in processes]
    return [(process.wait(), text) for process, text in zip(processes, said, strict=True)]


def with_mnistlab(folder: Path, *arguments: str) -> list[tuple[int, str]]:
    code = "import runpy; runpy.run_module('mnistlab', run_name='__main__', alter_sys=True)"
    return started(folder, code, *arguments)


Start = Callable[..., list[tuple[int, str]]]


def log_of(run: Run) -> np.ndarray:
    return np.array([[v for k, v in line.items() if k != "time_s"] for line in run.log], float)


@pytest.fixture
def prepared(stripes: Dataset, tmp_path: Path) -> Path:
    ml.export(stripes, tmp_path / "data", format="npz")
    return tmp_path


def together(
    folder: Path, recipe: Recipe, *options: str, start: Start = with_mnistlab
) -> tuple[Run, str]:
    """The run of two processes, and what they said."""
    (folder / "recipe.json").write_text(json.dumps(recipe.to_json()))
    done = start(folder, *TRAIN, *options)
    assert not any(status for status, _ in done), done
    (path,) = (folder / "runs").iterdir()
    return ml.open_run(path), "".join(text for _, text in done)


@pytest.mark.slow
@pytest.mark.parametrize(("class_weight", "start"), [(None, torchrun), ("balanced", with_mnistlab)])
def test_two_processes_take_the_steps_of_one(
    prepared: Path, stripes: Dataset, class_weight: str | None, start: Start
) -> None:
    """21 steps of batch normalisation, clipping, shifts and mixtures."""
    recipe, data = CNN, "data"
    if class_weight:  # of class 0 there is one image in five
        kept = (stripes.labels > 0) | (np.arange(len(stripes)) % 20 == 0)
        ml.export(stripes.take(np.flatnonzero(kept)), prepared / "rare", format="npz")
        recipe, data = replace(CNN, class_weight=class_weight), "rare"
    alone = train(recipe, ml.load(str(prepared / data)), out=prepared / "alone", threads=1)
    run, said = together(prepared, recipe, "--data", data, start=start)
    assert (run.env["processes"], "processes" in alone.env) == (N_PROCESSES, False)
    np.testing.assert_allclose(log_of(run), log_of(alone), rtol=1e-4, atol=1e-5)
    theirs = run.classifier().arrays()
    for name, array in alone.classifier().arrays().items():
        np.testing.assert_allclose(theirs[name], array, rtol=1e-3, atol=1e-5)
    assert said.count("epoch 3") == said.count("next: mnistlab evaluate") == 1


def test_what_they_leave_is_gone_on_with(prepared: Path) -> None:
    """A single process goes on with what two have begun, up to rounding as if they had gone on."""
    recipe = replace(CNN, checkpoint_steps=5)
    whole, _ = together(prepared, recipe)
    dying = (
        "import os, runpy, signal, sys\n"
        "from mnistlab.runs.checkpoints import Checkpoints\n"
        "save = Checkpoints.save\n"
        "def save_and_stop(self, checkpoint):\n"
        "    self._signal = signal.SIGTERM if self.n_steps == 10 else None\n"
        "    save(self, checkpoint)\n"
        "Checkpoints.save = save_and_stop\n"
        "sys.argv[0] = 'mnistlab'\n"
        "runpy.run_module('mnistlab', run_name='__main__', alter_sys=True)\n"
    )
    stopped = started(prepared, dying, *TRAIN, "--out", "stopped")
    assert all(status for status, _ in stopped)
    assert "stopped; mnistlab train --resume stopped/shared-" in "".join(
        text for _, text in stopped
    )
    (partial,) = (prepared / "stopped").iterdir()
    assert partial.suffix == ".partial"
    run = ml.resume(partial, device="cpu")
    np.testing.assert_allclose(log_of(run), log_of(whole), rtol=1e-4, atol=1e-5)


def test_what_several_processes_cannot_do_is_one_line(prepared: Path) -> None:
    for arguments, line in (
        (("train", "scratch-mlp"), "error: model scratch cannot be trained by several processes"),
        (("study", "ladder"), "error: several processes can only train together"),
        (
            ("train", "softmax", "--data", "data", "--set", "batch_size=1"),
            "error: batches of 1 and",
        ),
    ):
        for status, said in with_mnistlab(prepared, *arguments):
            assert status != 0
            assert line in said
        assert not list(prepared.glob("runs/*"))


@pytest.mark.parametrize(
    ("n_images", "n_processes", "sizes"),
    [(66, 2, [64, 2]), (66, 3, [66]), (65, 2, [65]), (64, 4, [64]), (3, 2, [3])],
)
def test_every_process_has_an_image_of_every_batch(
    n_images: int, n_processes: int, sizes: Sequence[int]
) -> None:
    found = batch_sizes(nn.Linear(1, 1), n_images, 64, n_processes)
    assert found == sizes
    for size in found:
        shares = [
            Processes(rank, n_processes).part_of(torch.arange(size)) for rank in range(n_processes)
        ]
        assert torch.equal(torch.cat(shares), torch.arange(size))
        assert min(map(len, shares)) >= 1


def test_too_few_images_to_share_are_refused() -> None:
    ALONE.check(1, 0)
    Processes(0, 2).check(2, 0)
    for batch_size, n_validation in ((1, 10), (10, 1)):
        with pytest.raises(RecipeError, match="cannot be shared by 2 processes"):
            Processes(0, 2).check(batch_size, n_validation)
