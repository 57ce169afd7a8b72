"""Prose types no measured figure: those stand in tables, rendered from the ledger."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import ledger, prose

DOCS = ledger.CHECKOUT / "docs"
FOLDERS = (DOCS, DOCS / "how-to", DOCS / "why")  # decisions may hold dated measurements
WRITTEN = [page for folder in FOLDERS for page in sorted(folder.glob("*.md"))]
PAGES = [ledger.CHECKOUT / "README.md", *WRITTEN]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_measured_figure_is_typed(page: Path) -> None:
    found = prose.typed(page)
    assert not found, "\n".join(f"{page.name}:{each.line}: {each.figure}" for each in found)


def test_what_prose_may_say_is_said() -> None:
    texts = {page.name: page.read_text(encoding="utf-8") for page in PAGES}
    for name, phrases in prose.STATED.items():
        for phrase in phrases:
            assert phrase in texts[name], f"{name} no longer says {phrase!r}"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("it is worth 5.3 points here", ["5.3 points"]),
        ("from -10 to +41 %;", ["+41 %"]),
        ("reached 0.9904 on validation", ["0.9904"]),
        ("was 2.17x as fast", ["2.17x"]),
        ("took 38 minutes.", ["38 minutes"]),
        ("images of 28 x 28 pixels, 55,000 of them, batch 64", []),
        ("`--set learning_rate=0.001` and [there](a/0.123.md)", []),
        ("<!-- table: x -->\n| 0.9904 |\n<!-- end -->", []),
        ("numpy 2.14.1 and version 0.12", ["0.12"]),
    ],
)
def test_figures_are_told_from_settings(text: str, found: list[str], tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(text, encoding="utf-8")
    assert [each.figure for each in prose.typed(tmp_path / "page.md")] == found
