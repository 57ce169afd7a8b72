"""Arrays of one set in files of their own: X.npy and y.npy, Kuzushiji's NPZ files of one array, or
PatchCamelyon's HDF5 files of one dataset.

The words of a name, in any order, say whether the file has images or labels, and of which split;
a folder called train or test says the split as well. What is left of the names is that of the set.
"""

from __future__ import annotations

import itertools
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.data.assembling import RawSplit, split_called, split_of_set
from mnistlab.data.dataset import SPLIT_NAMES, SplitName
from mnistlab.data.notes import note
from mnistlab.data.readers import content, kinds, split_column
from mnistlab.data.readers.binary import hdf5, named_arrays, npz
from mnistlab.data.readers.binary.named_arrays import IMAGE_WORDS, LABEL_WORDS, SHORT, Chosen, Role
from mnistlab.data.readers.folders import wrappers
from mnistlab.data.readers.folders.left_out import listed
from mnistlab.data.readers.label_tables import unnamed_tables
from mnistlab.data.readers.shapes import Size
from mnistlab.errors import DataError

ENDING = re.compile(r"\.(npy|npz)$", re.IGNORECASE)
HDF5 = kinds.ENDINGS["hdf5"]
# Kuzushiji_TrainImgs: a capital letter begins a word.
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
BOTH = re.compile(  # xtrain, testy: one word with two meanings
    rf"(?P<role>{'|'.join(IMAGE_WORDS + LABEL_WORDS)})(?P<split>train|valid|val|test)"
    rf"|(?P<split2>train|valid|val|test)(?P<role2>{'|'.join(IMAGE_WORDS + LABEL_WORDS)})"
)
MORE_IMAGE_WORDS = ("inputs", "pictures", "digits")
NAMES_OF_CLASSES = ("classes", "class")  # beside other labels these are the names of classes
SHOWN = 6


class ArrayFile(NamedTuple):
    """A file of one array. split: None where nothing says it. rest: the other words of its name."""

    path: Path
    role: Role
    split: SplitName | None
    rest: str
    word: str


class ArrayFiles(NamedTuple):
    """The files of images and labels of each split, and all others that hold arrays."""

    images: dict[SplitName, Path]
    labels: dict[SplitName, Path]
    beside: list[Path]


def find(folder: Path) -> ArrayFiles | None:
    """The files of a set in a folder; None where no two of them are its images and its labels.

    Raises DataError where it is open which ones are meant.
    """
    files = arrays_in(folder)
    candidates = [one for one in map(described, files) if one is not None]
    if {one.role for one in candidates} != {"images", "labels"} or _has_other_data(folder):
        return None
    of_set = _of_one_set(candidates, folder)
    has_train = any(one.split == "train" for one in of_set)
    chosen: dict[Role, dict[SplitName, Path]] = {"images": {}, "labels": {}}
    for one in of_set:
        if one.split is not None or not has_train:
            chosen[one.role][one.split or "train"] = one.path
    images, labels = chosen["images"], chosen["labels"]
    if "train" not in images or "train" not in labels:
        return None
    used = {*images.values(), *(labels[split] for split in labels if split in images)}
    return ArrayFiles(images, labels, [path for path in files if path not in used])


def read_splits(
    folder: Path, found: ArrayFiles, size: Size | None = None
) -> dict[SplitName, RawSplit]:
    """The splits in these files; errors as in `npz.read_splits`."""
    arrays, paths = {}, [*found.images.values(), *found.labels.values()]
    telling = [path for path in found.beside if _tells_more(path.stem)]
    left = [path for path in found.beside if path not in telling]
    for path in dict.fromkeys([*paths, *telling]):
        arrays[_key(path, folder)] = array_of(path)
    chosen = Chosen(
        {split: _key(path, folder) for split, path in found.images.items()},
        {
            split: _key(path, folder)
            for split, path in found.labels.items()
            if split in found.images
        },
    )
    pairs = [
        f"{split} is {chosen.images[split]} with the labels {chosen.labels[split]}"
        for split in SPLIT_NAMES
        if split in chosen.images and split in chosen.labels
    ]
    note(f"{folder}: its arrays are read as one set: {'; '.join(pairs)}")
    if left:
        note(f"{folder}: left out: {several(left)}")
    return named_arrays.chosen_splits(arrays, chosen, str(folder), size)


def array_of(path: Path) -> NDArray[np.generic]:
    """The one array of a .npy, .npz or HDF5 file; DataError for a damaged one."""
    if HDF5.search(path.name):
        datasets = hdf5.arrays_of(path)
        if len(datasets) != 1:
            n = len(datasets)
            raise DataError(f"{path}: holds {n} datasets, not one array; give this file alone")
        return next(iter(datasets.values()))
    if path.suffix.lower() == ".npy":
        return npz.array_in_npy(path)
    return next(iter(npz.arrays_of(path, str(path)).values()))


