"""The outputs of a frozen network on images, computed once and cached on the disk.

A file is named by a hash of everything that its numbers depend on: the next seed, arm or run with
the same frozen network and images reads it. Large files are mapped into memory, not read.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mnistlab import atomic
from mnistlab.machine import cache_folder

BATCH = 250
LARGE = 1 << 28  # bytes; larger files are mapped
MOST = 4 << 30  # bytes of all files together; the least recently used are removed first
VERSION = b"features/1"


def features_of(
    frozen: nn.Module,
    X: Tensor,
    autocast: bool,
    on_features: Callable[[int, int], None] = lambda n_done, n_images: None,
) -> Tensor | None:
    """The outputs (N, ...) of `frozen` on images, in evaluation mode, on their device.

    They come from the cache, or are computed and cached; where nothing can be written, they are
    only computed. None where they would take more than MOST bytes. autocast: in bfloat16.
    on_features(n_done, n_images): called before the first batch and after each that is computed.
    """
    path = cache_folder() / "features" / f"{_key(frozen, X, autocast)}.npy"
    cached = _cached(path, len(X), X.device)
    if cached is not None:
        return cached
    if not fit_in_cache(frozen, X, autocast):
        return None

    with contextlib.suppress(OSError):  # a full disk, a folder that cannot be written to
        shape = (len(X), *_of_one(frozen, X, autocast).shape[1:])
        _write(path, shape, _computed(frozen, X, autocast, on_features))
        _make_room(path.parent)
        cached = _cached(path, len(X), X.device)
    if cached is None:
        cached = torch.cat(list(_computed(frozen, X, autocast, on_features)))
    return cached


def fit_in_cache(frozen: nn.Module, X: Tensor, autocast: bool) -> bool:
    """Whether the outputs of `frozen` on images (N, ...) take no more than MOST bytes."""
    return len(X) * _of_one(frozen, X, autocast).nbytes <= MOST


def _of_one(frozen: nn.Module, X: Tensor, autocast: bool) -> Tensor:
    (features,) = _computed(frozen, X[:1], autocast)
    return features


@torch.no_grad()
def _computed(
    frozen: nn.Module,
    X: Tensor,
    autocast: bool,
    on_features: Callable[[int, int], None] = lambda n_done, n_images: None,
) -> Iterator[Tensor]:
    """The features, batch by batch."""
    frozen.eval()
    n_done = 0
    on_features(n_done, len(X))
    for batch in X.split(BATCH):
        with torch.autocast(X.device.type, torch.bfloat16, enabled=autocast):
            features: Tensor = frozen(batch)
        yield features
        n_done += len(batch)
        on_features(n_done, len(X))


def _key(frozen: nn.Module, X: Tensor, autocast: bool) -> str:
    """A hash of all that the features depend on; str(frozen) holds the settings of its modules."""
    digest = hashlib.sha256(VERSION)
    described = (str(frozen), X.dtype, tuple(X.shape), autocast, torch.__version__, X.device.type)
    digest.update(repr(described).encode())
    for tensor in (*frozen.state_dict().values(), X):
        digest.update(np.ascontiguousarray(tensor.detach().cpu().numpy()).data)
    return digest.hexdigest()


def _write(path: Path, shape: tuple[int, ...], batches: Iterator[Tensor]) -> None:
    """Write an NPY file of that shape, a batch at a time."""
    with atomic.open_aside(path) as file:
        for number, batch in enumerate(batches):
            values = batch.cpu()
            if values.dtype == torch.bfloat16:  # NumPy has no such type
                values = values.view(torch.int16)
            array = values.contiguous().numpy()
            if not number:
                header = {"descr": array.dtype.str, "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, header)
            file.write(array.data)


def _cached(path: Path, n_images: int, device: torch.device) -> Tensor | None:
    """The features in a file; None without a file, or with a damaged one."""
    try:
        atomic.check_regular(path)
        # "c", copy on write: torch warns of arrays it must not write to, and nothing writes here.
        is_large = path.stat().st_size >= LARGE
        values = np.load(path, mmap_mode="c" if is_large else None, allow_pickle=False)
        path.touch()
    except (OSError, ValueError, EOFError):
        return None
    if values.shape[:1] != (n_images,) or values.dtype not in (np.float32, np.int16):
        return None
    features = torch.from_numpy(values)
    return (features.view(torch.bfloat16) if values.dtype == np.int16 else features).to(device)


def _make_room(folder: Path) -> None:
    files = sorted(folder.glob("*.npy"), key=lambda path: path.stat().st_mtime, reverse=True)
    n_bytes = 0
    for path in files:
        n_bytes += path.stat().st_size
        if n_bytes > MOST:
            path.unlink(missing_ok=True)
