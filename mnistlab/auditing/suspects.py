"""The images an audit suspects, why, and the table they are kept in."""

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
LEAST_SHARE = 0.01  # of each part the labels that fit worst are listed, whatever speaks for them


@dataclass(frozen=True)
class Suspect:
    """A row of suspects.csv; an image that is suspected twice has two.

    index: its place in the data set. part: "train" or "test" where the set has official parts,
    else "all"; index_in_part: its place in that. label, suggested: class numbers, the second None
    where nothing is said against the first. twin: the earlier image it is a copy of.
    reason: "label" where it is likely wrong; "doubtful-label" where another class is merely more
    probable, or the label is of the worst hundredth of its part. Their score is the quality in
    LabelErrors; that of "duplicate" and "near-duplicate" the distance; that of "blank" the
    standard deviation of its pixels in grey levels. Low is suspicious.
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
    """What there is of each reason, in the order of REASONS.

    Copies from one part to another come before others; all else goes from the lowest score up.
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
    """Of every image its part's name and its place within the part, (N,) each."""
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
        is_listed[of_part[: math.ceil(LEAST_SHARE * len(of_part))]] = True
    return np.asarray(order[is_listed[order]])


def _copies(names: NDArray[np.str_], duplicates: Duplicates) -> NDArray[np.intp]:
    """The images with a twin: exact ones first, across the parts before within, by distance."""
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
