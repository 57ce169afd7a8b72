"""What every classifier and every model of the project must do, whoever wrote it."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

from mnistlab import classifiers
from mnistlab.classifiers import ScratchClassifier, SVMClassifier, TorchClassifier
from mnistlab.classifiers.methods import KINDS
from mnistlab.classifiers.storage import load_classifier, save_classifier
from mnistlab.data import Dataset
from mnistlab.errors import RecipeError
from mnistlab.models import MODELS

FAST = {"n_epochs": 30, "learning_rate": 0.02, "batch_size": 16, "precision": "float32"}
FAST_BY_HAND = FAST | {"optimizer": "adam", "hidden_sizes": (16,), "random_state": 0}


# test_weights.py shows where it does hold.
EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": "batches are drawn from other images, "
    "pixels are scaled without weights, and libsvm stops at a tolerance"
}


@parametrize_with_checks(
    [
        TorchClassifier("mlp", hidden_sizes=(16,), **FAST, random_state=0),
        ScratchClassifier(**FAST_BY_HAND),
        SVMClassifier(),
        SVMClassifier(calibrated=True, n_calibration_folds=2, random_state=0),
    ],
    expected_failed_checks=lambda estimator: EXPECTED,
)
def test_scikit_learn_contract(estimator: Any, check) -> None:
    check(estimator)


@pytest.mark.slow  # half a minute
@parametrize_with_checks(
    [
        TorchClassifier("mlp", **FAST, random_state=0),
        ScratchClassifier(
            **FAST_BY_HAND | {"hidden_sizes": (32,)},
            activation="tanh",
            batch_norm=True,
            dropout=0.1,
        ),
    ],
    expected_failed_checks=lambda estimator: EXPECTED,
)
def test_scikit_learn_contract_of_variants(estimator: Any, check) -> None:
    check(estimator)


SMALL = {
    "mlp": {"hidden_sizes": (16,)},
    "cnn": {"channels": (4, 8), "hidden_sizes": (16,), "dropout": 0.1},
    "residual": {"channels": (4, 8), "blocks": (0, 1), "dropout": 0.1},
    "transfer": {"backbone": "timm/test_efficientnet", "weights": "none", "input_size": 16},
}
BY_HAND = partial(ScratchClassifier, (16,), optimizer="adam", learning_rate=1e-3, random_state=0)
NETWORKS: dict[str, Callable[..., Any]] = {
    **{
        f"torch {model}": partial(
            TorchClassifier, model, model_args=args, random_state=0, precision="float32"
        )
        for model, args in SMALL.items()
    },
    "scratch dense": BY_HAND,
    "scratch convolutional": partial(BY_HAND, channels=(4, 8), dropout=0.1),
    "scratch normalised": partial(
        BY_HAND, activation="tanh", initialisation="xavier", batch_norm=True, dropout=0.1
    ),
}
MACHINES: dict[str, Callable[..., Any]] = {
    "svm": partial(SVMClassifier, random_state=0),
    "svm calibrated": partial(SVMClassifier, calibrated=True, random_state=0),
}
QUICKLY = {"n_epochs": 20, "learning_rate": 0.01, "batch_size": 32}  # learns the stripes

every_network = pytest.mark.parametrize("name", NETWORKS)
# A backbone takes seconds for each test.
ALL = [
    pytest.param(name, marks=[pytest.mark.slow] if name == "torch transfer" else [])
    for name in (*NETWORKS, *MACHINES)
]
every_classifier = pytest.mark.parametrize("name", ALL)
of_any_shape = pytest.mark.parametrize(
    "name", [each for each in ALL if not str(each.values[0]).endswith(("cnn", "convolutional"))]
)


def untrained(name: str, **of_networks: Any) -> Any:
    """The classifier of that name; settings are a network's, a machine has none of them."""
    return MACHINES[name]() if name in MACHINES else NETWORKS[name](**of_networks)


def outputs(classifier: Any, X: Any) -> np.ndarray:
    """The finest the classifier says of images: probabilities where it knows them."""
    known = hasattr(classifier, "predict_proba")
    return classifier.predict_proba(X) if known else classifier.decision_function(X)


def test_every_model_is_under_contract() -> None:
    assert SMALL.keys() == MODELS.keys()
    assert {"scratch", "svm", "ensemble"} == KINDS.keys()
    tested = {type(untrained(name)).__name__ for name in (*NETWORKS, *MACHINES)}
    assert tested | {"EnsembleClassifier"} == set(classifiers.__all__)  # see test_ensemble.py


