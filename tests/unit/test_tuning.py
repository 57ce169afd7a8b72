"""Searches: the same points whoever stops them, no trial twice, and honest figures at the end."""

from __future__ import annotations

import json
import re
import signal
import sys
import time
from collections import Counter
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import preloaded
import pytest

import mnistlab as ml
from mnistlab.cli import run_command
from mnistlab.data import Dataset
from mnistlab.errors import RecipeError, RunError, TrainingError
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.runs import Progress, TrialEnd
from mnistlab.space import Choice, Layers, Range, Space
from mnistlab.tuning import Trial, TuningResult, tune
from mnistlab.tuning.proposals import Plan, n_grid_points, set_point

pytestmark = pytest.mark.slow

BY_HAND = Recipe(
    "by-hand", "D3", "scratch", (Phase("momentum", 1e-4, 4),), {"hidden_sizes": (8,)}, batch_size=32
)
TORCH = replace(BY_HAND, name="torch", model="mlp", precision="float32")
SVM = Recipe("machine", "A6", "svm", (), scaling="min-max")
SPACE = Space(
    {
        "hidden_sizes": Layers(1, 2, Range(4, 32, logarithmic=True)),
        "learning_rate": Range(1e-4, 1.0, logarithmic=True),
    }
)
GRID = Space({"C": Choice((0.1, 1.0, 10.0)), "gamma": Choice(("scale", 0.01))})
COMMAND = (
    "tune layered-mlp --data fashion-mini --set epochs=3 --set n_train=600 --set n_val=200 "
    "--set checkpoint_steps=4 --trials 9 --seeds 1 --threads 1"
)


def search(
    recipe: Recipe, data: Dataset, out: Path, n_trials: int = 6, **said: Any
) -> TuningResult:
    return tune(recipe, data, out=out, n_trials=n_trials, threads=1, **{"n_seeds": 2, **said})


def told(trials: tuple[Trial, ...]) -> list[Trial]:
    """All of them but for their seconds."""
    return [replace(trial, time_s=None) for trial in trials]


@pytest.mark.parametrize("recipe", [BY_HAND, TORCH], ids=lambda recipe: recipe.name)
def test_a_search_finds_better_and_the_same_every_time(
    recipe: Recipe, stripes: Dataset, tmp_path: Path
) -> None:
    one, two = (search(recipe, stripes, tmp_path / name, 10, space=SPACE) for name in "ab")
    assert told(one.trials) == told(two.trials)
    assert one.recipe == two.recipe
    best = max(trial.accuracy for trial in one.trials if trial.is_complete)
    assert one.best.accuracy == best
    assert one.gain().mean > 0
    untuned, tuned = one.comparison.arms
    assert [run.recipe.seed for run in tuned.runs] == [0, 1]  # trials had another
    assert untuned.arm.recipe == recipe
    assert one.gain().mean == pytest.approx(
        tuned.mean("test_accuracy") - untuned.mean("test_accuracy")
    )
    another = search(recipe, stripes, tmp_path / "c", 3, space=SPACE, seed=1)
    assert [t.point for t in another.trials[1:]] != [t.point for t in one.trials[1:3]]


def test_the_best_is_judged_by_seeds_its_search_has_not_seen(
    stripes: Dataset, tmp_path: Path
) -> None:
    begun: list[Recipe] = []
    progress = Progress(on_start=lambda recipe, data, n_steps: begun.append(recipe))
    found = search(BY_HAND, stripes, tmp_path, 3, space=SPACE, n_seeds=3, progress=progress)
    trained = {recipe.seed for recipe in begun if "-trial-" in recipe.name}
    judged = {run.recipe.seed for arm in found.comparison.arms for run in arm.runs}
    assert len(trained) == 1
    assert judged == {0, 1, 2}
    assert not trained & judged


def test_the_first_trial_is_where_the_recipe_stands(stripes: Dataset, tmp_path: Path) -> None:
    found = search(BY_HAND, stripes, tmp_path, 1, space=SPACE)
    assert found.trials[0].point["learning_rate"] == 1e-4
    assert found.trials[0].point["width 1"] == 8


def test_the_best_recipe_is_a_file_that_train_takes(stripes: Dataset, tmp_path: Path) -> None:
    found = search(BY_HAND, stripes, tmp_path, space=SPACE)
    recipe = ml.read_recipe(found.path / "best.json")
    assert recipe.name == "by-hand-best"
    assert replace(recipe, name="", seed=0) == replace(found.recipe, name="", seed=0)
    # the same seed as in the search gives the same figure
    again = ml.train(replace(recipe, seed=1000), stripes, out=tmp_path / "again", threads=1)
    assert again.result["val_accuracy"] == found.best.accuracy


