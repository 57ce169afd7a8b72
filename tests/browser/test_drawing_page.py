"""The page of an export, in Chromium: the same pixels and probabilities as here, drawn by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Visit
from playwright.sync_api import Browser, Page

import mnistlab as ml
from mnistlab.data.preparing import PREPARATIONS, prepare
from mnistlab.errors import RunError
from mnistlab.evaluation import tempered
from mnistlab.evaluation.neighbours import Reference, distances, nearest
from mnistlab.exporting.packing import Packing, as_text
from mnistlab.exporting.page_content import network_of
from mnistlab.runs.neighbours import features_of

SMALL: dict[str, dict[str, str]] = {
    "softmax-tuned": {},
    "scratch-cnn": {"batch_size": "32"},
    "resnet-small": {
        "channels": "[4,8]",
        "blocks": "[0,1]",
        "min_steps": "0",
        "test_time_augmentation": '["flip","shift"]',
    },
    "svm": {"calibrated": "true", "n_train": "150"},
    "conv-norm": {},  # padded, and a linear layer with batch normalisation
}
ON_PAGE = [name for name in SMALL if name != "conv-norm"]  # too large for 2 MB


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ml.Run]:
    """One small run of each kind of network, on the embedded clothes."""
    out, made = tmp_path_factory.mktemp("runs"), {}
    for name, changes in SMALL.items():
        fields = {"n_train": "300", "split": "auto"} | changes
        recipe = ml.set_fields(ml.get_recipe(name), fields)
        if recipe.phases:
            recipe = ml.set_fields(recipe, {"epochs": "1"})
        run = ml.train(recipe, "fashion-mini", out=out, threads=1)
        made[name] = ml.evaluate(run) if name in ON_PAGE else run
    return made


@pytest.fixture(scope="module")
def path(runs: dict[str, ml.Run], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "page.html"
    written = ml.export_page([runs[name] for name in ON_PAGE], path)
    assert written.n_bytes == path.stat().st_size < 2_000_000
    return path


@pytest.fixture(scope="module")
def opened(browser: Browser, path: Path) -> Iterator[Visit]:
    """The page, opened once from its file, with the network off."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, offline=True)
    visit = Visit(context.new_page())
    visit.page.on("console", lambda message: visit.messages.append(message.text))
    visit.page.on("pageerror", lambda error: visit.messages.append(str(error)))
    visit.page.on("request", lambda request: visit.requests.append(request.url))
    visit.page.goto(path.as_uri())
    visit.page.locator("#images button").first.wait_for()
    yield visit
    context.close()


@pytest.fixture
def page(opened: Visit, path: Path) -> Iterator[Page]:
    """The page with an empty drawing; afterwards it has said nothing and asked nobody."""
    opened.page.locator("#tab-draw").click()
    opened.page.locator("#clear").click()
    opened.page.locator("#verdict", has_text="–").wait_for()
    yield opened.page
    assert opened.messages == []
    asked = [url for url in opened.requests if not url.startswith("blob:")]  # its own worker
    assert asked == [path.as_uri()]


PROBABILITIES = """async ([network, text, height, width, images]) => {
  const buffer = await unpacked(text);
  const arrays = network.arrays.map((place) => arrayAt(buffer, place));
  const made = networkOf(network, arrays, height, width);
  return images.map((image) => made.probabilities(Uint8Array.from(image)));
}"""


@pytest.mark.parametrize("name", SMALL)
def test_its_probabilities_are_the_classifiers(
    name: str, page: Page, runs: dict[str, ml.Run]
) -> None:
    run = runs[name]
    classifier, packing = run.classifier("cpu"), Packing()
    network = network_of(run, classifier, packing)
    images = ml.load("fashion-mini").images[-60:]
    height, width = run.data["image_shape"]
    rows = images.reshape(len(images), -1).tolist()
    theirs = np.array(page.evaluate(PROBABILITIES, [network, packing.text(), height, width, rows]))
    ours = tempered(classifier.predict_proba(images), run.result.get("temperature") or 1.0)
    np.testing.assert_allclose(theirs, ours, atol=1e-4)
    np.testing.assert_array_equal(theirs.argmax(1), ours.argmax(1))


def test_bytes_come_through_the_page_as_they_were(page: Page) -> None:
    random = np.random.default_rng(0)
    for n in (0, 1, 2, 3, 4, 5, 6, 7, 5000):
        content = random.integers(0, 256, n, np.uint8).tobytes()
        for given in (content, bytes(n), b"\x0d\x1a<\n" * n):
            assert bytes(page.evaluate("(t) => Array.from(bytesOf(t))", as_text(given))) == given


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


def settle(page: Page) -> None:
    """Wait until the newest request is answered."""
    page.evaluate("() => new Promise((r) => requestAnimationFrame(() => setTimeout(r)))")
    page.evaluate(
        "() => new Promise((r) => { const look = () => document.body.dataset.asked ==="
        " document.body.dataset.answer ? r() : setTimeout(look); look(); })"
    )


