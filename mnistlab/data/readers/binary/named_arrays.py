"""Which arrays of a file are images, labels, and of which split, by their names.

For NPZ and HDF5: images and labels, x and y, data and target, Keras' x_train and y_test,
MedMNIST's train_images and val_labels, groups such as train/x, and NumPy's arr_0 and arr_1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.data.assembling import SPELLINGS, RawSplit, split_called
from mnistlab.data.dataset import SPLIT_NAMES, SplitName
from mnistlab.data.notes import note
from mnistlab.data.readers import labels, split_column
from mnistlab.data.readers.binary import arrays, split_indices
from mnistlab.data.readers.labels import RawLabels
from mnistlab.data.readers.shapes import Size
from mnistlab.data.readers.split_column import cut
from mnistlab.errors import DataError

Array = NDArray[Any]
Role = Literal["images", "labels"]

# Names of images and labels, in any case; the first pair that is found counts.
PAIRS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("images", ("labels", "label")),
    ("image", ("labels", "label")),
    ("imgs", ("labels", "label")),
    ("x", ("y",)),
    ("data", ("target", "targets", "labels", "label")),
)
IMAGE_WORDS = ("images", "image", "imgs", "img", "x", "data", "pixels", "features", "samples")
LABEL_WORDS = ("labels", "label", "y", "targets", "target", "classes", "class")
ANY_PAIRS = tuple((word, LABEL_WORDS) for word in IMAGE_WORDS)
CLASS_NAMES = ("class_names", "list_classes", "label_names", "target_names")
# The longest first: validation is not val and a word that begins with "idation".
SHORT: dict[str, SplitName] = {"tr": "train", "dev": "val", "va": "val", "te": "test"}
_SPLITS = "|".join(
    sorted((*SHORT, *(n for names in SPELLINGS.values() for n in names)), key=len, reverse=True)
)
KNOWN_WORDS = {*IMAGE_WORDS, *LABEL_WORDS}
_WORD = r"[a-z]+?"
NAME = re.compile(
    rf"(?:(?P<word>{_WORD})[_./ -]?(?P<split>{_SPLITS})(?:[_./ -]?set)?"
    rf"|(?P<split2>{_SPLITS})(?:[_./ -]?set)?[_./ -]?(?P<word2>{_WORD})|(?P<word3>{_WORD}))"
)
SHOWN = 6  # arrays in a note
FEWEST_IDS = 12  # images whose labels all differ are numbered, not labelled
UNNAMED = re.compile(r"arr_[0-9]+")


class Chosen(NamedTuple):
    """The name of the array of images, and of labels if there is one, for each split."""

    images: dict[SplitName, str]
    labels: dict[SplitName, str]


def to_splits(
    found: Mapping[str, Array], where: str, size: Size | None
) -> dict[SplitName, RawSplit]:
    """The splits that the arrays hold; one without labels is left out with a note.

    Raises DataError naming `where` if it is not clear what the arrays are, or if they are no images
    or labels.
    """
    return chosen_splits(found, choose({k: a.shape for k, a in found.items()}, where), where, size)


def chosen_splits(
    found: Mapping[str, Array], chosen: Chosen, where: str, size: Size | None
) -> dict[SplitName, RawSplit]:
    """As `to_splits`, where it is known already which arrays are images and labels."""
    found = dict(found)
    for split in [split for split in chosen.images if split not in chosen.labels]:
        if split == "train" or len(chosen.images) == 1:
            raise DataError(f"{where}: holds {_listed(found)}; {_needed(chosen.images[split])}")
        note(f"{where}: {chosen.images[split]} has no labels and is left out")
        del found[chosen.images.pop(split)]
    _check_counts(found, chosen, where)
    for split in chosen.images:
        chosen.labels[split] = _only_labels(found, chosen.labels[split], where)
    images = arrays.to_images({key: found[key] for key in chosen.images.values()}, where, size)
    names = _class_names(found, where)
    splits = {
        split: RawSplit(
            images[key],
            _raw(found[chosen.labels[split]], names, f"{where}: {chosen.labels[split]}"),
            f"{where}: {key}",
        )
        for split, key in chosen.images.items()
    }
    told = _told_splits(found, chosen, where)
    _say_unused(found, chosen, where)
    return splits if told is None else cut(splits["train"], told)


def _say_unused(found: Mapping[str, Array], chosen: Chosen, where: str) -> None:
    """Say which arrays are neither images nor labels, nor tell anything of them."""
    used = {*chosen.images.values(), *chosen.labels.values()}
    known = {
        key
        for key in found
        if key.casefold() in CLASS_NAMES
        or split_column.is_called_so(key)
        or split_indices.is_called_so(key)
    }
    unused = [key for key, array in found.items() if key not in used | known and array.size > 1]
    if unused:
        more = f" and {len(unused) - SHOWN} more" if len(unused) > SHOWN else ""
        note(f"{where}: not used: {', '.join(unused[:SHOWN])}{more}")


def _told_splits(
    found: Mapping[str, Array], chosen: Chosen, where: str
) -> Sequence[SplitName | None] | None:
    """The split of each image, if another array of the same length tells it, or lists of them."""
    if [*chosen.images] != ["train"]:
        return None
    n, used = len(found[chosen.images["train"]]), chosen.labels["train"]
    columns = {
        key: labels.texts_of(array.ravel(), where)
        for key, array in found.items()
        if key != used and array.shape in ((n,), (n, 1)) and split_column.is_called_so(key)
    }
    listed = split_indices.splits_of(found, n, where)
    return listed if listed is not None else split_column.splits_of(columns, where)


def to_images(found: Mapping[str, Array], where: str, size: Size | None) -> NDArray[np.uint8]:
    """The images of all splits in order, with or without labels."""
    shapes = {key: array.shape for key, array in found.items()}
    keys = [*shapes]
    # np.savez(x) gives no name; images alone need none.
    if keys != ["arr_0"] or len(shapes["arr_0"]) < 2:
        chosen = choose(shapes, where)
        keys = [chosen.images[split] for split in SPLIT_NAMES if split in chosen.images]
    images = arrays.to_images({key: found[key] for key in keys}, where, size)
    if len({images[key].shape[1:] for key in keys}) > 1:
        both = " and ".join(f"{key} {images[key].shape}" for key in keys)
        raise DataError(f"{where}: {both} differ in size")
    return images[keys[0]] if len(keys) == 1 else np.concatenate([images[key] for key in keys])


def choose(shapes: Mapping[str, tuple[int, ...]], where: str) -> Chosen:
    """The arrays of images and labels, by their names, or without names by their shapes.

    Raises DataError if there are none, with what was found and what is needed.
    """
    words = _words(shapes, where)
    for pairs, is_labelled in ((PAIRS, True), (ANY_PAIRS, True), (ANY_PAIRS, False)):
        for needed in ("train", None, "test"):  # test alone counts where there is nothing else
            for image_word, label_words in pairs:
                chosen = _paired(words, image_word, label_words, needed)
                if chosen.images and (chosen.labels or not is_labelled):
                    return chosen
    unnamed = _unnamed(shapes)
    if unnamed is not None:
        return unnamed
    raise DataError(f"{where}: holds {_listed(shapes)}; {_needed()}")


def _paired(
    words: Mapping[tuple[str, SplitName | None], str],
    image_word: str,
    label_words: Iterable[str],
    needed: SplitName | None,
) -> Chosen:
    """Images called `image_word` and their labels, of all splits if `needed` is among them."""
    # x and y beside x_test and y_test: all but the test images train.
    splits: list[SplitName | None] = [needed if needed is None else "train", "val", "test"]
    chosen = Chosen({}, {})
    for split in splits if (image_word, needed) in words else []:
        if (image_word, split) in words:
            chosen.images[split or "train"] = words[image_word, split]
            of = next((words[word, split] for word in label_words if (word, split) in words), None)
            if of is not None:
                chosen.labels[split or "train"] = of
    return chosen if needed is None or needed in chosen.labels else Chosen(chosen.images, {})


def _words(keys: Iterable[str], where: str) -> dict[tuple[str, SplitName | None], str]:
    """Names of a known form, by their word ("images", "y") and split."""
    words: dict[tuple[str, SplitName | None], str] = {}
    for key in keys:
        if (told := _told(key)) is None:
            continue
        if told in words:
            raise DataError(f"{where}: {words[told]} and {key} may both be meant; save one of them")
        words[told] = key
    return words


def _told(key: str) -> tuple[str, SplitName | None] | None:
    """The word and the split in a name of a known form; None for other names."""
    match = NAME.fullmatch(key.casefold())
    if match is None:
        return None
    split = match["split"] or match["split2"] or ""
    word = match["word"] or match["word2"] or match["word3"]
    return (word, SHORT.get(split) or split_called(split)) if word in KNOWN_WORDS else None


def _unnamed(shapes: Mapping[str, tuple[int, ...]]) -> Chosen | None:
    """NumPy's arr_0, arr_1, ...: images and labels, of one split or of train and test."""
    keys = sorted(filter(UNNAMED.fullmatch, shapes), key=lambda key: int(key[4:]))
    are_labels = [len(shapes[key]) == 1 or shapes[key][1:] == (1,) for key in keys]
    images = [key for key, is_label in zip(keys, are_labels, strict=True) if not is_label]
    of = [key for key, is_label in zip(keys, are_labels, strict=True) if is_label]
    if len(keys) != len(shapes) or not 0 < len(images) == len(of) <= 2:
        return None
    splits: list[SplitName] = ["train", "test"]
    return Chosen(
        dict(zip(splits, images, strict=False)),
        dict(zip(splits, of, strict=False)),
    )


