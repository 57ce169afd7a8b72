"""An exported network as a list of plain steps with their arrays, for runtimes without torch.

The page of an export runs these steps in JavaScript (page/network.js). A step is a JSON object:
its "op", its settings, and for each array its number in `arrays`. Batch normalisation directly
behind a convolution is part of its weights, a ReLU is the "slope" of the step before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn, uint8
from torch.nn.utils import fuse_conv_bn_eval

from mnistlab.errors import RunError
from mnistlab.exporting.machine_module import CalibratedMachine
from mnistlab.exporting.modules import Exported, PixelScaling
from mnistlab.models.hog import HistogramsOfGradients
from mnistlab.models.residual import Residual

Step = dict[str, Any]
WITH_SLOPE = ("convolution", "linear", "normalise")  # steps that apply a ReLU to what they made
LEVEL_ERROR = 1e-2  # of a grey level; vectors further from whole levels were no images


class Program(NamedTuple):
    """The steps from grey levels (H, W) to logits (K,), the arrays, and what follows the logits.

    views: names in training/fixed_views.py; the probabilities of all their combinations are
    averaged, () of most networks.
    """

    steps: list[Step]
    arrays: list[NDArray[Any]]
    temperature: float
    padding: tuple[int, int, int, int]  # left, right, top, bottom
    views: tuple[str, ...]


def program_of(module: Exported, views: Sequence[str] = ()) -> Program:
    """The steps of an exported module; RunError for a layer that no step is known for."""
    arrays: list[NDArray[Any]] = []

    def numbered(values: Tensor) -> int:
        arrays.append(values.detach().cpu().numpy())
        return len(arrays) - 1

    left, right, top, bottom = module.padding
    steps = _steps(module.network, numbered)
    return Program(steps, arrays, module.temperature, (left, right, top, bottom), tuple(views))


def _steps(network: nn.Module, numbered: Callable[[Tensor], int]) -> list[Step]:
    steps: list[Step] = []
    for layer in _folded(list(_layers(network))):
        step = _step(layer, numbered)
        if step["op"] == "relu" and steps and steps[-1]["op"] in WITH_SLOPE:
            steps[-1]["slope"] = step["slope"]
        else:
            steps.append(step)
    return steps


def _layers(layer: nn.Module) -> Iterator[nn.Module]:
    """The layers in the order in which they are applied, without those that do nothing."""
    if isinstance(layer, nn.Sequential):
        for part in layer:
            yield from _layers(part)
    elif not isinstance(layer, nn.Dropout | nn.Dropout2d | nn.Identity):
        yield layer  # nothing is dropped after training


def _folded(layers: list[nn.Module]) -> list[nn.Module]:
    """Each convolution that a batch normalisation follows, as one convolution."""
    folded: list[nn.Module] = []
    for layer in layers:
        before = folded[-1] if folded else None
        if isinstance(layer, nn.BatchNorm2d) and isinstance(before, nn.Conv2d):
            folded[-1] = fuse_conv_bn_eval(before, layer)
        else:
            folded.append(layer)
    return folded


def _step(layer: nn.Module, numbered: Callable[[Tensor], int]) -> Step:
    if isinstance(layer, Residual):
        return {"op": "residual", "steps": _steps(layer.change, numbered)}
    for kind, describe in STEPS.items():
        if isinstance(layer, kind):
            return describe(layer, numbered)
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
    """Vectors are training images: their grey levels take a fraction of the scaled numbers' space.

    Coefficients (pairs, S) and the rest stay exact: a vote of two classes may hang on them.
    """
    if isinstance(layer.features, HistogramsOfGradients):
        raise RunError(
            "a machine on histograms of gradients is not for a page; export to a .onnx file instead"
        )
    scaled = layer.vectors.T.double()  # (S, D)
    levels = scaled / layer.inverse.flatten() + layer.shift.flatten()
    are_levels = bool((levels - levels.round()).abs().max() < LEVEL_ERROR)
    exact = ("shift", "inverse", "intercepts", "sigmoids")
    return {
        "op": "support-vectors",
        "gamma": layer.gamma,
        "areLevels": are_levels,
        "vectors": numbered(levels.round().to(uint8) if are_levels else scaled),
        "coefficients": numbered(layer.coefficients.T.double()),
        **{name: numbered(getattr(layer, name).double()) for name in exact},
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
