"""The maps of an explanation: captum's numbers, our own backward pass, and the sanity check."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from sklearn.svm import SVC

import mnistlab as ml
from mnistlab.data.readers.unlabelled import Block
from mnistlab.errors import DataError
from mnistlab.explaining import occlusion, reading
from mnistlab.explaining.gradients import gradients_times_input, input_gradients
from mnistlab.explaining.occlusion import Patch, occlusions, patch_of, windows_of
from mnistlab.explaining.scores import class_scores, mean_margins
from mnistlab.explaining.shuffling import (
    ALL,
    LAST,
    Maps,
    n_layers,
    rank_correlation,
    sanity_checks,
    shuffled,
)
from mnistlab.explaining.words import trust
from mnistlab.exporting.modules import by_hand

N = 5  # images to explain
QUICK: dict[str, Any] = {"random_state": 0, "n_epochs": 1, "batch_size": 50}
CNN = {"channels": (4,), "batch_norm": True, "hidden_sizes": (8,)}
CLASSIFIERS: dict[str, Any] = {
    "convolutions": ml.TorchClassifier(model="cnn", model_args=CNN, **QUICK),
    "residual": ml.TorchClassifier(
        model="residual", model_args={"channels": (4, 8), "blocks": (0, 1)}, **QUICK
    ),
    "softmax": ml.TorchClassifier(
        model="mlp", scaling="min-max-per-pixel", hidden_sizes=(), **QUICK
    ),
    "by hand": ml.ScratchClassifier(hidden_sizes=(16,), activation="tanh", dropout=0.2, **QUICK),
    "by hand, convolutions": ml.ScratchClassifier(
        channels=(3, 5), hidden_sizes=(8,), batch_norm=True, **QUICK
    ),
}


@pytest.fixture(scope="module")
def images() -> ml.Dataset:
    return ml.load("fashion-mini").take(np.arange(400))


@pytest.fixture(scope="module", params=CLASSIFIERS)
def classifier(request: pytest.FixtureRequest, images: ml.Dataset) -> Any:
    return CLASSIFIERS[request.param].fit(images.images, images.labels)


def network_of(classifier: Any) -> torch.nn.Module:
    """The network in torch, of grey levels (N, 1, H, W) to logits."""
    if isinstance(classifier, ml.ScratchClassifier):
        return by_hand(classifier.network_).eval()
    return classifier.network_.eval()


def as_input(images: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(images[:, None].astype(np.float32))


def test_occlusion_is_captums(classifier: Any, images: ml.Dataset) -> None:
    captum = pytest.importorskip("captum.attr")
    some, codes = images.images[:N], classifier.predict(images.images[:N])
    network, ground, patch = network_of(classifier), 30, Patch(6, 5, 4, 3)

    def log_probabilities(X: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            return network(X).double().log_softmax(1)

    theirs = captum.Occlusion(log_probabilities).attribute(
        as_input(some),
        sliding_window_shapes=(1, patch.height, patch.width),
        strides=(1, patch.down, patch.right),
        baselines=float(ground),
        target=torch.from_numpy(codes),
    )
    found = occlusions(lambda X: class_scores(classifier, X), some, ground, patch)
    ours = [of.map_of(code) for of, code in zip(found, codes, strict=True)]
    np.testing.assert_allclose(ours, theirs[:, 0].numpy(), atol=1e-5)
    assert np.abs(ours).max() > 0.01


@pytest.mark.parametrize("ground", [0, 200])
def test_gradient_times_input_is_captums(classifier: Any, images: ml.Dataset, ground: int) -> None:
    captum = pytest.importorskip("captum.attr")
    some, codes = images.images[:N], classifier.predict(images.images[:N])
    network, target = network_of(classifier), torch.from_numpy(codes)
    X = as_input(some).requires_grad_()
    theirs = captum.InputXGradient(network).attribute(X, target=target).detach()
    theirs -= ground * captum.Saliency(network).attribute(X, target=target, abs=False).detach()
    ours = gradients_times_input(classifier, some, codes, ground)
    np.testing.assert_allclose(ours, theirs[:, 0].numpy(), atol=1e-5)
    assert np.abs(ours).max() > 0.01


def test_batches_are_their_images(classifier: Any, images: ml.Dataset) -> None:
    """One image more or less changes nothing, nor does explaining change what is predicted."""
    some, codes = images.images[:60], np.arange(60) % 10
    before = classifier.predict_proba(some)
    together = gradients_times_input(classifier, some, codes, ground=0)
    alone = gradients_times_input(classifier, some[55:56], codes[55:56], ground=0)
    np.testing.assert_allclose(together[55:56], alone, atol=1e-5)
    np.testing.assert_array_equal(classifier.predict_proba(some), before)


def test_padding_and_views_are_followed(images: ml.Dataset) -> None:
    views = ml.TorchClassifier(
        model="cnn",
        model_args={"channels": (4,)},
        pad_to=32,
        test_time_augmentation=("flip",),
        **QUICK,
    ).fit(images.images, images.labels)
    some, code = images.images[:1], np.array([3])
    gradient = input_gradients(views, some, code)

    def mean_logit(image: np.ndarray) -> float:
        X = torch.nn.functional.pad(as_input(image), (2, 2, 2, 2))
        with torch.inference_mode():
            return float((views.network_(X) + views.network_(X.flip(-1)))[0, 3] / 2)

    place = np.unravel_index(np.abs(gradient[0]).argmax(), gradient[0].shape)
    steps = []
    for step in (-0.5, 0.5):
        moved = some.astype(np.float32)
        moved[0][place] += step
        steps.append(mean_logit(moved))
    assert steps[1] - steps[0] == pytest.approx(gradient[0][place], rel=0.02)


@pytest.mark.parametrize(("features", "step"), [("pixels", 1e-2), ("hog", 1e-5)])
@pytest.mark.parametrize("n_classes", [2, 10])
def test_machines_have_scikit_learns_decisions_and_their_slope(
    n_classes: int, features: str, step: float, images: ml.Dataset
) -> None:
    chosen = images.take(np.flatnonzero(images.labels < n_classes))
    # All is then computed in float64. Directions have no slope where grey levels are exactly equal.
    X = chosen.images + np.random.default_rng(1).random(chosen.images.shape)
    machine = ml.SVMClassifier(gamma=0.02, features=features).fit(X, chosen.labels)
    rows = machine.rows(X)
    theirs = SVC(C=1.0, gamma=0.02, decision_function_shape="ovo").fit(rows, chosen.labels)
    values = theirs.decision_function(rows[:N]).reshape(N, -1)
    values = -values if n_classes == 2 else values  # scikit-learn has the second class positive
    wanted = np.zeros((N, n_classes))
    for column, (i, j) in enumerate(machine.machine_.pairs):
        wanted[:, i] += values[:, column] / (n_classes - 1)
        wanted[:, j] -= values[:, column] / (n_classes - 1)
    np.testing.assert_allclose(mean_margins(machine, X[:N]), wanted, atol=1e-3)
    codes = machine.predict(X[:N])
    gradient = input_gradients(machine, X[:N], codes)
    random = np.random.default_rng(0)
    for place in random.integers(0, 28, (20, 2)):
        moved = np.repeat(X[None, :N], 2, axis=0)  # (2, N, H, W)
        moved[:, :, place[0], place[1]] += np.array([[-step], [step]])
        low, high = (mean_margins(machine, of)[np.arange(N), codes] for of in moved)
        np.testing.assert_allclose(
            (high - low) / (2 * step), gradient[:, place[0], place[1]], rtol=1e-4, atol=1e-9
        )


def test_what_is_covered_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a score that is the brightness of the upper left quarter, only that quarter matters."""
    image = np.full((1, 12, 12), 200, np.uint8)

    def brightness(images: np.ndarray) -> np.ndarray:
        return images[:, :6, :6].mean(axis=(1, 2))[:, None].astype(np.float64)

    (whole,) = occlusions(brightness, image, 0, patch_of((12, 12)))
    found = whole.map_of(0)
    assert (found[:6, :6] > 0).all()
    assert not found[7:].any()
    monkeypatch.setattr(occlusion, "BLOCK_PIXELS", 300)  # two patches at once
    (in_parts,) = occlusions(brightness, image, 0, patch_of((12, 12)))
    np.testing.assert_array_equal(in_parts.falls, whole.falls)
    (blank,) = occlusions(brightness, np.zeros((1, 12, 12), np.uint8), 0, patch_of((12, 12)))
    assert not blank.changes.any()
    assert not blank.falls.any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 784), (2, 3), (28, 28), (31, 17), (512, 300)])
