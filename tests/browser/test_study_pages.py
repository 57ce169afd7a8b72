"""Pages of the kinds of study as a reader meets them, of tiny studies really run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from page_checks import OVERLAPS, TYPE_SIZES, WIDTHS_AND_SCHEMES, check_page
from quick_figures import without_png

from mnistlab.data import Dataset
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.reporting.study_report import study_report
from mnistlab.study import Arm, EmbeddingStudy, GridStudy, Study, run_study

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NET = Recipe("net", "A4", "scratch", (Phase("momentum", 0.02, 4),), scaling="min-max")
MACHINE = Recipe("machine", "A6", "svm", (), scaling="min-max")
NAMES = ("T-shirt/top", "a class with a rather long name", "<b>bold</b>", "Ankle boot")


def on(recipe: Recipe, n_train: int) -> Recipe:
    return replace(recipe, name=f"{recipe.name}-{n_train}", n_train=n_train)


STUDIES = {
    "growth": Study(
        name="growth",
        system="A8",
        question="Which of the two costs more as the training set grows?",
        arms=(
            Arm(NET),
            Arm(MACHINE),
            *(Arm(on(recipe, n)) for recipe in (NET, MACHINE) for n in (100, 200, 9999)),
        ),
        decide=lambda results: "One more than the other.",
        confusions=("net", "machine"),
        n_seeds=2,
    ),
    "settings": Study(
        name="settings",
        system="A5",
        question="What does the batch size do?",
        arms=tuple(
            Arm(replace(NET, name=f"batch-{size}", batch_size=size))
            for size in (8, 16, 32, 64, 128, 256, 512, 1024, 2048)
        ),
        decide=lambda results: "Little.",
        n_seeds=1,
    ),
    "grid": GridStudy(
        name="grid",
        system="A6",
        question="Which C and gamma?",
        recipe=MACHINE,
        rows=("C", (0.001, 1.0, 3.0)),
        columns=("gamma", ("scale", "auto", 0.05)),
        n_folds=2,
        n_search=80,
        decide=lambda result: "This one.",
    ),
    "embedding": EmbeddingStudy(
        name="embedding",
        system="A2",
        question="Do the classes part?",
        decide=lambda result: "They do.",
        protocol="official",
        n_map=120,
    ),
}


@pytest.fixture(scope="session")
def pages(stripes: Dataset, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    dataset = replace(stripes, class_names=NAMES)
    # Labels that say nothing: the names of all classes want to be written at one place.
    mixed = replace(dataset, labels=np.random.default_rng(0).permutation(stripes.labels))
    out = tmp_path_factory.mktemp("studies")
    with without_png():
        return {
            name: study_report(
                run_study(study, mixed if name == "embedding" else dataset, out=out, threads=1)
            )
            for name, study in STUDIES.items()
        }


@pytest.mark.parametrize(("width", "scheme"), WIDTHS_AND_SCHEMES)
@pytest.mark.parametrize("name", STUDIES)
def test_a_studys_page_is_silent_whole_and_fits(visit, pages, name, width, scheme):
    visited = visit(pages[name], width=width, scheme=scheme)
    check_page(visited, pages[name], width)
    sizes = visited.page.evaluate(TYPE_SIZES)
    assert len(sizes) == visited.page.locator("figure").count() >= 2
    assert visited.page.evaluate(OVERLAPS) == []  # names on the map, ticks, words on the curve


def test_names_on_a_map_have_a_halo_of_paper(visit, pages):
    for scheme in ("light", "dark"):
        page = visit(pages["embedding"], scheme=scheme).page
        paper, stroke, order = page.evaluate(
            """() => {
              const style = getComputedStyle(document.querySelector(".wide .halo text"));
              const paper = getComputedStyle(document.querySelector("figure")).backgroundColor;
              return [paper, style.stroke, style.paintOrder];
            }"""
        )
        assert stroke == paper
        assert order.startswith("stroke")
