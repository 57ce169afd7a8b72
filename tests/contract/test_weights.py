"""What sample_weight and class_weight must do in every classifier, and what they must leave."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.calibration import CalibratedClassifierCV
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import SVC
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.estimator_checks import (
    check_estimator,
    check_sample_weight_equivalence_on_dense_data,
)
from torch.nn.functional import cross_entropy

from mnistlab.classifiers import ScratchClassifier, SVMClassifier, TorchClassifier
from mnistlab.classifiers.inputs import hold_out
from mnistlab.classifiers.storage import load_classifier, save_classifier
from mnistlab.classifiers.weights import relative, weights_of
from mnistlab.data import Dataset
from mnistlab.models import build
from mnistlab.phases import Checkpoint, Phase

NETWORK = {"hidden_sizes": (16,), "n_epochs": 12, "learning_rate": 0.01, "random_state": 0}
TORCH = partial(TorchClassifier, **NETWORK, precision="float32")
BY_HAND = partial(ScratchClassifier, **NETWORK, optimizer="adam", batch_size=64)
NETWORKS: dict[str, Callable[..., Any]] = {"torch": TORCH, "scratch": BY_HAND}
CLASSIFIERS: dict[str, Callable[..., Any]] = {
    **NETWORKS,
    "svm": SVMClassifier,
    "svm calibrated": partial(SVMClassifier, calibrated=True, random_state=0),
}
every_classifier = pytest.mark.parametrize("name", CLASSIFIERS)
every_network = pytest.mark.parametrize("name", NETWORKS)
N_EQUIVALENT = "check_sample_weight_equivalence_on_dense_data"


def rare(n: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images whose middle is a little brighter in one of ten: class "b"."""
    random = np.random.default_rng(seed)
    y = np.where(np.arange(n) % 10 == 0, "b", "a")
    X = random.normal(100, 30, (n, 6, 6))
    X[y == "b", 1:5, 1:5] += 18
    return np.clip(X, 0, 255).astype(np.uint8), y


def same_bits(first: Any, second: Any) -> bool:
    ours, theirs = first.arrays(), second.arrays()
    return all(np.array_equal(ours[name], theirs[name]) for name in ours.keys() | theirs.keys())


# What scikit-learn asks for


@pytest.mark.parametrize(
    "estimator",
    [TORCH(n_epochs=30), BY_HAND(n_epochs=30), SVMClassifier()],
    ids=lambda estimator: type(estimator).__name__,
)
def test_scikit_learns_checks_of_weights_pass(estimator: Any) -> None:
    """But that of images repeated: a network's batches are others then, and so is float32."""
    results = check_estimator(
        estimator,
        expected_failed_checks={N_EQUIVALENT: "batches are drawn from other images"},
        on_skip=None,
    )
    of_weights = [result["check_name"] for result in results if "weight" in result["check_name"]]
    assert len(of_weights) >= 9
    assert N_EQUIVALENT in of_weights


def test_an_image_of_weight_3_is_as_three_images() -> None:
    """Where a batch is the whole set, numbers are float64 and no image is held out or scaled."""
    whole = BY_HAND(
        optimizer="sgd",
        precision="float64",
        batch_size=10_000,
        validation_fraction=0,
        scaling="none",
    )
    check_sample_weight_equivalence_on_dense_data("ScratchClassifier", whole)


@every_classifier
@pytest.mark.parametrize("labels", [[1, 2, 5], ["1", "2", "5"], ["a", "b", "c"], [-1.5, 0.0, 2.5]])
def test_weights_of_classes_are_scikit_learns(name: str, labels: list) -> None:
    codes = np.repeat([0, 1, 2], [70, 20, 10])
    classes = np.array(labels)
    by_class = compute_class_weight("balanced", classes=classes, y=classes[codes])
    own = np.linspace(0.5, 2, 100)
    expected = by_class[codes] * own
    np.testing.assert_allclose(weights_of("balanced", own, classes, codes), expected)
    as_dict = dict(zip(labels, by_class, strict=True))
    np.testing.assert_allclose(weights_of(as_dict, own, classes, codes), expected)
    # One that is not named counts once.
    weights = weights_of({labels[1]: 3}, None, classes, codes)
    np.testing.assert_array_equal(weights, np.where(codes == 1, 3.0, 1.0))


# What weights do


