"""An ensemble as one torch module: uint8 images in, the weighted mean of its members out."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mnistlab.classifiers import EnsembleClassifier
from mnistlab.classifiers.methods import Classifier
from mnistlab.evaluation.neighbours import Reference
from mnistlab.exporting.modules import Distance, Exported, module_of


class ExportedEnsemble(nn.Module):
    """Images uint8 (N, H, W) to probabilities float32 (N, K), sharpened by the temperature.

    members: modules of the same images, each sharpened by its own temperature. weights: of sum 1.
    The first member may give a second output, the distance to the nearest training images.
    """

    def __init__(
        self, members: Sequence[nn.Module], weights: Sequence[float], temperature: float = 1.0
    ) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.weights, self.temperature = list(weights), temperature

    @property
    def distance(self) -> Distance | None:
        """Of the first member."""
        distance = self.members[0].distance
        assert distance is None or isinstance(distance, Distance)
        return distance

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Probabilities (N, K), and distances (N,) where the first member gives them."""
        answers = [member(images) for member in self.members]
        by_member = [answer[0] if isinstance(answer, tuple) else answer for answer in answers]
        weighted = [p * weight for p, weight in zip(by_member, self.weights, strict=True)]
        mean = torch.stack(weighted).sum(0)
        if self.temperature != 1:
            lowest = torch.finfo(torch.float32).tiny
            mean = (mean.clamp_min(lowest).log() / self.temperature).softmax(1)
        first = answers[0]
        return (mean, first[1]) if isinstance(first, tuple) else mean


def exported_module(
    classifier: Classifier, temperature: float | None, reference: Reference | None = None
) -> Exported | ExportedEnsemble:
    """Any classifier as a module in evaluation mode; RunError for one without probabilities.

    reference: of an ensemble it holds what its heaviest member sees.
    """
    if not isinstance(classifier, EnsembleClassifier):
        return module_of(classifier, temperature, reference)
    order = classifier.order
    members = [
        module_of(
            classifier.members_[place],
            float(classifier.temperatures_[place]),
            reference if place == order[0] else None,
        )
        for place in order
    ]
    weights = classifier.weights_[order].tolist()
    return ExportedEnsemble(members, weights, temperature or 1.0).eval()
