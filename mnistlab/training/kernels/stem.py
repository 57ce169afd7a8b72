"""Convolution of one channel, 3 x 3, with 2 x 2 max-pool and ReLU, in one pass over the image.

The 4 x 4 pixels under a window of the pool are all that its four results depend on. What backward
must know of them is which was the largest: one byte, see pooling.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import carray, njit

from mnistlab.training.kernels.arguments import at, floats, next_part, part_of
from mnistlab.training.kernels.pooling import pool_four
from mnistlab.training.kernels.vectors import (
    OPTIONS,
    WIDTH,
    loaded,
    plus,
    plus_product,
    spread,
    store_bytes,
    stored,
    where_byte,
)


@njit(**OPTIONS)
def pad(image: Any, padding: int, room: Any) -> None:
    """Copy an image (H, W) into the middle of room, whose border stays 0."""
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            room[i + padding, j + padding] = image[i, j]


@njit(**OPTIONS)
def forward(
    images: Any, weights: Any, bias: Any, padding: int, has_relu: int, results: Any, places: Any
) -> None:
    """images (n, H, W), weights (9 C,), bias (C,); results, places (n, H', W', C) are written."""
    n, height, width = images.shape
    C = len(bias)
    room = np.zeros((height + 2 * padding, width + 2 * padding), np.float32)
    for m in range(n):
        pad(images[m], padding, room)
        for i in range(results.shape[1]):
            for j in range(results.shape[2]):
                window = room[2 * i : 2 * i + 4, 2 * j : 2 * j + 4]
                for c in range(0, C, WIDTH):
                    r0 = r1 = r2 = r3 = loaded(bias, c)
                    for y in range(3):
                        for x in range(3):
                            w = loaded(weights, (3 * y + x) * C + c)
                            r0 = plus_product(r0, w, spread(window[y, x]))
                            r1 = plus_product(r1, w, spread(window[y, x + 1]))
                            r2 = plus_product(r2, w, spread(window[y + 1, x]))
                            r3 = plus_product(r3, w, spread(window[y + 1, x + 1]))
                    best, place = pool_four(r0, r1, r2, r3, has_relu)
                    stored(results[m, i, j], c, best)
                    store_bytes(places[m, i, j], c, place)


@njit(**OPTIONS)
def backward(
    images: Any, padding: int, gradients: Any, places: Any, dweights: Any, dbias: Any
) -> None:
    """gradients, places (n, H', W', C); dweights (9 C,), dbias (C,) are added to."""
    n, height, width = images.shape
    C = len(dbias)
    room = np.zeros((height + 2 * padding, width + 2 * padding), np.float32)
    for m in range(n):
        pad(images[m], padding, room)
        for c in range(0, C, WIDTH):
            # One name for each of the nine, so that they stay in registers; from 0 for every image,
            # because a long sum of float32 numbers loses digits.
            d0 = d1 = d2 = d3 = d4 = d5 = d6 = d7 = d8 = total = spread(np.float32(0))
            for i in range(gradients.shape[1]):
                for j in range(gradients.shape[2]):
                    gradient = loaded(gradients[m, i, j], c)
                    for q in range(4):
                        g = where_byte(places[m, i, j], c, q, gradient)
                        y, x = 2 * i + q // 2, 2 * j + q % 2
                        total = plus(total, g)
                        d0 = plus_product(d0, g, spread(room[y, x]))
                        d1 = plus_product(d1, g, spread(room[y, x + 1]))
                        d2 = plus_product(d2, g, spread(room[y, x + 2]))
                        d3 = plus_product(d3, g, spread(room[y + 1, x]))
                        d4 = plus_product(d4, g, spread(room[y + 1, x + 1]))
                        d5 = plus_product(d5, g, spread(room[y + 1, x + 2]))
                        d6 = plus_product(d6, g, spread(room[y + 2, x]))
                        d7 = plus_product(d7, g, spread(room[y + 2, x + 1]))
                        d8 = plus_product(d8, g, spread(room[y + 2, x + 2]))
            for t, d in enumerate((d0, d1, d2, d3, d4, d5, d6, d7, d8)):
                stored(dweights, t * C + c, plus(loaded(dweights, t * C + c), d))
            stored(dbias, c, plus(loaded(dbias, c), total))


def forward_of(number: type) -> Callable[[Any], None]:
    """The kernel for results of that type: np.float32, or np.uint16 for bfloat16."""

    def stem_forward(arguments: Any) -> None:
        given = carray(arguments, 14, np.int64)
        n_parts, n, height, width, C = given[1], given[2], given[3], given[4], given[5]
        padding, has_relu = given[6], given[7]
        shape = (n, (height + 2 * padding - 2) // 2, (width + 2 * padding - 2) // 2, C)
        images = carray(at(given[8]), (n, height, width), np.float32)
        weights = carray(at(given[9]), (C, 9), np.float32).T.copy().ravel()
        bias = floats(given[10], C)
        results = carray(at(given[11]), shape, number)
        places = carray(at(given[12]), shape, np.uint8)
        part = next_part(arguments)
        while part < n_parts:
            a, b = part_of(n, part, n_parts)
            forward(images[a:b], weights, bias, padding, has_relu, results[a:b], places[a:b])
            part = next_part(arguments)

    return stem_forward


def backward_of(number: type) -> Callable[[Any], None]:
    """The kernel for gradients of that type; every part adds to rows of its own."""

    def stem_backward(arguments: Any) -> None:
        given = carray(arguments, 14, np.int64)
        n_parts, n, height, width, C = given[1], given[2], given[3], given[4], given[5]
        padding = given[6]
        shape = (n, (height + 2 * padding - 2) // 2, (width + 2 * padding - 2) // 2, C)
        images = carray(at(given[8]), (n, height, width), np.float32)
        gradients = carray(at(given[9]), shape, number)
        places = carray(at(given[10]), shape, np.uint8)
        sums = carray(at(given[11]), (n_parts, 10 * C), np.float32)
        part = next_part(arguments)
        while part < n_parts:
            a, b = part_of(n, part, n_parts)
            of_weights, of_bias = sums[part, : 9 * C], sums[part, 9 * C :]
            backward(images[a:b], padding, gradients[a:b], places[a:b], of_weights, of_bias)
            part = next_part(arguments)

    return stem_backward