@every_classifier
def test_balanced_weights_find_the_rare_class(name: str) -> None:
    (X, y), (X_new, y_new) = rare(400), rare(400, seed=1)

    def balanced_accuracy(**settings: Any) -> float:
        return balanced_accuracy_score(y_new, made(**settings).fit(X, y).predict(X_new))

    made = CLASSIFIERS[name]
    if name in NETWORKS:
        made = partial(made, validation_fraction=0)
    if name.startswith("svm"):
        made = partial(made, C=0.3)
    plain, balanced = balanced_accuracy(), balanced_accuracy(class_weight="balanced")
    assert balanced > max(plain, 0.75)


@every_classifier
def test_unweighted_and_equally_weighted_are_the_same_bits(name: str, stripes: Dataset) -> None:
    X, y = stripes.images[:120], stripes.labels[:120]
    plain = CLASSIFIERS[name]().fit(X, y)
    for weight in (np.ones(120), np.full(120, 0.1), [3] * 120):
        assert same_bits(plain, CLASSIFIERS[name]().fit(X, y, sample_weight=weight))
    assert same_bits(plain, CLASSIFIERS[name](class_weight=dict.fromkeys(range(4), 2.5)).fit(X, y))
    assert not same_bits(plain, CLASSIFIERS[name]().fit(X, y, sample_weight=1 + np.arange(120) % 2))


@every_classifier
def test_weights_of_classes_and_of_images_are_multiplied(name: str) -> None:
    X, y = rare()
    own = 1 + np.arange(len(y)) % 3
    both = CLASSIFIERS[name](class_weight={"b": 4.0}).fit(X, y, sample_weight=own)
    alone = CLASSIFIERS[name]().fit(X, y, sample_weight=own * np.where(y == "b", 4.0, 1.0))
    assert same_bits(both, alone)


@every_network
def test_only_their_ratio_matters_to_a_network(name: str) -> None:
    X, y = rare()
    weights = np.where(y == "b", 8.0, 1.0)
    first, second = (
        CLASSIFIERS[name]().fit(X, y, sample_weight=weights * 2.0**n) for n in (0, -40)
    )
    assert same_bits(first, second)


@every_network
def test_an_image_that_weighs_nothing_changes_nothing(name: str) -> None:
    """Neither in the loss nor in the choice of the epoch, wherever the draw puts it."""
    X, y = rare()
    none = np.arange(len(y)) % 4 == 0
    weights = np.where(none, 0.0, 1.0)
    first = CLASSIFIERS[name](scaling="none").fit(X, y, sample_weight=weights)
    X, y = X.copy(), y.copy()
    X[none] = 255 - X[none]
    y[none] = np.where(y[none] == "a", "b", "a")
    second = CLASSIFIERS[name](scaling="none").fit(X, y, sample_weight=weights)
    assert same_bits(first, second)


@every_network
def test_held_out_images_count_by_their_weights(name: str) -> None:
    X, y = rare()
    weights = np.random.default_rng(0).uniform(0.1, 5, len(y))
    settings = {"validation_fraction": 0.3, "n_epochs": 3}
    classifier = CLASSIFIERS[name](**settings).fit(X, y, sample_weight=weights)
    _, held = hold_out((y == "b").astype(np.int64), 0.3, 0)
    best = min(classifier.history_, key=lambda epoch: epoch["val_loss"])
    p = classifier.predict_proba(X[held])
    own = p[np.arange(len(held)), (y[held] == "b").astype(int)]
    right = np.average(classifier.predict(X[held]) == y[held], weights=weights[held])
    assert best["val_accuracy"] == pytest.approx(right, abs=1e-6)
    loss = np.average(-np.log(own), weights=weights[held])
    assert best["val_loss"] == pytest.approx(loss, rel=1e-4)
    recall = balanced_accuracy_score(
        y[held], classifier.predict(X[held]), sample_weight=weights[held]
    )
    assert best["val_balanced_accuracy"] == pytest.approx(recall, abs=1e-6)


@every_network
def test_what_chooses_the_epoch_counts_as_the_training_does(name: str) -> None:
    """Of images given, the balanced accuracy; of those held out with weights, their loss."""
    X, y = rare()
    X_val, y_val = rare(200, seed=2)
    classifier = CLASSIFIERS[name](class_weight="balanced", n_epochs=15).fit(X, y, X_val, y_val)
    best = max(classifier.history_, key=lambda epoch: epoch["val_balanced_accuracy"])
    found = balanced_accuracy_score(y_val, classifier.predict(X_val))
    assert best["val_balanced_accuracy"] == pytest.approx(found, abs=1e-9)
    phase = Phase("adam", 0.01, 15, monitor="loss")
    settings = {"class_weight": "balanced", "n_epochs": 15, "validation_fraction": 0.3}
    held_out = CLASSIFIERS[name](**settings).fit(X, y)
    assert same_bits(held_out, CLASSIFIERS[name](**settings, phases=(phase,)).fit(X, y))


