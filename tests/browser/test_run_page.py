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
from mnistlab.reporting.run_report import report
from mnistlab.run import evaluate, measure_robustness, train

pytestmark = pytest.mark.browser

PHASES = (Phase("momentum", 0.02, 2), Phase("momentum", 0.01, 2, "cosine"))
NET = Recipe("net", "A4", "scratch", PHASES, {"hidden_sizes": (32, 16)}, scaling="min-max")


@pytest.fixture(scope="module")
def page_path(stripes: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    names = ("T-shirt/top", "a class with a rather long name", "<b>bold</b>", "Ankle boot")
    labels = np.where(np.arange(len(stripes)) % 5, stripes.labels, (stripes.labels + 1) % 4)
    dataset = replace(stripes, class_names=names, labels=labels)
    run = evaluate(train(NET, dataset, out=tmp_path_factory.mktemp("runs")), dataset)
    with without_png():
        return report(measure_robustness(run, dataset), dataset)


@pytest.mark.parametrize(("width", "scheme"), WIDTHS_AND_SCHEMES)
def test_the_page_is_silent_whole_and_fits(visit, page_path, width, scheme):
    check_page(visit(page_path, width=width, scheme=scheme), page_path, width)


def test_every_picture_has_words(visit, page_path):
    page = visit(page_path).page
    assert page.locator("figure").count() >= 10
    images = "[...document.querySelectorAll('figure [role=img], figure img')]"
    texts = page.evaluate(f"{images}.map(e => e.getAttribute('aria-label') || e.alt || '')")
    assert texts
    assert all(texts)
