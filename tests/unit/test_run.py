from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import preloaded
import pytest
from sklearn import metrics

from mnistlab.classifiers.torch_classifier import TorchClassifier
from mnistlab.data import Dataset, load
from mnistlab.errors import DataError, RecipeError, RunError, TrainingError
from mnistlab.evaluation import fit_temperature, reliability, tempered
from mnistlab.phases import Epoch, Phase
from mnistlab.recipe import Recipe
from mnistlab.recipes import get_recipe
from mnistlab.reporting.run_report import report
from mnistlab.runs import Progress, Run, evaluate, open_run, train
from mnistlab.training import fixed_views

RECIPE = Recipe(
    name="tiny",
    system="E2",
    model="mlp",
    model_args={"hidden_sizes": (16,)},
    phases=(Phase("adam", 0.01, 6),),
    precision="float32",
)


@pytest.fixture
def run(stripes: Dataset, tmp_path: Path) -> Run:
    return train(RECIPE, stripes, out=tmp_path)


def test_a_run_folder_holds_what_the_design_says(run: Run, stripes: Dataset) -> None:
    assert {path.name for path in run.path.iterdir()} == {
        "recipe.json",
        "env.json",
        "data.json",
        "log.jsonl",
        "model.safetensors",
        "seen.npz",
        "result.json",
    }
    assert run.recipe == RECIPE
    assert run.data["fingerprint"] == stripes.fingerprint
    assert (run.data["split"], run.data["n_train"]) == ("official", 440)
    assert run.env["precision"] == "float32"
    assert [line["epoch"] for line in run.log] == [1, 2, 3, 4, 5, 6]
    assert run.result["val_accuracy"] == max(line["val_accuracy"] for line in run.log)
    assert run.result["n_parameters"] == 144 * 16 + 16 + 16 * 4 + 4
    assert run.result["test_accuracy"] is None
    assert run.result["peak_memory_mb"] > 50


def test_a_finished_run_is_used_again_unless_forced(
    run: Run, stripes: Dataset, tmp_path: Path
) -> None:
    started: list[str] = []
    progress = Progress(on_start=lambda recipe, dataset, n_steps: started.append(recipe.name))
    stamp = (run.path / "log.jsonl").stat().st_mtime_ns
    again = train(replace(RECIPE, name="tiny"), stripes, out=tmp_path, progress=progress)
    assert (again.path, started) == (run.path, [])
    forced = train(RECIPE, stripes, out=tmp_path, force=True, progress=progress)
    assert (forced.path, started) == (run.path, ["tiny"])
    assert (run.path / "log.jsonl").stat().st_mtime_ns != stamp
    assert [path.name for path in tmp_path.iterdir()] == [run.path.name]


def test_other_data_or_recipe_is_another_run(run: Run, stripes: Dataset, tmp_path: Path) -> None:
    half = stripes.take(slice(0, 300))
    others = [
        train(replace(RECIPE, seed=1), stripes, out=tmp_path),
        train(replace(RECIPE, batch_size=32), stripes, out=tmp_path),
        train(RECIPE, half, out=tmp_path),
    ]
    assert len({run.path, *(other.path for other in others)}) == 4


def test_same_recipe_gives_the_same_bits(run: Run, stripes: Dataset, tmp_path: Path) -> None:
    again = train(RECIPE, stripes, out=tmp_path / "elsewhere")
    for name in ("model.safetensors", "recipe.json", "data.json"):
        assert (again.path / name).read_bytes() == (run.path / name).read_bytes()
    timeless = [[line | {"time_s": 0} for line in r.log] for r in (run, again)]
    assert timeless[0] == timeless[1]


def test_parts_are_cut_to_so_many_images(stripes: Dataset, tmp_path: Path) -> None:
    run = train(replace(RECIPE, n_train=100, n_val=30), stripes, out=tmp_path)
    assert (run.data["n_train"], run.data["n_val"], run.data["n_test"]) == (100, 30, 120)
    with pytest.raises(RecipeError, match="n_val must be at least 1, got 0"):
        replace(RECIPE, n_val=0)


