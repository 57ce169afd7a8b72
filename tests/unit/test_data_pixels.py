"""Decoding one image file: transparency, turns, depths and formats, against Pillow itself."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageOps

from mnistlab.data.readers import pixels
from mnistlab.data.readers.depths import Depths
from mnistlab.errors import DataError

RANDOM = np.random.default_rng(0)
GREY = RANDOM.integers(0, 256, (9, 7), dtype=np.uint8)
COLOUR = RANDOM.integers(0, 256, (9, 7, 3), dtype=np.uint8)


def saved(image: Image.Image | np.ndarray, kind: str = "PNG", **options: object) -> bytes:
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png(colour_type: int, bits: int, rows: np.ndarray, *extra: tuple[bytes, bytes]) -> bytes:
    """A PNG of rows that are packed already, for what Pillow does not write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    packed = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    header = struct.pack(">IIBBBBB", rows.shape[1], rows.shape[0], bits, colour_type, 0, 0, 0)
    chunks = [(b"IHDR", header), *extra, (b"IDAT", packed), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*one) for one in chunks)


def stroke(mode: str, ink: int, alpha: int = 255, beneath: int = 0) -> Image.Image:
    """A cross of that ink on nothing; what lies unseen below nothing is `beneath`."""
    bands = len(Image.new(mode, (1, 1)).getbands()) - 1
    image = Image.new(mode, (12, 12), (beneath,) * bands + (0,))
    pen = ImageDraw.Draw(image)
    pen.line((6, 1, 6, 10), fill=(ink,) * bands + (alpha,))
    pen.line((1, 6, 10, 6), fill=(ink,) * bands + (alpha,))
    return image


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("mode", ["LA", "RGBA"])
@pytest.mark.parametrize("beneath", [0, 255])
@pytest.mark.parametrize(("ink", "ground"), [(0, 255), (90, 255), (170, 0), (255, 0)])
def test_strokes_on_a_transparent_ground_are_kept(
    kind: str, mode: str, beneath: int, ink: int, ground: int
) -> None:
    image = stroke(mode, ink, beneath=beneath)
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    found = pixels.decode(saved(image, kind, **options), "x")
    seen = np.asarray(image.getchannel("A")) == 255
    assert set(found[seen].tolist()) == {ink}
    assert set(found[~seen].tolist()) == {ground}


def test_half_transparent_pixels_lie_between_the_ink_and_the_ground() -> None:
    image = stroke("RGBA", 0)
    image.putpixel((6, 6), (0, 0, 0, 64))
    found = pixels.decode(saved(image), "x")
    on_white = Image.alpha_composite(Image.new("RGBA", image.size, (255,) * 4), image)
    assert np.abs(found.astype(int) - np.asarray(on_white.convert("L"))).max() <= 1
    assert found[6, 6] == 191


def test_grounds_of_both_kinds_in_one_set_are_told() -> None:
    depths = Depths()
    for ink in (0, 30, 0):
        pixels.decode(saved(stroke("RGBA", ink)), "x", depths=depths)
    pixels.decode(saved(stroke("RGBA", 9, alpha=0)), "x", depths=depths)  # nothing to be seen
    assert depths.notes() == []
    pixels.decode(saved(stroke("LA", 255)), "x", depths=depths)
    (said,) = depths.notes()
    assert said.startswith("transparent images: 3 of dark strokes are put on white, 1 of light ")


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
@pytest.mark.parametrize("beneath", [0, 40, 255])
def test_an_image_of_nothing_visible_is_of_one_grey(mode: str, beneath: int) -> None:
    found = pixels.decode(saved(stroke(mode, 99, alpha=0, beneath=beneath)), "x")
    assert len(np.unique(found)) == 1


OPAQUE = {
    "PNG": ("L", "LA", "RGB", "RGBA", "P", "1"),
    "TIFF": ("L", "LA", "RGB", "RGBA", "P", "1", "CMYK", "YCbCr"),
    "WEBP": ("L", "RGB", "RGBA", "P"),
    "GIF": ("L", "RGB", "P", "1"),
    "BMP": ("L", "RGB", "RGBA", "P", "1"),
    "PPM": ("L", "RGB", "1"),
    "JPEG": ("L", "RGB", "CMYK", "YCbCr", "1"),
}


