"""Record recipes: the command that trains them, their benchmark, their ladder, their tables."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from typing import Any

import pytest

import mnistlab as ml
from benchmarks import ledger, records, records_ladder, records_tables
from mnistlab.cli import run_command
from mnistlab.data import Dataset
from mnistlab.recipes.records import RECORDS
from mnistlab.runs.timed import train_timed

NAME = "records-mnist-99"


@pytest.fixture(scope="module")
def few() -> Dataset:
    whole = ml.load("fashion-mini")
    n_train = whole.official_splits["train"].stop
    return Dataset(
        "few",
        whole.images[n_train - 512 : n_train + 128],
        whole.labels[n_train - 512 : n_train + 128],
        whole.class_names,
        512,
        is_published=True,
    )


@pytest.fixture(scope="module")
def printed(few: Dataset) -> tuple[str, dict[str, Any]]:
    """What the command prints of two seeds on few images, and its JSON."""
    with pytest.MonkeyPatch.context() as patch:
        asked: list[str] = []
        patch.setattr("mnistlab.runs.timed.load", lambda name: asked.append(name) or few)
        text: list[str] = []
        patch.setattr("builtins.print", lambda *words, **_: text.append(" ".join(map(str, words))))
        assert run_command(["records", NAME, "--seeds", "2", "--threads", "1", "--json"]) == 0
    assert asked == [RECORDS[NAME].data]
    return "\n".join(text[:-1]), json.loads(text[-1])


def test_every_record_is_a_recipe_without_validation() -> None:
    names = {name for name in ml.RECIPES if name.startswith("records-")}
    assert names == RECORDS.keys()
    for name, record in RECORDS.items():
        recipe = ml.get_recipe(name)
        assert recipe.split == "train-test"
        assert recipe.data == record.data
        assert {phase.keep for phase in recipe.phases} <= {"last"}


def test_without_a_name_the_targets_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["records", "--json"]) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    for name, record in RECORDS.items():
        (line,) = (line for line in lines if line.split()[0] == name)
        assert f"{record.accuracy:.3f}" in line
    assert json.loads(last)["targets"].keys() == RECORDS.keys()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["records-mnist-98"], "unknown record 'records-mnist-98'; did you mean 'records-mnist-99"),
        (["mlp"], "unknown record 'mlp'; there are: records-mnist-99, "),
        ([NAME, "--seeds", "0"], "--seeds"),
        ([NAME, "--first-seed", "-1"], "--first-seed"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["records", *arguments]) == 2
    shown = capsys.readouterr()
    assert not shown.out
    assert len(shown.err.splitlines()) == 1
    assert said in shown.err


def test_a_record_is_trained_with_the_clock_running(
    printed: tuple[str, dict[str, Any]], few: Dataset
) -> None:
    text, found = printed
    (record,) = found["records"]
    trainings = record["trainings"]
    assert [each["seed"] for each in trainings] == [0, 1]
    assert all(0 < each["train_s"] < 600 and each["predict_s"] > 0 for each in trainings)
    accuracies = [each["test_accuracy"] for each in trainings]
    assert record["test_accuracy"] == pytest.approx(sum(accuracies) / 2)
    assert record["spread"] == [min(accuracies), max(accuracies)]
    assert not record["is_accurate"]
    assert "0.990 not met" in text
    assert found["import_s"] > 0
    assert found["env"]["threads"] == 1


def test_the_accuracy_is_that_of_the_run(
    printed: tuple[str, dict[str, Any]], few: Dataset, tmp_path
) -> None:
    """`train` and `evaluate` do the same, into a folder."""
    recipe = replace(ml.get_recipe(NAME), seed=1)
    run = ml.evaluate(ml.train(recipe, few, out=tmp_path, threads=1), few)
    (record,) = printed[1]["records"]
    assert run.result["test_accuracy"] == record["trainings"][1]["test_accuracy"]


def test_test_images_are_seen_as_the_recipe_says(few: Dataset) -> None:
    """Mirrored views are averaged: the accuracy is another than without."""
    recipe = replace(ml.get_recipe("records-fashion-916"), augmentation={})
    recipe = replace(recipe, phases=(replace(recipe.phases[0], epochs=1),))
    classifier = records_ladder.classifier_of(recipe, "cpu")
    parts = ml.split(few, "train-test")
    classifier.set_params(random_state=recipe.seed)
    classifier.fit(parts.train.images, parts.train.labels, parts.val.images, parts.val.labels)
    expected = (classifier.predict(parts.test.images) == parts.test.labels).mean()
    assert train_timed(recipe, few).test_accuracy == expected


def test_a_finished_seed_is_not_trained_again(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr(records, "FOLDER", tmp_path)
    commands: list[list[str]] = []

    def ran(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        seed = int(command[command.index("--first-seed") + 1])
        return subprocess.CompletedProcess(command, 0, f"table\n{json.dumps(said(seed))}\n")

    monkeypatch.setattr(subprocess, "run", ran)
    first = records.bench([NAME, "--seeds", "2"])
    again = records.bench([NAME, "--seeds", "3"])
    assert [command[-1] for command in commands] == ["0", "1", "2"]
    assert first[NAME]["test_accuracy"] == [0.99, 0.991]
    assert again[NAME]["test_accuracy"] == [0.99, 0.991, 0.992]
    assert again[NAME]["command"] == f"mnistlab records {NAME} --seeds 3"


def said(seed: int) -> dict[str, Any]:
    """As the command's JSON, of one seed."""
    training = {"seed": seed, "train_s": 3.0 + seed, "predict_s": 0.5}
    training["test_accuracy"] = 0.99 + seed / 1000
    record = {"record": NAME, "recipe_hash": ml.get_recipe(NAME).content_hash, "load_s": 0.2}
    record |= {"warm_up_s": 0.3, "trainings": [training]}
    env = {"cpu": "a CPU", "threads": 2, "precision": "bfloat16", "torch": "2"}
    return {"records": [record], "import_s": 2.0, "env": env}


