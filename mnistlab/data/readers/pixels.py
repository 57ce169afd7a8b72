"""One image file: decoded within limits, upright, as 8-bit grey.

Files may be photographs, drawings of any program, or hostile. Only formats of an allow-list are
tried; the content tells the format, never the name.
"""

from __future__ import annotations

import contextlib
import io
import re
import stat
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mnistlab.data.readers import content, levels
from mnistlab.data.readers.depths import Depths
from mnistlab.data.readers.shapes import Size
from mnistlab.errors import DataError, reason

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = frozenset(
    {".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".gif", ".webp"}
    | {".tif", ".tiff", ".pgm", ".ppm", ".pbm", ".pnm"}
)
KINDS = ", ".join(sorted(SUFFIXES))
# Pillow tells a format by the first bytes; for others, such as EPS, it would run programs.
FORMATS = ("PNG", "JPEG", "BMP", "DIB", "GIF", "WEBP", "TIFF", "PPM")
# Far beyond "small images", yet decoded in a tenth of a second.
MAX_IMAGE_PIXELS = 1 << 24
MAX_IMAGE_BYTES = 8 * MAX_IMAGE_PIXELS  # twice the size of the decoded pixels in colour

BITS_PER_SAMPLE, PHOTOMETRIC, SAMPLE_FORMAT = 0x0102, 0x0106, 0x0153
WHITE_IS_ZERO, SIGNED = 0, (2,)
ORIENTATION, TILE_WIDTH, TILE_LENGTH = 0x0112, 0x0142, 0x0143  # tags of EXIF and TIFF


def decode(
    file: Path | bytes, where: str, size: Size | None = None, depths: Depths | None = None
) -> NDArray[np.uint8]:
    """One image in grey, uint8 (H, W), resized (bilinear) to `size` if it is given.

    It is turned as its EXIF orientation says. Transparent pixels become white under dark strokes
    and black under light ones. An animation gives its first frame. 16 bits, and floats in 0..1, are
    scaled to 8 bits. `depths` counts such images. Raises DataError naming `where` for a file that
    is no image, damaged, or larger than MAX_IMAGE_PIXELS.
    """
    # Pillow is loaded only when there are images to decode.
    from PIL import Image

    try:
        with _opened(file, where) as image:
            depths = depths or Depths()
            grey = _upright(_grey(image, where, depths), image)
            if _has_several(image):
                depths.n_paged += image.format == "TIFF"
                depths.n_moving += image.format != "TIFF"
            return np.array(grey if size is None else _scaled(grey, size), dtype=np.uint8)
    except DataError:
        raise
    except (*content.DAMAGE, Image.DecompressionBombError) as error:
        # Pillow names an object of Python where the bytes come from a table.
        why = re.sub(r" <_io\.\S+ .*>", " its bytes", reason(error))
        raise DataError(f"{where}: not a readable image: {why}") from error


def resized(image: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    """A grey image (H, W) scaled to `size`, as `decode` scales those of files."""
    from PIL import Image

    return np.array(_scaled(Image.fromarray(image), size), dtype=np.uint8)


def _scaled(grey: Image, size: Size) -> Image:
    from PIL import Image

    height, width = size
    if grey.size == (width, height):
        return grey
    return grey.resize((width, height), Image.Resampling.BILINEAR)


def _has_several(image: Image) -> bool:
    """Whether more pages or frames follow; they may be damaged, as nobody reads them."""
    try:
        return bool(getattr(image, "is_animated", False))
    except content.DAMAGE:
        return True


def size_of(file: Path) -> Size | None:
    """(H, W) that `decode` would give, from the header alone; None if the file is no image."""
    from PIL import Image

    try:
        with _opened(file, str(file)) as image:
            is_turned = image.format != "TIFF" and _orientation(image) >= 5
            return image.size if is_turned else (image.height, image.width)
    except (DataError, *content.DAMAGE, Image.DecompressionBombError):
        return None


@contextlib.contextmanager
def _opened(file: Path | bytes, where: str) -> Iterator[Image]:
    """The image with its header read and its size checked; nothing is decoded yet."""
    from PIL import Image

    with _source(file, where) as source, warnings.catch_warnings():
        # Most warnings of Pillow, such as of an unknown tag, do not concern the pixels.
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(source, formats=FORMATS) as image:
            _check_pixels(image.width, image.height, where)
            tags = getattr(image, "tag_v2", {})  # a tile may be larger than its image
            _check_pixels(tags.get(TILE_WIDTH, 1), tags.get(TILE_LENGTH, 1), where)
            yield image


def _source(file: Path | bytes, where: str) -> IO[bytes]:
    """The bytes or the regular file that Pillow opens, neither too large.

    Never a path: Pillow would map the file, and then ignore its EXIF orientation.
    """
    if isinstance(file, bytes):
        n_bytes = len(file)
    else:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait, perhaps for ever
            raise DataError(f"{where}: not a readable image: no regular file")
        n_bytes = status.st_size
    if n_bytes > MAX_IMAGE_BYTES:
        raise DataError(f"{where}: {n_bytes} bytes; refused")
    return io.BytesIO(file) if isinstance(file, bytes) else file.open("rb")


def _check_pixels(width: int, height: int, where: str) -> None:
    if width * height > MAX_IMAGE_PIXELS:
        raise DataError(f"{where}: {width} x {height} pixels; refused")


def _grey(image: Image, where: str, depths: Depths) -> Image:
    """The image in mode L, not turned yet."""
    is_deep = ";16" in str(getattr(image, "tile", ""))  # Pillow takes the upper byte of colours
    image.load()
    tags = getattr(image, "tag_v2", {})
    bits, is_negative = tags.get(BITS_PER_SAMPLE), tags.get(PHOTOMETRIC) == WHITE_IS_ZERO
    if image.mode == "L" and tags.get(SAMPLE_FORMAT) == SIGNED:
        raise DataError(
            f"{where}: its pixels are signed, from -128 to 127; save it with 0 to 255: "
            "Image.fromarray(np.asarray(image) ^ 128)"
        )
    if image.mode == "F":
        return _from_floats(np.asarray(image), where, depths, is_negative)
    if image.mode.startswith("I"):
        depths.n_wide += bits == (32,)
        values = np.asarray(image)
        return _from_16_bits(values, image.info.get("transparency"), where, depths, is_negative)
    if image.has_transparency_data:
        grey = _composited(*_grey_and_alpha(image, is_deep), depths)
    else:
        grey = image.convert("L")
    if is_deep:
        depths.n_deep += 1
        depths.highest = max(depths.highest, 257 * int(np.max(np.asarray(grey))))
    return grey


def _grey_and_alpha(image: Image, is_deep: bool) -> tuple[Image, NDArray[np.uint8]]:
    colour = image.info.get("transparency")
    if is_deep and isinstance(colour, tuple):  # 16 bits, where the pixels have become 8
        image.info["transparency"] = tuple(value >> 8 for value in colour)
    # Palettes and single transparent colours as well.
    whole = image.convert("LA" if image.mode in ("1", "L", "LA", "La") else "RGBA")
    return whole.convert("L"), np.asarray(whole.getchannel("A"))


def _composited(grey: Image, alpha: NDArray[np.uint8], depths: Depths) -> Image:
    """Grey pixels on a background that shows them: white under dark ones, black under light ones.

    Drawing programs save strokes on a transparent background. The stored colour of transparent
    pixels, most often black, was never visible.
    """
    from PIL import Image

    if alpha.min() == 255:
        return grey
    values, weights = np.asarray(grey, dtype=np.float64), alpha / 255.0
    is_dark = bool(
        (values * weights).sum() < 128 * weights.sum()
    )  # of none to be seen: black ground
    ground = 255.0 if is_dark else 0.0
    if alpha.any():
        depths.n_on_white += is_dark
        depths.n_on_black += not is_dark
    mixed = values * weights + ground * (1.0 - weights)
    return Image.fromarray(np.rint(mixed).astype(np.uint8))


def _from_16_bits(
    values: NDArray[Any], transparent: Any, where: str, depths: Depths, is_negative: bool
) -> Image:
    """is_negative: 0 is white, which Pillow only knows of 8 bits."""
    from PIL import Image

    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 65535:
        raise DataError(f"{where}: values from {low} to {high}; {_how_to_convert(low, high)}")
    depths.n_deep += 1
    depths.highest = max(depths.highest, high)
    shown = 65535 - values.astype(np.int64) if is_negative else values
    grey = Image.fromarray(np.rint(shown / 257.0).astype(np.uint8))
    if not isinstance(transparent, int):
        return grey
    return _composited(grey, np.where(values == transparent, 0, 255).astype(np.uint8), depths)


def _from_floats(values: NDArray[Any], where: str, depths: Depths, is_negative: bool) -> Image:
    from PIL import Image

    low, high = float(values.min()), float(values.max())
    if not np.isfinite(values).all():
        raise DataError(
            f"{where}: floats from {low:g} to {high:g}, where 0..1 or 0..255 are read: it holds "
            "NaN or infinity; save it as Image.fromarray(np.nan_to_num(np.asarray(image), "
            "posinf=0, neginf=0))"
        )
    if not (low >= 0 and high <= 255):
        raise DataError(
            f"{where}: floats from {low:g} to {high:g}, where 0..1 or 0..255 are read; "
            f"{_how_to_convert(low, high)}"
        )
    is_unit = high <= levels.UNIT_HIGH
    if high > 0:  # a black image is of either scale
        depths.n_floats += 1
        depths.n_fractions += is_unit
        if is_unit:
            depths.highest_fraction = max(depths.highest_fraction, high)
    grey = levels.to_bytes(values.astype(np.float64) * (255 if is_unit else 1))
    return Image.fromarray(255 - grey if is_negative else grey)


def _how_to_convert(low: float, high: float) -> str:
    return (
        "save it with 8 bits: Image.fromarray(np.uint8("
        f"(np.asarray(image) - {low:g}) * (255 / {max(high - low, 1):g})))"
    )


def _orientation(image: Image) -> int:
    """1..8 as in EXIF; 1 (upright) where it is missing or cannot be read."""
    try:
        found = image.getexif().get(ORIENTATION, 1)
    except content.DAMAGE:
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def _upright(grey: Image, image: Image) -> Image:
    """Turned as the EXIF orientation says; Pillow has already turned TIFF files."""
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    turn = None if image.format == "TIFF" else turns.get(_orientation(image))
    return grey if turn is None else grey.transpose(turn)