def test_a_search_made_longer_tries_only_what_is_new(stripes: Dataset, tmp_path: Path) -> None:
    ended: list[TrialEnd] = []
    short = search(BY_HAND, stripes, tmp_path, 3, space=SPACE)
    long = search(
        BY_HAND, stripes, tmp_path, 8, space=SPACE, progress=Progress(on_trial=ended.append)
    )
    assert [trial.number for trial in ended] == [4, 5, 6, 7, 8]
    assert [trial.n_done for trial in ended] == [4, 5, 6, 7, 8]
    assert long.trials[:3] == short.trials
    whole = search(BY_HAND, stripes, tmp_path / "whole", 8, space=SPACE)
    assert told(whole.trials) == told(long.trials)
    fewer = search(BY_HAND, stripes, tmp_path, 2, space=SPACE)
    assert fewer.trials == long.trials


def test_poor_trials_end_early_and_leave_nothing(stripes: Dataset, tmp_path: Path) -> None:
    recipe = replace(BY_HAND, phases=(Phase("momentum", 0.02, 8),))
    found = search(recipe, stripes, tmp_path, 25, space=SPACE)
    pruned = [trial for trial in found.trials if trial.state == "pruned"]
    assert pruned
    for trial in pruned:
        assert trial.number >= 8  # before there was something to compare with
        assert 2 < len(trial.curve) < 8 or "finite" in trial.why
        if trial.curve:
            assert trial.accuracy == trial.curve[-1]
    for trial in found.trials:
        if trial.is_complete:
            assert trial.accuracy == max(trial.curve)
            assert len(trial.curve) == 8
    assert not list(found.path.glob("trial-*"))
    assert found.best not in pruned


def test_a_trial_that_diverges_is_told_and_the_search_goes_on(
    stripes: Dataset, tmp_path: Path
) -> None:
    recipe = replace(BY_HAND, scaling="none", phases=(Phase("sgd", 1e-4, 2),))
    space = Space({"learning_rate": Range(1e-4, 1e30, logarithmic=True)})
    with np.errstate(all="ignore"):
        found = search(recipe, stripes, tmp_path, 8, space=space, sampler="random")
    diverged = [trial for trial in found.trials if "no longer finite" in trial.why]
    assert diverged
    assert all(trial.state == "pruned" for trial in diverged)
    assert found.best.accuracy is not None
    everywhere = Space({"learning_rate": Range(1e20, 1e30, logarithmic=True)})
    with np.errstate(all="ignore"), pytest.raises(TrainingError, match="none of 2 trials"):
        search(
            replace(recipe, phases=(Phase("sgd", 1e25, 2),)), stripes, tmp_path, 2, space=everywhere
        )


def test_a_grid_tries_every_combination_once(stripes: Dataset, tmp_path: Path) -> None:
    found = search(SVM, stripes, tmp_path, 50, space=GRID, sampler="grid")
    tried = Counter((trial.point["C"], trial.point["gamma"]) for trial in found.trials)
    assert tried == Counter((c, gamma) for c in (0.1, 1.0, 10.0) for gamma in ("scale", 0.01))
    assert found.recipe.model_args["C"] == found.best.point["C"]


def test_the_points_of_a_grid_are_counted_through_and_never_all_held() -> None:
    plan = Plan(GRID, "grid", 0, 0, None)
    points = [set_point(plan, number) for number in range(n_grid_points(GRID))]
    expected = product((0.1, 1.0, 10.0), ("scale", 0.01))
    assert points == [{"C": c, "gamma": gamma} for c, gamma in expected]
    values = tuple(1.0 + step for step in range(40))
    huge = Space({f"field{i}": Choice(values) for i in range(20)})
    assert n_grid_points(huge) == 40**20
    assert set_point(Plan(huge, "grid", 0, 0, None), 40**20 - 1) == {
        f"field{i}": 40.0 for i in range(20)
    }


def test_an_svm_has_one_seed_and_an_interval_over_images(stripes: Dataset, tmp_path: Path) -> None:
    found = search(SVM, stripes, tmp_path, 4)
    gain = found.gain()
    assert (gain.of, gain.n) == ("images", 120)
    assert len(found.comparison.arms[1].runs) == 1
    assert "interval over images" in found.comparison.answer
    assert all(trial.is_complete and not trial.curve for trial in found.trials)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"sampler": "best"}, "unknown sampler 'best'; there are: tpe, random, grid"),
        ({"sampler": "grid"}, "a grid needs choices"),
        ({"n_trials": 0}, "trials must be at least 1"),
        ({"n_seeds": 0}, "seeds must be at least 1"),
        ({"n_processes": 0}, "processes must be at least 1"),
        ({"n_processes": 100_000}, "processes must be from 1 to"),
        ({"space": Space({"gamma": Range(0.1, 1.0)})}, "the space does not fit by-hand"),
        ({"device": "mps"}, "runs on the CPU alone"),
    ],
)
def test_what_cannot_be_searched(
    said: dict[str, Any], error: str, stripes: Dataset, tmp_path: Path
) -> None:
    with pytest.raises(RecipeError, match=error):
        search(BY_HAND, stripes, tmp_path, **{"space": SPACE, **said})
    assert not list(tmp_path.glob("tune-*/trial-*"))


