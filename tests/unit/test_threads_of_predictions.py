"""`--threads` of predict and explain: as many as asked for while they work, and no longer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

import mnistlab as ml
from mnistlab.cli import run_command

LABELS = np.arange(60) % 3
IMAGES = (LABELS[:, None, None] * 80 + np.arange(64).reshape(8, 8) % 40).astype(np.uint8)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ml.Run:
    data = ml.Dataset("three", IMAGES, LABELS, ("a", "b", "c"))
    recipe = ml.set_fields(ml.get_recipe("softmax"), {"epochs": 1})
    return ml.train(recipe, data, out=tmp_path_factory.mktemp("runs"), threads=1)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    np.savez(tmp_path / "new.npz", images=IMAGES[:4])
    return tmp_path / "new.npz"


@pytest.fixture
def before() -> Iterator[int]:
    """Another number than the one that is asked for, as it is before and must be afterwards."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(2)
    yield 2
    torch.set_num_threads(n_threads)


def test_predict_takes_as_many_as_asked_for(
    run: ml.Run, images: Path, tmp_path: Path, before: int
) -> None:
    seen: list[int] = []
    ml.predict(
        run,
        images,
        tmp_path / "out.csv",
        threads=1,
        on_predicted=lambda block: seen.append(torch.get_num_threads()),
    )
    assert seen == [1]
    assert torch.get_num_threads() == before


def test_explain_takes_as_many_as_asked_for(run: ml.Run, images: Path, before: int) -> None:
    seen: list[int] = []
    ml.explain(
        run, images, threads=1, on_image=lambda ident, n: seen.append(torch.get_num_threads())
    )
    assert seen == [1] * 4
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(("command", "out"), [("predict", "out.csv"), ("explain", "why.html")])
def test_the_command_line_has_the_option(
    command: str, out: str, run: ml.Run, images: Path, tmp_path: Path
) -> None:
    path = tmp_path / out
    words = [command, str(run.path), str(images), "-o", str(path), "--threads"]
    assert run_command([*words, "0"]) == 2
    assert not path.exists()
    assert run_command([*words, "1"]) == 0
    assert path.exists()