def test_training_never_sees_the_test_part(stripes: Dataset, tmp_path: Path, monkeypatch) -> None:
    seen = []
    fit = TorchClassifier.fit

    def watched(self, X, y, X_val, y_val, **hooks):
        seen.extend([X, X_val])
        return fit(self, X, y, X_val, y_val, **hooks)

    monkeypatch.setattr(TorchClassifier, "fit", watched)
    run = train(RECIPE, stripes, out=tmp_path)
    spoiled = stripes.images.copy()
    spoiled[480:] = 255
    other = replace(stripes, images=spoiled)
    again = train(RECIPE, other, out=tmp_path)
    assert sum(len(X) for X in seen) == 2 * 480
    weights = [(r.path / "model.safetensors").read_bytes() for r in (run, again)]
    assert weights[0] == weights[1]


def test_the_page_says_the_accuracy_on_expanded_images_where_there_are_any(
    run: Run, stripes: Dataset, tmp_path: Path
) -> None:
    assert "expanded_val_accuracy" not in run.result
    phases = (replace(RECIPE.phases[0], epochs=1, keep="last"), *RECIPE.phases)
    recipe = replace(RECIPE, expansion="flip-and-zoom", order="file", phases=phases)
    expanded = evaluate(train(recipe, stripes, out=tmp_path), stripes)
    accuracy = expanded.result["expanded_val_accuracy"]
    assert accuracy == max(line["val_accuracy"] for line in expanded.log if line["phase"])
    text = report(expanded, stripes).read_text(encoding="utf-8")
    own = expanded.result["val_accuracy"]
    assert f"{own:.4f}; {accuracy:.4f} on the expanded images" in text
    assert "Batches of 64 in the order of the file, scaling standard." in text
    assert "Ending with their last weights, not the best: 0." in text


