"""Environments of peers: made once, each with its own packages, and seeing those it shares."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import environments, fit, service_process


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands of pip, which are not carried out."""
    calls: list[list[str]] = []

    def create(folder: Path, **_: Any) -> None:
        (folder / "bin").mkdir(parents=True, exist_ok=True)
        (folder / "site-packages").mkdir(exist_ok=True)

    def run(words: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        calls.append(words)
        if "broken" in words:
            raise subprocess.CalledProcessError(1, words)
        return subprocess.CompletedProcess(words, 0)

    monkeypatch.setattr(environments.venv, "create", create)
    monkeypatch.setattr(environments.subprocess, "run", run)
    monkeypatch.setattr(
        environments, "site_packages", lambda python: str(python.parent.parent / "site-packages")
    )
    return calls


def test_an_environment_is_made_once(tmp_path: Path, installed: list[list[str]]) -> None:
    for _ in range(2):
        python = environments.environment(tmp_path / "a", ["x", "y"], ["/shared"])
        assert python == tmp_path / "a" / "bin" / "python"
    assert [words[-2:] for words in installed] == [["x", "y"]]
    assert (tmp_path / "a" / "site-packages" / "shared.pth").read_text() == "/shared\n"


def test_one_made_of_other_packages_is_made_again(
    tmp_path: Path, installed: list[list[str]]
) -> None:
    environments.environment(tmp_path / "a", ["x"])
    environments.environment(tmp_path / "a", ["x", "y"])
    environments.environment(tmp_path / "a", ["x", "y"], ["/shared"])
    assert len(installed) == 3


def test_one_that_pip_could_not_fill_is_tried_again(
    tmp_path: Path, installed: list[list[str]]
) -> None:
    for _ in range(2):
        with pytest.raises(subprocess.CalledProcessError):
            environments.environment(tmp_path / "a", ["broken"])
    assert len(installed) == 2


def test_peers_of_fit_have_their_own(
    tmp_path: Path, installed: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fit, "ENVIRONMENTS", tmp_path)
    assert fit.python_for("HistGradientBoosting") == Path(sys.executable)
    assert fit.python_for("FLAML") == tmp_path / "flaml" / "bin" / "python"
    assert [words[-1] for words in installed] == ["flaml[automl]"]
    assert not (tmp_path / "flaml" / "site-packages" / "shared.pth").exists()


def test_peers_of_the_service_see_our_packages(tmp_path: Path, installed: list[list[str]]) -> None:
    service_process.environment_with_ours(tmp_path / "a", ["x"])
    seen = (tmp_path / "a" / "site-packages" / "shared.pth").read_text().split()
    assert str(Path(pytest.__file__).parent.parent) in seen
