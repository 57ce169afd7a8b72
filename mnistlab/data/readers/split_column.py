"""A column (or array) that tells the split of each image: what it is called, what its values mean.

For tables of labels, Parquet and arrays, under any of the names that published sets use: split,
is_train, Usage of FER2013, is_training_image of CUB.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from mnistlab.data import large
from mnistlab.data.assembling import RawSplit, split_called
from mnistlab.data.dataset import SPLIT_NAMES, SplitName
from mnistlab.data.notes import note
from mnistlab.errors import DataError

NAMES = ("split", "part", "subset", "set", "usage", "phase", "dataset", "partition", "data_split")
# Names that often tell something else: they count only if a value is the name of a split.
OFTEN_OTHER = frozenset({"part", "subset", "set", "dataset"})
# is_train, istest, is_training_image: 1 for the images of that split.
FLAG = re.compile(
    r"(?:is|in|for)_?(?P<split>training|train|validation|valid|val|testing|test)"
    r"(?:_?(?:image|images|img|set|sample|data|split))?"
)
# Of Kaggle's FER2013: the public test set is what its competitors validated on.
OTHER_VALUES: dict[str, SplitName] = {"publictest": "val", "privatetest": "test"}
TRUE = frozenset({"1", "1.0", "true", "t", "yes", "y"})
FALSE = frozenset({"0", "0.0", "false", "f", "no", "n"})
SHOWN = 5
ADVICE = "write train, val and test into it, or rename or drop it"


def folded(name: str) -> str:
    """The name of a column in the form in which names are compared."""
    return re.sub("[ -]", "_", name.strip().casefold())


def is_called_so(name: str) -> bool:
    """Whether a column of that name tells splits, or may do so."""
    return folded(name) in NAMES or FLAG.fullmatch(folded(name)) is not None


def is_bare_flag(name: str, values: Sequence[str]) -> bool:
    """Whether a column that is only called train or test is 1 and 0, as is_train would be."""
    texts = {value.strip().casefold() for value in values}
    return split_called(folded(name)) is not None and len(texts) == 2 and texts <= TRUE | FALSE


def find(names: Sequence[str]) -> list[int]:
    """Positions of the columns that are called so, in the order of NAMES."""
    known = [folded(name) for name in names]
    named = [known.index(name) for name in NAMES if name in known]
    return named + [i for i, name in enumerate(known) if FLAG.fullmatch(name)]


def splits_of(
    columns: Mapping[str, Sequence[str]], where: str, rows: Sequence[int] | None = None
) -> list[SplitName] | None:
    """The split of each image, as all columns that are called so tell it; None where none does.

    A column of any other name counts if its values are the names of two or more splits. rows: the
    number of each image in its file; from 1 by default. Raises DataError naming `where` and the
    column if its values are not clear, or two columns contradict each other.
    """
    names = [[*columns][i] for i in find([*columns])] or [
        name for name, values in columns.items() if are_splits(values)
    ]
    told = {}
    for name in names:
        if (splits := _of_column(name, columns[name], where, rows)) is not None:
            told[name] = splits
    first = next(iter(told), None)
    for name, splits in told.items():
        if first is not None and splits != told[first]:
            raise DataError(
                f"{where}: columns {first!r} and {name!r} tell different splits; drop one of "
                "them, or write one column split with train, val and test"
            )
    if first is None:
        return None
    if folded(first) != "split":
        counts = Counter(told[first])
        said = ", ".join(f"{counts[split]} {split}" for split in SPLIT_NAMES if counts[split])
        note(f"{where}: column {first!r} tells the splits: {said}")
    return told[first]


def cut(whole: RawSplit, told: Sequence[SplitName | None]) -> dict[SplitName, RawSplit]:
    """The images and labels of each split that occurs in `told`, which names that of each image.

    None: the image is in no split.
    """
    found: dict[SplitName, RawSplit] = {}
    names = np.array(told)
    for split in SPLIT_NAMES:
        inside = np.flatnonzero(names == split)
        if len(inside):
            raw = whole.labels._replace(codes=whole.labels.codes[inside])
            where = f"{whole.where}: split {split}"
            found[split] = RawSplit(large.take(whole.images, inside), raw, where)
    return found


def refusal(name: str, values: Sequence[str], where: str, advice: str = ADVICE) -> DataError:
    """The error for a column whose values cannot be used."""
    shown = ", ".join(map(repr, values[:SHOWN])) + (", ..." if len(values) > SHOWN else "")
    return DataError(f"{where}: column {name!r} seems to tell the splits ({shown}); {advice}")


def _of_column(
    name: str, values: Sequence[str], where: str, rows: Sequence[int] | None
) -> list[SplitName] | None:
    meant = {value: _meaning(name, value) for value in dict.fromkeys(values)}
    if all(meant.values()):
        return [split for value in values if (split := meant[value])]
    if not any(meant.values()):
        if folded(name) not in OFTEN_OTHER:
            raise refusal(name, [*meant], where)
        note(f"{where}: column {name!r} does not say train, val or test and is not used")
        return None
    i = next(i for i, value in enumerate(values) if meant[value] is None)
    raise DataError(
        f"{where}: row {rows[i] if rows else i + 1}: {values[i]!r} is not train, val or test, as "
        f"other values of column {name!r} are; {ADVICE}"
    )


def are_splits(values: Sequence[str]) -> bool:
    """Whether the values of a column are the names of two or more splits."""
    splits = {split_called(value.strip()) for value in set(values)}
    return len(splits) > 1 and "train" in splits and None not in splits


def _meaning(name: str, value: str) -> SplitName | None:
    """The split that a value of this column stands for; None where it is not clear."""
    text = value.strip().casefold()
    flag = FLAG.fullmatch(folded(name))
    if flag is None:
        return split_called(text) or OTHER_VALUES.get(text)
    split = split_called(flag["split"])
    if text in FALSE:
        return "test" if split == "train" else "train"
    return split if text in TRUE else None
