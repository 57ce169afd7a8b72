"""The images in a request's body: pictures, grey levels as JSON or bytes, or several parts.

Whoever sends them may be hostile: every size is checked before anything is decoded.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.data.preparing import PREPARATIONS
from mnistlab.data.readers import pixels
from mnistlab.data.readers.content import DAMAGE
from mnistlab.errors import DataError
from mnistlab.serving.facts import Facts
from mnistlab.serving.multipart import parts_of
from mnistlab.serving.responses import RefusedError
from mnistlab.serving.settings import Limits

Image = NDArray[np.uint8]  # (H, W)

PREPARE = ("auto", "yes", "no")
FORMATS = ("PNG", "JPEG", "WEBP")  # of Pillow
MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF")
RAW, FORM, JSON, PARTS = (
    "application/octet-stream",
    "application/x-www-form-urlencoded",
    "application/json",
    "multipart/form-data",
)
LIGHT_BYTES = 1 << 14  # bodies of JSON that take less than a millisecond
ACCEPTED = f"image/png, image/jpeg, image/webp, {RAW} (grey levels), {JSON} or {PARTS}"


class Asked(NamedTuple):
    """How a body is to be read: its type, the network that it is for, and prepare=."""

    content_type: str  # with its parameters
    facts: Facts
    prepare: str
    limits: Limits

    @property
    def media_type(self) -> str:
        """The type without parameters."""
        return self.content_type.partition(";")[0].strip().lower()

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of the network's images."""
        height, width = self.facts.image_shape
        return height, width


def is_light(asked: Asked, body: bytes) -> bool:
    """Whether reading the body takes so little that the event loop can do it."""
    if asked.prepare == "yes":
        return False
    return asked.media_type == RAW or (asked.media_type == JSON and len(body) <= LIGHT_BYTES)


def read_images(asked: Asked, body: bytes) -> NDArray[np.uint8]:
    """The images of a body, uint8 (N, H, W) in the network's shape; RefusedError for others."""
    if not body:
        raise RefusedError(400, "the body is empty; send one or more images")
    kind = asked.media_type
    if kind == RAW:
        images = _raw(asked, body)
        return _fitted(asked, list(images)) if asked.prepare == "yes" else images
    return _fitted(asked, _reader(kind, body)(asked, body))


def _reader(kind: str, body: bytes) -> Callable[[Asked, bytes], Sequence[Image]]:
    if kind == JSON:
        return _from_json
    if kind == PARTS:
        return _from_parts
    # A picture sent by `curl --data-binary` without a type goes as a form.
    if kind.startswith("image/") or (kind in ("", FORM) and body.startswith(MAGIC)):
        return lambda asked, content: _pictures(asked, [content])
    raise RefusedError(415, f"the content type must be {ACCEPTED}")


def _raw(asked: Asked, body: bytes) -> NDArray[np.uint8]:
    height, width = asked.shape
    n_images, rest = divmod(len(body), height * width)
    if rest:
        raise RefusedError(
            422,
            f"{len(body)} bytes are no whole number of images of {height} x {width} grey levels, "
            f"{height * width} bytes each",
        )
    _check_n_images(asked, n_images)
    return np.frombuffer(body, np.uint8).reshape(n_images, height, width)


def _check_n_images(asked: Asked, n_images: int) -> None:
    if n_images > asked.limits.images:
        raise RefusedError(413, f"{n_images} images, of at most {asked.limits.images} in a request")


def _from_parts(asked: Asked, body: bytes) -> list[Image]:
    return _pictures(asked, parts_of(asked.content_type, body, asked.limits.images))


def _pictures(asked: Asked, contents: Sequence[bytes]) -> list[Image]:
    """Decoded as `predict` decodes image files, once their sizes are known to be small enough."""
    n_pixels = 0
    for content in contents:
        n_pixels += _n_pixels(content)
        _check_n_pixels(asked, n_pixels)
    try:
        return [pixels.decode(content, "the picture") for content in contents]
    except DataError as error:
        raise RefusedError(422, str(error)) from error


def _n_pixels(content: bytes) -> int:
    """How many pixels a picture says it has; RefusedError where it is none."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of sizes, which are judged below
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                return image.width * image.height
    except (*DAMAGE, Image.DecompressionBombError) as error:
        raise RefusedError(422, "not a readable PNG, JPEG or WEBP picture") from error


def _check_n_pixels(asked: Asked, n_pixels: int) -> None:
    if n_pixels > asked.limits.pixels:
        raise RefusedError(
            413, f"pictures of more than {asked.limits.pixels:,} pixels; make them smaller"
        )


def _from_json(asked: Asked, body: bytes) -> list[Image]:
    images = _listed(body)
    _check_n_images(asked, len(images))
    if all(isinstance(image, str) for image in images):
        return _pictures(asked, [_from_base64(text) for text in images])
    grey = [_levels(place, rows) for place, rows in enumerate(images)]
    _check_n_pixels(asked, sum(image.size for image in grey))
    return grey


def _listed(body: bytes) -> list[Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:  # no JSON, no UTF-8, or nested too deeply
        raise RefusedError(400, "the body is not JSON") from error
    images = content.get("images") if isinstance(content, dict) else None
    if not isinstance(images, list) or not images:
        raise RefusedError(422, 'the JSON must be {"images": [...]} with one or more images')
    return images


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RefusedError(422, "an image given as a text must be a picture in base64") from error


def _levels(place: int, rows: Any) -> Image:
    """Rows of grey levels as an image; NumPy alone would take fractions, and wrap numbers round."""
    is_table = isinstance(rows, list) and rows and all(isinstance(row, list) for row in rows)
    if is_table:
        try:
            levels = np.array(rows)
        except (ValueError, OverflowError):  # rows of different lengths
            levels = np.zeros(0)
        is_grey = levels.ndim == 2 and levels.size > 0 and levels.dtype.kind in "iu"
        if is_grey and levels.min() >= 0 and levels.max() <= 255:
            return levels.astype(np.uint8)
    raise RefusedError(
        422,
        f"image {place} must be rows of equal length, each a list of whole numbers from 0 to 255, "
        "or every image a picture in base64",
    )


def _fitted(asked: Asked, images: Sequence[Image]) -> NDArray[np.uint8]:
    """The images in the network's shape: as they are, or prepared as its training data were."""
    if not images:
        raise RefusedError(422, "the body holds no image")
    return np.stack([_one_fitted(asked, image) for image in images])


def _preparation(asked: Asked) -> Callable[[Image], Image] | None:
    if asked.facts.preparation == "resized":
        return lambda image: pixels.resized(image, asked.shape)
    return PREPARATIONS.get(asked.facts.preparation)


def _one_fitted(asked: Asked, image: Image) -> Image:
    height, width = asked.shape
    if image.shape == (height, width) and asked.prepare != "yes":
        return image
    preparation = _preparation(asked)
    if preparation is None or asked.prepare == "no":
        why = "prepare=no leaves images as they are" if preparation else "it prepares no pictures"
        if asked.prepare == "yes":
            raise RefusedError(
                422, f"the network knows no preparation; send {height} x {width} pixels"
            )
        raise RefusedError(
            422,
            f"an image of {image.shape[0]} x {image.shape[1]} pixels where the network takes "
            f"{height} x {width}, and {why}",
        )
    prepared = preparation(image)
    if prepared.shape != (height, width):
        raise RefusedError(422, f"prepared images do not fit; send {height} x {width} pixels")
    return prepared
