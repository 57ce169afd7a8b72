"""The course in the documentation: its chapters as pages of the site, and what solutions reach."""

from __future__ import annotations

import importlib
import re
from types import ModuleType
from typing import Any

import pytest

from benchmarks import course_table, ledger

LABS = ledger.CHECKOUT / "labs"
CHAPTERS = sorted(LABS.glob("[0-9][0-9]_*.py"))
ENV = {"cpu": "A CPU", "threads": 1, "precision": "float32", "numpy": "2.4"}


@pytest.fixture
def chapter_pages(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ledger.CHECKOUT / "docs"))
    return importlib.import_module("chapter_pages")


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapters_page_has_all_of_it(chapter_pages: ModuleType, chapter) -> None:
    text, page = chapter.read_text(encoding="utf-8"), chapter_pages.page(chapter)
    tasks = re.findall(r"^# \*\*(Task \w+)\.\*\*", text, re.MULTILINE)
    assert re.findall(r"^:::\{admonition\} (.*)$", page, re.MULTILINE) == tasks
    for task in re.findall(r"^:::\{admonition\}.*?^:::$", page, re.MULTILINE | re.DOTALL):
        assert re.findall(r"<summary>Hint (\d)</summary>", task) == ["1", "2", "3"]
    code = "".join(re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if line not in code.splitlines()] == []
    assert "%%" not in page
    named = re.findall(r"`labs/(\S+) <|solutions/(\S+)>`", page)
    assert named
    assert all((LABS / (own or f"solutions/{solution}")).is_file() for own, solution in named)


def test_every_chapter_has_a_page_and_a_row(chapter_pages: ModuleType) -> None:
    assert len(chapter_pages.pages()) == len(CHAPTERS) == 11
    text = (ledger.CHECKOUT / "docs" / "course.md").read_text(encoding="utf-8")
    assert re.findall(r"\(\.\./labs/(\d\d_\w+\.py)\)", text) == [path.name for path in CHAPTERS]


def line(name: str, **figures: Any) -> dict[str, Any]:
    own = {"seed": 0} | figures
    return {"kind": "course", "name": name, "figures": own, "env": ENV} | {
        "commit": "abc",
        "date": "2026-11-30",
    }


def test_the_table_shows_the_newest_line_of_each_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        line("E1", accuracy=0.91),
        line("E1", accuracy=0.92),
        line("E1", accuracy=0.93, seed=1),
        line("A5", accuracy={"32": 0.97, "64": 0.96}),
        line("A13", accuracy=None, why="no weights here"),
    ]
    monkeypatch.setattr(ledger, "read", lambda: lines)
    table = course_table.course_table()
    assert "| 2 | E1 | mnist | test | about 0.92 | 0.9200 / 0.9300 | 2 |" in table
    assert "32: 0.9700, 64: 0.9600" in table
    assert "no weights here" in table
    assert "| B1 | fashion-mnist | test | 0.09 | not measured yet | 0 |" in table
    assert table.count("A CPU") == 1
