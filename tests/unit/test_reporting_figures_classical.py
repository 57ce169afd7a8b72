"""Figures of grids, of growth and settings, and of embeddings: refusals, words, markup."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from test_reporting_palette import SCHEMES, SIGHTS, contrast, lab, rgb

from mnistlab.reporting.figures.canvas import short_number
from mnistlab.reporting.figures.curves import learning_curves
from mnistlab.reporting.figures.growth import growth_curves, setting_curve
from mnistlab.reporting.figures.lines import Curves
from mnistlab.reporting.figures.marks import mark_of
from mnistlab.reporting.figures.matrix import score_grid
from mnistlab.reporting.figures.scatter import embedding_map, variance_curve
from mnistlab.reporting.page import Figure
from mnistlab.reporting.palette import ARMS, STEPS, TOKENS, light

pytestmark = [pytest.mark.drawn, pytest.mark.slow]

WORDS = {"caption": "A caption.", "command": "mnistlab study x"}
GRID = {"row_title": "C", "column_title": "gamma", "best": (1, 0)} | WORDS
COST = {"y_title": "Training time", "unit": "s"} | WORDS
SETTING = {"x_title": "Batch size", "y_title": "Accuracy", "unit": "%"} | WORDS
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
SIZES = [1000, 2000, 5000, 10_000, 20_000, 49_000]


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def scores(n_rows: int = 2, n_columns: int = 3) -> np.ndarray:
    return rng().random((n_rows, n_columns))


def seconds(factor: float = 1.0, sizes: list[int] = SIZES) -> list[np.ndarray]:
    return [factor * 1e-4 * n * np.array([0.9, 1.1]) for n in sizes]


def draw_all(names: tuple[str, ...] = ("zero", "one", "two")) -> list[Figure]:
    """One of each kind, with names of classes, arms or values that may be anything."""
    first, second, third = names
    points = rng().normal(0, 1, (90, 2)) + np.repeat([[0, 0], [9, 0], [0, 5]], 30, axis=0)
    return [
        score_grid((first, 2), (second, 0.5, third), scores(), scores() / 50, **GRID),
        growth_curves(
            (first, second),
            {first: SIZES, second: SIZES[:3]},
            {first: seconds(), second: seconds(5, SIZES[:3])},
            {first: (1.0, 0.02), second: (1.9, 0.3)},
            **COST,
        ),
        growth_curves((first,), {first: SIZES}, {first: seconds()}, {}, name="plain", **COST),
        setting_curve(
            (0, 32, 512), [np.array([90.0, 91]), np.array([92.0]), np.array([70.0])], **SETTING
        ),
        variance_curve(np.array([0.5, 0.2, 0.15, 0.1]), **WORDS),
        embedding_map(points, np.repeat([0, 1, 2], 30), names, **WORDS),
    ]


@pytest.fixture(scope="module")
def figures() -> list[Figure]:
    return draw_all()


def markup(figure: Figure) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(figure.svg), ElementTree.fromstring(figure.narrow_svg)]


def texts(svg: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in svg.iter("text")]


def sizes_of(svg: ElementTree.Element) -> tuple[float, float]:
    _, _, width, height = map(float, svg.attrib["viewBox"].split())
    return width, height


def outside(svg: ElementTree.Element) -> list[str]:
    """Texts that leave their canvas, each taken to be 0.55 of its size wide a character."""
    width, height = sizes_of(svg)
    found = []
    for element in svg.iter("text"):
        style, text = element.attrib["style"], element.text or ""
        size = float(re.search(r"font-size: ([\d.]+)px", style)[1])
        anchor = re.search(r"text-anchor: (\w+)", style)
        x, y = text_place(element)
        needed = 0.55 * size * len(text)
        before = {"middle": needed / 2, "end": needed}.get(anchor[1] if anchor else "start", 0)
        if x - before < -3 or x - before + needed > width + 3 or not -3 < y < height + 3:
            found.append(text)
    return found


def text_place(element: ElementTree.Element) -> tuple[float, float]:
    return float(element.attrib["x"]), float(element.attrib["y"])


def pixels(figure: Figure) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(figure.png)).convert("RGB")).astype(int)


def n_near(picture: np.ndarray, colour: str, distance: int = 60) -> int:
    """Pixels that are about of a colour, as given by "#rrggbb"."""
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return int((np.abs(picture - wanted).sum(axis=2) < distance).sum())


def test_markup_is_clean_and_follows_the_scheme(figures):
    for figure in figures:
        assert figure.caption.startswith("A caption.")
        for text, svg in zip((figure.svg, figure.narrow_svg), markup(figure), strict=True):
            tags = {element.tag for element in svg.iter()}
            assert tags <= {"svg", "g", "defs", "path", "use", "clipPath", "rect", "image", "text"}
            assert re.findall(r"#[0-9a-fA-F]{6}\b", text) == []
            assert "font-family" not in text


def test_all_text_is_text_inside_its_canvas(figures):
    for figure in figures:
        for svg in markup(figure):
            assert texts(svg)
            assert outside(svg) == [], figure.name


def test_the_check_for_text_outside_would_see_it():
    svg = """<svg viewBox="0 0 100 50"><text x="80" y="10" style="font-size: 10px">too long</text>
    <text x="80" y="10" style="font-size: 10px; text-anchor: end">fine here</text></svg>"""
    assert outside(ElementTree.fromstring(svg)) == ["too long"]


def test_narrow_drawings_fit_a_phone(figures):
    for figure in figures:
        wide, narrow = (sizes_of(svg)[0] for svg in markup(figure))
        assert narrow <= 352 < wide


def test_drawing_again_gives_the_same_bytes(figures):
    assert draw_all() == figures


def test_hostile_names_stay_text(figures):
    hostile = draw_all((HOSTILE, "$\\frac{1}{0}$", "%s {x} \x00\n"))
    for figure, plain in zip(hostile, figures, strict=True):
        for svg, harmless in zip(markup(figure), markup(plain), strict=True):
            assert {e.tag for e in svg.iter()} == {e.tag for e in harmless.iter()}
            assert outside(svg) == [], figure.name
    assert any("<script>" in text for text in texts(markup(hostile[-1])[0]))
    assert any("$\\frac" in text for text in texts(markup(hostile[0])[0]))


@settings(max_examples=15, deadline=None)
@given(st.text(min_size=1, max_size=60))
def test_any_class_name_can_be_drawn(name):
    figure = embedding_map(np.eye(2), np.array([0, 1]), (name, "b"), **WORDS)
    assert [len(texts(svg)) for svg in markup(figure)] == [2, 2]


def test_steps_are_taken_in_order_from_first_to_last():
    five = [mark_of("abcde", arm, ordered=True) for arm in "abcde"]
    places = [[light for light, _ in STEPS].index(mark.colour) for mark in five]
    assert places == sorted(places)
    assert (places[0], places[-1], len(set(places))) == (0, len(STEPS) - 1, 5)
    assert len({mark.shape for mark in five}) == 5
    assert mark_of("a", "a", ordered=True).colour == STEPS[0][0]
    assert mark_of("abc", "b").colour == ARMS[1][0]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_steps_go_one_way_stand_out_from_the_page_and_from_each_other(scheme):
    place = SCHEMES[scheme]
    colours = [rgb(step[place]) for step in STEPS]
    lightness = [lab(colour, SIGHTS["normal"])[0] for colour in colours]
    assert lightness == sorted(lightness, reverse=scheme == "light")
    for ground in ("desk", "paper"):
        assert min(contrast(c, rgb(TOKENS[ground][place])) for c in colours) >= 3
    for sight in SIGHTS.values():
        seen = [lab(colour, sight) for colour in colours[::2]]  # those of a series of five
        assert min(float(np.linalg.norm(a - b)) for a, b in pairwise(seen)) > 14


@pytest.mark.parametrize(
    ("value", "text"),
    [(999, "999"), (1000, "1 K"), (4887, "4.89 K"), (48_999, "49 K"), (2e6, "2 M"), (0.5, "0.5")],
)
def test_short_numbers(value, text):
    assert short_number(value) == text


# The grid


def test_a_grid_says_every_score_and_its_best():
    values = np.array([[0.9, 0.8123, 0.7], [0.95, 0.6, 0.5]])
    figure = score_grid((1, 10), ("scale", "auto", 0.01), values, values / 100, **GRID)
    for svg in markup(figure):
        said = texts(svg)
        wanted = {"1", "10", "scale", "auto", "0.01", "gamma →", "C ↓", "81.23 %", "± 0.81"}
        assert wanted <= set(said)
        bold = [e.text for e in svg.iter("text") if "font-weight: 700" in e.attrib["style"]]
        assert bold == ["95.00 %"]
    assert "best 95.00% at C 10, gamma scale; worst 50.00%" in figure.alt
    without = score_grid((1, 10), ("scale", "auto", 0.01), values, **GRID)
    assert not [text for text in texts(markup(without)[0]) if "±" in text]


def test_a_darker_cell_is_a_better_score():
    values = np.array([[0.5, 0.6, 0.7], [0.9, 0.8, 0.75]])
    svg = markup(score_grid("ab", "xyz", values, **GRID))[0]
    strengths = [
        float(re.search(r"opacity: ([\d.]+)", element.attrib["style"])[1])
        for element in svg.iter("rect")
        if "opacity" in element.get("style", "") and "accent" in element.get("style", "")
    ]
    assert np.argsort(strengths).tolist() == np.argsort(values.ravel()).tolist()
    assert max(strengths) <= 0.32  # the strongest on which the palette's tests found ink readable


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (9, 1), (3, 12)])
def test_grids_of_any_shape(shape):
    words = GRID | {"best": (0, 0)}
    names = [f"a rather long value {n}" for n in range(12)]
    figure = score_grid(names[: shape[0]], names[: shape[1]], np.full(shape, 0.5), **words)
    for svg in markup(figure):
        assert outside(svg) == []
        assert texts(svg).count("50.00 %") == shape[0] * shape[1]
    wide, narrow = (sizes_of(svg)[0] for svg in markup(figure))
    assert (narrow > 600) == (shape[1] == 12)  # many columns scroll rather than shrink
    assert wide >= narrow or not figure.half


def test_equal_scores_have_no_shades_to_tell():
    figure = score_grid("ab", "xyz", np.full((2, 3), 0.5), **GRID)
    assert "worst 50.00%" in figure.alt


# Growth and settings


def test_growth_names_its_exponents_and_ends():
    figure = draw_all(("mlp", "svm", "x"))[1]
    for svg in markup(figure):
        said = set(texts(svg))
        assert {"mlp, exponent 1.00 ± 0.02", "svm, exponent 1.90 ± 0.30"} <= said
        assert {"Training time, s", "1 K", "49 K", "0.1", "1"} <= said
    assert "mlp, exponent 1.00 ± 0.02: 0.1 s at 1,000 and 4.9 s at 49,000" in figure.alt
    assert "svm, exponent 1.90 ± 0.30: 0.5 s at 1,000 and 2.5 s at 5,000" in figure.alt


def test_growth_without_laws_joins_the_means():
    plain = growth_curves(("a",), {"a": SIZES}, {"a": seconds()}, {}, **COST)
    lawful = growth_curves(("a",), {"a": SIZES}, {"a": seconds()}, {"a": (1, 0)}, **COST)
    assert "exponent" not in plain.alt
    assert "stroke-dasharray" not in plain.svg
    assert "stroke-dasharray" in lawful.svg


@pytest.mark.parametrize(("exponent", "text"), [(-0.001, "0.00"), (-0.5, "−0.50"), (1e-9, "0.00")])
def test_an_exponent_that_rounds_to_nothing_has_no_sign(exponent, text):
    figure = growth_curves(
        ("a",), {"a": SIZES}, {"a": [np.ones(1)] * 6}, {"a": (exponent, 0.04)}, **COST
    )
    assert f"a, exponent {text} ± 0.04" in texts(markup(figure)[0])


def test_sizes_that_are_no_whole_numbers_have_round_ticks():
    times = [1.58782, 8.23512, 77.3404, 372.25, 1581.1]
    figure = growth_curves(
        ("a",), {"a": times}, {"a": [np.ones(1)] * 5}, {}, **COST, x_title="Seconds"
    )
    for svg in markup(figure):
        said = texts(svg)
        assert {"10", "100", "1 K"} <= set(said)
        assert not [text for text in said if "." in text and text.startswith(("1.58", "8.2", "77"))]


def test_a_law_stays_inside_its_axes():
    """However far it passes from the points: its line is drawn whole."""
    values = [np.array([n]) for n in (0.5, 1.0, 0.01, 4.0)]
    figure = growth_curves(
        ("a",), {"a": [1, 10, 100, 1000]}, {"a": values}, {"a": (1.5, 9)}, **COST
    )
    for svg in markup(figure):
        (line,) = (p.attrib["d"] for p in svg.iter("path") if "dasharray" in p.attrib["style"])
        heights = [float(y) for y in re.findall(r"[ML] [-\d.]+ ([-\d.]+)", line)]
        height = sizes_of(svg)[1]
        assert len(heights) == 4
        assert 40 < min(heights) < max(heights) < height - 48


def test_arms_keep_their_marks_in_growth():
    figure = growth_curves(("a", "b", "c"), {"c": SIZES}, {"c": seconds()}, {}, **COST)
    assert "var(--arm-2)" in figure.svg
    assert "var(--arm-0)" not in figure.svg


@pytest.mark.parametrize(
    "sizes", [[5], [1000, 1001, 1002], [1, 10**9], [4700, 4800, 4900], list(range(1, 30))]
)
@pytest.mark.parametrize("law", [True, False])
def test_sizes_and_costs_of_any_magnitude(sizes, law):
    for factor in (1e-7, 1.0, 1e7):
        figure = growth_curves(
            ("a",),
            {"a": sizes},
            {"a": [factor * np.array([n, 2.0 * n]) for n in sizes]},
            {"a": (1.0, 0.1)} if law else {},
            **COST,
        )
        for svg in markup(figure):
            assert outside(svg) == []
            ticks = [
                text_place(e)[0]
                for e in svg.iter("text")
                if "middle" in e.attrib["style"]  # the other axis's stand right-aligned
            ]
            assert len(ticks) >= 1
            assert min(np.diff(sorted(ticks)), default=99) > 12 or factor != 1.0


def test_a_log_axis_has_ticks_to_read_whatever_its_range():
    for spread in (1.02, 1.5, 3, 30, 1e4, 1e12):
        values = [np.array([0.7]), np.array([0.7 * spread**0.5]), np.array([0.7 * spread])]
        figure = growth_curves(("a",), {"a": [1, 2, 4]}, {"a": values}, {"a": (1, 0)}, **COST)
        left = [e.text for e in markup(figure)[0].iter("text") if text_place(e)[0] < 48]
        ticks = [text for text in left if re.fullmatch(r"[\d.e+-]+", text or "")]
        assert 2 <= len(ticks) <= 10, (spread, ticks)


def test_a_setting_is_evenly_spaced_in_the_colours_of_steps():
    values = [np.array([90.0, 91.0]), np.array([92.0, 92.0]), np.array([70.0, 71.0])]
    figure = setting_curve((0.0, 0.001, 512), values, **SETTING)
    for svg in markup(figure):
        ticks = [text_place(e)[0] for e in svg.iter("text") if e.text in {"0", "0.001", "512"}]
        assert np.diff(ticks)[0] == pytest.approx(np.diff(ticks)[1], abs=0.1)
        assert {"Accuracy, %", "Batch size"} <= set(texts(svg))
    assert "var(--step-0)" in figure.svg
    assert f"var(--step-{len(STEPS) - 1})" in figure.svg
    assert "var(--arm-" not in figure.svg
    assert figure.alt == "Accuracy by Batch size: 90.5 % at 0; 92 % at 0.001; 70.5 % at 512."


def test_a_cost_may_start_at_zero():
    values = [np.array([3.0]), np.array([4.0])]
    focused, whole = (setting_curve((1, 2), values, from_zero=z, **SETTING) for z in (False, True))
    assert "0" not in texts(markup(focused)[0])
    assert "0" in texts(markup(whole)[0])


def test_one_setting_alone_and_equal_values():
    figure = setting_curve((1,), [np.array([50.0])], **SETTING)
    assert outside(markup(figure)[1]) == []
    assert setting_curve((1, 2), [np.zeros(2), np.zeros(1)], from_zero=True, **SETTING).alt


def test_learning_curves_in_the_colours_of_steps():
    logged = Curves(*(rng().random((2, 5)) for _ in range(3)))
    arms = dict.fromkeys(("a", "b", "c"), logged)
    figure = learning_curves(("a", "b", "c"), arms, ordered=True, **WORDS)
    assert "var(--step-0)" in figure.svg
    assert "var(--arm-" not in figure.svg


def test_many_long_curves_leave_out_their_changes():
    def headings(n_arms: int, n_epochs: int) -> int:
        logged = Curves(*(rng().random((1, n_epochs)) for _ in range(3)))
        arms = [f"arm {n}" for n in range(n_arms)]
        figure = learning_curves(arms, dict.fromkeys(arms, logged), **WORDS)
        assert all(outside(svg) == [] for svg in markup(figure))
        return sum("Change from" in text for text in texts(markup(figure)[0]))

    assert [headings(3, 50), headings(4, 20), headings(4, 21)] == [1, 1, 0]


# Embeddings


def test_variance_points_out_where_shares_are_reached():
    figure = variance_curve(np.array([0.45, 0.2, 0.18, 0.1]), **WORDS)
    for svg in markup(figure):
        assert {"2 for 50 %", "3 for 80 %", "4 for 90 %"} <= set(texts(svg))
        assert len(re.findall("halo", ElementTree.tostring(svg, encoding="unicode"))) == 3
    assert figure.alt == (
        "Variance explained: 2 components for 50%, 3 components for 80%, 4 components for 90%, "
        "4 for 93.0%."
    )


@pytest.mark.parametrize(
    "shares", [[1.0], [0.3], [0.95, 0.05], [0.0, 0.0], [1 / 50] * 50, [0.001] * 784]
)
def test_variance_of_any_length(shares):
    figure = variance_curve(np.array(shares), **WORDS)
    for svg in markup(figure):
        assert outside(svg) == []
        pointed = [text for text in texts(svg) if " for " in text]
        assert len(pointed) == len({text.split()[0] for text in pointed})


def test_words_on_the_curve_do_not_cover_each_other():
    shares = np.array([0.499, 0.29, 0.05, 0.05, 0.05, *[0.001] * 30])
    for svg in markup(variance_curve(shares, **WORDS)):
        places = [text_place(e) for e in svg.iter("text") if " for " in (e.text or "")]
        heights = sorted(y for _, y in places)
        assert min(np.diff(heights)) > 12


def test_a_map_holds_a_mark_an_image_and_a_name_a_class():
    points = rng().normal(0, 1, (200, 2))
    labels = np.arange(200) % 3
    figure = embedding_map(points, labels, ("cat", "dog", "eel", "fox"), **WORDS)
    for svg in markup(figure):
        assert sorted(texts(svg)) == ["cat", "dog", "eel"]
        strokes = [path.attrib["d"] for path in svg.iter("path") if path.attrib["d"].count("M") > 9]
        assert [stroke.count("M") for stroke in strokes] == [67, 67, 66]
    assert figure.alt.endswith("67 cat, 67 dog, 66 eel.")


def test_of_very_many_classes_no_name_covers_another():
    labels = np.arange(1240) % 62
    points = np.stack([labels % 8, labels // 8], 1) * 10 + rng().normal(size=(1240, 2)) * 3
    names = [f"a long class {k}" for k in range(62)]
    figure = embedding_map(points, labels, names, **WORDS)
    for svg in markup(figure):
        places = [text_place(e) for e in svg.iter("text")]
        assert len(places) >= 20
        for i, (x, y) in enumerate(places):
            assert not any(abs(x - a) < 90 and abs(y - b) < 15 for a, b in places[:i])
    assert "20 a long class 61." in figure.alt


def test_the_picture_shows_the_marks_too():
    """Strokes without length are left out by some renderers."""
    for n in (30, 5000):
        points = rng().normal(0, 1, (n, 2))
        picture = pixels(embedding_map(points, np.zeros(n, int), ("a",), **WORDS))
        paper = np.array([255, 255, 255])
        marked = int((np.abs(picture - paper).sum(axis=2) > 60).sum())
        assert marked > 30 * n if n == 30 else marked > 30_000


def test_a_map_keeps_its_proportions():
    """Twice as far in the data is twice as far on the sheet, in either direction."""
    points = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 1.0], [4.0, 1.0]])
    for svg in markup(embedding_map(points, np.zeros(4, int), ("a",), **WORDS)):
        (path,) = (p.attrib["d"] for p in svg.iter("path") if p.attrib["d"].count("M") == 4)
        starts = np.array([pair.split()[:2] for pair in path.split("M")[1:]], dtype=float)
        spans = np.ptp(starts, axis=0)
        assert spans[0] == pytest.approx(4 * spans[1], rel=0.02)
        width, height = sizes_of(svg)
        assert 0 <= starts[:, 0].min() <= starts[:, 0].max() <= width
        assert 0 <= starts[:, 1].min() <= starts[:, 1].max() <= height


def test_colours_that_come_again_have_another_shape():
    points = rng().normal(0, 1, (40, 2))
    labels = np.arange(40) % 20
    svg = markup(embedding_map(points, labels, [str(n) for n in range(20)], **WORDS))[0]
    looks = []
    for path in svg.iter("path"):
        if path.attrib["d"].count("M") == 2:
            first = np.array(re.findall(r"-?[\d.]+", path.attrib["d"])[:4], dtype=float)
            colour = re.search(r"var\((--arm-\d)\)", path.attrib["style"])[1]
            looks.append((colour, *np.sign(np.round(np.abs(first[2:] - first[:2]), 0))))
    assert len(looks) == len(set(looks)) == 20


def test_names_of_classes_that_lie_together_do_not_cover_each_other():
    points = np.zeros((6, 2)) + rng().normal(0, 0.01, (6, 2))
    points = np.concatenate([points, [[5, 5], [-5, -5]]])
    names = ("Pullover", "Coat", "Shirt", "Dress", "T-shirt/top", "Bag", "Left", "Right")
    for svg in markup(embedding_map(points, np.arange(8), names, **WORDS)):
        heights = sorted(text_place(e)[1] for e in svg.iter("text") if e.text in names[:6])
        assert min(np.diff(heights)) >= 15
        assert outside(svg) == []


@pytest.mark.parametrize(
    "points", [np.zeros((1, 2)), np.zeros((5, 2)), np.array([[0.0, 1], [0, 2], [0, 3]])]
)
def test_a_map_of_one_point_one_place_or_one_line(points):
    figure = embedding_map(points, np.zeros(len(points), int), ("only",), **WORDS)
    for svg in markup(figure):
        assert texts(svg) == ["only"]
        assert outside(svg) == []
        assert "nan" not in ElementTree.tostring(svg, encoding="unicode")


def test_light_names_stand_out_from_the_marks_in_both_kinds_of_picture():
    points = np.zeros((400, 2)) + rng().normal(0, 0.3, (400, 2))
    figure = embedding_map(points, np.zeros(400, int), ("a name",), **WORDS)
    for svg in markup(figure):
        assert [group.get("class") for group in svg.iter("g") if group.get("class")] == ["halo"]
    assert n_near(pixels(figure), light("ink")) > 100


# Refusals

EYE = np.eye(2)


@pytest.mark.parametrize(
    ("draw", "fault"),
    [
        (
            lambda: score_grid("ab", "xyz", np.zeros((3, 2)), **GRID),
            r"scores \(3, 2\), not \(2, 3\)",
        ),
        (lambda: score_grid("", "", np.zeros((0, 0)), **GRID), "there are no scores"),
        (lambda: score_grid("ab", "xy", np.full((2, 2), np.nan), **GRID), "scores hold a number"),
        (lambda: score_grid("ab", "xy", EYE, np.eye(3), **GRID), r"deviations \(3, 3\)"),
        (lambda: score_grid("ab", "xy", EYE, EYE + np.inf, **GRID), "deviations hold a number"),
        (lambda: growth_curves(("a",), {}, {}, {}, **COST), "no arms"),
        (
            lambda: growth_curves(("a",), {"b": SIZES}, {"b": seconds()}, {}, **COST),
            "'b' is no arm",
        ),
        (lambda: growth_curves(("a",), {}, {"a": seconds()}, {}, **COST), "'a' needs values"),
        (
            lambda: growth_curves(("a",), {"a": SIZES[:2]}, {"a": seconds()}, {}, **COST),
            "'a' needs values",
        ),
        (
            lambda: growth_curves(("a",), {"a": [0]}, {"a": [np.ones(1)]}, {}, **COST),
            "positive sizes",
        ),
        (
            lambda: growth_curves(("a",), {"a": [1]}, {"a": [np.zeros(0)]}, {}, **COST),
            "'a' needs finite",
        ),
        (
            lambda: growth_curves(("a",), {"a": [1]}, {"a": [np.array([np.inf])]}, {}, **COST),
            "'a' needs finite",
        ),
        (
            lambda: growth_curves(("a",), {"a": [1]}, {"a": [np.zeros(1)]}, {"a": (1, 1)}, **COST),
            "a law and positive values",
        ),
        (
            lambda: growth_curves(("a",), {"a": [1]}, {"a": [np.ones(1)]}, {"b": (1, 1)}, **COST),
            "a law and positive values",
        ),
        (lambda: setting_curve((), [], **SETTING), "0 arrays for 0 settings"),
        (lambda: setting_curve((1, 2), [np.ones(1)], **SETTING), "1 arrays for 2 settings"),
        (lambda: setting_curve((1,), [np.zeros(0)], **SETTING), "finite values"),
        (lambda: setting_curve((1,), [np.array([np.nan])], **SETTING), "finite values"),
        (lambda: variance_curve(np.array([]), **WORDS), "no fractions of a variance"),
        (lambda: variance_curve(np.array([0.5, -0.1]), **WORDS), "no fractions of a variance"),
        (lambda: variance_curve(np.array([0.9, 0.2]), **WORDS), "no fractions of a variance"),
        (lambda: variance_curve(np.array([np.nan]), **WORDS), "no fractions of a variance"),
        (
            lambda: embedding_map(np.zeros((3, 3)), np.zeros(3, int), ("a",), **WORDS),
            r"points \(3, 3\), not \(3, 2\)",
        ),
        (
            lambda: embedding_map(np.zeros((0, 2)), np.zeros(0, int), ("a",), **WORDS),
            "there are no points",
        ),
        (
            lambda: embedding_map(np.full((1, 2), np.nan), np.zeros(1, int), ("a",), **WORDS),
            "points hold a number that is not finite",
        ),
        (
            lambda: embedding_map(EYE, np.array([0, 1]), ("a",), **WORDS),
            "labels reach beyond 1 class names",
        ),
        (
            lambda: embedding_map(EYE, np.array([0, -1]), ("a",), **WORDS),
            "labels reach beyond 1 class names",
        ),
    ],
)
def test_figures_refuse(draw: Callable[[], Figure], fault: str):
    with pytest.raises(ValueError, match=rf"figure [a-z-]+: .*{fault}") as caught:
        draw()
    assert "\n" not in str(caught.value)
