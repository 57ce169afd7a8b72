"""Predicting the classes of unlabelled images, of a table or any other kind (row C19)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from mnistlab.classifiers.methods import Classifier, method_of
from mnistlab.data.notes import note
from mnistlab.data.polarity import N_LOOKED_AT, check_invert
from mnistlab.data.preparing import PREPARATIONS, recorded_preparation
from mnistlab.data.readers.shapes import Size, as_size
from mnistlab.data.readers.unlabelled import Block, Unlabelled, open_images
from mnistlab.errors import DataError, RunError
from mnistlab.evaluation.neighbours import Reference, distances
from mnistlab.runs.folder import Run, opened
from mnistlab.runs.label_columns import label_column_for
from mnistlab.runs.neighbours import features_of, needed_reference
from mnistlab.runs.other_data import must_invert
from mnistlab.runs.prediction_files import UNUSUAL, input_path, open_beside_inputs
from mnistlab.runs.prediction_table import kind_of
from mnistlab.runs.predictions import by_threshold, chosen_threshold

PIXELS_LOOKED_AT = 1 << 24  # the polarity is judged by the first images, no more than these


class PredictOptions(TypedDict, total=False):
    """The fields of PredictSettings as keyword arguments."""

    size: int | Size | None
    probabilities: bool
    columns: tuple[str, str] | None
    threshold: float | str | None
    invert: str
    prepare: bool
    unusual: bool
    device: str
    threads: int | None


@dataclass(frozen=True)
class PredictSettings:
    """How to predict, and what the table holds.

    size: a side or (H, W), the one the run was trained on: image files of another size are resized
    to it, as they are without it where it was given in training. probabilities: add a column
    p_CLASS for every class. columns: the headings in place of ID and label. threshold: of two
    classes, the probability from which on the second one is predicted, or "validation" for the
    one chosen on validation images in training. invert: "yes" inverts the images, "auto" those of
    the other polarity than the training images; both that and "no" report a swap by on_note.
    prepare: pictures of any size and polarity are prepared as the makers of the training images
    prepared theirs (mnistlab.data.preparing); `size` is then that of flat pictures that are not
    square. unusual: add the columns distance, to the nearest training images, and unusual, "true"
    where it is above that of 99 % of the validation images (mnistlab.evaluation.neighbours).
    device: "auto", "cpu", "cuda" or "mps". threads: as in Execution. Raises DataError for what is
    none of these.
    """

    size: int | Size | None = None
    probabilities: bool = False
    columns: tuple[str, str] | None = None
    threshold: float | str | None = None
    invert: str = "no"
    prepare: bool = False
    unusual: bool = False
    device: str = "auto"
    threads: int | None = None

    def __post_init__(self) -> None:
        check_invert(self.invert)
        if self.prepare and self.invert == "yes":
            raise DataError("prepare finds out by itself which images to invert; leave invert away")
        columns = self.columns
        if columns is None:
            return
        if len(columns) != 2 or len(set(columns)) < 2 or not all(name.strip() for name in columns):
            raise DataError(f"columns must be two headings, such as ImageId,Label; got {columns!r}")


class Predicted(NamedTuple):
    """A block of images and what was predicted for them.

    images: uint8 (n, H, W), inverted where that was wanted. codes: the classes, int64 (n,).
    probabilities: (n, K); None of a classifier that gives none. distances: float32 (n,), to the
    nearest training images, and are_unusual: bool (n,), whether they are far; None if not wanted.
    """

    ids: list[str]
    images: NDArray[np.uint8]
    codes: NDArray[np.int64]
    probabilities: NDArray[np.float64] | None
    distances: NDArray[np.float32] | None = None
    are_unusual: NDArray[np.bool_] | None = None


def predict(
    run: Run | Path | str,
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
    where it is called .gz. on_rows: called after every block with the number of its images;
    on_predicted: with the block. options: see PredictSettings. Returns how many images. Raises
    DataError for what cannot be read or written or does not fit, and RunError for probabilities of
    a classifier that has none, for `prepare` of a run whose images were not prepared in a known
    way, and for `unusual` where the data of the training are gone. Nothing in the run's folder is
    ever written, except for neighbours.npz with `unusual`, nor a file that was read, now or in
    training, or, of an IDX file of images, the labels beside it.
    """
    run, path, settings = opened(run), input_path(path), PredictSettings(**options)
    classifier = run.classifier(settings.device)
    limit = _limit(run, classifier, settings)
    n_rows, wants_p = 0, settings.probabilities or limit is not None or on_predicted is not None
    with (
        method_of(run.recipe.model).n_threads(settings.threads),
        open_beside_inputs(run, path, out) as file,
        kind_of(Path(out)).writing(file) as write,
    ):
        id_name, blocks = opened_images(run, path, settings, on_note)
        reference = needed_reference(run, classifier) if settings.unusual else None
        names: list[str] = run.data["class_names"]
        asked = _Asked(classifier, names, settings.probabilities, wants_p, limit, reference)
        id_name, label = settings.columns or (id_name, "label")
        write([[id_name, label, *asked.further_headings()]])
        for block in blocks:
            predicted = asked.predicted(block)
            write(asked.rows(predicted))
            n_rows += len(block.ids)
            on_rows(len(block.ids))
            if on_predicted is not None:
                on_predicted(predicted)
    return n_rows


