"""Folders around a set: the only folder of an unpacked archive, data/ in a folder of a project."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mnistlab.data.readers.folders import split_folders
from mnistlab.data.readers.folders.left_out import (
    LeftOut,
    Listed,
    below,
    is_image,
    is_table,
    listed,
)
from mnistlab.data.readers.label_tables import sheets

MAX_WRAPPERS = 4  # folders in folders that are entered
FEWEST_CLASS_FOLDERS = 2  # a folder with so many folders of images is not itself a class
# Folders of these names hold all images of a set, whatever their class.
FOR_ALL = frozenset(
    {
        *("images", "image", "imgs", "img", "pictures", "pics", "photos", "jpg", "jpeg", "png"),
        *("jpegimages", "data", "files", "all", "raw", "all_images", "input", "inputs"),
    }
)


def unwrapped(path: Path, left_out: LeftOut, past_tables: bool = True) -> Path:
    """The folder that holds the set: inner folders are entered where nothing else has images.

    past_tables: also enter a folder with a table beside it, which may have the labels of its
    images. A folder of class folders is not a class itself because it also holds images. A folder
    of splits is entered also where other folders have images, such as docs beside data.
    """
    for _ in range(MAX_WRAPPERS):
        found = listed(path)
        if not past_tables and any(is_table(f) or sheets.is_sheet(f) for f in found.others):
            break
        inner = _only_one(found)
        if inner is None or not _is_entered(found, inner):
            break
        if split_folders.split_of(inner.name) == "train" and not split_folders.named(path.name):
            break  # the training set of a set without others, in which a class may be called test
        left_out.add_images(len(found.images), f"beside {inner.name}")
        left_out.add_others(found.others)
        for other in found.folders:
            if other != inner:
                left_out.add_below(other, f"in {other.name}")
        path = inner
    return path


def has_class_folders(folder: Path, may_hold_images: bool) -> bool:
    """Whether folders directly below hold images."""
    inside = listed(folder)
    if inside.images and not may_hold_images:
        return False
    return any(listed(below).images or inner_of_class(below) for below in inside.folders)


def inner_of_class(folder: Path) -> Path | None:
    """The folder in that of a class which has its images: cat/images or cat/cat; else None."""
    inside = listed(folder)
    if inside.images:
        return None
    called = {folder.name.casefold()} | FOR_ALL
    found = [one for one in inside.folders if one.name.casefold() in called and listed(one).images]
    return found[0] if len(found) == 1 else None


def has_images(folder: Path) -> bool:
    """Whether any image lies below a folder; links are not followed."""
    return any(is_image(Path(name)) for name in _files_below(folder))


def _files_below(folder: Path) -> Iterator[str]:
    for _, names in below(folder):
        yield from names


def _only_one(found: Listed) -> Path | None:
    """The only folder that may hold the set; None where there are several, or none."""
    if len(found.folders) == 1:
        return None if found.folders[0].is_symlink() else found.folders[0]
    real = [folder for folder in found.folders if not folder.is_symlink()]
    if len(real) < len(found.folders):
        return None
    # An empty folder may be a class whose images are missing, which is an error, not a wrapper.
    images = [f for f in real if has_images(f) or next(_files_below(f), None) is None]
    if len(images) == 1:
        return images[0]
    if any(_is_called_split(f) and _has_classes(f) for f in images):
        return None
    of_splits = [folder for folder in images if _holds_splits(listed(folder))]
    if len(of_splits) != 1 or any(_has_many(listed(f)) for f in images if f not in of_splits):
        return None
    return of_splits[0]


def _is_entered(found: Listed, folder: Path) -> bool:
    inner = listed(folder)
    if _has_many(inner) or _holds_splits(inner):
        return True
    has_table = any(map(is_table, inner.others))
    if found.images or (inner.images and not has_table):
        return False
    return bool(inner.folders or has_table)


def _has_many(found: Listed) -> bool:
    """Whether a folder holds two or more class folders."""
    with_images = (folder for folder in found.folders if listed(folder).images)
    return sum(1 for _ in with_images) >= FEWEST_CLASS_FOLDERS


def _holds_splits(found: Listed, depth: int = 0) -> bool:
    if len(found.folders) == 1 and depth < MAX_WRAPPERS and not found.folders[0].is_symlink():
        inner = found.folders[0]
        if not _is_called_split(inner) and not found.images:
            return _holds_splits(listed(inner), depth + 1)
    return any(
        _is_called_split(folder) and has_class_folders(folder, may_hold_images=True)
        for folder in found.folders
    )


def _has_classes(folder: Path) -> bool:
    """Whether a folder holds class folders, and not only one that is called like a split again."""
    found = [one for one in listed(folder).folders if listed(one).images]
    return len(found) > 1 or any(not _is_called_split(one) for one in found)


def _is_called_split(folder: Path) -> bool:
    told = split_folders.named(folder.name)
    return told is not None and told.is_plain
