"""The documentation as a site: built without a warning, and read from the disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.ledger import CHECKOUT

pytest.importorskip("sphinx")
pytest.importorskip("furo")
pytestmark = [pytest.mark.browser, pytest.mark.slow]  # the build alone takes 20 s of CPU


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    ended = subprocess.run(
        [*command, "-d", str(folder / "read"), "docs", str(folder / "html")],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    return folder / "html"


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("name", ["index", "generated/python", "generated/commands"])
def test_pages_fit_the_screen_and_ask_nobody(visit, site: Path, name: str, width: int):
    visited = visit(site / f"{name}.html", width=width)
    assert visited.messages == []
    assert [url for url in visited.requests if not url.startswith(("file:", "data:"))] == []
    sizes = "[document.scrollingElement.scrollWidth, document.scrollingElement.clientWidth]"
    inside, window = visited.page.evaluate(sizes)
    assert inside <= window


def test_the_search_works_from_the_disk(visit, site: Path):
    page = visit(site / "search.html").page
    page.goto(f"{(site / 'search.html').as_uri()}?q=McNemar")
    page.locator("#search-results li a").first.wait_for()
    assert page.locator("#search-results a[href*='evidence']").count()


def test_every_public_name_and_command_is_there(site: Path):
    import mnistlab as ml

    python = (site / "generated" / "python.html").read_text(encoding="utf-8")
    missing = [name for name in ml.__all__ if f">{name}<" not in python]
    assert missing == []
    commands = (site / "generated" / "commands.html").read_text(encoding="utf-8")
    assert "mnistlab data profile" in commands
