"""Pages of profiles: in agreement with profile.json; figures of classes, levels and pairs."""

from __future__ import annotations

import base64
import io
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from quick_figures import without_png

from mnistlab.cli import run_command
from mnistlab.data import Dataset, export
from mnistlab.profiling.measuring import Profile, profile
from mnistlab.profiling.page import profile_page, profile_report
from mnistlab.reporting.figures.classes import class_gallery, class_moments
from mnistlab.reporting.figures.images import alike_pairs
from mnistlab.reporting.figures.pies import pie
from mnistlab.reporting.figures.probabilities import grey_levels
from mnistlab.reporting.figures.rows import black_pixels, class_balance
from mnistlab.reporting.figures.tiles import shrunk
from mnistlab.reporting.page import Figure, Page, Table, cell_text

pytestmark = [pytest.mark.slow, pytest.mark.drawn]

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
NAMES = ("cat", HOSTILE, "$\\frac{1}{0}$ {{ 7 * 7 }} \x00")
WORDS = {"caption": "A caption.", "command": "mnistlab data profile digits"}


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture(scope="module")
def data(stripes: Dataset) -> Dataset:
    """72 + 24 stripes, some more of a class than of others, one class empty, names that bite."""
    labels = stripes.labels.copy()
    labels[:40] = 0
    few = replace(
        stripes,
        images=np.concatenate([stripes.images[:72], stripes.images[480:504]]),
        labels=np.concatenate([labels[:72], labels[480:504]]),
        class_names=("cat", HOSTILE, "c", "d", "nothing"),
        n_official_train=72,
    )
    return replace(few, source={"name_or_path": "my set.csv", "size": (12, 12)})


@pytest.fixture(scope="module")
def found(data: Dataset) -> Profile:
    return profile(data)


@pytest.fixture(scope="module")
def page(found: Profile) -> Page:
    with without_png():
        return profile_page(found, "mnistlab data profile x")


@pytest.fixture(scope="module")
def figures(page: Page) -> dict[str, Figure]:
    return {figure.name: figure for figure in page.figures()}


def table(page: Page, title: str) -> list[dict[str, str]]:
    (wanted,) = (t for section in page.sections for t in section.tables if t.title == title)
    return [as_read(wanted, row) for row in wanted.rows]


def as_read(wanted: Table, row: tuple[Any, ...]) -> dict[str, str]:
    columns = zip(wanted.columns, row, strict=True)
    return {column.title: cell_text(cell, column) for column, cell in columns}


# The page


def test_every_part_asked_for_is_there(page: Page, figures: dict[str, Figure]) -> None:
    assert (page.kind, page.question) == ("Profile", "What is in stripes?")
    assert list(figures) == [
        "class-balance",
        "class-pie",
        "split-pie",
        "grey-levels",
        "black-pixels",
        "first-images",
        "class-gallery",
        "class-moments",
        "explained-variance",
        "embedding-map",
        "alike-pairs",
    ]
    assert [section.title for section in page.sections] == [
        "Classes",
        "Splits",
        "Pixels",
        "Images",
        "Principal components",
        "Neighbours",
        "Doubtful labels",
    ]


def test_the_answer_is_a_sentence_of_numbers(page: Page, found: Profile) -> None:
    kept = found.to_json()
    black = (found.dataset.images <= 10).mean()
    assert page.answer.startswith(
        "96 images of 12 by 12 pixels in 5 classes of 0 (class nothing) to 54 (class cat) images: "
        f"{100 * black:.1f} % of the pixels are black, "
    )
    share = 100 * kept["nearest_is_own"]
    assert f"of the 72 training images {share:.1f} % have" in page.answer
    total = np.cumsum(kept["embedding"]["explained_variance"])
    n = int((total < 0.8).sum()) + 1
    assert f"{n} principal components hold {100 * total[n - 1]:.1f} %" in page.answer
    assert page.answer.count(".  ") == 0
    assert page.answer.endswith(".")


