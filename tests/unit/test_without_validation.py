"""Training on all images: no validation part, in any record, page, study or command."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mnistlab.cli import run_command
from mnistlab.data import Dataset, split
from mnistlab.data.exporting import export
from mnistlab.data.splits import protocol_of
from mnistlab.errors import DataError, RecipeError, RunError
from mnistlab.phases import Phase
from mnistlab.profiling.measuring import profile
from mnistlab.recipe import Recipe
from mnistlab.reporting.listing import listing_sections
from mnistlab.reporting.run_report import report
from mnistlab.reporting.study_report import study_report, summary_lines
from mnistlab.runs import Progress, Run, compare, cross_validate, evaluate, open_run, predict, train
from mnistlab.runs.predictions import chosen_threshold
from mnistlab.runs.snapshots import FILE as SNAPSHOTS
from mnistlab.study import Arm, Study, StudyResult, run_study
from mnistlab.study.wording import best_on_validation
from mnistlab.tuning import tune

LAST = Phase("momentum", 0.05, 5, keep="last", snapshot_epochs=2)
TORCH = Recipe(
    "torch-all",
    "B2",
    "mlp",
    (LAST,),
    model_args={"hidden_sizes": (8,)},
    split="train-test",
    scaling="min-max",
    precision="float32",
)
BY_HAND = replace(TORCH, name="by-hand-all", model="scratch")
MACHINE = replace(TORCH, name="machine-all", model="svm", model_args={}, phases=())
VALIDATED = replace(TORCH, name="validated", split="auto", phases=(Phase("momentum", 0.05, 5),))


@pytest.fixture(scope="module", params=[TORCH, BY_HAND, MACHINE], ids=lambda recipe: recipe.name)
def run(request: pytest.FixtureRequest, stripes: Dataset, tmp_path_factory: object) -> Run:
    out = tmp_path_factory.mktemp("runs")  # type: ignore[attr-defined]
    return evaluate(train(request.param, stripes, out=out, threads=1), stripes, threads=1)


def said_on(page: Path) -> str:
    """The words of a page, without markup, figures and style."""
    text = re.sub(r"(?s)<(style|script|svg).*?</\1>", " ", page.read_text(encoding="utf-8"))
    return re.sub(r"<[^>]*>", " ", text)


# The split


def test_all_official_training_images_train(stripes: Dataset) -> None:
    cut = split(stripes, "train-test")
    assert [len(cut.train), len(cut.val), len(cut.test)] == [480, 0, 120]
    np.testing.assert_array_equal(cut.train.images, stripes.images[:480])
    np.testing.assert_array_equal(cut.test.labels, stripes.labels[480:])
    assert cut.origins["val"] == "none: all training images train"


def test_a_validation_part_that_came_stays_one(stripes: Dataset) -> None:
    cut = split(replace(stripes, n_official_val=20), "train-test")
    assert [len(cut.train), len(cut.val), len(cut.test)] == [480, 20, 100]


@pytest.mark.parametrize("n_train", [None, 480])
def test_data_of_ones_own_are_cut_as_without_it(stripes: Dataset, n_train: int | None) -> None:
    """In one part there is no test part to keep, and parts that came are used as they came."""
    own = replace(stripes, is_published=False, n_official_train=n_train)
    protocol = protocol_of(own, "train-test")
    assert protocol == protocol_of(own, "auto")
    assert min(len(part) for part in vars(split(own, protocol)).values() if len(part) > 6) > 0
    if n_train is None:
        with pytest.raises(DataError, match=r"^stripes: has no official test set; use a strat"):
            split(own, "train-test")


# A run


def test_records_hold_null(run: Run) -> None:
    assert (run.data["n_train"], run.data["n_val"], run.data["n_test"]) == (480, 0, 120)
    names = ("val_accuracy", "val_balanced_accuracy", "val_macro_f1", "temperature")
    assert [run.result[name] for name in names] == [None] * 4
    assert all(line["val_loss"] is None is line["val_accuracy"] for line in run.log)
    assert open_run(run.path).result == run.result


def test_the_last_epoch_is_read(stripes: Dataset, run: Run) -> None:
    if not run.log:
        return
    assert run.result["epochs"] == 5
    assert run.result["test_accuracy_by_epoch"]["5"] == run.result["test_accuracy"]


def test_the_page_says_so(run: Run, stripes: Dataset) -> None:
    page = said_on(report(run, stripes))
    assert "no validation part" in page
    assert "480 / none / 120" in page
    assert not re.search(r"\b(None|nan|NaN)\b|on validation", page)
    if run.log:
        assert "The weights of the last epoch, 5, are saved." in page
        assert "Test accuracy along the way" in page


def test_without_validation_the_best_epoch_is_that_of_the_lowest_training_loss(
    stripes: Dataset, tmp_path: Path
) -> None:
    """At a rate that spoils the last epochs."""
    phases = (Phase("sgd", 0.1, 3), Phase("sgd", 200.0, 2))
    run = evaluate(train(replace(TORCH, phases=phases), stripes, out=tmp_path), stripes)
    losses = [line["train_loss"] for line in run.log]
    best = losses.index(min(losses)) + 1
    assert best <= 3
    page = said_on(report(run, stripes))
    assert f"The weights of epoch {best}, the best by training loss, are saved." in page


def test_the_command_line_says_so(
    stripes: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["train", "softmax", "--set", "epochs=2", "--out", str(tmp_path), "--threads", "1"]
    assert run_command(arguments) == 0
    shown = capsys.readouterr()
    assert "1,000 test (as published), no validation part: all training images train" in shown.out
    assert re.search(r"seed0-\S+ +0 +- +2 ", shown.out)
    assert "val" not in shown.err
    assert run_command(["cv", "softmax", "--set", "n_train=100", "--out", str(tmp_path)]) == 0
    assert run_command(["tune", "softmax", "--out", str(tmp_path)]) == 2
    assert "softmax: tuning chooses by a validation part, and split train-test has none" in (
        capsys.readouterr().err
    )


def test_nothing_is_held_out_of_folds_either(stripes: Dataset, tmp_path: Path) -> None:
    """One epoch of plain gradient descent on each fold: every image that trains moves it."""
    recipe = replace(BY_HAND, phases=(Phase("sgd", 0.1, 1, keep="last"),), batch_size=10_000)
    seen: list[int] = []
    progress = Progress(on_start=lambda recipe, data, n_steps: seen.append(len(data)))
    all_train = cross_validate(recipe, stripes, n_folds=2, out=tmp_path, progress=progress)
    held_out = cross_validate(
        replace(recipe, split="given"), stripes, n_folds=2, out=tmp_path, progress=progress
    )
    assert all_train.n_images == 480
    assert all_train.accuracy != held_out.accuracy


def test_a_threshold_of_validation_is_refused(stripes: Dataset, tmp_path: Path) -> None:
    two = replace(stripes, labels=stripes.labels % 2, class_names=("even", "odd"))
    run = evaluate(train(TORCH, two, out=tmp_path, threads=1), two, threads=1)
    assert "threshold" not in run.result
    with pytest.raises(RunError, match="has no threshold of validation; give a probability"):
        chosen_threshold(run, "validation")
    assert not re.search(r"\b(None|nan|NaN)\b", said_on(report(run, two)))


def test_runs_with_and_without_are_compared(stripes: Dataset, tmp_path: Path) -> None:
    runs = [
        evaluate(train(recipe, stripes, out=tmp_path, threads=1), stripes, threads=1)
        for recipe in (TORCH, VALIDATED)
    ]
    assert "None" not in compare(runs, out=tmp_path).answer


def test_a_table_of_predictions(stripes: Dataset, tmp_path: Path, run: Run) -> None:
    np.savez(tmp_path / "new.npz", images=stripes.images[:5])
    assert predict(run, tmp_path / "new.npz", tmp_path / "out.csv") == 5


def test_other_data_leave_out_all_that_trained(stripes: Dataset, run: Run) -> None:
    late = slice(400, None)
    other = Dataset("late", stripes.images[late], stripes.labels[late], stripes.class_names)
    (figures,) = evaluate(run, other, threads=1).result["other_data"].values()
    assert (figures["n_left_out"], figures["n_test"]) == (80, 120)


def test_an_export_has_the_two_parts(stripes: Dataset, tmp_path: Path) -> None:
    export(stripes, tmp_path / "out", split="train-test")
    names = {path.name.split("-")[0].split(".")[0] for path in (tmp_path / "out").iterdir()}
    assert {"train", "test"} <= names
    assert "val" not in names


def test_a_profile_counts_it(stripes: Dataset) -> None:
    sizes = {each.protocol: each.sizes for each in profile(stripes, with_map=False).splits}
    assert sizes["train-test"] == (480, 0, 120)


def test_tuning_needs_one(stripes: Dataset, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="split train-test has none; --set split=auto draws one"):
        tune(TORCH, stripes, out=tmp_path)


# Studies


@pytest.fixture(scope="module")
def mixed(stripes: Dataset, tmp_path_factory: pytest.TempPathFactory) -> StudyResult:
    study = Study(
        name="mixed",
        system="B",
        question="All images or not?",
        arms=(
            Arm(TORCH, published_by_epoch={"stripes": {1: 0.25, 3: 0.5}}),
            *(Arm(replace(TORCH, name=f"batch-{n}", batch_size=n)) for n in (16, 32)),
            Arm(VALIDATED),
        ),
        decide=lambda results: f"{best_on_validation(results).arm.name} is best.",
        n_seeds=2,
        bars=True,
    )
    result = run_study(study, stripes, out=tmp_path_factory.mktemp("study"), threads=1)
    assert isinstance(result, StudyResult)
    return result


def test_a_study_of_both(mixed: StudyResult) -> None:
    assert mixed.answer == "validated is best."
    titles, rows = summary_lines(mixed)
    by_arm = {row[0]: dict(zip(titles, row, strict=True)) for row in rows}
    assert by_arm["torch-all"]["Validation"] == "–" == by_arm["torch-all"]["Late swing"]
    assert re.fullmatch(r"[01]\.\d{4}", by_arm["validated"]["Validation"])
    page = said_on(study_report(mixed))
    assert "split official and train-test" in page
    assert not re.search(r"\b(None|nan|NaN)\b", page)
    stored = mixed.to_json()["arms"]
    assert stored[0]["val_accuracy"] == [None, None]
    assert [list(by_epoch) for by_epoch in stored[0]["test_accuracy_by_epoch"]] == [
        ["1", "3", "5"]
    ] * 2
    assert "test_accuracy_by_epoch" not in stored[-1]


def test_a_listing_stands_beside_the_published_one(mixed: StudyResult) -> None:
    study_report(mixed)
    (section,) = listing_sections(mixed)
    (table,) = section.tables
    assert [column.title for column in table.columns][:3] == ["Epoch", "Published", "torch-all"]
    assert [row[:2] for row in table.rows] == [(1, 0.25), (3, 0.5), (5, None)]
    every = mixed.arms[0].each("test_accuracy_by_epoch")
    means = [np.mean([of_seed[epoch] for of_seed in every]) for epoch in ("1", "3", "5")]
    assert [row[2].value for row in table.rows] == pytest.approx(means)
    assert (mixed.path / "figures" / "listing.png").is_file()


def test_a_study_without_any(mixed: StudyResult) -> None:
    alone = replace(mixed, study=replace(mixed.study, arms=()), arms=mixed.arms[:1])
    page = said_on(study_report(alone))
    assert "nothing: the last epoch is read" in page
    assert not re.search(r"\b(None|nan|NaN)\b", page)
    with pytest.raises(ValueError, match="empty"):
        best_on_validation(alone.arms)


# Weights of earlier epochs


@pytest.mark.parametrize("recipe", [TORCH, BY_HAND], ids=lambda recipe: recipe.name)
def test_each_epoch_is_measured_by_its_own_weights(
    recipe: Recipe, stripes: Dataset, tmp_path: Path
) -> None:
    """As if a training of just so many epochs had been evaluated."""
    run = evaluate(train(recipe, stripes, out=tmp_path, threads=1), stripes, threads=1)
    alone = {}
    for n_epochs in (1, 3, 5):
        phase = replace(LAST, epochs=n_epochs, snapshot_epochs=None)
        shorter = train(replace(recipe, phases=(phase,)), stripes, out=tmp_path, threads=1)
        alone[str(n_epochs)] = evaluate(shorter, stripes, threads=1).result["test_accuracy"]
    assert run.result["test_accuracy_by_epoch"] == alone
    assert len(set(alone.values())) > 1


class KillError(Exception):
    """In place of a kill."""


@pytest.mark.parametrize("recipe", [TORCH, BY_HAND], ids=lambda recipe: recipe.name)
@pytest.mark.parametrize("stop_at", [20, 33])  # of 8 steps per epoch
def test_they_outlive_a_training_that_was_stopped(
    recipe: Recipe, stop_at: int, stripes: Dataset, tmp_path: Path
) -> None:
    average = replace(LAST, ema_decay=0.5)  # what is measured are the averages, not the weights
    recipe = replace(recipe, checkpoint_steps=3, phases=(average, LAST))
    whole = train(recipe, stripes, out=tmp_path / "whole", threads=1)
    left = iter(range(stop_at, -1, -1))

    def on_step() -> None:
        if not next(left):
            raise KillError

    with pytest.raises(KillError):
        train(recipe, stripes, out=tmp_path / "stopped", progress=Progress(on_step=on_step))
    resumed = train(recipe, stripes, out=tmp_path / "stopped", threads=1)
    runs = [evaluate(run, stripes, threads=1) for run in (whole, resumed)]
    by_epoch = [run.result["test_accuracy_by_epoch"] for run in runs]
    assert by_epoch[0] == by_epoch[1]
    assert list(by_epoch[0]) == ["1", "3", "5", "6", "8", "10"]
    files = [(run.path / SNAPSHOTS).read_bytes() for run in runs]
    assert files[0] == files[1]


def test_averages_are_what_is_saved(stripes: Dataset, tmp_path: Path) -> None:
    average = replace(LAST, ema_decay=0.9, snapshot_epochs=4)
    run = train(replace(TORCH, phases=(average,)), stripes, out=tmp_path, threads=1)
    saved, kept = np.load(run.path / SNAPSHOTS), run.classifier().arrays()
    for name, array in kept.items():
        np.testing.assert_array_equal(saved[f"5/{name}"], array)


@pytest.mark.parametrize("damage", ["gone", "short", "not finite"])
def test_damaged_weights_are_refused(stripes: Dataset, tmp_path: Path, damage: str) -> None:
    run = train(BY_HAND, stripes, out=tmp_path, threads=1)
    path = run.path / SNAPSHOTS
    arrays = dict(np.load(path))
    path.unlink()
    if damage == "short":
        np.savez(path, **{name: array for name, array in arrays.items() if name[0] != "3"})
    if damage == "not finite":
        np.savez(path, **{name: array * np.float32(np.nan) for name, array in arrays.items()})
    with pytest.raises(RunError, match=re.escape(str(path))):
        evaluate(run, stripes, threads=1)
    result = json.loads((run.path / "result.json").read_text(encoding="utf-8"))
    assert result["test_accuracy"] is None
