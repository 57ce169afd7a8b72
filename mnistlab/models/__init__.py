"""Torch architectures, one family per file; nothing here depends on data or training.

A family is a function (image_shape, n_classes, **arguments) -> nn.Module whose
input is float (N, 1, H, W) and whose output is logits (N, K). To add one, write
its file and name it in MODELS: recipes, commands and contract tests find it there.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from mnistlab.errors import RecipeError
from mnistlab.models.backbones import extra_of
from mnistlab.models.cnn import cnn
from mnistlab.models.mlp import mlp
from mnistlab.models.residual import residual
from mnistlab.models.transfer import Transfer, transfer

__all__ = ["MODELS", "WITH_BLOCKS", "build", "count_parameters", "extra_of", "read_pretrained"]

MODELS: dict[str, Callable[..., nn.Module]] = {
    "mlp": mlp,
    "cnn": cnn,
    "residual": residual,
    "transfer": transfer,
}
WITH_KERNELS = ("cnn", "residual")  # families with layers that training.kernels can compute
WITH_BLOCKS = ("transfer",)  # families whose first blocks a phase can freeze


def build(
    name: str, image_shape: tuple[int, int], n_classes: int, arguments: Mapping[str, Any]
) -> nn.Module:
    """A network with fresh weights; RecipeError for an unknown model or argument."""
    if name not in MODELS:
        raise RecipeError(f"unknown model {name!r}; there are: {', '.join(MODELS)}")
    make = MODELS[name]
    try:
        inspect.signature(make).bind(image_shape, n_classes, **arguments)
    except TypeError as error:
        raise RecipeError(f"model {name}: {error}") from error
    return make(image_shape, n_classes, **arguments)


def count_parameters(network: nn.Module) -> int:
    """How many numbers training may change."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def read_pretrained(network: nn.Module) -> str | None:
    """Load a pretrained network's weights and return their source; None for other networks."""
    if not isinstance(network, Transfer):
        return None
    network.initialise()
    return network.origin