def test_classes_are_those_of_the_json(page: Page, found: Profile) -> None:
    rows, kept = table(page, "Classes"), found.to_json()["classes"]
    assert [row["Class"] for row in rows] == list(found.dataset.class_names)
    for row, k in zip(rows, kept, strict=True):
        n = sum(k["n_images"].values())
        assert (row["Training part"], row["Test part"]) == tuple(map(str, k["n_images"].values()))
        assert (row["Images"], row["Fraction, %"]) == (str(n), f"{100 * n / 96:.2f}")
        if not n:
            assert {row["Mean grey level"], row["Black pixels, %"]} == {"–"}
            assert row["Nearest of its class, %"] == "–"
        else:
            assert row["Mean grey level"] == f"{k['pixels']['mean']:.1f}"
            assert row["Black pixels, %"] == f"{100 * k['pixels']['black']:.1f}"
            assert row["Nearest of its class, %"] == f"{100 * k['nearest_is_own']:.1f}"


def test_splits_and_pixels_are_those_of_the_json(page: Page, found: Profile) -> None:
    kept = found.to_json()
    rows = table(page, "Images in each part")
    assert [row["Split"] for row in rows] == list(kept["splits"])
    for row in rows:
        sizes = [row[part] for part in ("Train", "Validation", "Test")]
        assert sizes == [str(n) for n in kept["splits"][row["Split"]]["sizes"]]
    for row, (part, pixels) in zip(
        table(page, "Pixels by part"), kept["pixels"].items(), strict=True
    ):
        assert (row["Part"], row["Pixels"]) == (part, f"{pixels['n_pixels']:,}")
        assert row["Levels"].split("\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}") == [
            str(pixels["lowest"]),
            str(pixels["highest"]),
        ]
        assert (row["Mean"], row["Deviation"]) == (
            f"{pixels['mean']:.2f}",
            f"{pixels['deviation']:.2f}",
        )
        assert row["Mean / 255"] == f"{pixels['mean'] / 255:.4f}"
        assert row["Black, %"] == f"{100 * pixels['black']:.2f}"


def test_pairs_can_be_found_again(page: Page, found: Profile, figures: dict[str, Figure]) -> None:
    rows, dataset = table(page, "Which images these are"), found.dataset
    assert len(rows) == len(found.pairs) == 12
    for row, (first, second, distance) in zip(rows, found.pairs, strict=True):
        assert (row["Image"], row["Other image"]) == (str(first), str(second))
        assert row["Apart, grey levels"] == f"{distance:.2f}"
    first, second, distance = found.pairs[0]
    names = [dataset.class_names[dataset.labels[place]] for place in (first, second)]
    told = f"{names[0]} and {names[1]}, {distance:.1f} grey levels apart"
    assert told in figures["alike-pairs"].alt


def test_what_a_set_lacks_is_left_out(data: Dataset) -> None:
    alone = replace(data.take(slice(5)), labels=np.zeros(5, dtype=np.int64), class_names=("only",))
    page = profile_page(profile(alone), "x")
    assert page.answer.startswith("5 images of 12 by 12 pixels in 1 class: ")
    assert [section.title for section in page.sections] == [
        "Classes",
        "Splits",
        "Pixels",
        "Images",
    ]
    assert "official" not in str(table(page, "Images in each part"))
    assert "Training part" not in table(page, "Classes")[0]


def test_a_split_that_fails_and_the_same_pixels_twice_are_said(data: Dataset) -> None:
    images = data.images[:12].copy()
    images[11] = images[3]
    names = ("cat", "dog")
    labels = np.array([0] * 11 + [1], dtype=np.int64)
    page = profile_page(profile(Dataset("few", images, labels, names), with_map=False), "x")
    (note,) = (t.note for t in page.sections[1].tables)
    assert "stratified-70-15-15 cannot be had: few: class 'dog' has 1 image" in note
    assert page.sections[-1].text.endswith(
        "In 1 of these pairs the two are the same, pixel for pixel."
    )
    assert "cat and dog, the same pixels" in page.sections[-1].figures[0].alt


