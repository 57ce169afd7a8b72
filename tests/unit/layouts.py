"""Layouts of sets of images for tests: files, and the label of each image that is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from mnistlab.data import load

Files = dict[str, str | bytes | None]  # path -> text; None for an image


class Layout:
    """Files of a set and the label of each image that is read, by split."""

    def __init__(self, files: Files, labels: Mapping[str, dict[str, str]], label_column: str = ""):
        self.files, self.labels = files, dict(labels)
        self.label_column = label_column or None


def images(pattern: str, classes: str = "cat dog", n: int = 6) -> dict[str, str]:
    """Paths with their labels. {c}: the class, {i}: a number through all, {k}: in the class."""
    found = {}
    for i in range(n):
        names = classes.split()
        name = names[i % len(names)]
        found[pattern.format(c=name, i=i, k=i // len(names))] = name
    return found


def rows(labelled: dict[str, str], line: str, header: str = "") -> str:
    """A table. {path}: of the image, {name}: of its file, {stem}: without ending, {c}, {i}."""
    lines = [header] if header else []
    for i, (path, name) in enumerate(labelled.items()):
        file = Path(path)
        told = {"path": path, "name": file.name, "stem": file.stem, "c": name, "i": i}
        lines.append(line.format(**told, folder=file.parent.name, code=CODES.get(name, 0)))
    return "\n".join(lines) + "\n"


CODES = {"cat": 0, "dog": 1, "owl": 2}


def reads(
    read: dict[str, Layout],
    name: str,
    files: Mapping[str, str | bytes | None],
    **labels: dict[str, str],
) -> None:
    every: Files = {path: None for of_split in labels.values() for path in of_split}
    column = files.get("--label-column", "")
    given = {path: text for path, text in files.items() if path != "--label-column"}
    read[name] = Layout(every | given, labels, str(column or ""))


def unread(pattern: str, n: int = 3) -> Files:
    """Images without labels, which are left out."""
    return dict.fromkeys((pattern.format(i=i) for i in range(n)), None)


A, B, C = images("train/{c}/{i}.png"), images("val/{c}/v{i}.png"), images("test/{c}/t{i}.png")
FLAT = images("images/im{i:03d}.png", n=12)
T = images("train_images/a{i}.png", n=12)
TEST = images("test_images/b{i}.png", n=4)


def written(root: Path, files: Mapping[str, str | bytes | None]) -> dict[str, int]:
    """Write the files; returns the grey of each image."""
    greys = {}
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            greys[path] = len(greys)
            pixels = np.full((3, 4), greys[path], np.uint8)
            pixels[-1, -1] = 255
            Image.fromarray(pixels).save(target, "PNG")
        elif isinstance(text, bytes):
            target.write_bytes(text)
        else:
            target.write_text(text, encoding="utf-8", newline="")
    return greys


def check_read(root: Path, layout: Layout) -> None:
    """Assert that exactly the labelled images are read, each with its label and split."""
    greys = written(root, layout.files)
    dataset = load(root, label_column=layout.label_column)
    splits = dataset.official_splits or {"train": slice(0, len(dataset))}
    read = {
        split: {
            int(image[0, 0]): dataset.class_names[k]
            for image, k in zip(dataset.images[where], dataset.labels[where].tolist(), strict=True)
        }
        for split, where in splits.items()
    }
    assert read == {
        split: {greys[path]: label for path, label in of.items()}
        for split, of in layout.labels.items()
    }
    assert len(dataset) == sum(len(of) for of in read.values())
