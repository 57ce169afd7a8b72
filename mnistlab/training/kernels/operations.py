"""The kernels as operations of torch, with gradients.

Images are (N, C, H, W) in channels-last memory, float32 or bfloat16, on the CPU. A result is
bfloat16 where the images are, or are wanted so; weights and their gradients are float32.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn.functional import conv2d

from mnistlab.training.kernels.compiling import kernel
from mnistlab.training.kernels.threads import run

# How many parts a batch is computed in; fewer where each has a gradient of its own to add up.
N_PARTS, N_SUMS = 16, 8
LAST = torch.channels_last


class Pooled(NamedTuple):
    """A convolution with its pool. padding: of all sides. has_relu: whether ReLU follows."""

    padding: int
    has_relu: bool


def stem(images: Tensor, weight: Tensor, bias: Tensor, how: Pooled, dtype: torch.dtype) -> Tensor:
    """Convolution of float32 images (N, 1, H, W) by weight (C, 1, 3, 3), pool and perhaps ReLU.

    C: a multiple of 16. The result has that dtype.
    """
    result: Tensor = _Stem.apply(images, weight, bias, how, dtype)[0]
    return result


def convolution(images: Tensor, weight: Tensor, bias: Tensor, how: Pooled) -> Tensor:
    """Convolution by weight (C, D, k, k), pool and perhaps ReLU; C and D: multiples of 16."""
    result: Tensor = _Convolution.apply(images, weight, bias, how)[0]
    return result


def pool(images: Tensor, has_relu: bool) -> Tensor:
    """2 x 2 max-pool and perhaps ReLU of C channels, a multiple of 16."""
    result: Tensor = _Pool.apply(images, has_relu)[0]
    return result


class _Stem(Function):
    @staticmethod
    def forward(
        images: Tensor, weight: Tensor, bias: Tensor, how: Pooled, dtype: torch.dtype
    ) -> tuple[Tensor, Tensor]:
        images, weight = images.contiguous(), weight.contiguous()
        (n, _, height, width), channels = images.shape, len(bias)
        sides = _pooled(height, 3, how.padding), _pooled(width, 3, how.padding)
        results = torch.empty((n, channels, *sides), dtype=dtype, memory_format=LAST)
        places = torch.empty_like(results, dtype=torch.uint8)
        run(
            kernel("stem", "forward_of", dtype),
            max(1, min(n, N_PARTS)),
            *(n, height, width, channels, how.padding, how.has_relu),
            *_addresses(images, weight, bias, results, places),
        )
        return results, places

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        images, weight, _, ctx.how, _ = inputs
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(images, weight, output[1])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, _: Any) -> tuple[Tensor | None, ...]:
        images, weight, places = ctx.saved_tensors
        images = images.contiguous()
        (n, _, height, width), channels = images.shape, len(weight)
        gradient, n_parts = gradient.contiguous(memory_format=LAST), max(1, min(n, N_SUMS))
        sums = torch.zeros((n_parts, 10 * channels))
        run(
            kernel("stem", "backward_of", gradient.dtype),
            n_parts,
            *(n, height, width, channels, ctx.how.padding, 0),
            *_addresses(images, gradient, places, sums),
        )
        total = sums.sum(0)
        dweight = total[: 9 * channels].view(9, channels).t().reshape(weight.shape)
        return None, dweight, total[9 * channels :], None, None


class _Convolution(Function):
    @staticmethod
    def forward(images: Tensor, weight: Tensor, bias: Tensor, how: Pooled) -> tuple[Tensor, Tensor]:
        weight, bias = weight.to(images.dtype), bias.to(images.dtype)
        return _pool(conv2d(images, weight, bias, padding=how.padding), how.has_relu)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        images, weight, _, ctx.how = inputs
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(images, weight, output[1])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, _: Any) -> tuple[Tensor | None, ...]:
        images, weight, places = ctx.saved_tensors
        gradient, padding = gradient.contiguous(memory_format=LAST), ctx.how.padding
        if gradient.dtype == torch.bfloat16 and has_matrix_units():
            sides = [side + 2 * padding - weight.shape[2] + 1 for side in images.shape[2:]]
            dconvolved = _unpool(gradient, places, sides)
            dimages, dweight, dbias = torch.ops.aten.convolution_backward(
                *(dconvolved, images, weight.bfloat16(), [len(weight)], [1, 1], [padding] * 2),
                *([1, 1], False, [0, 0], 1, [ctx.needs_input_grad[0], True, True]),
            )
            return dimages, dweight.float(), dbias.float(), None
        return *_sparse(images, weight, gradient, places, padding), None


class _Pool(Function):
    @staticmethod
    def forward(images: Tensor, has_relu: bool) -> tuple[Tensor, Tensor]:
        return _pool(images, has_relu)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        ctx.sides = inputs[0].shape[2:]
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(output[1])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, _: Any) -> tuple[Tensor | None, ...]:
        (places,) = ctx.saved_tensors
        return _unpool(gradient.contiguous(memory_format=LAST), places, ctx.sides), None


def _pool(images: Tensor, has_relu: bool) -> tuple[Tensor, Tensor]:
    """The results, and where each was found: see pooling."""
    images = images.contiguous(memory_format=LAST)
    n, channels, height, width = images.shape
    shape = (n, channels, height // 2, width // 2)
    results = torch.empty(shape, dtype=images.dtype, memory_format=LAST)
    places = torch.empty_like(results, dtype=torch.uint8)
    run(
        kernel("pooling", "forward_of", images.dtype),
        max(1, min(n, N_PARTS)),
        *(n, height, width, channels, has_relu),
        *_addresses(images, results, places),
    )
    return results, places


def _unpool(gradient: Tensor, places: Tensor, sides: Any) -> Tensor:
    """The gradient of images with those sides."""
    n, channels = gradient.shape[:2]
    dimages = torch.empty((n, channels, *sides), dtype=gradient.dtype, memory_format=LAST)
    run(
        kernel("pooling", "backward_of", gradient.dtype),
        max(1, min(n, N_PARTS)),
        *(n, *sides, channels, 0),
        *_addresses(gradient, places, dimages),
    )
    return dimages


def _sparse(
    images: Tensor, weight: Tensor, gradient: Tensor, places: Tensor, padding: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of images, weight and bias; see kernels.convolution."""
    (n, depth, height, width), (channels, _, k, _) = images.shape, weight.shape
    images, n_parts = images.contiguous(memory_format=LAST), max(1, min(n, N_SUMS))
    weight = weight.contiguous(memory_format=LAST)
    dimages = torch.empty_like(images)
    sums = torch.zeros((n_parts, weight.numel() + channels))
    run(
        kernel("convolution", "backward_of", images.dtype),
        n_parts,
        *(n, height, width, depth, channels, k, padding),
        *_addresses(images, weight, gradient, places, dimages, sums),
    )
    total = sums.sum(0)
    rows = total[: weight.numel()].view(channels, k, k, depth)
    return dimages, rows.permute(0, 3, 1, 2), total[weight.numel() :]


@cache
def has_matrix_units() -> bool:
    """Whether torch multiplies in bfloat16 faster than our kernels leave out zeros: with AMX."""
    allowed = os.environ.get("ONEDNN_MAX_CPU_ISA", os.environ.get("DNNL_MAX_CPU_ISA", ""))
    if allowed and "amx" not in allowed.lower() and allowed.lower() not in ("all", "default"):
        return False
    if not hasattr(torch.cpu, "get_capabilities"):  # torch < 2.10
        return False
    return bool(torch.cpu.get_capabilities().get("amx_bf16"))


def _pooled(side: int, kernel_size: int, padding: int) -> int:
    return (side + 2 * padding - kernel_size + 1) // 2


def _addresses(*tensors: Tensor) -> list[int]:
    return [tensor.data_ptr() for tensor in tensors]
