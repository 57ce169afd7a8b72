"""The SVM agrees with scikit-learn's own parts put together by hand, whoever trained it."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pytest
import sklearn.svm
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import SVC

from mnistlab.classifiers import SVMClassifier
from mnistlab.classifiers.kernel_machine import KernelMachine, fastest_svc
from mnistlab.data import Dataset
from mnistlab.errors import RecipeError


def rows_of(images: np.ndarray, scaling: str = "min-max") -> np.ndarray:
    """Scaled pixels (N, D) in float64, by the formulas the scalings are defined by."""
    rows = images.reshape(len(images), -1).astype(np.float64)
    if scaling == "min-max":
        return (rows - rows.min()) / (rows.max() - rows.min())
    return (rows - rows.mean()) / rows.std() if scaling == "standard" else rows


@pytest.fixture
def train(stripes: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Images in four classes that are hard enough for errors: most of each stripe is covered."""
    images = stripes.images[:240].copy()
    images[:, :, 2:] = np.random.default_rng(0).integers(0, 256, (240, 12, 10), dtype=np.uint8)
    return images, stripes.labels[:240]


@pytest.fixture
def without_intelex(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearnex.svm", None)


@pytest.mark.parametrize(
    ("scaling", "gamma"),
    [
        ("min-max", "scale"),
        ("min-max", "auto"),
        ("min-max", 0.02),
        ("standard", "scale"),
        ("standard", "auto"),
        ("none", "scale"),
        ("none", 2e-6),
    ],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_it_is_svc_on_scaled_pixels(
    train, n_classes: int, dtype: type, scaling: str, gamma: float | str
) -> None:
    X, y = train[0][train[1] < n_classes], train[1][train[1] < n_classes]
    ours = SVMClassifier(C=3.0, gamma=gamma, scaling=scaling).fit(X.astype(dtype), y)
    rows = rows_of(X, scaling)
    theirs = SVC(C=3.0, gamma=gamma).fit(rows, y)
    decision = theirs.decision_function(rows)
    # Both solvers stop at a tolerance of 1e-3 of their own.
    np.testing.assert_allclose(ours.decision_function(X.astype(dtype)), decision, atol=5e-3)
    sure = np.abs(decision if n_classes == 2 else np.diff(np.sort(decision))[:, -1]) > 1e-2
    assert sure.mean() > 0.9
    assert np.array_equal(ours.predict(X.astype(dtype))[sure], theirs.predict(rows)[sure])


def test_without_intelex_it_is_svc_to_rounding(train, without_intelex) -> None:
    X, y = train
    ours = SVMClassifier(C=3.0).fit(X.astype(np.float64), y)
    theirs = SVC(C=3.0).fit(rows_of(X), y)
    assert ours.engine_ == "scikit-learn"
    np.testing.assert_allclose(
        ours.decision_function(X.astype(np.float64)),
        theirs.decision_function(rows_of(X)),
        atol=1e-8,
    )
    assert np.array_equal(ours.predict(X), theirs.predict(rows_of(X)))


def test_numbers_far_from_zero_are_told_apart(train, without_intelex) -> None:
    """Squares of large numbers must not drown the distances between them."""
    X = (train[0] / np.float32(255) + np.float32(1000)).astype(np.float32)
    ours = SVMClassifier(scaling="none").fit(X, train[1])
    theirs = SVC().fit(rows_of(X, "none"), train[1])
    np.testing.assert_allclose(
        ours.decision_function(X), theirs.decision_function(rows_of(X, "none")), atol=1e-2
    )


def test_it_works_in_the_precision_of_its_images(train) -> None:
    X, y = train
    for dtype, worked_in in (
        (np.uint8, np.float32),
        (np.float32, np.float32),
        (np.float64, np.float64),
        (np.int64, np.float64),
    ):
        assert SVMClassifier().fit(X.astype(dtype), y).machine_.vectors.dtype == worked_in


def test_what_fit_leaves_behind(train, stripes: Dataset) -> None:
    X, y = train
    classifier = SVMClassifier()
    steps: list[object] = []
    held_out = stripes.images[480:], stripes.labels[480:]
    assert (
        classifier.fit(X, y, *held_out, on_step=lambda: steps.append(1), on_epoch=steps.append)
        is classifier
    )
    machine = classifier.machine_
    n_vectors = len(machine.vectors)
    assert 0 < n_vectors <= len(X)
    assert classifier.n_parameters_ == n_vectors * 144 + 3 * n_vectors + 6
    assert (classifier.history_, steps) == ([], [])
    assert classifier.image_shape_ == (12, 12)
    assert np.array_equal(
        classifier.decision_function(X), SVMClassifier().fit(X, y).decision_function(X)
    )


def test_equal_images_in_both_classes_are_no_crash(without_intelex) -> None:
    X, y = np.full((20, 3, 3), 7, dtype=np.uint8), np.arange(20) % 2
    classifier = SVMClassifier().fit(X, y)
    theirs = SVC().fit(np.zeros((20, 9)), y)
    assert np.array_equal(classifier.predict(X), theirs.predict(np.zeros((20, 9))))


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("n_folds", [2, 5])
def test_probabilities_are_those_of_calibrated_folds(
    train, n_classes: int, n_folds: int, without_intelex
) -> None:
    X, y = train[0][train[1] < n_classes], train[1][train[1] < n_classes]
    y[::3] = y[::3][::-1]  # wrong labels, or it would be sure of everything
    ours = SVMClassifier(calibrated=True, n_calibration_folds=n_folds, random_state=7)
    ours.fit(X.astype(np.float64), y)
    folds = StratifiedKFold(n_folds, shuffle=True, random_state=7)
    theirs = CalibratedClassifierCV(SVC(), cv=folds, ensemble=False).fit(rows_of(X), y)
    expected = theirs.predict_proba(rows_of(X))
    np.testing.assert_allclose(ours.predict_proba(X.astype(np.float64)), expected, atol=1e-7)
    assert np.array_equal(ours.predict(X), theirs.predict(rows_of(X)))
    assert expected.max(1).min() < 0.8  # some are unsure, or this would say little


def test_probabilities_are_there_only_when_calibrated(train) -> None:
    for calibrated in (False, True):
        classifier = SVMClassifier(calibrated=calibrated)
        assert hasattr(classifier, "predict_proba") == calibrated
        assert hasattr(classifier.fit(*train), "predict_proba") == calibrated
    with pytest.raises(AttributeError, match="predict_proba"):
        SVMClassifier().predict_proba(train[0])


def test_calibrated_it_names_the_most_probable_class(train, stripes: Dataset) -> None:
    classifier = SVMClassifier(calibrated=True, random_state=0).fit(*train)
    p = classifier.predict_proba(stripes.images)
    np.testing.assert_allclose(p.sum(1), 1, atol=1e-12)
    assert p.min() >= 0
    assert np.array_equal(classifier.predict(stripes.images), p.argmax(1))


def test_where_every_sigmoid_says_zero_all_classes_are_as_probable(train) -> None:
    classifier = SVMClassifier(calibrated=True, random_state=0).fit(*train)
    classifier.sigmoids_ = np.array([[0.0, 1e9]] * 4)  # 1 / (1 + exp(1e9))
    assert np.array_equal(classifier.predict_proba(train[0][:2]), np.full((2, 4), 0.25))


def test_folds_are_ordered_by_the_seed_alone(train) -> None:
    def sigmoids(random_state: object) -> np.ndarray:
        return SVMClassifier(calibrated=True, random_state=random_state).fit(*train).sigmoids_

    first = sigmoids(0)
    assert np.array_equal(first, sigmoids(0))
    assert not np.array_equal(first, sigmoids(1))
    drawn = [sigmoids(np.random.RandomState(3)) for _ in range(2)]
    assert np.array_equal(*drawn)


def test_nothing_it_uses_is_deprecated(train) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        SVMClassifier(calibrated=True, random_state=0).fit(*train).predict_proba(train[0])
    assert [str(warning.message) for warning in caught] == []


@pytest.mark.parametrize("intelex", [False, True])
@pytest.mark.parametrize(
    "settings", [{"C": 0.0}, {"C": -1.0}, {"C": "x"}, {"gamma": -1.0}, {"gamma": "zzz"}], ids=str
)
def test_settings_that_svc_refuses_are_refused(
    train, settings: dict, intelex: bool, monkeypatch
) -> None:
    if not intelex:
        monkeypatch.setitem(sys.modules, "sklearnex.svm", None)
    (name,) = settings
    with pytest.raises(ValueError, match=f"The '{name}' parameter of SVC must be"):
        SVMClassifier(**settings).fit(*train)


def test_a_gamma_too_large_to_compute_with_is_refused(train, monkeypatch) -> None:
    """Whether libsvm rounds a distance to below zero, and so overflows, depends on the CPU."""

    class Overflowing(SVC):
        def fit(self, X, y, sample_weight=None):
            super().fit(X, y, sample_weight)
            self.intercept_ = np.full_like(self.intercept_, np.nan)
            return self

    def overflowing() -> tuple[type, str]:
        return Overflowing, "scikit-learn"

    monkeypatch.setattr("mnistlab.classifiers.kernel_machine.fastest_svc", overflowing)
    X, y = train
    with pytest.raises(RecipeError, match=r"C 1.0 and gamma 1e\+30 give numbers that are not"):
        SVMClassifier(gamma=1e30).fit(X, y)


def test_other_settings_that_cannot_be(train) -> None:
    with pytest.raises(RecipeError, match="unknown scaling 'zzz'"):
        SVMClassifier(scaling="zzz").fit(*train)
    few = SVMClassifier(calibrated=True, n_calibration_folds=9)
    with pytest.raises(ValueError, match="less than 9 examples for at least one class"):
        few.fit(train[0][:20], train[1][:20])


def test_intelex_trains_the_same_machine(train) -> None:
    pytest.importorskip("sklearnex", reason="the extra fast-svm is not installed")
    X, y = train
    fast = SVMClassifier().fit(X, y)
    assert fast.engine_ == "scikit-learn-intelex"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "sklearnex.svm", None)
        stock = SVMClassifier().fit(X, y)
    assert stock.engine_ == "scikit-learn"
    np.testing.assert_allclose(fast.decision_function(X), stock.decision_function(X), atol=5e-3)
    assert (fast.predict(X) == stock.predict(X)).mean() > 0.99


def test_svc_stays_scikit_learns_own(train) -> None:
    before = sklearn.svm.SVC
    SVMClassifier(calibrated=True, random_state=0).fit(*train)
    assert sklearn.svm.SVC is before is SVC
    assert before.__module__ == "sklearn.svm._classes"
    assert {
        f"{name}.{attribute}"
        for name, module in sys.modules.items()
        if name.split(".")[0] == "sklearn"
        for attribute, value in vars(module).items()
        if str(getattr(value, "__module__", "")).split(".")[0] in ("sklearnex", "daal4py", "onedal")
    } == set()


def test_the_fastest_there_is_is_named(without_intelex) -> None:
    assert fastest_svc() == (SVC, "scikit-learn")


def test_the_machine_calibration_trains_is_an_estimator(without_intelex) -> None:
    random = np.random.default_rng(0)
    X, y = random.normal(size=(60, 4)), np.arange(60) % 3
    X[:, 0] += y
    ours, theirs = KernelMachine(C=2.0).fit(X, y), SVC(C=2.0).fit(X, y)
    assert ours.get_params().items() >= {"C": 2.0, "gamma": "scale"}.items()
    np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), atol=1e-12)
    assert np.array_equal(ours.predict(X), theirs.predict(X))


