"""The images that an audit suspects, the reasons, and the table of them (suspects.csv)."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mnistlab.auditing.duplicates import Duplicates, blank_images, contrast
from mnistlab.auditing.label_errors import LabelErrors
from mnistlab.data import Dataset

Reason = Literal["label", "doubtful-label", "duplicate", "near-duplicate", "blank"]
REASONS: tuple[Reason, ...] = get_args(Reason)
LEAST_FRACTION = 0.01  # of each split: so many labels that fit worst are always listed


@dataclass(frozen=True)
class Suspect:
    """A row of suspects.csv; an image that is suspected for two reasons has two rows.

    index: position in the data set. part: "train", "val" or "test" of a set with splits, else
    "all"; index_in_part: position in it. label, suggested: class numbers; suggested is None where
    no other class is. twin: index of the earlier image of which this one is a copy.
    reason: "label" is likely wrong; for "doubtful-label" another class is only more probable, or
    the label is in the worst hundredth of its split. score: the quality in LabelErrors for labels,
    the distance for "duplicate" and "near-duplicate", the standard deviation of the pixels in grey
    levels for "blank". Low is suspicious.
    """

    index: int
    part: str
    index_in_part: int
    label: int
    suggested: int | None
    score: float
    reason: Reason
    twin: int | None


def find_suspects(
    dataset: Dataset, label_errors: LabelErrors, duplicates: Duplicates
) -> tuple[Suspect, ...]:
    """All suspects, in the order of REASONS.

    Copies between splits come before other copies; the rest is sorted by score, lowest first.
    """
    names, places = places_in_splits(dataset)
    labels, twin = dataset.labels, duplicates.twin

    def suspect(
        index: np.intp, reason: Reason, score: float, suggested: int, twin: int | None = None
    ) -> Suspect:
        label = int(labels[index])
        return Suspect(
            index=int(index),
            part=str(names[index]),
            index_in_part=int(places[index]),
            label=label,
            suggested=None if suggested == label else int(suggested),
            score=float(score),
            reason=reason,
            twin=twin,
        )

    def rows() -> Iterator[Suspect]:
        reason: Reason
        for i in _doubted(names, labels, label_errors):
            reason = "label" if label_errors.is_likely[i] else "doubtful-label"
            yield suspect(i, reason, label_errors.quality[i], label_errors.suggested[i])
        for i in _copies(names, duplicates):
            reason = "duplicate" if duplicates.is_exact[i] else "near-duplicate"
            yield suspect(i, reason, duplicates.distance[i], labels[twin[i]], int(twin[i]))
        deviation = contrast(dataset.images)
        blank = np.flatnonzero(blank_images(dataset.images))
        for i in blank[np.argsort(deviation[blank], kind="stable")]:
            yield suspect(i, "blank", deviation[i], labels[i])

    return tuple(rows())


def places_in_splits(dataset: Dataset) -> tuple[NDArray[np.str_], NDArray[np.intp]]:
    """For every image the name of its split and its position in it, (N,) each."""
    names, places = np.full(len(dataset), "all", dtype="<U5"), np.arange(len(dataset))
    for name, where in dataset.official_splits.items():
        names[where] = name
        places[where] -= where.start
    return names, places


def _doubted(
    names: NDArray[np.str_], labels: NDArray[np.int64], label_errors: LabelErrors
) -> NDArray[np.intp]:
    """The labels to look at, the worst first."""
    order, is_listed = label_errors.order, label_errors.suggested != labels
    for part in np.unique(names):
        of_part = order[names[order] == part]
        is_listed[of_part[: math.ceil(LEAST_FRACTION * len(of_part))]] = True
    return np.asarray(order[is_listed[order]])


def _copies(names: NDArray[np.str_], duplicates: Duplicates) -> NDArray[np.intp]:
    """The images with a twin: exact copies first, then across splits before within, by distance."""
    copies = duplicates.places
    is_within = names[copies] == names[duplicates.twin[copies]]
    keys = duplicates.distance[copies], is_within, ~duplicates.is_exact[copies]
    return np.asarray(copies[np.lexsort(keys)])


def table(suspects: Iterable[Suspect], class_names: Sequence[str]) -> str:
    """suspects.csv: the fields of Suspect, with the classes' names; empty where there is none."""

    def written(name: str, value: Any) -> Any:
        if value is None:
            return ""
        if name in ("label", "suggested"):
            return class_names[value]
        return f"{value:.6g}" if name == "score" else value

    text, columns = io.StringIO(newline=""), [field.name for field in fields(Suspect)]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(
        [written(name, getattr(suspect, name)) for name in columns] for suspect in suspects
    )
    return text.getvalue()
