"""What an explanation says: values only, and what of them goes into JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

from mnistlab.bounds import check_count
from mnistlab.cards import card, html_table
from mnistlab.data.readers.shapes import Size
from mnistlab.explaining.confusions import Confusions
from mnistlab.explaining.occlusion import Patch, Window
from mnistlab.explaining.shuffling import SanityCheck
from mnistlab.explaining.similar import Similar
from mnistlab.runs.folder import Run
from mnistlab.runs.predicting import PredictSettings

LIMIT, MOST = 12, 100  # images


class ExplainOptions(TypedDict, total=False):
    """The fields of ExplainSettings as keyword arguments."""

    limit: int
    class_name: str | None
    size: int | Size | None
    invert: str
    prepare: bool
    device: str
    threads: int | None


@dataclass(frozen=True)
class ExplainSettings:
    """What is explained.

    limit: how many images at most, evenly from the first to the last. class_name: the class that
    all maps are about; None: of each image the predicted one. size, invert, prepare, device,
    threads: as in mnistlab.runs.predicting.PredictSettings. Raises RecipeError for a limit that is
    no such number.
    """

    limit: int = LIMIT
    class_name: str | None = None
    size: int | Size | None = None
    invert: str = "no"
    prepare: bool = False
    device: str = "auto"
    threads: int | None = None

    def __post_init__(self) -> None:
        check_count("limit", self.limit, 1, MOST)
        PredictSettings(size=self.size, invert=self.invert, prepare=self.prepare)


class Strongest(NamedTuple):
    """The patch that matters most: where it is, and what is said of the image without it.

    covered: the image (H, W) with the patch covered. before, after: the probability of the class
    that the maps are about. predicted: the class predicted for the covered image, of probability
    `probability`. All probabilities are None of a classifier that gives none.
    """

    window: Window
    covered: NDArray[np.uint8]
    before: float | None
    after: float | None
    predicted: int
    probability: float | None


class Explained(NamedTuple):
    """One image (H, W) and why the network says what it says of it.

    predicted, about: class numbers; the maps are about the second. probabilities: (K,) or None.
    occlusion, gradient: (H, W), positive where a pixel speaks for class `about`. similar: None
    where the run has nothing to compare with.
    """

    id: str
    image: NDArray[np.uint8]
    predicted: int
    about: int
    probabilities: NDArray[np.float64] | None
    occlusion: NDArray[np.float64]
    gradient: NDArray[np.float64]
    strongest: Strongest
    similar: Similar | None


@dataclass(frozen=True)
class Explanation:
    """What was found, in the order of the input.

    source: the input as the user named it. ground: the grey level that patches are covered with.
    confusions: None where the run is not evaluated.
    """

    run: Run
    source: Path
    settings: ExplainSettings
    chosen: str
    images: tuple[Explained, ...]
    ground: int
    patch: Patch
    sanity: tuple[SanityCheck, ...]
    confusions: Confusions | None
    notes: tuple[str, ...]

    @property
    def class_names(self) -> list[str]:
        """Of the run."""
        names: list[str] = self.run.data["class_names"]
        return names

    def _repr_html_(self) -> str:
        names = self.class_names
        rows = [
            (number, names[image.about], image.similar is not None)
            for number, image in enumerate(self.images, start=1)
        ]
        about = html_table(["image", "explained class", "nearest training images known"], rows)
        return card(f"explanation of {self.source}", {"run": self.run.path}, tables=[about])

    def to_json(self) -> dict[str, Any]:
        """What was found, without pixels and maps."""
        names = self.class_names
        return {
            "run": str(self.run.path),
            "chosen": self.chosen,
            "n_images": len(self.images),
            "ground": self.ground,
            "patch": [self.patch.height, self.patch.width],
            "sanity": [_without_nan(check._asdict()) for check in self.sanity],
            "images": [_as_json(explained, names) for explained in self.images],
        }


def _as_json(explained: Explained, names: Sequence[str]) -> dict[str, Any]:
    rows, columns = explained.strongest.window
    known: dict[str, Any] = {
        "id": explained.id,
        "label": names[explained.predicted],
        "about": names[explained.about],
        "strongest_patch": {
            "rows": [rows.start, rows.stop],
            "columns": [columns.start, columns.stop],
            "probability_before": explained.strongest.before,
            "probability_after": explained.strongest.after,
            "label_after": names[explained.strongest.predicted],
        },
    }
    if explained.probabilities is not None:
        known["probability"] = float(explained.probabilities[explained.predicted])
    if explained.similar is not None:
        known |= {
            "unusual": explained.similar.is_unusual,
            "distance": explained.similar.distance,
            "unusual_above": explained.similar.threshold,
            "nearest": [
                {"place": neighbour.place, "label": names[neighbour.label]}
                for neighbour in explained.similar.nearest
            ],
        }
    return known


def _without_nan(check: dict[str, Any]) -> dict[str, Any]:
    """JSON has no NaN."""
    return {
        name: None if isinstance(value, float) and np.isnan(value) else value
        for name, value in check.items()
    }
