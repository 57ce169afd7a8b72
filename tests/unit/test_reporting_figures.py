"""Figures: what they refuse, what they say, and the markup they turn into."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from mnistlab.reporting.figures.canvas import shorten
from mnistlab.reporting.figures.curves import learning_curves, validation_losses
from mnistlab.reporting.figures.images import before_and_after, image_grid
from mnistlab.reporting.figures.lines import (
    Curves,
    draw_mean,
    draw_phase_ends,
    draw_seeds,
    scale_epochs,
)
from mnistlab.reporting.figures.marks import Mark, mark_of
from mnistlab.reporting.figures.matrix import confusion_matrix
from mnistlab.reporting.figures.rates import falls_below, learning_rates, rates_differ
from mnistlab.reporting.figures.rows import per_class_accuracy
from mnistlab.reporting.figures.scatter import accuracy_against_parameters
from mnistlab.reporting.figures.theme import themed
from mnistlab.reporting.page import Figure

pytestmark = [pytest.mark.drawn, pytest.mark.slow]

WORDS = {"caption": "A caption.", "command": "mnistlab study ladder"}
ARMS = ("softmax", "hidden", "cnn")
NAMES = ("zero", "one", "two")
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def curves(n_seeds: int = 2, n_epochs: int = 4) -> Curves:
    draw = rng().random((3, n_seeds, n_epochs))
    rate = np.tile(0.1 ** np.arange(n_epochs), (n_seeds, 1))
    ends = ((1,) if n_epochs > 1 else (),) * n_seeds
    return Curves(*draw, learning_rate=rate, phase_ends=ends, kept=(1,) * n_seeds)


def images(n: int = 6, height: int = 28, width: int = 28) -> np.ndarray:
    return rng().integers(0, 256, (n, height, width), dtype=np.uint8)


LABELS = np.array([0, 1, 2, 0, 1, 2])
GUESSES = np.array([0, 1, 2, 0, 2, 1])


def draw_all(names: tuple[str, ...] = NAMES, arms: tuple[str, ...] = ARMS) -> list[Figure]:
    """One of each kind, small."""
    scores = {arm: np.array([0.9, 0.91]) + 0.01 * i for i, arm in enumerate(arms)}
    return [
        image_grid(images(), LABELS, None, names, **WORDS),
        *before_and_after(images(), LABELS, {"before": np.zeros(6, int), "after": GUESSES}, names),
        learning_curves(arms, {arms[0]: curves(), arms[2]: curves(1)}, **WORDS),
        validation_losses(arms, {arms[0]: curves(), arms[2]: curves(1)}, **WORDS),
        learning_rates(arms, {arms[0]: curves(), arms[2]: curves(1)}, **WORDS),
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
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"  # not that of this process
    printed = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": path, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed.strip() == hashlib.sha256(repr(figures).encode()).hexdigest()


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
    assert shorten("a\nb\x00", 10) == "a b\N{REPLACEMENT CHARACTER}"


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
    figures = before_and_after(
        images(), LABELS, {"before": GUESSES, "after": LABELS}, NAMES, name="shoes"
    )
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
    with pytest.raises(ValueError, match=rf"figure image-grid: .*{fault}"):
        image_grid(*arguments, **WORDS)


# Curves

STOPPED = np.array([[3.0, 1.0, 2.0, np.nan, np.nan], [1.0, 2.0, 4.0, 6.0, 8.0]])
STOPPED = np.array([*STOPPED, [2.0, 0.0, 3.0, 5.0, np.nan]])


def axes(*n_epochs: int) -> Axes:
    """Empty ones, scaled for arms of so many epochs."""
    empty = Canvas().add_subplot()
    scale_epochs(empty, [curves(1, n) for n in n_epochs])
    return empty


def lines(drawn: Axes) -> list[dict[float, float]]:
    """What is really drawn: for each line its values by epoch."""
    return [{x: y for x, y in line.get_xydata().tolist() if np.isfinite(y)} for line in drawn.lines]


def band(drawn: Axes) -> dict[float, tuple[float, float]]:
    """Lowest and highest point of all bands by epoch."""
    corners = np.concatenate(
        [path.vertices for of_band in drawn.collections for path in of_band.get_paths()]
    )
    by_epoch = {float(x): corners[corners[:, 0] == x, 1] for x in np.unique(corners[:, 0])}
    return {x: (float(ys.min()), float(ys.max())) for x, ys in by_epoch.items()}


def uses(figure: Figure, colour: str) -> list[float]:
    """How far from the left marks of a colour stand."""
    marks = markup(figure)[0].iter("use")
    return [float(m.attrib["x"]) for m in marks if f"fill: var(--{colour})" in m.attrib["style"]]


def test_a_band_reaches_from_the_lowest_seed_to_the_highest_that_still_trains():
    drawn = axes(5)
    draw_seeds(drawn, STOPPED, Mark("#0b4fb3", "o"), n_arms=1)
    assert band(drawn) == {1: (1, 3), 2: (0, 2), 3: (2, 4), 4: (5, 6), 5: (8, 8)}


def test_seeds_that_go_on_after_the_first_has_stopped_are_lines_of_their_own():
    drawn = axes(5)
    draw_seeds(drawn, STOPPED, Mark("#0b4fb3", "o"), n_arms=1)
    assert lines(drawn)[1:] == [{3: 4, 4: 6, 5: 8}, {3: 3, 4: 5}]
    n_lines = len(drawn.lines)
    draw_mean(drawn, STOPPED, Mark("#0b4fb3", "o"))
    (mean,) = lines(drawn)[n_lines:]
    assert mean == {1: 2, 2: 1, 3: 3}


def test_one_seed_has_no_band():
    drawn = axes(5)
    draw_seeds(drawn, STOPPED[1:2], Mark("#0b4fb3", "o"), n_arms=1)
    assert not drawn.collections
    assert not drawn.lines


@pytest.mark.parametrize("lengths", [(3000,), (10, 3000)])
def test_the_band_of_a_long_training_keeps_its_peaks(lengths):
    values = rng().random((2, 3000))
    values[0, 1717], values[1, 2718] = 9, -9
    drawn = axes(*lengths)
    draw_seeds(drawn, values, Mark("#0b4fb3", "o"), n_arms=1)
    reached = band(drawn)
    assert len(reached) <= 400
    assert min(low for low, _ in reached.values()) == -9
    assert max(high for _, high in reached.values()) == 9


def test_epochs_are_on_a_log_scale_where_one_arm_has_more_than_ten_times_anothers():
    for longest, title in ((100, "Epoch"), (101, "Epoch (log scale)")):
        both = {"a": curves(2, 10), "b": curves(2, longest)}
        for draw in (learning_curves, validation_losses, learning_rates):
            for svg in markup(draw(("a", "b"), both, **WORDS)):
                said = texts(svg)
                assert {text for text in said if text.startswith("Epoch")} == {title}
                assert ({"1", "10", "100"} <= set(said)) == (longest == 101)


def test_phases_end_between_two_epochs():
    drawn = axes(9)
    ends = (((2, 5), (3, 5)), ((2, 7),))
    draw_phase_ends(drawn, [Curves(*[STOPPED] * 3, phase_ends=of_arm) for of_arm in ends])
    assert [line.get_xdata()[0] for line in drawn.lines] == [2.5, 3.5, 5.5, 7.5]


def test_swings_are_points_between_epochs():
    logged = Curves(*(np.array([[0.90, 0.92, 0.91]]) for _ in range(3)))
    np.testing.assert_allclose(logged.swings, [[np.nan, 2.0, 1.0]])
    figure = learning_curves(("a",), {"a": logged}, **WORDS)
    assert "a, 1 seed of 3 epochs: ends at 91.0%, late epochs change by up to 2.0" in figure.alt


@pytest.mark.parametrize(("n_seeds", "n_epochs"), [(1, 1), (5, 1), (1, 2), (3, 200)])
def test_curves_of_any_length(n_seeds, n_epochs):
    figure = learning_curves(("a",), {"a": curves(n_seeds, n_epochs)}, **WORDS)
    assert ("nothing to show" in figure.svg) == (n_epochs == 1)
    assert validation_losses(("a",), {"a": curves(n_seeds, n_epochs)}, **WORDS).alt
    assert learning_rates(("a",), {"a": curves(n_seeds, n_epochs)}, **WORDS).alt


def test_curves_that_stop_early_or_diverge():
    logged = curves(3, 9)
    for values in (logged.train_loss, logged.val_loss, logged.val_accuracy):
        values[1, 4:] = np.nan
        values[2, :] = np.nan
    logged.val_loss[0, 5] = np.inf
    end = logged.val_accuracy[0, -1] / 2 + logged.val_accuracy[1, 3] / 2
    figure = learning_curves(("a",), {"a": logged}, **WORDS)
    assert f"3 seeds of 0 to 9 epochs: ends at {end:.1%}" in figure.alt


@pytest.mark.parametrize(
    ("logged", "fault"),
    [
        ({}, "no arms"),
        ({"b": curves()}, "'b' is no arm"),
        ({"a": Curves(np.zeros((1, 2)), np.zeros((1, 2)), np.zeros((1, 3)))}, "'a' must share"),
        ({"a": Curves(np.zeros(2), np.zeros(2), np.zeros(2))}, "'a' must share"),
        ({"a": Curves(*[np.zeros((1, 2))] * 3, np.zeros((1, 3)))}, "'a' must share"),
        ({"a": curves(1, 0)}, "'a' must share"),
        ({"a": Curves(*[np.zeros((2, 3))] * 3, kept=(1,))}, "'a' needs epochs kept"),
        ({"a": Curves(*[np.zeros((2, 3))] * 3, phase_ends=((1,),))}, "'a' needs epochs kept"),
    ],
)
@pytest.mark.parametrize("draw", [learning_curves, validation_losses, learning_rates])
def test_curves_refuse(draw, logged, fault):
    with pytest.raises(ValueError, match=rf"figure [a-z-]+: .*{fault}"):
        draw(("a",), logged, **WORDS)


def test_the_epochs_kept_are_marked_on_the_losses():
    losses = np.linspace(1, 2, 18).reshape(3, 6)
    losses[2, 5] = np.nan
    told = Curves(losses, losses, losses, kept=(1, 6, 3))
    figure = validation_losses(("a",), {"a": told}, **WORDS)
    first, last, third = uses(figure, "paper")  # the rings around them
    assert third - first == pytest.approx(2 / 5 * (last - first), abs=0.01)
    assert set(uses(figure, "arm-0")) > {first, last, third}
    where_kept = (losses[0, 0] + losses[1, 5] + losses[2, 2]) / 3
    said = f"a, 3 seeds of 5 to 6 epochs: loss {where_kept:.3f} where kept, in epochs 1, 3 and 6."
    assert figure.alt.endswith(said)


def test_losses_of_arms_whose_colours_come_twice_have_marks_on_the_way():
    """Two lines of one colour are told apart between the epochs kept as well."""

    def n_marks(n_arms: int) -> int:
        arms = [f"arm {n}" for n in range(n_arms)]
        return len(uses(validation_losses(arms, {arms[0]: curves(2, 6)}, **WORDS), "arm-0"))

    assert n_marks(9) - n_marks(8) == 6


# Learning rates


def rated(*rates: list[float]) -> Curves:
    """An arm of seeds with these rates; the shorter ones stopped early."""
    longest = max(map(len, rates))
    rows = np.array([[*row, *[np.nan] * (longest - len(row))] for row in rates])
    return Curves(rows, rows, rows, learning_rate=rows)


def test_rates_are_worth_a_figure_where_they_change_or_differ():
    assert not rates_differ({"a": rated([0.1, 0.1]), "b": rated([0.1], [0.1, 0.1, 0.1])})
    assert not rates_differ({"a": Curves(*[np.zeros((1, 2))] * 3)})
    assert rates_differ({"a": rated([0.1, 0.1]), "b": rated([0.2, 0.2])})
    assert rates_differ({"a": rated([0.1, 0.1], [0.1, 0.2])})


def test_rates_are_on_a_log_scale_where_they_span_more_than_a_decade():
    for lowest, title in ((0.1, "Learning rate"), (0.099, "Learning rate (log scale)")):
        both = {"a": rated([1.0, lowest]), "b": rated([0.5, 0.5])}
        for svg in markup(learning_rates(("a", "b"), both, **WORDS)):
            assert title in texts(svg)
            assert ("0" in texts(svg)) == (lowest == 0.1)  # no log scale has a zero


def test_what_falls_to_zero_does_not_flatten_the_other_rates():
    falling = {"a": rated([1e-2, 5e-3, 1e-4, 1e-11, 0.0]), "b": rated([1e-6, 1e-6])}
    said = texts(markup(learning_rates(("a", "b"), falling, **WORDS))[0])
    assert {"0.01", "0.0001", "1e-06"} <= set(said)  # low, but all b ever had
    assert "1e-08" not in said
    assert falls_below(falling)
    assert not falls_below({"a": rated([1e-2, 1e-5]), "b": rated([1e-6])})


def test_rates_of_zero_can_be_drawn():
    """The first step of a warm-up, where an epoch is one step."""
    assert learning_rates(("a",), {"a": rated([0.0])}, **WORDS).alt.endswith("a: 0.")
    both = {"a": rated([0.0]), "b": rated([0.0, 0.1])}
    assert learning_rates(("a", "b"), both, **WORDS).alt.endswith(
        "a: 0; b: 0, from epoch 2 on 0.1."
    )


def test_seeds_with_the_same_rates_are_one_line():
    def n_lines(*seeds: list[float]) -> int:
        svg = markup(learning_rates(("a",), {"a": rated(*seeds)}, **WORDS))[0]
        return sum("stroke: var(--arm-0)" in path.get("style", "") for path in svg.iter("path"))

    one = n_lines([0.1, 0.2, 0.2])
    assert n_lines([0.1, 0.2, 0.2], [0.1, 0.2, 0.2]) == one
    assert n_lines([0.1, 0.2, 0.2], [0.1, 0.1, 0.2]) > one


def test_the_line_of_rates_is_parted_between_phases():
    def pieces(ends: tuple[int, ...]) -> list[str]:
        """The points of each connected piece."""
        rates = replace(rated([0.1, 0.3, 0.2, 0.15, 0.1]), phase_ends=(ends,))
        svg = markup(learning_rates(("a",), {"a": rates}, **WORDS))[0]
        line = re.compile(r"fill: none.*var\(--arm-0\); stroke-width: 2.2")
        drawn = [
            path.attrib["d"] for path in svg.iter("path") if line.search(path.get("style", ""))
        ]
        return ["L" * points.count("L") for points in drawn if points.count("L")]

    assert pieces(()) == ["LLLL"]
    assert pieces((2,)) == ["LLL", "LL"]  # a change alone is a step
    assert pieces((1,))[-1] == "LLL"


def test_arms_with_the_same_rate_are_all_to_be_seen():
    """Dashes of each colour where lines lie on each other, and none where they do not."""

    def dashed(rates: dict[str, Curves]) -> set[str]:
        svg = markup(learning_rates(tuple(rates), rates, **WORDS))[0]
        styles = [path.get("style", "") for path in svg.iter("path")]
        found = [
            re.search(r"stroke-dasharray.*stroke: var\(--(arm-\d)\)", style) for style in styles
        ]
        return {match[1] for match in found if match}

    alike, other = rated([0.1, 0.1, 0.1]), rated([0.3, 0.2, 0.15])
    assert dashed({"a": alike, "b": other, "c": alike}) == {"arm-0", "arm-2"}


def test_rates_are_told_in_words():
    told = {
        "step": rated([0.1, 0.1, 0.01, 0.001]),
        "cycle": rated([0.1, 0.2, 0.15, 0.1, 0.05]),
        "falls": replace(rated([0.5, 0.4, 0.3, 0.2, 0.1]), phase_ends=((2,),)),
    }
    assert learning_rates(tuple(told), told, **WORDS).alt == (
        "Learning rate by epoch. step: 0.1, from epoch 3 on 0.01, from epoch 4 on 0.001; "
        "cycle: 0.1 in epoch 1, 0.2 in epoch 2, 0.05 in the last; "
        "falls: 0.5 in epoch 1, 0.1 in the last, phases begin in epochs 1 and 3."
    )


def test_an_arm_without_rates_is_refused():
    for unknown in (None, np.full((1, 2), np.nan)):
        logged = Curves(*[np.zeros((1, 2))] * 3, learning_rate=unknown)
        with pytest.raises(ValueError, match="figure learning-rates: 'a' has no learning rates"):
            learning_rates(("a",), {"a": logged}, **WORDS)


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
        (
            lambda: confusion_matrix(np.eye(3, dtype=int), NAMES[:2], **WORDS),
            r"\(3, 3\), not \(2, 2\)",
        ),
        (lambda: confusion_matrix(-np.eye(3, dtype=int), NAMES, **WORDS), "not all from 0"),
        (lambda: confusion_matrix(np.zeros((0, 0), int), (), **WORDS), "there are no counts"),
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
    with pytest.raises(ValueError, match=rf"figure [a-z-]+: .*{fault}") as caught:
        draw()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("n_epochs", "first_shown"), [(3, 1), (7, 1), (16, 3)])
def test_the_first_eighth_of_epochs_may_leave_the_picture(n_epochs: int, first_shown: int):
    from matplotlib.figure import Figure

    from mnistlab.reporting.figures.lines import focus

    losses = np.linspace(3, 1, n_epochs)[None]
    axes = Figure().add_subplot()
    axes.plot(range(1, n_epochs + 1), losses[0])
    focus(axes, [losses])
    low, high = axes.get_ylim()
    seen = [epoch + 1 for epoch, loss in enumerate(losses[0]) if low <= loss <= high]
    assert seen == list(range(first_shown, n_epochs + 1))