@every_network
def test_loss_at_initialisation_is_near_chance(name: str, stripes: Dataset) -> None:
    classifier = untrained(name, phases=()).fit(stripes.images, stripes.labels)
    p = classifier.predict_proba(stripes.images)
    loss = -np.log(p[np.arange(len(p)), stripes.labels]).mean()
    assert abs(loss - math.log(4)) < 0.25


# Calibrated probabilities are those of images that were not trained on.
@pytest.mark.parametrize("name", [*NETWORKS, "svm"])
def test_overfits_32_images(name: str) -> None:
    random = np.random.default_rng(0)
    X = random.integers(0, 256, (32, 12, 12), dtype=np.uint8)
    y = random.integers(0, 4, 32)
    classifier = untrained(name, n_epochs=150, learning_rate=0.01, validation_fraction=0)
    if name.startswith("torch"):
        args = SMALL[classifier.model]
        classifier.model_args = args | ({"dropout": 0.0} if "dropout" in args else {})
    elif name.startswith("scratch"):
        classifier.dropout = 0.0
    else:
        classifier.C = 100.0  # at the default some images are allowed to be wrong
    assert classifier.fit(X, y).score(X, y) == 1


# Two threads on a busy machine wait for each other at every layer of a backbone: 20 seconds.
@pytest.mark.parametrize(
    ("threads", "name"),
    [
        pytest.param(
            threads,
            name,
            marks=[pytest.mark.slow] if (threads, name) == (2, "torch transfer") else [],
        )
        for threads in (1, 2)
        for name in (*NETWORKS, *MACHINES)
    ],
)
def test_same_seed_and_threads_give_the_same_bits(
    name: str, stripes: Dataset, threads: int
) -> None:
    before = torch.get_num_threads()
    fitted = []
    X, y = stripes.images[:200], stripes.labels[:200]  # several batches an epoch, in a new order
    with threadpool_limits(threads):
        torch.set_num_threads(threads)
        try:
            for noise in (1, 2):
                torch.manual_seed(noise)  # the caller's random state must not matter
                np.random.seed(noise)  # noqa: NPY002
                classifier = untrained(name, n_epochs=3).fit(X, y)
                fitted.append(classifier.arrays())
        finally:
            torch.set_num_threads(before)
    assert fitted[0].keys() == fitted[1].keys()
    assert all(np.array_equal(fitted[0][array], fitted[1][array]) for array in fitted[0])


@every_classifier
def test_other_seeds_give_other_numbers(name: str, stripes: Dataset) -> None:
    first, second = (
        outputs(
            untrained(name, n_epochs=1)
            .set_params(random_state=seed)
            .fit(stripes.images, stripes.labels),
            stripes.images,
        )
        for seed in (0, 1)
    )
    by_chance = name != "svm"  # without calibration nothing in it is random
    assert np.array_equal(first, second) != by_chance


@every_network
def test_other_seeds_give_other_first_weights(name: str, stripes: Dataset) -> None:
    first, second = (
        untrained(name, phases=(), random_state=seed)
        .fit(stripes.images, stripes.labels)
        .predict_proba(stripes.images)
        for seed in (0, 1)
    )
    assert not np.array_equal(first, second)


@every_classifier
def test_saved_and_loaded_it_is_the_same(name: str, stripes: Dataset, tmp_path) -> None:
    classifier = untrained(name, n_epochs=2).fit(stripes.images, stripes.labels)
    save_classifier(classifier, tmp_path / "model.safetensors")
    loaded = load_classifier(tmp_path / "model.safetensors")
    assert np.array_equal(outputs(classifier, stripes.images), outputs(loaded, stripes.images))
    assert np.array_equal(classifier.predict(stripes.images), loaded.predict(stripes.images))
    assert clone(loaded).get_params().keys() == classifier.get_params().keys()
    assert loaded.n_parameters_ == classifier.n_parameters_ > 0


@every_classifier
def test_inputs_are_not_changed(name: str, stripes: Dataset) -> None:
    for dtype in (np.uint8, np.float32, np.float64):
        X = stripes.images.astype(dtype)
        y, kept = stripes.labels.copy(), X.copy()
        outputs(untrained(name, n_epochs=1).fit(X, y), X)
        assert np.array_equal(X, kept)
        assert np.array_equal(y, stripes.labels)


@every_classifier
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_how_an_array_lies_in_memory_does_not_matter(
    name: str, stripes: Dataset, dtype: type
) -> None:
    X, y = stripes.images[:60].astype(dtype), stripes.labels[:60]
    expected = outputs(untrained(name, n_epochs=1).fit(X, y), X)
    read_only = X.copy()
    read_only.flags.writeable = False
    thinned = np.repeat(np.repeat(X, 2, axis=0), 2, axis=2)[::2, :, ::2]
    for same in (read_only, np.asfortranarray(X), X[::-1].copy()[::-1], thinned, X.tolist()):
        classifier = untrained(name, n_epochs=1).fit(same, y.tolist())
        np.testing.assert_allclose(outputs(classifier, same), expected, atol=1e-4)


