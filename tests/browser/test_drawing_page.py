"""The page of an export, in Chromium: the same pixels and probabilities as here, drawn by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Visitor
from playwright.sync_api import Browser, Page, expect

import mnistlab as ml
from mnistlab.data.preparing import PREPARATIONS, prepare
from mnistlab.errors import RunError
from mnistlab.evaluation import tempered
from mnistlab.exporting.drawing_page import network_of

SMALL: dict[str, dict[str, str]] = {
    "softmax-tuned": {},
    "scratch-cnn": {"batch_size": "32"},
    "resnet-small": {"channels": "[4,8]", "blocks": "[0,1]", "min_steps": "0"},
    "svm": {"calibrated": "true", "n_train": "150"},
    "conv-norm": {},
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ml.Run]:
    """One small run of each kind of network, on the embedded clothes."""
    out, made = tmp_path_factory.mktemp("runs"), {}
    for name, changes in SMALL.items():
        fields = {"n_train": "300", "split": "auto"} | changes
        recipe = ml.set_fields(ml.get_recipe(name), fields)
        if recipe.phases:
            recipe = ml.set_fields(recipe, {"epochs": "1"})
        made[name] = ml.evaluate(ml.train(recipe, "fashion-mini", out=out, threads=1))
    return made


@pytest.fixture(scope="module")
def path(runs: dict[str, ml.Run], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "page.html"
    alike = [run for name, run in runs.items() if name != "conv-norm"]
    assert ml.export_page(alike, path).n_bytes == path.stat().st_size < 2_000_000
    return path


@pytest.fixture
def page(browser: Browser, path: Path, visit: Visitor) -> Page:
    visited = visit(path)
    assert visited.messages == []
    assert visited.requests == [path.as_uri()]
    return visited.page


PROBABILITIES = """([network, height, width, images]) => {
  const program = {...network, height, width, arrays: network.arrays.map(unpacked)};
  return images.map((image) => probabilities(program, image));
}"""


@pytest.mark.parametrize("name", SMALL)
def test_its_probabilities_are_the_classifiers(
    name: str, page: Page, runs: dict[str, ml.Run]
) -> None:
    run = runs[name]
    images = ml.load("fashion-mini").images[-60:]
    height, width = run.data["image_shape"]
    given = [network_of(run), height, width, images.reshape(len(images), -1).tolist()]
    theirs = np.array(page.evaluate(PROBABILITIES, given))
    ours = tempered(run.classifier().predict_proba(images), run.result["temperature"])
    np.testing.assert_allclose(theirs, ours, atol=1e-4)
    np.testing.assert_array_equal(theirs.argmax(1), ours.argmax(1))


def pictures() -> list[Any]:
    """Noise and boxes of all sizes, light on dark, dark on light, of low contrast."""
    random, made = np.random.default_rng(0), []
    for i in range(40):
        height, width = random.integers(1, 90, 2)
        picture = random.integers(0, 256 if i % 4 == 0 else 12, (height, width))
        if i % 4:
            top, left = random.integers(0, height), random.integers(0, width)
            picture[top : top + 30, left : left + 20] = random.integers(20, 256)
        made.append((255 - picture if i % 3 == 0 else picture).astype(np.uint8))
    return made


@pytest.mark.parametrize("preparation", PREPARATIONS)
def test_it_prepares_pictures_to_the_pixel_as_python_does(preparation: str, page: Page) -> None:
    function = {"digit": "prepareDigit", "garment": "prepareGarment"}[preparation]
    given = [
        {"height": len(each), "width": each.shape[1], "levels": each.ravel().tolist()}
        for each in pictures()
    ]
    theirs = page.evaluate(f"(all) => all.map((each) => Array.from({function}(each)))", given)
    ours = prepare(pictures(), preparation)
    np.testing.assert_array_equal(np.array(theirs, np.uint8).reshape(ours.shape), ours)


def seen(page: Page) -> np.ndarray[Any, Any]:
    """The image that the page says the networks see, (H, W)."""
    page.evaluate("() => new Promise((r) => requestAnimationFrame(() => setTimeout(r)))")
    levels = page.evaluate(
        "() => { const c = document.getElementById('seen');"
        " return [c.height, c.width, Array.from(c.getContext('2d')"
        ".getImageData(0, 0, c.width, c.height).data.filter((_, i) => i % 4 === 0))]; }"
    )
    return np.array(levels[2]).reshape(levels[0], levels[1])


def drag(page: Page, points: list[tuple[float, float]]) -> None:
    box = page.locator("#drawing").bounding_box()
    assert box is not None
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*at[0])
    page.mouse.down()
    for point in at[1:]:
        page.mouse.move(*point, steps=3)
    page.mouse.up()


def test_every_network_answers_at_each_stroke(page: Page) -> None:
    assert page.locator("#verdict").inner_text() == "–"
    drag(page, [(0.3, 0.2), (0.3, 0.8)])
    one = seen(page)
    assert one.shape == (28, 28)
    assert one.any()
    assert page.locator("#verdict").inner_text().endswith("of 4 networks")
    for card in page.locator("article").all():
        shown = [
            float(text.removesuffix(" %"))
            for text in card.locator("li span:last-child").all_inner_texts()
        ]
        assert sum(shown) == pytest.approx(100, abs=0.6)
    drag(page, [(0.3, 0.2), (0.7, 0.2)])
    assert (seen(page) != one).any()
    page.locator("#undo").click()
    np.testing.assert_array_equal(seen(page), one)
    page.locator("#clear").click()
    assert not seen(page).any()
    assert page.locator("#verdict").inner_text() == "–"


def test_the_keyboard_draws_undoes_and_clears(page: Page) -> None:
    page.locator("#drawing").focus()
    page.keyboard.press("Space")
    for _ in range(8):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    drawn = seen(page)
    assert drawn.any()
    rows, columns = (np.flatnonzero(drawn.any(axis=axis)) for axis in (1, 0))
    assert np.ptp(rows) > np.ptp(columns)  # a line downwards
    page.keyboard.press("z")
    assert not seen(page).any()


def test_a_test_image_is_shown_as_it_is_with_its_label(page: Page, runs: dict[str, ml.Run]) -> None:
    button = page.locator("#images button").first
    name = str(button.get_attribute("aria-label")).split(", ")[1]
    button.click()
    assert f"It is labelled {name}." in page.locator("#seen-text").inner_text()
    test = ml.split(ml.load("fashion-mini")).test
    np.testing.assert_array_equal(seen(page), test.images[0])


def test_a_picture_that_is_opened_is_prepared(page: Page, tmp_path: Path) -> None:
    from PIL import Image

    picture = np.full((120, 90), 255, np.uint8)  # dark on white paper
    picture[20:100, 30:60] = 30
    Image.fromarray(picture).save(tmp_path / "coat.png")
    page.locator("#file").set_input_files(tmp_path / "coat.png")
    # No wait_for_function: it polls with eval, which the page's own policy forbids.
    expect(page.locator("#verdict")).not_to_have_text("–")
    rows, columns = (np.flatnonzero((seen(page) > 200).any(axis=axis)) for axis in (1, 0))
    assert (len(rows), len(columns)) == (28, pytest.approx(28 * 30 / 80, abs=1))


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_is_wider_than_the_screen(width: int, path: Path, visit: Visitor) -> None:
    visited = visit(path, width, "dark")
    assert visited.page.evaluate("document.documentElement.scrollWidth") <= width


def test_runs_that_see_other_images_are_refused(runs: dict[str, ml.Run], tmp_path: Path) -> None:
    other = ml.train(
        ml.set_fields(ml.get_recipe("softmax-tuned"), {"epochs": "1", "n_train": "100"}),
        ml.load("digits"),
        out=tmp_path,
        threads=1,
    )
    with pytest.raises(RunError, match=r"is another than that of .* see the same images"):
        ml.export_page([runs["softmax-tuned"], other], tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()
