"""What the labels of a set mean: its classes are the labels that occur, nothing else.

The labels of all files of a set are interpreted together. If every label is a whole number, they
are integers in numeric order, however they are written (5, 5.0, 5.0e+00, 007); otherwise all are
text in one Unicode form. So readers return what they found as RawLabels, and `judge` decides.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.data.notes import note
from mnistlab.data.readers.spellings import DECIMAL, INTEGER, composed, say_forms, whole
from mnistlab.errors import DataError

# Kuzushiji-Kanji, the largest set of its kind, has 3,832. A damaged label must not name millions.
MAX_CLASSES = 10_000
# What stands for a missing label, in lower case: always, and where the others are numbers.
NEVER_NAMES = frozenset({"", "nan"})
MISSING = NEVER_NAMES | {"na", "n/a", "<na>", "null", "none", "inf", "-inf", "+inf", "?"}
MANY_FRACTIONS = 20  # different ones are measured, not labels

Labels = tuple[NDArray[np.int64], tuple[str, ...]]


class RawLabels(NamedTuple):
    """Labels of one file before they are interpreted.

    codes: int64 (N,), the position of each label in texts. verbatim: texts are class names, used
    as they stand and in this order; else several texts may mean the same integer. where: the file.
    first_row: the row of the first label in a table; None where images are counted.
    """

    codes: NDArray[np.int64]
    texts: tuple[str, ...]
    verbatim: bool = False
    where: str = ""
    first_row: int | None = None


def judge(
    splits: Sequence[RawLabels], where: str
) -> tuple[list[NDArray[np.int64]], tuple[str, ...]]:
    """The labels of each split in 0..K-1, and the K class names that occur in any of them.

    Raises DataError naming `where` for more classes than MAX_CLASSES, and a split's file and row
    (or image, from 1) for a missing label: see `missing_among`.
    """
    splits = _in_one_form(splits, where)
    used = [_used(split) for split in splits]
    spellings = {
        split.texts[code]
        for split, codes in zip(splits, used, strict=True)
        for code in codes.tolist()
        if not split.verbatim
    }
    _check_missing(splits, missing_among(spellings))
    _check_measures(spellings, where)
    _say_minus_one(spellings, where)
    canonical = _canonical(spellings)
    means = [
        [text if split.verbatim else canonical.get(text, text) for text in split.texts]
        for split in splits
    ]
    occurring = {
        names[code] for names, codes in zip(means, used, strict=True) for code in codes.tolist()
    }
    if len(occurring) > MAX_CLASSES:
        raise DataError(f"{where}: {len(occurring)} classes are more than {MAX_CLASSES}")
    class_names = _ordered(splits, occurring)
    position = {name: i for i, name in enumerate(class_names)}
    return [
        np.array([position.get(name, -1) for name in names], dtype=np.int64)[split.codes]
        for names, split in zip(means, splits, strict=True)
    ], class_names


def _in_one_form(splits: Sequence[RawLabels], where: str) -> list[RawLabels]:
    """The labels with all texts in one Unicode form, in which two of them may now be the same."""
    say_forms((split.texts[code] for split in splits for code in _used(split).tolist()), where)
    return [split._replace(texts=tuple(map(composed, split.texts))) for split in splits]


def _check_measures(spellings: set[str], where: str) -> None:
    """DataError for many different fractions: measures such as angles, which are no classes."""
    decimals = [text for text in spellings if DECIMAL.fullmatch(text)]
    fractions = sorted(text for text in decimals if whole(text) is None)
    if len(fractions) > MANY_FRACTIONS:
        raise DataError(
            f"{where}: its labels are {len(fractions)} different fractions, such as "
            f"{fractions[0]}: measures, not classes; save classes instead, such as y.round()"
        )


def _say_minus_one(spellings: set[str], where: str) -> None:
    """Say that -1 is a class: beside 0, 1, 2, ... it often stands for images without a label."""
    wholes = {whole(text) for text in spellings}
    if -1 not in wholes or not {0, 1} <= wholes or None in wholes or min(filter(None, wholes)) < -1:
        return
    note(f"{where}: -1 is one of its classes; leave those images out if it stands for no label")


def missing_among(spellings: set[str]) -> set[str]:
    """Texts that mean "no label": empty and "nan" always, NA and the like among numbers.

    Among other texts they may be class names.
    """
    never = {text for text in spellings if text.casefold() in NEVER_NAMES}
    perhaps = {text for text in spellings if text.casefold() in MISSING} - never
    others = spellings - never - perhaps
    return never | perhaps if others and all(map(DECIMAL.fullmatch, others)) else never


def is_unlabelled(split: RawLabels, trained: RawLabels) -> bool:
    """Whether all labels of a split are one text that means "no label".

    -1 means it as well, unless the training labels hold -1. NA and the like must not occur there.
    """
    codes = _used(split).tolist()
    if len(codes) != 1 or split.verbatim:
        return False
    text = split.texts[codes[0]]
    known = {trained.texts[code] for code in _used(trained).tolist()}
    if whole(text) == -1:
        return -1 not in map(whole, known)
    return text.casefold() in MISSING and (text not in known or text.casefold() in NEVER_NAMES)


def _used(split: RawLabels) -> NDArray[np.int64]:
    return np.flatnonzero(np.bincount(split.codes, minlength=len(split.texts)))


def _check_missing(splits: Sequence[RawLabels], missing: set[str]) -> None:
    for split in splits:
        codes = [i for i, text in enumerate(split.texts) if text in missing and not split.verbatim]
        places = np.flatnonzero(np.isin(split.codes, codes))
        if len(places):
            place = int(places[0])
            words = _missing(split.texts[split.codes[place]])
            if split.first_row is None:
                raise DataError(f"{split.where}: {words} (image {place + 1})")
            raise DataError(f"{split.where}: row {split.first_row + place}: {words}")


def from_texts(texts: Sequence[str], where: str, first_row: int = 1) -> Labels:
    """Labels of the rows of a table; errors as in `judge`."""
    return _alone(raw_from_texts(texts, where, first_row), where)


def from_values(values: NDArray[Any], where: str) -> Labels:
    """Labels of an array; errors as in `raw_from_values` and `judge`."""
    return _alone(raw_from_values(values, where), where)


def from_names(names: Sequence[str], where: str) -> Labels:
    """Labels from class names, such as those of folders, used as they stand.

    Classes are in numeric order if all are integers, else sorted as text. Raises DataError for
    more than MAX_CLASSES.
    """
    codes, distinct = _coded(names)
    in_order = tuple(sorted_names(distinct))
    position = {name: i for i, name in enumerate(in_order)}
    places = np.array([position[name] for name in distinct], dtype=np.int64)
    return _alone(RawLabels(places[codes], in_order, verbatim=True), where)


def raw_from_texts(texts: Sequence[str], where: str, first_row: int = 1) -> RawLabels:
    """Texts (N,) without the white space around them; rows are counted from `first_row`."""
    codes, distinct = _coded(texts)
    return RawLabels(codes, tuple(text.strip() for text in distinct), False, where, first_row)


def raw_from_values(values: NDArray[Any], where: str) -> RawLabels:
    """An array (N,), (N, 1) or (N, 1, 1, 1) of integers, floats, booleans or texts.

    Whole floats count as integers. Raises DataError naming `where`, with the line of Python that
    turns the array into labels.
    """
    values = _flat(values)
    if values.dtype.kind == "O":
        raise DataError(f"{where}: labels are Python objects; save labels.astype(str) instead")
    if values.ndim == 2:
        raise DataError(
            f"{where}: labels are {values.dtype} {values.shape}, not one per image; "
            "if they are one-hot, save labels.argmax(1) instead"
        )
    if values.ndim != 1 or values.dtype.kind not in "biufUS":
        raise DataError(
            f"{where}: labels must be integers or texts (N,), got {values.dtype} {values.shape}"
        )
    distinct, codes = np.unique(values, return_inverse=True)
    codes = codes.astype(np.int64)
    texts = texts_of(distinct, where)
    return RawLabels(codes, texts, False, where)


def _flat(values: NDArray[Any]) -> NDArray[Any]:
    """One value per image as (N,), whatever axes of one follow; others as they are."""
    return values.reshape(-1) if values.ndim > 1 and values[:1].size == 1 else values


def texts_of(values: NDArray[Any], where: str) -> tuple[str, ...]:
    """Values (N,) of any type as text without the white space around it."""
    return tuple(_as_text(value, where).strip() for value in values.tolist())


def raw_from_positions(values: NDArray[Any], names: Sequence[str], where: str) -> RawLabels:
    """Integers, of a shape as in `raw_from_values`, that are positions in a list of class names.

    The classes keep the order of the list. Raises DataError naming `where` for other values, and
    for names that are empty or not unique.
    """
    values = _flat(values)
    if values.ndim != 1 or values.dtype.kind not in "iu":
        raise DataError(
            f"{where}: with class names labels must be integers (N,), "
            f"got {values.dtype} {values.shape}"
        )
    if not all(name.strip() for name in names) or len(set(map(composed, names))) < len(names):
        raise DataError(f"{where}: class names must be different and not empty")
    checked, _ = from_integers(values, where, tuple(names))
    return RawLabels(checked, tuple(names), verbatim=True)


def from_integers(values: NDArray[Any], where: str, class_names: tuple[str, ...]) -> Labels:
    """Check integer labels (N,) that are positions in `class_names`, of which some may not occur.

    Raises DataError naming `where` for a label outside the classes.
    """
    wrong = np.flatnonzero((values < 0) | (values >= len(class_names)))
    if len(wrong):
        raise DataError(
            f"{where}: label {values[wrong[0]]} of image {wrong[0] + 1} "
            f"is out of range 0..{len(class_names) - 1}"
        )
    return values.astype(np.int64), class_names


def sorted_names(names: Sequence[str] | set[str]) -> list[str]:
    """In numeric order if all are integers, else sorted as text."""
    in_text_order = sorted(names)
    if all(INTEGER.fullmatch(name) for name in in_text_order):
        return sorted(in_text_order, key=int)
    return in_text_order


def _alone(raw: RawLabels, where: str) -> Labels:
    (codes,), class_names = judge([raw], where)
    return codes, class_names


def _coded(texts: Sequence[str]) -> tuple[NDArray[np.int64], list[str]]:
    """Each text's position among the distinct texts, which are in order of first occurrence."""
    numbers = {text: i for i, text in enumerate(dict.fromkeys(texts))}
    codes = np.fromiter(map(numbers.__getitem__, texts), dtype=np.int64, count=len(texts))
    return codes, list(numbers)


def _canonical(spellings: set[str]) -> Mapping[str, str]:
    """What each spelling means: integers if all are whole numbers, else itself."""
    wholes = {text: whole(text) for text in spellings}
    if None in wholes.values():
        return {}
    return {text: str(whole) for text, whole in wholes.items()}


def _ordered(splits: Sequence[RawLabels], occurring: set[str]) -> tuple[str, ...]:
    """The classes in the order of the given list of names; without one as in sorted_names."""
    longest = max(splits, key=lambda split: len(split.texts)).texts
    if all(split.verbatim and split.texts == longest[: len(split.texts)] for split in splits):
        return tuple(name for name in dict.fromkeys(longest) if name in occurring)
    return tuple(sorted_names(occurring))


def _as_text(value: object, where: str) -> str:
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            raise DataError(f"{where}: label {value[:20]!r} is not UTF-8 text") from error
    if isinstance(value, float) and math.isfinite(value):
        return repr(value)
    return str(value)


def _missing(text: str) -> str:
    return f"the label is {text!r}, no class" if text else "the label is empty"
