"""Folders of the splits of a set of images: train, val and test under the names that sets use.

Folders that are called like splits are never classes together: train and test1 of Dogs vs Cats
hold images whose labels are in their names, or images that cannot be read without a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from mnistlab.data.assembling import SPELLINGS
from mnistlab.data.dataset import SPLIT_NAMES, SplitName
from mnistlab.data.notes import note
from mnistlab.data.readers.folders import file_names, split_folders, wrappers
from mnistlab.data.readers.folders.left_out import LeftOut, Listed, listed
from mnistlab.data.readers.folders.split_folders import Named
from mnistlab.errors import DataError

CLASS_FOLDERS = "class folders (one sub-folder of images per class)"
WRITE_TABLE = "sort them into class folders, or write a table labels.csv (filename,label)"


class RawSplit(NamedTuple):
    """The files of one split, each with the name of its class."""

    files: list[Path]
    classes: list[str]


def find(root: Path, left_out: LeftOut) -> dict[SplitName, Path | RawSplit]:
    """The folder of class folders of each split, or its images where names have the labels.

    Empty for a set without splits. A folder called train may be a class of pictures of trains:
    with other folders of images beside it, it is a split only if all its images lie in folders.
    The others are then left out.
    """
    top = listed(root)
    called = _called_like_splits(top.folders)
    if not called:
        return {}
    has_classes = any(listed(folder).images for folder in top.folders if folder not in called)
    order = split_folders.in_order(called)
    found: dict[SplitName, Path] = {}
    for folder, split in order.items():
        inside = LeftOut()
        inner = wrappers.unwrapped(folder, inside)
        if not wrappers.has_class_folders(inner, may_hold_images=not has_classes):
            continue
        if _flat_images(inner):
            continue
        if split in found:
            raise DataError(f"{root}: {found[split].name} and {folder.name} are both its {split}")
        found[split] = inner
        left_out.add(inside)
        _say_word(folder, called[folder], split)
    if not found:
        if has_classes and len(set(order.values())) < 2:
            return {}
        return dict(_by_names(root, top, called, order, left_out))
    if "train" not in found:
        names = " and ".join(folder.name for folder in found.values())
        raise DataError(f"{root}: holds {names}, but no train with {CLASS_FOLDERS}")
    _leave_out_beside(top, found, called, left_out)
    return dict(found)


def flat_images(folder: Path, left_out: LeftOut) -> list[Path]:
    """Images that lie in the folder, or in its only folder if that is called images, say."""
    flat = _flat_images(folder)
    top = listed(folder)
    left_out.add_others(top.others)
    return top.images or flat


def _flat_images(folder: Path) -> list[Path]:
    top = listed(folder)
    with_images = [one for one in top.folders if wrappers.has_images(one)]
    if not with_images:
        return top.images
    (first, *more) = with_images
    if more or top.images:
        return []
    # asl_alphabet_test/asl_alphabet_test, train/images: no class.
    if first.name.casefold() not in wrappers.FOR_ALL and not split_folders.named(first.name):
        return []
    inside = listed(first)
    return [] if any(map(wrappers.has_images, inside.folders)) else inside.images


def _by_names(
    root: Path,
    top: Listed,
    called: Mapping[Path, Named],
    order: Mapping[Path, SplitName],
    left_out: LeftOut,
) -> dict[SplitName, RawSplit]:
    """Splits of flat images with their labels in their names; a test set may have no labels."""
    flat = {folder: flat_images(folder, left_out) for folder in order}
    of_train = [folder for folder in order if order[folder] == "train" and flat[folder]]
    labels = file_names.labels_of(flat[of_train[0]]) if len(of_train) == 1 else None
    others = [folder for folder in top.folders if folder not in called]
    if labels is None or any(map(wrappers.has_images, others)):
        first = min(order, key=lambda folder: SPLIT_NAMES.index(order[folder]))
        raise DataError(f"{first}: holds no {CLASS_FOLDERS}{_but_images(root, flat)}")
    train = RawSplit(flat[of_train[0]], labels)
    say_names(of_train[0], train)
    found: dict[SplitName, RawSplit] = {"train": train}
    for folder, split in order.items():
        if folder in of_train or not flat[folder]:
            continue
        told = file_names.labels_among(flat[folder], labels)
        known = [name for name in told if name is not None]
        if 0 < len(known) < len(told):
            file = flat[folder][told.index(None)]
            raise DataError(f"{file}: its name has none of the labels {_some(set(labels))}")
        if not known:
            left_out.add_images(len(told), f"in {folder.name}, whose names have no labels")
        elif split in found:
            raise DataError(f"{root}: two folders are its {split}, {folder.name} is one of them")
        else:
            found[split] = RawSplit(flat[folder], known)
    left_out.add_images(len(top.images), "beside the folders of the splits")
    for folder in called:
        if folder not in order:
            left_out.add_below(folder, f"in {folder.name}")
    return found


def say_names(folder: Path, split: RawSplit) -> None:
    """Say that labels were taken from names, which ones, and what shows it."""
    classes = sorted(set(split.classes))
    note(
        f"{folder}: the labels are taken from the names of its images, such as "
        f"{split.files[0].name}: {len(classes)} classes ({_some(classes)})"
    )


def _some(names: Sequence[str] | set[str]) -> str:
    shown = sorted(names)
    return ", ".join(shown[:4]) + (", ..." if len(shown) > 4 else "")


def _but_images(root: Path, flat: Mapping[Path, Sequence[Path]]) -> str:
    files = next((files for files in flat.values() if files), None)
    if files is None:
        return ""
    return (
        f"; it holds images such as {files[0].name}, whose names have no labels: {WRITE_TABLE} in "
        f"{root}"
    )


def _called_like_splits(folders: Sequence[Path]) -> dict[Path, Named]:
    """Folders called train, val and test, or two or more of one set: shapes_train, shapes_test.

    A single training_shoes among other folders is a class.
    """
    told = {folder: one for folder in folders if (one := split_folders.named(folder.name))}
    plain = {folder: one for folder, one in told.items() if one.is_plain}
    if any(one.split is not None for one in plain.values()):
        return plain
    sets: dict[str, dict[Path, Named]] = {}
    for folder, one in told.items():
        sets.setdefault(one.rest, {})[folder] = one
    for folder in folders:  # rps beside rps-test-set
        for rest, found in sets.items():
            has_train = any(one.split == "train" for one in found.values())
            if folder not in told and rest.strip("|") == folder.name.casefold() and not has_train:
                found[folder] = Named("train", rest, "train")
    several = [
        found for found in sets.values() if len({one.split for one in found.values()} - {None}) > 1
    ]
    whole = [
        found
        for found in several
        if any(wrappers.has_class_folders(one, may_hold_images=True) for one in _inner(found))
    ]
    if len(whole) > 1:
        some = " and ".join(next(iter(found)).name for found in whole[:2])
        raise DataError(f"{folders[0].parent}: holds splits of several sets ({some}); give one set")
    if whole:
        return whole[0]
    with_images = [folder for folder in folders if wrappers.has_images(folder)]
    return told if split_folders.all_of_one_set(with_images) else {}


def _inner(folders: Mapping[Path, Named]) -> list[Path]:
    return [wrappers.unwrapped(folder, LeftOut()) for folder in folders]


def _say_word(folder: Path, told: Named, split: SplitName) -> None:
    if all(told.word not in words for words in SPELLINGS.values()):
        name = {"train": "training", "val": "validation", "test": "test"}[split]
        note(f"{folder}: is taken as the {name} set")


def _leave_out_beside(
    top: Listed, found: Mapping[SplitName, Path], called: Mapping[Path, Named], left_out: LeftOut
) -> None:
    left_out.add_images(len(top.images), "beside the folders of the splits")
    left_out.add_others(top.others)
    used = [
        folder
        for folder in top.folders
        if any(one.is_relative_to(folder) for one in found.values())
    ]
    for folder in top.folders:
        if folder in used:
            continue
        told = called.get(folder)
        if told is None:
            left_out.add_below(folder, f"in {folder.name}")
        elif not left_out.add_below(folder, f"in {folder.name}, which has no class folders"):
            raise DataError(f"{folder}: holds no {CLASS_FOLDERS}; fill it or remove it")
