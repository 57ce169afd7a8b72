"""The data set value and the protocols that cut it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnistlab.data import PROTOCOLS, Dataset, split
from mnistlab.data.splits import sample, shuffled, stratified
from mnistlab.errors import DataError

IMAGES = np.arange(24, dtype=np.uint8).reshape(6, 2, 2)
LABELS = np.array([0, 1, 2, 0, 1, 2])
SMALL = Dataset("small", IMAGES, LABELS, ("a", "b", "c"), 4, "here", "mine")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": IMAGES.astype(np.int64)}, r"images must be uint8 \(N, H, W\), got int64"),
        ({"images": IMAGES.reshape(6, 4)}, r"images must be uint8 \(N, H, W\), got uint8 \(6, 4\)"),
        ({"images": IMAGES[:0], "labels": LABELS[:0]}, "holds no images"),
        ({"labels": LABELS[:5]}, r"6 images but labels are int64 \(5,\)"),
        ({"labels": LABELS.astype(np.int32)}, r"6 images but labels are int32 \(6,\)"),
        ({"labels": LABELS - 1}, r"label -1 is out of range 0\.\.2"),
        ({"class_names": ("a", "b")}, r"label 2 is out of range 0\.\.1"),
        ({"n_official_train": 0}, "0 of 6 is no split"),
        ({"n_official_train": 6}, "6 of 6 is no split"),
        ({"n_official_train": 4, "n_official_val": 3}, "4 and 3 of 6 is no split"),
        ({"n_official_train": None, "n_official_val": 2}, "needs a training set"),
    ],
)
def test_parts_that_do_not_fit(changes: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=f"small: .*{message}"):
        replace(SMALL, **changes)


def test_the_fingerprint_is_of_the_content_alone() -> None:
    same = replace(SMALL, name="other", provenance="there", n_official_train=None)
    assert same.fingerprint == SMALL.fingerprint
    upside_down = np.ascontiguousarray(IMAGES.transpose(0, 2, 1)).transpose(0, 2, 1)
    assert replace(SMALL, images=upside_down).fingerprint == SMALL.fingerprint
    others = (
        {"images": IMAGES ^ 1},
        {"images": IMAGES.reshape(6, 1, 4)},
        {"labels": LABELS[::-1].copy()},
        {"class_names": ("a", "b", "d")},
    )
    prints = {replace(SMALL, **changes).fingerprint for changes in others}
    assert len(prints | {SMALL.fingerprint}) == 5


def test_take_keeps_what_belongs_together() -> None:
    part = SMALL.take(np.array([4, 0]))
    assert part.images.tolist() == IMAGES[[4, 0]].tolist()
    assert part.labels.tolist() == [1, 0]
    assert (part.class_names, part.provenance, part.licence) == (("a", "b", "c"), "here", "mine")
    assert part.n_official_train is None
    assert not part.of_characters
    assert replace(SMALL, of_characters=True).take(np.array([4, 0])).of_characters


def _numbered(n: int, n_classes: int = 3, n_official: int | None = None) -> Dataset:
    """Images that carry their own number, so that parts can be told apart."""
    images = np.arange(n, dtype="<u4").view(np.uint8).reshape(n, 2, 2)
    labels = np.arange(n) % n_classes
    return Dataset("numbered", images, labels, tuple("abcdefghij"[:n_classes]), n_official)


def _numbers(dataset: Dataset) -> list[int]:
    flat = np.ascontiguousarray(dataset.images).reshape(len(dataset), 4)
    return flat.view("<u4").ravel().tolist()


@given(st.integers(60, 400), st.integers(1, 4), st.sampled_from(sorted(PROTOCOLS)))
@settings(deadline=None, max_examples=60)
def test_parts_are_disjoint_and_complete(n: int, n_classes: int, protocol: str) -> None:
    dataset = _numbered(n, n_classes, n_official=n * 6 // 7)
    cut = split(dataset, protocol)
    parts = [_numbers(part) for part in (cut.train, cut.val, cut.test)]
    assert sorted(number for part in parts for number in part) == list(range(n))
    train, val, test = parts
    assert train
    assert test
    assert bool(val) == (protocol != "train-test")
    assert _numbers(split(dataset, protocol).train) == parts[0]
    for part in (cut.train, cut.val, cut.test):
        assert part.labels.tolist() == [number % n_classes for number in _numbers(part)]


@given(st.integers(100, 300), st.floats(0.2, 0.6), st.floats(0.1, 0.3), st.integers(0, 9))
@settings(deadline=None, max_examples=40)
def test_shares_are_kept_in_every_class(n: int, train: float, val: float, seed: int) -> None:
    dataset = _numbered(3 * n)
    for cut in (stratified, shuffled):
        parts = cut(train, val, 1 - train - val, seed)(dataset)
        for indices, share in zip(parts, (train, val, 1 - train - val), strict=True):
            assert abs(len(indices) - 3 * n * share) <= 2
            if cut is stratified:
                counts = np.bincount(dataset.labels[indices], minlength=3)
                assert abs(counts - n * share).max() <= 2


def test_the_official_split_takes_validation_from_the_end_of_training() -> None:
    cut = split(replace(_numbered(140, n_official=120), is_published=True))
    assert cut.protocol == "official"
    assert _numbers(cut.train) == list(range(110))
    assert _numbers(cut.val) == list(range(110, 120))
    assert _numbers(cut.test) == list(range(120, 140))


def test_sets_without_parts_are_stratified_unless_told_otherwise() -> None:
    assert split(_numbered(100)).protocol == "stratified-70-15-15"
    with pytest.raises(DataError, match="numbered: has no official test set"):
        split(_numbered(100), "official")


@pytest.mark.parametrize("shares", [(0.5, 0.5, 0.5), (1.0, 0.0, 0.0), (1.2, -0.1, -0.1)])
def test_shares_must_make_a_whole(shares: tuple[float, float, float]) -> None:
    with pytest.raises(DataError, match="must be positive and sum to 1"):
        stratified(*shares)


def test_what_cannot_be_split() -> None:
    with pytest.raises(DataError, match="unknown split 'half'; there are: auto, official"):
        split(SMALL, "half")
    with pytest.raises(DataError, match=r"small: class 'a' has 2 images; .* needs 4") as caught:
        split(SMALL, "stratified-70-15-15")
    assert "\n" not in str(caught.value)


def _of_sizes(sizes: list[int], **parts: int) -> Dataset:
    """Numbered images that come class by class."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    whole = _numbered(len(labels), 1)
    names = tuple(f"k{k}" for k in range(len(sizes)))
    return Dataset("sorted", whole.images, labels, names, **parts)


