"""Figures of a search over settings: what they show and say, extremes, and what they refuse."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quick_figures import without_png
from test_reporting_figures_classical import markup, outside, sizes_of, text_place, texts

from mnistlab.reporting.figures.search import (
    _jittered,
    importance_bars,
    parallel_coordinates,
    search_history,
    slices,
)
from mnistlab.reporting.figures.settings import Axis, scale_of
from mnistlab.reporting.figures.trials import trials_of
from mnistlab.reporting.page import Figure

pytestmark = [pytest.mark.drawn, pytest.mark.slow]

WORDS = {"caption": "A caption.", "command": "mnistlab tune mlp"}
NAN = float("nan")
SCORES = np.array([0.90, 0.93, 0.985, 0.99, NAN, 0.95, 0.96, 0.10])
COMPLETE = np.array([True, True, True, False, True, False, True, True])
LAYERS = Axis("hidden layers", np.array([1.0, 2, 3, 1, 2, 3, 1, 1]))
WIDTH = Axis("width of layer 2", np.array([NAN, 64, 512, NAN, 100, 300, NAN, NAN]), True)
RATE = Axis("learning_rate", np.array([1e-4, 1e-3, 0.02, 0.1, 1, 0.5, 0.03, 0.9]), True)
CHOICE = Axis(
    "augmentation",
    np.array([0.0, 1, 2, 0, 1, 2, 0, 1]),
    labels=("plain", "random crops and flips", "RandAugment and cutout"),
)
AXES = (LAYERS, WIDTH, RATE, CHOICE)


def draw_all(
    axes: tuple[Axis, ...] = AXES, scores: np.ndarray = SCORES, complete: np.ndarray = COMPLETE
) -> list[Figure]:
    shares = np.full(len(axes), 1 / len(axes))
    return [
        search_history(scores, complete, **WORDS),
        importance_bars([axis.name for axis in axes], shares, **WORDS),
        parallel_coordinates(axes, scores, complete, **WORDS),
        slices(axes, scores, complete, **WORDS),
    ]


def made_up(n_trials: int, n_axes: int) -> tuple[tuple[Axis, ...], np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    axes = tuple(
        Axis(f"the {place}th setting, of a long name", 10 ** rng.uniform(-6, 0, n_trials), True)
        for place in range(n_axes)
    )
    return axes, rng.random(n_trials), rng.random(n_trials) < 0.6


def one_trial(axis: Axis) -> Axis:
    return Axis(axis.name, axis.values[1:2], axis.logarithmic, axis.labels)


def test_the_words_say_how_many_trials_and_which_is_the_best() -> None:
    history, _, parallel, sliced = draw_all()
    counts = "8 trials: 5 complete, 2 pruned, 1 diverged"
    best = "Best, trial 3: 98.50%"  # trial 4 was better, but pruned
    assert history.alt == f"{counts}. {best}. Below 85%, at the lower edge: 1."
    assert parallel.alt == (
        f"{counts}; 4 settings. {best}, at hidden layers 3; width of layer 2 512; "
        "learning_rate 0.02; augmentation RandAugment and cutout."
    )
    assert sliced.alt.startswith(f"Validation accuracy by setting. {counts}. {best}. ")
    for part in (
        "hidden layers from 1 to 3, best at 3; width of layer 2 from 64 to 512, best at 512; ",
        "learning_rate from 0.0001 to 1, best at 0.02; augmentation: plain, random crops and",
    ):
        assert part in sliced.alt
    for figure in (history, parallel, sliced):
        assert (figure.caption, figure.command) == (WORDS["caption"], WORDS["command"])


def test_history_names_the_best_and_the_kinds_there_are() -> None:
    for svg in markup(search_history(SCORES, COMPLETE, **WORDS)):
        shown = set(texts(svg))
        assert {"trial 3: 98.50 %", "complete", "pruned", "below 85 %", "diverged"} <= shown
        assert "best so far" in shown
    finished = search_history(np.array([0.9, 0.91]), np.array([True, True]), **WORDS)
    for svg in markup(finished):
        assert not {"pruned", "diverged"} & set(texts(svg))
        assert not [text for text in texts(svg) if text.startswith("below")]
    assert "Below" not in finished.alt


def test_the_line_of_the_best_so_far_only_rises() -> None:
    scores = np.array([0.94, 0.96, 0.93, 0.95, NAN, 0.99, 0.97, 0.91])
    complete = np.array([True, True, True, True, True, False, True, True])
    for svg in markup(search_history(scores, complete, **WORDS)):
        (steps,) = (
            [float(y) for y in re.findall(r"[ML] [\d.]+ ([\d.]+)", element.attrib["d"])]
            for element in svg.iter("path")
            if "stroke: var(--ink); stroke-width: 1.6" in element.attrib.get("style", "")
        )
        assert len({round(y, 2) for y in steps}) == 3  # 94, 96 and 97 %; the best was pruned
        assert all(before >= after for before, after in pairwise(steps))


@pytest.mark.parametrize("best", [0, 1, 38, 39])
def test_the_best_trial_is_named_wherever_it_is(best: int) -> None:
    scores = np.where(np.arange(40) == best, 0.95, 0.94)
    for svg in markup(search_history(scores, np.ones(40, bool), **WORDS)):
        assert f"trial {best + 1}: 95.00 %" in texts(svg)
        assert outside(svg) == []


def test_without_a_complete_trial_none_is_the_best() -> None:
    for figure in draw_all(complete=np.zeros(8, bool))[::2]:
        assert "7 pruned, 1 diverged" in figure.alt
        assert "None ran to its end." in figure.alt
        assert not [text for text in texts(markup(figure)[0]) if "best" in text]


def test_a_diverged_trial_is_never_the_best() -> None:
    trials = trials_of(np.array([NAN, 0.5, 0.6, NAN]), np.array([True, True, False, True]))
    assert trials.best == 1
    assert trials.complete.tolist() == [False, True, False, False]
    assert trials.diverged.tolist() == [True, False, False, True]


def test_terrible_trials_do_not_flatten_the_scale() -> None:
    good = np.linspace(0.97, 0.99, 30)
    trials = trials_of(np.append(good, [0.1] * 10), np.ones(40, bool))
    assert trials.low >= 95
    assert trials.below.sum() == 10
    assert trials_of(good, np.ones(30, bool)).shown.all()


def test_a_best_trial_below_better_pruned_ones_is_on_the_scale() -> None:
    scores = np.append(np.linspace(0.97, 0.99, 30), 0.3)
    trials = trials_of(scores, np.arange(31) == 30)
    assert trials.shown[30]


@given(
    st.lists(st.integers(0, 10_000), min_size=1, max_size=12), st.lists(st.booleans(), min_size=12)
)
def test_the_scale_holds_the_better_trials_from_its_first_tick_on(
    hundredths: list[int], flags: list[bool]
) -> None:
    scores = np.array(hundredths) / 10_000
    trials = trials_of(scores, np.array(flags[: len(scores)]))
    assert trials.shown.sum() >= 0.75 * len(scores)
    assert trials.high >= trials.percent.max()
    assert len(trials.ticks) >= 2
    assert 0 <= trials.low == trials.ticks[0] < trials.ticks[-1] <= 100
    assert (trials.shown ^ trials.below).all()


def test_bars_are_sorted_and_say_their_share() -> None:
    names = ("first", "second", "third", "fourth")
    figure = importance_bars(names, np.array([0.179, 0.62, 0.001, 0.2]), **WORDS)
    assert figure.alt == (
        "Importance of 4 settings: second 62 %; fourth 20 %; first 18 %; third < 1 %."
    )
    for svg in markup(figure):
        assert texts(svg) == [
            *("second", "62 %", "fourth", "20 %", "first", "18 %", "third", "< 1 %")
        ]
        heights = [text_place(element)[1] for element in svg.iter("text")]
        assert all(above < below + 0.01 for above, below in pairwise(heights))
        assert bar_lengths(svg) == pytest.approx([1, 0.2 / 0.62, 0.179 / 0.62, 0.001 / 0.62], 1e-3)


@pytest.mark.parametrize("shares", [[1.0], [0.4, 0.3, 0.2, 0.1]])
def test_the_longest_bar_takes_the_room_there_is(shares: list[float]) -> None:
    for svg in markup(importance_bars("abcd"[: len(shares)], np.array(shares), **WORDS)):
        numbers = [e for e in svg.iter("text") if "%" in (e.text or "")]
        widest = max(len(e.text or "") for e in numbers) * 0.6 * 12
        assert max(bar_ends(svg)) == pytest.approx(text_place(numbers[0])[0] - widest, abs=14)


def bar_lengths(svg: ElementTree.Element) -> list[float]:
    """Of the bars, in the order they are drawn and by the longest."""
    ends = bar_ends(svg)
    start = min(ends)
    lengths = [end - start for end in ends if end > start]
    return [length / max(lengths) for length in lengths]


def bar_ends(svg: ElementTree.Element) -> list[float]:
    """Left and right ends of the filled shapes."""
    paths = [
        element.attrib["d"]
        for element in svg.iter("path")
        if "fill: var(--accent)" in element.attrib.get("style", "")
    ]
    places = [[float(x) for x in re.findall(r"[ML] ([\d.]+)", path)] for path in paths]
    return [end for xs in places for end in (min(xs), max(xs))]


def test_settings_of_equal_importance_keep_their_order() -> None:
    figure = importance_bars("abc", np.array([0.0, 0.5, 0.5]), **WORDS)
    assert figure.alt.endswith(": b 50 %; c 50 %; a 0 %.")


@pytest.mark.parametrize(
    ("share", "words"), [(1.0, "a 100 %; b 0 %."), (0.996, "a > 99 %; b < 1 %.")]
)
def test_next_to_nothing_is_not_nothing(share: float, words: str) -> None:
    assert importance_bars("ab", np.array([share, 1 - share]), **WORDS).alt.endswith(words)


def test_every_axis_has_its_name_and_ticks() -> None:
    for figure in draw_all()[2:]:
        for svg in markup(figure):
            words = " ".join(texts(svg))
            for expected in ("hidden layers", "learning_rate", "augmentation", "0.01", "none"):
                assert expected in words, figure.name
            assert {"plain", "100", "1", "2", "3"} <= set(texts(svg))


def test_accuracy_is_the_last_axis_and_tells_where_it_ends() -> None:
    wide, narrow = markup(parallel_coordinates(AXES, SCORES, COMPLETE, **WORDS))
    for svg in (wide, narrow):
        assert "< 85" in texts(svg)
        ticks = {text for text in texts(svg) if re.fullmatch(r"(< )?[89]\d(\.5)?", text)}
        lowest = sorted(svg.iter("text"), key=lambda element: text_place(element)[1])[-len(ticks) :]
        assert {element.text for element in lowest} == ticks
        assert len(ticks) > 3
        assert "Validation accuracy, %" in texts(svg)


def test_places_run_with_the_values_and_missing_ones_stand_apart() -> None:
    for axis in AXES:
        places = scale_of(axis).places
        known = np.isfinite(axis.values)
        order = np.argsort(axis.values[known], kind="stable")
        assert (np.diff(places[known][order]) >= 0).all()
        assert (places[~known] < places[known].min(initial=1) - 0.1).all()
        assert (places >= 0).all()
        assert (places <= 1).all()
    rates = scale_of(Axis("rate", np.array([1e-4, 1e-2, 1.0]), True)).places
    assert rates[1] == pytest.approx((rates[0] + rates[2]) / 2)


def test_ticks_of_whole_numbers_are_whole() -> None:
    assert [label for _, label in scale_of(LAYERS).ticks] == ["1", "2", "3"]


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=5), st.booleans())
def test_any_values_have_a_tick_inside(values: list[float], logarithmic: bool) -> None:
    scale = scale_of(Axis("any", np.array(values), logarithmic))
    assert scale.ticks
    assert all(0 <= place <= 1 for place, _ in scale.ticks)
    assert np.isfinite(scale.places).all()


def test_marks_that_share_a_value_are_moved_a_little_and_others_not() -> None:
    places = np.array([0.2] * 5 + [0.5] * 4 + [0.7, 0.9, 0.9])
    moved = _jittered(places)
    assert len(np.unique(moved[:9])) == 9
    assert np.abs(moved - places).max() < 0.06
    assert (moved[9:] == places[9:]).all()
    assert (_jittered(places) == moved).all()


@pytest.mark.parametrize("axes", [(CHOICE,), (CHOICE, CHOICE, CHOICE), (RATE, CHOICE), AXES])
def test_panels_fill_a_phone_and_no_more(axes: tuple[Axis, ...]) -> None:
    _, svg = markup(slices(axes, SCORES, COMPLETE, **WORDS))
    right = max(text_place(use)[0] for use in svg.iter("use"))
    assert 260 < right < sizes_of(svg)[0]


def test_on_a_phone_every_setting_has_a_row_of_its_own_and_else_three_share_one() -> None:
    wide, narrow = markup(slices(AXES, SCORES, COMPLETE, **WORDS))

    def places(svg: ElementTree.Element) -> list[tuple[float, float]]:
        headings = {e.text: text_place(e) for e in svg.iter("text")}
        return [headings[axis.name] for axis in AXES]

    assert len({x for x, _ in places(narrow)}) == 1
    assert [y for _, y in places(narrow)] == sorted({y for _, y in places(narrow)})
    (first, second, third, fourth), gap = places(wide), 1112 / 3
    assert first[1] == second[1] == third[1] < fourth[1]
    assert second[0] - first[0] == pytest.approx(gap, abs=0.1)
    assert first[0] == fourth[0]


def test_a_line_a_trial_with_a_score_and_the_best_in_ink() -> None:
    figure = parallel_coordinates((RATE, LAYERS), SCORES, COMPLETE, **WORDS)
    for svg in markup(figure):
        lines = [e for e in svg.iter("path") if e.attrib.get("d", "").count("L") == 2]
        styles = [element.attrib["style"] for element in lines]
        assert [sum(f"--{token}" in s for s in styles) for token in ("muted", "accent", "ink")] == [
            *(2, 5, 1)
        ]
        opacities = [
            float(re.search(r"opacity: ([\d.]+)", style)[1])
            for style in styles
            if "--accent" in style
        ]
        assert all(weaker < stronger for weaker, stronger in pairwise(opacities))


def test_marks_are_inside_their_panels() -> None:
    for svg in markup(slices(AXES, SCORES, COMPLETE, **WORDS)):
        width, height = sizes_of(svg)
        for use in svg.iter("use"):
            x, y = text_place(use)
            assert 0 <= x <= width
            assert 0 <= y <= height


EXTREMES: dict[str, Callable[[], list[Figure]]] = {
    "as ever": draw_all,
    "one trial": lambda: draw_all(
        tuple(map(one_trial, (LAYERS, WIDTH, RATE, CHOICE))), np.array([0.9]), np.array([True])
    ),
    "one pruned trial": lambda: draw_all((one_trial(RATE),), np.array([0.0]), np.array([False])),
    "one axis": lambda: draw_all((RATE,)),
    "one choice": lambda: draw_all((Axis("only", np.zeros(8), labels=("no other",)),)),
    "all diverged but one": lambda: draw_all(
        scores=np.where(np.arange(8) == 2, 1.0, NAN), complete=np.ones(8, bool)
    ),
    "all pruned but one": lambda: draw_all(complete=np.arange(8) == 0),
    "eight axes": lambda: draw_all(*made_up(50, 8)),
    "fourteen axes": lambda: draw_all(*made_up(20, 14)),
    "many choices": lambda: draw_all(
        (Axis("many", np.arange(8.0), labels=tuple(f"choice number {n}" for n in range(30))),)
    ),
    "long choices": lambda: draw_all(
        tuple(
            Axis(f"{n} of them", np.arange(8.0) % n, labels=(f"a long name, {'x' * 40}",) * n)
            for n in (1, 2, 4, 5)
        )
    ),
    "blank names": lambda: draw_all((Axis(" ", CHOICE.values, labels=(" " * 40, "\n", "<b>")),)),
}


@pytest.mark.parametrize("case", EXTREMES)
@without_png()
def test_both_drawings_hold_all_their_text(case: str) -> None:
    for figure in EXTREMES[case]():
        for svg in markup(figure):
            assert outside(svg) == [], figure.name
            assert not overlapping(svg), figure.name
        wide, narrow = (sizes_of(svg)[0] for svg in markup(figure))
        assert narrow <= 352 < wide


def overlapping(svg: ElementTree.Element) -> list[tuple[str, str]]:
    """Texts that touch, each taken to be half its size wide a character."""
    boxes = []
    for element in svg.iter("text"):
        style, text = element.attrib["style"], (element.text or "").strip()
        size = float(re.search(r"font-size: ([\d.]+)px", style)[1])
        anchor = re.search(r"text-anchor: (\w+)", style)
        x, y = text_place(element)
        needed = 0.5 * size * len(text)
        x -= {"middle": needed / 2, "end": needed}.get(anchor[1] if anchor else "start", 0)
        boxes.append((x, x + needed, y, text))
    return [
        (one[3], other[3])
        for place, one in enumerate(boxes)
        for other in boxes[:place]
        if one[3]
        and other[3]
        and max(one[0], other[0]) < min(one[1], other[1])
        and abs(one[2] - other[2]) < 10
    ]


def test_the_check_for_overlaps_would_see_one() -> None:
    svg = """<svg><text x="10" y="10" style="font-size: 10px">one</text>
    <text x="30" y="12" style="font-size: 10px; text-anchor: end">two</text>
    <text x="10" y="30" style="font-size: 10px">apart</text></svg>"""
    assert overlapping(ElementTree.fromstring(svg)) == [("two", "one")]


def test_the_same_bytes_again() -> None:
    assert draw_all() == draw_all()


@settings(max_examples=5, deadline=None)
@given(st.lists(st.one_of(st.floats(0, 1), st.just(NAN)), min_size=1, max_size=5))
def test_any_scores_can_be_drawn(values: list[float]) -> None:
    scores = np.array([*values, 0.5])
    figure = search_history(scores, np.ones(len(scores), bool), **WORDS)
    assert f"{np.nanmax(100 * scores):.2f} %" in " ".join(texts(markup(figure)[0]))


@pytest.mark.parametrize("draw", [search_history, parallel_coordinates, slices])
@pytest.mark.parametrize(
    ("scores", "complete", "fault"),
    [
        (np.array([]), np.array([], bool), r"scores \(0,\)"),
        (SCORES[:7], COMPLETE, r"scores \(7,\), complete \(8,\)"),
        (SCORES[None], COMPLETE[None], r"scores \(1, 8\)"),
        (np.full(8, NAN), COMPLETE, "there are no known scores"),
        (100 * SCORES, COMPLETE, "not all from 0 to 1"),
        (-SCORES, COMPLETE, "not all from 0 to 1"),
        (np.where(COMPLETE, SCORES, np.inf), COMPLETE, "not finite"),
    ],
)
def test_trials_that_cannot_be_drawn_are_refused(draw, scores, complete, fault) -> None:
    before = () if draw is search_history else (AXES,)
    with pytest.raises(ValueError, match=f"figure here: .*{fault}") as caught:
        draw(*before, scores, complete, name="here", **WORDS)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("draw", [parallel_coordinates, slices])
@pytest.mark.parametrize(
    ("axes", "fault"),
    [
        ((), "there are no settings"),
        ((RATE, Axis("a", np.zeros(7))), r"'a' has \(7,\) values for 8 trials"),
        ((Axis("a", np.zeros((8, 1))),), r"'a' has \(8, 1\) values"),
        ((Axis("a", np.full(8, NAN)),), "there are no values of 'a'"),
        ((Axis("a", np.full(8, np.inf)),), "values of 'a' hold a number that is not finite"),
        ((Axis("a", np.zeros(8), True),), "'a' needs positive values"),
        ((Axis("a", -RATE.values, True),), "'a' needs positive values"),
        ((Axis("a", np.ones(8), True, ("x", "y")),), "'a' needs positive values"),
        ((Axis("a", np.full(8, 2.0), labels=("x", "y")),), "'a' has a value without a label"),
        ((Axis("a", np.full(8, 0.5), labels=("x", "y")),), "'a' has a value without a label"),
    ],
)
def test_axes_that_cannot_be_drawn_are_refused(draw, axes, fault) -> None:
    with pytest.raises(ValueError, match=f"figure here: {fault}"):
        draw(axes, SCORES, COMPLETE, name="here", **WORDS)


@pytest.mark.parametrize(
    ("names", "importance", "fault"),
    [
        ((), np.array([]), "there are no importances"),
        (("a",), np.array([0.5, 0.5]), r"importances \(2,\), not \(1,\)"),
        (("a",), np.array([[1.0]]), r"importances \(1, 1\), not \(1,\)"),
        (("a", "b"), np.array([1, NAN]), "not finite"),
        (("a", "b"), np.array([1, np.inf]), "not finite"),
        (("a", "b"), np.array([1.5, -0.5]), "not all from 0"),
        (("a", "b"), np.array([0.5, 0.4]), "sums to 0.9, not to 1"),
    ],
)
def test_importance_that_is_none_is_refused(names, importance, fault) -> None:
    with pytest.raises(ValueError, match=f"figure importance: .*{fault}"):
        importance_bars(names, importance, **WORDS)
