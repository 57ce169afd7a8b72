"""The pages of `data profile` and `data audit` as a reader meets them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from page_checks import WIDTHS_AND_SCHEMES, check_page
from quick_figures import without_png

import mnistlab as ml
from mnistlab.auditing.finding import audit
from mnistlab.auditing.page import audit_report
from mnistlab.data import Dataset
from mnistlab.profiling.measuring import profile
from mnistlab.profiling.page import profile_report

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture(scope="module")
def pages(stripes: Dataset, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    out = tmp_path_factory.mktemp("data")
    names = ("T-shirt/top", "a class with a rather long name", "<b>bold</b>", "Ankle boot")
    images, labels = stripes.images.copy(), stripes.labels.copy()
    labels[::40] = (labels[::40] + 1) % 4
    images[500], images[300] = images[20], 0
    flawed = replace(stripes, images=images, labels=labels, class_names=names)
    recipe = replace(ml.get_recipe("scratch-mlp-tuned"), phases=(ml.Phase("momentum", 0.02, 3),))
    found = audit(flawed, recipe=recipe, n_folds=2, out=out)
    assert len(np.unique([suspect.reason for suspect in found.suspects])) >= 3
    with without_png():
        return {
            "profile": profile_report(profile(flawed), out / "profile"),
            "audit": audit_report(found),
        }


@pytest.mark.parametrize(("width", "scheme"), WIDTHS_AND_SCHEMES)
@pytest.mark.parametrize("name", ["profile", "audit"])
def test_the_page_is_silent_whole_and_fits(visit, pages, name, width, scheme):
    check_page(visit(pages[name], width=width, scheme=scheme), pages[name], width)
