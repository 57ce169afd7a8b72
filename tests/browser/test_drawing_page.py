"""A page to draw on, in Chromium: what its user does with mouse, keys, pictures and tabs."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawing import ON_PAGE, PATIENCE_MS, drag, seen, settle
from page_checks import CONTRASTS, OUTSIDE, WIDTHS_AND_SCHEMES
from PIL import Image
from playwright.sync_api import Browser, Page, expect

import mnistlab as ml

pytestmark = pytest.mark.slow


def test_every_network_answers_at_each_stroke(drawing: Page) -> None:
    drag(drawing, [(0.3, 0.2), (0.3, 0.8)])
    one = seen(drawing)
    assert one.shape == (28, 28)
    assert one.any()
    assert drawing.locator("#verdict").inner_text().endswith("of 4 networks")
    for number in range(len(ON_PAGE)):
        column = drawing.locator(f"#answers td:nth-child({number + 2}) .cell")
        shown = [float(text.removesuffix(" %")) for text in column.all_inner_texts()]
        assert len(shown) == 10
        assert sum(shown) == pytest.approx(100, abs=0.6)
    drag(drawing, [(0.3, 0.2), (0.7, 0.2)])
    assert (seen(drawing) != one).any()
    drawing.locator("#undo").click()
    np.testing.assert_array_equal(seen(drawing), one)
    drawing.locator("#clear").click()
    assert not seen(drawing).any()
    assert drawing.locator("#verdict").inner_text() == "–"


def test_answers_come_from_a_worker_and_the_newest_drawing_wins(drawing: Page) -> None:
    assert len(drawing.workers) == 1
    before = int(drawing.evaluate("document.body.dataset.answer"))
    drag(drawing, [(0.3, 0.2), (0.5, 0.5), (0.3, 0.8), (0.7, 0.8)])
    settle(drawing)
    asked = int(drawing.evaluate("document.body.dataset.asked"))
    assert asked > before
    drawing.locator(f"body[data-mapped='{asked}']").wait_for()  # the slow work is for the last one
    assert "where a small square is covered" in drawing.locator("#map-text").inner_text()
    assert drawing.locator("#nearest canvas").count() == 5


def test_without_workers_the_page_answers_itself(browser: Browser, drawing_path: Path) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, offline=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.add_init_script("delete window.Worker")
    page.goto(drawing_path.as_uri())
    page.locator("#images button").first.wait_for()
    assert not page.workers
    drag(page, [(0.3, 0.2), (0.3, 0.8)])
    settle(page)
    assert page.locator("#verdict").inner_text() != "–"
    context.close()


def test_the_keyboard_draws_undoes_and_clears(drawing: Page) -> None:
    drawing.locator("#drawing").focus()
    drawing.keyboard.press("Space")
    for _ in range(8):
        drawing.keyboard.press("ArrowDown")
    drawing.keyboard.press("Space")
    drawn = seen(drawing)
    assert drawn.any()
    rows, columns = (np.flatnonzero(drawn.any(axis=axis)) for axis in (1, 0))
    assert np.ptp(rows) > np.ptp(columns)  # a line downwards
    drawing.keyboard.press("z")
    assert not seen(drawing).any()


def test_a_test_image_is_shown_as_it_is_with_its_label(
    drawing: Page, drawing_runs: dict[str, ml.Run]
) -> None:
    button = drawing.locator("#images button").first
    name = str(button.get_attribute("aria-label")).split(", ")[1]
    button.click()
    image = seen(drawing)
    assert f"labelled {name}" in drawing.locator("#seen-text").inner_text()
    test = ml.split(ml.load("fashion-mini")).test
    np.testing.assert_array_equal(image, test.images[0])


def test_a_picture_that_is_opened_is_prepared(drawing: Page, tmp_path: Path) -> None:
    picture = np.full((120, 90), 255, np.uint8)  # dark on white paper
    picture[20:100, 30:60] = 30
    Image.fromarray(picture).save(tmp_path / "coat.png")
    drawing.locator("#file").set_input_files(tmp_path / "coat.png")
    drawing.locator("#verdict small").wait_for()
    rows, columns = (np.flatnonzero((seen(drawing) > 200).any(axis=axis)) for axis in (1, 0))
    assert (len(rows), len(columns)) == (28, pytest.approx(28 * 30 / 80, abs=1))


HAND_OVER = """([event, bytes]) => {
  const file = new File([Uint8Array.from(bytes)], "coat.png", { type: "image/png" });
  const data = new DataTransfer();
  data.items.add(file);
  const made = event === "paste"
    ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true })
    : new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
  byId("drawing").dispatchEvent(made);
}"""


@pytest.mark.parametrize("event", ["paste", "drop"])
def test_a_picture_that_is_pasted_or_dropped_is_shown(event: str, drawing: Page) -> None:
    content = io.BytesIO()
    Image.fromarray(np.pad(np.full((40, 20), 255, np.uint8), 20)).save(content, "PNG")
    drawing.evaluate(HAND_OVER, [event, list(content.getvalue())])
    expect(drawing.locator("#verdict small")).to_be_visible(timeout=PATIENCE_MS)
    expected = np.zeros((28, 28))
    expected[:, 7:21] = 255  # as high as the image, and half as wide
    np.testing.assert_array_equal(seen(drawing), expected)


def test_a_file_that_is_no_picture_is_named(drawing: Page, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    drawing.locator("#file").set_input_files(tmp_path / "broken.png")
    drawing.locator("#notice", has_text="broken.png cannot be read as a picture.").wait_for()


def test_tabs_follow_arrow_keys_and_the_address(drawing: Page) -> None:
    drawing.locator("#tab-draw").focus()
    drawing.keyboard.press("ArrowRight")
    assert drawing.url.endswith("#models")
    assert drawing.locator("#panel-models").is_visible()
    assert not drawing.locator("#panel-draw").is_visible()
    drawing.keyboard.press("End")
    assert drawing.locator("#tab-inside").get_attribute("aria-selected") == "true"
    assert drawing.evaluate("document.activeElement.id") == "tab-inside"
    drawing.keyboard.press("ArrowRight")
    assert drawing.url.endswith("#draw")


def test_each_model_says_its_accuracy_its_size_and_its_time(
    drawing: Page, drawing_runs: dict[str, ml.Run]
) -> None:
    drawing.locator("#images button").first.click()
    settle(drawing)
    drawing.locator("#tab-models").click()
    cards = drawing.locator("#model-cards article")
    assert cards.count() == len(ON_PAGE)
    for card, name in zip(cards.all(), ON_PAGE, strict=True):
        text, result = card.inner_text(), drawing_runs[name].result
        assert f"{100 * result['test_accuracy']:.2f} %" in text
        assert f"interval {100 * result['test_accuracy_ci'][0]:.2f} to" in text
        assert f"{result['n_parameters']:,}" in text
        assert " ms" in text
    assert "flip, shift" in cards.nth(ON_PAGE.index("resnet-small")).inner_text()
    assert "licence: " in drawing.locator("#source").inner_text()


def test_mistakes_are_filtered_and_shown_on_the_drawing_tab(
    drawing: Page, drawing_runs: dict[str, ml.Run]
) -> None:
    drawing.locator("#tab-mistakes").click()
    drawing.locator("#mistaken-network").select_option("0")
    stored = drawing_runs["softmax-tuned"].predictions()
    wrong = stored.labels != stored.predicted
    cells = drawing.locator("#confusion button").all_inner_texts()
    assert sum(map(int, cells)) == wrong.sum()
    drawing.locator("#confusion button").first.click()  # the same as choosing two classes
    names = drawing_runs["softmax-tuned"].data["class_names"]
    true, predicted = (
        int(drawing.locator(f"#mistaken-{of}").input_value()) for of in ("true", "predicted")
    )
    assert ((stored.labels == true) & (stored.predicted == predicted)).any()
    drawing.locator("#mistaken-predicted").select_option("")
    drawing.locator("#mistaken-true").select_option("")
    tile = drawing.locator("#mistake-tiles button").first
    said = str(tile.get_attribute("aria-label")).split(",")[0]
    tile.click()
    settle(drawing)
    assert drawing.url.endswith("#draw")
    assert f"labelled {said}" in drawing.locator("#seen-text").inner_text()
    assert said in names


def test_the_inside_shows_every_layer_and_the_weights_of_softmax_regression(drawing: Page) -> None:
    drawing.locator("#images button").first.click()
    drawing.locator("#tab-inside").click()
    choice = drawing.locator("#panel-inside .chosen-network")
    choice.select_option(str(ON_PAGE.index("resnet-small")))
    drawing.locator("#layers h3", has_text="residual block").wait_for()
    assert not drawing.locator("#weights").is_visible()
    choice.select_option("0")
    drawing.locator("#weight-images figure").nth(9).wait_for()
    assert drawing.locator("#layers h3").all_inner_texts() == [
        "scaled 1 × 28 × 28",
        "linear 10 numbers",
    ]


@pytest.mark.parametrize(("width", "scheme"), WIDTHS_AND_SCHEMES)
def test_every_tab_fits_the_screen_and_has_contrast(width: int, scheme: Any, drawing: Page) -> None:
    drawing.set_viewport_size({"width": width, "height": 900})
    drawing.emulate_media(color_scheme=scheme)
    drawing.locator("#images button").first.click()
    settle(drawing)
    for tab in ("models", "mistakes", "inside", "draw"):
        drawing.locator(f"#tab-{tab}").click()
        expect(drawing.locator(f"#panel-{tab}")).to_be_visible()
        assert drawing.evaluate("document.documentElement.scrollWidth") <= width
        assert drawing.evaluate(OUTSIDE) == []
        assert [pair for pair in drawing.evaluate(CONTRASTS) if pair[0] < 4.5] == []


def test_a_page_of_a_run_that_was_not_evaluated(
    browser: Browser, drawing_runs: dict[str, ml.Run], tmp_path: Path
) -> None:
    """No accuracy and no mistakes; of one network the large letters say the probability."""
    record = {
        **drawing_runs["softmax-tuned"].result,
        "test_accuracy": None,
        "test_accuracy_ci": None,
    }
    ml.export_page([replace(drawing_runs["softmax-tuned"], result=record)], tmp_path / "one.html")
    context = browser.new_context(offline=True)
    page, said = context.new_page(), list[str]()
    page.set_default_timeout(PATIENCE_MS)
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto((tmp_path / "one.html").as_uri())
    page.locator("#images button").first.click()
    expect(page.locator("#verdict small")).to_contain_text("%", timeout=PATIENCE_MS)
    page.locator("#tab-models").click()
    assert "Not measured on test images" in page.locator("#model-cards").inner_text()
    page.locator("#tab-mistakes").click()
    assert "None of these networks" in page.locator("#mistakes-text").inner_text()
    assert not page.locator("#confusion").is_visible()
    assert said == []
    context.close()
