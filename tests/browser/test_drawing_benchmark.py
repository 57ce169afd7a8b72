"""The measurements of a page to draw on, in small: drawn digits are recognised."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import mnistlab as ml
from mnistlab.data import available

drawing_page = pytest.importorskip("benchmarks.drawing_page")


@pytest.mark.slow
def test_digits_drawn_by_hand_are_recognised(tmp_path: Path) -> None:
    """The floor is below what one epoch of a small network reaches, far above resizing alone."""
    if available("mnist") is None:
        pytest.skip("mnist is in no folder of MNISTLAB_DATA")
    recipe = ml.set_fields(ml.get_recipe("cnn-small"), {"epochs": "1"})
    run = ml.evaluate(ml.train(recipe, "mnist", out=tmp_path, threads=1))
    # In a thread of its own: Playwright refuses a second browser in the thread of the session's.
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(drawing_page.measured, [run], n_drawings=50, n_parity=500).result()
    assert found["messages"] == []
    assert found["pointer_right"] >= 9
    (of_run,) = found["runs"]
    assert of_run["n_equal"] == of_run["n_images"] == 500
    assert of_run["largest_difference"] < 1e-4
    assert of_run["prepared"] >= 0.9
    assert of_run["resized"] < of_run["prepared"] - 0.2
    assert 0 <= of_run["unlike"] <= 1
    assert set(found["latency"]) == {"answer_ms", "move_ms", "frame_ms", "load"}
