"""`predict`, with a page of the predictions where one is wanted."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Unpack

from mnistlab import runs
from mnistlab.data.notes import heard, note, shown
from mnistlab.data.readers.shapes import as_size
from mnistlab.own_pages import check_page
from mnistlab.runs import Run, opened
from mnistlab.runs.predicting import Predicted, PredictOptions, PredictSettings
from mnistlab.runs.prediction_files import input_path, open_beside_inputs, page_beside
from mnistlab.runs.predictions import chosen_threshold


def predict(
    run: Run | Path | str,
    path: Path | str,
    out: Path | str,
    *,
    report: bool = False,
    on_rows: Callable[[int], None] = lambda n_rows: None,
    on_note: Callable[[str], None] = note,
    on_predicted: Callable[[Predicted], None] | None = None,
    **options: Unpack[PredictOptions],
) -> int:
    """Predict the class of every image of a file or folder and write `out`, a table ID,label.

    report: write a page of the predictions as well, `page_beside(out)`: results.html for
    results.csv. It appears when it is whole, and takes the place only of an earlier page of
    mnistlab. All else, what is returned and what is raised are those of `mnistlab.runs.predict`.
    """
    if not report:
        return runs.predict(
            run, path, out, on_rows=on_rows, on_note=on_note, on_predicted=on_predicted, **options
        )
    from mnistlab.reporting.prediction_report import prediction_page
    from mnistlab.reporting.prediction_sample import PredictionSample
    from mnistlab.reporting.render import render

    run, path, settings = opened(run), input_path(path), PredictSettings(**options)
    notes: list[str] = []
    limit = None if settings.threshold is None else chosen_threshold(run, settings.threshold)
    sample = PredictionSample(len(run.data["class_names"]), limit)

    def on_noted(text: str) -> None:
        notes.append(" ".join(shown(text).split()))
        on_note(text)

    def on_block(block: Predicted) -> None:
        sample.add(block)
        if on_predicted is not None:
            on_predicted(block)

    beside = page_beside(out)
    with open_beside_inputs(run, path, beside) as file, heard(notes.append):
        check_page(beside)
        n_images = runs.predict(
            run, path, out, on_rows=on_rows, on_note=on_noted, on_predicted=on_block, **options
        )
        words = ["predict", str(run.path), str(path), "-o", str(out), *_arguments(settings)]
        command = shlex.join(["mnistlab", *words, "--report"])
        page = prediction_page(run, path.name, sample, list(dict.fromkeys(notes)), command)
        file.write(render(page).encode())
    return n_images


def _arguments(settings: PredictSettings) -> list[str]:
    """The command-line options that stand for these settings."""
    words = []
    if (sides := as_size(settings.size)) is not None:
        words += ["--size", "{}x{}".format(*sides)]
    if settings.columns is not None:
        words += ["--columns", ",".join(settings.columns)]
    if settings.threshold is not None:
        words += ["--threshold", str(settings.threshold)]
    if settings.invert != "no":
        words += ["--invert", settings.invert]
    words += [f"--{name}" for name in ("prepare", "unusual") if getattr(settings, name)]
    return [*words, *(["--probabilities"] if settings.probabilities else [])]