@every_classifier
def test_the_type_of_the_numbers_does_not_matter(name: str, stripes: Dataset) -> None:
    X, y = stripes.images[:120], stripes.labels[:120]
    expected = outputs(untrained(name, n_epochs=2).fit(X, y), X)
    for dtype in (np.int64, np.float16, np.float32, np.float64):
        classifier = untrained(name, n_epochs=2).fit(X.astype(dtype), y)
        np.testing.assert_allclose(outputs(classifier, X.astype(dtype)), expected, atol=1e-4)
        np.testing.assert_allclose(outputs(classifier, X), expected, atol=1e-4)


@every_classifier
def test_a_batch_of_one_and_rows_give_what_images_give(name: str, stripes: Dataset) -> None:
    classifier = untrained(name, n_epochs=2).fit(stripes.images, stripes.labels)
    whole = outputs(classifier, stripes.images[:20])
    if hasattr(classifier, "predict_proba"):
        np.testing.assert_allclose(whole.sum(1), 1, atol=1e-12)
    one = np.vstack([outputs(classifier, image[None]) for image in stripes.images[:20]])
    np.testing.assert_allclose(one, whole, atol=1e-5)
    rows = stripes.images.reshape(len(stripes), -1)
    by_rows = untrained(name, n_epochs=2).fit(rows, stripes.labels)
    assert np.array_equal(outputs(by_rows, rows[:20]), whole)


@every_classifier
def test_fitted_on_images_or_rows_it_takes_both_and_so_does_its_file(
    name: str, stripes: Dataset, tmp_path
) -> None:
    images, labels = stripes.images[:60], stripes.labels[:60]
    rows = images.reshape(60, -1)
    for X in (images, rows):
        classifier = untrained(name, n_epochs=1).fit(X, labels)
        assert classifier.n_features_in_ == 144
        save_classifier(classifier, tmp_path / "model.safetensors")
        loaded = load_classifier(tmp_path / "model.safetensors")
        for known in (classifier, loaded):
            assert np.array_equal(outputs(known, rows), outputs(known, images))


@every_classifier
def test_learns_with_any_labels_and_floats(name: str, stripes: Dataset) -> None:
    names = np.array(["shirt", "bag", "coat", "dress"])[stripes.labels]
    train, test = slice(0, 480), slice(480, None)
    classifier = untrained(name, **QUICKLY)
    classifier.fit(stripes.images[train] / 255.0, names[train])
    assert classifier.classes_.tolist() == ["bag", "coat", "dress", "shirt"]
    assert classifier.score(stripes.images[test] / 255.0, names[test]) > 0.9


@of_any_shape
@pytest.mark.parametrize("shape", [(1,), (7,), (9,), (5, 9), (1, 3)], ids=str)
def test_takes_images_of_any_shape(name: str, shape: tuple[int, ...]) -> None:
    y = np.arange(90) % 2
    X = np.random.default_rng(0).normal(size=(90, *shape))
    X[y == 1] += 8  # no image lies between the classes: what is right does not hang on rounding
    # At five times the rate batch normalisation's averages lag behind the weights, on some CPUs.
    classifier = untrained(
        name, n_epochs=30, learning_rate=0.01, batch_size=16, validation_fraction=0
    ).fit(X, y)
    assert classifier.score(X, y) > 0.95
    assert outputs(classifier, X[:3]).shape == ((3,) if name == "svm" else (3, 2))


@every_classifier
def test_takes_oblong_images(name: str, stripes: Dataset) -> None:
    X, y = stripes.images[:320, :, 2:9], stripes.labels[:320]
    classifier = untrained(name, **QUICKLY).fit(X, y)
    assert classifier.score(X, y) > 0.9
    if name.startswith("torch"):  # its network sees them as they lie, height before width
        with torch.no_grad():
            logits = classifier.network_.eval()(torch.from_numpy(X[:9].copy())[:, None])
        np.testing.assert_allclose(
            logits.softmax(1).numpy(), classifier.predict_proba(X[:9]), atol=1e-6
        )


