"""What the page of a run says of its model."""

from __future__ import annotations

from pathlib import Path

import pytest

from mnistlab.data import Dataset
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.reporting.run_report import report
from mnistlab.runs import evaluate, train


@pytest.mark.parametrize(
    ("sizes", "said"), [((), "mlp, no hidden layer"), ((16, 8), "mlp, hidden sizes 16-8")]
)
def test_the_page_names_the_hidden_layers(
    sizes: tuple[int, ...], said: str, stripes: Dataset, tmp_path: Path
) -> None:
    recipe = Recipe("tiny", "-", "mlp", (Phase("adam", 0.01, 1),), {"hidden_sizes": sizes})
    run = evaluate(train(recipe, stripes, out=tmp_path), stripes)
    assert said in report(run, stripes).read_text(encoding="utf-8")
