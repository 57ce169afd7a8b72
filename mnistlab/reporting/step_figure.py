"""The loss within the epochs of a run that logged it (write-up E's running loss)."""

from __future__ import annotations

import numpy as np

from mnistlab.reporting.figures.curves import step_losses_figure
from mnistlab.reporting.page import Figure
from mnistlab.runs import Run
from mnistlab.runs.logs import step_losses


def step_figures(run: Run) -> tuple[Figure, ...]:
    """A figure of steps.jsonl; none where there is none, or no loss in it was finite."""
    lines = step_losses(run.path)
    losses = np.array([np.nan if line["loss"] is None else line["loss"] for line in lines])
    if not np.isfinite(losses).any():
        return ()
    ends = {line["epoch"]: line["step"] for line in lines}  # of each epoch the last
    every = max(line["n_steps"] for line in lines)
    n_batch = run.recipe.batch_size
    of = f"every {every:,} steps" if every > 1 else "every step"
    figure = step_losses_figure(
        np.array([line["step"] for line in lines], dtype=np.int64),
        losses,
        list(ends.values()),
        caption=f"The mean loss of {of}, batches of {n_batch:,}, as the network was "
        "at these steps; a mean ends where its epoch ends. Vertical lines: ends of epochs.",
    )
    return (figure,)
