"""Figures: what they refuse, what they say, and the markup they turn into."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnistlab.errors import DataError
from mnistlab.reporting import Figure
from mnistlab.reporting.figures import (
    Curves,
    accuracy_against_parameters,
    before_and_after,
    confusion_matrix,
    image_grid,
    learning_curves,
    per_class_accuracy,
)
from mnistlab.reporting.figures.canvas import mark_of, shorten
from mnistlab.reporting.figures.theme import themed

WORDS = {"caption": "A caption.", "command": "mnistlab study ladder"}
ARMS = ("softmax", "hidden", "cnn")
NAMES = ("zero", "one", "two")
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def curves(n_seeds: int = 2, n_epochs: int = 4) -> Curves:
    draw = rng().random((3, n_seeds, n_epochs))
    return Curves(train_loss=draw[0], val_loss=draw[1], val_accuracy=draw[2])


def images(n: int = 6, height: int = 28, width: int = 28) -> np.ndarray:
    return rng().integers(0, 256, (n, height, width), dtype=np.uint8)


LABELS = np.array([0, 1, 2, 0, 1, 2])
GUESSES = np.array([0, 1, 2, 0, 2, 1])


def draw_all(names: tuple[str, ...] = NAMES, arms: tuple[str, ...] = ARMS) -> list[Figure]:
    """One of each kind, small."""
    scores = {arm: np.array([0.9, 0.91]) + 0.01 * i for i, arm in enumerate(arms)}
    return [
        image_grid(images(), LABELS, None, names, **WORDS),
        *before_and_after(images(), LABELS, np.zeros(6, int), GUESSES, names, command="x"),
        learning_curves(arms, {arms[0]: curves(), arms[2]: curves(1)}, **WORDS),
        per_class_accuracy(arms, {arm: np.array([0.5, 0.75, 1.0]) for arm in arms}, names, **WORDS),
        confusion_matrix(np.array([[5, 0, 1], [2, 4, 0], [0, 0, 6]]), names, **WORDS),
        accuracy_against_parameters(
            arms, dict(zip(arms, (7_850, 79_510, 20_490), strict=True)), scores, **WORDS
        ),
    ]


@pytest.fixture(scope="module")
def figures() -> list[Figure]:
    return draw_all()


def markup(figure: Figure) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(figure.svg), ElementTree.fromstring(figure.narrow_svg)]


def texts(svg: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in svg.iter("text")]


def test_names_are_distinct_and_words_are_kept(figures):
    assert len({figure.name for figure in figures}) == len(figures)
    assert figures[0].caption == "A caption."
    assert figures[0].command == "mnistlab study ladder"


def test_markup_is_clean(figures):
    for figure in figures:
        for svg in markup(figure):
            tags = {element.tag for element in svg.iter()}
            assert tags <= {"svg", "g", "defs", "path", "use", "clipPath", "rect", "image", "text"}
            for element in svg.iter():
                assert not [key for key in element.attrib if key.startswith("on")]
                assert element.get("href", "#").startswith(("#", "data:image/png;base64,"))


def test_every_colour_follows_the_scheme(figures):
    """All but the black behind an image is a variable of the page; no font is fixed."""
    for figure in figures:
        for svg in (figure.svg, figure.narrow_svg):
            assert "var(--ink)" in svg or "var(--muted)" in svg
            assert re.findall(r"#[0-9a-fA-F]{6}\b", re.sub(r'href="[^"]*"', "", svg)) == []
            assert "font-family" not in svg


def test_ids_are_the_figures_own_and_used(figures):
    seen: set[str] = set()
    for figure in figures:
        for svg in markup(figure):
            ids = [element.get("id", "") for element in svg.iter() if "id" in element.attrib]
            assert len(ids) == len(set(ids))
            assert not seen & set(ids)
            seen |= set(ids)
            for element in svg.iter():
                for key in ("href", "clip-path"):
                    for reference in re.findall(r"#([\w.-]+)", element.get(key, "")):
                        assert reference in ids
    assert seen


def test_narrow_drawings_fit_a_phone(figures):
    for figure in figures:
        wide, narrow = (float(svg.attrib["viewBox"].split()[2]) for svg in markup(figure))
        assert narrow <= 352 < wide


def test_bytes_are_the_same_in_another_process(figures):
    code = (
        "import hashlib, test_reporting_figures as t; "
        "print(hashlib.sha256(repr(t.draw_all()).encode()).hexdigest())"
    )
    here = Path(__file__).parent
    path = f"{here}:{here.parents[1]}"
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONPATH": path, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_the_users_matplotlibrc_changes_nothing(figures):
    theirs = {"font.size": 30, "lines.linewidth": 9, "axes.facecolor": "red", "savefig.dpi": 10}
    with matplotlib.rc_context(theirs):
        assert draw_all() == figures
        assert matplotlib.rcParams["font.size"] == 30


def test_hostile_names_stay_text():
    harmless = draw_all()
    hostile = draw_all((HOSTILE, "$\\frac{1}{0}$", "%s {x} \x00\n"), (HOSTILE, "$x$", "\ud800"))
    for figure, other in zip(hostile, harmless, strict=True):
        for svg, plain in zip(markup(figure), markup(other), strict=True):
            assert {element.tag for element in svg.iter()} == {e.tag for e in plain.iter()}
    assert any("<script>" in text for text in texts(markup(hostile[-1])[0]))
    assert any("$x$" in text for text in texts(markup(hostile[-1])[0]))


@settings(max_examples=10, deadline=None)
@given(st.text(min_size=1, max_size=60))
def test_any_class_name_can_be_drawn(name):
    figure = confusion_matrix(np.eye(2, dtype=np.int64), (name, "b"), **WORDS)
    assert len(texts(markup(figure)[0])) == 2 * (1 + 2 + 4 + 2)  # heading, diagonal, names, corner


def test_shorten():
    assert shorten("Ankle boot", 10) == "Ankle boot"
    assert shorten("Ankle boots", 10) == "Ankle boo…"
    assert shorten("a\nb\x00", 10) == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}"


def test_an_arm_keeps_its_mark():
    arms = tuple(f"arm {index}" for index in range(20))
    assert len({mark_of(arms, arm) for arm in arms}) == 20
    part = learning_curves(arms, {"arm 3": curves()}, **WORDS)
    assert "var(--arm-3)" in part.svg
    assert "var(--arm-0)" not in part.svg


def test_scripts_and_outside_references_do_not_survive():
    svg = b"""<svg xmlns="http://www.w3.org/2000/svg" xmlns:x="http://www.w3.org/1999/xlink"
      width="9pt" height="9pt" viewBox="0 0 9 9" onload="alert(1)"><script>alert(2)</script>
      <style>*{}</style><image x:href="https://example.org/a.png"/><g onclick="alert(3)">
      <path d="M0 0" style="fill: #1a1e23"/></g><foreignObject/></svg>"""
    clean = themed(svg, "p", 0.5)
    assert clean == (
        '<svg viewBox="0 0 9 9" aria-hidden="true" style="min-width: 4px"><image />'
        '<g><path d="M0 0" style="fill: var(--ink)" /></g></svg>'
    )


# Images


def test_grid_marks_what_is_wrong_by_shape_and_words():
    right = image_grid(images(), LABELS, LABELS, NAMES, **WORDS)
    wrong = image_grid(images(), LABELS, GUESSES, NAMES, **WORDS)
    assert "4 of 6 right" in wrong.alt
    assert "4 of 6 right" in texts(markup(wrong)[0])
    # A wrong tile adds a frame, a disc and a cross, and a second name.
    extra = [len(list(markup(f)[0].iter("path"))) for f in (right, wrong)]
    assert extra[1] - extra[0] >= 2
    names = [len([t for t in texts(markup(f)[0]) if t in NAMES]) for f in (right, wrong)]
    assert names == [6, 8]


def test_grid_embeds_each_image_unscaled():
    for svg in markup(image_grid(images(6, 32, 20), LABELS, None, NAMES, **WORDS)):
        tiles = list(svg.iter("image"))
        assert [(tile.get("width"), tile.get("height")) for tile in tiles] == [("20", "32")] * 6


def test_before_and_after_share_a_row():
    figures = before_and_after(images(), LABELS, GUESSES, LABELS, NAMES, command="x", name="shoes")
    assert [figure.name for figure in figures] == ["shoes-before", "shoes-after"]
    assert all(figure.half for figure in figures)


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ((images().astype(float), LABELS, None, NAMES), "images must be uint8"),
        ((images()[0], LABELS, None, NAMES), "images must be uint8"),
        ((images()[:0], LABELS[:0], None, NAMES), "images must be uint8"),
        ((images(), LABELS[:5], None, NAMES), r"6 images but labels \(5,\)"),
        ((images(), LABELS, GUESSES[:1], NAMES), r"6 images but predictions \(1,\)"),
        ((images(), LABELS, GUESSES, NAMES[:2]), "labels reach beyond 2 class names"),
        ((images(), LABELS, GUESSES - 1, NAMES), "predictions reach beyond"),
    ],
)
def test_grid_refuses(arguments, fault):
    with pytest.raises(DataError, match=rf"figure image-grid: .*{fault}"):
        image_grid(*arguments, **WORDS)


# Curves


def test_swings_are_points_between_epochs():
    logged = Curves(*(np.array([[0.90, 0.92, 0.91]]) for _ in range(3)))
    np.testing.assert_allclose(logged.swings, [[np.nan, 2.0, 1.0]])
    figure = learning_curves(("a",), {"a": logged}, **WORDS)
    assert "ends at 91.0%, late epochs change by up to 2.0 points" in figure.alt


@pytest.mark.parametrize(("n_seeds", "n_epochs"), [(1, 1), (5, 1), (1, 2), (3, 200)])
def test_curves_of_any_length(n_seeds, n_epochs):
    figure = learning_curves(("a",), {"a": curves(n_seeds, n_epochs)}, **WORDS)
    assert ("nothing to show" in figure.svg) == (n_epochs == 1)


def test_curves_that_stop_early_or_diverge():
    logged = curves(3, 9)
    for values in (logged.train_loss, logged.val_loss, logged.val_accuracy):
        values[1, 4:] = np.nan
        values[2, :] = np.nan
    logged.val_loss[0, 5] = np.inf
    end = logged.val_accuracy[0, -1] / 2 + logged.val_accuracy[1, 3] / 2
    figure = learning_curves(("a",), {"a": logged}, **WORDS)
    assert f"3 seeds: ends at {end:.1%}" in figure.alt


@pytest.mark.parametrize(
    ("logged", "fault"),
    [
        ({}, "no curves"),
        ({"b": curves()}, "'b' is no arm"),
        ({"a": Curves(np.zeros((1, 2)), np.zeros((1, 2)), np.zeros((1, 3)))}, "'a' must share"),
        ({"a": Curves(np.zeros(2), np.zeros(2), np.zeros(2))}, "'a' must share"),
        ({"a": curves(1, 0)}, "'a' must share"),
    ],
)
def test_curves_refuse(logged, fault):
    with pytest.raises(DataError, match=rf"figure learning-curves: .*{fault}"):
        learning_curves(("a",), logged, **WORDS)


# Dots and matrices


def test_classes_are_in_order_of_difficulty():
    scores = {"a": np.array([0.9, np.nan, 0.95, 0.7]), "b": np.array([0.8, 0.5, 0.99, 0.8])}
    figure = per_class_accuracy(("a", "b"), scores, ("w", "x", "y", "z"), **WORDS)
    for svg in markup(figure):
        assert [text for text in texts(svg) if text in "wxyz"] == ["y", "w", "z", "x"]
    assert figure.alt.endswith("b 50.0% on x.")


def test_parameters_are_on_a_log_scale_with_names_beside():
    figure = draw_all()[-1]
    for svg in markup(figure):
        assert {*ARMS, "10 K", "20 K", "50 K"} <= set(texts(svg))
    assert "hidden, 79,510 parameters, 91.5%" in figure.alt


@pytest.mark.parametrize("n_parameters", [1, 10**9])
def test_one_arm_alone(n_parameters):
    figure = accuracy_against_parameters(
        ("a",), {"a": n_parameters}, {"a": np.array([0.9])}, **WORDS
    )
    assert "a" in texts(markup(figure)[0])


def test_confusion_matrix_shows_counts_and_row_shares():
    figure = confusion_matrix(np.array([[3, 1], [0, 0]]), ("cat", "dog"), **WORDS)
    for svg in markup(figure):
        assert {"3", "1", "75.0", "25.0"} <= set(texts(svg))
        assert not {"0", "0.0"} & set(texts(svg))  # an empty cell says so by being empty
    assert "3 of 4 images" in figure.alt
    assert "cat taken for dog, 1 times" in figure.alt
    perfect = confusion_matrix(np.diag([3, 1]), ("cat", "dog"), **WORDS)
    assert "no mistakes" in perfect.alt


def test_many_classes_scroll_rather_than_shrink():
    figure = confusion_matrix(np.eye(47, dtype=int), [str(i) for i in range(47)], **WORDS)
    narrow = markup(figure)[1]
    assert float(narrow.attrib["viewBox"].split()[2]) > 600
    assert int(narrow.attrib["style"].removeprefix("min-width: ").removesuffix("px")) > 480


two = {"a": np.array([0.5, 0.6])}


@pytest.mark.parametrize(
    ("draw", "fault"),
    [
        (lambda: confusion_matrix(np.eye(3, dtype=int), NAMES[:2], **WORDS), r"\(3, 3\) for 2"),
        (lambda: confusion_matrix(-np.eye(3, dtype=int), NAMES, **WORDS), "negative"),
        (lambda: confusion_matrix(np.zeros((0, 0), int), (), **WORDS), "for 0 class names"),
        (lambda: per_class_accuracy(ARMS, {}, NAMES, **WORDS), "no arms"),
        (lambda: per_class_accuracy(ARMS, two, NAMES[:2], **WORDS), "'a' is no arm"),
        (lambda: per_class_accuracy(("a",), two, NAMES, **WORDS), r"'a' has \(2,\)"),
        (
            lambda: per_class_accuracy(("a",), {"a": np.full(3, np.nan)}, NAMES, **WORDS),
            "no accuracy is finite",
        ),
        (lambda: accuracy_against_parameters(("a",), {}, two, **WORDS), "'a' has no number"),
        (
            lambda: accuracy_against_parameters(("a",), {"a": 9}, {"a": np.zeros(0)}, **WORDS),
            "'a' needs finite",
        ),
        (
            lambda: accuracy_against_parameters(
                ("a",), {"a": 9}, {"a": np.array([np.inf])}, **WORDS
            ),
            "'a' needs finite",
        ),
    ],
)
def test_dots_and_matrices_refuse(draw: Callable[[], Figure], fault: str):
    with pytest.raises(DataError, match=rf"figure [a-z-]+: .*{fault}") as caught:
        draw()
    assert "\n" not in str(caught.value)
