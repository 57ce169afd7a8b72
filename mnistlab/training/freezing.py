"""What a phase trains of a network, and on what: all of it, or its last blocks on kept features.

A network of blocks, such as models.transfer's, says what `Blocks` asks for. While its first
blocks are frozen they make the same of an image in every epoch, so that is computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from mnistlab.phases import Phase
from mnistlab.training.augmentation import Augment
from mnistlab.training.examples import Examples
from mnistlab.training.features import can_be_kept, features_of


@runtime_checkable
class Blocks(Protocol):
    """A network whose first blocks can be frozen."""

    def unfreeze(self, n_blocks: int | None) -> None:
        """Train what is new and the last so many blocks; None trains everything."""

    def parts(self) -> tuple[nn.Module, nn.Module] | None:
        """What is frozen and what comes after it; None where the one does not precede the other."""

    def trained_by_block(self) -> list[list[nn.Parameter]]:
        """All that is trained: what is new, then the last block, the one before it and so on."""


class Trained(NamedTuple):
    """What a phase trains, on what, and on what it is judged.

    views: what epochs take in turn, (N, ...) each; augment is None where it is in them already.
    """

    network: nn.Module
    views: Sequence[Tensor]
    validation: Examples | None
    augment: Augment | None


def trained_in(
    phase: Phase,
    network: nn.Sequential,
    examples: Examples,
    validation: Examples | None,
    augment: Augment | None,
    autocast: bool,
    on_features: Callable[[int, int], None],
) -> Trained:
    """Freeze what the phase says, and keep what the frozen part makes of the images."""
    whole = Trained(network, [examples.X], validation, augment)
    blocks = _blocks(network)
    if blocks is None:
        return whole
    blocks.unfreeze(phase.unfrozen)
    parts = blocks.parts() if phase.unfrozen is not None and phase.kept_views else None
    if parts is None:
        return whole
    frozen, rest = nn.Sequential(*network[:-1], parts[0]), parts[1]
    if not can_be_kept(frozen, examples.X, autocast):
        return whole  # before all of them are augmented
    views = []
    for _ in range(phase.kept_views if augment else 1):
        images = examples.X if augment is None else _augmented(augment, examples)
        # Images that are mixtures have labels that are; and features may be too many to keep.
        features = None if images is None else features_of(frozen, images, autocast, on_features)
        if features is None:
            return whole
        views.append(features)
    judged_on = None
    if validation is not None:
        features = features_of(frozen, validation.X, False, on_features)
        if features is None:
            return whole
        judged_on = validation._replace(X=features)
    return Trained(rest, views, judged_on, None)


def groups_of(network: nn.Sequential, phase: Phase) -> list[nn.Parameter] | list[dict[str, Any]]:
    """What the optimizer of a phase changes; a group a block where each has its own rate.

    A group's "share" is that of the phase's learning rate.
    """
    blocks = _blocks(network)
    if blocks is None or not phase.needs_blocks:
        return list(network.parameters())
    by_block = blocks.trained_by_block()
    if phase.block_decay == 1:
        return [parameter for block in by_block for parameter in block]
    return [
        {"params": block, "share": phase.block_decay**depth}
        for depth, block in enumerate(by_block)
        if block
    ]


def _blocks(network: nn.Sequential) -> Blocks | None:
    """The network behind the scaling, where it is one of blocks."""
    last = network[-1] if len(network) else None
    return last if isinstance(last, Blocks) else None


def _augmented(augment: Augment, examples: Examples, batch_size: int = 1000) -> Tensor | None:
    """All images, augmented once; None where their labels are mixed as well."""
    images = []
    X, y = examples.X, examples.y
    for batch, labels in zip(X.split(batch_size), y.split(batch_size), strict=True):
        changed, targets = augment(batch, labels, None)  # weights change no images
        if targets.ndim > 1:
            return None
        images.append(changed)
    return torch.cat(images)