def check_alone(path: Path) -> None:
    """DataError for one file of a set that lies in several: the folder is to be given."""
    is_array = HDF5.search(path.name) or (ENDING.search(path.name) and _is_alone(path))
    if not is_array or described(path) is None:
        return
    try:
        found = find(path.parent)
    except DataError:
        return
    if found is not None and path in (*found.images.values(), *found.labels.values()):
        raise DataError(
            f"{path}: holds one array, and those of its set lie beside it; give the folder: "
            f"{path.parent}"
        )


def arrays_in(folder: Path) -> list[Path]:
    """Files of a single array each, also those in folders called like splits.

    Of HDF5, which only another process opens, those whose names say so, where no others are.
    """
    top = listed(folder)
    below = [listed(one).others for one in top.folders if split_called(one.name)]
    files = [path for path in [*top.others, *itertools.chain(*below)] if path.is_file()]
    found = [path for path in files if ENDING.search(path.name) and _is_alone(path)]
    return found or [path for path in files if HDF5.search(path.name) and described(path)]


def _is_alone(path: Path) -> bool:
    """Whether a file holds one array only; train.npz with x and y is a set of its own."""
    if path.suffix.lower() == ".npy":
        return True
    try:
        with zipfile.ZipFile(path) as archive:
            return len(archive.namelist()) == 1
    except content.DAMAGE:
        return False


def _has_other_data(folder: Path) -> bool:
    """Whether class folders or files of splits lie there, which are read instead.

    Tables without pixels are about the images, as PatchCamelyon's _meta.csv.
    """
    top = listed(folder)
    return any(map(_is_split, top.others)) or any(map(wrappers.has_images, top.folders))


def _is_split(file: Path) -> bool:
    kind = kinds.kind_by_name(file)
    if kind in (None, "npz", "zip") or split_of_set(file.name.split(".")[0]) is None:
        return False
    if kind == "table":
        return not unnamed_tables.has_no_pixels(file)
    return kind != "hdf5" or described(file) is None


def described(path: Path, ends_at: str = "") -> ArrayFile | None:
    """What the words of a name say; None where they do not say which array it is.

    ends_at: where the name ends, if not before its last ending.
    """
    stem = path.name.partition(ends_at)[0] if ends_at else path.stem
    if stem.casefold() in named_arrays.CLASS_NAMES:
        return None
    roles: list[tuple[Role, str]] = []
    splits: set[SplitName] = set()
    rest: list[str] = []
    for word in _words(stem):
        if (role := _role(word)) is not None:
            roles.append((role, word))
        elif (split := SHORT.get(word) or split_called(word)) is not None:
            splits.add(split)
        else:
            rest.append(word)
    if above := split_called(path.parent.name):
        splits.add(above)
    if not roles or len(splits) > 1:
        return None
    role, word = roles[-1]  # image_labels are labels
    return ArrayFile(path, role, next(iter(splits), None), " ".join(rest), word)


def _words(stem: str) -> Iterator[str]:
    for word in WORD.findall(stem):
        match = BOTH.fullmatch(word.casefold())
        if match is None:
            yield word.casefold()
        else:
            yield match["role"] or match["role2"]
            yield match["split"] or match["split2"]


def _role(word: str) -> Role | None:
    if word in LABEL_WORDS:
        return "labels"
    return "images" if word in IMAGE_WORDS + MORE_IMAGE_WORDS else None


def _of_one_set(files: Sequence[ArrayFile], folder: Path) -> Sequence[ArrayFile]:
    """The files of one set, each of another role or split."""
    files = _without_names(files)
    if _are_different(files):
        return files
    groups: dict[str, list[ArrayFile]] = {}
    for one in files:
        groups.setdefault(one.rest, []).append(one)
    whole = [
        group for group in groups.values() if {one.role for one in group} == {"images", "labels"}
    ]
    if len(whole) == 1 and _are_different(_without_names(whole[0])):
        return _without_names(whole[0])
    raise DataError(
        f"{folder}: holds {several(one.path for one in files)}, of which several may be meant; "
        "put the images and labels of one set into a folder of its own"
    )


def _without_names(files: Sequence[ArrayFile]) -> Sequence[ArrayFile]:
    others = [one for one in files if one.word not in NAMES_OF_CLASSES]
    return others if any(one.role == "labels" for one in others) else files


def _are_different(files: Sequence[ArrayFile]) -> bool:
    return len({(one.role, one.split) for one in files}) == len(files)


def _tells_more(stem: str) -> bool:
    """Whether an array names the classes, or tells the split of each image."""
    return stem.casefold() in named_arrays.CLASS_NAMES or split_column.is_called_so(stem)


def _key(path: Path, folder: Path) -> str:
    """The name of the array in messages."""
    return path.stem if path.parent == folder else f"{path.parent.name}/{path.stem}"


def several(paths: Iterable[Path]) -> str:
    """How many files these are, and the names of the first."""
    names = sorted(path.name for path in paths)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{len(names)} file{'s' * (len(names) > 1)} of arrays ({', '.join(names[:SHOWN])}{more})"
