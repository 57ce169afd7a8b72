"""Pages in headless Chromium: Debian's browser, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from demo_page import CLASS_NAMES, HOSTILE, demo_page
from drawing import ON_PAGE, PATIENCE_MS, small_runs
from playwright.sync_api import Browser, Page, expect, sync_playwright
from quick_figures import without_png

import mnistlab as ml
from mnistlab.reporting.render import write

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Visit:
    """An open page and all it said and asked for."""

    page: Page
    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)


Visitor = Callable[..., Visit]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"chromium is not installed (looked for {CHROMIUM})")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with without_png():  # a browser sees the drawings in the page alone
        return write(demo_page(), tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="session")
def hostile_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    names = (HOSTILE, *CLASS_NAMES[1:])
    with without_png():
        return write(demo_page(class_names=names), tmp_path_factory.mktemp("hostile"))


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visitor]:
    """Opens a file at a width and in a colour scheme, and records what it does."""
    contexts = []

    def open_file(path: Path, width: int = 1440, scheme: str = "light") -> Visit:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        visited = Visit(context.new_page())
        visited.page.on("console", lambda message: visited.messages.append(message.text))
        visited.page.on("pageerror", lambda error: visited.messages.append(str(error)))
        visited.page.on("request", lambda request: visited.requests.append(request.url))

        def dismiss(dialog) -> None:
            visited.dialogs.append(dialog.message)
            dialog.dismiss()

        visited.page.on("dialog", dismiss)
        visited.page.goto(path.as_uri())
        return visited

    yield open_file
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def drawing_runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ml.Run]:
    return small_runs(tmp_path_factory.mktemp("drawing-runs"))


@pytest.fixture(scope="session")
def drawing_path(drawing_runs: dict[str, ml.Run], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("drawing") / "page.html"
    written = ml.export_page([drawing_runs[name] for name in ON_PAGE], path)
    assert written.n_bytes == path.stat().st_size < 2_000_000
    return path


@pytest.fixture(scope="module")
def drawing_visit(browser: Browser, drawing_path: Path) -> Iterator[Visit]:
    """A page to draw on, opened once from its file, with the network off."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, offline=True)
    visit = Visit(context.new_page())
    visit.page.set_default_timeout(PATIENCE_MS)
    visit.page.on("console", lambda message: visit.messages.append(message.text))
    visit.page.on("pageerror", lambda error: visit.messages.append(str(error)))
    visit.page.on("request", lambda request: visit.requests.append(request.url))
    visit.page.goto(drawing_path.as_uri())
    visit.page.locator("#images button").first.wait_for()
    yield visit
    context.close()


@pytest.fixture
def drawing(drawing_visit: Visit, drawing_path: Path) -> Iterator[Page]:
    """The page with an empty drawing; afterwards it has said nothing and asked nobody."""
    page = drawing_visit.page
    page.set_viewport_size({"width": 1440, "height": 900})
    page.locator("#tab-draw").click()
    page.locator("#clear").click()
    expect(page.locator("#verdict")).to_have_text("–", timeout=PATIENCE_MS)
    yield page
    assert drawing_visit.messages == []
    asked = [url for url in drawing_visit.requests if not url.startswith("blob:")]  # its worker
    assert asked == [drawing_path.as_uri()]