def _limit(run: Run, classifier: Classifier, settings: PredictSettings) -> float | None:
    """The threshold, if one is wanted; RunError where probabilities are needed and not known."""
    limit = None if settings.threshold is None else chosen_threshold(run, settings.threshold)
    needs_p = settings.probabilities or limit is not None
    if needs_p and not hasattr(classifier, "predict_proba"):
        raise RunError(f"{run.path}: its classifier gives no probabilities")
    return limit


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


def opened_images(
    run: Run, path: Path, settings: PredictSettings, on_note: Callable[[str], None]
) -> Unlabelled:
    """The images to predict, of the run's size, prepared or inverted where that is wanted."""
    if "\0" in str(path):  # of Python's callers: no command line can hold one
        raise DataError(f"{str(path)!r}: no path holds a NUL")
    height, width = run.data["image_shape"]
    if settings.prepare:
        prepare = PREPARATIONS[_preparation(run)]
        images = open_images(
            path,
            (height, width),
            prepare=prepare,
            size=as_size(settings.size),
            label_column=label_column_for(run, path),
        )
        return images._replace(blocks=_blank_noted(images.blocks, path.name, on_note))
    resize = _is_given(run, settings.size, (height, width)) or _had_size(run)
    images = open_images(
        path, (height, width), resize, label_column=label_column_for(run, path), advice=_advice(run)
    )
    blocks = _upright(run, images.blocks, settings.invert, path.name, on_note)
    return images._replace(blocks=blocks)


def _advice(run: Run) -> str:
    """What to do with pictures of another size, where those of the training were prepared."""
    if recorded_preparation(run.data) is None:
        return ""
    height, width = run.data["image_shape"]
    return (
        "--prepare (from Python: prepare=True) prepares pictures of any size as the images trained "
        f"on were; --size {height}x{width} only resizes image files"
    )


def _preparation(run: Run) -> str:
    preparation = recorded_preparation(run.data)
    if preparation is None:
        raise RunError(
            f"{run.path}: nothing is known of how the images of {run.data['name']} were prepared, "
            "so that no picture can be prepared likewise; predict without --prepare"
        )
    return preparation


def _blank_noted(
    blocks: Iterator[Block], name: str, on_note: Callable[[str], None]
) -> Iterator[Block]:
    """The same blocks, and after the last of them a note of pictures that show nothing."""
    n_blank = n_images = 0
    for block in blocks:
        n_blank += int((~block.images.any(axis=(1, 2))).sum())
        n_images += len(block.images)
        yield block
    if n_blank:
        on_note(
            f"{name}: {n_blank:,} of {n_images:,} pictures show nothing that could be cut out: "
            "their predictions say nothing"
        )


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


@dataclass(frozen=True)
class _Asked:
    """What is asked of every block of images, and how it is written."""

    classifier: Classifier
    class_names: list[str]
    writes_probabilities: bool
    wants_probabilities: bool
    threshold: float | None
    reference: Reference | None

    def further_headings(self) -> list[str]:
        """After those of ID and label."""
        names = [f"p_{name}" for name in self.class_names] if self.writes_probabilities else []
        return [*names, *(UNUSUAL if self.reference else ())]

    def predicted(self, block: Block) -> Predicted:
        """The block with its predictions, and with probabilities where these are used.

        Where a classifier gives probabilities, it predicts the class of the highest.
        """
        classifier, limit = self.classifier, self.threshold
        if not self.wants_probabilities or not hasattr(classifier, "predict_proba"):
            found = Predicted(*block, classifier.predict(block.images), None)
        else:
            p = classifier.predict_proba(block.images)
            codes = classifier.classes_[p.argmax(1)] if limit is None else by_threshold(p, limit)
            found = Predicted(*block, codes, p)
        if self.reference is None:
            return found
        apart = distances(features_of(classifier, block.images), self.reference)
        return found._replace(distances=apart, are_unusual=apart > self.reference.threshold)

    def rows(self, block: Predicted) -> list[list[str]]:
        """A row per image: its ID, its class, and what else is wanted."""
        names = self.class_names
        rows = [[name, names[code]] for name, code in zip(block.ids, block.codes, strict=True)]
        if self.writes_probabilities and block.probabilities is not None:
            for row, p in zip(rows, block.probabilities, strict=True):
                row += [f"{value:.6f}" for value in p]
        if block.distances is not None and block.are_unusual is not None:
            far = zip(block.distances, block.are_unusual, strict=True)
            for row, (distance, is_unusual) in zip(rows, far, strict=True):
                row += [f"{distance:.6f}", "true" if is_unusual else "false"]
        return rows