# Oracles


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_torch_loop_is_that_of_plain_torch(smoothing: float, stripes: Dataset) -> None:
    X, y = stripes.images[:100], stripes.labels[:100]
    weights = np.random.default_rng(0).uniform(0, 4, 100)
    phase = Phase("sgd", 0.05, 2, label_smoothing=smoothing)
    ours = TorchClassifier(
        "mlp",
        phases=(phase,),
        batch_size=30,
        scaling="none",
        validation_fraction=0,
        precision="float32",
        random_state=3,
    ).fit(X, y, sample_weight=weights)
    torch.manual_seed(3)
    theirs = build("mlp", (12, 12), 4, {})
    optimizer, shuffler = torch.optim.SGD(theirs.parameters(), 0.05), torch.Generator()
    shuffler.manual_seed(3)
    images, labels = torch.from_numpy(X).float()[:, None], torch.from_numpy(y)
    w = torch.from_numpy(weights / weights.mean()).float()
    for _ in range(2):
        total = 0.0
        for batch in torch.randperm(100, generator=shuffler).split(30):
            losses = cross_entropy(
                theirs(images[batch]), labels[batch], reduction="none", label_smoothing=smoothing
            )
            loss = (w[batch] * losses).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        last = total / 100
    # Without a validation part the epoch of the lowest loss is kept; scale and order are the same.
    assert ours.history_[-1]["train_loss"] == pytest.approx(last, rel=1e-4)


def test_mixed_images_count_by_the_weights_of_both(stripes: Dataset) -> None:
    """Share times weight times loss, for each of the two: plain torch, by the mixture's draws."""
    from mnistlab.training.augmentation import augmenter
    from mnistlab.training.loss import mean_loss

    y = torch.arange(12) % 4
    X = torch.arange(12.0)[:, None, None, None].expand(12, 1, 4, 4).contiguous()
    weights = torch.linspace(0, 3, 12)
    logits = torch.randn(12, 4, generator=torch.Generator().manual_seed(0))
    for mixture, smoothing in itertools.product(("mixup", "cutmix"), (0.0, 0.2)):
        mixed, shares = augmenter({mixture: 1.0}, 4, seed=5)(X, y, None)
        again, targets = augmenter({mixture: 1.0}, 4, seed=5)(X, y, weights)
        assert torch.equal(mixed, again)
        # Every image has a brightness of its own: the mean tells which was mixed in.
        mean, expected = mixed.mean((1, 2, 3)), torch.zeros(())
        for n in range(12):
            own = shares[n, y[n]].item()
            other = n if own > 0.9999 else round((mean[n].item() - own * n) / (1 - own))
            if y[other] == y[n]:
                continue  # their shares cannot be told apart: left out on both sides
            for image, share in ((n, own), (other, 1 - own)):
                expected = expected + weights[image] * share * cross_entropy(
                    logits[n], y[image], label_smoothing=smoothing
                )
            targets[n] = targets[n].clone()
        told = torch.tensor([(row > 0).sum() == 2 for row in shares])
        assert told.any()
        ours = mean_loss(logits[told], targets[told], weights[told], smoothing) * told.sum()
        weighed = torch.stack([row.sum() for row in targets])
        assert (weighed <= weights.max() + 1e-6).all()
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("labels", [("a", "b"), ("a", "b", "c")])
@pytest.mark.parametrize("class_weight", [None, "balanced", {"b": 5.0}])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_machine_is_scikit_learns(
    labels: tuple, class_weight: Any, weighted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(0)
    y = random.choice(labels, 150, p=[0.7, 0.3] if len(labels) == 2 else [0.6, 0.3, 0.1])
    X = random.normal(size=(150, 9)) + (y == "b")[:, None] * 0.5
    weights = random.uniform(0, 3, 150) if weighted else None
    ours = SVMClassifier(scaling="none", class_weight=class_weight)
    theirs = SVC(class_weight=class_weight).fit(X, y, weights)
    engine = ours.fit(X, y, sample_weight=weights).engine_
    np.testing.assert_allclose(
        ours.decision_function(X), theirs.decision_function(X), atol=5e-3, err_msg=engine
    )
    monkeypatch.setattr("mnistlab.classifiers.kernel_machine.fastest_svc", lambda: (SVC, "sklearn"))
    ours.fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), atol=5e-3)
    assert np.array_equal(ours.predict(X), theirs.predict(X))


