"""The page says in how many bins calibration was measured; the number must be the one used."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mnistlab.data import Dataset
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.reporting.evidence import evidence_sections
from mnistlab.runs import evaluate, read_evaluation, train

NET = Recipe("net", "A4", "scratch", (Phase("momentum", 0.02, 2),), scaling="min-max")


def error_in(n_bins: int, p: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Guo et al. 2017, equation 3."""
    confidence, is_right, error = p.max(1), p.argmax(1) == labels, 0.0
    for low in np.arange(n_bins) / n_bins:
        inside = (confidence > low) & (confidence <= low + 1 / n_bins)
        if inside.any():
            error += inside.mean() * abs(confidence[inside].mean() - is_right[inside].mean())
    return error


def test_calibration_error_in_the_bins_the_page_names(stripes: Dataset, tmp_path: Path) -> None:
    labels = stripes.labels.copy()
    labels[::3] = np.random.default_rng(0).integers(0, 4, len(labels[::3]))
    noisy = replace(stripes, labels=labels)
    run = evaluate(train(NET, noisy, out=tmp_path), noisy)
    sections = evidence_sections(read_evaluation(run, noisy))
    (metrics,) = (each for each in sections if each.title == "Metrics")
    said = next(row[2] for row in metrics.tables[0].rows if row[0] == "Calibration error")
    n_bins = int(re.search(r"(\d+) bins", str(said))[1])  # type: ignore[index]
    test = noisy.take(slice(noisy.n_official_train, None))
    p = run.classifier().predict_proba(test.images)
    errors = [error_in(n, p, test.labels) for n in range(n_bins - 1, n_bins + 2)]
    assert min(abs(errors[1] - errors[0]), abs(errors[1] - errors[2])) > 1e-4
    assert run.result["ece"] == pytest.approx(errors[1], abs=1e-9)
