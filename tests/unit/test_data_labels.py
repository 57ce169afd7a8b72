"""Classes are the labels that occur, judged together, and spoken as they were given."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnistlab.data import Dataset, assembling
from mnistlab.data.assembling import RawSplit
from mnistlab.data.dataset import SplitName
from mnistlab.data.readers import labels
from mnistlab.errors import DataError


def _named(found: labels.Labels) -> list[str]:
    codes, names = found
    assert codes.dtype == np.int64
    assert set(codes.tolist()) == set(range(len(names)))  # none that does not occur
    return [names[code] for code in codes]


@pytest.mark.parametrize(
    ("texts", "spoken", "class_names"),
    [
        (["2", "0", "10"], ["2", "0", "10"], ("0", "2", "10")),
        (["5.0e+00", "7.000000000000000000e+00"], ["5", "7"], ("5", "7")),
        (["1", "1.0", "+1", "01", "1."], ["1"] * 5, ("1",)),
        (["-1", "1", "-0"], ["-1", "1", "0"], ("-1", "0", "1")),
        ([" 3", "3 ", "4"], ["3", "3", "4"], ("3", "4")),
        (["1", "A", "01"], ["1", "A", "01"], ("01", "1", "A")),
        (["0.5", "1", "1.0"], ["0.5", "1", "1.0"], ("0.5", "1", "1.0")),
        (["1_0", "2"], ["1_0", "2"], ("1_0", "2")),
        (["inf", "1", "a"], ["inf", "1", "a"], ("1", "a", "inf")),
        (["None", "NA", "?", "cat"], ["None", "NA", "?", "cat"], ("?", "NA", "None", "cat")),
        (["9" * 400, "1"], ["9" * 400, "1"], ("1", "9" * 400)),
        (["10000000000000001", "10000000000000002"], None, None),  # a float would join them
    ],
)
def test_labels_of_a_table(
    texts: list[str], spoken: list[str] | None, class_names: tuple[str, ...] | None
) -> None:
    found = labels.from_texts(texts, "t.csv")
    assert _named(found) == (spoken or texts)
    assert found[1] == (class_names or tuple(sorted(texts)))


HOLES = ["NA", "N/A", "n/a", "null", "None", "inf", "-inf", "?", "<NA>", "", "nan"]


@pytest.mark.parametrize("hole", HOLES)
def test_a_hole_among_numbers_tells_its_row(hole: str) -> None:
    texts = ["1", "2.0", hole, "1", hole]
    with pytest.raises(DataError, match=r"^t.csv: row 4: the label is "):
        labels.from_texts(texts, "t.csv", first_row=2)
    with pytest.raises(DataError, match=r"^y: the label is .* \(image 3\)$"):
        labels.from_values(np.array(texts), "y")


@pytest.mark.parametrize("hole", [*HOLES, "-1", "-1.0"])
@pytest.mark.parametrize("trained", [["1", "2"], ["cat", "dog"]])
def test_a_test_part_of_holes_alone_has_no_labels(
    hole: str, trained: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    found: dict[SplitName, RawSplit] = {
        "train": _part(trained),
        "test": _part([hole] * 3, where="t"),
    }
    dataset = assembling.assembled("s", found, "s")
    assert _spoken(dataset) == trained
    assert dataset.n_official_train is None
    said = "note: t: has no labels: it is left out here; `mnistlab predict` reads it\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize("name", ["-1", "None"])
def test_a_test_part_of_one_class_that_is_trained_on_stays(name: str) -> None:
    other = "5" if name == "-1" else "cat"
    found: dict[SplitName, RawSplit] = {"train": _part([name, other]), "test": _part([name])}
    assert _spoken(assembling.assembled("s", found, "s")) == [name, other, name]


@given(st.lists(st.sampled_from([*"0123456789AB"]), min_size=1))
def test_the_order_of_the_rows_does_not_matter(texts: list[str]) -> None:
    shuffled = random.Random(0).sample(texts, len(texts))
    assert labels.from_texts(texts, "t")[1] == labels.from_texts(shuffled, "t")[1]


@pytest.mark.parametrize("hole", ["", "  ", "nan", "NaN", " NAN "])
@pytest.mark.parametrize("others", [["1", "2", "3"], ["ant", "bee", "cat"]])
@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_missing_label_tells_its_row(hole: str, others: Sequence[str], place: int) -> None:
    texts = [*others[:place], hole, *others[place:]]
    with pytest.raises(DataError, match=rf"^t\.csv: row {place + 2}: the label is "):
        labels.from_texts(texts, "t.csv", first_row=2)


@pytest.mark.parametrize(
    ("values", "spoken"),
    [
        (np.array([3, 1, 3]), ["3", "1", "3"]),
        (np.array([[3], [1]], dtype=np.uint8), ["3", "1"]),
        (np.array([[[[3]]], [[[1]]]]), ["3", "1"]),
        (np.array([-5, 2**40]), ["-5", str(2**40)]),
        (np.array([2.0, 1.0], dtype=np.float32), ["2", "1"]),
        (np.array([0.5, 1.0]), ["0.5", "1.0"]),
        (np.array([True, False]), ["True", "False"]),
        (np.array(["b", "ä"]), ["b", "ä"]),
        (np.array(["b", "ä"], dtype=object).astype(str), ["b", "ä"]),
        (np.array(["x", "y"]).astype("S"), ["x", "y"]),
        (np.array(["02", "2.0"]), ["2", "2"]),
    ],
)
def test_labels_of_an_array(values: np.ndarray, spoken: list[str]) -> None:
    assert _named(labels.from_values(values, "y")) == spoken


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.eye(3), "save labels.argmax(1) instead"),
        (np.array(["a", 1], dtype=object), "save labels.astype(str) instead"),
        (np.array([1.0, np.nan]), "(image 2)"),
        (np.array([np.inf, 1.0]), "(image 1)"),
        (np.array([b"\xff"]), "is not UTF-8 text"),
        (np.array(3), "must be integers or texts (N,)"),
        (np.array([1j]), "must be integers or texts (N,)"),
    ],
)
def test_arrays_that_are_no_labels(values: np.ndarray, message: str) -> None:
    with pytest.raises(DataError) as caught:
        labels.from_values(values, "y")
    assert str(caught.value).startswith("y: ")
    assert message in str(caught.value)


def test_names_of_folders_stand_as_they_are() -> None:
    assert labels.from_names(["10", "9", "07", "7"], "f")[1] == ("07", "7", "9", "10")
    assert labels.from_names(["b", "1.0", "1", "b"], "f")[1] == ("1", "1.0", "b")


def test_more_classes_than_there_may_be() -> None:
    texts = [str(i) for i in range(labels.MAX_CLASSES + 1)]
    assert len(labels.from_texts(texts[1:], "t")[1]) == labels.MAX_CLASSES
    with pytest.raises(DataError, match="t: 10001 classes are more than 10000"):
        labels.from_texts(texts, "t")


# --- parts -----------------------------------------------------------------------------------


def _part(texts: list[str], side: int = 2, where: str = "f") -> RawSplit:
    images = np.zeros((len(texts), side, side), np.uint8)
    return RawSplit(images, labels.raw_from_texts(texts, where), where)


def _spoken(dataset: Dataset) -> list[str]:
    return [dataset.class_names[k] for k in dataset.labels]


def test_labels_of_all_parts_are_judged_together() -> None:
    found: dict[SplitName, RawSplit] = {"test": _part(["2.0", "1"]), "train": _part(["1.0", "02"])}
    dataset = assembling.assembled("s", found, "s")
    assert dataset.class_names == ("1", "2")
    assert _spoken(dataset) == ["1", "2", "2", "1"]
    found["val"] = _part(["1.0", "x"])
    dataset = assembling.assembled("s", found, "s")
    assert _spoken(dataset) == ["1.0", "02", "1.0", "x", "2.0", "1"]
    assert (dataset.n_official_train, dataset.n_official_val) == (2, 2)


def test_parts_may_be_missing_all_but_one() -> None:
    dataset = assembling.assembled("s", {"train": _part(["1"])}, "s")
    assert (dataset.n_official_train, dataset.n_official_val) == (None, 0)
    dataset = assembling.assembled("s", {"train": _part(["1"]), "val": _part(["1"])}, "s")
    assert (dataset.n_official_train, dataset.n_official_val) == (1, 1)
    with pytest.raises(DataError, match=r"^t: no training set beside it"):
        assembling.assembled("s", {"test": _part(["1"], where="t")}, "s")


def test_parts_of_differing_sizes_are_named() -> None:
    found: dict[SplitName, RawSplit] = {"train": _part(["1"], 2, "a"), "test": _part(["1"], 3, "b")}
    with pytest.raises(DataError, match=r"^b: its images are 3x3, those of a 2x2$"):
        assembling.assembled("s", found, "s")


def test_a_class_that_is_not_trained_on_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assembling.assembled("s", {"train": _part(["1", "2"]), "test": _part(["2", "1"])}, "s")
    assert capsys.readouterr().err == ""
    assembling.assembled("s", {"train": _part(["1"]), "test": _part(["7", "1"])}, "s")
    assert capsys.readouterr().err == "note: s: 1 class of test has no training image: 7\n"


@pytest.mark.parametrize("split", ["val", "test"])
def test_a_class_that_a_split_lacks_is_said(
    capsys: pytest.CaptureFixture[str], split: SplitName
) -> None:
    names = [*"abcdefgh"]
    assembling.assembled("s", {"train": _part(names), split: _part(["b", "b"])}, "s")
    said = (
        f"7 of 8 classes have no image in {split}, which says nothing of them: a, c, d, e, f, ..."
    )
    assert capsys.readouterr().err == f"note: s: {said}\n"


def test_sets_are_joined_with_their_names_as_they_stand() -> None:
    images = np.zeros((2, 2, 2), np.uint8)
    ones = np.array([1, 0])
    one = Dataset("a", images, ones, ("shoe", "bag"))
    assert assembling.joined("s", {"train": one, "test": one}, "s").class_names == ("shoe", "bag")
    other = Dataset("b", images, ones, ("bag", "art"))
    dataset = assembling.joined("s", {"train": one, "test": other}, "s")
    assert dataset.class_names == ("art", "bag", "shoe")
    assert _spoken(dataset) == ["bag", "shoe", "art", "bag"]
    unused = Dataset("c", images, np.zeros(2, np.int64), ("shoe", "bag", "coat"))
    assert assembling.joined("s", {"train": unused, "test": one}, "s").class_names == (
        "shoe",
        "bag",
    )
