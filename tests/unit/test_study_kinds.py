"""The grid, the embedding and the growth of costs: what they do with tiny data."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnistlab.classifiers import SVMClassifier
from mnistlab.data import Dataset
from mnistlab.data.embedding import neighbour_agreement
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.runs import CrossValidation, Progress, Run, cross_validate
from mnistlab.studies import get_study
from mnistlab.study import (
    Arm,
    ArmResult,
    EmbeddingResult,
    EmbeddingStudy,
    GridResult,
    GridStudy,
    growing_families,
    run_study,
)
from mnistlab.study import grid as grid_module

MACHINE = Recipe("machine", "A6", "svm", (), scaling="min-max", model_args={"C": 7.0})
GRID = GridStudy(
    name="grid",
    system="A6",
    question="Which?",
    recipe=MACHINE,
    rows=("C", (0.001, 1.0, 2.0)),
    columns=("gamma", ("scale", 0.05)),
    n_folds=2,
    n_search=120,
    decide=lambda result: f"{result.best.recipe.name} it is.",
)
EMBEDDING = EmbeddingStudy(
    name="points",
    system="A2",
    question="Where?",
    decide=lambda result: f"{len(result.variance)} components.",
    protocol="official",
    n_components=5,
    n_map=90,
    perplexity=12.0,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def dim(stripes: Dataset) -> Dataset:
    """The stripes in so little light that points of a grid differ."""
    noise = np.random.default_rng(1).integers(0, 120, stripes.images.shape, dtype=np.uint8)
    images = noise + (stripes.images > 120).astype(np.uint8) * 25
    return replace(stripes, name="dim", images=images)


# The grid


@pytest.fixture(scope="module")
def searched(dim: Dataset, folder: Path) -> GridResult:
    result = run_study(GRID, dim, out=folder)
    assert isinstance(result, GridResult)
    return result


def test_every_point_is_tried_on_the_images_of_the_search(
    searched: GridResult, dim: Dataset, tmp_path: Path
) -> None:
    assert [[point.recipe.model_args for point in row] for row in searched.points] == [
        [{"C": c, "gamma": gamma} for gamma in ("scale", 0.05)] for c in (0.001, 1.0, 2.0)
    ]
    for row in searched.points:
        for point in row:
            assert point.n_images == 120
            recipe = replace(MACHINE, model_args=point.recipe.model_args, n_train=120)
            alone = cross_validate(recipe, dim, n_folds=2, shuffled=False, out=tmp_path)
            assert point.accuracy == alone.accuracy


def test_the_winner_is_trained_on_all_training_images(searched: GridResult) -> None:
    means = [point.mean for row in searched.points for point in row]
    assert searched.best.mean == max(means) > min(means)
    recipe = replace(MACHINE, model_args=searched.best.recipe.model_args)
    assert searched.run.recipe == recipe
    assert (searched.run.data["n_train"], searched.run.result["n_test"]) == (440, 120)
    assert searched.answer == f"{searched.best.recipe.name} it is."


@pytest.mark.parametrize(
    ("scores", "best"),
    [
        ([[0.5, 0.9], [0.9, 0.9], [0.1, 0.2]], (0, 1)),
        ([[0.7, 0.1], [0.7, 0.7], [0.7, 0.7]], (0, 0)),
        ([[0.1, 0.1], [0.1, 0.1], [0.1, 0.2]], (2, 1)),
        ([[0.1, 0.1], [0.3, 0.2], [0.3, 0.2]], (1, 0)),
    ],
)
def test_the_best_mean_wins_and_of_equal_ones_the_first(
    scores: list[list[float]],
    best: tuple[int, int],
    stripes: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    places = {
        (c, gamma): s
        for c, row in zip(GRID.rows[1], scores, strict=True)
        for gamma, s in zip(GRID.columns[1], row, strict=True)
    }

    def made_up(recipe: Recipe, dataset: Dataset, *settings: Any) -> CrossValidation:
        mean = places[recipe.model_args["C"], recipe.model_args["gamma"]]
        spread = 0.05 * recipe.model_args["C"]  # the best single fold must not matter
        return CrossValidation(
            recipe, dataset.name, 120, (mean - spread, mean + spread), (1.0, 1.0), tmp_path
        )

    monkeypatch.setattr(grid_module, "cross_validate_in", made_up)
    result = run_study(GRID, stripes, out=tmp_path)
    assert isinstance(result, GridResult)
    assert result.best is result.points[best[0]][best[1]]
    args = {"C": GRID.rows[1][best[0]], "gamma": GRID.columns[1][best[1]]}
    assert result.run.recipe.model_args == args


def test_the_test_part_is_looked_at_once(
    stripes: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = stripes.images.copy()
    images[480:, 0, 0] = 255  # brighter than any other: a mark on every test image
    marked = replace(stripes, images=images)
    seen: list[str] = []

    def watch(method: str) -> None:
        original = getattr(SVMClassifier, method)

        def watched(self: Any, X: Any, *arguments: Any, **hooks: Any) -> Any:
            whole = [X, *(a for a in arguments if np.ndim(a) == 3)]
            n_marked = sum(int((np.asarray(a)[:, 0, 0] == 255).sum()) for a in whole)
            seen.append(f"{method} {n_marked}")
            return original(self, X, *arguments, **hooks)

        monkeypatch.setattr(SVMClassifier, method, watched)

    watch("fit")
    watch("predict")
    run_study(GRID, marked, out=tmp_path)
    assert seen.count("fit 0") == 6 * 2 + 1
    assert [call for call in seen if not call.endswith(" 0")] == ["predict 120"]
    assert seen[-1] == "predict 120"


def test_a_grid_tells_its_progress(stripes: Dataset, tmp_path: Path) -> None:
    planned: list[int] = []
    done: list[str] = []
    progress = Progress(
        on_plan=planned.append,
        on_fold=lambda recipe, number, accuracy: done.append(f"{recipe.name} {number}"),
        on_end=lambda run: done.append(run.recipe.name),
    )
    run_study(GRID, stripes, out=tmp_path, progress=progress)
    assert planned == [13] == [len(done)]
    assert done[:3] == [
        "machine-C=0.001-gamma=scale 1",
        "machine-C=0.001-gamma=scale 2",
        "machine-C=0.001-gamma=0.05 1",
    ]
    assert done[-1] == "machine"


def test_a_repeated_grid_trains_nothing(dim: Dataset, tmp_path: Path) -> None:
    started: list[str] = []
    progress = Progress(on_start=lambda recipe, dataset, n_steps: started.append(recipe.name))
    first = run_study(GRID, dim, out=tmp_path)
    again = run_study(GRID, dim, out=tmp_path, progress=progress)
    assert started == []
    assert isinstance(first, GridResult)
    assert isinstance(again, GridResult)
    assert again.points == first.points
    assert again.answer == first.answer
    assert len(list(tmp_path.iterdir())) == 6 + 1 + 1
    forced = run_study(GRID, dim, out=tmp_path, force=True, progress=progress)
    assert len(started) == 6 * 2 + 1
    assert forced.answer == first.answer


def test_a_grids_json_is_complete(searched: GridResult) -> None:
    kept = json.loads((searched.path / "result.json").read_text())
    assert kept == json.loads(json.dumps(searched.to_json(), allow_nan=False))
    assert {key: kept[key] for key in ("study", "system", "question", "data", "answer")} == {
        "study": "grid",
        "system": "A6",
        "question": "Which?",
        "data": "dim",
        "answer": searched.answer,
    }
    *points, winner = kept["arms"]
    assert len(points) == 6
    flat = [point for row in searched.points for point in row]
    for arm, point in zip(points, flat, strict=True):
        assert arm["arm"] == point.recipe.name
        assert arm["recipe"]["model_args"] == dict(point.recipe.model_args)
        assert arm["recipe"]["n_train"] == 120
        assert (arm["n_folds"], arm["val_accuracy"]) == (2, list(point.accuracy))
        assert arm["train_time_s"] == list(point.train_time_s)
        assert arm["test_accuracy"] == []
    result = searched.run.result
    assert winner["arm"] == "machine"
    assert winner["test_accuracy"] == [result["test_accuracy"]]
    assert winner["val_accuracy"] == [result["val_accuracy"]]
    assert winner["test_accuracy_ci"] == result["test_accuracy_ci"]
    assert winner["n_parameters"] == result["n_parameters"]
    assert winner["runs"] == [searched.run.path.name]
    shared = {"arm", "recipe", "seeds", "val_accuracy", "test_accuracy", "train_time_s"}
    assert all(shared <= arm.keys() for arm in kept["arms"])


def test_a_grid_of_a_network(stripes: Dataset, tmp_path: Path) -> None:
    base = Recipe("net", "A4", "scratch", (Phase("adam", 0.01, 1),), scaling="min-max")
    study = replace(
        GRID,
        recipe=base,
        rows=("hidden_sizes", ((4,), (8, 4))),
        columns=("activation", ("relu", "tanh")),
    )
    result = run_study(study, stripes, out=tmp_path)
    assert isinstance(result, GridResult)
    assert result.run.recipe.model_args == result.best.recipe.model_args
    names = {path.name for path in tmp_path.iterdir()}
    assert (
        len([name for name in names if name.startswith("cv-2-folds-in-order-net-hidden_sizes_")])
        == 4
    )


# The embedding


@pytest.fixture(scope="module")
def placed(stripes: Dataset, folder: Path) -> EmbeddingResult:
    result = run_study(EMBEDDING, stripes, out=folder)
    assert isinstance(result, EmbeddingResult)
    return result


def embed(dataset: Dataset, out: Path, **changes: Any) -> EmbeddingResult:
    result = run_study(replace(EMBEDDING, **changes), dataset, out=out)
    assert isinstance(result, EmbeddingResult)
    return result


def test_components_are_those_of_all_training_images(
    placed: EmbeddingResult, stripes: Dataset
) -> None:
    rows = stripes.images[:440].reshape(440, -1).astype(float)
    values = np.linalg.eigvalsh(np.cov(rows.T))[::-1]
    np.testing.assert_allclose(placed.variance, (values / values.sum())[:5], rtol=1e-3)
    assert placed.n_train == 440


def test_the_map_is_of_the_first_training_images(placed: EmbeddingResult, stripes: Dataset) -> None:
    assert placed.points.shape == (90, 2)
    assert np.isfinite(placed.points).all()
    np.testing.assert_array_equal(placed.labels, stripes.labels[:90])
    with np.load(placed.path / "embedding.npz") as kept:
        np.testing.assert_array_equal(kept["points"], placed.points)
        np.testing.assert_array_equal(kept["labels"], placed.labels)


def test_validation_and_test_images_are_left_alone(
    placed: EmbeddingResult, stripes: Dataset, tmp_path: Path
) -> None:
    images, labels = stripes.images.copy(), stripes.labels.copy()
    images[440:] = 255
    labels[440:] = 0
    other = embed(replace(stripes, images=images, labels=labels), tmp_path)
    np.testing.assert_array_equal(other.points, placed.points)
    assert other.variance == placed.variance
    assert other.agreement == placed.agreement


def test_no_label_is_needed_to_place_the_images(
    placed: EmbeddingResult, stripes: Dataset, tmp_path: Path
) -> None:
    labels = np.random.default_rng(0).permutation(stripes.labels)
    other = embed(replace(stripes, labels=labels), tmp_path)
    np.testing.assert_array_equal(other.points, placed.points)
    assert other.variance == placed.variance
    assert other.agreement != placed.agreement


def test_one_seed_gives_one_map(placed: EmbeddingResult, stripes: Dataset, tmp_path: Path) -> None:
    again = embed(stripes, tmp_path)
    np.testing.assert_array_equal(again.points, placed.points)
    assert again.to_json() | {"time_s": 0} == placed.to_json() | {"time_s": 0}


def test_an_embeddings_json_is_complete(placed: EmbeddingResult) -> None:
    kept = json.loads((placed.path / "result.json").read_text())
    assert kept == json.loads(json.dumps(placed.to_json(), allow_nan=False))
    assert kept | {"time_s": 0} == {
        "study": "points",
        "system": "A2",
        "question": "Where?",
        "data": "stripes",
        "arms": [],
        "answer": "5 components.",
        "n_train": 440,
        "n_map": 90,
        "perplexity": 12.0,
        "explained_variance": list(placed.variance),
        "neighbour_agreement": placed.agreement,
        "time_s": 0,
    }
    assert kept["time_s"].keys() == {"pca", "map"}
    assert list(kept["neighbour_agreement"]) == ["all pixels", "5 components", "the map"]
    assert all(0 < share <= 1 for share in kept["neighbour_agreement"].values())


def test_a_study_that_wants_more_than_there_is(stripes: Dataset, tmp_path: Path) -> None:
    few = stripes.take(slice(0, 60))
    result = embed(few, tmp_path, protocol="auto", n_map=10**6, n_components=10**6, perplexity=1e3)
    assert len(result.points) == result.n_train == 42
    assert len(result.variance) == 42
    assert sum(result.variance) == pytest.approx(1, abs=1e-5)
    assert result.to_json()["perplexity"] == pytest.approx(41 / 3)  # the one it was drawn with


def test_neighbours_vote_and_no_image_votes_for_itself() -> None:
    near = np.zeros((11, 1)) + np.arange(11)[:, None] * 1e-3
    rows = np.concatenate([near, 100 + near])
    labels = np.repeat([0, 1], 11)
    assert neighbour_agreement(rows, labels) == 1
    labels[0] = 1  # outvoted by its ten neighbours, and its own vote among ten changes nothing
    assert neighbour_agreement(rows, labels) == pytest.approx(21 / 22)
    assert neighbour_agreement(rows[:2], np.array([0, 1])) == 0
    assert neighbour_agreement(rows[:3], np.array([0, 0, 0])) == 1


# How costs grow

NETWORK = Recipe("net", "A4", "scratch", (Phase("sgd", 0.1, 1),))


def measured(recipe: Recipe, n_train: int) -> ArmResult:
    run = Run(Path(), recipe, {"n_train": n_train}, {}, {"train_time_s": 0.1})
    return ArmResult(Arm(recipe), (run,))


def cut(recipe: Recipe, n_train: int) -> Recipe:
    return replace(recipe, name=f"{recipe.name}-{n_train}", n_train=n_train)


def test_families_are_arms_that_differ_in_their_images_alone() -> None:
    arms = [
        measured(MACHINE, 900),
        measured(NETWORK, 900),
        *(measured(cut(MACHINE, n), n) for n in (400, 100)),
        measured(cut(NETWORK, 400), 400),
        measured(replace(NETWORK, name="machine-200"), 900),
    ]
    families = growing_families(arms)
    assert list(families) == ["machine"]
    assert [arm.arm.name for arm in families["machine"]] == [
        "machine-100",
        "machine-400",
        "machine",
    ]


def test_arms_that_could_not_be_cut_are_no_points_of_growth() -> None:
    wanted = (100, 200, 400, 800, 1600)
    arms = [measured(MACHINE, 400), *(measured(cut(MACHINE, n), min(n, 400)) for n in wanted)]
    (family,) = growing_families(arms).values()
    assert [arm.runs[0].data["n_train"] for arm in family] == [100, 200, 400]
    assert growing_families(arms[:2]) == {}


# The answers of the ready studies


def test_the_answer_of_mlp_vs_svm_gives_the_exponents() -> None:
    study = get_study("mlp-vs-svm")
    figures = {"scratch-mlp": (0.90, 1.0), "scratch-mlp-tuned": (0.95, 1.0), "svm": (0.98, 2.0)}

    def result_of(arm: Arm) -> ArmResult:
        n = arm.recipe.n_train or 49_000
        base = arm.name.removesuffix(f"-{n}")
        accuracy, exponent = figures[base]
        figures_of_run = {
            "test_accuracy": accuracy,
            "val_accuracy": accuracy,
            "train_time_s": 1e-6 * n**exponent,
            "predict_time_s": 0.5,
            "epochs": 0,
        }
        return ArmResult(arm, (Run(Path(), arm.recipe, {"n_train": n}, {}, figures_of_run),))

    decide: Callable[[Sequence[ArmResult]], str] = study.decide
    answer = decide([result_of(arm) for arm in study.arms])
    assert "the SVM is right 98.00 % of the time" in answer
    assert "90.00 % as published and 95.00 % tuned" in answer
    assert "n^1.00 (scratch-mlp) and n^2.00 (svm)" in answer


def test_the_answer_of_mlp_batch_size_is_chosen_on_validation() -> None:
    study = get_study("mlp-batch-size")

    def result_of(arm: Arm) -> ArmResult:
        recipe = arm.recipe
        val = 0.9 - recipe.batch_size / 1e4 - abs(recipe.phases[0].learning_rate - 0.03)
        result = {
            "val_accuracy": val,
            "test_accuracy": 1 - val,  # misleads whoever looks at it
            "train_time_s": 640 / recipe.batch_size,
            "epochs": 50,
        }
        return ArmResult(arm, (Run(Path(), recipe, {"n_train": 9}, {}, result),))

    answer = study.decide([result_of(arm) for arm in study.arms])
    assert "0.40 s and 0.03 s" in answer  # 20 s and 1.25 s in 50 epochs
    assert "Best on validation: batch 32, and at batch 128 the rate 0.03." in answer


def test_the_answers_of_grid_and_embedding(searched: GridResult, placed: EmbeddingResult) -> None:
    grid, embedding = get_study("svm-grid"), get_study("embedding")
    answer = grid.decide(searched)
    point, run = searched.best, searched.run.result
    arguments = point.recipe.model_args
    assert f"C = {arguments['C']}, gamma = {arguments['gamma']}" in answer
    assert f"{100 * point.mean:.2f} % in 2-fold cross-validation on 120 images" in answer
    assert f"{run['test_accuracy']:.4f} on the test part" in answer
    said = embedding.decide(placed)
    assert said.startswith("5 principal components of 144 hold ")
    assert f"{100 * sum(placed.variance):.1f} % of the variance" in said
    for space, share in placed.agreement.items():
        assert f"{100 * share:.1f} % by {space}" in said


def test_ready_studies_are_what_the_write_up_says() -> None:
    grid = get_study("svm-grid")
    assert isinstance(grid, GridStudy)
    assert (len(grid.rows[1]) * len(grid.columns[1]), grid.n_folds, grid.n_search) == (9, 3, 5000)
    assert len(get_study("mlp-vs-svm").arms) == 13
    sizes = {arm.recipe.batch_size for arm in get_study("mlp-batch-size").arms}
    assert sizes == {32, 64, 128, 256, 512}
