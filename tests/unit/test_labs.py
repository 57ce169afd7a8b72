"""The course in labs/: every chapter runs, with our solutions and with nothing done yet."""

from __future__ import annotations

import ast
import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import matplotlib.pyplot as plt
import pytest

import mnistlab as ml
from benchmarks.ledger import CHECKOUT

LABS = CHECKOUT / "labs"
CHAPTERS = sorted(LABS.glob("[0-9][0-9]_*.py"))
SMALL = {"N_IMAGES": 200, "N_EPOCHS": 1, "N_SEEDS": 2, "N_TRIALS": 2}
each_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs that both executions of a chapter make are trained once."""
    return tmp_path_factory.mktemp("labs")


@pytest.fixture
def course(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(LABS))
    return importlib.import_module("course")


def executed(chapter: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What a chapter prints with few images and one epoch."""
    text = chapter.read_text(encoding="utf-8")
    for name, value in SMALL.items():
        text = re.sub(rf"^{name} = \d+", f"{name} = {value}", text, flags=re.MULTILINE)
    exec(compile(text, str(chapter), "exec"), {"__name__": "__main__"})
    return capsys.readouterr().out


@pytest.fixture
def started(course: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """In a folder of its own, without windows, and with no file of a student."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(course, "FOLDER", folder)
    monkeypatch.setattr(plt, "show", lambda: plt.close("all"))
    yield folder
    plt.close("all")


@each_chapter
def test_a_chapter_runs_with_our_solutions(
    chapter: Path,
    started: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MNISTLAB_LABS", "solutions")
    printed = executed(chapter, capsys)
    assert "Task not done" not in printed
    assert "our solution" not in printed


@each_chapter
def test_a_chapter_whose_tasks_are_empty_says_so_and_goes_on(
    chapter: Path,
    started: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("MNISTLAB_LABS", raising=False)
    printed = executed(chapter, capsys)
    said = ", ".join(
        re.findall(r"^Task not done yet: (.*)\. This step is skipped\.$", printed, re.M)
    )
    assert set(said.split(", ")) == {name for name, _ in tasks_in(chapter)}


# What the chapters say


def tasks_in(chapter: Path) -> list[tuple[str, str]]:
    """(name, file) of every task."""
    return re.findall(r'^(\w+) = task\(\1, "(my_\w+)"\)$', chapter.read_text("utf-8"), re.M)


def test_there_are_the_eleven_chapters() -> None:
    assert [int(path.name[:2]) for path in CHAPTERS] == list(range(1, 12))


@each_chapter
def test_every_task_has_three_hints_a_solution_and_an_empty_body(
    chapter: Path, course: ModuleType
) -> None:
    text = chapter.read_text(encoding="utf-8")
    hints = [int(n) for n in re.findall(r"<summary>Hint (\d)</summary>", text)]
    n_tasks = len(re.findall(r"^# \*\*Task \d+[a-d]?\.\*\*", text, re.MULTILINE))
    assert hints == [1, 2, 3] * n_tasks
    assert n_tasks
    assert text.count("<details>") == text.count("</details>")
    defined = {node.name: node for node in ast.parse(text).body if hasattr(node, "name")}
    for name, file in tasks_in(chapter):
        assert "NotImplementedError" in ast.unparse(defined[name])
        solution = getattr(importlib.import_module(f"solutions.{file.removeprefix('my_')}"), name)
        assert not course.is_empty(solution)
        assert signatures(defined[name]).items() <= signatures(solution_node(file, name)).items()


def solution_node(file: str, name: str) -> ast.stmt:
    source = LABS / "solutions" / f"{file.removeprefix('my_')}.py"
    (found,) = (
        node
        for node in ast.parse(source.read_text("utf-8")).body
        if getattr(node, "name", "") == name
    )
    return found


def signatures(node: ast.AST) -> dict[str, list[str]]:
    """The names of the parameters of a function, or of every method of a class."""
    functions = [each for each in ast.walk(node) if isinstance(each, ast.FunctionDef)]
    return {each.name: [a.arg for a in each.args.args] for each in functions}


@each_chapter
def test_a_chapter_is_in_percent_format_and_ends_with_a_question_for_a_study(chapter: Path) -> None:
    text = chapter.read_text(encoding="utf-8")
    assert text.startswith("# ---\n# jupyter:\n#   jupytext:")  # else it becomes a cell
    assert text.split("# %%")[1].startswith(f" [markdown]\n# # {int(chapter.name[:2])}. ")
    last = re.sub(r"\n# ", " ", text.rpartition("# ## Question")[2])
    studies = re.findall(r"`mnistlab study ([\w-]+)`", last)
    assert set(studies) <= set(ml.STUDIES)
    assert studies or "ml.run_study" in last


@each_chapter
def test_a_check_names_a_file_of_the_chapter(chapter: Path) -> None:
    checked = re.findall(r"^# mnistlab check labs/(\w+)\.py --task \w+$", chapter.read_text(), re.M)
    assert set(checked) <= {file for _, file in tasks_in(chapter)}


CHECKS = sorted(
    {
        pair
        for path in CHAPTERS
        for pair in re.findall(r"labs/my_(\w+)\.py --task (\w+)", path.read_text())
    }
)


# Tasks of libraries take their import each time; test_checking_library.py checks them in-process.
IN_NUMPY = ("softmax", "mlp", "layers", "gradients", "data")


@pytest.mark.parametrize(
    ("file", "task"),
    [
        pytest.param(file, task, marks=[] if file in IN_NUMPY else pytest.mark.slow)
        for file, task in CHECKS
    ],
)
def test_our_solutions_pass_the_checker(file: str, task: str) -> None:
    checking = pytest.importorskip("mnistlab.checking")
    report = checking.check_file(LABS / "solutions" / f"{file}.py", task)
    assert report.passed, str(report)
    assert report.checks


@each_chapter
def test_the_checker_knows_the_tasks_that_a_chapter_names(chapter: Path) -> None:
    tasks = pytest.importorskip("mnistlab.checking.tasks")
    for name in re.findall(r"--task (\w+)", chapter.read_text(encoding="utf-8")):
        assert tasks.checked_task(name)


def test_the_page_lists_every_chapter_and_every_file_of_a_task() -> None:
    page = (CHECKOUT / "docs" / "course.md").read_text(encoding="utf-8")
    for chapter in CHAPTERS:
        assert f"labs/{chapter.name})" in page
        assert {file for _, file in tasks_in(chapter)} <= set(re.findall(r"`(my_\w+)`", page))


# Files of a student


@pytest.fixture
def student(course: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for files that are imported by name."""
    monkeypatch.delenv("MNISTLAB_LABS", raising=False)
    monkeypatch.setattr(course, "FOLDER", tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # a file may change within a second
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("my_")]:
        del sys.modules[name]


@each_chapter
def test_start_writes_the_empty_tasks_of_a_chapter_and_overwrites_nothing(
    chapter: Path, student: Path, course: ModuleType
) -> None:
    start = importlib.import_module("start")
    number = int(chapter.name[:2])
    said = start.start(number, student)
    files = {file for _, file in tasks_in(chapter)}
    assert len(said) == len(files)
    for name, file in tasks_in(chapter):
        assert course.is_empty(getattr(importlib.import_module(file), name))
    before = {path: path.read_text() for path in student.glob("*.py")}
    assert all("was left as it is" in line for line in start.start(number, student))
    assert before == {path: path.read_text() for path in student.glob("*.py")}


def test_start_says_what_it_does_not_know() -> None:
    start = importlib.import_module("start")
    assert start.start(99) == ["There is no chapter 99."]


def test_the_students_own_file_is_used_and_read_again(
    student: Path, course: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    def softmax(z: float) -> float:
        raise NotImplementedError

    assert course.task(softmax, "my_softmax") is softmax
    assert not course.ready(softmax)
    file = student / "my_softmax.py"
    for answer in (1, 22):
        file.write_text(f"def softmax(z):\n    return {answer}\n")
        found = course.task(softmax, "my_softmax")
        assert course.ready(found)
        assert found(0) == answer
    file.write_text("other = 1\n")
    capsys.readouterr()
    # What was there before a reload stays in a module; a new session has a new one.
    del sys.modules["my_softmax"]
    assert course.task(softmax, "my_softmax") is softmax
    assert (
        capsys.readouterr().out == "my_softmax.py has no softmax: the one in the chapter is used.\n"
    )


def test_an_earlier_task_is_the_students_or_else_ours(
    student: Path, course: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    from solutions.convolution import convolve

    assert course.earlier("convolve", "my_convolution") is convolve
    assert "our solution is used" in capsys.readouterr().out
    (student / "my_convolution.py").write_text("def convolve(image, kernel):\n    return 7\n")
    assert course.earlier("convolve", "my_convolution")(0, 0) == 7
    assert capsys.readouterr().out == ""