def seen(page: Page) -> np.ndarray[Any, Any]:
    """The image that the page says the networks see, (H, W)."""
    settle(page)
    levels = page.evaluate(
        "() => { const c = byId('seen'), copy = new OffscreenCanvas(c.width, c.height);"
        " const context = copy.getContext('2d', { willReadFrequently: true });"
        " context.drawImage(c, 0, 0);"
        " const { data } = context.getImageData(0, 0, c.width, c.height);"
        " return [c.height, c.width, Array.from(data).filter((_, i) => i % 4 === 0)]; }"
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
    drag(page, [(0.3, 0.2), (0.3, 0.8)])
    one = seen(page)
    assert one.shape == (28, 28)
    assert one.any()
    assert page.locator("#verdict").inner_text().endswith("of 4 networks")
    for card in page.locator("#networks article").all():
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


def test_answers_come_from_a_worker_and_the_newest_drawing_wins(page: Page) -> None:
    assert len(page.workers) == 1
    before = int(page.evaluate("document.body.dataset.answer"))
    drag(page, [(0.3, 0.2), (0.5, 0.5), (0.3, 0.8), (0.7, 0.8)])
    settle(page)
    asked = int(page.evaluate("document.body.dataset.asked"))
    assert asked > before
    page.locator(f"body[data-mapped='{asked}']").wait_for()  # the slow work is for the last one
    assert "where a small square is covered" in page.locator("#map-text").inner_text()
    assert page.locator("#nearest canvas").count() == 5


def test_without_workers_the_page_answers_itself(browser: Browser, path: Path) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, offline=True)
    page = context.new_page()
    page.add_init_script("delete window.Worker")
    page.goto(path.as_uri())
    page.locator("#images button").first.wait_for()
    assert not page.workers
    drag(page, [(0.3, 0.2), (0.3, 0.8)])
    settle(page)
    assert page.locator("#verdict").inner_text() != "–"
    context.close()


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
    image = seen(page)
    assert f"labelled {name}" in page.locator("#seen-text").inner_text()
    test = ml.split(ml.load("fashion-mini")).test
    np.testing.assert_array_equal(image, test.images[0])


def test_a_picture_that_is_opened_is_prepared(page: Page, tmp_path: Path) -> None:
    from PIL import Image

    picture = np.full((120, 90), 255, np.uint8)  # dark on white paper
    picture[20:100, 30:60] = 30
    Image.fromarray(picture).save(tmp_path / "coat.png")
    page.locator("#file").set_input_files(tmp_path / "coat.png")
    page.locator("#verdict small").wait_for()
    rows, columns = (np.flatnonzero((seen(page) > 200).any(axis=axis)) for axis in (1, 0))
    assert (len(rows), len(columns)) == (28, pytest.approx(28 * 30 / 80, abs=1))


