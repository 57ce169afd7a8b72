"""Naming images nobody has labelled, of a table or any other kind, into a table (row C19)."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mnistlab import atomic
from mnistlab.data.readers.shapes import Size, as_size
from mnistlab.data.readers.unlabelled import Block, open_images
from mnistlab.errors import DataError, RunError
from mnistlab.run.folder import Run


def predict(
    run: Run,
    path: Path | str,
    out: Path | str,
    *,
    size: int | Size | None = None,
    probabilities: bool = False,
    device: str = "auto",
    on_rows: Callable[[int], None] = lambda n_rows: None,
) -> int:
    """Name every image of a file or folder and write `out`, a table ID,label; how many there were.

    A CSV has a column ID, or id, which is kept as it is, and one column a pixel. The rows of an
    NPZ or an IDX file of images are called by their number from 0 on, an image file by its name,
    and the images of a folder and all its sub-folders by their path below it. Labels are not
    looked at. size: a side or (H, W), the one the run was trained on, says that image files of
    another size are to be resized to it; that goes without saying where it was said in training.
    probabilities: a column p_CLASS for every class besides. Images are read, named and written
    block by block, and `out` appears when it is whole. on_rows: told after every block how many
    images it had. Raises DataError for what cannot be read or does not fit, and RunError for
    probabilities of a classifier that has none.
    """
    classifier = run.classifier(device)
    if probabilities and not hasattr(classifier, "predict_proba"):
        raise RunError(f"{run.path}: its classifier gives no probabilities")
    height, width = run.data["image_shape"]
    given = as_size(size)
    if given is not None and given != (height, width):
        raise DataError(
            f"size {given[0]}x{given[1]}: {run.path} was trained on images of {height}x{width}"
        )
    resize = given is not None or _has_said_size(run)
    images = open_images(Path(path), (height, width), resize)
    class_names, n_rows = run.data["class_names"], 0
    shares = [f"p_{name}" for name in class_names] if probabilities else []
    with atomic.open_aside(Path(out)) as file:
        file.write(_lines([[images.id_name, "label", *shares]]))
        for block in images.blocks:
            named = _named(classifier, block, class_names, probabilities)
            file.write(_lines(named))
            n_rows += len(named)
            on_rows(len(named))
    return n_rows


def _has_said_size(run: Run) -> bool:
    """Whether the run's data were loaded with a size, to which a folder's images are resized."""
    source = run.data.get("source")
    return isinstance(source, dict) and bool(source.get("size"))


def _named(
    classifier: Any, block: Block, class_names: list[str], probabilities: bool
) -> list[list[str]]:
    """A row an image: its ID, its class, and the share of every class where that is wanted."""
    if not probabilities:
        codes = classifier.predict(block.images)
        return [[name, class_names[code]] for name, code in zip(block.ids, codes, strict=True)]
    p = classifier.predict_proba(block.images)
    codes = classifier.classes_[p.argmax(1)]
    return [
        [name, class_names[code], *(f"{share:.6f}" for share in row)]
        for name, code, row in zip(block.ids, codes, p, strict=True)
    ]


def _lines(rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
