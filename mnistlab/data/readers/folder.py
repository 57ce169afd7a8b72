"""Folders of images: one sub-folder a class, optionally in folders of parts, or just images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mnistlab.data import parts
from mnistlab.data.dataset import Dataset
from mnistlab.data.parts import PART_NAMES, PartName
from mnistlab.data.readers import image_files, labels
from mnistlab.data.readers.left_out import LeftOut, Listed, is_table, listed
from mnistlab.data.readers.pixels import KINDS
from mnistlab.data.readers.shapes import Size
from mnistlab.errors import DataError

MAX_WRAPPERS = 3  # folders that hold one folder and nothing else, as unpacked archives have them
FEWEST_CLASS_FOLDERS = 2  # in one folder with images: then it is no class itself
# Pictures that are not read: a folder of them is a class whose images have to be converted.
PICTURES = frozenset({".heic", ".heif", ".avif", ".jxl", ".jp2", ".svg", ".psd", ".dng", ".npy"})
CLASS_FOLDERS = "class folders (one sub-folder of images per class)"


class Part(NamedTuple):
    """Files of one part of a data set, each with the name of its class."""

    files: list[Path]
    classes: list[str]


def read(path: Path, size: Size | None = None) -> Dataset:
    """Class folders, in folders of parts (train, val, test as `parts.SPELLINGS` has them) or not.

    Images are decoded by `pixels.decode` and resized to `size` (H, W) if it is given. What is left
    out is said in one note: other files, images beside the class folders or in deeper ones.
    Raises DataError for a folder without classes or images, an image that cannot be read, and
    differing sizes where no size is given.
    """
    left_out = LeftOut()
    root = unwrapped(path, left_out)
    folders = _part_folders(root, left_out)
    found = {
        part: _class_folders(folder, left_out, may_lack_images=part != "train")
        for part, folder in folders.items()
    } or {"train": _class_folders(root, left_out)}
    dataset = of_files(path, found, size)
    left_out.say(str(path))
    return dataset


def of_files(path: Path, found: dict[PartName, Part], size: Size | None) -> Dataset:
    """The images of the parts, decoded and joined; the folder `path` gives it its name."""
    present = [part for part in PART_NAMES if part in found]
    images = image_files.decoded(
        path, [file for part in present for file in found[part].files], size
    )
    sets, end = {}, 0
    for part in present:
        start, end = end, end + len(found[part].files)
        numbers, names = labels.from_names(found[part].classes, str(path))
        where = f"{path}: part {part}"
        sets[part] = Dataset(where, images[start:end], numbers, names, provenance=where)
    return parts.joined(path.resolve().name, sets, str(path))


def unwrapped(path: Path, left_out: LeftOut, past_tables: bool = True) -> Path:
    """The folder meant: where one holds a single folder that is no class, that one.

    past_tables: also of a folder with a table beside it, which may have the labels of its images.
    Images beside class folders do not make a class of the folder of both.
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
    """Whether a folder holds two class folders or more, or a part with class folders."""
    inside = [listed(folder) for folder in found.folders]
    if sum(bool(one.images) for one in inside) >= FEWEST_CLASS_FOLDERS:
        return True
    parts_of_it = _called_like_parts(found.folders)
    return any(_has_class_folders(folder, may_hold_images=True) for folder in parts_of_it)


def _part_folders(root: Path, left_out: LeftOut) -> dict[PartName, Path]:
    """The folders of the parts that have class folders; none where the set came in one.

    A folder called train may be a class of pictures of trains: where folders of images stand
    beside it, it is a part only if all its images lie in folders. Others are then left out.
    """
    top = listed(root)
    called = _called_like_parts(top.folders)
    if not called:
        return {}
    has_classes = any(listed(folder).images for folder in top.folders if folder not in called)
    found: dict[PartName, Path] = {}
    for folder, part in called.items():
        if not _has_class_folders(folder, may_hold_images=not has_classes):
            continue
        if part in found:
            raise DataError(f"{root}: {found[part].name} and {folder.name} are both its {part}")
        found[part] = folder
    if found:
        if "train" not in found:
            names = " and ".join(folder.name for folder in found.values())
            raise DataError(f"{root}: holds {names}, but no train with {CLASS_FOLDERS}")
        _leave_out_beside(top, found, called, left_out)
    elif not has_classes or len(set(called.values())) > 1:
        # Nobody wants to tell training images from test images.
        first = min(called, key=lambda folder: PART_NAMES.index(called[folder]))
        raise DataError(f"{first}: holds no {CLASS_FOLDERS}")
    return found


def _called_like_parts(folders: Sequence[Path]) -> dict[Path, PartName]:
    """Folders called train, val and test, or shapes_train and shapes_test: two or more of one set.

    One training_shoes among other folders is a class.
    """
    called = {folder: part for folder in folders if (part := parts.part_called(folder.name))}
    if called:
        return called
    sets: dict[str, dict[Path, PartName]] = {}
    for folder in folders:
        if told := parts.part_of_set(folder.name):
            sets.setdefault(told[1], {})[folder] = told[0]
    several = [found for found in sets.values() if len(set(found.values())) > 1]
    whole = [f for f in several if any(_has_class_folders(one, may_hold_images=True) for one in f)]
    if len(whole) > 1:
        some = " and ".join(next(iter(found)).name for found in whole[:2])
        raise DataError(f"{folders[0].parent}: holds parts of several sets ({some}); give one set")
    return whole[0] if whole else {}


def _leave_out_beside(
    top: Listed, found: dict[PartName, Path], called: dict[Path, PartName], left_out: LeftOut
) -> None:
    left_out.add_images(len(top.images), "beside the folders of the parts")
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


def _class_folders(root: Path, left_out: LeftOut, may_lack_images: bool = False) -> Part:
    """may_lack_images: a class of which validation or test has no image is no fault."""
    top = listed(root)
    if not top.folders:
        n = len(top.images)
        held = f"{_images(n)}, but " if n else ""
        table = ", nor a table labels.csv with columns filename and label" if top.images else ""
        raise DataError(f"{root}: holds {held}no {CLASS_FOLDERS}{table}")
    left_out.add_images(len(top.images), "beside the class folders")
    left_out.add_others(top.others)
    part = Part([], [])
    for folder in _with_images(top.folders, left_out):
        if image_files.UNENCODABLE.search(folder.name):  # no prediction could say it
            raise DataError(f"{str(folder)!a}: a name that is not UTF-8, or of several lines")
        images = _images_of_class(folder, left_out, may_lack_images)
        part.files.extend(images)
        part.classes.extend([folder.name] * len(images))
    if not part.files:
        raise DataError(f"{root}: its class folders hold no images ({KINDS})")
    return part


def _with_images(folders: list[Path], left_out: LeftOut) -> list[Path]:
    """Those that are classes: what holds other files alone, such as __pycache__, is counted.

    Unless there are no others. An empty folder is a class whose images are missing.
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
