"""What the tests of the data room share: the complete sets, and a machine that has nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from data_server import DataServer
from quick_figures import undrawn

from mnistlab.data import Dataset, available, load
from mnistlab.data.published import locate


def _complete(name: str) -> Dataset:
    if available(name) is None:
        pytest.skip(f"{name} is in no folder of MNISTLAB_DATA")
    return load(name)


@pytest.fixture(scope="session")
def mnist() -> Dataset:
    return _complete("mnist")


@pytest.fixture(scope="session")
def fashion_mnist() -> Dataset:
    return _complete("fashion-mnist")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, on a machine without MNISTLAB_DATA and system packages."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("MNISTLAB_CACHE", str(folder))
    monkeypatch.delenv("MNISTLAB_DATA", raising=False)
    monkeypatch.setattr(locate, "SYSTEM_FOLDER", tmp_path / "system")
    return folder


@pytest.fixture
def server() -> Iterator[DataServer]:
    with DataServer() as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def no_figures(request: pytest.FixtureRequest) -> Iterator[None]:
    """Pages without their figures, unless the module's tests look at them (mark `drawn`)."""
    if request.node.get_closest_marker("drawn"):
        yield
        return
    with undrawn():
        yield