@every_classifier
@pytest.mark.parametrize("n_classes", [2, 3, 20])
def test_takes_any_number_of_classes(name: str, n_classes: int) -> None:
    y = np.arange(n_classes * 8) % n_classes
    X = np.random.default_rng(0).integers(0, 100, (len(y), 5, 5), dtype=np.uint8)
    X.reshape(len(y), -1)[np.arange(len(y)), y] += 150
    classifier = untrained(
        name, n_epochs=40, learning_rate=0.02, batch_size=16, validation_fraction=0
    )
    classifier.fit(X, y * 7 - 10)  # labels are any numbers, negative ones too
    assert classifier.classes_.tolist() == [7 * k - 10 for k in range(n_classes)]
    assert set(classifier.predict(X).tolist()) <= set(classifier.classes_.tolist())
    assert classifier.score(X, y * 7 - 10) > 0.7
    n_columns = 1 if name == "svm" and n_classes == 2 else n_classes
    assert outputs(classifier, X).reshape(len(X), -1).shape[1] == n_columns


@every_classifier
def test_an_axis_of_one_channel_changes_nothing(name: str, stripes: Dataset) -> None:
    X, y = stripes.images[:60], stripes.labels[:60]
    whole = outputs(untrained(name, n_epochs=1).fit(X, y), X)
    for images in (X[..., None], X[:, None]):
        classifier = untrained(name, n_epochs=1).fit(images, y)
        assert classifier.n_features_in_ == 144
        for given in (X, X[..., None], X[:, None]):
            np.testing.assert_array_equal(outputs(classifier, given), whole)
    for images in (np.repeat(X[..., None], 3, -1), X[0, 0]):
        with pytest.raises(ValueError, match=r"grey images|2D array"):
            classifier.predict(images)


@every_classifier
def test_wrong_shapes_are_refused(name: str, stripes: Dataset) -> None:
    classifier = untrained(name, n_epochs=1).fit(stripes.images, stripes.labels)
    with pytest.raises(ValueError, match="trained on images of"):
        classifier.predict(np.zeros((2, 12, 13), dtype=np.uint8))
    with pytest.raises(ValueError, match="trained on images of"):
        classifier.predict(np.zeros((2, 9, 16), dtype=np.uint8))  # as many pixels, otherwise cut


@every_network
def test_validation_images_are_checked_as_training_images_are(name: str, stripes: Dataset) -> None:
    X, y = stripes.images[:40], stripes.labels[:40]
    classifier = untrained(name, n_epochs=1)
    with pytest.raises(ValueError, match="a class that y does not have"):
        classifier.fit(X, y, X[:2], np.array([0, 9]))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        classifier.fit(X, y, X[:5], y[:4])
    with pytest.raises(ValueError, match="trained on images of"):
        classifier.fit(X, y, np.zeros((12, 12, 13), dtype=np.uint8), np.zeros(13, dtype=np.int64))
    with pytest.raises(ValueError, match="contains NaN"):
        classifier.fit(X, y, np.full((2, 12, 12), np.nan), y[:2])
    classifier.fit(X, y, X[:5].tolist(), y[:5].tolist())


@every_network
def test_a_share_to_validate_on_must_leave_something_to_train_on(
    name: str, stripes: Dataset
) -> None:
    for fraction in (1.0, 1.5, -0.1, math.nan):
        classifier = untrained(name, n_epochs=1, validation_fraction=fraction)
        with pytest.raises(RecipeError, match="validation_fraction must be in"):
            classifier.fit(stripes.images, stripes.labels)


ROWS = np.random.default_rng(0).integers(0, 256, (20, 16)).astype(float)
LABELS = np.arange(20) % 2


def rows_with(value: float) -> np.ndarray:
    X = ROWS.copy()
    X[3, 5] = value
    return X