@pytest.mark.parametrize("name", RECORDS)
def test_every_idea_changes_the_record(name: str) -> None:
    arms = records_ladder.arms_of(name)
    assert len({arm.content_hash for arm in arms.values()}) == len(arms)
    assert all(arm.split == "official" for arm in arms.values())
    augmented = arms[records_ladder.AS_IT_IS].augmentation
    for idea in records_ladder.IDEAS[name]:
        if idea.name == "shifts by 1":
            assert idea.is_in == ("shift" in augmented)


def test_the_ladder_measures_validation_images(
    monkeypatch: pytest.MonkeyPatch, tmp_path, few: Dataset
) -> None:
    monkeypatch.setattr(records_ladder, "FOLDER", tmp_path)
    monkeypatch.setattr(ml, "load", lambda name: few)
    recipe = replace(ml.get_recipe(NAME), split="official")
    measured = records_ladder.measure(recipe)
    n_val = len(ml.split(few, "official").val)
    assert (measured["val_accuracy"] * n_val) % 1 == pytest.approx(0)
    monkeypatch.setattr(ml, "load", lambda name: pytest.fail("it was trained again"))
    assert records_ladder.measure(recipe) == measured


def test_a_gain_has_the_sign_of_the_idea(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the record: the record less the arm without it; else: the arm with it less the record."""
    values = {"the record": [0.99, 0.992], "in": [0.98, 0.981], "out": [0.97, 0.973]}
    line = said(0) | {"name": "records_ladder", "record": NAME, "commit": "c", "date": "d"}
    line |= {
        "figures": {"seeds": [0, 1], "val_accuracy": values, "is_in": {"in": True, "out": False}}
    }
    line["recipe_hash"] = ml.get_recipe(NAME).content_hash
    monkeypatch.setattr(
        ledger, "latest", lambda kind, name, record: line if record == NAME else None
    )
    rows = [row for row in records_tables.ladder_table().splitlines() if NAME in row]
    assert "| in | yes | 0.9910 | 0.9805 | +1.05 (" in rows[0]
    assert "| out | no | 0.9715 | 0.9910 | \u22121.95 (" in rows[1]
    assert rows[1].endswith(" | 2 |")


def test_the_table_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr(records, "FOLDER", tmp_path)
    monkeypatch.setattr(
        subprocess,
        "run",
        lambda command, **_: subprocess.CompletedProcess(
            command, 0, json.dumps(said(int(command[-1])))
        ),
    )
    line = records.line_of(NAME, range(3)) | {"commit": "c", "date": "d"}
    monkeypatch.setattr(
        ledger, "latest", lambda kind, name, record: line if record == NAME else None
    )
    table = records_tables.records_table()
    (row,) = (row for row in table.splitlines() if f"| `{NAME}` |" in row)
    assert "| 99.0 % | 4 | 0.9910 | " in row
    assert "| 0.9900 to 0.9920 | 3 | 4.0 (3.0 to 5.0) | 2.0 | 0.5 |" in row
    assert table.count(records_tables.NOT_YET) == len(RECORDS) - 1