@pytest.mark.parametrize(("kind", "mode"), [(k, m) for k, modes in OPAQUE.items() for m in modes])
def test_opaque_images_are_what_pillow_calls_grey(kind: str, mode: str) -> None:
    raw = saved(Image.fromarray(COLOUR).convert(mode), kind)
    with Image.open(io.BytesIO(raw)) as again:
        assert np.array_equal(pixels.decode(raw, "x"), np.asarray(again.convert("L")))
        resized = again.convert("L").resize((5, 4), Image.Resampling.BILINEAR)
    assert np.array_equal(pixels.decode(raw, "x", (4, 5)), np.asarray(resized))


@pytest.mark.parametrize("transparency", [bytes([0, 128]), bytes([255, 0, 60]), 3])
def test_palettes_with_transparent_entries(transparency: bytes | int) -> None:
    image = Image.fromarray(COLOUR).quantize(8)
    raw = saved(image, transparency=transparency)
    alphas = {3: 0} if isinstance(transparency, int) else dict(enumerate(transparency))
    opaque = np.vectorize(lambda index: alphas.get(int(index), 255) == 255)(np.asarray(image))
    found = pixels.decode(raw, "x").astype(int)
    greys = np.asarray(image.convert("RGB").convert("L"))
    assert 0 < opaque.sum() < opaque.size
    assert np.array_equal(found[opaque], greys[opaque])
    (unseen,) = (index for index, alpha in alphas.items() if alpha == 0)
    assert set(found[np.asarray(image) == unseen].tolist()) in ({0}, {255})


@pytest.mark.parametrize(("ink", "ground"), [(10, 255), (240, 0)])
@pytest.mark.parametrize("mode", ["L", "RGB", "P"])
def test_one_colour_may_stand_for_transparent(mode: str, ink: int, ground: int) -> None:
    values = np.full((6, 6), 77, np.uint8)
    values[2:4, 1:5] = ink
    image = Image.fromarray(values).convert(mode)
    one = {"L": 77, "RGB": (77, 77, 77), "P": image.getpixel((0, 0))}[mode]
    found = pixels.decode(saved(image, transparency=one), "x")
    assert np.array_equal(found, np.where(values == ink, ink, ground))


def test_a_transparent_colour_of_sixteen_bits() -> None:
    values = np.full((5, 5), 30_000, ">u2")
    values[2, 1:4] = 60_000
    raw = png(0, 16, values, (b"tRNS", struct.pack(">H", 30_000)))
    assert np.array_equal(pixels.decode(raw, "x"), np.where(values == 60_000, 233, 0))
    coloured = np.repeat(values[..., None], 3, axis=2)
    raw = png(2, 16, coloured, (b"tRNS", struct.pack(">3H", *[30_000] * 3)))
    assert np.array_equal(pixels.decode(raw, "x"), np.where(values == 60_000, 234, 0))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "packed TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_as_exif_says(tmp_path: Path, kind: str, orientation: int) -> None:
    image = Image.fromarray(np.kron(GREY, np.ones((8, 8), np.uint8)))
    tag = Image.Exif()
    tag[0x0112] = orientation
    options = {"packed TIFF": {"compression": "tiff_lzw"}, "JPEG": {"quality": 95}}.get(kind, {})
    raw = saved(image, kind.removeprefix("packed "), exif=tag, **options)
    plain = pixels.decode(saved(image, kind.removeprefix("packed "), **options), "x")
    turned = Image.fromarray(plain)
    turned.getexif()[0x0112] = orientation
    wanted = np.asarray(ImageOps.exif_transpose(turned))
    assert wanted.shape == ((56, 72) if orientation >= 5 else (72, 56))
    assert np.array_equal(pixels.decode(raw, "x"), wanted)
    (tmp_path / "x").write_bytes(raw)
    assert np.array_equal(pixels.decode(tmp_path / "x", "x"), wanted)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_the_size_of_a_file_is_that_of_its_image(
    tmp_path: Path, kind: str, orientation: int
) -> None:
    tag = Image.Exif()
    tag[0x0112] = orientation
    path = tmp_path / "x"
    path.write_bytes(saved(GREY, kind, exif=tag))
    assert pixels.size_of(path) == pixels.decode(path, "x").shape
    path.write_bytes(b"no image")
    assert pixels.size_of(path) is None