@without_png()
def test_files_and_command(found: Profile, figures: dict[str, Figure], tmp_path: Path) -> None:
    path = profile_report(found, tmp_path / "profile-stripes")
    assert path == tmp_path / "profile-stripes" / "profile.html"
    html = path.read_text()
    assert "mnistlab data profile &#39;my set.csv&#39; --size 12x12<" in re.sub(
        r"</span> <span>", " ", html
    )
    assert "<script>alert" not in html
    assert json.loads((path.parent / "profile.json").read_text()) == json.loads(
        json.dumps(found.to_json())
    )
    drawn = {file.stem for file in (path.parent / "figures").iterdir()}
    assert drawn == set(figures)


# The command


@pytest.fixture
def csv(data: Dataset, tmp_path: Path) -> Path:
    export(replace(data, class_names=("0", "1", "2", "3", "4")), tmp_path / "mine")
    return tmp_path / "mine"


@without_png()
def test_the_command_writes_and_tells(
    csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["data", "profile", str(csv), "--out", str(tmp_path), "--no-map", "--json"]
    assert run_command(arguments) == 0
    shown = capsys.readouterr()
    *lines, last = shown.out.splitlines()
    result = json.loads(last)
    page = tmp_path / "profile-mine" / "profile.html"
    assert f"profile: {page}" in lines
    assert result["path"] == str(page)
    assert (result["n_images"], result["embedding"]["perplexity"]) == (96, None)
    assert "72 / 24, as given" in shown.out
    assert shown.err.splitlines() == [
        "grey levels of 96 images",
        "nearest of 72 images",
        "principal components of 72 images",
    ]
    assert "embedding-map" not in page.read_text()
    assert f"data profile {csv} --no-map" in page.read_text().replace("</span> <span>", " ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("nowhere.csv", "nowhere.csv: no such file"),
        ("fashion-mnit", "fashion-mnist"),
        ("digits --size 9", "8x8"),
        ("digits --threads 0", "--threads"),
        ("", "NAME_OR_PATH"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    arguments: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_command(["data", "profile", *arguments.split()]) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert shown.startswith("error: ")
    assert shown.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_help_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["data", "profile", "--help"]) == 0
    assert "Example: mnistlab data profile " in capsys.readouterr().out


# Figures


def draw_all(names: tuple[str, ...] = ("a", "b", "c")) -> list[Figure]:
    levels = np.bincount(noise(4, 9, 8).ravel(), minlength=256)
    moments = noise(3, 9, 8).astype(np.float32)
    moments[2] = np.nan
    return [
        class_balance(np.array([[5, 3, 0], [2, 1, 0]]), ("training", "test"), names, **WORDS),
        class_balance(np.array([[7000] * 3]), ("all",), names, name="one-part", **WORDS),
        black_pixels(np.array([0.5, 0.25, 1.0, np.nan]), names, **WORDS),
        grey_levels(levels, 10, **WORDS),
        class_gallery([noise(5, 9, 8), noise(1, 9, 8), noise(0, 9, 8)], names, **WORDS),
        class_moments(moments, moments / 3, names, **WORDS),
        alike_pairs(noise(2, 2, 9, 8), np.array([[0, 1], [2, 1]]), [0.0, 12.34], names, **WORDS),
        pie(np.array([5, 0, 3]), names, name="pie", title="Pie", **WORDS),
    ]


@pytest.fixture(scope="module")
def drawn() -> list[Figure]:
    return draw_all()


def markup(figure: Figure) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(figure.svg), ElementTree.fromstring(figure.narrow_svg)]


def texts(svg: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in svg.iter("text")]


def strips(svg: ElementTree.Element) -> list[np.ndarray]:
    """The pictures of a drawing, uint8 (H, W, 4)."""
    raw = [e.attrib["href"].partition("base64,")[2] for e in svg.iter("image")]
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(text)))) for text in raw]


