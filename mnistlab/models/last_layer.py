"""A network in two: what computes its features, and the linear layer that tells classes by them."""

from __future__ import annotations

from typing import NamedTuple

from torch import nn

from mnistlab.models.transfer import Transfer


class Parts(NamedTuple):
    """The layers before the last linear layer, and the rest, which begins with it.

    before: images to features (N, D). Without a linear layer it is empty.
    """

    before: nn.Sequential
    after: nn.Sequential

    @property
    def are_pixels(self) -> bool:
        """Whether nothing is learned before the linear layer: the features are then the pixels."""
        return not any(True for _ in self.before.parameters())


def parts_of(network: nn.Module) -> Parts:
    """The network's own layers, in two rows that share its weights."""
    layers = _in_a_row(network)
    linear = [place for place, layer in enumerate(layers) if isinstance(layer, nn.Linear)]
    cut = linear[-1] if linear else 0
    return Parts(nn.Sequential(*layers[:cut]), nn.Sequential(*layers[cut:]))


def _in_a_row(module: nn.Module) -> list[nn.Module]:
    """Layers that run one after the other; a module of any other kind counts as one."""
    if isinstance(module, nn.Sequential):
        return [layer for part in module for layer in _in_a_row(part)]
    if isinstance(module, Transfer):
        return [module.prepare, module.backbone, *_in_a_row(module.head)]
    return [module]
