"""The page of an audit: labels likely wrong, copies, blank images, each to be looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import numpy as np

from mnistlab.auditing.finding import Audit
from mnistlab.auditing.suspects import REASONS, Suspect
from mnistlab.reporting.bounds import spread, with_left_out
from mnistlab.reporting.commands import command_for
from mnistlab.reporting.figures.images import image_grid
from mnistlab.reporting.page import Cell, Fact, Figure, Page, Section, Table, columns
from mnistlab.reporting.render import write

N_SHOWN, N_ROWS = 64, 50
TITLES = {
    "label": "Labels likely wrong",
    "doubtful-label": "Doubtful labels",
    "duplicate": "Exact copies",
    "near-duplicate": "Near copies",
    "blank": "Blank images",
}


def audit_report(audit: Audit) -> Path:
    """Write report.html and figures/*.png into the audit's folder; the page's path."""
    data = audit.dataset
    command = command_for(data, "data", "audit")
    page = Page(
        kind="Audit",
        title=f"{data.name}, audited",
        question=f"Which labels of {data.name} may be wrong, and which images are there twice?",
        answer=_answer(audit),
        facts=(
            Fact("Data set", data.name),
            Fact("Images", f"{len(data):,}, all parts together"),
            Fact("Judged by", f"{audit.recipe.name}, {len(audit.accuracy)} folds"),
            Fact("Accuracy on held-out folds", f"{fmean(audit.accuracy):.4f}"),
            Fact("Labels looked for by", "confident learning"),
        ),
        sections=(
            Section(
                "Suspects",
                "Every suspect stands in suspects.csv beside this page, with its place in the "
                "data set. Suspicion is no proof: look before changing anything.",
                tables=(counts_table(audit),),
            ),
            *_labels(audit),
            *_copies(audit),
            *_blank(audit),
        ),
        command=command,
    )
    return write(page, audit.path)


def counts_table(audit: Audit) -> Table:
    """Suspects by reason and part."""
    parts = list(dict.fromkeys(suspect.part for suspect in audit.suspects)) or ["all"]
    counts = Counter((suspect.reason, suspect.part) for suspect in audit.suspects)
    rows: list[tuple[Cell, ...]] = [
        (TITLES[reason], *(counts[reason, part] for part in parts)) for reason in REASONS
    ]
    titles = columns("Suspected for", *(f"Images, {part}:," for part in parts))
    return Table("Suspects", titles, tuple(rows))


def _answer(audit: Audit) -> str:
    n = {reason: len(audit.of(reason)) for reason in REASONS}
    found = audit.to_json()
    across = found["n_duplicates_across_parts"] + found["n_near_duplicates_across_parts"]
    return (
        f"Of {len(audit.dataset):,} images {n['label']:,} have a label that is likely wrong, "
        f"{n['duplicate']:,} are copies of an earlier one and {n['near-duplicate']:,} nearly so "
        f"({across:,} of a training image in the test part), and {n['blank']:,} show nothing."
    )


def _labels(audit: Audit) -> list[Section]:
    likely = audit.of("label")
    suspects = (*likely, *audit.of("doubtful-label"))
    if not suspects:
        return []
    names = audit.dataset.class_names
    titles = ("Image:,", "Part", "Its place there:,", "Label", "Suggested")
    rows = tuple(
        (
            s.index,
            s.part,
            s.index_in_part,
            names[s.label],
            "–" if s.suggested is None else names[s.suggested],
            float(audit.probabilities[s.index, s.label]),
        )
        for s in suspects[:N_ROWS]
    )
    note = f"The first {len(rows):,} of {len(suspects):,}." if len(suspects) > len(rows) else ""
    note = f"{len(likely):,} are likely wrong, the others doubtful. {note}".rstrip()
    columns_of_labels = columns(*titles, "Probability of the label:.4f")
    table = Table("Labels, worst first", columns_of_labels, rows, note=note)
    caption = "In red what classifiers say that never saw the image, below it the label it has."
    figures = tuple(
        _grid(
            audit,
            [suspect for suspect in suspects if suspect.part == part],
            caption,
            f"labels-{part}",
            f"Labels, {part}",
        )
        for part in dict.fromkeys(suspect.part for suspect in suspects)
    )
    return [Section("Labels likely wrong", tables=(table,), figures=figures)]


def _copies(audit: Audit) -> list[Section]:
    """Each copy beside the earlier image it is like."""
    figures = []
    for reason in ("duplicate", "near-duplicate"):
        every = audit.of(reason)
        suspects = [every[k] for k in spread(len(every), N_SHOWN // 2)]
        if suspects:
            places = np.array([place for s in suspects for place in (s.twin, s.index)])
            figures.append(
                image_grid(
                    audit.dataset.images[places],
                    audit.dataset.labels[places],
                    None,
                    audit.dataset.class_names,
                    caption=with_left_out(
                        "Pairs: the earlier image, then the one that is like it.",
                        len(suspects),
                        len(every),
                        "evenly over the set",
                        "pairs",
                    ),
                    name=reason,
                    title=TITLES[reason],
                )
            )
    return [Section("Copies", figures=tuple(figures))] if figures else []


def _blank(audit: Audit) -> list[Section]:
    suspects = audit.of("blank")
    if not suspects:
        return []
    caption = "Images with next to no contrast, the faintest first."
    figure = _grid(audit, suspects, caption, "blank", TITLES["blank"])
    return [Section(TITLES["blank"], figures=(figure,))]


def _grid(audit: Audit, suspects: Sequence[Suspect], caption: str, name: str, title: str) -> Figure:
    """The first suspects with what is suggested and the label they have."""
    shown = suspects[:N_SHOWN]
    labels = np.array([s.label for s in shown])
    suggested = np.array([s.label if s.suggested is None else s.suggested for s in shown])
    return image_grid(
        audit.dataset.images[[s.index for s in shown]],
        labels,
        suggested,
        audit.dataset.class_names,
        caption=with_left_out(caption, len(shown), len(suspects), "first", "images"),
        name=name,
        title=title,
    )
