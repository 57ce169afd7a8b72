"""The page of `mnistlab compare` as a reader meets it, of runs really trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from page_checks import WIDTHS_AND_SCHEMES, check_page
from quick_figures import without_png

from mnistlab.data import Dataset
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.reporting.compare_report import compare_report
from mnistlab.runs import compare, evaluate, train

pytestmark = [pytest.mark.slow, pytest.mark.browser]

NET = Recipe("net", "A4", "scratch", (Phase("momentum", 0.02, 2),), scaling="min-max")
LONG = replace(NET, name="a-recipe-whose-name-is-as-long-as-names-may-sensibly-be", batch_size=16)


@pytest.fixture(scope="module")
def page_path(stripes: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs")
    recipes = [replace(recipe, seed=seed) for recipe in (NET, LONG) for seed in (0, 1)]
    recipes.append(replace(NET, name="untrained", phases=()))
    runs = [evaluate(train(recipe, stripes, out=out), stripes) for recipe in recipes]
    with without_png():
        return compare_report(compare(runs, out=out))


@pytest.mark.parametrize(("width", "scheme"), WIDTHS_AND_SCHEMES)
def test_the_page_is_silent_whole_and_fits(visit, page_path, width, scheme):
    check_page(visit(page_path, width=width, scheme=scheme), page_path, width)


def test_the_page_says_what_was_found(visit, page_path):
    text = visit(page_path).page.locator("body").inner_text()
    assert "p is corrected for 3 comparisons (Holm)" in text
    assert "beats untrained by" in text