def test_drawings_fit_follow_the_scheme_and_hold_no_foreign_markup(drawn: list[Figure]) -> None:
    for figure in [*drawn, *draw_all(NAMES)]:
        wide, narrow = (float(svg.attrib["viewBox"].split()[2]) for svg in markup(figure))
        assert narrow <= 352 < wide
        for svg in markup(figure):
            tags = {element.tag for element in svg.iter()}
            assert tags <= {"svg", "g", "defs", "path", "use", "clipPath", "rect", "image", "text"}
        bare = re.sub(r'href="[^"]*"', "", figure.svg + figure.narrow_svg)
        assert re.findall(r"#[0-9a-fA-F]{6}\b", bare) == []


def test_drawing_again_gives_the_same_bytes(drawn: list[Figure]) -> None:
    assert draw_all() == drawn


def test_names_and_numbers_stand_beside_bars(drawn: list[Figure]) -> None:
    balance, one_part, black = drawn[:3]
    for svg in markup(balance):
        assert {"a", "b", "c", "7", "63.6 %", "0", "0.0 %", "training", "test"} <= set(texts(svg))
    assert balance.alt == "Images by class: 7 a, 4 b, 0 c."
    assert one_part.alt == "Images by class: 7,000 of each of 3."
    assert "all" not in texts(markup(one_part)[0])
    for svg in markup(black):
        assert {"all images", "50.0 %", "25.0 %", "100.0 %", "–"} <= set(texts(svg))
    assert black.alt == "Black pixels: 50.0 % of all; by class from 25.0 % of a to 100.0 % of b."


def test_slices_have_their_name_and_number_beside_them(drawn: list[Figure]) -> None:
    figure = drawn[-1]
    assert figure.alt == "Of 8 images: 5 (62.5 %) a, 3 (37.5 %) c."
    for svg in markup(figure):
        assert texts(svg) == ["a", "5, 62.5 %", "c", "3, 37.5 %"]


@pytest.mark.parametrize(
    ("counts", "n_slices", "rest"),
    [
        ([1] * 12, 12, None),
        ([1] * 13, 12, "2 (15.4 %) 2 others"),
        ([10_000, *[1] * 5], 2, "5 (0.0 %) 5 others"),
        ([10_000, 1], 2, None),  # a single thin slice has room for its label
        ([*[1000] * 12, 1, 1], 12, "1,002 (8.3 %) 3 others"),
        ([7, *[0] * 30], 1, None),
    ],
)
def test_a_pie_has_at_most_twelve_slices(counts: list[int], n_slices: int, rest: str) -> None:
    names = [f"n{k}" for k in range(len(counts))]
    figure = pie(np.array(counts), names, name="pie", title="Pie", **WORDS)
    slices = re.findall(r"[\d,]+ \([\d.]+ %\) (?:\d+ others|n\d+)", figure.alt)
    assert len(slices) == n_slices
    assert rest is None or slices[-1] == rest


def test_the_first_ten_images_stand_with_their_labels(
    page: Page, figures: dict[str, Figure], found: Profile
) -> None:
    labels = found.dataset.labels[:10]
    first = figures["first-images"]
    shown = [element.text for element in markup(first)[0].iter("text")]
    assert [name[:5] for name in shown] == [found.dataset.class_names[k][:5] for k in labels]
    assert "The first 10 images" in first.caption


def test_the_pie_of_parts_is_of_the_split_that_training_takes(
    figures: dict[str, Figure], found: Profile
) -> None:
    from mnistlab.data import split

    parts = split(found.dataset)
    for name, part in (("train", parts.train), ("validation", parts.val), ("test", parts.test)):
        assert f"{len(part):,} (" in figures["split-pie"].alt
        assert f") {name}" in figures["split-pie"].alt


