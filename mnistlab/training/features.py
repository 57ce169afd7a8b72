"""What a frozen network makes of images, computed once and kept on the disk by content.

A file is named after everything its numbers depend on, so it is right wherever it is found:
the next seed, arm or run with the same frozen network and images reads it. Large files are
mapped into memory, not read.
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
LARGE = 1 << 28  # bytes from which on a file is mapped
MOST = 4 << 30  # bytes all files may take together; those used longest ago go first
VERSION = b"features/1"


def features_of(
    frozen: nn.Module,
    X: Tensor,
    autocast: bool,
    on_features: Callable[[int, int], None] = lambda n_done, n_images: None,
) -> Tensor | None:
    """What `frozen` makes of images (N, ...), in evaluation mode, on their device.

    autocast: computed, and kept, in bfloat16. From the cache where it is there; where nothing can
    be written it is computed all the same. None where it would take more than MOST.
    on_features: called before the first batch and after each, unless they were kept.
    """
    path = cache_folder() / "features" / f"{_key(frozen, X, autocast)}.npy"
    kept = _kept(path, len(X), X.device)
    if kept is not None:
        return kept
    if not can_be_kept(frozen, X, autocast):
        return None

    def batches() -> Iterator[Tensor]:
        return _counted(_computed(frozen, X, autocast), len(X), on_features)

    with contextlib.suppress(OSError):  # a full disk, a folder that cannot be written to
        _keep(path, (len(X), *_of_one(frozen, X, autocast).shape[1:]), batches())
        _make_room(path.parent)
        kept = _kept(path, len(X), X.device)
    return torch.cat(list(batches())) if kept is None else kept


def can_be_kept(frozen: nn.Module, X: Tensor, autocast: bool) -> bool:
    """Whether what `frozen` makes of images (N, ...) takes no more than MOST."""
    return len(X) * _of_one(frozen, X, autocast).nbytes <= MOST


def _of_one(frozen: nn.Module, X: Tensor, autocast: bool) -> Tensor:
    (features,) = _computed(frozen, X[:1], autocast)
    return features


@torch.no_grad()
def _computed(frozen: nn.Module, X: Tensor, autocast: bool) -> Iterator[Tensor]:
    """The features, batch by batch."""
    frozen.eval()
    for batch in X.split(BATCH):
        with torch.autocast(X.device.type, torch.bfloat16, enabled=autocast):
            features: Tensor = frozen(batch)
        yield features


def _counted(
    batches: Iterator[Tensor], n_images: int, on_features: Callable[[int, int], None]
) -> Iterator[Tensor]:
    n_done = 0
    on_features(n_done, n_images)
    for batch in batches:
        yield batch
        n_done += len(batch)
        on_features(n_done, n_images)


def _key(frozen: nn.Module, X: Tensor, autocast: bool) -> str:
    """Of all that decides the features: a module's settings are in its representation."""
    digest = hashlib.sha256(VERSION)
    described = (str(frozen), X.dtype, tuple(X.shape), autocast, torch.__version__, X.device.type)
    digest.update(repr(described).encode())
    for tensor in (*frozen.state_dict().values(), X):
        digest.update(np.ascontiguousarray(tensor.detach().cpu().numpy()).data)
    return digest.hexdigest()


def _keep(path: Path, shape: tuple[int, ...], batches: Iterator[Tensor]) -> None:
    """Write an NPY file of that shape, a batch at a time."""
    with atomic.open_aside(path) as file:
        for place, batch in enumerate(batches):
            values = batch.cpu()
            if values.dtype == torch.bfloat16:  # which NumPy does not know
                values = values.view(torch.int16)
            array = values.contiguous().numpy()
            if not place:
                header = {"descr": array.dtype.str, "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, header)
            file.write(array.data)


def _kept(path: Path, n_images: int, device: torch.device) -> Tensor | None:
    """The features in a file; None where there is none, or one that was damaged."""
    try:
        # "c": torch wants arrays it could write to; nothing is, and nothing would reach the file.
        is_large = path.stat().st_size >= LARGE
        values = np.load(path, mmap_mode="c" if is_large else None, allow_pickle=False)
        path.touch()
    except (OSError, ValueError, EOFError):
        return None
    if len(values) != n_images or values.dtype not in (np.float32, np.int16):
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
