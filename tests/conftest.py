"""Small data sets every test may use."""

from __future__ import annotations

import functools
import gc
import os
import signal

os.environ.setdefault("SCIPY_ARRAY_API", "1")  # read once, when scipy is first imported
# The tests' networks are tiny: threads that wait for each other take longer than the work.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Compiled kernels are tested by name; `MNISTLAB_KERNELS=on make test` uses them in all tests. Each
# process that a test starts would load numba, a second.
os.environ.setdefault("MNISTLAB_KERNELS", "off")

import numpy as np
import pytest
import typer.main
from hypothesis import HealthCheck, settings

from mnistlab.data import Dataset

# A machine that does other work as well must not fail a test: none of them is about time. The same
# examples every time, so that a change is judged by the change; `make fuzz` draws new ones.
settings.register_profile(
    "any machine",
    deadline=None,
    derandomize="MNISTLAB_FUZZ" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("any machine")

# A shell's background job ignores Ctrl-C, and so would every process that a test starts and stops.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A test that gives hundreds of command lines need not build the same parser for each.
typer.main.get_command = functools.cache(typer.main.get_command)


# One of these begun last would leave all processes but its own with nothing to do.
LONGEST = (
    "test_classifiers.py",
    "test_checkpoints.py",
    "test_ray.py",
    "test_zoo_studies.py",
    "test_report_page.py",
    "test_drawing_parity.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in LONGEST)


def pytest_collection_finish() -> None:
    """What was imported stays: neither Python nor statsmodels looks through it for garbage."""
    gc.collect()
    gc.freeze()


def striped(n: int, n_classes: int, side: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images of noise with one bright row for each class: easy, but not trivial."""
    random = np.random.default_rng(seed)
    labels = np.arange(n, dtype=np.int64) % n_classes
    images = random.integers(0, 120, (n, side, side), dtype=np.uint8)
    images[np.arange(n), 1 + labels] += 120
    return images, labels


@pytest.fixture(scope="session")
def stripes() -> Dataset:
    """480 + 120 images of 12 x 12 in four classes, cut as a published set is."""
    images, labels = striped(600, 4, 12, seed=0)
    return Dataset("stripes", images, labels, ("a", "b", "c", "d"), 480, is_published=True)
