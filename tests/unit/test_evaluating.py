"""Evaluation that cannot flatter: images seen in training, other classes, two-class thresholds."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import preloaded
import pytest
from quick_figures import unpainted, without_png
from sklearn import metrics

import mnistlab as ml
from mnistlab import runs
from mnistlab.cli import run_command
from mnistlab.data import Dataset
from mnistlab.errors import DataError, RunError
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.runs import Run, compare, evaluate, open_run, predict, train
from mnistlab.runs.seen import image_hashes, inverted, is_seen

RECIPE = Recipe("small", "E2", "mlp", (Phase("adam", 0.01, 3),), precision="float32")


def test_a_hash_is_of_the_pixels_and_of_their_order() -> None:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (5000, 5, 7), dtype=np.uint8)
    hashes = image_hashes(images)
    assert len(np.unique(hashes)) == 5000
    np.testing.assert_array_equal(image_hashes(images[::-1]), hashes[::-1])
    np.testing.assert_array_equal(image_hashes(images[:, ::-1])[:, None] == hashes, False)
    np.testing.assert_array_equal(inverted(hashes, 35), image_hashes(255 - images))
    one_pixel = np.repeat(images[:1], 35 * 255, axis=0).reshape(35, 255, 35)
    for pixel in range(35):
        one_pixel[pixel, :, pixel] = np.delete(np.arange(256), images[0].flat[pixel])
    assert not is_seen(one_pixel.reshape(-1, 5, 7), hashes[:1]).any()
    assert len(np.unique(image_hashes(one_pixel.reshape(-1, 5, 7)))) == 35 * 255


@pytest.fixture
def run(stripes: Dataset, tmp_path: Path) -> Run:
    return train(RECIPE, stripes, out=tmp_path / "runs")


def test_images_seen_in_training_are_left_out(run: Run, stripes: Dataset) -> None:
    parts = ml.split(stripes)
    mixed = np.concatenate([parts.train.images[::3], parts.test.images, 255 - parts.val.images])
    labels = np.concatenate([parts.train.labels[::3], parts.test.labels, parts.val.labels])
    grown = Dataset("grown", mixed, labels, stripes.class_names)
    (figures,) = evaluate(run, grown).result["other_data"].values()
    assert figures["n_test"] == len(parts.test)
    assert figures["n_left_out"] == len(grown) - len(parts.test)
    own = evaluate(run, stripes).result
    assert figures["test_accuracy"] == own["test_accuracy"]
    before = (run.path / "result.json").read_bytes()
    with pytest.raises(RunError, match="was trained on or validated with all 440 images of known"):
        evaluate(run, replace(parts.train.take(np.arange(440)[::-1]), name="known"))
    assert (run.path / "result.json").read_bytes() == before


def test_figures_count_the_classes_that_occur(run: Run, stripes: Dataset) -> None:
    test = ml.split(stripes).test
    some = test.take(np.flatnonzero((test.labels == 1) | (test.labels == 3))[:33])
    renamed = Dataset("some", some.images, (some.labels == 1).astype(np.int64), ("d", "b"))
    (figures,) = evaluate(run, renamed).result["other_data"].values()
    predicted = run.classifier().predict(some.images)
    assert figures["test_accuracy"] == metrics.accuracy_score(some.labels, predicted)
    recalls = metrics.recall_score(some.labels, predicted, labels=[1, 3], average=None)
    assert figures["balanced_accuracy"] == pytest.approx(recalls.mean())
    assert [value is None for value in figures["per_class_accuracy"]] == [True, False, True, False]
    unknown = Dataset("u", some.images, np.zeros(33, np.int64) + 1, ("a", "e", "f"))
    with pytest.raises(RunError, match="images of class 'e', which the run was not trained on"):
        evaluate(run, unknown)


def test_own_figures_have_balanced_accuracy(run: Run, stripes: Dataset) -> None:
    result, parts = evaluate(run, stripes).result, ml.split(stripes)
    for prefix, part in (("val_", parts.val), ("", parts.test)):
        predicted = run.classifier().predict(part.images)
        balanced = metrics.balanced_accuracy_score(part.labels, predicted)
        assert result[f"{prefix}balanced_accuracy"] == pytest.approx(balanced)
        macro = metrics.f1_score(part.labels, predicted, average="macro")
        assert result[f"{prefix}macro_f1"] == pytest.approx(macro)


def test_two_files_of_one_name_have_figures_each(
    run: Run, stripes: Dataset, tmp_path: Path
) -> None:
    test = ml.split(stripes).test
    for folder, n in (("a", 30), ("b", 50)):
        (tmp_path / folder).mkdir()
        names = np.array(stripes.class_names)[test.labels[:n]]
        np.savez(tmp_path / folder / "new.npz", images=test.images[:n], labels=names)
    evaluate(run, str(tmp_path / "a" / "new.npz"))
    both = evaluate(run, str(tmp_path / "b" / "new.npz")).result["other_data"]  # of the older run
    assert sorted(figures["n_test"] for figures in both.values()) == [30, 50]
    assert {Path(figures["path"]).parent.name for figures in both.values()} == {"a", "b"}
    again = evaluate(run, str(tmp_path / "a" / "new.npz")).result["other_data"]
    assert again.keys() == both.keys()


def test_many_evaluations_at_once_lose_none(run: Run, stripes: Dataset, tmp_path: Path) -> None:
    test = ml.split(stripes).test
    code = "import sys, mnistlab as ml; ml.evaluate(ml.open_run(sys.argv[1]), sys.argv[2])"
    for n in (20, 30, 40):
        names = np.array(stripes.class_names)[test.labels[:n]]
        np.savez(tmp_path / f"{n}.npz", images=test.images[:n], labels=names)
    started = [
        preloaded.Process([sys.executable, "-c", code, str(run.path), f"{n}.npz"], tmp_path)
        for n in (20, 30, 40)
    ]
    for one in started:
        _, errors = one.communicate()
        assert one.returncode == 0, errors
    figures = open_run(run.path).result["other_data"].values()
    assert sorted(entry["n_test"] for entry in figures) == [20, 30, 40]


# Two classes


@pytest.fixture
def two(tmp_path: Path) -> tuple[Run, Dataset]:
    """One of seven is rare and hard to see."""
    random, labels = np.random.default_rng(0), (np.arange(700) % 7 == 0).astype(np.int64)
    images = random.integers(0, 100, (700, 8, 8), dtype=np.uint8)
    images[labels == 1, 3] += 25
    data = Dataset("two", images, labels, ("healthy", "ill"))
    return train(RECIPE, data, out=tmp_path / "runs"), data


def test_the_threshold_is_chosen_on_validation(two: tuple[Run, Dataset]) -> None:
    run, data = two
    result, parts = evaluate(run, data).result, ml.split(data)
    p = run.classifier().predict_proba(parts.val.images)[:, 1]
    truth = parts.val.labels == 1
    best = max(metrics.balanced_accuracy_score(truth, p >= t) for t in [*np.unique(p), 2])
    chosen = metrics.balanced_accuracy_score(truth, p >= result["threshold"])
    assert chosen == pytest.approx(best)
    assert run.result["threshold"] == result["threshold"]
    assert result["threshold_class"] == "ill"
    p = run.classifier().predict_proba(parts.test.images)[:, 1] >= result["threshold"]
    truth = parts.test.labels == 1
    wanted = {
        "accuracy_at_threshold": metrics.accuracy_score(truth, p),
        "balanced_accuracy_at_threshold": metrics.balanced_accuracy_score(truth, p),
        "macro_f1_at_threshold": metrics.f1_score(truth, p, average="macro"),
    }
    assert {name: result[name] for name in wanted} == pytest.approx(wanted)


def test_predict_by_a_threshold(
    two: tuple[Run, Dataset], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, data = two
    np.savez(tmp_path / "new.npz", images=data.images[:90])
    p = run.classifier().predict_proba(data.images[:90])[:, 1]
    out = tmp_path / "o.csv"
    for wanted in ("0.2", "0", "1", "validation"):
        command = ["predict", str(run.path), str(tmp_path / "new.npz"), "-o", str(out)]
        assert run_command([*command, "--threshold", wanted, "--columns", "Nr,Class"]) == 0
        assert "'ill'" in capsys.readouterr().err
        with out.open(newline="") as file:
            heading, *rows = csv.reader(file)
        assert heading == ["Nr", "Class"]
        limit = run.result["threshold"] if wanted == "validation" else float(wanted)
        assert [row[1] == "ill" for row in rows] == (p >= limit).tolist()
    for wrong in ("nan", "-0.1", "1.01", "x", "inf", ""):
        assert run_command([*command, f"--threshold={wrong}"]) == 2
        assert "threshold must be a probability" in capsys.readouterr().err
    for wrong in ("A", "A,B,C", "A,A", ",B", "", "a\nb,c", "a\r,c", "a\udcff,c", "a" * 200_000):
        assert run_command([*command, f"--columns={wrong}"]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("error: ")


@unpainted()
def test_what_was_measured_is_said_in_plain_words(
    two: tuple[Run, Dataset], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, data = two
    for name, n in (("again", 700), ("other", 600)):
        names = np.array(data.class_names)[data.labels[:n]]
        np.savez(tmp_path / f"{name}.npz", images=data.images[:n], labels=names)
    assert run_command(["evaluate", str(run.path), "--data", str(tmp_path / "again.npz")]) == 0
    said, result = capsys.readouterr().out, open_run(run.path).result
    n_test = run.data["n_test"]
    assert f"the data of its training: measured on its test part of {n_test} images\n" in said
    assert f"left out: {700 - n_test} images that the run has seen in training\n" in said
    assert f"\nreport: {run.path / 'report.html'}\n" in said
    assert (
        f"with the threshold {result['threshold']:.4f} for 'ill' (predict --threshold validation): "
        f"accuracy {result['accuracy_at_threshold']:.4f}, "
        f"balanced accuracy {result['balanced_accuracy_at_threshold']:.4f}, "
    ) in said
    assert run_command(["evaluate", str(run.path), "--data", str(tmp_path / "other.npz")]) == 0
    said = capsys.readouterr().out
    assert "with the threshold" in said
    assert f"metrics are in {run.path / 'result.json'} under other_data\n" in said
    assert "report:" not in said
    assert "data of its training" not in said


@unpainted()
def test_of_a_sample_not_all_images_were_seen(
    stripes: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = train(replace(RECIPE, n_train=40, n_val=8), stripes, out=tmp_path / "runs")
    names = np.array(stripes.class_names)[stripes.labels]
    parts = stripes.official_splits
    np.savez(
        tmp_path / "again.npz",
        **{f"x_{name}": stripes.images[part] for name, part in parts.items()},
        **{f"y_{name}": names[part] for name, part in parts.items()},
    )
    assert run_command(["evaluate", str(run.path), "--data", str(tmp_path / "again.npz")]) == 0
    assert "left out: 480 images of its other parts\n" in capsys.readouterr().out


def test_a_threshold_is_for_two_classes(run: Run, stripes: Dataset, tmp_path: Path) -> None:
    np.savez(tmp_path / "new.npz", images=stripes.images[:9])
    with pytest.raises(RunError, match="a threshold is for two classes; the run has 4"):
        predict(run, tmp_path / "new.npz", tmp_path / "o.csv", threshold=0.5)
    with pytest.raises(DataError, match="is the input"):
        predict(run, tmp_path / "new.npz", tmp_path / "new.npz")


# What was really computed


def test_a_run_of_another_precision_is_not_taken(
    stripes: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mnistlab.training import hardware

    recipe, runs = replace(RECIPE, precision="auto"), {}
    for precision in ("float32", "bfloat16"):
        has = precision == "bfloat16"
        monkeypatch.setattr(hardware, "has_bfloat16", lambda device, has=has: has)
        runs[precision] = [
            evaluate(train(replace(recipe, seed=seed), stripes, out=tmp_path), stripes)
            for seed in (0, 1)
        ]
        assert [run.env["precision"] for run in runs[precision]] == [precision] * 2
    one, other = runs["float32"][0], runs["bfloat16"][0]
    assert one.result["recipe_hash"] == other.result["recipe_hash"] == recipe.content_hash
    assert one.result["computation"] != other.result["computation"]
    found = compare([*runs["float32"], *runs["bfloat16"]], out=tmp_path)
    assert {each.name for each in found.contenders} == {"small (float32)", "small (bfloat16)"}
    assert all(each.seeds == (0, 1) for each in found.contenders)
    # A folder under the name of this machine's run that says it was computed elsewhere.
    monkeypatch.setattr(hardware, "has_bfloat16", lambda device: False)
    env = json.loads((one.path / "env.json").read_text())
    (one.path / "env.json").write_text(json.dumps(env | {"precision": "bfloat16"}))
    again = train(recipe, stripes, out=tmp_path)
    assert again.path.name == f"{one.path.name}-2"
    assert again.env["precision"] == "float32"
    assert train(recipe, stripes, out=tmp_path).path == again.path


def test_what_is_said_explicitly_is_the_same_computation(stripes: Dataset, tmp_path: Path) -> None:
    run = train(RECIPE, stripes, out=tmp_path)
    said = train(replace(RECIPE, split=run.data["split"]), stripes, out=tmp_path)
    assert said.path == run.path


# Measured once, stored, shown


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often data were split and classifiers loaded, and how many images were predicted."""
    from mnistlab.classifiers import storage
    from mnistlab.classifiers.network import TrainedNetwork
    from mnistlab.classifiers.torch_classifier import TorchClassifier
    from mnistlab.runs import building

    counts: Counter[str] = Counter()

    def count(where: Any, name: str, key: Callable[..., str]) -> None:
        original = getattr(where, name)

        def wrapper(*arguments: Any, **options: Any) -> Any:
            counts[key(*arguments)] += 1
            return original(*arguments, **options)

        monkeypatch.setattr(where, name, wrapper)

    count(building, "split", lambda *_: "split")
    count(storage, "load_classifier", lambda *_: "load")
    count(TorchClassifier, "fit", lambda self, X, *_: f"fit on {len(X)}")
    count(TrainedNetwork, "untrained", lambda *_: "draw first weights")
    for network in (TrainedNetwork, TorchClassifier):
        count(network, "predict_proba", lambda self, X: f"predict {len(X)}")
    return counts


