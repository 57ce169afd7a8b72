"""Arrays of a page as text: compressed together, in letters that HTML keeps as they are."""

from __future__ import annotations

import gzip
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAST_SHORTENED = 1000  # numbers from which on a float32 matrix is saved in 16 bits
LEVELS_16 = 2**15 - 1
BITS = 7  # of a letter
LENGTH_BYTES = 4
# HTML changes NUL and CR, editors change LF, and "<" could end the script.
UNSAFE = (0, ord("\n"), ord("\r"), ord("<"))

Place = dict[str, Any]  # where an array lies, as JSON


class Packing:
    """Arrays one behind the other, each with the place from which the page takes it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._n_bytes = 0

    def add(self, array: NDArray[Any]) -> Place:
        """Where the array will lie; its "kind" is bytes, float32 or, of large matrices, shorts.

        uint8 and float64 arrays keep their numbers, the latter as float32. Rows of 16 bits with a
        factor each change a probability by less than 1e-4 (decision 0033) in half the space.
        """
        if array.dtype == np.uint8:
            return self._put("bytes", array.tobytes(), array.size)
        if array.dtype != np.float32 or array.size < LEAST_SHORTENED or array.ndim < 2:
            return self._put("floats", array.astype("<f4").tobytes(), array.size)
        rows = array.reshape(len(array), -1).astype(np.float64)
        factors = np.abs(rows).max(axis=1) / LEVELS_16
        factors[factors == 0] = 1.0
        levels = np.rint(rows / factors[:, None]).astype("<i2")
        # All low bytes, then all high ones: only the high ones can be compressed.
        halves = np.ascontiguousarray(levels.view(np.uint8).reshape(-1, 2).T)
        place = self._put("shorts", halves.tobytes(), array.size)
        return place | {"factors": self.add(factors)}

    def _put(self, kind: str, content: bytes, n: int) -> Place:
        place = {"kind": kind, "start": self._n_bytes, "n": n}
        self._parts.append(content)
        self._n_bytes += len(content)
        return place

    @property
    def n_bytes(self) -> int:
        """Bytes of the arrays before they are compressed."""
        return self._n_bytes

    def size(self, start: int, end: int) -> int:
        """Bytes that the arrays between two places take in the page."""
        return len(as_text(gzip.compress(b"".join(self._parts)[start:end], mtime=0)).encode())

    def text(self) -> str:
        """All arrays, compressed, as the text that unpack.js reads."""
        return as_text(gzip.compress(b"".join(self._parts), mtime=0))


def as_text(content: bytes) -> str:
    """Seven bits per byte of UTF-8, so an eighth longer than the content where base64 is a third.

    A number from 0 to 127 is the letter of that number. An unsafe one and the number after it are
    together one letter from 128 on, of two bytes: 128 + 128 * its place in UNSAFE + the other.
    """
    # The length first: what follows the content is no part of it.
    whole = len(content).to_bytes(LENGTH_BYTES, "little") + content
    bits = np.unpackbits(np.frombuffer(whole, np.uint8))
    bits = np.concatenate([bits, np.zeros(-len(bits) % BITS, np.uint8)])
    numbers = (np.packbits(bits.reshape(-1, BITS), axis=1).ravel() >> (8 - BITS)).tolist()
    letters, rest = [], iter(numbers)
    for number in rest:
        is_safe = number not in UNSAFE
        letters.append(number if is_safe else 128 * (UNSAFE.index(number) + 1) + next(rest, 0))
    return "".join(map(chr, letters))
