"""Cross-validation beside the same done by hand, and what it leaves alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold

from mnistlab.classifiers import ScratchClassifier, SVMClassifier, TorchClassifier
from mnistlab.data import Dataset
from mnistlab.errors import DataError, RecipeError, RunError, TrainingError
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.runs import Progress, cross_validate

SVM = Recipe(
    "machine", "A6", "svm", (), model_args={"C": 1.0, "gamma": 0.05}, scaling="min-max", n_train=150
)
SCRATCH = Recipe(
    "by-hand",
    "A4",
    "scratch",
    (Phase("momentum", 0.02, 2),),
    model_args={"hidden_sizes": (8,)},
    scaling="min-max",
    batch_size=16,
    seed=3,
)
TORCH = Recipe(
    "torch",
    "E2",
    "mlp",
    (Phase("adam", 0.003, 2), Phase("sgd", 0.01, 1)),
    model_args={"hidden_sizes": (8,)},
    batch_size=32,
    precision="float32",
    seed=1,
)
RECIPES = (SVM, SCRATCH, TORCH)
CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "machine": lambda: SVMClassifier(C=1.0, gamma=0.05, scaling="min-max"),
    "by-hand": lambda: ScratchClassifier(
        hidden_sizes=(8,), phases=SCRATCH.phases, batch_size=16, scaling="min-max", random_state=3
    ),
    "torch": lambda: TorchClassifier(
        model="mlp",
        model_args={"hidden_sizes": (8,)},
        phases=TORCH.phases,
        batch_size=32,
        precision="float32",
        random_state=1,
    ),
}


@pytest.fixture(scope="module")
def dim(stripes: Dataset) -> Dataset:
    """The stripes in so little light that no fold is named without mistakes."""
    random = np.random.default_rng(1)
    noise = random.integers(0, 120, stripes.images.shape, dtype=np.uint8)
    images = noise + (stripes.images > 120).astype(np.uint8) * 30
    return replace(stripes, name="dim", images=images)


def by_name(recipe: Recipe) -> str:
    return recipe.name


@pytest.mark.parametrize("recipe", RECIPES, ids=by_name)
def test_it_is_what_one_would_do_by_hand(recipe: Recipe, dim: Dataset, tmp_path: Path) -> None:
    n = recipe.n_train or 440  # of the official part, less the twelfth for validation
    images, labels = dim.images[:n], dim.labels[:n]
    folds = StratifiedKFold(3, shuffle=True, random_state=recipe.seed)
    wanted = []
    for inner, outer in folds.split(images, labels):
        classifier = CLASSIFIERS[recipe.name]().fit(images[inner], labels[inner])
        wanted.append((classifier.predict(images[outer]) == labels[outer]).mean())
    result = cross_validate(recipe, dim, n_folds=3, out=tmp_path, threads=1)
    assert result.accuracy == tuple(wanted)
    assert len(set(wanted)) > 1, "folds that all score the same would show nothing"
    assert all(0.3 < accuracy < 1 for accuracy in wanted)
    assert (result.n_images, result.data) == (n, "dim")
    assert result.mean == fmean(wanted)
    assert result.deviation == stdev(wanted)


@pytest.mark.parametrize("recipe", RECIPES, ids=by_name)
def test_validation_and_test_images_change_nothing(
    recipe: Recipe, dim: Dataset, tmp_path: Path
) -> None:
    images, labels = dim.images.copy(), dim.labels.copy()
    images[440:] = 255
    labels[440:] = 0
    spoiled = replace(dim, name="spoiled", images=images, labels=labels)
    one, other = (cross_validate(recipe, d, n_folds=2, out=tmp_path) for d in (dim, spoiled))
    assert one.accuracy == other.accuracy
    assert one.path != other.path


def test_each_training_image_scores_once_and_never_where_it_was_trained_on(
    stripes: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbered = stripes.images.copy()
    numbered[:, 0, 0], numbered[:, 0, 1] = np.divmod(np.arange(600), 250)
    dataset = replace(stripes, images=numbered)
    trained: list[set[int]] = []
    scored: list[set[int]] = []

    def numbers(X: Any) -> set[int]:
        return {int(image[0, 0]) * 250 + int(image[0, 1]) for image in np.asarray(X)}

    def watch(method: str, seen: list[set[int]]) -> None:
        original = getattr(SVMClassifier, method)

        def watched(self: Any, X: Any, *arguments: Any, **hooks: Any) -> Any:
            seen.append(numbers(X))
            return original(self, X, *arguments, **hooks)

        monkeypatch.setattr(SVMClassifier, method, watched)

    watch("fit", trained)
    watch("predict", scored)
    cross_validate(replace(SVM, n_train=None), dataset, n_folds=4, out=tmp_path)
    assert len(trained) == len(scored) == 4
    for inner, outer in zip(trained, scored, strict=True):
        assert not inner & outer
        assert inner | outer == set(range(440))
    assert sum(map(len, scored)) == 440


def test_folds_keep_the_classes_shares_and_follow_the_seed(dim: Dataset, tmp_path: Path) -> None:
    results = [
        cross_validate(replace(SVM, seed=seed), dim, n_folds=3, out=tmp_path) for seed in (0, 0, 1)
    ]
    assert results[0].accuracy == results[1].accuracy
    assert results[0].accuracy != results[2].accuracy
    assert results[0].path != results[2].path


def test_result_json_is_the_contract(dim: Dataset, tmp_path: Path) -> None:
    result = cross_validate(SVM, dim, n_folds=3, out=tmp_path)
    assert result.path.parent == tmp_path
    assert result.path.name.startswith("cv-3-folds-machine-dim-seed0-")
    assert {path.name for path in result.path.iterdir()} == {
        "recipe.json",
        "env.json",
        "result.json",
    }
    kept = json.loads((result.path / "result.json").read_text())
    assert kept == {
        "recipe": "machine",
        "recipe_hash": SVM.content_hash,
        "data": "dim",
        "n_images": 150,
        "n_folds": 3,
        "accuracy": list(result.accuracy),
        "accuracy_mean": result.mean,
        "accuracy_deviation": result.deviation,
        "train_time_s": list(result.train_time_s),
    }
    assert all(seconds > 0 for seconds in kept["train_time_s"])
    env = json.loads((result.path / "env.json").read_text())
    assert {"mnistlab", "cpu", "threads", "precision", "scikit-learn"} <= env.keys()
    assert json.loads((result.path / "recipe.json").read_text()) == SVM.to_json()


@pytest.mark.parametrize("recipe", RECIPES, ids=by_name)
def test_its_caller_is_told(recipe: Recipe, dim: Dataset, tmp_path: Path) -> None:
    started: list[tuple[str, str, int]] = []
    steps: list[int] = []
    epochs: list[int] = []
    folds: list[tuple[str, int, float]] = []
    progress = Progress(
        on_start=lambda recipe, dataset, n_steps: started.append(
            (recipe.name, dataset.name, n_steps)
        ),
        on_step=lambda: steps.append(1),
        on_epoch=lambda epoch: epochs.append(epoch.epoch),
        on_fold=lambda recipe, number, accuracy: folds.append((recipe.name, number, accuracy)),
    )
    result = cross_validate(recipe, dim, n_folds=3, out=tmp_path, progress=progress)
    n_epochs = sum(phase.epochs for phase in recipe.phases)
    assert [name for name, _, _ in started] == [recipe.name] * 3
    assert {data for _, data, _ in started} == {"dim"}
    assert folds == [
        (recipe.name, number, accuracy) for number, accuracy in enumerate(result.accuracy, 1)
    ]
    assert epochs == list(range(1, n_epochs + 1)) * 3
    assert (len(steps) > 0) == (n_epochs > 0)
    assert len(steps) <= sum(n_steps for _, _, n_steps in started)


def test_a_finished_result_is_used_again_unless_forced(dim: Dataset, tmp_path: Path) -> None:
    started: list[str] = []
    told: list[int] = []
    progress = Progress(
        on_start=lambda recipe, dataset, n_steps: started.append(recipe.name),
        on_fold=lambda recipe, number, accuracy: told.append(number),
    )
    first = cross_validate(SVM, dim, n_folds=3, out=tmp_path)
    again = cross_validate(SVM, dim, n_folds=3, out=tmp_path, progress=progress)
    assert again == first
    assert (started, told) == ([], [1, 2, 3])
    other = cross_validate(SVM, dim, n_folds=2, out=tmp_path, progress=progress)
    assert (len(other.accuracy), len(started)) == (2, 2)
    forced = cross_validate(SVM, dim, n_folds=3, out=tmp_path, force=True, progress=progress)
    assert (forced.accuracy, len(started)) == (first.accuracy, 5)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b"{}", b"\xff", b"[" * 9000, b'{"accuracy": ["x"]}'),
        b'{"accuracy": [0.5], "train_time_s": [1], "n_images": 9}',
    ],
)
def test_a_damaged_result_is_one_line(content: bytes, dim: Dataset, tmp_path: Path) -> None:
    result = cross_validate(SVM, dim, n_folds=2, out=tmp_path)
    (result.path / "result.json").write_bytes(content)
    with pytest.raises(RunError, match=r"result\.json: ") as caught:
        cross_validate(SVM, dim, n_folds=2, out=tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("n_folds", [-1, 0, 1, 4])
def test_folds_too_few_or_too_many(n_folds: int, stripes: Dataset, tmp_path: Path) -> None:
    labels = stripes.labels.copy()
    labels[labels == 3] = 0
    labels[:3] = 3
    lopsided = replace(stripes, labels=labels)
    with pytest.raises(RecipeError, match=rf"no more than the 3 training images .* got {n_folds}"):
        cross_validate(SVM, lopsided, n_folds=n_folds, out=tmp_path)
    assert not list(tmp_path.iterdir())
    assert len(cross_validate(SVM, lopsided, n_folds=3, out=tmp_path).accuracy) == 3


@pytest.mark.parametrize(
    ("change", "error", "fault"),
    [
        ({"n_train": 3}, DataError, "no image of class 'd'"),
        ({"model": "zzz"}, RecipeError, "unknown model 'zzz'"),
        ({"model_args": {"C": -1.0}}, RecipeError, "C must be positive"),
        ({"model_args": {"c": 1.0}}, RecipeError, "no argument 'c'"),
        ({"precision": "half"}, RecipeError, "precision 'half'"),
    ],
)
def test_what_cannot_be_trained_leaves_nothing(
    change: dict[str, Any], error: type[Exception], fault: str, stripes: Dataset, tmp_path: Path
) -> None:
    with pytest.raises(error, match=fault):
        cross_validate(replace(SVM, **change), stripes, n_folds=2, out=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_fold_that_diverges_ends_it(stripes: Dataset, tmp_path: Path) -> None:
    wild = replace(SCRATCH, phases=(Phase("sgd", 1e30, 3),), scaling="none")
    with pytest.raises(TrainingError, match="no longer finite"):
        cross_validate(wild, stripes, n_folds=2, out=tmp_path)
    assert not list(tmp_path.iterdir())


def test_data_by_name_or_from_the_recipe(tmp_path: Path) -> None:
    recipe = replace(SVM, model_args={"C": 5.0}, data="fashion-mini")
    named = cross_validate(recipe, "fashion-mini", n_folds=2, out=tmp_path / "named")
    own = cross_validate(recipe, n_folds=2, out=tmp_path / "own")
    assert named.data == own.data == "fashion-mini"
    assert named.accuracy == own.accuracy
    assert named.path.name == own.path.name
    with pytest.raises(DataError):
        cross_validate(recipe, "no-such-set", n_folds=2, out=tmp_path)


def test_progress_counts_the_folds(
    stripes: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also from Python, and where the folds are found."""
    for _ in range(2):
        cross_validate(SVM, stripes, n_folds=3, out=tmp_path)
        lines = capsys.readouterr().err.splitlines()
        scored = [line.split(" svm ")[0] for line in lines if "scored" in line]
        assert [line.split()[0] for line in scored] == ["[1/3]", "[2/3]", "[3/3]"]
