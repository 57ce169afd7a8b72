"""Arrays of images in any usual shape and type, as grey images uint8 (N, H, W).

All arrays of a file get one scale: training images in 0..1 beside test images in 0..255 are not
told apart array by array.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.data import large
from mnistlab.data.notes import note
from mnistlab.data.readers import levels
from mnistlab.data.readers.shapes import Size, flat_size
from mnistlab.errors import DataError

Array = NDArray[Any]

RED, GREEN, BLUE = 19595, 38470, 7471  # ITU-R 601, of 65536, as Pillow weighs colours
FEWEST_LEVELS = 8  # of grey, between 0 and 1: so many are no black images
FEWEST_FLAT = 16  # pixels; a smaller image may be a single row
LONGEST_SIDE = 2048  # pixels; a longer row is no row of a single image
BLOCK_PIXELS = 1 << 22  # pixels per conversion: as float64 they take eight times the memory


class Span(NamedTuple):
    """The lowest and the highest value of several arrays."""

    low: float
    high: float


def to_images(
    arrays: Mapping[str, Array], where: str, size: Size | None
) -> dict[str, NDArray[np.uint8]]:
    """Each array as images; `size` is (H, W) of flat ones that are not square.

    Shapes are (N, H, W), (N, D), (N, H, W, C) and (N, C, H, W) with C of 1, 3 or 4 channels.
    Values are 0..255, booleans, 16 bits, or floats 0..1 or 0..255, as `levels` says. Raises
    DataError naming `where` and the array, with the line of Python that converts it.
    """
    shaped = {key: _shaped(array, f"{where}: {key}", size) for key, array in arrays.items()}
    factor = _factor(shaped, where)
    return {key: _converted(array, factor) for key, array in shaped.items()}


def _shaped(array: Array, where: str, size: Size | None) -> Array:
    """A view of the array as (N, H, W) or (N, H, W, 3 or 4)."""
    if array.ndim == 3 and _is_flat(array.shape[1:], size):
        array = array.reshape(len(array), -1)
    if array.dtype.kind not in "biuf":
        raise DataError(f"{where}: images must be numbers, got {array.dtype} {array.shape}")
    if array.size == 0:
        raise DataError(f"{where}: holds no images")
    if array.ndim == 2:
        return array.reshape(-1, *_flat_size(array.shape, size, where))
    if array.ndim == 4 and array.shape[3] == 1:
        return array[..., 0]
    if array.ndim == 4 and array.shape[1] == 1:
        return array[:, 0]
    if array.ndim == 4 and array.shape[1] in (3, 4) and array.shape[3] not in (3, 4):
        array = np.moveaxis(array, 1, 3)
    if array.ndim == 3 or (array.ndim == 4 and array.shape[3] in (3, 4)):
        return array
    raise DataError(
        f"{where}: {array.shape} is not (N, H, W), (N, D), (N, H, W, C) or (N, C, H, W) with 1, 3 "
        f"or 4 channels C; {_hint(array.shape)}"
    )


def _is_flat(shape: tuple[int, ...], size: Size | None) -> bool:
    """Whether an image of 1 x 784 pixels, say, is one of 28 x 28 that was laid flat."""
    n_pixels = shape[0] * shape[1]
    is_square = math.isqrt(n_pixels) ** 2 == n_pixels
    return (
        min(shape) == 1
        and n_pixels >= FEWEST_FLAT
        and is_square
        and size in (None, _side(n_pixels))
    )


def _side(n_pixels: int) -> Size:
    return math.isqrt(n_pixels), math.isqrt(n_pixels)


def _flat_size(shape: tuple[int, ...], size: Size | None, where: str) -> Size:
    n_pixels = shape[1]
    side = round((n_pixels / 3) ** 0.5)
    if size is None and 3 * side * side == n_pixels:
        raise DataError(
            f"{where}: {n_pixels} pixels are 3 colours of {side}x{side}; save "
            f"x.reshape(-1, 3, {side}, {side}) or x.reshape(-1, {side}, {side}, 3) instead"
        )
    try:
        return flat_size(n_pixels, size, where)
    except DataError as error:
        if n_pixels > LONGEST_SIDE or 4 * min(shape) < max(shape):
            raise
        raise DataError(f"{error}; if it is one image, save x[None] instead") from error


def _hint(shape: tuple[int, ...]) -> str:
    if len(shape) == 4 and shape[2] in (1, 3, 4):
        return "if the images are along the last axis, save np.moveaxis(x, -1, 0) instead"
    return "save x.reshape(len(x), height, width) instead"


def _factor(arrays: Mapping[str, Array], where: str) -> float:
    """The factor that gives 0..255; DataError for values of an unknown scale."""
    kinds = {array.dtype.kind for array in arrays.values()}
    if kinds == {"b"}:
        return 255
    spans = _levels(arrays, where)
    low, high = min(one.low for one in spans.values()), max(one.high for one in spans.values())
    span = Span(low, high)
    _check_one_scale(arrays, spans, where)
    if low < 0:
        raise _unknown_scale(arrays, span, where)
    if high <= levels.UNIT_HIGH and "f" in kinds:
        done = levels.what_was_done(high)
        note(f"{where}: its images are floats 0 to {high:g} {done}")
        return 255
    if not levels.is_unknown_scale(high, _has_fractions(arrays)):
        return 1
    if high >= levels.DARK_IN_16_BITS and all(a.dtype in ("<u2", ">u2") for a in arrays.values()):
        note(f"{where}: its images are of 16 bits and are divided by 257, to 0..255")
        return 1 / 257
    raise _unknown_scale(arrays, span, where)


def _unknown_scale(arrays: Mapping[str, Array], span: Span, where: str) -> DataError:
    """The error for levels of another scale, with the line that converts them."""
    types = {array.dtype for array in arrays.values()}
    low, high = span.low, span.high
    x = "x" if types <= {np.dtype(np.float32), np.dtype(np.float64)} else "x.astype(float)"
    is_symmetric = low < 0 < high <= levels.UNIT_HIGH and low >= -1
    if types == {np.dtype(np.int8)}:
        advice = (
            "if 128 to 255 became negative, save x.view('uint8'); if 128 was subtracted, save "
            f"({x} + 128).astype('uint8')"
        )
    elif is_symmetric and {one.kind for one in types} == {"f"}:
        end = 0.5 if low >= -0.5 and high <= 0.5 else 1.0
        factor = "255" if end == 0.5 else "(255 / 2)"
        advice = (
            f"if they mean -{end:g} to {end:g}, save "
            f"np.rint(({x} + {end:g}) * {factor}).clip(0, 255).astype('uint8')"
        )
    else:
        from_zero = f"({x} {'+' if low < 0 else '-'} {abs(low):g})" if low else x
        advice = (
            f"save np.rint({from_zero} * (255 / {(high - low) or 1:g})).astype('uint8') instead"
        )
    return DataError(
        f"{where}: its images go from {low:g} to {high:g}, where 0..255 or 0..1 is read; {advice}"
    )


def _check_one_scale(arrays: Mapping[str, Array], spans: Mapping[str, Span], where: str) -> None:
    """DataError for fractions of white in one array beside levels in another.

    An array of few values up to 1 may be nearly black images, and stays what it is.
    """
    low = [
        key
        for key, span in spans.items()
        if arrays[key].dtype.kind == "f" and 0 < span.high <= levels.UNIT_HIGH
        if len(np.unique(next(_blocks(arrays[key])))) >= FEWEST_LEVELS
    ]
    high = [key for key, span in spans.items() if span.high >= levels.FEW_LEVELS]
    if high and low:
        raise DataError(
            f"{where}: {low[0]} goes from 0 to {spans[low[0]].high:g}, but {high[0]} to "
            f"{spans[high[0]].high:g}; save both on one scale: {low[0]} * 255"
        )


def _levels(arrays: Mapping[str, Array], where: str) -> dict[str, Span]:
    """The lowest and highest value of each array; DataError for NaN and infinity."""
    spans = {}
    for key, array in arrays.items():
        lows, highs = [], []
        for block in _blocks(array):
            low, high = float(block.min()), float(block.max())
            if not (np.isfinite(low) and np.isfinite(high)):
                raise DataError(
                    f"{where}: {key}: holds NaN or infinity; save np.nan_to_num(x) instead"
                )
            lows.append(low)
            highs.append(high)
        spans[key] = Span(min(lows), max(highs))
    return spans


def _has_fractions(arrays: Mapping[str, Array]) -> bool:
    floats = [array for array in arrays.values() if array.dtype.kind == "f"]
    return any(bool((block % 1 != 0).any()) for array in floats for block in _blocks(array))


def _converted(array: Array, factor: float) -> NDArray[np.uint8]:
    if array.dtype == np.uint8 and array.ndim == 3 and factor == 1:
        return np.ascontiguousarray(array)

    def blocks() -> Iterator[NDArray[np.uint8]]:
        for block in _blocks(array):
            if block.dtype.kind in "bf" or factor != 1:
                bytes_ = levels.to_bytes(block.astype(np.float64) * factor)
            else:
                bytes_ = block.astype(np.uint8)
            yield bytes_ if bytes_.ndim == 3 else _grey(bytes_)

    return large.joined(blocks())


def _blocks(array: Array) -> Iterator[Array]:
    n = max(BLOCK_PIXELS // max(array[:1].size, 1), 1)
    return (array[i : i + n] for i in range(0, len(array), n))


def _grey(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Colours (N, H, W, 3), or with transparency (N, H, W, 4), as grey (N, H, W)."""
    red, green, blue = (colours[..., i].astype(np.uint32) for i in range(3))
    grey = ((red * RED + green * GREEN + blue * BLUE + (1 << 15)) >> 16).astype(np.uint8)
    if colours.shape[3] == 3 or (colours[..., 3] == 255).all():
        return grey
    # As for image files: white background under dark strokes, black under light ones.
    alpha = colours[..., 3] / 255.0
    weight = alpha.sum(axis=(1, 2), keepdims=True)
    is_dark = (grey * alpha).sum(axis=(1, 2), keepdims=True) < 128 * weight
    ground = np.where(is_dark, 255.0, 0.0)
    return np.rint(grey * alpha + ground * (1 - alpha)).astype(np.uint8)