def _check_counts(found: Mapping[str, Array], chosen: Chosen, where: str) -> None:
    for split, image_key in chosen.images.items():
        label_key = chosen.labels[split]
        images, of = found[image_key], found[label_key]
        if of.ndim == 0 or images.ndim == 0 or len(of) != len(images):
            n_labels = len(of) if of.ndim else 0
            turned = [axis for axis, n in enumerate(images.shape) if axis and n == n_labels]
            hint = f"; save np.moveaxis(x, {turned[0]}, 0) instead" if turned else ""
            raise DataError(
                f"{where}: {label_key}: {n_labels} labels for {len(images) if images.ndim else 0} "
                f"images in {image_key} {images.shape}{hint}"
            )


def _only_labels(found: Mapping[str, Array], chosen: str, where: str) -> str:
    """The array of labels: the chosen one, unless another of such a name has them instead.

    DataError where two differ in what they call the same class. One number per image is no label.
    """
    (_, split) = _told(chosen) or ("", None)
    named = [key for key in found if (told := _told(key)) and told[0] in LABEL_WORDS]
    of_split = [key for key in named if (_told(key) or ("", None))[1] == split]
    codes = {
        key: np.unique(found[key].ravel(), return_inverse=True)[1]
        for key in of_split
        if found[key].size == found[chosen].size > 0
    }
    if len(codes) < 2:
        return chosen
    labels = {key: of for key, of in codes.items() if int(of.max()) + 1 < max(len(of), FEWEST_IDS)}
    first = chosen if chosen in labels else next(iter(labels), chosen)
    for key, of in labels.items():
        n_pairs = len(np.unique(np.stack([of, labels[first]]), axis=1).T)
        if n_pairs > max(int(of.max()), int(labels[first].max())) + 1:
            raise DataError(f"{where}: {first} and {key} may both be the labels; save one of them")
    return first


def _class_names(found: Mapping[str, Array], where: str) -> tuple[str, ...] | None:
    key = next((key for name in CLASS_NAMES for key in found if key.casefold() == name), None)
    if key is None:
        return None
    names = found[key]
    if names.dtype.kind not in "USiu" or names.ndim != 1:
        raise DataError(f"{where}: {key} must be text (K,), got {names.dtype} {names.shape}")
    return labels.texts_of(names, f"{where}: {key}")


def _raw(values: Array, names: tuple[str, ...] | None, where: str) -> RawLabels:
    if names is None or values.dtype.kind in "US":  # texts name their classes themselves
        return labels.raw_from_values(values, where)
    return labels.raw_from_positions(values, names, where)


def _listed(found: Iterable[str]) -> str:
    return ", ".join(found) or "nothing"


def _needed(images: str = "") -> str:
    if images:
        return f"labels of {images} are missing: np.savez('set.npz', images=x, labels=y)"
    return (
        "needed are images and labels, x and y, or x_train, y_train, x_test and y_test: "
        "np.savez('set.npz', images=x, labels=y)"
    )