@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0MM\0*\0\0\0\xff", b"Exif\0\0hello world"])
def test_a_damaged_exif_leaves_the_image_as_it_lies(exif: bytes) -> None:
    plain = pixels.decode(saved(GREY, "JPEG"), "x")
    assert np.array_equal(pixels.decode(saved(GREY, "JPEG", exif=exif), "x"), plain)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits_are_scaled_to_eight(kind: str) -> None:
    depths = Depths()
    raw = saved(GREY.astype(np.uint16) * 257, kind)
    assert np.array_equal(pixels.decode(raw, "x", depths=depths), GREY)
    assert depths.notes() == ["1 image of 16 bits a pixel: divided by 257, to 0..255"]
    depths.check("x")


def test_big_endian_and_coloured_sixteen_bits() -> None:
    image = Image.new("I;16B", (7, 9))
    image.frombytes((GREY.astype(">u2") * 257).tobytes())
    assert np.array_equal(pixels.decode(saved(image, "TIFF"), "x"), GREY)
    depths = Depths()
    raw = png(2, 16, COLOUR.astype(">u2") * 257)
    wanted = np.asarray(Image.fromarray(COLOUR).convert("L"))
    assert np.array_equal(pixels.decode(raw, "x", depths=depths), wanted)
    assert depths.n_deep == 1


def test_sixteen_bits_that_hold_fewer_are_refused_for_a_whole_set() -> None:
    depths = Depths()
    pixels.decode(saved(np.full((4, 4), 1000, np.uint16)), "x", depths=depths)
    with pytest.raises(DataError, match=r"^set: .* go up to 1000 of 65535 .*255 / 1000"):
        depths.check("set")
    pixels.decode(saved(np.full((4, 4), 40_000, np.uint16)), "x", depths=depths)
    depths.check("set")  # the first was a dark one of a set that uses its range


@pytest.mark.parametrize("values", [[0, 70_000], [-1, 5]])
def test_integers_beyond_sixteen_bits(values: list[int]) -> None:
    with pytest.raises(DataError, match=rf"^x: values from {values[0]} to {values[1]}; save it"):
        pixels.decode(saved(np.array([values], np.int32), "TIFF"), "x")


def test_floats_of_either_scale() -> None:
    depths = Depths()
    shares = saved((GREY / np.float32(255)).astype(np.float32), "TIFF")
    assert np.array_equal(pixels.decode(shares, "x", depths=depths), GREY)
    assert depths.notes() == ["1 image of floats 0..1: multiplied by 255"]
    bytes_ = saved(GREY.astype(np.float32), "TIFF")
    assert np.array_equal(pixels.decode(bytes_, "x", depths=depths), GREY)
    with pytest.raises(DataError, match=r"^set: 1 of its 2 images of floats is in 0..1, the"):
        depths.check("set")


@pytest.mark.parametrize("value", [-0.5, 256.0, float("nan"), float("inf")])
def test_floats_of_no_known_scale(value: float) -> None:
    raw = saved(np.array([[0.5, value]], np.float32), "TIFF")
    with pytest.raises(DataError, match=r"^x: floats from .*, where 0\.\.1 or 0\.\.255 are read"):
        pixels.decode(raw, "x")


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_several_frames_the_first(kind: str) -> None:
    frames = [Image.fromarray(np.full((4, 4), value, np.uint8)) for value in (200, 20)]
    options = {"lossless": True} if kind == "WEBP" else {}
    depths = Depths()
    raw = saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert pixels.decode(raw, "x", depths=depths).tolist() == [[200] * 4] * 4
    assert depths.n_paged == (kind == "TIFF")


@pytest.mark.parametrize(
    ("raw", "values"),
    [
        (b"P5 3 1 255\n\0\x80\xff", [0, 128, 255]),
        (b"P2 # drawn by hand\n3 1\n15\n0 5 15\n", [0, 85, 255]),
        (b"P1 3 1\n0 1 0\n", [255, 0, 255]),
        (b"P4 3 1\n\x40", [255, 0, 255]),
        (b"P5 2 1 65535\n\0\0\xff\xff", [0, 255]),
        (b"P6 1 1 255\n\xff\0\0", [76]),
    ],
)
def test_netpbm(raw: bytes, values: list[int]) -> None:
    assert pixels.decode(raw, "x").tolist() == [values]


