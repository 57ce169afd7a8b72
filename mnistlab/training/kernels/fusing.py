"""Which layers of a network the kernels take the place of.

The network itself stays as it is: its layers, their names and their weights. Only its forward pass
is another one, which computes a convolution, its pool and its ReLU at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from mnistlab.training import kernels

Forward = Callable[[Tensor], Tensor]
WIDTH = 16  # channels that a kernel computes at once: see kernels.vectors
FEW = 8  # images to predict: calling the kernels takes longer than they save
MOST_WEIGHTS = 1 << 19  # of a convolution: its gradient is added up in several copies


def fused(network: nn.Module, autocast: bool = False) -> Forward:
    """The forward pass of a network with kernels; the network itself where none fits, or none are.

    autocast: whether it is called within autocast to bfloat16.
    """
    layers = _in_a_row(network)
    if not any(type(layer) is nn.MaxPool2d for layer in layers) or not kernels.in_use():
        return network
    dtype = torch.bfloat16 if autocast else torch.float32
    steps: list[Forward] = []
    i = 0
    while i < len(layers):
        step, n_layers = _step(layers[i:], dtype)
        steps.append(step)
        i += n_layers
    return network if steps == layers else partial(_run, network, tuple(steps))


def _run(network: nn.Module, steps: Sequence[Forward], images: Tensor) -> Tensor:
    is_few = len(images) < FEW and not torch.is_grad_enabled()
    if images.device.type != "cpu" or images.requires_grad or is_few:
        logits: Tensor = network(images)
        return logits
    for step in steps:
        images = step(images)
    return images


def _step(layers: Sequence[nn.Module], dtype: torch.dtype) -> tuple[Forward, int]:
    """The operation that comes first in a row of layers, and how many of them it takes."""
    kinds = [type(layer) for layer in layers[:3]]
    if kinds[0] is nn.MaxPool2d and _is_halving(layers[0]):
        has_relu = kinds[1:2] == [nn.ReLU]
        return partial(_pool, layers[0], has_relu), 1 + has_relu
    relu_first = kinds == [nn.Conv2d, nn.ReLU, nn.MaxPool2d]
    pool = layers[2] if relu_first else layers[1] if kinds[1:2] == [nn.MaxPool2d] else None
    if not _is_plain_convolution(layers[0]) or pool is None or not _is_halving(pool):
        return layers[0], 1
    has_relu = relu_first or kinds[2:] == [nn.ReLU]
    step = _convolution_step(layers[0], pool, has_relu, dtype)
    return step, 2 + has_relu


def _convolution_step(
    layer: nn.Module, pool: nn.Module, has_relu: bool, dtype: torch.dtype
) -> Forward:
    from mnistlab.training.kernels.operations import Pooled, convolution, stem

    assert isinstance(layer, nn.Conv2d)
    padding = layer.padding[0]
    assert isinstance(padding, int)
    how = Pooled(padding, has_relu)
    bias = torch.zeros(layer.out_channels) if layer.bias is None else layer.bias
    fits = layer.out_channels % WIDTH == 0
    if fits and layer.in_channels == 1 and layer.kernel_size == (3, 3):
        return lambda images: stem(images.float(), layer.weight, bias, how, dtype)
    fits = fits and layer.in_channels % WIDTH == 0
    if fits and layer.weight.numel() <= MOST_WEIGHTS:
        return lambda images: convolution(images.to(dtype), layer.weight, bias, how)
    return lambda images: _pool(pool, has_relu, layer(images))


def _pool(layer: nn.Module, has_relu: bool, images: Tensor) -> Tensor:
    """A pool and its ReLU; by torch where the number of channels does not suit the kernel."""
    if images.shape[1] % WIDTH == 0 and images.dtype in (torch.float32, torch.bfloat16):
        from mnistlab.training.kernels.operations import pool

        return pool(images, has_relu)
    pooled: Tensor = layer(images)
    return pooled.relu() if has_relu else pooled


def _is_plain_convolution(layer: nn.Module) -> bool:
    """Square, with stride 1, padded by zeros alike on all sides."""
    if type(layer) is not nn.Conv2d or isinstance(layer.padding, str):
        return False
    is_square = len({*layer.kernel_size}) == len({*layer.padding}) == 1
    is_dense = layer.stride == layer.dilation == (1, 1) and layer.groups == 1
    is_float = layer.weight.dtype == torch.float32
    return is_square and is_dense and is_float and layer.padding_mode == "zeros"


def _is_halving(layer: nn.Module) -> bool:
    """A pool of 2 x 2 pixels that drops a last odd row."""
    if type(layer) is not nn.MaxPool2d:
        return False
    sizes = [layer.kernel_size, layer.stride, layer.padding, layer.dilation]
    wanted = [(2, 2), (2, 2), (0, 0), (1, 1)]
    given = [(size, size) if isinstance(size, int) else tuple(size) for size in sizes]
    return given == wanted and not (layer.ceil_mode or layer.return_indices)


def _in_a_row(network: nn.Module) -> list[nn.Module]:
    """Layers that run one after the other; a module of any other kind counts as one."""
    if type(network) is not nn.Sequential:
        return [network]
    return [layer for part in network for layer in _in_a_row(part)]