def test_calibration_gets_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mnistlab.classifiers.kernel_machine.fastest_svc", lambda: (SVC, "sklearn"))
    X, y = rare(200)
    X = X.reshape(200, -1) / 255.0
    weights = np.random.default_rng(0).uniform(0.2, 2, 200)
    ours = SVMClassifier(scaling="none", calibrated=True, class_weight="balanced", random_state=0)
    ours.fit(X, y, sample_weight=weights)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    by_class = dict(
        zip("ab", compute_class_weight("balanced", classes=np.unique(y), y=y), strict=True)
    )
    theirs = CalibratedClassifierCV(SVC(), cv=folds, ensemble=False).fit(
        X - X.mean(), y, weights * np.array([by_class[label] for label in y])
    )
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X - X.mean()), atol=5e-3)


# Where weights must not be lost


@every_network
def test_a_resumed_training_is_the_undisturbed_one(name: str) -> None:
    X, y = rare()
    weights = np.random.default_rng(1).uniform(0, 2, len(y))

    class Kept:
        def __init__(self, at: int | None, found: Checkpoint | None = None) -> None:
            self.at, self.found, self.n = at, found, 0

        def last(self) -> Checkpoint | None:
            return self.found

        def is_due(self) -> bool:
            self.n += 1
            return self.n == self.at

        def save(self, checkpoint: Checkpoint) -> None:
            self.found = checkpoint
            raise KeyboardInterrupt

    def fitted(checkpointer: Any) -> Any:
        made = CLASSIFIERS[name](class_weight="balanced", n_epochs=4)
        return made.fit(X, y, sample_weight=weights, checkpointer=checkpointer)

    undisturbed, stopped = fitted(Kept(None)), Kept(7)
    with pytest.raises(KeyboardInterrupt):
        fitted(stopped)
    resumed = fitted(Kept(None, stopped.found))
    assert same_bits(undisturbed, resumed)
    assert [e["train_loss"] for e in undisturbed.history_] == [
        e["train_loss"] for e in resumed.history_
    ]


def test_an_expanded_image_keeps_its_weight_in_every_view(stripes: Dataset) -> None:
    """Images of weight 0 are without effect in all four of their views."""
    X, y = stripes.images[:80].copy(), stripes.labels[:80]
    none = np.arange(80) % 5 == 2
    weights = np.where(none, 0.0, 1.0 + np.arange(80) % 3)
    made = partial(
        TORCH, expansion="flip-and-zoom", validation_fraction=0, n_epochs=2, scaling="none"
    )
    first = made().fit(X, y, sample_weight=weights)
    X[none] = 255 - X[none]
    assert same_bits(first, made().fit(X, y, sample_weight=weights))
    assert not same_bits(first, made().fit(X, y))


