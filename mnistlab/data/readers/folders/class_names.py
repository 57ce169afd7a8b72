"""One name for each class of image files: Cat and cat, or two Unicode forms, are the same class."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnistlab.data.dataset import SplitName
from mnistlab.data.notes import note
from mnistlab.data.readers.folders import split_folders, wrappers
from mnistlab.data.readers.spellings import as_known, composed, say_forms
from mnistlab.errors import DataError

# Parts into which large sets are cut, of any class: HAM10000_images_part_1, images_001.
CUT = re.compile(
    r"(?:.*[-_ ])?(?:part|batch|fold|chunk|shard|images|imgs|disc|disk|volume|archive)[-_ ]?[0-9]+",
    re.IGNORECASE,
)
# Names of folders of other images, which lie beside class folders; a class may be called so too.
NO_CLASS = frozenset(
    {
        *("predictions", "figures", "plots", "output", "outputs", "results", "logs", "docs", "doc"),
        *("samples", "examples", "trash", "thumbnails", "thumbs", "preview", "previews", "temp"),
        *("tmp", "backup", "raw", "data", "files", "input", "inputs", "augmented", "new folder"),
    }
)
COPY = re.compile(
    r"(?P<of>.+?)(?:[-_ ]+(?:copy|kopie|backup|bak|old|orig|original|aug|augmented|masks?|thumbs?|"
    r"resized|crops?|cropped))?(?:[-_ ]*\([0-9]+\))?"
)
DERIVED = re.compile(
    r"(?P<of>.+?)[-_ ](?:aug|augmented|flip|flipped|hflip|vflip|mirror|mirrored|rot|rotate|rotated|"
    r"crop|cropped|thumb|thumbnail|small|resized|noise|noisy|blur|blurred|bright|copy|"
    r"[0-9]+x[0-9]+)[-_ ]?[0-9]*",
    re.IGNORECASE,
)
FEWEST_CROSSED = 2  # classes that occur in two splits
TRAIN = 0  # the position of train in SPLIT_NAMES
SHOWN = 4


def of_folders(files: Iterable[Path]) -> list[str]:
    """The names of the folders of these images that may be classes: none of splits and parts."""
    names = sorted({file.parent.name for file in files})
    return [
        name
        for name in names
        if split_folders.named(name) is None
        and CUT.fullmatch(name) is None
        and name.casefold() not in wrappers.FOR_ALL
    ]


def agreed(
    classes: Mapping[SplitName, Sequence[str]], where: str
) -> dict[SplitName, Sequence[str]]:
    """The classes of the images of each split, spelt as those of the training set.

    Names that differ in their Unicode form are one class everywhere. Names of another split that
    differ in case only are those of the training set, unless both spellings are classes there: a
    and A may be different letters; and so are numbers with other zeros. A note says which.
    """
    distinct = {split: {name: composed(name) for name in set(of)} for split, of in classes.items()}
    trained = set(distinct.get("train", {}).values())
    said: dict[str, str] = {}
    for split, names in distinct.items():
        if split != "train":
            said |= _in_other_case(names, trained) | _as_other_numbers(names, trained)
    _say_spellings(said, where)
    say_forms((name for names in distinct.values() for name in names), where)
    _say_cases(trained, where)
    return {
        split: [distinct[split][name] for name in of_images] for split, of_images in classes.items()
    }


def agreed_texts(
    texts: Sequence[str], codes: NDArray[np.int64], splits: NDArray[np.int64], where: str
) -> tuple[str, ...]:
    """`agreed` for labels of tables, texts[codes]; splits: the position of each in SPLIT_NAMES."""
    say_forms(texts, where)
    named = [composed(text) for text in texts]
    trained = {named[code] for code in np.unique(codes[splits == TRAIN]).tolist()}
    others = {named[code]: named[code] for code in np.unique(codes[splits != TRAIN]).tolist()}
    said = _in_other_case(others, trained)
    _say_spellings(said, where)
    _say_cases(trained, where)
    return tuple(text if text in trained else said.get(text, text) for text in named)


def _in_other_case(names: dict[str, str], trained: set[str]) -> dict[str, str]:
    """Replace in `names` (as found -> as meant) what differs in case only; return the changes."""
    known: dict[str, list[str]] = {}
    for name in trained:
        known.setdefault(name.casefold(), []).append(name)
    here = set(names.values())
    said = {}
    for found, meant in names.items():
        same = known.get(meant.casefold(), [])
        if meant not in trained and len(same) == 1 and same[0] not in here:
            names[found] = said[meant] = same[0]
    return said


def _say_spellings(said: dict[str, str], where: str) -> None:
    if said:
        shown = ", ".join(f"{old} is {new}" for old, new in sorted(said.items())[:SHOWN])
        note(f"{where}: classes of other splits in another spelling are those of train: {shown}")


def _as_other_numbers(names: dict[str, str], trained: set[str]) -> dict[str, str]:
    """Replace in `names` what is the same number with other zeros; return the changes."""
    meant = as_known([*dict.fromkeys(names.values())], sorted(trained))
    said = {name: one for name, one in meant.items() if one != name}
    names.update({found: said[name] for found, name in names.items() if name in said})
    return said


def _say_cases(names: set[str], where: str) -> None:
    """Say which classes differ in case only, single letters aside: often a slip."""
    known: dict[str, list[str]] = {}
    for name in sorted(names):
        known.setdefault(_bare(name), []).append(name)
    several = [same for same in known.values() if len(same) > 1 and max(map(len, same)) > 1]
    if several:
        is_case = len({name.casefold() for name in several[0]}) == 1
        what = "case" if is_case else "spaces, zeros or case"
        note(f"{where}: classes that differ in {what} only: {' and '.join(several[0])}")


def _bare(name: str) -> str:
    """The name without what two spellings of one class may differ in."""
    bare = name.casefold().strip()
    return bare.lstrip("0") or "0" if bare.isdecimal() else bare


def check_crossed(root: Path, names: Sequence[str]) -> None:
    """DataError for folders such as train_cat and test_cat: splits of classes, not classes."""
    told = {name: one for name in names if (one := split_folders.named(name)) is not None}
    of: dict[str, dict[SplitName | None, str]] = {}
    for name, one in told.items():
        if not one.is_plain:
            of.setdefault(one.rest.strip("|"), {})[one.split] = name
    both = [found for found in of.values() if len(found) > 1 and "train" in found]
    if len(both) >= FEWEST_CROSSED:
        (first, second, *_) = both[0].values()
        raise DataError(
            f"{root}: {first} and {second} seem to be splits of one class, not two classes; move "
            "them into folders train and test that hold one folder per class"
        )


def say_doubtful(root: Path, names: Sequence[str]) -> None:
    """Say which folders are taken as classes though their names tell something else."""
    known = {name.casefold().strip() for name in names}
    for name in names:
        folded = name.casefold().strip()
        of = COPY.fullmatch(folded)
        if (of and of["of"] in known - {folded}) or folded in NO_CLASS:
            note(f"{root / name}: is taken as a class; move it out of the folder if it is none")


def say_derived(root: Path, files: Sequence[Path]) -> None:
    """Say how many images seem to be made from others that a random split may put elsewhere."""
    known = {(file.parent, file.stem) for file in files}
    found = [
        file
        for file in files
        if (match := DERIVED.fullmatch(file.stem)) and (file.parent, match["of"]) in known
    ]
    if found:
        made = f"{len(found)} images seem" if len(found) > 1 else "1 image seems"
        note(
            f"{root}: {made} to be made from others, such as {found[0].name}; "
            "where a split is drawn, such images and the others may be on both sides: test "
            "accuracy is then too high; leave them out, or put them into folders train and test"
        )