def test_a_point_that_cannot_be_built_ends_the_search(stripes: Dataset, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="dropout"):
        search(
            BY_HAND,
            stripes,
            tmp_path,
            8,
            space=Space({"dropout": Range(0.1, 1.5)}),
            sampler="random",
        )


def test_a_torn_line_is_dropped_and_a_damaged_journal_is_one_line(
    stripes: Dataset, tmp_path: Path
) -> None:
    whole = search(BY_HAND, stripes, tmp_path, 4, space=SPACE)
    journal = whole.path / "journal.jsonl"
    content = journal.read_bytes()
    journal.write_bytes(content + b'{"op_code": 4, "trial')
    assert search(BY_HAND, stripes, tmp_path, 4, space=SPACE).trials == whole.trials
    for damaged in (b"nonsense\n" + content, content.replace(b"op_code", b"op_cod"), b"\xff\x00\n"):
        journal.write_bytes(damaged)
        with pytest.raises(RunError, match=r"journal\.jsonl: cannot be read") as caught:
            search(BY_HAND, stripes, tmp_path, 4, space=SPACE)
        assert "\n" not in str(caught.value)


# Real processes


def started(out: Path, *more: str) -> preloaded.Process:
    words = [sys.executable, "-m", "mnistlab", *COMMAND.split(), "--out", str(out), *more]
    return preloaded.Process(words, out)


def finished(process: preloaded.Process) -> dict[str, Any]:
    output, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    return json.loads(output.splitlines()[-1])


def points(result: dict[str, Any]) -> list[dict[str, Any]]:
    return [{k: v for k, v in trial.items() if k != "time_s"} for trial in result["trials"]]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return finished(started(tmp_path_factory.mktemp("undisturbed"), "--json"))


def wait_for_trial(out: Path, number: int, process: preloaded.Process) -> None:
    """Until that trial has left a checkpoint."""
    while process.poll() is None:
        if list(out.glob(f"tune-*/trial-{number:04d}/*.partial/checkpoint-*")):
            return
        time.sleep(0.01)
    raise AssertionError(process.communicate())


@pytest.mark.slow
def test_killed_searches_end_as_an_undisturbed_one(
    undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    for number in (0, 4):
        process = started(tmp_path)
        wait_for_trial(tmp_path, number, process)
        process.kill()
        process.communicate()
    assert points(finished(started(tmp_path, "--json"))) == points(undisturbed)


def test_ctrl_c_leaves_the_best_recipe_and_the_search_goes_on(
    undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    process = started(tmp_path)
    wait_for_trial(tmp_path, 5, process)
    process.send_signal(signal.SIGINT)
    errors = process.communicate(timeout=200)[1]
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    (best,) = tmp_path.glob("tune-*/best.json")
    assert f"best so far: mnistlab train {best}" in errors
    assert ml.read_recipe(best).name == "layered-mlp-best"
    assert points(finished(started(tmp_path, "--json"))) == points(undisturbed)


def test_two_commands_share_a_search_and_no_trial_twice(tmp_path: Path) -> None:
    processes = [started(tmp_path, "--json") for _ in range(2)]
    one, two = map(finished, processes)
    assert points(one) == points(two)
    assert [trial["number"] for trial in one["trials"]] == list(range(9))
    assert len({json.dumps(trial["point"]) for trial in one["trials"]}) == 9
    (journal,) = tmp_path.glob("tune-*/journal.jsonl")
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert len({line["worker_id"] for line in lines}) > 1  # both have worked


def test_helpers_work_on_the_same_search(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        run_command([*COMMAND.split(), "--processes", "2", "--out", str(tmp_path), "--json"]) == 0
    )
    shown = capsys.readouterr()
    result = json.loads(shown.out.splitlines()[-1])
    assert [trial["state"] for trial in result["trials"]].count("running") == 0
    assert len(result["trials"]) == 9
    assert re.search(r"\[\d/9\] trial \d: val 0\.\d{4}.*; best so far 0\.", shown.err)
    assert "report: " in shown.out
    assert f"next: mnistlab train {result['path']}/best.json --data fashion-mini" in shown.out
    page = (Path(result["path"]) / "report.html").read_text()
    assert f"<span>{result['path']}/recipe.json</span>" in page  # --set made another recipe of it
    assert "--space" not in page
    assert [arm["arm"] for arm in result["arms"]] == ["layered-mlp", "layered-mlp-best"]
    assert sum(result["importance"].values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("--sampler grid", "a grid needs choices"),
        ("--space nowhere.json", "nowhere.json: No such file"),
        ("--trials 0", "trials"),
        ("--set dropout=2", "dropout"),
    ],
)
def test_bad_input_is_one_line(
    more: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command([*COMMAND.split(), "--out", str(tmp_path), *more.split()]) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith("error: ")
    assert len(shown.err.splitlines()) == 1
    assert said in shown.err
