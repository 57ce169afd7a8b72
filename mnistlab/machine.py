"""The machine: its description for env.json, threads and memory; none of this needs torch."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mnistlab.errors import DataError, RecipeError


def describe() -> dict[str, Any]:
    """Versions and hardware that a result depends on, ready for JSON."""
    import numpy as np

    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": platform.platform(),
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
    }


def cpu_name() -> str:
    """The make of the CPU, such as "AMD EPYC"; less precise outside Linux."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def has_library(name: str) -> bool:
    """Whether a library is installed, without importing it; what may not be imported is not."""
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):  # an import hook refuses it; it has no description
        return False


def is_busy() -> bool:
    """Whether other programs use all cores, by the load of the last minute; False where unknown."""
    try:
        return os.getloadavg()[0] >= (os.cpu_count() or 1)
    except (AttributeError, OSError):  # Windows has none
        return False


def check_cpu_only(device: str) -> None:
    """RecipeError for a device that NumPy and scikit-learn cannot use."""
    if device not in ("auto", "cpu"):
        raise RecipeError(f"device {device!r} asked for, but this model runs on the CPU alone")


def most_threads() -> int:
    """The largest sensible number of threads or processes; more only wait for each other."""
    return max(64, 4 * (os.cpu_count() or 1))


def check_threads(wanted: int | None, what: str = "threads") -> None:
    """RecipeError for a number of threads or processes that this machine cannot use."""
    if wanted is not None and not 1 <= wanted <= most_threads():
        raise RecipeError(f"{what} must be from 1 to {most_threads()} on this machine: {wanted}")


@contextmanager
def n_threads(wanted: int | None) -> Iterator[None]:
    """Run the block with at most so many threads in NumPy and scikit-learn; None: no change.

    RecipeError for more than `most_threads`.
    """
    from threadpoolctl import threadpool_limits

    check_threads(wanted)
    with threadpool_limits(wanted):
        yield


def threads_in_use() -> int:
    """How many threads NumPy's linear algebra may use now."""
    from threadpoolctl import threadpool_info

    pools = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    return max(pools, default=1)


def start_measuring_memory() -> float:
    """Reset the peak, where the system allows it; returns the resident size now, in MB."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return peak_memory_mb()
    return _status_mb("VmRSS")


def peak_memory_mb() -> float:
    """The largest resident size since `start_measuring_memory`, or ever, in MB (2**20 bytes).

    0 on Windows.
    """
    if sys.platform == "win32":
        return 0.0
    if Path("/proc/self/status").exists():
        return _status_mb("VmHWM")
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10  # bytes there, KiB here


def _status_mb(field: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    line = next((line for line in lines if line.startswith(field)), "none 0")  # some sandboxes
    return int(line.split()[1]) / 2**10


def memory_bytes() -> int | None:
    """The most memory that this process may use; None where the system does not say."""
    limits = []
    with contextlib.suppress(OSError, ValueError, AttributeError):  # no sysconf on Windows
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    with contextlib.suppress(OSError, ValueError):  # "max" where a container has no limit
        limits.append(int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    if sys.platform != "win32":
        import resource

        soft, _ = resource.getrlimit(resource.RLIMIT_AS)
        limits += [soft] if soft != resource.RLIM_INFINITY else []
    return min(limits, default=None)


def n_processes() -> int:
    """How many processes torchrun has started to train together; 1 without it.

    RecipeError where WORLD_SIZE is no such number.
    """
    return _number_in("WORLD_SIZE", lowest=1)


def rank() -> int:
    """The rank of this process; rank 0 writes files and prints.

    A single process has rank 0, whatever RANK a cluster has left in its environment.
    RecipeError where RANK is out of range.
    """
    n = n_processes()
    place = _number_in("RANK", lowest=0)
    if n > 1 and place >= n:
        raise RecipeError(f"RANK is {place} of {n} processes, counted from 0")
    return place if n > 1 else 0


def check_launched() -> None:
    """RecipeError where WORLD_SIZE asks for several processes that nobody has started."""
    for name in ("RANK", "MASTER_ADDR", "MASTER_PORT"):
        if n_processes() > 1 and not os.environ.get(name, "").strip():
            raise RecipeError(
                f"WORLD_SIZE is {n_processes()}, but {name} is not set: only torchrun should set "
                "them; unset WORLD_SIZE to train with one process"
            )


def _number_in(variable: str, lowest: int) -> int:
    """The number in an environment variable; `lowest` where it is empty or missing."""
    text = os.environ.get(variable, "").strip()
    if not text:
        return lowest
    if not text.isdecimal() or len(text) > 9 or int(text) < lowest:
        raise RecipeError(
            f"{variable} is {text!r}, no number from {lowest} on: only torchrun should set it"
        )
    return int(text)


def cache_folder() -> Path:
    """Where downloads, pretrained weights, features and out-of-core images lie.

    The folder that MNISTLAB_CACHE names, else the platform's cache folder for mnistlab. Raises
    DataError for a home folder (~name) that does not exist.
    """
    if folder := os.environ.get("MNISTLAB_CACHE"):
        return _expanded(folder, "MNISTLAB_CACHE")
    # platformdirs takes 0.02 s to load.
    from platformdirs import user_cache_path

    return user_cache_path("mnistlab")


def data_folders() -> list[Path]:
    """The folders of MNISTLAB_DATA, a list separated as PATH is; errors as in `cache_folder`."""
    listed = os.environ.get("MNISTLAB_DATA", "").split(os.pathsep)
    return [_expanded(folder, "MNISTLAB_DATA") for folder in listed if folder]


def _expanded(folder: str, variable: str) -> Path:
    try:
        return Path(folder).expanduser()
    except RuntimeError as error:
        raise DataError(f"{variable}: {folder}: there is no such home folder") from error
