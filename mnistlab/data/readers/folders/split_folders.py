"""Which folders and tables hold the splits of a set, by their names: train, seg_test, dev."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mnistlab.data.assembling import SPELLINGS
from mnistlab.data.dataset import SplitName

# Words beside those of SPELLINGS. `eval` validates where a test set is there, else it tests.
MORE_WORDS: dict[str, SplitName] = {
    **dict.fromkeys(("trn", "trainval"), "train"),
    **dict.fromkeys(("dev", "development", "validate"), "val"),
    **dict.fromkeys(
        ("eval", "evaluation", "evaluate", "tst", "holdout", "heldout", "held_out"), "test"
    ),
}
WORDS: dict[str, SplitName] = {
    **{word: split for split, words in SPELLINGS.items() for word in words},
    **MORE_WORDS,
}
EVAL = ("eval", "evaluation", "evaluate")
# Images of competitions whose labels nobody but the organisers has.
UNLABELLED = ("pred", "predict", "prediction", "unlabeled", "unlabelled", "submission")
_ANY = "|".join(sorted([*WORDS, *UNLABELLED], key=len, reverse=True))
# seg_train, test1, train_images, testset, ISIC_2019_Training_GroundTruth.
NAMED = re.compile(
    rf"(?:(?P<before>.*)[-_. ])?(?P<word>{_ANY})[-_ ]?(?:set|data|dataset|imgs|images)?"
    r"(?:[-_ ]?[0-9]{1,2})?(?:[-_. ](?P<after>.*))?",
    re.IGNORECASE,
)
# What such names hold besides: they tell no set from another.
GENERAL = re.compile(
    r"(?:labels?|annotations?|metadata|ground_?truth|images?|imgs?|pictures?|inputs?|data|dataset|"
    r"set|folder|list|files?|[0-9]+|of|[-_. ])*",
    re.IGNORECASE,
)
BOTH = re.compile(r"train[-_. ]val(?:id)?(?![a-z])", re.IGNORECASE)  # one list of both
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")  # trainLabels, TestImages


class Named(NamedTuple):
    """split: None for images without labels. rest: the name of the set, without that of the split.

    word: the one that tells it, in lower case.
    """

    split: SplitName | None
    rest: str
    word: str

    @property
    def is_plain(self) -> bool:
        """Whether the name says nothing else: train, Test1, val_images."""
        return self.rest == "|"


def named(name: str) -> Named | None:
    """What the name of a folder or table (without ending) says of a split; None for others."""
    match = NAMED.fullmatch(BOTH.sub("trainval", CAMEL.sub("_", name.strip())))
    if match is None:
        return None
    word = match["word"].casefold()
    before, after = match["before"] or "", match["after"] or ""
    beside = ["" if GENERAL.fullmatch(text) else text for text in (before, after)]
    rest = "|".join(beside).casefold()
    return Named(WORDS.get(word), rest, word)


def split_of(name: str) -> SplitName | None:
    """The split that a folder or table of that name holds; None for others."""
    told = named(name)
    return told.split if told else None


def told_by(names: Sequence[str]) -> SplitName | None:
    """The split of a path: the last of its steps that tells one."""
    return next((split for name in reversed(names) if (split := split_of(name))), None)


def all_of_one_set(folders: Sequence[Path]) -> bool:
    """Whether all of two or more folders are splits of one set, and so cannot be its classes."""
    told = [named(folder.name) for folder in folders]
    if len(told) < 2 or None in told:
        return False
    found = [one for one in told if one is not None]
    return len({one.rest for one in found}) == 1 and len({one.split for one in found}) > 1


def in_order(called: dict[Path, Named]) -> dict[Path, SplitName]:
    """Folder -> split; `eval` is the validation set where another folder is the test set."""
    words = {one.word for one in called.values()}
    has_test = any(one.split == "test" and one.word not in EVAL for one in called.values())
    has_val = any(one.split == "val" for one in called.values())
    validates = has_test and not has_val and bool(words & set(EVAL))
    return {
        folder: "val" if validates and one.word in EVAL else one.split
        for folder, one in called.items()
        if one.split is not None
    }