def test_a_run_whose_expansion_is_no_longer_made_opens_and_is_evaluated(
    stripes: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = replace(RECIPE, expansion="fourfold")
    with monkeypatch.context() as then:
        views = fixed_views.EXPANSIONS["flip-and-zoom"]
        then.setitem(fixed_views.EXPANSIONS, "fourfold", views)
        then.delitem(fixed_views.GONE, "fourfold")
        old = train(recipe, stripes, out=tmp_path)
    run = evaluate(open_run(old.path), stripes)
    score = old.classifier().score(stripes.images[480:], stripes.labels[480:])
    assert (run.recipe, run.result["test_accuracy"]) == (recipe, score)
    assert report(run, stripes).is_file()
    with pytest.raises(RecipeError, match="--set expansion=flip-and-zoom trains as published"):
        train(replace(recipe, seed=1), stripes, out=tmp_path)


@pytest.mark.parametrize("expansion", [None, "flip-and-zoom"])
def test_as_many_steps_are_announced_as_are_made(
    expansion: str | None, stripes: Dataset, tmp_path: Path
) -> None:
    announced, made = [], []
    progress = Progress(
        on_start=lambda recipe, dataset, n_steps: announced.append(n_steps),
        on_step=lambda: made.append(1),
    )
    train(replace(RECIPE, expansion=expansion), stripes, out=tmp_path, progress=progress)
    assert [len(made)] == announced


def test_evaluate_measures_the_test_part(run: Run, stripes: Dataset) -> None:
    evaluated = evaluate(run, stripes)
    classifier = evaluated.classifier()
    truth = stripes.labels[480:]
    accuracy = classifier.score(stripes.images[480:], truth)
    assert evaluated.result["test_accuracy"] == accuracy > 0.9
    assert evaluated.result["n_test"] == 120
    low, high = evaluated.result["test_accuracy_ci"]
    assert low < accuracy <= high
    assert len(evaluated.result["per_class_accuracy"]) == 4
    kept = evaluated.probabilities()
    np.testing.assert_allclose(kept, classifier.predict_proba(stripes.images[480:]), atol=1e-6)
    assert evaluated.result["val_accuracy"] == run.result["val_accuracy"]


def test_evaluate_judges_probabilities_with_a_temperature_of_validation(
    run: Run, stripes: Dataset
) -> None:
    result, truth = evaluate(run, stripes).result, stripes.labels[480:]
    classifier = run.classifier()
    p = classifier.predict_proba(stripes.images[480:])
    assert result["log_loss"] == pytest.approx(metrics.log_loss(truth, p))
    assert result["top2_accuracy"] == pytest.approx(metrics.top_k_accuracy_score(truth, p, k=2))
    assert result["macro_auc"] == pytest.approx(
        metrics.roc_auc_score(truth, p, multi_class="ovr", average="macro")
    )
    assert result["macro_f1"] == pytest.approx(
        metrics.f1_score(truth, p.argmax(1), average="macro")
    )
    f1 = metrics.f1_score(truth, p.argmax(1), average=None)
    assert result["per_class_f1"] == pytest.approx(f1.tolist())
    validation = classifier.predict_proba(stripes.images[440:480])
    assert result["temperature"] == fit_temperature(stripes.labels[440:480], validation)
    warm = tempered(p, result["temperature"])
    assert result["log_loss_tempered"] == pytest.approx(metrics.log_loss(truth, warm))
    assert result["ece_tempered"] == pytest.approx(reliability(truth, warm).ece)
    assert result["predict_time_per_image_s"] == result["predict_time_s"] / 120


def test_evaluate_on_other_data_keeps_the_runs_own_figures(run: Run, stripes: Dataset) -> None:
    own = evaluate(run, stripes)
    foreign = replace(stripes.take(slice(480, 530)), name="fifty")
    result = evaluate(own, foreign).result
    ((key, figures),) = result["other_data"].items()
    assert key == f"fifty-{foreign.fingerprint[:8]}"
    assert figures["n_test"] == 50
    assert result["test_accuracy"] == own.result["test_accuracy"]
    assert result["temperature"] == own.result["temperature"]
    assert "temperature" not in figures
    assert figures["log_loss_tempered"] > 0


def test_evaluate_refuses_data_that_does_not_fit(run: Run, stripes: Dataset) -> None:
    with pytest.raises(RunError, match="trained on arrays"):
        evaluate(run)
    with pytest.raises(RunError, match="images of class 'w', 'x', 'y', 'z', which the run was not"):
        evaluate(run, replace(stripes, class_names=("w", "x", "y", "z")))
    wider = Dataset("wide", np.zeros((9, 12, 13), np.uint8), np.zeros(9, np.int64), tuple("abcd"))
    with pytest.raises(RunError, match="wide: "):
        evaluate(run, wider)


def test_a_failed_run_keeps_its_log_and_is_clearly_broken(stripes: Dataset, tmp_path: Path) -> None:
    wild = replace(RECIPE, phases=(Phase("sgd", 0.05, 2), Phase("sgd", 1e30, 5)))
    with pytest.raises(TrainingError, match="no longer finite"):
        train(wild, stripes, out=tmp_path)
    (folder,) = tmp_path.iterdir()
    assert folder.name.endswith(".partial")
    log = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in log] == list(range(1, len(log) + 1))
    assert log[-1]["train_loss"] is None
    assert all(line["train_loss"] is not None for line in log[:2])
    assert "no longer finite" in json.loads((folder / "failure.json").read_text())["error"]
    with pytest.raises(RunError, match="not a complete run"):
        open_run(folder)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"model": "zzz"}, "unknown model 'zzz'"),
        ({"model_args": {"widths": 3}}, "has no argument 'widths'"),
        ({"scaling": "zzz"}, "unknown scaling"),
        ({"precision": "half"}, "unknown precision"),
    ],
)
def test_recipes_that_cannot_be_trained_leave_nothing(
    stripes: Dataset, tmp_path: Path, change: dict, error: str
) -> None:
    with pytest.raises(RecipeError, match=error):
        train(replace(RECIPE, **change), stripes, out=tmp_path)
    assert not list(tmp_path.iterdir())


def test_split_without_a_test_part(stripes: Dataset, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no official test set"):
        train(replace(RECIPE, split="official"), stripes.take(slice(0, 99)), out=tmp_path)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["recipe.json", "env.json", "data.json", "result.json"])