def _counts(part: Dataset) -> list[int]:
    return np.bincount(part.labels, minlength=part.n_classes).tolist()


@given(st.lists(st.integers(8, 90), min_size=2, max_size=12), st.integers(1, 40))
@settings(deadline=None, max_examples=60)
def test_validation_that_is_missing_holds_every_class_in_proportion(
    sizes: list[int], n_test: int
) -> None:
    dataset = _of_sizes([*sizes, n_test], n_official_train=sum(sizes))
    cut = split(dataset)
    assert cut.protocol == "given"
    assert _numbers(cut.test) == list(range(sum(sizes), sum(sizes) + n_test))
    assert sorted(_numbers(cut.train) + _numbers(cut.val)) == list(range(sum(sizes)))
    expected = np.array(sizes) * len(cut.val) / sum(sizes)
    assert np.abs(np.array(_counts(cut.val))[:-1] - expected).max() <= 1
    assert min(_counts(cut.val)[:-1]) > 0
    assert _numbers(split(dataset).val) == _numbers(cut.val)


def test_parts_that_are_given_stay_as_they_are() -> None:
    whole = _of_sizes([10, 10, 10], n_official_train=15, n_official_val=8)
    cut = split(whole)
    assert [_numbers(part) for part in (cut.train, cut.val, cut.test)] == [
        list(range(15)),
        list(range(15, 23)),
        list(range(23, 30)),
    ]
    assert cut.origins == dict.fromkeys(("train", "val", "test"), "as given")
    assert _numbers(split(whole, "official").val) == list(range(15, 23))
    lacking = _of_sizes([20, 20, 8], n_official_train=40, n_official_val=8)
    cut = split(lacking)
    assert _numbers(cut.val) == list(range(40, 48))
    assert sorted(_numbers(cut.train) + _numbers(cut.test)) == list(range(40))
    assert _counts(cut.test) == [3, 3, 0]
    assert cut.origins == {
        "train": "as given, without the images drawn from it",
        "val": "as given",
        "test": "drawn from the training set, stratified, seed 42",
    }
    published = split(replace(_of_sizes([20, 20, 8], n_official_train=40), is_published=True))
    assert published.origins["train"] == (
        "as published, without its last twelfth, which is the validation part"
    )


def test_a_class_of_four_is_in_every_part_and_a_single_image_trains() -> None:
    cut = split(_of_sizes([1000, 6, 4, 990]))
    for part in (cut.train, cut.val, cut.test):
        assert min(_counts(part)) > 0
    cut = split(_of_sizes([40, 1, 2, 5], n_official_train=43))
    assert _counts(cut.train)[1:3] == [1, 1]
    assert _counts(cut.val)[1:3] == [0, 1]
    with pytest.raises(DataError, match="no class has two training images"):
        split(_of_sizes([1, 1, 5], n_official_train=2))


@given(st.lists(st.integers(3, 80), min_size=2, max_size=9), st.data())
@settings(deadline=None, max_examples=60)
def test_samples_are_stratified(sizes: list[int], data: st.DataObject) -> None:
    dataset = _of_sizes(sizes)
    n = data.draw(st.integers(1, sum(sizes)))
    taken = sample(dataset, n)
    assert len(taken) == n
    counts = np.array(_counts(taken))
    quotas = np.array(sizes) * n / sum(sizes)
    assert (counts >= (n >= len(sizes))).all()
    if quotas.min() >= 1:
        assert np.abs(counts - quotas).max() < 1
    assert sorted(_numbers(taken)) == _numbers(taken)
    assert sample(dataset, None) is dataset
    published = replace(dataset, is_published=True)
    assert _numbers(sample(published, n)) == list(range(n))


def test_official_sizes_of_mnist(mnist: Dataset) -> None:
    cut = split(mnist)
    assert [len(part) for part in (cut.train, cut.val, cut.test)] == [55_000, 5_000, 10_000]
    assert np.array_equal(cut.test.images, mnist.images[60_000:])


def test_stratified_mnist_is_what_two_calls_of_scikit_learn_give(mnist: Dataset) -> None:
    from sklearn.model_selection import train_test_split

    X_train, X_rest, y_train, y_rest = train_test_split(
        mnist.images, mnist.labels, test_size=0.3, random_state=42, stratify=mnist.labels
    )
    X_val, X_test, y_val, y_test = train_test_split(
        X_rest, y_rest, test_size=0.5, random_state=42, stratify=y_rest
    )
    cut = split(mnist, "stratified-70-15-15")
    assert [len(part) for part in (cut.train, cut.val, cut.test)] == [49_000, 10_500, 10_500]
    expected = ((X_train, y_train), (X_val, y_val), (X_test, y_test))
    for part, (X, y) in zip((cut.train, cut.val, cut.test), expected, strict=True):
        assert np.array_equal(part.images, X)
        assert np.array_equal(part.labels, y)
