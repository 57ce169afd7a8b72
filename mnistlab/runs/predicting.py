"""Predicting the classes of unlabelled images, of a table or any other kind (row C19)."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from mnistlab import atomic
from mnistlab.data.notes import note
from mnistlab.data.polarity import N_LOOKED_AT, check_invert
from mnistlab.data.readers import idx
from mnistlab.data.readers.shapes import Size, as_size
from mnistlab.data.readers.unlabelled import Block, open_images
from mnistlab.errors import DataError, RunError
from mnistlab.runs.folder import Run
from mnistlab.runs.other_data import must_invert
from mnistlab.runs.prediction_table import kind_of, n_columns
from mnistlab.runs.predictions import by_threshold, chosen_threshold

PIXELS_LOOKED_AT = 1 << 24  # the polarity is judged by the first images, no more than these


class PredictOptions(TypedDict, total=False):
    """The fields of PredictSettings as keyword arguments."""

    size: int | Size | None
    probabilities: bool
    columns: tuple[str, str] | None
    threshold: float | str | None
    invert: str
    device: str


@dataclass(frozen=True)
class PredictSettings:
    """How to predict, and what the table holds.

    size: a side or (H, W), the one the run was trained on: image files of another size are resized
    to it, as they are without it where it was given in training. probabilities: add a column
    p_CLASS for every class. columns: the headings in place of ID and label. threshold: of two
    classes, the probability from which on the second one is predicted, or "validation" for the
    one chosen on validation images in training. invert: "yes" inverts the images, "auto" those of
    the other polarity than the training images; both that and "no" report a swap by on_note.
    device: "auto", "cpu", "cuda" or "mps". Raises DataError for what is none of these.
    """

    size: int | Size | None = None
    probabilities: bool = False
    columns: tuple[str, str] | None = None
    threshold: float | str | None = None
    invert: str = "no"
    device: str = "auto"

    def __post_init__(self) -> None:
        check_invert(self.invert)
        columns = self.columns
        if columns is None:
            return
        if len(columns) != 2 or len(set(columns)) < 2 or not all(name.strip() for name in columns):
            raise DataError(f"columns must be two headings, such as ImageId,Label; got {columns!r}")


class Predicted(NamedTuple):
    """A block of images and what was predicted for them.

    images: uint8 (n, H, W), inverted where that was wanted. codes: the classes, int64 (n,).
    probabilities: (n, K); None of a classifier that gives none.
    """

    ids: list[str]
    images: NDArray[np.uint8]
    codes: NDArray[np.int64]
    probabilities: NDArray[np.float64] | None


def predict(
    run: Run,
    path: Path | str,
    out: Path | str,
    *,
    on_rows: Callable[[int], None] = lambda n_rows: None,
    on_note: Callable[[str], None] = note,
    on_predicted: Callable[[Predicted], None] | None = None,
    **options: Unpack[PredictOptions],
) -> int:
    """Predict the class of every image of a file or folder and write `out`, a table ID,label.

    A CSV has one column per pixel and may have a column ID, or id, which is kept as it is; else its
    rows are numbered from 1 on. The rows of an NPZ or an IDX file of images are numbered from 0 on,
    an image file is called by its name, and the images of a folder and all its sub-folders by their
    path below it. Labels are not looked at. Images are read, predicted and written block by block,
    and `out` appears when it is whole: with commas, or tabs where it is called .tsv, and packed
    where it is called .gz. on_rows: called after every block with the number of its
    images; on_predicted: with the block. options: see PredictSettings. Returns how many images.
    Raises DataError for what cannot be read or written or does not fit, and RunError for
    probabilities of a classifier that has none. Nothing in the run's folder is ever written, nor a
    file that was read, now or in training, or, of an IDX file of images, the labels beside it.
    """
    settings = PredictSettings(**options)
    classifier = run.classifier(settings.device)
    limit = None if settings.threshold is None else chosen_threshold(run, settings.threshold)
    wants_p = settings.probabilities or limit is not None
    if wants_p and not hasattr(classifier, "predict_proba"):
        raise RunError(f"{run.path}: its classifier gives no probabilities")
    height, width = run.data["image_shape"]
    resize = _is_given(run, settings.size, (height, width)) or _had_size(run)
    with open_beside_inputs(run, path, out) as file, kind_of(Path(out)).writing(file) as write:
        images = open_images(Path(path), (height, width), resize)
        blocks = _upright(run, images.blocks, settings.invert, Path(path).name, on_note)
        class_names, n_rows = run.data["class_names"], 0
        headings = [*(settings.columns or (images.id_name, "label"))]
        headings += [f"p_{name}" for name in class_names] if settings.probabilities else []
        write([headings])
        for block in blocks:
            predicted = _predicted(classifier, block, wants_p or on_predicted is not None, limit)
            write(_rows(predicted, class_names, settings.probabilities))
            n_rows += len(block.ids)
            on_rows(len(block.ids))
            if on_predicted is not None:
                on_predicted(predicted)
    return n_rows


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
    return is_later and n_columns(target) in (2, 2 + len(run.data["class_names"]))


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


def _is_given(run: Run, size: int | Size | None, shape: Size) -> bool:
    """Whether a size is given, which must be that of the training."""
    given = as_size(size)
    if given is not None and given != shape:
        raise DataError(
            f"size {given[0]}x{given[1]}: {run.path} was trained on images of {shape[0]}x{shape[1]}"
        )
    return given is not None


def _had_size(run: Run) -> bool:
    """Whether the run's data were loaded with a size, to which a folder's images are resized."""
    return bool(run.data.get("source", {}).get("size"))


def _upright(
    run: Run, blocks: Iterator[Block], invert: str, name: str, on_note: Callable[[str], None]
) -> Iterator[Block]:
    """The blocks, inverted where that is wanted; judged by the first images all together."""
    first: list[Block] = []
    n_images = n_pixels = 0
    for block in blocks:
        first.append(block)
        n_images, n_pixels = n_images + len(block.images), n_pixels + block.images.size
        if n_images >= N_LOOKED_AT or n_pixels >= PIXELS_LOOKED_AT:
            break
    some = [block.images for block in first]
    is_inverted = bool(some) and must_invert(run, np.concatenate(some), name, invert, on_note)
    for block in itertools.chain(first, blocks):
        yield Block(block.ids, 255 - block.images) if is_inverted else block


def _predicted(
    classifier: Any, block: Block, wants_probabilities: bool, threshold: float | None
) -> Predicted:
    """The block with its predictions, and with probabilities where these are used.

    Where a classifier gives probabilities, it predicts the class of the highest.
    """
    if not wants_probabilities or not hasattr(classifier, "predict_proba"):
        return Predicted(*block, classifier.predict(block.images), None)
    p = classifier.predict_proba(block.images)
    codes = classifier.classes_[p.argmax(1)] if threshold is None else by_threshold(p, threshold)
    return Predicted(*block, codes, p)


def _rows(block: Predicted, class_names: list[str], with_probabilities: bool) -> list[list[str]]:
    """A row per image: its ID, its class, and the probability of every class where wanted."""
    rows = [[name, class_names[code]] for name, code in zip(block.ids, block.codes, strict=True)]
    if with_probabilities and block.probabilities is not None:
        for row, p in zip(rows, block.probabilities, strict=True):
            row += [f"{value:.6f}" for value in p]
    return rows
