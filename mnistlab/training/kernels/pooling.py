"""2 x 2 max-pool and ReLU in one pass, and where each of its results was found.

One byte for each result: 0 to 3, the place of the largest in its window, or ZEROED. Backward needs
nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import carray, njit

from mnistlab.training.kernels.arguments import at, next_part, part_of
from mnistlab.training.kernels.vectors import (
    OPTIONS,
    WIDTH,
    larger,
    loaded,
    place_of_larger,
    spread,
    store_bytes,
    stored,
    where_byte,
    where_positive,
)

ZEROED = 4  # ReLU made it 0, and no gradient passes


@njit(**OPTIONS)
def pool_four(r0: Any, r1: Any, r2: Any, r3: Any, has_relu: int) -> Any:
    """The largest of four vectors, number by number, and its place; the first of equals."""
    place = place_of_larger(r0, r1, spread(np.float32(0)), spread(np.float32(1)))
    best = larger(r0, r1)
    place = place_of_larger(best, r2, place, spread(np.float32(2)))
    best = larger(best, r2)
    place = place_of_larger(best, r3, place, spread(np.float32(3)))
    best = larger(best, r3)
    if has_relu:
        place = where_positive(best, place, spread(np.float32(ZEROED)))
        best = where_positive(best, best, spread(np.float32(0)))
    return best, place


@njit(**OPTIONS)
def forward(images: Any, has_relu: int, results: Any, places: Any) -> None:
    """images (n, H, W, C) to results and places (n, H // 2, W // 2, C)."""
    n, height, width, C = results.shape
    for k in range(n):
        for i in range(height):
            upper, lower = images[k, 2 * i], images[k, 2 * i + 1]
            for j in range(width):
                for c in range(0, C, WIDTH):
                    best, place = pool_four(
                        loaded(upper[2 * j], c),
                        loaded(upper[2 * j + 1], c),
                        loaded(lower[2 * j], c),
                        loaded(lower[2 * j + 1], c),
                        has_relu,
                    )
                    stored(results[k, i, j], c, best)
                    store_bytes(places[k, i, j], c, place)


@njit(**OPTIONS)
def backward(gradients: Any, places: Any, dimages: Any) -> None:
    """gradients, places (n, H // 2, W // 2, C); all of dimages (n, H, W, C) is written."""
    n, height, width, C = gradients.shape
    dimages[:, 2 * height :] = 0
    dimages[:, :, 2 * width :] = 0
    for k in range(n):
        for i in range(height):
            for j in range(width):
                for c in range(0, C, WIDTH):
                    g = loaded(gradients[k, i, j], c)
                    for q in range(4):
                        pixel = dimages[k, 2 * i + q // 2, 2 * j + q % 2]
                        stored(pixel, c, where_byte(places[k, i, j], c, q, g))


def forward_of(number: type) -> Callable[[Any], None]:
    """The kernel for numbers of that type: np.float32, or np.uint16 for bfloat16."""

    def pool_forward(arguments: Any) -> None:
        given = carray(arguments, 10, np.int64)
        n_parts, n, height, width, C = given[1], given[2], given[3], given[4], given[5]
        shape = (n, height // 2, width // 2, C)
        images = carray(at(given[7]), (n, height, width, C), number)
        results = carray(at(given[8]), shape, number)
        places = carray(at(given[9]), shape, np.uint8)
        part = next_part(arguments)
        while part < n_parts:
            a, b = part_of(n, part, n_parts)
            forward(images[a:b], given[6], results[a:b], places[a:b])
            part = next_part(arguments)

    return pool_forward


def backward_of(number: type) -> Callable[[Any], None]:
    """The kernel for gradients of that type."""

    def pool_backward(arguments: Any) -> None:
        given = carray(arguments, 10, np.int64)
        n_parts, n, height, width, C = given[1], given[2], given[3], given[4], given[5]
        shape = (n, height // 2, width // 2, C)
        gradients = carray(at(given[7]), shape, number)
        places = carray(at(given[8]), shape, np.uint8)
        dimages = carray(at(given[9]), (n, height, width, C), number)
        part = next_part(arguments)
        while part < n_parts:
            a, b = part_of(n, part, n_parts)
            backward(gradients[a:b], places[a:b], dimages[a:b])
            part = next_part(arguments)

    return pool_backward
