"""Folders of images: one sub-folder per class, optionally in folders called train, val and test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mnistlab.data import assembling
from mnistlab.data.dataset import SPLIT_NAMES, Dataset, SplitName
from mnistlab.data.readers import image_files, labels
from mnistlab.data.readers.left_out import LeftOut, Listed, is_table, listed
from mnistlab.data.readers.pixels import KINDS
from mnistlab.data.readers.shapes import Size
from mnistlab.errors import DataError

MAX_WRAPPERS = 3  # folders that hold a single folder, as in unpacked archives
FEWEST_CLASS_FOLDERS = 2  # a folder with so many folders of images is not itself a class
# Formats that are not read: a folder of such files is a class whose images must be converted.
PICTURES = frozenset({".heic", ".heif", ".avif", ".jxl", ".jp2", ".svg", ".psd", ".dng", ".npy"})
CLASS_FOLDERS = "class folders (one sub-folder of images per class)"


class RawSplit(NamedTuple):
    """The files of one split, each with the name of its class."""

    files: list[Path]
    classes: list[str]


def read(path: Path, size: Size | None = None) -> Dataset:
    """Class folders, directly below `path` or in folders of splits (train, val, test).

    Images are decoded by `pixels.decode` and resized to `size` (H, W) if it is given. One note says
    what is left out: other files, images beside the class folders or in deeper folders.
    Raises DataError for a folder without classes or images, an image that cannot be read, and
    differing sizes where no size is given.
    """
    left_out = LeftOut()
    root = unwrapped(path, left_out)
    folders = _split_folders(root, left_out)
    found = {
        split: _class_folders(folder, left_out, may_lack_images=split != "train")
        for split, folder in folders.items()
    } or {"train": _class_folders(root, left_out)}
    dataset = of_files(path, found, size)
    left_out.say(str(path))
    return dataset


def of_files(path: Path, found: dict[SplitName, RawSplit], size: Size | None) -> Dataset:
    """The data set of these files; it is called after the folder `path`."""
    present = [split for split in SPLIT_NAMES if split in found]
    images = image_files.decoded(
        path, [file for split in present for file in found[split].files], size
    )
    sets, end = {}, 0
    for split in present:
        start, end = end, end + len(found[split].files)
        numbers, names = labels.from_names(found[split].classes, str(path))
        where = f"{path}: split {split}"
        sets[split] = Dataset(where, images[start:end], numbers, names, provenance=where)
    return assembling.joined(path.resolve().name, sets, str(path))


def unwrapped(path: Path, left_out: LeftOut, past_tables: bool = True) -> Path:
    """The folder that holds the set: inner folders of folders that hold nothing else are entered.

    past_tables: also enter a folder with a table beside it, which may have the labels of its
    images. A folder of class folders is not a class itself because it also holds images.
    """
    for _ in range(MAX_WRAPPERS):
        found = listed(path)
        if len(found.folders) != 1 or found.folders[0].is_symlink():
            break
        if any(map(is_table, found.others)) and not past_tables:
            break
        inner = listed(found.folders[0])
        has_table = any(map(is_table, inner.others))
        if not _holds_a_set(inner):
            if found.images or (inner.images and not has_table):
                break
            if not (inner.folders or has_table):
                break
        left_out.add_images(len(found.images), f"beside {found.folders[0].name}")
        left_out.add_others(found.others)
        path = found.folders[0]
    return path


def _holds_a_set(found: Listed) -> bool:
    """Whether a folder holds two or more class folders, or a split with class folders."""
    inside = [listed(folder) for folder in found.folders]
    if sum(bool(one.images) for one in inside) >= FEWEST_CLASS_FOLDERS:
        return True
    parts_of_it = _called_like_splits(found.folders)
    return any(_has_class_folders(folder, may_hold_images=True) for folder in parts_of_it)


def _split_folders(root: Path, left_out: LeftOut) -> dict[SplitName, Path]:
    """The folders of the splits, if they hold class folders; empty for a set without splits.

    A folder called train may be a class of pictures of trains: with other folders of images beside
    it, it is a split only if all its images lie in folders. The others are then left out.
    """
    top = listed(root)
    called = _called_like_splits(top.folders)
    if not called:
        return {}
    has_classes = any(listed(folder).images for folder in top.folders if folder not in called)
    found: dict[SplitName, Path] = {}
    for folder, split in called.items():
        if not _has_class_folders(folder, may_hold_images=not has_classes):
            continue
        if split in found:
            raise DataError(f"{root}: {found[split].name} and {folder.name} are both its {split}")
        found[split] = folder
    if found:
        if "train" not in found:
            names = " and ".join(folder.name for folder in found.values())
            raise DataError(f"{root}: holds {names}, but no train with {CLASS_FOLDERS}")
        _leave_out_beside(top, found, called, left_out)
    elif not has_classes or len(set(called.values())) > 1:
        # Else train and test would become two classes.
        first = min(called, key=lambda folder: SPLIT_NAMES.index(called[folder]))
        raise DataError(f"{first}: holds no {CLASS_FOLDERS}")
    return found


def _called_like_splits(folders: Sequence[Path]) -> dict[Path, SplitName]:
    """Folders called train, val and test, or two or more of one set: shapes_train, shapes_test.

    A single training_shoes among other folders is a class.
    """
    called = {
        folder: split for folder in folders if (split := assembling.split_called(folder.name))
    }
    if called:
        return called
    sets: dict[str, dict[Path, SplitName]] = {}
    for folder in folders:
        if told := assembling.split_of_set(folder.name):
            sets.setdefault(told[1], {})[folder] = told[0]
    several = [found for found in sets.values() if len(set(found.values())) > 1]
    whole = [f for f in several if any(_has_class_folders(one, may_hold_images=True) for one in f)]
    if len(whole) > 1:
        some = " and ".join(next(iter(found)).name for found in whole[:2])
        raise DataError(f"{folders[0].parent}: holds splits of several sets ({some}); give one set")
    return whole[0] if whole else {}


def _leave_out_beside(
    top: Listed, found: dict[SplitName, Path], called: dict[Path, SplitName], left_out: LeftOut
) -> None:
    left_out.add_images(len(top.images), "beside the folders of the splits")
    left_out.add_others(top.others)
    for folder in top.folders:
        if folder in found.values():
            continue
        if folder not in called:
            left_out.add_below(folder, f"in {folder.name}")
        elif not left_out.add_below(folder, f"in {folder.name}, which has no class folders"):
            raise DataError(f"{folder}: holds no {CLASS_FOLDERS}; fill it or remove it")


def _has_class_folders(folder: Path, may_hold_images: bool) -> bool:
    inside = listed(folder)
    if inside.images and not may_hold_images:
        return False
    return any(listed(below).images for below in inside.folders)


def _class_folders(root: Path, left_out: LeftOut, may_lack_images: bool = False) -> RawSplit:
    """The images of all class folders. may_lack_images: a class folder may be empty."""
    top = listed(root)
    if not top.folders:
        n = len(top.images)
        held = f"{_images(n)}, but " if n else ""
        table = ", nor a table labels.csv with columns filename and label" if top.images else ""
        raise DataError(f"{root}: holds {held}no {CLASS_FOLDERS}{table}")
    left_out.add_images(len(top.images), "beside the class folders")
    left_out.add_others(top.others)
    split = RawSplit([], [])
    for folder in _with_images(top.folders, left_out):
        if image_files.UNENCODABLE.search(folder.name):  # no prediction could say it
            raise DataError(f"{str(folder)!a}: a name that is not UTF-8, or of several lines")
        images = _images_of_class(folder, left_out, may_lack_images)
        split.files.extend(images)
        split.classes.extend([folder.name] * len(images))
    if not split.files:
        raise DataError(f"{root}: its class folders hold no images ({KINDS})")
    return split


def _with_images(folders: list[Path], left_out: LeftOut) -> list[Path]:
    """The folders that are classes. Those that only hold other files, such as __pycache__, are not.

    If no folder is left, all of them are classes. An empty folder is a class without images.
    """
    kept, without = [], LeftOut()
    for folder in folders:
        inside = LeftOut()
        n_images = inside.add_below(folder, f"in {folder.name}")
        if n_images or not inside.suffixes or PICTURES & inside.suffixes.keys():
            kept.append(folder)
        else:
            without.add(inside)
    if not kept:
        return folders
    left_out.add(without)
    return kept


def _images_of_class(folder: Path, left_out: LeftOut, may_lack_images: bool) -> list[Path]:
    found, own = listed(folder), LeftOut()
    own.add_others(found.others)
    n_below = [own.add_below(below, "in deeper folders") for below in found.folders]
    is_set = sum(n > 0 for n in n_below) >= FEWEST_CLASS_FOLDERS
    if found.images and is_set and sum(n_below) > len(found.images):
        some = " and ".join(below.name for below in found.folders[:2])
        raise DataError(
            f"{folder}: holds {_images(len(found.images))}, but {sum(n_below)} in its folders "
            f"({some}); give this folder if they are the classes, else move them out of it"
        )
    if not (found.images or may_lack_images):
        why = image_files.but_left_out(own) or "; remove the folder or put images into it"
        raise DataError(f"{folder}: holds no images ({KINDS}){why}")
    left_out.add(own)
    return found.images


def _images(n: int) -> str:
    return f"{n} image{'s' * (n != 1)}"