@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe", b"[" * 9000])
def test_damaged_records_are_one_line(run: Run, name: str, content: bytes) -> None:
    (run.path / name).write_bytes(content)
    with pytest.raises((RunError, RecipeError)) as caught:
        open_run(run.path)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_damaged_weights_are_one_line(run: Run) -> None:
    path = run.path / "model.safetensors"
    good = path.read_bytes()
    damaged = [
        b"",
        good[:20],
        good[:-5],
        b"\xff" * 100,
        good.replace(b"mnistlab.classifier", b"someone.classifier"),
        good.replace(b"hidden_sizes", b"hidden_sizez"),
        good.replace(b"image_shape", b"image_shapf"),
        good.replace(b"[12, 12]", b"[13, 12]"),
    ]
    for content in damaged:
        assert content != good
        path.write_bytes(content)
        with pytest.raises(RunError) as caught:
            run.classifier()
        assert "model.safetensors" in str(caught.value)
        assert "\n" not in str(caught.value)


def test_folder_names_stay_inside(stripes: Dataset, tmp_path: Path) -> None:
    hostile = replace(stripes, name="../../x y/\n")
    run = train(replace(RECIPE, name="/etc/passwd"), hostile, out=tmp_path / "runs")
    assert run.path.parent == tmp_path / "runs"
    assert run.path.is_dir()


def test_what_is_no_run_is_said_to_be_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path("runs/softmax-digits-seed0-12-34")
    folder.mkdir(parents=True)
    (folder / "recipe.json").write_text("{}")
    comparison = Path("runs/comparison-1")
    comparison.mkdir()
    (comparison / "result.json").write_text("{}")
    with pytest.raises(RunError, match=r"^softmax: no such run folder; did you mean runs/softmax-"):
        open_run("softmax")
    with pytest.raises(RunError, match=r"^softm\[x: no such run folder$"):
        open_run("softm[x")
    with pytest.raises(
        RunError, match=r"^runs: is no run, but a folder of runs: name one of them$"
    ):
        open_run("runs")
    with pytest.raises(RunError, match=r"comparison-1: not a run \(it has no recipe\.json\)$"):
        open_run(comparison)


def test_missing_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such run folder"):
        open_run(tmp_path / "none")
    with pytest.raises(RunError, match="no predictions"):
        Run(tmp_path, RECIPE, {}, {}, {}).probabilities()


@pytest.mark.skipif(os.name == "nt", reason="claims are POSIX")
def test_of_two_processes_on_one_run_the_second_refuses(stripes: Dataset, tmp_path: Path) -> None:
    second = (
        "import sys, mnistlab as ml\n"
        "data = ml.load('stripes.npz')\n"
        "recipe = ml.read_recipe(__import__('pathlib').Path('recipe.json'))\n"
        "try:\n"
        "    ml.train(recipe, data, out='runs')\n"
        "except ml.RunError as error:\n"
        "    print(error)\n"
    )
    np.savez(tmp_path / "stripes.npz", images=stripes.images, labels=stripes.labels)
    (tmp_path / "recipe.json").write_text(json.dumps(RECIPE.to_json()))
    answers: list[str] = []

    def meanwhile(epoch: Epoch) -> None:
        if not answers:
            command = [sys.executable, "-c", second]
            done = preloaded.run(command, tmp_path, check=True)
            answers.append(done.stdout.strip())

    data = load(str(tmp_path / "stripes.npz"))
    run = train(RECIPE, data, out=tmp_path / "runs", progress=Progress(on_epoch=meanwhile))
    (answer,) = answers
    assert answer.endswith(f"{run.path.name}: another process is training this run")
    assert len(run.log) == run.result["epochs"]
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [run.path.name]
    assert train(RECIPE, data, out=tmp_path / "runs").path == run.path


def test_parts_of_a_user_come_before_the_protocol_of_a_recipe(
    stripes: Dataset, tmp_path: Path
) -> None:
    own = replace(stripes, is_published=False, n_official_train=400, n_official_val=80)
    recipe = replace(get_recipe("scratch-mlp"), phases=(Phase("sgd", 0.01, 1),))
    assert recipe.split == "stratified-70-15-15"
    run = train(recipe, own, out=tmp_path)
    sizes = [run.data[f"n_{part}"] for part in ("train", "val", "test")]
    assert (run.data["split"], sizes) == ("given", [400, 80, 120])
    published = train(recipe, stripes, out=tmp_path)
    assert published.data["split"] == recipe.split
    assert published.path != run.path