def test_patches_cover_every_pixel_with_bounded_work(shape: tuple[int, int]) -> None:
    covered = np.zeros(shape, int)
    windows = windows_of(shape, patch_of(shape))
    for rows, columns in windows:
        assert 0 <= rows.start < rows.stop <= shape[0]
        assert 0 <= columns.start < columns.stop <= shape[1]
        covered[rows, columns] += 1
    assert covered.min() >= 1
    assert len(windows) <= 400


def test_shuffling_moves_weights_and_changes_none(classifier: Any) -> None:
    before = {name: array.copy() for name, array in classifier.arrays().items()}
    random = np.random.default_rng(0)
    moved = {}
    for which in (LAST, ALL):
        other = shuffled(classifier, which, random).arrays()
        moved[which] = {name for name in before if not np.array_equal(before[name], other[name])}
        for name, array in before.items():
            np.testing.assert_array_equal(
                np.sort(array, axis=None), np.sort(other[name], axis=None)
            )
    for name, array in classifier.arrays().items():
        np.testing.assert_array_equal(array, before[name])
    assert moved[LAST] <= moved[ALL]
    assert any(before[name].ndim == 2 for name in moved[LAST])
    assert (n_layers(classifier) > 1) == (len(moved[ALL]) > len(moved[LAST]))


