"""The numbers of a page to draw on, in Chromium: JavaScript computes what Python does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from drawing import ON_PAGE, SMALL
from playwright.sync_api import Page

import mnistlab as ml
from mnistlab.classifiers import EnsembleClassifier
from mnistlab.data.preparing import PREPARATIONS, prepare
from mnistlab.evaluation import tempered
from mnistlab.evaluation.neighbours import Reference, distances, nearest
from mnistlab.exporting.packing import Packing, as_text
from mnistlab.exporting.page_content import network_of
from mnistlab.runs.neighbours import features_of

pytestmark = pytest.mark.slow

PROBABILITIES = """async ([network, text, height, width, images]) => {
  const buffer = await unpacked(text);
  const made = runnable(network, buffer, { height, width });
  return images.map((image) => made.probabilities(Uint8Array.from(image)));
}"""


@pytest.mark.parametrize("name", SMALL)
def test_its_probabilities_are_the_classifiers(
    name: str, drawing: Page, drawing_runs: dict[str, ml.Run]
) -> None:
    run = drawing_runs[name]
    classifier, packing = run.classifier("cpu"), Packing()
    network = network_of(run, name, classifier, packing)
    images = ml.load("fashion-mini").images[-60:]
    height, width = run.data["image_shape"]
    rows = images.reshape(len(images), -1).tolist()
    theirs = np.array(
        drawing.evaluate(PROBABILITIES, [network, packing.text(), height, width, rows])
    )
    ours = tempered(classifier.predict_proba(images), run.result.get("temperature") or 1.0)
    np.testing.assert_allclose(theirs, ours, atol=1e-4)
    np.testing.assert_array_equal(theirs.argmax(1), ours.argmax(1))


def packed_ensemble(
    runs: dict[str, ml.Run], names: list[str]
) -> tuple[EnsembleClassifier, dict[str, Any], str]:
    """Three networks as `mnistlab fit` joins them, and what the page has of that."""
    members = [runs[name].classifier("cpu") for name in names]
    weights, temperatures = np.array([0.3, 0.5, 0.2]), np.array([0.8, 1.0, 1.7])
    ensemble = EnsembleClassifier().take(members, weights, temperatures)
    first, packing = runs[names[0]], Packing()
    result = first.result | {"members": [{"recipe": name} for name in names], "temperature": 1.3}
    network = network_of(replace(first, result=result), "ensemble", ensemble, packing)
    assert [member["name"] for member in network["members"]] == [names[1], names[0], names[2]]
    return ensemble, network, packing.text()


def test_an_ensembles_probabilities_are_the_classifiers(
    drawing: Page, drawing_runs: dict[str, ml.Run]
) -> None:
    names = ["softmax-tuned", "resnet-small", "svm"]
    ensemble, network, text = packed_ensemble(drawing_runs, names)
    images = ml.load("fashion-mini").images[-60:]
    rows = images.reshape(len(images), -1).tolist()
    theirs = np.array(drawing.evaluate(PROBABILITIES, [network, text, 28, 28, rows]))
    ours = tempered(ensemble.predict_proba(images), 1.3)
    np.testing.assert_allclose(theirs, ours, atol=1e-4)
    np.testing.assert_array_equal(theirs.argmax(1), ours.argmax(1))


BESIDE_SHUFFLED = """async ([network, text, height, width, images]) => {
  const made = runnable(network, await unpacked(text), { height, width });
  const logits = made.besideShuffled();
  return images.map((image) => logits(Uint8Array.from(image)));
}"""


def test_an_ensembles_map_is_checked_against_members_that_are_all_shuffled(
    drawing: Page, drawing_runs: dict[str, ml.Run]
) -> None:
    names = ["softmax-tuned", "scratch-cnn", "svm"]  # no views: a map is of the image alone
    ensemble, network, text = packed_ensemble(drawing_runs, names)
    images = ml.load("fashion-mini").images[-10:]
    rows = images.reshape(len(images), -1).tolist()
    logits = np.array(drawing.evaluate(BESIDE_SHUFFLED, [network, text, 28, 28, rows]))
    assert logits.shape == (10, 9, 10)  # images, the network and eight orders, classes
    ours = tempered(ensemble.predict_proba(images), 1.3)
    np.testing.assert_allclose(np.exp(logits[:, 0]), ours, atol=1e-4)
    # Nothing that was learnt is left in the others: most answers are other ones.
    assert (logits[:, 1:].argmax(2) == ours.argmax(1)[:, None]).mean() < 0.5


def test_bytes_come_through_the_page_as_they_were(drawing: Page) -> None:
    random = np.random.default_rng(0)
    for n in (0, 1, 2, 3, 4, 5, 6, 7, 5000):
        content = random.integers(0, 256, n, np.uint8).tobytes()
        for given in (content, bytes(n), b"\x0d\x1a<\n" * n):
            assert bytes(drawing.evaluate("(t) => Array.from(bytesOf(t))", as_text(given))) == given


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
def test_it_prepares_pictures_to_the_pixel_as_python_does(preparation: str, drawing: Page) -> None:
    function = {"digit": "prepareDigit", "garment": "prepareGarment"}[preparation]
    given = [
        {"height": len(each), "width": each.shape[1], "levels": each.ravel().tolist()}
        for each in pictures()
    ]
    theirs = drawing.evaluate(f"(all) => all.map((each) => Array.from({function}(each)))", given)
    ours = prepare(pictures(), preparation)
    np.testing.assert_array_equal(np.array(theirs, np.uint8).reshape(ours.shape), ours)


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
    name: str, drawing: Page, drawing_runs: dict[str, ml.Run]
) -> None:
    images = ml.load("fashion-mini").images[-20:]
    facts = drawing.evaluate("() => JSON.parse(byId('facts').textContent).references")
    pixels = drawing.evaluate(
        "async (place) => Array.from(arrayAt(await unpacked(byId('arrays').textContent), place))",
        facts["pixels"],
    )
    known = np.array(pixels, np.uint8).reshape(-1, 28, 28)
    classifier = drawing_runs[name].classifier("cpu")
    reference = Reference(features_of(classifier, known), np.arange(len(known)), 0.0)
    ours = features_of(classifier, images)
    found = drawing.evaluate(NEAR, [ON_PAGE.index(name), images.reshape(20, -1).tolist()])
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
    drawing: Page, drawing_runs: dict[str, ml.Run]
) -> None:
    """Its greatest pixel is where the classifier itself loses most, of squares of 4 x 4."""
    image = ml.load("fashion-mini").images[-1]
    classifier = drawing_runs["softmax-tuned"].classifier("cpu")
    found = drawing.evaluate(OCCLUSION, image.ravel().tolist())

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
