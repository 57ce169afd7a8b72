"""The page of an embedding study: variance by component, and the map."""

from __future__ import annotations

import numpy as np

from mnistlab.reporting.figures.scatter import embedding_map, variance_curve
from mnistlab.reporting.page import Fact, Page, Section, Table, columns
from mnistlab.study import EmbeddingResult


def embedding_page(result: EmbeddingResult, command: str) -> Page:
    """Question, answer, the two pictures and what neighbours agree on."""
    study = result.study
    curve = variance_curve(
        np.array(result.variance),
        caption="Principal component analysis of all training images, pixels from 0 to 1.",
    )
    points = embedding_map(
        result.points,
        result.labels,
        result.dataset.class_names,
        caption=f"t-SNE of {len(result.points):,} training images, perplexity "
        f"{result.perplexity:g}.",
    )
    return Page(
        title=f"{study.name} on {result.dataset.name}",
        question=study.question,
        answer=result.answer,
        facts=_facts(result),
        sections=(
            Section("The map", figures=(points,)),
            Section("Principal components", figures=(curve,)),
            Section("Neighbours", tables=(agreement_table(result),)),
        ),
        command=command,
    )


def agreement_table(result: EmbeddingResult) -> Table:
    """How often the nearest neighbours name an image's class, a row a space."""
    return Table(
        "Classes named by the ten nearest neighbours",
        columns("Space", "Correct:.4f"),
        tuple(result.agreement.items()),
        note=f"{len(result.points):,} training images, each left out of its own vote.",
    )


def _facts(result: EmbeddingResult) -> tuple[Fact, ...]:
    return (
        Fact("Data set", f"{result.dataset.name}, split {result.study.protocol}"),
        Fact("Components fitted on", _timed(result.n_train, result.time_s["pca"])),
        Fact("Map drawn of", _timed(len(result.points), result.time_s["map"])),
        Fact("Seed", str(result.study.seed)),
        Fact("Used", "the training part alone"),
    )


def _timed(n_images: int, time_s: float) -> str:
    return f"{n_images:,} images, {time_s:.1f}\N{NO-BREAK SPACE}s"
