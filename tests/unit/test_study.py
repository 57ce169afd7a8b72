from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from quick_figures import unpainted

from mnistlab.data import Dataset
from mnistlab.errors import RecipeError, TrainingError
from mnistlab.evaluation import fraction_interval, wilson_interval
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.recipes import RECIPES
from mnistlab.reporting.comparison_report import comparison_table, published_table
from mnistlab.reporting.study_report import study_report
from mnistlab.runs import Progress, Run
from mnistlab.studies import STUDIES, get_study
from mnistlab.study import Arm, ArmResult, Study, StudyResult, run_study

SMALL = Recipe("small", "E1", "mlp", (Phase("sgd", 0.05, 3),))
LARGE = replace(SMALL, name="large", system="E2", model_args={"hidden_sizes": (16,)})
COSTS = ("train_time_s", "predict_time_s", "training_memory_mb")


def best(results) -> str:
    return max(results, key=lambda result: result.test_accuracy[0]).arm.name


STUDY = Study(
    name="size",
    system="E",
    question="Is larger better?",
    arms=(Arm(SMALL, {"stripes": "0.9"}, {"stripes": "other images"}), Arm(LARGE)),
    decide=best,
    gallery=("large",),
    n_seeds=2,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def result(stripes: Dataset, folder: Path) -> StudyResult:
    return run_study(STUDY, stripes, out=folder)


def test_result_json_is_the_contract(result: StudyResult) -> None:
    kept = json.loads((result.path / "result.json").read_text())
    assert kept == json.loads(json.dumps(result.to_json()))
    assert kept["study"] == "size"
    assert kept["answer"] in {"small", "large"}
    small, large = kept["arms"]
    assert (small["arm"], small["published"], large["published"]) == ("small", "0.9", None)
    assert small["why_it_differs"] == "other images"
    assert small["seeds"] == large["seeds"] == [0, 1]
    for arm in kept["arms"]:
        assert len(arm["val_accuracy"]) == len(arm["test_accuracy"]) == 2
        assert all(seconds > 0 for seconds in arm["train_time_s"])
        mean, low, high = fraction_interval(arm["test_accuracy"])
        assert arm["test_accuracy_mean"] == mean
        assert arm["test_accuracy_interval"] == (None if math.isnan(low) else [low, high])
    assert large["n_parameters"] == 144 * 16 + 16 + 16 * 4 + 4


def test_a_repeated_study_trains_nothing(
    result: StudyResult, stripes: Dataset, folder: Path
) -> None:
    started: list[str] = []
    ended: list[Path] = []
    progress = Progress(
        on_start=lambda recipe, dataset, n_steps: started.append(recipe.name),
        on_end=lambda run: ended.append(run.path),
    )
    again = run_study(STUDY, stripes, out=folder, progress=progress)
    assert started == []
    assert len(ended) == 4
    assert again.to_json() == result.to_json()


def test_one_more_seed_trains_only_the_missing_runs(
    result: StudyResult, stripes: Dataset, folder: Path
) -> None:
    started: list[int] = []
    progress = Progress(on_start=lambda recipe, dataset, n_steps: started.append(recipe.seed))
    run_study(STUDY, stripes, n_seeds=3, out=folder, progress=progress)
    assert started == [2, 2]
    with pytest.raises(RecipeError, match="seeds must be at least 1"):
        run_study(STUDY, stripes, n_seeds=0, out=folder)


def test_a_study_cut_short_goes_on(result: StudyResult, stripes: Dataset, tmp_path: Path) -> None:
    """Interrupted in its third run, then repeated: the same figures as never interrupted."""
    n_started = 0

    def interrupt(recipe: Recipe, dataset: Dataset, n_steps: int) -> None:
        nonlocal n_started
        n_started += 1
        if n_started == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_study(STUDY, stripes, out=tmp_path, progress=Progress(on_start=interrupt))
    assert len(list(tmp_path.glob("*.partial"))) == 1
    again = run_study(STUDY, stripes, out=tmp_path, progress=Progress(on_start=interrupt))
    assert n_started == 5
    assert not list(tmp_path.glob("*.partial"))
    timeless = [
        [arm | dict.fromkeys(COSTS) for arm in r.to_json()["arms"]] for r in (result, again)
    ]
    assert timeless[0] == timeless[1]


def test_the_report_is_written_whole(result: StudyResult) -> None:
    page = study_report(result)
    text = page.read_text(encoding="utf-8")
    assert page == result.path / "report.html"
    assert STUDY.question in text
    assert "other images" in text
    figures = {path.name for path in (result.path / "figures").iterdir()}
    assert {"learning-curves.png", "per-class-accuracy.png"} <= figures
    assert len(figures) == 5


def test_the_table_shows_every_arm(result: StudyResult) -> None:
    table = comparison_table(result)
    assert [row[0] for row in table.rows] == ["small", "large"]
    assert [row[2] for row in table.rows] == [580, 2388]
    mean, low, high = result.arms[0].test_accuracy
    interval = "" if math.isnan(low) else f" ({low:.4f} to {high:.4f})"
    assert table.rows[0][5].text == f"{mean:.4f}{interval}"
    highest = max(arm.test_accuracy[0] for arm in result.arms)
    n = result.arms[0].runs[0].result["n_test"]
    low, high = wilson_interval(round(highest * n), n)
    assert f"interval {low:.4f} to {high:.4f} (Wilson)" in table.note
    published = published_table(result)
    assert published is not None
    ((arm, figure, measured, why),) = published.rows
    assert (arm, figure, why) == ("small", "0.9", "other images")
    assert measured == table.rows[0][5]


def test_columns_without_a_figure_are_left_out(result: StudyResult) -> None:
    bare = replace(result, arms=result.arms[1:])
    assert "Published" not in {column.title for column in comparison_table(bare).columns}
    assert published_table(bare) is None


@unpainted()
def test_one_seed_has_no_interval(stripes: Dataset, folder: Path) -> None:
    single = run_study(STUDY, stripes, n_seeds=1, out=folder)
    assert single.to_json()["arms"][0]["test_accuracy_interval"] is None
    assert " to " not in comparison_table(single).rows[0][5].text
    assert study_report(single).is_file()


@unpainted()
def test_an_arm_that_takes_long_has_fewer_seeds(stripes: Dataset, folder: Path) -> None:
    once = replace(STUDY, name="long", arms=(Arm(SMALL), Arm(LARGE, n_seeds=1)))
    result = run_study(once, stripes, out=folder)
    assert [len(arm.runs) for arm in result.arms] == [2, 1]
    assert "2, 1 where one takes long" in study_report(result).read_text(encoding="utf-8")
    alone = run_study(once, stripes, n_seeds=1, out=folder)
    assert [len(arm.runs) for arm in alone.arms] == [1, 1]


def test_no_test_figure_before_all_arms_are_trained(stripes: Dataset, tmp_path: Path) -> None:
    wild = replace(STUDY, arms=(Arm(SMALL), Arm(replace(LARGE, phases=(Phase("sgd", 1e30),)))))
    with pytest.raises(TrainingError):
        run_study(wild, stripes, out=tmp_path)
    (kept,) = tmp_path.glob("small-*")
    assert json.loads((kept / "result.json").read_text())["test_accuracy"] is None


def fake(name: str, accuracies: list[float], curve: list[float]) -> ArmResult:
    recipe = RECIPES[name]()

    class Logged(Run):
        log = [{"val_accuracy": value} for value in curve]  # noqa: RUF012

    runs = tuple(
        Logged(Path(), recipe, {}, {}, {"test_accuracy": accuracy, "val_accuracy": accuracy})
        for accuracy in accuracies
    )
    return ArmResult(Arm(recipe), runs)


def test_the_ladders_answer_follows_the_figures() -> None:
    accuracies = {
        "softmax": [0.80, 0.82],
        "mlp": [0.84, 0.84],
        "cnn-small": [0.86, 0.86],
        "softmax-tuned": [0.83, 0.83],
        "mlp-tuned": [0.87, 0.87],
        "cnn-small-tuned": [0.9, 0.92],
        "simple-cnn-tuned": [0.93, 0.93],
    }
    study = get_study("ladder")
    assert [arm.name for arm in study.arms] == list(accuracies)
    results = [fake(name, values, [0.5, 0.6]) for name, values in accuracies.items()]
    answer = study.decide(results)
    assert "(0.810)" in answer
    steps = re.findall(r"\+(\d\.\d) points \(", answer)
    assert steps == ["3.0", "2.0", "2.0", "3.0", "5.0"]  # two of capacity, three of tuning
    assert "a hidden layer gains +3.0 points" in answer
    assert "Corrected for 5 comparisons" in answer
    assert "validation: simple-cnn-tuned, which reaches 0.9300" in answer
    assert "mean of 2 seeds" in answer


def test_late_swings_leave_out_early_epochs() -> None:
    assert fake("mlp", [0.5], [0.1, 0.8, 0.82, 0.79, 0.8]).late_swing == pytest.approx(0.03)
    assert np.isnan(fake("mlp", [0.5], [0.1]).test_accuracy[1])


def test_unknown_study() -> None:
    with pytest.raises(
        RecipeError, match="there are: ladder, embedding, mlp-batch-size, svm-grid, mlp-vs-svm"
    ):
        get_study("laddr")
    assert [get_study(name).name for name in STUDIES] == list(STUDIES)
