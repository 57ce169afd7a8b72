"""The file that predictions are written to: never one of the run, the data or the input."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from mnistlab import atomic
from mnistlab.data.readers.binary import idx
from mnistlab.errors import DataError, check_kind
from mnistlab.runs.folder import Run
from mnistlab.runs.prediction_table import n_columns

UNUSUAL = ("distance", "unusual")  # headings of the columns that --unusual adds


def input_path(path: Path | str) -> Path:
    """The path of images to predict; TypeError, with what to write, for the images themselves."""
    hint = "; of arrays: run.classifier().predict(images)"
    check_kind("images", path, (str, os.PathLike), "the path of a file or folder", hint)
    return Path(path)


@contextlib.contextmanager
def open_beside_inputs(run: Run, path: Path | str, out: Path | str) -> Iterator[IO[bytes]]:
    """The file to write, as `atomic.open_output`.

    DataError where it is the run's, the input, or of the data that the run was trained on.
    """
    _check_out(run, Path(out))
    check_training_data(run, Path(out))
    inputs = [path, *_label_files(Path(path)), run.path]
    with atomic.open_output(out, inputs=inputs) as file:
        yield file


def page_beside(out: Path | str) -> Path:
    """Where the page of the table `out` lies: results.html for results.csv.

    DataError where `out` is no file beside which a page can lie, or would be the page itself.
    """
    out = Path(out)
    is_stream = atomic.OPEN_ALREADY.fullmatch(str(out))  # a file, where that is redirected to one
    if not out.name or is_stream or (out.exists() and not out.is_file()):
        raise DataError(f"{out}: a report is written beside the table, which must be a file")
    page = out.with_suffix(".html")
    if os.path.realpath(page) == os.path.realpath(out):
        raise DataError(f"{out}: is where the report would be; name another file for the table")
    return page


def _check_out(run: Run, out: Path) -> None:
    """DataError where the table would lie among the files of the run, by whatever name."""
    if "\0" in str(out):
        raise DataError(f"{str(out)!r}: cannot be written: no path holds a NUL")
    for folder in Path(os.path.realpath(out)).parents:
        if folder.exists() and folder.samefile(run.path):
            raise DataError(
                f"{out}: lies in the run's own folder {run.path}; name a file outside it"
            )


def check_training_data(run: Run, out: Path) -> None:
    """DataError where `out` would replace a file that the run was trained on."""
    source = Path(run.data.get("source", {}).get("name_or_path") or "")
    target = Path(os.path.realpath(out))
    if not source.is_absolute() or not target.is_file():  # else a published set, or arrays
        return
    files = [source, *_label_files(source)]
    if source.is_dir():
        is_inside = target.is_relative_to(source.resolve())
        if is_inside and _is_later_table(run, target):
            return
        # A file outside may be one of the set's all the same, by a hard link.
        has_names = target.stat().st_nlink > 1
        files = [target] if is_inside else [*source.rglob("*")] if has_names else []
    if any(file.is_file() and file.samefile(target) for file in files):
        raise DataError(
            f"{out}: belongs to {source}, the data that {run.path} was trained on; name another "
            "file to write"
        )


def _is_later_table(run: Run, target: Path) -> bool:
    """Whether a file is younger than the run and has the columns of an earlier prediction."""
    is_later = target.stat().st_mtime > (run.path / "data.json").stat().st_mtime
    with_probabilities = 2 + len(run.data["class_names"])
    numbers = (2, with_probabilities, 2 + len(UNUSUAL), with_probabilities + len(UNUSUAL))
    return is_later and n_columns(target) in numbers


def _label_files(images_path: Path) -> list[Path]:
    """IDX files of labels beside one of images, packed or not: nobody wants them overwritten."""
    if not idx.IMAGES.search(images_path.name):
        return []
    with contextlib.suppress(OSError):
        beside = [file for file in images_path.parent.iterdir() if file.is_file()]
        return [file for file in beside if _stem(file) == _stem(images_path) and _is_idx(file)]
    return []


def _stem(path: Path) -> str:
    """The name that an IDX file of images and its labels share, however they are spelt."""
    name = idx.LABELS.sub("images", path.name).lower().removesuffix(".gz")
    return re.sub("[.-]idx[13]", "-idx", name)


def _is_idx(path: Path) -> bool:
    try:
        return idx.is_idx(path)
    except DataError:  # damaged, and all the same not to be overwritten
        return True
