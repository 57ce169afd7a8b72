"""Profiles: every number against one counted the slow way, and sets that hold next to nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mnistlab.data import PROTOCOLS, Dataset, split
from mnistlab.data.embedding import principal_components, variance_shares
from mnistlab.errors import DataError
from mnistlab.profiling import measuring as profile_module
from mnistlab.profiling.grey_levels import BLACK, statistics_of
from mnistlab.profiling.measuring import N_EXAMPLES, Profile, profile
from mnistlab.profiling.nearest import closest_pairs, nearest_images


def dataset(images: np.ndarray, labels: list[int], n_classes: int, **fields: Any) -> Dataset:
    names = tuple(f"class {k}" for k in range(n_classes))
    return Dataset("small", images, np.array(labels, dtype=np.int64), names, **fields)


def noise(n: int, height: int = 9, width: int = 8, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, height, width), dtype=np.uint8)


@pytest.fixture(scope="module")
def found(stripes: Dataset) -> Profile:
    return profile(stripes, with_map=False)


# Grey levels


def test_images_and_levels_are_those_of_each_part_and_class(
    found: Profile, stripes: Dataset
) -> None:
    assert found.parts == ("training part", "test part")
    for part, where in enumerate((slice(480), slice(480, None))):
        images, labels = stripes.images[where], stripes.labels[where]
        for label in range(4):
            of_class = images[labels == label]
            assert found.counts[part, label] == len(of_class)
            levels = [int((of_class == level).sum()) for level in range(256)]
            assert found.grey_levels[part, label].tolist() == levels
    assert found.class_counts.sum() == 600


@given(arrays(np.uint8, st.integers(1, 40)))
def test_statistics_are_numpys(pixels: np.ndarray) -> None:
    s = statistics_of(np.bincount(pixels, minlength=256))
    black = pixels <= BLACK
    assert (s.n_pixels, s.lowest, s.highest) == (len(pixels), pixels.min(), pixels.max())
    assert s.mean == pytest.approx(pixels.mean())
    assert s.deviation == pytest.approx(pixels.std())
    assert s.black == pytest.approx(black.mean())
    assert s.median == np.sort(pixels)[(len(pixels) - 1) // 2]  # the lower of two middle ones
    if black.all():
        assert np.isnan(s.other_mean)
    else:
        assert s.other_mean == pytest.approx(pixels[~black].mean())


def test_no_pixels_have_no_statistics() -> None:
    with pytest.raises(DataError, match="no pixels"):
        statistics_of(np.zeros(256, dtype=np.int64))


def test_mean_and_deviation_are_of_the_training_images_of_a_class(
    found: Profile, stripes: Dataset
) -> None:
    for label in range(4):
        of_class = stripes.images[:480][stripes.labels[:480] == label].astype(float)
        np.testing.assert_allclose(found.mean[label], of_class.mean(axis=0), rtol=1e-6)
        np.testing.assert_allclose(found.deviation[label], of_class.std(axis=0), rtol=1e-4)


def test_pixels_that_never_change_are_counted() -> None:
    images = noise(20)
    images[:, 0, :] = 3
    images[:, 4, 4] = 255
    assert profile(dataset(images, [0, 1] * 10, 2), with_map=False).n_constant == 9


# Splits


def test_sizes_are_those_of_the_splits(found: Profile, stripes: Dataset) -> None:
    for sizes in found.splits:
        cut = split(stripes, sizes.protocol)
        assert sizes.sizes == (len(cut.train), len(cut.val), len(cut.test))
        shares = [
            abs(float((part.labels == label).mean()) - 0.25)
            for part in (cut.train, cut.val, cut.test)
            if len(part)  # none validates under train-test
            for label in range(4)
        ]
        assert sizes.largest_shift == pytest.approx(max(shares))
    by_name = {sizes.protocol: sizes.largest_shift for sizes in found.splits}
    assert by_name["stratified-70-15-15"] < by_name["shuffled-60-20-20"]


def test_a_split_that_cannot_be_says_why() -> None:
    lone = profile(dataset(noise(12), [0] * 11 + [1], 2), with_map=False)
    by_name = {sizes.protocol: sizes for sizes in lone.splits}
    assert by_name.keys() == PROTOCOLS.keys()
    official, given = by_name["official"], by_name["given"]
    stratified, shuffled = by_name["stratified-70-15-15"], by_name["shuffled-60-20-20"]
    assert official.sizes is None
    assert "no official test set" in official.fault
    assert given.sizes is None
    assert "came without splits" in given.fault
    assert stratified.sizes is None
    assert "class 'class 1' has 1 image;" in stratified.fault
    assert shuffled.sizes == (7, 2, 3)
    assert by_name["test-first-60-20-20"].sizes == (6, 3, 3)


# What is shown


def test_examples_are_of_their_class_and_from_all_over_the_file(
    found: Profile, stripes: Dataset
) -> None:
    for label, places in enumerate(found.examples):
        assert len(places) == N_EXAMPLES
        assert (stripes.labels[places] == label).all()
        assert places[0] < 4
        assert 476 <= places[-1] < 480
        assert np.diff(places).max() <= 2 * np.diff(places).min()


def test_test_images_are_counted_but_neither_shown_nor_compared(
    found: Profile, stripes: Dataset
) -> None:
    images = stripes.images.copy()
    images[480:] = 255
    other = profile(replace(stripes, images=images), with_map=False)
    assert (other.grey_levels[1] != found.grey_levels[1]).any()
    np.testing.assert_array_equal(other.grey_levels[0], found.grey_levels[0])
    for name in ("mean", "deviation", "compared", "nearest_is_own"):
        np.testing.assert_array_equal(getattr(other, name), getattr(found, name))
    assert (other.pairs, other.embedding) == (found.pairs, found.embedding)
    assert max(pair.second for pair in found.pairs) < 480
    assert found.compared.max() < 480


def test_of_many_images_some_are_compared(
    stripes: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profile_module, "N_COMPARED", 50)
    monkeypatch.setattr(profile_module, "N_MAP", 20)
    some = profile(stripes, with_map=False)
    assert len(set(some.compared)) == len(some.compared) == len(some.nearest_is_own) == 50
    assert (np.diff(some.compared) < 0).any()  # not the first, and in no order
    assert {pair.first for pair in some.pairs} <= set(some.compared)
    assert some.embedding is not None
    assert some.embedding.n_map == 20
    np.testing.assert_array_equal(some.counts.sum(axis=1), [480, 120])


def test_nothing_given_is_changed(stripes: Dataset) -> None:
    images, labels = stripes.images.copy(), stripes.labels.copy()
    profile(stripes, with_map=False)
    np.testing.assert_array_equal(stripes.images, images)
    np.testing.assert_array_equal(stripes.labels, labels)


# Nearest images


def nearest_slowly(images: np.ndarray, labels: np.ndarray, i: int, own: bool) -> float:
    differences = [
        np.sqrt(np.mean((images[i].astype(float) - images[j]) ** 2))
        for j in range(len(images))
        if j != i and (labels[j] == labels[i]) == own
    ]
    return min(differences, default=np.inf)


@settings(max_examples=30)
@given(st.integers(1, 25), st.integers(1, 4), st.integers(0, 99), st.integers(2, 256))
def test_the_nearest_are_those_found_one_by_one(n: int, k: int, seed: int, n_levels: int) -> None:
    random = np.random.default_rng(seed)
    images = random.integers(0, n_levels, (n, 3, 2), dtype=np.uint8)
    labels = random.integers(0, k, n)
    nearest = nearest_images(images, labels)
    for i in range(n):
        own, other = (nearest_slowly(images, labels, i, of_class) for of_class in (True, False))
        assert nearest.own_distance[i] == pytest.approx(own)
        assert nearest.other_distance[i] == pytest.approx(other)
        assert nearest.is_own[i] == (own < other)
        if np.isfinite(other):
            assert labels[nearest.other[i]] != labels[i]
        if np.isfinite(own):
            assert labels[nearest.own[i]] == labels[i]
            assert nearest.own[i] != i


def test_blocks_join_seamlessly(monkeypatch: pytest.MonkeyPatch) -> None:
    images, labels = noise(40), np.arange(40) % 3
    whole = nearest_images(images, labels)
    monkeypatch.setattr("mnistlab.profiling.nearest.ROWS_AT_ONCE", 7)
    for a, b in zip(whole, nearest_images(images, labels), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_same_pixels_are_no_distance_apart_however_bright() -> None:
    images = np.full((6, 28, 28), 255, dtype=np.uint8) - noise(6, 28, 28) // 64
    images[4] = images[1]
    nearest = nearest_images(images, np.array([0, 0, 0, 1, 1, 1]))
    assert nearest.other_distance[1] == nearest.other_distance[4] == 0
    assert (nearest.other_distance > 0).sum() == 4


def test_pairs_are_the_closest_first_and_no_image_is_in_two() -> None:
    rows = np.array([0, 1, 3, 100, 104, 200], dtype=np.uint8)[:, None, None]
    labels = np.array([0, 1, 0, 1, 0, 1])
    nearest = nearest_images(rows, labels)  # 1 is nearest to both 0 and 2
    places = np.arange(6) + 70
    assert closest_pairs(nearest, places, 9) == ((70, 71, 1.0), (73, 74, 4.0))
    assert closest_pairs(nearest, places, 1) == ((70, 71, 1.0),)
    assert closest_pairs(nearest_images(rows, labels * 0), places, 9) == ()


def test_pairs_name_places_in_the_set(found: Profile, stripes: Dataset) -> None:
    assert len(found.pairs) == profile_module.N_PAIRS
    distances = [pair.distance for pair in found.pairs]
    assert distances == sorted(distances)
    places = [place for pair in found.pairs for place in pair[:2]]
    assert len(set(places)) == len(places)
    for first, second, distance in found.pairs:
        assert stripes.labels[first] != stripes.labels[second]
        apart = stripes.images[first].astype(float) - stripes.images[second]
        assert distance == pytest.approx(np.sqrt(np.mean(apart**2)))


def test_a_wrong_label_comes_first(stripes: Dataset) -> None:
    images, labels = stripes.images.copy(), stripes.labels
    images[101] = images[100]  # of the next class
    images[101, 0, 0] ^= 1
    doubtful = profile(replace(stripes, images=images), with_map=False).pairs[0]
    assert doubtful[:2] == (100, 101)
    assert labels[100] != labels[101]


def test_shares_of_own_neighbours_by_class(found: Profile, stripes: Dataset) -> None:
    own = found.nearest_is_own[np.argsort(found.compared)]
    for label in range(4):
        share = own[stripes.labels[:480] == label].mean()
        assert found.own_shares[label] == pytest.approx(share)


# Components and map


def test_components_are_those_of_the_compared_images(found: Profile, stripes: Dataset) -> None:
    values = np.linalg.eigvalsh(np.cov(stripes.images[:480].reshape(480, -1).astype(float).T))
    assert found.embedding is not None
    np.testing.assert_allclose(
        found.embedding.variance, (values / values.sum())[::-1][:50], rtol=1e-3
    )
    assert found.embedding.points is None
    assert list(found.embedding.agreement) == ["all pixels", "50 components"]


def test_shares_of_all_components_are_no_more_than_everything() -> None:
    for seed in range(20):
        rows = np.random.default_rng(seed).normal(size=(30, 7)).astype(np.float32)
        shares = variance_shares(principal_components(rows, 50, seed=0))
        assert len(shares) == 7
        assert sum(shares) == pytest.approx(1, abs=1e-5)
        assert sum(shares) <= 1 + 1e-12


def test_the_map_is_of_the_first_compared_and_repeats_itself(stripes: Dataset) -> None:
    few = stripes.take(slice(40))
    told: list[str] = []
    mapped = profile(few, on_step=told.append)
    assert mapped.embedding is not None
    assert mapped.embedding.points is not None
    assert mapped.embedding.points.shape == (40, 2)
    assert mapped.embedding.perplexity == 13
    assert list(mapped.embedding.agreement) == ["all pixels", "40 components", "the map"]
    again = profile(few)
    assert again.to_json() | {"time_s": 0} == mapped.to_json() | {"time_s": 0}
    assert told == [
        "grey levels of 40 images",
        "nearest of 40 images",
        "principal components of 40 images",
        "t-SNE map of 40 images",
    ]
    assert list(mapped.time_s) == ["pixels", "nearest", "components", "map"]


# Sets that hold next to nothing, and what is kept


TINY = {
    "one image": dataset(noise(1), [0], 1),
    "two images": dataset(noise(2), [0, 1], 2),
    "a class of one": dataset(noise(12), [0] * 11 + [2], 3),
    "one class": dataset(noise(14), [0] * 14, 1),
    "all alike": dataset(np.full((20, 8, 8), 9, dtype=np.uint8), [0, 1] * 10, 2),
    "a part of three": dataset(noise(9), [0, 1, 2] * 3, 3, n_official_train=3),
    "many classes": dataset(noise(124), list(range(62)) * 2, 62),
}


@pytest.mark.parametrize("name", TINY)
def test_a_tiny_set_has_a_profile(name: str) -> None:
    data = TINY[name]
    result = profile(data)
    kept = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert sum(sum(k["n_images"].values()) for k in kept["classes"]) == len(data)
    assert sum(sum(levels) for levels in kept["grey_levels"].values()) == data.images.size
    n_shown = data.n_official_train or len(data)
    assert kept["n_compared"] == n_shown
    assert bool(kept["pairs"]) == (len(set(data.labels[:n_shown])) > 1)
    alike = len(np.unique(data.images, axis=0)) == 1
    assert (kept["embedding"] is None) == (n_shown < 10 or alike)


def test_an_absent_class_has_no_numbers() -> None:
    result = profile(TINY["a class of one"])
    assert np.isnan(result.mean[1]).all()
    assert np.isnan(result.deviation[1]).all()
    assert (result.deviation[2] == 0).all()
    assert [len(places) for places in result.examples] == [11, 0, 1]
    assert result.to_json()["classes"][1] == {
        "name": "class 1",
        "n_images": {"all images": 0},
        "pixels": None,
        "nearest_is_own": None,
    }
    assert result.own_shares[2] == 0


def test_identical_images_of_two_classes_are_no_ones_own() -> None:
    result = profile(TINY["all alike"])
    assert not result.nearest_is_own.any()
    assert {pair.distance for pair in result.pairs} == {0.0}
    assert len(result.pairs) <= 10


def test_a_profile_is_made_without_torch_and_matplotlib() -> None:
    code = (
        "import sys, numpy as np; from mnistlab.data import Dataset; "
        "from mnistlab.profiling.measuring import profile; "
        "profile(Dataset('d', np.zeros((2, 8, 8), np.uint8), np.arange(2), ('a', 'b'))); "
        "print(sorted({'torch', 'matplotlib', 'polars'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"


def test_images_of_one_pixel_have_a_map() -> None:
    found = profile(dataset(noise(60, 1, 1), [0, 1] * 30, 2), with_map=True)
    assert found.embedding is not None
    assert found.embedding.points is not None
    assert found.embedding.points.shape == (60, 2)
