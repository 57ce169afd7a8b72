"""Writes a page of the site for each chapter of the course, from its Python file in labs/."""

from __future__ import annotations

import re
from pathlib import Path

LABS = Path(__file__).parents[1] / "labs"
CELL = re.compile(r"^# %%(.*)\n", re.MULTILINE)
TASK = re.compile(r"^\*\*(Task \w+)\.\*\* (.*</details>)", re.MULTILINE | re.DOTALL)
TITLE = re.compile(r"\A# .+\n")
FILES = re.compile(r'^\w+ = task\(\w+, "my_(\w+)"\)$', re.MULTILINE)
ABOUT = """
This chapter is a Python file: {{download}}`labs/{name} <../../../labs/{name}>`. Work on it
[in an editor, as a notebook, or as a program](../../course.md#work-on-a-chapter). Below each task
are three hints, folded. Solutions: {solutions}.
"""


def pages() -> dict[str, str]:
    """Markdown by the name of the page, such as chapters/02_softmax_regression.md."""
    chapters = sorted(LABS.glob("[0-9][0-9]_*.py"))
    return {f"chapters/{path.stem}.md": page(path) for path in chapters}


def page(chapter: Path) -> str:
    """The cells of a file in jupytext's percent format, one after another."""
    text = chapter.read_text(encoding="utf-8")
    _, *parts = CELL.split(text)
    cells = zip(parts[::2], parts[1::2], strict=True)
    body = "\n".join(_prose(cell) if "[markdown]" in kind else _code(cell) for kind, cell in cells)
    names = dict.fromkeys(FILES.findall(text))  # in the order of the tasks, each once
    solutions = ", ".join(f"{{download}}`{n}.py <../../../labs/solutions/{n}.py>`" for n in names)
    return TITLE.sub(
        lambda title: title[0] + ABOUT.format(name=chapter.name, solutions=solutions), body, count=1
    )


def _prose(cell: str) -> str:
    """Comments as Markdown, with each task and its hints in a frame."""
    lines = re.sub(r"^# ?", "", cell.strip(), flags=re.MULTILINE)
    return TASK.sub(r":::{admonition} \1\n:class: task\n\n\2\n:::", lines) + "\n"


def _code(cell: str) -> str:
    return f"```python\n{cell.strip()}\n```\n"
