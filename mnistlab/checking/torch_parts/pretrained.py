"""Pretrained networks without a download: the same layers with weights that are made up.

MobileNetV2 has also narrower blocks, so that a check is fast; its 1,280 features stay.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models import _api, mobilenetv2

NARROW = 0.1
ASKED: list[str] = []  # names of the weights that were asked for


@contextlib.contextmanager
def made_up_weights() -> Iterator[None]:
    """Replace the two places in torchvision that this needs."""
    get, network = _api.WeightsEnum.get_state_dict, mobilenetv2.MobileNetV2

    def made_up(self: Any, *args: Any, **kwargs: Any) -> dict[str, Tensor]:
        ASKED.append(str(self))
        return _weights_of(_builder_of(type(self)))

    _api.WeightsEnum.get_state_dict = made_up
    mobilenetv2.MobileNetV2 = partial(network, width_mult=NARROW)
    try:
        yield
    finally:
        _api.WeightsEnum.get_state_dict, mobilenetv2.MobileNetV2 = get, network


def _builder_of(weights: type) -> Callable[..., nn.Module]:
    """The function of torchvision that makes the network of these weights."""
    for builder in _api.BUILTIN_MODELS.values():
        if _api._get_enum_from_fn(builder) is weights:
            return builder
    raise PermissionError("the checker gives no network: these weights cannot be downloaded")


def _weights_of(builder: Callable[..., nn.Module]) -> dict[str, Tensor]:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return builder(weights=None).state_dict()
