"""The documentation as a site: built without a warning, and read from the disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from benchmarks.ledger import CHECKOUT

pytest.importorskip("sphinx")
pytest.importorskip("furo")
pytestmark = [pytest.mark.browser, pytest.mark.slow]  # the build alone takes 20 s of CPU

OWN = ("file:", "data:", "blob:")  # the last is the worker of the page to draw on


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
@pytest.mark.parametrize(
    "name",
    [
        "index",
        "generated/python",
        "generated/commands",
        "generated/chapters/03_mlp_by_hand",
        "how-to/onnx",
        "why/softmax-twice",
        "drawing-page",
    ],
)
def test_pages_fit_the_screen_and_ask_nobody(visit, site: Path, name: str, width: int):
    visited = visit(site / f"{name}.html", width=width)
    assert visited.messages == []
    assert [url for url in visited.requests if not url.startswith(OWN)] == []
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


def test_the_page_to_draw_on_answers_inside_the_site(visit, site: Path):
    page = visit(site / "drawing-page.html").page
    frame = page.frame_locator("iframe.drawing")
    frame.locator("#images button").first.click(timeout=60_000)
    expect(frame.locator("#verdict")).not_to_have_text("–", timeout=60_000)


def test_hints_are_folded_and_files_at_hand(visit, site: Path):
    page = visit(site / "generated" / "chapters" / "02_softmax_regression.html").page
    hints = page.locator(".admonition.task details")
    assert hints.count() == 9
    assert not hints.first.locator("p").is_visible()
    hints.first.locator("summary").click()
    assert hints.first.locator("p").is_visible()
    for file in ("02_softmax_regression.py", "softmax.py"):
        address = page.locator(f"a.download[href$='/{file}']").get_attribute("href")
        assert address
        assert (site / "generated" / "chapters" / address).resolve().is_file()
