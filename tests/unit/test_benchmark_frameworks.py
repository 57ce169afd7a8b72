"""The benchmark of frameworks: its programs, its plan, and what happens when one fails."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import mnistlab as ml
from benchmarks import framework_ours, framework_peers, framework_tables, frameworks
from mnistlab.runs.building import count_recipe_parameters
from mnistlab.training import kernels
from mnistlab.training.compiler import asleep
from mnistlab.training.hardware import has_bfloat16

N_EPOCHS = 2


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """256 images to train on, 64 for validation, as every process gets them."""
    data = ml.load("fashion-mini")
    path = tmp_path_factory.mktemp("images") / "images.npz"
    labels = np.asarray(data.labels, dtype=np.int64)
    np.savez(
        path,
        x_train=data.images[:256],
        y_train=labels[:256],
        x_val=data.images[256:320],
        y_val=labels[256:320],
    )
    return path


def test_the_programs_import_nothing_heavy_and_nothing_of_ours() -> None:
    code = (
        "import sys; import framework_peers; "
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    folder = Path(framework_peers.__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    heavy = {"torch", "skorch", "fastai", "pytorch_lightning", "keras", "tensorflow", "jax"}
    assert not (heavy | {"mnistlab", "benchmarks"}) & set(done.stdout.split())


def program_trains(name: str, images: Path) -> dict[str, Any]:
    with asleep():  # PyTorch's compiler takes seconds to import, and nothing here needs it
        return framework_peers.trained(name, str(images), N_EPOCHS, 0)


@pytest.fixture(scope="module")
def plain(images: Path) -> dict[str, Any]:
    return program_trains("PyTorch", images)


def check_trained(found: dict[str, Any]) -> None:
    assert len(found["epochs_s"]) == N_EPOCHS
    assert all(0 < seconds < 600 for seconds in found["epochs_s"])
    assert 0.15 < found["val_accuracy"] < 1  # of ten classes: it has learned
    assert found["n_parameters"] == count_recipe_parameters(ml.get_recipe("simple-cnn"))


def test_pytorch_trains_the_same_network(plain: dict[str, Any]) -> None:
    check_trained(plain)
    assert json.loads(json.dumps(plain)) == plain


@pytest.mark.skipif(not has_bfloat16(torch.device("cpu")), reason="emulated, it takes minutes")
def test_pytorch_trains_in_bfloat16(images: Path, plain: dict[str, Any]) -> None:
    found = program_trains("PyTorch, bfloat16", images)
    check_trained(found)
    assert found.keys() == plain.keys()


def test_ours_gives_the_same_numbers(images: Path, plain: dict[str, Any]) -> None:
    with kernels.allowed(False):  # to compile them takes longer than to train
        found = framework_ours.trained("float32", str(images), N_EPOCHS, 0)
    check_trained(found)
    assert found.keys() == plain.keys()


def test_images_are_scaled_before_the_clock_starts(images: Path) -> None:
    parts = framework_peers.read_parts(str(images))
    assert [array.dtype for array in parts] == [np.float32, np.int64, np.float32, np.int64]
    assert abs(parts.x_train.mean()) < 0.1
    assert abs(parts.x_train.std() - 1) < 0.1


def test_there_is_a_program_and_an_environment_for_each_framework() -> None:
    assert framework_peers.FRAMEWORKS.keys() == frameworks.PACKAGES.keys()
    assert set(frameworks.all_names()) | set(frameworks.IN_BFLOAT16) == {
        *frameworks.PACKAGES,
        *frameworks.OURS,
    }


def test_frameworks_that_need_torch_share_one_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[str, tuple[str, ...], list[str]]] = []

    def environment(folder: Path, packages: tuple[str, ...], also_sees: Any = ()) -> Path:
        made.append((folder.name, packages, list(also_sees)))
        return folder / "bin" / "python"

    monkeypatch.setattr(frameworks, "environment", environment)
    monkeypatch.setattr(frameworks, "site_packages", lambda python: str(python))
    for name in ("PyTorch", "skorch", "Keras on JAX"):
        frameworks.python_for(name, tmp_path)
    shared = str(tmp_path / "torch" / "bin" / "python")
    assert made == [
        ("torch", ("torch", "numpy"), []),
        ("torch", ("torch", "numpy"), []),
        ("skorch", ("skorch",), [shared]),
        ("Keras-on-JAX", ("keras", "jax"), []),
    ]


def says(text: str, status: int = 0) -> list[str]:
    """A program that prints this and ends."""
    return [sys.executable, "-S", "-c", f"import sys; print({text!r}); sys.exit({status})"]


def result(seconds: float, accuracy: float = 0.9) -> dict[str, Any]:
    return {
        "epochs_s": [9.0, seconds],
        "val_accuracy": accuracy,
        "n_parameters": 421_642,
        "versions": {"a": "1"},
    }


def test_frameworks_take_turns_and_those_that_fail_are_named(tmp_path: Path) -> None:
    broken = [sys.executable, "-S", "-c", "raise ValueError('no such layer')"]
    commands = {
        "PyTorch": says(json.dumps(result(6.0))),
        "skorch": broken,
        "fastai": says("nothing that is JSON"),
        "Lightning": says(json.dumps(result(6.0) | {"epochs_s": [1.0]})),
        "mnistlab, float32": says(json.dumps(result(2.0))),
    }
    found, skipped = frameworks.measure(commands, tmp_path / "images.npz", N_EPOCHS, 2)
    assert {name: len(each) for name, each in found.items()} == {
        "PyTorch": 2,
        "mnistlab, float32": 2,
    }
    assert skipped == {
        "skorch": "ValueError: no such layer",
        "fastai": "it printed no result",
        "Lightning": "it timed these epochs: [1.0]",
    }


def test_a_framework_that_pip_cannot_install_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def environment(folder: Path, packages: Any, also_sees: Any = ()) -> Path:
        raise subprocess.CalledProcessError(1, "pip", stderr="much\nERROR: no such package\n")

    monkeypatch.setattr(frameworks, "environment", environment)
    commands, skipped = frameworks.commands_of(["Keras on JAX", "mnistlab, float32"], tmp_path)
    assert list(commands) == ["mnistlab, float32"]
    assert skipped == {"Keras on JAX": "not installed: ERROR: no such package"}


def test_ratios_are_paired_by_turn_and_float32_is_compared_with_float32() -> None:
    epochs_s = {
        "PyTorch": (12.0, 30.0),
        "PyTorch, bfloat16": (8.0, 20.0),
        "skorch": (20.0, 50.0),
        "mnistlab, float32": (4.0, 10.0),
        "mnistlab, bfloat16": (2.0, 5.0),
    }
    found = {
        name: frameworks.figures_of([result(seconds) for seconds in each])
        for name, each in epochs_s.items()
    }
    ratios = frameworks.compared(found)
    assert ratios["mnistlab, float32"] == {"PyTorch": 3, "PyTorch, bfloat16": 2, "skorch": 5}
    assert frameworks.fastest(ratios) == {
        "mnistlab, float32": ("PyTorch", 3),
        "mnistlab, bfloat16": ("PyTorch, bfloat16", 4),
    }


@pytest.mark.parametrize(
    "words", [["--epochs", "1"], ["--turns", "0"], ["--record", "--images", "9"]]
)
def test_wrong_options_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        frameworks.options(words)
    assert "error:" in capsys.readouterr().err


def test_the_table_shows_each_framework_and_why_one_is_missing() -> None:
    found = {
        name: frameworks.figures_of([result(seconds, 0.91)])
        for name, seconds in (("PyTorch", 6.0), ("mnistlab, float32", 2.0))
    }
    figures = {
        "epochs": 2,
        "frameworks": found,
        "skipped": {"fastai": "it printed no result"},
        "times_ours": frameworks.compared(found),
    }
    env = {"cpu": "C", "threads": 2, "precision": "float32", "torch": "2"}
    line = {"figures": figures, "env": env, "commit": "c", "date": "d"}
    text = framework_tables.table_of(line)
    assert "| PyTorch | a 1 | 9.0 | 6.0 | 0.9100 | 3.00x |" in text
    assert "| mnistlab, float32 | a 1 | 9.0 | 2.0 | 0.9100 | – |" in text
    assert "| fastai | it printed no result |" in text
