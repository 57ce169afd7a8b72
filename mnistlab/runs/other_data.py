"""Images that a run was not trained on, made fit for it: classes, size, polarity, none seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from mnistlab.data import Dataset
from mnistlab.data.polarity import Border, border_of, polarity_differs
from mnistlab.data.readers.spellings import as_known
from mnistlab.errors import MnistlabError, RunError
from mnistlab.runs.folder import Run
from mnistlab.runs.run_data import dataset_of, recorded_parts
from mnistlab.runs.seen import is_seen, read_seen, seen_in

MOST_NAMED = 5  # classes in a message
OTHER_WAY_ROUND = "dark and bright are the other way round than in training"


def in_classes_of(run: Run, part: Dataset) -> Dataset:
    """The images with the class numbers of the run.

    Their classes may be spelt in another way, see `as_known`. Raises RunError for an image of a
    class the run does not know, or of another size.
    """
    known = {name: code for code, name in enumerate(run.data["class_names"])}
    occurring = [part.class_names[label] for label in np.unique(part.labels)]
    meant = as_known(occurring, list(known))
    unknown = [class_name for class_name in occurring if class_name not in meant]
    if unknown:
        named = ", ".join(map(repr, unknown[:MOST_NAMED]))
        more = f" and {len(unknown) - MOST_NAMED} more" if len(unknown) > MOST_NAMED else ""
        raise RunError(
            f"{run.path}: {part.name} has images of class {named}{more}, which the run was not "
            f"trained on; its classes are {', '.join(list(known)[:20])}"
        )
    (height, width), (h, w) = part.images.shape[1:], run.data["image_shape"]
    if (height, width) != (h, w):
        raise RunError(
            f"{run.path}: {part.name}: images are {height}x{width}, but the run was trained on "
            f"{h}x{w}"
        )
    codes = np.array([known[meant[name]] if name in meant else 0 for name in part.class_names])
    return Dataset(part.name, part.images, codes[part.labels].astype(np.int64), tuple(known))


def without_seen(run: Run, part: Dataset, on_note: Callable[[str], None]) -> Dataset:
    """The images that the run was neither trained on nor validated with; RunError for none."""
    seen = read_seen(run.path, run.data["n_train"], run.data["n_val"])
    if seen is None:
        try:
            dataset = dataset_of(run)
            seen = seen_in(recorded_parts(run.path, run.recipe, run.data, dataset))
        except MnistlabError as error:
            on_note(f"images that the run was trained on could not be left out: {error}")
            return part
    is_new = ~is_seen(part.images, seen)
    if not is_new.any():
        raise RunError(
            f"{run.path}: was trained on or validated with "
            f"{f'all {len(part):,} images' if len(part) > 1 else 'the only image'} of "
            f"{part.name}; evaluate it on others"
        )
    return part if is_new.all() else part.take(np.flatnonzero(is_new))


def must_invert(
    run: Run, images: NDArray[np.uint8], name: str, invert: str, on_note: Callable[[str], None]
) -> bool:
    """Whether to invert images (N, H, W), by --invert: "yes", "no" or "auto".

    Unless it is "yes", on_note is called where their polarity is not that of the training images.
    """
    if invert == "yes":
        return True
    if not are_inverted(run, images):
        return False
    inverts = invert == "auto"
    done = "its images were inverted"
    advice = "--invert auto (from Python: invert='auto') inverts the images"
    on_note(f"{name}: {OTHER_WAY_ROUND}; {done if inverts else advice}")
    return inverts


def are_inverted(run: Run, images: NDArray[np.uint8]) -> bool:
    """Whether the polarity of images (N, H, W) is not that of the training images."""
    record = run.data.get("border")
    if record is None:  # of a run from before 2026-12
        return False
    border = border_of(images)
    return polarity_differs(Border(**{key: record[key] for key in asdict(border)}), border)
