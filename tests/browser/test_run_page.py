"""The page of an evaluated run as a reader meets it, with all its evidence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from page_checks import WIDTHS_AND_SCHEMES, check_page
from quick_figures import without_png

from mnistlab.data import Dataset
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.reporting.predicting import predict
from mnistlab.reporting.run_report import report
from mnistlab.runs import evaluate, measure_robustness, train

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PHASES = (Phase("momentum", 0.02, 2), Phase("momentum", 0.01, 2, "cosine"))
NET = Recipe(
    "net", "A4", "scratch", PHASES, {"hidden_sizes": (32, 16)}, scaling="min-max", log_steps=3
)


@pytest.fixture(scope="module")
def pages(stripes: Dataset, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Of a run that logged the loss of its steps, and of what it predicts."""
    out = tmp_path_factory.mktemp("runs")
    names = ("T-shirt/top", "a class with a rather long name", "<b>bold</b>", "Ankle boot")
    labels = np.where(np.arange(len(stripes)) % 5, stripes.labels, (stripes.labels + 1) % 4)
    dataset = replace(stripes, class_names=names, labels=labels)
    run = evaluate(train(NET, dataset, out=out), dataset)
    np.savez(out / "<b>new.npz", images=stripes.images[:90])
    predict(run, out / "<b>new.npz", out / "results.csv", report=True)
    with without_png():
        page = report(measure_robustness(run, dataset), dataset)
    return {"run": page, "predictions": out / "results.html"}


@pytest.mark.parametrize(("width", "scheme"), WIDTHS_AND_SCHEMES)
@pytest.mark.parametrize("name", ["run", "predictions"])
def test_the_page_is_silent_whole_and_fits(visit, pages, name, width, scheme):
    check_page(visit(pages[name], width=width, scheme=scheme), pages[name], width)


@pytest.mark.parametrize(("name", "n_figures"), [("run", 11), ("predictions", 4)])
def test_every_picture_has_words(visit, pages, name, n_figures):
    page = visit(pages[name]).page
    assert page.locator("figure").count() >= n_figures
    images = "[...document.querySelectorAll('figure [role=img], figure img')]"
    texts = page.evaluate(f"{images}.map(e => e.getAttribute('aria-label') || e.alt || '')")
    assert texts
    assert all(texts)
