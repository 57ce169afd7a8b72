"""A resume that is killed at any moment leaves what can be resumed; one that is refused, all."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from functools import partial as partial_
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_checkpoints import BY_HAND, KillError, assert_equal, stopping
from test_checkpoints import TORCH as TORCH_RECIPE

import mnistlab as ml
from mnistlab import atomic
from mnistlab.cli import run_command
from mnistlab.data import Dataset
from mnistlab.errors import MnistlabError, RunError
from mnistlab.recipe import Recipe
from mnistlab.runs import Run, resume, train
from mnistlab.runs import training as training_module
from mnistlab.runs.checkpoints import FILES

RECIPE = replace(BY_HAND, checkpoint_steps=5)
CHANGES = ("unlink", "rename", "replace", "rmdir", "mkdir", "remove")


def tree(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def data(stripes: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("data")
    ml.export(stripes, folder / "stripes", format="npz")
    return ml.load(str(folder / "stripes"))


def stopped(recipe: Recipe, data: Dataset, out: Path) -> Path:
    """The .partial folder of a training that was stopped after 13 steps."""
    with pytest.raises(KillError):
        train(recipe, data, out=out, progress=stopping(13)[0])
    (partial,) = out.iterdir()
    return partial


class DiedError(BaseException):
    """In place of SIGKILL: nothing of the process's own catches it, no later change is made."""


