"""Unbalanced classes in recipes, runs and evaluation; what classifiers do is a contract test."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import mnistlab as ml
from mnistlab import evaluation, runs
from mnistlab.cli import run_command
from mnistlab.data import Dataset
from mnistlab.field_paths import set_fields
from mnistlab.recipes import get_recipe
from mnistlab.runs import classifier_of


@pytest.fixture
def unbalanced(stripes: Dataset) -> Dataset:
    """All of classes 1 to 3, and of class 0 one in ten."""
    kept = (stripes.labels > 0) | (np.arange(len(stripes)) % 40 == 0)
    return stripes.take(np.flatnonzero(kept))


@pytest.mark.parametrize("name", ["mlp", "scratch-mlp", "svm", "simple-cnn"])
def test_a_recipe_weighs_classes(name: str) -> None:
    recipe = set_fields(get_recipe(name), {"class_weight": "balanced"})
    assert classifier_of(recipe, "cpu").class_weight == "balanced"
    assert recipe.content_hash != get_recipe(name).content_hash
    back = set_fields(recipe, {"class_weight": "null"})
    assert back.content_hash == get_recipe(name).content_hash
    assert classifier_of(back, "cpu").class_weight is None


@pytest.mark.parametrize("name", ["mlp-tuned", "scratch-mlp"])
def test_a_run_logs_what_counts_all_classes_alike(
    name: str, unbalanced: Dataset, tmp_path: Path
) -> None:
    settings = {"epochs": "3", "class_weight": "balanced", "monitor": "balanced_accuracy"}
    run = ml.train(set_fields(get_recipe(name), settings), unbalanced, out=tmp_path, threads=1)
    lines = [json.loads(line) for line in (run.path / "log.jsonl").read_text().splitlines()]
    assert len(lines) == 3
    for line in lines:
        assert 0 < line["val_balanced_accuracy"] <= 1
        assert 0 < line["val_macro_f1"] <= 1
    val = ml.split(unbalanced).val
    classifier = run.classifier("cpu")
    figures = evaluation.measure(
        val.labels, np.searchsorted(classifier.classes_, classifier.predict(val.images)), 4
    )
    assert figures.balanced_accuracy == pytest.approx(
        max(line["val_balanced_accuracy"] for line in lines)
    )


def test_weights_of_a_recipe_change_its_numbers(unbalanced: Dataset, tmp_path: Path) -> None:
    losses = []
    for weight in ("null", "balanced"):
        settings = {"epochs": "1", "class_weight": weight}
        recipe = set_fields(get_recipe("mlp"), settings)
        losses.append(ml.train(recipe, unbalanced, out=tmp_path, threads=1).log[0]["train_loss"])
    assert losses[0] != losses[1]


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 1], [2, 2, 0], [3, 3, 3]], ids=str)
@pytest.mark.parametrize("predicted", [[0, 0, 0], [1, 2, 1], [3, 3, 3]], ids=str)
def test_classes_that_are_missing_are_no_warning(labels: list, predicted: list) -> None:
    """Warnings are errors here: of the true, of the predicted, of nearly all classes none."""
    y, named = np.array(labels), np.array(predicted)
    p = np.full((3, 5), 0.05)
    p[np.arange(3), named] = 0.8
    figures = evaluation.measure(y, named, 5)
    report = evaluation.class_report(figures.confusion)
    assert 0 <= figures.balanced_accuracy <= 1
    assert 0 <= figures.macro_f1 <= 1
    assert report.macro.recall == pytest.approx(figures.balanced_accuracy)
    evaluation.mean_area(evaluation.one_against_rest(y, p))
    evaluation.log_loss(y, p)
    evaluation.log_loss(y, np.eye(5)[named])
    evaluation.top_k_accuracy(y, p)
    evaluation.reliability(y, p)
    evaluation.tempered(p, evaluation.fit_temperature(y, p))
    evaluation.most_confused_pairs(figures.confusion, 4)
    evaluation.most_confident_mistakes(y, p, 4)
    evaluation.best_threshold(y == 0, p[:, 0])
    evaluation.on_same_images(y == named, named == 0)


@pytest.fixture
def unbalanced_folder(unbalanced: Dataset, tmp_path: Path) -> str:
    ml.export(unbalanced, tmp_path / "data" / "unbalanced")
    return str(tmp_path / "data" / "unbalanced")


@pytest.mark.parametrize("name", ["mlp", "softmax"])
def test_a_monitor_that_decides_nothing_is_refused(
    name: str, unbalanced_folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", name, "--data", unbalanced_folder, "--out", str(tmp_path / "runs")]
    assert run_command([*command, "--set", "monitor=macro_f1"]) == 2
    said = capsys.readouterr().err
    assert f"monitor=macro_f1 has no effect: {name} keeps the weights of its last epoch" in said
    assert "add --set keep=best" in said
    assert not (tmp_path / "runs").exists()
    assert run_command([*command, "--set", "phases.0.monitor=macro_f1"]) == 2


def test_the_hint_for_unbalanced_classes_chooses_the_epoch_if_it_is_followed(
    unbalanced_folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", "mlp", "--data", unbalanced_folder, "--out", str(tmp_path / "runs")]
    command += ["--set", "epochs=4", "--set", "learning_rate=0.03", "--json"]
    assert run_command(command) == 0
    (hint,) = (line for line in capsys.readouterr().err.splitlines() if "are unbalanced" in line)
    words = hint.split(": ", 1)[1].split(" makes ")[0].split()
    assert words.count("keep=best") == 1
    assert run_command([*command, *words]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    log = ml.open_run(result["path"]).log
    assert result["val_balanced_accuracy"] == max(epoch["val_balanced_accuracy"] for epoch in log)


def test_python_is_told_of_a_monitor_that_decides_nothing(
    unbalanced: Dataset, tmp_path: Path
) -> None:
    said = list[str]()

    def notes_of(settings: dict[str, str], data: Dataset) -> str:
        recipe = set_fields(get_recipe("softmax"), {"epochs": "1"} | settings)
        ml.train(recipe, data, out=tmp_path, progress=runs.Progress(on_note=said.append))
        text = "\n".join(said)
        said.clear()
        return text

    monitored = {"monitor": "balanced_accuracy"}
    assert "has no effect: softmax keeps the weights of its last" in notes_of(monitored, unbalanced)
    assert notes_of(monitored | {"keep": "best"}, unbalanced) == ""
    assert notes_of(monitored | {"patience": "3"}, unbalanced) == ""
    assert notes_of({}, unbalanced) == ""
    tested = Dataset("n", unbalanced.images, unbalanced.labels, unbalanced.class_names, 200)
    published = replace(tested, is_published=True)
    found = notes_of(monitored | {"keep": "best", "split": "train-test"}, published)
    assert "no validation images here, so the epoch of the lowest training loss is kept" in found
