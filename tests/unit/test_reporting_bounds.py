"""Pages of very many classes and of odd names: bounded, and what is left out is said."""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from quick_figures import unpainted
from sklearn.metrics import confusion_matrix as sklearn_confusion

import mnistlab
from mnistlab.evaluation import class_report
from mnistlab.reporting.bounds import MOST_CLASSES, extremes, highest, in_turns, spread
from mnistlab.reporting.class_table import report_table
from mnistlab.reporting.figures.canvas import MOST_PIXELS, shorten, text_width
from mnistlab.reporting.figures.classes import class_gallery, class_moments
from mnistlab.reporting.figures.images import image_grid
from mnistlab.reporting.figures.matrix import confusion_matrix
from mnistlab.reporting.figures.rows import (
    Row,
    black_pixels,
    class_balance,
    differences,
    per_class_accuracy,
)
from mnistlab.reporting.figures.scatter import embedding_map
from mnistlab.reporting.page import Figure, Page, Section
from mnistlab.reporting.render import render

pytestmark = pytest.mark.drawn

WORDS = {"caption": "Caption.", "command": "mnistlab"}
ODD_NAMES = (
    "手写数字识别类别名称很长很长",
    "عربي نص",
    "👩‍🔬 😀",
    "x" * 200,
    "a\nb\tc",
    "$\\frac{1}{2}$ $5",
    "_hidden",
    "a^b & <b>bold</b>",
    "caf\udce9",
    "\x00\x1b[31m",
)


def random() -> np.random.Generator:
    return np.random.default_rng(0)


def names(n: int) -> list[str]:
    return [f"class{k:04d}" for k in range(n)]


def drawn(n: int, names_of: Callable[[int], list[str]] = names) -> dict[str, Figure]:
    """Every figure with a row or a place for each of n classes."""
    labels = np.arange(4 * n) % n
    images = random().integers(0, 255, (n, 2, 8, 8), dtype=np.uint8)
    accuracy = random().random(n)
    accuracy[0] = np.nan  # a class without test images
    said = names_of(n)
    figures = [
        confusion_matrix(sklearn_confusion(labels, random().permutation(labels)), said, **WORDS),
        per_class_accuracy(["one", "two"], {"one": accuracy, "two": accuracy}, said, **WORDS),
        class_balance(random().integers(1, 9, (3, n)), ["train", "val", "test"], said, **WORDS),
        black_pixels(np.append(0.5, accuracy), said, **WORDS),
        class_gallery(list(images), said, **WORDS),
        class_moments(images.mean(axis=1), images.std(axis=1), said, **WORDS),
        embedding_map(random().normal(size=(4 * n, 2)), labels, said, **WORDS),
        differences([Row(name, 1.0, 0.0, 2.0, True) for name in said], **WORDS),
    ]
    return {figure.name: figure for figure in figures}


@pytest.fixture(scope="module")
def many() -> dict[str, Figure]:
    return drawn(2000)


@pytest.mark.slow
def test_figures_of_very_many_classes_have_bounds(many: dict[str, Figure]) -> None:
    for name, figure in many.items():
        with Image.open(io.BytesIO(figure.png)) as picture:
            assert max(picture.size) <= MOST_PIXELS, name
        assert len(figure.svg) + len(figure.narrow_svg) + len(figure.alt) < 1_500_000, name


@pytest.mark.slow
def test_what_is_left_out_is_said(many: dict[str, Figure]) -> None:
    for name, figure in many.items():
        assert re.search(r"2,000|1,9\d\d", figure.caption), name
    assert "the 50 with the lowest accuracy; 1,950 are left out" in (
        many["per-class-accuracy"].caption
    )
    assert "the 1,975 others together" in many["confusion-matrix"].caption


def test_of_few_classes_nothing_is_left_out() -> None:
    with unpainted():
        figures = drawn(26)
    for name, figure in figures.items():
        assert "left out" not in figure.caption, name
        assert "others" not in figure.caption, name


def test_odd_names_are_drawn_on_one_line_and_as_they_are() -> None:
    figures = drawn(len(ODD_NAMES), lambda n: list(ODD_NAMES))
    labels = np.arange(len(ODD_NAMES))
    images = random().integers(0, 255, (len(labels), 8, 8), dtype=np.uint8)
    figures["grid"] = image_grid(images, labels, labels[::-1], ODD_NAMES, **WORDS)
    page = Page(
        "title", "question", "answer", (), (Section("all", "", tuple(figures.values())),), "make"
    )
    html = render(page)
    assert "<b>bold" not in html
    assert "$\\frac{1}{2}$" in html
    assert "\x00" not in html
    assert "\x1b" not in html


def test_names_are_measured_as_wide_as_they_are() -> None:
    assert text_width("手写", 10) == text_width("abcd", 10)
    for name in ODD_NAMES:
        for n in (2, 5, 16):
            short = shorten(name, n)
            assert text_width(short, 10) <= n * 6 + 1e-9
            assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl") for c in short)
    assert shorten("手写数字", 8) == "手写数字"
    assert shorten("手写数字识", 8) == "手写数…"
    assert shorten("a\nb", 8) == "a b"


def test_a_confusion_matrix_keeps_every_image() -> None:
    labels = np.arange(600) % 60
    predicted = np.where(labels < 3, (labels + 1) % 3, labels)  # mistakes among three alone
    figure = confusion_matrix(sklearn_confusion(labels, predicted), names(60), **WORDS)
    assert "570 of 600 images on the diagonal" in figure.alt
    for name in ("class0000", "class0001", "class0002", "all others"):
        assert name in figure.svg
    assert "the 25 with the most mistakes" in figure.caption


def test_the_report_of_many_classes_shows_the_worst() -> None:
    labels = np.arange(400) % 100
    predicted = np.where((labels == 70) | (labels == 3), 5, labels)
    table = report_table(class_report(sklearn_confusion(labels, predicted)), names(100))
    assert len(table.rows) == MOST_CLASSES + 2
    assert {"class0070", "class0003", "class0005"} <= {row[0] for row in table.rows}
    assert table.note == "Of 100 classes the 50 with the lowest F1; 50 are left out."
    assert report_table(class_report(np.eye(47, dtype=int)), names(47)).note == ""


def test_a_class_without_images_is_not_the_hardest() -> None:
    accuracy = np.array([0.5, np.nan, 0.25])
    figure = per_class_accuracy(["a"], {"a": accuracy}, "xyz", **WORDS)
    assert "25.0% on z" in figure.alt
    assert figure.caption == "Caption. Without a dot: no image of the class."


def test_places() -> None:
    scores = np.array([3.0, np.nan, 9.0, 1.0, 5.0])
    assert highest(scores, 2).tolist() == [2, 4]
    assert highest(scores, 9).tolist() == [0, 1, 2, 3, 4]
    assert extremes(scores, 2).tolist() == [2, 1]
    assert extremes(scores, 5).tolist() == [0, 1, 2, 3, 4]
    assert spread(100, 3).tolist() == [0, 50, 99]
    assert spread(2, 3).tolist() == [0, 1]
    in_order = np.array([0] * 50 + [1] * 3 + [2] * 50)
    assert np.bincount(in_order[in_turns(in_order, 13)]).tolist() == [5, 3, 5]


def test_faults_of_figures_are_no_fault_of_the_users() -> None:
    """A page that cannot be drawn is a bug: what draws knows no error that a user could mend."""
    folder = Path(mnistlab.__file__).parent / "reporting"
    for path in folder.rglob("*.py"):
        assert "DataError" not in path.read_text(encoding="utf-8"), path
