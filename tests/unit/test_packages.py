"""The wheel and the source archive: complete, the same to the bit, and usable outside a clone."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import mnistlab

CHECKOUT = Path(mnistlab.__file__).parents[1]
BUILT_FROM = ("pyproject.toml", "README.md", "LICENSE", ".gitignore", "mnistlab")
pytestmark = pytest.mark.skipif(
    not (CHECKOUT / "pyproject.toml").exists(), reason="mnistlab is not a checkout here"
)


def built(where: Path, changed_s: int) -> dict[str, Path]:
    """Wheel and source archive of a copy whose files were all changed at that time (seconds)."""
    source = where / "source"
    source.mkdir(parents=True)
    for name in BUILT_FROM:
        path = CHECKOUT / name
        if path.is_dir():
            shutil.copytree(path, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, source / name)
    for path in source.rglob("*"):
        os.utime(path, (changed_s, changed_s))
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(where)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    return {path.suffix: path for path in where.iterdir() if path.is_file()}


@pytest.fixture(scope="module")
def packages(tmp_path_factory) -> dict[str, Path]:
    return built(tmp_path_factory.mktemp("built"), 1_700_000_000)


def test_the_same_files_give_the_same_packages(packages: dict[str, Path], tmp_path: Path):
    again = built(tmp_path / "later", 1_800_000_000)
    for suffix in (".whl", ".gz"):
        first, second = (
            hashlib.sha256(built_in[suffix].read_bytes()).hexdigest()
            for built_in in (packages, again)
        )
        assert first == second, suffix


def test_the_wheel_holds_the_package_and_nothing_else(packages: dict[str, Path]):
    with zipfile.ZipFile(packages[".whl"]) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    package = CHECKOUT / "mnistlab"
    wanted = {
        path.relative_to(CHECKOUT).as_posix()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == wanted


def test_the_citation_is_of_this_version():
    cited = (CHECKOUT / "CITATION.cff").read_text().splitlines()
    assert f"version: {mnistlab.__version__}" in cited


def test_the_changelog_begins_with_this_version():
    lines = (CHECKOUT / "CHANGELOG.md").read_text().splitlines()
    newest = next(line for line in lines if line.startswith("## "))
    released = next(line for line in lines if line.startswith("## ["))
    assert released.startswith(f"## [{mnistlab.__version__}] - ")
    assert newest in (released, "## Unreleased")


def test_the_source_archive_builds_the_wheel(packages: dict[str, Path]):
    with tarfile.open(packages[".gz"]) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "mnistlab/data/embedded/NOTICE"} <= held


@pytest.mark.slow
def test_what_is_installed_works_outside_a_clone(packages: dict[str, Path], tmp_path: Path):
    with zipfile.ZipFile(packages[".whl"]) as wheel:
        wheel.extractall(tmp_path / "site")
    folder = tmp_path / "folder of a user"
    folder.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site"), "HOME": str(tmp_path)}
    environment.pop("MNISTLAB_DATA", None)

    def run(*command: str) -> str:
        ended = subprocess.run(
            [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    where = run("-c", "import mnistlab; print(mnistlab.__file__)").strip()
    assert Path(where).is_relative_to(tmp_path / "site")
    settings = ["--set", "epochs=1", "--set", "n_train=200", "--threads", "1", "--json"]
    trained = run(
        "-m",
        "mnistlab",
        "train",
        "softmax-tuned",
        "--data",
        "fashion-mini",
        "--out",
        "runs",
        *settings,
    )
    run_folder = json.loads(trained.splitlines()[-1])["path"]
    assert (folder / run_folder / "model.safetensors").exists()
