"""Test accuracies by epoch on a study's page, of the arms that name these epochs beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mnistlab.data import Dataset
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.reporting.listing import listing_sections
from mnistlab.reporting.page import Number
from mnistlab.study import Arm, ArmResult, Study, run_study

EACH = Phase("momentum", 0.02, 3, snapshot_epochs=1)
SMALL = Recipe("small", "A9", "scratch", (EACH,), {"hidden_sizes": (8,)})
STAGES = replace(SMALL, name="two-stage", phases=(replace(EACH, epochs=2), replace(EACH, epochs=2)))
FEW = replace(SMALL, name="small-100", n_train=100, phases=(replace(EACH, snapshot_epochs=None),))


def nothing(results: Sequence[ArmResult]) -> str:
    return "Nothing."


def test_curves_of_the_arms_that_name_every_epoch(stripes: Dataset, tmp_path: Path) -> None:
    arms = tuple(Arm(recipe) for recipe in (SMALL, STAGES, FEW))
    result = run_study(
        Study("curves", "A14", "Which?", arms, nothing), stripes, n_seeds=2, out=tmp_path
    )
    (section,) = listing_sections(result)
    (table,), (figure,) = section.tables, section.figures
    assert [column.title for column in table.columns] == ["Epoch", "small", "two-stage"]
    assert [row[0] for row in table.rows] == [1, 2, 3, 4]
    assert table.rows[3][1] is None  # the small one had no fourth epoch
    assert "write-up" not in section.text
    assert "two-stage begins a new phase after epoch 2." in figure.caption
    assert "log scale" not in figure.svg
    small = result.arms[0]
    for run in small.runs:  # the weights that were kept are those of one of the epochs
        assert run.result["test_accuracy"] in run.result["test_accuracy_by_epoch"].values()
    first = [run.result["test_accuracy_by_epoch"]["1"] for run in small.runs]
    cell = table.rows[0][1]
    assert isinstance(cell, Number)
    assert cell.value == pytest.approx(np.mean(first))
