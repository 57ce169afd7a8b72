"""Makes the page to draw on that the site shows: small networks, trained on the embedded clothes.

Finished runs are found again, so only the first build trains, for some seconds.
"""

from __future__ import annotations

from pathlib import Path

import mnistlab as ml

RUNS = Path(__file__).parents[1] / "build" / "site-runs"
NAME = "draw.html"
# By recipe, the settings that make it small.
NETWORKS = {"softmax-tuned": {"epochs": "4"}, "cnn-small": {"epochs": "4", "n_train": "3000"}}


def write(folder: Path) -> None:
    """Write draw.html into a folder whose files become the site's."""
    folder.mkdir(parents=True, exist_ok=True)
    runs = []
    for name, settings in NETWORKS.items():
        recipe = ml.set_fields(ml.get_recipe(name), settings)
        run = ml.train(recipe, "fashion-mini", out=RUNS, threads=1, progress=ml.Progress())
        runs.append(ml.evaluate(run))
    ml.export_page(runs, folder / NAME)