@unpainted()
def test_evaluating_with_its_page_measures_everything_once(
    stripes: Dataset, tmp_path: Path, counted: Counter[str], capsys: pytest.CaptureFixture[str]
) -> None:
    ml.export(stripes, tmp_path / "csv", format="csv")
    run = train(RECIPE, ml.load(str(tmp_path / "csv")), out=tmp_path / "runs")
    counted.clear()
    assert run_command(["evaluate", str(run.path)]) == 0
    n_val, n_test = run.data["n_val"], run.data["n_test"]
    once = {"split": 1, "load": 1, f"predict {n_val}": 1, f"predict {n_test}": 1}
    # Before training: 64 test images. Nothing is trained.
    assert counted == once | {"draw first weights": 1, "predict 64": 1}
    counted.clear()
    page = ml.report(open_run(run.path)).read_text()
    assert counted == {"split": 1}  # the images are not stored
    assert "Before training" in page


@unpainted()
def test_the_stored_evaluation_is_the_measured_one(run: Run, stripes: Dataset) -> None:
    measured = runs.evaluation(run, stripes)
    stored = runs.read_evaluation(open_run(run.path), stripes)
    for name in ("predicted", "before", "shown"):
        np.testing.assert_array_equal(getattr(stored, name), getattr(measured, name))
    np.testing.assert_allclose(stored.probabilities, measured.probabilities, atol=1e-7)
    np.testing.assert_array_equal(stored.test.images, measured.test.images)
    assert measured.is_own
    assert measured.metrics.items() <= stored.metrics.items()
    assert stored.run.saved_epoch == 1 + int(np.argmax([e["val_accuracy"] for e in run.log]))
    with pytest.raises(RunError, match="stored for the data of its training alone"):
        runs.read_evaluation(stored.run, stripes.take(slice(0, 50)))
    other = runs.evaluation(run, replace(stripes.take(slice(480, 530)), name="fifty"))
    assert not other.is_own
    assert other.before is None


