"""Naming the images of a table nobody has labelled, into another table (row C19)."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mnistlab import atomic
from mnistlab.data.readers import csv_table
from mnistlab.data.readers.csv_cells import Rows
from mnistlab.data.readers.csv_table import ID_NAMES
from mnistlab.errors import DataError, RunError
from mnistlab.run.folder import Run


def predict(
    run: Run,
    table: Path | str,
    out: Path | str,
    *,
    probabilities: bool = False,
    device: str = "auto",
    on_rows: Callable[[int], None] = lambda n_rows: None,
) -> int:
    """Name every image of a CSV file and write `out`, a table ID,label; how many there were.

    The table has a column ID, or id, which is kept as it is, and one column a pixel; a label
    column is not looked at. probabilities: a column p_CLASS for every class besides. Rows are
    read, named and written block by block, and `out` appears when it is whole. on_rows: told
    after every block how many rows it had. Raises DataError for a table that does not fit, and
    RunError for probabilities of a classifier that has none.
    """
    table, classifier = Path(table), run.classifier(device)
    if probabilities and not hasattr(classifier, "predict_proba"):
        raise RunError(f"{run.path}: its classifier gives no probabilities")
    height, width = run.data["image_shape"]
    rows = csv_table.open_table(table, (height, width))
    if rows.columns.id is None:
        names = " or ".join(repr(name) for name in ID_NAMES)
        raise DataError(f"{table}: has no column called {names}, in any case, to name its rows by")
    class_names, n_rows = run.data["class_names"], 0
    shares = [f"p_{name}" for name in class_names] if probabilities else []
    with atomic.open_aside(Path(out)) as file:
        file.write(_lines([[rows.columns.names[rows.columns.id], "label", *shares]]))
        for block in rows.blocks:
            named = _named(classifier, block, (height, width), class_names, probabilities)
            file.write(_lines(named))
            n_rows += len(named)
            on_rows(len(named))
    return n_rows


def _named(
    classifier: Any,
    block: Rows,
    image_shape: tuple[int, int],
    class_names: list[str],
    probabilities: bool,
) -> list[list[str]]:
    """A row an image: its ID, its class, and the share of every class where that is wanted."""
    images = block.pixels.reshape(-1, *image_shape)
    if not probabilities:
        codes = classifier.predict(images)
        return [[name, class_names[code]] for name, code in zip(block.ids, codes, strict=True)]
    p = classifier.predict_proba(images)
    codes = classifier.classes_[p.argmax(1)]
    return [
        [name, class_names[code], *(f"{share:.6f}" for share in row)]
        for name, code, row in zip(block.ids, codes, p, strict=True)
    ]


def _lines(rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