def said_by(statements: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-c", statements], capture_output=True, text=True, check=True
    )
    return finished.stdout.splitlines()[-1]


def test_importing_it_loads_neither_torch_nor_intelex() -> None:
    said = said_by(
        "import sys, mnistlab.classifiers.svm_classifier\n"
        "print(sorted({'torch', 'torchvision', 'sklearnex', 'daal4py'} & set(sys.modules)))"
    )
    assert said == "[]"


def test_it_and_the_network_by_hand_work_without_torch(tmp_path) -> None:
    said = said_by(
        "import sys\n"
        "class NoTorch:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] == 'torch': raise ImportError(name)\n"
        "sys.meta_path.insert(0, NoTorch())\n"
        "import numpy as np\n"
        "from mnistlab.classifiers import ScratchClassifier, SVMClassifier\n"
        "from mnistlab.classifiers.storage import load_classifier, save_classifier\n"
        "X, y = np.eye(20).reshape(20, 4, 5), np.arange(20) % 2\n"
        "for classifier in (ScratchClassifier(n_epochs=1), SVMClassifier()):\n"
        f"    save_classifier(classifier.fit(X, y), {str(tmp_path / 'm')!r})\n"
        f"    print(type(load_classifier({str(tmp_path / 'm')!r})).__name__, end=' ')\n"
    )
    assert said.split() == ["ScratchClassifier", "SVMClassifier"]