def test_bars_are_as_long_as_their_numbers() -> None:
    figure = class_balance(np.array([[60, 15], [20, 5]]), ("x", "y"), ("a", "b"), **WORDS)
    bars = [
        [float(x) for x in re.findall(r"[ML] ([\d.]+) ", path.attrib["d"])]
        for path in markup(figure)[0].iter("path")
        if "opacity" in path.attrib.get("style", "") and path.attrib["d"].count("L") == 3
    ]
    spans = [(min(xs), max(xs)) for xs in bars if max(xs) - min(xs) > 11.5]  # no square of the key
    (start, a_end), (_, b_end), (a_next, a_last), (b_next, _) = spans
    assert (b_end - start) == pytest.approx((a_end - start) / 4, rel=0.01)
    assert (a_last - a_end) == pytest.approx((a_end - start) / 3, rel=0.01)
    assert (a_next, b_next) == (pytest.approx(a_end), pytest.approx(b_end))


@pytest.mark.parametrize(
    ("levels", "heading"),
    [
        (np.r_[9000, np.ones(255)], "Pixels, % (log scale)"),
        (np.full(256, 7), "Pixels, %"),
        (np.r_[np.zeros(200), 4, np.zeros(55)], "Pixels, %"),
    ],
)
def test_levels_far_apart_are_drawn_on_a_log_scale(levels: np.ndarray, heading: str) -> None:
    figure = grey_levels(levels.astype(np.int64), 10, **WORDS)
    black = 100 * levels[:11].sum() / levels.sum()
    for svg in markup(figure):
        assert {heading, f"black: {black:.1f} %"} <= set(texts(svg))
    assert f"{black:.1f} % of the pixels are at 10 at most" in figure.alt


def test_images_are_drawn_pixel_for_pixel_and_stay_crisp() -> None:
    images = [noise(20, 6, 5), 255 - noise(3, 6, 5)]
    figure = class_gallery(images, ("a", "b"), **WORDS)
    for svg, n in zip(markup(figure), (16, 8), strict=True):
        for element in svg.iter("image"):
            assert "image-rendering:pixelated" in element.attrib["style"]
        first, second = strips(svg)
        chosen = np.linspace(0, 19, n).round().astype(int)
        for strip, wanted in ((first, images[0][chosen]), (second, images[1])):
            pitch = strip.shape[1] // len(wanted)
            assert pitch > 5  # a gap
            for place, image in enumerate(wanted):
                tile = strip[:, place * pitch : (place + 1) * pitch]
                np.testing.assert_array_equal(tile[:, :5, 0], image)
                np.testing.assert_array_equal(tile[:, :5, 3], 255)
                np.testing.assert_array_equal(tile[:, 5:, 3], 0)


def test_moments_are_grey_and_what_is_absent_is_blank() -> None:
    mean = np.stack([np.full((4, 4), 100.0), np.full((4, 4), np.nan)])
    deviation = mean / 2
    deviation[0, 0, 0] = 80
    shown, absent = strips(markup(class_moments(mean, deviation, "ab", **WORDS))[0])
    assert set(np.unique(shown[:4, :, 0])) == {100}
    assert set(np.unique(shown[4, :, 3])) == {0}  # a gap
    shown_deviation = shown[5:]
    assert shown_deviation[0, 0, 0] == 255  # the largest
    assert shown_deviation[1, 1, 0] == round(255 * 50 / 80)
    assert set(np.unique(absent[..., 3])) == {0}


def test_of_many_large_images_fewer_are_shown() -> None:
    names = [str(k) for k in range(62)]
    figure = class_gallery(list(noise(62, 8, 64, 64)), names, **WORDS)
    assert len(figure.svg) + len(figure.narrow_svg) < 1_000_000
    small = class_gallery([noise(8, 8, 8)] * 62, names, **WORDS)
    assert small.alt.startswith("Some images of each of 26 classes: 8 of 0, 8 of 2")
    assert small.caption.endswith("Of 62 classes the 26 evenly over their list; 36 are left out.")


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 130), st.integers(1, 130), st.integers(1, 9))
def test_pictures_keep_to_their_tiles_and_their_proportions(
    height: int, width: int, n: int
) -> None:
    images = [noise(n, height, width), noise(1, height, width)]
    for svg in markup(class_gallery(images, ("a", "b"), **WORDS)):
        drawing = [float(size) for size in svg.attrib["viewBox"].split()[2:]]
        for element, strip in zip(svg.iter("image"), strips(svg), strict=True):
            shown = re.search(r"matrix\(([\d.]+) 0 0 -?([\d.]+)", element.attrib["transform"])
            across, down = float(shown[1]), float(shown[2])
            assert across == pytest.approx(down, rel=0.01)  # pixels are squares
            assert across * strip.shape[1] <= drawing[0] + 1e-6
            assert down * strip.shape[0] <= drawing[1] + 1e-6


