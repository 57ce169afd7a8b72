"""Copies the empty tasks of a chapter into files of your own: `python labs/start.py 3`.

Chapter 3 gives my_gradients.py, my_mlp.py and my_layers.py. A file that exists is left as it is.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
NOT_FOR_TASKS = ("course", "mnistlab", "matplotlib")  # imports that only the chapter needs


def tasks_of(chapter: Path) -> dict[str, str]:
    """The text of every file of yours, by its name, with the empty tasks of a chapter.

    The chapter assigns each of them: `MLPFromScratch = task(MLPFromScratch, "my_mlp")`.
    """
    text = chapter.read_text(encoding="utf-8")
    body = ast.parse(text).body
    sources = {
        node.name: "".join(text.splitlines(keepends=True)[_first_line(node) - 1 : node.end_lineno])
        for node in body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    imports = [ast.unparse(node) for node in body if _is_needed(node)]
    tasks: dict[str, list[str]] = {}
    for name, file in _calls("task", body):
        tasks.setdefault(file, []).append(sources[name])
    files = {}
    for file, written in tasks.items():
        used = [each for each in _calls("earlier", body) if each[0] in "".join(written)]
        above = [f'"""Your code for {chapter.name}, where the hints are."""', "", *imports]
        above += [*(["from course import earlier"] if used else []), ""]
        above += [f'{name} = earlier("{name}", "{source}")' for name, source in used]
        files[file] = "\n".join(above) + "\n\n" + "\n\n".join(written)
    return files


def _calls(function: str, body: list[ast.stmt]) -> list[tuple[str, str]]:
    """(name, file) of every `X = task(X, "my_file")` or `X = earlier("X", "my_file")`."""
    found = re.findall(
        rf"\b{function}\(['\"]?(\w+)['\"]?, ['\"](\w+)['\"]\)", ast.unparse(ast.Module(body, []))
    )
    return [(name, file) for name, file in found]


def _first_line(node: ast.FunctionDef | ast.ClassDef) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _is_needed(node: ast.stmt) -> bool:
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").split(".")[0] not in NOT_FOR_TASKS
    return isinstance(node, ast.Import) and node.names[0].name.split(".")[0] not in NOT_FOR_TASKS


def start(number: int, folder: Path = FOLDER) -> list[str]:
    """Write the files of a chapter into `folder`; what was done with each, as a sentence."""
    chapters = sorted(FOLDER.glob(f"{number:02d}_*.py"))
    if not chapters:
        return [f"There is no chapter {number}."]
    said = []
    for file, text in tasks_of(chapters[0]).items():
        path = folder / f"{file}.py"
        try:
            with path.open("x", encoding="utf-8") as new:
                new.write(text)
            said.append(f"{path}: written. Fill it in, then run {chapters[0].name}.")
        except FileExistsError:
            said.append(f"{path}: exists already and was left as it is.")
    return said or [f"Chapter {number} has no tasks."]


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    print("\n".join(line for number in numbers for line in start(number)) or __doc__)
