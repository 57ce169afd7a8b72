"""The files of a folder that hold the splits of one set, such as train.csv and test.csv."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from mnistlab.data.assembling import SPELLINGS, split_called, split_of_set
from mnistlab.data.dataset import SplitName
from mnistlab.data.folders_above import wrapped_files
from mnistlab.data.readers import kinds, shards
from mnistlab.data.readers.folders.left_out import is_junk, listed
from mnistlab.data.readers.kinds import Kind
from mnistlab.errors import DataError

# Where the splits lie in files of several kinds, the first of these is read.
ORDER: tuple[Kind, ...] = ("table", "npz", "idx", "parquet", "hdf5")
IDX_IMAGES = re.compile(r"[-_.]?images$", re.IGNORECASE)
SHOWN = 6
MAX_CONFIGURATIONS = 4  # folders that are looked into for Parquet; class folders are many


class SplitFiles(NamedTuple):
    """The files of each split, in order; several only of Parquet. others: data that is not read."""

    kind: Kind
    files: dict[SplitName, list[Path]]
    others: list[Path]


class _Called(NamedTuple):
    path: Path
    kind: Kind
    split: SplitName
    rest: str


def find(folder: Path) -> SplitFiles | None:
    """Files called train (and val, test) in any spelling; None where there is none called train.

    Raises DataError where several sets lie there.
    """
    top = listed(folder)
    has_data = any(_kind(path) for path in top.others if path.suffix.lower() != ".txt")
    files = top.others if has_data else [*top.others, *wrapped_files(folder)]
    data = [(path, kind) for path in files if (kind := _kind(path)) is not None]
    shards.check_complete(path for path, _ in data)
    shards.check_alone(path for path, kind in data if kind != "parquet")
    called = [found for path, kind in data if (found := _called(path, kind)) is not None]
    for folder_of_split in top.folders:  # as Hugging Face converts sets: train/0000.parquet
        split = split_called(folder_of_split.name)
        if split is not None:
            parquets = _parquet_in(folder_of_split)
            shards.check_complete(parquets)
            called += [_Called(path, "parquet", split, "") for path in parquets]
    group = _one_set(called, folder)
    if group is None:
        few = top.folders if len(top.folders) <= MAX_CONFIGURATIONS else []
        below = [inside for sub in few if (inside := _parquet_below(sub)) is not None]
        return below[0] if len(below) == 1 and not called else None
    group = [*group, *_plain_tests(group, called)]
    by_split: dict[SplitName, list[Path]] = {}
    for found in sorted(group, key=lambda found: (len(found.path.name), found.path.name)):
        of_split = by_split.setdefault(found.split, [])
        if found.kind == "parquet" or not of_split:  # train.csv before train.csv.gz
            of_split.append(found.path)
    read = {path for of_split in by_split.values() for path in of_split}
    others = [path for path, kind in data if path not in read and kind != "zip"]
    return SplitFiles(group[0].kind, by_split, [path for path in others if not _belongs(path)])


def only_file(folder: Path) -> Path | None:
    """The file of data in a folder that holds just one, and neither images nor folders."""
    top = listed(folder)
    data = [path for path in top.others if _kind(path) is not None]
    return data[0] if len(data) == 1 and not top.folders and not top.images else None


def said(paths: Iterable[Path]) -> str:
    """Their names, not too many."""
    names = sorted(path.name for path in paths)
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")


def _kind(path: Path) -> Kind | None:
    return kinds.kind_of(path) if path.is_file() and not is_junk(path.name) else None


def _called(path: Path, kind: Kind) -> _Called | None:
    stem = kinds.stem_of(path, kind)
    if kind == "parquet":
        stem = shards.without_number(stem)
    if kind == "idx":
        if not IDX_IMAGES.search(stem):
            return None
        stem = IDX_IMAGES.sub("", stem)
    told = split_of_set(stem)
    return None if told is None or kind == "zip" else _Called(path, kind, *told)


def _one_set(called: list[_Called], folder: Path) -> list[_Called] | None:
    """The files of one kind and name that have a training set."""
    groups: dict[tuple[int, str], list[_Called]] = {}
    for found in called:
        groups.setdefault((ORDER.index(found.kind), found.rest), []).append(found)
    whole = {
        key: group for key, group in groups.items() if any(one.split == "train" for one in group)
    }
    plain = [key for key in whole if key[1] in ("", "|")]
    if plain or not whole:
        return whole[min(plain)] if plain else None
    if len({rest for _, rest in whole}) > 1:
        trains = [one.path for group in whole.values() for one in group if one.split == "train"]
        raise DataError(
            f"{folder}: holds training sets of several sets ({said(trains)}); "
            "give one file, or put one set into a folder of its own"
        )
    return whole[min(whole)]


def _plain_tests(group: list[_Called], called: list[_Called]) -> list[_Called]:
    """mnist_test.csv beside mnist_train_small.csv, the only training set, which has no test set."""
    kind, rest = group[0].kind, group[0].rest
    if {one.split for one in group} != {"train"}:
        return []
    if any(one.split == "train" and one not in group for one in called):
        return []
    plain = rest.partition("|")[0] + "|"
    return [one for one in called if (one.split, one.kind, one.rest) == ("test", kind, plain)]


def _belongs(path: Path) -> bool:
    """Labels of IDX files, and the images that `data export` writes for `predict`."""
    return "labels" in path.name.casefold() or path.name == "evaluate.csv"


def _parquet_in(folder: Path) -> list[Path]:
    return [path for path in listed(folder).others if _kind(path) == "parquet"]


def _parquet_below(folder: Path) -> SplitFiles | None:
    """The splits in a folder of a copy of a Hugging Face repository: data/train-00000-of-00001."""
    inside = listed(folder)
    has_any = any(_kind(path) == "parquet" for path in inside.others)
    has_any = has_any or any(split_called(f.name) and _parquet_in(f) for f in inside.folders)
    return find(folder) if has_any else None


def splits_of(files: Mapping[SplitName, list[Path]]) -> list[SplitName]:
    """The splits in the order train, val, test."""
    return [split for split in SPELLINGS if split in files]