@pytest.mark.parametrize("augmentation", [{}, {"shift": 1}, {"mixup": 0.4}])
def test_features_of_frozen_blocks_keep_the_weights(
    augmentation: dict, stripes: Dataset, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MNISTLAB_CACHE", str(tmp_path))
    X, y = stripes.images[:60], stripes.labels[:60]
    weights = np.where(np.arange(60) % 6 == 0, 0.0, 1.0 + np.arange(60) % 3)
    labels = np.where(weights == 0, (y + 1) % 4, y)  # without effect

    def fitted(kept_views: int, y: np.ndarray) -> Any:
        return TorchClassifier(
            "transfer",
            {"backbone": "timm/test_efficientnet", "weights": "none", "input_size": 16},
            phases=(Phase("sgd", 0.1, 2, unfrozen=0, kept_views=kept_views),),
            augmentation=augmentation,
            validation_fraction=0,
            batch_size=16,
            precision="float32",
            random_state=0,
        ).fit(X, y, sample_weight=weights)

    assert same_bits(fitted(2, y), fitted(2, labels))
    losses = [[e["train_loss"] for e in fitted(n, y).history_] for n in (0, 2)]
    if not augmentation:
        assert losses[0] == pytest.approx(losses[1], rel=1e-5)


@every_classifier
def test_a_stored_classifier_knows_the_weights_of_its_classes(name: str, tmp_path: Any) -> None:
    for labels in (["a", "b"], [3, 7], [True, False]):
        X, y = rare(60)
        y = np.where(y == "b", *labels)
        weight = {np.asarray(labels)[0]: 2.5, labels[1]: 1}
        classifier = CLASSIFIERS[name](class_weight=weight).fit(X, y)
        save_classifier(classifier, tmp_path / "model.safetensors")
        loaded = load_classifier(tmp_path / "model.safetensors")
        assert loaded.class_weight == classifier.class_weight
        assert np.array_equal(loaded.predict(X), classifier.predict(X))


# What is refused


@every_classifier
@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.ones(299), "inconsistent numbers of samples"),
        (np.ones((300, 2)), "sample_weight must have one dimension"),
        (-np.ones(300), "sample_weight holds a negative number"),
        (np.zeros(300), "every sample_weight is zero"),
        (np.full(300, np.nan), "sample_weight contains NaN"),
        (np.full(300, np.inf), "sample_weight contains infinity"),
        (np.full(300, 1e308), "too large: their sum is not finite"),
        (1.0 * (np.arange(300) % 10 == 0), "at least 2 classes; .* only of class"),
    ],
)
def test_weights_that_are_none_are_refused(name: str, weight: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CLASSIFIERS[name]().fit(*rare(), sample_weight=weight)


@every_classifier
@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ("even", "class_weight must be None, 'balanced' or a dict by class, got 'even'"),
        ({"b": -1}, "class_weight holds a number that is negative or not finite"),
        ({"b": float("inf")}, "class_weight holds a number that is negative or not finite"),
        ({"c": 2.0}, "class_weight names 'c', a class that y does not have"),
        ({"b": 0}, "at least 2 classes; .* only of class"),
    ],
)
def test_class_weights_that_are_none_are_refused(name: str, weight: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CLASSIFIERS[name](class_weight=weight).fit(*rare())


def test_a_class_too_many_is_passed_over_where_all_others_are_named() -> None:
    X, y = rare()
    classifier = BY_HAND(class_weight={"a": 1, "b": 9, "c": 2}, n_epochs=1).fit(X, y)
    assert same_bits(classifier, BY_HAND(class_weight={"b": 9}, n_epochs=1).fit(X, y))


def test_a_machine_needs_images_of_every_class() -> None:
    X = np.random.default_rng(0).normal(size=(30, 4))
    with pytest.raises(ValueError, match="the images of class 2 all weigh zero"):
        SVMClassifier(class_weight={2: 0}).fit(X, np.arange(30) % 3)


@every_classifier
def test_half_a_validation_set_is_refused(name: str) -> None:
    X, y = rare(60)
    with pytest.raises(ValueError, match="y_val is missing"):
        CLASSIFIERS[name]().fit(X, y, X_val=X)
    with pytest.raises(ValueError, match="X_val is missing"):
        CLASSIFIERS[name]().fit(X, y, y_val=y)
    CLASSIFIERS[name]().fit(X, y, X, y)


@every_classifier
def test_a_validation_set_that_does_not_fit_is_refused(name: str) -> None:
    X, y = rare(60)
    for X_val, y_val in ((X, y[:-1]), (X[:, :-1], y), (X, np.full(60, "no such class"))):
        with pytest.raises(
            ValueError, match=r"inconsistent|trained on images of|a class that y does not"
        ):
            CLASSIFIERS[name]().fit(X, y, X_val, y_val)


@every_classifier
def test_one_weight_for_all_images_is_none(name: str) -> None:
    X, y = rare(60)
    assert same_bits(
        CLASSIFIERS[name]().fit(X, y, sample_weight=2.0), CLASSIFIERS[name]().fit(X, y)
    )


# Images held out


def test_the_draw_of_images_held_out_is_as_it_was() -> None:
    codes = np.arange(200) % 4
    order = np.random.default_rng(7).permutation(200)
    train, val = hold_out(codes, 0.1, 7)
    assert np.array_equal(val, order[:20])
    assert np.array_equal(train, order[20:])


@pytest.mark.parametrize("seed", range(20))
def test_no_class_is_held_out_as_a_whole(seed: int) -> None:
    codes = np.repeat([0, 1, 2, 3], [60, 2, 1, 1])
    train, val = hold_out(codes, 0.3, seed)
    assert set(codes[train]) == {0, 1, 2, 3}
    assert sorted([*train, *val]) == list(range(64))
    assert len(val) == 19
    drawn = np.random.default_rng(seed).permutation(64)[:19]
    n_lost = len(set(codes) - set(np.delete(codes, drawn)))
    assert len(set(drawn) - set(val)) == n_lost


def test_where_every_class_has_one_image_none_is_held_out() -> None:
    train, val = hold_out(np.arange(10), 0.2, 0)
    assert sorted(train) == list(range(10))
    assert len(val) == 0


def test_mean_one_and_no_digits_lost() -> None:
    weights = relative(np.array([1e-300, 3e-300]))
    np.testing.assert_allclose(weights, [0.5, 1.5])
    assert relative(np.full(5, 0.1)) is None
    with pytest.raises(ValueError, match="weight of zero"):
        relative(np.zeros(3))
