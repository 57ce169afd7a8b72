"""Runs with compiled kernels and without: what they record, how they resume, where code is kept."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mnistlab.errors import RunError
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.runs import Progress, Run, resume, train
from mnistlab.training import kernels

needs_numba = pytest.mark.skipif(
    not kernels.are_available(), reason="numba is not installed (extra fast)"
)


@pytest.fixture(autouse=True)
def switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other tests do without: see tests/conftest.py."""
    monkeypatch.setenv(kernels.VARIABLE, "on")


RECIPE = Recipe(
    name="small",
    system="A9",
    model="cnn",
    model_args={"channels": [16, 16], "hidden_sizes": [8], "dropout": 0.3},
    phases=(Phase("adam", 1e-2, 2),),
    batch_size=64,
    precision="float32",
    checkpoint_steps=2,
    n_train=448,
    n_val=64,
)
DATA = "fashion-mini"


class KillError(Exception):
    """In place of a kill, just after a step."""


def stopped(out: Path, recipe: Recipe = RECIPE) -> Path:
    """The unfinished folder of a training that was stopped after nine steps of fourteen."""
    left = iter(range(8, -1, -1))

    def on_step() -> None:
        if not next(left):
            raise KillError

    with pytest.raises(KillError):
        train(recipe, DATA, out=out, progress=Progress(on_step=on_step))
    (partial,) = out.glob("*.partial")
    return partial


def began_with(folder: Path) -> str | None:
    found = json.loads((folder / "env.json").read_text(encoding="utf-8")).get("kernels")
    assert found is None or isinstance(found, str)
    return found


def weights_of(run: Run) -> bytes:
    return (run.path / "model.safetensors").read_bytes()


@needs_numba
def test_a_run_records_its_kernels_and_resumes_with_the_same_bits(tmp_path: Path) -> None:
    import numba

    whole = train(RECIPE, DATA, out=tmp_path / "whole")
    assert began_with(whole.path) == f"numba {numba.__version__}"
    partial = stopped(tmp_path / "stopped")
    assert weights_of(resume(partial)) == weights_of(whole)


@needs_numba
def test_a_training_begun_without_kernels_ends_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine where numba was missing: by --resume, and by the same command again."""
    monkeypatch.setenv(kernels.VARIABLE, "off")
    whole = train(RECIPE, DATA, out=tmp_path / "whole")
    folders = [stopped(tmp_path / name) for name in ("one", "two")]
    monkeypatch.delenv(kernels.VARIABLE)
    ended = [resume(folders[0]), train(RECIPE, DATA, out=folders[1].parent)]
    for run in ended:
        assert began_with(run.path) is None
        assert weights_of(run) == weights_of(whole)
    assert weights_of(train(RECIPE, DATA, out=tmp_path / "with")) != weights_of(whole)


@needs_numba
def test_kernels_that_are_missing_where_a_training_is_resumed_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    partial = stopped(tmp_path)
    before = {path.name: path.read_bytes() for path in partial.iterdir() if path.is_file()}
    monkeypatch.setenv(kernels.VARIABLE, "off")
    for attempt in (lambda: resume(partial), lambda: train(RECIPE, DATA, out=tmp_path)):
        with pytest.raises(RunError, match=r"begun with the kernels of numba .*mnistlab\[fast\]"):
            attempt()
    assert before == {path.name: path.read_bytes() for path in partial.iterdir() if path.is_file()}
    assert began_with(train(RECIPE, DATA, out=tmp_path, force=True).path) is None


@needs_numba
@pytest.mark.parametrize("precision", ["float32", pytest.param("bfloat16", marks=pytest.mark.slow)])
def test_both_paths_learn_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    recipe = replace(RECIPE, precision=precision, phases=(Phase("sgd", 1e-2, 2),))
    one = train(recipe, DATA, out=tmp_path / "one")
    monkeypatch.setenv(kernels.VARIABLE, "off")
    other = train(recipe, DATA, out=tmp_path / "other")
    within = {"float32": 1e-5, "bfloat16": 1e-2}[precision]
    for line, same in zip(one.log, other.log, strict=True):
        assert line["train_loss"] == pytest.approx(same["train_loss"], rel=within)
        assert line["val_loss"] == pytest.approx(same["val_loss"], rel=within)


def test_without_numba_nothing_is_said(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(kernels, "are_available", lambda: False)
    run = train(RECIPE, DATA, out=tmp_path)
    assert began_with(run.path) is None
    assert "kernel" not in capfd.readouterr().err


@needs_numba
def test_a_network_without_such_layers_has_no_kernels(tmp_path: Path) -> None:
    recipe = replace(RECIPE, model="mlp", model_args={"hidden_sizes": [8]})
    assert began_with(train(recipe, DATA, out=tmp_path).path) is None


@needs_numba
def test_compiled_code_is_kept_where_only_its_user_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Code from a folder where others can write would run as this user."""
    from mnistlab.training.kernels import compiling

    monkeypatch.setenv("MNISTLAB_CACHE", str(tmp_path / "cache"))
    compiling._folder.cache_clear()
    compiling.kernel.cache_clear()
    try:
        compiling.kernel("pooling", "forward_of", torch.float32)
        assert capfd.readouterr().err.count("compiling fast kernels for this CPU") == 1
        folder = compiling._folder()
        assert folder is not None
        assert folder.is_relative_to(tmp_path / "cache")
        kept = [path for path in folder.rglob("*") if path.is_file()]
        assert kept
        assert not folder.stat().st_mode & 0o077
        for path in kept:  # a disk that was full
            path.write_bytes(path.read_bytes()[:20])
        compiling.kernel.cache_clear()
        compiling.kernel("pooling", "forward_of", torch.float32)
        (tmp_path / "cache" / "kernels").chmod(0o777)
        compiling._folder.cache_clear()
        assert compiling._folder() is None
        assert "no cache folder" in capfd.readouterr().err
    finally:
        compiling._folder.cache_clear()
        compiling.kernel.cache_clear()


@needs_numba
@pytest.mark.skipif(not torch.backends.openmp.is_available(), reason="torch without OpenMP")
def test_kernels_run_in_the_threads_of_torch() -> None:
    from mnistlab.training.kernels.threads import _openmp

    assert _openmp() is not None
