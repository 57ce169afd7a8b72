"""Which columns of a table name image files and which one has their labels, by what is in them.

Values decide: a column of files is one whose values are the names of images that were found. Known
headings only choose between columns that the values leave open; where they do not, it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from mnistlab.data.readers import split_column
from mnistlab.data.readers.label_tables.sheets import Row
from mnistlab.errors import DataError

# How columns of labels are called, in any case and with any separators; the first one counts.
LABEL_COLUMNS = (
    *("label", "labels", "class", "class_name", "target", "category", "y", "classes", "classid"),
    *("class_id", "label_name", "labelname", "label_id", "class_label", "classname", "category_id"),
    *(
        "category_name",
        "targets",
        "ground_truth",
        "label_str",
        "label_text",
        "choice",
        "choices",
        "image_label",
        "img_class",
    ),
)
# Headings that name labels of one field; others beside them are said.
OFTEN_LABELS = (
    *("diagnosis", "dx", "species", "breed", "emotion", "disease", "finding", "grade", "level"),
    *("variety", "kind", "type", "tag", "klasse", "etikett", "clase", "classe", "etiqueta"),
    *("finding_labels", "sign", "character", "digit", "landmark_id", "healthy"),
)
# Measures and origins, which are labels only if --label-column says so.
NEVER_LABELS = re.compile(
    r"(x|y)_?(min|max|[0-9])|width|height|w|h|bbox.*|index|idx|row|unnamed(:_.*)?|"
    r"url|source|licen[cs]e|author|credit|date.*|time.*|created_at|updated_at|fold|k_?fold|size|"
    r"file_?size|md5|sha\d+|hash|lat|lon|latitude|longitude|depth|channels|annotator|"
    r"annotation_id|lead_time|(batch|user|writer|author|subject|patient|person|participant|session|"
    r"scanner|device|site|page|sheet|sample|record|row|line|instance|version|seed|age|year|"
    r"month|day|weight|score|confidence|probability)(_?(id|no|nr|num|number|name))?"
)
NUMBERS = frozenset({"id", "no", "nr", "number"})  # labels only where no other column is left
# As files are called where values alone leave two columns open; the first one that is there counts.
FILE_COLUMNS = (
    *("filename", "file_name", "file", "filepath", "file_path", "image", "image_name"),
    *("image_path", "image_file", "image_id", "img", "path", "filenames", "files", "images"),
    *("img_name", "img_path", "image_filename", "photo", "picture", "fname", "id", "name"),
)
DIFFERENT = 4  # so many rows, all of different values, are no labels
MANY_NUMBERS = 20  # so many different fractions are measured, not labels
SHOWN = 8


class Choice(NamedTuple):
    """label: position of its column. one_hot: positions of one column per class, instead.

    open: columns between which the table leaves it open. others: what else might be meant.
    sure: whether a heading or the lack of others says so, and no note is needed. guessed: whether
    all other columns are measures and the like, while no heading says that this one has labels.
    are_folders: whether the column divides the images as their folders do, which name the classes.
    """

    label: int | None = None
    one_hot: tuple[int, ...] = ()
    open: tuple[int, ...] = ()
    others: tuple[int, ...] = ()
    sure: bool = True
    guessed: bool = False
    are_folders: bool = False

    @property
    def has_labels(self) -> bool:
        """Whether the table says the label of each row."""
        return self.label is not None or bool(self.one_hot)


class Labels:
    """The columns of a table below its header. names: of the columns. file: position of files.

    known: positions of other columns that name images. folders: the folder of each row's image.
    """

    def __init__(
        self,
        where: str,
        names: Sequence[str],
        rows: Sequence[Row],
        file: int,
        known: Sequence[int],
        folders: Sequence[str],
    ) -> None:
        self.where, self.names, self.file = where, names, file
        self.columns = [[row.cells[i] for row in rows] for i in range(len(names))]
        # Without header no column has a name; else one without is pandas' index.
        self.folded = [folded(name or "index" * any(names)) for name in names]
        splits = set(split_column.find(names))
        splits |= {i for i in range(len(names)) if split_column.are_splits(self.columns[i])}
        self.left = [
            i for i in range(len(names)) if i not in splits and i not in known and i != file
        ]
        self.folders = folders

    def choose(self, wanted: str | None) -> Choice:
        """The column of the labels; wanted: its name, or its number from 1, if the user gave it."""
        if wanted is not None:
            return Choice(self._wanted(wanted))
        if named := [
            i for i in self.left if self.folded[i] in LABEL_COLUMNS and any(self.columns[i])
        ]:
            return self._one_of(named, LABEL_COLUMNS, is_known=True)
        possible = [i for i in self.left if self._may_be_labels(i)]
        if len(classes := self._one_hot()) >= 2 and (len(classes) > 2 or classes == possible):
            others = tuple(i for i in possible if i not in classes)
            return Choice(one_hot=tuple(classes), others=others, sure=False)
        if same := [i for i in possible if _are_same(self.columns[i], self.folders)]:
            return Choice(same[0], are_folders=True)
        if often := [i for i in possible if self.folded[i] in OFTEN_LABELS]:
            return self._one_of(often, OFTEN_LABELS)
        if not possible:
            return Choice()
        telling = [i for i in self.left if any(self.columns[i]) and not self._is_measure(i)]
        return self._one_of(possible, LABEL_COLUMNS)._replace(guessed=len(telling) > 1)

    def why_none(self) -> str:
        """Which columns there are, for an error that says that none has labels."""
        return listed(self.names, range(len(self.names)))

    def texts(self, choice: Choice, rows: Sequence[Row]) -> list[str]:
        """The label of each row; of one column per class the name of the one that is 1."""
        if choice.are_folders:
            return list(self.folders)
        if choice.label is not None:
            return self.columns[choice.label]
        found = []
        for row in rows:
            classes = [self.names[i] for i in choice.one_hot if _is_one(row.cells[i])]
            if len(classes) != 1:
                said = f"of {len(classes)} classes ({', '.join(classes)})" if classes else "of none"
                raise DataError(
                    f"{self.where}: row {row.number} is {said}, but an image has one class here"
                )
            found += classes
        return found

    def has(self, wanted: str) -> bool:
        """Whether there is a column of that name, or number from 1."""
        return self._wanted(wanted) is not None

    def _wanted(self, wanted: str) -> int | None:
        if folded(wanted) in self.folded:
            return self.folded.index(folded(wanted))
        if re.fullmatch("[0-9]{1,4}", wanted) and 1 <= int(wanted) <= len(self.names):
            return int(wanted) - 1
        return None

    def _one_of(
        self, columns: Sequence[int], order: Sequence[str], is_known: bool = False
    ) -> Choice:
        """The column, if all of them divide the images into the same classes; else left open."""
        ranked = sorted(columns, key=lambda i: _rank(self.folded[i], order))
        first, *more = ranked
        if not all(_are_same(self.columns[first], self.columns[i]) for i in more):
            return Choice(open=tuple(columns))
        beside = [i for i in self.left if i not in columns and self._may_be_labels(i)]
        sure = not more and (is_known or not beside)
        return Choice(first, others=(*more, *beside), sure=sure)

    def _may_be_labels(self, i: int) -> bool:
        values = self.columns[i]
        n_different = len(set(values))
        if n_different == len(values) >= DIFFERENT or self._is_measure(i):
            return False
        if n_different == 1 or (len(self.left) > 1 and self.folded[i] in NUMBERS):
            return False
        return n_different <= MANY_NUMBERS or not any(map(_is_fraction, values))

    def _is_measure(self, i: int) -> bool:
        return NEVER_LABELS.fullmatch(self.folded[i]) is not None

    def _one_hot(self) -> list[int]:
        """Columns of 0 and 1 of which just one is 1 in nearly every row."""
        binary = [i for i in self.left if all(map(_is_bit, self.columns[i]))]
        if len(binary) < 2:
            return []
        sums = [
            sum(map(_is_one, cells))
            for cells in zip(*(self.columns[i] for i in binary), strict=True)
        ]
        # A few rows of two classes are an error that names the row; many are another table.
        return binary if sum(n == 1 for n in sums) >= 0.9 * len(sums) else []


def listed(names: Sequence[str], columns: Sequence[int]) -> str:
    """Names of columns for a message, not too many; those without a name by their number."""
    shown = [names[i] or f"column {i + 1}" for i in columns[:SHOWN]]
    return ", ".join(shown) + (", ..." if len(columns) > SHOWN else "")


def folded(name: str) -> str:
    """The name of a column as names are compared; of nested JSON the last step."""
    return split_column.folded(name).rsplit(".", 1)[-1]


def is_number(name: str) -> bool:
    """Whether a column is called number, Nr. or No."""
    return split_column.folded(name).rstrip(".") in NUMBERS


def file_rank(name: str) -> int:
    """How likely a column is one of files by its name alone; the lowest first."""
    return _rank(folded(name), FILE_COLUMNS)


def _rank(name: str, order: Sequence[str]) -> int:
    return order.index(name) if name in order else len(order)


def _are_same(ones: Sequence[str], others: Sequence[str]) -> bool:
    """Whether two columns divide the rows into the same two or more classes."""
    pairs = set(zip(ones, others, strict=True))
    return len(pairs) == len(set(ones)) == len(set(others)) > 1


def _is_bit(text: str) -> bool:
    return text in ("0", "1", "0.0", "1.0", "0.00", "1.00") or text.casefold() in ("true", "false")


def _is_one(text: str) -> bool:
    return text.startswith("1") or text.casefold() == "true"


def _is_fraction(text: str) -> bool:
    try:
        return not float(text).is_integer()
    except (ValueError, OverflowError):
        return False
