"""The page of a fit that had time for a single training."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from mnistlab.data import Dataset
from mnistlab.fitting.beginning import recipe_for
from mnistlab.fitting.best import Best
from mnistlab.fitting.page import write_page
from mnistlab.fitting.subject import Subject
from mnistlab.fitting.trials import Trial
from mnistlab.runs import Execution
from mnistlab.runs.building import parts_of


def trial(number: int) -> Trial:
    """One that ended after ten seconds more than the one before."""
    began = 10.0 * (number - 1)
    return Trial(number, "mlp", "first", 0, 5, 100, began, 9.0, 0.5, 0.8, 1.0, best_accuracy=0.8)


@pytest.mark.parametrize(("n_trials", "has_curve"), [(1, False), (2, True)])
def test_no_section_is_empty(
    n_trials: int, has_curve: bool, stripes: Dataset, tmp_path: Path
) -> None:
    recipe = recipe_for(stripes, 1, seed=0)
    split = parts_of(recipe, stripes)
    subject = Subject(recipe, stripes, split, Execution(out=tmp_path), "float32", tmp_path)
    trials = [trial(number) for number in range(1, n_trials + 1)]
    even = np.full((len(split.val), stripes.n_classes), 1 / stripes.n_classes)
    best = Best((trials[0],), np.ones(1), 0.5, even)
    page = write_page(tmp_path, subject, trials, best, 10.0 * n_trials).read_text(encoding="utf-8")
    sections = re.findall(r"<section.*?</section>", page, flags=re.DOTALL)
    assert len(sections) > 2
    for section in sections:
        assert re.search(r"<(p|table|figure)\b", section), section[:200]
    assert ("What the time bought" in page) is has_curve