def test_a_tile_larger_than_its_image_is_refused() -> None:
    tags = [(256, 8), (257, 8), (258, 8), (259, 1), (262, 1), (277, 1), (322, 65520), (323, 65520)]
    tags += [(324, 8), (325, 64)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    raw = b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(68)
    with pytest.raises(DataError, match=r"^x: 65520 x 65520 pixels; refused$"):
        pixels.decode(raw, "x")


def test_other_formats_than_those_listed_are_not_tried() -> None:
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 12 12\n%%EndComments\n%%EOF\n"
    for raw in (eps, saved(Image.fromarray(COLOUR), "ICO"), b"<svg/>", b""):
        with pytest.raises(DataError, match=r"^x: not a readable image: ") as caught:
            pixels.decode(raw, "x")
        assert "\n" not in str(caught.value)


KINDS = {
    "grey": saved(GREY),
    "palette": saved(Image.fromarray(COLOUR).quantize(8), transparency=bytes([0, 9])),
    "RGBA": saved(stroke("RGBA", 0)),
    "16 bits": saved(GREY.astype(np.uint16) * 257),
    "tiff": saved(COLOUR, "TIFF"),
    "lzw": saved(COLOUR, "TIFF", compression="tiff_lzw"),
    "float": saved(GREY.astype(np.float32), "TIFF"),
    "pages": saved(GREY, "TIFF", save_all=True, append_images=[Image.fromarray(GREY)]),
    "pgm": saved(GREY, "PPM"),
    "plain": b"P2 3 1 15\n0 5 15\n",
    "turned": saved(
        GREY, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\3\0\0\0\1\0\6\0\0"
    ),
    "gif": saved(Image.fromarray(GREY), "GIF", transparency=3),
    "webp": saved(stroke("RGBA", 0), "WEBP"),
}


@pytest.mark.parametrize("kind", KINDS)
@given(
    changes=st.lists(st.tuples(st.integers(0, 1 << 12), st.integers(0, 255)), max_size=6),
    end=st.integers(1, 1 << 12) | st.none(),
)
@settings(deadline=None, max_examples=120)
def test_damaged_images_decode_or_raise_one_line(
    kind: str, changes: list[tuple[int, int]], end: int | None
) -> None:
    raw = bytearray(KINDS[kind])
    for place, value in changes:
        raw[place % len(raw)] = value
    if end is not None:
        del raw[end:]
    message = None
    try:
        image = pixels.decode(bytes(raw), "x", depths=Depths())
        assert (image.dtype, image.ndim) == (np.uint8, 2)
        assert image.size <= pixels.MAX_IMAGE_PIXELS
    except DataError as error:
        message = str(error)
    assert message is None or (message.startswith("x: ") and "\n" not in message)


def _tiff(values: np.ndarray, photometric: int = 1, sample_format: int = 1) -> bytes:
    """A TIFF file as microscopes write it; Pillow writes neither negatives nor signed bytes."""
    raw, (height, width) = values.tobytes(), values.shape
    tags = {256: width, 257: height, 258: 8 * values.itemsize, 259: 1, 262: photometric, 273: 8}
    tags |= {277: 1, 278: height, 279: len(raw), 339: sample_format}
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    start = struct.pack("<2sHI", b"II", 42, 8 + len(raw))
    return start + raw + struct.pack("<H", len(tags)) + directory + bytes(4)


@pytest.mark.parametrize(
    ("values", "sample_format"),
    [
        (255 - GREY, 1),
        (65535 - GREY.astype("<u2") * 257, 1),
        ((1 - GREY / 255).astype("<f4"), 3),
        ((255 - GREY).astype("<f4"), 3),
    ],
)
def test_a_negative_is_not_taken_for_a_positive(values: np.ndarray, sample_format: int) -> None:
    raw = _tiff(values, photometric=0, sample_format=sample_format)
    assert np.abs(pixels.decode(raw, "x").astype(int) - GREY).max() <= 1
    turned = pixels.decode(_tiff(values, 1, sample_format), "x")
    assert np.abs(turned.astype(int) - (255 - GREY.astype(int))).max() <= 1


def test_signed_bytes_and_wide_negatives_are_refused() -> None:
    signed = (GREY.astype(int) - 128).astype(np.int8)
    with pytest.raises(DataError, match=r"from -128 to 127; .*np\.asarray\(image\) \^ 128\)"):
        pixels.decode(_tiff(signed, sample_format=2), "x")
    assert np.array_equal(signed.view(np.uint8) ^ 128, GREY)  # as the line converts it
    with pytest.raises(DataError, match="not a readable image"):
        pixels.decode(_tiff(GREY.astype("<u4"), photometric=0), "x")
