"""Splits inside the folders of the classes: cat/train, cat/test, dog/train, dog/test."""

from __future__ import annotations

from pathlib import Path

from mnistlab.data.dataset import SPLIT_NAMES, SplitName
from mnistlab.data.notes import note
from mnistlab.data.readers.folders import split_folders, wrappers
from mnistlab.data.readers.folders.folder_splits import RawSplit
from mnistlab.data.readers.folders.left_out import LeftOut, listed


def find(root: Path, left_out: LeftOut) -> dict[SplitName, RawSplit]:
    """The images of each split; empty for a set whose class folders are not all divided so."""
    top, inside = listed(root), LeftOut()
    classes = [folder for folder in top.folders if wrappers.has_images(folder)]
    found: dict[SplitName, RawSplit] = {}
    for folder in classes:
        divided = _splits_in(folder, inside)
        if "train" not in divided:
            return {}
        for split, files in divided.items():
            images, names = found.setdefault(split, RawSplit([], []))
            images.extend(files)
            names.extend([folder.name] * len(files))
    if len(classes) < wrappers.FEWEST_CLASS_FOLDERS or len(found) < 2:
        return {}
    left_out.add(inside)
    left_out.add_images(len(top.images), "beside the class folders")
    left_out.add_others(top.others)
    counts = [f"{len(found[split].files):,} {split}" for split in SPLIT_NAMES if split in found]
    note(f"{root}: its class folders are divided into splits: {', '.join(counts)}")
    return found


def _splits_in(folder: Path, left_out: LeftOut) -> dict[SplitName, list[Path]]:
    """The images in folders called like splits; empty where images lie in others, or beside."""
    held = listed(folder)
    told = {one: split_folders.named(one.name) for one in held.folders if wrappers.has_images(one)}
    called = {one: name for one, name in told.items() if name is not None and name.is_plain}
    order = split_folders.in_order(called)
    if held.images or len(order) < len(told):
        return {}
    found: dict[SplitName, list[Path]] = {}
    for one, split in order.items():
        images = listed(one)
        if not images.images or any(map(wrappers.has_images, images.folders)):
            return {}
        found.setdefault(split, []).extend(images.images)
        left_out.add_others(images.others)
    left_out.add_others(held.others)
    return found
