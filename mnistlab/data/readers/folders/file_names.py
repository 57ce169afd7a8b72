"""Labels in the names of image files, as of Dogs vs Cats (cat.0.jpg) and Oxford's pets (pug_1.jpg).

Only words that are numbered through are taken, and only where every image of a folder has one.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mnistlab.data.readers.folders import split_folders

# cat.0, american_bulldog_100, c0_12, cat (3); cat12; 12_cat.
FORMS = (
    re.compile(r"(?P<label>.*[^\W\d_].*?)(?:[-_. ]+\(?|\()[0-9]+\)?"),
    re.compile(r"(?P<label>[^\W\d_]+)[0-9]+"),
    re.compile(r"[0-9]+[-_. ]+(?P<label>[^\W\d_][^.]*)"),
)
# Names that cameras, phones and programs give.
GIVEN = re.compile(
    r"(?:.*[-_. ])?(?:img|image|images|dsc|dscn|dscf|dscn|pict|picture|pic|photo|frame|scan|page|"
    r"screenshot|untitled|unnamed|file|mvi|vid|pxl|p|whatsapp|sample|example|new|copy|crop|no|nr|"
    r"figure|fig|slide|id|item|patch|tile|x|y)(?:[-_. ].*)?",
    re.IGNORECASE,
)
FEWEST = 2  # images of each label


def labels_of(files: Sequence[Path]) -> list[str] | None:
    """The label in each name; None unless all names have one, and two or more labels occur."""
    for form in FORMS:
        matches = [form.fullmatch(file.stem) for file in files]
        labels = [match["label"].strip("-_. ") for match in matches if match]
        counts = Counter(labels)
        if len(labels) < len(files) or len(counts) < 2 or min(counts.values()) < FEWEST:
            continue
        if not any(_is_given(label) for label in counts) and not _are_products([*counts]):
            return labels
    return None


def labels_among(files: Sequence[Path], known: Sequence[str]) -> list[str | None]:
    """The label in each name that is one of `known`; None for other names."""
    labels = set(known)
    found: list[str | None] = []
    for file in files:
        told = (form.fullmatch(file.stem) for form in FORMS)
        names = [match["label"].strip("-_. ") for match in told if match]
        found.append(next((name for name in names if name in labels), None))
    return found


def _is_given(label: str) -> bool:
    return GIVEN.fullmatch(label) is not None or split_folders.named(label) is not None


def _are_products(labels: Sequence[str]) -> bool:
    """Whether each label joins facts in every combination, as user1_cat, user1_dog, user2_cat."""
    words = [re.split(r"[-_. ]+", label) for label in labels]
    if len({len(some) for some in words}) > 1 or len(words[0]) < 2:
        return False
    n_values = [len(set(column)) for column in zip(*words, strict=True)]
    several = [n for n in n_values if n > 1]
    return len(several) > 1 and math.prod(several) == len(labels)
