"""`explain`: what was found, and where it is wanted the page of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Unpack

from mnistlab.data.notes import note
from mnistlab.errors import DataError
from mnistlab.explaining.explanation import ExplainOptions, Explanation
from mnistlab.explaining.measuring import explained
from mnistlab.own_pages import check_page
from mnistlab.runs.folder import Run, opened
from mnistlab.runs.prediction_files import input_path, open_beside_inputs

ENDINGS = (".html", ".htm")


def explain(
    run: Run | Path | str,
    path: Path | str,
    out: Path | str | None = None,
    *,
    on_image: Callable[[str, int], None] = lambda ident, n_images: None,
    on_note: Callable[[str], None] = note,
    **options: Unpack[ExplainOptions],
) -> Explanation:
    """Explain what a run says of the images of a file or folder, whichever `predict` reads.

    Of each image: maps of what speaks for the predicted class and what against it, by occlusion
    and by gradient times input; the training images that are most alike; whether it is unlike
    them; what the class is usually mistaken for. A sanity check compares the maps with those of
    shuffled weights.
    out: the page to write, FILE.html, which appears when it is whole; None writes none.
    on_image: called with the ID of each image that is done, and how many there are.
    options: see ExplainSettings. Raises DataError for what cannot be read or written, or does not
    fit, RunError for a class that the run does not know, and RecipeError for a setting out of its
    bounds. No file of the user's is ever replaced, but for an earlier page of mnistlab.
    """
    run, path = opened(run), input_path(path)
    if out is None:
        return explained(run, path, on_image=on_image, on_note=on_note, **options)
    from mnistlab.explaining.page import explanation_page
    from mnistlab.reporting.render import render

    out = Path(out)
    if out.suffix.lower() not in ENDINGS:
        raise DataError(f"{out}: the name of the page must end in .html")
    with open_beside_inputs(run, path, out) as file:
        check_page(out)
        found = explained(run, path, on_image=on_image, on_note=on_note, **options)
        file.write(render(explanation_page(found, out)).encode())
    return found
