"""`predict`, with a page of what was predicted where one is wanted."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from functools import partial
from pathlib import Path

from mnistlab.data.notes import heard, note, shown
from mnistlab.data.readers.shapes import Size, as_size
from mnistlab.runs import Run
from mnistlab.runs import predict as predict_into
from mnistlab.runs.predicting import open_beside_inputs, page_beside
from mnistlab.runs.predictions import chosen_threshold


def predict(
    run: Run,
    path: Path | str,
    out: Path | str,
    *,
    report: bool = False,
    size: int | Size | None = None,
    probabilities: bool = False,
    columns: tuple[str, str] | None = None,
    threshold: float | str | None = None,
    invert: str = "no",
    device: str = "auto",
    on_rows: Callable[[int], None] = lambda n_rows: None,
    on_note: Callable[[str], None] = note,
) -> int:
    """Predict the class of every image of a file or folder and write `out`, a table ID,label.

    report: write a page of the predictions as well, `page_beside(out)`: results.html for
    results.csv. It appears when it is whole, and takes the place only of what `out` itself might.
    All else, what is returned and what is raised are those of `mnistlab.runs.predict`.
    """
    into = partial(
        predict_into,
        run,
        path,
        out,
        size=size,
        probabilities=probabilities,
        columns=columns,
        threshold=threshold,
        invert=invert,
        device=device,
        on_rows=on_rows,
    )
    if not report:
        return into(on_note=on_note)
    from mnistlab.reporting.prediction_report import prediction_page
    from mnistlab.reporting.prediction_sample import PredictionSample
    from mnistlab.reporting.render import render

    limit = None
    if threshold is not None:
        limit = chosen_threshold(run, run.classifier(device), threshold)
    seen, said = PredictionSample(len(run.data["class_names"]), limit), list[str]()

    def on_noted(text: str) -> None:
        said.append(" ".join(shown(text).split()))
        on_note(text)

    with open_beside_inputs(run, path, page_beside(out)) as file, heard(said.append):
        n_images = into(on_note=on_noted, on_predicted=seen.add)
        command = _command(run, path, out, size, probabilities, columns, threshold, invert)
        page = prediction_page(run, Path(path).name, seen, list(dict.fromkeys(said)), command)
        file.write(render(page).encode())
    return n_images


def _command(
    run: Run,
    path: Path | str,
    out: Path | str,
    size: int | Size | None,
    probabilities: bool,
    columns: tuple[str, str] | None,
    threshold: float | str | None,
    invert: str,
) -> str:
    """What makes the page again."""
    words = ["mnistlab", "predict", str(run.path), str(path), "-o", str(out)]
    if (sides := as_size(size)) is not None:
        words += ["--size", "{}x{}".format(*sides)]
    if columns is not None:
        words += ["--columns", ",".join(columns)]
    if threshold is not None:
        words += ["--threshold", str(threshold)]
    if invert != "no":
        words += ["--invert", invert]
    return shlex.join([*words, *(["--probabilities"] if probabilities else []), "--report"])
