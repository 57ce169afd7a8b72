"""Backward of a convolution, its 2 x 2 max-pool and ReLU together.

Of four results of the convolution the pool takes one, and ReLU makes about half of those 0: seven
of eight numbers of the gradient are 0, and torch multiplies by all of them. Here every one that is
not 0 is multiplied twice: by the patch of the image that it came from, which gives the gradient of
the weights, and by the weights, which gives that of the image.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import carray, njit

from mnistlab.training.kernels.arguments import aligned, at, floats, next_part, part_of
from mnistlab.training.kernels.rows import gather, scatter
from mnistlab.training.kernels.vectors import OPTIONS, WIDTH, loaded, stored


@njit(**OPTIONS)
def pad(image: Any, padding: int, room: Any) -> None:
    """Copy an image (H, W, D) into the middle of room, flat, whose border stays 0."""
    height, width, D = image.shape
    row = (width + 2 * padding) * D
    for i in range(height):
        for j in range(width):
            for d in range(0, D, WIDTH):
                place = (i + padding) * row + (j + padding) * D + d
                stored(room, place, loaded(image[i, j], d))


@njit(**OPTIONS)
def unpad(room: Any, padding: int, image: Any) -> None:
    """The opposite of `pad`."""
    height, width, D = image.shape
    row = (width + 2 * padding) * D
    for i in range(height):
        for j in range(width):
            for d in range(0, D, WIDTH):
                place = (i + padding) * row + (j + padding) * D + d
                stored(image[i, j], d, loaded(room, place))


@njit(**OPTIONS)
def list_gradients(
    gradient: Any, place: Any, row: int, D: int, starts: Any, factors: Any, counts: Any
) -> None:
    """For each channel: the gradients (H', W', C) that pass, and where their patches begin.

    starts, factors (C, H' W' + 1), of which counts (C,) are filled.
    """
    height, width, C = gradient.shape
    corners = np.array([0, D, row, row + D, 0], np.int32)
    passes = np.array([1, 1, 1, 1, 0], np.int32)
    numbers = np.empty(C, np.float32)
    counts[:] = 0
    for i in range(height):
        for j in range(width):
            for c in range(0, C, WIDTH):
                stored(numbers, c, loaded(gradient[i, j], c))
            window, found = np.int32(2 * i * row + 2 * j * D), place[i, j]
            for c in range(C):
                # Written always and counted where it passes: no branch that a CPU has to guess.
                q, t = found[c], counts[c]
                starts[c, t] = window + corners[q]
                factors[c, t] = numbers[c]
                counts[c] = t + passes[q]


@njit(**OPTIONS)
def backward(
    images: Any,
    weights: Any,
    kernel_size: int,
    padding: int,
    gradients: Any,
    places: Any,
    dimages: Any,
    dweights: Any,
    dbias: Any,
) -> None:
    """images (n, H, W, D), weights (C k k D,); gradients and places (n, H', W', C) of the pool.

    dimages (n, H, W, D) is written; dweights (C k k D,) and dbias (C,) are added to.
    D, C: multiples of WIDTH.
    """
    n, height, width, D = images.shape
    C, k = len(dbias), kernel_size
    row, patch = (width + 2 * padding) * D, k * k * D
    room, droom = aligned((height + 2 * padding) * row), aligned((height + 2 * padding) * row)
    n_windows = gradients.shape[1] * gradients.shape[2]
    starts = np.empty((C, n_windows + 1), np.int32)
    factors = np.empty((C, n_windows + 1), np.float32)
    counts = np.empty(C, np.int32)
    for m in range(n):
        pad(images[m], padding, room)
        droom[:] = 0
        list_gradients(gradients[m], places[m], row, D, starts, factors, counts)
        for c in range(C):
            begins, scales, count = starts[c], factors[c], counts[c]
            gather(dweights, c * patch, k * D, room, row, begins, scales, count, k, k * D)
            scatter(weights, c * patch, k * D, droom, row, begins, scales, count, k, k * D)
            total = np.float32(0)
            for t in range(count):
                total += scales[t]
            dbias[c] += total
        unpad(droom, padding, dimages[m])


def backward_of(number: type) -> Callable[[Any], None]:
    """The kernel for images and gradients of that type; every part adds to rows of its own."""

    def convolution_backward(arguments: Any) -> None:
        given = carray(arguments, 16, np.int64)
        n_parts, n, height, width, D = given[1], given[2], given[3], given[4], given[5]
        C, k, padding = given[6], given[7], given[8]
        lost = 2 * padding - k + 1
        shape = (n, (height + lost) // 2, (width + lost) // 2, C)
        images = carray(at(given[9]), (n, height, width, D), number)
        weights = floats(given[10], C * k * k * D)
        gradients = carray(at(given[11]), shape, number)
        places = carray(at(given[12]), shape, np.uint8)
        dimages = carray(at(given[13]), (n, height, width, D), number)
        sums = carray(at(given[14]), (n_parts, C * k * k * D + C), np.float32)
        part = next_part(arguments)
        while part < n_parts:
            a, b = part_of(n, part, n_parts)
            of_weights, of_bias = sums[part, : len(weights)], sums[part, len(weights) :]
            gradient, place = gradients[a:b], places[a:b]
            dimage = dimages[a:b]
            backward(images[a:b], weights, k, padding, gradient, place, dimage, of_weights, of_bias)
            part = next_part(arguments)

    return convolution_backward
