"""An exported network as a list of plain steps with their arrays, for runtimes without torch.

The page of an export runs these steps in JavaScript (page/network.js). A step is a JSON object:
its "op", its settings, and for each array its number in `arrays`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from mnistlab.errors import RunError
from mnistlab.exporting.modules import CalibratedMachine, Exported, PixelScaling
from mnistlab.models.residual import Residual

Step = dict[str, Any]


class Program(NamedTuple):
    """The steps from grey levels (H, W) to logits (K,), the arrays, and what follows the logits.

    views: names of the views whose probabilities are averaged; one, "as-is", of most networks.
    """

    steps: list[Step]
    arrays: list[NDArray[Any]]
    temperature: float
    padding: tuple[int, int, int, int]  # left, right, top, bottom


def program_of(module: Exported) -> Program:
    """The steps of an exported module; RunError for a layer that no step is known for."""
    arrays: list[NDArray[Any]] = []

    def numbered(values: Tensor) -> int:
        arrays.append(values.detach().cpu().numpy())
        return len(arrays) - 1

    left, right, top, bottom = module.padding
    steps = _steps(module.network, numbered)
    return Program(steps, arrays, module.temperature, (left, right, top, bottom))


def _steps(layer: nn.Module, numbered: Callable[[Tensor], int]) -> list[Step]:
    if isinstance(layer, nn.Sequential):
        return [step for part in layer for step in _steps(part, numbered)]
    if isinstance(layer, nn.Dropout | nn.Dropout2d | nn.Identity):
        return []  # nothing is dropped after training
    if isinstance(layer, Residual):
        return [{"op": "residual", "steps": _steps(layer.change, numbered)}]
    for kind, describe in STEPS.items():
        if isinstance(layer, kind):
            return [describe(layer, numbered)]
    raise RunError(
        f"a layer {type(layer).__name__} cannot be put on a page; export to a .onnx file instead"
    )


def _scaling(layer: Any, numbered: Callable[[Tensor], int]) -> Step:
    return {"op": "scale", "shift": numbered(layer.shift), "scale": numbered(layer.scale)}


def _convolution(layer: Any, numbered: Callable[[Tensor], int]) -> Step:
    step = {
        "op": "convolution",
        "weight": numbered(layer.weight),  # (C_out, C_in, k, k)
        "stride": list(layer.stride),
        "padding": list(layer.padding),
        "kernel": list(layer.kernel_size),
        "channels": layer.out_channels,
    }
    return step if layer.bias is None else step | {"bias": numbered(layer.bias)}


def _linear(layer: Any, numbered: Callable[[Tensor], int]) -> Step:
    step = {"op": "linear", "weight": numbered(layer.weight)}  # (n_out, n_in)
    return step if layer.bias is None else step | {"bias": numbered(layer.bias)}


def _normalisation(layer: Any, numbered: Callable[[Tensor], int]) -> Step:
    """Batch normalisation after training: one factor and one offset per channel."""
    factor = (layer.running_var + layer.eps).rsqrt() * layer.weight
    return {
        "op": "normalise",
        "factor": numbered(factor),
        "offset": numbered(layer.bias - layer.running_mean * factor),
    }


def _pool(layer: Any, numbered: Callable[[Tensor], int]) -> Step:
    height, width = np.broadcast_to(layer.kernel_size, 2).tolist()
    return {"op": "max-pool", "kernel": [height, width]}


def _machine(layer: Any, numbered: Callable[[Tensor], int]) -> Step:
    names = ("shift", "inverse", "half_squares", "coefficients", "intercepts", "sigmoids")
    return {
        "op": "support-vectors",
        "gamma": layer.gamma,
        "vectors": numbered(layer.vectors.T),  # (S, D)
        **{name: numbered(getattr(layer, name)) for name in names},
    }


STEPS: dict[type[nn.Module], Callable[[Any, Callable[[Tensor], int]], Step]] = {
    PixelScaling: _scaling,
    nn.Conv2d: _convolution,
    nn.Linear: _linear,
    nn.BatchNorm1d: _normalisation,
    nn.BatchNorm2d: _normalisation,
    nn.MaxPool2d: _pool,
    nn.ReLU: lambda layer, numbered: {"op": "relu", "slope": 0.0},
    nn.LeakyReLU: lambda layer, numbered: {"op": "relu", "slope": layer.negative_slope},
    nn.Tanh: lambda layer, numbered: {"op": "tanh"},
    nn.Sigmoid: lambda layer, numbered: {"op": "sigmoid"},
    nn.Flatten: lambda layer, numbered: {"op": "flatten"},
    CalibratedMachine: _machine,
}
