"""Confident learning beside the paper's formulas, cleanlab, and labels flipped on purpose."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mnistlab.auditing.label_errors import (
    class_thresholds,
    confident_classes,
    confident_joint,
    find_label_errors,
    label_quality,
)
from mnistlab.errors import RecipeError

RANKINGS = ("self_confidence", "normalized_margin")

Case = tuple[NDArray[np.int64], NDArray[np.float64]]


def random_case(seed: int, n: int = 400, n_classes: int = 5, missing: int | None = None) -> Case:
    """Labels that follow the probabilities loosely; classes of unequal size."""
    random = np.random.default_rng(seed)
    sharpness = random.uniform(0.05, 2)
    p = random.dirichlet(np.linspace(1, 3, n_classes) * sharpness, n)
    labels = np.array([random.choice(n_classes, p=row) for row in p])
    flipped = random.random(n) < 0.2
    labels[flipped] = random.integers(0, n_classes, flipped.sum())
    if missing is not None:
        labels[labels == missing] = (missing + 1) % n_classes
    return labels, p


CASES = [random_case(seed) for seed in range(6)] + [
    random_case(6, missing=2),
    random_case(7, n=60, n_classes=2),
    random_case(8, n=12, n_classes=3, missing=0),
    (random_case(9)[0], random_case(9)[1].astype(np.float32).astype(np.float64)),
    (np.arange(30) % 3, np.eye(3)[np.arange(30) % 3]),  # sure, and right
    (np.arange(30) % 3, np.eye(3)[(np.arange(30) + (np.arange(30) > 24)) % 3]),  # five are not
    (np.arange(30) % 3, np.full((30, 3), 1 / 3)),  # nothing is known
]


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_it_is_what_the_paper_says(case: Case) -> None:
    labels, p = case
    n_classes = p.shape[1]
    thresholds, joint = np.full(n_classes, np.inf), np.zeros((n_classes, n_classes), dtype=int)
    for k in range(n_classes):
        if (labels == k).any():
            thresholds[k] = p[labels == k, k].mean()  # eq. 2
    likely = np.zeros(len(labels), dtype=bool)
    for i, row in enumerate(p):  # eq. 1, but for several confident classes
        confident = [k for k in range(n_classes) if row[k] >= thresholds[k] - 1e-6]
        if confident:
            best = confident[0] if len(confident) == 1 else max(range(n_classes), key=row.item)
            joint[labels[i], best] += 1
            likely[i] = best != labels[i] and row[labels[i]] + 1e-6 < row.max()
    np.testing.assert_allclose(class_thresholds(labels, p), thresholds)
    np.testing.assert_array_equal(confident_joint(labels, p), joint)
    found = find_label_errors(labels, p)
    np.testing.assert_array_equal(found.is_likely, likely)
    np.testing.assert_array_equal(found.suggested, p.argmax(1))


@pytest.mark.parametrize("ranking", RANKINGS)
@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_cleanlab_finds_the_same_in_the_same_order(case: Case, ranking: Any) -> None:
    pytest.importorskip("cleanlab")
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    labels, p = case
    own = find_label_errors(labels, p, ranking)
    is_likely = find_label_issues(labels, p, filter_by="confident_learning", n_jobs=1)
    quality = get_label_quality_scores(labels, p, method=ranking)
    np.testing.assert_array_equal(own.is_likely, is_likely)
    np.testing.assert_allclose(own.quality, quality, atol=1e-12)
    np.testing.assert_array_equal(own.order, np.lexsort((quality, ~is_likely)))
    ranked = find_label_issues(
        labels, p, filter_by="confident_learning", return_indices_ranked_by=ranking, n_jobs=1
    )
    n_likely = own.is_likely.sum()
    assert set(own.order[:n_likely]) == set(ranked)
    np.testing.assert_allclose(own.quality[own.order[:n_likely]], own.quality[ranked])


def test_the_cases_differ_in_what_they_hold() -> None:
    shares = [find_label_errors(labels, p).is_likely.mean() for labels, p in CASES]
    assert sum(0.02 < share < 0.6 for share in shares) >= 6
    assert shares[-3:] == [0, 5 / 30, 0]
    assert any((confident_classes(labels, p) == -1).any() for labels, p in CASES)


@pytest.mark.parametrize("ranking", RANKINGS)
def test_flipped_labels_come_first(ranking: Any) -> None:
    random = np.random.default_rng(0)
    true = random.integers(0, 4, 1000)
    logits = random.normal(0, 1, (1000, 4))
    logits[np.arange(1000), true] += 4
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    flipped = random.choice(1000, 50, replace=False)
    labels = true.copy()
    labels[flipped] = (true[flipped] + 1) % 4
    found = find_label_errors(labels, p, ranking=ranking)
    assert len(set(found.order[:50]) & set(flipped)) >= 45
    likely = np.flatnonzero(found.is_likely)
    assert len(set(likely) & set(flipped)) >= 35  # half of all are surer than the average
    assert len(set(likely) - set(flipped)) <= 5
    assert (found.suggested[likely] == true[likely]).mean() > 0.9


def test_quality_is_between_0_and_1_and_what_it_says() -> None:
    labels = np.array([0, 1, 2])
    p = np.array([[1.0, 0.0, 0.0], [0.7, 0.2, 0.1], [0.5, 0.5, 0.0]])
    np.testing.assert_allclose(label_quality(labels, p), [1, 0.2, 0])
    np.testing.assert_allclose(label_quality(labels, p, "normalized_margin"), [1, 0.25, 0.25])


def test_those_likely_wrong_come_before_others_of_lower_quality() -> None:
    # Class 0 is recognised with 0.95 on average, class 1 with 0.55: 0.6 is confident of it.
    p = np.array([[0.95, 0.05]] * 6 + [[0.45, 0.55]] * 6 + [[0.4, 0.6]] + [[0.7, 0.3]])
    labels = np.array([0] * 6 + [1] * 6 + [0, 1])
    found = find_label_errors(labels, p)
    assert np.flatnonzero(found.is_likely).tolist() == [12]
    assert found.quality[13] < found.quality[12]
    assert found.order[:2].tolist() == [12, 13]


def test_the_probabilities_are_left_alone() -> None:
    labels, p = random_case(1)
    before = p.copy()
    p.flags.writeable = False
    for ranking in RANKINGS:
        find_label_errors(labels, p, ranking=ranking)  # type: ignore[arg-type]
    np.testing.assert_array_equal(p, before)


def test_cleanlab_is_not_needed() -> None:
    code = "import sys; sys.modules['cleanlab'] = None; import mnistlab.auditing.label_errors"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_ranking() -> None:
    labels, p = random_case(1)
    with pytest.raises(RecipeError, match="unknown ranking 'zzz'; there are: "):
        find_label_errors(labels, p, "zzz")  # type: ignore[arg-type]
