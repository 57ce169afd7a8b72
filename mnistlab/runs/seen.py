"""Which images a run has seen in training, so that it is not measured on them.

An image is recognised by a hash of its pixels, whatever file it lies in and wherever it stands
there. The hash of an inverted image follows from that of the image, so it is recognised as well.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnistlab import atomic
from mnistlab.data import Split, large
from mnistlab.runs.arrays import read_arrays

FILE = "seen.npz"
SEED = 20_261_129  # of the factors; another one would make the files of all runs unreadable
N_AT_ONCE = 2_048  # images whose pixels are held as 64-bit numbers


def image_hashes(images: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """A 64-bit hash (N,) of each image's pixels, uint8 (N, H, W).

    The sum of pixel times factor modulo 2**64, with fixed random factors: two different images have
    the same hash with a probability of at most 2**-56.
    """
    factors = _factors(images.shape[1] * images.shape[2])
    hashes = np.empty(len(images), dtype=np.uint64)
    done = 0
    for block in large.blocks(images):
        for start in range(0, len(block), N_AT_ONCE):
            pixels = np.asarray(block[start : start + N_AT_ONCE])
            flat = pixels.reshape(len(pixels), -1).astype(np.uint64)
            hashes[done : done + len(flat)] = flat @ factors
            done += len(flat)
    return hashes


def inverted(hashes: NDArray[np.uint64], n_pixels: int) -> NDArray[np.uint64]:
    """The hashes of 255 - image, from those of images of so many pixels."""
    white = np.full((1, n_pixels), 255, dtype=np.uint64) @ _factors(n_pixels)
    return np.asarray(white - hashes)  # modulo 2**64, as the sum is


def _factors(n_pixels: int) -> NDArray[np.uint64]:
    factors = np.random.Generator(np.random.PCG64(SEED)).integers(
        0, 2**64, n_pixels, dtype=np.uint64, endpoint=False
    )
    return np.asarray(factors | np.uint64(1))


def write_seen(folder: Path, parts: Split) -> None:
    """Write the hashes of the training and the validation part into a run folder."""
    buffer = io.BytesIO()
    hashes = {name: image_hashes(getattr(parts, name).images) for name in ("train", "val")}
    np.savez(buffer, allow_pickle=False, **hashes)
    atomic.write_bytes(folder / FILE, buffer.getvalue())


def read_seen(folder: Path, n_train: int, n_val: int) -> NDArray[np.uint64] | None:
    """All hashes in a run folder; None of a run from before there were any.

    Raises RunError for a file that does not hold so many.
    """
    path = folder / FILE
    if not path.exists():
        return None
    wanted = {"train": (np.dtype(np.uint64), (n_train,)), "val": (np.dtype(np.uint64), (n_val,))}
    arrays = read_arrays(path, wanted, needed=wanted.keys())
    return np.concatenate([arrays["train"], arrays["val"]])


def seen_in(parts: Split) -> NDArray[np.uint64]:
    """The hashes of a split's training and validation part."""
    return np.concatenate([image_hashes(parts.train.images), image_hashes(parts.val.images)])


def are_copies(images: NDArray[np.uint8], of: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether each of `images` (N,) is, pixel for pixel, one of others of the same size."""
    return np.isin(image_hashes(images), image_hashes(of))


def is_seen(images: NDArray[np.uint8], seen: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Whether each image (N,), or its inverse, is one of those."""
    hashes = image_hashes(images)
    n_pixels = images.shape[1] * images.shape[2]
    return np.asarray(np.isin(hashes, seen) | np.isin(inverted(hashes, n_pixels), seen))