def test_a_file_that_is_no_picture_is_named(page: Page, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    page.locator("#file").set_input_files(tmp_path / "broken.png")
    page.locator("#notice", has_text="broken.png cannot be read as a picture.").wait_for()


NEAR = """async ([k, images]) => {
  const facts = JSON.parse(byId("facts").textContent);
  const page = loaded({ facts, buffer: await unpacked(byId("arrays").textContent) });
  return images.map((image) => {
    const work = page.references.near(page.networks[k], Uint8Array.from(image));
    let step = work.next();
    while (!step.done) step = work.next();
    return [step.value.distance, step.value.shown];
  });
}"""


@pytest.mark.parametrize("name", ON_PAGE)
def test_distances_to_training_images_are_those_of_python(
    name: str, page: Page, runs: dict[str, ml.Run]
) -> None:
    images = ml.load("fashion-mini").images[-20:]
    facts = page.evaluate("() => JSON.parse(byId('facts').textContent).references")
    pixels = page.evaluate(
        "async (place) => Array.from(arrayAt(await unpacked(byId('arrays').textContent), place))",
        facts["pixels"],
    )
    known = np.array(pixels, np.uint8).reshape(-1, 28, 28)
    classifier = runs[name].classifier("cpu")
    reference = Reference(features_of(classifier, known), np.arange(len(known)), 0.0)
    ours = features_of(classifier, images)
    found = page.evaluate(NEAR, [ON_PAGE.index(name), images.reshape(20, -1).tolist()])
    np.testing.assert_allclose([d for d, _ in found], distances(ours, reference), atol=1e-4)
    first = [shown[0] for _, shown in found]
    assert (np.array(first) == nearest(ours, reference, 1)[:, 0]).mean() > 0.9  # but for ties


OCCLUSION = """async (image) => {
  const facts = JSON.parse(byId("facts").textContent);
  const page = loaded({ facts, buffer: await unpacked(byId("arrays").textContent) });
  const work = occlusion(page.networks[0], Uint8Array.from(image), page);
  let step = work.next();
  while (!step.done) step = work.next();
  return { ...step.value, map: Array.from(step.value.map) };
}"""


def test_the_map_is_how_much_less_sure_the_classifier_is(
    page: Page, runs: dict[str, ml.Run]
) -> None:
    """Its greatest pixel is where the classifier itself loses most, of squares of 4 x 4."""
    image = ml.load("fashion-mini").images[-1]
    classifier = runs["softmax-tuned"].classifier("cpu")
    found = page.evaluate(OCCLUSION, image.ravel().tolist())

    def log_odds(of: np.ndarray[Any, Any]) -> Any:
        p = classifier.predict_proba(of).astype(np.float64)[:, found["best"]]
        return np.log(p) - np.log1p(-p)

    falls = np.zeros((28, 28))
    n_times = np.zeros((28, 28))
    for top in range(-2, 28, 2):
        for left in range(-2, 28, 2):
            square = (slice(max(top, 0), top + 4), slice(max(left, 0), left + 4))
            if image[square].any():
                covered = image.copy()
                covered[square] = 0
                falls[square] += log_odds(image[None])[0] - log_odds(covered[None])[0]
                n_times[square] += 1
    ours = falls / np.maximum(n_times, 1)
    np.testing.assert_allclose(np.reshape(found["map"], (28, 28)), ours, atol=2e-3)
    assert 0 <= found["likeness"] <= 1


def test_tabs_follow_arrow_keys_and_the_address(page: Page) -> None:
    page.locator("#tab-draw").focus()
    page.keyboard.press("ArrowRight")
    assert page.url.endswith("#models")
    assert page.locator("#panel-models").is_visible()
    assert not page.locator("#panel-draw").is_visible()
    page.keyboard.press("End")
    assert page.locator("#tab-inside").get_attribute("aria-selected") == "true"
    assert page.evaluate("document.activeElement.id") == "tab-inside"
    page.keyboard.press("ArrowRight")
    assert page.url.endswith("#draw")


def test_each_model_says_its_accuracy_its_size_and_its_time(
    page: Page, runs: dict[str, ml.Run]
) -> None:
    page.locator("#images button").first.click()
    settle(page)
    page.locator("#tab-models").click()
    cards = page.locator("#model-cards article")
    assert cards.count() == len(ON_PAGE)
    for card, name in zip(cards.all(), ON_PAGE, strict=True):
        text, result = card.inner_text(), runs[name].result
        assert f"{100 * result['test_accuracy']:.2f} %" in text
        assert f"interval {100 * result['test_accuracy_ci'][0]:.2f} to" in text
        assert f"{result['n_parameters']:,}" in text
        assert " ms" in text
    assert "flip, shift" in cards.nth(ON_PAGE.index("resnet-small")).inner_text()
    assert "licence: " in page.locator("#source").inner_text()


def test_mistakes_are_filtered_and_shown_on_the_drawing_tab(
    page: Page, runs: dict[str, ml.Run]
) -> None:
    page.locator("#tab-mistakes").click()
    page.locator("#mistaken-network").select_option("0")
    stored = runs["softmax-tuned"].predictions()
    wrong = stored.labels != stored.predicted
    cells = page.locator("#confusion button").all_inner_texts()
    assert sum(map(int, cells)) == wrong.sum()
    page.locator("#confusion button").first.click()  # the same as choosing two classes
    names = runs["softmax-tuned"].data["class_names"]
    true, predicted = (
        int(page.locator(f"#mistaken-{of}").input_value()) for of in ("true", "predicted")
    )
    assert ((stored.labels == true) & (stored.predicted == predicted)).any()
    page.locator("#mistaken-predicted").select_option("")
    page.locator("#mistaken-true").select_option("")
    tile = page.locator("#mistake-tiles button").first
    said = str(tile.get_attribute("aria-label")).split(",")[0]
    tile.click()
    settle(page)
    assert page.url.endswith("#draw")
    assert f"labelled {said}" in page.locator("#seen-text").inner_text()
    assert said in names


def test_the_inside_shows_every_layer_and_the_weights_of_softmax_regression(page: Page) -> None:
    page.locator("#images button").first.click()
    page.locator("#tab-inside").click()
    choice = page.locator("#panel-inside .chosen-network")
    choice.select_option(str(ON_PAGE.index("resnet-small")))
    page.locator("#layers h3", has_text="residual block").wait_for()
    assert not page.locator("#weights").is_visible()
    choice.select_option("0")
    page.locator("#weight-images figure").nth(9).wait_for()
    assert page.locator("#layers h3").all_inner_texts() == [
        "scaled 1 × 28 × 28",
        "linear 10 numbers",
    ]


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_is_wider_than_the_screen(width: int, page: Page) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    for tab in ("models", "mistakes", "inside", "draw"):
        page.locator(f"#tab-{tab}").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


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