@given(st.integers(1, 130), st.integers(1, 130))
def test_shrinking_averages_whole_squares(height: int, width: int) -> None:
    images = np.full((2, height, width), 7, dtype=np.uint8)
    images[1] = 9
    small = shrunk(images)
    assert max(small.shape[1:]) <= 40
    assert len(small) == 2
    assert (small[0] == 7).all()
    assert (small[1] == 9).all()
    if max(height, width) <= 40:
        assert small is images


def test_shrunk_images_are_means() -> None:
    image = noise(1, 64, 64)
    squares = image.reshape(1, 32, 2, 32, 2).astype(float)
    np.testing.assert_allclose(shrunk(image), squares.mean(axis=(2, 4)))


@pytest.mark.parametrize(
    ("draw", "fault"),
    [
        (lambda: class_balance(np.zeros((1, 2), int), ("x",), ("a", "b"), **WORDS), "no images"),
        (lambda: pie(np.zeros(2, int), ("a", "b"), name="p", title="", **WORDS), "counts"),
        (lambda: pie(np.ones(3, int), ("a", "b"), name="p", title="", **WORDS), "counts"),
        (lambda: class_balance(np.array([[1, -1]]), ("x",), ("a", "b"), **WORDS), "not all from 0"),
        (lambda: class_balance(np.ones((1, 3), int), ("x",), ("a", "b"), **WORDS), "counts"),
        (lambda: class_balance(np.ones((4, 1), int), tuple("wxyz"), ("a",), **WORDS), "counts"),
        (lambda: grey_levels(np.zeros(256, int), 10, **WORDS), "no histogram"),
        (lambda: grey_levels(np.ones(255, int), 10, **WORDS), "no histogram"),
        (lambda: black_pixels(np.array([0.5]), ("a",), **WORDS), "fractions"),
        (lambda: black_pixels(np.array([np.nan, 0.5]), ("a",), **WORDS), "fractions"),
        (lambda: black_pixels(np.array([0.5, 1.5]), ("a",), **WORDS), "not all from 0 to 1"),
        (lambda: class_gallery([noise(2, 8, 8)], ("a", "b"), **WORDS), "images of 1"),
        (lambda: class_gallery([noise(0, 8, 8)], ("a",), **WORDS), "images of 1"),
        (lambda: class_moments(np.ones((1, 4, 4)), np.ones((2, 4, 4)), "a", **WORDS), "means"),
        (
            lambda: class_moments(
                np.full((1, 4, 4), np.nan), np.full((1, 4, 4), np.nan), "a", **WORDS
            ),
            "means",
        ),
        (lambda: alike_pairs(noise(0, 2, 4, 4), np.zeros((0, 2), int), [], "a", **WORDS), "images"),
        (
            lambda: alike_pairs(noise(1, 2, 4, 4), np.array([[0, 1]]), [1.0], "a", **WORDS),
            "labels reach beyond 1 class names",
        ),
        (lambda: alike_pairs(noise(1, 2, 4, 4), np.array([0, 1]), [1.0], "ab", **WORDS), "images"),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw: Callable[[], Figure], fault: str) -> None:
    with pytest.raises(ValueError, match=f"figure [a-z-]+: .*{fault}") as caught:
        draw()
    assert "\n" not in str(caught.value)
