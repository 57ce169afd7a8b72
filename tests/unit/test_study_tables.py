"""The cells of the documentation's tables: intervals over seeds and over images stay apart."""

from __future__ import annotations

import pytest
from scipy.stats import binomtest

from benchmarks import systems
from benchmarks.study_tables import accuracy_cells, accuracy_text, over_seeds_text, paired


def test_one_seed_has_an_interval_over_images_alone() -> None:
    low, high = binomtest(9200, 10_000).proportion_ci(method="wilson")
    images = f"{low:.4f} to {high:.4f}"
    assert accuracy_cells([0.92], 10_000) == ["0.9200", "–", images]
    mean, seeds, same = accuracy_cells([0.919, 0.92, 0.921], 10_000)
    assert (mean, same) == ("0.9200", images)
    assert seeds == over_seeds_text([0.919, 0.92, 0.921]) == "0.9175 to 0.9224"
    assert accuracy_cells([0.92], None) == ["0.9200", "–", "–"]
    assert accuracy_text([0.92]) == "0.9200"


def test_a_lost_class_has_no_f1_below_zero() -> None:
    low, high = map(float, over_seeds_text([0.0, 0.0, 0.58, 0.58, 0.0]).split(" to "))
    assert 0 < low < 0.232 < high < 1


def test_arms_are_paired_by_the_seeds_that_both_have() -> None:
    arm = {"seeds": [2, 0, 1], "test_accuracy": [0.93, 0.9, 0.91]}
    other = {"seeds": [0, 1, 2, 3, 4], "test_accuracy": [0.8, 0.8, 0.8, 0.1, 0.1]}
    found = paired(arm, other, "test_accuracy")
    assert found.n == 3
    assert found.mean == pytest.approx((0.1 + 0.11 + 0.13) / 3)
    assert paired(other, arm, "test_accuracy").mean == pytest.approx(-found.mean)


def test_rows_of_the_systems_keep_both_intervals_apart() -> None:
    for row in systems.ROWS:
        *_, seeds, images, n, _ = systems.cells(row)
        if n in ("1", "–"):
            assert seeds == "–"
        if row.metric != "test":
            assert images == "–"


def test_one_recipe_has_one_figure() -> None:
    b3, b4 = (
        next(row for row in systems.ROWS if (row.system, row.published) == wanted)
        for wanted in (("B3", "0.8527"), ("B4", "0.796"))
    )
    assert systems.cells(b3)[4:] == systems.cells(b4)[4:]


def test_what_tuning_gained_is_corrected_over_its_table() -> None:
    found = systems.gains("tune-layered-mlp", systems.SEARCHED)
    assert {each.n_together for each in found.values()} == {4}
    alone = found["mnist", "test_accuracy"].interval_at(0.95)
    assert found["mnist", "test_accuracy"].low < alone[0]
    assert found["mnist", "test_accuracy"].mean == pytest.approx(0.1456, abs=1e-3)
