"""Embeddings: how much of the images principal components and a two-dimensional map preserve."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistlab import atomic, machine
from mnistlab.cards import card
from mnistlab.data import Dataset, split
from mnistlab.data.embedding import (
    as_rows,
    neighbour_agreement,
    neighbour_map,
    principal_components,
    variance_shares,
)
from mnistlab.data.splits import sample
from mnistlab.study.settings import Settings


@dataclass(frozen=True)
class EmbeddingStudy:
    """A question about the images themselves; nothing is trained, and no label is used to embed.

    n_components: of the principal component analysis, fitted on the training part. n_map,
    perplexity: of the t-SNE map of n_map training images, classes in proportion; the first ones of
    a published set.
    """

    name: str
    system: str
    question: str
    decide: Callable[[EmbeddingResult], str]
    protocol: str
    n_components: int = 50
    n_map: int = 5000
    perplexity: float = 30.0
    data: str = "fashion-mini"
    seed: int = 0

    def run(self, dataset: Dataset, settings: Settings) -> EmbeddingResult:
        """Fit both on training images; other parts are not used."""
        train = split(dataset, self.protocol).train
        rows, sampled = as_rows(train.images), sample(train, self.n_map)
        with machine.n_threads(settings.execution.threads):
            start = time.perf_counter()
            pca = principal_components(rows, self.n_components, self.seed)
            pca_time_s, start = time.perf_counter() - start, time.perf_counter()
            rows, labels = as_rows(sampled.images), sampled.labels
            map_points, perplexity = neighbour_map(rows, self.perplexity, self.seed)
            map_time_s = time.perf_counter() - start
            result = EmbeddingResult(
                study=self,
                dataset=dataset,
                path=settings.folder_of(self, dataset),
                n_train=len(train),
                perplexity=perplexity,
                variance=variance_shares(pca),
                points=map_points,
                labels=labels,
                agreement={
                    "all pixels": neighbour_agreement(rows, labels),
                    f"{pca.n_components_} components": neighbour_agreement(
                        pca.transform(rows), labels
                    ),
                    "the map": neighbour_agreement(map_points, labels),
                },
                time_s={"pca": pca_time_s, "map": map_time_s},
                answer="",
            )
        result = replace(result, answer=self.decide(result))
        buffer = io.BytesIO()
        np.savez_compressed(buffer, points=map_points, labels=labels)
        atomic.write_bytes(result.path / "embedding.npz", buffer.getvalue())
        return result


@dataclass(frozen=True)
class EmbeddingResult:
    """perplexity: the one used, lower than the study's where there are few images.
    variance: fraction due to each component, largest first. points (n_map, 2), labels (n_map,).

    agreement: for each space, the fraction of images whose class is the most frequent among their
    ten nearest neighbours, the image itself not counted.
    """

    study: EmbeddingStudy
    dataset: Dataset
    path: Path
    n_train: int
    perplexity: float
    variance: tuple[float, ...]
    points: NDArray[np.float32]
    labels: NDArray[np.int64]
    agreement: dict[str, float]
    time_s: dict[str, float]
    answer: str

    def _repr_html_(self) -> str:
        facts = {"question": self.study.question, "folder": self.path}
        return card(f"study {self.study.name} on {self.dataset.name}", facts, text=self.answer)

    def to_json(self) -> dict[str, Any]:
        """result.json of the study: no arms, as nothing was trained."""
        return {
            "study": self.study.name,
            "system": self.study.system,
            "question": self.study.question,
            "data": self.dataset.name,
            "arms": [],
            "answer": self.answer,
            "n_train": self.n_train,
            "n_map": len(self.points),
            "perplexity": self.perplexity,
            "explained_variance": list(self.variance),
            "neighbour_agreement": self.agreement,
            "time_s": self.time_s,
        }