def test_rank_correlation_is_scipys() -> None:
    random = np.random.default_rng(0)
    one, other = random.integers(0, 9, (2, 50)).astype(np.float64)  # with ties
    assert rank_correlation(one, other) == pytest.approx(spearmanr(one, other).statistic)
    assert np.isnan(rank_correlation(one, np.zeros(50)))
    assert np.isnan(rank_correlation(one[:1], other[:1]))


def test_maps_that_do_not_depend_on_the_network_are_found_out(images: ml.Dataset) -> None:
    classifier = CLASSIFIERS["by hand"].fit(images.images, images.labels)
    some, codes = images.images[:N], images.labels[:N]

    def learned(of: Any) -> Maps:
        gradients = gradients_times_input(of, some, codes, 0)
        return Maps([g[x != 0] for g, x in zip(gradients, some, strict=True)], [])

    def of_edges(of: Any) -> Maps:  # such as guided backpropagation's, by Adebayo et al.
        edges = [np.abs(np.diff(image.astype(np.float64), axis=0)).ravel() for image in some]
        return Maps(edges, edges)

    honest = sanity_checks(classifier, learned, 2)
    assert [check.shuffled for check in honest] == [LAST, ALL]
    assert all(abs(check.occlusion) < 0.3 for check in honest)
    assert np.isnan(honest[0].gradient)
    assert "they show what it has learned" in trust(honest)
    assert "should not be trusted" in trust(sanity_checks(classifier, of_edges, 1))
    assert "blank" in trust(
        sanity_checks(classifier, lambda of: Maps([np.zeros(4)], [np.zeros(4)]), 1)
    )


def blocks_of(n: int, per_block: int = 100) -> list[Block]:
    images = (np.arange(n) % 256).astype(np.uint8)[:, None, None] * np.ones((1, 2, 2), np.uint8)
    return [
        Block([str(k) for k in range(i, min(i + per_block, n))], images[i : i + per_block])
        for i in range(0, n, per_block)
    ]


@pytest.mark.parametrize(("n", "limit"), [(1, 12), (12, 12), (13, 12), (9_999, 3), (9_999, 100)])
def test_chosen_images_are_spaced_evenly(n: int, limit: int) -> None:
    chosen = reading.chosen_from(blocks_of(n), limit, "x")
    places = np.array([int(ident) for ident in chosen.ids])
    assert len(places) == min(n, limit)
    assert chosen.n_read == n
    np.testing.assert_array_equal(chosen.images[:, 0, 0], places % 256)
    gaps = np.diff(np.append(places, n))
    assert places[0] == 0
    assert gaps.min() >= 1
    assert len(gaps) < 2 or np.ptp(gaps[:-1]) <= max(2, n / limit / 10)


def test_of_very_many_images_the_first_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_READ", 200)
    chosen = reading.chosen_from(blocks_of(1000), 5, "x")
    assert chosen.words == "5 of the first 200 images, evenly spaced"
    assert reading.chosen_from(blocks_of(1), 5, "x").words == "the image"
    with pytest.raises(DataError, match="x: holds no images"):
        reading.chosen_from([], 5, "x")