# What a user may get wrong, and the words that must say so.
MISTAKES: dict[str, tuple[Callable[[Any], object], str]] = {
    "NaN": (lambda c: c.fit(rows_with(math.nan), LABELS), "X contains NaN"),
    "infinity": (lambda c: c.fit(rows_with(math.inf), LABELS), "X contains infinity"),
    "NaN to be classified": (
        lambda c: c.fit(ROWS, LABELS).predict(rows_with(math.nan)),
        "X contains NaN",
    ),
    "infinity to be classified": (
        lambda c: c.fit(ROWS, LABELS).predict(rows_with(-math.inf)),
        "X contains infinity",
    ),
    "fewer features": (
        lambda c: c.fit(ROWS, LABELS).predict(ROWS[:, :15]),
        "X has 15 features, but .* is expecting 16 features as input",
    ),
    "one class": (lambda c: c.fit(ROWS, np.zeros(20)), "(one class|number of classes)"),
    "no images": (lambda c: c.fit(ROWS[:0], LABELS[:0]), r"Found array with 0 sample\(s\)"),
    "no pixels": (lambda c: c.fit(ROWS[:, :0], LABELS), r"Found array with 0 feature\(s\)"),
    "no images to be classified": (
        lambda c: c.fit(ROWS, LABELS).predict(ROWS[:0]),
        r"Found array with 0 sample\(s\)",
    ),
    "labels missing": (lambda c: c.fit(ROWS, LABELS[:19]), "inconsistent numbers of samples"),
    "no labels": (lambda c: c.fit(ROWS, None), "requires y to be passed"),
    "not fitted": (lambda c: c.predict(ROWS), "is not fitted yet"),
    "colour images": (lambda c: c.fit(np.zeros((20, 4, 4, 3)), LABELS), r"(dim 4|20, 4, 4, 3)"),
    "colour images to be classified": (
        lambda c: c.fit(ROWS, LABELS).predict(np.zeros((20, 4, 4, 3))),
        r"(dim 4|20, 4, 4, 3)",
    ),
    "one row": (lambda c: c.fit(ROWS[0], LABELS), "1D array"),
    "one row to be classified": (lambda c: c.fit(ROWS, LABELS).predict(ROWS[0]), "1D array"),
    "measurements as labels": (lambda c: c.fit(ROWS, ROWS[:, 0] / 7), "Unknown label type"),
    "NaN as a label": (lambda c: c.fit(ROWS, np.where(LABELS, math.nan, 0.0)), "y contains NaN"),
    "labels in a matrix": (lambda c: c.fit(ROWS, np.eye(20)), "1d array"),
    "words as images": (lambda c: c.fit([["a"] * 3] * 20, LABELS), "could not convert string"),
    "complex numbers": (lambda c: c.fit(ROWS * 1j, LABELS), "Complex data not supported"),
}


@every_classifier
@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_raise_what_scikit_learn_raises(name: str, mistake: str) -> None:
    make, words = MISTAKES[mistake]
    with pytest.raises(ValueError, match=words) as ours:
        make(untrained(name, n_epochs=1))
    with pytest.raises(ValueError, match=words) as theirs:
        make(SVC())
    assert type(ours.value) is type(theirs.value)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_scikit_learns_network_takes_no_other_way(mistake: str) -> None:
    """MLPClassifier agrees with SVC on what is an error and of which type, but for two cases."""
    make, words = MISTAKES[mistake]
    network = MLPClassifier((2,), max_iter=1000, tol=1, random_state=0)
    if mistake in ("one class", "labels in a matrix"):  # it learns the one, and several at once
        make(network)
    else:
        with pytest.raises(ValueError, match=words):
            make(network)


@every_classifier
def test_works_in_scikit_learns_tools(name: str, stripes: Dataset) -> None:
    X, y = stripes.images.reshape(len(stripes), -1).astype(np.float32), stripes.labels
    classifier = untrained(name, **QUICKLY | {"n_epochs": 4})
    setting, values = "learning_rate", [1e-5, 0.02]
    if name in MACHINES:
        setting, values = "gamma", [1e4, "scale"]  # the first sees nothing near but an image itself
    search = GridSearchCV(
        Pipeline([("scale", StandardScaler()), ("learn", classifier)]),
        {f"learn__{setting}": values, "learn__scaling": ["min-max", "standard"]},
        cv=2,
    )
    search.fit(X, y)
    assert search.best_params_[f"learn__{setting}"] == values[1]
    assert search.predict(X[:3]).shape == (3,)
    assert cross_val_score(classifier, X, y, cv=2).mean() > 0.8


def test_shorthand_for_hidden_sizes_can_be_searched(stripes: Dataset) -> None:
    X, y = stripes.images.reshape(len(stripes), -1).astype(np.float32), stripes.labels
    classifier = TorchClassifier(
        "mlp", n_epochs=4, batch_size=32, precision="float32", random_state=0
    )
    search = GridSearchCV(
        Pipeline([("scale", StandardScaler()), ("net", classifier)]),
        {"net__hidden_sizes": [(), (16,)], "net__learning_rate": [1e-5, 0.02]},
        cv=2,
    )
    search.fit(X, y)
    assert search.best_params_["net__learning_rate"] == 0.02


@every_classifier
def test_a_clone_has_the_same_settings_and_nothing_learned(name: str, stripes: Dataset) -> None:
    classifier = untrained(name, n_epochs=1).fit(stripes.images[:40], stripes.labels[:40])
    copy = clone(classifier)
    assert copy.get_params() == classifier.get_params()
    assert not hasattr(copy, "classes_")
    again = copy.fit(stripes.images[:40], stripes.labels[:40])
    assert np.array_equal(outputs(again, stripes.images), outputs(classifier, stripes.images))
