"""Per-pixel min-max scaling (row A1) against scikit-learn's MinMaxScaler itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import SVC

from mnistlab.classifiers import ScratchClassifier, SVMClassifier, TorchClassifier
from mnistlab.classifiers.storage import load_classifier, save_classifier
from mnistlab.data import load
from mnistlab.data.scaling import fit_scaling
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.runs import Execution
from mnistlab.study import GridStudy, Settings

KIND = "min-max-per-pixel"
N_TRAIN = 300


@pytest.fixture(scope="module")
def images() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Real images (N, 28, 28) to fit on and others, some of whose pixels leave the range."""
    data = load("fashion-mini")
    fitted, others = data.images[:N_TRAIN], data.images[N_TRAIN : N_TRAIN + 100].copy()
    others[:, 0, 0] = 255  # dark in every image that is fitted on
    return fitted, data.labels[:N_TRAIN], others


def oracle(fitted: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(N, 784)."""
    scaler = MinMaxScaler().fit(fitted.reshape(len(fitted), -1))
    return np.asarray(scaler.transform(others.reshape(len(others), -1)))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_it_is_min_max_scaler(dtype: type, images: Any) -> None:
    fitted, _, others = images
    expected = oracle(fitted, others)
    assert expected.max() == 255  # a pixel that was constant: scale 1, and no clipping
    for shape in ((-1, 28, 28), (-1, 784)):
        shift, scale = fit_scaling(KIND, fitted.astype(dtype).reshape(shape))
        scaled = (others.astype(dtype).reshape(shape) - shift) / scale
        np.testing.assert_allclose(scaled.reshape(-1, 784), expected, rtol=1e-6, atol=1e-6)


def classifiers() -> dict[str, Any]:
    phases = (Phase("sgd", 0.01, 1),)
    return {
        "torch": TorchClassifier(phases=phases, scaling=KIND, random_state=0, pad_to=32),
        "scratch": ScratchClassifier(phases=phases, scaling=KIND, random_state=0),
        "svm": SVMClassifier(scaling=KIND, C=10.0),
    }


def scaled_by(classifier: Any, images: np.ndarray) -> np.ndarray:
    """What the fitted classifier makes of images before it learns or predicts: (N, H * W)."""
    if isinstance(classifier, TorchClassifier):
        import torch

        padded = np.pad(images, ((0, 0), (2, 2), (2, 2)))
        scaled = classifier.network_[0](torch.from_numpy(padded[:, None]))
        return scaled[:, 0, 2:-2, 2:-2].reshape(len(images), -1).numpy()
    if isinstance(classifier, ScratchClassifier):
        return classifier.network_.layers[0].forward(images).reshape(len(images), -1)
    return classifier.rows(images)


@pytest.mark.parametrize("name", ["torch", "scratch", "svm"])
@pytest.mark.parametrize("rows", [False, True])
def test_every_classifier_scales_so_and_saves_it(
    name: str, rows: bool, images: Any, tmp_path: Path
) -> None:
    fitted, labels, others = images
    shape = (-1, 784) if rows else (-1, 28, 28)
    kwargs = {} if name == "svm" else {"X_val": others[:0].reshape(shape), "y_val": labels[:0]}
    classifier = classifiers()[name].fit(fitted.reshape(shape), labels, **kwargs)
    expected = oracle(fitted, others)
    np.testing.assert_allclose(scaled_by(classifier, others), expected, rtol=1e-5, atol=1e-5)

    save_classifier(classifier, tmp_path / "model")
    loaded = load_classifier(tmp_path / "model")
    np.testing.assert_allclose(scaled_by(loaded, others), expected, rtol=1e-5, atol=1e-5)
    shown = others.reshape(shape)
    assert loaded.predict(shown).tolist() == classifier.predict(shown).tolist()


@pytest.mark.parametrize(("kind", "scaler"), [("min-max", None), (KIND, MinMaxScaler())])
def test_the_grid_is_grid_search_cv(kind: str, scaler: Any, tmp_path: Path) -> None:
    """Every candidate's score on every fold, their order, and which is best."""
    data = load("fashion-mini")
    recipe = Recipe("svm", "A6", "svm", (), split="official", scaling=kind)
    Cs, gammas = (0.1, 1.0, 10.0), ("scale", "auto", 0.01)
    study = GridStudy(
        name="grid",
        system="A6",
        question="Which point?",
        recipe=recipe,
        rows=("C", Cs),
        columns=("gamma", gammas),
        n_folds=3,
        n_search=N_TRAIN,
        decide=lambda result: "",
    )
    result = study.run(data, Settings(Execution(tmp_path, threads=1)))

    X = data.images[:N_TRAIN].reshape(N_TRAIN, -1).astype(np.float64)
    X = X if scaler else X / 255  # in every fold some pixel is 0 and some is 255
    grid = {"svc__C": list(Cs), "svc__gamma": list(gammas)}
    search = GridSearchCV(make_pipeline(scaler, SVC()), grid, cv=3).fit(X, data.labels[:N_TRAIN])

    points = [point for row in result.points for point in row]
    theirs = [(p["svc__C"], p["svc__gamma"]) for p in search.cv_results_["params"]]
    ours = [(p.recipe.model_args["C"], p.recipe.model_args["gamma"]) for p in points]
    assert ours == theirs
    for number in range(3):
        expected = search.cv_results_[f"split{number}_test_score"]
        assert [point.accuracy[number] for point in points] == pytest.approx(expected, abs=1e-9)
    assert [point.mean for point in points] == pytest.approx(search.cv_results_["mean_test_score"])
    assert points.index(result.best) == search.best_index_