class Dying:
    """Ends the process, so to speak, before its n-th change of the disk and lets none follow."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, n: int) -> None:
        self.n, self.is_dead = n, False
        for name in CHANGES:
            monkeypatch.setattr(os, name, self._dying(getattr(os, name)))
        for name in ("unlink", "rename", "replace", "rmdir", "mkdir"):
            monkeypatch.setattr(Path, name, self._dying(getattr(Path, name)))
        monkeypatch.setattr(Path, "open", self._opening(Path.open))

    def _change(self) -> None:
        self.n -= 1
        self.is_dead = self.is_dead or self.n < 0
        if self.is_dead:
            raise DiedError

    def _dying(self, change: Any) -> Any:
        def changed(*arguments: Any, **named: Any) -> Any:
            self._change()
            return change(*arguments, **named)

        return changed

    def _opening(self, opened: Any) -> Any:
        def opens(path: Path, mode: str = "r", *arguments: Any, **named: Any) -> Any:
            if mode[0] in "wax":
                self._change()
            return opened(path, mode, *arguments, **named)

        return opens


@pytest.mark.parametrize("is_by_command", [True, False], ids=["resume", "train"])
def test_killed_at_any_step_of_its_beginning_it_can_be_resumed(
    data: Dataset, tmp_path: Path, is_by_command: bool
) -> None:
    """Before every change of the disk up to the first steps of the resumed training."""
    whole = train(RECIPE, data, out=tmp_path / "whole", threads=1)
    partial = stopped(RECIPE, data, tmp_path / "once")
    (partial / "failure.json").write_text("{}")  # of an earlier failure
    begin, n_deaths = partial_(train, RECIPE, data), 0
    for n in range(200):
        runs = tmp_path / f"runs{n}"
        shutil.copytree(partial.parent, runs)
        again = runs / partial.name
        with pytest.MonkeyPatch.context() as patch:
            steps = stopping(2)[0]  # past the beginning
            Dying(patch, n)
            go_on = partial_(resume, again) if is_by_command else partial_(begin, out=runs)
            with pytest.raises((DiedError, KillError)) as caught:
                go_on(threads=1, progress=steps)
        if caught.type is KillError:
            break
        n_deaths += 1
        assert any(again.glob(FILES)), f"no checkpoint after a death before change {n}"
        told: list[int] = []
        progress = ml.Progress(on_resume=lambda steps, damaged, told=told: told.append(steps))
        run = resume(again, threads=1, progress=progress)
        assert told == [10]
        assert_equal(whole, run)
        assert {p.name for p in run.path.iterdir()} == {p.name for p in whole.path.iterdir()}
        shutil.rmtree(runs)
    assert n_deaths >= 8


def test_a_resume_refused_for_a_foreign_checkpoint_changes_nothing(
    data: Dataset, tmp_path: Path
) -> None:
    theirs = stopped(replace(RECIPE, seed=1), data, tmp_path / "theirs")
    for checkpoint in theirs.glob(FILES):
        checkpoint.unlink()
    ours = stopped(RECIPE, data, tmp_path / "ours")
    for checkpoint in ours.glob(FILES):
        shutil.copy(checkpoint, theirs)
    before = tree(theirs)
    for _ in range(2):
        with pytest.raises(RunError, match="a checkpoint of another training"):
            resume(theirs)
        with pytest.raises(RunError, match="a checkpoint of another training"):
            train(replace(RECIPE, seed=1), data, out=theirs.parent)
        assert tree(theirs) == before


def test_it_goes_on_in_the_precision_it_began_in(
    data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mnistlab.training import hardware

    recipe = replace(TORCH_RECIPE, precision="auto")
    monkeypatch.setattr(hardware, "has_bfloat16", lambda device: False)
    here = train(recipe, data, out=tmp_path / "here", threads=1)
    partial = stopped(recipe, data, tmp_path / "runs")
    assert here.env["precision"] == "float32"
    monkeypatch.setattr(hardware, "has_bfloat16", lambda device: True)
    run = resume(partial, threads=1)  # on another machine
    assert run.env["precision"] == "float32"
    assert run.path.name == here.path.name
    arrays = [one.classifier().arrays() for one in (here, run)]
    for name, array in arrays[0].items():
        np.testing.assert_array_equal(array, arrays[1][name])


def test_checkpoints_of_another_precision_are_refused(
    data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mnistlab.training import hardware

    recipe = replace(TORCH_RECIPE, precision="auto")
    monkeypatch.setattr(hardware, "has_bfloat16", lambda device: False)
    partial = stopped(recipe, data, tmp_path / "float32")
    monkeypatch.setattr(hardware, "has_bfloat16", lambda device: True)
    other = stopped(recipe, data, tmp_path / "bfloat16")
    assert other.name != partial.name
    for checkpoint in other.glob(FILES):
        checkpoint.unlink()
    for checkpoint in partial.glob(FILES):
        shutil.copy(checkpoint, other)
    with pytest.raises(RunError, match="its precision is float32 and not bfloat16"):
        resume(other)


def test_records_without_a_checkpoint_are_a_training_from_the_beginning(
    data: Dataset, tmp_path: Path
) -> None:
    whole = train(RECIPE, data, out=tmp_path / "whole", threads=1)
    partial = stopped(RECIPE, data, tmp_path / "runs")
    for checkpoint in partial.glob(FILES):
        checkpoint.unlink()
    (partial / "env.json").unlink()
    assert_equal(whole, resume(partial, threads=1))


def test_a_folder_in_which_nothing_was_begun(tmp_path: Path) -> None:
    (tmp_path / "x.partial").mkdir()
    with pytest.raises(RunError, match="nothing to resume"):
        resume(tmp_path / "x")


@pytest.mark.parametrize("name", [".", "/", "..", "", "nothing", "./nothing/.."])
def test_paths_that_name_no_run(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path / "in")
    for command in (["train", "--resume", name], ["evaluate", name], ["compare", name, name]):
        assert run_command(command) == 2
        assert capsys.readouterr().err.startswith("error: ")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_from_inside_its_folder(
    data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    partial = stopped(RECIPE, data, tmp_path / "runs")
    monkeypatch.chdir(partial)
    run: Run = resume(".", threads=1)
    assert run.path == partial.with_suffix("")
    monkeypatch.chdir(run.path)
    assert ml.open_run(".").path.name == run.path.name


def test_parts_that_changed_are_said(data: Dataset, stripes: Dataset, tmp_path: Path) -> None:
    """The same images in the same order, cut elsewhere, have one fingerprint."""
    stripes = replace(stripes, is_published=False)
    cut = replace(stripes, n_official_train=400)
    assert cut.fingerprint == stripes.fingerprint
    runs = [train(RECIPE, one, out=tmp_path) for one in (stripes, cut)]
    assert runs[0].path != runs[1].path
    with pytest.raises(RunError, match="comes in other parts now: the train part has"):
        ml.evaluate(runs[0], cut)
    assert ml.evaluate(runs[0], stripes).result["n_test"] == 120


def test_where_nothing_can_be_written_nothing_is_trained(
    data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ml.evaluate(train(RECIPE, data, out=tmp_path / "runs"))
    other = ml.evaluate(train(replace(RECIPE, seed=1), data, out=tmp_path / "runs"))

    def refuses(folder: Path | str) -> None:
        raise ml.DataError(f"{folder}: cannot be written into: Read-only file system")

    monkeypatch.setattr(atomic, "check_writable", refuses)
    monkeypatch.setattr(training_module.Trainer, "run", lambda *a, **n: pytest.fail("trained"))
    before = tree(run.path)
    for work in (
        lambda: ml.evaluate(run),
        lambda: train(RECIPE, data, out=tmp_path / "others"),
        lambda: ml.cross_validate(RECIPE, data, out=tmp_path / "others"),
        lambda: ml.compare([run, other], out=tmp_path / "others"),
    ):
        with pytest.raises(MnistlabError, match="Read-only file system"):
            work()
    assert tree(run.path) == before
