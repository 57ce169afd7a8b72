"""The bytes in a file: decompressed within limits, and checked against a published hash.

The first bytes tell the compression, never the name, since packagers and servers compress files
anew. Nothing here knows what the bytes mean.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import mmap
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Protocol

from mnistlab.data import large
from mnistlab.errors import DataError, reason

# MNIST is compressed 5:1, the sparsest set of the project 30:1. A decompression bomb is 1000:1.
MAX_RATIO = 100
FLOOR_BYTES = 1 << 26  # 64 MiB: below this the ratio does not matter
MAX_CONTENT_BYTES = 1 << 31  # 2 GiB: four times the largest named file (EMNIST by-class)
CHUNK_BYTES = 1 << 20
PACKED = GZIP, BZIP2 = (b"\x1f\x8b", b"BZh")

# What decoders raise for damaged bytes: Pillow, zipfile, lzma, zlib, h5py and NumPy's .npy header.
DAMAGE = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, OSError, RuntimeError),
    *(SyntaxError, TypeError, ValueError, Warning),
    *(lzma.LZMAError, struct.error, tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)
CUT_OFF = (EOFError, OSError, zlib.error)  # what gzip and bz2 raise for damaged bytes


class Readable(Protocol):
    """What a file, a GzipFile and a BZ2File have in common."""

    def read(self, size: int, /) -> bytes: ...  # noqa: D102


def plausible_bytes(packed_bytes: int) -> int:
    """How many bytes a compressed file of `packed_bytes` may unpack to; more is refused."""
    return min(MAX_CONTENT_BYTES, max(FLOOR_BYTES, MAX_RATIO * packed_bytes))


def chunks(path: Path, size: int = CHUNK_BYTES) -> Iterator[bytes]:
    """Yield the content of a plain, gzip or bzip2 file, `size` bytes at a time.

    Raises DataError for a file that cannot be read, is damaged, or unpacks
    beyond `plausible_bytes`.
    """
    try:
        with path.open("rb") as file:
            yield from _bounded(file, path.stat().st_size, size, str(path))
    except CUT_OFF as error:
        raise DataError(f"{path}: cannot be read: {reason(error)}") from error


def start_of(path: Path, size: int) -> bytes:
    """The first `size` bytes of a file as they are, packed or not; DataError if unreadable."""
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {reason(error)}") from error


def read(path: Path) -> bytearray:
    """The whole content of a file, unpacked; errors as in `chunks`, and for a larger file."""
    content = bytearray()
    for chunk in chunks(path):
        content += chunk
        if len(content) > MAX_CONTENT_BYTES:
            raise DataError(f"{path}: holds more than {MAX_CONTENT_BYTES} bytes; refused")
    return content


def read_or_map(path: Path) -> bytearray | mmap.mmap:
    """As `read`; a plain file of large.LARGE bytes or more is mapped, and may be of any size."""
    try:
        if path.stat().st_size < large.LARGE:
            return read(path)
        mapped = large.map_file(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {reason(error)}") from error
    return read(path) if mapped[:3].startswith(PACKED) else mapped


def unpack(packed: bytes, where: str) -> bytearray:
    """`read` for bytes in memory, such as a member of an archive."""
    content = bytearray()
    try:
        for chunk in _bounded(io.BytesIO(packed), len(packed), CHUNK_BYTES, where):
            content += chunk
    except CUT_OFF as error:
        raise DataError(f"{where}: cannot be read: {reason(error)}") from error
    return content


class _Rejoined(io.RawIOBase):
    """A pipe of which the first bytes were read already: these bytes, then the rest."""

    def __init__(self, start: bytes, rest: IO[bytes]) -> None:
        self.start, self.rest = start, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        into = memoryview(buffer)
        some = self.start[: len(into)] or self.rest.read(len(into))
        self.start = self.start[len(some) :]
        into[: len(some)] = some
        return len(some)


def _bounded(file: IO[bytes], n_packed: int, size: int, where: str) -> Iterator[bytes]:
    start = file.read(3)
    if file.seekable():
        file.seek(0)
    else:  # a pipe
        file = io.BufferedReader(_Rejoined(start, file), size)
    stream: Readable = file
    if start.startswith(GZIP):
        stream = gzip.GzipFile(fileobj=file)
    elif start.startswith(BZIP2):
        stream = bz2.BZ2File(file)
    limit, n_bytes = plausible_bytes(n_packed), 0
    while chunk := stream.read(size):
        n_bytes += len(chunk)
        if stream is not file and n_bytes > limit:
            why = "unpack it first" if limit == MAX_CONTENT_BYTES else "no image data"
            raise DataError(f"{where}: unpacks to more than {limit} bytes; refused, {why}")
        yield chunk


def matches(content: bytes | bytearray, published: str) -> bool:
    """Whether bytes have a hash written as "sha256:..." or "md5:..."."""
    algorithm, _, digest = published.partition(":")
    return hashlib.new(algorithm, content, usedforsecurity=False).hexdigest() == digest


def file_matches(path: Path, published: str) -> bool:
    """`matches` for a file, without loading it into memory."""
    algorithm, _, digest = published.partition(":")
    with path.open("rb") as file:
        # Systems in FIPS mode refuse md5 unless it is declared as not used for security.
        found = hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False))
    return found.hexdigest() == digest
