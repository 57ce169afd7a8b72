"""The benchmark of fit: its peers read what it writes, and it is resumed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mnistlab as ml
from benchmarks import fit, fit_peers
from benchmarks.fit_data import DRAWS, FIGURES, write_parts
from benchmarks.your_image_sets import Parts


@pytest.fixture(scope="module")
def parts() -> Parts:
    """Some of the digits."""
    drawn = DRAWS["digits"](0)
    return Parts(*(array[:n] for array, n in zip(drawn, (200, 200, 60, 60, 90, 90), strict=True)))


def test_a_file_of_parts_is_read_as_they_are(parts: Parts, tmp_path: Path) -> None:
    data = ml.load(str(write_parts(parts, tmp_path / "digits-0.npz")))
    split = ml.split(data)
    for part, (X, y) in zip(
        (split.train, split.val, split.test),
        ((parts.X, parts.y), (parts.X_val, parts.y_val), (parts.X_test, parts.y_test)),
        strict=True,
    ):
        assert np.array_equal(part.images, X)
        assert np.array_equal(part.labels, y)


def test_a_peer_predicts_the_test_images(parts: Parts, tmp_path: Path) -> None:
    source, target = write_parts(parts, tmp_path / "p.npz"), tmp_path / "predicted.npy"
    fit_peers.main("HistGradientBoosting", str(source), str(target), "0.5")
    predicted = np.load(target)
    assert (predicted == parts.y_test).mean() > 0.5


def test_every_set_has_a_metric() -> None:
    assert FIGURES.keys() == DRAWS.keys()
    assert FIGURES["unbalanced"] == "balanced_accuracy"


def test_what_is_fitted_is_kept_and_compared_over_seeds(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fit, "FOLDER", tmp_path)
    monkeypatch.setitem(DRAWS, "digits", lambda seed: parts)
    asked: list[tuple[str, int]] = []

    def method_of(name: str) -> Any:
        def made(source: Path, seed: int, minutes: float, folder: Path) -> dict[str, Any]:
            asked.append((name, seed))
            accuracy = 0.9 + 0.01 * seed if name == "fit" else 0.8
            return {"accuracy": accuracy, "seconds": 61.2}

        return made

    monkeypatch.setattr(fit, "method_of", method_of)
    arguments = ["digits", "--methods", "fit", "FLAML", "--seeds", "3"]
    found = fit.bench(arguments)["digits"]
    assert len(asked) == 6
    assert found["methods"]["fit"]["overrun"] == pytest.approx([0.02] * 3)
    assert found["fit_against"]["FLAML"]["mean"] == pytest.approx(0.11)
    assert fit.bench(arguments)["digits"] == found
    assert len(asked) == 6  # all of them were read from their files


def test_one_of_four_fits_is_killed() -> None:
    killed = [fit.kill_after_s(f"{name}-{seed}", seed, 1.0) for name in DRAWS for seed in range(20)]
    moments = [seconds for seconds in killed if seconds is not None]
    assert 0.15 < len(moments) / len(killed) < 0.35
    assert all(12 <= seconds <= 54 for seconds in moments)
