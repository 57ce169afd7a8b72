"""What a phase trains of a network, and on what: all of it, or its last blocks on cached features.

A network of blocks, such as models.transfer's, has the methods of `Blocks`. While its first blocks
are frozen, they make the same features of an image in every epoch, which are computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from mnistlab.phases import Phase
from mnistlab.training.augmentation import Augment
from mnistlab.training.examples import Examples
from mnistlab.training.features import features_of, fit_in_cache
from mnistlab.training.settings import Settings


@runtime_checkable
class Blocks(Protocol):
    """A network whose first blocks can be frozen."""

    def unfreeze(self, n_blocks: int | None) -> None:
        """Train the new layers and the last n_blocks blocks; None trains everything."""

    def parts(self) -> tuple[nn.Module, nn.Module] | None:
        """The frozen part and the part after it; None where a trained layer precedes a frozen."""

    def trained_by_block(self) -> list[list[nn.Parameter]]:
        """All trained parameters: of the new layers, the last block, the block before and so on."""


class Trained(NamedTuple):
    """The part of a network that a phase trains, the images it takes, and how they are augmented.

    views: epochs take them in turn. augment: None where the views are augmented already.
    """

    network: nn.Module
    views: Sequence[Examples]
    validation: Examples | None
    augment: Augment | None


def trained_in(
    phase: Phase,
    network: nn.Sequential,
    examples: Examples,
    validation: Examples | None,
    settings: Settings,
    on_features: Callable[[int, int], None],
) -> Trained:
    """Freeze what the phase freezes; the last blocks with features, or the network with images."""
    augment = settings.augment
    whole = Trained(network, [examples], validation, augment)
    blocks = _blocks(network)
    if blocks is None:
        return whole
    blocks.unfreeze(phase.unfrozen)
    parts = blocks.parts() if phase.unfrozen is not None and phase.kept_views else None
    if parts is None:
        return whole
    frozen, rest = nn.Sequential(*network[:-1], parts[0]), parts[1]
    if not fit_in_cache(frozen, examples.X, settings.autocast):
        return whole  # asked before all images are augmented
    views = []
    for _ in range(phase.kept_views if augment else 1):
        images = examples.X if augment is None else _augmented(augment, examples)
        if images is None:  # mixtures: their labels are mixed as well, anew for every batch
            return whole
        features = features_of(frozen, images, settings.autocast, on_features)
        if features is None:
            return whole
        views.append(examples._replace(X=features, rows=None))
    if validation is not None:
        # Never in bfloat16: networks are validated in float32.
        features = features_of(frozen, validation.X, False, on_features)
        if features is None:
            return whole
        validation = validation._replace(X=features, rows=None)
    return Trained(rest, views, validation, None)


def groups_of(network: nn.Sequential, phase: Phase) -> list[nn.Parameter] | list[dict[str, Any]]:
    """What the optimizer of a phase changes: parameters, or a group per block with its lr_scale.

    lr_scale: the learning rate of the group, as a fraction of that of the phase.
    """
    blocks = _blocks(network)
    if blocks is None or not phase.needs_blocks:
        return list(network.parameters())
    by_block = blocks.trained_by_block()
    if phase.block_decay == 1:
        return [parameter for block in by_block for parameter in block]
    return [
        {"params": block, "lr_scale": phase.block_decay**depth}
        for depth, block in enumerate(by_block)
        if block
    ]


def _blocks(network: nn.Sequential) -> Blocks | None:
    """The network of blocks, which comes after the pixel scaling; None for any other network."""
    last = network[-1] if len(network) else None
    return last if isinstance(last, Blocks) else None


def _augmented(augment: Augment, examples: Examples, batch_size: int = 1000) -> Tensor | None:
    """All images, augmented once; None where augmentation mixes labels as well."""
    images = []
    X, y = examples.X, examples.y
    for batch, labels in zip(X.split(batch_size), y.split(batch_size), strict=True):
        changed, targets = augment(batch, labels, None)  # weights change labels, no images
        if targets.ndim > 1:
            return None
        images.append(changed)
    return torch.cat(images)