@pytest.mark.parametrize("model", ["mlp", "scratch"])
def test_before_training_is_the_network_that_training_began_with(
    model: str, stripes: Dataset, tmp_path: Path
) -> None:
    recipe = replace(RECIPE, model=model, scaling="standard", seed=3)
    run = train(recipe, stripes, out=tmp_path)
    untrained = train(replace(recipe, phases=()), stripes, out=tmp_path)
    found = runs.evaluation(run, stripes)
    shown = found.test.images[found.shown]
    np.testing.assert_array_equal(found.before, untrained.classifier().predict(shown))
    assert runs.evaluation(untrained, stripes).before is None


def test_an_evaluation_of_a_network_waits_for_no_library_that_it_can_do_without(
    tmp_path: Path,
) -> None:
    """Scikit-learn with scipy and pandas would take longer to load than all that is measured."""
    run = train(replace(RECIPE, phases=(), n_train=60, n_val=60), "fashion-mini", out=tmp_path)
    code = (
        "import sys, mnistlab.cli as cli; assert cli.run_command(['evaluate', sys.argv[1]]) == 0; "
        "print({*sys.modules} & {'sklearn', 'scipy', 'pandas', 'statsmodels', 'numba', 'polars'})"
    )
    command = [sys.executable, "-c", code, str(run.path)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed.splitlines()[-1] == "set()"
    plain, estimator = (open_run(run.path).classifier(to_predict=this) for this in (True, False))
    images = ml.load("fashion-mini").images[:50]
    np.testing.assert_array_equal(plain.predict_proba(images), estimator.predict_proba(images))
    with pytest.raises(ValueError, match=r"trained on images of \(28, 28\), got \(14, 28\)"):
        plain.predict(images[:, ::2])


def test_runs_evaluated_before_it_was_stored_have_the_same_page(
    run: Run, stripes: Dataset, counted: Counter[str]
) -> None:
    evaluated = evaluate(run, stripes)
    with without_png():
        page = ml.report(evaluated, stripes).read_text()
        path = run.path / "predictions.npz"
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files if name != "before"}
        np.savez_compressed(path, **arrays)
        counted.clear()
        assert ml.report(open_run(run.path), stripes).read_text() == page
    assert counted == {"split": 1, "load": 1, "draw first weights": 1, "predict 64": 1}
