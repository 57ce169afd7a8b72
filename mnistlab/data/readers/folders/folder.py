"""Folders of images: one sub-folder per class, in or around folders called train, val and test."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from mnistlab.data import assembling
from mnistlab.data.assembling import SPELLINGS
from mnistlab.data.dataset import SPLIT_NAMES, Dataset, SplitName
from mnistlab.data.notes import note
from mnistlab.data.readers import labels
from mnistlab.data.readers.folders import (
    class_names,
    file_names,
    folder_splits,
    image_files,
    split_folders,
    splits_of_classes,
    wrappers,
)
from mnistlab.data.readers.folders.folder_splits import CLASS_FOLDERS, RawSplit
from mnistlab.data.readers.folders.left_out import LeftOut, how_to_convert, listed, may_have_labels
from mnistlab.data.readers.folders.wrappers import FEWEST_CLASS_FOLDERS
from mnistlab.data.readers.pixels import KINDS
from mnistlab.data.readers.shapes import Size
from mnistlab.data.readers.spellings import as_known, composed
from mnistlab.errors import DataError

# Formats that are not read: a folder of such files is a class whose images must be converted.
PICTURES = frozenset({".heic", ".heif", ".avif", ".jxl", ".jp2", ".svg", ".psd", ".dng", ".npy"})
# Words of folders of images without labels; valid may be a class, of sound parts.
NO_CLASSES = frozenset({*SPELLINGS["test"], "tst", *split_folders.UNLABELLED})
# Folders of all images, or of those that nobody has sorted: no class beside two others.
OF_ALL = frozenset(
    {"all", "all_images", "images", "imgs", "img", "jpegimages", "unsorted", "unsup"}
)
MASK = re.compile(
    r"(?P<of>.+?)[-_ ]?(?:mask|segmentation|seg|annotation|ground_?truth|gt)(?:[-_ ]?[0-9]+)?",
    re.IGNORECASE,
)
# Folders beside those of the images, which are no classes.
BESIDE_IMAGES = wrappers.FOR_ALL | {
    *("mask", "masks", "label", "labels", "annotations", "annotation", "gt", "ground_truth"),
    *("groundtruth", "segmentation", "segmentations", "trimaps", "meta", "bbox", "bboxes"),
}


def read(path: Path, size: Size | None = None) -> Dataset:
    """Class folders, directly below `path` or in folders of splits (train, val, test).

    The splits may also be in the class folders: cat/train.

    Images are decoded by `pixels.decode` and resized to `size` (H, W) if it is given. One note says
    what is left out: other files, images beside the class folders or in deeper folders.
    Raises DataError for a folder without classes or images, an image that cannot be read, and
    differing sizes where no size is given.
    """
    left_out = LeftOut()
    root = wrappers.unwrapped(path, left_out)
    found: dict[SplitName, RawSplit] = {}
    for split, inside in folder_splits.find(root, left_out).items():
        if isinstance(inside, Path):
            may_lack = split != "train"
            found[split] = class_folders(inside, left_out, may_lack, is_split=True)
        else:
            found[split] = inside
    found = found or splits_of_classes.find(root, left_out)
    _leave_out_unknown(found, left_out)
    if not found:
        found["train"] = _by_names(root, left_out) or class_folders(root, left_out)
    dataset = of_files(path, found, size)
    left_out.say(str(path))
    return dataset


def of_files(path: Path, found: dict[SplitName, RawSplit], size: Size | None) -> Dataset:
    """The data set of these files; it is called after the folder `path`."""
    present = [split for split in SPLIT_NAMES if split in found]
    agreed = class_names.agreed({split: found[split].classes for split in present}, str(path))
    images = image_files.decoded(
        path, [file for split in present for file in found[split].files], size
    )
    sets, end = {}, 0
    for split in present:
        start, end = end, end + len(found[split].files)
        numbers, names = labels.from_names(agreed[split], str(path))
        where = f"{path}: split {split}"
        sets[split] = Dataset(where, images[start:end], numbers, names, provenance=where)
    return assembling.joined(path.resolve().name, sets, str(path))


def _leave_out_unknown(found: dict[SplitName, RawSplit], left_out: LeftOut) -> None:
    """Test images in folders that are no class of train, such as test/unknown, have no labels."""
    known = sorted({composed(name).casefold() for name in found.get("train", ((), ()))[1]})
    for split in ("val", "test"):
        classes = sorted(set(found[split].classes)) if split in found else []
        if not classes or as_known([composed(name).casefold() for name in classes], known):
            continue
        if split == "val":
            raise DataError(
                f"{found[split].files[0].parent}: its name is no class of the training set, nor "
                "are those of the other folders of the validation set"
            )
        n = len(found.pop(split).files)
        left_out.add_images(n, f"of test, whose folders ({classes[0]}) are no classes of train")


def _by_names(root: Path, left_out: LeftOut) -> RawSplit | None:
    """Images without class folders whose labels are in their names; None for all others."""
    inside = LeftOut()
    files = folder_splits.flat_images(root, inside)
    told = file_names.labels_of(files) if files else None
    if told is None:
        return None
    left_out.add(inside)
    split = RawSplit(files, told)
    folder_splits.say_names(root, split)
    return split


def class_folders(
    root: Path, left_out: LeftOut, may_lack_images: bool = False, is_split: bool = False
) -> RawSplit:
    """The images of all class folders. may_lack_images: a class folder may be empty.

    is_split: the folder is that of a split, in which a class may be called test.
    """
    top = listed(root)
    if not top.folders:
        n = len(top.images)
        held = f"{_images(n)}, but " if n else ""
        table = ", nor a table labels.csv with columns filename and label" if top.images else ""
        unread = [file for file in top.others if may_have_labels(file)] if top.images else []
        if unread:
            table += f"; {unread[0].name} is not read, if it has them: {how_to_convert(unread[0])}"
        raise DataError(f"{root}: holds {held}no {CLASS_FOLDERS}{table}")
    left_out.add_images(len(top.images), "beside the class folders")
    left_out.add_others(top.others)
    split = RawSplit([], [])
    folders = _with_images(top.folders, left_out)
    if not is_split:
        folders = _without_test(folders, left_out)
    _check_classes(root, folders)
    names = [folder.name for folder in folders]
    class_names.check_crossed(root, names)
    class_names.say_doubtful(root, names)
    for folder in folders:
        if image_files.UNENCODABLE.search(folder.name):  # no prediction could say it
            raise DataError(f"{str(folder)!a}: a name that is not UTF-8, or of several lines")
        images = _images_of_class(folder, left_out, may_lack_images)
        split.files.extend(images)
        split.classes.extend([folder.name] * len(images))
    if not is_split:
        class_names.say_derived(root, split.files)
    if not split.files:
        raise DataError(f"{root}: its class folders hold no images ({KINDS})")
    return split


def _check_classes(root: Path, folders: Sequence[Path]) -> None:
    """DataError for folders that hold parts of a set or of its images, and so are no classes."""
    names = [folder.name.casefold() for folder in folders]
    some = " and ".join(folder.name for folder in folders[:2])
    if set(names) <= BESIDE_IMAGES:
        files = [file for folder in folders for file in listed(folder).images][:1]
        such = f" (such as {files[0].name})" if files else ""
        raise DataError(
            f"{root}: {some} {'is' if len(names) == 1 else 'are'} no {CLASS_FOLDERS}, nor are "
            f"labels in the names of the images{such}; {folder_splits.WRITE_TABLE}"
        )
    if len(names) > 1 and all(map(class_names.CUT.fullmatch, names)):
        raise DataError(
            f"{root}: {some} seem to be parts of one set, not classes; "
            f"{folder_splits.WRITE_TABLE}; rename the folders if they are classes"
        )


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


def _without_test(folders: list[Path], left_out: LeftOut) -> list[Path]:
    """The folders without those called test and the like, beside two or more classes.

    A folder called train may be a class of pictures of trains, and valid one of sound parts, which
    a note says. Two folders called like splits are never classes together.
    """
    told = {folder: split_folders.named(folder.name) for folder in folders}
    plain = {folder: one for folder, one in told.items() if one is not None and one.is_plain}
    others = [folder for folder in folders if told[folder] is None]
    if not others:
        if plain and len(folders) > 1:
            some = " and ".join(folder.name for folder in folders[:2])
            raise DataError(
                f"{folders[0].parent}: {some} are called like splits, and hold no {CLASS_FOLDERS}; "
                f"{folder_splits.WRITE_TABLE}"
            )
        return folders
    no_classes = [
        folder
        for folder, one in plain.items()
        if one.word in NO_CLASSES and len(others) >= FEWEST_CLASS_FOLDERS
    ]
    of_all = [folder for folder in others if folder.name.casefold() in OF_ALL]
    if len(others) - len(of_all) < FEWEST_CLASS_FOLDERS:
        of_all = []
    for folder in of_all:
        left_out.add_below(folder, f"in {folder.name}, which is taken for no class")
    for folder in plain:
        if folder in no_classes:
            left_out.add_below(folder, f"in {folder.name}, whose images have no labels")
        else:
            note(f"{folder}: is taken as a class, since it holds images, not {CLASS_FOLDERS}")
    return [folder for folder in folders if folder not in no_classes + of_all]


def _images_of_class(folder: Path, left_out: LeftOut, may_lack_images: bool) -> list[Path]:
    found, own = listed(folder), LeftOut()
    inner = None if found.images else wrappers.inner_of_class(folder)
    if inner is not None:
        for beside in found.folders:
            if beside != inner:
                left_out.add_below(beside, f"in folders {beside.name}")
        return _images_of_class(inner, left_out, may_lack_images)
    own.add_others(found.others)
    n_below = [own.add_below(below, "in deeper folders") for below in found.folders]
    is_set = sum(n > 0 for n in n_below) >= FEWEST_CLASS_FOLDERS
    some = " and ".join(below.name for below in found.folders[:2])
    if found.images and is_set and sum(n_below) > len(found.images):
        raise DataError(
            f"{folder}: holds {_images(len(found.images))}, but {sum(n_below)} in its folders "
            f"({some}); give this folder if they are the classes, else move them out of it"
        )
    if not (found.images or may_lack_images):
        if is_set:
            raise DataError(
                f"{folder}: holds no images itself, but {sum(n_below)} in its folders ({some}, "
                "...); give this folder if they are the classes, or move all class folders into one"
            )
        why = (
            _arrays_hint(own)
            or image_files.but_left_out(own)
            or "; remove the folder or put images into it"
        )
        raise DataError(f"{folder}: holds no images ({KINDS}){why}")
    left_out.add(own)
    return _without_masks(found.images, left_out)


def _without_masks(images: list[Path], left_out: LeftOut) -> list[Path]:
    """The images without those that show which pixels of another one matter: 1_mask beside 1."""
    stems = {file.stem for file in images}
    masks = {
        file for file in images if (match := MASK.fullmatch(file.stem)) and match["of"] in stems
    }
    left_out.add_images(len(masks), "that are called masks of others")
    return [file for file in images if file not in masks]


def _arrays_hint(own: LeftOut) -> str:
    """The line that joins arrays of one image each; empty for other files."""
    n = own.suffixes[".npy"]
    if not n:
        return ""
    return (
        f", but {n} arrays (.npy); if each is one image, join those of all classes: "
        "f = sorted(pathlib.Path().glob('*/*.npy')); np.savez('set.npz', "
        "images=np.stack([np.load(n) for n in f]), labels=[n.parent.name for n in f])"
    )


def _images(n: int) -> str:
    return f"{n} image{'s' * (n != 1)}"
